"""Which flag brings which element: each flag alone, and all of its neighbours without it."""

from __future__ import annotations

import pytest

from c1219 import AbsentElement, Device, UnknownElement

# element, table with the flags, octets of them, bit that brings the element; a minus: the bit takes it away
BROUGHT = [
    ("ST13.RESET_EXCLUSION", 11, 1, "1"),
    ("ST13.P_FAIL_RECOGNTN_TM", 11, 1, "0"),
    ("ST13.P_FAIL_EXCLUSION", 11, 1, "0"),
    ("ST13.COLD_LOAD_PICKUP", 11, 1, "0"),
    ("ST13.INTERVAL_VALUE[0].SUB_INT", 11, 1, "3"),
    ("ST13.INTERVAL_VALUE[0].INT_MULTIPLIER", 11, 1, "3"),
    ("ST13.INTERVAL_VALUE[0].INT_LENGTH", 11, 1, "-3"),
    ("ST15.SELECTION[0].SET1_CONSTANTS", 11, 1, "5"),
    ("ST15.SELECTION[0].SET2_CONSTANTS", 11, 1, "6"),
    ("ST23.NBR_DEMAND_RESETS", 21, 2, "2"),
    ("ST23.TOT_DATA_BLOCK.DEMANDS[0].EVENT_TIME", 21, 2, "1"),
    ("ST23.TOT_DATA_BLOCK.DEMANDS[0].CUM_DEMAND", 21, 2, "4"),
    ("ST23.TIER_DATA_BLOCK[0].DEMANDS[0].CONT_CUM_DEMAND", 21, 2, "5"),
    ("ST24.REGISTER_INFO.SEASON", 21, 2, "0"),
    ("ST25.REGISTER_INFO.END_DATE_TIME", 21, 2, "1"),
    ("ST25.REGISTER_INFO.SEASON", 21, 2, "0"),
    ("ST26.SELF_READS_ENTRIES[0].SELF_READ_SEQ_NBR", 21, 2, "9"),
    ("ST26.SELF_READS_ENTRIES[0].REGISTER_INFO.END_DATE_TIME", 21, 2, "1"),
    ("ST28.PRESENT_DEMAND[0].TIME_REMAINING", 21, 2, "6"),
    ("ST53.TIME_ZONE_OFFSET", 51, 2, "12"),
    ("ST54.ANCHOR_DATE", 51, 2, "5"),
    ("ST54.DAILY_SCHEDULE_ID_MATRIX[0].MONDAY_SCHEDULE", 51, 2, "9"),
    ("ST54.DAILY_SCHEDULE_ID_MATRIX[0].WEEKDAY_SCHEDULE", 51, 2, "-9"),
    ("ST55.STATUS.CURR_DEMAND_TIER", 51, 2, "10"),
    ("ST55.STATUS.CURR_TIER", 51, 2, "-10"),
    ("ST56.SUMM_TIER_TIME_REMAIN", 51, 2, "10"),
    ("ST56.DEMAND_TIER_TIME_REMAIN", 51, 2, "10"),
    ("ST56.TIER_TIME_REMAIN", 51, 2, "-10"),
    ("ST62.SCALARS_SET1", 61, 2, "6"),
    ("ST62.DIVISOR_SET2", 61, 2, "7"),
    ("ST64.LP_DATA_SETS1[0].END_READINGS[0].BLOCK_END_READ", 61, 2, "4"),
    ("ST64.LP_DATA_SETS1[0].END_READINGS[0].BLOCK_END_PULSE", 61, 2, "5"),
    ("ST64.LP_DATA_SETS1[0].SIMPLE_INT_STATUS", 61, 2, "11"),
    ("ST65.LP_DATA_SETS2[0].LP_INT[0].EXTENDED_INT_STATUS", 61, 2, "10"),
    ("ST74.ENTRIES[0].HISTORY_TIME", 71, 1, "1"),
    ("ST74.ENTRIES[0].EVENT_NUMBER", 71, 1, "0"),
    ("ST74.ENTRIES[0].HISTORY_SEQ_NBR", 71, 1, "2"),
    ("ST76.ENTRIES[0].EVENT_NUMBER", 71, 1, "0"),
    ("ST94.S_ANCHOR_DATE", 91, 1, "1"),
    ("ST95.LOCKOUT_DELAY", 91, 1, "-6"),
    ("ST95.RETRY_LOCKOUT_TIME", 91, 1, "-6"),
    ("ST96.IDENTIFICATION", 91, 1, "5"),
]
ALWAYS = [
    "ST62.INT_FMT_CDE1", "ST64.LP_DATA_SETS1[0].BLK_END_TIME", "ST64.LP_DATA_SETS1[0].LP_INT[0].INT_DATA[0]",
    "ST74.ENTRIES[0].USER_ID", "ST74.ENTRIES[0].HISTORY_CODE", "ST76.ENTRIES[0].EVENT_TIME",
    "ST76.ENTRIES[0].EVENT_SEQ_NBR", "ST23.TOT_DATA_BLOCK.SUMMATIONS[0]", "ST52.TIME_DATE_QUAL",
]  # fmt: skip


