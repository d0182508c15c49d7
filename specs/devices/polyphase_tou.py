"""polyphase-tou.json: a form 9S meter of a business with solar panels, edition 2008.

Demand in blocks of 15 minutes, four tiers, two sets of load profile, history and event log, calendar, users.
Registers are in watt-hours of the service; the load profile counts pulses of 3 Wh at the meter, behind current
transformers of 40 to 1. Time is that of New York, with daylight saving time, in everything that is stored.
"""

from __future__ import annotations

import datetime as dt
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from polyphase_calendar import DAY, HOUR, NOW, START, ZONE, put_time, season, special, tier
from simulation import (
    MINUTE,
    OFFICE,
    STEP,
    SUN,
    Curve,
    Demand,
    Event,
    Interval,
    Outage,
    Profile,
    Registers,
    at,
    logs,
)  # fmt: skip
from tables import Maker, access, filled, flags, groups, listed, log_entries, nibbles, register_data, uom

if TYPE_CHECKING:
    from simulation import Block

    from c1219 import Device

CLOCK_SET = at("2026-11-12 15:00")
"""The clock was set forward by 12 seconds."""
OUTAGES = (
    Outage(at("2026-08-03 21:20"), at("2026-08-03 21:41")),
    Outage(at("2026-11-18 08:07"), at("2026-11-18 08:52")),
)
PULSE, WATTS = 120, 480
"""Watt-hours of a pulse; watts of a pulse in 15 minutes."""


def build() -> Device:
    """Make the device."""
    meter = _Meter()
    maker = Maker(CONFIG, {"ap_title": ".123.8437", "watts": 100_000})
    _identity(maker)
    _sources(maker)
    _registers(maker, meter)
    _display(maker)
    _security(maker)
    put_time(maker)
    _load_profile(maker, meter)
    _logs(maker, meter)
    return maker.device


CONFIG = {
    "FORMAT_CONTROL_1": {"CHAR_FORMAT": 1},
    "FORMAT_CONTROL_2": {"TM_FORMAT": 2, "DATA_ACCESS_METHOD": 3},
    "FORMAT_CONTROL_3": {"NI_FORMAT1": 10, "NI_FORMAT2": 8},
    "DEVICE_CLASS": b"DEMO".hex(),
    "NAMEPLATE_TYPE": 2,
    "MAX_PROC_PARM_LENGTH": 24,
    "MAX_RESP_DATA_LEN": 16,
    "STD_VERSION_NO": 2,
    "DIM_STD_TBLS_USED": 10,
    "DIM_STD_PROC_USED": 4,
    "DIM_MFG_STATUS_USED": 1,
    "NBR_PENDING": 1,
    "STD_TBLS_USED": {*range(9), *range(10, 14), 15, 16, *range(20, 29), *range(30, 35), *range(40, 45),
                      *range(50, 57), *range(60, 66), *range(70, 77)},
    "STD_PROC_USED": {0, 1, 3, 4, 5, 6, 7, 8, 9, 10, 12, 13, 14, 15, 16, 17, 18, 19},
    "STD_TBLS_WRITE": {5, 6, 7, 13, 15, 33, 34, 42, 43, 44, 53, 54, 62, 73, 75},
}  # fmt: skip


