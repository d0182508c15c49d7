"""Octets changed at random: what every door is tried with."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

from c1222.errors import DecodeError
from c1222.message.ber import read_length, tlv

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

__all__ = ["MAX_OCTETS", "mutate"]

MAX_OCTETS: Final = 1 << 16
"""No input is longer."""
_EDGES: Final = (0, 1, 0x7F, 0x80, 0x81, 0x82, 0x83, 0x84, 0xFE, 0xFF)
"""Octets at which lengths, signs and forms change."""


def mutate(seeds: Sequence[bytes], chance: Random) -> bytes:
    """Return one of some inputs with a few changes; sometimes two of them put together, seldom nothing but chance.

    The length of a BER element is put right every second time, so that what is inside is looked at.
    """
    kind = chance.random()
    if kind < 0.02:
        return chance.randbytes(chance.randrange(200))
    octets = bytearray(chance.choice(seeds))
    head = _head(octets)
    if kind < 0.12:
        other = chance.choice(seeds)
        octets[chance.randrange(len(octets) + 1) :] = other[chance.randrange(len(other) + 1) :]
    for _ in range(1 + int(chance.expovariate(0.6))):
        _change(octets, chance)
    if head and len(octets) > head and chance.random() < 0.5:
        return tlv(octets[0], bytes(octets[head : MAX_OCTETS - 4]))
    return bytes(octets[:MAX_OCTETS])


def _head(octets: bytearray) -> int:
    """Return the octets of tag and length of an element that takes up all of an input; 0 if it is none."""
    with suppress(DecodeError):
        size, start = read_length(octets, 1, len(octets))
        return start if start + size == len(octets) else 0
    return 0


def _change(octets: bytearray, chance: Random) -> None:
    place = chance.randrange(len(octets) + 1)
    size = 1 + int(chance.expovariate(0.1))
    match chance.randrange(10):
        case 0 | 1:
            octets[place : place + 1] = bytes((chance.randrange(256),))
        case 2 if octets:
            octets[place % len(octets)] ^= 1 << chance.randrange(8)
        case 3:
            octets[place : place + 1] = bytes((chance.choice(_EDGES),))
        case 4 if octets:
            place %= len(octets)
            octets[place] = (octets[place] + chance.choice((-2, -1, 1, 2))) % 256
        case 5:
            del octets[place : place + size]
        case 6:
            octets[place:place] = chance.randbytes(size)
        case 7:
            octets[place:place] = octets[place : place + size] * chance.choice((1, 1, 2, 40))
        case 8:
            there = chance.randrange(len(octets) + 1)
            octets[there : there + size] = octets[place : place + size]
        case 9 if chance.random() < 0.3:
            del octets[place:]
        case _:
            octets[place : place + 4] = chance.choice((0, 1, 0x7FFFFFFF, 0xFFFFFFFF)).to_bytes(4, "big")
