"""Devices out of traffic: what a listener puts together is what the meter has, and nothing that nobody vouched for."""

from __future__ import annotations

import copy
import datetime as dt
import gzip
import io
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from c1219 import Device
from c1219.registry import table_id
from c1222 import ApTitle, Key, capture_devices
from c1222.capture.captured_device import CapturedDevice
from c1222.capture.decoder import decode_capture
from c1222.capture.devices import CapturedDevices
from c1222.services import ErrorResponse, TableData, tables
from tests.c1219.views.example_meter import TABLES, meter
from tests.c1222.capture.conversation import HEAD_END, KEY, METER, OTHER, Conversation

POLYPHASE = Path(__file__).parents[3] / "specs" / "devices" / "polyphase-tou.json"
TITLE = str(METER)
NOTIFICATION = 4
QUARTER = dt.timedelta(minutes=15)


def collected(talk: Conversation, **options: object) -> CapturedDevices:
    devices = CapturedDevices(**options)  # type: ignore[arg-type]
    for message in talk.decoder():
        devices.add(message)
    return devices


def device_of(talk: Conversation) -> CapturedDevice:
    return collected(talk)[TITLE]


def codes(device: CapturedDevice) -> list[str]:
    return [finding.code for finding in device.findings]


def read_all(talk: Conversation, device: Device, *, piece: int | None = None, **ends: object) -> None:
    """Read every table of a device; in pieces of so many octets, in no order, if that is told."""
    rng = random.Random(1)
    for label in device:
        octets = device[label].raw
        if piece is None:
            talk.read(table_id(label), octets, **ends)
            continue
        offsets = list(range(0, len(octets), piece))
        for offset in rng.sample(offsets, len(offsets)):
            talk.read_offset(table_id(label), offset, octets[offset : offset + piece], **ends)


@pytest.mark.parametrize("piece", [None, 500, 37])
def test_a_device_that_was_read_is_the_device(piece: int | None) -> None:
    own = Device.from_json(POLYPHASE.read_text())
    talk = Conversation()
    read_all(talk, own, piece=piece)
    found = device_of(talk)
    assert isinstance(found, Device)
    assert {label: found[label].raw for label in found} == {label: own[label].raw for label in own}
    assert found.registers().rows == own.registers().rows
    assert found.load_profile(1).rows == own.load_profile(1).rows
    assert found.events().rows == own.events().rows
    assert found.findings == ()
    assert all(one.verified for one in found.seen.values())


def test_titles_in_both_forms_find_the_device() -> None:
    talk = Conversation()
    talk.read(0, TABLES[0], meter=METER)
    talk.read(1, TABLES[1], meter=METER.absolute())
    talk.read(0, TABLES[0], meter=OTHER)
    devices = collected(talk)
    assert list(devices) == [TITLE, str(OTHER)]
    assert len(devices) == 2
    assert list(devices[TITLE]) == list(devices[str(METER.absolute())]) == ["ST0", "ST1"]
    assert devices[TITLE].node["ap_title"] == TITLE
    for wrong in (".1", "no title", ""):
        assert wrong not in devices
        with pytest.raises(KeyError):
            devices[wrong]
    assert repr(devices) == "<2 captured devices>"


def test_each_table_tells_since_when_from_which_frames_and_how_sure() -> None:
    talk = Conversation()
    talk.read(0, TABLES[0])
    talk.read_offset(23, 0, TABLES[23][:20])
    talk.read_offset(23, 20, TABLES[23][20:])
    talk.read(0, TABLES[0])
    talk.read(1, TABLES[1], key=None)
    talk.read(21, TABLES[21])
    found = device_of(talk)
    assert found.seen["ST0"].frames == (2, 8)
    assert (found.seen["ST0"].last - found.seen["ST0"].since).total_seconds() == 6
    assert found.seen["ST23"].frames == (4, 6)
    assert [found.seen[label].verified for label in ("ST0", "ST23", "ST1")] == [True, True, None]
    assert found.node["captured"]["ST23"]["frames"] == [4, 6]
    again = Device.from_json(found.to_json())
    assert again.node == found.node
    assert found[23].pieces is None


def test_writes_count_once_they_are_answered_ok() -> None:
    talk = Conversation()
    talk.read(23, TABLES[23])
    talk.write(6, b"owner" * 4)
    talk.ask([tables.WriteOffsetRequest(6, 5, TableData(b"OTHER"))], [tables.WriteOffsetResponse()])
    talk.ask([tables.WriteRequest(5, TableData(b"refused"))], [ErrorResponse(0x04)])
    talk.send([tables.WriteRequest(2, TableData(b"not answered"))], called=METER, calling=HEAD_END)
    found = device_of(talk)
    assert list(found) == ["ST6", "ST23"]
    assert found[6].raw == b"ownerOTHERownerowner"


