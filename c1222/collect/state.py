"""What a store knows of a meter: up to where its series are here, what is missing in them, and its configuration."""

from __future__ import annotations

import datetime as dt
import json
import zlib
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from c1219.secrecy import may_be_secret
from c1219.tableid import table_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from c1219.device import Device

__all__ = ["Gap", "MeterState", "ProfileMark", "configuration"]

_LIVE: Final = frozenset(
    {
        "ST3",
        "ST4",
        *(f"ST{n}" for n in range(23, 29)),
        "ST52",
        "ST55",
        "ST56",
        *(f"ST{n}" for n in range(63, 68)),
        "ST74",
        "ST76",
    }
)
"""Tables that change by themselves: read each time."""


class ProfileMark(NamedTuple):
    """Up to where a load-profile set is in the store.

    Attributes:
        end: end of the newest interval; naive if the meter's offset from UTC is not known.
        block: sequence number of its block.
        intervals: valid intervals of that block then.
        status: octets of ST63 on the set then, in hex.
    """

    end: dt.datetime
    block: int
    intervals: int
    status: str


class Gap(NamedTuple):
    """Intervals that are missing in a series.

    Attributes:
        set: of the load profile.
        start: end of the last interval before them.
        end: start of the first interval after them.
        tries: how often they were asked for.
    """

    set: int
    start: dt.datetime
    end: dt.datetime
    tries: int


class MeterState(NamedTuple):
    """What is known of a meter.

    Attributes:
        meter: its name in rows: its serial number, if it tells one.
        profiles: by the number of the load-profile set.
        logs: newest sequence number by log.
        gaps: what is missing, and will be asked for again.
        tables: its configuration: octets by label.
    """

    meter: str = ""
    profiles: Mapping[int, ProfileMark] = {}
    logs: Mapping[str, int] = {}
    gaps: tuple[Gap, ...] = ()
    tables: Mapping[str, bytes] = {}

    def packed(self) -> bytes:
        """Return it as octets to keep."""
        content = {
            "meter": self.meter,
            "profiles": {number: _plain(mark) for number, mark in self.profiles.items()},
            "logs": self.logs,
            "gaps": [_plain(gap) for gap in self.gaps],
            "tables": {label: octets.hex() for label, octets in self.tables.items()},
        }
        return zlib.compress(json.dumps(content).encode())

    @classmethod
    def unpacked(cls, octets: bytes) -> MeterState:
        """Return what `packed` made.

        Raises:
            ValueError: it is something else.
        """
        try:
            content = json.loads(zlib.decompress(octets))
            return cls(
                content["meter"],
                {int(number): ProfileMark(_time(mark[0]), *mark[1:]) for number, mark in content["profiles"].items()},
                content["logs"],
                tuple(Gap(gap[0], _time(gap[1]), _time(gap[2]), gap[3]) for gap in content["gaps"]),
                {label: bytes.fromhex(text) for label, text in content["tables"].items()},
            )
        except (zlib.error, KeyError, IndexError, TypeError, AttributeError) as error:
            raise ValueError(f"no state of a meter: {error!r}") from None


def configuration(device: Device) -> dict[str, bytes]:
    """Return the tables of a meter that stay as they are, without those that may hold passwords or keys."""
    return {
        label: device[label].raw
        for label in device
        if label not in _LIVE and device[label].pieces is None and not may_be_secret(table_id(label))
    }


def _plain(values: tuple[Any, ...]) -> list[Any]:
    return [value.isoformat() if isinstance(value, dt.datetime) else value for value in values]


def _time(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)
