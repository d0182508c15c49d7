"""One message, whole: who asks whom for what, how it is secured, and whether that holds.

Decoding does at once what cannot wait (the elements of the APDU, the MAC, the list of services) and the rest when it is
asked for. Encoding goes the same way back, to the same octets.
"""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar

from c1222.errors import DecodeError, EncodeError, Finding, StateError
from c1222.message.acse import Acse, decode_acse, title_of
from c1222.message.ber import MAX_APDU_OCTETS
from c1222.message.epsem import ED_CLASS_SIZE, Control, Epsem, ResponseControl, SecurityMode, split_services
from c1222.security.keys import KeyStore
from c1222.security.sealing import Opened, SessionSecurity, Verdict, open_apdu, seal
from c1222.services import Request, Service, align
from c1222.services.malformed import MalformedService, decode_service

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Mapping, Sequence

    from c1222.message.acse_fields import Fields
    from c1222.message.aptitle import ApTitle
    from c1222.message.flat import Usual
    from c1222.security.keys import Key

    Keys = KeyStore | Key | Mapping[int, bytes] | None

__all__ = ["Message", "decode", "encode", "open_message"]

_OF_ACSE: Final = frozenset(
    {
        "called",
        "calling",
        "called_invocation_id",
        "calling_invocation_id",
        "application_context",
        "calling_ae_qualifier",
        "mechanism",
    }
)
_OF_CONTROL: Final = frozenset(
    {"security_mode", "response_control", "recovery_session", "proxy_service_used", "ed_class"}
)
_OF_OPENING: Final = frozenset({"key_id", "iv"})


