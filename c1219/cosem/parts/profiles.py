"""Load profiles as COSEM profiles: a column for the end of an interval, one for its status, one for each channel."""

from __future__ import annotations

from decimal import Context, Decimal
from typing import TYPE_CHECKING, Any, Final

from c1219.caches import remembered
from c1219.codes.status import ChannelStatus
from c1219.codes.units import TimeBase
from c1219.cosem.classes import InterfaceClass
from c1219.cosem.data import NULL, Data, octet_string, u8, u32
from c1219.cosem.names import LogicalName
from c1219.cosem.numbers import interval_wire
from c1219.cosem.objects import CosemObject, CosemProfile, ProfileEntry
from c1219.cosem.parts.builder import CLOCK_NAME, STATUS_NAME, ValueColumn
from c1219.cosem.parts.registers import capture_attributes
from c1219.cosem.quantities import ROWS
from c1219.cosem.row import AVERAGES, worst
from c1219.rules.profile_set import SETS, set_label
from c1219.rules.sources import EXACT
from c1219.views.load_profile import IntervalStatus, LoadProfile, load_profile
from c1219.views.profile.set import profile_set

if TYPE_CHECKING:
    from collections.abc import Sequence

    from c1219.cosem.parts.builder import Builder
    from c1219.cosem.quantities import ValueKind
    from c1219.rules.profile_set import Channel
    from c1219.rules.sources import Source
    from c1219.views.load_profile import Interval
    from c1219.views.profile.set import ProfileSet

__all__ = ["profile_columns", "profile_objects"]

_QUOTIENT: Final = Context(prec=28)
_NOT_VALID: Final = 0x04
_STATUS_BITS: Final = (
    (IntervalStatus.NOT_VALID | IntervalStatus.INHIBITED, _NOT_VALID),
    (IntervalStatus.DST, 0x08),
    (IntervalStatus.CLOCK_SET_FORWARD | IntervalStatus.CLOCK_SET_BACKWARD, 0x20),
    (IntervalStatus.POWER_FAIL, 0x80),
)
"""Bits of the status of an interval, as open profiles have them: DSMR, SMR [1]."""
_DST_OCTET: Final = 11


_Placed = list[tuple["ProfileSet", list[tuple["Channel", ValueColumn | str]]]]


def profile_columns(builder: Builder) -> _Placed:
    """Return the sets that are here, and how the values of their channels are named and written."""
    found: _Placed = []
    for number in SETS:
        if builder.st0 is None or not builder.has(63 + number):
            continue
        profile = profile_set(builder.device, number, builder.findings, **builder.options)
        if profile is not None:
            code = getattr(builder.record(62), f"INT_FMT_CDE{number}")
            wire = interval_wire(builder.st0, code)
            found.append((profile, [(channel, _column(builder, channel, wire)) for channel in profile.channels]))
    return found


def profile_objects(builder: Builder, placed: _Placed) -> None:
    """Map every set of the load profile that is here; their rows are made when they are asked for."""
    for profile, columns in placed:
        _profile(builder, profile, columns)


def _column(builder: Builder, channel: Channel, wire: str) -> ValueColumn | str:
    source = channel.source
    base = None if source.uom is None else source.uom.time_base
    kind: ValueKind = "profile delta"
    if base in AVERAGES:
        kind = "profile average"
    elif base in {TimeBase.INSTANTANEOUS, TimeBase.PERIOD}:
        kind = "profile sample"
    return builder.column(kind, source.index, wire, _scaled(source, channel))


def _scaled(source: Source, channel: Channel) -> Source:
    """Return a source whose multiplier has divisor and scalar of a channel in it."""
    if channel.divisor == channel.scalar:
        return source
    divisor, scalar = Decimal(channel.divisor), Decimal(channel.scalar)
    product = EXACT.multiply(source.multiplier, divisor)
    quotient = EXACT.divide(product, scalar)
    whole = EXACT.multiply(quotient, scalar) == product
    return source._replace(multiplier=quotient if whole else _QUOTIENT.divide(product, scalar))


