"""Readings of tables in messages as people read them: amounts in kWh, intervals and entries of logs as rows."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from itertools import groupby
from textwrap import wrap
from typing import TYPE_CHECKING, Any, Final

from c1222.amounts import tier_text
from c1222.cli.amounts import aligned, amount
from c1222.cli.columns import columns
from c1222.cli.view_text import WEEKDAYS, drift_text, kind_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = ["reading_lines"]

_Row = dict[str, Any]
_PLAIN: Final = frozenset({"summation", "present value", "demand resets"})
"""Kinds of registers that need no word: the quantity says it."""
_WIDTH: Final = 72
"""Columns of a line of a terminal, less those that stand before a reading."""
_GAP: Final = "  "
"""Between columns, and before what goes on on another line."""


def reading_lines(rows: Sequence[_Row], unit: str) -> Iterable[str]:
    """Return the readings of a table as lines.

    Args:
        rows: as `c1222.capture.tables.reader.TableReader` gives them: all of registers, of a load profile, of a log, or
            of a clock.
        unit: of amounts: ``kilo``, ``base`` or ``raw``.
    """
    path = rows[0]["path"]
    if path.startswith("LP"):
        return _interval_lines(rows, unit)
    if "sequence" in rows[0]:
        return _event_lines(rows)
    if path.endswith(".CLOCK_CALENDAR"):
        return map(_clock_line, rows)
    return _register_lines(rows, unit)


def _amounts(rows: Sequence[_Row], unit: str) -> tuple[list[str], list[str | None]]:
    """Return values, points one below the other, and units."""
    found = [_amount(row, unit) for row in rows]
    return aligned([value for value, _ in found]), [own for _, own in found]


def _amount(row: _Row, unit: str) -> tuple[str, str | None]:
    value, raw = row.get("value"), row.get("raw")
    stored = bytes.fromhex(raw["raw"]) if isinstance(raw, dict) else raw
    return amount(None if value is None else Decimal(value), row.get("unit"), stored, unit)


def _register_lines(rows: Sequence[_Row], unit: str) -> Iterator[str]:
    values, units = _amounts(rows, unit)
    taken = max(map(len, values), default=0) + max(len(own or "") for own in units) + 2 * len(_GAP)
    cells: list[tuple[str, str | None, str]] = []
    for row, value, own in zip(rows, values, units, strict=True):
        first, *more = _lines(_register_words(row), _WIDTH - taken)
        cells += [(value, own, first), *(("", None, f"{_GAP}{line}") for line in more)]
    return _without_head(columns(("", "", ""), cells, right=(0,)))


def _lines(words: Iterable[str], width: int) -> list[str]:
    """Return words with commas between them, on as many lines as it takes."""
    lines: list[str] = []
    for word in words:
        if lines and len(lines[-1]) + len(f", {word},") <= width:
            lines[-1] += f", {word}"
        else:
            if lines:
                lines[-1] += ","
                width -= len(_GAP) if len(lines) == 1 else 0
            first, *more = wrap(word, width) or [""]
            lines += [first, *more]
    return lines


def _register_words(row: _Row) -> list[str]:
    kind, tier = row["kind"], row.get("tier")
    words = [row.get("quantity", "")]
    if kind not in _PLAIN:
        words.append(kind_text(kind, row.get("extreme")))
    if tier is not None:
        words.append(tier_text(tier))
    elif not kind.startswith("present") and kind != "demand resets":
        words.append("total")
    if "time" in row:
        words.append(_time(row["time"]))
    if "self_read" in row:
        words.append(f"self read {row['self_read']}")
    if "end" in row:
        words.append(f"to {_time(row['end'])}")
    return [*filter(None, words + row.get("remarks", []))] or [""]


def _interval_lines(rows: Sequence[_Row], unit: str) -> Iterator[str]:
    """Yield a line for each interval, with a column for each channel; before them what the channels measure."""
    names = list(dict.fromkeys(row["path"] for row in rows))
    values, units = _amounts(rows, unit)
    heads: dict[str, str] = {}
    for row, shown in zip(rows, units, strict=True):
        heads.setdefault(row["path"], f"{row['path'].partition('.')[2]} {shown or ''}".rstrip())
    measured = {row["path"]: row["quantity"] for row in rows}
    for name in names:
        yield f"{name} {measured[name]}"
    cells = []
    for start, group in groupby(zip(rows, values, strict=True), key=lambda item: item[0].get("start")):
        own = list(group)
        of = {row["path"]: value for row, value in own}
        status = " ".join(dict.fromkeys(flag for row, _ in own for flag in row.get("status", ()))).lower()
        first = _time(start) if start else f"to {_time(own[0][0].get('end', 'not known'))}"
        cells.append((first, *(of.get(name, "") for name in names), status))
    yield from columns(("START", *(heads[name] for name in names), "STATUS"), cells, right=range(1, len(names) + 1))


def _event_lines(rows: Sequence[_Row]) -> Iterator[str]:
    cells = [(_time(row["time"]) if "time" in row else None, row["sequence"], row["user"], row["text"]) for row in rows]
    return columns(("TIME", "SEQUENCE", "USER", "EVENT"), cells, right=(1, 2))


def _clock_line(row: _Row) -> str:
    words = [_time(row["time"])]
    if "weekday" in row:
        words.append(WEEKDAYS[row["weekday"]])
    if row.get("dst"):
        words.append("daylight saving time")
    if "tier" in row:
        words.append(tier_text(row["tier"]))
    if "drift" in row:
        words.append(drift_text(dt.timedelta(seconds=row["drift"])))
    return ", ".join(words)


def _time(text: str) -> str:
    return text.replace("T", " ")


def _without_head(lines: Iterator[str]) -> Iterator[str]:
    next(lines)
    return lines
