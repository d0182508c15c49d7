"""The one schema of readings, ``c1219.readings/1``: registers and load profiles of any meter, in one table.

Values, quantities, units and kinds are as the views say them; units are base units (Wh, W, varh).
"""

from __future__ import annotations

import datetime as dt
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from c1219.tabular.schema import METER, RowColumn, RowSchema
from c1219.values import Raw

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = [
    "PRECISION", "READINGS", "ROUNDED", "SCALE", "TOO_LARGE", "ZONE_UNKNOWN", "MeterOrigin", "TableRead", "fitted",
    "minutes_from_utc", "raw_text", "reading",
]  # fmt: skip

PRECISION: Final = 38
SCALE: Final = 9
"""Digits of `value` in all, and after the point."""
ZONE_UNKNOWN: Final = "ZONE_UNKNOWN"
ROUNDED: Final = "ROUNDED"
TOO_LARGE: Final = "TOO_LARGE"
"""Flags of a row; see the column `status`."""

READINGS: Final = RowSchema(
    "c1219.readings/1",
    "One value of a register, or of one channel in one interval of a load profile.",
    (
        *METER,
        RowColumn(
            "path",
            "string",
            "the element of a register, such as `ST23.TOT_DATA_BLOCK.SUMMATIONS[0]`; `LP1.CH2`: channel 2 of "
            "load-profile set 1",
            null=False,
        ),
        RowColumn("start", "time", "start of the interval; null for registers", "ST64 to ST67"),
        RowColumn(
            "end",
            "time",
            "when the value held: at the end of the interval or period, else when the meter was read, else what its "
            "clock said then; null where nothing tells",
            "ST64 to ST67, ST24 to ST26, ST52, ST55",
        ),
        RowColumn(
            "local_offset",
            "int16",
            "minutes that the meter's place is ahead of UTC at the end; null where its zone is not known",
            "ST53, ST54",
        ),
        RowColumn("source", "int16", "index of what is measured", "ST16"),
        RowColumn("quantity", "word", "what is measured", "ST12"),
        RowColumn("unit", "word", "base unit of the value; empty for a pure number", "ST12, ST15"),
        RowColumn("kind", "word", "`interval`, or what sort of register it is", "ST22, ST27"),
        RowColumn("tier", "int16", "of use, 0 for the first; null for the total"),
        RowColumn("occurrence", "int16", "of a demand or coincident value, 0 for the first"),
        RowColumn("value", "decimal", "after multiplier, scaling and constants; null where it is not valid"),
        RowColumn("raw", "string", "the number on the wire; octets in hex where they are no number"),
        RowColumn(
            "status",
            "words",
            f"flags of the interval and channel, and of this row: `{ZONE_UNKNOWN}`: its times are what the meter's "
            f"clock shows, taken as UTC; `{ROUNDED}`: the value has more than 9 digits after the point; "
            f"`{TOO_LARGE}`: it has more than 29 before it, and is null",
            "ST64 to ST67",
            null=False,
        ),
        RowColumn("verified", "bool", "whether a MAC was right; null where none was expected"),
        RowColumn("read_at", "time", "when it was read or captured"),
        RowColumn("obis", "string", "its name in COSEM"),
        RowColumn("reading_type", "string", "its name in IEC CIM, with the multiplier 0: `value` is in the base unit"),
        RowColumn("event_time", "time", "when a demand occurred", "ST23 to ST26"),
        RowColumn("extreme", "word", "`maximum` or `minimum`, of demands and what is coincident with them", "ST22"),
    ),
    key=("meter", "path", "end"),
)

_PLACES: Final = {column.name: place for place, column in enumerate(READINGS.columns)}
_CONTEXT: Final = Context(prec=PRECISION + 1, rounding=ROUND_HALF_EVEN)
_ZERO: Final = Decimal(0)
_LAST: Final = Decimal(1).scaleb(-SCALE)
_WHOLE: Final = PRECISION - SCALE


