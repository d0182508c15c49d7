"""One set of a load profile (ST61 to ST67): its dimensions, the layout of its table, and the octets we have."""

from __future__ import annotations

from bisect import bisect_right
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from c1219.codes.status import CommonStatus
from c1219.engine import stepwise
from c1219.errors import C1219Error, DecodeError, Finding
from c1219.rules.profile_set import SETS, BlockLayout, SetConfiguration, block_layout, set_configuration, set_label
from c1219.views.clock import Timekeeping, timekeeping
from c1219.views.records import record
from c1219.views.sources import sources_of

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from c1219.engine.element import Element
    from c1219.engine.layout import Layout
    from c1219.errors import Level
    from c1219.tableset import TableSet

__all__ = ["MAX_BLOCKS", "ProfileSet", "profile_set"]

MAX_BLOCKS = 10_000
"""Blocks of a set that are read: 27 years of days. ST61 can promise 65,535 in a few octets."""

_start = itemgetter(0)


def profile_set(
    device: TableSet,
    number: int,
    findings: list[Finding],
    *,
    pieces: Mapping[int, bytes] | None = None,
    zone: dt.tzinfo | None = None,
    local_counters: bool = False,
    max_blocks: int = MAX_BLOCKS,
) -> ProfileSet | None:
    """Return one set, None if the tables that it needs are absent or unusable.

    Args:
        device: the tables of the meter.
        number: 1..4.
        findings: where to report what is missing or wrong.
        pieces: octets of its data table by offset; those that the device holds if None.
        zone: where the meter is, if the caller knows.
        local_counters: with TM_FORMAT 3 and 4 the meter counts local time, not UTC.
        max_blocks: the newest blocks that are read; more are a finding.
    """
    if number not in SETS:
        raise ValueError(f"load profile sets are 1 to 4, not {number}")
    label = set_label(number)
    dimensions = record(device, 61, findings, level="error")
    control = record(device, 62, findings, level="error") if dimensions is not None else None
    status = record(device, 63, findings, level="error") if dimensions is not None else None
    if control is None or status is None:
        return None
    own = getattr(status, f"LP_STATUS_SET{number}")
    configuration = set_configuration(number, device[0].value, dimensions, control, sources_of(device))
    if own is None or configuration is None:
        findings.append(Finding("error", "no-set", label, None, f"ST0.STD_TBLS_USED does not list {label}"))
        return None
    try:
        layout = device.bind(label)
    except C1219Error as error:
        findings.append(Finding("error", "no-layout", label, None, f"{label} cannot be laid out: {error}"))
        return None
    block = block_layout(layout, number)
    if block is None:
        findings.append(Finding("note", "empty", label, None, "the set has no blocks, no intervals or no channels"))
        return None
    times = timekeeping(device, zone=zone, local_counters=local_counters, findings=findings)
    held = device.get(label)
    if pieces is None and held is None:
        findings.append(Finding("error", "absent", label, None, f"{label} is not here"))
    octets = {} if held is None else held.pieces or {0: held.raw}
    if pieces is not None:
        octets = pieces
    elif held is not None and held.pieces is not None:
        text = f"{sum(map(len, octets.values()))} of the {layout.size} octets of its layout are known"
        findings.append(Finding("note", "partial", label, None, text))
    elif held is not None and len(held.raw) < layout.size:
        text = f"the table has {len(held.raw)} of the {layout.size} octets of its layout"
        findings.append(Finding("error", "short", label, len(held.raw), text))
    return ProfileSet(configuration, block, layout, own, times, octets, findings, max_blocks)


