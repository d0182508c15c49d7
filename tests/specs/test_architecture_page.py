"""specs/architecture.md is made from the code, and what its journeys name is there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
WORDS = (ROOT / "specs" / "architecture-journeys.md").read_text("utf-8")


def test_the_page_is_what_the_script_writes(tmp_path: Path) -> None:
    made = tmp_path / "architecture.md"
    subprocess.run([sys.executable, str(ROOT / "specs" / "make_architecture.py"), str(made)], check=True)
    assert made.read_text("utf-8") == (ROOT / "specs" / "architecture.md").read_text("utf-8"), (
        "run python specs/make_architecture.py"
    )


def test_what_the_journeys_name_is_there() -> None:
    named = re.findall(r"`((?:c1219|c1222|specs)/[^`]*)`", WORDS)
    assert len(named) > 40
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_files_that_stand_beside_others_are_there() -> None:
    beside = set(re.findall(r"`(\w+\.py)`", WORDS))
    assert beside
    known = {path.name for package in ("c1219", "c1222") for path in (ROOT / package).rglob("*.py")}
    assert beside - known == set()


def test_a_room_that_imports_another_is_drawn() -> None:
    page = (ROOT / "specs" / "architecture.md").read_text("utf-8")
    assert "  c1222.cli --> c1222.conformance\n" in page
    assert "  c1222.cli --> c1222.errors\n" not in page, "it follows from others"
    assert "  WAITING --> SILENT: answer overdue, no attempts left\n" in page
