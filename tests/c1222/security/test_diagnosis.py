"""What is said of a MAC that is wrong: wrong key, damaged message, or a peer that reads the standard otherwise."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from c1222.errors import Finding
from c1222.message.acse import Acse, decode_acse
from c1222.message.aptitle import DEFAULT_BASE, ApTitle
from c1222.message.ber import tlv
from c1222.message.epsem import Control, SecurityMode
from c1222.security import Key, KeyStore, diagnosis
from c1222.security.canonical import canonical_header, other_prefix
from c1222.security.sealing import SessionSecurity, Verdict, open_apdu, seal
from tests.c1222.security import reference

SPECS = Path(__file__).parents[3] / "specs/vectors"
OCTETS = bytes.fromhex("01020304050607080102030405060708")
KEY, IV = Key(2, OCTETS), bytes.fromhex("48f3d061")
CALLED, CALLING = ApTitle(".123.8437"), ApTitle(".123.4")
BODY = bytes.fromhex("033000010330000203300003")
SECRET, CLEAR = (
    Control(mode) for mode in (SecurityMode.CIPHERTEXT_AUTHENTICATION, SecurityMode.CLEARTEXT_AUTHENTICATION)
)
both_modes = pytest.mark.parametrize("control", [SECRET, CLEAR], ids=["secret", "clear"])


def message(control: Control = SECRET, key: Key = KEY, body: bytes = BODY, **fields: Any) -> bytes:
    return seal(
        {"called": CALLED, "calling": CALLING, "calling_invocation_id": 3, **fields},
        key,
        iv=IV,
        control=control,
        body=body,
    )


def said(octets: bytes, keys: KeyStore | Key = KEY, **options: Any) -> Finding:
    result = open_apdu(decode_acse(octets), KeyStore.of(keys), diagnose=True, **options)
    assert result.verdict is Verdict.WRONG_MAC
    assert result.authenticated is False
    assert result.body is None
    (finding,) = result.findings
    assert (finding.level, finding.path) == ("error", "acse.user-information")
    assert finding.offset == len(octets) - 4
    assert OCTETS.hex() not in finding.text
    return finding


def flip(octets: bytes, place: int, bit: int = 1) -> bytes:
    changed = bytearray(octets)
    changed[place] ^= bit
    return bytes(changed)


def test_printed_erratum_is_recognised() -> None:
    vectors = json.loads((SPECS / "eax-prime.json").read_text("utf-8"))["vectors"]
    (erratum,) = (v for v in vectors if v["origin"] == "erratum")
    messages = json.loads((SPECS / "messages.json").read_text("utf-8"))["messages"]
    (right,) = (m for m in messages if m.get("header") == erratum["header"] and m["id"] == "eaxp-2011-2-msg")
    octets = bytes.fromhex(right["octets"])[:-20] + bytes.fromhex(erratum["ciphertext"] + erratum["mac"])
    finding = said(octets)
    assert finding.code == "deviating-peer"
    assert "peer uses the uncorrected 2008 printing" in finding.text


@both_modes
def test_uncorrected_printing_in_both_modes(control: Control) -> None:
    octets = message(control)
    finding = said(octets[:-4] + octets[-4:][::-1])
    assert finding.code == "deviating-peer"
    assert "uncorrected 2008 printing" in finding.text


def ordinary_double(block: bytes) -> bytes:
    number = int.from_bytes(block, "big") << 1
    return (number ^ ((1 << 128 | 0x87) if number >> 128 else 0)).to_bytes(16, "big")


@both_modes
def test_ordinary_doubling(control: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference, "double", ordinary_double)
    finding = said(resealed(message(control), control))
    assert finding.code == "deviating-peer"
    assert "doubles the subkeys as CMAC does" in finding.text


def resealed(
    octets: bytes, control: Control, change: Callable[[Acse, bytes], bytes] = lambda _, header: header
) -> bytes:
    """The same message, sealed by the oracle over a header that some peer makes."""
    acse = decode_acse(octets)
    header = change(acse, canonical_header(acse, key_id=2, iv=IV))
    if control is CLEAR:
        return octets[:-4] + reference.raw_mac(OCTETS, header + BODY)
    raw = reference.raw_encrypt(OCTETS, header, BODY)
    return octets[: -len(BODY) - 4] + raw.ciphertext + raw.mac


@both_modes
def test_titles_left_relative(control: Control) -> None:
    def as_sent(acse: Acse, header: bytes) -> bytes:
        for tag, title in ((0xA2, CALLED), (0xA6, CALLING)):
            header = header.replace(tlv(tag, title.absolute().tlv()), tlv(tag, title.tlv()))
        return header

    finding = said(resealed(message(control), control, as_sent))
    assert finding.code == "deviating-peer"
    assert "does not make titles absolute" in finding.text


@both_modes
def test_context_without_the_arc_0(control: Control) -> None:
    context = "2.16.124.113620.1.22"

    def without(acse: Acse, header: bytes) -> bytes:
        for tag, title in ((0xA2, CALLED), (0xA6, CALLING)):
            other = title.absolute(ApTitle(context))
            header = header.replace(tlv(tag, title.absolute().tlv()), tlv(tag, other.tlv()))
        return header

    finding = said(resealed(message(control, application_context=context), control, without))
    assert finding.code == "deviating-peer"
    assert "without the arc 0" in finding.text


@both_modes
def test_a_context_with_the_arc_0_is_read_with_one_and_with_two(control: Control) -> None:
    octets = message(control, application_context=str(DEFAULT_BASE))
    doubled = resealed(octets, control, lambda acse, header: (other_prefix(acse) or b"") + header[-5:])
    assert doubled != octets
    for secured, codes in ((octets, []), (doubled, ["doubled-arc"])):
        opened = open_apdu(decode_acse(secured), KeyStore.of(KEY))
        assert (opened.verdict, opened.body) == (Verdict.VERIFIED, BODY)
        assert [finding.code for finding in opened.findings] == codes
    assert said(flip(octets, -1)).code in {"damaged", "wrong-mac"}


@both_modes
def test_session_without_key_id_and_vector_in_the_header(control: Control) -> None:
    octets = seal(
        {"called": CALLED, "calling": CALLING, "calling_invocation_id": 3},
        KEY,
        iv=IV,
        control=control,
        body=BODY,
        in_session=True,
    )
    finding = said(resealed(octets, control, lambda _, header: header[:-5]), sessions=[SessionSecurity(2, IV)])
    assert finding.code == "deviating-peer"
    assert "leaves key id and vector of the session out" in finding.text


def test_mac_over_the_header_alone() -> None:
    octets = message(CLEAR)
    header = canonical_header(decode_acse(octets), key_id=2, iv=IV)
    finding = said(octets[:-4] + reference.raw_mac(OCTETS, header))
    assert finding.code == "deviating-peer"
    assert "nothing protects it" in finding.text


def test_another_mechanism() -> None:
    finding = said(flip(message(mechanism="1.2.3"), -1))
    assert (finding.code, finding.text[-5:]) == ("unsupported-mechanism", "1.2.3")
    assert said(flip(message(mechanism="2.16.124.113620.1.22.2.1"), -1)).code == "damaged"


@both_modes
def test_another_key_of_the_store(control: Control) -> None:
    wrong = bytes(range(16))
    for store in (
        KeyStore([Key(2, wrong), Key(7, OCTETS)]),
        KeyStore([Key(2, wrong), Key(2, OCTETS, ".9")]),
        KeyStore([Key(2, wrong, ".123.4"), Key(3, OCTETS, ".123.4")]),
    ):
        finding = said(message(control), store)
        assert finding.code == "wrong-key"
        assert "right under key" in finding.text


def test_only_so_many_other_keys_are_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = [Key(2, bytes(range(16))), *(Key(9, bytes([n]) * 16, f".9.{n}") for n in range(20)), Key(9, OCTETS, ".9.99")]
    assert "right under key 9 of .9.99" in said(message(), KeyStore(keys)).text
    monkeypatch.setattr(diagnosis, "MAX_OTHER_KEYS", 20)
    assert "opens the body to noise" in said(message(), KeyStore(keys)).text


def test_wrong_key_damaged_message_and_missing_key_are_three_things() -> None:
    wrong = said(message(), Key(2, bytes(range(16))))
    assert wrong.code == "wrong-key"
    assert "another key" in wrong.text
    for place in (-1, -4, -5, -len(BODY) - 3):  # the MAC, the ciphertext
        damaged = said(flip(message(), place))
        assert damaged.code == "damaged"
        assert "changed" in damaged.text
    missing = open_apdu(decode_acse(message()), KeyStore.of(Key(1, OCTETS)), diagnose=True)
    assert missing.verdict is Verdict.NO_KEY
    assert len({wrong.code, "damaged", missing.findings[0].code}) == 3


def test_a_change_in_the_header_is_damage_only_when_the_key_is_known_to_be_right() -> None:
    octets = flip(message(), 6)  # the called title
    assert said(octets).code == "wrong-key"
    assert "a change in the header looks the same" in said(octets).text
    assert said(octets, proven={KEY}).code == "damaged"
    assert said(octets, proven={Key(2, bytes(16))}).code == "wrong-key"


def test_mode_1_tells_less() -> None:
    assert said(flip(message(CLEAR), -1)).code == "wrong-mac"
    assert said(flip(message(CLEAR), -1), proven=[KEY]).code == "damaged"
    assert said(flip(message(CLEAR), -len(BODY) - 4, 0x40)).code == "damaged"  # the first length


@both_modes
def test_without_a_body_nothing_tells(control: Control) -> None:
    assert said(flip(message(control, body=b""), -1)).code == "wrong-mac"


def test_ed_class_goes_before_the_services() -> None:
    control = Control(SecurityMode.CIPHERTEXT_AUTHENTICATION, ed_class=True)
    assert said(flip(message(control, body=b"\xff\xff\xff\xff" + BODY), -1)).code == "damaged"
    assert said(flip(message(control, body=BODY), -1)).code == "damaged"  # 4 octets of it are taken for the class
    assert said(flip(message(control, body=b"\x01\x20\x01"), -1)).code == "wrong-key"


def test_noise_seldom_looks_like_services() -> None:
    noise = reference.count(OCTETS, bytes(16), bytes(20 * 3000))
    taken = sum(diagnosis._are_services(noise[20 * n : 20 * n + 20], 0x88) for n in range(3000))
    assert taken < 30
    assert diagnosis._are_services(b"\x01\x20", 0x88)
    assert not diagnosis._are_services(b"\x01\x20\0\xff", 0x88)
    assert not diagnosis._are_services(b"\x01\x80", 0x88)
