"""``c1222 bulk``: folders of Parquet, whole or not at all, each file once."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

import c1222
from c1219 import Device
from c1219.export.readings import readings_table
from c1222.bulk.parquet import partitions, work
from c1222.bulk.parquet.partitions import part_of_meter
from c1222.cli.bulk import command

SPECS = Path(__file__).parents[3] / "specs"
CAPTURES, DEVICES = SPECS / "captures", SPECS / "devices"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(command, list(map(str, arguments)))


def read(folder: Path) -> pl.DataFrame:
    return pl.read_parquet(folder / "**" / "*.parquet", hive_partitioning=True)


def by_messages() -> pl.DataFrame:
    keys = c1222.KeyStore.from_file(CAPTURES / "keys.toml")
    return pl.DataFrame(pl.from_arrow(readings_table(c1222.capture_devices(CAPTURES / "registers.pcap", keys=keys))))


def test_readings_of_captures_and_devices(tmp_path: Path) -> None:
    result = run("sample:registers", "sample:polyphase-tou", "--out", tmp_path)
    assert (result.exit_code, result.stdout) == (0, ""), result.stderr
    found = read(tmp_path / "readings")
    device = Device.from_json((DEVICES / "polyphase-tou.json").read_text("utf-8"))
    wanted = pl.concat(
        [by_messages(), pl.DataFrame(pl.from_arrow(readings_table([device], profiles=range(1, 5))))], how="vertical"
    )
    sums = [
        frame.group_by("meter", "path").agg(pl.len(), pl.col("value").sum()).sort("meter", "path")
        for frame in (found, wanted)
    ]
    assert sums[0].equals(sums[1])
    assert (found["date"].cast(pl.String) == found["end"].dt.date().cast(pl.String)).all()
    assert all(part_of_meter(meter) == part for meter, part in found.select("meter", "part").unique().rows())
    assert f"{len(found):,} readings in" in result.stderr
    files = list(tmp_path.rglob("*.parquet"))
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert {pq.read_schema(path).metadata[b"schema"] for path in files} == {b"c1219.readings/1"}


def test_messages(tmp_path: Path) -> None:
    result = run(CAPTURES / "registers.pcap", "--keys", CAPTURES / "keys.toml", "--what", "messages", "--out", tmp_path)
    assert result.exit_code == 0, result.stderr
    found = read(tmp_path / "messages")
    keys = c1222.KeyStore.from_file(CAPTURES / "keys.toml")
    messages = list(c1222.decode_capture(CAPTURES / "registers.pcap", keys=keys))
    assert found.sort("frame")["frame"].to_list() == [message.frame for message in messages]
    assert found.sort("frame")["called"].to_list() == [str(message.called) for message in messages]
    assert set(found["date"].cast(pl.String)) == {"2008-10-13"}


def test_tables(tmp_path: Path) -> None:
    result = run("sample:registers", "sample:single-phase", "--what", "tables", "--out", tmp_path)
    assert result.exit_code == 0, result.stderr
    folders = {path.name for path in (tmp_path / "tables").iterdir()}
    assert {"table=ST0", "table=ST1", "table=ST23"} <= folders
    found = [pq.ParquetFile(path).read() for path in (tmp_path / "tables" / "table=ST1").rglob("*.parquet")]
    serials = {row["MFG_SERIAL_NUMBER"].strip() for table in found for row in table.to_pylist()}
    assert serials == {"0000000000085020", "0000000012345678", "0000000000084011"}
    dates = {path.parent.name for path in (tmp_path / "tables").rglob("*.parquet")}
    assert dates == {"date=2008-10-13", f"date={partitions.NO_DATE}"}


def test_each_file_is_done_once(tmp_path: Path) -> None:
    first = run("sample:registers", "sample:polyphase-tou", "sample:single-phase", "--out", tmp_path)
    assert first.exit_code == 0, first.stderr
    count = len(read(tmp_path / "readings"))
    again = run("sample:registers", "sample:single-phase", "--out", tmp_path)
    assert (again.exit_code, len(read(tmp_path / "readings"))) == (0, count)
    assert "2 files were done before" in again.stderr
    more = run("sample:registers", "sample:big-endian", "--out", tmp_path)
    assert more.exit_code == 0, more.stderr
    assert len(read(tmp_path / "readings")) > count


def test_a_file_that_changed_is_refused(tmp_path: Path) -> None:
    path, out = tmp_path / "meter.json", tmp_path / "out"
    text = (DEVICES / "single-phase.json").read_text("utf-8")
    path.write_text(text, "utf-8")
    assert run(path, "--out", out).exit_code == 0
    path.write_text(text + "\n", "utf-8")
    result = run(path, "--out", out)
    assert result.exit_code == 2
    assert "it has changed since" in result.stderr


def test_jobs_give_the_same(tmp_path: Path) -> None:
    sources = ("sample:registers", "sample:meters", "sample:polyphase-tou")
    assert run(*sources, "--out", tmp_path / "one").exit_code == 0
    assert run(*sources, "--out", tmp_path / "two", "--jobs", 2).exit_code == 0
    names = [
        sorted(str(path.relative_to(tmp_path / out)) for path in (tmp_path / out).rglob("*.parquet"))
        for out in ("one", "two")
    ]
    assert names[0] == names[1]
    one, two = (read(tmp_path / out / "readings").sort("meter", "path", "end") for out in ("one", "two"))
    assert one.equals(two)


def test_what_fails_leaves_nothing_and_can_be_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = partitions.PartitionedFiles._flush
    left = [2]

    def failing(files: Any, key: Any) -> None:
        left[0] -= 1
        if not left[0]:
            raise OSError(28, "No space left on device")
        whole(files, key)

    with monkeypatch.context() as patch:
        patch.setattr(partitions.PartitionedFiles, "_flush", failing)
        result = run("sample:registers", "--out", tmp_path)
    assert result.exit_code == 2
    assert "No space left" in result.stderr
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    assert run("sample:registers", "--out", tmp_path).exit_code == 0
    assert len(read(tmp_path / "readings")) == len(by_messages())


def test_few_rows_are_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partitions, "MAX_BUFFERED_ROWS", 500)
    monkeypatch.setattr(work, "DEVICES_OF_A_UNIT", 1)
    assert run("sample:polyphase-tou", "sample:single-phase", "--out", tmp_path).exit_code == 0
    devices = [
        Device.from_json((DEVICES / f"{name}.json").read_text("utf-8")) for name in ("polyphase-tou", "single-phase")
    ]
    assert len(read(tmp_path / "readings")) == readings_table(devices, profiles=range(1, 5)).num_rows


def test_notes_tell_what_was_found(tmp_path: Path) -> None:
    broken = tmp_path / "broken.json"
    broken.write_text('{"schema": "c1219.device/1", "tables": {"0": "xx"}}', "utf-8")
    result = run(broken, "sample:single-phase", "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert "broken.json" in result.stderr
    (note,) = (tmp_path / "out" / "_done" / "readings").glob("*.json")
    told = json.loads(note.read_text("utf-8"))
    assert [finding["code"] for finding in told["findings"]] == ["unreadable"]
    assert told["rows"] == len(read(tmp_path / "out" / "readings"))


def test_without_keys_and_without_a_capture(tmp_path: Path) -> None:
    result = run(CAPTURES / "registers.pcap", "--out", tmp_path)
    assert result.exit_code == 1
    assert "messages could not be opened" in result.stderr
    text = tmp_path / "no.pcap"
    text.write_bytes(b"\xff\xfe no capture")
    assert run(text, "--out", tmp_path).exit_code == 2
    assert run(tmp_path / "absent.pcap", "--out", tmp_path).exit_code == 2
    result = run("sample:single-phase", "--what", "messages", "--out", tmp_path)
    assert result.exit_code == 2
    assert "is a device file" in result.stderr


def test_keys_are_in_no_file(tmp_path: Path) -> None:
    for what in ("messages", "readings"):
        assert run("sample:registers", "--what", what, "--out", tmp_path).exit_code == 0
    keys = c1222.KeyStore.from_file(CAPTURES / "keys.toml")
    for path in tmp_path.rglob("*"):
        octets = path.read_bytes() if path.is_file() else b""
        assert not any(key.octets in octets or key.octets.hex().encode() in octets for key in keys)
