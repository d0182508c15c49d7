"""How a table is declared: once, in construct; everything else is derived from the declaration.

A complete declaration::

    from c1219.datatypes import NI_FMAT1, STIME_DATE, UINT8
    from c1219.schema import Array, Doc, If, Record, Table, device

    ST21 = device.ST21                             # another table, short for this._params.ST21

    ENTRY_RCD = Record(                            # a PACKED RECORD of the standard, with its name
        "ENTRY_RCD",
        "WHEN" / If(ST21.REG_FUNC1_FLAGS.DATE_TIME_FIELD_FLAG, STIME_DATE) * "When it happened.",
        "VALUE" / NI_FMAT1 * Doc("Energy since the last reset.", unit="Wh", confidence="1"),
    )
    EXAMPLE_TBL = Table(
        number=5, manufacturer=True, name="EXAMPLE_TBL", title="Example", role="data", since="2008",
        confidence="V", source="EPRI c12test; NIST n0mcli",
        record=Record(
            "EXAMPLE_RCD",
            "COUNT" / UINT8 * Doc("Entries in use.", range="0..ST21.NBR_TIERS"),
            "ENTRIES" / Array(ST21.NBR_TIERS, ENTRY_RCD) * "One entry a tier.",
        ),
    )

**Fields** are ``"NAME" / type * doc``, named as in the standard. The doc is a sentence, or a `Doc` where there is a
unit, a range, or a confidence, source or edition of its own. Types are in `c1219.datatypes`.

**Conditions and dimensions** are expressions. ``device.STn`` (or ``MTn``) is another table, always an ACT table (x1),
ST0 or a control table, with full element paths: ``ST21.REG_FUNC1_FLAGS.CUM_DEMAND_FLAG``. A set is asked with brackets:
``ST0.STD_TBLS_USED[64]``. ``this.NAME`` is an earlier element of the same record and makes the layout depend on the
table's own octets, which only ST0, ST7 and ST8 need and which is refused inside arrays. What a table depends on is read
off these expressions and off the types: it is never written down.

**Shapes**: `Record`, ``Array(count, item)``, ``If(condition, item)``, ``IfThenElse(condition, item, other)``,
``Switch(key, {code: item}, default=Error)``: a Switch always says its default, `Error` if there is no layout.
`Tail` wraps elements at the end of a table that older editions leave out, and so does a value with None there.
``Variant(n, key, {code: item})`` is n octets that mean different things. `OPAQUE` as the last element takes what is
left: a table of which only the name is known is ``Record("...", "DATA" / OPAQUE)`` with ``confidence="name only"``.

**Index paths** follow the declaration: elements of a record count 0, 1, 2 … whether present or not; an array adds a
level; a condition adds none; sub-fields of a bit field count without FILL; types are atomic.

**Forbidden**, and refused when the table is declared: functions and lambdas, construct's own integers and strings,
GreedyRange, Optional, Select, Padding, Computed, BitStruct. ``and``, ``or``, ``not`` and ``in`` do not work on
expressions: write ``&``, ``|``, ``~`` and ``SET[64]``; compare with ``==``, ``>``; divide with ``//``.

The construct itself (``table.record.parse(octets, ST0=..., ST21=...)`` with decoded tables as parameters) stays
usable. It is slow, and it is what the fast codec is tested against.
"""

from __future__ import annotations

import keyword
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from construct import Array, Construct, Container, Error, If, IfThenElse, Pass, Renamed, Struct, Switch
from construct.core import stream_read_entire, stream_write

from c1219.datatypes import BINARY, OPAQUE, WireType
from c1219.errors import DeclarationError
from c1219.expressions import Steps, check, evaluate, path_text, references, this
from c1219.outline import (
    ArrayNode,
    ChoiceNode,
    FieldNode,
    LeafNode,
    Node,
    NothingNode,
    ProcedureNode,
    RecordNode,
    RefusedNode,
    Row,
    TailNode,
    dependencies,
    describe,
    holds_secret,
    needs_own_octets,
    table_order,
)
from c1219.values import RecurringDate, record_type

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import BinaryIO, Self

__all__ = [
    "Array", "Confidence", "Doc", "Edition", "Error", "If", "IfThenElse", "Procedure", "ProcedureRecord", "Record",
    "Role", "Switch", "Table", "Tail", "Variant", "device", "outline", "parameters", "this",
]  # fmt: skip

Role = Literal["control", "limiting", "actual", "data"]
Confidence = Literal["V", "1", "?", "name only"]
Edition = Literal["1997", "2008", "2012", "C12.21-1999", "C12.22-2008"]


device: Any = this._params  # noqa: SLF001  construct's name for what parse() was given
"""The other tables of the device: ``device.ST21.NBR_TIERS`` is ``this._params.ST21.NBR_TIERS``."""

