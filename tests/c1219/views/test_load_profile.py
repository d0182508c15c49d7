from __future__ import annotations

import csv
import datetime as dt
import io
import json
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from c1219.codes.status import ChannelStatus
from c1219.views.load_profile import IntervalStatus, load_profile, needed
from tests.c1219.views.meter import FORMS, Truth, meter, zoned

UTC = dt.UTC
MINUTE = dt.timedelta(minutes=1)
NEW_YORK = ZoneInfo("America/New_York")
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


def at(text, zone=None):
    return dt.datetime.fromisoformat(text).replace(tzinfo=zone)


def codes(found):
    return [finding.code for finding in found.findings if finding.level != "note"]


def noted(found):
    return {finding.code for finding in found.findings if finding.level == "note"} - {"absent"}


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


# --- real meters


def simple(**more):
    """Two blocks of four intervals, one channel."""
    blocks = [[[1], [2], [3], [4]], [[5], [6], [7], [8]]]
    return Truth(blocks, [at("2024-06-01 01:00"), at("2024-06-01 02:00")], **more)


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


def test_clock_set_back_between_blocks():
    truth = simple()
    truth.ends[1] = at("2024-06-01 01:15")
    found = load_profile(truth.device(), 1)
    assert codes(found) == ["overlap"]
    assert [row.start for row in found] == sorted(row.start for row in found)
    back = simple(first=1, size=4)
    back.ends[1] = at("2024-06-01 00:00")
    found = load_profile(back.device(), 1)
    assert codes(found) == ["disorder", "overlap"]
    assert [row.raw for row in found] == [5, 6, 7, 8, 1, 2, 3, 4]


def test_clock_set_within_a_block():
    status = [[b"\x00", b"\x43", b"\x00", b"\x83"], [b"\x34"] * 4]
    found = load_profile(simple(status=status).device(), 1)
    (finding,) = (finding for finding in found.findings if finding.code == "clock-set")
    assert finding.path == "ST64.LP_DATA_SETS1[0]"
    assert "interval 1, 3;" in finding.text
    assert found.rows[1].status is IntervalStatus.CLOCK_SET_FORWARD
    assert found.rows[3].status is IntervalStatus.CLOCK_SET_BACKWARD
    assert (found.rows[3].extended, found.rows[3].value) == (ChannelStatus.LONG_INTERVAL, 4)
    assert [row.value for row in found if row.block == 100] == [None] * 4  # skipped


def test_no_clock():
    truth = simple(formats={"time": 0})
    truth.ends = [None, None]
    found = load_profile(truth.device(), 1)
    assert [(row.start, row.raw) for row in found] == [(None, n) for n in range(1, 9)]
    assert "no-clock" in noted(found)
    assert len(load_profile(truth.device(), 1, since=at("2024-06-01"))) == 8


def test_interval_length_zero():
    found = load_profile(simple(minutes=0).device(), 1)
    assert [row.start for row in found] == [None] * 8
    assert codes(found) == ["no-length"]


# --- values


@pytest.mark.parametrize(
    ("code", "formats", "raws", "values"),
    [
        (64, {"ni1": 1}, [0.10000000149011612, -2.5], ["0.1", "-2.5"]),
        (128, {"ni2": 0}, [0.1, -2.5], ["0.1", "-2.5"]),
        (64, {"ni1": 4}, [Decimal("12.3456"), Decimal(-1)], ["12.3456", "-1"]),
        (64, {"ni1": 6}, [Decimal("1.5"), Decimal(-7)], ["1.5", "-7"]),
        (64, {"ni1": 10}, [2**46, -5], [str(2**46), "-5"]),
        (128, {"ni2": 3}, [Decimal("1.25"), Decimal(3)], ["1.25", "3"]),
    ],
)
def test_forms_of_numbers(code, formats, raws, values):
    truth = Truth([[[raw] for raw in raws]], [at("2024-06-01 00:30")], per_block=2, code=code, formats=formats)
    found = load_profile(truth.device(), 1)
    assert [row.value for row in found] == [Decimal(value) for value in values]
    assert [row.raw for row in found] == raws


def test_numbers_that_are_none():
    truth = Truth([[[float("nan")], [2.0]]], [at("2024-06-01 00:30")], per_block=2, code=64, formats={"ni1": 1})
    assert [row.value for row in load_profile(truth.device(), 1)] == [None, 2]
    bcd = Truth([[[Decimal(1)], [Decimal(2)]]], [at("2024-06-01 00:30")], per_block=2, code=64, formats={"ni1": 6})
    device = bcd.device()
    octets = bytearray(device[64].raw)
    octets[5] = 0xCC
    device.put(64, octets)
    found = load_profile(device, 1)
    assert [row.value for row in found] == [None, 2]
    assert codes(found) == ["no-value"]
    assert found.rows[0].raw == bytes([0xCC, 0, 0, 1])


