"""Load profile (ST61 to ST67) as rows: one for each interval and channel, with times, quantity, unit and value.

    profile = load_profile(device, 1)
    for row in profile:
        print(row.start, row.channel, row.value, row.unit)

    need = needed(device, 1, since, until)            # before ST64 is read: which octets of it
    pieces = {piece.offset: read(piece.offset, piece.count) for piece in need.pieces}
    profile = load_profile(device, 1, pieces=pieces, since=since, until=until)

Source units are the stored value times divisor, divided by scalar (four readers of EnergyICT Connexo); the rest of the
way to the unit is in `c1219.rules.sources`. A skipped or inhibited interval has no value. Partial and long intervals
keep the start and end of their slot.
"""

from __future__ import annotations

import datetime as dt
from decimal import Context, Decimal
from enum import IntFlag
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from c1219.caches import remembered
from c1219.codes.status import ChannelStatus
from c1219.rules.profile_set import Channel
from c1219.rules.sources import EXACT, exact
from c1219.tabular.readings import READINGS, reading
from c1219.values import Raw
from c1219.views.origin import MeterOrigin, origin
from c1219.views.profile.blocks import Block, blocks_of, boundaries
from c1219.views.profile.needs import Need, NeededOctets, moment, needed
from c1219.views.profile.readings import EndReading, check_readings, end_readings
from c1219.views.profile.set import MAX_BLOCKS, ProfileSet, profile_set
from c1219.views.rows import RowView, csv_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from c1219.errors import Finding
    from c1219.tableset import TableSet

__all__ = [
    "Block", "Channel", "EndReading", "Interval", "IntervalStatus", "LoadProfile", "Need", "NeededOctets",
    "load_profile", "needed",
]  # fmt: skip

_QUOTIENT = Context(prec=28)
"""For values whose scalar has no finite quotient: rounded to 28 digits."""


class IntervalStatus(IntFlag):
    """What is known of an interval: the common status, as in `c1219.codes.status.CommonStatus`, and more."""

    DST = 1
    POWER_FAIL = 2
    CLOCK_SET_FORWARD = 4
    CLOCK_SET_BACKWARD = 8
    NOT_VALID = 16
    """SIMPLE_INT_STATUS does not list it."""
    INHIBITED = 32
    """CLOSURE_STATUS says that the data of its block are inhibited."""


STATES = tuple(IntervalStatus(bits) for bits in range(64))
_STATUS_NAMES = tuple([flag.name for flag in status] for status in STATES)
CHANNEL_STATES: tuple[int, ...] = tuple(ChannelStatus(code) if code < 8 else code for code in range(16))
_SKIPPED = ChannelStatus.SKIPPED_INTERVAL


class Interval(NamedTuple):
    """One interval of one channel.

    Attributes:
        start: its start; aware if the offset from UTC is known, else by the meter's clock; None if not known.
        end: its end.
        channel: 1 for the first.
        source: index into ST16.
        quantity: what is measured.
        unit: of `value`; None if it is not known.
        value: in `unit`; None if there are no data.
        raw: as stored.
        status: flags of the interval.
        extended: status of the channel (8..15 are reserved codes); None if the set keeps none.
        block: sequence number of the block.
    """

    start: dt.datetime | None
    end: dt.datetime | None
    channel: int
    source: int
    quantity: str
    unit: str | None
    value: Decimal | None
    raw: Any
    status: IntervalStatus
    extended: int | None
    block: int

    @property
    def flags(self) -> tuple[str, ...]:
        """Names of the flags of the interval, and of the status of the channel unless it is without exception."""
        return flag_names(self.status, self.extended)


@remembered(1024)
def flag_names(status: IntervalStatus, extended: int | None) -> tuple[str, ...]:
    """Return the names of the flags of an interval, and of the status of a channel unless it is without exception."""
    names = [flag.name or "" for flag in status]
    if extended:
        names.append(extended.name if isinstance(extended, ChannelStatus) else f"RESERVED_{extended}")
    return tuple(names)


