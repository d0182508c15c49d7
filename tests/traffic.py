"""Messages for measurements and comparisons, the same every time: an even load, and one of every kind.

``exchange`` gives the even load by number: reads of tables, half of the exchanges encrypted. ``varied`` gives messages
of every kind of service, security, title and length.
"""

from __future__ import annotations

import random
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import c1222
from c1222.capture.files.writer import tcp_packet, udp_packet
from c1222.message.aptitle import CONTEXT_OID, ApTitle
from c1222.message.epsem import MAC_SIZE, Epsem, ResponseControl, SecurityMode
from c1222.protocol.message import Message
from c1222.security import Key
from c1222.services import Service, TableData, session, tables
from tests.c1222.services.examples import KNOWN_REQUESTS, KNOWN_RESPONSES

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY: Final = Key(2, bytes.fromhex("01020304050607080102030405060708"))
"""The published key of example 8; all secured messages here are under it."""
METERS: Final = 5000
"""Meters of the even load."""
HEAD_END: Final = ApTitle(".4")
READS: Final = tuple(
    (table, 4 * ((table + size) % 64), size) for table in (1, 3, 5, 23, 28, 64) for size in range(49, 114, 8)
)
"""What is read in the even load: table, offset, octets. A head end asks all meters for the same."""
START: Final = 1_700_000_000
"""Seconds since 1970 UTC of the first message."""


@lru_cache(maxsize=2 * METERS)
def meter(number: int) -> ApTitle:
    """Return the title of a meter of the even load."""
    return ApTitle(f".1.{100 + number // 100}.{number % 100 + 1}")


