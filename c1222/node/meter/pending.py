"""Pending tables: written now, in effect later, when their event comes or a procedure calls it.

What is written to a pending table begins with 6 octets that name the event; the table follows. Origin: the record of
the event and procedures 12 to 15 from EnergyICT Connexo [1]; that it stands before the table is recollection [?].
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from c1219.codes.events import EventCode
from c1219.errors import C1219Error
from c1219.tableid import table_id
from c1222.node.meter.clock import clock_formats
from c1222.services.results import Iar, Onp

if TYPE_CHECKING:
    from collections.abc import Callable

    from c1222.node.meter.clock import ClockFormats
    from c1222.node.meter.tables import Tables

__all__ = ["EVENT_SIZE", "PendingTables"]

EVENT_SIZE: Final = 6
"""Octets of the event before a pending table."""
_AT_A_TIME, _AFTER_A_TIME, _ON_CALL = 0, 1, 2
_EVENT: Final = "ST4.PENDING_TABLES[0].EVENT"


class PendingTables:
    """The pending tables of one meter.

    Args:
        tables: its tables; a pending one has a P before its label.
        activate: puts a table into effect: label, octets, and the event selector that says what to do before it.
        log: called with what happens to them.
        due: what the attribute was when it was saved.

    Attributes:
        due: device time at which each becomes active by itself, by label.
    """

    def __init__(
        self,
        tables: Tables,
        activate: Callable[[str, bytes, Any], None],
        log: Callable[[EventCode, tuple[Any, ...]], None],
        due: dict[str, float] | None = None,
    ) -> None:
        self._tables = tables
        self._activate = activate
        self._log = log
        self.due: dict[str, float] = dict(due or {})

    def is_possible(self, label: str) -> bool:
        """Return whether a table can be written pending."""
        status = self._tables.find("ST4")
        if status is None:
            return False
        number = table_id(label)
        members = status.MANUFACT_PENDING if number.manufacturer else status.STANDARD_PENDING
        return bool(status.PENDING_TABLES) and number.number in members

    def get(self, label: str) -> bytes | None:
        """Return a pending table with the event before it."""
        return self._tables.get(f"P{label}")

    def put(self, label: str, octets: bytes, device: float) -> None:
        """Keep a table until its event comes.

        Args:
            label: of the table.
            octets: its event and the table.
            device: device time now.

        Raises:
            Onp: the table cannot be pending, or as many as can be are already.
            Iar: there is no event before the table, or none that is known.
        """
        if not self.is_possible(label):
            raise Onp(f"{label} cannot be written pending")
        places = len(self._tables.value("ST4").PENDING_TABLES)
        if self.get(label) is None and len(self._tables.pending()) >= places:
            raise Onp(f"{places} pending tables wait already")
        due = self._due(octets[:EVENT_SIZE], device)
        self._tables.put(f"P{label}", octets)
        self.due.pop(label, None)
        if due is not None:
            self.due[label] = due
        self._write_status()

    def _due(self, event: bytes, device: float) -> float | None:
        """Return when an event comes, None for one that must be called."""
        try:
            record = self._tables.element(_EVENT).decode(event)
            storage = record.EVENT_STORAGE
        except C1219Error:
            raise Iar("the event before the table is none") from None
        code = record.EVENT_SELECTOR.EVENT_CODE
        if code == _AT_A_TIME:
            form = self._tables.element("ST4.LAST_ACTIVATION_DATE_TIME")
            try:
                shown = form.decode(storage[: form.size])
            except C1219Error:
                shown = None
            if shown is None:
                raise Iar("the event before the table has no time")
            formats: ClockFormats = self._tables.shape.derived(clock_formats)
            return formats.device(shown)
        if code == _AFTER_A_TIME:
            weeks, days, hours, minutes, seconds = bytes(storage)
            return device + seconds + 60 * (minutes + 60 * (hours + 24 * (days + 7 * weeks)))
        if code != _ON_CALL:
            raise Iar(f"event code {code}")
        return None

    def bring_up_to_date(self, device: float) -> None:
        """Put into effect what is due, in order."""
        for label, due in sorted(self.due.items(), key=lambda item: item[1]):
            if due <= device:
                self._put_into_effect(label, due)

    def next_due(self) -> float | None:
        """Return the device time at which the next one becomes active."""
        return min(self.due.values(), default=None)

    def activate(self, event: bytes | None, device: float) -> int:
        """Put pending tables into effect.

        Args:
            event: of the tables, 6 octets; None for all.
            device: device time.

        Returns:
            How many there were.
        """
        found = self._with(event)
        for label in found:
            self._put_into_effect(label, device)
        return len(found)

    def clear(self, event: bytes | None) -> int:
        """Forget pending tables with an event, or all; return how many there were."""
        found = self._with(event)
        for label in found:
            self._forget(label)
            self._log(EventCode.PENDING_TABLE_CLEARED, (table_id(label).flagged,))
        if found:
            self._write_status()
        return len(found)

    def _with(self, event: bytes | None) -> list[str]:
        labels = [label[1:] for label in self._tables.pending()]
        return [label for label in labels if event is None or self._tables[f"P{label}"][:EVENT_SIZE] == event]

    def _forget(self, label: str) -> None:
        self._tables.remove(f"P{label}")
        self.due.pop(label, None)

    def _put_into_effect(self, label: str, device: float) -> None:
        octets = self._tables[f"P{label}"]
        selector = self._tables.element(_EVENT).decode(octets[:EVENT_SIZE]).EVENT_SELECTOR
        self._forget(label)
        self._activate(label, octets[EVENT_SIZE:], selector)
        self._log(EventCode.PENDING_TABLE_ACTIVATED, (table_id(label).flagged,))
        self._write_status(device)

    def _write_status(self, activated: float | None = None) -> None:
        """Write ST4: which tables wait for what."""
        tables = self._tables
        places = len(tables.value("ST4").PENDING_TABLES)
        waiting = tables.pending()[:places]
        if activated is not None and tables.shape.has("ST4.LAST_ACTIVATION_DATE_TIME"):
            shown = tables.shape.derived(clock_formats).short(activated)
            tables.set("ST4.LAST_ACTIVATION_DATE_TIME", shown)
        tables.set("ST4.NBR_PENDING_ACTIVATION", len(waiting))
        for place in range(places):
            entry = tables.element(f"ST4.PENDING_TABLES[{place}]")
            octets = bytes(entry.size)
            if place < len(waiting):
                number = table_id(waiting[place][1:])
                selector = tables.element("ST4.PENDING_TABLES[0].TABLE_SELECTOR")
                record = selector.decode(bytes(selector.size))._replace(
                    TBL_PROC_NBR=number.number, STD_VS_MFG_FLAG=number.manufacturer, PENDING_FLAG=True
                )
                octets = tables[waiting[place]][:EVENT_SIZE] + selector.encode(record)
            tables.splice("ST4", entry.offset, octets)
