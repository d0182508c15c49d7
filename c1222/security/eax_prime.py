"""EAX' (EAX-prime): the authenticated encryption of C12.22, with AES-128 and a MAC of four octets.

EAX' has no nonce of its own: the header (the canonified cleartext of a message) takes that part, so a header must
never occur twice under one key; ``sending`` sees to that. What differs from EAX: the subkeys D and Q are L = E(0)
doubled with octet 0 as the *least* significant, the first block is offset by D (header) or Q (ciphertext) instead of
following a block of its own, and the counter loses the top bits of octets 12 and 14. Source: EAX' Cipher Mode (Moise,
Beroset, Phinney, Burns, May 2011) with its four vectors, and the captured example of the standard. [V]

Both MACs are CMAC with another start and another mask on the last block, so each key primes two CMAC objects that are
only ever copied, and the last block is padded here and masked with (wanted mask xor CMAC's own). AES itself, the
chaining and the counter stay in OpenSSL.
"""

from __future__ import annotations

from hmac import compare_digest
from typing import TYPE_CHECKING, NamedTuple

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR, ECB
from cryptography.hazmat.primitives.cmac import CMAC

from c1219.caches import remembered
from c1222.errors import InvalidKey, InvalidTag, ShortHeader
from c1222.message.epsem import MAC_SIZE

if TYPE_CHECKING:
    from typing import NoReturn

    from cryptography.hazmat.primitives.ciphers import CipherContext

    Octets = bytes | bytearray | memoryview

__all__ = [
    "BLOCK_SIZE",
    "CACHED_KEYS",
    "COUNTER_MASK",
    "KEY_SIZE",
    "MAC_SIZE",
    "SHORT_HEADER",
    "EAXPrime",
    "Trace",
    "double_reversed",
    "eax_prime",
    "trace",
]

KEY_SIZE = 16
BLOCK_SIZE = 16
CACHED_KEYS = 8192
"""Keys whose primed state `eax_prime` keeps, 4 KB each; setting one up again costs more than a message."""

COUNTER_MASK = (1 << 8 * BLOCK_SIZE) - 1 ^ ((0x80 << 8 * (15 - 12)) | (0x80 << 8 * (15 - 14)))
"""What the first counter block keeps of the header's tag, as a number."""
SHORT_HEADER = "EAX' is forgeable where the header has 16 octets or fewer"
_ONE_NUMBER = 256  # up to here, masking the data as one number is quicker than handing the last block over by itself


