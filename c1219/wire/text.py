"""Wire forms of text, digits, octets and sets."""

from __future__ import annotations

from typing import Any

from c1219.values import MemberSet, Secret
from c1219.wire.form import Form, Formats, whole

__all__ = ["BytesForm", "DigitsForm", "SecretForm", "SetForm", "TextForm"]


class BytesForm(Form):
    """BINARY(n)."""

    __slots__ = ()

    def __init__(self, type_: str, size: int) -> None:
        super().__init__(type_, size)
        if size:
            self.load = "{0}"

    def decode(self, octets: bytes) -> bytes:
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


class SecretForm(BytesForm):
    """BINARY(n) that holds a password or key. Value: `Secret`; JSON does not show it."""

    __slots__ = ()

    def __init__(self, type_: str, size: int) -> None:
        super().__init__(type_, size)
        if size:
            self.load = "{f}({0})"

    def decode(self, octets: bytes) -> Secret:
        return Secret(octets)

    def raw(self, octets: bytes) -> bytes:
        """Return octets that were cut; they are still a part of a secret."""
        return Secret(octets)

    def to_json(self, value: bytes) -> str:
        """Return how many octets there are, which cannot be read back: JSON goes into logs."""
        return repr(Secret(value))


_CODECS = {0: "ascii", 1: "ascii", 2: "latin-1", 3: "utf-8", 4: "utf-16", 5: "utf-32"}


class TextForm(Form):
    """STRING(n) and CHAR. Trailing blanks and NULs are padding and not part of the value.

    Where characters are 2 or 4 octets, octets at the end that are too few for one are 0 and mean nothing.
    """

    __slots__ = ("_codec", "_pad")

    def __init__(self, type_: str, size: int, formats: Formats) -> None:
        super().__init__(type_, size)
        codec = _CODECS.get(formats.CHAR_FORMAT)
        if codec is not None and formats.CHAR_FORMAT >= 4:
            codec += "-be" if formats.DATA_ORDER else "-le"
        self._codec = codec
        self._pad = " ".encode(codec) if codec else b""

    def decode(self, octets: bytes) -> str:
        """Make the text."""
        if self._codec is None:
            raise ValueError("CHAR_FORMAT is a reserved code: the character set is not known")
        end = len(octets) - len(octets) % len(self._pad)
        if any(octets[end:]):
            raise ValueError(f"octet {octets[end:].lstrip(bytes(1))[0]:02X} at the end is no {self._codec} character")
        try:
            return octets[:end].decode(self._codec).rstrip(" \0")
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
        if not isinstance(value, str):
            raise TypeError(f"text is needed, not {value!r}")
        return value


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


_MEMBERS = tuple(tuple(bit for bit in range(8) if octet >> bit & 1) for octet in range(256))


class SetForm(Form):
    """SET(n): 8n members. The value is a `MemberSet`."""

    __slots__ = ()

    def decode(self, octets: bytes) -> MemberSet:
        """Make the set."""
        return MemberSet([8 * n + bit for n, octet in enumerate(octets) if octet for bit in _MEMBERS[octet]])

    def encode(self, value: Any) -> bytes:
        if isinstance(value, (str, bytes, bytearray, memoryview)):
            raise TypeError(f"a set of numbers is needed, not {type(value).__name__}")
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
        if not isinstance(value, list):
            raise TypeError(f"a list of members is needed, not {value!r}")
        return MemberSet(whole(member) for member in value)
