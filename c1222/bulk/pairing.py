"""Which request a response answers, for the usual messages of a batch: in columns where nothing gets in the way.

`Associations` says what belongs together, one message after the other, and is the memory from one batch to the next.
Nearly always it comes to this: a request and a response with the same titles and number, both in the batch, and no
other message with these. Such pairs are told all at once, and leave the memory as it would be had each message been
asked about. All others are asked about, one by one.
"""

from __future__ import annotations

from operator import add
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from c1222.bulk.merging import rows_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from c1222.bulk.columns import UsualRows
    from c1222.bulk.services import ServiceColumns
    from c1222.capture.decoder import MessageDecoder
    from c1222.capture.message import Remembered
    from c1222.security.keys import Key

__all__ = ["Pairing"]

_FEW: Final = 48
"""Messages in a row that are asked about one by one without loss."""
_MIX: Final = np.uint64(0x9E3779B97F4A7C15)  # an odd number without pattern, so that few different pairs give the same
_ALL: Final = (1 << 64) - 1


class Pairing:
    """The pairs of a batch.

    Args:
        decoder: whose memory it is.
        usual: the messages.
        keys: that they point to.
        services: theirs.

    Attributes:
        reply_to: of each row, the frame of its request; -1 for none.
        start: of each row, where the services start that it answers.
        size: how many these are.
    """

    def __init__(self, decoder: MessageDecoder, usual: UsualRows, keys: list[Key], services: ServiceColumns) -> None:
        self._decoder = decoder
        self._memory = decoder.associations
        self._usual = usual
        self._keys = keys
        self._services = services
        count = len(usual.shape)
        self.reply_to = np.full(count, -1, np.int64)
        self.start = np.zeros(count, np.int64)
        self.size = np.zeros(count, np.int64)
        self._asked: dict[int, bytes] = {}
        self._partner = np.full(count, -1, np.int64)
        self._alone = np.ones(count, np.bool_)  # the next of these ends a run
        self._codes = np.zeros(count, np.uint64)
        self._pairs()

    def _pairs(self) -> None:
        """Find the pairs; what is not as simple is alone."""
        usual = self._usual
        rows = np.flatnonzero(usual.shape >= 0)
        responds = usual.responds[rows]
        number = np.where(responds, usual.quoted[rows], usual.number[rows])
        nodes = np.array(usual.titles.nodes, np.int64)
        called, calling = nodes[usual.called[rows]], nodes[usual.calling[rows]]
        node, other = np.where(responds, calling, called), np.where(responds, called, calling)
        count = len(nodes)
        codes = (node * count + other).astype(np.uint64) * _MIX + number.astype(np.uint64)
        self._codes[rows] = codes
        found = pa.array(codes).dictionary_encode()
        which, distinct = found.indices.to_numpy(), len(found.dictionary)
        asks, answers = which[~responds], which[responds]
        ask, answer = np.full(distinct, -1, np.int64), np.full(distinct, -1, np.int64)
        ask[asks], answer[answers] = rows[~responds], rows[responds]
        simple = (np.bincount(asks, minlength=distinct) < 2) & (np.bincount(answers, minlength=distinct) < 2)
        both = (ask >= 0) & (answer >= 0)
        simple &= ~both | (ask < answer)
        partners = np.where(simple, ask, -1)[answers]
        both &= simple
        first, second = ask[both], answer[both]  # the same code, but is it the same pair and number?
        same = (
            (nodes[usual.called[first]] == nodes[usual.calling[second]])
            & (nodes[usual.calling[first]] == nodes[usual.called[second]])
            & (usual.number[first] == usual.quoted[second])
        )
        if not same.all():
            return
        self._partner[rows[responds]] = partners
        self._alone[rows] = ~simple[which]

    def run(self, row: int) -> tuple[int, int]:
        """Pair the messages from a row on, as far as that can be done at once.

        Args:
            row: nothing is waited for when it comes, and all before it was dealt with.

        Returns:
            The first row that was not paired, and the row up to which the next are to be asked about one by one.
        """
        alone = self._alone[row:]
        end = row + int(alone.argmax())
        if end == row:
            end = row + 1 if alone[0] else len(self._alone)
        requests = self._memory.requests
        responds = self._usual.responds[row:end]
        if end - row < _FEW or self._memory.shared is not None or len(requests) > end - row:
            return row, end
        partner = self._partner[row:end]
        inside = responds & (partner >= row)
        waiting: NDArray[np.int64] = np.cumsum(~responds) - np.cumsum(inside)  # requests at a time
        crowded = not requests.room(int(waiting.max()))
        if (crowded and responds.any()) or self._conflict(row, end, ~responds):
            return row, end
        known: dict[int, Remembered] = {}
        for answer in (np.flatnonzero(responds & ~inside) + row).tolist():
            request = requests.take(self._key(answer))
            if request is None:
                self._commit(row, answer, known)
                return answer, answer + 1
            known[answer] = request[1]
        self._commit(row, end, known)
        return end, end

    def _conflict(self, row: int, end: int, asks: NDArray[np.bool_]) -> bool:
        """Return whether a request has titles and number of one that waits, of which pairs know nothing."""
        names, count = self._usual.titles.node_of, len(self._usual.titles.nodes)
        codes = []
        for key in self._memory.requests:
            called = 2 + key[1] if len(key) > 1 else 0
            calling = called + 2 + key[called + 1] if len(key) > called + 1 else 0
            first, second = names.get(key[:called]), names.get(key[called:calling])
            if first is not None and second is not None:
                codes.append(((first * count + second) * int(_MIX) + int.from_bytes(key[calling:])) & _ALL)
        return bool(codes) and bool(np.isin(self._codes[row:end][asks], np.array(codes, np.uint64)).any())

    def _commit(self, row: int, end: int, known: dict[int, Remembered]) -> None:
        """Remember what the messages of some rows say, each of which is a request, or has its request before it."""
        if end == row:
            return
        usual, memory, services = self._usual, self._memory, self._services
        rows = np.arange(row, end)
        responds = usual.responds[row:end]
        answers, asks = rows[responds], rows[~responds]
        partner = self._partner[answers]
        inside = partner >= row
        there, partner = answers[inside], partner[inside]
        self.reply_to[there] = usual.frame[partner]
        self.start[there], self.size[there] = services.start[partner], services.size[partner]
        for answer, request in known.items():
            self._remembered(answer, request)
        answered = np.zeros(end - row, np.bool_)
        answered[partner - row] = True
        left = asks[~answered[asks - row]].tolist()
        memory.requests.put_all(len(left), lambda place: (self._key(left[place]), self._waiting(left[place])))

        def answer_of(place: int) -> tuple[bytes, Remembered]:
            answer = int(answers[place])
            return self._key(answer), known.get(answer) or self._request(int(self._partner[answer]))

        memory.answered.put_all(len(answers), answer_of)
        self._sessions(rows)
        counters = self._decoder.counters
        counters.responses += len(answers)
        used = usual.key[row:end]
        cleartext = int((used < 0).sum())
        counters.cleartext += cleartext
        counters.verified += len(rows) - cleartext
        self._decoder.proven.update([self._keys[key] for key in np.flatnonzero(np.bincount(used + 1)[1:]).tolist()])

    def _sessions(self, rows: NDArray[np.int64]) -> None:
        """Remember what is said of the security of sessions."""
        usual, sessions = self._usual, self._memory.sessions
        secured = rows[usual.key[rows] >= 0]
        nodes = np.array(usual.titles.nodes, np.int64)
        found = pa.array(nodes[usual.called[secured]] * len(nodes) + nodes[usual.calling[secured]]).dictionary_encode()
        last = np.zeros(len(found.dictionary), np.int64)
        last[found.indices.to_numpy()] = secured  # the last one stays
        if not sessions.put_last(dict(self._said(last))):
            for nodes_of, said in self._said(secured):
                sessions.put(nodes_of, said)

    def _said(self, rows: NDArray[np.int64]) -> Iterator[tuple[bytes, bytes]]:
        usual = self._usual
        name = usual.titles.names.__getitem__
        nodes = map(add, map(name, usual.called[rows].tolist()), map(name, usual.calling[rows].tolist()))
        return zip(nodes, rows_of(usual.said[rows].tobytes(), usual.said.shape[1], len(rows)), strict=True)

    def one(self, row: int) -> bool:
        """Pair the message of one row; return False, with nothing done, if its request is not known."""
        usual, memory, counters = self._usual, self._memory, self._decoder.counters
        names = usual.titles.names
        to, by = names[usual.called[row]], names[usual.calling[row]]
        where = usual.where(row)
        if usual.responds[row]:
            request = memory.answer(to, by, int(usual.quoted[row]).to_bytes(8), where)
            if request is None:
                return False
            counters.responses += 1
            self._remembered(row, request)
        else:
            memory.ask(to, by, int(usual.number[row]).to_bytes(8), self._request(row), where)
        key = int(usual.key[row])
        if key < 0:
            counters.cleartext += 1
        else:
            counters.verified += 1
            self._decoder.proven.add(self._keys[key])
            memory.sessions.put(to + by, usual.said[row].tobytes())
        return True

    def asked(self, row: int) -> bytes:
        """Return the requests that a response answers, with their lengths; empty for a request."""
        if row in self._asked:
            return self._asked[row]
        partner = int(self._partner[row])
        return self._usual.services(partner) if self._usual.responds[row] and partner >= 0 else b""

    def _remembered(self, row: int, request: Remembered) -> None:
        frame, body, _ = request
        self.reply_to[row] = frame
        self._asked[row] = body
        self.start[row], self.size[row] = self._services.remember(body)

    def _request(self, row: int) -> Remembered:
        usual = self._usual
        return int(usual.frame[row]), usual.services(row), bool(usual.key[row] >= 0)

    def _waiting(self, row: int) -> tuple[Any, Remembered]:
        return self._usual.where(row), self._request(row)

    def _key(self, row: int) -> bytes:
        """Return what the memory has requests by; see `Associations`."""
        usual = self._usual
        ends, number = (int(usual.called[row]), int(usual.calling[row])), int(usual.number[row])
        if usual.responds[row]:
            ends, number = ends[::-1], int(usual.quoted[row])
        names = usual.titles.names
        return names[ends[0]] + names[ends[1]] + number.to_bytes((number.bit_length() + 7) // 8)
