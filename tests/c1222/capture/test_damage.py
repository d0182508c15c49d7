"""Damaged captures: what can be read is read, and whatever cannot is told of or counted."""

import gzip
import io
from collections.abc import Iterable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from c1222.capture.decoder import CaptureDecoder, CapturedMessage
from c1222.capture.files.source import CaptureError
from c1222.capture.files.writer import PcapWriter, tcp_packet, udp_packet
from c1222.capture.jsonl import as_dict
from c1222.capture.text import message_lines, summary
from tests.c1222.message.known import OCTETS
from tests.traffic import KEY, exchange, frames, varied

ENDS = ("192.0.2.1:50000", "198.51.100.7:1153")
SENT = list(varied(120))
PACKETS = [packet for at, sent in enumerate(SENT[:40]) for packet in frames(sent, {}, at)]
PACKETS += [udp_packet(*ENDS, octets) for octets in OCTETS]
# of each message one of these says what came of it
OUTCOMES = ("undecodable", "verified", "refused", "unchecked", "cleartext")


def capture(packets: Iterable[bytes], **options: Any) -> bytes:
    file = io.BytesIO()
    with PcapWriter(file, **options) as writer:
        for number, packet in enumerate(packets):
            writer.write(1_700_000_000_000_000_000 + number * 10**6, packet)
    return file.getvalue()


def datagrams(*messages: bytes) -> bytes:
    return capture(udp_packet(*ENDS, octets) for octets in messages)


def read_all(octets: bytes) -> tuple[list[CapturedMessage], CaptureDecoder]:
    """Decode all there is in every message; what escapes fails the test."""
    decoder = CaptureDecoder(io.BytesIO(octets), keys=KEY)
    seen = list(decoder)
    for message in seen:
        assert as_dict(message)["frame"] == message.frame
        assert list(message_lines(message))
        assert repr(message)
        if not message.is_message:
            assert {finding.level for finding in message.findings} & {"error", "warning"}
    counts = decoder.counters.as_dict()
    assert counts["messages"] + counts["skipped"] == len(seen)
    assert counts["messages"] == sum(counts[name] for name in OUTCOMES)
    assert summary(decoder.counters).startswith(f"{counts['messages']} message")
    failed = any(finding.level == "error" for message in seen if not message.is_message for finding in message.findings)
    assert failed is ("undecodable" in summary(decoder.counters)), "summary and exit code agree"
    return seen, decoder


def test_a_capture_cut_anywhere_gives_the_messages_before() -> None:
    packets = [udp_packet(*ENDS, exchange(number)) for number in range(3)]
    whole = capture(packets)
    ends = [24]
    for packet in packets:
        ends.append(ends[-1] + 16 + len(packet))
    assert ends[-1] == len(whole)
    for size in range(24, len(whole) + 1):
        seen, decoder = read_all(whole[:size])
        assert len(seen) == sum(end <= size for end in ends) - 1
        levels = [finding.level for finding in decoder.findings()]
        assert levels == ([] if size in ends else ["error"]), size


def test_a_gap_in_a_stream_is_told_of_and_the_rest_is_read() -> None:
    ends = ("10.1.1.1:1153", "10.2.2.2:50000")
    messages = [exchange(number) for number in range(0, 8, 2)]
    at, packets = 1, [tcp_packet(*ends, sequence=0, flags=2)]
    for number, octets in enumerate(messages):
        if number != 1:
            packets.append(tcp_packet(*ends, octets, sequence=at))
        at += len(octets)
    seen, decoder = read_all(capture(packets))
    assert [message.octets for message in seen if message.is_message] == [messages[0], *messages[2:]]
    (remark,) = [message for message in seen if not message.is_message]
    assert str(len(messages[1])) in remark.findings[0].text
    assert decoder.counters.undecodable == 1


def test_every_bad_datagram_of_the_port_has_a_stand_in() -> None:
    good = exchange(0)
    bad = [b"\x61" + good[1:], good[:-1], good[:2], b"\x60\x80" + good[2:], b"\x60\x02\xa9\x00", b"hello", b"\x60"]
    seen, decoder = read_all(datagrams(*bad, good + b"xx", good))
    assert [message.frame for message in seen] == list(range(1, len(bad) + 3))
    assert [message.is_message for message in seen] == [False] * len(bad) + [True, True]
    assert [finding.code for finding in seen[-2].findings] == ["trailing-octets"]
    assert decoder.counters.undecodable == len(bad)


def mutated(data: st.DataObject, octets: bytes, most: int) -> bytes:
    changed = bytearray(octets)
    for _ in range(data.draw(st.integers(1, most))):
        place = data.draw(st.integers(0, max(len(changed) - 1, 0)))
        match data.draw(st.integers(0, 4)):
            case 0:
                changed[place : place + 1] = bytes((data.draw(st.integers(0, 255)),))
            case 1 if changed:
                changed[place] ^= 1 << data.draw(st.integers(0, 7))
            case 2:
                del changed[place : place + data.draw(st.integers(1, 40))]
            case 3:
                changed[place:place] = data.draw(st.binary(min_size=1, max_size=8))
            case _:
                del changed[place:]
    return bytes(changed)


@settings(max_examples=150)
@given(data=st.data())
def test_mutated_files_gzipped_or_not(data: st.DataObject) -> None:
    octets = mutated(data, capture(data.draw(st.lists(st.sampled_from(PACKETS), min_size=1, max_size=4))), 4)
    if data.draw(st.booleans()):
        octets = gzip.compress(octets)
        octets = mutated(data, octets, 2) if data.draw(st.booleans()) else octets
    try:
        read_all(octets)
    except CaptureError as error:
        assert error.path in {"capture", "gzip", "pcap", "pcapng"}  # noqa: PT017 - other files are read in part


@settings(max_examples=150)
@given(data=st.data())
def test_of_mutated_messages_none_is_lost(data: st.DataObject) -> None:
    """Each datagram of the port is a message, or a segment that is counted."""
    known = [*OCTETS, *(each.octets for each in SENT)]
    sent = [mutated(data, data.draw(st.sampled_from(known)), 3) for _ in range(data.draw(st.integers(1, 4)))]
    seen, decoder = read_all(datagrams(*sent))
    told = {message.frame for message in seen} | {frame for message in seen for frame in message.segments or ()}
    missing = [number for number, octets in enumerate(sent, 1) if number not in told and octets]
    assert len(missing) <= decoder.counters.segments
    if missing and not any(message.segments for message in seen):
        assert "incomplete-message" in {finding.code for finding in decoder.findings()}
