"""Devices out of traffic: every table that meters were seen to have, put together read by read.

    devices = c1222.capture_devices("trace.pcapng", keys=keys)
    for title, device in devices.items():
        print(title, *device.registers())

or as messages come::

    devices = CapturedDevices()
    for message in decode_capture("-", keys=keys):
        devices.add(message)

Octets are kept as they come and decoded when somebody asks, so that what it costs grows with meters and not with
messages. Octets that no MAC has verified never take the place of verified ones, nor mix with them in one table.
"""

from __future__ import annotations

import os
from collections import Counter, OrderedDict, deque
from collections.abc import Mapping
from contextlib import suppress
from itertools import chain
from typing import IO, TYPE_CHECKING, Final

from c1219 import C1219Error
from c1219.registry import default_registry
from c1219.stretches import Stretches
from c1219.tableid import table_label
from c1219.views.profile.overwritten import overwritten
from c1222.capture.captured_device import CapturedDevice, SeenOctets
from c1222.capture.decoder import CaptureDecoder
from c1222.capture.network.streams import C1222_PORT
from c1222.capture.tables.memory import KnownTable, verified_by
from c1222.capture.tables.parts import TablesShown, notifies, title_of_node
from c1222.errors import EncodeError, Finding
from c1222.message.aptitle import DEFAULT_BASE, ApTitle
from c1222.protocol.pairing import Generations
from c1222.security.keys import KeyStore
from c1222.security.sealing import Verdict

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from c1219 import Device, Registry
    from c1222.capture.decoder import CapturedMessage
    from c1222.capture.tables.parts import Shown
    from c1222.errors import Level
    from c1222.protocol.messages import Keys

__all__ = ["MAX_METERS", "MAX_METER_OCTETS", "MAX_PROCEDURES", "MAX_TOTAL_OCTETS", "CapturedDevices", "capture_devices"]

MAX_METERS: Final = 100_000
"""Meters remembered."""
MAX_METER_OCTETS: Final = 1 << 20
"""Octets of tables remembered of one meter."""
MAX_TOTAL_OCTETS: Final = 512 << 20
"""Octets of tables remembered of all meters together."""
MAX_PROCEDURES: Final = 64
"""Starts and results of procedures remembered of one meter."""
_MAX_FINDINGS: Final = 8
"""Findings of one meter that are told; others are counted."""
_MAX_TOLD: Final = 10
"""Nodes named whose messages could not be opened."""
_MAX_UNOPENED: Final = 1000
"""Nodes whose messages that could not be opened are counted apart."""
_ABOVE: Final = 0xF000
"""Bits of a table identifier that make it another than the table of that number."""
_PROCEDURES: Final = frozenset({"ST7", "ST8"})
_PROFILE_STATUS: Final = "ST63"
_SERIALS: Final = {"ST1": "MFG_SERIAL_NUMBER", "ST5": "IDENTIFICATION"}
"""Elements that two meters do not share."""

_Node = tuple[bool, bytes]


class _Meter:
    """What is known of one meter."""

    __slots__ = ("addresses", "counts", "findings", "octets", "procedures", "tables", "title")

    def __init__(self, title: str) -> None:
        self.title = title
        self.tables: dict[str, KnownTable] = {}
        self.octets = 0
        self.addresses: list[str] = []
        self.procedures: deque[SeenOctets] | None = None
        self.findings: dict[Finding, None] = {}
        self.counts: Counter[str] = Counter()

    def remark(self, level: Level, code: str, label: str, text: str) -> None:
        if len(self.findings) < _MAX_FINDINGS:
            self.findings[Finding(level, code, label, None, text)] = None
        else:
            self.counts["more-findings"] += 1

    def drop(self, label: str) -> None:
        self.octets -= self.tables.pop(label).size


