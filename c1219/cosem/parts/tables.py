"""Whole tables as COSEM objects of class 26, so that nothing is lost; secrets are not given out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from c1219.cosem.classes import InterfaceClass
from c1219.cosem.data import octet_string, u16, u32
from c1219.cosem.names import utility_table
from c1219.secrecy import may_be_secret
from c1219.tableid import table_id

if TYPE_CHECKING:
    from c1219.cosem.parts.builder import Builder

__all__ = ["table_objects"]

_SECRETS: Final = {42: "M124", 45: "M126"}


def table_objects(builder: Builder) -> None:
    """Map every table whose octets are all known."""
    for label in builder.device:
        image = builder.device[label]
        identifier = table_id(label)
        if may_be_secret(identifier, image.raw, registry=builder.device.registry):
            row = _SECRETS.get(identifier, "M124")
            builder.leave(row, label, "the whole table", "it may hold passwords or keys")
        elif image.pieces is not None:
            builder.leave("M130", label, "the whole table", "not all of its octets are known")
        else:
            attributes = {2: u16(identifier), 3: u32(len(image.raw)), 4: octet_string(image.raw)}
            builder.plain("M130", InterfaceClass.UTILITY_TABLES, utility_table(identifier), label, attributes)
