"""Every misbehaviour is noticed, by the check that is for it."""

from __future__ import annotations

from typing import Any

import pytest

from c1222.conformance.catalogue import CHECKS
from c1222.conformance.misbehaviours import MISBEHAVIOURS
from c1222.conformance.rules import CheckVerdict
from c1222.message.aptitle import ApTitle
from tests.c1222.conformance.rig import Bench, by_id, told

_BY_ID = {check.id: check for check in CHECKS}
_CLEAR = [case for case in MISBEHAVIOURS.values() if not case.secured and case.caught]
_FOLLOW = {"C-RUN-01"}  # looks at all answers of the run
_SETTINGS: dict[str, dict[str, Any]] = {
    "relative-dropped": {"called": ApTitle(".123.8437").absolute(), "calling": ApTitle(".123.4").absolute()},
}
_NEIGHBOURS = {
    "stray": set(),
    "offset-shifted": {"C-TABLE-05"},  # large tables are read by offset
    "no-called-id": set(),
    "unclaimed-served": set(),
    "other-class": set(),
    "weaker": set(),
    "busy": {"C-LIST-05", "C-CTRL-02", "C-SEG-02", "C-SESS-11"},  # bsy where it is not asked again
    "late": set(),
    "doubled": set(),
}


@pytest.mark.parametrize("name", list(MISBEHAVIOURS))
def test_the_right_check_notices(name: str) -> None:
    case = MISBEHAVIOURS[name]
    results = by_id(Bench(wrong=case, **_SETTINGS.get(name, {})).run(*case.caught or ("C-ECHO",)))
    for check in case.caught:
        wanted = CheckVerdict.FAIL if _BY_ID[check].rule.is_firm else CheckVerdict.WARNING
        assert results[check].verdict is wanted, told(results[check])
        assert any(remark.level == "wrong" for remark in results[check].remarks)
        assert results[check].evidence or check.startswith("C-RUN")


@pytest.mark.parametrize("case", _CLEAR, ids=lambda case: case.id)
def test_in_clear_too(case: object) -> None:
    caught = [check for check in case.caught if not _BY_ID[check].secured]  # type: ignore[attr-defined]
    results = by_id(Bench(mode=0, wrong=case).run(*caught))  # type: ignore[arg-type]
    for check in caught:
        assert results[check].verdict in {CheckVerdict.FAIL, CheckVerdict.WARNING}, told(results[check])


@pytest.mark.parametrize("name", list(_NEIGHBOURS))
def test_the_other_checks_go_on(name: str) -> None:
    case = MISBEHAVIOURS[name]
    report = Bench(wrong=case).run()
    noticed = {one.check.id for one in report.results if one.verdict in {CheckVerdict.FAIL, CheckVerdict.WARNING}}
    assert noticed <= set(case.caught) | _FOLLOW | _NEIGHBOURS[name], [
        told(one) for one in report.results if one.verdict is not CheckVerdict.PASS
    ]
    assert report.count(CheckVerdict.PASS) > 80


def test_every_check_notices_something() -> None:
    caught = {check for case in MISBEHAVIOURS.values() for check in case.caught}
    assert caught == set(_BY_ID)


def test_a_node_that_is_silent_costs_little_time() -> None:
    bench = Bench(wrong=MISBEHAVIOURS["silent"])
    report = bench.run()
    assert not report.contact
    assert report.count(CheckVerdict.SKIPPED) == len(CHECKS) - 1
    assert bench.wire.now < 30


def test_a_node_that_falls_silent_ends_the_run() -> None:
    bench = Bench(wrong=MISBEHAVIOURS["dies-of-noise"])
    report = bench.run()
    assert report.contact
    assert [one.check.id for one in report.failed] == ["C-ERR-09"]
    after = report.results[[one.check.id for one in report.results].index("C-ERR-09") + 1 :]
    assert {one.reason for one in after if "C-" in one.reason and not one.check.needs} == {
        "the node stopped answering in C-ERR-09"
    }
