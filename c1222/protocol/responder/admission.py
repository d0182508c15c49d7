"""What a responder lets through: messages for it, secured well enough, and new.

Only what these checks let pass is carried out. Which check failed is not revealed.
Origin: window and playback as in Elster MeteringSDK and icsnpp-c1222 [1]; cleartext refused where there are keys as in
Itron's stack [1]; unknown elements, which the MAC does not cover, refused in secured messages: ours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from c1222.message.aptitle import CONTEXT_OID, DEFAULT_BASE
from c1222.message.epsem import ResponseControl, SecurityMode
from c1222.protocol.initiator.matching import Distrust
from c1222.protocol.responder.throttle import Throttle
from c1222.security.receiving import Freshness, ReplayGuard
from c1222.security.sealing import Verdict

if TYPE_CHECKING:
    from c1222.message.envelope import Envelope
    from c1222.protocol.identity import Identity
    from c1222.protocol.message import Message
    from c1222.protocol.policy import NodePolicy
    from c1222.protocol.responder.throttle import Origin
    from c1222.protocol.session import Session

__all__ = ["SILENT", "Gate", "Judgement", "make_throttle"]

SILENT: Final = frozenset(
    {"answer", "other-context", "not-ours", "malformed", "replayed", "reserved-response-control", "throttled"}
)
"""Reasons that are not reported to the peer: it did not mean us, it cannot have meant that, or it said it before."""

_COMPUTED: Final = frozenset({Verdict.WRONG_MAC, Verdict.VERIFIED})
_CONTEXTS: Final = frozenset({None, CONTEXT_OID, str(DEFAULT_BASE)})
_MECHANISM: Final = "2.16.124.113620.1.22.2.1"


class Judgement(NamedTuple):
    """What came of the checks.

    Attributes:
        doubt: why the message is not to be carried out; None when it is.
        used_up: whether this was the last failure that its address, or all unknown ones, had.
    """

    doubt: Distrust | None
    used_up: bool = False


def make_throttle(policy: NodePolicy) -> Throttle:
    """Make what counts failed authentications."""
    return Throttle(strangers=policy.stranger_failures, known=policy.known_failures, max_known=policy.max_known)


class Gate:
    """The checks of one node, and what they have to remember.

    Args:
        identity: the node's title and keys.
        policy: what is allowed.
        replay: what was taken already.

        throttle: counts failed authentications; made new when None.

    Attributes:
        throttle: as given.
        passwords: counts wrong passwords.
    """

    __slots__ = ("_identity", "_policy", "_replay", "passwords", "throttle")

    def __init__(
        self,
        identity: Identity,
        policy: NodePolicy,
        replay: ReplayGuard | None = None,
        throttle: Throttle | None = None,
    ) -> None:
        self._identity = identity
        self._policy = policy
        self._replay = ReplayGuard(window=policy.window, max_seen=policy.max_seen) if replay is None else replay
        self.throttle = make_throttle(policy) if throttle is None else throttle
        self.passwords = Throttle(
            strangers=policy.password_failures, known=policy.password_failures, max_known=policy.max_known
        )

    def address(self, acse: Envelope) -> Distrust | None:
        """Return why a message is not for this node; None when it is."""
        if acse.is_response:
            return Distrust("answer", "an answer, to a node that asked nothing")
        if acse.application_context not in _CONTEXTS:
            return Distrust("other-context", f"the application context is {acse.application_context}")
        called, title = acse.called, self._identity.title
        if called is None or title is None or self._identity.same(called, title):
            return None
        base = self._identity.keys.base_oid
        if called.absolute(base).is_broadcast_to(title.absolute(base)):
            return None
        return Distrust("not-ours", f"for {called}")

    def trust(self, message: Message, session: Session | None) -> Distrust | None:
        """Return why a message is not secured well enough; None when it is."""
        verdict = message.verdict
        if verdict is Verdict.CLEARTEXT:
            allowed = self._policy.cleartext
            if not (len(self._identity.keys) == 0 if allowed is None else allowed):
                return Distrust("cleartext", "in cleartext, which this node refuses")
        elif verdict is not Verdict.VERIFIED:
            finding = next((finding for finding in message.findings if finding.level == "error"), None)
            return Distrust(str(verdict), "not verified" if finding is None else finding.text)
        elif message.envelope is not None and message.envelope.unknown:
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

    def judge(self, message: Message, session: Session | None, origin: Origin, now: float, utc: float) -> Judgement:
        """Return why a message is not to be carried out, and whether that used up the budget of its address."""
        doubt = self.trust(message, session) or self.freshness(message, session, utc)
        if message.verdict is Verdict.CLEARTEXT:
            return Judgement(doubt)
        if doubt is None:
            if not message.recovery_session:  # of any age: after a restart perhaps somebody else's read, repeated
                self.throttle.succeeded(origin, now)
            return Judgement(None)
        # What was no forgery was a replay, or as old as one: it makes nobody known, and its MAC costs as much.
        return Judgement(doubt, used_up=message.verdict in _COMPUTED and self.throttle.failed(origin, now))

    def is_vector_used(self, message: Message, session: Session | None) -> bool:
        """Return whether a fresh message brings a session a vector under which the next messages would be no new ones.

        Two programs of one title may open sessions within a second: under the vector of the first, ids of the second
        that are not above those of the first are refused, and if they were taken, a message of the first could be
        replayed. Its sender has to take a later vector.
        """
        security = message.session_security
        if security is None or message.security_mode is SecurityMode.CLEARTEXT:
            return False
        before = None if session is None else session.peer_security
        if not any(service.service == "logon" for service in message.services) and (
            session is None or (before is not None and security.iv <= before.iv)
        ):
            return False
        calling = message.calling and message.calling.absolute(self._identity.keys.base_oid)
        return self._replay.is_used(calling, *security, message.calling_invocation_id)

    def freshness(self, message: Message, session: Session | None, utc: float) -> Distrust | None:
        """Return why a message that is trusted is not new; None when it is, and it is remembered then."""
        if message.security_mode is SecurityMode.CLEARTEXT:
            return None
        iv, invocation_id, key_id = message.iv or b"", message.calling_invocation_id, message.key_id or 0
        calling = message.calling and message.calling.absolute(self._identity.keys.base_oid)
        if not self._identity.can_secure(key_id, utc):
            return Distrust("no-vector", "it could not be answered: the clock is outside 1970 to 2106, or none is left")
        if not message.carries_authentication:
            # Twice: a session may begin anew under a later vector, and may not be the first one under its own.
            if (
                session is not None
                and session.is_new(iv, invocation_id)
                and self._replay.check_in_session(calling, key_id, iv, invocation_id) is Freshness.FRESH
            ):
                return None
            return Distrust("replayed", "its id is not larger than those before it under the session's vector")
        ahead = int.from_bytes(iv) - utc
        if self._policy.accept_from is not None and int.from_bytes(iv) < self._policy.accept_from:
            return Distrust(str(Freshness.TOO_OLD), "its vector may have been taken before a restart")
        recovery = message.recovery_session and self._policy.recovery
        found = self._replay.check(calling, key_id, iv, invocation_id, utc, recovery=recovery)
        return None if found is Freshness.FRESH else Distrust(str(found), f"its vector is {ahead:+.0f} s away")
