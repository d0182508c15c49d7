"""The schema of summaries is made from their values."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_schema_is_as_the_script_makes_it(tmp_path: Path) -> None:
    made = tmp_path / "summary.schema.json"
    subprocess.run([sys.executable, str(ROOT / "specs" / "make_summary_schema.py"), str(made)], check=True)
    assert made.read_text("utf-8") == (ROOT / "specs" / "summary.schema.json").read_text("utf-8"), (
        "run python specs/make_summary_schema.py"
    )
