"""What the core needs to know of its surroundings: timing, transport, tolerances."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple

from c1222.message.ber import MAX_APDU_OCTETS
from c1222.protocol.responder.throttle import Rate
from c1222.security.receiving import ACCEPTANCE_WINDOW, MAX_SEEN

__all__ = [
    "BROADCASTS",
    "BUSY_PAUSE",
    "BUSY_TRIES",
    "HEADER_ROOM",
    "KNOWN_FAILURES",
    "MAX_KNOWN",
    "MAX_QUEUE",
    "PASSWORD_FAILURES",
    "REPEAT_WITHIN",
    "STRANGER_FAILURES",
    "TCP_LINK",
    "TCP_TIMING",
    "UDP_LINK",
    "UDP_TIMING",
    "Link",
    "NodePolicy",
    "OnRefusal",
    "Options",
    "Timing",
    "link_over",
]

BUSY_TRIES: Final = 20
"""How often a request is sent again after bsy or dnr; Elster MeteringSDK's number [1]."""
BUSY_PAUSE: Final = 2.0
"""Seconds before it is sent again; Elster MeteringSDK's number [1]."""
REPEAT_WITHIN: Final = 110.0
"""Seconds after first sending within which the same octets may be sent again: responders remember them for 120 [1]."""
MAX_QUEUE: Final = 1000
"""Exchanges that may wait for their turn."""


STRANGER_FAILURES: Final = Rate(at_once=200, per_second=20.0)
"""At this pace 2^31 tries take 3.4 years."""
KNOWN_FAILURES: Final = Rate(at_once=1000, per_second=10.0)
"""So many in the name of a known address do not shut it out."""
PASSWORD_FAILURES: Final = Rate(at_once=10, per_second=0.1)
"""Passwords are short and made by people."""
BROADCASTS: Final = Rate(at_once=10_000, per_second=1000.0)
"""Each meter reached costs about 25 µs, also when it refuses: a fortieth of a core."""
MAX_KNOWN: Final = 4096
"""Known addresses, about 300 octets each."""

HEADER_ROOM: Final = 160
"""Octets of an APDU that are kept for what stands around table data; Elster MeteringSDK's number [1]."""


class OnRefusal(StrEnum):
    """What a responder says to a message it refuses unheard: for its MAC, key, age, or being in cleartext."""

    DROP = "drop"
    ANSWER = "answer"


class Link(NamedTuple):
    """The transport, as far as the core must know it.

    Attributes:
        reliable: what arrives, arrives once and in order, and the two ends know each other, as with TCP.
        max_size: largest APDU to send in one piece, octets.
        segments: cut what is larger into segments; otherwise a request is refused here and an answer becomes rstl.
        on_refusal: what a responder says to messages it refuses; silence gives nothing to probe with.
        around: octets of a message that are kept for what stands around table data.
        too_long: the response code of peers whose answer would be too long.
    """

    reliable: bool = False
    max_size: int = 1400
    segments: bool = False
    on_refusal: OnRefusal = OnRefusal.DROP
    around: int = HEADER_ROOM
    too_long: str = "rstl"


UDP_LINK: Final = Link()
"""Datagrams that fit an Ethernet frame; refusals are silent."""
TCP_LINK: Final = Link(reliable=True, max_size=MAX_APDU_OCTETS, on_refusal=OnRefusal.ANSWER)
"""A connection; refusals are answered in cleartext (sme)."""


def link_over(*, reliable: bool) -> Link:
    """Return the link over a transport.

    Args:
        reliable: see `Link`.
    """
    return TCP_LINK if reliable else UDP_LINK


class Timing(NamedTuple):
    """How long an initiator waits, and how often it tries.

    Attributes:
        timeout: how long the first answer may take, seconds.
        growth: by what each further wait is longer.
        longest: no wait is longer than this, seconds.
        attempts: how often the same octets are sent, the first time included.
        second_opinion: how soon to ask again after an unauthenticated refusal, seconds. Over datagrams two attempts
            that get one end the wait before the attempts are used up.
        busy_tries: how often a request is sent again, as a new message, after bsy or dnr.
        busy_pause: how long to wait before that, seconds.
    """

    timeout: float = 5.0
    growth: float = 1.5
    longest: float = 60.0
    attempts: int = 4
    second_opinion: float = 1.0
    busy_tries: int = BUSY_TRIES
    busy_pause: float = BUSY_PAUSE

    def wait(self, attempt: int) -> float:
        """Return how long to wait after an attempt, the first being 1, in seconds."""
        try:
            return min(self.timeout * self.growth ** (attempt - 1), self.longest)
        except OverflowError:
            return self.longest


