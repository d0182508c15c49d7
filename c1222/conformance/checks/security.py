"""Security: what must never be carried out, and how answers are secured.

Every check sends few forged messages, and looks afterwards whether the node still answers: nodes do well to stop
listening to a sender that fails too often.
"""

from __future__ import annotations

from secrets import token_bytes
from typing import TYPE_CHECKING, Final

from c1222.conformance.checks.refusals import lives_on
from c1222.conformance.craft import flipped, last_octet_of
from c1222.conformance.reply import said
from c1222.conformance.rules import Mark, NotApplicable, Remark, Rule, check, note, odd, wrong
from c1222.conformance.session import logged_on
from c1222.message.acse import decode_acse, plan
from c1222.message.ber import APDU_TAG, tlv
from c1222.message.epsem import MAC_SIZE, SecurityMode
from c1222.security.canonical import canonical_header
from c1222.security.keys import Key, KeyStore
from c1222.security.receiving import ACCEPTANCE_WINDOW
from c1222.services.identify import IdentifyRequest
from c1222.services.results import Sme
from c1222.services.tables import ReadRequest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from c1222.conformance.probe import Probe
    from c1222.conformance.reply import Reply, Sent

__all__ = [
    "absolute",
    "answers_secured",
    "bit_flips",
    "cleartext",
    "downgrade",
    "early",
    "header_only",
    "replay",
    "stale",
    "unknown_elements",
    "unknown_key",
    "vector",
    "wrong_key",
]

_HOUR: Final = 3600
_UNKNOWN_TAG: Final = 0xAA
_TITLES: Final = ("called-AP-title", "calling-AP-title")


def _refused(reply: Reply | None, what: str) -> Iterator[Remark]:
    """Say what is wrong if a message was not refused: silence and sme are fine, another refusal in cleartext is odd."""
    if reply is None:
        return
    if reply.any_ok:
        yield wrong(f"{what} was carried out")
    elif reply.message.authenticated:
        yield wrong(f"{what} got past the check of its MAC: it is answered, secured, with {said(reply)}")
    elif not any(service.code == Sme.code for service in reply.message.services):
        yield odd(f"{what}: {said(reply)}, sme or silence are usual")


def _forged(probe: Probe, sent: Sent, octets: bytes, what: str) -> Iterator[Remark]:
    yield from _refused(probe.provoke(sent, octets, note=what), what)


@check(
    "C-SEC-01",
    "Answers are secured at least as well as requests",
    Rule("A response to a secured request has the same mode, or more.", "captures; Elster", Mark.VERIFIED),
    secured=True,
)
def answers_secured(probe: Probe) -> Iterator[Remark]:
    """An answer to something that is served, and one to something that is not."""
    for request in (IdentifyRequest(), ReadRequest(0x7FE)):
        reply = probe.ask(request)
        for problem in reply.problems:
            if problem.kind == "security":
                yield wrong(problem.text)


@check(
    "C-SEC-02",
    "The vector of an answer is the time, or that of the request",
    Rule("The vector is UTC seconds; meters copy the request's.", "captures; Elster", Mark.VERIFIED),
    secured=True,
)
def vector(probe: Probe) -> Iterator[Remark]:
    """One answer."""
    message = probe.ask(IdentifyRequest()).message
    if message.iv is None:
        raise NotApplicable("the answer carries no vector")
    away = int.from_bytes(message.iv) - probe.clock.utc
    yield note(f"{away:+.0f} s from our clock")
    if abs(away) > ACCEPTANCE_WINDOW:
        yield wrong(f"the vector is {away:+.0f} s away from the time")


@check(
    "C-SEC-03",
    "The MAC holds for either form of the titles",
    Rule("N has absolute titles, whatever is on the wire.", "published vectors; Elster, Wireshark", Mark.VERIFIED),
    secured=True,
)
def absolute(probe: Probe) -> Iterator[Remark]:
    """Titles rewritten after sealing, as a relay may do."""
    target = probe.target
    sent = probe.compose(IdentifyRequest(), called=target.called.absolute(), calling=target.calling.absolute())
    acse = decode_acse(sent.octets)
    titles = zip(_TITLES, (target.called, target.calling), strict=True)
    shorter = {plan().tags[name]: title.relative() for name, title in titles}
    elements = [
        tlv(tag, shorter[tag].tlv()) if tag in shorter else sent.octets[start:end]
        for tag, (start, _, end) in acse.spans.items()
    ]
    rewritten = tlv(APDU_TAG, b"".join(elements))
    if rewritten == sent.octets:
        raise NotApplicable("the titles have only one form")
    reply = probe.provoke(sent, rewritten, note="titles made relative on the way", due=True)
    if reply is None or not reply.is_ok:
        yield wrong(f"with titles made relative on the way: {said(reply)}")


