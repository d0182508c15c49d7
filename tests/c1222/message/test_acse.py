import itertools
import subprocess
import sys
import time
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings

from c1222.errors import C1222Error, DecodeError, EncodeError, LimitExceeded
from c1222.message.acse import Acse, Authentication, UserInformation, decode_acse, invocation_ids
from c1222.message.aptitle import ApTitle
from c1222.message.ber import MAX_APDU_OCTETS, encode_length
from tests.c1222.message.known import AUTHENTICATIONS, MESSAGES, OCTETS, SEGMENTED, apdus, around
from tests.fuzz.doors import acse

READ = bytes.fromhex("601da20580037bc175a60480027b04a803020106be09280781058003300001")  # cleartext read of ST-1


def apdu(*elements: str) -> bytes:
    inside = bytes.fromhex("".join(elements))
    return b"\x60" + encode_length(len(inside)) + inside


A2, A6, A8, BE = "a20580037bc175", "a60480027b04", "a803020106", "be09280781058003300001"


def title(text: str | None) -> tuple[str, bool] | None:
    return None if text is None else (text, text.startswith("."))


@pytest.mark.parametrize("entry", MESSAGES, ids=lambda e: e["id"])
def test_published_messages_are_decoded(entry: dict[str, Any]) -> None:
    acse = decode_acse(bytes.fromhex(entry["octets"]))
    assert acse.octets.hex() == entry["octets"]
    assert acse.findings == ()
    assert acse.unknown == ()
    assert not acse.is_segment
    for mine, theirs in ((acse.called, entry["called"]), (acse.calling, entry["calling"])):
        assert (mine and (str(mine), mine.is_relative)) == title(theirs)
    for name in (
        "called_invocation_id",
        "calling_invocation_id",
        "application_context",
        "calling_ae_qualifier",
        "mechanism",
    ):
        assert getattr(acse, name) == entry[name], name
    assert acse.is_response == (entry["called_invocation_id"] is not None)
    if entry["authentication_value"]:
        assert acse.authentication is not None
        assert acse.authentication[:3] == ("c12.22", entry["key_id"], bytes.fromhex(entry["iv"]))
    else:
        assert acse.authentication is None
    mac = 4 if entry["mode"] else 0
    assert len(acse.payload) == 1 + len(entry["plaintext"]) // 2 + mac
    control = 0x80 | entry["mode"] << 2 | entry["response_control"] | (0x10 if entry["ed_class"] else 0)
    assert acse.payload[0] == control
    if entry["mode"] < 2:
        assert acse.payload[1 : len(acse.payload) - mac].hex() == entry["plaintext"]
    assert acse.user_information.indirect_reference is None
    assert acse.head + acse.payload == acse.octets
    # What the canonical header takes from the message is in it, as received.
    if entry["header"]:
        header = bytes.fromhex(entry["header"])
        be = acse.spans[0xBE][0]
        assert acse.octets[be : acse.user_information.start + 1] in header
        for tag in (0xA1, 0xA4, 0xA7, 0xA8, 0x8B, 0xAC):
            if tag in acse.spans:
                start, _, end = acse.spans[tag]
                assert acse.octets[start:end] in header


@pytest.mark.parametrize("octets", OCTETS, ids=lambda o: o.hex()[:40])
def test_rebuilt_from_what_was_decoded(octets: bytes) -> None:
    acse = decode_acse(octets)
    fields = acse.fields()
    again = Acse.build(user_information=acse.payload, **fields)
    assert again.encode() == octets
    assert again == acse
    assert hash(again) == hash(acse)
    if acse.authentication and acse.authentication.form == "c12.22" and not acse.findings:
        fields["authentication"] = acse.authentication._replace(raw=None)
        if octets != around(AUTHENTICATIONS["indirect reference 0"]):
            assert Acse.build(user_information=acse.payload, **fields).octets == octets


