"""Rows M01 to M64: which logical name a source has, by its entry of ST12.

From Gurux.DLMS' list of codes, the open DSMR and SMR profiles and Connexo; a mark `?` is a reading of ours.
"""

from __future__ import annotations

from typing import Final

from c1219.codes.quantities import IdCode
from c1219.codes.units import Segmentation, TimeBase
from c1219.cosem.row import AVERAGES, BULK, SAMPLES, EntryRule, MappingRow
from c1219.cosem.units import NO_UNIT

__all__ = ["LINE_TO_LINE", "QUANTITY_ROWS"]

_A, _B, _C = Segmentation.A_N, Segmentation.B_N, Segmentation.C_N
_ALL, _NEUTRAL = Segmentation.ALL, Segmentation.NEUTRAL
LINE_TO_LINE: Final = (Segmentation.A_B, Segmentation.B_C, Segmentation.C_A)
_EVENT: Final = frozenset({TimeBase.EVENT})
_NOT_BULK: Final = SAMPLES | AVERAGES


def _ids(*codes: int) -> frozenset[int]:
    return frozenset(codes)


_W, _VAR, _VA = _ids(0), _ids(1, 6), _ids(2)
_POWERS: Final = _W | _VAR | _VA
_VOLTS, _AMPERES = {_ALL: 12, _A: 32, _B: 52, _C: 72}, {_ALL: 11, _A: 31, _B: 51, _C: 71, _NEUTRAL: 91}
_FACTORS: Final = {_ALL: 13, _A: 33, _B: 53, _C: 73}
_ANY_SEGMENT: Final = dict.fromkeys(Segmentation, 0)


def _single(base: int) -> dict[tuple[int, ...], int]:
    return {(quadrant,): base + quadrant for quadrant in (1, 2, 3, 4)}


def _own(*codes: int) -> tuple[EntryRule, ...]:
    """Return rules of counters in the register of event counters, whose value group E is the ID_CODE."""
    return tuple(EntryRule(_ids(code), a=0, c=96, d=15, e=code) for code in codes)


def _angles(code: int, elements: dict[Segmentation, int]) -> EntryRule:
    return EntryRule(_ids(code), _NOT_BULK, phases=elements, phased="e", c=81, d=7, e=0, signed=True)