class _Meter:
    """What the meter measured and noted."""

    def __init__(self) -> None:
        self.registers = Registers(3, (Demand(0, (2,)), Demand(2, (0,))), tiers=4)
        self.fine, self.coarse = Profile(15, OUTAGES), Profile(60, OUTAGES)
        self.self_reads: list[tuple[dt.datetime, list[Block], int]] = []
        self.last_season = self.last_reset = (START, self.registers.snapshot(), 0)
        self.events: list[Event] = []
        self.demand = (0, 0, 0)
        """Pulses of the demand interval that is running."""
        self._run()

    def _run(self) -> None:
        loads = (OFFICE.times(1000), SUN.times(250), OFFICE.times(1000, 3))
        curve = Curve(8437, ZONE, loads, pulse=PULSE, outages=OUTAGES)
        pulses: tuple[int, ...] = ()
        time = START
        while time < NOW:
            local = ZONE.local(time)
            if time > START and local.time() == dt.time():
                self._midnight(time, local)
            load, sun, reactive = curve.step(time)
            pulses = (max(load - sun, 0), max(sun - load, 0), reactive)
            time += STEP
            now = tier(local)
            self.registers.add(pulses, now)
            self.demand = tuple(a + b for a, b in zip(self.demand, pulses, strict=True))  # type: ignore[assignment]
            if time.minute % 15 == 0:
                self.registers.demand(self.demand, ZONE.local(time), now)
                self.demand = (0, 0, 0)
            self.fine.add(pulses, time)
            self.coarse.add(pulses, time)

    def _midnight(self, time: dt.datetime, local: dt.datetime) -> None:
        before = season(local - DAY)
        now = (local, self.registers.snapshot(), self.registers.resets)
        self.self_reads.append(now)
        if season(local) != before:
            self.last_season = now
            self.events.append(Event(local, 24, argument=bytes([season(local)])))
        if local.day == 1:
            self.last_reset = now
            self.registers.reset()
            self.events += [Event(local, 20), Event(local, 21)]
        number = special(local.date())
        if number is not None:
            self.events.append(Event(local, 26, argument=bytes([number])))
        if ZONE.in_dst(time) != ZONE.in_dst(time + DAY):
            self.events.append(Event(local + HOUR, 23))


def _identity(maker: Maker) -> None:
    maker.put(
        1, MANUFACTURER="DEMO", ED_MODEL="POLY-TOU", HW_VERSION_NUMBER=2, FW_VERSION_NUMBER=3, FW_REVISION_NUMBER=7,
        MFG_SERIAL_NUMBER="0000000012345678",
    )  # fmt: skip
    maker.put(
        2, E_KH="3.0", E_KT="3.0", E_INPUT_SCALAR=1, E_ED_CONFIG="9S",
        E_ELEMENTS={"E_FREQ": 4, "E_NO_OF_ELEMENTS": 4, "E_BASE_TYPE": 1},
        E_VOLTS={"E_ELEMENTS_VOLTS": 9, "E_ED_SUPPLY_VOLTS": 9}, E_AMPS={"E_CLASS_MAX_AMPS": "20", "E_TA": "2.5"},
    )  # fmt: skip
    maker.put(3, ED_MODE=flags("METERING_FLAG"))
    maker.put(4, STANDARD_PENDING={54})
    maker.put(5, IDENTIFICATION="METER-008437")
    maker.put(
        6, OWNER_NAME="Demo Light and Power", UTILITY_DIV="North", SERVICE_POINT_ID="SP-4711", ELEC_ADDR="FEEDER-12",
        DEVICE_ID="METER-008437", UTIL_SER_NO="DLP-2026-00231", CUSTOMER_ID="C-100233", TARIFF_ID="TOU-C4",
        PROGRAMMER_NAME="installer", MISC_ID="Rooftop solar, 160 kW",
    )  # fmt: skip
    maker.device.put(7, bytes.fromhex("05 00 12 03 01 00"))
    maker.device.put(8, bytes.fromhex("05 00 12 00"))


