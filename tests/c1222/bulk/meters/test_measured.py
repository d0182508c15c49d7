"""Readings out of batches are what the views say of the devices that the message road finds."""

from __future__ import annotations

import io
import random
from collections.abc import Callable, Iterable
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import c1222
from c1219 import Device
from c1219.export.readings import readings_table
from c1219.tabular.arrow import arrow_schema, arrow_table
from c1219.tabular.readings import READINGS
from c1219.views.registers import Registers
from c1222 import bulk
from c1222.bulk.meters.measured import ReadingBatches
from c1222.capture.devices import CapturedDevices
from c1222.message.epsem import SecurityMode
from tests.c1222.bulk.meters.polled import SAMPLES, Read, in_pieces, polled, whole
from tests.c1222.bulk.test_decoding import CAPTURES, capture, datagrams
from tests.traffic import KEY

KEYS = CAPTURES / "keys.toml"
REGISTERS = ("ST23", "ST24", "ST25", "ST26", "ST28")
MODES = (SecurityMode.CIPHERTEXT_AUTHENTICATION, SecurityMode.CLEARTEXT, SecurityMode.CLEARTEXT_AUTHENTICATION)


def in_order(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: str(sorted((name, str(value)) for name, value in row.items())))


def rows_of(batches: Iterable[pa.RecordBatch]) -> list[dict[str, Any]]:
    found = []
    for batch in batches:
        batch.validate(full=True)
        assert batch.schema.equals(arrow_schema(READINGS), check_metadata=True)
        found += batch.to_pylist()
    return found


def told(octets: bytes, *, rows: int = 1000, **options: Any) -> tuple[list[dict[str, Any]], ReadingBatches]:
    found = bulk.readings(bulk.decode(bulk.frames(io.BytesIO(octets), rows=rows), KEY), **options)
    return rows_of(found), found


def by_messages(octets: bytes, devices: Iterable[Device] = ()) -> list[dict[str, Any]]:
    """Registers read by read, as the view says them of the device known then; load profiles at the end."""
    captured = CapturedDevices(devices)
    found: list[dict[str, Any]] = []
    for message in c1222.decode_capture(io.BytesIO(octets), keys=KEY):
        title = captured.add(message)
        if title is None:
            continue
        device = captured[title]
        for service in message.services:
            label = f"ST{getattr(getattr(service, 'request', None), 'table', 0)}"
            if label in REGISTERS:
                view = device.registers()
                own = Registers(tuple(row for row in view if row.table == label), (), view.origin, view.sources)
                found += arrow_table(READINGS, own.table_rows()).to_pylist()
    for device in captured.values():
        for number in range(1, 5):
            if f"ST{63 + number}" in device:
                found += device.load_profile(number).to_arrow().to_pylist()
    return found


def poll(plan: Iterable[tuple[str, Read]], modes: Callable[[int], SecurityMode] = lambda _: MODES[0]) -> bytes:
    return capture(
        datagrams(
            octets for number, (title, read) in enumerate(plan) for octets in polled(title, read, number, modes(number))
        ),
        step_ns=10_000_000,
    )


def meters(count: int, *, names: Iterable[str] = SAMPLES) -> list[tuple[str, Read]]:
    chosen = [SAMPLES[name] for name in names]
    configuration = [
        (f".7.{number}", read)
        for number in range(count)
        for read in whole(chosen[number % len(chosen)])
        if read.label not in REGISTERS
    ]
    registers = [
        (f".7.{number}", read)
        for _ in range(3)
        for number in range(count)
        for read in whole(chosen[number % len(chosen)], *REGISTERS)
    ]
    return configuration + registers


def test_the_sample_capture() -> None:
    found = rows_of(bulk.readings(bulk.decode(bulk.frames(CAPTURES / "registers.pcap"), KEYS)))
    devices = c1222.capture_devices(CAPTURES / "registers.pcap", keys=c1222.KeyStore.from_file(KEYS))
    assert in_order(found) == in_order(readings_table(devices).to_pylist())
    assert len(found) > 90


