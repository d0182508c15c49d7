"""A-XDR: octets of COSEM data, and back, bounded.

Sources: Gurux.DLMS and dlms-cosem [V].
"""

from __future__ import annotations

import struct
from typing import Any, Final

from c1219.cosem.data import NULL, Data, DataType
from c1222.errors import DecodeError, EncodeError, LimitExceeded
from c1222.message.ber import encode_length

__all__ = ["MAX_DEPTH", "MAX_ITEMS", "Reader", "decode", "encode"]

MAX_DEPTH: Final = 8
"""Arrays and structures within each other."""
MAX_ITEMS: Final = 4096
"""Values in all."""
_NUMBERS: Final = {
    DataType.BOOLEAN: struct.Struct(">?"), DataType.INT32: struct.Struct(">i"), DataType.UINT32: struct.Struct(">I"),
    DataType.BCD: struct.Struct(">b"), DataType.INT8: struct.Struct(">b"), DataType.INT16: struct.Struct(">h"),
    DataType.UINT8: struct.Struct(">B"), DataType.UINT16: struct.Struct(">H"), DataType.INT64: struct.Struct(">q"),
    DataType.UINT64: struct.Struct(">Q"), DataType.ENUM: struct.Struct(">B"), DataType.FLOAT32: struct.Struct(">f"),
    DataType.FLOAT64: struct.Struct(">d"),
}  # fmt: skip
_FIXED: Final = {DataType.DATE_TIME: 12, DataType.DATE: 5, DataType.TIME: 4}
_TEXTS: Final = {DataType.VISIBLE_STRING: "ascii", DataType.UTF8_STRING: "utf-8"}
_CONSTRUCTED: Final = frozenset({DataType.ARRAY, DataType.STRUCTURE})
_TAGS: Final = {int(type_): type_ for type_ in DataType}


def encode(data: Data) -> bytes:
    """Return the octets of a value.

    Raises:
        EncodeError: the value is none of its type.
    """
    parts: list[bytes] = []
    try:
        _write(data, parts)
    except (struct.error, TypeError, AttributeError, UnicodeError, OverflowError) as error:
        raise EncodeError(f"this is no value of COSEM: {error}") from error
    return b"".join(parts)


def _write(data: Data, parts: list[bytes]) -> None:
    type_, value = data
    tag = bytes((type_,))
    number = _NUMBERS.get(type_)
    if number is not None:
        parts.append(tag + number.pack(value))
    elif type_ is DataType.NULL:
        parts.append(tag)
    elif type_ in _CONSTRUCTED:
        parts.append(tag + encode_length(len(value)))
        for one in value:
            _write(one, parts)
    elif type_ is DataType.OCTET_STRING:
        parts.append(tag + encode_length(len(value)) + value)
    elif type_ in _TEXTS:
        octets = value.encode(_TEXTS[type_])
        parts.append(tag + encode_length(len(octets)) + octets)
    elif type_ is DataType.BIT_STRING:
        padded = value + "0" * (-len(value) % 8)
        parts.append(tag + encode_length(len(value)) + int("1" + padded, 2).to_bytes(len(padded) // 8 + 1, "big")[1:])
    elif len(value) == _FIXED[type_]:
        parts.append(tag + value)
    else:
        raise EncodeError(f"{type_.name} has {_FIXED[type_]} octets, not {len(value)}")


class Reader:
    """Reads octets one after the other; what is not there is an error with its place.

    Args:
        octets: what to read.
        path: what it is, for errors.

    Attributes:
        at: place of the next octet.
    """

    def __init__(self, octets: bytes, path: str = "axdr", *, max_items: int = MAX_ITEMS) -> None:
        self.octets = octets
        self.at = 0
        self._path = path
        self._left = max_items

    def error(self, text: str) -> DecodeError:
        """Return the error of this place."""
        return DecodeError(self._path, self.at, text)

    def take(self, count: int) -> bytes:
        """Return the next octets.

        Raises:
            DecodeError: there are not so many.
        """
        end = self.at + count
        if end > len(self.octets):
            raise self.error(f"{count} octets are needed, and {len(self.octets) - self.at} are left")
        taken = self.octets[self.at : end]
        self.at = end
        return taken

    def number(self, size: int = 1) -> int:
        """Return the next number without sign.

        Raises:
            DecodeError: there are not so many octets.
        """
        return int.from_bytes(self.take(size), "big")

    def length(self) -> int:
        """Return a length, one octet or more.

        Raises:
            DecodeError: there is none, or it has more than 4 octets.
        """
        first = self.number()
        if first < 0x80:
            return first
        if not 0x81 <= first <= 0x84:
            raise self.error(f"{first:02X} begins no length")
        return self.number(first & 0x7F)

    def end(self) -> None:
        """Check that all was read.

        Raises:
            DecodeError: octets are left.
        """
        if self.at != len(self.octets):
            raise self.error(f"{len(self.octets) - self.at} octets are left over")

    def data(self, depth: int = 0) -> Data:
        """Return the next value.

        Raises:
            DecodeError: there is none.
            LimitExceeded: it has too many parts, or too many within each other.
        """
        if depth > MAX_DEPTH:
            raise LimitExceeded(self._path, self.at, f"more than {MAX_DEPTH} arrays and structures within each other")
        self._left -= 1
        if self._left < 0:
            raise LimitExceeded(self._path, self.at, "too many values")
        tag = self.number()
        type_ = _TAGS.get(tag)
        if type_ is None:
            raise self.error(f"no type of data has tag {tag:02X}")
        return Data(type_, self._value(type_, depth)) if type_ is not DataType.NULL else NULL

    def _value(self, type_: DataType, depth: int) -> Any:
        number = _NUMBERS.get(type_)
        if number is not None:
            return number.unpack(self.take(number.size))[0]
        if type_ in _FIXED:
            return self.take(_FIXED[type_])
        count = self.length()
        if type_ in _CONSTRUCTED:
            if count > len(self.octets) - self.at:
                raise self.error(f"{count} values do not fit into {len(self.octets) - self.at} octets")
            return tuple(self.data(depth + 1) for _ in range(count))
        if type_ is DataType.BIT_STRING:
            bits = "".join(f"{octet:08b}" for octet in self.take((count + 7) // 8))
            return bits[:count]
        octets = self.take(count)
        if type_ is DataType.OCTET_STRING:
            return octets
        try:
            return octets.decode(_TEXTS[type_])
        except UnicodeError as error:
            raise self.error(f"no text: {error}") from error


def decode(octets: bytes, *, max_items: int = MAX_ITEMS) -> Data:
    """Return the value that octets are.

    Args:
        octets: the whole value.
        max_items: limit for the number of values in it.

    Raises:
        DecodeError: they are none, or more than one.
        LimitExceeded: it has too many parts.
    """
    reader = Reader(octets, max_items=max_items)
    value = reader.data()
    reader.end()
    return value
