"""Messages as JSON lines, schema ``c1222.message/1``.

``security_mode`` is ``cleartext``, ``cleartext-authentication`` or ``ciphertext-authentication``; where the EPSEM
control octet has the fourth mode, which nobody describes, it is ``reserved``, with a finding of level error. Likewise
``response_control`` is ``always``, ``on-exception``, ``never`` or ``reserved``. Without control octet both are null.

`CapturedMessage.as_dict` gives a message as the object of its line, and the encoder of the standard library could write
that. But it costs more than decoding, so ``to_json`` writes the line of a usual message from text that it has made
before: of the titles, of the control octet, of the same request sent to another meter, of all of a response but its
data. Whatever it has no such text for is written the long way. Tests hold the two equal.
"""

from __future__ import annotations

from json.encoder import JSONEncoder
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from c1219.caches import BoundedDict, kept
from c1222.capture.message import UNTIMED, CapturedMessage, file_members
from c1222.message.aptitle import ApTitle
from c1222.message.epsem import ED_CLASS_SIZE, Control, ResponseControl, SecurityMode
from c1222.message.flat import FlatApdu
from c1222.protocol.message import SCHEMA, requests_of
from c1222.services.malformed import decode_service
from c1222.services.table_data import CHUNK
from c1222.services.tables import TableAccess, TableResponse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from c1222.errors import Finding
    from c1222.services import Request, Service

__all__ = ["SCHEMA", "as_dict", "finding_as_dict", "is_usual", "service_texts", "to_json"]

_REMEMBERED_TITLES: Final = 32768
_REMEMBERED_SERVICES: Final = 4096
_REMEMBERED_REASONS: Final = 256  # why table data are not decoded
_MAX_OCTETS: Final = 256  # of services whose text is remembered
_TABLE_DATA: Final = 4  # octets of a response with table data, besides the data: code, count, checksum


_encode = JSONEncoder(ensure_ascii=False, check_circular=False).encode


def finding_as_dict(finding: Finding) -> dict[str, Any]:
    """Return a finding as JSON has it."""
    return finding._asdict()


as_dict = CapturedMessage.as_dict


def to_json(
    message: CapturedMessage, *, tables: Sequence[dict[str, Any] | None] = (), show_secrets: bool = False
) -> str:
    """Return the JSON line of a message, without the end of line. Takes what `as_dict` takes.

    Where a line is written from text made before, it is known that there are no findings, and `message.findings` is
    set, so that nobody decodes the message to find none.
    """
    apdu = message.envelope
    own = _TEXTS_WITH_SECRETS if show_secrets else _TEXTS
    if not isinstance(apdu, FlatApdu) or message.time_ns == UNTIMED or (texts := own.of(message, apdu)) is None:
        return _encode(as_dict(message, tables=tables, show_secrets=show_secrets))
    quoted, qualifier = apdu.called_invocation_id, apdu.calling_ae_qualifier
    control = _CONTROLS[apdu.control_octet]
    key_id, iv = (apdu.key_id, apdu.iv) if control.secured else (None, None)
    if tables:
        if len(tables) != len(texts):
            raise ValueError(f"{len(tables)} arguments for the tables of {len(texts)} services")
        for index, known in enumerate(tables):
            if known:
                reason = known.get("undecoded") if len(known) == 1 else None
                texts[index] = f"{texts[index][:-1]}{_members(known) if reason is None else _REASONS[reason]}"
    message.findings = ()
    frame, reply_to, segments = message.frame, message.reply_to, message.segments
    more = "" if type(frame) is int else f", {_encode(file_members(message))[1:-1]}"
    return (
        f'{_HEAD}{frame}{more}, "time_ns": {message.time_ns}'
        f', "src": "{message.src}", "dst": "{message.dst}", "transport": "{message.transport}"'
        f', "called": {_TITLES[apdu.called_title]}, "calling": {_TITLES[apdu.calling_title]}'
        f', "called_invocation_id": {"null" if quoted is None else quoted}'
        f', "calling_invocation_id": {apdu.calling_invocation_id}, "application_context": null'
        f', "calling_ae_qualifier": {"null" if qualifier is None else qualifier}, "mechanism": null'
        f', "key_id": {"null" if key_id is None else ord(key_id)}, "iv": {"null" if iv is None else _HEX % iv.hex()}'
        f"{control.text}{_HEX % message.body[:ED_CLASS_SIZE].hex() if control.ed_class else 'null'}"
        f', "services": [{", ".join(texts)}], "reply_to": {"null" if reply_to is None else reply_to}'
        f', "segments": {"null" if segments is None else list(segments)}, "findings": []}}'
    )


def is_usual(message: CapturedMessage) -> bool:
    """Tell whether it is known without decoding its services that a message has no findings, nor a service of it."""
    apdu = message.envelope
    return isinstance(apdu, FlatApdu) and _TEXTS.of(message, apdu) is not None


_HEAD: Final = f'{{"schema": "{SCHEMA}", "frame": '
_HEX: Final = '"%s"'


def _members(known: dict[str, Any]) -> str:
    """Return the text of members that stand behind others, up to the end of their object."""
    return f", {_encode(known)[1:]}"


_REASONS: Final = kept(
    f"{__name__}.reasons", BoundedDict[str, str](_REMEMBERED_REASONS, lambda text: _members({"undecoded": text}))
)


def _title(octets: bytes) -> str:
    """Return the text of a title, by the octets of its element without the tag."""
    return _encode(str(ApTitle.from_tlv(octets[1:])))


_TITLES: Final = kept(f"{__name__}.titles", BoundedDict(_REMEMBERED_TITLES, _title))


