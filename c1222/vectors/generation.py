"""All families from a seed. The same seed gives the same octets, on every machine and in every run."""

from __future__ import annotations

from importlib import import_module
from random import Random
from typing import TYPE_CHECKING, Final

from c1222.vectors.author import Author

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import ModuleType

    from c1222.vectors.model import Family

__all__ = ["FAMILIES", "generate", "module_of", "write"]

FAMILIES: Final = (
    "eax-prime",
    "ap-titles",
    "canonical-header",
    "acse",
    "epsem",
    "services",
    "segments",
    "messages",
    "exchanges",
    "types-numbers",
    "types-times",
    "types-text",
    "tables",
    "partial-reads",
    "load-profiles",
    "serial-packets",
    "serial-streams",
    "serial-exchanges",
)
"""Names of the families and of their files; what builds on others comes after them."""


def module_of(name: str) -> ModuleType:
    """Return the module that makes a family."""
    for folder in ("types", "serial"):
        name = name.replace(f"{folder}-", f"{folder}.")
    return import_module(f"c1222.vectors.families.{name.replace('-', '_')}")


def generate(seed: int) -> Iterator[Family]:
    """Yield the families in order.

    Args:
        seed: any whole number.
    """
    for name in FAMILIES:
        module = module_of(name)
        # Each family has randomness of its own, so that a change in one leaves the others as they are.
        author = Author(name, module.PURPOSE, Random(f"{seed}/{name}"))  # noqa: S311  vectors are not secret
        module.cases(author)
        yield author.family(seed)


def write(seed: int, folder: Path) -> list[tuple[Path, Family]]:
    """Write all families into a folder, one file each, and return what was written.

    Args:
        seed: any whole number.
        folder: where the files go; it is made if it is not there.

    Raises:
        OSError: a file cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for family in generate(seed):
        path = folder / f"{family.name}.json"
        path.write_bytes(family.encode())
        written.append((path, family))
    return written
