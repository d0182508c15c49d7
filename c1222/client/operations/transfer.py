"""Octets of tables out of a meter and into it: whole or in part, in one message or in pieces that fit the peer.

A write counts as done when the meter said so, and never before.
"""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Final

from c1219.errors import C1219Error
from c1219.rules import offer
from c1219.tableid import table_label
from c1222.client.errors import HalfWritten, TableAbsent, WriteUnknown
from c1222.client.operations.conversation import expect_ok
from c1222.client.operations.peer_limits import WHOLE_ONLY, PeerLimits
from c1222.client.operations.read_so_far import ReadSoFar
from c1222.client.operations.reading import PartialRead, ReadOfParts
from c1222.errors import RemoteError
from c1222.services import ErrorResponse, Refusal, TableData
from c1222.services.results import Iar, Rqtl
from c1222.services.tables import WriteOffsetRequest, WriteRequest, table_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from c1219.device import Device
    from c1222.client.operations.conversation import Conversation
    from c1222.client.steps import Operation
    from c1222.services.malformed import Answer

__all__ = ["Transfer"]

_PROCEDURE_TABLE: Final = 7


class Transfer:
    """Reads and writes octets of tables, and keeps the device as the meter is.

    Args:
        conversation: exchanges services with the meter.
        device: the tables read so far; takes what is written and what `keep` is given.
        chunk: most octets of table data to ask for or send in one message; None for what fits the link and what the
            meter tells.
    """

    __slots__ = ("_conversation", "_device", "_limits")

    def __init__(self, conversation: Conversation, device: Device, *, chunk: int | None = None) -> None:
        self._conversation = conversation
        self._device = device
        self._limits = PeerLimits(conversation.initiator, device, chunk)

    # Out of the meter.

    def fetch(self, parts: Sequence[PartialRead], so_far: ReadSoFar | None = None) -> Operation[list[bytes]]:
        """Read parts of tables, all of them.

        Raises:
            Refusal: the meter refused one; and what `fetch_some` raises.
        """
        found = yield from self.fetch_some(parts, so_far)
        octets: list[bytes] = []
        for part, data in zip(parts, found, strict=True):
            if isinstance(data, Refusal):
                yield from self._learn_tables(data)
                raise self.refused(data, part)
            octets.append(data)
        return octets

    def fetch_some(
        self, parts: Sequence[PartialRead], so_far: ReadSoFar | None = None
    ) -> Operation[list[bytes | Refusal]]:
        """Read parts of tables, as far as the meter does not refuse.

        Args:
            parts: what to read.
            so_far: where to keep what comes, and to look for what came before.

        Returns:
            The octets of each part, or why the meter refused it.

        Raises:
            ReadInterrupted: there is no answer, and a part was read already; the error itself when none was.
            CutShort, ChecksumWrong: an answer is not what it should be.
        """
        so_far = ReadSoFar() if so_far is None else so_far
        return ReadOfParts(parts, self._conversation, self._limits, so_far).run()

    def keep(self, tables: Iterable[int], octets: Sequence[bytes | Refusal]) -> Mapping[int, Refusal]:
        """Put tables that were read into the device, and return what was refused."""
        refused = {}
        for table, data in zip(tables, octets, strict=True):
            if isinstance(data, Refusal):
                refused[table] = data
            else:
                self._device.put(table_label(table), data)
        return refused

    # Into the meter.

    def put(self, table: int, octets: bytes, offset: int | None = None) -> Operation[None]:
        """Write a whole table, or a part of one.

        Args:
            table: identifier of the table.
            octets: what to write.
            offset: where; None for the whole table.

        Raises:
            WriteUnknown: nobody knows whether it is written.
            HalfWritten: only part of it is written.
            Refusal: the meter refused, and nothing is written.
        """
        limits = self._limits
        yield from self._conversation.agree_on_sizes()
        if offset is not None and not limits.takes_offsets(table):
            yield from self._patch(table, octets, offset)
            return
        divisible = len(octets) > 1 and table != _PROCEDURE_TABLE and limits.takes_offsets(table)
        refusal: Refusal | None = Rqtl()
        if len(octets) <= limits.request_room or not divisible:
            refusal = yield from self._put_once(table, octets, offset)
        if refusal is None:
            return
        if isinstance(refusal, Rqtl) and divisible:
            yield from self._put_pieces(table, octets, offset or 0, min(limits.request_room, len(octets) // 2))
        elif refusal.code in WHOLE_ONLY and offset is not None:
            limits.learn_whole_only(table, refusal)
            yield from self._patch(table, octets, offset)
        else:
            yield from self._learn_tables(refusal)
            raise self.refused(refusal, PartialRead(table))

    def _put_once(self, table: int, octets: bytes, offset: int | None) -> Operation[Refusal | None]:
        data = TableData(octets)
        request = WriteRequest(table, data) if offset is None else WriteOffsetRequest(table, offset, data)
        try:
            answers = yield from self._conversation.exchange(request)
        except WriteUnknown as error:
            error.finish = partial(self._finish, table, octets, offset)
            raise
        answer = answers[0] if answers else None
        if isinstance(answer, ErrorResponse):
            return answer.error(table_name(table))
        expect_ok(answer, request)
        self._written(table, octets, offset)
        return None

    def _finish(self, table: int, octets: bytes, offset: int | None, answers: Sequence[Answer]) -> Operation[None]:
        """Take the answer to a write that was repeated."""
        expect_ok(answers[0] if answers else None, WriteRequest(table, TableData(octets)))
        self._written(table, octets, offset)
        yield from ()

    def _put_pieces(self, table: int, octets: bytes, offset: int, room: int) -> Operation[None]:
        limits = self._limits
        done = 0
        while done < len(octets):
            piece = octets[done : done + min(room, limits.request_room)]
            try:
                refusal = yield from self._put_once(table, piece, offset + done)
            except RemoteError as error:
                if done or isinstance(error, WriteUnknown):
                    raise HalfWritten(table, done, len(octets), error) from error
                raise
            if isinstance(refusal, Rqtl) and len(piece) > 1:
                room = min(limits.request_room, len(piece) // 2)
            elif refusal is not None and done:
                raise HalfWritten(table, done, len(octets), refusal)
            elif refusal is not None:
                raise self.refused(refusal, PartialRead(table))
            else:
                done += len(piece)

    def _patch(self, table: int, octets: bytes, offset: int) -> Operation[None]:
        """Change a part of a table of a meter that only takes whole ones: read it, change it, write it."""
        (whole,) = yield from self.fetch([PartialRead(table)])
        yield from self.put(table, whole[:offset] + octets + whole[offset + len(octets) :])

    def _written(self, table: int, octets: bytes, offset: int | None) -> None:
        """Keep the device as the meter now is."""
        if table == _PROCEDURE_TABLE:
            return
        label = table_label(table)
        image = self._device.get(label)
        if offset is None:
            self._device.put(label, octets)
        elif image is not None and offset + len(octets) <= len(image.raw):
            self._device.put(label, image.raw[:offset] + octets + image.raw[offset + len(octets) :])
        else:
            self._device.drop(label)

    # What the meter has.

    def lists(self, table: int) -> bool | None:
        """Tell whether the meter's ST0 lists a table; None when it is not known."""
        try:
            general = self._device[0].value if 0 in self._device else None
        except C1219Error:
            return None
        return None if general is None else offer.lists(general, table)

    def refused(self, refusal: Refusal, part: PartialRead) -> Refusal:
        """Return a refusal as the error to raise: more precise where the meter's ST0 tells more."""
        if isinstance(refusal, Iar) and self.lists(part.table) is False:
            return TableAbsent(part.name, parameters=refusal.parameters, service=refusal.service)
        return refusal

    def _learn_tables(self, refusal: Refusal) -> Operation[None]:
        """Read which tables there are, if that may be why the meter refused one."""
        if isinstance(refusal, Iar) and 0 not in self._device:
            with suppress(RemoteError):
                self.keep([0], (yield from self.fetch_some([PartialRead(0)])))
