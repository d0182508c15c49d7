"""Requests that cannot be served: which code they get, and that the node lives on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from c1222.conformance.craft import with_body
from c1222.conformance.reply import said
from c1222.conformance.rules import Mark, NotApplicable, Remark, Rule, check, note, odd, wrong
from c1222.conformance.session import get
from c1222.conformance.survey import survey
from c1222.message.acse import Acse, decode_acse
from c1222.services import ErrorResponse, RawRequest
from c1222.services.identify import IdentifyRequest
from c1222.services.results import Iar, Isss, Sns
from c1222.services.session import LogoffRequest, WaitRequest
from c1222.services.tables import ReadOffsetRequest, ReadRequest, TableResponse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from c1222.conformance.probe import Probe

__all__ = [
    "bare_errors",
    "beyond",
    "cut_services",
    "lives_on",
    "no_apdu",
    "no_service",
    "no_table",
    "overrun",
    "too_much",
    "wrong_state",
]

_UNKNOWN: Final = (0x23, 0x2F, 0x3B, 0x7E)


def lives_on(probe: Probe) -> Iterator[Remark]:
    """Look whether the node still answers."""
    if not probe.ask(IdentifyRequest()).is_ok:
        yield wrong("after that, Identify is refused")


@check(
    "C-ERR-01",
    "A table that is not there is answered with iar",
    Rule("iar: inappropriate action, such as a table that does not exist.", "Elster, Itron, Zeek", Mark.VERIFIED),
    "C-TABLE-01",
)
def no_table(probe: Probe) -> Iterator[Remark]:
    """Two tables that ST0 does not claim."""
    for table in survey(probe).absent(2):
        reply = get(probe, ReadRequest(table))
        if reply.code() != Iar.code:
            yield wrong(f"ST{table}, which is not claimed: {said(reply)}")


@check(
    "C-ERR-02",
    "An offset beyond the end of a table is answered with iar",
    Rule("iar: inappropriate action, such as an offset that does not exist.", "Elster, Itron", Mark.VERIFIED),
    "C-TABLE-01",
)
def beyond(probe: Probe) -> Iterator[Remark]:
    """Far beyond the end of ST0, and just there."""
    found = survey(probe)
    if not found.by_offset:
        raise NotApplicable("ST0 offers no access by offset")
    size = len(found.octets("ST0"))
    for offset in (size, size + 1000, 0xFFFFFF):
        reply = get(probe, ReadOffsetRequest(0, offset, 1))
        if reply.code() != Iar.code:
            yield wrong(f"ST0, 1 octet from {offset} of {size}: {said(reply)}")


@check(
    "C-ERR-03",
    "More octets than a table has are not made up",
    Rule("A part that does not exist is refused; no octets are invented.", "inference", Mark.UNSURE),
    "C-TABLE-01",
)
def too_much(probe: Probe) -> Iterator[Remark]:
    """One octet more than there is."""
    found = survey(probe)
    if not found.by_offset:
        raise NotApplicable("ST0 offers no access by offset")
    whole = found.octets("ST0")
    reply = get(probe, ReadOffsetRequest(0, 0, len(whole) + 1))
    if isinstance(reply.first, TableResponse):
        if len(reply.first.data) > len(whole):
            yield wrong(f"ST0 has {len(whole)} octets, {len(reply.first.data)} came")
        else:
            yield note("it gives what there is")
    elif reply.code() != Iar.code:
        yield odd(f"refused with {said(reply)}")


@check(
    "C-ERR-04",
    "A service that is not known is answered with sns",
    Rule("sns: service not supported, for every unknown code.", "Elster, Itron, Zeek", Mark.VERIFIED),
)
def no_service(probe: Probe) -> Iterator[Remark]:
    """Codes without a meaning."""
    for code in _UNKNOWN:
        reply = get(probe, RawRequest(code=code, parameters=b""))
        if reply.code() != Sns.code:
            yield wrong(f"code {code:02X}: {said(reply)}")


@check(
    "C-ERR-05",
    "A service that is cut short is refused",
    Rule("iar: a wrong parameter, or a malformed request.", "Elster, Itron, Zeek", Mark.VERIFIED),
)
def cut_services(probe: Probe) -> Iterator[Remark]:
    """Reads without all of their parameters."""
    for code, parameters in ((0x30, b"\x00"), (0x3F, b"\x00\x00\x00\x00"), (0x31, b"\x00\x01\x00")):
        reply = probe.exchange(with_body(probe, bytes((1 + len(parameters), code)) + parameters, ReadRequest(0)))
        answer = reply.first
        if answer is None or not answer.code:
            yield wrong(f"{code:02X}{parameters.hex()}: {said(reply)}")
        elif answer.code != Iar.code:
            yield odd(f"{code:02X}{parameters.hex()}: {said(reply)}, iar is usual")


@check(
    "C-ERR-06",
    "Services that need a session are refused outside of one",
    Rule("Logoff and Wait outside of a session: isss.", "inference from the two states", Mark.UNSURE),
)
def wrong_state(probe: Probe) -> Iterator[Remark]:
    """Logoff and Wait."""
    for request in (LogoffRequest(), WaitRequest(1)):
        reply = probe.ask(request)
        if reply.is_ok:
            yield wrong(f"{request.service} outside of a session: ok")
        elif reply.code() != Isss.code:
            yield odd(f"{request.service} outside of a session: {said(reply)}, isss is usual")


@check(
    "C-ERR-07",
    "A refusal is the code alone",
    Rule("Only rqtl, rstl and sgerr have parameters.", "Elster, Itron, Zeek", Mark.VERIFIED),
)
def bare_errors(probe: Probe) -> Iterator[Remark]:
    """The refusal of an unknown service, and that of an unknown table."""
    reply = get(probe, RawRequest(code=_UNKNOWN[0], parameters=b""), ReadRequest(0x7FE))
    for answer in reply.responses:
        if isinstance(answer, ErrorResponse) and answer.parameters and not answer.details:
            yield wrong(f"{answer.result} has {len(answer.parameters)} octets of parameters")


@check(
    "C-ERR-08",
    "A list of services that runs past its end does no harm",
    Rule("The length of a service is at most what is left; such a list is refused or dropped.", "Elster", Mark.UNSURE),
)
def overrun(probe: Probe) -> Iterator[Remark]:
    """A length that is too large, and one that is no length."""
    for body in (bytes.fromhex("7f300000"), bytes.fromhex("84ffffffff300000"), bytes.fromhex("80300000")):
        reply = probe.provoke(with_body(probe, body, ReadRequest(0)), note="a length past the end")
        if reply is not None and reply.any_ok:
            yield wrong(f"{body.hex()} was served")
    yield from lives_on(probe)


@check(
    "C-ERR-09",
    "Octets that are no APDU do no harm",
    Rule("What is no APDU is dropped; a connection may be closed.", "Itron, Elster", Mark.ONE_SOURCE),
)
def no_apdu(probe: Probe) -> Iterator[Remark]:
    """Noise, an APDU that is cut short, one with nothing in it, one with octets behind it, and lengths that lie."""
    sent = probe.compose(IdentifyRequest())
    whole = sent.octets
    damaged = [b"\x60", bytes(range(64)), b"\x60\x84\xff\xff\xff\xff\xa2", b"\x60\x80\xa2\x00\x00\x00", whole[:-1]]
    damaged.append(Acse.build(user_information=b"", **decode_acse(whole).fields()).octets)
    if not probe.reliable:
        damaged.append(whole + b"\x00")
    for octets in damaged:
        reply = probe.provoke(sent, octets, note="no APDU")
        if reply is not None and reply.any_ok:
            yield odd(f"{octets[:16].hex()}… was served")
        if probe.reliable:
            probe.hang_up()
    yield from lives_on(probe)
