"""Services that only C12.18 and C12.21 have: Authenticate, Negotiate, Timing setup.

On the local port of C12.22 Negotiate is a transport service with more fields; that one is not this one.
Origin: Elster MeteringSDK, termineter, Wireshark and Itron's stack; Negotiate and Timing setup [V], Authenticate [1].
"""

from __future__ import annotations

from c1222.errors import DecodeError, EncodeError
from c1222.services.fields import U8, U16, Counted, FieldForm, Maybe
from c1222.services.service import Effect, Request, Response, wire

__all__ = [
    "BAUD_RATES",
    "AuthenticateRequest",
    "AuthenticateResponse",
    "NegotiateRequest",
    "NegotiateResponse",
    "TimingSetupRequest",
    "TimingSetupResponse",
]

BAUD_RATES = {
    0x01: 300,
    0x02: 600,
    0x03: 1200,
    0x04: 2400,
    0x05: 4800,
    0x06: 9600,
    0x07: 14400,
    0x08: 19200,
    0x09: 28800,
    0x0A: 57600,
    0x0B: 38400,
    0x0C: 115200,
    0x0D: 128000,
    0x0E: 256000,
}
"""Baud code to bits per second; 0A and 0B are not in order of size [V]."""


class AuthenticateRequest(Request):
    """Prove to a C12.21 meter that the key is known; the ticket comes from Identify [1].

    Args:
        data: key id and ticket encrypted with that key: 9 octets with DES, 17 with AES.
    """

    code = 0x53
    service = "authenticate"
    effect = Effect.PROVES

    # Concealed: with the ticket, these octets allow to search the short DES key off line.
    data: bytes = wire(Counted(), secret=True)


class AuthenticateResponse(Response):
    """The meter's own proof.

    Args:
        data: key id and the encrypted ticket, encrypted once more.
    """

    answers = AuthenticateRequest

    data: bytes = wire(Counted(), secret=True)


class BaudCodes(FieldForm[bytes]):
    """As many baud codes as the low bits of the service code say."""

    __slots__ = ()

    def read(self, octets: bytes, at: int, end: int) -> tuple[bytes, int]:
        after = at + (octets[0] & 0x0F)
        if after > end:
            raise DecodeError("", at, f"needs {after - at} octets, {end - at} left")
        return octets[at:after], after

    def write(self, value: bytes) -> bytes:
        return value

    def check(self, value: bytes) -> bytes:
        """Take up to 11 codes."""
        codes = bytes(value)
        if len(codes) > 0x0B:
            raise EncodeError(f"{len(codes)} baud codes; at most 11 can be sent")
        return codes

    def show(self, value: bytes) -> list[int]:
        return list(value)


class NegotiateRequest(Request):
    """Propose packet size, packets in a row and speeds [V].

    Args:
        packet_size: octets of a packet, 0..65535.
        packets: packets in a row, 0..255.
        baud_codes: codes of the speeds offered (see ``BAUD_RATES``), up to 11; their number stands in the code.
    """

    codes = tuple(range(0x60, 0x6C))
    service = "negotiate"
    effect = Effect.SETS_LINK

    packet_size: int = wire(U16)
    packets: int = wire(U8)
    baud_codes: bytes = wire(BaudCodes(), default=b"")

    @property
    def code(self) -> int:
        """60 and the number of baud codes."""
        return 0x60 + len(self.baud_codes)


class NegotiateResponse(Response):
    """What both sides will use.

    Args:
        packet_size: octets of a packet.
        packets: packets in a row.
        baud_code: code of the speed, 00 for unchanged; some meters leave it out where none was offered.
    """

    answers = NegotiateRequest

    packet_size: int = wire(U16)
    packets: int = wire(U8)
    baud_code: int | None = wire(Maybe(U8), default=None)


class TimingSetupRequest(Request):
    """Propose the timing of the link, C12.21 only [V].

    Args:
        traffic: channel traffic time-out, seconds, 0..255.
        inter_character: inter-character time-out, seconds.
        response: response time-out, seconds.
        retries: number of retries.
    """

    code = 0x71
    service = "timing-setup"
    effect = Effect.SETS_LINK

    traffic: int = wire(U8)
    inter_character: int = wire(U8)
    response: int = wire(U8)
    retries: int = wire(U8)


class TimingSetupResponse(Response):
    """The timing that both sides will use; fields as in the request."""

    answers = TimingSetupRequest

    traffic: int = wire(U8)
    inter_character: int = wire(U8)
    response: int = wire(U8)
    retries: int = wire(U8)
