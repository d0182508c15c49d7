"""``c1222 decode`` with a view: what captures show of meters, not their messages."""

from __future__ import annotations

import copy
import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from c1222.cli.device import view_of
from c1222.cli.options import fail, has_error
from c1222.cli.outputs import write_private
from c1222.cli.printing import say, say_json_line
from c1222.cli.progress import file_progress
from c1222.cli.view_text import view_lines

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Sequence

    from c1219 import Device
    from c1222.capture.captured_device import CapturedDevice
    from c1222.capture.decoder import CaptureDecoder
    from c1222.capture.devices import CapturedDevices
    from c1222.capture.serial.decoder import SerialLogDecoder
    from c1222.cli.rows import Rows

__all__ = ["Wanted", "show_devices"]

_ROWS: Final = {"registers": "registers", "load_profile": "intervals", "events": "events"}
"""What the rows of a view are called in its JSON."""
_TABLE_OF_LOG: Final = {"history": "ST74", "event": "ST76"}
_LASTING: Final = frozenset({"load_profile", "events"})
"""Views whose rows stay as they are, and may be out of sight while a meter is read anew."""
_REMEMBERED: Final = 16
_NOT_OF_NAMES: Final = re.compile(r"[^A-Za-z0-9.-]")


class _Printed:
    """Which rows of a view were printed.

    Args:
        remembered: how often a view may be made without a row before the row is new again.
    """

    def __init__(self, remembered: int) -> None:
        self._remembered = remembered
        self._times: dict[int, int] = {}
        self._now = 0

    def new(self, keys: list[int]) -> list[int]:
        """Return the places of the rows that are new, and note them."""
        found = [index for index, key in enumerate(keys) if key not in self._times]
        self._now += 1
        self._times |= dict.fromkeys(keys, self._now)
        self._times = {key: time for key, time in self._times.items() if time > self._now - self._remembered}
        return found


class Wanted(NamedTuple):
    """What is asked for.

    Attributes:
        views: names of views, as of the methods of a device.
        profile: number of the load profile set.
        node: title of the one node, or None for all.
        form: ``text``, or one of `c1222.cli.rows.ROW_FORMS`.
        options: of views: the time zone.
        folder: where device files go, or None.
        show_secrets: also write tables of passwords and keys.
        rows: where rows go.
        in_csv: options of views in CSV.
        unit: of amounts in text.
    """

    views: tuple[str, ...]
    profile: int
    node: str | None
    form: str
    options: dict[str, Any]
    folder: str | None
    show_secrets: bool
    rows: Rows
    in_csv: dict[str, str]
    unit: str

    def of(self, device: Device) -> dict[str, Any]:
        """Return the views of a device, by name."""
        return {name: view_of(device, name, self.profile, self.options) for name in self.views}

    def title(self, name: str) -> str:
        """Return a view as headings call it."""
        return name.replace("_", " ") + (f" {self.profile}" if name == "load_profile" else "")


def show_devices(
    decoder: CaptureDecoder | SerialLogDecoder,
    paths: Sequence[str],
    devices: CapturedDevices,
    wanted: Wanted,
    *,
    live: bool,
) -> bool:
    """Print what a capture shows of meters.

    Args:
        decoder: the capture.
        paths: its files.
        devices: where to collect the tables.
        wanted: what is asked for.
        live: print what is new as it comes, but CSV, Parquet and what goes to a file.

    Returns:
        Whether something could not be decoded or verified.
    """
    from c1222.capture.text import finding_line, summary

    printed: dict[tuple[str, str], _Printed] = {}
    live = live and wanted.form in {"text", "jsonl"} and not wanted.rows.to_file
    try:
        with file_progress(paths, lambda: decoder.reader.octets_read) as advance:
            for message in decoder:
                title = devices.add(message)
                if live and title is not None:
                    _print_new(devices, title, wanted, printed)
                advance()
    finally:
        decoder.close()
    findings = decoder.findings()
    for finding in findings:
        say(finding_line(finding), err=True)
    counters = decoder.counters
    say(summary(counters), err=True)
    failed = has_error(findings) or bool(counters.undecodable or counters.refused or counters.unchecked)
    titles = _titles(devices, wanted.node)
    remarks: list[str] = []
    if wanted.views:
        failed |= _print_all(devices, titles, wanted, remarks, done={title for title, _ in printed})
    for finding in devices.findings():
        remarks.append(finding_line(finding))
        failed |= finding.level == "error"
    for line in dict.fromkeys(remarks):
        say(line, err=True)
    if wanted.folder is not None:
        _save(devices, titles, Path(wanted.folder), show_secrets=wanted.show_secrets)
    return failed


def _titles(devices: CapturedDevices, node: str | None) -> list[str]:
    titles = list(devices)
    if node is None:
        if not titles:
            say("the tables of no node were seen", err=True)
        return titles
    title = devices.title(node)
    if title is None:
        fail(f"nothing was seen of the tables of {node}; there are {', '.join(titles[:10]) or 'none'}")
    return [title]


