"""A-XDR, times, wrapper and APDUs: octets that two programs produced or took, and hostile ones."""

import contextlib
import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from c1219.cosem.data import NULL, Data, DataType, clock_moment, clock_octets
from c1222.errors import C1222Error, DecodeError, EncodeError, LimitExceeded
from c1222.gateway.apdus import (
    AccessResult,
    GetRequest,
    NextRequest,
    accepted,
    block,
    parse_association,
    parse_get,
    response,
)  # fmt: skip
from c1222.gateway.axdr import MAX_DEPTH, decode, encode
from c1222.gateway.wrapper import Frame, frame, take_frame
from tests.c1219.cosem.cases import CASES

TYPES = {
    "u8": DataType.UINT8, "int8": DataType.INT8, "u16": DataType.UINT16, "int16": DataType.INT16, "u32": DataType.UINT32,
    "int32": DataType.INT32, "u64": DataType.UINT64, "int64": DataType.INT64, "float32": DataType.FLOAT32,
    "float64": DataType.FLOAT64, "enum": DataType.ENUM, "boolean": DataType.BOOLEAN, "octet": DataType.OCTET_STRING,
    "visible": DataType.VISIBLE_STRING,
}  # fmt: skip


@pytest.mark.parametrize("case", CASES["data"], ids=lambda case: f"{case['type']} {str(case['value'])[:12]}")
def test_published_data(case: dict[str, Any]) -> None:
    value = bytes.fromhex(case["value"]) if case["type"] == "octet" else case["value"]
    data = Data(TYPES[case["type"]], value)
    assert encode(data).hex() == case["octets"]
    assert decode(bytes.fromhex(case["octets"])) == data


@pytest.mark.parametrize("case", CASES["times"], ids=lambda case: case["what"])
def test_published_times(case: dict[str, Any]) -> None:
    octets = bytes.fromhex(case["octets"])
    moment = clock_moment(octets)
    if case["utc"] is None:
        assert moment == dt.datetime.min, "the year may be any"
        return
    assert moment is not None
    assert moment.astimezone(dt.UTC) == dt.datetime.fromisoformat(case["utc"])
    assert clock_octets(moment, dst=bool(octets[-1] & 0x80)) == octets


@given(st.datetimes(), st.none() | st.integers(-720, 720))
def test_times_both_ways(wall: dt.datetime, offset: int | None) -> None:
    time = wall.replace(microsecond=0, tzinfo=None if offset is None else dt.timezone(dt.timedelta(minutes=offset)))
    assert clock_moment(clock_octets(time)) == time


@pytest.mark.parametrize(
    "octets", ["", "07ea0d04060c0f000000f080", "07ea0704061a0f000000f080", "07ea0704060c0f0000031080"]
)
def test_no_times(octets: str) -> None:
    moment = clock_moment(bytes.fromhex(octets))
    assert moment is None or octets == "07ea0704060c0f0000031080"


DATA = st.recursive(
    st.just(NULL)
    | st.booleans().map(lambda one: Data(DataType.BOOLEAN, one))
    | st.integers(0, 255).map(lambda one: Data(DataType.UINT8, one))
    | st.integers(-(2**63), 2**63 - 1).map(lambda one: Data(DataType.INT64, one))
    | st.binary(max_size=300).map(lambda one: Data(DataType.OCTET_STRING, one))
    | st.text(max_size=20).map(lambda one: Data(DataType.UTF8_STRING, one))
    | st.text("01", max_size=20).map(lambda one: Data(DataType.BIT_STRING, one))
    | st.binary(min_size=12, max_size=12).map(lambda one: Data(DataType.DATE_TIME, one)),
    lambda inner: st.lists(inner, max_size=5).map(lambda items: Data(DataType.STRUCTURE, tuple(items))),
    max_leaves=20,
)


@given(DATA)
def test_data_both_ways(data: Data) -> None:
    octets = encode(data)
    try:
        assert decode(octets) == data
    except LimitExceeded:
        assert octets.count(2) > MAX_DEPTH


@given(st.binary(max_size=60))
def test_any_octets_are_data_or_a_documented_error(octets: bytes) -> None:
    with contextlib.suppress(DecodeError):
        assert encode(decode(octets)) is not None


