"""A collector that is killed in the middle of a run, with 10 % of the messages lost: the store ends as it would have.

How often: the environment variable C1222_KILLS, 3 times by default; how many meters: C1222_KILLED_FLEET.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from c1222.node.network.faults import FaultPlan
from tests.c1222.collect.fleet import TriedFleet, fleet

if TYPE_CHECKING:
    from pathlib import Path

KILLS = int(os.environ.get("C1222_KILLS", "3"))
COUNT = int(os.environ.get("C1222_KILLED_FLEET", "12"))
LOSS = FaultPlan.from_dict(
    {
        "seed": 3,
        "fault": [
            {"kind": "drop", "probability": 0.05},
            {"kind": "drop", "on": "request", "probability": 0.05},
        ],
    }
)


def collector(tried: TriedFleet, *more: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", "from c1222.cli import main; main()", "collect", "all"]
    options = [
        "--meters",
        str(tried.folder / "meters.toml"),
        "--store",
        f"sqlite:///{tried.store}",
        "--concurrency",
        "2",
        "--tries",
        "5",
        "--pause",
        "0.1",
        *more,
    ]
    environment = {**os.environ, "PW": "reader-demo"}
    return subprocess.Popen(command + options, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_kill_9_at_any_moment(tmp_path: Path) -> None:
    chance = random.Random(5)
    (tmp_path / "calm").mkdir()
    with fleet(tmp_path / "calm", COUNT) as calm:
        calm.run()
        expected = calm.series(), calm.rows("SELECT * FROM events ORDER BY meter, log, sequence")
    with fleet(tmp_path, COUNT, faults=LOSS) as tried:
        tried.meters(timeout=0.1, attempts=8)
        for number in range(KILLS):
            process = collector(tried)
            assert process.stdout is not None
            if number % 2 == 0:
                process.stdout.readline()  # the first meters are in the store
            time.sleep(chance.uniform(0, 1.0))
            process.kill()
            process.communicate()
        process = collector(tried)
        out, err = process.communicate(timeout=240)
        assert process.returncode == 0, (out, err)
        assert (tried.series(), tried.rows("SELECT * FROM events ORDER BY meter, log, sequence")) == expected
        registers = tried.rows("SELECT count(*) FROM readings WHERE path LIKE 'ST%' GROUP BY meter")
        assert len(set(registers)) == 1, "those of the killed polls are not there beside those of the others"


def test_sigterm_ends_after_the_meters_at_hand(tmp_path: Path) -> None:
    with fleet(tmp_path, 8) as tried:
        tried.meters()
        process = collector(tried, "--rate", "1")
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=60)
        assert process.returncode == 1, err
        assert b"ended early; the same command goes on" in err
        done = tried.rows("SELECT count(*) FROM meters")[0][0]
        assert 0 < done < 8
        process = collector(tried)
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        assert f"{done} done before".encode() in err
        assert len(out.splitlines()) == 8 - done
