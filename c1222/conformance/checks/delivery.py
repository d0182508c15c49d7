"""When there is an answer and when not: response control, answers to answers, repetitions, segments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from c1222.conformance.checks.refusals import lives_on
from c1222.conformance.craft import segment
from c1222.conformance.reply import said
from c1222.conformance.rules import Mark, Remark, Rule, check, note, odd, wrong
from c1222.message.epsem import ResponseControl
from c1222.services import ErrorResponse, RawRequest
from c1222.services.identify import IdentifyRequest
from c1222.services.results import Err, Sgerr, Sgnp
from c1222.services.tables import ReadRequest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from c1222.conformance.probe import Probe
    from c1222.conformance.reply import Reply, Sent

__all__ = [
    "bad_segments",
    "later",
    "never",
    "no_answer_to_answers",
    "on_exception",
    "out_of_order",
    "repeated",
    "segments",
]

_BAD = RawRequest(code=0x23, parameters=b"")


@check(
    "C-CTRL-01",
    "Response control 2 gets no answer at all",
    Rule("2: never respond, not even to tell an error.", "Elster, Itron", Mark.VERIFIED),
)
def never(probe: Probe) -> Iterator[Remark]:
    """A service that is served, and one that is not known."""
    for request in (IdentifyRequest(), _BAD):
        reply = probe.provoke(probe.compose(request, response_control=ResponseControl.NEVER))
        if reply is not None:
            yield wrong(f"{request.service}: {said(reply)}")
    yield from lives_on(probe)


@check(
    "C-CTRL-02",
    "Response control 1 gets an answer only to tell an error",
    Rule("1: respond on exception; silence is success.", "Elster", Mark.ONE_SOURCE),
)
def on_exception(probe: Probe) -> Iterator[Remark]:
    """A service that is served, and one that is not known."""
    control = ResponseControl.ON_EXCEPTION
    reply = probe.provoke(probe.compose(IdentifyRequest(), response_control=control))
    if reply is not None and not reply.code():
        yield wrong("Identify, which is served, is answered")
    elif reply is not None:
        yield odd(f"Identify: {said(reply)}")
    if not probe.ask(_BAD, response_control=control).code():
        yield wrong("a service that is not known is answered with ok")


@check(
    "C-CTRL-03",
    "An answer is not answered",
    Rule("A message with A4 is an answer; one that nobody waits for is dropped.", "Itron", Mark.ONE_SOURCE),
)
def no_answer_to_answers(probe: Probe) -> Iterator[Remark]:
    """An answer that was not asked for, and a request that quotes an id as answers do."""
    services: Any = ErrorResponse.of(Err())
    reply = probe.provoke(probe.compose(services, called_invocation_id=probe.identity.next_id(probe.clock.utc)))
    if reply is not None:
        yield wrong(f"an answer was answered: {said(reply)}")
    reply = probe.provoke(
        probe.compose(IdentifyRequest(), called_invocation_id=probe.identity.next_id(probe.clock.utc))
    )
    if reply is not None:
        yield odd(f"a request that quotes an id was answered: {said(reply)}")
    yield from lives_on(probe)


def _again(probe: Probe, sent: Sent, first: Reply) -> Iterator[Remark]:
    reply = probe.provoke(sent, note="the same octets again")
    if reply is None:
        yield note("a repetition is dropped")
    elif reply.octets == first.octets:
        yield note("a repetition is answered with the same octets")
    elif reply.any_ok:
        yield wrong("a repetition was carried out again: it got another answer")
    else:
        yield note(f"a repetition is refused with {said(reply)}")


@check(
    "C-DUP-01",
    "The same octets at once again are not carried out again",
    Rule("A repetition is dropped, or gets the same answer.", "Itron (120 s); Elster sends such", Mark.ONE_SOURCE),
)
def repeated(probe: Probe) -> Iterator[Remark]:
    """Twice the same."""
    sent = probe.compose(ReadRequest(0))
    yield from _again(probe, sent, probe.exchange(sent))


@check(
    "C-DUP-02",
    "The same octets after other messages are not carried out again",
    Rule("Repetitions are known for 120 s.", "Itron", Mark.ONE_SOURCE),
)
def later(probe: Probe) -> Iterator[Remark]:
    """The same again, behind three others."""
    sent = probe.compose(ReadRequest(0))
    first = probe.exchange(sent)
    for _ in range(3):
        probe.ask(IdentifyRequest())
    yield from _again(probe, sent, first)


def _in_segments(probe: Probe, order: tuple[int, ...]) -> Iterator[Remark]:
    sent = probe.compose(IdentifyRequest())
    third = -(-len(sent.octets) // 3)
    parts = [segment(sent, sent.octets[at : at + third], offset=at) for at in range(0, len(sent.octets), third)]
    reply = probe.provoke(sent, *(parts[index] for index in order), note="in segments", due=True)
    if reply is None:
        yield wrong("a request in segments is not answered")
    elif reply.code() in {Sgnp.code, Sgerr.code}:
        yield wrong(f"a request in segments is refused: {said(reply)}")
    elif not reply.is_ok:
        yield odd(f"a request in segments: {said(reply)}")


_SEGMENTS = Rule(
    "Segments say total (A3) and offset (indirect reference of BE).",
    "Itron",
    Mark.ONE_SOURCE,
    disputed="Elster, Zeek and Wireshark do not know A3",
)


@check("C-SEG-01", "A request in segments is answered", _SEGMENTS)
def segments(probe: Probe) -> Iterator[Remark]:
    """Three segments in order."""
    yield from _in_segments(probe, (0, 1, 2))


@check("C-SEG-02", "Segments may come in any order, and twice", _SEGMENTS, "C-SEG-01")
def out_of_order(probe: Probe) -> Iterator[Remark]:
    """The last first, and the middle one twice."""
    yield from _in_segments(probe, (2, 1, 1, 0))


@check(
    "C-SEG-03",
    "Segments that cannot be do no harm",
    Rule("sgerr, or silence, for a segment past the total or no segment at all.", "Itron", Mark.ONE_SOURCE),
)
def bad_segments(probe: Probe) -> Iterator[Remark]:
    """Past the end, past what is possible, empty, and a total that does not fit what it holds."""
    sent = probe.compose(IdentifyRequest())
    size = len(sent.octets)
    for octets in (
        segment(sent, sent.octets, offset=size),
        segment(sent, sent.octets, offset=0xFFFFF0, total=0xFFFFFF),
        segment(sent, b"", offset=0),
        segment(sent, sent.octets + b"\x00", offset=0, total=size + 1),
    ):
        reply = probe.provoke(sent, octets, note="a segment that cannot be")
        if reply is not None and reply.any_ok:
            yield wrong("a segment that cannot be was served")
    yield from lives_on(probe)
