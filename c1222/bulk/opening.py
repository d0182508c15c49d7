"""APDUs of a batch, opened together: titles by name, keys, MACs, and where the services are.

What is opened here is usual in every respect: of a shape that many have, in cleartext or verified by the first key that
serves it and the authentication value it carries, with a list of services that holds together. Whatever is not, has no
entry, and is for the decoder of single messages, from the octets on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import pyarrow as pa

from c1222.bulk.shapes import FEW, alike, shapes
from c1222.errors import DecodeError
from c1222.message.aptitle import ApTitle
from c1222.message.epsem import ED_CLASS_SIZE, Control, ResponseControl, SecurityMode, split_services
from c1222.security.canonical import UsualTitles
from c1222.security.eax_prime import BLOCK_SIZE
from c1222.security.eax_prime_rows import SealedRows, open_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from c1222.bulk.shapes import Shape
    from c1222.security.keys import Key, KeyStore

__all__ = ["OpenedShape", "Titles", "open_shapes"]

_STRUCTURES: Final = 16
"""Lists of services with other lengths that are looked for among the bodies of one shape."""


class Titles:
    """The titles that occur, each with a number of its own.

    Args:
        base: content octets of what makes titles absolute.

    Attributes:
        texts: of each title its text.
        names: of each title its absolute form as an element of a called title.
        callings: the same as an element of a calling title.
        contents: of each the content octets of the absolute form.
    """

    def __init__(self, base: bytes) -> None:
        self._forms = UsualTitles(base)
        self._numbers: dict[bytes, int] = {}
        self.texts: list[str] = []
        self.names: list[bytes] = []
        self.callings: list[bytes] = []
        self.contents: list[bytes] = []

    def numbers(self, columns: list[NDArray[np.uint8]]) -> list[NDArray[np.int64]]:
        """Return the number of each title, -1 where it is malformed.

        Args:
            columns: each rows × octets: elements of titles, without their tag.
        """
        result: list[NDArray[np.int64]] = [np.zeros(0, np.int64)] * len(columns)
        places: dict[int, list[int]] = {}
        for place, elements in enumerate(columns):
            places.setdefault(elements.shape[1], []).append(place)
        for size, chosen in places.items():
            elements = np.concatenate([columns[place] for place in chosen])
            octets = pa.FixedSizeBinaryArray.from_buffers(
                pa.binary(size), len(elements), [None, pa.py_buffer(elements)]
            )
            found = octets.dictionary_encode()
            numbers = np.array([self._number(element) for element in found.dictionary.to_pylist()], np.int64)
            parts = np.split(numbers[found.indices.to_numpy()], np.cumsum([len(columns[place]) for place in chosen]))
            for place, part in zip(chosen, parts, strict=False):  # the last part is empty
                result[place] = part
        return result

    def _number(self, element: bytes) -> int:
        number = self._numbers.get(element)
        if number is None:
            try:
                name, calling, content = self._forms[element]
            except DecodeError:
                number = -1
            else:
                number = len(self.texts)
                self.texts.append(str(ApTitle.from_tlv(element[1:])))
                self.names.append(name)
                self.callings.append(calling)
                self.contents.append(content)
            self._numbers[element] = number
        return number


class OpenedShape(NamedTuple):
    """Messages of one shape whose services stand at the same places.

    Attributes:
        shape: the messages.
        called: number of each called title.
        calling: number of each calling title.
        key: position of the key of each message; None in cleartext.
        body: their bodies, rows × octets.
        start: where in the bodies the services start.
        spans: start and end of each service.
    """

    shape: Shape
    called: NDArray[np.int64]
    calling: NDArray[np.int64]
    key: NDArray[np.intp] | None
    body: NDArray[np.uint8]
    start: int
    spans: Sequence[tuple[int, int]]

    @property
    def responds(self) -> bool:
        """Whether they quote the number of a request."""
        quoted = self.shape.parts.quoted
        return bool(quoted.start < quoted.stop)


class _Candidates(NamedTuple):
    """Messages of one shape before they are opened."""

    shape: Shape
    called: NDArray[np.int64]
    calling: NDArray[np.int64]
    key: NDArray[np.intp]

    def taken(self, which: NDArray[np.bool_]) -> _Candidates:
        if which.all():
            return self
        return _Candidates(self.shape.taken(which), self.called[which], self.calling[which], self.key[which])


def open_shapes(
    octets: NDArray[np.uint8],
    starts: NDArray[np.int64],
    sizes: NDArray[np.int64],
    *,
    titles: Titles,
    keys: KeyStore,
    max_size: int,
) -> tuple[list[OpenedShape], list[Key]]:
    """Open what is usual among APDUs.

    Args:
        octets: APDUs, one after the other.
        starts: where each begins.
        sizes: octets of each; 0 for what is not to be looked at.
        titles: gives the numbers of titles.
        keys: the keys known.
        max_size: octets of the largest APDU accepted.

    Returns:
        The messages, and the keys they point to.
    """
    opened: list[OpenedShape] = []
    secured: list[_Candidates] = []
    positions: dict[int, int] = {}
    known: list[Key] = []
    taken = [shape for shape in shapes(octets, starts, sizes, max_size) if not _reserved(shape)]
    numbers = iter(
        titles.numbers([shape.octets[:, part] for shape in taken for part in (shape.parts.called, shape.parts.calling)])
    )
    for shape, called, calling in zip(taken, numbers, numbers, strict=True):
        control = Control.from_octet(shape.control)
        found = _Candidates(shape, called, calling, np.zeros(len(called), np.intp))
        found = found.taken((called >= 0) & (calling >= 0))
        if control.mode is SecurityMode.CLEARTEXT:
            opened += _with_services(found, found.shape.octets[:, shape.parts.sealed], None)
        elif shape.parts.iv.start < shape.parts.iv.stop:
            key = _keys_of(found, titles, keys, positions, known)
            secured.append(found._replace(key=key).taken(key >= 0))
    if secured:
        opened += _verified(secured, titles, known)
    return opened, known


def _reserved(shape: Shape) -> bool:
    control = Control.from_octet(shape.control)
    return control.response_control is ResponseControl.RESERVED or control.mode is SecurityMode.RESERVED


def _keys_of(
    found: _Candidates, titles: Titles, keys: KeyStore, positions: dict[int, int], known: list[Key]
) -> NDArray[np.intp]:
    """Return the position of the likeliest key of each message, -1 where there is none."""
    key_id = found.shape.octets[:, found.shape.parts.key_id.start].astype(np.int64)
    count = len(titles.texts)
    which, place = np.unique((found.called * count + found.calling) << 8 | key_id, return_inverse=True)
    result = []
    for number in which.tolist():
        called, calling = divmod(number >> 8, count)
        candidates = keys.find_absolute(titles.contents[called], titles.contents[calling], number & 0xFF)
        if not candidates:
            result.append(-1)
            continue
        key = candidates[0]
        position = positions.setdefault(id(key), len(known))
        if position == len(known):
            known.append(key)
        result.append(position)
    return np.array(result, np.intp)[place]


def _verified(secured: list[_Candidates], titles: Titles, known: list[Key]) -> Iterator[OpenedShape]:
    """Yield what has the right MAC, of keys that have enough messages."""
    rows_of_key = np.bincount(np.concatenate([found.key for found in secured]), minlength=len(known))
    names = _matrices(titles.names)
    callings = _matrices(titles.callings)
    groups: list[SealedRows] = []
    candidates: list[_Candidates] = []
    for some in secured:
        found = some.taken(rows_of_key[some.key] >= FEW)
        for part in _by_length(found, names, callings):
            header = _headers(part, names, callings)
            if header.shape[1] > BLOCK_SIZE:
                encrypted = Control.from_octet(part.shape.control).mode is SecurityMode.CIPHERTEXT_AUTHENTICATION
                groups.append(SealedRows(part.key, header, part.shape.octets[:, part.shape.parts.sealed], encrypted))
                candidates.append(part)
    for part, (right, body) in zip(candidates, open_rows(known, groups), strict=True):
        verified = part.taken(right)
        yield from _with_services(verified, body[right], verified.key)


class _Matrices(NamedTuple):
    """Octets of different lengths: padded, one a row, and how long each is."""

    octets: NDArray[np.uint8]
    sizes: NDArray[np.int64]


def _matrices(values: list[bytes]) -> _Matrices:
    sizes = np.array([len(value) for value in values], np.int64)
    width = int(sizes.max(initial=0))
    return _Matrices(
        np.frombuffer(b"".join([v.ljust(width, b"\0") for v in values]), np.uint8).reshape(-1, width), sizes
    )


def _by_length(found: _Candidates, names: _Matrices, callings: _Matrices) -> Iterator[_Candidates]:
    """Yield the messages by the lengths of their absolute titles, as far as many have the same."""
    while len(found.key) >= FEW:
        lengths = names.sizes[found.called] << 8 | callings.sizes[found.calling]
        same = lengths == lengths[0]
        if same.sum() >= FEW:
            yield found.taken(same)
        found = found.taken(~same)


def _headers(found: _Candidates, names: _Matrices, callings: _Matrices) -> NDArray[np.uint8]:
    """Return the canonified cleartext N of each message; see `c1222.security.canonical`."""
    octets, parts = found.shape.octets, found.shape.parts
    return np.hstack(
        (
            names.octets[found.called, : names.sizes[found.called[0]]],
            octets[:, parts.quoted],
            octets[:, parts.middle],
            callings.octets[found.calling, : callings.sizes[found.calling[0]]],
            octets[:, parts.key_id],
            octets[:, parts.iv],
        )
    )


def _with_services(found: _Candidates, body: NDArray[np.uint8], key: NDArray[np.intp] | None) -> Iterator[OpenedShape]:
    """Yield the messages by where their services are; those whose list does not hold together are left out."""
    size = body.shape[1]
    start = ED_CLASS_SIZE if Control.from_octet(found.shape.control).ed_class else 0
    if size <= start:
        return
    for _ in range(_STRUCTURES):
        if not len(body):
            return
        same = np.zeros(len(body), np.bool_)
        same[0] = True
        try:
            spans = split_services(body[0].tobytes(), start, size)
        except DecodeError:
            pass
        else:
            lengths = np.zeros(size, np.bool_)
            lengths[start:] = True
            for first, end in spans:
                lengths[first:end] = False
            same = alike(body, lengths)
            part = found.taken(same)
            yield OpenedShape(
                part.shape, part.called, part.calling, None if key is None else key[same], body[same], start, spans
            )
        found, body = found.taken(~same), body[~same]
        key = None if key is None else key[~same]
