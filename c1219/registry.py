"""Which tables and procedures are declared: by number, by name, and by device class for a manufacturer's own.

A table of your own, from your code::

    import c1219
    from c1219.datatypes import UINT8, UINT16
    from c1219.schema import Array, Record, Table, device

    c1219.register(Table(
        number=5, manufacturer=True, device_class=b"DEMO", name="SAG_COUNT_TBL",
        record=Record("SAG_COUNT_RCD", "PHASES" / Array(device.MT4.NBR_PHASES, UINT16) * "Sags on each phase."),
    ))

or from an installed package, through an entry point in the group ``c1219.tables`` that names a `Table`, a `Procedure`
or a sequence of them.
"""

from __future__ import annotations

import pkgutil
import warnings
from importlib import import_module
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, NamedTuple

from c1219.engine.declared import DeclaredProcedure, holds_secret, walk
from c1219.errors import DeclarationError, UnknownTable
from c1219.tableid import NUMBERS, TableId, table_id, table_label
from c1219.tables import LAYOUTS_DEPEND_ON

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from c1219.schema import Procedure, Table

__all__ = ["ENTRY_POINTS", "Identity", "Registry", "default_registry", "register", "table_id", "table_label"]

ENTRY_POINTS = "c1219.tables"
"""Group of the entry points that bring tables and procedures."""


class Identity(NamedTuple):
    """What of ST1 may decide which declarations are for a device.

    Attributes:
        manufacturer: MANUFACTURER without trailing blanks.
        model: ED_MODEL, likewise.
        firmware: FW_VERSION_NUMBER and FW_REVISION_NUMBER.
    """

    manufacturer: str
    model: str
    firmware: tuple[int, int]


