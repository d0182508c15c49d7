"""From batches of APDUs to batches of messages, whose columns say what `c1222.decode_capture` says, row by row.

What is usual is opened together (`opening`); which request a response answers, and what a session says of its security,
is told message by message, in order, by the memory that the decoder of captures has. Messages that are not usual go
through that decoder, and so does everything while a response waits for a request that was not seen yet.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np
import pyarrow as pa

from c1219.tabular.arrow import arrow_table
from c1222.bulk.columns import UsualRows
from c1222.bulk.merging import merged
from c1222.bulk.opening import Titles, open_shapes
from c1222.bulk.providers import key_store
from c1222.bulk.schema import BULK_MESSAGES, bulk_row, service_row
from c1222.capture.decoder import MessageDecoder
from c1222.capture.early import EARLY_NS
from c1222.capture.message import UNTIMED, CapturedMessage
from c1222.capture.network.framing import Apdu, StreamRemark
from c1222.errors import Finding
from c1222.message.ber import MAX_APDU_OCTETS
from c1222.message.flat import FlatReader
from c1222.protocol.message import requests_of
from c1222.services.malformed import decode_service

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Iterator

    from numpy.typing import NDArray

    from c1222.capture.decoder import Counters
    from c1222.security.keys import Key, Keys

__all__ = ["DecodedBatches", "decode"]

_NO_APDU: Final = Finding("error", "not-an-apdu", "bulk", None, "there is no APDU in this row")
_NO_FINDINGS: Final = Finding("error", "malformed", "bulk.findings", None, "the findings of this row cannot be read")


class DecodedBatches:
    """Batches of messages; iterate it once. See `decode`, which takes the same.

    Attributes:
        counters: what was met so far.
    """

    def __init__(
        self,
        batches: Iterable[pa.RecordBatch],
        keys: Keys | str | os.PathLike[str] = None,
        *,
        max_apdu_size: int = MAX_APDU_OCTETS,
        early_ns: int = EARLY_NS,
    ) -> None:
        self._batches = batches
        self._max_size = max_apdu_size
        self._decoder = MessageDecoder(keys=key_store(keys), max_apdu_size=max_apdu_size, early_ns=early_ns)
        self._read = FlatReader().read
        self.counters: Counters = self._decoder.counters

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        for batch in self._batches:
            decoded = self._decoded(_Batch(batch))
            if decoded.num_rows:
                yield decoded
        if last := self._decoder.finish():
            yield from arrow_table(BULK_MESSAGES, map(bulk_row, last)).to_batches()

    def findings(self) -> list[Finding]:
        """Return what concerns the messages as a whole; complete once all batches were taken."""
        return self._decoder.findings()

    def _decoded(self, batch: _Batch) -> pa.RecordBatch:
        decoder = self._decoder
        titles = Titles(decoder.keys.base_oid.content)
        opened, keys = open_shapes(
            batch.octets,
            batch.starts,
            np.where(batch.plain, batch.sizes, 0),
            titles=titles,
            keys=decoder.keys,
            max_size=self._max_size,
        )
        usual = UsualRows(batch.count, opened, titles)
        paired = self._pairing(batch, usual, titles.names, keys)
        waiting = decoder.early.waiting
        order: list[int] = []  # of the messages: the row of a usual one, -1 for those that are in rows of their own
        single: list[tuple[Any, ...]] = []
        for row, shape in enumerate(usual.shape):
            if shape >= 0 and not waiting and paired(row, shape):
                if usual.services[row] is not None:
                    order.append(row)
                    continue
                messages = [self._the_long_way(batch, usual, row, keys)]
            else:
                messages = list(decoder.messages((batch.item(row),)))
            order += [-1] * len(messages)
            single += map(bulk_row, messages)
        rows = np.array(order, np.int64)
        alone = rows < 0
        chosen = rows[~alone]
        return merged(BULK_MESSAGES, {**batch.columns(chosen), **usual.columns(chosen)}, single, alone)

    def _pairing(
        self, batch: _Batch, usual: UsualRows, names: list[bytes], keys: list[Key]
    ) -> Callable[[int, int], bool]:
        """Return what pairs the usual message of a row; False, with nothing done, if its request is not known."""
        decoder = self._decoder
        counters, proven = decoder.counters, decoder.proven
        ask, answer, remember = decoder.associations.ask, decoder.associations.answer, decoder.associations.sessions.put
        frame, src, dst = batch.frame, batch.src, batch.dst
        called, calling, key, body, said = usual.called, usual.calling, usual.key, usual.body, usual.said
        number, quoted, services = usual.number, usual.quoted, usual.services
        how = [(some.responds, some.start, some.spans) for some in usual.shapes]

        def paired(row: int, shape: int) -> bool:
            responds, start, spans = how[shape]
            to, by, octets, used = names[called[row]], names[calling[row]], body[row], key[row]
            asked: bytes | None = None
            if responds:
                request = answer(to, by, quoted[row].to_bytes(8), (src[row], dst[row]))
                if request is None:
                    return False
                counters.responses += 1
                usual.reply_to[row], asked, _ = request
                usual.asked[row] = asked
            else:
                kept = (frame[row], octets[start:] if start else octets, used >= 0)
                ask(to, by, number[row].to_bytes(8), kept, (src[row], dst[row]))
            if used < 0:
                counters.cleartext += 1
            else:
                counters.verified += 1
                proven.add(keys[used])
                remember(to + by, said[row])
            requests = () if asked is None else requests_of(asked)
            parts = [octets[first:end] for first, end in spans]
            if asked is None or len(requests) == len(parts):
                found = list(map(decode_service, parts, requests or [None] * len(parts)))
                if not any(service.findings for service in found):
                    services[row] = tuple(map(service_row, found))
            return True

        return paired

    def _the_long_way(self, batch: _Batch, usual: UsualRows, row: int, keys: list[Key]) -> CapturedMessage:
        """Return a usual message whose services have no text that was made before."""
        some = usual.shapes[usual.shape[row]]
        key = None if usual.key[row] < 0 else keys[usual.key[row]]
        apdu = self._read(batch.apdu(row))
        message = CapturedMessage.received(apdu, usual.body[row], some.spans, some.start, key, usual.asked[row])
        message.frame, message.time_ns, message.reply_to = batch.frame[row], batch.time_ns[row], usual.reply_to[row]
        message.src, message.dst, message.transport = batch.src[row], batch.dst[row], batch.transport[row]
        return message


class _Batch:
    """A batch, in columns that rows are taken from.

    Attributes:
        count: rows.
        octets: the APDUs, one after the other.
        starts: where each begins.
        sizes: octets of each.
        plain: of each row, whether there is an APDU, with no remark.
        frame: number of the frame; 0 for null.
        time_ns: `UNTIMED` for null.
        src: empty for null, like the next two.
        dst: the receiver.
        transport: how it was carried.
    """

    def __init__(self, batch: pa.RecordBatch) -> None:
        for name in ("time_ns", "src", "dst", "transport", "frame", "apdu"):
            if name not in batch.schema.names:
                raise ValueError(f"the batch has no column {name}")
        self.count = count = batch.num_rows
        apdus = batch.column("apdu").cast(pa.large_binary())
        self._null = np.asarray(apdus.is_null())
        _, offsets, data = apdus.buffers()
        ends = np.frombuffer(offsets, np.int64, count + 1, apdus.offset * 8) if count else np.zeros(1, np.int64)
        self.octets = np.frombuffer(data, np.uint8) if data is not None else np.zeros(0, np.uint8)
        self.starts, self.sizes = ends[:-1], np.diff(ends)
        self._findings: dict[int, tuple[Finding, ...]] = {}
        if "findings" in batch.schema.names:
            remarks = batch.column("findings")
            for row in np.flatnonzero(np.asarray(remarks.is_valid())).tolist():
                self._findings[row] = _findings(remarks[row].as_py())
        self.plain = ~self._null
        self.plain[list(self._findings)] = False
        self.frame = _numbers(batch.column("frame"), 0)
        self.time_ns = _numbers(batch.column("time_ns"), UNTIMED)
        self.src, self.dst, self.transport = (_words(batch.column(name)) for name in ("src", "dst", "transport"))

    def columns(self, rows: NDArray[np.int64]) -> dict[str, pa.Array]:
        """Return the columns that messages have from the batch.

        Args:
            rows: which rows, in order.
        """
        time_ns = np.array(self.time_ns, np.int64)[rows]
        result = {
            "frame": pa.array(np.array(self.frame, np.int64)[rows]),
            "time_ns": pa.array(time_ns, mask=time_ns == UNTIMED),
        }
        for name in ("src", "dst", "transport"):
            words = getattr(self, name)
            result[name] = pa.array([words[row] or None for row in rows.tolist()], pa.string()).dictionary_encode()
        return result

    def apdu(self, row: int) -> bytes:
        """Return an APDU."""
        start = int(self.starts[row])
        return self.octets[start : start + int(self.sizes[row])].tobytes()

    def item(self, row: int) -> Apdu | StreamRemark:
        """Return what the decoder of single messages takes."""
        frame = self.frame[row]
        time_ns, src, dst, how = self.time_ns[row], self.src[row], self.dst[row], cast("Any", self.transport[row])
        findings = self._findings.get(row, ())
        if self._null[row]:
            return StreamRemark(frame, time_ns, src, dst, how, findings[0] if findings else _NO_APDU)
        return Apdu(frame, time_ns, src, dst, how, self.apdu(row), (frame,), findings)


def _numbers(column: pa.Array, instead: int) -> list[int]:
    numbers: list[int] = column.cast(pa.int64()).fill_null(instead).to_pylist()
    return numbers


def _words(column: pa.Array) -> list[str]:
    """Return texts, the same object for the same text; null is no text."""
    encoded = column if isinstance(column, pa.DictionaryArray) else column.cast(pa.string()).dictionary_encode()
    words = [*(word or "" for word in encoded.dictionary.to_pylist()), ""]
    return [words[index] for index in encoded.indices.fill_null(-1).to_pylist()]


def _findings(text: str) -> tuple[Finding, ...]:
    try:
        return tuple([Finding(**finding) for finding in json.loads(text)])
    except (ValueError, TypeError, RecursionError):
        return (_NO_FINDINGS,)


def decode(
    batches: Iterable[pa.RecordBatch],
    keys: Keys | str | os.PathLike[str] = None,
    *,
    max_apdu_size: int = MAX_APDU_OCTETS,
    early_ns: int = EARLY_NS,
) -> DecodedBatches:
    """Decode batches of APDUs, in the order of capture, in memory that batches bound.

    Args:
        batches: with the columns of `c1222.bulk.reading.FRAMES`; ``file`` and ``findings`` may be left out. A row
            without an APDU, or with octets that are none, gives a row with findings.
        keys: as for `c1222.bulk.key_store`: keys, or the name of a provider.
        max_apdu_size: octets of the largest APDU accepted.
        early_ns: nanoseconds of packet time that a response, and what follows it, is held if its request was not seen
            yet; 0 gives each message at once.

    Returns:
        An iterator of batches with the columns of `c1222.Messages`, but for services, which are structures: schema
        ``c1222.bulk.message/1``; passwords and keys are concealed. What is held for a request comes with a later batch.

    Raises:
        InvalidKey: the keys cannot be used, or there are none to be had from the provider.
        ValueError: while batches are taken, one lacks a column.
    """
    return DecodedBatches(batches, keys, max_apdu_size=max_apdu_size, early_ns=early_ns)