class Message:
    """A message: made from its parts, or decoded; what decoding has not needed yet is decoded on first access.

    Args:
        called: the node it is for.
        calling: the node it is from.
        calling_invocation_id: the number the sender gave it, 0..2^32-1.
        services: requests, or responses, in order.
        called_invocation_id: in a response, the number of the request.
        security_mode: how it is secured.
        key_id: 0..255; in a secured message, and in one of a session the session's.
        iv: initialisation vector, 4 octets: the sender's UTC seconds since 1970; of the session likewise.
        carries_authentication: whether key id and vector are in the message, or only in an earlier one of its session.
        response_control: when an answer is wanted.
        ed_class: 4 octets that name the device type, or None.
        recovery_session: opens a recovery session.
        proxy_service_used: was sent through a proxy relay.
        application_context: object identifier; None for that of C12.22.
        calling_ae_qualifier: bits 0 TEST, 1 URGENT, 2 NOTIFICATION; None when absent.
        mechanism: object identifier of the security mechanism; None for the usual.

    Attributes:
        octets: the whole APDU; empty in a message that was made from its parts.
        acse: its elements and where they are; None likewise.
        usual: the parts of its APDU, if it came the short road of usual messages; nothing else is decoded then.
        authenticated: True, False, or None for cleartext and where there was no key.
        verdict: what came of opening it.
        key: the key that verified it (it never shows its octets).
        asked: the requests it answers, in order; empty where they are not known.
        findings: remarks on it. Reading them decodes everything.
    """

    __slots__ = (
        "_asked",
        "_body",
        "_fault",
        "_key",
        "_opened",
        "_spans",
        "_start",
        "acse",
        "application_context",
        "called",
        "called_invocation_id",
        "calling",
        "calling_ae_qualifier",
        "calling_invocation_id",
        "carries_authentication",
        "ed_class",
        "findings",
        "iv",
        "key_id",
        "mechanism",
        "octets",
        "proxy_service_used",
        "recovery_session",
        "response_control",
        "security_mode",
        "services",
        "usual",
    )

    PARTS: ClassVar = _OF_ACSE | _OF_CONTROL | _OF_OPENING | {"carries_authentication"}

    acse: Acse | None
    octets: bytes
    called: ApTitle | None
    calling: ApTitle | None
    called_invocation_id: int | None
    calling_invocation_id: int
    application_context: str | None
    calling_ae_qualifier: int | None
    mechanism: str | None
    key_id: int | None
    iv: bytes | None
    carries_authentication: bool
    security_mode: SecurityMode
    response_control: ResponseControl
    recovery_session: bool
    proxy_service_used: bool
    ed_class: bytes | None
    services: tuple[Service, ...]
    findings: tuple[Finding, ...]

    def __init__(
        self,
        *,
        called: ApTitle | None,
        calling: ApTitle | None,
        calling_invocation_id: int,
        services: Sequence[Service],
        called_invocation_id: int | None = None,
        security_mode: SecurityMode = SecurityMode.CLEARTEXT,
        key_id: int | None = None,
        iv: bytes | None = None,
        carries_authentication: bool = True,
        response_control: ResponseControl = ResponseControl.ALWAYS,
        ed_class: bytes | None = None,
        recovery_session: bool = False,
        proxy_service_used: bool = False,
        application_context: str | None = None,
        calling_ae_qualifier: int | None = None,
        mechanism: str | None = None,
    ) -> None:
        self.acse = None
        self.octets = b""
        self._opened = None
        self._body = b""
        self._spans = []
        self._start = 0
        self._fault = self._key = self.usual = None
        self.called = called
        self.calling = calling
        self.called_invocation_id = called_invocation_id
        self.calling_invocation_id = calling_invocation_id
        self.application_context = application_context
        self.calling_ae_qualifier = calling_ae_qualifier
        self.mechanism = mechanism
        self.key_id = key_id
        self.iv = iv
        self.carries_authentication = carries_authentication
        self.security_mode = SecurityMode(security_mode)
        self.response_control = ResponseControl(response_control)
        self.recovery_session = recovery_session
        self.proxy_service_used = proxy_service_used
        self.ed_class = ed_class
        self.services = tuple(services)
        self._asked = b""
        self.findings = ()

    _opened: Opened | None
    _asked: bytes
    _body: bytes
    _spans: Sequence[tuple[int, int]]
    _start: int
    _fault: DecodeError | None
    usual: Usual | None
    _key: Key | None  # of a message that has its usual parts; `opened` has that of others

    @property
    def verdict(self) -> Verdict | None:
        """What came of opening it; None in a message made from its parts."""
        if self.usual is not None:
            return Verdict.CLEARTEXT if self._key is None else Verdict.VERIFIED
        return None if self._opened is None else self._opened.verdict

    @property
    def authenticated(self) -> bool | None:
        """Whether the MAC is right; None for cleartext, and where it could not be checked."""
        if self.usual is not None:
            return None if self._key is None else True
        return None if self._opened is None else self._opened.authenticated

    @property
    def opened(self) -> Opened:
        """What came of opening it, in full.

        Raises:
            StateError: it was made from its parts.
        """
        if self._opened is None:
            raise StateError("a message made from its parts was not opened")
        return self._opened

    @property
    def key(self) -> Key | None:
        """The key that verified it."""
        if self.usual is not None:
            return self._key
        return None if self._opened is None else self._opened.key

    @property
    def body(self) -> bytes:
        """ED class and services in clear as they were decoded; empty in a message made from its parts."""
        return self._body

    @property
    def service_octets(self) -> list[bytes]:
        """The services as they stand in the message, each without its length."""
        return [self._body[start:end] for start, end in self._spans]

    @property
    def asked(self) -> tuple[Request, ...]:
        """The requests it answers, in order."""
        return _requests(self._asked) if self._asked else ()

    @property
    def asked_body(self) -> bytes:
        """The requests it answers as octets, with their lengths; empty where they are not known."""
        return self._asked

    @property
    def request_body(self) -> bytes:
        """Its services with their lengths: what a response needs to be read. Empty where their list is malformed."""
        if self.usual is None and self.acse is None:
            return Epsem(tuple([service.encode() for service in self.services])).body
        return b"" if self._fault is not None else self._body[self._start :]

    @property
    def is_response(self) -> bool:
        """Whether this quotes the number of a request, which responses do and nothing else."""
        if self.usual is not None:
            return self.usual[2] is not None
        return self.called_invocation_id is not None

    @property
    def session_security(self) -> SessionSecurity | None:
        """What later messages of the session inherit from this one."""
        if not self.carries_authentication or self.key_id is None or self.iv is None:
            return None
        return SessionSecurity(self.key_id, self.iv)

    def __getattr__(self, name: str) -> Any:
        # Reached only for a slot that is empty so far: decoding fills it on first access.
        if name in {"octets", "usual"} or name.startswith("__"):  # what all else is decoded from, or nothing of ours
            raise AttributeError(f"{type(self).__name__} has no {name}")
        if name == "services":
            value: Any = self._decode_services()
        elif name == "acse":
            value = decode_acse(self.octets, max_size=len(self.octets))
        elif name == "_opened":
            value = self._opened_of_usual()
        elif name == "_fault":
            value = None
        elif name in _OF_CONTROL:
            self._fill_control()
            return object.__getattribute__(self, name)
        elif self.usual is not None and name in _OF_USUAL:
            value = _OF_USUAL[name](self.usual)
        elif self.acse is None:
            raise AttributeError(f"{type(self).__name__} has no {name}")
        elif name in _OF_ACSE:
            value = getattr(self.acse, name)
        elif name in _OF_OPENING:
            value = getattr(self._opened, name)
        elif name == "carries_authentication":
            value = self.acse.authentication is not None
        elif name == "findings":
            value = self._find()
        else:
            raise AttributeError(f"{type(self).__name__} has no {name}")
        setattr(self, name, value)
        return value

    def __getstate__(self) -> tuple[None, dict[str, Any]]:
        """Return what a copy is made of: all but the key, which is neither copied nor pickled."""
        opened = None if self.usual is None and self._opened is None else self.opened
        state = object.__getstate__(self)
        assert isinstance(state, tuple)  # noqa: S101 - a class with slots
        if opened is not None and opened.key is not None:
            # Without its key a message of usual parts would pass for one in cleartext, so the copy has the others.
            kept = {name: getattr(opened, name) for name in Opened.__slots__ if name != "key"}
            verdict, mode = kept.pop("verdict"), kept.pop("mode")
            lacks = {"_key": None, "usual": None, "acse": self.acse, "_opened": Opened(verdict, mode, **kept)}
            return None, {**state[1], **lacks}
        return None, state[1]

    def _opened_of_usual(self) -> Opened:
        assert self.usual is not None  # noqa: S101 - only of these it is left open
        mode, key = self.security_mode, self._key
        if key is None:
            return Opened(Verdict.CLEARTEXT, mode, body=self._body)
        return Opened(Verdict.VERIFIED, mode, body=self._body, key=key, key_id=key.id, iv=self.usual[8])

    def _fill_control(self) -> None:
        if self.usual is not None:
            control = Control.from_octet(self.usual[4][-1])
        else:
            assert self.acse is not None  # noqa: S101 - __getattr__ looked
            control, _ = _control_of(self.acse)
        self.security_mode = control.mode
        self.response_control = control.response_control
        self.recovery_session = control.recovery
        self.proxy_service_used = control.proxy
        self.ed_class = self._body[:ED_CLASS_SIZE] if control.ed_class and self._body else None

    def _decode_services(self) -> tuple[Service, ...]:
        spans, body = self._spans, self._body
        if not spans:
            return ()
        octets = [body[start:end] for start, end in spans]
        asked = self.asked
        if not asked:
            return tuple([decode_service(part) for part in octets])
        if len(octets) == len(asked):
            return tuple(map(decode_service, octets, asked))
        return tuple(
            [
                decode_service(part, None if index is None else asked[index])
                for part, index in zip(octets, align(asked, octets), strict=True)
            ]
        )

    def check(self) -> None:
        """Decode everything.

        Raises:
            DecodeError: some octets are not what they should be.
        """
        if self.acse is None:
            return
        self.acse.check()
        if self._fault is not None:
            raise self._fault
        if self.verdict is Verdict.MALFORMED:
            finding = self._opened.findings[0] if self._opened else self.acse.findings[0]
            raise DecodeError(finding.path, finding.offset or 0, finding.text)
        for index, service in enumerate(self.services):
            if isinstance(service, MalformedService) and (fault := service.fault):
                offset = self._offset(index, fault.offset) or 0
                raise DecodeError(self._path(index, fault.path), offset, fault.reason)

    def _path(self, index: int, path: str) -> str:
        return f"epsem.services[{index}].{path}"

    def _offset(self, index: int, offset: int | None) -> int | None:
        # Encryption keeps every octet in its place, so a place in the body is one in the message.
        if offset is None or self.acse is None:
            return None
        return self.acse.user_information.start + 1 + self._spans[index][0] + offset

    def _find(self) -> tuple[Finding, ...]:
        found: list[Finding] = []
        if self.acse is not None:
            found += self.acse.findings
            if self._opened is not None:
                found += self._opened.findings
            with suppress(DecodeError):  # which the two above have told
                control, start = _control_of(self.acse)
                found += control.findings(offset=start)
        if self._fault is not None:
            found.append(self._fault.finding())
        for index, service in enumerate(self.services):
            found += [
                finding._replace(path=self._path(index, finding.path), offset=self._offset(index, finding.offset))
                for finding in service.findings
            ]
        return tuple(dict.fromkeys(found))

    def __repr__(self) -> str:
        kind = "response" if self.is_response else "request"
        names = ", ".join(str(service.service) for service in self.services)
        mode = getattr(self.security_mode, "label", None)  # there is none in a capture where the octet is malformed
        return f"<Message {kind} {self.calling} -> {self.called} {mode} [{names}]>"


