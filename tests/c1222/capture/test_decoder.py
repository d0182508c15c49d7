"""From capture files to messages: the samples, the captures of others, and what happens on the way."""

from __future__ import annotations

import copy
import gzip
import io
import pickle
import random
import struct
import time
import tracemalloc
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import c1222
from c1222 import ApTitle, DecodeError, Key, KeyStore, Message
from c1222.capture import decoder as decoders
from c1222.capture.decoder import CaptureDecoder, CapturedMessage, decode_capture
from c1222.capture.fast import FastPath
from c1222.capture.files.reader import CaptureError
from c1222.capture.files.writer import PcapWriter, ethernet, tcp_packet, udp_packet
from c1222.capture.jsonl import as_dict
from c1222.capture.text import message_lines, summary
from c1222.message.acse import Acse
from c1222.message.epsem import SecurityMode
from c1222.protocol import message as message_module
from c1222.security.sealing import Verdict
from c1222.services import REQUESTS, session, tables
from tests.c1222.capture.conversation import KEY
from tests.c1222.capture.packets import ENDS, START_NS, capture, codes, datagrams, message, read, sealed
from tests.fuzz.doors import capture as check_capture
from tests.traffic import exchange, frames, varied

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[3]
SAMPLES = ROOT / "specs" / "captures"
SHARED = ROOT.parent / "shared" / "captures"
KEYS = KeyStore.from_file(SAMPLES / "keys.toml")


# --- samples and captures of others -----------------------------------------------------------------------------------


def test_example_8() -> None:
    (request, response), decoder = read(str(SAMPLES / "example8.pcap"), KEYS)
    assert (request.frame, request.src, request.dst, request.transport) == (1, *ENDS, "udp")
    assert (request.time_ns, response.time_ns) == (1_223_938_145_000_000_000, 1_223_938_145_250_000_000)
    assert (request.reply_to, response.reply_to) == (None, 1)
    assert request.authenticated is response.authenticated is True
    assert isinstance(request.services[0], session.SecurityRequest)
    assert request.services[1] == tables.ReadOffsetRequest(1, 16, 16)
    assert isinstance(response.services[0], tables.ReadOffsetResponse)
    assert response.services[0].data == b"MANUFACTURER SN "
    assert request.findings == response.findings == ()
    assert decoder.findings() == []


def test_the_sample_of_every_published_message() -> None:
    seen, decoder = read(SAMPLES / "published.pcap", KEYS)
    assert decoder.counters.as_dict() == {
        "cleartext": 2,
        "messages": 19,
        "refused": 0,
        "responses": 3,
        "segments": 2,
        "skipped": 0,
        "unchecked": 0,
        "undecodable": 0,
        "unpaired": 0,
        "verified": 17,
    }
    assert [m.authenticated for m in seen].count(True) == 17
    assert [m.segments for m in seen if m.segments] == [(19, 20)]
    assert [m.frame for m in seen if not m.carries_authentication] == [15, 17, 18]
    assert all(finding.level == "note" for m in seen for finding in m.findings)
    assert [(m.frame, m.reply_to) for m in seen if m.is_response] == [(2, 1), (4, 3), (6, 5)]


@pytest.mark.parametrize("name", ["c1222_std_example8.pcap", "c1222overIPv4.cap", "c1222_over_ipv6.pcap"])
def test_captures_of_others(name: str) -> None:
    if not SHARED.is_dir():
        pytest.skip("the captures of others are not here")
    (request, response), decoder = read(SHARED / name, KeyStore.from_file(SHARED / "keys.toml"))
    assert request.authenticated is response.authenticated is True
    assert response.reply_to == request.frame
    assert request.is_response is False
    assert not [f for f in (*request.findings, *response.findings, *decoder.findings()) if f.level == "error"]
    read_back = [s.data for s in response.services if isinstance(s, tables.TableResponse)]
    assert read_back
    assert all(s.checksum_ok for s in response.services if isinstance(s, tables.TableResponse))
    assert read_back[0].startswith(b"MANUFACTURER SN " if "example8" in name else b"EE  A3R     ")


def test_connections_may_number_their_messages_alike() -> None:
    first, second, node = "10.0.0.1:4000", "10.0.0.1:4001", "10.0.0.2:1153"
    packets = [
        udp_packet(first, node, sealed(1)),
        udp_packet(second, node, sealed(1)),
        udp_packet(node, first, sealed(2, answers=1)),
        udp_packet(node, second, sealed(3, answers=1)),
    ]
    seen, decoder = read(capture(packets))
    assert [m.reply_to for m in seen] == [None, None, 1, 2]
    assert (decoder.counters.unpaired, decoder.findings()) == (0, [])


