"""A write that shows which meter took it."""

from __future__ import annotations

from c1222.services import tables
from c1222.services.tables import TableData


def owner(text: bytes) -> tables.WriteOffsetRequest:
    return tables.WriteOffsetRequest(6, 0, TableData(text.ljust(20)))
