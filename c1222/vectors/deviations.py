"""EAX' block by block, with the mistakes that implementations have made: for messages that must be refused.

AES itself comes from the one place that has it: with a header of two blocks, the first of them D, the MAC of the header
is the encryption of any block one likes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from c1222.security.eax_prime import BLOCK_SIZE, MAC_SIZE, trace

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Deviating", "double"]


def _xor(*blocks: bytes) -> bytes:
    number = 0
    for block in blocks:
        number ^= int.from_bytes(block)
    return number.to_bytes(BLOCK_SIZE)


def double(block: bytes, *, big_endian: bool = False) -> bytes:
    """Double a block in GF(2^128).

    Args:
        block: 16 octets.
        big_endian: octet 0 is the most significant, as in CMAC; in EAX' it is the least.
    """
    number = int.from_bytes(block, "big" if big_endian else "little") << 1
    if number >> 128:
        number ^= 1 << 128 | 0x87
    return number.to_bytes(BLOCK_SIZE, "big" if big_endian else "little")


class Deviating:
    """EAX' by somebody who read it differently; with no argument but the key, EAX' as it is.

    Args:
        key: 16 octets.
        big_endian: double as CMAC does.
        masked: octets of the counter whose top bit is cleared.
        reversed_mac: send the MAC with its octets in reverse.
    """

    def __init__(
        self, key: bytes, *, big_endian: bool = False, masked: tuple[int, ...] = (12, 14), reversed_mac: bool = False
    ) -> None:
        steps = trace(key, bytes(BLOCK_SIZE + 1), b"")
        self._key, self._l, self._d = key, steps.L, steps.D
        self.d = double(steps.L, big_endian=big_endian)
        self.q = double(self.d, big_endian=big_endian)
        self._masked = masked
        self._reversed = reversed_mac

    def aes(self, block: bytes) -> bytes:
        """Encrypt one block."""
        return trace(self._key, self._d + _xor(block, self._l, self._d), b"").header_tag

    def cmac(self, start: bytes, data: bytes) -> bytes:
        """Chain from a start over data; the last block is masked."""
        chain = start
        blocks = [data[at : at + BLOCK_SIZE] for at in range(0, len(data), BLOCK_SIZE)] or [b""]
        for block in blocks[:-1]:
            chain = self.aes(_xor(chain, block))
        last = blocks[-1]
        if len(last) == BLOCK_SIZE:
            return self.aes(_xor(chain, last, self.d))
        return self.aes(_xor(chain, (last + b"\x80").ljust(BLOCK_SIZE, b"\0"), self.q))

    def seal(self, header: bytes, plaintext: bytes) -> tuple[bytes, bytes]:
        """Return ciphertext and MAC."""
        header_tag = self.cmac(self.d, header)
        tag = header_tag
        ciphertext = b""
        if plaintext:
            ciphertext = self._count(header_tag, plaintext)
            tag = _xor(tag, self.cmac(self.q, ciphertext))
        mac = tag[-MAC_SIZE:]
        return ciphertext, mac[::-1] if self._reversed else mac

    def mac(self, data: bytes) -> bytes:
        """Return the MAC of mode 1."""
        return self.cmac(self.d, data)[-MAC_SIZE:]

    def _count(self, header_tag: bytes, data: bytes) -> bytes:
        counter = bytearray(header_tag)
        for octet in self._masked:
            counter[octet] &= 0x7F
        start = int.from_bytes(counter)
        result = b""
        for number, at in enumerate(range(0, len(data), BLOCK_SIZE)):
            block = data[at : at + BLOCK_SIZE]
            stream = self.aes(((start + number) % (1 << 128)).to_bytes(BLOCK_SIZE))
            result += _xor(block.ljust(BLOCK_SIZE, b"\0"), stream)[: len(block)]
        return result


def find(make: Callable[[], bytes], wanted: Callable[[bytes], bool], tries: int = 100_000) -> bytes:
    """Return the first of what is made that is wanted.

    Raises:
        LookupError: it is not among so many.
    """
    for _ in range(tries):
        octets = make()
        if wanted(octets):
            return octets
    raise LookupError(f"nothing suitable among {tries}")