def exchange(number: int, *, distinct: bool = False) -> bytes:
    """Return a message of the even load: requests have even numbers, the response to each the next.

    Every second exchange is encrypted, with Security before the read as in example 8 of the standard. A message has
    98 octets on average, 38 to 180.

    Args:
        number: of the message, from 0.
        distinct: make almost every request another one, which no head end does.
    """
    which, answers = divmod(number, 2)
    rng = random.Random(which)
    encrypted = which % 2 == 1
    table, offset, count = rng.choice(READS)
    if distinct:
        offset = rng.randrange(1 << 20)
    asked, answered = 0x01000000 + which, 0x20000000 + which
    services: list[Service]
    if answers:
        services = [session.SecurityResponse()] * encrypted + [
            tables.ReadOffsetResponse(TableData(rng.randbytes(count)))
        ]
    else:
        services = [session.SecurityRequest.of("PASSWORD", 2)] * encrypted
        services.append(tables.ReadOffsetRequest(table, offset, count))
    ends = meter(which % METERS), HEAD_END
    message = Message(
        called=ends[answers],
        calling=ends[1 - answers],
        called_invocation_id=asked if answers else None,
        calling_invocation_id=answered if answers else asked,
        services=services,
        security_mode=SecurityMode.CIPHERTEXT_AUTHENTICATION if encrypted else SecurityMode.CLEARTEXT,
        key_id=KEY.id,
        iv=(START + number // 4000).to_bytes(4),
    )
    return c1222.encode(message, keys=KEY)


class Sent(NamedTuple):
    """A message on its way.

    Attributes:
        message: what is sent.
        octets: its APDU.
        transport: ``udp`` or ``tcp``.
        source: address and port.
        destination: likewise.
    """

    message: Message
    octets: bytes
    transport: str
    source: str
    destination: str

    @property
    def string_size(self) -> int:
        """Octets of the EPSEM string: control octet, body, MAC."""
        message = self.message
        body = Epsem(tuple(service.encode() for service in message.services), ed_class=message.ed_class).body
        return 1 + len(body) + MAC_SIZE * (message.security_mode > 0)


TITLES: Final = tuple(
    map(
        ApTitle,
        (
            *(".123.8437", ".4", ".1.2.3", ".123.99999.7", ".1.0"),
            *("2.16.124.113620.1.22.0.5", "1.3.6.1.4.1.33507.1919.12345678.0", "2.999.1.4294967296", "0.39.7"),
        ),
    )
)
SIZES: Final = (*range(120, 136), *range(246, 264))
"""Sizes of the EPSEM string around which lengths get another octet: its own, and those around it."""


def varied(count: int, seed: int = 22) -> Iterator[Sent]:
    """Yield messages of every kind: a request and its response in turn.

    Every service in every mode; titles of both forms; with and without context, AE qualifier, mechanism and ED class;
    one to four services; every fourth pair with a string of one of ``SIZES``; UDP and TCP over IPv4 and IPv6.

    Args:
        count: how many.
        seed: makes another choice.
    """
    rng = random.Random(seed)
    requests = [value for _, value in KNOWN_REQUESTS]
    responses = [value for _, _, value in KNOWN_RESPONSES]
    mode, number = SecurityMode.CLEARTEXT, 0
    ends: list[ApTitle] = []
    fields: dict[str, Any] = {}
    for index in range(count):
        answers, which = index % 2, index // 2
        if not answers:
            mode = SecurityMode(which % 3)
            ends = rng.sample(TITLES, 2)
            number = rng.choice([rng.randrange(1, 128), rng.randrange(128, 0x8000), rng.randrange(1, 1 << 31)])
            context = rng.choice([None, None, None, CONTEXT_OID])
            fields = {"application_context": context, "mechanism": rng.choice([None, None, CONTEXT_OID + ".2.1"])}
            fields["ed_class"] = rng.choice([None, None, b"ITR1"])
        message = Message(
            called=ends[answers],
            calling=ends[1 - answers],
            called_invocation_id=number if answers else None,
            calling_invocation_id=rng.randrange(1, 1 << 31) if answers else number,
            calling_ae_qualifier=rng.choice([None, None, 1, 2, 4, 7]),
            security_mode=mode,
            key_id=KEY.id,
            iv=(START + index).to_bytes(4),
            response_control=ResponseControl(rng.randrange(3)),
            services=[],
            **fields,
        )
        known = responses if answers else requests
        services: list[Service] = [known[which % len(known)]]
        services += [rng.choice(known) for _ in range(rng.choice([0, 0, 1, 3]))]
        if which % 4 == 3:
            services = _sized(SIZES[which // 4 % len(SIZES)], message, answers=bool(answers), rng=rng)
        message.services = tuple(services)
        six = which % 3 == 1
        host, node = (
            ("[2001:db8::1]", f"[2001:db8:1::{which % 200 + 1:x}]")
            if six
            else ("10.0.0.1", f"10.1.0.{which % 200 + 1}")
        )
        way = (f"{host}:{50000 + which % 1000}", f"{node}:1153")
        octets = c1222.encode(message, keys=KEY)
        yield Sent(message, octets, "tcp" if which % 5 == 4 else "udp", way[answers], way[1 - answers])


def _sized(size: int, message: Message, *, answers: bool, rng: random.Random) -> list[Service]:
    """Return a service that makes the EPSEM string just so large."""
    for count in range(size):
        data = TableData(rng.randbytes(count))
        service: Service = tables.ReadResponse(data) if answers else tables.WriteRequest(0x0800 + 9, data)
        message.services = (service,)
        if Sent(message, b"", "", "", "").string_size >= size:
            break
    return [service]


def frames(sent: Sent, sequences: dict[tuple[str, str], int], number: int) -> Iterator[bytes]:
    """Yield the Ethernet frames of a message; in TCP every third comes in two pieces.

    Args:
        sent: the message.
        sequences: the next sequence number of every direction; it goes on.
        number: of the message.
    """
    _, octets, transport, source, destination = sent
    if transport == "udp":
        yield udp_packet(source, destination, octets, ident=number & 0xFFFF)
        return
    pieces = [octets[: len(octets) // 2], octets[len(octets) // 2 :]] if number % 3 == 0 else [octets]
    for piece in pieces:
        at = sequences.setdefault((source, destination), 1000)
        acknowledged = sequences.setdefault((destination, source), 1000)
        yield tcp_packet(source, destination, piece, sequence=at, acknowledged=acknowledged, ident=number & 0xFFFF)
        sequences[source, destination] = at + len(piece)
