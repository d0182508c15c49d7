"""The floor of a read: the same octets over the same kind of socket, with one EAX' seal and one open a message.

It is what the two ends of a secured read cannot do without in Python: the asking end seals, sends, receives and opens;
the answering end receives, opens, seals and sends. It numbers nothing, checks nothing but the MAC, and decodes nothing.
"""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import c1222
from c1222.message.acse import decode_acse
from c1222.security import EAXPrime
from c1222.security.canonical import canonical_header

if TYPE_CHECKING:
    from c1222.security.sealing import SessionSecurity

__all__ = ["Sealed", "ask", "serve"]

_LARGEST = 2000


class Sealed(NamedTuple):
    """A message as it was on the wire.

    Attributes:
        head: its octets before what is sealed.
        header: what EAX' authenticates besides.
        body: what is sealed, in cleartext.
    """

    head: bytes
    header: bytes
    body: bytes

    @classmethod
    def of(cls, apdu: bytes, key: c1222.Key, session: SessionSecurity) -> Self:
        """Take a message of a session apart."""
        message = c1222.decode(apdu, keys=key, session=session)
        assert message.authenticated, message.findings
        acse = decode_acse(apdu)
        start = acse.user_information.start + 1
        return cls(apdu[:start], canonical_header(acse, key_id=session.key_id, iv=message.iv or b""), message.body)

    @property
    def size(self) -> int:
        """Octets of the whole."""
        return len(self.head) + len(self.body) + 4


def ask(address: Any, key: bytes, request: Sealed, answer: Sealed, count: int) -> float:
    """Ask so many times; return the CPU time of one, seconds."""
    eax, before = EAXPrime(key), len(answer.head)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        asker.connect(address)
        asker.settimeout(2.0)
        started = time.process_time()
        for _ in range(count):
            asker.send(request.head + eax.encrypt(request.header, request.body))
            eax.decrypt(answer.header, asker.recv(_LARGEST)[before:])
        return (time.process_time() - started) / count


def serve(socket_: socket.socket, key: bytes, request: Sealed, answer: Sealed, count: int) -> float:
    """Answer so many times; return the CPU time of one, seconds."""
    eax, before = EAXPrime(key), len(request.head)
    started = time.process_time()
    for _ in range(count):
        octets, address = socket_.recvfrom(_LARGEST)
        eax.decrypt(request.header, octets[before:])
        socket_.sendto(answer.head + eax.encrypt(answer.header, answer.body), address)
    return (time.process_time() - started) / count
