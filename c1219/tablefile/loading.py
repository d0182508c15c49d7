"""Table files: TOML or JSON, read into declarations.

A file is data: nothing in it is run, what it extends lies in its own folder, and its size is limited. Whatever is wrong
is a `TableFileError` with the line.
"""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from c1219.errors import DeclarationError, TableFileError
from c1219.registry import default_registry
from c1219.schema import Table
from c1219.tablefile.declaring import (
    ATOMS,
    FORMAT,
    MAX_ELEMENTS,
    SIZED,
    VERSION,
    Definition,
    Definitions,
    checked_keys,
)
from c1219.tablefile.matching import MATCH_KEYS, Match
from c1219.tablefile.tdl import tdl_words

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from c1219.registry import Registry
    from c1219.schema import Procedure

__all__ = ["ENDINGS", "MAX_EXTENDED", "MAX_OCTETS", "TableFile", "load_tables"]

MAX_OCTETS: Final = 1_000_000
"""Octets of a table file."""
MAX_EXTENDED: Final = 32
"""Files that a file extends, and those extend in turn."""
ENDINGS: Final = (".toml", ".json")
"""By which table files are known."""

_KINDS: Final = ("enum", "bitfield", "record", "type")
_TOP: Final = ("format", "version", "about", "match", "extends", *_KINDS, "table", "procedure", "map")
_ABOUT: Final = ("title", "source", "confidence", "decade", "doc")


@dataclass(frozen=True, slots=True)
class TableFile:
    """What a table file declares.

    Attributes:
        path: where it is.
        title: what it is called.
        match: the devices that it is for, by ST1; None for all.
        tables: its tables, and those of the files that it extends.
        procedures: its procedures, likewise.
        tags: words of the maker about each, by label, for example ``{"MT5": ("demo",)}``.
        maps: ``[[map]]``: COSEM names of elements, as the file says them.
        unused: names that no table or procedure uses.
    """

    path: Path
    title: str
    match: Match | None
    tables: tuple[Table, ...]
    procedures: tuple[Procedure, ...]
    tags: dict[str, tuple[str, ...]] = field(default_factory=dict)
    maps: tuple[dict[str, Any], ...] = ()
    unused: tuple[str, ...] = ()

    def register(self, registry: Registry | None = None, *, replace: bool = True) -> None:
        """Add the tables and procedures to a registry: for the devices that ``match`` names, or for all.

        Args:
            registry: the default registry if None.
            replace: whether they take the place of what is declared for the same number.

        Raises:
            DeclarationError: one is declared already, and `replace` is not set.
        """
        known = default_registry() if registry is None else registry
        known.register(*self.tables, *self.procedures, replace=replace, condition=self.match)


def load_tables(
    path: str | os.PathLike[str], *, max_octets: int = MAX_OCTETS, max_elements: int = MAX_ELEMENTS
) -> TableFile:
    """Read a table file.

    Args:
        path: a file in TOML, or in JSON if its name ends so.
        max_octets: octets of the file, and of each that it extends.
        max_elements: elements of all tables together.

    Raises:
        TableFileError: the file is not what it should be; carries file and line.
        OSError: it cannot be read.
    """
    files = [_File(Path(path), max_octets)]
    for file in files:  # which grows by what is extended
        for name in file.extends:
            other = file.path.parent / name
            if all(other != known.path for known in files):
                if len(files) > MAX_EXTENDED:
                    raise file.wrong("extends", f"more than {MAX_EXTENDED} files")
                files.append(_File(other, max_octets))
    return _load(files, max_elements)


def _load(files: list[_File], max_elements: int) -> TableFile:
    named: dict[str, Definition] = {}
    homes: dict[str, _File] = {}
    for file in reversed(files):
        own: set[str] = set()
        for definition in file.named():
            name = definition.said["name"]
            if name in own:
                raise definition.wrong(name, f"{name} is there twice")
            if not isinstance(name, str) or name in ATOMS or name in SIZED:
                raise definition.wrong("name", f"{name!r} is the name of a type of the library, or none")
            own.add(name)
            named[name], homes[name] = definition, file
    definitions = Definitions(named, max_elements=max_elements)
    declared: dict[tuple[str, int, bytes | None], Table | Procedure] = {}
    tags: dict[str, tuple[str, ...]] = {}
    for file in reversed(files):
        for kind, said, wrong in file.declarations():
            try:
                item = definitions.table(said) if kind == "table" else definitions.procedure(said)
            except TableFileError:
                raise
            except DeclarationError as error:
                raise wrong(str(error).partition(":")[0], str(error)) from None
            key = (kind, item.id, item.device_class)
            if key in declared and not said.get("replace"):
                raise wrong("number", f"{item.label} is declared already: say replace = true")
            declared[key] = item
            if said.get("tags"):
                tags[item.label] = tuple(map(str, said["tags"]))
    used = definitions.used()
    for name, definition in named.items():
        try:
            definitions.check(name)
        except TableFileError:
            raise
        except DeclarationError as error:
            raise definition.wrong(name, str(error)) from None
    items = sorted(declared.values(), key=lambda item: item.id)
    return TableFile(
        files[0].path,
        str(files[0].about.get("title", "")),
        files[0].match,
        tuple(item for item in items if isinstance(item, Table)),
        tuple(item for item in items if not isinstance(item, Table)),
        tags,
        tuple(entry for file in files for entry in file.entries("map")),
        tuple(name for name in named if name not in used and homes[name] is files[0]),
    )


