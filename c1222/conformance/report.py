"""A report as JSON and as JUnit XML.

JSON, schema ``c1222.conformance/1``; ``specs/conformance-report.schema.json`` has it in full. The schema only ever
grows; a field never changes meaning. JUnit knows no warnings: they are passed, and say so in ``system-out``.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final
from xml.etree import ElementTree as ET

from c1219.tabular.schema import RowColumn, RowSchema
from c1222.conformance.rules import FAMILIES, CheckVerdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from c1222.conformance.evidence import Evidence
    from c1222.conformance.run import Report, Result

__all__ = ["CHECK_ROWS", "SCHEMA", "as_dict", "check_rows", "junit"]

SCHEMA: Final = "c1222.conformance/1"
CHECK_ROWS: Final = RowSchema(
    "c1222.checks/1",
    "One check of a node, and what came of it.",
    (
        RowColumn("node", "string", "title of the node", null=False),
        RowColumn("check", "string", "its number, such as C-SEC-01", null=False),
        RowColumn("family", "word", "what it is about", null=False),
        RowColumn("title", "string", "what holds if it passes", null=False),
        RowColumn("verdict", "word", "`pass`, `warning`, `fail` or `skipped`", null=False),
        RowColumn(
            "mark", "word", "how sure its rule is: `V` two independent sources, `1` one, `?` inference", null=False
        ),
        RowColumn("reason", "string", "why it was skipped"),
        RowColumn("remarks", "json", "what it saw: list of level and text", null=False),
        RowColumn("seconds", "float", "how long it took", null=False),
    ),
    key=("node", "check"),
)
_LEGAL: Final = frozenset("\t\n\r")


def as_dict(report: Report) -> dict[str, Any]:
    """Return a report in terms of JSON."""
    return {
        "schema": SCHEMA,
        "called": report.called,
        "calling": report.calling,
        "security_mode": report.mode,
        "started": _time(report),
        "contact": report.contact,
        "counts": {verdict.value: report.count(verdict) for verdict in CheckVerdict},
        "checks": [_check(result) for result in report.results],
    }


def check_rows(report: Report) -> Iterator[tuple[Any, ...]]:
    """Yield a row of `CHECK_ROWS` for each check."""
    for result in report.results:
        shown = _check(result)
        yield (
            report.called, shown["id"], shown["family"], shown["title"], shown["verdict"], shown["rule"]["mark"],
            shown["reason"], shown["remarks"], shown["seconds"],
        )  # fmt: skip


def _time(report: Report) -> str:
    return dt.datetime.fromtimestamp(report.started, dt.UTC).isoformat(timespec="seconds")


def _check(result: Result) -> dict[str, Any]:
    check, rule = result.check, result.check.rule
    return {
        "id": check.id,
        "family": check.family,
        "title": check.title,
        "rule": {"text": rule.text, "source": rule.source, "mark": rule.mark.value, "disputed": rule.disputed or None},
        "verdict": result.verdict.value,
        "reason": result.reason or None,
        "remarks": [{"level": remark.level, "text": remark.text} for remark in result.remarks],
        "seconds": result.seconds,
        "evidence": [_message(one) for one in result.evidence],
        "left_out": result.left_out,
    }


def _message(evidence: Evidence) -> dict[str, Any]:
    return {
        "direction": evidence.direction,
        "time": evidence.time,
        "hex": evidence.hex,
        "services": list(evidence.services),
        "authenticated": evidence.authenticated,
        "note": evidence.note or None,
    }


def junit(report: Report) -> str:
    """Return a report as JUnit XML, a suite for each family of checks."""
    root = ET.Element("testsuites", _counts(report.results, name=f"c1222 conformance of {report.called}"))
    for family, title in FAMILIES.items():
        results = tuple(result for result in report.results if result.check.family == family)
        if results:
            counts = _counts(results, name=f"{family}: {title}")
            suite = ET.SubElement(root, "testsuite", {**counts, "timestamp": _time(report)})
            for result in results:
                suite.append(_case(result))
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _counts(results: tuple[Result, ...], *, name: str) -> dict[str, str]:
    def count(verdict: CheckVerdict) -> str:
        return str(sum(result.verdict is verdict for result in results))

    seconds = sum(result.seconds for result in results)
    counts = {"tests": str(len(results)), "failures": count(CheckVerdict.FAIL), "errors": "0"}
    return {"name": _legal(name), **counts, "skipped": count(CheckVerdict.SKIPPED), "time": f"{seconds:.3f}"}


def _case(result: Result) -> ET.Element:
    check, rule = result.check, result.check.rule
    attributes = {"name": f"{check.id} {check.title}", "classname": f"c1222.conformance.{check.family}"}
    case = ET.Element("testcase", {**attributes, "time": f"{result.seconds:.3f}"})
    remarks = [f"{remark.level}: {remark.text}" for remark in result.remarks]
    disputed = f"; otherwise: {rule.disputed}" if rule.disputed else ""
    basis = f"rests on: {rule.text} [{rule.mark.value}] {rule.source}{disputed}"
    if result.verdict is CheckVerdict.FAIL:
        wrong = [remark.text for remark in result.remarks if remark.level == "wrong"]
        failure = ET.SubElement(case, "failure", {"message": _legal(wrong[0] if wrong else ""), "type": "conformance"})
        failure.text = _legal("\n".join([*remarks, basis, *_lines(result)]))
    elif result.verdict is CheckVerdict.SKIPPED:
        ET.SubElement(case, "skipped", {"message": _legal(result.reason)})
    elif remarks:
        warning = ["WARNING"] if result.verdict is CheckVerdict.WARNING else []
        ET.SubElement(case, "system-out").text = _legal("\n".join([*warning, *remarks, basis]))
    return case


def _lines(result: Result) -> list[str]:
    return [
        f"{one.time:9.3f} s {one.direction:8} {one.hex}{f'  ({one.note})' if one.note else ''}"
        for one in result.evidence
    ]


def _legal(text: str) -> str:
    """Return text without the characters that XML cannot hold; texts may quote what a node sent."""
    return "".join(
        one if one in _LEGAL or 0x20 <= ord(one) < 0xD800 or 0xE000 <= ord(one) < 0xFFFE else "?" for one in text
    )
