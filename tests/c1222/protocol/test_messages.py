import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import c1222
from c1222 import ApTitle, DecodeError, EncodeError, Key, KeyStore, Message
from c1222.message.acse import decode_acse
from c1222.message.epsem import ResponseControl, SecurityMode
from c1222.protocol.opening import open_message
from c1222.security.sealing import SessionSecurity, Verdict
from c1222.services import UnpairedResponse, session, tables
from c1222.services.malformed import MalformedService

ROOT = Path(__file__).parents[3]
PUBLISHED = json.loads((ROOT / "specs/vectors/messages.json").read_text("utf-8"))["messages"]
WHOLE = [entry for entry in PUBLISHED if "octets" in entry]
KEY = Key(2, bytes.fromhex("01020304050607080102030405060708"))
EXAMPLE = {entry["id"]: entry for entry in WHOLE}


def keys(entry: dict[str, Any]) -> dict[int, bytes]:
    return {} if entry.get("key") is None else {entry.get("key_id", 2): bytes.fromhex(entry["key"])}


def session_of(entry: dict[str, Any]) -> SessionSecurity | None:
    if entry.get("key") is None or entry.get("authentication_value", True):
        return None
    return SessionSecurity(entry["key_id"], bytes.fromhex(entry["iv"]))


@pytest.mark.parametrize("entry", WHOLE, ids=lambda entry: entry["id"])
def test_published_messages_decode_and_encode(entry: dict[str, Any]) -> None:
    octets = bytes.fromhex(entry["octets"])
    message = c1222.decode(octets, keys=keys(entry), session=session_of(entry))
    if "called" in entry:
        assert str(message.called) == entry["called"]
        assert str(message.calling) == entry["calling"]
        assert message.calling_invocation_id == entry["calling_invocation_id"]
        assert message.called_invocation_id == entry["called_invocation_id"]
        assert message.security_mode == entry["mode"]
        assert message.authenticated is (True if entry["mode"] else None)
        assert [octets.hex() for octets in message.service_octets] == entry["services"]
        assert message.ed_class == (bytes.fromhex(entry["ed_class"]) if entry["ed_class"] else None)
        assert message.response_control == entry["response_control"]
        if entry["key_id"] is not None:
            assert (message.key_id, message.iv) == (entry["key_id"], bytes.fromhex(entry["iv"]))
    assert c1222.encode(message, keys=keys(entry), session=session_of(entry)) == octets


@pytest.mark.parametrize("entry", WHOLE, ids=lambda entry: entry["id"])
def test_made_from_its_parts_a_message_has_the_same_octets(entry: dict[str, Any]) -> None:
    message = c1222.decode(bytes.fromhex(entry["octets"]), keys=keys(entry), session=session_of(entry))
    parts = {name: getattr(message, name) for name in (*Message.PARTS, "services")}
    assert c1222.encode(Message(**parts), keys=keys(entry), session=session_of(entry)).hex() == entry["octets"]


def example(name: str = "std-ex8-req") -> bytes:
    return bytes.fromhex(EXAMPLE[name]["octets"])


def test_a_response_is_read_with_its_request() -> None:
    request = c1222.decode(example(), keys=KEY)
    alone = c1222.decode(example("std-ex8-rsp"), keys=KEY)
    assert isinstance(alone.services[0], UnpairedResponse)
    response = c1222.decode(example("std-ex8-rsp"), keys=KEY, request=request)
    (read,) = response.services
    assert isinstance(read, tables.ReadOffsetResponse)
    assert read.data == b"MANUFACTURER SN "
    assert response.asked == request.services
    assert [finding.code for finding in alone.findings] != [finding.code for finding in response.findings]
    alone.asked_body = request.request_body
    assert (alone.services, alone.findings) == (response.services, response.findings)


