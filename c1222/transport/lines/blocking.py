"""Lines of a blocking client: a local port by serialx, a TCP bridge by a socket, an RFC 2217 bridge by pyserial."""

from __future__ import annotations

import logging
import socket
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, Protocol

from c1222.errors import ConnectionLost, InvalidUrl
from c1222.transport.lines.errors import library, port_error, port_vanished, rate_needed
from c1222.transport.lines.modem import AFTER_CONNECT, Dialing
from c1222.transport.tcp import CONNECT_TIMEOUT, READ_SIZE, SEND_TIMEOUT, open_socket
from c1222.transport.url import unreachable

if TYPE_CHECKING:
    from c1222.transport.lines.line_url import LineUrl

__all__ = ["RATE_PAUSE", "Line", "open_line", "rfc2217_port", "serialx_settings"]

RATE_PAUSE: Final = 0.02
"""Seconds that octets may still be on their way when the system says they are sent: the delay of USB adapters [?]."""
_POLL: Final = 0.02
_LINES: Final = {"on": "HIGH", "off": "LOW", "leave": "UNDEFINED"}


class Line(Protocol):
    """A line to send octets on, and to wait for some."""

    def send(self, octets: bytes, /) -> None:
        """Send octets; raise ConnectionLost if that fails."""

    def receive(self, timeout: float | None, /) -> bytes | None:
        """Wait for octets, so many seconds, None for ever; raise ConnectionLost if there can be none any more."""

    def set_rate(self, rate: int, /) -> None:
        """Set another rate once all is sent; raise ConnectionLost if that cannot be."""

    def close(self) -> None:
        """Close it. May be called twice."""


def open_line(url: LineUrl, timeout: float | None = None) -> Line:
    """Open a line, and dial if the address says a number.

    Args:
        url: where it is.
        timeout: how long a connection may take to open, seconds, if that is shorter than 10.

    Raises:
        Unreachable: there is no such port, it is in use, or may not be used; nobody listens, or answers the call.
        StateError: the library that it takes is not installed.
    """
    if url.scheme == "rfc2217":
        return _BridgeLine(url)
    if url.kind.is_remote:
        return _TcpLine(url, CONNECT_TIMEOUT if timeout is None else min(timeout, CONNECT_TIMEOUT))
    line = _LocalLine(url)
    if "dial" in url.options:
        try:
            _dial(line, Dialing(url.options["dial"], url.options.get("modem_init")))
        except BaseException:
            line.close()
            raise
    return line


def _dial(line: Line, dialing: Dialing) -> None:
    line.send(dialing.begin(time.monotonic()))
    while not dialing.is_connected:
        octets = line.receive(max(0.0, dialing.deadline - time.monotonic()))
        command = dialing.take(octets or b"", time.monotonic())
        if command:
            line.send(command)
    until = time.monotonic() + AFTER_CONNECT
    while (left := until - time.monotonic()) > 0:
        line.receive(left)


class _TcpLine:
    def __init__(self, url: LineUrl, timeout: float) -> None:
        self._place = url.place
        try:
            self._socket = open_socket(url.host, url.port, timeout)
        except (OSError, UnicodeError) as error:
            raise unreachable(url.host, url.port, error) from None
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, octets: bytes) -> None:
        try:
            self._socket.settimeout(SEND_TIMEOUT)
            self._socket.sendall(octets)
        except OSError as error:
            raise port_vanished(self._place, error) from None

    def receive(self, timeout: float | None) -> bytes | None:
        try:
            self._socket.settimeout(None if timeout is None else max(timeout, 0.0))
            octets = self._socket.recv(READ_SIZE)
        except (TimeoutError, BlockingIOError):
            return None
        except OSError as error:
            raise port_vanished(self._place, error) from None
        if not octets:
            raise ConnectionLost(f"{self._place}: closed by the other end; perhaps another program has the port there")
        return octets

    def set_rate(self, rate: int) -> None:
        raise rate_needed(self._place, rate)

    def close(self) -> None:
        self._socket.close()


