import datetime as dt
import json
from decimal import Decimal

import pytest

from c1219 import Device
from c1219.cosem.classes import InterfaceClass
from c1219.cosem.data import NULL, DataType
from c1219.cosem.names import LogicalName, table_of
from c1219.cosem.objects import CosemObjects, CosemProfile
from c1219.cosem.quantities import meaning
from c1219.views.sources import describe_source
from tests.c1219.cosem.cases import sample

SAMPLES = ("polyphase-tou", "single-phase")
CLOCK = LogicalName(0, 0, 1, 0, 0)


def obj(found: CosemObjects, interface: int, text: str):
    return found.get(interface, LogicalName.parse(text))


def value(found: CosemObjects, interface: int, text: str, attribute: int = 2):
    one = obj(found, interface, text)
    assert one is not None, text
    return one.attribute(attribute)


@pytest.fixture(scope="module")
def worked() -> Device:
    """The worked example: registers of 32 bits in kWh and kW, four tiers, New York in summer."""
    tables = {number: sample("polyphase-tou")[number].raw for number in (0, 11, 12, 13, 16, 21, 22, 51, 53, 54)}
    device = Device(tables)
    old = sample("polyphase-tou").bind(23).to_json(sample("polyphase-tou")[23].value)
    device.change("ST0.FORMAT_CONTROL_3.NI_FORMAT1", 8)
    for number in (0, 3):
        device.change(f"ST12.UOM_ENTRY[{number}].MULTIPLIER", 2)
    device.put(23, device.encode(23, device.bind(23).from_json(old)))
    device.change("ST23.TOT_DATA_BLOCK.SUMMATIONS[0]", 388381)
    device.change("ST23.TIER_DATA_BLOCK[1].SUMMATIONS[0]", 120034)
    device.change("ST23.TOT_DATA_BLOCK.DEMANDS[0].DEMAND[0]", 41)
    device.change("ST23.TOT_DATA_BLOCK.DEMANDS[0].EVENT_TIME[0]", dt.datetime(2026, 7, 4, 12, 15))
    return device


def test_the_worked_example(worked: Device) -> None:
    found = worked.cosem()
    assert value(found, 3, "1.0.1.8.0.255") == (DataType.UINT32, 388381)
    assert value(found, 3, "1.0.1.8.0.255", 3).plain() == [3, 30]
    assert value(found, 3, "1.0.1.8.2.255") == (DataType.UINT32, 120034)
    assert value(found, 4, "1.0.1.6.0.255") == (DataType.UINT32, 41)
    assert value(found, 4, "1.0.1.6.0.255", 3).plain() == [3, 27]
    assert value(found, 4, "1.0.1.6.0.255", 4) == NULL
    assert value(found, 4, "1.0.1.6.0.255", 5).plain() == "07ea0704060c0f000000f080"
    assert value(found, 26, "0.0.65.0.23.255", 2) == (DataType.UINT16, 23)
    assert value(found, 26, "0.0.65.0.23.255", 4).value == worked[23].raw
    assert found.path_of(LogicalName.parse("1.0.1.8.2.255")) == "ST23.TIER_DATA_BLOCK[1].SUMMATIONS[0]"


@pytest.mark.parametrize("name", SAMPLES)
def test_every_register_has_its_value_or_a_reason(name: str) -> None:
    device = sample(name)
    found = device.cosem()
    reasons = {one.path for one in found.residue}
    for row in device.registers():
        if row.path in reasons:
            continue
        name_ = found.names[row.path]
        if row.period in {"self read", "previous season"}:
            continue
        one = next(one for one in found if one.name == name_)
        scaler, unit = one.attribute(4 if one.interface is InterfaceClass.DEMAND_REGISTER else 3).value
        number = one.attribute(2).value
        assert Decimal(str(number)).scaleb(scaler.value) == row.value, row.path
        if row.source is not None:
            back = meaning(name_, unit=unit.value)
            uom = describe_source(device, row.source).uom
            assert back is not None
            assert (back.tier, back.period) == (row.tier, 101 if row.table == "ST25" else 255)
            assert back.entry["ID_CODE"] == uom.id_code
            assert tuple(n for n in (1, 2, 3, 4) if back.entry[f"Q{n}_ACCOUNTABILITY"]) == uom.quadrants


