"""Text, identifiers, sets and octets of C12.19."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from c1222.vectors.author import Author, Valued

__all__ = ["NAME", "PURPOSE", "cases"]

NAME = "types-text"
PURPOSE = "Text in every CHAR_FORMAT, identifiers in both ID_FORMs, sets and octets; padding is no part of a text"

_TEXTS: Final = {
    1: ("ISO 7-bit", ("", "A", "METER", "0123456789", "~!@# $%", "TEN LETTER")),
    2: ("ISO 8859/1", ("", "Zähler", "µéÿ¡", "Ümläüt©")),
    3: ("UTF-8", ("", "Zähler", "µ€", "電力量")),
    4: ("UTF-16", ("", "Meter", "µ€é", "電力")),
    5: ("UTF-32", ("", "Me", "µ€", "電力")),
}


def cases(author: Author) -> None:
    _strings(author)
    _identifiers(author)
    _sets(author)


def _strings(author: Author) -> None:
    for code, (name, texts) in _TEXTS.items():
        for order in (0, 1) if code >= 4 else (0,):
            formats = {"CHAR_FORMAT": code, "DATA_ORDER": order}
            comment = f"STRING(12), CHAR_FORMAT {code} ({name}), DATA_ORDER {order}"
            flags = ("WideCharacters",) * (code >= 4)
            values: list[Valued] = [
                (repr(text), (*flags, *("Padding",) * (len(text) < 3)), {"value": text}) for text in texts
            ]
            author.both(f"string-{code}-{order}", comment, values, type="STRING", length=12, formats=formats)
            author.valid("padded with zeros", "ZeroPadding", *flags, octets="00" * 12)
            if code in {1, 2, 3}:
                author.valid("blanks, then zeros", "ZeroPadding", octets=b"AB  \0\0".ljust(12, b"\0").hex())
                author.valid("a blank before the text stays", octets=b" AB".ljust(12).hex())
            author.invalid("an octet too few", "Truncated", octets="20" * 11)
            author.group(f"string-{code}-{order}-bad", "type.encode", f"{comment}: text that does not fit.",
                         type="STRING", length=4, formats=formats)  # fmt: skip
            author.invalid("five letters in four octets", "NotANumber", value="ABCDE")
    author.group("string-bad", "type.decode", "Octets that are no text.", type="STRING", length=4)
    for comment, code, octets in (
        ("an octet above 7F in ISO 7-bit", 1, "414280 20"),
        ("FF in UTF-8", 3, "ff202020"),
        ("an unfinished character in UTF-8", 3, "414243c3"),
        ("a lone surrogate in UTF-16", 4, "00d84100"),
        ("a number past the last character in UTF-32", 5, "00001100"),
    ):
        author.invalid(comment, "NotANumber", octets=octets.replace(" ", ""), formats={"CHAR_FORMAT": code})
    for code in (6, 7):
        author.invalid(f"CHAR_FORMAT {code}", "ReservedCode", octets="20202020", formats={"CHAR_FORMAT": code})
    author.group("string-sizes", "type.decode", "Strings of other sizes.", type="STRING", formats={"CHAR_FORMAT": 1})
    for size in (0, 1, 4, 20, 30):
        author.valid(f"STRING({size})", length=size, octets=(b"A" * size).hex())


def _identifiers(author: Author) -> None:
    values: list[Valued] = [(repr(t), (), {"value": t}) for t in ("", "12345678", "AB-12 345")]
    author.both("identifier-0", "IDENTIFIER(16), ID_FORM 0: a string", values,
          type="IDENTIFIER", length=16, formats={"ID_FORM": 0, "CHAR_FORMAT": 1})  # fmt: skip
    values = [(repr(t), (), {"value": t}) for t in ("0" * 16, "0000000012345678", "9" * 16)]
    author.both("identifier-1", "IDENTIFIER(16), ID_FORM 1: BCD(8)", values,
          type="IDENTIFIER", length=16, formats={"ID_FORM": 1})  # fmt: skip
    author.invalid("a nibble A", "NotANumber", octets="000000000000000a")
    author.invalid("16 octets where ID_FORM asks for 8", "TrailingOctets", octets="20" * 16)


def _sets(author: Author) -> None:
    for size in (0, 1, 2, 11):
        top = 8 * size
        members: list[list[int]] = [[], [*range(top)]]
        if size:
            members += [[0], [7], [top - 1], [0, top - 1]]
            members.append(sorted({author.rng.randrange(top) for _ in range(5)}))
        unique = [list(item) for item in dict.fromkeys(map(tuple, members))]
        values: list[Valued] = [
            (f"members {item}" if len(item) < 8 else "all members", ("BitField",), {"value": item}) for item in unique
        ]
        author.both(f"set-{size}", f"SET({size})", values, type="SET", length=size)
    author.group("set-bad", "type.encode", "Members that a set has not.", type="SET", length=2)
    author.invalid("member 16", "BitField", value=[16])
    author.invalid("member -1", "BitField", value=[-1])
    octets = [author.rng.randbytes(size).hex() for size in (0, 1, 5, 10)]
    for size, value in zip((0, 1, 5, 10), octets, strict=True):
        author.both(
            f"binary-{size}",
            f"BINARY({size})",
            [(value or "no octets", (), {"value": value})],
            type="BINARY",
            length=size,
        )
