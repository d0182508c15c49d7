"""Octets of tables that decoded batches show: reads, writes that were answered ok, notifications, as rows say them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

import numpy as np
import pyarrow as pa

from c1219.caches import BoundedDict
from c1222.capture.message import UNTIMED
from c1222.capture.tables.parts import NOTIFICATION, WRITTEN, Part, Shown
from c1222.message.epsem import SecurityMode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["MAX_REQUESTS", "ShownByRow", "ShownRows"]

MAX_REQUESTS: Final = 1 << 18
"""Requests remembered, for the responses to come."""
_WRITES: Final = tuple(answer.answers.service for answer in WRITTEN)


class ShownByRow(NamedTuple):
    """Octets of a table, as a row shows them; `time_ns` and `frame` are those of `c1222.capture.captured_device.Seen`.

    Attributes:
        shown: the octets, and where they belong.
        title: of the node whose table it is, as it stands there; None if it has none.
        address: of the node.
        verified: as `c1222.capture.captured_device.TableSeen` has it.
        time_ns: nanoseconds since 1970 UTC; `UNTIMED` if not known.
        frame: number of the frame.
    """

    shown: Shown
    title: str | None
    address: str
    verified: bool | None
    time_ns: int
    frame: int


class _Request(NamedTuple):
    """What is kept of a request.

    Attributes:
        verified: whether its MAC was right.
        notifies: whether it is a notification.
        written: what it writes.
    """

    verified: bool
    notifies: bool
    written: tuple[Shown, ...] = ()


class ShownRows:
    """Finds what decoded batches show, in order.

    Attributes:
        unpaired: responses whose request is not in the batches, so that what they say is taken as not verified.
    """

    def __init__(self) -> None:
        self.unpaired = 0
        self._requests: BoundedDict[int, _Request] = BoundedDict(MAX_REQUESTS)

    def of(self, batch: pa.RecordBatch) -> Iterator[ShownByRow]:
        """Yield what a batch shows.

        Args:
            batch: with the columns of `c1222.bulk.schema.BULK_MESSAGES`.
        """
        services = cast("pa.ListArray", batch.column("services"))
        members = services.flatten()
        owner = np.repeat(np.arange(batch.num_rows), np.diff(services.offsets.to_numpy()))
        requests = _is_one_of(members.field("kind"), ("request",))
        written = _is_one_of(members.field("service"), _WRITES) & ~requests
        brings = np.asarray(members.field("data").is_valid()) | written
        wanted = np.flatnonzero(brings & np.asarray(members.field("table").is_valid()))
        rows = list(zip(*(batch.column(name).to_pylist() for name in _ROW), strict=True))
        chosen = members.take(pa.array(wanted))
        found = zip(*(chosen.field(name).to_pylist() for name in _SERVICE), strict=True)
        places = owner[wanted].tolist()
        told = [(row, _Service(*values)) for row, values in zip(places, found, strict=True)]
        self._remember(rows, told)
        for place, service in told:
            row = _Row(*rows[place])
            one = self._shown(row, service)
            if one is not None:
                yield one

    def _remember(self, rows: list[tuple[Any, ...]], told: list[tuple[int, _Service]]) -> None:
        """Keep what responses of this batch and later ones may ask for."""
        writes: dict[int, list[Shown]] = {}
        for place, service in told:
            if service.kind == "request":
                writes.setdefault(place, []).append(service.shown(written=True))
        for place, values in enumerate(rows):
            row = _Row(*values)
            if row.reply_to is None:
                self._requests[row.frame] = _Request(
                    bool(row.authenticated), row.notifies, tuple(writes.get(place, ()))
                )

    def _shown(self, row: _Row, service: _Service) -> ShownByRow | None:
        verified = row.verified
        if service.kind == "request":
            return _by_row(service.shown(), row, verified) if row.notifies else None
        request = None if row.reply_to is None else self._requests.get(row.reply_to)
        if request is None:
            self.unpaired += 1
        elif request.notifies:
            return None  # the receiver of a notification has no such table
        if verified and not (request and request.verified):
            verified = False
        if service.data is not None:
            return _by_row(service.shown(), row, verified)
        if service.result == "ok" and request is not None:
            for one in request.written:
                if one.part == service.part:
                    return _by_row(one, row, verified)
        return None


class _Row(NamedTuple):
    """The columns of a message that are used."""

    frame: int
    time_ns: int | None
    src: str
    dst: str
    called: str | None
    calling: str | None
    authenticated: bool | None
    security_mode: str | None
    calling_ae_qualifier: int | None
    reply_to: int | None

    @property
    def notifies(self) -> bool:
        return bool((self.calling_ae_qualifier or 0) & NOTIFICATION)

    @property
    def verified(self) -> bool | None:
        """Whether its MAC is right; None if none was expected."""
        unchecked = self.authenticated is None and self.security_mode != SecurityMode.CLEARTEXT.label
        return False if unchecked else self.authenticated


class _Service(NamedTuple):
    """The members of a service that are used."""

    kind: str
    result: str | None
    table: int
    offset: int | None
    indices: list[int] | None
    data: bytes | None
    checksum_ok: bool | None

    @property
    def part(self) -> Part:
        return Part(self.table, self.offset, None if self.indices is None else tuple(self.indices))

    def shown(self, *, written: bool = False) -> Shown:
        return Shown(self.part, self.data or b"", bool(self.checksum_ok), written)


_ROW: Final = _Row._fields
_SERVICE: Final = _Service._fields


def _by_row(shown: Shown, row: _Row, verified: bool | None) -> ShownByRow:
    """Say whose octets these are: the sender's, which answers or notifies."""
    time_ns = UNTIMED if row.time_ns is None else row.time_ns
    return ShownByRow(shown, row.calling, row.src, verified, time_ns, row.frame)


def _is_one_of(words: pa.Array, wanted: tuple[str, ...]) -> NDArray[np.bool_]:
    """Return which words are among some."""
    coded = words if isinstance(words, pa.DictionaryArray) else words.dictionary_encode()
    numbers = [number for number, word in enumerate(coded.dictionary.to_pylist()) if word in wanted]
    result: NDArray[np.bool_] = np.isin(coded.indices.fill_null(-1).to_numpy(), numbers)
    return result
