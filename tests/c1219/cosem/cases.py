"""The cases of COSEM in specs/vectors/cosem, and meters to map."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from c1219 import Device
from c1219.codes.units import UnitDescription, describe_unit

SPECS = Path(__file__).resolve().parents[3] / "specs"
CASES: dict[str, Any] = json.loads((SPECS / "vectors/cosem/cases.json").read_text("utf-8"))


@cache
def sample(name: str) -> Device:
    """One of the simulated meters."""
    return Device.from_json((SPECS / f"devices/{name}.json").read_text("utf-8"))


def entry(
    code: int, base: int = 0, *quadrants: int, multiplier: int = 0, net: int = 0, phase: int = 0, **more: int
) -> UnitDescription:
    """An entry of ST12."""
    flags = {f"Q{n}_ACCOUNTABILITY": int(n in quadrants) for n in (1, 2, 3, 4)}
    fields = {"ID_CODE": code, "TIME_BASE": base, "MULTIPLIER": multiplier, "NET_FLOW_ACCOUNTABILITY": net,
              "SEGMENTATION": phase, "HARMONIC": 0, "NFS": 0}  # fmt: skip
    return describe_unit({**fields, **flags, **more})


def case_entry(case: dict[str, Any]) -> UnitDescription:
    """The entry of ST12 of a case."""
    one = case["entry"]
    return entry(one["ID_CODE"], one["TIME_BASE"], *one["quadrants"], multiplier=one["MULTIPLIER"], net=one["net"],
                 phase=one["SEGMENTATION"])  # fmt: skip
