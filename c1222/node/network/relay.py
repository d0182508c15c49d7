"""A small relay: nodes register with it, it tells where they are, and it passes messages on to them.

It is its own master relay, for one place. What it knows it forgets with the process; nodes register again. Messages
are passed on as they are: a relay needs no keys for that. Origin: the services from Itron's stack and icsnpp-c1222 [V];
native addresses of 4 or 16 octets with a port behind are recollection of RFC 6142 [?]; that a node can only be
deregistered in its own name is ours.
"""

from __future__ import annotations

from collections import Counter
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final, NamedTuple

from c1222.errors import C1222Error, DecodeError
from c1222.message.acse import Acse, decode_acse
from c1222.message.aptitle import ApTitle
from c1222.message.epsem import Control, ResponseControl, SecurityMode
from c1222.node.network.fleet import Delivery
from c1222.node.network.routes import Routes
from c1222.protocol.composing import compose
from c1222.protocol.events import Refused
from c1222.protocol.identity import Identity
from c1222.protocol.policy import NodePolicy
from c1222.protocol.responder.arrival import Receiver
from c1222.protocol.responder.responder import Responder
from c1222.services import ErrorResponse, identify, network
from c1222.services.results import Iar, Isc, Sns, Uat

if TYPE_CHECKING:
    from collections.abc import Hashable

    from c1222.protocol.responder.arrival import Arrival
    from c1222.protocol.responder.execution import Context
    from c1222.security.keys import KeyStore
    from c1222.services import Request, Response

__all__ = ["DELAY", "MAX_NODES", "MAX_NODES_OF_PEER", "PERIOD", "Registered", "Relay", "native_address"]

PERIOD: Final = 86_400
"""Seconds for which a registration holds, unless the node asks for less."""
DELAY: Final = 60
"""Seconds within which nodes register after power-up."""
MAX_NODES: Final = 65_536
MAX_NODES_OF_PEER: Final = 4096
"""Of one address: many meters may stand behind one gateway."""


class Registered(NamedTuple):
    """A node that registered.

    Attributes:
        title: its title.
        source: where its messages come from.
        native_address: as Resolve tells it.
        until: when the registration runs out, on the clock of ``now``.
        serial: content octets of its serial number; empty when it gave none.
        peer: the address whose room the registration takes.
    """

    title: ApTitle
    source: Hashable
    native_address: bytes
    until: float
    serial: bytes
    peer: Hashable


