"""Layouts: places, names, partial access, unchanged octets, ends, limits."""

import copy
import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as some

from c1219 import (
    AbsentElement,
    DecodeError,
    EncodeError,
    LayoutError,
    LimitExceeded,
    MissingTables,
    Table,
    UnknownElement,
)
from c1219.datatypes import (
    BFLD,
    BINARY,
    BOOL,
    FILL,
    NI_FMAT2,
    OPAQUE,
    SET,
    STIME_DATE,
    STRING,
    UINT,
    UINT8,
    UINT16,
    UINT32,
)
from c1219.device import Device
from c1219.engine.layout import bind
from c1219.schema import Array, Error, If, IfThenElse, Record, Switch, Tail, device, this
from c1219.values import Raw
from tests.c1219.engines import DEMO

ST23 = bytes.fromhex(
    "07 40 E2 01 00 00 00 1A 0B 16 0E 1E 31 D4 00 00 00 00 68 10 00 00 CC 5D 00 00"
    "A0 5B 00 00 00 00 1A 0B 14 09 0F E1 10 00 00 00 00 1C 0C 00 00 B6 5D 00 00"
)


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


# --- unchanged octets


MIXED = Table(
    number=7,
    manufacturer=True,
    name="MIXED",
    record=Record(
        "MIXED_RCD",
        "FLAGS" / BFLD("F", UINT16, "A" / BOOL(0), FILL(1, 7), "B" / UINT(8, 10), FILL(11, 15)),
        "TEXT" / STRING(4),
        "WHEN" / Array(2, STIME_DATE),
        "NUMBER" / NI_FMAT2,
        "SETS" / SET(2),
        "AFTER" / UINT8,
    ),
)
TABLES = {"ST0": Device(DEMO)[0].value._replace()}


def mixed(ni2: int):
    st0 = bytearray(DEMO[0])
    st0[2] = 8 | ni2 << 4
    return bind(MIXED, {"ST0": Device({0: bytes(st0)})[0].value})


def test_what_was_not_changed_keeps_its_octets() -> None:
    layout = mixed(6)
    octets = bytes.fromhex(
        "FF FA" + "41 00 20 00" + "FF FF FF FF FF" + "00 00 00 00 00" + "BB BA 12 34" + "01 80" + "05"
    )
    value = layout.decode(octets)
    assert value == ((True, 2), "A", (None, None), -1234, {0, 15}, 5)
    assert layout.encode(value) == octets
    changed = layout.encode(value._replace(AFTER=6))
    assert changed == octets[:-1] + b"\x06"
    changed = layout.encode(value._replace(AFTER=6)._replace(TEXT="B"))
    assert changed == octets[:2] + b"B   " + octets[6:-1] + b"\x06"
    moment = dt.datetime(2026, 1, 2, 3, 4)
    changed = layout.encode(value._replace(WHEN=(moment, None)))
    assert changed == octets[:6] + bytes((26, 1, 2, 3, 4)) + octets[11:]
    flags = value.FLAGS._replace(A=False)
    assert layout.encode(value._replace(FLAGS=flags)) == bytes.fromhex("00 02") + octets[2:]
    assert layout.encode(value._replace(NUMBER=5)) == octets[:16] + bytes((0, 0, 0, 5)) + octets[20:]
    assert layout.encode(value._replace(NUMBER=-1234)) == octets
    plain = tuple(value)
    assert layout.encode(plain) == bytes.fromhex("01 02" + "41 20 20 20" + "00" * 10 + "A0 00 12 34" + "01 80" + "05")
    assert copy.copy(value) is copy.deepcopy(value) is value


def test_signalling_nan_keeps_its_octets() -> None:
    layout = mixed(1)
    octets = bytes(16) + bytes.fromhex("01 00 A0 7F") + bytes(3)
    value = layout.decode(octets)
    assert layout.encode(value._replace(AFTER=1)) == octets[:-1] + b"\x01"


def test_values_go_to_another_layout_without_their_octets() -> None:
    value = mixed(6).decode(bytes.fromhex("FF FA") + bytes(14) + bytes.fromhex("BB BA 12 34 00 00 00"))
    other = mixed(8)
    assert other.encode(value)[:2] == bytes.fromhex("01 02")
    assert other.encode(value)[16:20] == (-1234).to_bytes(4, "little", signed=True)


