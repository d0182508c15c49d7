"""How a link is set up: timers of C12.18 and C12.21, and what differs between probes and between meters."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple

from c1222.serial.packet import CrcOrder

__all__ = ["C1218_TIMING", "C1221_TIMING", "DEFAULT_RATE", "PLAIN", "Echo", "LinkProfile", "LinkTiming"]

DEFAULT_RATE: Final = 9600
"""Bits per second with which every session of C12.18 starts [V]."""


class LinkTiming(NamedTuple):
    """Timers in seconds, and how often a packet is sent again.

    Attributes:
        inter_character: longest pause inside a packet.
        response: longest wait for the acknowledgement of a packet.
        traffic: after so long without a valid packet the session is over.
        retries: repetitions of one packet; it is sent once more than that.
    """

    inter_character: float
    response: float
    traffic: float
    retries: int


C1218_TIMING: Final = LinkTiming(0.5, 2.0, 6.0, 3)
"""C12.18 [V]."""
C1221_TIMING: Final = LinkTiming(1.0, 4.0, 30.0, 3)
"""C12.21, from Elster MeteringSDK alone [1]."""


class Echo(StrEnum):
    """Whether a probe or line brings back what is sent."""

    OFF = "off"
    ON = "on"
    AUTO = "auto"
    """On as soon as a packet that was sent comes back whole before anything else."""


class LinkProfile(NamedTuple):
    """What a link is told about its line and its peer.

    Attributes:
        identity: second octet of packets: 0 with C12.18, that of the device with C12.21, where 0 is for all of them.
        any_identity: take answers with whatever identity: meters exist that put another one there [V].
        turn_around: seconds from what was received to what is sent; several meters are deaf right after sending [V].
        echo: whether what is sent comes back.
        crc_order: order of the CRC's octets.
        check_toggle: take what looks like the last packet for a repetition; off for peers that never toggle [V].
        data_format: 0 for services; 1 routes them through a device that speaks C12.22: single packets, acknowledged
            inside of packets [1].
    """

    identity: int = 0
    any_identity: bool = True
    turn_around: float = 0.02
    echo: Echo = Echo.AUTO
    crc_order: CrcOrder = CrcOrder.LOW
    check_toggle: bool = True
    data_format: int = 0


PLAIN: Final = LinkProfile()
"""What C12.18 says, and no more."""
