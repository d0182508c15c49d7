"""Fill the tables of a device from values by the names of the standard, with c1219's own encoders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from c1219 import Device

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from simulation import Block, Numbered

_DIMENSIONS = (
    "DIM_STD_TBLS_USED", "DIM_MFG_TBLS_USED", "DIM_STD_PROC_USED", "DIM_MFG_PROC_USED", "DIM_MFG_STATUS_USED",
    "NBR_PENDING",
)  # fmt: skip


class Maker:
    """Device in the making: what is not said is zero, absent or empty.

    Args:
        config: elements of ST0; the sets decide their own lengths where they are not given.
        node: what the device file says of the C12.22 node.
    """

    def __init__(self, config: Mapping[str, Any], node: Mapping[str, Any]) -> None:
        self.device = Device(node=node)
        dimensions = {name: config.get(name, 0) for name in _DIMENSIONS}
        std, mfg, std_proc, mfg_proc = (dimensions[name] for name in _DIMENSIONS[:4])
        blank = bytes(13) + bytes(dimensions.values()) + bytes(2 * (std + mfg) + std_proc + mfg_proc)
        self._fill(0, blank, config)

    def put(self, number: int, **values: Any) -> None:
        """Set a table; arrays may be shorter than the table, the rest of them stays blank."""
        self._fill(number, bytes(self.device.bind(number).size), values)

    def same(self, number: int, other: int) -> None:
        """Set a table to the octets of another: a limiting table to its actual one."""
        self.device.put(number, self.device[other].raw)

    def _fill(self, number: int, blank: bytes, values: Mapping[str, Any]) -> None:
        layout = self.device.layout_of(number, blank)
        filled = _merged(layout.to_json(layout.examine(blank).value), values, f"ST{number}")
        self.device.put(number, layout.encode(layout.from_json(filled)))


def _merged(blank: Any, value: Any, path: str) -> Any:
    if isinstance(blank, dict) and isinstance(value, dict) and "raw" not in blank and "MONTH" not in value:
        unknown = set(value) - set(blank)
        if unknown:
            raise KeyError(f"{path} has no {sorted(unknown)}, but {list(blank)}")
        return {
            name: _merged(old, value[name], f"{path}.{name}") if name in value else old for name, old in blank.items()
        }
    if isinstance(blank, list) and blank and isinstance(value, (list, tuple)):
        if len(value) > len(blank):
            raise ValueError(f"{path} has {len(blank)} entries, not {len(value)}")
        return [_merged(old, new, path) for old, new in zip(blank, value, strict=False)] + blank[len(value) :]
    if isinstance(value, (set, frozenset, range)):
        return sorted(value)
    return value


def flags(names: Iterable[str] | str) -> dict[str, bool]:
    """Return a bit field with these flags set, given as one text with blanks or one by one."""
    return dict.fromkeys(names.split() if isinstance(names, str) else names, True)


def groups(*numbers: int) -> dict[str, bool]:
    """Return an ACCESS_PERMISSION_BFLD."""
    return flags(f"GROUP_PERM_{n}_FLAG" for n in numbers)


def access(
    number: int, read: str, write: str, anyone: str = "", *, procedure: bool = False, manufacturer: bool = False
) -> dict[str, Any]:
    """Return an entry of ST44.

    Args:
        number: of the table or procedure.
        read: digits of the groups that may read.
        write: digits of the groups that may write or execute.
        anyone: FLAG1 if anyone may read, FLAG2 if anyone may write.
        procedure: whether it is a procedure.
        manufacturer: whether it is the manufacturer's.
    """
    kind = {"PROC_FLAG": procedure, "STD_VS_MFG_FLAG": manufacturer}
    return {
        "ACCESS_TABLE": {"TBL_PROC_NBR": number} | kind | flags(anyone),
        "READ": groups(*map(int, read)),
        "WRITE": groups(*map(int, write)),
    }


def filled(text: str, length: int = 20) -> str:
    """Return a password as octets, filled up with blanks."""
    return text.encode().ljust(length).hex()


def listed(
    entries: list[dict[str, Any]], size: int, before: int = 0, kind: str = "ENTRY", *, order: str = "circular"
) -> tuple[list[dict[str, Any]], dict[str, int]]:
    """Put the newest of some entries into a list as devices keep them.

    Args:
        entries: entries, the oldest first.
        size: entries that the list holds.
        before: entries that there were before those given.
        kind: ``ENTRY`` or ``BLOCK``, as the elements about the list are called.
        order: ``circular``, ``descending`` (circular, each in front of the one before it) or ``fifo``.

    Returns:
        The entries in the order of the list; elements that tell how many there are, and where the newest is.
    """
    number = before + len(entries)
    shift = max(0, number - size) if order == "fifo" else 0

    def place(count: int) -> int:
        return (-count if order == "descending" else count - shift) % size

    kept: list[dict[str, Any]] = [{} for _ in range(size)]
    for count, entry in enumerate(entries, before):
        if count >= number - size:
            kept[place(count)] = entry
    return kept, {
        f"NBR_VALID_{kind.replace('Y', 'IE')}S": min(size, len(entries)),
        f"LAST_{kind}_ELEMENT": place(number - 1),
        f"LAST_{kind}_SEQ_NBR": number,
    }


def log_entries(
    log: list[Numbered], name: str, length: int, *, timed: bool = True, numbered: bool = True, sequenced: bool = True
) -> list[dict[str, Any]]:
    """Return the entries of a log.

    Args:
        log: its events.
        name: ``HISTORY`` or ``EVENT``, as its elements are called.
        length: octets of an argument.
        timed: whether entries have a time.
        numbered: whether they have EVENT_NUMBER.
        sequenced: whether they have a sequence number.
    """
    return [
        {
            "USER_ID": item.event.user,
            f"{name}_CODE": {"TBL_PROC_NBR": item.event.code, "STD_VS_MFG_FLAG": item.event.manufacturer},
            f"{name}_ARGUMENT": item.event.argument[:length].ljust(length, b"\0").hex(),
        }
        | ({f"{name}_TIME": item.event.time.isoformat()} if timed else {})
        | ({"EVENT_NUMBER": item.number} if numbered else {})
        | ({f"{name}_SEQ_NBR": item.sequence} if sequenced else {})
        for item in log
    ]


def nibbles(common: int, channel: int, channels: int) -> str:
    """Return EXTENDED_INT_STATUS with one status common to all channels, and one of each of them."""
    found = [common] + [channel] * channels + [0]
    return bytes(high << 4 | low for high, low in zip(found[::2], found[1::2], strict=False)).hex()


def uom(
    code: int, base: int, quadrants: str = "", *, multiplier: int = 0, segmentation: int = 0, net: bool = False
) -> dict[str, Any]:
    """Return an entry of ST12: ID_CODE, TIME_BASE, quadrants such as ``Q1 Q4``, MULTIPLIER, SEGMENTATION, net flow."""
    return {
        "ID_CODE": code, "TIME_BASE": base, "MULTIPLIER": multiplier, "SEGMENTATION": segmentation,
        "NET_FLOW_ACCOUNTABILITY": net,
    } | flags(f"{quadrant}_ACCOUNTABILITY" for quadrant in quadrants.split())  # fmt: skip


def register_data(
    blocks: list[Block],
    resets: int | None,
    *,
    energy: Callable[[int], Any],
    power: Callable[[int], Any],
    total_power: Callable[[int], Any] | None = None,
    continuous: bool = True,
) -> dict[str, Any]:
    """Return a REGISTER_DATA_RCD.

    Args:
        blocks: the registers, the total first.
        resets: NBR_DEMAND_RESETS; None if the device has none.
        energy: pulses to what a summation is.
        power: pulses to what a demand is.
        total_power: pulses to what a cumulative demand is; None if the device has none.
        continuous: whether it has continuous cumulative demands, too.
    """
    found = [_block(block, energy, power, total_power, continuous) for block in blocks]
    data = {"TOT_DATA_BLOCK": found[0], "TIER_DATA_BLOCK": found[1:]}
    return data if resets is None else {"NBR_DEMAND_RESETS": resets, **data}


def _block(block: Block, energy: Any, power: Any, total_power: Any, continuous: bool) -> dict[str, Any]:
    demands = []
    for peaks, cumulative in zip(block.peaks, block.cumulative, strict=True):
        demand = {
            "EVENT_TIME": [peak.time.isoformat() for peak in peaks],
            "DEMAND": [power(peak.value) for peak in peaks],
        }
        if total_power is not None:
            highest = peaks[0].value if peaks else 0
            demand["CUM_DEMAND"] = total_power(cumulative)
            if continuous:
                demand["CONT_CUM_DEMAND"] = total_power(cumulative + highest)
        demands.append(demand)
    coincident = [
        {"COINCIDENT_VALUES": [power(value) for value in values]}
        for peaks in block.peaks
        for values in zip(*(peak.coincident for peak in peaks), strict=True)
    ]
    return {"SUMMATIONS": [energy(n) for n in block.sums], "DEMANDS": demands, "COINCIDENTS": coincident}
