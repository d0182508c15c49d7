"""Declarations: what is derived from them, and what is refused when they are made."""

import construct
import pytest

from c1219 import DeclarationError, Procedure, Table
from c1219.datatypes import BINARY, NI_FMAT1, OPAQUE, SET, STIME_DATE, UINT8, UINT16
from c1219.schema import (
    Array,
    Doc,
    Error,
    If,
    IfThenElse,
    ProcedureRecord,
    Record,
    Switch,
    Tail,
    Variant,
    device,
    parameters,
    this,
)
from c1219.values import RecurringDate, record_type


def table(*fields: object, **more: object) -> Table:
    return Table(number=5, manufacturer=True, name="T", record=Record("T_RCD", *fields), **more)


def test_dependencies_are_read_off() -> None:
    one = table(
        "A" / If(device.ST21.REG_FUNC1_FLAGS.CUM_DEMAND_FLAG & (device.ST0.STD_VERSION_NO > 1), NI_FMAT1),
        "B" / Array(device.MT3.COUNT, Record("R", "C" / SET((device.ST11.NBR_SOURCES + 7) // 8))),
        "D" / Switch(device.ST62.INT_FMT_CDE1, {1: UINT8}, default=Error),
        "E" / Tail(device.ST9.X == 1, UINT8),
    )
    assert one.depends_on == ("ST0", "ST9", "ST11", "ST21", "ST62", "MT3")
    assert "ST21.REG_FUNC1_FLAGS.CUM_DEMAND_FLAG" in one.elements
    assert "ST0.NI_FORMAT1" in one.elements
    assert "MT3.COUNT" in one.elements
    assert not one.needs_own_octets
    assert (one.label, one.id) == ("MT5", 2053)


def test_octets_alone_depend_on_nothing() -> None:
    assert table("A" / UINT8, "B" / BINARY(3), "C" / SET(1)).depends_on == ()
    assert table("A" / UINT16).elements == ("ST0.DATA_ORDER",)
    assert table("A" / OPAQUE).needs_own_octets
    assert table("N" / UINT8, "A" / BINARY(this.N)).needs_own_octets


def test_constructs_own_this_and_struct_work_too() -> None:
    inner = construct.Struct("X" / UINT8, "Y" / construct.Array(2, UINT16))
    one = table("N" / UINT8, "A" / construct.Array(construct.this._params.ST21.NBR_TIERS, inner))
    assert one.depends_on == ("ST0", "ST21")
    assert [row.path for row in one.describe()] == ["N", "A[]", "A[].X", "A[].Y[]"]


GOOD = ("N" / UINT8,)


@pytest.mark.parametrize(
    "fields",
    [
        ("A" / construct.Int8ub,),
        ("A" / construct.GreedyRange(UINT8),),
        ("A" / construct.Optional(UINT8),),
        ("A" / construct.Select(UINT8, UINT16),),
        ("A" / construct.Computed(1),),
        ("A" / construct.BitStruct("x" / construct.Bit),),
        ("A" / construct.Padding(2),),
        (UINT8,),
        ("A" / UINT8, "A" / UINT8),
        ("_a" / UINT8,),
        ("class" / UINT8,),
        ("A B" / UINT8,),
        ("A" / UINT8 * (lambda obj, ctx: None),),
        ("A" / BINARY(lambda c: 3),),
        ("A" / Array(lambda c: 3, UINT8),),
        ("A" / If(True, UINT8),),
        ("A" / If(lambda c: True, UINT8),),
        ("A" / Switch(device.ST0.X, {1: UINT8}),),
        ("A" / BINARY(this.LATER), "LATER" / UINT8),
        ("N" / UINT8, "A" / Record("R", "B" / BINARY(this.N))),
        ("A" / Array(2, Record("R", "N" / UINT8, "B" / BINARY(this.N))),),
        ("A" / OPAQUE, "B" / UINT8),
        ("A" / Array(2, OPAQUE),),
        ("A" / Tail(device.ST0.X, UINT8), "B" / UINT8),
        ("A" / Record("R", "B" / Tail(device.ST0.X, UINT8)), "C" / UINT8),
        ("A" / Array(2, Record("R", "B" / Tail(device.ST0.X, UINT8))),),
        ("A" / ProcedureRecord("response"),),
        ("A" / BINARY(construct.this._params.ST0),),
        ("A" / BINARY(construct.this._params.FOO.X),),
        ("A" / BINARY(this._.N),),
        ("A" / construct.Array(2, UINT8, discard=True),),
        ("N" / UINT8, "V" / Variant(2, this.M, {})),
    ],
)
def test_what_cannot_be_laid_out_is_refused_at_once(fields: tuple) -> None:
    with pytest.raises(DeclarationError):
        table(*fields)


def test_cases_of_a_variant_are_laid_out_too() -> None:
    with pytest.raises(DeclarationError, match="case 1"):
        Variant(2, this.N, {1: construct.Int8ub})


def test_the_forms_beside_them_are_not_refused() -> None:
    table("N" / UINT8, "A" / Record("R", "B" / BINARY(this._.N)))
    table("A" / UINT8, "B" / Tail(device.ST0.X, UINT8), "C" / Tail(device.ST0.X, UINT8))
    table("A" / UINT8, "B" / Record("R", "C" / UINT8, "D" / Tail(device.ST0.X, UINT8)))
    table("A" / IfThenElse(device.ST0.X == 2, UINT8, UINT16))
    table("A" / UINT8, "B" / OPAQUE)
    table("A" / Array(2, Record("R", "N" / UINT8, "V" / Variant(2, this.N, {1: UINT16}))))


@pytest.mark.parametrize(
    "wrong",
    [
        {"number": 2048},
        {"number": -1},
        {"device_class": b"ABC"},
        {"record": UINT8},
    ],
)
def test_tables_that_cannot_be(wrong: dict) -> None:
    with pytest.raises(DeclarationError):
        Table(**({"number": 1, "name": "T", "record": Record("R", *GOOD)} | wrong))


ROLES = ("control", "limiting", "actual", "data")
EDITIONS = ("1997", "2008", "2012", "C12.21-1999", "C12.22-2008")
CONFIDENCES = ("V", "1", "?", "name only")
WORDS = [("role", ROLES), ("since", EDITIONS), ("confidence", CONFIDENCES)]


@pytest.mark.parametrize(("name", "allowed"), WORDS)
@pytest.mark.parametrize("wrong", ["dat", "", "v", "2009", "DATA", None, 1997, ["V"]])
def test_words_of_a_table_are_those_of_a_list(name: str, allowed: tuple[str, ...], wrong: object) -> None:
    with pytest.raises(DeclarationError) as caught:
        table("A" / UINT8, **{name: wrong})
    assert str(caught.value) == f"T: {name} is {wrong!r}, not one of {', '.join(map(repr, allowed))}"
    for word in allowed:
        assert getattr(table("A" / UINT8, **{name: word}), name) == word


@pytest.mark.parametrize(("name", "allowed"), WORDS[1:])
@pytest.mark.parametrize("wrong", ["dat", "", "v", "2009"])
def test_words_of_a_doc_are_those_of_a_list(name: str, allowed: tuple[str, ...], wrong: str) -> None:
    with pytest.raises(DeclarationError) as caught:
        Doc("Entries.", **{name: wrong})
    assert str(caught.value) == f"{name} of 'Entries.' is {wrong!r}, not one of {', '.join(map(repr, allowed))}"
    for word in (None, *allowed):
        assert getattr(Doc("Entries.", **{name: word}), name) == word


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"since": "2009"}, EDITIONS),
        ({"since": None}, EDITIONS),
        ({"confidence": ("V", "1", "!")}, CONFIDENCES),
        ({"confidence": ("x", "1", "?")}, CONFIDENCES),
        ({"confidence": ("V", "1")}, ("three words",)),
        ({"confidence": "V1?"}, ("three words",)),
        ({"device_class": b"ABC"}, ("four octets",)),
    ],
)
def test_words_of_a_procedure_are_those_of_a_list(wrong: dict, words: tuple[str, ...]) -> None:
    with pytest.raises(DeclarationError) as caught:
        Procedure(number=1, name="P", **wrong)
    assert all(word in str(caught.value) for word in words)
    good = Procedure(number=1, name="P", since="2012", confidence=("V", "1", "name only"), device_class=b"ABCD")
    assert (good.since, good.confidence) == ("2012", ("V", "1", "name only"))


