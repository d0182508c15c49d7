"""What a listener knows of one meter: its tables as they were seen, and what is odd about them."""

from __future__ import annotations

from collections import Counter, deque
from contextlib import suppress
from itertools import chain
from typing import TYPE_CHECKING, Final

from c1219 import C1219Error
from c1219.caches import BoundedDict
from c1219.stretches import Stretches
from c1219.tableid import IDS, table_label
from c1219.views.profile.overwritten import overwritten
from c1222.capture.captured_device import CapturedDevice, SeenOctets
from c1222.capture.tables.memory import KnownTable
from c1222.capture.tables.readings import measured_by
from c1222.errors import Finding

if TYPE_CHECKING:
    from collections.abc import Mapping

    from c1219 import Device, Registry
    from c1222.capture.captured_device import Seen
    from c1222.capture.tables.parts import Shown
    from c1222.errors import Level

__all__ = ["MAX_PROCEDURES", "CapturedMeter", "Dependents"]

MAX_PROCEDURES: Final = 64
"""Starts and results of procedures remembered of one meter."""
_MAX_FINDINGS: Final = 8
"""Findings of one meter that are reported; others are counted."""
_PROCEDURES: Final = frozenset({"ST7", "ST8"})
_PROFILE_STATUS: Final = "ST63"
_SERIALS: Final = {"ST1": "MFG_SERIAL_NUMBER", "ST5": "IDENTIFICATION"}
"""Elements that two meters do not share."""
_MAX_CLASSES: Final = 64
"""Device classes remembered with their tables."""


class Dependents(BoundedDict[bytes | None, "dict[str, frozenset[str]]"]):
    """By device class: which tables have another layout or meaning when a table changes.

    Args:
        registry: declared tables.
    """

    def __init__(self, registry: Registry) -> None:
        super().__init__(_MAX_CLASSES, lambda kind: _dependents_of(registry, kind))
        self.registry = registry


