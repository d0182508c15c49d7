"""A file of meters, read and checked: TOML, and lists that it imports as CSV. What is wrong is said with its line.

``[defaults]`` hold for all meters; ``[groups.north]`` for those of a group, before the defaults; what ``[[meter]]``
says of one goes before both. ``[[import]]`` names a CSV file of meters, whose ``columns`` say which column is what.
"""

from __future__ import annotations

import csv
import difflib
import os
import re
import stat
import tomllib
from itertools import count
from typing import TYPE_CHECKING, Any, Final, NamedTuple, NoReturn

from c1222.collect.fields import FIELDS, SECRETS
from c1222.errors import LocalError, in_words
from c1222.text import without_mark

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

__all__ = ["ListedMeter", "MetersFileError", "did_you_mean", "read_meters"]

_SECTIONS: Final = ("defaults", "groups", "meter", "import")
_OF_IMPORT: Final = ("csv", "columns", "delimiter")
_LABEL: Final = "labels."
_PLACE: Final = re.compile(r"at line \d+, column \d+|at end of document")


class MetersFileError(LocalError, ValueError):
    """A file of meters cannot be read or used. The text names file and line, and never quotes a secret."""


class ListedMeter(NamedTuple):
    """One meter as a file has it.

    Attributes:
        name: its name.
        own: what is said of it alone.
        layers: what is said of many, the nearest first.
    """

    name: str
    own: Mapping[str, Any]
    layers: tuple[Mapping[str, Any], ...]


def read_meters(path: Path) -> tuple[list[ListedMeter], Mapping[str, Mapping[str, Any]]]:
    """Read a file of meters.

    Returns:
        The meters in order, and what each group says.

    Raises:
        MetersFileError: it cannot be read, or used.
    """
    return _Reader(path).read()