@pytest.mark.parametrize("rows", [7, 1000])
@pytest.mark.parametrize("mode", MODES)
def test_registers_of_many_meters(rows: int, mode: SecurityMode) -> None:
    octets = poll(meters(9), lambda _: mode)
    found, batches = told(octets, rows=rows)
    assert in_order(found) == in_order(by_messages(octets))
    assert {row["verified"] for row in found} == {None if mode is SecurityMode.CLEARTEXT else True}
    assert batches.findings() == []


def test_partial_reads_of_registers_and_load_profiles() -> None:
    device = SAMPLES["polyphase-tou"]
    plan = [(".7.1", read) for read in whole(device) if read.label not in REGISTERS]
    plan += [(".7.1", Read("ST23", device["ST23"].raw[7:40], 7)), (".7.1", Read("ST23", device["ST23"].raw[:20], 0))]
    plan += [(".7.1", read) for read in in_pieces(device, "ST64", 900)]
    octets = poll(plan)
    found, batches = told(octets)
    profile = [row for row in found if row["kind"] == "interval"]
    (known,) = c1222.capture_devices(io.BytesIO(octets), keys=KEY).values()
    assert in_order(profile) == in_order(known.load_profile(1).to_arrow().to_pylist())
    pieces = [row for row in found if row["kind"] != "interval"]
    wanted = []
    for offset, end in ((7, 40), (0, 20)):
        alone = Device({label: device[label].raw for label in device if label not in REGISTERS}, node=device.node)
        alone.put_pieces("ST23", {offset: device["ST23"].raw[offset:end]})
        wanted += [(row.path, row.value) for row in alone.registers()]
    assert [(row["path"], row["value"]) for row in pieces] == wanted
    assert batches.findings() == []


def test_a_load_profile_is_told_before_its_status_changes() -> None:
    device = SAMPLES["polyphase-tou"]
    known = [(".7.1", read) for read in whole(device) if read.label not in REGISTERS]
    image = device["ST63"].raw
    later = image[:1] + bytes([image[1] ^ 1]) + image[2:]
    profile = [(".7.1", read) for read in whole(device, "ST64")]
    first, _ = told(poll(known + profile))
    both, _ = told(poll([*known, *profile, (".7.1", Read("ST63", later)), *profile]))
    changed = Device({label: later if label == "ST63" else device[label].raw for label in device})
    assert len(both) == len(first) + len(changed.load_profile(1))
    again, _ = told(poll([*known, *profile, *known, *profile]))
    assert len(again) == len(first)


def test_what_comes_before_its_configuration_waits_for_it() -> None:
    plan = meters(3)
    octets = poll(reversed(plan))
    found, _ = told(octets, rows=5)
    wanted, _ = told(poll(plan))
    times = {"end", "read_at"}
    plain = [[{k: v for k, v in row.items() if k not in times} for row in rows] for rows in (found, wanted)]
    assert in_order(plain[0]) == in_order(plain[1])
    early, batches = told(octets, max_waiting_octets=0)
    assert len(early) < len(found)
    assert {"told-early", "not-told"} <= {finding.code for finding in batches.findings()}


def test_devices_that_are_known_before() -> None:
    plan = meters(3)
    octets = poll(plan[-6:])
    assert told(octets)[0] == []
    learned = c1222.capture_devices(io.BytesIO(poll(plan)), keys=KEY)
    found, batches = told(octets, devices=learned)
    assert in_order(found) == in_order(by_messages(octets, learned.values()))
    assert found
    assert batches.findings() == []
    one = SAMPLES["polyphase-tou"]
    given = Device({label: one[label].raw for label in one}, node={"ap_title": ".7.1"})
    titled, _ = told(poll([(".7.1", read) for read in whole(one, "ST23")]), devices=[given])
    assert {row["node"] for row in titled} == {".7.1"}