class CapturedDevices(Mapping[str, CapturedDevice]):
    """Meters by title, as far as messages showed them. Titles are those first seen; either form finds the meter.

    A device is made anew each time it is asked for, with what is known by then.

    Args:
        devices: tables that the capture may lack. A device whose node has an ``ap_title`` serves that node, one without
            all others; what the capture shows goes before it.
        base: what makes relative titles absolute.
        registry: declared tables; the default registry if None.
        max_meters: meters remembered; those that were verified longer than others.
        max_meter_octets: octets of tables remembered of one meter.
        max_total_octets: octets of tables remembered of all meters together.

    Raises:
        EncodeError: the ``ap_title`` of a device is none.

    Attributes:
        evicted: meters forgotten for want of room.
    """

    def __init__(
        self,
        devices: Iterable[Device] = (),
        *,
        base: ApTitle = DEFAULT_BASE,
        registry: Registry | None = None,
        max_meters: int = MAX_METERS,
        max_meter_octets: int = MAX_METER_OCTETS,
        max_total_octets: int = MAX_TOTAL_OCTETS,
    ) -> None:
        self.evicted = 0
        self._base = base
        self._registry = registry or default_registry()
        self._max_meters, self._max_meter_octets = max_meters, max_meter_octets
        self._max_total_octets = max_total_octets
        self._given = {self._given_title(device): device for device in devices}
        self._trusted: OrderedDict[_Node | str, _Meter] = OrderedDict()
        self._others: OrderedDict[_Node | str, _Meter] = OrderedDict()
        self._octets = 0
        self._shown = TablesShown()
        self._nodes: dict[_Node, _Node] = {}
        self._notified: Generations[int, bool] = Generations(1000)
        self._frame = 0
        self._dependents: dict[bytes | None, dict[str, frozenset[str]]] = {}
        self._unopened: Counter[tuple[str, str]] = Counter()
        self._counts: Counter[str] = Counter()
        self._noted: list[Finding] = []

    # --- the mapping

    def __getitem__(self, title: str) -> CapturedDevice:
        """Return the device of a title, or of an address where nodes have no title.

        Raises:
            KeyError: nothing was seen of it.
        """
        meter = self._find(title)
        if meter is None:
            raise KeyError(title)
        return self._device(meter)

    def __contains__(self, title: object) -> bool:
        return self._find(title) is not None

    def __iter__(self) -> Iterator[str]:
        return (meter.title for meter in chain(self._trusted.values(), self._others.values()))

    def __len__(self) -> int:
        return len(self._trusted) + len(self._others)

    def __repr__(self) -> str:
        return f"<{len(self)} captured devices>"

    # --- from messages

    def add(self, message: CapturedMessage) -> str | None:
        """Take a message, the next one of the capture.

        Returns:
            The title of the meter, if the message showed something of its tables.
        """
        if message.frame < self._frame:
            self._notified = Generations(1000)  # another file
        self._frame = message.frame
        if message.is_response:
            shown = self._shown.of_response(message)
            if shown and message.reply_to is not None and self._notified.get(message.reply_to):
                return None  # the receiver of a notification has no such table
        elif notifies(message):
            shown = self._shown.of_notification(message)
            self._notified.put(message.frame, True)
        else:
            shown = []
        if not shown:
            verdict = message.verdict
            if verdict is not Verdict.VERIFIED and verdict is not Verdict.CLEARTEXT:
                self._note_unopened(message)
            return None
        verified = verified_by(message)
        meter = self._meter_of(message, verified=verified)
        for one in shown:
            self._put(meter, one, message, verified=verified)
        self._keep_bounds(meter)
        return meter.title

    def add_findings(self, findings: Iterable[Finding]) -> None:
        """Take what concerns a capture as a whole, to tell it with the rest."""
        self._noted += findings

    def findings(self) -> list[Finding]:
        """Return what is odd about the traffic, and what was not used; what concerns one meter its device tells."""
        found = list(self._noted)
        told = self._unopened.most_common(_MAX_TOLD)
        for (title, verdict), count in told:
            text = f"{count} messages of {title} could not be opened or verified: {verdict}"
            found.append(Finding("error", "not-opened", "capture.devices", None, text))
        rest = self._unopened.total() - sum(count for _, count in told) + self._counts["unopened"]
        for count, code, text in (
            (rest, "not-opened", "more messages could not be opened or verified"),
            (self.evicted, "evicted", "meters were forgotten: the memory is bounded"),
        ):
            if count:
                level: Level = "error" if code == "not-opened" else "warning"
                found.append(Finding(level, code, "capture.devices", None, f"{count} {text}"))
        return found

    # --- which meter

    def _given_title(self, device: Device) -> _Node | None:
        title = device.node.get("ap_title")
        return (False, ApTitle(title).absolute(self._base).content) if isinstance(title, str) else None

    def _of_title(self, title: object) -> _Node | None:
        """Return what a title in text stands for, None if it is none."""
        if not isinstance(title, str):
            return None
        try:
            return False, ApTitle(title).absolute(self._base).content
        except EncodeError:
            return None

    def title(self, title: object) -> str | None:
        """Return the title that a meter is listed by, by either form of it; None if nothing was seen of it."""
        meter = self._find(title)
        return None if meter is None else meter.title

    def _find(self, title: object) -> _Meter | None:
        if not isinstance(title, str):
            return None
        node: _Node | str = self._of_title(title) or title
        return self._trusted.get(node) or self._others.get(node)

    def _meter_of(self, message: CapturedMessage, *, verified: bool | None) -> _Meter:
        title, address = title_of_node(message)
        node: _Node | str = address
        if title is not None:
            form = (title.is_relative, title.content)
            node = self._nodes.get(form) or self._absolute(form, title)
        meter = self._trusted.get(node)
        if meter is None:
            meter = self._others.get(node)
            if meter is None:
                meter = self._others[node] = _Meter(address if title is None else str(title))
            if verified:
                self._trusted[node] = self._others.pop(node)
            else:
                self._others.move_to_end(node)
        else:
            self._trusted.move_to_end(node)
        if address not in meter.addresses:
            self._note_address(meter, address)
        return meter

    def _absolute(self, form: _Node, title: ApTitle) -> _Node:
        if len(self._nodes) >= 2 * self._max_meters:
            self._nodes.clear()
        found = self._nodes[form] = (False, title.absolute(self._base).content)
        return found

    def _note_address(self, meter: _Meter, address: str) -> None:
        if not meter.addresses or meter.addresses[-1].rpartition(":")[0] == address.rpartition(":")[0]:
            meter.addresses = [address]
            return
        hosts = f"{meter.addresses[-1]} and {address}"
        meter.addresses = [*meter.addresses[-1:], address]
        if not meter.counts["addresses"]:
            meter.remark("note", "several-addresses", "capture.devices", f"{meter.title} was seen at {hosts}")
        meter.counts["addresses"] += 1

    def _note_unopened(self, message: CapturedMessage) -> None:
        if not message.is_message:
            return  # which the findings on it tell
        title, address = title_of_node(message)
        key = (address if title is None else str(title), str(message.verdict))
        if key in self._unopened or len(self._unopened) < _MAX_UNOPENED:
            self._unopened[key] += 1
        else:
            self._counts["unopened"] += 1

    # --- what is kept

    def _put(self, meter: _Meter, shown: Shown, message: CapturedMessage, *, verified: bool | None) -> None:
        (number, offset, indices), data, intact, _ = shown
        if not intact:
            meter.counts["checksum"] += 1
            return
        if number & _ABOVE or not data:
            meter.counts["other-tables"] += bool(data)
            return
        label = table_label(number)
        if indices is not None:
            try:
                _, offset = self._device(meter).layout_of_piece(label, data, indices=indices)
            except C1219Error:
                meter.counts["not-placed"] += 1
                return
        if label in _PROCEDURES and not offset:
            self._note_procedure(meter, SeenOctets(label, data, message.time_ns, message.frame, verified))
        known = meter.tables.get(label)
        if known is not None and known.verified and not verified:
            meter.counts["not-verified"] += known.differs(offset, data)
            return
        before = 0 if known is None else known.size
        if known is not None:
            if label in self._watched(meter):
                if known.differs(offset, data):
                    self._changed(meter, label, shown, message, verified=verified)
            elif label == _PROFILE_STATUS and known.differs(offset, data):
                self._forget_overwritten(meter, label, shown, verified=verified)
        if known is None or (verified and not known.verified) or (offset is None and known.octets != data):
            octets = data if offset is None else Stretches({offset: data})
            known = meter.tables[label] = KnownTable(octets, verified, message.time_ns, message.frame)
        else:
            if offset is not None:
                known.put(offset, data)
                known.verified = known.verified if known.verified == verified else False
            known.again(message.time_ns, message.frame)
        grown = known.size - before
        meter.octets += grown
        self._octets += grown

    def _note_procedure(self, meter: _Meter, seen: SeenOctets) -> None:
        if meter.procedures is None:
            meter.procedures = deque(maxlen=MAX_PROCEDURES)
        if not any(one.label == seen.label and one.octets == seen.octets for one in list(meter.procedures)[-2:]):
            meter.counts["procedures"] += len(meter.procedures) == MAX_PROCEDURES
            meter.procedures.append(seen)

    def _watched(self, meter: _Meter) -> Mapping[str, frozenset[str]]:
        """Return what must be read anew when a table of the configuration changes, by that table."""
        st0 = meter.tables.get("ST0")
        head = b"" if st0 is None else st0.octets[0:7]
        kind = head[3:] if len(head) == 7 else None
        found = self._dependents.get(kind)
        if found is None:
            found = _dependents(self._registry, kind)
            if len(self._dependents) >= 64:
                self._dependents.clear()
            self._dependents[kind] = found
        return found

    def _changed(
        self, meter: _Meter, label: str, shown: Shown, message: CapturedMessage, *, verified: bool | None
    ) -> None:
        """Leave out what a change of configuration, or of meter, has made void."""
        void = set(self._watched(meter)[label])
        if label in _SERIALS and not shown.written and not self._same_meter(meter, label, shown, message):
            void = set(meter.tables)
        void -= {label}
        gone = sorted(other for other in void & meter.tables.keys() if verified or not meter.tables[other].verified)
        for other in gone:
            self._octets -= meter.tables[other].size
            meter.drop(other)
        if gone and self._watched(meter)[label]:
            text = f"{label} changed in frame {message.frame}: what was seen before of {', '.join(gone)} is left out"
            meter.remark("warning", "configuration-changed", label, text)

    def _same_meter(self, meter: _Meter, label: str, shown: Shown, message: CapturedMessage) -> bool:
        """Tell whether a table that names the meter names the same one; if not, say so."""
        path = f"{label}.{_SERIALS[label]}"
        names = []
        for device in (self._device(meter), self._with(meter, label, shown)):
            with suppress(C1219Error, AttributeError):
                names.append(str(device.value(path)).strip())
        if len(names) < 2 or names[0] == names[1]:
            return True
        text = (
            f"two meters answer as {meter.title}: {names[0]!r} at {meter.addresses[0]}, and {names[1]!r} at "
            f"{meter.addresses[-1]} from frame {message.frame} on; what was seen before is left out"
        )
        meter.remark("error", "two-meters", path, text)
        return False

    def _forget_overwritten(self, meter: _Meter, label: str, shown: Shown, *, verified: bool | None) -> None:
        """Leave out blocks of load profiles that the meter has written over since they were read."""
        before = after = None
        for number in range(1, 5):
            known = meter.tables.get(f"ST{63 + number}")
            if known is None or (known.verified and not verified):
                continue
            before = before or self._device(meter)
            after = after or self._with(meter, label, shown)
            size = known.size
            known.forget(overwritten(before, after, number))
            meter.octets += known.size - size
            self._octets += known.size - size

    def _with(self, meter: _Meter, label: str, shown: Shown) -> CapturedDevice:
        """Return the device of a meter with one table as it is shown."""
        device = self._device(meter)
        image, offset = device.get(label), shown.part.offset
        if offset is None or image is None:
            device.put(label, shown.octets)
        else:
            device.put_pieces(label, {**(image.pieces or {0: image.raw}), offset: shown.octets})
        return device

    def _keep_bounds(self, meter: _Meter) -> None:
        while meter.octets > self._max_meter_octets:
            oldest = min(
                meter.tables, key=lambda label: (bool(meter.tables[label].verified), meter.tables[label].last_ns)
            )
            self._octets -= meter.tables[oldest].size
            meter.drop(oldest)
            meter.counts["evicted"] += 1
        while len(self) > self._max_meters or self._octets > self._max_total_octets:
            _, gone = (self._others or self._trusted).popitem(last=False)
            self._octets -= gone.octets
            self.evicted += 1

    # --- devices

    def _device(self, meter: _Meter) -> CapturedDevice:
        """Make the device of a meter."""
        title = meter.title
        node = self._of_title(title)
        device = CapturedDevice(registry=self._registry, node={} if node is None else {"ap_title": title})
        findings = list(meter.findings)
        given = self._given.get(node) or self._given.get(None)
        st0 = meter.tables.get("ST0")
        if given is not None and 0 in given and st0 is not None and st0.differs(None, given[0].raw):
            text = f"ST0 of {title} is not that of the device file, whose tables are not used for it"
            findings.append(Finding("warning", "device-contradicted", "ST0", None, text))
        elif given is not None:
            for label in given:
                pieces = given[label].pieces
                device.put(label, given[label].raw) if pieces is None else device.put_pieces(label, pieces)
        partial = {}
        for label, known in meter.tables.items():
            if isinstance(known.octets, Stretches):
                partial[label] = known.octets
            else:
                device.put(label, known.octets)
        _put_pieces(device, partial)
        counts = meter.counts
        for name, level, text in _COUNTED:
            if counts[name]:
                findings.append(Finding(level, name, "capture.devices", None, f"{title}: {counts[name]} {text}"))
        return device.with_origin(
            title, {label: known.seen for label, known in meter.tables.items()}, meter.procedures or (), findings
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


def _dependents(registry: Registry, kind: bytes | None) -> dict[str, frozenset[str]]:
    """Return which tables are laid out by a table, by itself or by others that it lays out; names of meters too."""
    above = {table.label: set(table.depends_on) for table in registry.tables(kind)}
    found: dict[str, frozenset[str]] = {label: frozenset() for label in _SERIALS}
    for label in set(chain.from_iterable(above.values())):
        below, grown = {label}, True
        while grown:
            more = {other for other, needs in above.items() if needs & below} - below
            below |= more
            grown = bool(more)
        found[label] = frozenset(below - {label})
    return found


def capture_devices(
    paths: str | os.PathLike[str] | IO[bytes] | Iterable[str | os.PathLike[str] | IO[bytes]],
    *,
    keys: Keys = None,
    devices: Iterable[Device] = (),
    registry: Registry | None = None,
    ports: Collection[int] = (C1222_PORT,),
    by_content: bool = True,
) -> CapturedDevices:
    """Return the meters that captures show, by title.

    Args:
        paths: path of a pcap or pcapng file, compressed or not; a binary file object; or several: one capture by time.
        keys: a store, a single key, or octets by key id.
        devices: tables that the capture may lack; see `CapturedDevices`.
        registry: declared tables; the default registry if None.
        ports: UDP and TCP ports of C12.22.
        by_content: also take on other ports what is an APDU by its look.

    Raises:
        CaptureError: a file is no capture.
        OSError: a file cannot be opened or read.
        InvalidKey: the keys cannot be used.
    """
    store = KeyStore.of(keys)
    found = CapturedDevices(devices, base=store.base_oid, registry=registry)
    one = isinstance(paths, str | os.PathLike) or hasattr(paths, "read")
    source = paths if one else list(paths)  # type: ignore[arg-type]  # a file object may be iterated, too
    decoder = CaptureDecoder(source, keys=store, ports=ports, by_content=by_content)  # type: ignore[arg-type]
    try:
        for message in decoder:
            found.add(message)
    finally:
        decoder.close()
    found.add_findings(decoder.findings())
    return found