def _print_all(
    devices: CapturedDevices, titles: list[str], wanted: Wanted, remarks: list[str], *, done: Container[str]
) -> bool:
    """Print the views of devices, but of those that are done; return whether a finding is of level error."""
    from c1222.capture.text import finding_line

    if wanted.form == "csv" and len(titles) > 1:
        fail(f"csv is for one node: name it with --node, {', '.join(titles[:10])}; or take --format jsonl or parquet")
    failed = False

    def seen() -> Iterator[tuple[CapturedDevice, dict[str, Any]]]:
        """Yield what is to be printed, and take the findings of all."""
        nonlocal failed
        for title in titles:
            device = devices[title]
            views = wanted.of(device)
            if title not in done:
                yield device, views
            findings = [*device.findings, *(finding for view in views.values() for finding in view.findings)]
            remarks.extend(f"{title}: {finding_line(finding)}" for finding in findings)
            failed |= has_error(findings)

    if wanted.form == "text":
        for number, (device, views) in enumerate(seen()):
            if number:
                say()
            say(device.title, bold=True)
            _say_views(views, wanted)
    elif wanted.form == "jsonl":
        wanted.rows.write_lines(
            json.dumps(row, ensure_ascii=False)
            for device, views in seen()
            for name, view in views.items()
            for row in _rows(device, name, view)
        )
    elif wanted.form == "parquet":
        from c1219 import Device

        schema = wanted.of(Device())[wanted.views[0]].schema
        wanted.rows.write(schema, (row for _, views in seen() for row in views[wanted.views[0]].table_rows()))
    else:
        for _, views in seen():
            wanted.rows.write_view(views[wanted.views[0]], **wanted.in_csv)
    return failed


def _say_views(views: dict[str, Any], wanted: Wanted) -> None:
    for name, view in views.items():
        say(f"  {wanted.title(name)}")
        for line in view_lines(name, view, wanted.unit):
            say(f"    {line}")


def _print_new(devices: CapturedDevices, title: str, wanted: Wanted, printed: dict[tuple[str, str], _Printed]) -> None:
    """Print the rows of a device that were not there when it was printed last."""
    if wanted.node is not None and devices.title(wanted.node) != title:
        return
    device = devices[title]
    for name, view in wanted.of(device).items():
        rows = list(_rows(device, name, view))
        keys = [hash(json.dumps({k: v for k, v in row.items() if k != "read_at"})) for row in rows]
        new = printed.setdefault((title, name), _Printed(_REMEMBERED if name in _LASTING else 1)).new(keys)
        if not new:
            continue
        if wanted.form == "jsonl":
            for index in new:
                say_json_line(json.dumps(rows[index], ensure_ascii=False))
        else:
            shown = copy.copy(view)
            if name in _ROWS:
                shown.rows = tuple([view.rows[index] for index in new])
            times = [one.last for one in device.seen.values() if one.last is not None]
            say(f"{title}  {max(times):%Y-%m-%d %H:%M:%S}" if times else title, bold=True)
            _say_views({name: shown}, wanted)
        sys.stdout.flush()


def _rows(device: CapturedDevice, name: str, view: Any) -> Iterator[dict[str, Any]]:
    """Yield what a view has, row by row, in terms of JSON: with the node, and where the row comes from."""
    shown: dict[str, Any] = view.as_dict()
    if name not in _ROWS:
        shown.pop("findings", None)
        yield {"node": device.title, "view": name, **shown}
        return
    for row in shown[_ROWS[name]]:
        label = f"ST{63 + shown['set']}" if name == "load_profile" else ""
        if name == "registers":
            label = row["path"].partition(".")[0]
        elif name == "events":
            label = _TABLE_OF_LOG[row["log"]]
        seen = device.seen.get(label)
        origin = {} if seen is None else {"verified": seen.verified, "read_at": seen.as_dict()["last"]}
        yield {"node": device.title, "view": name, **row, **origin}


def _save(devices: CapturedDevices, titles: list[str], folder: Path, *, show_secrets: bool) -> None:
    """Write a device file for each title, without its first dot, which would hide the file; for the owner alone.

    Tables of passwords and keys are left out unless they are asked for.
    """
    from c1219.secrecy import may_be_secret
    from c1219.tableid import table_id
    from c1222.errors import in_words

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        fail(f"{folder}: {in_words(error)}")
    names: set[str] = set()
    for title in sorted(titles):  # relative ones first
        device = devices[title]
        for label in () if show_secrets else list(device):
            image = device[label]
            parts = (image.pieces or {0: image.raw}).items()
            if any(may_be_secret(table_id(label), octets, from_start=not offset) for offset, octets in parts):
                device.drop(label)
                say(f"{title}: {label} may hold passwords or keys, and is left out of the file", err=True)
        stem = _NOT_OF_NAMES.sub("_", title.lstrip(".")) or "untitled"
        if stem in names:  # an absolute title that reads like a relative one
            stem = f"absolute.{stem}"
        names.add(stem)
        write_private(folder / f"{stem}.json", device.to_json())
    say(f"device files in {folder}: {len(titles)}", err=True)
