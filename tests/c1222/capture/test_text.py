"""Messages as text: who asked whom for what, what came back, verified or not, and what is wrong."""

import io
from typing import Any

import pytest

from c1222 import Key, Message, encode
from c1222.capture.decoder import CaptureDecoder, CapturedMessage
from c1222.capture.files.writer import PcapWriter, udp_packet
from c1222.capture.text import SHOWN_OCTETS, finding_line, message_lines, summary, time_text
from c1222.errors import Finding
from c1222.message.epsem import ResponseControl, SecurityMode
from c1222.message.segmentation import cut
from c1222.services import ErrorResponse, TableData, session, tables
from tests.c1222.capture.conversation import HEAD_END, KEY, METER, Conversation

ENDS = ("192.0.2.1:50000", "198.51.100.7:1153")


def read(*octets: bytes, keys: Any = KEY) -> tuple[list[CapturedMessage], CaptureDecoder]:
    file = io.BytesIO()
    with PcapWriter(file) as writer:
        for number, each in enumerate(octets):
            writer.write(1_700_000_000_000_000_000 + number * 1000, udp_packet(*ENDS, each))
    file.seek(0)
    decoder = CaptureDecoder(file, keys=keys)
    return list(decoder), decoder


def lines(talk: Conversation, keys: Any = KEY, **options: Any) -> list[str]:
    return ["\n".join(message_lines(message, **options)) for message in talk.decoder(keys)]


def test_a_request_and_its_response() -> None:
    talk = Conversation()
    talk.ask(
        [session.SecurityRequest.of("s3same", 2), tables.ReadRequest(5)],
        [session.SecurityResponse(), tables.ReadResponse(TableData(b"owner"))],
    )
    request, response = lines(talk)
    assert request.splitlines() == [
        "#1  2023-11-14 22:13:21.000000Z  udp 192.0.2.1:50000 -> 198.51.100.7:1153",
        "    .123.4 asks .123.8437  (message 1)",
        "    ciphertext-authentication: verified, key 2, IV 6553f101 (2023-11-14 22:13:21Z)",
        "      security  password <redacted>, user id 2",
        "      read  ST5",
    ]
    assert response.splitlines() == [
        "#2  2023-11-14 22:13:22.000000Z  udp 198.51.100.7:1153 -> 192.0.2.1:50000",
        "    .123.8437 answers .123.4  (its message 1 in frame 1)",
        "    ciphertext-authentication: verified, key 2, IV 6553f102 (2023-11-14 22:13:22Z)",
        "      security ok",
        '      read ok  6f776e6572 "owner"',
    ]


def test_passwords_only_when_asked_for() -> None:
    talk = Conversation()
    talk.ask([session.SecurityRequest.of("s3same", 2)], [session.SecurityResponse()])
    hidden, shown = lines(talk)[0], lines(talk, show_secrets=True)[0]
    for secret in ("s3same", b"s3same".hex()):
        assert secret not in hidden
    assert "s3same" in shown or b"s3same".hex() in shown
    assert "<redacted>" not in shown


def test_cleartext_says_that_it_is_not_authenticated() -> None:
    talk = Conversation()
    talk.read(1, b"\1", key=None)
    assert [text.splitlines()[2].strip() for text in lines(talk)] == ["cleartext, not authenticated"] * 2


@pytest.mark.parametrize(
    ("keys", "said", "code"),
    [(None, "not verified, no key", "no-key"), (Key(2, bytes(16)), "MAC WRONG", "wrong-key")],
    ids=["no key", "wrong key"],
)
def test_what_is_not_verified_says_so(keys: Any, said: str, code: str) -> None:
    talk = Conversation()
    talk.read(1, b"\1")
    text = lines(talk, keys)[0]
    assert f"ciphertext-authentication: {said}, key 2" in text
    assert "\n    error: " in text
    assert f"[{code}, " in text
    assert "read  ST1" not in text


def test_a_session_that_is_not_known_and_a_mac_that_is_missing() -> None:
    parts: dict[str, Any] = {
        "called": METER, "calling": HEAD_END, "calling_invocation_id": 9, "services": [tables.ReadRequest(1)],
        "security_mode": SecurityMode.CIPHERTEXT_AUTHENTICATION, "key_id": 2, "iv": bytes(4),
    }  # fmt: skip
    (message,), _ = read(encode(Message(**parts, carries_authentication=False), keys=KEY))
    assert "ciphertext-authentication: not verified, session unknown" in "\n".join(message_lines(message))
    whole = encode(Message(**parts), keys=KEY)
    at = whole.index(b"\xbe")
    short = whole[:at] + bytes.fromhex("be0628048102") + whole[at + 6 : at + 8]
    short = bytes((0x60, len(short) - 2)) + short[2:]
    (message,), _ = read(short)
    assert "MAC MISSING" in "\n".join(message_lines(message))


