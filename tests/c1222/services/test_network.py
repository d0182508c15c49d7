import pytest

from c1222.errors import EncodeError
from c1222.message.aptitle import ApTitle
from c1222.services import decode_request, decode_response
from c1222.services.network import (
    ConnectionType,
    DeregisterRequest,
    DeregisterResponse,
    NodeType,
    RegisterRequest,
    RegisterResponse,
    RegistrationInfo,
    ResolveRequest,
    TraceRequest,
    TraceResponse,
)
from tests.c1222.services.examples import HOST, METER, REGISTER


@pytest.mark.parametrize(
    ("title", "relative"), [("06 0A 607C86F75401160 07B04", False), ("80 02 7B04", True), ("0D 02 7B04", True)]
)
def test_every_tag_of_a_title(title: str, relative: bool) -> None:
    octets = bytes.fromhex("25" + title.replace(" ", ""))
    decoded = decode_request(octets)
    assert isinstance(decoded, ResolveRequest)
    assert decoded.ap_title == HOST
    assert decoded.ap_title.is_relative is relative
    assert decoded.encode() == octets
    assert decoded.findings == ()


def test_the_tag_is_a_choice_of_the_sender() -> None:
    assert ResolveRequest(HOST).encode() == bytes.fromhex("2580027B04")
    assert ResolveRequest(HOST, relative_tag=0x0D).encode() == bytes.fromhex("250D027B04")
    assert DeregisterResponse(HOST, relative_tag=0x0D).encode() == bytes.fromhex("000D027B04")
    assert DeregisterResponse(relative_tag=0x0D).encode() == b"\x00"
    assert TraceResponse((HOST, METER), relative_tag=0x0D).encode() == bytes.fromhex("000D027B040D037BC175")
    assert ResolveRequest(HOST) == ResolveRequest(HOST, relative_tag=0x0D)
    with pytest.raises(EncodeError):
        ResolveRequest(HOST, relative_tag=0x06)


def test_titles_tagged_in_both_ways_keep_their_meaning() -> None:
    decoded = decode_request(bytes.fromhex("26 0D027B04 80037BC175"))
    assert decoded == TraceRequest((HOST, METER))
    assert decoded.findings == ()


def test_deregister_answer_with_and_without_title() -> None:
    request = DeregisterRequest(METER)
    assert decode_response(b"\x00", request) == DeregisterResponse(None)
    assert decode_response(bytes.fromhex("0080037BC175"), request) == DeregisterResponse(METER)
    odd = decode_response(bytes.fromhex("0007AA"), request)
    assert isinstance(odd, DeregisterResponse)
    assert odd.ap_title is None
    assert odd.trailing == b"\x07\xaa"
    assert odd.findings


def test_register_without_a_title_yet() -> None:
    for empty in ("0D00", "8000"):
        decoded = decode_request(bytes.fromhex(f"27 20 10 49545231 {empty} 06092B0601040182856307 00 FFFFFF"))
        assert isinstance(decoded, RegisterRequest)
        assert decoded.ap_title.is_empty
        assert decoded.period == 0xFFFFFF
        assert decoded.encode().hex().upper().startswith(f"27201049545231{empty}")


def test_register_in_json() -> None:
    assert REGISTER.as_dict() == {
        "code": 0x27,
        "service": "register",
        "kind": "request",
        "node_type": ["end-device"],
        "connection_type": ["connectionless"],
        "device_class": "49545231",
        "ap_title": ".",
        "serial_number": "1.3.6.1.4.1.33507.7",
        "native_address": "c0a800010481",
        "period": 86400,
        "pattern": None,
    }


def test_pattern_and_its_bit_go_together() -> None:
    for changes in ({"pattern": b"x"}, {"node_type": NodeType.DOMAIN_PATTERN}):
        with pytest.raises(EncodeError, match="go together"):
            REGISTER.replace(**changes)
    both = REGISTER.replace(node_type=NodeType.HOST | NodeType.DOMAIN_PATTERN, pattern=b"ab")
    assert both.encode().endswith(b"\x02ab")
    assert decode_request(both.encode()).findings == ()


def test_pattern_against_its_bit_is_told() -> None:
    octets = REGISTER.encode()
    unannounced = decode_request(octets + b"\x02ab")
    assert isinstance(unannounced, RegisterRequest)
    assert unannounced.pattern == b"ab"
    missing = decode_request(octets[:1] + b"\xa0" + octets[2:])
    assert isinstance(missing, RegisterRequest)
    assert missing.pattern is None
    for odd in (unannounced, missing):
        assert [finding.code for finding in odd.findings] == ["pattern-flag"]
    cut = decode_request(octets[:1] + b"\xa0" + octets[2:] + b"\x09ab")
    assert {finding.code for finding in cut.findings} == {"pattern-flag", "trailing-octets"}
    assert cut.encode() == octets[:1] + b"\xa0" + octets[2:] + b"\x09ab"


@pytest.mark.parametrize("flags", [NodeType, ConnectionType, RegistrationInfo])
def test_all_eight_bits_have_a_name(flags: type) -> None:
    assert sorted(flag.value for flag in flags) == [1 << bit for bit in range(8)]


def test_bits() -> None:
    assert [NodeType(1 << bit).name for bit in (0, 1, 2, 3, 4, 5, 7)] == [
        "RELAY", "MASTER_RELAY", "HOST", "NOTIFICATION_HOST", "AUTHENTICATION_HOST", "END_DEVICE", "DOMAIN_PATTERN",
    ]  # fmt: skip
    assert [ConnectionType(1 << bit).name for bit in (0, 1, 2, 4, 5, 6, 7)] == [
        "BROADCAST_AND_MULTICAST", "ACCEPTANCE_WINDOW", "PLAYBACK_REJECTION", "CONNECTIONLESS",
        "ACCEPTS_CONNECTIONLESS", "CONNECTION", "ACCEPTS_CONNECTIONS",
    ]  # fmt: skip
    assert [RegistrationInfo(1 << bit).name for bit in (0, 1, 2, 4, 5, 6, 7)] == [
        "DIRECT_MESSAGING", "ACCEPTANCE_WINDOW", "PLAYBACK_REJECTION", "CONNECTIONLESS",
        "ACCEPT_CONNECTIONLESS", "CONNECTION", "ACCEPT_CONNECTIONS",
    ]  # fmt: skip
    response = RegisterResponse(METER, 60, 86400, RegistrationInfo(0x41))
    assert response.as_dict()["info"] == ["direct-messaging", "connection"]
    assert RegisterResponse(METER, 60, 86400, 0x41).info is RegistrationInfo(0x41)  # type: ignore[arg-type]


def test_wrong_types() -> None:
    with pytest.raises(TypeError):
        ResolveRequest(".123.4")  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        TraceRequest((".123.4",))  # type: ignore[arg-type]
    with pytest.raises(EncodeError):
        REGISTER.replace(native_address=bytes(256))
    with pytest.raises(EncodeError):
        REGISTER.replace(device_class=b"ABC")
    assert TraceRequest([HOST]).ap_titles == (ApTitle(".123.4"),)  # type: ignore[arg-type]
