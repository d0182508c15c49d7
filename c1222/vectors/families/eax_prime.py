"""EAX' itself: every block boundary, both modes, what must be refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from c1222.security.eax_prime import EAXPrime, trace
from c1222.vectors.deviations import Deviating, double, find

if TYPE_CHECKING:
    from c1222.vectors.author import Author

__all__ = ["NAME", "PURPOSE", "cases"]

NAME = "eax-prime"
PURPOSE = "EAX' with AES-128: sealing and opening octets, and cleartext with authentication"

_HEADERS = (17, 18, 31, 32, 33, 47, 48, 49, 63, 64, 65, 79, 80, 81)
_BODIES = (0, 1, 2, 15, 16, 17, 31, 32, 33, 47, 48, 49, 63, 64, 65, 80)
_LONG = (127, 128, 129, 255, 256, 257, 511, 512, 513, 1024)
_BASE_BODY = 33


def cases(author: Author) -> None:
    rng = author.rng
    key = rng.randbytes(16)
    # Every mask of the counter that has been met changes the counter of this header.
    header = find(lambda: rng.randbytes(63), lambda octets: _masked(trace(key, octets, b"").header_tag))
    plaintext = rng.randbytes(_BASE_BODY)
    _boundaries(author, key)
    _subkeys(author)
    _counters(author, key)
    _mode_1(author, key)
    sealed = EAXPrime(key).encrypt(header, plaintext)
    _flips(author, key, header, sealed[:-4], sealed[-4:])
    _refused(author, key, header, plaintext)
    _short_headers(author)


def _masked(tag: bytes) -> bool:
    return all(tag[octet] >= 0x80 for octet in (1, 3, 12, 14))


def _boundaries(author: Author, key: bytes) -> None:
    rng = author.rng
    author.group("boundaries", "eax-prime.seal", "Headers and bodies around every multiple of 16.", key=key.hex())
    for size in _HEADERS:
        for count in _BODIES:
            flags = ["BlockBoundary"] + ["EmptyBody"] * (not count)
            octets = {"header": rng.randbytes(size).hex(), "plaintext": rng.randbytes(count).hex()}
            author.valid(f"header of {size} octets, body of {count}", *flags, **octets)
    author.group("long", "eax-prime.seal", "Many blocks.", key=key.hex())
    for size in _LONG:
        author.valid(
            f"header of 60 octets, body of {size}",
            "BlockBoundary",
            header=rng.randbytes(60).hex(),
            plaintext=rng.randbytes(size).hex(),
        )
    for size in (127, 128, 129, 255, 256, 257):
        author.valid(
            f"header of {size} octets, body of 20",
            "BlockBoundary",
            header=rng.randbytes(size).hex(),
            plaintext=rng.randbytes(20).hex(),
        )


def _subkeys(author: Author) -> None:
    rng = author.rng
    author.group("subkeys", "eax-prime.seal", "Keys whose L and D have their last bit set, or not.")
    for from_l in (False, True):
        for from_d in (False, True):

            def fits(key: bytes, carries: tuple[bool, bool] = (from_l, from_d)) -> bool:
                first = trace(key, bytes(17), b"").L
                return (first[15] >= 0x80, double(first)[15] >= 0x80) == carries

            key = find(lambda: rng.randbytes(16), fits)
            for size in (16, 20):
                author.valid(
                    f"doubling L carries: {_yes(from_l)}; doubling D: {_yes(from_d)}; body of {size} octets",
                    "SubkeyCarry",
                    key=key.hex(),
                    header=rng.randbytes(40).hex(),
                    plaintext=rng.randbytes(size).hex(),
                )


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _counters(author: Author, key: bytes) -> None:
    rng = author.rng
    author.group("counters", "eax-prime.seal", "Counter blocks with bits to clear, and ones that carry.", key=key.hex())

    def tag(header: bytes) -> bytes:
        return trace(key, header, b"").header_tag

    for first in (0, 0x80):
        for second in (0, 0x80):
            header = find(
                lambda: rng.randbytes(40),
                lambda octets, wanted=(first, second): (tag(octets)[12] & 0x80, tag(octets)[14] & 0x80) == wanted,  # type: ignore[misc]
            )
            author.valid(
                f"top bit of octet 12: {first >> 7}; of octet 14: {second >> 7}",
                "CounterMask",
                header=header.hex(),
                plaintext=rng.randbytes(40).hex(),
            )
    for last in (0xFF, 0xFE):
        header = find(lambda: rng.randbytes(40), lambda octets, wanted=last: tag(octets)[15] == wanted)  # type: ignore[misc]
        author.valid(
            f"octet 15 is {last:02x}, three blocks", "CounterCarry", header=header.hex(), plaintext=bytes(48).hex()
        )


def _mode_1(author: Author, key: bytes) -> None:
    rng = author.rng
    author.group("mode-1", "eax-prime.mac", "One MAC over header and body, which stays in cleartext.", key=key.hex())
    for size in (17, 31, 32, 33, 63):
        for count in (0, 1, 15, 16, 17, 32, 33):
            flags = ("Mode1", "BlockBoundary", *["EmptyBody"] * (not count))
            octets = {"header": rng.randbytes(size).hex(), "body": rng.randbytes(count).hex()}
            author.valid(f"header of {size} octets, body of {count}", *flags, **octets)
    header, body = rng.randbytes(63), rng.randbytes(20)
    mac = EAXPrime(key).mac(header + body)
    author.group(
        "mode-1-verify",
        "eax-prime.verify",
        "MACs of mode 1 that are right, or not.",
        key=key.hex(),
        header=header.hex(),
    )
    author.valid("as it was sent", "Mode1", body=body.hex(), mac=mac.hex())
    for bit in range(32):
        author.invalid(f"bit {bit} of the MAC", "Mode1", "MacBitFlip", body=body.hex(), mac=_flip(mac, bit).hex())
    author.invalid("a bit of the body", "Mode1", "WrongMac", body=_flip(body, 5).hex(), mac=mac.hex())
    author.invalid("an octet more", "Mode1", "WrongMac", body=(body + b"\0").hex(), mac=mac.hex())
    author.invalid("an octet less", "Mode1", "WrongMac", body=body[:-1].hex(), mac=mac.hex())
    alone = EAXPrime(key).mac(header)
    author.invalid("MAC over the header alone", "Mode1", "HeaderOnlyMac", body=body.hex(), mac=alone.hex())
    sealed = EAXPrime(key).encrypt(header, body)[-4:]
    author.invalid("MAC of mode 2", "Mode1", "WrongMac", body=body.hex(), mac=sealed.hex())
    ordinary = Deviating(key, big_endian=True).mac(header + body)
    author.invalid("subkeys doubled as in CMAC", "Mode1", "BigEndianDoubling", body=body.hex(), mac=ordinary.hex())
    author.invalid("MAC reversed", "Mode1", "Erratum2008", body=body.hex(), mac=mac[::-1].hex())
    author.invalid("three octets of the MAC", "Mode1", "MacLength", body=body.hex(), mac=mac[:3].hex())
    author.invalid("no MAC", "Mode1", "MacLength", body=body.hex(), mac="")


def _flip(octets: bytes, bit: int) -> bytes:
    changed = bytearray(octets)
    changed[bit >> 3] ^= 0x80 >> (bit & 7)
    return bytes(changed)


def _flips(author: Author, key: bytes, header: bytes, ciphertext: bytes, mac: bytes) -> None:
    author.group(
        "mac-flips",
        "eax-prime.open",
        "Every single bit of one MAC.",
        key=key.hex(),
        header=header.hex(),
        ciphertext=ciphertext.hex(),
    )
    author.valid("as it was sent", mac=mac.hex())
    for bit in range(32):
        author.invalid(f"bit {bit} of the MAC, the first being the top bit of its first octet", "MacBitFlip",
                       mac=_flip(mac, bit).hex())  # fmt: skip
    for comment, wrong in (("all zeros", bytes(4)), ("all ones", b"\xff" * 4), ("reversed", mac[::-1])):
        author.invalid(f"MAC {comment}", "WrongMac", mac=wrong.hex())
    for size in (0, 1, 3):
        author.invalid(f"{size} octets of the MAC", "MacLength", mac=mac[:size].hex())
    author.invalid("a zero behind the MAC", "MacLength", mac=(mac + b"\0").hex())
    author.invalid("all 16 octets of what the MAC is cut from", "MacLength", mac=(bytes(12) + mac).hex())


def _refused(author: Author, key: bytes, header: bytes, plaintext: bytes) -> None:
    author.group("refused", "eax-prime.open", "What was changed, and what others have made of EAX'.", key=key.hex())
    sealed = EAXPrime(key).encrypt(header, plaintext)
    ciphertext, mac = sealed[:-4], sealed[-4:]

    def refuse(comment: str, flag: str, header: bytes, ciphertext: bytes, mac: bytes) -> None:
        author.invalid(comment, flag, header=header.hex(), ciphertext=ciphertext.hex(), mac=mac.hex())

    author.valid("as it was sent", header=header.hex(), ciphertext=ciphertext.hex(), mac=mac.hex())
    for place in (0, 127, 128, 8 * _BASE_BODY - 1):
        refuse(f"bit {place} of the ciphertext", "WrongMac", header, _flip(ciphertext, place), mac)
    for place in (0, 8 * 16, 8 * 63 - 1):
        refuse(f"bit {place} of the header", "WrongMac", _flip(header, place), ciphertext, mac)
    refuse("an octet of the ciphertext less", "WrongMac", header, ciphertext[:-1], mac)
    refuse("an octet of the ciphertext more", "WrongMac", header, ciphertext + b"\0", mac)
    refuse("80 behind the ciphertext, as its padding would be", "WrongMac", header, ciphertext + b"\x80", mac)
    refuse("80 behind the header, as its padding would be", "WrongMac", header + b"\x80", ciphertext, mac)
    refuse("no ciphertext", "WrongMac", header, b"", mac)
    refuse("header and ciphertext change places", "WrongMac", ciphertext, header, mac)
    refuse("the plaintext itself, with the MAC of the ciphertext", "WrongMac", header, plaintext, mac)
    refuse("encrypted, with the MAC of mode 1", "WrongMac", header, ciphertext, EAXPrime(key).mac(header + plaintext))
    refuse("the MAC of the header alone", "WrongMac", header, ciphertext, EAXPrime(key).encrypt(header, b""))
    other = EAXPrime(author.rng.randbytes(16)).encrypt(header, plaintext)
    refuse("another key", "WrongMac", header, other[:-4], other[-4:])
    print_of_2008 = Deviating(key, masked=(1, 3), reversed_mac=True)
    refuse("as first printed in 2008", "Erratum2008", header, *print_of_2008.seal(header, plaintext))
    octets = Deviating(key, masked=(1, 3)).seal(header, plaintext)[0]
    refuse("only the MAC reversed", "Erratum2008", header, ciphertext, mac[::-1])
    refuse("only the counter of 2008", "Erratum2008", header, octets, mac)
    ordinary = Deviating(key, big_endian=True)
    refuse("subkeys doubled as in CMAC", "BigEndianDoubling", header, *ordinary.seal(header, plaintext))
    refuse("subkeys doubled as in CMAC, no body", "BigEndianDoubling", header, *ordinary.seal(header, b""))


def _short_headers(author: Author) -> None:
    rng = author.rng
    author.group("forgeries", "eax-prime.open", "Two attacks on headers of 16 octets or fewer, under random keys.")
    for size in (1, 5, 15):
        octets = rng.randbytes(size)
        block = (octets + b"\x80").ljust(16, b"\0")
        author.invalid(
            f"ciphertext of {size} octets; the header is its padded block",
            *("Forgery", "ShortHeader"),
            **_hex(key=rng.randbytes(16), header=block, ciphertext=octets, mac=bytes(4)),
        )
    for size in (0, 1, 5, 15):
        octets = rng.randbytes(size)
        block = (octets + b"\x80").ljust(16, b"\0")
        author.invalid(
            f"header of {size} octets; the ciphertext is its padded block",
            *("Forgery", "ShortHeader"),
            **_hex(key=rng.randbytes(16), header=octets, ciphertext=block, mac=bytes(4)),
        )
    author.invalid(
        "the same attack where the header has 17 octets: the MAC is wrong",
        "WrongMac",
        **_hex(key=rng.randbytes(16), header=bytes(16) + b"\1", ciphertext=b"\1\2\3", mac=bytes(4)),
    )
    key = rng.randbytes(16)
    author.group("short-headers", "eax-prime.seal", "Headers too short to be safe.", key=key.hex())
    for size in (0, 1, 15, 16):
        author.acceptable(
            f"header of {size} octets", "ShortHeader", **_hex(header=rng.randbytes(size), plaintext=rng.randbytes(8))
        )
    author.valid("header of 17 octets", "BlockBoundary", **_hex(header=rng.randbytes(17), plaintext=rng.randbytes(8)))


def _hex(**octets: bytes) -> dict[str, str]:
    return {name: value.hex() for name, value in octets.items()}