class EAXPrime:
    """EAX' under one key. Safe to use from several threads; shows its key in no repr, pickle or error.

    Args:
        key: 16 octets.

    Raises:
        InvalidKey: the key is not 16 octets long.
    """

    __slots__ = ("_aes", "_ciphertext_mac", "_counters", "_header_mac", "_last_masks")

    def __init__(self, key: Octets) -> None:
        key = _octets(key, "key")
        if len(key) != KEY_SIZE:
            raise InvalidKey(f"a key has {KEY_SIZE} octets, not {len(key)}")
        self._aes = AES(key)
        # ECB on single blocks of our own making is the AES function itself; no message goes through it.
        block = Cipher(self._aes, ECB())  # noqa: S305
        encrypted_zero = block.encryptor().update(bytes(BLOCK_SIZE))
        d = self._doubled(encrypted_zero)
        q = self._doubled(d)
        unblock = block.decryptor()
        self._header_mac = self._primed(unblock.update(d))
        self._ciphertext_mac = self._primed(unblock.update(q))
        # CMAC takes every padded block for a whole one and masks it with its own subkey, which is undone here.
        own = _double(encrypted_zero)
        whole = int.from_bytes(d) ^ own
        part = int.from_bytes(q) ^ own
        self._last_masks = (whole, *(part ^ (0x80 << 8 * (missing - 1)) for missing in range(1, BLOCK_SIZE)))
        # A counter context belongs to one call at a time: a call takes one that is idle, or makes another.
        self._counters: list[CipherContext] = []

    def encrypt(self, header: Octets, plaintext: Octets) -> bytes:
        """Encrypt and authenticate.

        Args:
            header: the canonified cleartext N, more than 16 octets; never twice under one key.
            plaintext: any length, zero included.

        Returns:
            The ciphertext, as long as the plaintext, and the MAC of 4 octets.

        Raises:
            ShortHeader: the header has 16 octets or fewer.
        """
        if type(header) is not bytes:
            header = _octets(header, "header")
        if type(plaintext) is not bytes:
            plaintext = _octets(plaintext, "plaintext")
        if len(header) <= BLOCK_SIZE:
            raise ShortHeader(SHORT_HEADER)
        tag = self._tag(self._header_mac, header)
        if not plaintext:
            return tag.to_bytes(BLOCK_SIZE)[-MAC_SIZE:]
        ciphertext = self._count(tag, plaintext)
        tag ^= self._tag(self._ciphertext_mac, ciphertext)
        return ciphertext + (tag & 0xFFFFFFFF).to_bytes(MAC_SIZE)

    def decrypt(self, header: Octets, sealed: Octets) -> bytes:
        """Check the MAC in constant time and, only if it is right, decrypt.

        Args:
            header: the canonified cleartext N, more than 16 octets.
            sealed: the ciphertext and the MAC of 4 octets.

        Returns:
            The plaintext.

        Raises:
            InvalidTag: the MAC is wrong, or there is none.
            ShortHeader: the header has 16 octets or fewer.
        """
        if type(header) is not bytes:
            header = _octets(header, "header")
        if type(sealed) is not bytes:
            sealed = _octets(sealed, "sealed octets")
        if len(header) <= BLOCK_SIZE:
            raise ShortHeader(SHORT_HEADER)
        ciphertext = sealed[:-MAC_SIZE]
        tag = header_tag = self._tag(self._header_mac, header)
        if ciphertext:
            tag ^= self._tag(self._ciphertext_mac, ciphertext)
        if not compare_digest((tag & 0xFFFFFFFF).to_bytes(MAC_SIZE), sealed[-MAC_SIZE:]):
            raise InvalidTag(_WRONG)
        return self._count(header_tag, ciphertext) if ciphertext else b""

    def mac(self, data: Octets) -> bytes:
        """Authenticate without encrypting.

        Args:
            data: the canonified cleartext N and the body, together more than 16 octets. The two are one here: that N
                alone has more than 16 is for the caller to see to.

        Returns:
            The MAC, 4 octets.

        Raises:
            ShortHeader: the data has 16 octets or fewer.
        """
        if type(data) is not bytes:
            data = _octets(data, "data")
        if len(data) <= BLOCK_SIZE:
            raise ShortHeader(SHORT_HEADER)
        return (self._tag(self._header_mac, data) & 0xFFFFFFFF).to_bytes(MAC_SIZE)

    def verify(self, data: Octets, mac: Octets) -> None:
        """Check a MAC made by `mac`, in constant time.

        Raises:
            InvalidTag: the MAC is wrong.
            ShortHeader: the data has 16 octets or fewer.
        """
        if type(mac) is not bytes:
            mac = _octets(mac, "MAC")
        if not compare_digest(self.mac(data), mac):
            raise InvalidTag(_WRONG)

    def _doubled(self, block: bytes) -> bytes:
        return double_reversed(block)

    def _primed(self, block: bytes) -> CMAC:
        mac = CMAC(self._aes)
        mac.update(block)
        return mac

    def _tag(self, primed: CMAC, data: bytes) -> int:
        """CBC-MAC from the primed start over data of at least one octet, as a number of 128 bits."""
        mac = primed.copy()
        size = len(data)
        missing = -size & 15
        mask = self._last_masks[missing]
        if size <= _ONE_NUMBER:
            mac.update(((int.from_bytes(data) << 8 * missing) ^ mask).to_bytes(size + missing))
        else:
            cut = size + missing - BLOCK_SIZE
            mac.update(data[:cut])
            mac.update(((int.from_bytes(data[cut:]) << 8 * missing) ^ mask).to_bytes(BLOCK_SIZE))
        return int.from_bytes(mac.finalize())

    def _count(self, header_tag: int, data: bytes) -> bytes:
        """Apply the key stream that starts at the counter made of the header's tag."""
        start = (header_tag & COUNTER_MASK).to_bytes(BLOCK_SIZE)
        try:
            counter = self._counters.pop()
        except IndexError:
            counter = Cipher(self._aes, CTR(start)).encryptor()
        else:
            counter.reset_nonce(start)
        result = counter.update(data)
        self._counters.append(counter)
        return result

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("EAXPrime holds a key and is neither copied nor pickled")


