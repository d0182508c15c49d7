"""The values that decoded elements have, where Python has no type of its own for them."""

from __future__ import annotations

import copyreg
from collections import namedtuple
from enum import EnumMeta, IntEnum
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakValueDictionary

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Self

__all__ = ["MemberSet", "Raw", "RecurringDate", "Secret", "code_type", "record_type"]


class Raw(bytes):
    """Octets of an element that has no value: what lenient decoding gives for a month 13 or a bad BCD nibble.

    Written back, they are the octets of the element, whatever its type.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return f"Raw({self.hex(' ')!r})"


class Secret(bytes):
    """A password or key: bytes like others, except that ``repr`` and ``str`` show only their number."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<secret, {len(self)} octets>"

    __str__ = __repr__


class MemberSet(frozenset[int]):
    """The members of a SET: an immutable set of ints that can also be asked ``members[64]``, which is a bool.

    The question with brackets is the one that layout expressions use (``ST0.STD_TBLS_USED[64]``).
    """

    __slots__ = ()

    def __new__(cls, members: Iterable[int] = ()) -> Self:
        """Make a set of member numbers."""
        return super().__new__(cls, members)

    def __getitem__(self, member: int) -> bool:
        return member in self

    def __repr__(self) -> str:
        return f"MemberSet({sorted(self)})"


class RecurringDate(NamedTuple):
    """RDATE: a date that recurs. MONTH selects which other fields mean something; those that do not are None.

    Attributes:
        MONTH: 0 = every PERIOD_IN_MINUTES minutes, 1..12 = that month each year, 13 = every month, 14 = every week,
            15 = every PERIOD days from the anchor date plus DELTA days.
        OFFSET: 0..15, how the date is moved to a weekday (MONTH 1..13).
        WEEKDAY: 0 Sunday .. 6 Saturday, 7 unassigned (MONTH 1..14).
        DAY: 0..31, day of the month (MONTH 1..13).
        PERIOD: 0..63, days (MONTH 15).
        DELTA: 0..63, days after the anchor date (MONTH 15).
        PERIOD_IN_MINUTES: 0..4095 (MONTH 0).
    """

    MONTH: int
    OFFSET: int | None = None
    WEEKDAY: int | None = None
    DAY: int | None = None
    PERIOD: int | None = None
    DELTA: int | None = None
    PERIOD_IN_MINUTES: int | None = None


class _RecordType(type):
    """Type of the classes that `record_type` makes: no module has them; pickle makes them again from their fields."""

    _fields: tuple[str, ...]


def _by_its_fields(kind: _RecordType) -> tuple[Any, tuple[str, tuple[str, ...]]]:
    return record_type, (kind.__name__, kind._fields)


copyreg.pickle(_RecordType, _by_its_fields)

_MADE: WeakValueDictionary[tuple[str, tuple[Any, ...]], Any] = WeakValueDictionary()


def record_type(name: str, fields: tuple[str, ...]) -> Any:
    """Return the NamedTuple class of a record or bit field, one for a name and fields; absent fields are None."""
    made = _MADE.get((name, fields))
    if made is None:
        namespace = {"__slots__": (), "__doc__": f"{name}: {', '.join(fields)}."}
        base = namedtuple(name, fields, defaults=(None,) * len(fields))  # type: ignore[misc]  # noqa: PYI024  the names come from a declaration
        made = _MADE[name, fields] = _RecordType(name, (base,), namespace)
    return made


class _CodeType(EnumMeta):
    """Type of the enumerations that `code_type` makes: no module has them either."""


class _Codes(IntEnum, metaclass=_CodeType):
    pass


def _by_its_codes(kind: _CodeType) -> tuple[Any, ...]:
    codes: Any = kind
    return code_type, (kind.__name__, tuple([(int(code), code.name) for code in codes]))


copyreg.pickle(_CodeType, _by_its_codes)


def code_type(name: str, codes: tuple[tuple[int, str], ...]) -> Any:
    """Return the IntEnum of codes that a file names, one for a name and its codes."""
    key = name, ("", *codes)  # which are no names of fields
    made = _MADE.get(key)
    if made is None:
        make: Any = _Codes  # called with a name and codes, an enumeration makes another
        made = _MADE[key] = make(name, [(words, code) for code, words in codes])
    return made
