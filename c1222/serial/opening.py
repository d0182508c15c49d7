"""How a session is opened, service by service; what a device need not have is left out when it says so.

A generator that yields requests and is sent their responses, so that any loop can drive it. Nothing that a device
refuses for its content is tried in another form: wrong passwords are counted by meters, which lock [1].
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from c1222.errors import InvalidTag
from c1222.security.des import des_proof, is_des_answer
from c1222.services.c1218 import (
    BAUD_RATES,
    AuthenticateRequest,
    AuthenticateResponse,
    NegotiateRequest,
    TimingSetupRequest,
)
from c1222.services.identify import AuthenticationTicket, IdentifyRequest, IdentifyResponse
from c1222.services.responses import ErrorResponse
from c1222.services.results import Sns
from c1222.services.session import LogonRequest, SecurityRequest, TerminateRequest

if TYPE_CHECKING:
    from collections.abc import Generator

    from c1222.services import Request, Response

__all__ = ["Opening", "SerialLogon", "identify_device", "open_session", "prove_key", "set_up_link"]

Opening: TypeAlias = "Generator[Request, Response, IdentifyResponse]"


class SerialLogon(NamedTuple):
    """What a session is opened with. Shows neither password nor key.

    Attributes:
        user_id: number of the user, 0..65535.
        user: name of the user, up to 10 characters.
        password: up to 20 octets; None asks without, and only some tables are read then.
        key: key id and key of 8 octets, for C12.21; goes before the password.
        packet_size: octets of the largest packet that is wished for.
        packets: packets of a message that are wished for; 0 leaves Negotiate out.
        rates: bits per second that are offered, none where modem or port set the rate.
        timing: traffic, inter-character and response time-outs in seconds, and retries: Timing setup of C12.21.
        user_padding: octet that fills the name up.
        password_padding: octet that fills the password up: a space, 00 or "0", by the device [V].
    """

    user_id: int = 0
    user: str | bytes = b""
    password: str | bytes | None = None
    key: tuple[int, bytes] | None = None
    packet_size: int = 1024
    packets: int = 16
    rates: tuple[int, ...] = ()
    timing: tuple[int, int, int, int] | None = None
    user_padding: bytes = b" "
    password_padding: bytes = b" "

    def __repr__(self) -> str:
        return f"SerialLogon(user_id={self.user_id}, user={self.user!r})"


def open_session(logon: SerialLogon) -> Opening:
    """Yield the requests that open a session; return who answered Identify.

    Args:
        logon: what to open it with.

    Raises:
        Refusal: the device refuses what cannot be left out.
        InvalidTag: the device does not show that it has the key.
        EncodeError: a name, password or number does not fit.
    """
    who = yield from identify_device()
    yield from set_up_link(logon)
    _ok((yield LogonRequest.of(logon.user_id, logon.user, None, padding=logon.user_padding)))
    if logon.key is not None:
        yield from prove_key(who, *logon.key)
    elif logon.password is not None:
        _ok_or_not_there((yield SecurityRequest.of(logon.password, padding=logon.password_padding)))
    return who


def identify_device() -> Opening:
    """Yield the requests that tell who answers, and that end a session which somebody left open; return the answer.

    Raises:
        Refusal: the device refuses.
    """
    identified = yield IdentifyRequest()
    if isinstance(identified, ErrorResponse) and identified.result == "isss":
        yield TerminateRequest()
        identified = yield IdentifyRequest()
    who = _ok(identified)
    assert isinstance(who, IdentifyResponse)  # noqa: S101 - what else answers Identify with ok is no answer
    return who


def set_up_link(logon: SerialLogon) -> Generator[Request, Response, None]:
    """Yield the requests that agree on timers, sizes and rate, for a device that was identified.

    Raises:
        Refusal: the device refuses what it does support.
    """
    if logon.timing is not None:
        _ok_or_not_there((yield TimingSetupRequest(*logon.timing)))
    if logon.packets:
        codes = bytes(code for code, rate in BAUD_RATES.items() if rate in logon.rates)
        _ok_or_not_there((yield NegotiateRequest(logon.packet_size, logon.packets, codes)))


def prove_key(who: IdentifyResponse, key_id: int, key: bytes) -> Generator[Request, Response, None]:
    """Yield the request that proves that we have a key, and check that the device has it, too.

    Args:
        who: the answer to Identify, with its ticket.
        key_id: number of the key.
        key: 8 octets.

    Raises:
        Refusal: the device gave no ticket, or does not take the proof.
        InvalidTag: the device does not show that it has the key.
    """
    ticket = next((feature.ticket for feature in who.features if isinstance(feature, AuthenticationTicket)), None)
    if ticket is None:
        raise Sns("the device gave no ticket to encrypt", service="authenticate")
    answer = _ok((yield AuthenticateRequest(bytes((key_id,)) + des_proof(key, ticket))))
    if not isinstance(answer, AuthenticateResponse) or not is_des_answer(key, ticket, answer.data[1:]):
        raise InvalidTag("the device did not show that it has the key")


def _ok(response: Response) -> Response:
    if isinstance(response, ErrorResponse):
        raise response.error()
    return response


def _ok_or_not_there(response: Response) -> None:
    if not (isinstance(response, ErrorResponse) and response.result == "sns"):
        _ok(response)