def test_raw_octets_are_written_as_they_are() -> None:
    layout = mixed(6)
    octets = bytes(16) + bytes.fromhex("0C 00 00 00") + bytes(3)
    with pytest.raises(DecodeError, match="BCD") as caught:
        layout.decode(octets)
    assert (caught.value.path, caught.value.offset) == ("MT7.NUMBER", 16)
    value, findings = layout.examine(octets)
    assert Raw.fromhex("0C000000") == value.NUMBER
    assert [(f.level, f.code, f.path, f.offset) for f in findings] == [("error", "no-value", "MT7.NUMBER", 16)]
    assert layout.encode(value) == octets
    assert layout.encode(value._replace(AFTER=9)) == octets[:-1] + b"\x09"
    assert layout.encode(tuple(value))[16:] == octets[16:]
    shown = layout.to_json(value)
    assert shown["NUMBER"] == {"raw": "0c000000"}
    assert layout.from_json(shown) == value
    with pytest.raises(EncodeError, match="raw"):
        layout.encode(value._replace(NUMBER=Raw(b"1")))


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"AFTER": 256}, "MT7.AFTER"),
        ({"AFTER": None}, "MT7.AFTER"),
        ({"TEXT": "ABCDE"}, "MT7.TEXT"),
        ({"TEXT": 5}, "MT7.TEXT"),
        ({"WHEN": (None,)}, "MT7.WHEN"),
        ({"WHEN": None}, "MT7.WHEN"),
        ({"WHEN": "ab"}, "MT7.WHEN"),
        ({"WHEN": (None, dt.date(2026, 1, 1))}, "MT7.WHEN[1]"),
        ({"FLAGS": (1, 9)}, "MT7.FLAGS"),
        ({"SETS": {16}}, "MT7.SETS"),
        ({"NUMBER": 10**9}, "MT7.NUMBER"),
    ],
)
def test_values_without_a_form_are_named(change: dict, path: str) -> None:
    layout = mixed(6)
    with pytest.raises(EncodeError) as caught:
        layout.encode(layout.decode(bytes(23))._replace(**change))
    assert caught.value.path == path
    assert str(caught.value).startswith(path)


def test_other_things_than_records_are_refused(layout) -> None:
    for wrong in (None, 5, "abc", (1, 2), {"NBR_DEMAND_RESETS": 1}, b"abc"):
        with pytest.raises(EncodeError):
            layout.encode(wrong)
    value = layout.decode(ST23)
    block = value.TOT_DATA_BLOCK
    demand = block.DEMANDS[0]._replace(CONT_CUM_DEMAND=5)
    with pytest.raises(EncodeError, match="absent"):
        layout.encode(value._replace(TOT_DATA_BLOCK=block._replace(DEMANDS=(demand,))))


# --- ends of a table


EDITIONS = Table(
    number=8,
    manufacturer=True,
    name="EDITIONS",
    record=Record(
        "EDITIONS_RCD",
        "A" / UINT8,
        "B" / UINT16,
        "C" / Tail(device.ST0.STD_VERSION_NO > 1, UINT8),
        "D" / Tail(device.ST0.STD_VERSION_NO > 1, UINT16),
    ),
)


def editions(version: int):
    st0 = bytearray(DEMO[0])
    st0[11] = version
    return Device({0: bytes(st0)}), bind(EDITIONS, {"ST0": Device({0: bytes(st0)})[0].value})


def test_a_tail_that_is_left_out_is_tolerated_and_reported() -> None:
    _, layout = editions(2)
    assert (layout.size, layout.cuts) == (6, (3, 4))
    assert layout.decode(b"\1\2\0\3\4\0") == (1, 2, 3, 4)
    assert layout.decode(b"\1\2\0") == (1, 2, None, None)
    assert layout.decode(b"\1\2\0\3") == (1, 2, 3, None)
    value, findings = layout.examine(b"\1\2\0")
    assert [(f.level, f.code) for f in findings] == [("note", "tail-absent")]
    assert layout.encode(value) == b"\1\2\0"
    assert layout.encode(value._replace(A=9)) == b"\x09\2\0"
    assert layout.encode(value._replace(C=3, D=4)) == b"\1\2\0\3\4\0"
    for length in (0, 1, 2, 5):
        with pytest.raises(DecodeError, match="missing") as caught:
            layout.decode(bytes(length))
        assert caught.value.offset == length


