"""The two logs: ST74, what was done to the meter, and ST76, what happened to it.

ST73 and ST75 say what goes into which; where one is missing, its log takes everything. A write goes in if the table is
among those monitored, a procedure likewise, and anything else by its event code. Origin: the layout [V]; the filter is
our reading of the control tables' names [?].
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from c1219.codes.events import EventCode
from c1219.tableid import TableId
from c1222.node.meter.clock import clock_formats
from c1222.node.meter.rings import Ring, RingNames

if TYPE_CHECKING:
    from collections.abc import Callable

    from c1222.node.meter.tables import Tables

__all__ = ["EVENT_LOG", "HISTORY_LOG", "Entry", "Logs"]


def _names(table: str, flags: str) -> RingNames:
    return RingNames(
        f"{table}.{flags}",
        f"{table}.NBR_VALID_ENTRIES",
        f"{table}.LAST_ENTRY_ELEMENT",
        f"{table}.LAST_ENTRY_SEQ_NBR",
        f"{table}.NBR_UNREAD_ENTRIES",
        f"{table}.ENTRIES",
    )


HISTORY_LOG: Final = _names("ST74", "HIST_FLAGS")
EVENT_LOG: Final = _names("ST76", "EVENT_FLAGS")
_WRITES: Final = frozenset({EventCode.TABLE_WRITTEN, EventCode.PROCEDURE_INVOKED})


class Entry(NamedTuple):
    """An entry that was made.

    Attributes:
        table: label of the log.
        offset: where the entry is in it.
        octets: the entry.
        event: what happened.
    """

    table: str
    offset: int
    octets: bytes
    event: EventCode


class Logs:
    """The logs of one meter.

    Args:
        tables: its tables.
        number: of the last event, common to both logs.
        listener: called with every entry of the event log that is made.

    Attributes:
        number: of the last event.
    """

    __slots__ = ("_listener", "_tables", "number")

    def __init__(self, tables: Tables, number: int = 0, listener: Callable[[Entry], None] | None = None) -> None:
        self._tables = tables
        self._listener = listener
        self.number = number

    def ring(self, label: str) -> Ring:
        """Return the list of ST74 or ST76."""
        return Ring(self._tables, HISTORY_LOG if label == "ST74" else EVENT_LOG)

    def record(self, event: EventCode, arguments: tuple[Any, ...] = (), *, device: float, user: int = 0) -> bool:
        """Enter an event where it belongs.

        Args:
            event: what happened.
            arguments: numbers, or datetimes for STIME_DATE; of writes and procedures the identifier of the table.
            device: device time.
            user: who did it; 0 for the device itself.

        Returns:
            Whether an entry was made.
        """
        made = [
            self._enter(label, event, arguments, device, user)
            for label, control in (("ST74", "ST73"), ("ST76", "ST75"))
            if self._is_monitored(control, event, arguments) and self.ring(label).exists
        ]
        if made:
            self.number = (self.number + 1) & 0xFFFF
        return any(made)

    def _is_monitored(self, control: str, event: EventCode, arguments: tuple[Any, ...]) -> bool:
        sets = self._tables.shape.value(control)
        if sets is None:
            return True
        if event in _WRITES and arguments:
            kind = "TBLS" if event is EventCode.TABLE_WRITTEN else "PROC"
            one = TableId(arguments[0])
            owner = "MFG" if one.manufacturer else "STD"
            return one.number in getattr(sets, f"{owner}_{kind}_MONITORED_FLAGS")
        return int(event) in sets.STD_EVENTS_MONITORED_FLAGS

    def _enter(self, label: str, event: EventCode, arguments: tuple[Any, ...], device: float, user: int) -> bool:
        ring = self.ring(label)
        index = ring.advance()
        if index is None:
            return False
        shape = self._tables.shape
        path = f"{label}.ENTRIES[0]"
        prefix = "HISTORY" if label == "ST74" else "EVENT"
        values = {
            f"{prefix}_TIME": shape.derived(clock_formats).long(device),
            "EVENT_NUMBER": (self.number + 1) & 0xFFFF,
            f"{prefix}_SEQ_NBR": ring.sequence & 0xFFFF,
            "USER_ID": user,
        }
        octets = b"".join(
            shape.element(f"{path}.{name}").encode(value)
            for name, value in values.items()
            if shape.has(f"{path}.{name}")
        )
        code = shape.element(f"{path}.{prefix}_CODE")
        octets += code.encode(code.decode(bytes(code.size))._replace(TBL_PROC_NBR=int(event)))
        octets += self._argument(event, arguments)
        ring.put(index, octets)
        if label == "ST76" and self._listener is not None:
            _, offset, size = ring.entry_offset(index)
            self._listener(Entry(label, offset, self._tables[label][offset : offset + size], event))
        return True

    def _argument(self, event: EventCode, arguments: tuple[Any, ...]) -> bytes:
        shape = self._tables.shape
        big = shape.value("ST0").FORMAT_CONTROL_1.DATA_ORDER
        octets = b""
        for declared, value in zip(event.facts.argument or (), arguments, strict=False):
            if declared.type == "STIME_DATE":
                octets += shape.element("ST4.LAST_ACTIVATION_DATE_TIME").encode(value)
            else:
                octets += int(value).to_bytes(1 if declared.type == "UINT8" else 2, "big" if big else "little")
        return octets

    def clear(self, label: str) -> None:
        """Empty a log."""
        ring = self.ring(label)
        if ring.exists:
            ring.clear()
