"""What devices at a serial line can do wrong on purpose; `LINE_MISBEHAVIOURS` has them all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from c1222.conformance.line.misbehaviour import Arrive, Leave, LineMisbehaviour, packet_in
from c1222.serial.packet import MAX_PACKET_SIZE, STP, TOGGLE, LinkOctet, SerialPacket, crc16
from c1222.serial.session_state import SerialState
from c1222.services.c1218 import BAUD_RATES, NegotiateRequest
from c1222.services.identify import IdentifyRequest
from c1222.services.session import LogonRequest, SecurityRequest
from c1222.services.tables import ReadRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from c1222.conformance.line.specimen import LineSpecimen

__all__ = ["LINE_MISBEHAVIOURS"]

_ACK, _NAK = bytes((LinkOctet.ACK,)), bytes((LinkOctet.NAK,))
_OK: Final = b"\0"


def _changed(change: Callable[[SerialPacket, LineSpecimen], dict[str, Any] | None]) -> Leave:
    """Return a hook that changes packets that go out, where there is something to change."""

    def leave(octets: bytes, specimen: LineSpecimen) -> Iterator[bytes]:
        packet = packet_in(octets)
        changes = None if packet is None else change(packet, specimen)
        yield octets if packet is None or changes is None else packet._replace(**changes).encode()

    return leave


def _answer(code: int, change: Callable[[bytes], bytes]) -> Leave:
    """Return a hook that changes the ok answers to a service."""

    def changed(packet: SerialPacket, specimen: LineSpecimen) -> dict[str, Any] | None:
        return {"data": change(packet.data)} if specimen.asked == code else None

    return _changed(changed)


def _state(code: int, state: SerialState, before: SerialState) -> Arrive:
    """Return a hook that puts the device into another state before a service, where it is in one."""

    def arrive(octets: bytes, specimen: LineSpecimen) -> bytes:
        if specimen.asked == code and specimen.state == state:
            specimen.state = before
        return octets

    return arrive


def _nothing(_octets: bytes, _specimen: LineSpecimen) -> Iterator[bytes]:
    yield from ()


def _without(mark: bytes) -> Leave:
    def leave(octets: bytes, _specimen: LineSpecimen) -> Iterator[bytes]:
        if octets != mark:
            yield octets

    return leave


def _deaf_behind_noise(octets: bytes, _specimen: LineSpecimen) -> bytes:
    return octets if octets[0] in {STP, *LinkOctet} else b""


def _crc_not_looked_at(octets: bytes, _specimen: LineSpecimen) -> bytes:
    return octets[:-2] + crc16(octets[:-2]).to_bytes(2, "little") if octets[0] == STP else octets


def _largest(size: int) -> Arrive:
    def arrive(octets: bytes, specimen: LineSpecimen) -> bytes:
        specimen.takes_packets_of(size)
        return octets

    return arrive


def _sizes_stay(octets: bytes, specimen: LineSpecimen) -> bytes:
    size = max(specimen.scratch.get("size", 0), specimen.link.packet_size)
    specimen.scratch["size"] = size
    specimen.takes_packets_of(size)
    return octets


def _from_the_last_start(octets: bytes, _specimen: LineSpecimen) -> bytes:
    return octets[octets.rfind(STP) :] if STP in octets else octets


def _again_dropped(octets: bytes, specimen: LineSpecimen) -> bytes:
    return b"" if specimen.came_again(octets) else octets


def _again_taken_as_new(octets: bytes, specimen: LineSpecimen) -> bytes:
    if specimen.came_again(octets):
        specimen.forget_last()
    return octets


def _identify_again_dropped(octets: bytes, specimen: LineSpecimen) -> bytes:
    return b"" if specimen.came_again(octets) and specimen.asked == IdentifyRequest.code else octets


def _never_again(octets: bytes, specimen: LineSpecimen) -> Iterator[bytes]:
    if not specimen.left_before(octets):
        yield octets


def _another_toggle_again(octets: bytes, specimen: LineSpecimen) -> Iterator[bytes]:
    packet = packet_in(octets)
    if packet is not None and specimen.left_before(octets):
        octets = packet._replace(control=packet.control ^ TOGGLE).encode()
    yield octets


def _for_ever(specimen: LineSpecimen) -> None:
    specimen.repeats(50)


def _chatter(octets: bytes, _specimen: LineSpecimen) -> Iterator[bytes]:
    yield octets
    if len(octets) > 1:
        yield b"\0A"


def _more_granted(packet: SerialPacket, specimen: LineSpecimen) -> dict[str, Any] | None:
    if specimen.asked not in NegotiateRequest.codes or packet.data[:1] != _OK:
        return None
    return {"data": _OK + (MAX_PACKET_SIZE).to_bytes(2) + b"\xff" + packet.data[4:]}


def _other_rate(packet: SerialPacket, specimen: LineSpecimen) -> dict[str, Any] | None:
    if specimen.asked not in NegotiateRequest.codes or packet.data[:1] != _OK:
        return None
    return {"data": packet.data[:4] + bytes((max(BAUD_RATES),))}


def _larger_answers(octets: bytes, specimen: LineSpecimen) -> bytes:
    if specimen.state == SerialState.SESSION:
        specimen.link.packet_size = 2 * specimen.link.packet_size
    return octets


def _upward(packet: SerialPacket, specimen: LineSpecimen) -> dict[str, Any] | None:
    if not packet.control & 0x80:
        return None
    if packet.control & 0x40:
        specimen.scratch["total"] = packet.sequence + 1
    return {"sequence": specimen.scratch["total"] - 1 - packet.sequence}


def _negotiates_always(octets: bytes, specimen: LineSpecimen) -> bytes:
    if specimen.asked in NegotiateRequest.codes:
        specimen.state = SerialState.IDENTIFIED
    return octets


def _session_outlives(state: SerialState) -> Arrive:
    def arrive(octets: bytes, specimen: LineSpecimen) -> bytes:
        specimen.scratch["had one"] = specimen.scratch.get("had one", False) or specimen.asked == LogonRequest.code
        if specimen.asked == ReadRequest.code and specimen.scratch["had one"] and specimen.state == state:
            specimen.state = SerialState.SESSION
        return octets

    return arrive


def _no_wait(specimen: LineSpecimen) -> None:
    specimen.link.extend = lambda *_: None  # type: ignore[method-assign]


def _ones(packet: SerialPacket, specimen: LineSpecimen) -> dict[str, Any] | None:
    if specimen.asked != ReadRequest.code or len(packet.data) < 2 or packet.sequence:
        return None
    return {"data": packet.data[:-1] + bytes((packet.data[-1] - 1 & 0xFF,))}


_CASES: Final = (
    LineMisbehaviour("line-silent", "It answers nothing", ("C-PKT-01",), leave=_nothing),
    LineMisbehaviour(
        "crc-high-first", "The CRC has its high octet first", ("C-PKT-02",),
        leave=_changed(lambda *_: {"swapped_crc": True}),
    ),
    LineMisbehaviour(
        "reserved-bits", "Answers have a reserved bit set", ("C-PKT-03",),
        leave=_changed(lambda packet, _: {"control": packet.control | 0x10}),
    ),
    LineMisbehaviour("deaf-behind-noise", "It hears nothing behind noise", ("C-PKT-04",), _deaf_behind_noise),
    LineMisbehaviour("crc-not-looked-at", "It takes packets with any CRC", ("C-PKT-05",), _crc_not_looked_at),
    LineMisbehaviour(
        "refuses-nothing", "It never says that a packet is damaged", ("C-PKT-05", "C-PKT-06"), leave=_without(_NAK)
    ),
    LineMisbehaviour(
        "takes-large-packets", "It takes packets of any size", ("C-PKT-07", "C-NEG-04"), _largest(MAX_PACKET_SIZE)
    ),
    LineMisbehaviour("size-of-data", "It takes 55 octets of data, not 56", ("C-PKT-08",), _largest(63)),
    LineMisbehaviour("looks-for-starts", "It looks for EE inside of packets", ("C-PKT-09",), _from_the_last_start),
    LineMisbehaviour("chatter", "It sends octets behind its packets", ("C-ACK-08",), leave=_chatter),
    LineMisbehaviour("not-acknowledged", "It answers without 06", ("C-ACK-01", "C-ACK-02"), leave=_without(_ACK)),
    LineMisbehaviour("repetitions-ignored", "It ignores repetitions", ("C-ACK-02", "C-ACK-07"), _again_dropped),
    LineMisbehaviour("repetitions-done", "It carries repetitions out", ("C-ACK-03",), _again_taken_as_new),
    LineMisbehaviour("said-once", "It sends nothing again", ("C-ACK-04", "C-ACK-05"), leave=_never_again),
    LineMisbehaviour(
        "repeats-as-new", "What it sends again has another toggle", ("C-ACK-04",), leave=_another_toggle_again
    ),
    LineMisbehaviour("repeats-for-ever", "It repeats itself for ever", ("C-ACK-05",), prepare=_for_ever),
    LineMisbehaviour(
        "toggle-stuck", "Its toggle bit is always 0", ("C-ACK-06",),
        leave=_changed(lambda packet, _: {"control": packet.control & ~TOGGLE}),
    ),
    LineMisbehaviour(
        "identify-is-repetition", "It takes Identify again for a repetition", ("C-ACK-07",), _identify_again_dropped
    ),
    LineMisbehaviour("grants-more", "It grants more than was asked for", ("C-NEG-01",), leave=_changed(_more_granted)),
    LineMisbehaviour("rate-not-offered", "It grants another rate", ("C-NEG-02",), leave=_changed(_other_rate)),
    LineMisbehaviour("large-answers", "Its packets are larger than agreed on", ("C-NEG-03",), _larger_answers),
    LineMisbehaviour("sequence-upward", "Its packets are numbered upward", ("C-NEG-03",), leave=_changed(_upward)),
    LineMisbehaviour("sizes-stay", "Sizes stay after Terminate", ("C-NEG-04",), _sizes_stay),
    LineMisbehaviour(
        "reads-without-logon", "It reads tables before Logon", ("C-STATE-01",),
        _state(ReadRequest.code, SerialState.IDENTIFIED, SerialState.SESSION),
    ),
    LineMisbehaviour(
        "identify-always", "It answers Identify in a session", ("C-STATE-02",),
        _state(IdentifyRequest.code, SerialState.SESSION, SerialState.BASE),
    ),
    LineMisbehaviour(
        "logon-always", "It takes Logon without Identify", ("C-STATE-03",),
        _state(LogonRequest.code, SerialState.BASE, SerialState.IDENTIFIED),
    ),
    LineMisbehaviour("negotiates-always", "It negotiates in a session", ("C-STATE-04",), _negotiates_always),
    LineMisbehaviour(
        "logoff-forgotten", "Logoff does not end the session", ("C-STATE-05",),
        _session_outlives(SerialState.IDENTIFIED),
    ),
    LineMisbehaviour(
        "silence-forgotten", "Silence does not end the session", ("C-STATE-06",), _session_outlives(SerialState.BASE)
    ),
    LineMisbehaviour("wait-forgotten", "Wait changes nothing", ("C-STATE-07",), prepare=_no_wait),
    LineMisbehaviour(
        "unknown-is-err", "Unknown services are answered err", ("C-STATE-08",), leave=_answer(0x7E, lambda _: b"\1")
    ),
    LineMisbehaviour(
        "ones-complement", "Checksums are the one's complement", ("C-STATE-09",), leave=_changed(_ones)
    ),
    LineMisbehaviour(
        "any-password", "It takes any password", ("C-STATE-10",), leave=_answer(SecurityRequest.code, lambda _: _OK)
    ),
)  # fmt: skip
LINE_MISBEHAVIOURS: Final = {case.id: case for case in _CASES}
"""All by id."""