@pytest.mark.parametrize(
    ("octets", "error"),
    [("", DecodeError), ("06000000", DecodeError), ("ff", DecodeError), ("0984ffffffff", DecodeError), ("0980", DecodeError),
     ("01ff", DecodeError), ("0182ffff00", DecodeError), ("0200 00", DecodeError), ("0a01ff", DecodeError), ("0201" * 12 + "00", LimitExceeded),
     ("0182" + f"{5000:04x}" + "00" * 5000, LimitExceeded)],
)  # fmt: skip
def test_hostile_data(octets: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        decode(bytes.fromhex(octets))


@pytest.mark.parametrize("data", [Data(DataType.UINT8, 256), Data(DataType.UINT8, "x"), Data(DataType.DATE, b"1234"),
                                  Data(DataType.VISIBLE_STRING, "é"), Data(DataType.ARRAY, 3)])  # fmt: skip
def test_what_is_no_value(data: Data) -> None:
    with pytest.raises(EncodeError):
        encode(data)


def test_association_as_two_clients_had_it() -> None:
    asked, answered = CASES["exchanges"][0]["request"], CASES["exchanges"][0]["response"]
    request = parse_association(bytes.fromhex(asked))
    assert (request.mechanism, request.password, request.max_pdu, request.version) == (0, None, 0xFFFF, 6)
    assert request.plain_context
    assert f"{request.conformance:06x}" == "401e5d"
    assert accepted(0x10, 1024).hex() == answered
    assert "password" not in repr(request)


@pytest.mark.parametrize(("octets", "bits"), CASES["conformance"].items())
def test_conformance_is_numbered_from_the_left(octets: str, bits: list[int]) -> None:
    assert [n for n in range(24) if int(octets, 16) >> (23 - n) & 1] == bits


@pytest.mark.parametrize("case", CASES["exchanges"][1:], ids=lambda case: case["what"])
def test_get_requests(case: dict[str, Any]) -> None:
    request = parse_get(bytes.fromhex(case["request"]))
    assert isinstance(request, GetRequest)
    (interface, name, attribute), selection = request.descriptor, request.selection
    assert (f"GET {interface} {name} {attribute}", selection) == (case["what"], None)
    if case["response"]:
        data = bytes.fromhex(case["response"])[4:]
        assert response(request.invoke, encode(decode(data))).hex() == case["response"]


def test_blocks() -> None:
    first, following, last = (case["octets"] for case in CASES["block_transfer"])
    assert block(0xC1, 1, bytes.fromhex("01020304"), last=False).hex() == first
    assert parse_get(bytes.fromhex(following)) == NextRequest(0xC1, 1)
    assert block(0xC1, 2, bytes.fromhex("aabb"), last=True).hex() == last
    assert block(0xC1, 2, AccessResult.BLOCK_UNAVAILABLE, last=True).hex() == "c402c10100000002010e"


def test_selective_access() -> None:
    span, entries = (parse_get(bytes.fromhex(case["octets"])) for case in CASES["selective_access"])
    assert isinstance(span, GetRequest)
    assert isinstance(entries, GetRequest)
    assert span.selection is not None
    assert span.selection.selector == 1
    restricting, first, _, columns = span.selection.parameter.value
    assert restricting.plain() == [8, "0000010000ff", 2, 0]
    assert clock_moment(first.value) == dt.datetime(2026, 7, 4, tzinfo=dt.timezone(dt.timedelta(hours=-4)))
    assert columns.value == ()
    assert entries.selection is not None
    assert [one.value for one in entries.selection.parameter.value] == [1, 96, 1, 0]


@given(
    st.sampled_from([b"\x60", b"\xc0\x01\xc1", b"\xc0\x02\xc1", bytes.fromhex("60 1d a1 09 06 07")]),
    st.binary(max_size=60),
)
def test_any_octets_are_an_apdu_or_a_documented_error(head: bytes, octets: bytes) -> None:
    for read in (parse_association, parse_get):
        with contextlib.suppress(C1222Error):
            read(head + octets)


def test_frames() -> None:
    octets = frame(16, 1, b"\xc0\x01")
    assert octets.hex() == "0001001000010002c001"
    assert take_frame(octets + b"\0") == (Frame(16, 1, b"\xc0\x01"), 10)
    for end in range(10):
        assert take_frame(octets[:end]) is None
    with pytest.raises(DecodeError):
        take_frame(b"\0\2")
    with pytest.raises(LimitExceeded):
        take_frame(frame(16, 1, bytes(5000)))
