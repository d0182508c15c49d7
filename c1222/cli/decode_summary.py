"""``c1222 decode --summary``: what a capture amounts to, as tables or JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from c1219.printable import printable
from c1222.amounts import duration
from c1222.capture.summary.values import RIGHT_NS
from c1222.cli.printing import say, say_json, say_json_line, say_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rich.table import Table

    from c1222.capture.message import CapturedMessage
    from c1222.capture.summary import CaptureSummary
    from c1222.capture.summary.values import ClockOffset, ResponseTimes, SecuritySummary
    from c1222.errors import Finding
    from c1222.message.aptitle import ApTitle

__all__ = ["show_summary"]

_SHOWN: Final = 20
"""Rows of a table that text shows; JSON has them all."""
_NAMED: Final = 5
"""Cases of one kind that text names."""
_NOT_READABLE: Final = "(not readable)"
_TIMES: Final = ("MEDIAN", "P95", "MAX")
_Line = tuple[str, str, bool]  # what it is about, what there is to say, whether it needs attention


def show_summary(messages: Iterable[CapturedMessage], findings: list[Finding], form: str, *, base: ApTitle) -> None:
    """Print what messages amount to; if it is interrupted, those so far.

    Args:
        messages: the messages.
        findings: what concerns the capture as a whole, known once all messages were taken.
        form: ``text``, ``json`` or ``jsonl``.
        base: what makes relative titles absolute.
    """
    from c1222.capture.summary import CaptureSummary

    found = CaptureSummary(base=base)
    try:
        for message in messages:
            found.add(message)
    except KeyboardInterrupt:
        say("interrupted: the summary is of what was read until then", err=True)
    found.add_findings(findings)
    if form == "json":
        say_json(found.as_dict())
    elif form == "jsonl":
        say_json_line(json.dumps(found.as_dict(), ensure_ascii=False))
    else:
        _say(found)


def _say(found: CaptureSummary) -> None:
    """Print the summary as text."""
    for line in _head(found):
        say(line)
    for title, table, more in _tables(found):
        say()
        say(title, bold=True)
        say_table(table)
        if more:
            say(f"and {more:,} more, which JSON has")
    say()
    say("Security", bold=True)
    say_table(_security(found.security))


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _head(found: CaptureSummary) -> Iterator[str]:
    from c1222.capture.text import time_text

    totals = found.totals
    if totals.first_ns is not None and totals.last_ns is not None:
        took = duration(totals.last_ns - totals.first_ns)
        yield f"{time_text(totals.first_ns)} to {time_text(totals.last_ns)}, {took}"
    nodes = _count(len(found.nodes), "node")
    yield f"{_count(totals.messages, 'message')}, {_count(totals.octets, 'octet')}, {nodes}"
    yield (
        f"{_count(totals.requests, 'request')}, {totals.unanswered:,} unanswered; "
        f"{_count(totals.responses, 'response')}, {totals.unpaired:,} whose request was not seen"
    )
    yield (
        f"{_count(totals.retransmissions, 'retransmission')}; {totals.undecodable:,} undecodable; "
        f"{totals.unreadable:,} not readable for want of a key"
    )
    for name, count in found.evicted._asdict().items():
        if count:
            yield f"forgotten, since the memory is bounded: {count:,} {'IVs' if name == 'ivs' else name}"


def _times(times: ResponseTimes | None) -> list[str]:
    if times is None:
        return [""] * len(_TIMES)
    return [duration(times.median_ns), duration(times.p95_ns), duration(times.max_ns)]


def _tables(found: CaptureSummary) -> Iterator[tuple[str, Table, int]]:
    """Yield title and table of each section, and how many rows are not shown."""
    from c1222.services import SERVICE_ERRORS

    conversations = [
        (
            one.initiator, one.responder, f"{one.requests:,}", f"{one.responses:,}",
            None if one.interval_ns is None else duration(one.interval_ns),
            f"{one.request_octets + one.response_octets:,}", f"{one.largest:,}", _times(one.response_times)[0],
        )
        for one in found.conversations
    ]  # fmt: skip
    nodes = [
        (
            one.node, f"{one.sent:,}", f"{one.received:,}", f"{one.retransmissions:,}", f"{one.errors:,}",
            *_times(one.response_times),
        )
        for one in found.nodes
    ]  # fmt: skip
    services = [
        (
            one.service or _NOT_READABLE, f"{one.requests:,}", f"{one.responses:,}", f"{one.errors:,}",
            *_times(one.response_times),
        )
        for one in found.services
    ]  # fmt: skip
    errors = [
        (
            one.result, SERVICE_ERRORS[one.code].title if one.code in SERVICE_ERRORS else None,
            one.service or "(not known)", f"{one.occurrences:,}",
        )
        for one in found.errors
    ]  # fmt: skip
    findings = [(one.level, one.code, f"{one.occurrences:,}") for one in found.findings]
    for title, header, texts, rows in (
        (
            "Conversations",
            ("INITIATOR", "RESPONDER", "ASKED", "ANSWERED", "EVERY", "OCTETS", "LARGEST", _TIMES[0]),
            2, conversations,
        ),
        ("Nodes", ("NODE", "SENT", "RECEIVED", "SENT AGAIN", "ERRORS", *_TIMES), 1, nodes),
        ("Services", ("SERVICE", "ASKED", "ANSWERED", "ERRORS", *_TIMES), 1, services),
        ("Errors by response code", ("CODE", "MEANING", "SERVICE", "TIMES"), 3, errors),
        ("Findings", ("LEVEL", "KIND", "TIMES"), 2, findings),
    ):  # fmt: skip
        if rows:
            yield title, _table(header, rows[:_SHOWN], texts), max(len(rows) - _SHOWN, 0)


def _table(header: Sequence[str], rows: Iterable[Sequence[str | None]], texts: int) -> Table:
    """Lay out rows; the first columns are texts, which are folded where there is no room, the others numbers."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for number, name in enumerate(header):
        table.add_column(
            name, justify="left" if number < texts else "right", no_wrap=number >= texts, overflow="fold"
        )  # fmt: skip
    for row in rows:
        table.add_row(*[Text(printable(cell or "")) for cell in row])
    return table


