"""ApTitles: the names of nodes, object identifiers in an absolute or a relative form.

A relative title stands for the absolute one under a base. Relays may turn one form into the other, so the two are equal
and hash alike here (under the default base), while each keeps the form it came in.
Origin: C12.22-2008 with errata as implemented by Elster MeteringSDK and Wireshark; example 8 of the standard verifies
only with the base below [V]. Tags inside services differ between readers (80 in icsnpp-c1222, 0D in Itron's stack).
"""

from __future__ import annotations

import re
from typing import Final, final

from c1222.errors import DecodeError, EncodeError, LimitExceeded
from c1222.message.ber import MAX_ARCS, Octets, check_oid, decode_oid, encode_oid, read_length, tlv

__all__ = [
    "ABSOLUTE_TAG",
    "CONTEXT_OID",
    "DEFAULT_BASE",
    "MAX_TITLE_OCTETS",
    "RELATIVE_TAG",
    "RELATIVE_TAG_OF_2006",
    "ApTitle",
]

CONTEXT_OID: Final = "2.16.124.113620.1.22"
"""Application context of C12.22 [V]."""
MAX_TITLE_OCTETS: Final = 255
"""Default limit for the content of a title that came in."""

ABSOLUTE_TAG: Final = 0x06
"""Tag of an absolute title."""
RELATIVE_TAG: Final = 0x80
"""Tag of a relative title in an APDU, and, by default, in services."""
RELATIVE_TAG_OF_2006: Final = 0x0D
"""Tag of a relative title in tables, in the services of some peers, and in APDUs of the draft of 2006 [1]."""

_RELATIVE: Final = (RELATIVE_TAG, RELATIVE_TAG_OF_2006)
_ARC_TEXT = re.compile(r"(?:0|[1-9][0-9]{0,44})(?:\.(?:0|[1-9][0-9]{0,44}))*", re.ASCII)


