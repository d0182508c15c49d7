"""Who may do what by ST42, ST43 and ST44: groups that passwords open, and groups that tables and procedures ask for.

A password opens up to eight groups. A table may be read or written, a procedure's response read or the procedure
executed, if the entry of ST44 allows it to anyone, or to a group that the password opened; ST43 has the entry for all
that ST44 does not name. That one group in common is enough is a reading of ours, and so is what follows: of two entries
for one table the first counts, an entry of zeros is filler and none for ST0, a blank password opens nothing, and the
default of ST43 does not open tables of passwords and keys to reading.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from c1219.errors import UnknownTable
from c1219.tableid import TableId

if TYPE_CHECKING:
    from collections.abc import Iterator

    from c1219.tableset import TableSet

__all__ = ["AccessEntry", "AccessRules", "PasswordEntry", "holds_secrets", "passwords"]


class PasswordEntry(NamedTuple):
    """One entry of ST42.

    Attributes:
        password: as in the table; it is not shown.
        groups: that it opens, a bit each.
        blank: it is all zeros, all blanks or all FF: filler, by custom, and opens nothing.
    """

    password: bytes
    groups: int
    blank: bool

    def __repr__(self) -> str:
        return f"<PasswordEntry for groups {self.groups:#04x}>"


class AccessEntry(NamedTuple):
    """One entry of ST44 or ST43.

    Attributes:
        path: where it is: ``ST44.ACCESS_CONTROL[3]``, ``ST43.TABLE_DEFAULT``.
        any_read: anyone may read.
        any_write: anyone may write, or execute.
        read: groups that may read, a bit each.
        write: groups that may write, or execute.
    """

    path: str
    any_read: bool
    any_write: bool
    read: int
    write: int


class AccessRules:
    """What ST43 and ST44 say.

    Args:
        default: value of ST43, None if it is not here.
        control: value of ST44, None if it is not here.

    Attributes:
        entries: of ST44, by label (``ST54``, ``MT1``, ``SP3``, ``MP22``).
        repeated: index and label of each entry of ST44 that is ignored: an earlier one has the same label.
        table_default: of ST43, None without it.
        procedure_default: of ST43, None without it.
    """

    def __init__(self, default: Any, control: Any) -> None:
        self.entries: dict[str, AccessEntry] = {}
        self.repeated: list[tuple[int, str]] = []
        self.table_default = self.procedure_default = None
        if default is not None:
            self.table_default = _entry("ST43.TABLE_DEFAULT", default.TABLE_DEFAULT)
            self.procedure_default = _entry("ST43.PROCEDURE_DEFAULT", default.PROCEDURE_DEFAULT)
        labels: dict[tuple[int, bool, bool], str] = {}
        for number, entry in enumerate(() if control is None else control.ACCESS_CONTROL):
            place = entry.ACCESS_TABLE
            key = place.TBL_PROC_NBR, place.STD_VS_MFG_FLAG, place.PROC_FLAG
            if not (any(place) or any(entry.READ) or any(entry.WRITE)):
                continue  # filler: as an entry for ST0 it would lock everybody out
            if key in labels:
                self.repeated.append((number, labels[key]))
                continue
            one = TableId.of(place.TBL_PROC_NBR, manufacturer=place.STD_VS_MFG_FLAG)
            label = labels[key] = one.procedure_label if place.PROC_FLAG else one.label
            self.entries[label] = _entry(f"ST44.ACCESS_CONTROL[{number}]", entry, place)

    def of(self, label: str) -> AccessEntry | None:
        """Return the entry that counts for a table or procedure, None if no table says."""
        default = self.procedure_default if label[1] == "P" else self.table_default
        return self.entries.get(label) or default

    def opens_reading(self, label: str, *, secret: bool) -> AccessEntry | None:
        """Return the entry that says who may read a table, or a procedure's response; None if no table says.

        Args:
            label: of the table or procedure.
            secret: the table holds passwords or keys: then the default does not count.
        """
        return self.entries.get(label) if secret else self.of(label)


def passwords(security: Any) -> Iterator[PasswordEntry]:
    """Yield the entries of ST42, by index.

    Args:
        security: value of ST42.
    """
    for entry in security.SECURITY_ENTRIES:
        octets = bytes(entry.PASSWORD)
        yield PasswordEntry(octets, _groups(entry.ACCESS_PERMISSIONS), not octets.strip(b" \0\xff"))


def holds_secrets(device: TableSet, label: str) -> bool:
    """Say whether a table of a device is declared to hold passwords or keys.

    Args:
        device: for its class, by which tables of a manufacturer are declared.
        label: of the table.
    """
    try:
        return device.declaration(label).secret
    except UnknownTable:
        return False


def _entry(path: str, entry: Any, flags: Any = None) -> AccessEntry:
    flags = entry.ACCESS_TABLE_DEFAULT if flags is None else flags
    return AccessEntry(path, bool(flags.FLAG1), bool(flags.FLAG2), _groups(entry.READ), _groups(entry.WRITE))


def _groups(flags: Any) -> int:
    return sum(bool(flag) << number for number, flag in enumerate(flags))
