"""Types of the vectors, computed a second time with struct, datetime and arithmetic, from the words of the rules."""

from __future__ import annotations

import datetime as dt
import struct
from decimal import Decimal
from typing import Any

import pytest

from tests.c1222.vectors.committed import asked

FAMILIES = ("types-numbers", "types-times", "types-text")
NI = {0: "d", 1: "f", 4: 32, 7: 24, 8: 32, 9: 40, 10: 48, 11: 64}
NI_BCD = {5: 6, 6: 4, 12: 8}
NI_TEXT = {2: 12, 3: 6, 13: 21}
CODECS = {1: "ascii", 2: "latin-1", 3: "utf-8", 4: "utf-16", 5: "utf-32"}
EPOCH = dt.datetime(1970, 1, 1)


class NoValue(Exception):
    """The octets express none."""


def formats(given: dict[str, Any]) -> dict[str, int]:
    return {"DATA_ORDER": 0, "CHAR_FORMAT": 1, "TM_FORMAT": 0, "ID_FORM": 0, "INT_FORMAT": 0, "NI_FORMAT1": 0,
            "NI_FORMAT2": 0, **given.get("formats", {})}  # fmt: skip


def read(given: dict[str, Any], octets: bytes) -> Any:
    """Return the value of octets in terms of JSON."""
    name, f = given["type"], formats(given)
    order = "big" if f["DATA_ORDER"] else "little"
    if name.startswith("NI_FMAT"):
        code = f[f"NI_FORMAT{name[-1]}"]
        if code in NI_TEXT:
            return number_text(octets.decode("ascii"))
        if code in NI_BCD:
            return fixed_bcd(octets)
        if code in (0, 1):
            value = struct.unpack((">" if f["DATA_ORDER"] else "<") + NI[code], octets)[0]
            return value if value - value == 0 else str(value)
        number = signed(octets, order, f["INT_FORMAT"])
        return str(Decimal(number) / 10000) if code == 4 else number
    if name.startswith("UINT"):
        return int.from_bytes(octets, order)
    if name.startswith("INT"):
        return signed(octets, order, f["INT_FORMAT"])
    if name == "BFLD":
        number = int.from_bytes(octets, order)
        return {p["name"]: number >> p["low"] & (1 << p["high"] - p["low"] + 1) - 1 for p in given["fields"]}
    if name.startswith("FIXED_BCD"):
        return fixed_bcd(octets)
    if name == "BCD_OCTET":
        return int(octets.hex())
    if name == "BCD" or (name == "IDENTIFIER" and f["ID_FORM"]):
        return digits(octets)
    if name in ("STRING", "IDENTIFIER"):
        codec = CODECS[f["CHAR_FORMAT"]] + (("-be" if f["DATA_ORDER"] else "-le") if f["CHAR_FORMAT"] >= 4 else "")
        return octets.decode(codec).rstrip(" \0")
    if name == "SET":
        return [8 * n + bit for n, octet in enumerate(octets) for bit in range(8) if octet >> bit & 1]
    if name == "BINARY":
        return octets.hex()
    return time(name, f, octets, order)


def signed(octets: bytes, order: Any, form: int) -> int:
    number, bits = int.from_bytes(octets, order), 8 * len(octets)
    if not number >> bits - 1:
        return number
    if form == 0:
        return number - (1 << bits)
    if form == 1:
        return -(number ^ (1 << bits) - 1)
    return -(number ^ 1 << bits - 1)


def digits(octets: bytes) -> str:
    if not octets.hex().isdecimal():
        raise NoValue
    return octets.hex()


def number_text(text: str) -> str:
    if not text.strip():
        raise NoValue
    return text.strip()


def fixed_bcd(octets: bytes) -> str:
    text = octets.hex().lstrip("0b") or "0"
    text = text.replace("a", "-", 1).replace("d", ".", 1).replace("b", "0")
    return str(Decimal(text))


