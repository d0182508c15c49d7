"""Services from their JSON: the way back from `Service.as_dict`, for cases that ask how values are encoded.

Octets are hexadecimal digits, titles their text, flags the list of their names; text is padded with blanks to its
number of octets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from c1222.errors import EncodeError
from c1222.message.aptitle import ApTitle
from c1222.services import REQUESTS, SERVICE_ERRORS, ErrorResponse, RawRequest, TableData
from c1222.services.fields import Flags, Maybe, Text, Title, Titles
from c1222.services.identify import FEATURES, DeviceIdentity, Feature, SessionControl
from c1222.services.results import Rqtl, Rstl, Sgerr
from c1222.vectors.model import BadCase

if TYPE_CHECKING:
    from c1222.services import Request, Response
    from c1222.services.service import Field
    from c1222.vectors.inputs import Input

__all__ = ["request_of", "response_of"]


def request_of(shown: Input) -> Request:
    """Return the request that a JSON object shows.

    Raises:
        BadCase: it shows none.
        EncodeError: a value has no form on the wire.
    """
    code = shown.integer("code")
    if code not in REQUESTS:
        return RawRequest(code, shown.octets("parameters"))
    request: Request = _value(REQUESTS[code], shown)
    if request.code != code:
        raise BadCase(f"input.service.code: {code:02x} does not go with the parameters, {request.code:02x} does")
    return request


def response_of(shown: Input) -> Response:
    """Return the response that a JSON object shows; ``service`` names the request it answers.

    Raises:
        BadCase: it shows none.
        EncodeError: a value has no form on the wire.
    """
    code = shown.integer("code")
    if code:
        return _error(code, shown)
    service = shown.text("service")
    for kind in REQUESTS.values():
        if kind.label() == service and kind.answer is not None:
            answer: Response = _value(kind.answer, shown)
            return answer
    raise BadCase(f"input.service.service: {service!r} is no service")


def _error(code: int, shown: Input) -> ErrorResponse:
    error = SERVICE_ERRORS.get(code)
    if error in (Rqtl, Rstl) and "max_size" in shown:
        return ErrorResponse.of(error.of(shown.integer("max_size")))
    if error is Sgerr and "apdu_size" in shown:
        return ErrorResponse.of(Sgerr.of(shown.integer("offset"), shown.integer("apdu_size")))
    return ErrorResponse(code, shown.octets("parameters") if "parameters" in shown else b"")


def _value(kind: Any, shown: Input) -> Any:
    given: dict[str, Any] = {}
    for field in kind.fields:
        if not field.on_wire or field.name in {"trailing", "more"}:
            continue
        if field.name == "table_data":
            given["table_data"] = TableData(shown.octets("data"))
        elif field.name == "features":
            given["features"] = tuple([_feature(entry) for entry in shown.objects("features")])
        elif isinstance(field.form, Maybe) and field.name not in shown:
            given[field.name] = None
        else:
            given[field.name] = _parsed(field, shown)
    return kind(**given)


def _parsed(field: Field, shown: Input) -> Any:
    form = field.form.form if isinstance(field.form, Maybe) else field.form
    name, value = field.name, shown.get(field.name)
    try:
        if isinstance(form, Titles):
            return tuple([ApTitle(text) for text in value])
        if isinstance(form, Title) or name == "oid":
            return ApTitle(value)
        if isinstance(form, Text):
            return value.encode("latin-1").ljust(form.size)
        if isinstance(form, Flags):
            bits = {name: 1 << bit for bit in range(8) for name in form.show(form.check(1 << bit))}
            return sum(bits[text] for text in value)
        if isinstance(value, list):
            return bytes(value) if name == "baud_codes" else tuple(value)
    except EncodeError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError):
        raise BadCase(f"input.service.{name}: {value!r:.60} is not understood") from None
    return value if isinstance(value, int) else shown.octets(name)


_FEATURES: dict[str, type[Feature]] = {feature.name: feature for feature in FEATURES.values()}


def _feature(shown: Input) -> Any:
    kind = _FEATURES.get(shown.text("feature"))
    if kind is None:
        raise BadCase(f"input.service.features: {shown.text('feature')!r} is no feature")
    if kind is SessionControl:
        return SessionControl.of(shown.integer("sessions"), sessionless=shown.flag("sessionless"))
    if kind is DeviceIdentity:
        return DeviceIdentity.of(shown.text("identity"), char_format=shown.integer("char_format"))
    return _value(kind, shown)
