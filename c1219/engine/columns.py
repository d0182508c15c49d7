"""Many images of one layout as NumPy columns. Needs the extra ``arrow``.

Integers of any width, both DATA_ORDERs and all INT_FORMATs become int64 or uint64, dates datetime64, floats floats;
an implied decimal point is the column's `exponent`. Text, BCD and other forms go through the Python codec, once for
each different value. Bit fields stay the integers that they lie over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from c1219.engine.bound import BoundArray, BoundLeaf, BoundNode, BoundRecord
from c1219.errors import DecodeError
from c1219.wire.fields import BitsForm, CodedForm
from c1219.wire.numbers import FloatForm, IntForm
from c1219.wire.times import CounterForm, DateTimeForm

if TYPE_CHECKING:
    from collections.abc import Iterator

    from c1219.engine.bound import BoundTable

__all__ = ["Column", "columns_of", "dtype_of"]


_LAST = np.datetime64("9999-12-31T23:59:59.999", "ms").astype(np.int64)
"""The last moment that the Python codec has a value for."""


class Column(NamedTuple):
    """One element of many images.

    Attributes:
        path: element path, with empty brackets for arrays, for example ``TIER_DATA_BLOCK[].SUMMATIONS[]``.
        values: array of shape (images, entries of each array around it, from the outside in).
        exponent: power of ten to multiply integers with; they are exact.
        type: type as in the standard, with its present form.
        doc: what the declaration says about it.
    """

    path: str
    values: Any
    exponent: int
    type: str
    doc: str


def dtype_of(table: BoundTable) -> Any:
    """Return the NumPy dtype of one image: records as structures, arrays as sub-arrays, absent elements left out.

    Integers of 1, 2, 4 and 8 octets and floats are numbers of the right byte order; all else is octets (``V``).
    """
    return _dtype(table.root, table.order)


def _dtype(node: BoundNode, order: str) -> Any:
    if isinstance(node, BoundLeaf):
        form = node.form
        if len(form.codes) == 1 and len(form.codes[0]) == 1:
            return np.dtype(order + form.codes[0])
        return np.dtype(f"V{node.size}")
    if isinstance(node, BoundArray):
        return np.dtype((_dtype(node.item, order), (node.count,)))
    parts = [part for part in node.parts if part.node.size] if isinstance(node, BoundRecord) else []
    return np.dtype(
        {
            "names": [part.name for part in parts],
            "formats": [_dtype(part.node, order) for part in parts],
            "offsets": [part.offset for part in parts],
            "itemsize": node.size,
        }
    )


def columns_of(
    table: BoundTable, images: bytes | list[bytes] | tuple[bytes, ...], paths: tuple[str, ...] | None = None
) -> dict[str, Column]:
    """Decode many images of one layout.

    Args:
        table: what they are images of.
        images: images one after the other, or a list of them.
        paths: paths of columns, with empty brackets for arrays; all by default.

    Raises:
        DecodeError: the octets are no whole number of images, or an element has no value; names the image.
    """
    octets = b"".join(images) if isinstance(images, (list, tuple)) else bytes(images)
    size = table.root.size
    if not size or len(octets) % size or (isinstance(images, (list, tuple)) and any(len(i) != size for i in images)):
        raise DecodeError(table.label, 0, f"{len(octets)} octets are not images of {size} octets each")
    rows = np.frombuffer(octets, dtype=np.uint8).reshape(-1, size)
    columns: dict[str, Column] = {}
    for path, leaf, doc, offset, counts, strides in _leaves(table.root, "", "", 0, (), ()):
        if paths is not None and path not in paths:
            continue
        shape = (len(rows), *counts, leaf.size)
        view = np.lib.stride_tricks.as_strided(
            rows[:, offset:], shape=shape, strides=(size, *strides, 1), writeable=False
        )
        values = _values(leaf, view, table, path)
        columns[path] = Column(path, values, leaf.form.exponent, leaf.form.type, doc)
    return columns


def _leaves(
    node: BoundNode, path: str, doc: str, offset: int, counts: tuple[int, ...], strides: tuple[int, ...]
) -> Iterator[tuple[str, BoundLeaf, str, int, tuple[int, ...], tuple[int, ...]]]:
    if isinstance(node, BoundLeaf):
        if node.size:
            yield path, node, doc, offset, counts, strides
    elif isinstance(node, BoundArray):
        yield from _leaves(node.item, f"{path}[]", doc, offset, (*counts, node.count), (*strides, node.stride))
    elif isinstance(node, BoundRecord):
        for part in node.parts:
            below = f"{path}.{part.name}" if path else part.name
            yield from _leaves(part.node, below, part.doc, offset + part.offset, counts, strides)


def _values(leaf: BoundLeaf, view: Any, table: BoundTable, path: str) -> Any:
    """Make the array of one leaf from its octets (last axis)."""
    form = leaf.form
    if isinstance(form, IntForm):
        return _integers(form, view, table.order)
    if isinstance(form, FloatForm):
        return np.ascontiguousarray(view).view(np.dtype(table.order + form.codes[0]))[..., 0]
    if isinstance(form, (BitsForm, CodedForm)):
        return _unsigned(view, table.order)
    values = None
    if isinstance(form, DateTimeForm):
        values = _discrete(form, view)
    elif isinstance(form, CounterForm):
        values = _counted(form, view, table.order)
    return _one_by_one(leaf, view, table, path) if values is None else values


def _unsigned(view: Any, order: str) -> Any:
    """Read the last axis as unsigned integers."""
    size = view.shape[-1]
    if size in (1, 2, 4, 8):
        return np.ascontiguousarray(view).view(np.dtype(f"{order}u{size}"))[..., 0].astype(np.uint64, copy=False)
    wide = np.zeros((*view.shape[:-1], 8), dtype=np.uint8)
    if order == ">":
        wide[..., 8 - size :] = view
    else:
        wide[..., :size] = view
    return wide.view(np.dtype(f"{order}u8"))[..., 0]


def _integers(form: IntForm, view: Any, order: str) -> Any:
    """Read the last axis as integers of this form."""
    size, signs = view.shape[-1], form.signs
    if signs == 3:
        raise DecodeError(form.type, 0, "INT_FORMAT 3 is reserved: the sign of this number is not known")
    if signs < 0:
        return _unsigned(view, order)
    if signs == 0 and size in (1, 2, 4, 8):
        return np.ascontiguousarray(view).view(np.dtype(f"{order}i{size}"))[..., 0].astype(np.int64, copy=False)
    raw = _unsigned(view, order).astype(np.uint64)
    bits = 8 * size
    negative = (raw >> np.uint64(bits - 1)).astype(bool)
    if signs == 2:
        magnitude = (raw & np.uint64((1 << bits - 1) - 1)).astype(np.int64)
        return np.where(negative, -magnitude, magnitude)
    extended = raw | np.uint64(((1 << 64) - 1) ^ ((1 << bits) - 1)) * negative.astype(np.uint64)
    return extended.view(np.int64) + (negative.astype(np.int64) if signs == 1 else 0)


def _discrete(form: DateTimeForm, view: Any) -> Any:
    """Read discrete date fields; None if some are out of range, which the Python codec then names."""
    numbers = view.astype(np.int64)
    none = (view == 0).all(axis=-1) | (view == 0xFF).all(axis=-1)
    if form.bcd:
        if (((view >> 4) > 9) | ((view & 15) > 9))[~none].any():
            return None
        numbers = (numbers >> 4) * 10 + (numbers & 15)
    year, month, day, hour, minute = (numbers[..., n] for n in range(5))
    second = numbers[..., 5] if form.size > 5 else np.zeros_like(year)
    hundredths = numbers[..., 6] if form.size > 6 else np.zeros_like(year)
    wrong = (year > 99) | (month < 1) | (month > 12) | (day < 1) | (hour > 23) | (minute > 59) | (second > 59)
    wrong |= hundredths > 99
    months = np.where(none, 0, (np.where(year >= 90, year - 70, year + 30)) * 12 + month - 1)
    starts = months.astype("datetime64[M]")
    lengths = ((starts + 1).astype("datetime64[D]") - starts.astype("datetime64[D]")).astype(np.int64)
    wrong |= day > lengths
    if (wrong & ~none).any():
        return None
    seconds = ((day - 1) * 24 + hour) * 3600 + minute * 60 + second
    moments = starts.astype("datetime64[ms]") + (seconds * 1000 + hundredths * 10).astype("timedelta64[ms]")
    return np.where(none, np.datetime64("NaT", "ms"), moments)


def _counted(form: CounterForm, view: Any, order: str) -> Any:
    """Read counters since 1970; None if a discrete part is out of range."""
    none = (view == 0).all(axis=-1) | (view == 0xFF).all(axis=-1)
    moments = _unsigned(view[..., :4], order).astype(np.int64) * (60_000 if form.minutes else 1000)
    place = 4
    if form.second:
        second = view[..., place].astype(np.int64)
        if (second > 59)[~none].any():
            return None
        moments = moments + second * 1000
        place += 1
    if form.fraction:
        hundredths = view[..., place].astype(np.int64)
        if (hundredths > 99)[~none].any():
            return None
        moments = moments + hundredths * 10
    if (moments > _LAST)[~none].any():
        return None
    return np.where(none, np.datetime64("NaT", "ms"), moments.astype("datetime64[ms]"))


def _one_by_one(leaf: BoundLeaf, view: Any, table: BoundTable, path: str) -> Any:
    """Decode each different value once."""
    flat = np.ascontiguousarray(view).reshape(-1, leaf.size).view(np.dtype(f"V{leaf.size}"))[:, 0]
    different, where = np.unique(flat, return_inverse=True)
    decoded = np.empty(len(different), dtype=object)
    for number, octets in enumerate(different):
        try:
            decoded[number] = leaf.form.decode(octets.tobytes())
        except ValueError as error:
            first = int(np.argmax(where.reshape(-1) == number))
            image = first // max(1, len(flat) // len(view))
            raise DecodeError(f"{table.label}.{path}", 0, f"image {image}: {error}") from error
    return decoded[where.reshape(-1)].reshape(view.shape[:-1])
