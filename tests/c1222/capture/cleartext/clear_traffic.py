"""A TCP connection with everything that happens to one, for captures that are written in cleartext."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from c1222 import ApTitle, Key, Message, encode
from c1222.capture.files.writer import ethernet, ipv4, ipv6, tcp_packet, udp_packet
from c1222.message.epsem import SecurityMode
from c1222.services import TableData, session, tables
from tests.traffic import KEY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from c1222.services import Service

OTHER_KEY: Final = Key(9, bytes(range(16)))
"""A key that the reader of the capture has not."""
HEAD: Final = "10.0.0.1:50000"
METER: Final = "10.1.0.1:1153"
_TITLES: Final = {HEAD: ApTitle(".4"), METER: ApTitle(".123.8437")}


def sealed(
    number: int,
    services: Sequence[Service],
    *,
    source: str = HEAD,
    answers: int | None = None,
    key: Key = KEY,
    mode: SecurityMode = SecurityMode.CIPHERTEXT_AUTHENTICATION,
) -> bytes:
    """Return a message from one end to the other; ``answers`` is the number of the request."""
    message = Message(
        called=_TITLES[METER if source == HEAD else HEAD],
        calling=_TITLES[source],
        called_invocation_id=answers,
        calling_invocation_id=number,
        services=services,
        security_mode=mode,
        key_id=key.id if mode else None,
        iv=(1_700_000_000 + number).to_bytes(4) if mode else None,
    )
    return encode(message, keys=key)


def ask(number: int, table: int = 1, *, key: Key = KEY) -> bytes:
    """Return a request to read a table."""
    return sealed(number, [session.SecurityRequest.of("PASSWORD", 2), tables.ReadRequest(table)], key=key)


def answer(number: int, size: int, *, key: Key = KEY) -> bytes:
    """Return the answer to that request, with so many octets of the table."""
    data = TableData(bytes(at & 0xFF for at in range(size)))
    services = [session.SecurityResponse(), tables.ReadResponse(data)]
    return sealed(0x10000 + number, services, source=METER, answers=number, key=key)


class Conversation:
    """Makes the packets of a connection; sequence numbers go on."""

    def __init__(self, first: int = 0xFFFFFF00) -> None:
        self.next = {HEAD: first, METER: 0x10}
        self.packets: list[bytes] = []

    def send(self, source: str, payload: bytes = b"", *, flags: int = 0x18, back: int = 0, ahead: int = 0) -> None:
        """Send octets, ``back`` octets behind or ``ahead`` before what is next; numbers go on but for these."""
        to = METER if source == HEAD else HEAD
        at = self.next[source]
        self.packets.append(
            tcp_packet(source, to, payload, sequence=at - back + ahead, acknowledged=self.next[to], flags=flags)
        )
        if not back and not ahead:
            self.next[source] = at + len(payload) + bool(flags & 0x03)


def connection() -> list[bytes]:
    """Return the packets of the connection; the numbers of one direction pass 2^32."""
    talk = Conversation()
    talk.send(HEAD, flags=0x02)
    talk.send(METER, flags=0x12)
    talk.send(HEAD, flags=0x10)
    # one message a segment, and answers
    for number in (1, 2):
        talk.send(HEAD, ask(number))
        talk.send(METER, answer(number, 40))
        talk.send(HEAD, flags=0x10)
    # several in one segment, one of them under a key that is not known, one in cleartext
    clear = sealed(5, [tables.ReadRequest(3)], mode=SecurityMode.CLEARTEXT)
    talk.send(HEAD, ask(3) + ask(4, key=OTHER_KEY) + clear + ask(6))
    # several segments for two answers, acknowledged in between
    both = answer(3, 700) + answer(6, 300)
    for start in range(0, len(both), 250):
        talk.send(METER, both[start : start + 250])
        talk.send(HEAD, flags=0x10)
    # sent again, whole and with more behind it
    request = ask(7)
    talk.send(HEAD, request)
    talk.send(HEAD, request, back=len(request))
    talk.send(METER, answer(7, 20))
    # out of order: the second half comes first
    request = ask(8)
    half = len(request) // 2
    talk.send(HEAD, request[half:], ahead=half)
    talk.send(HEAD, request[:half])
    talk.next[HEAD] += len(request) - half
    talk.send(METER, answer(8, 300))
    # a keep-alive
    talk.send(HEAD, b"\0", flags=0x10, back=1)
    talk.send(METER, flags=0x10)
    # under the other key, over two segments, then one that is verified
    answered = answer(9, 400, key=OTHER_KEY)
    talk.send(HEAD, ask(9))
    talk.send(METER, answered[:200])
    talk.send(METER, answered[200:] + answer(8, 10))
    talk.send(HEAD, flags=0x10)
    talk.send(METER, flags=0x11)
    talk.send(HEAD, flags=0x11)
    talk.send(METER, flags=0x10)
    return talk.packets


def fragmented(apdu: bytes, kind: str) -> list[bytes]:
    """Return the fragments of a datagram with an APDU from meter to head end.

    Args:
        apdu: the APDU.
        kind: ``ipv4``, ``ipv6``, or ``ipv6 with options``: a header of them before that of fragments.
    """
    whole = udp_packet(METER, HEAD, apdu) if kind == "ipv4" else udp_packet("[fe80::2]:1153", "[fe80::1]:50000", apdu)
    addresses, udp = (whole[26:34], whole[34:]) if kind == "ipv4" else (whole[22:54], whole[54:])
    source, destination = addresses[: len(addresses) // 2], addresses[len(addresses) // 2 :]
    made = []
    for at in range(0, len(udp), 200):
        part, more = udp[at : at + 200], at + 200 < len(udp)
        if kind == "ipv4":
            made.append(ethernet(ipv4(source, destination, 17, part, ident=7, fragment=(at, more)), 0x0800))
            continue
        part = bytes((17, 0)) + (at | more).to_bytes(2) + bytes((0, 0, 0, 9)) + part
        first = 44
        if kind == "ipv6 with options":
            first, part = 60, bytes((44, 0, 1, 4, 0, 0, 0, 0)) + part
        made.append(ethernet(ipv6(source, destination, first, part), 0x86DD))
    return made