# --- what is wrong, and how it is told --------------------------------------------------------------------------------


def test_wrong_key_missing_key_and_damage_are_three_findings() -> None:
    octets = (SAMPLES / "example8.pcap").read_bytes()
    damaged = bytearray(octets)
    damaged[24 + 16 + 42 + 81 - 6] ^= 0x10  # in the body of the first message
    wrong, _ = read(io.BytesIO(octets), {2: bytes(16)})
    missing, _ = read(io.BytesIO(octets), {3: KEY.octets})
    changed, _ = read(io.BytesIO(bytes(damaged)), KEYS)
    found = [seen[0].findings[0] for seen in (wrong, missing, changed)]
    assert codes(found) == ["wrong-key", "no-key", "damaged"]
    assert [finding.level for finding in found] == ["error"] * 3
    assert len({finding.text for finding in found}) == 3
    assert [seen[0].authenticated for seen in (wrong, missing, changed)] == [False, None, False]
    assert all(seen[0].services == () for seen in (wrong, missing, changed))
    assert changed[1].authenticated is True


def test_a_key_that_verified_others_tells_that_a_message_was_changed() -> None:
    changed = bytearray(sealed(2, services=[session.LogoffRequest()]))
    changed[changed.index(bytes.fromhex("a8030201")) + 4] ^= 1  # in the header, so that the body opens to noise
    seen, decoder = read(datagrams(sealed(1), bytes(changed)))
    assert codes(seen[1].findings) == ["damaged"]
    assert "has verified other messages" in seen[1].findings[0].text
    assert (decoder.counters.verified, decoder.counters.refused) == (1, 1)


def test_only_so_many_wrong_macs_are_looked_into(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoders, "MAX_DIAGNOSES", 3)
    seen, decoder = read(datagrams(*(sealed(n) for n in range(1, 7))), {2: bytes(16)})
    assert [codes(m.findings) for m in seen] == [["wrong-key"]] * 3 + [["wrong-mac"]] * 3
    assert decoder.counters.refused == 6


def test_octets_that_are_no_message_stand_in_its_place() -> None:
    seen, decoder = read(datagrams(b"\x60\x03abc", sealed(1), b"nothing of ours", b"\x60\x50" + bytes(3)))
    assert [m.is_message for m in seen] == [False, True, False, False]
    assert [m.frame for m in seen] == [1, 2, 3, 4]
    assert [codes(m.findings) for m in seen if not m.is_message] == [
        ["malformed"],
        ["not-an-apdu"],
        ["incomplete-apdu"],
    ]
    assert (seen[0].octets, seen[0].services, seen[0].called) == (b"\x60\x03abc", (), None)
    assert "frame 1" in repr(seen[0])
    assert (decoder.counters.messages, decoder.counters.undecodable) == (4, 3)


def test_a_malformed_title_is_a_finding_and_no_title() -> None:
    octets = sealed(1, security_mode=SecurityMode.CLEARTEXT).replace(
        bytes.fromhex("037bc175"), bytes.fromhex("037bc1f5")
    )
    ((seen,), _) = read(datagrams(octets))
    assert seen.is_message is False
    assert seen.findings[0].path == "acse.called-AP-title"


def test_a_malformed_service_leaves_the_others() -> None:
    good = message(1, security_mode=SecurityMode.CLEARTEXT, services=[tables.ReadRequest(1), tables.ReadRequest(2)])
    octets = c1222.encode(good).replace(bytes.fromhex("03300001"), bytes.fromhex("03500001"))
    ((seen,), _) = read(datagrams(octets))
    assert codes(seen.findings) == ["malformed-service"]
    assert seen.services[1] == tables.ReadRequest(2)
    assert seen.findings[0].path == "epsem.services[0].logon.user"


def test_bit_7_of_the_control_octet() -> None:
    octets = bytearray(sealed(1, security_mode=SecurityMode.CLEARTEXT))
    octets[octets.index(0x81) + 2] &= 0x7F
    ((seen,), _) = read(datagrams(bytes(octets)))
    assert (seen.security_mode, seen.services) == (None, ())
    assert any(finding.path == "epsem.control" for finding in seen.findings)
    assert as_dict(seen)["security_mode"] is None
    assert any("cannot be read" in line for line in message_lines(seen))
    assert repr(seen)


