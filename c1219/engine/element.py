"""Element: one named part of a table in one device, with its place and a codec of its own."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from c1219.engine import stepwise
from c1219.engine.bound import BoundLeaf, Place, type_name
from c1219.engine.generated import FAILURES, compile_codec
from c1219.errors import DecodeError, EncodeError

if TYPE_CHECKING:
    from collections.abc import Callable

    from c1219.engine.bound import BoundTable

__all__ = ["Element"]


class Element:
    """One element, record, array or slice of a table in one device.

    Attributes:
        table: label of the table, for example ``ST23``.
        path: full path, for example ``ST23.TOT_DATA_BLOCK.SUMMATIONS[0]``.
        offset: octets from the start of the table.
        size: octets.
        count: entries of an array or slice, else 1.
        index_path: C12.19 index path; of the first entry for a slice.
        type: type as in the standard, with its present form.
        doc: what the declaration says about it.
        bits: number of the sub-field in its bit field, or None. Offset and size are the bit field's.
        order: ``<`` or ``>``, the order of octets in numbers.
        node: its part of the strided tree.
    """

    __slots__ = (
        "_get",
        "bits",
        "count",
        "doc",
        "index_path",
        "node",
        "offset",
        "order",
        "path",
        "size",
        "table",
        "type",
    )

    def __init__(self, table: BoundTable, path: str, place: Place) -> None:
        self.table = table.label
        self.path = f"{table.label}.{path}" if path else table.label
        self.order = table.order
        self.offset = place.offset
        self.size = place.node.size
        self.count = place.entries
        self.index_path = place.index_path
        self.bits = place.bits
        self.doc = place.doc
        self.node = place.node
        self.type = type_name(place.node)
        if place.bits is not None and isinstance(place.node, BoundLeaf):
            span = place.node.declared.spans[place.bits]
            self.type = f"{span.kind}({span.low}..{span.high}) of {self.type}"
        self._get: Callable[[bytes, int], Any] | None = None

    def __repr__(self) -> str:
        index = ".".join(map(str, self.index_path))
        return f"<{self.path}: {self.type}, offset {self.offset}, {self.size} octets, index {index}>"

    def get(self, octets: bytes) -> Any:
        """Return the value of this element in the octets of the whole table.

        Raises:
            DecodeError: the octets end before it, or express no value.
        """
        return self._decode(octets, self.offset)

    def decode(self, octets: bytes) -> Any:
        """Return the value of this element from its own octets, as a partial read gives them.

        Raises:
            DecodeError: too few or too many octets, or no value; the offset counts from the start of the table.
        """
        if len(octets) != self.size:
            raise DecodeError(self.path, self.offset, f"{self.size} octets are needed, not {len(octets)}")
        try:
            return self._decode(octets, 0)
        except DecodeError as error:
            raise DecodeError(error.path, error.offset + self.offset, error.reason) from error

    def _decode(self, octets: bytes, offset: int) -> Any:
        get = self._get
        if get is None:
            get = self._get = self._getter()
        try:
            if len(octets) >= offset + self.size:
                return get(octets, offset)
        except FAILURES:
            pass  # what is wrong, and where, is found below
        value = stepwise.decode(self.node, bytes(octets), offset, self.path, None)
        return value if self.bits is None else value[self.bits]

    def _getter(self) -> Callable[[bytes, int], Any]:
        node, bits = self.node, self.bits
        if not isinstance(node, BoundLeaf):
            return compile_codec(node, self.order, self.path)[0]
        get = _leaf_getter(node, self.order)
        return get if bits is None else lambda octets, offset: get(octets, offset)[bits]

    def encode(self, value: Any) -> bytes:
        """Return the octets of this element alone, as a partial write sends them.

        Raises:
            EncodeError: the value has no form on the wire, or this is a sub-field (write its bit field).
        """
        if self.bits is not None:
            raise EncodeError(self.path, "a sub-field has no octets of its own: write its bit field")
        return stepwise.encode(self.node, value, self.path)

    def put(self, octets: bytes, value: Any) -> bytes:
        """Return the octets of the whole table with this element changed and everything else as it was.

        Raises:
            EncodeError: the value has no form on the wire; DecodeError: the octets end before this element.
        """
        own = bytes(octets[self.offset : self.offset + self.size])
        if len(own) != self.size:
            raise DecodeError(self.path, len(octets), "the table ends before this element")
        if self.bits is None:
            new = stepwise.encode(self.node, value, self.path)
        else:
            record = stepwise.decode(self.node, bytes(octets), self.offset, self.path, None)
            plain = stepwise.encode(self.node, record, self.path)
            changed = stepwise.encode(self.node, (*record[: self.bits], value, *record[self.bits + 1 :]), self.path)
            # Bits that no name covers stay as they are.
            new = bytes(one ^ two ^ three for one, two, three in zip(own, plain, changed, strict=True))
        if self.size and isinstance(self.node, BoundLeaf) and _same(self.node, own, new):
            new = own
        return bytes(octets[: self.offset]) + new + bytes(octets[self.offset + self.size :])

    def to_json(self, value: Any) -> Any:
        """Return a value of this element in terms of JSON."""
        return value if self.bits is not None else stepwise.to_json(self.node, value)

    def from_json(self, value: Any) -> Any:
        """Return the value that `to_json` showed.

        Raises:
            EncodeError: it shows no value of this element.
        """
        return value if self.bits is not None else stepwise.from_json(self.node, value, self.path)


def _leaf_getter(leaf: BoundLeaf, order: str) -> Callable[[bytes, int], Any]:
    """Return a function (octets, offset) -> value of one leaf; it is not worth a generated one."""
    form, size, load = leaf.form, leaf.size, leaf.form.loader
    if len(form.codes) == 1 and form.load in ("{0}", "{f}({0})"):
        unpack = struct.Struct(order + form.codes[0]).unpack_from
        if form.load == "{0}":
            return lambda octets, offset: unpack(octets, offset)[0]
        return lambda octets, offset: load(unpack(octets, offset)[0])

    return lambda octets, offset: form.decode(bytes(octets[offset : offset + size]))


def _same(leaf: BoundLeaf, own: bytes, new: bytes) -> bool:
    """Whether a new canonical form says what the octets say already."""
    try:
        return leaf.form.encode(leaf.form.decode(own)) == new
    except ValueError:
        return False
