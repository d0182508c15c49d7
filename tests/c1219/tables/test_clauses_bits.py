"""Every bit of the confirmed bit fields, set alone: which sub-field it is, in both orders of octets, and which are filler.

The lists are written down from the sources once more, so that a slip in a declaration does not confirm itself.
"""

from __future__ import annotations

import pytest

from c1219 import Device

IDS = "TBL_PROC_NBR 0-10 STD_VS_MFG_FLAG 11 "
STATUS1 = (
    "UNPROGRAMMED_FLAG 0 CONFIGURATION_ERROR_FLAG 1 SELF_CHK_ERROR_FLAG 2 RAM_FAILURE_FLAG 3 ROM_FAILURE_FLAG 4 "
    "NONVOL_MEM_FAILURE_FLAG 5 CLOCK_ERROR_FLAG 6 MEASUREMENT_ERROR_FLAG 7 LOW_BATTERY_FLAG 8 "
    "LOW_LOSS_POTENTIAL_FLAG 9 DEMAND_OVERLOAD_FLAG 10 POWER_FAILURE_FLAG 11 TAMPER_DETECT_FLAG 12 "
    "REVERSE_ROTATION_FLAG 13"
)
QUALITY = "DAY_OF_WEEK 0-2 DST_FLAG 3 GMT_FLAG 4 TM_ZN_APPLIED_FLAG 5 DST_APPLIED_FLAG 6 DST_SUPPORTED_FLAG 7"
LIST = "ORDER 0 OVERFLOW_FLAG 1 LIST_TYPE 2 INHIBIT_OVERFLOW_FLAG 3"
LP_FLAGS = (
    "LP_SET1_INHIBIT_OVF_FLAG 0 LP_SET2_INHIBIT_OVF_FLAG 1 LP_SET3_INHIBIT_OVF_FLAG 2 LP_SET4_INHIBIT_OVF_FLAG 3 "
    "BLK_END_READ_FLAG 4 BLK_END_PULSE_FLAG 5 SCALAR_DIVISOR_FLAG_SET1 6 SCALAR_DIVISOR_FLAG_SET2 7 "
    "SCALAR_DIVISOR_FLAG_SET3 8 SCALAR_DIVISOR_FLAG_SET4 9 EXTENDED_INT_STATUS_FLAG 10 SIMPLE_INT_STATUS_FLAG 11 "
)
DAYS = " ".join(
    f"{day} {bit}"
    for bit, day in enumerate(("SUNDAY", "MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY"))
)
CALL = "PRIMARY_PHONE_NUMBER 0-2 SECONDARY_PHONE_NUMBER 4-6 USE_WINDOWS 7"

