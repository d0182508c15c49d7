"""Checks of packets, acknowledgements and repetitions at a serial line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from c1222.conformance.line.probe import ACK, NAK, Heard
from c1222.conformance.rules import Mark, NotApplicable, Remark, Rule, check, note, odd, wrong
from c1222.serial.line import DamagedPacket, LineNoise
from c1222.serial.packet import TOGGLE, LinkOctet, SerialPacket
from c1222.services.identify import IdentifyRequest
from c1222.services.session import LogoffRequest, TerminateRequest
from c1222.services.tables import ReadRequest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from c1222.conformance.line.probe import LineProbe

__all__ = [
    "acknowledged",
    "answers",
    "as_large",
    "clean",
    "crc",
    "cut_off",
    "damaged",
    "identify_again",
    "no_stuffing",
    "noise_before",
    "other_toggle",
    "plain_control",
    "refused_answer",
    "repetition",
    "repetition_done_once",
    "too_large",
    "unacknowledged_answer",
]

_SETTLE: Final = 1.0
"""Seconds in which a device has said what it has to say, where it does not wait."""
_ATTEMPTS: Final = (3, 4)


def _packets(heard: list[Heard]) -> list[SerialPacket]:
    return [one.item for one in heard if isinstance(one.item, SerialPacket)]


def _has(heard: list[Heard], mark: LinkOctet) -> bool:
    return any(one.item == mark for one in heard)


@check("C-PKT-01", "Identify is answered", Rule("A device says who it is.", "Elster, termineter", Mark.VERIFIED))
def answers(probe: LineProbe) -> Iterator[Remark]:
    """Identify, from whatever state."""
    who = probe.identify()
    yield note(f"{who.standard_name}, version {who.version}.{who.revision}")


@check(
    "C-PKT-02",
    "The CRC has its low octet first",
    Rule("CRC-16/X-25, low octet first.", "Elster, Itron, termineter", Mark.VERIFIED, "some modules, Itron"),
)
def crc(probe: LineProbe) -> Iterator[Remark]:
    """Look at the answer to Identify."""
    probe.identify()
    for octets in probe.packets_of(ReadRequest(0).encode()):
        probe.deliver(octets)
    if any(packet.swapped_crc for packet in probe.answer()[1]):
        yield wrong("the high octet of the CRC comes first")


@check(
    "C-PKT-03",
    "Answers of one packet have no bit in control but the toggle, and sequence 0",
    Rule("Single packets: control 00 or 20, sequence 00.", "Elster, termineter", Mark.VERIFIED),
)
def plain_control(probe: LineProbe) -> Iterator[Remark]:
    """Look at a refusal, which fits any packet."""
    probe.identify()
    for octets in probe.packets_of(ReadRequest(0).encode()):
        probe.deliver(octets)
    for packet in probe.answer()[1]:
        if packet.control & ~TOGGLE or packet.sequence:
            yield wrong(f"control {packet.control:02X}, sequence {packet.sequence:02X}")


@check(
    "C-PKT-04",
    "Octets before a packet are passed over",
    Rule("Noise before EE is skipped.", "Elster, NIST, time-energia", Mark.VERIFIED),
)
def noise_before(probe: LineProbe) -> Iterator[Remark]:
    """Three octets that mean nothing, then a request."""
    probe.identify()
    (octets,) = probe.packets_of(ReadRequest(0).encode())
    probe.send(b"\0\xff\x55" + octets)
    heard = probe.hear_all(_SETTLE, quiet=0.5)
    if not _has(heard, LinkOctet.ACK):
        yield wrong("no answer to a packet behind 00 FF 55")
    _take(probe, heard)


def _take(probe: LineProbe, heard: list[Heard]) -> list[SerialPacket]:
    """Acknowledge the answer that came, or comes."""
    found = _packets(heard)
    for _ in found:
        probe.send(ACK)
    probe.drain()
    return found


@check(
    "C-PKT-05",
    "A packet with a wrong CRC is refused with 15",
    Rule("Bad CRC: 15, and nothing is done.", "Elster, NIST, Itron", Mark.VERIFIED),
)
def damaged(probe: LineProbe) -> Iterator[Remark]:
    """The last bit of the CRC flipped."""
    probe.identify()
    (octets,) = probe.packets_of(ReadRequest(0).encode())
    probe.send(octets[:-1] + bytes((octets[-1] ^ 1,)))
    heard = probe.hear_all(_SETTLE, quiet=0.5)
    if _has(heard, LinkOctet.ACK) or _packets(heard):
        yield wrong("it is taken")
        _take(probe, heard)
    elif not _has(heard, LinkOctet.NAK):
        yield wrong("no answer, where 15 is due")


@check(
    "C-PKT-06",
    "A packet that is cut off is refused with 15",
    Rule("A pause of more than 0.5 s (1 s) inside a packet: 15.", "Elster, NIST, Itron", Mark.VERIFIED),
)
def cut_off(probe: LineProbe) -> Iterator[Remark]:
    """All of a packet but its last octet."""
    probe.identify()
    (octets,) = probe.packets_of(ReadRequest(0).encode())
    probe.drain()
    probe.send(octets[:-1])
    heard = probe.hear(2 * probe.target.timing.inter_character + _SETTLE)
    if heard is None or heard.item != LinkOctet.NAK:
        yield wrong("no answer, where 15 is due" if heard is None else f"{heard.item!r} in place of 15")
    probe.drain()


@check(
    "C-PKT-07",
    "A packet larger than agreed on is not taken, and the next one is",
    Rule("What announces more than the packet size is refused.", "Elster, amsreader", Mark.VERIFIED),
)
def too_large(probe: LineProbe) -> Iterator[Remark]:
    """65 octets, where 64 are the limit."""
    probe.identify()
    probe.send(SerialPacket(ReadRequest(0).encode() + bytes(54), probe.target.identity, TOGGLE).encode())
    heard = probe.hear_all(2 * probe.target.timing.inter_character + _SETTLE, quiet=1.5)
    if _has(heard, LinkOctet.ACK) or _packets(heard):
        yield wrong("65 octets are taken, where 64 are the limit")
        _take(probe, heard)
    probe.identify()


@check(
    "C-PKT-08",
    "A packet of the largest size is taken",
    Rule("A packet size counts all of a packet: 56 octets of data fit into 64.", "Elster, termineter", Mark.VERIFIED),
)
def as_large(probe: LineProbe) -> Iterator[Remark]:
    """64 octets that are no service."""
    probe.identify()
    probe.send(SerialPacket(ReadRequest(0).encode() + bytes(53), probe.target.identity, TOGGLE).encode())
    heard = probe.hear_all(_SETTLE, quiet=0.5)
    if not _has(heard, LinkOctet.ACK):
        yield wrong("64 octets are not acknowledged")
    _take(probe, heard)


@check(
    "C-PKT-09",
    "EE, 06 and 15 may stand in data",
    Rule("Nothing is stuffed: packets are found by state.", "Elster, Itron, termineter", Mark.VERIFIED),
)
def no_stuffing(probe: LineProbe) -> Iterator[Remark]:
    """A request whose parameters look like a packet."""
    probe.identify()
    inside = SerialPacket(TerminateRequest().encode(), probe.target.identity).encode()
    probe.send(SerialPacket(ReadRequest(0).encode() + inside, probe.target.identity, TOGGLE).encode())
    heard = probe.hear_all(_SETTLE, quiet=0.5)
    marks = [one.item for one in heard if isinstance(one.item, LinkOctet)]
    if marks[:1] != [LinkOctet.ACK]:
        yield wrong("a packet with EE in its data is not acknowledged")
    if any(packet.data == b"\0" for packet in _take(probe, heard)):
        yield wrong("what stands in the data is carried out")


# --- acknowledgements and repetitions


@check(
    "C-ACK-01",
    "A packet is acknowledged before it is answered",
    Rule("Every good packet is answered by 06 first.", "Elster, termineter, NIST", Mark.VERIFIED),
)
def acknowledged(probe: LineProbe) -> Iterator[Remark]:
    """What was counted while asking."""
    probe.identify()
    before = probe.unacknowledged
    probe.ask(ReadRequest(0))
    if probe.unacknowledged > before:
        yield wrong("the answer comes without an acknowledgement")


@check(
    "C-ACK-02",
    "A packet that comes again is acknowledged",
    Rule("Same toggle, same CRC: acknowledged again.", "Elster, Itron", Mark.VERIFIED),
)
def repetition(probe: LineProbe) -> Iterator[Remark]:
    """The last request again, once its answer is acknowledged."""
    probe.identify()
    (octets,) = probe.packets_of(ReadRequest(0).encode())
    probe.deliver(octets)
    probe.answer()
    probe.send(octets)
    heard = probe.hear_all(_SETTLE, quiet=0.5)
    if not _has(heard, LinkOctet.ACK):
        yield wrong("a repetition is not acknowledged")
    again = _take(probe, heard)
    yield note("the answer comes again" if again else "the answer does not come again")


@check(
    "C-ACK-03",
    "A packet that comes again is not carried out again",
    Rule("A repetition is discarded, or gets the same answer.", "Elster, Itron", Mark.VERIFIED),
    session=True,
)
def repetition_done_once(probe: LineProbe) -> Iterator[Remark]:
    """Logoff twice: carried out again it is refused, as the session has ended."""
    probe.log_on()
    (octets,) = probe.packets_of(LogoffRequest().encode())
    probe.deliver(octets)
    first, _ = probe.answer()
    probe.send(octets)
    again = _take(probe, probe.hear_all(_SETTLE, quiet=0.5))
    if any(packet.data != first for packet in again):
        yield wrong(f"Logoff is answered {first.hex()}, and {again[0].data.hex()} when its packet comes again")


@check(
    "C-ACK-04",
    "An answer that is refused comes again, octet by octet",
    Rule("15: the identical octets, toggle and CRC included.", "Elster, EnergyICT", Mark.VERIFIED),
)
def refused_answer(probe: LineProbe) -> Iterator[Remark]:
    """The answer to a request refused once."""
    probe.identify()
    (octets,) = probe.packets_of(ReadRequest(0).encode())
    probe.deliver(octets)
    first = _next_packet(probe)
    probe.send(NAK)
    second = _next_packet(probe)
    probe.send(ACK)
    if second is None:
        yield wrong("no answer after 15")
    elif second != first:
        yield wrong(f"another packet: control {second.control:02X}, data {second.data.hex()}")


def _next_packet(probe: LineProbe) -> SerialPacket | None:
    until = probe.clock.now + probe.target.timing.response + _SETTLE
    while (heard := probe.hear(until - probe.clock.now)) is not None:
        if isinstance(heard.item, SerialPacket):
            return heard.item
    return None


@check(
    "C-ACK-05",
    "An answer that is not acknowledged comes again, and not for ever",
    Rule("Sent up to four times, 2 s (4 s) apart.", "Elster, amsreader", Mark.VERIFIED, "NIST and termineter: three"),
)
def unacknowledged_answer(probe: LineProbe) -> Iterator[Remark]:
    """Silence after an answer."""
    probe.identify()
    (octets,) = probe.packets_of(ReadRequest(0).encode())
    probe.deliver(octets)
    timing = probe.target.timing
    heard = probe.hear_all((max(_ATTEMPTS) + 2) * (timing.response + 0.5))
    count = len(_packets(heard))
    if count > max(_ATTEMPTS):
        yield wrong(f"sent {count} times, and no end")
    elif count < min(_ATTEMPTS):
        yield wrong(f"sent {count} times")
    else:
        yield note(f"sent {count} times")
    probe.drain()


@check(
    "C-ACK-06",
    "The toggle bit flips from one answer to the next",
    Rule("Each new packet of an end has the other toggle.", "Elster, Itron", Mark.VERIFIED, "time-energia's meters"),
)
def other_toggle(probe: LineProbe) -> Iterator[Remark]:
    """Three refusals in a row."""
    probe.identify()
    toggles = []
    for _ in range(3):
        (octets,) = probe.packets_of(ReadRequest(0).encode())
        probe.deliver(octets)
        toggles.append(probe.answer()[1][-1].toggle)
    if toggles[0] == toggles[1] or toggles[1] == toggles[2]:
        yield wrong(f"toggles {', '.join(map(str, toggles))}")


@check(
    "C-ACK-07",
    "Identify is answered again when its octets come again",
    Rule("A client that begins anew sends the same octets: Identify is never a repetition.", "own", Mark.UNSURE),
)
def identify_again(probe: LineProbe) -> Iterator[Remark]:
    """Identify twice, with the same toggle."""
    probe.identify()
    probe.hear_all(probe.target.timing.traffic + 1.0)
    (octets,) = probe.packets_of(IdentifyRequest().encode(), toggle=0)
    probe.deliver(octets)
    probe.answer()
    probe.send(octets)
    heard = probe.hear_all(_SETTLE, quiet=0.5)
    if not _take(probe, heard):
        yield wrong("no answer: a client that lost its session cannot begin anew at once")


@check(
    "C-ACK-08",
    "Nothing goes over the line but packets and acknowledgements",
    Rule("Octets outside of packets are noise.", "Elster", Mark.ONE_SOURCE),
)
def clean(probe: LineProbe) -> Iterator[Remark]:
    """Listen, during a session's worth of requests and after."""
    probe.identify()
    (octets,) = probe.packets_of(ReadRequest(0).encode())
    probe.send(octets)
    heard = probe.hear_all(_SETTLE, quiet=0.5)
    _take(probe, heard)
    odd_ones = [one.item for one in heard if isinstance(one.item, (LineNoise, DamagedPacket))]
    if odd_ones:
        yield odd(f"{len(odd_ones)} times octets that are no packet")
        yield wrong("octets outside of packets")
    if not heard:
        raise NotApplicable("nothing came at all")
