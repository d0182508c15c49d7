"""A simulated meter and a reader of its tables agree on sources and on the sets of a load profile."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given, settings

from c1219.views.profile.set import profile_set
from c1219.views.sources import describe_sources
from c1222.node.meter.configuration import Shape
from c1222.node.simulation.flows import plan_of
from c1222.node.simulation.profile_sets import set_plans_of
from c1222.node.simulation.signals import signals_of
from tests.c1219.rules.profiles import Drawn, profiles

QUARTER = (1, 15)


def shape_of(drawn: Drawn) -> Shape:
    device = drawn.device
    return Shape({label: device[label].raw for label in device if label not in {"ST23", "ST63", "ST64", "ST65"}})


@settings(max_examples=80, deadline=None)
@given(profiles())
def test_a_meter_and_a_reader_agree_on_sets(drawn: Drawn) -> None:
    """Both are held against what was drawn."""
    shape = shape_of(drawn)
    sources = describe_sources(drawn.device)
    plans = {plan.number: plan for plan in shape.derived(set_plans_of)}
    for number in (1, 2, 3, 4):
        truth, read = drawn.sets.get(number), profile_set(drawn.device, number, [])
        if truth is None or not (truth.blocks and truth.intervals and truth.channels):
            assert read is None
            assert number not in plans
            continue
        assert read is not None
        assert (read.block_count, read.per_block, read.minutes) == (truth.blocks, truth.intervals, truth.minutes)
        assert [channel.source.index for channel in read.channels] == [channel.source for channel in truth.channels]
        ends = [None if channel.end_source is None else channel.end_source.index for channel in read.channels]
        assert ends == [channel.end for channel in truth.channels]
        scales = [(channel.scalar or 1, channel.divisor or 1) for channel in truth.channels]
        assert [(channel.scalar, channel.divisor) for channel in read.channels] == scales
        plan = plans.get(number)
        assert (plan is None) == (not truth.minutes or not sources)
        if plan is None:
            continue
        assert (plan.length, plan.set.code, plan.set.intervals) == (60 * read.minutes, truth.code, read.per_block)
        assert [channel.factor for channel in plan.channels] == [Fraction(*scale) for scale in scales]
        assert plan.set.sums == read.sums
        assert (plan.block.size, plan.block.intervals.offset) == (read.block_size, read.interval_at)
        assert [channel.cell.element.offset for channel in plan.channels] == [
            read.layout.element(f"{read.array}[0].LP_INT[0].INT_DATA[{place}]").offset for place in range(len(scales))
        ]
        signals = shape.derived(signals_of)
        for channel, recorded in zip(truth.channels, plan.channels, strict=True):
            own = signals[channel.source] if channel.source < len(sources) else None
            assert recorded.signal == own or (own is None and recorded.signal.share is None)
            there = channel.end is not None and channel.end < len(sources)
            assert recorded.end == (signals[channel.end] if there else None)


@settings(max_examples=80, deadline=None)
@given(profiles())
def test_a_meter_and_a_reader_agree_on_sources(drawn: Drawn) -> None:
    """On scales of values, and on demand intervals; a meter without a known one takes 15 minutes."""
    shape, sources = shape_of(drawn), describe_sources(drawn.device)
    signals = shape.derived(signals_of)
    assert len(signals) == len(sources)
    for signal, source in zip(signals, sources, strict=True):
        assert (signal.multiplier, signal.offset) == (Fraction(source.multiplier), Fraction(source.offset))
    for source, demand in zip(sources, drawn.demands, strict=False):
        steps, minutes = demand or (1, None)
        assert (source.subintervals, source.interval) == (steps, minutes and steps * minutes)
    plan = shape.derived(plan_of)
    assert (plan is None) == (not signals)
    if plan is not None:
        lengths = [(demand.steps, demand.step // 60) for demand in plan.demands]
        assert lengths == [demand or QUARTER for demand in drawn.demands]
