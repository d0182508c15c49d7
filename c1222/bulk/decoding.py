"""From batches of APDUs to batches of messages, whose columns say what `c1222.decode_capture` says, row by row.

What is usual is opened together (`opening`); which request a response answers, and what a session says of its security,
is told message by message, in order, by the memory that the decoder of captures has. Messages that are not usual go
through that decoder, and so does everything while a response waits for a request that was not seen yet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa

from c1219.tabular.arrow import arrow_table
from c1222.bulk.batch import ApduBatch
from c1222.bulk.columns import UsualRows
from c1222.bulk.merging import merged
from c1222.bulk.opening import KeyPlaces, Titles, open_shapes
from c1222.bulk.pairing import Pairing
from c1222.bulk.providers import key_store
from c1222.bulk.schema import BULK_MESSAGES, bulk_row
from c1222.bulk.services import ServiceColumns, ServiceForms
from c1222.capture.decoder import MessageDecoder
from c1222.capture.early import EARLY_NS
from c1222.capture.message import CapturedMessage
from c1222.message.ber import MAX_APDU_OCTETS
from c1222.message.flat import FlatReader

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator

    from c1222.capture.decoder import Counters
    from c1222.errors import Finding
    from c1222.security.keys import Key, Keys

__all__ = ["DecodedBatches", "decode"]

_MAX_TITLES: Final = 65_536  # kept from one batch to the next


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
        self._forms = ServiceForms()
        self._titles = Titles(self._decoder.keys.base_oid.content)
        self._keys = KeyPlaces(self._decoder.keys, self._titles)
        self.counters: Counters = self._decoder.counters

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        for batch in self._batches:
            decoded = self._decoded(ApduBatch(batch))
            if decoded.num_rows:
                yield decoded
        if last := self._decoder.finish():
            yield from arrow_table(BULK_MESSAGES, map(bulk_row, last)).to_batches()

    def findings(self) -> list[Finding]:
        """Return what concerns the messages as a whole; complete once all batches were taken."""
        return self._decoder.findings()

    def _decoded(self, batch: ApduBatch) -> pa.RecordBatch:
        decoder = self._decoder
        if len(self._titles.texts) > _MAX_TITLES:
            self._titles = Titles(decoder.keys.base_oid.content)
            self._keys = KeyPlaces(decoder.keys, self._titles)
        titles, keys = self._titles, self._keys.known
        opened = open_shapes(
            batch.octets,
            batch.starts,
            np.where(batch.plain, batch.sizes, 0),
            titles=titles,
            keys=self._keys,
            max_size=self._max_size,
        )
        usual = UsualRows(batch, opened, titles)
        self._forms.tidy()
        services = ServiceColumns(batch.count, opened, self._forms)
        pairing = Pairing(decoder, usual, keys, services)
        order, messages = self._in_order(batch, usual, pairing)
        services.responses(pairing.start, pairing.size)

        rows = np.array(order, np.int64)
        alone = (rows < 0) | ~services.right[rows]
        chosen = rows[~alone]
        others = iter(messages)
        single = [
            bulk_row(next(others) if row < 0 else self._the_long_way(batch, usual, pairing, row, keys))
            for row in rows[alone].tolist()
        ]
        reply_to = pairing.reply_to[chosen]
        columns = {
            **batch.columns(chosen),
            **usual.columns(chosen),
            "services": services.column(chosen),
            "reply_to": pa.array(reply_to, mask=~usual.responds[chosen]),
        }
        return merged(BULK_MESSAGES, columns, single, alone)

    def _in_order(
        self, batch: ApduBatch, usual: UsualRows, pairing: Pairing
    ) -> tuple[list[int], list[CapturedMessage]]:
        """Pair all messages.

        Returns:
            Of each message the row of a usual one, -1 for those that went through the decoder of single messages; and
            these.
        """
        decoder = self._decoder
        waiting = decoder.early.waiting
        order: list[int] = []
        messages: list[CapturedMessage] = []
        row = one_by_one = 0
        while row < batch.count:
            if not waiting and row >= one_by_one and usual.shape[row] >= 0:
                end, one_by_one = pairing.run(row)
                order += range(row, end)
                row = end
                if row == one_by_one:
                    continue
            if not waiting and usual.shape[row] >= 0 and pairing.one(row):
                order.append(row)
            else:
                some = list(decoder.messages((batch.item(row),)))
                order += [-1] * len(some)
                messages += some
            row += 1
        return order, messages

    def _the_long_way(
        self, batch: ApduBatch, usual: UsualRows, pairing: Pairing, row: int, keys: list[Key]
    ) -> CapturedMessage:
        """Return a usual message whose services are not like others."""
        some, body = usual.opened(row)
        used, reply_to = int(usual.key[row]), int(pairing.reply_to[row])
        key = None if used < 0 else keys[used]
        message = CapturedMessage.received(
            self._read(batch.apdu(row)), body, some.spans, some.start, key, pairing.asked(row)
        )
        message.reply_to = reply_to if usual.responds[row] else None
        message.frame, message.time_ns = int(batch.frame[row]), int(batch.time_ns[row])
        message.src, message.dst, message.transport = batch.src[row], batch.dst[row], batch.transport[row]
        return message


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
