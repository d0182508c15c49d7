import pytest

from c1222.errors import DecodeError, EncodeError
from c1222.message.aptitle import ApTitle
from c1222.services import decode_response
from c1222.services.identify import (
    FEATURES,
    AuthenticationFeature,
    AuthenticationTicket,
    DeviceClass,
    DeviceIdentity,
    Feature,
    IdentifyRequest,
    IdentifyResponse,
    SecurityMechanism,
    SessionControl,
    UnknownFeature,
)


def read(octets: str) -> IdentifyResponse:
    decoded = decode_response(bytes.fromhex(octets), IdentifyRequest())
    assert isinstance(decoded, IdentifyResponse)
    return decoded


@pytest.mark.parametrize(
    ("octets", "feature", "shown"),
    [
        ("01 01 00", AuthenticationFeature(1, 0), {"feature": "authentication", "kind": 1, "algorithm": 0}),
        (
            "02 01 FF 08 0102030405060708",
            AuthenticationTicket(1, 0xFF, bytes(range(1, 9))),
            {"feature": "authentication-ticket", "kind": 1, "algorithm": 255, "ticket": "0102030405060708"},
        ),
        (
            "04 0609 607C86F75401160201",
            SecurityMechanism(ApTitle("2.16.124.113620.1.22.2.1")),
            {"feature": "security-mechanism", "oid": "2.16.124.113620.1.22.2.1"},
        ),
        ("05 83", SessionControl(0x83), {"feature": "session-control", "sessions": 3, "sessionless": True}),
        ("05 01", SessionControl(0x01), {"feature": "session-control", "sessions": 1, "sessionless": False}),
        (
            "06 0D04 49545231",
            DeviceClass.of(b"ITR1"),
            {"feature": "device-class", "uid": "0d49545231", "device_class": "49545231"},
        ),
        (
            "06 8004 FFFFFFFF",
            DeviceClass(b"\x80\xff\xff\xff\xff"),
            {"feature": "device-class", "uid": "80ffffffff", "device_class": "ffffffff"},
        ),
        (
            "07 04 01 414220",
            DeviceIdentity(b"\x01AB "),
            {"feature": "device-identity", "char_format": 1, "identity": "AB"},
        ),
        ("07 00", DeviceIdentity(b""), {"feature": "device-identity", "char_format": None, "identity": ""}),
    ],
)
def test_every_feature(octets: str, feature: Feature, shown: dict[str, object]) -> None:
    decoded = read(f"00 03 01 00 {octets} 00")
    assert decoded.features == (feature,)
    assert decoded.as_dict()["features"] == [shown]
    assert decoded.encode() == bytes.fromhex(f"00 03 01 00 {octets} 00")
    assert decoded.findings == ()


def test_known_features() -> None:
    assert set(FEATURES) == {1, 2, 4, 5, 6, 7}


def test_feature_may_come_twice() -> None:
    assert len(read("00 03 01 00 0501 0502 00").features) == 2


def test_unknown_feature_takes_the_rest_and_is_told() -> None:
    decoded = read("00 03 01 00 0580 63 01 02 00")
    assert decoded.features == (SessionControl(0x80), UnknownFeature(bytes.fromhex("63010200")))
    assert decoded.encode() == bytes.fromhex("00 03 01 00 0580 63 01 02 00")
    (finding,) = decoded.findings
    assert finding[:4] == ("warning", "unknown-feature", "identify.features.1", 6)
    assert decoded.as_dict()["features"][1] == {"feature": "unknown", "octets": "63010200"}


def test_octets_after_the_list_are_told() -> None:
    decoded = read("00 00 01 00 00 FF")
    assert decoded.trailing == b"\xff"
    assert [finding.code for finding in decoded.findings] == ["trailing-octets"]


@pytest.mark.parametrize(
    ("octets", "path", "offset"),
    [
        ("00 03 01", "identify.revision", 3),
        ("00 03 01 00", "identify.features", 4),
        ("00 03 01 00 0580", "identify.features", 6),
        ("00 03 01 00 05", "identify.features.0.control", 5),
        ("00 03 01 00 0580 04 0D0101 00", "identify.features.1.oid.tag", 7),
        ("00 03 01 00 06 070101 00", "identify.features.0.uid.tag", 5),
        ("00 03 01 00 06 0D05 00", "identify.features.0.uid.length", 7),
        ("00 03 01 00 06", "identify.features.0.uid", 5),
        ("00 03 01 00 07 05 01", "identify.features.0.identity.length", 5),
    ],
)
def test_where_a_list_is_wrong(octets: str, path: str, offset: int) -> None:
    with pytest.raises(DecodeError) as caught:
        read(octets)
    assert (caught.value.path, caught.value.offset) == (path, offset)


def test_parts() -> None:
    control = SessionControl.of(127, sessionless=False)
    assert (control.control, control.sessions, control.sessionless) == (127, 127, False)
    identity = DeviceIdentity.of("AB", size=4)
    assert (identity.identity, identity.text, identity.char_format) == (b"\x01AB  ", "AB", 1)
    assert DeviceClass.of(b"ITR1").content == b"ITR1"
    names = [IdentifyResponse(code, 1, 0).standard_name for code in (0, 1, 2, 3, 9)]
    assert names == ["C12.18", "reserved", "C12.21", "C12.22", "unknown"]


def test_what_has_no_octets() -> None:
    for make in (
        lambda: SessionControl.of(128, sessionless=True),
        lambda: DeviceIdentity.of("x" * 255),
        lambda: DeviceClass(b"\x07abc"),
        lambda: SecurityMechanism(ApTitle(".1.2")),
        lambda: IdentifyResponse(3, 1, 0, (UnknownFeature(b"\x05\x01"),)),
        lambda: IdentifyResponse(3, 1, 0, (UnknownFeature(b""),)),
        lambda: IdentifyResponse(3, 1, 0, (UnknownFeature(b"\x63"), SessionControl(1))),
    ):
        with pytest.raises(EncodeError):
            make()
    for wrong in (lambda: SecurityMechanism("1.2"), lambda: DeviceClass("x"), lambda: IdentifyResponse(3, 1, 0, (5,))):
        with pytest.raises(TypeError):
            wrong()
