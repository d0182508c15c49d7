"""Views as people read them: rows in columns, amounts in kWh, and the words of the field."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

from c1219.cosem.units import UNITS
from c1222.amounts import tier_text, time_parts
from c1222.cli.amounts import KILO, aligned, amount
from c1222.cli.columns import columns
from c1222.text import leaves

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from c1219.cosem.objects import CosemObject, CosemObjects
    from c1219.views.clock import Clock
    from c1219.views.event_log import Event
    from c1219.views.load_profile import Interval
    from c1219.views.register_row import Register
    from c1219.views.security import Access

__all__ = [
    "WEEKDAYS",
    "drift_text",
    "event_lines",
    "interval_lines",
    "kind_text",
    "register_lines",
    "view_lines",
]

WEEKDAYS: Final = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")


def view_lines(name: str, view: Any, unit: str = KILO) -> Iterable[str]:
    """Return a view as lines of text.

    Args:
        name: ``identity``, ``clock``, ``registers``, ``load_profile``, ``events``, ``access`` or ``cosem``.
        view: what the method of that name of a device or meter returns.
        unit: of amounts: ``kilo``, ``base`` or ``raw``.
    """
    if name in _AMOUNTS:
        return _AMOUNTS[name](view, unit) if len(view) else ["none"]
    if name == "events":
        return event_lines(view) if len(view) else ["none"]
    return _PLAIN[name](view)


# --- words


def kind_text(kind: str, extreme: str | None) -> str:
    """Return what sort of value a register holds, such as ``maximum demand`` and ``cumulative demand``."""
    words = f"{kind} demand" if kind.endswith("cumulative") else kind
    if extreme is None:
        return words
    return f"{words} with {extreme}" if kind == "coincident" else f"{extreme} {words}"


def drift_text(drift: dt.timedelta) -> str:
    """Return how far a clock is off: ``1.7 s behind``."""
    tenths = round(abs(drift) / dt.timedelta(milliseconds=100))
    if not tenths:
        return "less than 0.1 s off"
    seconds, tenth = divmod(tenths, 10)
    *longer, (seconds, _) = time_parts(seconds)
    words = "".join(f"{count} {unit} " for count, unit in longer)
    return f"{words}{seconds}.{tenth} s {'behind' if drift < _NONE else 'ahead'}"


_NONE: Final = dt.timedelta(0)


# --- views without rows


def _pairs(view: Any) -> Iterator[str]:
    """Yield what is known of a view that has no rows, a line each."""
    return _pair_lines({name: value for name, value in view.as_dict().items() if name != "findings"})


def _pair_lines(shown: dict[str, Any]) -> Iterator[str]:
    rows = [
        (path.replace("_", " ") if path.islower() else path, value)
        for path, value in leaves(shown)
        if value not in (None, "", [], {})
    ]
    if not rows:
        yield "nothing is known"
    width = max((len(name) for name, _ in rows), default=0)
    for name, value in rows:
        yield f"{name.ljust(width)}  {value}"


def _clock(found: Clock) -> Iterator[str]:
    shown: dict[str, Any] = {name: value for name, value in found.as_dict().items() if name != "findings"}
    for name in ("tier", "demand_tier"):
        if shown[name] is not None:
            shown[name] = tier_text(shown[name])
    for change in shown["next_switches"]:
        change["tier"] = tier_text(change["tier"])
    if found.drift is not None:
        shown["drift"] = drift_text(found.drift)
    if found.weekday is not None:
        shown["weekday"] = WEEKDAYS[found.weekday]
    if found.dst is not None:
        shown["dst"] = "daylight saving time" if found.dst else "standard time"
    return _pair_lines(shown)


def _access(found: Access) -> Iterable[str]:
    if not found.permissions:
        return ["nothing is known"]
    header = ("ELEMENT", "READ", "WRITE OR EXECUTE", "RULE", "NAME")
    rows = [
        (row.label, row.read or "not known", row.write or "not known", row.rule, row.name) for row in found.permissions
    ]
    opened = [
        f"password {one.entry} opens groups {', '.join(map(str, one.groups)) or 'none'}"
        for one in found.passwords or ()
    ]
    return [*columns(header, rows), *opened]


# --- rows


def register_lines(found: Iterable[Register], unit: str = KILO) -> Iterator[str]:
    """Return registers as lines, below a head line."""
    rows = tuple(found)
    amounts = [amount(row.value, row.unit, row.raw, unit) for row in rows]
    named: Mapping[str, str] = getattr(found, "obis", {})
    header = ("VALUE", "UNIT", "OBIS", "QUANTITY", "KIND", "BLOCK", "TIME", "PERIOD", "ELEMENT", "REMARKS")
    cells = [
        (
            value, own, named.get(row.path), row.quantity, kind_text(row.kind, row.extreme), _block(row),
            row.event_time, _period(row), row.path, "; ".join(row.remarks),
        )
        for row, value, (_, own) in zip(rows, aligned([text for text, _ in amounts]), amounts, strict=True)
    ]  # fmt: skip
    return columns(header, cells, right=(0,))


def _block(row: Register) -> str | None:
    return row.block if row.tier is None else tier_text(row.tier)


def _period(row: Register) -> str:
    words: list[object] = [row.period]
    if row.self_read is not None:
        words.append(row.self_read)
    if row.period_end is not None:
        words += ["to", row.period_end]
    return " ".join(map(str, words))


def interval_lines(found: Iterable[Interval], unit: str = KILO) -> Iterator[str]:
    """Return the intervals of a load profile as lines, below a head line."""
    rows = tuple(found)
    amounts = [
        ("", row.unit) if row.value is None and unit != "raw" else amount(row.value, row.unit, row.raw, unit)
        for row in rows
    ]
    cells = [
        (
            row.start, row.end, row.channel, value, own, row.quantity,
            " ".join(flag.name or "" for flag in row.status).lower(),
        )
        for row, value, (_, own) in zip(rows, aligned([text for text, _ in amounts]), amounts, strict=True)
    ]  # fmt: skip
    return columns(("START", "END", "CHANNEL", "VALUE", "UNIT", "QUANTITY", "STATUS"), cells, right=(2, 3))


def event_lines(found: Iterable[Event]) -> Iterator[str]:
    """Return the entries of logs as lines, below a head line."""
    rows = [(row.time, row.log, row.sequence, row.user, row.code, row.text) for row in found]
    return columns(("TIME", "LOG", "SEQUENCE", "USER", "CODE", "EVENT"), rows, right=(2, 3, 4))


def _cosem(found: CosemObjects) -> Iterator[str]:
    """Yield objects as lines, below a head line, then what has no object, with the reason."""
    header = ("CLASS", "OBIS", "VALUE", "UNIT", "MAP", "ELEMENT", "REMARKS")
    cells = [
        (int(row.interface), row.name, *_value(row), row.fidelity, row.path, "; ".join(row.remarks)) for row in found
    ]
    yield from columns(header, cells, right=(0, 2))
    if found.residue:
        yield ""
        yield from columns(("NO OBJECT", "WHAT", "WHY"), [(one.path, one.what, one.reason) for one in found.residue])


def _value(row: CosemObject) -> tuple[str | None, str | None]:
    """Return the value of an object that is a number, and its unit."""
    names = row.interface.facts.attributes
    if "scaler_unit" not in names:
        return None, None
    scale, value = row.attribute(names.index("scaler_unit") + 1), row.attribute(2)
    if scale is None or value is None or value.value is None:
        return None, None
    scaler, unit = scale.plain()
    return f"{value.value}" if not scaler else f"{value.value} · 10^{scaler}", UNITS.get(unit)


_AMOUNTS: Final[dict[str, Callable[[Any, str], Iterable[str]]]] = {
    "registers": register_lines,
    "load_profile": interval_lines,
}
_PLAIN: Final[dict[str, Callable[[Any], Iterable[str]]]] = {
    "identity": _pairs, "clock": _clock, "access": _access, "cosem": _cosem,
}  # fmt: skip
