"""What a listener learned of each node: the tables that layout and meaning of others depend on, within bounds.

Nodes of one configuration share one `c1219.Device`, so that a million meters of a kind are laid out once.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from c1219 import C1219Error, Device
from c1219.caches import BoundedDict
from c1219.registry import default_registry
from c1222.capture.tables.readings import MEANING
from c1222.errors import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from c1219 import Registry

__all__ = ["MAX_CONFIGURATIONS", "MAX_NODES", "MAX_OCTETS", "Nodes"]

MAX_NODES: Final = 100_000
"""Nodes remembered."""
MAX_OCTETS: Final = 32 << 20
"""Octets of tables remembered of all nodes together."""
MAX_CONFIGURATIONS: Final = 64
"""Configurations whose layouts are kept."""

_Key = tuple[tuple[str, bytes], ...]


class _Node:
    """What is known of one node; `given` are the tables that the user supplied for it, `all` is both together.

    `key` is what layouts depend on.
    """

    __slots__ = ("all", "authentic", "given", "key", "pieces", "tables")

    def __init__(self, given: Device | None) -> None:
        self.tables: dict[str, bytes] = {}
        self.authentic: set[str] = set()
        self.pieces: dict[str, bytearray] = {}
        self.given = given
        self.all: dict[str, bytes] | None = None
        self.key: _Key | None = None

    @property
    def octets(self) -> int:
        return sum(map(len, self.tables.values())) + sum(map(len, self.pieces.values()))


class Nodes:
    """The memory of a listener.

    Args:
        given: devices that the user supplied. One whose node has an ``ap_title`` serves that node, one without serves
            all others; what the traffic shows overrides it.
        absolute: makes the ``ap_title`` of a given device what nodes are called here.
        registry: declared tables; the default registry if None.
        max_nodes: nodes remembered.
        max_octets: octets of tables remembered of all nodes together.

    Attributes:
        forgotten: nodes that were forgotten because no room was left.
        first: keep the first octets seen of a table, not the last; what a first pass does for a second.
    """

    def __init__(
        self,
        given: Iterable[tuple[object | None, Device]] = (),
        *,
        registry: Registry | None = None,
        max_nodes: int = MAX_NODES,
        max_octets: int = MAX_OCTETS,
    ) -> None:
        self.registry = registry or default_registry()
        self.forgotten = 0
        self.first = False
        self._given = dict(given)
        self._contradicted: OrderedDict[object, None] = OrderedDict()
        self._max_nodes = max_nodes
        self._max_octets = max_octets
        self._nodes: OrderedDict[object, _Node] = OrderedDict()
        self._octets = 0
        self._nothing = Device(registry=self.registry)
        self._devices: BoundedDict[_Key, Device] = BoundedDict(MAX_CONFIGURATIONS)
        self._needed: BoundedDict[bytes | None, frozenset[str]] = BoundedDict(
            MAX_CONFIGURATIONS, self.registry.layouts_depend_on
        )

    def device(self, node: object) -> Device:
        """Return what is known of a node, as a device with these tables; it must not be changed."""
        known = self._nodes.get(node)
        if known is None and not self._given:
            return self._nothing
        if known is None:
            known = _Node(self._given_for(node))
        if known.key is None:
            tables = self._all(node, known)
            needed = self._needed[tables.get("ST0", b"")[_CLASS] or None]
            own = [item for item in tables.items() if item[0] in needed or item[0] not in MEANING]
            known.key = tuple(sorted(own))
        return self._of(known.key)

    def _of(self, key: _Key) -> Device:
        if not key:
            return self._nothing
        found = self._devices.pop(key, None)
        if found is None:
            found = Device(dict(key), registry=self.registry)
        self._devices[key] = found  # as the last one used
        return found

    def tables(self, node: object) -> Mapping[str, bytes]:
        """Return the octets of all tables that are known of a node; they must not be changed."""
        return self._all(node, self._known(node))

    def wants(self, device: Device, label: str) -> bool:
        """Tell whether layouts or the meaning of others depend on a table, in the device of a node."""
        return label in MEANING or label in self._needed[device.device_class]

    def learn(self, node: object, label: str, octets: bytes, *, authentic: bool, offset: int | None = None) -> None:
        """Remember a table that it wants, or a piece of one.

        Args:
            node: the node that has it.
            label: the table.
            octets: its octets.
            authentic: whether they come from a verified message. Those of others do not take their place.
            offset: where a piece starts; None for a whole table.
        """
        if not octets:
            return
        known = self._nodes.get(node)
        if known is None:
            known = self._nodes[node] = _Node(self._given_for(node))
        self._nodes.move_to_end(node)
        if label in known.authentic and not authentic:
            return
        before = known.octets
        whole = octets if offset is None else self._assembled(node, known, label, offset, octets)
        if whole is not None:
            known.pieces.pop(label, None)
            better = authentic and label not in known.authentic
            if known.tables.get(label) != whole and (not self.first or better or label not in known.tables):
                known.tables[label] = whole
                known.all = known.key = None
            if authentic:
                known.authentic.add(label)
        self._octets += known.octets - before
        while len(self._nodes) > self._max_nodes or self._octets > self._max_octets:
            _, gone = self._nodes.popitem(last=False)
            self._octets -= gone.octets
            self.forgotten += 1

    def findings(self) -> list[Finding]:
        """Return what concerns the capture as a whole."""
        found = []
        if self.forgotten:
            text = f"the tables of {self.forgotten} nodes were forgotten: the memory is bounded"
            found.append(Finding("note", "evicted", "capture.tables", None, text))
        for node in self._contradicted:
            text = f"ST0 of {node} is not that of the device file, whose tables were not used for it"
            found.append(Finding("warning", "device-contradicted", "capture.tables", None, text))
        return found

    def _given_for(self, node: object) -> Device | None:
        return self._given.get(node) or self._given.get(None)

    def _known(self, node: object) -> _Node:
        return self._nodes.get(node) or _Node(self._given_for(node))

    def _all(self, node: object, known: _Node) -> dict[str, bytes]:
        if known.all is None:
            known.all = self._merged(node, known)
        return known.all

    def _merged(self, node: object, known: _Node) -> dict[str, bytes]:
        """Return what the traffic tells, and what the user supplied for the rest."""
        tables, given = known.tables, known.given
        if given is None:
            return tables
        st0 = given.get(0)
        if st0 is not None and tables.get("ST0", st0.raw) != st0.raw:
            if len(self._contradicted) < _TOLD:
                self._contradicted[node] = None
            return tables
        return {label: given[label].raw for label in given} | tables

    def _assembled(self, node: object, known: _Node, label: str, offset: int, octets: bytes) -> bytes | None:
        """Put a piece to the others of its table; return the table once it is whole."""
        end = offset + len(octets)
        table = known.tables.get(label)
        if table is not None and end <= len(table):
            return table[:offset] + octets + table[end:]
        pieces = known.pieces.get(label, b"") if offset else b""
        if offset > len(pieces):
            return None  # what is before it was not seen
        joined = bytearray(pieces)
        joined[offset:end] = octets
        known.pieces[label] = joined
        try:
            size = self.device(node).layout_of(label, bytes(joined)).size
        except C1219Error:
            return None  # too short to be laid out
        return bytes(joined) if size == len(joined) else None


_CLASS: Final = slice(3, 7)
"""Octets of ST0 that name the class of a device."""
_TOLD: Final = 10
"""Nodes named whose ST0 contradicts the device file."""
