"""Wire forms of numbers: integers, floats, numbers in BCD and numbers as text."""

from __future__ import annotations

import re
import struct
from decimal import Context, Decimal, Inexact, InvalidOperation
from typing import Any

from c1219.wire.form import Form, Formats, decimal, exact, whole
from c1219.wire.text import TextForm

__all__ = ["BcdForm", "FixedBcdForm", "FloatForm", "IntForm", "NumberTextForm"]

_PIECES = {1: "B", 2: "H", 3: "HB", 4: "I", 5: "IB", 6: "IH", 7: "IHB", 8: "Q"}
_SCALE = Context(prec=40, traps=[InvalidOperation, Inexact])


def scaled(value: Decimal, exponent: int) -> int:
    """Return a Decimal times a power of ten, which must be whole."""
    product = value.scaleb(exponent, _SCALE)
    number = int(product)
    if number != product:
        raise ValueError(f"{value} has more than {exponent} decimals")
    return number


class IntForm(Form):
    """INTn and UINTn; also an integer with an implied decimal point (exponent < 0), whose value is a Decimal.

    Attributes:
        signs: INT_FORMAT of a signed integer; -1 for an unsigned one.
    """

    __slots__ = ("_limits", "_order", "signs")

    def __init__(self, type_: str, size: int, *, signed: bool, formats: Formats, exponent: int = 0) -> None:
        super().__init__(type_, size)
        self._order = formats.byteorder
        self.signs = formats.INT_FORMAT if signed else -1
        self.exponent = exponent
        top = 1 << 8 * size
        if not signed:
            self._limits = (0, top - 1)
        elif self.signs == 0:
            self._limits = (-top // 2, top // 2 - 1)
        else:
            self._limits = (1 - top // 2, top // 2 - 1)
        self._template()

    def _template(self) -> None:
        codes = list(_PIECES[self.size])
        shifts = [sum(struct.calcsize(code) for code in codes[:n]) * 8 for n in range(len(codes))]
        if self.signs == 0:
            codes[-1] = codes[-1].lower()
        items = list(range(len(codes)))
        if self._order == "big":
            items.reverse()
            self.codes = tuple(reversed(codes))
        else:
            self.codes = tuple(codes)
        terms = [
            f"{{{item}}} << {shift}" if shift else f"{{{item}}}" for item, shift in zip(items, shifts, strict=True)
        ]
        number = " | ".join(terms)
        plain = self.signs <= 0 and not self.exponent
        self.load = number if plain else f"{{f}}({number})"
        self.loader = self._value
        self.storer = self._unsigned
        if self.exponent and self.signs <= 0:
            exponent = self.exponent
            self.loader = lambda number: Decimal(number).scaleb(exponent, _SCALE)
            self.storer = lambda value: scaled(value, -exponent)
        last = len(codes) - 1
        source = "{v}" if plain else "{f}({v})"
        parts = []
        for n, shift in enumerate(shifts):
            part = f"({source} >> {shift})" if shift else source
            if n < last:
                part = f"({part} & {(1 << struct.calcsize(codes[n]) * 8) - 1})"
            parts.append(part)
        self.store = tuple(reversed(parts)) if self._order == "big" else tuple(parts)

    def _value(self, number: int) -> Any:
        if self.signs > 0:
            bits = 8 * self.size
            if self.signs == 3:
                raise ValueError("INT_FORMAT 3 is reserved: the sign of this number is not known")
            if number >> bits - 1:
                number = number - (1 << bits) + 1 if self.signs == 1 else -(number & (1 << bits - 1) - 1)
        return _SCALE.scaleb(Decimal(number), self.exponent) if self.exponent else number

    def _unsigned(self, value: Any) -> int:
        """Return the integer that the generated codec puts into the items: signed only if two's complement."""
        if self.exponent:
            try:
                value = _SCALE.scaleb(exact(value), -self.exponent)
            except ArithmeticError as error:
                raise ValueError(f"a number of at most 40 digits is needed, not {value!r}") from error
        number = whole(value)
        low, high = self._limits
        if not low <= number <= high:
            raise ValueError(f"{number} is outside {low}..{high}")
        if self.signs <= 0:
            return number
        if self.signs == 3:
            raise ValueError("INT_FORMAT 3 is reserved: the sign of this number is not known")
        if number >= 0:
            return number
        bits = 8 * self.size
        return number + (1 << bits) - 1 if self.signs == 1 else -number | 1 << bits - 1

    def decode(self, octets: bytes) -> Any:
        """Make the int, or the Decimal if there is an implied point."""
        return self._value(int.from_bytes(octets, self._order, signed=self.signs == 0))

    def encode(self, value: Any) -> bytes:
        """Make the octets of a whole number (or of a number with as many decimals as are implied)."""
        number = self._unsigned(value)
        return number.to_bytes(self.size, self._order, signed=number < 0)

    def to_json(self, value: Any) -> Any:
        """Return an int, or a string if the point is implied."""
        return str(value) if self.exponent else int(value)

    def from_json(self, value: Any) -> Any:
        return decimal(value) if self.exponent else whole(value)


class FloatForm(Form):
    """FLOAT32, FLOAT64."""

    __slots__ = ("_struct",)

    def __init__(self, type_: str, size: int, formats: Formats) -> None:
        super().__init__(type_, size)
        code = "f" if size == 4 else "d"
        self._struct = struct.Struct((">" if formats.DATA_ORDER else "<") + code)
        self.codes, self.load, self.store = (code,), "{0}", ("{v}",)

    def decode(self, octets: bytes) -> float:
        """Make the float; NaN and infinities are values."""
        value: float = self._struct.unpack(octets)[0]
        return value

    def encode(self, value: Any) -> bytes:
        """Make the octets of a number; FLOAT32 rounds to the nearest."""
        try:
            return self._struct.pack(value)
        except (struct.error, OverflowError, TypeError) as error:
            raise ValueError(f"a number that fits {self.type} is needed: {error}") from error

    def to_json(self, value: float) -> Any:
        """Return the number, or a string for what JSON cannot say."""
        return value if value - value == 0 else str(value)

    def from_json(self, value: Any) -> float:
        if isinstance(value, (int, float)) or value in ("nan", "inf", "-inf"):
            return float(value)
        raise ValueError(f"a number is needed, not {value!r}")


class NumberTextForm(TextForm):
    """FLOAT_CHARn: a number written as text. The value is a Decimal."""

    __slots__ = ()

    def decode(self, octets: bytes) -> Decimal:  # type: ignore[override]
        return decimal(super().decode(octets).strip(" \0"))

    def encode(self, value: Any) -> bytes:
        """Write the number plainly, or with an exponent if only that fits."""
        number = exact(value)
        room = self.size // max(1, len(self._pad))
        plain = f"{number:f}" if abs(number.adjusted()) <= room else ""
        text = plain if 0 < len(plain) <= room else str(number)
        return super().encode(text)

    def to_json(self, value: Any) -> str:
        """Return the number as a string, digit by digit."""
        return str(value)

    def from_json(self, value: Any) -> Decimal:  # type: ignore[override]
        return decimal(value)


class BcdForm(Form):
    """BCD: two digits in one octet. The value is an int, 0..99."""

    __slots__ = ()

    def __init__(self, type_: str) -> None:
        super().__init__(type_, 1)

    def decode(self, octets: bytes) -> int:
        high, low = divmod(octets[0], 16)
        if high > 9 or low > 9:
            raise ValueError(f"{octets[0]:02X} is not two decimal digits")
        return 10 * high + low

    def encode(self, value: Any) -> bytes:
        number = whole(value)
        if not 0 <= number <= 99:
            raise ValueError(f"{number} is outside 0..99")
        return bytes((number // 10 << 4 | number % 10,))


_DIGIT_GROUP = re.compile(r"[0b]*(a?)([0-9b]*)(?:d([0-9b]*))?")


class FixedBcdForm(Form):
    """FIXED_BCDn: signed digits with an optional point; nibbles A minus, B blank, D point. The value is a Decimal."""

    __slots__ = ()

    def decode(self, octets: bytes) -> Decimal:
        text = octets.hex()
        if text.isdecimal():
            return Decimal(text)
        match = _DIGIT_GROUP.fullmatch(text)
        if match is None:
            raise ValueError(f"{text.upper()} is not a BCD number")
        sign, digits, decimals = match.groups()
        digits = digits.replace("b", "0") or "0"
        decimals = (decimals or "").replace("b", "0")
        return Decimal(f"{'-' if sign else ''}{digits}.{decimals}")

    def encode(self, value: Any) -> bytes:
        """Make the octets: sign first, then zeros, then the digits."""
        number = exact(value)
        nibbles = 2 * self.size
        text = f"{number:f}" if abs(number.adjusted()) <= nibbles else "0" * (nibbles + 1)
        sign, digits = ("a", text[1:]) if text[0] == "-" else ("", text)
        room = nibbles - len(sign)
        if len(digits) > room:
            raise ValueError(f"{number} needs more than {nibbles} BCD digits")
        return bytes.fromhex(sign + digits.replace(".", "d").zfill(room))

    def to_json(self, value: Any) -> str:
        """Return the number as a string, digit by digit."""
        return str(value)

    def from_json(self, value: Any) -> Decimal:
        return decimal(value)
