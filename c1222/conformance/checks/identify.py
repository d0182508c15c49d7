"""Identify: what the node says about itself, and whether it agrees with its tables and its behaviour."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from c1222.conformance.reply import said
from c1222.conformance.rules import Mark, NotApplicable, Remark, Rule, check, note, odd, wrong
from c1222.conformance.session import logged_on
from c1222.conformance.survey import survey
from c1222.message.aptitle import ApTitle
from c1222.services.identify import (
    DeviceClass,
    DeviceIdentity,
    IdentifyRequest,
    IdentifyResponse,
    SecurityMechanism,
    SessionControl,
    UnknownFeature,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from c1222.conformance.probe import Probe

__all__ = ["device_class", "features", "identity", "in_session", "mechanism", "sessions_told", "standard"]

_MECHANISM: Final = ApTitle("2.16.124.113620.1.22.2.1")
_C1222: Final = 3


def _identity(probe: Probe) -> IdentifyResponse:
    found = probe.facts.get("identity")
    if not isinstance(found, IdentifyResponse):
        answer = probe.ask(IdentifyRequest()).first
        if not isinstance(answer, IdentifyResponse):
            raise NotApplicable(f"Identify is answered with {getattr(answer, 'result', 'nothing')}")
        found = probe.facts["identity"] = answer
    return found


@check(
    "C-IDENT-01",
    "Identify is answered, and tells C12.22",
    Rule("The answer is ok; its first octet is 03.", "Elster, Itron, Zeek", Mark.VERIFIED),
)
def standard(probe: Probe) -> Iterator[Remark]:
    """Identify."""
    reply = probe.ask(IdentifyRequest())
    answer = reply.first
    if not isinstance(answer, IdentifyResponse):
        yield wrong(f"Identify: {said(reply)}")
        return
    yield note(f"{answer.standard_name} {answer.version}.{answer.revision}")
    if answer.standard != _C1222:
        yield wrong(f"the standard is {answer.standard:02X}, {answer.standard_name}")


@check(
    "C-IDENT-02",
    "The list of features can be read to its end mark",
    Rule("Features are 01..07 and end with 00; they have no length.", "Elster, Itron, Zeek", Mark.VERIFIED),
)
def features(probe: Probe) -> Iterator[Remark]:
    """Look for what hides the rest, and for what comes twice."""
    found = _identity(probe)
    names = [feature.name for feature in found.features]
    yield note(f"features: {', '.join(names) or 'none'}")
    if found.trailing:
        yield wrong(f"{len(found.trailing)} octets after the end mark")
    for feature in found.features:
        if isinstance(feature, UnknownFeature):
            yield odd(f"feature {feature.octets[0]:02X} is not known, so the rest cannot be read")
    for name in sorted({name for name in names if names.count(name) > 1} - {SecurityMechanism.name}):
        yield odd(f"{name} comes {names.count(name)} times")


@check(
    "C-IDENT-03",
    "A node that is secured names the mechanism of C12.22",
    Rule("Feature 04 holds 2.16.124.113620.1.22.2.1 where messages are secured.", "Itron", Mark.UNSURE),
    secured=True,
)
def mechanism(probe: Probe) -> Iterator[Remark]:
    """Feature 04."""
    features = [feature.oid for feature in _identity(probe).features if isinstance(feature, SecurityMechanism)]
    if not features:
        yield wrong("no security mechanism is named")
    elif _MECHANISM not in features:
        yield wrong(f"named are {', '.join(map(str, features))}")


@check(
    "C-IDENT-04",
    "Identify and ST0 tell the same device class",
    Rule(
        "The content of feature 06 is ST0.DEVICE_CLASS.",
        "Itron",
        Mark.ONE_SOURCE,
        disputed="Zeek reads an object identifier",
    ),
)
def device_class(probe: Probe) -> Iterator[Remark]:
    """Feature 06 beside octets 3 to 6 of ST0."""
    features = [feature.content for feature in _identity(probe).features if isinstance(feature, DeviceClass)]
    if not features:
        raise NotApplicable("Identify tells no device class")
    survey(probe).octets("ST0")
    stored = survey(probe).device.device_class
    if stored is not None and features[0] != stored:
        yield wrong(f"Identify tells {features[0].hex()}, ST0 has {stored.hex()}")


@check(
    "C-IDENT-05",
    "Identify and ST5 tell the same identity",
    Rule("Feature 07 is the identification of the device.", "Itron", Mark.UNSURE),
)
def identity(probe: Probe) -> Iterator[Remark]:
    """Feature 07 beside ST5."""
    features = [feature for feature in _identity(probe).features if isinstance(feature, DeviceIdentity)]
    if not features:
        raise NotApplicable("Identify tells no identity")
    stored = survey(probe).find("ST5")
    if stored is None:
        raise NotApplicable("ST5 cannot be read")
    if not isinstance(stored.IDENTIFICATION, str):
        raise NotApplicable("ST5.IDENTIFICATION is no text")
    text = stored.IDENTIFICATION.strip()
    if text != features[0].text.strip():
        yield wrong(f"Identify tells {features[0].text!r}, ST5 has {text!r}")


@check(
    "C-IDENT-06",
    "Identify tells how many sessions there are, and whether it takes less",
    Rule("Feature 05: bits 0..6 number of sessions, bit 7 messages outside of them.", "Itron, Zeek", Mark.VERIFIED),
)
def sessions_told(probe: Probe) -> Iterator[Remark]:
    """Feature 05 beside what the node does."""
    features = [feature for feature in _identity(probe).features if isinstance(feature, SessionControl)]
    if not features:
        raise NotApplicable("Identify tells nothing about sessions")
    control = features[0]
    yield note(f"{control.sessions} sessions, sessionless messages {'taken' if control.sessionless else 'refused'}")
    if probe.target.sessionless and not control.sessionless:
        yield wrong("it takes messages outside of sessions, and says that it does not")
    if control.sessionless and not probe.target.sessionless:
        yield wrong("it says that it takes messages outside of sessions, and refuses them")


@check(
    "C-IDENT-07",
    "Identify is answered in a session, too",
    Rule("Identify is allowed in every state.", "inference", Mark.UNSURE),
    session=True,
)
def in_session(probe: Probe) -> Iterator[Remark]:
    """Identify in a session."""
    with logged_on(probe, password=False) as session:
        reply = session.ask(IdentifyRequest())
    if not reply.is_ok:
        yield wrong(f"in a session: {said(reply)}")
