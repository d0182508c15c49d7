"""What a check is: data that name the rule it rests on and how sure that rule is, and a generator that looks.

    @check("C-IDENT-01", "Identify tells C12.22", Rule("Its first octet is 03.", "Elster, Zeek", Mark.VERIFIED))
    def standard(probe: Probe) -> Iterator[Remark]:
        identity = probe.identify()
        if identity.standard != 3:
            yield wrong(f"standard {identity.standard:02X}")

A check that yields nothing but notes is passed. Nobody here has the text of the standards: a rule that two independent
sources tell, or one that nobody is known to read otherwise, can be failed; any other gives a warning at most.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from c1222.errors import C1222Error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


__all__ = [
    "FAMILIES",
    "Check",
    "CheckVerdict",
    "Mark",
    "NotApplicable",
    "Remark",
    "Rule",
    "check",
    "note",
    "odd",
    "wrong",
]

FAMILIES: Final = {
    "LINK": "the node is there",
    "ECHO": "the form of answers",
    "TABLE": "tables against ST0 and their layouts",
    "IDENT": "Identify",
    "READ": "partial reads",
    "ERR": "requests that cannot be served",
    "LIST": "several services in one APDU",
    "CTRL": "response control",
    "DUP": "repetitions",
    "SEG": "segmentation",
    "TIME": "the clock",
    "SESS": "sessions and rights",
    "WRITE": "writes and procedures",
    "SEC": "security",
    "RUN": "all that came in the run",
    "PKT": "packets of a serial line",
    "ACK": "acknowledgements and repetitions of a serial line",
    "NEG": "sizes and rates of a serial line",
    "STATE": "sessions of a serial line",
}
"""The middle part of the ids, in the order in which the checks run."""


class Mark(StrEnum):
    """How sure a rule is."""

    VERIFIED = "V"
    """Two independent sources, or recomputed from captures and published vectors."""
    ONE_SOURCE = "1"
    UNSURE = "?"
    """Inference, or memory."""


class CheckVerdict(StrEnum):
    """What came of a check."""

    PASS = "pass"  # noqa: S105
    WARNING = "warning"
    FAIL = "fail"
    SKIPPED = "skipped"


class Rule(NamedTuple):
    """What a check rests on.

    Attributes:
        text: the rule, in our words.
        source: where it is known from, in short names: see ``specs/conformance.md``.
        mark: how sure it is.
        disputed: who reads it otherwise; empty for nobody.
    """

    text: str
    source: str
    mark: Mark
    disputed: str = ""

    @property
    def is_firm(self) -> bool:
        """Whether a node can fail it."""
        return self.mark is Mark.VERIFIED or (self.mark is Mark.ONE_SOURCE and not self.disputed)


class Remark(NamedTuple):
    """What a check saw.

    Attributes:
        level: ``wrong`` breaks the rule; ``odd`` is worth a warning whatever the rule; ``note`` is for information.
        text: for people; never a secret.
    """

    level: str
    text: str


def wrong(text: str) -> Remark:
    """Say that the rule is broken."""
    return Remark("wrong", text)


def odd(text: str) -> Remark:
    """Say that something is strange that breaks no rule that is sure."""
    return Remark("odd", text)


def note(text: str) -> Remark:
    """Say something for information."""
    return Remark("note", text)


class NotApplicable(C1222Error):
    """This cannot be checked at this node; the text says why. The check is skipped."""


class _Look(Protocol):
    def __call__(self, probe: Any, /) -> Iterator[Remark]: ...  # a Probe, or a LineProbe


class Check(NamedTuple):
    """A check.

    Attributes:
        id: stable: ``C-``, a family of `FAMILIES`, a number.
        title: what holds if it is passed.
        rule: what it rests on.
        look: does it; yields remarks.
        needs: ids of checks that must not have failed or been skipped.
        follows: ids of checks that go before it, whatever comes of them.
        writes: it changes something in the node, and needs to be allowed.
        secured: it only makes sense when requests are secured.
        session: it opens a session.
    """

    id: str
    title: str
    rule: Rule
    look: _Look
    needs: tuple[str, ...] = ()
    follows: tuple[str, ...] = ()
    writes: bool = False
    secured: bool = False
    session: bool = False

    @property
    def family(self) -> str:
        """The middle part of the id."""
        return self.id.split("-")[1]


def check(id: str, title: str, rule: Rule, *needs: str, **flags: Any) -> Callable[[_Look], Check]:  # noqa: A002
    """Make a check of the function below; see `Check` for the arguments."""

    def made(look: _Look) -> Check:
        return Check(id, title, rule, look, needs=needs, **flags)

    return made
