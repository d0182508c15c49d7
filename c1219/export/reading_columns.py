"""What columns of readings are made of: words by number, times and values, in ``c1219.readings/1``.

Needs the extra ``arrow``.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import pyarrow as pa

from c1219.export.decimal_columns import linear
from c1219.rules.timekeeping import utc
from c1219.tabular.arrow import arrow_schema, encodable
from c1219.tabular.readings import READINGS, SCALE, fitted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from decimal import Decimal

    from numpy.typing import NDArray

    from c1219.tabular.arrow import Decimals
    from c1219.tabular.readings import MeterOrigin

__all__ = [
    "NO_OFFSET", "Moments", "by_number", "chosen_moments", "joined_flags", "moments", "numbered", "offsets_at",
    "reading_batch", "status_column", "values_of",
]  # fmt: skip

NO_OFFSET: Final = np.iinfo(np.int16).min
"""Stands for an offset that is not known."""
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND: Final = dt.timedelta(microseconds=1)
_FIELDS: Final = {field.name: field.type for field in arrow_schema(READINGS)}


class Moments(NamedTuple):
    """Times of many rows.

    Attributes:
        known: whether there is one.
        us: microseconds since 1970, UTC; by the meter's clock where that is all that is known.
        offset: minutes that the meter's place is ahead of UTC; `NO_OFFSET` where that is not known.
        naive: whether it is by the meter's clock.
    """

    known: NDArray[np.bool_]
    us: NDArray[np.int64]
    offset: NDArray[np.int16]
    naive: NDArray[np.bool_]

    def at(self, rows: Any) -> Moments:
        """Return the times of some rows."""
        return Moments(*(column[rows] for column in self))

    def column(self) -> pa.Array:
        """Return the times as a column."""
        return pa.array(self.us, mask=~self.known).view(_FIELDS["end"])

    def offsets(self) -> pa.Array:
        """Return the offsets as a column."""
        return pa.array(self.offset, mask=self.offset == NO_OFFSET)


def moments(times: Sequence[dt.datetime | None], origin: MeterOrigin) -> Moments:
    """Return times in columns.

    Args:
        times: aware, or naive where the offset from UTC is not known.
        origin: of the meter, whose place tells the offset.
    """
    told = [time if time is None or time.tzinfo is not None else utc(time) for time in times]
    return Moments(
        np.array([time is not None for time in times], np.bool_),
        np.array([0 if time is None else (time - _EPOCH) // _MICROSECOND for time in told], np.int64),
        offsets_at(times, origin),
        np.array([time is not None and time.tzinfo is None for time in times], np.bool_),
    )


def offsets_at(times: Iterable[dt.datetime | None], origin: MeterOrigin) -> NDArray[np.int16]:
    """Return the minutes that the place of a meter is ahead of UTC at some times; `NO_OFFSET` where not known."""
    offsets = map(origin.offset_of, times)
    return np.array([NO_OFFSET if minutes is None else minutes for minutes in offsets], np.int16)


def chosen_moments(first: Moments, second: Moments) -> Moments:
    """Return the first time of each row, or where there is none the second."""
    pairs: Any = zip(first, second, strict=True)
    return Moments(*(np.where(first.known, one, two) for one, two in pairs))


def by_number(name: str, words: Sequence[Any], numbers: NDArray[Any]) -> pa.Array:
    """Return a column of readings whose values are few, by their numbers.

    Args:
        name: of the column.
        words: values; None is null.
        numbers: of each row, which of them it has.
    """
    kind = _FIELDS[name]
    places = pa.array(numbers.astype(np.int32))
    if not pa.types.is_dictionary(kind):
        return _words(words, kind).take(places)
    different = list(dict.fromkeys(word for word in words if word is not None))
    place = [-1 if word is None else different.index(word) for word in words]
    again = np.array(place, np.int32)[numbers]
    return pa.DictionaryArray.from_arrays(
        pa.array(again, mask=again < 0), _words(different, kind.value_type).cast(kind.value_type)
    )


def _words(words: Sequence[Any], kind: pa.DataType) -> pa.Array:
    try:
        return pa.array(words, kind)
    except UnicodeEncodeError:  # as `c1219.tabular.arrow` has it
        return pa.array([encodable(word) for word in words], kind)


def numbered(values: Sequence[Any]) -> tuple[list[Any], NDArray[np.int64]]:
    """Return the different ones of many values, and the number of each."""
    places: dict[Any, int] = {}
    numbers = [places.setdefault(value, len(places)) for value in values]
    return list(places), np.array(numbers, np.int64)


def values_of(
    raw: NDArray[Any],
    factor: Decimal | None,
    plus: Decimal,
    known: NDArray[np.bool_],
    single: Callable[[Any], Decimal | None],
) -> tuple[pa.Array, NDArray[np.int64], list[tuple[str, ...]]]:
    """Return the column `value` of raw numbers: exact, as long as that has room.

    Args:
        raw: the numbers as decoded.
        factor: what whole numbers are multiplied with; None if that has no finite number of digits.
        plus: what is added to them.
        known: where there is a value.
        single: gives the value of one raw number.

    Returns:
        The column, and what was lost: for each row the number of a set of flags, and these.
    """
    nothing = np.zeros(len(raw), np.int64)
    if raw.dtype.kind in "iu" and factor is not None:
        exact = linear(raw, factor, plus, known)
        if exact is not None and exact.type.scale <= SCALE:
            return exact.cast(_FIELDS["value"]), nothing, [()]
    different, numbers = numbered(raw.tolist())
    found = [fitted(single(value)) for value in different]
    flags, lost = numbered([flags for _, flags in found])
    values = pa.array([value for value, _ in found], _FIELDS["value"])
    return (
        values.take(pa.array(numbers, mask=~known)),
        np.where(known, lost[numbers], len(flags)),
        [*flags, ()],
    )


def joined_flags(
    parts: Sequence[tuple[Sequence[tuple[str, ...]], NDArray[np.int64]]],
) -> tuple[list[tuple[str, ...]], NDArray[np.int64]]:
    """Return all sets of flags, and the numbers of all rows."""
    sets: list[tuple[str, ...]] = []
    numbers = []
    for flags, which in parts:
        numbers.append(which + len(sets))
        sets += flags
    return sets, np.concatenate(numbers)


def status_column(*parts: tuple[Sequence[tuple[str, ...]], NDArray[Any]]) -> pa.Array:
    """Return the column `status`.

    Args:
        parts: sets of flags, and of each row the number of its set; a row has the flags of all its sets.
    """
    numbers = np.zeros(1, np.int64)
    sets: list[tuple[str, ...]] = [()]
    for flags, which in parts:
        numbers = numbers * len(flags) + which
        met = np.flatnonzero(np.bincount(numbers))
        sets = [(*sets[number // len(flags)], *flags[number % len(flags)]) for number in met.tolist()]
        place = np.zeros(met[-1] + 1 if len(met) else 0, np.int64)
        place[met] = np.arange(len(met))
        numbers = place[numbers]
    return pa.array(sets, _FIELDS["status"]).take(pa.array(numbers))


def reading_batch(columns: Mapping[str, pa.Array], count: int, decimals: Decimals = "decimal128") -> pa.RecordBatch:
    """Return rows of readings.

    Args:
        columns: by name; those left out are null.
        count: rows.
        decimals: what decimal numbers become.
    """
    schema = arrow_schema(READINGS, decimals)
    arrays = [columns.get(field.name, None) for field in schema]
    filled = [
        pa.nulls(count, field.type) if array is None else array if array.type == field.type else array.cast(field.type)
        for array, field in zip(arrays, schema, strict=True)
    ]
    return pa.RecordBatch.from_arrays(filled, schema=schema)
