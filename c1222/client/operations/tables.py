"""Verbs on tables: read and write them by number, element path and slice, as values or as octets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from c1219.errors import UnknownTable
from c1219.tableid import table_id, table_label
from c1222.client.errors import CutShort
from c1222.client.operations.read_so_far import ReadSoFar
from c1222.client.operations.reading import PartialRead

if TYPE_CHECKING:
    from c1219.device import Device
    from c1219.engine.layout import Element
    from c1222.client.errors import ReadInterrupted
    from c1222.client.operations.loading import TableLoader
    from c1222.client.operations.read_so_far import Progress
    from c1222.client.operations.transfer import Transfer
    from c1222.client.steps import Operation

__all__ = ["TableVerbs"]


class TableVerbs:
    """Read and write."""

    device: Device
    loader: TableLoader
    transfer: Transfer

    def read(
        self, *what: int | str, progress: Progress | None = None, resume: ReadInterrupted | None = None
    ) -> Operation[Any]:
        """Read tables, elements and slices, several in few messages.

        Of a path only its own octets are asked for; the tables that its offset depends on are read once. A meter that
        gives no parts of tables is asked for whole ones.

        Args:
            what: tables and paths: ``23``, ``"ST23"``, ``"MT5"``, ``"ST23.TOT_DATA_BLOCK"``,
                ``"ST26.SELF_READS_ENTRIES[0:2]"``.
            progress: called with the octets that are here, and wanted (None while not known), after each answer.
            resume: the error that interrupted this very read: what it brought is not asked for again. The tables may
                have changed in between.

        Returns:
            The value; of several, a list of values. A table that is declared nowhere comes as octets. Findings on a
            table are in ``device[n].findings``.

        Raises:
            ReadInterrupted: it ended before it was complete; can be resumed.
            TableAbsent, Refusal: the meter refused.
            CutShort, ChecksumWrong: an answer is not what it should be.
            PeerSilent, Unreachable, ConnectionLost, SessionLost: there is no answer.
            c1219.C1219Error: there is no such table or element, or an element has no value.
        """
        targets = [_target(one) for one in what]
        yield from self.loader.prepare([label for label, _ in targets])
        elements = [self._element(label, path) for label, path in targets]
        parts = [
            PartialRead(table_id(label))
            if element is None
            else PartialRead(table_id(label), element.offset, element.size)
            for (label, _), element in zip(targets, elements, strict=True)
        ]
        once = list(dict.fromkeys(parts))
        found = yield from self.transfer.fetch(once, ReadSoFar(progress, None if resume is None else resume.gathered))
        octets = dict(zip(once, found, strict=True))
        values = [
            self._value(label, path, element, octets[part])
            for (label, path), element, part in zip(targets, elements, parts, strict=True)
        ]
        return values[0] if len(what) == 1 else values

    def read_octets(
        self,
        table: int | str,
        offset: int = 0,
        count: int | None = None,
        *,
        progress: Progress | None = None,
        resume: ReadInterrupted | None = None,
    ) -> Operation[bytes]:
        """Read the octets of a table, or of a part of it, as they are.

        Args:
            table: number, ``"ST23"`` or ``"MT5"``.
            offset: first octet.
            count: how many; None for all to the end.
            progress: see `read`.
            resume: see `read`.

        Raises:
            what `read` raises.
        """
        number = table_id(table)
        part = PartialRead(number) if offset == 0 and count is None else PartialRead(number, offset, count)
        so_far = ReadSoFar(progress, None if resume is None else resume.gathered)
        (octets,) = yield from self.transfer.fetch([part], so_far)
        if part.offset is None:
            self.device.put(table, octets)
        return octets

    def write(self, where: int | str, value: Any, *, as_json: bool = False) -> Operation[None]:
        """Write a table or an element, and return when the meter has said that it is written.

        An element takes a write of its own octets; part of one (a flag) is read, changed and written back, which is
        not atomic when others write it too. A meter that takes no parts gets the whole table.

        What was sent stays sent: a write that is cancelled, or interrupted, may be carried out all the same, and over
        UDP even after a later one. Read the table back before writing it again.

        Args:
            where: table or path, as in `read`.
            value: what `read` gives for it; octets are written as they are to a whole table.
            as_json: the value is in terms of JSON, as ``to_json`` of tables and elements shows it.

        Raises:
            WriteUnknown: nobody knows whether it is written; see `repeat`.
            HalfWritten: only part of it is written.
            TableAbsent, Refusal: the meter refused, and nothing is written.
            PeerSilent, Unreachable, ConnectionLost, SessionLost: nothing was sent.
            c1219.C1219Error: there is no such table or element, or the value has no form on the wire.
        """
        label, path = _target(where)
        if not path and isinstance(value, (bytes, bytearray, memoryview)):
            yield from self.transfer.put(table_id(label), bytes(value))
            return
        yield from self.loader.prepare([label])
        if not path:
            layout = self.device.layout_of(label, value)
            value = layout.from_json(value) if as_json else value
            yield from self.transfer.put(table_id(label), layout.encode(value))
            return
        element = self.device.layout(f"{label}.{path}")
        if as_json:
            value = element.from_json(value)
        if element.bits is None:
            octets = element.encode(value)
        else:
            (own,) = yield from self.transfer.fetch([PartialRead(table_id(label), element.offset, element.size)])
            before = bytes(element.offset)
            octets = element.put(before + own, value)[element.offset :]
        yield from self.transfer.put(table_id(label), octets, element.offset)

    def write_octets(self, table: int | str, octets: bytes, offset: int | None = None) -> Operation[None]:
        """Write octets to a table, or to a part of it, as they are.

        Args:
            table: number, ``"ST23"`` or ``"MT5"``.
            octets: what to write.
            offset: of the first octet; None for the whole table.

        Raises:
            what `write` raises.
        """
        yield from self.transfer.put(table_id(table), bytes(octets), offset)

    # Values.

    def _element(self, label: str, path: str) -> Element | None:
        """Return the element to read by its place; None where the whole table is to be read."""
        if not path or self.device.declaration(label).needs_own_octets:
            return None
        return self.device.layout(f"{label}.{path}")

    def _value(self, label: str, path: str, element: Element | None, octets: bytes) -> Any:
        if element is not None:
            return element.decode(octets)
        image = self.device.put(label, octets)
        if path:
            return self.device.value(f"{label}.{path}")
        try:
            layout = image.layout
        except UnknownTable:
            return octets
        if len(octets) < layout.size and layout.fitting(len(octets)) is None:
            raise CutShort(label, octets, layout.size)
        return image.value


def _target(what: int | str) -> tuple[str, str]:
    """Return the label of a table, and the path below it.

    Raises:
        UnknownTable: it names no table.
    """
    if isinstance(what, int):
        return table_label(what), ""
    head, _, path = what.partition(".")
    return table_label(head), path
