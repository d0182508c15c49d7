"""Amounts and words of text: kWh, digits in groups, points one below the other, and no digit lost."""

import datetime as dt
import re
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as some

from c1219 import Device
from c1219.values import Raw
from c1222.amounts import tier_text
from c1222.cli.amounts import aligned, amount
from c1222.cli.device import command
from c1222.cli.view_text import drift_text, view_lines
from tests.c1219.views.example_meter import meter


@pytest.mark.parametrize(
    ("value", "unit", "wanted", "text", "shown"),
    [
        ("388381680", "Wh", "kilo", "388,381.680", "kWh"),
        ("388381680", "Wh", "base", "388,381,680", "Wh"),
        ("388381680", "Wh", "raw", "7", None),
        ("1857983.5", "varh", "kilo", "1,857.9835", "kvarh"),
        ("-1", "W", "kilo", "-0.001", "kW"),
        ("0", "VAh", "kilo", "0.000", "kVAh"),
        ("1E+3", "var", "kilo", "1", "kvar"),
        ("1E+6", "VA", "kilo", "1,000", "kVA"),
        ("277.77", "V", "kilo", "277.77", "V"),
        ("1234567", "pulse", "kilo", "1,234,567", "pulse"),
        ("6", "", "kilo", "6", ""),
        ("12345678901234567890123456789012345678.9", "Wh", "kilo", "12,345,678,901,234,567,890,123,456,789,012,345.6789", "kWh"),
    ],
)  # fmt: skip
def test_amounts(value: str, unit: str, wanted: str, text: str, shown: str | None) -> None:
    assert amount(Decimal(value), unit, 7, wanted) == (text, shown)


@given(some.decimals(allow_nan=False, allow_infinity=False, places=4), some.sampled_from(["Wh", "V"]))
def test_no_digit_is_lost(value: Decimal, unit: str) -> None:
    text, shown = amount(value, unit, None, "kilo")
    assert Fraction(text.replace(",", "")) * (1000 if shown == "kWh" else 1) == Fraction(value)


def test_what_has_no_value_is_shown_as_stored() -> None:
    assert amount(None, None, 12, "kilo") == ("raw 12", None)
    assert amount(None, "Wh", Raw(b"\xff\xff"), "base") == ("raw ff ff", "Wh")
    assert amount(None, None, Raw(b"\xff\xff"), "raw") == ("ff ff", None)


def test_points_stand_one_below_the_other() -> None:
    assert aligned(["1,234.5", "6", "277.77", "raw 1", "", None]) == ["1,234.5 ", "6   ", "277.77", "raw 1", "", ""]
    assert aligned([]) == []


def column(name: str, view: object) -> list[str]:
    head, *rows = view_lines(name, view)
    end = head.index("VALUE") + len("VALUE")
    while any(row[end : end + 1].strip() for row in rows):
        end += 1
    return [row[:end] for row in rows]


def test_points_of_a_view_are_one_below_the_other() -> None:
    found = column("registers", meter().registers())
    places = {match.start() for row in found if (match := re.search(r"\.", row))}
    assert len(places) == 1
    (point,) = places
    assert all(len(row.rstrip()) <= point for row in found if "." not in row)


@pytest.mark.parametrize(
    ("drift", "text"),
    [
        (-1.7, "1.7 s behind"),
        (1.7, "1.7 s ahead"),
        (0.04, "less than 0.1 s off"),
        (59.96, "1 min 0.0 s ahead"),
        (-3723.4, "1 h 2 min 3.4 s behind"),
        (90000, "1 d 1 h 0 min 0.0 s ahead"),
    ],
)
def test_drift(drift: float, text: str) -> None:
    assert drift_text(dt.timedelta(seconds=drift)) == text


def test_drift_and_weekday_of_a_clock() -> None:
    device = Device.from_json((Path(__file__).parents[3] / "specs/devices/polyphase-tou.json").read_text())
    now = dt.datetime(2026, 11, 22, 19, 35, 1, 700_000, tzinfo=dt.UTC)
    lines = [re.split(r"\s{2,}", line, maxsplit=1) for line in view_lines("clock", device.clock(now=now))]
    found = dict(lines)
    assert found["drift"] == "1.7 s behind"
    assert found["weekday"] == "Sunday"
    assert found["tier"] == "rate B / tier 2"
    assert found["next switches[0].tier"] == "rate A / tier 1"


def test_tiers() -> None:
    assert [tier_text(number) for number in (0, 3, 7, 8)] == [
        "rate A / tier 1", "rate D / tier 4", "rate H / tier 8", "tier 9"
    ]  # fmt: skip


def test_units_of_text_and_of_forms_for_machines(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("device") / "device.json"
    path.write_text(meter().to_json())

    def run(*options: str) -> str:
        result = CliRunner().invoke(command, [str(path), "--registers", *options])
        assert result.exit_code == 0
        return result.stdout

    assert "123.456  kWh" in run()
    assert re.search(r"^ +123,456 +Wh +active energy delivered", run("--unit", "base"), re.MULTILINE)
    raw = run("--unit", "raw")
    assert " UNIT " not in raw
    assert re.search(r"^ +123456 +active energy delivered", raw, re.MULTILINE)
    for form in ("json", "csv"):
        shown = {run("--unit", unit, "--format", form) for unit in ("kilo", "base", "raw")}
        assert len(shown) == 1
        assert "kWh" not in shown.pop()
    words = run()
    assert "cumulative demand" in words
    assert "previous demand reset" in words
