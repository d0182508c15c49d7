"""A summary counts what messages say, no more and no less, in bounded memory."""

from __future__ import annotations

import io
import json
import statistics
from collections import Counter
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import c1222
from c1222 import ApTitle
from c1222.capture.decoder import CapturedMessage, decode_capture
from c1222.capture.files.writer import PcapWriter
from c1222.capture.jsonl import as_dict
from c1222.capture.summary import CaptureSummary, summarize
from c1222.capture.summary.values import ResponseTimes, ResultCount
from c1222.message.epsem import ResponseControl
from c1222.services import ErrorResponse, tables
from tests import traffic
from tests.c1222.capture.conversation import HEAD_END, KEY, METER, OTHER
from tests.c1222.capture.packets import capture, datagrams, sealed
from tests.c1222.capture.summary.talk import SECOND, START, Talk

SPECS = Path(__file__).parents[4] / "specs"
HEAD, TITLE = str(HEAD_END), str(METER)


def test_who_talks_to_whom_how_often_how_large() -> None:
    talk = Talk()
    sizes = [len(talk.send(0, 1)), len(talk.send(0.5, 2, answers=1))]
    sizes.append(len(talk.send(1, 3, called=METER.absolute())))
    talk.send(2, 4, called=OTHER)
    found = talk.summary()
    first, second = found.conversations
    assert (first.initiator, first.responder) == (HEAD, TITLE)
    assert (first.requests, first.responses) == (2, 1)
    assert (first.request_octets, first.response_octets) == (sizes[0] + sizes[2], sizes[1])
    assert first.largest == max(sizes)
    assert (first.first_ns, first.last_ns) == (START * SECOND, (START + 1) * SECOND)
    assert first.response_times == ResponseTimes(1, SECOND // 2, SECOND // 2, SECOND // 2)
    assert (second.responder, second.requests, second.responses, second.response_times) == (str(OTHER), 1, 0, None)
    assert (found.totals.unanswered, found.totals.unpaired) == (2, 0)
    assert {node.node: (node.sent, node.received) for node in found.nodes} == {
        HEAD: (3, 1), TITLE: (1, 2), str(OTHER): (0, 1),
    }  # fmt: skip


def test_how_often_a_node_is_asked() -> None:
    talk = Talk()
    for at in (0, 60, 120, 121, 181):
        octets = talk.send(at, at + 1)
    talk.octets(182, octets)  # again
    talk.send(0, 1, called=OTHER)
    assert [one.interval_ns for one in talk.summary().conversations] == [60 * SECOND, None]


def test_response_times_by_node_and_service() -> None:
    talk = Talk()
    for number in range(1, 101):
        talk.send(number, 2 * number)
        talk.send(number + number / 1000, 2 * number + 1, answers=2 * number)
    found = talk.summary()
    times = found.conversations[0].response_times
    assert times is not None
    assert times.answers == 100
    assert times.median_ns == pytest.approx(50_000_000, rel=1 / 128)
    assert times.p95_ns == pytest.approx(95_000_000, rel=1 / 128)
    assert times.max_ns == 100_000_000
    assert [node.response_times for node in found.nodes if node.node == TITLE] == [times]
    assert [(one.service, one.response_times) for one in found.services] == [("read", times)]


def test_the_same_octets_again_are_a_retransmission() -> None:
    talk = Talk()
    request = talk.send(0, 1)
    talk.octets(5, request)
    response = talk.send(5.5, 2, answers=1)
    talk.octets(6, response)
    found = talk.summary()
    assert found.totals.retransmissions == 2
    assert {node.node: node.retransmissions for node in found.nodes} == {HEAD: 1, TITLE: 1}
    assert found.conversations[0].retransmissions == 2
    assert found.totals.unanswered == 0
    times = found.conversations[0].response_times
    assert times == ResponseTimes(1, SECOND // 2, SECOND // 2, SECOND // 2)  # since it was sent last


def test_the_same_number_again_is_one_while_no_answer_came() -> None:
    talk = Talk()
    talk.send(0, 7)
    talk.send(4, 7)  # sealed anew
    talk.send(5, 8, answers=7)
    talk.send(6, 7, services=[tables.ReadRequest(2)])  # a session that counts from there again
    talk.send(7, 8, answers=7)
    found = talk.summary().totals
    assert (found.retransmissions, found.requests, found.unanswered) == (1, 3, 0)


def test_a_poll_in_the_same_octets_an_hour_later_is_none() -> None:
    talk = Talk()
    for hour in range(3):
        talk.send(3600 * hour, 1, mode=0)
        talk.send(3600 * hour + 1, 2, answers=1, mode=0)
    found = talk.summary()
    assert (found.totals.retransmissions, found.totals.unanswered) == (0, 0)
    assert found.conversations[0].response_times == ResponseTimes(3, SECOND, SECOND, SECOND)


def test_what_wants_no_answer_is_not_missed() -> None:
    talk = Talk()
    talk.send(0, 1, response_control=ResponseControl.NEVER)
    assert talk.summary().totals.unanswered == 0


def test_errors_by_code() -> None:
    talk = Talk()
    for number in range(1, 4):
        talk.send(number, number)
        talk.send(number + 0.5, 10 + number, answers=number, services=[ErrorResponse(0x06 if number < 3 else 0x03)])
    talk.send(9, 9, answers=8, services=[ErrorResponse(0x06)])
    found = talk.summary()
    assert found.errors == (
        ResultCount(6, "bsy", "read", 2), ResultCount(3, "isc", "read", 1), ResultCount(6, "bsy", None, 1),
    )  # fmt: skip
    assert found.services[0].errors == 3
    assert [(node.node, node.errors) for node in found.nodes if node.errors] == [(TITLE, 4)]
    assert found.totals.unpaired == 1


def test_what_is_no_message_is_counted() -> None:
    broken = sealed(1)[:-6]
    found = summarize(datagrams(broken, sealed(2)), keys=KEY)
    assert (found.totals.messages, found.totals.undecodable) == (2, 1)
    assert sum(one.occurrences for one in found.findings if one.level == "error") >= 1


def test_octets_in_hex_have_no_time() -> None:
    text = "\n".join(octets.hex() for octets in (sealed(1), sealed(2, answers=1))).encode()
    found = summarize(io.BytesIO(text), keys=KEY)
    assert (found.totals.requests, found.totals.responses) == (1, 1)
    assert (found.totals.first_ns, found.conversations[0].response_times) == (None, None)
    assert found.security.clock_offsets == ()


# --- against a naive recount


def recount(messages: list[CapturedMessage], base: ApTitle | None = None) -> dict[str, Any]:
    """Count by the JSON of messages."""

    def name(title: str | None, address: str) -> str:
        return str(ApTitle(title).absolute(base)) if title else address

    found: dict[str, Any] = {}
    shown = [as_dict(message) for message in messages if message.is_message]
    sizes = [len(message.octets) for message in messages if message.is_message]
    nodes: Counter[tuple[str, str]] = Counter()
    pairs: Counter[tuple[str, str, str]] = Counter()
    for one, size in zip(shown, sizes, strict=True):
        sender, receiver = name(one["calling"], one["src"]), name(one["called"], one["dst"])
        answers = one["called_invocation_id"] is not None
        ends = (receiver, sender) if answers else (sender, receiver)
        kind = "response" if answers else "request"
        pairs.update({(*ends, kind): 1, (*ends, kind + " octets"): size})
        nodes.update({(sender, "sent"): 1, (receiver, "received"): 1, (sender, "octets"): size})
    found["pairs"], found["nodes"] = pairs, nodes
    found["requests"] = Counter(
        service["service"] if service["service"] != "unknown" else f"service {service['code']:02X}"
        for one in shown if one["called_invocation_id"] is None for service in one["services"]
    )  # fmt: skip
    found["errors"] = Counter(
        (service["code"], service["service"])
        for one in shown if one["called_invocation_id"] is not None for service in one["services"]
        if service["kind"] == "response" and service["code"]
    )  # fmt: skip
    found["modes"] = Counter(one["security_mode"] for one in shown)
    found["verdicts"] = Counter(
        one["authenticated"] for one in shown if one["security_mode"] != "cleartext"
    )  # fmt: skip
    found["findings"] = Counter(
        (finding.level, finding.code) for message in messages for finding in message.findings
    )  # fmt: skip
    times = {one["frame"]: one["time_ns"] for one in shown}
    found["times"] = [
        one["time_ns"] - times[one["reply_to"]] for one in shown if one["reply_to"] is not None
    ]  # fmt: skip
    return found


def counted(summary: CaptureSummary) -> dict[str, Any]:
    """Return the same counts of a summary."""

    def name(text: str) -> str:
        return text if ":" in text else str(ApTitle(text).absolute())

    found: dict[str, Any] = {"pairs": Counter(), "nodes": Counter()}
    for one in summary.conversations:
        ends = name(one.initiator), name(one.responder)
        found["pairs"].update({
            (*ends, "request"): one.requests, (*ends, "request octets"): one.request_octets,
            (*ends, "response"): one.responses, (*ends, "response octets"): one.response_octets,
        })  # fmt: skip
    for node in summary.nodes:
        own = name(node.node)
        found["nodes"].update({
            (own, "sent"): node.sent, (own, "received"): node.received, (own, "octets"): node.sent_octets,
        })  # fmt: skip
    found["requests"] = Counter({one.service: one.requests for one in summary.services if one.service})
    found["errors"] = Counter({(one.code, one.service): one.occurrences for one in summary.errors})
    security = summary.security
    found["modes"] = Counter(security.modes)
    found["verdicts"] = Counter({True: security.verified, False: security.refused, None: security.unchecked})
    found["findings"] = Counter({(one.level, one.code): one.occurrences for one in summary.findings})
    return found


def agree(octets: bytes, keys: Any) -> CaptureSummary:
    messages = list(decode_capture(io.BytesIO(octets), keys=keys))
    expected = recount(messages)
    summary = CaptureSummary()
    for message in decode_capture(io.BytesIO(octets), keys=keys):
        summary.add(message)
    found = counted(summary)
    for part, counts in found.items():
        assert +counts == +expected[part], part
    assert summary.totals.messages == len(messages)
    assert sum(one.requests + one.responses for one in summary.conversations) == sum(
        message.is_message for message in messages
    )
    summary.times = expected["times"]  # type: ignore[attr-defined]
    return summary


def varied(count: int, seed: int) -> bytes:
    file = io.BytesIO()
    with PcapWriter(file) as writer:
        sequences: dict[tuple[str, str], int] = {}
        at = START * SECOND
        for number, sent in enumerate(traffic.varied(count, seed)):
            for frame in traffic.frames(sent, sequences, number):
                at += 37_000_000 + number * 1000
                writer.write(at, frame)
        return file.getvalue()


@pytest.mark.parametrize("keys", [traffic.KEY, None, c1222.Key(2, bytes(16))], ids=["key", "no key", "wrong key"])
def test_it_equals_a_naive_recount(keys: Any) -> None:
    agree(varied(600, 22), keys)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1 << 16), st.integers(0, 60), st.sampled_from([traffic.KEY, None]))
