"""How a row of the mapping is declared: what it joins, how sure and how exact that is, and what is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from c1219.codes.units import Segmentation, TimeBase

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["AVERAGES", "BULK", "SAMPLES", "EntryRule", "Fidelity", "MappingRow", "worst"]

Fidelity = Literal["E", "L", "C", "N"]
"""E exact, L with a named loss, C by a convention of ours, N cannot be mapped."""
_ORDER: Final = "ELCN"

BULK: Final = frozenset({TimeBase.BULK})
SAMPLES: Final = frozenset({TimeBase.INSTANTANEOUS, TimeBase.PERIOD})
AVERAGES: Final = frozenset({TimeBase.SUB_BLOCK_DEMAND, TimeBase.BLOCK_DEMAND, TimeBase.THERMAL_DEMAND})


class EntryRule(NamedTuple):
    """Which entries of ST12 a row is for, and the value groups that it gives them. None: any, or as the kind says.

    Attributes:
        codes: ID_CODEs.
        bases: TIME_BASEs.
        flows: sets of quadrants, and value group C of each.
        net: NET_FLOW_ACCOUNTABILITY, where there are flows.
        phases: SEGMENTATIONs, and what each adds to value group `phased`.
        phased: the value group that depends on the phase.
        a: value group A.
        c: value group C.
        d: value group D.
        e: value group E; None if it is the rate.
        unit: code of the unit; None if it is that of the ST12 entry.
        signed: the value may be less than 0.
        undirected: value group C for a source without quadrants that counts what is delivered, if the caller says so.
    """

    codes: frozenset[int]
    bases: frozenset[TimeBase] | None = None
    flows: Mapping[tuple[int, ...], int] | None = None
    net: bool | None = None
    phases: Mapping[Segmentation, int] | None = None
    phased: Literal["c", "e"] = "c"
    a: int = 1
    c: int = 0
    d: int | None = None
    e: int | None = None
    unit: int | None = None
    signed: bool = False
    undirected: int | None = None


class MappingRow(NamedTuple):
    """One row of the mapping.

    Attributes:
        row: its number, ``M01`` to ``M130``.
        source: what of C12.19 it is about.
        target: what it is in COSEM.
        facts: how sure the facts are: V two sources, 1 one, ? our reading.
        fidelity: how exact the mapping is.
        residue: what is lost, or why it cannot be mapped.
        rules: of quantities: the entries of ST12 that it is for.
        adds: its rules say more about a source that another row names.
    """

    row: str
    source: str
    target: str
    facts: str
    fidelity: Fidelity
    residue: str = ""
    rules: tuple[EntryRule, ...] = ()
    adds: bool = False


def worst(marks: Iterable[Fidelity]) -> Fidelity:
    """Return the least exact of some marks."""
    return max(marks, key=_ORDER.index)
