"""Tables inside messages: what was read and written, decoded where the tables that it depends on are known.

    reader = TableReader()
    for message in decode_capture("trace.pcapng", keys=keys):
        for service, known in zip(message.services, reader.read(message)):
            print(known and known.get("value"))

Which node and which table octets belong to is said in `c1222.capture.tables.parts`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from c1219 import C1219Error, MissingTables, UnknownTable
from c1219.caches import BoundedDict
from c1219.tableid import IDS, TableId, table_label, table_name
from c1222.capture.captured_device import instant
from c1222.capture.message import UNTIMED
from c1222.capture.tables.nodes import MAX_NODES, MAX_OCTETS, Nodes
from c1222.capture.tables.parts import (
    BEFORE_DATA,
    CARRIERS,
    MAX_BODY,
    WRITTEN,
    Answers,
    Asked,
    Part,
    concerns_tables,
    part_of,
    title_of_node,
)
from c1222.capture.tables.readings import Readings, readable
from c1222.capture.tables.without_st0 import assume, triable
from c1222.errors import Finding
from c1222.message.acse import title_of
from c1222.message.aptitle import DEFAULT_BASE, ApTitle
from c1222.message.flat import FlatApdu
from c1222.security.sealing import Verdict
from c1222.services import tables as wire

if TYPE_CHECKING:
    from collections.abc import Iterable

    from c1219 import Device, Registry
    from c1219.engine.layout import Layout
    from c1222.capture.decoder import CapturedMessage
    from c1222.services import Service

__all__ = ["MAX_LACKING", "MAX_TITLES", "TableReader"]

_EVENT_OCTETS: Final = 6
"""What precedes a pending table: the event that activates it."""
MAX_LACKING: Final = 4096
"""Tables remembered that cannot be decoded with what is known of a node; past it, they are tried again."""

MAX_TITLES: Final = 32768
"""Titles of nodes remembered by their octets."""

Known = dict[str, Any]
"""What is known of the table data of a service: ``value`` and ``readings``, or ``undecoded`` with the reason, and
``findings``."""


class TableReader:
    """Decodes the tables in the messages of a capture, and learns from them what their layouts depend on.

    Args:
        devices: tables that the capture may lack. A device whose node has an ``ap_title`` serves that node, one without
            all others; what the capture shows overrides it.
        base: what makes relative titles absolute.
        registry: declared tables; the default registry if None.
        show_secrets: also decode tables of passwords and keys.
        readings: also tell what registers, load profiles, logs and clocks say, with quantity, unit and time.
        max_nodes: nodes whose tables are remembered.
        max_octets: octets of tables remembered of all nodes together.
    """

    def __init__(
        self,
        devices: Iterable[Device] = (),
        *,
        base: ApTitle = DEFAULT_BASE,
        registry: Registry | None = None,
        show_secrets: bool = False,
        readings: bool = True,
        max_nodes: int = MAX_NODES,
        max_octets: int = MAX_OCTETS,
    ) -> None:
        self._base = base
        self._show_secrets = show_secrets
        given = [(self._title(device), device) for device in devices]
        self._nodes = Nodes(given, registry=registry, max_nodes=max_nodes, max_octets=max_octets)
        self._readings = Readings(self._nodes.registry) if readings else None
        # The device goes with what it lacks, so that its id stays its own.
        self._lacking: BoundedDict[tuple[int, int], tuple[Device, tuple[str, ...]]] = BoundedDict(MAX_LACKING)
        self._undecoded: BoundedDict[tuple[int, Part, int], tuple[Device, Known]] = BoundedDict(MAX_LACKING)
        # By device, requests, and size and head of each response: what holds whatever octets are in them.
        self._settled: BoundedDict[tuple[Any, ...], tuple[Device, tuple[Known | None, ...]]] = BoundedDict(MAX_LACKING)
        self._answers = Answers()
        self._titles: BoundedDict[bytes, ApTitle] = BoundedDict(
            MAX_TITLES, lambda octets: title_of(octets[1:]).absolute(base)
        )

    def _title(self, device: Device) -> ApTitle | None:
        title = device.node.get("ap_title")
        return ApTitle(title).absolute(self._base) if isinstance(title, str) else None

    def read(self, message: CapturedMessage) -> tuple[Known | None, ...]:
        """Return for each service what is known of its table data, None for those that have none; learn from them.

        ``value`` has element names as keys: nested for a whole table, full paths for a piece. ``undecoded`` says why
        there is none. ``readings`` are rows of what is measured, in terms of JSON: ``path``, ``quantity``, ``unit``,
        ``value``, times; of tables that have some, where the tables that tell it were seen. ``findings`` are those of
        the table, if there are any. What is returned may be returned again, and must not be changed.
        """
        envelope = message.envelope
        flat = envelope if isinstance(envelope, FlatApdu) else None
        if flat.quoted is not None if flat else message.is_response:
            asked = message.asked_body
            node = self._titles[flat.calling_title] if flat else self._node(message)
            device = self._nodes.device(node)
            key = (id(device), asked, *[(len(octets), octets[:BEFORE_DATA]) for octets in message.service_octets])
            settled = self._settled.get(key)
            if settled is not None:
                return settled[1]
            answers = self._answers.of(message)
            if answers is not None:
                known = tuple([None if one is None else self._answer(message, node, *one) for one in answers])
                if not any(known):
                    known = ()
                if len(asked) <= MAX_BODY and all(one is None or self._settles(device, *one) for one in answers):
                    self._settled[key] = device, known
                return known
        if not concerns_tables(message):
            return ()
        services = message.services
        if not any(isinstance(service, CARRIERS + WRITTEN) for service in services):
            return ()
        node = self._node(message)
        return tuple([self._service(message, node, service) for service in services])

    def learn(self, message: CapturedMessage) -> None:
        """Learn from a message in a first pass, which keeps the first octets seen of each table."""
        self._nodes.first = True
        if concerns_tables(message):
            for service in message.services:
                if isinstance(service, CARRIERS + WRITTEN):
                    self._learn(message, self._node(message), service)
        self._nodes.first = False

    def findings(self) -> list[Finding]:
        """Return what concerns the capture as a whole."""
        return self._nodes.findings()

    def _node(self, message: CapturedMessage) -> object:
        """Return whose tables a message is about: a title, or an address where there is none."""
        envelope = message.envelope
        if message.is_response and isinstance(envelope, FlatApdu):
            return self._titles[envelope.calling_title]
        title, address = title_of_node(message)
        return address if title is None else title.absolute(self._base)

    def _settles(self, device: Device, asked: Asked, octets: bytes, _: bool) -> bool:
        """Tell whether octets of this size are never decoded, nor learned from, whatever they are."""
        return asked.conceals is False and (id(device), asked.part, len(octets)) in self._undecoded

    def _answer(self, message: CapturedMessage, node: object, asked: Asked, octets: bytes, intact: bool) -> Known:
        """Do what `_service` does, for a plain read."""
        part, request, conceals = asked
        if intact:
            self._learn_octets(message, node, part, octets)
        if conceals is None:
            conceals = request.conceals_octets(octets)
        return self._table(message, node, part, octets, conceals=conceals, intact=intact)

    def _service(self, message: CapturedMessage, node: object, service: Service) -> Known | None:
        self._learn(message, node, service)
        part = part_of(service)
        if part is not None:
            carrier: Any = service
            return self._table(message, node, part, carrier.data, conceals=service.conceals, intact=carrier.checksum_ok)
        if isinstance(service, wire.ReadDefaultResponse):
            return {"undecoded": "which table the device chose is not known"}
        return None

    # --- learning

    def _learn(self, message: CapturedMessage, node: object, service: Service) -> None:
        """Learn from octets that were read, or that were written with success."""
        source: Any = service
        if isinstance(service, WRITTEN):
            source = service.request
        elif not isinstance(service, wire.TableResponse):
            return
        part = part_of(source)
        if part is not None and source.checksum_ok:
            self._learn_octets(message, node, part, source.data)

    def _learn_octets(self, message: CapturedMessage, node: object, part: Part, octets: bytes) -> None:
        if part.table not in IDS:
            return
        label, offset = table_label(part.table), part.offset
        if not self._nodes.wants(self._nodes.device(node), label):
            return
        verdict = message.verdict
        if verdict is not Verdict.VERIFIED and verdict is not Verdict.CLEARTEXT:
            return
        if part.indices is not None:
            try:
                _, offset = self._nodes.device(node).layout_of_piece(label, octets, indices=part.indices)
            except C1219Error:
                return
        self._nodes.learn(node, label, octets, authentic=verdict is Verdict.VERIFIED, offset=offset)

    # --- decoding

    def _table(
        self, message: CapturedMessage, node: object, part: Part, octets: bytes, *, conceals: bool, intact: bool
    ) -> Known:
        known = self._decoded(node, part, octets, conceals=conceals)
        if self._readings is not None and "value" in known and intact and readable(part.table):
            return self._with_readings(self._readings, message, node, part, octets, known)
        return known

    def _decoded(self, node: object, part: Part, octets: bytes, *, conceals: bool) -> Known:
        if conceals and not self._show_secrets:
            return {"undecoded": "the table holds passwords or keys"}
        device = self._nodes.device(node)
        undecoded = self._undecoded.get((id(device), part, len(octets)))
        if undecoded is not None:
            return undecoded[1]
        table = TableId(part.table)
        if table.beyond:
            text = f"{table_name(table)} is no table of the standard or the manufacturer"
            return self._never(device, part, octets, text)
        label = table.label
        lacking = self._lacking.get((id(device), part.table))
        if lacking is not None:
            return self._without(device, lacking[1], label, part, octets)
        try:
            if table.flag:
                return _pending(device, label, part, octets)
            if device.declaration(label).confidence == "name only":
                return self._never(device, part, octets, f"the layout of {label} is not known")
            return _known(device, label, part, octets)
        except MissingTables as error:
            if not table.flag and not device.declaration(label).needs_own_octets:
                self._lacking[id(device), part.table] = (device, error.names)
            return self._without(device, error.names, label, part, octets)
        except UnknownTable:
            return self._never(device, part, octets, f"{label} is declared nowhere")
        except C1219Error as error:
            return {"undecoded": str(error)}

    def _with_readings(
        self, readings: Readings, message: CapturedMessage, node: object, part: Part, octets: bytes, known: Known
    ) -> Known:
        label, offset = table_label(part.table), part.offset
        if part.indices is not None:
            _, offset = self._nodes.device(node).layout_of_piece(label, octets, indices=part.indices)
        now = None if message.time_ns == UNTIMED else instant(message.time_ns)
        rows, finding = readings.of(node, self._nodes.tables(node), label, octets, offset=offset, now=now)
        if rows:
            known["readings"] = rows
        if finding is not None:
            known["findings"] = [*known.get("findings", ()), finding._asdict()]
        return known

    def _without(self, device: Device, names: tuple[str, ...], label: str, part: Part, octets: bytes) -> Known:
        """Decode on assumptions, or say what was not seen."""
        registry = self._nodes.registry
        tried = names == ("ST0",) and part.indices is None and not TableId(part.table).flag
        assumed = assume(registry, label, part.offset, octets) if tried else None
        if assumed is not None:
            value, finding = assumed
            return {"value": value, "findings": [finding._asdict()]}
        verb = "was" if len(names) == 1 else "were"
        text = f"{' and '.join(names)} of this node {verb} not seen"
        lacking = (id(device), part.table) in self._lacking
        if lacking and not (tried and triable(registry, label, part.offset, len(octets))):
            return self._never(device, part, octets, text)
        return {"undecoded": text}

    def _never(self, device: Device, part: Part, octets: bytes, text: str) -> Known:
        """Say why octets of this size are not decoded, whatever they are, and remember it."""
        known = {"undecoded": text}
        if part.table not in IDS or not self._nodes.wants(device, table_label(part.table)):
            self._undecoded[id(device), part, len(octets)] = device, known
        return known


def _known(device: Device, label: str, part: Part, octets: bytes) -> Known:
    if part.offset is None and part.indices is None:
        layout = device.layout_of(label, octets)
        value, findings = layout.examine(octets)
        return _shown(layout.to_json(value), findings)
    layout, start = device.layout_of_piece(label, octets, offset=part.offset or 0, indices=part.indices)
    return _piece(layout, start, octets)


def _piece(layout: Layout, start: int, octets: bytes) -> Known:
    values, findings = layout.partial(start, octets)
    below = len(layout.label) + 1
    return _shown({path[below:]: layout.element(path).to_json(leaf) for path, leaf in values.items()}, findings)


def _pending(device: Device, label: str, part: Part, octets: bytes) -> Known:
    """Decode a pending table: from memory, the event that activates it is in front; the size tells."""
    if part.offset is not None or part.indices is not None:
        return {"undecoded": f"a piece of a pending {label}: where it belongs is not known"}
    layout = device.layout_of(label, octets[_EVENT_OCTETS:])
    if layout.fitting(len(octets)) is not None and not layout.open_end:
        return _known(device, label, part, octets)
    if layout.fitting(len(octets) - _EVENT_OCTETS) is None:
        return {"undecoded": f"the size of the pending {label} fits neither with nor without its event"}
    found = _known(device, label, part, octets[_EVENT_OCTETS:])
    text = f"the first {_EVENT_OCTETS} octets, {octets[:_EVENT_OCTETS].hex()}, are taken as the event that activates it"
    note = Finding("note", "pending-event", label, 0, text)
    return found | {"findings": [note._asdict(), *found.get("findings", ())]}


def _shown(value: Any, findings: Iterable[Any]) -> Known:
    found: Known = {"value": value}
    remarks = [finding._asdict() for finding in findings]
    return found | {"findings": remarks} if remarks else found
