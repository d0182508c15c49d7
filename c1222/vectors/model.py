"""What a file of vectors holds, and how it is written and read: the schema ``c1222.vectors/1``.

A file is a family: groups of cases that ask for the same operation. A case has inputs, and says what must come of them:
its result is ``valid`` (taken, with exactly this output), ``invalid`` (refused) or ``acceptable`` (either). Flags say
what a case is about, and how sure that is. `specs/vectors.schema.json` has the same in JSON Schema.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, cast, get_args

from c1222.errors import DecodeError, LocalError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "MAX_FILE_OCTETS",
    "SCHEMA",
    "BadCase",
    "Case",
    "Confidence",
    "Family",
    "Flag",
    "Group",
    "Result",
    "family_of",
    "load",
    "parse",
]

SCHEMA: Final = "c1222.vectors/1"
MAX_FILE_OCTETS: Final = 64 * 1024 * 1024
"""Default limit for a file of vectors."""

Result = Literal["valid", "invalid", "acceptable"]
Confidence = Literal["V", "1", "?"]


class BadCase(LocalError, ValueError):
    """The input of a case is not what its operation takes: the fault is the file's, not the implementation's."""


class Flag(NamedTuple):
    """What a case can be about.

    Attributes:
        confidence: ``V`` two independent sources, ``1`` one, ``?`` inference.
        text: what it means.
    """

    confidence: Confidence
    text: str


class Case(NamedTuple):
    """One question, and what must come of it.

    Attributes:
        id: unique in its file, stable for a seed.
        comment: what is particular about it.
        result: whether it must be taken, must be refused, or may be either.
        flags: names in the legend of its file.
        input: parameters of the operation, without those that its group shares.
        output: what must come out; None where it is refused, or where nothing is said about it.
        intermediate: intermediate values, to find where a computation goes wrong.
        at: where the defect of an invalid case is: path and octet offset.
    """

    id: str
    comment: str
    result: Result
    flags: tuple[str, ...]
    input: dict[str, Any]
    output: dict[str, Any] | None
    intermediate: dict[str, Any]
    at: tuple[str, int] | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the case as it stands in the file."""
        shown: dict[str, Any] = {"id": self.id, "comment": self.comment, "result": self.result}
        if self.flags:
            shown["flags"] = list(self.flags)
        shown["input"] = self.input
        if self.output is not None:
            shown["output"] = self.output
        if self.intermediate:
            shown["intermediate"] = self.intermediate
        if self.at is not None:
            shown["at"] = {"path": self.at[0], "offset": self.at[1]}
        return shown


class Group(NamedTuple):
    """Cases that ask for the same operation.

    Attributes:
        id: unique in its file.
        operation: what is asked for.
        comment: what the cases have in common.
        input: parameters that all of them share.
        cases: the cases.
    """

    id: str
    operation: str
    comment: str
    input: dict[str, Any]
    cases: tuple[Case, ...]


class Family(NamedTuple):
    """A file of vectors.

    Attributes:
        name: of the family, and of its file.
        comment: what it is about.
        origin: ``generated``, ``published``, ``capture``: where the octets come from.
        seed: what it was generated from; None if it was not.
        flags: the legend of the flags that its cases have.
        groups: its groups.
    """

    name: str
    comment: str
    origin: str
    seed: int | None
    flags: dict[str, Flag]
    groups: tuple[Group, ...]

    @property
    def size(self) -> int:
        """How many cases it has."""
        return sum(len(group.cases) for group in self.groups)

    def cases(self) -> Iterator[tuple[Group, Case]]:
        """Yield the cases in order, each with its group."""
        for group in self.groups:
            for case in group.cases:
                yield group, case

    def encode(self) -> bytes:
        """Return the octets of the file: JSON, ASCII, one case a line."""
        head = {"schema": SCHEMA, "family": self.name, "comment": self.comment, "origin": self.origin}
        lines = ["{", *(f" {_text(name)}: {_text(value)}," for name, value in head.items())]
        if self.seed is not None:
            lines.append(f' "seed": {self.seed},')
        lines += [
            ' "flags": {',
            *_separated("  ", [f"{_text(n)}: {_text(f._asdict())}" for n, f in self.flags.items()]),
        ]
        lines += [" },", ' "groups": [']
        for number, group in enumerate(self.groups, 1):
            parts = {"id": group.id, "operation": group.operation, "comment": group.comment}
            if group.input:
                parts["input"] = group.input  # type: ignore[assignment]
            lines += [f'  {_text(parts)[:-1]}, "cases": [']
            lines += _separated("   ", [_text(case.as_dict()) for case in group.cases])
            lines += ["  ]}" if number == len(self.groups) else "  ]},"]
        lines += [" ]", "}", ""]
        return "\n".join(lines).encode("ascii")


