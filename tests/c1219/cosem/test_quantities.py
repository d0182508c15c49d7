from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from c1219.codes.units import describe_unit
from c1219.cosem import quantities
from c1219.cosem.event_codes import EVENTS_TO_COSEM, c1219_event, cosem_event
from c1219.cosem.names import LogicalName
from c1219.cosem.numbers import Scale
from c1219.cosem.quantities import ROWS, meaning, name_of
from tests.c1219.cosem.cases import CASES, SPECS, case_entry, entry, sample


@pytest.mark.parametrize("case", CASES["names"], ids=lambda case: f"{case['row']} {case['kind']} {case['tier']}")
def test_published_names(case: dict[str, Any]) -> None:
    named = name_of(case_entry(case), case["kind"], case["tier"])
    assert case["row"] in named.rows
    assert (named.name and str(named.name), named.interface, named.unit, named.fidelity) == (
        case["obis"], case["class_id"], case["unit"], case["map"],
    )  # fmt: skip
    if named.name is None:
        assert named.remarks
        return
    factor = case_entry(case).factor
    assert Scale("INT32", factor, Decimal(0), signed=named.signed, unit=named.unit).scaler == case["scaler"]
    back = meaning(named.name, unit=named.unit)
    assert back is not None
    assert back.tier == case["tier"]
    assert (back.entry["ID_CODE"], back.entry["SEGMENTATION"]) == (
        case["entry"]["ID_CODE"],
        case["entry"]["SEGMENTATION"],
    )
    assert [n for n in (1, 2, 3, 4) if back.entry[f"Q{n}_ACCOUNTABILITY"]] == case["entry"]["quadrants"]


@pytest.mark.parametrize(
    ("row", "uom", "kind", "name"),
    [
        ("M06", entry(0, 0, 1, 2), "summation", None),
        ("M11", entry(1, 0), "summation", None),
        ("M12", entry(6, 0, 1, 2), "summation", "1.0.3.8.0.255"),
        ("M15", entry(2, 0, 1), "summation", None),
        ("M16", entry(3, 0, 1, 4), "summation", None),
        ("M18", entry(0, 0, 1, 4, phase=1), "summation", None),
        ("M20", entry(0, 4, 1, 4), "demand maximum", "1.0.1.6.0.255"),
        ("M21", entry(0, 3, 1, 4), "demand maximum", "1.0.1.6.0.255"),
        ("M22", entry(0, 6, 1, 4), "demand maximum", "1.0.1.6.0.255"),
        ("M23", entry(0, 5, 1, 4), "summation", None),
        ("M23", entry(0, 5, 1, 4), "profile delta", "1.0.1.29.0.255"),
        ("M25", entry(8, 1, phase=2), "present value", "1.0.125.7.0.255"),
        ("M26", entry(8, 1, phase=4), "present value", "1.0.92.7.0.255"),
        ("M27", entry(9, 1, phase=5), "present value", "1.0.32.7.0.255"),
        ("M29", entry(15, 1, phase=4), "present value", "1.0.91.7.0.255"),
        ("M31", entry(14), "summation", "1.0.88.8.0.255"),
        ("M32", entry(8), "summation", None),
        ("M33", entry(16, 1, phase=5), "present value", "1.0.32.7.124.255"),
        ("M34", entry(20, 1, phase=6), "present value", "1.0.81.7.1.255"),
        ("M35", entry(22, 1, phase=5), "present value", "1.0.81.7.4.255"),
        ("M36", entry(23, 1, phase=3), "present value", "1.0.81.7.64.255"),
        ("M37", entry(24, 1, phase=7), "present value", "1.0.73.7.0.255"),
        ("M38", entry(26), "present value", "1.0.13.0.0.255"),
        ("M40", entry(40, 7, phase=5), "summation", "1.0.32.32.0.255"),
        ("M40", entry(41, 7), "summation", "1.0.12.36.0.255"),
        ("M41", entry(43, 7), "summation", None),
        ("M42", entry(50), "summation", "0.0.96.7.21.255"),
        ("M43", entry(51), "summation", "1.0.0.1.0.255"),
        ("M44", entry(52), "summation", "0.0.96.2.0.255"),
        ("M45", entry(53), "summation", "0.0.96.6.0.255"),
        ("M46", entry(55), "summation", "0.0.96.15.55.255"),
        ("M47", entry(59), "summation", "0.0.96.20.0.255"),
        ("M48", entry(54), "summation", "0.0.96.20.10.255"),
        ("M49", entry(61), "summation", "0.0.96.15.61.255"),
        ("M50", entry(29, 1), "present value", "1.0.0.9.1.255"),
        ("M51", entry(34), "summation", "1.0.82.8.0.255"),
        ("M52", entry(67), "summation", "7.0.3.0.0.255"),
        ("M53", entry(65), "summation", "7.0.3.2.0.255"),
        ("M54", entry(66), "summation", "7.0.3.1.0.255"),
        ("M55", entry(64, 1), "present value", "7.0.43.0.0.255"),
        ("M56", entry(217, 1), "present value", "0.0.96.9.0.255"),
        ("M57", entry(86, 1), "present value", "7.0.42.0.0.255"),
        ("M58", entry(77), "summation", None),
        ("M59", entry(130), "summation", "8.0.1.0.0.255"),
        ("M60", entry(128, 1), "present value", "8.0.2.0.0.255"),
        ("M61", entry(140), "summation", "8.0.1.0.0.255"),
        ("M62", entry(190), "summation", None),
        ("M63", entry(0, 0, 1, 4, HARMONIC=1), "summation", None),
        ("M64", entry(0, 0, 1, 4, NFS=1), "summation", None),
        ("M64", entry(100), "summation", None),
    ],
)  # fmt: skip
def test_the_other_rows(row: str, uom: Any, kind: Any, name: str | None) -> None:
    named = name_of(uom, kind)
    assert row in named.rows
    assert (named.name and str(named.name)) == name
    assert named.fidelity != "E" or ROWS[row].fidelity == "E"
    assert bool(named.remarks) or named.fidelity == "E", "a loss has a name"


