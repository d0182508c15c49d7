"""APDUs of a batch, opened together: titles by name, keys, MACs, and where the services are.

What is opened here is usual in every respect: of a shape that many have, in cleartext or verified by the first key that
serves it and the authentication value it carries, with a list of services that holds together. Whatever is not, has no
entry, and is for the decoder of single messages, from the octets on.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from c1219.caches import BoundedDict, kept
from c1222.bulk.merging import distinct_octets
from c1222.bulk.shapes import FEW, alike, shapes
from c1222.errors import DecodeError
from c1222.message.aptitle import ApTitle
from c1222.message.ber import decode_oid
from c1222.message.epsem import ED_CLASS_SIZE, Control, ResponseControl, SecurityMode, split_services
from c1222.security.canonical import UsualTitles
from c1222.security.eax_prime import BLOCK_SIZE
from c1222.security.eax_prime_rows import SealedRows, open_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from c1222.bulk.shapes import Parts, Shape
    from c1222.security.keys import Key, KeyStore

__all__ = ["KeyPlaces", "OpenedShape", "Titles", "headers", "open_shapes"]

_STRUCTURES: Final = 16
"""Lists of services with other lengths that are looked for among the bodies of one shape."""


_Title = tuple[str, bytes, bytes, bytes]
"""Text, and the three absolute forms that `Titles` has."""


class Titles:
    """The titles that occur, each with a number of its own.

    Args:
        base: content octets of what makes titles absolute.

    Attributes:
        texts: of each title its text.
        names: of each title its absolute form as an element of a called title.
        callings: the same as an element of a calling title.
        contents: of each the content octets of the absolute form.
        nodes: of each the number of the node that it names, by which the same titles in other forms have the same.
        node_of: these by the names.
    """

    def __init__(self, base: bytes) -> None:
        self._forms = UsualTitles(base)
        self._numbers: dict[bytes, int] = {}
        self._before: dict[bytes, tuple[bytes, bytes, bytes]] = {}
        self.texts: list[str] = []
        self.names: list[bytes] = []
        self.callings: list[bytes] = []
        self.contents: list[bytes] = []
        self.nodes: list[int] = []
        self.node_of: dict[bytes, int] = {}

    def numbers(self, columns: list[NDArray[np.uint8]]) -> list[NDArray[np.int64]]:
        """Return the number of each title, -1 where it is malformed.

        Args:
            columns: each rows × octets: elements of titles, without their tag.
        """
        result: list[NDArray[np.int64]] = [np.zeros(0, np.int64)] * len(columns)
        places: dict[int, list[int]] = {}
        for place, elements in enumerate(columns):
            places.setdefault(elements.shape[1], []).append(place)
        for chosen in places.values():
            elements = np.concatenate([columns[place] for place in chosen])
            distinct, which = distinct_octets(elements)
            known = self._numbers
            numbers = np.array([known[each] if each in known else self._number(each) for each in distinct], np.int64)
            parts = np.split(numbers[which], np.cumsum([len(columns[place]) for place in chosen]))
            for place, part in zip(chosen, parts, strict=False):  # the last part is empty
                result[place] = part
        return result

    def _number(self, element: bytes) -> int:
        try:
            text, name, calling, content = self._usual(element) or self._any(element)
        except DecodeError:
            self._numbers[element] = -1
            return -1
        number = self._numbers[element] = len(self.texts)
        self.texts.append(text)
        self.names.append(name)
        self.callings.append(calling)
        self.contents.append(content)
        self.nodes.append(self.node_of.setdefault(name, number))
        return number

    def _usual(self, element: bytes) -> _Title | None:
        """Return a relative title of a size that was met before: what is before the content is the same then."""
        before = self._before.get(element[:_BEFORE_CONTENT])
        relative = element[_BEFORE_CONTENT:]
        if before is None or relative[-1] > 0x7F:
            return None
        name, calling, content = before
        text = "." + ".".join([_ARCS[arc] for arc in _ARC.findall(relative)])
        return text, name + relative, calling + relative, content + relative

    def _any(self, element: bytes) -> _Title:
        forms = self._forms[element]
        title = ApTitle.from_tlv(element[1:])
        if title.is_relative:
            name, calling, content = (form.removesuffix(title.content) for form in forms)
            self._before[element[:_BEFORE_CONTENT]] = name, calling, content
        return (str(title), *forms)


_BEFORE_CONTENT: Final = 3  # octets of an element without its tag: length, tag and length of the title
_ARC: Final = re.compile(rb"[\x80-\xff]*[\x00-\x7f]")
_ARCS: Final = kept(
    f"{__name__}.arcs", BoundedDict[bytes, str](16384, lambda arc: str(decode_oid(arc, relative=True)[0]))
)


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
    keys: KeyPlaces,
    max_size: int,
) -> list[OpenedShape]:
    """Open what is usual among APDUs.

    Args:
        octets: APDUs, one after the other.
        starts: where each begins.
        sizes: octets of each; 0 for what is not to be looked at.
        titles: gives the numbers of titles.
        keys: gives the places of keys.
        max_size: octets of the largest APDU accepted.
    """
    opened: list[OpenedShape] = []
    secured: list[_Candidates] = []
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
            key = keys.of(found.shape, found.called, found.calling)
            secured.append(found._replace(key=key).taken(key >= 0))
    if secured:
        opened += _verified(secured, titles, keys.known)
    return opened


def _reserved(shape: Shape) -> bool:
    control = Control.from_octet(shape.control)
    return control.response_control is ResponseControl.RESERVED or control.mode is SecurityMode.RESERVED


class KeyPlaces:
    """The keys that serve titles, each with a place of its own.

    Args:
        keys: the keys known.
        titles: the titles.

    Attributes:
        known: the keys that were found, by their place.
    """

    def __init__(self, keys: KeyStore, titles: Titles) -> None:
        self._keys = keys
        self._titles = titles
        self._of_title: dict[int, NDArray[np.intp]] = {}
        self._places: dict[int, int] = {}
        self.known: list[Key] = []

    def of(self, found: Shape, called: NDArray[np.int64], calling: NDArray[np.int64]) -> NDArray[np.intp]:
        """Return the place of the likeliest key of each message, -1 where there is none."""
        ids = found.octets[:, found.parts.key_id.start]
        result = np.full(len(ids), -1, np.intp)
        for key_id in np.flatnonzero(np.bincount(ids)).tolist():
            rows = np.flatnonzero(ids == key_id)
            shared = self._keys.find_absolute(None, None, key_id)
            of_title = self._places_of(key_id, len(shared))
            own = of_title[called[rows]]
            own = np.where(own < 0, of_title[calling[rows]], own)
            result[rows] = np.where(own < 0, self._place(shared), own)
        return result

    def _places_of(self, key_id: int, shared: int) -> NDArray[np.intp]:
        """Return the places of the keys that titles themselves have, by their numbers; -1 for none."""
        before = self._of_title.get(key_id, np.zeros(0, np.intp))
        more = self._titles.contents[len(before) :]
        if more:
            find = self._keys.find_absolute
            found = [find(content, content, key_id) for content in more]
            own = [self._place(keys) if len(keys) > shared else -1 for keys in found]
            before = self._of_title[key_id] = np.concatenate((before, np.array(own, np.intp)))
        return before

    def _place(self, found: Sequence[Key]) -> int:
        if not found:
            return -1
        place = self._places.setdefault(id(found[0]), len(self.known))
        if place == len(self.known):
            self.known.append(found[0])
        return place


def _verified(secured: list[_Candidates], titles: Titles, known: list[Key]) -> Iterator[OpenedShape]:
    """Yield what has the right MAC, of keys that have enough messages."""
    enough = np.bincount(np.concatenate([found.key for found in secured]), minlength=len(known)) >= FEW
    used = np.flatnonzero(enough)
    again = np.zeros(len(known), np.intp)
    again[used] = np.arange(len(used))
    groups: list[SealedRows] = []
    candidates: list[_Candidates] = []
    for some in secured:
        found = some.taken(enough[some.key])
        if not len(found.key):
            continue
        header = headers(found.shape.octets, found.shape.parts, found.called, found.calling, titles)
        if header.shape[1] > BLOCK_SIZE:
            encrypted = Control.from_octet(found.shape.control).mode is SecurityMode.CIPHERTEXT_AUTHENTICATION
            sealed = found.shape.octets[:, found.shape.parts.sealed]
            groups.append(SealedRows(again[found.key], header, sealed, encrypted))
            candidates.append(found)
    keys = [known[place] for place in used.tolist()]
    for part, (right, body) in zip(candidates, open_rows(keys, groups), strict=True):
        verified = part.taken(right)
        yield from _with_services(verified, body[right], verified.key)


def headers(
    octets: NDArray[np.uint8], parts: Parts, called: NDArray[np.int64], calling: NDArray[np.int64], titles: Titles
) -> NDArray[np.uint8]:
    """Return the canonified cleartext N of each message; see `c1222.security.canonical`.

    In one shape a title has one form and size, so that what is before its content in the absolute form is the same.

    Args:
        octets: the messages, rows × octets.
        parts: where their parts are.
        called: number of each called title.
        calling: number of each calling title.
        titles: which gave these.
    """
    to, by = (octets[:, part.start + _BEFORE_CONTENT : part.stop] for part in (parts.called, parts.calling))
    pieces = [
        _before(titles.names[called[0]], to),
        to,
        octets[:, parts.quoted],
        octets[:, parts.middle],
        _before(titles.callings[calling[0]], by),
        by,
        octets[:, parts.key_id],
        octets[:, parts.iv],
    ]
    return np.hstack(pieces)


def _before(form: bytes, contents: NDArray[np.uint8]) -> NDArray[np.uint8]:
    count, size = contents.shape
    before = np.frombuffer(form, np.uint8, len(form) - size)
    return np.broadcast_to(before, (count, len(before)))


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
