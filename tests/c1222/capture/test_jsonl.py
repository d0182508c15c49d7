"""JSON lines: their members, order and types; one line whichever way it is written; what is concealed."""

import io
import json
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from c1222 import Key, KeyStore
from c1222.capture.decoder import CaptureDecoder, CapturedMessage
from c1222.capture.fast import FastPath
from c1222.capture.files.writer import PcapWriter, udp_packet
from c1222.capture.jsonl import SCHEMA, as_dict, finding_as_dict, to_json
from c1222.capture.text import message_lines
from c1222.errors import Finding
from c1222.message.flat import FlatApdu
from c1222.message.segmentation import cut
from c1222.services import TableData, session, tables
from tests.c1222.capture.conversation import HEAD_END, METER, Conversation
from tests.c1222.message.known import OCTETS
from tests.traffic import KEY, exchange, frames, varied

ENDS = ("192.0.2.1:50000", "198.51.100.7:1153")
KEYS = KeyStore([KEY, Key(0, bytes.fromhex("6624c7e23034e4036fe5cb3a8b5dab44"), "1.3.6.1.4.1.33507.1919.12345678.0")])
SENT = list(varied(600))
MESSAGES = [*(each.octets for each in SENT[:120]), *map(exchange, range(8)), *OCTETS]

TYPES: dict[str, tuple[type, ...]] = {
    "schema": (str,),
    "frame": (int,),
    "time_ns": (int,),
    "src": (str,),
    "dst": (str,),
    "transport": (str,),
    "called": (str, type(None)),
    "calling": (str, type(None)),
    "called_invocation_id": (int, type(None)),
    "calling_invocation_id": (int, type(None)),
    "application_context": (str, type(None)),
    "calling_ae_qualifier": (int, type(None)),
    "mechanism": (str, type(None)),
    "key_id": (int, type(None)),
    "iv": (str, type(None)),
    "security_mode": (str, type(None)),
    "authenticated": (bool, type(None)),
    "response_control": (str, type(None)),
    "ed_class": (str, type(None)),
    "services": (list,),
    "reply_to": (int, type(None)),
    "segments": (list, type(None)),
    "findings": (list,),
}
"""The members of a line in their order, as the schema was published: it may only grow."""
MODES = {"cleartext", "cleartext-authentication", "ciphertext-authentication", "reserved", None}
CONTROLS = {"always", "on-exception", "never", "reserved", None}
NAMES = {
    *("identify", "terminate", "disconnect", "deregister", "resolve", "trace", "register", "read", "read-index"),
    *("read-default", "read-offset", "write", "write-index", "write-default", "write-offset", "logon", "security"),
    *("logoff", "authenticate", "negotiate", "wait", "timing-setup"),
}


def capture(packets: Iterable[bytes]) -> io.BytesIO:
    file = io.BytesIO()
    writer = PcapWriter(file)
    for number, packet in enumerate(packets):
        writer.write(1_700_000_000_000_000_000 + number * 1001, packet)
    file.seek(0)
    return file


def read(source: io.BytesIO, keys: Any = KEYS) -> list[CapturedMessage]:
    return list(CaptureDecoder(source, keys=keys))


def datagrams(octets: Iterable[bytes]) -> io.BytesIO:
    return capture(udp_packet(*ENDS, each) for each in octets)


def is_typed(value: Any, types: tuple[type, ...]) -> bool:
    return type(value) in types  # a bool is no int here


def check(line: str) -> dict[str, Any]:
    """Hold a line against the schema."""
    shown: dict[str, Any] = json.loads(line)
    assert "\n" not in line
    assert list(shown)[: len(TYPES)] == list(TYPES)
    assert shown["schema"] == SCHEMA == "c1222.message/1"
    assert {name for name, value in shown.items() if not is_typed(value, TYPES[name])} == set()
    assert shown["security_mode"] in MODES
    assert shown["response_control"] in CONTROLS
    assert shown["transport"] in {"udp", "tcp"}
    for service in shown["services"]:
        assert is_typed(service["code"], (int,))
        assert service["kind"] == ("request" if service["code"] >= 0x20 else "response")
        if service["kind"] == "response" and not service.get("malformed"):
            assert list(service)[:4] == ["code", "kind", "result", "service"]
            assert is_typed(service["result"], (str,))
        else:
            assert list(service)[:3] == ["code", "service", "kind"]
        assert service["service"] in NAMES or service["service"] is None or service["kind"] == "request"
    for finding in shown["findings"]:
        assert list(finding) == ["level", "code", "path", "offset", "text"]
        assert finding["level"] in {"note", "warning", "error"}
    return shown


def both(source: io.BytesIO, keys: Any = KEYS) -> list[dict[str, Any]]:
    """Write all messages both ways, fresh for each, since reading a message decodes it; return them as JSON has them."""
    octets = source.getvalue()
    shown = []
    for secrets in (False, True):
        lines = [to_json(message, show_secrets=secrets) for message in read(io.BytesIO(octets), keys)]
        other = [as_dict(message, show_secrets=secrets) for message in read(io.BytesIO(octets), keys)]
        for line, values in zip(lines, other, strict=True):
            assert line == json.dumps(values, ensure_ascii=False)
            check(line)
        shown = shown or other
    return shown


