"""Responses captured before their requests find them, within a window; the order of capture stays."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from c1222.capture.decoder import CaptureDecoder
from c1222.capture.early import EARLY_NS, MAX_HELD_MESSAGES
from c1222.capture.fast import FastPath
from c1222.capture.files.writer import PcapWriter, tcp_packet, udp_packet
from c1222.capture.jsonl import as_dict
from c1222.services import TableData, tables
from tests.c1222.capture.packets import ENDS, KEY, START_NS, capture, message, read, sealed
from tests.traffic import exchange

ASKED, ANSWERED = exchange(2), exchange(3)
BACK = ENDS[::-1]


def timed(*packets: tuple[int, bytes]) -> io.BytesIO:
    file = io.BytesIO()
    with PcapWriter(file) as writer:
        for time_ns, packet in packets:
            writer.write(START_NS + time_ns, packet)
    file.seek(0)
    return file


@pytest.fixture(params=["fast path", "full decoder"])
def _road(request, monkeypatch):
    if request.param == "full decoder":
        monkeypatch.setattr(FastPath, "of_packet", lambda *_: None)
        monkeypatch.setattr(FastPath, "of_apdu", lambda *_: None)


@pytest.mark.usefixtures("_road")
@pytest.mark.parametrize("between", [0, 1, 5])
def test_a_response_before_its_request_is_paired(between):
    other = [udp_packet(*ENDS, exchange(2 * number)) for number in range(10, 10 + between)]
    packets = [udp_packet(*BACK, ANSWERED), *other, udp_packet(*ENDS, ASKED)]
    seen, decoder = read(capture(packets))
    assert [each.frame for each in seen] == list(range(1, len(packets) + 1))
    assert (seen[0].reply_to, seen[-1].reply_to) == (len(packets), None)
    assert [service.service for service in seen[0].services] == ["security", "read-offset"]
    assert [service["service"] for service in as_dict(seen[0])["services"]] == ["security", "read-offset"]
    assert (decoder.counters.responses, decoder.counters.unpaired) == (1, 0)


@pytest.mark.usefixtures("_road")
def test_a_repeated_response_has_the_same_request():
    packets = [udp_packet(*BACK, ANSWERED)] * 2 + [udp_packet(*ENDS, ASKED), udp_packet(*BACK, ANSWERED)]
    seen, decoder = read(capture(packets))
    assert [each.reply_to for each in seen] == [3, 3, None, 3]
    assert decoder.counters.unpaired == 0


def test_tcp_responses_too():
    packets = [tcp_packet(*BACK, ANSWERED, sequence=1), tcp_packet(*ENDS, ASKED, sequence=1)]
    seen, _ = read(capture(packets))
    assert [each.reply_to for each in seen] == [2, None]


@pytest.mark.parametrize(
    ("apart", "options", "reply_to"),
    [(EARLY_NS, {}, 2), (EARLY_NS + 1, {}, None), (5, {"early_ns": 5}, 2), (6, {"early_ns": 5}, None),
     (0, {"early_ns": 0}, None)],
)  # fmt: skip
def test_the_window_is_packet_time(apart, options, reply_to):
    seen, decoder = read(timed((0, udp_packet(*BACK, ANSWERED)), (apart, udp_packet(*ENDS, ASKED))), **options)
    assert [each.reply_to for each in seen] == [reply_to, None]
    assert decoder.counters.unpaired == (reply_to is None)


def test_only_a_request_between_the_same_addresses_will_do():
    seen, _ = read(capture([udp_packet(*BACK, ANSWERED), udp_packet("192.0.2.9:50000", ENDS[1], ASKED)]))
    assert [each.reply_to for each in seen] == [None, None]


def test_a_forged_request_is_not_taken():
    forged = bytearray(ASKED)
    forged[-1] ^= 1
    seen, _ = read(capture([udp_packet(*BACK, ANSWERED), udp_packet(*ENDS, bytes(forged)), udp_packet(*ENDS, ASKED)]))
    assert [each.reply_to for each in seen] == [3, None, None]


def test_messages_held_are_limited():
    packets = [udp_packet(*BACK, ANSWERED)] + [udp_packet(*ENDS, exchange(2 * n)) for n in range(2, 2000)]
    decoder = CaptureDecoder(timed(*((0, packet) for packet in packets)), keys=KEY)
    messages = iter(decoder)
    first = next(messages)
    assert first.reply_to is None
    assert decoder.reader.packets == MAX_HELD_MESSAGES + 1
    assert [each.frame for each in messages] == list(range(2, len(packets) + 1))
    large = sealed(1, answers=7, services=[tables.ReadResponse(TableData(bytes(20_000)))])
    other = sealed(2, services=[tables.WriteRequest(5, TableData(bytes(20_000)))])
    decoder = CaptureDecoder(capture([udp_packet(*BACK, large)] + [udp_packet(*ENDS, other)] * 900), keys=KEY)
    assert next(iter(decoder)).frame == 1
    assert decoder.reader.packets < 500


def test_without_lonely_responses_every_message_comes_at_once():
    packets = [udp_packet(*ENDS, ASKED), udp_packet(*BACK, ANSWERED), udp_packet(*ENDS, exchange(4))]
    decoder = CaptureDecoder(capture(packets), keys=KEY)
    for number, each in enumerate(decoder, 1):
        assert (each.frame, decoder.reader.packets) == (number, number)


@given(st.permutations(range(8)))
def test_in_whatever_order_exchanges_are_captured_all_are_paired(order):
    packets = [udp_packet(*(BACK if n % 2 else ENDS), exchange(n)) for n in order]
    seen, decoder = read(capture(packets))
    assert [each.frame for each in seen] == list(range(1, 9))
    frame = {n: at for at, n in enumerate(order, 1)}
    assert [each.reply_to for each in seen] == [frame[n - 1] if n % 2 else None for n in order]
    assert decoder.counters.unpaired == 0


def test_what_is_not_secured_is_paired_too():
    answer = message(9, answers=8)
    assert answer.called_invocation_id == 8
    packets = [udp_packet(*BACK, exchange(1)), udp_packet(*ENDS, exchange(0))]
    seen, _ = read(capture(packets), keys=None)
    assert [each.reply_to for each in seen] == [2, None]
