"""Operations on a serial line: packets, and an end of the line that is told what to hear and to say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from c1222.errors import DecodeError
from c1222.serial.link import LinkRole, SerialLink
from c1222.serial.link_events import LinkDown, MessageAcknowledged, MessageArrived, Transmit
from c1222.serial.packet import MAX_PACKET_SIZE, CrcOrder, SerialPacket, cut, read_packet
from c1222.serial.profile import PLAIN, Echo
from c1222.vectors.inputs import Answer, Input
from c1222.vectors.model import BadCase

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from c1222.serial.link_events import LinkEvent

__all__ = ["OPERATIONS"]

_STEP: Final = 0.01
"""Seconds from one step to the next."""


def _decode_packet(case: Input) -> Answer:
    octets = case.octets("octets")
    size = case.between("packet_size", 9, MAX_PACKET_SIZE, MAX_PACKET_SIZE)
    order = CrcOrder(_one_of(case, "crc_order", CrcOrder)) if "crc_order" in case else CrcOrder.LOW
    found = read_packet(octets, max_size=size, crc_order=order)
    if found is None:
        raise DecodeError("packet", len(octets), "octets are missing")
    packet, end = found
    if end != len(octets):
        raise DecodeError("packet", end, f"{len(octets) - end} octets left over")
    numbers = {name: getattr(packet, name) for name in ("identity", "control", "sequence")}
    return Answer({**numbers, "data": packet.data.hex()}, {"crc": octets[-2:].hex()})


def _encode_packet(case: Input) -> Answer:
    identity, control, sequence = (case.integer(name, 0) for name in ("identity", "control", "sequence"))
    return Answer({"octets": SerialPacket(case.octets("data"), identity, control, sequence).encode().hex()})


def _cut(case: Input) -> Answer:
    parts = cut(
        case.octets("message"),
        case.between("toggle", 0, 1, 0),
        packet_size=case.between("packet_size", 9, MAX_PACKET_SIZE),
        packets=case.between("packets", 1, 255),
        identity=case.between("identity", 0, 255, 0),
    )
    return Answer({"parts": [part.hex() for part in parts]})


def _play(case: Input) -> Answer:
    profile = PLAIN._replace(
        identity=case.between("identity", 0, 255, 0),
        data_format=case.between("data_format", 0, 1, 0),
        echo=Echo.ON if case.flag("echo") else Echo.OFF,
        check_toggle=not case.flag("ignore_toggle"),
    )
    link = SerialLink(LinkRole(_one_of(case, "role", LinkRole)), profile)
    link.restart(toggle=case.between("toggle", 0, 1, 0))
    link.agree(case.between("packet_size", 64, MAX_PACKET_SIZE, 64), case.between("packets", 1, 255, 1))
    now = 0.0
    events: list[list[dict[str, str]]] = []
    for step in case.objects("steps"):
        now = max(now, link.deadline or now) if step.flag("wait") else now + _STEP
        events.append([shown for event in _stepped(link, step, now) for shown in _shown(event)])
    return Answer({"events": events})


def _stepped(link: SerialLink, step: Input, now: float) -> list[LinkEvent]:
    if "hear" in step:
        return link.receive(step.octets("hear"), now)
    if "say" in step:
        return link.send(step.octets("say"), now)
    if step.flag("wait"):
        return link.tick(now)
    if step.flag("drain"):
        link.drain(now)
    elif step.flag("read_on"):
        link.read_on(now)
    elif "agree" in step:
        size, packets = (step.below("agree").integer(name) for name in ("packet_size", "packets"))
        link.agree(size, packets)
    else:
        raise BadCase("a step hears, says, waits, drains, reads on or agrees")
    return []


def _one_of(case: Input, name: str, allowed: Iterable[str]) -> str:
    value = case.text(name)
    if value not in list(allowed):
        raise BadCase(f"input.{name}: one of {', '.join(allowed)}")
    return value


def _shown(event: LinkEvent) -> list[dict[str, Any]]:
    """Return an event as it stands in a case; remarks do not."""
    if isinstance(event, Transmit):
        return [{"send": event.octets.hex()}]
    if isinstance(event, MessageArrived):
        return [{"message": event.message.hex()}]
    if isinstance(event, MessageAcknowledged):
        return [{"acknowledged": True}]
    return [{"down": True}] if isinstance(event, LinkDown) else []


OPERATIONS: Final[dict[str, Callable[[Input], Answer]]] = {
    "packet.decode": _decode_packet,
    "packet.encode": _encode_packet,
    "packet.cut": _cut,
    "link.play": _play,
}
