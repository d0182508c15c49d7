"""Services that read and write tables: whole, by octet offset, by index, and the device's default.

Origin: Elster MeteringSDK, Itron's stack, icsnpp-c1222, Wireshark [V]; by index icsnpp-c1222 alone [1].
"""

from __future__ import annotations

from typing import Any

from c1219.tableid import TableBits, table_name
from c1222.errors import EncodeError, Finding
from c1222.services.fields import REST, U16, U24, FieldForm, short
from c1222.services.service import REDACTED, Effect, Request, Response, Service, wire
from c1222.services.table_data import CHUNK, MORE_TABLE_DATA, TABLE_DATA, TableData

__all__ = [
    "Carrier",
    "ReadDefaultRequest",
    "ReadDefaultResponse",
    "ReadIndexRequest",
    "ReadIndexResponse",
    "ReadOffsetRequest",
    "ReadOffsetResponse",
    "ReadRequest",
    "ReadResponse",
    "TableAccess",
    "TableBits",
    "TableResponse",
    "WriteDefaultRequest",
    "WriteDefaultResponse",
    "WriteIndexRequest",
    "WriteIndexResponse",
    "WriteOffsetRequest",
    "WriteOffsetResponse",
    "WriteRequest",
    "WriteResponse",
    "table_name",
]


class Indices(FieldForm[tuple[int, ...]]):
    """As many 16-bit indices, 1 to 9, as the low bits of the service code say."""

    __slots__ = ()

    def read(self, octets: bytes, at: int, end: int) -> tuple[tuple[int, ...], int]:
        after = at + 2 * (octets[0] & 0x0F)
        if after > end:
            raise short(at, end, after - at)
        return tuple([octets[i] << 8 | octets[i + 1] for i in range(at, after, 2)]), after

    def write(self, value: tuple[int, ...]) -> bytes:
        return b"".join([index.to_bytes(2, "big") for index in value])

    def check(self, value: tuple[int, ...]) -> tuple[int, ...]:
        """Take 1 to 9 numbers of 16 bits."""
        indices = tuple([U16.check(index) for index in value])
        if not 1 <= len(indices) <= 9:
            raise EncodeError(f"{len(indices)} indices; 1 to 9 can be sent")
        return indices

    def show(self, value: tuple[int, ...]) -> list[int]:
        return list(value)


class TableAccess(Request):
    """A request that names a table."""

    table: int = wire(U16)

    @property
    def from_start(self) -> bool:
        """Whether the octets that are asked for, or written, begin with the first one of the table."""
        return not getattr(self, "offset", 0) and not any(getattr(self, "indices", ()))

    @property
    def conceals(self) -> bool:
        """Whether the table may hold passwords or keys."""
        return self.conceals_octets(None)

    def conceals_octets(self, octets: bytes | None) -> bool:
        """Return whether octets of the table, as this request asks for, may hold passwords or keys.

        Args:
            octets: the octets; None for whatever they may be.
        """
        # Imported here, since a service that names no table can do without the declarations.
        from c1219.secrecy import may_be_secret  # noqa: PLC0415

        return may_be_secret(self.table, octets, from_start=self.from_start)


class Carrier(Service):
    """A service that carries table-data."""

    @property
    def table_data(self) -> TableData:
        """Count, data and checksum."""
        raise NotImplementedError

    @property
    def data(self) -> bytes:
        """The octets of the table."""
        return self.table_data.data

    @property
    def checksum_ok(self) -> bool:
        """Whether the checksum is right."""
        return self.table_data.checksum_ok

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What is odd about the service; offsets count from its first octet."""
        findings = super().findings
        if not self.checksum_ok:
            text = "the checksum of the table data is wrong"
            findings += (Finding("error", "table-checksum", f"{self.label()}.checksum", self._last(), text),)
        if self.table_data.lacks_end:
            text = f"a chunk of {CHUNK} octets must be followed by another, if only an empty one"
            findings += (Finding("warning", "chunk-missing", f"{self.label()}.data", self._last(), text),)
        return findings

    def _last(self) -> int:
        return len(self.encode()) - len(self.trailing) - 1

    def show(self, *, show_secrets: bool = False) -> dict[str, Any]:
        """Return the fields as JSON has them."""
        shown = super().show(show_secrets=show_secrets)
        shown["data"] = self.data.hex() if show_secrets or not self.conceals else REDACTED
        shown["checksum_ok"] = self.checksum_ok
        return shown


class TableResponse(Carrier, Response):
    """A response with the octets of a table.

    Args:
        table_data: what was read.
    """

    table_data: TableData = wire(TABLE_DATA, secret=True, hidden=True)

    @property
    def conceals(self) -> bool:
        """Whether the octets may be passwords or keys: by their table, and always if nothing tells which it is."""
        request = self.request
        return request.conceals_octets(self.data) if isinstance(request, TableAccess) else True


class ReadRequest(TableAccess):
    """Read a whole table [V].

    Args:
        table: table identifier, see :class:`TableBits`.
    """

    code = 0x30
    service = "read"
    effect = Effect.READS


class ReadResponse(TableResponse):
    """The table's octets."""

    answers = ReadRequest


