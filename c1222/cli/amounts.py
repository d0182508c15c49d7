"""Amounts in columns of text: in the unit that ``--unit`` asks for, decimal points one below the other."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import click

from c1222.amounts import amount_text, number_text, shown_unit

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

__all__ = ["KILO", "aligned", "amount", "unit_option"]

KILO: Final = "kilo"
_NUMBER: Final = re.compile(r"-?[\d,]+(\.\d+)?")

unit_option = click.option(
    "--unit",
    type=click.Choice([KILO, "base", "raw"]),
    default=KILO,
    show_default=True,
    help="Amounts in text: in kWh, kW and kvarh, in Wh, W and varh, or as the meter stores them; other forms have base "
    "units.",
)


def amount(value: Decimal | None, unit: str | None, raw: Any, wanted: str) -> tuple[str, str | None]:
    """Return a value and its unit as text.

    Args:
        value: in `unit`; None if it is not known.
        unit: base unit, such as ``Wh``.
        raw: the value as the meter stores it.
        wanted: ``kilo``, ``base`` or ``raw``.
    """
    if value is None or wanted == "raw":
        stored = raw.hex(" ") if isinstance(raw, bytes) else str(raw)
        return (stored, None) if wanted == "raw" else (f"raw {stored}", unit)
    if wanted == KILO:
        return amount_text(value, unit), unit and shown_unit(unit)
    return number_text(value), unit


def aligned(cells: Sequence[str | None]) -> list[str]:
    """Return the cells of a column whose text stands to the right, so that points are one below the other."""
    found = [None if cell is None else _NUMBER.fullmatch(cell) for cell in cells]
    tails = [0 if number is None or number[1] is None else len(number[1]) for number in found]
    longest = max(tails, default=0)
    return [
        (cell or "") + " " * (0 if number is None else longest - tail)
        for cell, number, tail in zip(cells, found, tails, strict=True)
    ]
