"""EAX' over many messages at once: published vectors, and the same as one message at a time, whatever is mixed."""

import json
import sys
import traceback
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from c1222.errors import InvalidTag, ShortHeader
from c1222.security import eax_prime_rows
from c1222.security.eax_prime import EAXPrime
from c1222.security.eax_prime_rows import OpenedRows, SealedRows, open_rows
from c1222.security.keys import Key
from tests.c1222.security import reference

VECTORS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[3] / "specs" / "vectors" / "eax-prime.json").read_text("utf-8")
)["vectors"]
KEY = bytes.fromhex("01020304050607080102030405060708")
SECRET = b"SixteenSecretsXX"
HEADER = bytes(range(40))


def matrix(rows: list[bytes]) -> NDArray[np.uint8]:
    return np.frombuffer(b"".join(rows), np.uint8).reshape(len(rows), -1)


def group(headers: list[bytes], sealed: list[bytes], *, encrypted: bool = True, key: list[int] | None = None) -> Any:
    positions = np.array(key or [0] * len(headers), np.intp)
    return SealedRows(positions, matrix(headers), matrix(sealed), encrypted)


@pytest.mark.parametrize("vector", VECTORS, ids=[v["id"] for v in VECTORS])
def test_vectors(vector: dict[str, Any]) -> None:
    key, header, plain, cipher, mac = (
        bytes.fromhex(vector[name]) for name in ("key", "header", "plaintext", "ciphertext", "mac")
    )
    encrypted = vector["mode"] == 2
    rows = group([header], [(cipher if encrypted else plain) + mac], encrypted=encrypted)
    if vector["origin"] == "forgery":
        with pytest.raises(ShortHeader):
            open_rows([Key(0, key)], [rows])
        return
    (opened,) = open_rows([Key(0, key)], [rows])
    right = vector["origin"] != "erratum"
    assert opened.right.tolist() == [right]
    assert opened.body.tobytes() == (plain if right else bytes(len(plain)))


def one_by_one(keys: list[Key], rows: SealedRows) -> OpenedRows:
    """The same by the other road."""
    right, bodies = [], []
    for position, header, sealed in zip(rows.key.tolist(), rows.header, rows.sealed, strict=True):
        eax, name, octets = EAXPrime(keys[position].octets), header.tobytes(), sealed.tobytes()
        try:
            if rows.encrypted:
                body = eax.decrypt(name, octets)
            else:
                body = octets[:-4]
                eax.verify(name + body, octets[-4:])
        except InvalidTag:
            right.append(False)
            body = bytes(max(0, len(octets) - 4))
        else:
            right.append(True)
        bodies.append(body)
    return OpenedRows(np.array(right, np.bool_), matrix(bodies))


@st.composite
def groups(draw: st.DrawFn) -> tuple[list[Key], list[SealedRows]]:
    """Groups of every size, of several keys without order, of which some messages are damaged somewhere."""
    random = draw(st.randoms(use_true_random=False))
    keys = [Key(number, random.randbytes(16)) for number in range(draw(st.integers(1, 4)))]
    made = []
    for _ in range(draw(st.integers(1, 5))):
        count, header_size, body_size = draw(st.tuples(st.integers(1, 12), st.integers(17, 90), st.integers(0, 90)))
        encrypted = draw(st.booleans())
        positions, headers, sealed = [], [], []
        for _ in range(count):
            position = random.randrange(len(keys))
            header, body = random.randbytes(header_size), random.randbytes(body_size)
            eax = EAXPrime(keys[position].octets)
            octets = bytearray(eax.encrypt(header, body) if encrypted else body + eax.mac(header + body))
            if random.random() < 0.3:
                octets[random.randrange(len(octets))] ^= 1 << random.randrange(8)
            positions.append(position)
            headers.append(header)
            sealed.append(bytes(octets))
        made.append(group(headers, sealed, encrypted=encrypted, key=positions))
    return keys, made


@given(groups())
@settings(max_examples=150, deadline=None)
def test_agrees_with_one_message_at_a_time(case: tuple[list[Key], list[SealedRows]]) -> None:
    keys, made = case
    for opened, rows in zip(open_rows(keys, made), made, strict=True):
        alone = one_by_one(keys, rows)
        assert opened.right.tolist() == alone.right.tolist()
        assert opened.body.tobytes() == alone.body.tobytes()


