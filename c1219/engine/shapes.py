"""Shapes of declarations, and the walk from construct to the outline that everything else is derived from."""

from __future__ import annotations

import copyreg
import keyword
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

from construct import Array, Construct, Container, Error, IfThenElse, Pass, Renamed, Struct, Switch
from construct.core import stream_read_entire, stream_write

from c1219.datatypes import BINARY, OPAQUE, WireType
from c1219.engine.declared import (
    DeclaredArray,
    DeclaredChoice,
    DeclaredField,
    DeclaredLeaf,
    DeclaredNode,
    DeclaredNothing,
    DeclaredProcedure,
    DeclaredRecord,
    DeclaredRefusal,
    DeclaredTail,
)
from c1219.engine.expressions import Steps, check, evaluate, path_text, references
from c1219.errors import DeclarationError
from c1219.values import RecurringDate, record_type

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import BinaryIO

__all__ = ["ProcedureRecord", "Record", "Side", "Tail", "Variant", "one_of", "outline", "parameters"]

Side = Literal["parameters", "response"]

for _constant in (Pass, Error):  # there is one of each, and it is known by being that one: pickled by name
    copyreg.pickle(type(_constant), lambda constant: type(constant).__name__)
copyreg.pickle(IfThenElse, lambda choice: (IfThenElse, (choice.condfunc, choice.thensubcon, choice.elsesubcon)))


def one_of(words: Any, word: Any, what: str) -> None:
    """Refuse a word that is not one of those that a type names."""
    allowed = get_args(words)
    if word not in allowed:
        raise DeclarationError(f"{what} is {word!r}, not one of {', '.join(map(repr, allowed))}")


class Record(Struct):
    """Record(name, *fields): a PACKED RECORD. Its value is a NamedTuple with one item a field, absent ones None."""

    def __init__(self, name: str, *fields: Construct) -> None:
        super().__init__(*fields)
        self.type_name = name


class Tail(IfThenElse):
    """Tail(condition, item): an element that later editions put at the end of a table.

    It is there if the condition holds and the table does not end before it. Only the last elements of a table's
    record can be tails.
    """

    def __init__(self, condition: Any, item: Construct) -> None:
        super().__init__(condition, item, Pass)

    def _parse(self, stream: BinaryIO, context: Any, path: str) -> Any:
        octet = stream.read(1)
        if not octet:
            return None
        stream.seek(-1, 1)
        return super()._parse(stream, context, path)

    def _build(self, obj: Any, stream: BinaryIO, context: Any, path: str) -> Any:
        return None if obj is None else super()._build(obj, stream, context, path)


class Variant(BINARY):
    """Variant(length, key, cases): a fixed number of octets that mean different things. Its value is the octets.

    Args:
        length: octets, an int or an expression.
        key: expression on earlier elements of the same record (`this.NAME`).
        cases: type or record by key; it may be shorter than the octets, and is what
            `c1219.device.Device.variant` decodes.
    """

    def __init__(self, length: Any, key: Any, cases: Mapping[Any, Construct]) -> None:
        super().__init__(length)
        self.type = "BINARY"
        self.key = key
        self.cases = cases
        self.outlines = {code: outline(case, f"case {code!r}") for code, case in cases.items()}

    def chosen(self, record: Any) -> DeclaredNode | None:
        """Return the outline that the other elements of the record choose; None if nothing is known of this case."""
        try:
            key = evaluate(self.key, lambda steps: _item(record, steps))
        except (AttributeError, TypeError):
            return None
        return self.outlines.get(key)


def _item(record: Any, steps: Steps) -> Any:
    for step in steps:
        record = record[step] if isinstance(step, int) else getattr(record, step)
    return record


class ProcedureRecord(Construct):
    """ProcedureRecord(side): parameters or response of the procedure that the element PROC of the record names.

    Octets, if the procedure is not known. When construct itself parses, the parameter ``procedures`` finds the
    record: a function of (number, manufacturer, side) that returns a construct or None.
    """

    def __init__(self, side: Side) -> None:
        one_of(Side, side, "side of a ProcedureRecord")
        super().__init__()
        self.side = side
        self.flagbuildnone = True

    def _chosen(self, context: Any) -> Any:
        find = context["_params"].get("procedures")
        return find(context.PROC.TBL_PROC_NBR, context.PROC.STD_VS_MFG_FLAG, self.side) if find else OPAQUE

    def _parse(self, stream: BinaryIO, context: Any, path: str) -> Any:
        octets = stream_read_entire(stream, path)
        if not octets:
            return None
        stream.seek(-len(octets), 1)
        return self._chosen(context)._parse(stream, context, path)  # noqa: SLF001  as construct's own wrappers do

    def _build(self, obj: Any, stream: BinaryIO, context: Any, path: str) -> Any:
        if isinstance(obj, bytes):
            stream_write(stream, obj, len(obj), path)
        elif obj is not None:
            self._chosen(context)._build(obj, stream, context, path)  # noqa: SLF001  the same
        return obj


def parameters(value: Any) -> Any:
    """Return a decoded value as construct wants it for parameters and for building: records as Containers."""
    if isinstance(value, tuple):
        names = getattr(value, "_fields", None)
        if names is None:
            return [parameters(item) for item in value]
        if not isinstance(value, RecurringDate):
            return Container({name: parameters(item) for name, item in zip(names, value, strict=True)})
    return value


