"""What all wire forms have in common, the formats they follow, and plain numbers."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, Literal, NamedTuple

from c1219.values import Raw

__all__ = ["Form", "Formats", "decimal", "exact", "whole"]


class Formats(NamedTuple):
    """What ST0 says about the form of numbers, text and times; names and codes as in ST0."""

    DATA_ORDER: int = 0
    CHAR_FORMAT: int = 1
    TM_FORMAT: int = 0
    ID_FORM: int = 0
    INT_FORMAT: int = 0
    NI_FORMAT1: int = 0
    NI_FORMAT2: int = 0

    @classmethod
    def of(cls, st0: Any) -> Formats:
        """Read the formats from a decoded ST0 (a record, or the mapping that construct parses)."""
        if isinstance(st0, dict):
            one, two, three = (st0[f"FORMAT_CONTROL_{n}"] for n in (1, 2, 3))
            return cls(
                one["DATA_ORDER"], one["CHAR_FORMAT"], two["TM_FORMAT"], two["ID_FORM"], two["INT_FORMAT"],
                three["NI_FORMAT1"], three["NI_FORMAT2"],
            )  # fmt: skip
        one, two, three = st0.FORMAT_CONTROL_1, st0.FORMAT_CONTROL_2, st0.FORMAT_CONTROL_3
        return cls(
            one.DATA_ORDER, one.CHAR_FORMAT, two.TM_FORMAT, two.ID_FORM, two.INT_FORMAT,
            three.NI_FORMAT1, three.NI_FORMAT2,
        )  # fmt: skip

    @property
    def byteorder(self) -> Literal["little", "big"]:
        """``little`` or ``big``, from DATA_ORDER."""
        return "big" if self.DATA_ORDER else "little"


class Form:
    """The octets of one type in one device.

    Attributes:
        type: name of the type as in the standard, with its present form, for example ``NI_FMAT1 (INT48)``.
        size: octets.
        codes: struct codes of the items that the octets are read as, without byte order.
        load: Python expression that makes the value; ``{0}``, ``{1}`` are the items and ``{f}`` is `loader`.
        store: Python expressions that make the items; ``{v}`` is the value and ``{f}`` is `storer`.
        loader: object that `load` uses.
        storer: object that `store` uses.
        exponent: power of ten that the integer on the wire is multiplied with to make the value.
    """

    __slots__ = ("codes", "exponent", "load", "loader", "size", "store", "storer", "type")

    def __init__(self, type_: str, size: int) -> None:
        self.type = type_
        self.size = size
        self.codes: tuple[str, ...] = (f"{size}s",) if size else ()
        self.load = "{f}({0})" if size else "{f}(b'')"
        self.store: tuple[str, ...] = ("{f}({v})",) if size else ()
        self.loader: Any = self.decode
        self.storer: Any = self.encode
        self.exponent = 0

    def __repr__(self) -> str:
        return f"<{self.type}, {self.size} octets>"

    def named(self, type_: str) -> Form:
        """Give this (new) form the name of the type that chose it."""
        self.type = f"{type_} ({self.type})"
        return self

    def decode(self, octets: bytes) -> Any:
        """Make the value of exactly `size` octets.

        Raises:
            ValueError: the octets express no value of this type.
        """
        raise NotImplementedError

    def encode(self, value: Any) -> bytes:
        """Make the `size` octets of a value, in the canonical form.

        Raises:
            ValueError: the value has no form on the wire.
        """
        raise NotImplementedError

    def raw(self, octets: bytes) -> bytes:
        """Return octets that express no value, in place of one; a form of secrets returns some that do not show."""
        return Raw(octets)

    def to_json(self, value: Any) -> Any:
        """Return the value in terms of JSON."""
        return value

    def from_json(self, value: Any) -> Any:
        """Return the value that `to_json` showed.

        Raises:
            ValueError: it shows no value of this type.
        """
        return value


def whole(value: Any) -> int:
    """Return a value as an int if it is a whole number of a numeric type."""
    if isinstance(value, (str, bytes, bytearray)) or value is None:
        raise ValueError(f"a whole number is needed, not {type(value).__name__}")
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"a whole number is needed, not {value!r}") from error
    if number != value:
        raise ValueError(f"a whole number is needed, not {value!r}")
    return number


_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,4})?", re.ASCII)


def decimal(value: Any) -> Decimal:
    """Return a number, or its text, as an exact finite Decimal."""
    if isinstance(value, str):
        if not _NUMBER.fullmatch(value):
            raise ValueError(f"{value!r} is not a number")
        return Decimal(value)
    return exact(value)


def exact(value: Any) -> Decimal:
    """Return an int or a finite Decimal as a Decimal."""
    if isinstance(value, (int, Decimal)):
        number = Decimal(value)
        if number.is_finite():
            return number
    raise ValueError(f"an int or a finite Decimal is needed, not {value!r}")