def serialx_settings(url: LineUrl) -> dict[str, Any]:
    """Return how serialx is to open a port."""
    serialx = library("serialx", "serial", "local serial ports")
    # It writes all octets to its log, passwords among them.
    logging.getLogger("serialx").setLevel(logging.INFO)
    pins, options, has_modem = serialx.PinState, url.options, "dial" in url.options
    return {
        "baudrate": int(options.get("baud", 9600)),
        "rtscts": has_modem,
        "rts_on_open": pins[_LINES[options.get("rts", "on")]],
        "dtr_on_open": pins[_LINES[options.get("dtr", "on" if has_modem else "off")]],
        "exclusive": True,
    }


class _LocalLine:
    def __init__(self, url: LineUrl) -> None:
        self._path = url.host
        settings = serialx_settings(url)
        serialx = library("serialx", "serial", "local serial ports")
        self._port = serialx.Serial(url.host, **settings)
        try:
            self._port.open()
        except (OSError, ValueError, serialx.SerialException) as error:
            raise port_error(url.host, error, settings["baudrate"]) from None
        self._failures = (OSError, ValueError, serialx.SerialException)
        self._buffer = bytearray(READ_SIZE)

    def send(self, octets: bytes) -> None:
        try:
            self._port.write(octets, timeout=SEND_TIMEOUT)
        except self._failures as error:
            raise port_vanished(self._path, error) from None

    def receive(self, timeout: float | None) -> bytes | None:
        try:
            count = self._port.readinto(self._buffer, timeout=None if timeout is None else max(timeout, 0.0))
        except self._failures as error:
            raise port_vanished(self._path, error) from None
        return bytes(self._buffer[:count]) if count else None

    def set_rate(self, rate: int) -> None:
        try:
            self._port.flush()
            time.sleep(RATE_PAUSE)
            self._port.reconfigure_port(baudrate=rate)
        except self._failures as error:
            raise rate_needed(self._path, rate, error) from None

    def close(self) -> None:
        with suppress(*self._failures):
            self._port.close()


def rfc2217_port(url: LineUrl) -> Any:
    """Return a port of pyserial, open.

    Raises:
        InvalidUrl: a control line cannot be left as it is.
        Unreachable: there is no such bridge, or it refuses a setting.
        StateError: pyserial is not installed.
    """
    serial = library("serial", "rfc2217", "RFC 2217 bridges")
    options = url.options
    if "leave" in (options.get("rts"), options.get("dtr")):
        raise InvalidUrl("leave: pyserial sets both lines when it opens a bridge; say on or off")
    port = serial.serial_for_url(f"rfc2217://{url.place}?ign_set_control", do_not_open=True)
    port.baudrate = int(options.get("baud", 9600))
    port.timeout = _POLL  # every change of it is a negotiation
    port.rts, port.dtr = options.get("rts", "on") == "on", options.get("dtr", "off") == "on"
    try:
        port.open()
    except (OSError, ValueError) as error:
        raise unreachable(url.host, url.port, error) from None
    return port


class _BridgeLine:
    def __init__(self, url: LineUrl) -> None:
        self._place = url.place
        self._port = rfc2217_port(url)

    def send(self, octets: bytes) -> None:
        try:
            self._port.write(octets)
        except OSError as error:
            raise port_vanished(self._place, error) from None

    def receive(self, timeout: float | None) -> bytes | None:
        until = None if timeout is None else time.monotonic() + timeout
        while True:
            try:
                octets: bytes = self._port.read(1)
                if octets:
                    more: bytes = self._port.read(self._port.in_waiting)
                    return octets + more
            except OSError as error:
                raise port_vanished(self._place, error) from None
            if until is not None and time.monotonic() >= until:
                return None

    def set_rate(self, rate: int) -> None:
        try:
            time.sleep(RATE_PAUSE)
            self._port.baudrate = rate
        except (OSError, ValueError) as error:
            raise rate_needed(self._place, rate, error) from None

    def close(self) -> None:
        with suppress(OSError):
            self._port.close()
