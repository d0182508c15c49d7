from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from c1222.errors import C1222Error, DecodeError, EncodeError, LimitExceeded
from c1222.serial.packet import (
    HEADER,
    MAX_DATA,
    MAX_PACKET_SIZE,
    BadCrc,
    CrcOrder,
    SerialPacket,
    crc16,
    cut,
    data_room,
    read_packet,
)
from tests.c1222.serial.vectors import CONTENT, PACKETS, data_of

WHOLE = {name: entry for name, entry in PACKETS.items() if "ctrl" in entry}
REFUSED = {
    "len-0": "at least one octet",
    "len-8184": "8183 fit",
    "multi-first-bit-alone": "of no series",
    "single-seq-1": "of no series",
}
DAMAGED = [name for name, entry in WHOLE.items() if not entry["crc_ok"]]


def octets_of(entry: dict) -> bytes:
    if "octets" in entry:
        return bytes.fromhex(entry["octets"])
    head = bytes.fromhex("ee000000") + entry["length"].to_bytes(2, "big") + data_of(entry)
    octets = head + crc16(head).to_bytes(2, "little")
    assert len(octets) == entry["octets_length"]
    assert hashlib.sha256(octets).hexdigest() == entry["sha256"]
    return octets


def test_all_the_packets_are_here() -> None:
    assert len(PACKETS) == 90
    assert set(PACKETS) - set(WHOLE) == {"ack", "nak"}


def test_crc() -> None:
    assert crc16(b"123456789") == 0x906E
    assert crc16(bytes.fromhex("EE0000000001201310")) == 0x0F47


@pytest.mark.parametrize("name", [name for name in WHOLE if name not in {*REFUSED, *DAMAGED}])
def test_packets_are_read_and_built(name: str) -> None:
    entry = WHOLE[name]
    octets = octets_of(entry)
    found = read_packet(octets, max_size=MAX_PACKET_SIZE)
    assert found is not None
    packet, size = found
    assert size == len(octets)
    assert packet == SerialPacket(data_of(entry), entry["identity"], entry["ctrl"], entry["seq"])
    assert packet.encode() == octets


@pytest.mark.parametrize("name", REFUSED)
def test_packets_that_are_refused(name: str) -> None:
    with pytest.raises(DecodeError, match=REFUSED[name]):
        read_packet(octets_of(WHOLE[name]), max_size=0x10000)


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_packets(name: str) -> None:
    with pytest.raises(BadCrc) as caught:
        read_packet(octets_of(WHOLE[name]))
    assert caught.value.swapped == (name == "bad-crc-high-first")
    assert caught.value.offset == len(octets_of(WHOLE[name])) - 2


@pytest.mark.parametrize(("name", "size"), [("len-57", 65), ("len-64", 72), ("len-56", 64), ("len-1016", 1024)])
def test_the_size_of_a_packet_counts_all_of_it(name: str, size: int) -> None:
    octets = octets_of(WHOLE[name])
    assert len(octets) == size
    assert read_packet(octets, max_size=size) is not None
    with pytest.raises(LimitExceeded, match=f"{size - 9} fit"):
        read_packet(octets[:HEADER], max_size=size - 1)


def test_what_is_announced_is_not_waited_for() -> None:
    with pytest.raises(LimitExceeded, match="65535 octets announced; 56 fit"):
        read_packet(bytes.fromhex("EE000000FFFF"))


def test_a_swapped_crc_is_taken_where_it_is_allowed() -> None:
    octets = octets_of(PACKETS["bad-crc-high-first"])
    for order in (CrcOrder.HIGH, CrcOrder.EITHER):
        packet, _ = read_packet(octets, crc_order=order) or pytest.fail("more wanted")
        assert packet == SerialPacket(b"\x20", swapped_crc=True)
        assert packet.encode() == octets
    with pytest.raises(BadCrc, match="swapped"):
        read_packet(octets_of(PACKETS["ident-req"]), crc_order=CrcOrder.HIGH)
    assert read_packet(octets_of(PACKETS["ident-req"]), crc_order=CrcOrder.EITHER) == (SerialPacket(b"\x20"), 9)


def test_no_packet_starts_here() -> None:
    with pytest.raises(DecodeError, match="06 is not EE"):
        read_packet(b"\x06")


@pytest.mark.parametrize("group", ["multi-0", "multi-write-0"])
def test_messages_are_cut_as_others_cut_them(group: str) -> None:
    first, second = (octets_of(PACKETS[group[:-1] + number]) for number in "01")
    message = first[HEADER:-2] + second[HEADER:-2]
    assert cut(message, first[2] >> 5 & 1, packets=4) == [first, second]


@pytest.mark.parametrize(
    "limits", CONTENT["negotiated_limits"], ids=lambda row: f"{row['packet_size']}x{row['packets']}"
)
def test_limits(limits: dict) -> None:
    size, packets, longest = (limits[name] for name in ("packet_size", "packets", "max_service_octets"))
    assert data_room(size) * packets == longest
    message = bytes(longest)
    parts = cut(message, 0, packet_size=size, packets=packets)
    assert [len(part) for part in parts] == [min(size, MAX_DATA + 8)] * packets
    assert [part[3] for part in parts] == list(range(packets - 1, -1, -1))
    with pytest.raises(EncodeError, match=f"{longest + 1} octets"):
        cut(message + b"\0", 0, packet_size=size, packets=packets)


def test_nothing_is_no_message() -> None:
    with pytest.raises(EncodeError):
        cut(b"", 0)


@pytest.mark.parametrize(
    "packet", [SerialPacket(bytes(MAX_DATA + 1)), SerialPacket(b"a", 256), SerialPacket(b"a", 0, -1)]
)
def test_what_has_no_form(packet: SerialPacket) -> None:
    with pytest.raises(EncodeError):
        packet.encode()


@given(st.binary(max_size=80), st.integers(9, 100), st.sampled_from(CrcOrder))
def test_three_outcomes(octets: bytes, max_size: int, order: CrcOrder) -> None:
    octets = b"\xee" + octets
    try:
        found = read_packet(octets, max_size=max_size, crc_order=order)
    except C1222Error:
        return
    if found is None:
        assert len(octets) < max_size
        return
    packet, size = found
    assert packet.encode() == octets[:size]


@given(st.binary(min_size=1, max_size=300), st.integers(9, 400), st.integers(0, 1), st.integers(0, 255))
def test_what_is_cut_comes_back(message: bytes, size: int, toggle: int, identity: int) -> None:
    try:
        parts = cut(message, toggle, packet_size=size, packets=255, identity=identity)
    except EncodeError:
        assert len(message) > 255 * data_room(size)
        return
    read = [read_packet(part, max_size=size) for part in parts]
    assert b"".join(found[0].data for found in read if found) == message
    assert all(found and found[0].toggle == (toggle + number) & 1 for number, found in enumerate(read))
    assert all(found and found[0].identity == identity for found in read)
