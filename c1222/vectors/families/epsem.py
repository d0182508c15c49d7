"""EPSEM: the control octet, the ED class, the list of services."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from c1222.vectors.author import Author

__all__ = ["NAME", "PURPOSE", "cases"]

NAME = "epsem"
PURPOSE = "EPSEM in cleartext, without MAC: control octet, ED class, services behind their lengths"


def cases(author: Author) -> None:
    _controls(author)
    _services(author)
    _malformed(author)
    _encode(author)


def _controls(author: Author) -> None:
    author.group("controls", "epsem.decode", "Every control octet, before four octets of ED class and one service.")
    body = "54454d50" + "03300001"
    for control in range(256):
        octets = f"{control:02x}{body if control & 0x10 else body[8:]}"
        comment = f"control octet {control:02x}"
        flags = ["EdClass"] * (control >> 4 & 1)
        if control < 0x80:
            author.invalid(comment, "BadControl", octets=octets)
        elif control & 0x0C == 0x0C or control & 3 == 3:
            author.acceptable(comment, "ReservedMode", *flags, octets=octets)
        else:
            author.valid(comment, *flags, octets=octets)


def _services(author: Author) -> None:
    rng = author.rng
    author.group("services", "epsem.decode", "How services are told apart.")
    author.valid("no services", octets="80")
    author.valid("an ED class and no services", "EdClass", octets="9054454d50")
    author.valid("three services", octets="80" + "0120" + "03300001" + "083f00010000100010")
    for size in (1, 126, 127, 128, 129, 255, 256, 257, 1000):
        length = f"{size:02x}" if size < 0x80 else f"81{size:02x}" if size < 0x100 else f"82{size:04x}"
        octets = f"80{length}{rng.randbytes(size).hex()}0152"
        author.valid(f"a service of {size} octets, and one of 1", "LengthBoundary", octets=octets)
    author.valid("a length of 0 ends the list", "EndOfList", octets="80012000")
    author.valid("octets behind the length of 0", "EndOfList", octets="8001200003300001")
    author.valid("only a length of 0", "EndOfList", octets="8000")
    for length in ("8103", "820003", "83000003"):
        author.acceptable(f"length {length}", "NonMinimalLength", octets=f"80{length}300001")


def _malformed(author: Author) -> None:
    author.group("malformed", "epsem.decode", "One defect each.")
    for comment, flag, octets in (
        ("no octets", "Truncated", ""),
        ("a length alone", "Truncated", "8003"),
        ("a service that runs past the end", "Truncated", "80033000"),
        ("the second service runs past the end", "Truncated", "80012003 3000"),
        ("a length of two octets, one of them there", "Truncated", "8081"),
        ("a length of three octets, two of them there", "Truncated", "808201"),
        ("81 ff and nothing behind it", "Truncated", "8081ff"),
        ("the indefinite length", "IndefiniteLength", "80803000010000"),
        ("the length octet FF", "IndefiniteLength", "80ff300001"),
        ("no ED class", "Truncated", "90"),
        ("three octets of ED class", "Truncated", "9054454d"),
        ("a service where the ED class should be", "Truncated", "90012000"[:6]),
    ):
        author.invalid(comment, flag, octets=octets.replace(" ", ""))


def _encode(author: Author) -> None:
    rng = author.rng
    author.group("encode", "epsem.encode", "Values to octets.")
    read, identify = "300001", "20"
    for mode in (0, 1, 2):
        for response_control in (0, 1, 2):
            author.valid(f"mode {mode}, response control {response_control}", mode=mode,
                         response_control=response_control, services=[read])  # fmt: skip
    author.valid("ED class", "EdClass", mode=0, ed_class="54454d50", services=[read])
    author.valid("proxy", mode=0, proxy=True, services=[read])
    author.valid("recovery session", mode=2, recovery=True, services=[read])
    author.valid("all of them", "EdClass", mode=2, response_control=2, proxy=True, recovery=True, ed_class="00000000",
                 services=[read])  # fmt: skip
    author.valid("three services", mode=0, services=[identify, read, "52"])
    author.valid("no services", mode=0, services=[])
    for size in (127, 128, 255, 256, 300):
        author.valid(
            f"a service of {size} octets", "LengthBoundary", mode=0, services=[rng.randbytes(size).hex(), "52"]
        )
    author.invalid("an empty service would end the list", "EndOfList", mode=0, services=[read, "", identify])
    author.invalid("an ED class of three octets", "EdClass", mode=0, ed_class="54454d", services=[read])
    author.invalid("an ED class of five octets", "EdClass", mode=0, ed_class="54454d5000", services=[read])
