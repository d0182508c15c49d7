"""``c1222 device``: the content of a device file, for people."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

import click

from c1222.cli.amounts import unit_option
from c1222.cli.device_files import declarations_option, declare, read_device
from c1222.cli.options import FOUND, fail, has_error, time_zone
from c1222.cli.printing import say, say_json, say_xml
from c1222.cli.rows import Rows, csv_options, layout_option, row_options

if TYPE_CHECKING:
    from collections.abc import Callable

    from c1219 import Device
    from c1219.errors import Finding

__all__ = ["command", "view_of", "view_options"]


_VIEW_OPTIONS: Final = (
    click.option("--identity", is_flag=True, help="Who the meter is."),
    click.option("--clock", is_flag=True, help="Its clock, season and tier."),
    click.option("--registers", is_flag=True, help="Every value of ST23 to ST28."),
    click.option(
        "--load-profile", "profile", type=click.IntRange(1, 4), metavar="N", help="Set N of the load profile."
    ),
    click.option("--events", is_flag=True, help="The history and event logs."),
    click.option(
        "--zone", metavar="NAME", help="Time zone of the meter, for example America/Denver; overrides its own."
    ),
    unit_option,
)


_NAMED_IN_COSEM: Final = ("registers", "load_profile")


def view_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that name views, the time zone, and the unit of amounts."""
    for option in reversed(_VIEW_OPTIONS):
        function = option(function)
    return function


@click.command("device", short_help="print what a device's tables hold")
@click.argument("file", metavar="FILE")
@view_options
@click.option("--access", is_flag=True, help="Who may read and write what; passwords are not shown.")
@click.option("--cosem", is_flag=True, help="What it is in COSEM (specs/cosem.md): objects, and what has none.")
@click.option("--obis", is_flag=True, help="Registers and load profiles get their logical names in COSEM, too.")
@row_options("text", "json", "espi")
@layout_option
@declarations_option
def command(
    file: str,
    identity: bool,
    clock: bool,
    registers: bool,
    profile: int | None,
    events: bool,
    access: bool,
    cosem: bool,
    obis: bool,
    zone: str | None,
    unit: str,
    form: str,
    output: str | None,
    layout: str | None,
    declarations: tuple[str, ...],
) -> None:
    """Print what the tables in a device file hold: identity, clock and registers, or what is asked for.

    FILE is a JSON file of a device's tables, - for standard input, or sample:NAME. The forms jsonl, csv and parquet are
    for one of them at a time, espi (Green Button) is for registers and load profile.

    Results go to standard output, findings to standard error. The exit code is 1 when something could not be decoded.
    """
    declare(declarations)
    wanted = [
        name
        for name, flag in (
            ("identity", identity),
            ("clock", clock),
            ("registers", registers),
            ("load_profile", profile is not None),
            ("events", events),
            ("access", access),
            ("cosem", cosem),
        )
        if flag
    ] or (["registers"] if form == "espi" else ["identity", "clock", "registers"])
    rows = Rows(form, output)
    if rows.wanted and len(wanted) != 1:
        fail(f"{form} is for one of --registers, --load-profile, --events, --identity, --clock, --access and --cosem")
    options_of_csv = csv_options(form, layout, profile=wanted == ["load_profile"])
    if form == "espi" and not {"registers", "load_profile"}.issuperset(wanted):
        fail("espi is for --registers and --load-profile")
    device = read_device(file)
    options = {} if zone is None else {"zone": time_zone(zone)}
    names = {"obis": True} if obis else {}
    views = {
        name: view_of(device, name, profile or 1, options | (names if name in _NAMED_IN_COSEM else {}))
        for name in wanted
    }
    remarks: tuple[Finding, ...] = ()
    if form == "espi":
        remarks = _espi(device, views, options)
    elif form == "json":
        shown = {name: _as_dict(view) for name, view in views.items()}
        say_json(shown)
    elif rows.wanted:
        rows.write_view(views[wanted[0]], **options_of_csv)
    else:
        from c1222.cli.view_text import view_lines

        for number, (name, view) in enumerate(views.items()):
            title = name.replace("_", " ") + (f" {profile}" if name == "load_profile" else "")
            if number:
                say()
            say(title)
            for line in view_lines(name, view, unit):
                say(f"  {line}")
    findings = list(dict.fromkeys([*(finding for view in views.values() for finding in view.findings), *remarks]))
    from c1222.capture.text import finding_line

    for finding in findings:
        say(finding_line(finding), err=True)
    if missing := device.missing():
        say(f"to understand all tables that are here, read {', '.join(missing)}", err=True)
    sys.exit(FOUND if has_error(findings) else 0)


def view_of(device: Device, name: str, profile: int, options: dict[str, Any]) -> Any:
    """Return a view of a device.

    Args:
        device: the device.
        name: as for `c1222.cli.view_text.view_lines`.
        profile: number of the load profile set, for that view.
        options: of views, such as the time zone.
    """
    if name == "load_profile":
        return device.load_profile(profile, **options)
    return getattr(device, name)(**({} if name in {"identity", "access"} else options))


def _espi(device: Device, views: dict[str, Any], options: dict[str, Any]) -> tuple[Finding, ...]:
    """Print registers and load profile as Green Button, marked with the time of the meter's clock if that is known."""
    import datetime as dt

    from c1219.export.espi import espi

    read_at = device.clock(**options).time
    profiles = [views["load_profile"]] if "load_profile" in views else []
    feed = espi(
        device,
        updated=read_at or dt.datetime.now(dt.UTC),
        profiles=profiles,
        registers=views.get("registers"),
        read_at=read_at,
        **options,
    )
    say_xml(feed.xml)
    return feed.findings


def _as_dict(view: Any) -> Any:
    found: dict[str, Any] = view.as_dict()
    return found