def time(name: str, f: dict[str, int], octets: bytes, order: Any) -> str | None:
    if name in ("DATE", "RDATE") and octets in (b"\0\0", b"\xff\xff"):
        return None
    bits = int.from_bytes(octets, order)
    if name == "DATE":
        return dt.date(century(bits & 127), bits >> 7 & 15, bits >> 11).isoformat()
    if name == "RDATE":
        month = bits & 15
        if month == 0:
            return {"MONTH": 0, "PERIOD_IN_MINUTES": bits >> 4}  # type: ignore[return-value]
        if month == 14:
            return {"MONTH": 14, "WEEKDAY": bits >> 8 & 7}  # type: ignore[return-value]
        if month == 15:
            return {"MONTH": 15, "PERIOD": bits >> 4 & 63, "DELTA": bits >> 10}  # type: ignore[return-value]
        return {"MONTH": month, "OFFSET": bits >> 4 & 15, "WEEKDAY": bits >> 8 & 7, "DAY": bits >> 11}  # type: ignore[return-value]
    tm = f["TM_FORMAT"]
    if tm == 0 or set(octets) == {0xFF} or (set(octets) == {0} and name.endswith("DATE")):
        return None
    if tm <= 2:
        if tm == 1 and not octets.hex().isdecimal():
            raise NoValue
        parts = [int(f"{octet:02x}") if tm == 1 else octet for octet in octets]
        if name.endswith("DATE"):
            year, *rest = parts
            micro = 10_000 * rest.pop() if len(parts) == 7 else 0
            return dt.datetime(century(year), *rest, microsecond=micro).isoformat()
        micro = 10_000 * parts.pop() if len(parts) == 4 else 0
        return dt.time(*parts, microsecond=micro).isoformat()
    count, rest = int.from_bytes(octets[:4], order), list(octets[4:])
    if name.endswith("DATE"):
        micro = 10_000 * rest.pop() if name == "HTIME_DATE" else 0
        second = rest[0] if rest else 0
        if second > 59:
            raise NoValue
        return (EPOCH + dt.timedelta(seconds=count * (60 if tm == 3 else 1) + second, microseconds=micro)).isoformat()
    if count >= 86_400:
        raise NoValue
    whole = dt.time(count // 3600, count // 60 % 60, count % 60, microsecond=10_000 * rest[0] if rest else 0)
    return whole.isoformat()


def century(year: int) -> int:
    if year > 99:
        raise NoValue
    return 1900 + year if year >= 90 else 2000 + year


def alike(one: Any, other: Any) -> bool:
    """Equal as numbers where both are text of numbers: 1E3 and 1000."""
    if isinstance(one, str) and isinstance(other, str) and one != other:
        try:
            return Decimal(one) == Decimal(other)
        except ArithmeticError:
            return False
    return bool(one == other)


@pytest.mark.parametrize("name", FAMILIES)
def test_octets_to_values(name: str) -> None:
    seen = 0
    for case, given in asked(name, "type.decode"):
        octets = bytes.fromhex(given["octets"])
        if case.result == "valid":
            assert alike(read(given, octets), (case.output or {})["value"]), (case.id, given)
            seen += 1
    assert seen > 60


def test_octets_without_a_value() -> None:
    """What the vectors call invalid has no value by this reading either, where the number of octets is right."""
    seen = 0
    for name in ("types-times", "types-text"):
        for case, given in asked(name, "type.decode"):
            if case.result == "invalid" and not {"Truncated", "TrailingOctets", "ReservedCode"} & {*case.flags}:
                with pytest.raises((NoValue, ValueError)):
                    read(given, bytes.fromhex(given["octets"]))
                seen += 1
    assert seen > 40


@pytest.mark.parametrize("name", FAMILIES)
def test_values_to_octets(name: str) -> None:
    """The octets that a value gets are read back to it; canonical forms are those of the encoder alone."""
    seen = 0
    for case, given in asked(name, "type.encode"):
        if case.result == "valid":
            octets = bytes.fromhex((case.output or {})["octets"])
            value = read(given, octets)
            assert alike(value, given["value"]) or (
                given["type"] == "NI_FMAT2" and value == pytest.approx(given["value"])
            )
            if "Padding" in case.flags and "WideCharacters" not in case.flags:
                assert octets.endswith(b" ") or not octets.strip(b" \0")
            seen += 1
    assert seen > 50