class ReadIndexRequest(TableAccess):
    """Read elements by their index path; the code (31..39) tells how many indices there are [V] shape.

    Readings differ: ``count`` is a number of elements in IEEE 1703-2012 as icsnpp-c1222 has it, of octets in an older
    C12.18 text [1] each. A client does better with a read by offset.

    Args:
        table: table identifier.
        indices: the index path, 1 to 9 numbers of 16 bits.
        count: how many elements (or octets), 0..65535.
    """

    codes = tuple(range(0x31, 0x3A))
    service = "read-index"
    effect = Effect.READS

    indices: tuple[int, ...] = wire(Indices())
    count: int = wire(U16)

    @property
    def code(self) -> int:
        """30 and the number of indices."""
        return 0x30 + len(self.indices)


class ReadIndexResponse(TableResponse):
    """The elements' octets.

    One table-data is the recommended reading; icsnpp-c1222 expects as many as there are indices [?].

    Args:
        table_data: what was read.
        more: further table-data, if they fill the service to its end.
    """

    answers = ReadIndexRequest

    more: tuple[TableData, ...] = wire(MORE_TABLE_DATA, default=(), secret=True, hidden=True)

    @property
    def data(self) -> bytes:
        """The octets of all table-data, one after the other."""
        return self.table_data.data + b"".join([block.data for block in self.more])

    @property
    def checksum_ok(self) -> bool:
        """Whether all checksums are right."""
        return self.table_data.checksum_ok and all(block.checksum_ok for block in self.more)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What is odd about the response."""
        findings = super().findings
        if self.more:
            text = f"{1 + len(self.more)} table-data where one is usual, taken as one after the other"
            findings += (Finding("warning", "several-table-data", f"{self.label()}.data", 1, text),)
        return findings

    def show(self, *, show_secrets: bool = False) -> dict[str, Any]:
        """Return the fields as JSON has them; ``blocks`` only where there are several."""
        shown = super().show(show_secrets=show_secrets)
        if self.more and (show_secrets or not self.conceals):
            shown["blocks"] = [block.as_dict() for block in (self.table_data, *self.more)]
        return shown


class ReadDefaultRequest(Request):
    """Read the table that the device chooses. Few devices answer it [1]."""

    code = 0x3E
    service = "read-default"
    effect = Effect.READS


class ReadDefaultResponse(TableResponse):
    """The octets of the table that the device chose."""

    answers = ReadDefaultRequest


class ReadOffsetRequest(TableAccess):
    """Read a part of a table by octet offset [V].

    Args:
        table: table identifier.
        offset: first octet, 0..16777215.
        count: how many octets, 0..65535.
    """

    code = 0x3F
    service = "read-offset"
    effect = Effect.READS

    offset: int = wire(U24)
    count: int = wire(U16)


class ReadOffsetResponse(TableResponse):
    """The octets of that part."""

    answers = ReadOffsetRequest


class Write(Carrier, TableAccess):
    """A request that brings octets for a table."""

    @property
    def conceals(self) -> bool:
        """Whether the octets may hold passwords or keys."""
        return self.conceals_octets(self.data)


class WriteRequest(Write):
    """Write a whole table [V].

    Args:
        table: table identifier.
        table_data: what to write.
    """

    code = 0x40
    service = "write"
    effect = Effect.CHANGES

    table_data: TableData = wire(TABLE_DATA, secret=True, hidden=True)


class WriteResponse(Response):
    """The table is written."""

    answers = WriteRequest


class WriteIndexRequest(Write):
    """Write elements by their index path; the code (41..49) tells how many indices there are [1].

    Args:
        table: table identifier.
        indices: the index path, 1 to 9 numbers of 16 bits.
        table_data: what to write.
    """

    codes = tuple(range(0x41, 0x4A))
    service = "write-index"
    effect = Effect.CHANGES

    indices: tuple[int, ...] = wire(Indices())
    table_data: TableData = wire(TABLE_DATA, secret=True, hidden=True)

    @property
    def code(self) -> int:
        """40 and the number of indices."""
        return 0x40 + len(self.indices)


class WriteIndexResponse(Response):
    """The elements are written."""

    answers = WriteIndexRequest


class WriteDefaultRequest(Request):
    """Write the table that the device chooses.

    Known by name only (Wireshark); its parameters are kept as they are [?], and concealed, as the table is not known.

    Args:
        parameters: octets after the code.
    """

    code = 0x4E
    service = "write-default"
    effect = Effect.CHANGES

    parameters: bytes = wire(REST, default=b"", secret=True)


class WriteDefaultResponse(Response):
    """The table is written."""

    answers = WriteDefaultRequest


class WriteOffsetRequest(Write):
    """Write a part of a table by octet offset [V].

    Args:
        table: table identifier.
        offset: first octet, 0..16777215.
        table_data: what to write.
    """

    code = 0x4F
    service = "write-offset"
    effect = Effect.CHANGES

    offset: int = wire(U24)
    table_data: TableData = wire(TABLE_DATA, secret=True, hidden=True)


class WriteOffsetResponse(Response):
    """The part is written."""

    answers = WriteOffsetRequest
