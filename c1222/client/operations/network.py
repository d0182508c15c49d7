"""Verbs towards relays and hosts: register, deregister, resolve, trace, and notify."""

from __future__ import annotations

from typing import TYPE_CHECKING

from c1219.tableid import table_id
from c1222.client.operations.conversation import expect_ok
from c1222.errors import StateError
from c1222.message.aptitle import ApTitle
from c1222.message.epsem import ResponseControl
from c1222.services import TableData
from c1222.services.network import (
    ConnectionType,
    DeregisterRequest,
    NodeType,
    RegisterRequest,
    ResolveRequest,
    TraceRequest,
)
from c1222.services.tables import WriteOffsetRequest, WriteRequest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from c1222.client.operations.conversation import Conversation
    from c1222.client.steps import Operation
    from c1222.services import Request
    from c1222.services.network import DeregisterResponse, RegisterResponse, ResolveResponse, TraceResponse

__all__ = ["REGISTRATION_PERIOD", "NetworkVerbs"]

REGISTRATION_PERIOD = 0xFFFFFF
"""Longest time between registrations to ask for, seconds; Itron sends this, since 0 was read as never again [1]."""
_URGENT, _NOTIFICATION = 2, 4


class NetworkVerbs:
    """Register, Deregister, Resolve, Trace, and one-way writes."""

    conversation: Conversation

    def register(
        self,
        *,
        serial_number: ApTitle | str,
        device_class: bytes,
        ap_title: ApTitle | str | None = None,
        native_address: bytes = b"",
        node_type: NodeType = NodeType.END_DEVICE,
        connection_type: ConnectionType | int = 0,
        period: int = REGISTRATION_PERIOD,
        pattern: bytes | None = None,
    ) -> Operation[RegisterResponse]:
        """Register with the relay that is called.

        Args:
            serial_number: electronic serial number, an object identifier.
            device_class: 4 octets, the same as the ED class.
            ap_title: the title that is wanted; None asks to be given one.
            native_address: address on the underlying network, up to 255 octets.
            node_type: what we are.
            connection_type: how we can be reached.
            period: longest time between registrations, seconds, 0..16777215.
            pattern: titles that we serve or want notifications for; goes with ``NodeType.DOMAIN_PATTERN``.

        Returns:
            The title to use from now on, and when to register again.

        Raises:
            Refusal: the relay refused; WriteUnknown: there is no answer, see `repeat`.
        """
        wanted, serial = _title(ap_title or "."), _title(serial_number)
        kind = ConnectionType(connection_type)
        request = RegisterRequest(node_type, kind, device_class, wanted, serial, native_address, period, pattern)
        response: RegisterResponse = yield from self.conversation.request(request, detail=str(request.serial_number))
        return response

    def deregister(self, ap_title: ApTitle | str | None = None) -> Operation[ApTitle]:
        """Ask the relay that is called to remove a registration.

        Args:
            ap_title: title of the node that leaves; our own when None.

        Returns:
            The title that is not registered any more.

        Raises:
            Refusal: the relay refused; WriteUnknown: there is no answer, see `repeat`.
        """
        title = self.conversation.initiator.identity.title if ap_title is None else _title(ap_title)
        if title is None:
            raise StateError("we have no title that could be deregistered")
        response: DeregisterResponse = yield from self.conversation.request(DeregisterRequest(title), detail=str(title))
        return title if response.ap_title is None else response.ap_title

    def resolve(self, ap_title: ApTitle | str) -> Operation[bytes]:
        """Ask for the native address of a node.

        Args:
            ap_title: its title.

        Returns:
            Up to 255 octets; on IP believed to be 4, 6, 16 or 18: address and, optionally, port [?].

        Raises:
            Refusal: the relay refused, Uat when it knows no such node.
        """
        response: ResolveResponse = yield from self.conversation.request(
            ResolveRequest(_title(ap_title)), detail=str(ap_title)
        )
        return response.native_address

    def trace(self, *ap_titles: ApTitle | str) -> Operation[tuple[ApTitle, ...]]:
        """Ask for the way to the node that is called: every relay appends its title.

        Args:
            ap_titles: titles to begin with; our own when none is given.

        Returns:
            The titles, ours first.

        Raises:
            Refusal: a relay refused.
        """
        own = self.conversation.initiator.identity.title
        titles: Iterable[ApTitle | str] = ap_titles or (() if own is None else (own,))
        response: TraceResponse = yield from self.conversation.request(
            TraceRequest(tuple(_title(title) for title in titles))
        )
        return response.ap_titles

    def notify(
        self,
        table: int | str,
        octets: bytes,
        *,
        offset: int | None = None,
        urgent: bool = False,
        confirmed: bool = False,
    ) -> Operation[None]:
        """Tell a host of an event, as a node does: a write under NOTIFICATION that nobody answers.

        Args:
            table: number, ``"ST7"`` or ``"MT5"``.
            octets: what to write.
            offset: where; None for the whole table.
            urgent: mark it as urgent.
            confirmed: let the host answer when it cannot take it, and wait that long for a refusal.

        Raises:
            Refusal: the host refused, if ``confirmed``.
        """
        data = TableData(octets)
        number = table_id(table)
        request: Request = WriteRequest(number, data) if offset is None else WriteOffsetRequest(number, offset, data)
        control = ResponseControl.ON_EXCEPTION if confirmed else ResponseControl.NEVER
        qualifier = _NOTIFICATION | (_URGENT if urgent else 0)
        answers = yield from self.conversation.exchange_as_is(request, response_control=control, qualifier=qualifier)
        for answer in answers:
            expect_ok(answer, request)


def _title(title: ApTitle | str) -> ApTitle:
    return ApTitle(title) if isinstance(title, str) else title
