"""Layouts shared by devices of one configuration: a thousand meters that are alike are laid out once.

A layout follows from the declaration and from the octets of the tables that it depends on. Meters of one model that are
configured alike have the same octets there, so the second meter gets the layout, and the codec, of the first.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from c1219.caches import BoundedDict, kept
from c1219.errors import C1219Error, LayoutError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator

    from c1219.engine.layout import Layout

__all__ = ["MAX_SHARED", "TableValues", "shared"]

MAX_SHARED: Final = 1024
"""Layouts that are remembered, whatever devices they came from; past it, the oldest are forgotten."""

_SHARED: BoundedDict[Hashable, Layout] = kept(f"{__name__}.shared", BoundedDict(MAX_SHARED))


def shared(key: Hashable, make: Callable[[], Layout]) -> Layout:
    """Return the layout that was made for a key, or make it."""
    layout = _SHARED.get(key)
    if layout is None:
        layout = _SHARED[key] = make()
    return layout


class TableValues(Mapping[str, Any]):
    """The values of tables by label: decoded when asked for, until `keep` makes them stay as they are.

    Args:
        labels: the tables.
        decode: decodes one of them.
    """

    def __init__(self, labels: tuple[str, ...], decode: Callable[[str], Any]) -> None:
        self._labels = labels
        self._decode: Callable[[str], Any] | None = decode
        self._values: dict[str, Any] = {}

    def __getitem__(self, label: str) -> Any:
        if label not in self._values:
            if self._decode is None:
                raise LayoutError(label, "it cannot be decoded")
            self._values[label] = self._decode(label)
        return self._values[label]

    def __contains__(self, label: object) -> bool:
        return label in self._labels

    def __iter__(self) -> Iterator[str]:
        return iter(self._labels)

    def __len__(self) -> int:
        return len(self._labels)

    def keep(self) -> None:
        """Decode what can be decoded, and forget where the rest would come from."""
        for label in self._labels:
            with suppress(C1219Error):
                self[label]
        self._decode = None
