"""Messages sealed at once are those that are sealed one by one, and no header is there twice, whoever seals when."""

from __future__ import annotations

import multiprocessing
import sqlite3
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import c1222
from c1222 import ApTitle, Key, KeyStore, Message, bulk
from c1222.errors import EncodeError, StateError, UnknownKey
from c1222.message.epsem import SecurityMode, encode_body
from c1222.services import tables
from tests.traffic import KEY

NOW = 1_700_000_000.5
READ = tables.ReadOffsetRequest(23, 4, 60)
ENCRYPTED, AUTHENTICATED = SecurityMode.CIPHERTEXT_AUTHENTICATION, SecurityMode.CLEARTEXT_AUTHENTICATION


def plain(called: list[str], numbers: list[int], **columns: list[Any]) -> pa.RecordBatch:
    count = len(called)
    return pa.record_batch(
        {
            "called": called,
            "calling": [".4"] * count,
            "calling_invocation_id": numbers,
            "services": [encode_body([READ.encode()], None)] * count,
            **columns,
        }
    )


def headers_of(batch: pa.RecordBatch) -> list[tuple[Any, ...]]:
    return [
        tuple(row[name] for name in ("called", "calling", "calling_invocation_id", "iv")) for row in batch.to_pylist()
    ]


def alone(row: dict[str, Any], keys: Any, mode: SecurityMode, **more: Any) -> bytes:
    message = Message(
        called=ApTitle(row["called"]),
        calling=ApTitle(row["calling"]),
        calling_invocation_id=row["calling_invocation_id"],
        services=[READ],
        security_mode=mode,
        key_id=2,
        iv=bytes.fromhex(row["iv"]),
        **more,
    )
    return c1222.encode(message, keys=keys)


@pytest.mark.parametrize("mode", [ENCRYPTED, AUTHENTICATED])
def test_the_same_octets_as_one_by_one(mode: SecurityMode, tmp_path: Path) -> None:
    titles = [f".1.{number // 100}.{number % 100}" for number in range(300)] + ["2.999.7", "1.3.6.1.4.1.33507.1"] * 20
    numbers = [1 + number * 97 for number in range(len(titles))]
    sealed = bulk.seal(plain(titles, numbers), KEY, vectors=tmp_path / "v", now=NOW, key_id=2, mode=mode)
    rows = sealed.to_pylist()
    assert [row["called"] for row in rows] == titles
    assert [row["apdu"] for row in rows] == [alone(row, KEY, mode) for row in rows]


def test_own_keys_and_responses(tmp_path: Path) -> None:
    keys = KeyStore([Key(2, number.to_bytes(16), f".9.{number}") for number in range(1, 40)])
    titles = [f".9.{number}" for number in range(1, 40)] * 3
    quoted = [5 + 1000 * number for number in range(len(titles))]
    batch = plain(titles, list(range(7, 7 + len(titles))), called_invocation_id=quoted)
    rows = bulk.seal(batch, keys, vectors=tmp_path / "v", now=NOW, key_id=2).to_pylist()
    wanted = [
        alone(row, keys, ENCRYPTED, called_invocation_id=number) for row, number in zip(rows, quoted, strict=True)
    ]
    assert [row["apdu"] for row in rows] == wanted


@settings(max_examples=20, deadline=None)
@given(numbers=st.lists(st.integers(0, (1 << 40) - 1), min_size=1, max_size=60), rows=st.integers(1, 3))
def test_any_numbers(numbers: list[int], rows: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    titles = [f".5.{number % rows}" for number in range(len(numbers))]
    path = tmp_path_factory.mktemp("v") / "v"
    sealed = bulk.seal(plain(titles, numbers), KEY, vectors=path, now=NOW, key_id=2)
    assert [row["apdu"] for row in sealed.to_pylist()] == [alone(row, KEY, ENCRYPTED) for row in sealed.to_pylist()]
    assert len(set(headers_of(sealed))) == len(numbers)


def test_no_header_twice_in_a_call_or_in_the_next(tmp_path: Path) -> None:
    batch = plain([".1", ".1", ".1", ".2"] * 10, [7, 7, 6, 7] * 10)
    calls = [bulk.seal(batch, KEY, vectors=tmp_path / "v", now=now, key_id=2) for now in (NOW, NOW, NOW - 1000)]
    found = [header for call in calls for header in headers_of(call)]
    assert len(set(found)) == len(found) == 120


def test_another_form_of_the_title_is_the_same_sender(tmp_path: Path) -> None:
    absolute = str(ApTitle(".4").absolute())
    first = bulk.seal(plain([".1"], [7]), KEY, vectors=tmp_path / "v", now=NOW, key_id=2)
    again = plain([str(ApTitle(".1").absolute())], [7], calling=[absolute])
    second = bulk.seal(again, KEY, vectors=tmp_path / "v", now=NOW, key_id=2)
    assert first.to_pylist()[0]["iv"] < second.to_pylist()[0]["iv"]


def _seal(path: Path) -> list[tuple[Any, ...]]:
    batch = plain([f".{number % 5}" for number in range(50)], [7] * 50)
    return [header for _ in range(5) for header in headers_of(bulk.seal(batch, KEY, vectors=path, now=NOW, key_id=2))]


def test_no_header_twice_in_several_processes(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        found = [header for part in pool.map(_seal, [tmp_path / "v"] * 4, chunksize=1) for header in part]
    assert len(set(found)) == len(found) == 1000


def test_a_call_that_fails_gives_out_nothing(tmp_path: Path) -> None:
    path = tmp_path / "v"
    last = 0xFFFFFFFF
    bulk.seal(plain([".1"], [7]), KEY, vectors=path, now=last - 1, key_id=2)
    with pytest.raises(StateError):
        bulk.seal(plain([".1"] * 5, [7] * 5), KEY, vectors=path, now=NOW, key_id=2)
    with sqlite3.connect(path) as database:
        assert database.execute("SELECT vector FROM vectors").fetchall() == [(last - 1,)]


def test_what_cannot_be_sealed(tmp_path: Path) -> None:
    options: dict[str, Any] = {"vectors": tmp_path / "v", "now": NOW, "key_id": 2}
    with pytest.raises(UnknownKey):
        bulk.seal(plain([".1"], [7]), Key(2, bytes(16), ".9"), **options)
    for columns in ({"services": [b"\x05\x30"]}, {"calling": ["nobody"]}):
        with pytest.raises(EncodeError):
            bulk.seal(plain([".1"], [7], **columns), KEY, **options)
    with pytest.raises(EncodeError):
        bulk.seal(plain([".1"], [1 << 41]), KEY, **options)
    with pytest.raises(EncodeError):
        bulk.seal(plain([".1"], [7]), KEY, mode=SecurityMode.CLEARTEXT, **options)
    with pytest.raises(ValueError, match="nulls"):
        bulk.seal(plain([None], [7]), KEY, **options)  # type: ignore[list-item]
    with pytest.raises(ValueError, match="no column called"):
        bulk.seal(plain([".1"], [7]).drop_columns(["called"]), KEY, **options)
    (tmp_path / "bad").write_bytes(b"no database" * 100)
    with pytest.raises(StateError, match="cannot be kept"):
        bulk.seal(plain([".1"], [7]), KEY, vectors=tmp_path / "bad", now=NOW, key_id=2)
    assert len(bulk.seal(plain([], []).cast(plain([".1"], [7]).schema), KEY, **options)) == 0
