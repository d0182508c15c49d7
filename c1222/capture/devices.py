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
from collections import Counter, OrderedDict
from collections.abc import Mapping
from itertools import chain
from typing import IO, TYPE_CHECKING, Final

from c1219.caches import BoundedDict
from c1219.registry import default_registry
from c1222.capture.captured_device import CapturedDevice
from c1222.capture.captured_meter import CapturedMeter, Dependents
from c1222.capture.decoder import CaptureDecoder
from c1222.capture.network.streams import C1222_PORT
from c1222.capture.tables.memory import verified_by
from c1222.capture.tables.parts import TablesShown, notifies, title_of_node
from c1222.errors import EncodeError, Finding
from c1222.message.aptitle import DEFAULT_BASE, ApTitle
from c1222.protocol.pairing import Generations
from c1222.security.keys import KeyStore
from c1222.security.sealing import Verdict

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from c1219 import Device, Registry
    from c1222.capture.captured_device import Seen
    from c1222.capture.decoder import CapturedMessage
    from c1222.capture.tables.parts import Shown
    from c1222.errors import Level
    from c1222.security.keys import Keys

__all__ = ["MAX_METERS", "MAX_METER_OCTETS", "MAX_TOTAL_OCTETS", "CapturedDevices", "capture_devices"]

MAX_METERS: Final = 100_000
"""Meters remembered."""
MAX_METER_OCTETS: Final = 1 << 20
"""Octets of tables remembered of one meter."""
MAX_TOTAL_OCTETS: Final = 512 << 20
"""Octets of tables remembered of all meters together."""
_MAX_LISTED: Final = 10
"""Nodes named whose messages could not be opened."""
_MAX_UNOPENED: Final = 1000
"""Nodes whose messages that could not be opened are counted apart."""
_Node = tuple[bool, bytes]


