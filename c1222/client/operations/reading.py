"""Octets of tables out of a meter: many parts in few messages, large tables in pieces that fit the peer.

A part is a table or a stretch of one. Small parts go together as far as their answers fit; a part that does not fit is
read by offset, piece by piece. What the meter cannot do is found out once: an answer too large (rstl) makes pieces
smaller, a refusal of offsets (onp, sns) turns to whole tables.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple

from c1219.errors import C1219Error
from c1219.registry import table_label
from c1219.rules import offer
from c1222.client.errors import ChecksumWrong, CutShort, ReadInterrupted, TableAbsent
from c1222.client.operations.conversation import Conversation
from c1222.client.operations.read_so_far import Gathered
from c1222.errors import ConnectionLost, DecodeError, PeerSilent, RemoteError, SecurityRefused, SessionLost, Unreachable
from c1222.services import ErrorResponse, Refusal
from c1222.services.results import Iar, Onp, Rqtl, Rstl, Sns
from c1222.services.tables import ReadOffsetRequest, ReadRequest, TableResponse, table_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from c1222.client.steps import Operation
    from c1222.services import Request
    from c1222.services.malformed import Answer

__all__ = ["HEADER_ROOM", "MAX_SERVICES", "PartialRead", "Reading"]

HEADER_ROOM: Final = 160
"""Octets of an APDU that are kept for what stands around table data; Elster MeteringSDK's number [1]."""
MAX_SERVICES: Final = 12
"""Services in one message. Meters have small buffers, and one refusal in a message may cost all of it."""
_LARGEST_CHUNK: Final = 32767 - HEADER_ROOM
"""Table data asked for at a time where nothing tells less; Elster's default APDU has 32767 octets [1]."""
_AROUND: Final = 6
"""Octets around table data in an answer: length, code, count, checksum."""
_GUESS: Final = 64
"""Octets that a table of unknown size is taken to have when requests are put together."""
_WHOLE_ONLY: Final = (Onp.code, Sns.code)
_PERHAPS_FOR_COMPANY: Final = frozenset({*_WHOLE_ONLY, Rqtl.code, Rstl.code})
_NO_ANSWER: Final = (PeerSilent, Unreachable, ConnectionLost, SessionLost, SecurityRefused)