def _profile(builder: Builder, profile: ProfileSet, columns: list[tuple[Channel, ValueColumn | str]]) -> None:
    number, facts = profile.number, ROWS["M82"]
    view = _Once(builder, number)
    cells: list[tuple[InterfaceClass, LogicalName, int]] = [(InterfaceClass.CLOCK, CLOCK_NAME, 2)]
    kept: list[tuple[int, ValueColumn]] = []
    has_status = profile.extended is not None or profile.simple is not None
    if has_status:
        cells.append((InterfaceClass.DATA, STATUS_NAME, 2))
    for channel, column in columns:
        path = f"LP{number}.CH{channel.number}"
        if isinstance(column, str) or column.scale is None:
            reason = column if isinstance(column, str) else column.reason
            builder.leave("M84", path, channel.source.quantity, reason)
            continue
        _channel(builder, path, channel, column, view)
        cells.append((InterfaceClass.REGISTER, column.name, 2))
        kept.append((channel.number, column))
    if has_status:
        _last_status(builder, profile, view)
    attributes = capture_attributes(tuple(cells), profile.minutes * 60, 0, profile.block_count * profile.per_block)
    attributes[7] = lambda: u32(len({(row.block, row.end) for row in view().rows}))
    name = LogicalName(1, 0, 99, 1, number - 1)
    made = CosemProfile(
        name, profile.label, attributes, tuple(cells), lambda: _entries(builder, view(), kept, has_status),
        rows=("M82", "M87", "M88", "M89", "M90"), fidelity=facts.fidelity, remarks=(facts.residue, ROWS["M88"].residue),
    )  # fmt: skip
    builder.add(made)


class _Once:
    """Makes a view when it is first asked for."""

    def __init__(self, builder: Builder, number: int) -> None:
        self._builder = builder
        self._number = number
        self._made: LoadProfile | None = None

    def __call__(self) -> LoadProfile:
        if self._made is None:
            self._builder.image(set_label(self._number))
            self._made = load_profile(self._builder.device, self._number, **self._builder.options)
        return self._made


def _channel(builder: Builder, path: str, channel: Channel, column: ValueColumn, view: _Once) -> None:
    scale, named = column.scale, column.named
    if scale is None:
        return

    def newest() -> Data:
        rows = (row for row in reversed(view().rows) if row.channel == channel.number)
        return scale.data(_value(next(rows, None)))

    remarks = (*named.remarks, *scale.remarks)
    if column.channel:
        remarks = (*remarks, f"other sources have this name too: this is channel {column.channel}")
    fidelity = worst(("C" if column.channel else named.fidelity, named.fidelity))
    attributes: dict[int, Any] = {2: newest, 3: scale.scaler_unit}
    builder.add(
        CosemObject(
            InterfaceClass.REGISTER, column.name, path, attributes, rows=named.rows, fidelity=fidelity, remarks=remarks
        )
    )
    builder.paths[path] = column.name


def _value(row: Interval | None) -> Decimal | None:
    return None if row is None or row.status & IntervalStatus.NOT_VALID else row.value


def _last_status(builder: Builder, profile: ProfileSet, view: _Once) -> None:
    def newest() -> Data:
        rows = view().rows
        return u8(_status(rows[-1].status, skipped=False)) if rows else NULL

    builder.plain("M88", InterfaceClass.DATA, STATUS_NAME, profile.label, {2: newest})


def _entries(
    builder: Builder,
    view: LoadProfile,
    kept: list[tuple[int, ValueColumn]],
    has_status: bool,
) -> Sequence[ProfileEntry]:
    """Return a row for each interval: rows of one interval stand together, in order of their channels."""
    entries: list[ProfileEntry] = []
    group: dict[int, Interval] = {}
    last: Interval | None = None
    for row in (*view.rows, None):
        if last is not None and (
            row is None or row.channel <= last.channel or row.block != last.block or row.end != last.end
        ):
            entries.append(_entry(builder, last, group, kept, has_status=has_status))
            group = {}
        if row is not None:
            group[row.channel] = row
        last = row
    return entries


def _entry(
    builder: Builder,
    last: Interval,
    group: dict[int, Interval],
    kept: list[tuple[int, ValueColumn]],
    *,
    has_status: bool,
) -> ProfileEntry:
    values = [
        column.scale.data(_value(group.get(number))) if column.scale is not None else NULL for number, column in kept
    ]
    skipped = any(row.extended == ChannelStatus.SKIPPED_INTERVAL for row in group.values())
    status = [u8(_status(last.status, skipped=skipped))] if has_status else []
    time = builder.time_data(last.end)
    if last.end is not None and last.end.utcoffset() is None:  # then only the interval itself knows
        octets = bytearray(time.value)
        octets[_DST_OCTET] = 0x80 if last.status & IntervalStatus.DST else octets[_DST_OCTET]
        time = octet_string(bytes(octets))
    return ProfileEntry(last.end, (time, *status, *values))


@remembered(256)
def _status(flags: IntervalStatus, *, skipped: bool) -> int:
    bits = _NOT_VALID if skipped else 0
    for flag, bit in _STATUS_BITS:
        bits |= bit if flags & flag else 0
    return bits