def test_a_tail_that_the_edition_does_not_have_is_taken_if_it_fits() -> None:
    _, layout = editions(1)
    assert layout.size == 3
    assert layout.decode(b"\1\2\0") == (1, 2, None, None)
    assert layout.decode(b"\1\2\0\3\4\0") == (1, 2, 3, 4)
    assert layout.examine(b"\1\2\0\3\4\0").findings[0].code == "tail-present"
    with pytest.raises(DecodeError, match="more than"):
        layout.decode(b"\1\2\0\3\4\0\0")


def test_short_and_long_tables_say_so(layout) -> None:
    value, findings = layout.examine(ST23[:30])
    assert [(f.level, f.code, f.offset) for f in findings] == [("error", "short", 30)]
    assert findings[0].path == "ST23.TIER_DATA_BLOCK[0].SUMMATIONS[0]"
    assert value.TOT_DATA_BLOCK.SUMMATIONS == (123456,)
    assert (Raw(ST23[26:30]),) == value.TIER_DATA_BLOCK[0].SUMMATIONS
    assert value.TIER_DATA_BLOCK[0].COINCIDENTS == ()
    assert layout.encode(value) == ST23[:30]
    with pytest.raises(DecodeError) as caught:
        layout.decode(ST23[:30])
    assert (caught.value.path, caught.value.offset) == ("ST23.TIER_DATA_BLOCK[0].SUMMATIONS[0]", 30)
    value, findings = layout.examine(ST23 + b"\1\2")
    assert [(f.level, f.code, f.offset) for f in findings] == [("warning", "long", 51)]
    assert layout.encode(value) == ST23 + b"\1\2"
    assert layout.encode(value._replace(NBR_DEMAND_RESETS=8)) == b"\x08" + ST23[1:] + b"\1\2"
    with pytest.raises(DecodeError, match="2 octets more") as caught:
        layout.decode(ST23 + b"\1\2")
    assert caught.value.offset == 51
    assert layout.examine(b"").value.TIER_DATA_BLOCK == ()


@given(some.integers(0, 70))
def test_every_length_ends_in_a_value_or_a_typed_error(length: int) -> None:
    layout = Device(DEMO).bind(23)
    octets = (ST23 + bytes(30))[:length]
    if length == 51:
        assert layout.decode(octets) is not None
    else:
        with pytest.raises(DecodeError):
            layout.decode(octets)
    assert layout.examine(octets).value is not None
    assert layout.encode(layout.examine(octets).value) == octets


# --- dimensions, limits, own octets


def test_missing_tables_are_named() -> None:
    with pytest.raises(MissingTables) as caught:
        bind(MIXED, {})
    assert caught.value.names == ("ST0",)
    assert "ST0" in str(caught.value)


def test_hostile_dimensions_are_refused_before_anything_is_allocated() -> None:
    hostile = Table(
        number=9,
        manufacturer=True,
        name="HOSTILE",
        record=Record(
            "R",
            "A"
            / Array(
                device.MT1.N, Record("S", "B" / Array(device.MT1.N, Record("T", "C" / Array(device.MT1.N, UINT8))))
            ),
        ),
    )
    sizes = Table(number=1, manufacturer=True, name="N", record=Record("N_RCD", "N" / UINT32))
    st0 = Device(DEMO)[0].value
    big = bind(sizes, {"ST0": st0}).decode(b"\xff\xff\0\0")
    with pytest.raises(LimitExceeded, match="more than the limit"):
        bind(hostile, {"MT1": big})
    small = bind(sizes, {"ST0": st0}).decode(b"\4\0\0\0")
    assert bind(hostile, {"MT1": small}).size == 64
    with pytest.raises(LimitExceeded):
        bind(hostile, {"MT1": small}, max_size=63)
    with pytest.raises(LimitExceeded):
        bind(hostile, {"MT1": small}, max_values=63)


