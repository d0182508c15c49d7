"""What meters of the field need that differs, by name: the options of an address, so that each can be overridden.

All of it comes from drivers of others, seen on no meter here [1]; sizes and paddings of the Echelon meters [V].
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["PRESETS"]

PRESETS: Final[Mapping[str, Mapping[str, str]]] = {
    "ge-kv": {"identity": "64", "packet_size": "80", "packets": "3", "padding": "nul"},
    "elster-a3": {"packet_size": "1024", "packets": "255", "padding": "zero"},
    "elster-a1800": {"packet_size": "1024", "packets": "255", "turn_around": "0.06"},
    "itron-sentinel": {"packet_size": "128", "packets": "1", "padding": "nul"},
    "echelon": {"packet_size": "64", "packets": "2"},
    "time-energia": {"identity": "5", "toggle": "ignore", "packets": "0"},
}
"""Name of a preset -> options of a serial address and their values."""
