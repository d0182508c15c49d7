"""How traffic is secured: modes, keys, passwords, nodes that went back to cleartext, vectors and clocks."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from c1222.capture.message import UNTIMED
from c1222.capture.summary.records import LinkRecord, Records
from c1222.capture.summary.values import (
    CleartextPasswords,
    ClockOffset,
    Downgrade,
    KeyUse,
    NeverVerified,
    RepeatedIv,
    SecuritySummary,
)
from c1222.message.epsem import SecurityMode
from c1222.protocol.pairing import Generations
from c1222.services.session import SecurityRequest

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    from c1222.capture.message import CapturedMessage
    from c1222.capture.summary.records import NodeRecord, RequestRecord

__all__ = ["SecurityRecords"]

_TAIL: Final = 16
"""Octets at the end of an APDU that show whether it is the same under titles in another form: its MAC is among them."""


class SecurityRecords:
    """What is kept of the security of messages.

    Args:
        max_links: pairs of sender and receiver remembered.
        max_ivs: initialisation vectors remembered.
    """

    def __init__(self, max_links: int, max_ivs: int) -> None:
        self._links: Records[tuple[Hashable, Hashable], LinkRecord] = Records(max_links, LinkRecord)
        self._ivs: Generations[tuple[Hashable, ...], bool] = Generations(max_ivs)
        self._nonces: Generations[tuple[Hashable, ...], bytes] = Generations(max_ivs)
        self._modes: Counter[str] = Counter()
        self._keys: dict[int, Counter[str]] = {}
        self._verdicts: Counter[str] = Counter()

    @property
    def links_evicted(self) -> int:
        """Pairs of sender and receiver that were forgotten."""
        return self._links.forgotten

    @property
    def ivs_forgotten(self) -> int:
        """Initialisation vectors that were forgotten."""
        return self._ivs.forgotten

    def add(
        self,
        message: CapturedMessage,
        ends: tuple[Hashable, Hashable],
        records: tuple[NodeRecord, NodeRecord],
        request: RequestRecord | None,
    ) -> None:
        """Take a message.

        Args:
            message: the message.
            ends: sender and receiver.
            records: theirs.
            request: what it answers, if that is known.
        """
        self._mode(message, ends, records)
        self._vector(message, ends, records[0], request)

    def _mode(
        self, message: CapturedMessage, ends: tuple[Hashable, Hashable], records: tuple[NodeRecord, NodeRecord]
    ) -> None:
        sender, receiver = records
        mode: SecurityMode | None = message.security_mode
        label = "unreadable" if mode is None else mode.label
        self._modes[label] += 1
        sender.modes[label] += 1
        if not mode:
            self._in_cleartext(message, ends, records)
            return
        authenticated = message.authenticated
        verdict = "unchecked" if authenticated is None else "verified" if authenticated else "refused"
        self._verdicts[verdict] += 1
        setattr(sender, verdict, getattr(sender, verdict) + 1)
        key_id = message.key_id
        if key_id is not None:
            self._keys.setdefault(key_id, Counter())[verdict] += 1
            sender.key_ids.add(key_id)
        if authenticated is not False:
            link = self._links.of(ends, sender.name, receiver.name)
            if mode > link.mode:
                link.mode, link.verified = mode, False
            link.verified |= mode == link.mode and authenticated is True
            if mode is SecurityMode.CLEARTEXT_AUTHENTICATION:
                link.passwords += _passwords(message)

    def _in_cleartext(
        self, message: CapturedMessage, ends: tuple[Hashable, Hashable], records: tuple[NodeRecord, NodeRecord]
    ) -> None:
        link = self._links.get(ends)
        if passwords := _passwords(message):
            link = self._links.of(ends, records[0].name, records[1].name)
            link.passwords += passwords
        if link is None or not link.mode:
            return
        parts = message.service_octets
        if message.is_response and parts and all(octets[0] for octets in parts):
            return
        if not link.cleartext:
            link.since_ns = None if message.time_ns == UNTIMED else message.time_ns
        link.cleartext += 1

    def _vector(
        self,
        message: CapturedMessage,
        ends: tuple[Hashable, Hashable],
        sender: NodeRecord,
        request: RequestRecord | None,
    ) -> None:
        """Note the initialisation vector of a message that carries one."""
        iv, key_id = message.iv, message.key_id
        if iv is None or key_id is None or message.authenticated is False or not message.carries_authentication:
            return
        if message.time_ns != UNTIMED:
            sender.offsets.add(int.from_bytes(iv) * 10**9 - message.time_ns)
            sender.copied += request is not None and request.iv == iv
        calling, called = ends
        used = (calling, key_id, iv)
        nonce = (*used, called, message.calling_invocation_id, message.called_invocation_id)
        tail = message.octets[-_TAIL:]
        before = self._nonces.get(nonce)
        if before == tail:
            return  # sent again, or passed on by a relay
        if self._ivs.get(used):
            repeated = sender.repeated.setdefault(key_id, [0, 0])
            repeated[0] += 1
            repeated[1] += before is not None
        self._ivs.put(used, True)
        self._nonces.put(nonce, tail)

    def value(self, records: Iterable[NodeRecord]) -> SecuritySummary:
        """Return what there is to tell.

        Args:
            records: of all nodes.
        """
        nodes, links, verdicts = list(records), list(self._links.values()), self._verdicts
        users = Counter(key_id for node in nodes for key_id in node.key_ids)
        return SecuritySummary(
            modes=dict(self._modes),
            verified=verdicts["verified"],
            refused=verdicts["refused"],
            unchecked=verdicts["unchecked"],
            keys=tuple(
                KeyUse(
                    key_id, found.total(), found["verified"], found["refused"], found["unchecked"], users[key_id]
                )
                for key_id, found in sorted(self._keys.items())
            ),
            never_verified=tuple(
                NeverVerified(node.name, node.refused, node.unchecked)
                for node in nodes
                if not node.verified and (node.refused or node.unchecked)
            ),
            downgrades=tuple(
                Downgrade(
                    link.sender, link.receiver, SecurityMode(link.mode).label, link.verified, link.cleartext,
                    link.since_ns,
                )
                for link in links
                if link.cleartext
            ),
            cleartext_passwords=tuple(
                CleartextPasswords(link.sender, link.receiver, link.passwords) for link in links if link.passwords
            ),
            repeated_ivs=tuple(
                RepeatedIv(node.name, key_id, *counts)
                for node in nodes
                for key_id, counts in sorted(node.repeated.items())
            ),
            clock_offsets=tuple(
                ClockOffset(node.name, times.count, node.copied, times.quantile(0.5), times.least, times.largest)
                for node in nodes
                if (times := node.offsets).count
            ),
        )  # fmt: skip


def _passwords(message: CapturedMessage) -> int:
    if message.is_response:
        return 0
    return sum(octets[0] == SecurityRequest.code for octets in message.service_octets)
