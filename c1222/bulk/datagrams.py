"""Which packets are nothing but one whole APDU in UDP, IPv4 and Ethernet: nearly all there are, told all at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from c1222.capture.network.links import IPV4
from c1222.message.ber import APDU_TAG

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray

    from c1222.capture.files.reader import Packet

__all__ = ["ALL_HEADERS", "FLOW", "usual_datagrams"]

ALL_HEADERS: Final = 42
"""Octets of the headers of Ethernet, IPv4 without options, and UDP."""
FLOW: Final = slice(26, 38)
"""Where the addresses and ports are in them."""

_LINK: Final = 1
_HEAD: Final = ALL_HEADERS + 4  # and the tag of an APDU, with the longest length that is looked at
_TYPE, _VERSION, _TOTAL, _FRAGMENT, _PROTOCOL, _SOURCE, _DESTINATION, _UDP = 12, 14, 16, 20, 23, 34, 36, 38


def usual_datagrams(packets: Sequence[Packet], ports: Collection[int], max_size: int) -> NDArray[np.bool_]:
    """Return of each packet whether it is such a datagram, of a port of C12.22.

    Args:
        packets: packets.
        ports: UDP ports of C12.22.
        max_size: octets of the largest APDU accepted.
    """
    if not packets:
        return np.zeros(0, np.bool_)
    data = [packet.data for packet in packets]
    size = np.array([len(octets) for octets in data], np.int64)
    heads = np.frombuffer(b"".join([octets[:_HEAD].ljust(_HEAD, b"\0") for octets in data]), np.uint8).reshape(
        -1, _HEAD
    )

    def number(at: int) -> NDArray[np.int64]:
        return heads[:, at].astype(np.int64) << 8 | heads[:, at + 1]

    first, more = heads[:, ALL_HEADERS + 1].astype(np.int64), number(ALL_HEADERS + 2)
    apdu = size - ALL_HEADERS
    whole = (first < 0x80) & (apdu == first + 2)
    whole |= (first == 0x81) & (more >> 8 >= 0x80) & (apdu == (more >> 8) + 3)
    whole |= (first == 0x82) & (more > 0xFF) & (apdu == more + 4)
    named = np.isin(number(_SOURCE), list(ports)) | np.isin(number(_DESTINATION), list(ports))
    result: NDArray[np.bool_] = (
        (np.array([packet.link_type for packet in packets], np.int64) == _LINK)
        & (apdu > 1)
        & (number(_TYPE) == IPV4)
        & (heads[:, _VERSION] == 0x45)
        & (heads[:, _PROTOCOL] == 17)
        & (number(_FRAGMENT) & 0x3FFF == 0)
        & (number(_TOTAL) == size - 14)
        & (number(_UDP) == size - 34)
        & (heads[:, ALL_HEADERS] == APDU_TAG)
        & whole
        & (apdu <= max_size)
        & named
    )
    return result
