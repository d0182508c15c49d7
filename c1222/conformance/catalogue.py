"""All checks, in the order in which they run.

First what the others rest on, then what reads, then what provokes, then writes, and then what a node may resent, failed
authentications; what looks back at the whole run comes at the very end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from c1222.conformance.checks import (
    clock,
    delivery,
    echo,
    identify,
    link,
    lists,
    parts,
    refusals,
    security,
    sessions,
    tables,
    whole_run,
    writing,
)
from c1222.conformance.rules import FAMILIES, Check

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["CHECKS", "GROUNDS", "chosen"]

_MODULES: Final = (link, identify, echo, tables, parts, refusals, lists, delivery, sessions, security, clock)
_ORDER: Final = tuple(FAMILIES)
GROUNDS: Final = frozenset({"C-LINK-01", "C-LINK-02", "C-PKT-01"})
"""Checks that all others rest on, of a node and of a device at a serial line."""


def _all() -> tuple[Check, ...]:
    checks = [
        value
        for module in (*_MODULES, writing, whole_run)
        for value in vars(module).values()
        if isinstance(value, Check)
    ]
    return tuple(sorted(checks, key=lambda one: (_ORDER.index(one.family), one.id)))


CHECKS: Final = _all()
"""All checks in order."""


def chosen(only: Iterable[str], checks: tuple[Check, ...] = CHECKS) -> tuple[Check, ...]:
    """Return checks by id or by the beginning of it, and those they need, in order; all when none is named.

    Args:
        only: ids, or beginnings of them.
        checks: those there are.

    Raises:
        KeyError: nothing begins so.
    """
    names = list(only)
    if not names:
        return checks
    by_id = {check.id: check for check in checks}
    wanted: set[str] = set()
    for name in names:
        found = {one for one in by_id if one == name or one.startswith(f"{name.removesuffix('-')}-")}
        if not found:
            raise KeyError(name)
        wanted |= found
    while more := {need for one in wanted for need in (*by_id[one].needs, *by_id[one].follows)} - wanted:
        wanted |= more
    return tuple(check for check in checks if check.id in wanted or check.id in GROUNDS)