def _control_of(acse: Acse) -> tuple[Control, int]:
    """Return the control octet and where it is.

    Raises:
        DecodeError: there is none, or it is malformed.
    """
    _, start, end = acse.user_information
    if start == end:
        raise DecodeError("epsem.control", start, "the control octet is missing")
    return Control.from_octet(acse.octets[start], offset=start), start


def _unsigned(element: bytes | None) -> int | None:
    return None if element is None else int.from_bytes(element[4:])


# What the elements of the usual APDU say; the tests of the short road hold it equal to what `Acse` says.
_OF_USUAL: Final[dict[str, Callable[[Usual], Any]]] = {
    "called": lambda parts: title_of(parts[1][1:]),
    "calling": lambda parts: title_of(parts[3][1:]),
    "called_invocation_id": lambda parts: _unsigned(parts[2]),
    "calling_invocation_id": lambda parts: _unsigned(parts[6]),
    "calling_ae_qualifier": lambda parts: _unsigned(parts[5]),
    "application_context": lambda _: None,
    "mechanism": lambda _: None,
    "carries_authentication": lambda parts: parts[8] is not None,
}


@lru_cache(maxsize=1024)
def _requests(body: bytes) -> tuple[Request, ...]:
    # The same reads go to thousands of meters. Bounded, and never more than a body the size limit of APDUs lets pass.
    services = [decode_service(body[start:end]) for start, end in split_services(body, 0, len(body))]
    return tuple([service for service in services if isinstance(service, Request)])


