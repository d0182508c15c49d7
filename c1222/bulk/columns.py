"""Columns of the messages that were opened together, as `c1222.capture.messages.MESSAGES` names them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from c1222.bulk.merging import numbered_words
from c1222.bulk.schema import services_column
from c1222.bulk.shapes import BEFORE_INTEGER
from c1222.message.epsem import Control

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from c1222.bulk.opening import OpenedShape, Titles

__all__ = ["UsualRows"]


class UsualRows:
    """What is known of the usual messages of a batch, by row; of other rows it means nothing.

    Args:
        count: rows of the batch.
        opened: the messages.
        titles: that they name.

    Attributes:
        shapes: the messages by their shape.
        shape: of each row, the position of its shape; -1 for what is not usual.
        called: of each row, the number of its called title.
        calling: of each row, the number of its calling title.
        key: of each row, the position of its key; -1 in cleartext.
        said: octet of the key id and vector, where there is a key.
        number: calling invocation id.
        quoted: called invocation id, in responses.
        body: ED class and services.
        reply_to: frame of the request.
        asked: services of the request.
        services: what the column has; None where that has to be found out.
    """

    def __init__(self, count: int, opened: Sequence[OpenedShape], titles: Titles) -> None:
        self._titles = titles
        self.shapes = opened
        self._shape = np.full(count, -1, np.int64)
        self._called, self._calling, self._number, self._quoted, self._qualifier, self._key, self._key_id = np.zeros(
            (7, count), np.int64
        )
        self.body: list[bytes] = [b""] * count
        self.said: list[bytes] = [b""] * count
        for position, some in enumerate(opened):
            rows, octets, parts = some.shape.rows, some.shape.octets, some.shape.parts
            self._shape[rows] = position
            self._called[rows], self._calling[rows] = some.called, some.calling
            self._number[rows] = _integers(octets[:, parts.number])
            self._quoted[rows] = _integers(octets[:, parts.quoted][:, BEFORE_INTEGER:])
            self._qualifier[rows] = _integers(octets[:, parts.qualifier])
            self._key[rows] = -1 if some.key is None else some.key
            places = rows.tolist()
            for row, body in zip(places, _rows(some.body), strict=True):
                self.body[row] = body
            if some.key is not None:
                said = np.hstack((octets[:, parts.key_id], octets[:, parts.iv]))
                self._key_id[rows] = said[:, 0]
                for row, each in zip(places, _rows(said), strict=True):
                    self.said[row] = each
        self.shape: list[int] = self._shape.tolist()
        self.called: list[int] = self._called.tolist()
        self.calling: list[int] = self._calling.tolist()
        self.key: list[int] = self._key.tolist()
        self.number: list[int] = self._number.tolist()
        self.quoted: list[int] = self._quoted.tolist()
        self.reply_to: list[int | None] = [None] * count
        self.asked: list[bytes] = [b""] * count
        self.services: list[tuple[Any, ...] | None] = [None] * count

    def columns(self, rows: NDArray[np.int64]) -> dict[str, pa.Array]:
        """Return the columns but for those that the batch itself has.

        Args:
            rows: which rows, in order.
        """
        shapes, places = self._shape[rows], rows.tolist()
        controls = [Control.from_octet(some.shape.control) for some in self.shapes]
        parts = [some.shape.parts for some in self.shapes]
        clear = self._key[rows] < 0
        responds = np.array([some.responds for some in self.shapes], np.bool_)[shapes]
        qualified = np.array([part.qualifier.start < part.qualifier.stop for part in parts], np.bool_)[shapes]
        ivs = [said[1:].hex() if said else None for said in map(self.said.__getitem__, places)]
        start = [some.start for some in self.shapes]
        classes: list[str | None] = [None] * len(places)
        if any(start):
            classes = [self.body[row][: start[self.shape[row]]].hex() or None for row in places]
        return {
            "called": numbered_words(self._called[rows], self._titles.texts),
            "calling": numbered_words(self._calling[rows], self._titles.texts),
            "called_invocation_id": pa.array(self._quoted[rows], mask=~responds),
            "calling_invocation_id": pa.array(self._number[rows]),
            "calling_ae_qualifier": pa.array(self._qualifier[rows], mask=~qualified),
            "key_id": pa.array(self._key_id[rows], mask=clear),
            "iv": pa.array(ivs, pa.string()),
            "security_mode": numbered_words(shapes, [control.mode.label for control in controls]),
            "authenticated": pa.array(~clear, mask=clear),
            "response_control": numbered_words(shapes, [control.response_control.label for control in controls]),
            "ed_class": pa.array(classes, pa.string()),
            "services": services_column([self.services[row] or () for row in places]),
            "reply_to": pa.array([self.reply_to[row] for row in places], pa.int64()),
            "findings": pa.repeat(pa.scalar("[]"), len(rows)),
        }


def _rows(matrix: NDArray[np.uint8]) -> list[bytes]:
    count, size = matrix.shape
    octets = matrix.tobytes()
    return [octets[at : at + size] for at in range(0, count * size, size)]


def _integers(octets: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return big-endian unsigned integers, of no more than 7 octets; 0 for none."""
    result = np.zeros(len(octets), np.int64)
    for column in octets.T:
        result = result << 8 | column
    return result
