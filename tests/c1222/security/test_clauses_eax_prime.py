"""What the vectors cannot show of EAX': how MACs are compared, and what the pieces are when taken apart by hand."""

from __future__ import annotations

import hmac
import json
from pathlib import Path
from typing import Any

import pytest

from c1222.errors import InvalidTag
from c1222.security import eax_prime as module
from c1222.security.eax_prime import EAXPrime, trace
from tests.c1222.security import reference

KEY = bytes.fromhex("01020304050607080102030405060708")
HEADER = bytes(range(40))
PUBLISHED = [
    vector
    for vector in json.loads((Path(__file__).parents[3] / "specs/vectors/eax-prime.json").read_text("utf-8"))["vectors"]
    if vector["origin"] in {"published", "capture"}
]


def test_macs_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[Any, Any]] = []

    def compare(one: Any, other: Any) -> bool:
        compared.append((one, other))
        return hmac.compare_digest(one, other)

    monkeypatch.setattr(module, "compare_digest", compare)
    ours = EAXPrime(KEY)
    sealed = ours.encrypt(HEADER, b"some services")
    mac = ours.mac(HEADER)
    assert ours.decrypt(HEADER, sealed) == b"some services"
    ours.verify(HEADER, mac)
    assert compared == [(sealed[-4:], sealed[-4:]), (mac, mac)]
    # every octet of a wrong MAC goes into the comparison, wherever the first difference is
    for place in range(4):
        wrong = bytearray(sealed)
        wrong[-4 + place] ^= 1
        with pytest.raises(InvalidTag):
            ours.decrypt(HEADER, bytes(wrong))
        assert compared[-1] == (sealed[-4:], bytes(wrong[-4:]))


@pytest.mark.parametrize("vector", PUBLISHED, ids=[vector["id"] for vector in PUBLISHED])
def test_steps_one_by_one(vector: dict[str, Any]) -> None:
    key, header, plain = (bytes.fromhex(vector[name]) for name in ("key", "header", "plaintext"))
    steps = trace(key, header, plain)
    raw = reference.raw_encrypt(key, header, plain)
    assert (raw.L, reference.double(raw.L), reference.double(reference.double(raw.L))) == (steps.L, steps.D, steps.Q)
    masked = bytearray(steps.header_tag)
    masked[12] &= 0x7F
    masked[14] &= 0x7F
    assert steps.counter == bytes(masked)
    assert steps.ciphertext_tag is not None
    assert steps.mac == reference.xor(steps.header_tag, steps.ciphertext_tag)[12:16]
    assert steps.mac.hex() == vector["mac"]


def test_without_a_body_the_mac_is_that_of_the_header() -> None:
    steps = trace(KEY, HEADER, b"")
    assert EAXPrime(KEY).encrypt(HEADER, b"") == steps.mac == steps.header_tag[12:16]
    assert EAXPrime(KEY).mac(HEADER) == steps.mac
    assert steps.mac == reference.raw_mac(KEY, HEADER)
