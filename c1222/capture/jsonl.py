"""Messages as JSON lines, schema ``c1222.message/1``.

A line is written from a template: the keys are always the same, and most values are numbers or text seen before. What
a message has of its own, its services and findings, goes through the encoder of the standard library. `as_dict` gives
the same as an object; a test keeps the two equal.
"""

from __future__ import annotations

from functools import lru_cache
from json.encoder import JSONEncoder
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from c1222.capture.decoder import CapturedMessage
    from c1222.errors import Finding
    from c1222.message.epsem import ResponseControl, SecurityMode
    from c1222.services import Service

__all__ = ["SCHEMA", "as_dict", "finding_as_dict", "to_json"]

SCHEMA: Final = "c1222.message/1"

_encode = JSONEncoder(ensure_ascii=False, check_circular=False).encode


def finding_as_dict(finding: Finding) -> dict[str, Any]:
    """Return a finding as JSON has it."""
    return finding._asdict()


def service_as_dict(service: Service, more: dict[str, Any] | None, *, show_secrets: bool) -> dict[str, Any]:
    """Return a service as JSON has it, with what is known of its table data."""
    shown = service.as_dict(show_secrets=show_secrets)
    if more:
        shown.update(more)
    return shown


def as_dict(
    message: CapturedMessage, *, tables: Sequence[dict[str, Any] | None] = (), show_secrets: bool = False
) -> dict[str, Any]:
    """Return a message as the object of its JSON line.

    Args:
        message: the message.
        tables: for each service what is known of its table data, or None; empty for no service.
        show_secrets: also passwords.
    """
    services = message.services
    more = tables or [None] * len(services)
    return {
        "schema": SCHEMA,
        "frame": message.frame,
        "time_ns": message.time_ns,
        "src": message.src,
        "dst": message.dst,
        "transport": message.transport,
        "called": _text(message.called),
        "calling": _text(message.calling),
        "called_invocation_id": message.called_invocation_id,
        "calling_invocation_id": message.calling_invocation_id,
        "application_context": message.application_context,
        "calling_ae_qualifier": message.calling_ae_qualifier,
        "mechanism": message.mechanism,
        "key_id": message.key_id,
        "iv": None if message.iv is None else message.iv.hex(),
        "security_mode": _label(message.security_mode),
        "authenticated": message.authenticated,
        "response_control": _label(message.response_control),
        "ed_class": None if message.ed_class is None else message.ed_class.hex(),
        "services": [
            service_as_dict(service, extra, show_secrets=show_secrets)
            for service, extra in zip(services, more, strict=True)
        ],
        "reply_to": message.reply_to,
        "segments": None if message.segments is None else list(message.segments),
        "findings": [finding_as_dict(finding) for finding in message.findings],
    }


def to_json(
    message: CapturedMessage, *, tables: Sequence[dict[str, Any] | None] = (), show_secrets: bool = False
) -> str:
    """Return the JSON line of a message, without the end of line. Takes what `as_dict` takes."""
    if not message.is_message:
        return _encode(as_dict(message, tables=tables, show_secrets=show_secrets))
    services = message.services
    if tables:
        parts = [
            _encode(service_as_dict(service, more, show_secrets=show_secrets))
            for service, more in zip(services, tables, strict=True)
        ]
    else:
        parts = [_encode(service.as_dict(show_secrets=show_secrets)) for service in services]
    found = message.findings
    authenticated = message.authenticated
    iv, ed_class = message.iv, message.ed_class
    ae_qualifier, called_id = message.calling_ae_qualifier, message.called_invocation_id
    return (
        f'{{"schema": "{SCHEMA}", "frame": {message.frame}, "time_ns": {message.time_ns}'
        f', "src": "{message.src}", "dst": "{message.dst}", "transport": "{message.transport}"'
        f', "called": {_quoted(message.called)}, "calling": {_quoted(message.calling)}'
        f', "called_invocation_id": {"null" if called_id is None else called_id}'
        f', "calling_invocation_id": {message.calling_invocation_id}'
        f', "application_context": {_quoted(message.application_context)}'
        f', "calling_ae_qualifier": {"null" if ae_qualifier is None else ae_qualifier}'
        f', "mechanism": {_quoted(message.mechanism)}'
        f', "key_id": {"null" if message.key_id is None else message.key_id}'
        f', "iv": {"null" if iv is None else _HEX % iv.hex()}'
        f', "security_mode": "{message.security_mode.label}"'
        f', "authenticated": {"null" if authenticated is None else "true" if authenticated else "false"}'
        f', "response_control": "{message.response_control.label}"'
        f', "ed_class": {"null" if ed_class is None else _HEX % ed_class.hex()}'
        f', "services": [{", ".join(parts)}]'
        f', "reply_to": {"null" if message.reply_to is None else message.reply_to}'
        f', "segments": {"null" if message.segments is None else list(message.segments)}'
        f', "findings": {_encode([finding_as_dict(finding) for finding in found]) if found else "[]"}}}'
    )


_HEX: Final = '"%s"'


def _label(value: SecurityMode | ResponseControl | None) -> str | None:
    return None if value is None else value.label


def _text(value: object) -> str | None:
    return None if value is None else str(value)


@lru_cache(maxsize=8192)
def _quoted(value: object) -> str:
    return "null" if value is None else _encode(str(value))
