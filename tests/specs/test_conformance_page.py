"""specs/conformance.md is made from the code, and is up to date."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_page_is_what_the_script_writes(tmp_path: Path) -> None:
    made = tmp_path / "conformance.md"
    subprocess.run([sys.executable, str(ROOT / "specs" / "make_conformance.py"), str(made)], check=True)
    assert made.read_text("utf-8") == (ROOT / "specs" / "conformance.md").read_text("utf-8"), (
        "run python specs/make_conformance.py"
    )
