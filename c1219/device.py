"""Device: the tables of one meter, and what they mean.

device = Device({0: st0_octets, 21: st21_octets, "ST23": st23_octets, "MT1": mt1_octets})
device[23].value.TOT_DATA_BLOCK.SUMMATIONS[0]
device.layout("ST23.TOT_DATA_BLOCK.SUMMATIONS[0]")      # what to read for this one number
device.missing()                                        # what to read next to understand what is here
device.registers()                                      # a view; each is loaded when it is asked for
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from c1219.comparison import Change, compare
from c1219.errors import DecodeError, UnknownTable
from c1219.tableid import table_id
from c1219.tableset import TableImage, TableSet

if TYPE_CHECKING:
    from c1219.cosem.objects import CosemObjects
    from c1219.views.capabilities import Capabilities
    from c1219.views.clock import Clock
    from c1219.views.event_log import EventLog
    from c1219.views.identity import Identity
    from c1219.views.load_profile import LoadProfile
    from c1219.views.registers import Registers
    from c1219.views.security import Access

__all__ = ["SCHEMA", "Change", "Device", "TableImage", "decode", "encode"]

SCHEMA = "c1219.device/1"
"""Name of the device file format."""


class Device(TableSet):
    """The tables of one meter, and what they mean. Where tables are absent a view is empty, and its findings say so.

    Arguments are those of `TableImages`.
    """

    # --- views

    def identity(self) -> Identity:
        """Say who the meter is; see `c1219.views.identity`."""
        from c1219.views.identity import identity

        return identity(self)

    def registers(self, *, obis: bool = False, **options: Any) -> Registers:
        """Return every register value; options as for `c1219.views.registers.registers`.

        Args:
            obis: whether they get their names in COSEM (`c1219.cosem`), too.
            options: ``zone``, for example.
        """
        from c1219.views.registers import registers

        view = registers(self, **options)
        if obis:
            view.obis = self._obis(options)
        return view

    def load_profile(self, number: int = 1, *, obis: bool = False, **options: Any) -> LoadProfile:
        """Return the intervals of a load profile set; options as for `c1219.views.load_profile.load_profile`.

        Args:
            number: of the set, 1..4.
            obis: whether channels get their names in COSEM (`c1219.cosem`), too.
            options: ``since`` and ``until``, for example.
        """
        from c1219.views.load_profile import load_profile

        view = load_profile(self, number, **options)
        if obis:
            view.obis = self._obis(options)
        return view

    def _obis(self, options: dict[str, Any]) -> dict[str, str]:
        times = {name: value for name, value in options.items() if name in {"zone", "local_counters"}}
        return {path: str(name) for path, name in self.cosem(tables=False, **times).names.items()}

    def events(self, **options: Any) -> EventLog:
        """Return the entries of the logs; options as for `c1219.views.event_log.events`."""
        from c1219.views.event_log import events

        return events(self, **options)

    def clock(self, **options: Any) -> Clock:
        """Say what time it is in the meter; options as for `c1219.views.clock.clock`."""
        from c1219.views.clock import clock

        return clock(self, **options)

    def cosem(self, **options: Any) -> CosemObjects:
        """Return what the meter is in COSEM; options as for `c1219.cosem.mapping.cosem`."""
        from c1219.cosem.mapping import cosem

        return cosem(self, **options)

    def capabilities(self) -> Capabilities:
        """Say which tables, procedures and events the meter has; see `c1219.views.capabilities`."""
        from c1219.views.capabilities import capabilities

        return capabilities(self)

    def access(self) -> Access:
        """Say who may read and write what; see `c1219.views.security`."""
        from c1219.views.security import access

        return access(self)

    # --- snapshots and files

    def diff(self, other: Device) -> list[Change]:
        """Return what is different in another snapshot, element by element; see `c1219.comparison.compare`."""
        return compare(self, other)

    def to_json(self) -> str:
        """Return the device file: the octets of all tables as hex, and the node.

        Tables of which only parts are known stand in ``pieces``, by offset.
        """
        tables: dict[str, str] = {}
        pieces: dict[str, dict[str, str]] = {}
        for label in self:
            image, name = self._images[label], label.removeprefix("ST")
            if image.pieces is None:
                tables[name] = image.raw.hex()
            else:
                pieces[name] = {str(offset): octets.hex() for offset, octets in image.pieces.items()}
        content: dict[str, Any] = {"schema": SCHEMA, "tables": tables}
        if pieces:
            content["pieces"] = pieces
        if self.node:
            content["node"] = self.node
        return json.dumps(content, indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str | bytes, **options: Any) -> Device:
        """Read a device file.

        Args:
            text: its content; a byte order mark, as some editors put first, is dropped.
            options: as for `Device`.

        Raises:
            DecodeError: it is no device file.
        """
        try:
            content = json.loads(text.removeprefix("\ufeff") if isinstance(text, str) else text)
        except (ValueError, RecursionError) as error:
            raise DecodeError("device file", 0, f"not JSON: {error}") from error
        if not isinstance(content, dict) or content.get("schema") != SCHEMA:
            raise DecodeError("device file", 0, f'"schema" is not "{SCHEMA}"')
        tables, node, pieces = content.get("tables"), content.get("node", {}), content.get("pieces", {})
        if not (isinstance(tables, dict) and isinstance(node, dict) and isinstance(pieces, dict)):
            raise DecodeError("device file", 0, '"tables", "pieces" and "node" are objects')
        device = cls(node=node, **options)
        for key, octets in tables.items():
            try:
                device.put(table_id(key), bytes.fromhex(octets))
            except (UnknownTable, ValueError, TypeError) as error:
                raise DecodeError(f"tables.{key}", 0, f"not a table in hex: {error}") from error
        for key, parts in pieces.items():
            try:
                known = {int(offset): bytes.fromhex(octets) for offset, octets in parts.items()}
                if min(known, default=0) < 0:
                    raise ValueError("an offset is less than 0")
                device.put_pieces(table_id(key), known)
            except (UnknownTable, ValueError, TypeError, AttributeError) as error:
                raise DecodeError(f"pieces.{key}", 0, f"not octets in hex by offset: {error}") from error
        return device


def decode(table: int | str, octets: bytes, device: Device | None = None) -> Any:
    """Make the record of a table.

    Args:
        table: number, ``"ST23"`` or ``"MT1"``.
        octets: the whole table.
        device: the tables that it depends on; none if None.

    Raises:
        DecodeError: an element has no value, or the table is shorter or longer than its layout.
        MissingTables: tables that it depends on are not in the device.
        UnknownTable, LayoutError: it cannot be laid out.
    """
    return (Device() if device is None else device).layout_of(table, octets).decode(octets)


def encode(table: int | str, value: Any, device: Device | None = None) -> bytes:
    """Make the octets of a table.

    Args:
        table: number, ``"ST23"`` or ``"MT1"``.
        value: its record.
        device: the tables that it depends on; none if None.

    Raises:
        EncodeError: the value has no form on the wire.
        MissingTables: tables that it depends on are not in the device.
        UnknownTable, LayoutError: it cannot be laid out.
    """
    return (Device() if device is None else device).encode(table, value)
