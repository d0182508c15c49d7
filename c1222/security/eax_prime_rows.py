"""EAX' over many messages at once, of many keys, in arrays. Needs NumPy, as the extra ``arrow`` has it.

A message alone costs a dozen calls of OpenSSL, however short it is. Here all CBC-MACs, of headers and of ciphertexts,
go forward together: a step takes the next block of every chain that has one left, and is one call for each key over
all of its rows. The key streams are one more call for each key, and only for rows whose MAC was right.
`c1222.security.eax_prime` describes the mode and is the oracle of this.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB

from c1222.errors import ShortHeader
from c1222.security.eax_prime import BLOCK_SIZE, COUNTER_MASK, MAC_SIZE, SHORT_HEADER, double_reversed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cryptography.hazmat.primitives.ciphers import CipherContext
    from numpy.typing import NDArray

    from c1222.security.keys import Key

    Blocks = NDArray[np.uint64]  # rows of two numbers, which stand for the octets of a block as they are in memory

__all__ = ["OpenedRows", "PlainRows", "SealedRows", "open_rows", "seal_rows"]

_HALVES = 2
_MANY = 256  # chains of a key that are worth to be run by themselves
_PAD = 0x80
_LOW = (1 << 64) - 1


class SealedRows(NamedTuple):
    """Messages with headers of one length and bodies of one length.

    Attributes:
        key: of each message, the position of its key.
        header: the canonified cleartext N of each message, rows × octets; more than 16 octets.
        sealed: ciphertext or body of each message, and the MAC of 4 octets behind it, rows × octets.
        encrypted: whether the bodies are encrypted, or only authenticated.
    """

    key: NDArray[np.intp]
    header: NDArray[np.uint8]
    sealed: NDArray[np.uint8]
    encrypted: bool


class OpenedRows(NamedTuple):
    """What became of `SealedRows`.

    Attributes:
        right: of each message, whether its MAC is right.
        body: the body of each message, rows × octets; zeros where the MAC is wrong.
    """

    right: NDArray[np.bool_]
    body: NDArray[np.uint8]


def open_rows(keys: Sequence[Key], groups: Sequence[SealedRows]) -> list[OpenedRows]:
    """Check the MACs of all messages without regard to what they hold, and give out the bodies of those that are right.

    Args:
        keys: the keys that the rows point to.
        groups: the messages. Memory is a small multiple of theirs.

    Returns:
        One for each group, in order.

    Raises:
        ShortHeader: the headers of a group have 16 octets or fewer.
    """
    if any(rows.header.shape[1] <= BLOCK_SIZE for rows in groups):
        raise ShortHeader(SHORT_HEADER)
    ciphers = _ciphers(keys)
    chains = _Chains(ciphers)
    for rows in groups:
        body = rows.sealed[:, :-MAC_SIZE]
        chains.add(rows.key, rows.header if rows.encrypted else np.hstack((rows.header, body)), of_ciphertext=False)
        if rows.encrypted and body.shape[1]:
            chains.add(rows.key, body, of_ciphertext=True)
    tags = iter(chains.run())

    opened = []
    streams = _KeyStreams(ciphers)
    for rows in groups:
        body = rows.sealed[:, :-MAC_SIZE]
        tag = header_tag = next(tags)
        if rows.encrypted and body.shape[1]:
            tag = tag ^ next(tags)
        right = _same(tag, rows.sealed)
        which: NDArray[np.bool_] | slice = slice(None) if right.all() else right
        bodies = np.zeros(body.shape, np.uint8)
        opened.append(OpenedRows(right, bodies))
        if not rows.encrypted:
            bodies[which] = body[which]
        elif body.shape[1]:
            streams.add(rows.key[which], header_tag[which], body.shape[1])
    decrypted = iter(streams.run())
    for rows, result in zip(groups, opened, strict=True):
        if rows.encrypted and result.body.shape[1]:
            which = slice(None) if result.right.all() else result.right
            result.body[which] = rows.sealed[which, :-MAC_SIZE] ^ next(decrypted)
    return opened


class PlainRows(NamedTuple):
    """Messages to be sealed, with headers of one length and bodies of one length.

    Attributes:
        key: as for `SealedRows`.
        header: likewise; never twice the same under a key.
        body: the body of each message, rows × octets.
        encrypted: whether to encrypt the bodies, or only to authenticate.
    """

    key: NDArray[np.intp]
    header: NDArray[np.uint8]
    body: NDArray[np.uint8]
    encrypted: bool


def seal_rows(keys: Sequence[Key], groups: Sequence[PlainRows]) -> list[NDArray[np.uint8]]:
    """Encrypt and authenticate.

    Args:
        keys: the keys that the rows point to.
        groups: the messages.

    Returns:
        For each group ciphertext or body, and the MAC, rows × octets.

    Raises:
        ShortHeader: the headers of a group have 16 octets or fewer.
    """
    if any(rows.header.shape[1] <= BLOCK_SIZE for rows in groups):
        raise ShortHeader(SHORT_HEADER)
    ciphers = _ciphers(keys)
    chains, streams, second = _Chains(ciphers), _KeyStreams(ciphers), _Chains(ciphers)
    for rows in groups:
        data = rows.header if rows.encrypted else np.hstack((rows.header, rows.body))
        chains.add(rows.key, data, of_ciphertext=False)
    tags = chains.run()
    hidden = [rows.encrypted and rows.body.shape[1] > 0 for rows in groups]
    for rows, tag, hide in zip(groups, tags, hidden, strict=True):
        if hide:
            streams.add(rows.key, tag, rows.body.shape[1])
    stream = iter(streams.run())
    bodies = [rows.body ^ next(stream) if hide else rows.body for rows, hide in zip(groups, hidden, strict=True)]
    for rows, body, hide in zip(groups, bodies, hidden, strict=True):
        if hide:
            second.add(rows.key, body, of_ciphertext=True)
    more = iter(second.run())
    return [
        np.hstack((body, (tag ^ next(more) if hide else tag).view(np.uint8)[:, -MAC_SIZE:]))
        for body, tag, hide in zip(bodies, tags, hidden, strict=True)
    ]


def _ciphers(keys: Sequence[Key]) -> list[CipherContext]:
    # ECB on blocks of our own making is the AES function itself; no message goes through it.
    return [Cipher(AES(key.octets), ECB()).encryptor() for key in keys]  # noqa: S305


def _same(tag: Blocks, sealed: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return for each row whether the MAC at its end is that of the tag. Every octet of every row is looked at."""
    if sealed.shape[1] < MAC_SIZE:
        return np.zeros(len(sealed), np.bool_)
    difference = tag.view(np.uint8)[:, -MAC_SIZE:] ^ sealed[:, -MAC_SIZE:]
    result: NDArray[np.bool_] = np.bitwise_or.reduce(difference, axis=1) == 0
    return result


