"""EAX': published vectors, the oracle over all lengths, forgeries, misuse, threads."""

import copy
import json
import pickle
import sys
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from c1222.errors import C1222Error, InvalidKey, InvalidTag, ShortHeader
from c1222.security.eax_prime import CACHED_KEYS, EAXPrime, eax_prime, trace
from tests.c1222.security import reference

VECTORS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[3] / "specs" / "vectors" / "eax-prime.json").read_text("utf-8")
)["vectors"]
KEY = bytes.fromhex("01020304050607080102030405060708")
HEADER = bytes(range(40))


def vectors(*origins: str, mode: int | None = None) -> Any:
    chosen = [v for v in VECTORS if v["origin"] in origins and mode in {None, v["mode"]}]
    assert chosen
    return pytest.mark.parametrize("vector", chosen, ids=[v["id"] for v in chosen])


def parts(vector: dict[str, Any]) -> tuple[bytes, bytes, bytes, bytes, bytes]:
    key, header, plain, cipher, mac = (
        bytes.fromhex(vector[name]) for name in ("key", "header", "plaintext", "ciphertext", "mac")
    )
    return key, header, plain, cipher, mac


@vectors("published", "capture", "generated", mode=2)
def test_vectors_both_ways(vector: dict[str, Any]) -> None:
    key, header, plain, cipher, mac = parts(vector)
    assert EAXPrime(key).encrypt(header, plain) == cipher + mac
    assert EAXPrime(key).decrypt(header, cipher + mac) == plain


@vectors("generated", mode=1)
def test_vector_of_cleartext_with_authentication(vector: dict[str, Any]) -> None:
    key, header, plain, _, mac = parts(vector)
    assert EAXPrime(key).mac(header + plain) == mac
    EAXPrime(key).verify(header + plain, mac)


@vectors("published", "capture", "generated", mode=2)
def test_oracle_has_the_published_intermediate_values(vector: dict[str, Any]) -> None:
    key, header, plain, cipher, mac = parts(vector)
    raw = reference.raw_encrypt(key, header, plain)
    assert (raw.ciphertext, raw.mac) == (cipher, mac)
    for name, value in vector["intermediate"].items():
        assert getattr(raw, name).hex() == value, name


@vectors("published", "capture", "generated", mode=2)
def test_trace_shows_the_published_intermediate_values(vector: dict[str, Any]) -> None:
    key, header, plain, cipher, mac = parts(vector)
    traced = trace(key, header, plain)
    assert (traced.ciphertext, traced.mac) == (cipher, mac)
    assert {name: getattr(traced, name).hex() for name in vector["intermediate"]} == vector["intermediate"]


def test_trace_of_cleartext_with_authentication_and_of_nothing() -> None:
    (vector,) = (v for v in VECTORS if v["mode"] == 1)
    key, header, plain, _, mac = parts(vector)
    traced = trace(bytearray(key), memoryview(header + plain), b"")
    assert traced.mac == mac
    assert traced.header_tag.hex() == vector["intermediate"]["header_tag"]
    assert traced.ciphertext_tag is None
    with pytest.raises(ShortHeader):
        trace(key, bytes(16), b"x")
    with pytest.raises(InvalidKey):
        trace(key + b"x", header, b"x")


@vectors("erratum")
def test_printed_erratum_does_not_verify(vector: dict[str, Any]) -> None:
    key, header, plain, cipher, mac = parts(vector)
    with pytest.raises(InvalidTag):
        EAXPrime(key).decrypt(header, cipher + mac)
    assert EAXPrime(key).encrypt(header, plain) != cipher + mac


@vectors("forgery")
def test_published_forgeries_pass_the_raw_construction_and_fail_here(vector: dict[str, Any]) -> None:
    key, header, plain, cipher, mac = parts(vector)
    assert reference.raw_decrypt(key, header, cipher, mac) == plain
    with pytest.raises(ShortHeader):
        EAXPrime(key).decrypt(header, cipher + mac)


@given(st.binary(min_size=16, max_size=16), st.binary(max_size=15))
@settings(max_examples=50)
def test_both_forgeries_under_every_key_and_length(key: bytes, short: bytes) -> None:
    padded = (short + b"\x80").ljust(16, b"\0")
    forgeries = [(short, padded)]
    if short:  # an empty ciphertext has no tag of its own
        forgeries.append((padded, short))
    for header, cipher in forgeries:
        assert reference.raw_decrypt(key, header, cipher, bytes(4)) is not None
        with pytest.raises(ShortHeader):
            EAXPrime(key).decrypt(header, cipher + bytes(4))
        longer = header.ljust(17, b"\0")
        with pytest.raises(InvalidTag):
            EAXPrime(key).decrypt(longer, cipher + bytes(4))


