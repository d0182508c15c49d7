"""``c1219.readings/1``: its columns, what a value becomes in them, and a file of an earlier version."""

from __future__ import annotations

import datetime as dt
import pickle
from decimal import Decimal
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from c1219 import Device
from c1219.rules.timekeeping import Timekeeping
from c1219.tabular.arrow import arrow_schema, arrow_table
from c1219.tabular.readings import READINGS, MeterOrigin, reading
from c1219.values import Raw

SAMPLE = Path(__file__).with_name("readings-1.parquet")
"""Registers and intervals of the sample polyphase-tou, as they were written when the schema was new."""
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
ORIGIN = MeterOrigin("12345", ".123.8437", place=Timekeeping(zone=dt.timedelta(hours=-7)).placed)
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
    assert row(end=in_utc)["local_offset"] == -420, "a time of a capture"
    london = ORIGIN._replace(place=Timekeeping(zone=dt.timedelta(0)).placed)
    assert row(end=in_utc, origin=london)["local_offset"] == 0


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


def device(captured: object = None) -> Device:
    found = Device.from_json(
        (Path(__file__).parents[3] / "specs" / "devices" / "polyphase-tou.json").read_text("utf-8")
    )
    if captured is not None:
        found.node["captured"] = captured
    return found


def test_a_file_of_the_first_version_is_read_and_says_what_it_said() -> None:
    old = pq.read_table(SAMPLE)
    assert old.schema.metadata[b"schema"] == b"c1219.readings/1"
    assert old.num_rows > 80
    kinds = {field.name: field.type for field in arrow_schema(READINGS)}
    for field in old.schema:
        assert field.type.equals(kinds[field.name]), field.name
    meter = device()
    now = pl.concat([meter.registers().to_polars(), meter.load_profile(1).to_polars()])
    then = pl.read_parquet(SAMPLE)
    same = then.join(now, on=["meter", "path", "end"], how="inner", nulls_equal=True)
    assert same.height == then.height
    for name in then.columns[3:]:
        if then[name].null_count() == then.height:
            continue  # a column that had no values yet
        if name != "end":
            assert same[name].to_list() == same[f"{name}_right"].to_list(), name
    assert pl.concat([then, now.select(then.columns)]).height == then.height + now.height


def test_a_device_out_of_traffic_knows_when_each_table_was_read() -> None:
    seen = {"ST23": {"last": "2026-11-30T12:00:00+00:00", "verified": True}}
    seen["ST64"] = {"last": "2026-11-30T13:00:00+00:00", "verified": None}
    meter = device(seen)
    rows = meter.registers().to_polars()
    at = dt.datetime(2026, 11, 30, 12, tzinfo=dt.UTC)
    current = rows.filter(pl.col("path").str.starts_with("ST23."))
    assert set(current["verified"]) == {True}
    assert set(current["read_at"]) == set(current["end"]) == {at}
    other = rows.filter(~pl.col("path").str.starts_with("ST23."))
    assert other.height > 0
    assert set(other["verified"]) == set(other["read_at"]) == {None}
    profile = meter.load_profile(1).to_polars()
    assert set(profile["read_at"]) == {at + dt.timedelta(hours=1)}
    assert profile["end"].max() < at
    again = pickle.loads(pickle.dumps(meter.load_profile(1)))
    assert again.to_polars().equals(profile)


@pytest.mark.parametrize(
    "captured",
    [7, {"ST23": 7}, {"ST23": {}}, {"ST23": {"last": "soon", "verified": True}}, {"ST23": {"last": 7, "verified": None}},
     {"ST23": {"last": "2026-11-30T12:00:00", "verified": True}},
     {"ST23": {"last": "2026-11-30T12:00:00+00:00", "verified": []}}],
)  # fmt: skip
def test_what_a_device_file_says_of_that_may_be_nonsense(captured: object) -> None:
    rows = device(captured).registers().to_polars()
    assert set(rows["read_at"]) == {None}
    assert rows.height > 100
