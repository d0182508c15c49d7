"""Tables of which only number, name and purpose are known: their octets are kept as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from c1219.datatypes import OPAQUE
from c1219.schema import Record, Table

if TYPE_CHECKING:
    from c1219.schema import Edition, Role

__all__ = ["name_only"]


def name_only(
    number: int, title: str, role: Role, doc: str, *, source: str, since: Edition = "2008", name: str = ""
) -> Table:
    """Declare a table as octets.

    Args:
        number: number of the standard table.
        title: name for people.
        role: its role; where the name is all there is, inferred from it.
        doc: what it is for.
        source: where number and name are known from.
        since: edition that brought it.
        name: official name; the title where that is not known.
    """
    return Table(
        number=number,
        name=name or title,
        title=title,
        role=role,
        since=since,
        confidence="name only",
        source=source,
        doc=doc,
        record=Record(f"ST{number}_RCD", "DATA" / OPAQUE * "Octets; the layout is not known."),
    )
