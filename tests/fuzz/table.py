"""All doors, and how the time is shared among them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.fuzz.doors import DOORS as _OCTETS
from tests.fuzz.lines import DOORS as LINES
from tests.fuzz.peers import PEERS

if TYPE_CHECKING:
    from collections.abc import Collection

    from tests.fuzz.driver import Door

__all__ = ["DOORS", "shares"]

DOORS: Final[dict[str, Door]] = {**_OCTETS, **LINES, **PEERS}
"""By name."""


def shares(seconds: float, names: Collection[str] | None = None) -> dict[str, float]:
    """Return for how long to try each door.

    Args:
        seconds: all together.
        names: which; all of them when None or empty.
    """
    chosen = {name: door.share for name, door in DOORS.items() if not names or name in names}
    return {name: seconds * share / sum(chosen.values()) for name, share in chosen.items()}
