"""specs/cosem.md is what the declarations say now."""

import subprocess
import sys
from pathlib import Path

SPECS = Path(__file__).resolve().parents[2] / "specs"


def test_the_page_is_current(tmp_path: Path) -> None:
    path = tmp_path / "cosem.md"
    subprocess.run([sys.executable, "-B", str(SPECS / "make_cosem.py"), str(path)], check=True, cwd=tmp_path)
    assert path.read_text("utf-8") == (SPECS / "cosem.md").read_text("utf-8"), "run python specs/make_cosem.py"