@final
class ApTitle:
    """The name of a node. Immutable; equal and hashed by the absolute identifier under the default base.

    ``ApTitle(".123.8437")`` is relative, ``ApTitle("1.3.6.1.4.1.33507.1919")`` absolute; ``ApTitle(".")`` is the empty
    relative title, "no title yet", which equals only itself.

    Args:
        text: arcs in decimal, separated by dots; a leading dot makes the title relative.

    Attributes:
        content: the content octets of the object identifier, without tag and length.
        is_relative: whether the title is in the relative form.

    Raises:
        EncodeError: the text is no title.
    """

    __slots__ = ("_key", "content", "is_relative")

    content: bytes
    is_relative: bool
    _key: bytes

    def __init__(self, text: str) -> None:
        relative = text.startswith(".")
        digits = text[1:] if relative else text
        if digits and not _ARC_TEXT.fullmatch(digits):
            raise EncodeError(f"{text[:80]!r} is no ApTitle: decimal arcs separated by dots are needed")
        if digits.count(".") > MAX_ARCS:
            raise EncodeError(f"an ApTitle of more than {MAX_ARCS} arcs")
        content = encode_oid(tuple(map(int, digits.split("."))) if digits else (), relative=relative)
        if len(content) > MAX_TITLE_OCTETS:
            raise EncodeError(f"an ApTitle of {len(content)} octets, the limit is {MAX_TITLE_OCTETS}")
        _fill(self, content, relative=relative)

    @classmethod
    def from_content(cls, content: bytes, *, relative: bool, path: str = "ap-title", offset: int = 0) -> ApTitle:
        """Make a title from the content octets of its object identifier.

        Args:
            content: the octets, without tag and length.
            relative: whether they are those of a RELATIVE-OID.
            path: where they stand, for errors.
            offset: where they stand, for errors.

        Raises:
            DecodeError: the octets are no object identifier.
            LimitExceeded: the title is past a limit.
        """
        if not content and not relative:
            raise DecodeError(path, offset, "an absolute ApTitle cannot be empty")
        check_oid(content, offset=offset, path=path)
        return _fill(cls.__new__(cls), content, relative=relative)

    @classmethod
    def read(
        cls, buf: Octets, pos: int, end: int, *, path: str = "ap-title", max_octets: int = MAX_TITLE_OCTETS
    ) -> tuple[ApTitle, int]:
        """Read a title and return it with the position behind it.

        The tags 06 (absolute), 80 and 0D (relative) are accepted wherever a title may stand.

        Args:
            buf: the octets.
            pos: where the title's tag is.
            end: where the enclosing element ends.
            path: where we are, for errors.
            max_octets: limit for the content of the title.

        Raises:
            DecodeError: no title there.
            LimitExceeded: the title is past a limit.
        """
        if pos >= end:
            raise DecodeError(path, pos, "the ApTitle is missing")
        tag = buf[pos]
        if tag != ABSOLUTE_TAG and tag not in _RELATIVE:
            raise DecodeError(path, pos, f"an ApTitle has the tag 06, 80 or 0D, not {tag:02X}")
        length, start = read_length(buf, pos + 1, end, path)
        stop = start + length
        if length > max_octets:
            raise LimitExceeded(path, start, f"an ApTitle of {length} octets, the limit is {max_octets}")
        content = bytes(buf[start:stop])
        return cls.from_content(content, relative=tag != ABSOLUTE_TAG, path=path, offset=start), stop

    @classmethod
    def from_tlv(cls, octets: Octets, *, path: str = "ap-title") -> ApTitle:
        """Make a title from tag, length and content; nothing may follow.

        Raises:
            DecodeError: the octets are no title, or more than a title.
            LimitExceeded: the title is past a limit.
        """
        title, stop = cls.read(octets, 0, len(octets), path=path)
        if stop != len(octets):
            raise DecodeError(path, stop, "octets after the ApTitle")
        return title

    def tlv(self, relative_tag: int = RELATIVE_TAG) -> bytes:
        """Return tag, length and content.

        Args:
            relative_tag: tag of the relative form: 80 in the ACSE APDU and, by default, in services; 0D in tables.

        Raises:
            EncodeError: the tag is neither 80 nor 0D.
        """
        if relative_tag not in _RELATIVE:
            raise EncodeError(f"a relative ApTitle has the tag 80 or 0D, not {relative_tag:02X}")
        return tlv(relative_tag if self.is_relative else ABSOLUTE_TAG, self.content)

    def absolute(self, base: ApTitle | None = None) -> ApTitle:
        """Return the absolute form.

        Args:
            base: what relative titles are relative to; the default base when None.

        Raises:
            EncodeError: the base is relative.
        """
        if not self.is_relative:
            return self
        return _fill(ApTitle.__new__(ApTitle), _base_content(base) + self.content, relative=False)

    def absolute_content(self, base: ApTitle | None = None) -> bytes:
        """Return the content octets of the absolute form; see `absolute`."""
        return _base_content(base) + self.content if self.is_relative else self.content

    def relative(self, base: ApTitle | None = None) -> ApTitle:
        """Return the relative form, or the title itself when it does not lie under the base.

        Raises:
            EncodeError: the base is relative.
        """
        prefix = _base_content(base)
        if self.is_relative or not self.content.startswith(prefix) or len(self.content) == len(prefix):
            return self
        return _fill(ApTitle.__new__(ApTitle), self.content[len(prefix) :], relative=True)

    @property
    def arcs(self) -> tuple[int, ...]:
        """The arcs of the form this title is in."""
        return decode_oid(self.content, relative=self.is_relative)

    @property
    def is_empty(self) -> bool:
        """Whether this is the empty relative title: the node has no title yet."""
        return not self.content

    @property
    def is_broadcast_form(self) -> bool:
        """Whether the last arc is 0.

        Real meters have unicast titles that end in .0 [V]: compare with your own title first.
        """
        return self.content.endswith(b"\0") and (len(self.content) == 1 or self.content[-2] < 0x80)

    @property
    def is_multicast_form(self) -> bool:
        """Whether an arc before the last one, after the default base, is 0 and the last is not [1]."""
        arcs = self.relative().arcs
        return 0 in arcs[:-1] and arcs[-1] != 0

    def is_broadcast_to(self, own: ApTitle) -> bool:
        """Whether this is a broadcast to a subtree that holds another title: last arc 0, the rest a prefix of it [1].

        An equal title is not a broadcast but the title itself.
        """
        return self.is_broadcast_form and self != own and own._key.startswith(self._key[:-1])

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"an ApTitle is immutable: {name} cannot be set")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"an ApTitle is immutable: {name} cannot be deleted")

    def __eq__(self, other: object) -> bool:
        return self._key == other._key if isinstance(other, ApTitle) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._key)

    def __str__(self) -> str:
        return "." * self.is_relative + ".".join(map(str, self.arcs))

    def __repr__(self) -> str:
        return f"ApTitle({str(self)!r})"

    def __reduce__(self) -> tuple[type[ApTitle], tuple[str]]:
        return (ApTitle, (str(self),))


def _fill(title: ApTitle, content: bytes, *, relative: bool) -> ApTitle:
    # The slots are set past __setattr__, which keeps everybody else out.
    put = object.__setattr__
    put(title, "content", content)
    put(title, "is_relative", relative)
    put(title, "_key", _BASE_CONTENT + content if relative and content else content)
    return title


def _base_content(base: ApTitle | None) -> bytes:
    if base is None:
        return _BASE_CONTENT
    if base.is_relative:
        raise EncodeError("the base of relative titles is an absolute object identifier")
    return base.content


_BASE_CONTENT: Final = encode_oid((2, 16, 124, 113620, 1, 22, 0))

DEFAULT_BASE: Final = ApTitle("2.16.124.113620.1.22.0")
"""What relative titles are relative to, unless an application context or a configuration says otherwise [V]."""
