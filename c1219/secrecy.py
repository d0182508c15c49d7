"""Which octets of a meter are secret: one rule, by declaration, for all who show, keep or hand out octets of tables.

A table is secret if an element of it is declared a password or key (`c1219.datatypes.SECRET`), for whatever device
class. What starts a procedure (ST7), and what a procedure answers (ST8), is secret if the record of that procedure is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from c1219.registry import default_registry
from c1219.tableid import PLAIN

if TYPE_CHECKING:
    from c1219.registry import Registry

__all__ = ["may_be_secret"]

_PROCEDURE_OCTETS: Final = 2
"""Octets of the element that names the procedure; it comes first."""


def may_be_secret(
    table: int, octets: bytes | None = None, *, from_start: bool = True, registry: Registry | None = None
) -> bool:
    """Return whether octets of a table may be, or hold, a password or key.

    Args:
        table: identifier on the wire, 0..65535. The bits above the number and the manufacturer bit change nothing: the
            pending copy of a secret is one, and of the others nobody knows what a device makes of them.
        octets: the octets; None for whatever may stand in the table.
        from_start: whether they begin with the first octet of the table.
        registry: declared tables and procedures; the default registry if None.
    """
    known = default_registry() if registry is None else registry
    secret, procedures = known.secrecy(table & PLAIN)
    if secret or not procedures or octets is None or not from_start or table & ~PLAIN:
        return secret or bool(procedures)
    # In either octet order: a peer that has mistaken it has sent its password all the same.
    head = octets[:_PROCEDURE_OCTETS]
    named = {int.from_bytes(head, "little") & PLAIN, int.from_bytes(head, "big") & PLAIN}
    return len(head) == _PROCEDURE_OCTETS and not named.isdisjoint(procedures)