class _Control(NamedTuple):
    """What a control octet stands for, in a message that is in cleartext or verified.

    Attributes:
        text: the members it fills, up to the value of the last, that of the ED class.
        secured: whether key id and vector were used.
        ed_class: whether there is an ED class.
    """

    text: str
    secured: bool
    ed_class: bool

    @classmethod
    def of(cls, octet: int) -> _Control:
        control = Control.from_octet(octet)
        secured = control.mode is not SecurityMode.CLEARTEXT
        text = (
            f', "security_mode": {_encode(control.mode.label)}, "authenticated": {"true" if secured else "null"}'
            f', "response_control": {_encode(control.response_control.label)}, "ed_class": '
        )
        return cls(text, secured, control.ed_class)


_CONTROLS: Final = {octet: _Control.of(octet) for octet in range(0x80, 0x100)}


class _Answer(NamedTuple):
    """What is known of the response to a request before it is seen.

    Attributes:
        request: the request, or one like it.
        before: text of a response with table data, up to the data; None where the response carries none, or where the
            octets decide whether they are concealed.
        after: text behind them.
        shown: whether the data go between the two.
    """

    request: Request
    before: str | None
    after: str
    shown: bool


class _Texts:
    """Text of services by their octets, within bounds: only of those without findings.

    Args:
        show_secrets: also passwords.
    """

    def __init__(self, *, show_secrets: bool) -> None:
        self._show_secrets = show_secrets
        name = f"{__name__}.{'secret' if show_secrets else 'concealed'}"
        self._requests: BoundedDict[bytes, str | None] = kept(f"{name}.requests", BoundedDict(_REMEMBERED_SERVICES))
        self._short: BoundedDict[tuple[bytes, type[Request]], str | None] = kept(
            f"{name}.short", BoundedDict(_REMEMBERED_SERVICES)
        )
        self._kinds: BoundedDict[tuple[type[Request], bool, bool], _Answer] = kept(
            f"{name}.kinds", BoundedDict(_REMEMBERED_SERVICES)
        )
        self._answers: BoundedDict[bytes, tuple[_Answer, ...]] = kept(
            f"{name}.answers", BoundedDict(_REMEMBERED_SERVICES)
        )

    def of(self, message: CapturedMessage, apdu: FlatApdu) -> list[str] | None:
        """Return the text of each service; None where the message has to be written the long way."""
        if apdu.control_octet & 3 == ResponseControl.RESERVED:
            return None
        return self.of_parts(message.service_octets, None if apdu.quoted is None else message.asked_body)

    def of_parts(self, parts: Sequence[bytes], asked: bytes | None) -> list[str] | None:
        """Return the text of each service; None where that has to be written the long way.

        Args:
            parts: the services, without their lengths.
            asked: the requests they answer, with their lengths, empty if not known; None if they are requests.
        """
        if asked is None:
            return self._of_request(parts)
        return self._of_response(parts, asked) if asked else None

    def _of_request(self, parts: Sequence[bytes]) -> list[str] | None:
        texts = []
        for octets in parts:
            try:
                text = self._requests[octets]
            except KeyError:
                if len(octets) > _MAX_OCTETS:
                    return None
                text = self._requests[octets] = self._text(decode_service(octets))
            if text is None:
                return None
            texts.append(text)
        return texts

    def _of_response(self, parts: Sequence[bytes], asked: bytes) -> list[str] | None:
        answers = self._answers.get(asked)
        if answers is None:
            answers = tuple([self._answer(request) for request in requests_of(asked)])
            if len(asked) <= _MAX_OCTETS:
                self._answers[asked] = answers
        if len(answers) != len(parts):
            return None
        texts = []
        for octets, (request, before, after, shown) in zip(parts, answers, strict=True):
            size = len(octets) - _TABLE_DATA
            if before is not None and size >= 0 and not octets[0] and (octets[1] << 8 | octets[2]) == size != CHUNK:
                if sum(octets[3:]) & 0xFF:
                    return None
                texts.append(f"{before}{octets[3:-1].hex()}{after}" if shown else before)
            elif size < 0:
                text = self._of_short(octets, request)
                if text is None:
                    return None
                texts.append(text)
            else:
                return None
        return texts

    def _of_short(self, octets: bytes, request: Request) -> str | None:
        """Return the text of a response too short to hold table data, so that only the kind of its request matters."""
        key = (octets, type(request))
        try:
            return self._short[key]
        except KeyError:
            text = self._short[key] = self._text(decode_service(octets, request))
            return text

    def _answer(self, request: Request) -> _Answer:
        depends = isinstance(request, TableAccess) and request.conceals is not request.conceals_octets(b"")
        kind = (type(request), request.conceals, depends)
        answer = self._kinds.get(kind)
        if answer is None:
            before: str | None = None
            after, shown = "", False
            empty = decode_service(bytes(_TABLE_DATA), request)
            if isinstance(empty, TableResponse) and not depends:
                text = _encode(empty.as_dict(show_secrets=self._show_secrets))
                head, data, tail = text.partition('"data": "')
                shown = tail.startswith('"')
                before, after = (head + data, tail) if shown else (text, "")
            answer = self._kinds[kind] = _Answer(request, before, after, shown)
        return answer

    def _text(self, service: Service) -> str | None:
        return None if service.findings else _encode(service.as_dict(show_secrets=self._show_secrets))


_TEXTS: Final = _Texts(show_secrets=False)
service_texts: Final = _TEXTS.of_parts
"""As text of JSON, the services of a message whose control octet and lengths are as they should be; passwords and keys
are concealed."""
_TEXTS_WITH_SECRETS: Final = _Texts(show_secrets=True)
