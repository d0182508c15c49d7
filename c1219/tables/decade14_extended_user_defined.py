"""Decade 14: extended user-defined tables (ST140 to ST143). No public source has a layout.

As decade 8, but a selection can name any element of a table, and there are constants beside the data.
"""

from __future__ import annotations

from functools import partial

from c1219.tables.name_only import name_only

__all__ = ["TABLES"]

_table = partial(name_only, source="termineter; InGuardians optiguard for the numbers")

TABLES = (
    _table(
        140,
        "Extended User-defined Tables Function Limiting",
        "limiting",
        "Largest dimensions of this decade.",
    ),
    _table(141, "Extended User-defined Tables Actual Limits", "actual", "Dimensions of this decade in force."),
    _table(142, "Extended User-defined Selections", "control", "Which elements make up a user-defined table."),
    _table(143, "Extended User-defined Constants", "data", "Octets that user-defined tables carry beside elements."),
)
