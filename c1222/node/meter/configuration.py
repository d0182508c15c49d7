"""What meters of one configuration have in common: layouts, and whatever else follows from configuration tables alone.

A thousand meters with the same configuration share one `Shape`. One whose configuration is written gets another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from weakref import WeakValueDictionary

from c1219.caches import BoundedDict
from c1219.device import Device
from c1219.errors import C1219Error

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping

    from c1219.engine.layout import Element, Layout
    from c1219.registry import Registry

__all__ = ["CONFIGURATION", "MAX_COMMON", "Shape", "Shapes"]

CONFIGURATION: Final = frozenset(
    f"ST{number}"
    for number in (0, *range(10, 17), *range(20, 23), 27, *range(40, 45), 50, 51, 53, 54, 60, 61, 62, 70, 71, 73, 75)
)
"""Tables that say how a meter works; those that other tables of a meter depend on are added."""

MAX_COMMON: Final = 16
"""Results that configurations share; past it, the oldest are forgotten."""


class Shape:
    """One configuration.

    Args:
        configuration: octets of the configuration tables by label.
        registry: declared tables; None for the usual ones.
        common: what `derived_from` made for other configurations of the same tables.

    Attributes:
        device: the configuration tables, for layouts and values.
    """

    __slots__ = ("__weakref__", "_common", "_derived", "_elements", "device")

    def __init__(
        self,
        configuration: Mapping[int | str, bytes],
        registry: Registry | None = None,
        common: BoundedDict[Hashable, Any] | None = None,
    ) -> None:
        self.device = Device(configuration, registry=registry)
        self._derived: dict[Callable[[Shape], Any], Any] = {}
        self._common: BoundedDict[Hashable, Any] = BoundedDict(MAX_COMMON) if common is None else common
        self._elements: dict[str, Element] = {}

    def layout(self, label: str) -> Layout | None:
        """Return the layout of a table, or None if there is none for it."""
        try:
            return self.device.bind(label)
        except C1219Error:
            return None

    def element(self, path: str) -> Element:
        """Find an element by its full name.

        Raises:
            C1219Error: there is none, or it takes no octets in this configuration.
        """
        found = self._elements.get(path)
        if found is None:
            found = self._elements[path] = self.device.layout(path)
        return found

    def has(self, path: str) -> bool:
        """Return whether there is such an element."""
        try:
            self.element(path)
        except C1219Error:
            return False
        return True

    def value(self, label: str) -> Any:
        """Return the value of a configuration table, None if it is not here or an element of it has no value."""
        try:
            value, findings = self.device.decoded(label)
        except C1219Error:
            return None
        return None if any(finding.level == "error" for finding in findings) else value

    def derived(self, build: Callable[[Shape], Any]) -> Any:
        """Return what a function makes of this configuration; it is asked once."""
        if build not in self._derived:
            self._derived[build] = build(self)
        return self._derived[build]

    def derived_from(self, labels: tuple[str, ...], build: Callable[[Shape], Any]) -> Any:
        """Return what a function makes of some tables; configurations that are alike in these share it.

        Args:
            labels: all tables that the function looks at, and those that their layouts depend on.
            build: the function.
        """
        images = (self.device.get(label) for label in labels)
        key = (build, *(None if image is None else image.raw for image in images))
        if key not in self._common:
            self._common[key] = build(self)
        return self._common[key]


class Shapes:
    """The configurations in use, each once.

    Args:
        labels: the tables that meters have.
        device_class: ST0.DEVICE_CLASS, for the manufacturer's tables.
        registry: declared tables; None for the usual ones.

    Attributes:
        labels: the tables among them that are configuration.
    """

    def __init__(self, labels: Iterable[str], device_class: bytes | None, registry: Registry | None = None) -> None:
        self._registry = registry
        self._common: BoundedDict[Hashable, Any] = BoundedDict(MAX_COMMON)
        self._known: WeakValueDictionary[tuple[tuple[int | str, bytes], ...], Shape] = WeakValueDictionary()
        present = set(labels)
        known = Device(registry=registry).registry
        needed = set(CONFIGURATION)
        for label in present:
            try:
                needed.update(known.table(label, device_class).depends_on)
            except C1219Error:
                continue
        self.labels = frozenset(present & needed)

    def get(self, tables: Mapping[str, bytes]) -> Shape:
        """Return the shape for a meter's tables."""
        configuration: dict[int | str, bytes] = {
            label: tables[label] for label in sorted(self.labels) if label in tables
        }
        key = tuple(configuration.items())
        shape = self._known.get(key)
        if shape is None:
            shape = self._known[key] = Shape(configuration, self._registry, self._common)
        return shape
