"""What several commands share: where keys come from, where samples are, exit codes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

import click

from c1222.cli.printing import say

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable
    from typing import Any

    from c1222.errors import Finding
    from c1222.security.keys import KeyStore

__all__ = [
    "FOUND",
    "UNREADABLE",
    "capture_path",
    "fail",
    "has_error",
    "key_path",
    "key_store",
    "keys_option",
    "sample_folder",
    "time_zone",
]

FOUND: Final = 1
"""Exit code: done, with findings of level error."""
UNREADABLE: Final = 2
"""Exit code: usage, or input that cannot be read."""

_SAMPLE: Final = "sample:"

keys_option: Callable[[Callable[..., Any]], Callable[..., Any]] = click.option(
    "--keys", metavar="FILE", type=click.Path(dir_okay=False), help="TOML file of keys; see the README."
)


def fail(text: str) -> NoReturn:
    """Print what is wrong and exit."""
    say(f"c1222: {text}", err=True)
    sys.exit(UNREADABLE)


def has_error(findings: Iterable[Finding]) -> bool:
    """Tell whether one of the findings is of level error."""
    return any(finding.level == "error" for finding in findings)


def sample_folder(kind: str) -> Path:
    """Return the folder of samples that come with the program: in the wheel, or in the project it runs from.

    Args:
        kind: ``captures`` or ``devices``.
    """
    from importlib.resources import as_file, files

    installed = files("c1222") / "samples" / kind
    with as_file(installed) as path:
        return path if path.is_dir() else Path(__file__).parents[2] / "specs" / kind


def capture_path(name: str) -> str:
    """Return where a capture is: the path itself, or that of a sample.

    Args:
        name: a path, ``-``, or ``sample:NAME``.
    """
    if not name.startswith(_SAMPLE):
        return name
    folder = sample_folder("captures")
    known = {path.stem: path for path in sorted(folder.glob("*.pcap*"))}
    wanted = name.removeprefix(_SAMPLE)
    if wanted not in known:
        fail(
            f"there is no sample {wanted!r}; samples: {', '.join(known)}" if wanted else f"samples: {', '.join(known)}"
        )
    return str(known[wanted])


def time_zone(name: str) -> dt.tzinfo:
    """Return the time zone of a name, or say that there is none."""
    from c1219.errors import UnknownZone
    from c1219.rules.timekeeping import zone_named

    try:
        return zone_named(name)
    except UnknownZone as error:
        fail(str(error))


def key_store(path: str | None, captures: Iterable[str] = ()) -> KeyStore:
    """Read the keys; without a file, samples come with theirs.

    Args:
        path: the file of keys, or None.
        captures: names of captures that shall be decoded with them.
    """
    from c1222.errors import InvalidKey
    from c1222.security.keys import KeyStore

    found = key_path(path, captures)
    try:
        return KeyStore() if found is None else KeyStore.from_file(found)
    except (InvalidKey, OSError) as error:
        fail(str(error))


def key_path(path: str | None, captures: Iterable[str] = ()) -> str | None:
    """Return where the keys are, None if there are none; samples come with theirs. Takes what `key_store` takes."""
    names = list(captures)
    if path is None and names and all(name.startswith(_SAMPLE) for name in names):
        return str(sample_folder("captures") / "keys.toml")
    return path
