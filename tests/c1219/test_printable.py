"""Text of strangers: what reaches a terminal or a spreadsheet, and that JSON still says the same."""

from __future__ import annotations

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as some

from c1219.printable import code_units, inert, printable, printable_json
from c1219.views.rows import csv_text

ANYTHING = some.text(some.characters(codec=None, categories=None))
BAD = [
    "\x00",
    "\x07",
    "\x1b",
    "\n",
    "\r",
    "\t",
    "\x7f",
    "\x80",
    "\x9b",
    "\u061c",
    "\u200e",
    "\u202e",
    "\u2028",
    "\u2066",
]
BAD += ["\ud800", "\ufeff", "\U000e0041"]


@pytest.mark.parametrize("bad", BAD, ids=ascii)
def test_what_steers_a_terminal_is_escaped(bad: str) -> None:
    assert printable(f"a{bad}b") == f"a{ascii(bad)[1:-1]}b"
    shown = printable_json(json.dumps(f"a{bad}b", ensure_ascii=False))
    assert bad not in shown
    assert json.loads(shown) == f"a{bad}b"


@pytest.mark.parametrize("good", ["", "plain", "Zähler 7 – ½ m³", "計器", "😀", "\\x1b"])
def test_what_can_be_read_stays_as_it_is(good: str) -> None:
    assert printable(good) == good
    assert printable_json(f'"{good}"') == f'"{good}"'


@given(ANYTHING)
def test_any_text_comes_out_printable_on_one_line_and_a_second_time_the_same(text: str) -> None:
    shown = printable(text)
    assert shown.isprintable()
    assert printable(shown) == shown
    assert [one for one in text if one.isprintable()] == [one for one in text if one in printable(one)]


@given(some.recursive(ANYTHING, lambda inner: some.lists(inner) | some.dictionaries(ANYTHING, inner), max_leaves=5))
def test_json_says_the_same(value: object) -> None:
    for indent in (None, 2):
        shown = printable_json(json.dumps(value, ensure_ascii=False, indent=indent))
        assert json.loads(shown) == json.loads(json.dumps(value))
        assert all(line.isprintable() for line in shown.split("\n"))


def test_code_units_are_those_of_json() -> None:
    assert code_units("\x1b😀") == "\\u001b\\ud83d\\ude00" == json.dumps("\x1b😀")[1:-1]


@pytest.mark.parametrize(
    "formula", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "-", "+1.", "-1e5x"]
)
def test_a_cell_is_no_formula(formula: str) -> None:
    assert inert(formula).startswith("'")
    (row,) = list(csv.reader(io.StringIO(csv_text(["A"], [{"A": formula}]))))[1:]
    assert row[0][0] == "'"
    assert row[0].isprintable()


@pytest.mark.parametrize("number", ["-5", "+1", "-0.250", "12"])
def test_a_number_stays_one(number: str) -> None:
    assert csv_text(["A", "B", "C"], [{"A": number, "B": -7, "C": None}]) == f"A,B,C\n{number},-7,\n"