def test_a_request_made_from_its_parts_serves_too() -> None:
    request = Message(
        called=ApTitle(".123.8437"),
        calling=ApTitle(".123.4"),
        calling_invocation_id=3,
        services=[tables.ReadOffsetRequest(table=1, offset=16, count=16)],
    )
    (read,) = c1222.decode(example("std-ex8-rsp"), keys=KEY, request=request).services
    assert isinstance(read, tables.ReadOffsetResponse)
    assert read.data == b"MANUFACTURER SN "


def test_a_session_message_takes_what_an_earlier_message_said() -> None:
    opening = c1222.decode(example(), keys=KEY)
    message = c1222.decode(example("gen-session-no-ac"), keys=KEY, session=opening)
    assert message.authenticated is True
    assert not message.carries_authentication
    assert message.session_security is None
    assert opening.session_security == SessionSecurity(2, bytes.fromhex("48f3d061"))
    assert c1222.decode(example("gen-session-no-ac"), keys=KEY).verdict is Verdict.NO_SESSION


def test_a_wrong_mac_gives_no_services_and_no_exception() -> None:
    octets = bytearray(example())
    octets[-1] ^= 1
    message = c1222.decode(octets, keys=KEY)
    assert message.authenticated is False
    assert message.services == ()
    assert message.body == b""
    assert [finding.level for finding in message.findings] == ["error"]


def test_wrong_key_missing_key_and_damage_are_three_findings() -> None:
    damaged = bytearray(example())
    damaged[-3] ^= 0x10
    wrong = c1222.decode(example(), keys={2: bytes(16)})
    missing = c1222.decode(example(), keys={3: KEY.octets})
    broken = c1222.decode(damaged, keys=KEY)
    codes = [message.findings[0].code for message in (wrong, missing, broken)]
    assert codes == ["wrong-key", "no-key", "damaged"]
    assert len({message.findings[0].text for message in (wrong, missing, broken)}) == 3


def test_cleartext_is_not_authenticated() -> None:
    assert c1222.decode(example("gen-plain-read"), keys=KEY).authenticated is None


def test_findings_have_their_place_in_the_message() -> None:
    message = Message(
        called=ApTitle(".1"),
        calling=ApTitle(".2"),
        calling_invocation_id=1,
        services=[tables.ReadRequest(table=1), tables.ReadRequest(table=1, trailing=b"\xaa")],
    )
    octets = c1222.encode(message)
    (finding,) = c1222.decode(octets).findings
    assert finding.path.startswith("epsem.services[1].")
    assert finding.offset is not None
    assert octets[finding.offset] == 0xAA


def test_a_malformed_service_is_an_error_with_its_place() -> None:
    octets = c1222.encode(
        Message(
            called=ApTitle(".1"), calling=ApTitle(".2"), calling_invocation_id=1, services=[tables.ReadRequest(table=1)]
        )
    )
    cut = octets.replace(bytes.fromhex("03300001"), bytes.fromhex("02300000"))
    with pytest.raises(DecodeError) as caught:
        c1222.decode(cut)
    assert caught.value.path == "epsem.services[0].read.table"
    lenient = open_message(Message, decode_acse(cut), KeyStore())
    (service,) = lenient.services
    assert isinstance(service, MalformedService)
    assert (service.kind, service.service, service.code) == ("request", "read", 0x30)
    assert service.encode() == bytes.fromhex("3000")
    assert service.as_dict() == {"code": 0x30, "service": "read", "kind": "request", "malformed": True, "octets": "00"}
    assert [finding.code for finding in lenient.findings if finding.level == "error"] == ["malformed-service"]


def test_a_malformed_security_service_conceals_its_octets() -> None:
    service = MalformedService(b"\x51SECRETPASSWORD")
    assert "SECRET" not in repr(service)
    assert b"SECRET".hex() not in json.dumps(service.as_dict())
    assert service.as_dict(show_secrets=True)["octets"] == b"SECRETPASSWORD".hex()


