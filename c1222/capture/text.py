"""Messages as a person reads them: who asked whom for what, what came back, secured how, and what is wrong with it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from c1219.printable import printable
from c1222.capture.message import UNTIMED
from c1222.errors import Finding
from c1222.message.epsem import SecurityMode
from c1222.security.sealing import Verdict
from c1222.services.tables import table_name
from c1222.text import leaves

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from c1222.capture.decoder import CapturedMessage, Counters
    from c1222.services import Service

__all__ = ["finding_line", "message_lines", "summary", "time_text"]

SHOWN_OCTETS: Final = 64
"""Octets of table data shown in hex; JSON has them all."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_VERDICTS: Final = {
    Verdict.VERIFIED: "verified",
    Verdict.WRONG_MAC: "MAC WRONG",
    Verdict.SHORT_HEADER: "REFUSED, header too short",
    Verdict.TOO_SHORT: "MAC MISSING",
    Verdict.NO_KEY: "not verified, no key",
    Verdict.NO_SESSION: "not verified, session unknown",
}
_HEAD: Final = frozenset({"code", "service", "kind", "result"})


def time_text(time_ns: int) -> str:
    """Return a capture time in UTC with as many digits as it has.

    Args:
        time_ns: nanoseconds since 1970-01-01 UTC.
    """
    seconds, nanoseconds = divmod(time_ns, 1_000_000_000)
    digits = f"{nanoseconds:09}"
    try:
        moment = _EPOCH + timedelta(seconds=seconds)
    except OverflowError:
        return f"{seconds}.{digits}"
    return f"{moment:%Y-%m-%d %H:%M:%S}.{digits if digits[6:] != '000' else digits[:6]}Z"


def finding_line(finding: Finding) -> str:
    """Return a finding as one line; what is not printable is escaped."""
    place = finding.path if finding.offset is None else f"{finding.path} at octet {finding.offset}"
    return printable(f"{finding.level}: {finding.text} [{finding.code}, {place}]")


def message_lines(
    message: CapturedMessage,
    *,
    tables: Sequence[dict[str, Any] | None] = (),
    show_secrets: bool = False,
) -> Iterator[str]:
    """Yield the lines of a message; what is not printable in them, be it a line end, is escaped.

    Args:
        message: the message.
        tables: for each service what is known of its table data, or None; empty for no service.
        show_secrets: also passwords.
    """
    return map(printable, _message_lines(message, tables, show_secrets=show_secrets))


def _message_lines(
    message: CapturedMessage, tables: Sequence[dict[str, Any] | None], *, show_secrets: bool
) -> Iterator[str]:
    way = f"{message.transport} {message.src} -> {message.dst}" if message.transport else "in hex"
    time = "" if message.time_ns == UNTIMED else f"{time_text(message.time_ns)}  "
    place = "" if message.file is None else f" ({message.file} {message.file_frame})"
    yield f"#{message.frame}{place}  {time}{way}"
    if not message.is_message:
        # Whatever they are, they may be the rest of a message in cleartext that carries a password.
        octets = message.octets[:SHOWN_OCTETS].hex() if show_secrets else f"{len(message.octets)} octets"
        yield f"    no message{f': {octets}' if message.octets else ''}"
    else:
        yield f"    {_who(message)}"
        yield f"    {_secured(message)}"
        services = message.services
        known = tables or [None] * len(services)
        for service, values in zip(services, known, strict=True):
            yield from _service_lines(service, values, show_secrets=show_secrets)
    for finding in message.findings:
        yield f"    {finding_line(finding)}"


def _who(message: CapturedMessage) -> str:
    calling, called = message.calling or "(no title)", message.called or "(no title)"
    if message.is_response:
        asked = f" in frame {message.reply_to}" if message.reply_to is not None else ", which was not seen"
        text = f"{calling} answers {called}  (its message {message.called_invocation_id}{asked})"
    else:
        text = f"{calling} asks {called}  (message {message.calling_invocation_id})"
    if message.segments:
        text += f"  reassembled from frames {', '.join(map(str, message.segments))}"
    return text


