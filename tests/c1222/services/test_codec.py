import pytest

from c1222.errors import DecodeError, EncodeError
from c1222.services import (
    REQUESTS,
    RESULT_NAMES,
    SERVICE_ERRORS,
    SERVICE_NAMES,
    ErrorResponse,
    RawRequest,
    UnpairedResponse,
    align,
    decode_request,
    decode_response,
    session,
    tables,
)

SECURITY = session.SecurityRequest.of("x", 2)
READ = tables.ReadRequest(1)
WRITE = tables.WriteRequest(1, tables.TableData(b"x"))
OK = b"\x00"
DATA = bytes.fromhex("00000141BF")
ISC = b"\x03"
SME = b"\x0b"


def test_every_service_code_is_there() -> None:
    codes = {
        *(0x20, 0x21, 0x22, 0x24, 0x25, 0x26, 0x27, 0x30, *range(0x31, 0x3A), 0x3E, 0x3F, 0x40, *range(0x41, 0x4A)),
        *(0x4E, 0x4F, 0x50, 0x51, 0x52, 0x53, *range(0x60, 0x6C), 0x70, 0x71),
    }
    assert set(REQUESTS) == codes == set(SERVICE_NAMES)
    for code, cls in REQUESTS.items():
        assert code in cls.codes
        assert cls.answer is not None
        assert cls.answer.answers is cls
        assert cls.answer.__name__ == cls.__name__.replace("Request", "Response")
        assert cls.__doc__
        assert cls.answer.__doc__


def test_service_names() -> None:
    names = [
        "identify",
        "terminate",
        "disconnect",
        "deregister",
        "resolve",
        "trace",
        "register",
        "read",
        "read-index",
        "read-default",
        "read-offset",
        "write",
        "write-index",
        "write-default",
        "write-offset",
        "logon",
        "security",
        "logoff",
        "authenticate",
        "negotiate",
        "wait",
        "timing-setup",
    ]
    assert len(set(SERVICE_NAMES.values())) == len(names)
    assert set(SERVICE_NAMES.values()) == set(names)
    assert SERVICE_NAMES[0x35] == "read-index"
    assert SERVICE_NAMES[0x3F] == "read-offset"
    assert SERVICE_NAMES[0x51] == "security"


@pytest.mark.parametrize("code", sorted(set(range(0x20, 0x100)) - set(REQUESTS)))
def test_unknown_request_is_kept_and_told(code: int) -> None:
    decoded = decode_request(bytes((code, 1, 2)))
    assert isinstance(decoded, RawRequest)
    assert (decoded.code, decoded.parameters) == (code, b"\x01\x02")
    assert decoded.as_dict() == {"code": code, "service": "unknown", "kind": "request", "parameters": "0102"}
    (finding,) = decoded.findings
    assert finding.code == "unknown-service"
    assert f"{code:02X}" in finding.text
    assert decode_response(OK, decoded) == UnpairedResponse()
    assert decode_response(ISC, decoded).service is None


def test_raw_request_hides_what_may_be_a_secret() -> None:
    raw = RawRequest(0x51, b"PASSW")
    assert "PASSW" not in repr(raw)
    assert raw.as_dict()["parameters"] == "<redacted>"
    assert raw.as_dict(show_secrets=True)["parameters"] == b"PASSW".hex()
    with pytest.raises(EncodeError):
        RawRequest(0x1F)


@pytest.mark.parametrize(
    ("octets", "path", "offset"),
    [
        ("", "service", 0),
        ("00", "service.code", 0),
        ("1F", "service.code", 0),
        ("30", "read.table", 1),
        ("3000", "read.table", 1),
        ("3F0001", "read-offset.offset", 3),
        ("3F000100001000", "read-offset.count", 6),
        ("31 0001 00", "read-index.indices", 3),
        ("40 0001 0005 01", "write.table_data.count", 3),
        ("40 0001 0001 01", "write.table_data.count", 3),
        ("40 0001 00", "write.table_data", 3),
        ("51 00", "security.password", 1),
        ("25 07 00", "resolve.ap_title", 1),
        ("25 80 03 7B", "resolve.ap_title", 3),
        ("26 80 01 05 80 09", "trace.ap_titles.1", 6),
        ("53 05 00", "authenticate.data.length", 1),
        ("63 0040 02 06", "negotiate.baud_codes", 4),
        ("70", "wait.seconds", 1),
    ],
)
def test_where_a_request_is_wrong(octets: str, path: str, offset: int) -> None:
    with pytest.raises(DecodeError) as caught:
        decode_request(bytes.fromhex(octets))
    assert (caught.value.path, caught.value.offset) == (path, offset)
    assert caught.value.reason


@pytest.mark.parametrize(
    ("octets", "path"), [("", "response"), ("20", "response.code"), ("80", "response.code"), ("00", "read.table_data")]
)
def test_where_a_response_is_wrong(octets: str, path: str) -> None:
    with pytest.raises(DecodeError) as caught:
        decode_response(bytes.fromhex(octets), READ)
    assert caught.value.path == path


def test_a_class_refuses_the_code_of_another() -> None:
    with pytest.raises(DecodeError, match="3F is not a code of ReadRequest"):
        tables.ReadRequest.decode(bytes.fromhex("3F0001"))
    with pytest.raises(DecodeError, match="nothing is not a code"):
        tables.ReadRequest.decode(b"")


