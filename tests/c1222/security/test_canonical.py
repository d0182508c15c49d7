"""The canonical header: published messages, the fast way against the readable one, whatever the elements."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from c1222.errors import DecodeError
from c1222.message.acse import Acse, Authentication, decode_acse
from c1222.message.aptitle import DEFAULT_BASE, ApTitle
from c1222.message.ber import tlv
from c1222.security import canonical
from c1222.security.canonical import canonical_header, canonical_prefix, other_prefix, pieces

MESSAGES: list[dict[str, Any]] = [
    m
    for m in json.loads((Path(__file__).parents[3] / "specs/vectors/messages.json").read_text("utf-8"))["messages"]
    if m.get("header")
]
IV = bytes.fromhex("48f3d061")
A8 = bytes.fromhex("a803020103")
BE = bytes.fromhex("be0d280b81098803300001c58c6a04")
AC = bytes.fromhex("ac0fa20da00ba109800102810448f3d061")


def apdu(*elements: bytes) -> Acse:
    return decode_acse(tlv(0x60, b"".join(elements)))


@pytest.mark.parametrize("message", MESSAGES, ids=[m["id"] for m in MESSAGES])
def test_published_messages(message: dict[str, Any]) -> None:
    acse = decode_acse(bytes.fromhex(message["octets"]))
    iv = bytes.fromhex(message["iv"])
    assert canonical_header(acse, key_id=message["key_id"], iv=iv).hex() == message["header"]
    parts = pieces(acse, key_id=message["key_id"], iv=iv)
    assert b"".join(part.octets for part in parts).hex() == message["header"]


def test_example_8_in_pieces() -> None:
    (message,) = (m for m in MESSAGES if m["id"] == "std-ex8-req")
    parts = pieces(decode_acse(bytes.fromhex(message["octets"])), key_id=2, iv=IV)
    assert [(part.name, part.octets.hex(" ")) for part in parts] == [
        ("called-AP-title", "a2 0d 06 0b 60 7c 86 f7 54 01 16 00 7b c1 75"),
        ("calling-AP-invocation-id", "a8 03 02 01 03"),
        ("calling-authentication-value", "ac 0f a2 0d a0 0b a1 09 80 01 02 81 04 48 f3 d0 61"),
        ("user-information", "be 2a 28 28 81 26 88"),
        ("calling-AP-title", "a6 0c 06 0a 60 7c 86 f7 54 01 16 00 7b 04"),
        ("key-id", "02"),
        ("iv", "48 f3 d0 61"),
    ]


def test_relative_and_absolute_titles_are_one() -> None:
    for base in ("2.16.124.113620.1.22.0", "1.3.6.1.4.1.33507"):
        root = ApTitle(base)
        headers = {
            canonical_header(
                Acse.build(
                    user_information=bytes(9),
                    called=called,
                    calling=calling,
                    calling_invocation_id=7,
                    mechanism="1.2.3",
                ),
                key_id=1,
                iv=IV,
                base=root,
            )
            for called in (ApTitle(".1.2"), ApTitle(base + ".1.2"))
            for calling in (ApTitle(".300"), ApTitle(base + ".300"))
        }
        assert len(headers) == 1


def test_the_tag_of_2006_for_relative_titles_is_read_alike() -> None:
    now = apdu(bytes.fromhex("a20580037bc175"), bytes.fromhex("a60480027b04"), A8, AC, BE)
    then = apdu(bytes.fromhex("a2050d037bc175"), bytes.fromhex("a6040d027b04"), A8, AC, BE)
    assert canonical_header(now, key_id=2, iv=IV) == canonical_header(then, key_id=2, iv=IV)


def test_titles_with_long_lengths_are_rebuilt_and_the_rest_is_kept() -> None:
    usual = apdu(bytes.fromhex("a20580037bc175"), bytes.fromhex("a60480027b04"), A8, AC, BE)
    title = apdu(bytes.fromhex("a281068081037bc175"), bytes.fromhex("a60480027b04"), A8, AC, BE)
    assert canonical_header(title, key_id=2, iv=IV) == canonical_header(usual, key_id=2, iv=IV)
    number = apdu(
        bytes.fromhex("a20580037bc175"), bytes.fromhex("a60480027b04"), bytes.fromhex("a806020400000003"), AC, BE
    )
    assert bytes.fromhex("a806020400000003") in canonical_header(number, key_id=2, iv=IV)
    user = bytes.fromhex("be810f28810c8181098803300001c58c6a04")
    long_form = apdu(bytes.fromhex("a20580037bc175"), bytes.fromhex("a60480027b04"), A8, AC, user)
    assert bytes.fromhex("be810f28810c81810988a6") in canonical_header(long_form, key_id=2, iv=IV)


def test_application_context_and_an_arc_0_go_before_relative_titles() -> None:
    context = ApTitle("1.2.840.10066")
    for form in (ApTitle(".5"), ApTitle("1.2.840.10066.0.5")):
        acse = Acse.build(
            user_information=bytes(9),
            application_context=str(context),
            called=form,
            calling=form,
            calling_invocation_id=7,
        )
        header = canonical_header(acse, key_id=1, iv=IV)
        assert tlv(0xA2, ApTitle("1.2.840.10066.0.5").tlv()) in header
        assert tlv(0xA6, ApTitle("1.2.840.10066.0.5").tlv()) in header
        _, called, calling = canonical_prefix(acse, DEFAULT_BASE.content)
        assert called == calling == ApTitle("1.2.840.10066.0.5").content


def test_a_context_that_ends_with_the_arc_0_gets_no_second_one() -> None:
    def built(context: str, title: ApTitle) -> Acse:
        given = {"application_context": context, "called": title, "calling": title, "calling_invocation_id": 7}
        return Acse.build(user_information=bytes(9), **given)

    base = "2.16.124.113620.1.22.0"
    once, twice = (ApTitle(f"{base}{arcs}.5").tlv() for arcs in ("", ".0"))
    acse = built(base, ApTitle(".5"))
    usual, called, calling = canonical_prefix(acse, DEFAULT_BASE.content)
    assert called == calling == ApTitle(f"{base}.5").content
    assert tlv(0xA2, once) in usual
    assert usual.endswith(tlv(0xA6, once))
    other = other_prefix(acse)
    assert other is not None
    assert other == usual.replace(tlv(0xA2, once), tlv(0xA2, twice)).replace(tlv(0xA6, once), tlv(0xA6, twice))
    for context, title in ((base, f"{base}.5"), ("2.16.124.113620.1.22", ".5"), ("1.2.0", ".5")):
        assert other_prefix(built(context, ApTitle(title))) is None
    assert tlv(0xA6, ApTitle("1.2.0.0.5").tlv()) in canonical_header(built("1.2.0", ApTitle(".5")), key_id=1, iv=IV)


def test_key_id_left_out() -> None:
    acse = apdu(bytes.fromhex("a20580037bc175"), bytes.fromhex("a60480027b04"), A8, AC, BE)
    assert canonical_header(acse, key_id=None, iv=IV) == canonical_header(acse, key_id=0, iv=b"")[:-1] + IV
    assert [part.name for part in pieces(acse, key_id=None, iv=IV)][-2:] == ["calling-AP-title", "iv"]


optional = {
    "application_context": st.sampled_from([None, "2.16.124.113620.1.22", "1.2.3"]),
    "called": st.sampled_from([None, ApTitle(".1.2"), ApTitle("1.3.6.1")]),
    "called_invocation_id": st.sampled_from([None, 0, 5, 2**32 - 1]),
    "calling": st.sampled_from([None, ApTitle(".7"), ApTitle("2.16.124.113620.1.22.0.9")]),
    "calling_ae_qualifier": st.sampled_from([None, 4]),
    "mechanism": st.sampled_from([None, "2.16.124.113620.1.22.2.1"]),
    "authentication": st.sampled_from([None, Authentication("c12.22", 2, IV), Authentication("c12.22", None, IV)]),
}


@given(st.fixed_dictionaries(optional), st.binary(min_size=1, max_size=300), st.randoms(use_true_random=False))
@settings(max_examples=150)
def test_fast_and_readable_ways_agree_for_all_elements_in_any_order(fields: Any, payload: bytes, random: Any) -> None:
    acse = Acse.build(user_information=payload, calling_invocation_id=3, **fields)
    elements = [acse.octets[begin:end] for begin, _, end in acse.spans.values()]
    shuffled = elements[:-1]
    random.shuffle(shuffled)
    if random.random() < 0.3:
        shuffled.insert(random.randrange(len(shuffled) + 1), b"\xaf\x02hi")  # unknown: never in N
    for other in (acse, apdu(*shuffled, elements[-1])):
        readable = b"".join(part.octets for part in pieces(other, key_id=9, iv=IV))
        assert canonical_header(other, key_id=9, iv=IV) == readable
        assert readable == canonical_header(acse, key_id=9, iv=IV)
        _, called, calling = canonical_prefix(other, DEFAULT_BASE.content)
        assert (called is None, calling is None) == (fields["called"] is None, fields["calling"] is None)


@pytest.mark.parametrize("place", range(5))
def test_unknown_elements_are_never_in_the_header(place: int) -> None:
    elements = [bytes.fromhex("a20580037bc175"), bytes.fromhex("a60480027b04"), A8, AC]
    known = apdu(*elements, BE)
    elements.insert(place, b"\xaf\x02hi")
    assert canonical_header(apdu(*elements, BE), key_id=2, iv=IV) == canonical_header(known, key_id=2, iv=IV)


@pytest.mark.parametrize(
    ("elements", "path", "offset"),
    [
        (("a2048002ff84", "a60480027b04"), "acse.called-AP-title", 6),
        (("a20580037bc175", "a60400027b04"), "acse.calling-AP-title", 11),
        (("a20580037bc175", "a6080480027b0480017b"), "acse.calling-AP-title", 11),
        (("a103060100", "a2028000", "a6028000"), None, None),
        (("a10406028081", "a2028000", "a6028000"), "acse.application-context-name", 6),
        (("a100", "a2028000", "a6028000"), "acse.application-context-name", 4),
    ],
)
def test_malformed_elements_are_told_with_their_place(elements: Any, path: str | None, offset: int | None) -> None:
    acse = apdu(*map(bytes.fromhex, elements), A8, AC, BE)
    if path is None:
        assert canonical_header(acse, key_id=2, iv=IV)
        return
    with pytest.raises(DecodeError) as caught:
        canonical_header(acse, key_id=2, iv=IV)
    assert (caught.value.path, caught.value.offset) == (path, offset)


def test_a_segment_and_an_empty_string_have_no_header() -> None:
    titles = (bytes.fromhex("a20580037bc175"), bytes.fromhex("a60480027b04"))
    with pytest.raises(DecodeError, match="segment"):
        canonical_header(apdu(titles[0], bytes.fromhex("a303020151"), titles[1], A8, BE), key_id=2, iv=IV)
    with pytest.raises(DecodeError, match="control octet is missing"):
        canonical_header(apdu(*titles, A8, AC, bytes.fromhex("be0428028100")), key_id=2, iv=IV)


def test_remembered_titles_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(canonical, "REMEMBERED_TITLES", 8)
    canonical._forms.cache_clear()
    forms = canonical._forms(DEFAULT_BASE.content)
    for number in range(100):
        acse = Acse.build(
            user_information=bytes(6),
            called=ApTitle(f".{number}"),
            calling=ApTitle(f".{number}.1"),
            calling_invocation_id=1,
        )
        assert canonical_header(acse, key_id=1, iv=IV) == b"".join(p.octets for p in pieces(acse, key_id=1, iv=IV))
        assert len(forms) <= 8


def test_usual_titles_are_bounded_and_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(canonical, "REMEMBERED_TITLES", 8)
    canonical._forms.cache_clear()
    usual, forms = canonical.UsualTitles(DEFAULT_BASE.content), canonical._forms(DEFAULT_BASE.content)
    for number in range(100):
        element = ApTitle(f".{number}").tlv()
        assert usual[bytes((len(element),)) + element] == forms[element]
        assert len(usual) <= 8
        assert len(forms) <= 8
    assert len(usual) > 1
