"""The usual APDU, taken apart in one step.

Almost every APDU on the wire has both titles, known elements in the usual order, minimal lengths, and the usual
authentication value if any. One pattern, computed from the plan, finds all parts of those; anything else is for the
full decoder in ``acse``. Two things the pattern cannot see: whether the lengths around the rest agree with it, for
which there are two tables, and whether titles are object identifiers. What passes all of that, the full decoder accepts
with the same meaning and no findings. Tests hold the two equal.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast, final

from c1219.caches import remembered
from c1222.message.acse import Authentication, UserInformation, title_of
from c1222.message.acse_declaration import plan
from c1222.message.acse_fields import string_head
from c1222.message.aptitle import ABSOLUTE_TAG, RELATIVE_TAG
from c1222.message.ber import APDU_TAG, encode_length
from c1222.message.epsem import Control

if TYPE_CHECKING:
    from collections.abc import Callable

    from c1222.errors import Finding
    from c1222.message.aptitle import ApTitle
    from c1222.message.tlv_plan import Node

__all__ = ["BEFORE_INTEGER", "MAX_FLAT_OCTETS", "FlatApdu", "FlatParts", "FlatReader", "flat_apdu"]

MAX_FLAT_OCTETS: Final = 4095
"""Octets of the largest APDU that is taken apart here."""
_MAX_TITLE: Final = 31  # octets of content
_USUAL_ID: Final = 4  # octets of most invocation ids
BEFORE_INTEGER: Final = 4
"""Octets of an element of an integer before its content: two tags, two lengths."""


class FlatParts(NamedTuple):
    """The parts of a usual APDU, in the order of the pattern's groups.

    Attributes:
        octets: the whole APDU.
        length: its length field.
        called_title: the element of the called title, without its tag.
        quoted: the whole element of the called invocation id, or None.
        calling_title: like ``called_title``.
        middle: all from behind the calling title through the control octet of EPSEM.
        number: the whole element of the calling invocation id; a part of ``middle``.
        key_id: the octet of the key id, or None; a part of ``middle``.
        iv: the initialisation vector, 4 octets, or None; a part of ``middle``.
        head: the user information up to the control octet; a part of ``middle``.
        sealed: what follows the control octet: the body, and the MAC if there is one.
    """

    octets: bytes
    length: bytes
    called_title: bytes
    quoted: bytes | None
    calling_title: bytes
    middle: bytes
    number: bytes
    key_id: bytes | None
    iv: bytes | None
    head: bytes
    sealed: bytes


@final
class FlatApdu(FlatParts):
    """A usual APDU in its parts; it is read like an `Acse`, and has no findings and nothing malformed in it."""

    __slots__ = ()

    __getitem__ = None  # type: ignore[assignment]  # its parts have names

    @property
    def called(self) -> ApTitle:
        """The title of the node this message is for."""
        return title_of(self.called_title[1:])

    @property
    def calling(self) -> ApTitle:
        """The title of the sender."""
        return title_of(self.calling_title[1:])

    @property
    def called_invocation_id(self) -> int | None:
        """The calling invocation id of the request this responds to; absent in requests."""
        return None if self.quoted is None else int.from_bytes(self.quoted[BEFORE_INTEGER:])

    @property
    def calling_invocation_id(self) -> int:
        """The message number the sender chose, 0..2^40-1."""
        return int.from_bytes(self.number[BEFORE_INTEGER:])

    @property
    def calling_ae_qualifier(self) -> int | None:
        """Bits: 0 TEST, 1 URGENT, 2 NOTIFICATION."""
        if self.middle.startswith(self.number):
            return None
        _, size = self.middle[:2]
        return int.from_bytes(self.middle[BEFORE_INTEGER : 2 + size])

    @property
    def application_context(self) -> None:
        """The application context, which stands in no usual APDU."""

    @property
    def mechanism(self) -> None:
        """The security mechanism, which stands in no usual APDU."""

    @property
    def called_ae_qualifier(self) -> None:
        """The size of the APDU this is a segment of: it is none."""

    @property
    def authentication(self) -> Authentication | None:
        """The calling-authentication-value."""
        if self.key_id is None or self.iv is None:
            return None
        layout = plan()
        content = bytearray(layout.authentication[len(layout.authentication) - layout.iv.stop :])
        content[layout.key_id] = self.key_id
        content[layout.iv] = self.iv
        return Authentication("c12.22", ord(self.key_id), self.iv, bytes(content))

    @property
    def user_information(self) -> UserInformation:
        """Where the octet-aligned string is."""
        size = len(self.octets)
        return UserInformation(None, size - len(self.sealed) - 1, size)

    @property
    def request_number(self) -> bytes:
        """The octets of the invocation id of the request: the one quoted in a response, else its own."""
        return (self.quoted or self.number)[BEFORE_INTEGER:]

    @property
    def control_octet(self) -> int:
        """The control octet of EPSEM, 128..255."""
        return self.middle[-1]

    @property
    def control(self) -> Control:
        """What it says."""
        return Control.from_octet(self.middle[-1])

    @property
    def is_segment(self) -> bool:
        """Whether this is a segment of a larger APDU, which no usual one is."""
        return False

    @property
    def is_response(self) -> bool:
        """Whether this quotes an invocation id of the called node, which responses do, and nothing else [1]."""
        return self.quoted is not None

    @property
    def unknown(self) -> tuple[()]:
        """Elements the APDU is not declared to have: there are none."""
        return ()

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Remarks: there are none."""
        return ()

    def check(self) -> None:
        """Raise nothing: the pattern lets no malformed element pass."""

    def __repr__(self) -> str:
        return f"FlatApdu({self.octets.hex()})"