class Registry:
    """Tables and procedures by number and device class.

    Args:
        standard: whether the tables and procedures of the standard are in it (they are loaded when first asked for).
        plugins: whether those of installed packages are in it.
    """

    def __init__(self, *, standard: bool = True, plugins: bool = True) -> None:
        self._tables: dict[tuple[int, bytes | None], Table] = {}
        self._procedures: dict[tuple[int, bytes | None], Procedure] = {}
        self._made_with = {"standard": standard, "plugins": plugins}
        self._registered: list[Table | Procedure] = []
        self._own: list[Table | Procedure] = []  # those that are not of the standard
        self._modules = _standard_modules() if standard else []
        self._plugins = plugins
        self._secrecy: dict[int, tuple[bool, frozenset[int]]] = {}
        self._conditional: list[tuple[Callable[[Identity | None], bool], tuple[Table | Procedure, ...]]] = []
        self._fitting: dict[tuple[int, ...], Registry] = {}

    def __reduce__(self) -> Any:
        """Pickle the default registry as the other process's own; of others, what was registered."""
        if _DEFAULT and self is _DEFAULT[0]:
            return default_registry, ()
        return _registry, (type(self), self._made_with, self._registered, self._conditional)

    def __deepcopy__(self, _memo: Any) -> Registry:
        return self

    def register(
        self,
        *declarations: Table | Procedure,
        replace: bool = False,
        condition: Callable[[Identity | None], bool] | None = None,
    ) -> None:
        """Add tables and procedures.

        Args:
            declarations: what to add.
            replace: whether they take the place of others.
            condition: tells by ST1 for which devices they are, and there they go before all others; None is for all.

        Raises:
            DeclarationError: one is declared already for this number and device class, and `replace` is not set.
        """
        if condition is not None:
            self._conditional.append((condition, declarations))
            self._fitting.clear()
            self._secrecy.clear()
            return
        for declaration in declarations:
            self._add(declaration, replace=replace)
            self._registered.append(declaration)

    def _add(self, declaration: Table | Procedure, *, replace: bool = False) -> None:
        known: dict[tuple[int, bytes | None], Any] = self._tables
        if hasattr(declaration, "outlines"):
            known = self._procedures
        key = (declaration.id, declaration.device_class)
        present = known.get(key)
        if present is not None and present is not declaration and not replace:
            raise DeclarationError(f"{declaration.label} is declared already, as {present.name}")
        known[key] = declaration
        self._own.append(declaration)
        self._secrecy.clear()

    def table(self, key: int | str, device_class: bytes | None = None) -> Table:
        """Return the declaration of a table: the one of the device class if there is one.

        Raises:
            UnknownTable: nobody declared it.
        """
        number = table_id(key)
        self._load(number)
        found = self._tables.get((number, device_class)) or self._tables.get((number, None))
        if found is None:
            raise UnknownTable(f"{table_label(number)} is declared nowhere")
        return found

    def procedure(self, number: int, *, manufacturer: bool = False, device_class: bytes | None = None) -> Procedure:
        """Return the declaration of a procedure: the one of the device class if there is one.

        Raises:
            UnknownTable: nobody declared it.
        """
        self._load(None)
        key = TableId.of(number, manufacturer=manufacturer)
        found = self._procedures.get((key, device_class)) or self._procedures.get((key, None))
        if found is None:
            raise UnknownTable(f"{key.procedure_label} is declared nowhere")
        return found

    @property
    def conditions(self) -> frozenset[str]:
        """Labels of the tables that decide, beside ST0, which declarations are for a device."""
        return frozenset({"ST1"}) if self._conditional else frozenset()

    def fitting(self, identity: Identity | None) -> Registry:
        """Return the declarations for a device.

        Args:
            identity: what ST1 says; None if that is not known.
        """
        fits = tuple([number for number, (condition, _) in enumerate(self._conditional) if condition(identity)])
        if not fits:
            return self
        found = self._fitting.get(fits)
        if found is None:
            found = self._fitting[fits] = _Fitting(self, [self._conditional[number][1] for number in fits])
        return found

    def secrecy(self, number: int) -> tuple[bool, frozenset[int]]:
        """Return what in a table is a password or key, for whatever device class; `c1219.secrecy` has the rule.

        Args:
            number: 0..4095.

        Returns:
            Whether the table itself holds one, and the procedures whose record in it does: their parameters in ST7,
            their response in ST8; a manufacturer's have 2048 added.
        """
        found = self._secrecy.get(number)
        if found is None:
            self._load(number)
            tables = [table for (known, _), table in self._tables.items() if known == number]
            conditional: list[Any] = [item for _, items in self._conditional for item in items]
            tables += [item for item in conditional if not hasattr(item, "outlines") and item.id == number]
            nodes = [node for table in tables for node in walk(table.outline)]
            sides = {node.side for node in nodes if isinstance(node, DeclaredProcedure)}
            if sides:
                self._load(None)
            procedures = frozenset(
                int(procedure.id)
                for procedure in (*self._procedures.values(), *conditional)
                if hasattr(procedure, "outlines") and any(holds_secret(procedure.outlines[side]) for side in sides)
            )
            found = self._secrecy[number] = (any(table.secret for table in tables), procedures)
        return found

    def tables(self, device_class: bytes | None = None) -> list[Table]:
        """Return all tables, those of a device class in place of the general ones, by number."""
        self._load(None)
        tables = {number: table for (number, kind), table in self._tables.items() if kind is None}
        tables |= {number: table for (number, kind), table in self._tables.items() if kind and kind == device_class}
        return [tables[number] for number in sorted(tables)]

    def procedures(self, device_class: bytes | None = None) -> list[Procedure]:
        """Return all procedures, those of a device class in place of the general ones, by number."""
        self._load(None)
        procedures = {number: item for (number, kind), item in self._procedures.items() if kind is None}
        procedures |= {
            number: item for (number, kind), item in self._procedures.items() if kind and kind == device_class
        }
        return [procedures[number] for number in sorted(procedures)]

    def layouts_depend_on(self, device_class: bytes | None = None) -> frozenset[str]:
        """Return the labels of the tables on which layouts depend, or declarations, in devices of a class."""
        self._load_plugins()
        conditional = [declared for _, items in self._conditional for declared in items]
        own = [one for one in (*self._own, *conditional) if one.device_class in {None, device_class}]
        standard = LAYOUTS_DEPEND_ON if self._made_with["standard"] else frozenset()
        return standard.union(self.conditions, *(declared.depends_on for declared in own))

    def _load_plugins(self) -> None:
        if self._plugins:
            self._plugins = False
            for declaration in _plugin_declarations():
                self._add(declaration)

    def _load(self, number: int | None) -> None:
        """Load the module of a table's decade, or all of them if there is none or `number` is None."""
        self._load_plugins()
        if not self._modules or (number is not None and ((number, None) in self._tables or number not in NUMBERS)):
            return
        decade = "" if number is None else f"decade{number // 10}_"
        wanted = [name for name in self._modules if name.startswith(decade)] or self._modules
        for name in wanted:
            module = import_module(f"c1219.tables.{name}")
            self._modules = [other for other in self._modules if other != name]
            self._add_standard(getattr(module, "TABLES", ()))
            self._add_standard(getattr(module, "PROCEDURES", ()))

    def _add_standard(self, declarations: Iterable[Table | Procedure]) -> None:
        for declaration in declarations:
            known: Any = self._procedures if hasattr(declaration, "outlines") else self._tables
            known.setdefault((declaration.id, declaration.device_class), declaration)


