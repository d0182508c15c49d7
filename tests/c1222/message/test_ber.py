import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyasn1.codec.ber import decoder, encoder
from pyasn1.error import PyAsn1Error
from pyasn1.type import univ

from c1222.errors import DecodeError, EncodeError, LimitExceeded
from c1222.message.ber import (
    MAX_APDU_OCTETS,
    MAX_ARC_OCTETS,
    apdu_size,
    decode_oid,
    encode_length,
    encode_oid,
    length_size,
    read_length,
    tlv,
)
from tests.c1222.message.known import OCTETS

LENGTHS = [
    (0, "00"),
    (127, "7f"),
    (128, "8180"),
    (255, "81ff"),
    (256, "820100"),
    (65535, "82ffff"),
    (65536, "83010000"),
    (16777215, "83ffffff"),
    (16777216, "8401000000"),
    (0xFFFFFFFF, "84ffffffff"),
]


@pytest.mark.parametrize(("length", "octets"), LENGTHS)
def test_length_is_emitted_minimal(length: int, octets: str) -> None:
    assert encode_length(length).hex() == octets
    assert length_size(length) == len(octets) // 2


@pytest.mark.parametrize("length", [-1, 1 << 32])
def test_length_without_a_form(length: int) -> None:
    with pytest.raises(EncodeError):
        encode_length(length)


@given(st.integers(0, 300), st.integers(0, 8))
@settings(max_examples=100)
def test_any_definite_length_is_read(length: int, octets: int) -> None:
    octets = max(octets, length_size(length) - 1)
    form = bytes((0x80 | octets,)) + length.to_bytes(octets, "big") if octets else bytes((length,))
    buf = b"\xaa" + form + bytes(length)
    assert read_length(buf, 1, len(buf)) == (length, 1 + len(form))
    assert (len(form) == length_size(length)) == (form == encode_length(length))


@pytest.mark.parametrize(
    ("octets", "offset", "word"),
    [
        ("", 0, "missing"),
        ("80 0000", 0, "indefinite"),
        ("ff 0000", 0, "not accepted"),
        ("89 000000000000000001 00", 0, "not accepted"),
        ("82 01", 0, "run past"),
        ("05 00000000", 1, "5 octets announced, 4 there"),
        ("88 ffffffffffffffff", 9, "announced"),
    ],
)
def test_bad_length(octets: str, offset: int, word: str) -> None:
    buf = bytes.fromhex(octets)
    with pytest.raises(DecodeError, match=word) as caught:
        read_length(buf, 0, len(buf), "some.path")
    assert (caught.value.path, caught.value.offset) == ("some.path", offset)


def test_length_stays_inside_the_end_it_is_given() -> None:
    with pytest.raises(DecodeError):
        read_length(bytes.fromhex("0201020304"), 0, 2)


def test_element() -> None:
    assert tlv(0x80, b"\1\2").hex() == "80020102"
    assert tlv(0x81, bytes(200))[:3].hex() == "8181c8"


@pytest.mark.parametrize("octets", OCTETS, ids=lambda o: o[:12].hex())
def test_size_of_an_apdu_from_its_first_octets(octets: bytes) -> None:
    head = 2 if octets[1] < 0x80 else 2 + (octets[1] & 0x7F)
    for there in range(len(octets) + 4):
        size = apdu_size((octets + b"more")[:there])
        assert size == (None if there < head else len(octets))


@pytest.mark.parametrize("buf", [bytes, bytearray, memoryview])
def test_size_of_an_apdu_in_any_buffer(buf: type) -> None:
    assert apdu_size(buf(b"\x60\x82\x01\x00\x00")) == 260


@pytest.mark.parametrize(
    ("octets", "error"),
    [
        ("61", DecodeError),
        ("00", DecodeError),
        ("6080", DecodeError),
        ("60ff", DecodeError),
        ("6089", DecodeError),
        ("608300ffff", LimitExceeded),
        ("6088ffff", LimitExceeded),  # decided before all length octets are there
    ],
)
def test_no_apdu_starts_here(octets: str, error: type[DecodeError]) -> None:
    with pytest.raises(error) as caught:
        apdu_size(bytes.fromhex(octets))
    assert caught.value.path == "acse"
    assert type(caught.value) is error


def test_size_limit_is_exact() -> None:
    octets = b"\x60\x82" + (MAX_APDU_OCTETS - 4).to_bytes(2, "big")
    assert apdu_size(octets) == MAX_APDU_OCTETS
    with pytest.raises(LimitExceeded):
        apdu_size(octets, max_size=MAX_APDU_OCTETS - 1)
    assert apdu_size(b"\x60\x7f", max_size=129) == 129
    assert apdu_size(bytes.fromhex("608800000000000000ff")) == 265  # not minimal, but known


