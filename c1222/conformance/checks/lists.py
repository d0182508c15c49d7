"""Several services in one APDU."""

from __future__ import annotations

from typing import TYPE_CHECKING

from c1222.conformance.craft import with_body
from c1222.conformance.reply import said
from c1222.conformance.rules import Mark, NotApplicable, Remark, Rule, check, odd, wrong
from c1222.conformance.session import get
from c1222.conformance.survey import survey
from c1222.services import ErrorResponse
from c1222.services.identify import IdentifyRequest, IdentifyResponse
from c1222.services.results import Err
from c1222.services.tables import ReadRequest, TableResponse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from c1222.conformance.probe import Probe

__all__ = ["after_errors", "embedded", "in_order", "padding", "security_answered"]


@check(
    "C-LIST-01",
    "Several services are answered one by one, in their order",
    Rule("Services are carried out in order, responses come in the same order.", "captures; Elster", Mark.VERIFIED),
    "C-TABLE-01",
)
def in_order(probe: Probe) -> Iterator[Remark]:
    """Identify, ST0, Identify."""
    whole = survey(probe).octets("ST0")
    reply = get(probe, IdentifyRequest(), ReadRequest(0), IdentifyRequest())
    first, second, third = reply.responses
    if not isinstance(first, IdentifyResponse) or not isinstance(third, IdentifyResponse):
        yield wrong(f"Identify, read, Identify: {said(reply)}")
    elif not isinstance(second, TableResponse):
        yield odd(f"the read among them: {said(reply)}")
    elif second.data != whole:
        yield wrong("the read among them gave other octets")


@check(
    "C-LIST-02",
    "Security has a response of its own",
    Rule(
        "There is one response for each service, for Security too.",
        "captures",
        Mark.ONE_SOURCE,
        disputed="example 8 of the standard leaves it out",
    ),
)
def security_answered(probe: Probe) -> Iterator[Remark]:
    """Security and a read."""
    if not probe.target.sessionless or probe.target.password is None:
        raise NotApplicable("it takes a password, and messages outside of sessions")
    reply = get(probe, ReadRequest(0))
    if len(reply.message.service_octets) < len(reply.sent.requests):
        yield wrong("Security and a read are answered with one response")


@check(
    "C-LIST-03",
    "Services behind one that fails are answered",
    Rule("After an error the rest is carried out, and answered.", "Itron", Mark.ONE_SOURCE),
    "C-LIST-01",
)
def after_errors(probe: Probe) -> Iterator[Remark]:
    """A table that is not there, and Identify."""
    missing = next(iter(survey(probe).absent(1)), 0x7FE)
    reply = get(probe, ReadRequest(missing), IdentifyRequest())
    if not isinstance(reply.responses[1], IdentifyResponse):
        yield wrong(f"an unknown table, then Identify: {said(reply)}")


@check(
    "C-LIST-04",
    "A length of 0 ends the list",
    Rule("What follows a service of length 0 is padding.", "Itron, Elster, Zeek", Mark.VERIFIED),
)
def padding(probe: Probe) -> Iterator[Remark]:
    """Identify, then 00 and what would be another one."""
    reply = probe.exchange(with_body(probe, bytes.fromhex("01200001200000"), IdentifyRequest()))
    if not isinstance(reply.first, IdentifyResponse):
        yield wrong(f"Identify and padding: {said(reply)}")
    elif len(reply.message.service_octets) > 1:
        yield wrong("what stands in the padding is answered")


@check(
    "C-LIST-05",
    "A response among requests is ignored",
    Rule("Codes below 20 in a request are skipped.", "Itron", Mark.ONE_SOURCE, disputed="others do not say"),
)
def embedded(probe: Probe) -> Iterator[Remark]:
    """A response err, then Identify."""
    body = bytes((1, *ErrorResponse.of(Err()).encode(), 1, 0x20))
    reply = probe.exchange(with_body(probe, body, IdentifyRequest()))
    if not any(isinstance(service, IdentifyResponse) for service in reply.message.services):
        yield wrong(f"a response, then Identify: {said(reply)}")
