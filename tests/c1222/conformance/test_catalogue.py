"""The checks and misbehaviours as data."""

from __future__ import annotations

import re

import pytest

from c1222.conformance.catalogue import CHECKS, chosen
from c1222.conformance.line.catalogue import LINE_CHECKS
from c1222.conformance.misbehaviours import MISBEHAVIOURS
from c1222.conformance.rules import FAMILIES, Mark, Rule

ALL = (*CHECKS, *LINE_CHECKS)


def test_ids_are_unique_and_in_order_of_families() -> None:
    ids = [check.id for check in ALL]
    assert len(ids) == len(set(ids)) > 90
    assert all(re.fullmatch(r"C-[A-Z]+-\d\d", one) for one in ids)
    families = [check.family for check in ALL]
    assert list(dict.fromkeys(families)) == list(FAMILIES)


def test_what_a_check_rests_on_runs_before_it() -> None:
    place = {check.id: index for index, check in enumerate(ALL)}
    for check in ALL:
        for need in (*check.needs, *check.follows):
            assert place[need] < place[check.id], check.id


def test_every_check_says_what_it_rests_on() -> None:
    for check in ALL:
        assert check.title
        assert check.rule.text
        assert check.rule.source
        assert check.look.__doc__, check.id


@pytest.mark.parametrize(
    ("mark", "disputed", "firm"),
    [
        (Mark.VERIFIED, "", True),
        (Mark.VERIFIED, "somebody", True),
        (Mark.ONE_SOURCE, "", True),
        (Mark.ONE_SOURCE, "somebody", False),
        (Mark.UNSURE, "", False),
    ],
)
def test_only_sure_rules_can_be_failed(mark: Mark, disputed: str, firm: bool) -> None:
    assert Rule("", "", mark, disputed).is_firm is firm


def test_all_are_chosen_when_none_is_named() -> None:
    assert chosen(()) == CHECKS


def test_a_check_brings_what_it_rests_on() -> None:
    ids = [check.id for check in chosen(["C-WRITE-02"])]
    assert ids == ["C-LINK-01", "C-LINK-02", "C-TABLE-01", "C-WRITE-01", "C-WRITE-02"]
    assert "C-TABLE-02" in {check.id for check in chosen(["C-TABLE-04"])}


def test_a_family_is_chosen_by_its_beginning() -> None:
    families = {check.family for check in chosen(["C-SEC"])}
    assert "SEC" in families
    assert "SESS" not in families
    assert {check.id for check in chosen(["C-SEC-"])} == {check.id for check in chosen(["C-SEC"])}


@pytest.mark.parametrize("name", ["C-NOTHING", "C-SEC-99", "", "SEC"])
def test_what_names_no_check_is_refused(name: str) -> None:
    with pytest.raises(KeyError):
        chosen([name])


def test_misbehaviours_name_checks_that_exist() -> None:
    ids = {check.id for check in CHECKS}
    for case in MISBEHAVIOURS.values():
        assert re.fullmatch(r"[a-z0-9-]+", case.id)
        assert set(case.caught) <= ids
        assert case.title
        assert case.good
        assert any((case.arrive, case.serve, case.leave, case.policy, case.forgets)), case.id