def test_the_unit_tells_codes_of_one_quantity_apart() -> None:
    name = LogicalName(7, 0, 3, 0, 0)
    assert meaning(name, unit=13).entry["ID_CODE"] == 64  # type: ignore[union-attr]
    assert meaning(name, unit=137).entry["ID_CODE"] == 67  # type: ignore[union-attr]
    assert meaning(name, unit=30) is None
    assert meaning(LogicalName(1, 0, 1, 31, 0)) is None
    assert meaning(LogicalName(1, 0, 1, 8, 9)) is None, "C12.19 has eight tiers"


def test_a_direction_is_only_taken_from_the_caller() -> None:
    assert name_of(entry(0, 0), "summation").name is None
    named = name_of(entry(0, 0), "summation", 1, undirected="delivered")
    assert str(named.name) == "1.0.1.8.2.255"
    assert named.fidelity == "C"
    assert named.remarks == ("the direction is what the caller said",)


def test_a_rate_needs_value_group_e() -> None:
    assert name_of(entry(16, 1, phase=5), "present value", 0).name is None
    assert "value group E" in name_of(entry(16, 1, phase=5), "present value", 0).remarks[0]


def test_every_name_goes_back_to_what_gives_it() -> None:
    known = quantities._meanings()
    assert len(known) > 500
    for name in known:
        back = meaning(name)
        assert back is not None
        assert name_of(describe_unit({**back.entry, "MULTIPLIER": 0}), back.kind, back.tier).name == name


@given(st.integers(0, 255), st.integers(0, 7), st.sets(st.integers(1, 4)), st.integers(0, 1), st.integers(0, 7),
       st.sampled_from([*quantities._KINDS]), st.none() | st.integers(0, 300))  # fmt: skip
def test_any_entry_has_a_name_or_a_reason(
    code: int, base: int, quadrants: set[int], net: int, phase: int, kind: Any, tier: int | None
) -> None:
    named = name_of(entry(code, base, *quadrants, net=net, phase=phase), kind, tier)
    if named.name is None:
        assert named.fidelity == "N"
        assert named.remarks[0]
    else:
        assert named.fidelity in "ELC"
        assert all(0 <= group <= 255 for group in named.name)
        assert all(row in ROWS for row in named.rows)


NOT_SHOWN = {
    "M69": "no sample keeps a second maximum; tests/c1219/cosem/test_mapping.py has one",
    "M83": "MAX_INT_TIME has 8 bits: no table can declare intervals of a day",
    "M86": "end readings are in the registers at that time; they have no column yet",
    "M91": "counts only: entries_in_use and profile_entries of M82",
    "M93": "an attribute of M92", "M94": "an attribute of M92", "M95": "attributes of M92", "M96": "an attribute of M92",
    "M97": "needs SET, which the gateway does not have",
    "M99": "an attribute of M98", "M101": "no sample has tiers of demands of their own",
    "M104": "a device file holds no pending tables", "M106": "nothing in COSEM is like it",
    "M117": "no script of COSEM is a self read", "M121": "no layout", "M122": "no layout", "M123": "no layout",
    "M120": "no sample offers SP21; tests/c1219/cosem/test_mapping.py does", "M125": "everything is for reading", "M126": "no sample has ST45", "M127": "nothing in COSEM is like it",
    "M128": "alarm bits are a profile's own", "M129": "the object list of the gateway",
}  # fmt: skip


def test_every_row_has_a_test_or_a_reason() -> None:
    text = SPECS.parent.joinpath("tests/c1219/cosem/test_quantities.py").read_text("utf-8")
    seen = {case["row"] for case in CASES["names"]} | {row for row in ROWS if f'("{row}", entry(' in text}
    for name in ("polyphase-tou", "single-phase"):
        objects = sample(name).cosem()
        seen |= {row for one in objects for row in one.rows} | {row for one in objects.residue for row in one.rows}
    assert set(ROWS) == seen | set(NOT_SHOWN)
    assert list(ROWS) == [f"M{number:02}" for number in range(1, 131)]


def test_events_both_ways() -> None:
    for row in EVENTS_TO_COSEM:
        assert cosem_event(row.code) == row.cosem
        assert cosem_event(row.code, manufacturer=True) is None
        if row.fidelity == "E" and row.code not in {5, 6, 16}:  # 3 and 4 have the same text
            assert row.cosem is not None
            assert c1219_event(row.cosem) == row.code
    assert cosem_event(20) is None
    assert (c1219_event(3, dst=True), c1219_event(3, dst=False), c1219_event(200)) == (22, 23, None)
