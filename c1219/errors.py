"""Every error of this package, and the finding, which is a remark that does not stop the work.

C1219Error
├── DeclarationError  (ValueError)   a table is declared in a way that cannot be laid out
│   └── TableFileError               a table file is not what it should be; carries file and line
├── UnknownTable      (LookupError)  nobody declared this table, or the device does not hold it
├── UnknownElement    (LookupError)  the table has no element of this name, or no such entry
│   └── AbsentElement                the element is declared, but takes no octets in this device
├── UnknownZone       (LookupError)  there is no time zone of this name, or no database of them
├── LayoutError       (ValueError)   the table cannot be laid out for this device; carries the path
│   ├── MissingTables                the tables that must be read first are not here; carries their names
│   └── LimitExceeded                the layout is larger than the caller allows
├── DecodeError       (ValueError)   octets that are not what they claim to be; carries path and offset
└── EncodeError       (ValueError)   a value that has no form on the wire; carries the path
"""

from __future__ import annotations

from typing import Literal, NamedTuple

__all__ = [
    "AbsentElement",
    "C1219Error",
    "DeclarationError",
    "DecodeError",
    "EncodeError",
    "Finding",
    "LayoutError",
    "LimitExceeded",
    "MissingTables",
    "TableFileError",
    "UnknownElement",
    "UnknownTable",
    "UnknownZone",
]

Level = Literal["note", "warning", "error"]


class Finding(NamedTuple):
    """A remark on what was decoded: it is reported, and the work goes on.

    Attributes:
        level: ``note`` (worth knowing), ``warning`` (tolerated deviation) or ``error`` (part of the data is unusable).
        code: stable, lower-case, hyphenated name of the kind of finding.
        path: where in the table or message, for example ``ST23.TOT_DATA_BLOCK``, ``acse.user-information``.
        offset: octet offset in the table or APDU, or None where none applies.
        text: one sentence for a person.
    """

    level: Level
    code: str
    path: str
    offset: int | None
    text: str


class C1219Error(Exception):
    """Root of all errors of this package."""


class DeclarationError(C1219Error, ValueError):
    """A table is declared in a way that cannot be laid out."""


class TableFileError(DeclarationError):
    """A table file is not what it should be.

    Attributes:
        file: its path.
        line: where in it, from 1; None where that is not known.
        reason: what is wrong, in words.
    """

    def __init__(self, file: str, line: int | None, reason: str) -> None:
        super().__init__(file, line, reason)
        self.file = file
        self.line = line
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.file}{'' if self.line is None else f', line {self.line}'}: {self.reason}"


class UnknownTable(C1219Error, LookupError):
    """Nobody declared this table, or the device does not hold it."""


class UnknownElement(C1219Error, LookupError):
    """The table has no element of this name, or no such entry."""


class AbsentElement(UnknownElement):
    """The element is declared, but takes no octets in the configuration of this device."""


class UnknownZone(C1219Error, LookupError):
    """There is no time zone of this name, or no database of time zones on this machine."""


class LayoutError(C1219Error, ValueError):
    """The table cannot be laid out for this device.

    Attributes:
        path: the element that stands in the way.
        reason: what is wrong, in words.
    """

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path, reason)
        self.path = path
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


class MissingTables(LayoutError):
    """The layout depends on tables that are not here.

    Attributes:
        names: the tables to read first, in the order in which to read them, for example ``("ST0", "ST21")``.
    """

    def __init__(self, path: str, names: tuple[str, ...]) -> None:
        super().__init__(path, f"read {', '.join(names)} first: the layout depends on it")
        self.names = names

    def __reduce__(self) -> tuple[type[MissingTables], tuple[str, tuple[str, ...]]]:
        return type(self), (self.path, self.names)


class LimitExceeded(LayoutError):
    """The layout is larger than the caller allows; nothing was allocated."""


class DecodeError(C1219Error, ValueError):
    """Octets are not what they claim to be.

    Attributes:
        path: the element, for example ``ST52.CLOCK_CALENDAR``.
        offset: octet offset from the start of the table.
        reason: what is wrong, in words.
    """

    def __init__(self, path: str, offset: int, reason: str) -> None:
        super().__init__(path, offset, reason)
        self.path = path
        self.offset = offset
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.path} at octet {self.offset}: {self.reason}"

    def finding(self, code: str = "malformed") -> Finding:
        """Return the same statement as a finding of level error."""
        return Finding("error", code, self.path, self.offset, self.reason)


class EncodeError(C1219Error, ValueError):
    """A value has no form on the wire.

    Attributes:
        path: the element, for example ``ST6.OWNER_NAME``.
        reason: what is wrong, in words.
    """

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path, reason)
        self.path = path
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"
