"""Numbers of C12.19: integers in every size, order and sign; NI_FMAT in all forms; BCD; bit fields."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from c1222.vectors.author import Author, Valued

__all__ = ["NAME", "PURPOSE", "cases"]

NAME = "types-numbers"
PURPOSE = "Numbers of C12.19 tables in the forms that ST0 selects: integers, NI_FMAT1 and 2, BCD, bit fields"

_ORDERS: Final = ("least significant octet first", "most significant octet first")
_SIGNS: Final = ("two's complement", "one's complement", "sign and magnitude")
_INTEGER_NI: Final = {4: 32, 7: 24, 8: 32, 9: 40, 10: 48, 11: 64}
_TEXT_NI: Final = {2: 12, 3: 6, 13: 21}
_BCD_NI: Final = {5: 6, 6: 4, 12: 8}


def cases(author: Author) -> None:
    _integers(author)
    _non_integers(author)
    _bcd(author)
    _bit_fields(author)


def _edges(bits: int, *, low: int) -> list[int]:
    top = 1 << bits
    pattern = int.from_bytes(bytes(range(1, bits // 8 + 1)))
    if low == 0:
        return [0, 1, 127, 128, 255 % top, top // 2 - 1, top // 2, top - 2, top - 1, pattern]
    return [low, low + 1, -pattern, -256 % -(top // 2) or -1, -2, -1, 0, 1, 127, top // 2 - 1, pattern]


def _signed(value: int) -> list[str]:
    return ["ByteOrder", *["NegativeNumber"] * (value < 0)]


def _integers(author: Author) -> None:
    for order, words in enumerate(_ORDERS):
        values: list[Valued] = [
            (f"UINT{bits} {value}", ["ByteOrder"], {"type": f"UINT{bits}", "value": value})
            for bits in range(8, 72, 8)
            for value in dict.fromkeys(_edges(bits, low=0))
        ]
        author.both(f"unsigned-{order}", f"UINT, {words}", values, formats={"DATA_ORDER": order})
        for signs, form in enumerate(_SIGNS):
            formats = {"DATA_ORDER": order, "INT_FORMAT": signs}
            values = [
                (f"INT{bits} {value}", _signed(value), {"type": f"INT{bits}", "value": value})
                for bits in range(8, 72, 8)
                for value in sorted(set(_edges(bits, low=-(1 << bits - 1) + (signs > 0))))
            ]
            author.both(f"signed-{order}-{signs}", f"INT, {words}, {form}", values, formats=formats)
            for bits in (8, 16, 24, 32, 64) if signs else ():
                zero = b"\xff" * (bits // 8) if signs == 1 else (1 << bits - 1).to_bytes(bits // 8)
                zero = zero if order else zero[::-1]
                author.valid(f"INT{bits}: minus zero", "NegativeZero", type=f"INT{bits}", octets=zero.hex())
    author.group("ranges", "type.encode", "Values that have no form.", formats={})
    for name, value in (("UINT8", 256), ("UINT8", -1), ("INT8", 128), ("INT8", -129), ("UINT24", 1 << 24),
                        ("INT24", -(1 << 23) - 1), ("UINT64", 1 << 64), ("INT64", 1 << 63)):  # fmt: skip
        author.invalid(f"{name} {value}", "NotANumber", type=name, value=value)
    for signs in (1, 2):
        author.invalid(f"INT16 -32768, {_SIGNS[signs]}", "NegativeNumber", type="INT16", value=-32768,
                       formats={"INT_FORMAT": signs})  # fmt: skip
    author.group("reserved", "type.decode", "Codes of ST0 without a meaning.")
    author.invalid(
        "INT_FORMAT 3, a negative number", "ReservedCode", type="INT16", octets="ffff", formats={"INT_FORMAT": 3}
    )
    for code in (14, 15):
        author.invalid(f"NI_FORMAT1 {code}", "ReservedCode", type="NI_FMAT1", octets="00", formats={"NI_FORMAT1": code})
        author.invalid(f"NI_FORMAT2 {code}", "ReservedCode", type="NI_FMAT2", octets="00", formats={"NI_FORMAT2": code})
    for size in (0, 2, 4):
        author.invalid(f"UINT24 of {size} octets", "Truncated", type="UINT24", octets="01" * size, formats={})


def _non_integers(author: Author) -> None:
    for code in range(14):
        for order in (0, 1):
            if not (order and code in _BCD_NI):  # BCD has no order
                _non_integer(author, 1, code, order)
        _non_integer(author, 2, code, 0 if code in _BCD_NI else code & 1)


def _non_integer(author: Author, number: int, code: int, order: int) -> None:
    name, formats = f"NI_FMAT{number}", {"DATA_ORDER": order, f"NI_FORMAT{number}": code}
    given = (f"{name}, code {code}, {_ORDERS[order]}", f"ni{number}-{code}-{order}", {"type": name, "formats": formats})
    if code in _INTEGER_NI:
        _whole(author, *given, code)
    elif code in _BCD_NI:
        _decimal(author, *given, 2 * _BCD_NI[code])
    elif code in _TEXT_NI:
        _written(author, *given, _TEXT_NI[code])
    else:
        values = [0.0, 1.0, -1.0, 0.5, 1234.5, -(2.0**20), 2.0**-20]
        values += [1e300, -1e-300, 0.1, 1 / 3] if code == 0 else [2.0**127, -(2.0**-126), 2.0**-149, 16777215.0]
        words, id_, shared = given
        author.both(id_, words, [(repr(value), ["ByteOrder"], {"value": value}) for value in values], **shared)
        for comment, octets in _specials(code):
            author.valid(comment, "ByteOrder", octets=(octets if order else octets[::-1]).hex())


def _whole(author: Author, words: str, id_: str, shared: dict[str, Any], code: int) -> None:
    for signs, form in enumerate(_SIGNS):
        bits = _INTEGER_NI[code]
        low = -(1 << bits - 1) + (signs > 0)
        values: list[Valued] = []
        for value in (low, -123456, -1, 0, 1, 7654321, (1 << bits - 1) - 1):
            shown: Any = str(Decimal(value).scaleb(-4)) if code == 4 else value
            values.append((f"{shown}", _signed(value), {"value": shown}))
        formats = {**shared["formats"], "INT_FORMAT": signs}
        author.both(f"{id_}-{signs}", f"{words}, {form}", values, **{**shared, "formats": formats})


def _decimal(author: Author, words: str, id_: str, shared: dict[str, Any], nibbles: int) -> None:
    texts = ("0", "1", "9" * nibbles, "-1", "-" + "9" * (nibbles - 1), "12.5", "-0.25", "0.1")
    known = ["OneSourceNumber"] * (nibbles == 2 * _BCD_NI[12])
    author.both(id_, words, [(text, known or _pointed(text), {"value": text}) for text in texts], **shared)
    for comment, octets in (
        ("blanks before the digits", "b" * (nibbles - 2) + "12"),
        ("minus, blanks, digits", "a" + "b" * (nibbles - 3) + "12"),
    ):
        author.valid(comment, "OneSourceNumber", octets=octets)
    for nibble in "cef":
        author.invalid(f"a nibble {nibble.upper()}", "NotANumber", *known, octets=nibble.rjust(nibbles, "1"))
    author.invalid("two points", "OneSourceNumber", octets="d1d1".rjust(nibbles, "0"))
    author.invalid("minus behind digits", "OneSourceNumber", octets="1a".rjust(nibbles, "0"))


def _pointed(text: str) -> list[str]:
    return ["OneSourceNumber"] * ("." in text or "-" in text)


def _written(author: Author, words: str, id_: str, shared: dict[str, Any], size: int) -> None:
    texts = ("0", "1", "-1", "12.5", "-0.25", "9" * size)
    author.both(id_, words, [(text, ["NumberText"], {"value": text}) for text in texts], **shared)
    for text in (" 12.5", "+3", "1E3", "-1e-2", "5.", ".5"):
        author.valid(f"{text!r}", "NumberText", octets=text.encode().ljust(size).hex())
    for text in ("", "1.2.3", "abc", "--1", "1 2", "NAN", "1e"):
        author.invalid(f"{text!r}", "NotANumber", "NumberText", octets=text.encode().ljust(size).hex())


def _specials(code: int) -> list[tuple[str, bytes]]:
    if code == 0:
        return [
            ("infinity", bytes.fromhex("7ff0000000000000")),
            ("minus infinity", bytes.fromhex("fff0000000000000")),
            ("not a number", bytes.fromhex("7ff8000000000000")),
            ("the smallest", bytes.fromhex("0000000000000001")),
        ]
    return [
        ("infinity", bytes.fromhex("7f800000")),
        ("minus infinity", bytes.fromhex("ff800000")),
        ("not a number", bytes.fromhex("7fc00000")),
        ("the largest", bytes.fromhex("7f7fffff")),
    ]


def _bcd(author: Author) -> None:
    author.both("bcd-octet", "BCD, one octet", [(f"{n}", [], {"value": n}) for n in (0, 1, 9, 10, 59, 90, 99)],
                type="BCD_OCTET")  # fmt: skip
    for octet in ("0a", "a0", "9f", "ff"):
        author.invalid(f"octet {octet}", "NotANumber", octets=octet)
    for length in (1, 4, 8, 10):
        digits = "".join(str(author.rng.randrange(10)) for _ in range(2 * length))
        values: list[Valued] = [(text, [], {"value": text}) for text in ("0" * 2 * length, "9" * 2 * length, digits)]
        words = f"BCD({length}): {2 * length} digits"
        author.both(f"bcd-{length}", words, values, type="BCD", length=length)
        author.invalid("a nibble A", "NotANumber", octets="0a".rjust(2 * length, "1"))
    for size in (4, 6, 8):
        name = f"FIXED_BCD{size}"
        values = [(text, _pointed(text), {"value": text}) for text in ("0", "1", "9" * 2 * size, "-1", "12.5")]
        author.both(f"fixed-bcd-{size}", name, values, type=name)


_FIELDS: Final = {
    "TABLE_IDA_BFLD": ("UINT16", (("TBL_PROC_NBR", 0, 10), ("STD_VS_MFG_FLAG", 11, 11), ("PENDING_FLAG", 12, 12),
                                  ("FLAG1", 13, 13), ("FLAG2", 14, 14), ("FLAG3", 15, 15))),
    "FORMAT_CONTROL_1_BFLD": ("UINT8", (("DATA_ORDER", 0, 0), ("CHAR_FORMAT", 1, 3), ("MODEL_SELECT", 4, 6))),
    "32 bits": ("UINT32", (("LOW", 0, 7), ("MIDDLE", 8, 23), ("NEXT", 24, 30), ("TOP", 31, 31))),
    "with filler": ("UINT16", (("FIRST", 1, 2), ("LAST", 12, 14))),
}  # fmt: skip


def _bit_fields(author: Author) -> None:
    rng = author.rng
    for number, (name, (base, parts)) in enumerate(_FIELDS.items()):
        fields = [{"name": part, "low": low, "high": high} for part, low, high in parts]
        widths = {part: high - low + 1 for part, low, high in parts}
        size = {"UINT8": 1, "UINT16": 2, "UINT32": 4}[base]
        for order, words in enumerate(_ORDERS[:size]):
            values = (
                dict.fromkeys(widths, 0),
                {part: (1 << width) - 1 for part, width in widths.items()},
                *[{part: int(part == one) for part in widths} for one in widths],
                {part: rng.randrange(1 << width) for part, width in widths.items()},
            )
            flags = ["BitField", *["ByteOrder"] * (size > 1)]
            cases = [(_set_bits(value), flags, {"value": value}) for value in values]
            author.both(f"bits-{number}-{order}", f"BFLD over {base}, {name}, {words}", cases,
                        type="BFLD", base_type=base, fields=fields, formats={"DATA_ORDER": order})  # fmt: skip
            for _ in range(3):
                author.valid("any octets; filler is left out", "BitField", octets=rng.randbytes(size).hex())
    author.group("bits-bad", "type.encode", "Values that do not fit their bits.", type="BFLD", base_type="UINT8",
                 fields=[{"name": "ONE", "low": 0, "high": 0}, {"name": "REST", "low": 1, "high": 7}])  # fmt: skip
    author.invalid("ONE 2", "BitField", value={"ONE": 2, "REST": 0})
    author.invalid("REST 128", "BitField", value={"ONE": 0, "REST": 128})
    author.invalid("REST is missing", "BitField", value={"ONE": 0})


def _set_bits(value: dict[str, int]) -> str:
    return ", ".join(f"{part} {item}" for part, item in value.items() if item) or "all zero"
