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

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Literal

from construct import Array, Construct, Error, If, IfThenElse, Switch

from c1219.engine.declared import (
    DeclaredChoice,
    DeclaredLine,
    DeclaredNode,
    DeclaredNothing,
    DeclaredRecord,
    dependencies,
    describe,
    holds_secret,
    needs_own_octets,
    table_order,
)
from c1219.engine.expressions import this
from c1219.engine.shapes import ProcedureRecord, Record, Tail, Variant, one_of, outline, parameters
from c1219.errors import DeclarationError
from c1219.tableid import NUMBERS, TableId

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

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

    Raises:
        DeclarationError: no such confidence or edition.
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
        if confidence is not None:
            one_of(Confidence, confidence, f"confidence of {text!r}")
        if since is not None:
            one_of(Edition, since, f"since of {text!r}")
        self = super().__new__(cls, text)
        self.unit, self.range, self.confidence, self.source, self.since = unit, range, confidence, source, since
        return self


# --- tables and procedures ------------------------------------------------------------------------------------------


def _check_device_class(name: str, device_class: bytes | None) -> None:
    if device_class is not None and len(device_class) != 4:
        raise DeclarationError(f"{name}: a device class is four octets")


def _declared(declaration: Table | Procedure) -> dict[str, Any]:
    """Return what a declaration was made from; the rest follows."""
    return {item.name: getattr(declaration, item.name) for item in fields(declaration) if item.init}


def _declared_again(kind: type[Table | Procedure], words: dict[str, Any]) -> Table | Procedure:
    return kind(**words)


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
        DeclarationError: the record holds something that cannot be laid out, or a word is not one of those allowed.
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
    outline: DeclaredNode = field(init=False, repr=False, compare=False)
    depends_on: tuple[str, ...] = field(init=False, repr=False, compare=False)
    elements: tuple[str, ...] = field(init=False, repr=False, compare=False)
    needs_own_octets: bool = field(init=False, repr=False, compare=False)
    secret: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.number not in NUMBERS:
            raise DeclarationError(f"{self.name}: table number {self.number} is outside 0..{NUMBERS[-1]}")
        _check_device_class(self.name, self.device_class)
        for words, name in ((Role, "role"), (Edition, "since"), (Confidence, "confidence")):
            one_of(words, getattr(self, name), f"{self.name}: {name}")
        node = outline(self.record, self.label)
        if not isinstance(node, (DeclaredRecord, DeclaredChoice)):
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
        return self.id.label

    @property
    def id(self) -> TableId:
        """Number on the wire: 2048 is added for a manufacturer's table."""
        return TableId.of(self.number, manufacturer=self.manufacturer)

    def __reduce__(self) -> Any:
        return _declared_again, (type(self), _declared(self))

    def describe(self) -> list[DeclaredLine]:
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
    outlines: Mapping[str, DeclaredNode] = field(init=False, repr=False, compare=False)
    depends_on: tuple[str, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.number not in NUMBERS:
            raise DeclarationError(f"{self.name}: procedure number {self.number} is outside 0..{NUMBERS[-1]}")
        _check_device_class(self.name, self.device_class)
        one_of(Edition, self.since, f"{self.name}: since")
        if len(self.confidence) != 3 or isinstance(self.confidence, str):
            raise DeclarationError(f"{self.name}: confidence is three words: of name, parameters and response")
        for word in self.confidence:
            one_of(Confidence, word, f"{self.name}: confidence")
        nodes: dict[str, DeclaredNode] = {}
        for side, record in (("parameters", self.parameters), ("response", self.response)):
            node = DeclaredNothing() if record is None else outline(record, f"{self.label}.{side}")
            if record is not None and not isinstance(node, DeclaredRecord):
                raise DeclarationError(f"{self.label}: {side} are a Record")
            nodes[side] = node
        object.__setattr__(self, "outlines", nodes)
        both = {name for node in nodes.values() for name in dependencies(node)[0]}
        object.__setattr__(self, "depends_on", tuple(sorted(both, key=table_order)))

    @property
    def label(self) -> str:
        """Short name, ``SP4`` or ``MP22``."""
        return self.id.procedure_label

    @property
    def id(self) -> TableId:
        """Number on the wire: 2048 is added for a manufacturer's procedure."""
        return TableId.of(self.number, manufacturer=self.manufacturer)

    def __reduce__(self) -> Any:
        return _declared_again, (type(self), _declared(self))