def test_floats_and_raw_values_in_json():
    """NaN and infinity have no form in JSON; a number stays one, also under a scalar."""
    numbers = [[[float("nan")], [2.5], [float("-inf")]]]
    truth = Truth(numbers, [at("2024-06-01 00:45")], code=64, formats={"ni1": 1}, scalars=[4], divisors=[1])
    found = load_profile(truth.device(), 1)
    assert [row.value for row in found] == [None, Decimal("0.625"), None]

    def refuse(text):
        raise AssertionError(text)

    rows = json.loads(found.to_json(), parse_constant=refuse)["intervals"]
    assert [(row["raw"], row["value"]) for row in rows] == [("nan", None), (2.5, "0.625"), ("-inf", None)]
    bcd = Truth([[[Decimal(1)]]], [at("2024-06-01 00:15")], code=64, formats={"ni1": 6}, scalars=[4], divisors=[3])
    device = bcd.device()
    device.put(64, device[64].raw[:5] + b"\xcc" + device[64].raw[6:])
    assert [row.value for row in load_profile(device, 1)] == [None]
    assert load_profile(device, 1).as_dict()["intervals"][0]["raw"] == "cc000001"


def test_flags_of_an_interval_add_up():
    truth = simple(
        valid=[{0, 1, 2, 3}, {0, 2}], closures=[[(0, 4)], [(4, 4)]], formats={"version": 1},
        status=[[b"\x00"] * 4, [b"\x20", b"\x20", b"\x00", b"\x00"]],
    )  # fmt: skip
    flags = [row.status for row in load_profile(truth.device(), 1)]
    inhibited, fail, invalid = IntervalStatus.INHIBITED, IntervalStatus.POWER_FAIL, IntervalStatus.NOT_VALID
    assert flags == [IntervalStatus(0)] * 4 + [
        inhibited | fail, inhibited | fail | invalid, inhibited, inhibited | invalid,
    ]  # fmt: skip


def test_scalars_and_divisors():
    truth = Truth([[[7, 7, 7]]], [at("2024-06-01 00:15")], per_block=1, scalars=[3, 0, 4], divisors=[1, 0, 3])
    found = load_profile(truth.device(), 1)
    assert [row.value for row in found] == [Decimal(7) / 3, 7, Decimal("5.25")]
    assert codes(found) == ["scalar"]


def test_sources_that_are_not_known_are_said():
    device = simple().device()
    device.drop(12)
    found = load_profile(device, 1)
    assert {(row.quantity, row.unit) for row in found} == {("source 0", None)}
    assert codes(found) == ["source"]


# --- end readings


def with_readings(readings, **more):
    return simple(readings=[[reading] for reading in readings], **more)


def test_end_readings_agree():
    found = load_profile(with_readings([100, 126], pulses=[[10], [36]]).device(), 1)
    assert codes(found) == []
    assert [(r.value, r.unit, r.pulses, r.block) for r in found.readings] == [
        (100, "varh", 10, 99),
        (126, "varh", 36, 100),
    ]


def test_end_readings_that_do_not_agree():
    found = load_profile(with_readings([100, 127]).device(), 1)
    (finding,) = (f for f in found.findings if f.level != "note")
    assert finding.code == "reading-mismatch"
    assert finding.text == "block 100, channel 1: end readings differ by 27, its intervals sum to 26"
    assert codes(load_profile(with_readings([100, 20]).device(), 1)) == ["reading-fell"]
    assert codes(load_profile(simple(pulses=[[10], [37]]).device(), 1)) == ["pulse-mismatch"]


def test_end_readings_in_steps():
    for last, expected_codes in ((359, []), (351, []), (360, []), (369, []), (370, ["reading-mismatch"])):
        truth = with_readings([100, last], scalars=[1], divisors=[10])
        assert codes(load_profile(truth.device(), 1)) == expected_codes, last


def test_pulses_before_or_after_the_divisor():
    for last in (10 + 26, 10 + 260, 10 + 26 - 2**32):
        truth = simple(pulses=[[10], [last % 2**32]], scalars=[1], divisors=[10])
        assert codes(load_profile(truth.device(), 1)) == []


def test_pulse_counter_wraps():
    assert codes(load_profile(simple(pulses=[[2**32 - 6], [20]]).device(), 1)) == []


def test_readings_that_are_the_sum_of_their_block():
    assert codes(load_profile(with_readings([10, 26], sums=True).device(), 1)) == []
    assert codes(load_profile(with_readings([11, 26], sums=True).device(), 1)) == ["reading-mismatch"]


def test_channel_without_end_reading():
    found = load_profile(with_readings([100, 0], end_flags=0).device(), 1)
    assert (found.readings, codes(found)) == ((), [])


def test_end_reading_of_another_unit():
    device = with_readings([100, 126]).device()
    device.change("ST62.LP_SEL_SET1[0].END_BLK_RDG_SOURCE_SELECT", 2)
    found = load_profile(device, 1)
    assert codes(found) == []
    assert "not-comparable" in noted(found)
    assert found.readings[0].unit == "V"


