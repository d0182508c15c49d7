import csv
import datetime as dt
import io
import json
import struct
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from c1219.codes.units import Direction, Segmentation
from c1219.device import Device
from c1219.values import Raw
from c1219.views.registers import Register, RegisterReader, Registers, registers
from tests.c1219.views.example_meter import TABLES, meter


def of(found: Registers, path: str) -> Register:
    (row,) = [row for row in found if row.path == path]
    return row


def codes(found: Registers) -> set[tuple[str, str]]:
    return {(finding.code, finding.path) for finding in found.findings}


def test_every_value_of_the_worked_examples() -> None:
    found = registers(meter())
    assert found.findings == ()
    noon, nine = dt.datetime(2026, 11, 22, 14, 30), dt.datetime(2026, 11, 20, 9, 15)
    block = [
        ("SUMMATIONS[0]", "summation", "Wh"),
        ("DEMANDS[0].CUM_DEMAND", "cumulative", "W"),
        ("DEMANDS[0].DEMAND[0]", "demand", "W"),
        ("COINCIDENTS[0].COINCIDENT_VALUES[0]", "coincident", "V"),
    ]
    values = {
        "TOT_DATA_BLOCK": ("total", None, noon, (123456, 54321, 4200, Decimal("14407.20"))),
        "TIER_DATA_BLOCK[0]": ("tier 0", 0, nine, (23456, 4321, 3100, Decimal("14394.00"))),
    }
    expected: list[Any] = []
    for head in ("ST23", "ST25.PREV_DEMAND_RESET_DATA", "ST26.SELF_READS_ENTRIES[0].SELF_READ_REGISTER_DATA"):
        expected.append((f"{head}.NBR_DEMAND_RESETS", "demand resets", "total", None, 7, "", None))
        for name, (words, tier, time, numbers) in values.items():
            for (path, kind, unit), number in zip(block, numbers, strict=True):
                when = time if kind in {"demand", "coincident"} else None
                expected.append((f"{head}.{name}.{path}", kind, words, tier, number, unit, when))
    expected += [
        ("ST28.PRESENT_DEMAND[0].DEMAND_VALUE", "present demand", None, None, 3550, "W", None),
        ("ST28.PRESENT_VALUE[0]", "present value", None, None, 123460, "Wh", None),
        ("ST28.PRESENT_VALUE[1]", "present value", None, None, Decimal("14407.20"), "V", None),
    ]
    rows = [(row.path, row.kind, row.block, row.tier, row.value, row.unit, row.event_time) for row in found]
    assert rows == expected
    assert all(row.valid and not row.remarks for row in found)
    assert len(found) == len(expected)


def test_what_a_row_says_of_its_source_and_period() -> None:
    found = registers(meter())
    energy = of(found, "ST23.TOT_DATA_BLOCK.SUMMATIONS[0]")
    assert (energy.source, energy.quantity, energy.direction, energy.quadrants) == (
        0, "active energy delivered", Direction.DELIVERED, (1, 4),
    )  # fmt: skip
    assert (energy.period, energy.table, energy.interval, energy.extreme) == ("current", "ST23", None, None)
    demand = of(found, "ST23.TOT_DATA_BLOCK.DEMANDS[0].DEMAND[0]")
    assert (demand.source, demand.occurrence, demand.extreme, demand.interval) == (1, 0, "maximum", 15)
    voltage = of(found, "ST23.TOT_DATA_BLOCK.COINCIDENTS[0].COINCIDENT_VALUES[0]")
    assert (voltage.source, voltage.phase, voltage.raw) == (3, Segmentation.A_N, 24012)
    assert (voltage.extreme, voltage.occurrence, voltage.quadrants) == ("maximum", 0, ())
    previous = of(found, "ST25.PREV_DEMAND_RESET_DATA.TOT_DATA_BLOCK.SUMMATIONS[0]")
    assert (previous.period, previous.period_end, previous.season) == (
        "previous demand reset", dt.datetime(2026, 11, 1), 1,
    )  # fmt: skip
    read = of(found, "ST26.SELF_READS_ENTRIES[0].SELF_READ_REGISTER_DATA.NBR_DEMAND_RESETS")
    assert (read.period, read.self_read, read.season) == ("self read", 9, 1)
    present = of(found, "ST28.PRESENT_DEMAND[0].DEMAND_VALUE")
    assert (present.period, present.time_remaining) == ("present", dt.time(0, 4, 30))


def test_a_minimum_is_said_to_be_one() -> None:
    found = registers(meter({22: "00 01 00 03 00"}))
    assert of(found, "ST23.TOT_DATA_BLOCK.DEMANDS[0].DEMAND[0]").extreme == "minimum"
    assert of(found, "ST23.TOT_DATA_BLOCK.COINCIDENTS[0].COINCIDENT_VALUES[0]").extreme == "minimum"


