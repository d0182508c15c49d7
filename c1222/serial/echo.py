"""Probes, two-wire lines and RS-485 adapters that bring back what is sent.

The echo is taken off by count, since an echoed acknowledgement looks like one from the other end [V].
"""

from __future__ import annotations

from c1222.serial.profile import Echo

__all__ = ["EchoFilter"]


class EchoFilter:
    """Takes what was sent off what comes in.

    Args:
        echo: whether there is an echo.

    Attributes:
        count: octets taken off.
    """

    __slots__ = ("_held", "_is_sure", "_mode", "_sent", "count")

    def __init__(self, echo: Echo) -> None:
        self._mode = echo
        self._is_sure = echo == Echo.ON
        self._sent = self._held = b""
        self.count = 0

    def sent(self, octets: bytes) -> None:
        """Expect an echo of these octets after those before."""
        # Until there is proof whole packets only count: an answer starts with 06, and a packet does not.
        if self._is_sure or (self._mode == Echo.AUTO and len(octets) > 1):
            self._sent += octets

    def forget(self) -> None:
        """Expect nothing more: the octets are lost, or were never brought back."""
        self._sent = self._held = b""

    def take(self, octets: bytes) -> bytes:
        """Return the octets without the echo."""
        if not self._sent or not octets:
            return octets
        size = min(len(self._sent), len(octets))
        if not self._is_sure:
            if octets[:size] != self._sent[:size]:
                held = self._held
                self.forget()
                return held + octets
            self._held += octets[:size]
            self._is_sure = size == len(self._sent)
            self.count += len(self._held) if self._is_sure else 0
        else:
            self.count += size
        self._sent = self._sent[size:]
        return octets[size:]
