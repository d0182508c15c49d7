"""Decade 0: the worked examples, in both editions and both forms of identifiers."""

import datetime as dt

import pytest

from c1219 import DecodeError, Device
from c1219.codes.results import ResultCode
from c1219.tables import decade0_configuration as decade
from tests.c1219.engines import DEMO, agree, formats
from tests.c1219.tables.oracle import undocumented

X = bytes.fromhex
EXAMPLES = {
    1: "44 45 4D 4F 4D 4F 44 45 4C 2D 58 20 01 00 03 02 30 30 30 30 30 30 30 30 31 32 33 34 35 36 37 38",
    2: "31 2E 30 20 20 20 31 2E 30 20 20 20 01 32 53 20 20 20 4C 00 55 32 30 30 20 20 20 33 30 20 20 20 20",
    3: "01 00 09 00 04",
    4: "00 00 00 00 00 1A 01 01 00 00 01 10 1A 0C 1F 17 3B 36 00",
    5: "4D 45 54 45 52 2D 30 30 30 31 32 33 20 20 20 20 20 20 20 20",
    7: "04 00 2A 04",
    8: "04 00 2A 00",
}


def decoded(number: int, octets: bytes | None = None, st0: bytes = DEMO[0]):
    """Decode with both engines, and encode to the same octets."""
    octets = octets if octets is not None else X(EXAMPLES[number])
    device = Device({0: st0})
    device.put(number, octets)
    value = agree(device[number].table, octets, device)
    assert value == device[number].value
    assert device[number].findings == ()
    assert device.encode(number, value._replace()) == octets
    assert device[number].layout.from_json(device[number].to_json()) == value
    return value


@pytest.mark.parametrize("table", decade.TABLES, ids=lambda table: table.label)
def test_everything_is_documented(table) -> None:
    assert undocumented(table) == []


def test_st0() -> None:
    value = decoded(0, DEMO[0])
    assert value.FORMAT_CONTROL_1 == (0, 1, 0)
    assert value.FORMAT_CONTROL_2 == (2, 3, 0, 0)
    assert value.FORMAT_CONTROL_3 == (10, 8)
    assert value.DEVICE_CLASS == b"DEMO"
    assert value[4:10] == (2, 0, 16, 16, 2, 0)
    assert value[10:16] == (4, 1, 3, 1, 1, 1)
    assert {*range(9), *range(10, 17), *range(20, 24), *range(25, 29)} == value.STD_TBLS_USED
    assert {0} == value.MFG_TBLS_USED
    assert {0, 3, 4, 5, 6, 9, 10} == value.STD_PROC_USED
    assert set() == value.MFG_PROC_USED
    assert {5, 6, 7} == value.STD_TBLS_WRITE
    assert set() == value.MFG_TBLS_WRITE
    assert decade.GEN_CONFIG_TBL.depends_on == ()


@pytest.mark.parametrize("dims", [(13, 13, 3, 5), (0, 0, 0, 0), (255, 0, 1, 2)])
def test_st0_length_follows_its_sets(dims: tuple[int, ...]) -> None:
    std, mfg, procedures, mfg_procedures = dims
    octets = DEMO[0][:13] + bytes(dims) + bytes(2) + bytes(2 * std + 2 * mfg + procedures + mfg_procedures)
    assert len(octets) == 19 + 2 * std + 2 * mfg + procedures + mfg_procedures
    decoded(0, octets, octets)
    device = Device()
    for wrong in (octets + b"\0", octets[:-1]):
        with pytest.raises(DecodeError):
            device.layout_of(0, wrong).decode(wrong)


def test_st1_with_text_and_with_digits() -> None:
    value = decoded(1)
    assert value == ("DEMO", "MODEL-X", 1, 0, 3, 2, "0000000012345678")
    octets = X(EXAMPLES[1])[:16] + X("00 00 00 00 12 34 56 78")
    value = decoded(1, octets, formats(ids=1))
    assert value.MFG_SERIAL_NUMBER == "0000000012345678"
    assert len(octets) == 24


def test_st2_electric() -> None:
    value = decoded(2)
    assert value[:4] == ("1.0", "1.0", 1, "2S")
    assert value.E_ELEMENTS == (4, 1, 1, 0)
    assert value.E_VOLTS == (5, 5)
    assert value.E_AMPS == ("200", "30")


@pytest.mark.parametrize("kind", [0, 1, 9])
def test_st2_of_other_meters_is_octets(kind: int) -> None:
    st0 = DEMO[0][:7] + bytes((kind,)) + DEMO[0][8:]
    assert decoded(2, b"gas or water", st0).DATA == b"gas or water"


def test_st3() -> None:
    value = decoded(3)
    assert value.ED_MODE == (True, False, False, False)
    assert [name for name, flag in value.ED_STD_STATUS1._asdict().items() if flag] == [
        "LOW_BATTERY_FLAG",
        "POWER_FAILURE_FLAG",
    ]
    assert {2} == value.ED_MFG_STATUS
    assert set() == decoded(3, b"\1\0\0\0", DEMO[0][:17] + b"\0" + DEMO[0][18:]).ED_MFG_STATUS


def test_st4() -> None:
    value = decoded(4)
    assert value.STANDARD_PENDING == value.MANUFACT_PENDING == set()
    assert dt.datetime(2026, 1, 1) == value.LAST_ACTIVATION_DATE_TIME
    assert value.NBR_PENDING_ACTIVATION == 1
    (entry,) = value.PENDING_TABLES
    assert entry.EVENT.EVENT_SELECTOR == (0, True, False)
    assert X("1A 0C 1F 17 3B") == entry.EVENT.EVENT_STORAGE
    assert entry.TABLE_SELECTOR.TBL_PROC_NBR == 54
    assert len(X(EXAMPLES[4])) == 19
    without_clock = X(EXAMPLES[4])[:5] + X(EXAMPLES[4])[10:]
    assert decoded(4, without_clock, formats(tm=0)).LAST_ACTIVATION_DATE_TIME is None


def test_st5_and_st6() -> None:
    assert decoded(5).IDENTIFICATION == "METER-000123"
    assert decoded(5, X("00 00 00 00 00 00 00 12 34 56"), formats(ids=1)).IDENTIFICATION == "00000000000000123456"
    for ids, size, offset in ((0, 230, 170), (1, 180, 120)):
        layout = Device({0: formats(ids=ids)}).bind(6)
        assert layout.size == size
        assert layout.element("TARIFF_ID").offset == offset
    offsets = [row.offset for row in Device({0: DEMO[0]}).bind(6).describe()]
    assert offsets == [0, 20, 40, 60, 80, 100, 120, 140, 150, 160, 170, 178, 182, 183, 184, 188, 189, 190, 200]
    decoded(6, b" " * 140 + bytes(30) + b" " * 12 + bytes(2) + b" " * 4 + bytes(2) + b" " * 40)


def test_st7_and_st8() -> None:
    value = decoded(7)
    assert value.PROC == (4, False, 0)
    assert (value.SEQ_NBR, tuple(value.PARM)) == (42, (4,))
    value = decoded(7, X("16 38 01"))
    assert value == ((22, True, 3), 1, None)
    value = decoded(8)
    assert value == ((4, False, 0), 42, 0, None)
    assert value.RESULT_CODE is ResultCode.COMPLETED
    assert decoded(8, X("04 00 2A 63")).RESULT_CODE == 0x63
    assert decoded(7, X("00 04 2A 04"), formats(order=1)).PROC == (4, False, 0)
