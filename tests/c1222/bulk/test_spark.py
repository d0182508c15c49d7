"""On Spark it comes out as on one machine, and no key is in what Spark writes."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from c1222 import KeyStore, bulk
from c1222.capture.files.writer import PcapWriter
from tests.c1222.bulk.meters.polled import polled
from tests.c1222.bulk.meters.test_measured import MODES, in_order, meters
from tests.c1222.bulk.spark_job import TRIED
from tests.c1222.bulk.test_decoding import CAPTURES
from tests.conftest import absent

pytestmark = pytest.mark.spark
ROOT = Path(__file__).parents[3]
STEP_NS = 10_000_000


@pytest.fixture(scope="module")
def captures(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two captures of the same conversations: what the second asks, the first has answered in part."""
    from c1222.capture.files.writer import udp_packet

    folder = tmp_path_factory.mktemp("captures")
    plan = meters(6)
    packets = []
    for number, (title, read) in enumerate(plan):
        host = f"10.1.0.{title.rpartition('.')[2]}"
        for answers, octets in enumerate(polled(title, read, number, MODES[number % 3])):
            ends = [f"{host}:1153", "10.0.0.1:50000"]
            packets.append(udp_packet(ends[1 - answers], ends[answers], octets))
    middle = len(packets) // 2 + 1  # between a request and its answer
    paths = []
    for name, start, end in (("a", 0, middle), ("b", middle, len(packets))):
        paths.append(folder / f"{name}.pcap")
        with paths[-1].open("wb") as file, PcapWriter(file) as writer:
            for number in range(start, end):
                writer.write(1_700_000_000_000_000_000 + number * STEP_NS, packets[number])
    return paths


@pytest.fixture(scope="module")
def job(captures: list[Path], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Run the job once: where its results are, and what it printed."""
    if importlib.util.find_spec("pyspark") is None or shutil.which("java") is None:
        absent("spark")
    folder = tmp_path_factory.mktemp("spark")
    keys = {"C1222_TEST_KEYS": str(CAPTURES / "keys.toml"), TRIED: str(folder / "tried")}
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.c1222.bulk.spark_job",
            str(folder / "out"),
            "tests.c1222.bulk.spark_job:failing_once",
            *map(str, captures),
        ],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={
            **os.environ,
            **keys,
            "PYSPARK_PYTHON": sys.executable,
            "PYTHONPATH": str(ROOT),
            "SPARK_LOCAL_IP": "127.0.0.1",
        },
        timeout=400,
    )
    assert done.returncode == 0, done.stderr[-5000:]
    return folder / "out", done.stdout + done.stderr


def rows(folder: Path) -> list[dict[str, Any]]:
    return pq.read_table(folder).to_pylist()


def without(row: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names}


def test_messages_are_those_of_one_machine(job: tuple[Path, str], captures: list[Path]) -> None:
    store = KeyStore.from_file(CAPTURES / "keys.toml")
    decoded = pa.Table.from_batches(bulk.decode(bulk.frames(captures), store)).to_pylist()
    found = rows(job[0] / "messages")
    assert len(found) == len(decoded) > 100
    names = ("frame", "reply_to")
    assert in_order(without(row, *names) for row in found) == in_order(without(row, *names) for row in decoded)
    assert sum(row["reply_to"] is not None for row in found) == sum(row["reply_to"] is not None for row in decoded)


def test_readings_are_those_of_one_machine(job: tuple[Path, str], captures: list[Path]) -> None:
    store = KeyStore.from_file(CAPTURES / "keys.toml")
    wanted = [row for batch in bulk.readings(bulk.decode(bulk.frames(captures), store)) for row in batch.to_pylist()]
    found = rows(job[0] / "readings")
    assert in_order(found) == in_order(wanted)
    assert len(found) > 500


def test_a_task_failed_and_was_tried_again(job: tuple[Path, str]) -> None:
    events = [
        json.loads(line)
        for path in (job[0] / "events").rglob("*")
        if path.is_file() and not path.name.startswith((".", "appstatus"))
        for line in path.read_text("utf-8").splitlines()
    ]
    ends = [event for event in events if event["Event"] == "SparkListenerTaskEnd"]
    assert [event["Task Info"]["Failed"] for event in ends].count(True) == 1
    assert any(event["Task Info"]["Attempt"] == 1 for event in ends)


def test_keys_are_in_no_plan_log_or_event(job: tuple[Path, str]) -> None:
    folder, printed = job
    keys = list(KeyStore.from_file(CAPTURES / "keys.toml"))
    texts = [printed.encode(), *(path.read_bytes() for path in folder.rglob("*") if path.is_file())]
    assert len(texts) > 10
    for text in texts:
        for key in keys:
            assert key.octets not in text
            assert key.octets.hex().encode() not in text.lower()
    assert "provider" in (folder / "refused.txt").read_text("utf-8")


def test_what_could_not_be_told_is_counted(job: tuple[Path, str]) -> None:
    assert json.loads((job[0] / "counts.json").read_text("utf-8")) == {}