def _sources(maker: Maker) -> None:
    delivered, received, reactive = "Q1 Q4", "Q2 Q3", "Q1 Q2"
    units = [
        uom(0, 0, delivered), uom(0, 0, received), uom(1, 0, reactive), uom(0, 4, delivered), uom(1, 4, reactive),
        uom(0, 5, delivered), uom(0, 5, received), uom(1, 5, reactive), uom(8, 2, multiplier=5, segmentation=5),
        uom(33, 1, multiplier=5),
    ]  # fmt: skip
    maker.put(
        11, SOURCE_FLAGS=flags("PF_EXCLUDE_FLAG RESET_EXCLUDE_FLAG BLOCK_DEMAND_FLAG SET1_PRESENT_FLAG"),
        NBR_UOM_ENTRIES=len(units), NBR_DEMAND_CTRL_ENTRIES=2, NBR_CONSTANTS_ENTRIES=3, CONSTANTS_SELECTOR=2,
        NBR_SOURCES=len(units),
    )  # fmt: skip
    maker.same(10, 11)
    maker.put(12, UOM_ENTRY=units)
    maker.put(
        13, RESET_EXCLUSION=15, P_FAIL_RECOGNTN_TM=10, P_FAIL_EXCLUSION=0, COLD_LOAD_PICKUP=0,
        INTERVAL_VALUE=[{"INT_LENGTH": 15}] * 2,
    )  # fmt: skip
    maker.put(15, SELECTION=[{"MULTIPLIER": 3, "SET1_CONSTANTS": {"RATIO_F1": 40, "RATIO_P1": 1}}] * 3)
    register, pulses = flags("UOM_ENTRY_FLAG PULSE_ENGR_FLAG"), flags("UOM_ENTRY_FLAG CONSTANTS_FLAG")
    demand = register | flags("DEMAND_CTRL_FLAG")
    pulses |= flags("CONSTANT_TO_BE_APPLIED")
    maker.put(16, SOURCES_LINK=[register] * 3 + [demand] * 2 + [pulses] * 3 + [register] * 2)


def _data(item: tuple[dt.datetime, list[Block], int]) -> dict[str, Any]:
    return register_data(
        item[1], item[2], energy=lambda n: n * PULSE, power=lambda n: n * WATTS, total_power=lambda n: n * WATTS
    )


def _info(time: dt.datetime) -> dict[str, Any]:
    return {"END_DATE_TIME": time.isoformat(), "SEASON": season(time - DAY)}


def _registers(maker: Maker, meter: _Meter) -> None:
    maker.put(
        21,
        REG_FUNC1_FLAGS=flags(
            "SEASON_INFO_FIELD_FLAG DATE_TIME_FIELD_FLAG DEMAND_RESET_CTR_FLAG CUM_DEMAND_FLAG CONT_CUM_DEMAND_FLAG"
            " TIME_REMAINING_FLAG"
        ),
        REG_FUNC2_FLAGS=flags("SELF_READ_SEQ_NBR_FLAG DAILY_SELF_READ_FLAG") | {"SELF_READ_DEMAND_RESET": 1},
        NBR_SELF_READS=8, NBR_SUMMATIONS=3, NBR_DEMANDS=2, NBR_COIN_VALUES=2, NBR_OCCUR=1, NBR_TIERS=4,
        NBR_PRESENT_DEMANDS=2, NBR_PRESENT_VALUES=3,
    )  # fmt: skip
    maker.same(20, 21)
    maker.put(
        22, SUMMATION_SELECT=[0, 1, 2], DEMAND_SELECT=[3, 4], MIN_OR_MAX_FLAGS={0, 1}, COINCIDENT_SELECT=[4, 3],
        COIN_DEMAND_ASSOC=[0, 1],
    )  # fmt: skip
    current = (ZONE.local(NOW), meter.registers.snapshot(), meter.registers.resets)
    maker.put(23, **_data(current))
    maker.put(24, REGISTER_INFO=_info(meter.last_season[0]), PREV_SEASON_REG_DATA=_data(meter.last_season))
    maker.put(25, REGISTER_INFO=_info(meter.last_reset[0]), PREV_DEMAND_RESET_DATA=_data(meter.last_reset))
    reads = [
        {"SELF_READ_SEQ_NBR": n, "REGISTER_INFO": _info(item[0]), "SELF_READ_REGISTER_DATA": _data(item)}
        for n, item in enumerate(meter.self_reads, 1)
    ]
    entries, newest = listed(reads, 8)
    maker.put(
        26, LIST_STATUS={"LIST_TYPE": 1}, **newest, NBR_UNREAD_ENTRIES=2, SELF_READS_ENTRIES=entries,
    )  # fmt: skip
    maker.put(27, PRESENT_DEMAND_SELECT=[3, 4], PRESENT_VALUE_SELECT=[0, 8, 9])
    so_far = [meter.demand[0] * WATTS, meter.demand[2] * WATTS]
    maker.put(
        28, PRESENT_DEMAND=[{"TIME_REMAINING": "00:10:00", "DEMAND_VALUE": value} for value in so_far],
        PRESENT_VALUE=[current[1][0].sums[0] * PULSE, 27724, 6001],
    )  # fmt: skip


