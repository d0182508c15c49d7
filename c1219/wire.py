"""Wire forms: one type of the standard, in the formats of one device, as octets.

A `Form` is what a type becomes once ST0 is known: it has a size, it decodes and encodes octets, and it carries the
few words that the generated codec needs (`codes`, `load`, `store`). `decode` and the generated words are two
implementations of the same thing on purpose; the tests hold them against each other.
"""

from __future__ import annotations

import re
import struct
from decimal import Context, Decimal, Inexact, InvalidOperation
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from c1219.values import MemberSet, record_type

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from enum import IntEnum

__all__ = [
    "BcdForm",
    "BitsForm",
    "BytesForm",
    "CodedForm",
    "DigitsForm",
    "FixedBcdForm",
    "FloatForm",
    "Form",
    "Formats",
    "IntForm",
    "NumberTextForm",
    "SetForm",
    "TextForm",
]


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
        self.load = "{f}({0})" if size else "None"
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


def scaled(value: Decimal, exponent: int) -> int:
    """Return a Decimal times a power of ten, which must be whole."""
    product = value.scaleb(exponent, _SCALE)
    number = int(product)
    if number != product:
        raise ValueError(f"{value} has more than {exponent} decimals")
    return number


_PIECES = {1: "B", 2: "H", 3: "HB", 4: "I", 5: "IB", 6: "IH", 7: "IHB", 8: "Q"}
_SCALE = Context(prec=40, traps=[InvalidOperation, Inexact])


