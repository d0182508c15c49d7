"""Running checks against a node, one after the other, and what came of each.

A check whose preconditions failed is skipped with a remark, so that one early failure does not cause a hundred later.
A node that stops answering is asked once more, and then the rest is skipped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from c1219.errors import C1219Error
from c1222.conformance.catalogue import CHECKS, GROUNDS
from c1222.conformance.reply import NoAnswer
from c1222.conformance.rules import Check, CheckVerdict, NotApplicable, Remark, odd, wrong
from c1222.errors import C1222Error, ConnectionLost, Unreachable
from c1222.services.identify import IdentifyRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from c1222.conformance.evidence import Evidence
    from c1222.conformance.line.probe import LineProbe
    from c1222.conformance.probe import Probe

__all__ = ["BROKEN", "Report", "Result", "run"]

BROKEN: Final = "the check itself broke, which is a fault of this program"
"""How the remark of such a check begins."""
_CONTACT: Final = frozenset({"C-LINK-01", "C-PKT-01"})
_LINK: Final = "LINK"


class Result(NamedTuple):
    """What came of one check.

    Attributes:
        check: which.
        verdict: what came of it.
        remarks: what it saw.
        reason: why it was skipped; empty otherwise.
        seconds: how long it took.
        evidence: messages of the check, first and last ones.
        left_out: how many messages between them are not here.
    """

    check: Check
    verdict: CheckVerdict
    remarks: tuple[Remark, ...] = ()
    reason: str = ""
    seconds: float = 0.0
    evidence: tuple[Evidence, ...] = ()
    left_out: int = 0


class Report(NamedTuple):
    """What came of a run.

    Attributes:
        called: title of the node.
        calling: ours.
        mode: how requests were secured, in words.
        started: UTC seconds.
        results: in the order of the checks.
    """

    called: str
    calling: str
    mode: str
    started: float
    results: tuple[Result, ...]

    @property
    def contact(self) -> bool:
        """Whether the node answered at all."""
        return any(result.check.id in _CONTACT and result.verdict is CheckVerdict.PASS for result in self.results)

    def count(self, verdict: CheckVerdict) -> int:
        """Return how many checks came to a verdict."""
        return sum(result.verdict is verdict for result in self.results)

    @property
    def failed(self) -> tuple[Result, ...]:
        """The failures."""
        return tuple(result for result in self.results if result.verdict is CheckVerdict.FAIL)


def run(
    probe: Probe | LineProbe,
    checks: Sequence[Check] = CHECKS,
    *,
    on_result: Callable[[Result], None] = lambda _result: None,
) -> Report:
    """Run checks.

    Args:
        probe: at the node.
        checks: which, in order.
        on_result: called with every result as it comes.
    """
    started = probe.clock.utc
    results: dict[str, Result] = {}
    silent_since = ""
    for check in checks:
        reason = _reason_to_skip(check, probe, results)
        if silent_since and not reason:
            reason = f"the node stopped answering in {silent_since}"
        result = Result(check, CheckVerdict.SKIPPED, reason=reason) if reason else _carried_out(check, probe)
        results[check.id] = result
        on_result(result)
        if not reason and check.family != _LINK and check.id not in _CONTACT and _went_silent(result, probe):
            silent_since = check.id
    target = probe.target
    probe.hang_up()
    return Report(str(target.called), str(target.calling), target.mode.label, started, tuple(results.values()))


def _reason_to_skip(check: Check, probe: Probe | LineProbe, results: dict[str, Result]) -> str:
    if check.secured and not probe.target.secured:
        return "requests are not secured"
    if check.writes and not probe.target.writes:
        return "it changes something in the node, and that is not allowed (--allow-writes)"
    if check.session and not probe.target.sessions:
        return "it opens a session, and that is not wanted (--sessionless)"
    is_ground = check.family == _LINK or check.id in GROUNDS
    grounds = check.needs if is_ground else (*GROUNDS, *check.needs)
    for need in grounds:
        found = results.get(need)
        if found is not None and found.verdict in {CheckVerdict.FAIL, CheckVerdict.SKIPPED}:
            return f"it rests on {need}, which {'failed' if found.verdict is CheckVerdict.FAIL else 'was skipped'}"
    return ""


def _carried_out(check: Check, probe: Probe | LineProbe) -> Result:
    """Run one check."""
    probe.log.take()
    start = probe.clock.now
    remarks: list[Remark] = []
    reason = ""
    try:
        for remark in check.look(probe):
            remarks.append(remark)  # noqa: PERF402 - what was seen before an error counts
    except NotApplicable as error:
        reason = str(error)
    except (C1222Error, C1219Error) as error:
        remarks.append(wrong(_text(error)))
    except Exception as error:  # noqa: BLE001 - one check that breaks must not cost the report of the others
        remarks.append(odd(f"{BROKEN}: {type(error).__name__}: {error}"))
    evidence, left_out = probe.log.take()
    levels = {remark.level for remark in remarks}
    if "wrong" in levels:
        verdict = CheckVerdict.FAIL if check.rule.is_firm else CheckVerdict.WARNING
    elif "odd" in levels:
        verdict = CheckVerdict.WARNING
    else:
        verdict = CheckVerdict.SKIPPED if reason else CheckVerdict.PASS
    seconds = round(probe.clock.now - start, 3)
    return Result(check, verdict, tuple(remarks), reason, seconds, evidence, left_out)


def _text(error: Exception) -> str:
    if isinstance(error, (NoAnswer, ConnectionLost, Unreachable)):
        return str(error)
    return f"{type(error).__name__}: {error}"


def _went_silent(result: Result, probe: Probe | LineProbe) -> bool:
    """Return whether the node answers nothing any more, if a check ended in silence."""
    if not any(remark.level == "wrong" and "no answer" in remark.text for remark in result.remarks):
        return False
    try:
        probe.ask(IdentifyRequest())
    except C1222Error:
        return True
    return False