@check(
    "C-SEC-04",
    "A request in cleartext is not served by a node that is secured",
    Rule("Cleartext where security is demanded: sme, or silence.", "Itron", Mark.ONE_SOURCE),
    secured=True,
)
def cleartext(probe: Probe) -> Iterator[Remark]:
    """Reads in cleartext; Identify in cleartext would be a policy."""
    for table in (0, 1):
        sent = probe.compose(ReadRequest(table), security_mode=SecurityMode.CLEARTEXT)
        yield from _forged(probe, sent, sent.octets, f"a read of ST{table} in cleartext")
    sent = probe.compose(IdentifyRequest(), security_mode=SecurityMode.CLEARTEXT)
    reply = probe.provoke(sent, note="Identify in cleartext")
    if reply is not None and reply.any_ok:
        yield note("Identify is answered in cleartext")
    yield from lives_on(probe)


@check(
    "C-SEC-05",
    "A request under another key is not served",
    Rule("What the MAC does not verify is not processed.", "EAX' (2011); Elster, Itron", Mark.VERIFIED),
    secured=True,
)
def wrong_key(probe: Probe) -> Iterator[Remark]:
    """The same key id, another key."""
    other = KeyStore([Key(probe.target.key_id or 0, token_bytes(16))])
    sent = probe.compose(IdentifyRequest(), keys=other)
    yield from _forged(probe, sent, sent.octets, "a request under another key")
    yield from lives_on(probe)


@check(
    "C-SEC-06",
    "A request with a key id that is not known is not served",
    Rule("Unknown key: sme, or silence.", "Itron", Mark.ONE_SOURCE),
    secured=True,
)
def unknown_key(probe: Probe) -> Iterator[Remark]:
    """A key id that is not among ours, and a key that nobody has."""
    used = {key.id for key in probe.target.keys}
    key_id = next(number for number in range(255, -1, -1) if number not in used)
    sent = probe.compose(IdentifyRequest(), key_id=key_id, keys=KeyStore([Key(key_id, token_bytes(16))]))
    yield from _forged(probe, sent, sent.octets, "a request with an unknown key id")
    yield from lives_on(probe)


@check(
    "C-SEC-07",
    "One bit changed, and a request is not served",
    Rule("The MAC covers N and the body.", "EAX' (2011); published vectors", Mark.VERIFIED),
    secured=True,
)
def bit_flips(probe: Probe) -> Iterator[Remark]:
    """In the MAC, in the body, in the id, in the vector, and in the control octet; each a message of its own."""
    for what in ("the MAC", "the body", "the id", "the vector", "the control octet"):
        sent = probe.compose(IdentifyRequest())
        start = decode_acse(sent.octets).user_information.start
        places = {
            "the MAC": (-1, 0),
            "the body": (-1 - MAC_SIZE, 0),
            "the id": (last_octet_of(sent, "calling-AP-invocation-id"), 0),
            "the vector": (last_octet_of(sent, "calling-authentication-value"), 0),
            "the control octet": (start, 5),
        }
        place, bit = places[what]
        if what == "the id":
            sent.message.calling_invocation_id ^= 1  # which an answer to it would quote
        yield from _forged(probe, sent, flipped(sent, place, bit), f"a request with a bit of {what} changed")
    yield from lives_on(probe)


@check(
    "C-SEC-08",
    "A MAC over the header alone is not taken",
    Rule("In mode 1 the MAC covers N and the body.", "Elster, Wireshark", Mark.VERIFIED, disputed="EnergyICT: N alone"),
    secured=True,
)
def header_only(probe: Probe) -> Iterator[Remark]:
    """Mode 1, with the MAC of N."""
    sent = probe.compose(IdentifyRequest(), security_mode=SecurityMode.CLEARTEXT_AUTHENTICATION)
    message = sent.message
    key = probe.target.keys.get(message.called, message.calling, message.key_id or 0)
    header = canonical_header(
        decode_acse(sent.octets), key_id=message.key_id, iv=message.iv or b"", base=probe.target.keys.base_oid
    )
    octets = sent.octets[:-MAC_SIZE] + key.eax.mac(header)
    yield from _forged(probe, sent, octets, "a request whose MAC covers the header alone")
    yield from lives_on(probe)


