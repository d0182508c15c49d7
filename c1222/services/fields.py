"""The wire forms that service parameters are made of: integers, octet strings, titles, flags.

A form knows four things about a value: how to read it, how to write it, what it may be, and how it looks in JSON.
Services name a form for each of their fields (see ``service.py``); everything else follows from that.
All integers are unsigned, most significant octet first.
"""

from __future__ import annotations

from enum import IntFlag
from typing import Any, Generic, TypeVar

from c1222.errors import DecodeError, EncodeError
from c1222.message.aptitle import ApTitle

__all__ = [
    "RELATIVE_TAG",
    "REST",
    "TITLE",
    "TITLES",
    "U8",
    "U16",
    "U24",
    "U32",
    "Beside",
    "Counted",
    "FieldForm",
    "Flags",
    "Maybe",
    "Octets",
    "Text",
    "Unsigned",
    "padded",
    "short",
]

T = TypeVar("T")
F = TypeVar("F", bound=IntFlag)


class FieldForm(Generic[T]):
    """How one value stands on the wire."""

    __slots__ = ()

    def read(self, octets: bytes, at: int, end: int) -> tuple[T, int]:
        """Return the value at ``octets[at:end]`` and the position after it.

        Raises:
            DecodeError: the octets do not hold one; its path is relative to the field.
        """
        raise NotImplementedError

    def write(self, value: T) -> bytes:
        """Return the octets of a value that :meth:`check` took."""
        raise NotImplementedError

    def check(self, value: T) -> T:
        """Return the value, or raise EncodeError (no such octets) or TypeError (not even the right type)."""
        raise NotImplementedError

    def show(self, value: T) -> Any:
        """Return the value as JSON has it."""
        return value

    def tagged(self, relative_tag: int) -> FieldForm[T]:  # noqa: ARG002  (only titles care)
        """Return the form that writes relative titles with this tag."""
        return self


def short(at: int, end: int, want: int) -> DecodeError:
    """Return the error for a field that needs ``want`` octets at ``at`` where the service ends at ``end``."""
    return DecodeError("", at, f"needs {want} octet{'' if want == 1 else 's'}, {max(end - at, 0)} left")


class Unsigned(FieldForm[int]):
    """An integer of 1 to 4 octets."""

    __slots__ = ("size", "top")

    def __init__(self, size: int) -> None:
        self.size = size
        self.top = (1 << 8 * size) - 1

    def read(self, octets: bytes, at: int, end: int) -> tuple[int, int]:
        after = at + self.size
        if after > end:
            raise short(at, end, self.size)
        return int.from_bytes(octets[at:after], "big"), after

    def write(self, value: int) -> bytes:
        return value.to_bytes(self.size, "big")

    def check(self, value: int) -> int:
        """Refuse what does not fit."""
        if not isinstance(value, int):
            raise TypeError(f"an int is needed, not {type(value).__name__}")
        if not 0 <= value <= self.top:
            raise EncodeError(f"{value} is not in 0..{self.top}")
        return value


U8, U16, U24, U32 = Unsigned(1), Unsigned(2), Unsigned(3), Unsigned(4)


class Flags(FieldForm[F]):
    """An octet of named bits."""

    __slots__ = ("_flags",)

    def __init__(self, flags: type[F]) -> None:
        self._flags = flags

    def read(self, octets: bytes, at: int, end: int) -> tuple[F, int]:
        if at >= end:
            raise short(at, end, 1)
        return self._flags(octets[at]), at + 1

    def write(self, value: F) -> bytes:
        return bytes((value,))

    def check(self, value: F) -> F:
        """Take the flags or a plain int, refuse what does not fit an octet."""
        return self._flags(U8.check(value))

    def show(self, value: F) -> list[str]:
        """List the names of the bits that are set, lowest first."""
        return [str(bit.name).lower().replace("_", "-") for bit in value]


class _OctetString(FieldForm[bytes]):
    """What all octet strings share."""

    __slots__ = ()

    def write(self, value: bytes) -> bytes:
        return value

    def check(self, value: bytes) -> bytes:
        """Take octets of any number."""
        if not isinstance(value, bytes):
            raise TypeError(f"bytes are needed, not {type(value).__name__}")
        return value

    def show(self, value: bytes) -> str:
        return value.hex()


class Octets(_OctetString):
    """A string of a fixed number of octets."""

    __slots__ = ("size",)

    def __init__(self, size: int) -> None:
        self.size = size

    def read(self, octets: bytes, at: int, end: int) -> tuple[bytes, int]:
        after = at + self.size
        if after > end:
            raise short(at, end, self.size)
        return octets[at:after], after

    def check(self, value: bytes) -> bytes:
        """Refuse another size."""
        if len(super().check(value)) != self.size:
            raise EncodeError(f"{len(value)} octets instead of {self.size}")
        return value


class Text(Octets):
    """A fixed number of octets that people read as text: JSON shows it as Latin-1 without its padding."""

    __slots__ = ()

    def show(self, value: bytes) -> str:
        """Show the text without trailing spaces and zeros."""
        return value.rstrip(b" \x00").decode("latin-1")


class Counted(_OctetString):
    """An octet string behind its count, one octet (not a BER length)."""

    __slots__ = ()

    def read(self, octets: bytes, at: int, end: int) -> tuple[bytes, int]:
        if at >= end:
            raise short(at, end, 1)
        after = at + 1 + octets[at]
        if after > end:
            raise DecodeError("length", at, f"announces {octets[at]} octets, {end - at - 1} left")
        return octets[at + 1 : after], after

    def write(self, value: bytes) -> bytes:
        return bytes((len(value),)) + value

    def check(self, value: bytes) -> bytes:
        """Refuse more than 255 octets."""
        if len(super().check(value)) > 0xFF:
            raise EncodeError(f"{len(value)} octets, more than a count of one octet can tell")
        return value


