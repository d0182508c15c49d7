"""Checks of a device at a serial line: a good one passes, every misbehaviour is noticed by the check that is for it."""

from __future__ import annotations

from typing import Any

import pytest

from c1219.device import Device
from c1222.conformance.catalogue import chosen
from c1222.conformance.line.catalogue import LINE_CHECKS
from c1222.conformance.line.misbehaviour import LineMisbehaviour
from c1222.conformance.line.misbehaviours import LINE_MISBEHAVIOURS
from c1222.conformance.line.probe import LineProbe, LineTarget
from c1222.conformance.line.specimen import LineSpecimen
from c1222.conformance.report import as_dict, junit
from c1222.conformance.rules import CheckVerdict
from c1222.conformance.run import Report, run
from c1222.node.meter.profile import Profile
from c1222.node.network.serial_station import SerialStation
from c1222.node.settings import Settings, make_fleet
from c1222.serial.profile import C1218_TIMING, C1221_TIMING
from tests.c1222.client.line_rig import UTC, LineClock, MemoryLine
from tests.c1222.client.rig import DEVICES
from tests.c1222.conformance.rig import PASSWORDS, by_id, told

_BY_ID = {check.id: check for check in LINE_CHECKS}


def checked(
    *only: str,
    wrong: LineMisbehaviour | None = None,
    name: str = "polyphase-tou",
    c1221: bool = False,
    **settings: Any,
) -> tuple[Report, LineClock]:
    clock = LineClock()
    profile = Profile(Device.from_json((DEVICES / f"{name}.json").read_text("utf-8")))
    fleet = make_fleet(Settings(profile=profile, simulate=False), utc=UTC)
    station = SerialStation(next(iter(fleet.stations.values())), fleet, c1221=c1221)
    line = MemoryLine(LineSpecimen(station, wrong), clock)
    timing = C1221_TIMING if c1221 else C1218_TIMING
    target = LineTarget(user_id=4, password=PASSWORDS[name], timing=timing, **settings)
    return run(LineProbe(target, lambda: line, clock), chosen(only, LINE_CHECKS)), clock


@pytest.mark.parametrize(("name", "c1221"), [("polyphase-tou", False), ("single-phase", False), ("big-endian", True)])
def test_our_own_device_passes(name: str, c1221: bool) -> None:
    report, clock = checked(name=name, c1221=c1221)
    assert [told(one) for one in report.results if one.verdict is not CheckVerdict.PASS] == []
    assert report.contact
    assert clock.now < (600 if c1221 else 300)


@pytest.mark.parametrize("case", LINE_MISBEHAVIOURS.values(), ids=lambda case: case.id)
def test_the_right_check_notices(case: LineMisbehaviour) -> None:
    report, _ = checked(*case.caught, wrong=case)
    results = by_id(report)
    for check in case.caught:
        wanted = CheckVerdict.FAIL if _BY_ID[check].rule.is_firm else CheckVerdict.WARNING
        assert results[check].verdict is wanted, told(results[check])
        assert results[check].evidence


def test_every_check_notices_something() -> None:
    caught = {check for case in LINE_MISBEHAVIOURS.values() for check in case.caught}
    assert caught == set(_BY_ID)
    assert len(_BY_ID) == len(LINE_CHECKS)


@pytest.mark.parametrize("name", ["toggle-stuck", "repetitions-ignored", "crc-high-first", "any-password", "chatter"])
def test_the_other_checks_go_on(name: str) -> None:
    case = LINE_MISBEHAVIOURS[name]
    report, _ = checked(wrong=case)
    noticed = {one.check.id for one in report.results if one.verdict in {CheckVerdict.FAIL, CheckVerdict.WARNING}}
    assert noticed == set(case.caught), [told(one) for one in report.results if one.verdict is not CheckVerdict.PASS]


def test_a_device_that_is_silent_costs_little_time() -> None:
    report, clock = checked(wrong=LINE_MISBEHAVIOURS["line-silent"])
    assert not report.contact
    assert report.count(CheckVerdict.SKIPPED) == len(LINE_CHECKS) - 1
    assert clock.now < 60


def test_passwords_are_in_no_report() -> None:
    report, _ = checked("C-STATE-10", "C-STATE-05")
    text = str(as_dict(report)) + junit(report)
    password = str(PASSWORDS["polyphase-tou"])
    assert password not in text
    assert password.encode().hex() not in text
    assert "51xxxx" in text
