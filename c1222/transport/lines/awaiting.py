"""Lines of an asyncio client: local ports and TCP bridges by the loop itself, RFC 2217 bridges by a thread each."""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

from c1222.errors import ConnectionLost, Unreachable
from c1222.transport.lines.blocking import RATE_PAUSE, rfc2217_port, serialx_settings
from c1222.transport.lines.errors import library, port_error, port_vanished, rate_needed
from c1222.transport.lines.modem import AFTER_CONNECT, Dialing
from c1222.transport.tcp import CONNECT_TIMEOUT
from c1222.transport.url import unreachable

if TYPE_CHECKING:
    from collections.abc import Callable

    from c1222.errors import C1222Error
    from c1222.transport.lines.line_url import LineUrl

__all__ = ["AsyncLine", "open_line_async"]


class AsyncLine(Protocol):
    """A line for asyncio; what comes in goes to a function."""

    def send(self, octets: bytes, /) -> None:
        """Send octets without waiting; raise ConnectionLost if the line is gone."""

    def set_rate(self, rate: int, /) -> None:
        """Set another rate once all is sent; what is sent after this goes at that rate."""

    def close(self) -> None:
        """Close it. May be called twice."""

    async def wait_closed(self) -> None:
        """Wait until the port is free for others."""


async def open_line_async(
    url: LineUrl, timeout: float | None, receive: Callable[[bytes], None], lost: Callable[[C1222Error], None]
) -> AsyncLine:
    """Open a line, and dial if the address says a number.

    Args:
        url: where it is.
        timeout: how long a connection may take to open, seconds, if that is shorter than 10.
        receive: takes octets.
        lost: takes the error that ends the line.

    Raises:
        Unreachable, StateError: see `open_line`.
    """
    if url.scheme == "rfc2217":
        return await _ThreadedLine.open(url, receive, lost)
    if url.kind.is_remote:
        return await _StreamLine.open_tcp(url, timeout, receive, lost)
    line = await _StreamLine.open_local(url, receive, lost)
    if "dial" in url.options:
        try:
            await line.dial(Dialing(url.options["dial"], url.options.get("modem_init")))
        except BaseException:
            line.close()
            raise
    return line


