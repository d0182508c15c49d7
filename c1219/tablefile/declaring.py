"""From what a table file says to declarations: names, types and fields become construct, as modules in Python have it.

A field with several keys is built from the inside out: ``type`` or ``switch``, or ``when`` with ``else``; then
``count``; then ``when`` alone; then ``tail``. Whatever needs another order takes a ``[[type]]`` for its inner part.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from construct import Construct, Pass

from c1219 import datatypes
from c1219.errors import DeclarationError, TableFileError
from c1219.schema import (
    Array,
    Doc,
    Error,
    If,
    IfThenElse,
    Procedure,
    ProcedureRecord,
    Record,
    Switch,
    Table,
    Tail,
    Variant,
)
from c1219.tablefile.expressions import MAX_LEVELS, parse_expression
from c1219.values import code_type

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from enum import IntEnum

__all__ = [
    "ATOMS", "CALLED", "DOC_KEYS", "FORMAT", "KEYS", "MAX_ELEMENTS", "PROCEDURE_RECORD", "SIZED", "VERSION",
    "Definition", "Definitions", "checked_keys",
]  # fmt: skip

FORMAT: Final = "c1219-tables"
VERSION: Final = 1
MAX_ELEMENTS: Final = 100_000
"""Elements that all tables of a file may have, where a record counts each time it is used."""

ATOMS: Final[dict[str, Construct]] = {
    name: item for name in datatypes.__all__ if isinstance(item := getattr(datatypes, name), datatypes.WireType)
} | {"NOTHING": Pass, "ERROR": Error}
"""Types without parameters by the names of `c1219.datatypes`; ``NOTHING`` has no octets, ``ERROR`` no layout."""
SIZED: Final[dict[str, type[datatypes.WireType]]] = {
    kind.__name__: kind
    for kind in (datatypes.BCD, datatypes.STRING, datatypes.BINARY, datatypes.SET, datatypes.IDENTIFIER)
}
"""Types with a length."""
PROCEDURE_RECORD: Final = "PROCEDURE_RECORD"
"""``PROCEDURE_RECORD(parameters)``: the record of the procedure that the element PROC names, as in ST7 and ST8."""

CALLED: Final = ("enum", "bitfield", "record")
"""What may be ``called`` otherwise than its name in the file, where two differ that the standard calls alike."""

DOC_KEYS: Final = ("doc", "unit", "range", "confidence", "source", "since", "default_value")
_ITEM_KEYS: Final = (
    "type", "enum", "secret", "variant", "cases", "switch", "default", "when", "else", "tail", "count",
)  # fmt: skip
_ABOUT: Final = (
    "number", "manufacturer", "device_class", "name", "since", "confidence", "source", "doc", "tags", "replace",
)  # fmt: skip
KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "enum": ("name", "called", "codes"),
    "bitfield": ("name", "called", "over", "bits"),
    "bits": ("name", "at", "enum", *DOC_KEYS),
    "record": ("name", "called", "fields"),
    "fields": ("name", *_ITEM_KEYS, *DOC_KEYS),
    "type": ("name", *_ITEM_KEYS),
    "table": (*_ABOUT, "title", "role", "record"),
    "procedure": (*_ABOUT, "parameters", "response"),
    "map": ("path", "obis", "class", "attribute", "unit", "scaler"),
}
"""Keys of each kind of definition, and of the entries of ``bits`` and ``fields``."""
_REQUIRED: Final[Mapping[str, tuple[str, ...]]] = {
    "enum": ("codes",), "bitfield": ("over", "bits"), "bits": ("at",), "record": ("fields",), "fields": (), "type": (),
    "table": ("number", "record"), "procedure": ("number",), "map": ("path",),
}  # fmt: skip

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,99}")
_CALL: Final = re.compile(r"([A-Z][A-Z0-9_]*)\((.*)\)", re.DOTALL)


class Definition:
    """One definition of a file: what kind it is, what it says, and how to report what is wrong with it."""

    __slots__ = ("kind", "said", "wrong")

    def __init__(self, kind: str, said: dict[str, Any], wrong: Callable[[str, str], DeclarationError]) -> None:
        self.kind = kind
        self.said = said
        self.wrong = wrong


def checked_keys(kind: str, said: Any, what: str) -> dict[str, Any]:
    """Return a mapping of a file if it has no key but those known, and those that it needs.

    Raises:
        DeclarationError: it has others; the message begins with the key.
    """
    if not isinstance(said, dict):
        raise DeclarationError(f"{what} is no table of keys and values")
    for key in said:
        if key not in KEYS[kind] and not key.startswith("x-"):
            raise DeclarationError(f"{key}: there is no such key of {what}{_closest(key, KEYS[kind])}")
    named = () if kind == "map" else ("name",)
    for key in (*named, *_REQUIRED[kind]):
        if key not in said:
            raise DeclarationError(f"{what} lacks {key}")
    return said


class Definitions:
    """The named parts of a file and of those that it extends; makes declarations of them.

    Args:
        named: enumerations, bit fields, records and types by name.
        max_elements: elements of all tables together.
    """

    def __init__(self, named: Mapping[str, Definition], *, max_elements: int = MAX_ELEMENTS) -> None:
        self._named = named
        self._made: dict[str, tuple[Any, int, int]] = {}  # what was made, its elements, its levels
        self._making: list[str] = []
        self._elements = 0
        self._max_elements = max_elements
        self._levels = 0

    def table(self, said: dict[str, Any]) -> Table:
        """Return the declaration of a table.

        Args:
            said: a ``[[table]]``, with the defaults of its file.

        Raises:
            DeclarationError: it cannot be laid out, or something in it is not known.
        """
        words: dict[str, Any] = {
            key: said[key] for key in ("number", "name", "title", "role", "since", "source", "doc") if key in said
        }
        return Table(
            **_texts(words), **_whose(said), confidence=said.get("confidence", "?"), record=self._type(said["record"])
        )

    def procedure(self, said: dict[str, Any]) -> Procedure:
        """Return the declaration of a procedure; the same of a ``[[procedure]]``."""
        words: dict[str, Any] = {key: said[key] for key in ("number", "name", "since", "source", "doc") if key in said}
        confidence = said.get("confidence", "?")
        sides: dict[str, Any] = {side: self._type(said[side]) for side in ("parameters", "response") if side in said}
        return Procedure(
            **_texts(words),
            **_whose(said),
            **sides,
            confidence=tuple(confidence) if isinstance(confidence, list) else (confidence,) * 3,
        )

    def used(self) -> frozenset[str]:
        """Return the names that were used so far."""
        return frozenset(self._made)

    def check(self, name: str) -> None:
        """Make a named part, whether or not a table uses it.

        Raises:
            DeclarationError: as for tables.
        """
        self._made_of(name)

    def _type(self, words: Any) -> Construct:
        """Return the type that a name, or a name with its length, stands for."""
        if not isinstance(words, str):
            raise DeclarationError(f"a type is text, not {words!r}")
        words = words.strip()
        call = _CALL.fullmatch(words)
        if call is None:
            found = ATOMS.get(words)
            if found is not None:
                self._count(1)
                return found
            return self._shape(words)
        name, argument = call.groups()
        self._count(1)
        if name == PROCEDURE_RECORD:
            return ProcedureRecord(argument)  # type: ignore[arg-type]  # which refuses what is no side
        if name in SIZED:
            length = argument.strip()
            return SIZED[name](parse_expression(int(length) if length.isdecimal() else length))
        raise DeclarationError(f"{words!r}: no type of this name has a length{_closest(name, SIZED)}")

    def _shape(self, name: str) -> Construct:
        made = self._made_of(name)
        if not isinstance(made, Construct):
            raise DeclarationError(f"{name} is an enumeration: the type is an integer, and enum names its codes")
        return made

    def _codes(self, name: Any) -> type[IntEnum]:
        made = self._made_of(name)
        if isinstance(made, Construct):
            raise DeclarationError(f"{name} is no enumeration")
        return made  # type: ignore[no-any-return]  # it is one

    def _made_of(self, name: Any) -> Any:
        known = self._made.get(name) if isinstance(name, str) else None
        if known is None:
            known = self._make(name)
        made, elements, levels = known
        self._count(elements)
        self._levels = max(self._levels, levels)
        return made

    def _make(self, name: Any) -> tuple[Any, int, int]:
        definition = self._named.get(name) if isinstance(name, str) else None
        if definition is None:
            raise DeclarationError(f"there is no type {name!r}{_closest(str(name), [*self._named, *ATOMS, *SIZED])}")
        if name in self._making:
            raise DeclarationError(f"{name} has itself inside: {' has '.join([*self._making, name])}")
        if len(self._making) >= MAX_LEVELS:
            raise DeclarationError(f"{name}: more than {MAX_LEVELS} types inside each other")
        self._making.append(name)
        before, around = self._elements, self._levels
        self._levels = 0
        try:
            made = _MAKERS[definition.kind](self, definition)
        except TableFileError:
            raise
        except DeclarationError as error:
            raise definition.wrong(str(error).partition(":")[0], f"{name}: {error}") from None
        finally:
            self._making.pop()
        elements, levels = self._elements - before, self._levels + 1
        if levels > MAX_LEVELS:
            raise DeclarationError(f"{name}: more than {MAX_LEVELS} types inside each other")
        self._elements, self._levels = before, around
        self._made[name] = made, elements, levels
        return self._made[name]

    def _count(self, elements: int) -> None:
        self._elements += elements
        if self._elements > self._max_elements:
            raise DeclarationError(
                f"more than {self._max_elements} elements, where records count each time they are used"
            )

    def _enum(self, definition: Definition) -> Any:
        said = definition.said
        codes = said["codes"]
        names = list(codes.values()) if isinstance(codes, dict) else [None]
        if not all(isinstance(name, str) and _NAME.fullmatch(name) for name in names):
            raise definition.wrong("codes", "codes gives each number a name")
        numbers = {_number(code): name for code, name in codes.items()}
        if len(set(numbers.values())) < len(codes):
            raise definition.wrong("codes", "two codes have one number or one name")
        return code_type(_called(said), tuple(numbers.items()))

    def _bitfield(self, definition: Definition) -> Construct:
        said = definition.said
        parts = []
        for bits in _entries(said, "bits"):
            with_keys = checked_keys("bits", bits, f"the bits of {said['name']}")
            name, at = _named(with_keys["name"]), with_keys["at"]
            spans = [at] if isinstance(at, int) else at
            if not isinstance(spans, list) or len(spans) not in (1, 2) or not all(type(bit) is int for bit in spans):
                raise definition.wrong(name, f"{name}: at is a bit, or the first and the last")
            codes = [self._codes(with_keys["enum"])] if "enum" in with_keys else []
            if isinstance(at, int) and codes:
                raise definition.wrong(name, f"{name}: one bit is true or false; write at = [{at}, {at}] for codes")
            part = datatypes.BOOL(at) if isinstance(at, int) else datatypes.UINT(spans[0], spans[-1], *codes)
            self._count(1)
            parts.append(name / part * _doc(with_keys))
        base = ATOMS.get(said["over"]) if isinstance(said["over"], str) else None
        if not isinstance(base, datatypes.WireType):
            raise definition.wrong("over", f"{said['over']!r} is no UINT")
        return datatypes.BFLD(_called(said), base, *parts)

    def _record(self, definition: Definition) -> Construct:
        said = definition.said
        fields = []
        for entry in _entries(said, "fields"):
            where = entry.get("name") if isinstance(entry, dict) else None
            try:
                with_keys = checked_keys("fields", entry, f"a field of {said['name']}")
                fields.append(_named(with_keys["name"]) / self._item(with_keys) * _doc(with_keys))
            except DeclarationError as error:
                raise definition.wrong(str(where), f"{said['name']}.{where}: {error}") from None
        self._count(1)
        return Record(_called(said), *fields)

    def _named_type(self, definition: Definition) -> Construct:
        return self._item(definition.said)

    def _item(self, said: dict[str, Any]) -> Construct:
        """Return what the keys of a field or a type stand for."""
        if ("type" in said) == ("switch" in said):
            raise DeclarationError("either type or switch says what it is")
        if "switch" in said:
            default = self._type(said.get("default", "ERROR"))
            item: Construct = Switch(parse_expression(said["switch"]), self._cases(said), default=default)
        else:
            item = self._leaf(said)
        when = parse_expression(said["when"]) if "when" in said else None
        if "else" in said:
            if when is None:
                raise DeclarationError("else needs when")
            item, when = IfThenElse(when, item, self._type(said["else"])), None
        if "count" in said:
            item = Array(parse_expression(said["count"]), item)
        if said.get("tail"):
            if when is None:
                raise DeclarationError("a tail says when it can be there, and has no else: put those into a type")
            return Tail(when, item)
        return item if when is None else If(when, item)

    def _leaf(self, said: dict[str, Any]) -> Construct:
        item = self._type(said["type"])
        if "variant" in said:
            if type(item) is not datatypes.BINARY:
                raise DeclarationError("octets of several meanings are BINARY(n)")
            return Variant(item.length, parse_expression(said["variant"]), self._cases(said))
        if "enum" in said:
            if not isinstance(item, datatypes.WireType) or item.length is not None or hasattr(item, "spans"):
                raise DeclarationError("only an integer has codes")
            return datatypes.CODED(item, self._codes(said["enum"]))
        if said.get("secret"):
            if item is datatypes.OPAQUE:
                return datatypes.OPAQUE_SECRET
            if type(item) is not datatypes.BINARY:
                raise DeclarationError("a secret is BINARY(n) or OPAQUE")
            return datatypes.SECRET(item.length)
        return item

    def _cases(self, said: dict[str, Any]) -> dict[int, Construct]:
        cases = said.get("cases")
        if not isinstance(cases, dict):
            raise DeclarationError("cases gives each number a type")
        return {_number(code): self._type(case) for code, case in cases.items()}


_MAKERS: Final[dict[str, Callable[[Definitions, Definition], Any]]] = {
    "enum": Definitions._enum,  # noqa: SLF001  of this module
    "bitfield": Definitions._bitfield,  # noqa: SLF001
    "record": Definitions._record,  # noqa: SLF001
    "type": Definitions._named_type,  # noqa: SLF001
}


def _whose(said: dict[str, Any]) -> dict[str, Any]:
    kind = said.get("device_class")
    try:
        return {
            "manufacturer": bool(said.get("manufacturer", False)),
            "device_class": None if kind is None else bytes.fromhex(kind),
        }
    except (ValueError, TypeError):
        raise DeclarationError(f"device_class: {kind!r} is not four octets in hex") from None


def _texts(words: dict[str, Any]) -> dict[str, Any]:
    for key, value in words.items():
        if not isinstance(value, int if key == "number" else str) or isinstance(value, bool):
            raise DeclarationError(f"{key}: {value!r} is no {'number' if key == 'number' else 'text'}")
    return words


def _doc(said: dict[str, Any]) -> str:
    more = {key: said[key] for key in ("unit", "range", "confidence", "source", "since") if key in said}
    text = said.get("doc", "")
    if not isinstance(text, str) or not all(isinstance(value, str) for value in more.values()):
        raise DeclarationError(f"{', '.join(('doc', *more))} are text")
    return Doc(text, **more) if more else text


def _entries(said: dict[str, Any], key: str) -> list[Any]:
    if not isinstance(said[key], list):
        raise DeclarationError(f"{key}: of {said['name']}: no list")
    return list(said[key])


def _named(name: Any) -> str:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise DeclarationError(f"{name!r} is no name such as NBR_TIERS")
    return name


def _called(said: dict[str, Any]) -> str:
    return _named(said.get("called", said["name"]))


def _number(code: Any) -> int:
    try:
        return int(code)
    except (ValueError, TypeError):
        raise DeclarationError(f"{code!r} is no number") from None


def _closest(name: str, known: Any) -> str:
    from difflib import get_close_matches  # noqa: PLC0415  for those who mistype alone

    close = get_close_matches(name, known, 1)
    return f"; {close[0]}?" if close else ""
