"""One meter: its tables, clock, logs and procedures, and how they are kept.

What it answers is the matter of `c1222.node.meter.handler`.
"""

from __future__ import annotations

import json
import zlib
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from c1219.codes.events import EventCode
from c1219.codes.results import ResultCode
from c1219.errors import C1219Error
from c1219.wire.times import YEARS
from c1222.errors import StateError
from c1222.node.meter.clock import ClockFormats, DeviceClock, clock_formats, shown_clock
from c1222.node.meter.logs import Logs
from c1222.node.meter.pending import PendingTables
from c1222.node.meter.rights import Grant, Offer, Rights, offer_of, rights_of
from c1222.node.meter.tables import Tables
from c1222.node.simulation.simulation import LOAD_PROFILE, MOVING, Simulation
from c1222.services.results import Iar

if TYPE_CHECKING:
    from collections.abc import Mapping

    from c1222.message.aptitle import ApTitle
    from c1222.node.meter.logs import Entry
    from c1222.node.meter.profile import Profile, ProfileOptions
    from c1222.node.simulation.load_profile import Recorder
    from c1222.node.store.store import Store
    from c1222.protocol.responder.execution import Context

__all__ = ["CALL_HEAD", "Call", "Done", "Procedure", "SimulatedMeter"]

CALL_HEAD: Final = 3
"""Octets of ST7 before the parameters, and of ST8 before the result: the procedure, and a number of the call."""
_STATE: Final = "#state"
_CLOCKS: Final = frozenset({"ST52", "ST55"})
_TAMPER_AFTER: Final = 3
_TAMPER_FLAG: Final = "ST3.ED_STD_STATUS1.TAMPER_DETECT_FLAG"


class Call(NamedTuple):
    """A procedure that is called.

    Attributes:
        meter: the meter.
        parameters: the record of the parameters; None where there are none.
        octets: the parameters as octets.
        context: the message it came in.
        user: who calls.
    """

    meter: SimulatedMeter
    parameters: Any
    octets: bytes
    context: Context
    user: int


class Done(NamedTuple):
    """How a procedure ended.

    Attributes:
        result: RESULT_CODE.
        response: octets of the response.
        later: seconds after which ``final`` takes the place of the result; None when this is the end of it.
        final: result then.
    """

    result: int = ResultCode.COMPLETED
    response: bytes = b""
    later: float | None = None
    final: int = ResultCode.COMPLETED


Procedure = Callable[[Call], Done]
"""What carries a procedure out."""


