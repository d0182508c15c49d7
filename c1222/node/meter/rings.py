"""Lists of entries whose newest overwrites the oldest: logs, self reads, blocks of load profile.

All of them say in the same way which entries mean something: flags for order and overflow, how many are valid, which is
the newest, its sequence number, and how many are unread. Origin: ST26, ST63, ST74 and ST76 of C12.19 [V]; that a FIFO
moves its entries when it is full is our reading [?].
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from c1222.node.meter.tables import Tables

__all__ = ["Ring", "RingNames"]


class RingNames(NamedTuple):
    """Where a ring keeps what it knows about itself, as full names of elements.

    Attributes:
        flags: the bit field of order and overflow.
        valid: number of entries that mean something.
        last: index of the newest.
        sequence: its sequence number.
        unread: number of unread entries.
        entries: the array of entries.
    """

    flags: str
    valid: str
    last: str
    sequence: str
    unread: str
    entries: str


class Ring:
    """One list of one meter. It has no state of its own: all is in the tables.

    Args:
        tables: the meter's.
        names: where things are.
    """

    __slots__ = ("_names", "_tables")

    def __init__(self, tables: Tables, names: RingNames) -> None:
        self._tables = tables
        self._names = names

    @property
    def exists(self) -> bool:
        """Whether the meter has it, with room for an entry."""
        tables = self._tables
        labels = {name.partition(".")[0] for name in (self._names.flags, self._names.entries)}
        if not tables.shape.has(self._names.entries) or not all(map(tables.is_whole, labels)):
            return False
        return self.size > 0

    @property
    def size(self) -> int:
        """Entries it has room for."""
        return self._tables.element(self._names.entries).count

    @property
    def valid(self) -> int:
        """Entries that mean something."""
        return int(self._tables.value(self._names.valid))

    @property
    def last(self) -> int:
        """Index of the newest entry; means nothing without valid ones."""
        return int(self._tables.value(self._names.last)) % self.size

    @property
    def sequence(self) -> int:
        """Sequence number of the newest entry."""
        return int(self._tables.value(self._names.sequence))

    @property
    def unread(self) -> int:
        """Unacknowledged entries."""
        return int(self._tables.value(self._names.unread))

    @property
    def is_inhibited(self) -> bool:
        """Whether the next entry must not be made, because it would overwrite an unread one."""
        return bool(self._flag("INHIBIT_OVERFLOW_FLAG")) and self.unread >= self.size

    def _flag(self, name: str) -> Any:
        flags = self._tables.value(self._names.flags)
        return getattr(flags, name, None) if hasattr(flags, name) else getattr(flags, f"BLOCK_{name}", 0)

    def set_flags(self, **flags: bool) -> None:
        """Set flags by name; those that the list has not are left out."""
        present = self._tables.value(self._names.flags)
        known = {name: value for name, value in flags.items() if hasattr(present, name)}
        changed = present._replace(**known)
        if changed != present:
            self._tables.set(self._names.flags, changed)

    @property
    def is_descending(self) -> bool:
        """Whether the newest entry comes first."""
        return bool(self._flag("ORDER"))

    def advance(self) -> int | None:
        """Make room for a new entry and count it.

        Returns:
            Its index; None when it would overwrite an unread one and must not.
        """
        tables, names = self._tables, self._names
        size, valid = self.size, min(self.valid, self.size)
        if self.is_inhibited:
            self.set_flags(OVERFLOW_FLAG=True)
            return None
        index = self._next(size, valid)
        tables.set(names.valid, min(valid + 1, size))
        tables.set(names.last, index)
        bits = 8 * tables.element(names.sequence).size
        tables.set(names.sequence, (self.sequence + 1) % (1 << bits))
        if self.unread >= size:
            self.set_flags(OVERFLOW_FLAG=True)
        else:
            tables.set(names.unread, self.unread + 1)
        return index

    def _next(self, size: int, valid: int) -> int:
        descending = self.is_descending
        if not self._flag("LIST_TYPE"):  # FIFO: the array itself is in order
            if descending:
                self._shift(1)
                return 0
            if valid < size:
                return valid
            self._shift(-1)
            return size - 1
        if not valid:
            return size - 1 if descending else 0
        return (self.last + (-1 if descending else 1)) % size

    def _shift(self, by: int) -> None:
        """Move all entries by one place, the last or first one out."""
        tables = self._tables
        element = tables.element(self._names.entries)
        stride = element.size // element.count
        octets = tables[element.table][element.offset : element.offset + element.size]
        moved = bytes(stride) + octets[:-stride] if by > 0 else octets[stride:] + bytes(stride)
        tables.splice(element.table, element.offset, moved)

    def put(self, index: int, octets: bytes) -> None:
        """Set the octets of an entry; the rest of it, if they are fewer, becomes zero."""
        element = self._tables.element(self._names.entries)
        stride = element.size // element.count
        self._tables.splice(element.table, element.offset + index * stride, octets[:stride].ljust(stride, b"\0"))

    def entry_offset(self, index: int) -> tuple[str, int, int]:
        """Return where an entry is: label of the table, offset, size."""
        element = self._tables.element(self._names.entries)
        stride = element.size // element.count
        return element.table, element.offset + index * stride, stride

    def acknowledge(self, entries: int) -> bool:
        """Count unread entries as read.

        Returns:
            False when there are not so many; nothing is changed then.
        """
        if entries > self.unread:
            return False
        self._tables.set(self._names.unread, self.unread - entries)
        self.set_flags(OVERFLOW_FLAG=False)
        return True

    def clear(self) -> None:
        """Empty the list; sequence numbers go on."""
        for name in (self._names.valid, self._names.last, self._names.unread):
            self._tables.set(name, 0)
        self.set_flags(OVERFLOW_FLAG=False)
