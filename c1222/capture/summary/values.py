"""The values of a summary. Times are in nanoseconds: instants since 1970-01-01 UTC, None where none was seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from c1222.errors import Level

__all__ = [
    "RIGHT_NS",
    "CleartextPasswords",
    "ClockOffset",
    "ConversationTraffic",
    "Downgrade",
    "Evictions",
    "FindingCount",
    "KeyUse",
    "NeverVerified",
    "NodeTraffic",
    "RepeatedIv",
    "ResponseTimes",
    "ResultCount",
    "SecuritySummary",
    "ServiceTraffic",
    "Totals",
    "plain",
]


RIGHT_NS: Final = 2 * 10**9
"""How far a clock that is right may seem off: vectors have whole seconds, and messages are on their way for a while."""


def plain(value: Any) -> Any:
    """Return a value of a summary in terms of JSON."""
    if isinstance(value, tuple):
        if hasattr(value, "_asdict"):
            return {name: plain(one) for name, one in value._asdict().items()}
        return [plain(one) for one in value]
    return dict(value) if isinstance(value, dict) else value


class ResponseTimes(NamedTuple):
    """How long nodes took to answer: from the last time that the request was sent to the first response.

    Attributes:
        answers: how many were measured.
        median_ns: half of them took no longer.
        p95_ns: 95 of 100 took no longer.
        max_ns: none took longer.
    """

    answers: int
    median_ns: int
    p95_ns: int
    max_ns: int


class Totals(NamedTuple):
    """The capture as a whole.

    Attributes:
        messages: messages, undecodable ones included.
        octets: of their APDUs.
        requests: messages that ask, or notify.
        responses: messages that answer.
        unpaired: responses whose request was not seen.
        unanswered: requests that wanted an answer and got none; one that was sent several times counts once.
        retransmissions: messages that were sent before, within a minute and between the same addresses: the same
            octets, or a request with the titles and the invocation id of one that still waits for its answer.
        unreadable: messages whose services are not known, since they are encrypted and were not opened.
        undecodable: octets that are no message.
        first_ns: time of the first message.
        last_ns: time of the last message.
    """

    messages: int
    octets: int
    requests: int
    responses: int
    unpaired: int
    unanswered: int
    retransmissions: int
    unreadable: int
    undecodable: int
    first_ns: int | None
    last_ns: int | None


class ConversationTraffic(NamedTuple):
    """What one node asked another.

    Attributes:
        initiator: who asks: ApTitle as it was seen first, or address where there is none.
        responder: who is asked.
        requests: messages from the initiator.
        request_octets: of their APDUs.
        responses: messages that answer them.
        response_octets: of their APDUs.
        largest: octets of the largest APDU.
        retransmissions: see `Totals`; both ways.
        errors: services that were answered with a code other than ok.
        first_ns: time of the first message.
        last_ns: time of the last message.
        response_times: how long answers took, None if none was measured.
        interval_ns: median time from one request to the next, those that were sent again aside; None if there is one.
    """

    initiator: str
    responder: str
    requests: int
    request_octets: int
    responses: int
    response_octets: int
    largest: int
    retransmissions: int
    errors: int
    first_ns: int | None
    last_ns: int | None
    response_times: ResponseTimes | None
    interval_ns: int | None


class NodeTraffic(NamedTuple):
    """What one node sent and received.

    Attributes:
        node: ApTitle as it was seen first, or address where there is none.
        address: where it was seen last.
        sent: messages that it sent.
        sent_octets: of their APDUs.
        received: messages for it.
        received_octets: of their APDUs.
        retransmissions: of the messages that it sent.
        errors: services that it answered with a code other than ok.
        modes: messages that it sent, by security mode.
        verified: messages that it sent whose MAC is right.
        refused: messages that it sent whose MAC is wrong or missing.
        unchecked: secured messages that it sent for which there was no key or session.
        first_ns: time of the first message.
        last_ns: time of the last message.
        response_times: how long it took to answer, None if that was not measured.
    """

    node: str
    address: str
    sent: int
    sent_octets: int
    received: int
    received_octets: int
    retransmissions: int
    errors: int
    modes: Mapping[str, int]
    verified: int
    refused: int
    unchecked: int
    first_ns: int | None
    last_ns: int | None
    response_times: ResponseTimes | None


class ServiceTraffic(NamedTuple):
    """One service.

    Attributes:
        service: its name; None stands for what is in messages that cannot be read, one service a message.
        requests: how often it was asked for.
        responses: how often it was answered.
        errors: of these, with a code other than ok.
        response_times: of the messages that asked for it, alone or with other services.
    """

    service: str | None
    requests: int
    responses: int
    errors: int
    response_times: ResponseTimes | None


class ResultCount(NamedTuple):
    """A response code other than ok.

    Attributes:
        code: on the wire.
        result: its name.
        service: what was asked for; None where that is not known.
        occurrences: how often.
    """

    code: int
    result: str
    service: str | None
    occurrences: int


class FindingCount(NamedTuple):
    """A kind of finding.

    Attributes:
        level: ``error``, ``warning`` or ``note``.
        code: its kind.
        occurrences: how often.
    """

    level: Level
    code: str
    occurrences: int


class KeyUse(NamedTuple):
    """What was secured under one key id.

    Attributes:
        key_id: on the wire.
        messages: how many.
        verified: of these, whose MAC is right.
        refused: of these, whose MAC is wrong or missing.
        unchecked: of these, for which there was no key.
        nodes: nodes that sent such messages.
    """

    key_id: int
    messages: int
    verified: int
    refused: int
    unchecked: int
    nodes: int


class NeverVerified(NamedTuple):
    """A node that sent secured messages, none of which could be verified.

    Attributes:
        node: title or address.
        refused: messages whose MAC is wrong or missing.
        unchecked: messages for which there was no key or session.
    """

    node: str
    refused: int
    unchecked: int


class Downgrade(NamedTuple):
    """A node that sent secured messages to a peer and sends it cleartext later.

    Attributes:
        node: who sends.
        peer: to whom.
        mode: highest security mode before.
        verified: whether a message in that mode was verified, so that nobody else can have sent it.
        cleartext: messages in cleartext after it; not counted are those that only say that a service is refused, since
            a node that cannot open a message says so in cleartext.
        since_ns: time of the first of these.
    """

    node: str
    peer: str
    mode: str
    verified: bool
    cleartext: int
    since_ns: int | None


class CleartextPasswords(NamedTuple):
    """Passwords that anybody can read who sees the traffic.

    Attributes:
        node: who sent them.
        peer: to whom.
        requests: Security requests in cleartext, with a MAC or without.
    """

    node: str
    peer: str
    requests: int


class RepeatedIv(NamedTuple):
    """A node that used an initialisation vector again under one key id.

    Attributes:
        node: who sent the messages.
        key_id: of the messages.
        messages: messages whose vector it had used before; messages that were sent again do not count.
        same_invocation: of these, with the same invocation ids and receiver, too: what is encrypted so may be read by
            comparing the two.
    """

    node: str
    key_id: int
    messages: int
    same_invocation: int


class ClockOffset(NamedTuple):
    """How far the initialisation vectors of a node, which are times of sending, are from the times of capture.

    Attributes:
        node: who sent the messages.
        messages: how many have a vector, those whose MAC is wrong aside.
        copied: of these, responses that have the vector of their request, so that it tells nothing of the node's clock.
        median_ns: vector minus time of capture; the vector has whole seconds.
        min_ns: the least.
        max_ns: the largest.
    """

    node: str
    messages: int
    copied: int
    median_ns: int
    min_ns: int
    max_ns: int


class SecuritySummary(NamedTuple):
    """How well the traffic is secured.

    Attributes:
        modes: messages by security mode.
        verified: messages whose MAC is right.
        refused: messages whose MAC is wrong or missing.
        unchecked: secured messages for which there was no key or session.
        keys: what was secured under each key id.
        never_verified: nodes none of whose secured messages could be verified.
        downgrades: nodes that sent secured messages before and send cleartext now.
        cleartext_passwords: passwords that anybody can read.
        repeated_ivs: nodes that used vectors again.
        clock_offsets: what vectors tell of clocks.
    """

    modes: Mapping[str, int]
    verified: int
    refused: int
    unchecked: int
    keys: tuple[KeyUse, ...]
    never_verified: tuple[NeverVerified, ...]
    downgrades: tuple[Downgrade, ...]
    cleartext_passwords: tuple[CleartextPasswords, ...]
    repeated_ivs: tuple[RepeatedIv, ...]
    clock_offsets: tuple[ClockOffset, ...]


class Evictions(NamedTuple):
    """What was forgotten, since the memory is bounded: those that were silent for longest.

    Attributes:
        nodes: nodes.
        conversations: conversations.
        links: pairs of sender and receiver, with how they were secured.
        exchanges: messages of the last ten minutes, which others could have repeated or answered.
        ivs: initialisation vectors.
    """

    nodes: int
    conversations: int
    links: int
    exchanges: int
    ivs: int
