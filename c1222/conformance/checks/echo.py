"""The form of answers: what they quote and repeat from the request, and how they are encoded."""

from __future__ import annotations

from secrets import randbelow
from typing import TYPE_CHECKING, Final

from c1222.conformance.rules import Mark, NotApplicable, Remark, Rule, check, odd, wrong
from c1222.message.aptitle import CONTEXT_OID
from c1222.services.identify import IdentifyRequest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from c1222.conformance.probe import Probe
    from c1222.conformance.reply import Reply
    from c1222.message.aptitle import ApTitle

__all__ = ["context", "encoding", "forms", "high_ids", "ids", "own_ids", "qualifier", "quoted", "titles"]

_TEST: Final = 1


def _problems(reply: Reply, kind: str) -> Iterator[Remark]:
    for problem in reply.problems:
        if problem.kind == kind:
            yield wrong(problem.text)


@check(
    "C-ECHO-01",
    "An answer quotes the id of its request",
    Rule("A4 of the answer is A8 of the request.", "captures; Elster, Itron", Mark.VERIFIED),
)
def quoted(probe: Probe) -> Iterator[Remark]:
    """Two requests in a row."""
    for _ in range(2):
        yield from _problems(probe.ask(IdentifyRequest()), "id")


@check(
    "C-ECHO-02",
    "An answer names the nodes of its request, exchanged",
    Rule("A2 of the answer is A6 of the request, and A6 is A2.", "captures; Elster, Itron", Mark.VERIFIED),
)
def titles(probe: Probe) -> Iterator[Remark]:
    """Compare absolute forms."""
    yield from _problems(probe.ask(IdentifyRequest()), "titles")


@check(
    "C-ECHO-03",
    "An answer has the titles in the very form of the request",
    Rule(
        "Relative titles are answered with relative ones, absolute with absolute.",
        "Elster",
        Mark.ONE_SOURCE,
        disputed="relays may rewrite them: N is over absolute forms",
    ),
)
def forms(probe: Probe) -> Iterator[Remark]:
    """Both forms, where both are possible."""
    target = probe.target
    absolute = target.called.absolute(), target.calling.absolute()
    relative = target.called.relative(), target.calling.relative()
    for called, calling in {tuple(map(str, pair)): pair for pair in (absolute, relative)}.values():
        reply = probe.ask(IdentifyRequest(), called=called, calling=calling)
        yield from _rewritten(reply, called, calling)


def _rewritten(reply: Reply, called: ApTitle, calling: ApTitle) -> Iterator[Remark]:
    for element, title in (("called-AP-title", calling), ("calling-AP-title", called)):
        span = reply.acse.span(element)
        if span is not None and reply.octets[span.content : span.end] != title.tlv():
            form = "relative" if title.is_relative else "absolute"
            yield wrong(f"{element}: asked with the {form} form {title}, it came back as another")


@check(
    "C-ECHO-04",
    "Ids of one to four octets are quoted",
    Rule("Invocation ids are unsigned, of up to four octets.", "captures; Elster, Zeek", Mark.VERIFIED),
    "C-ECHO-01",
)
def ids(probe: Probe) -> Iterator[Remark]:
    """One id of each length, the first octet below 80."""
    yield from _quoting(probe, [randbelow(0x7D << 8 * size) + (2 << 8 * size) for size in range(4)])


@check(
    "C-ECHO-05",
    "Ids whose first octet is 80 or more are quoted",
    Rule(
        "Invocation ids are unsigned; no 00 stands before them.",
        "Elster, Itron, EnergyICT",
        Mark.VERIFIED,
        disputed="termineter: signed; Itron stores 16 bits",
    ),
    "C-ECHO-04",
)
def high_ids(probe: Probe) -> Iterator[Remark]:
    """Ids that a reader of signed numbers takes for negative; a node that stores 16 bits may miss the longest."""
    for remark in _quoting(probe, [0x80 + randbelow(0x7F), 0x8000 + randbelow(0x7F00)]):
        yield remark
    for remark in _quoting(probe, [0x80000000 + randbelow(0x7F000000)]):
        yield odd(remark.text)


def _quoting(probe: Probe, numbers: Sequence[int]) -> Iterator[Remark]:
    for number in numbers:
        reply = probe.ask(IdentifyRequest(), calling_invocation_id=number)
        if reply.message.called_invocation_id != number:
            yield wrong(f"the id {number:X} is quoted as {reply.message.called_invocation_id or 0:X}")


@check(
    "C-ECHO-06",
    "Every answer has an id of its own",
    Rule("A8 tells the messages of a node apart, answers, too.", "inference", Mark.UNSURE),
)
def own_ids(probe: Probe) -> Iterator[Remark]:
    """Three answers."""
    found = [probe.ask(IdentifyRequest()).message for _ in range(3)]
    if len({(message.calling_invocation_id, message.iv) for message in found}) < len(found):
        numbers = ", ".join(f"{message.calling_invocation_id:X}" for message in found)
        yield wrong(f"answers have the same id: {numbers}")


@check(
    "C-ECHO-07",
    "Answers are encoded in order, with shortest lengths, and with nothing unknown",
    Rule(
        "The order is A1 A2 A3 A4 A6 A7 A8 8B AC BE; lengths are minimal.",
        "captures; Itron, Wireshark",
        Mark.VERIFIED,
    ),
)
def encoding(probe: Probe) -> Iterator[Remark]:
    """The findings of the decoder."""
    yield from _problems(probe.ask(IdentifyRequest()), "findings")


@check(
    "C-ECHO-08",
    "A request with the application context of C12.22 is answered",
    Rule("A1 may be left out; where it is there it is 2.16.124.113620.1.22.", "Itron, Wireshark", Mark.VERIFIED),
)
def context(probe: Probe) -> Iterator[Remark]:
    """Absolute titles, since readings of what relative ones are relative to differ with A1."""
    target = probe.target
    reply = probe.ask(
        IdentifyRequest(),
        called=target.called.absolute(),
        calling=target.calling.absolute(),
        application_context=CONTEXT_OID,
    )
    if not reply.is_ok:
        yield odd(f"with A1: {reply!r}")
    if reply.message.application_context not in {None, CONTEXT_OID}:
        yield wrong(f"the answer has the context {reply.message.application_context}")


@check(
    "C-ECHO-09",
    "The answer to a test message says that it is one",
    Rule("Bit TEST of A7 is repeated, URGENT is not.", "Itron", Mark.ONE_SOURCE, disputed="optional: if understood"),
)
def qualifier(probe: Probe) -> Iterator[Remark]:
    """TEST and URGENT."""
    reply = probe.ask(IdentifyRequest(), calling_ae_qualifier=_TEST | 2)
    bits = reply.message.calling_ae_qualifier or 0
    if not bits & _TEST:
        yield wrong("TEST is not repeated")
    if bits & 2:
        yield odd("URGENT is repeated")
    if not reply.is_ok:
        raise NotApplicable("test messages are not served")
