"""Services of nodes and relays: Register, Deregister, Resolve, Trace.

Origin: Itron's stack (both ends) and icsnpp-c1222 (grammar and traces). The tag of relative titles inside services is
80 in one and 0D in the other: 06, 80 and 0D are accepted, 80 is sent unless set otherwise.
"""

from __future__ import annotations

from enum import IntFlag
from typing import TYPE_CHECKING, Self

from c1222.errors import EncodeError, Finding
from c1222.services.fields import RELATIVE_TAG, TITLE, TITLES, U16, U24, Counted, Flags, Maybe, Octets
from c1222.services.service import Effect, Request, Response, Service, beside, wire

if TYPE_CHECKING:
    from c1222.message.aptitle import ApTitle

__all__ = [
    "ConnectionType",
    "DeregisterRequest",
    "DeregisterResponse",
    "NodeType",
    "RegisterRequest",
    "RegisterResponse",
    "RegistrationInfo",
    "ResolveRequest",
    "ResolveResponse",
    "TraceRequest",
    "TraceResponse",
]


class NodeType(IntFlag):
    """What a node is. RELAY and END_DEVICE [V], the others [1]."""

    RELAY = 0x01
    MASTER_RELAY = 0x02
    HOST = 0x04
    NOTIFICATION_HOST = 0x08
    AUTHENTICATION_HOST = 0x10
    END_DEVICE = 0x20
    RESERVED_6 = 0x40
    DOMAIN_PATTERN = 0x80
    """The request ends with a pattern."""


class ConnectionType(IntFlag):
    """How a node that registers can be reached [1]."""

    BROADCAST_AND_MULTICAST = 0x01
    ACCEPTANCE_WINDOW = 0x02
    PLAYBACK_REJECTION = 0x04
    RESERVED_3 = 0x08
    CONNECTIONLESS = 0x10
    ACCEPTS_CONNECTIONLESS = 0x20
    CONNECTION = 0x40
    ACCEPTS_CONNECTIONS = 0x80


class RegistrationInfo(IntFlag):
    """What the relay arranged for a node. DIRECT_MESSAGING [V], the others [1]."""

    DIRECT_MESSAGING = 0x01
    ACCEPTANCE_WINDOW = 0x02
    PLAYBACK_REJECTION = 0x04
    RESERVED_3 = 0x08
    CONNECTIONLESS = 0x10
    ACCEPT_CONNECTIONLESS = 0x20
    CONNECTION = 0x40
    ACCEPT_CONNECTIONS = 0x80


class _Titled(Service):
    """A service that holds titles, and remembers how its relative ones are tagged."""

    @property
    def relative_tag(self) -> int:
        """Tag of relative titles: 80 or 0D."""
        raise NotImplementedError

    @classmethod
    def decode_parameters(cls, octets: bytes) -> Self:
        """Read the service; titles that are not encoded as we would (lengths, mixed tags) keep their meaning only."""
        self = super().decode_parameters(octets)
        if 0x0D in octets and self.encode() != octets:
            object.__setattr__(self, "relative_tag", 0x0D)
            if self.encode() != octets:
                object.__setattr__(self, "relative_tag", 0x80)
        return self

    def write(self) -> bytes:
        """Return the octets of the fields."""
        if self.relative_tag == 0x80:
            return super().write()
        return b"".join([field.form.tagged(self.relative_tag).write(field.get(self)) for field in self._wire])