class IntForm(Form):
    """INTn and UINTn; also an integer with an implied decimal point (exponent < 0), whose value is a Decimal."""

    __slots__ = ("_limits", "_order", "_signs")

    def __init__(self, type_: str, size: int, *, signed: bool, formats: Formats, exponent: int = 0) -> None:
        super().__init__(type_, size)
        self._order = formats.byteorder
        self._signs = formats.INT_FORMAT if signed else -1
        self.exponent = exponent
        top = 1 << 8 * size
        if not signed:
            self._limits = (0, top - 1)
        elif self._signs == 0:
            self._limits = (-top // 2, top // 2 - 1)
        else:
            self._limits = (1 - top // 2, top // 2 - 1)
        self._template()

    def _template(self) -> None:
        codes = list(_PIECES[self.size])
        shifts = [sum(struct.calcsize(code) for code in codes[:n]) * 8 for n in range(len(codes))]
        if self._signs == 0:
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
        plain = self._signs <= 0 and not self.exponent
        self.load = number if plain else f"{{f}}({number})"
        self.loader = self._value
        self.storer = self._unsigned
        if self.exponent and self._signs <= 0:
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
        if self._signs > 0:
            bits = 8 * self.size
            if self._signs == 3:
                raise ValueError("INT_FORMAT 3 is reserved: the sign of this number is not known")
            if number >> bits - 1:
                number = number - (1 << bits) + 1 if self._signs == 1 else -(number & (1 << bits - 1) - 1)
        return _SCALE.scaleb(Decimal(number), self.exponent) if self.exponent else number

    def _unsigned(self, value: Any) -> int:
        """Return the integer that the generated codec puts into the items: signed only if two's complement."""
        if self.exponent:
            if isinstance(value, float):
                raise ValueError("an exact number is needed: a Decimal or an int, not a float")
            try:
                value = _SCALE.scaleb(Decimal(value), -self.exponent)
            except (ArithmeticError, TypeError, ValueError) as error:
                raise ValueError(f"a number of at most 40 digits is needed, not {value!r}") from error
        number = whole(value)
        low, high = self._limits
        if not low <= number <= high:
            raise ValueError(f"{number} is outside {low}..{high}")
        if self._signs <= 0:
            return number
        if self._signs == 3:
            raise ValueError("INT_FORMAT 3 is reserved: the sign of this number is not known")
        if number >= 0:
            return number
        bits = 8 * self.size
        return number + (1 << bits) - 1 if self._signs == 1 else -number | 1 << bits - 1

    def decode(self, octets: bytes) -> Any:
        """Make the int, or the Decimal if there is an implied point."""
        return self._value(int.from_bytes(octets, self._order, signed=self._signs == 0))

    def encode(self, value: Any) -> bytes:
        """Make the octets of a whole number (or of a number with as many decimals as are implied)."""
        number = self._unsigned(value)
        return number.to_bytes(self.size, self._order, signed=number < 0)

    def to_json(self, value: Any) -> Any:
        """Return an int, or a string if the point is implied."""
        return str(value) if self.exponent else int(value)

    def from_json(self, value: Any) -> Any:
        """Return the number."""
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
        """Return the float."""
        if isinstance(value, (int, float)) or value in ("nan", "inf", "-inf"):
            return float(value)
        raise ValueError(f"a number is needed, not {value!r}")


class BytesForm(Form):
    """BINARY(n)."""

    __slots__ = ()

    def __init__(self, type_: str, size: int) -> None:
        super().__init__(type_, size)
        self.load = "{0}" if size else "b''"

    def decode(self, octets: bytes) -> bytes:
        """Return the octets."""
        return bytes(octets)

    def encode(self, value: Any) -> bytes:
        """Return the octets if their number is right."""
        if not isinstance(value, (bytes, bytearray, memoryview)):
            raise TypeError(f"octets are needed, not {type(value).__name__}")
        if len(value) != self.size:
            raise ValueError(f"{self.size} octets are needed, not {len(value)}")
        return bytes(value)

    def to_json(self, value: bytes) -> Any:
        """Return hex."""
        return value.hex()

    def from_json(self, value: Any) -> bytes:
        """Return the octets of hex."""
        if not isinstance(value, str):
            raise TypeError(f"hex is needed, not {value!r}")
        return bytes.fromhex(value)


_CODECS = {0: "ascii", 1: "ascii", 2: "latin-1", 3: "utf-8", 4: "utf-16", 5: "utf-32"}


class TextForm(Form):
    """STRING(n) and CHAR. Trailing blanks and NULs are padding and not part of the value."""

    __slots__ = ("_codec", "_pad")

    def __init__(self, type_: str, size: int, formats: Formats) -> None:
        super().__init__(type_, size)
        codec = _CODECS.get(formats.CHAR_FORMAT)
        if codec is not None and formats.CHAR_FORMAT >= 4:
            codec += "-be" if formats.DATA_ORDER else "-le"
        self._codec = codec
        self._pad = " ".encode(codec) if codec else b""
        if not size:
            self.load = "''"

    def decode(self, octets: bytes) -> str:
        """Make the text."""
        if self._codec is None:
            raise ValueError("CHAR_FORMAT is a reserved code: the character set is not known")
        try:
            return octets.decode(self._codec).rstrip(" \0")
        except UnicodeDecodeError as error:
            raise ValueError(f"octet {error.object[error.start]:02X} is not {self._codec} text") from error

    def encode(self, value: Any) -> bytes:
        """Make the octets, left justified and padded with blanks."""
        if not isinstance(value, str):
            raise TypeError(f"text is needed, not {type(value).__name__}")
        if self._codec is None:
            raise ValueError("CHAR_FORMAT is a reserved code: the character set is not known")
        try:
            octets = value.encode(self._codec)
        except UnicodeEncodeError as error:
            raise ValueError(f"{value!r} is not {self._codec} text") from error
        rest = self.size - len(octets)
        if rest < 0:
            raise ValueError(f"{len(octets)} octets of text do not fit into {self.size}")
        width = len(self._pad)
        return octets + self._pad * (rest // width) + bytes(rest % width)

    def from_json(self, value: Any) -> str:
        """Return the text."""
        if not isinstance(value, str):
            raise TypeError(f"text is needed, not {value!r}")
        return value


class NumberTextForm(TextForm):
    """FLOAT_CHARn: a number written as text. The value is a Decimal."""

    __slots__ = ()

    def decode(self, octets: bytes) -> Decimal:  # type: ignore[override]
        """Make the Decimal."""
        return decimal(super().decode(octets).strip(" \0"))

    def encode(self, value: Any) -> bytes:
        """Write the number plainly, or with an exponent if only that fits."""
        number = decimal(value)
        plain = f"{number:f}" if abs(number.adjusted()) <= self.size else ""
        text = plain if 0 < len(plain) <= self.size else str(number)
        return super().encode(text)

    def to_json(self, value: Any) -> str:
        """Return the number as a string, digit by digit."""
        return str(value)

    def from_json(self, value: Any) -> Decimal:  # type: ignore[override]
        """Return the Decimal."""
        return decimal(value)


_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,4})?", re.ASCII)


def decimal(value: Any) -> Decimal:
    """Return a number, or its text, as an exact finite Decimal."""
    if isinstance(value, str):
        if not _NUMBER.fullmatch(value):
            raise ValueError(f"{value!r} is not a number")
        return Decimal(value)
    if isinstance(value, (int, Decimal)):
        number = Decimal(value)
        if number.is_finite():
            return number
    raise ValueError(f"an int or a finite Decimal is needed, not {value!r}")


class BcdForm(Form):
    """BCD: two digits in one octet. The value is an int, 0..99."""

    __slots__ = ()

    def __init__(self, type_: str) -> None:
        super().__init__(type_, 1)

    def decode(self, octets: bytes) -> int:
        """Make the int."""
        high, low = divmod(octets[0], 16)
        if high > 9 or low > 9:
            raise ValueError(f"{octets[0]:02X} is not two decimal digits")
        return 10 * high + low

    def encode(self, value: Any) -> bytes:
        """Make the octet."""
        number = whole(value)
        if not 0 <= number <= 99:
            raise ValueError(f"{number} is outside 0..99")
        return bytes((number // 10 << 4 | number % 10,))


class DigitsForm(Form):
    """BCD(n): 2n decimal digits, the most significant first. The value is a str with all digits: an identifier."""

    __slots__ = ()

    def decode(self, octets: bytes) -> str:
        """Make the digits."""
        text = octets.hex()
        if text and not text.isdecimal():
            raise ValueError(f"{text.upper()} is not decimal digits")
        return text

    def encode(self, value: Any) -> bytes:
        """Make the octets; fewer digits are filled up with leading zeros."""
        if not isinstance(value, str) or not (value.isascii() and (value.isdecimal() or not value)):
            raise TypeError(f"a str of decimal digits is needed, not {value!r}")
        if len(value) > 2 * self.size:
            raise ValueError(f"{len(value)} digits do not fit into {2 * self.size}")
        return bytes.fromhex(value.zfill(2 * self.size))


_DIGIT_GROUP = re.compile(r"[0b]*(a?)([0-9b]*)(?:d([0-9b]*))?")


class FixedBcdForm(Form):
    """FIXED_BCDn: signed digits with an optional point; nibbles A minus, B blank, D point. The value is a Decimal."""

    __slots__ = ()

    def decode(self, octets: bytes) -> Decimal:
        """Make the Decimal."""
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
        number = decimal(value)
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
        """Return the Decimal."""
        return decimal(value)


_MEMBERS = tuple(tuple(bit for bit in range(8) if octet >> bit & 1) for octet in range(256))


class SetForm(Form):
    """SET(n): 8n members. The value is a `MemberSet`."""

    __slots__ = ()

    def __init__(self, type_: str, size: int) -> None:
        super().__init__(type_, size)
        if not size:
            self.load = "{f}(b'')"

    def decode(self, octets: bytes) -> MemberSet:
        """Make the set."""
        return MemberSet([8 * n + bit for n, octet in enumerate(octets) if octet for bit in _MEMBERS[octet]])

    def encode(self, value: Any) -> bytes:
        """Make the octets."""
        octets = bytearray(self.size)
        try:
            for member in value:
                number = whole(member)
                if not 0 <= number < 8 * self.size:
                    raise ValueError(f"member {number} is outside 0..{8 * self.size - 1}")
                octets[number >> 3] |= 1 << (number & 7)
        except TypeError as error:
            raise ValueError(f"a set of numbers is needed, not {type(value).__name__}") from error
        return bytes(octets)

    def to_json(self, value: MemberSet) -> Any:
        """Return the members in ascending order."""
        return sorted(value)

    def from_json(self, value: Any) -> MemberSet:
        """Return the set."""
        if not isinstance(value, list):
            raise TypeError(f"a list of members is needed, not {value!r}")
        return MemberSet(whole(member) for member in value)


class CodedForm(Form):
    """A coded number: known codes are members of an IntEnum, others stay plain ints."""

    __slots__ = ("_base", "_codes")

    def __init__(self, base: Form, codes: type[IntEnum]) -> None:
        super().__init__(base.type, base.size)
        self._base = base
        self._codes = {int(code): code for code in codes}
        if len(base.codes) == 1 and base.load == "{0}":
            self.codes, self.load, self.store = base.codes, "{f}({0}, {0})", base.store
            self.loader = self._codes.get

    def decode(self, octets: bytes) -> int:
        """Make the member, or the plain number of an unknown code."""
        number: int = self._base.decode(octets)
        return self._codes.get(number, number)

    def encode(self, value: Any) -> bytes:
        """Make the octets of a member or of any number that fits."""
        return self._base.encode(value)

    def to_json(self, value: int) -> Any:
        """Return the number."""
        return int(value)

    def from_json(self, value: Any) -> Any:
        """Return the member, or the plain number of an unknown code."""
        number = whole(value)
        return self._codes.get(number, number)


class _Cache(dict[Any, Any]):
    """Remember the results of a pure function of one argument, up to a number of them."""

    __slots__ = ("_function",)
    LIMIT = 4096

    def __init__(self, function: Callable[[Any], Any]) -> None:
        super().__init__()
        self._function = function

    def __missing__(self, key: Any) -> Any:
        result = self._function(key)
        if len(self) >= self.LIMIT:
            self.clear()
        self[key] = result
        return result


class BitSpan(NamedTuple):
    """One sub-field of a bit field: bits low to high, both included."""

    name: str
    low: int
    high: int
    kind: str
    codes: Any = None


class BitsForm(Form):
    """BIT FIELD OF UINTn: the integer is read in DATA_ORDER, then split; bit 0 is the least significant."""

    __slots__ = ("_base", "spans", "value_type")

    def __init__(self, type_: str, base: IntForm, spans: Sequence[BitSpan], value_type: Any) -> None:
        super().__init__(type_, base.size)
        self._base = base
        self.spans = tuple(spans)
        self.value_type = value_type
        if len(base.codes) == 1:
            self.codes, self.load, self.store = base.codes, "{f}[{0}]", ("{f}[{v}]",)
            self.loader = _Cache(self.split)
            self.storer = _Cache(self.join)

    def split(self, number: int) -> Any:
        """Split the integer into a record of sub-fields."""
        items: list[Any] = []
        for _, low, high, kind, codes in self.spans:
            item: Any = number >> low & (1 << high - low + 1) - 1
            if kind == "BOOL":
                item = bool(item)
            elif codes is not None and item in codes:
                item = codes[item]
            items.append(item)
        return tuple.__new__(self.value_type, items)

    def join(self, value: Any) -> int:
        """Join the sub-fields; filler is 0."""
        if not isinstance(value, tuple) or len(value) != len(self.spans):
            raise TypeError(f"a {self.type} of {len(self.spans)} sub-fields is needed, not {type(value).__name__}")
        number = 0
        for (name, low, high, _, _), item in zip(self.spans, value, strict=True):
            bits = whole(item)
            if bits >> high - low + 1:
                raise ValueError(f"{name} is outside 0..{(1 << high - low + 1) - 1}")
            number |= bits << low
        return number

    def decode(self, octets: bytes) -> Any:
        """Make the record of sub-fields."""
        return self.split(self._base.decode(octets))

    def encode(self, value: Any) -> bytes:
        """Make the octets."""
        return self._base.encode(self.join(value))

    def to_json(self, value: Any) -> Any:
        """Return a mapping of sub-fields."""
        return {
            span.name: bool(item) if span.kind == "BOOL" else int(item)
            for span, item in zip(self.spans, value, strict=True)
        }

    def from_json(self, value: Any) -> Any:
        """Return the record of sub-fields; all of them are needed."""
        if not isinstance(value, dict) or set(value) != {span.name for span in self.spans}:
            raise ValueError(f"a mapping with {', '.join(span.name for span in self.spans)} is needed")
        return self.value_type(**{name: whole(item) for name, item in value.items()})


def bits_type(name: str, spans: Sequence[BitSpan]) -> Any:
    """Make the NamedTuple class of a bit field."""
    return record_type(name, tuple(span.name for span in spans))
