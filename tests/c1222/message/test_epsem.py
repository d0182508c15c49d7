import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from c1222.errors import DecodeError, EncodeError, LimitExceeded
from c1222.message.ber import encode_length
from c1222.message.epsem import MAX_SERVICES, Control, Epsem, ResponseControl, SecurityMode, split_services
from tests.c1222.message.known import MESSAGES


@pytest.mark.parametrize("entry", MESSAGES, ids=lambda e: e["id"])
def test_published_services(entry: dict[str, Any]) -> None:
    control = 0x80 | entry["mode"] << 2 | entry["response_control"] | (0x10 if entry["ed_class"] else 0)
    octets = bytes((control,)) + bytes.fromhex(entry["plaintext"])
    epsem = Epsem.decode(octets)
    assert [service.hex() for service in epsem.services] == entry["services"]
    assert epsem.mode == entry["mode"]
    assert epsem.response_control == entry["response_control"]
    assert epsem.ed_class == (entry["ed_class"] and bytes.fromhex(entry["ed_class"]))
    assert epsem.findings == ()
    assert epsem.encode() == octets


@pytest.mark.parametrize(
    ("octet", "control"),
    [
        (0x80, Control()),
        (0x82, Control(response_control=ResponseControl.NEVER)),
        (0x81, Control(response_control=ResponseControl.ON_EXCEPTION)),
        (0x84, Control(SecurityMode.CLEARTEXT_AUTHENTICATION)),
        (0x88, Control(SecurityMode.CIPHERTEXT_AUTHENTICATION)),
        (0x90, Control(ed_class=True)),
        (0x9A, Control(SecurityMode.CIPHERTEXT_AUTHENTICATION, ResponseControl.NEVER, ed_class=True)),
        (0xA0, Control(proxy=True)),
        (0xC0, Control(recovery=True)),
    ],
)
def test_control_octet(octet: int, control: Control) -> None:
    assert control.octet == octet
    assert Control.from_octet(octet) == control


def test_a_control_octet_is_one_octet() -> None:
    with pytest.raises(DecodeError, match="bit 7"):
        Control.from_octet(0x100)


def test_every_control_octet() -> None:
    for octet in range(256):
        if octet < 0x80:
            with pytest.raises(DecodeError, match="bit 7") as caught:
                Control.from_octet(octet, offset=26)
            assert (caught.value.path, caught.value.offset) == ("epsem.control", 26)
        else:
            control = Control.from_octet(octet)
            assert control.octet == octet
            codes = [finding.code for finding in control.findings()]
            assert ("reserved-security-mode" in codes) == (octet >> 2 & 3 == 3)
            assert ("reserved-response-control" in codes) == (octet & 3 == 3)


def test_names_in_json() -> None:
    assert [mode.label for mode in SecurityMode] == [
        "cleartext",
        "cleartext-authentication",
        "ciphertext-authentication",
        "reserved",
    ]
    assert [control.label for control in ResponseControl] == ["always", "on-exception", "never", "reserved"]


epsems = st.builds(
    Epsem,
    services=st.lists(st.binary(min_size=1, max_size=20) | st.binary(min_size=126, max_size=300), max_size=5).map(
        tuple
    ),
    mode=st.sampled_from(list(SecurityMode)[:3]),
    response_control=st.sampled_from(list(ResponseControl)[:3]),
    ed_class=st.none() | st.binary(min_size=4, max_size=4),
    proxy=st.booleans(),
    recovery=st.booleans(),
    findings=st.just(()),
)


@given(epsems, st.integers(1, 4))
@settings(max_examples=100)
def test_envelope_comes_back(epsem: Epsem, padding: int) -> None:
    octets = epsem.encode()
    assert Epsem.decode(octets) == epsem
    assert Epsem.decode(octets + bytes(padding)) == epsem  # a length of 0 ends the list
    assert Epsem.decode(octets + b"\0\x7f\xff") == epsem  # whatever follows
    assert octets == bytes((epsem.control.octet,)) + epsem.body


@given(st.binary(max_size=60), st.integers(0, 40))
@settings(max_examples=200)
def test_any_octets_are_services_or_an_error(octets: bytes, offset: int) -> None:
    try:
        epsem = Epsem.decode(octets, offset=offset)
    except DecodeError as error:
        where = error.offset
        epsem = None
    if epsem is None:
        assert offset <= where <= offset + len(octets)
    elif not epsem.findings:
        again = epsem.encode()
        assert Epsem.decode(again) == epsem


def test_reserved_mode_is_not_read_but_said() -> None:
    epsem = Epsem.decode(b"\x8f\x03\x30\x00\x01", offset=40)
    assert epsem.services == ()
    assert [(f.level, f.code, f.offset) for f in epsem.findings] == [
        ("error", "reserved-security-mode", 40),
        ("warning", "reserved-response-control", 40),
    ]


@pytest.mark.parametrize(
    ("octets", "path", "offset"),
    [
        ("", "epsem.control", 10),
        ("00", "epsem.control", 10),
        ("90 544d4d", "epsem.ed-class", 11),
        ("80 03 3000", "epsem.services[0]", 12),
        ("80 01 20 03 3000", "epsem.services[1]", 14),
        ("80 01 20 80 0000", "epsem.services[1]", 13),
        ("80 8103 3000", "epsem.services[0]", 13),
        ("80 82", "epsem.services[0]", 11),
    ],
)
def test_bad_envelopes(octets: str, path: str, offset: int) -> None:
    with pytest.raises(DecodeError) as caught:
        Epsem.decode(bytes.fromhex(octets), offset=10)
    assert (caught.value.path, caught.value.offset) == (path, offset)


def test_services_are_found_in_place() -> None:
    buf = bytes.fromhex("ffff 03300001 810120 820001aa 00 7777 ffff")
    assert split_services(buf, 2, len(buf)) == [(3, 6), (8, 9), (12, 13)]
    assert split_services(buf, 2, 6) == [(3, 6)]
    assert split_services(buf, 2, 2) == []
    with pytest.raises(DecodeError):
        split_services(buf, 2, 5)
    assert split_services(bytearray(buf), 2, 6) == split_services(memoryview(buf), 2, 6) == [(3, 6)]
    assert split_services(bytes.fromhex("8100ff"), 0, 3) == []


def test_services_are_limited() -> None:
    buf = b"\x01\x20" * (MAX_SERVICES + 1)
    assert len(split_services(buf, 2, len(buf))) == MAX_SERVICES
    with pytest.raises(LimitExceeded):
        split_services(buf, 0, len(buf))
    with pytest.raises(LimitExceeded):
        Epsem.decode(b"\x80\x01\x20\x01\x20", max_services=1)
    start = time.process_time()
    with pytest.raises(LimitExceeded):
        split_services(b"\x01\x20" * 32768, 0, 65536)
    assert time.process_time() - start < 30, "milliseconds; minutes if the cost grew with the square"


def test_long_services_have_long_lengths() -> None:
    epsem = Epsem((bytes(200),))
    assert epsem.body == encode_length(200) + bytes(200)


@pytest.mark.parametrize("epsem", [Epsem((b"",)), Epsem((b"\x20",), ed_class=b"AB"), Epsem((), ed_class=b"ABCDE")])
def test_envelopes_without_a_form(epsem: Epsem) -> None:
    with pytest.raises(EncodeError):
        epsem.encode()