# --- words of the declaration ---------------------------------------------------------------------------------------


class Doc(str):
    """A sentence about an element, with what else is known of it.

    Attributes:
        unit: unit of the value, for example ``min``.
        range: values it can take, for example ``0..59``.
        confidence: where it differs from the table's.
        source: where it differs from the table's.
        since: edition that brought the element, where it differs from the table's.
    """

    unit: str
    range: str
    confidence: Confidence | None
    source: str
    since: Edition | None

    def __new__(
        cls,
        text: str,
        *,
        unit: str = "",
        range: str = "",  # noqa: A002  it reads best at the field
        confidence: Confidence | None = None,
        source: str = "",
        since: Edition | None = None,
    ) -> Self:
        """Make the doc of an element."""
        self = super().__new__(cls, text)
        self.unit, self.range, self.confidence, self.source, self.since = unit, range, confidence, source, since
        return self


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

    def chosen(self, record: Any) -> Node | None:
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

    def __init__(self, side: Literal["parameters", "response"]) -> None:
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


def _value_type(record: Struct, name: str, names: tuple[str, ...]) -> Any:
    """Return the one NamedTuple class of a record, wherever it is used."""
    found = vars(record).get("value_type")
    if found is None:
        found = record_type(name, names)
        vars(record)["value_type"] = found
    return found


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


def outline(record: Construct, name: str) -> Node:
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


def _outline(record: Any, where: str, scope: _Scope) -> Node:
    while isinstance(record, Renamed):
        record = record.subcon
    if isinstance(record, WireType):
        if record.type == OPAQUE.type and not scope.root:
            raise DeclarationError(f"{where}: OPAQUE can only be the last element of a table")
        if record.length is not None:
            _checked(record.length, f"length of {where}", scope)
        if isinstance(record, Variant):
            _checked(record.key, f"key of {where}", scope, variant=True)
        return LeafNode(record)
    if isinstance(record, Struct):
        return _outline_record(record, where, scope)
    if isinstance(record, Array):
        if record.discard:
            raise DeclarationError(f"{where}: an array cannot discard its entries")
        _checked(record.count, f"count of {where}", scope)
        return ArrayNode(record.count, _outline(record.subcon, where, _Scope(in_array=True, names=scope.names)))
    if isinstance(record, Tail):
        if not scope.root:
            raise DeclarationError(f"{where}: only the last elements of a table can be a Tail")
        _checked(record.condfunc, f"condition of {where}", scope)
        inner = _Scope(in_array=False, names=scope.names)
        return TailNode(record.condfunc, _outline(record.thensubcon, where, inner))
    if isinstance(record, IfThenElse):
        _checked(record.condfunc, f"condition of {where}", scope)
        cases = {
            True: _outline(record.thensubcon, where, scope),
            False: _outline(record.elsesubcon, where, scope),
        }
        return ChoiceNode(record.condfunc, cases, NothingNode(), condition=True)
    if isinstance(record, Switch):
        _checked(record.keyfunc, f"key of {where}", scope)
        if record.default is Pass:
            raise DeclarationError(f"{where}: a Switch says its default, Error if there is no layout")
        branches = {key: _outline(case, where, scope) for key, case in record.cases.items()}
        return ChoiceNode(record.keyfunc, branches, _outline(record.default, where, scope), condition=False)
    if isinstance(record, ProcedureRecord):
        if not scope.root or "PROC" not in scope.names[-1]:
            raise DeclarationError(f"{where}: ProcedureRecord comes last, after an element PROC")
        return ProcedureNode(record.side, LeafNode(OPAQUE))
    if record is Pass:
        return NothingNode()
    if record is Error:
        return RefusedNode()
    raise DeclarationError(f"{where}: {type(record).__name__} cannot be laid out; use the types of c1219.datatypes")


def _outline_record(record: Any, where: str, scope: _Scope) -> RecordNode:
    fields: list[FieldNode] = []
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
        fields.append(FieldNode(name, index, _outline(part, f"{where}.{name}", inner), part.docs or ""))
        names.append(name)
    type_name = getattr(record, "type_name", None) or where.rpartition(".")[2]
    return RecordNode(type_name, tuple(fields), _value_type(record, type_name, tuple(names)))