# --- from construct to the outline ----------------------------------------------------------------------------------


def outline(record: Construct, name: str) -> DeclaredNode:
    """Walk a declaration once and return its outline.

    Args:
        record: the record of a table or procedure, or any type.
        name: what to call it in errors.

    Raises:
        DeclarationError: it holds something that cannot be laid out.
    """
    return _outline(record, name, _Scope(root=True))


@dataclass(frozen=True, slots=True)
class _Scope:
    """Where the walk is: records around, from the outside in, as the names of their earlier elements."""

    root: bool = False
    in_array: bool = False
    names: tuple[frozenset[str], ...] = ()


def _checked(expression: Any, where: str, scope: _Scope, *, variant: bool = False) -> Any:
    check(expression, where)
    for steps in references(expression):
        if steps and steps[0] == "_params":
            label = str(steps[1]) if len(steps) > 2 else ""
            if not (label[:2] in ("ST", "MT") and label[2:].isdecimal()):
                raise DeclarationError(f"{where}: {path_text(steps)} is not an element such as ST21.NBR_TIERS")
            continue
        if scope.in_array and not variant:
            raise DeclarationError(f"{where}: the form of an array's entries cannot depend on their own octets")
        up = 0
        while up < len(steps) and steps[up] == "_":
            up += 1
        if up >= len(scope.names) or up == len(steps) or steps[up] not in scope.names[-1 - up]:
            raise DeclarationError(f"{where}: `this.{path_text(steps)}` is no earlier element")
    return expression


def _outline(record: Any, where: str, scope: _Scope) -> DeclaredNode:
    while isinstance(record, Renamed):
        record = record.subcon
    if isinstance(record, WireType):
        if record.type == OPAQUE.type and not scope.root:
            raise DeclarationError(f"{where}: OPAQUE can only be the last element of a table")
        if record.length is not None:
            _checked(record.length, f"length of {where}", scope)
        if isinstance(record, Variant):
            _checked(record.key, f"key of {where}", scope, variant=True)
        return DeclaredLeaf(record)
    if isinstance(record, Struct):
        return _outline_record(record, where, scope)
    if isinstance(record, Array):
        if record.discard:
            raise DeclarationError(f"{where}: an array cannot discard its entries")
        _checked(record.count, f"count of {where}", scope)
        return DeclaredArray(record.count, _outline(record.subcon, where, _Scope(in_array=True, names=scope.names)))
    if isinstance(record, Tail):
        if not scope.root:
            raise DeclarationError(f"{where}: only the last elements of a table can be a Tail")
        _checked(record.condfunc, f"condition of {where}", scope)
        inner = _Scope(in_array=False, names=scope.names)
        return DeclaredTail(record.condfunc, _outline(record.thensubcon, where, inner))
    if isinstance(record, IfThenElse):
        _checked(record.condfunc, f"condition of {where}", scope)
        cases = {
            True: _outline(record.thensubcon, where, scope),
            False: _outline(record.elsesubcon, where, scope),
        }
        return DeclaredChoice(record.condfunc, cases, DeclaredNothing(), condition=True)
    if isinstance(record, Switch):
        _checked(record.keyfunc, f"key of {where}", scope)
        if record.default is Pass:
            raise DeclarationError(f"{where}: a Switch says its default, Error if there is no layout")
        branches = {key: _outline(case, where, scope) for key, case in record.cases.items()}
        return DeclaredChoice(record.keyfunc, branches, _outline(record.default, where, scope), condition=False)
    if isinstance(record, ProcedureRecord):
        if not scope.root or "PROC" not in scope.names[-1]:
            raise DeclarationError(f"{where}: ProcedureRecord comes last, after an element PROC")
        return DeclaredProcedure(record.side, DeclaredLeaf(OPAQUE))
    if record is Pass:
        return DeclaredNothing()
    if record is Error:
        return DeclaredRefusal()
    raise DeclarationError(f"{where}: {type(record).__name__} cannot be laid out; use the types of c1219.datatypes")


def _outline_record(record: Any, where: str, scope: _Scope) -> DeclaredRecord:
    fields: list[DeclaredField] = []
    names: list[str] = []
    tail_began = ""
    for index, part in enumerate(record.subcons):
        name = part.name
        if not name or not name.isidentifier() or name[0] == "_" or keyword.iskeyword(name) or name in names:
            raise DeclarationError(f"{where}: element {index} needs a name of its own, not {name!r}")
        hook = part
        while isinstance(hook, Renamed):
            if hook.parsed is not None:
                raise DeclarationError(f"{where}.{name}: a hook on parsing cannot be derived from")
            hook = hook.subcon
        last = index == len(record.subcons) - 1
        is_tail = isinstance(hook, Tail)
        if tail_began and not is_tail:
            raise DeclarationError(f"{where}.{tail_began}: only the last elements of a table can be a Tail")
        tail_began = name if is_tail else tail_began
        inner = _Scope(
            root=scope.root and (last or is_tail),
            in_array=scope.in_array,
            names=(*scope.names, frozenset(names)),
        )
        fields.append(DeclaredField(name, index, _outline(part, f"{where}.{name}", inner), part.docs or ""))
        names.append(name)
    type_name = getattr(record, "type_name", None) or where.rpartition(".")[2]
    return DeclaredRecord(type_name, tuple(fields), record_type(type_name, tuple(names)))