def test_who_can_be_trusted() -> None:
    device = SAMPLES["polyphase-tou"]
    known = [(".7.1", read) for read in whole(device) if read.label not in REGISTERS]
    read = (".7.1", Read("ST23", device["ST23"].raw))
    packets = datagrams(
        octets for number, (title, one) in enumerate([*known, read]) for octets in polled(title, one, number, MODES[0])
    )
    in_clear = datagrams(polled(*read, len(known)))
    mixed = capture([*packets[:-2], in_clear[0], packets[-1]])
    found, _ = told(mixed)
    assert {row["verified"] for row in found} == {False}
    assert in_order(found) == in_order(by_messages(mixed))
    damaged = bytearray(packets[-1])
    damaged[-1] ^= 1
    assert told(capture([*packets[:-1], bytes(damaged)]))[0] == []


def test_an_answer_whose_request_is_elsewhere() -> None:
    device = SAMPLES["polyphase-tou"]
    octets = poll([(".7.1", read) for read in whole(device)])
    _, second = list(bulk.decode(bulk.frames(io.BytesIO(octets), rows=61), KEY))[:2]
    assert second.column("reply_to").to_pylist()[0] is not None
    found = bulk.readings([second], [device])
    rows_of(found)
    assert "unpaired" in {finding.code for finding in found.findings()}


def test_writes_that_were_answered_ok() -> None:
    device = SAMPLES["polyphase-tou"]
    known = [(".7.1", read) for read in whole(device) if read.label not in REGISTERS]
    octets = device["ST23"].raw
    written, _ = told(poll([*known, (".7.1", Read("ST23", octets, None, True))]))
    read, _ = told(poll([*known, (".7.1", Read("ST23", octets))]))
    assert [(row["path"], row["value"]) for row in written] == [(row["path"], row["value"]) for row in read]


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1 << 32))
def test_changed_tables(seed: int) -> None:
    rng = random.Random(seed)
    plan = []
    for title, read in meters(3):
        image = bytearray(read.octets)
        if rng.random() < 0.3 and image:
            for _ in range(rng.randrange(1, 4)):
                image[rng.randrange(len(image))] = rng.randrange(256)
        if rng.random() < 0.05:
            image = image[: rng.randrange(len(image) + 1)]
        plan.append((title, Read(read.label, bytes(image))))
    octets = poll(plan, lambda number: MODES[number % 3])
    rows_of(bulk.readings(bulk.decode(bulk.frames(io.BytesIO(octets), rows=20), KEY)))


@pytest.mark.parametrize("decimals", ["decimal128", "float64"])
def test_readings_of_devices(decimals: Any) -> None:
    devices = [*SAMPLES.values(), *SAMPLES.values()]
    found = pa.Table.from_batches(bulk.device_readings(devices, decimals=decimals)).to_pylist()
    wanted = readings_table(devices, profiles=range(1, 5), decimals=decimals).to_pylist()
    if decimals == "float64":
        for row in (*found, *wanted):
            row["value"] = row["value"] and round(row["value"], 6)
    assert in_order(found) == in_order(wanted)
    assert len(found) > 10_000


def test_readings_of_a_device_known_in_part() -> None:
    device = SAMPLES["polyphase-tou"]
    partial = Device({label: device[label].raw for label in device if label not in ("ST23", "ST64")}, node=device.node)
    partial.put_pieces("ST23", {7: device["ST23"].raw[7:40]})
    partial.put_pieces("ST64", {0: device["ST64"].raw[:3000]})
    found = rows_of(bulk.device_readings({"one": partial}))
    assert in_order(found) == in_order(readings_table([partial], profiles=[1, 2]).to_pylist())


def test_a_device_without_what_it_takes() -> None:
    found = bulk.device_readings([Device({23: b"abc", 64: b"abc"})])
    assert rows_of(found) == []
    assert {finding.code for finding in found.findings()} == {"not-told", "absent"}
