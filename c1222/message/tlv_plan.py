"""A plan of tags: what a declared type looks like in octets, how to walk it and how to emit it.

The plan is computed from a declaration elsewhere; this module knows BER but no message. A walk ends in the spans of the
leaves by name, so that nothing is copied or converted before somebody asks; emitting is the way back.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from c1222.errors import DecodeError, Finding
from c1222.message.ber import length_size, read_length, tlv

__all__ = ["Node", "Walk", "emit", "filled", "non_minimal"]


class Node(NamedTuple):
    """One component of a declared type.

    Attributes:
        name: its name in the declaration.
        tags: its tag octets, outermost first; empty for a choice without a tag of its own.
        kind: a leaf has octets as its content; a sequence and a choice have members.
        optional: whether it may be absent.
        smallest: fewest octets of content of a leaf.
        largest: most octets of content of a leaf.
        members: the components of a sequence in order, or the alternatives of a choice.
        starts: the tag octets with which it can start.
    """

    name: str
    tags: tuple[int, ...]
    kind: Literal["leaf", "sequence", "choice"]
    optional: bool
    smallest: int
    largest: int
    members: tuple[Node, ...]
    starts: frozenset[int]


class Walk:
    """One walk through the octets of an element: collects the spans of the leaves, and remarks.

    Attributes:
        leaves: content start and end of every leaf met, by name.
        findings: remarks on lengths that are not minimal.
    """

    __slots__ = ("_octets", "_path", "findings", "leaves")

    def __init__(self, octets: bytes, path: str) -> None:
        """Prepare a walk.

        Args:
            octets: the whole APDU; offsets in errors and findings count from its start.
            path: the element; errors inside it name the innermost component.
        """
        self._octets = octets
        self._path = path
        self.leaves: dict[str, tuple[int, int]] = {}
        self.findings: list[Finding] = []

    def element(self, node: Node, pos: int, end: int) -> None:
        """Walk the whole element, which lies between two positions.

        Raises:
            DecodeError: the octets do not follow the plan.
        """
        after = self._component(node, pos, end, self._path)
        if after != end:
            raise DecodeError(self._path, after, "octets are left over")

    def _component(self, node: Node, pos: int, end: int, path: str) -> int:
        # Returns the position behind the component. `pos` and `end` close in on the content, tag by tag.
        octets = self._octets
        after = -1
        for tag in node.tags:
            if pos >= end:
                raise DecodeError(path, pos, f"the tag {tag:02X} is missing")
            if octets[pos] != tag:
                raise DecodeError(path, pos, f"the tag {tag:02X} is expected, not {octets[pos]:02X}")
            length, start = read_length(octets, pos + 1, end, path)
            if start - pos - 1 != length_size(length):
                self.findings.append(non_minimal(path, pos + 1))
            if after < 0:
                after = start + length
            elif start + length != end:
                raise DecodeError(path, start + length, "octets are left over")
            pos, end = start, start + length
        if node.kind == "leaf":
            if not node.smallest <= end - pos <= node.largest:
                raise DecodeError(path, pos, f"{end - pos} octets, {node.smallest} to {node.largest} are accepted")
            self.leaves[node.name] = (pos, end)
        elif node.kind == "sequence":
            for member in node.members:
                if pos < end and octets[pos] in member.starts:
                    pos = self._component(member, pos, end, f"{self._path}.{member.name}")
                elif not member.optional:
                    raise DecodeError(path, pos, f"{member.name} is missing")
            if pos != end:
                raise DecodeError(path, pos, f"the tag {octets[pos]:02X} is not expected here")
        else:
            for member in node.members:
                if pos < end and octets[pos] in member.starts:
                    pos = self._component(member, pos, end, f"{self._path}.{member.name}")
                    break
            else:
                raise DecodeError(path, pos, f"the tag {octets[pos]:02X} is not known" if pos < end else "it is empty")
            if after < 0:
                return pos
            if pos != end:
                raise DecodeError(path, pos, "octets are left over")
        return after


def filled(octets: bytes, pos: int, end: int, tag: int) -> int:
    """Return where the content of an element starts that fills all the room; 0 when there is anything unusual."""
    if end - pos < 2 or octets[pos] != tag:
        return 0
    length = octets[pos + 1]
    start = pos + 2
    if length >= 0x80:
        count = length & 0x7F
        start += count
        length = int.from_bytes(octets[pos + 2 : start], "big")
        if not count or count + 1 != length_size(length):
            return 0
    return start if start + length == end else 0


def emit(node: Node, leaves: dict[str, bytes]) -> bytes | None:
    """Return the octets of one component, or None when none of its leaves is given.

    Args:
        node: the plan of the component.
        leaves: the content octets of the leaves that shall be present, by name.
    """
    content: bytes | None
    if node.kind == "leaf":
        content = leaves.get(node.name)
    else:
        parts = [part for member in node.members if (part := emit(member, leaves)) is not None]
        content = b"".join(parts) if parts else None
    if content is not None:
        for tag in reversed(node.tags):
            content = tlv(tag, content)
    return content


def non_minimal(path: str, offset: int) -> Finding:
    """Return the remark on a length that has more octets than it needs."""
    return Finding("warning", "non-minimal-length", path, offset, "the length has more octets than it needs")