def test_a_procedure_record_has_two_sides() -> None:
    with pytest.raises(DeclarationError, match="'parameters', 'response'"):
        ProcedureRecord("parameter")
    assert [ProcedureRecord(side).side for side in ("parameters", "response")] == ["parameters", "response"]


def test_procedures() -> None:
    one = Procedure(number=4, name="P", parameters=Record("R", "LIST" / UINT8, "WHEN" / STIME_DATE))
    assert (one.label, one.id, one.depends_on) == ("SP4", 4, ("ST0",))
    assert Procedure(number=22, name="Q", manufacturer=True).id == 2070
    for wrong in ({"number": 5000}, {"parameters": UINT8}, {"response": construct.Int8ub}):
        with pytest.raises(DeclarationError):
            Procedure(**({"number": 1, "name": "P"} | wrong))


def test_documentation_is_in_the_declaration() -> None:
    one = table(
        "A" / UINT8 * Doc("How long.", unit="min", range="0..59", confidence="?", source="memory", since="2008"),
        "B" / Array(device.ST21.NBR_TIERS, Array(2, UINT16)) * "Two a tier.",
        "C" / Switch(device.ST0.X, {1: UINT8, 2: Record("R", "D" / UINT16 * "Inner.")}, default=Error) * "By X.",
        "E" / If(~device.ST0.Y, UINT8) * "Without Y.",
        "F" / Tail(device.ST0.Z > 1, UINT8) * "Later.",
    )
    rows = {row.path: row for row in one.describe()}
    doc = rows["A"].doc
    assert isinstance(doc, Doc)
    assert (doc, doc.unit, doc.range, doc.confidence, doc.source, doc.since) == (
        "How long.", "min", "0..59", "?", "memory", "2008",
    )  # fmt: skip
    assert rows["B[][]"].index_path == "1.i.j"
    assert rows["B[][]"].dimension == "ST21.NBR_TIERS, 2"
    assert rows["C.D"].index_path == "2.0"
    assert rows["C"].condition == "ST0.X = 2"
    assert rows["E"].condition == "not ST0.Y"
    assert rows["F"].condition == "ST0.Z > 1 and octets remain"


def test_parameters_for_construct() -> None:
    kind = record_type("K", ("A", "B"))
    value = kind((1, kind(2, 3)), RecurringDate(14, WEEKDAY=1))
    found = parameters(value)
    assert found == {"A": [1, {"A": 2, "B": 3}], "B": RecurringDate(14, WEEKDAY=1)}


def test_a_record_has_one_value_type_wherever_it_is_used() -> None:
    inner = Record("INNER_RCD", "X" / UINT8)
    one, two = table("A" / inner), table("B" / Array(2, inner))
    assert one.outline.fields[0].node.value_type is two.outline.fields[0].node.item.value_type
