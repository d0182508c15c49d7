"""The meter of the worked examples, all tables that views of registers and identity need."""

from __future__ import annotations

from typing import Final

from c1219.device import Device

_REGISTERS = (
    "07 40 E2 01 00 00 00 1A 0B 16 0E 1E 31 D4 00 00 00 00 68 10 00 00 CC 5D 00 00"
    " A0 5B 00 00 00 00 1A 0B 14 09 0F E1 10 00 00 00 00 1C 0C 00 00 B6 5D 00 00"
)
_INFO = "1A 0B 01 00 00 01"

TABLES: Final[dict[int, bytes]] = {
    number: bytes.fromhex(octets)
    for number, octets in {
        0: "02 1A 8A 44 45 4D 4F 02 00 10 10 02 00 04 01 03 01 01 01 FF FD F1 1E 01 79 06 00 00 E0 00 00 00 00",
        1: "44 45 4D 4F 4D 4F 44 45 4C 2D 58 20 01 00 03 02 30 30 30 30 30 30 30 30 31 32 33 34 35 36 37 38",
        2: "31 2E 30 20 20 20 31 2E 30 20 20 20 01 32 53 20 20 20 4C 00 55 32 30 30 20 20 20 33 30 20 20 20 20",
        5: "4D 45 54 45 52 2D 30 30 30 31 32 33 20 20 20 20 20 20 20 20",
        11: "2B 03 02 02 01 01 02 04",
        12: "00 40 02 00 00 44 02 00 08 2A 28 00",
        13: "0F 0A 1E 00 05 03 05 03",
        14: "01 02",
        15: "01 00 00 00 00 00 00 00 00 00 00 00 00 28 00 00 00 00 00 3C 00 00 00 00 00",
        16: "11 13 06 39",
        21: "57 12 02 01 01 01 01 01 01 02",
        22: "00 01 01 03 00",
        23: _REGISTERS,
        25: f"{_INFO} {_REGISTERS}",
        26: f"04 01 00 09 00 01 09 00 {_INFO} {_REGISTERS} {'00' * 59}",
        27: "01 00 03",
        28: "00 04 1E DE 0D 00 00 44 E2 01 00 00 00 CC 5D 00 00 00 00",
    }.items()
}


def meter(changes: dict[int, str | bytes | None] | None = None) -> Device:
    """The meter, with some tables changed (hex or octets) or, if None, left out."""
    tables: dict[int | str, bytes] = dict(TABLES)
    for number, octets in (changes or {}).items():
        if octets is None:
            tables.pop(number, None)
        else:
            tables[number] = bytes.fromhex(octets) if isinstance(octets, str) else octets
    return Device(tables)
