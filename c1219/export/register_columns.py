"""Registers of many images of one table, as readings: decoded by columns. Needs the extra ``arrow``.

The view of registers is asked once, for the first image: which rows there are, where they are, and what they mean, is
the same for all images of one layout in one configuration. Numbers and times are then decoded for all images together.
Images that this does not suit (another size, an element without a value) go through the view one by one.
"""

from __future__ import annotations

import re
from contextlib import suppress
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import pyarrow as pa

from c1219.caches import BoundedDict
from c1219.errors import C1219Error, DecodeError
from c1219.export.reading_columns import (
    NO_OFFSET,
    Moments,
    by_number,
    chosen_moments,
    joined_flags,
    moments,
    numbered,
    reading_batch,
    status_column,
    values_of,
)
from c1219.rules.sources import EXACT, Source
from c1219.tabular.arrow import BATCH, arrow_table
from c1219.tabular.readings import READINGS, ZONE_UNKNOWN, raw_text
from c1219.views.clock import timekeeping
from c1219.views.origin import origin
from c1219.views.registers import Registers, elements_of_times, registers
from c1219.views.sources import sources_of

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from c1219.engine.columns import Column
    from c1219.tableset import TableSet
    from c1219.tabular.arrow import Decimals
    from c1219.tabular.readings import MeterOrigin
    from c1219.views.register_row import Register

__all__ = ["MAX_ORDERS", "RegisterColumns"]

MAX_ORDERS: Final = 64
"""Orders of the entries of a list that are remembered."""
_INDEX: Final = re.compile(r"\[(\d+)\]")
_ENTRIES: Final = {"ST26": "SELF_READS_ENTRIES"}
"""Lists: what stands before the entries tells their order."""


class _Place(NamedTuple):
    """Where the values of an element are among the columns of a table."""

    path: str
    indices: tuple[int, ...]

    @classmethod
    def of(cls, path: str) -> _Place:
        below = path.partition(".")[2]
        return cls(_INDEX.sub("[]", below), tuple(map(int, _INDEX.findall(below))))

    def values(self, columns: dict[str, Column]) -> NDArray[Any]:
        """Return the values of all images."""
        values: NDArray[Any] = columns[self.path].values[(slice(None), *self.indices)]
        return values


class _Rows(NamedTuple):
    """The rows that every image of one form gives.

    Attributes:
        registers: as the view has them, of one image.
        types: names in IEC CIM of each.
        values: where the value of each is.
        events: where the time of its event is, if it has one.
        periods: where the end of its period is, if it has one.
    """

    registers: tuple[Register, ...]
    types: tuple[str | None, ...]
    values: tuple[_Place, ...]
    events: tuple[_Place | None, ...]
    periods: tuple[_Place | None, ...]

    @property
    def paths(self) -> tuple[str, ...]:
        """The columns that are needed."""
        found = (*self.values, *self.events, *self.periods)
        return tuple(dict.fromkeys(place.path for place in found if place is not None))


