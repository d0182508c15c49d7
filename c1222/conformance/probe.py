"""What checks ask a node through: messages of any make, and what came back, whatever it is.

Requests are sealed, numbered and sent like those of a client, and then anything about them may be changed. Answers are
taken as far as possible (`c1222.conformance.reply`), so that one thing that a node does wrong does not hide the rest.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from c1222.conformance.evidence import Evidence, Log, answer_conceals, conceals, hex_of, shown_services
from c1222.conformance.reply import NoAnswer, Reply, Sent
from c1222.errors import C1222Error, ConnectionLost, DecodeError, Unreachable
from c1222.message.acse import Acse, decode_acse
from c1222.message.ber import MAX_APDU_OCTETS
from c1222.message.epsem import SecurityMode
from c1222.message.segmentation import Reassembler
from c1222.protocol.composing import encode
from c1222.protocol.identity import Identity
from c1222.protocol.message import Message
from c1222.protocol.opening import open_message
from c1222.security.sealing import SessionSecurity, Verdict
from c1222.security.sending import SendGuard
from c1222.services.results import Bsy, Dnr
from c1222.services.session import SecurityRequest

if TYPE_CHECKING:
    from collections.abc import Callable

    from c1222.client.clock import TimeSource
    from c1222.client.sync import Endpoint
    from c1222.conformance.target import Target
    from c1222.security.keys import KeyStore
    from c1222.services import Request

__all__ = ["Probe", "quietly"]

_REMEMBERED: Final = 256
_BUSY: Final = frozenset({Bsy.code, Dnr.code})
_BUSY_TRIES: Final = 5
_SECURITIES: Final = 4


class Probe:
    """One node under examination.

    Args:
        target: whom to ask, in whose name.
        connect: opens a way to the node; called again when a connection was lost.
        clock: what time it is.
        guard: keeps vectors unique over a restart, if it has a store.

    Attributes:
        target: as given.
        clock: as given.
        identity: who asks.
        log: what went over the wire.
        counters: what came that was not looked at, by reason.
        problems: what was wrong about answers as a whole in this run, with how often.
        nonces: how often the node sealed with the same key, vector, ids and titles.
        facts: what checks found out for those after them.
    """

    def __init__(
        self, target: Target, connect: Callable[[], Endpoint], clock: TimeSource, *, guard: SendGuard | None = None
    ) -> None:
        self.target = target
        self.clock = clock
        self.identity = Identity(target.calling, target.keys, guard=guard or SendGuard(), id_bits=target.id_bits)
        self.log = Log()
        self.counters: Counter[str] = Counter()
        self.problems: Counter[str] = Counter()
        self.nonces: Counter[tuple[object, ...]] = Counter()
        self.facts: dict[str, Any] = {}
        self._connect = connect
        self._endpoint: Endpoint | None = None
        self._start = clock.now
        self._past: deque[int] = deque(maxlen=_REMEMBERED)
        self._asked_secrets = False
        self._seen: deque[bytes] = deque(maxlen=_REMEMBERED)
        self._securities: deque[SessionSecurity] = deque(maxlen=_SECURITIES)
        self._reassembler = Reassembler()

    # Making requests.

    def compose(
        self, *services: Request, keys: KeyStore | None = None, session: SessionSecurity | None = None, **parts: Any
    ) -> Sent:
        """Make a request.

        Args:
            services: what it asks for.
            keys: other keys to seal it with.
            session: leave key id and vector out: they are those of a message before.
            parts: what is not as usual, by the names of `Message`.

        Raises:
            C1222Error: it has no form on the wire, or cannot be sealed.
        """
        target = self.target
        mode = SecurityMode(parts.pop("security_mode", target.mode))
        given: dict[str, Any] = {"called": target.called, "calling": target.calling, "ed_class": target.ed_class}
        given |= {"security_mode": mode, **parts}
        given.setdefault("calling_invocation_id", None)
        if given["calling_invocation_id"] is None:
            given["calling_invocation_id"] = self.identity.next_id(self.clock.utc)
        if mode is not SecurityMode.CLEARTEXT:
            key_id = given.setdefault("key_id", target.key_id) or 0
            if "iv" not in given:
                number = given["calling_invocation_id"]
                security, carries = self.identity.secure(key_id, number, self.clock.utc, session=session)
                given["iv"], given["carries_authentication"] = security.iv, carries
        message = Message(services=services, **given)
        return Sent(message, encode(message, keys=target.keys if keys is None else keys))

    def password(self, *, in_session: bool = False) -> tuple[SecurityRequest, ...]:
        """Return what presents our password; nothing where there is none."""
        target = self.target
        if target.password is None:
            return ()
        user = None if in_session else target.user_id
        return (SecurityRequest.of(target.password, user, padding=target.padding),)

    def give_up_password(self, answer: str) -> None:
        """Present the password no more: nodes count refused ones, and lock.

        Args:
            answer: what the node said to it.
        """
        self.facts["password refused"] = answer
        self.target = replace(self.target, password=None)

    # Asking.

    def ask(self, *services: Request, skip: int = 0, **parts: Any) -> Reply:
        """Ask, again while the node is busy, and return the answer.

        Args:
            services: what for.
            skip: how many of them are not the caller's.
            parts: see `compose`.

        Raises:
            NoAnswer: none came that counts.
            C1222Error: see `compose`.
        """
        for _ in range(_BUSY_TRIES):
            reply = self.exchange(self.compose(*services, **parts), skip=skip)
            if not _BUSY.intersection(one.code for one in (*reply.before, *reply.responses) if one is not None):
                break
            self.pause(self.target.quiet)
        return reply

    def exchange(self, sent: Sent, *, skip: int = 0) -> Reply:
        """Send a request, again if need be, and return the answer.

        Raises:
            NoAnswer: none came that counts.
        """
        target = self.target
        attempts = target.attempts
        rejected: list[str] = []
        secret = conceals(sent.message.services)
        for _ in range(attempts):
            try:
                self._send(sent.octets, sent, secret=secret)
                reply = self._wait(sent, self.clock.now + target.timeout, rejected, skip=skip, secret=secret)
            except (ConnectionLost, Unreachable) as error:
                rejected.append(str(error))
                self.hang_up()
                continue
            if reply is not None:
                return reply
            if self._endpoint is not None and self._endpoint.reliable:
                break
        names = ", ".join(str(service.service) for service in sent.message.services)
        raise NoAnswer(f"no answer to {names or 'a message without services'}", rejected)

    def provoke(self, sent: Sent, *octets: bytes, note: str = "", due: bool = False) -> Reply | None:
        """Send something peculiar, and return the answer if there is one.

        Args:
            sent: what it is; its octets are what is sent, unless others are given.
            octets: to send instead, one after the other.
            note: what is peculiar about it, for the report.
            due: whether an answer is due. Then it is worth waiting for, and sending again; otherwise it is sent once,
                and an answer to another id does not count.
        """
        target = self.target
        secret = conceals(sent.message.services)
        again = due and not self.reliable
        wait = target.timeout if again else target.timeout * target.attempts if due else target.quiet
        reply = None
        try:
            for _ in range(target.attempts if again else 1):
                for apdu in octets or (sent.octets,):
                    self._send(apdu, sent, note=note, secret=secret)
                reply = self._wait(sent, self.clock.now + wait, [], secret=secret)
                if reply is not None:
                    break
        except (ConnectionLost, Unreachable):
            self.hang_up()
            return None
        quoted = None if reply is None else reply.message.called_invocation_id
        return reply if due or quoted in {None, sent.message.calling_invocation_id} else None

    def pause(self, seconds: float) -> None:
        """Let time pass; what arrives in that time is not looked at."""
        until = self.clock.now + seconds
        try:
            while (left := until - self.clock.now) > 0:
                octets = self._receive(left)
                if octets is None:
                    return
                self.counters["unasked"] += 1
                self._note("received", octets, note="unasked")
        except (ConnectionLost, Unreachable):
            self.hang_up()

    # The wire.

    @property
    def reliable(self) -> bool:
        """Whether everything arrives, once and in order."""
        return self._way().reliable

    @property
    def max_size(self) -> int:
        """Largest APDU that can be sent, octets."""
        return min(self._way().max_size, MAX_APDU_OCTETS)

    def hang_up(self) -> None:
        """Close the way to the node; the next message opens another."""
        if self._endpoint is not None:
            self._endpoint.close()
            self._endpoint = None

    def _way(self) -> Endpoint:
        if self._endpoint is None:
            self._endpoint = self._connect()
        return self._endpoint

    def _send(self, apdu: bytes, sent: Sent, *, note: str = "", secret: bool) -> None:
        services = shown_services(sent.message)
        self._past.append(sent.message.calling_invocation_id)
        self._asked_secrets = self._asked_secrets or answer_conceals(sent.message.services)
        self.log.add(Evidence("sent", self._time(), hex_of(apdu, secret=secret), services, None, note))
        try:
            self._way().send(apdu)
        except ConnectionLost:
            self.hang_up()  # closed by the node after what was sent before
            self._way().send(apdu)

    def _receive(self, timeout: float) -> bytes | None:
        return self._way().receive(timeout)

    def _note(self, direction: str, octets: bytes, *, note: str) -> None:
        # Nothing tells which request they answer, so that they may be those of any table that was read.
        self.log.add(Evidence(direction, self._time(), hex_of(octets, secret=self._asked_secrets), note=note))

    def _time(self) -> float:
        return round(self.clock.now - self._start, 3)

    # Answers.

    def _wait(self, sent: Sent, until: float, rejected: list[str], *, skip: int = 0, secret: bool) -> Reply | None:
        """Return the next answer that counts for a request; None when there is none in time.

        One that quotes an id that was never asked counts only if no better one comes soon.
        """
        stray: Message | None = None
        while (left := until - self.clock.now) > 0:
            octets = self._receive(left)
            if octets is None:
                break
            message = self._opened(octets, sent, rejected, secret=secret)
            if message is None:
                continue
            if message.called_invocation_id not in {None, sent.message.calling_invocation_id}:
                stray = message
                until = min(until, self.clock.now + self.target.quiet)
                continue
            return self._taken(Reply(sent, message, self.identity, skip=skip, strays=stray is not None))
        return None if stray is None else self._taken(Reply(sent, stray, self.identity, skip=skip))

    def _opened(self, octets: bytes, sent: Sent, rejected: list[str], *, secret: bool) -> Message | None:
        """Return a message that can be taken as the answer to a request."""
        try:
            acse: Acse | None = decode_acse(octets)
            if acse is not None and acse.is_segment:
                whole = self._reassembler.add(acse, self.clock.now)
                self._note("received", octets, note="a segment")
                acse = None if whole is None else whole.acse
            if acse is None:
                return None
            quoted = acse.called_invocation_id
        except DecodeError as error:
            rejected.append(f"octets that are no APDU ({error})")
            self.problems[f"octets came that are no APDU: {error}"] += 1
            self._note("received", octets, note="no APDU")
            return None
        if quoted is not None and quoted != sent.message.calling_invocation_id and quoted in self._past:
            self.counters["late"] += 1
            self._note("received", octets, note="an answer to an earlier request")
            return None
        message = open_message(
            Message,
            acse,
            self.target.keys,
            sessions=tuple(reversed(self._securities)),
            asked=sent.message.request_body,
            diagnose=True,
        )
        evidence = Evidence(
            "received", self._time(), hex_of(octets, secret=secret), shown_services(message), message.authenticated
        )
        self.log.add(evidence)
        if message.verdict not in {Verdict.VERIFIED, Verdict.CLEARTEXT}:
            finding = next((f.text for f in message.findings if f.level == "error"), str(message.verdict))
            rejected.append(finding)
            self.problems[f"an answer could not be verified: {finding}"] += 1
            return None
        if quoted is None and not any(service.kind == "response" for service in message.services):
            self.counters["unsolicited"] += 1
            return None
        return message

    def _taken(self, reply: Reply) -> Reply:
        """Note what the checks of the whole run look at, and return the answer."""
        message = reply.message
        self.problems.update(f"{problem.kind}: {problem.text}" for problem in reply.problems)
        security = message.session_security
        if security is not None:
            self.remember(security)
        if message.authenticated and message.octets not in self._seen:
            titles = tuple(None if t is None else t.absolute().content for t in (message.called, message.calling))
            ids = message.called_invocation_id, message.calling_invocation_id
            self.nonces[message.key_id, message.iv, *ids, *titles] += 1
        self._seen.append(message.octets)
        return reply

    def remember(self, security: SessionSecurity) -> None:
        """Remember what answers in a session may go on with."""
        if security not in self._securities:
            self._securities.append(security)

    def __repr__(self) -> str:
        return f"<Probe of {self.target.called}>"


def quietly(probe: Probe, request: Request) -> None:
    """Ask for something whose outcome does not matter, such as the end of a session."""
    try:
        probe.ask(request)
    except C1222Error:
        probe.counters["no-farewell"] += 1
