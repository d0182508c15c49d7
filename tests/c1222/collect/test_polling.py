"""Polls of a fleet into a store: what is new, once, whatever goes wrong on the way."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from typing import TYPE_CHECKING

import pytest

from c1219.device import Device
from c1222.collect import StoreError, run
from c1222.collect.harvest import Harvest
from c1222.collect.polling import outcome_of
from c1222.collect.state import MeterState
from c1222.collect.stores.opening import open_sink
from c1222.node.network.faults import FaultPlan
from tests.c1222.collect.fleet import PROFILE, WHAT, fleet

if TYPE_CHECKING:
    from pathlib import Path

    from c1222.collect.harvest import PollVerdict


def test_all_that_the_meters_have(tmp_path: Path) -> None:
    device = Device.from_json(PROFILE.read_text("utf-8"))
    expected = {
        number: {(f"LP{number}.CH{row.channel}", row.end) for row in device.load_profile(number)} for number in (1, 2)
    }
    with fleet(tmp_path) as tried:
        told: list[PollVerdict] = []
        report = tried.run(tell=told.append)
    assert report.exit_code == 0
    assert report.outcomes == {"ok": 3}
    assert len(told) == 3
    assert {verdict.line.partition(",")[0] for verdict in told} == {"m0: ok", "m1: ok", "m2: ok"}
    (serials,) = tried.rows("SELECT count(DISTINCT meter) FROM readings")
    assert serials == (3,)
    for number, rows in expected.items():
        found = tried.rows(f"SELECT count(*) FROM readings WHERE path LIKE 'LP{number}.%'")
        assert found == [(3 * len(rows),)]
    registers = {row.path: row.value for row in device.registers() if row.table in {"ST23", "ST28"} and row.valid}
    shown = dict(
        tried.rows("SELECT path, value FROM readings WHERE path LIKE 'ST%' AND meter LIKE '%5678' AND value NOTNULL")
    )
    assert {path: float(value) for path, value in registers.items()} == pytest.approx(shown)
    events = tried.rows("SELECT log, count(*) FROM events GROUP BY log ORDER BY log")
    logs = [sum(row.log == log for row in device.events()) for log in ("event", "history")]
    assert events == [("event", 3 * logs[0]), ("history", 3 * logs[1])]
    assert report.readings == sum(map(len, expected.values())) * 3 + 3 * len(
        [row for row in device.registers() if row.table in {"ST23", "ST28"}]
    )


def test_only_what_is_new(tmp_path: Path) -> None:
    now = time.time()
    with fleet(tmp_path, simulate=True, history_days=1, utc=lambda: now) as tried:
        tried.run()
        first = tried.series(), tried.rows("SELECT * FROM events")
        tried.run(what=("load-profile", "events"))  # asks again for what is missing in the middle: once
        assert (tried.series(), tried.rows("SELECT * FROM events")) == first
        again = tried.run(what=("load-profile", "events"))
        asked = tried.node.call(lambda meters: meters.counters["received"])
        assert (again.readings, again.events) == (0, 0)
        tried.run(what=("load-profile",))
        assert tried.node.call(lambda meters: meters.counters["received"]) - asked <= 3, "one request a meter"


def test_a_meter_that_was_exchanged_begins_its_own_series(tmp_path: Path) -> None:
    with fleet(tmp_path, count=2) as tried:
        first, second = tried.node.titles
        tried.run(tried.meters(first))
        before = tried.series()
        (told,) = (verdicts := tried.run(tried.meters(second)).verdicts)
        assert told.exchanged
        assert "another meter than before" in told.line
        assert len(verdicts) == 1
        after = tried.series()
        assert len(after) == 2 * len(before)
        assert set(before) < set(after)


def test_silence_is_tried_again_and_the_run_ends(tmp_path: Path) -> None:
    with fleet(tmp_path) as tried:
        meters = tried.meters(more='[[meter]]\nname = "m3"\ncalled = ".1.9"\ntimeout = 0.05\nattempts = 2\n')
        report = tried.run(meters, tries=3)
    assert report.outcomes == {"ok": 3, "silent": 1}
    (silent,) = [verdict for verdict in report.verdicts if verdict.outcome == "silent"]
    assert (silent.name, silent.tries, report.exit_code) == ("m3", 3, 1)
    assert "\n" not in silent.line
    assert silent.line.startswith("m3: silent, 3 tries, ")


def test_nothing_obtained_is_exit_code_3(tmp_path: Path) -> None:
    with fleet(tmp_path, count=1) as tried:
        assert tried.run(tried.meters(".9.9", timeout=0.05, attempts=1), tries=1).exit_code == 3


def test_wrong_passwords_and_keys_are_not_tried_again(tmp_path: Path) -> None:
    with fleet(tmp_path) as tried:
        more = '[[meter]]\nname = "pw"\ncalled = ".123.8437"\npassword = { file = "wrong.txt" }\n'
        more += '[[meter]]\nname = "key"\ncalled = ".123.8437"\nkeys = "none.toml"\n'
        (tmp_path / "wrong.txt").write_text("no password", "utf-8")
        report = tried.run(tried.meters(more=more), tries=5)
    outcomes = {verdict.name: (verdict.outcome, verdict.tries) for verdict in report.verdicts}
    assert outcomes["pw"] == ("wrong-password", 1)
    assert outcomes["key"] == ("wrong-key", 1)
    assert "no password" not in json.dumps(report.as_dict())


def test_a_busy_meter_is_asked_later(tmp_path: Path) -> None:
    faults = FaultPlan.from_dict(
        {"fault": [{"kind": "result", "result": "bsy", "table": 74, "limit": 60, "title": ".123.8437"}]}
    )
    with fleet(tmp_path, faults=faults) as tried:
        more = "busy_tries = 1\nbusy_pause = 0.01\n"
        meters = tried.meters(more="[groups.x]\n" + more)
        text = (tmp_path / "meters.toml").read_text("utf-8").replace("[defaults]\n", "[defaults]\n" + more)
        (tmp_path / "meters.toml").write_text(text, "utf-8")
        meters = type(meters).load(tmp_path / "meters.toml", environ={"PW": "reader-demo"})
        report = tried.run(meters, tries=100)
        assert report.outcomes == {"ok": 3}
        assert max(verdict.tries for verdict in report.verdicts) > 1
        paths = tried.rows(
            "SELECT path, count(*) FROM readings WHERE path LIKE 'ST23%' GROUP BY meter, path HAVING count(*) > 1"
        )
        assert paths == [], "what was read before it was busy is not read again"


@pytest.mark.parametrize("seed", [1, 2])
def test_answers_that_get_lost(tmp_path: Path, seed: int) -> None:
    plan = FaultPlan.from_dict(
        {
            "seed": seed,
            "fault": [{"kind": "drop", "probability": 0.1}, {"kind": "drop", "on": "request", "probability": 0.1}],
        }
    )
    with fleet(tmp_path, faults=plan) as tried:
        report = tried.run(tried.meters(timeout=0.1, attempts=8), tries=4)
    assert report.outcomes == {"ok": 3}
    lossy = tried.series()
    (tmp_path / "calm").mkdir()
    with fleet(tmp_path / "calm") as calm:
        calm.run()
    assert lossy == calm.series()


def test_a_table_that_is_refused_leaves_the_others(tmp_path: Path) -> None:
    faults = FaultPlan.from_dict({"fault": [{"kind": "result", "result": "err", "table": 74}]})
    with fleet(tmp_path, count=1, faults=faults) as tried:
        report = tried.run()
    (verdict,) = report.verdicts
    assert (verdict.outcome, report.exit_code) == ("part", 1)
    assert "history log: " in verdict.text
    assert verdict.readings > 1000
    assert tried.rows("SELECT DISTINCT log FROM events") == [("event",)]


def test_since_limits_the_first_contact(tmp_path: Path) -> None:
    import datetime as dt

    with fleet(tmp_path, count=1) as tried:
        tried.run(what=("load-profile",), since=dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC))
        assert tried.rows("SELECT min(end) > '2026-11-22 12' FROM readings") == [(1,)]


def test_octets_are_kept_beside(tmp_path: Path) -> None:
    device = Device.from_json(PROFILE.read_text("utf-8"))
    with fleet(tmp_path, count=1) as tried:
        tried.run(keep_raw=True)
    (octets,) = tried.rows("SELECT octets FROM raw WHERE part = 'ST23'")
    assert octets == (device["ST23"].raw,)
    pieces = tried.rows("SELECT first, octets FROM raw WHERE part = 'ST64'")
    assert pieces
    for first, piece in pieces:
        assert device["ST64"].raw[first : first + len(piece)] == piece


def test_stop_ends_after_the_meters_at_hand_and_the_run_goes_on(tmp_path: Path) -> None:
    async def stopped() -> None:
        stop = asyncio.Event()
        with_stop = run_with(stop)
        asyncio.get_running_loop().call_later(1.5, stop.set)
        report = await with_stop
        assert report.stopped
        assert report.exit_code == 1
        assert 0 < report.outcomes["ok"] < 6

    with fleet(tmp_path, count=6) as tried:
        from c1222.collect import run_async

        def run_with(stop: asyncio.Event):
            return run_async(
                tried.meters().group("all"),
                WHAT,
                f"sqlite:///{tried.store}",
                group="all",
                concurrency=1,
                rate=1.0,
                stop=stop,
            )

        asyncio.run(stopped())
        done = tried.rows("SELECT count(*) FROM meters")[0][0]
        report = tried.run()
        assert report.done_before == done
        assert report.outcomes["ok"] == 6 - done
        assert report.exit_code == 0
        assert report.run == 1
        assert tried.run().run == 2
        assert tried.rows("SELECT DISTINCT run FROM meters") == [(2,)]


def test_the_rate_is_kept(tmp_path: Path) -> None:
    with fleet(tmp_path, count=4) as tried:
        assert tried.run(what=("registers",), rate=10.0).seconds >= 0.3


def test_verdicts_are_logged_with_their_fields(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "c1222.collect"), fleet(tmp_path, count=1) as tried:
        tried.run(what=("registers",))
    (record,) = [one for one in caplog.records if one.name == "c1222.collect"]
    assert record.verdict.outcome == "ok"  # type: ignore[attr-defined]


def test_what_can_be_read_and_stores_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="register: what can be read is registers, load-profile, events"):
        run([], ["register"], f"sqlite:///{tmp_path}/x.db")
    with pytest.raises(StoreError, match="a store is a folder"):
        open_sink("mysql://h/x")
    with pytest.raises(StoreError, match="no such folder"):
        open_sink(f"sqlite:///{tmp_path}/none/x.db")


def test_states_are_packed_and_damage_is_seen() -> None:
    with pytest.raises(ValueError, match="no state of a meter"):
        MeterState.unpacked(b"x")
    assert MeterState.unpacked(MeterState("7", logs={"event": 3}).packed()) == MeterState("7", logs={"event": 3})


def test_an_error_of_ours_is_a_failure() -> None:
    import datetime as dt

    assert outcome_of(Harvest("a", MeterState(), dt.datetime.now(dt.UTC), error=KeyError("x"))) == "failed"