def test_four_tiers_two_occurrences_and_floats() -> None:
    # ST0 with FLOAT32 for both formats; ST21 with times and both cumulative demands, 2 summations, 4 tiers
    st0 = bytearray(TABLES[0])
    st0[2] = 0x11
    numbers = iter(range(1, 1000))
    times = []

    def block() -> bytes:
        octets = struct.pack("<2f", next(numbers) / 10, next(numbers) / 10)
        for _ in range(2):
            n = next(numbers)
            times.append(dt.datetime(2026, 1, 1, n % 24, n % 60))
            octets += bytes((26, 1, 1, n % 24, n % 60))
        return octets + struct.pack("<4f", *(next(numbers) / 10 for _ in range(4)))

    data = b"".join(block() for _ in range(5))
    found = registers(meter({0: bytes(st0), 15: None, 16: "11 13 06 11", 21: "32 00 00 02 01 00 02 04 00 00",
                             22: "00 00 01 01", 23: data, 25: None, 26: None, 27: None, 28: None}))  # fmt: skip
    expected = iter(range(1, 1000))
    rows = iter(found)
    for tier in range(5):
        for summation in range(2):
            row = next(rows)
            assert (row.block, row.value) == ("total" if not tier else f"tier {tier - 1}", Decimal(next(expected)) / 10)
            assert row.path.endswith(f"SUMMATIONS[{summation}]")
        next(expected), next(expected)
        for kind, occurrence in (("cumulative", None), ("continuous cumulative", None), ("demand", 0), ("demand", 1)):
            row = next(rows)
            assert (row.kind, row.occurrence, row.value) == (kind, occurrence, Decimal(next(expected)) / 10)
            assert row.event_time == (None if occurrence is None else times[2 * tier + occurrence])
            assert row.tier == (tier - 1 if tier else None)
    assert next(rows, None) is None


def test_constants_and_multiplier_are_applied_in_turn() -> None:
    # MULTIPLIER 3, OFFSET 7, ratios 40 and 60 not applied yet; power in kW: (raw * 3 + 7) * 40 * 60 * 1000
    st15 = b"".join(number.to_bytes(6, "little") for number in (3, 7)) + b"\0"
    st15 += b"".join(number.to_bytes(6, "little") for number in (40, 60))
    found = registers(meter({12: "00 50 02 00 00 44 02 00 08 2A 28 00", 15: st15, 16: "39 13 06 11"}))
    row = of(found, "ST23.TOT_DATA_BLOCK.SUMMATIONS[0]")
    assert row.value == (123456 * 3 + 7) * 2400 * 1000
    applied = bytearray(st15)
    applied[12] = 1
    found = registers(meter({12: "00 50 02 00 00 44 02 00 08 2A 28 00", 15: bytes(applied), 16: "39 13 06 11"}))
    assert of(found, "ST23.TOT_DATA_BLOCK.SUMMATIONS[0]").value == (123456 * 3 + 7) * 1000


def test_self_reads_go_from_the_oldest_to_the_newest() -> None:
    entry = TABLES[26][6:65]

    def entries(*numbers: int) -> bytes:
        return b"".join(number.to_bytes(2, "little") + entry[2:] for number in numbers)

    st21 = bytearray(TABLES[21])
    st21[2] = 3

    def order(head: str, *numbers: int) -> list[tuple[int, int]]:
        found = registers(
            meter({21: bytes(st21), 26: bytes.fromhex(head) + entries(*numbers), 23: None, 25: None, 28: None})
        )
        return [
            (int(row.path[24]), row.self_read)
            for row in found
            if row.kind == "demand resets" and row.self_read is not None
        ]

    assert order("04 03 00 0B 00 01", 11, 9, 10) == [(1, 9), (2, 10), (0, 11)]  # circular, ascending
    assert order("05 02 02 0B 00 01", 10, 99, 11) == [(0, 10), (2, 11)]  # circular, descending
    assert order("00 02 01 0B 00 01", 10, 11, 99) == [(0, 10), (1, 11)]  # FIFO
    assert order("01 02 00 0B 00 01", 11, 10, 99) == [(1, 10), (0, 11)]  # FIFO, the newest first
    assert order("04 00 00 0B 00 00", 1, 2, 3) == []


def test_sequence_numbers_are_counted_where_entries_have_none() -> None:
    st21 = bytearray(TABLES[21])
    st21[1] = 0
    entry = TABLES[26][8:65]
    found = registers(meter({21: bytes(st21), 26: bytes.fromhex("040200000001") + entry + entry}))
    numbers = [row.self_read for row in found if row.path.startswith("ST26") and row.kind == "demand resets"]
    assert numbers == [0xFFFF, 0]