class LoadProfile(RowView[Interval]):
    """The rows of one set, in order of time and channel.

    Attributes:
        set: 1..4.
        minutes: length of an interval; 0 if there is no profile.
        channels: its channels.
        blocks: the blocks in use, the oldest first.
        rows: its intervals.
        readings: its end readings.
        findings: what is missing, tolerated or wrong.
        origin: which meter they are of.
        obis: names in COSEM by path, such as ``LP1.CH2``; empty unless they were asked for.
    """

    __slots__ = ("blocks", "channels", "findings", "minutes", "obis", "origin", "readings", "rows", "set")

    schema = READINGS

    def __init__(
        self,
        number: int,
        minutes: int,
        channels: tuple[Channel, ...],
        blocks: tuple[Block, ...],
        rows: tuple[Interval, ...],
        readings: tuple[EndReading, ...],
        findings: tuple[Finding, ...],
        origin: MeterOrigin | None = None,
    ) -> None:
        self.set = number
        self.minutes = minutes
        self.channels = channels
        self.blocks = blocks
        self.rows = rows
        self.readings = readings
        self.findings = findings
        self.origin = origin or MeterOrigin()
        self.obis: Mapping[str, str] = {}

    def __repr__(self) -> str:
        return f"<load profile set {self.set}: {len(self.rows)} rows of {len(self.channels)} channels>"

    def as_dict(self) -> dict[str, Any]:
        """Return it in terms of JSON: Decimal as string, times as ISO 8601, flags as lists of names."""
        channels = [
            {
                "channel": channel.number, "source": channel.source.index, "quantity": channel.source.quantity,
                "unit": channel.source.unit, "scalar": channel.scalar, "divisor": channel.divisor,
                "unresolved": list(channel.source.unresolved),
            }
            for channel in self.channels
        ]  # fmt: skip
        return {
            "set": self.set,
            "minutes": self.minutes,
            "channels": channels,
            "blocks": [
                {
                    "sequence": block.sequence,
                    "element": block.element,
                    "end": _plain(block.end),
                    "intervals": len(block.indices),
                    "closure": block.closure,
                }
                for block in self.blocks
            ],
            "intervals": list(_row_dicts(self.rows)),
            "end_readings": [{k: _plain(v) for k, v in reading._asdict().items()} for reading in self.readings],
            "findings": [finding._asdict() for finding in self.findings],
        }

    def to_csv(self, layout: Literal["long", "wide"] = "long") -> str:
        """Return the rows as CSV with a head line; flags are names with blanks between them.

        Args:
            layout: ``long``, a line for each interval and channel, or ``wide``, a line for each interval with a column
                for the value and one for the status of each channel.

        Raises:
            ValueError: `layout` is something else.
        """
        if layout == "wide":
            return self._wide()
        if layout != "long":
            raise ValueError(f"layout is long or wide, not {layout!r}")
        shown = []
        for items in _row_dicts(self.rows):
            items["status"] = " ".join(items["status"])
            shown.append(items)
        return csv_text(Interval._fields, shown)

    def _wide(self) -> str:
        columns = {}
        for channel in self.channels:
            name, source = f"channel {channel.number}", channel.source
            unit = f" ({source.unit})" if source.unit else ""
            columns[channel.number] = (f"{name} {source.quantity}{unit}", f"{name} status")
        head = ("start", "end", *(name for pair in columns.values() for name in pair))
        return csv_text(head, self._wide_rows(columns))

    def _wide_rows(self, columns: dict[int, tuple[str, str]]) -> Iterator[dict[str, Any]]:
        """Yield a line for each interval: rows of one interval stand together, in order of their channels."""
        empty = dict.fromkeys(["start", "end", *(name for pair in columns.values() for name in pair)])
        line, before = dict(empty), None
        for row in self.rows:
            if before is None or row.channel <= before.channel or row.block != before.block or row.end != before.end:
                if before is not None:
                    yield line
                line = {**empty, "start": _plain(row.start), "end": _plain(row.end)}
            value, status = columns[row.channel]
            line[value], line[status] = _plain(row.value), " ".join(row.flags)
            before = row
        if before is not None:
            yield line

    def table_rows(self) -> Iterator[Sequence[Any]]:
        source = self.origin.of(f"ST{63 + self.set}")
        paths = {channel.number: f"LP{self.set}.CH{channel.number}" for channel in self.channels}
        types = {channel.number: channel.reading_type(self.minutes) for channel in self.channels}
        named = {number: None if found is None else str(found) for number, found in types.items()}
        for row in self.rows:
            path = paths[row.channel]
            yield reading(
                source, path=path, obis=self.obis.get(path), reading_type=named[row.channel],
                start=row.start, end=row.end, source=row.source,
                quantity=row.quantity, unit=row.unit, kind="interval",
                value=None if row.status & IntervalStatus.NOT_VALID else row.value, raw=row.raw, status=row.flags,
            )  # fmt: skip


