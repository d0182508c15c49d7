"""End readings of load profile blocks, and whether they agree with the intervals.

The difference of two consecutive BLOCK_END_READs is the sum of the intervals of the later block, or each is that sum
itself (BLK_END_RD_INDICATOR_FLAG). They may differ by less than one step of the interval data where a divisor or scalar
makes steps. BLOCK_END_PULSE counts modulo 2^32; we do not know whether before or after scalar and divisor, so
either is accepted.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from c1219.rules.sources import EXACT, exact

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from c1219.rules.profile_set import Channel
    from c1219.views.profile.blocks import Block
    from c1219.views.profile.set import ProfileSet

__all__ = ["EndReading", "check_readings", "end_readings"]

_ZERO = Decimal(0)


class EndReading(NamedTuple):
    """What a channel's register and pulse counter said at the end of a block.

    Attributes:
        end: end of the block.
        channel: 1 for the first.
        source: index into ST16 of the register; None if the channel has none.
        quantity: what the register counts; "" if the channel has none.
        unit: of `value`; None if it is not known.
        value: BLOCK_END_READ in `unit`; None if there is none.
        raw: BLOCK_END_READ as decoded.
        pulses: BLOCK_END_PULSE; None if there is none.
        block: sequence number of the block.
    """

    end: dt.datetime | None
    channel: int
    source: int | None
    quantity: str
    unit: str | None
    value: Decimal | None
    raw: Any
    pulses: int | None
    block: int


def end_readings(profile: ProfileSet, blocks: list[Block]) -> tuple[EndReading, ...]:
    """Return the end readings of blocks, channel by channel."""
    readings: list[EndReading] = []
    if not profile.readings.size:
        return ()
    for block in blocks:
        for channel, (raw, pulses) in zip(profile.channels, profile.reading_values(block.element), strict=True):
            source = channel.end_source
            if (raw is None or source is None) and pulses is None:
                continue
            index, quantity, unit, value = None, "", None, None
            if raw is not None and source is not None:
                index, quantity, unit = source.index, source.quantity, source.unit
                value = source.value(raw, single=profile.single_end)
            readings.append(
                EndReading(block.end, channel.number, index, quantity, unit, value, raw, pulses, block.sequence)
            )
    return tuple(readings)


def check_readings(
    profile: ProfileSet, readings: tuple[EndReading, ...], sums: Mapping[tuple[int, int], Decimal | None]
) -> None:
    """Report end readings that do not agree with the intervals.

    Args:
        profile: the set; findings go there.
        readings: its end readings.
        sums: sum of the raw interval data of (sequence number, channel) of blocks that are complete.
    """
    for channel in profile.channels:
        own = [reading for reading in readings if reading.channel == channel.number]
        comparable = any(reading.source is not None for reading in own) and _comparable(profile, channel)
        before: EndReading | None = None
        for reading in own:
            total = sums.get((reading.block, channel.number))
            if before is not None and before.block + 1 & 0xFFFFFFFF != reading.block:
                before = None
            if total is not None and comparable and (before is not None or profile.sums):
                _check_value(profile, channel, None if profile.sums else before, reading, total)
            if total is not None and before is not None:
                _check_pulses(profile, channel, before, reading, total)
            before = reading


def _comparable(profile: ProfileSet, channel: Channel) -> bool:
    source, end = channel.source, channel.end_source
    if end is None or source.index == end.index:
        return end is not None
    if source.unit is not None and source.unit == end.unit and not source.offset and not end.offset:
        return True
    path = f"ST62.LP_SEL_SET{profile.number}[{channel.number - 1}]"
    text = f"channel {channel.number}: end readings in {end.unit} cannot be compared with intervals in {source.unit}"
    profile.remark("note", "not-comparable", path, text)
    return False


def _check_value(
    profile: ProfileSet, channel: Channel, before: EndReading | None, reading: EndReading, total: Decimal
) -> None:
    first = exact(before.raw, single=profile.single_end) if before is not None else _ZERO
    last = exact(reading.raw, single=profile.single_end)
    if first is None or last is None or channel.end_source is None:
        return
    step = EXACT.divide(Decimal(channel.divisor), Decimal(channel.scalar))
    factor = Decimal(1)
    if channel.source.index != channel.end_source.index:
        factor, step = channel.end_source.multiplier, EXACT.multiply(step, channel.source.multiplier)
    difference = EXACT.multiply(EXACT.subtract(last, first), factor)
    expected = EXACT.multiply(total, step)
    allowed = max(abs(step), abs(factor)) if step != factor else _ZERO
    if isinstance(reading.raw, float):
        allowed += EXACT.multiply(max(abs(first), abs(last)), Decimal("1E-6" if profile.single_end else "1E-14"))
    error = abs(EXACT.subtract(difference, expected))
    if error >= allowed and error:
        words = f"block {reading.block}, channel {channel.number}: end readings differ by {difference:f},"
        code = "reading-fell" if difference < 0 <= expected else "reading-mismatch"
        profile.remark("warning", code, profile.label, f"{words} its intervals sum to {expected:f}")


def _check_pulses(
    profile: ProfileSet, channel: Channel, before: EndReading, reading: EndReading, total: Decimal
) -> None:
    if before.pulses is None or reading.pulses is None:
        return
    difference = reading.pulses - before.pulses & 0xFFFFFFFF
    scaled = EXACT.divide(EXACT.multiply(total, Decimal(channel.divisor)), Decimal(channel.scalar))
    if difference not in {total, scaled}:
        words = f"block {reading.block}, channel {channel.number}: pulse counts differ by {difference},"
        profile.remark(
            "warning", "pulse-mismatch", profile.label, f"{words} its intervals sum to {total:f} or {scaled:f}"
        )
