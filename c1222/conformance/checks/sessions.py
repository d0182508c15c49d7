"""Sessions: how they open and end, and how far rights reach."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from c1219.secrecy import may_be_secret
from c1219.tableid import table_id
from c1222.conformance.probe import quietly
from c1222.conformance.reply import said
from c1222.conformance.rules import Mark, NotApplicable, Remark, Rule, check, note, odd, wrong
from c1222.conformance.session import IDLE, get, logged_on, logon
from c1222.conformance.survey import survey
from c1222.message.aptitle import ApTitle
from c1222.services.identify import IdentifyRequest
from c1222.services.results import Bsy, Err, Isc, Isss, Sme, Uat
from c1222.services.session import (
    LogoffRequest,
    LogonRequest,
    LogonResponse,
    SecurityRequest,
    TerminateRequest,
    WaitRequest,
)
from c1222.services.tables import ReadRequest, TableResponse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from c1222.conformance.probe import Probe

__all__ = [
    "bare_messages",
    "idle",
    "kept",
    "logoff",
    "opens",
    "strangers",
    "terminate",
    "twice",
    "until_logoff",
    "wait",
    "within_message",
    "wrong_password",
]

_NOBODY: Final = "\x7fno such password"


def _protected(probe: Probe) -> ReadRequest:
    """Return a read that takes the password.

    Raises:
        NotApplicable: no such table is known.
    """
    found = survey(probe)
    opened = [label for label in found.protected if isinstance(found.answers.get(label), TableResponse)]
    if not opened:
        raise NotApplicable("no table is known that the password opens and that is closed without it")
    return ReadRequest(
        table_id(min(opened, key=lambda label: (may_be_secret(table_id(label)), len(found.device[label].raw))))
    )


def _tells_sessions(probe: Probe) -> bool:
    """Return whether Logoff is refused where there is no session. Asked where there is none."""
    if "tells sessions" not in probe.facts:
        probe.facts["tells sessions"] = not probe.ask(LogoffRequest()).is_ok
    return bool(probe.facts["tells sessions"])


@check(
    "C-SESS-01",
    "Logon opens a session and tells the idle time it grants",
    Rule("The answer to Logon is ok and the granted time in seconds, 16 bits.", "Elster, Zeek", Mark.VERIFIED),
    session=True,
)
def opens(probe: Probe) -> Iterator[Remark]:
    """Log on."""
    reply = logon(probe, IDLE)
    answer = reply.first
    if not isinstance(answer, LogonResponse):
        yield wrong(f"Logon: {said(reply)}")
    elif answer.timeout is None:
        yield wrong("the answer to Logon tells no idle time")
    else:
        yield note(f"{IDLE} s asked for, {answer.timeout} s granted")
    if reply.is_ok:
        quietly(probe, LogoffRequest())


@check(
    "C-SESS-02",
    "Logoff ends the session",
    Rule("Logoff ends the session, and is answered with ok.", "Elster, Zeek, termineter", Mark.VERIFIED),
    session=True,
)
def logoff(probe: Probe) -> Iterator[Remark]:
    """Log off twice."""
    with logged_on(probe, password=False) as session:
        reply = session.ask(LogoffRequest())
        session.is_open = False
        if not reply.is_ok:
            yield wrong(f"Logoff in a session: {said(reply)}")
        reply = probe.ask(LogoffRequest())
    if reply.code() != Isss.code:
        yield odd(f"a second Logoff: {said(reply)}, isss is usual")


@check(
    "C-SESS-03",
    "A second Logon in a session is refused",
    Rule("Logon in a session: isss.", "inference", Mark.UNSURE),
    session=True,
)
def twice(probe: Probe) -> Iterator[Remark]:
    """Log on twice."""
    target = probe.target
    with logged_on(probe, password=False) as session:
        reply = session.ask(LogonRequest.of(target.user_id, target.user, IDLE))
    if reply.code() != Isss.code:
        yield wrong(f"a second Logon: {said(reply)}")


@check(
    "C-SESS-04",
    "Terminate ends the session",
    Rule("Terminate aborts the session, and is answered with ok.", "Elster, Itron", Mark.VERIFIED),
    "C-SESS-02",
    session=True,
)
def terminate(probe: Probe) -> Iterator[Remark]:
    """Terminate, then Logoff."""
    telling = _tells_sessions(probe)
    with logged_on(probe, password=False) as session:
        reply = session.ask(TerminateRequest())
        session.is_open = False
        if not reply.is_ok:
            yield wrong(f"Terminate in a session: {said(reply)}")
        if telling and probe.ask(LogoffRequest()).is_ok:
            yield wrong("after Terminate there is a session to log off from")


@check(
    "C-SESS-05",
    "Wait is taken in a session",
    Rule("Wait has one octet of seconds.", "Zeek, termineter", Mark.ONE_SOURCE, disputed="Itron: sns"),
    session=True,
)
def wait(probe: Probe) -> Iterator[Remark]:
    """Wait for 10 s."""
    with logged_on(probe, password=False) as session:
        reply = session.ask(WaitRequest(10))
    if not reply.is_ok:
        yield wrong(f"Wait in a session: {said(reply)}")


@check(
    "C-SESS-06",
    "What a password opens in a session stays open",
    Rule("Rights from Security last to the end of the session.", "Elster", Mark.ONE_SOURCE),
    "C-TABLE-01",
    session=True,
    follows=("C-TABLE-02",),
)
def kept(probe: Probe) -> Iterator[Remark]:
    """A protected table, in a message after that of Security."""
    request = _protected(probe)
    with logged_on(probe) as session:
        reply = session.ask(request)
    if not reply.is_ok:
        yield wrong(f"a protected table, after Security: {said(reply)}")


@check(
    "C-SESS-07",
    "Rights end with the session",
    Rule("Rights from Security last no longer than the session.", "Elster", Mark.ONE_SOURCE),
    "C-SESS-06",
    session=True,
    follows=("C-TABLE-02",),
)
def until_logoff(probe: Probe) -> Iterator[Remark]:
    """A protected table, after Logoff."""
    request = _protected(probe)
    with logged_on(probe):
        pass
    if probe.ask(request).is_ok:
        yield wrong("a protected table is open after Logoff")


@check(
    "C-SESS-08",
    "Outside of a session rights last for one message",
    Rule("Security comes first in every message that needs it.", "captures; example 8", Mark.VERIFIED),
    "C-TABLE-01",
    follows=("C-TABLE-02",),
)
def within_message(probe: Probe) -> Iterator[Remark]:
    """A protected table with the password, and then without."""
    request = _protected(probe)
    if not get(probe, request).is_ok:
        yield wrong("a protected table is closed to the password")
    if probe.ask(request).is_ok:
        yield wrong("a protected table stays open for the next message")


@check(
    "C-SESS-09",
    "A session is its own peer's",
    Rule("A session belongs to the pair of calling and called title.", "Elster, Zeek", Mark.ONE_SOURCE),
    "C-SESS-06",
    session=True,
    follows=("C-TABLE-02",),
)
def strangers(probe: Probe) -> Iterator[Remark]:
    """A protected table, asked for under another calling title while a session is open."""
    request = _protected(probe)
    arcs = list(probe.target.calling.arcs)
    arcs[-1] += 1
    other = ApTitle("." * probe.target.calling.is_relative + ".".join(map(str, arcs)))
    with logged_on(probe):
        reply = probe.provoke(probe.compose(request, calling=other), note="another calling title", due=True)
    if reply is None:
        raise NotApplicable(f"{other} gets no answer")
    if reply.is_ok:
        yield wrong(f"what the session of {probe.target.calling} opened is open for {other}")
    elif reply.code() not in {Isc.code, Bsy.code, Sme.code, Uat.code}:
        yield odd(f"{other}: {said(reply)}")


@check(
    "C-SESS-10",
    "A session ends when it is idle for the time granted",
    Rule("The idle time-out of Logon ends the session.", "Elster, Zeek", Mark.VERIFIED),
    "C-SESS-02",
    session=True,
)
def idle(probe: Probe) -> Iterator[Remark]:
    """Ask for a short time, and let it pass."""
    if not _tells_sessions(probe):
        raise NotApplicable("Logoff is ok without a session, so that nobody can tell whether there is one")
    patience = probe.target.patience
    wanted = max(1, int(patience) - 2)
    with logged_on(probe, password=False, idle=wanted) as session:
        granted = session.timeout
        if not granted or granted + 1 > patience:
            raise NotApplicable(f"{wanted} s asked for, {granted} s granted, patience is {patience:g} s")
        if not session.ask(IdentifyRequest()).is_ok:
            yield odd("Identify in the session is refused")
        probe.pause(granted + 1)
        session.is_open = False
        reply = probe.ask(LogoffRequest())
    if reply.is_ok:
        yield wrong(f"after {granted + 1} s of silence the session was still there")


@check(
    "C-SESS-11",
    "Messages of a session may leave key id and vector out",
    Rule(
        "AC stands in the first message of a session; its key id and vector stay in N.",
        "Elster",
        Mark.ONE_SOURCE,
        disputed="Wireshark cannot verify such messages",
    ),
    session=True,
    secured=True,
)
def bare_messages(probe: Probe) -> Iterator[Remark]:
    """Two messages without AC."""
    with logged_on(probe, password=False) as session:
        for _ in range(2):
            sent = session.compose(IdentifyRequest(), bare=True)
            if sent.message.carries_authentication:
                raise NotApplicable("the ids of this run do not grow")
            reply = probe.provoke(sent, note="without AC", due=True)
            if reply is None or not reply.is_ok:
                yield wrong(f"a message without AC in a session: {said(reply)}")
                return


@check(
    "C-SESS-12",
    "A wrong password is refused, and opens nothing",
    Rule("Wrong password: err or isc.", "Elster; meters", Mark.VERIFIED),
    "C-TABLE-01",
    follows=("C-TABLE-02",),
)
def wrong_password(probe: Probe) -> Iterator[Remark]:
    """One wrong password, once, with a protected table behind it if there is one."""
    if not probe.target.sessionless:
        raise NotApplicable("it takes messages outside of sessions")
    security = SecurityRequest.of(_NOBODY, probe.target.user_id, padding=probe.target.padding)
    try:
        requests = (security, _protected(probe))
    except NotApplicable:
        requests = (security, ReadRequest(0))
        if probe.target.password is None:
            raise NotApplicable("no password is given, so the node may have none") from None
    reply = probe.ask(*requests)
    codes = [octets[0] for octets in reply.message.service_octets]
    refusals = [code for code in codes if code]
    if not refusals or (len(codes) == len(requests) and not codes[0]):
        yield wrong(f"a wrong password: {said(reply)}")
    elif refusals[0] not in {Err.code, Isc.code}:
        yield odd(f"a wrong password: {said(reply)}, err or isc are usual")
    if requests[1].table and reply.code(1) == 0:
        yield wrong("a protected table is open to a wrong password")