def test_messages_of_every_kind() -> None:
    sequences: dict[tuple[str, str], int] = {}
    packets = [packet for number, each in enumerate(SENT) for packet in frames(each, sequences, number)]
    shown = both(capture(packets))
    assert len(shown) == len(SENT)
    assert {each["security_mode"] for each in shown} == MODES - {"reserved", None}
    names = {service["service"] for each in shown for service in each["services"]}
    assert len(names & NAMES) > 20
    for each, sent in zip(shown, SENT, strict=True):
        assert (each["called"], each["src"], each["dst"]) == (str(sent.message.called), sent.source, sent.destination)
        assert each["calling_invocation_id"] == sent.message.calling_invocation_id
    assert len({each["reply_to"] for each in shown}) > len(SENT) // 3


def test_published_messages_and_odd_ones() -> None:
    shown = both(datagrams(OCTETS))
    assert shown
    assert any(each["findings"] for each in shown)


@pytest.mark.parametrize("keys", [None, Key(2, bytes(16))], ids=["none", "wrong"])
def test_without_the_right_key(keys: Any) -> None:
    shown = both(datagrams(map(exchange, range(4))), keys)
    verdict = None if keys is None else False
    assert [each["authenticated"] for each in shown] == [None, None, verdict, verdict]
    assert [len(each["services"]) for each in shown] == [1, 1, 0, 0]
    assert [[finding["level"] for finding in each["findings"]] for each in shown] == [[], [], ["error"], ["error"]]


def test_what_is_no_message() -> None:
    (shown,) = both(datagrams([b"\x60\x03abc"]))
    kept = {"schema", "frame", "time_ns", "src", "dst", "transport", "services", "findings"}
    assert {name for name, value in shown.items() if value is not None} == kept
    assert (shown["services"], shown["findings"][0]["level"]) == ([], "error")


def test_the_line_of_example_8_in_full() -> None:
    name = next(each for each in OCTETS if bytes.fromhex("48f3d061") in each)
    (line,) = [to_json(message) for message in read(datagrams([name]))]
    assert line == (
        '{"schema": "c1222.message/1", "frame": 1, "time_ns": 1700000000000000000, "src": "192.0.2.1:50000", '
        '"dst": "198.51.100.7:1153", "transport": "udp", "called": ".123.8437", "calling": ".123.4", '
        '"called_invocation_id": null, "calling_invocation_id": 3, "application_context": null, '
        '"calling_ae_qualifier": null, "mechanism": null, "key_id": 2, "iv": "48f3d061", '
        '"security_mode": "ciphertext-authentication", "authenticated": true, "response_control": "always", '
        '"ed_class": null, "services": [{"code": 81, "service": "security", "kind": "request", '
        '"password": "<redacted>", "user_id": 2}, {"code": 63, "service": "read-offset", "kind": "request", '
        '"table": 1, "offset": 16, "count": 16}], "reply_to": null, "segments": null, "findings": []}'
    )


def test_the_security_mode_that_nobody_describes() -> None:
    talk = Conversation()
    talk.read(1, b"model", key=None)
    octets = bytearray(read(io.BytesIO(talk.octets))[0].octets)
    octets[octets.index(b"\x28", octets.index(b"\xbe")) + 4] |= 0x0C
    (shown,) = both(datagrams([bytes(octets)]))
    assert (shown["security_mode"], shown["services"]) == ("reserved", [])
    assert ("error", "reserved-security-mode") in [(each["level"], each["code"]) for each in shown["findings"]]


def test_segments_are_a_list_of_frames() -> None:
    talk = Conversation()
    talk.write(2048, bytes(200))
    whole = read(io.BytesIO(talk.octets))[0].octets
    parts = cut(whole, 90)
    (shown,) = both(datagrams(parts))
    assert (shown["segments"], shown["frame"]) == (list(range(1, len(parts) + 1)), len(parts))


def test_passwords_are_redacted_unless_asked_for() -> None:
    talk = Conversation()
    talk.ask([session.SecurityRequest.of("s3same-s3same", 2)], [session.SecurityResponse()])
    talk.ask([session.SecurityRequest.of("s3same-s3same", 2)], [session.SecurityResponse()], key=None)
    # a service that is too short for what its code says may hold a password all the same
    damaged = read(io.BytesIO(talk.octets))[2].octets.replace(
        b"\x17\x51s3same-s3same       \x00\x02", b"\x0e\x51s3same-s3same"
    )
    damaged = bytes((0x60, damaged[1] - 9)) + damaged[2:]
    at = damaged.index(b"\xbe")
    damaged = (
        damaged[:at]
        + bytes((0xBE, damaged[at + 1] - 9, 0x28, damaged[at + 3] - 9, 0x81, damaged[at + 5] - 9))
        + damaged[at + 6 :]
    )
    assert b"s3same" in damaged
    for octets in (talk.octets, datagrams([damaged]).getvalue()):
        for message in read(io.BytesIO(octets)):
            asks = not message.is_response
            hidden = to_json(message)
            shown = to_json(message, show_secrets=True)
            assert ("<redacted>" in hidden) is asks
            for secret in ("s3same", b"s3same".hex()):
                assert secret not in hidden
            assert ("s3same" in shown or b"s3same".hex() in shown) is asks


