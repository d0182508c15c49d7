"""``c1222 vectors``: make test vectors, check this or another implementation against them, answer them on two pipes."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from c1222.cli.columns import columns
from c1222.cli.options import FOUND, fail
from c1222.cli.printing import say
from c1222.cli.progress import progress
from c1222.cli.rows import Rows, row_options

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from c1222.vectors.model import Family
    from c1222.vectors.verify.comparison import Difference
    from c1222.vectors.verify.verification import VerificationReport

__all__ = ["command"]

SHOWN: Final = 10
"""Differences of a family that are printed without ``--all``."""


@click.group("vectors", short_help="make test vectors, and check an implementation against them")
def command() -> None:
    """Test vectors for C12.22 and C12.19: EAX', messages, services, types, tables, load profiles."""


@command.command("generate")
@click.option("--seed", type=int, required=True, metavar="N", help="The same seed makes the same files.")
@click.option("--out", required=True, metavar="DIR", type=click.Path(file_okay=False), help="Folder for the files.")
def generate(seed: int, out: str) -> None:
    """Make vectors: a flat folder, one file a family."""
    from c1222.errors import in_words
    from c1222.vectors.generation import write

    try:
        written = write(seed, Path(out))
    except OSError as error:
        fail(f"{out}: {in_words(error)}")
    for path, family in written:
        say(f"{path}: {family.size} cases")


@command.command("verify")
@click.argument("paths", metavar="FILE-or-DIR…", nargs=-1, required=True)
@click.option("--against", metavar="PROGRAM", help="A program that answers cases on its standard input and output.")
@click.option("--timeout", type=click.FloatRange(min=0.01), default=10.0, show_default=True, metavar="S",
              help="Seconds the program may take for a case.")  # fmt: skip
@click.option("--strict", is_flag=True, help="Treat remarks as differences.")
@click.option("--all", "everything", is_flag=True, help=f"Print all differences, not only {SHOWN} of each family.")
@row_options("text")
def verify(
    paths: tuple[str, ...],
    against: str | None,
    timeout: float,
    strict: bool,
    everything: bool,
    form: str,
    output: str | None,
) -> None:
    """Check this library, or another implementation, against vectors, and print where they differ.

    A difference contradicts what is sure; a remark contradicts what rests on one source or on inference. Every case is
    computed again, so a changed file is not taken for a wrong program. PROGRAM is split as a shell would;
    specs/vectors/README.md has the protocol, "c1222 vectors respond" speaks it.

    The exit code is 0 when nothing differs, 1 when something does or no case could be asked, 2 when a file cannot be
    read or the program not be started.
    """
    from c1222.errors import C1222Error
    from c1222.vectors.verify.program import Program
    from c1222.vectors.verify.verification import FAMILY_ROWS, family_rows
    from c1222.vectors.verify.verification import verify as hold

    rows = Rows(form, output)
    families = list(_families(paths))
    cases, count = sum(family.size for family in families), itertools.count(1)
    try:
        with progress("verifying") as tell:

            def step() -> None:
                tell(next(count), cases)

            if against is None:
                report = hold(families, on_case=step)
            else:
                with Program(against, time_out=timeout) as program:
                    report = hold(families, program, on_case=step)
                    if program.gave_up:
                        say(f"c1222: the program was given up after {program.restarts} restarts", err=True)
    except C1222Error as error:
        fail(str(error))
    if rows.wanted:
        rows.write(FAMILY_ROWS, family_rows(report))
    for line in _lines(report, everything):
        say(line, err=rows.wanted and not rows.to_file)
    sys.exit(FOUND if report.differing or (strict and report.remarked) or not report.judged else 0)


@command.command("respond")
def respond() -> None:
    """Answer cases, one JSON object a line on standard input, with this library: the other end of verify --against."""
    from c1222.vectors.operations import serve

    serve(sys.stdin.buffer, sys.stdout.buffer)


def _families(paths: Iterable[str]) -> Iterator[Family]:
    """Yield the families of files and folders, in the order in which they build on each other."""
    from c1222.errors import DecodeError, in_words
    from c1222.vectors.generation import FAMILIES
    from c1222.vectors.published import read

    files = [file for path in paths for file in _files(Path(path))]
    ranks = {name: rank for rank, name in enumerate(FAMILIES)}
    families = []
    for file in files:
        try:
            families.append(read(file.read_bytes()))
        except OSError as error:
            fail(f"{file}: {in_words(error)}")
        except DecodeError as error:
            fail(f"{file}: {error}")
    yield from sorted(families, key=lambda family: ranks.get(family.name, -1))


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    files = sorted(path.glob("*.json"))
    if not files:
        fail(f"{path}: there are no vectors in it")
    return files


def _lines(report: VerificationReport, everything: bool) -> Iterator[str]:
    header = ("FAMILY", "CASES", "JUDGED", "DIFFERENCES", "REMARKS")
    counted = [
        (outcome.family, outcome.cases, outcome.judged, outcome.differing, outcome.remarked)
        for outcome in report.outcomes
    ]
    for outcome in report.outcomes:
        for weight, found, count in (
            ("difference", outcome.differences, outcome.differing),
            ("remark", outcome.remarks, outcome.remarked),
        ):
            yield from _listed(weight, found, count, everything)
    yield from columns(header, counted, right=(1, 2, 3, 4))
    asked = sum(outcome.cases for outcome in report.outcomes)
    yield f"{report.judged} of {asked} cases judged, {report.differing} differences, {report.remarked} remarks"
    if report.first is not None:
        yield f"look at {report.first} first: what comes after it may differ only because it builds on it"


def _listed(weight: str, found: tuple[Difference, ...], count: int, everything: bool) -> Iterator[str]:
    shown = found if everything else found[:SHOWN]
    for difference in shown:
        yield f"{weight}: {difference}"
    if count > len(shown):
        yield f"{weight}: {count - len(shown)} more of {found[0].family}"