class ProfileSet:
    """One set, and the octets we have of its table.

    Attributes:
        number: 1..4.
        label: of its table, ``ST64`` to ``ST67``.
        array: name of the array of blocks.
        layout: of its table.
        minutes: length of an interval.
        block_count: blocks in the table.
        per_block: intervals of a full block.
        channels: its channels.
        status: ST63's record of the set.
        sums: end readings are the sum over their block.
        times: how the times of the meter relate to UTC.
        octets: the whole table, zeros where octets are missing.
        covered: start and end of the stretches of it that we have.
        block_size: octets of a block.
        interval_at: octets before the first interval of a block.
        interval_size: octets of an interval.
        single: floats of the interval data have 32 bits.
        single_end: floats of the end readings have 32 bits.
        findings: what is missing or wrong.
        max_blocks: the newest blocks that are read.
    """

    def __init__(
        self,
        configuration: SetConfiguration,
        block: BlockLayout,
        layout: Layout,
        status: Any,
        times: Timekeeping,
        pieces: Mapping[int, bytes],
        findings: list[Finding],
        max_blocks: int = MAX_BLOCKS,
    ) -> None:
        self.number = configuration.number
        self.label = layout.label
        self.layout = layout
        self.status = status
        self.times = times
        self.findings = findings
        self.max_blocks = max_blocks
        self.minutes = configuration.minutes
        self.block_count = configuration.blocks
        self.per_block = configuration.intervals
        self.sums = configuration.sums
        self.single = configuration.single
        self.single_end = configuration.single_end
        self.channels = configuration.channels
        self.array = block.array
        self.block_size = block.size
        self.end_time, self.readings, self.intervals = block.end_time, block.readings, block.intervals
        self.interval_at = block.intervals.offset
        self.interval_size = block.interval_size
        self.closure, self.simple, self.extended = block.closure, block.simple, block.extended
        self._note_channels(configuration)
        self.octets, self.covered = self._assembled(pieces)
        self._note_times()

    def remark(self, level: Level, code: str, path: str, text: str, offset: int | None = None) -> None:
        """Add a finding."""
        self.findings.append(Finding(level, code, path, offset, text))

    def path(self, block: int) -> str:
        """Return the path of a block."""
        return f"{self.label}.{self.array}[{block}]"

    def _note_channels(self, configuration: SetConfiguration) -> None:
        for channel in self.channels:
            path = f"ST62.LP_SEL_SET{self.number}[{channel.number - 1}]"
            for sentence in channel.source.unresolved:
                self.remark("warning", "source", path, f"channel {channel.number}: {sentence}")
            if channel.number in configuration.zeros:
                scalar, divisor = configuration.zeros[channel.number]
                text = f"channel {channel.number}: scalar {scalar}, divisor {divisor}: 0 is taken as 1"
                self.remark("warning", "scalar", path, text)

    def _note_times(self) -> None:
        times = self.times
        if not self.minutes:
            path = f"ST61.MAX_INT_TIME_SET{self.number}"
            self.remark("error", "no-length", path, "it is 0: the times of intervals are not known")
        if not self.end_time.size:
            self.remark("note", "no-clock", self.label, "the device has no clock: the times of intervals are not known")
        elif not times.known:
            text = "the offset from UTC is not known: times are the meter's own, naive"
            self.remark("note", "zone-unknown", self.label, text)
        elif times.dst_applied and not times.has_rule and self.extended is None:
            text = "when daylight saving time is in effect is not known: times are the meter's own, naive"
            self.remark("warning", "dst-unknown", self.label, text)

    # --- octets

    def _assembled(self, pieces: Mapping[int, bytes]) -> tuple[bytes, list[tuple[int, int]]]:
        """Return an image of the table made of pieces, and the stretches that they cover."""
        size = self.layout.size
        image = bytearray(size)
        covered: list[tuple[int, int]] = []
        for start, octets in sorted(pieces.items()):
            end = start + len(octets)
            if end > size:
                text = f"{end - max(start, size)} octets past the end of the layout are left out"
                self.remark("warning", "long", self.label, text, size)
                end = max(start, size)
            image[start:end] = octets[: end - start]
            if covered and start <= covered[-1][1]:
                covered[-1] = (covered[-1][0], max(covered[-1][1], end))
            else:
                covered.append((start, end))
        return bytes(image[:size]), covered

    def holds(self, block: int, start: int, end: int) -> bool:
        """Return whether we have these octets of a block, counted from its start."""
        at = block * self.block_size
        before = bisect_right(self.covered, at + start, key=_start)
        return before > 0 and at + end <= self.covered[before - 1][1]

    def holds_interval(self, block: int, index: int) -> bool:
        """Return whether we have all octets of an interval."""
        start = self.interval_at + index * self.interval_size
        return self.holds(block, start, start + self.interval_size)

    # --- values

    def ends(self) -> dict[int, dt.datetime | None]:
        """Return the end times that we have, by block."""
        times: dict[int, dt.datetime | None] = {}
        width = self.end_time.size
        if not width:
            return times
        for start, end in self.covered:
            for block in range(-(-start // self.block_size), min(self.block_count, -(-end // self.block_size))):
                at = block * self.block_size
                if at + width <= end:
                    try:
                        times[block] = self.end_time.decode(self.octets[at : at + width])
                    except DecodeError:
                        times[block] = None
        return times

    def interval_values(self, block: int) -> Any:
        """Return the interval records of a block; elements without a value are `Raw`, with a finding."""
        at = block * self.block_size + self.interval_at
        try:
            return self.intervals.decode(self.octets[at : at + self.intervals.size])
        except DecodeError:
            path = f"{self.path(block)}.LP_INT"
            return stepwise.decode(self.intervals.node, self.octets, at, path, self.findings)

    def reading_values(self, block: int) -> Any:
        """Return the end readings of a block; elements without a value are `Raw`, with a finding."""
        at = block * self.block_size + self.readings.offset
        try:
            return self.readings.decode(self.octets[at : at + self.readings.size])
        except DecodeError:
            path = f"{self.path(block)}.END_READINGS"
            return stepwise.decode(self.readings.node, self.octets, at, path, self.findings)

    def _part(self, element: Element | None, block: int) -> Any:
        if element is None:
            return None
        at = block * self.block_size + element.offset
        return element.decode(self.octets[at : at + element.size])

    def valid_intervals(self, block: int) -> Any:
        """Return the set of array indices that SIMPLE_INT_STATUS calls valid, None if there is none."""
        return self._part(self.simple, block)

    def closure_status(self, block: int) -> Any:
        """Return CLOSURE_STATUS of a block, None if there is none."""
        return self._part(self.closure, block)

    def dst_status(self, block: int, index: int) -> bool | None:
        """Return the common DST status of an interval, None if there is none or its octet is missing."""
        if self.extended is None:
            return None
        start = self.extended.offset + index * self.interval_size
        if not self.holds(block, start, start + 1):
            return None
        return bool(self.octets[block * self.block_size + start] >> 4 & CommonStatus.DST)

    def common_status(self, block: int) -> bytes:
        """Return the first octet of EXTENDED_INT_STATUS of each interval of a block, in order of the array."""
        if self.extended is None:
            return b""
        at = block * self.block_size
        return self.octets[at + self.extended.offset : at + self.block_size : self.interval_size]
