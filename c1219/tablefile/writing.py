"""From declarations to what a table file says: whatever is declared can be written, and gives the same when read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from construct import Error, Pass

from c1219.datatypes import BFLD, CODED
from c1219.engine.declared import (
    DeclaredArray,
    DeclaredChoice,
    DeclaredLeaf,
    DeclaredNode,
    DeclaredNothing,
    DeclaredProcedure,
    DeclaredRecord,
    DeclaredRefusal,
    DeclaredTail,
)
from c1219.engine.expressions import text
from c1219.schema import Doc, Procedure, Table, Variant
from c1219.tablefile.declaring import ATOMS, CALLED, FORMAT, PROCEDURE_RECORD, VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable

    from c1219.engine.declared import DeclaredField

__all__ = ["file_of"]

_NOTHING, _ERROR = (next(name for name, item in ATOMS.items() if item is known) for known in (Pass, Error))
_ATOM_NAMES: Final = {id(item): name for name, item in reversed(ATOMS.items())}


def file_of(declarations: Iterable[Table | Procedure], *, title: str = "") -> dict[str, Any]:
    """Return a table file with tables and procedures, as TOML and JSON have it.

    Args:
        declarations: what to write, with all that it is made of.
        title: what the file is called.
    """
    writer = _Writer()
    tables: list[dict[str, Any]] = []
    procedures: list[dict[str, Any]] = []
    for item in declarations:
        if isinstance(item, Table):
            tables.append(_about(item) | _given(title=item.title) | {"role": item.role, "confidence": item.confidence})
            tables[-1]["record"] = writer.name(item.outline, item.name)
        else:
            procedures.append(_about(item) | {"confidence": list(item.confidence)})
            for side, node in item.outlines.items():
                if not isinstance(node, DeclaredNothing):
                    procedures[-1][side] = writer.name(node, f"{item.label}_{side}".upper())
    kinds = {**writer.kinds, "table": tables, "procedure": procedures}
    about = {"about": {"title": title}} if title else {}
    return {"format": FORMAT, "version": VERSION, **about, **{kind: items for kind, items in kinds.items() if items}}


def _about(item: Table | Procedure) -> dict[str, Any]:
    said: dict[str, Any] = {"number": item.number}
    if item.manufacturer:
        said["manufacturer"] = True
    if item.device_class is not None:
        said["device_class"] = item.device_class.hex()
    return said | {"name": item.name, "since": item.since} | _given(source=item.source, doc=item.doc)


def _given(**words: str) -> dict[str, str]:
    return {key: value for key, value in words.items() if value}


class _Writer:
    """The named parts of a file, as they are needed."""

    def __init__(self) -> None:
        self.kinds: dict[str, list[dict[str, Any]]] = {"enum": [], "bitfield": [], "record": [], "type": []}
        self._known: dict[str, dict[str, Any]] = {}

    def name(self, node: DeclaredNode, wanted: str) -> str:
        """Return a name for a node, which a definition may have to give it.

        Args:
            node: the node.
            wanted: what to call it where it has no name of its own.
        """
        said = self._item(node, wanted)
        if said.keys() == {"type"}:
            return str(said["type"])
        return self._define("type", wanted if wanted.endswith("_TYPE") else f"{wanted}_TYPE", said)

    def _define(self, kind: str, name: str, said: dict[str, Any]) -> str:
        said = {"name": name, **said}
        known = self._known.setdefault(name, said)
        number = 2
        while known is not said and known != said:
            said = {**said, "name": f"{name}_{number}"} | ({"called": name} if kind in CALLED else {})
            known = self._known.setdefault(said["name"], said)
            number += 1
        if known is said:
            self.kinds[kind].append(said)
        return str(said["name"])

    def _item(self, node: DeclaredNode, wanted: str) -> dict[str, Any]:
        """Return the keys that say what a node is."""
        if isinstance(node, DeclaredLeaf):
            return self._leaf(node.type, wanted)
        if isinstance(node, DeclaredRecord):
            return {"type": self._define("record", node.name, {"fields": [self._field(part) for part in node.fields]})}
        if isinstance(node, DeclaredArray):
            said = self._inside(node.item, wanted, {"count", "tail"}, plain_when=False)
            return said | {"count": _expression(node.count)}
        if isinstance(node, DeclaredChoice):
            return self._choice(node, wanted)
        if isinstance(node, DeclaredTail):
            said = self._inside(node.node, wanted, {"when", "tail"})
            return said | {"when": _expression(node.condition), "tail": True}
        if isinstance(node, DeclaredProcedure):
            return {"type": f"{PROCEDURE_RECORD}({node.side})"}
        return {"type": _NOTHING if isinstance(node, DeclaredNothing) else _ERROR}

    def _choice(self, node: DeclaredChoice, wanted: str) -> dict[str, Any]:
        if not node.condition:
            cases = {str(key): self.name(case, f"{wanted}_{key}") for key, case in node.cases.items()}
            default = {} if isinstance(node.default, DeclaredRefusal) else {"default": self.name(node.default, wanted)}
            return {"switch": _expression(node.key), "cases": cases} | default
        when = {"when": _expression(node.key)}
        if isinstance(node.cases[False], DeclaredNothing):
            return self._inside(node.cases[True], wanted, {"when", "tail"}) | when
        said = self._inside(node.cases[True], wanted, {"when", "count", "tail"})
        return said | when | {"else": self.name(node.cases[False], f"{wanted}_ELSE")}

    def _inside(self, node: DeclaredNode, wanted: str, outer: set[str], *, plain_when: bool = True) -> dict[str, Any]:
        """Return the keys of a node that others are added to: those of a type of its own where they would clash."""
        said = self._item(node, wanted)
        clash = outer & said.keys() or (not plain_when and "when" in said and "else" not in said)
        return {"type": self.name(node, wanted)} if clash else said

    def _leaf(self, type_: Any, wanted: str) -> dict[str, Any]:
        atom = _ATOM_NAMES.get(id(type_))
        if atom is not None and not type_.secret:
            return {"type": atom}
        if isinstance(type_, BFLD):
            bits = [self._bits(span, type_) for span in type_.spans]
            return {"type": self._define("bitfield", type_.type, {"over": type_.base.type, "bits": bits})}
        if isinstance(type_, CODED):
            return {"type": _ATOM_NAMES[id(type_.base)], "enum": self._enum(type_.codes)}
        length = "" if type_.length is None else f"({_expression(type_.length)})"
        said: dict[str, Any] = {"type": f"{type_.type}{length}"}
        if isinstance(type_, Variant):
            cases = {str(key): self.name(case, f"{wanted}_{key}") for key, case in type_.outlines.items()}
            return said | {"variant": _expression(type_.key), "cases": cases}
        return said | ({"secret": True} if type_.secret else {})

    def _bits(self, span: Any, type_: BFLD) -> dict[str, Any]:
        said: dict[str, Any] = {"name": span.name, "at": span.low if span.kind == "BOOL" else [span.low, span.high]}
        if span.codes:
            said["enum"] = self._enum(type(next(iter(span.codes.values()))))
        return said | _doc(type_.docs_of[span.name])

    def _enum(self, codes: Any) -> str:
        named = {str(int(code)): code.name for code in codes}
        return self._define("enum", codes.__name__, {"codes": named})

    def _field(self, part: DeclaredField) -> dict[str, Any]:
        return {"name": part.name, **self._item(part.node, part.name), **_doc(part.doc)}


def _expression(expression: Any) -> str | int:
    return expression if isinstance(expression, int) else text(expression, own="this.")


def _doc(doc: str) -> dict[str, str]:
    if not isinstance(doc, Doc):
        return _given(doc=doc or "")
    more = {key: getattr(doc, key) or "" for key in ("unit", "range", "confidence", "source", "since")}
    return _given(doc=str(doc), **more)
