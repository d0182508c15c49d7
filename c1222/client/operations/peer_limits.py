"""What a meter can take and give at a time: known from its tables and the link, and learned from its refusals.

What it cannot do is found out once: an answer too large (rstl) makes pieces smaller, a refusal of offsets (onp, sns)
turns to whole tables.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from c1219.errors import C1219Error
from c1219.rules import offer
from c1222.protocol.policy import HEADER_ROOM
from c1222.services.results import Onp, Rstl, Sns

if TYPE_CHECKING:
    from c1219.device import Device
    from c1222.client.steps import Asker
    from c1222.services.results import Refusal

__all__ = ["WHOLE_ONLY", "PeerLimits"]

WHOLE_ONLY: Final = (Onp.code, Sns.code)
"""Refusals of a part of a table that say: ask for the whole of it."""
_LARGEST_CHUNK: Final = 32767 - HEADER_ROOM
"""Table data asked for at a time where nothing tells less; Elster's default APDU has 32767 octets [1]."""


class PeerLimits:
    """What one meter can take and give at a time.

    Args:
        initiator: knows the link, and the sizes that the meter has named.
        device: the tables read so far.
        chunk: most octets of table data in one message; None for what fits.
    """

    __slots__ = ("_chunk", "_device", "_initiator", "_learned_chunk", "_no_offsets", "_whole_tables")

    def __init__(self, initiator: Asker, device: Device, chunk: int | None) -> None:
        self._initiator = initiator
        self._device = device
        self._chunk = chunk
        self._no_offsets = False
        self._whole_tables: set[int] = set()
        self._learned_chunk: int | None = None

    @property
    def answer_room(self) -> int:
        """Octets of table data that fit an answer."""
        initiator = self._initiator
        room = min(self._room(initiator.max_response or initiator.link.max_size), self._chunk or _LARGEST_CHUNK)
        return room if self._learned_chunk is None else min(room, self._learned_chunk)

    @property
    def request_room(self) -> int:
        """Octets of table data that fit a request."""
        initiator = self._initiator
        room = min(self._room(limit) for limit in (initiator.max_request, initiator.link.max_size) if limit)
        return room if self._chunk is None else min(room, self._chunk)

    def is_too_long(self, refusal: Refusal) -> bool:
        """Whether this may be what the meter says where a whole table does not fit its answer."""
        return refusal.name in {Rstl.name, self._initiator.link.too_long}

    def takes_offsets(self, table: int) -> bool:
        """Whether it is worth asking for a part of a table."""
        if self._no_offsets or table in self._whole_tables:
            return False
        try:
            return 0 not in self._device or offer.by_offset(self._device[0].value)
        except (C1219Error, AttributeError):
            return True

    def size_of(self, table: int) -> int | None:
        """Return how many octets a table has, if that is known."""
        device = self._device
        try:
            image = device.get(table)
            if image is not None and device.is_bound(table):
                return len(image.raw)
            if device.declaration(table).needs_own_octets or image is not None:
                return None if image is None else len(image.raw)
            return device.bind(table).size
        except C1219Error:
            return None

    def learn_whole_only(self, table: int, refusal: Refusal) -> None:
        """Note that the meter gives and takes no parts: of this table, or of any where it does not know the service."""
        if isinstance(refusal, Sns):
            self._no_offsets = True
        else:
            self._whole_tables.add(table)

    def smaller(self, count: int, refusal: Refusal) -> int:
        """Return how many octets to ask for after so many were too many; 0 when that was not the reason."""
        if not isinstance(refusal, Rstl) or count <= 1:
            return 0
        room = self._room(refusal.max_size) if refusal.max_size else count
        if room >= count:
            room = self._learned_chunk = count // 2
        return room

    def _room(self, limit: int) -> int:
        """Return how many octets of table data fit a message of a size, or a third of it where that is very small."""
        return max(limit - self._initiator.link.around, limit // 3, 1)
