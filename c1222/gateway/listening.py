"""The gateway on TCP: a thread for each client, few of them, each with deadlines that no input moves."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import threading
import time
from typing import TYPE_CHECKING, Final

from c1222.errors import C1222Error, InvalidUrl
from c1222.gateway.association import Association
from c1222.gateway.wrapper import DEFAULT_PORT, frame, take_frame
from c1222.transport.url import unreachable

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

    from c1222.gateway.logical_device import LogicalDevice

__all__ = ["IDLE_TIMEOUT", "MAX_CLIENTS", "Gateway", "listen_address"]

MAX_CLIENTS: Final = 16
"""Connections at a time; more are closed at once."""
IDLE_TIMEOUT: Final = 120.0
"""Seconds that a connection may stay without a whole request."""
_SEND_TIMEOUT: Final = 30.0
_CHUNK: Final = 4096
_SCHEME: Final = "dlms+tcp://"


def listen_address(url: str, *, anywhere: bool = False) -> tuple[str, int]:
    """Return host and port of ``dlms+tcp://host:port``.

    Args:
        url: the address.
        anywhere: whether addresses other than those of this machine alone are taken.

    Raises:
        InvalidUrl: it is no such address, or not of this machine alone.
    """
    head, rest = url[: len(_SCHEME)].lower(), url[len(_SCHEME) :]
    host, colon, port = rest.rpartition(":") if not rest.endswith("]") else (rest, "", "")
    host = (host if colon else rest).strip("[]")
    if head != _SCHEME or not host or (colon and not (port.isascii() and port.isdecimal() and int(port) < 65536)):
        raise InvalidUrl(f"{url!r}: listen at dlms+tcp://HOST:PORT, for example {_SCHEME}127.0.0.1:{DEFAULT_PORT}")
    if not anywhere and not _is_local(host):
        raise InvalidUrl(f"{host} can be reached from other machines, and nothing is encrypted: --anywhere allows it")
    return host, int(port) if colon else DEFAULT_PORT


def _is_local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


class Gateway:
    """Serves a meter to COSEM clients over TCP until it is closed.

    Args:
        device: gives the logical device when a client associates.
        host: address to listen at.
        port: 0 takes a free one.
        password: what LLS must say; None if only clients without security are taken.
        max_clients: connections at a time.
        idle_timeout: seconds that a connection may stay without a whole request.

    Raises:
        Unreachable: the address is not ours, or the port is taken.
    """

    def __init__(
        self,
        device: Callable[[], LogicalDevice],
        host: str = "127.0.0.1",
        port: int = DEFAULT_PORT,
        *,
        password: bytes | None = None,
        max_clients: int = MAX_CLIENTS,
        idle_timeout: float = IDLE_TIMEOUT,
    ) -> None:
        self._device = device
        self._password = password
        self._idle = idle_timeout
        self._free = threading.BoundedSemaphore(max_clients)
        self._clients: set[socket.socket] = set()
        self._closed = threading.Event()
        try:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            self._listening = socket.create_server((host, port), family=family, backlog=max_clients)
        except (OSError, UnicodeError) as error:
            raise unreachable(host, port, error) from None

    @property
    def address(self) -> tuple[str, int]:
        """Address and port we listen at."""
        host, port = self._listening.getsockname()[:2]
        return host, port

    def serve(self) -> None:
        """Serve clients until `close` is called, from another thread or by an interrupt."""
        while not self._closed.is_set():
            try:
                client, _ = self._listening.accept()
            except OSError:
                if self._closed.is_set():
                    return
                time.sleep(0.1)  # no descriptor is left
                continue
            if not self._free.acquire(blocking=False):
                client.close()
                continue
            self._clients.add(client)
            threading.Thread(target=self._talk, args=(client,), daemon=True).start()

    def _talk(self, client: socket.socket) -> None:
        try:
            with client, contextlib.suppress(OSError, C1222Error):
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._answer(client, Association(self._device, self._password))
        finally:
            self._clients.discard(client)
            self._free.release()

    def _answer(self, client: socket.socket, association: Association) -> None:
        """Answer requests until the client leaves, says what is none, or is silent for too long."""
        unread = bytearray()
        until = time.monotonic() + self._idle
        while not self._closed.is_set():
            found = take_frame(unread)
            if found is None:
                left = until - time.monotonic()
                if left <= 0:
                    return
                client.settimeout(left)
                octets = client.recv(_CHUNK)
                if not octets:
                    return
                unread += octets
                continue
            request, size = found
            del unread[:size]
            answer = association.receive(request.apdu, request.source, request.target)
            if answer is not None:
                client.settimeout(_SEND_TIMEOUT)
                client.sendall(frame(request.target, request.source, answer))
            if association.closing:
                return
            until = time.monotonic() + self._idle

    def close(self) -> None:
        """Stop listening, and end all connections."""
        self._closed.set()
        for one in (self._listening, *tuple(self._clients)):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