@pytest.mark.parametrize("entry", MESSAGES, ids=lambda e: e["id"])
def test_published_messages_are_built_from_their_fields(entry: dict[str, Any]) -> None:
    payload = decode_acse(bytes.fromhex(entry["octets"])).payload
    authentication = None
    if entry["authentication_value"]:
        authentication = Authentication("c12.22", entry["key_id"], bytes.fromhex(entry["iv"]))
    built = Acse.build(
        application_context=entry["application_context"],
        called=ApTitle(entry["called"]),
        called_invocation_id=entry["called_invocation_id"],
        calling=ApTitle(entry["calling"]),
        calling_ae_qualifier=entry["calling_ae_qualifier"],
        calling_invocation_id=entry["calling_invocation_id"],
        mechanism=entry["mechanism"],
        authentication=authentication,
        user_information=bytes(len(payload)),
    )
    assert built.with_user_information(payload).octets.hex() == entry["octets"]


def test_segments_are_decoded() -> None:
    offset = 0
    for text in SEGMENTED["segments"]:
        acse = decode_acse(bytes.fromhex(text))
        assert acse.is_segment
        assert acse.called_ae_qualifier == len(SEGMENTED["octets"]) // 2
        assert acse.user_information.indirect_reference == offset
        assert acse.findings == ()
        offset += len(acse.payload)


def test_spans_are_where_the_elements_are() -> None:
    acse = decode_acse(READ)
    assert acse.spans == {0xA2: (2, 4, 9), 0xA6: (9, 11, 15), 0xA8: (15, 17, 20), 0xBE: (20, 22, 31)}
    assert list(acse.spans) == [0xA2, 0xA6, 0xA8, 0xBE]
    assert acse.span("calling-AP-title") == (9, 11, 15)
    assert acse.span("mechanism-name") is None
    assert acse.user_information == UserInformation(None, 26, 31)


@given(apdus)
@settings(max_examples=100)
def test_whatever_is_built_comes_back(acse: Acse) -> None:
    assert acse.findings == ()
    again = decode_acse(acse.octets)
    assert again.fields() == acse.fields()
    assert Acse.build(user_information=again.payload, **again.fields()).octets == acse.octets
    assert list(acse.spans) == [
        tag for tag in (0xA1, 0xA2, 0xA3, 0xA4, 0xA6, 0xA7, 0xA8, 0x8B, 0xAC, 0xBE) if tag in acse.spans
    ]


@pytest.mark.parametrize("size", [0, 1, 122, 123, 124, 127, 128, 250, 255, 256, 1000, 32000])
def test_lengths_around_the_user_information(size: int) -> None:
    acse = Acse.build(calling_invocation_id=1, user_information=bytes(size))
    assert acse.findings == ()
    assert acse.payload == bytes(size)
    octets = acse.with_user_information(b"\xaa" * size).octets
    assert octets == acse.head + b"\xaa" * size
    assert decode_acse(octets).payload == b"\xaa" * size
    with pytest.raises(EncodeError):
        acse.with_user_information(bytes(size + 1))


@pytest.mark.parametrize(
    ("octets", "value"),
    [
        ("020106", 6),
        ("0201cf", 207),
        ("0204cf000001", 0xCF000001),
        ("020500cf000001", 0xCF000001),
        ("020200ff", 255),
        ("02020006", 6),
        ("020400000007", 7),
        ("0205ffffffffff", (1 << 40) - 1),
    ],
)
def test_integers_are_unsigned_whatever_their_form(octets: str, value: int) -> None:
    acse = decode_acse(apdu(A2, f"a4{len(octets) // 2:02x}{octets}", A6, f"a8{len(octets) // 2:02x}{octets}", BE))
    assert acse.calling_invocation_id == acse.called_invocation_id == value
    assert acse.findings == ()


@pytest.mark.parametrize(
    ("value", "octets"), [(0, "00"), (127, "7f"), (128, "80"), (256, "0100"), (2**32 - 1, "ffffffff")]
)
def test_integers_are_emitted_minimal_and_unsigned(value: int, octets: str) -> None:
    acse = Acse.build(calling_invocation_id=value, user_information=b"\x80")
    assert acse.octets[acse.spans[0xA8][1] + 2 : acse.spans[0xA8][2]].hex() == octets
    assert acse.calling_invocation_id == value