# --- tables and procedures ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One table: what it is called, what is known of it, and its record in construct.

    Attributes:
        number: 0..2039, without the manufacturer bit.
        name: official name, for example ``CURRENT_REG_DATA_TBL``; a plain name where the official one is not known.
        record: a `Record`, or a Switch of records.
        title: name for people, for example ``Current Register Data``.
        role: ``control``, ``limiting`` (DIM), ``actual`` (ACT) or ``data``.
        since: edition that brought it.
        confidence: of the layout: ``V`` at least two independent sources, ``1`` one source, ``?`` memory or inference,
            ``name only`` where octets are all there is. A `Doc` says where an element differs.
        source: where the layout is known from.
        doc: what else a reader should know, as sentences.
        manufacturer: True for MTn, False for STn.
        device_class: the four octets of ST0.DEVICE_CLASS that this table is for; None for any device.
        outline: the declaration as plain nodes.
        depends_on: tables whose values decide the layout, for example ``("ST0", "ST21")``.
        elements: the elements of them that do, for example ``("ST0.NI_FORMAT1", "ST21.NBR_TIERS")``.
        needs_own_octets: whether the table's own octets decide its layout too, as in ST0.
        secret: whether it holds passwords or keys.

    Raises:
        DeclarationError: the record holds something that cannot be laid out.
    """

    number: int
    name: str
    record: Construct
    title: str = ""
    role: Role = "data"
    since: Edition = "1997"
    confidence: Confidence = "?"
    source: str = ""
    doc: str = ""
    manufacturer: bool = False
    device_class: bytes | None = None
    outline: Node = field(init=False, repr=False, compare=False)
    depends_on: tuple[str, ...] = field(init=False, repr=False, compare=False)
    elements: tuple[str, ...] = field(init=False, repr=False, compare=False)
    needs_own_octets: bool = field(init=False, repr=False, compare=False)
    secret: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not 0 <= self.number <= 2047:
            raise DeclarationError(f"{self.name}: table number {self.number} is outside 0..2047")
        if self.device_class is not None and len(self.device_class) != 4:
            raise DeclarationError(f"{self.name}: a device class is four octets")
        node = outline(self.record, self.label)
        if not isinstance(node, (RecordNode, ChoiceNode)):
            raise DeclarationError(f"{self.label}: a table is a Record, or a choice of Records")
        tables, elements = dependencies(node)
        object.__setattr__(self, "outline", node)
        object.__setattr__(self, "depends_on", tables)
        object.__setattr__(self, "elements", elements)
        object.__setattr__(self, "needs_own_octets", needs_own_octets(node))
        object.__setattr__(self, "secret", holds_secret(node))

    @property
    def label(self) -> str:
        """Short name, ``ST23`` or ``MT1``."""
        return f"{'MT' if self.manufacturer else 'ST'}{self.number}"

    @property
    def id(self) -> int:
        """Number on the wire: 2048 is added for a manufacturer's table."""
        return self.number + 2048 * self.manufacturer

    def describe(self) -> list[Row]:
        """Return the documentation of every element, line by line."""
        return describe(self.outline)


@dataclass(frozen=True, slots=True, kw_only=True)
class Procedure:
    """One procedure of ST7/ST8: its number, and its parameter and response records.

    Attributes:
        number: 0..2047, without the manufacturer bit.
        name: name for people, for example ``Reset List Pointers``.
        parameters: record of ST7.PARM; None if there are none.
        response: record of ST8.RESP_DATA; None if there is none.
        since: edition that brought it.
        confidence: of name, parameters and response, in this order.
        source: where it is known from.
        doc: what it does, and what to mind, as sentences.
        manufacturer: True for a manufacturer's procedure.
        device_class: the four octets of ST0.DEVICE_CLASS that it is for; None for any device.
        outlines: the declarations as plain nodes, by ``parameters`` and ``response``.
        depends_on: tables whose values decide the forms of either.
    """

    number: int
    name: str
    parameters: Construct | None = None
    response: Construct | None = None
    since: Edition = "1997"
    confidence: tuple[Confidence, Confidence, Confidence] = ("?", "?", "?")
    source: str = ""
    doc: str = ""
    manufacturer: bool = False
    device_class: bytes | None = None
    outlines: Mapping[str, Node] = field(init=False, repr=False, compare=False)
    depends_on: tuple[str, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not 0 <= self.number <= 2047:
            raise DeclarationError(f"{self.name}: procedure number {self.number} is outside 0..2047")
        nodes: dict[str, Node] = {}
        for side, record in (("parameters", self.parameters), ("response", self.response)):
            node = NothingNode() if record is None else outline(record, f"{self.label}.{side}")
            if record is not None and not isinstance(node, RecordNode):
                raise DeclarationError(f"{self.label}: {side} are a Record")
            nodes[side] = node
        object.__setattr__(self, "outlines", nodes)
        both = {name for node in nodes.values() for name in dependencies(node)[0]}
        object.__setattr__(self, "depends_on", tuple(sorted(both, key=table_order)))

    @property
    def label(self) -> str:
        """Short name, ``SP4`` or ``MP22``."""
        return f"{'MP' if self.manufacturer else 'SP'}{self.number}"

    @property
    def id(self) -> int:
        """Number on the wire: 2048 is added for a manufacturer's procedure."""
        return self.number + 2048 * self.manufacturer
