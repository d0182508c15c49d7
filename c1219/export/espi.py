"""Green Button: load profiles and registers as ESPI (NAESB REQ.21) in an Atom feed, which customers' tools read.

    feed = espi(device, profiles=[device.load_profile(1)], registers=device.registers(), updated=now)
    Path("usage.xml").write_bytes(feed.xml)

A channel of a profile, and each series of a register over its periods, is a MeterReading with a ReadingType of its own;
a block of the profile is an IntervalBlock, cut where intervals are missing. Values are integers times a power of ten.
Whatever has no time in UTC, no value, or no code in ESPI is left out, and a finding says so. The same input gives the
same octets: ids are made from the meter and the table, and times are arguments.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections import Counter
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple
from xml.etree import ElementTree as ET

from c1219.codes.reading_type import DELTA, ReadingType
from c1219.errors import Finding
from c1219.export import espi_codes as codes
from c1219.export.espi_time import local_time
from c1219.printable import printable
from c1219.rules.sources import EXACT
from c1219.views.clock import clock, timekeeping
from c1219.views.identity import identity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from decimal import Decimal

    from c1219.export.espi_time import LocalTime
    from c1219.tableset import TableSet
    from c1219.views.load_profile import Interval, LoadProfile
    from c1219.views.register_row import Register
    from c1219.views.registers import Registers

__all__ = ["ATOM", "ESPI", "Feed", "espi"]

ATOM, ESPI = "http://www.w3.org/2005/Atom", "http://naesb.org/espi"
"""Namespaces."""

_NORMAL, _EXTREMES = 12, {"maximum": 8, "minimum": 9}


class Feed(NamedTuple):
    """A feed.

    Attributes:
        xml: the document, UTF-8.
        findings: what was left out, rounded, or has no code in ESPI.
    """

    xml: bytes
    findings: tuple[Finding, ...]


class _Reading(NamedTuple):
    """One IntervalReading; `start` and `duration` in seconds."""

    start: int
    duration: int
    value: Decimal
    quality: int | None = None


class _Series(NamedTuple):
    """One MeterReading: its ReadingType by element, and its readings in blocks."""

    key: str
    title: str
    type: dict[str, int]
    blocks: list[list[_Reading]]


def espi(
    device: TableSet,
    *,
    updated: dt.datetime,
    profiles: Iterable[LoadProfile] = (),
    registers: Registers | None = None,
    published: dt.datetime | None = None,
    read_at: dt.datetime | None = None,
    zone: dt.tzinfo | None = None,
    title: str | None = None,
    author: str = "c1222",
) -> Feed:
    """Return load profiles and registers of a meter as ESPI in an Atom feed.

    Args:
        device: the tables of the meter; who it is, its clock and its calendar.
        updated: aware time that all entries are marked with.
        profiles: load profiles to export, as `c1219.views.load_profile.load_profile` gives them.
        registers: registers to export.
        published: aware time that all entries were published; `updated` if None.
        read_at: aware time at which the current registers were read; that of the meter's clock if None.
        zone: where the meter is, if the caller knows; overrides what ST53 and ST54 say.
        title: of the feed.
        author: of the feed; Atom asks for one.

    Raises:
        ValueError: a time is naive.
    """
    times = [updated, published or updated] + ([read_at] if read_at is not None else [])
    if any(time.tzinfo is None for time in times):
        raise ValueError("times of a feed are aware")
    findings: list[Finding] = []
    if registers is not None and read_at is None:
        read_at = clock(device, zone=zone).time
    series = [item for profile in profiles for item in _of_profile(profile, findings)]
    if registers is not None:
        series += _of_registers(registers, read_at, findings)
    newest = max((block[-1].start for item in series for block in item.blocks), default=int(updated.timestamp()))
    year = dt.datetime.fromtimestamp(newest, dt.UTC).year
    local = local_time(timekeeping(device, zone=zone), year, findings)
    who = identity(device)
    name = who.identification or who.serial or who.ap_title or "meter"
    namespace = uuid.uuid5(uuid.NAMESPACE_URL, f"{ESPI}#{who.ap_title}|{who.device_class}|{who.serial}|{name}")
    writer = _Writer(namespace, _atom_time(updated), _atom_time(published or updated))
    writer.head(title or f"Green Button usage of {name}", author)
    writer.usage_point(name, codes.SERVICES.get(who.commodity or ""), [item.key for item in series], local)
    for item in series:
        writer.series(item, findings)
    return Feed(writer.xml(), tuple(findings))


def _atom_time(time: dt.datetime) -> str:
    return time.astimezone(dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


# --- what is exported


class _Left(Counter[str]):
    """What is left out of one table, by reason."""

    def tell(self, path: str, findings: list[Finding]) -> None:
        """Say it in findings."""
        for reason, count in self.items():
            verb = "values are" if count > 1 else "value is"
            findings.append(Finding("note", "left-out", path, None, f"{count} {verb} left out: {reason}"))


def _of_profile(profile: LoadProfile, findings: list[Finding]) -> Iterator[_Series]:
    table = f"ST{63 + profile.set}"
    left = _Left()
    for channel in profile.channels:
        rows = [row for row in profile.rows if row.channel == channel.number]
        blocks = [block for _, own in groupby(rows, lambda row: row.block) for block in _blocks(own, left)]
        if not blocks:
            findings.append(Finding("warning", "empty", table, None, f"channel {channel.number}: nothing to export"))
            continue
        source, found = channel.source, channel.reading_type(profile.minutes, partial=True)
        _note_unit(f"{table}, channel {channel.number}", source.unit, found, findings)
        qualifier = _NORMAL if found is not None and found.accumulation == DELTA else 0
        title = f"{source.quantity}, channel {channel.number} of load profile {profile.set}"
        yield _Series(f"{table}/{channel.number}", title, _type(found, qualifier, profile.minutes), blocks)
    left.tell(table, findings)


def _blocks(rows: Iterable[Interval], left: _Left) -> Iterator[list[_Reading]]:
    """Yield the readings of a block, cut where an interval is missing."""
    block: list[_Reading] = []
    for row in rows:
        if row.start is None or row.end is None or row.start.tzinfo is None:
            left["their time in UTC is not known"] += 1
        elif row.value is None:
            left["there are no data"] += 1
        elif abs(row.value) > codes.LARGEST:
            left["too large for 48 bits"] += 1
        else:
            start = int(row.start.timestamp())
            if block and block[-1].start + block[-1].duration != start:
                yield block
                block = []
            block.append(_Reading(start, int(row.end.timestamp()) - start, row.value, codes.quality(row)))
    if block:
        yield block


def _type(found: ReadingType | None, qualifier: int, minutes: int | None) -> dict[str, int]:
    """Return the elements of ESPI, whose codes are those of CIM."""
    one = found or ReadingType()
    elements = {
        "accumulationBehaviour": one.accumulation,
        "commodity": one.commodity,
        "dataQualifier": qualifier,
        "defaultQuality": codes.RAW,
        "flowDirection": one.flow_direction,
        "kind": one.kind,
        "phase": one.phases,
        "uom": one.unit,
    }
    return elements | ({"intervalLength": 60 * minutes} if minutes else {}) | ({"tou": one.tou} if one.tou else {})


def _note_unit(path: str, unit: str | None, found: ReadingType | None, findings: list[Finding]) -> None:
    if found is None or not found.unit:
        text = f"there is no code for {unit!r}: uom is 0, and the values are as in the view"
        findings.append(Finding("warning", "no-unit", path, None, text))


def _of_registers(registers: Registers, read_at: dt.datetime | None, findings: list[Finding]) -> list[_Series]:
    left = _Left()
    series: dict[str, _Series] = {}
    for row in registers:
        found = row.reading_type(registers.sources, partial=True)
        if row.value is None or row.unit is None:
            left["what they are is not known"] += 1
        elif abs(row.value) > codes.LARGEST:
            left["too large for 48 bits"] += 1
        elif found is None:
            left[f"there is no code for {row.kind}"] += 1
        elif (place := _place(row, read_at)) is None:
            left["their time in UTC is not known"] += 1
        else:
            key = f"{row.kind}/{row.source}/{row.tier}/{row.occurrence}/{row.extreme}"
            if key not in series:
                _note_unit(row.path, row.unit, found, findings)
                qualifier = _EXTREMES.get(row.extreme or "", _NORMAL) if row.kind == "demand" else _NORMAL
                series[key] = _Series(key, _register_title(row), _type(found, qualifier, row.interval), [[]])
            reading = _Reading(*place, row.value)
            if reading not in series[key].blocks[0]:
                series[key].blocks[0].append(reading)
    left.tell("registers", findings)
    return [item._replace(blocks=[sorted(item.blocks[0])]) for item in series.values()]


def _place(row: Register, read_at: dt.datetime | None) -> tuple[int, int] | None:
    """Return start and duration of a register's value in seconds, None if there is no time in UTC."""
    if row.kind in {"demand", "coincident"}:
        time = row.event_time
    else:
        time = row.period_end if row.period_end is not None else read_at
        if row.period_end is None and row.period not in {"current", "present"}:
            time = None
    if time is None or time.tzinfo is None:
        return None
    length = 60 * (row.interval or 0) if row.kind in {"demand", "coincident"} else 0
    return int(time.timestamp()) - length, length