class _StreamLine(asyncio.Protocol):
    def __init__(self, place: str, receive: Callable[[bytes], None], lost: Callable[[C1222Error], None]) -> None:
        self._place, self._receive, self._lost = place, receive, lost
        self._transport: Any = None
        self._closing = False
        self._changing: asyncio.Task[None] | None = None
        self._later: list[bytes | int] = []

    @classmethod
    async def open_tcp(
        cls,
        url: LineUrl,
        timeout: float | None,
        receive: Callable[[bytes], None],
        lost: Callable[[C1222Error], None],
    ) -> _StreamLine:
        loop = asyncio.get_running_loop()
        within = CONNECT_TIMEOUT if timeout is None else min(timeout, CONNECT_TIMEOUT)
        try:
            async with asyncio.timeout(within):
                _, line = await loop.create_connection(lambda: cls(url.place, receive, lost), url.host, url.port)
        except TimeoutError:
            raise Unreachable(f"no connection to {url} within {within:g} s") from None
        except (OSError, UnicodeError) as error:
            raise unreachable(url.host, url.port, error) from None
        return line

    @classmethod
    async def open_local(
        cls, url: LineUrl, receive: Callable[[bytes], None], lost: Callable[[C1222Error], None]
    ) -> _StreamLine:
        settings = serialx_settings(url)
        serialx = library("serialx", "serial", "local serial ports")
        loop = asyncio.get_running_loop()
        try:
            made = cls(url.host, receive, lost)
            await serialx.create_serial_connection(loop, lambda: made, url.host, **settings)
        except (OSError, ValueError, serialx.SerialException) as error:
            raise port_error(url.host, error, settings["baudrate"]) from None
        return made

    async def dial(self, dialing: Dialing) -> None:
        loop, came = asyncio.get_running_loop(), asyncio.Queue[bytes]()
        receive, self._receive = self._receive, came.put_nowait
        self.send(dialing.begin(loop.time()))
        while not dialing.is_connected:
            octets = b""
            with suppress(TimeoutError):
                octets = await asyncio.wait_for(came.get(), dialing.deadline - loop.time())
            command = dialing.take(octets, loop.time())
            if command:
                self.send(command)
        await asyncio.sleep(AFTER_CONNECT)
        self._receive = receive

    def send(self, octets: bytes) -> None:
        if self._changing is not None:
            self._later.append(octets)
            return
        if self._transport is None or self._transport.is_closing():
            raise port_vanished(self._place)
        self._transport.write(octets)

    def set_rate(self, rate: int) -> None:
        if self._changing is not None:
            self._later.append(rate)
        elif not hasattr(self._transport, "reconfigure_port"):
            raise rate_needed(self._place, rate)
        else:
            self._changing = asyncio.get_running_loop().create_task(self._change(rate))

    async def _change(self, rate: int) -> None:
        try:
            await self._transport.flush()
            await asyncio.sleep(RATE_PAUSE)
            await self._transport.reconfigure_port(baudrate=rate)
        except Exception as error:  # noqa: BLE001 - whatever the library raises, the port is of no more use
            self._end(rate_needed(self._place, rate, error))
            return
        self._changing = None
        later, self._later = self._later, []
        for item in later:
            if isinstance(item, bytes):
                self.send(item)
            else:
                self.set_rate(item)

    def close(self) -> None:
        self._closing = True
        if self._transport is not None:
            self._transport.close()

    async def wait_closed(self) -> None:
        if hasattr(self._transport, "wait_closed"):
            await self._transport.wait_closed()

    def _end(self, error: ConnectionLost) -> None:
        if not self._closing:
            self.close()
            self._lost(error)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport (called by asyncio)."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Take octets (called by asyncio)."""
        self._receive(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the owner (called by asyncio)."""
        self._end(port_vanished(self._place, exc))


class _ThreadedLine:
    """A port of pyserial. Its thread waits for octets and changes the rate; octets are sent at once, from the loop."""

    def __init__(
        self, port: Any, place: str, receive: Callable[[bytes], None], lost: Callable[[C1222Error], None]
    ) -> None:
        self._port, self._place, self._receive, self._lost = port, place, receive, lost
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._later: list[bytes | int] = []
        self._closing = False
        self._thread = threading.Thread(target=self._run, name=f"c1222 {place}", daemon=True)
        self._thread.start()

    @classmethod
    async def open(
        cls, url: LineUrl, receive: Callable[[bytes], None], lost: Callable[[C1222Error], None]
    ) -> _ThreadedLine:
        port = await asyncio.get_running_loop().run_in_executor(None, rfc2217_port, url)
        return cls(port, url.place, receive, lost)

    def send(self, octets: bytes) -> None:
        with self._lock:
            if self._later:
                self._later.append(octets)
                return
        try:
            self._port.write(octets)
        except OSError as error:
            raise port_vanished(self._place, error) from None

    def set_rate(self, rate: int) -> None:
        with self._lock:
            self._later.append(rate)

    def close(self) -> None:
        self._closing = True  # the thread closes the port, which takes a while

    async def wait_closed(self) -> None:
        await self._loop.run_in_executor(None, self._thread.join)

    def _run(self) -> None:
        try:
            while not self._closing:
                octets = self._port.read(1)
                if octets:
                    octets += self._port.read(self._port.in_waiting)
                    self._tell(self._receive, octets)
                while self._later:
                    self._do(self._later[0])
                    with self._lock:
                        del self._later[0]
        except (OSError, ValueError) as error:
            self._tell(self._lost, port_vanished(self._place, error))
        finally:
            with suppress(OSError):
                self._port.close()

    def _do(self, item: bytes | int) -> None:
        if isinstance(item, bytes):
            self._port.write(item)
        else:
            time.sleep(RATE_PAUSE)
            self._port.baudrate = item

    def _tell(self, function: Callable[[Any], None], value: object) -> None:
        def call() -> None:
            if not self._closing:
                function(value)

        with suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(call)
