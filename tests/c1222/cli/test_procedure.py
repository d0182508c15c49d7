"""``c1222 procedure``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.c1222.cli.conftest import Talk


def test_by_number_and_by_name(talk: Talk) -> None:
    for which in ("4", "SP4", "reset list pointers"):
        result = talk("procedure", which, "1")
        assert (result.exit_code, result.stdout) == (0, "SP4, Reset List Pointers: done\n"), result.stderr
    assert talk("procedure", "4", '{"LIST": 1}').exit_code == 0
    assert talk("procedure", "4", "01", options=("--hex",)).exit_code == 0
    assert talk("procedure", "4", "-", input="1\n").exit_code == 0


def test_the_response_in_words_and_as_json(talk: Talk) -> None:
    result = talk("procedure", "9", '{"ACTION_FLAG": {"DEMAND_RESET_FLAG": true, "SELF_READ_FLAG": false, '
                  '"SEASON_CHANGE_FLAG": false, "NEW_SEASON": 0}}')  # fmt: skip
    assert result.exit_code == 0, result.stderr
    assert "response.SUCCESS_FLAG.DEMAND_RESET_FLAG" in result.stdout
    shown = json.loads(talk("procedure", "7", options=("--format", "json")).stdout)
    assert shown["procedure"] == "SP7"
    assert shown["text"] == "done"
    assert "ED_STD_STATUS1" in shown["response"]


def test_flags_by_name_and_those_that_are_left_out(talk: Talk) -> None:
    for given, flags in (
        ("SELF_READ_FLAG", {"SELF_READ_FLAG"}),
        ('["SELF_READ_FLAG"]', {"SELF_READ_FLAG"}),
        ('{"ACTION_FLAG": {"SELF_READ_FLAG": true}}', {"SELF_READ_FLAG"}),
        ("SELF_READ_FLAG, SEASON_CHANGE_FLAG", {"SELF_READ_FLAG", "SEASON_CHANGE_FLAG"}),
    ):
        shown = json.loads(talk("procedure", "9", given, options=("--format", "json")).stdout)
        assert {name for name, value in shown["response"]["SUCCESS_FLAG"].items() if value is True} == flags
    for wrong in ("NEW_SEASON", "NO_FLAG", '{"ACTION_FLAG": {"NO_FLAG": true}}'):
        assert talk("procedure", "9", wrong).exit_code == 2


def test_what_does_not_run(talk: Talk) -> None:
    unknown = talk("procedure", "200")
    assert unknown.exit_code == 3
    assert "ST0.STD_PROC_USED" in unknown.stderr or "refused" in unknown.stderr or "iar" in unknown.stderr
    assert talk("procedure", "4", "1", password="reader-demo").exit_code == 3
    assert talk("procedure", "4").exit_code == 2
    assert talk("procedure", "no such thing").exit_code == 2
    assert talk("procedure", "4", "xy", options=("--hex",)).exit_code == 2