class _Reader:
    """Reads one file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._entries: list[ListedMeter] = []
        self._places: dict[str, str] = {}
        octets, self._private = _read(path)
        try:
            text = without_mark(octets).decode("utf-8")
            self._content = tomllib.loads(text)
        except (ValueError, RecursionError) as error:
            place = _PLACE.search(str(error))  # the parser's other words may quote the line
            raise MetersFileError(f"{path}: not TOML{f' ({place[0]})' if place else ''}") from None
        self._lines = _lines_of(text)

    def read(self) -> tuple[list[ListedMeter], Mapping[str, Mapping[str, Any]]]:
        content = self._content
        for name in content:
            if name not in _SECTIONS:
                self._fail((name,), f"{_unknown(name, _SECTIONS)}")
        defaults = self._checked(content.get("defaults", {}), ("defaults",), without=("name",))
        groups = {
            name: self._checked(given, ("groups", name), without=("name", "url", "groups"))
            for name, given in self._table(content.get("groups", {}), ("groups",)).items()
        }
        for number, given in enumerate(self._array("meter")):
            place = ("meter", number)
            self._add(self._checked(given, place), (defaults,), self._line(place))
        for number, given in enumerate(self._array("import")):
            self._import(given, ("import", number), defaults)
        return self._entries, groups

    def _import(self, given: dict[str, Any], place: tuple[Any, ...], defaults: Mapping[str, Any]) -> None:
        more = {name: value for name, value in given.items() if name not in _OF_IMPORT}
        layers = (self._checked(more, place, without=("name",), also=_OF_IMPORT), defaults)
        name, delimiter = given.get("csv"), given.get("delimiter", ",")
        if not isinstance(name, str):
            self._fail(place, "csv: the name of a file is needed")
        if not isinstance(delimiter, str) or len(delimiter) != 1:
            self._fail((*place, "delimiter"), "delimiter: one character is needed")
        columns = self._columns(given.get("columns", {}), (*place, "columns"))
        path = self._path.parent / name
        try:
            octets, private = _read(path)
            text = without_mark(octets).decode("utf-8")
        except UnicodeDecodeError:
            raise MetersFileError(f"{path}: not UTF-8") from None
        rows = csv.reader(text.splitlines(keepends=True), delimiter=delimiter, strict=True)
        try:
            self._rows(rows, path, columns, layers, private=private)
        except csv.Error as error:
            raise MetersFileError(f"{path}, line {rows.line_num}: {error}") from None

    def _columns(self, given: Any, place: tuple[Any, ...]) -> dict[str, str]:
        """Return the field of each column by its head."""
        columns: dict[str, str] = {}
        for name, value in self._table(given, place).items():
            heads = (
                {f"{_LABEL}{label}": head for label, head in value.items()}
                if isinstance(value, dict)
                else {name: value}
            )
            for field, head in heads.items():
                if not isinstance(head, str):
                    self._fail(place, f"{name}: the head of a column is needed")
                if field not in FIELDS and not field.startswith(_LABEL):
                    self._fail((*place, name), _unknown(name, FIELDS))
                columns[head] = field
        return columns

    def _rows(
        self,
        rows: Any,
        path: Path,
        columns: dict[str, str],
        layers: tuple[Mapping[str, Any], ...],
        *,
        private: bool,
    ) -> None:
        head: list[str] = next(rows, [])
        for wanted in columns:
            if wanted not in head:
                raise MetersFileError(f"{path}, line 1: {_unknown(wanted, head)}")
        plan: list[tuple[int, str, Callable[[str], Any], Callable[[Any], Any]]] = []
        for index, title in enumerate(head):
            name = columns.get(title) or ("" if columns and title not in FIELDS else title)
            if name.startswith(_LABEL):
                plan.append((index, name, str, str))
            elif name in FIELDS:
                plan.append((index, name, FIELDS[name].of_text, FIELDS[name].check))
            elif name:
                raise MetersFileError(f"{path}, line 1: {_unknown(title, FIELDS)}; or map columns with `columns`")
        checked: dict[tuple[str, str], Any] = {}  # cells that are alike, as those of few servers are
        for row in rows:
            if not row:
                continue
            own: dict[str, Any] = {}
            labels: dict[str, str] = {}
            for index, name, of_text, check in plan:
                cell = row[index].strip() if index < len(row) else ""
                if not cell:
                    continue
                if name.startswith(_LABEL):
                    labels[name.removeprefix(_LABEL)] = cell
                    continue
                try:
                    if name in {"name", "called"}:
                        own[name] = check(cell)
                    else:
                        key = name, cell
                        own[name] = checked[key] if key in checked else checked.setdefault(key, check(of_text(cell)))
                except ValueError as error:
                    raise MetersFileError(f"{path}, line {rows.line_num}: {name}: {error}") from None
                if name in SECRETS and "text" in own[name] and not private:
                    raise MetersFileError(f"{path}, line {rows.line_num}: {_not_private(name)}")
            if labels:
                own["labels"] = labels
            self._add(own, layers, f"{path}, line {rows.line_num}")

    def _add(self, own: Mapping[str, Any], layers: tuple[Mapping[str, Any], ...], place: str) -> None:
        name = own.get("name")
        if name is None:
            raise MetersFileError(f"{place}: a meter needs a name")
        if name in self._places:
            raise MetersFileError(f"{place}: there is a meter {name} already: {self._places[name]}")
        if not any("url" in said for said in (own, *layers)):
            raise MetersFileError(f"{place}: {name} needs a url")
        self._places[name] = place
        self._entries.append(ListedMeter(name, own, layers))

    # What is said of one or many.

    def _checked(
        self, given: Any, place: tuple[Any, ...], *, without: Iterable[str] = (), also: Iterable[str] = ()
    ) -> dict[str, Any]:
        known = [name for name in FIELDS if name not in without]
        found: dict[str, Any] = {}
        for name, value in self._table(given, place).items():
            if name not in known:
                self._fail((*place, name), _unknown(name, [*known, *also]))
            try:
                found[name] = FIELDS[name].check(value)
            except ValueError as error:
                self._fail((*place, name), f"{name}: {error}")
            if name in SECRETS and "text" in found[name] and not self._private:
                self._fail((*place, name), _not_private(name))
        return found

    def _table(self, given: Any, place: tuple[Any, ...]) -> dict[str, Any]:
        if not isinstance(given, dict):
            self._fail(place, f"{place[-1]}: a table is needed")
        return given

    def _array(self, name: str) -> list[dict[str, Any]]:
        given = self._content.get(name, [])
        if not isinstance(given, list):
            self._fail((name,), f"an array of tables is needed: [[{name}]]")
        return given

    def _line(self, place: tuple[Any, ...]) -> str:
        """Return file and line of a place: of what is around it, where it has none of its own."""
        while place and place not in self._lines:
            place = place[:-1]
        return f"{self._path}, line {self._lines[place]}" if place else str(self._path)

    def _fail(self, place: tuple[Any, ...], text: str) -> NoReturn:
        raise MetersFileError(f"{self._line(place)}: {text}")


def _read(path: Path) -> tuple[bytes, bool]:
    """Return the content of a file, and whether only its owner may read it."""
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            return file.read(), os.name == "nt" or not mode & (stat.S_IRWXG | stat.S_IRWXO)
    except OSError as error:
        raise MetersFileError(f"{path}: {in_words(error)}") from None


_HEADER: Final = re.compile(r"\s*(\[\[?)\s*([^\]#]+?)\s*\]\]?\s*(#.*)?$")
_NAMED: Final = re.compile(r"""\s*["']?([A-Za-z0-9_-]+)["']?\s*(\.|=)""")


def _lines_of(text: str) -> dict[tuple[Any, ...], int]:
    """Return in which line each table and name stands; the parser of TOML does not tell."""
    lines: dict[tuple[Any, ...], int] = {}
    numbers: dict[str, Iterator[int]] = {}
    place: tuple[Any, ...] = ()
    for line, content in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(content):
            parts = tuple(part.strip().strip("\"'") for part in header[2].split("."))
            if header[1] == "[[":
                place = (*parts, next(numbers.setdefault(header[2], count())))
            else:
                of_import = parts[0] == "import" and len(parts) > 1  # a table of the last of an array
                place = (*place[:2], *parts[1:]) if of_import else parts
            lines.setdefault(place, line)
        elif named := _NAMED.match(content):
            lines.setdefault((*place, named[1]), line)
    return lines


def _unknown(name: str, known: Iterable[str]) -> str:
    return f"{name!r} is not known{did_you_mean(name, known)}"


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return the end of a sentence about a name that is not known: which is meant, if one is near."""
    near = difflib.get_close_matches(name, list(known), 1)
    return f"; did you mean {near[0]!r}?" if near else ""


def _not_private(name: str) -> str:
    return (
        f"{name}: a secret stands here, and others may read the file: let only its owner (chmod 600), or say where"
        f' it is, as in {name} = {{ env = "NAME" }}'
    )