def _plain(value: Any) -> Any:
    if isinstance(value, dt.datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, bytes):
        return value.hex()
    return value if not isinstance(value, float) or value - value == 0 else str(value)


def _row_dicts(rows: Iterable[Interval]) -> Iterator[dict[str, Any]]:
    """Yield rows in terms of JSON; rows of one interval stand together, and the next starts where it ends."""
    start = end = start_text = end_text = None
    for row in rows:
        if row.start is not start:
            start, start_text = row.start, end_text if row.start is end else _plain(row.start)
        if row.end is not end:
            end, end_text = row.end, _plain(row.end)
        value = None if row.value is None else f"{row.value:f}"
        raw = row.raw if type(row.raw) is int else _plain(row.raw)
        names = list(_STATUS_NAMES[row.status])
        cells = (start_text, end_text, *row[2:_VALUE], value, raw, names, row.extended, row.block)
        yield dict(zip(Interval._fields, cells, strict=True))


_VALUE: Final = Interval._fields.index("value")


class Scaling(dict[Any, Decimal | None]):
    """Raw value to value of one channel; equal values are computed once."""

    __slots__ = ("_channel", "_single")

    def __init__(self, profile: ProfileSet, channel: Channel) -> None:
        super().__init__()
        self._channel = channel
        self._single = profile.single

    def __missing__(self, raw: Any) -> Decimal | None:
        channel = self._channel
        number = None if isinstance(raw, Raw) else exact(raw, single=self._single)
        if number is not None and channel.divisor != channel.scalar:
            number = EXACT.multiply(number, Decimal(channel.divisor))
            quotient = EXACT.divide(number, Decimal(channel.scalar))
            whole = EXACT.multiply(quotient, Decimal(channel.scalar)) == number
            number = quotient if whole else _QUOTIENT.divide(number, Decimal(channel.scalar))
        value = None if number is None else channel.source.value(number)
        self[raw] = value
        return value


def load_profile(
    device: TableSet,
    number: int = 1,
    *,
    since: dt.datetime | None = None,
    until: dt.datetime | None = None,
    pieces: Mapping[int, bytes] | None = None,
    zone: dt.tzinfo | None = None,
    local_counters: bool = False,
    max_blocks: int = MAX_BLOCKS,
) -> LoadProfile:
    """Return the intervals of a set; none, and findings, where tables are absent.

    Args:
        device: the tables of the meter.
        number: of the set, 1..4.
        since: only intervals that end after this; naive means local time of the meter.
        until: only intervals that start before this.
        pieces: octets of the data table by offset, as `needed` asks for them; what the device holds if None.
        zone: where the meter is, if the caller knows; overrides what ST53 and ST54 say.
        local_counters: with TM_FORMAT 3 and 4 the meter counts local time, not UTC.
        max_blocks: the newest blocks that are read; more are a finding.
    """
    findings: list[Finding] = []
    profile = profile_set(
        device, number, findings, pieces=pieces, zone=zone, local_counters=local_counters, max_blocks=max_blocks
    )
    if profile is None:
        return LoadProfile(number, 0, (), (), (), (), tuple(findings), origin(device))
    blocks = blocks_of(profile)
    aware = any(block.end is not None and block.end.tzinfo is not None for block in blocks)
    first, last = moment(profile, since, aware=aware), moment(profile, until, aware=aware)
    readings = end_readings(profile, blocks)
    rows, sums = _rows(profile, blocks, first, last, bool(readings))
    check_readings(profile, readings, sums)
    whence = origin(device, profile.times)
    return LoadProfile(
        number, profile.minutes, profile.channels, tuple(blocks), rows, readings, tuple(findings), whence
    )