class PartialRead(NamedTuple):
    """A table, or a stretch of one.

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
        if self.offset is None:
            return ReadRequest(self.table)
        return ReadOffsetRequest(self.table, self.offset, self.count or 0)

    @property
    def name(self) -> str:
        """What it is, for people."""
        if self.offset is None:
            return table_name(self.table)
        return f"{table_name(self.table)}, {self.count} octets from {self.offset} on"


class Reading(Conversation):
    """Reads octets of tables."""

    def _reads_offsets(self, table: int) -> bool:
        """Whether it is worth asking for a stretch of a table."""
        if self._no_offsets or table in self._whole_tables:
            return False
        try:
            return 0 not in self.device or offer.by_offset(self.device[0].value)
        except (C1219Error, AttributeError):
            return True

    @property
    def _answer_room(self) -> int:
        """Octets of table data that fit an answer."""
        initiator = self.initiator
        room = min(_room(initiator.max_response or initiator.link.max_size), self._chunk or _LARGEST_CHUNK)
        return room if self._learned_chunk is None else min(room, self._learned_chunk)

    def _size_of(self, table: int) -> int | None:
        """Return how many octets a table has, if that is known."""
        try:
            image = self.device.get(table)
            declared = self.device.declaration(table)
            if declared.needs_own_octets or image is not None:
                return None if image is None else len(image.raw)
            return self.device.bind(table).size
        except C1219Error:
            return None

    def _fetch(self, parts: Sequence[PartialRead], gathered: Gathered | None = None) -> Operation[list[bytes]]:
        """Read parts of tables, all of them.

        Raises:
            Refusal: the meter refused one; and what `_fetch_some` raises.
        """
        found = yield from self._fetch_some(parts, gathered)
        octets: list[bytes] = []
        for part, data in zip(parts, found, strict=True):
            if isinstance(data, Refusal):
                yield from self._learn_tables(data)
                raise self._refused(data, part)
            octets.append(data)
        return octets

    def _fetch_some(
        self, parts: Sequence[PartialRead], gathered: Gathered | None = None
    ) -> Operation[list[bytes | Refusal]]:
        """Read parts of tables, as far as the meter does not refuse.

        Args:
            parts: what to read.
            gathered: where to keep what comes, and to look for what came before.

        Returns:
            The octets of each part, or why the meter refused it.

        Raises:
            ReadInterrupted: there is no answer, and a part was read already; the error itself when none was.
            CutShort, ChecksumWrong: an answer is not what it should be.
        """
        gathered = Gathered() if gathered is None else gathered
        found: dict[int, bytes | Refusal] = {}
        sizes = [self._size_of(part.table) if part.offset is None else part.count for part in parts]
        if gathered.total is None and None not in sizes:
            gathered.total = sum(filter(None, sizes))
        try:
            yield from self._collect(parts, sizes, found, gathered)
        except _NO_ANSWER as error:
            if gathered.done:
                raise ReadInterrupted(gathered, error) from error
            raise
        return [found[index] for index in range(len(parts))]

    def _collect(
        self,
        parts: Sequence[PartialRead],
        sizes: Sequence[int | None],
        found: dict[int, bytes | Refusal],
        gathered: Gathered,
    ) -> Operation[None]:
        if len(parts) == 1 and self._is_plain(parts[0], sizes[0], gathered):
            yield from self._ask_batch((0,), parts, sizes, found, gathered)
            return
        found.update((index, b"") for index, part in enumerate(parts) if part.count == 0)  # nothing to ask for
        waiting = [index for index in range(len(parts)) if index not in found]
        most = MAX_SERVICES
        while waiting:
            first = waiting[0]
            part, size = parts[first], sizes[first]
            earlier = gathered.earlier(part.table, part.offset or 0, part.count)
            if earlier is not None and len(earlier) == (part.count or len(earlier)):
                gathered.put(part.table, part.offset or 0, earlier, whole=part.offset is None)
                found[first] = earlier
                del waiting[0]
            elif part.offset is not None and not self._reads_offsets(part.table):
                found[first] = yield from self._cut_out(part, gathered)
                del waiting[0]
            elif self._needs_pieces(part, size):
                found[first] = yield from self._in_pieces(part, size, gathered)
                del waiting[0]
            else:
                batch = self._batch(waiting, parts, sizes, most)
                again = yield from self._ask_batch(batch, parts, sizes, found, gathered)
                if again:
                    most = max(1, len(batch) // 2)
                waiting = [*again, *waiting[len(batch) :]]

    def _is_plain(self, part: PartialRead, size: int | None, gathered: Gathered) -> bool:
        """Whether a part is read by one service in a message of its own, which is most of the time."""
        if part.count == 0 or gathered.resumes or self._needs_pieces(part, size):
            return False
        return part.offset is None or self._reads_offsets(part.table)

    def _needs_pieces(self, part: PartialRead, size: int | None) -> bool:
        if size is None:
            return part.offset is not None
        return size > self._answer_room and self._reads_offsets(part.table)

    def _batch(
        self, waiting: Sequence[int], parts: Sequence[PartialRead], sizes: Sequence[int | None], most: int
    ) -> list[int]:
        """Return what goes into the next message: the first that wait, as far as their answers fit."""
        room = self._answer_room + _AROUND
        batch: list[int] = []
        for index in waiting[:most]:
            part, size = parts[index], sizes[index]
            room -= _AROUND + (_GUESS if size is None else size)
            special = part.offset is not None and not self._reads_offsets(part.table)
            if batch and (room < 0 or special or self._needs_pieces(part, size)):
                break
            batch.append(index)
        return batch

    def _ask_batch(
        self,
        batch: Sequence[int],
        parts: Sequence[PartialRead],
        sizes: Sequence[int | None],
        found: dict[int, bytes | Refusal],
        gathered: Gathered,
    ) -> Operation[list[int]]:
        """Ask for parts in one message, and return which of them to ask for again."""
        alone = len(batch) == 1
        try:
            answers = yield from self._exchange(*[parts[index].request for index in batch])
        except DecodeError:
            if alone:
                raise
            return list(batch)  # which response is whose cannot be told where some are missing
        again: list[int] = []
        for place, index in enumerate(batch):
            part = parts[index]
            answer: Answer = answers[place] if place < len(answers) else None
            if not alone and (
                answer is None or (isinstance(answer, ErrorResponse) and answer.code in _PERHAPS_FOR_COMPANY)
            ):
                again.append(index)  # it may not like the company
                continue
            if isinstance(answer, ErrorResponse):
                refusal = answer.error(part.name)
                if isinstance(refusal, Rstl):
                    found[index] = yield from self._in_pieces(part, sizes[index], gathered, refused=refusal)
                elif part.offset is not None and refusal.code in _WHOLE_ONLY:
                    self._note_refusal(part, refusal)
                    found[index] = yield from self._cut_out(part, gathered)
                else:
                    found[index] = refusal
                continue
            octets = self._octets(answer, part)
            gathered.put(part.table, part.offset or 0, octets, whole=part.offset is None)
            found[index] = octets
        return again

    def _octets(self, answer: Answer, part: PartialRead, *, to_end: bool = False) -> bytes:
        """Return the table data of an answer, which is no refusal.

        Raises:
            CutShort, ChecksumWrong, DecodeError: it is not what it should be.
        """
        if not isinstance(answer, TableResponse):
            self._ok(answer, part.request, detail=part.name)
            raise CutShort.unanswered(part.name)
        data = answer.table_data
        octets = data.data
        if not data.checksum_ok:
            raise ChecksumWrong(part.name, octets)
        count = part.count
        if count is not None and len(octets) != count and not (to_end and len(octets) < count):
            raise CutShort(part.name, octets, count)
        return octets

    def _in_pieces(
        self, part: PartialRead, size: int | None, gathered: Gathered, *, refused: Rstl | None = None
    ) -> Operation[bytes | Refusal]:
        """Read a part by offset, piece by piece; to where the table ends, if its size is not known.

        Args:
            part: what to read.
            size: octets of it, if known.
            gathered: where the pieces are kept.
            refused: what the meter said to the part in one piece.
        """
        table, start = part.table, part.offset or 0
        pieces: list[bytes] = []
        done, want = 0, self._answer_room
        if refused is not None and size is not None and size <= want:
            want = self._smaller(size, refused)
            if not want:
                return refused
        while size is None or done < size:
            want = min(want, self._answer_room)
            count = want if size is None else min(want, size - done)
            octets: bytes | Refusal | None = gathered.earlier(table, start + done, count)
            if not octets:
                try:
                    octets = yield from self._piece(PartialRead(table, start + done, count), to_end=size is None)
                except RemoteError as error:
                    if pieces:
                        raise ReadInterrupted(gathered, error) from error
                    raise
            if isinstance(octets, Refusal):
                ends = size is None and isinstance(octets, Iar)
                want = count // 2 if ends else self._smaller(count, octets)
                if want:
                    continue
                if pieces and ends:
                    break
                if pieces:
                    raise ReadInterrupted(gathered, octets)
                if octets.code in _WHOLE_ONLY and refused is None:
                    self._note_refusal(part, octets)
                    return (yield from self._cut_out(part, gathered))
                return refused or octets
            pieces.append(octets)
            gathered.put(table, start + done, octets)
            done += len(octets)
            if size is None and len(octets) < count:
                break
        return b"".join(pieces)

    def _piece(self, part: PartialRead, *, to_end: bool) -> Operation[bytes | Refusal]:
        """Read one piece; a shorter one is all right where the end of the table is looked for."""
        answers = yield from self._exchange(part.request)
        answer = answers[0] if answers else None
        if isinstance(answer, ErrorResponse):
            return answer.error(part.name)
        return self._octets(answer, part, to_end=to_end)

    def _smaller(self, count: int, refusal: Refusal) -> int:
        """Return how many octets to ask for after so many were too many; 0 when that was not the matter."""
        if not isinstance(refusal, Rstl) or count <= 1:
            return 0
        room = _room(refusal.max_size) if refusal.max_size else count
        if room >= count:
            room = self._learned_chunk = count // 2
        return room

    def _cut_out(self, part: PartialRead, gathered: Gathered) -> Operation[bytes | Refusal]:
        """Read a stretch of a table from a meter that only gives whole ones."""
        octets: bytes | Refusal
        if part.table in gathered.whole:
            octets = gathered.pieces[part.table][0]
        else:
            (octets,) = yield from self._fetch_some([PartialRead(part.table)], gathered)
        start = part.offset or 0
        if isinstance(octets, Refusal) or part.count is None:
            return octets if isinstance(octets, Refusal) else octets[start:]
        stretch = octets[start : start + part.count]
        if len(stretch) != part.count:
            raise CutShort(part.name, stretch, part.count)
        return stretch

    def _note_refusal(self, part: PartialRead, refusal: Refusal) -> None:
        if isinstance(refusal, Sns):
            self._no_offsets = True
        else:
            self._whole_tables.add(part.table)

    def _refused(self, refusal: Refusal, part: PartialRead) -> Refusal:
        """Return a refusal as the error to raise: more precise where the meter's ST0 tells more."""
        if isinstance(refusal, Iar) and self._lists(part.table) is False:
            return TableAbsent(part.name, parameters=refusal.parameters, service=refusal.service)
        return refusal

    # What the meter has.

    def _learn_tables(self, refusal: Refusal) -> Operation[None]:
        """Read which tables there are, if that may be why the meter refused one."""
        if isinstance(refusal, Iar) and 0 not in self.device:
            with suppress(RemoteError):
                self._keep([0], (yield from self._fetch_some([PartialRead(0)])))

    def _lists(self, table: int) -> bool | None:
        """Tell whether ST0 lists a table; None when it is not known."""
        try:
            general = self.device[0].value if 0 in self.device else None
        except C1219Error:
            return None
        if general is None:
            return None
        return offer.lists(general, table)

    def _keep(self, tables: Iterable[int], octets: Sequence[bytes | Refusal]) -> Mapping[int, Refusal]:
        """Put tables that were read into the device, and return what was refused."""
        refused = {}
        for table, data in zip(tables, octets, strict=True):
            if isinstance(data, Refusal):
                refused[table] = data
            else:
                self.device.put(table_label(table), data)
        return refused


def _room(limit: int) -> int:
    """Return how many octets of table data fit an APDU of a size, or a third of it where that is very small."""
    return max(limit - HEADER_ROOM, limit // 3, 1)
