"""What a meter can do: tables and procedures that ST0 lists, events that ST72 lists and ST73 and ST75 log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from c1219.codes.events import event
from c1219.errors import UnknownTable
from c1219.rules import offer
from c1219.tableid import TableId, table_label
from c1219.tabular.schema import METER, RowColumn, RowSchema
from c1219.tabular.view import Tabular
from c1219.views.origin import MeterOrigin, origin
from c1219.views.records import record

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from c1219.errors import Finding
    from c1219.tableset import TableSet

__all__ = ["Capabilities", "EventUse", "ProcedureUse", "TableUse", "capabilities"]


class TableUse(NamedTuple):
    """One table that ST0 lists.

    Attributes:
        label: for example ``ST23``.
        name: as declared; "" if nobody declared it.
        title: name for people; "" if nobody declared it.
        writable: ST0 says that it can be written.
        here: the device has its octets.
    """

    label: str
    name: str
    title: str
    writable: bool
    here: bool


class ProcedureUse(NamedTuple):
    """One procedure that ST0 lists.

    Attributes:
        label: ``SP10``, or ``MP22`` for the manufacturer's.
        name: as declared; "" if nobody declared it.
        known: its parameters and response are declared, not only its name.
    """

    label: str
    name: str
    known: bool


class EventUse(NamedTuple):
    """One event that ST72 lists.

    Attributes:
        code: number of the event.
        manufacturer: it is an event of the manufacturer's.
        name: what happens, in words.
        history: ST73 has it logged in ST74; None if that is not known.
        event: ST75 has it logged in ST76; None if that is not known.
    """

    code: int
    manufacturer: bool
    name: str
    history: bool | None
    event: bool | None


CAPABILITIES: Final = RowSchema(
    "c1219.capabilities/1",
    "One table, procedure or event that one meter has.",
    (
        *METER,
        RowColumn("kind", "word", "`table`, `procedure` or `event`", null=False),
        RowColumn(
            "label",
            "word",
            "`ST23`, `SP10`, `MP22`; of an event its number, with M before the manufacturer's",
            null=False,
        ),
        RowColumn("name", "word", "as declared; of an event what happens", null=False),
        RowColumn("title", "word", "of a table: name for people"),
        RowColumn("writable", "bool", "of a table: it can be written", "ST0"),
        RowColumn("here", "bool", "of a table: its octets are at hand"),
        RowColumn("known", "bool", "of a procedure: its parameters and response are declared"),
        RowColumn("history", "bool", "of an event: it goes to the history log", "ST73"),
        RowColumn("event", "bool", "of an event: it goes to the event log", "ST75"),
    ),
    key=("meter", "kind", "label"),
)


class _Capabilities(NamedTuple):
    tables: tuple[TableUse, ...]
    procedures: tuple[ProcedureUse, ...]
    events: tuple[EventUse, ...]
    findings: tuple[Finding, ...]
    origin: MeterOrigin = MeterOrigin()


class Capabilities(_Capabilities, Tabular):
    """What a meter can do.

    Attributes:
        tables: tables by number, the manufacturer's last.
        procedures: procedures by number, the manufacturer's last.
        events: events by code, the manufacturer's last.
        findings: what is missing or wrong.
        origin: which meter it is of.
    """

    __slots__ = ()

    schema = CAPABILITIES

    def as_dict(self) -> dict[str, Any]:
        """Return it in terms of JSON."""
        shown = self._asdict()
        del shown["origin"]
        return {name: [item._asdict() for item in items] for name, items in shown.items()}

    def table_rows(self) -> Iterator[Sequence[Any]]:
        meter, node = self.origin.meter, self.origin.node
        for table in self.tables:
            yield (meter, node, "table", *table[:3], table.writable, table.here, None, None, None)
        for procedure in self.procedures:
            yield (meter, node, "procedure", *procedure[:2], None, None, None, procedure.known, None, None)
        for use in self.events:
            label = f"{'M' if use.manufacturer else ''}{use.code}"
            yield (meter, node, "event", label, use.name, None, None, None, None, use.history, use.event)


def capabilities(device: TableSet) -> Capabilities:
    """Say which tables, procedures and events a meter has; none, and findings, where tables are absent.

    Args:
        device: the tables of the meter.
    """
    findings: list[Finding] = []
    config = record(device, 0, findings, level="error")
    if config is None:
        return Capabilities((), (), (), tuple(findings), origin(device))
    writable = offer.writable(config)
    tables = [_table(device, number, number in writable) for number in sorted(offer.tables(config))]
    procedures = [_procedure(device, number) for number in sorted(offer.procedures(config))]
    events = tuple(_events(device, config, findings))
    return Capabilities(tuple(tables), tuple(procedures), events, tuple(findings), origin(device))


def _table(device: TableSet, number: int, writable: bool) -> TableUse:
    label = table_label(number)
    try:
        table = device.declaration(number)
    except UnknownTable:
        return TableUse(label, "", "", writable, label in device)
    return TableUse(label, table.name, table.title, writable, label in device)


def _procedure(device: TableSet, number: int) -> ProcedureUse:
    one = TableId(number)
    try:
        procedure = device.procedure(one.number, manufacturer=one.manufacturer)
    except UnknownTable:
        return ProcedureUse(one.procedure_label, "", known=False)
    return ProcedureUse(procedure.label, procedure.name, known="name only" not in procedure.confidence)


def _events(device: TableSet, config: Any, findings: list[Finding]) -> list[EventUse]:
    listed = offer.tables(config)
    if 72 not in listed:
        return []
    supported = record(device, 72, findings)
    if supported is None:
        return []
    history, logged = (record(device, n, findings) if n in listed else None for n in (73, 75))
    uses = []
    for kind, manufacturer in (("STD", False), ("MFG", True)):
        name = f"{kind}_EVENTS_MONITORED_FLAGS"
        for code in sorted(getattr(supported, f"{kind}_EVENTS_SUPPORTED")):
            logs = [None if log is None else code in getattr(log, name) for log in (history, logged)]
            uses.append(EventUse(code, manufacturer, event(code, manufacturer=manufacturer).text, *logs))
    return uses
