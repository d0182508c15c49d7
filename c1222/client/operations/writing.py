"""Octets of tables into a meter: in one piece where that fits the peer, otherwise by offset, piece by piece.

A write counts as done when the meter said so, and never before.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from c1219.registry import table_label
from c1222.client.errors import HalfWritten, WriteUnknown
from c1222.client.operations.reading import HEADER_ROOM, PartialRead, Reading
from c1222.errors import RemoteError
from c1222.services import ErrorResponse, Refusal, TableData
from c1222.services.results import Onp, Rqtl, Sns
from c1222.services.tables import WriteOffsetRequest, WriteRequest, table_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from c1222.client.steps import Operation
    from c1222.services.malformed import Answer

__all__ = ["Writing"]

_PROCEDURE_TABLE: Final = 7


class Writing(Reading):
    """Writes octets of tables."""

    @property
    def _request_room(self) -> int:
        """Octets of table data that fit a request."""
        initiator = self.initiator
        limits = filter(None, (initiator.max_request, initiator.link.max_size))
        room = min(max(limit - HEADER_ROOM, limit // 3, 1) for limit in limits)
        return room if self._chunk is None else min(room, self._chunk)

    def _put(self, table: int, octets: bytes, offset: int | None = None) -> Operation[None]:
        """Write a whole table, or a stretch of one.

        Args:
            table: identifier of the table.
            octets: what to write.
            offset: where; None for the whole table.

        Raises:
            WriteUnknown: nobody knows whether it is written.
            HalfWritten: only part of it is written.
            Refusal: the meter refused, and nothing is written.
        """
        if offset is not None and not self._reads_offsets(table):
            yield from self._patch(table, octets, offset)
            return
        divisible = len(octets) > 1 and table != _PROCEDURE_TABLE and self._reads_offsets(table)
        refusal: Refusal | None = Rqtl()
        if len(octets) <= self._request_room or not divisible:
            refusal = yield from self._put_once(table, octets, offset)
        if refusal is None:
            return
        if isinstance(refusal, Rqtl) and divisible:
            yield from self._put_pieces(table, octets, offset or 0, min(self._request_room, len(octets) // 2))
        elif isinstance(refusal, (Onp, Sns)) and offset is not None:
            self._note_refusal(PartialRead(table, offset), refusal)
            yield from self._patch(table, octets, offset)
        else:
            yield from self._learn_tables(refusal)
            raise self._refused(refusal, PartialRead(table))

    def _put_once(self, table: int, octets: bytes, offset: int | None) -> Operation[Refusal | None]:
        data = TableData(octets)
        request = WriteRequest(table, data) if offset is None else WriteOffsetRequest(table, offset, data)
        try:
            answers = yield from self._exchange(request)
        except WriteUnknown as error:
            error.finish = partial(self._finish, table, octets, offset)
            raise
        answer = answers[0] if answers else None
        if isinstance(answer, ErrorResponse):
            return answer.error(table_name(table))
        self._ok(answer, request)
        self._changed(table, octets, offset)
        return None

    def _finish(self, table: int, octets: bytes, offset: int | None, answers: Sequence[Answer]) -> Operation[None]:
        """Take the answer to a write that was repeated."""
        request = WriteRequest(table, TableData(octets))
        self._ok(answers[0] if answers else None, request)
        self._changed(table, octets, offset)
        yield from ()

    def _put_pieces(self, table: int, octets: bytes, offset: int, room: int) -> Operation[None]:
        done = 0
        while done < len(octets):
            piece = octets[done : done + min(room, self._request_room)]
            try:
                refusal = yield from self._put_once(table, piece, offset + done)
            except RemoteError as error:
                if done or isinstance(error, WriteUnknown):
                    raise HalfWritten(table, done, len(octets), error) from error
                raise
            if isinstance(refusal, Rqtl) and len(piece) > 1:
                room = min(self._request_room, len(piece) // 2)
            elif refusal is not None and done:
                raise HalfWritten(table, done, len(octets), refusal)
            elif refusal is not None:
                raise self._refused(refusal, PartialRead(table))
            else:
                done += len(piece)

    def _patch(self, table: int, octets: bytes, offset: int) -> Operation[None]:
        """Change a stretch of a table of a meter that only takes whole ones: read it, change it, write it."""
        (whole,) = yield from self._fetch([PartialRead(table)])
        yield from self._put(table, whole[:offset] + octets + whole[offset + len(octets) :])

    def _changed(self, table: int, octets: bytes, offset: int | None) -> None:
        """Keep the device as the meter now is."""
        if table == _PROCEDURE_TABLE:
            return
        label = table_label(table)
        image = self.device.get(label)
        if offset is None:
            self.device.put(label, octets)
        elif image is not None and offset + len(octets) <= len(image.raw):
            self.device.put(label, image.raw[:offset] + octets + image.raw[offset + len(octets) :])
        else:
            self.device.drop(label)
