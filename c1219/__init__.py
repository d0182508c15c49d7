"""ANSI C12.19: what is in a meter.

    device = c1219.Device({0: st0_octets, 21: st21_octets, 23: st23_octets})
    device[23].value                                       # the record, with the names of the standard
    device.layout("ST23.TOT_DATA_BLOCK.SUMMATIONS[0]")     # where one element is
    c1219.decode("ST11", octets)                           # a table that depends on no other

Tables are declared with `c1219.schema` and `c1219.datatypes`; errors are in `c1219.errors`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from c1219.errors import (
    AbsentElement,
    C1219Error,
    DeclarationError,
    DecodeError,
    EncodeError,
    Finding,
    LayoutError,
    LimitExceeded,
    MissingTables,
    TableFileError,
    UnknownElement,
    UnknownTable,
)

if TYPE_CHECKING:
    from c1219.device import Device, decode, encode
    from c1219.registry import Registry, register
    from c1219.schema import Procedure, Table
    from c1219.tablefile.loading import TableFile, load_tables

__all__ = [
    "AbsentElement", "C1219Error", "DeclarationError", "DecodeError", "Device", "EncodeError", "Finding", "LayoutError",
    "LimitExceeded", "MissingTables", "Procedure", "Registry", "Table", "TableFile", "TableFileError", "UnknownElement",
    "UnknownTable", "decode", "encode", "load_tables", "register",
]  # fmt: skip

_HOMES = {
    "Device": "device",
    "Procedure": "schema",
    "Registry": "registry",
    "Table": "schema",
    "TableFile": "tablefile.loading",
    "decode": "device",
    "encode": "device",
    "load_tables": "tablefile.loading",
    "register": "registry",
}

if not TYPE_CHECKING:  # a misspelt name is an error to a type checker

    def __getattr__(name: str) -> Any:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
