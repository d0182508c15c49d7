"""One APDU, example 8 of the standard: ours and pyasn1's codec over the same types, in one run.

python -m pytest tests/bench/test_acse.py --benchmark-enable
"""

import json
from pathlib import Path
from typing import Any

import pytest
from pyasn1.codec.ber import decoder, encoder

from c1222.message.acse import Acse, declaration, decode_acse
from c1222.message.epsem import split_services

ENTRY = json.loads((Path(__file__).parents[2] / "specs/vectors/messages.json").read_text("utf-8"))["messages"][0]
OCTETS = bytes.fromhex(ENTRY["octets"])
BODY = bytes.fromhex(ENTRY["plaintext"])

pytestmark = pytest.mark.benchmark(group="acse")


def test_pyasn1_decode(benchmark: Any) -> None:
    value, _ = benchmark(decoder.decode, OCTETS, asn1Spec=declaration())
    assert int(value["calling-AP-invocation-id"]) == 3


def test_decode_top_level(benchmark: Any) -> None:
    assert benchmark(decode_acse, OCTETS).spans


def test_decode_every_element(benchmark: Any) -> None:
    def everything() -> Acse:
        acse = decode_acse(OCTETS)
        acse.check()
        return acse

    assert benchmark(everything).calling_invocation_id == 3


def test_decode_what_eax_prime_needs(benchmark: Any) -> None:
    def needed() -> Any:
        acse = decode_acse(OCTETS)
        return acse.called, acse.calling, acse.authentication, acse.user_information

    assert benchmark(needed)[2].key_id == 2


def test_pyasn1_encode(benchmark: Any) -> None:
    value, _ = decoder.decode(OCTETS, asn1Spec=declaration())
    assert benchmark(encoder.encode, value) == OCTETS


def test_build(benchmark: Any) -> None:
    acse = decode_acse(OCTETS)
    fields, payload = acse.fields(), acse.payload
    assert benchmark(lambda: Acse.build(user_information=payload, **fields)).octets == OCTETS


@pytest.mark.benchmark(group="epsem")
def test_split_services(benchmark: Any) -> None:
    assert len(benchmark(split_services, BODY, 0, len(BODY))) == 2
