"""Sealing and opening whole messages: the published ones exactly, and what every other message gets."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from c1222.errors import C1222Error, DecodeError, EncodeError, ShortHeader
from c1222.message.acse import Acse, Authentication, Fields, decode_acse
from c1222.message.aptitle import ApTitle
from c1222.message.ber import tlv
from c1222.message.epsem import Control, ResponseControl, SecurityMode
from c1222.security import Key, KeyStore
from c1222.security.canonical import canonical_header
from c1222.security.sealing import Opened, SessionSecurity, Verdict, open_apdu, seal
from tests.c1222.security import reference

ENTRIES: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[3] / "specs/vectors/messages.json").read_text("utf-8")
)["messages"]
MESSAGES = {entry["id"]: entry for entry in ENTRIES}
SECURED = [entry for entry in ENTRIES if entry.get("header")]
OCTETS = bytes.fromhex("01020304050607080102030405060708")
KEY = Key(2, OCTETS)
IV = bytes.fromhex("48f3d061")
TITLES: Fields = {"called": ApTitle(".123.8437"), "calling": ApTitle(".123.4"), "calling_invocation_id": 3}
SECRET = Control(SecurityMode.CIPHERTEXT_AUTHENTICATION)
CLEAR = Control(SecurityMode.CLEARTEXT_AUTHENTICATION)
BODY = bytes.fromhex("03300001")


def store(entry: dict[str, Any]) -> KeyStore:
    return KeyStore.of({entry["key_id"]: bytes.fromhex(entry["key"])})


def opened(octets: bytes, keys: KeyStore | Key | None = KEY, **options: Any) -> Opened:
    return open_apdu(decode_acse(octets), KeyStore.of(keys), **options)


def example_8() -> bytes:
    return bytes.fromhex(MESSAGES["std-ex8-req"]["octets"])


secured = pytest.mark.parametrize("entry", SECURED, ids=[entry["id"] for entry in SECURED])


@secured
def test_published_messages_open(entry: dict[str, Any]) -> None:
    iv = bytes.fromhex(entry["iv"])
    result = opened(bytes.fromhex(entry["octets"]), store(entry), sessions=[SessionSecurity(entry["key_id"], iv)])
    assert result.verdict is Verdict.VERIFIED
    assert result.authenticated is True
    assert result.body is not None
    assert result.body.hex() == entry["plaintext"]
    assert (result.mode, result.key_id, result.iv) == (entry["mode"], entry["key_id"], iv)
    assert result.key is not None
    assert result.key.octets.hex() == entry["key"]
    assert result.findings == ()


@secured
def test_published_messages_are_sealed_to_the_octet(entry: dict[str, Any]) -> None:
    octets, iv = bytes.fromhex(entry["octets"]), bytes.fromhex(entry["iv"])
    acse = decode_acse(octets)
    fields = acse.fields()
    in_session = fields.pop("authentication", None) is None
    assert in_session == (not entry["authentication_value"])
    (key,) = store(entry)
    control = Control.from_octet(acse.payload[0])
    body = bytes.fromhex(entry["plaintext"])
    assert seal(fields, key, iv=iv, control=control, body=body, in_session=in_session) == octets


def test_example_of_the_paper_from_its_parts() -> None:
    octets = seal(
        {
            "called": ApTitle(".123.2"),
            "calling": ApTitle(".123.273"),
            "calling_ae_qualifier": 4,
            "calling_invocation_id": 2,
        },
        KEY,
        iv=bytes.fromhex("48f3d2f8"),
        control=Control(SecurityMode.CIPHERTEXT_AUTHENTICATION, ResponseControl.NEVER, ed_class=True),
        body=b"TEMP" + bytes.fromhex("0b40000700051a00000200e4"),
    )
    assert octets.hex() == MESSAGES["eaxp-2011-2-msg"]["octets"]


def test_cleartext_is_passed_on() -> None:
    result = opened(bytes.fromhex(MESSAGES["gen-plain-read"]["octets"]), None)
    assert (result.verdict, result.authenticated, result.body) == (Verdict.CLEARTEXT, None, BODY)
    assert result.findings == ()


@pytest.mark.parametrize("control", [SECRET, CLEAR])
def test_every_octet_is_covered(control: Control) -> None:
    octets = seal(TITLES, KEY, iv=IV, control=control, body=BODY)
    assert opened(octets).authenticated is True
    for bit in range(8 * len(octets)):
        changed = bytearray(octets)
        changed[bit // 8] ^= 1 << bit % 8
        try:
            result = opened(bytes(changed), diagnose=True)
        except DecodeError:
            continue
        assert result.authenticated is not True
        if result.verdict is not Verdict.CLEARTEXT:
            assert [finding.level for finding in result.findings] == ["error"]
            assert result.findings[0].text
        if result.authenticated is False:
            assert result.body is None


def test_wrong_mac_without_diagnosis_says_no_more() -> None:
    octets = example_8()
    result = opened(octets[:-1] + b"\0")
    assert (result.verdict, result.authenticated, result.body) == (Verdict.WRONG_MAC, False, None)
    (finding,) = result.findings
    assert (finding.code, finding.offset) == ("wrong-mac", len(octets) - 4)
    assert result.key == KEY


def test_no_key() -> None:
    for keys in (None, Key(1, OCTETS), Key(2, OCTETS, ".9.9")):
        result = opened(example_8(), keys)
        assert (result.verdict, result.authenticated, result.body, result.key) == (Verdict.NO_KEY, None, None, None)
        assert (result.key_id, result.iv) == (2, IV)
        (finding,) = result.findings
        assert (finding.level, finding.code) == ("error", "no-key")
        assert finding.text == "no key with id 2 is known for messages from .123.4 to .123.8437"


def test_no_key_in_mode_1_leaves_the_body_unverified() -> None:
    result = opened(bytes.fromhex(MESSAGES["gen-mode1-read"]["octets"]), None)
    assert (result.verdict, result.authenticated, result.body) == (Verdict.NO_KEY, None, BODY)


def test_session() -> None:
    octets = bytes.fromhex(MESSAGES["gen-session-no-ac"]["octets"])
    result = opened(octets)
    assert (result.verdict, result.authenticated, result.body) == (Verdict.NO_SESSION, None, None)
    assert result.findings[0].code == "no-session"
    right, wrong = SessionSecurity(2, IV), SessionSecurity(2, bytes(4))
    assert opened(octets, sessions=[wrong, right]).iv == IV
    assert opened(octets, sessions=[wrong]).verdict is Verdict.WRONG_MAC
    result = opened(octets, sessions=[SessionSecurity(9, IV)])
    assert (result.verdict, result.key_id) == (Verdict.NO_KEY, 9)


def test_a_session_does_not_help_a_message_that_carries_its_own_values() -> None:
    octets = seal(TITLES, KEY, iv=IV, control=SECRET, body=BODY)
    assert opened(octets, sessions=[SessionSecurity(9, bytes(4))]).key_id == 2


def test_keys_of_the_nodes_are_tried_before_and_after_each_other() -> None:
    octets = seal(TITLES, KEY, iv=IV, control=SECRET, body=BODY)
    called, calling, anyone = Key(2, OCTETS, ".123.8437"), Key(2, OCTETS, ".123.4"), Key(2, OCTETS)
    wrong = [Key(2, bytes([n]) * 16, title) for n, title in enumerate((".123.8437", ".123.4", None))]
    for right, others in ((called, wrong[1:]), (calling, [wrong[0], wrong[2]]), (anyone, wrong[:2])):
        result = opened(octets, KeyStore([right, *others]))
        assert result.authenticated is True
        assert result.key is right
    result = opened(octets, KeyStore(wrong))
    assert (result.verdict, result.key) == (Verdict.WRONG_MAC, wrong[0])


def with_authentication(authentication: str, *, mode: int = 2, written: int | None = None) -> bytes:
    """A message whose authentication value has an unusual form, sealed under key 0 by the oracle."""
    control = bytes((0x80 | mode << 2,))
    user = tlv(0x81, control + BODY + bytes(4))
    elements = [bytes.fromhex(e) for e in ("a20580037bc175", "a60480027b04", "a803020103", authentication)]
    octets = tlv(0x60, b"".join(elements) + tlv(0xBE, tlv(0x28, user)))
    header = canonical_header(decode_acse(octets), key_id=written, iv=IV)
    raw = reference.raw_encrypt(OCTETS, header, BODY)
    return octets[:-8] + raw.ciphertext + raw.mac


@pytest.mark.parametrize(("written", "words"), [(None, "without its octet"), (0, "with the octet 00")])
def test_key_id_left_out_both_readings(written: int | None, words: str) -> None:
    octets = with_authentication("ac0ca20aa008a106810448f3d061", written=written)
    result = opened(octets, Key(0, OCTETS))
    assert (result.verdict, result.key_id, result.body) == (Verdict.VERIFIED, 0, BODY)
    (finding,) = result.findings
    assert (finding.level, finding.code) == ("note", "key-id-omitted")
    assert words in finding.text
    assert opened(octets, Key(0, bytes(16))).verdict is Verdict.WRONG_MAC
    assert opened(octets, Key(1, OCTETS)).verdict is Verdict.NO_KEY


def test_indirect_reference_0_is_part_of_the_header() -> None:
    result = opened(with_authentication("ac12a210020100a00ba109800100810448f3d061", written=0), Key(0, OCTETS))
    assert result.verdict is Verdict.VERIFIED


@pytest.mark.parametrize(
    "authentication",
    [
        "ac07a2058103010203",
        "ac0ba209a007a0058003aabbcc",
        "ac13a211a00fa10d800102810848f3d06148f3d061",
    ],
)
def test_other_authentication_values_are_told(authentication: str) -> None:
    result = opened(with_authentication(authentication))
    assert (result.verdict, result.authenticated) == (Verdict.UNSUPPORTED_AUTHENTICATION, None)
    assert result.findings[0].level == "error"


def plain(user: str, *elements: str) -> bytes:
    return tlv(0x60, b"".join(map(bytes.fromhex, elements)) + tlv(0xBE, tlv(0x28, tlv(0x81, bytes.fromhex(user)))))


AC = "ac0fa20da00ba109800102810448f3d061"


@pytest.mark.parametrize(
    ("octets", "verdict", "authenticated"),
    [
        (plain("", "a803020103", AC), Verdict.MALFORMED, None),
        (plain("88", "a803020103", AC), Verdict.TOO_SHORT, False),
        (plain("88000000", "a803020103", AC), Verdict.TOO_SHORT, False),
        (plain("8400000000", "a803020103", AC), Verdict.WRONG_MAC, False),
        (plain("8c00000000", "a803020103", AC), Verdict.UNSUPPORTED_MODE, None),
        (plain("8800000000", "a303020151", "a803020103"), Verdict.SEGMENT, None),
        (plain("8800000000", "a203800180", "a803020103", AC), Verdict.MALFORMED, None),
        (plain("8800000000", "a803020103", "ac03a20100"), Verdict.MALFORMED, None),
        (tlv(0x60, bytes.fromhex("a803020103be022800")), Verdict.MALFORMED, None),
    ],
)
def test_what_cannot_be_opened_is_told_and_never_raised(
    octets: bytes, verdict: Verdict, authenticated: bool | None
) -> None:
    result = opened(octets)
    assert (result.verdict, result.authenticated, result.body) == (verdict, authenticated, None)
    (finding,) = result.findings
    assert finding.level == "error"
    assert finding.text


@pytest.mark.parametrize("user", ["8400000000", "8800000000"])
def test_forgeable_headers_are_refused_whoever_asks(user: str) -> None:
    # The shortest N a message can have when its invocation id is cut to nothing: 4 + 7 + 5 octets.
    octets = plain(user, "a8020200")
    result = opened(octets, sessions=[SessionSecurity(2, IV)])
    assert (result.verdict, result.authenticated) == (Verdict.SHORT_HEADER, False)
    assert "16 octets" in result.findings[0].text


def test_a_header_of_17_octets_is_the_shortest_that_is_sealed() -> None:
    for control in (SECRET, CLEAR):
        octets = seal({"calling_invocation_id": 1}, KEY, iv=IV, control=control, body=BODY, in_session=True)
        assert len(canonical_header(decode_acse(octets), key_id=2, iv=IV)) == 17
        assert opened(octets, sessions=[SessionSecurity(2, IV)]).body == BODY


@pytest.mark.parametrize("control", [SECRET, CLEAR])
def test_a_shorter_header_is_not_sealed(control: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("c1222.security.sealing.unsealed", lambda *_, **__: (b"", bytes(16)))
    with pytest.raises(ShortHeader):
        seal(TITLES, KEY, iv=IV, control=control, body=bytes(100))


@pytest.mark.parametrize(
    ("fields", "options"),
    [
        ({}, {"control": Control()}),
        ({}, {"control": Control(SecurityMode.RESERVED)}),
        ({}, {"iv": bytes(3)}),
        ({}, {"iv": bytes(8)}),
        ({"called_ae_qualifier": 81}, {}),
        ({"authentication": Authentication("c12.22", 1, IV)}, {}),
        ({"authentication": Authentication("c12.22", None, IV)}, {}),
        ({"authentication": Authentication("c12.22", 2, bytes(4))}, {}),
        ({"authentication": Authentication("opaque", raw=b"")}, {}),
        ({"authentication": Authentication("c12.22", 2, IV)}, {"in_session": True}),
        ({"calling_invocation_id": -1}, {}),
    ],
)
def test_what_is_not_sealed(fields: Any, options: Any) -> None:
    arguments: dict[str, Any] = {"iv": IV, "control": SECRET, "body": BODY, **options}
    with pytest.raises(EncodeError):
        seal({**TITLES, **fields}, KEY, **arguments)


def test_fields_are_not_changed_and_a_given_authentication_value_stays() -> None:
    fields = dict(TITLES)
    first = seal(fields, KEY, iv=IV, control=SECRET, body=BODY)  # type: ignore[arg-type]
    assert fields == TITLES
    again = seal({**TITLES, "authentication": decode_acse(first).authentication}, KEY, iv=IV, control=SECRET, body=BODY)
    assert again == first


titles = st.sampled_from([None, ApTitle(".1.2"), ApTitle("1.3.6.1.4.1.33507.1"), ApTitle(".70000")])


@given(
    st.fixed_dictionaries(
        {
            "called": titles,
            "calling": titles,
            "calling_invocation_id": st.integers(0, 2**32 - 1),
            "called_invocation_id": st.none() | st.integers(0, 2**32 - 1),
            "application_context": st.sampled_from([None, "2.16.124.113620.1.22", "1.2.3"]),
            "mechanism": st.sampled_from([None, "2.16.124.113620.1.22.2.1"]),
        }
    ),
    st.binary(min_size=16, max_size=16),
    st.integers(0, 255),
    st.binary(min_size=4, max_size=4),
    st.sampled_from([SECRET, CLEAR]),
    st.binary(max_size=280),
    st.booleans(),
    st.sampled_from(["2.16.124.113620.1.22.0", "1.3.6.1.4.1.33507"]),
)
@settings(max_examples=100)
def test_what_is_sealed_opens_and_the_oracle_agrees(
    fields: Any, octets: bytes, key_id: int, iv: bytes, control: Control, body: bytes, in_session: bool, base: str
) -> None:
    key = Key(key_id, octets)
    root = ApTitle(base)
    apdu = seal(fields, key, iv=iv, control=control, body=body, in_session=in_session, base=root)
    sessions = [SessionSecurity(key_id, iv)] if in_session else []
    result = open_apdu(decode_acse(apdu), KeyStore([key], base_oid=root), sessions=sessions)
    assert (result.verdict, result.body, result.iv) == (Verdict.VERIFIED, body, iv)
    header = canonical_header(decode_acse(apdu), key_id=key_id, iv=iv, base=root)
    if control.mode is SecurityMode.CLEARTEXT_AUTHENTICATION:
        assert apdu.endswith(body + reference.raw_mac(octets, header + body))
    else:
        raw = reference.raw_encrypt(octets, header, body)
        assert apdu.endswith(raw.ciphertext + raw.mac)


@given(st.sampled_from([bytes.fromhex(entry["octets"]) for entry in SECURED]), st.data())
@settings(max_examples=200)
def test_no_mutation_raises_or_verifies(octets: bytes, data: st.DataObject) -> None:
    changed = bytearray(octets)
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(changed) - 1))
        kind = data.draw(st.sampled_from(["set", "insert", "delete"]))
        if kind == "set":
            changed[place] = data.draw(st.integers(0, 255))
        elif kind == "insert":
            changed.insert(place, data.draw(st.integers(0, 255)))
        elif len(changed) > 1:
            del changed[place]
    try:
        acse = decode_acse(changed)
    except C1222Error:
        return
    keys = KeyStore.of({0: bytes(range(16)), 2: OCTETS})
    result = open_apdu(acse, keys, sessions=[SessionSecurity(2, IV)], diagnose=True)
    if result.authenticated:
        assert acse.octets == octets or acse.findings
    elif result.verdict is not Verdict.CLEARTEXT:
        assert result.findings[0].level == "error"


def test_an_unknown_element_is_a_finding_of_the_apdu_and_the_verdict_stands() -> None:
    acse = decode_acse(seal(TITLES, KEY, iv=IV, control=SECRET, body=BODY))
    octets = tlv(0x60, b"\xaf\x02hi" + acse.octets[2:])
    other = decode_acse(octets)
    assert open_apdu(other, KeyStore.of(KEY)).authenticated is True
    assert [finding.code for finding in other.findings if finding.level == "error"] == ["unknown-element"]


def test_opened_shows_no_key() -> None:
    secret = Key(2, b"SixteenSecretsXX")
    result = opened(seal(TITLES, secret, iv=IV, control=SECRET, body=BODY), secret)
    assert "Secret" not in repr(result)
    assert secret.octets.hex() not in repr(result)


def test_an_apdu_built_elsewhere_opens() -> None:
    # The header is that of the finished APDU: put there by hand, with lengths that are longer than they need be.
    elements = "a2058003 7bc175 a6820004 80027b04 a803020103" + AC
    user = tlv(0x81, bytes((SECRET.octet,)) + BODY + bytes(4))
    acse = decode_acse(tlv(0x60, bytes.fromhex(elements) + tlv(0xBE, tlv(0x28, user))))
    header = canonical_header(acse, key_id=2, iv=IV)
    sealed = acse.with_user_information(bytes((SECRET.octet,)) + KEY.eax.encrypt(header, BODY))
    assert isinstance(sealed, Acse)
    assert opened(sealed.octets).body == BODY