def _register_title(row: Register) -> str:
    words = [f"{row.quantity}", row.kind if row.extreme is None else f"{row.extreme} {row.kind}"]
    words += [f"tier {row.tier}"] if row.tier is not None else []
    words += [f"occurrence {row.occurrence}"] if row.occurrence else []
    return ", ".join(words)


# --- how it is written

_TYPE_ORDER = (
    "accumulationBehaviour", "commodity", "dataQualifier", "defaultQuality", "flowDirection", "intervalLength", "kind",
    "phase", "powerOfTenMultiplier", "tou", "uom",
)  # fmt: skip


class _Writer:
    """The feed as it grows. Elements have no prefix: the namespace stands at the feed and at each resource."""

    def __init__(self, namespace: uuid.UUID, updated: str, published: str) -> None:
        self.namespace = namespace
        self.updated = updated
        self.published = published
        self.feed = ET.Element("feed", {"xmlns": ATOM})
        self.point = f"UsagePoint/{self.id('UsagePoint')}"
        self.local = f"LocalTimeParameters/{self.id('LocalTimeParameters')}"

    def id(self, key: str) -> uuid.UUID:
        return uuid.uuid5(self.namespace, key)

    def xml(self) -> bytes:
        ET.indent(self.feed, " ")
        octets: bytes = ET.tostring(self.feed, encoding="utf-8", xml_declaration=True)
        return octets + b"\n"

    def head(self, title: str, author: str) -> None:
        _add(self.feed, "id", self.id("feed").urn)
        _add(self.feed, "title", title)
        _add(self.feed, "updated", self.updated)
        _add(_add(self.feed, "author"), "name", author)
        ET.SubElement(self.feed, "link", {"rel": "self", "href": ".", "type": "espi-feed"})

    def entry(self, path: str, title: str, related: Iterable[str] = ()) -> ET.Element:
        """Add an entry and return the element of its resource, which ESPI names as the path does."""
        entry = ET.SubElement(self.feed, "entry")
        parent, _, own = path.rpartition("/")
        _add(entry, "id", f"urn:uuid:{own}")
        for relation, target in (("self", path), ("up", parent), *(("related", other) for other in related)):
            ET.SubElement(entry, "link", {"rel": relation, "href": target, "type": _link_type(target)})
        _add(entry, "title", title)
        content = ET.SubElement(entry, "content", {"type": "application/xml"})
        resource = ET.SubElement(content, parent.rpartition("/")[2], {"xmlns": ESPI})
        _add(entry, "published", self.published)
        _add(entry, "updated", self.updated)
        return resource

    def usage_point(self, name: str, service: int | None, keys: list[str], local: LocalTime | None) -> None:
        related = [f"{self.point}/MeterReading"] if keys else []
        point = self.entry(self.point, name, related + ([self.local] if local is not None else []))
        if service is not None:
            _add(_add(point, "ServiceCategory"), "kind", service)
        if local is not None:
            resource = self.entry(self.local, "local time")
            _add(resource, "dstEndRule", f"{local.dst_end:08X}")
            _add(resource, "dstOffset", local.dst_amount)
            _add(resource, "dstStartRule", f"{local.dst_start:08X}")
            _add(resource, "tzOffset", local.zone)

    def series(self, item: _Series, findings: list[Finding]) -> None:
        reading = f"{self.point}/MeterReading/{self.id(f'MeterReading/{item.key}')}"
        kind = f"ReadingType/{self.id(f'ReadingType/{item.key}')}"
        self.entry(reading, item.title, (f"{reading}/IntervalBlock", kind))
        multiplier, exact = codes.scale(one.value for block in item.blocks for one in block)
        if not exact:
            text = f"values of {item.title} are rounded to 10^{multiplier}"
            findings.append(Finding("note", "rounded", item.key, None, text))
        resource = self.entry(kind, item.title)
        values = item.type | {"powerOfTenMultiplier": multiplier}
        for name in _TYPE_ORDER:
            if name in values:
                _add(resource, name, values[name])
        for block in item.blocks:
            path = f"{reading}/IntervalBlock/{self.id(f'IntervalBlock/{item.key}/{block[0].start}')}"
            self.block(self.entry(path, item.title), block, multiplier)

    def block(self, resource: ET.Element, block: list[_Reading], multiplier: int) -> None:
        start = min(reading.start for reading in block)
        end = max(reading.start + reading.duration for reading in block)
        _span(resource, "interval", start, end - start)
        for reading in block:
            own = ET.SubElement(resource, "IntervalReading")
            if reading.quality is not None:
                _add(_add(own, "ReadingQuality"), "quality", reading.quality)
            _span(own, "timePeriod", reading.start, reading.duration)
            _add(own, "value", int(EXACT.scaleb(reading.value, -multiplier).to_integral_value()))


def _link_type(target: str) -> str:
    """Return what a link leads to: one resource, or all of a kind."""
    kind, _, own = target.rpartition("/")
    return f"espi-entry/{kind.rpartition('/')[2]}" if "-" in own else f"espi-feed/{own}"


def _span(parent: ET.Element, name: str, start: int, duration: int) -> None:
    span = ET.SubElement(parent, name)
    _add(span, "duration", duration)
    _add(span, "start", start)


def _add(parent: ET.Element, name: str, text: object = None) -> ET.Element:
    element = ET.SubElement(parent, name)
    if text is not None:
        element.text = printable(str(text))
    return element
