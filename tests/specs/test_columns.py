"""specs/columns.md is what the schemas say now."""

from __future__ import annotations

import gc
import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import c1219
import c1222
from c1219.tabular.schema import RowSchema

SPECS = Path(__file__).resolve().parents[2] / "specs"
PAGE = (SPECS / "columns.md").read_text("utf-8")


def schemas() -> dict[str, RowSchema]:
    """Every schema that a module of the packages declares."""
    for package in (c1219, c1222):
        for info in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            importlib.import_module(info.name)
    return {one.name: one for one in gc.get_objects() if isinstance(one, RowSchema)}


def test_the_page_is_current(tmp_path: Path) -> None:
    path = tmp_path / "columns.md"
    subprocess.run([sys.executable, "-B", str(SPECS / "make_columns.py"), str(path)], check=True, cwd=tmp_path)
    assert path.read_text("utf-8") == PAGE, "run python specs/make_columns.py"


def test_every_schema_is_on_it() -> None:
    found = schemas()
    assert len(found) >= 10
    for schema in found.values():
        assert f"## {schema.name}\n" in PAGE
        assert len(set(schema.names)) == len(schema.names)
        assert set(schema.key) <= set(schema.names)
        for column in schema.columns:
            assert f"| {column.name} | " in PAGE
            assert f" | {column.doc} | {column.source} |" in PAGE
