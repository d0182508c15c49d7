"""What a node can do wrong on purpose: data with hooks, and what the hooks are made with.

A misbehaviour has an id, says what the node does, what a good head-end makes of it, and which checks must notice it.
Its hooks are functions: ``arrive`` takes an APDU that came in and gives those that the meter gets; ``serve`` carries a
service out in the meter's place; ``leave`` takes an answer and gives those that go out, each with seconds to hold it
back. What a hook cannot do to an APDU it leaves alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from c1222.errors import DecodeError
from c1222.message.epsem import SecurityMode
from c1222.protocol.composing import encode
from c1222.protocol.message import Message
from c1222.protocol.opening import decode

if TYPE_CHECKING:
    from c1222.node.meter.meter import SimulatedMeter
    from c1222.protocol.responder.execution import Context
    from c1222.protocol.responder.responder import Responder
    from c1222.security.keys import KeyStore
    from c1222.services import Request, Response, Service

__all__ = ["Arrive", "Leave", "Misbehaviour", "Serve", "Subject", "arriving", "leaving", "opened", "remade", "serving"]

Arrive = Callable[[bytes, "Subject"], Iterable[bytes]]
Leave = Callable[[bytes, "Subject"], Iterable[tuple[bytes, float]]]
Serve = Callable[["Request", "Context", "Subject"], "Response"]
_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


class Subject(Protocol):
    """The node that misbehaves, as hooks know it.

    Attributes:
        keys: its keys.
        meter: its meter.
        responder: its side of the protocol.
        scratch: whatever the misbehaviour remembers.
    """

    keys: KeyStore
    meter: SimulatedMeter
    responder: Responder
    scratch: dict[str, Any]

    def serve(self, request: Request, context: Context) -> Response:
        """Carry a service out as a meter should.

        Raises:
            ServiceError: it is refused.
        """


class Misbehaviour(NamedTuple):
    """Something that a node does wrong.

    Attributes:
        id: stable, lower-case, hyphenated.
        title: what the node does.
        good: what a good head-end makes of it.
        caught: ids of the checks that notice it; none where only a head-end can.
        secured: it takes keys.
        arrive: see the module.
        serve: see the module.
        leave: see the module.
        policy: what of the node's policy is another.
        forgets: the node forgets what it has taken, and what it answered.
    """

    id: str
    title: str
    good: str
    caught: tuple[str, ...]
    secured: bool = False
    arrive: Arrive | None = None
    serve: Serve | None = None
    leave: Leave | None = None
    policy: Mapping[str, Any] = _NOTHING
    forgets: bool = False


def arriving(
    id: str,  # noqa: A002
    title: str,
    good: str,
    *caught: str,
    **flags: Any,
) -> Callable[[Arrive], Misbehaviour]:
    """Make a misbehaviour of the function below, which changes what comes in; see `Misbehaviour`."""
    return lambda arrive: Misbehaviour(id, title, good, caught, arrive=arrive, **flags)


def serving(
    id: str,  # noqa: A002
    title: str,
    good: str,
    *caught: str,
    **flags: Any,
) -> Callable[[Serve], Misbehaviour]:
    """Make a misbehaviour of the function below, which carries services out; see `Misbehaviour`."""
    return lambda serve: Misbehaviour(id, title, good, caught, serve=serve, **flags)


def leaving(
    id: str,  # noqa: A002
    title: str,
    good: str,
    *caught: str,
    **flags: Any,
) -> Callable[[Leave], Misbehaviour]:
    """Make a misbehaviour of the function below, which changes what goes out; see `Misbehaviour`."""
    return lambda leave: Misbehaviour(id, title, good, caught, leave=leave, **flags)


def opened(octets: bytes, keys: KeyStore) -> Message:
    """Return a message that can be made again with changes.

    Raises:
        DecodeError: it is none, it cannot be opened, or key id and vector are not in it.
    """
    message = decode(octets, keys=keys)
    if message.acse is None or message.acse.is_segment or message.acse.unknown:
        raise DecodeError("message", 0, "it is a segment, or has elements that cannot be made again")
    if message.security_mode is not SecurityMode.CLEARTEXT and not message.authenticated:
        raise DecodeError("message", 0, "it cannot be opened")
    return message


def remade(
    octets: bytes,
    keys: KeyStore,
    services: Callable[[list[Service]], list[Service]] | None = None,
    **parts: Any,
) -> bytes:
    """Return a message with changes, sealed again.

    Args:
        octets: the message.
        keys: to open and seal it with.
        services: makes its services from what they were.
        parts: what else is another, by the names of `Message`.

    Raises:
        DecodeError: see `opened`.
    """
    message = opened(octets, keys)
    made: dict[str, Any] = {name: getattr(message, name) for name in Message.PARTS} | parts
    made["services"] = list(message.services) if services is None else services(list(message.services))
    return encode(Message(**made), keys=keys)
