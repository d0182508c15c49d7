"""The committed vectors, read once, and what several tests ask of them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from c1222.vectors.generation import FAMILIES
from c1222.vectors.model import Case, Family, Group, parse

SPECS = Path(__file__).parents[3] / "specs"
FOLDER = SPECS / "vectors" / "generated"
SEED = 1


@cache
def family(name: str) -> Family:
    return parse((FOLDER / f"{name}.json").read_bytes())


def families() -> list[Family]:
    return [family(name) for name in FAMILIES]


def asked(name: str, *operations: str) -> Iterator[tuple[Case, dict[str, Any]]]:
    """Yield the cases of some operations with their whole input."""
    found = False
    for group, case in family(name).cases():
        if group.operation in operations:
            found = True
            yield case, {**group.input, **case.input}
    assert found, f"{name} asks for none of {operations}"


def thinned(whole: Family, most: int) -> Family:
    """Return a family with at most so many cases of each group, spread over it."""
    groups = []
    for group in whole.groups:
        step = -(-len(group.cases) // most)
        groups.append(Group(group.id, group.operation, group.comment, group.input, group.cases[::step]))
    return whole._replace(groups=tuple(groups))
