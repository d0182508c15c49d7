import pytest

from c1222.errors import EncodeError
from c1222.services import Request, TableData, decode_request, decode_response
from c1222.services.table_data import CHUNK
from c1222.services.tables import (
    ReadDefaultRequest,
    ReadIndexRequest,
    ReadIndexResponse,
    ReadOffsetRequest,
    ReadRequest,
    ReadResponse,
    TableBits,
    WriteDefaultRequest,
    WriteIndexRequest,
    WriteOffsetRequest,
    WriteRequest,
    table_name,
)


@pytest.mark.parametrize(
    ("table", "name"),
    [
        (1, "ST1"),
        (0x0805, "MT5"),
        (0x1001, "PST1"),
        (0x1807, "PMT7"),
        (0x2003, "UDT3"),
        (0x07FF, "ST2047"),
        (0x2801, "MUDT1"),
        (0x8001, "table 8001"),
    ],
)
def test_table_name(table: int, name: str) -> None:
    assert table_name(table) == name


def test_table_bits() -> None:
    assert [bit.value for bit in TableBits] == [0x0800, 0x1000, 0x2000]
    assert TableBits(0x1801 & ~0x07FF) == TableBits.PENDING | TableBits.MANUFACTURER


@pytest.mark.parametrize("count", range(1, 10))
def test_index_services_tell_their_indices_in_the_code(count: int) -> None:
    indices = tuple(range(0x100, 0x100 + count))
    words = b"".join(index.to_bytes(2, "big") for index in indices)
    read = ReadIndexRequest(5, indices, 3)
    assert read.encode() == bytes((0x30 + count,)) + b"\x00\x05" + words + b"\x00\x03"
    write = WriteIndexRequest(5, indices, TableData(b"ABC"))
    assert write.encode() == bytes((0x40 + count,)) + b"\x00\x05" + words + bytes.fromhex("00034142433A")
    assert decode_request(read.encode()) == read
    assert decode_request(write.encode()) == write
    assert read.as_dict()["code"] == 0x30 + count
    assert read.as_dict()["indices"] == list(indices)


@pytest.mark.parametrize("indices", [(), tuple(range(10)), (65536,), (-1,)])
def test_indices_out_of_range(indices: tuple[int, ...]) -> None:
    with pytest.raises(EncodeError):
        ReadIndexRequest(5, indices, 1)


def test_offset_has_24_bits() -> None:
    assert ReadOffsetRequest(1, 0xFFFFFF, 0xFFFF).encode() == bytes.fromhex("3F 0001 FFFFFF FFFF")
    for offset, count in ((1 << 24, 0), (0, 1 << 16), (-1, 0)):
        with pytest.raises(EncodeError):
            ReadOffsetRequest(1, offset, count)


def test_read_index_with_several_table_data() -> None:
    request = ReadIndexRequest(5, (0, 1), 1)
    octets = bytes.fromhex("00 000141BF 000142BE")
    decoded = decode_response(octets, request)
    assert decoded == ReadIndexResponse(TableData(b"A"), (TableData(b"B"),))
    assert isinstance(decoded, ReadIndexResponse)
    assert decoded.data == b"AB"
    assert decoded.checksum_ok
    assert decoded.encode() == octets
    assert [finding.code for finding in decoded.findings] == ["several-table-data"]
    assert decoded.as_dict()["data"] == "4142"
    assert decoded.as_dict()["blocks"] == [{"data": "41", "checksum_ok": True}, {"data": "42", "checksum_ok": True}]
    wrong = decode_response(bytes.fromhex("00 000141BF 00014200"), request)
    assert wrong.as_dict()["checksum_ok"] is False


def test_read_index_with_something_else_behind() -> None:
    decoded = decode_response(bytes.fromhex("00 000141BF 0002"), ReadIndexRequest(5, (0, 1), 1))
    assert isinstance(decoded, ReadIndexResponse)
    assert decoded.more == ()
    assert decoded.trailing == b"\x00\x02"
    assert [finding.code for finding in decoded.findings] == ["trailing-octets"]
    assert "blocks" not in decoded.as_dict()


def test_wrong_checksum_is_an_error_finding() -> None:
    decoded = decode_response(bytes.fromhex("00 000141BE"), ReadRequest(1))
    assert isinstance(decoded, ReadResponse)
    assert not decoded.checksum_ok
    assert decoded.as_dict()["checksum_ok"] is False
    assert [finding[:4] for finding in decoded.findings] == [("error", "table-checksum", "read.checksum", 4)]
    assert decoded.encode() == bytes.fromhex("00 000141BE")
    request = decode_request(bytes.fromhex("40 0007 000141BE"))
    assert [finding[:4] for finding in request.findings] == [("error", "table-checksum", "write.checksum", 6)]


def test_missing_empty_chunk_is_told() -> None:
    octets = b"\x00\xff\xff" + bytes(CHUNK) + b"\x00"
    decoded = decode_response(octets, ReadRequest(1))
    assert [finding.code for finding in decoded.findings] == ["chunk-missing"]
    assert decoded.encode() == octets


