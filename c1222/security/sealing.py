"""Sealing a message and opening one: EAX' over the canonified cleartext and the body.

The body is everything between the control octet and the MAC: ED class and services. A message carries key id and vector
itself, or belongs to a session whose first message did. Source: C12.22-2008 with errata as Elster MeteringSDK and
Wireshark implement it. Ciphertext with authentication: published vectors and captures [V]; cleartext with
authentication: both implementations and our own computation, no published vector; messages of a session without key id
and vector: Elster, sender and receiver [1].
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from c1222.errors import DecodeError, EncodeError, Finding, InvalidTag, ShortHeader
from c1222.message.acse_fields import Authentication, string_head
from c1222.message.aptitle import DEFAULT_BASE
from c1222.message.ber import APDU_TAG, tlv
from c1222.message.envelope import elements_of
from c1222.message.epsem import SecurityMode
from c1222.message.flat import FlatApdu
from c1222.security.canonical import canonical_prefix, other_prefix, unsealed
from c1222.security.diagnosis import Attempt, explain
from c1222.security.eax_prime import BLOCK_SIZE, MAC_SIZE

if TYPE_CHECKING:
    from collections.abc import Container, Sequence

    from c1222.message.acse_fields import Fields
    from c1222.message.aptitle import ApTitle
    from c1222.message.envelope import Envelope
    from c1222.message.epsem import Control
    from c1222.security.keys import Key, KeyStore

__all__ = ["Opened", "SessionSecurity", "Verdict", "open_apdu", "seal"]

_PATH = "acse.user-information"
_MODES = tuple(SecurityMode)
_SEALED = (SecurityMode.CLEARTEXT_AUTHENTICATION, SecurityMode.CIPHERTEXT_AUTHENTICATION)


class SessionSecurity(NamedTuple):
    """What a message without an authentication value is secured with: that of the message that opened its session.

    Attributes:
        key_id: 0..255.
        iv: initialisation vector, 4 octets.
    """

    key_id: int
    iv: bytes


class Verdict(StrEnum):
    """What came of opening a message."""

    VERIFIED = "verified"
    CLEARTEXT = "cleartext"
    WRONG_MAC = "wrong-mac"
    SHORT_HEADER = "short-header"
    TOO_SHORT = "too-short"
    NO_KEY = "no-key"
    NO_SESSION = "no-session"
    UNSUPPORTED_MODE = "unsupported-mode"
    UNSUPPORTED_AUTHENTICATION = "unsupported-authentication"
    SEGMENT = "segment"
    MALFORMED = "malformed"


_NOT_AUTHENTIC = frozenset({Verdict.WRONG_MAC, Verdict.SHORT_HEADER, Verdict.TOO_SHORT})


class Opened:
    """A message after opening.

    Attributes:
        verdict: what came of it.
        mode: of the control octet, or None where there is none to read.
        body: ED class and services in cleartext, or None where they are not to be had or not to be trusted. In mode 1
            without a key it is there, unverified: look at `authenticated`.
        key: the key that verified the message, or the first one that did not, or None.
        key_id: of the message or its session; 0 where the message carries a vector but no key id.
        iv: of the message or its session, 4 octets.
        findings: at most one of level error, which says why the verdict is neither verified nor cleartext. That the
            APDU has unknown elements, outside of what the MAC covers, is a finding of the APDU's own.
    """

    __slots__ = ("body", "findings", "iv", "key", "key_id", "mode", "verdict")

    def __init__(
        self,
        verdict: Verdict,
        mode: SecurityMode | None,
        *,
        body: bytes | None = None,
        key: Key | None = None,
        key_id: int | None = None,
        iv: bytes | None = None,
        findings: tuple[Finding, ...] = (),
    ) -> None:
        self.verdict = verdict
        self.mode = mode
        self.body = body
        self.key = key
        self.key_id = key_id
        self.iv = iv
        self.findings = findings

    @property
    def authenticated(self) -> bool | None:
        """True: the MAC is right. False: it is wrong, or missing. None: cleartext, or it could not be checked."""
        if self.verdict is Verdict.VERIFIED:
            return True
        return False if self.verdict in _NOT_AUTHENTIC else None

    def __repr__(self) -> str:
        return f"<Opened {self.verdict} mode={self.mode} key={self.key!r}>"


def open_apdu(
    acse: Envelope,
    keys: KeyStore,
    *,
    sessions: Sequence[SessionSecurity] = (),
    diagnose: bool = False,
    proven: Container[Key] = (),
    callers_keys: bool = True,
) -> Opened:
    """Open a message: check its MAC and, in mode 2, decrypt its body.

    Nothing that a message holds makes this raise: the verdict and a finding tell.

    Args:
        acse: a whole message.
        keys: the keys known.
        sessions: what a message without an authentication value may be secured with, the likeliest first.
        diagnose: look further into a wrong MAC, see `c1222.security.diagnosis`. It takes many times as long as opening,
            so a node leaves it.
        proven: keys that have verified other messages, for the diagnosis.
        callers_keys: open also with keys of the calling node, not only with those of the called one and of any.
    """
    try:
        return _open(acse, keys, sessions, diagnose, proven, callers_keys)
    except DecodeError as error:
        return Opened(Verdict.MALFORMED, None, findings=(error.finding(),))


def _open(
    acse: Envelope,
    keys: KeyStore,
    sessions: Sequence[SessionSecurity],
    diagnose: bool,
    proven: Container[Key],
    callers_keys: bool,
) -> Opened:
    if isinstance(acse, FlatApdu):
        control, sealed = acse.control_octet, acse.sealed
    else:
        if acse.is_segment:
            return _refused(Verdict.SEGMENT, None, 0, "a segment is not secured by itself; the whole message is")
        _, start, end = acse.user_information
        if start == end:
            return _refused(Verdict.MALFORMED, None, start, "the control octet is missing")
        control, sealed = acse.octets[start], acse.octets[start + 1 : end]
    mode = _MODES[control >> 2 & 3]
    if mode is SecurityMode.CLEARTEXT:
        return Opened(Verdict.CLEARTEXT, mode, body=sealed)
    if mode is SecurityMode.RESERVED:
        return _refused(Verdict.UNSUPPORTED_MODE, mode, _start(acse), "security mode 3 has no meaning")
    encrypted = mode is SecurityMode.CIPHERTEXT_AUTHENTICATION
    if len(sealed) < MAC_SIZE:
        text = f"{len(sealed) + 1} octets of user information do not hold a control octet and a MAC"
        return _refused(Verdict.TOO_SHORT, mode, _start(acse), text)
    readings = _readings(acse, sessions)
    if not readings:
        authentication = acse.authentication
        if authentication is None:
            text = "the message has no authentication value, and no session is known that it belongs to"
            return _refused(Verdict.NO_SESSION, mode, _start(acse), text)
        text = f"the authentication value has the form {authentication.form}, which is not opened"
        return _refused(Verdict.UNSUPPORTED_AUTHENTICATION, mode, None, text)

    usual, called, calling = canonical_prefix(acse, keys.base_oid.content)
    attempts: list[Attempt] = []
    other = None if acse.application_context is None else other_prefix(elements_of(acse))
    for prefix in (usual,) if other is None else (usual, other):
        for key_id, written, iv in readings:
            header = prefix + (iv if written is None else bytes((written,)) + iv)
            if len(header) <= BLOCK_SIZE:
                return _refused(Verdict.SHORT_HEADER, mode, None, _short(header))
            for key in keys.find_absolute(called, calling if callers_keys else None, key_id):
                try:
                    if encrypted:
                        body = key.eax.decrypt(header, sealed)
                    else:
                        body = sealed[:-MAC_SIZE]
                        key.eax.verify(header + body, sealed[-MAC_SIZE:])
                except InvalidTag:
                    attempts.append(Attempt(key, written, iv, header))
                else:
                    findings = _key_id_note(written) if len(readings) > 1 and acse.authentication is not None else ()
                    if prefix is not usual:
                        findings += (_DOUBLED_ARC,)
                    return Opened(Verdict.VERIFIED, mode, body=body, key=key, key_id=key_id, iv=iv, findings=findings)

    key_id, _, iv = readings[0]
    if attempts:
        key = attempts[0].key
        if diagnose:
            finding = explain(elements_of(acse), attempts, keys, proven)
        else:
            end = acse.user_information.end
            finding = Finding("error", "wrong-mac", _PATH, end - MAC_SIZE, f"the MAC is wrong under key {key.id}")
        return Opened(Verdict.WRONG_MAC, mode, key=key, key_id=key_id, iv=iv, findings=(finding,))
    text = f"no key with id {key_id} is known for messages from {acse.calling} to {acse.called}"
    finding = Finding("error", Verdict.NO_KEY.value, _PATH, _start(acse), text)
    body_in_clear = None if encrypted else sealed[:-MAC_SIZE]
    return Opened(Verdict.NO_KEY, mode, body=body_in_clear, key_id=key_id, iv=iv, findings=(finding,))


def _readings(acse: Envelope, sessions: Sequence[SessionSecurity]) -> Sequence[tuple[int, int | None, bytes]]:
    """Return key ids to look up, each with its octet in N, if any, and the vector.

    Usually it is one, and several where it is open which holds; none where there is nothing to open the message with.
    """
    if isinstance(acse, FlatApdu):
        if acse.key_id is not None and acse.iv is not None:
            written = ord(acse.key_id)
            return ((written, written, acse.iv),)
    else:
        authentication = acse.authentication
        if authentication is not None:
            key_id, iv = authentication.key_id, authentication.iv
            if authentication.form != "c12.22" or iv is None:
                return ()
            # Where it is left out it is 0, and N has been seen without the octet and with it.
            return ((key_id, key_id, iv),) if key_id is not None else ((0, None, iv), (0, 0, iv))
    return [(key_id, key_id, iv) for key_id, iv in sessions]


def seal(
    fields: Fields,
    key: Key,
    *,
    iv: bytes,
    control: Control,
    body: bytes,
    in_session: bool = False,
    base: ApTitle = DEFAULT_BASE,
) -> bytes:
    """Build a message and seal it.

    Args:
        fields: the elements of the APDU besides the user information. An authentication value among them must be that
            of the key and vector; where there is none it is made, with the key id.
        key: the key.
        iv: initialisation vector, 4 octets; the pair of it and the calling invocation id never twice under one key, see
            `c1222.security.sending`.
        control: the control octet, of mode 1 or 2.
        body: ED class and services in cleartext, in agreement with the control octet.
        in_session: leave the authentication value out: key and vector are those of the message that opened the session.
        base: what makes relative titles absolute where the message has no application context.

    Returns:
        The octets of the APDU.

    Raises:
        EncodeError: the control octet asks for no security, or a value has no form on the wire.
        ShortHeader: so little is in the message that its canonical header has 16 octets or fewer.
    """
    if control.mode not in _SEALED:
        raise EncodeError(f"mode {int(control.mode)} seals nothing")
    if len(iv) != 4:
        raise EncodeError(f"an initialisation vector has 4 octets, not {len(iv)}")
    if fields.get("called_ae_qualifier") is not None:
        raise EncodeError("a segment is not sealed; the whole message is, before it is cut")
    given = fields.get("authentication")
    if in_session and given is not None:
        raise EncodeError("a message inside a session has no authentication value")
    if given is not None and (given.form, given.key_id, given.iv) != ("c12.22", key.id, iv):
        raise EncodeError("the authentication value is not that of the key and the vector")
    if given is None and not in_session:
        fields = {**fields, "authentication": Authentication("c12.22", key.id, bytes(iv))}
    # Lengths in the header count the MAC.
    before = string_head(1 + len(body) + MAC_SIZE, fields.get("indirect_reference")) + bytes((control.octet,))
    apdu, header = unsealed(fields, before, key_id=key.id, iv=iv, base=base)
    if len(header) <= BLOCK_SIZE:
        raise ShortHeader(_short(header))
    if control.mode is SecurityMode.CIPHERTEXT_AUTHENTICATION:
        sealed = key.eax.encrypt(header, body)
    else:
        sealed = body + key.eax.mac(header + body)
    return tlv(APDU_TAG, apdu + sealed)


def _start(acse: Envelope) -> int:
    """Return where the control octet is."""
    return acse.user_information.start


def _refused(verdict: Verdict, mode: SecurityMode | None, offset: int | None, text: str) -> Opened:
    return Opened(verdict, mode, findings=(Finding("error", verdict.value, _PATH, offset, text),))


def _short(header: bytes) -> str:
    return f"the canonical header has {len(header)} octets; up to {BLOCK_SIZE} of them EAX' is forgeable"


_DOUBLED_ARC: Final = Finding(
    "note",
    "doubled-arc",
    "acse.application-context-name",
    None,
    f"the MAC is right with relative titles under the application context and one more arc 0: {DEFAULT_BASE}.0",
)


def _key_id_note(written: int | None) -> tuple[Finding, ...]:
    how = "without its octet" if written is None else "with the octet 00"
    text = f"the key id is left out and taken for 0; the MAC is right over a header {how}"
    return (Finding("note", "key-id-omitted", "acse.calling-authentication-value", None, text),)