class CapturedDevices(Mapping[str, CapturedDevice]):
    """Meters by title, as far as messages showed them. Titles are those first seen; either form finds the meter.

    A device is made anew each time it is asked for, with what is known by then.

    Args:
        devices: tables that the capture may lack. A device whose node has an ``ap_title`` serves that node, one without
            all others; what the capture shows overrides it.
        base: what makes relative titles absolute.
        registry: declared tables; the default registry if None.
        max_meters: meters remembered; those that were verified longer than others.
        max_meter_octets: octets of tables remembered of one meter.
        max_total_octets: octets of tables remembered of all meters together.

    Raises:
        EncodeError: the ``ap_title`` of a device is none.

    Attributes:
        evicted: meters forgotten because no room was left.
        octets: what all meters cost to keep, about.
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
        self._max_meters, self._max_meter_octets = max_meters, max_meter_octets
        self._max_total_octets = max_total_octets
        self._given = {self._given_title(device): device for device in devices}
        self._trusted: OrderedDict[_Node | str, CapturedMeter] = OrderedDict()
        self._others: OrderedDict[_Node | str, CapturedMeter] = OrderedDict()
        self.octets = 0
        self._shown = TablesShown()
        self._nodes: BoundedDict[_Node, _Node] = BoundedDict(2 * max_meters)
        self._notified: Generations[int, bool] = Generations(1000)
        self._dependents = Dependents(registry or default_registry())
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
        return meter.device()

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
        if message.is_response:
            shown = self._shown.of_response(message)
            if shown and message.reply_to is not None and self._notified.get(message.reply_to):
                return None  # the receiver of a notification has no such table
        elif notifies(message):
            shown = self._shown.of_notification(message)
            self._notified.put(message.frame, True)
        else:
            shown = []
            if self._notified:
                self._notified.take(message.frame)  # a notification of another capture had this number
        if not shown:
            verdict = message.verdict
            if verdict is not Verdict.VERIFIED and verdict is not Verdict.CLEARTEXT:
                self._note_unopened(message)
            return None
        return self.put(shown, title_of_node(message), message, verified=verified_by(message)).title

    def put(
        self, shown: Iterable[Shown], node: tuple[ApTitle | None, str], when: Seen, *, verified: bool | None
    ) -> CapturedMeter:
        """Take octets of the tables of a node, the next that were seen.

        Args:
            shown: the octets.
            node: its title, as it stood there, and its address.
            when: the message that showed them.
            verified: see `TableSeen.verified`.

        Returns:
            What is known of the node now.
        """
        meter = self._meter_of(node, verified=verified)
        before = meter.octets
        for one in shown:
            meter.put(one, when, verified=verified)
        if meter.octets > self._max_meter_octets:
            meter.trim(self._max_meter_octets)
        self.octets += meter.octets - before
        self._keep_bounds()
        return meter

    def add_findings(self, findings: Iterable[Finding]) -> None:
        """Take what concerns a capture as a whole, to report it with the rest."""
        self._noted += findings

    def findings(self) -> list[Finding]:
        """Return what is odd about the traffic, and what was not used; devices have findings of their own."""
        findings = list(self._noted)
        listed = self._unopened.most_common(_MAX_LISTED)
        for (title, verdict), count in listed:
            text = f"{count} messages of {title} could not be opened or verified: {verdict}"
            findings.append(Finding("error", "not-opened", "capture.devices", None, text))
        rest = self._unopened.total() - sum(count for _, count in listed) + self._counts["unopened"]
        for count, code, text in (
            (rest, "not-opened", "more messages could not be opened or verified"),
            (self.evicted, "evicted", "meters were forgotten: the memory is bounded"),
        ):
            if count:
                level: Level = "error" if code == "not-opened" else "warning"
                findings.append(Finding(level, code, "capture.devices", None, f"{count} {text}"))
        return findings

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

    def octets_known(self, title: str) -> int:
        """Return how many octets of the tables of a meter are known, about; 0 if nothing was seen of it."""
        meter = self._find(title)
        return 0 if meter is None else meter.octets

    def _find(self, title: object) -> CapturedMeter | None:
        if not isinstance(title, str):
            return None
        node: _Node | str = self._of_title(title) or title
        return self._trusted.get(node) or self._others.get(node)

    def seen(self, title: ApTitle | None, address: str) -> CapturedMeter:
        """Return what is known of a node, if only what the user supplied.

        Args:
            title: of the node, in either form; None for one without.
            address: where it was seen.
        """
        node = self._node_of(title, address)
        known = self._trusted.get(node) or self._others.get(node)
        return known or self._new(node, address if title is None else str(title))

    def forget_table(self, meter: CapturedMeter, label: str) -> None:
        """Forget a table of a meter.

        Args:
            meter: as `put` or `seen` gave it.
            label: the table.
        """
        if label in meter.tables:
            before = meter.octets
            meter.drop(label)
            self.octets += meter.octets - before

    def _node_of(self, title: ApTitle | None, address: str) -> _Node | str:
        if title is None:
            return address
        form = (title.is_relative, title.content)
        return self._nodes.get(form) or self._absolute(form, title)

    def _meter_of(self, named: tuple[ApTitle | None, str], *, verified: bool | None) -> CapturedMeter:
        title, address = named
        node = self._node_of(title, address)
        meter = self._trusted.get(node)
        if meter is None:
            meter = self._others.get(node)
            if meter is None:
                meter = self._others[node] = self._new(node, address if title is None else str(title))
            if verified:
                self._trusted[node] = self._others.pop(node)
            else:
                self._others.move_to_end(node)
        else:
            self._trusted.move_to_end(node)
        meter.seen_at(address)
        return meter

    def _new(self, node: _Node | str, title: str) -> CapturedMeter:
        given = self._given.get(None if isinstance(node, str) else node) or self._given.get(None)
        return CapturedMeter(title, self._dependents, given, titled=not isinstance(node, str))

    def _absolute(self, form: _Node, title: ApTitle) -> _Node:
        found = self._nodes[form] = (False, title.absolute(self._base).content)
        return found

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

    def _keep_bounds(self) -> None:
        while len(self) > self._max_meters or self.octets > self._max_total_octets:
            _, gone = (self._others or self._trusted).popitem(last=False)
            self.octets -= gone.octets
            self.evicted += 1


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
    captured = CapturedDevices(devices, base=store.base_oid, registry=registry)
    one = isinstance(paths, str | os.PathLike) or hasattr(paths, "read")
    source = paths if one else list(paths)  # type: ignore[arg-type]  # a file object may be iterated, too
    decoder = CaptureDecoder(source, keys=store, ports=ports, by_content=by_content)  # type: ignore[arg-type]
    try:
        for message in decoder:
            captured.add(message)
    finally:
        decoder.close()
    captured.add_findings(decoder.findings())
    return captured
