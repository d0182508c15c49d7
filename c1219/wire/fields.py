"""Wire forms of coded numbers and bit fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from c1219.caches import BoundedDict
from c1219.values import record_type
from c1219.wire.form import Form, whole

if TYPE_CHECKING:
    from collections.abc import Sequence
    from enum import IntEnum

    from c1219.wire.numbers import IntForm

__all__ = ["BitSpan", "BitsForm", "CodedForm", "bits_type"]

_REMEMBERED: Final = 4096


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
        return int(value)

    def from_json(self, value: Any) -> Any:
        """Return the member, or the plain number of an unknown code."""
        number = whole(value)
        return self._codes.get(number, number)


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
            self.loader = BoundedDict(_REMEMBERED, self.split)
            self.storer = BoundedDict(_REMEMBERED, self.join)

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