def _security(security: SecuritySummary) -> Table:
    """Lay out what there is to say on security."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, text, attention in _security_lines(security):
        table.add_row(Text(name), Text(printable(text), style="yellow" if attention else ""))
    return table


def _security_lines(security: SecuritySummary) -> Iterator[_Line]:
    from c1222.security.receiving import ACCEPTANCE_WINDOW

    yield "modes", ", ".join(f"{mode} {count:,}" for mode, count in security.modes.items()) or "no message", False
    yield "verified", _verdicts(security.verified, security.refused, security.unchecked), bool(security.refused)
    for key in security.keys:
        name = f"key {key.key_id}"
        verdicts = _verdicts(key.verified, key.refused, key.unchecked)
        yield name, f"{_count(key.messages, 'message')} of {_count(key.nodes, 'node')}: {verdicts}", bool(key.refused)
    without_keys = not security.verified and not security.refused
    yield from _cases(
        "never verified",
        [f"{_count(len(security.never_verified), 'node')}, for want of keys"]
        if without_keys and security.never_verified
        else [f"{one.node}: {_verdicts(0, one.refused, one.unchecked)}" for one in security.never_verified],
        attention=not without_keys,
    )
    yield from _cases("back to cleartext", _downgrades(security))
    yield from _cases(
        "cleartext passwords",
        [f"{one.node} to {one.peer}: {one.requests:,}" for one in security.cleartext_passwords],
    )
    yield from _cases(
        "repeated IVs",
        [
            f"{one.node}, key {one.key_id}: {_count(one.messages, 'message')}"
            + (f", {one.same_invocation:,} with the same invocation id" if one.same_invocation else "")
            for one in security.repeated_ivs
        ],
    )
    own = [one for one in security.clock_offsets if one.copied < one.messages]
    wrong = [one for one in own if max(abs(one.min_ns), abs(one.max_ns)) >= RIGHT_NS]
    if right := len(own) - len(wrong):
        yield "IV clock offset", f"{_count(right, 'node')} within {RIGHT_NS // 10**9} s", False
    if wrong or not own:
        yield from _cases(
            "" if right else "IV clock offset",
            [_offsets(one) for one in sorted(wrong, key=lambda one: -abs(one.median_ns))],
            attention=any(abs(one.median_ns) > ACCEPTANCE_WINDOW * 10**9 for one in wrong),
        )
    if copied := len(security.clock_offsets) - len(own):
        yield "", f"{_count(copied, 'node')} with the IVs of requests, which tell nothing of clocks", False


def _downgrades(security: SecuritySummary) -> list[str]:
    from c1222.capture.text import time_text

    return [
        f"{one.node} to {one.peer}: {_count(one.cleartext, 'message')} in cleartext"
        + (f" since {time_text(one.since_ns)}" if one.since_ns is not None else "")
        + f", {one.mode} before ({'' if one.verified else 'not '}verified)"
        for one in security.downgrades
    ]


def _cases(name: str, cases: list[str], *, attention: bool = True) -> Iterator[_Line]:
    """Yield a line a case, as many as text names; one that says that there is none."""
    if not cases:
        yield name, "none", False
    for number, case in enumerate(cases[:_NAMED]):
        yield "" if number else name, case, attention
    if len(cases) > _NAMED:
        yield "", f"and {len(cases) - _NAMED:,} more, which JSON has", attention


def _verdicts(verified: int, refused: int, unchecked: int) -> str:
    words = (
        (verified, "verified"),
        (refused, "with a wrong MAC or none"),
        (unchecked, "not checked for want of a key or session"),
    )
    return ", ".join(f"{count:,} {text}" for count, text in words if count) or "none"


def _offsets(one: ClockOffset) -> str:
    """Return by how much a clock is off, and between what."""
    texts = [_offset(ns) for ns in (one.median_ns, one.min_ns, one.max_ns)]
    between = "" if len(set(texts)) == 1 else f", from {texts[1]} to {texts[2]}"
    return f"{one.node}: {texts[0]}{between}"


def _offset(nanoseconds: int) -> str:
    if abs(nanoseconds) < RIGHT_NS:
        return f"within {RIGHT_NS // 10**9} s"
    return f"{duration(abs(nanoseconds))} {'ahead' if nanoseconds > 0 else 'behind'}"
