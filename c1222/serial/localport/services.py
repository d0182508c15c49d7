"""What the two ends of a local port say to each other: a code and parameters, answered one at a time.

Codes 60 to 77. Negotiate has fields that that of C12.18 has not. A response starts with a code below 20 [1].
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from c1222.errors import DecodeError
from c1222.services import ErrorResponse, RawRequest, Request, Response
from c1222.services.c1218 import BaudCodes
from c1222.services.fields import REST, U8, U16, Counted
from c1222.services.service import Effect, wire

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "PORT_SERVICES",
    "GetPortStatusRequest",
    "GetPortStatusResponse",
    "LinkControlRequest",
    "LinkControlResponse",
    "PortConfigurationRequest",
    "PortConfigurationResponse",
    "PortNegotiateRequest",
    "PortNegotiateResponse",
    "SendMessageRequest",
    "SendMessageResponse",
    "SendShortMessageRequest",
    "read_port_request",
    "read_port_response",
]


class PortNegotiateRequest(Request):
    """Propose sizes and rates: the module asks the device.

    Args:
        packet_size: octets of a whole packet.
        packets: packets of a message.
        baud_codes: codes of the rates offered, up to 11; their number stands in the code.
        channels: how many channels the module has.
    """

    codes = tuple(range(0x60, 0x6C))
    service = "port-negotiate"
    effect = Effect.SETS_LINK

    packet_size: int = wire(U16)
    packets: int = wire(U8)
    baud_codes: bytes = wire(BaudCodes())
    channels: int = wire(U8)

    @property
    def code(self) -> int:
        """60 and the number of baud codes."""
        return 0x60 + len(self.baud_codes)


class PortNegotiateResponse(Response):
    """What both ends will use, and which interface the module is to the device."""

    answers = PortNegotiateRequest

    packet_size: int = wire(U16)
    packets: int = wire(U8)
    baud_code: int = wire(U8)
    channels: int = wire(U8)
    interface: int = wire(U8)


class PortConfigurationRequest(Request):
    """Ask the device how the module is to be configured."""

    code = 0x72
    service = "port-configuration"
    effect = Effect.READS


class PortConfigurationResponse(Response):
    """The configuration.

    Args:
        control: bit 0 pass-through.
        link_status: as in `LinkControlResponse`.
        node_type: of the device.
        rest: device class, serial number, addresses and titles, as they are.
    """

    answers = PortConfigurationRequest

    control: int = wire(U8)
    link_status: int = wire(U8)
    node_type: int = wire(U8)
    rest: bytes = wire(REST, default=b"")


class LinkControlRequest(Request):
    """Tell the module what to do with its interface: the device asks.

    Args:
        control: bits 0..1 interface (1 enable, 2 disable, 3 reset), 2..3 registration (1 off, 2 on, 3 once now), 4..5
            direct messaging (1 on, 2 off), 6 reset statistics, 7 reload the configuration.
    """

    code = 0x73
    service = "link-control"
    effect = Effect.SETS_LINK

    control: int = wire(U8)


class LinkControlResponse(Response):
    """How the interface stands.

    Args:
        status: bit 0 enabled, 1 registration by itself, 2 direct messaging.
        title: title of the node, as it is.
    """

    answers = LinkControlRequest

    status: int = wire(U8)
    title: bytes = wire(REST, default=b"")


class SendMessageRequest(Request):
    """Pass an APDU on: both ends ask.

    Args:
        address: native address of the other end of the network, up to 255 octets; empty for the usual one.
        apdu: the APDU.
    """

    code = 0x74
    service = "send-message"
    effect = Effect.CHANGES

    address: bytes = wire(Counted())
    apdu: bytes = wire(REST)


class SendMessageResponse(Response):
    """The APDU was delivered."""

    answers = SendMessageRequest


class GetPortStatusRequest(Request):
    """Ask the module for its name and statistics.

    Args:
        selector: 0 all, 1 name and status, 2 statistics, 3 those that changed.
    """

    code = 0x75
    service = "port-status"
    effect = Effect.READS

    selector: int = wire(U8)


class GetPortStatusResponse(Response):
    """Name, status and statistics, as they are."""

    answers = GetPortStatusRequest

    rest: bytes = wire(REST, default=b"")


class SendShortMessageRequest(Request):
    """Pass a short message on; nobody answers it.

    Args:
        address: as in `SendMessageRequest`.
        message: the octets.
    """

    code = 0x77
    service = "send-short-message"
    effect = Effect.CHANGES

    address: bytes = wire(Counted())
    message: bytes = wire(REST)


PORT_SERVICES: Final[Mapping[int, type[Request]]] = {
    code: kind
    for kind in (
        PortNegotiateRequest, PortConfigurationRequest, LinkControlRequest, SendMessageRequest, GetPortStatusRequest,
        SendShortMessageRequest,
    )
    for code in kind.codes
}  # fmt: skip
"""Code to service."""


def read_port_request(octets: bytes) -> Request:
    """Read a request; an unknown code gives a ``RawRequest``.

    Raises:
        DecodeError: no octets, a response, or parameters that are not those of the service.
    """
    if not octets or octets[0] < min(RawRequest.codes):
        raise DecodeError("service.code", 0, "a request was expected")
    return PORT_SERVICES.get(octets[0], RawRequest).decode(octets)


def read_port_response(octets: bytes, request: Request) -> Response:
    """Read the response to a request.

    Raises:
        DecodeError: no octets, a request, or parameters that are not those of the response.
    """
    if not octets or octets[0] >= min(RawRequest.codes):
        raise DecodeError("response.code", 0, "a response was expected")
    if octets[0] or request.answer is None:
        return ErrorResponse.decode(octets, request.service)
    return request.answer.decode(octets)
