"""Collects the cases of a family: the author says what is asked and whether it must be taken, the library the rest.

The outputs are this library's. The tests confirm them by independent means: another library's AES, the codecs of pyasn1
and construct, Wireshark, and arithmetic done again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from c1222.vectors.legend import LEGEND
from c1222.vectors.model import Case, Family, Group, Result
from c1222.vectors.operations import answer

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from random import Random

__all__ = ["Author", "Valued"]

Valued = tuple[str, "Sequence[str]", dict[str, Any]]
"""Comment, flags and parameters of a case."""


class Author:
    """A family in the making.

    Args:
        name: of the family.
        comment: what it is about.
        rng: where everything that is not fixed comes from.
    """

    def __init__(self, name: str, comment: str, rng: Random) -> None:
        self.name = name
        self.comment = comment
        self.rng = rng
        self._groups: list[tuple[str, str, str, dict[str, Any], list[Case]]] = []

    def group(self, id: str, operation: str, comment: str, **shared: Any) -> None:  # noqa: A002  its name in the file
        """Begin a group; the cases that follow belong to it.

        Args:
            id: unique in the family.
            operation: what its cases ask for.
            comment: what they have in common.
            shared: parameters that all of them have.
        """
        self._groups.append((id, operation, comment, shared, []))

    def valid(self, comment: str, *flags: str, **parameters: Any) -> dict[str, Any]:
        """Add a case that must be taken, and return its output."""
        return self._add("valid", comment, flags, parameters) or {}

    def invalid(self, comment: str, *flags: str, **parameters: Any) -> None:
        """Add a case that must be refused."""
        self._add("invalid", comment, flags, parameters)

    def acceptable(self, comment: str, *flags: str, **parameters: Any) -> None:
        """Add a case that may be refused, or taken with the output that this library gives, if it gives one."""
        self._add("acceptable", comment, flags, parameters)

    def both(self, id: str, comment: str, values: Iterable[Valued], **shared: Any) -> None:  # noqa: A002
        """Add two groups of types: values to octets, and those octets back. The second one is the current one then.

        Args:
            id: what the names of the groups start with.
            comment: what their cases have in common.
            values: comment, flags and parameters of each case, the parameter ``value`` among them.
            shared: parameters that all of them have.
        """
        values = list(values)
        self.group(f"{id}-encode", "type.encode", f"{comment}: values to octets.", **shared)
        encoded = [self.valid(words, *flags, **given)["octets"] for words, flags, given in values]
        self.group(f"{id}-decode", "type.decode", f"{comment}: octets to values.", **shared)
        for octets, (words, flags, given) in zip(encoded, values, strict=True):
            rest = {name: value for name, value in given.items() if name != "value"}
            self.valid(words, *flags, **rest, octets=octets)

    def _add(
        self, result: Result, comment: str, flags: tuple[str, ...], parameters: dict[str, Any]
    ) -> dict[str, Any] | None:
        group, operation, _, shared, cases = self._groups[-1]
        unknown = [flag for flag in flags if flag not in LEGEND]
        found = answer(operation, {**shared, **parameters})
        if (
            unknown
            or (result == "valid" and found.output is None)
            or (result == "invalid" and found.output is not None)
        ):
            said = found.refusal or found.output
            raise AssertionError(f"{self.name}/{group}: {comment}: to be {result}, flags {unknown}, but {said}")
        at = found.at if result == "invalid" else None
        number = f"{group}-{len(cases) + 1:03}"
        cases.append(Case(number, comment, result, flags, parameters, found.output, found.intermediate, at))
        return found.output

    def family(self, seed: int) -> Family:
        """Return what was collected.

        Args:
            seed: what it came from.
        """
        used = {flag for *_, cases in self._groups for case in cases for flag in case.flags}
        legend = {name: flag for name, flag in LEGEND.items() if name in used}
        groups = [
            Group(name, operation, words, shared, tuple(cases))
            for name, operation, words, shared, cases in self._groups
        ]
        return Family(self.name, self.comment, "generated", seed, legend, tuple(groups))
