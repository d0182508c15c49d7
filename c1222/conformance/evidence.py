"""What went over the wire during a check, for the report: octets and services, without secrets.

A message that carries a password, or a table of passwords or keys, shows its user information only where it is
encrypted; services never show secrets. What is kept is bounded: the first messages of a check and its last.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from c1222.errors import DecodeError
from c1222.message.acse import decode_acse
from c1222.message.epsem import SecurityMode
from c1222.services import Request

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from c1222.protocol.message import Message
    from c1222.services import Service

__all__ = ["FIRST", "LAST", "Evidence", "Log", "answer_conceals", "conceals", "hex_of", "shown_services"]

FIRST: Final = 4
"""Messages kept from the beginning of a check."""
LAST: Final = 12
"""And from its end."""
_HIDDEN: Final = "xx"
_MAX_OCTETS: Final = 2048


class Evidence(NamedTuple):
    """One message.

    Attributes:
        direction: ``sent`` or ``received``.
        time: seconds since the run began.
        hex: its octets; ``xx`` stands for one that is concealed, and ``…`` for the rest of a very long message.
        services: what was asked or answered, as JSON; empty where that is not known.
        authenticated: whether its MAC is right; None in cleartext, and where nobody looked.
        note: what is peculiar about it; empty for nothing.
    """

    direction: str
    time: float
    hex: str
    services: tuple[dict[str, Any], ...] = ()
    authenticated: bool | None = None
    note: str = ""


class Log:
    """What went over the wire since the last `take`."""

    def __init__(self) -> None:
        self._first: list[Evidence] = []
        self._last: list[Evidence] = []
        self._left_out = 0
        self._beside: list[Evidence] | None = None

    @contextmanager
    def beside(self) -> Iterator[list[Evidence]]:
        """Also put what is added within into a list, to be shown again where it matters."""
        before, self._beside = self._beside, []
        try:
            yield self._beside
        finally:
            self._beside = before

    def add(self, evidence: Evidence) -> None:
        """Add a message."""
        if self._beside is not None and len(self._beside) < FIRST:
            self._beside.append(evidence)
        if len(self._first) < FIRST:
            self._first.append(evidence)
            return
        self._last.append(evidence)
        if len(self._last) > LAST:
            del self._last[0]
            self._left_out += 1

    def take(self) -> tuple[tuple[Evidence, ...], int]:
        """Return what is kept, and how many messages between the first and the last are not; then start over."""
        kept, left_out = (*self._first, *self._last), self._left_out
        self._first, self._last, self._left_out = [], [], 0
        return kept, left_out


def conceals(services: Iterable[Service]) -> bool:
    """Return whether a message with these services, or the answer to it, may hold a secret."""
    services = tuple(services)
    return any(_conceals(service, type(service)) for service in services) or answer_conceals(services)


def answer_conceals(services: Iterable[Service]) -> bool:
    """Return whether the answer to a message with these services may hold a secret."""
    asked = [service for service in services if isinstance(service, Request)]
    return any(request.answer is not None and _conceals(request, request.answer) for request in asked)


def _conceals(service: Service, kind: type[Service]) -> bool:
    return service.conceals and any(field.secret for field in kind.fields)


def hex_of(octets: bytes, *, secret: bool) -> str:
    """Return octets as hex.

    Args:
        octets: an APDU, or whatever was sent instead of one.
        secret: whether its user information holds a secret, to be concealed unless it is encrypted.
    """
    shown = octets[:_MAX_OCTETS].hex() + "…" * (len(octets) > _MAX_OCTETS)
    if not secret:
        return shown
    try:
        _, start, end = decode_acse(octets, max_size=len(octets)).user_information
    except DecodeError:
        return _HIDDEN * min(len(octets), _MAX_OCTETS)
    if start < end and octets[start] >> 2 & 3 == SecurityMode.CIPHERTEXT_AUTHENTICATION:
        return shown
    hidden = octets[: start + 1].hex() + _HIDDEN * (end - start - 1) + octets[end:].hex()
    return hidden[: 2 * _MAX_OCTETS]


def shown_services(message: Message) -> tuple[dict[str, Any], ...]:
    """Return the services of a message as JSON, without secrets."""
    return tuple(service.as_dict() for service in message.services)