def test_it_equals_a_naive_recount_of_any_traffic(seed: int, count: int, keys: Any) -> None:
    agree(varied(count, seed), keys)


def test_response_times_equal_a_naive_recount() -> None:
    found = agree(capture_of_load(400), traffic.KEY)
    times = sorted(found.times)  # type: ignore[attr-defined]
    [read] = [one for one in found.services if one.service == "read-offset"]
    assert read.response_times is not None
    assert read.response_times.answers == len(times) == 200
    assert read.response_times.max_ns == times[-1]
    assert read.response_times.median_ns == pytest.approx(statistics.median_low(times), rel=1 / 128)
    assert found.totals.unanswered == found.totals.retransmissions == 0


def capture_of_load(count: int) -> bytes:
    file = io.BytesIO()
    with PcapWriter(file) as writer:
        for number in range(count):
            ends = ("10.0.0.1:1153", f"10.1.0.{number // 2 % 200 + 1}:1153")
            at = START * SECOND + number * 1_000_000 + (number // 2) ** 2 * (number % 2)
            octets = traffic.exchange(number)
            writer.write(at, traffic.udp_packet(*(ends[::-1] if number % 2 else ends), octets))
        return file.getvalue()


# --- limits


def test_memory_is_bounded_and_what_is_forgotten_is_counted() -> None:
    octets = capture_of_load(1200)
    found = CaptureSummary(max_nodes=50, max_conversations=40, max_exchanges=30, max_ivs=20)
    for message in decode_capture(io.BytesIO(octets), keys=traffic.KEY):
        found.add(message)
    assert 50 * 7 // 8 <= len(found.nodes) <= 50
    assert 40 * 7 // 8 <= len(found.conversations) <= 40
    assert found.evicted.nodes == 601 - len(found.nodes)
    assert found.evicted.conversations == 600 - len(found.conversations)
    assert found.evicted.links > 0
    assert found.evicted.ivs > 0
    assert 1200 - 30 <= found.evicted.exchanges <= 1200 - 30 * 7 // 8 + 1
    assert found.totals.messages == 1200
    assert str(traffic.HEAD_END) in {node.node for node in found.nodes}  # silent for no message


def test_messages_are_forgotten_after_ten_minutes() -> None:
    talk = Talk()
    for number in range(100):
        talk.send(700 * number, number + 1, response_control=ResponseControl.NEVER)
    found = CaptureSummary(max_exchanges=5)
    for message in talk.decoder():
        found.add(message)
    assert found.evicted.exchanges == 0


# --- as data


def test_json_is_as_its_schema_says() -> None:
    schema = json.loads((SPECS / "summary.schema.json").read_text("utf-8"))
    for octets in (varied(300, 1), b"".join([Talk().file])):
        found = summarize(io.BytesIO(octets), keys=traffic.KEY).as_dict()
        jsonschema.Draft202012Validator(schema).validate(json.loads(json.dumps(found)))
    for name in ("example8", "meters", "published"):
        found = c1222.summarize(SPECS / "captures" / f"{name}.pcap", keys=None).as_dict()
        jsonschema.Draft202012Validator(schema).validate(json.loads(json.dumps(found)))


def test_several_files_are_one_capture() -> None:
    files = [capture([traffic.udp_packet("10.0.0.1:1153", "10.0.0.2:1153", sealed(1))])]
    files.append(capture([traffic.udp_packet("10.0.0.2:1153", "10.0.0.1:1153", sealed(2, answers=1))]))
    found = summarize(files, keys=KEY)
    assert (found.totals.messages, found.totals.unpaired, found.totals.unanswered) == (2, 0, 0)


def test_values_cannot_be_changed() -> None:
    found = summarize(datagrams(sealed(1)), keys=KEY)
    with pytest.raises(AttributeError):
        found.totals.messages = 7  # type: ignore[misc]
    assert found.conversations == found.conversations
    assert "1 messages" in repr(found) or "messages, 1 conversations" in repr(found)


def test_usual_messages_count_as_if_their_services_were_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    sent = [one.octets for one in traffic.varied(240, seed=7)]
    file = datagrams(*sent).getvalue()
    quick = summarize(io.BytesIO(file), keys=traffic.KEY).as_dict()
    monkeypatch.setattr("c1222.capture.summary.capture_summary.is_usual", lambda _message: False)
    assert summarize(io.BytesIO(file), keys=traffic.KEY).as_dict() == quick
    assert quick["errors"]