def test_a_procedure_that_is_read_back_is_redacted_if_its_parameters_are_secret() -> None:
    talk = Conversation()
    log_in, reset = bytes.fromhex("1200010200") + b"s3same", bytes.fromhex("09000102")
    for octets in (reset, log_in, reset):  # one request, and whether its answer is shown depends on the octets
        talk.read(7, octets)
    talk.read_offset(7, 5, b"s3same")
    talk.read_index(7, (2,), b"s3same")
    talk.write(7, log_in)
    talk.read(42, b"s3same")
    talk.read(0x302A, b"s3same")
    talk.send([tables.ReadResponse(TableData(b"s3same"))], called=HEAD_END, calling=METER, answers=77)
    shown = both(io.BytesIO(talk.octets))
    data = [each["services"][0]["data"] for each in shown[1:7:2]]
    assert data == [reset.hex(), "<redacted>", reset.hex()]
    assert b"s3same".hex() not in json.dumps(shown)
    for message in read(io.BytesIO(talk.octets)):
        assert "s3same" not in "".join(map(repr, (message, *message.services)))
        assert b"s3same".hex() not in "".join(message_lines(message))


def test_what_is_known_of_tables_is_added_to_the_service() -> None:
    talk = Conversation()
    talk.read(1, b"\1\2")
    talk.read(1, b"\1\2")
    more = {"value": {"ANSWER": 42}, "findings": []}
    for way in (to_json, lambda *given, **named: json.dumps(as_dict(*given, **named), ensure_ascii=False)):
        request, response, *_ = read(io.BytesIO(talk.octets))
        shown = json.loads(way(response, tables=(more,)))
        assert list(shown["services"][0])[-2:] == ["value", "findings"]
        assert shown["services"][0]["value"] == {"ANSWER": 42}
        assert "value" not in json.loads(way(request, tables=(None,)))["services"][0]
    with pytest.raises(ValueError, match="argument"):
        to_json(read(io.BytesIO(talk.octets))[1], tables=(more, more))


def test_letters_that_are_not_ascii_stay_readable_and_valid() -> None:
    talk = Conversation()
    talk.send([session.LogonRequest(2, "Zähler".encode("latin-1").ljust(10), 60)], called=METER, calling=HEAD_END)
    talk.send([session.LogonRequest(2, b'a"b\\c\x00\x1f\xff  ', 60)], called=METER, calling=HEAD_END)
    assert len(both(io.BytesIO(talk.octets))) == 2


def test_a_wrong_checksum_is_told_the_long_way_too() -> None:
    talk = Conversation()
    talk.read(5, b"owner", checksum=b"\x00")
    talk.read(5, b"owner")
    shown = both(io.BytesIO(talk.octets))
    assert [each["services"][0].get("checksum_ok") for each in shown] == [None, False, None, True]
    assert [bool(each["findings"]) for each in shown] == [False, True, False, False]


def test_a_finding() -> None:
    assert finding_as_dict(Finding("note", "c", "p", 3, "t")) == {
        "level": "note", "code": "c", "path": "p", "offset": 3, "text": "t",
    }  # fmt: skip


@settings(max_examples=150)
@given(data=st.data())
def test_mutated_messages(data: st.DataObject) -> None:
    octets = []
    for each in data.draw(st.lists(st.sampled_from(MESSAGES), min_size=1, max_size=4)):
        changed = bytearray(each)
        for _ in range(data.draw(st.integers(1, 3))):
            place = data.draw(st.integers(0, len(changed) - 1))
            changed[place] = data.draw(st.one_of(st.integers(0, 255), st.just(changed[place] ^ 1)))
        octets.append(bytes(changed))
    both(datagrams(octets))


@pytest.mark.parametrize("fast", [True, False], ids=["fast path", "full decoder"])
def test_both_ways_write_the_same(monkeypatch: pytest.MonkeyPatch, fast: bool) -> None:
    if not fast:
        monkeypatch.setattr(FastPath, "of_packet", lambda *_: None)
        monkeypatch.setattr(FastPath, "of_apdu", lambda *_: None)
    messages = read(datagrams(map(exchange, range(40))))
    assert [isinstance(message.envelope, FlatApdu) for message in messages] == [fast] * 40
    expected = [json.dumps(as_dict(message), ensure_ascii=False) for message in messages]
    assert [to_json(message) for message in messages] == expected


def test_data_of_write_requests_are_shown() -> None:
    talk = Conversation()
    talk.ask([tables.WriteRequest(2048, TableData(b"\xca\xfe"))], [tables.WriteResponse()])
    request = both(io.BytesIO(talk.octets))[0]
    assert (request["services"][0]["data"], request["services"][0]["checksum_ok"]) == ("cafe", True)