@remembered(CACHED_KEYS)
def eax_prime(key: bytes) -> EAXPrime:
    """Return the `EAXPrime` of a key, kept from last time if it is among the `CACHED_KEYS` last used."""
    return EAXPrime(key)


class Trace(NamedTuple):
    """The values that arise while a message is sealed. As secret as the key: with D and Q anybody can forge.

    Attributes:
        L: the encrypted zero block.
        D: L doubled, the start of the header's MAC.
        Q: D doubled, the start of the ciphertext's MAC.
        header_tag: MAC of 16 octets over the header.
        counter: the first counter block.
        ciphertext: as long as the plaintext.
        ciphertext_tag: MAC of 16 octets over the ciphertext; None where that is empty.
        mac: what is sent, 4 octets.
    """

    L: bytes
    D: bytes
    Q: bytes
    header_tag: bytes
    counter: bytes
    ciphertext: bytes
    ciphertext_tag: bytes | None
    mac: bytes


def trace(key: Octets, header: Octets, plaintext: Octets) -> Trace:
    """Encrypt, and return every value that arises on the way: for test vectors, and to find where two sides part.

    Args:
        key: 16 octets.
        header: more than 16 octets. For cleartext with authentication: the header and the body, with no plaintext.
        plaintext: any length.

    Raises:
        InvalidKey: the key is not 16 octets long.
        ShortHeader: the header has 16 octets or fewer.
    """
    eax = EAXPrime(key)
    sealed = eax.encrypt(header, plaintext)
    ciphertext, mac = sealed[:-MAC_SIZE], sealed[-MAC_SIZE:]
    zero = Cipher(AES(bytes(key)), ECB()).encryptor().update(bytes(BLOCK_SIZE))  # noqa: S305 - one block of zeros
    d = double_reversed(zero)
    tag, header_mac, ciphertext_mac = eax._tag, eax._header_mac, eax._ciphertext_mac  # noqa: SLF001 - of this module
    header_tag = tag(header_mac, bytes(header))
    return Trace(
        L=zero,
        D=d,
        Q=double_reversed(d),
        header_tag=header_tag.to_bytes(BLOCK_SIZE),
        counter=(header_tag & COUNTER_MASK).to_bytes(BLOCK_SIZE),
        ciphertext=ciphertext,
        ciphertext_tag=tag(ciphertext_mac, ciphertext).to_bytes(BLOCK_SIZE) if ciphertext else None,
        mac=mac,
    )


_WRONG = "the MAC is wrong"


def _octets(value: Octets, what: str) -> bytes:
    """Take any bytes-like object, and nothing that `bytes()` would take for a length or a list."""
    if not isinstance(value, (bytes, bytearray, memoryview)):
        raise TypeError(f"{what}: bytes-like object expected, not {type(value).__name__}")
    return bytes(value)


def _double(block: bytes) -> int:
    """Double in GF(2^128), octet 0 being the most significant, as in NIST SP 800-38B."""
    number = int.from_bytes(block) << 1
    return number ^ (1 << 128 | 0x87) if number >> 128 else number


def double_reversed(block: bytes) -> bytes:
    """Return a block doubled in GF(2^128), octet 0 being the least significant, as EAX' has it."""
    return _double(block[::-1]).to_bytes(BLOCK_SIZE, "little")
