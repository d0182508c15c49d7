"""DES as C12.21 has it, against tickets and answers of others."""

from __future__ import annotations

import pytest

from c1222.errors import InvalidKey
from c1222.security.des import des_answer, des_proof, is_des_answer, is_des_proof
from tests.c1222.serial.vectors import CONTENT


@pytest.mark.parametrize("row", CONTENT["des_tickets"], ids=lambda row: row["key"])
def test_des(row: dict[str, str]) -> None:
    key, ticket, proof, answer = (bytes.fromhex(row[n]) for n in ("key", "ticket", "client_value", "device_value"))
    assert (des_proof(key, ticket), des_answer(key, ticket)) == (proof, answer)
    assert is_des_proof(key, ticket, proof)
    assert is_des_answer(key, ticket, answer)
    assert not is_des_answer(key, ticket, proof)


@pytest.mark.parametrize(("key", "ticket"), [(bytes(7), bytes(8)), (bytes(16), bytes(8)), (bytes(8), b"")])
def test_sizes_that_des_has_not(key: bytes, ticket: bytes) -> None:
    with pytest.raises(InvalidKey, match="8 octets"):
        des_proof(key, ticket)


def test_parity_bits_do_not_count() -> None:
    ticket = bytes(range(8))
    assert des_proof(b"KEY12345", ticket) == des_proof(bytes(octet ^ 1 for octet in b"KEY12345"), ticket)
    assert des_proof(b"KEY12345", ticket) != des_proof(bytes(octet ^ 2 for octet in b"KEY12345"), ticket)