@pytest.mark.parametrize(
    ("name", "form", "key_id", "iv"),
    [
        ("no key id", "c12.22", None, "48f3d061"),
        ("indirect reference 0", "c12.22", 2, "48f3d061"),
        ("direct reference", "c12.22", 2, "48f3d061"),
        ("octet-aligned", "opaque", None, None),
        ("C12.21 identification", "c12.21", None, None),
        ("C12.21 empty response", "c12.21", None, None),
        ("draft, vector of 8", "draft", 2, "48f3d06148f3d061"),
        ("draft, token", "draft", 2, "48f3d061"),
        ("draft, no vector", "draft", 2, None),
    ],
)
def test_forms_of_the_authentication_value(name: str, form: str, key_id: int | None, iv: str | None) -> None:
    acse = decode_acse(around(AUTHENTICATIONS[name]))
    found = acse.authentication
    assert found is not None
    assert found[:3] == (form, key_id, iv and bytes.fromhex(iv))
    assert found.raw is not None
    assert AUTHENTICATIONS[name].endswith(found.raw.hex())
    code = {"direct reference": "direct-reference"}.get(name) or ("draft-authentication" if form == "draft" else None)
    assert [finding.code for finding in acse.findings] == ([code] if code else [])


def test_order_is_free_before_the_user_information_with_a_finding() -> None:
    acse = decode_acse(apdu(A8, A6, A2, BE))
    assert (str(acse.called), str(acse.calling), acse.calling_invocation_id) == (".123.8437", ".123.4", 6)
    assert [(f.level, f.code, f.path, f.offset) for f in acse.findings] == [
        ("warning", "element-order", "acse.calling-AP-title", 7),
        ("warning", "element-order", "acse.called-AP-title", 13),
    ]
    assert list(acse.spans) == [0xA8, 0xA6, 0xA2, 0xBE]


@pytest.mark.parametrize("unknown", ["a9020100", "0000", "bf8101020102", "820180", "ab8100"])
def test_unknown_elements_are_kept_with_an_error_finding(unknown: str) -> None:
    acse = decode_acse(apdu(A2, unknown, A8, BE))
    assert [acse.octets[start:end].hex() for start, _, end in acse.unknown] == [unknown]
    finding = next(f for f in acse.findings if f.code == "unknown-element")
    assert (finding.level, finding.offset) == ("error", 9)
    assert str(acse.called) == ".123.8437"


def test_unknown_elements_are_limited() -> None:
    octets = apdu("8500" * 5, A8, BE)
    assert len(decode_acse(octets, max_unknown=5).unknown) == 5
    with pytest.raises(LimitExceeded):
        decode_acse(octets, max_unknown=4)


@pytest.mark.parametrize(
    ("elements", "path", "offset"),
    [
        (["a2810580037bc175", A8, BE], "acse.called-AP-title", 3),
        (["a206 8081037bc175", A8, BE], "acse.called-AP-title", 5),
        ([A2, "a8820003 020106", BE], "acse.calling-AP-invocation-id", 10),
        ([A2, "a804 02810106", BE], "acse.calling-AP-invocation-id", 12),
        ([A2, A8, "be0a288107 81058003300001"], "acse.user-information", 17),
        ([A2, A8, "be0c280a 8183000005 8003300001"], "acse.user-information.octet-aligned", 19),
        (["ac10 a20ea00ca10a 81 8200 04 00000000", A8, BE], None, None),
        ([A8, "ac11 a20f a00d a10b 8001 01 8182 0004 00000000", BE], "acse.calling-authentication-value.iv", 19),
    ],
)
def test_lengths_that_are_not_minimal_are_taken_with_a_finding(
    elements: list[str], path: str | None, offset: int
) -> None:
    octets = apdu(*elements)
    if path is None:
        with pytest.raises(DecodeError):
            decode_acse(octets).check()
        return
    acse = decode_acse(octets)
    acse.check()
    assert [(f.level, f.code, f.path, f.offset) for f in acse.findings] == [
        ("warning", "non-minimal-length", path, offset)
    ]


