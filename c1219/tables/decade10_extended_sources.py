"""Decade 10: extended sources (ST100 to ST107). No public source has a layout.

A second way to describe what is measured, in place of decade 1. One list of the 2008 edition names these tables,
another leaves the decade empty. ST0.MODEL_SELECT = 1 is said to choose them, but a sample of 1997 sets it without any.
"""

from __future__ import annotations

from functools import partial

from c1219.tables.name_only import name_only

__all__ = ["TABLES"]

_table = partial(name_only, source="termineter; InGuardians optiguard leaves the decade empty")

TABLES = (
    _table(100, "Dimension Extended Source Limiting", "limiting", "Largest dimensions of this decade."),
    _table(101, "Actual Extended Source Limiting", "actual", "Dimensions of this decade in force."),
    _table(102, "Source Information", "data", "Sources, as ST16 describes them in decade 1."),
    _table(103, "External Scaling", "control", "Scaling outside the device, such as transformer ratios."),
    _table(104, "Extended Demand Control", "control", "Demand intervals, as ST13 in decade 1."),
    _table(105, "Extended Transformer Loss Compensation", "control", "Constants of transformer losses, as ST17."),
    _table(106, "Gas Constants AGA3", "control", "Constants of orifice meters, as a form of ST15."),
    _table(107, "Gas Constants AGA7", "control", "Constants of turbine meters, as a form of ST15."),
)
