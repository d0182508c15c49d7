"""Messages as a person reads them: who asked whom for what, what came back, secured how, and what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from c1219.printable import printable
from c1222.capture.message import EPOCH, UNTIMED
from c1222.capture.serial.message import SerialMessage
from c1222.errors import Finding
from c1222.message.epsem import SecurityMode
from c1222.security.sealing import Verdict
from c1222.services.tables import table_name
from c1222.text import leaves

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from c1222.capture.decoder import CapturedMessage, Counters
    from c1222.services import Service

__all__ = ["RowLines", "finding_line", "message_lines", "summary", "time_text"]

SHOWN_OCTETS: Final = 64
"""Octets of table data shown in hex; JSON has them all."""
_VERDICTS: Final = {
    Verdict.VERIFIED: "verified",
    Verdict.WRONG_MAC: "MAC WRONG",
    Verdict.SHORT_HEADER: "REFUSED, header too short",
    Verdict.TOO_SHORT: "MAC MISSING",
    Verdict.NO_KEY: "not verified, no key",
    Verdict.NO_SESSION: "not verified, session unknown",
}
_BEHIND_NAME: Final = re.compile(r"[.\[]")
_HEAD: Final = frozenset({"code", "service", "kind", "result"})


RowLines = Callable[[Sequence[dict[str, Any]]], Iterable[str]]
"""Makes lines of the readings of a table, as `c1222.capture.tables.reader.TableReader` gives them."""


class _Shown(NamedTuple):
    """How messages are shown; see `message_lines`."""

    show_secrets: bool
    readings: RowLines | None
    verbose: bool


def time_text(time_ns: int) -> str:
    """Return a capture time in UTC with as many digits as it has.

    Args:
        time_ns: nanoseconds since 1970-01-01 UTC.
    """
    seconds, nanoseconds = divmod(time_ns, 1_000_000_000)
    digits = f"{nanoseconds:09}"
    try:
        moment = EPOCH + timedelta(seconds=seconds)
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
    readings: RowLines | None = None,
    verbose: bool = False,
) -> Iterator[str]:
    """Yield the lines of a message; what is not printable in them, be it a line end, is escaped.

    Args:
        message: the message.
        tables: for each service what is known of its table data, or None; empty for no service.
        show_secrets: also passwords.
        readings: makes lines of the readings of a table, which then stand for its elements.
        verbose: all elements, each flag on a line of its own.
    """
    shown = _Shown(show_secrets, readings, verbose)
    return map(printable, _message_lines(message, tables, shown))


def _message_lines(message: CapturedMessage, tables: Sequence[dict[str, Any] | None], shown: _Shown) -> Iterator[str]:
    way = f"{message.transport} {message.src} -> {message.dst}" if message.transport else "in hex"
    time = "" if message.time_ns == UNTIMED else f"{time_text(message.time_ns)}  "
    place = "" if message.file is None else f" ({message.file} {message.file_frame})"
    yield f"#{message.frame}{place}  {time}{way}"
    if not message.is_message:
        # Whatever they are, they may be the rest of a message in cleartext that carries a password.
        octets = message.octets[:SHOWN_OCTETS].hex() if shown.show_secrets else f"{len(message.octets)} octets"
        yield f"    no message{f': {octets}' if message.octets else ''}"
    else:
        if isinstance(message, SerialMessage):
            yield f"    {_on_line(message)}"
        else:
            yield f"    {_who(message)}"
            yield f"    {_secured(message)}"
        services = message.services
        known = tables or [None] * len(services)
        for service, values in zip(services, known, strict=True):
            yield from _service_lines(service, values, shown)
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


def _on_line(message: SerialMessage) -> str:
    """Return what there is to say of a message of a serial line, where nobody has a title and nothing is secured."""
    packets = f"packets {', '.join(map(str, message.segments))}" if message.segments else f"packet {message.frame}"
    asked = ""
    if message.is_response:
        asked = f", answers packet {message.reply_to}" if message.reply_to is not None else ", its request was not seen"
    return f"{packets}, toggle {message.toggle}{asked}"


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
            f"IV {message.iv.hex()} ({EPOCH + timedelta(seconds=int.from_bytes(message.iv)):%Y-%m-%d %H:%M:%SZ})"
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


def _service_lines(service: Service, values: dict[str, Any] | None, how: _Shown) -> Iterator[str]:
    shown = service.as_dict(show_secrets=how.show_secrets)
    name = service.service or "response"
    result = f" {shown['result']}" if "result" in shown else ""
    details = [text for key, value in shown.items() if key not in _HEAD and (text := _detail(key, value))]
    yield f"      {name}{result}{'  ' if details else ''}{', '.join(details)}"
    if values is None:
        return
    if (value := values.get("value")) is not None:
        rows = values.get("readings", ())
        told: Collection[str] = ()
        if rows and how.readings is not None:
            for line in how.readings(rows):
                yield f"        {line}"
            told = () if how.verbose else frozenset(map(_element_of, rows))
        for line in _element_lines(value, told, verbose=how.verbose):
            yield f"        {line}"
    elif reason := values.get("undecoded"):
        yield f"        not decoded: {reason}"
    for finding in values.get("findings", ()):
        yield f"        {finding_line(Finding(**finding))}"


def _element_of(row: dict[str, Any]) -> str:
    """Return the element of a table that has a reading, by its first name."""
    table, _, below = row["path"].partition(".")
    return f"LP_DATA_SETS{table[2:]}" if table.startswith("LP") else _BEHIND_NAME.split(below, maxsplit=1)[0]


def _element_lines(value: Any, told: Collection[str], *, verbose: bool) -> Iterator[str]:
    """Yield the elements of a table but those that are told already; the flags of a record on one line."""
    found: dict[str, Any] = {}
    flags: dict[str, dict[str, bool]] = {}
    for path, leaf in leaves(value):
        if _BEHIND_NAME.split(path, maxsplit=1)[0] in told:
            continue
        record, dot, name = path.rpartition(".")
        if verbose or not isinstance(leaf, bool):
            found[path] = leaf
        else:
            found[f"{record}{dot}*"] = None
            flags.setdefault(f"{record}{dot}*", {})[name] = leaf
    for path, leaf in found.items():
        own = flags.get(path)
        if own is None:
            yield f"{path} = {leaf}"
        else:
            names = [name for name, flag in own.items() if flag]
            of = f" of {path[:-2]}" if len(path) > 1 else ""
            yield f"flags{of} = {', '.join(names) or 'none'} ({len(names)} of {len(own)})"


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