def _display(maker: Maker) -> None:
    maker.put(
        31, DISPLAY_CTRL=flags("ON_TIME_FLAG OFF_TIME_FLAG HOLD_TIME_FLAG"), NBR_DISP_SOURCES=6, WIDTH_DISP_SOURCES=2,
        NBR_PRI_DISP_LIST_ITEMS=7, NBR_PRI_DISP_LISTS=2, NBR_SEC_DISP_LIST_ITEMS=2, NBR_SEC_DISP_LISTS=1,
    )  # fmt: skip
    maker.same(30, 31)
    maker.put(
        32, DISP_SOURCES=[{"DISPLAY_SOURCE": f"{n:04x}"} for n in (0x0188, 0x1700, 0x1701, 0x1702, 0x1710, 0x2808)]
    )
    scroll = {"DISP_SCROLL1": {"ON_TIME": 6, "OFF_TIME": 1}}
    maker.put(
        33,
        PRI_DISP_LIST=[
            scroll | {"DISP_SCROLL2": {"HOLD_TIME": 2, "DEFAULT_LIST": 1}, "NBR_LIST_ITEMS": 4},
            scroll | {"DISP_SCROLL2": {"HOLD_TIME": 2, "DEFAULT_LIST": 2}, "NBR_LIST_ITEMS": 3},
        ],
        PRI_DISP_SOURCES=[0, 1, 2, 4, 0, 3, 5],
    )
    maker.put(
        34, SEC_DISP_LIST=[scroll | {"DISP_SCROLL2": {"DEFAULT_LIST": 3}, "NBR_LIST_ITEMS": 2}], SEC_DISP_SOURCES=[0, 1]
    )  # fmt: skip


def _security(maker: Maker) -> None:
    maker.put(41, NBR_PASSWORDS=3, PASSWORD_LEN=20, NBR_PERM_USED=8)
    maker.same(40, 41)

    maker.put(
        42,
        SECURITY_ENTRIES=[
            {"PASSWORD": filled("reader-demo"), "ACCESS_PERMISSIONS": groups(0)},
            {"PASSWORD": filled("installer-demo"), "ACCESS_PERMISSIONS": groups(0, 1)},
            {"PASSWORD": filled("master-demo"), "ACCESS_PERMISSIONS": groups(0, 1, 2)},
        ],
    )
    maker.put(
        43,
        TABLE_DEFAULT={"ACCESS_TABLE_DEFAULT": {}, "READ": groups(0), "WRITE": groups(2)},
        PROCEDURE_DEFAULT={"ACCESS_TABLE_DEFAULT": flags("PROC_FLAG"), "READ": groups(0), "WRITE": groups(1)},
    )
    maker.put(
        44,
        ACCESS_CONTROL=[
            access(0, "0", "", "FLAG1"), access(1, "0", "", "FLAG1"), access(6, "0", "1"),
            access(7, "0", "0"), access(42, "", "2"), access(54, "0", "1"),
            access(3, "0", "2", procedure=True), access(5, "0", "0", procedure=True),
        ],
    )  # fmt: skip


