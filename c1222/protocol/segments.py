"""The segmented messages that come to a node, or to all nodes of a process.

Segments are not authenticated; only the whole is. So they are bounded before anything is known of their sender: those
of known addresses are held apart from those of strangers, no address pushes out another's, and a segment that
contradicts others cannot keep the true ones away.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from c1222.message.segmentation import Reassembler

if TYPE_CHECKING:
    from collections.abc import Hashable

    from c1222.message.acse import Acse

__all__ = ["MAX_INCOMPLETE", "Segments"]

MAX_INCOMPLETE: Final = 64
"""Incomplete messages held of strangers, and as many of known addresses."""


class Segments:
    """What is incomplete yet.

    Args:
        max_size: limit for a message, octets; twice `MAX_INCOMPLETE` of them are the most that is held.
    """

    __slots__ = ("_known", "_strangers")

    def __init__(self, max_size: int) -> None:
        self._known, self._strangers = (
            Reassembler(max_octets=max_size, max_messages=MAX_INCOMPLETE, spoofable=True) for _ in range(2)
        )

    def add(self, segment: Acse, now: float, *, source: Hashable, peer: Hashable, known: bool) -> Acse | None:
        """Take a segment; return the whole message when it is complete.

        Args:
            segment: the segment.
            now: the clock.
            source: where it came from; the other segments of its message come from there too.
            peer: its address, whose share of the room counts.
            known: whether the peer has authenticated lately.

        Raises:
            SegmentError: the segment contradicts itself, or the message is none.
        """
        held = self._known if known else self._strangers
        whole = held.add(segment, now, source=source, peer=peer)
        return None if whole is None else whole.acse