def test_outer_length_that_is_not_minimal() -> None:
    for octets in (b"\x60\x81\x1d" + READ[2:], b"\x60\x82\0\x1d" + READ[2:], b"\x60\x84\0\0\0\x1d" + READ[2:]):
        acse = decode_acse(octets)
        assert str(acse.calling) == ".123.4"
        assert [(f.code, f.path, f.offset) for f in acse.findings] == [("non-minimal-length", "acse", 1)]


def test_relative_title_of_the_draft_of_2006() -> None:
    acse = decode_acse(apdu("a2050d037bc175", A8, BE))
    assert acse.called == ApTitle(".123.8437")
    assert [f.code for f in acse.findings] == ["relative-title-tag"]


# What stands between the elements A8 and BE or instead of one of them, and what is said about it.
@pytest.mark.parametrize(
    ("elements", "path", "offset", "word"),
    [
        ([], "acse.calling-AP-invocation-id", 2, "missing"),
        ([A2, BE], "acse.calling-AP-invocation-id", 20, "missing"),
        ([A2, A8], "acse.user-information", 14, "missing"),
        ([A8, A8, BE], "acse.calling-AP-invocation-id", 7, "repeated"),
        ([A8, BE, BE], "acse.user-information", 18, "follows"),
        ([A8, BE, A2], "acse.called-AP-title", 18, "follows"),
        ([A8, BE, "8500"], "acse.85", 18, "follows"),
        (["a27f80037bc175", A8, BE], "acse.called-AP-title", 4, "announced"),
        ([A8, "be80", "280781058003300001", "0000"], "acse.user-information", 8, "indefinite"),
        ([A8, "beff", "280781058003300001"], "acse.user-information", 8, "not accepted"),
        ([A8, "be"], "acse.user-information", 8, "missing"),
        ([A8, "1f8181"], "acse.1F", 7, "does not end"),
        ([A8, "1f8101"], "acse.1F", 10, "missing"),
        ([A8, "be82"], "acse.user-information", 8, "run past"),
    ],
)
def test_malformed_top_level(elements: list[str], path: str, offset: int, word: str) -> None:
    with pytest.raises(DecodeError, match=word) as caught:
        decode_acse(apdu(*elements))
    assert (caught.value.path, caught.value.offset) == (path, offset)


