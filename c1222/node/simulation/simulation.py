"""A meter that lives: load flows, intervals end, tiers switch, days begin.

Nothing runs by itself: a meter is brought up to date when somebody looks. What happened in between happened at its own
time, and is the same however often one looked. Intervals, registers and tiers are cut from the same counts. The load
profile, which takes most of the work, is recorded when somebody looks at it, or before anything it follows changes.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

from c1219.codes.events import EventCode
from c1222.node.meter.calendar import MeterCalendar, MeterDay, Tiers, calendar_of
from c1222.node.meter.clock import ClockFormats, DeviceClock, clock_formats
from c1222.node.simulation.flows import FlowPlan, Flows, LoadCurve, plan_of
from c1222.node.simulation.load_profile import POWER_FAIL, Recorder
from c1222.node.simulation.profile_sets import set_plans_of
from c1222.node.simulation.registers import SimulatedRegisters

if TYPE_CHECKING:
    from collections.abc import Callable

    from c1219.device import Device
    from c1222.node.meter.tables import Tables

__all__ = ["LOAD_PROFILE", "MAX_CATCH_UP", "MOVING", "Simulation"]

MAX_CATCH_UP: Final = 40 * 86_400
"""Seconds of simulated time that are gone through step by step; of a longer absence only the energy is counted."""
_DAY: Final = dt.timedelta(days=1)
_CLOCK_TABLES: Final = frozenset({"ST52", "ST55", "ST56"})
_MEASURING: Final = tuple(f"ST{n}" for n in (0, *range(11, 17), 21, 22, 27, 61, 62))
"""Tables that say what registers and load profile measure."""
_LIVE: Final = _CLOCK_TABLES | {"ST23", "ST28"}
LOAD_PROFILE: Final = frozenset(f"ST{n}" for n in range(63, 68))
"""Tables that recording a load profile changes."""
MOVING: Final = _LIVE | LOAD_PROFILE | {"ST24", "ST25", "ST26", "ST74", "ST76"}
"""Tables that change as time passes; no others do, while nothing is pending."""


class Simulation:
    """What moves in one meter.

    Args:
        tables: its tables.
        clock: its clock.
        seed: what sets its load apart.
        watts: its average load.
        log: called with device time, event and arguments of what happens by itself.
        start: simulated time to begin at, without a state.
        go_on: whether what the tables say was before that; otherwise the load profile begins empty.
        state: what `as_state` gave; None to begin.

    Attributes:
        clock: may be replaced.
        recorded: simulated time up to which the load profile is recorded.
        registers: None where the tables have none that could move.
        recorders: of the load profile, by number of the set.
    """

    def __init__(
        self,
        tables: Tables,
        clock: DeviceClock,
        *,
        seed: int,
        watts: float,
        log: Callable[[float, EventCode, tuple[int, ...]], None],
        start: float,
        go_on: bool = False,
        state: dict[str, Any] | None = None,
    ) -> None:
        self.clock = clock
        self._tables = tables
        self._log = log
        self._seed = seed
        self._watts = watts
        self._build(state, start)
        if state is None:
            self._begin(go_on=go_on)

    def _build(self, state: dict[str, Any] | None, start: float) -> None:
        shape = self._tables.shape
        self._shape = shape
        self.formats: ClockFormats = shape.derived(clock_formats)
        self._calendar: MeterCalendar = shape.derived(calendar_of)
        plan: FlowPlan | None = shape.derived(plan_of) if self._tables.is_whole("ST23") else None
        curve = LoadCurve(self._seed, watts=self._watts, zone=self.formats.zone)
        saved = state or {}
        self.flows = Flows(plan.shares if plan else (), curve, start, saved.get("flows"))
        self.registers = SimulatedRegisters(self._tables, plan, self.flows, saved.get("registers")) if plan else None
        recorders = saved.get("recorders", {})
        self.recorders = {
            one.number: Recorder(self._tables, one, self.flows, self.registers, recorders.get(str(one.number)))
            for one in shape.derived(set_plans_of)
            if self._tables.is_whole("ST63") and self._tables.is_whole(f"ST{63 + one.number}")
        }
        self.recorded: float = saved.get("recorded", self.flows.last)
        self._date: str = saved.get("date", "")
        self._dst: bool = saved.get("dst", False)
        self.tiers = Tiers(*saved.get("in_effect", (0, 0)))

    def _begin(self, *, go_on: bool) -> None:
        standard = self._standard
        for recorder in self.recorders.values():
            if go_on and recorder.resume():
                recorder.note(POWER_FAIL)
            else:
                recorder.clear(standard)
                recorder.start(standard)
        local = self.formats.local(self.device)
        today = self._calendar.day(local.date())
        if self.registers:
            self.registers.season = today.season
        self._date = local.date().isoformat()
        self._dst = self.formats.is_dst(self.device)
        self.tiers = self._calendar.tiers(local)

    def rebuild(self) -> None:
        """Take another configuration, after a configuration table was written.

        What is measured may be something else from now on: then registers go on from what ST23 says, and the load
        profile starts over.
        """
        before, after = self._shape.device, self._tables.shape.device
        if before is after:
            return
        state, season = self.as_state(), self.registers.season if self.registers else 0
        same = all(_octets(before, label) == _octets(after, label) for label in _MEASURING)
        if not same:
            state |= {"registers": None, "recorders": {}}
        self._build(state, self.flows.last)
        if self.registers:
            self.registers.season = season
        if not same:
            for recorder in self.recorders.values():
                recorder.clear(self._standard)

    def settle(self) -> None:
        """Write what was counted so far into ST23, before its meaning may change."""
        if self.registers:
            self.registers.refresh()

    def resume(self) -> None:
        """Go on from what ST23 says, after it was written."""
        if self.registers:
            self.registers.resume()
        for recorder in self.recorders.values():
            recorder.rebase()

    def as_state(self) -> dict[str, Any]:
        """Return what goes on from here, as JSON has it."""
        return {
            "clock": self.clock.as_state(),
            "flows": self.flows.as_state(),
            "registers": self.registers.as_state() if self.registers else None,
            "recorders": {str(number): recorder.as_state() for number, recorder in self.recorders.items()},
            "recorded": self.recorded,
            "date": self._date,
            "dst": self._dst,
            "in_effect": list(self.tiers),
        }

    @property
    def device(self) -> float:
        """Device time up to which the meter is up to date."""
        return self.flows.last + self.clock.offset

    @property
    def _standard(self) -> int:
        return int(self.device) + self.formats.base

    @property
    def is_metering(self) -> bool:
        """Whether registers count: always, but in a mode that stops it."""
        mode = self._tables.find("ST3.ED_MODE")
        if mode is None or mode.METERING_FLAG:
            return True
        return not (mode.TEST_MODE_FLAG or mode.METER_SHOP_MODE_FLAG or mode.FACTORY_FLAG)

    # Time passes.

    def advance(self, utc: float, *, load_profile: bool = True) -> None:
        """Bring the meter up to date.

        Args:
            utc: true time.
            load_profile: bring the load profile up to date as well, as is needed before anything else is done than
                reading other tables.
        """
        flows, offset = self.flows, self.clock.offset
        to = int(self.clock.simulated(utc))
        if to - flows.last > MAX_CATCH_UP:
            self.record()
            self._leap(to - MAX_CATCH_UP)
            self.recorded = flows.last
        metering = flows.last < to and self.is_metering
        while flows.last < to:
            standard = int(flows.last + offset) + self.formats.base
            local = self.formats.local(flows.last + offset)
            switch = int((self._calendar.next_switch(local) - local).total_seconds())
            seconds = min(switch, to - int(flows.last))
            if self.registers:
                seconds = min(seconds, self.registers.next_boundary(standard) or seconds)
            self._step(seconds, standard, metering=metering)
            if switch <= flows.last + offset + self.formats.base - standard:
                self._pass_switch()
        if load_profile:
            self.record()

    def record(self) -> None:
        """Record the load profile up to where the registers are."""
        offset, base, metering = self.clock.offset, self.formats.base, self.is_metering
        lengths = {one.plan.length for one in self.recorders.values()}
        standard, end = (int(when + offset) + base for when in (self.recorded, self.flows.last))
        flows = self.flows.earlier(self.recorded, metering=metering) if lengths and standard < end else self.flows
        while lengths:
            seconds = min(length - standard % length for length in lengths)
            standard += seconds
            if standard > end:
                break
            flows.advance(flows.last + seconds, 0, metering=metering)
            for recorder in self.recorders.values():
                if standard % recorder.plan.length == 0:
                    recorder.close(standard, flows.last + offset, flows)
        self.recorded = self.flows.last

    def _leap(self, to: float) -> None:
        """Go to a time in one step: only the energy is counted, and the season in effect then is taken."""
        self.flows.advance(to, self.tiers.summation, metering=self.is_metering)
        today = self.formats.local(self.device).date()
        if self.registers:
            self.registers.restart()
            season = self._calendar.day(today).season
            if season != self.registers.season:
                self.change_season(season, self.device)
        self._date = today.isoformat()
        self.tiers = self._calendar.tiers(self.formats.local(self.device))

    def _step(self, seconds: int, standard: int, *, metering: bool) -> None:
        flows = self.flows
        flows.advance(flows.last + seconds, self.tiers.summation, metering=metering)
        standard += seconds
        device = flows.last + self.clock.offset
        if self.registers:
            self.registers.close_intervals(standard, device, self.tiers.demand)

    def _pass_switch(self) -> None:
        device = self.device
        local = self.formats.local(device)
        if local.date().isoformat() != self._date:
            self._begin_day(local.date(), device)
        tiers = self._calendar.tiers(local)
        if tiers != self.tiers:
            self.tiers = tiers
            self._log(device, EventCode.TIER_SWITCHED, tuple(tiers))

    def _begin_day(self, date: dt.date, device: float) -> None:
        self._date = date.isoformat()
        day: MeterDay = self._calendar.day(date)
        dst = self.formats.is_dst(device)
        if dst != self._dst:
            self._dst = dst
            self._log(device, EventCode.DST_ON if dst else EventCode.DST_OFF, ())
        if day.special is not None:
            self._log(device, EventCode.SPECIAL_SCHEDULE_ACTIVATED, (day.special,))
        if self.registers is None:
            return
        if day.season != self._calendar.day(date - _DAY).season and day.season != self.registers.season:
            self.change_season(day.season, device)
        flags = self._tables.find("ST21.REG_FUNC2_FLAGS")
        weekly = flags is not None and flags.WEEKLY_SELF_READ_FLAG and date.isoweekday() == 7
        if day.demand_reset:
            self.reset_demand(device)
        if day.self_read or weekly or (flags is not None and flags.DAILY_SELF_READ_FLAG):
            self.read_self(device)

    # What procedures and the calendar do.

    def reset_demand(self, device: float) -> bool:
        """Reset demand, and read itself if the two go together. Return whether there was something to reset."""
        if self.registers is None:
            return False
        self.registers.demand_reset(device)
        self._log(device, EventCode.DEMAND_RESET, ())
        if self._together() & 1 and self.registers.self_read(device):
            self._log(device, EventCode.SELF_READ, ())
        return True

    def read_self(self, device: float) -> bool:
        """Read itself, and reset demand if the two go together. Return whether there was room."""
        if self.registers is None or not self.registers.self_read(device):
            return False
        self._log(device, EventCode.SELF_READ, ())
        if self._together() & 2:
            self.registers.demand_reset(device)
            self._log(device, EventCode.DEMAND_RESET, ())
        return True

    def _together(self) -> int:
        flags = self._tables.find("ST21.REG_FUNC2_FLAGS")
        return int(flags.SELF_READ_DEMAND_RESET) if flags is not None else 0

    def change_season(self, season: int, device: float) -> bool:
        """Take another season, with what the device does then. Return whether it could."""
        if self.registers is None:
            return False
        self.registers.season_change(season, device)
        self._log(device, EventCode.SEASON_CHANGED, (season,))
        flags = self._tables.find("ST51.TIME_FUNC_FLAG1")
        if flags is not None and flags.SEASON_SELF_READ_FLAG:
            self.read_self(device)
        if flags is not None and flags.SEASON_DEMAND_RESET_FLAG:
            self.reset_demand(device)
        return True

    def set_clock(self, device: float) -> None:
        """Set the device's clock to another time, in whole seconds."""
        before, old = self._standard, self.device
        self.clock.offset = int(device) - int(self.flows.last)
        after = self._standard
        if after == before:
            return
        for recorder in self.recorders.values():
            recorder.clock_set(before, after, old)
        if self.registers:
            self.registers.restart()
        local = self.formats.local(self.device)
        self._date = local.date().isoformat()
        self._dst = self.formats.is_dst(self.device)
        self.tiers = self._calendar.tiers(local)

    def clear_data(self) -> None:
        """Set all registers to zero and empty the load profile."""
        if self.registers:
            self.registers.clear()
        for recorder in self.recorders.values():
            recorder.clear(self._standard)

    def start_recording(self) -> bool:
        """Start the load profile. Return whether there is one."""
        for recorder in self.recorders.values():
            if not recorder.is_active:
                recorder.start(self._standard)
        return bool(self.recorders)

    def stop_recording(self) -> bool:
        """Stop the load profile. Return whether there is one."""
        for recorder in self.recorders.values():
            recorder.stop()
        return bool(self.recorders)

    # What changes all the time.

    def refresh(self, label: str, utc: float) -> None:
        """Bring a table that changes all the time up to date; others need nothing."""
        if label not in _LIVE or self._tables.get(label) is None:
            return
        if label in _CLOCK_TABLES:
            self._refresh_clock(label, utc)
        elif self.registers and label == "ST23":
            self.registers.refresh()
        elif self.registers:
            self.registers.refresh_present(self._standard)

    def _refresh_clock(self, label: str, utc: float) -> None:
        tables, formats = self._tables, self.formats
        device = self.clock.device(utc)
        local = formats.local(device)
        if label == "ST56":
            left = int((self._calendar.next_switch(local) - local).total_seconds()) // 60
            for name in ("SUMM_TIER_TIME_REMAIN", "DEMAND_TIER_TIME_REMAIN", "TIER_TIME_REMAIN"):
                if tables.has(f"ST56.{name}"):
                    tables.set(f"ST56.{name}", left)
            return
        if tables.has(f"{label}.CLOCK_CALENDAR"):
            tables.set(f"{label}.CLOCK_CALENDAR", formats.long(device))
        present = tables.find(f"{label}.TIME_DATE_QUAL")
        if present is not None:
            tables.set(f"{label}.TIME_DATE_QUAL", type(present)(*formats.qualifier(device)))
        status = tables.find("ST55.STATUS") if label == "ST55" else None
        if status is not None:
            special = self._calendar.day(local.date()).special
            season = self.registers.season if self.registers else 0
            changes: dict[str, Any] = {"SEASON": season, "SPECIAL_SCHD_ACTIVE": 15 if special is None else special}
            if hasattr(status, "CURR_TIER"):
                changes["CURR_TIER"] = self.tiers.summation
            else:
                changes |= {"CURR_SUMM_TIER": self.tiers.summation, "CURR_DEMAND_TIER": self.tiers.demand}
            tables.set("ST55.STATUS", status._replace(**changes))


def _octets(device: Device, label: str) -> bytes | None:
    image = device.get(label)
    return None if image is None else image.raw
