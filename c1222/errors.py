"""Every error of this package, and the finding, which is a remark that does not stop the work.

    C1222Error
    ├── LocalError                 our side broke a rule: the arguments, the configuration, the state
    │   ├── EncodeError            (ValueError)   a value that has no form on the wire
    │   ├── ShortHeader            (ValueError)   a canonical header of 16 octets or fewer: EAX' is forgeable there
    │   ├── InvalidKey             (ValueError)   a key, or a file of keys, that cannot be used; never quotes the key
    │   ├── InvalidUrl             (ValueError)   not the address of a peer
    │   ├── UnknownKey             (LookupError)  no key for this node and key id
    │   └── StateError                            the exchange is not in a state that allows this
    └── RemoteError                the peer, or the octets that came in, broke a rule
        ├── DecodeError            (ValueError)   octets that are not what they claim; carries path and offset
        │   └── LimitExceeded                     well formed perhaps, but past a limit the caller set
        ├── InvalidTag                            the MAC is wrong; says nothing more, on purpose
        ├── PeerSilent             (TimeoutError) no answer in time
        ├── Unreachable            (ConnectionError) nobody listens there, or there is no way to it
        ├── ConnectionLost         (ConnectionError) the connection ended while it was needed
        ├── SessionLost                           the session ended before the exchange was done
        ├── SecurityRefused                       the peer refuses the message's security in cleartext
        └── ServiceError                          the peer answered with a response code other than ok

"Need more octets" is never an exception: functions that can need more return None.
"""

from __future__ import annotations

import os
import re
from typing import ClassVar

from c1219.errors import Finding, Level

__all__ = [
    "C1222Error",
    "ConnectionLost",
    "DecodeError",
    "EncodeError",
    "Finding",
    "InvalidKey",
    "InvalidTag",
    "InvalidUrl",
    "Level",
    "LimitExceeded",
    "LocalError",
    "PeerSilent",
    "RemoteError",
    "SecurityRefused",
    "ServiceError",
    "SessionLost",
    "ShortHeader",
    "StateError",
    "UnknownKey",
    "Unreachable",
    "in_words",
]


class C1222Error(Exception):
    """Root of all errors of this package."""


class LocalError(C1222Error):
    """Our side broke a rule."""


class EncodeError(LocalError, ValueError):
    """A value has no form on the wire."""


class ShortHeader(LocalError, ValueError):
    """The canonical header has 16 octets or fewer, where EAX' is forgeable (eprint 2012/018)."""


class InvalidKey(LocalError, ValueError):
    """A key, a key id or a file of keys cannot be used. The text tells where and why, and never quotes the key."""


class InvalidUrl(LocalError, ValueError):
    """The text is not the address of a peer, such as ``udp://meter.example:1153``."""


class UnknownKey(LocalError, LookupError):
    """No key is known for this node and key id."""


class StateError(LocalError):
    """The exchange is not in a state that allows this."""


class RemoteError(C1222Error):
    """The peer, or the octets that came in, broke a rule."""


class DecodeError(RemoteError, ValueError):
    """Octets are not what they claim to be.

    Attributes:
        path: dotted path of the element, for example ``acse.calling-AP-title``.
        offset: octet offset from the start of the APDU (or of the octets given to the function).
        reason: what is wrong, in words.
    """

    def __init__(self, path: str, offset: int, reason: str) -> None:
        super().__init__(path, offset, reason)
        self.path = path
        self.offset = offset
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.path} at octet {self.offset}: {self.reason}"

    def finding(self, code: str = "malformed") -> Finding:
        """Return the same statement as a finding of level error."""
        return Finding("error", code, self.path, self.offset, self.reason)


class LimitExceeded(DecodeError):
    """The octets go past a limit that the caller set."""


class InvalidTag(RemoteError):
    """The MAC is wrong. Carries no detail: what failed is told to the operator, never to the peer."""


class PeerSilent(RemoteError, TimeoutError):
    """No answer came in time."""


class Unreachable(RemoteError, ConnectionError):
    """Nobody listens at the address, or there is no way to it: so says the network, which nobody authenticates."""


class ConnectionLost(RemoteError, ConnectionError):
    """The connection ended while it was needed: closed by the peer or the network, or given up as out of step."""


class SessionLost(RemoteError):
    """The session ended before the exchange was done: idle for too long, or forgotten by the peer."""


class SecurityRefused(RemoteError):
    """The peer answered a secured request with a refusal in cleartext: unauthenticated, so only a hint."""


class ServiceError(RemoteError):
    """The peer answered a service with a response code other than ok.

    Attributes:
        code: the response code (00..1F) on the class of each kind, so that a responder needs no table.
    """

    code: ClassVar[int] = 0x01


def in_words(error: Exception) -> str:
    """Return what an error says, of the operating system its words alone.

    Its number, and the file or host that it names, are left out: the caller's text has the latter already.

    Args:
        error: any; an `OSError` of asyncio may hold several, of which the first counts.
    """
    if not isinstance(error, OSError):
        return str(error)
    number = error.errno
    if number is None and (found := re.search(r"\[Errno (\d+)\]", str(error))):
        number = int(found[1])
    return os.strerror(number) if number is not None and number > 0 else error.strerror or str(error)
