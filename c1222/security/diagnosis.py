"""What can be said of a MAC that is wrong. For people, not for peers.

A MAC of 32 bits does not tell a wrong key from a changed message. Other signs do: the MAC may be right under another
known key, or by another reading of the standard that has been met; the key may have verified other messages; and under
the right key the body of a changed message mostly still opens to services, while under a wrong one it opens to noise.
What is opened only to look at its shape is never handed out.
Sources of the readings: the uncorrected print of C12.22-2008 in Elster MeteringSDK's disabled branch and a public AES
library; the other readings from the code of EnergyICT, Elster and Wireshark [V].
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from c1222.errors import DecodeError, Finding, InvalidTag, ShortHeader
from c1222.message.aptitle import CONTEXT_OID, ApTitle
from c1222.message.ber import tlv
from c1222.message.epsem import ED_CLASS_SIZE, MAC_SIZE, split_services
from c1222.security.canonical import canonical_prefix, pieces
from c1222.security.eax_prime import EAXPrime

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator, Sequence

    from c1222.message.acse import Acse
    from c1222.security.canonical import HeaderPiece
    from c1222.security.keys import Key, KeyStore

__all__ = ["MAX_OTHER_KEYS", "MECHANISM_OID", "Attempt", "explain"]

MAX_OTHER_KEYS = 64
"""Other keys of the store that are tried on a message whose MAC is wrong."""
MECHANISM_OID = CONTEXT_OID + ".2.1"
"""The security mechanism of C12.22 [1]; a message that names none means it."""


class Attempt(NamedTuple):
    """One way a MAC was tried.

    Attributes:
        key: the key.
        key_id: the octet of the key id in N; None where it was left out.
        iv: the initialisation vector in N, 4 octets.
        header: N.
    """

    key: Key
    key_id: int | None
    iv: bytes
    header: bytes


def explain(acse: Acse, attempts: Sequence[Attempt], keys: KeyStore, proven: Container[Key]) -> Finding:
    """Say what is known about a message whose MAC was wrong in every attempt.

    Args:
        acse: the message; its user information holds at least the control octet and a MAC.
        attempts: what was tried, at least one.
        keys: where other keys are found.
        proven: keys that have verified other messages.

    Returns:
        A finding of level error. Its code is ``deviating-peer`` (the MAC is right by another reading of the standard),
        ``wrong-key`` (it is right under another key, or the body opens to noise), ``damaged`` (the key is right, the
        message is not), ``unsupported-mechanism``, or ``wrong-mac`` (nothing more is known).
    """
    _, start, end = acse.user_information
    control = acse.octets[start]
    sealed = acse.octets[start + 1 : end]
    encrypted = control & 0x0C == 0x08
    key = attempts[0].key

    def found(code: str, text: str) -> Finding:
        return Finding("error", code, "acse.user-information", end - MAC_SIZE, text)

    for attempt in attempts:
        for reading in _other_readings(acse, attempt, keys.base_oid, sealed, encrypted=encrypted):
            return found(
                "deviating-peer", f"the MAC is wrong by the standard with errata, but right otherwise: {reading}"
            )
    if acse.mechanism not in {None, MECHANISM_OID}:
        return found("unsupported-mechanism", f"the MAC is wrong; the message names the mechanism {acse.mechanism}")
    for other in _other_keys(acse, attempts, keys):
        if any(_verifies(other.eax, attempt.header, sealed, encrypted=encrypted) for attempt in attempts):
            return found(
                "wrong-key",
                f"the MAC is wrong under the key for this message, {_name(key)}; it is right under {_name(other)}",
            )
    if any(attempt.key in proven for attempt in attempts):
        return found("damaged", f"the MAC is wrong, and {_name(key)} has verified other messages: this one was changed")
    nothing_more = f"the MAC is wrong under {_name(key)}: another key or a changed message, nothing tells which"
    if len(sealed) == MAC_SIZE:
        return found("wrong-mac", nothing_more)
    if encrypted:
        # Counter mode is its own inverse, so this decrypts without a look at the MAC.
        bodies = (attempt.key.eax.encrypt(attempt.header, sealed[:-MAC_SIZE])[:-MAC_SIZE] for attempt in attempts)
        if any(_are_services(body, control) for body in bodies):
            return found(
                "damaged", f"the MAC is wrong, yet {_name(key)} opens the body to services: the message was changed"
            )
        return found(
            "wrong-key",
            f"the MAC is wrong, and {_name(key)} opens the body to noise: most likely the sender has another key "
            "(a change in the header looks the same)",
        )
    if not _are_services(sealed[:-MAC_SIZE], control):
        return found("damaged", "the MAC is wrong, and the body, which is in cleartext, is no list of services")
    return found("wrong-mac", nothing_more)


class _OrdinaryDoubling(EAXPrime):
    """EAX' as computed by an implementation that doubles L as CMAC does, octet 0 being the most significant."""

    __slots__ = ()

    def _doubled(self, block: bytes) -> bytes:
        return super()._doubled(block[::-1])[::-1]


