"""What a load profile costs that tells of more than anybody needs."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from c1219.device import Device
from c1219.views.load_profile import load_profile, needed
from c1219.views.profile.blocks import blocks_of, boundaries
from c1219.views.profile.needs import _places
from c1219.views.profile.set import MAX_BLOCKS, profile_set
from tests.c1219.rules.counting import work
from tests.c1219.views.meter import UNITS, hexa, meter, zoned
from tests.c1219.views.profile_rows import MINUTE, at, codes, simple


def promising(blocks: int, intervals: int) -> Device:
    """A few octets that tell of so many blocks of so many intervals."""
    device = meter(zoned() | {11: "00 03 00 00 00 00 02 03", 12: UNITS, 16: "11 11 11", 61: "", 62: "", 63: "", 64: ""})
    device.drop(64)
    size, count = blocks.to_bytes(2, "little"), intervals.to_bytes(2, "little")
    device.put(61, bytes(4) + b"\0\0\xff" + size + count + b"\1\x0f")
    device.put(62, hexa("00 00 00 01"))
    device.put(63, b"\0" + size + (blocks - 1).to_bytes(2, "little") + bytes(6) + count)
    return device


def test_intervals_cost_nothing() -> None:
    since = dt.datetime(2024, 3, 1)
    small, large = promising(15, 4), promising(15, 65_535)
    for device in (small, large):
        needed(device, since=since)  # lays out the tables
    assert work(lambda: needed(large, since=since)) < 1.1 * work(lambda: needed(small, since=since))


def test_blocks_past_the_limit_are_left_out_and_reported() -> None:
    need = needed(promising(65_535, 1))
    assert [finding.path for finding in need.findings if finding.code == "too-many-blocks"] == ["ST63.LP_STATUS_SET1"]
    assert {block for piece in need.pieces for block in piece.blocks} == set(range(65_535 - MAX_BLOCKS, 65_535))


@pytest.mark.parametrize(("limit", "rows"), [(1, [5, 6, 7, 8]), (2, [1, 2, 3, 4, 5, 6, 7, 8])])
def test_the_newest_blocks_are_read(limit: int, rows: list[int]) -> None:
    found = load_profile(simple().device(), max_blocks=limit)
    assert [row.raw for row in found.rows] == rows
    assert codes(found) == (["too-many-blocks"] if limit < 2 else [])


@settings(max_examples=200)
@given(some.none() | some.integers(-100, 300), some.none() | some.integers(-100, 300))
def test_intervals_between_two_times(since: int | None, until: int | None) -> None:
    """By arithmetic as by the boundaries of every interval."""
    profile = profile_set(simple().device(), 1, [])
    assert profile is not None
    start, end = (minutes and at("2024-06-01 00:00") + minutes * MINUTE for minutes in (since, until))
    for block in blocks_of(profile):
        times = boundaries(profile, block)
        chosen = [
            place for place in range(len(block.indices))
            if (not start or times[place + 1] > start) and (not end or times[place] < end)
        ]  # fmt: skip
        assert list(range(len(block.indices)))[_places(profile, block, start or None, end or None)] == chosen


def test_times_at_the_ends_of_the_calendar() -> None:
    device = promising(3, 4)
    assert needed(device, since=dt.datetime.min, until=dt.datetime.max).octets == needed(device).octets
    assert not needed(device, since=dt.datetime.max).octets
    assert not needed(device, until=dt.datetime.min).octets
