"""Load profiles: ST61 to ST64 of generated meters, as rows in order of time."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from c1219.device import Device
from c1222.vectors.configurations import Configuration, configure, octets_for

if TYPE_CHECKING:
    from c1222.vectors.author import Author

__all__ = ["NAME", "PURPOSE", "cases"]

NAME = "load-profiles"
PURPOSE = (
    "Load profile set 1 as rows [start, end, channel, raw, value, status, extended, block]: local time of the meter, "
    "value is raw times divisor, divided by scalar"
)

_BASE: Final = Configuration("profile")
_CODES: Final = {
    1: "UINT8",
    2: "UINT16",
    4: "UINT32",
    8: "INT8",
    16: "INT16",
    32: "INT32",
    64: "NI_FMAT1",
    128: "NI_FMAT2",
}
_EPOCH: Final = dt.datetime(2026, 11, 1)  # noqa: DTZ001  local time of the meter


class _Profile(NamedTuple):
    """One set as a meter keeps it."""

    configuration: Configuration = _BASE
    blocks: int = 4
    per_block: int = 4
    channels: int = 2
    minutes: int = 15
    code: int = 2
    used: int = 3
    newest: int = 2
    in_newest: int = 4
    descending_blocks: bool = False
    descending_intervals: bool = False
    circular: bool = False
    scaled: tuple[int, int] | None = None
    extended: bool = False
    simple: bool = False
    end_readings: bool = False


def cases(author: Author) -> None:
    author.group("formats", "load-profile", "Interval data in every form.", set=1)
    for code, name in _CODES.items():
        _case(author, name, _Profile(code=code))
        _case(
            author,
            f"{name}, most significant octet first",
            _Profile(_BASE._replace(DATA_ORDER=1), code=code),
            "ByteOrder",
        )
    for tm, order in ((1, 0), (3, 0), (3, 1), (4, 0), (4, 1)):
        _case(author, f"TM_FORMAT {tm}, DATA_ORDER {order}", _Profile(_BASE._replace(TM_FORMAT=tm, DATA_ORDER=order)),
              *["CounterTime"] * (tm >= 3))  # fmt: skip
    for number, code in ((4, 64), (9, 64), (6, 128), (1, 128)):
        formats = _BASE._replace(NI_FORMAT1=number, NI_FORMAT2=number)
        _case(author, f"{_CODES[code]} with code {number}", _Profile(formats, code=code))
    _case(author, "one's complement", _Profile(_BASE._replace(INT_FORMAT=1), code=16), "NegativeNumber")
    _case(author, "sign and magnitude", _Profile(_BASE._replace(INT_FORMAT=2), code=32), "NegativeNumber")
    author.group("orders", "load-profile", "Blocks and intervals in the orders that ST63 says.", set=1)
    for blocks in (False, True):
        for intervals in (False, True):
            for circular in (False, True):
                _orders(author, blocks, intervals, circular)
    author.group("shapes", "load-profile", "Sizes, scales and status.", set=1)
    for channels in (1, 3, 4):
        _case(author, f"{channels} channels", _Profile(channels=channels))
    for minutes in (1, 5, 30, 60):
        _case(author, f"intervals of {minutes} minutes", _Profile(minutes=minutes))
    for scalar, divisor in ((1, 1), (10, 1), (1, 10), (8, 1000), (3, 2)):
        _case(author, f"scalar {scalar}, divisor {divisor}", _Profile(scaled=(scalar, divisor)), "Scaled")
    _case(author, "status of each interval and channel", _Profile(extended=True), "IntervalStatus")
    _case(author, "status, three channels", _Profile(extended=True, channels=3), "IntervalStatus")
    _case(author, "intervals that are not valid", _Profile(simple=True), "IntervalStatus")
    _case(author, "end readings", _Profile(end_readings=True))
    formats = _BASE._replace(DATA_ORDER=1, TM_FORMAT=4)
    everything = _Profile(formats, channels=3, code=32, used=4, newest=1, in_newest=2, circular=True, scaled=(100, 3))
    everything = everything._replace(extended=True, simple=True, end_readings=True)
    _case(author, "everything", everything, "IntervalStatus", "Scaled", "BlockOrder")
    _case(author, "a single block, partly filled", _Profile(used=1, newest=0, in_newest=1), "BlockOrder")
    _case(author, "nothing recorded yet", _Profile(used=0, newest=0, in_newest=0))
    known = _tables(author, _Profile())
    for gone in ("61", "62", "63", "64"):
        some = {number: octets for number, octets in known.items() if number != gone}
        author.invalid(f"ST{gone} is absent", "DependentTable", tables=some)


def _orders(author: Author, blocks: bool, intervals: bool, circular: bool) -> None:
    words = "descending" if blocks else "ascending", "descending" if intervals else "ascending"
    where = "circular" if circular else "FIFO"
    shape = _Profile(descending_blocks=blocks, descending_intervals=intervals, circular=circular)
    full = shape._replace(used=4, newest=(1 if circular else 0 if blocks else 3))
    part = shape._replace(used=3, newest=(0 if blocks and not circular else 2), in_newest=2)
    name = f"blocks {words[0]}, intervals {words[1]}, {where}"
    _case(author, f"{name}, all blocks in use", full, "BlockOrder")
    _case(author, f"{name}, three of four, the newest half full", part, "NewestBlock" if intervals else "BlockOrder")


def _case(author: Author, comment: str, profile: _Profile, *flags: str) -> None:
    author.valid(comment, *flags, tables=_tables(author, profile))


def _put(device: Device, number: int, blank: dict[str, Any], **values: Any) -> None:
    layout = device.bind(number)
    device.put(number, layout.encode(layout.from_json({**blank, **values})))


def _blank(device: Device, number: int) -> dict[str, Any]:
    layout = device.bind(number)
    found: dict[str, Any] = layout.to_json(layout.examine(bytes(layout.size)).value)
    return found


def _tables(author: Author, profile: _Profile) -> dict[str, str]:
    rng = author.rng
    base = configure(profile.configuration, rng)
    device = Device({0: _only_set_1(base[0].raw)}, registry=base.registry)
    blank = _blank(device, 61)
    blank["LP_FLAGS"] |= {
        "EXTENDED_INT_STATUS_FLAG": profile.extended, "SIMPLE_INT_STATUS_FLAG": profile.simple,
        "BLK_END_READ_FLAG": profile.end_readings, "SCALAR_DIVISOR_FLAG_SET1": profile.scaled is not None,
    }  # fmt: skip
    _put(device, 61, blank, NBR_BLKS_SET1=profile.blocks, NBR_BLK_INTS_SET1=profile.per_block,
         NBR_CHNS_SET1=profile.channels, MAX_INT_TIME_SET1=profile.minutes)  # fmt: skip
    blank = _blank(device, 62)
    blank["INT_FMT_CDE1"] = profile.code
    for number, channel in enumerate(blank["LP_SEL_SET1"]):
        channel["LP_SOURCE_SELECT"] = number
        channel["END_BLK_RDG_SOURCE_SELECT"] = number
        channel["CHNL_FLAG"]["END_RDG_FLAG"] = profile.end_readings
    if profile.scaled is not None:
        scalar, divisor = profile.scaled
        blank |= {"SCALARS_SET1": [scalar] * profile.channels, "DIVISOR_SET1": [divisor] * profile.channels}
    _put(device, 62, blank)
    status = _blank(device, 63)["LP_STATUS_SET1"]
    status["LP_SET_STATUS_FLAGS"] |= {
        "BLOCK_ORDER": int(profile.descending_blocks), "INTERVAL_ORDER": int(profile.descending_intervals),
        "LIST_TYPE": int(profile.circular), "ACTIVE_MODE_FLAG": True,
    }  # fmt: skip
    status |= {
        "NBR_VALID_BLOCKS": profile.used, "LAST_BLOCK_ELEMENT": profile.newest, "NBR_UNREAD_BLOCKS": 0,
        "LAST_BLOCK_SEQ_NBR": 100 + profile.used, "NBR_VALID_INT": profile.in_newest,
    }  # fmt: skip
    _put(device, 63, {"LP_STATUS_SET1": status})
    layout = device.bind(64)
    filled = layout.to_json(layout.decode(octets_for(layout, rng)))
    for place, block in enumerate(filled["LP_DATA_SETS1"]):
        block["BLK_END_TIME"] = _end(profile, place).isoformat()
    _put(device, 64, filled)
    return {str(number): device[number].raw.hex() for number in (0, 61, 62, 63, 64)}


def _end(profile: _Profile, place: int) -> dt.datetime:
    """Return when the block at a place of the array ends."""
    age = (place - profile.newest if profile.descending_blocks else profile.newest - place) % profile.blocks
    intervals = (profile.used - age - 1) * profile.per_block + (profile.in_newest if age == 0 else profile.per_block)
    return _EPOCH + dt.timedelta(minutes=max(intervals, 0) * profile.minutes)


def _only_set_1(general: bytes) -> bytes:
    """Return ST0 without sets 2 to 4 of the load profile: its STD_TBLS_USED follows 19 octets."""
    octets = bytearray(general)
    octets[19 + 8] &= 0xF1  # ST65, ST66, ST67
    return bytes(octets)
