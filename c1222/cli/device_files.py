"""What several commands share: device files, and files of declarations of tables."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from c1222.cli.options import fail, sample_folder
from c1222.text import without_mark

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from c1219 import Device

__all__ = [
    "DEVICE_HELP", "TABLES_FOLDER", "declarations_option", "declare", "device_path", "is_device_file", "read_device",
]  # fmt: skip

DEVICE_HELP: Final = "JSON file of a device's tables, or sample:NAME."

TABLES_FOLDER: Final = "C1222_TABLES"
"""Environment variable that names a folder of table files; all of them are used wherever tables are decoded."""

_SAMPLE: Final = "sample:"

declarations_option: Callable[[Callable[..., Any]], Callable[..., Any]] = click.option(
    "--declarations",
    "declarations",
    metavar="FILE",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False),
    help="Tables and procedures of your own: a table file (.toml, .json), or a Python file, which is run.",
)


def read_device(name: str) -> Device:
    """Read a device file; exit if that cannot be done.

    Args:
        name: path, ``-`` for standard input, or ``sample:NAME`` for one that comes with the program.
    """
    from c1219 import C1219Error, Device
    from c1222.errors import in_words

    try:
        octets = sys.stdin.buffer.read() if name == "-" else Path(device_path(name)).read_bytes()
        return Device.from_json(octets)
    except (C1219Error, OSError) as error:
        fail(f"{name}: {in_words(error)}")


def is_device_file(name: str) -> bool:
    """Tell whether a name stands for a device file: a sample of that name, or a file that begins like JSON.

    Args:
        name: a path, ``-``, or ``sample:NAME``.
    """
    if name.startswith(_SAMPLE):
        return name.removeprefix(_SAMPLE) in _samples()
    path = Path(name)
    if not path.is_file():  # - and pipes are captures; what is absent is told by who opens it
        return path.suffix == ".json"
    with path.open("rb") as file:
        return without_mark(file.read(64)).lstrip().startswith(b"{")


def _samples() -> dict[str, Path]:
    return {path.stem: path for path in sorted(sample_folder("devices").glob("*.json"))}


def device_path(name: str) -> str:
    """Return where a device file is: the path itself, or that of a sample.

    Args:
        name: path, or ``sample:NAME`` for one that comes with the program.
    """
    if not name.startswith(_SAMPLE):
        return name
    known = _samples()
    wanted = name.removeprefix(_SAMPLE)
    if wanted not in known:
        there = f"samples: {', '.join(known)}" if known else "there are no samples"
        fail(f"there is no sample {wanted!r}; {there}" if wanted else there)
    return str(known[wanted])


def declare(paths: Iterable[str]) -> None:
    """Register the tables and procedures that files declare, those of `TABLES_FOLDER` first; exit on any mistake.

    Args:
        paths: table files, by their endings; others are Python files: every `c1219.Table` and `c1219.Procedure` among
            their global names is registered, and those in ``TABLES`` and ``PROCEDURES``.
    """
    folder = os.environ.get(TABLES_FOLDER)
    files = [*(_table_files(folder) if folder else ()), *paths]
    if not files:
        return
    import runpy

    from c1219 import C1219Error, DeclarationError, Procedure, Table, register
    from c1219.tablefile.loading import ENDINGS, load_tables
    from c1222.errors import in_words

    for path in files:
        if Path(path).suffix.lower() in ENDINGS:
            try:
                load_tables(path).register()
            except (C1219Error, OSError) as error:
                fail(in_words(error))
            continue
        try:
            names = runpy.run_path(path)
        except Exception as error:  # noqa: BLE001  the file is the user's, and so is what it does wrong
            fail(f"{path}: {type(error).__name__}: {error}")
        declared = [item for item in names.values() if isinstance(item, (Table, Procedure))]
        for name in ("TABLES", "PROCEDURES"):
            declared += [item for item in names.get(name, ()) if item not in declared]
        if not declared:
            fail(f"{path}: declares neither a table nor a procedure")
        try:
            register(*declared, replace=True)
        except (DeclarationError, AttributeError) as error:
            fail(f"{path}: {error}")


def _table_files(folder: str) -> list[str]:
    from c1219.tablefile.loading import ENDINGS

    if not Path(folder).is_dir():
        fail(f"{TABLES_FOLDER} names {folder}, which is no folder")
    return [str(path) for path in sorted(Path(folder).iterdir()) if path.suffix.lower() in ENDINGS]
