"""Layouts: places, names, partial access, JSON."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as some

from c1219 import AbsentElement, DecodeError, EncodeError, UnknownElement
from c1219.device import Device
from c1219.values import Raw
from tests.c1219.engine.example_tables import ST23
from tests.c1219.engines import DEMO


@pytest.fixture
def layout():
    return Device(DEMO).bind(23)


@pytest.mark.parametrize(
    ("path", "offset", "size", "index", "value"),
    [
        ("NBR_DEMAND_RESETS", 0, 1, "0", 7),
        ("TOT_DATA_BLOCK.SUMMATIONS[0]", 1, 6, "1.0.0", 123456),
        ("TOT_DATA_BLOCK.DEMANDS[0].EVENT_TIME[0]", 7, 5, "1.1.0.0.0", dt.datetime(2026, 11, 22, 14, 30)),
        ("TOT_DATA_BLOCK.DEMANDS[0].CUM_DEMAND", 12, 6, "1.1.0.1", 54321),
        ("TOT_DATA_BLOCK.DEMANDS[0].DEMAND[0]", 18, 4, "1.1.0.3.0", 4200),
        ("TOT_DATA_BLOCK.COINCIDENTS[0].COINCIDENT_VALUES[0]", 22, 4, "1.2.0.0.0", 24012),
        ("TIER_DATA_BLOCK[0].SUMMATIONS[0]", 26, 6, "2.0.0.0", 23456),
        ("TIER_DATA_BLOCK[0].DEMANDS[0].EVENT_TIME[0]", 32, 5, "2.0.1.0.0.0", dt.datetime(2026, 11, 20, 9, 15)),
        ("TIER_DATA_BLOCK[0].DEMANDS[0].CUM_DEMAND", 37, 6, "2.0.1.0.1", 4321),
        ("TIER_DATA_BLOCK[0].DEMANDS[0].DEMAND[0]", 43, 4, "2.0.1.0.3.0", 3100),
        ("TIER_DATA_BLOCK[0].COINCIDENTS[0].COINCIDENT_VALUES[0]", 47, 4, "2.0.2.0.0.0", 23990),
    ],
)
def test_places_of_the_worked_example(layout, path, offset, size, index, value) -> None:
    element = layout.element(f"ST23.{path}")
    assert element is layout.element(f"ST23.{path}")
    assert (element.path, element.offset, element.size, element.count) == (f"ST23.{path}", offset, size, 1)
    assert element.index_path == tuple(map(int, index.split(".")))
    assert element.get(ST23) == value
    assert element.decode(ST23[offset : offset + size]) == value
    assert element.encode(value) == ST23[offset : offset + size]
    assert layout.at_index(element.index_path).path == element.path
    assert layout.at_offset(offset).path == layout.at_offset(offset + size - 1).path == element.path
    assert layout.element(path).doc


def test_records_arrays_and_slices(layout) -> None:
    block = layout.element("TIER_DATA_BLOCK[0]")
    assert (block.offset, block.size, block.index_path, block.type) == (26, 25, (2, 0), "DATA_BLK_RCD")
    assert block.decode(ST23[26:]).SUMMATIONS == (23456,)
    tiers = layout.element("TIER_DATA_BLOCK")
    assert (tiers.offset, tiers.size, tiers.count, tiers.index_path) == (26, 25, 1, (2,))
    whole = layout.element("")
    assert (whole.path, whole.offset, whole.size, whole.index_path) == ("ST23", 0, 51, ())
    wide = Device({**DEMO, 21: bytes.fromhex("57 12 02 05 01 01 02 03 01 02")}).bind(23)
    part = wide.element("ST23.TIER_DATA_BLOCK[2].SUMMATIONS[2:5]")
    first = wide.element("TIER_DATA_BLOCK[2].SUMMATIONS[2]")
    assert (part.offset, part.size, part.count, part.index_path) == (first.offset, 18, 3, first.index_path)
    assert part.type == "ARRAY[3] OF NI_FMAT1 (INT48)"
    assert part.decode(part.encode((1, 2, 3))) == (1, 2, 3)
    assert wide.element("TIER_DATA_BLOCK[0].SUMMATIONS[:2]").count == 2
    assert wide.element("TIER_DATA_BLOCK[0].SUMMATIONS[4:]").count == 1
    assert wide.element("TIER_DATA_BLOCK[0].SUMMATIONS[5:]").size == 0


@pytest.mark.parametrize(
    "path",
    [
        "NOPE", "TOT_DATA_BLOCK.NOPE", "TOT_DATA_BLOCK.SUMMATIONS[1]", "TOT_DATA_BLOCK.SUMMATIONS[-1]",
        "NBR_DEMAND_RESETS[0]", "NBR_DEMAND_RESETS.X", "TIER_DATA_BLOCK[0:1].SUMMATIONS", "TOT_DATA_BLOCK.", "[0]",
        "TOT_DATA_BLOCK.SUMMATIONS[0:2]", "TOT_DATA_BLOCK.SUMMATIONS[1:0]", "TOT_DATA_BLOCK..SUMMATIONS",
        "TOT_DATA_BLOCK.SUMMATIONS[0", "TOT_DATA_BLOCK SUMMATIONS", "TOT_DATA_BLOCK.DEMANDS.DEMAND",
        "TOT_DATA_BLOCK.SUMMATIONS[99999999999999]", "ST24.X", "é",
    ],
)  # fmt: skip
def test_names_that_are_no_element(layout, path: str) -> None:
    with pytest.raises(UnknownElement):
        layout.element(path)


def test_absent_elements_keep_their_index(layout) -> None:
    with pytest.raises(AbsentElement, match="CONT_CUM_DEMAND_FLAG"):
        layout.element("TOT_DATA_BLOCK.DEMANDS[0].CONT_CUM_DEMAND")
    with pytest.raises(AbsentElement):
        layout.at_index((1, 1, 0, 2))
    assert layout.at_index((1, 1, 0, 3)).path.endswith(".DEMAND")
    for wrong in ((3,), (1, 0, 7), (0, 0), (1, 0, 0, 0)):
        with pytest.raises(UnknownElement):
            layout.at_index(wrong)
    for wrong in (51, 1000):
        with pytest.raises(UnknownElement):
            layout.at_offset(wrong)


def test_sub_fields_of_bit_fields() -> None:
    layout = Device().bind(21)
    element = layout.element("REG_FUNC2_FLAGS.SELF_READ_DEMAND_RESET")
    assert (element.offset, element.size, element.index_path) == (1, 1, (1, 4))
    assert element.get(DEMO[21]) == 1
    assert layout.at_index((1, 4)).path == element.path
    assert element.type == "UINT(4..5) of REG_FUNC2_FLAGS_BFLD"
    changed = element.put(DEMO[21], 3)
    assert changed == DEMO[21][:1] + b"\x32" + DEMO[21][2:]
    with pytest.raises(EncodeError, match="bit field"):
        element.encode(1)
    with pytest.raises(EncodeError):
        element.put(DEMO[21], 4)


def test_leaves_in_order_cover_the_table(layout) -> None:
    at = 0
    for element in layout.elements():
        assert element.offset == at
        at += element.size
    assert at == layout.size
    assert [element.path for element in layout.elements(12, 19)] == [
        "ST23.TOT_DATA_BLOCK.DEMANDS[0].CUM_DEMAND",
        "ST23.TOT_DATA_BLOCK.DEMANDS[0].DEMAND[0]",
    ]


@given(some.integers(0, 60), some.integers(0, 60))
def test_a_piece_gives_the_elements_in_it(start: int, length: int) -> None:
    layout = Device(DEMO).bind(23)
    piece = ST23[start : start + length]
    values, findings = layout.partial(start, piece)
    whole = {element.path: element for element in layout.elements()}
    for path, value in values.items():
        element = whole[path]
        if start <= element.offset and element.offset + element.size <= start + len(piece):
            assert value == element.get(ST23)
        else:
            assert isinstance(value, Raw)
            assert any(finding.path == path and finding.code == "cut" for finding in findings)
    inside = [e for e in whole.values() if e.offset < start + len(piece) and e.offset + e.size > start]
    assert list(values) == [e.path for e in inside]


def test_a_piece_past_the_end_says_so(layout) -> None:
    values, findings = layout.partial(47, ST23[47:] + b"abc")
    assert list(values.values()) == [23990]
    assert findings[0].code == "long"
    assert layout.partial(70, b"abc").findings[0].code == "long"


def test_an_element_past_the_end_is_no_value() -> None:
    layout = Device({**DEMO, 21: bytes.fromhex("57 12 02 30 01 01 01 01 01 02")}).bind(23)
    element = layout.element("TOT_DATA_BLOCK.SUMMATIONS")
    assert element.count == 48
    octets = bytes(element.offset + element.size)
    assert len(element.get(octets)) == 48
    with pytest.raises(DecodeError) as caught:
        element.get(octets[:-12])
    assert caught.value.path == "ST23.TOT_DATA_BLOCK.SUMMATIONS[46]"
    for wrong in (octets[:-12], octets + b"1"):
        with pytest.raises(DecodeError, match="are needed"):
            element.decode(wrong[element.offset :])


def test_json_of_a_table(layout) -> None:
    value = layout.decode(ST23)
    shown = layout.to_json(value)
    assert shown["TOT_DATA_BLOCK"]["DEMANDS"] == [
        {"EVENT_TIME": ["2026-11-22T14:30:00"], "CUM_DEMAND": 54321, "DEMAND": [4200]}
    ]
    assert layout.from_json(shown) == value
    assert layout.encode(layout.from_json(shown)) == ST23
    for wrong in ({}, [], 5, {**shown, "X": 1}, {**shown, "NBR_DEMAND_RESETS": "7"}, {**shown, "TIER_DATA_BLOCK": 1}):
        with pytest.raises(EncodeError):
            layout.from_json(wrong)
    element = layout.element("TOT_DATA_BLOCK")
    assert element.from_json(element.to_json(value.TOT_DATA_BLOCK)) == value.TOT_DATA_BLOCK


def test_source_is_kept_and_holds_no_name_of_the_declaration(layout) -> None:
    assert "unpack_from" in layout.__source__
    assert "SUMMATIONS" not in layout.__source__
    compile(layout.__source__, "source", "exec")


def test_other_buffers_are_octets_too(layout) -> None:
    assert layout.decode(bytearray(ST23)) == layout.decode(memoryview(ST23)) == layout.decode(ST23)
    assert layout.element("NBR_DEMAND_RESETS").get(memoryview(ST23)) == 7
    raw = bytearray(ST23)
    value = layout.decode(raw)
    raw[0] = 99
    assert layout.encode(value) == ST23
