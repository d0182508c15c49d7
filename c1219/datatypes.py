"""The types of the standard, as construct constructs whose wire form follows ST0.

Each type is a small `construct.Construct`. It holds what the declaration says (a name, perhaps a length, which may be
an expression) and chooses a wire form (`c1219.wire.Form`) when the formats of a device are known: from
``_params.ST0`` when construct itself parses or builds, and once per device when a table is bound.

    UINT8 .. UINT64, INT8 .. INT64     8, 16, 24, 32, 40, 48, 56 or 64 bits
    FLOAT32, FLOAT64                   IEEE 754
    NI_FMAT1, NI_FMAT2                 the number form that ST0 selects: int, Decimal or float
    FLOAT_CHAR6 _CHAR12 _CHAR21        a number as text
    BCD_OCTET, BCD(n)                  two digits; 2n digits of an identifier
    FIXED_BCD4 _BCD6 _BCD8             a signed number in BCD
    CHAR, STRING(n)                    text in CHAR_FORMAT; n counts octets
    IDENTIFIER(n)                      STRING(n), or BCD(n // 2) when ID_FORM is 1
    BINARY(n), OPAQUE                  octets; OPAQUE is all octets that are left in the table
    SECRET(n), OPAQUE_SECRET           the same, of passwords and keys: they do not show themselves
    SET(n)                             n octets, 8n members
    BFLD(name, base, ...)              bit field over UINT8, UINT16 or UINT32; its parts are
                                       BOOL(bit), UINT(low, high) and FILL(low, high)
    CODED(base, enum)                  a number with an IntEnum of its codes
    LTIME_DATE STIME_DATE HTIME_DATE   date and time; TIME STIME HTIME time of day; DATE, RDATE
    SOURCE_SELECT                      UINT8, an index into ST16
    TABLE_IDA_BFLD, _IDB_, _IDC_       number of a table, procedure or event with flags
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from construct import Construct, Container, Renamed, ValidationError
from construct.core import stream_read, stream_read_entire, stream_write

from c1219.caches import remembered
from c1219.errors import DeclarationError
from c1219.values import Secret
from c1219.wire import (
    BcdForm,
    BitsForm,
    BitSpan,
    BytesForm,
    CodedForm,
    DateForm,
    DigitsForm,
    FixedBcdForm,
    FloatForm,
    Form,
    Formats,
    IntForm,
    NumberTextForm,
    RecurringDateForm,
    SecretForm,
    SetForm,
    TextForm,
    bits_type,
    time_form,
)

if TYPE_CHECKING:
    from enum import IntEnum
    from typing import BinaryIO

__all__ = [
    "BCD", "BCD_OCTET", "BFLD", "BINARY", "BOOL", "CHAR", "CODED", "DATE", "FILL", "FIXED_BCD4", "FIXED_BCD6",
    "FIXED_BCD8", "FLOAT32", "FLOAT64", "FLOAT_CHAR6", "FLOAT_CHAR12", "FLOAT_CHAR21", "HTIME", "HTIME_DATE",
    "IDENTIFIER", "INT8", "INT16", "INT24", "INT32", "INT40", "INT48", "INT56", "INT64", "LTIME_DATE", "NI_FMAT1",
    "NI_FMAT2", "NI_TYPES", "OPAQUE", "OPAQUE_SECRET", "RDATE", "SECRET", "SET", "SOURCE_SELECT", "STIME", "STIME_DATE",
    "STRING", "TABLE_IDA_BFLD", "TABLE_IDB_BFLD", "TABLE_IDC_BFLD", "TIME", "UINT", "UINT8", "UINT16", "UINT24",
    "UINT32", "UINT40", "UINT48", "UINT56", "UINT64", "WireType",
]  # fmt: skip


class WireType(Construct):
    """A type of the standard: a leaf of a declaration.

    Attributes:
        type: name as in the standard.
        length: octets or members that the declaration gives, an int or an expression; None where the type has one size.
        formats: the fields of ST0 that the form depends on.
        secret: whether the value is a password or key.
    """

    formats: frozenset[str] = frozenset()
    secret: ClassVar[bool] = False

    def __init__(self, type_: str, length: Any = None) -> None:
        super().__init__()
        self.type = type_
        self.length = length

    def form(self, formats: Formats, length: int | None = None) -> Form:
        """Choose the wire form.

        Args:
            formats: what ST0 says.
            length: value of `length` in this device.

        Raises:
            ValueError: a format code is reserved, so that the size is not known.
        """
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"<{self.type}>"

    def _bound(self, context: Any) -> Form:
        length = self.length(context) if callable(self.length) else self.length
        params = context["_params"]
        formats = Formats()
        if self.formats:
            formats = params.get("_formats")
            if formats is None:
                formats = params["_formats"] = Formats.of(params["ST0"])
        return self.form(formats, length)

    def _parse(self, stream: BinaryIO, context: Any, path: str) -> Any:
        form = self._bound(context)
        octets = stream_read(stream, form.size, path)
        try:
            return form.decode(octets)
        except ValueError as error:
            raise ValidationError(str(error), path=path) from error

    def _build(self, obj: Any, stream: BinaryIO, context: Any, path: str) -> Any:
        form = self._bound(context)
        try:
            octets = form.encode(obj)
        except (ValueError, TypeError) as error:
            raise ValidationError(str(error), path=path) from error
        stream_write(stream, octets, form.size, path)
        return obj

    def _sizeof(self, context: Any, _path: str) -> int:
        return self._bound(context).size


class _Integer(WireType):
    """INTn, UINTn."""

    def __init__(self, bits: int, *, signed: bool) -> None:
        super().__init__(f"{'' if signed else 'U'}INT{bits}")
        self.size = bits // 8
        self.signed = signed
        used = {"DATA_ORDER"} if bits > 8 else set()
        self.formats = frozenset(used | {"INT_FORMAT"} if signed else used)

    def form(self, formats: Formats, _length: int | None = None) -> IntForm:
        return _integer_form(self.type, self.size, self.signed, formats)


@remembered(512)
def _integer_form(type_: str, size: int, signed: bool, formats: Formats) -> IntForm:
    return IntForm(type_, size, signed=signed, formats=formats)


class _Float(WireType):
    formats = frozenset({"DATA_ORDER"})

    def form(self, formats: Formats, _length: int | None = None) -> Form:
        return FloatForm(self.type, int(self.type[-2:]) // 8, formats)


class _NumberText(WireType):
    formats = frozenset({"CHAR_FORMAT", "DATA_ORDER"})

    def form(self, formats: Formats, _length: int | None = None) -> Form:
        return NumberTextForm(self.type, int(self.type.removeprefix("FLOAT_CHAR")), formats)


class _FixedBcd(WireType):
    def form(self, _formats: Formats, _length: int | None = None) -> Form:
        return FixedBcdForm(self.type, int(self.type[-1]))


NI_TYPES = {
    0: "FLOAT64", 1: "FLOAT32", 2: "FLOAT_CHAR12", 3: "FLOAT_CHAR6", 4: "INT32 x 10^-4", 5: "FIXED_BCD6",
    6: "FIXED_BCD4", 7: "INT24", 8: "INT32", 9: "INT40", 10: "INT48", 11: "INT64", 12: "FIXED_BCD8",
    13: "FLOAT_CHAR21",
}  # fmt: skip
"""Types that NI_FMAT1 and NI_FMAT2 stand for, by code of ST0."""


class _NonInteger(WireType):
    """NI_FMAT1, NI_FMAT2."""

    def __init__(self, type_: str, code: str) -> None:
        super().__init__(type_)
        self.code = code
        self.formats = frozenset({code, "DATA_ORDER", "INT_FORMAT", "CHAR_FORMAT"})

    def form(self, formats: Formats, _length: int | None = None) -> Form:
        return _ni_form(self.type, getattr(formats, self.code), formats)


@remembered(512)
def _ni_form(type_: str, code: int, formats: Formats) -> Form:
    wire = NI_TYPES.get(code)
    if wire is None:
        raise ValueError(f"code {code} of {type_} is reserved: its size is not known")
    if wire.startswith("FLOAT_CHAR"):
        form: Form = NumberTextForm(wire, int(wire[10:]), formats)
    elif wire.startswith("FLOAT"):
        form = FloatForm(wire, int(wire[5:]) // 8, formats)
    elif wire.startswith("FIXED_BCD"):
        form = FixedBcdForm(wire, int(wire[9:]))
    else:
        exponent = -4 if code == 4 else 0
        form = IntForm(wire, int(wire[3:5]) // 8, signed=True, formats=formats, exponent=exponent)
    return form.named(type_)


class _BcdOctet(WireType):
    def form(self, _formats: Formats, _length: int | None = None) -> Form:
        return BcdForm(self.type)


class _Sized(WireType):
    """A type with a length in octets."""

    def __init__(self, length: Any) -> None:
        super().__init__(type(self).__name__, length)

    def size(self, length: int | None) -> int:
        """Check the length that a device gives.

        Raises:
            ValueError: it is no length.
        """
        if length is None or length < 0:
            raise ValueError(f"{length} is no length")
        return length


class BCD(_Sized):
    """BCD(n): 2n digits, the most significant first. Value: str of digits."""

    def form(self, _formats: Formats, length: int | None = None) -> Form:
        return DigitsForm(f"BCD({length})", self.size(length))


class STRING(_Sized):
    """STRING(n): n octets of text. Value: str without the padding."""

    formats = frozenset({"CHAR_FORMAT", "DATA_ORDER"})

    def form(self, formats: Formats, length: int | None = None) -> Form:
        return TextForm(f"STRING({length})", self.size(length), formats)


class BINARY(_Sized):
    """BINARY(n), and ARRAY[n] OF UINT8 where the octets have no meaning of their own. Value: bytes."""

    def form(self, _formats: Formats, length: int | None = None) -> Form:
        return BytesForm(f"BINARY({length})", self.size(length))


class SECRET(BINARY):
    """SECRET(n): ARRAY[n] OF UINT8 that holds a password or key. Value: `c1219.values.Secret`."""

    secret = True

    def __init__(self, length: Any) -> None:
        super().__init__(length)
        self.type = "BINARY"

    def form(self, _formats: Formats, length: int | None = None) -> Form:
        return SecretForm(f"BINARY({length})", self.size(length))


class SET(_Sized):
    """SET(n): n octets; member k is bit k mod 8 of octet k div 8. Value: `c1219.values.MemberSet`."""

    def form(self, _formats: Formats, length: int | None = None) -> Form:
        return SetForm(f"SET({length})", self.size(length))


class IDENTIFIER(_Sized):
    """STRING(n) when ST0.ID_FORM is 0, BCD(n // 2) when it is 1. Value: str."""

    formats = frozenset({"ID_FORM", "CHAR_FORMAT", "DATA_ORDER"})

    def form(self, formats: Formats, length: int | None = None) -> Form:
        size = self.size(length)
        if formats.ID_FORM:
            return DigitsForm(f"BCD({size // 2})", size // 2)
        return TextForm(f"STRING({size})", size, formats)


class _Char(WireType):
    formats = frozenset({"CHAR_FORMAT", "DATA_ORDER"})

    def form(self, formats: Formats, _length: int | None = None) -> Form:
        return TextForm(self.type, {4: 2, 5: 4}.get(formats.CHAR_FORMAT, 1), formats)


class _Opaque(WireType):
    """All octets that are left; may only be the last element of a table."""

    def form(self, _formats: Formats, length: int | None = None) -> Form:
        return BytesForm(f"BINARY({length or 0})", length or 0)

    def _parse(self, stream: BinaryIO, _context: Any, path: str) -> Any:
        return stream_read_entire(stream, path)

    def _build(self, obj: Any, stream: BinaryIO, _context: Any, path: str) -> Any:
        if not isinstance(obj, bytes):
            raise ValidationError("octets are needed", path=path)
        stream_write(stream, obj, len(obj), path)
        return obj


class _OpaqueSecret(_Opaque):
    """All octets that are left, of passwords or keys."""

    secret = True

    def form(self, _formats: Formats, length: int | None = None) -> Form:
        return SecretForm(f"BINARY({length or 0})", length or 0)

    def _parse(self, stream: BinaryIO, context: Any, path: str) -> Any:
        return Secret(super()._parse(stream, context, path))


class _Time(WireType):
    formats = frozenset({"TM_FORMAT", "DATA_ORDER"})

    def form(self, formats: Formats, _length: int | None = None) -> Form:
        return _cached_time_form(self.type, formats)


@remembered(512)
def _cached_time_form(type_: str, formats: Formats) -> Form:
    return time_form(type_, formats)


class _Date(WireType):
    formats = frozenset({"DATA_ORDER"})

    def form(self, formats: Formats, _length: int | None = None) -> Form:
        return DateForm(self.type, formats) if self.type == "DATE" else RecurringDateForm(self.type, formats)


class _Bits(Construct):
    """Part of a bit field; it has no octets of its own."""

    kind: ClassVar[str] = ""

    def __init__(self, low: int, high: int, codes: type[IntEnum] | None = None) -> None:
        super().__init__()
        if not 0 <= low <= high:
            raise DeclarationError(f"bits {low}..{high} are no span")
        self.low, self.high, self.codes = low, high, codes


class BOOL(_Bits):
    """BOOL(bit): one bit of a bit field. Value: bool."""

    kind = "BOOL"

    def __init__(self, bit: int) -> None:
        super().__init__(bit, bit)


class UINT(_Bits):
    """UINT(low, high): bits low to high of a bit field, perhaps with an IntEnum of their codes. Value: int."""

    kind = "UINT"


class FILL(_Bits):
    """FILL(low, high): reserved bits, written as 0 and kept when the bit field is not changed. No value, no index."""

    kind = "FILL"

    def __init__(self, low: int, high: int) -> None:
        super().__init__(low, high)


class BFLD(WireType):
    """BFLD(name, base, ...): bit field over an integer. Value: NamedTuple of the sub-fields.

    The integer is read in DATA_ORDER and then split; bit 0 is its least significant bit.

    Example:
        BFLD("SET_FLAGS_BFLD", UINT8, "SET_APPLIED_FLAG" / BOOL(0) * "The ratios are in the value.", FILL(1, 7))
    """

    def __init__(self, name: str, base: WireType, *parts: Construct) -> None:
        super().__init__(name)
        if not isinstance(base, _Integer) or base.signed:
            raise DeclarationError(f"{name}: a bit field lies over a UINT")
        self.base = base
        self.formats = base.formats
        self.parts: tuple[Any, ...] = parts
        taken = 0
        spans = []
        self.docs_of: dict[str, Any] = {}
        for part in parts:
            bits: Any = part
            while isinstance(bits, Renamed):
                bits = bits.subcon
            if not isinstance(bits, _Bits):
                raise DeclarationError(f"{name}: {part!r} is not BOOL, UINT or FILL")
            mask = (1 << bits.high + 1) - (1 << bits.low)
            if taken & mask or bits.high >= 8 * base.size:
                raise DeclarationError(f"{name}: bits {bits.low}..{bits.high} overlap or pass the end of {base.type}")
            taken |= mask
            if bits.kind == "FILL":
                continue
            if not part.name or part.name in self.docs_of:
                raise DeclarationError(f"{name}: bits {bits.low}..{bits.high} need a name of their own")
            codes = {int(code): code for code in bits.codes} if bits.codes else None
            spans.append(BitSpan(part.name, bits.low, bits.high, bits.kind, codes))
            self.docs_of[part.name] = part.docs
        self.spans = tuple(spans)
        self.value_type = bits_type(name, spans)
        self._forms: dict[Formats, BitsForm] = {}

    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"_forms": {}}  # they are made again

    def form(self, formats: Formats, _length: int | None = None) -> BitsForm:
        key = Formats(DATA_ORDER=formats.DATA_ORDER)
        form = self._forms.get(key)
        if form is None:
            form = BitsForm(self.type, self.base.form(key), self.spans, self.value_type)
            self._forms[key] = form
        return form

    def _parse(self, stream: BinaryIO, context: Any, path: str) -> Any:
        return Container(super()._parse(stream, context, path)._asdict())

    def _build(self, obj: Any, stream: BinaryIO, context: Any, path: str) -> Any:
        value = self.value_type(**{span.name: obj[span.name] for span in self.spans}) if isinstance(obj, dict) else obj
        super()._build(value, stream, context, path)
        return obj


class CODED(WireType):
    """CODED(base, enum): a UINT whose codes an IntEnum names; a code without a name stays a plain int."""

    def __init__(self, base: WireType, codes: type[IntEnum]) -> None:
        super().__init__(base.type)
        self.base = base
        self.codes = codes
        self.formats = base.formats

    def form(self, formats: Formats, length: int | None = None) -> Form:
        return CodedForm(self.base.form(formats, length), self.codes)


UINT8, UINT16, UINT24, UINT32, UINT40, UINT48, UINT56, UINT64 = (
    _Integer(bits, signed=False) for bits in range(8, 72, 8)
)
INT8, INT16, INT24, INT32, INT40, INT48, INT56, INT64 = (_Integer(bits, signed=True) for bits in range(8, 72, 8))
FLOAT32, FLOAT64 = _Float("FLOAT32"), _Float("FLOAT64")
FLOAT_CHAR6, FLOAT_CHAR12, FLOAT_CHAR21 = (_NumberText(f"FLOAT_CHAR{n}") for n in (6, 12, 21))
FIXED_BCD4, FIXED_BCD6, FIXED_BCD8 = (_FixedBcd(f"FIXED_BCD{n}") for n in (4, 6, 8))
NI_FMAT1, NI_FMAT2 = _NonInteger("NI_FMAT1", "NI_FORMAT1"), _NonInteger("NI_FMAT2", "NI_FORMAT2")
BCD_OCTET = _BcdOctet("BCD")
CHAR = _Char("CHAR")
OPAQUE, OPAQUE_SECRET = _Opaque("OPAQUE"), _OpaqueSecret("OPAQUE")
LTIME_DATE, STIME_DATE, HTIME_DATE = _Time("LTIME_DATE"), _Time("STIME_DATE"), _Time("HTIME_DATE")
TIME, STIME, HTIME = _Time("TIME"), _Time("STIME"), _Time("HTIME")
DATE, RDATE = _Date("DATE"), _Date("RDATE")

SOURCE_SELECT = UINT8
"""SOURCE_SELECT_RCD with MODEL_SELECT 0: index into ST16. Other models are not known, and one octet is all that was
seen [V]; 255 is commonly used for "no source" [?]."""

_NUMBER = "TBL_PROC_NBR" / UINT(0, 10) * "Number of the table or procedure, 0..2047."
_MFG = "STD_VS_MFG_FLAG" / BOOL(11) * "Set: the manufacturer's; clear: the standard's."
_FLAGS = tuple(f"FLAG{n}" / BOOL(12 + n) * "As the table that uses it defines." for n in (1, 2, 3))

TABLE_IDA_BFLD = BFLD(
    "TABLE_IDA_BFLD", UINT16, _NUMBER, _MFG, "PENDING_FLAG" / BOOL(12) * "The pending copy of the table.", *_FLAGS
)
TABLE_IDB_BFLD = BFLD(
    "TABLE_IDB_BFLD", UINT16, _NUMBER, _MFG, "SELECTOR" / UINT(12, 15) * "As the table that uses it defines."
)
TABLE_IDC_BFLD = BFLD(
    "TABLE_IDC_BFLD", UINT16, _NUMBER, _MFG, "PROC_FLAG" / BOOL(12) * "Set: a procedure; clear: a table.", *_FLAGS
)