@given(st.binary(min_size=16, max_size=16), st.binary(min_size=17, max_size=600), st.binary(max_size=600))
@settings(max_examples=100)
def test_agrees_with_the_oracle(key: bytes, header: bytes, plain: bytes) -> None:
    raw = reference.raw_encrypt(key, header, plain)
    ours = EAXPrime(key)
    sealed = ours.encrypt(header, plain)
    assert sealed == raw.ciphertext + raw.mac
    assert ours.decrypt(header, sealed) == plain
    assert ours.mac(header + plain) == reference.raw_mac(key, header + plain)


def test_agrees_with_the_oracle_at_every_length() -> None:
    # Both ends of a block, and both sides of the length where the last block is handed over by itself.
    octets = bytes(i * 7 + 3 & 0xFF for i in range(1100))
    for size in (*range(70), *range(250, 275), 1023, 1024, 1025):
        key = octets[size % 200 :][:16]
        header, plain = octets[: 17 + size], octets[5 : 5 + size]
        raw = reference.raw_encrypt(key, header, plain)
        ours = EAXPrime(key)
        assert ours.encrypt(header, plain) == raw.ciphertext + raw.mac, size
        assert ours.decrypt(header, raw.ciphertext + raw.mac) == plain, size
        assert ours.mac(header) == reference.raw_mac(key, header), size


def test_counter_does_not_carry_into_what_it_must_not() -> None:
    # With the two bits cleared, a counter of FF octets elsewhere still counts like one big-endian number.
    octets = bytes(4096)
    for number in range(40):
        header = number.to_bytes(20)
        raw = reference.raw_encrypt(KEY, header, octets[:640])
        assert EAXPrime(KEY).encrypt(header, octets[:640])[:-4] == raw.ciphertext


@pytest.mark.parametrize("size", [0, 1, 15, 16])
def test_short_header_is_refused_every_way(size: int) -> None:
    ours = EAXPrime(KEY)
    for call in (
        lambda: ours.encrypt(bytes(size), b"x"),
        lambda: ours.decrypt(bytes(size), bytes(20)),
        lambda: ours.mac(bytes(size)),
        lambda: ours.verify(bytes(size), bytes(4)),
    ):
        with pytest.raises(ShortHeader) as caught:
            call()
        assert isinstance(caught.value, C1222Error)
        assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize("plain", [b"", b"x", b"sixteen octets ..", bytes(33)])
def test_every_flipped_bit_is_noticed(plain: bytes) -> None:
    ours = EAXPrime(KEY)
    sealed = ours.encrypt(HEADER, plain)
    for bit in range(8 * len(sealed)):
        changed = bytearray(sealed)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(InvalidTag):
            ours.decrypt(HEADER, bytes(changed))
    for bit in range(8 * len(HEADER)):
        changed = bytearray(HEADER)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(InvalidTag):
            ours.decrypt(bytes(changed), sealed)
    mac = ours.mac(HEADER + plain)
    for bit in range(32):
        with pytest.raises(InvalidTag):
            ours.verify(HEADER + plain, (int.from_bytes(mac) ^ 1 << bit).to_bytes(4))


def test_truncated_and_lengthened() -> None:
    ours = EAXPrime(KEY)
    sealed = ours.encrypt(HEADER, b"0123456789")
    for size in range(len(sealed)):
        with pytest.raises(InvalidTag):
            ours.decrypt(HEADER, sealed[:size])
    with pytest.raises(InvalidTag):
        ours.decrypt(HEADER, sealed + b"\0")
    mac = ours.mac(HEADER)
    for wrong in (b"", mac[:3], mac + b"\0", bytes(16)):
        with pytest.raises(InvalidTag):
            ours.verify(HEADER, wrong)


