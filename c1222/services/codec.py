"""From octets to services: which class a code belongs to, and which request a response answers.

A response does not name its request. Without the request only its result is certain; guesses are marked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from c1222.errors import DecodeError, EncodeError, Finding
from c1222.services.c1218 import AuthenticateRequest, NegotiateRequest, TimingSetupRequest
from c1222.services.fields import REST, U8, FieldForm
from c1222.services.identify import IdentifyRequest
from c1222.services.network import DeregisterRequest, RegisterRequest, ResolveRequest, TraceRequest
from c1222.services.responses import ErrorResponse, UnpairedResponse
from c1222.services.results import SERVICE_ERRORS
from c1222.services.service import Effect, Request, Response, beside, wire
from c1222.services.session import (
    DisconnectRequest,
    LogoffRequest,
    LogonRequest,
    SecurityRequest,
    TerminateRequest,
    WaitRequest,
)
from c1222.services.tables import (
    ReadDefaultRequest,
    ReadIndexRequest,
    ReadOffsetRequest,
    ReadRequest,
    WriteDefaultRequest,
    WriteIndexRequest,
    WriteOffsetRequest,
    WriteRequest,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from c1222.message.ber import Octets

__all__ = [
    "REQUESTS",
    "SERVICE_NAMES",
    "RawRequest",
    "align",
    "decode_request",
    "decode_response",
    "services_that",
]


_CLASSES: tuple[type[Request], ...] = (
    *(IdentifyRequest, TerminateRequest, DisconnectRequest),
    *(DeregisterRequest, ResolveRequest, TraceRequest, RegisterRequest),
    *(ReadRequest, ReadIndexRequest, ReadDefaultRequest, ReadOffsetRequest),
    *(WriteRequest, WriteIndexRequest, WriteDefaultRequest, WriteOffsetRequest),
    *(LogonRequest, SecurityRequest, LogoffRequest, WaitRequest),
    *(AuthenticateRequest, NegotiateRequest, TimingSetupRequest),
)

REQUESTS: Mapping[int, type[Request]] = {code: cls for cls in _CLASSES for code in cls.codes}
"""Request code to class."""

SERVICE_NAMES: Mapping[int, str] = {code: cls.label() for code, cls in REQUESTS.items()}
"""Request code to the name of the service."""


def services_that(*effects: Effect) -> frozenset[str]:
    """Return the names of the services that have one of these effects; one not understood is among those that change.

    Args:
        effects: what the services shall do.
    """
    classes: tuple[type[Request], ...] = (RawRequest, *REQUESTS.values())
    return frozenset([cls.label() for cls in classes if cls.effect in effects])


class _RequestCode(FieldForm[int]):
    """A code of a request."""

    __slots__ = ()

    def check(self, value: int) -> int:
        """Refuse response codes."""
        if U8.check(value) < 0x20:
            raise EncodeError(f"{value:02X} is a response code")
        return value


class RawRequest(Request):
    """A request that is not understood: an unknown code, or one that could not be read.

    Args:
        code: the first octet, 20..FF.
        parameters: octets after it; concealed where the service of this code carries passwords, keys or table data.
    """

    codes = tuple(range(0x20, 0x100))
    service = "unknown"
    effect = Effect.CHANGES

    code: int = beside(_RequestCode(), default=0x20)
    parameters: bytes = wire(REST, default=b"", secret=True)

    @property
    def conceals(self) -> bool:
        """Whether the parameters may hold a secret."""
        known = REQUESTS.get(self.code)
        return known is not None and any(field.secret for field in known.fields)

    @classmethod
    def decode(cls, octets: Octets) -> RawRequest:
        """Keep code and parameters as they are.

        Raises:
            DecodeError: the first octet is no request code.
        """
        self = super().decode(octets)
        object.__setattr__(self, "code", octets[0])
        return self

    @property
    def findings(self) -> tuple[Finding, ...]:
        """That the service is unknown."""
        return (Finding("warning", "unknown-service", "service.code", 0, f"service code {self.code:02X} is not known"),)

    def _key(self) -> tuple[Any, ...]:
        return self.code, self.parameters


def decode_request(octets: Octets) -> Request:
    """Read a service request.

    Args:
        octets: all octets of the service, without the length before it in EPSEM.

    Returns:
        The request; a :class:`RawRequest` with a finding where the code is not known.

    Raises:
        DecodeError: no octets, a response code, or parameters that are not those of the service.
    """
    if not len(octets):
        raise DecodeError("service", 0, "a service needs a code, and there are no octets")
    code = octets[0]
    if code < 0x20:
        raise DecodeError("service.code", 0, f"{code:02X} is a response code, a request was expected")
    known = REQUESTS.get(code)
    if known is None or type(octets) is not bytes:
        return (known or RawRequest).decode(octets)
    return known.decode_parameters(octets)


def decode_response(octets: Octets, request: Request | None = None) -> Response:
    """Read a service response.

    Args:
        octets: all octets of the service, without the length before it in EPSEM.
        request: the request it answers, see :func:`align`.

    Returns:
        The response to that request; an :class:`ErrorResponse` for any result but ok; an :class:`UnpairedResponse`
        for ok when the request is not known. Its ``request`` is the one given.

    Raises:
        DecodeError: no octets, a request code, or parameters that are not those of the response.
    """
    if not len(octets):
        raise DecodeError("response", 0, "a service needs a code, and there are no octets")
    code = octets[0]
    if code >= 0x20:
        raise DecodeError("response.code", 0, f"{code:02X} is a request code, a response was expected")
    if code:
        known = None if request is None or isinstance(request, RawRequest) else request.service
        response: Response = ErrorResponse.decode(octets, known)
    elif request is None or request.answer is None:
        response = UnpairedResponse.decode_parameters(octets if type(octets) is bytes else bytes(octets))
    else:
        response = request.answer.decode_parameters(octets if type(octets) is bytes else bytes(octets))
    if request is not None:
        object.__setattr__(response, "request", request)  # it is new, so nobody has seen it without
    return response


def align(requests: Sequence[Request], responses: Sequence[Octets]) -> list[int | None]:
    """Tell which request of a message each response of the answer belongs to.

    Responses come in the order of the requests, one each. Where there are fewer:

    * a single response that refuses the message as a whole (rqtl, rstl, sme, uat ...) belongs to no request;
    * one fewer, after a Security request: example 8 of the standard leaves out the response to Security, so the others
      are those of the requests behind it, unless the first response cannot be anything but Security's;
    * the last one an error: the responder stopped there, so they are those of the first requests;
    * otherwise nothing is certain.

    Args:
        requests: the requests in order.
        responses: the octets of the responses in order.

    Returns:
        For each response the index of its request, or None.
    """
    count, wanted = len(responses), len(requests)
    codes = [octets[0] if len(octets) else 0xFF for octets in responses]
    if count == 1 < wanted and (error := SERVICE_ERRORS.get(codes[0])) and error.whole_message:
        return [None]
    if count >= wanted:
        return [*range(wanted), *[None] * (count - wanted)]
    if count == wanted - 1 and count and isinstance(requests[0], SecurityRequest) and _fits(responses[0], requests[1]):
        return [*range(1, wanted)]
    if count and 0 < codes[-1] < 0x20:
        return [*range(count)]
    return [None] * count


def _fits(octets: Octets, request: Request) -> bool:
    try:
        decode_response(octets, request)
    except DecodeError:
        return False
    return True