class _Fitting(Registry):
    """A registry in which some declarations go before those of another."""

    def __init__(self, others: Registry, declared: list[tuple[Table | Procedure, ...]]) -> None:
        super().__init__(standard=False, plugins=False)
        self._others = others
        for items in declared:
            self.register(*items, replace=True)

    def __reduce__(self) -> Any:
        return type(self), (self._others, [tuple(self._registered)])

    def table(self, key: int | str, device_class: bytes | None = None) -> Table:
        """Return the declaration of a table, as `Registry.table` does."""
        try:
            return super().table(key, device_class)
        except UnknownTable:
            return self._others.table(key, device_class)

    def procedure(self, number: int, *, manufacturer: bool = False, device_class: bytes | None = None) -> Procedure:
        """Return the declaration of a procedure, as `Registry.procedure` does."""
        try:
            return super().procedure(number, manufacturer=manufacturer, device_class=device_class)
        except UnknownTable:
            return self._others.procedure(number, manufacturer=manufacturer, device_class=device_class)

    def tables(self, device_class: bytes | None = None) -> list[Table]:
        """Return all tables, as `Registry.tables` does."""
        found = {table.id: table for table in (*self._others.tables(device_class), *super().tables(device_class))}
        return [found[number] for number in sorted(found)]

    def procedures(self, device_class: bytes | None = None) -> list[Procedure]:
        """Return all procedures, as `Registry.procedures` does."""
        found = {item.id: item for item in (*self._others.procedures(device_class), *super().procedures(device_class))}
        return [found[number] for number in sorted(found)]


def _registry(
    kind: type[Registry],
    made_with: dict[str, bool],
    registered: list[Table | Procedure],
    conditional: list[tuple[Callable[[Identity | None], bool], tuple[Table | Procedure, ...]]],
) -> Registry:
    """Make a registry that was pickled."""
    registry = kind(**made_with)
    registry.register(*registered, replace=True)
    for condition, declarations in conditional:
        registry.register(*declarations, condition=condition)
    return registry


def _standard_modules() -> list[str]:
    return [module.name for module in pkgutil.iter_modules(import_module("c1219.tables").__path__)]


def _plugin_declarations() -> list[Table | Procedure]:
    declared: list[Table | Procedure] = []
    for point in entry_points(group=ENTRY_POINTS):
        try:
            loaded = point.load()
            declared.extend(loaded if isinstance(loaded, (tuple, list)) else (loaded,))
        except Exception as error:  # noqa: BLE001  a broken package must not keep us from reading meters
            warnings.warn(f"tables of {point.value} cannot be used: {error}", RuntimeWarning, stacklevel=2)
    return declared


_DEFAULT: list[Registry] = []


def default_registry() -> Registry:
    """Return the registry that devices use unless they are given another."""
    if not _DEFAULT:
        _DEFAULT.append(Registry())
    return _DEFAULT[0]


def register(*declarations: Table | Procedure, replace: bool = False) -> None:
    """Add tables and procedures to the default registry.

    Raises:
        DeclarationError: one is declared already for this number and device class, and `replace` is not set.
    """
    default_registry().register(*declarations, replace=replace)
