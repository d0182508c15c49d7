"""Procedures: what is done when ST7 is written, and what ST8 then says.

A procedure returns its result and the octets of its response. Who may execute what is for the meter to check, and ST7
and ST8 are the meter's as well. Effects of procedures 4 and 5 on lists, and results where a list has not so many
entries, follow guides for OSGP meters [1]; the bits of procedure 9 beyond demand reset are recollection [?].
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

from c1219.codes.events import EventCode
from c1219.codes.results import ListNumber, ResultCode
from c1219.errors import C1219Error, UnknownTable
from c1222.node.meter.meter import Done
from c1222.node.meter.pending import EVENT_SIZE
from c1222.node.meter.rings import Ring
from c1222.node.simulation.load_profile import POWER_FAIL
from c1222.node.simulation.profile_sets import ring_of_set
from c1222.node.simulation.registers import SELF_READS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from c1219.tableid import TableId
    from c1222.node.meter.meter import Call, Procedure, SimulatedMeter

__all__ = ["STANDARD", "parameters_of"]

_CLEAR_MANUFACTURER_STATUS: Final = 8
_OK: Final = Done()
_INVALID: Final = Done(ResultCode.INVALID_PARAMETER)
_CONFLICT: Final = Done(ResultCode.CONFLICTS_WITH_SETUP)
_TOO_EARLY: Final = Done(ResultCode.TIMING_CONSTRAINT)


def _cold_start(call: Call) -> Done:
    call.meter.restore()
    call.meter.restart()
    return _OK


def _warm_start(call: Call) -> Done:
    meter = call.meter
    meter.log(EventCode.PRIMARY_POWER_DOWN, user=call.user)
    if meter.simulation:
        for recorder in meter.simulation.recorders.values():
            recorder.note(POWER_FAIL)
        if meter.simulation.registers:
            meter.simulation.registers.restart()
    meter.log(EventCode.PRIMARY_POWER_UP, user=call.user)
    meter.restart()
    return _OK


def _save_configuration(_call: Call) -> Done:
    return _OK  # what is written is saved before it is answered


def _clear_data(call: Call) -> Done:
    meter = call.meter
    if meter.simulation:
        meter.simulation.clear_data()
    for label, event in (("ST74", EventCode.HISTORY_LOG_CLEARED), ("ST76", EventCode.EVENT_LOG_CLEARED)):
        meter.logs.clear(label)
        meter.log(event, user=call.user)
    return _OK


def _lists(meter: SimulatedMeter, number: int) -> Iterator[tuple[int, Ring]]:
    """Yield the lists that a LIST number stands for, each with its own number."""
    sets = {ListNumber.LP_DATA_SET1 + n: n + 1 for n in range(4)}
    wanted = {number}
    if number == ListNumber.LP_DATA_ALL_SETS:
        wanted = set(sets)
    elif number == ListNumber.ALL_LISTS:
        wanted = {*sets, ListNumber.SELF_READ_DATA, ListNumber.HISTORY_LOG}
    for one in sorted(wanted):
        if one in sets:
            ring = ring_of_set(meter.tables, sets[one])
        elif one == ListNumber.SELF_READ_DATA:
            ring = Ring(meter.tables, SELF_READS)
        elif one in (ListNumber.EVENT_LOG, ListNumber.HISTORY_LOG):
            ring = meter.logs.ring("ST76" if one == ListNumber.EVENT_LOG else "ST74")
        else:
            continue
        if ring.exists:
            yield one, ring


def _reset_list_pointers(call: Call) -> Done:
    number = int(call.parameters.LIST)
    lists = list(_lists(call.meter, number))
    if not lists:
        return _INVALID
    for one, ring in lists:
        recorder = call.meter.recorder(one - ListNumber.LP_DATA_SET1 + 1)
        if recorder is not None:
            recorder.clear(call.meter.standard)
        else:
            ring.clear()
    call.meter.log(EventCode.LIST_POINTERS_RESET, (number,), user=call.user)
    return _OK


def _update_last_read(call: Call) -> Done:
    number, entries = int(call.parameters.LIST), int(call.parameters.ENTRIES_READ)
    lists = list(_lists(call.meter, number))
    if not lists or any(entries > ring.unread for _, ring in lists):
        return _INVALID
    for _, ring in lists:
        ring.acknowledge(entries)
    call.meter.log(EventCode.LIST_POINTERS_UPDATED, (number,), user=call.user)
    return _OK


_MODES: Final = {
    "METERING_FLAG": (EventCode.METERING_MODE_STARTED, EventCode.METERING_MODE_STOPPED),
    "TEST_MODE_FLAG": (EventCode.TEST_MODE_STARTED, EventCode.TEST_MODE_STOPPED),
    "METER_SHOP_MODE_FLAG": (EventCode.METER_SHOP_MODE_STARTED, EventCode.METER_SHOP_MODE_STOPPED),
}


def _change_mode(call: Call) -> Done:
    mode, tables = call.parameters.ED_MODE, call.meter.tables
    if not any(mode) or not tables.has("ST3.ED_MODE"):
        return _INVALID
    before = tables.value("ST3.ED_MODE")
    tables.set("ST3.ED_MODE", type(before)(*mode))
    for name, (started, stopped) in _MODES.items():
        if getattr(before, name) != getattr(mode, name):
            call.meter.log(started if getattr(mode, name) else stopped, user=call.user)
    return _OK


def _clear_standard_status(call: Call) -> Done:
    tables = call.meter.tables
    if not tables.has("ST3.ED_STD_STATUS1"):
        return _CONFLICT
    octets = b""
    for name in ("ED_STD_STATUS1", "ED_STD_STATUS2"):
        element = tables.element(f"ST3.{name}")
        tables.splice("ST3", element.offset, bytes(element.size))
        octets += bytes(element.size)
    return Done(response=octets)


def _clear_manufacturer_status(call: Call) -> Done:
    tables = call.meter.tables
    if not tables.has("ST3.ED_MFG_STATUS"):
        return _CONFLICT
    element = tables.element("ST3.ED_MFG_STATUS")
    tables.splice("ST3", element.offset, bytes(element.size))
    return Done(response=bytes(element.size))


def _remote_reset(call: Call) -> Done:
    meter, action = call.meter, call.parameters.ACTION_FLAG
    simulation = meter.simulation
    if simulation is None or simulation.registers is None:
        return _CONFLICT
    if action.DEMAND_RESET_FLAG and meter.is_reset_excluded():
        return _TOO_EARLY
    done = 0
    if action.SELF_READ_FLAG:
        done |= 2 * simulation.read_self(meter.device)
    if action.SEASON_CHANGE_FLAG:
        done |= (4 | action.NEW_SEASON << 3) * simulation.change_season(action.NEW_SEASON, meter.device)
    if action.DEMAND_RESET_FLAG:
        done |= 1 * simulation.reset_demand(meter.device)
        meter.note_reset()
    return Done(response=bytes((done,)))


def _set_clock(call: Call) -> Done:
    meter, wanted = call.meter, call.parameters
    simulation = meter.simulation
    if simulation is None or not simulation.formats.runs:
        return _CONFLICT
    mask, given = wanted.SET_MASK, wanted.DATE_TIME
    if not isinstance(given, dt.datetime):
        return _INVALID
    formats = simulation.formats
    before = simulation.device
    shown = formats.long(before) or given
    date = given.date() if mask.SET_DATE_FLAG else shown.date()
    time = given.time() if mask.SET_TIME_FLAG else shown.time()
    after = formats.device(dt.datetime.combine(date, time), wanted.TIME_DATE_QUAL if mask.SET_TIME_DATE_QUAL else None)
    if not formats.shows(after):
        return _INVALID
    meter.set_clock(after, user=call.user)
    layout = meter.tables.shape.device.procedure_layout(10, "response")
    if layout is None:
        return _OK
    record = layout.root.value_type(DATE_TIME_BEFORE=formats.long(before), DATE_TIME_AFTER=formats.long(after))
    return Done(response=layout.encode(record))


def _diagnose(call: Call) -> Done:
    meter = call.meter
    fault = False
    for label, octets in meter.tables.all().items():
        layout = meter.tables.layout(label)
        if layout is not None and layout.fitting(len(octets)) is None:
            fault = True
    path = "ST3.ED_STD_STATUS1.SELF_CHK_ERROR_FLAG"
    if meter.tables.has(path):
        meter.tables.set(path, fault)
    if fault:
        meter.log(EventCode.SELF_CHECK_ERROR, user=call.user)
    seconds = meter.options.diagnostics_seconds
    return Done(ResultCode.NOT_FULLY_COMPLETED, later=seconds) if seconds else _OK


def _activate_all(call: Call) -> Done:
    call.meter.pending.activate(None, call.meter.device)
    return _OK


def _activate_specific(call: Call) -> Done:
    found = call.meter.pending.activate(call.octets[:EVENT_SIZE], call.meter.device)
    return _OK if found else _INVALID


def _clear_all(call: Call) -> Done:
    call.meter.pending.clear(None)
    return _OK


def _clear_specific(call: Call) -> Done:
    # Meters of OSGP answer so when no table has the event [1].
    return _OK if call.meter.pending.clear(call.octets[:EVENT_SIZE]) else Done(ResultCode.NOT_FULLY_COMPLETED)


def _start_load_profile(call: Call) -> Done:
    simulation = call.meter.simulation
    return _OK if simulation is not None and simulation.start_recording() else _CONFLICT


def _stop_load_profile(call: Call) -> Done:
    simulation = call.meter.simulation
    return _OK if simulation is not None and simulation.stop_recording() else _CONFLICT


def _log_in(call: Call) -> Done:
    grant = call.meter.check_password(bytes(call.parameters.PASSWORD), int(call.parameters.USER_ID))
    if grant is None:
        return Done(ResultCode.NO_AUTHORIZATION)
    call.context.access.rights = grant
    call.context.access.user_id = int(call.parameters.USER_ID)
    return _OK


def _log_out(call: Call) -> Done:
    call.context.access.rights = None
    call.context.access.user_id = None
    return _OK


def _ask_network(call: Call, what: str) -> Done:
    network = call.meter.network
    return Done(ResultCode.NOT_FULLY_COMPLETED) if network is not None and network(what) else _CONFLICT


def _register(call: Call) -> Done:
    return _ask_network(call, "register")


def _deregister(call: Call) -> Done:
    return _ask_network(call, "deregister")


STANDARD: Final[dict[int, Procedure]] = {
    0: _cold_start,
    1: _warm_start,
    2: _save_configuration,
    3: _clear_data,
    4: _reset_list_pointers,
    5: _update_last_read,
    6: _change_mode,
    7: _clear_standard_status,
    8: _clear_manufacturer_status,
    9: _remote_reset,
    10: _set_clock,
    11: _diagnose,
    12: _activate_all,
    13: _activate_specific,
    14: _clear_all,
    15: _clear_specific,
    16: _start_load_profile,
    17: _stop_load_profile,
    18: _log_in,
    19: _log_out,
    23: _register,
    24: _deregister,
}
"""Standard procedures by number. Those of a manufacturer are given to the meter, by number plus 2048."""


def parameters_of(meter: SimulatedMeter, number: TableId, octets: bytes) -> Any:
    """Return the record of a procedure's parameters, None if it has none, or nobody declared it.

    Raises:
        C1219Error: the octets are no such parameters.
    """
    device = meter.tables.shape.device
    try:
        layout = device.procedure_layout(number.number, "parameters", manufacturer=number.manufacturer)
    except UnknownTable:
        return None
    if layout is None:
        if octets and number != _CLEAR_MANUFACTURER_STATUS:  # to which some head-ends send the present status
            raise C1219Error(f"procedure {number.number} takes no parameters")
        return None
    return layout.decode(octets)