@pytest.mark.parametrize("size", [0, 3, 23])
def test_a_file_that_is_no_capture(size: int) -> None:
    octets = (SAMPLES / "example8.pcap").read_bytes()
    with pytest.raises(CaptureError):
        read(io.BytesIO(octets[:size]))
    with pytest.raises(CaptureError, match="neither pcap nor pcapng"):
        read(io.BytesIO(b"#!/bin/sh" + bytes(40)))


def test_a_file_cut_in_a_packet() -> None:
    octets = (SAMPLES / "example8.pcap").read_bytes()
    seen, decoder = read(io.BytesIO(octets[:-1]), KEYS)
    assert [m.frame for m in seen] == [1]
    (finding,) = decoder.findings()
    assert (finding.level, finding.code, finding.path) == ("error", "cut-short", "pcap.packet[2]")


def test_a_link_type_that_is_not_read() -> None:
    seen, decoder = read(capture([bytes(60), bytes(60)], link_type=147))
    assert seen == []
    (finding,) = decoder.findings()
    assert (finding.level, finding.code) == ("error", "link-type")
    assert "2, first at frame 1" in finding.text


def test_gzip_standard_input_and_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    octets = (SAMPLES / "example8.pcap").read_bytes()
    (tmp_path / "a.pcap.gz").write_bytes(gzip.compress(octets))
    assert len(read(tmp_path / "a.pcap.gz", KEYS)[0]) == 2

    class Standard:
        buffer = io.BytesIO(octets)

    monkeypatch.setattr("sys.stdin", Standard)
    assert len(read("-", KEYS)[0]) == 2


def test_ports_and_content() -> None:
    packets = [
        udp_packet("10.0.0.1:4000", "10.0.0.2:5000", sealed(1)),
        udp_packet("10.0.0.1:4000", "10.0.0.2:5000", b"x"),
    ]
    assert len(read(capture(packets))[0]) == 1
    seen, decoder = read(capture(packets), by_content=False)
    assert (seen, codes(decoder.findings())) == ([], ["other-port"])
    seen, _ = read(capture(packets), ports=[5000], by_content=False)
    assert [m.is_message for m in seen] == [True, False]


# --- bounds -----------------------------------------------------------------------------------------------------------


