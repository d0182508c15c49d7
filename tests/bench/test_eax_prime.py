"""EAX' measured: ours, the same with fresh cipher contexts, and the floor of one CBC and one CTR pass.

pytest tests/bench/test_eax_prime.py --benchmark-enable --benchmark-sort=name
"""

from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives import constant_time
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC, CTR

from c1222.message.acse import decode_acse
from c1222.message.aptitle import DEFAULT_BASE
from c1222.message.epsem import Control
from c1222.security import EAXPrime, KeyStore
from c1222.security.canonical import canonical_header, canonical_prefix
from c1222.security.eax_prime import trace
from c1222.security.sealing import open_apdu, seal

KEY = bytes.fromhex("01020304050607080102030405060708")
HEADER = bytes(range(72))
SIZES = {"small": 34, "64K": 65536}
EXAMPLE_8 = bytes.fromhex(
    "604fa20580037bc175a60480027b04a803020103ac0fa20da00ba109800102810448f3d061be2a282881268841d10cda76206811b36f78"
    "1489a11997773e117cb07aa3aa40374a7107c50da7f799c5d4e8"
)


class Fresh:
    """The obvious way: a CBC context for each MAC and a CTR context, made for each message."""

    def __init__(self, key: bytes) -> None:
        subkeys = trace(key, HEADER, b"")
        self.aes, self.d, self.q = AES(key), subkeys.D, subkeys.Q

    def tag(self, start: bytes, data: bytes) -> bytes:
        if len(data) % 16 == 0:
            padded, mask = data, self.d
        else:
            padded, mask = data + b"\x80" + bytes(15 - len(data) % 16), self.q
        last = (int.from_bytes(padded[-16:]) ^ int.from_bytes(mask)).to_bytes(16)
        return Cipher(self.aes, CBC(start)).encryptor().update(padded[:-16] + last)[-16:]

    def decrypt(self, header: bytes, sealed: bytes) -> bytes:
        ciphertext, mac = sealed[:-4], sealed[-4:]
        header_tag = self.tag(self.d, header)
        tag = int.from_bytes(header_tag) ^ int.from_bytes(self.tag(self.q, ciphertext))
        if not constant_time.bytes_eq((tag & 0xFFFFFFFF).to_bytes(4), mac):
            raise AssertionError
        counter = bytearray(header_tag)
        counter[12] &= 0x7F
        counter[14] &= 0x7F
        return Cipher(self.aes, CTR(bytes(counter))).encryptor().update(ciphertext)


def floor(key: bytes, octets: bytes) -> Callable[[], bytes]:
    aes, whole = AES(key), octets + bytes(-len(octets) % 16)

    def passes() -> bytes:
        Cipher(aes, CBC(bytes(16))).encryptor().update(whole)
        return Cipher(aes, CTR(bytes(16))).encryptor().update(octets)

    return passes


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("way", ["ours", "fresh contexts", "floor"])
def test_open(benchmark: Any, size: str, way: str) -> None:
    plain = bytes(SIZES[size])
    ours = EAXPrime(KEY)
    sealed = ours.encrypt(HEADER, plain)
    benchmark.group = f"open {size}"
    if way == "floor":
        assert len(benchmark(floor(KEY, plain))) == len(plain)
    else:
        assert benchmark((ours if way == "ours" else Fresh(KEY)).decrypt, HEADER, sealed) == plain


@pytest.mark.parametrize("size", SIZES)
def test_seal(benchmark: Any, size: str) -> None:
    benchmark.group = f"seal {size}"
    assert len(benchmark(EAXPrime(KEY).encrypt, HEADER, bytes(SIZES[size]))) == SIZES[size] + 4


def test_set_up_a_key(benchmark: Any) -> None:
    benchmark.group = "key"
    assert benchmark(EAXPrime, KEY).mac(HEADER) == trace(KEY, HEADER, b"").mac


def test_canonical_header(benchmark: Any) -> None:
    acse = decode_acse(EXAMPLE_8)
    benchmark.group = "message"
    prefix, _, _ = benchmark(canonical_prefix, acse, DEFAULT_BASE.content)
    assert canonical_header(acse, key_id=2, iv=b"\x48\xf3\xd0\x61").startswith(prefix)


def test_open_a_message(benchmark: Any) -> None:
    acse, keys = decode_acse(EXAMPLE_8), KeyStore.of({2: KEY})
    benchmark.group = "message"
    assert benchmark(open_apdu, acse, keys).authenticated is True


def test_diagnose_a_message(benchmark: Any) -> None:
    acse, keys = decode_acse(EXAMPLE_8[:-1] + b"\0"), KeyStore.of({2: KEY})
    benchmark.group = "message"
    assert benchmark(open_apdu, acse, keys, diagnose=True).findings[0].code == "damaged"


def test_seal_a_message(benchmark: Any) -> None:
    acse, keys = decode_acse(EXAMPLE_8), KeyStore.of({2: KEY})
    opened, (key,) = open_apdu(acse, keys), keys
    control = Control.from_octet(acse.payload[0])
    benchmark.group = "message"
    fields = acse.fields()
    assert benchmark(seal, fields, key, iv=opened.iv, control=control, body=opened.body) == EXAMPLE_8
