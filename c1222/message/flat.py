"""The usual APDU, taken apart in one step.

Almost every APDU on the wire has both titles, known elements in the usual order, minimal lengths, and the usual
authentication value if any. One pattern, computed from the plan, finds all parts of those; whoever meets anything else
takes the general road of ``acse``. Two things the pattern cannot see: whether the lengths around the rest agree with
it, for which there are two tables, and whether titles are object identifiers. What passes all of that, the general road
accepts with the same meaning and no findings. Tests hold the two equal.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Final

from c1222.message.acse_declaration import plan
from c1222.message.aptitle import ABSOLUTE_TAG, RELATIVE_TAG
from c1222.message.ber import APDU_TAG, encode_length

if TYPE_CHECKING:
    from c1222.message.tlv_plan import Node

__all__ = ["MAX_USUAL_OCTETS", "Usual", "UsualEnvelopes", "UsualLengths", "usual_pattern"]

MAX_USUAL_OCTETS: Final = 4095
"""Octets of the largest APDU that is taken apart here."""
_MAX_TITLE: Final = 31  # octets of content
_USUAL_ID: Final = 4  # octets of most invocation ids

Usual = tuple[bytes, bytes, bytes | None, bytes, bytes, bytes | None, bytes, bytes | None, bytes | None, bytes, bytes]
"""The parts of a usual APDU, in the order of the wire:

0 the length of the APDU, 1 the called title (tag, length, content), 2 the whole element of the called invocation id,
3 the calling title, 4 all from there through the control octet, and inside of it 5 the whole element of the calling AE
qualifier, 6 that of the calling invocation id, 7 the key id, 8 the initialisation vector, 9 the user information up to
the control octet; 10 what follows the control octet: the body, and the MAC if there is one. None is what is absent.
"""


@cache
def usual_pattern() -> re.Pattern[bytes]:
    """Return the pattern of a usual APDU; its groups are the parts in `Usual`."""
    layout = plan()
    node = {name: layout.elements[tag] for name, tag in layout.tags.items()}
    usual, key_id, iv = layout.authentication, layout.key_id, layout.iv
    head = len(usual) - iv.stop  # tag and length, which the two do not count
    before, between = usual[: head + key_id.start], usual[head + key_id.stop : head + iv.start]
    length = b"(?:[\x00-\x7f]|\x81[\x80-\xff]|\x82[\x01-%b].)" % bytes((MAX_USUAL_OCTETS >> 8,))
    user, external, string = layout.tags["user-information"], layout.external, layout.octet_aligned
    parts = [
        b"%b(%b)" % (_octet(APDU_TAG), length),
        b"%b(%b)" % (_octet(node["called-AP-title"].tags[0]), _title()),
        b"(%b)?" % _integer(node["called-AP-invocation-id"]),
        b"%b(%b)" % (_octet(node["calling-AP-title"].tags[0]), _title()),
        b"((%b)?" % _integer(node["calling-AE-qualifier"]),
        b"(%b)" % _integer(node["calling-AP-invocation-id"]),
        b"(?:%b(.)%b(.{4}))?" % (re.escape(before), re.escape(between)),
        b"(%b%b%b%b%b%b)" % (_octet(user), length, _octet(external), length, _octet(string), length),
        b"[\x80-\xff])(.*)",
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


class UsualLengths(dict[int, bytes | None]):
    """What part 0 must be, by the octets of the APDU; None where no minimal length gives that size."""

    def __missing__(self, size: int) -> bytes | None:
        forms = (encode_length(size - 1 - count) for count in (1, 2, 3) if size > count)
        self[size] = next((length for count, length in enumerate(forms, 1) if len(length) == count), None)
        return self[size]


class UsualEnvelopes(dict[int, bytes]):
    """What part 9 must be, by the octets of part 10."""

    def __missing__(self, size: int) -> bytes:
        layout = plan()
        octets = b""
        size += 1
        for tag in (layout.octet_aligned, layout.external, layout.tags["user-information"]):
            octets = bytes((tag,)) + encode_length(size + len(octets)) + octets
        self[size - 1] = octets
        return octets