UDP_TIMING: Final = Timing()
"""5 s, then 7.5, 11.25 and 16.9: silence is an error after 41 s."""
TCP_TIMING: Final = Timing(timeout=60.0, attempts=1)
"""60 s and no repetition: a connection repeats by itself. The standard's own default is said to be 300 s [1]."""


class Options(NamedTuple):
    """What differs from peer to peer, for an initiator.

    Attributes:
        ed_class: 4 octets to put into requests, or None.
        application_context: object identifier to put into requests; None leaves it out, which stands for C12.22.
        authentication_in_session: send key id and vector in every message of a session, not in the first alone.
        lenient: take an answer that quotes no id, if one cleartext exchange waits.
        window: seconds the vector of an answer may be away from the true time; None for any, since meters lose theirs.
        outstanding: exchanges that may wait for answers at a time, outside of sessions; inside there is one.
        max_queue: exchanges that may wait for their turn.
        max_size: limit for an APDU that comes in, segments put together, octets.
        repeat_within: seconds after first sending within which the same octets may be sent again.
    """

    ed_class: bytes | None = None
    application_context: str | None = None
    authentication_in_session: bool = False
    lenient: bool = False
    window: int | None = None
    outstanding: int = 1
    max_queue: int = MAX_QUEUE
    max_size: int = MAX_APDU_OCTETS
    repeat_within: float = REPEAT_WITHIN


class NodePolicy(NamedTuple):
    """What a responder allows, and how much it remembers.

    Attributes:
        cleartext: take cleartext requests; None takes them only where there are no keys.
        callers_keys: take messages sealed with a key of the calling title, as a relay does of nodes that register. With
            other nodes, who has the key of one could send requests to all others in its name.
        window: seconds the vector of a request may be away from the true time.
        max_seen: requests with a vector of their own that are remembered, to take none twice.
        accept_from: take no vector below this, UTC seconds: what was taken before a restart is not remembered.
        recovery: let messages that ask for a recovery session pass whatever their vector is.
        same_vector: seconds within which an answer has the vector of its request, as the answers of meters do.
        max_sessions: sessions at a time.
        answer_window: how long answers are remembered, seconds.
        max_answers: answers remembered.
        max_answer_octets: octets of them and their requests.
        max_request: largest APDU that is carried out, octets; a larger one gets rqtl. None for any.
        max_response: largest answer, octets; None for what the link takes.
        max_size: limit for an APDU that comes in, segments put together, octets; a larger one is dropped.
        max_cleartext_sessions: sessions in cleartext that one address may have open at a time.
        stranger_failures: failed authentications, replays among them, of all addresses together that have not
            authenticated within the last hour; of a fleet, all its meters together. Datagrams and connections have one
            budget each.
        known_failures: those of each address that has.
        broadcasts: requests to many nodes of a process, counted once for each of them; from addresses that have
            authenticated lately, and from all others, over datagrams and over connections.
        password_failures: wrong passwords, counted in the same two ways; sealed messages apart from cleartext.
        max_known: addresses that are known to have authenticated.
    """

    cleartext: bool | None = None
    callers_keys: bool = False
    window: int = ACCEPTANCE_WINDOW
    max_seen: int = MAX_SEEN
    accept_from: int | None = None
    recovery: bool = False
    same_vector: int = 2
    max_sessions: int = 16
    answer_window: float = 120.0
    max_answers: int = 256
    max_answer_octets: int = 1 << 18
    max_request: int | None = None
    max_response: int | None = None
    max_size: int = MAX_APDU_OCTETS
    max_cleartext_sessions: int = 4
    stranger_failures: Rate = STRANGER_FAILURES
    known_failures: Rate = KNOWN_FAILURES
    password_failures: Rate = PASSWORD_FAILURES
    max_known: int = MAX_KNOWN
    broadcasts: Rate = BROADCASTS
