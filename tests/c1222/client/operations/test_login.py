"""As which user a client talks to a meter."""

from __future__ import annotations

from c1222.client.operations.conversation import Login
from c1222.services.session import LogonRequest, SecurityRequest

FIRST = Login(LogonRequest.of(7, "reader", 60), SecurityRequest.of("secret", 7, padding=b"\0"), b"\0", session=True)


def test_what_is_not_given_stays() -> None:
    assert FIRST.of_user(None, None, None, None) == FIRST
    assert FIRST.of_user(None, None, None, 30).logon == LogonRequest.of(7, "reader", 30)


def test_another_user_keeps_the_password_and_a_new_password_the_padding() -> None:
    other = FIRST.of_user(9, None, None, None)
    assert other.logon == LogonRequest.of(9, "reader", 60)
    assert other.security == SecurityRequest.of("secret", 9, padding=b"\0")
    assert FIRST.of_user(None, None, "new", None).security == SecurityRequest.of("new", 7, padding=b"\0")
    assert FIRST._replace(security=None).of_user(9, "other", None, 60).security is None


def test_the_password_is_in_no_repr() -> None:
    assert "secret" not in repr(FIRST)
    assert b"secret".hex() not in repr(FIRST)
