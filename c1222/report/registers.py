"""Registers as people compare them: a table a period with a column a rate, demand peaks, and shares of rates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from c1222.amounts import amount_text, rate_text, shown_unit
from c1222.report.words import moment

if TYPE_CHECKING:
    from collections.abc import Iterable
    from decimal import Decimal

    from c1219.views.register_row import Register

__all__ = ["Peak", "PeriodTable", "RegisterCell", "RegisterLine", "Share", "Shares", "peaks", "period_tables", "shares"]

_TOTAL: Final = "total"
_KINDS: Final = {"summation": "", "demand": "demand"}


class RegisterCell(NamedTuple):
    """A value in a table of registers.

    Attributes:
        value: as text, without unit; "" if the meter has none.
        note: when it occurred, or what is doubtful.
        doubtful: whether quantity, unit or value are not known.
    """

    value: str
    note: str
    doubtful: bool


class RegisterLine(NamedTuple):
    """A line of a table of registers: one quantity, over the rates.

    Attributes:
        name: what it is.
        unit: of the values.
        cells: one for each column.
    """

    name: str
    unit: str
    cells: tuple[RegisterCell, ...]


class PeriodTable(NamedTuple):
    """The registers of one period.

    Attributes:
        title: which.
        columns: total and rates.
        lines: quantities.
    """

    title: str
    columns: tuple[str, ...]
    lines: tuple[RegisterLine, ...]


class Peak(NamedTuple):
    """A maximum of a demand.

    Attributes:
        quantity: of what.
        value: as text.
        unit: of it.
        column: total, or the rate.
        period: of which period.
        time: when.
        part: of the largest peak of the quantity, 0..100.
    """

    quantity: str
    value: str
    unit: str
    column: str
    period: str
    time: str
    part: float


class Share(NamedTuple):
    """What one rate has of a sum.

    Attributes:
        column: the rate.
        value: as text.
        percent: of the sum of the rates.
        start: percent of the rates before it.
        rank: number of the rate, from 0.
    """

    column: str
    value: str
    percent: float
    start: float
    rank: int


class Shares(NamedTuple):
    """How a quantity of the current period is spread over the rates.

    Attributes:
        quantity: what.
        unit: of the values.
        parts: rates.
    """

    quantity: str
    unit: str
    parts: tuple[Share, ...]


def period_tables(rows: Iterable[Register]) -> tuple[PeriodTable, ...]:
    """Return the registers as tables, one for each period, in the order of the rows."""
    periods: dict[str, list[Register]] = {}
    for row in rows:
        periods.setdefault(_period(row), []).append(row)
    return tuple(_period_table(title, own) for title, own in periods.items())


def _period_table(title: str, rows: list[Register]) -> PeriodTable:
    tiers = sorted({row.tier for row in rows if row.tier is not None})
    places = {None: 0} | {tier: number for number, tier in enumerate(tiers, 1)}
    lines: dict[tuple[str, str], list[RegisterCell]] = {}
    for row in rows:
        cells = lines.setdefault(
            (_name(row), shown_unit(row.unit)), [RegisterCell("", "", doubtful=False)] * len(places)
        )
        cells[places[row.tier]] = _cell(row)
    columns = (_TOTAL, *map(rate_text, tiers)) if tiers else ("value",)
    return PeriodTable(title, columns, tuple(RegisterLine(*key, tuple(cells)) for key, cells in lines.items()))


def _period(row: Register) -> str:
    number = "" if row.self_read is None else f" {row.self_read}"
    end = "" if row.period_end is None else f", to {moment(row.period_end)}"
    return f"{row.period}{number}{end}"


def _name(row: Register) -> str:
    if row.kind == "demand resets":
        return row.quantity or row.kind
    kind = _KINDS.get(row.kind, row.kind)
    if row.extreme is not None:
        kind = f"at {row.extreme} of demand" if row.kind == "coincident" else f"{row.extreme} {kind}"
    number = f" {row.occurrence + 1}" if row.occurrence else ""
    quantity = row.quantity or (f"source {row.source}" if row.source is not None else "not known")
    return f"{quantity}{', ' if kind else ''}{kind}{number}"


def _cell(row: Register) -> RegisterCell:
    note = "; ".join(filter(None, (moment(row.event_time), *row.remarks)))
    if row.value is None:
        raw = row.raw.hex(" ") if isinstance(row.raw, bytes) else str(row.raw)
        return RegisterCell(f"raw {raw}", note, doubtful=True)
    return RegisterCell(amount_text(row.value, row.unit), note, not row.valid)


def peaks(rows: Iterable[Register]) -> tuple[Peak, ...]:
    """Return the maxima of demands, without self reads: those of the current period first."""
    found = [
        (row, row.value)
        for row in rows
        if row.kind == "demand" and row.extreme == "maximum" and row.self_read is None and row.value is not None
    ]
    largest: dict[tuple[str | None, str | None], Decimal] = {}
    for row, value in found:
        key = row.quantity, row.unit
        largest[key] = max(value, largest.get(key, value))
    return tuple(
        Peak(
            row.quantity or "not known",
            amount_text(value, row.unit),
            shown_unit(row.unit),
            _TOTAL if row.tier is None else rate_text(row.tier),
            row.period,
            moment(row.event_time),
            _percent(value, largest[row.quantity, row.unit]),
        )
        for row, value in found
    )


def _percent(value: Decimal, whole: Decimal) -> float:
    return max(0.0, round(float(100 * value / whole), 1)) if whole > 0 else 0.0


def shares(rows: Iterable[Register]) -> tuple[Shares, ...]:
    """Return how the summations of the current period are spread over two rates or more."""
    sums: dict[tuple[str, str | None], dict[int, Decimal]] = {}
    for row in rows:
        if row.kind == "summation" and row.period == "current" and row.tier is not None and row.value is not None:
            sums.setdefault((row.quantity or "not known", row.unit), {})[row.tier] = row.value
    found = []
    for (quantity, unit), tiers in sums.items():
        whole = sum(tiers.values())
        if len(tiers) < 2 or whole <= 0 or min(tiers.values()) < 0:
            continue
        parts, start = [], 0.0
        for rank, (tier, value) in enumerate(sorted(tiers.items())):
            percent = round(float(100 * value / whole), 1)
            parts.append(Share(rate_text(tier), amount_text(value, unit), percent, start, rank))
            start += percent
        found.append(Shares(quantity, shown_unit(unit), tuple(parts)))
    return tuple(found)
