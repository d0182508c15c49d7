"""Long work says on standard error that it goes on: with a bar on a terminal, with a line now and then elsewhere."""

from __future__ import annotations

import functools
import os
import sys
import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Final

from c1222.cli.printing import say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["file_progress", "progress"]

FIRST_BAR: Final = 0.5
"""Seconds of work before a bar is shown."""
FIRST_LINE: Final = 5.0
"""Seconds of work before the first line; after each, the next takes twice as long."""
_EVERY: Final = 2000


@contextmanager
def progress(
    what: str, *, octets: bool = False, clock: Callable[[], float] = time.monotonic
) -> Iterator[Callable[[int, int | None], None]]:
    """Show how far work is, once it has taken a while.

    Args:
        what: the work, such as ``making meters``.
        octets: what is counted are octets.
        clock: tells seconds.

    Yields:
        A function to call with how much is done, and how much there is if that is known.
    """
    with ExitStack() as stack:
        terminal = sys.stderr.isatty()
        shown = _bar(what, octets, stack) if terminal else _line(what, octets)
        pause = FIRST_BAR if terminal else FIRST_LINE
        due = clock() + pause

        def tell(done: int, total: int | None) -> None:
            nonlocal due, pause
            if clock() < due:
                return
            shown(done, total)
            if not terminal:
                pause *= 2
                due = clock() + pause

        yield tell


def _line(what: str, octets: bool) -> Callable[[int, int | None], None]:
    def shown(done: int, total: int | None) -> None:
        of = "" if total is None else f" of {total:,}"
        say(f"c1222: {what}: {done:,}{of}{' octets' * octets}", err=True)

    return shown


def _bar(what: str, octets: bool, stack: ExitStack) -> Callable[[int, int | None], None]:
    update: Callable[..., None] | None = None

    def shown(done: int, total: int | None) -> None:
        nonlocal update
        if update is None:
            from rich.console import Console
            from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TextColumn

            counted = DownloadColumn() if octets else MofNCompleteColumn()
            parts = (TextColumn("{task.description}"), BarColumn(), counted)
            # Results go on to standard output, which rich would else send where the bar is.
            made = Progress(*parts, console=Console(stderr=True), transient=True, redirect_stdout=False)
            bar = stack.enter_context(made)
            update = functools.partial(bar.update, bar.add_task(what, total=total))
        update(completed=done, total=total)

    return shown


@contextmanager
def file_progress(paths: Sequence[str], done: Callable[[], int]) -> Iterator[Callable[[], None]]:
    """Show how far files are decoded; where the output goes to a terminal, that shows it.

    Args:
        paths: the files; of what is no file, such as a pipe, nothing is shown.
        done: tells how many octets of them were read.

    Yields:
        A function to call after each message.
    """
    try:
        size = sum(os.stat(path).st_size for path in paths)  # noqa: PTH116 - also for "-", which is no file
    except OSError:
        size = 0
    if not size or sys.stdout.isatty():
        yield lambda: None
        return
    with progress("decoding", octets=True) as tell:
        count = 0

        def advance() -> None:
            nonlocal count
            count += 1
            if count % _EVERY == 0:
                tell(done(), size)

        yield advance
