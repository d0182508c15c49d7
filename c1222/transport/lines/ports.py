"""The serial ports of this machine."""

from __future__ import annotations

from typing import NamedTuple

from c1222.transport.lines.errors import library

__all__ = ["SerialPortName", "serial_ports"]


class SerialPortName(NamedTuple):
    """A port, and what is known of what is plugged in there.

    Attributes:
        device: its name, which stands in ``serial://``.
        description: what it is, as its maker says; empty where nothing is known.
        serial_number: of the adapter; None where it has none.
    """

    device: str
    description: str
    serial_number: str | None

    @property
    def url(self) -> str:
        """Its address."""
        return f"serial://{self.device}"


def serial_ports() -> list[SerialPortName]:
    """Return the serial ports there are, by name.

    Raises:
        StateError: the extra ``serial`` is not installed.
    """
    found = library("serialx", "serial", "local serial ports").list_serial_ports()
    return sorted(SerialPortName(str(port.device), str(port.description or ""), port.serial_number) for port in found)
