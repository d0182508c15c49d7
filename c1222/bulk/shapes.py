"""APDUs of one shape, gathered into a matrix: one of them is taken apart, and the others are known to be alike.

A shape is where the parts of a usual APDU stand. It is told by the octets that are in none of the parts, tags and
lengths, so that an APDU of the same size with the same octets there has its parts at the same places.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from c1222.message.acse_declaration import plan
from c1222.message.flat import MAX_FLAT_OCTETS, FlatReader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from c1222.message.flat import FlatApdu

__all__ = ["BEFORE_INTEGER", "FEW", "Parts", "Shape", "alike", "shapes"]

FEW: Final = 12
"""Fewer messages than these are not worth being treated together."""
_TRIES: Final = 64  # APDUs of one size that are taken apart, to find the shapes they have
BEFORE_INTEGER: Final = 4
"""Octets before the content of an integer's element."""
_TITLE: Final = 3  # octets before the content of a title's element, without its tag


class Parts(NamedTuple):
    """Where the parts are; see `FlatApdu` for what they are.

    Attributes:
        called: the element of the called title, without its tag.
        quoted: the whole element of the called invocation id; empty if there is none.
        calling: like ``called``.
        middle: all from behind the calling title through the control octet.
        qualifier: the content of the calling AE qualifier; empty if there is none.
        number: the content of the calling invocation id.
        key_id: the octet of the key id; empty if there is none.
        iv: the initialisation vector; empty if there is none.
        sealed: what follows the control octet.
    """

    called: slice
    quoted: slice
    calling: slice
    middle: slice
    qualifier: slice
    number: slice
    key_id: slice
    iv: slice
    sealed: slice

    @classmethod
    def of(cls, apdu: FlatApdu) -> Parts:
        """Return where the parts of an APDU are."""
        size = len(apdu.octets)
        sealed = slice(size - len(apdu.sealed), size)
        middle = slice(sealed.start - len(apdu.middle), sealed.start)
        calling = slice(middle.start - len(apdu.calling_title), middle.start)
        quoted = slice(calling.start - 1 - len(apdu.quoted or b""), calling.start - 1)
        called = slice(quoted.start - len(apdu.called_title), quoted.start)
        at = middle.start
        qualifier = slice(at, at)
        if apdu.calling_ae_qualifier is not None:
            qualifier = slice(at + BEFORE_INTEGER, at + 2 + apdu.middle[1])
            at = qualifier.stop
        number = slice(at + BEFORE_INTEGER, at + len(apdu.number))
        key_id = iv = slice(number.stop, number.stop)
        if apdu.key_id is not None:
            layout = plan()
            content = number.stop + len(layout.authentication) - layout.iv.stop
            key_id = slice(content + layout.key_id.start, content + layout.key_id.stop)
            iv = slice(content + layout.iv.start, content + layout.iv.stop)
        return cls(called, quoted, calling, middle, qualifier, number, key_id, iv, sealed)

    def fixed(self) -> NDArray[np.bool_]:
        """Return for each octet whether it makes the shape."""
        result = np.ones(self.sealed.stop, np.bool_)
        for title in (self.called, self.calling):
            result[title.start + _TITLE : title.stop] = False
        result[self.quoted.start + BEFORE_INTEGER : self.quoted.stop] = False
        for part in (self.qualifier, self.number, self.key_id, self.iv, self.sealed):
            result[part] = False
        return result


class Shape(NamedTuple):
    """APDUs of one shape.

    Attributes:
        rows: their places in the batch, rising.
        octets: rows × octets.
        control: the control octet of all of them.
        parts: where their parts are.
    """

    rows: NDArray[np.intp]
    octets: NDArray[np.uint8]
    control: int
    parts: Parts

    def taken(self, which: NDArray[np.bool_]) -> Shape:
        """Return the rows chosen."""
        return self if which.all() else self._replace(rows=self.rows[which], octets=self.octets[which])


def shapes(
    octets: NDArray[np.uint8], starts: NDArray[np.int64], sizes: NDArray[np.int64], max_size: int
) -> Iterator[Shape]:
    """Yield the shapes that many APDUs have; APDUs of rare shapes, and what is no usual APDU, are left out.

    Args:
        octets: APDUs, one after the other.
        starts: where each begins.
        sizes: octets of each; 0 for what is not to be looked at.
        max_size: octets of the largest APDU accepted.
    """
    read = FlatReader().read
    for size, rows_of_size in _by_value(sizes):
        rows = rows_of_size
        if not 0 < size <= min(max_size, MAX_FLAT_OCTETS) or len(rows) < FEW:
            continue
        matrix = np.lib.stride_tricks.sliding_window_view(octets, size)[starts[rows]]
        for _ in range(_TRIES):
            apdu = read(matrix[0].tobytes())
            same = np.zeros(len(rows), np.bool_)
            same[0] = True
            if apdu is not None:
                parts = Parts.of(apdu)
                same = alike(matrix, parts.fixed())
                shape = Shape(rows, matrix, apdu.control_octet, parts).taken(same)
                if len(shape.rows) >= FEW:
                    yield shape
            if len(rows) - same.sum() < FEW:
                break
            rows, matrix = rows[~same], matrix[~same]


def alike(matrix: NDArray[np.uint8], where: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which rows have the octets of the first one in some places."""
    columns = np.flatnonzero(where)
    result: NDArray[np.bool_] = (matrix[:, columns] == matrix[0, columns]).all(axis=1)
    return result


def _by_value(values: NDArray[np.int64]) -> Iterator[tuple[int, NDArray[np.intp]]]:
    """Yield every value with where it stands."""
    if not len(values):
        return
    few = values.astype(np.uint16) if values.min() >= 0 and values.max() <= 0xFFFF else values  # sorted faster
    place = np.argsort(few, kind="stable")
    ordered = values[place]
    begins = np.flatnonzero(np.diff(ordered, prepend=ordered[0] - 1))
    yield from zip(ordered[begins].tolist(), np.split(place, begins[1:]), strict=True)
