"""EAX' block by block, as the paper writes it, over another library's AES: the oracle. It refuses nothing."""

from typing import NamedTuple

from Crypto.Cipher import AES


class Raw(NamedTuple):
    L: bytes
    D: bytes
    Q: bytes
    header_tag: bytes
    counter: bytes
    ciphertext: bytes
    ciphertext_tag: bytes
    mac: bytes


def xor(a: bytes, b: bytes) -> bytes:
    return bytes(x ^ y for x, y in zip(a, b, strict=True))


def double(block: bytes) -> bytes:
    """Octet 0 is the least significant."""
    out = bytearray(16)
    carry = 0
    for i in range(16):
        out[i] = (block[i] << 1 | carry) & 0xFF
        carry = block[i] >> 7
    if carry:
        out[0] ^= 0x87
    return bytes(out)


def cmac(key: bytes, start: bytes, data: bytes, d: bytes, q: bytes) -> bytes:
    aes = AES.new(key, AES.MODE_ECB)
    blocks = [data[i : i + 16] for i in range(0, len(data), 16)] or [b""]
    chain = start
    for block in blocks[:-1]:
        chain = aes.encrypt(xor(chain, block))
    last = blocks[-1]
    if len(last) == 16:
        return aes.encrypt(xor(xor(chain, last), d))
    return aes.encrypt(xor(xor(chain, (last + b"\x80").ljust(16, b"\0")), q))


def count(key: bytes, counter: bytes, data: bytes) -> bytes:
    aes = AES.new(key, AES.MODE_ECB)
    out = b""
    number = int.from_bytes(counter, "big")
    for i in range(0, len(data), 16):
        stream = aes.encrypt(((number + i // 16) % (1 << 128)).to_bytes(16, "big"))
        out += xor(data[i : i + 16], stream[: len(data[i : i + 16])])
    return out


def subkeys(key: bytes) -> tuple[bytes, bytes, bytes]:
    zero = AES.new(key, AES.MODE_ECB).encrypt(bytes(16))
    d = double(zero)
    return zero, d, double(d)


def raw_encrypt(key: bytes, header: bytes, plaintext: bytes) -> Raw:
    zero, d, q = subkeys(key)
    header_tag = cmac(key, d, header, d, q)
    start = bytearray(header_tag)
    start[12] &= 0x7F
    start[14] &= 0x7F
    ciphertext = count(key, bytes(start), plaintext)
    ciphertext_tag = cmac(key, q, ciphertext, d, q) if plaintext else bytes(16)
    return Raw(zero, d, q, header_tag, bytes(start), ciphertext, ciphertext_tag, xor(header_tag, ciphertext_tag)[12:])


def raw_decrypt(key: bytes, header: bytes, ciphertext: bytes, mac: bytes) -> bytes | None:
    """Return the plaintext, or None where the MAC is wrong."""
    _, d, q = subkeys(key)
    header_tag = cmac(key, d, header, d, q)
    ciphertext_tag = cmac(key, q, ciphertext, d, q) if ciphertext else bytes(16)
    if xor(header_tag, ciphertext_tag)[12:] != mac:
        return None
    start = bytearray(header_tag)
    start[12] &= 0x7F
    start[14] &= 0x7F
    return count(key, bytes(start), ciphertext)


def raw_mac(key: bytes, data: bytes) -> bytes:
    _, d, q = subkeys(key)
    return cmac(key, d, data, d, q)[12:]
