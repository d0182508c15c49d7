"""Zones, and instants at which their offset from UTC changes."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

UTC = dt.UTC
MINUTE = dt.timedelta(minutes=1)


def at(text: str, zone: dt.tzinfo | None = None) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=zone)


TABLE = {
    "America/New_York": ("2026-11-01 06:00", "2026-03-08 07:00", "2006-10-29 06:00", "2006-04-02 07:00"),
    "Australia/Adelaide": ("2026-04-04 16:30", "2026-10-03 16:30"),
    "Australia/Lord_Howe": ("2026-04-04 15:00", "2026-10-03 15:30"),
    "America/Santiago": ("2026-04-05 03:00", "2026-09-06 04:00"),
    "America/Phoenix": ("2026-11-01 09:00",),
    "Europe/Moscow": ("2014-10-25 22:00", "2011-03-26 23:00"),
    "Europe/Dublin": ("2026-10-25 01:00", "2026-03-29 01:00"),
}
"""The hour that occurs twice and the one that is left out: two halves of an hour east of UTC, half an hour of shift,
southern, without changes, one that moved its standard time, one whose law has it the other way round."""

ZONES = {name: ZoneInfo(name) for name in TABLE}
CHANGES = [(ZONES[name], at(text, UTC)) for name, texts in TABLE.items() for text in texts]
NAMES = [f"{zone} {change:%Y-%m-%d}" for zone, change in CHANGES]