def test_notifications_are_of_their_sender() -> None:
    talk = Conversation()
    push = [tables.WriteRequest(23, TableData(TABLES[23]))]
    number = talk.send(push, called=HEAD_END, calling=METER, qualifier=NOTIFICATION)
    talk.send([tables.WriteResponse()], called=METER, calling=HEAD_END, answers=number)
    devices = collected(talk)
    assert list(devices) == [TITLE]
    assert devices[TITLE][23].raw == TABLES[23]


def test_frames_of_another_capture_are_no_notifications() -> None:
    first, second = Conversation(), Conversation()
    first.send([tables.WriteRequest(23, TableData(TABLES[23]))], called=HEAD_END, calling=METER, qualifier=NOTIFICATION)
    second.read(0, TABLES[0], meter=OTHER)
    devices = CapturedDevices()
    for talk in (first, second):
        for message in talk.decoder():
            devices.add(message)
    assert list(devices) == [TITLE, str(OTHER)]


def test_octets_in_hex_have_no_sender() -> None:
    talk = Conversation()
    talk.read(0, TABLES[0])
    lines = "\n".join(message.octets.hex() for message in talk.decoder())
    devices = CapturedDevices()
    for message in decode_capture(io.BytesIO(lines.encode()), keys=KEY):
        devices.add(message)
    assert devices[TITLE][0].raw == TABLES[0]
    assert devices[TITLE].seen["ST0"].verified


def test_pieces_by_index_are_placed_by_the_layout() -> None:
    talk = Conversation()
    talk.read_index(23, (1, 0, 0), TABLES[23][1:7])
    for number in (0, 21):
        talk.read(number, TABLES[number])
    talk.read_index(23, (1, 0, 0), TABLES[23][1:7])
    found = device_of(talk)
    assert found.value("ST23.TOT_DATA_BLOCK.SUMMATIONS[0]") == 123456
    assert found[23].pieces == {1: TABLES[23][1:7]}
    assert codes(found) == ["not-placed"]


