"""The page of rules, `specs/clauses.md`, against the code: what it names exists, and no confirmed rule is without a test."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "specs/clauses.md").read_text("utf-8")
MARKS = {"[V]", "[1]", "[?]", "own"}
ID = re.compile(r"[A-Z]{3}-\d\d")
CODE = re.compile(r"`([^`]*)`")


class Rule(NamedTuple):
    id: str
    text: str
    mark: str
    sources: tuple[str, ...]
    where: tuple[str, ...]
    tests: tuple[str, ...]
    is_built: bool


def _rules() -> list[Rule]:
    rules = []
    for line in PAGE.splitlines():
        if not re.match(r"\| *[A-Z]+-\d", line):
            continue
        cells = [cell.strip() for cell in line.strip().strip("|").split(" | ")]
        name, text, mark, sources, where, *tests = cells
        named = tuple(CODE.findall(where)), tuple(CODE.findall(" ".join(tests)))
        rules.append(Rule(name, text, mark, tuple(sources.split(", ")), *named, is_built=where != "not implemented"))
    return rules


RULES = _rules()
BUILT = [rule for rule in RULES if rule.is_built]


@cache
def _tree(path: str) -> ast.Module:
    return ast.parse((ROOT / path).read_text("utf-8"))


def _names(body: list[ast.stmt]) -> dict[str, ast.stmt]:
    """Return what a module or class defines by itself, by name."""
    found: dict[str, ast.stmt] = {}
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found[node.name] = node
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                found.update({name.id: node for name in ast.walk(target) if isinstance(name, ast.Name)})
    return found


def _exists(path: str, dotted: str) -> bool:
    body = _tree(path).body
    for part in dotted.split("."):
        node = _names(body).get(part)
        if node is None:
            return False
        body = node.body if isinstance(node, ast.ClassDef) else []
    return True


def has_test(name: str) -> bool:
    """Return whether there is a test of this name, as pytest writes it: ``tests/…/test_x.py::TestX::test_y``."""
    path, *nodes = name.split("::")
    named = Path(path).name.startswith("test_") and bool(nodes) and nodes[-1].startswith("test_")
    return named and (ROOT / path).is_file() and _exists(path, ".".join(nodes))


def test_the_page_has_rules_of_every_kind() -> None:
    assert len(RULES) > 400
    assert {rule.mark for rule in RULES} == MARKS
    assert {rule.is_built for rule in RULES} == {True, False}


def test_every_row_of_a_table_is_a_rule() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("|") and not line.startswith(("| id ", "|---"))]
    assert len(rows) == len(RULES)
    for rule in RULES:
        assert ID.fullmatch(rule.id), rule.id
        assert rule.text, rule.id


def test_ids_are_unique() -> None:
    ids = [rule.id for rule in RULES]
    assert sorted(set(ids)) == sorted(ids)


def test_sources_are_those_that_the_page_explains() -> None:
    explained = PAGE[PAGE.index("Sources: ") : PAGE.index("\n## ")].replace("\n", " ")
    for rule in RULES:
        for source in rule.sources:
            assert re.search(rf"(?<![\w']){re.escape(source)}(?![\w'])", explained), (rule.id, source)


@pytest.mark.parametrize("rule", BUILT, ids=lambda rule: rule.id)
def test_modules_and_names_exist(rule: Rule) -> None:
    assert rule.where, "no module is named"
    for name in rule.where:
        path, _, dotted = name.partition(":")
        assert path.startswith(("c1219/", "c1222/")), name
        assert (ROOT / path).is_file(), name
        assert not dotted or _exists(path, dotted), name


@pytest.mark.parametrize("rule", BUILT, ids=lambda rule: rule.id)
def test_tests_exist(rule: Rule) -> None:
    assert [name for name in rule.tests if not has_test(name)] == []


def test_every_confirmed_rule_has_a_test() -> None:
    assert [rule.id for rule in BUILT if rule.mark == "[V]" and not rule.tests] == []


def test_what_is_not_built_says_so_in_a_section_of_its_own() -> None:
    section = PAGE[PAGE.index("\n## Not built") :]
    assert {rule.id for rule in RULES if not rule.is_built} == set(
        re.findall(r"^\| (NOT-\d\d) ", section, re.MULTILINE)
    )
    assert section.count("| not implemented |") == len(RULES) - len(BUILT)
    assert all(not rule.where and not rule.tests for rule in RULES if not rule.is_built)
