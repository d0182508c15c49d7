"""Decade 1: the worked examples, and every form that ST11 selects."""

from decimal import Decimal

import pytest

from c1219 import Device, LayoutError
from c1219.codes.quantities import IdCode
from c1219.codes.units import Multiplier, Segmentation, TimeBase
from c1219.tables import decade1_sources as decade
from tests.c1219.engines import DEMO, agree, formats
from tests.c1219.tables.oracle import undocumented

X = bytes.fromhex


def decoded(number: int, octets: str, st11: str = "2B 03 02 02 01 01 02 04", st0: bytes = DEMO[0]):
    """Decode with both engines, and encode to the same octets."""
    device = Device({0: st0, 11: X(st11), number: X(octets)})
    value = agree(device[number].table, X(octets), device)
    assert device[number].findings == ()
    assert device.encode(number, value._replace()) == X(octets)
    assert device[number].layout.from_json(device[number].to_json()) == value
    return value


@pytest.mark.parametrize("table", decade.TABLES, ids=lambda table: table.label)
def test_everything_is_documented(table) -> None:
    assert undocumented(table) == []


@pytest.mark.parametrize("number", [10, 11])
def test_st10_and_st11(number: int) -> None:
    value = decoded(number, "2B 03 02 02 01 01 02 04", "2B 03 02 02 01 01 02 04")
    flags = {name for name, flag in value.SOURCE_FLAGS._asdict().items() if flag}
    assert flags == {"PF_EXCLUDE_FLAG", "RESET_EXCLUDE_FLAG", "SLIDING_DEMAND_FLAG", "SET1_PRESENT_FLAG"}
    assert value[1:] == (3, 2, 2, 1, 1, 2, 4)
    assert decoded(number, "2A 2A 0A 00 00 01 02 2A", "2A 2A 0A 00 00 01 02 2A")[1:] == (42, 10, 0, 0, 1, 2, 42)


@pytest.mark.parametrize(
    ("order", "octets"),
    [(0, "00 40 02 00 00 44 02 00 08 2A 28 00"), (1, "00 02 40 00 00 02 44 00 00 28 2A 08")],
)
def test_st12(order: int, octets: str) -> None:
    energy, demand, volts = decoded(12, octets, st0=formats(order=order)).UOM_ENTRY
    assert energy[:3] == (IdCode.ACTIVE_POWER, TimeBase.BULK, Multiplier.ONE)
    assert energy[3:8] == (True, False, False, True, False)
    assert demand.TIME_BASE is TimeBase.BLOCK_DEMAND
    assert volts[:3] == (IdCode.RMS_VOLTS, TimeBase.PERIOD, Multiplier.HUNDREDTH)
    assert volts.SEGMENTATION is Segmentation.A_N


@pytest.mark.parametrize(
    ("number", "code", "base", "quadrants", "net"),
    [
        (0x00018000, 0, 0, (False, True, True, False), False),
        (0x0007C000, 0, 0, (True, True, True, True), True),
        (0x0000C001, 1, 0, (True, True, False, False), False),
        (0x00003219, 25, 2, (False, False, False, False), False),
        (0x002002D9, 217, 2, (False, False, False, False), False),
    ],
)
def test_st12_constants_of_a_firmware(number: int, code: int, base: int, quadrants: tuple, net: bool) -> None:
    (entry,) = decoded(12, number.to_bytes(4, "little").hex(), "00 01 00 00 00 00 02 00").UOM_ENTRY
    assert (entry.ID_CODE, entry.TIME_BASE, entry[3:7], entry.NET_FLOW_ACCOUNTABILITY) == (code, base, quadrants, net)


def test_st13_in_each_form() -> None:
    value = decoded(13, "0F 0A 1E 00 05 03 05 03")
    assert value[:4] == (15, 10, 30, 0)
    assert value.INTERVAL_VALUE == ((5, 3, None), (5, 3, None))
    value = decoded(13, "0F 0A 1E 00 0F 00 0F 00", "23 03 02 02 01 01 02 04")
    assert value.INTERVAL_VALUE == ((None, None, 15), (None, None, 15))
    value = decoded(13, "05 03", "08 03 01 02 01 01 02 04")
    assert value[:4] == (None, None, None, None)
    layout = Device({0: DEMO[0], 11: X("08 03 01 02 01 01 02 04")}).bind(13)
    assert layout.element("INTERVAL_VALUE[0].SUB_INT").index_path == (4, 0, 0)
    assert layout.size == 2
    block = Device({0: DEMO[0], 11: X("00 03 01 02 01 01 02 04")}).bind(13)
    assert block.element("INTERVAL_VALUE[0].INT_LENGTH").index_path == (4, 0, 2)


def test_st14() -> None:
    assert decoded(14, "01 02").SOURCES_ID == ((b"\1\2",),)
    assert decoded(14, "01 02", st0=formats(order=1)).SOURCES_ID[0].SOURCE_ID == b"\1\2"


def test_st15_electric() -> None:
    octets = "01 00 00 00 00 00 00 00 00 00 00 00 00 28 00 00 00 00 00 3C 00 00 00 00 00"
    (entry,) = decoded(15, octets).SELECTION
    assert entry == (1, 0, ((False,), 40, 60), None)
    both = "60 00 00 00 00 01 02 00"
    sizes = {"00": 12, "20": 25, "40": 25, "60": 38}
    for flags, size in sizes.items():
        assert Device({0: DEMO[0], 11: X(flags + both[2:])}).bind(15).size == size


@pytest.mark.parametrize(("selector", "numbers", "octets"), [(0, 18, 1), (1, 10, 0)])
def test_st15_of_gas_meters(selector: int, numbers: int, octets: int) -> None:
    st11 = f"00 00 00 00 00 01 0{selector} 00"
    layout = Device({0: DEMO[0], 11: X(st11)}).bind(15)
    assert layout.size == numbers * 4 + octets
    value = decoded(15, (bytes(range(1, 5)) * 20)[: layout.size].hex(), st11)
    assert value.SELECTION[0].GAS_ENERGY


def test_st15_with_an_unknown_selector_has_no_layout() -> None:
    with pytest.raises(LayoutError, match=r"ST11\.CONSTANTS_SELECTOR is 3"):
        Device({0: DEMO[0], 11: X("00 00 00 00 00 01 03 00")}).bind(15)
    assert Device({0: DEMO[0], 11: X("00 00 00 00 00 01 02 00")}).bind(15).size == 12


def test_st15_with_an_implied_point() -> None:
    octets = (12345).to_bytes(4, "little") + bytes(4)
    (entry,) = decoded(15, octets.hex(), "00 00 00 00 00 01 02 00", formats(ni1=4)).SELECTION
    assert Decimal("1.2345") == entry.MULTIPLIER


def test_st16() -> None:
    links = decoded(16, "11 13 06 39").SOURCES_LINK
    walked = [sum(link[flag] for link in links) for flag in range(4)]
    assert walked == [3, 2, 1, 1]
    assert [link.PULSE_ENGR_FLAG for link in links] == [True, True, False, True]
    assert [link.CONSTANT_TO_BE_APPLIED for link in links] == [False, False, False, True]


def test_st17_is_octets() -> None:
    assert decoded(17, "01 02 03").DATA == b"\1\2\3"
    assert decade.TRANSFORMER_LOSS_TBL.confidence == "name only"
