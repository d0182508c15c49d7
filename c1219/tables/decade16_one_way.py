"""Decade 16: devices that only transmit (ST160 to ST164). No public source has a layout."""

from __future__ import annotations

from functools import partial

from c1219.tables.name_only import name_only

__all__ = ["TABLES"]

_table = partial(name_only, source="termineter; InGuardians optiguard for the numbers")

TABLES = (
    _table(160, "Dimension One-way", "limiting", "Largest dimensions of this decade."),
    _table(161, "Actual One-way", "actual", "Dimensions of this decade in force."),
    _table(162, "One-way Control", "control", "What the device sends, and how often."),
    _table(163, "One-way Data", "data", "What the device sends."),
    _table(
        164,
        "One-way Commands, Responses, Extended User-defined",
        "data",
        "Commands and responses, and the data of extended user-defined tables.",
    ),
)
