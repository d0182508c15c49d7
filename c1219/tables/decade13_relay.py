"""Decade 13: what C12.22 relays and master relays know (ST130 to ST136). No public source has a layout.

Which of the names belongs to which of the numbers 132 to 136 is recollection.
"""

from __future__ import annotations

from functools import partial

from c1219.tables.name_only import name_only

__all__ = ["TABLES"]

_table = partial(name_only, since="C12.22-2008", source="recollection")

TABLES = (
    _table(130, "Dimension Relay", "limiting", "Largest dimensions of this decade."),
    _table(131, "Actual Relay", "actual", "Dimensions of this decade in force."),
    _table(132, "Registration", "data", "Nodes that are registered through the relay."),
    _table(133, "Static Routing", "control", "Fixed routes."),
    _table(134, "Host Notification", "control", "Hosts that are told of new nodes."),
    _table(135, "Master Relay Assignment", "control", "Which master relay serves which range of ApTitles."),
    _table(136, "Dynamic Routing Report", "data", "Routes that the relay learned."),
)
