"""All checks of a device at a serial line, in the order in which they run."""

from __future__ import annotations

from typing import Final

from c1222.conformance.line import checks, states
from c1222.conformance.rules import Check

__all__ = ["LINE_CHECKS"]

LINE_CHECKS: Final = tuple(
    value for module in (checks, states) for value in vars(module).values() if isinstance(value, Check)
)
"""All of them."""
