"""A service that is not what its code says, kept so that the rest of its message can be read."""

from __future__ import annotations

from types import NoneType
from typing import Any

from c1222.errors import DecodeError, Finding
from c1222.services import REDACTED, REQUESTS, Request, Response, Service, decode_request, decode_response
from c1222.services.fields import REST, Beside
from c1222.services.service import beside, wire

__all__ = ["Answer", "MalformedService", "decode_service"]

_REQUESTS_FROM = 0x20


class MalformedService(Service):
    """A service whose octets are not what its code says.

    Args:
        octets: all octets of the service; concealed where such a service carries a secret.

    Attributes:
        fault: where they part from what the code says, counted from the first octet.
    """

    octets: bytes = wire(REST, secret=True)
    fault: DecodeError | None = beside(Beside(DecodeError, NoneType), default=None)

    @property
    def code(self) -> int:
        """The first octet."""
        return self.octets[0]

    @property
    def kind(self) -> str:  # type: ignore[override]  # a class variable elsewhere; here the octets tell
        """Whether the code is one of requests or of responses."""
        return "request" if self.code >= _REQUESTS_FROM else "response"

    @property
    def service(self) -> str | None:
        """Name of the service the code stands for."""
        known = REQUESTS.get(self.code)
        return None if known is None else known.label()

    @property
    def conceals(self) -> bool:
        """Whether the octets may hold a secret."""
        known = REQUESTS.get(self.code)
        return known is None or any(field.secret for field in known.fields)

    def encode(self) -> bytes:
        """Return the octets as they are."""
        return self.octets

    def as_dict(self, *, show_secrets: bool = False) -> dict[str, Any]:
        """Return code, service, kind and the octets."""
        octets = self.octets[1:].hex() if show_secrets or not self.conceals else REDACTED
        return {"code": self.code, "service": self.service, "kind": self.kind, "malformed": True, "octets": octets}

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What is wrong with the octets."""
        return () if self.fault is None else (self.fault.finding("malformed-service"),)


Answer = Response | MalformedService | None
"""What came back for one service: its response, octets that are none, or nothing."""


def decode_service(octets: bytes, request: Request | None = None) -> Service:
    """Decode a request or, by its code, a response; what cannot be decoded comes back as a `MalformedService`.

    Args:
        octets: all octets of the service, at least one.
        request: what it answers, for a response.
    """
    try:
        return decode_request(octets) if octets[0] >= _REQUESTS_FROM else decode_response(octets, request)
    except DecodeError as error:
        return MalformedService(octets, fault=error)
