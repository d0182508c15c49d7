"""Files that commands write: opened before the work starts, so that its result is not lost to a wrong name."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, NoReturn

import click

from c1222.cli.options import fail

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Output", "free_names", "private_files", "write_private"]

_OWNER_ONLY: Final = 0o600
_BINARY: Final = getattr(os, "O_BINARY", 0)


class Output:
    """A file for the result of a command; exits when it cannot be opened or written.

    What was in the file stays until the result is written; a file that was made for a result that never came is
    removed at the end of the command. Only its owner may read it from then on: what meters say may be secret.

    Args:
        path: where; None is no file, and what is written goes nowhere.
    """

    def __init__(self, path: str | None) -> None:
        self._file: IO[bytes] | None = None
        if path is None:
            return
        self._path = Path(path)
        self._unwritten = not self._path.exists()
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | _BINARY, _OWNER_ONLY)
            self._file = os.fdopen(descriptor, "ab")
        except OSError as error:
            _fail(path, error)
        click.get_current_context().call_on_close(self._close)

    def write(self, text: str) -> None:
        """Make text, as UTF-8, the content of the file."""
        if self._file is None:
            return
        with self.emptied() as file:
            file.write(text.encode())

    @contextlib.contextmanager
    def emptied(self) -> Iterator[IO[bytes]]:
        """Give the file, emptied, to be written; it must be one.

        What goes wrong in writing it ends the command.
        """
        if self._file is None:
            raise ValueError("there is no file to write")
        self._unwritten = False
        try:
            if self._path.is_file():  # a device has nothing to be cut
                with contextlib.suppress(PermissionError):  # the file of somebody else, who lets us write it
                    self._path.chmod(_OWNER_ONLY)
                self._file.truncate(0)
            yield self._file
            self._file.flush()
        except OSError as error:
            _fail(str(self._path), error)

    def _close(self) -> None:
        if self._file is not None:
            with contextlib.suppress(OSError):  # a failure to write was reported when it happened
                self._file.close()
            if self._unwritten:
                self._path.unlink(missing_ok=True)


def private_files(*paths: Path) -> list[IO[bytes]]:
    """Make files that are not there yet, which only their owner may read; exit if one cannot be made."""
    for path in paths:
        if os.path.lexists(path):
            fail(f"{path} is there already: remove it, or name another file")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY
    files: list[IO[bytes]] = []
    for path in paths:
        try:
            files.append(os.fdopen(os.open(path, flags, _OWNER_ONLY), "wb"))
        except OSError as error:
            _fail(str(path), error)
    return files


def write_private(path: Path, text: str) -> None:
    """Put text, as UTF-8, into a file for its owner alone, all of it or nothing; exit if that cannot be done."""
    from c1222.capture.files.writer import private_file

    try:
        with private_file(path) as file:
            file.write(text.encode())
    except OSError as error:
        _fail(str(path), error)


def free_names(stem: str, *suffixes: str) -> list[Path]:
    """Return a name in this folder for each suffix, alike but for that: with a number where one of them is taken."""
    number = 1
    while True:
        names = [Path(f"{stem}{'' if number == 1 else f'-{number}'}{suffix}") for suffix in suffixes]
        if not any(os.path.lexists(name) for name in names):
            return names
        number += 1


def _fail(path: str, error: OSError) -> NoReturn:
    from c1222.errors import in_words

    fail(f"{path}: {in_words(error)}")
