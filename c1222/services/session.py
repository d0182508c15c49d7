"""Services that open, guard, stretch and end a session: Logon, Security, Logoff, Terminate, Disconnect, Wait.

Origin: C12.22-2008 with errata and IEEE 1703-2012 as read by Elster MeteringSDK, Wireshark, icsnpp-c1222 and
termineter; Security also from example 8 of the standard and a capture [V].
"""

from __future__ import annotations

from typing import Self

from c1222.services.fields import U8, U16, Maybe, Octets, Text, padded
from c1222.services.service import Effect, Request, Response, wire

__all__ = [
    "DisconnectRequest",
    "DisconnectResponse",
    "LogoffRequest",
    "LogoffResponse",
    "LogonRequest",
    "LogonResponse",
    "SecurityRequest",
    "SecurityResponse",
    "TerminateRequest",
    "TerminateResponse",
    "WaitRequest",
    "WaitResponse",
]

_USER_SIZE = 10
_PASSWORD_SIZE = 20


class LogonRequest(Request):
    """Open a session [V].

    Args:
        user_id: number of the user, 0..65535.
        user: name of the user, 10 octets; :meth:`of` pads it.
        timeout: idle time after which the session ends, in seconds, 0 for never. None in the form of C12.18 and
            C12.21, which has no such field.
    """

    code = 0x50
    service = "logon"
    effect = Effect.OPENS

    user_id: int = wire(U16)
    user: bytes = wire(Text(_USER_SIZE))
    timeout: int | None = wire(Maybe(U16), default=None)

    @classmethod
    def of(cls, user_id: int, user: str | bytes = "", timeout: int | None = 60, *, padding: bytes = b" ") -> Self:
        """Make a request from a name of up to 10 characters.

        Raises:
            EncodeError: the name is too long or not Latin-1, or a number is out of range.
        """
        return cls(user_id, padded("user", user, _USER_SIZE, padding), timeout)


class LogonResponse(Response):
    """The session is open.

    Args:
        timeout: the granted idle time in seconds, which may differ from the one asked for; 0 for never. None in the
            form of C12.18 and C12.21.
    """

    answers = LogonRequest

    timeout: int | None = wire(Maybe(U16), default=None)


class SecurityRequest(Request):
    """Present a password. In a session it holds until Logoff, without one until the end of the message [V].

    Args:
        password: 20 octets, all compared; :meth:`of` pads them.
        user_id: number of the user; given in sessionless messages, None in a session, where Logon gave it. On the
            wire its presence shows in the length only (icsnpp-c1222 has it the other way round).
    """

    code = 0x51
    service = "security"
    effect = Effect.PROVES

    password: bytes = wire(Octets(_PASSWORD_SIZE), secret=True)
    user_id: int | None = wire(Maybe(U16), default=None)

    @classmethod
    def of(cls, password: str | bytes, user_id: int | None = None, *, padding: bytes = b" ") -> Self:
        """Make a request from a password of up to 20 octets.

        Args:
            password: text, encoded as UTF-8, or octets.
            user_id: see the class.
            padding: a space; some C12.18 devices want 00.

        Raises:
            EncodeError: the password is too long or has no UTF-8, or the user id is out of range.
        """
        return cls(padded("password", password, _PASSWORD_SIZE, padding, encoding="UTF-8"), user_id)


class SecurityResponse(Response):
    """The password is right. Example 8 of the standard leaves this response out of the message."""

    answers = SecurityRequest


class LogoffRequest(Request):
    """End the session, keep the connection [V]."""

    code = 0x52
    service = "logoff"
    effect = Effect.ENDS


class LogoffResponse(Response):
    """The session has ended."""

    answers = LogoffRequest


class TerminateRequest(Request):
    """Abort the session at once, from any state [1]."""

    code = 0x21
    service = "terminate"
    effect = Effect.ENDS


class TerminateResponse(Response):
    """The session has ended."""

    answers = TerminateRequest


class DisconnectRequest(Request):
    """End the session and release the connection [1]."""

    code = 0x22
    service = "disconnect"
    effect = Effect.ENDS


class DisconnectResponse(Response):
    """The connection will be released."""

    answers = DisconnectRequest


class WaitRequest(Request):
    """Stretch the next idle time-out once.

    Args:
        seconds: by how much, 0..255. Layout [V]; "once", and only in a session, [?].
    """

    code = 0x70
    service = "wait"
    effect = Effect.STRETCHES

    seconds: int = wire(U8)


class WaitResponse(Response):
    """The time-out is stretched."""

    answers = WaitRequest
