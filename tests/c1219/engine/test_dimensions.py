"""Dimensions and conditions: of other tables, of the table itself, and their limits."""

import pytest

from c1219 import DecodeError, LayoutError, LimitExceeded, MissingTables, Table
from c1219.datatypes import BINARY, OPAQUE, STIME_DATE, UINT8, UINT16, UINT32
from c1219.device import Device
from c1219.engine.layout import bind
from c1219.schema import Array, Error, If, IfThenElse, Record, Switch, device, this
from c1219.values import Raw
from tests.c1219.engine.example_tables import MIXED
from tests.c1219.engines import DEMO


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