class SimulatedMeter:
    """One meter.

    Args:
        profile: what it is made from.
        store: where it is kept.
        utc: true time now.
        number: which of the profile's meters it is, the first being 0.
        seed: what sets its load apart from that of other nodes with the same profile.
        rate: seconds of its clock in a second of true time.
        simulate: whether registers, load profile and clock move; otherwise the tables stay as they are.
        history_days: days of load before the first moment, at most: it begins where the profile's clock stands, if
            that is later. As the profile says when None.
        procedures: see the attribute; none when None.

    Attributes:
        title: its title.
        tables: its tables.
        simulation: what moves, None if nothing does.
        pending: its pending tables.
        logs: its logs.
        procedures: a manufacturer's, by number plus 2048, or others in place of the standard's.
        later: true time at which the result of the last procedure changes, and to what; None when it is final.
        options: what its profile says beside the tables.
        device_class: ST0.DEVICE_CLASS.
        counters: what was done, and what refused.
        listener: called with every entry that its event log takes in.
        network: does ``register`` or ``deregister`` when a procedure asks, and returns whether it can; the outcome is
            for `network_answered`.

    Raises:
        StateError: the store cannot be used, or holds this meter as made from another profile.
    """

    def __init__(
        self,
        profile: Profile,
        store: Store,
        *,
        utc: float,
        number: int = 0,
        seed: int = 0,
        rate: float = 1.0,
        simulate: bool = True,
        history_days: float | None = None,
        procedures: Mapping[int, Procedure] | None = None,
    ) -> None:
        self.title: ApTitle = profile.title_of(number)
        self.name = str(self.title.absolute())
        self.options: ProfileOptions = profile.options
        self.device_class = profile.device_class
        self.counters: Counter[str] = Counter()
        self.listener: Callable[[Entry], None] | None = None
        self.network: Callable[[str], bool] | None = None
        self.procedures: Mapping[int, Procedure] = {} if procedures is None else procedures
        self._profile = profile
        self._store = store
        self._seed = zlib.crc32(f"{self.name}/{seed}".encode())
        self._number = number
        self._rate = rate
        self._simulate = simulate
        self._days = self.options.history_days if history_days is None else history_days
        self.reload(utc)

    def reload(self, utc: float) -> None:
        """Be what the store says; what was not saved is forgotten.

        Args:
            utc: true time.

        Raises:
            StateError: the store cannot be read, or holds this meter as made from another profile.
        """
        self._must_save = False
        self._restarting = False
        self._still = utc
        saved = self._store.load(self.name)
        is_new = not saved
        if not is_new and _STATE not in saved:
            raise StateError(f"what the store holds of {self.title} is damaged: its state is missing")
        try:
            self._restore(saved, self._read_state(saved.pop(_STATE, None)), utc)
        except (
            C1219Error,
            ArithmeticError,
            AttributeError,
            LookupError,
            TypeError,
            ValueError,
            RecursionError,
        ) as error:
            if is_new:
                raise
            raise StateError(f"what the store holds of {self.title} is damaged") from error

    def _restore(self, saved: dict[str, bytes], state: dict[str, Any], utc: float) -> None:
        self.tables = Tables(self._profile, self._number, saved)
        self.logs = Logs(self.tables, state.get("event", 0), self._tell)
        self.pending = PendingTables(self.tables, self._activate, self.log, state.get("due"))
        self.later: list[Any] | None = state.get("later")
        self._reset_at: float | None = state.get("reset")
        self._failures: int = state.get("failures", 0)
        self.simulation: Simulation | None = None
        if self._simulate:
            self._start_simulation(utc, state.get("simulation"))
        if not state:
            self.save()

    def _start_simulation(self, utc: float, state: dict[str, Any] | None) -> None:
        if state is not None:
            clock = DeviceClock.from_state(state["clock"]).with_rate(utc, self._rate)
            self._check_clock(clock.device(utc))
            self.simulation = self._make_simulation(clock, utc, state)
            return
        self._check_clock(utc)
        start = int(utc - 86_400 * self._days)
        shown = shown_clock(self.tables)
        go_on = shown is not None and shown <= utc
        if shown is not None and go_on:
            start = max(start, int(shown))
        self.simulation = self._make_simulation(DeviceClock(int(utc), utc, rate=self._rate), start, None, go_on=go_on)

    def _check_clock(self, device: float) -> None:
        formats: ClockFormats = self.tables.shape.derived(clock_formats)
        if formats.runs and not formats.shows(device):
            raise StateError(
                f"{self.title}: its clock would be outside {YEARS[0]} to {YEARS[-1]}, the years that tables show"
            )

    def _make_simulation(
        self, clock: DeviceClock, start: float, state: dict[str, Any] | None, *, go_on: bool = False
    ) -> Simulation:
        return Simulation(
            self.tables,
            clock,
            seed=self._seed,
            watts=self.options.watts,
            log=self._log_of_simulation,
            start=start,
            go_on=go_on,
            state=state,
        )

    def _read_state(self, octets: bytes | None) -> dict[str, Any]:
        if octets is None:
            return {}
        state: dict[str, Any] = json.loads(octets)
        if state.get("profile") != self._profile.digest:
            raise StateError(f"the store holds {self.title} as made from another profile")
        numbers = [state.get("event", 0), state.get("failures", 0), *(state.get("later") or (0, 0))]
        if len(numbers) != 4 or not all(
            isinstance(one, int | float) for one in (*numbers, *(state.get("due") or {}).values())
        ):
            raise ValueError("numbers are needed")
        return state

    # What is kept.

    def must_save(self) -> None:
        """Note that something changed that must be in the store before the answer goes."""
        self._must_save = True

    def save_if_needed(self) -> None:
        """Save if `must_save` was called since the last time.

        Raises:
            StateError: that failed.
        """
        if self._must_save:
            self.save()

    def save(self) -> None:
        """Put what changed into the store.

        Raises:
            StateError: that failed.
        """
        state = {
            "profile": self._profile.digest,
            "event": self.logs.number,
            "due": self.pending.due,
            "later": self.later,
            "reset": self._reset_at,
            "failures": self._failures,
            "simulation": self.simulation.as_state() if self.simulation else None,
        }
        changes = self.tables.take_changes()
        changes[_STATE] = json.dumps(state, separators=(",", ":")).encode()
        self._store.put(self.name, changes)
        self._must_save = False

    def restore(self) -> None:
        """Reset all tables to the octets they were made with, and start over; the clock goes on."""
        self.tables.restore()
        self.pending.due.clear()
        self.later = self._reset_at = None
        if self.simulation:
            self.simulation = self._make_simulation(self.simulation.clock, self.simulation.flows.last, None)
        self._must_save = True

    def restart(self) -> None:
        """Have the node end all sessions with this meter, once this request is answered."""
        self._restarting = True

    def take_restart(self) -> bool:
        """Return whether sessions are to be ended, once."""
        restarting, self._restarting = self._restarting, False
        return restarting

    # Time.

    @property
    def device(self) -> float:
        """Device time, seconds since 1970."""
        return self.simulation.device if self.simulation else self._still

    @property
    def standard(self) -> int:
        """The time that intervals follow, seconds since 1970; see `Faces.base`."""
        return int(self.device) + (self.simulation.formats.base if self.simulation else 0)

    def behind(self, utc: float) -> float:
        """Return how many seconds of its own time have to be gone through to bring the meter up to date."""
        return self.simulation.clock.simulated(utc) - self.simulation.recorded if self.simulation else 0.0

    def look(self, utc: float, label: str | None = None) -> None:
        """Bring the meter up to date as far as reading a table shows.

        Args:
            utc: true time.
            label: of the table; None when none is read.
        """
        self._still = utc
        if self.pending.due or self.later is not None:
            self.advance(utc)
        elif label in MOVING and self.simulation:
            self.simulation.advance(utc, load_profile=label in LOAD_PROFILE)

    def advance(self, utc: float) -> None:
        """Bring the meter up to date.

        Args:
            utc: true time.
        """
        self._still = utc
        if self.simulation:
            self.simulation.advance(utc)
        if self.pending.due:
            self.pending.bring_up_to_date(self.device)
        if self.later is not None and utc >= self.later[0]:
            self._finish_procedure(self.later[1])

    def set_clock(self, device: float, *, user: int = 0) -> None:
        """Set the clock, and log it."""
        if self.simulation is None:
            return
        before = self.device
        formats = self.simulation.formats
        self.log(EventCode.TIME_CHANGED_FROM, user=user)
        self.simulation.set_clock(device)
        self.log(EventCode.TIME_CHANGED_TO, user=user)
        if self.tables.shape.value("ST75") is not None:  # where only those are logged that somebody chose
            self.log(EventCode.TIME_CHANGED_OLD_TIME, (formats.short(before),), user=user)
            self.log(EventCode.TIME_CHANGED_NEW_TIME, (formats.short(self.device),), user=user)

    def recorder(self, number: int) -> Recorder | None:
        """Return what records a set of load profile, 1..4."""
        return self.simulation.recorders.get(number) if self.simulation else None

    def is_reset_excluded(self) -> bool:
        """Return whether the last demand reset is too recent for another."""
        minutes = self.tables.find("ST13.RESET_EXCLUSION")
        if not minutes or self._reset_at is None or self.simulation is None:
            return False
        return bool(self.simulation.flows.last < self._reset_at + 60 * minutes)

    def note_reset(self) -> None:
        """Note that somebody had demand reset."""
        self._reset_at = self.simulation.flows.last if self.simulation else None

    # Logs.

    def log(self, event: EventCode, arguments: tuple[Any, ...] = (), *, user: int = 0) -> None:
        """Log what happens now."""
        if self.logs.record(event, arguments, device=self.device, user=user):
            self._must_save = True

    def _log_of_simulation(self, device: float, event: EventCode, arguments: tuple[int, ...]) -> None:
        self.logs.record(event, arguments, device=device)

    def _tell(self, entry: Entry) -> None:
        if self.listener is not None:
            self.listener(entry)

    # What may be done.

    @property
    def offer(self) -> Offer:
        """What ST0 offers."""
        offer: Offer = self.tables.shape.derived(offer_of)
        return offer

    @property
    def rights(self) -> Rights:
        """Who may do what."""
        rights: Rights = self.tables.shape.derived(rights_of)
        return rights

    def is_locked(self, label: str) -> bool:
        """Return whether a table is locked: unless the meter is in shop or factory mode, if the profile says so."""
        if label not in self.options.locked:
            return False
        mode = self.tables.find("ST3.ED_MODE")
        return mode is None or not (mode.METER_SHOP_MODE_FLAG or mode.FACTORY_FLAG)

    def check_password(self, password: bytes, user: int) -> Grant | None:
        """Return what a password grants, None if it is wrong; wrong ones are counted, and logged when they repeat."""
        grant = self.rights.check(password)
        if grant is None:
            self.counters["wrong-password"] += 1
            self._failures += 1
            self._must_save = True
            if self._failures == _TAMPER_AFTER:
                if self.tables.has(_TAMPER_FLAG):
                    self.tables.set(_TAMPER_FLAG, True)
                self.log(EventCode.TAMPER_ATTEMPT, user=user)
        elif self._failures:
            self._failures = 0
            self._must_save = True
        return grant

    # What is done.

    def put(self, label: str, octets: bytes, *, user: int = 0) -> None:
        """Put a table into effect, with all that follows from it.

        Raises:
            Iar: the table cannot be so.
        """
        if label in _CLOCKS and self.simulation:
            self._set_clock_from(label, octets, user)
            return
        if self.simulation:
            self.simulation.settle()
        try:
            self.tables.put(label, octets)
        except C1219Error as error:
            raise Iar(f"{label}: {error}") from None
        if self.simulation:
            self.simulation.rebuild()
            if label == "ST23":
                self.simulation.resume()

    def network_answered(self, result: int) -> None:
        """Put the outcome of registering or deregistering, as a RESULT_CODE, into ST8."""
        self._finish_procedure(result)
        self.save()

    def _finish_procedure(self, result: int) -> None:
        """Put the final result of the last procedure into ST8."""
        self.later = None
        octets = self.tables.get("ST8")
        if octets is not None and len(octets) > CALL_HEAD:
            self.tables.put("ST8", octets[:CALL_HEAD] + bytes((result,)) + octets[CALL_HEAD + 1 :])

    def _set_clock_from(self, label: str, octets: bytes, user: int) -> None:
        layout = self.tables.layout(label)
        try:
            value = layout.decode(octets) if layout else None
        except C1219Error as error:
            raise Iar(f"{label}: {error}") from None
        if self.simulation and value is not None and value.CLOCK_CALENDAR is not None:
            self.set_clock(self.simulation.formats.device(value.CLOCK_CALENDAR, value.TIME_DATE_QUAL), user=user)

    def _activate(self, label: str, octets: bytes, selector: Any) -> None:
        if self.simulation and selector.SELF_READ_FLAG:
            self.simulation.read_self(self.device)
        if self.simulation and selector.DEMAND_RESET_FLAG:
            self.simulation.reset_demand(self.device)
        try:
            self.put(label, octets)
        except Iar:
            self.log(EventCode.CONFIGURATION_ERROR)
        self._must_save = True

    def __repr__(self) -> str:
        return f"<SimulatedMeter {self.title}>"