def _encrypted(ciphers: Sequence[CipherContext], key: NDArray[np.intp], blocks: Blocks) -> Blocks:
    """Return the blocks encrypted, each under its key; those of one key stand together."""
    result = np.empty((len(blocks) + 1, _HALVES), np.uint64)  # OpenSSL asks for one block of room more than it fills
    if not len(blocks):
        return result[:-1]
    source = np.ascontiguousarray(blocks).data.cast("B")
    target = result.data.cast("B")
    begins = np.flatnonzero(np.diff(key, prepend=-1))
    ends = [*(begins[1:] * BLOCK_SIZE).tolist(), len(source)]
    for position, begin, end in zip(key[begins].tolist(), (begins * BLOCK_SIZE).tolist(), ends, strict=True):
        ciphers[position].update_into(source[begin:end], target[begin : end + BLOCK_SIZE - 1])
    return result[:-1]


def _blocks(octets: Iterable[bytes]) -> Blocks:
    return np.frombuffer(b"".join(octets), np.uint64).reshape(-1, _HALVES)


class _Chains:
    """CBC-MACs that go forward together.

    Args:
        ciphers: AES under each key.
    """

    def __init__(self, ciphers: Sequence[CipherContext]) -> None:
        self._ciphers = ciphers
        d = [double_reversed(cipher.update(bytes(BLOCK_SIZE))) for cipher in ciphers]
        self._d = _blocks(d)
        self._q = _blocks(map(double_reversed, d))
        self._added: list[_Added] = []

    def add(self, key: NDArray[np.intp], data: NDArray[np.uint8], *, of_ciphertext: bool) -> None:
        """Add a chain for each row.

        Args:
            key: position of the key of each row.
            data: rows × octets, one at least.
            of_ciphertext: whether that is what the data are, or headers.
        """
        count, size = data.shape
        padded = np.zeros((count, -(-size // BLOCK_SIZE) * BLOCK_SIZE), np.uint8)
        padded[:, :size] = data
        whole = size == padded.shape[1]
        if not whole:
            padded[:, size] = _PAD
        blocks = padded.view(np.uint64).reshape(count, padded.shape[1] // BLOCK_SIZE, _HALVES)
        self._added.append(_Added(key, blocks, self._q if of_ciphertext else self._d, self._d if whole else self._q))

    def run(self) -> list[Blocks]:
        """Return the tags, in the order in which the rows were added."""
        tags = [np.empty((len(each.key), _HALVES), np.uint64) for each in self._added]
        rows = sum(map(len, tags))
        if rows < _MANY * len(self._ciphers):
            self._together(tags)
            return tags
        for key in range(len(self._ciphers)):
            self._of_key(key, tags)
        return tags

    def _of_key(self, key: int, tags: list[Blocks]) -> None:
        """Run the chains of one key: the longest first, so that those that are not at their end stand in front."""
        chosen = [(each, result, each.key == key) for each, result in zip(self._added, tags, strict=True)]
        mine = [(each, result, slice(None) if which.all() else which) for each, result, which in chosen if which.any()]
        mine.sort(key=lambda some: some[0].blocks.shape[1], reverse=True)
        blocks = [each.blocks[which] for each, _, which in mine]
        ends = np.cumsum([len(some) for some in blocks], dtype=np.int64).tolist()
        places = [slice(end - len(some), end) for some, end in zip(blocks, ends, strict=True)]
        state = np.empty((ends[-1] + 1 if ends else 0, _HALVES), np.uint64)
        result = np.empty_like(state)  # and the one block that OpenSSL asks for beyond what it fills
        for (each, _, _), place in zip(mine, places, strict=True):
            state[place] = each.start[key]
        cipher, step, active = self._ciphers[key], 0, len(mine)
        while active:
            for position in range(active):
                state[places[position]] ^= blocks[position][:, step]
            step += 1
            done = [position for position in range(active) if blocks[position].shape[1] == step]
            for position in done:
                state[places[position]] ^= mine[position][0].mask[key]
            octets = places[active - 1].stop * BLOCK_SIZE
            source, target = state.data.cast("B"), result.data.cast("B")
            cipher.update_into(source[:octets], target[: octets + BLOCK_SIZE - 1])
            state, result = result, state
            for position in done:
                _, tag, which = mine[position]
                tag[which] = state[places[position]]
            active -= len(done)

    def _together(self, tags: list[Blocks]) -> None:
        """Run the chains of many keys, each of which has few."""
        if not tags:
            return
        counts = [len(each.key) for each in self._added]
        sizes = [each.blocks.shape[1] for each in self._added]
        key = np.concatenate([each.key for each in self._added])
        left = np.repeat(sizes, counts)
        place = np.lexsort((left, key))
        first = np.cumsum(left) - left
        state = np.concatenate([each.start[each.key] for each in self._added])[place]
        mask = np.concatenate([each.mask[each.key] for each in self._added])[place]
        data = np.concatenate([each.blocks.reshape(-1, _HALVES) for each in self._added])
        key, left, first = key[place], left[place], first[place]
        result = np.empty_like(state)
        while len(key):
            state ^= data[first]
            ends = left == 1
            if some := bool(ends.any()):
                state[ends] ^= mask[ends]
            state = _encrypted(self._ciphers, key, state)
            if some:
                result[place[ends]] = state[ends]
                go_on = ~ends
                key, left, place, first, state, mask = (
                    column[go_on] for column in (key, left, place, first, state, mask)
                )
            left -= 1
            first += 1
        for tag, part in zip(tags, np.split(result, np.cumsum(counts)[:-1]), strict=True):
            tag[:] = part


class _Added(NamedTuple):
    """Rows of `_Chains`: their keys, rows × blocks; by key, what a chain starts from and masks its last block with."""

    key: NDArray[np.intp]
    blocks: Blocks
    start: Blocks
    mask: Blocks


class _KeyStreams:
    """Key streams from the counters that the tags of headers make.

    Args:
        ciphers: AES under each key.
    """

    def __init__(self, ciphers: Sequence[CipherContext]) -> None:
        self._ciphers = ciphers
        self._keys: list[NDArray[np.intp]] = []
        self._counters: list[Blocks] = []
        self._shapes: list[tuple[int, int]] = []

    def add(self, key: NDArray[np.intp], tag: Blocks, size: int) -> None:
        """Ask for a stream for each row.

        Args:
            key: position of the key of each row.
            tag: of its header.
            size: octets of each stream.
        """
        blocks = -(-size // BLOCK_SIZE)
        high, low = (half.astype(np.uint64) for half in tag.view(">u8").T)
        high &= np.uint64(COUNTER_MASK >> 64)
        low &= np.uint64(COUNTER_MASK & _LOW)
        steps = np.arange(blocks, dtype=np.uint64)
        counters = np.empty((len(key), blocks, _HALVES), ">u8")
        counters[:, :, 0] = high[:, None]
        counters[:, :, 1] = low[:, None] + steps  # without carry: the mask leaves room for 2 ** 31 blocks
        self._keys.append(np.repeat(key, blocks))
        self._counters.append(counters.view(np.uint64).reshape(-1, _HALVES))
        self._shapes.append((len(key), size))

    def run(self) -> list[NDArray[np.uint8]]:
        """Return the streams of each call of `add`, rows × octets."""
        if not self._keys:
            return []
        key = np.concatenate(self._keys)
        counters = np.concatenate(self._counters)
        if (key[1:] >= key[:-1]).all():
            streams = _encrypted(self._ciphers, key, counters)
        else:
            place = np.argsort(key, kind="stable")
            streams = np.empty((len(key), _HALVES), np.uint64)
            streams[place] = _encrypted(self._ciphers, key[place], counters[place])
        parts = np.split(streams, np.cumsum([len(key) for key in self._keys])[:-1])
        return [
            part.view(np.uint8).reshape(rows, -(-size // BLOCK_SIZE) * BLOCK_SIZE)[:, :size]
            for part, (rows, size) in zip(parts, self._shapes, strict=True)
        ]