class CapturedMeter:
    """What is known of one meter.

    Args:
        title: what it is called.
        dependents: which tables depend on which.
        given: tables that the user supplied.
        titled: whether the title is an ApTitle, and no address.

    Attributes:
        tables: its tables by label.
        octets: what they cost to keep, about.
    """

    __slots__ = (
        "_addresses", "_counts", "_dependents", "_findings", "_given", "_procedures", "_titled", "octets", "tables",
        "title",
    )  # fmt: skip

    def __init__(self, title: str, dependents: Dependents, given: Device | None, *, titled: bool) -> None:
        self.title = title
        self.tables: dict[str, KnownTable] = {}
        self.octets = 0
        self._dependents = dependents
        self._given = given
        self._titled = titled
        self._addresses: tuple[str, ...] = ()
        self._procedures: deque[SeenOctets] | None = None
        self._findings: dict[Finding, None] = {}
        self._counts: Counter[str] = Counter()

    def seen_at(self, address: str) -> None:
        """Note where it was seen."""
        if address in self._addresses:
            return
        before = self._addresses[-1:]
        if not before or before[0].rpartition(":")[0] == address.rpartition(":")[0]:
            self._addresses = (address,)
            return
        self._addresses = (*before, address)
        if not self._counts["addresses"]:
            text = f"{self.title} was seen at {before[0]} and {address}"
            self._remark("note", "several-addresses", "capture.devices", text)
        self._counts["addresses"] += 1

    def put(self, shown: Shown, message: Seen, *, verified: bool | None) -> None:
        """Take octets of a table.

        Args:
            shown: the octets.
            message: which shows them.
            verified: see `TableSeen.verified`.
        """
        (number, offset, indices), data, intact, _ = shown
        if not intact:
            self._counts["checksum"] += 1
            return
        if number not in IDS or not data:
            self._counts["other-tables"] += bool(data)
            return
        label = table_label(number)
        if indices is not None:
            try:
                _, offset = self.device().layout_of_piece(label, data, indices=indices)
            except C1219Error:
                self._counts["not-placed"] += 1
                return
        if label in _PROCEDURES and not offset:
            self._note_procedure(SeenOctets(label, data, message.time_ns, message.frame, verified))
        known = self.tables.get(label)
        if known is not None and known.verified and not verified:
            self._counts["not-verified"] += known.differs(offset, data)
            return
        before = 0 if known is None else known.size
        if known is not None:
            if label in self._watched():
                if known.differs(offset, data):
                    self._changed(label, shown, message, verified=verified)
            elif label == _PROFILE_STATUS and known.differs(offset, data):
                self._forget_overwritten(label, shown, verified=verified)
        if known is None or (verified and not known.verified) or (offset is None and known.octets != data):
            octets = data if offset is None else Stretches({offset: data})
            known = self.tables[label] = KnownTable(octets, verified, message.time_ns, message.frame)
        else:
            if offset is not None:
                known.put(offset, data)
                known.verified = known.verified if known.verified == verified else False
            known.again(message.time_ns, message.frame)
        self.octets += known.size - before

    def _note_procedure(self, seen: SeenOctets) -> None:
        if self._procedures is None:
            self._procedures = deque(maxlen=MAX_PROCEDURES)
        if not any(one.label == seen.label and one.octets == seen.octets for one in list(self._procedures)[-2:]):
            self._counts["procedures"] += len(self._procedures) == MAX_PROCEDURES
            self._procedures.append(seen)

    def _watched(self) -> Mapping[str, frozenset[str]]:
        """Return what must be read anew when a table of the configuration changes, by that table."""
        st0 = self.tables.get("ST0")
        head = b"" if st0 is None else st0.octets[0:7]
        return self._dependents[head[3:] if len(head) == 7 else None]

    def _changed(self, label: str, shown: Shown, message: Seen, *, verified: bool | None) -> None:
        """Leave out what a change of configuration, or of meter, has made void."""
        void = set(self._watched()[label])
        if label in _SERIALS and not shown.written and not self._same_meter(label, shown, message):
            void = set(self.tables)
        void -= {label}
        gone = sorted(other for other in void & self.tables.keys() if verified or not self.tables[other].verified)
        for other in gone:
            self.drop(other)
        if gone and self._watched()[label]:
            text = f"{label} changed in frame {message.frame}: what was seen before of {', '.join(gone)} is left out"
            self._remark("warning", "configuration-changed", label, text)

    def _same_meter(self, label: str, shown: Shown, message: Seen) -> bool:
        """Tell whether a table that names the meter names the same one; if not, say so."""
        path = f"{label}.{_SERIALS[label]}"
        names = []
        for device in (self.device(), self._with(label, shown)):
            with suppress(C1219Error, AttributeError):
                names.append(str(device.value(path)).strip())
        if len(names) < 2 or names[0] == names[1]:
            return True
        text = (
            f"two meters answer as {self.title}: {names[0]!r} at {self._addresses[0]}, and {names[1]!r} at "
            f"{self._addresses[-1]} from frame {message.frame} on; what was seen before is left out"
        )
        self._remark("error", "two-meters", path, text)
        return False

    def _forget_overwritten(self, label: str, shown: Shown, *, verified: bool | None) -> None:
        """Leave out blocks of load profiles that the meter has written over since they were read."""
        before = after = None
        for number in range(1, 5):
            known = self.tables.get(f"ST{63 + number}")
            if known is None or (known.verified and not verified):
                continue
            before = before or self.device()
            after = after or self._with(label, shown)
            size = known.size
            known.forget(overwritten(before, after, number))
            self.octets += known.size - size

    def _with(self, label: str, shown: Shown) -> CapturedDevice:
        """Return the device of a meter with one table as it is shown."""
        device = self.device()
        image, offset = device.get(label), shown.part.offset
        if offset is None or image is None:
            device.put(label, shown.octets)
        else:
            device.put_pieces(label, {**(image.pieces or {0: image.raw}), offset: shown.octets})
        return device

    def trim(self, max_octets: int) -> None:
        """Forget tables until they fit: those that nothing verified first, then those not seen for longest."""
        tables = self.tables
        while self.octets > max_octets:
            self.drop(min(tables, key=lambda label: (bool(tables[label].verified), tables[label].last_ns)))
            self._counts["evicted"] += 1

    def drop(self, label: str) -> None:
        """Forget a table that is here."""
        self.octets -= self.tables.pop(label).size

    def _remark(self, level: Level, code: str, label: str, text: str) -> None:
        if len(self._findings) < _MAX_FINDINGS:
            self._findings[Finding(level, code, label, None, text)] = None
        else:
            self._counts["more-findings"] += 1

    def device(self) -> CapturedDevice:
        """Make the device of what is known."""
        title, given = self.title, self._given
        device = CapturedDevice(registry=self._dependents.registry, node={"ap_title": title} if self._titled else {})
        findings = list(self._findings)
        st0 = self.tables.get("ST0")
        if given is not None and 0 in given and st0 is not None and st0.differs(None, given[0].raw):
            text = f"ST0 of {title} is not that of the device file, whose tables are not used for it"
            findings.append(Finding("warning", "device-contradicted", "ST0", None, text))
        elif given is not None:
            for label in given:
                pieces = given[label].pieces
                device.put(label, given[label].raw) if pieces is None else device.put_pieces(label, pieces)
        partial = {}
        for label, known in self.tables.items():
            if isinstance(known.octets, Stretches):
                partial[label] = known.octets
            else:
                device.put(label, known.octets)
        _put_pieces(device, partial)
        counts = self._counts
        for name, level, text in _COUNTED:
            if counts[name]:
                findings.append(Finding(level, name, "capture.devices", None, f"{title}: {counts[name]} {text}"))
        return device.with_origin(
            title, {label: known.seen for label, known in self.tables.items()}, self._procedures or (), findings
        )