class Relay(Receiver):
    """One relay, without a socket; a `NodeServer` can serve it like a fleet.

    Args:
        title: its title.
        keys: for messages to itself; without any they come in cleartext.
        policy: what it allows; a `NodePolicy` with the keys of callers, which nodes register under, when None.
        period: seconds for which a registration holds at most.
        direct: whether nodes may talk to each other directly.
        max_nodes: registrations held; when there are as many, other nodes are refused.
        max_nodes_of_peer: of one address (IPv6: of 64 bits of it).
        routes: the ways back that it learns; new when None.

    Attributes:
        nodes: those registered, by the content of their absolute titles.
        counters: what was passed on, registered and dropped.
    """

    def __init__(
        self,
        title: ApTitle | str,
        keys: KeyStore | None = None,
        *,
        policy: NodePolicy | None = None,
        period: int = PERIOD,
        direct: bool = True,
        max_nodes: int = MAX_NODES,
        max_nodes_of_peer: int = MAX_NODES_OF_PEER,
        routes: Routes | None = None,
    ) -> None:
        self.counters: Counter[str] = Counter()
        self.nodes: dict[bytes, Registered] = {}
        self.identity = Identity(title, keys)
        self._policy = NodePolicy(callers_keys=True) if policy is None else policy
        self._responder = Responder(self.identity, self._handle, policy=self._policy)
        self._period = period
        self._info = network.RegistrationInfo.CONNECTIONLESS | network.RegistrationInfo.ACCEPT_CONNECTIONLESS
        if direct:
            self._info |= network.RegistrationInfo.DIRECT_MESSAGING
        self._max_nodes = max_nodes
        self._max_nodes_of_peer = max_nodes_of_peer
        self._routes = Routes() if routes is None else routes
        self._given = 0
        self._by_serial: dict[bytes, bytes] = {}
        self._of_peer: Counter[Hashable] = Counter()
        self._out: list[Delivery] = []

    @property
    def title(self) -> ApTitle:
        """Its title."""
        title = self.identity.title
        assert title is not None  # noqa: S101 - the constructor demands one
        return title

    def _content(self, title: ApTitle) -> bytes:
        return title.absolute(self.identity.keys.base_oid).content

    # What comes in.

    def take(self, arrival: Arrival) -> bool:
        """Take an APDU that came in, and return whether it was one to answer or to pass on; see `Receiver.receive`."""
        self.counters["received"] += 1
        try:
            acse = decode_acse(arrival.apdu, max_size=self._policy.max_size)
            called, calling = acse.called, acse.calling
            _ = acse.called_invocation_id, acse.calling_invocation_id  # elements are read when they are asked for
        except DecodeError:
            self.counters["malformed"] += 1
            return False
        if called is not None and not called.is_empty and not self.identity.same(called, self.title):
            return self._pass_on(acse, called, calling, arrival)
        taken = self._responder.take(arrival)
        for event in self._responder.events():
            if isinstance(event, Refused):
                self.counters[event.reason] += 1
        self._out += [Delivery(out.source, out.apdu) for out in self._responder.apdus_to_send()]
        return taken

    def _pass_on(self, acse: Acse, called: ApTitle, calling: ApTitle | None, arrival: Arrival) -> bool:
        """Pass a message on to a node, or an answer to who asked."""
        content, now = self._content(called), arrival.now
        node = self.nodes.get(content)
        if node is not None and node.until > now:
            to = node.source
        elif acse.is_response:
            to = self._routes.find((content, acse.called_invocation_id), now)
        else:
            to = self._routes.find(content, now)
        if to is None:
            self.counters["unknown-title"] += 1
            self._tell_unknown(acse, called, calling, arrival)
            return False
        if calling is not None and not calling.is_empty:
            back = self._content(calling)
            if back not in self.nodes:
                for what in (back,) if acse.is_response else (back, (back, acse.calling_invocation_id)):
                    if not self._routes.learn(what, arrival.source, arrival.peer, now):
                        self.counters["route-taken"] += 1
        self.counters["passed-on"] += 1
        self._out.append(Delivery(to, acse.octets))
        return True

    def _tell_unknown(self, acse: Acse, called: ApTitle, calling: ApTitle | None, arrival: Arrival) -> None:
        """Tell who asked that nobody of that title is known here."""
        try:
            _, start, end = acse.user_information
            if start == end:
                return
            control = Control.from_octet(acse.octets[start], offset=start)
            if acse.is_response or acse.is_segment or control.response_control is ResponseControl.NEVER:
                return
            refusal = [ErrorResponse.of(Uat(str(called)))]
            _, apdu = compose(
                self.identity,
                calling,
                refusal,
                utc=arrival.utc,
                answers=acse.calling_invocation_id,
                calling=called,  # who asked takes answers only from the title it called
                response_control=ResponseControl.NEVER,
            )
        except C1222Error:
            return
        self._out.append(Delivery(arrival.source, apdu))

    # Services.

    def _handle(self, request: Request, context: Context) -> Response:
        if isinstance(request, network.RegisterRequest):
            return self._register(request, context)
        if isinstance(request, network.DeregisterRequest):
            return self._deregister(request, context)
        if isinstance(request, network.ResolveRequest):
            return network.ResolveResponse(self._known(request.ap_title, context.now).native_address)
        if isinstance(request, network.TraceRequest):
            titles = (*request.ap_titles, self.title)
            return network.TraceResponse(titles, relative_tag=request.relative_tag)
        if isinstance(request, identify.IdentifyRequest):
            return identify.IdentifyResponse(3, 1, 0, (identify.SessionControl.of(0, sessionless=True),))
        raise Sns(str(request.service))

    def _known(self, title: ApTitle, now: float) -> Registered:
        node = self.nodes.get(self._content(title))
        if node is None or node.until <= now:
            raise Uat(str(title))
        return node

    def _register(self, request: network.RegisterRequest, context: Context) -> Response:
        title, peer = request.ap_title, context.arrival.peer
        serial = b"" if request.serial_number.is_empty else self._content(request.serial_number)
        if title.is_empty:
            if not serial:
                raise Iar("neither a title nor a serial number")
            title = self._title_for(serial)
        elif context.message.security_mode is not SecurityMode.CLEARTEXT and not self._is_own(context, title):
            raise Isc("a node can only register itself")
        content = self._content(title)
        if content == self._content(self.title):
            raise Iar("that title is the relay's own")
        present = self.nodes.get(content)
        if present is not None and present.until <= context.now:
            self._forget(content)
            present = None
        if present is not None and present.serial not in {b"", serial}:  # a node that gave none cannot be identified
            raise Isc(f"{title} belongs to another node")
        if present is None and len(self.nodes) >= self._max_nodes:
            raise Isc("no room for another node")
        if (present is None or present.peer != peer) and self._of_peer[peer] >= self._max_nodes_of_peer:
            raise Isc("no room for another node of this address")
        self._forget(content)
        period = min(request.period or self._period, self._period)
        address = native_address(context.source) or request.native_address
        self.nodes[content] = Registered(title, context.source, address, context.now + period, serial, peer)
        self._of_peer[peer] += 1
        if serial:
            self._by_serial[serial] = content
        self._routes.forget(content)
        self.counters["registered"] += 1
        return network.RegisterResponse(title, DELAY, period, self._info, relative_tag=request.relative_tag)

    def _title_for(self, serial: bytes) -> ApTitle:
        """Return the title of a node that has none: the same one for the same serial number."""
        present = self._by_serial.get(serial)
        if present is not None:
            return self.nodes[present].title
        while True:
            self._given += 1
            title = ApTitle(f"{self.title}.{self._given}")
            if self._content(title) not in self.nodes:
                return title

    def _forget(self, content: bytes) -> None:
        """Forget a registration, if there is one."""
        node = self.nodes.pop(content, None)
        if node is None:
            return
        self._of_peer[node.peer] -= 1
        if not self._of_peer[node.peer]:
            del self._of_peer[node.peer]
        if self._by_serial.get(node.serial) == content:
            del self._by_serial[node.serial]

    def _is_own(self, context: Context, title: ApTitle) -> bool:
        return self.identity.same(context.calling, title)

    def _deregister(self, request: network.DeregisterRequest, context: Context) -> Response:
        node = self._known(request.ap_title, context.now)
        if not self._is_own(context, node.title):
            raise Isc("a node can only be deregistered by itself")
        self._forget(self._content(node.title))
        self.counters["deregistered"] += 1
        return network.DeregisterResponse(node.title, relative_tag=request.relative_tag)

    # What there is to do, as a fleet does it.

    def apdus_to_send(self) -> list[Delivery]:
        """Return the APDUs to send, in order, once."""
        out, self._out = self._out, []
        return out

    def released(self) -> list[Hashable]:
        """Return no sources: a relay closes no connections."""
        return []

    def lost(self, source: Hashable) -> None:
        """Forget the ways over a connection that has ended, and what it asked."""
        self._responder.lost(source)
        self._routes.lost(source)

    def tick(self, *, now: float, utc: float) -> None:  # noqa: ARG002 - as a fleet has it
        """Forget what has run out."""
        self._responder.tick(now=now)
        self._responder.events()
        self._routes.expire(now)
        for content in [content for content, node in self.nodes.items() if node.until <= now]:
            self._forget(content)
            self.counters["run-out"] += 1

    def close(self) -> None:
        """Do nothing: nothing is kept."""


def native_address(source: Hashable) -> bytes:
    """Return the native address of where a message came from: IP address and port; empty where it has none."""
    if isinstance(source, tuple) and len(source) == 2 and isinstance(source[1], tuple):
        source = source[1]  # a server names its socket, too
    if not isinstance(source, tuple) or len(source) < 2:
        return b""
    try:
        return ip_address(str(source[0]).partition("%")[0]).packed + int(source[1]).to_bytes(2)
    except (ValueError, TypeError, OverflowError):
        return b""
