"""Proof that the format says all that declarations say: everything that the library declares is written and read again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

import c1219
from c1219.datatypes import BFLD, CODED
from c1219.engine.declared import (
    DeclaredArray,
    DeclaredChoice,
    DeclaredLeaf,
    DeclaredNode,
    DeclaredProcedure,
    DeclaredRecord,
    DeclaredTail,
)
from c1219.engine.expressions import text
from c1219.schema import Procedure, Table, Variant
from c1219.tablefile.loading import load_tables
from c1219.tablefile.writing import file_of

if TYPE_CHECKING:
    from pathlib import Path

REGISTRY = c1219.Registry(plugins=False)
ALL: list[Table | Procedure] = [*REGISTRY.tables(), *REGISTRY.procedures()]
TABLE_WORDS = (
    "id", "name", "title", "role", "since", "confidence", "source", "doc", "device_class", "depends_on", "elements",
    "needs_own_octets", "secret",
)  # fmt: skip
PROCEDURE_WORDS = ("id", "name", "since", "confidence", "source", "doc", "device_class", "depends_on")


def doc(words: str) -> tuple[object, ...]:
    return str(words), *(
        getattr(words, key, None) or None for key in ("unit", "range", "confidence", "source", "since")
    )


def codes(enum: Any) -> tuple[object, ...]:
    return enum.__name__, *((int(code), code.name) for code in enum)


def form(node: DeclaredNode) -> tuple[object, ...]:
    """Return all that an outline says, as values that can be compared."""
    if isinstance(node, DeclaredLeaf):
        kind = node.type
        said: tuple[object, ...] = (
            type(kind),
            kind.type,
            kind.secret,
            None if kind.length is None else text(kind.length),
        )
        if isinstance(kind, BFLD):
            spans = [
                (*span[:4], None if not span.codes else codes(type(next(iter(span.codes.values())))))
                for span in kind.spans
            ]
            said += (kind.base.type, *spans, *(doc(words) for words in kind.docs_of.values()))
        if isinstance(kind, CODED):
            said += (codes(kind.codes),)
        if isinstance(kind, Variant):
            said += (text(kind.key), *((key, form(case)) for key, case in kind.outlines.items()))
        return said
    if isinstance(node, DeclaredRecord):
        return node.name, *((part.name, part.index, doc(part.doc), form(part.node)) for part in node.fields)
    if isinstance(node, DeclaredArray):
        return "array", text(node.count), form(node.item)
    if isinstance(node, DeclaredChoice):
        cases = [(key, form(case)) for key, case in node.cases.items()]
        return text(node.key), node.condition, *cases, form(node.default)
    if isinstance(node, DeclaredTail):
        return "tail", text(node.condition), form(node.node)
    return type(node), node.side if isinstance(node, DeclaredProcedure) else None


def same(one: Table | Procedure, other: Table | Procedure) -> None:
    assert type(one) is type(other)
    for word in TABLE_WORDS if isinstance(one, Table) else PROCEDURE_WORDS:
        assert getattr(one, word) == getattr(other, word), word
    if isinstance(one, Table) and isinstance(other, Table):
        assert form(one.outline) == form(other.outline)
    elif isinstance(one, Procedure) and isinstance(other, Procedure):
        assert {side: form(node) for side, node in one.outlines.items()} == {
            side: form(node) for side, node in other.outlines.items()
        }


def test_there_is_something_to_prove() -> None:
    assert (len(REGISTRY.tables()), len(REGISTRY.procedures())) >= (134, 33)


@pytest.mark.parametrize("item", ALL, ids=lambda item: item.label)
def test_each_is_written_and_read_again(item: Table | Procedure, tmp_path: Path) -> None:
    path = tmp_path / "one.json"
    path.write_text(json.dumps(file_of([item])), "utf-8")
    found = load_tables(path)
    (again,) = [*found.tables, *found.procedures]
    same(item, again)
    assert found.unused == ()


@pytest.mark.parametrize("ending", ["toml", "json"])
def test_all_are_written_into_one_file(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"all.{ending}"
    said = file_of(ALL, title="The library's own")
    if ending == "json":
        path.write_text(json.dumps(said, ensure_ascii=False), "utf-8")
    else:
        tomli_w = pytest.importorskip("tomli_w")
        path.write_text(tomli_w.dumps(said), "utf-8")
    found = load_tables(path)
    assert found.title == "The library's own"
    assert [item.label for item in (*found.tables, *found.procedures)] == [item.label for item in ALL]
    for item, again in zip(ALL, (*found.tables, *found.procedures), strict=True):
        same(item, again)


@pytest.mark.parametrize("sample", ["single-phase", "polyphase-tou", "big-endian"])
def test_they_decode_a_meter_alike(sample: str, tmp_path: Path, devices: Path) -> None:
    path = tmp_path / "all.json"
    path.write_text(json.dumps(file_of(ALL)), "utf-8")
    registry = c1219.Registry(standard=False, plugins=False)
    load_tables(path).register(registry)
    octets = (devices / f"{sample}.json").read_bytes()
    ours, theirs = c1219.Device.from_json(octets), c1219.Device.from_json(octets, registry=registry)
    labels = [label for label in ours if label.startswith("ST")]
    assert len(labels) > 20
    for label in labels:
        assert theirs[label].to_json() == ours[label].to_json(), label
        assert theirs[label].findings == ours[label].findings, label
    assert theirs["ST23"].value == ours["ST23"].value
    assert [str(row) for row in theirs.registers()] == [str(row) for row in ours.registers()]
