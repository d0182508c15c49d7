"""TableImage: the octets of one table of a device, and what they mean there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from c1219.device import Device
    from c1219.errors import Finding
    from c1219.layout import Layout
    from c1219.schema import Table

__all__ = ["TableImage"]


class TableImage:
    """One table of a device.

    Attributes:
        label: short name, for example ``ST23``.
        raw: its octets.
    """

    __slots__ = ("_device", "label", "raw")

    def __init__(self, device: Device, label: str, raw: bytes) -> None:
        self._device = device
        self.label = label
        self.raw = raw

    def __repr__(self) -> str:
        return f"<{self.label}: {len(self.raw)} octets>"

    @property
    def table(self) -> Table:
        """Its declaration.

        Raises:
            UnknownTable: nobody declared it.
        """
        return self._device.declaration(self.label)

    @property
    def layout(self) -> Layout:
        """Its layout in this device.

        Raises:
            UnknownTable, MissingTables, LayoutError: it cannot be laid out.
        """
        return self._device.bind(self.label)

    @property
    def value(self) -> Any:
        """Its record. Elements without a value are `Raw`, and `findings` says why; a strict device raises instead.

        Raises:
            UnknownTable, MissingTables, LayoutError: it cannot be laid out; DecodeError: in a strict device.
        """
        if self._device.strict:
            return self.layout.decode(self.raw)
        return self._device.decoded(self.label).value

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What is wrong or unusual in it.

        Raises:
            UnknownTable, MissingTables, LayoutError: it cannot be laid out.
        """
        return self._device.decoded(self.label).findings

    def to_json(self) -> Any:
        """Return its value in terms of JSON; see `Layout.to_json`."""
        return self.layout.to_json(self.value)