_COUNTED: Final[tuple[tuple[str, Level, str], ...]] = (
    ("checksum", "error", "times the checksum of table data was wrong; they are left out"),
    ("other-tables", "note", "times pending or user-defined tables came, which are no part of a device"),
    ("not-placed", "warning", "pieces by index could not be placed: the layout of their table was not known then"),
    ("not-verified", "warning", "times octets that nothing verified contradicted verified ones; they are left out"),
    ("evicted", "warning", "tables were forgotten: the memory of a meter is bounded"),
    ("procedures", "note", "starts or results of procedures were forgotten: the last are kept"),
    ("more-findings", "note", "more findings"),
)


def _put_pieces(device: CapturedDevice, partial: Mapping[str, Stretches]) -> None:
    """Put what is known of tables: as whole tables, where they are."""
    for label, known in partial.items():
        image = device.get(label)
        before = {} if image is None else image.pieces or {0: image.raw}
        device.put_pieces(label, {**before, **known.pieces})
    for label in partial:
        head = device[label].raw
        with suppress(C1219Error):
            if head and device.layout_of(label, head).size == len(head):
                device.put(label, head)


def _dependents_of(registry: Registry, kind: bytes | None) -> dict[str, frozenset[str]]:
    """Return which tables have another layout or meaning when a table changes, or those that it lays out; names too."""
    above = {table.label: {*table.depends_on, *measured_by(table.label)} for table in registry.tables(kind)}
    dependents: dict[str, frozenset[str]] = {label: frozenset() for label in _SERIALS}
    for label in set(chain.from_iterable(above.values())):
        below, grown = {label}, True
        while grown:
            more = {other for other, needs in above.items() if needs & below} - below
            below |= more
            grown = bool(more)
        dependents[label] = frozenset(below - {label})
    return dependents