class Rest(_OctetString):
    """Whatever octets are left."""

    __slots__ = ()

    def read(self, octets: bytes, at: int, end: int) -> tuple[bytes, int]:
        return octets[at:end], end


REST = Rest()


class Maybe(FieldForm[T | None]):
    """A field that older or shorter forms of the service leave out.

    It is absent when what is left cannot hold it; those octets then count as trailing, so nothing is lost.
    """

    __slots__ = ("form",)

    def __init__(self, form: FieldForm[T]) -> None:
        self.form = form

    def read(self, octets: bytes, at: int, end: int) -> tuple[T | None, int]:
        """Read the field, or None without moving on."""
        if at >= end:
            return None, at
        try:
            return self.form.read(octets, at, end)
        except DecodeError:
            return None, at

    def write(self, value: T | None) -> bytes:
        return b"" if value is None else self.form.write(value)

    def check(self, value: T | None) -> T | None:
        """Take None, and what the form takes."""
        return None if value is None else self.form.check(value)

    def show(self, value: T | None) -> Any:
        return None if value is None else self.form.show(value)

    def tagged(self, relative_tag: int) -> Maybe[T]:
        """Hand the tag on."""
        return Maybe(self.form.tagged(relative_tag))


class Title(FieldForm[ApTitle]):
    """An ApTitle: ``06`` absolute, ``80`` or ``0D`` relative; an empty relative one says "no title yet"."""

    __slots__ = ("_relative_tag",)

    def __init__(self, relative_tag: int = 0x80) -> None:
        self._relative_tag = relative_tag

    def read(self, octets: bytes, at: int, end: int) -> tuple[ApTitle, int]:
        return ApTitle.read(octets, at, end, path="")

    def write(self, value: ApTitle) -> bytes:
        return value.tlv(self._relative_tag)

    def check(self, value: ApTitle) -> ApTitle:
        """Take a title."""
        if not isinstance(value, ApTitle):
            raise TypeError(f"an ApTitle is needed, not {type(value).__name__}")
        return value

    def show(self, value: ApTitle) -> str:
        return str(value)

    def tagged(self, relative_tag: int) -> Title:
        """Return the form with the other tag."""
        return Title(relative_tag)


TITLE = Title()


class Titles(FieldForm[tuple[ApTitle, ...]]):
    """Titles up to the end of the service."""

    __slots__ = ("_relative_tag",)

    def __init__(self, relative_tag: int = 0x80) -> None:
        self._relative_tag = relative_tag

    def read(self, octets: bytes, at: int, end: int) -> tuple[tuple[ApTitle, ...], int]:
        titles: list[ApTitle] = []
        while at < end:
            title, at = ApTitle.read(octets, at, end, path=str(len(titles)))
            titles.append(title)
        return tuple(titles), at

    def write(self, value: tuple[ApTitle, ...]) -> bytes:
        return b"".join([title.tlv(self._relative_tag) for title in value])

    def check(self, value: tuple[ApTitle, ...]) -> tuple[ApTitle, ...]:
        """Take any sequence of titles."""
        return tuple([TITLE.check(title) for title in value])

    def show(self, value: tuple[ApTitle, ...]) -> list[str]:
        return [str(title) for title in value]

    def tagged(self, relative_tag: int) -> Titles:
        """Return the form with the other tag."""
        return Titles(relative_tag)


TITLES = Titles()


class Beside(FieldForm[T]):
    """Something that goes with the value without octets of its own.

    Args:
        types: what it may be.
    """

    __slots__ = ("_types",)

    def __init__(self, *types: type) -> None:
        self._types = types

    def check(self, value: T) -> T:
        """Refuse other types."""
        if not isinstance(value, self._types):
            raise TypeError(f"{' or '.join(kind.__name__ for kind in self._types)} is needed")
        return value


class RelativeTag(FieldForm[int]):
    """Not a field of its own: the tag that relative titles of the service are written with."""

    __slots__ = ()

    def check(self, value: int) -> int:
        """Take 80 and 0D."""
        if U8.check(value) not in {0x80, 0x0D}:
            raise EncodeError(f"a relative ApTitle has the tag 80 or 0D, not {value:02X}")
        return value


RELATIVE_TAG = RelativeTag()


def padded(name: str, text: str | bytes, size: int, padding: bytes, *, encoding: str = "Latin-1") -> bytes:
    """Return a user name or password as its fixed number of octets.

    Args:
        name: what it is, for the error; the text itself never stands in an error, it may be a secret.
        text: text or octets.
        size: octets on the wire.
        padding: one octet, a space (C12.22 practice) or 00 (some C12.18 devices).
        encoding: of text.

    Raises:
        EncodeError: the text is too long, has characters outside the encoding, or the padding is not one octet.
    """
    if len(padding) != 1:
        raise EncodeError(f"{name}: the padding is one octet")
    try:
        octets = text.encode(encoding) if isinstance(text, str) else bytes(text)
    except UnicodeEncodeError:
        raise EncodeError(f"{name}: has characters outside {encoding}") from None
    if len(octets) > size:
        raise EncodeError(f"{name}: {len(octets)} octets, at most {size} fit")
    return octets.ljust(size, padding)
