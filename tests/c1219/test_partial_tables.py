"""Devices that know only parts of a table: what is not known has no value, and is never a zero."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from c1219 import DecodeError, Device, LayoutError
from tests.c1219.views.example_meter import TABLES, meter

POLYPHASE = Path(__file__).parents[2] / "specs" / "devices" / "polyphase-tou.json"


def partly(number: int, *spans: tuple[int, int]) -> Device:
    device = meter({number: None})
    device.put_pieces(number, {start: TABLES[number][start:end] for start, end in spans})
    return device


def test_elements_whose_octets_are_not_known_have_no_value() -> None:
    device = partly(23, (1, 7), (26, 30))
    data = device[23].value.TOT_DATA_BLOCK
    assert data.SUMMATIONS == (123456,)
    assert device[23].value.NBR_DEMAND_RESETS is None
    assert data.DEMANDS[0].CUM_DEMAND is None
    assert data.DEMANDS[0].EVENT_TIME == (None,)
    assert [(found.level, found.code) for found in device[23].findings] == [("warning", "partial")]
    assert "10 of the 51 octets" in device[23].findings[0].text
    assert device[23].raw == b""
    assert list(device[23].pieces or {}) == [1, 26]
    assert "10 octets in 2 pieces" in repr(device[23])
    assert device.value("ST23.TOT_DATA_BLOCK.SUMMATIONS[0]") == 123456
    assert device.holds("ST23.TOT_DATA_BLOCK.SUMMATIONS")
    assert not device.holds("ST23.TOT_DATA_BLOCK")
    with pytest.raises(DecodeError, match="not known"):
        device.value("ST23.NBR_DEMAND_RESETS")


def test_pieces_that_make_up_the_table_are_the_table() -> None:
    device = partly(23, (20, len(TABLES[23])), (0, 20))
    assert device[23].findings == ()
    assert device[23].value == meter()[23].value
    strict = Device(TABLES, strict=True)  # type: ignore[arg-type]
    assert strict.put_pieces(23, {0: TABLES[23]}).value.NBR_DEMAND_RESETS == 7
    strict.put_pieces(23, {1: TABLES[23][1:]})
    with pytest.raises(DecodeError, match="not all of its 51 octets are known"):
        _ = strict[23].value


def test_a_whole_table_takes_the_place_of_pieces_and_the_reverse() -> None:
    device = partly(23, (0, 7))
    device.put(23, TABLES[23][:7])
    assert device[23].pieces is None
    assert device[23].findings[0].code == "short"
    device.put_pieces(23, {0: TABLES[23][:7]})
    assert device[23].findings[0].code == "partial"


def test_layouts_follow_what_is_known_of_the_tables_they_depend_on() -> None:
    whole = meter()
    device = partly(21, (0, 6))  # without NBR_OCCUR, NBR_TIERS and what follows
    with pytest.raises(LayoutError):
        device.bind(23)
    device.put_pieces(21, {0: TABLES[21]})
    assert device.bind(23).size == whole.bind(23).size


def test_changes_and_copies_keep_what_is_not_known_unknown() -> None:
    device = partly(23, (0, 7))
    device.change("ST23.TOT_DATA_BLOCK.SUMMATIONS[0]", 5)
    assert device.value("ST23.TOT_DATA_BLOCK.SUMMATIONS[0]") == 5
    assert device.value("ST23.NBR_DEMAND_RESETS") == 7
    with pytest.raises(DecodeError, match="not known"):
        device.change("ST23.TIER_DATA_BLOCK[0].SUMMATIONS[0]", 5)
    for other in (copy.deepcopy(device), pickle.loads(pickle.dumps(device)), Device.from_json(device.to_json())):
        assert other[23].pieces == device[23].pieces
        assert device.diff(other) == []
    changes = device.diff(meter())
    assert {change.path for change in changes} >= {"ST23.TOT_DATA_BLOCK.SUMMATIONS[0]"}
    assert all(change.path.startswith("ST23.") for change in changes)


@pytest.mark.parametrize(
    "pieces", ['{"23": "00"}', '{"23": {"x": "00"}}', '{"23": {"-1": "00"}}', '{"23": {"0": 5}}', '{"X": {}}', "[]"]
)
def test_device_files_whose_pieces_are_none(pieces: str) -> None:
    with pytest.raises(DecodeError):
        Device.from_json(f'{{"schema": "c1219.device/1", "tables": {{}}, "pieces": {pieces}}}')


def test_registers_are_those_that_are_known() -> None:
    rows = {row.path: row for row in meter().registers()}
    found = partly(23, (1, 7), (12, 22)).registers()
    here = [row for row in found if row.table == "ST23"]
    assert [row.path for row in here if row.kind == "summation"] == ["ST23.TOT_DATA_BLOCK.SUMMATIONS[0]"]
    for row in here:
        assert row.value == rows[row.path].value
        assert row.remarks == rows[row.path].remarks
    assert "partial" in {finding.code for finding in found.findings}


@given(st.data())
def test_no_view_tells_what_is_not_known(data: st.DataObject) -> None:
    whole = Device.from_json(POLYPHASE.read_text())
    number = data.draw(st.sampled_from([23, 25, 26, 28, 74, 76, 64, 1, 5]))
    if number not in whole:
        return
    octets = whole[number].raw
    cuts = sorted(data.draw(st.sets(st.integers(0, len(octets)), min_size=1, max_size=6)))
    pieces = {start: octets[start:end] for start, end in zip(cuts[::2], cuts[1::2], strict=False)}
    device = copy.deepcopy(whole)
    device.put_pieces(number, pieces)
    if number == 64:
        known = set(whole.load_profile(1).rows)
        assert known.issuperset(row._replace() for row in device.load_profile(1).rows)
    elif number >= 70:
        known_events = {(row.log, row.element, row.raw, row.code, row.time) for row in whole.events()}
        assert known_events.issuperset((r.log, r.element, r.raw, r.code, r.time) for r in device.events())
    elif number > 20:
        known_rows = {(row.path, row.raw, row.value, row.event_time) for row in whole.registers()}
        for row in device.registers():
            assert any(row.path == path and row.value == value for path, _, value, _ in known_rows)
            if row.event_time is not None:
                assert (row.path, row.raw, row.value, row.event_time) in known_rows
    else:
        mine, theirs = device.identity().as_dict(), whole.identity().as_dict()
        assert all(mine[name] in {theirs[name], None} for name in ("serial", "model", "firmware", "identification"))