def _secured(message: CapturedMessage) -> str:
    mode: SecurityMode | None = message.security_mode
    if mode is None:
        return "how it is secured cannot be read"
    parts = ["cleartext, not authenticated" if mode is SecurityMode.CLEARTEXT else mode.label]
    if mode is not SecurityMode.CLEARTEXT and message.verdict is not None:
        parts[0] += f": {_VERDICTS.get(message.verdict, message.verdict.value)}"
    if message.key_id is not None:
        parts.append(f"key {message.key_id}")
    if message.iv is not None:
        parts.append(
            f"IV {message.iv.hex()} ({_EPOCH + timedelta(seconds=int.from_bytes(message.iv)):%Y-%m-%d %H:%M:%SZ})"
        )
    if not message.is_response and message.response_control:
        parts.append(f"answer {message.response_control.label}")
    if message.ed_class is not None:
        parts.append(f"ED class {_octets(message.ed_class)}")
    if message.calling_ae_qualifier:
        bits = [
            name
            for bit, name in enumerate(("test", "urgent", "notification"))
            if message.calling_ae_qualifier >> bit & 1
        ]
        parts.append(", ".join(bits) or f"AE qualifier {message.calling_ae_qualifier}")
    return ", ".join(parts)


def _service_lines(service: Service, values: dict[str, Any] | None, *, show_secrets: bool) -> Iterator[str]:
    shown = service.as_dict(show_secrets=show_secrets)
    name = service.service or "response"
    result = f" {shown['result']}" if "result" in shown else ""
    details = [text for key, value in shown.items() if key not in _HEAD and (text := _detail(key, value))]
    yield f"      {name}{result}{'  ' if details else ''}{', '.join(details)}"
    if values is None:
        return
    if (value := values.get("value")) is not None:
        for path, leaf in leaves(value):
            yield f"        {path} = {leaf}"
    elif reason := values.get("undecoded"):
        yield f"        not decoded: {reason}"
    for finding in values.get("findings", ()):
        yield f"        {finding_line(Finding(**finding))}"


def _detail(key: str, value: Any) -> str | None:
    if value is None:
        return None
    if key == "table":
        return table_name(value)
    if key == "checksum_ok":
        return None if value else "CHECKSUM WRONG"
    if key == "data" and isinstance(value, str) and not value.startswith("<"):
        return _octets(bytes.fromhex(value))
    return f"{key.replace('_', ' ')} {value}"


def _octets(octets: bytes) -> str:
    text = "".join(chr(octet) if 0x20 <= octet < 0x7F else "." for octet in octets[:SHOWN_OCTETS])
    more = f" and {len(octets) - SHOWN_OCTETS} more octets" if len(octets) > SHOWN_OCTETS else ""
    return f'{octets[:SHOWN_OCTETS].hex()} "{text}"{more}'


def summary(counters: Counters) -> str:
    """Return one line on all messages."""
    counts = counters.as_dict()
    words = {
        "verified": "verified",
        "cleartext": "in cleartext",
        "refused": "with a wrong MAC",
        "unchecked": "not checked: no key or session",
        "undecodable": "undecodable",
    }
    parts = [f"{counts[name]} {text}" for name, text in words.items() if counts[name]]
    plural = "" if counters.messages == 1 else "s"
    unpaired = ""
    if counters.unpaired:
        unpaired = f"; {counters.unpaired} response{'' if counters.unpaired == 1 else 's'} whose request was not seen"
    times = f"{counters.skipped} time{'' if counters.skipped == 1 else 's'}"
    skipped = f"; octets skipped {times}" if counters.skipped else ""
    return f"{counters.messages} message{plural}{': ' if parts else ''}{', '.join(parts)}{unpaired}{skipped}"
