"""Recording a load profile: intervals into blocks of ST64 to ST67, and what ST63 says about them.

An interval ends where the time that intervals follow (`ClockFormats.base`) is a multiple of its length. Time that
passes without intervals (the recording was stopped, the clock was set ahead) leaves skipped intervals, so that in every
block the times of its intervals follow from its end. A clock set back makes one interval long; set back by more than a
block lasts, it begins another block.
Origin: layout and status nibbles from NIST n0mcli and Connexo [V]; that a clock set across a boundary closes a block,
and the rest is filled with skipped intervals, from n0mcli [1]; set back, ours.
"""

from __future__ import annotations

from fractions import Fraction
from math import floor
from typing import TYPE_CHECKING, Any, Final

from c1219.errors import C1219Error
from c1222.node.meter.clock import clock_formats
from c1222.node.simulation.profile_sets import ring_of_set
from c1222.node.simulation.signals import COUNTS, cell_at

if TYPE_CHECKING:
    from c1222.node.meter.clock import ClockFormats
    from c1222.node.meter.tables import Tables
    from c1222.node.simulation.flows import Flows
    from c1222.node.simulation.profile_sets import RecordedChannel, SetPlan
    from c1222.node.simulation.registers import SimulatedRegisters
    from c1222.node.simulation.signals import Signal

__all__ = ["BACKWARD", "DST", "FORWARD", "POWER_FAIL", "Recorder"]

DST, POWER_FAIL, FORWARD, BACKWARD = 1, 2, 4, 8
"""Bits of the status common to all channels of an interval."""
_MAX_VALID: Final = 4095
_OVERFLOW, _PARTIAL, _LONG, _SKIPPED, _TEST = 1, 2, 3, 4, 5
_INTEGERS: Final = {
    **{code: (0, 1 << bits) for code, bits in ((1, 8), (2, 16), (4, 32))},
    **{code: (-(1 << bits - 1), 1 << bits - 1) for code, bits in ((8, 8), (16, 16), (32, 32))},
}


