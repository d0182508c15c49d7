"""Operations on octets in cleartext: ApTitles, the ACSE APDU, EPSEM, services, segments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from c1222.errors import DecodeError
from c1222.message.acse import Acse, Authentication, decode_acse, plan
from c1222.message.aptitle import ApTitle
from c1222.message.epsem import Epsem, ResponseControl, SecurityMode
from c1222.message.segmentation import Reassembler, cut
from c1222.services import decode_request, decode_response
from c1222.vectors.inputs import Answer, Input
from c1222.vectors.model import BadCase
from c1222.vectors.secured import fields_of
from c1222.vectors.service_json import request_of, response_of

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["OPERATIONS"]

_TAGS: Final = (0x80, 0x0D)


def _tag(case: Input) -> int:
    tag = case.octets("tag")[0] if "tag" in case else _TAGS[0]
    if tag not in _TAGS:
        raise BadCase("input.tag: 80 or 0d")
    return tag


def _decode_title(case: Input) -> Answer:
    title = ApTitle.from_tlv(case.octets("octets"))
    return Answer({"title": str(title), "relative": title.is_relative}, {"content": title.content.hex()})


def _encode_title(case: Input) -> Answer:
    title = ApTitle(case.text("title"))
    return Answer({"octets": title.tlv(_tag(case)).hex()}, {"content": title.content.hex()})


def _absolute_title(case: Input) -> Answer:
    title = case.title("title").absolute(case.base())
    return Answer({"title": str(title), "octets": title.tlv().hex()})


def _relative_title(case: Input) -> Answer:
    title = case.title("title").relative(case.base())
    return Answer({"title": str(title), "octets": title.tlv(_tag(case)).hex()})


def _decode_acse(case: Input) -> Answer:
    acse = decode_acse(case.octets("apdu"))
    acse.check()
    output: dict[str, Any] = {
        name: str(value) if isinstance(value, ApTitle) else value
        for name, value in acse.fields().items()
        if value is not None and name != "authentication"
    }
    found = acse.authentication
    if found is not None:
        output["authentication"] = {
            "form": found.form,
            "key_id": found.key_id,
            "iv": None if found.iv is None else found.iv.hex(),
        }
    output["user_information"] = acse.payload.hex()
    names = {tag: name for name, tag in plan().tags.items()}
    places = [{"name": names[tag], "start": start, "end": end} for tag, (start, _, end) in acse.spans.items()]
    return Answer(output, {"elements": places})


def _encode_acse(case: Input) -> Answer:
    fields = fields_of(case)
    if "called_ae_qualifier" in case:
        fields["called_ae_qualifier"] = case.integer("called_ae_qualifier")
    if "indirect_reference" in case:
        fields["indirect_reference"] = case.integer("indirect_reference")
    if "authentication" in case:
        given = case.below("authentication")
        key_id = given.integer("key_id") if "key_id" in given else None
        fields["authentication"] = Authentication("c12.22", key_id, given.octets("iv"))
    acse = Acse.build(user_information=case.octets("user_information"), **fields)
    return Answer({"apdu": acse.octets.hex()})


def _decode_epsem(case: Input) -> Answer:
    epsem = Epsem.decode(case.octets("octets"))
    if epsem.mode is SecurityMode.RESERVED:
        return Answer(None, refusal="the security mode 3 has no meaning", at=("epsem.control", 0))
    return Answer(
        {
            "mode": int(epsem.mode),
            "response_control": int(epsem.response_control),
            "ed_class": None if epsem.ed_class is None else epsem.ed_class.hex(),
            "proxy": epsem.proxy,
            "recovery": epsem.recovery,
            "services": [service.hex() for service in epsem.services],
        }
    )


def _encode_epsem(case: Input) -> Answer:
    epsem = Epsem(
        tuple(case.octets_list("services")),
        SecurityMode(case.between("mode", 0, 3)),
        ResponseControl(case.between("response_control", 0, 3, 0)),
        case.octets("ed_class") if "ed_class" in case else None,
        case.flag("proxy"),
        case.flag("recovery"),
    )
    return Answer({"octets": epsem.encode().hex()})


def _decode_request(case: Input) -> Answer:
    return Answer({"service": decode_request(case.octets("octets")).as_dict(show_secrets=True)})


def _decode_response(case: Input) -> Answer:
    request = decode_request(case.octets("request")) if "request" in case else None
    return Answer({"service": decode_response(case.octets("octets"), request).as_dict(show_secrets=True)})


def _encode_request(case: Input) -> Answer:
    return Answer({"octets": request_of(case.below("service")).encode().hex()})


def _encode_response(case: Input) -> Answer:
    return Answer({"octets": response_of(case.below("service")).encode().hex()})


def _cut(case: Input) -> Answer:
    return Answer({"segments": [segment.hex() for segment in cut(case.octets("apdu"), case.integer("size"))]})


def _join(case: Input) -> Answer:
    reassembler = Reassembler()
    segments = [decode_acse(segment) for segment in case.octets_list("segments")]
    whole = None
    for segment in segments:
        if whole is not None:
            raise DecodeError("segments", 0, "the message was complete before")
        whole = reassembler.add(segment, 0.0)
    return Answer({"apdu": None if whole is None else whole.acse.octets.hex()})


OPERATIONS: Final[dict[str, Callable[[Input], Answer]]] = {
    "title.decode": _decode_title,
    "title.encode": _encode_title,
    "title.absolute": _absolute_title,
    "title.relative": _relative_title,
    "acse.decode": _decode_acse,
    "acse.encode": _encode_acse,
    "epsem.decode": _decode_epsem,
    "epsem.encode": _encode_epsem,
    "request.decode": _decode_request,
    "request.encode": _encode_request,
    "response.decode": _decode_response,
    "response.encode": _encode_response,
    "segments.cut": _cut,
    "segments.join": _join,
}
