"""``c1222 collect``: what is new in the meters of a list, into a store."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import json
import signal
import sys
from typing import TYPE_CHECKING, Any, Final

import click

from c1222.cli.named_meters import load_meters, meters_option
from c1222.cli.options import fail
from c1222.cli.outputs import Output
from c1222.cli.printing import say, say_json_line
from c1222.cli.progress import progress

if TYPE_CHECKING:
    from c1222.collect.harvest import PollVerdict
    from c1222.collect.polling import RunReport

__all__ = ["command"]

_WHAT: Final = "registers,load-profile,events"


@click.command("collect", short_help="poll meters of a list into a store: what is new in each")
@click.argument("group", metavar="GROUP")
@meters_option
@click.option("--what", default=_WHAT, show_default=True, help="What to read, with commas between.")
@click.option(
    "--store", required=True, metavar="WHERE", help="A folder for Parquet files, sqlite:///FILE, or postgresql://…."
)
@click.option(
    "--days", type=click.FloatRange(0, min_open=True), help="Of meters that the store does not know, only so many days."
)
@click.option("--keep-raw", is_flag=True, help="Keep the octets of tables too, for a better decoder of a later day.")
@click.option("--concurrency", type=click.IntRange(1), help="Meters polled at once; default: 256.")
@click.option("--rate", type=click.FloatRange(0, min_open=True), help="Polls begun in a second, at most.")
@click.option("--tries", type=click.IntRange(1), help="How often a silent or busy meter is polled; default: 2.")
@click.option(
    "--pause", type=click.FloatRange(0), help="Seconds before a silent meter is polled again; default: 15, busy 60."
)
@click.option("--quiet", is_flag=True, help="Print only the meters of which something is missing.")
@click.option(
    "--format", "form", type=click.Choice(["text", "jsonl"]), default="text", show_default=True, help="Of the verdicts."
)
@click.option("--json", "json_file", metavar="FILE", type=click.Path(dir_okay=False), help="The run, as JSON.")
def command(
    group: str,
    meters: str | None,
    what: str,
    store: str,
    days: float | None,
    keep_raw: bool,
    concurrency: int | None,
    rate: float | None,
    tries: int | None,
    pause: float | None,
    quiet: bool,
    form: str,
    json_file: str | None,
) -> None:
    """Read what is new in the meters of GROUP, and keep it.

    GROUP is a group of the file of meters, all, or the name of one meter. Prints a line for each meter once the store
    has what it brought. A run that was ended early, even by kill -9, is gone on with by the same command; SIGTERM and
    an interrupt end it after the meters at hand.

    Exit code 0: all meters; 1: some of them, or some in part; 2: usage, or a store that cannot be opened; 3: none.
    """
    from c1222.collect.meters_file import MetersFileError
    from c1222.collect.polling import run_async
    from c1222.collect.stores.sink import StoreError

    names = tuple(name.strip() for name in what.split(","))
    given = {"concurrency": concurrency, "rate": rate, "tries": tries, "silent_seconds": pause, "busy_seconds": pause}
    options: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    output = Output(json_file)
    try:
        listed = load_meters(meters).group(group)
    except MetersFileError as error:
        fail(str(error))
    since = None if days is None else dt.datetime.now(dt.UTC) - dt.timedelta(days=days)

    async def work() -> RunReport:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        with contextlib.suppress(NotImplementedError):  # Windows: an interrupt is an exception there
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(number, stop.set)
        with progress("polling") as advance:
            done = 0

            def tell(verdict: PollVerdict) -> None:
                nonlocal done
                done += 1
                if not (quiet and verdict.outcome == "ok"):
                    say_json_line(json.dumps(verdict._asdict())) if form == "jsonl" else say(verdict.line)
                    sys.stdout.flush()
                advance(done, len(listed))

            return await run_async(
                listed, names, store, group=group, since=since, keep_raw=keep_raw, stop=stop, tell=tell, **options
            )

    try:
        report = asyncio.run(work())
    except (StoreError, ValueError) as error:
        fail(str(error))
    output.write(json.dumps(report.as_dict(), indent=1) + "\n")
    outcomes = ", ".join(f"{count} {outcome}" for outcome, count in sorted(report.outcomes.items())) or "none polled"
    before = f", {report.done_before} done before" if report.done_before else ""
    say(
        f"c1222: {report.meters} meters: {outcomes}{before}; {report.readings} readings, {report.events} events"
        f" in {report.seconds:.1f} s",
        err=True,
    )
    if report.stopped:
        say("c1222: ended early; the same command goes on", err=True)
    if report.trouble:
        say(f"c1222: {report.trouble}", err=True)
    sys.exit(report.exit_code)
