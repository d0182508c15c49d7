"""Which messages of a capture belong together: requests and responses, sessions, segments."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest

import c1222
from c1222 import ApTitle
from c1222.capture import decoder as decoders
from c1222.capture.files.writer import tcp_packet, udp_packet
from c1222.message.epsem import SecurityMode
from c1222.message.segmentation import cut
from c1222.security.sealing import Verdict
from c1222.services import TableData, UnpairedResponse, tables
from tests.c1222.capture.conversation import HEAD_END, KEY, METER, OTHER, Conversation
from tests.c1222.capture.packets import ENDS, capture, codes, datagrams, message, read, sealed

if TYPE_CHECKING:
    pass

# --- pairing ----------------------------------------------------------------------------------------------------------


def test_a_pair_that_lies_in_one_tcp_direction() -> None:
    request, response = sealed(3), sealed(8, answers=3)
    packets = [
        tcp_packet(*ENDS, request, sequence=77),
        tcp_packet(*ENDS, response, sequence=77 + len(request)),
    ]
    (asks, answers), decoder = read(capture(packets))
    assert (asks.frame, answers.frame, answers.reply_to) == (1, 2, 1)
    assert asks.src == answers.src
    assert answers.services[0] == tables.ReadResponse(TableData(b"ST1"))
    assert decoder.findings() == []


def test_several_messages_in_one_tcp_segment_and_one_in_several() -> None:
    first, second = sealed(3), sealed(4, iv=2)
    stream = first + second
    packets = [
        tcp_packet(*ENDS, stream[:10], sequence=0),
        tcp_packet(*ENDS, stream[10 : len(first) + 5], sequence=10),
        tcp_packet(*ENDS, stream[len(first) + 5 :], sequence=len(first) + 5),
    ]
    seen, _ = read(capture(packets))
    assert [(m.frame, m.calling_invocation_id, m.segments) for m in seen] == [(2, 3, None), (3, 4, None)]


@pytest.mark.parametrize("mode", [0, 1, 2])
def test_titles_and_numbers_pair_not_addresses(mode: int) -> None:
    parts = {"security_mode": SecurityMode(mode)}
    base = "2.16.124.113620.1.22.0"
    packets = [
        udp_packet("10.0.0.1:4000", "10.0.0.2:1153", sealed(200, **parts)),
        udp_packet(
            "10.0.0.9:1153", "10.0.0.8:7000", sealed(1, answers=200, calling=ApTitle(f"{base}.123.8437"), **parts)
        ),
        udp_packet("10.0.0.2:1153", "10.0.0.1:4000", sealed(2, answers=200, calling=OTHER, **parts)),
        udp_packet("10.0.0.2:1153", "10.0.0.1:4000", sealed(3, answers=201, **parts)),
    ]
    seen, decoder = read(capture(packets))
    assert [m.reply_to for m in seen] == [None, 1, None, None]
    assert [type(m.services[0]) for m in seen[1:]] == [tables.ReadResponse, UnpairedResponse, UnpairedResponse]
    assert (decoder.counters.responses, decoder.counters.unpaired) == (3, 2)


def test_repetitions_are_paired_too() -> None:
    request, response = sealed(5), sealed(6, answers=5)
    seen, decoder = read(datagrams(request, request, response, response, request, response))
    assert [m.reply_to for m in seen] == [None, None, 2, 2, None, 5]
    assert (decoder.counters.unpaired, decoder.findings()) == (0, [])


def test_a_response_that_comes_first_is_not_paired() -> None:
    seen, decoder = read(datagrams(sealed(6, answers=5), sealed(5)))
    assert seen[0].reply_to is None
    assert codes(seen[0].findings) == ["guessed"]
    assert decoder.counters.unpaired == 1


def test_a_request_whose_mac_is_wrong_has_no_response() -> None:
    forged = bytearray(sealed(5))
    forged[-1] ^= 1
    seen, _ = read(datagrams(bytes(forged), sealed(6, answers=5)))
    assert seen[1].reply_to is None


def test_a_request_whose_services_are_malformed_tells_nothing_of_its_response() -> None:
    request = sealed(5, security_mode=SecurityMode.CLEARTEXT)
    cut_short = request.replace(bytes.fromhex("03300001"), bytes.fromhex("09300001"))
    seen, _ = read(datagrams(cut_short, sealed(6, answers=5)))
    assert codes(seen[0].findings) == ["malformed"]
    assert seen[1].reply_to == 1
    assert isinstance(seen[1].services[0], UnpairedResponse)


def test_requests_forgotten_are_counted_but_not_those_that_were_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        decoders,
        "Associations",
        lambda base, **more: messages_memory(base, max_requests=10, max_answered=4, max_sessions=10, **more),
    )
    talk = Conversation()
    for number in range(1, 100):
        asked = talk.send([tables.ReadRequest(1)], called=METER, calling=HEAD_END, number=number)
        talk.send([tables.ReadResponse(TableData(b""))], called=HEAD_END, calling=METER, answers=asked)
    seen, decoder = read(io.BytesIO(talk.octets))
    assert (decoder.findings(), decoder.counters.unpaired, len(seen)) == ([], 0, 198)
    silent = Conversation()
    for number in range(1, 100):
        silent.send([tables.ReadRequest(1)], called=METER, calling=HEAD_END, number=number)
    _, decoder = read(io.BytesIO(silent.octets))
    (finding,) = decoder.findings()
    assert (finding.level, finding.code) == ("note", "evicted")
    assert 89 <= int(finding.text.split()[0]) <= 94


def messages_memory(base: ApTitle, **limits: int) -> Any:
    from c1222.protocol.pairing import Associations

    return Associations(base, **limits)


# --- sessions and segments --------------------------------------------------------------------------------------------


def test_messages_of_a_session_are_verified_by_what_opened_it() -> None:
    inside = {"carries_authentication": False}
    seen, decoder = read(
        datagrams(
            sealed(1, iv=1),
            sealed(9, answers=1, iv=5),
            sealed(2, iv=1, **inside),  # with what the same side said
            sealed(3, iv=5, **inside),  # with what the other side said
            sealed(4, iv=7, **inside),  # with what nobody said
        )
    )
    assert [m.authenticated for m in seen] == [True, True, True, True, False]
    assert [(m.key_id, m.iv and int.from_bytes(m.iv) - 1_700_000_000) for m in seen[2:]] == [(2, 1), (2, 5), (2, 1)]
    assert decoder.counters.refused == 1


def test_a_session_that_is_not_known_says_so() -> None:
    ((unknown,), decoder) = read(datagrams(sealed(2, carries_authentication=False)))
    assert (unknown.authenticated, unknown.verdict, unknown.services) == (None, Verdict.NO_SESSION, ())
    assert codes(unknown.findings) == ["no-session"]
    assert decoder.counters.unchecked == 1


def test_a_forged_message_does_not_change_a_session() -> None:
    forged = bytearray(sealed(5, iv=9))
    forged[-1] ^= 1
    seen, _ = read(datagrams(sealed(1, iv=1), bytes(forged), sealed(2, iv=1, carries_authentication=False)))
    assert [m.authenticated for m in seen] == [True, False, True]


LARGE = message(70, services=[tables.WriteRequest(64, TableData(bytes(range(250)) * 4))])


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 1, 0, 2), (0, 0, 3, 1, 1, 2)])
def test_segments_in_any_order(order: tuple[int, ...]) -> None:
    parts = cut(c1222.encode(LARGE, keys=KEY), 300)
    assert len(parts) == 4
    between = sealed(3)
    seen, decoder = read(datagrams(*(parts[i] for i in order[:-1]), between, parts[order[-1]]))
    assert [m.calling_invocation_id for m in seen] == [3, 70]
    whole = seen[1]
    frames_of_parts = [*range(1, len(order)), len(order) + 1]  # the message between came before the last
    assert whole.segments == tuple(frames_of_parts[at] for at, part in enumerate(order) if part not in order[:at])
    assert whole.frame == len(order) + 1
    assert whole.authenticated is True
    assert whole.octets == c1222.encode(LARGE, keys=KEY)
    assert whole.services == LARGE.services
    assert (decoder.counters.segments, decoder.counters.messages, decoder.findings()) == (len(order), 2, [])


def test_a_segment_that_never_comes_is_an_error_of_the_capture() -> None:
    parts = cut(c1222.encode(LARGE, keys=KEY), 300)
    seen, decoder = read(datagrams(*parts[1:]))
    assert seen == []
    (finding,) = decoder.findings()
    assert (finding.level, finding.code) == ("error", "incomplete-message")
    assert "frames 1, 2, 3" in finding.text


def test_of_many_incomplete_messages_some_are_told_one_by_one() -> None:
    parts = [cut(c1222.encode(message(n, services=LARGE.services), keys=KEY), 300)[0] for n in range(1, 16)]
    _, decoder = read(datagrams(*parts))
    found = decoder.findings()
    assert codes(found) == ["incomplete-message"] * (decoders.MAX_LOST_TOLD + 1)
    assert "5 more" in found[-1].text
