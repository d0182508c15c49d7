"""The pages on security, `SECURITY.md` and `specs/threats.md`: every test that they name exists, and no promise is without one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.test_clauses import CODE, ROOT, has_test

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGES = ("SECURITY.md", "specs/threats.md")
ADVERSARIES = {
    "A stranger off the path",
    "A stranger on the path",
    "A reader with rights",
    "A stolen key of one meter",
    "A lying clock",
    "A hostile capture",
    "A hostile meter",
}


def _named(page: str) -> Iterator[str]:
    for name in CODE.findall((ROOT / page).read_text("utf-8")):
        if name.startswith("tests/"):
            yield name


@pytest.mark.parametrize("page", PAGES)
def test_tests_exist(page: str) -> None:
    names = list(_named(page))
    assert len(names) > 15
    assert [name for name in names if not has_test(name)] == []


def test_commands_name_what_exists() -> None:
    text = (ROOT / "SECURITY.md").read_text("utf-8")
    modules = re.findall(r"python -m (tests[.\w]+)", text)
    assert modules
    for module in modules:
        path = ROOT / module.replace(".", "/")
        assert path.with_suffix(".py").is_file() or (path / "__main__.py").is_file(), module
    for path in re.findall(r"pytest (tests/\S+?)`", text):
        assert (ROOT / path).exists(), path


def test_every_promise_has_a_test() -> None:
    text = (ROOT / "SECURITY.md").read_text("utf-8")
    rows = re.findall(r"^\| (?!promise)([^|]*) \| ([^|]*) \|", text, re.MULTILINE)
    assert len(rows) > 10
    assert [promise for promise, tests in rows if "`tests/" not in tests] == []


def test_every_adversary_has_a_section() -> None:
    text = (ROOT / "specs/threats.md").read_text("utf-8")
    sections = dict(re.findall(r"^## (.*)\n((?:(?!## ).*\n)*)", text, re.MULTILINE))
    assert set(sections) == ADVERSARIES
    assert [name for name, section in sections.items() if "`tests/" not in section] == []