def test_an_epsem_length_past_the_end_is_an_error() -> None:
    octets = example("gen-plain-read").replace(bytes.fromhex("03300001"), bytes.fromhex("09300001"))
    with pytest.raises(DecodeError) as caught:
        c1222.decode(octets)
    assert caught.value.offset == len(octets) - 3


def test_a_control_octet_without_its_bit_7_is_an_error_in_its_place() -> None:
    octets = example("gen-plain-read").replace(bytes.fromhex("8003300001"), bytes.fromhex("0003300001"))
    with pytest.raises(DecodeError) as caught:
        c1222.decode(octets)
    assert (caught.value.path, caught.value.offset) == ("epsem.control", len(octets) - 5)


def test_encoding_says_what_is_missing() -> None:
    message = Message(
        called=ApTitle(".1"),
        calling=ApTitle(".2"),
        calling_invocation_id=1,
        services=[],
        security_mode=SecurityMode.CIPHERTEXT_AUTHENTICATION,
    )
    with pytest.raises(EncodeError, match="key id"):
        c1222.encode(message, keys=KEY)
    message.key_id, message.iv = 9, bytes(4)
    with pytest.raises(c1222.UnknownKey):
        c1222.encode(message, keys=KEY)


def test_no_secret_in_any_text() -> None:
    message = c1222.decode(example(), keys=KEY)
    assert isinstance(message.services[0], session.SecurityRequest)
    for text in (repr(message), repr(message.services), repr(message.opened), repr(message.key)):
        assert "PASSWORD" not in text
        assert KEY.octets.hex() not in text


def test_an_unknown_attribute_is_one() -> None:
    message = c1222.decode(example(), keys=KEY)
    with pytest.raises(AttributeError):
        message.nothing  # noqa: B018
    made = Message(called=None, calling=None, calling_invocation_id=1, services=[])
    with pytest.raises(AttributeError):
        made.nothing  # noqa: B018
    with pytest.raises(c1222.StateError):
        made.opened  # noqa: B018


TITLES = st.sampled_from([".1.2", "1.3.6.1.4.1.33507.5", ".123.99999.0", "2.16.124.113620.1.22.0.5"]).map(ApTitle)


@settings(max_examples=100, deadline=None)
@given(
    called=TITLES,
    calling=TITLES,
    mode=st.sampled_from(
        [SecurityMode.CLEARTEXT, SecurityMode.CLEARTEXT_AUTHENTICATION, SecurityMode.CIPHERTEXT_AUTHENTICATION]
    ),
    number=st.integers(0, 2**31 - 1),
    answers=st.none() | st.integers(0, 2**31 - 1),
    control=st.sampled_from(list(ResponseControl)),
    ed_class=st.none() | st.binary(min_size=4, max_size=4),
    tables_read=st.lists(st.integers(0, 0xFFFF), max_size=5),
    in_session=st.booleans(),
)
def test_round_trip(
    called: ApTitle,
    calling: ApTitle,
    mode: SecurityMode,
    number: int,
    answers: int | None,
    control: ResponseControl,
    ed_class: bytes | None,
    tables_read: list[int],
    in_session: bool,
) -> None:
    secured = mode is not SecurityMode.CLEARTEXT
    message = Message(
        called=called,
        calling=calling,
        calling_invocation_id=number,
        called_invocation_id=answers,
        services=[tables.ReadRequest(table=table) for table in tables_read],
        security_mode=mode,
        response_control=control,
        ed_class=ed_class,
        key_id=2 if secured else None,
        iv=b"\x48\xf3\xd0\x61" if secured else None,
        carries_authentication=secured and not in_session,
    )
    octets = c1222.encode(message, keys=KEY)
    back = c1222.decode(octets, keys=KEY, session=SessionSecurity(2, b"\x48\xf3\xd0\x61"))
    for part in (*Message.PARTS, "services"):
        assert getattr(back, part) == getattr(message, part), part
    assert back.authenticated is (True if secured else None)
