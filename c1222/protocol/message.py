"""One message, whole: who asks whom for what, how it is secured, and whether that holds.

A message that was received holds its envelope, which is the APDU it came in, and what opening that gave. All else is
decoded when it is asked for.
"""

from __future__ import annotations

from contextlib import suppress
from operator import attrgetter
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self, TypeVar

from c1219.caches import remembered
from c1222.errors import DecodeError, Finding, StateError
from c1222.message.envelope import elements_of
from c1222.message.epsem import ED_CLASS_SIZE, ResponseControl, SecurityMode, encode_body, split_services
from c1222.message.lazy import Lazy
from c1222.security.sealing import Opened, SessionSecurity, Verdict
from c1222.services import Request, Service, align
from c1222.services.malformed import MalformedService, decode_service

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from c1222.message.acse import Acse
    from c1222.message.aptitle import ApTitle
    from c1222.message.envelope import Envelope
    from c1222.security.keys import Key

__all__ = ["SCHEMA", "Message", "requests_of"]

SCHEMA: Final = "c1222.message/1"
"""Name of the form that messages have in JSON; it only grows."""

_T = TypeVar("_T")
_new: Final = object.__new__  # by a name of its own, which is found faster


class _Part(Lazy[_T]):
    """A part of a message, which is given in one that is made from its parts.

    Args:
        read: reads it from a message that was received.
    """

    def __init__(self, read: Callable[[Any], _T]) -> None:
        super().__init__(read)

    def __get__(self, instance: Any, owner: type) -> Any:
        if instance is None:
            return self
        try:
            value = self._compute(instance)
        except DecodeError as error:
            value = instance._malformed(error)  # noqa: SLF001 - its own message's
        setattr(instance, self._name, value)
        return value


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
        envelope: the APDU it came in, an `Acse`, or a `FlatApdu`, which is read alike; None in a message that was made
            from its parts.
        octets: the whole APDU; empty in a message that was made from its parts.
        acse: its elements and where they are; None likewise.
        opened: what came of opening it, in full. Raises StateError in a message that was made from its parts.
        authenticated: True, False, or None for cleartext and where there was no key.
        verdict: what came of opening it.
        key: the key that verified it (it never shows its octets).
        asked: the requests it answers, in order; empty where they are not known.
        findings: remarks on it. Reading them decodes everything.
    """

    # What every message has; the rest is in its dictionary once it was asked for.
    __slots__ = ("__dict__", "_asked", "_body", "_fault", "_key", "_spans", "_start", "envelope")

    envelope: Envelope | None
    _body: bytes
    _spans: Sequence[tuple[int, int]]
    _start: int
    _key: Key | None
    _fault: DecodeError | None
    _asked: bytes

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
        self.envelope = self._key = self._fault = None
        self._body = self._asked = b""
        self._spans = ()
        self._start = 0
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
        self.findings = ()

    @classmethod
    def received(
        cls,
        envelope: Envelope | None,
        body: bytes = b"",
        spans: Sequence[tuple[int, int]] = (),
        start: int = 0,
        key: Key | None = None,
        asked: bytes = b"",
        opened: Opened | None = None,
        fault: DecodeError | None = None,
    ) -> Self:
        """Return the message that came in an APDU; every message that is not made from its parts is made here.

        Args:
            envelope: the APDU; None for octets that are none.
            body: ED class and services in cleartext, as far as it could be opened.
            spans: start and end in the body of each service.
            start: where in the body the list of services starts.
            key: the key that verified it, where that is all that opening gave; None for cleartext.
            asked: the services it answers, with their lengths; must be splittable.
            opened: what opening gave, where it is more.
            fault: why the services could not be found in the body.
        """
        self = _new(cls)
        self.envelope = envelope
        self._body = body
        self._spans = spans
        self._start = start
        self._key = key
        self._asked = asked
        self._fault = fault
        if opened is not None:
            self.opened = opened
        return self

    def _malformed(self, error: DecodeError) -> None:
        """Return what a part is that is malformed, or raise the error."""
        raise error

    called: Lazy[ApTitle | None] = _Part(attrgetter("envelope.called"))
    calling: Lazy[ApTitle | None] = _Part(attrgetter("envelope.calling"))
    called_invocation_id: Lazy[int | None] = _Part(attrgetter("envelope.called_invocation_id"))
    calling_invocation_id: Lazy[int] = _Part(attrgetter("envelope.calling_invocation_id"))
    application_context: Lazy[str | None] = _Part(attrgetter("envelope.application_context"))
    calling_ae_qualifier: Lazy[int | None] = _Part(attrgetter("envelope.calling_ae_qualifier"))
    mechanism: Lazy[str | None] = _Part(attrgetter("envelope.mechanism"))
    key_id: Lazy[int | None] = _Part(attrgetter("opened.key_id"))
    iv: Lazy[bytes | None] = _Part(attrgetter("opened.iv"))
    carries_authentication: Lazy[bool] = _Part(lambda message: message.envelope.authentication is not None)
    security_mode: Lazy[SecurityMode] = _Part(attrgetter("envelope.control.mode"))
    response_control: Lazy[ResponseControl] = _Part(attrgetter("envelope.control.response_control"))
    recovery_session: Lazy[bool] = _Part(attrgetter("envelope.control.recovery"))
    proxy_service_used: Lazy[bool] = _Part(attrgetter("envelope.control.proxy"))
    ed_class: Lazy[bytes | None] = _Part(
        lambda message: message.body[:ED_CLASS_SIZE] or None if message.envelope.control.ed_class else None
    )
    PARTS: ClassVar[frozenset[str]]
    """The names of its parts but the services: what the constructor takes."""

    @Lazy
    def octets(self) -> bytes:
        """The whole APDU."""
        return b"" if self.envelope is None else self.envelope.octets

    @Lazy
    def acse(self) -> Acse | None:
        """The elements of the APDU and where they are."""
        return None if self.envelope is None else elements_of(self.envelope)

    @Lazy
    def opened(self) -> Opened:
        """What came of opening it, in full."""
        envelope = self.envelope
        if envelope is None:
            raise StateError("a message made from its parts was not opened")
        mode, key, body = envelope.control.mode, self._key, self._body
        authentication = None if key is None else envelope.authentication
        if key is None or authentication is None:
            return Opened(Verdict.CLEARTEXT, mode, body=body)
        return Opened(Verdict.VERIFIED, mode, body=body, key=key, key_id=key.id, iv=authentication.iv)

    @property
    def verdict(self) -> Verdict | None:
        """What came of opening it; None in a message made from its parts."""
        return None if self.envelope is None else self.opened.verdict

    @property
    def authenticated(self) -> bool | None:
        """Whether the MAC is right; None for cleartext, and where it could not be checked."""
        return None if self.envelope is None else self.opened.authenticated

    @property
    def key(self) -> Key | None:
        """The key that verified it."""
        return None if self.envelope is None else self.opened.key

    @property
    def body(self) -> bytes:
        """ED class and services in cleartext as they were decoded; empty in a message made from its parts."""
        return b"" if self.envelope is None else self._body

    @property
    def service_octets(self) -> list[bytes]:
        """The services as they stand in the message, each without its length."""
        return [self._body[start:end] for start, end in self._spans]

    @property
    def asked(self) -> tuple[Request, ...]:
        """The requests it answers, in order."""
        return requests_of(self._asked) if self._asked else ()

    @property
    def asked_body(self) -> bytes:
        """The requests it answers as octets, with their lengths; empty where they are not known.

        It may be set where they become known late; what was decoded without them is decoded again.
        """
        return self._asked

    @asked_body.setter
    def asked_body(self, octets: bytes) -> None:
        self._asked = octets
        if self.envelope is not None:
            for name in ("services", "findings"):
                self.__dict__.pop(name, None)

    @property
    def request_body(self) -> bytes:
        """Its services with their lengths: what a response needs to be read. Empty where their list is malformed."""
        if self.envelope is None:
            if not self._body:
                self._body = encode_body([service.encode() for service in self.services])
            return self._body
        return b"" if self._fault is not None else self._body[self._start :]

    @property
    def is_response(self) -> bool:
        """Whether this quotes the number of a request, which responses do and nothing else."""
        return self.called_invocation_id is not None

    @property
    def session_security(self) -> SessionSecurity | None:
        """What later messages of the session inherit from this one."""
        if not self.carries_authentication or self.key_id is None or self.iv is None:
            return None
        return SessionSecurity(self.key_id, self.iv)

    def __getstate__(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return what a copy is made of: all but the key, which is neither copied nor pickled."""
        opened = None if self.envelope is None else self.opened
        state = object.__getstate__(self)
        assert isinstance(state, tuple)  # noqa: S101 - a class with slots
        values, slots = state
        if opened is not None and opened.key is not None:
            kept = {name: getattr(opened, name) for name in Opened.__slots__ if name != "key"}
            values = {**values, "opened": Opened(kept.pop("verdict"), kept.pop("mode"), **kept)}
        return values or {}, {**slots, "_key": None}

    @Lazy
    def services(self) -> tuple[Service, ...]:
        """Requests, or responses, in order."""
        if not self._asked:
            body = self._body
            return tuple([decode_service(body[start:end]) for start, end in self._spans])
        octets = self.service_octets
        asked = self.asked if octets else ()
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
        if self.envelope is None:
            return
        self.envelope.check()
        if self._fault is not None:
            raise self._fault
        if self.opened.verdict is Verdict.MALFORMED:
            finding = self.opened.findings[0]
            raise DecodeError(finding.path, finding.offset or 0, finding.text)
        if MalformedService not in map(type, self.services):
            return
        for index, service in enumerate(self.services):
            if isinstance(service, MalformedService) and (fault := service.fault):
                offset = self._offset(index, fault.offset) or 0
                raise DecodeError(self._path(index, fault.path), offset, fault.reason)

    def _path(self, index: int, path: str) -> str:
        return f"epsem.services[{index}].{path}"

    def _offset(self, index: int, offset: int | None) -> int | None:
        # Encryption keeps every octet in its place, so a place in the body is one in the message.
        if offset is None or self.envelope is None:
            return None
        service, _ = self._spans[index]
        return self.envelope.user_information.start + 1 + service + offset

    @Lazy
    def findings(self) -> tuple[Finding, ...]:
        """Remarks on it."""
        return self._find()

    def _find(self) -> tuple[Finding, ...]:
        envelope = self.envelope
        findings: list[Finding] = []
        if envelope is not None:
            findings += (*envelope.findings, *self.opened.findings)
            with suppress(DecodeError):  # already in the findings of the two above
                findings += envelope.control.findings(offset=envelope.user_information.start)
        if self._fault is not None:
            findings.append(self._fault.finding())
        for index, service in enumerate(self.services):
            findings += [
                finding._replace(path=self._path(index, finding.path), offset=self._offset(index, finding.offset))
                for finding in service.findings
            ]
        return tuple(dict.fromkeys(findings))

    def as_dict(self, *, tables: Sequence[dict[str, Any] | None] = (), show_secrets: bool = False) -> dict[str, Any]:
        """Return it in terms of JSON, as an object of ``c1222.message/1``.

        Time, addresses and frames are null in a message that comes from no capture.

        Args:
            tables: for each service what is known of its table data, as `c1222.TableReader` tells it, or None; empty
                for no service.
            show_secrets: also passwords.
        """
        services = self.services
        return {
            "schema": SCHEMA,
            **self._where(),
            "called": _text(self.called),
            "calling": _text(self.calling),
            "called_invocation_id": self.called_invocation_id,
            "calling_invocation_id": self.calling_invocation_id,
            "application_context": self.application_context,
            "calling_ae_qualifier": self.calling_ae_qualifier,
            "mechanism": self.mechanism,
            "key_id": self.key_id,
            "iv": None if self.iv is None else self.iv.hex(),
            "security_mode": _label(self.security_mode),
            "authenticated": self.authenticated,
            "response_control": _label(self.response_control),
            "ed_class": None if self.ed_class is None else self.ed_class.hex(),
            "services": [
                service.as_dict(show_secrets=show_secrets) | (known or {})
                for service, known in zip(services, tables or [None] * len(services), strict=True)
            ],
            **self._frames(),
            "findings": [finding._asdict() for finding in self.findings],
        }

    def _where(self) -> dict[str, Any]:
        return dict.fromkeys(("frame", "time_ns", "src", "dst", "transport"))

    def _frames(self) -> dict[str, Any]:
        return dict.fromkeys(("reply_to", "segments"))

    def __repr__(self) -> str:
        kind = "response" if self.is_response else "request"
        names = ", ".join(str(service.service) for service in self.services)
        mode = getattr(self.security_mode, "label", None)  # there is none in a capture where the octet is malformed
        return f"<Message {kind} {self.calling} -> {self.called} {mode} [{names}]>"


Message.PARTS = frozenset(name for name, value in vars(Message).items() if isinstance(value, _Part))


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _label(value: SecurityMode | ResponseControl | None) -> str | None:
    return None if value is None else value.label


@remembered(1024)
def requests_of(body: bytes) -> tuple[Request, ...]:
    """Return the requests in a list of services.

    Args:
        body: the services with their lengths; must be splittable.
    """
    # The same reads go to thousands of meters. Bounded, and never more than a body the size limit of APDUs lets pass.
    services = [decode_service(body[start:end]) for start, end in split_services(body, 0, len(body))]
    return tuple([service for service in services if isinstance(service, Request)])
