"""A profile: the device file that meters are made from.

Its ``node`` object may say, beside what others put there:

    ap_title            title of the first meter, such as ".123.8437"
    default_table       number of the table that a default read gives; without it default reads are not supported
    index_count         what the count of a read by index counts: "elements" (default) or "octets"
    locked_tables       numbers of tables that are locked (dlk) unless the meter is in shop or factory mode
    session_timeout     longest idle time granted, seconds (default 3600)
    max_sessions        sessions at a time (default 16)
    diagnostics_seconds how long the self test takes (default 0)
    watts               average load of the simulation, watts (default 800)
    history_days        days of load that the simulation begins with, at most (default 2): it goes on from where the
                        clock of the profile stands, if that is later
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from c1219.device import Device
from c1219.errors import C1219Error
from c1219.tableid import table_label
from c1222.errors import EncodeError, StateError, in_words
from c1222.message.aptitle import ApTitle
from c1222.node.meter.configuration import Shapes
from c1222.text import read_text

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from c1219.registry import Registry

__all__ = ["Profile", "ProfileOptions"]

_NUMBER: Final = re.compile(r"\d+(?=\D*$)", re.ASCII)


class ProfileOptions(NamedTuple):
    """What a profile says about the meter beside its tables; see the module.

    Attributes:
        default_table: label of the table of default reads, or None.
        index_counts_octets: whether the count of a read by index counts octets and not elements.
        locked: labels of the locked tables.
        session_timeout: seconds.
        max_sessions: at a time, 1..127.
        diagnostics_seconds: seconds.
        watts: average load.
        history_days: days of load before the first moment.
    """

    default_table: str | None = None
    index_counts_octets: bool = False
    locked: frozenset[str] = frozenset()
    session_timeout: int = 3600
    max_sessions: int = 16
    diagnostics_seconds: float = 0.0
    watts: float = 800.0
    history_days: float = 2.0


class Profile:
    """What meters are made from.

    Args:
        device: the tables of the first meter, and ``node``.
        title: title of the first meter; that of the device file when None.
        registry: declared tables; None for the usual ones.

    Attributes:
        tables: octets by label.
        shapes: the configurations of its meters.
        title: title of the first meter.
        options: what the file says beside the tables.
        device_class: ST0.DEVICE_CLASS, 4 octets.
        digest: what distinguishes it from other profiles.

    Raises:
        StateError: the device has no ST0 that can be decoded, or ``node`` is not as it should be.
    """

    def __init__(self, device: Device, *, title: str | None = None, registry: Registry | None = None) -> None:
        self.tables: Mapping[str, bytes] = {label: device[label].raw for label in device}
        self.shapes = Shapes(self.tables, device.device_class, registry)
        self.device_class = device.device_class or bytes(4)
        shape = self.shapes.get(self.tables)
        if shape.value("ST0") is None:
            raise StateError("a profile needs ST0")
        self.options = _options(device.node)
        listing = ";".join(f"{label}:{octets.hex()}" for label, octets in sorted(self.tables.items()))
        self.digest = hashlib.sha256(listing.encode()).hexdigest()[:32]
        text = title or device.node.get("ap_title") or ".1.1"
        if not isinstance(text, str):
            raise StateError("node.ap_title: text is needed")
        try:
            self.title = ApTitle(text)
        except EncodeError as error:
            raise StateError(f"node.ap_title: {error}") from None

    @classmethod
    def from_file(cls, path: str | os.PathLike[str], **options: Any) -> Profile:
        """Read a device file.

        Args:
            path: the file.
            options: as for `Profile`.

        Raises:
            StateError: it cannot be read, or is no device file.
        """
        try:
            device = Device.from_json(read_text(path), registry=options.get("registry"))
        except (OSError, UnicodeDecodeError, C1219Error) as error:
            raise StateError(f"{path}: {in_words(error)}") from None
        return cls(device, **options)

    def title_of(self, number: int) -> ApTitle:
        """Return the title of a meter, the first being 0: the last arc that is not 0 is counted up."""
        if not number:
            return self.title
        arcs = list(self.title.arcs)
        place = len(arcs) - 1
        while place > 0 and not arcs[place]:
            place -= 1
        arcs[place] += number
        return ApTitle(("." if self.title.is_relative else "") + ".".join(map(str, arcs)))

    def own_tables(self, number: int) -> dict[str, bytes]:
        """Return the tables in which a meter differs from the first one: its serial number and identification."""
        if not number:
            return {}
        device = Device({label: self.tables[label] for label in ("ST0", "ST1", "ST5") if label in self.tables})
        for path in ("ST1.MFG_SERIAL_NUMBER", "ST5.IDENTIFICATION"):
            try:
                device.change(path, _counted(str(device.value(path)), number, device.layout(path).size))
            except C1219Error:
                continue
        return {label: device[label].raw for label in device if device[label].raw != self.tables[label]}


def _counted(text: str, number: int, size: int) -> str:
    """Return an identification with its last number counted up."""
    found = _NUMBER.search(text)
    if found is None:
        return (text[: size - 6] + f"{number:06}")[:size]
    digits = found[0]
    return text[: found.start()] + str(int(digits) + number).zfill(len(digits)) + text[found.end() :]


def _options(node: Mapping[str, Any]) -> ProfileOptions:
    def number(name: str, low: float, high: float, default: float) -> float:
        value = node.get(name, default)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
            raise StateError(f"node.{name}: a number {low}..{high} is needed")
        return value

    def label(value: Any, where: str) -> str:
        if isinstance(value, bool) or not isinstance(value, (int, str)):
            raise StateError(f"node.{where}: the number of a table is needed")
        try:
            return table_label(value)
        except C1219Error as error:
            raise StateError(f"node.{where}: {error}") from None

    counts = node.get("index_count", "elements")
    if counts not in ("elements", "octets"):
        raise StateError('node.index_count: "elements" or "octets" is needed')
    locked = node.get("locked_tables", [])
    if not isinstance(locked, list):
        raise StateError("node.locked_tables: a list is needed")
    default = node.get("default_table")
    return ProfileOptions(
        default_table=None if default is None else label(default, "default_table"),
        index_counts_octets=counts == "octets",
        locked=frozenset(label(value, "locked_tables") for value in locked),
        session_timeout=int(number("session_timeout", 1, 0xFFFF, ProfileOptions().session_timeout)),
        max_sessions=int(number("max_sessions", 1, 127, ProfileOptions().max_sessions)),
        diagnostics_seconds=number("diagnostics_seconds", 0, 3600, 0),
        watts=number("watts", 0, 1e9, ProfileOptions().watts),
        history_days=number("history_days", 0, 366, ProfileOptions().history_days),
    )
