"""What nodes can do wrong on purpose, by what it concerns; `MISBEHAVIOURS` has them all."""

from __future__ import annotations

from typing import Final

from c1222.conformance.misbehaviours import answers, results, rights, tables, trust, writes
from c1222.conformance.misbehaviours.misbehaviour import Misbehaviour

__all__ = ["MISBEHAVIOURS"]

MISBEHAVIOURS: Final = {
    value.id: value
    for module in (answers, results, tables, writes, rights, trust)
    for value in vars(module).values()
    if isinstance(value, Misbehaviour)
}
"""All by id."""
