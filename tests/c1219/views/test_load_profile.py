"""Blocks and intervals of load profile, and what of them is asked for."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from c1219.codes.status import ChannelStatus
from c1219.views.load_profile import IntervalStatus, load_profile, needed
from tests.c1219.views.meter import FORMS, Truth, meter
from tests.c1219.views.profile_rows import MINUTE, at, codes, noted, simple

BLOCK0 = (
    "18 03 0A 0A 00 4B C7 12 00 62 02 00 00 81 1D 00 00 2B 01 00 00 0F 00 00 64 00 1E 00 00 00"
    "65 00 1F 00 00 00 63 00 1E 00 00 00 64 00 1E 00"
)
BLOCK1 = (
    "18 03 0A 0A 2D 2B D3 12 00 42 0E 00 00 E6 1D 00 00 90 01 00 00 07"
    "00 00 7B 00 28 00  22 20 3D 00 14 00  00 00 78 00 29 00  00 00 00 00 00 00"
)
EXAMPLE = {
    11: "00 05 00 00 00 00 02 05",
    12: "00 40 02 00  00 00 00 00  00 00 00 00  00 00 00 00  01 C0 00 00",
    16: "11 11 11 11 11",
    61: "E8 03 00 00 70 0C 02 02 00 04 00 02 0F",
    62: "01 00 00  01 04 04  02  01 00 01 00  0A 00 01 00",
    63: "24 02 00 01 00 39 00 00 00 01 00 03 00",
    64: BLOCK0 + BLOCK1,
}


def quarters(count, end, minutes=15):
    return [end - minutes * MINUTE * back for back in range(count - 1, -1, -1)]


def test_worked_example():
    found = load_profile(meter(EXAMPLE), 1)
    assert [row.value for row in found if row.channel == 1] == [1000, 1010, 990, 1000, 1230, 610, 1200]
    assert [row.value for row in found if row.channel == 2] == [30, 31, 30, 30, 40, 20, 41]
    assert [row.end for row in found if row.channel == 2] == quarters(7, at("2024-03-10 10:45"))
    assert all(row.end - row.start == 15 * MINUTE for row in found)
    assert {(row.quantity, row.unit, row.source) for row in found} == {
        ("active energy delivered", "Wh", 0),
        ("reactive energy delivered", "varh", 4),
    }
    partial = found.rows[10]
    assert (partial.status, partial.extended) == (IntervalStatus.POWER_FAIL, ChannelStatus.PARTIAL_INTERVAL)
    assert (partial.raw, partial.block) == (61, 57)
    assert [(block.sequence, block.element, len(block.indices)) for block in found.blocks] == [(56, 0, 4), (57, 1, 3)]
    assert [(r.value, r.pulses) for r in found.readings if r.block == 57] == [(1233707, 3650), (7654, 400)]
    assert codes(found) == []
    assert noted(found) == {"zone-unknown"}
    assert (found.minutes, len(found), found.channels[0].divisor) == (15, 14, 10)


# --- the truth, however it is stored


@some.composite
def truths(draw):
    code = draw(some.sampled_from([*FORMS]))
    low, high = FORMS[code]
    channels, blocks = draw(some.integers(1, 5)), draw(some.integers(1, 4))
    size, per_block = blocks + draw(some.integers(0, 2)), draw(some.integers(1, 9))
    number = some.integers(low, high - 1)

    def block(count):
        return [[draw(number) for _ in range(channels)] for _ in range(count)]

    counts = [per_block] * (blocks - 1) + [draw(some.integers(1, per_block))]
    minutes = draw(some.sampled_from([5, 15, 30, 60]))
    ends, end = [], dt.datetime(2024, 1, 1)
    for count in counts:
        end += count * minutes * MINUTE
        ends.append(end)
    first = draw(some.integers(0, size - 1))
    descending = draw(some.booleans())
    wraps = not 0 <= first + (-1 if descending else 1) * (blocks - 1) < size
    nibbles = some.binary(min_size=channels // 2 + 1, max_size=channels // 2 + 1)
    order = draw(some.integers(0, 1))
    return Truth(
        [block(count) for count in counts],
        ends,
        size=size,
        per_block=per_block,
        minutes=minutes,
        code=code,
        first=first,
        descending_blocks=descending,
        descending_intervals=draw(some.booleans()),
        circular=wraps or draw(some.booleans()),
        sequence=draw(some.sampled_from([100, 0, 0xFFFFFFFF])),
        status=[[draw(nibbles) for _ in range(count)] for count in counts] if draw(some.booleans()) else None,
        valid=[set(draw(some.lists(some.integers(0, count - 1)))) for count in counts]
        if draw(some.booleans())
        else None,
        scalars=[1, 10, 2, 1, 5][:channels] if draw(some.booleans()) else None,
        divisors=[1, 1, 4, 100, 1][:channels],
        formats={
            "order": order,
            "time": draw(some.integers(1, 4)),
            "version": draw(some.integers(1, 2)),
        },
    )


def expected(truth):
    rows = []
    for number, (intervals, end) in enumerate(zip(truth.blocks, truth.ends, strict=True)):
        for place, values in enumerate(intervals):
            stop = end - (len(intervals) - 1 - place) * truth.minutes * MINUTE
            for slot, raw in enumerate(values):
                value = Decimal(raw)
                if truth.scalars:
                    value = value * truth.divisors[slot] / truth.scalars[slot]
                bits, code = 0, None
                if truth.valid is not None and place not in truth.valid[number]:
                    bits |= IntervalStatus.NOT_VALID
                if truth.status is not None:
                    hexes = truth.status[number][place].hex()
                    bits |= int(hexes[0], 16)
                    code = int(hexes[slot + 1], 16)
                    value = None if code == 4 else value
                sequence = truth.sequence - (len(truth.blocks) - 1 - number) & 0xFFFFFFFF
                rows.append((stop - truth.minutes * MINUTE, stop, slot + 1, value, raw, bits, code, sequence))
    return rows


def shown(found):
    rows = []
    for row in found:
        assert row.source == (row.channel - 1) % 3
        assert row.unit == ["varh", "varh", "V"][row.source]
        start, end = row.start.replace(tzinfo=None), row.end.replace(tzinfo=None)
        rows.append((start, end, row.channel, row.value, row.raw, row.status, row.extended, row.block))
    return rows


@settings(max_examples=120, deadline=None)
@given(truths())
def test_rows_are_the_truth(truth):
    found = load_profile(truth.device(), 1)
    assert shown(found) == expected(truth)
    assert codes(found) == []


@settings(max_examples=60, deadline=None)
@given(truths(), some.integers(0, 600), some.integers(0, 600), some.booleans(), some.integers(0, 80))
def test_a_span_of_time_from_a_few_octets(truth, first, last, with_ends, gap):
    device = truth.device()
    octets = device[64].raw
    since, until = (dt.datetime(2024, 1, 1) + number * MINUTE for number in (first, last))
    ends = {n: device.value(f"ST64.LP_DATA_SETS1[{n}].BLK_END_TIME") for n in range(truth.size)}
    full = load_profile(device, 1, since=since, until=until)
    whole = [row for row in load_profile(device, 1) if _naive(row.end) > since and _naive(row.start) < until]
    assert list(full) == whole
    if with_ends:
        device.drop(64)
    need = needed(device, 1, since, until, ends=ends if with_ends else None, merge_gap=gap)
    assert not need.estimated
    pieces = {piece.offset: octets[piece.offset : piece.offset + piece.count] for piece in need.pieces}
    assert sum(map(len, pieces.values())) == need.octets <= len(octets)
    part = load_profile(device, 1, pieces=pieces, since=since, until=until)
    assert list(part) == whole
    if not whole:
        assert need.octets <= len(octets)
    for piece in need.pieces:
        size = len(octets) // truth.size
        assert piece.blocks == tuple(range(piece.offset // size, (piece.offset + piece.count - 1) // size + 1))


def _naive(time):
    return time.replace(tzinfo=None)


def full_days(days=3, **more):
    """Blocks of a day of 96 intervals."""
    ends = [dt.datetime(2024, 6, 2) + dt.timedelta(days=n) for n in range(days)]
    blocks = [[[n % 50, n] for n in range(96)] for _ in range(days)]
    return Truth(blocks, ends, per_block=96, **more)


def test_a_day_needs_its_octets_only():
    device = full_days(30).device()
    size = len(device[64].raw)
    need = needed(device, 1, at("2024-06-10"), at("2024-06-11"))
    assert need.octets <= size / 30 + 2 * 5 + 2 * 4
    hours = needed(device, 1, at("2024-06-10 12:00"), at("2024-06-10 14:00"))
    assert (len(hours.pieces), hours.octets) == (2, 5 + 10 * 4)  # its head, eight intervals, and one on each side
    assert [piece.count for piece in hours.ends] == [5] * 30
    assert needed(device, 1, at("2025-01-01")).pieces == ()
    assert needed(device, 1).octets == size
    small = needed(device, 1, max_count=1000)
    assert max(piece.count for piece in small.pieces) == 1000
    assert small.octets == size


def test_a_day_by_the_clock_alone():
    truth = full_days(30, tables={52: "18 07 01 00 05 00 61"})
    device = truth.device()
    octets = device[64].raw
    device.drop(64)
    need = needed(device, 1, at("2024-06-10"), at("2024-06-11"))
    assert need.estimated
    assert len(need.ends) == 30
    assert len(octets) / 30 < need.octets <= 4 * len(octets) / 30
    pieces = {piece.offset: octets[piece.offset : piece.offset + piece.count] for piece in need.pieces}
    rows = load_profile(device, 1, pieces=pieces, since=at("2024-06-10"), until=at("2024-06-11")).rows
    assert len(rows) == 2 * 96
    device.drop(52)
    blind = needed(device, 1, at("2024-06-10"), at("2024-06-11"))
    assert (blind.estimated, blind.octets) == (True, len(octets))
    newest = needed(device, 1, at("2024-06-10"), at("2024-06-11"), ends={29: truth.ends[-1]})
    assert newest.estimated
    assert newest.octets == need.octets


@pytest.mark.parametrize(("shift", "count"), [(1, 2), (1, 1)])
def test_newest_block_counted_from_one(shift, count):
    truth = simple(shift=shift, size=3)
    truth.blocks, truth.ends = truth.blocks[:count], truth.ends[:count]
    found = load_profile(truth.device(), 1)
    assert [row.raw for row in found] == list(range(1, 4 * count + 1))
    assert codes(found) == ["off-by-one"]


def test_newest_block_past_the_end():
    found = load_profile(simple(shift=1).device(), 1)
    assert [row.raw for row in found] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert "off-by-one" in codes(found)


def test_more_blocks_than_there_are():
    device = simple().device()
    device.change("ST63.LP_STATUS_SET1.NBR_VALID_BLOCKS", 9)
    found = load_profile(device, 1)
    assert len(found) == 8
    assert "too-many-valid" in codes(found)
    device = simple().device()
    device.change("ST63.LP_STATUS_SET1.NBR_VALID_INT", 9)
    assert [row.raw for row in load_profile(device, 1)] == [1, 2, 3, 4, 5, 6, 7, 8]
    device.change("ST63.LP_STATUS_SET1.NBR_VALID_BLOCKS", 0)
    assert load_profile(device, 1).rows == ()


@pytest.mark.parametrize("descending", [False, True])
def test_running_interval_is_left_out(descending):
    truth = simple(descending_intervals=descending)
    truth.blocks[1] = truth.blocks[1][:3]
    truth.ends[1] = at("2024-06-01 01:37")
    found = load_profile(truth.device(), 1)
    assert [(row.raw, row.end) for row in found][-2:] == [(5, at("2024-06-01 01:15")), (6, at("2024-06-01 01:30"))]
    assert "running-interval" in noted(found)
    assert codes(found) == []


def test_block_that_ends_within_an_interval():
    truth = simple()
    truth.ends[0] = at("2024-06-01 00:57")
    found = load_profile(truth.device(), 1)
    assert codes(found) == ["unaligned"]
    assert found.rows[3].end == at("2024-06-01 00:57")
    assert "gap" in noted(found)


def test_status_flags_are_told():
    found = load_profile(simple(set_flags=0x42).device(), 1)
    assert codes(found) == ["overflow", "test-mode"]
    assert "inactive" in noted(found)


def test_fifo_that_wraps_is_told():
    found = load_profile(simple(first=1, circular=False).device(), 1)
    assert [row.raw for row in found] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert codes(found) == ["list-wraps"]


def test_closure_status():
    closures = [[(2, 3), (0, 2)], [(0, 4), (0, 4)]]
    blocks = [[[1, 11], [2, 12], [3, 13]], [[5, 15], [6, 16], [7, 17], [8, 18]]]
    truth = Truth(blocks, [at("2024-06-01 00:45"), at("2024-06-01 02:00")], closures=closures, formats={"version": 1})
    found = load_profile(truth.device(), 1)
    assert [row.raw for row in found if row.channel == 1] == [1, 2, 3, 5, 6, 7, 8]
    assert [row.raw for row in found if row.channel == 2] == [11, 12, 15, 16, 17, 18]
    assert found.rows[0].start == at("2024-06-01 00:00")
    assert codes(found) == ["closure-counts"]
    assert noted(found) >= {"closure", "gap"}
    assert found.blocks[0].closure == (2, 0)


def test_inhibited_block_has_no_values():
    truth = simple(closures=[[(5, 4)], [(0, 4)]], formats={"version": 1})
    found = load_profile(truth.device(), 1)
    assert [row.value for row in found] == [None] * 4 + [5, 6, 7, 8]
    assert found.rows[0].status is IntervalStatus.INHIBITED
    assert found.rows[0].raw == 1


def test_empty_closure_status_is_a_full_block():
    found = load_profile(simple(closures=[[(0, 0)], [(0, 0)]], formats={"version": 1}).device(), 1)
    assert [row.raw for row in found] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert "closure-empty" in noted(found)
    assert codes(found) == []


def test_needed_of_a_set_with_closure_status():
    truth = simple(closures=[[(2, 2)], [(0, 4)]], formats={"version": 1})
    truth.blocks[0] = truth.blocks[0][:2]
    device = truth.device()
    octets = device[64].raw
    device.drop(64)
    ends = dict(enumerate(truth.ends))
    need = needed(device, 1, at("2024-06-01 00:30"), at("2024-06-01 00:45"), ends=ends)
    pieces = {piece.offset: octets[piece.offset : piece.offset + piece.count] for piece in need.pieces}
    (row,) = load_profile(device, 1, pieces=pieces, since=at("2024-06-01 00:30"), until=at("2024-06-01 00:45"))
    assert row.raw == 1


def test_damaged_end_time():
    device = simple().device()
    octets = bytearray(device[64].raw)
    octets[1] = 13
    device.put(64, octets)
    found = load_profile(device, 1)
    assert [row.start for row in found] == [None] * 4 + quarters(4, at("2024-06-01 01:45"))
    assert [row.raw for row in found] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert codes(found) == ["disorder", "no-end-time"]


def test_interval_length_zero():
    found = load_profile(simple(minutes=0).device(), 1)
    assert [row.start for row in found] == [None] * 8
    assert codes(found) == ["no-length"]


# --- without tables


@pytest.mark.parametrize("gone", [61, 62, 63, 64])
def test_tables_that_are_not_here(gone):
    device = meter(EXAMPLE)
    device.drop(gone)
    found = load_profile(device, 1)
    assert (found.rows, found.readings) == ((), ())
    assert f"ST{gone}" in {finding.path for finding in found.findings if finding.level == "error"}
    if gone != 64:
        assert needed(device, 1).pieces == ()


def test_set_that_does_not_exist():
    found = load_profile(meter(EXAMPLE), 2)
    assert (found.rows, codes(found)) == ((), ["no-set"])
    with pytest.raises(ValueError, match="1 to 4"):
        load_profile(meter(EXAMPLE), 5)


def test_empty_and_hostile_dimensions():
    empty = load_profile(meter(EXAMPLE | {61: "E8 03 00 00 70 0C 02 00 00 04 00 02 0F"}), 1)
    assert (empty.rows, noted(empty)) == ((), {"empty"})
    none = EXAMPLE | {61: "00 00 00 00 00 00 02 02 00 04 00 00 0F", 62: "02"}
    assert load_profile(meter(none), 1).rows == ()
    huge = EXAMPLE | {61: "00 00 00 00 00 0C 02 FF FF FF FF 02 01", 62: "010000 010404 02"}
    assert codes(load_profile(meter(huge), 1)) == ["no-layout"]
    form = EXAMPLE | {62: "010000 010404 03 01000100 0A000100"}
    assert codes(load_profile(meter(form), 1)) == ["no-layout"]


def test_short_and_long_tables():
    octets = bytes.fromhex(BLOCK0 + BLOCK1)
    short = load_profile(meter(EXAMPLE | {64: octets[:80]}), 1)
    assert [row.raw for row in short if row.channel == 1] == [100, 101, 99, 100, 123, 61]
    assert codes(short) == ["short"]
    long = load_profile(meter(EXAMPLE | {64: octets + b"\0\0"}), 1)
    assert (len(long), codes(long)) == (14, ["long"])
    cut = load_profile(meter(EXAMPLE | {63: "24 02 00"}), 1)
    assert (cut.rows, codes(cut)) == ((), ["short"])


@settings(max_examples=60, deadline=None)
@given(some.data())
def test_any_octets_give_rows_or_findings(data):
    table = data.draw(some.sampled_from([61, 62, 63, 64]))
    octets = bytearray(bytes.fromhex(EXAMPLE[table]))
    for _ in range(data.draw(some.integers(1, 4))):
        octets[data.draw(some.integers(0, len(octets) - 1))] = data.draw(some.integers(0, 255))
    octets = octets[: data.draw(some.sampled_from([len(octets), len(octets) // 2]))]
    device = meter(EXAMPLE | {table: bytes(octets)})
    found = load_profile(device, 1)
    assert found.rows or found.findings
    assert json.loads(found.to_json())["intervals"] == found.as_dict()["intervals"]
    needed(device, 1, at("2024-03-10 10:00"))


# --- for others


def test_json_and_csv():
    found = load_profile(meter(EXAMPLE), 1)
    content = json.loads(found.to_json())
    assert content["channels"][0]["unit"] == "Wh"
    assert content["intervals"][10] == {
        "start": "2024-03-10T10:15:00",
        "end": "2024-03-10T10:30:00",
        "channel": 1,
        "source": 0,
        "quantity": "active energy delivered",
        "unit": "Wh",
        "value": "610",
        "raw": 61,
        "status": ["POWER_FAIL"],
        "extended": 2,
        "block": 57,
    }
    assert content["end_readings"][0]["value"] == "1230667"
    assert content["blocks"][1]["intervals"] == 3
    lines = list(csv.DictReader(io.StringIO(found.to_csv())))
    assert len(lines) == 14
    assert (lines[10]["value"], lines[10]["status"], lines[0]["status"]) == ("610", "POWER_FAIL", "")


def test_device_has_it_as_a_method():
    device = meter(EXAMPLE)
    assert device.load_profile(1).rows == load_profile(device, 1).rows
    assert repr(device.load_profile()) == "<load profile set 1: 14 rows of 2 channels>"
