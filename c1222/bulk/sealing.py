"""Many messages sealed at once, for head ends and for load tests; no header twice under a key, whoever seals when.

The vectors are those that `SendGuard` gives out. What it remembers over a restart is in a file that one call at a time
has: the largest vector of each sender and key id is in it, durably, before any message is given out.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import pyarrow as pa

from c1219.tabular.arrow import arrow_schema
from c1219.tabular.schema import RowColumn, RowSchema
from c1222.bulk.merging import rows_of
from c1222.bulk.opening import Titles, headers
from c1222.bulk.providers import key_store
from c1222.bulk.shapes import BEFORE_INTEGER, FEW, Parts
from c1222.errors import DecodeError, EncodeError, StateError
from c1222.message.aptitle import ApTitle
from c1222.message.epsem import Control, SecurityMode, split_services
from c1222.message.flat import FlatReader
from c1222.security.eax_prime_rows import PlainRows, seal_rows
from c1222.security.sealing import seal as seal_one
from c1222.security.sending import SendGuard

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from c1222.message.acse_fields import Fields
    from c1222.security.keys import Key, Keys, KeyStore

__all__ = ["SEALED", "seal"]

SEALED: Final = RowSchema(
    "c1222.sealed/1",
    "One message that was sealed.",
    (
        RowColumn("called", "word", "called ApTitle", null=False),
        RowColumn("calling", "word", "calling ApTitle", null=False),
        RowColumn("calling_invocation_id", "int64", "number of the message", null=False),
        RowColumn("iv", "string", "initialization vector in hex", null=False),
        RowColumn("apdu", "binary", "the message", null=False),
    ),
)

_WAIT_SECONDS: Final = 60.0
_SCHEMA: Final = "CREATE TABLE IF NOT EXISTS vectors (scope TEXT PRIMARY KEY, vector INTEGER NOT NULL) STRICT"


class _Plain(NamedTuple):
    """What is to be sealed, by row."""

    called: list[str]
    calling: list[str]
    number: list[int]
    quoted: list[int] | None
    body: list[bytes]

    @classmethod
    def of(cls, batch: pa.RecordBatch) -> _Plain:
        return cls(
            _column(batch, "called", pa.string()),
            _column(batch, "calling", pa.string()),
            _column(batch, "calling_invocation_id", pa.int64()),
            _column(batch, _QUOTED, pa.int64()) if _QUOTED in batch.schema.names else None,
            _column(batch, "services", pa.binary()),
        )


_QUOTED: Final = "called_invocation_id"


def _column(batch: pa.RecordBatch, name: str, kind: pa.DataType) -> list[Any]:
    if name not in batch.schema.names:
        raise ValueError(f"the batch has no column {name}")
    column = batch.column(name)
    if column.null_count:
        raise ValueError(f"the column {name} has nulls")
    return column.cast(kind).to_pylist()


def seal(
    messages: pa.RecordBatch,
    keys: Keys | str | os.PathLike[str],
    *,
    vectors: str | os.PathLike[str],
    now: float,
    key_id: int,
    mode: SecurityMode = SecurityMode.CIPHERTEXT_AUTHENTICATION,
) -> pa.RecordBatch:
    """Seal many messages.

    Args:
        messages: with the columns ``called`` and ``calling`` (titles as text), ``calling_invocation_id``, and
            ``services`` (binary: each service with its length before it). There may be ``called_invocation_id``: in
            responses, the number of the request.
        keys: as for `c1222.bulk.key_store`.
        vectors: file that remembers the vectors; it is made if there is none. A sender that seals by other means too
            needs another title for these.
        now: true time, seconds since 1970 UTC.
        key_id: 0..255.
        mode: to authenticate, or to encrypt as well.

    Returns:
        The messages, in order, with the columns of `SEALED`. In each call a sender's vectors are above all that it had
        before: in calls that follow each other within a second they run ahead of the clock.

    Raises:
        EncodeError: a title, a number or the services have no form on the wire, or the mode seals nothing.
        UnknownKey: there is no key for a title.
        StateError: the file of vectors cannot be used, is in use for more than a minute, or no vector is left.
        ShortHeader: so little is in a message that its canonical header has 16 octets or fewer.
        ValueError: a column is missing, or has nulls.
    """
    plain = _Plain.of(messages)
    sealer = _Sealer(plain, key_store(keys), key_id, Control(mode))
    ivs = sealer.issued(vectors, now)
    columns = [
        pa.array(plain.called, pa.string()).dictionary_encode(),
        pa.array(plain.calling, pa.string()).dictionary_encode(),
        pa.array(plain.number, pa.int64()),
        pa.array([iv.hex() for iv in ivs], pa.string()),
        pa.array(sealer.sealed(ivs), pa.binary()),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=arrow_schema(SEALED))


class _Sealer:
    """Seals the messages of one call.

    Args:
        plain: the messages.
        store: the keys.
        key_id: of the key.
        control: the control octet.
    """

    def __init__(self, plain: _Plain, store: KeyStore, key_id: int, control: Control) -> None:
        for body in set(plain.body):
            try:
                split_services(body, 0, len(body))
            except DecodeError as error:
                raise EncodeError(f"services: {error.reason}") from None
        self._plain = plain
        self._key_id = key_id
        self._control = control
        self._base = store.base_oid
        self._titles = {text: ApTitle(text) for text in {*plain.called, *plain.calling}}
        pairs = list(zip(plain.called, plain.calling, strict=True))
        of_pair = {(to, by): store.get(self._titles[to], self._titles[by], key_id) for to, by in set(pairs)}
        self._keys: list[Key] = list({id(key): key for key in of_pair.values()}.values())
        places = {id(key): place for place, key in enumerate(self._keys)}
        self._key = [places[id(of_pair[pair])] for pair in pairs]
        self._one_by_one: list[int] = []
        self._groups: list[tuple[list[int], bytes, Parts]] = []
        self._find_groups()

    def _find_groups(self) -> None:
        """Put together the messages that differ in nothing but octets, each group with an example."""
        plain, groups = self._plain, dict[tuple[Any, ...], list[int]]()
        forms = {text: (title.is_relative, len(title.content)) for text, title in self._titles.items()}
        quoted = plain.quoted or [0] * len(plain.number)
        for row, (called, calling, number, other, body) in enumerate(
            zip(plain.called, plain.calling, plain.number, quoted, plain.body, strict=True)
        ):
            form = forms[called], forms[calling], _octets(number), _octets(other), len(body)
            groups.setdefault(form, []).append(row)
        read = FlatReader().read
        for rows in groups.values():
            example = self._seal(rows[0], bytes(4))  # with no vector that is used; also to refuse what has no form
            apdu = read(example)
            if apdu is None or len(rows) < FEW:
                self._one_by_one += rows
            else:
                self._groups.append((rows, example, Parts.of(apdu)))

    def issued(self, vectors: str | os.PathLike[str], now: float) -> list[bytes]:
        """Return a vector for each message; when this returns, they are remembered."""
        plain, titles = self._plain, self._titles
        scopes = {text: SendGuard.scope(titles[text], self._key_id, self._base) for text in set(plain.calling)}
        contents = {text: titles[text].absolute(self._base).content for text in set(plain.called)}
        with _Vectors.opened(vectors) as store:
            guard = SendGuard(store, max_called=max(len(contents) * len(scopes), 1))
            return [
                guard.issue(scopes[calling], number, now, called=contents[called])
                for called, calling, number in zip(plain.called, plain.calling, plain.number, strict=True)
            ]

    def sealed(self, ivs: Sequence[bytes]) -> list[bytes]:
        """Return the APDUs."""
        result: list[bytes] = [b""] * len(ivs)
        titles = Titles(self._base.content)
        groups, matrices = [], []
        for rows, example, parts in self._groups:
            matrix = np.tile(np.frombuffer(example, np.uint8), (len(rows), 1))
            for part, octets in self._octets_of(rows, parts, ivs):
                matrix[:, part] = octets
            called, calling = titles.numbers([matrix[:, part] for part in (parts.called, parts.calling)])
            header = headers(matrix, parts, called, calling, titles)
            body = np.frombuffer(b"".join([self._plain.body[row] for row in rows]), np.uint8).reshape(len(rows), -1)
            encrypted = self._control.mode is SecurityMode.CIPHERTEXT_AUTHENTICATION
            groups.append(PlainRows(np.array([self._key[row] for row in rows], np.intp), header, body, encrypted))
            matrices.append(matrix)
        for (rows, _, parts), matrix, sealed in zip(self._groups, matrices, seal_rows(self._keys, groups), strict=True):
            matrix[:, parts.sealed] = sealed
            for row, apdu in zip(rows, rows_of(matrix.tobytes(), matrix.shape[1], len(rows)), strict=True):
                result[row] = apdu
        for row in self._one_by_one:
            result[row] = self._seal(row, ivs[row])
        return result

    def _octets_of(self, rows: list[int], parts: Parts, ivs: Sequence[bytes]) -> list[tuple[slice, NDArray[np.uint8]]]:
        """Return what stands in the parts of the messages of a group."""
        plain = self._plain
        values = [
            (parts.called, [self._element(plain.called[row]) for row in rows]),
            (parts.calling, [self._element(plain.calling[row]) for row in rows]),
            (parts.number, [plain.number[row].to_bytes(_octets(plain.number[row])) for row in rows]),
            (parts.iv, [ivs[row] for row in rows]),
        ]
        if plain.quoted is not None:
            quoted = [plain.quoted[row].to_bytes(_octets(plain.quoted[row])) for row in rows]
            values.append((slice(parts.quoted.start + BEFORE_INTEGER, parts.quoted.stop), quoted))
        return [(part, np.frombuffer(b"".join(each), np.uint8).reshape(len(rows), -1)) for part, each in values]

    def _element(self, text: str) -> bytes:
        title = self._titles[text].tlv()
        return bytes((len(title),)) + title

    def _seal(self, row: int, iv: bytes) -> bytes:
        plain = self._plain
        fields: Fields = {
            "called": self._titles[plain.called[row]],
            "called_invocation_id": None if plain.quoted is None else plain.quoted[row],
            "calling": self._titles[plain.calling[row]],
            "calling_invocation_id": plain.number[row],
        }
        key = self._keys[self._key[row]]
        return seal_one(fields, key, iv=iv, control=self._control, body=plain.body[row], base=self._base)


def _octets(number: int) -> int:
    """Return how many octets an integer has on the wire."""
    return max(1, (number.bit_length() + 7) // 8)


class _Vectors:
    """Vectors in a file of SQLite, for as long as nobody else has it; a `VectorStore`."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    @classmethod
    @contextmanager
    def opened(cls, path: str | os.PathLike[str]) -> Iterator[_Vectors]:
        """Give them out; what was saved is durable at the end, unless there was an error."""
        try:
            with closing(sqlite3.connect(path, timeout=_WAIT_SECONDS, isolation_level=None)) as database:
                database.execute("PRAGMA synchronous = FULL")
                database.execute("BEGIN EXCLUSIVE")
                database.execute(_SCHEMA)
                yield cls(database)
                database.execute("COMMIT")
        except sqlite3.Error as error:
            raise StateError(f"{os.fspath(path)}: the last vectors cannot be kept: {error}") from None

    def load(self, scope: str) -> int | None:
        """Return the vector last saved, or None."""
        found = self._database.execute("SELECT vector FROM vectors WHERE scope = ?", (scope,)).fetchone()
        return None if found is None else int(found[0])

    def save(self, scope: str, vector: int) -> None:
        """Save a vector; it is durable once the file is closed."""
        self._database.execute(
            "INSERT INTO vectors VALUES (?, ?) ON CONFLICT (scope) DO UPDATE SET vector = excluded.vector",
            (scope, vector),
        )