@check(
    "C-SEC-09",
    "A recorded request is not carried out again",
    Rule("The same octets are carried out once.", "Itron (120 s); Elster, Zeek: playback", Mark.ONE_SOURCE),
    secured=True,
)
def replay(probe: Probe) -> Iterator[Remark]:
    """A request behind others, over a new connection where there are any; the same answer again is no harm."""
    sent = probe.compose(IdentifyRequest())
    first = probe.exchange(sent)
    for _ in range(2):
        probe.ask(ReadRequest(0))
    if probe.reliable:
        probe.hang_up()
    reply = probe.provoke(sent, note="recorded before")
    if reply is None:
        yield note("it is dropped")
    elif reply.octets == first.octets:
        yield note("it gets the same answer again")
    else:
        yield from _refused(reply, "a recorded request")


@check(
    "C-SEC-10",
    "A request with an old vector is not served",
    Rule(
        "A vector is at most 900 s away from the time.",
        "Elster",
        Mark.ONE_SOURCE,
        disputed="the window is an option of registration (Zeek)",
    ),
    secured=True,
)
def stale(probe: Probe) -> Iterator[Remark]:
    """An hour old."""
    iv = (int(probe.clock.utc) - _HOUR).to_bytes(4)
    sent = probe.compose(IdentifyRequest(), iv=iv)
    yield from _forged(probe, sent, sent.octets, "a request with a vector an hour old")
    yield from lives_on(probe)


@check(
    "C-SEC-11",
    "A request with a vector of the future is not served",
    Rule(
        "A vector is at most 900 s away from the time.",
        "Elster",
        Mark.ONE_SOURCE,
        disputed="the window is an option of registration (Zeek)",
    ),
    secured=True,
    writes=True,
)
def early(probe: Probe) -> Iterator[Remark]:
    """An hour ahead. Needs leave to write: a node that takes it may refuse the present for an hour."""
    iv = (int(probe.clock.utc) + _HOUR).to_bytes(4)
    sent = probe.compose(IdentifyRequest(), iv=iv)
    yield from _forged(probe, sent, sent.octets, "a request with a vector an hour ahead")
    yield from lives_on(probe)


@check(
    "C-SEC-12",
    "Less security is not taken in a session that has more",
    Rule("Cleartext where security is demanded: sme, or silence; in sessions, too.", "Itron", Mark.ONE_SOURCE),
    session=True,
    secured=True,
)
def downgrade(probe: Probe) -> Iterator[Remark]:
    """In cleartext; and, odd where it is taken, authenticated only in a session that is encrypted."""
    with logged_on(probe) as session:
        for mode in SecurityMode:
            if mode >= probe.target.mode:
                break
            sent = session.compose(ReadRequest(0), security_mode=mode)
            for remark in _forged(probe, sent, sent.octets, f"{mode.label} in a session of {probe.target.mode.label}"):
                yield remark if mode is SecurityMode.CLEARTEXT else odd(remark.text)
        reply = session.ask(IdentifyRequest())
        if not reply.is_ok:
            yield odd(f"after that, in the session: {said(reply)}")


@check(
    "C-SEC-13",
    "A secured request with elements that the MAC does not cover is not served",
    Rule("What N does not hold is not authenticated.", "Elster, Wireshark skip such", Mark.UNSURE),
    secured=True,
)
def unknown_elements(probe: Probe) -> Iterator[Remark]:
    """An element that nobody knows, behind A8."""
    sent = probe.compose(IdentifyRequest())
    acse = decode_acse(sent.octets)
    place = last_octet_of(sent, "calling-AP-invocation-id") + 1
    first, _, _ = next(iter(acse.spans.values()))
    octets = tlv(APDU_TAG, sent.octets[first:place] + tlv(_UNKNOWN_TAG, b"\x02\x01\x00") + sent.octets[place:])
    yield from _forged(probe, sent, octets, "a secured request with an unknown element")
    yield from lives_on(probe)