def _load_profile(maker: Maker, meter: _Meter) -> None:
    maker.put(
        61,
        LP_FLAGS=flags(
            "BLK_END_READ_FLAG BLK_END_PULSE_FLAG SCALAR_DIVISOR_FLAG_SET2 EXTENDED_INT_STATUS_FLAG"
            " SIMPLE_INT_STATUS_FLAG"
        ),
        LP_FMATS=flags("INV_UINT16_FLAG INV_INT32_FLAG"), LP_MEMORY_LEN=65536,
        NBR_BLKS_SET1=16, NBR_BLK_INTS_SET1=96, NBR_CHNS_SET1=4, MAX_INT_TIME_SET1=15,
        NBR_BLKS_SET2=32, NBR_BLK_INTS_SET2=24, NBR_CHNS_SET2=3, MAX_INT_TIME_SET2=60,
    )  # fmt: skip
    maker.same(60, 61)
    ended = flags("END_RDG_FLAG")
    maker.put(
        62,
        LP_SEL_SET1=[
            *({"CHNL_FLAG": ended, "LP_SOURCE_SELECT": 5 + n, "END_BLK_RDG_SOURCE_SELECT": n} for n in range(3)),
            {"LP_SOURCE_SELECT": 8, "END_BLK_RDG_SOURCE_SELECT": 255},
        ],
        INT_FMT_CDE1=2,
        LP_SEL_SET2=[{"CHNL_FLAG": ended, "LP_SOURCE_SELECT": n, "END_BLK_RDG_SOURCE_SELECT": n} for n in range(3)],
        INT_FMT_CDE2=32,
        SCALARS_SET2=[1, 1, 1],
        DIVISOR_SET2=[PULSE] * 3,
    )
    fine, held = meter.fine.blocks(96, 16, at("2026-11-02 05:00"))
    days_before = (dt.date(2026, 11, 2) - ZONE.local(START).date()).days
    volts = [_volts(block) for block in fine]
    blocks, newest = listed(
        [_block(*items) for items in zip(fine, volts, accumulate(map(sum, volts)), strict=True)],
        16,
        days_before + held - 16,
        "BLOCK",
    )
    coarse, number = meter.coarse.blocks(24, 32, START)
    others, other = listed([_block(block) for block in coarse], 32, number - 32, "BLOCK")
    state = flags("ACTIVE_MODE_FLAG") | {"LIST_TYPE": 1}
    maker.put(
        63,
        LP_STATUS_SET1={"LP_SET_STATUS_FLAGS": state, "NBR_UNREAD_BLOCKS": 2, "NBR_VALID_INT": len(fine[-1]), **newest},
        LP_STATUS_SET2={
            "LP_SET_STATUS_FLAGS": state,
            "NBR_UNREAD_BLOCKS": 1,
            "NBR_VALID_INT": len(coarse[-1]),
            **other,
        },
    )
    maker.put(64, LP_DATA_SETS1=blocks)
    maker.put(65, LP_DATA_SETS2=others)


def _block(block: list[Interval], volts: list[int] | None = None, volts_end: int = 0) -> dict[str, Any]:
    """Return a block: three channels of pulses and, if given, one of volts, which are accumulated like pulses."""
    length = block[1].end - block[0].end
    readings = [{"BLOCK_END_READ": n * PULSE, "BLOCK_END_PULSE": n} for n in block[-1].readings]
    data = [list(interval.pulses) for interval in block]
    if volts:
        readings.append({"BLOCK_END_PULSE": volts_end})
        data = [[*row, value] for row, value in zip(data, volts, strict=True)]
    return {
        "BLK_END_TIME": ZONE.local(block[-1].end).isoformat(),
        "END_READINGS": readings,
        "SIMPLE_INT_STATUS": {n for n, interval in enumerate(block) if interval.dark * MINUTE < length},
        "LP_INT": [
            {"EXTENDED_INT_STATUS": _status(interval, length, len(row)), "INT_DATA": row}
            for interval, row in zip(block, data, strict=True)
        ],
    }