@pytest.mark.parametrize("name", SAMPLES)
def test_the_load_profile_is_that_of_the_view(name: str) -> None:
    device = sample(name)
    found, view = device.cosem(), device.load_profile(1)
    profile = obj(found, 7, "1.0.99.1.0.255")
    assert isinstance(profile, CosemProfile)
    channels = len(view.channels)
    entries = profile.entries()
    assert len(entries) == len(view.rows) // channels == profile.attribute(7).value
    assert profile.attribute(4).value == view.minutes * 60
    assert profile.columns[0] == (8, CLOCK, 2)
    assert [column[1] for column in profile.columns[2:]] == [found.names[f"LP1.CH{n + 1}"] for n in range(channels)]
    scalers = [found.get(3, column[1]).attribute(3).value[0].value for column in profile.columns[2:]]
    for place, row in enumerate(view.rows):
        entry = entries[place // channels]
        cell = entry.cells[2 + place % channels]
        assert entry.time == row.end
        if row.value is None or "NOT_VALID" in row.flags:
            assert cell == NULL
        else:
            assert Decimal(cell.value).scaleb(scalers[place % channels]) == row.value
    assert profile.attribute(2).value[-1].value == entries[-1].cells


def test_status_of_intervals() -> None:
    profile = obj(sample("polyphase-tou").cosem(), 7, "1.0.99.1.0.255")
    assert isinstance(profile, CosemProfile)
    flags = {row.end: row.flags for row in sample("polyphase-tou").load_profile(1)}
    bits = {"DST": 8, "POWER_FAIL": 0x80, "NOT_VALID": 4, "SKIPPED_INTERVAL": 4, "CLOCK_SET_FORWARD": 0x20,
            "CLOCK_SET_BACKWARD": 0x20}  # fmt: skip
    seen = set()
    for entry in profile.entries():
        known = [bits[flag] for flag in flags[entry.time] if flag in bits]
        for bit in known:
            assert entry.cells[1].value & bit
        seen.update(known)
    assert seen


def test_clock() -> None:
    found = sample("polyphase-tou").cosem()
    assert value(found, 8, "0.0.1.0.0.255").plain() == "07ea0b16070e230000012c00"
    assert value(found, 8, "0.0.1.0.0.255", 3) == (DataType.INT16, 300)
    assert value(found, 8, "0.0.1.0.0.255", 5).plain() == "ffff03080702000000800000"
    assert value(found, 8, "0.0.1.0.0.255", 6).plain() == "ffff0b010702000000800000"
    assert value(found, 8, "0.0.1.0.0.255", 7) == (DataType.INT8, 60)
    assert value(found, 8, "0.0.1.0.0.255", 8) == (DataType.BOOLEAN, True)
    assert value(found, 1, "0.0.96.14.0.255").value == 2


def test_a_clock_without_zone_has_no_deviation() -> None:
    found = sample("single-phase").cosem()
    assert value(found, 8, "0.0.1.0.0.255").plain() == "07ea0b1607092800008000ff"
    assert 3 not in obj(found, 8, "0.0.1.0.0.255").attributes
    there = sample("single-phase").cosem(zone=dt.timezone(dt.timedelta(hours=-5)))
    assert value(there, 8, "0.0.1.0.0.255").plain() == "07ea0b16070928000001 2c00".replace(" ", "")


def test_calendar() -> None:
    found = sample("polyphase-tou").cosem()
    calendar = obj(found, 20, "0.0.13.0.0.255")
    assert [season[0] for season in calendar.attribute(3).plain()] == ["5330", "5331"]
    assert [season[1] for season in calendar.attribute(3).plain()] == [
        "ffff0601ff00000000800000",
        "ffff0a01ff00000000800000",
    ]
    assert calendar.attribute(4).plain()[0] == ["5730", 0, 0, 0, 0, 0, 2, 2]
    assert calendar.attribute(5).plain()[2] == [
        2, [["00000000", "00000a0064ff", 1], ["0a000000", "00000a0064ff", 2], ["14000000", "00000a0064ff", 1]],
    ]  # fmt: skip
    special = value(found, 11, "0.0.11.0.0.255").plain()
    assert [2, "ffff05fe01", 2] in [[2, *entry[1:]] for entry in special], "Memorial Day: the last Monday of May"
    assert value(found, 22, "0.0.15.0.0.255", 4).plain() == [["00000000", "ffffff01ff"]]


def test_past_periods() -> None:
    found, view = sample("polyphase-tou").cosem(), sample("polyphase-tou").registers()
    reads = obj(found, 7, "0.0.98.1.0.255")
    assert isinstance(reads, CosemProfile)
    numbers = list(dict.fromkeys(row.self_read for row in view if row.period == "self read"))
    assert len(reads.entries()) == len(numbers) > 1
    place = reads.columns.index((3, LogicalName(1, 0, 1, 8, 0), 2))
    totals = [
        row.value for row in view if row.period == "self read" and row.path.endswith("TOT_DATA_BLOCK.SUMMATIONS[0]")
    ]
    assert [entry.cells[place].value for entry in reads.entries()] == totals
    assert value(found, 1, "1.0.0.1.2.255").plain() == "07ea0b01070000000000f080"
    assert len(obj(found, 7, "0.0.98.2.0.255").entries()) == 1


def test_log() -> None:
    device = sample("polyphase-tou")
    log = obj(device.cosem(), 7, "0.0.99.98.0.255")
    assert isinstance(log, CosemProfile)
    assert [entry.cells[2].value for entry in log.entries()] == [
        row.code + 2048 * row.manufacturer for row in device.events()
    ]
    downs = [entry for entry, row in zip(log.entries(), device.events(), strict=True) if row.code == 1]
    assert downs
    assert all(entry.cells[1].value == 1 for entry in downs)


@pytest.mark.parametrize("name", SAMPLES)
def test_every_table_is_there_but_secrets(name: str) -> None:
    device = sample(name)
    found = device.cosem()
    tables = {table_of(row.name).label: row for row in found if row.interface is InterfaceClass.UTILITY_TABLES}
    assert set(device) - set(tables) == {"ST42"}
    assert [one.reason for one in found.residue if one.path == "ST42"] == ["it may hold passwords or keys"]
    assert all(row.attribute(4).value == device[label].raw for label, row in tables.items())
    assert device[42].raw.hex() not in json.dumps(found.as_dict())
    assert len(device.cosem(tables=False)) == len(found) - len(tables)


def test_identity_and_control() -> None:
    device = Device(
        sample("polyphase-tou")._images and {n: image.raw for n, image in sample("polyphase-tou")._images.items()}
    )
    used = device[0].value.STD_PROC_USED
    device.change("ST0.STD_PROC_USED", sorted({*used, 21}))
    found = device.cosem(logical_device_name="ABC1234567890123456")
    assert value(found, 1, "0.0.42.0.0.255").value == b"ABC1234567890123"
    assert obj(found, 70, "0.0.96.3.10.255").path == "SP21"
    assert value(found, 1, "0.0.96.1.0.255").value == b"0000000012345678"
    assert value(found, 3, "1.0.0.4.2.255").value == 40


def test_two_sources_with_one_name_are_channels() -> None:
    found = sample("polyphase-tou").cosem()
    assert (str(found.names["LP2.CH1"]), str(found.names["LP1.CH1"])) == ("1.1.1.29.0.255", "1.2.1.29.0.255")
    one = obj(found, 3, "1.2.1.29.0.255")
    assert one.fidelity == "C"
    assert "other sources have this name too: this is channel 2" in one.remarks


def test_without_tables_there_is_nothing_but_findings() -> None:
    found = Device({}).cosem()
    assert [str(one.name) for one in found] == ["0.0.42.0.0.255"]
    assert found.findings


def test_second_maxima_and_long_intervals(worked: Device) -> None:
    device = Device({label: worked[label].raw for label in worked})
    old = device.bind(23).to_json(device[23].value)
    device.change("ST21.NBR_OCCUR", 2)
    for block in (old["TOT_DATA_BLOCK"], *old["TIER_DATA_BLOCK"]):
        for demand in block["DEMANDS"]:
            demand["EVENT_TIME"] *= 2
            demand["DEMAND"] *= 2
        for coincident in block["COINCIDENTS"]:
            coincident["COINCIDENT_VALUES"] *= 2
    device.put(23, device.encode(23, device.bind(23).from_json(old)))
    left = {one.path: one.reason for one in device.cosem().residue}
    assert left["ST23.TOT_DATA_BLOCK.DEMANDS[0].DEMAND[1]"] == "there is no code for a rank"
    longer = Device({label: sample("polyphase-tou")[label].raw for label in sample("polyphase-tou")})
    for number in (60, 61):
        longer.change(f"ST{number}.MAX_INT_TIME_SET2", 180)
    assert obj(longer.cosem(), 7, "1.0.99.1.1.255").attribute(4).value == 180 * 60


def test_names_beside_the_quantity() -> None:
    device = sample("polyphase-tou")
    assert {row[0] for row in _column(device.registers(), "obis")} == {None}
    named = device.registers(obis=True)
    assert named.as_dict()["registers"][1]["obis"] == "1.0.1.8.0.255"
    assert "obis" not in device.registers().as_dict()["registers"][1]
    assert ("ST23.TOT_DATA_BLOCK.SUMMATIONS[0]", "1.0.1.8.0.255") in _column(named, "path", "obis")
    assert {row[0] for row in _column(device.load_profile(1, obis=True), "obis")} >= {
        "1.2.1.29.0.255",
        "1.0.32.7.0.255",
    }


def _column(view, *names: str) -> list[tuple[object, ...]]:
    places = [view.schema.names.index(name) for name in names]
    return [tuple(row[place] for place in places) for row in view.table_rows()]


def test_rows_and_json() -> None:
    found = sample("single-phase").cosem()
    shown = json.loads(found.to_json())
    assert len(shown["objects"]) == len(found)
    register = next(one for one in shown["objects"] if one["obis"] == "1.0.1.8.0.255")
    assert register["attributes"]["value"] == {"type": "float64", "value": 1857983.5}
    assert "no power of ten fits all its values: a float" in register["remarks"]
    assert found.to_arrow().num_rows == len(found)
