"""Green Button feeds: valid by the reduced schemas, read by another reader, and of one story with the views."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

import pytest

from c1219 import Device
from c1219.export.espi import ATOM, ESPI, Feed, espi
from c1219.export.espi_codes import LARGEST

ROOT = Path(__file__).resolve().parents[3]
SCHEMAS = ROOT / "specs" / "espi"
NAMES = ("single-phase", "polyphase-tou", "big-endian")
SETS = {"single-phase": (1,), "polyphase-tou": (1, 2), "big-endian": (2, 4)}
ARIZONA = ZoneInfo("America/Phoenix")
UPDATED = dt.datetime(2026, 11, 23, 1, 2, 3, tzinfo=dt.UTC)
E = f"{{{ESPI}}}"
A = f"{{{ATOM}}}"


def device(name: str) -> Device:
    return Device.from_json((ROOT / "specs" / "devices" / f"{name}.json").read_text("ascii"))


@lru_cache
def feed(name: str) -> Feed:
    meter = device(name)
    zone = ARIZONA if name == "single-phase" else None
    profiles = [meter.load_profile(number, zone=zone) for number in SETS[name]]
    return espi(meter, updated=UPDATED, profiles=profiles, registers=meter.registers(zone=zone), zone=zone)


@lru_cache(maxsize=16)
def resources(document: Feed, kind: str) -> dict[str, tuple[Any, Any]]:
    """Entries with a resource of this kind, by their self link."""
    found = {}
    for entry in ET.fromstring(document.xml).iter(f"{A}entry"):
        resource = entry.find(f"{A}content/{E}{kind}")
        if resource is not None:
            found[links(entry, "self")[0]] = (entry, resource)
    return found


def links(entry: Any, relation: str) -> list[str]:
    return [link.get("href") for link in entry.iter(f"{A}link") if link.get("rel") == relation]


def readings(document: Feed, title: str) -> list[tuple[int, int, Decimal, int | None]]:
    """Start, duration, value and quality of the readings of the series with this title."""
    found = []
    exponent = next(
        int(resource.findtext(f"{E}powerOfTenMultiplier"))
        for entry, resource in resources(document, "ReadingType").values()
        if entry.findtext(f"{A}title") == title
    )
    for entry, block in resources(document, "IntervalBlock").values():
        if entry.findtext(f"{A}title") != title:
            continue
        for one in block.iter(f"{E}IntervalReading"):
            quality = one.findtext(f"{E}ReadingQuality/{E}quality")
            start, duration = (int(one.findtext(f"{E}timePeriod/{E}{name}")) for name in ("start", "duration"))
            value = Decimal(one.findtext(f"{E}value")).scaleb(exponent)
            found.append((start, duration, value, None if quality is None else int(quality)))
    return found


# --- the form


@pytest.mark.parametrize("edition", ["v3.3", "v4.0"])
@pytest.mark.parametrize("name", NAMES)
def test_valid_by_the_schema_of_naesb(name: str, edition: str) -> None:
    path = ROOT.parent / "shared" / "schemas" / "espi" / edition / "all.xsd"
    if not path.is_file():
        pytest.skip("the schema of NAESB is not here")
    etree = pytest.importorskip("lxml.etree")
    etree.XMLSchema(etree.parse(path)).assertValid(etree.fromstring(feed(name).xml))


@pytest.mark.parametrize("name", NAMES)
def test_links_say_what_they_lead_to(name: str) -> None:
    document = feed(name)
    for kind in ("UsagePoint", "MeterReading", "ReadingType", "IntervalBlock", "LocalTimeParameters"):
        for entry, _ in resources(document, kind).values():
            types = {
                link.get("rel"): link.get("type") for link in entry.iter(f"{A}link") if link.get("rel") != "related"
            }
            assert types == {"self": f"espi-entry/{kind}", "up": f"espi-feed/{kind}"}
    related = {
        link.get("type") for link in ET.fromstring(document.xml).iter(f"{A}link") if link.get("rel") == "related"
    }
    assert related == {
        "espi-feed/MeterReading", "espi-feed/IntervalBlock", "espi-entry/ReadingType", "espi-entry/LocalTimeParameters",
    }  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_valid_by_the_reduced_schemas(name: str) -> None:
    etree = pytest.importorskip("lxml.etree")
    schema = etree.XMLSchema(etree.parse(SCHEMAS / "atom-reduced.xsd"))
    schema.assertValid(etree.fromstring(feed(name).xml))


def test_the_reduced_schemas_take_the_feed_of_a_utility_and_refuse_what_is_wrong() -> None:
    etree = pytest.importorskip("lxml.etree")
    schema = etree.XMLSchema(etree.parse(SCHEMAS / "atom-reduced.xsd"))
    text = (SCHEMAS / "sdge-2012.xml").read_text("utf-8")
    assert text.count("<IntervalReading>") == 48
    schema.assertValid(etree.fromstring(text.encode()))
    wrongs = {
        "order": ("<kind>12</kind>\n        <phase>0</phase>", "<phase>0</phase>\n        <kind>12</kind>"),
        "code": ("<uom>72</uom>", "<uom>999</uom>"),
        "type": ("<value>385</value>", "<value>385.5</value>"),
        "name": ("<timePeriod>", "<period>"),
        "date": ("<updated>2012-02-01T10:36:04-08:00</updated>\n  <entry>", "<updated>yesterday</updated>\n  <entry>"),
        "ids": ("e75a63ab-2743-4d41-a26c-37d8c4c1658a", "0c1da150-e73f-440c-aeca-2b960fd33a7e"),
    }
    for what, (right, wrong) in wrongs.items():
        assert text.count(right), what
        changed = text.replace(right, wrong, 1).replace("</timePeriod>", "</period>", what == "name")
        assert not schema.validate(etree.fromstring(changed.encode())), what


@pytest.mark.parametrize("name", NAMES)
def test_links_lead_from_resource_to_resource(name: str) -> None:
    document = feed(name)
    (point,) = resources(document, "UsagePoint").values()
    types, blocks = resources(document, "ReadingType"), resources(document, "IntervalBlock")
    meters = resources(document, "MeterReading")
    assert meters
    below = set()
    ups = {path: links(block, "up")[0] for path, (block, _) in blocks.items()}
    for entry, _ in meters.values():
        assert links(entry, "up")[0] in links(point[0], "related")
        related = links(entry, "related")
        assert sum(path in types for path in related) == 1
        own = [path for path, up in ups.items() if up in related]
        assert own
        below.update(own)
    assert below == set(blocks)
    (local,) = resources(document, "LocalTimeParameters")
    assert local in links(point[0], "related")
    ids = [entry.findtext(f"{A}id") for entry in ET.fromstring(document.xml).iter(f"{A}entry")]
    assert len(set(ids)) == len(ids)
    assert all(identifier.startswith("urn:uuid:") for identifier in ids)


def test_times_and_ids_come_from_the_arguments_and_the_meter_only() -> None:
    meter = device("polyphase-tou")

    def made(**options: Any) -> Feed:
        return espi(meter, profiles=[meter.load_profile(2)], registers=meter.registers(), **options)

    one, again = made(updated=UPDATED), made(updated=UPDATED)
    assert one.xml == again.xml
    code = (
        "import sys, datetime as dt; from pathlib import Path; from c1219 import Device; from c1219.export.espi import espi;"
        f"d = Device.from_json(Path({str(ROOT / 'specs/devices/polyphase-tou.json')!r}).read_text());"
        "sys.stdout.buffer.write(espi(d, updated=dt.datetime(2026, 11, 23, 1, 2, 3, tzinfo=dt.UTC),"
        " profiles=[d.load_profile(2)], registers=d.registers()).xml)"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "7"}
    other = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, env=environment)
    assert other.stdout == one.xml
    dates = {
        element.text for element in ET.fromstring(one.xml).iter() if element.tag in {A + "updated", A + "published"}
    }
    assert dates == {"2026-11-23T01:02:03Z"}
    later = made(updated=UPDATED, published=dt.datetime(2026, 11, 24, 3, tzinfo=dt.timezone(dt.timedelta(hours=-5))))
    assert b"<published>2026-11-24T08:00:00Z</published>" in later.xml
    assert b"<updated>2026-11-23T01:02:03Z</updated>" in later.xml
    with pytest.raises(ValueError, match="aware"):
        made(updated=UPDATED.replace(tzinfo=None))


# --- the story


def title_of(number: int, channel: Any) -> str:
    return f"{channel.source.quantity}, channel {channel.number} of load profile {number}"


@pytest.mark.parametrize("name", NAMES)
def test_every_interval_that_has_a_value_is_a_reading(name: str) -> None:
    meter = device(name)
    zone = ARIZONA if name == "single-phase" else None
    checked = 0
    for number in SETS[name]:
        profile = meter.load_profile(number, zone=zone)
        for channel in profile.channels:
            found = {
                start: (duration, value)
                for start, duration, value, _ in readings(feed(name), title_of(number, channel))
            }
            rows = [row for row in profile if row.channel == channel.number and row.value is not None]
            assert found == {
                int(row.start.timestamp()): (60 * profile.minutes, row.value) for row in rows if row.start is not None
            }
            checked += len(found)
    assert checked > 1000


def test_intervals_add_up_to_what_the_register_gained() -> None:
    meter = device("polyphase-tou")
    document = feed("polyphase-tou")
    channel = meter.load_profile(1).channels[0]
    intervals = readings(document, title_of(1, channel))
    reads = readings(document, "active energy delivered, summation")
    assert len(reads) > 8
    checked = 0
    for (first, _, low, _), (last, _, high, _) in pairwise(reads):
        inside = [value for start, _, value, _ in intervals if first <= start < last]
        if len(inside) * 900 == last - first:
            assert sum(inside) == high - low
            checked += 1
    assert checked >= 6


def test_reading_types_say_what_the_values_are() -> None:
    def types(name: str) -> dict[str, dict[str, int]]:
        return {
            entry.findtext(f"{A}title"): {item.tag.removeprefix(E): int(item.text) for item in resource}
            for entry, resource in resources(feed(name), "ReadingType").values()
        }

    poly = types("polyphase-tou")
    assert poly["active energy delivered, channel 1 of load profile 1"] == {
        "accumulationBehaviour": 4, "commodity": 2, "dataQualifier": 12, "defaultQuality": 14, "flowDirection": 1,
        "intervalLength": 900, "kind": 12, "phase": 0, "powerOfTenMultiplier": 0, "uom": 72,
    }  # fmt: skip
    received = poly["active energy received, channel 2 of load profile 1"]
    assert (received["flowDirection"], received["uom"]) == (19, 72)
    maximum = poly["active power delivered, maximum demand"]
    assert (maximum["accumulationBehaviour"], maximum["kind"], maximum["dataQualifier"], maximum["uom"]) == (
        6,
        8,
        8,
        38,
    )
    assert maximum["intervalLength"] == 900
    total, tier = poly["active energy delivered, summation"], poly["active energy delivered, summation, tier 2"]
    assert (total["accumulationBehaviour"], "tou" in total) == (1, False)
    assert (tier["accumulationBehaviour"], tier["tou"]) == (9, 3)
    running = poly["active power delivered, continuous cumulative"]
    assert (running["accumulationBehaviour"], running["kind"], running["dataQualifier"]) == (2, 8, 12)
    resets = poly["number of demand resets, demand resets"]
    assert (resets["accumulationBehaviour"], resets["kind"], resets["uom"]) == (1, 122, 111)
    assert types("single-phase")["RMS voltage A-B, present value"]["commodity"] == 1
    volts = next(found for title, found in types("single-phase").items() if title.startswith("RMS voltage A-B"))
    assert (volts["uom"], volts["kind"], volts["phase"], volts["flowDirection"]) == (29, 54, 132, 0)
    assert volts["powerOfTenMultiplier"] == -1
    net = types("big-endian")["active energy delivered minus received, channel 1 of load profile 2"]
    assert (net["flowDirection"], net["intervalLength"]) == (4, 1800)


def test_doubtful_intervals_are_marked_and_missing_ones_cut_the_block() -> None:
    meter = device("polyphase-tou")
    profile = meter.load_profile(1)
    channel = profile.channels[0]
    marked = {start for start, _, _, quality in readings(feed("polyphase-tou"), title_of(1, channel)) if quality == 10}
    rows = [row for row in profile if row.channel == 1 and row.value is not None and row.start is not None]
    doubtful = {int(row.start.timestamp()) for row in rows if (row.status & ~1) or row.extended}  # type: ignore[union-attr]
    assert marked == doubtful
    assert marked
    skipped = [row for row in profile if row.channel == 1 and row.value is None]
    assert skipped
    blocks = [
        block for entry, block in resources(feed("polyphase-tou"), "IntervalBlock").values()
        if entry.findtext(f"{A}title") == title_of(1, channel)
    ]  # fmt: skip
    assert len(blocks) > len(profile.blocks)
    for block in blocks:
        start, duration = (int(block.findtext(f"{E}interval/{E}{name}")) for name in ("start", "duration"))
        times = [
            (int(one.findtext(f"{E}start")), int(one.findtext(f"{E}duration"))) for one in block.iter(f"{E}timePeriod")
        ]
        assert times[0][0] == start
        assert sum(length for _, length in times) == duration
        assert all(a + length == b for (a, length), (b, _) in pairwise(times))


@pytest.mark.parametrize(("name", "zone"), [("polyphase-tou", "-18000"), ("big-endian", "-12600")])
def test_local_time_is_that_of_the_calendar(name: str, zone: str) -> None:
    (found,) = resources(feed(name), "LocalTimeParameters").values()
    assert [(item.tag.removeprefix(E), item.text) for item in found[1]] == [
        ("dstEndRule", "B40E2000"), ("dstOffset", "3600"), ("dstStartRule", "360E2000"), ("tzOffset", zone),
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["single-phase", "polyphase-tou"])
def test_another_reader_reads_the_same(name: str, tmp_path: Path) -> None:
    reader = pytest.importorskip("greenbutton_objects.parse")
    meter = device(name)
    zone = ARIZONA if name == "single-phase" else None
    profiles = [meter.load_profile(number, zone=zone) for number in SETS[name]]
    registers = meter.registers(zone=zone) if name == "single-phase" else None  # it stops at the element tou
    path = tmp_path / "feed.xml"
    text = espi(meter, updated=UPDATED, profiles=profiles, registers=registers, zone=zone).xml
    for code in (b"commodity>2</", b"kind>122</", b"uom>111</"):  # codes of the schema that it does not know
        text = text.replace(code, code.partition(b">")[0] + b">0</")
    path.write_bytes(text)
    (point,) = reader.parse_feed(path)
    assert point.serviceCategory.name == "electricity"
    found = {reading.title: reading for reading in point.meterReadings}
    for profile in profiles:
        for channel in profile.channels:
            reading = found.pop(title_of(profile.set, channel))
            kinds = {"Wh": "wattHours", "varh": "voltAmpReactiveHours", "Vh": "notApplicable", "V": "volts"}
            assert reading.readingType.uom.name == kinds[channel.source.unit or ""]
            rows = [row for row in profile if row.channel == channel.number and row.value is not None]
            assert [(one.timePeriod.start, one.timePeriod.duration) for one in reading.intervalReadings] == [
                (row.start, dt.timedelta(minutes=profile.minutes)) for row in rows
            ]
            values = [float(row.value) for row in rows if row.value is not None]
            assert [float(one.value) for one in reading.intervalReadings] == pytest.approx(values)
    assert bool(found) == (name == "single-phase")


# --- what cannot be told


def test_without_a_zone_there_is_nothing_to_tell() -> None:
    meter = device("single-phase")
    found = espi(meter, updated=UPDATED, profiles=[meter.load_profile(1)], registers=meter.registers())
    assert resources(found, "IntervalBlock") == {}
    assert {(finding.code, finding.path) for finding in found.findings} == {
        ("empty", "ST64"), ("left-out", "ST64"), ("left-out", "registers"), ("zone-unknown", "ST53.TIME_ZONE_OFFSET"),
    }  # fmt: skip
    assert "1123 values" in next(finding.text for finding in found.findings if finding.code == "left-out")


def test_the_time_of_the_present_registers_can_be_given() -> None:
    meter = device("single-phase")
    at = dt.datetime(2026, 11, 22, 17, tzinfo=dt.UTC)
    found = espi(meter, updated=UPDATED, registers=meter.registers(), read_at=at)
    assert [start for start, *_ in readings(found, "active energy delivered, summation")] == [int(at.timestamp())]


def test_units_without_a_code_are_said_and_values_kept() -> None:
    meter = device("polyphase-tou")
    odorant = meter[12].value.UOM_ENTRY[5]._replace(ID_CODE=88, TIME_BASE=1)
    meter.change("ST12.UOM_ENTRY[5]", odorant)
    found = espi(meter, updated=UPDATED, profiles=[meter.load_profile(1)])
    assert "no-unit" in {finding.code for finding in found.findings}
    kinds = [resource.findtext(f"{E}uom") for _, resource in resources(found, "ReadingType").values()]
    assert kinds == ["0", "72", "73", "29"]
    assert len(readings(found, "odorant, channel 1 of load profile 1")) > 1000


def test_values_that_have_no_form_are_left_out() -> None:
    meter = device("single-phase")
    for place, value in (
        ("ST23.TOT_DATA_BLOCK.SUMMATIONS[0]", 1e300),
        ("ST25.PREV_DEMAND_RESET_DATA.TOT_DATA_BLOCK.SUMMATIONS[0]", 1e-300),
    ):
        meter.change(place, value)
    found = espi(meter, updated=UPDATED, registers=meter.registers(zone=ARIZONA), zone=ARIZONA)
    assert "1 value is left out: too large for 48 bits" in {finding.text for finding in found.findings}
    assert "rounded" in {finding.code for finding in found.findings}
    assert [value for _, _, value, _ in readings(found, "active energy delivered, summation")] == [0]


@pytest.mark.parametrize("text", [b"\x00\x01<&>\x7f'\"", b"ok\x0b\x1f"])
def test_what_xml_cannot_carry_is_replaced(text: bytes) -> None:
    meter = device("big-endian")
    meter.put(1, text.ljust(4, b" ")[:4] + meter[1].raw[4:])
    found = espi(meter, updated=UPDATED, title=text.decode("latin-1"), author="a\x00b")
    root = ET.fromstring(found.xml)
    assert root.findtext(f"{A}author/{A}name") == r"a\x00b"
    assert "\x00" not in (root.findtext(f"{A}title") or "")


def test_an_empty_device() -> None:
    found = espi(Device(), updated=UPDATED, profiles=[Device().load_profile(1)], registers=Device().registers())
    (point,) = resources(found, "UsagePoint").values()
    assert links(point[0], "related") == []
    assert {finding.code for finding in found.findings} == {"zone-unknown"}


def test_limits_of_values() -> None:
    """The largest value of 48 bits and 10^12 has a form, the next has none, of either sign; in both kinds of series."""
    meter = device("polyphase-tou")
    profile, registers = meter.load_profile(2), meter.registers()
    channel = profile.channels[0]
    own = [row for row in profile.rows if row.channel == 1][:4]
    numbers = [LARGEST, -LARGEST, LARGEST + 1, -LARGEST - 1]
    profile.rows = tuple(row._replace(value=number) for row, number in zip(own, numbers, strict=True))
    energies = [row for row in registers if row.kind == "summation" and row.period == "self read"][:4]
    registers.rows = tuple(
        row._replace(value=number, source=energies[0].source, tier=None)
        for row, number in zip(energies, numbers, strict=True)
    )
    found = espi(meter, updated=UPDATED, profiles=[profile], registers=registers)
    assert [value for _, _, value, _ in readings(found, title_of(2, channel))] == [LARGEST, -LARGEST]
    texts = [(finding.path, finding.text) for finding in found.findings if finding.code == "left-out"]
    assert texts == [
        ("ST65", "2 values are left out: too large for 48 bits"),
        ("registers", "2 values are left out: too large for 48 bits"),
    ]


def test_what_is_left_out_is_counted() -> None:
    meter = device("polyphase-tou")
    registers = meter.registers()
    fourth = next(row for row in registers if row.kind == "demand")._replace(occurrence=5)
    registers.rows = (fourth, fourth)
    found = espi(meter, updated=UPDATED, registers=registers)
    assert [finding.text for finding in found.findings] == ["2 values are left out: there is no code for demand"]
    registers.rows = (fourth,)
    one = espi(meter, updated=UPDATED, registers=registers)
    assert [finding.text for finding in one.findings] == ["1 value is left out: there is no code for demand"]


def test_a_source_without_description() -> None:
    """Without ST12 nothing is known of a channel but its values: all codes are those of not known."""
    meter = device("polyphase-tou")
    meter.drop(12)
    profile = meter.load_profile(1)
    assert all(channel.source.uom is None for channel in profile.channels)
    found = espi(meter, updated=UPDATED, profiles=[profile])
    kinds = [
        {item.tag.removeprefix(E): item.text for item in resource}
        for _, resource in resources(found, "ReadingType").values()
    ]
    assert len(kinds) == len(profile.channels)
    for kind in kinds:
        assert {kind[name] for name in ("commodity", "flowDirection", "phase", "uom", "kind")} == {"0"}


@pytest.mark.parametrize(
    ("identification", "serial", "node", "name"),
    [
        ("METER-1", "123", {"ap_title": ".123.1"}, "METER-1"),
        ("", "123", {"ap_title": ".123.1"}, "123"),
        ("", "", {"ap_title": ".123.1"}, ".123.1"),
        ("", "", {}, "meter"),
    ],
)
def test_the_name_of_the_usage_point(identification: str, serial: str, node: dict[str, str], name: str) -> None:
    meter = device("polyphase-tou")
    meter.node = node
    meter.change("ST5.IDENTIFICATION", identification)
    meter.change("ST1.MFG_SERIAL_NUMBER", serial)
    found = espi(meter, updated=UPDATED)
    assert [entry.findtext(f"{A}title") for entry, _ in resources(found, "UsagePoint").values()] == [name]
    assert ET.fromstring(found.xml).findtext(f"{A}title") == f"Green Button usage of {name}"