def _volts(block: list[Interval]) -> list[int]:
    """Return mean voltages in hundredths: they fall with the load."""
    return [0 if interval.dark == 15 else 27800 - interval.pulses[0] // 3 for interval in block]


def _status(interval: Interval, length: dt.timedelta, channels: int) -> str:
    """Return EXTENDED_INT_STATUS."""
    start = interval.end - length
    set_forward = start <= CLOCK_SET < interval.end
    common = ZONE.in_dst(start) | 2 * bool(interval.dark) | 4 * set_forward
    own = 4 if interval.dark * MINUTE == length else 2 if interval.dark or set_forward else 0
    return nibbles(common, own, channels)


HISTORY = {5, 6, 9, 10, 11, 20, 21, 24}
EVENTS = {1, 2, 20, 22, 23, 24, 26, 36, 47, 56, 57}
INSTALLER, MASTER = 3, 4


def _logs(maker: Maker, meter: _Meter) -> None:
    forward = ZONE.local(CLOCK_SET)
    events = [
        *meter.events,
        *(Event(ZONE.local(outage.start), 1) for outage in OUTAGES),
        *(Event(ZONE.local(outage.end), 2) for outage in OUTAGES),
        Event(at("2026-05-01 09:08:12"), 57, INSTALLER),
        Event(at("2026-05-01 09:10:30"), 10, INSTALLER, bytes.fromhex("36 00")),
        Event(at("2026-05-01 09:12:05"), 11, INSTALLER),
        Event(at("2026-05-01 09:20:41"), 56, INSTALLER),
        Event(at("2026-09-13 02:14:07"), 47),
        Event(at("2026-10-05 11:02:55"), 3, 0, b"\x5a", manufacturer=True),
        Event(at("2026-10-05 13:40"), 10, MASTER, bytes.fromhex("2C 00")),
        Event(forward, 9, INSTALLER, bytes.fromhex("0A 10")),
        Event(forward + dt.timedelta(seconds=1), 5, INSTALLER, bytes([26, 11, 12, 10, 0])),
        Event(forward + dt.timedelta(seconds=13), 6, INSTALLER, bytes([26, 11, 12, 10, 0])),
    ]
    history, event = logs(events, HISTORY, EVENTS)
    maker.put(
        71, LOG_FLAGS=flags("EVENT_NUMBER_FLAG HIST_DATE_TIME_FLAG HIST_SEQ_NBR_FLAG"), NBR_STD_EVENTS=10,
        NBR_MFG_EVENTS=1, HIST_DATA_LENGTH=5, EVENT_DATA_LENGTH=5, NBR_HISTORY_ENTRIES=16, NBR_EVENT_ENTRIES=24,
    )  # fmt: skip
    maker.same(70, 71)
    maker.put(72, STD_EVENTS_SUPPORTED=HISTORY | EVENTS | {12, 13}, MFG_EVENTS_SUPPORTED={3})
    tables, procedures = {13, 15, 42, 43, 44, 53, 54, 62}, {3, 9, 10}
    for number, codes in ((73, HISTORY), (75, EVENTS)):
        maker.put(
            number, STD_EVENTS_MONITORED_FLAGS=codes, MFG_EVENTS_MONITORED_FLAGS={3}, STD_TBLS_MONITORED_FLAGS=tables,
            STD_PROC_MONITORED_FLAGS=procedures,
        )  # fmt: skip
    entries, newest = listed(log_entries(history, "HISTORY", 5), 16)
    maker.put(74, HIST_FLAGS={"LIST_TYPE": 1}, **newest, NBR_UNREAD_ENTRIES=3, ENTRIES=entries)
    entries, newest = listed(log_entries(event, "EVENT", 5), 24)
    maker.put(76, EVENT_FLAGS={"LIST_TYPE": 1}, **newest, NBR_UNREAD_ENTRIES=4, ENTRIES=entries)
