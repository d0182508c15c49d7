"""Which devices a table file is for."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING

import pytest

import c1219
from c1219.errors import DeclarationError
from c1219.registry import Identity
from c1219.tablefile.loading import load_tables
from c1219.tablefile.matching import Match

if TYPE_CHECKING:
    from pathlib import Path

METER = Identity("DEMO", "POLY-TOU", (3, 7))
OCTETS = bytes.fromhex("0302 00e80300000000 01d00700000000 02b80b00000000 03a00f00000000 4142434445464748")


@pytest.mark.parametrize(
    ("said", "fits"),
    [
        ({"manufacturer": "DEMO"}, True), ({"manufacturer": "DEM"}, False), ({"models": ["POLY-*"]}, True),
        ({"models": ["MONO", "*TOU"]}, True), ({"models": ["poly-*"]}, False), ({"firmware": ">=3.7"}, True),
        ({"firmware": ">=2.0, <4"}, True), ({"firmware": ">3.7"}, False), ({"firmware": ">3.6"}, True),
        ({"firmware": "<3.7"}, False), ({"firmware": "<=3.7"}, True), ({"firmware": "==3"}, True),
        ({"firmware": "==3.8"}, False), ({"firmware": "!=3"}, False), ({"firmware": "!=3.8"}, True),
        ({"firmware": "<10"}, True), ({"manufacturer": "DEMO", "models": ["X"]}, False),
    ],
)  # fmt: skip
def test_all_that_is_said_must_hold(said: dict[str, object], fits: bool) -> None:
    match = Match.of(said)
    assert match is not None
    assert match(METER) is fits
    assert match(None) is False


@pytest.mark.parametrize("said", [{}, {"device_class": "44454d4f"}])
def test_nothing_said_is_no_condition(said: dict[str, object]) -> None:
    assert Match.of(said) is None


@pytest.mark.parametrize(
    "said",
    [{"manufacturer": 1}, {"models": "POLY"}, {"models": [1]}, {"firmware": "2"}, {"firmware": 2}, {"firmware": ""}],
)
def test_what_cannot_be_understood(said: dict[str, object]) -> None:
    with pytest.raises(DeclarationError, match=next(iter(said))):
        Match.of(said)


def test_a_meter_that_fits_has_the_tables(demo: Path, devices: Path) -> None:
    registry = c1219.Registry()
    load_tables(demo).register(registry)
    device = c1219.Device.from_json((devices / "polyphase-tou.json").read_bytes(), registry=registry)
    device.put("MT5", OCTETS)
    value = device["MT5"].value
    assert (value.NBR_ITEMS, value.FLAGS.STATE.name, value.NOTE) == (2, "RUNNING", "ABCDEFGH")
    assert [tuple(item) for item in value.ITEMS] == [(0, 1000), (1, 2000), (2, 3000), (3, 4000)]
    assert device.declaration("MT5").depends_on == ("ST0", "ST21")
    assert device.procedure(3, manufacturer=True).name == "Demo switch"


def test_a_meter_of_which_st1_says_otherwise_has_not(demo: Path, devices: Path) -> None:
    registry = c1219.Registry()
    load_tables(demo).register(registry)
    device = c1219.Device.from_json((devices / "polyphase-tou.json").read_bytes(), registry=registry)
    device.put("MT5", OCTETS)
    assert device["MT5"].value is not None
    older = device["ST1"].raw.replace(b"POLY-TOU", b"MONO-TOU")
    device.put("ST1", older)
    with pytest.raises(c1219.UnknownTable):
        device.declaration("MT5")
    device.drop("ST1")
    with pytest.raises(c1219.UnknownTable):
        device.declaration("MT5")
    with pytest.raises(c1219.UnknownTable):
        device.procedure(3, manufacturer=True)
    device.put("ST1", older.replace(b"MONO-TOU", b"POLY-TOU"))
    assert device["MT5"].value.NOTE == "ABCDEFGH"
    with pytest.raises(c1219.UnknownTable):
        registry.table("MT5")


def test_they_go_before_others_and_the_rest_stays(demo: Path) -> None:
    registry = c1219.Registry()
    load_tables(demo).register(registry)
    fitting = registry.fitting(METER)
    assert registry.fitting(METER) is fitting
    assert registry.fitting(Identity("OTHER", "POLY-TOU", (3, 7))) is registry
    assert {"MT5", "MT6", "ST23"} <= {table.label for table in fitting.tables()}
    assert {"MP3", "SP3"} <= {procedure.label for procedure in fitting.procedures()}
    assert fitting.table("ST23") is registry.table("ST23")
    assert {"ST1", "ST21"} <= registry.layouts_depend_on()
    assert registry.secrecy(2048 + 6)[0], "a secret of any device conceals"
    again = pickle.loads(pickle.dumps(registry))
    assert again.fitting(METER).table("MT5").name == "DEMO_TBL"


def test_a_device_class_is_a_condition_of_the_registry(tmp_path: Path) -> None:
    path = tmp_path / "one.toml"
    path.write_text(
        'format = "c1219-tables"\nversion = 1\n[match]\ndevice_class = "44454d4f"\n'
        '[[record]]\nname = "R"\nfields = [{ name = "A", type = "UINT8" }]\n'
        '[[table]]\nnumber = 5\nmanufacturer = true\nname = "T"\nrecord = "R"\n'
    )
    registry = c1219.Registry()
    load_tables(path).register(registry)
    assert registry.table("MT5", b"DEMO").name == "T"
    with pytest.raises(c1219.UnknownTable):
        registry.table("MT5", b"DEMX")