def test_flags_that_are_not_usual() -> None:
    message = Message(
        called=METER, calling=HEAD_END, calling_invocation_id=9, services=[tables.ReadRequest(1)],
        response_control=ResponseControl.NEVER, ed_class=b"ITR1", calling_ae_qualifier=7,
    )  # fmt: skip
    (seen,), _ = read(encode(message))
    text = "\n".join(message_lines(seen))
    assert 'answer never, ED class 49545231 "ITR1", test, urgent, notification' in text


def test_errors_of_responses_and_wrong_checksums() -> None:
    talk = Conversation()
    talk.ask([tables.ReadRequest(1)], [ErrorResponse(0x03, service="read")])
    talk.read(5, b"owner", checksum=b"\x00")
    refused, wrong = lines(talk)[1::2]
    assert "read isc" in refused
    assert "CHECKSUM WRONG" in wrong
    assert "checksum" in wrong.splitlines()[-1]


def test_long_data_are_cut_short() -> None:
    talk = Conversation()
    talk.read(2048, bytes(SHOWN_OCTETS))
    talk.read(2048, bytes(SHOWN_OCTETS + 9))
    fits, long = lines(talk)[1::2]
    assert f"{bytes(SHOWN_OCTETS).hex()} " in fits
    assert "more octets" not in fits
    assert long.endswith('" and 9 more octets')


def test_a_response_without_its_request_and_segments() -> None:
    talk = Conversation()
    talk.send([tables.ReadResponse(TableData(b"\1"))], called=HEAD_END, calling=METER, answers=77)
    assert ".123.8437 answers .123.4  (its message 77, which was not seen)" in lines(talk)[0]
    talk = Conversation()
    talk.write(2048, bytes(200))
    whole = next(iter(talk.decoder())).octets
    (message,), _ = read(*cut(whole, 90))
    frames = ", ".join(str(number) for number in message.segments or ())
    assert f"(message 1)  reassembled from frames {frames}" in "\n".join(message_lines(message))
    assert len(message.segments or ()) > 2


def test_what_is_no_message() -> None:
    (message,), decoder = read(b"\x60\x03abc")
    text = list(message_lines(message))
    assert text[1] == "    no message: 5 octets"
    assert list(message_lines(message, show_secrets=True))[1] == "    no message: 6003616263"
    assert text[2].startswith("    error: ")
    assert summary(decoder.counters) == "1 message: 1 undecodable"


def test_values_of_tables_and_reasons() -> None:
    talk = Conversation()
    talk.read(1, b"\1")
    response = list(talk.decoder())[1]
    known = {
        "value": {"A": {"B": [1, {"C": 2}], "D": [3, 4]}},
        "findings": [Finding("note", "n", "p", None, "t")._asdict()],
    }
    text = list(message_lines(response, tables=(known,)))[4:]
    assert text == [
        "        A.B[0] = 1",
        "        A.B[1].C = 2",
        "        A.D = [3, 4]",
        "        note: t [n, p]",
    ]
    text = list(message_lines(response, tables=({"undecoded": "why"},)))
    assert text[4:] == ["        not decoded: why"]


@pytest.mark.parametrize(
    ("time_ns", "text"),
    [
        (0, "1970-01-01 00:00:00.000000Z"),
        (1_700_000_000_123_456_000, "2023-11-14 22:13:20.123456Z"),
        (1_700_000_000_123_456_789, "2023-11-14 22:13:20.123456789Z"),
        ((1 << 64) * 10**9, "18446744073709551616.000000000"),
    ],
)
def test_times(time_ns: int, text: str) -> None:
    assert time_text(time_ns) == text


def test_a_finding_as_a_line() -> None:
    assert finding_line(Finding("error", "c", "p", 3, "t")) == "error: t [c, p at octet 3]"
    assert finding_line(Finding("note", "c", "p", None, "t")) == "note: t [c, p]"


def test_the_summary_counts_all() -> None:
    talk = Conversation()
    talk.read(1, b"\1")
    talk.read(1, b"\1", key=None)
    talk.send([tables.ReadResponse(TableData(b"\1"))], called=HEAD_END, calling=METER, answers=77)
    decoder = talk.decoder()
    assert len(list(decoder)) == 5
    assert summary(decoder.counters) == (
        "5 messages: 3 verified, 2 in cleartext; 1 response whose request was not seen"
    )
    decoder = talk.decoder(None)
    assert len(list(decoder)) == 5
    assert "3 not checked: no key or session" in summary(decoder.counters)
    decoder = talk.decoder(Key(2, bytes(16)))
    assert len(list(decoder)) == 5
    assert "3 with a wrong MAC" in summary(decoder.counters)
    assert summary(read()[1].counters) == "0 messages"