def test_lost_self_reads_and_impossible_counts_are_findings() -> None:
    found = registers(meter({26: bytes.fromhex("06 05 00") + TABLES[26][3:]}))
    assert {("overflow", "ST26.LIST_STATUS"), ("too-many-valid", "ST26.LIST_STATUS")} <= codes(found)
    assert len({row.path for row in found}) == len(found)


def test_times_are_aware_where_the_offset_is_known() -> None:
    zone = dt.timezone(dt.timedelta(hours=-5))
    row = of(registers(meter(), zone=zone), "ST23.TOT_DATA_BLOCK.DEMANDS[0].DEMAND[0]")
    assert row.event_time == dt.datetime(2026, 11, 22, 14, 30, tzinfo=zone)
    assert registers(meter(), zone=zone).as_dict()["registers"][3]["event_time"] == "2026-11-22T14:30:00-05:00"


def test_times_stay_naive_where_the_offset_is_no_number() -> None:
    profile = Path(__file__).parents[3] / "specs/devices/polyphase-tou.json"
    device = Device.from_json(profile.read_bytes())
    assert all(row.event_time.tzinfo for row in registers(device) if row.event_time)
    st0 = bytearray(device["ST0"].raw)
    st0[1] |= 0xC0  # a reserved INT_FORMAT
    device.put(0, bytes(st0))
    assert isinstance(device.value("ST53.DST_TIME_AMT"), int)
    assert not any(row.event_time.tzinfo for row in registers(device) if row.event_time)


@pytest.mark.parametrize(
    ("missing", "text"),
    [
        ({22: None}, "ST22 does not name the source"),
        ({27: None}, "ST27 does not name the source"),
        ({12: None}, "ST12 is not here: quantity and unit are not known"),
        ({15: None}, "constants of ST15 are still to be applied, but they are not here: the unit is not known"),
    ],
)
def test_what_cannot_be_told_is_not_guessed(missing: dict[int, None], text: str) -> None:
    whole, found = registers(meter()), registers(meter(missing))
    assert len(found) == len(whole)
    assert [row.raw for row in found] == [row.raw for row in whole]
    told = [row for row in found if text in row.remarks]
    assert told
    for row in told:
        assert (row.valid, row.value, row.unit) == (False, None, None)
    assert codes(found) & {("absent", f"ST{next(iter(missing))}")}


def test_a_source_that_there_is_not() -> None:
    found = registers(meter({22: "09 01 01 FF 07"}))
    row = of(found, "ST23.TOT_DATA_BLOCK.SUMMATIONS[0]")
    assert (row.source, row.value, row.valid) == (9, None, False)
    assert any("no source 9" in text for text in row.remarks)
    coincident = of(found, "ST23.TOT_DATA_BLOCK.COINCIDENTS[0].COINCIDENT_VALUES[0]")
    assert (coincident.event_time, coincident.valid) == (None, False)
    assert "ST22.COIN_DEMAND_ASSOC says demand 7, which there is not" in coincident.remarks


def test_a_demand_without_a_time_has_a_remark() -> None:
    octets = bytearray(TABLES[23])
    octets[7:12] = bytes(5)
    found = registers(meter({23: bytes(octets)}))
    row = of(found, "ST23.TOT_DATA_BLOCK.DEMANDS[0].DEMAND[0]")
    assert (row.event_time, row.value) == (None, 4200)
    assert row.remarks == ("there is no event time: nothing may have been recorded yet",)
    octets[7:12] = bytes((26, 13, 1, 0, 0))
    row = of(registers(meter({23: bytes(octets)})), "ST23.TOT_DATA_BLOCK.DEMANDS[0].DEMAND[0]")
    assert row.remarks == ("the event time is invalid",)


def test_octets_that_are_no_number() -> None:
    st0 = bytearray(TABLES[0])
    st0[2] = 0x85  # NI_FMAT1 is FIXED_BCD6
    octets = bytearray(TABLES[23])
    octets[1:7] = bytes.fromhex("0000000012CE")
    found = registers(meter({0: bytes(st0), 15: None, 16: "11 13 06 11", 23: bytes(octets)}))
    row = of(found, "ST23.TOT_DATA_BLOCK.SUMMATIONS[0]")
    assert isinstance(row.raw, Raw)
    assert (row.value, row.valid, row.unit) == (None, False, "Wh")
    assert row.remarks == ("00 00 00 00 12 ce is no number",)
    assert row.as_dict()["raw"] == {"raw": "0000000012ce"}


def test_a_table_that_ends_early_gives_what_there_is() -> None:
    found = registers(meter({23: TABLES[23][:26], 25: None, 26: None, 28: None}))
    assert [row.block for row in found] == ["total"] * 5
    assert any(finding.code == "short" and finding.level == "error" for finding in found.findings)