# tuple.__new__ without the wrapper of the class, which costs twice as much; it is paid for every message
flat_apdu = cast("Callable[[FlatParts], FlatApdu]", functools.partial(tuple.__new__, FlatApdu))
"""Makes the envelope of parts."""


class FlatReader:
    """Takes usual APDUs apart.

    Args:
        max_size: octets of the largest; at most `MAX_FLAT_OCTETS` matter.
    """

    __slots__ = ("_heads", "_lengths", "_match")

    def __init__(self, max_size: int = MAX_FLAT_OCTETS) -> None:
        self._match = _pattern().match
        self._lengths = _Lengths(max_size)
        self._heads = _Heads()

    def parts(self, octets: bytes) -> FlatParts | None:
        """Return the parts of an APDU, None if it is not of the usual form.

        Whether its titles are well-formed is not looked at. The parts are a bare tuple, which is taken apart faster;
        `flat_apdu` makes an envelope of them.
        """
        match = self._match  # by a name of its own: what a slot holds is called faster so
        found = match(octets)
        if found is None:
            return None
        parts: Any = found.groups()  # whose types the pattern knows
        _, length, _, _, _, _, _, _, _, head, sealed = parts
        return parts if self._lengths[len(octets)] == length and self._heads[len(sealed)] == head else None

    def read(self, octets: bytes) -> FlatApdu | None:
        """Return the APDU, None where `parts` gives none."""
        parts = self.parts(octets)
        return None if parts is None else flat_apdu(parts)


@remembered()
def _pattern() -> re.Pattern[bytes]:
    """Return the pattern of a usual APDU.

    Its groups are the fields of `FlatParts`.
    """
    layout = plan()
    node = {name: layout.elements[tag] for name, tag in layout.tags.items()}
    usual, key_id, iv = layout.authentication, layout.key_id, layout.iv
    head = len(usual) - iv.stop  # tag and length, which the two do not count
    before, between = usual[: head + key_id.start], usual[head + key_id.stop : head + iv.start]
    length = b"(?:[\x00-\x7f]|\x81[\x80-\xff]|\x82[\x01-%b].)" % bytes((MAX_FLAT_OCTETS >> 8,))
    user, external, string = layout.tags["user-information"], layout.external, layout.octet_aligned
    parts = [
        b"(%b(%b)" % (_octet(APDU_TAG), length),
        b"%b(%b)" % (_octet(node["called-AP-title"].tags[0]), _title()),
        b"(%b)?" % _integer(node["called-AP-invocation-id"]),
        b"%b(%b)" % (_octet(node["calling-AP-title"].tags[0]), _title()),
        b"((?:%b)?" % _integer(node["calling-AE-qualifier"]),
        b"(%b)" % _integer(node["calling-AP-invocation-id"]),
        b"(?:%b(.)%b(.{4}))?" % (re.escape(before), re.escape(between)),
        b"(%b%b%b%b%b%b)" % (_octet(user), length, _octet(external), length, _octet(string), length),
        b"[\x80-\xff])(.*))",
    ]
    return re.compile(b"".join(parts), re.DOTALL)


def _octet(octet: int) -> bytes:
    return re.escape(bytes((octet,)))


def _title() -> bytes:
    """Return the pattern of what follows the tag of a title's element."""
    sizes = range(1, _MAX_TITLE + 1)
    return b"|".join(
        [
            re.escape(bytes((size + 2, tag, size))) + b".{%d}" % size
            for size in sizes
            for tag in (RELATIVE_TAG, ABSOLUTE_TAG)
        ]
    )


def _integer(node: Node) -> bytes:
    """Return the pattern of an integer's whole element."""
    outer, inner = node.tags
    sizes = sorted(range(node.smallest, node.largest + 1), key=lambda size: size != _USUAL_ID)
    forms = [re.escape(bytes((size + 2, inner, size))) + b".{%d}" % size for size in sizes]
    return b"%b(?:%b)" % (_octet(outer), b"|".join(forms))


class _Lengths(dict[int, bytes | None]):
    """What the length of an APDU must be, by its octets; None where no minimal length gives that size, or too large."""

    def __init__(self, max_size: int) -> None:
        self._max_size = max_size

    def __missing__(self, size: int) -> bytes | None:
        forms = (encode_length(size - 1 - count) for count in (1, 2, 3) if self._max_size >= size > count)
        self[size] = next((length for count, length in enumerate(forms, 1) if len(length) == count), None)
        return self[size]


class _Heads(dict[int, bytes]):
    """What the user information up to the control octet must be, by the octets behind it."""

    def __missing__(self, size: int) -> bytes:
        head = self[size] = string_head(size + 1)
        return head
