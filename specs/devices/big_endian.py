"""big-endian.json: a net meter of a farm in Labrador with forms that few meters have, edition 2008.

Most significant octet first, UTF-8, BCD identifiers, one's complement, numbers as INT32 of ten-thousandths and as
FIXED_BCD4, a clock that counts seconds since 1970 in UTC, and a zone of a half hour. Its energy is net and goes below
zero. Sets 2 and 4 of the load profile exist, 1 and 3 do not; one is written from the newest to the oldest, the other is
a FIFO. Tiers of energy and of demand switch apart. ST53 and ST71 lack the elements that 2008 added. MT0 is declared
nowhere.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from simulation import (
    HOME,
    MINUTE,
    STEP,
    SUN,
    Curve,
    Demand,
    Event,
    Interval,
    Outage,
    Profile,
    Registers,
    Zone,
    at,
    logs,
)  # fmt: skip
from tables import Maker, access, filled, flags, groups, listed, log_entries, nibbles, register_data, uom

if TYPE_CHECKING:
    from simulation import Block

    from c1219 import Device

DAY = dt.timedelta(days=1)
ZONE = Zone(dt.timedelta(hours=-3, minutes=-30))
START, NOW = at("2026-07-01 02:30"), at("2026-11-22 16:10")
OUTAGES = (Outage(at("2026-11-16 11:42"), at("2026-11-16 12:30")),)
ANCHOR = dt.date(2026, 1, 5)

CONFIG = {
    "FORMAT_CONTROL_1": {"DATA_ORDER": 1, "CHAR_FORMAT": 3},
    "FORMAT_CONTROL_2": {"TM_FORMAT": 4, "DATA_ACCESS_METHOD": 3, "ID_FORM": 1, "INT_FORMAT": 1},
    "FORMAT_CONTROL_3": {"NI_FORMAT1": 4, "NI_FORMAT2": 6},
    "DEVICE_CLASS": "84120307",
    "NAMEPLATE_TYPE": 2,
    "MAX_PROC_PARM_LENGTH": 24,
    "MAX_RESP_DATA_LEN": 8,
    "STD_VERSION_NO": 2,
    "STD_REVISION_NO": 1,
    "DIM_STD_TBLS_USED": 12,
    "DIM_MFG_TBLS_USED": 1,
    "DIM_STD_PROC_USED": 4,
    "DIM_MFG_PROC_USED": 3,
    "DIM_MFG_STATUS_USED": 3,
    "NBR_PENDING": 2,
    "STD_TBLS_USED": {*range(9), 10, 11, 12, 13, 16, *range(20, 27), 27, 28, *range(40, 45), *range(50, 57),
                      60, 61, 62, 63, 65, 67, *range(70, 77)},
    "MFG_TBLS_USED": {0},
    "STD_PROC_USED": {3, 4, 5, 6, 7, 8, 9, 10, 12, 13, 14, 15, 16, 17, 18, 19},
    "MFG_PROC_USED": {22},
    "STD_TBLS_WRITE": {5, 6, 7, 13, 42, 43, 44, 53, 54, 62, 73, 75},
}  # fmt: skip


def season(day: dt.date) -> int:
    """Return the season: 0 from 15 November, 1 from 1 April, 2 from 1 July."""
    if day.month < 4 or (day.month, day.day) >= (11, 15):
        return 0
    return 1 if day.month < 7 else 2


def tiers(local: dt.datetime) -> tuple[int, int]:
    """Return the tiers of energy and of demand in effect."""
    if local.weekday() > 4:
        return 0, 0
    minutes = local.hour * 60 + local.minute
    return int(7 * 60 <= minutes < 19 * 60 + 30), int(6 * 60 + 30 <= minutes < 20 * 60)


def kwh(pulses: int) -> str:
    """Return kilowatt-hours: a pulse is a watt-hour."""
    return str(Decimal(pulses) / 1000)


def watts(pulses: int) -> str:
    """Return the power of pulses in 15 minutes."""
    return str(4 * pulses)


def build() -> Device:
    """Make the device."""
    registers = Registers(3, (Demand(1, (0,)), Demand(2)), tiers=2, occurrences=3)
    half_hours, hours = Profile(30, OUTAGES), Profile(60, OUTAGES)
    curve = Curve(8502, ZONE, (HOME.times(6), SUN.times(22)), pulse=1, outages=OUTAGES)
    events = [Event(outage.start, 1) for outage in OUTAGES] + [Event(outage.end, 2) for outage in OUTAGES]
    window: list[tuple[int, ...]] = []
    last_reset = last_season = START, registers.snapshot()
    weekly: list[tuple[dt.datetime, list[Block]]] = []
    time = START
    while time < NOW:
        local = ZONE.local(time)
        if time > START and local.time() == dt.time():
            now = time, registers.snapshot()
            if season(local) != season(local - DAY):
                last_season = now
                events.append(Event(time, 24, argument=bytes([season(local)])))
            if local.weekday() == 0:
                weekly.append(now)
                events.append(Event(time, 21))
            if (local.date() - ANCHOR).days % 28 == 3:
                last_reset = now
                registers.reset()
                events.append(Event(time, 20))
        load, sun = curve.step(time)
        pulses = (load - sun, max(load - sun, 0), max(sun - load, 0))
        of_energy, of_demand = tiers(local)
        time += STEP
        registers.add(pulses, of_energy)
        window = [*window[-2:], pulses]
        if len(window) == 3:
            registers.demand(tuple(map(sum, zip(*window, strict=True))), time, of_demand)
        half_hours.add(pulses, time)
        hours.add(pulses, time)

    maker = Maker(CONFIG, {"ap_title": ".123.8502", "watts": 3000})
    _identity(maker)
    _sources(maker)
    _registers(maker)
    maker.put(23, **_data(registers.snapshot()))
    maker.put(24, REGISTER_INFO=_info(last_season[0]), PREV_SEASON_REG_DATA=_data(last_season[1]))
    maker.put(25, REGISTER_INFO=_info(last_reset[0]), PREV_DEMAND_RESET_DATA=_data(last_reset[1]))
    reads = [{"REGISTER_INFO": _info(when), "SELF_READ_REGISTER_DATA": _data(blocks)} for when, blocks in weekly]
    entries, newest = listed(reads, 4, order="fifo")
    maker.put(26, **newest, NBR_UNREAD_ENTRIES=1, SELF_READS_ENTRIES=entries)
    so_far = tuple(map(sum, zip(*window, strict=True)))
    maker.put(
        28,
        PRESENT_DEMAND=[{"TIME_REMAINING": "00:05:00", "DEMAND_VALUE": watts(so_far[n])} for n in (1, 2)],
        PRESENT_VALUE=[kwh(registers.blocks[0].sums[0]), "239.87", "0.9634"],
    )
    _security(maker)
    _time(maker)
    _load_profile(maker, half_hours, hours)
    _logs(maker, events)
    maker.device.put("MT0", b"Ceci n'est pas une table standard.")
    return maker.device


def _identity(maker: Maker) -> None:
    maker.put(
        1, MANUFACTURER="ÉLM", ED_MODEL="NET-Ω", HW_VERSION_NUMBER=7, HW_REVISION_NUMBER=1, FW_VERSION_NUMBER=2,
        FW_REVISION_NUMBER=99, MFG_SERIAL_NUMBER="0000000000085020",
    )  # fmt: skip
    maker.put(
        2, E_KH="1.0", E_KT="1.0", E_INPUT_SCALAR=1, E_ED_CONFIG="12S",
        E_ELEMENTS={"E_FREQ": 4, "E_NO_OF_ELEMENTS": 2, "E_BASE_TYPE": 1},
        E_VOLTS={"E_ELEMENTS_VOLTS": 3, "E_ED_SUPPLY_VOLTS": 5}, E_AMPS={"E_CLASS_MAX_AMPS": "200", "E_TA": "30"},
    )  # fmt: skip
    maker.put(3, ED_MODE=flags("METERING_FLAG"), ED_STD_STATUS1=flags("LOW_BATTERY_FLAG"), ED_MFG_STATUS={2, 17})
    waiting = {
        "EVENT": {"EVENT_SELECTOR": {"SELF_READ_FLAG": True}, "EVENT_STORAGE": "6b371db800"},
        "TABLE_SELECTOR": {"TBL_PROC_NBR": 54, "PENDING_FLAG": True},
    }
    maker.put(
        4, STANDARD_PENDING={54, 62}, LAST_ACTIVATION_DATE_TIME="2026-07-02T14:00:00", NBR_PENDING_ACTIVATION=1,
        PENDING_TABLES=[waiting],
    )  # fmt: skip
    maker.put(5, IDENTIFICATION="00000000000000008502")
    maker.put(
        6, OWNER_NAME="Énergie du Labrador", UTILITY_DIV="Baie d'Ungava", SERVICE_POINT_ID="4711",
        DEVICE_ID="00000000000000008502", CUSTOMER_ID="100233", TARIFF_ID="NET-2", PROGRAMMER_NAME="Noël",
        MISC_ID="Éolienne et panneaux: 14 kW",
    )  # fmt: skip
    maker.device.put(7, bytes.fromhex("00 09 07 02"))
    maker.device.put(8, bytes.fromhex("00 09 07 00 02"))


def _sources(maker: Maker) -> None:
    delivered, received = "Q1 Q4", "Q2 Q3"
    units = [
        uom(0, 0, "Q1 Q2 Q3 Q4", multiplier=2, net=True), uom(0, 0, delivered, multiplier=2),
        uom(0, 0, received, multiplier=2), uom(0, 4, delivered), uom(0, 4, received),
        uom(0, 4, "Q1 Q2 Q3 Q4", net=True), uom(8, 2), uom(24, 2),
    ]  # fmt: skip
    maker.put(
        11, SOURCE_FLAGS=flags("SLIDING_DEMAND_FLAG"), NBR_UOM_ENTRIES=8, NBR_DEMAND_CTRL_ENTRIES=3,
        CONSTANTS_SELECTOR=2, NBR_SOURCES=8,
    )  # fmt: skip
    maker.same(10, 11)
    maker.put(12, UOM_ENTRY=units)
    maker.put(13, INTERVAL_VALUE=[{"SUB_INT": 5, "INT_MULTIPLIER": 3}] * 3)
    register = flags("UOM_ENTRY_FLAG PULSE_ENGR_FLAG")
    maker.put(16, SOURCES_LINK=[register] * 3 + [register | flags("DEMAND_CTRL_FLAG")] * 3 + [register] * 2)


def _registers(maker: Maker) -> None:
    maker.put(
        21, REG_FUNC1_FLAGS=flags("SEASON_INFO_FIELD_FLAG DATE_TIME_FIELD_FLAG TIME_REMAINING_FLAG"),
        REG_FUNC2_FLAGS=flags("WEEKLY_SELF_READ_FLAG"), NBR_SELF_READS=4, NBR_SUMMATIONS=3, NBR_DEMANDS=2,
        NBR_COIN_VALUES=1, NBR_OCCUR=3, NBR_TIERS=2, NBR_PRESENT_DEMANDS=2, NBR_PRESENT_VALUES=3,
    )  # fmt: skip
    maker.same(20, 21)
    maker.put(
        22, SUMMATION_SELECT=[0, 1, 2], DEMAND_SELECT=[3, 4], MIN_OR_MAX_FLAGS={0, 1}, COINCIDENT_SELECT=[5],
        COIN_DEMAND_ASSOC=[0],
    )  # fmt: skip
    maker.put(27, PRESENT_DEMAND_SELECT=[3, 4], PRESENT_VALUE_SELECT=[0, 6, 7])


def _data(blocks: list[Block]) -> dict[str, Any]:
    return register_data(blocks, None, energy=kwh, power=watts)


def _info(time: dt.datetime) -> dict[str, Any]:
    return {"END_DATE_TIME": time.isoformat(), "SEASON": season(ZONE.local(time) - DAY)}


def _security(maker: Maker) -> None:
    maker.put(41, NBR_PASSWORDS=2, PASSWORD_LEN=20, NBR_PERM_USED=5)
    maker.same(40, 41)
    maker.put(
        42,
        SECURITY_ENTRIES=[
            {"PASSWORD": filled("lecteur-démo"), "ACCESS_PERMISSIONS": groups(4)},
            {"PASSWORD": filled("maître-démo"), "ACCESS_PERMISSIONS": groups(4, 7)},
        ],
    )
    maker.put(
        43,
        TABLE_DEFAULT={"READ": groups(4), "WRITE": groups(7)},
        PROCEDURE_DEFAULT={"ACCESS_TABLE_DEFAULT": flags("PROC_FLAG"), "READ": groups(4), "WRITE": groups(7)},
    )
    rights = [
        access(0, "4", "", "FLAG1"), access(1, "4", "", "FLAG1"), access(7, "4", "4"), access(42, "", "7"),
        access(22, "4", "4", procedure=True, manufacturer=True),
    ]  # fmt: skip
    maker.put(44, ACCESS_CONTROL=rights)


def _time(maker: Maker) -> None:
    switches = [
        (0, 0, 0, True, True), (6, 30, 1, False, True), (7, 0, 1, True, False), (19, 30, 0, True, False),
        (20, 0, 0, False, True),
    ]  # fmt: skip
    maker.put(
        51, TIME_FUNC_FLAG1=flags("TOU_SELF_READ_FLAG ANCHOR_DATE_FLAG"),
        TIME_FUNC_FLAG2=flags(
            "CAP_DST_AUTO_FLAG SEPARATE_WEEKDAYS_FLAG SEPARATE_SUM_DEMANDS_FLAG CAP_TM_ZN_OFFSET_FLAG"
        ),
        CALENDAR_FUNC={"NBR_SEASONS": 3}, NBR_RECURR_DATES=7, NBR_TIER_SWITCHES=6, CALENDAR_TBL_SIZE=2 + 3 * 13 + 21,
    )  # fmt: skip
    maker.same(50, 51)
    local = ZONE.local(NOW)
    qualifier = flags("GMT_FLAG DST_SUPPORTED_FLAG") | {
        "DAY_OF_WEEK": NOW.isoweekday() % 7,
        "DST_FLAG": ZONE.in_dst(NOW),
    }
    maker.put(52, CLOCK_CALENDAR=NOW.isoformat(), TIME_DATE_QUAL=qualifier)
    maker.put(53, DST_TIME_EFF="02:00:00", DST_TIME_AMT=60, TIME_ZONE_OFFSET=-210, STD_TIME_EFF="02:00:00")
    maker.device.put(53, maker.device[53].raw[:-4])

    def recurring(month: int, day: int, action: int, offset: int = 0, weekday: int = 7) -> Any:
        date = {"MONTH": month, "OFFSET": offset, "WEEKDAY": weekday, "DAY": day}
        return {"RECURR_DATE": date, "CALENDAR_ACTION": {"CALENDAR_CTRL": action}}

    maker.put(
        54,
        ANCHOR_DATE=ANCHOR.isoformat(),
        RECURR_DATES=[
            recurring(3, 1, 1, 3, 0), recurring(11, 1, 2, 2, 0),
            recurring(11, 15, 3), recurring(4, 1, 4), recurring(7, 1, 5),
            {"RECURR_DATE": {"MONTH": 14, "WEEKDAY": 1}, "CALENDAR_ACTION": flags("SELF_READ_FLAG")},
            {"RECURR_DATE": {"MONTH": 15, "PERIOD": 28, "DELTA": 3}, "CALENDAR_ACTION": flags("DEMAND_RESET_FLAG")},
        ],
        TIER_SWITCHES=[
            *(
                {
                    "TIER_SWITCH": {
                        "NEW_TIER": new, "SWITCH_HOUR": hour, "SWITCH_MIN": minute, "SUMMATION_SWITCH_FLAG": energy,
                        "DEMANDS_SWITCH_FLAG": demand,
                    },
                    "DAY_SCH_NUM": 1,
                }
                for hour, minute, new, energy, demand in switches
            ),
            {"TIER_SWITCH": flags("SUMMATION_SWITCH_FLAG DEMANDS_SWITCH_FLAG"), "DAY_SCH_NUM": 0},
        ],
        DAILY_SCHEDULE_ID_MATRIX=[
            {f"{day}_SCHEDULE": 1 for day in ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY")}
        ] * 3,
    )  # fmt: skip
    of_energy, of_demand = tiers(local)
    maker.put(
        55, CLOCK_CALENDAR=NOW.isoformat(), TIME_DATE_QUAL=qualifier,
        STATUS={
            "CURR_SUMM_TIER": of_energy, "CURR_DEMAND_TIER": of_demand, "SPECIAL_SCHD_ACTIVE": 15,
            "SEASON": season(local),
        },
    )  # fmt: skip
    left = 24 * 60 - local.hour * 60 - local.minute
    maker.put(56, SUMM_TIER_TIME_REMAIN=left, DEMAND_TIER_TIME_REMAIN=left, SELF_READ_DAYS_REMAIN=1)


def _load_profile(maker: Maker, half_hours: Profile, hours: Profile) -> None:
    maker.put(
        61,
        LP_FLAGS=flags(
            "LP_SET4_INHIBIT_OVF_FLAG BLK_END_READ_FLAG BLK_END_RD_INDICATOR_FLAG SCALAR_DIVISOR_FLAG_SET2"
            " EXTENDED_INT_STATUS_FLAG"
        ),
        LP_MEMORY_LEN=32768, LP_FMATS=flags("INV_INT16_FLAG INV_NI_FMAT1_FLAG"),
        NBR_BLKS_SET2=10, NBR_BLK_INTS_SET2=48, NBR_CHNS_SET2=3, MAX_INT_TIME_SET2=30,
        NBR_BLKS_SET4=30, NBR_BLK_INTS_SET4=24, NBR_CHNS_SET4=2, MAX_INT_TIME_SET4=60,
    )  # fmt: skip
    maker.same(60, 61)
    channels = [
        {"CHNL_FLAG": flags("END_RDG_FLAG"), "LP_SOURCE_SELECT": n, "END_BLK_RDG_SOURCE_SELECT": n} for n in range(3)
    ]
    maker.put(
        62, LP_SEL_SET2=channels, INT_FMT_CDE2=16, SCALARS_SET2=[1000] * 3, DIVISOR_SET2=[1] * 3,
        LP_SEL_SET4=channels[1:], INT_FMT_CDE4=64,
    )  # fmt: skip
    kept, number = half_hours.blocks(48, 10, at("2026-07-02"))
    downward, newest = listed([_block(block, range(3)) for block in kept], 10, number - 10, "BLOCK", order="descending")
    others, count = hours.blocks(24, 30, at("2026-07-02"))
    fifo, newest_of_4 = listed([_block(block, (1, 2), kwh) for block in others], 30, count - 30, "BLOCK", order="fifo")
    active = flags("ACTIVE_MODE_FLAG")
    maker.put(
        63,
        LP_STATUS_SET2={
            "LP_SET_STATUS_FLAGS": active | {"BLOCK_ORDER": 1, "LIST_TYPE": 1, "INTERVAL_ORDER": 1},
            "NBR_UNREAD_BLOCKS": 4, "NBR_VALID_INT": len(kept[-1]), **newest,
        },
        LP_STATUS_SET4={
            "LP_SET_STATUS_FLAGS": active | flags("BLOCK_INHIBIT_OVERFLOW_FLAG"),
            "NBR_UNREAD_BLOCKS": 12, "NBR_VALID_INT": len(others[-1]), **newest_of_4,
        },
    )  # fmt: skip
    maker.put(65, LP_DATA_SETS2=[block | {"LP_INT": block["LP_INT"][::-1]} for block in downward])
    maker.put(67, LP_DATA_SETS4=fifo)


def _block(block: list[Interval], channels: Any, form: Any = int) -> dict[str, Any]:
    """Return a block with the sums of its intervals as end readings."""
    length = block[1].end - block[0].end
    return {
        "BLK_END_TIME": block[-1].end.isoformat(),
        "END_READINGS": [{"BLOCK_END_READ": kwh(sum(interval.pulses[n] for interval in block))} for n in channels],
        "LP_INT": [
            {
                "EXTENDED_INT_STATUS": _status(interval, length, len(channels)),
                "INT_DATA": [form(interval.pulses[n]) for n in channels],
            }
            for interval in block
        ],
    }


def _status(interval: Interval, length: dt.timedelta, channels: int) -> str:
    """Return EXTENDED_INT_STATUS."""
    common = ZONE.in_dst(interval.end - length) | 2 * bool(interval.dark)
    return nibbles(common, 4 if interval.dark * MINUTE == length else 2 if interval.dark else 0, channels)


def _logs(maker: Maker, events: list[Event]) -> None:
    events = [
        *events,
        Event(at("2026-07-01 15:12:44"), 11, 9),
        Event(at("2026-07-02 14:00:00"), 28, 0, bytes.fromhex("00 36")),
        Event(at("2026-10-20 18:22:10"), 5, 9, bytes.fromhex("6A D7 B1 52")),
        Event(at("2026-10-20 18:22:11"), 6, 9, bytes.fromhex("6A D7 B1 57")),
        Event(at("2026-11-09 03:30:00"), 44),
        Event(at("2026-11-12 19:05:31"), 12, 0, b"\x01\x02\x03", manufacturer=True),
    ]
    history, event = logs(events, {5, 6, 11, 28, 20}, {1, 2, 5, 6, 20, 21, 24, 44})
    maker.put(71, NBR_STD_EVENTS=7, NBR_MFG_EVENTS=2, HIST_DATA_LENGTH=4, EVENT_DATA_LENGTH=3, NBR_HISTORY_ENTRIES=12,
              NBR_EVENT_ENTRIES=20)  # fmt: skip
    maker.same(70, 71)
    for number in (70, 71):
        maker.device.put(number, maker.device[number].raw[:9])
    maker.put(72, STD_EVENTS_SUPPORTED={1, 2, 5, 6, 11, 20, 21, 24, 28, 44}, MFG_EVENTS_SUPPORTED={12})
    maker.put(73, STD_EVENTS_MONITORED_FLAGS={5, 6, 11, 20, 28}, MFG_EVENTS_MONITORED_FLAGS={12})
    maker.put(75, STD_EVENTS_MONITORED_FLAGS={1, 2, 5, 6, 20, 21, 24, 44}, MFG_EVENTS_MONITORED_FLAGS={12})
    _log(maker, 74, "HIST_FLAGS", 12, log_entries(history, "HISTORY", 4, timed=False, numbered=False, sequenced=False))
    _log(maker, 76, "EVENT_FLAGS", 20, log_entries(event, "EVENT", 3, numbered=False))


def _log(maker: Maker, number: int, name: str, size: int, found: list[dict[str, Any]]) -> None:
    entries, newest = listed(found, size, order="descending")
    maker.put(
        number, **{name: {"ORDER": 1, "LIST_TYPE": 1}}, **newest, NBR_UNREAD_ENTRIES=len(found[-3:]), ENTRIES=entries
    )  # fmt: skip
