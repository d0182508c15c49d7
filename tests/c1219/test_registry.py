"""Registering tables: a user's own, a device class's, an installed package's."""

import importlib.metadata

import pytest

import c1219
import c1219.registry
from c1219 import DeclarationError, Device, Registry, UnknownTable
from c1219.datatypes import UINT8, UINT16
from c1219.registry import ENTRY_POINTS, default_registry, table_id, table_label
from c1219.schema import Array, Procedure, Record, Table, device
from c1219.tables import LAYOUTS_DEPEND_ON
from tests.c1219.engines import DEMO

# what a user writes: ten lines
SAG_COUNT_TBL = Table(
    number=77,
    manufacturer=True,
    device_class=b"DEMO",
    name="SAG_COUNT_TBL",
    record=Record(
        "SAG_COUNT_RCD",
        "SAGS" / Array(device.ST21.NBR_TIERS, UINT16) * "Voltage sags in each tier.",
    ),
)


@pytest.fixture(autouse=True)
def _default_registry_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(c1219.registry, "_DEFAULT", [])


def test_a_table_of_ones_own_is_like_any_other() -> None:
    c1219.register(SAG_COUNT_TBL)
    c1219.register(SAG_COUNT_TBL)
    one = Device({**DEMO, 21: bytes.fromhex("57 12 02 01 01 01 01 03 01 02"), "MT77": bytes.fromhex("010002000300")})
    assert one["MT77"].value.SAGS == (1, 2, 3)
    assert one.layout("MT77.SAGS[1:]").offset == 2
    assert one["MT77"].table.depends_on == ("ST0", "ST21")
    assert SAG_COUNT_TBL in default_registry().tables(b"DEMO")
    assert SAG_COUNT_TBL not in default_registry().tables()
    other = Device({0: DEMO[0][:3] + b"ELSE" + DEMO[0][7:], "MT77": b""})
    with pytest.raises(UnknownTable):
        other.bind("MT77")


def test_a_device_class_goes_before_the_standard() -> None:
    registry = Registry(plugins=False)
    own = Table(number=16, device_class=b"DEMO", name="OURS", record=Record("R", "X" / UINT8))
    registry.register(own)
    assert registry.table(16, b"DEMO") is own
    assert registry.table(16, b"ELSE").name == registry.table(16).name == "SOURCES_TBL"
    assert [table for table in registry.tables(b"DEMO") if table.number == 16] == [own]
    registry.register(
        Procedure(number=4, name="ours", device_class=b"DEMO"), Procedure(number=90, manufacturer=True, name="theirs")
    )
    assert registry.procedure(4, device_class=b"DEMO").name == "ours"
    assert registry.procedure(90, manufacturer=True).name == "theirs"
    assert [item.name for item in registry.procedures(b"DEMO") if item.id == 4] == ["ours"]


def test_two_declarations_of_one_table_are_refused() -> None:
    registry = Registry(standard=False, plugins=False)
    registry.register(SAG_COUNT_TBL)
    twin = Table(number=77, manufacturer=True, device_class=b"DEMO", name="TWIN", record=Record("R", "X" / UINT8))
    with pytest.raises(DeclarationError, match="SAG_COUNT_TBL"):
        registry.register(twin)
    registry.register(twin, replace=True)
    assert registry.table("MT77", b"DEMO") is twin


def test_a_registry_can_be_empty() -> None:
    registry = Registry(standard=False, plugins=False)
    assert registry.tables() == []
    assert registry.procedures() == []
    for key in (0, "ST23", "MT1"):
        with pytest.raises(UnknownTable):
            registry.table(key)


def test_the_standard_is_complete_for_the_first_decades() -> None:
    registry = Registry(plugins=False)
    numbers = [table.number for table in registry.tables() if table.number < 30]
    assert numbers == [*range(9), *range(10, 18), *range(20, 29)]
    assert all(not table.manufacturer for table in registry.tables())


def test_only_the_decade_that_is_asked_for_is_loaded() -> None:
    registry = Registry(plugins=False)
    registry.table(23)
    assert {number for number, _ in registry._tables} == {*range(20, 29)}
    with pytest.raises(UnknownTable):
        registry.table(29)
    with pytest.raises(UnknownTable):
        registry.table(2039)


def test_keys_of_tables() -> None:
    assert [table_id(key) for key in (23, "23", "ST23", "st 23", "MT1", 2049)] == [23, 23, 23, 23, 2049, 2049]
    assert [table_label(key) for key in (0, 2047, 2048, "MT5")] == ["ST0", "ST2047", "MT0", "MT5"]
    for wrong in (-1, 4096, "x", "ST", "ST2048", "MT2048", "ST-1", "MT 1 ", "٣"):
        with pytest.raises(UnknownTable):
            table_id(wrong)


class Point:
    def __init__(self, value: str, loaded: object) -> None:
        self.value = value
        self._loaded = loaded

    def load(self) -> object:
        if isinstance(self._loaded, Exception):
            raise self._loaded
        return self._loaded


def test_installed_packages_bring_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    procedure = Procedure(number=3, manufacturer=True, name="P")
    points = [Point("good", (SAG_COUNT_TBL, procedure)), Point("bad", ImportError("gone"))]
    asked = []

    def entry_points(group: str) -> list[Point]:
        asked.append(group)
        return points

    monkeypatch.setattr("c1219.registry.entry_points", entry_points)
    registry = Registry(standard=False)
    with pytest.warns(RuntimeWarning, match="bad cannot be used: gone"):
        assert registry.table("MT77", b"DEMO") is SAG_COUNT_TBL
    assert registry.procedure(3, manufacturer=True) is procedure
    assert asked == [ENTRY_POINTS]
    assert importlib.metadata.entry_points(group=ENTRY_POINTS) is not None


def test_the_tables_that_layouts_depend_on_are_those_that_the_declarations_name() -> None:
    registry = Registry(plugins=False)
    declared = (*registry.tables(), *registry.procedures())
    assert LAYOUTS_DEPEND_ON == {label for one in declared for label in one.depends_on}


def test_what_layouts_depend_on_is_known_of_tables_of_ones_own_too() -> None:
    registry = Registry(plugins=False)
    own = Table(number=6, manufacturer=True, device_class=b"DEMO", name="OWN_TBL",
                record=Record("OWN_RCD", "LEVELS" / Array(device.MT5.COUNT, UINT8) * "Levels."))  # fmt: skip
    registry.register(own)
    assert registry.layouts_depend_on() == LAYOUTS_DEPEND_ON
    assert registry.layouts_depend_on(b"DEMO") == LAYOUTS_DEPEND_ON | {"MT5"}
    assert not Registry(standard=False, plugins=False).layouts_depend_on()
