"""A pseudo terminal that a node listens on: what a probe on the meter's optical port is to a client."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from c1222.errors import StateError, Unreachable, in_words

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["PtyListener"]

_READ_SIZE: Final = 4096
_MAX_UNSENT: Final = 1 << 16


class PtyListener:
    """One end of a pseudo terminal, and the source of what comes from the other.

    Args:
        receive: takes octets, with this object.

    Attributes:
        path: device that a client opens.
        dropped: octets that nobody took, as on a real line.

    Raises:
        Unreachable: there is no pseudo terminal left; StateError: this system has none.
    """

    def __init__(self, receive: Callable[[bytes, PtyListener], None]) -> None:
        try:
            import tty  # noqa: PLC0415 - Windows has none

            # Ours stays open, or the system would end the line with the first client.
            self._end, self._device = os.openpty()
        except (ImportError, AttributeError):
            raise StateError("this system has no pseudo terminals: listen on c1218+tcp:// instead") from None
        except OSError as error:
            raise Unreachable(f"pty: {in_words(error)}") from None
        tty.setraw(self._device)
        os.set_blocking(self._end, False)
        self.path = os.ttyname(self._device)
        self.dropped = 0
        self._receive = receive
        self._unsent = bytearray()
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._end, self._read)

    @property
    def local_address(self) -> tuple[str, int]:
        """The device, and no port."""
        return self.path, 0

    @property
    def peer_key(self) -> str:
        """What limits are counted by."""
        return self.path

    def confirm(self) -> None:
        """Do nothing: whoever opens the device is no stranger."""

    def send(self, octets: bytes) -> None:
        """Send octets; those that are too many for who reads too slowly are lost."""
        room = _MAX_UNSENT - len(self._unsent)
        self.dropped += max(0, len(octets) - room)
        self._unsent += octets[:room]
        self._write()

    def _write(self) -> None:
        try:
            while self._unsent:
                del self._unsent[: os.write(self._end, self._unsent)]
        except BlockingIOError:
            self._loop.add_writer(self._end, self._write)
        except OSError:
            self._unsent.clear()
        else:
            self._loop.remove_writer(self._end)

    def _read(self) -> None:
        with suppress(BlockingIOError, OSError):
            self._receive(os.read(self._end, _READ_SIZE), self)

    async def close(self) -> None:
        """Close both ends. May be called twice."""
        if self._end >= 0:
            self._loop.remove_reader(self._end)
            self._loop.remove_writer(self._end)
            os.close(self._end)
            os.close(self._device)
            self._end = -1