@pytest.mark.parametrize(
    ("elements", "field", "path", "offset", "word"),
    [
        (["a200", A8, BE], "called", "acse.called-AP-title", 4, "missing"),
        (["a206 8003 7bc175 00", A8, BE], "called", "acse.called-AP-title", 9, "left over"),
        (["a205 8003 808175", A8, BE], "called", "acse.called-AP-title", 6, "80"),
        (["a205 8003 7bc1f5", A8, BE], "called", "acse.called-AP-title", 7, "does not end"),
        (["a205 8004 7bc175", A8, BE], "called", "acse.called-AP-title", 6, "announced"),
        (["a1020600", A8, BE], "application_context", "acse.application-context-name", 6, "empty"),
        (["a103060180", A8, BE], "application_context", "acse.application-context-name", 6, "80"),
        ([A8, "8b0180", BE], "mechanism", "acse.mechanism-name", 9, "80"),
        (["a8020206", BE], "calling_invocation_id", "acse.calling-AP-invocation-id", 6, "announced"),
        (["a8020200", BE], "calling_invocation_id", "acse.calling-AP-invocation-id", 6, "0 octets"),
        (["a8080206000000000001", BE], "calling_invocation_id", "acse.calling-AP-invocation-id", 6, "6 octets"),
        (["a803040101", BE], "calling_invocation_id", "acse.calling-AP-invocation-id", 4, "02 is expected"),
        (["a80402010100", BE], "calling_invocation_id", "acse.calling-AP-invocation-id", 7, "left over"),
        ([A8, "ac00", BE], "authentication", "acse.calling-authentication-value", 9, "A2 is missing"),
        ([A8, "ac02a200", BE], "authentication", "acse.calling-authentication-value", 11, "encoding is missing"),
        ([A8, "ac0b a209 020101 a004 a102 8000", BE], "authentication", "acse.calling-authentication-value.key-id", 20, "0 octets"),
        ([A8, "ac12 a210 020101 a00b a109 800102 810448f3d061", BE], "authentication",
         "acse.calling-authentication-value.indirect-reference", 13, "must be 0"),
        ([A8, "ac0d a20b a009 a107 8102 48f3 800102", BE], "authentication",
         "acse.calling-authentication-value.iv", 17, "2 octets"),
        ([A8, "ac0e a20c a00a a108 800102 8103 48f3d0", BE], "authentication",
         "acse.calling-authentication-value.iv", 20, "3 octets"),
        ([A8, "ac0d a20b a009 a107 800102 8502 0000", BE], "authentication",
         "acse.calling-authentication-value.c12-22", 18, "85 is not expected"),
        ([A8, "ac07 a205 a003 a201 00", BE], "authentication",
         "acse.calling-authentication-value.single-ASN1-type", 13, "A2 is not known"),
        ([A8, "be00"], "user_information", "acse.user-information", 9, "28 is missing"),
        ([A8, "be042802 8000"], "user_information", "acse.user-information", 11, "encoding is missing"),
        ([A8, "be0528028100 00"], "user_information", "acse.user-information", 13, "left over"),
        ([A8, "be0528038100 00"], "user_information", "acse.user-information", 13, "not expected"),
        ([A8, "be0428028101"], "user_information", "acse.user-information.octet-aligned", 13, "announced"),
        ([A8, "be0428028180"], "user_information", "acse.user-information.octet-aligned", 12, "indefinite"),
        ([A8, "be0a2808 0206 010203040506"], "user_information", "acse.user-information.indirect-reference", 13, "6 octets"),
    ],
)  # fmt: skip
def test_malformed_inside(elements: list[str], field: str, path: str, offset: int, word: str) -> None:
    acse = decode_acse(apdu(*elements))  # the top level is in order: nothing is looked at before it is asked for
    for _ in range(2):
        with pytest.raises(DecodeError, match=word) as caught:
            getattr(acse, field)
        assert (caught.value.path, caught.value.offset) == (path, offset)
    with pytest.raises(DecodeError):
        acse.check()
    finding = acse.findings[-1]
    assert (finding.level, finding.code, finding.path) == ("error", "malformed", path)
    assert len([f for f in acse.findings if f.code == "malformed"]) == 1


@pytest.mark.parametrize(
    ("octets", "offset"),
    [
        (b"", 0),
        (b"\x61\x00", 0),
        (b"\x60", 1),
        (READ[:-1], 2),
        (READ + b"\0", 31),
        (b"\x60\x80" + READ[2:] + b"\0\0", 1),
    ],
)
def test_not_exactly_one_apdu(octets: bytes, offset: int) -> None:
    with pytest.raises(DecodeError) as caught:
        decode_acse(octets)
    assert (caught.value.path, caught.value.offset) == ("acse", offset)


def test_size_limit() -> None:
    assert decode_acse(READ, max_size=len(READ)).octets == READ
    with pytest.raises(LimitExceeded):
        decode_acse(READ, max_size=len(READ) - 1)


@pytest.mark.parametrize("buf", [bytearray, memoryview])
def test_any_buffer_is_copied(buf: type) -> None:
    acse = decode_acse(buf(READ))
    assert type(acse.octets) is bytes
    assert acse.octets == READ


@pytest.mark.parametrize("octets", OCTETS, ids=lambda o: o.hex()[:40])
def test_every_truncation_and_every_flip_is_an_error_or_a_value(octets: bytes) -> None:
    for end in range(len(octets)):
        with pytest.raises(DecodeError):
            decode_acse(octets[:end])
    for pos, bit in itertools.product(range(len(octets)), (1, 0x20, 0x80)):
        flipped = bytearray(octets)
        flipped[pos] ^= bit
        survive(bytes(flipped))


def survive(octets: bytes) -> None:
    """Only documented errors come out, and findings never raise."""
    with suppress(DecodeError):
        acse(octets)


@pytest.mark.parametrize("octets", [b"\x60\x88" + b"\xff" * 20, b""])
def test_hardly_a_message(octets: bytes) -> None:
    survive(octets)