class Endless(io.RawIOBase):
    """A capture of so many messages that is made while it is read."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._buffer = io.BytesIO()
        self._writer = PcapWriter(self._buffer)
        self._number = 0
        self._packets = [udp_packet(*ENDS[:: 1 - 2 * (n % 2)], exchange(n)) for n in range(400)]
        self._malformed = udp_packet(*ENDS, b"\x60\x03abc")

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        while self._buffer.tell() < size and self._number < self._count:
            packet = self._packets[self._number % 400] if self._number % 10 else self._malformed
            self._writer.write(START_NS + self._number * 1000, packet)
            self._number += 1
        octets = self._buffer.getvalue()
        self._buffer.seek(0)
        self._buffer.truncate()
        return octets


def peak(count: int) -> int:
    decoder = decode_capture(Endless(count), keys=KEY)
    tracemalloc.start()
    try:
        seen = sum(1 for _ in decoder)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert seen == count
    return most


def test_memory_does_not_grow_with_the_capture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("c1222.capture.files.source.READ_SIZE", 1 << 15)
    peak(2000)  # what is made once
    small = peak(4_000)
    assert peak(12_000) < small * 1.1


def test_nothing_is_decoded_before_somebody_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[bytes] = []
    real = message_module.decode_service

    def watched(octets: bytes, request: Any = None) -> Any:
        made.append(octets)
        return real(octets, request)

    monkeypatch.setattr(message_module, "decode_service", watched)
    message_module.requests_of.cache_clear()
    (request, response), _ = read(SAMPLES / "example8.pcap", KEYS)
    assert [len(request.service_octets), len(response.service_octets), made] == [2, 1, []]
    assert len(request.services) == len(made) == 2
    assert len(response.services) == 1
    assert len(made) == 5  # the requests once more, for what they tell of the response
    assert response.services is response.services


def inside(octets: bytes) -> bytes:
    """Put an EPSEM string into an APDU, with lengths of three octets."""
    string = b"\x81\x83" + len(octets).to_bytes(3, "big") + octets
    external = b"\x28\x83" + len(string).to_bytes(3, "big") + string
    elements = bytes.fromhex("a20580037bc175a60480027b04a803020103")
    return elements + b"\xbe\x83" + len(external).to_bytes(3, "big") + external


SIZE = 65536
HOSTILE = {
    "noise": random.Random(3).randbytes(SIZE),
    "empty elements": b"\xa9\x00" * (SIZE // 2),
    "a long tag": b"\x7f" + b"\xff" * SIZE,
    "a huge title": b"\xa2\x83\x00\xff\xf0\x80\x83\x00\xff\xeb" + b"\x81" * SIZE,
    "a huge number": b"\xa8\x83\x00\xff\xf0\x02\x83\x00\xff\xeb" + b"\x81" * SIZE,
    "nothing but lengths": b"\x60\x84\xff\xff\xff\xff" * (SIZE // 6),
    "services of one octet": inside(b"\x80" + b"\x01\x20" * (SIZE // 2)),
    "a thousand services": inside(b"\x80" + (b"\x3f" + b"\x39" * 63) * 1000),
    "one service": inside(b"\x80\x82\xff\xf0" + b"\x51" * 0xFFF0),
    "many titles": inside(b"\x80\x82\xff\xf1\x26" + b"\x80\x01\x05" * 21840),
    "many features": inside(b"\x80\x82\xff\xf1\x00\x03\x01" + b"\x06\x01" * 32760),
    "table data in chunks": inside(b"\x80\x82\xff\xf0\x40\x00\x40" + b"\x00\x00\x00" * 21839),
    "ciphertext": inside(b"\x88" + bytes(SIZE)),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_64_kb_are_decoded_in_milliseconds(name: str) -> None:
    octets = b"\x60\x83" + len(HOSTILE[name]).to_bytes(3, "big") + HOSTILE[name]
    for apdu in (octets, HOSTILE[name]):
        best = 1.0
        for _ in range(3):
            start = time.process_time()
            with suppress(DecodeError):
                assert c1222.decode(apdu, keys=KEY, max_size=1 << 20).findings is not None
            best = min(best, time.process_time() - start)
        assert best < 0.1


# --- anything may be in a file ----------------------------------------------------------------------------------------


@settings(max_examples=100)
@given(st.binary(max_size=300), st.sampled_from([0, 1, 101, 113, 276]))
def test_any_octets_in_a_packet(packet: bytes, link_type: int) -> None:
    with suppress(CaptureError):
        check_capture(capture([packet, packet], link_type=link_type).getvalue())


@settings(max_examples=100)
@given(data=st.data())
def test_every_packet_is_a_message_or_counted(data: st.DataObject) -> None:
    apdus = data.draw(st.lists(st.sampled_from([exchange(n) for n in range(6)]), min_size=1, max_size=5))
    packets = []
    for apdu in apdus:
        packet = bytearray(udp_packet(*ENDS, apdu))
        for _ in range(data.draw(st.integers(0, 2))):
            packet[data.draw(st.integers(0, 60))] = data.draw(st.integers(0, 255))
        packets.append(bytes(packet))
    seen, decoder = read(capture(packets))
    tallies = [decoder.reader.tally, decoder._apdus.layers.tally, decoder._apdus.streams.tally]
    of_datagrams = {"fragment-timeout", "fragment-evicted", "fragment-conflict", "fragment-overlap"}
    counted = sum(count for tally in tallies for reason, count in tally.items() if reason not in of_datagrams)
    assert len({m.frame for m in seen}) + counted == len(packets)


def test_messages_of_every_kind_come_out_as_they_were_sent() -> None:
    sent = list(varied(120, seed=4))
    sequences: dict[tuple[str, str], int] = {}
    seen, decoder = read(capture(p for n, each in enumerate(sent) for p in frames(each, sequences, n)))
    assert decoder.findings() == []
    for ours, each in zip(seen, sent, strict=True):
        theirs = each.message
        assert (ours.src, ours.dst, ours.transport) == (each.source, each.destination, each.transport)
        names = Message.PARTS - ({"key_id", "iv", "carries_authentication"} if not theirs.security_mode else set())
        for name in names:
            assert getattr(ours, name) == getattr(theirs, name), name
        assert ours.authenticated is (True if theirs.security_mode else None)
        assert ours.service_octets == [service.encode() for service in theirs.services]
    sent_codes = {octets[0] for m in seen for octets in m.service_octets}
    assert {REQUESTS[code] for code in sent_codes if code >= 0x20} == {*REQUESTS.values()}


def test_a_pcapng_with_ipv6_vlan_and_a_raw_link() -> None:
    octets = sealed(1)
    raw = udp_packet(*ENDS, octets)[14:]
    section = struct.pack("<IIIHHqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1, 28)
    blocks = [section, *(struct.pack("<IIHHII", 1, 20, link, 0, 0, 20) for link in (1, 101))]
    tagged = ethernet(raw, 0x0800, vlans=(5,))
    six = udp_packet("[2001:db8::1]:5000", "[2001:db8::2]:1153", octets)
    for interface, packet in ((0, tagged), (1, raw), (0, six)):
        data = packet + bytes(-len(packet) % 4)
        total = 32 + len(data)
        blocks.append(
            struct.pack("<IIIIIII", 6, total, interface, 1, 2, len(packet), len(packet))
            + data
            + struct.pack("<I", total)
        )
    seen, decoder = read(io.BytesIO(b"".join(blocks)))
    assert [(m.frame, m.src, m.authenticated) for m in seen] == [
        (1, ENDS[0], True),
        (2, ENDS[0], True),
        (3, "[2001:db8::1]:5000", True),
    ]
    assert decoder.findings() == []


def test_the_front_door() -> None:
    assert c1222.decode_capture is decode_capture
    assert [m.reply_to for m in c1222.decode_capture(SAMPLES / "example8.pcap", keys=KEYS)] == [None, 1]
    with pytest.raises(c1222.InvalidKey):
        c1222.decode_capture(SAMPLES / "example8.pcap", keys={2: b"short"})
    with pytest.raises(OSError, match="no-such-file"):
        c1222.decode_capture("no-such-file.pcap")
    decoder = c1222.decode_capture(SAMPLES / "example8.pcap", keys={2: KEY.octets})
    iterator: Iterator[CapturedMessage] = iter(decoder)
    assert next(iterator).frame == 1
    assert decoder.reader.octets_read > 0
    decoder.close()


def test_each_node_may_have_its_own_key() -> None:
    keys = [Key(2, bytes([n]) * 16, f".1.{n}") for n in range(1, 6)]
    octets = [
        c1222.encode(message(n, called=ApTitle(f".1.{n}")), keys=KeyStore([keys[n - 1]])) for n in (1, 2, 3, 1, 5)
    ]
    seen, _ = read(datagrams(*octets), KeyStore(keys))
    assert [m.key.ap_title for m in seen if m.key] == [ApTitle(f".1.{n}") for n in (1, 2, 3, 1, 5)]
    assert all(m.authenticated for m in seen)


def test_an_apdu_is_given_whole() -> None:
    octets = sealed(1)
    ((seen,), _) = read(datagrams(octets))
    assert seen.octets == octets
    assert isinstance(seen.acse, Acse)
    assert seen.acse.octets == octets
    with pytest.raises(AttributeError, match="nothing"):
        seen.nothing  # noqa: B018


def test_the_rest_of_an_apdu_at_the_start_of_a_stream_is_no_message() -> None:
    whole, file = exchange(0), io.BytesIO()
    with PcapWriter(file) as writer:  # a keep-alive, the rest of an APDU, an APDU
        for number, (sequence, payload) in enumerate(((99, b"\0"), (100, whole[20:]), (80 + len(whole), whole))):
            writer.write(number, tcp_packet(*ENDS, payload, sequence=sequence))
    decoder = CaptureDecoder(io.BytesIO(file.getvalue()), keys=KEYS)
    seen = list(decoder)
    assert [message.octets for message in seen if message.is_message] == [whole]
    assert {finding.level for message in seen for finding in message.findings if not message.is_message} == {"warning"}
    assert summary(decoder.counters).startswith("1 message: 1 ")
    assert summary(decoder.counters).endswith("; octets skipped 1 time")


@pytest.mark.parametrize("usual", [True, False], ids=["fast path", "full decoder"])
@pytest.mark.parametrize("read_before", [True, False])
def test_a_message_is_copied_and_pickled_without_its_key(
    monkeypatch: pytest.MonkeyPatch, usual: bool, read_before: bool
) -> None:
    if not usual:
        monkeypatch.setattr(FastPath, "of_packet", lambda *_: None)
        monkeypatch.setattr(FastPath, "of_apdu", lambda *_: None)
    seen, _ = read(SAMPLES / "example8.pcap", KEYS)
    for one in seen:
        assert one.key is not None
        if read_before:
            assert as_dict(one)
        for other in (copy.copy(one), copy.deepcopy(one), pickle.loads(pickle.dumps(one))):
            assert (other.verdict, other.authenticated, other.key) == (Verdict.VERIFIED, True, None)
            assert as_dict(other) == as_dict(one)
            assert other.services == one.services
            assert other.request_body == one.request_body
