"""Names of measured quantities: from an entry of ST12 and the kind of value to a logical name, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from c1219.caches import remembered
from c1219.codes.quantities import Kind
from c1219.codes.units import Segmentation, TimeBase, describe_unit
from c1219.cosem.classes import InterfaceClass
from c1219.cosem.element_rows import ELEMENT_ROWS
from c1219.cosem.names import CURRENT, LogicalName
from c1219.cosem.quantity_rows import QUANTITY_ROWS
from c1219.cosem.row import AVERAGES, SAMPLES, MappingRow, worst
from c1219.cosem.units import unit_code

if TYPE_CHECKING:
    from c1219.codes.units import UnitDescription
    from c1219.cosem.row import EntryRule, Fidelity

__all__ = ["ROWS", "Meaning", "NamedQuantity", "ValueKind", "meaning", "name_of"]

ValueKind = Literal[
    "summation", "demand maximum", "demand minimum", "cumulative maximum", "cumulative minimum",
    "continuous cumulative", "coincident", "present demand", "present value", "profile delta", "profile average",
    "profile sample", "profile end reading",
]  # fmt: skip
"""What sort of value a source gives, where it stands."""

ROWS: Final[dict[str, MappingRow]] = {
    row.row: row for row in sorted((*QUANTITY_ROWS, *ELEMENT_ROWS), key=lambda row: int(row.row[1:]))
}
"""Every row of the mapping, by its number."""
_KINDS: Final[dict[ValueKind, tuple[str, int | None, InterfaceClass]]] = {
    "summation": ("M65", None, InterfaceClass.REGISTER),
    "demand maximum": ("M67", 6, InterfaceClass.EXTENDED_REGISTER),
    "demand minimum": ("M68", 3, InterfaceClass.EXTENDED_REGISTER),
    "cumulative maximum": ("M70", 2, InterfaceClass.REGISTER),
    "cumulative minimum": ("M70", 1, InterfaceClass.REGISTER),
    "continuous cumulative": ("M71", None, InterfaceClass.REGISTER),
    "coincident": ("M72", None, InterfaceClass.REGISTER),
    "present demand": ("M74", 4, InterfaceClass.DEMAND_REGISTER),
    "present value": ("M75", None, InterfaceClass.REGISTER),
    "profile delta": ("M84", 29, InterfaceClass.REGISTER),
    "profile average": ("M85", 5, InterfaceClass.REGISTER),
    "profile sample": ("M85", 7, InterfaceClass.REGISTER),
    "profile end reading": ("M86", 8, InterfaceClass.REGISTER),
}
_TAKEN_FIRST: Final = tuple(ROWS[row] for row in ("M16", "M18"))
"""Rows that hold whatever the quadrants are."""
_RATES: Final = range(1, 64)
_MOST_TIERS: Final = 8


class NamedQuantity(NamedTuple):
    """What a quantity is called in COSEM.

    Attributes:
        rows: the rows of the mapping that say so.
        fidelity: the least exact mark of them.
        name: None if it cannot be mapped; value group B is 0.
        interface: class of its object.
        unit: code of its unit; None if that is not known.
        signed: the value may be less than 0.
        remarks: what is lost, or why it cannot be mapped.
    """

    rows: tuple[str, ...]
    fidelity: Fidelity
    name: LogicalName | None
    interface: InterfaceClass | None
    unit: int | None
    signed: bool
    remarks: tuple[str, ...]


@remembered(4096)
def name_of(
    uom: UnitDescription,
    kind: ValueKind,
    tier: int | None = None,
    *,
    period: int = CURRENT,
    undirected: Literal["delivered"] | None = None,
) -> NamedQuantity:
    """Return what a value of a source is called.

    Args:
        uom: entry of ST12 of the source.
        kind: what sort of value it is.
        tier: of use, 0 for the first; None for the total.
        period: value group F.
        undirected: what a power or energy without quadrants counts, if the caller knows.
    """
    kind_row, kind_d, interface = _KINDS[kind]
    if kind in {"continuous cumulative", "coincident"}:
        return _unmapped(ROWS[kind_row])
    if uom.harmonic:
        return _unmapped(ROWS["M63"])
    found = None if uom.manufacturer else _matching(uom)
    if found is None:
        row = ROWS["M64"]
        if not uom.manufacturer and uom.facts.kind not in {Kind.RESERVED, Kind.UNCONFIRMED}:
            return NamedQuantity((), "N", None, None, None, False, (f"no logical name is known for {uom.quantity}",))
        return _unmapped(row)
    row, rule = found
    undirected_c = rule.undirected if undirected is not None else None
    if row.fidelity == "N" and undirected_c is None:
        return _unmapped(row)
    d = rule.d if rule.d is not None else _processing(kind_d, uom.time_base)
    if d is None:
        return _unmapped(ROWS["M23"])
    c, e = rule.c, rule.e
    if rule.flows is not None:
        c = undirected_c if undirected_c is not None else rule.flows[uom.quadrants]
    if rule.phases is not None and uom.phase is not None:
        moved = rule.phases[uom.phase]
        c, e = (c + moved, e) if rule.phased == "c" else (c, moved)
    rows, remarks = [row], [row.residue] if row.residue else []
    if undirected_c is not None:
        remarks = ["the direction is what the caller said"]
    for other in QUANTITY_ROWS:
        for more in other.rules if other.adds else ():
            if _matches(more, uom):
                rows.append(other)
                c += more.phases[uom.phase] if more.phases is not None and uom.phase is not None else 0
    if tier is not None and (e is not None or tier + 1 not in _RATES):
        text = "value group E, which would be the rate, says something else" if e is not None else f"tier {tier}"
        return NamedQuantity((row.row,), "N", None, None, None, False, (text,))
    rows.append(ROWS[kind_row])
    if tier is not None:
        rows.append(ROWS["M66"])
    unit = rule.unit if rule.unit is not None else unit_code(uom.unit)
    marks: list[Fidelity] = [one.fidelity for one in rows]
    if undirected_c is not None:
        marks = ["C"]
    if uom.phase is Segmentation.NEUTRAL and rule.phases is None:
        marks.append("C")
        remarks.append("neutral is taken as: no phase information")
    remarks += [one.residue for one in rows[1:] if one.residue and one.fidelity != "E"]
    name = LogicalName(rule.a, 0, c, d, e if e is not None else 0 if tier is None else tier + 1, period)
    return NamedQuantity(
        tuple(one.row for one in rows), worst(marks), name, interface, unit, rule.signed, tuple(remarks)
    )


def _unmapped(row: MappingRow) -> NamedQuantity:
    return NamedQuantity((row.row,), "N", None, None, None, False, (row.residue,))


def _matching(uom: UnitDescription) -> tuple[MappingRow, EntryRule] | None:
    for row in (*_TAKEN_FIRST, *QUANTITY_ROWS):
        if not row.adds:
            for rule in row.rules:
                if _matches(rule, uom):
                    return row, rule
    return None


def _matches(rule: EntryRule, uom: UnitDescription) -> bool:
    if uom.id_code not in rule.codes or (rule.bases is not None and uom.time_base not in rule.bases):
        return False
    if rule.flows is not None and (uom.quadrants not in rule.flows or rule.net not in {None, uom.net}):
        return False
    return rule.phases is None or uom.phase in rule.phases


def _processing(kind_d: int | None, base: TimeBase) -> int | None:
    """Return value group D; None where it depends on moments that are not known."""
    if kind_d is not None:
        return kind_d
    if base in SAMPLES:
        return 7
    if base in AVERAGES:
        return 5
    return None if base is TimeBase.NET_BULK else 8


class Meaning(NamedTuple):
    """What a logical name is in C12.19.

    Attributes:
        entry: fields of an ST12 entry of such a source, but for MULTIPLIER.
        kind: what sort of value it is.
        tier: of use, 0 for the first; None for the total.
        channel: value group B.
        period: value group F.
        fidelity: how exact that is.
    """

    entry: dict[str, int]
    kind: ValueKind
    tier: int | None
    channel: int
    period: int
    fidelity: Fidelity


def meaning(name: LogicalName, *, unit: int | None = None) -> Meaning | None:
    """Return what a logical name of a measured quantity is in C12.19; None if it is nothing there.

    Args:
        name: the logical name.
        unit: code of its unit, which tells codes of one quantity apart (m³ from ft³).
    """
    found = _meanings().get(name._replace(b=0, f=CURRENT))
    tier = None
    if found is None and 0 < name.e <= _MOST_TIERS:
        found, tier = _meanings().get(name._replace(b=0, e=0, f=CURRENT)), name.e - 1
    for entry, kind, fidelity in found or ():
        uom = describe_unit({**entry, "MULTIPLIER": 0})
        named = name_of(uom, kind, tier)
        if named.name is not None and unit in {None, named.unit}:
            return Meaning(entry, kind, tier, name.b, name.f, fidelity)
    return None


@remembered()
def _meanings() -> dict[LogicalName, list[tuple[dict[str, int], ValueKind, Fidelity]]]:
    """Return every name that the rows give, and what gives it: the most exact first."""
    found: dict[LogicalName, list[tuple[dict[str, int], ValueKind, Fidelity]]] = {}
    for row in QUANTITY_ROWS:
        for rule in () if row.adds else row.rules:
            for entry in _entries(rule):
                uom = describe_unit({**entry, "MULTIPLIER": 0})
                for kind in _KINDS:
                    if not _usual(kind, uom.time_base):
                        continue
                    named = name_of(uom, kind)
                    if named.name is not None:
                        found.setdefault(named.name, []).append((entry, kind, named.fidelity))
    for ways in found.values():
        ways.sort(key=lambda way: "ELCN".index(way[2]))
    return found


_USUAL: Final[dict[ValueKind, frozenset[TimeBase]]] = {
    "summation": frozenset({TimeBase.BULK, TimeBase.EVENT}),
    "present value": SAMPLES,
    "profile delta": frozenset({TimeBase.BULK}),
}


def _usual(kind: ValueKind, base: TimeBase) -> bool:
    """Return whether such a source is what such a value is usually of."""
    return base in _USUAL.get(kind, AVERAGES) and kind not in {"profile sample", "profile end reading"}


def _entries(rule: EntryRule) -> list[dict[str, int]]:
    return [
        {
            "ID_CODE": code, "TIME_BASE": base, "SEGMENTATION": phase, "NET_FLOW_ACCOUNTABILITY": int(bool(rule.net)),
            "HARMONIC": 0, "NFS": 0, **{f"Q{n}_ACCOUNTABILITY": int(n in flow) for n in (1, 2, 3, 4)},
        }
        for code in sorted(rule.codes)
        for base in (TimeBase.BULK, TimeBase.INSTANTANEOUS, TimeBase.BLOCK_DEMAND, TimeBase.EVENT)
        if rule.bases is None or base in rule.bases
        for flow in (rule.flows or {(): 0})
        for phase in (rule.phases or (Segmentation if rule.flows else (Segmentation.ALL,)))
    ]  # fmt: skip
