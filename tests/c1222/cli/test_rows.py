"""Rows in the forms that programs read: the same values, to standard output or a file."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import sys
from typing import TYPE_CHECKING

import polars as pl
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from c1222.cli import decode, device, tables
from c1222.cli.rows import Rows
from c1222.cli.table_rows import TABLES, table_as_dict

if TYPE_CHECKING:
    from pathlib import Path

    import click

    from tests.c1222.cli.conftest import Talk

SAMPLE = "sample:polyphase-tou"
VIEWS = {
    "--registers": "c1219.readings/1", "--load-profile": "c1219.readings/1", "--events": "c1219.events/1",
    "--identity": "c1219.identity/1", "--clock": "c1219.clock/1", "--access": "c1219.access/1",
}  # fmt: skip


def run(command: click.Command, *arguments: str) -> Result:
    return CliRunner().invoke(command, arguments)


def asked(view: str) -> tuple[str, ...]:
    return (SAMPLE, view, "1") if view == "--load-profile" else (SAMPLE, view)


@pytest.mark.parametrize("view", VIEWS)
def test_json_lines_and_parquet_say_the_same(view: str, tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    lines = run(device.command, *asked(view), "--format", "jsonl")
    assert run(device.command, *asked(view), "--format", "parquet", "--output", str(path)).exit_code == lines.exit_code
    rows = [json.loads(line) for line in lines.stdout.splitlines()]
    table = pq.read_table(path)
    assert table.schema.metadata[b"schema"].decode() == VIEWS[view]
    assert table.num_rows == len(rows) > 0
    assert list(rows[0]) == table.schema.names
    for line, row in zip(table.to_pylist(), rows, strict=True):
        for name, value in line.items():
            if name == "value" and value is not None:
                assert f"{value.normalize():f}" == f"{type(value)(row[name]).normalize():f}"
            elif hasattr(value, "isoformat"):
                assert row[name] == value.isoformat()
            elif isinstance(row[name], dict) or (isinstance(row[name], list) and isinstance(value, str)):
                assert json.loads(value) == row[name]
            else:
                assert row[name] == value


def test_parquet_to_standard_output_is_the_file(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    run(device.command, SAMPLE, "--events", "--format", "parquet", "-o", str(path))
    octets = run(device.command, SAMPLE, "--events", "--format", "parquet").stdout_bytes
    assert octets == path.read_bytes()
    assert pl.read_parquet(io.BytesIO(octets)).height > 10


def test_parquet_is_not_for_a_terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    with pytest.raises(SystemExit, match="2"):
        Rows("parquet", None)
    assert "--output" in capsys.readouterr().err
    assert Rows("csv", None).wanted


def test_a_lacking_library_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(sys.modules, "c1219.tabular.arrow", None)
    with pytest.raises(SystemExit, match="2"):
        Rows("parquet", "x.parquet")
    assert "pip install 'c1222[arrow]'" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [("--output", "x"), ("--format", "json", "-o", "x"), ("--layout", "long"),
                                       ("--registers", "--format", "csv", "--layout", "wide"),
                                       ("--load-profile", "1", "--format", "jsonl", "--layout", "long"),
                                       ("--registers", "--clock", "--format", "parquet")])  # fmt: skip
def test_options_that_do_not_fit_are_refused(
    arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(device.command, SAMPLE, *arguments).exit_code == 2
    assert not list(tmp_path.iterdir())


def test_a_file_that_cannot_be_written_is_told_before_the_work() -> None:
    found = run(device.command, SAMPLE, "--registers", "--format", "csv", "--output", "/there/is/none")
    assert found.exit_code == 2
    assert "/there/is/none" in found.stderr


def test_csv_of_a_profile_is_wide_or_long(tmp_path: Path) -> None:
    wide, long = (
        list(csv.DictReader(io.StringIO(run(device.command, *asked("--load-profile"), "--format", "csv", *layout).stdout)))
        for layout in ((), ("--layout", "long"))
    )  # fmt: skip
    names = {
        row["channel"]: next(name for name in wide[0] if name.startswith(f"channel {row['channel']} ")) for row in long
    }
    assert names["1"] == "channel 1 active energy delivered (Wh)"
    assert len(long) == len(names) * len(wide)
    told = [(row["start"], row["end"], row["value"]) for row in long]
    assert told == [(row["start"], row["end"], row[name]) for row in wide for name in names.values()]
    for row in wide:
        codes = [one["status"] for one in long if one["start"] == row["start"]]
        assert [row[f"channel {number} status"].startswith(code) for number, code in zip(names, codes, strict=True)]


def test_tables_as_rows() -> None:
    rows = [json.loads(line) for line in run(tables.command, "list", "--format", "jsonl").stdout.splitlines()]
    plain = json.loads(run(tables.command, "list", "--format", "json").stdout)
    assert [{**one, "octets": None} for one in plain] == rows
    assert tuple(rows[0]) == TABLES.names
    assert list(table_as_dict.__annotations__) == ["table", "return"]


def test_elements_of_a_table_as_rows() -> None:
    declared = list(csv.DictReader(io.StringIO(run(tables.command, "show", "23", "--format", "csv").stdout)))
    assert declared[0]["condition"] == "ST21.REG_FUNC1_FLAGS.DEMAND_RESET_CTR_FLAG"
    shown = run(tables.command, "show", "23", "--device", SAMPLE, "--format", "jsonl").stdout
    laid_out = {row["element"]: row for row in map(json.loads, shown.splitlines())}
    assert list(laid_out) == [row["element"] for row in declared]
    tiers = laid_out["TIER_DATA_BLOCK[].SUMMATIONS[]"]
    assert (tiers["offset"], tiers["strides"][1], tiers["size"]) == (69, 6, 6)


def test_what_is_read_from_a_meter_as_rows(talk: Talk) -> None:
    elements = talk("read", "ST1", "ST6.OWNER_NAME", options=("--format", "csv"))
    assert elements.exit_code == 0, elements.stderr
    assert ["ST1.ED_MODEL", "POLY-TOU"] in list(csv.reader(io.StringIO(elements.stdout)))
    registers = talk("read", "registers", options=("--format", "jsonl"))
    first = json.loads(registers.stdout.splitlines()[1])
    assert (first["unit"], first["kind"], first["meter"], first["node"]) == (
        "Wh",
        "summation",
        ".123.8437",
        ".123.8437",
    )
    read_at = dt.datetime.fromisoformat(first["read_at"])
    assert abs(read_at - dt.datetime.now(dt.UTC)) < dt.timedelta(minutes=5)
    assert (first["verified"], first["end"]) == (True, first["read_at"])
    assert talk("read", "registers", "ST1", options=("--format", "jsonl")).exit_code == 2


def test_identify_and_procedure_as_rows(talk: Talk) -> None:
    rows = [json.loads(line) for line in talk("identify", options=("--format", "jsonl")).stdout.splitlines()]
    assert {"element": "identify.features[1].feature", "value": "session-control"} in rows
    result = talk("procedure", "SP4", "1", options=("--format", "csv"))
    assert "text,done" in result.stdout


def test_messages_as_rows(tmp_path: Path) -> None:
    files = ("sample:meters", "sample:published")
    lines = run(decode.command, *files, "--format", "jsonl")
    path = tmp_path / "x"
    assert run(decode.command, *files, "--format", "jsonl", "-o", str(path)).stdout == ""
    assert path.read_text("utf-8") == lines.stdout
    told = [json.loads(line) for line in lines.stdout.splitlines()]
    assert len(told) > 20
    assert run(decode.command, *files, "--format", "parquet", "-o", str(path)).exit_code == lines.exit_code
    rows = pq.read_table(path).to_pylist()
    assert [json.loads(row["services"]) for row in rows] == [line["services"] for line in told]
    assert any("value" in service for line in told for service in line["services"])  # tables are decoded in rows, too
    shown = list(csv.DictReader(io.StringIO(run(decode.command, *files, "--format", "csv").stdout)))
    assert [(row["frame"], row["called"] or None) for row in shown] == [
        (str(one["frame"]), one["called"]) for one in told
    ]
