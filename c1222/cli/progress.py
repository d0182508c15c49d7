"""A progress bar on standard error: for big files on a terminal, and none otherwise."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["BIG_FILE", "progress"]

BIG_FILE: Final = 4 << 20
"""Octets from which a file is worth a bar."""
_EVERY: Final = 2000


@contextmanager
def progress(path: str, done: Callable[[], int]) -> Iterator[Callable[[], None]]:
    """Show how far a file is read.

    Args:
        path: the file.
        done: tells how many octets of it were read.

    Yields:
        A function to call after each message.
    """
    try:
        size = os.stat(path).st_size  # noqa: PTH116 - also for "-", which is no file
    except OSError:
        size = 0
    if size < BIG_FILE or not sys.stderr.isatty() or sys.stdout.isatty():
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("decoding", total=size)
        count = 0

        def advance() -> None:
            nonlocal count
            count += 1
            if count % _EVERY == 0:
                bar.update(task, completed=done())

        yield advance
