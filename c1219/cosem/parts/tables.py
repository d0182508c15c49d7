"""Whole tables as COSEM objects of class 26, so that nothing is lost; secrets are not given out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from c1219.cosem.classes import InterfaceClass
from c1219.cosem.data import octet_string, u16, u32
from c1219.cosem.names import utility_table
from c1219.secrecy import may_be_secret
from c1219.tableid import table_id

if TYPE_CHECKING:
    from collections.abc import Callable

    from c1219.cosem.data import Data
    from c1219.cosem.parts.builder import Builder

__all__ = ["table_objects"]

_SECRETS: Final = {42: "M124", 45: "M126"}


def table_objects(builder: Builder) -> None:
    """Map every table whose octets are all known, or can be fetched."""
    device = builder.device
    for label in sorted({*device, *builder.listed}, key=table_id):
        identifier = table_id(label)
        held = device.get(label)
        if may_be_secret(identifier, None if held is None else held.raw, registry=device.registry):
            row = _SECRETS.get(identifier, "M124")
            builder.leave(row, label, "the whole table", "it may hold passwords or keys")
        elif held is not None and held.pieces is not None:
            builder.leave("M130", label, "the whole table", "not all of its octets are known")
        else:
            _table(builder, label)


def _table(builder: Builder, label: str) -> None:
    identifier = table_id(label)
    attributes: dict[int, Data | Callable[[], Data]] = {
        2: u16(identifier),
        3: lambda: u32(len(builder.image(label).raw)),
        4: lambda: octet_string(builder.image(label).raw),
    }
    builder.plain("M130", InterfaceClass.UTILITY_TABLES, utility_table(identifier), label, attributes)