def test_float_readings_agree_within_their_digits():
    values = [[[0.1]], [[0.2]]]
    ends = [at("2024-06-01 00:15"), at("2024-06-01 00:30")]
    truth = Truth(values, ends, per_block=1, code=64, readings=[[1000.1], [1000.3]], formats={"ni1": 1})
    assert codes(load_profile(truth.device(), 1)) == []
    truth.readings = [[1000.1], [1000.5]]
    assert codes(load_profile(truth.device(), 1)) == ["reading-mismatch"]


def test_running_interval_is_not_held_against_readings():
    truth = with_readings([100, 121])
    truth.ends[1] = at("2024-06-01 01:52")
    assert codes(load_profile(truth.device(), 1)) == []


# --- daylight saving time


def over_the_change(spring, *, ends, intervals, **more):
    """Blocks over 10 March or 3 November 2024, in local time with DST."""
    blocks = [[[n] for n in range(count)] for count in intervals]
    return Truth(blocks, [at(end) for end in ends], per_block=max(intervals), tables=zoned(), **more)


def truth_of(first, count):
    return [first + 15 * n * MINUTE for n in range(count)]


def offsets(times):
    return [time.astimezone(NEW_YORK).utcoffset() for time in times]


@pytest.mark.parametrize(
    ("end", "count", "first"),
    [("2024-03-10 04:00", 12, "2024-03-10 05:00"), ("2024-11-03 04:00", 20, "2024-11-03 04:00")],
)
def test_change_of_time_inside_a_block(end, count, first):
    found = load_profile(over_the_change(True, ends=[end], intervals=[count]).device(), 1)
    expected = truth_of(at(first, UTC), count + 1)
    assert [row.start for row in found] == expected[:-1]
    assert [row.start.utcoffset() for row in found] == offsets(expected[:-1])
    assert [row.end.utcoffset() for row in found] == offsets(expected[1:])
    assert codes(found) == []


def test_block_that_ends_in_the_hour_that_occurs_twice():
    ends = ["2024-11-03 00:30", "2024-11-03 01:30", "2024-11-03 01:30", "2024-11-03 02:30"]
    found = load_profile(over_the_change(False, ends=ends, intervals=[4, 4, 4, 4]).device(), 1)
    assert [row.start for row in found] == truth_of(at("2024-11-03 03:30", UTC), 16)
    assert codes(found) == []
    status = [[b"\x10"] * 4, [b"\x00"] * 4]
    twice = over_the_change(False, ends=ends[1:3], intervals=[4, 4], status=status)
    assert [row.start for row in load_profile(twice.device(), 1)] == truth_of(at("2024-11-03 04:30", UTC), 8)


def test_change_of_time_by_the_status_of_intervals():
    status = [[b"\x10"] * 8 + [b"\x00"] * 4]
    truth = over_the_change(False, ends=["2024-11-03 02:00"], intervals=[12], status=status)
    del truth.tables[54]
    found = load_profile(truth.device(), 1)
    assert [row.start for row in found] == truth_of(at("2024-11-03 04:00", UTC), 12)
    assert [row.start.utcoffset() for row in found] == [dt.timedelta(hours=-4)] * 8 + [dt.timedelta(hours=-5)] * 4
    assert found.rows[0].status is IntervalStatus.DST


def test_change_of_time_that_is_not_known():
    truth = over_the_change(True, ends=["2024-03-10 04:00"], intervals=[12])
    del truth.tables[54]
    found = load_profile(truth.device(), 1)
    assert found.rows[0].start == at("2024-03-10 01:00")
    assert codes(found) == ["dst-unknown"]
    known = load_profile(truth.device(), 1, zone=NEW_YORK)
    assert [row.start for row in known] == truth_of(at("2024-03-10 05:00", UTC), 12)
    assert codes(known) == []


def test_times_that_are_utc():
    truth = over_the_change(True, ends=["2024-03-10 08:00"], intervals=[12], formats={"time": 4})
    truth.tables[53] = "20 1C 00 00 3C D4 FE 20 1C 00 00"
    truth.tables[52] = "52 5A ED 65 E0"
    found = load_profile(truth.device(), 1)
    assert [row.start for row in found] == truth_of(at("2024-03-10 05:00", UTC), 12)
    assert found.rows[-1].end.utcoffset() == dt.timedelta(hours=-4)
    local = load_profile(truth.device(), 1, local_counters=True)
    assert local.rows[-1].end == at("2024-03-10 12:00", UTC)


def test_since_and_until_of_both_kinds():
    device = over_the_change(True, ends=["2024-03-10 04:00"], intervals=[12]).device()
    naive = load_profile(device, 1, since=at("2024-03-10 01:45"), until=at("2024-03-10 03:15"))
    assert [row.raw for row in naive] == [7, 8]
    aware = load_profile(device, 1, since=at("2024-03-10 06:45", UTC), until=at("2024-03-10 07:15", UTC))
    assert aware.rows == naive.rows
    bare = load_profile(simple().device(), 1, since=at("2024-06-01 00:45", UTC))
    assert len(bare) == 8
    assert "zone-unknown" in codes(bare)


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