def test_agrees_with_the_oracle_at_every_length() -> None:
    octets = bytes(i * 7 + 3 & 0xFF for i in range(1100))
    made, plain = [], []
    for size in (*range(70), 255, 256, 257, 1023):
        header, body = octets[: 17 + size], octets[5 : 5 + size]
        raw = reference.raw_encrypt(KEY, header, body)
        made += [group([header], [raw.ciphertext + raw.mac])]
        made += [group([header], [body + reference.raw_mac(KEY, header + body)], encrypted=False)]
        plain += [body, body]
    for opened, body in zip(open_rows([Key(2, KEY)], made), plain, strict=True):
        assert opened.right.all(), len(body)
        assert opened.body.tobytes() == body


def test_counters_count_as_one_big_endian_number() -> None:
    # The mask clears two bits, so the counter nearest to a carry has 7fff7fff at its end.
    keys, size = [Key(2, KEY)], 40000 * 16
    tag = bytes(7) + b"\x01" + b"\xff" * 8
    streams = eax_prime_rows._KeyStreams(eax_prime_rows._ciphers(keys))
    streams.add(np.zeros(1, np.intp), np.frombuffer(tag, np.uint64).reshape(1, 2), size)
    (stream,) = streams.run()
    assert stream.tobytes() == EAXPrime(KEY)._count(int.from_bytes(tag), bytes(size))


@pytest.mark.parametrize("size", [0, 1, 15, 16, 33])
@pytest.mark.parametrize("encrypted", [True, False])
def test_every_flipped_bit_is_noticed_and_nothing_is_given_out(size: int, encrypted: bool) -> None:
    eax, body = EAXPrime(KEY), bytes(range(1, size + 1))
    sealed = eax.encrypt(HEADER, body) if encrypted else body + eax.mac(HEADER + body)
    changed = []
    for bit in range(8 * len(sealed)):
        octets = bytearray(sealed)
        octets[bit // 8] ^= 1 << bit % 8
        changed.append(bytes(octets))
    (opened,) = open_rows(
        [Key(2, KEY)], [group([HEADER] * (len(changed) + 1), [*changed, sealed], encrypted=encrypted)]
    )
    assert opened.right.tolist() == [False] * len(changed) + [True]
    assert not opened.body[:-1].any()
    assert opened.body[-1].tobytes() == body


@pytest.mark.parametrize("size", range(4))
@pytest.mark.parametrize("encrypted", [True, False])
def test_less_than_a_mac_is_no_mac(size: int, encrypted: bool) -> None:
    rows = SealedRows(np.zeros(2, np.intp), matrix([HEADER] * 2), np.zeros((2, size), np.uint8), encrypted)
    (opened,) = open_rows([Key(2, KEY)], [rows])
    assert opened.right.tolist() == [False, False]
    assert opened.body.shape == (2, 0)


def test_no_key_stream_is_made_for_a_wrong_mac(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    add = eax_prime_rows._KeyStreams.add
    monkeypatch.setattr(
        eax_prime_rows._KeyStreams,
        "add",
        lambda self, key, tag, size: (asked.append(len(key)), add(self, key, tag, size)),
    )
    sealed = EAXPrime(KEY).encrypt(HEADER, b"0123456789")
    wrong = sealed[:-1] + bytes([sealed[-1] ^ 1])
    open_rows([Key(2, KEY)], [group([HEADER] * 3, [wrong, sealed, wrong])])
    assert asked == [1]


def test_nothing_at_all() -> None:
    assert open_rows([], []) == []
    empty = SealedRows(np.zeros(0, np.intp), np.zeros((0, 40), np.uint8), np.zeros((0, 12), np.uint8), encrypted=True)
    (opened,) = open_rows([Key(2, KEY)], [empty])
    assert opened.body.shape == (0, 8)


def test_what_it_works_on_stays_as_it_was() -> None:
    sealed = EAXPrime(KEY).encrypt(HEADER, b"0123456789")
    rows = group([HEADER], [sealed])
    before = [column.tobytes() for column in rows[:3]]
    open_rows([Key(2, KEY)], [rows])
    assert [column.tobytes() for column in rows[:3]] == before


def test_key_is_in_no_text() -> None:
    keys = [Key(2, SECRET)]
    try:
        open_rows(keys, [group([bytes(16)], [bytes(20)])])
    except ShortHeader:
        kind, value, trace = sys.exc_info()
        report = "".join(traceback.TracebackException(kind, value, trace, capture_locals=True).format())  # type: ignore[arg-type]
    assert "ShortHeader" in report
    assert "Secret" not in report
    assert SECRET.hex() not in report