class TableRead(NamedTuple):
    """When a table was read, and whether it can be trusted.

    Attributes:
        at: aware time at which it was read or captured; None if that is not known.
        verified: whether a MAC was right; None if none was expected.
    """

    at: dt.datetime | None
    verified: bool | None


class MeterOrigin(NamedTuple):
    """Which meter rows come from, and when it was read.

    Attributes:
        meter: serial number of ST1, else the identification of ST5, else the title; "" if none is known.
        node: title in the network.
        clock: the meter's clock when it was read; aware if the offset from UTC is known.
        place: gives an instant the offset of the meter's place; None where that is not known.
        read_at: aware time at which it was read or captured.
        verified: whether a MAC was right; None if none was expected.
        tables: what is known of single tables, by label; it overrides `read_at` and `verified`.
    """

    meter: str = ""
    node: str | None = None
    clock: dt.datetime | None = None
    place: Callable[[dt.datetime], dt.datetime] | None = None
    read_at: dt.datetime | None = None
    verified: bool | None = None
    tables: Mapping[str, TableRead] | None = None

    def of(self, label: str) -> MeterOrigin:
        """Return this with what is known of one table, for example ``ST23``."""
        read = None if self.tables is None else self.tables.get(label)
        return self if read is None else self._replace(read_at=read.at, verified=read.verified)

    def offset_of(self, time: dt.datetime | None) -> int | None:
        """Return the minutes that the meter's place is ahead of UTC at a time; None if that is not known.

        Args:
            time: with the offset of the place, or in UTC, as times of a capture are.
        """
        if time is None or time.tzinfo is None or self.place is None:
            return None
        return minutes_from_utc(self.place(time) if time.tzinfo is dt.UTC else time)


def minutes_from_utc(time: dt.datetime | None) -> int | None:
    """Return the offset of an aware time in minutes; None for a naive one."""
    offset = None if time is None else time.utcoffset()
    return None if offset is None else round(offset.total_seconds() / 60)


def raw_text(raw: Any) -> str | None:
    """Return the number on the wire as text, octets that are no number in hex."""
    if isinstance(raw, Raw):
        return raw.hex()
    return None if raw is None else f"{raw:f}" if isinstance(raw, Decimal) else str(raw)


def fitted(value: Decimal | None) -> tuple[Decimal | None, tuple[str, ...]]:
    """Return a value as the column holds it, and the flags that say what was lost."""
    if not value:
        return (None if value is None else _ZERO), ()
    if value.adjusted() >= _WHOLE:
        return None, (TOO_LARGE,)
    exponent = value.as_tuple().exponent
    if isinstance(exponent, int) and exponent >= -SCALE:
        return value, ()
    rounded = value.quantize(_LAST, context=_CONTEXT)
    if rounded.adjusted() >= _WHOLE:
        return None, (TOO_LARGE,)
    return rounded, () if rounded == value else (ROUNDED,)


def reading(
    origin: MeterOrigin,
    *,
    end: dt.datetime | None,
    value: Decimal | None,
    raw: Any,
    status: tuple[str, ...] = (),
    **more: Any,
) -> tuple[Any, ...]:
    """Return a row of readings.

    Args:
        origin: which meter it comes from.
        end: when the value held.
        value: in the base unit.
        raw: as decoded.
        status: flags of the interval and channel.
        more: the other columns; those that are not given are null.
    """
    kept, lost = fitted(value)
    clocked = (ZONE_UNKNOWN,) if end is not None and end.tzinfo is None else ()
    row: list[Any] = [None] * len(_PLACES)
    more.update(
        meter=origin.meter, node=origin.node, end=end, local_offset=origin.offset_of(end), value=kept,
        raw=raw_text(raw), status=(*status, *lost, *clocked), verified=origin.verified, read_at=origin.read_at,
    )  # fmt: skip
    for name, item in more.items():
        row[_PLACES[name]] = item
    return tuple(row)
