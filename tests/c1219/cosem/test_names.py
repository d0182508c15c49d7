import pytest
from hypothesis import given
from hypothesis import strategies as st

from c1219 import DecodeError
from c1219.cosem.names import LogicalName, table_of, utility_table
from c1219.cosem.units import UNITS, unit_code
from c1219.tableid import table_id
from tests.c1219.cosem.cases import CASES

OCTET = st.integers(0, 255)


@pytest.mark.parametrize("text", ["1.0.1.8.0.255", "1-0:1.8.0*255", "1-0:1.8.0", "1.0.1.8.0"])
def test_the_forms_that_people_write(text: str) -> None:
    assert LogicalName.parse(text) == (1, 0, 1, 8, 0, 255)
    assert str(LogicalName.parse(text)) == "1.0.1.8.0.255"
    assert LogicalName.parse(text).octets.hex() == "0100010800ff"


@pytest.mark.parametrize("text", ["", "1.8.0", "1.0.1.8.0.256", "1.0.1.8.0.255.1", "a.0.1.8.0.255", "1.0.1.8.0.٣"])
def test_no_names(text: str) -> None:
    with pytest.raises(DecodeError):
        LogicalName.parse(text)


@given(st.tuples(OCTET, OCTET, OCTET, OCTET, OCTET, OCTET))
def test_text_and_octets_go_both_ways(groups: tuple[int, ...]) -> None:
    name = LogicalName(*groups)
    assert LogicalName.parse(str(name)) == name == LogicalName.of(name.octets)


def test_octets_are_six() -> None:
    with pytest.raises(DecodeError):
        LogicalName.of(bytes(5))


@pytest.mark.parametrize(("table", "obis"), CASES["utility_tables"].items())
def test_tables(table: str, obis: str) -> None:
    pending = table.startswith("pending ")
    number = table_id(table.removeprefix("pending ")) + 0x1000 * pending
    assert str(utility_table(number)) == obis
    assert table_of(LogicalName.parse(obis)) == number


@given(st.integers(0, 0x1FFF), OCTET)
def test_every_table_has_a_name_of_its_own(table: int, channel: int) -> None:
    assert table_of(utility_table(table, channel)) == table


@pytest.mark.parametrize(
    "text", ["1.0.65.0.1.255", "0.0.64.0.1.255", "0.0.65.64.1.255", "0.0.65.0.128.255", "0.0.65.0.1.0"]
)
def test_names_of_no_table(text: str) -> None:
    assert table_of(LogicalName.parse(text)) is None


def test_units() -> None:
    assert {str(code): unit for code, unit in UNITS.items()} == CASES["units"]
    assert (unit_code("Wh"), unit_code("ft³"), unit_code("US gal"), unit_code(""), unit_code("V²"), unit_code(None)) == (
        30, 137, 140, 255, None, None,
    )  # fmt: skip