class _File:
    """One file: what it says, and where."""

    def __init__(self, path: Path, max_octets: int) -> None:
        self.path = path
        with path.open("rb") as stream:
            octets = stream.read(max_octets + 1)
        self._text = ""
        if len(octets) > max_octets:
            raise TableFileError(str(path), None, f"more than {max_octets} octets")
        if (words := tdl_words(octets)) is not None:
            raise TableFileError(str(path), None, words)
        try:
            self._text = octets.decode("utf-8-sig")
            self._json = path.suffix.lower() == ".json"
            said = json.loads(self._text) if self._json else tomllib.loads(self._text)
        except (json.JSONDecodeError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            found = re.search(r"line (\d+)", str(error))
            raise TableFileError(str(path), int(found[1]) if found else None, f"not read: {error}") from None
        except (RecursionError, ValueError):  # of deep nesting, and of numbers with thousands of digits
            raise TableFileError(str(path), None, "not read: too deep, or a number too long") from None
        if not isinstance(said, dict) or said.get("format") != FORMAT:
            raise TableFileError(str(path), 1, f'no table file: it begins with format = "{FORMAT}"')
        if said.get("version") != VERSION:
            raise self.wrong("version", f"version {said.get('version')!r} is not known; this reads {VERSION}")
        self._said = said
        self._no_others(said, _TOP, "the file")
        self.about = self._table("about", _ABOUT)
        match = self._table("match", MATCH_KEYS)
        try:
            self.match = Match.of(match)
        except DeclarationError as error:
            raise self.wrong(str(error).partition(":")[0], f"match: {error}") from None
        self._device_class = match.get("device_class")
        self.extends = self._extended()

    def wrong(self, key: str, reason: str, kind: str = "", index: int = 0) -> TableFileError:
        """Return the error for what is wrong with a key, a name, or a definition."""
        return TableFileError(str(self.path), self._line(kind, index, key), reason)

    def entries(self, kind: str) -> list[dict[str, Any]]:
        """Return the definitions of a kind, with no key that is not known."""
        entries = self._said.get(kind, [])
        if not isinstance(entries, list):
            raise self.wrong(kind, f"{kind} is a list: write [[{kind}]]")
        checked = []
        for index, said in enumerate(entries):
            name = said.get("name", said.get("path", "")) if isinstance(said, dict) else ""
            try:
                checked.append(checked_keys(kind, said, f"{kind} {name}".strip()))
            except DeclarationError as error:
                raise self.wrong(str(error).partition(":")[0], str(error), kind, index) from None
        return checked

    def named(self) -> list[Definition]:
        """Return what has a name for use by others."""
        return [
            Definition(kind, said, self._wrong_at(kind, index))
            for kind in _KINDS
            for index, said in enumerate(self.entries(kind))
        ]

    def declarations(self) -> list[tuple[str, dict[str, Any], Callable[[str, str], TableFileError]]]:
        """Return tables and procedures with what the file says of all, and how to report what is wrong with each."""
        defaults: dict[str, Any] = {key: self.about[key] for key in ("source", "confidence") if key in self.about}
        if self._device_class is not None:
            defaults["device_class"] = self._device_class
        return [
            (kind, defaults | said, self._wrong_at(kind, index))
            for kind in ("table", "procedure")
            for index, said in enumerate(self.entries(kind))
        ]

    def _wrong_at(self, kind: str, index: int) -> Callable[[str, str], TableFileError]:
        return lambda key, reason: self.wrong(key, reason, kind, index)

    def _table(self, name: str, keys: tuple[str, ...]) -> dict[str, Any]:
        said = self._said.get(name, {})
        if not isinstance(said, dict):
            raise self.wrong(name, f"{name} is a table of keys and values")
        self._no_others(said, keys, name)
        return said

    def _no_others(self, said: dict[str, Any], keys: tuple[str, ...], what: str) -> None:
        for key in said:
            if key not in keys and not key.startswith("x-"):
                raise self.wrong(key, f"{key}: there is no such key of {what}; there are {', '.join(keys)}")

    def _extended(self) -> list[str]:
        names = self._said.get("extends", [])
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise self.wrong("extends", "extends is a list of files")
        for name in names:
            if Path(name).name != name or name in {"", ".", ".."} or "\\" in name:
                raise self.wrong("extends", f"extends: {name!r} is not the name of a file in the same folder")
        return names

    def _line(self, kind: str, index: int, key: str) -> int | None:
        """Find where something is said: no reader of TOML or JSON tells it, so it is looked for."""
        lines = self._text.splitlines()
        start = 0
        if kind:
            header = rf'\s*"{kind}"\s*:' if self._json else rf"\s*\[\[\s*{kind}\s*\]\]"
            heads = [number for number, line in enumerate(lines) if re.match(header, line)]
            start = heads[min(index, len(heads) - 1)] if heads else 0
        word = re.escape(key)
        wanted = re.compile(rf"""(?:^|[\s{{,"']){word}["']?\s*[=:]|["']{word}["']|\[\s*{word}\s*\]""")
        for number in range(start, len(lines)):
            if key and wanted.search(lines[number]):
                return number + 1
        return start + 1 if kind else None