_M = TypeVar("_M", bound=Message)


def decode(
    apdu: bytes | bytearray | memoryview,
    *,
    keys: Keys = None,
    session: Message | SessionSecurity | None = None,
    request: Message | None = None,
    max_size: int = MAX_APDU_OCTETS,
) -> Message:
    """Decode one APDU; open it if it is secured.

    A wrong MAC, or a key that is missing, is no exception: `authenticated` and the findings tell, and there are no
    services.

    Args:
        apdu: exactly one APDU, not a segment of one.
        keys: a store, a single key, or octets by key id.
        session: for a message without an authentication value: what an earlier message of its session said, or that
            message.
        request: the message this one answers; without it the parameters of responses stay unread.
        max_size: limit for the APDU in octets.

    Raises:
        DecodeError: the octets are no such message; path and offset tell where.
        InvalidKey: the keys cannot be used.
    """
    acse = decode_acse(apdu, max_size=max_size)
    if isinstance(session, Message):
        session = session.session_security
    sessions = () if session is None else (session,)
    asked = b"" if request is None else request.request_body
    message = open_message(Message, acse, KeyStore.of(keys), sessions=sessions, asked=asked, diagnose=True)
    message.check()
    return message


def open_message(
    kind: type[_M],
    acse: Acse,
    keys: KeyStore,
    *,
    sessions: Sequence[SessionSecurity] = (),
    asked: bytes = b"",
    diagnose: bool = False,
    proven: Container[Key] = (),
    callers_keys: bool = True,
) -> _M:
    """Open a message whose elements are known. Never raises for its content: findings tell, and `check` raises.

    Args:
        kind: the class of the message.
        acse: the elements.
        keys: the keys known.
        sessions: what holds for a message without an authentication value, the likeliest first.
        asked: the services this one answers, with their lengths; must be splittable.
        diagnose: look further into a wrong MAC, at a hundred times the cost.
        proven: keys that have verified other messages, for the diagnosis.
        callers_keys: open it also with keys of the calling node.
    """
    message = kind.__new__(kind)
    message.acse = acse
    message.octets = acse.octets
    message._asked = asked  # noqa: SLF001
    message._opened = opened = open_apdu(  # noqa: SLF001
        acse, keys, sessions=sessions, diagnose=diagnose, proven=proven, callers_keys=callers_keys
    )
    message._fault = message._key = message.usual = None  # noqa: SLF001
    message._start = 0  # noqa: SLF001
    body = opened.body
    if not body:
        message._body = b""  # noqa: SLF001
        message._spans = []  # noqa: SLF001
        return message
    message._body = body  # noqa: SLF001
    start = acse.user_information.start
    control = acse.octets[start]
    try:
        if control < 0x80:
            Control.from_octet(control, offset=-1)  # just before the body, from which offsets count here
        message._start = skip = ED_CLASS_SIZE if control & 0x10 else 0  # noqa: SLF001
        if skip > len(body):
            raise DecodeError("epsem.ed-class", 0, f"{len(body)} octets, it has {ED_CLASS_SIZE}")
        message._spans = split_services(body, skip, len(body))  # noqa: SLF001
    except DecodeError as error:
        message._spans = []  # noqa: SLF001
        message._fault = type(error)(error.path, start + 1 + error.offset, error.reason)  # noqa: SLF001
    return message