@pytest.mark.parametrize("procedure", ["1200", "0012", "1230", "3012"])
def test_the_procedure_that_logs_in_is_concealed(procedure: str) -> None:
    write = WriteRequest(7, TableData(bytes.fromhex(procedure) + b"\x01\x02\x00" + b"opensesame".ljust(20)))
    for shown in (repr(write), str(write), str(write.as_dict())):
        assert "opensesame" not in shown
        assert b"opensesame".hex() not in shown
    assert b"opensesame".hex() in write.as_dict(show_secrets=True)["data"]
    other = WriteRequest(7, TableData(bytes.fromhex("0500 2B 03 0201")))
    assert other.as_dict()["data"] == "05002b030201"


@pytest.mark.parametrize(
    ("asked", "octets", "concealed"),
    [
        (ReadRequest(7), "1200 01 0200 6F70656E", True),
        (ReadRequest(7), "0012 01 0002 6F70656E", True),
        (ReadRequest(0x1007), "0500 01 6F70656E", True),  # the event that activates it may be in front
        (ReadRequest(7), "0500 2B 03", False),
        (ReadOffsetRequest(7, 0, 9), "1200 01 0200 6F70656E", True),
        (ReadOffsetRequest(7, 0, 9), "0500 01 0200 6F70656E", False),
        (ReadOffsetRequest(7, 5, 4), "6F70656E", True),  # nothing tells of which procedure
        (ReadIndexRequest(7, (0,), 2), "1200 01 6F70656E", True),
        (ReadIndexRequest(7, (0,), 1), "0500", False),
        (ReadIndexRequest(7, (2,), 1), "0200 6F70656E", True),
        (ReadRequest(8), "1200 01 00", False),
    ],
)
def test_a_procedure_that_is_read_back(asked: Request, octets: str, concealed: bool) -> None:
    data = TableData(bytes.fromhex(octets))
    response = decode_response(b"\0" + data.write(), asked)
    assert response.as_dict()["data"] == ("<redacted>" if concealed else data.data.hex())
    assert (repr(data) in repr(response)) is not concealed
    assert response.as_dict(show_secrets=True)["data"] == data.data.hex()


@pytest.mark.parametrize("start", [1, 5])
def test_a_part_of_a_procedure_call_is_concealed(start: int) -> None:
    part = TableData(b"opensesame")
    for write in (WriteOffsetRequest(7, start, part), WriteIndexRequest(7, (start,), part)):
        assert write.as_dict()["data"] == "<redacted>"
        assert "opensesame" not in repr(write)
    assert WriteOffsetRequest(7, 0, part).as_dict()["data"] == b"opensesame".hex()


def test_octets_behind_a_secret_are_concealed_with_it() -> None:
    short = decode_request(bytes.fromhex("40 002A 0002 4141 7E") + b"the rest of it")
    assert short.trailing == b"the rest of it"
    assert "the rest" not in repr(short)
    assert "the rest" in repr(decode_request(bytes.fromhex("40 0001 0002 4141 7E") + b"the rest of it"))


@pytest.mark.parametrize("table", [42, 45, 46, 47, 0x1000 | 42, 0x2000 | 42, 0x302A, 0x802A])
def test_tables_of_secrets_are_concealed(table: int) -> None:
    key = TableData(b"topsecret")
    for request in (WriteRequest(table, key), WriteOffsetRequest(table, 0, key), WriteIndexRequest(table, (0,), key)):
        decoded = decode_request(request.encode())
        assert "topsecret" not in repr(decoded)
        assert decoded.as_dict()["data"] == "<redacted>"
        assert decoded.as_dict(show_secrets=True)["data"] == b"topsecret".hex()
    octets = b"\x00" + key.write()
    for read in (ReadRequest(table), ReadOffsetRequest(table, 0, 9), ReadIndexRequest(table, (0,), 1)):
        response = decode_response(octets, read)
        assert "topsecret" not in repr(response)
        assert response.as_dict()["data"] == "<redacted>"
        assert response.as_dict()["checksum_ok"] is True
        assert response.encode() == octets
    two = decode_response(octets + key.write(), ReadIndexRequest(table, (0, 0), 1))
    assert "topsecret" not in repr(two)
    assert b"topsecret".hex() not in str(two.as_dict())


@pytest.mark.parametrize("table", [1, 41, 0x0800 | 42, 0x1001])
def test_other_tables_are_not(table: int) -> None:
    request = decode_request(WriteRequest(table, TableData(b"open")).encode())
    assert request.as_dict()["data"] == b"open".hex()
    response = decode_response(b"\x00" + TableData(b"open").write(), ReadRequest(table))
    assert response.as_dict()["data"] == b"open".hex()
    assert b"open" in response.table_data.data  # type: ignore[attr-defined]


def test_default_services() -> None:
    response = decode_response(bytes.fromhex("00 000141BF"), ReadDefaultRequest())
    assert response.as_dict(show_secrets=True)["data"] == "41"
    assert decode_request(b"\x4e\x01\x02") == WriteDefaultRequest(b"\x01\x02")
    assert WriteDefaultRequest(b"\x01\x02").as_dict(show_secrets=True)["parameters"] == "0102"
    # the device may have chosen a table of passwords
    assert response.as_dict()["data"] == WriteDefaultRequest(b"\x01").as_dict()["parameters"] == "<redacted>"


def test_table_data_must_be_table_data() -> None:
    with pytest.raises(TypeError, match="TableData is needed, not bytes"):
        WriteRequest(7, b"octets")  # type: ignore[arg-type]