def test_nothing_is_decrypted_before_the_mac_is_right(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = EAXPrime(KEY)
    sealed = ours.encrypt(HEADER, b"0123456789")
    monkeypatch.setattr(EAXPrime, "_count", lambda *_: pytest.fail("decrypted"))
    with pytest.raises(InvalidTag):
        ours.decrypt(HEADER, sealed[:-1] + bytes([sealed[-1] ^ 1]))


@pytest.mark.parametrize("size", [0, 1, 15, 17, 24, 32])
def test_wrong_key_length(size: int) -> None:
    with pytest.raises(InvalidKey) as caught:
        EAXPrime(bytes(size))
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize("wrong", ["0123456789abcdef0123", 20, None, [1] * 20, (1,) * 20])
def test_only_octets_are_taken(wrong: Any) -> None:
    ours = EAXPrime(KEY)
    for call in (
        lambda: EAXPrime(wrong),
        lambda: ours.encrypt(wrong, b""),
        lambda: ours.encrypt(HEADER, wrong),
        lambda: ours.decrypt(wrong, bytes(20)),
        lambda: ours.decrypt(HEADER, wrong),
        lambda: ours.mac(wrong),
        lambda: ours.verify(wrong, bytes(4)),
        lambda: ours.verify(HEADER, wrong),
    ):
        with pytest.raises(TypeError):
            call()


@pytest.mark.parametrize("kind", [bytearray, memoryview, type("Octets", (bytes,), {})])
def test_any_bytes_like_object_is_taken(kind: Any) -> None:
    plain = b"some services"
    sealed = EAXPrime(KEY).encrypt(HEADER, plain)
    ours = EAXPrime(kind(KEY))
    assert ours.encrypt(kind(HEADER), kind(plain)) == sealed
    opened = ours.decrypt(kind(HEADER), kind(sealed))
    assert opened == plain
    assert type(opened) is bytes
    ours.verify(kind(HEADER), kind(ours.mac(kind(HEADER))))


def test_a_key_changed_afterwards_changes_nothing() -> None:
    key = bytearray(KEY)
    ours = EAXPrime(key)
    key[0] ^= 1
    assert ours.encrypt(HEADER, b"x") == EAXPrime(KEY).encrypt(HEADER, b"x")


def test_neither_pickled_nor_copied() -> None:
    for operation in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="neither copied nor pickled"):
            operation(EAXPrime(KEY))


def test_key_is_in_no_text() -> None:
    secret = b"SixteenSecretsXX"
    ours = EAXPrime(secret)
    texts = [repr(ours), str(ours), f"{ours:}"]
    for call in (lambda: EAXPrime(secret + b"!"), lambda: ours.decrypt(HEADER, bytes(20)), lambda: ours.mac(b"")):
        try:
            call()
        except C1222Error:
            kind, value, trace = sys.exc_info()
            report = traceback.TracebackException(kind or Exception, value or Exception(), trace)
            texts.append("".join(report.format()))
    assert len(texts) == 6
    for text in texts:
        assert "Secret" not in text
        assert secret.hex() not in text
    assert not hasattr(ours, "__dict__")


def test_threads_share_one_object() -> None:
    ours = EAXPrime(KEY)
    cases = [(bytes([i]) * (20 + i), bytes([255 - i]) * (300 * i + 1)) for i in range(8)]
    expected = [reference.raw_encrypt(KEY, header, plain) for header, plain in cases]
    start = threading.Barrier(8)

    def work(number: int) -> bool:
        header, plain = cases[number]
        wanted = expected[number].ciphertext + expected[number].mac
        start.wait()
        return all(ours.encrypt(header, plain) == wanted and ours.decrypt(header, wanted) == plain for _ in range(300))

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as pool:
            assert all(pool.map(work, range(8)))
    finally:
        sys.setswitchinterval(interval)
    assert 1 <= len(ours._counters) <= 8  # as many as worked at one time, whatever came to pass


def test_a_counter_context_serves_one_call_at_a_time() -> None:
    ours = EAXPrime(KEY)
    ours.encrypt(HEADER, b"x")
    (idle,) = ours._counters
    taken = ours._counters.pop()  # another call is between its two steps
    assert ours.encrypt(HEADER, b"y" * 40)[:-4] == reference.raw_encrypt(KEY, HEADER, b"y" * 40).ciphertext
    assert idle is taken
    assert ours._counters != [taken]


def test_objects_are_kept_per_key_and_their_number_is_bounded() -> None:
    eax_prime.cache_clear()
    try:
        first = eax_prime(KEY)
        assert eax_prime(bytes(KEY)) is first
        for number in range(CACHED_KEYS):
            eax_prime(number.to_bytes(16))
        assert eax_prime.cache_info().currsize == CACHED_KEYS
        assert eax_prime(KEY) is not first
    finally:
        eax_prime.cache_clear()
