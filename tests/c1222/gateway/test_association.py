"""An association without I/O: what is granted, read, cut into blocks, refused."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from c1219.cosem.data import Data, DataType, array, clock_octets, name_data, octet_string, structure, u16, u32
from c1219.cosem.names import LogicalName
from c1222.errors import C1222Error, Unreachable
from c1222.gateway.association import Association
from c1222.gateway.axdr import encode
from c1222.gateway.logical_device import LogicalDevice
from c1222.gateway.objects import SCHEMA, object_list
from c1222.gateway.sources import file_source
from tests.c1219.cosem.cases import CASES, sample
from tests.c1222.gateway.dlms_client import AARQ, associate, get, value

POLY = file_source(sample("polyphase-tou"))
OBJECTS = sample("polyphase-tou").cosem()
CLOCK = LogicalName(0, 0, 1, 0, 0)


def opened(request: bytes = AARQ, **options: object) -> Association:
    one = Association(POLY, **options)  # type: ignore[arg-type]
    answer = one.receive(request)
    assert answer is not None
    assert answer[0] == 0x61
    assert not one.closing
    return one


@pytest.mark.parametrize("case", CASES["exchanges"][:3], ids=lambda case: case["what"])
def test_exchanges_that_two_clients_had(case: dict[str, str]) -> None:
    """The register of the sample has the very value of the published exchange."""
    one = Association(POLY) if case["what"] == "AARQ" else opened()
    answer = one.receive(bytes.fromhex(case["request"]))
    expected = case["response"]
    if case["what"] == "AARQ":  # that server granted GET alone
        expected = expected.replace("5f1f0400000010", "5f1f0400001014")
    assert answer is not None
    assert answer.hex() == expected


def test_only_what_is_proposed_is_granted() -> None:
    for proposed, granted in ((0x401E5D, "001014"), (0x000010, "000010"), (0x000014, "000014"), (0xFFFFFF, "001014")):
        answer = Association(POLY).receive(associate(proposed))
        assert answer is not None
        assert granted in answer.hex()


def test_every_attribute_of_every_object_is_answered() -> None:
    one = opened()
    listed = value(one.receive, get(15, "0.0.40.0.0.255", 2))
    assert isinstance(listed, Data)
    assert len(listed.value) == len(OBJECTS) + 2
    for entry in listed.value:
        interface, version, name, rights = (part.value for part in entry.value)
        assert version == (1 if interface in {7, 15} else 0)
        for item in rights[0].value:
            found = value(one.receive, get(interface, str(LogicalName.of(name)), item.value[0].value))
            known = OBJECTS.get(interface, LogicalName.of(name))
            assert isinstance(found, Data)
            if known is not None:
                assert found == known.attribute(item.value[0].value)
        assert value(one.receive, get(interface, str(LogicalName.of(name)), 1)) == octet_string(name)


def test_what_is_not_there() -> None:
    one = opened()
    assert value(one.receive, get(3, "1.0.99.99.99.255", 2)) == 4
    assert value(one.receive, get(1, "1.0.1.8.0.255", 2)) == 9
    assert value(one.receive, get(3, "1.0.1.8.0.255", 9)) == 11
    assert value(one.receive, get(15, "0.0.40.0.0.255", 7)) == 11, "the secret is not for reading"
    assert value(one.receive, get(3, "1.0.1.8.0.255", 2, b"\2" + encode(structure()))) == 12
    assert one.receive(bytes.fromhex("c003c101")) == bytes.fromhex("d80202"), "GET with a list"
    assert one.receive(b"\xc1\1\xc1") == bytes.fromhex("d80202"), "SET"
    assert one.receive(b"\xc3\1\xc1") == bytes.fromhex("d80202"), "ACTION"


def test_nothing_is_read_outside_of_an_association() -> None:
    one = Association(POLY)
    assert one.receive(get(3, "1.0.1.8.0.255", 2)) == bytes.fromhex("d80101")
    one.receive(AARQ)
    assert value(one.receive, get(3, "1.0.1.8.0.255", 2)) == Data(DataType.UINT64, 388381680)
    assert one.receive(bytes.fromhex("6200")) == bytes.fromhex("6303800100")
    assert one.receive(get(3, "1.0.1.8.0.255", 2)) == bytes.fromhex("d80101")
    assert one.receive(AARQ, 16, 5) is None, "there is no other logical device"
    assert one.closing


@pytest.mark.parametrize("size", [32, 100, 1024, 0])
def test_blocks_join_to_the_value(size: int) -> None:
    one = opened(associate(max_pdu=size))
    longest = 0

    def ask(request: bytes) -> bytes | None:
        nonlocal longest
        answer = one.receive(request)
        longest = max(longest, len(answer or b""))
        return answer

    assert value(ask, get(26, "0.0.65.0.26.255", 4)) == octet_string(sample("polyphase-tou")[26].raw)
    assert longest <= (size or 65535)


def test_blocks_in_order_alone() -> None:
    one = opened(associate(max_pdu=64))
    assert one.receive(get(26, "0.0.65.0.26.255", 4))
    wrong = one.receive(bytes.fromhex("c002c100000007"))
    assert wrong is not None
    assert wrong.hex() == "c402c10100000007010e"
    assert one.receive(bytes.fromhex("c002c100000001")).hex().endswith("010e"), "the transfer is over"  # type: ignore[union-attr]


def test_long_values_need_blocks() -> None:
    one = opened(associate(0x000010, 64))
    assert value(one.receive, get(26, "0.0.65.0.26.255", 4)) == 250


def span(first: dt.datetime, last: dt.datetime, columns: Data | None = None) -> bytes:
    clock = structure(u16(8), name_data(CLOCK), Data(DataType.INT8, 2), u16(0))
    limits = (octet_string(clock_octets(one)) for one in (first, last))
    return b"\1" + encode(structure(clock, *limits, columns or array(())))


def test_a_range_of_a_profile() -> None:
    one = opened()
    zone = dt.timezone(dt.timedelta(hours=-5))
    first, last = dt.datetime(2026, 11, 20, tzinfo=zone), dt.datetime(2026, 11, 21, tzinfo=zone)
    rows = [
        row
        for row in sample("polyphase-tou").load_profile(1)
        if row.end and first <= row.end <= last and row.channel == 1
    ]
    for limits in (
        (first, last),
        (first.astimezone(dt.UTC), last),
        (first.replace(tzinfo=None), last.replace(tzinfo=None)),
    ):
        found = value(one.receive, get(7, "1.0.99.1.0.255", 2, span(*limits)))
        assert isinstance(found, Data)
        assert [row.value[0].value for row in found.value] == [
            clock_octets(row.end, dst=False) for row in rows if row.end
        ]
    column = structure(u16(3), name_data(LogicalName(1, 2, 1, 29, 0)), Data(DataType.INT8, 2), u16(0))
    found = value(one.receive, get(7, "1.0.99.1.0.255", 2, span(first, last, array((column,)))))
    assert isinstance(found, Data)
    assert [row.value[0].value * 10 for row in found.value] == [row.value for row in rows]
    other = structure(u16(3), name_data(LogicalName(1, 0, 1, 8, 0)), Data(DataType.INT8, 2), u16(0))
    assert value(one.receive, get(7, "1.0.99.1.0.255", 2, span(first, last, array((other,))))) == 12


def test_entries_of_a_profile() -> None:
    one = opened()
    whole = value(one.receive, get(7, "1.0.99.1.0.255", 2))
    assert isinstance(whole, Data)
    for begin, end, left, right in ((1, 96, 1, 0), (1, 0, 1, 0), (5, 7, 2, 3), (9999, 99999, 1, 0)):
        asked = b"\2" + encode(structure(u32(begin), u32(end), u16(left), u16(right)))
        found = value(one.receive, get(7, "1.0.99.1.0.255", 2, asked))
        expected = [row.value[left - 1 : right or None] for row in whole.value[begin - 1 : end or None]]
        assert isinstance(found, Data)
        assert [row.value for row in found.value] == expected


@pytest.mark.parametrize(
    "parameter", [structure(), structure(u16(1), u16(1), u16(1), u16(1)), u16(1), structure(*[array(())] * 4)]
)
@pytest.mark.parametrize("selector", [0, 1, 2, 3])
def test_bad_selections(selector: int, parameter: Data) -> None:
    one = opened()
    found = value(one.receive, get(7, "1.0.99.1.0.255", 2, bytes((selector,)) + encode(parameter)))
    assert found == 12 or (selector == 2 and isinstance(found, Data))


def test_password() -> None:
    one = opened(associate(password=b"secret"), password=b"secret")
    assert value(one.receive, get(15, "0.0.40.0.0.255", 6)) == octet_string(bytes.fromhex("60857405080201"))
    assert "secret" not in repr(one)
    for request, reason in (
        (AARQ, 14),
        (associate(password=b"wrong"), 13),
        (associate(password=b"secret", mechanism=5), 11),
    ):
        refused = Association(POLY, b"secret")
        answer = refused.receive(request)
        assert answer is not None
        assert answer.hex().endswith(f"a203020101a305a1030201{reason:02x}")
        assert refused.closing
    refused = Association(POLY)
    assert (refused.receive(associate(password=b"x")) or b"").hex().endswith("0b")


def test_a_context_with_ciphering_is_refused() -> None:
    answer = Association(POLY).receive(AARQ.replace(bytes.fromhex("60857405080101"), bytes.fromhex("60857405080103")))
    assert answer is not None
    assert answer.hex().endswith("a203020101a305a103020102")


def test_a_meter_that_does_not_answer() -> None:
    def silent() -> LogicalDevice:
        raise Unreachable("nobody is there")

    one = Association(silent)
    assert (one.receive(AARQ) or b"").hex().endswith("a305a103020101")
    assert one.closing


@given(st.sampled_from([AARQ, get(3, "1.0.1.8.0.255", 2), get(7, "1.0.99.1.0.255", 2, span(dt.datetime.min, dt.datetime.max))]),
       st.lists(st.tuples(st.integers(0, 90), st.integers(0, 255)), max_size=4))  # fmt: skip
def test_changed_octets_have_an_answer_or_a_documented_error(octets: bytes, changes: list[tuple[int, int]]) -> None:
    one = opened()
    changed = bytearray(octets)
    for at, octet in changes:
        changed[at % len(changed)] = octet
    try:
        answer = one.receive(bytes(changed))
        assert answer is None or len(answer) <= 65535
    except C1222Error:
        pass


def test_the_list_of_objects_as_json() -> None:
    shown = object_list(POLY())
    assert shown["schema"] == SCHEMA
    assert len(shown["objects"]) == len(OBJECTS) + 2
    assert {"class_id": 3, "version": 0, "obis": "1.0.1.8.0.255", "attributes": [1, 2, 3], "access": "read",
            "source": "ST23.TOT_DATA_BLOCK.SUMMATIONS[0]"} in shown["objects"]  # fmt: skip