def test_octets_of_any_kind() -> None:
    for octets in (bytearray(b"\x30\x00\x01"), memoryview(b"\x30\x00\x01")):
        decoded = decode_request(octets)
        assert decoded == READ
        assert decoded.encode() == b"\x30\x00\x01"
    assert decode_response(memoryview(DATA), READ).as_dict()["data"] == "41"
    with pytest.raises(TypeError):
        tables.ReadRequest.decode(3)  # type: ignore[arg-type]


def test_response_without_request_tells_the_result_only() -> None:
    assert decode_response(OK) == UnpairedResponse()
    assert decode_response(OK).findings == ()
    assert decode_response(OK).as_dict() == {"code": 0, "kind": "response", "result": "ok", "service": None}
    assert decode_response(ISC).as_dict() == {"code": 3, "kind": "response", "result": "isc", "service": None}


@pytest.mark.parametrize("octets", [DATA, ISC])
def test_response_keeps_its_request(octets: bytes) -> None:
    response = decode_response(octets, READ)
    assert response.request is READ
    assert response == decode_response(octets, READ).replace(request=None)
    assert decode_response(octets).request is None


def test_guess_is_told_as_a_guess() -> None:
    decoded = decode_response(DATA)
    assert isinstance(decoded, UnpairedResponse)
    assert decoded.guess == tables.TableData(b"A")
    assert [(finding.level, finding.code) for finding in decoded.findings] == [("note", "guessed")]
    shown = decoded.as_dict()
    assert shown["service"] is None
    assert "data" not in shown
    assert shown["parameters"] == "<redacted>"  # the table may be one of passwords
    assert shown["guessed"] == {"data": "<redacted>", "checksum_ok": True}
    assert "41BF" not in repr(decoded).upper().replace("\\X", "")
    told = decoded.as_dict(show_secrets=True)
    assert (told["parameters"], told["guessed"]["data"]) == (DATA[1:].hex(), "41")


def test_an_answer_too_short_for_table_data_is_shown_without_its_request() -> None:
    logon = decode_response(bytes.fromhex("00 003C"))
    assert logon.as_dict()["parameters"] == "003c"
    assert decode_response(bytes.fromhex("00 0001 41")).as_dict()["parameters"] == "000141"
    damaged = decode_response(bytes.fromhex("00 0005 41424344"))  # cut, but the octets are those of a table
    assert damaged.as_dict()["parameters"] == "<redacted>"


@pytest.mark.parametrize("octets", ["00 000141BE", "00 000141BF00", "00 000241BF", "00 003C"])
def test_no_guess_unless_count_length_and_checksum_fit(octets: str) -> None:
    decoded = decode_response(bytes.fromhex(octets))
    assert isinstance(decoded, UnpairedResponse)
    assert decoded.guess is None
    assert "guessed" not in decoded.as_dict()
    assert [finding.code for finding in decoded.findings] == ["no-request"]


def test_every_response_code() -> None:
    assert sorted(RESULT_NAMES) == list(range(0x20))
    for code, name in RESULT_NAMES.items():
        decoded = decode_response(bytes((code,)), WRITE)
        assert (decoded.code, decoded.result, decoded.service) == (code, name, "write")
        assert decoded.as_dict()["result"] == name
        if code:
            assert isinstance(decoded, ErrorResponse)
            assert type(decoded.error()) is SERVICE_ERRORS[code]


@pytest.mark.parametrize(
    ("requests", "responses", "places"),
    [
        ([READ], [DATA], [0]),
        ([SECURITY, READ, READ], [OK, DATA, DATA], [0, 1, 2]),
        ([SECURITY, READ], [DATA], [1]),  # example 8: the response to Security is missing
        ([SECURITY, READ, READ], [DATA, ISC], [1, 2]),
        ([SECURITY, READ], [ISC], [1]),
        ([SECURITY, WRITE], [OK], [1]),
        ([SECURITY, READ], [OK], [None]),  # cannot be the read's, and nothing after it
        ([SECURITY, READ, READ], [OK, ISC], [0, 1]),  # stopped at the first error
        ([READ, READ], [SME], [None]),  # the message as a whole
        ([SECURITY, READ], [b"\x10\x00\x00\x02\x00"], [None]),
        ([READ], [SME], [0]),
        ([READ, READ, READ], [DATA, ISC], [0, 1]),
        ([READ, READ, READ], [DATA, DATA], [None, None]),
        ([READ], [DATA, DATA], [0, None]),
        ([READ, WRITE], [], []),
        ([], [DATA], [None]),
        ([], [], []),
        ([SECURITY, READ], [b""], [None]),
    ],
)
def test_align(requests: list, responses: list[bytes], places: list[int | None]) -> None:
    assert align(requests, responses) == places


def test_a_second_field_of_trailing_octets_is_told() -> None:
    decoded = decode_request(bytes.fromhex("30 0001 AABB"))
    assert isinstance(decoded, tables.ReadRequest)
    assert decoded.trailing == b"\xaa\xbb"
    (finding,) = decoded.findings
    assert finding[:4] == ("warning", "trailing-octets", "read.trailing", 3)
    assert decoded.encode() == bytes.fromhex("300001AABB")
    assert decoded != READ
