"""single-phase.json: a form 2S meter of a home in Arizona, edition 1997.

One register, one demand, no tiers; load profile in pulses of half a watt-hour; history log. Its clock is BCD and keeps
standard time all year, and no table tells its zone. Numbers are floats.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from simulation import HOME, MINUTE, STEP, Curve, Demand, Event, Interval, Outage, Profile, Registers, Zone, at, logs
from tables import Maker, access, filled, flags, groups, listed, log_entries, register_data, uom

if TYPE_CHECKING:
    from c1219 import Device

ZONE = Zone(dt.timedelta(hours=-7), dst=False)
START, NOW = at("2026-08-01 07:00"), at("2026-11-22 16:40")
OUTAGES = (
    Outage(at("2026-09-02 22:51"), at("2026-09-02 22:58")),
    Outage(at("2026-11-10 20:10"), at("2026-11-10 21:25")),
)

CONFIG = {
    "FORMAT_CONTROL_1": {"CHAR_FORMAT": 1},
    "FORMAT_CONTROL_2": {"TM_FORMAT": 1, "DATA_ACCESS_METHOD": 1},
    "FORMAT_CONTROL_3": {"NI_FORMAT1": 0, "NI_FORMAT2": 1},
    "DEVICE_CLASS": b"DEMO".hex(),
    "NAMEPLATE_TYPE": 2,
    "MAX_PROC_PARM_LENGTH": 22,
    "MAX_RESP_DATA_LEN": 12,
    "STD_VERSION_NO": 1,
    "DIM_STD_TBLS_USED": 10,
    "DIM_STD_PROC_USED": 3,
    "DIM_MFG_STATUS_USED": 1,
    "STD_TBLS_USED": {0, 1, 2, 3, 5, 6, 7, 8, *range(10, 17), 20, 21, 22, 23, 25, 27, 28, *range(40, 45), 50, 51, 52,
                      *range(60, 65), *range(70, 75)},
    "STD_PROC_USED": {0, 3, 4, 5, 6, 7, 9, 10, 18, 19},
    "STD_TBLS_WRITE": {5, 6, 7, 13, 15, 42, 43, 44, 62, 73},
}  # fmt: skip


def build() -> Device:
    """Make the device."""
    registers, profile = Registers(1, (Demand(0),)), Profile(30, OUTAGES)
    curve = Curve(8401, ZONE, (HOME.times(2),), pulse=1, outages=OUTAGES)  # two pulses a watt-hour
    events = [  # user 3 is the installer
        Event(at("2026-08-01 08:30:12"), 11, 3),
        Event(at("2026-08-01 08:31:50"), 10, 3, bytes.fromhex("06 00")),
        Event(at("2026-10-14 19:02:33"), 9, 3, bytes.fromhex("0A 10")),
        Event(at("2026-10-14 19:02:34"), 3, 3),
        Event(at("2026-10-14 19:03:05"), 4, 3),
    ]
    events += [Event(ZONE.local(outage.start), 1) for outage in OUTAGES]
    events += [Event(ZONE.local(outage.end), 2) for outage in OUTAGES]
    time, demand = START, 0
    last_reset = time, registers.snapshot(), 0
    while time < NOW:
        local = ZONE.local(time)
        if local.day == 1 and local.time() == dt.time() and time > START:
            last_reset = local, registers.snapshot(), registers.resets
            registers.reset()
            events.append(Event(local, 20))
        pulses = curve.step(time)
        time += STEP
        registers.add(pulses)
        profile.add(pulses, time)
        demand += pulses[0]
        if time.minute % 30 == 0:
            registers.demand((demand,), ZONE.local(time))
            demand = 0

    maker = Maker(CONFIG, {"ap_title": ".123.8401", "watts": 700})
    _identity(maker)
    _sources(maker)
    _registers(maker)
    maker.put(23, **_data(registers.snapshot(), registers.resets))
    maker.put(
        25, REGISTER_INFO={"END_DATE_TIME": last_reset[0].isoformat()}, PREV_DEMAND_RESET_DATA=_data(*last_reset[1:])
    )
    maker.put(
        28,
        PRESENT_DEMAND=[{"TIME_REMAINING": "00:20:00", "DEMAND_VALUE": float(demand)}],
        PRESENT_VALUE=[registers.blocks[0].sums[0] / 2, 241.5],
    )
    _security(maker)
    _load_profile(maker, profile)
    _log(maker, events)
    return maker.device


def _identity(maker: Maker) -> None:
    maker.put(
        1, MANUFACTURER="DEMO", ED_MODEL="SP-1", HW_VERSION_NUMBER=1, FW_VERSION_NUMBER=1, FW_REVISION_NUMBER=4,
        MFG_SERIAL_NUMBER="0000000000084011",
    )  # fmt: skip
    maker.put(
        2, E_KH="1.0", E_KT="1.0", E_INPUT_SCALAR=1, E_ED_CONFIG="2S",
        E_ELEMENTS={"E_FREQ": 4, "E_NO_OF_ELEMENTS": 1, "E_BASE_TYPE": 1},
        E_VOLTS={"E_ELEMENTS_VOLTS": 5, "E_ED_SUPPLY_VOLTS": 5}, E_AMPS={"E_CLASS_MAX_AMPS": "200", "E_TA": "30"},
    )  # fmt: skip
    maker.put(3, ED_MODE=flags("METERING_FLAG"), ED_STD_STATUS1=flags("POWER_FAILURE_FLAG"))
    maker.put(5, IDENTIFICATION="METER-008401")
    maker.put(
        6, OWNER_NAME="Demo Light and Power", UTILITY_DIV="West", SERVICE_POINT_ID="SP-0815", DEVICE_ID="METER-008401",
        UTIL_SER_NO="DLP-2026-00017", CUSTOMER_ID="C-100815", TARIFF_ID="R1", PROGRAMMER_NAME="installer",
    )  # fmt: skip
    maker.device.put(7, bytes.fromhex("0A 00 05 03 26 10 14 19 03 05 23"))
    maker.device.put(8, bytes.fromhex("0A 00 05 00 26 10 14 19 02 34 26 10 14 19 03 05"))
    local = ZONE.local(NOW)
    maker.put(51)
    maker.same(50, 51)
    qualifier = flags("TM_ZN_APPLIED_FLAG") | {"DAY_OF_WEEK": local.isoweekday() % 7}
    maker.put(52, CLOCK_CALENDAR=local.isoformat(), TIME_DATE_QUAL=qualifier)


def _sources(maker: Maker) -> None:
    units = [uom(0, 0, "Q1 Q4"), uom(0, 4, "Q1 Q4"), uom(0, 5, "Q1 Q4"), uom(8, 2, segmentation=1)]
    maker.put(
        11, SOURCE_FLAGS=flags("RESET_EXCLUDE_FLAG BLOCK_DEMAND_FLAG"), NBR_UOM_ENTRIES=4, NBR_DEMAND_CTRL_ENTRIES=1,
        DATA_CTRL_LENGTH=2, NBR_DATA_CTRL_ENTRIES=1, NBR_CONSTANTS_ENTRIES=1, CONSTANTS_SELECTOR=2, NBR_SOURCES=4,
    )  # fmt: skip
    maker.same(10, 11)
    maker.put(12, UOM_ENTRY=units)
    maker.put(13, RESET_EXCLUSION=10, INTERVAL_VALUE=[{"INT_LENGTH": 30}])
    maker.put(14, SOURCES_ID=[{"SOURCE_ID": "0102"}])
    maker.put(15, SELECTION=[{"MULTIPLIER": 0.5}])
    register = flags("UOM_ENTRY_FLAG PULSE_ENGR_FLAG")
    pulses = flags("UOM_ENTRY_FLAG DATA_CTRL_FLAG CONSTANTS_FLAG CONSTANT_TO_BE_APPLIED")
    maker.put(16, SOURCES_LINK=[register, register | flags("DEMAND_CTRL_FLAG"), pulses, register])


def _registers(maker: Maker) -> None:
    maker.put(
        21,
        REG_FUNC1_FLAGS=flags("DATE_TIME_FIELD_FLAG DEMAND_RESET_CTR_FLAG CUM_DEMAND_FLAG TIME_REMAINING_FLAG"),
        NBR_SUMMATIONS=1, NBR_DEMANDS=1, NBR_OCCUR=1, NBR_PRESENT_DEMANDS=1, NBR_PRESENT_VALUES=2,
    )  # fmt: skip
    maker.same(20, 21)
    maker.put(22, SUMMATION_SELECT=[0], DEMAND_SELECT=[1], MIN_OR_MAX_FLAGS={0})
    maker.put(27, PRESENT_DEMAND_SELECT=[1], PRESENT_VALUE_SELECT=[0, 3])


def _data(blocks: Any, resets: int) -> dict[str, Any]:
    # half a watt-hour a pulse; pulses in half an hour are watts
    return register_data(blocks, resets, energy=lambda n: n / 2, power=float, total_power=float, continuous=False)


def _security(maker: Maker) -> None:
    maker.put(41, NBR_PASSWORDS=2, PASSWORD_LEN=20, NBR_PERM_USED=4)
    maker.same(40, 41)
    maker.put(
        42,
        SECURITY_ENTRIES=[
            {"PASSWORD": filled("reader-demo"), "ACCESS_PERMISSIONS": groups(0)},
            {"PASSWORD": filled("master-demo"), "ACCESS_PERMISSIONS": groups(0, 1)},
        ],
    )
    maker.put(
        43,
        TABLE_DEFAULT={"READ": groups(0), "WRITE": groups(1)},
        PROCEDURE_DEFAULT={"ACCESS_TABLE_DEFAULT": flags("PROC_FLAG"), "READ": groups(0), "WRITE": groups(1)},
    )
    rights = [access(0, "0", "", "FLAG1"), access(1, "0", "", "FLAG1"), access(7, "0", "0"), access(42, "", "1")]
    maker.put(44, ACCESS_CONTROL=rights)


def _load_profile(maker: Maker, profile: Profile) -> None:
    maker.put(
        61, LP_FLAGS=flags("BLK_END_READ_FLAG SIMPLE_INT_STATUS_FLAG CLOSURE_STATUS_FLAG"), LP_MEMORY_LEN=4096,
        LP_FMATS=flags("INV_UINT16_FLAG"), NBR_BLKS_SET1=24, NBR_BLK_INTS_SET1=48, NBR_CHNS_SET1=1,
        MAX_INT_TIME_SET1=30,
    )  # fmt: skip
    maker.same(60, 61)
    channel = {"CHNL_FLAG": flags("END_RDG_FLAG"), "LP_SOURCE_SELECT": 2, "END_BLK_RDG_SOURCE_SELECT": 0}
    maker.put(62, LP_SEL_SET1=[channel], INT_FMT_CDE1=2)
    kept, number = profile.blocks(48, 24, START)
    blocks, newest = listed([_block(block) for block in kept], 24, number - 24, "BLOCK")
    state = flags("ACTIVE_MODE_FLAG") | {"LIST_TYPE": 1}
    maker.put(
        63,
        LP_STATUS_SET1={"LP_SET_STATUS_FLAGS": state, "NBR_UNREAD_BLOCKS": 3, "NBR_VALID_INT": len(kept[-1]), **newest},
    )
    maker.put(64, LP_DATA_SETS1=blocks)


def _block(block: list[Interval]) -> dict[str, Any]:
    return {
        "BLK_END_TIME": ZONE.local(block[-1].end).isoformat(),
        "END_READINGS": [{"BLOCK_END_READ": block[-1].readings[0] / 2}],
        "CLOSURE_STATUS": [{"NBR_VALID_INTERVAL": len(block)}],
        "SIMPLE_INT_STATUS": {n for n, interval in enumerate(block) if interval.dark * MINUTE < 30 * MINUTE},
        "LP_INT": [{"INT_DATA": list(interval.pulses)} for interval in block],
    }


def _log(maker: Maker, events: list[Event]) -> None:
    codes = {1, 2, 3, 4, 9, 10, 11, 20}
    history, _ = logs(events, codes, set())
    maker.put(
        71, LOG_FLAGS=flags("HIST_DATE_TIME_FLAG"), NBR_STD_EVENTS=6, HIST_DATA_LENGTH=2, NBR_HISTORY_ENTRIES=10
    )  # fmt: skip
    maker.same(70, 71)
    maker.put(72, STD_EVENTS_SUPPORTED=codes)
    maker.put(
        73, STD_EVENTS_MONITORED_FLAGS=codes, STD_TBLS_MONITORED_FLAGS={6, 13, 42, 43, 44, 62},
        STD_PROC_MONITORED_FLAGS={3, 9, 10},
    )  # fmt: skip
    found = log_entries(history, "HISTORY", 2, numbered=False, sequenced=False)
    entries, newest = listed(found, 10)
    maker.put(74, HIST_FLAGS={"LIST_TYPE": 1}, **newest, NBR_UNREAD_ENTRIES=5, ENTRIES=entries)