def test_half_a_load_profile_gives_the_rows_it_holds() -> None:
    own = Device.from_json(POLYPHASE.read_text())
    octets = own[64].raw
    size = own.layout("ST64.LP_DATA_SETS1[0]").size
    talk = Conversation()
    for label in own:
        if label != "ST64":
            talk.read(table_id(label), own[label].raw)
    talk.read_offset(64, 0, octets[: 2 * size + size // 2])
    found = device_of(talk)
    whole = own.load_profile(1).rows
    profile = found.load_profile(1)
    assert 0 < len(profile.rows) < len(whole)
    assert set(profile.rows) < set(whole)
    assert "partial" in {finding.code for finding in profile.findings}


def test_what_the_meter_has_written_over_since_is_left_out() -> None:
    own = Device.from_json(POLYPHASE.read_text())
    rows = {(row.start, row.channel, row.raw) for row in own.load_profile(1)}
    talk = Conversation()
    read_all(talk, own)
    status = own[63].value.LP_STATUS_SET1
    later = copy.deepcopy(own)
    newest = status.LAST_BLOCK_ELEMENT
    later.change("ST63.LP_STATUS_SET1.LAST_BLOCK_ELEMENT", (newest + 2) % 16)
    later.change("ST63.LP_STATUS_SET1.LAST_BLOCK_SEQ_NBR", status.LAST_BLOCK_SEQ_NBR + 2)
    talk.read(63, later[63].raw, key=None)  # which nobody verified
    assert device_of(talk)[64].raw == own[64].raw
    talk.read(63, later[63].raw)
    found = device_of(talk)
    block = own.layout("ST64.LP_DATA_SETS1[0]").size
    head = own.layout("ST64.LP_DATA_SETS1[0].LP_INT").offset
    for number in range(16):
        start = block * number
        lost = [found[64].read(start, start + head) is None, found[64].read(start + head, start + head + 4) is None]
        gone = number in {(newest + 1) % 16, (newest + 2) % 16}
        assert lost == [gone or number == newest, gone]
    shown = {(row.start, row.channel, row.raw) for row in found.load_profile(1)}
    assert shown < rows
    assert len(rows) - len(shown) == 4 * (96 + 96 + status.NBR_VALID_INT)
    full = copy.deepcopy(own)  # the block that was the newest is full now, and its head is read
    end = own.value(f"ST64.LP_DATA_SETS1[{newest}].BLK_END_TIME")
    full.change(f"ST64.LP_DATA_SETS1[{newest}].BLK_END_TIME", end + (96 - status.NBR_VALID_INT) * QUARTER)
    talk.read_offset(64, block * newest, full[64].raw[block * newest :][:head])
    shown = {(row.start, row.channel, row.raw) for row in device_of(talk).load_profile(1)}
    assert shown < rows
    assert len(rows) - len(shown) == 4 * (96 + 96)


def test_what_nobody_verified_takes_no_place() -> None:
    talk = Conversation()
    forged = TABLES[23][:1] + bytes(6) + TABLES[23][7:]
    talk.read(23, forged, key=None)
    talk.read(23, TABLES[23])
    talk.read(23, forged, key=None)
    talk.read_offset(23, 1, bytes(6), key=None)
    talk.write(23, forged, key=None)
    found = device_of(talk)
    assert found[23].raw == TABLES[23]
    assert found.seen["ST23"].verified is True
    assert codes(found) == ["not-verified"]


def test_a_request_that_nobody_verified_does_not_tell_where_verified_octets_belong() -> None:
    talk = Conversation()
    talk.read(23, TABLES[23])
    number = talk.send([tables.ReadRequest(21)], called=METER, calling=HEAD_END)
    talk.send([tables.ReadRequest(23)], called=METER, calling=HEAD_END, number=number, key=None)
    talk.send([tables.ReadResponse(TableData(TABLES[21]))], called=HEAD_END, calling=METER, answers=number)
    found = device_of(talk)
    assert found[23].raw == TABLES[23]
    assert codes(found) == ["not-verified"]


def test_a_new_configuration_makes_void_what_was_laid_out_by_the_old_one() -> None:
    other = TABLES[0][:1] + b"\x1b" + TABLES[0][2:]
    talk = Conversation()
    for number in (0, 21, 23, 5):
        talk.read(number, TABLES[number])
    talk.read(0, other)
    talk.read(5, TABLES[5])
    found = device_of(talk)
    assert list(found) == ["ST0", "ST5", "ST21"]
    assert codes(found) == ["configuration-changed"]
    assert "ST0 changed in frame 10: what was seen before of ST23, ST5 is left out" in found.findings[0].text
    assert found[0].raw == other
    forged = Conversation()
    for number in (0, 21, 23):
        forged.read(number, TABLES[number])
    forged.read(21, TABLES[21][:-1] + b"\5", key=None)
    assert list(device_of(forged)) == ["ST0", "ST21", "ST23"]


@pytest.mark.parametrize("number", [12, 15, 16, 22])
def test_values_read_before_their_meaning_changed_are_left_out(number: int) -> None:
    talk = Conversation()
    for table in (0, 11, 21, 12, 15, 16, 22, 23, 5):
        talk.read(table, TABLES[table])
    talk.read(number, TABLES[number])  # the same once more
    assert codes(device_of(talk)) == []
    talk.read(number, bytes([TABLES[number][0] ^ 1]) + TABLES[number][1:])
    found = device_of(talk)
    assert "ST23" not in found
    assert {"ST5", f"ST{number}"} <= set(found)
    assert codes(found) == ["configuration-changed"]
    talk.read(23, TABLES[23])
    assert "ST23" in device_of(talk)


def test_two_meters_of_one_title_are_told_apart() -> None:
    talk = Conversation()
    for number in (0, 1, 21, 23):
        talk.read(number, TABLES[number])
    talk.read(1, TABLES[1][:-1] + b"9")
    talk.read(0, TABLES[0])
    found = device_of(talk)
    assert list(found) == ["ST0", "ST1"]
    (finding,) = found.findings
    assert (finding.level, finding.code) == ("error", "two-meters")
    assert "'0000000012345678'" in finding.text
    assert "'0000000012345679'" in finding.text
    talk = Conversation()
    talk.read(0, TABLES[0])
    talk.read(5, TABLES[5])
    talk.write(5, TABLES[5][::-1])
    assert codes(device_of(talk)) == []  # somebody gave it another name


def test_a_wrong_key_for_one_of_two_meters() -> None:
    talk = Conversation()
    talk.read(0, TABLES[0])
    talk.read(0, TABLES[0], meter=OTHER, key=Key(2, bytes(16)))
    devices = collected(talk)
    assert list(devices) == [TITLE]
    (finding,) = devices.findings()
    assert (finding.level, finding.code) == ("error", "not-opened")
    assert f"2 messages of {OTHER} could not be opened or verified: wrong-mac" in finding.text


def test_a_gzip_that_ends_early_gives_what_was_before(tmp_path: Path) -> None:
    talk = Conversation()
    for number in (0, 21, 23):
        talk.read(number, TABLES[number])
    path = tmp_path / "cut.pcap.gz"
    path.write_bytes(gzip.compress(talk.octets)[:-40])
    devices = capture_devices(path, keys=KEY)
    assert "ST0" in devices[TITLE]
    assert [finding.code for finding in devices.findings()] == ["damaged-gzip", "cut-short"]


def test_wrong_checksums_and_pending_tables_are_counted() -> None:
    talk = Conversation()
    talk.read(0, TABLES[0], checksum=b"\0")
    talk.read(0x1000 + 23, TABLES[23])
    found = device_of(talk)
    assert len(found) == 0
    assert codes(found) == ["checksum", "other-tables"]


def test_procedures_and_their_results() -> None:
    talk = Conversation()
    talk.read(0, TABLES[0])
    talk.write(7, bytes.fromhex("0900 05 01"))
    talk.read(8, bytes.fromhex("0900 05 00"))
    talk.read(8, bytes.fromhex("0900 05 00"))
    talk.read(8, bytes.fromhex("0300 01 03"))
    reset, other = device_of(talk).procedures
    assert (reset.number, reset.name, reset.sequence, reset.result) == (9, "Remote Reset", 5, 0)
    assert reset.started is not None
    assert reset.answered is not None
    assert (reset.answered - reset.started).total_seconds() == 2
    assert reset.frames == (4, 6)
    assert reset.verified is True
    assert (other.number, other.started, other.result) == (3, None, 3)


def test_device_files_give_what_the_capture_lacks() -> None:
    talk = Conversation()
    talk.read(23, TABLES[23])
    own = meter({23: None})
    own.node["ap_title"] = TITLE
    found = collected(talk, devices=[own])[TITLE]
    assert found.registers().rows == tuple(row for row in meter().registers())
    assert "ST0" not in found.seen
    talk.read(0, TABLES[0][:1] + b"\x1b" + TABLES[0][2:])
    found = collected(talk, devices=[own])[TITLE]
    assert codes(found) == ["device-contradicted"]
    assert "ST21" not in found


def test_memory_is_bounded() -> None:
    talk = Conversation()
    for number in range(1, 30):
        talk.read(0, TABLES[0], meter=ApTitle(f".5.{number}"), key=KEY if number < 3 else None)
    devices = collected(talk, max_meters=4)
    assert list(devices) == [".5.1", ".5.2", ".5.28", ".5.29"]
    assert devices.evicted == 25
    assert [finding.code for finding in devices.findings()] == ["evicted"]
    talk = Conversation()
    talk.read(0, TABLES[0])
    for number in range(40):
        talk.read(0x800 + number, bytes(1000))
        talk.read_offset(64, 5000 * number, bytes(10), key=None)
    few = collected(talk, max_meter_octets=10_000)
    kept = few[TITLE]
    assert 0 < sum(len(kept[label].raw) for label in kept) < 10_000
    assert "ST64" not in kept
    assert "evicted" in codes(kept)
    none = collected(talk, max_total_octets=3000)
    assert none.evicted > 10
    assert all(sum(len(device[label].raw) for label in device) < 3000 for device in none.values())


KINDS = st.sampled_from(["read", "offset", "write"])
STEPS = st.lists(st.tuples(KINDS, st.integers(0, 50), st.integers(1, 20), st.booleans(), st.booleans()), max_size=14)


@settings(max_examples=60, deadline=None)
@given(STEPS, st.randoms(use_true_random=False))
def test_octets_that_nobody_verified_never_replace_verified_ones(
    steps: list[tuple[str, int, int, bool, bool]], rng: random.Random
) -> None:
    """Verified octets are odd, others even; in any order, doubled, and changed on the way."""
    talk = Conversation()
    for kind, offset, count, verified, _ in steps:
        key = KEY if verified else None
        fill = bytes([2 * rng.randrange(100) + verified])
        if kind == "read":
            talk.read(6, fill * 60, key=key)
        elif kind == "write":
            talk.write(6, fill * 60, key=key)
        else:
            talk.read_offset(6, offset, fill * count, key=key)
    messages = list(talk.decoder())
    order = [message for message in messages for _ in range(rng.choice([1, 1, 2]))]
    if rng.random() < 0.5:
        rng.shuffle(order)
    devices = CapturedDevices()
    trusted = False
    for message in order:
        devices.add(message)
        if TITLE not in devices or 6 not in devices[TITLE]:
            continue
        device = devices[TITLE]
        octets = b"".join((device[6].pieces or {0: device[6].raw}).values())
        if device.seen["ST6"].verified:
            trusted = True
            assert all(octet % 2 for octet in octets)
        else:
            assert not trusted


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_damaged_captures_bring_no_error(data: st.DataObject) -> None:
    talk = Conversation()
    read_all(talk, meter(), piece=40)
    octets = bytearray(talk.octets)
    for _ in range(data.draw(st.integers(1, 8))):
        octets[data.draw(st.integers(24, len(octets) - 1))] ^= data.draw(st.integers(1, 255))
    devices = CapturedDevices()
    for message in decode_capture(io.BytesIO(bytes(octets)), keys=KEY):
        devices.add(message)
    for device in devices.values():
        device.registers()
        assert all(isinstance(one.frames, tuple) for one in device.procedures)
        Device.from_json(device.to_json())