class Recorder:
    """Records one set of one meter.

    Args:
        tables: the meter's.
        plan: how.
        flows: what flows.
        registers: end readings; None where the meter has no registers.
        state: what `as_state` gave; None to begin.
    """

    __slots__ = (
        "_common",
        "_counts",
        "_flows",
        "_pulses",
        "_readings",
        "_registers",
        "_slot",
        "_stored",
        "_tables",
        "plan",
        "ring",
    )

    def __init__(
        self,
        tables: Tables,
        plan: SetPlan,
        flows: Flows,
        registers: SimulatedRegisters | None,
        state: dict[str, Any] | None = None,
    ) -> None:
        self.plan = plan
        self.ring = ring_of_set(tables, plan.number)
        self._tables = tables
        self._flows = flows
        self._registers = registers
        channels = len(plan.channels)
        self._slot: int | None = None
        self._common = 0
        self._stored = [self._total(channel) for channel in plan.channels]
        self._counts = [0] * channels
        self._pulses = [0] * channels
        self._readings = [self._end_reading(channel) for channel in plan.channels]
        if state is not None and len(state["stored"]) == channels:
            self._slot, self._common = state["slot"], state["common"]
            self._stored, self._counts, self._pulses = state["stored"], state["counts"], state["pulses"]
            self._readings = state["readings"]

    def as_state(self) -> dict[str, Any]:
        """Return what goes on from here."""
        return {
            "slot": self._slot,
            "common": self._common,
            "stored": self._stored,
            "counts": self._counts,
            "pulses": self._pulses,
            "readings": self._readings,
        }

    def _reading(self, signal: Signal, flows: Flows | None) -> int:
        return self._registers.reading(signal, flows) if self._registers else (flows or self._flows).of(signal)

    def _total(self, channel: RecordedChannel, flows: Flows | None = None) -> int:
        """Return what a channel has recorded in all: amounts in grains of its data, averages as counts."""
        counted = self._reading(channel.signal, flows)
        if not channel.signal.bulk:
            return counted
        return channel.grains(counted)

    def _end_reading(self, channel: RecordedChannel, flows: Flows | None = None) -> int:
        """Return the count of the register that the end readings of a channel show."""
        return 0 if channel.end is None else self._reading(channel.end, flows)

    @property
    def is_active(self) -> bool:
        """Whether data are being collected."""
        flags = self._tables.value(f"ST63.LP_STATUS_SET{self.plan.number}.LP_SET_STATUS_FLAGS")
        return bool(flags.ACTIVE_MODE_FLAG)

    def resume(self) -> bool:
        """Go on from the newest block of the tables. Return whether there is one with an end time."""
        if not self.ring.valid:
            return False
        plan, tables = self.plan, self._tables
        label, offset, size = self.ring.entry_offset(self.ring.last)
        block = tables[label][offset : offset + size]
        path = plan.path
        end_time = tables.element(f"{path}.BLK_END_TIME")
        try:
            ended = end_time.decode(block[: end_time.size])
        except C1219Error:
            ended = None
        if ended is None:
            return False
        formats: ClockFormats = tables.shape.derived(clock_formats)
        self._slot = (int(formats.device(ended)) + formats.base) // plan.length
        for number, channel in enumerate(plan.channels):
            pulse = f"{path}.END_READINGS[{number}].BLOCK_END_PULSE"
            if tables.shape.has(pulse):
                self._pulses[number] = tables.element(pulse).get(block)
            read = f"{path}.END_READINGS[{number}].BLOCK_END_READ"
            end = channel.end
            flow = end is not None and end.share is not None and end.bulk and channel.signal.bulk
            if end is None or not flow or end.share != channel.signal.share or not tables.shape.has(read):
                continue
            shown = Fraction(tables.element(read).get(block))
            if plan.set.sums:
                self._counts[number] = channel.grains(floor(shown * end.multiplier * COUNTS))
            else:
                # What was counted since belongs to the interval that is under way.
                counted = self._readings[number] = end.counts(shown)
                self._stored[number] = channel.grains(counted)
        return True

    def start(self, standard: int) -> None:
        """Begin to collect data, with the interval that is under way."""
        self.ring.set_flags(ACTIVE_MODE_FLAG=True)
        self._begin(standard)

    def stop(self) -> None:
        """Collect no more data."""
        self.ring.set_flags(ACTIVE_MODE_FLAG=False)

    def _begin(self, standard: int) -> None:
        self._stored = [self._total(channel) for channel in self.plan.channels]
        self._common = 0
        if self._slot is None:
            self._slot = standard // self.plan.length

    def rebase(self) -> None:
        """Go on from registers that were set to something else."""
        self._stored = [self._total(channel) for channel in self.plan.channels]

    def clear(self, standard: int) -> None:
        """Empty the set."""
        self.ring.clear()
        self._tables.set(f"ST63.LP_STATUS_SET{self.plan.number}.NBR_VALID_INT", 0)
        self._counts = [0] * len(self.plan.channels)
        self._slot = None
        self._begin(standard)

    def note(self, common: int) -> None:
        """Note that something happened in the interval under way: bits of the common status."""
        self._common |= common

    def clock_set(self, before: int, after: int, device: float) -> None:
        """Note that the clock was set.

        Args:
            before: the time that intervals follow just before, seconds.
            after: and just after.
            device: device time just before.
        """
        self.note(FORWARD if after > before else BACKWARD)
        old, new = before // self.plan.length, after // self.plan.length
        if old - self.plan.set.intervals < new <= old or not self.is_active:
            return  # the interval under way becomes shorter or longer
        # The interval under way ends here, in the place it would have had.
        common = self._common
        self.close((old + 1) * self.plan.length, device + (old + 1) * self.plan.length - before)
        self._common = common
        if new < old:
            self._fill_block(BACKWARD)
            self._slot = new

    def close(self, standard: int, device: float, flows: Flows | None = None) -> None:
        """End an interval.

        Args:
            standard: the time that intervals follow of its end, seconds, a multiple of its length.
            device: device time of its end.
            flows: what had flowed until then; None if it ends now.
        """
        if not self.is_active:
            return
        plan, flows = self.plan, flows or self._flows
        end = standard // plan.length
        if self._slot is not None and self._slot - plan.set.intervals < end <= self._slot:
            return  # the clock was set back: this end was there already, and the interval goes on
        if self._slot is not None:
            for _ in range(min(max(0, end - self._slot - 1), plan.set.intervals)):
                missing = end - self._slot - 1
                if missing >= plan.set.intervals and not self._room():
                    break  # more is missing than the block can say: it is filled, and the next one begins now
                self._append([0] * len(plan.channels), device - missing * plan.length, self._common, _SKIPPED)
                self._slot += 1
        totals = [self._total(channel, flows) for channel in plan.channels]
        values, statuses = [], []
        partial = _PARTIAL if self._common & (POWER_FAIL | FORWARD) else _LONG if self._common & BACKWARD else 0
        for number, channel in enumerate(plan.channels):
            new = totals[number] - self._stored[number]
            values.append(new * channel.grain if channel.signal.bulk else self._average(channel, new, flows))
            statuses.append(partial or (_TEST if self._is_test else 0))
        self._stored = totals
        self._readings = [self._end_reading(channel, flows) for channel in plan.channels]
        self._slot = end
        dst = DST if self._tables.shape.derived(clock_formats).is_dst(device) else 0
        self._append(values, device, self._common | dst, statuses)
        self._common = 0

    @property
    def _is_test(self) -> bool:
        return bool(self._tables.find("ST3.ED_MODE.TEST_MODE_FLAG"))

    def _average(self, channel: RecordedChannel, counts: int, flows: Flows) -> Fraction:
        signal = channel.signal
        if signal.share is None:
            return signal.level(flows.last, flows.power) * channel.factor
        return signal.rate(counts, self.plan.length) * channel.factor

    def _room(self) -> int:
        """Return how many intervals fit the newest block."""
        if not self.ring.valid:
            return 0
        return self.plan.set.intervals - int(self._tables.value(f"ST63.LP_STATUS_SET{self.plan.number}.NBR_VALID_INT"))

    def _fill_block(self, common: int) -> None:
        """Fill the newest block with skipped intervals."""
        plan = self.plan
        end = self._tables.shape.element(f"ST{63 + plan.number}.LP_DATA_SETS{plan.number}[0].BLK_END_TIME")
        room = self._room()
        while room:
            label, offset, _ = self.ring.entry_offset(self.ring.last)
            shown = end.decode(self._tables[label][offset : offset + end.size])
            last = self._tables.shape.derived(clock_formats).device(shown) if shown is not None else 0.0
            self._append([0] * len(plan.channels), last + plan.length, common, _SKIPPED)
            room -= 1

    def _append(self, values: list[Any], device: float, common: int, statuses: int | list[int]) -> None:
        """Add an interval to the newest block, or to a new one."""
        tables, plan, ring = self._tables, self.plan, self.ring
        count_path = f"ST63.LP_STATUS_SET{plan.number}.NBR_VALID_INT"
        used = int(tables.value(count_path)) if ring.valid else plan.set.intervals
        if used >= plan.set.intervals:
            if ring.advance() is None:
                return
            used = 0
            self._counts = [0] * len(plan.channels)
            label, offset, size = ring.entry_offset(ring.last)
            tables.splice(label, offset, bytes(size))
        label, offset, size = ring.entry_offset(ring.last)
        block = bytearray(tables[label][offset : offset + size])
        codes = [statuses] * len(plan.channels) if isinstance(statuses, int) else list(statuses)
        data = self._data(values, codes)
        interval = (_nibbles(common, codes) if plan.block.extended is not None else b"") + data
        descending = bool(tables.value(f"ST63.LP_STATUS_SET{plan.number}.LP_SET_STATUS_FLAGS").INTERVAL_ORDER)
        first, stride = plan.block.intervals.offset, plan.block.interval_size
        at = first + (0 if descending else used * stride)
        if descending:
            filled = block[first : first + used * stride]
            block[first + stride : first + (used + 1) * stride] = filled
        block[at : at + stride] = interval
        if plan.block.simple is not None:
            _mark(
                block,
                plan.block.simple.offset,
                plan.set.intervals,
                used,
                descending=descending,
                valid=_SKIPPED not in codes,
            )
        self._write_head(block, device, used + 1)
        tables.splice(label, offset, bytes(block))
        tables.set(count_path, used + 1)

    def _data(self, values: list[Any], codes: list[int]) -> bytes:
        """Return the octets of interval data; a value that does not fit is the largest, and its status says so."""
        octets = b""
        for number, (channel, value) in enumerate(zip(self.plan.channels, values, strict=True)):
            limits = _INTEGERS.get(self.plan.set.code)
            if limits is None:
                octets += channel.cell.of(Fraction(value))
                self._count(number, floor(value / channel.grain), floor(value))
                continue
            low, high = limits
            fitting = min(max(floor(value), low), high - 1)
            if fitting != floor(value):
                codes[number] = _OVERFLOW
            octets += channel.cell.element.encode(fitting)
            self._count(number, fitting, fitting)
        return octets

    def _count(self, number: int, grains: int, pulses: int) -> None:
        self._counts[number] += grains
        self._pulses[number] = (self._pulses[number] + pulses) % (1 << 32)

    def _write_head(self, block: bytearray, device: float, used: int) -> None:
        """Write end time, end readings and closure status of a block."""
        tables, plan = self._tables, self.plan
        path = plan.path
        shape = tables.shape

        def put(name: str, value: Any) -> None:
            element = shape.element(f"{path}.{name}")
            block[element.offset : element.offset + element.size] = element.encode(value)

        put("BLK_END_TIME", shape.derived(clock_formats).short(device))
        for number, channel in enumerate(plan.channels):
            read, pulse = f"END_READINGS[{number}].BLOCK_END_READ", f"END_READINGS[{number}].BLOCK_END_PULSE"
            if shape.has(f"{path}.{read}") and channel.end is not None:
                cell = cell_at(shape, f"{path}.{read}", channel.end)
                if plan.set.sums:
                    amount = self._counts[number] * channel.grain / channel.factor * channel.signal.multiplier
                    own = cell.of(amount / channel.end.multiplier)
                else:
                    own = cell.of_counts(self._readings[number])
                block[cell.element.offset : cell.element.offset + cell.element.size] = own
            if shape.has(f"{path}.{pulse}"):
                put(pulse, self._pulses[number])
            if plan.block.closure is not None:
                status = shape.element(f"{path}.CLOSURE_STATUS[{number}]")
                record = status.decode(bytes(status.size))._replace(NBR_VALID_INTERVAL=min(used, _MAX_VALID))
                put(f"CLOSURE_STATUS[{number}]", record)


def _nibbles(common: int, codes: list[int]) -> bytes:
    """Return EXTENDED_INT_STATUS: the common nibble, then one of each channel, the high one of an octet first."""
    nibbles = [common, *codes]
    if len(nibbles) % 2:
        nibbles.append(0)
    octets = bytes(high << 4 | low for high, low in zip(nibbles[::2], nibbles[1::2], strict=True))
    return octets.ljust(len(codes) // 2 + 1, b"\0")


def _mark(block: bytearray, start: int, intervals: int, used: int, *, descending: bool, valid: bool) -> None:
    """Enter a new interval into SIMPLE_INT_STATUS."""
    size = (intervals + 7) // 8
    bits = int.from_bytes(block[start : start + size], "little")
    if descending:
        bits = (bits << 1 | valid) & (1 << intervals) - 1
    else:
        bits |= valid << used
    block[start : start + size] = bits.to_bytes(size, "little")
