"""What the report says of the traffic as a whole: who talks to whom, verdicts, services, response times, security."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, NamedTuple

from c1222.amounts import duration
from c1222.capture.summary.values import RIGHT_NS
from c1222.report.charts import Chart, traffic_chart
from c1222.report.words import octets_text, utc_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from c1222.capture.summary.capture_summary import CaptureSummary
    from c1222.capture.summary.values import (
        ConversationTraffic,
        FindingCount,
        NodeTraffic,
        ResponseTimes,
        SecuritySummary,
        ServiceTraffic,
        Totals,
    )
    from c1222.report.timeline import Timeline

__all__ = [
    "ErrorLine",
    "Matrix",
    "MatrixCell",
    "NodeLine",
    "ServiceLine",
    "TrafficReport",
    "VerdictShare",
    "traffic_report",
]

_MATRIX_COLUMNS: Final = 10
_MATRIX_ROWS: Final = 40
_HEAT: Final = 5
"""Levels of colour in the matrix, besides none."""
_MAX_TOLD: Final = 20
"""Nodes named for each remark on security."""


class VerdictShare(NamedTuple):
    """Messages with one verdict.

    Attributes:
        name: ``verified``, ``cleartext``, ``not checked`` or ``refused``.
        messages: how many.
        percent: of all.
        start: percent of those before it.
    """

    name: str
    messages: int
    percent: float
    start: float


class MatrixCell(NamedTuple):
    """What one node asked another.

    Attributes:
        messages: both ways.
        errors: services that were answered with an error.
        heat: 0 for none .. 5 for most.
    """

    messages: int
    errors: int
    heat: int


class Matrix(NamedTuple):
    """Who talks to whom.

    Attributes:
        initiators: columns.
        rows: who is asked, with a cell for each column; None where there was nothing.
        more_initiators: left out.
        more_responders: left out; they are in the list of nodes.
    """

    initiators: tuple[str, ...]
    rows: tuple[tuple[str, tuple[MatrixCell | None, ...]], ...]
    more_initiators: int
    more_responders: int


class ServiceLine(NamedTuple):
    """One service, as it is shown."""

    name: str
    requests: int
    responses: int
    errors: int
    median: str
    p95: str
    longest: str
    part: float


class NodeLine(NamedTuple):
    """One node, as it is listed."""

    title: str
    address: str
    sent: int
    received: int
    errors: int
    verified: int
    refused: int
    unchecked: int
    median: str


class ErrorLine(NamedTuple):
    """One error, as it is listed."""

    time: str
    frame: int
    node: str
    peer: str
    service: str
    what: str


class TrafficReport(NamedTuple):
    """The traffic as a whole.

    Attributes:
        totals: counts.
        span: from when to when.
        size: octets of all.
        verdicts: of messages.
        matrix: who talks to whom.
        chart: services over time, None without times.
        services: with response times.
        errors: the first of them.
        more_errors: not listed.
        security: remarks, each with its level.
        findings: kinds of findings.
        nodes: all of them.
    """

    totals: Totals
    span: str
    size: str
    verdicts: tuple[VerdictShare, ...]
    matrix: Matrix
    chart: Chart | None
    services: tuple[ServiceLine, ...]
    errors: tuple[ErrorLine, ...]
    more_errors: int
    security: tuple[tuple[str, str], ...]
    findings: tuple[FindingCount, ...]
    nodes: tuple[NodeLine, ...]


def traffic_report(summary: CaptureSummary, timeline: Timeline) -> TrafficReport:
    """Return what is to be said of the traffic."""
    totals, security = summary.totals, summary.security
    span = ""
    if totals.first_ns is not None and totals.last_ns is not None:
        took = duration(totals.last_ns - totals.first_ns)
        span = f"{utc_text(totals.first_ns)} to {utc_text(totals.last_ns)} UTC ({took})"
    return TrafficReport(
        totals,
        span,
        octets_text(totals.octets),
        _verdicts(totals, security),
        _matrix(summary.conversations),
        traffic_chart(timeline),
        _services(summary.services),
        tuple(ErrorLine(utc_text(one.time_ns), *one[1:]) for one in timeline.errors),
        timeline.more_errors,
        tuple(_security(security)),
        summary.findings,
        tuple(_node(one) for one in summary.nodes),
    )


def _verdicts(totals: Totals, security: SecuritySummary) -> tuple[VerdictShare, ...]:
    counts = {"verified": security.verified, "not checked": security.unchecked, "refused": security.refused}
    counts["cleartext"] = max(0, totals.messages - totals.undecodable - sum(counts.values()))
    counts["undecodable"] = totals.undecodable
    whole = sum(counts.values())
    found, start = [], 0.0
    for name in ("verified", "cleartext", "not checked", "refused", "undecodable"):
        if counts[name]:
            percent = 100 * counts[name] / whole
            found.append(VerdictShare(name, counts[name], round(percent, 1), round(start, 3)))
            start += percent
    return tuple(found)


def _matrix(conversations: Iterable[ConversationTraffic]) -> Matrix:
    columns: dict[str, int] = {}
    rows: dict[str, int] = {}
    cells: dict[tuple[str, str], tuple[int, int]] = {}
    for one in conversations:
        messages = one.requests + one.responses
        columns[one.initiator] = columns.get(one.initiator, 0) + messages
        rows[one.responder] = rows.get(one.responder, 0) + messages
        before = cells.get((one.initiator, one.responder), (0, 0))
        cells[one.initiator, one.responder] = before[0] + messages, before[1] + one.errors
    initiators = sorted(columns, key=lambda name: (-columns[name], name))
    responders = sorted(rows, key=lambda name: (-rows[name], name))
    most = max((messages for messages, _ in cells.values()), default=1)

    def cell(initiator: str, responder: str) -> MatrixCell | None:
        found = cells.get((initiator, responder))
        if found is None:
            return None
        heat = 1 + round((_HEAT - 1) * math.log1p(found[0]) / math.log1p(most))
        return MatrixCell(*found, heat)

    shown = initiators[:_MATRIX_COLUMNS]
    return Matrix(
        tuple(shown),
        tuple((name, tuple(cell(initiator, name) for initiator in shown)) for name in responders[:_MATRIX_ROWS]),
        len(initiators) - len(shown),
        max(0, len(responders) - _MATRIX_ROWS),
    )


def _times(times: ResponseTimes | None) -> tuple[str, str, str]:
    if times is None:
        return "", "", ""
    return duration(times.median_ns), duration(times.p95_ns), duration(times.max_ns)


def _services(services: Iterable[ServiceTraffic]) -> tuple[ServiceLine, ...]:
    known = list(services)
    slowest = max((one.response_times.p95_ns for one in known if one.response_times), default=0) or 1
    return tuple(
        ServiceLine(
            one.service or "not readable", one.requests, one.responses, one.errors, *_times(one.response_times),
            round(100 * one.response_times.p95_ns / slowest, 1) if one.response_times else 0.0,
        )
        for one in known
    )  # fmt: skip


def _node(node: NodeTraffic) -> NodeLine:
    return NodeLine(
        node.node, node.address, node.sent, node.received, node.errors, node.verified, node.refused, node.unchecked,
        _times(node.response_times)[0],
    )  # fmt: skip


def _security(security: SecuritySummary) -> Iterator[tuple[str, str]]:
    """Yield what is to be said of security: level and text."""
    for passwords in security.cleartext_passwords[:_MAX_TOLD]:
        text = f"{passwords.node} sent {passwords.requests} passwords that anybody can read, to {passwords.peer}"
        yield "error", text
    for iv in security.repeated_ivs[:_MAX_TOLD]:
        text = f"{iv.node} used initialisation vectors again under key {iv.key_id}, in {iv.messages} messages"
        if iv.same_invocation:
            text += f"; in {iv.same_invocation} of them with the same invocation ids, so that they can be read"
        yield "error" if iv.same_invocation else "warning", text
    for one in security.downgrades[:_MAX_TOLD]:
        yield (
            "warning",
            (f"{one.node} sent {one.cleartext} messages in cleartext to {one.peer} after messages of mode {one.mode}"),
        )
    for never in security.never_verified[:_MAX_TOLD]:
        yield (
            "warning",
            (
                f"nothing from {never.node} could be verified: {never.refused} messages with a wrong MAC,"
                f" {never.unchecked} without a key"
            ),
        )
    # Copies of the vectors of requests tell nothing of the clock of who answers.
    own = [clock for clock in security.clock_offsets if clock.copied < clock.messages]
    wrong = [clock for clock in own if abs(clock.median_ns) >= RIGHT_NS]
    for clock in wrong[:_MAX_TOLD]:
        way = "ahead of" if clock.median_ns > 0 else "behind"
        yield "warning", f"the clock of {clock.node} is {duration(abs(clock.median_ns))} {way} the capture's"
    for names in (
        security.cleartext_passwords, security.repeated_ivs, security.downgrades, security.never_verified,
        wrong,
    ):  # fmt: skip
        if len(names) > _MAX_TOLD:
            yield "note", f"{len(names) - _MAX_TOLD} more nodes like {names[_MAX_TOLD - 1].node} are not named"
    for key in security.keys:
        yield (
            "note",
            (
                f"key {key.key_id}: {key.messages:,} messages of {key.nodes} nodes, {key.verified:,} verified,"
                f" {key.refused:,} refused, {key.unchecked:,} without a key"
            ),
        )
