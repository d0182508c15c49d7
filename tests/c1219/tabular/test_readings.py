"""``c1219.readings/1``: its columns, what a value becomes in them, and a file of an earlier version."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from c1219.tabular.arrow import arrow_schema, arrow_table
from c1219.tabular.readings import READINGS, MeterOrigin, reading
from c1219.values import Raw

FIRST = [
    ("meter", "string", False), ("node", "string", True), ("path", "string", False),
    ("start", "timestamp[us, tz=UTC]", True), ("end", "timestamp[us, tz=UTC]", True), ("local_offset", "int16", True),
    ("source", "int16", True), ("quantity", "word", True), ("unit", "word", True), ("kind", "word", True),
    ("tier", "int16", True), ("occurrence", "int16", True), ("value", "decimal128(38, 9)", True), ("raw", "string", True),
    ("status", "words", False), ("verified", "bool", True), ("read_at", "timestamp[us, tz=UTC]", True),
    ("obis", "string", True), ("reading_type", "string", True), ("event_time", "timestamp[us, tz=UTC]", True),
    ("extreme", "word", True),
]  # fmt: skip
"""The columns that were there first: later ones may follow, but none of these changes."""
WORD = "dictionary<values=string, indices=int32, ordered=0>"
ORIGIN = MeterOrigin("12345", ".123.8437", place_known=True)
AT = dt.datetime(2026, 11, 22, 12, tzinfo=dt.timezone(dt.timedelta(hours=-7)))


def row(value=None, *, end=AT, raw=None, origin=ORIGIN, **more):
    return dict(zip(READINGS.names, reading(origin, end=end, value=value, raw=raw, **more), strict=True))


def test_a_column_never_changes() -> None:
    words = {"word": WORD, "words": f"list<item: {WORD}>"}
    fields = [(field.name, str(field.type), field.nullable) for field in arrow_schema(READINGS)]
    assert fields[: len(FIRST)] == [(name, words.get(kind, kind), null) for name, kind, null in FIRST]
    assert READINGS.key == ("meter", "path", "end")


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**29) + 1, max_value=10**29 - 1, places=9))
def test_a_value_that_fits_is_exact(value: Decimal) -> None:
    made = reading(ORIGIN, end=AT, value=value, raw=1)
    (kept,) = arrow_table(READINGS, [made])["value"].to_pylist()
    assert kept == value
    assert row(value)["status"] == ()


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_what_is_lost_of_a_value_is_said(value: Decimal) -> None:
    made = row(value)
    kept = arrow_table(READINGS, [tuple(made.values())])["value"].to_pylist()[0]
    if abs(value) >= 10**29:
        assert (kept, made["status"]) == (None, ("TOO_LARGE",))
    else:
        assert abs(kept - value) <= Decimal("5e-10")
        assert made["status"] == (() if kept == value else ("ROUNDED",))


@pytest.mark.parametrize(
    "value", ["99999999999999999999999999999.9999999999", "-99999999999999999999999999999.99999999999"]
)
def test_a_value_that_would_round_out_of_the_column_is_too_large(value: str) -> None:
    made = row(Decimal(value))
    assert (made["value"], made["status"]) == (None, ("TOO_LARGE",))
    arrow_table(READINGS, [tuple(made.values())])


def test_an_instant_has_the_offset_of_the_place_if_that_is_known() -> None:
    assert row()["local_offset"] == -420
    in_utc = AT.astimezone(dt.UTC)
    unknown = row(end=in_utc, origin=MeterOrigin("12345"))
    assert (unknown["local_offset"], unknown["status"]) == (None, ())
    assert row(end=in_utc)["local_offset"] == 0  # in London


def test_a_time_of_an_unknown_zone_is_marked() -> None:
    wall = row(end=AT.replace(tzinfo=None), status=("DST",))
    assert (wall["local_offset"], wall["status"]) == (None, ("DST", "ZONE_UNKNOWN"))
    table = arrow_table(READINGS, [tuple(wall.values())])
    assert table["end"].to_pylist() == [dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)]


def test_the_number_on_the_wire_is_text() -> None:
    raws = [1, Decimal("1E+3"), 0.5, float("nan"), Raw(b"\xff\x0a"), None]
    assert [row(raw=raw)["raw"] for raw in raws] == ["1", "1000", "0.5", "nan", "ff0a", None]


def test_a_column_that_is_not_there_is_refused() -> None:
    with pytest.raises(KeyError):
        reading(ORIGIN, end=None, value=None, raw=None, colour="red")


def test_rows_as_json_and_csv() -> None:
    made = tuple(row(Decimal("1.50"), path="LP1.CH1", status=("DST", "OVERFLOW")).values())
    shown = READINGS.as_dict(made)
    assert (shown["value"], shown["end"], shown["status"]) == ("1.50", "2026-11-22T19:00:00+00:00", ["DST", "OVERFLOW"])


def test_a_frame_adds_up_exactly() -> None:
    rows = [reading(ORIGIN, path="LP1.CH1", end=AT, value=Decimal("0.1"), raw=1) for _ in range(10)]
    frame = pl.from_arrow(arrow_table(READINGS, rows))
    assert frame["value"].sum() == 1
