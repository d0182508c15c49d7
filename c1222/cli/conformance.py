"""``c1222 conformance``: numbered checks of a node; or, to check a head-end, a node that misbehaves on purpose."""

from __future__ import annotations

import itertools
import json
import sys
from typing import TYPE_CHECKING, Any, Final

import click

from c1219.printable import printable
from c1222.cli.connection import client_settings, connection_options
from c1222.cli.device_files import DEVICE_HELP, read_device
from c1222.cli.options import FOUND, fail, key_store
from c1222.cli.outputs import Output
from c1222.cli.printing import say, say_json, say_table
from c1222.cli.progress import progress
from c1222.cli.rows import Rows, row_options
from c1222.transport.lines.line_url import is_line_url

if TYPE_CHECKING:
    from c1222.conformance.run import Report
    from c1222.conformance.target import Target
    from c1222.node.network.server import NodeServer
    from c1222.transport.lines.line_url import LineUrl
    from c1222.transport.url import Url

__all__ = ["command"]

_NO_CONTACT: Final = 3
_COLOURS: Final = {"pass": "green", "warning": "yellow", "fail": "bold red", "skipped": "dim"}
_SHOWN: Final = 5


def _list(ctx: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        from c1222.conformance.catalogue import CHECKS
        from c1222.conformance.line.catalogue import LINE_CHECKS
        from c1222.conformance.misbehaviours import MISBEHAVIOURS

        for check in (*CHECKS, *LINE_CHECKS):
            say(f"{check.id:11} [{check.rule.mark.value}] {check.title}")
        say()
        for case in MISBEHAVIOURS.values():
            say(f"{case.id:24} {case.title}")
        ctx.exit()


@click.command("conformance", short_help="check a node against numbered rules, or be a node that misbehaves")
@connection_options
@click.option(
    "--allow-writes", is_flag=True, help="Also run checks that write to the node; they restore what they changed."
)
@click.option(
    "--only", multiple=True, metavar="ID", help="Only this check, or those whose ids begin like this, such as C-SEC."
)
@click.option("--json", "json_file", metavar="FILE", type=click.Path(dir_okay=False, allow_dash=True), help="As JSON.")
@click.option("--junit", "junit_file", metavar="FILE", type=click.Path(dir_okay=False), help="As JUnit XML.")
@row_options("text")
@click.option("--notes", is_flag=True, help="Also show the remarks of checks that passed.")
@click.option(
    "--quiet",
    type=click.FloatRange(0, min_open=True),
    help="Seconds to listen where no answer is expected; default: 1.",
)
@click.option(
    "--patience", type=click.FloatRange(0), help="Seconds to wait for idle time-outs and the like; default: 5."
)
@click.option(
    "--listen", multiple=True, metavar="ADDRESS", help="Simulate a node that misbehaves, at udp:// or tcp://."
)
@click.option("--profile", metavar="FILE", help=f"Device the node is made from: {DEVICE_HELP}")
@click.option("--misbehave", "case", metavar="CASE", help="What it does wrong; see --list.")
@click.option("--list", is_flag=True, is_eager=True, expose_value=False, callback=_list, help="List checks and cases.")
def command(
    connection: dict[str, Any],
    allow_writes: bool,
    only: tuple[str, ...],
    json_file: str | None,
    junit_file: str | None,
    form: str,
    output: str | None,
    notes: bool,
    quiet: float | None,
    patience: float | None,
    listen: tuple[str, ...],
    profile: str | None,
    case: str | None,
) -> None:
    """Check the node at URL, udp://host:port or tcp://host:port, against numbered rules.

    Or the device at a serial line, serial:///dev/ttyUSB0 or c1218+tcp://host:port, against those of its link: packets,
    acknowledgements, repetitions, sizes, states. It is only read, and told one wrong password.

    Each check names the rule it rests on and how sure that is: [V] two independent sources, [1] one, [?] inference. A
    rule that is not sure, or disputed, gives a warning and never a failure. Without --allow-writes nothing is written;
    a few wrong passwords and wrong MACs are sent even so.

    With --listen, --profile and --misbehave, simulate a node that does one thing wrong, to check a head-end.

    Exit code 0: no failure; 1: failures; 2: usage; 3: the node does not answer.
    """
    from c1222.conformance.report import CHECK_ROWS, as_dict, check_rows, junit

    if listen or case is not None:
        _misbehave(listen or ("udp://127.0.0.1:1153",), profile, case, connection["keys"])
        return
    at_line = connection["url"] is not None and is_line_url(connection["url"])
    for name in ("url",) if at_line else ("url", "called", "calling"):
        if connection[name] is None:
            missing = "URL" if name == "url" else f"--{name}"
            raise click.UsageError(f"{missing} is missing (or --listen, --profile and --misbehave)")
    target = None
    if not at_line:
        target = _target(connection, allow_writes=allow_writes, quiet=quiet, patience=patience)
    rows = Rows(form, output)
    to_stdout = rows.wanted and not rows.to_file
    if to_stdout and json_file == "-":
        fail(f"--json - and --format {form} both go to standard output: name a file for one of them")
    as_json, as_junit = Output(None if json_file == "-" else json_file), Output(junit_file)
    if target is None:
        from c1222.cli.conformance_line import check_line

        others = {"allow_writes": allow_writes, "quiet": quiet, "patience": patience}
        report = check_line(connection, only, others)
    else:
        report = _run(connection["url"], target, only)
    _show(report, notes=notes, to_stderr=json_file == "-" or to_stdout)
    if rows.wanted:
        rows.write(CHECK_ROWS, check_rows(report))
    text = json.dumps(as_dict(report), indent=1, ensure_ascii=False) + "\n"
    if json_file == "-":
        say_json(as_dict(report))
    as_json.write(text)
    as_junit.write(junit(report))
    if not report.contact:
        say("c1222: the node does not answer", err=True)
        sys.exit(_NO_CONTACT)
    sys.exit(FOUND if report.failed else 0)


for _parameter in command.params:
    if _parameter.name == "url":
        _parameter.required = False  # --listen does without


def _target(connection: dict[str, Any], *, allow_writes: bool, quiet: float | None, patience: float | None) -> Target:
    """Return the node to check; exit if the options do not make one."""
    from c1222.conformance.target import Target
    from c1222.errors import C1222Error
    from c1222.message.aptitle import ApTitle
    from c1222.message.epsem import SecurityMode
    from c1222.security.keys import KeyStore

    settings = client_settings(connection)
    if settings["device"] is not None:
        fail("--device: tables are always read from the node here")
    keys = KeyStore.of(settings["key"])
    key_ids = {key.id for key in keys}
    key_id = settings["key_id"] if settings["key_id"] is not None else min(key_ids) if len(key_ids) == 1 else None
    mode = settings["mode"] if settings["mode"] is not None else 2 if key_ids else 0
    if mode and key_id is None:
        fail("a secured mode needs --keys, and --key-id where there are several")
    times = {name: settings[name] for name in ("timeout", "attempts")} | {"quiet": quiet, "patience": patience}
    try:
        return Target(
            called=ApTitle(settings["called"]),
            calling=ApTitle(settings["calling"]),
            keys=keys,
            key_id=key_id,
            mode=SecurityMode(mode),
            user_id=settings["user_id"],
            user=settings["user"],
            password=settings["password"],
            ed_class=settings["ed_class"],
            id_bits=settings["id_bits"],
            sessions=settings["session"],
            writes=allow_writes,
            **{name: value for name, value in times.items() if value is not None},
        )
    except C1222Error as error:
        fail(str(error))


def _run(url: str, target: Target, only: tuple[str, ...]) -> Report:
    """Run the checks and show progress; exit if none match."""
    from c1222.client.clock import SystemClock
    from c1222.conformance.catalogue import chosen
    from c1222.conformance.opening import way_to
    from c1222.conformance.probe import Probe
    from c1222.conformance.run import run
    from c1222.errors import C1222Error

    try:
        checks = chosen(only)
        way = way_to(url, timeout=target.timeout)
    except KeyError as error:
        fail(f"--only: no check begins with {error.args[0]!r}; --list has them")
    except C1222Error as error:
        fail(str(error))
    count = itertools.count(1)
    with progress("checking") as tell:
        return run(Probe(target, way, SystemClock()), checks, on_result=lambda _result: tell(next(count), len(checks)))


def _show(report: Report, *, notes: bool, to_stderr: bool) -> None:
    """Print the table and a summary."""
    from rich.table import Table
    from rich.text import Text

    from c1222.conformance.rules import CheckVerdict

    table = Table(box=None, pad_edge=False)
    for name in ("check", "verdict", "mark"):
        table.add_column(name, no_wrap=True)
    table.add_column("what holds, or what was seen")
    contact = report.contact
    for result in report.results:
        if not contact and result.verdict is CheckVerdict.SKIPPED:
            continue  # all of them were, and for one reason
        check, verdict = result.check, result.verdict
        lines = [check.title]
        if result.reason:
            lines.append(f"  skipped: {result.reason}")
        seen = [one for one in result.remarks if notes or one.level != "note"]
        lines += [f"  {one.level}: {one.text}" for one in seen[:_SHOWN]]
        if len(seen) > _SHOWN:
            lines.append(f"  and {len(seen) - _SHOWN} more")
        if verdict in {CheckVerdict.FAIL, CheckVerdict.WARNING}:
            disputed = f"; otherwise: {check.rule.disputed}" if check.rule.disputed else ""
            lines.append(f"  rule: {check.rule.text} ({check.rule.source}{disputed})")
        cells = Text(verdict.value, style=_COLOURS[verdict.value])
        table.add_row(check.id, cells, f"\\[{check.rule.mark.value}]", Text("\n".join(map(printable, lines))))
    say_table(table, err=to_stderr)
    counts = ", ".join(f"{report.count(verdict)} {verdict.value}" for verdict in CheckVerdict)
    say(err=to_stderr)
    say(f"{report.called}, {report.mode}: {counts}", err=to_stderr)


def _misbehave(listen: tuple[str, ...], profile: str | None, case: str | None, key_file: str | None) -> None:
    """Serve a node that misbehaves, until interrupted; exit if that cannot be done."""
    import asyncio

    from c1222.client.clock import SystemClock
    from c1222.conformance.misbehaviours import MISBEHAVIOURS
    from c1222.conformance.misbehaviours.listening import serve
    from c1222.conformance.misbehaviours.specimen import Specimen
    from c1222.errors import C1222Error
    from c1222.node.meter.profile import Profile

    if profile is None or case is None:
        raise click.UsageError("--listen needs --profile and --misbehave")
    wrong = MISBEHAVIOURS.get(case)
    if wrong is None:
        fail(f"--misbehave: there is no case {case!r}; --list has them")
    keys = key_store(key_file)
    if wrong.secured and not len(keys):
        fail(f"--misbehave {case} takes --keys")

    def ready(_server: NodeServer, urls: list[Url | LineUrl]) -> None:
        say(f"{specimen.title}: {wrong.title}.")
        say(f"A good head-end: {wrong.good}")
        for url in urls:
            say(f"listening at {url}")
        sys.stdout.flush()

    try:
        specimen = Specimen(Profile(read_device(profile)), keys=keys, misbehaviour=wrong, utc=SystemClock().utc)
        asyncio.run(serve(specimen, listen, ready=ready))
    except C1222Error as error:
        fail(str(error))
