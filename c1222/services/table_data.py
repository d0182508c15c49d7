"""Table-data: the octets of a table as services carry them, with count and checksum.

Origin: Elster MeteringSDK (writer of chunks), icsnpp-c1222 (reader), Itron's stack; the checksum was recomputed on four
responses of real meters and of the standard's example 8 [V].
"""

from __future__ import annotations

from typing import Any, Self

from c1222.errors import DecodeError, EncodeError
from c1222.services.fields import REST, FieldForm, short
from c1222.services.service import Value, wire

__all__ = ["CHUNK", "MORE_TABLE_DATA", "TABLE_DATA", "TableData", "checksum"]

CHUNK = 0xFFFF
"""A chunk of table-data of so many octets is followed by another chunk, if only an empty one [V]."""


def checksum(data: bytes) -> int:
    """Return the octet that makes the sum of the data and itself 0 modulo 256; the count is not part of it [V]."""
    return -sum(data) & 0xFF


def _chunks(data: bytes) -> list[bytes]:
    return [data[start : start + CHUNK] for start in range(0, len(data) + 1, CHUNK)]


class TableData(Value):
    """Octets of a table with their checksum: count (16 bits), data, checksum.

    More than 65534 octets go in chunks, each with its own count and checksum. All but the last have 65535 octets, so
    data of just 65535 octets end with an empty chunk [V].

    Args:
        data: the octets.
        checksums: one octet a chunk; the right ones when left out.
    """

    data: bytes = wire(REST)
    checksums: bytes = wire(REST, default=None)

    def __init__(self, data: bytes, checksums: bytes | None = None) -> None:
        if checksums is None and isinstance(data, bytes):
            whole = len(data) < CHUNK
            checksums = bytes((checksum(data),) if whole else [checksum(chunk) for chunk in _chunks(data)])
        super().__init__(data, checksums)

    def _check(self) -> None:
        count, wanted = len(self.checksums), len(self.data) // CHUNK + 1
        if count != wanted and not (self.lacks_end and count):
            raise EncodeError(f"TableData: {count} checksums for {wanted} chunks")

    @property
    def lacks_end(self) -> bool:
        """Whether a chunk of 65535 octets is the last one, against the rule."""
        return len(self.data) == CHUNK * len(self.checksums)

    @property
    def checksum_ok(self) -> bool:
        """Whether the checksum of every chunk is right."""
        checksums = self.checksums
        if len(checksums) == 1:
            return checksum(self.data) == checksums[0]
        return all(checksum(chunk) == octet for chunk, octet in zip(_chunks(self.data), checksums, strict=False))

    @classmethod
    def read(cls, octets: bytes, at: int, end: int) -> tuple[Self, int]:
        """Read chunk after chunk; see :meth:`Value.read`."""
        self = object.__new__(cls)
        parts, sums = [], []
        while True:
            start = at + 2
            if start > end:
                raise short(at, end, 2)
            stop = start + (octets[at] << 8 | octets[at + 1])
            if stop >= end:
                raise DecodeError("count", at, f"announces {stop - start} octets and a checksum, {end - start} left")
            parts.append(octets[start:stop])
            sums.append(octets[stop])
            at = stop + 1
            if stop - start < CHUNK or at == end:
                break
        _set_data(self, parts[0] if len(parts) == 1 else b"".join(parts))
        _set_checksums(self, bytes(sums))
        return self, at

    def write(self) -> bytes:
        """Return the octets, counts and checksums included."""
        if len(self.data) < CHUNK:
            return len(self.data).to_bytes(2, "big") + self.data + self.checksums
        return b"".join(
            [
                len(chunk).to_bytes(2, "big") + chunk + bytes((octet,))
                for chunk, octet in zip(_chunks(self.data), self.checksums, strict=False)
            ]
        )

    def as_dict(self) -> dict[str, Any]:
        """Return data and verdict as JSON has them."""
        return {"data": self.data.hex(), "checksum_ok": self.checksum_ok}


_set_data, _set_checksums = (field.set for field in TableData.fields)


class TableDataForm(FieldForm[TableData]):
    """Table-data as the field of a service."""

    __slots__ = ()

    read = staticmethod(TableData.read)

    def write(self, value: TableData) -> bytes:
        """Write chunk after chunk."""
        return value.write()

    def check(self, value: TableData) -> TableData:
        """Take table-data."""
        if not isinstance(value, TableData):
            raise TypeError(f"TableData is needed, not {type(value).__name__}")
        return value


TABLE_DATA = TableDataForm()


class MoreTableData(FieldForm[tuple[TableData, ...]]):
    """Further table-data up to the very end of the service, or none."""

    __slots__ = ()

    def read(self, octets: bytes, at: int, end: int) -> tuple[tuple[TableData, ...], int]:
        """Read them only if nothing is left over."""
        blocks, after = [], at
        try:
            while after < end:
                block, after = TableData.read(octets, after, end)
                blocks.append(block)
        except DecodeError:
            return (), at
        return tuple(blocks), after

    def write(self, value: tuple[TableData, ...]) -> bytes:
        """Write one after the other."""
        return b"".join([block.write() for block in value])

    def check(self, value: tuple[TableData, ...]) -> tuple[TableData, ...]:
        """Take any sequence of them."""
        return tuple([TABLE_DATA.check(block) for block in value])


MORE_TABLE_DATA = MoreTableData()
