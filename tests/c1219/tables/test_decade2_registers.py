"""Decade 2: the worked examples, the index numbers in them, and the sizes that public sources print."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as some

from c1219 import Device
from c1219.tables import decade2_registers as decade
from tests.c1219.engine.example_tables import ST23
from tests.c1219.engines import DEMO, agree, formats
from tests.c1219.tables.oracle import undocumented

X = bytes.fromhex


def decoded(number: int, octets: bytes, st21: bytes = DEMO[21], st0: bytes = DEMO[0]):
    """Decode with both engines, and encode to the same octets."""
    device = Device({0: st0, 21: st21, number: octets})
    value = agree(device[number].table, octets, device)
    assert device[number].findings == ()
    assert device.encode(number, value._replace()) == octets
    assert device[number].layout.from_json(device[number].to_json()) == value
    return value


@pytest.mark.parametrize("table", decade.TABLES, ids=lambda table: table.label)
def test_everything_is_documented(table) -> None:
    assert undocumented(table) == []


@pytest.mark.parametrize("number", [20, 21])
def test_st20_and_st21(number: int) -> None:
    value = decoded(number, DEMO[21])
    flags = {name for name, flag in value.REG_FUNC1_FLAGS._asdict().items() if flag}
    assert flags == {
        "SEASON_INFO_FIELD_FLAG", "DATE_TIME_FIELD_FLAG", "DEMAND_RESET_CTR_FLAG", "CUM_DEMAND_FLAG",
        "TIME_REMAINING_FLAG",
    }  # fmt: skip
    assert value.REG_FUNC2_FLAGS == (False, True, False, False, 1)
    assert value[2:] == (2, 1, 1, 1, 1, 1, 1, 2)


def test_st22() -> None:
    value = decoded(22, X("00 01 01 03 00"))
    assert value == ((0,), (1,), {0}, (3,), (0,))
    many = bytes.fromhex("57 12 02 03 09 02 01 01 01 02")
    assert Device({0: DEMO[0], 21: many}).bind(22).size == 3 + 9 + 2 + 2 * 2


def test_st23() -> None:
    value = decoded(23, ST23)
    assert value.NBR_DEMAND_RESETS == 7
    block = value.TOT_DATA_BLOCK
    assert block.SUMMATIONS == (123456,)
    assert (((dt.datetime(2026, 11, 22, 14, 30),), 54321, None, (4200,)),) == block.DEMANDS
    assert block.COINCIDENTS == (((24012,),),)
    (tier,) = value.TIER_DATA_BLOCK
    assert tier == ((23456,), (((dt.datetime(2026, 11, 20, 9, 15),), 4321, None, (3100,)),), (((23990,),),))
    assert decade.CURRENT_REG_DATA_TBL.depends_on == ("ST0", "ST21")


@pytest.mark.parametrize("number", [24, 25])
def test_st24_and_st25(number: int) -> None:
    octets = X("1A 0B 01 00 00 01") + ST23
    value = decoded(number, octets)
    assert (dt.datetime(2026, 11, 1), 1) == value.REGISTER_INFO
    assert value[1].TOT_DATA_BLOCK.SUMMATIONS == (123456,)
    assert len(octets) == 57


def test_st26() -> None:
    octets = X("04 01 00 09 00 01 09 00 1A 0B 01 00 00 01") + ST23 + bytes(59)
    value = decoded(26, octets)
    assert value[:5] == ((0, False, 1, False), 1, 0, 9, 1)
    first, second = value.SELF_READS_ENTRIES
    assert (9, (dt.datetime(2026, 11, 1), 1)) == (first.SELF_READ_SEQ_NBR, first.REGISTER_INFO)
    assert first.SELF_READ_REGISTER_DATA.TOT_DATA_BLOCK.SUMMATIONS == (123456,)
    assert second.REGISTER_INFO.END_DATE_TIME is None
    assert len(octets) == 124


def test_st27_and_st28() -> None:
    assert decoded(27, X("01 00 03")) == ((1,), (0, 3))
    value = decoded(28, X("00 04 1E DE 0D 00 00 44 E2 01 00 00 00 CC 5D 00 00 00 00"))
    assert ((dt.time(0, 4, 30), 3550),) == value.PRESENT_DEMAND
    assert value.PRESENT_VALUE == (123460, 24012)


def test_sizes_that_a_header_file_prints() -> None:
    """GE kV2c with TOU: ST23 726, ST25 732, ST26 with 2 entries 1470 octets."""
    device = Device({0: formats(ni1=10, ni2=8, tm=2), 21: X("17 00 02 05 05 0A 01 04 00 00")})
    assert [device.bind(number).size for number in (23, 25, 26)] == [726, 732, 1470]


@given(
    some.integers(0, 255), some.integers(0, 255), some.lists(some.integers(0, 9), min_size=8, max_size=8),
    some.sampled_from(((0, 0), (1, 5), (2, 5), (3, 4), (4, 4))), some.sampled_from(((4, 4), (5, 6), (10, 6), (1, 4))),
)  # fmt: skip
def test_sizes_follow_the_formulas(one: int, two: int, dims: list[int], clock: tuple, number: tuple) -> None:
    self_reads, sums, demands, coincidents, occurrences, tiers, present_demands, present_values = dims
    (tm, t), (ni1, a) = clock, number
    b = 4
    dated, cum, cont = one >> 1 & 1, one >> 4 & 1, one >> 5 & 1
    demand = dated * occurrences * t + (cum + cont) * a + occurrences * b
    block = sums * a + demands * demand + coincidents * occurrences * b
    registers = (one >> 2 & 1) + (1 + tiers) * block
    info = dated * t + (one & 1)
    device = Device({0: formats(tm=tm, ni1=ni1, ni2=8), 21: bytes((one, two, *dims))})
    assert device.bind(23).size == registers
    assert device.bind(24).size == device.bind(25).size == info + registers
    assert device.bind(26).size == 6 + self_reads * (2 * (two >> 1 & 1) + info + registers)
    assert device.bind(27).size == present_demands + present_values
    time = {0: 0, 1: 3, 2: 3, 3: 4, 4: 4}[tm]
    assert device.bind(28).size == present_demands * ((one >> 6 & 1) * time + b) + present_values * a