def test_arrays_of_nothing_are_limited_too() -> None:
    record = Record("R", "A" / Array(device.MT1.N, Record("S", "B" / Array(device.MT1.N, STIME_DATE))))
    empty = Table(number=9, manufacturer=True, name="EMPTY", record=record)
    st0 = bytearray(DEMO[0])
    st0[1] &= ~7
    st0_value = Device({0: bytes(st0)})[0].value
    sizes = Table(number=1, manufacturer=True, name="N", record=Record("N_RCD", "N" / UINT16))
    layout = bind(sizes, {"ST0": st0_value})
    with pytest.raises(LimitExceeded, match="values"):
        bind(empty, {"ST0": st0_value, "MT1": layout.decode(b"\xff\xff")})
    few = bind(empty, {"ST0": st0_value, "MT1": layout.decode(b"\2\0")})
    assert few.size == 0
    assert few.decode(b"") == ((((None, None),), ((None, None),)),)
    assert few.encode(few.decode(b"")._replace()) == b""


def test_arrays_of_absent_elements_are_limited_too() -> None:
    entry = Record("S", "B" / If(device.MT1.N == 0, UINT8))
    absent = Table(number=9, manufacturer=True, name="E", record=Record("R", "A" / Array(device.MT1.N, entry)))
    n = Table(number=1, manufacturer=True, name="N", record=Record("N_RCD", "N" / UINT8))
    tables = {"MT1": bind(n, {}).decode(b"\x14")}
    assert bind(absent, tables, max_values=20).decode(b"") == (((None,),) * 20,)
    with pytest.raises(LimitExceeded, match="20 values are more than the limit of 19") as caught:
        bind(absent, tables, max_values=19)
    assert caught.value.path == "MT9.A"


def test_binding_is_as_long_as_the_declaration() -> None:
    device_ = Device({**DEMO, 21: bytes.fromhex("57 12 FF 01 01 01 02 FF 01 02")})
    layout = device_.bind(26)
    assert layout.root.values > 400_000
    assert len(layout.describe()) == len(Device(DEMO).bind(26).describe())
    assert (
        layout.element("SELF_READS_ENTRIES[254].SELF_READ_REGISTER_DATA.TIER_DATA_BLOCK[254].SUMMATIONS[0]").offset > 0
    )


OWN = Table(
    number=11,
    manufacturer=True,
    name="OWN",
    record=Record("OWN_RCD", "N" / UINT8, "DATA" / BINARY(this.N), "M" / UINT8, "REST" / OPAQUE),
)


def test_tables_that_say_their_own_form() -> None:
    octets = b"\2ab\1xyz"
    layout = bind(OWN, {}, own=octets)
    value = layout.decode(octets)
    assert value == (2, b"ab", 1, b"xyz")
    assert layout.open_end
    assert layout.decode(octets + b"more").REST == b"xyzmore"
    assert bind(OWN, {}, own=value._replace(N=1, DATA=b"a")).encode(value._replace(N=1, DATA=b"a")) == b"\1a\1xyz"
    with pytest.raises(LayoutError, match="own octets"):
        bind(OWN, {})
    with pytest.raises(DecodeError, match="layout depends on"):
        bind(OWN, {}, own=b"")


NESTED = Table(
    number=13,
    manufacturer=True,
    name="NESTED",
    record=Record(
        "NESTED_RCD",
        "N" / UINT8,
        "A" / Record("INNER_RCD", "N" / UINT8, "B" / BINARY(this._.N), "C" / Record("C_RCD", "D" / BINARY(this._._.N)),
                     "E" / BINARY(this.N)),
        "F" / BINARY(this.N),
    ),
)  # fmt: skip


