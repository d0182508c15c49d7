"""What a responder lets through: messages for it, secured well enough, from peers that did not fail too often, and new.

Only what these checks let pass is carried out. Nothing is told about which check failed.
Origin: window and playback as in Elster MeteringSDK and icsnpp-c1222 [1]; cleartext refused where there are keys as in
Itron's stack [1]; unknown elements, which the MAC does not cover, refused in secured messages: ours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from c1222.message.aptitle import CONTEXT_OID
from c1222.message.epsem import ResponseControl, SecurityMode
from c1222.protocol.answers import Distrust
from c1222.protocol.ledger import Throttle
from c1222.security.freshness import Freshness, ReplayGuard
from c1222.security.sealing import Verdict

if TYPE_CHECKING:
    from collections.abc import Hashable

    from c1222.message.acse import Acse
    from c1222.protocol.identity import Identity
    from c1222.protocol.messages import Message
    from c1222.protocol.policy import NodePolicy
    from c1222.protocol.session import Session

__all__ = ["SILENT", "Gate"]

SILENT: Final = frozenset({"answer", "other-context", "not-ours", "malformed", "replayed", "reserved-response-control"})
"""Reasons that no peer is told: it did not mean us, it cannot have meant that, or it said it before."""

_FAILED: Final = frozenset({Verdict.WRONG_MAC, Verdict.SHORT_HEADER, Verdict.TOO_SHORT, Verdict.NO_KEY})
_MECHANISM: Final = "2.16.124.113620.1.22.2.1"
_RECOVERED: Final = 256


class Gate:
    """The checks of one node, and what they have to remember.

    Args:
        identity: the node's title and keys.
        policy: what is allowed.
        replay: what was taken already.

    Attributes:
        throttle: counts the failed authentications of each peer.
    """

    __slots__ = ("_identity", "_policy", "_recovered", "_replay", "throttle")

    def __init__(self, identity: Identity, policy: NodePolicy, replay: ReplayGuard | None = None) -> None:
        self._identity = identity
        self._policy = policy
        self._replay = ReplayGuard(window=policy.window, max_seen=policy.max_seen) if replay is None else replay
        self._recovered: ReplayGuard | None = None
        self.throttle = Throttle(
            at_once=policy.failures, per_second=policy.failures_per_second, max_peers=policy.max_peers
        )

    def address(self, acse: Acse) -> Distrust | None:
        """Return why a message is not for this node; None when it is."""
        if acse.is_response:
            return Distrust("answer", "an answer, to a node that asked nothing")
        if acse.application_context not in {None, CONTEXT_OID}:
            return Distrust("other-context", f"the application context is {acse.application_context}")
        called, title = acse.called, self._identity.title
        if called is None or title is None or self._identity.same(called, title):
            return None
        base = self._identity.keys.base_oid
        if called.absolute(base).is_broadcast_to(title.absolute(base)):
            return None
        return Distrust("not-ours", f"for {called}")

    def trust(self, message: Message, session: Session | None, peer: Hashable, now: float) -> Distrust | None:
        """Return why a message is not secured well enough; None when it is. A failure counts against the peer."""
        verdict = message.verdict
        if verdict is Verdict.CLEARTEXT:
            allowed = self._policy.cleartext
            if not (len(self._identity.keys) == 0 if allowed is None else allowed):
                return Distrust("cleartext", "in cleartext, which this node refuses")
        elif verdict is not Verdict.VERIFIED:
            if verdict in _FAILED:
                self.throttle.failed(peer, now)
            finding = next((finding for finding in message.findings if finding.level == "error"), None)
            return Distrust(str(verdict), "not verified" if finding is None else finding.text)
        elif message.acse is not None and message.acse.unknown:
            return Distrust("unknown-elements", "there are elements that the MAC does not cover")
        elif message.called is None or message.calling is None:
            return Distrust("no-titles", "a secured message names both nodes")
        if session is not None and message.security_mode < session.mode:
            return Distrust("downgrade", f"{message.security_mode.label} in a session of {session.mode.label}")
        if message.mechanism not in {None, _MECHANISM}:
            return Distrust("other-mechanism", f"the security mechanism is {message.mechanism}")
        if message.response_control is ResponseControl.RESERVED:
            return Distrust("reserved-response-control", "response control 3 has no meaning")
        return None

    def freshness(self, message: Message, session: Session | None, utc: float) -> Distrust | None:
        """Return why a message that is trusted is not new; None when it is, and it is remembered then."""
        if message.security_mode is SecurityMode.CLEARTEXT:
            return None
        iv = message.iv or b""
        if not message.carries_authentication:
            if session is not None and session.is_new(iv, message.calling_invocation_id):
                return None
            return Distrust("replayed", "its id is not larger than those before it in the session")
        ahead = int.from_bytes(iv) - utc
        if self._policy.accept_from is not None and int.from_bytes(iv) < self._policy.accept_from:
            return Distrust(str(Freshness.TOO_OLD), "its vector may have been taken before a restart")
        guard = self._replay
        if message.recovery_session and self._policy.recovery:
            # The time is not looked at; what was taken is.
            guard = self._recovered = self._recovered or ReplayGuard(window=None, max_seen=_RECOVERED)
        calling = message.calling and message.calling.absolute(self._identity.keys.base_oid)
        found = guard.check(calling, message.key_id or 0, iv, message.calling_invocation_id, utc)
        return None if found is Freshness.FRESH else Distrust(str(found), f"its vector is {ahead:+.0f} s away")
