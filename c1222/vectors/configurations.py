"""Meters that never were: configurations of C12.19, with random values in whatever tables they lay out."""

from __future__ import annotations

import datetime as dt
import math
from typing import TYPE_CHECKING, Final, NamedTuple

from c1219.device import Device
from c1219.engine.bound import Absent, BoundArray, BoundLeaf, BoundRecord
from c1219.registry import Registry
from c1219.values import RecurringDate
from c1219.wire import BcdForm, DigitsForm, FixedBcdForm, FloatForm, NumberTextForm, TextForm

if TYPE_CHECKING:
    from random import Random

    from c1219.engine.bound import BoundNode
    from c1219.engine.layout import Layout
    from c1219.wire.form import Form

__all__ = ["CONFIGURATIONS", "Configuration", "configure", "octets_for"]

_SET_OCTETS: Final = 16
"""Octets of STD_TBLS_USED: tables up to ST127."""
_ACTUAL: Final = (11, 21, 31, 41, 51, 61, 71, 91, 121)
_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-"
_INTERVAL_CODES: Final = (1, 2, 4, 8, 16, 32, 64, 128)


class Configuration(NamedTuple):
    """What ST0 says. Names and codes as there."""

    name: str
    DATA_ORDER: int = 0
    CHAR_FORMAT: int = 1
    TM_FORMAT: int = 2
    ID_FORM: int = 0
    INT_FORMAT: int = 0
    NI_FORMAT1: int = 8
    NI_FORMAT2: int = 8
    STD_VERSION_NO: int = 2


CONFIGURATIONS: Final = (
    Configuration("usual", NI_FORMAT1=10),
    Configuration("edition-1997", TM_FORMAT=1, NI_FORMAT1=5, NI_FORMAT2=6, STD_VERSION_NO=1),
    Configuration("big-endian", 1, 2, 4, 1, 1, 4, 11),
    Configuration("floats", 0, 3, 3, 0, 0, 0, 1),
    Configuration("sign-magnitude", 1, 1, 1, 1, 2, 9, 7),
    Configuration("text", 0, 1, 4, 0, 1, 2, 3, 1),
    Configuration("no-clock", 0, 2, 0, 1, 2, 13, 8),
    Configuration("doubles", 1, 2, 3, 0, 0, 12, 0),
)


def configure(configuration: Configuration, rng: Random, most: int = 2) -> Device:
    """Return a device that has ST0, the actual tables, and the control tables that others depend on.

    Args:
        configuration: what ST0 says.
        rng: where dimensions and flags come from.
        most: largest dimension.
    """
    device = Device(registry=Registry(plugins=False))
    device.put(0, _general(configuration, rng))
    for number in (*_ACTUAL, 62):
        layout = device.bind(number)
        device.put(number, octets_for(layout, rng, most=most))
    return device


def _general(configuration: Configuration, rng: Random) -> bytes:
    c = configuration
    formats = bytes((
        c.DATA_ORDER | c.CHAR_FORMAT << 1,
        c.TM_FORMAT | 3 << 3 | c.ID_FORM << 5 | c.INT_FORMAT << 6,
        c.NI_FORMAT1 | c.NI_FORMAT2 << 4,
    ))  # fmt: skip
    head = formats + b"DEMO" + bytes((2, 0, 16, 16, c.STD_VERSION_NO, 0))
    dimensions = bytes((_SET_OCTETS, 1, 4, 1, 1 + rng.randrange(3), rng.randrange(3)))
    used = bytearray(_SET_OCTETS)
    for number in (*range(9), *range(10, 17), *range(20, 29), *_ACTUAL, 60, 62, 63, 64):
        used[number >> 3] |= 1 << (number & 7)
    for number in (65, 66, 67):  # sets 2 to 4 of the load profile are there or not
        used[number >> 3] |= rng.randrange(2) << (number & 7)
    sets = bytes(used) + rng.randbytes(1 + 4 + 1)
    return head + dimensions + sets + rng.randbytes(_SET_OCTETS + 1)


def octets_for(layout: Layout, rng: Random, *, most: int | None = None) -> bytes:
    """Return octets that have a value in every element of a table.

    Args:
        layout: of the table.
        rng: where they come from.
        most: largest value of an integer; None for any. With it, every flag is drawn as well.
    """
    return b"".join(_octets(layout.root, rng, most, ""))


def _octets(node: BoundNode, rng: Random, most: int | None, name: str) -> list[bytes]:
    if isinstance(node, Absent):
        return []
    if isinstance(node, BoundRecord):
        return [octets for part in node.parts for octets in _octets(part.node, rng, most, part.name)]
    if isinstance(node, BoundArray):
        return [octets for _ in range(node.count) for octets in _octets(node.item, rng, most, name)]
    return [_leaf(node, rng, most, name)]


def _leaf(leaf: BoundLeaf, rng: Random, most: int | None, name: str) -> bytes:
    form, kind = leaf.form, leaf.declared.type
    if name.startswith("INT_FMT_CDE"):
        return bytes((rng.choice(_INTERVAL_CODES),))
    if most is not None and kind.startswith("UINT"):
        low = 1 if name.startswith(("NBR_", "MAX_INT_TIME")) else 0
        return form.encode(low + rng.randrange(most))
    made = _special(form, kind, rng)
    if made is not None:
        return made
    for _ in range(16):
        octets = rng.randbytes(form.size)
        if _has_value(form, octets):
            return octets
    return bytes(form.size)


def _has_value(form: Form, octets: bytes) -> bool:
    try:
        value = form.decode(octets)
    except ValueError:
        return False
    return not (isinstance(value, float) and math.isnan(value))


def _special(form: Form, kind: str, rng: Random) -> bytes | None:
    """Return octets of the types of which random octets rarely have a value; None for others."""
    if not form.size:
        return b""
    if isinstance(form, NumberTextForm):
        return form.encode(rng.randrange(10 ** (form.size - 2)))
    if isinstance(form, TextForm):
        return _text(form, rng)
    if isinstance(form, FloatForm):
        return form.encode(rng.randrange(-(1 << 16), 1 << 16) / 4)  # few digits, exact in 32 bits
    if isinstance(form, BcdForm):
        return form.encode(rng.randrange(100))
    if isinstance(form, DigitsForm):
        return form.encode(str(rng.randrange(10 ** (2 * form.size - 1))))
    if isinstance(form, FixedBcdForm):
        return form.encode(rng.randrange(10 ** (2 * form.size - 1)))
    if kind == "RDATE":
        return form.encode(RecurringDate(1 + rng.randrange(12), rng.randrange(16), rng.randrange(8), rng.randrange(32)))
    if kind == "DATE":
        return form.encode(dt.date(2000, 1, 1) + dt.timedelta(rng.randrange(20_000)))
    if kind in {"TIME", "STIME", "HTIME"}:
        return form.encode(dt.time(rng.randrange(24), rng.randrange(60)))
    if kind.endswith("TIME_DATE"):
        return form.encode(dt.datetime(2000, 1, 1) + dt.timedelta(minutes=rng.randrange(20_000_000)))  # noqa: DTZ001  the wire says no zone
    return None


def _text(form: Form, rng: Random) -> bytes:
    text = "".join(rng.choice(_LETTERS) for _ in range(form.size))
    while True:
        try:
            return form.encode(text[: rng.randrange(len(text) + 1)])
        except ValueError:  # several octets a character
            text = text[: len(text) // 2]