# element, octets of the integer under it, sub-fields with their bits; what is not listed is filler
FIELDS = [
    ("ST0.FORMAT_CONTROL_1", 1, "DATA_ORDER 0 CHAR_FORMAT 1-3 MODEL_SELECT 4-6"),
    ("ST0.FORMAT_CONTROL_2", 1, "TM_FORMAT 0-2 DATA_ACCESS_METHOD 3-4 ID_FORM 5 INT_FORMAT 6-7"),
    ("ST0.FORMAT_CONTROL_3", 1, "NI_FORMAT1 0-3 NI_FORMAT2 4-7"),
    ("ST3.ED_MODE", 1, "METERING_FLAG 0 TEST_MODE_FLAG 1 METER_SHOP_MODE_FLAG 2 FACTORY_FLAG 3"),
    ("ST3.ED_STD_STATUS1", 2, STATUS1),
    ("ST4.PENDING_TABLES[0].TABLE_SELECTOR", 2, IDS + "PENDING_FLAG 12 FLAG1 13 FLAG2 14 FLAG3 15"),
    ("ST7.PROC", 2, IDS + "SELECTOR 12-15"),
    ("ST8.PROC", 2, IDS + "SELECTOR 12-15"),
    (
        "ST11.SOURCE_FLAGS",
        1,
        (
            "PF_EXCLUDE_FLAG 0 RESET_EXCLUDE_FLAG 1 BLOCK_DEMAND_FLAG 2 SLIDING_DEMAND_FLAG 3 THERMAL_DEMAND_FLAG 4 "
            "SET1_PRESENT_FLAG 5 SET2_PRESENT_FLAG 6 CONVERSION_ALG_FLAG 7"
        ),
    ),
    (
        "ST12.UOM_ENTRY[0]",
        4,
        (
            "ID_CODE 0-7 TIME_BASE 8-10 MULTIPLIER 11-13 Q1_ACCOUNTABILITY 14 Q2_ACCOUNTABILITY 15 Q3_ACCOUNTABILITY 16 "
            "Q4_ACCOUNTABILITY 17 NET_FLOW_ACCOUNTABILITY 18 SEGMENTATION 19-21 HARMONIC 22 ID_RESOURCE 23-27 NFS 31"
        ),
    ),
    (
        "ST16.SOURCES_LINK[0]",
        1,
        (
            "UOM_ENTRY_FLAG 0 DEMAND_CTRL_FLAG 1 DATA_CTRL_FLAG 2 CONSTANTS_FLAG 3 PULSE_ENGR_FLAG 4 "
            "CONSTANT_TO_BE_APPLIED 5"
        ),
    ),
    (
        "ST21.REG_FUNC1_FLAGS",
        1,
        (
            "SEASON_INFO_FIELD_FLAG 0 DATE_TIME_FIELD_FLAG 1 DEMAND_RESET_CTR_FLAG 2 DEMAND_RESET_LOCK_FLAG 3 "
            "CUM_DEMAND_FLAG 4 CONT_CUM_DEMAND_FLAG 5 TIME_REMAINING_FLAG 6"
        ),
    ),
    (
        "ST21.REG_FUNC2_FLAGS",
        1,
        (
            "SELF_READ_INHIBIT_OVERFLOW_FLAG 0 SELF_READ_SEQ_NBR_FLAG 1 DAILY_SELF_READ_FLAG 2 WEEKLY_SELF_READ_FLAG 3 "
            "SELF_READ_DEMAND_RESET 4-5"
        ),
    ),
    ("ST26.LIST_STATUS", 1, LIST),
    ("ST31.DISPLAY_CTRL", 1, "ON_TIME_FLAG 0 OFF_TIME_FLAG 1 HOLD_TIME_FLAG 2"),
    ("ST33.PRI_DISP_LIST[0].DISP_SCROLL1", 1, "ON_TIME 0-3 OFF_TIME 4-7"),
    ("ST33.PRI_DISP_LIST[0].DISP_SCROLL2", 1, "HOLD_TIME 0-3 DEFAULT_LIST 4-7"),
    ("ST42.SECURITY_ENTRIES[0].ACCESS_PERMISSIONS", 1, " ".join(f"GROUP_PERM_{n}_FLAG {n}" for n in range(8))),
    ("ST44.ACCESS_CONTROL[0].ACCESS_TABLE", 2, IDS + "PROC_FLAG 12 FLAG1 13 FLAG2 14 FLAG3 15"),
    (
        "ST51.TIME_FUNC_FLAG1",
        1,
        (
            "TOU_SELF_READ_FLAG 0 SEASON_SELF_READ_FLAG 1 SEASON_DEMAND_RESET_FLAG 2 SEASON_CHNG_ARMED_FLAG 3 "
            "SORT_DATES_FLAG 4 ANCHOR_DATE_FLAG 5"
        ),
    ),
    (
        "ST51.TIME_FUNC_FLAG2",
        1,
        (
            "CAP_DST_AUTO_FLAG 0 SEPARATE_WEEKDAYS_FLAG 1 SEPARATE_SUM_DEMANDS_FLAG 2 SORT_TIER_SWITCHES_FLAG 3 "
            "CAP_TM_ZN_OFFSET_FLAG 4"
        ),
    ),
    ("ST51.CALENDAR_FUNC", 1, "NBR_SEASONS 0-3 NBR_SPECIAL_SCHED 4-7"),
    ("ST52.TIME_DATE_QUAL", 1, QUALITY),
    ("ST54.NON_RECURR_DATES[0].CALENDAR_ACTION", 1, "CALENDAR_CTRL 0-4 DEMAND_RESET_FLAG 5 SELF_READ_FLAG 6"),
    ("ST54.RECURR_DATES[0].CALENDAR_ACTION", 1, "CALENDAR_CTRL 0-4 DEMAND_RESET_FLAG 5 SELF_READ_FLAG 6"),
    (
        "ST54.TIER_SWITCHES[0].TIER_SWITCH",
        2,
        "NEW_TIER 0-2 SUMMATION_SWITCH_FLAG 3 DEMANDS_SWITCH_FLAG 4 SWITCH_MIN 5-10 SWITCH_HOUR 11-15",
    ),
    ("ST55.TIME_DATE_QUAL", 1, QUALITY),
    (
        "ST55.STATUS",
        2,
        "CURR_SUMM_TIER 0-2 CURR_DEMAND_TIER 3-5 TIER_DRIVE 6-7 SPECIAL_SCHD_ACTIVE 8-11 SEASON 12-15",
    ),
    ("ST61.LP_FLAGS", 2, LP_FLAGS + "BLK_END_RD_INDICATOR_FLAG 12"),
    (
        "ST61.LP_FMATS",
        1,
        (
            "INV_UINT8_FLAG 0 INV_UINT16_FLAG 1 INV_UINT32_FLAG 2 INV_INT8_FLAG 3 INV_INT16_FLAG 4 INV_INT32_FLAG 5 "
            "INV_NI_FMAT1_FLAG 6 INV_NI_FMAT2_FLAG 7"
        ),
    ),
    ("ST62.LP_SEL_SET1[0].CHNL_FLAG", 1, "END_RDG_FLAG 0 NO_MULTIPLIER_FLAG 1 LP_ALGORITHM 2-4"),
    (
        "ST63.LP_STATUS_SET1.LP_SET_STATUS_FLAGS",
        1,
        (
            "BLOCK_ORDER 0 OVERFLOW_FLAG 1 LIST_TYPE 2 BLOCK_INHIBIT_OVERFLOW_FLAG 3 INTERVAL_ORDER 4 ACTIVE_MODE_FLAG 5 "
            "TEST_MODE 6"
        ),
    ),
    (
        "ST71.LOG_FLAGS",
        1,
        (
            "EVENT_NUMBER_FLAG 0 HIST_DATE_TIME_FLAG 1 HIST_SEQ_NBR_FLAG 2 HIST_INHIBIT_OVF_FLAG 3 "
            "EVENT_INHIBIT_OVF_FLAG 4"
        ),
    ),
    ("ST74.HIST_FLAGS", 1, LIST),
    ("ST74.ENTRIES[0].HISTORY_CODE", 2, IDS + "SELECTOR 12-15"),
    ("ST76.EVENT_FLAGS", 1, LIST),
    ("ST76.ENTRIES[0].EVENT_CODE", 2, IDS + "SELECTOR 12-15"),
    ("ST93.WINDOWS[0].WINDOW_DAYS", 1, DAYS),
    ("ST94.RECURRING_DATES[0].ORIGINATE_CONTROL", 1, CALL),
    ("ST94.EVENTS[0].ED_STD_STATUS1", 2, STATUS1),
    (
        "ST96.CALL_PURPOSE",
        2,
        "POWER_OUTAGE 0 POWER_RESTORAL 1 SCHEDULED_CALL 2 STATUS_CALL 3 IMMEDIATE_CALL 4 MANUFACTURER_DEFINED 12-15",
    ),
]


