import pytest

from c1222.errors import EncodeError
from c1222.services import decode_request, decode_response
from c1222.services.session import LogonRequest, LogonResponse, SecurityRequest, WaitRequest


def test_security_with_and_without_user_id() -> None:
    password = b"PASSWORD".ljust(20)
    assert decode_request(b"\x51" + password) == SecurityRequest(password)
    assert decode_request(b"\x51" + password + b"\x00\x02") == SecurityRequest(password, 2)
    assert SecurityRequest(password) != SecurityRequest(password, 0)


def test_security_with_half_a_user_id() -> None:
    decoded = decode_request(b"\x51" + bytes(20) + b"\x07")
    assert isinstance(decoded, SecurityRequest)
    assert (decoded.user_id, decoded.trailing) == (None, b"\x07")
    assert [finding.code for finding in decoded.findings] == ["trailing-octets"]
    assert decoded.encode() == b"\x51" + bytes(20) + b"\x07"


def test_padding() -> None:
    assert SecurityRequest.of("ab").password == b"ab" + b" " * 18
    assert SecurityRequest.of(b"ab", padding=b"\x00").password == b"ab" + bytes(18)
    assert LogonRequest.of(1, "ab", padding=b"\x00").user == b"ab" + bytes(8)
    with pytest.raises(EncodeError):
        SecurityRequest.of("ab", padding=b"")
    with pytest.raises(EncodeError):
        LogonRequest.of(1, "имя")
    with pytest.raises(EncodeError):
        LogonRequest.of(1, "eleven char")


def test_a_text_as_a_password_is_its_octets_in_utf_8() -> None:
    for text in ("lecteur-démo", "пароль", "x" * 20, ""):
        assert SecurityRequest.of(text) == SecurityRequest.of(text.encode("utf-8"))
    assert LogonRequest.of(1, "démo").user == b"d\xe9mo".ljust(10)
    for wrong in ("й" * 11, "\udce9"):
        with pytest.raises(EncodeError) as caught:
            SecurityRequest.of(wrong)
        assert wrong not in str(caught.value)


def test_logon_forms() -> None:
    c1222 = LogonRequest.of(2, "USER", 60)
    c1218 = LogonRequest.of(2, "USER", None)
    assert len(c1222.encode()) == 15
    assert len(c1218.encode()) == 13
    assert c1222.as_dict() == {
        "code": 0x50, "service": "logon", "kind": "request", "user_id": 2, "user": "USER", "timeout": 60,
    }  # fmt: skip
    assert c1218.as_dict()["timeout"] is None
    assert decode_response(b"\x00\x00\x3c", c1222) == LogonResponse(60)
    assert decode_response(b"\x00", c1218) == LogonResponse(None)


@pytest.mark.parametrize(("user_id", "timeout"), [(-1, 0), (65536, 0), (0, 65536)])
def test_out_of_range(user_id: int, timeout: int) -> None:
    with pytest.raises(EncodeError):
        LogonRequest.of(user_id, "", timeout)


def test_wait() -> None:
    assert WaitRequest(255).encode() == b"\x70\xff"
    with pytest.raises(EncodeError):
        WaitRequest(256)
