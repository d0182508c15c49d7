import pickle

import pytest

from c1222.errors import C1222Error, EncodeError, RemoteError, ServiceError
from c1222.services import RESULT_NAMES, SERVICE_ERRORS, ErrorResponse, decode_response, results, tables
from c1222.services.network import TraceRequest
from tests.c1222.services.examples import HOST, METER


def test_names() -> None:
    names = [
        "ok",
        "err",
        "sns",
        "isc",
        "onp",
        "iar",
        "bsy",
        "dnr",
        "dlk",
        "rno",
        "isss",
        "sme",
        "uat",
        "nett",
        "netr",
        "rqtl",
        "rstl",
        "sgnp",
        "sgerr",
    ]
    assert [RESULT_NAMES[code] for code in range(0x13)] == names
    assert all(RESULT_NAMES[code] == f"reserved-{code:02x}" for code in range(0x13, 0x20))


@pytest.mark.parametrize("code", range(1, 0x20))
def test_every_code_explains_itself(code: int) -> None:
    error = SERVICE_ERRORS[code]
    assert error.code == code
    assert issubclass(error, ServiceError)
    assert issubclass(error, RemoteError)
    for text in (error.meaning, error.cause, error.remedy):
        assert text.endswith(".")
        assert len(text.split()) >= 5
    said = str(error("table 1", service="read"))
    for part in ("read", error.name, error.title, "table 1", error.meaning, error.cause, error.remedy):
        assert part in said
    assert error.__doc__
    assert error.__doc__.startswith(f"{code:02X}: ")


def test_named_classes() -> None:
    assert (results.Err.code, results.Sns.code, results.Isc.code, results.Sgerr.code) == (1, 2, 3, 0x12)
    assert {error.name for error in SERVICE_ERRORS.values() if error.transient} == {
        *("bsy", "dnr", "dlk", "nett", "netr", "sgerr")
    }
    assert issubclass(SERVICE_ERRORS[0x1E], results.Reserved)


def test_response_from_an_error_and_back() -> None:
    response = ErrorResponse.of(results.Iar("no such table"), "read")
    assert response.encode() == b"\x05"
    assert response.service == "read"
    error = response.error("table 9")
    assert isinstance(error, results.Iar)
    assert error.service == "read"
    assert "table 9" in str(error)
    assert ErrorResponse.of(ServiceError()).code == 1
    assert pickle.loads(pickle.dumps(error)).service == "read"
    with pytest.raises(C1222Error):
        raise error


@pytest.mark.parametrize("kind", [results.Rqtl, results.Rstl])
def test_size_limits(kind: type[results.Rqtl]) -> None:
    response = ErrorResponse.of(kind.of(512))
    assert response.encode() == bytes((kind.code, 0, 0, 2, 0))
    assert response.details == {"max_size": 512}
    error = response.error()
    assert isinstance(error, kind)
    assert error.max_size == 512
    assert "max size 512" in str(error)
    for octets in ("02", "0200", "000200", "00000200"):
        decoded = decode_response(bytes((kind.code,)) + bytes.fromhex(octets))
        assert isinstance(decoded, ErrorResponse)
        assert decoded.details["max_size"] == int(octets, 16)
        assert decoded.findings == ()
        assert decoded.encode() == bytes((kind.code,)) + bytes.fromhex(octets)
    for bad in (-1, 1 << 32):
        with pytest.raises(EncodeError):
            kind.of(bad)


def test_size_limits_missing_or_overlong() -> None:
    without = decode_response(b"\x0f")
    assert [(finding.level, finding.code) for finding in without.findings] == [("note", "parameter-missing")]
    assert without.error().max_size is None  # type: ignore[attr-defined]
    overlong = decode_response(b"\x0f\x00\x00\x00\x02\x00")
    assert [finding[:4] for finding in overlong.findings] == [("warning", "trailing-octets", "response.parameters", 1)]
    assert overlong.as_dict()["parameters"] == "0000000200"


@pytest.mark.parametrize(
    ("offset", "size", "octets"),
    [(0x30, 0x51, "123051"), (0x30, 0x151, "1200300151"), (0x10000, 0x20000, "12010000020000")],
)
def test_segmentation_error(offset: int, size: int, octets: str) -> None:
    response = ErrorResponse.of(results.Sgerr.of(offset, size))
    assert response.encode().hex() == octets
    assert response.details == {"offset": offset, "apdu_size": size}
    assert response.as_dict() == {
        "code": 18, "kind": "response", "result": "sgerr", "service": None, "offset": offset, "apdu_size": size,
    }  # fmt: skip
    with pytest.raises(EncodeError):
        results.Sgerr.of(0, 1 << 24)
    assert decode_response(b"\x12\x00\x00\x00").findings


def test_failed_trace_tells_how_far_it_got() -> None:
    request = TraceRequest((HOST,))
    decoded = decode_response(bytes.fromhex("0D 80027B04 80037BC175"), request)
    assert isinstance(decoded, ErrorResponse)
    assert decoded.details == {"titles": (HOST, METER)}
    assert decoded.as_dict()["titles"] == [".123.4", ".123.8437"]
    assert decoded.findings == ()
    broken = decode_response(bytes.fromhex("0D 8009"), request)
    assert [finding.code for finding in broken.findings] == ["trailing-octets"]
    elsewhere = decode_response(bytes.fromhex("0D 80027B04"), tables.ReadRequest(1))
    assert [finding.code for finding in elsewhere.findings] == ["trailing-octets"]


def test_error_response_equality() -> None:
    assert ErrorResponse(3) != ErrorResponse(4)
    assert ErrorResponse(3, service="read") == ErrorResponse(3)
    for code in (0, 0x20, -1):
        with pytest.raises(EncodeError):
            ErrorResponse(code)
    with pytest.raises(TypeError):
        ErrorResponse(3, service=5)  # type: ignore[arg-type]
