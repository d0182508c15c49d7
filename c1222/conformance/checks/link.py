"""Whether the node is there, and can be talked to in the way asked for."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from c1222.conformance.reply import NoAnswer, said
from c1222.conformance.rules import Mark, Remark, Rule, check, note, wrong
from c1222.conformance.session import get
from c1222.message.epsem import SecurityMode
from c1222.services.identify import IdentifyRequest
from c1222.services.results import Isc, Isss, Rstl
from c1222.services.tables import ReadRequest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from c1222.conformance.probe import Probe

__all__ = ["answers", "usable"]


@check(
    "C-LINK-01",
    "The node answers",
    Rule("A node answers a request that is for it and asks for an answer.", "captures; all stacks", Mark.VERIFIED),
)
def answers(probe: Probe) -> Iterator[Remark]:
    """Identify, in the mode asked for, then in cleartext: any answer will do."""
    rejected: list[str] = []
    for mode in dict.fromkeys((probe.target.mode, SecurityMode.CLEARTEXT)):
        try:
            reply = probe.ask(IdentifyRequest(), security_mode=mode)
        except NoAnswer as error:
            rejected += error.rejected
            continue
        yield note(f"Identify in {mode.label}: {said(reply)}")
        return
    if any("octets that are" in text or "MAC" in text or "key" in text for text in rejected):
        yield note(f"something answers, but not as it should: {', '.join(dict.fromkeys(rejected))}")
        return
    yield wrong(f"silence{': ' if rejected else ''}{', '.join(dict.fromkeys(rejected))}")


@check(
    "C-LINK-02",
    "ST0 can be read in the mode asked for, and the answer is verified",
    Rule("Key, titles and N are the same on both sides; ST0 can always be read.", "captures; Elster", Mark.VERIFIED),
    "C-LINK-01",
)
def usable(probe: Probe) -> Iterator[Remark]:
    """Read ST0, with the password only where that is needed; all that follows rests on it."""
    reply = probe.ask(ReadRequest(0)) if probe.target.sessionless else get(probe, ReadRequest(0))
    if probe.target.sessionless and reply.code() == Isss.code:
        yield note("the node takes no reads outside of sessions: from here on each has a session")
        probe.target = replace(probe.target, sessionless=False)
        reply = get(probe, ReadRequest(0))
    if reply.code() == Isc.code:
        reply = get(probe, ReadRequest(0))
    if "password refused" in probe.facts:
        yield wrong(f"the password is refused: {probe.facts['password refused']}")
    elif not reply.is_ok and reply.code() != Rstl.code:
        yield wrong(f"ST0: {said(reply)}")
