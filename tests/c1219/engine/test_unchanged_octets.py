"""What was not changed is written as it came; tables that end early or late."""

import copy
import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as some

from c1219 import DecodeError, EncodeError, Table
from c1219.datatypes import UINT8, UINT16
from c1219.device import Device
from c1219.engine.layout import bind
from c1219.schema import Record, Tail, device
from c1219.values import Raw
from tests.c1219.engine.example_tables import MIXED, ST23
from tests.c1219.engines import DEMO


@pytest.fixture
def layout():
    return Device(DEMO).bind(23)


# --- unchanged octets

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
