"""A batch of APDUs, in columns that rows are taken from."""

from __future__ import annotations

import json
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np
import pyarrow as pa

from c1222.capture.message import UNTIMED
from c1222.capture.network.framing import Apdu, StreamRemark
from c1222.errors import Finding

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["ApduBatch"]

_NO_APDU: Final = Finding("error", "not-an-apdu", "bulk", None, "there is no APDU in this row")
_NO_FINDINGS: Final = Finding("error", "malformed", "bulk.findings", None, "the findings of this row cannot be read")


class ApduBatch:
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
        self._words = {name: _words(batch.column(name)) for name in ("src", "dst", "transport")}
        self.src, self.dst, self.transport = (_ColumnTexts(words) for words in self._words.values())

    def columns(self, rows: NDArray[np.int64]) -> dict[str, pa.Array]:
        """Return the columns that messages have from the batch.

        Args:
            rows: which rows, in order.
        """
        time_ns = self.time_ns[rows]
        whole = len(rows) == self.count
        result = {
            "frame": pa.array(self.frame[rows]),
            "time_ns": pa.array(time_ns, mask=time_ns == UNTIMED),
        }
        for name, words in self._words.items():
            result[name] = words if whole else words.take(pa.array(rows))
        return result

    def apdu(self, row: int) -> bytes:
        """Return an APDU."""
        start = int(self.starts[row])
        return self.octets[start : start + int(self.sizes[row])].tobytes()

    def item(self, row: int) -> Apdu | StreamRemark:
        """Return what the decoder of single messages takes."""
        frame, time_ns = int(self.frame[row]), int(self.time_ns[row])
        src, dst, how = self.src[row], self.dst[row], cast("Any", self.transport[row])
        findings = self._findings.get(row, ())
        if self._null[row]:
            return StreamRemark(frame, time_ns, src, dst, how, findings[0] if findings else _NO_APDU)
        return Apdu(frame, time_ns, src, dst, how, self.apdu(row), (frame,), findings)


class _ColumnTexts:
    """The texts of a column; null is no text."""

    def __init__(self, words: pa.DictionaryArray) -> None:
        self._words = words

    @cached_property
    def _texts(self) -> list[str]:
        return [*(word or "" for word in self._words.dictionary.to_pylist()), ""]

    @cached_property
    def _places(self) -> NDArray[np.int32]:
        return np.asarray(self._words.indices.fill_null(-1))

    def __getitem__(self, row: int) -> str:
        text: str = self._texts[self._places[row]]
        return text


def _numbers(column: pa.Array, instead: int) -> NDArray[np.int64]:
    numbers: NDArray[np.int64] = column.cast(pa.int64()).fill_null(instead).to_numpy()
    return numbers


def _words(column: pa.Array) -> pa.DictionaryArray:
    """Return texts, each once; what is empty is null."""
    encoded = column if isinstance(column, pa.DictionaryArray) else column.cast(pa.string()).dictionary_encode()
    words = encoded.dictionary
    if words.null_count or len(words.unique()) < len(words) or words.index("").as_py() >= 0:
        return _words(pa.array([word or None for word in column.to_pylist()], pa.string()))
    return encoded


def _findings(text: str) -> tuple[Finding, ...]:
    try:
        return tuple([Finding(**finding) for finding in json.loads(text)])
    except (ValueError, TypeError, RecursionError):
        return (_NO_FINDINGS,)
