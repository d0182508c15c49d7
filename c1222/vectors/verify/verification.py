"""Vectors held against this library, or against another program: where they differ, by family.

No file is trusted: the library computes every case again from its input, so that a wrong file is not taken for a wrong
program.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from c1219.tabular.schema import RowColumn, RowSchema
from c1222.vectors.inputs import Answer
from c1222.vectors.operations import OPERATIONS, answer
from c1222.vectors.verify.comparison import Difference, judge
from c1222.vectors.verify.program import ProgramFailed, Unsupported

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from c1222.vectors.model import Case, Family, Group
    from c1222.vectors.verify.program import Program

__all__ = ["FAMILY_ROWS", "MAX_KEPT", "CaseOutcome", "VerificationReport", "family_rows", "verify"]

MAX_KEPT: Final = 1000
"""Differences of a family that are kept; more are only counted."""

FAMILY_ROWS: Final = RowSchema(
    "c1222.vectors/1",
    "One family of test vectors, and how an implementation answered it.",
    (
        RowColumn("family", "string", "its name", null=False),
        RowColumn("cases", "int64", "how many there are", null=False),
        RowColumn("judged", "int64", "how many were answered", null=False),
        RowColumn("unsupported", "int64", "how many the program does not have", null=False),
        RowColumn("differences", "int64", "how many answers contradict what is sure", null=False),
        RowColumn("remarks", "int64", "how many contradict what rests on one source or on inference", null=False),
    ),
    key=("family",),
)


class CaseOutcome(NamedTuple):
    """What came of one family.

    Attributes:
        family: its name.
        cases: how many there are.
        judged: how many were answered.
        unsupported: how many the program does not have.
        differences: what contradicts what is sure, the first ones.
        remarks: what contradicts what rests on one source or on inference, the first ones.
        differing: how many differences there are.
        remarked: how many remarks.
    """

    family: str
    cases: int
    judged: int
    unsupported: int
    differences: tuple[Difference, ...]
    remarks: tuple[Difference, ...]
    differing: int
    remarked: int


class VerificationReport(NamedTuple):
    """What came of all.

    Attributes:
        outcomes: one for each family, in the order verified.
    """

    outcomes: tuple[CaseOutcome, ...]

    @property
    def differing(self) -> int:
        """How many differences there are."""
        return sum(outcome.differing for outcome in self.outcomes)

    @property
    def remarked(self) -> int:
        """How many remarks there are."""
        return sum(outcome.remarked for outcome in self.outcomes)

    @property
    def judged(self) -> int:
        """How many cases were answered."""
        return sum(outcome.judged for outcome in self.outcomes)

    @property
    def first(self) -> str | None:
        """The first family that differs, or else has remarks: what comes after it may only build on it."""
        ranked = sorted(self.outcomes, key=lambda outcome: not outcome.differing)
        return next((outcome.family for outcome in ranked if outcome.differing or outcome.remarked), None)


def family_rows(report: VerificationReport) -> Iterator[tuple[Any, ...]]:
    """Yield a row of `FAMILY_ROWS` for each family."""
    for one in report.outcomes:
        yield one.family, one.cases, one.judged, one.unsupported, one.differing, one.remarked


def verify(
    families: Iterable[Family], program: Program | None = None, *, on_case: Callable[[], None] = lambda: None
) -> VerificationReport:
    """Hold vectors against this library, or against a program.

    Args:
        families: in the order in which they build on each other.
        program: the other implementation; this library if None.
        on_case: called after each case.

    Raises:
        BadCase: the input of a case is not what its operation takes.
    """
    return VerificationReport(tuple([_outcome(family, program, on_case) for family in families]))


def _outcome(family: Family, program: Program | None, on_case: Callable[[], None]) -> CaseOutcome:
    differences: dict[str, list[Difference]] = {"difference": [], "remark": []}
    counts = dict.fromkeys(differences, 0)
    judged = unsupported = 0
    for group, case in family.cases():
        said = _said(family, group, case, program)
        on_case()
        if said is None:
            unsupported += 1
            continue
        judged += 1
        for difference in said:
            counts[difference.weight] += 1
            if len(differences[difference.weight]) < MAX_KEPT:
                differences[difference.weight].append(difference)
    return CaseOutcome(
        family.name,
        family.size,
        judged,
        unsupported,
        tuple(differences["difference"]),
        tuple(differences["remark"]),
        counts["difference"],
        counts["remark"],
    )


def _said(family: Family, group: Group, case: Case, program: Program | None) -> list[Difference] | None:
    """Return what differs in a case; None if it cannot be asked."""
    if program is None and group.operation not in OPERATIONS:
        return None
    parameters: dict[str, Any] = {**group.input, **case.input}
    ours = answer(group.operation, parameters) if group.operation in OPERATIONS else None
    filed = Answer(case.output, case.intermediate)
    own = None if ours is None else judge(family, group, case, filed, ours, steps=True)
    if program is None:
        return [] if own is None else [own]
    said = [] if own is None else [own._replace(text=f"the file disagrees with this library: {own.text}")]
    try:
        theirs = program.answer(case.id, group.operation, parameters)
    except Unsupported:
        return None
    except ProgramFailed as error:
        failed = Difference(family.name, group.id, case.id, case.comment, "difference", "answer", str(error))
        return [*said, failed]
    wanted = filed if ours is None or ours.output is None else ours
    difference = judge(family, group, case, wanted, theirs)
    return said if difference is None else [*said, difference]
