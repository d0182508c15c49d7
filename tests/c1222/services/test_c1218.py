import pytest

from c1222.errors import EncodeError
from c1222.services import decode_request, decode_response
from c1222.services.c1218 import (
    BAUD_RATES,
    AuthenticateRequest,
    NegotiateRequest,
    TimingSetupRequest,
    TimingSetupResponse,
)


@pytest.mark.parametrize("count", range(12))
def test_negotiate_tells_its_codes_in_its_own(count: int) -> None:
    request = NegotiateRequest(64, 2, bytes(range(1, count + 1)))
    assert request.code == 0x60 + count
    assert request.encode() == bytes((0x60 + count, 0, 64, 2, *range(1, count + 1)))
    assert decode_request(request.encode()) == request
    assert request.as_dict()["baud_codes"] == list(range(1, count + 1))


def test_negotiate_has_room_for_eleven() -> None:
    with pytest.raises(EncodeError, match="12 baud codes"):
        NegotiateRequest(64, 2, bytes(12))


def test_negotiate_of_the_local_port_leaves_its_channels() -> None:
    decoded = decode_request(bytes.fromhex("630057020608 0B01"))
    assert [finding.code for finding in decoded.findings] == ["trailing-octets"]


def test_baud_rates() -> None:
    rates = (300, 600, 1200, 2400, 4800, 9600, 14400, 19200, 28800, 57600, 38400, 115200, 128000, 256000)
    assert dict(enumerate(rates, 1)) == BAUD_RATES


def test_timing_setup_has_three_times_and_then_the_retries() -> None:
    request = TimingSetupRequest(traffic=30, inter_character=1, response=4, retries=3)
    assert request.encode() == bytes.fromhex("71 1E 01 04 03")
    answer = decode_response(bytes.fromhex("00 1E 01 04 03"), request)
    assert answer == TimingSetupResponse(traffic=30, inter_character=1, response=4, retries=3)


def test_authenticate_is_concealed() -> None:
    request = AuthenticateRequest(b"\x01ticket")
    answer = decode_response(b"\x00\x02\x01\x02", request)
    assert "ticket" not in repr(request)
    assert request.as_dict()["data"] == answer.as_dict()["data"] == "<redacted>"
    assert answer.as_dict(show_secrets=True)["data"] == "0102"
    with pytest.raises(EncodeError):
        AuthenticateRequest(bytes(256))
