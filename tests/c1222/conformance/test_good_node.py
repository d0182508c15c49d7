"""Our own node passes: every profile, in every mode, over datagrams and a connection, in memory and over UDP."""

from __future__ import annotations

import pytest

from c1222.client.clock import SystemClock
from c1222.conformance.catalogue import CHECKS
from c1222.conformance.opening import way_to
from c1222.conformance.probe import Probe
from c1222.conformance.rules import CheckVerdict
from c1222.conformance.run import run
from c1222.conformance.target import Target
from c1222.message.aptitle import ApTitle
from c1222.message.epsem import SecurityMode
from c1222.node import running
from c1222.transport.memory import Mishaps, Wire
from tests.c1222.conformance.rig import DEVICES, KEY, PASSWORDS, Bench, by_id, told

_FOR_LACK: dict[str, set[str]] = {
    "single-phase": {"C-READ-02", "C-TIME-02"},  # no access by index; ST52 and no ST55
    "polyphase-tou": set(),
    "big-endian": set(),
}


@pytest.mark.parametrize("reliable", [False, True], ids=["datagrams", "connection"])
@pytest.mark.parametrize(
    ("name", "mode"), [*((name, mode) for name in PASSWORDS for mode in (0, 2)), ("polyphase-tou", 1)]
)
def test_no_failure_and_nothing_odd(name: str, mode: int, reliable: bool) -> None:
    report = Bench(name, mode=mode, reliable=reliable).run()
    assert report.contact
    assert [told(one) for one in report.results if one.verdict in {CheckVerdict.FAIL, CheckVerdict.WARNING}] == []
    skipped = {one.check.id for one in report.results if one.verdict is CheckVerdict.SKIPPED}
    expected = _FOR_LACK[name] | ({check.id for check in CHECKS if check.secured} if not mode else set())
    if reliable:
        expected.add("C-READ-05")  # every table fits an answer
    assert skipped == expected, [told(one) for one in report.results if one.verdict is CheckVerdict.SKIPPED]


def test_without_leave_nothing_is_written() -> None:
    bench = Bench(writes=False)
    before = {label: bench.node.meter.tables.get(label) for label in ("ST5", "ST6", "ST7", "ST13")}
    report = bench.run()
    assert report.failed == ()
    writing = [one for one in report.results if one.check.writes]
    assert len(writing) > 10
    assert all(one.verdict is CheckVerdict.SKIPPED and "--allow-writes" in one.reason for one in writing)
    assert bench.node.meter.counters["writes"] == bench.node.meter.counters["procedures"] == 0
    assert before == {label: bench.node.meter.tables.get(label) for label in before}


def test_what_is_written_is_put_back() -> None:
    bench = Bench()
    before = bench.node.meter.tables.get("ST6")
    report = bench.run("C-WRITE")
    assert bench.node.meter.counters["writes"] >= 8
    assert bench.node.meter.tables.get("ST6") == before
    assert report.failed == ()


def test_without_a_password_what_needs_one_is_skipped() -> None:
    report = Bench(password=None).run()
    assert report.failed == ()
    assert by_id(report)["C-SESS-08"].verdict is CheckVerdict.SKIPPED
    assert by_id(report)["C-TABLE-02"].verdict is CheckVerdict.PASS


def test_a_wrong_password_is_told_once() -> None:
    report = Bench(password="nonsense").run("C-TABLE")
    failed = {one.check.id for one in report.failed}
    assert failed == {"C-TABLE-02"}
    assert "the password is refused" in told(by_id(report)["C-TABLE-02"])


def test_without_sessions() -> None:
    report = Bench(sessions=False).run()
    assert report.failed == ()
    assert {one.reason for one in report.results if one.check.session} == {
        "it opens a session, and that is not wanted (--sessionless)"
    }


def test_an_ed_class_in_every_request() -> None:
    bench = Bench(ed_class=b"TEST")
    report = bench.run()
    assert [told(one) for one in report.results if one.verdict in {CheckVerdict.FAIL, CheckVerdict.WARNING}] == []


def test_over_real_datagrams() -> None:
    name = "single-phase"
    with running(DEVICES / f"{name}.json", keys=KEY, history_days=0) as node:
        target = Target(
            called=ApTitle(node.title),
            calling=ApTitle(".123.4"),
            keys=node.keys,
            key_id=KEY.id,
            mode=SecurityMode.CIPHERTEXT_AUTHENTICATION,
            password=PASSWORDS[name],
            quiet=0.03,
            patience=0.0,
            writes=True,
        )
        report = run(Probe(target, way_to(node.url, timeout=5), SystemClock()))
    assert [told(one) for one in report.results if one.verdict in {CheckVerdict.FAIL, CheckVerdict.WARNING}] == []
    assert report.count(CheckVerdict.PASS) > 80


@pytest.mark.parametrize("seed", [1, 2])
def test_over_a_wire_that_loses_doubles_and_reorders(seed: int) -> None:
    bench = Bench(mode=2 * (seed % 2), attempts=8)
    lossy = Wire(seed=seed, utc=bench.wire.utc, mishaps=Mishaps(loss=0.15, duplication=0.1, reorder=0.1, held=0.2))
    bench.move_to(lossy)
    report = bench.run()
    assert [told(one) for one in report.results if one.verdict in {CheckVerdict.FAIL, CheckVerdict.WARNING}] == []
    assert lossy.counters["lost"] > 50
