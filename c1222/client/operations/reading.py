"""One read of octets out of a meter: many parts in few messages, large tables in pieces that fit the peer.

A part is a table or a range of its octets. Small parts go together as far as their answers fit; a part that does not
fit is read by offset, piece by piece.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from c1219.caches import remembered
from c1222.client.errors import ChecksumWrong, CutShort, ReadInterrupted
from c1222.client.operations.conversation import expect_ok
from c1222.client.operations.peer_limits import WHOLE_ONLY
from c1222.errors import ConnectionLost, DecodeError, PeerSilent, RemoteError, SecurityRefused, SessionLost, Unreachable
from c1222.services import ErrorResponse, Refusal
from c1222.services.results import Iar, Rqtl, Rstl
from c1222.services.tables import ReadOffsetRequest, ReadRequest, TableResponse, table_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from c1222.client.operations.conversation import Conversation
    from c1222.client.operations.peer_limits import PeerLimits
    from c1222.client.operations.read_so_far import ReadSoFar
    from c1222.client.steps import Operation
    from c1222.services import Request
    from c1222.services.malformed import Answer

__all__ = ["MAX_SERVICES", "PartialRead", "ReadOfParts"]

MAX_SERVICES: Final = 12
"""Services in one message. Meters have small buffers, and one refusal in a message may cost all of it."""
_AROUND: Final = 6
"""Octets around table data in an answer: length, code, count, checksum."""
_ASSUMED_SIZE: Final = 64
"""Octets that a table of unknown size is taken to have when requests are put together."""
_TRY_ALONE: Final = frozenset({*WHOLE_ONLY, Rqtl.code, Rstl.code})
"""Refusals that may be of the message rather than of the service."""
_NO_ANSWER: Final = (PeerSilent, Unreachable, ConnectionLost, SessionLost, SecurityRefused)


class PartialRead(NamedTuple):
    """A table, or a range of its octets.

    Attributes:
        table: identifier of the table.
        offset: first octet; None for the whole table.
        count: octets; None with the whole table, or to the end of it.
    """

    table: int
    offset: int | None = None
    count: int | None = None  # type: ignore[assignment]  # tuple.count is not needed

    @property
    def request(self) -> Request:
        """The service that reads it."""
        return _request(self)

    @property
    def name(self) -> str:
        """What it is, for people."""
        if self.offset is None:
            return table_name(self.table)
        return f"{table_name(self.table)}, {self.count} octets from {self.offset} on"


@remembered(1024)
def _request(part: PartialRead) -> Request:
    if part.offset is None:
        return ReadRequest(part.table)
    return ReadOffsetRequest(part.table, part.offset, part.count or 0)


class ReadOfParts:
    """Reads parts of tables, as far as the meter does not refuse. Used once.

    Args:
        parts: what to read.
        conversation: exchanges services with the meter.
        limits: what the meter can give at a time.
        so_far: where to keep what comes, and to look for what came before.
    """

    __slots__ = ("_conversation", "_found", "_limits", "_parts", "_sizes", "_so_far")

    def __init__(
        self, parts: Sequence[PartialRead], conversation: Conversation, limits: PeerLimits, so_far: ReadSoFar
    ) -> None:
        self._parts = parts
        self._conversation = conversation
        self._limits = limits
        self._so_far = so_far
        self._sizes = [limits.size_of(part.table) if part.offset is None else part.count for part in parts]
        self._found: dict[int, bytes | Refusal] = {}  # by index of the part

    def run(self) -> Operation[list[bytes | Refusal]]:
        """Read, and return the octets of each part, or why the meter refused it.

        Raises:
            ReadInterrupted: there is no answer, and a part was read already; the error itself when none was.
            CutShort, ChecksumWrong: an answer is not what it should be.
        """
        so_far, sizes = self._so_far, self._sizes
        yield from self._conversation.agree_on_sizes()
        if so_far.total is None and None not in sizes:
            so_far.total = sum(filter(None, sizes))
        try:
            if len(sizes) == 1 and self._is_one_message():
                yield from self._ask_batch((0,))
            else:
                yield from self._read_all()
        except _NO_ANSWER as error:
            if so_far.done:
                raise ReadInterrupted(so_far, error) from error
            raise
        return [self._found[index] for index in range(len(sizes))]

    def _is_one_message(self) -> bool:
        """Whether the first part is read by one service in a message of its own, which is most of the time."""
        part = self._parts[0]
        if part.count == 0 or self._so_far.resumes or self._needs_pieces(0):
            return False
        return part.offset is None or self._limits.takes_offsets(part.table)

    def _read_all(self) -> Operation[None]:
        found, so_far = self._found, self._so_far
        found.update((index, b"") for index, part in enumerate(self._parts) if part.count == 0)  # nothing to ask for
        waiting = [index for index in range(len(self._parts)) if index not in found]
        most = MAX_SERVICES
        while waiting:
            first = waiting[0]
            part = self._parts[first]
            earlier = so_far.earlier(part.table, part.offset or 0, part.count)
            if earlier is not None and len(earlier) == (part.count or len(earlier)):
                so_far.put(part.table, part.offset or 0, earlier, whole=part.offset is None)
                found[first] = earlier
                del waiting[0]
            elif self._needs_whole(part):
                found[first] = yield from self._cut_out(part)
                del waiting[0]
            elif self._needs_pieces(first):
                found[first] = yield from self._in_pieces(part, self._sizes[first])
                del waiting[0]
            else:
                batch = self._batch(waiting, most)
                to_retry = yield from self._ask_batch(batch)
                if to_retry:
                    most = max(1, len(batch) // 2)
                waiting = [*to_retry, *waiting[len(batch) :]]

    def _needs_whole(self, part: PartialRead) -> bool:
        return part.offset is not None and not self._limits.takes_offsets(part.table)

    def _needs_pieces(self, index: int) -> bool:
        part, size = self._parts[index], self._sizes[index]
        if size is None:
            return part.offset is not None
        return size > self._limits.answer_room and self._limits.takes_offsets(part.table)

    # Several parts in one message.

    def _batch(self, waiting: Sequence[int], most: int) -> list[int]:
        """Return what goes into the next message: the first that wait, as far as their answers fit."""
        room = self._limits.answer_room + _AROUND
        batch: list[int] = []
        for index in waiting[:most]:
            size = self._sizes[index]
            room -= _AROUND + (_ASSUMED_SIZE if size is None else size)
            if batch and (room < 0 or self._needs_whole(self._parts[index]) or self._needs_pieces(index)):
                break
            batch.append(index)
        return batch

    def _ask_batch(self, batch: Sequence[int]) -> Operation[list[int]]:
        """Ask for parts in one message, and return which of them to ask for again."""
        parts, so_far = self._parts, self._so_far
        alone = len(batch) == 1
        try:
            answers = yield from self._conversation.exchange(*[parts[index].request for index in batch])
        except DecodeError:
            if alone:
                raise
            return list(batch)  # where some are missing, it is unknown which request each response belongs to
        to_retry: list[int] = []
        for place, index in enumerate(batch):
            part = parts[index]
            answer: Answer = answers[place] if place < len(answers) else None
            if not alone and (answer is None or (isinstance(answer, ErrorResponse) and answer.code in _TRY_ALONE)):
                to_retry.append(index)
            elif isinstance(answer, ErrorResponse):
                self._found[index] = yield from self._after_refusal(index, answer.error(part.name))
            else:
                octets = _octets_of(answer, part)
                so_far.put(part.table, part.offset or 0, octets, whole=part.offset is None)
                self._found[index] = octets
        return to_retry

    def _after_refusal(self, index: int, refusal: Refusal) -> Operation[bytes | Refusal]:
        """Read a part in another way, if there is one."""
        part = self._parts[index]
        if isinstance(refusal, Rstl) or (part.offset is None and self._limits.is_too_long(refusal)):
            return (yield from self._in_pieces(part, self._sizes[index], refused=refusal))
        if part.offset is not None and refusal.code in WHOLE_ONLY:
            self._limits.learn_whole_only(part.table, refusal)
            return (yield from self._cut_out(part))
        return refusal

    # One part in several messages, or out of its whole table.

    def _in_pieces(
        self, part: PartialRead, size: int | None, *, refused: Refusal | None = None
    ) -> Operation[bytes | Refusal]:
        """Read a part by offset, piece by piece; to where the table ends, if its size is not known.

        Args:
            part: what to read.
            size: octets of it, if known.
            refused: what the meter said to the part in one piece.
        """
        limits, so_far = self._limits, self._so_far
        table, start = part.table, part.offset or 0
        pieces: list[bytes] = []
        done, want = 0, limits.answer_room
        if refused is not None and size is not None and size <= want:
            want = limits.smaller(size, refused)
            if not want:
                return refused
        while size is None or done < size:
            want = min(want, limits.answer_room)
            count = want if size is None else min(want, size - done)
            octets: bytes | Refusal | None = so_far.earlier(table, start + done, count)
            if not octets:
                try:
                    octets = yield from self._piece(PartialRead(table, start + done, count), to_end=size is None)
                except RemoteError as error:
                    if pieces:
                        raise ReadInterrupted(so_far, error) from error
                    raise
            if isinstance(octets, Refusal):
                ends = size is None and isinstance(octets, Iar)
                want = count // 2 if ends else limits.smaller(count, octets)
                if want:
                    continue
                if pieces and ends:
                    break
                if pieces:
                    raise ReadInterrupted(so_far, octets)
                if octets.code in WHOLE_ONLY and refused is None:
                    limits.learn_whole_only(table, octets)
                    return (yield from self._cut_out(part))
                return refused or octets
            pieces.append(octets)
            so_far.put(table, start + done, octets)
            done += len(octets)
            if size is None and len(octets) < count:
                break
        return b"".join(pieces)

    def _piece(self, part: PartialRead, *, to_end: bool) -> Operation[bytes | Refusal]:
        """Read one piece; a shorter one is all right where the end of the table is looked for."""
        answers = yield from self._conversation.exchange(part.request)
        answer = answers[0] if answers else None
        if isinstance(answer, ErrorResponse):
            return answer.error(part.name)
        return _octets_of(answer, part, to_end=to_end)

    def _cut_out(self, part: PartialRead) -> Operation[bytes | Refusal]:
        """Read a part of a table from a meter that only gives whole ones."""
        so_far = self._so_far
        octets: bytes | Refusal
        if part.table in so_far.whole:
            octets = so_far.whole[part.table]
        else:
            whole = ReadOfParts([PartialRead(part.table)], self._conversation, self._limits, so_far)
            (octets,) = yield from whole.run()
        start = part.offset or 0
        if isinstance(octets, Refusal) or part.count is None:
            return octets if isinstance(octets, Refusal) else octets[start:]
        cut = octets[start : start + part.count]
        if len(cut) != part.count:
            raise CutShort(part.name, cut, part.count)
        return cut


def _octets_of(answer: Answer, part: PartialRead, *, to_end: bool = False) -> bytes:
    """Return the table data of an answer, which is no refusal.

    Raises:
        CutShort, ChecksumWrong, DecodeError: it is not what it should be.
    """
    if not isinstance(answer, TableResponse):
        expect_ok(answer, part.request, detail=part.name)
        raise CutShort.unanswered(part.name)
    data = answer.table_data
    octets = data.data
    if not data.checksum_ok:
        raise ChecksumWrong(part.name, octets)
    count = part.count
    if count is not None and len(octets) != count and not (to_end and len(octets) < count):
        raise CutShort(part.name, octets, count)
    return octets
