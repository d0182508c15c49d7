"""What a client is told about a serial line: out of the options of an address."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from c1222.errors import InvalidUrl
from c1222.serial.opening import SerialLogon
from c1222.serial.packet import DEFAULT_PACKET_SIZE, MAX_PACKET_SIZE, MAX_PACKETS, CrcOrder
from c1222.serial.presets import PRESETS
from c1222.serial.profile import C1218_TIMING, C1221_TIMING, DEFAULT_RATE, PLAIN, Echo, LinkProfile, LinkTiming
from c1222.services.c1218 import BAUD_RATES
from c1222.transport.lines.line_url import PORT_OPTIONS, parse_line_url

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from c1222.transport.lines.line_url import LineUrl

__all__ = ["LINE_OPTIONS", "SerialLine", "line_at", "line_of"]

_WAKE_UP: Final = b"\x55"
_PADDINGS: Final = {"space": b" ", "nul": b"\0", "zero": b"0"}
_SWITCH: Final = {"on": True, "off": False}


class SerialLine(NamedTuple):
    """A line, and what its meter is asked for.

    Attributes:
        profile: of the line and the peer.
        timing: timers and retries.
        rate: bits per second with which a session starts.
        logon: sizes and rates to ask for, and paddings; user and password stand elsewhere.
        authenticate: number of the DES key of C12.21 that the password is; None for a password.
        wake_up: octets that are sent before Identify, for meters that lose the first one [1].
    """

    profile: LinkProfile = PLAIN
    timing: LinkTiming = C1218_TIMING
    rate: int = DEFAULT_RATE
    logon: SerialLogon = SerialLogon()
    authenticate: int | None = None
    wake_up: bytes = b""

    def with_attempts(self, attempts: int | None) -> SerialLine:
        """Return the line with packets sent so often at most; None leaves it as it is."""
        return self if attempts is None else self._replace(timing=self.timing._replace(retries=attempts - 1))


def _number(low: float, high: float) -> Callable[[str], int]:
    def read(text: str) -> int:
        number = int(text)
        if not low <= number <= high:
            raise ValueError
        return number

    return read


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 <= seconds <= 10:
        raise ValueError
    return seconds


def _rate(text: str) -> int:
    rate = int(text)
    if rate not in BAUD_RATES.values():
        raise ValueError
    return rate


def _timing(text: str) -> tuple[int, int, int, int]:
    traffic, inter_character, response, retries = map(_number(0, 255), text.split(","))
    return traffic, inter_character, response, retries


_RATES: Final = ", ".join(map(str, sorted(BAUD_RATES.values())))
_OPTIONS: Final[dict[str, tuple[Callable[[str], Any], str]]] = {
    "baud": (_rate, f"the rate a session starts with: {_RATES}"),
    "rates": (lambda text: tuple(map(_rate, text.split(","))), "rates to agree on, with commas"),
    "identity": (_number(0, 255), "0..255, identity of the device"),
    "echo": (Echo, "off, on or auto: whether what is sent comes back"),
    "turn_around": (_seconds, "seconds to wait before sending, 0..10"),
    "crc": (CrcOrder, "low, high or either: which octet of the CRC comes first"),
    "toggle": ({"check": True, "ignore": False}.__getitem__, "check or ignore"),
    "packet_size": (_number(DEFAULT_PACKET_SIZE, MAX_PACKET_SIZE), "64..8191 octets of a packet to agree on"),
    "packets": (_number(0, MAX_PACKETS), "0..255 packets of a message to agree on; 0 leaves Negotiate out"),
    "padding": (_PADDINGS.__getitem__, "space, nul or zero: what fills the password up"),
    "user_padding": (_PADDINGS.__getitem__, "space, nul or zero: what fills the name of the user up"),
    "timing": (_timing, "traffic, inter-character and response time-out in seconds, and retries: Timing setup"),
    "authenticate": (_number(0, 255), "0..255, number of the DES key of C12.21 that the password is"),
    "wake_up": (_SWITCH.__getitem__, "on or off: send 55 before Identify"),
}
LINE_OPTIONS: Final[Mapping[str, str]] = {
    **{name: words for name, (_, words) in _OPTIONS.items()},
    "preset": f"what differs with a kind of meter: {', '.join(PRESETS)}",
}
"""Name of an option of an address -> what its values are, in words."""


def line_at(text: str) -> tuple[LineUrl, SerialLine]:
    """Read the address of a meter at a serial line.

    Args:
        text: such as ``serial:///dev/ttyUSB0?rates=19200``, ``c1218+tcp://host:port``.

    Raises:
        InvalidUrl: it is no such address, or its options do not go together.
    """
    url = parse_line_url(text, {**PORT_OPTIONS, **LINE_OPTIONS})
    kind, options = url.kind, url.options
    if url.scheme == "pty":
        raise InvalidUrl("a node listens on pty:, and says which serial:// it can be reached at")
    if "rates" in options and not kind.has_rate:
        raise InvalidUrl(f"rates: {url.scheme} cannot change the rate; serial:// and rfc2217:// can")
    modem = [name for name in ("dial", "modem_init") if name in options and url.scheme != "c1221+serial"]
    c1221 = [name for name in ("timing", "authenticate") if name in options and not kind.c1221]
    if modem or c1221:
        raise InvalidUrl(f"{(modem or c1221)[0]}: {'c1221+serial' if modem else 'C12.21'} alone has this")
    return url, line_of(options, c1221=kind.c1221, remote=kind.is_remote)


def line_of(options: Mapping[str, str], *, c1221: bool = False, remote: bool = False) -> SerialLine:
    """Return what the options of an address say of the line and its meter.

    Args:
        options: as they stand in the address; those of ports are passed over.
        c1221: whether C12.21 is spoken, with its timers.
        remote: whether there is a network in between: no pause before sending, and longer waits.

    Raises:
        InvalidUrl: a value is not one of those possible.
    """
    preset = options.get("preset")
    if preset is not None and preset not in PRESETS:
        raise InvalidUrl(f"preset={preset}: one of {', '.join(PRESETS)}")
    found: dict[str, Any] = {}
    for name, text in {**PRESETS.get(preset or "", {}), **options}.items():
        if name in _OPTIONS:
            read, words = _OPTIONS[name]
            try:
                found[name] = read(text)
            except (ValueError, KeyError):
                raise InvalidUrl(f"{name}={text}: {words}") from None
    return _line(found, c1221=c1221, remote=remote)


def _line(found: dict[str, Any], *, c1221: bool, remote: bool) -> SerialLine:
    base = PLAIN._replace(
        any_identity=not (c1221 and found.get("identity")), turn_around=0.0 if remote else PLAIN.turn_around
    )
    profile = base._replace(**_renamed(found, {"crc": "crc_order", "toggle": "check_toggle"}, LinkProfile))
    logon = SerialLogon(**_renamed(found, {"padding": "password_padding"}, SerialLogon))
    timing = C1221_TIMING if c1221 else C1218_TIMING
    if remote and not c1221:  # only the device's own clock ends the session; all else waits for the network [1]
        timing = C1221_TIMING._replace(traffic=C1218_TIMING.traffic)
    key_id = found.get("authenticate")
    return SerialLine(
        profile,
        timing,
        int(str(found.get("baud", DEFAULT_RATE))),
        logon,
        None if key_id is None else int(str(key_id)),
        _WAKE_UP if found.get("wake_up") else b"",
    )


def _renamed(found: dict[str, Any], names: Mapping[str, str], of: type) -> dict[str, Any]:
    """Return the options that are fields of a class, under the names they have there."""
    fields = getattr(of, "_fields", ())
    return {names.get(name, name): value for name, value in found.items() if names.get(name, name) in fields}
