import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from c1222.errors import DecodeError, EncodeError
from c1222.services.table_data import CHUNK, TableData, checksum
from tests.c1222.services.examples import ST1_A3R, ST1_A3R_IPV6, ST2_A3R_IPV6


@pytest.mark.parametrize(
    ("data", "octet"),
    [
        (b"MANUFACTURER SN ", 0x92),
        (ST1_A3R, 0x21),
        (ST1_A3R_IPV6, 0x2B),
        (ST2_A3R_IPV6, 0x54),
        (b"", 0),
        (b"\x80", 0x80),
    ],
)
def test_checksums_of_real_meters(data: bytes, octet: int) -> None:
    assert checksum(data) == octet


@settings(max_examples=50, database=None)
@given(st.binary(max_size=600))
def test_data_and_checksum_sum_up_to_0(data: bytes) -> None:
    octet = checksum(data)
    assert 0 <= octet <= 0xFF
    assert (sum(data) + octet) % 256 == 0
    assert TableData(data).checksum_ok
    assert not TableData(data, bytes((octet ^ 1,))).checksum_ok


def test_wire_form() -> None:
    assert TableData(b"ABC").write() == bytes.fromhex("00034142433A")
    assert TableData(b"").write() == bytes(3)
    assert TableData(b"ABC").as_dict() == {"data": "414243", "checksum_ok": True}
    assert TableData(b"ABC", b"\x00").as_dict()["checksum_ok"] is False


@pytest.mark.parametrize(
    ("size", "counts"),
    [
        (65534, [65534]),
        (65535, [65535, 0]),
        (65536, [65535, 1]),
        (131070, [65535, 65535, 0]),
        (200000, [65535] * 3 + [3395]),
    ],
)
def test_chunks(size: int, counts: list[int]) -> None:
    data = bytes(range(251)) * (size // 251 + 1)
    value = TableData(data[:size])
    octets = value.write()
    at, found = 0, []
    while at < len(octets):
        count = int.from_bytes(octets[at : at + 2], "big")
        chunk = octets[at + 2 : at + 2 + count]
        assert (sum(chunk) + octets[at + 2 + count]) % 256 == 0
        found.append(count)
        at += count + 3
    assert found == counts
    back, end = TableData.read(b"\xaa" + octets + b"\xaa", 1, len(octets) + 1)
    assert (back, end) == (value, len(octets) + 1)
    assert back.checksum_ok
    assert not back.lacks_end
    broken = bytearray(octets)
    broken[-1] ^= 1
    assert not TableData.read(bytes(broken), 0, len(broken))[0].checksum_ok


def test_empty_chunk_left_out() -> None:
    octets = b"\xff\xff" + bytes(CHUNK) + b"\x00"
    value, end = TableData.read(octets, 0, len(octets))
    assert end == len(octets)
    assert value.lacks_end
    assert value.checksum_ok
    assert value.write() == octets


def test_many_chunks_take_no_stack() -> None:
    octets = (b"\xff\xff" + bytes(CHUNK) + b"\x00") * 1100 + bytes(3)
    value, _ = TableData.read(octets, 0, len(octets))
    assert len(value.data) == 1100 * CHUNK


def test_chunk_cut_short() -> None:
    octets = b"\xff\xff" + bytes(CHUNK) + b"\x00" + b"\x00\x05\x01"
    with pytest.raises(DecodeError) as caught:
        TableData.read(octets, 0, len(octets))
    assert caught.value.offset == CHUNK + 3


def test_checksums_must_fit_the_chunks() -> None:
    for data, checksums in ((b"A", b""), (b"A", b"\x00\x00"), (bytes(CHUNK), b""), (b"", b"")):
        with pytest.raises(EncodeError):
            TableData(data, checksums)
    assert TableData(bytes(CHUNK), b"\x00").lacks_end
    with pytest.raises(TypeError):
        TableData("text")  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        TableData()  # type: ignore[call-arg]