def meter(table: int, flags: bytes, *, version: int = 2) -> Device:
    """A device with one entry in every array, and these flags at the place of the flags in one ACT table."""
    st0 = bytes((2, 2 | 3 << 3, 0x88)) + b"DEMO" + bytes((2, 0, 16, 16, version, 0, 9, 0, 0, 0, 1, 1))
    tables = {
        0: st0 + bytes(8) + b"\x03" + bytes(9),
        11: bytes((0, 1, 1, 1, 1, 1, 2, 1)),
        21: bytes((0, 0, 1, 1, 1, 1, 1, 1, 1, 1)),
        51: bytes((0, 0, 0x11, 1, 1, 1, 0, 0, 0)),
        61: bytes(7) + b"\1\0\1\0\1\1" * 2,
        71: bytes((0, 1, 1, 1, 1, 1, 0, 1, 0, 0, 0, 0)),
        91: bytes((0, 1, 1, 4, 1, 1, 4, 1, 1, 1, 1, 1, 1, 4)),
    }
    at = 4 if table == 61 else 0
    octets = tables[table]
    tables[table] = octets[:at] + flags + octets[at + len(flags) :]
    return Device({**tables, 62: _control(tables[61])})


def _control(st61: bytes) -> bytes:
    """ST62 of two sets of one channel, UINT16, with scalars where ST61 says so."""
    flags = int.from_bytes(st61[4:6], "little")
    return b"".join(bytes(3) + b"\2" + bytes(4) * (flags >> bit & 1) for bit in (6, 7))


def is_there(device: Device, path: str) -> bool:
    layout = device.bind(path.partition(".")[0])
    try:
        layout.element(path)
    except (AbsentElement, UnknownElement):
        return False
    return True


@pytest.mark.parametrize(("path", "table", "size", "bit"), BROUGHT, ids=[path for path, *_ in BROUGHT])
def test_each_element_follows_its_own_flag(path: str, table: int, size: int, bit: str) -> None:
    mask = 1 << abs(int(bit))
    alone, others = mask, (1 << 8 * size) - 1 - mask
    brings = not bit.startswith("-")
    assert is_there(meter(table, alone.to_bytes(size, "little")), path) is brings
    assert is_there(meter(table, others.to_bytes(size, "little")), path) is not brings


@pytest.mark.parametrize("path", ALWAYS)
def test_what_no_flag_takes_away(path: str) -> None:
    for table in (21, 51, 61, 71):
        for flags in (b"\0", b"\xff"):
            assert is_there(meter(table, flags), path)


@pytest.mark.parametrize("rate", range(4))
def test_the_bit_rate_is_where_its_code_says(rate: int) -> None:
    device = meter(91, bytes((rate << 3,)))
    assert is_there(device, "ST92.BIT_RATE") is (rate == 1)
    assert is_there(device, "ST93.ORIGINATE_BIT_RATE") is (rate == 2)
    assert is_there(device, "ST95.ANSWER_BIT_RATE") is (rate == 2)


@pytest.mark.parametrize(("version", "flags", "there"), [(1, 0x1000, True), (1, 0xEFFF, False), (2, 0xFFFF, False)])
def test_closure_status_needs_its_flag_and_the_first_edition(version: int, flags: int, there: bool) -> None:
    device = meter(61, flags.to_bytes(2, "little"), version=version)
    assert is_there(device, "ST64.LP_DATA_SETS1[0].CLOSURE_STATUS") is there
