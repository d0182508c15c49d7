"""ApTitles: octets to text and back, absolute and relative forms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from c1222.message.aptitle import ApTitle
from c1222.vectors.families.parts import absolute_title, relative_title

if TYPE_CHECKING:
    from c1222.vectors.author import Author

__all__ = ["NAME", "PURPOSE", "cases"]

NAME = "ap-titles"
PURPOSE = (
    "ApTitles: object identifiers in absolute and relative form, as octets and as text (a leading dot is relative)"
)

_FIXED: Final = (
    (".123.8437", None),
    (".123.4", None),
    (".0", None),
    (".1.0", None),
    (".0.1", None),
    (".127", "LargeArc"),
    (".128", "LargeArc"),
    (".16383", "LargeArc"),
    (".16384", "LargeArc"),
    (".2097151", "LargeArc"),
    (".2097152", "LargeArc"),
    (".2147483647", "LargeArc"),
    (".4294967295", "LargeArc"),
    (".18446744073709551615", "LargeArc"),
    (".340282366920938463463374607431768211455", "LargeArc"),
    ("0.0", None),
    ("0.39", None),
    ("1.0", None),
    ("1.39.1", None),
    ("2.0", None),
    ("2.16.124.113620.1.22.0.123.8437", None),
    ("1.3.6.1.4.1.33507.1919.12345678.0", None),
    ("2.39", None),
    ("2.40", "FirstArc2"),
    ("2.47.1", "FirstArc2"),
    ("2.48.1", "FirstArc2"),
    ("2.175", "FirstArc2"),
    ("2.176", "FirstArc2"),
    ("2.999.3", "FirstArc2"),
    ("2.4294967295", "FirstArc2"),
)
_BAD: Final = (
    ("no octets", "Truncated", ""),
    ("a tag alone", "Truncated", "80"),
    ("a length that runs past the end", "Truncated", "80037bc1"),
    ("an octet left over", "TrailingOctets", "80027b0400"),
    ("tag 05", "BadTag", "05027b04"),
    ("tag 81", "BadTag", "81027b04"),
    ("tag 8D", "BadTag", "8d027b04"),
    ("an absolute title without octets", "BadIdentifier", "0600"),
    ("the last arc does not end", "BadIdentifier", "80027bc1"),
    ("no arc ends", "BadIdentifier", "8001ff"),
    ("an arc that starts with 80", "BadIdentifier", "80037b8001"),
    ("the first octet is 80", "BadIdentifier", "06028001"),
    ("the indefinite length", "IndefiniteLength", "80807b040000"),
    ("the length octet FF", "IndefiniteLength", "80ff7b04"),
)


def cases(author: Author) -> None:
    rng = author.rng
    drawn = [(relative_title(rng, 1 + n % 4), None) for n in range(12)] + [
        (absolute_title(rng), None) for _ in range(8)
    ]
    titles = [(text, *([flag] if flag else [])) for text, flag in (*_FIXED, *drawn)]
    author.group("encode", "title.encode", "Text to tag, length and content.")
    encoded = [author.valid(f"title {text}", *flags, title=text)["octets"] for text, *flags in titles]
    author.group("decode", "title.decode", "Tag, length and content to text.")
    for octets, (text, *flags) in zip(encoded, titles, strict=True):
        author.valid(f"title {text}", *flags, octets=octets)
    for size in (0x7F, 0x80):
        octets = bytes((0x80, size)) if size < 0x80 else bytes((0x80, 0x81, size))
        author.valid(f"{size} octets of content", "LengthBoundary", octets=(octets + b"\1" * size).hex())
    for octets in ("8081027b04", "8082000 27b04", "06810 22a03"):
        author.acceptable("a length longer than it need be", "NonMinimalLength", octets=octets.replace(" ", ""))
    author.acceptable("tag 0D", "RelativeTag0D", octets="0d037bc175")
    author.acceptable("empty", "EmptyTitle", octets="8000")
    author.acceptable("empty, tag 0D", "EmptyTitle", "RelativeTag0D", octets="0d00")
    for comment, flag, octets in _BAD:
        author.invalid(comment, flag, octets=octets)
    author.group("encode-0d", "title.encode", "Relative titles with the tag 0D.", tag="0d")
    for text in (".123.8437", ".1", "1.3.6.1"):
        author.valid(f"title {text}", "RelativeTag0D", title=text)
    author.group("encode-bad", "title.encode", "Text that is no title.")
    for text in ("", "1", "3.1", "0.40", "1.40", "..1", ".1..2", ".1.", ".-1", ".01", ".a", "1.2.x", ". 1", ".1,2"):
        author.invalid(f"{text!r}", "BadIdentifier", title=text)
    author.group("absolute", "title.absolute", "The absolute form, under the default base or another.")
    for text, *_ in titles[:5] + titles[30:]:
        flags = ["RelativeTitle"] * text.startswith(".")
        author.valid(f"title {text}", *flags, title=text)
        author.valid(f"title {text}, another base", *flags, "OtherBase", title=text, base="1.3.6.1.4.1.33507")
    author.group("relative", "title.relative", "The relative form, if the title is below the base.")
    for text, *_ in titles[30:36]:
        author.valid(f"title {text} in its absolute form", "RelativeTitle", title=str(ApTitle(text).absolute()))
        author.valid(f"title {text}", title=text)
    for text in ("2.16.124.113620.1.22.0", "2.16.124.113620.1.22", "2.16.124.113620.1.22.1.5", "1.3.6.1.4.1.33507.1"):
        author.valid(f"title {text}, not below the base", title=text)
    author.valid("below another base", "OtherBase", title="1.3.6.1.4.1.33507.1.2", base="1.3.6.1.4.1.33507")