def _text(value: Any) -> str:
    return json.dumps(value, allow_nan=False)


def _separated(indent: str, items: list[str]) -> list[str]:
    return [f"{indent}{item}," for item in items[:-1]] + [f"{indent}{item}" for item in items[-1:]]


def parse(octets: bytes, *, max_size: int = MAX_FILE_OCTETS) -> Family:
    """Read a file of vectors.

    Args:
        octets: the whole file.
        max_size: limit for its octets.

    Raises:
        DecodeError: it is no file of this schema; the path tells where.
    """
    return family_of(load(octets, max_size=max_size))


def load(octets: bytes, *, max_size: int = MAX_FILE_OCTETS) -> dict[str, Any]:
    """Return the JSON object of a file of any schema.

    Raises:
        DecodeError: it is too large, or no JSON object.
    """
    if len(octets) > max_size:
        raise DecodeError("vectors", 0, f"a file of {len(octets)} octets, the limit is {max_size}")
    try:
        content = json.loads(octets)
    except (ValueError, RecursionError) as error:
        raise DecodeError("vectors", getattr(error, "pos", 0), f"not JSON: {error}") from None
    found: dict[str, Any] = _typed(content, dict, "vectors")
    return found


def family_of(content: dict[str, Any]) -> Family:
    """Return the family that a JSON object holds.

    Raises:
        DecodeError: it is none of this schema.
    """
    if content.get("schema") != SCHEMA:
        raise DecodeError("vectors.schema", 0, f'"schema" is not "{SCHEMA}"')
    flags = _get(content, "flags", dict, "vectors")
    groups = [
        _group(_typed(group, dict, f"vectors.groups[{number}]"), f"vectors.groups[{number}]", flags)
        for number, group in enumerate(_get(content, "groups", list, "vectors"))
    ]
    seed = content.get("seed")
    if seed is not None:
        _typed(seed, int, "vectors.seed")
    return Family(
        _get(content, "family", str, "vectors"),
        _get(content, "comment", str, "vectors"),
        _get(content, "origin", str, "vectors"),
        seed,
        {name: _flag(value, f"vectors.flags.{name}") for name, value in flags.items()},
        tuple(groups),
    )


def _flag(value: Any, path: str) -> Flag:
    confidence = _get(_typed(value, dict, path), "confidence", str, path)
    if confidence not in get_args(Confidence):
        raise DecodeError(f"{path}.confidence", 0, f"{confidence!r} is none of {', '.join(get_args(Confidence))}")
    return Flag(cast("Confidence", confidence), _get(value, "text", str, path))


def _group(group: dict[str, Any], path: str, flags: dict[str, Any]) -> Group:
    cases = _get(group, "cases", list, path)
    return Group(
        _get(group, "id", str, path),
        _get(group, "operation", str, path),
        _get(group, "comment", str, path),
        _get(group, "input", dict, path, {}),
        tuple([_case(case, f"{path}.cases[{number}]", flags) for number, case in enumerate(cases)]),
    )


def _case(value: Any, path: str, legend: dict[str, Any]) -> Case:
    case = _typed(value, dict, path)
    result = _get(case, "result", str, path)
    if result not in get_args(Result):
        raise DecodeError(f"{path}.result", 0, f"{result!r} is none of {', '.join(get_args(Result))}")
    output = _get(case, "output", dict, path, {}) if "output" in case else None
    if (result == "valid" and output is None) or (result == "invalid" and output is not None):
        raise DecodeError(f"{path}.output", 0, f"a case that is {result} with an output of {output!r:.40}")
    flags = tuple(_get(case, "flags", list, path, []))
    unknown = [flag for flag in flags if not isinstance(flag, str) or flag not in legend]
    if unknown:
        raise DecodeError(f"{path}.flags", 0, f"{unknown[0]!r} is not in the legend")
    at = _get(case, "at", dict, path, {})
    return Case(
        _get(case, "id", str, path),
        _get(case, "comment", str, path),
        cast("Result", result),
        flags,
        _get(case, "input", dict, path),
        output,
        _get(case, "intermediate", dict, path, {}),
        (_get(at, "path", str, path), _get(at, "offset", int, path)) if at else None,
    )


_NAMES = {dict: "an object", list: "an array", str: "text", int: "a number"}


def _typed(value: Any, kind: type, path: str) -> Any:
    if type(value) is not kind:
        raise DecodeError(path, 0, f"{_NAMES[kind]} is needed, not {type(value).__name__}")
    return value


def _get(mapping: dict[str, Any], name: str, kind: type, path: str, default: Any = None) -> Any:
    if name not in mapping and default is not None:
        return default
    if name not in mapping:
        raise DecodeError(path, 0, f'"{name}" is missing')
    return _typed(mapping[name], kind, f"{path}.{name}")
