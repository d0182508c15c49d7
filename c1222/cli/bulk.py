"""``c1222 bulk``: captures and device files as folders of Parquet files."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from c1222.cli.device_files import declarations_option, declare, device_path, is_device_file
from c1222.cli.options import FOUND, UNREADABLE, capture_path, fail, has_error, key_path, keys_option
from c1222.cli.printing import say
from c1222.cli.progress import progress

if TYPE_CHECKING:
    from collections.abc import Iterable

    from c1222.bulk.parquet.work import UnitDone

__all__ = ["command"]


@click.command("bulk", short_help="make Parquet files of captures and device files: messages, tables, readings")
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@keys_option
@click.option("--out", required=True, metavar="DIR", type=click.Path(file_okay=False), help="Folder of the files.")
@click.option("--what", type=click.Choice(["messages", "tables", "readings"]), default="readings", show_default=True,
              help="What to make; of device files no messages.")  # fmt: skip
@click.option("--jobs", type=click.IntRange(1), default=1, show_default=True, help="Processes, over the files.")
@click.option("--device", "given", metavar="FILE", multiple=True, type=click.Path(dir_okay=False),
              help="Device file with tables that captures may lack; may be given several times.")  # fmt: skip
@click.option("--port", "ports", type=click.IntRange(0, 65535), multiple=True, help="Port of C12.22, besides 1153.")
@click.option("--only-ports", is_flag=True, help="Do not look for C12.22 on other ports.")
@declarations_option
def command(
    sources: tuple[str, ...],
    keys: str | None,
    out: str,
    what: str,
    jobs: int,
    given: tuple[str, ...],
    ports: tuple[int, ...],
    only_ports: bool,
    declarations: tuple[str, ...],
) -> None:
    """Make folders of Parquet files that DuckDB, Polars, Spark and pandas read.

    SOURCE is a capture, a device file, or sample:NAME of either; thousands of them are fine. Rows go to
    DIR/messages/date=…, DIR/readings/date=…/part=… and DIR/tables/table=…/kind=…/date=…, by day in UTC (of readings,
    when they held; of tables, when they were read), by a hash of the meter, and by the configuration of meters. The
    columns are those of specs/columns.md; tables have one for each element.

    Each capture is treated by itself, so that several can be at the same time: what is in another file is not known,
    such as the request of an answer; that is counted. Files that were done are not done again while they stay as they
    are; of each, all rows appear or none.
    """
    try:
        from c1222.bulk.parquet.work import ChangedFile, carried_out, units_of
    except ImportError as error:
        fail(f"{error}: bulk needs the extra arrow; pip install 'c1222[arrow]'")
    from c1222.capture.network.streams import C1222_PORT
    from c1222.errors import in_words

    if declarations and jobs > 1:
        fail("--declarations and --jobs do not go together")
    declare(declarations)
    devices = [device_path(name) for name in sources if is_device_file(name)]
    captures = [capture_path(name) for name in sources if not is_device_file(name)]
    if devices and what == "messages":
        fail(f"{devices[0]} is a device file: there are no messages in it")
    options: dict[str, Any] = {
        "what": what,
        "out": out,
        "keys": key_path(keys, [name for name in sources if not is_device_file(name)]),
        "given": tuple(map(device_path, given)),
        "ports": (C1222_PORT, *ports),
        "by_content": not only_ports,
    }
    try:
        units, before = units_of(captures, devices, **options)
        size = sum(unit.size for unit in units)
    except ChangedFile as error:
        fail(str(error))
    except OSError as error:
        fail(f"{error.filename}: {in_words(error)}")
    if before:
        say(f"c1222: {before:,} files were done before", err=True)
    taken = 0
    with progress(what, octets=True) as show:

        def tell(octets: int) -> None:
            nonlocal taken
            taken += octets
            show(taken, size)

        done = list(_said(carried_out(units, jobs=jobs, tell=tell)))
    rows, files = sum(one.rows for one in done), sum(len(one.files) for one in done)
    failed = [one for one in done if one.error is not None]
    say(f"c1222: {rows:,} {what} in {files:,} files", err=True)
    if failed:
        sys.exit(UNREADABLE if len(failed) == len(done) else FOUND)
    sys.exit(FOUND if any(one.incomplete or has_error(one.findings) for one in done) else 0)


def _said(done: Iterable[UnitDone]) -> Iterable[UnitDone]:
    """Print what was found as units end."""
    from c1222.capture.text import finding_line

    for one in done:
        name = (
            one.unit.paths[0] if len(one.unit.paths) == 1 else f"{one.unit.paths[0]} and {len(one.unit.paths) - 1} more"
        )
        if one.error is not None:
            say(f"c1222: {name}: {one.error}", err=True)
        for finding in one.findings:
            say(f"{name}: {finding_line(finding)}", err=True)
        if one.incomplete:
            say(f"c1222: {name}: {one.incomplete:,} messages could not be opened, verified or decoded", err=True)
        yield one