OIDS = [
    ((2, 16, 124, 113620, 1, 22), "607c86f7540116"),
    ((2, 16, 124, 113620, 1, 22, 2, 1), "607c86f75401160201"),
    ((1, 2, 840, 10066), "2a8648ce52"),
    ((2, 16, 840, 1, 114223), "6086480186fc2f"),
    ((1, 3, 6, 1, 4, 1, 33507, 1919, 12345678, 0), "2b060104018285638e7f85f1c24e00"),
    ((2, 999, 3), "883703"),  # X.690, the example of 8.19.5
    ((2, 47), "7f"),
    ((2, 48), "8100"),
    ((0, 0), "00"),
    ((1, 39), "4f"),
]


@pytest.mark.parametrize(("arcs", "content"), OIDS)
def test_known_object_identifiers(arcs: tuple[int, ...], content: str) -> None:
    assert encode_oid(arcs).hex() == content
    assert decode_oid(bytes.fromhex(content)) == arcs


@pytest.mark.parametrize(
    ("arcs", "content"), [((123, 8437), "7bc175"), ((123, 273), "7b8211"), ((0, 1), "0001"), ((), "")]
)
def test_known_relative_identifiers(arcs: tuple[int, ...], content: str) -> None:
    assert encode_oid(arcs, relative=True).hex() == content
    assert decode_oid(bytes.fromhex(content), relative=True) == arcs


arc = st.one_of(st.integers(0, 200), st.integers(0, (1 << 7 * (MAX_ARC_OCTETS - 1)) - 1))


@given(st.integers(0, 2), arc, st.lists(arc, max_size=6))
@settings(max_examples=100)
def test_object_identifiers_as_pyasn1_has_them(first: int, second: int, rest: list[int]) -> None:
    arcs = (first, second % 40 if first < 2 else second, *rest)
    octets = encoder.encode(univ.ObjectIdentifier(arcs))
    assert tlv(6, encode_oid(arcs)) == octets
    value, _ = decoder.decode(octets)
    assert decode_oid(octets[2:]) == tuple(value) == arcs


@given(st.binary(max_size=30))
@settings(max_examples=200)
def test_any_octets_as_pyasn1_reads_them(content: bytes) -> None:
    try:
        ours = decode_oid(content)
    except DecodeError:
        ours = None
    try:
        theirs = tuple(decoder.decode(tlv(6, content))[0])
    except PyAsn1Error:
        theirs = None
    assert ours == theirs
    if ours is not None:
        assert encode_oid(ours) == content


@pytest.mark.parametrize(
    ("content", "offset", "error"),
    [
        ("2a8048", 1, DecodeError),
        ("80", 0, DecodeError),
        ("2a86", 1, DecodeError),
        ("", 0, DecodeError),
        ("2a" + "ff" * MAX_ARC_OCTETS + "7f", 1, LimitExceeded),
        ("01" * 129, 0, LimitExceeded),
    ],
)
def test_bad_object_identifier(content: str, offset: int, error: type[DecodeError]) -> None:
    with pytest.raises(DecodeError) as caught:
        decode_oid(bytes.fromhex(content), offset=100, path="there")
    assert type(caught.value) is error
    assert (caught.value.path, caught.value.offset) == ("there", 100 + offset)


def test_largest_arc_and_most_arcs_are_taken_both_ways() -> None:
    arcs = (1 << 7 * MAX_ARC_OCTETS) - 1
    assert decode_oid(encode_oid((2, 1, arcs))) == (2, 1, arcs)
    with pytest.raises(EncodeError):
        encode_oid((2, 1, arcs + 1))
    many = (2, 1) + (5,) * 127
    assert decode_oid(encode_oid(many)) == many
    with pytest.raises(EncodeError):
        encode_oid((*many, 5))


@pytest.mark.parametrize("arcs", [(), (1,), (3, 1), (0, 40), (1, 40), (1, 2, -1), (-1, 2), (2, -1)])
def test_arcs_without_a_form(arcs: tuple[int, ...]) -> None:
    with pytest.raises(EncodeError):
        encode_oid(arcs)


@pytest.mark.parametrize("content", [b"\xff" * 1_000_000, b"\x01" * 1_000_000, b"\x81\x00" * 500_000])
def test_huge_identifier_is_refused_at_once(content: bytes) -> None:
    start = time.process_time()
    with pytest.raises(LimitExceeded):
        decode_oid(content)
    assert time.process_time() - start < 30, "milliseconds; minutes if the cost grew with the square"