@pytest.mark.parametrize("by_value", [False, True])
def test_elements_of_the_records_around(by_value: bool) -> None:
    octets = b"\1\2" + b"b" + b"d" + b"ee" + b"f"
    value = (1, (2, b"b", (b"d",), b"ee"), b"f")
    layout = bind(NESTED, {}, own=value if by_value else octets)
    assert layout.encode(value) == octets
    assert layout.decode(octets) == value
    assert [(e.path, e.offset, e.size) for e in layout.elements()] == [
        ("MT13.N", 0, 1), ("MT13.A.N", 1, 1), ("MT13.A.B", 2, 1), ("MT13.A.C.D", 3, 1), ("MT13.A.E", 4, 2),
        ("MT13.F", 6, 1),
    ]  # fmt: skip


def test_only_single_elements_decide_by_their_octets() -> None:
    inner = Record("INNER_RCD", "N" / UINT8)
    wrong = Table(number=13, manufacturer=True, name="W", record=Record("R", "A" / inner, "B" / BINARY(this.A.N)))
    with pytest.raises(LayoutError, match="A is no single element"):
        bind(wrong, {}, own=b"\1b")


@pytest.mark.parametrize(("n", "there"), [(0, False), (1, True), (2, True), (255, True)])
def test_a_condition_holds_for_any_number_but_0(n: int, there: bool) -> None:
    sizes = Table(number=1, manufacturer=True, name="N", record=Record("N_RCD", "N" / UINT8))
    maybe = Table(number=2, manufacturer=True, name="M", record=Record(
        "R", "A" / If(device.MT1.N, UINT8), "B" / IfThenElse(device.MT1.N, UINT16, UINT32),
    ))  # fmt: skip
    layout = bind(maybe, {"ST0": Device(DEMO)[0].value, "MT1": bind(sizes, {}).decode(bytes([n]))})
    assert layout.decode(bytes(3 if there else 4)) == ((0, 0) if there else (None, 0))
    assert layout.describe()[0].doc == ("" if there else "not (MT1.N)")


def test_what_is_left_at_the_very_end_is_nothing() -> None:
    """An opaque element begins where the table ends: it is there, and has no octets."""
    rest = Table(number=14, manufacturer=True, name="REST", record=Record("R", "N" / UINT8, "REST" / OPAQUE))
    for own in (b"\5", (5, b"")):
        layout = bind(rest, {}, own=own)
        assert (layout.size, layout.open_end) == (1, True)
        assert layout.decode(b"\5") == (5, b"")
        assert layout.encode((5, b"")) == b"\5"
        assert layout.fitting(1) is layout
        assert layout.fitting(4).decode(b"\5abc") == (5, b"abc")
        assert layout.fitting(0) is None
        decoded, findings = layout.examine(b"")
        assert decoded.N is None
        assert [finding.code for finding in findings] == ["short"]


def test_dimensions_without_a_value() -> None:
    record = Record("R", "A" / BINARY(device.ST71.NBR), "B" / If(device.ST71.FLAG == 1, UINT8))
    table = Table(number=12, manufacturer=True, name="X", record=record)
    for nbr in (None, Raw(b"\1"), -1, "x", 1.5):
        with pytest.raises(LayoutError):
            bind(table, {"ST71": MappingRecord(NBR=nbr, FLAG=1)})
    for missing in ({"NBR": 1}, {"FLAG": 1}):
        with pytest.raises(LayoutError, match="no value"):
            bind(table, {"ST71": MappingRecord(**missing)})
    divided = Table(number=13, manufacturer=True, name="Y", record=Record("R", "A" / BINARY(8 // device.ST71.NBR)))
    with pytest.raises(LayoutError, match="no value"):
        bind(divided, {"ST71": MappingRecord(NBR=0)})


class MappingRecord:
    def __init__(self, **items: object) -> None:
        vars(self).update(items)


def test_codes_without_a_layout() -> None:
    record = Record("R", "A" / Switch(device.ST62.CODE, {1: UINT8, 2: UINT16}, default=Error))
    table = Table(number=14, manufacturer=True, name="Z", record=record)
    st0 = Device(DEMO)[0].value
    assert bind(table, {"ST0": st0, "ST62": MappingRecord(CODE=2)}).size == 2
    with pytest.raises(LayoutError, match=r"ST62\.CODE is 3"):
        bind(table, {"ST0": st0, "ST62": MappingRecord(CODE=3)})


# --- JSON and source


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
