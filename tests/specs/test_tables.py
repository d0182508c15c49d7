"""specs/tables.md is what the declarations say now."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from c1219.registry import Registry

SPECS = Path(__file__).resolve().parents[2] / "specs"
PAGE = (SPECS / "tables.md").read_text("utf-8")
TABLES = Registry(plugins=False).tables()
PROCEDURES = Registry(plugins=False).procedures()


def section(label: str, name: str) -> str:
    found = re.search(rf"^### {label} {re.escape(name)}\n(.*?)(?=^##)", PAGE, re.MULTILINE | re.DOTALL)
    assert found is not None, label
    return found[1]


def test_the_page_is_current(tmp_path: Path) -> None:
    path = tmp_path / "tables.md"
    subprocess.run([sys.executable, "-B", str(SPECS / "make_tables.py"), str(path)], check=True, cwd=tmp_path)
    assert path.read_text("utf-8") == PAGE, "run python specs/make_tables.py"


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.label)
def test_a_table_says_all(table) -> None:
    words = section(table.label, table.name)
    assert f"{table.role} table, since {table.since}. Confidence {table.confidence} ({table.source})." in words
    for element in table.elements:
        assert element.partition(".")[2] in words
    if table.confidence == "name only":
        assert "|" not in words
        return
    same = re.search(r"The record is that of (ST\d+)\.", words)
    if same is not None:
        other = next(other for other in TABLES if other.label == same[1])
        assert other.record is table.record
        words = section(other.label, other.name)
    rows = {line.split(" | ")[1]: line for line in words.splitlines() if line.startswith("| ")}
    for row in table.describe():
        assert row.path in rows
        assert " ".join(row.doc.split()) in words.replace(r"\*", "*").replace(r"\|", "|")


@pytest.mark.parametrize("procedure", PROCEDURES, ids=lambda procedure: procedure.label)
def test_a_procedure_says_all(procedure) -> None:
    words = section(procedure.label, procedure.name)
    assert f"Confidence {' / '.join(procedure.confidence)} ({procedure.source})." in words
    assert words.count("Parameters:") == words.count("Response:") == 1
    assert ("Parameters: none." in words) == (procedure.parameters is None)
    assert ("Response: not known" in words) == (procedure.confidence[2] == "name only")


def test_units_ranges_conditions_and_variants_are_there() -> None:
    assert "Pulses counted up to BLK_END_TIME, modulo 2^32. [pulse]" in PAGE
    assert "| ST61.LP_FLAGS.BLK_END_PULSE_FLAG |" in PAGE
    assert "[range 0..1; confidence 1]" in PAGE
    assert "- 1: WEEKS UINT8, DAYS UINT8, HOURS UINT8, MINUTES UINT8, SECONDS UINT8" in PAGE
    assert "| 10 | table written to | C12.19-1997 | V / 1 | TABLE TABLE_IDA_BFLD: table that was written to |" in PAGE
    assert "| 50 | control point changed by the schedule | C12.19-2008 | 1 / ? | not known |" in PAGE
    assert "| 0 | no event | C12.19-1997 | V / 1 | none |" in PAGE
