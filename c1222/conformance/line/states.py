"""Checks of sessions at a serial line: what may be asked for when, and what Negotiate agrees on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from c1222.conformance.rules import Mark, NotApplicable, Remark, Rule, check, note, wrong
from c1222.serial.packet import DEFAULT_PACKET_SIZE, OVERHEAD
from c1222.serial.profile import DEFAULT_RATE
from c1222.services import ErrorResponse, RawRequest
from c1222.services.c1218 import BAUD_RATES, NegotiateRequest, NegotiateResponse
from c1222.services.identify import IdentifyRequest
from c1222.services.results import Isss, Sns
from c1222.services.session import LogoffRequest, LogonRequest, SecurityRequest, TerminateRequest, WaitRequest
from c1222.services.tables import ReadRequest, TableResponse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from c1222.conformance.line.probe import LineProbe
    from c1222.services import Response

__all__ = [
    "checksum",
    "default_sizes",
    "grants",
    "identify_in_session",
    "logoff",
    "logon_first",
    "negotiate_in_session",
    "offered_rate",
    "read_before_logon",
    "silence",
    "sizes_kept",
    "unknown_service",
    "wait",
    "wrong_password",
]

_SIZE, _PACKETS = 128, 20
_RATE_CODE: Final = bytes(code for code, rate in BAUD_RATES.items() if rate == DEFAULT_RATE)
_UNKNOWN: Final = 0x7E
_TABLES: Final = (0, 1, 21, 12, 15, 16, 22, 23, 51, 54, 61, 62, 64, 74, 76)
"""Tables to read until one takes several packets."""
_NOBODY: Final = "\x7fno such password"


def _result(response: Response) -> str:
    return response.result if isinstance(response, ErrorResponse) else "ok"


def _refused(response: Response, wanted: type[Isss | Sns]) -> Iterator[Remark]:
    if not isinstance(response, ErrorResponse):
        yield wrong(f"it is answered ok, where {wanted.name} is due")
    elif response.code != wanted.code:
        yield wrong(f"{response.result}, where {wanted.name} is due")


def _negotiated(probe: LineProbe, codes: bytes = b"") -> NegotiateResponse:
    """Agree on sizes.

    Raises:
        NotApplicable: the device does not negotiate.
    """
    probe.identify()
    response = probe.ask(NegotiateRequest(_SIZE, _PACKETS, codes))
    if not isinstance(response, NegotiateResponse):
        raise NotApplicable(f"the device does not negotiate: it answers {_result(response)}")
    return response


@check(
    "C-NEG-01",
    "Negotiate grants no more than was asked for",
    Rule("The device may lower size and packets, and not raise them.", "Elster, NIST, amsreader", Mark.VERIFIED),
)
def grants(probe: LineProbe) -> Iterator[Remark]:
    """128 octets, 20 packets."""
    agreed = _negotiated(probe)
    yield note(f"{agreed.packets} packets of {agreed.packet_size} octets")
    if agreed.packet_size > _SIZE or agreed.packets > _PACKETS:
        yield wrong(f"{agreed.packets} packets of {agreed.packet_size}, where {_PACKETS} of {_SIZE} were asked for")
    if agreed.packet_size <= OVERHEAD or not agreed.packets:
        yield wrong(f"{agreed.packets} packets of {agreed.packet_size} octets hold nothing")


@check(
    "C-NEG-02",
    "Negotiate grants a rate that was offered",
    Rule("The answer names one of the codes offered.", "Elster, stack06", Mark.VERIFIED),
)
def offered_rate(probe: LineProbe) -> Iterator[Remark]:
    """9600 alone is offered, so that nothing changes."""
    agreed = _negotiated(probe, _RATE_CODE)
    if agreed.baud_code not in {None, 0, *_RATE_CODE}:
        yield wrong(f"rate code {agreed.baud_code:02X}, where {_RATE_CODE.hex().upper()} was offered")


@check(
    "C-NEG-03",
    "Answers keep to the sizes agreed on, and their packets count down to 0",
    Rule("Size and packets hold both ways; sequence total - 1 to 0.", "Elster, stack06, amsreader", Mark.VERIFIED),
    session=True,
)
def sizes_kept(probe: LineProbe) -> Iterator[Remark]:
    """Read tables until one takes several packets of 64 octets."""
    (agreed,) = probe.log_on(NegotiateRequest(DEFAULT_PACKET_SIZE, _PACKETS))
    if not isinstance(agreed, NegotiateResponse):
        raise NotApplicable(f"the device does not negotiate: it answers {_result(agreed)}")
    for table in _TABLES:
        (octets,) = probe.packets_of(ReadRequest(table).encode())
        probe.deliver(octets)
        _, packets = probe.answer()
        if len(packets) > 1 or len(packets[0].data) + OVERHEAD > agreed.packet_size:
            break
    else:
        raise NotApplicable("no table was read that takes more than one packet")
    count = len(packets)
    if any(len(packet.data) + OVERHEAD > agreed.packet_size for packet in packets):
        yield wrong(f"a packet of more than {agreed.packet_size} octets")
    if count > agreed.packets:
        yield wrong(f"{count} packets, where {agreed.packets} were agreed on")
    if [packet.sequence for packet in packets] != list(range(count))[::-1]:
        yield wrong(f"sequence {', '.join(str(packet.sequence) for packet in packets)}")
    yield note(f"{count} packets")


@check(
    "C-NEG-04",
    "Terminate brings the default sizes back",
    Rule("After Terminate: 64 octets, 1 packet.", "amsreader, stack06", Mark.VERIFIED),
)
def default_sizes(probe: LineProbe) -> Iterator[Remark]:
    """Agree on more, terminate, and send a packet that is too large again."""
    if _negotiated(probe).packet_size <= DEFAULT_PACKET_SIZE:
        raise NotApplicable("the device takes no more than the default size")
    probe.ask(TerminateRequest())
    probe.identify()
    probe.size = _SIZE
    for octets in probe.packets_of(ReadRequest(0).encode() + bytes(60)):
        probe.send(octets)
    probe.size = DEFAULT_PACKET_SIZE
    heard = probe.hear_all(2 * probe.target.timing.inter_character + 1.0, quiet=1.5)
    if any(one.item == 0x06 for one in heard):
        yield wrong("a packet of more than 64 octets is taken after Terminate")
    probe.identify()


@check(
    "C-STATE-01",
    "Reads before Logon are refused",
    Rule("isss before Logon.", "stack06, EnergyICT", Mark.VERIFIED),
)
def read_before_logon(probe: LineProbe) -> Iterator[Remark]:
    """After Identify alone."""
    probe.identify()
    yield from _refused(probe.ask(ReadRequest(0)), Isss)


@check(
    "C-STATE-02",
    "Identify within a session is refused",
    Rule("isss in the other states.", "stack06, EnergyICT", Mark.VERIFIED),
    session=True,
)
def identify_in_session(probe: LineProbe) -> Iterator[Remark]:
    """After Logon."""
    probe.log_on()
    yield from _refused(probe.ask(IdentifyRequest()), Isss)


@check(
    "C-STATE-03",
    "Logon before Identify is refused",
    Rule("isss before Identify.", "stack06, EnergyICT", Mark.VERIFIED),
)
def logon_first(probe: LineProbe) -> Iterator[Remark]:
    """After Terminate."""
    probe.identify()
    probe.ask(TerminateRequest())
    probe.toggle = 0
    target = probe.target
    yield from _refused(probe.ask(LogonRequest.of(target.user_id, target.user, None)), Isss)


@check(
    "C-STATE-04",
    "Negotiate within a session is refused",
    Rule("Negotiate comes before Logon.", "stack06, EnergyICT", Mark.VERIFIED),
    session=True,
)
def negotiate_in_session(probe: LineProbe) -> Iterator[Remark]:
    """After Logon."""
    probe.log_on()
    response = probe.ask(NegotiateRequest(DEFAULT_PACKET_SIZE, 1))
    if isinstance(response, ErrorResponse) and response.code == Sns.code:
        raise NotApplicable("the device does not negotiate")
    yield from _refused(response, Isss)


@check(
    "C-STATE-05",
    "Logoff ends the session",
    Rule("Reads after Logoff: isss.", "stack06, NIST, EnergyICT", Mark.VERIFIED),
    session=True,
)
def logoff(probe: LineProbe) -> Iterator[Remark]:
    """A read after Logoff."""
    probe.log_on()
    if isinstance(response := probe.ask(LogoffRequest()), ErrorResponse):
        yield wrong(f"Logoff is answered {response.result}")
        return
    yield from _refused(probe.ask(ReadRequest(0)), Isss)


@check(
    "C-STATE-06",
    "Silence ends the session",
    Rule("6 s (C12.21: 30 s) without a packet end it.", "Elster, NIST, amsreader, Itron", Mark.VERIFIED),
    session=True,
)
def silence(probe: LineProbe) -> Iterator[Remark]:
    """A read after a second more than that."""
    probe.log_on()
    probe.hear_all(probe.target.timing.traffic + 1.0)
    yield from _refused(probe.ask(ReadRequest(0)), Isss)


@check(
    "C-STATE-07",
    "Wait keeps a session over silence",
    Rule("Wait stretches the next silence.", "Elster", Mark.ONE_SOURCE),
    session=True,
)
def wait(probe: LineProbe) -> Iterator[Remark]:
    """Wait, silence that would end it, and a read."""
    probe.log_on()
    traffic = int(probe.target.timing.traffic)
    response = probe.ask(WaitRequest(min(2 * traffic, 255)))
    if isinstance(response, ErrorResponse):
        raise NotApplicable(f"Wait is answered {response.result}")
    probe.hear_all(traffic + 2.0)
    response = probe.ask(ReadRequest(0))
    if isinstance(response, ErrorResponse) and response.code == Isss.code:
        yield wrong("the session ended all the same")


@check(
    "C-STATE-08",
    "A service that does not exist is not supported",
    Rule("sns for an unknown code.", "Elster, stack06", Mark.VERIFIED),
)
def unknown_service(probe: LineProbe) -> Iterator[Remark]:
    """Code 7E."""
    probe.identify()
    yield from _refused(probe.ask(RawRequest(_UNKNOWN)), Sns)


@check(
    "C-STATE-09",
    "Tables that are read have a right checksum",
    Rule("The two's complement of the sum of the data.", "Elster, NIST, termineter", Mark.VERIFIED, "time-energia"),
    session=True,
)
def checksum(probe: LineProbe) -> Iterator[Remark]:
    """Read ST0, or what fits of it."""
    probe.log_on(NegotiateRequest(_SIZE, _PACKETS))
    response = probe.ask(ReadRequest(0))
    if not isinstance(response, TableResponse):
        raise NotApplicable(f"ST0 is answered {_result(response)}")
    if not response.checksum_ok:
        yield wrong("the checksum of ST0 is wrong")


@check(
    "C-STATE-10",
    "A wrong password is refused",
    Rule("Security with a wrong password is not ok.", "Elster", Mark.ONE_SOURCE),
    session=True,
)
def wrong_password(probe: LineProbe) -> Iterator[Remark]:
    """One try, in a session of its own."""
    probe.identify()
    target = probe.target
    if isinstance(probe.ask(LogonRequest.of(target.user_id, target.user, None)), ErrorResponse):
        raise NotApplicable("the device opens no session")
    response = probe.ask(SecurityRequest.of(_NOBODY))
    if not isinstance(response, ErrorResponse):
        yield wrong("a password that nobody has is answered ok")
    elif response.code == Sns.code:
        raise NotApplicable("the device knows no passwords")
