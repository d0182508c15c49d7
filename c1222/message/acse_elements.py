"""The top level of an APDU: where its elements are.

Almost every APDU on the wire has known elements in the usual order with minimal lengths. One loop over the plan's table
finds those; at the first sign of anything else a careful walk starts over, which knows what to say about it.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from c1222.errors import DecodeError, Finding, LimitExceeded
from c1222.message.acse_declaration import plan
from c1222.message.ber import APDU_TAG, length_size, read_length
from c1222.message.tlv_plan import non_minimal

__all__ = ["MAX_UNKNOWN_ELEMENTS", "Elements", "Span", "Spans", "find_elements"]

MAX_UNKNOWN_ELEMENTS: Final = 32
"""Default limit for elements the APDU is not declared to have."""


class Span(NamedTuple):
    """Where an element is in an APDU.

    Attributes:
        start: where its tag is.
        content: where its content starts.
        end: where the octet behind it is.
    """

    start: int
    content: int
    end: int


Spans = dict[int, tuple[int, int, int]]
"""By tag octet and in the order received, what a `Span` names: plain tuples are made in a fifth of the time."""

Elements = tuple[Spans, tuple[Span, ...], tuple[Finding, ...]]
"""The known elements, the unknown ones, and remarks."""


def find_elements(octets: bytes, max_size: int, max_unknown: int) -> Elements:
    """Find the elements of exactly one APDU.

    Args:
        octets: the APDU.
        max_size: limit for its size in octets.
        max_unknown: limit for the number of unknown elements.

    Raises:
        DecodeError: this is no APDU, or less or more than one, or an element is missing, repeated, runs past the end,
            or follows the user information.
        LimitExceeded: the APDU is larger than the limit, or has too many unknown elements.
    """
    layout = plan()
    ranks = layout.ranks
    size = len(octets)
    spans: Spans = {}
    last = 0
    try:
        length = octets[1]
        pos = 2
        if length == 0x81:
            length = octets[2]
            pos = 3 if length >= 0x80 else -1
        elif length == 0x82:
            length = octets[2] << 8 | octets[3]
            pos = 4 if length >= 0x100 else -1
        elif length >= 0x80:
            pos = -1
        if pos + length == size and octets[0] == APDU_TAG and size <= max_size and pos > 0:
            while pos < size:
                tag = octets[pos]
                rank = ranks[tag]
                if rank <= last:
                    break
                last = rank
                length = octets[pos + 1]
                start = pos + 2
                if length >= 0x80:
                    if length == 0x81 and octets[start] >= 0x80:
                        length = octets[start]
                        start += 1
                    elif length == 0x82 and octets[start]:
                        length = octets[start] << 8 | octets[start + 1]
                        start += 2
                    else:
                        break
                length += start
                spans[tag] = (pos, start, length)
                pos = length
            if pos == size and last == layout.last:
                for tag in layout.required:
                    if tag not in spans:
                        break
                else:
                    return spans, (), ()
    except IndexError:
        pass
    return _decode_carefully(octets, max_size, max_unknown)


def _decode_carefully(octets: bytes, max_size: int, max_unknown: int) -> Elements:
    layout = plan()
    size = len(octets)
    if size > max_size:
        raise LimitExceeded("acse", 0, f"an APDU of {size} octets, the limit is {max_size}")
    if not size or octets[0] != APDU_TAG:
        raise DecodeError("acse", 0, f"an APDU starts with 60, not {octets[0]:02X}" if size else "there is no APDU")
    length, pos = read_length(octets, 1, size, "acse")
    if pos + length != size:
        raise DecodeError("acse", pos + length, f"{size - pos - length} octets follow the APDU")
    findings = [] if pos - 1 == length_size(length) else [non_minimal("acse", 1)]
    spans: Spans = {}
    unknown: list[Span] = []
    last = 0
    while pos < size:
        begin = pos
        tag = octets[pos]
        node = layout.elements.get(tag)
        path = f"acse.{node.name}" if node else f"acse.{tag:02X}"
        if last == layout.last:
            raise DecodeError(path, begin, "an element follows the user information")
        pos += 1
        if tag & 0x1F == 0x1F:  # further octets of the tag, the last with its top bit clear
            while pos < size and octets[pos] >= 0x80:
                pos += 1
            if pos == size:
                raise DecodeError(path, begin, "the tag does not end")
            pos += 1
        length, start = read_length(octets, pos, size, path)
        if start - pos != length_size(length):
            findings.append(non_minimal(path, pos))
        pos = start + length
        if node is None:
            if len(unknown) == max_unknown:
                raise LimitExceeded(path, begin, f"more than {max_unknown} unknown elements")
            unknown.append(Span(begin, start, pos))
            text = "the element is not known; it is outside of the authenticated header"
            findings.append(Finding("error", "unknown-element", path, begin, text))
            continue
        if tag in spans:
            raise DecodeError(path, begin, "the element is repeated")
        spans[tag] = (begin, start, pos)
        rank = layout.ranks[tag]
        if rank < last:
            findings.append(Finding("warning", "element-order", path, begin, "the element is out of the usual order"))
        last = max(last, rank)
    for tag, node in layout.elements.items():
        if not node.optional and tag not in spans:
            raise DecodeError(f"acse.{node.name}", size, "the element is missing")
    return spans, tuple(unknown), tuple(findings)
