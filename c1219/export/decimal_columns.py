"""Whole numbers as columns of exact decimals. Needs the extra ``arrow``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from c1219.rules.sources import EXACT

if TYPE_CHECKING:
    from decimal import Decimal

__all__ = ["last_place", "linear", "of_buffers"]

_LIMIT: Final = 1 << 62
_PRECISION: Final = 38


def of_buffers(kind: pa.DataType, values: Any, known: Any) -> pa.Array:
    """Wrap 64 or 128 bit numbers without a copy; null where not known."""
    validity = None if known.all() else pa.py_buffer(np.packbits(known, bitorder="little"))
    return pa.Array.from_buffers(kind, len(known), [validity, pa.py_buffer(np.ascontiguousarray(values))])


def last_place(number: Decimal) -> int:
    """Return the exponent of the last digit of a number that is not 0."""
    found = number.normalize(EXACT).as_tuple().exponent
    return found if isinstance(found, int) else 0


def linear(raw: Any, factor: Decimal, plus: Decimal, known: Any) -> pa.Array | None:
    """Return raw × factor + plus, exact, with as many decimals as that takes.

    Args:
        raw: whole numbers.
        factor: what they are multiplied with.
        plus: what is added.
        known: where there is a value; null elsewhere.

    Returns:
        None where 64 bits do not hold the numbers, or 38 digits the values.
    """
    scale = max(0, -last_place(factor), -last_place(plus))
    times, more = int(factor.scaleb(scale, EXACT)), int(plus.scaleb(scale, EXACT))
    most = max(-int(raw.min()), int(raw.max())) if raw.size else 0
    if most >= _LIMIT or most * abs(times) + abs(more) >= _LIMIT or scale > _PRECISION:
        return None
    numbers = np.empty((len(raw), 2), dtype=np.int64)
    numbers[:, 0] = raw.astype(np.int64) * times + more
    numbers[:, 1] = numbers[:, 0] >> 63
    return of_buffers(pa.decimal128(_PRECISION, scale), numbers, known)