def _other_readings(acse: Acse, attempt: Attempt, base: ApTitle, sealed: bytes, *, encrypted: bool) -> Iterator[str]:
    """Yield the readings of the standard by which the MAC is right, in words."""
    eax, header = attempt.key.eax, attempt.header
    reversed_mac = sealed[:-MAC_SIZE] + sealed[-MAC_SIZE:][::-1]
    if _verifies(eax, header, reversed_mac, encrypted=encrypted):
        yield "peer uses the uncorrected 2008 printing (MAC reversed, counter bits of octets 1 and 3 cleared)"
    if _verifies(_OrdinaryDoubling(attempt.key.octets), header, sealed, encrypted=encrypted):
        yield "peer doubles the subkeys as CMAC does, with octet 0 as the most significant"
    if not encrypted and _verifies(eax, header, sealed[-MAC_SIZE:], encrypted=False):
        yield "peer leaves the body out of the MAC, so nothing protects it"
    parts = pieces(acse, key_id=attempt.key_id, iv=attempt.iv, base=base)
    if acse.authentication is None:
        bare = b"".join(part.octets for part in parts if part.name not in {"key-id", "iv"})
        if _verifies(eax, bare, sealed, encrypted=encrypted):
            yield "peer leaves key id and vector of the session out of the header"
    if _verifies(eax, _with_titles(acse, parts, ApTitle.tlv), sealed, encrypted=encrypted):
        yield "peer does not make titles absolute"
    if acse.application_context is not None:
        context = ApTitle(acse.application_context)
        other = _with_titles(acse, parts, lambda title: title.absolute(context).tlv())
        if _verifies(eax, other, sealed, encrypted=encrypted):
            yield "peer makes titles absolute under the application context without the arc 0"


def _with_titles(acse: Acse, parts: list[HeaderPiece], form: Callable[[ApTitle], bytes]) -> bytes:
    titles = {"called-AP-title": acse.called, "calling-AP-title": acse.calling}
    header = b""
    for part in parts:
        title = titles.get(part.name)
        header += part.octets if title is None else tlv(part.octets[0], form(title))
    return header


def _other_keys(acse: Acse, attempts: Sequence[Attempt], keys: KeyStore) -> Iterator[Key]:
    tried = {attempt.key for attempt in attempts}
    _, called, calling = canonical_prefix(acse, keys.base_oid.content)
    return islice((key for key in keys.others(called, calling) if key not in tried), MAX_OTHER_KEYS)


def _verifies(eax: EAXPrime, header: bytes, sealed: bytes, *, encrypted: bool) -> bool:
    try:
        if encrypted:
            eax.decrypt(header, sealed)
        else:
            eax.verify(header + sealed[:-MAC_SIZE], sealed[-MAC_SIZE:])
    except (InvalidTag, ShortHeader):
        return False
    return True


def _are_services(body: bytes, control: int) -> bool:
    """Tell whether a body looks like services: lengths that fit, and codes that could be."""
    start = ED_CLASS_SIZE if control & 0x10 else 0
    try:
        spans = split_services(body, start, len(body))
    except DecodeError:
        return False
    return bool(spans) and spans[-1][1] == len(body) and all(body[begin] < 0x80 for begin, _ in spans)


def _name(key: Key) -> str:
    return f"key {key.id} of {key.ap_title or 'any node'}"
