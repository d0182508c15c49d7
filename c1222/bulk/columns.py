"""Columns of the messages that were opened together, as `c1222.bulk.schema.BULK_MESSAGES` names them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa

from c1222.bulk.merging import numbered_words
from c1222.bulk.shapes import BEFORE_INTEGER
from c1222.message.acse_declaration import plan
from c1222.message.epsem import ED_CLASS_SIZE, Control

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from c1222.bulk.batch import ApduBatch
    from c1222.bulk.opening import OpenedShape, Titles

__all__ = ["UsualRows"]


class UsualRows:
    """What is known of the usual messages of a batch, by row; of other rows it means nothing.

    Args:
        batch: the batch.
        opened: the messages.
        titles: that they name.

    Attributes:
        frame: number of the frame.
        titles: as given.
        shape: of each row, the position of its shape; -1 for what is not usual.
        responds: whether it is a response.
        called: the number of its called title.
        calling: the number of its calling title.
        key: the position of its key; -1 in cleartext.
        said: octet of the key id and vector, where there is a key.
        number: calling invocation id.
        quoted: called invocation id, in responses.
    """

    def __init__(self, batch: ApduBatch, opened: Sequence[OpenedShape], titles: Titles) -> None:
        count = batch.count
        self.frame = batch.frame
        self.titles = titles
        self._batch = batch
        self._opened = opened
        self.shape = np.full(count, -1, np.int64)
        self.key = self.shape.copy()
        self.called, self.calling, self.number, self.quoted, self._qualifier, self._place = np.zeros(
            (6, count), np.int64
        )
        self.responds = np.zeros(count, np.bool_)
        self.said = np.zeros((count, 1 + len(range(*plan().iv.indices(256)))), np.uint8)
        for position, some in enumerate(opened):
            rows, octets, parts = some.shape.rows, some.shape.octets, some.shape.parts
            self.shape[rows] = position
            self._place[rows] = np.arange(len(rows))
            self.called[rows], self.calling[rows] = some.called, some.calling
            self.number[rows] = _integers(octets[:, parts.number])
            if some.responds:
                self.responds[rows] = True
                self.quoted[rows] = _integers(octets[:, parts.quoted][:, BEFORE_INTEGER:])
            if parts.qualifier.start < parts.qualifier.stop:
                self._qualifier[rows] = _integers(octets[:, parts.qualifier])
            if some.key is not None:
                self.key[rows] = some.key
                self.said[rows] = octets[:, [parts.key_id.start, *range(parts.iv.start, parts.iv.stop)]]

    def opened(self, row: int) -> tuple[OpenedShape, bytes]:
        """Return the shape of a message, and its body."""
        some = self._opened[self.shape[row]]
        return some, some.body[self._place[row]].tobytes()

    def services(self, row: int) -> bytes:
        """Return the services of a message, with their lengths."""
        some, body = self.opened(row)
        return body[some.start :]

    def where(self, row: int) -> tuple[str, str]:
        """Return sender and receiver of a message."""
        return self._batch.src[row], self._batch.dst[row]

    def columns(self, rows: NDArray[np.int64]) -> dict[str, pa.Array]:
        """Return the columns but for services and requests, and those that the batch itself has.

        Args:
            rows: which rows, in order.
        """
        shapes = self.shape[rows]
        controls = [Control.from_octet(some.shape.control) for some in self._opened]
        parts = [some.shape.parts for some in self._opened]
        clear = self.key[rows] < 0
        qualified = np.array([part.qualifier.start < part.qualifier.stop for part in parts], np.bool_)[shapes]
        said = self.said[rows]
        titles = pa.array(self.titles.texts, pa.string())  # no two elements have the same text
        classes = np.array([some.start > 0 for some in self._opened], np.bool_)[shapes]
        return {
            "called": pa.DictionaryArray.from_arrays(pa.array(self.called[rows].astype(np.int32)), titles),
            "calling": pa.DictionaryArray.from_arrays(pa.array(self.calling[rows].astype(np.int32)), titles),
            "called_invocation_id": pa.array(self.quoted[rows], mask=~self.responds[rows]),
            "calling_invocation_id": pa.array(self.number[rows]),
            "calling_ae_qualifier": pa.array(self._qualifier[rows], mask=~qualified),
            "key_id": pa.array(said[:, 0].astype(np.int64), mask=clear),
            "iv": _hex(said[:, 1:], ~clear),
            "security_mode": numbered_words(shapes, [control.mode.label for control in controls]),
            "authenticated": pa.array(~clear, mask=clear),
            "response_control": numbered_words(shapes, [control.response_control.label for control in controls]),
            "ed_class": _hex(self._classes(rows, classes), classes),
            "findings": pa.repeat(pa.scalar("[]"), len(rows)),
        }

    def _classes(self, rows: NDArray[np.int64], there: NDArray[np.bool_]) -> NDArray[np.uint8]:
        """Return the class of the end device of each message, zeros where there is none."""
        result = np.zeros((len(rows), ED_CLASS_SIZE), np.uint8)
        if there.any():
            whole = np.zeros((len(self.shape), ED_CLASS_SIZE), np.uint8)
            for some in self._opened:
                if some.start:
                    whole[some.shape.rows] = some.body[:, : some.start]
            result = whole[rows]
        return result


_DIGITS: Final = np.frombuffer(b"".join([b"%02x" % octet for octet in range(256)]), np.uint16)


def _hex(octets: NDArray[np.uint8], there: NDArray[np.bool_]) -> pa.Array:
    """Return octets in hex; null where there are none."""
    count, size = octets.shape
    offsets = np.arange(count + 1, dtype=np.int32) * (2 * size)
    buffers = [
        pa.py_buffer(each) for each in (np.packbits(there, bitorder="little"), offsets, np.take(_DIGITS, octets))
    ]
    return pa.Array.from_buffers(pa.string(), count, buffers)


def _integers(octets: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return big-endian unsigned integers, of no more than 7 octets; 0 for none."""
    result = np.zeros(len(octets), np.int64)
    for column in octets.T:
        result = result << 8 | column
    return result
