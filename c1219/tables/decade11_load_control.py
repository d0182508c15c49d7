"""Decade 11: load control and pricing (ST110 to ST118).

Of ST110 and ST111 the first three octets are known, of the others the name. Procedure 21 switches loads.
"""

from __future__ import annotations

from functools import partial

from c1219.datatypes import BFLD, BOOL, FILL, OPAQUE, UINT8, UINT16
from c1219.schema import Doc, Record, Table
from c1219.tables.name_only import name_only

__all__ = ["ACT_LOAD_CONTROL", "DIM_LOAD_CONTROL", "TABLES"]

_SOURCE = "termineter; InGuardians optiguard"

LOAD_CONTROL_RCD = Record(
    "LOAD_CONTROL_RCD",
    "LOAD_CONTROL_FLAGS" / BFLD(
        "LOAD_CONTROL_FLAGS_BFLD", UINT16,
        "DURATION_SUPPORTED_FLAG" / BOOL(0) * Doc(
            "Procedure 21 takes a duration; the one source reads a clear flag as: a randomization instead.",
            confidence="1", source="InGuardians optiguard; the name from memory",
        ),
        "RANDOMIZATION_SUPPORTED_FLAG" / BOOL(1) * Doc("Procedure 21 takes a randomization.", confidence="?"),
        FILL(2, 15),
    ) * "What control commands can say.",
    "NBR_OF_CONTROL_POINTS" / UINT8 * "Switched outputs.",
    "REST" / OPAQUE * Doc("Further dimensions of the decade, which are not known.", confidence="name only"),
)  # fmt: skip

DIM_LOAD_CONTROL = Table(
    number=110,
    name="Dimension Load Control",
    title="Dimension Load Control",
    role="limiting",
    since="2008",
    confidence="1",
    source="InGuardians optiguard, for ST111",
    record=LOAD_CONTROL_RCD,
)

ACT_LOAD_CONTROL = Table(
    number=111,
    name="Actual Load Control Limiting",
    title="Actual Load Control Limiting",
    role="actual",
    since="2008",
    confidence="1",
    source="InGuardians optiguard, a client that switches real meters",
    record=LOAD_CONTROL_RCD,
)

_table = partial(name_only, source=_SOURCE)

TABLES = (
    DIM_LOAD_CONTROL,
    ACT_LOAD_CONTROL,
    _table(112, "Load Control Status", "data", "Level of each control point, and what set it."),
    _table(113, "Load Control Configuration", "control", "Settings of each control point."),
    _table(114, "Load Control Schedule", "control", "Dated and recurring switchings."),
    _table(115, "Load Control Conditions", "control", "Switchings that follow measured values."),
    _table(116, "Prepayment Status", "data", "Credit that is left."),
    _table(117, "Prepayment Control", "control", "Thresholds, and what happens when the credit is spent."),
    _table(118, "Billing Control", "control", "Billing periods."),
)