def meter(order: int, *, version: int = 2, flag2: int = 4) -> Device:
    """A device in which every array of the tables above has at least one entry."""

    def two(number: int) -> bytes:
        return number.to_bytes(2, "big" if order else "little")

    sets = bytes(9)[:8] + b"\x03"  # load profile sets 1 and 2: ST64, ST65
    st0 = bytes((order | 1 << 1, 2 | 3 << 3, 0x88)) + b"DEMO" + bytes((2, 0, 16, 16, version, 0, 9, 0, 0, 0, 1, 1))
    return Device(
        {
            0: st0 + sets + bytes(9),
            11: bytes((0, 1, 1, 1, 1, 1, 2, 1)),
            21: bytes((0, 0, 1, 1, 1, 1, 1, 1, 1, 1)),
            31: b"\7" + two(1) + b"\2" + two(1) + b"\1" + two(1) + b"\1",
            41: bytes((1, 4, 1, 4)) + two(1),
            51: bytes((0x20, flag2, 0x11, 1, 1)) + two(1) + two(0),
            61: bytes(4) + two(0) + b"\0" + (two(1) + two(1) + b"\1\1") * 2,
            71: bytes((7, 1, 1, 1, 1)) + two(1) + two(1) + b"\0" + two(0),
            91: bytes((0x27, 1, 1, 4, 1, 1, 4, 1, 1, 1, 1, 1, 1, 4)),
        }
    )


def expected(sub_fields: str) -> dict[str, tuple[int, int]]:
    words = sub_fields.split()
    spans = {}
    for name, bits in zip(words[::2], words[1::2], strict=True):
        low, _, high = bits.partition("-")
        spans[name] = (int(low), int(high or low))
    return spans


def check(device: Device, path: str, size: int, sub_fields: str, order: int) -> None:
    table = path.partition(".")[0]
    layout = device.layout_of(table, bytes(60)) if table in {"ST0", "ST7", "ST8"} else device.bind(table)
    element = layout.element(path)
    assert element.size == size
    spans = expected(sub_fields)
    for bit in range(8 * size):
        octets = bytearray(max(layout.size, element.offset + size))
        octets[element.offset : element.offset + size] = (1 << bit).to_bytes(size, "big" if order else "little")
        found = element.get(bytes(octets))._asdict()
        assert list(found) == list(spans)
        for name, (low, high) in spans.items():
            assert found[name] == (1 << bit - low if low <= bit <= high else 0), (name, bit)


@pytest.mark.parametrize("order", [0, 1])
@pytest.mark.parametrize(("path", "size", "sub_fields"), FIELDS, ids=[path for path, _, _ in FIELDS])
def test_every_bit_alone(path: str, size: int, sub_fields: str, order: int) -> None:
    check(meter(order), path, size, sub_fields, order)


@pytest.mark.parametrize("order", [0, 1])
def test_bits_that_depend_on_edition_and_on_another_table(order: int) -> None:
    check(meter(order, version=1), "ST61.LP_FLAGS", 2, LP_FLAGS + "CLOSURE_STATUS_FLAG 12", order)
    together = "CURR_TIER 0-2 TIER_DRIVE 6-7 SPECIAL_SCHD_ACTIVE 8-11 SEASON 12-15"
    check(meter(order, flag2=0), "ST55.STATUS", 2, together, order)
    check(
        meter(order),
        "ST91.TELEPHONE_FLAGS",
        1,
        "ANSWER_FLAG 0 S_ANCHOR_DATE_FLAG 1 OFFHOOK_DETECT_FLAG 2 BIT_RATE 3-4 ID_IN_PURPOSE 5 NO_LOCKOUT_PARM 6 "
        "EXTENDED_STATUS_FLAG 7",
        order,
    )
