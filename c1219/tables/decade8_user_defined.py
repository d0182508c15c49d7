"""Decade 8: user-defined tables (ST80 to ST89). No public source has a layout.

A device serves chosen pieces of other tables as one table, to save requests. ST84 to ST89 carry the octets of the
pieces one after the other, each as in its own table and with nothing between them: with the list of pieces at hand,
cut them apart and decode each with its own table. Devices come with such tables made by their manufacturer (GE I-210+
has a block of registers in ST85), so a declaration for a device class can be registered for any of them.
"""

from __future__ import annotations

from functools import partial

from c1219.tables.name_only import name_only

__all__ = ["TABLES"]

_table = partial(name_only, since="1997", source="termineter; InGuardians optiguard")

TABLES = (
    _table(
        80,
        "Dimension User-defined Tables Function Limiting",
        "limiting",
        "Largest dimensions of this decade.",
        name="DIM_UDT_FUNC_LIM_TBL",
    ),
    _table(
        81,
        "Actual User-defined Tables Function Limiting",
        "actual",
        "Dimensions of this decade in force.",
        name="ACT_UDT_FUNC_LIM_TBL",
    ),
    _table(
        82,
        "User-defined Tables List",
        "control",
        "Lists of pieces: number of a table, place in it, length.",
        name="UDT_LIST_TBL",
    ),
    _table(
        83,
        "User-defined Tables Selection",
        "control",
        "Which list each user-defined table uses.",
        name="UDT_SEL_TBL",
    ),
    *(
        _table(
            84 + n,
            f"User-defined Table {n}",
            "data",
            "Pieces of other tables one after the other, with nothing between them.",
            name=f"UDT_{n}_TBL",
        )
        for n in range(6)
    ),
)