class RegisterColumns:
    """Makes readings of images of one table, of meters of one configuration.

    Args:
        device: the tables that say how the table is laid out and what it measures; it is this object's from now on.
        label: the table: ``ST23`` to ``ST26``, ``ST28``.
        offset: where the octets start, of pieces; None for whole tables.
        decimals: what decimal numbers become.
        zone: where the meters are, if the caller knows; overrides what ST53 and ST54 say.
        local_counters: with TM_FORMAT 3 and 4 the meters count local time, not UTC.

    Raises:
        UnknownTable, MissingTables, LayoutError: the table cannot be laid out.
    """

    def __init__(
        self,
        device: TableSet,
        label: str,
        offset: int | None = None,
        *,
        decimals: Decimals = "decimal128",
        zone: dt.tzinfo | None = None,
        local_counters: bool = False,
    ) -> None:
        device.drop(label)
        self._device = device
        self._label = label
        self._offset = offset
        self._decimals = decimals
        self._options: dict[str, Any] = {"zone": zone, "local_counters": local_counters}
        self._layout = device.bind(label)
        self._times = timekeeping(device, **self._options)
        self._origin = origin(device, self._times)
        self._sources = sources_of(device)
        self._rows: BoundedDict[tuple[int, bytes], _Rows] = BoundedDict(MAX_ORDERS)
        entries = _ENTRIES.get(label)
        self._head = 0 if entries is None else self._layout.element(entries).offset

    def batches(self, images: Sequence[bytes], origins: Sequence[MeterOrigin]) -> Iterator[pa.RecordBatch]:
        """Yield the readings, image after image but for those that have another form than the first.

        Args:
            images: octets of the table, or pieces of it.
            origins: of each image, the meter, and when and how it was read.
        """
        forms: dict[tuple[int, bytes], list[int]] = {}
        for place, image in enumerate(images):
            forms.setdefault((len(image), image[: self._head]), []).append(place)
        for form, places in forms.items():
            chosen = [images[place] for place in places]
            yield from self._of_form(form, chosen, [origins[place] for place in places])

    def _of_form(
        self, form: tuple[int, bytes], images: list[bytes], origins: list[MeterOrigin]
    ) -> Iterator[pa.RecordBatch]:
        size, start = form[0], self._offset or 0
        fits = start + size <= self._layout.size and (self._offset is not None or size == self._layout.size)
        if len(images) > 1 and fits and (not self._head or self._offset is None):
            rows = self._rows.get(form)
            if rows is None:
                rows = self._rows[form] = self._rows_of(images[0])
            together = None
            if len(images) * len(rows.registers) <= BATCH:
                with suppress(DecodeError):  # an element of one of them has no value
                    together = self._together(rows, images, origins)
            if together is not None:
                yield together
                return
            middle = len(images) // 2
            yield from self._of_form(form, images[:middle], origins[:middle])
            yield from self._of_form(form, images[middle:], origins[middle:])
            return
        for image, whence in zip(images, origins, strict=True):
            found = self._view(image, whence._replace(place=self._origin.place))
            yield from arrow_table(READINGS, found.table_rows(), self._decimals).to_batches()

    def _registers(self, image: bytes) -> tuple[Register, ...]:
        """Return the rows of one image, by the view."""
        device, label = self._device, self._label
        try:
            if self._offset is None:
                device.put(label, image)
            else:
                device.put_pieces(label, {self._offset: image})
            return tuple(row for row in registers(device, **self._options) if row.table == label)
        except C1219Error:
            return ()  # it cannot be decoded
        finally:
            device.drop(label)

    def _view(self, image: bytes, whence: MeterOrigin) -> Registers:
        found = self._registers(image)
        return Registers(found, (), whence, self._described(found))

    def _described(self, found: Iterable[Register]) -> dict[int, Source]:
        indices = {row.source for row in found if row.source is not None}
        return {index: self._sources.describe(index) for index in indices}

    def _rows_of(self, image: bytes) -> _Rows:
        found = self._registers(image)
        times = [elements_of_times(self._device, row) for row in found]
        sources = self._described(found)
        return _Rows(
            found,
            tuple(one and str(one) for one in (row.reading_type(sources) for row in found)),
            tuple(_Place.of(row.path) for row in found),
            tuple(self._place(event, len(image)) for event, _ in times),
            tuple(self._place(period, len(image)) for _, period in times),
        )

    def _place(self, path: str | None, size: int) -> _Place | None:
        """Return where an element is, None if there is none, or its octets are not in the piece."""
        if path is None:
            return None
        try:
            element = self._layout.element(path)
        except C1219Error:
            return None
        start, end = element.offset, element.offset + element.size
        return (
            _Place.of(path)
            if start < end and (self._offset or 0) <= start and end <= (self._offset or 0) + size
            else None
        )

    # --- many images

    def _together(self, rows: _Rows, images: list[bytes], origins: list[MeterOrigin]) -> pa.RecordBatch:
        count, width = len(images), len(rows.registers)
        if not width:
            return reading_batch({}, 0, self._decimals)
        octets = np.frombuffer(b"".join(images), np.uint8).reshape(count, -1)
        if self._offset is not None:
            padded = np.zeros((count, self._layout.size), np.uint8)
            padded[:, self._offset : self._offset + octets.shape[1]] = octets
            octets = padded
        columns = self._layout.columns(octets.tobytes(), rows.paths)
        order = (
            np.arange(width) * count + np.arange(count)[:, None]
        ).ravel()  # from row after row to image after image
        of_row, of_image = np.tile(np.arange(width), count), np.repeat(np.arange(count), width)
        read = moments([one.read_at for one in origins], self._origin)
        taken = chosen_moments(read, moments([one.clock for one in origins], self._origin))
        ends = [self._moments(place, columns) for place in rows.periods]
        end = _joined([taken if one is None else chosen_moments(one, taken) for one in ends]).at(order)
        events = [self._moments(place, columns) for place in rows.events]
        event = _joined([_without(count) if one is None else one for one in events]).at(order)
        made = [
            self._values(register, columns[place.path], place.values(columns))
            for register, place in zip(rows.registers, rows.values, strict=True)
        ]
        flags, lost = joined_flags([(sets, numbers) for _, numbers, sets, _ in made])
        few = {
            name: by_number(name, words, numbers[of_image])
            for name in ("meter", "node", "verified")
            for words, numbers in (numbered([getattr(one, name) for one in origins]),)
        }
        few |= {
            name: by_number(name, [getattr(register, name) for register in rows.registers], of_row)
            for name in ("path", "source", "quantity", "unit", "kind", "tier", "occurrence", "extreme")
        }
        few["reading_type"] = by_number("reading_type", rows.types, of_row)
        places = pa.array(order)
        return reading_batch(
            few
            | {
                "end": end.column(),
                "local_offset": end.offsets(),
                "value": pa.concat_arrays([values for values, *_ in made]).take(places),
                "raw": pa.concat_arrays([raw for *_, raw in made]).take(places),
                "status": status_column((flags, lost[order]), (((), (ZONE_UNKNOWN,)), end.naive)),
                "read_at": read.at(of_image).column(),
                "event_time": event.column(),
            },
            count * width,
            self._decimals,
        )

    def _moments(self, place: _Place | None, columns: dict[str, Column]) -> Moments | None:
        """Return the times of an element as the view has them."""
        if place is None:
            return None
        times = place.values(columns)
        if times.dtype.kind == "M":
            different, numbers = np.unique(times, return_inverse=True)
            walls = [None if np.isnat(time) else time.item() for time in different]
        else:
            walls, numbers = numbered(times.tolist())
        told = [None if wall is None else self._times.instant(wall) or wall for wall in walls]
        return moments(told, self._origin).at(numbers)

    def _values(
        self, register: Register, column: Column, raw: NDArray[Any]
    ) -> tuple[pa.Array, NDArray[np.int64], list[tuple[str, ...]], pa.Array]:
        """Return the values of a row as a column, the numbers of sets of flags, these sets, and the raw numbers."""
        exponent, single = column.exponent, raw.dtype == np.float32
        index = register.source
        source = Source(0, "", register.unit) if index is None else self._sources.describe(index)

        def decoded(number: Any) -> Any:
            return EXACT.scaleb(Decimal(number), exponent) if exponent else number

        values, lost, flags = values_of(
            raw,
            EXACT.scaleb(source.multiplier, exponent),
            source.offset,
            np.full(len(raw), source.unit is not None),
            lambda number: source.value(decoded(number), single=single),
        )
        if raw.dtype.kind in "iu" and not exponent:
            return values, lost, flags, pa.array(raw).cast(pa.string())
        return values, lost, flags, pa.array([raw_text(decoded(number)) for number in raw.tolist()], pa.string())


def _joined(parts: Sequence[Moments]) -> Moments:
    return Moments(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def _without(count: int) -> Moments:
    """Return no times."""
    none = np.zeros(count, np.bool_)
    return Moments(none, np.zeros(count, np.int64), np.full(count, NO_OFFSET, np.int16), none)