def _rows(
    profile: ProfileSet, blocks: list[Block], since: dt.datetime | None, until: dt.datetime | None, summed: bool
) -> tuple[tuple[Interval, ...], dict[tuple[int, int], Decimal | None]]:
    """Return the rows in order of time, and the raw sums of (block, channel) of which we have all intervals."""
    new, kind, status_of, channel_status = tuple.__new__, Interval, STATES, CHANNEL_STATES
    plans = [
        (
            channel.number - 1, channel.number, channel.number // 2, channel.number % 2, channel.source.index,
            channel.source.quantity, channel.source.unit, Scaling(profile, channel),
        )
        for channel in profile.channels
    ]  # fmt: skip
    rows: list[Interval] = []
    sums: dict[tuple[int, int], Decimal | None] = {}
    last_end: dt.datetime | None = None
    disordered = False
    for block in blocks:
        times = boundaries(profile, block)
        start = times[0]
        disordered |= last_end is not None and (start is None or start < last_end)
        last_end = times[-1] or last_end
        whole = profile.holds(block.element, 0, profile.block_size)
        values = profile.interval_values(block.element)
        valid = profile.valid_intervals(block.element)
        inhibited = 32 if block.inhibited else 0
        if summed and whole and not block.running:
            _sum_up(block, values, sums, single=profile.single)
        for place, index in enumerate(block.indices):
            start, end = times[place], times[place + 1]
            if (since is not None and end is not None and end <= since) or (
                until is not None and start is not None and start >= until
            ):
                continue
            if not whole and not profile.holds_interval(block.element, index):
                continue
            extended, data = values[index]
            bits = inhibited
            if valid is not None and index not in valid:
                bits |= 16
            code: int | None = None
            if extended is not None:
                bits |= extended[0] >> 4
            status = status_of[bits]
            for slot, channel, octet, low, source, quantity, unit, scaling in plans:
                if index >= block.counts[slot]:
                    continue
                raw = data[slot]
                value = scaling[raw]
                if extended is not None:
                    code = channel_status[extended[octet] & 15 if low else extended[octet] >> 4]
                    if code is _SKIPPED:
                        value = None
                rows.append(
                    new(
                        kind,
                        (
                            start, end, channel, source, quantity, unit, None if inhibited else value, raw, status,
                            code, block.sequence,
                        ),
                    )
                )  # fmt: skip
    if disordered:
        rows.sort(key=lambda row: (False,) if row.start is None else (True, row.start))
    return tuple(rows), sums


def _sum_up(block: Block, values: Any, sums: dict[tuple[int, int], Decimal | None], *, single: bool) -> None:
    columns = zip(*(values[index][1] for index in block.indices), strict=True)
    for slot, column in enumerate(columns):
        raws = [raw for index, raw in zip(block.indices, column, strict=True) if index < block.counts[slot]]
        total: Decimal | None = Decimal(0)
        if all(type(raw) is int for raw in raws):
            total = Decimal(sum(raws))
        else:
            for raw in raws:
                number = exact(raw, single=single)
                total = None if total is None or number is None else EXACT.add(total, number)
        sums[block.sequence, slot + 1] = total
