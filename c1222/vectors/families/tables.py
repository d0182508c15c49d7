"""Tables of generated configurations, with the tables that they depend on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from c1219.engine.bound import leaves
from c1219.errors import C1219Error
from c1222.vectors.configurations import CONFIGURATIONS, configure, octets_for
from c1222.vectors.operations import answer

if TYPE_CHECKING:
    from c1219.device import Device
    from c1219.engine.layout import Layout
    from c1219.schema import Table
    from c1222.vectors.author import Author

__all__ = ["NAME", "PURPOSE", "cases", "tables_of"]

NAME = "tables"
PURPOSE = "C12.19 tables in generated configurations; `tables` are those that layouts depend on, numbered as in ST0"

_LARGEST: Final = 400
"""Octets of the largest table of a case."""
_FLAGS: Final = {"V": (), "1": ("OneSourceTable",), "?": ("InferredTable",), "name only": ()}


def cases(author: Author) -> None:
    for number, configuration in enumerate(CONFIGURATIONS):
        device = configure(configuration, author.rng)
        known = tables_of(device)
        general = {"table": "ST0", "octets": device[0].raw.hex()}
        author.group(f"{configuration.name}-st0", "table.decode", f"ST0, {configuration.name}.", tables={})
        author.valid("ST0 decides its own layout", **general)
        taken = _decode(author, device, f"{configuration.name}-decode", known)
        _encode(author, f"{configuration.name}-encode", known, taken[number % 3 :: 3])
        if number < 2:
            _procedures(author, device, f"{configuration.name}-procedures", known)
    _spoilt(author, device)


def tables_of(device: Device) -> dict[str, str]:
    """Return the tables of a device as a case has them."""
    return {label.removeprefix("ST"): device[label].raw.hex() for label in device}


def _decode(author: Author, device: Device, name: str, known: dict[str, str]) -> list[tuple[str, tuple[str, ...], str]]:
    author.group(name, "table.decode", "Octets to values by the names of the standard.", tables=known)
    taken = []
    for table in device.registry.tables():
        if table.needs_own_octets or table.manufacturer or table.secret:
            continue
        try:
            layout = device.bind(table.label)
        except C1219Error:
            continue  # not laid out in this configuration
        if not 0 < layout.size <= _LARGEST:
            continue
        octets = octets_for(layout, author.rng).hex()
        flags = _flags(table)
        author.valid(f"{table.label}, {table.title}", *flags, table=table.label, octets=octets)
        taken.append((table.label, flags, octets))
    return taken


def _flags(table: Table) -> tuple[str, ...]:
    dependent = ("DependentTable",) if set(table.depends_on) - {"ST0"} else ()
    return (*dependent, *_FLAGS[table.confidence])


def _encode(author: Author, name: str, known: dict[str, str], taken: list[tuple[str, tuple[str, ...], str]]) -> None:
    author.group(name, "table.encode", "Values to octets; filler is 0, text padded with blanks.", tables=known)
    for label, flags, octets in taken:
        value = (answer("table.decode", {"tables": known, "table": label, "octets": octets}).output or {})["value"]
        author.valid(label, *flags, table=label, value=value)


def _procedures(author: Author, device: Device, name: str, known: dict[str, str]) -> None:
    author.group(name, "table.decode", "ST7 and ST8 in the form of the procedure that they name.", tables=known)
    order = "big" if device[0].value.FORMAT_CONTROL_1.DATA_ORDER else "little"
    for procedure in device.registry.procedures():
        if procedure.manufacturer:
            continue
        head = procedure.number.to_bytes(2, order)  # type: ignore[arg-type]
        for table, side, sure in zip(("ST7", "ST8"), ("parameters", "response"), procedure.confidence[1:], strict=True):
            try:
                layout = device.procedure_layout(procedure.number, side)
            except C1219Error:
                continue
            if layout is None or layout.size > _LARGEST or _is_secret(layout):
                continue
            octets = head + b"\x05" + b"\0" * (table == "ST8") + octets_for(layout, author.rng)
            author.valid(
                f"{table}: {side} of procedure {procedure.number}", *_FLAGS[sure], table=table, octets=octets.hex()
            )


def _is_secret(layout: Layout) -> bool:
    return any(leaf.declared.secret for _, _, leaf in leaves(layout.root, "", 0, 0, layout.size))


def _spoilt(author: Author, device: Device) -> None:
    known = tables_of(device)
    author.group(
        "spoilt", "table.decode", "Tables that are too short or too long, or lack what they depend on.", tables=known
    )
    for label in ("ST1", "ST3", "ST23", "ST52", "ST63"):
        octets: Any = octets_for(device.bind(label), author.rng)
        author.valid(f"{label} as it should be", *_flags(device.declaration(label)), table=label, octets=octets.hex())
        author.invalid(f"{label}: an octet is missing", "Truncated", table=label, octets=octets[:-1].hex())
        author.invalid(f"{label}: half of it", "Truncated", table=label, octets=octets[: len(octets) // 2].hex())
        author.acceptable(f"{label}: an octet too many", "Surplus", table=label, octets=octets.hex() + "00")
    for gone in ("0", "21"):
        some = {number: octets for number, octets in known.items() if number != gone}
        author.invalid(f"ST23 without ST{gone}", "DependentTable", table="ST23", octets="00" * 20, tables=some)
    author.invalid("ST0: an octet is missing", "Truncated", table="ST0", octets=device[0].raw[:-1].hex())