def test_without_tables_there_are_no_rows_but_findings() -> None:
    found = registers(Device())
    assert (len(found), list(found)) == (0, [])
    assert [finding.text for finding in found.findings] == ["none of the register tables ST23 to ST26 and ST28 is here"]
    found = registers(meter({21: None}))
    assert len(found) == 0
    assert any("read ST21 first" in finding.text for finding in found.findings)


def test_a_table_that_st0_lists_and_is_not_here_is_noted() -> None:
    assert ("absent", "ST28") in codes(registers(meter({28: None})))
    assert ("absent", "ST24") not in codes(registers(meter({28: None})))


def test_json_and_csv_say_the_same() -> None:
    found = meter().registers()
    plain = json.loads(found.to_json())
    assert plain["registers"][1]["value"] == "123456"
    assert plain["registers"][4]["value"] == "14407.20"
    assert plain["registers"][4]["phase"] == "A-N"
    assert plain["findings"] == []
    lines = list(csv.DictReader(io.StringIO(found.to_csv())))
    assert len(lines) == len(found)
    for line, row in zip(lines, plain["registers"], strict=True):
        assert set(line) == set(row) == set(Register._fields)
        for name in ("path", "kind", "value", "unit", "event_time"):
            assert line[name] == (row[name] if row[name] is not None else "")
    assert lines[1]["quadrants"] == "1 4"


@given(
    st21=some.tuples(
        some.integers(0, 0x7F), some.integers(0, 0x3F), *(some.integers(0, 3) for _ in range(8))
    ).map(bytes),
    numbers=some.sampled_from([0x8A, 0x11, 0x56, 0x43, 0x00, 0xDC]),
    data=some.data(),
)  # fmt: skip
def test_any_configuration_and_any_octets_give_rows_or_findings(
    st21: bytes, numbers: int, data: some.DataObject
) -> None:
    st0 = bytearray(TABLES[0])
    st0[2] = numbers
    device = meter({0: bytes(st0), 21: st21})
    for number in (15, 22, 23, 24, 25, 26, 27, 28):
        size = device.bind(number).size
        pattern = data.draw(some.binary(min_size=1, max_size=40))
        cut = data.draw(some.sampled_from((0, 0, 0, 1, 7)))
        device.put(number, (pattern * (size // len(pattern) + 1))[: max(size - cut, 0)])
    found = registers(device)
    assert len({row.path for row in found}) == len(found)
    for row in found:
        element = device.layout(row.path)
        own = device[row.table].raw[element.offset : element.offset + element.size]
        if isinstance(row.raw, Raw):
            assert own.startswith(row.raw)
        else:
            value = element.decode(own)
            assert value == row.raw or value != value
        assert row.valid == (row.value is not None)
        assert row.valid or row.remarks
    json.loads(found.to_json())


SECOND = {"demand", "coincident", "present demand"}
"""Kinds of values that are in NI_FMAT2; the others are in NI_FMAT1."""


@pytest.mark.parametrize("formats", [0x10, 0x01])
def test_floats_are_named_by_the_digits_of_their_own_format(formats: int) -> None:
    """One format has 32 bits, the other 64: 0.1 is 0.1 in both."""
    st0 = bytearray(TABLES[0])
    st0[2] = formats
    device = meter(
        {0: bytes(st0), 12: "00 40 02 00 00 44 02 00 08 01 28 00", 15: None, 16: "11 13 06 11", 25: None, 26: None}
    )
    for number in (23, 28):
        device.put(number, bytes(device.bind(number).size))
    for path in (
        "ST23.TOT_DATA_BLOCK.SUMMATIONS[0]", "ST23.TOT_DATA_BLOCK.DEMANDS[0].CUM_DEMAND",
        "ST23.TOT_DATA_BLOCK.DEMANDS[0].DEMAND[0]", "ST23.TOT_DATA_BLOCK.COINCIDENTS[0].COINCIDENT_VALUES[0]",
        "ST28.PRESENT_DEMAND[0].DEMAND_VALUE", "ST28.PRESENT_VALUE[0]",
    ):  # fmt: skip
        device.change(path, 0.1)
    rows = [row for row in registers(device) if row.raw]
    assert {row.kind for row in rows} == SECOND | {"summation", "cumulative", "present value"}
    for row in rows:
        assert (row.raw != 0.1) == ((row.kind in SECOND) == (formats == 0x10))  # of 32 bits
        assert row.value == Decimal("0.1")


def test_what_reads_again_finds_the_same_as_what_reads_once() -> None:
    device, other = meter(), bytes(len(TABLES[23]))
    reader = RegisterReader(device)
    assert reader.read()[0] == registers(device).rows
    device.put(23, other)
    again = reader.read()[0]
    assert again == registers(device).rows
    assert [row.raw for row in again if row.kind == "summation" and row.table == "ST23"] == [0, 0]
    device.drop("ST25")
    assert reader.read()[0] == registers(device).rows
