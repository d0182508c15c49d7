"""One register value, as a row that says what it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from c1219.codes.reading_type import register_type
from c1219.values import Raw

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping
    from decimal import Decimal

    from c1219.codes.reading_type import ReadingType
    from c1219.codes.units import Direction, Segmentation
    from c1219.rules.sources import Source

__all__ = ["Kind", "Period", "Register", "raw_as_json"]

Kind = Literal[
    "summation", "demand", "cumulative", "continuous cumulative", "coincident", "present demand", "present value",
    "demand resets",
]  # fmt: skip
"""What sort of value a register holds. Cumulative: the sum of the maxima up to the last reset; continuous cumulative:
the same with the maximum of this period."""

Period = Literal["current", "previous season", "previous demand reset", "self read", "present"]
"""Which table a register is of: ST23, ST24, ST25, ST26 and ST28, in this order."""


class Register(NamedTuple):
    """One value of the register tables. What is not known, or does not apply, is None.

    Attributes:
        path: where it is, for example ``ST23.TOT_DATA_BLOCK.SUMMATIONS[0]``.
        period: which table it is of.
        kind: what sort of value it is.
        block: ``total`` or ``tier n``; None in ST28, which has no tiers.
        tier: n of the block, 0 for the first of TIER_DATA_BLOCK; None for the total.
        occurrence: of a demand or coincident value, 0 for the first.
        source: index into ST16.
        quantity: for example ``active energy delivered``.
        unit: of `value`: ``Wh``; ``""`` for a pure number.
        value: after multiplier, scaling and constants.
        raw: as decoded; `Raw` if the octets are no number.
        extreme: ``maximum`` or ``minimum``, of demands and of what is coincident with them.
        interval: of the demand, in minutes.
        phase: of an electric quantity.
        direction: which way it flows.
        quadrants: quadrants counted, 1..4; empty where the direction does not matter.
        event_time: when a demand occurred; aware if the offset from UTC is known, else by the meter's clock.
        time_remaining: of the interval of a present demand.
        period_end: when the values were taken, aware or not in the same way; None for the current ones.
        season: season of the period.
        self_read: sequence number of the self read.
        valid: value, quantity and unit are known.
        remarks: a sentence for each thing that is not known, or is doubtful.
    """

    path: str
    period: Period
    kind: Kind
    block: str | None
    tier: int | None
    occurrence: int | None
    source: int | None
    quantity: str | None
    unit: str | None
    value: Decimal | None
    raw: Any
    extreme: Literal["maximum", "minimum"] | None
    interval: int | None
    phase: Segmentation | None
    direction: Direction | None
    quadrants: tuple[int, ...]
    event_time: dt.datetime | None
    time_remaining: dt.time | None
    period_end: dt.datetime | None
    season: int | None
    self_read: int | None
    valid: bool
    remarks: tuple[str, ...]

    @property
    def table(self) -> str:
        """Label of the table it is of, for example ``ST23``."""
        return self.path.partition(".")[0]

    def reading_type(self, sources: Mapping[int, Source], *, partial: bool = False) -> ReadingType | None:
        """Return its name in IEC CIM, None if it has none.

        Args:
            sources: what is measured, by index.
            partial: what has no code is 0, and the rest is given.
        """
        source = None if self.source is None else sources.get(self.source)
        return register_type(
            None if source is None else source.uom, self.unit, self.kind, tier=self.tier, occurrence=self.occurrence,
            extreme=self.extreme, interval=self.interval, subintervals=1 if source is None else source.subintervals,
            period=self.period, primary=source is not None and source.primary, partial=partial,
        )  # fmt: skip

    def as_dict(self) -> dict[str, Any]:
        """Return it in terms of JSON: Decimal as string, times as ISO 8601."""
        items = dict(zip(self._fields, self, strict=True))  # faster than _asdict
        items["value"] = None if self.value is None else f"{self.value:f}"
        items["raw"] = raw_as_json(self.raw)
        items["phase"] = None if self.phase is None else self.phase.text
        items["quadrants"], items["remarks"] = list(self.quadrants), list(self.remarks)
        for name in ("event_time", "time_remaining", "period_end"):
            items[name] = items[name] and items[name].isoformat()
        return items


def raw_as_json(raw: Any) -> Any:
    """Return the raw value of a row in terms of JSON."""
    if isinstance(raw, Raw):
        return {"raw": raw.hex()}
    if isinstance(raw, float):
        return raw if raw - raw == 0 else str(raw)
    return raw if raw is None or isinstance(raw, int) else str(raw)
