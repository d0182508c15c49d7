"""The DES of C12.21's authentication. It is weak: 56 bits of key, a ticket from one side alone, nothing bound to it.

Whoever heard one exchange can search the key, and replays work against a meter that repeats its tickets. It is here
because meters in the field have nothing better, and says nothing about who is at the other end of a line.

Origin: Elster MeteringSDK and EnergyICT's drivers; values that Elster's client sent and accepted [V].
"""

from __future__ import annotations

from hmac import compare_digest

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes

from c1222.errors import InvalidKey

__all__ = ["DES_BLOCK", "des_answer", "des_proof", "is_des_answer", "is_des_proof"]

DES_BLOCK = 8
"""Octets of a key and of a ticket."""


def _encrypt(key: bytes, block: bytes) -> bytes:
    if len(key) != DES_BLOCK or len(block) != DES_BLOCK:
        raise InvalidKey(f"DES takes a key and a ticket of {DES_BLOCK} octets")
    encryptor = Cipher(TripleDES(key * 3), modes.ECB()).encryptor()  # noqa: S305 - what C12.21 says, see the module
    return encryptor.update(block) + encryptor.finalize()


def des_proof(key: bytes, ticket: bytes) -> bytes:
    """Return what a client sends to show that it has the key: the ticket, encrypted.

    Args:
        key: 8 octets; the parity bits do not count.
        ticket: 8 octets, out of Identify.

    Raises:
        InvalidKey: key or ticket has another size.
    """
    return _encrypt(key, ticket)


def des_answer(key: bytes, ticket: bytes) -> bytes:
    """Return what a meter answers to show the same: the client's proof, encrypted once more."""
    return _encrypt(key, _encrypt(key, ticket))


def is_des_proof(key: bytes, ticket: bytes, proof: bytes) -> bool:
    """Return whether a client's proof is right."""
    return compare_digest(des_proof(key, ticket), proof)


def is_des_answer(key: bytes, ticket: bytes, answer: bytes) -> bool:
    """Return whether a meter's answer is right."""
    return compare_digest(des_answer(key, ticket), answer)