QUANTITY_ROWS: Final = (
    MappingRow(
        "M01", "W, Q1+Q4", "`1-b:1.8.e`", "V", "E",
        rules=(EntryRule(_W, flows={(1, 4): 1}, net=False),),
    ),
    MappingRow("M02", "W, Q2+Q3", "`1-b:2.8.e`", "V", "E", rules=(EntryRule(_W, flows={(2, 3): 2}, net=False),)),
    MappingRow(
        "M03", "W, all quadrants, no net", "`1-b:15.8.e`", "V", "E",
        rules=(EntryRule(_W, flows={(1, 2, 3, 4): 15}, net=False),),
    ),
    MappingRow(
        "M04", "W, all quadrants, net", "`1-b:16.8.e`", "V", "E",
        rules=(EntryRule(_W, flows={(1, 2, 3, 4): 16}, net=True, signed=True),),
    ),
    MappingRow(
        "M05", "W, one quadrant n", "`1-b:(16+n).8.e`", "V", "E", rules=(EntryRule(_W, flows=_single(16), net=False),)
    ),
    MappingRow(
        "M07", "W, no quadrant", "–", "V", "N", "the direction is not stated",
        (EntryRule(_W, flows={(): 0}, undirected=1),)
    ),
    MappingRow(
        "M06", "W, other sets of quadrants", "–", "V", "N", "no value group C for these quadrants", (EntryRule(_W),)
    ),
    MappingRow("M08", "var, Q1+Q2", "`1-b:3.8.e`", "V", "E", rules=(EntryRule(_VAR, flows={(1, 2): 3}, net=False),)),
    MappingRow("M09", "var, Q3+Q4", "`1-b:4.8.e`", "V", "E", rules=(EntryRule(_VAR, flows={(3, 4): 4}, net=False),)),
    MappingRow(
        "M10", "var, one quadrant n", "`1-b:(4+n).8.e`", "V", "E", rules=(EntryRule(_VAR, flows=_single(4), net=False),)
    ),
    MappingRow(
        "M11", "var, other sets of quadrants, or none", "–", "V", "N", "no value group C for these quadrants",
        (EntryRule(_VAR, flows={(): 0}, undirected=3), EntryRule(_VAR)),
    ),
    MappingRow(
        "M12", "var from VA and W", "as M08 to M11", "1", "L", "how it was computed",
        (EntryRule(_ids(IdCode.REACTIVE_POWER_VECTOR)),), adds=True,
    ),
    MappingRow("M13", "VA, Q1+Q4", "`1-b:9.8.e`", "V", "E", rules=(EntryRule(_VA, flows={(1, 4): 9}, net=False),)),
    MappingRow("M14", "VA, Q2+Q3", "`1-b:10.8.e`", "V", "E", rules=(EntryRule(_VA, flows={(2, 3): 10}, net=False),)),
    MappingRow(
        "M15", "VA, all quadrants, none or one", "–", "V", "N", "no value group C for these quadrants",
        (EntryRule(_VA, flows={(): 0}, undirected=9), EntryRule(_VA)),
    ),
    MappingRow(
        "M16", "phasor VA, distortion VA, Q(60), Q(45)", "–", "1/?", "N", "no value group C, no unit for Q",
        (EntryRule(_ids(3, 4, 5, 7)),),
    ),
    MappingRow(
        "M17", "W, var, VA of A-N, B-N, C-N", "C + 20, 40, 60", "1", "E",
        rules=(EntryRule(_POWERS, phases={_A: 20, _B: 40, _C: 60}),), adds=True,
    ),
    MappingRow(
        "M18", "W, var, VA of A-B, B-C, C-A", "–", "1", "N", "there is no code for power between two phases",
        (EntryRule(_POWERS, phases=dict.fromkeys(LINE_TO_LINE, 0)),),
    ),
    MappingRow(
        "M19", "W, var, VA, instantaneous or of one period", "`1-b:c.7.0`", "V", "E",
        rules=(EntryRule(_POWERS, SAMPLES),), adds=True,
    ),
    MappingRow(
        "M20", "W, var, VA, block demand", "D 1 to 6 by kind", "V", "E",
        rules=(EntryRule(_POWERS, frozenset({TimeBase.BLOCK_DEMAND})),), adds=True,
    ),
    MappingRow(
        "M21", "W, var, VA, sub-block demand", "as M20", "V", "L", "sub-blocks show only in number_of_periods",
        (EntryRule(_POWERS, frozenset({TimeBase.SUB_BLOCK_DEMAND})),), adds=True,
    ),
    MappingRow(
        "M22", "W, var, VA, thermal demand", "as M20", "V", "L", "that the response is exponential",
        (EntryRule(_POWERS, frozenset({TimeBase.THERMAL_DEMAND})),), adds=True,
    ),
    MappingRow(
        "M23", "W, var, VA, net bulk", "D 29 in a profile", "V", "L", "between which two moments it counts",
        (EntryRule(_POWERS, frozenset({TimeBase.NET_BULK})),), adds=True,
    ),
    MappingRow(
        "M24", "V rms of a phase or all", "`1-b:(12, 32, 52, 72).7.0`", "V", "E",
        rules=(EntryRule(_ids(8), _NOT_BULK, phases=_VOLTS),),
    ),
    MappingRow(
        "M25", "V of A-B, B-C, C-A", "`1-b:(124, 125, 126).7.0`", "1", "C", "the order of 124 to 126 is not certain",
        (EntryRule(_ids(8, 9, 11), _NOT_BULK, phases=dict(zip(LINE_TO_LINE, (124, 125, 126), strict=True))),),
    ),
    MappingRow(
        "M26", "V of the neutral", "`1-b:92.7.0`", "1", "E", "may also mean: no phase information",
        (EntryRule(_ids(8, 9, 11), _NOT_BULK, phases={_NEUTRAL: 92}),),
    ),
    MappingRow(
        "M27", "average and instantaneous V", "as M24", "1/V", "L", "rms or mean is not in the code",
        (EntryRule(_ids(9, 11), _NOT_BULK, phases=_VOLTS),),
    ),
    MappingRow(
        "M28", "A rms of a phase, all or the neutral", "`1-b:(11, 31, 51, 71, 91).7.0`", "V", "E",
        rules=(EntryRule(_ids(12), _NOT_BULK, phases=_AMPERES),),
    ),
    MappingRow(
        "M29", "average and instantaneous A", "as M28", "?/V", "L", "rms or mean is not in the code",
        (EntryRule(_ids(13, 15), _NOT_BULK, phases=_AMPERES),),
    ),
    MappingRow(
        "M30", "V², bulk", "`1-b:89.8.e`", "V", "L", "one code for all phases",
        (EntryRule(_ids(10), BULK, phases=_ANY_SEGMENT, c=89),),
    ),
    MappingRow(
        "M31", "A², bulk", "`1-b:88.8.e`", "V", "L", "one code for all phases",
        (EntryRule(_ids(14), BULK, phases=_ANY_SEGMENT, c=88),),
    ),
    MappingRow(
        "M32", "V² and A² not bulk, Vh, Ah", "–", "V", "N", "no value group C; no unit V², A², Vh",
        (EntryRule(_ids(*range(8, 16))),),
    ),
    MappingRow(
        "M33", "THD of voltage or current", "`1-b:(12 …, 11 …).7.124`", "1", "L", "by which method",
        (
            EntryRule(_ids(16, 18), _NOT_BULK, phases=_VOLTS, e=124, unit=56),
            EntryRule(_ids(17, 19), _NOT_BULK, phases=_AMPERES, e=124, unit=56),
        ),
    ),
    MappingRow(
        "M34", "angle of V to VA, B-N and C-N", "`1-b:81.7.1`, `.2`", "1", "L", "which way is positive",
        (_angles(20, {_B: 1, _C: 2}),),
    ),
    MappingRow(
        "M35", "angle of I to VA", "`1-b:81.7.(4, 5, 6)`", "1", "L", "which way is positive",
        (_angles(22, {_A: 4, _B: 5, _C: 6}),),
    ),
    MappingRow(
        "M36", "angle Vx-Vy, Ix-Iy", "`1-b:81.7.(1, 12, 20; 45, 56, 64)`", "1", "C",
        "which of the two is the reference",
        (
            _angles(21, dict(zip(LINE_TO_LINE, (1, 12, 20), strict=True))),
            _angles(23, dict(zip(LINE_TO_LINE, (45, 56, 64), strict=True))),
        ),
    ),
    MappingRow(
        "M37", "power factor", "`1-b:(13, 33, 53, 73).7.0`", "V", "L", "apparent or phasor; what its sign means",
        (EntryRule(_ids(24, 25), _NOT_BULK, phases=_FACTORS, signed=True),),
    ),
    MappingRow(
        "M38", "average power factor", "`1-b:13.0.0`", "?", "C", "over which time",
        (EntryRule(_ids(26), phases={_ALL: 13}, d=0, e=0, signed=True),),
    ),
    MappingRow(
        "M39", "frequency", "`1-b:14.7.0`", "V", "E",
        rules=(EntryRule(_ids(33), _NOT_BULK, phases=_ANY_SEGMENT, c=14),),
    ),
    MappingRow(
        "M40", "number of sags, swells", "`1-b:(32, 52, 72).32.0`, `.36.0`; all phases: `1-b:12.36.0`", "1/V", "L",
        "thresholds; sags of all phases have no code",
        (
            EntryRule(_ids(40), _EVENT, phases={_A: 32, _B: 52, _C: 72}, d=32, e=0),
            EntryRule(_ids(41), _EVENT, phases=_VOLTS, d=36, e=0),
        ),
    ),
    MappingRow(
        "M41", "excursion low, high", "–", "1", "N", "would be taken for sags and swells", (EntryRule(_ids(43, 44)),)
    ),
    MappingRow(
        "M42", "number of outages", "`0-b:96.7.21`", "V", "L", "of any phase or of all",
        (EntryRule(_ids(42), _EVENT, a=0, c=96, d=7, e=21), EntryRule(_ids(50), a=0, c=96, d=7, e=21)),
    ),
    MappingRow("M43", "number of demand resets", "`1-b:0.1.0`", "V", "E", rules=(EntryRule(_ids(51), d=1, e=0),)),
    MappingRow("M44", "times programmed", "`0-b:96.2.0`", "V", "E", rules=(EntryRule(_ids(52), a=0, c=96, d=2, e=0),)),
    MappingRow("M45", "time on battery", "`0-b:96.6.0`", "V/1", "E", rules=(EntryRule(_ids(53), a=0, c=96, d=6, e=0),)),
    MappingRow(
        "M46", "tampers: removal, reprogramming, power loss, reverse, encoder", "`0-b:96.15.(ID_CODE)`", "?", "C",
        "there are no codes: the number is ours", _own(55, 56, 57, 58, 60),
    ),
    MappingRow(
        "M47", "physical tampers", "`0-b:96.20.0`", "?", "C", "which cover",
        (EntryRule(_ids(59), a=0, c=96, d=20, e=0),)
    ),
    MappingRow(
        "M48", "inversion tampers", "`0-b:96.20.10`", "?/1", "C", "the code is not certain",
        (EntryRule(_ids(54), a=0, c=96, d=20, e=10),),
    ),
    MappingRow(
        "M49", "watchdog recoveries, diagnostic alarms", "`0-b:96.15.(ID_CODE)`", "1", "C",
        "there are no codes: the number is ours", _own(61, 62),
    ),
    MappingRow(
        "M50", "time of day, date, both", "`1-b:0.9.1`, `1-b:0.9.2`, `0-b:1.0.0`", "1", "E",
        rules=(EntryRule(_ids(29), d=9, e=1), EntryRule(_ids(30), d=9, e=2), EntryRule(_ids(31), a=0, c=1, d=0, e=0)),
    ),
    MappingRow(
        "M51", "counter; sense input; pulse outputs", "`1-b:82.8.0`; `0-b:96.3.1`; `0-b:96.3.2`", "1", "C",
        "timers and power quality conditions have no code",
        (
            EntryRule(_ids(34), phases=_ANY_SEGMENT, c=82, d=8, e=0),
            EntryRule(_ids(35), a=0, c=96, d=3, e=1),
            EntryRule(_ids(36, 37, 38), a=0, c=96, d=3, e=2, unit=NO_UNIT),
        ),
    ),
    MappingRow(
        "M52", "gas, uncorrected, bulk", "`7-b:3.0.e`", "1", "E", rules=(EntryRule(_ids(64, 67), BULK, a=7, c=3, d=0),)
    ),
    MappingRow(
        "M53", "gas, corrected to base conditions, bulk", "`7-b:3.2.e`", "1", "L", "which correction",
        (EntryRule(_ids(65), BULK, a=7, c=3, d=2, unit=14), EntryRule(_ids(68), BULK, a=7, c=3, d=2)),
    ),
    MappingRow(
        "M54", "gas, pressure base without supercompressibility, bulk", "`7-b:3.1.e`", "1", "L",
        "`corrected` may mean another correction",
        (EntryRule(_ids(66), BULK, a=7, c=3, d=1, unit=14), EntryRule(_ids(69), BULK, a=7, c=3, d=1)),
    ),
    MappingRow(
        "M55", "gas, as a rate", "`7-b:43.0.0`", "1", "C", "the averaging interval",
        (EntryRule(_ids(*range(64, 70)), _NOT_BULK, a=7, c=43, d=0, e=0),),
    ),
    MappingRow(
        "M56", "dry bulb temperature, temperature", "`0-b:96.9.0`", "V/1", "L", "ambient or of the gas",
        (EntryRule(_ids(70, 72, 74, 217), a=0, c=96, d=9, e=0, signed=True),),
    ),
    MappingRow(
        "M57", "static pressure: Pa, psi, bar", "`7-b:42.0.0`", "1", "C", "absolute or gauge",
        (EntryRule(_ids(78, 80, 86), a=7, c=42, d=0, e=0),),
    ),
    MappingRow("M58", "gas energy", "–", "1", "N", "value group C is not established", (EntryRule(_ids(76, 77)),)),
    MappingRow(
        "M59", "liquid, bulk", "`8-b:1.0.e`", "1/?", "C", "cold or hot water, or another liquid",
        (EntryRule(_ids(*range(128, 133)), BULK, a=8, c=1, d=0),),
    ),
    MappingRow(
        "M60", "liquid, as a rate", "`8-b:2.0.0`", "?", "C", "cold or hot water, or another liquid",
        (EntryRule(_ids(*range(128, 133)), _NOT_BULK, a=8, c=2, d=0, e=0),),
    ),
    MappingRow(
        "M61", "liquid volume", "`8-b:1.0.e`", "?", "C", "cold or hot water, or another liquid",
        (EntryRule(_ids(140, 141), a=8, c=1, d=0),),
    ),
    MappingRow("M62", "currency", "–", "1", "N", "no name without a model of prepayment", (EntryRule(_ids(190)),)),
    MappingRow("M63", "a harmonic", "–", "1", "N", "ST12 does not say which harmonic"),
    MappingRow("M64", "NFS, reserved ID_CODE", "class 26 only", "V", "N", "it is the manufacturer's own"),
)  # fmt: skip
"""In the order in which they are tried; those that `adds` say more about what another names."""