class RegisterRequest(_Titled, Request):
    """Ask a master relay to be known [V].

    Args:
        node_type: what the node is.
        connection_type: how it can be reached.
        device_class: 4 octets, the same as the ED class.
        ap_title: the wanted title; the empty one, ``ApTitle(".")``, asks to be given one [1].
        serial_number: electronic serial number; empty only when a title is given [1].
        native_address: address on the underlying network, up to 255 octets.
        period: longest time between registrations that the node wishes, seconds, 0..16777215.
        pattern: titles that this node serves or wants notifications for, up to 255 octets; goes with
            ``NodeType.DOMAIN_PATTERN`` [1].
        relative_tag: tag of relative titles, 80 or 0D.
    """

    code = 0x27
    service = "register"
    effect = Effect.CHANGES

    node_type: NodeType = wire(Flags(NodeType))
    connection_type: ConnectionType = wire(Flags(ConnectionType))
    device_class: bytes = wire(Octets(4))
    ap_title: ApTitle = wire(TITLE)
    serial_number: ApTitle = wire(TITLE)
    native_address: bytes = wire(Counted())
    period: int = wire(U24)
    pattern: bytes | None = wire(Maybe(Counted()), default=None)
    relative_tag: int = beside(RELATIVE_TAG, default=0x80, kw_only=True)

    def _check(self) -> None:
        if self._pattern_differs:
            raise EncodeError("RegisterRequest: a pattern and NodeType.DOMAIN_PATTERN go together")

    @property
    def _pattern_differs(self) -> bool:
        return bool(self.node_type & NodeType.DOMAIN_PATTERN) != (self.pattern is not None)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What is odd about the request; offsets count from its first octet."""
        findings = super().findings
        if self._pattern_differs:
            text = "whether a pattern follows and what the node type says about it do not agree"
            findings += (Finding("warning", "pattern-flag", "register.pattern", 1, text),)
        return findings


class RegisterResponse(_Titled, Response):
    """The node is known. Its relay's title and address are those this response came from [1].

    Args:
        ap_title: the title the node must use from now on.
        delay: upper bound of the random wait before a registration after power-up, seconds, 0..65535.
        period: time until the next registration is due, seconds, 0..16777215; 0 is read as never [?].
        info: what the relay arranged.
        relative_tag: tag of relative titles, 80 or 0D.
    """

    answers = RegisterRequest

    ap_title: ApTitle = wire(TITLE)
    delay: int = wire(U16)
    period: int = wire(U24)
    info: RegistrationInfo = wire(Flags(RegistrationInfo))
    relative_tag: int = beside(RELATIVE_TAG, default=0x80, kw_only=True)


class DeregisterRequest(_Titled, Request):
    """Ask to be forgotten [V].

    Args:
        ap_title: title of the node that leaves.
        relative_tag: tag of relative titles, 80 or 0D.
    """

    code = 0x24
    service = "deregister"
    effect = Effect.CHANGES

    ap_title: ApTitle = wire(TITLE)
    relative_tag: int = beside(RELATIVE_TAG, default=0x80, kw_only=True)


class DeregisterResponse(_Titled, Response):
    """The node is forgotten.

    Args:
        ap_title: its title, as Itron sends it; None where icsnpp-c1222 expects nothing. Send it, accept both.
        relative_tag: tag of relative titles, 80 or 0D.
    """

    answers = DeregisterRequest

    ap_title: ApTitle | None = wire(Maybe(TITLE), default=None)
    relative_tag: int = beside(RELATIVE_TAG, default=0x80, kw_only=True)


class ResolveRequest(_Titled, Request):
    """Ask for the native address of a node [V].

    Args:
        ap_title: title of the node.
        relative_tag: tag of relative titles, 80 or 0D.
    """

    code = 0x25
    service = "resolve"
    effect = Effect.READS

    ap_title: ApTitle = wire(TITLE)
    relative_tag: int = beside(RELATIVE_TAG, default=0x80, kw_only=True)


class ResolveResponse(Response):
    """The native address [V].

    Args:
        native_address: up to 255 octets; on IP believed to be 4, 6, 16 or 18: address and, optionally, port [?].
    """

    answers = ResolveRequest

    native_address: bytes = wire(Counted())


class TraceRequest(_Titled, Request):
    """Ask for the way to a node: every relay appends its own title [V].

    Args:
        ap_titles: titles, the first one is the sender's.
        relative_tag: tag of relative titles, 80 or 0D.
    """

    code = 0x26
    service = "trace"
    effect = Effect.READS

    ap_titles: tuple[ApTitle, ...] = wire(TITLES)
    relative_tag: int = beside(RELATIVE_TAG, default=0x80, kw_only=True)


class TraceResponse(_Titled, Response):
    """The titles of the relays passed.

    Args:
        ap_titles: titles in the order of the way.
        relative_tag: tag of relative titles, 80 or 0D.
    """

    answers = TraceRequest

    ap_titles: tuple[ApTitle, ...] = wire(TITLES)
    relative_tag: int = beside(RELATIVE_TAG, default=0x80, kw_only=True)