def encode(
    message: Message,
    *,
    keys: Keys = None,
    session: Message | SessionSecurity | None = None,
    sealed_with: Key | None = None,
) -> bytes:
    """Encode a message from its parts; seal it if its mode says so.

    Args:
        message: made from its parts, or decoded.
        keys: where the key of a secured message is found by titles and key id.
        session: what a message of a session without an authentication value inherits, where it does not say so itself.
        sealed_with: the key itself; looked for among the keys, those of the called node first, when None.

    Returns:
        The octets of the APDU.

    Raises:
        EncodeError: a value has no form on the wire, or key id or vector of a secured message is missing.
        UnknownKey: there is no key with that id for these nodes.
        ShortHeader: the header is too short to be secured.
    """
    epsem = Epsem(
        tuple([service.encode() for service in message.services]),
        message.security_mode,
        message.response_control,
        message.ed_class,
        message.proxy_service_used,
        message.recovery_session,
    )
    fields: Fields = {
        "application_context": message.application_context,
        "called": message.called,
        "called_invocation_id": message.called_invocation_id,
        "calling": message.calling,
        "calling_ae_qualifier": message.calling_ae_qualifier,
        "calling_invocation_id": message.calling_invocation_id,
        "mechanism": message.mechanism,
    }
    if message.security_mode is SecurityMode.CLEARTEXT:
        return Acse.build(user_information=epsem.encode(), **fields).octets
    if isinstance(session, Message):
        session = session.session_security
    key_id, iv = message.key_id, message.iv
    if session is not None and not message.carries_authentication:
        key_id, iv = session
    if key_id is None or iv is None:
        raise EncodeError("a secured message needs a key id and an initialisation vector")
    store = KeyStore.of(keys)
    key = store.get(message.called, message.calling, key_id) if sealed_with is None else sealed_with
    in_session = not message.carries_authentication
    control = epsem.control
    return seal(fields, key, iv=iv, control=control, body=epsem.body, in_session=in_session, base=store.base_oid)