@pytest.mark.parametrize(
    "octets",
    [
        bytes(65536),
        b"\x60\x83\x00\xff\xfb" + b"\x85\x00" * 32765 + b"\0",
        b"\x60\x82\xff\xfc" + b"\xff" * 65532,
        b"\x60\x82\xff\xfc" + b"\xa2\x82\xff\xf8\x06\x82\xff\xf4" + b"\x81" * 65524,
        b"\x60\x82\xff\xfc" + bytes.fromhex(A8) + b"\xbe\x82\xff\xf3" + b"\x28\x80" * 32761 + b"\0",
        b"\x60\x82\xff\xfc"
        + bytes.fromhex(A8)
        + b"\xa1\x82\xff\xe0\x06\x82\xff\xdc"
        + b"\xff" * 65500
        + bytes.fromhex("be042802810000"),
    ],
    ids=range(6),
)
def test_64_kilobytes_of_anything_end_in_milliseconds(octets: bytes) -> None:
    start = time.process_time()
    for limit in (MAX_APDU_OCTETS, 1 << 20):
        try:
            acse = decode_acse(octets, max_size=limit)
            acse.check()
        except C1222Error:
            pass
    assert time.process_time() - start < 30, "milliseconds; minutes if the cost grew with the square"


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"calling_invocation_id": -1}, "no form"),
        ({"calling_invocation_id": 1 << 40}, "no form"),
        ({}, "mandatory"),
        ({"calling_invocation_id": 1, "application_context": ".1"}, "absolute"),
        ({"calling_invocation_id": 1, "mechanism": "x"}, "no ApTitle"),
        ({"calling_invocation_id": 1, "authentication": Authentication("c12.22", 256, bytes(4))}, "0..255"),
        ({"calling_invocation_id": 1, "authentication": Authentication("c12.22", 1, bytes(3))}, "4 octets"),
        ({"calling_invocation_id": 1, "authentication": Authentication("draft", 1, bytes(8))}, "raw"),
        ({"calling_invocation_id": 1, "indirect_reference": -1}, "no form"),
    ],
)
def test_fields_without_a_form(fields: dict[str, Any], word: str) -> None:
    with pytest.raises(EncodeError, match=word):
        Acse.build(user_information=b"\x80", **fields)


def test_sealing_needs_no_second_walk() -> None:
    """The header is built first, with the size the sealed octets will have; ciphertext and MAC follow."""
    plain = Acse.build(calling_invocation_id=5, user_information=b"\x88" + bytes(8))
    start, _, _ = plain.spans[0xBE]
    assert plain.octets[start : plain.user_information.start + 1].hex() == "be0d280b810988"
    sealed = plain.with_user_information(bytes.fromhex("8830411eee710da864"))
    assert sealed.spans == plain.spans
    assert sealed.payload.hex() == "8830411eee710da864"
    assert plain.payload == b"\x88" + bytes(8)


@pytest.mark.parametrize(("bits", "top"), [(16, 0x7FFF), (32, 0x7FFFFFFF)])
def test_invocation_ids_are_read_alike_by_all(bits: Any, top: int) -> None:
    for start in (None, 0, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0x7FFFFF, 0x7FFFFFFE, 1 << 40, -5):
        values = list(itertools.islice(invocation_ids(start, bits=bits), 300))
        for value in values:
            assert 0 < value <= top
            assert value.to_bytes((value.bit_length() + 7) // 8, "big")[0] < 0x80
        falls = sum(one >= other for one, other in itertools.pairwise(values))
        assert falls <= 1  # only past the end of the range
        assert start is not None or falls == 0
    assert list(itertools.islice(invocation_ids(0x7E, bits=bits), 4)) == [0x7E, 0x7F, 0x100, 0x101]
    assert list(itertools.islice(invocation_ids(top, bits=bits), 2)) == [top, 1]


def test_importing_the_module_loads_no_pyasn1() -> None:
    code = (
        "import sys, c1222.message.acse as m; assert 'pyasn1' not in sys.modules;"
        f"m.decode_acse(bytes.fromhex('{READ.hex()}')); assert 'pyasn1.type' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
