"""The wrapper of DLMS over TCP: eight octets before each APDU, which say from whom, to whom, and how long it is."""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from c1222.errors import DecodeError, LimitExceeded

__all__ = ["DEFAULT_PORT", "MAX_APDU", "Frame", "frame", "take_frame"]

DEFAULT_PORT: Final = 4059
"""Port of DLMS over TCP and UDP [V]."""
MAX_APDU: Final = 4096
"""Octets of an APDU that are taken from a client; requests are short."""
_HEAD: Final = struct.Struct(">HHHH")
_VERSION: Final = 1


class Frame(NamedTuple):
    """One APDU with its ends.

    Attributes:
        source: SAP (port) of the sender.
        target: SAP it is for.
        apdu: the octets.
    """

    source: int
    target: int
    apdu: bytes


def frame(source: int, target: int, apdu: bytes) -> bytes:
    """Return an APDU in its wrapper.

    Args:
        source: SAP of the sender.
        target: SAP it is for.
        apdu: up to 65535 octets.
    """
    return _HEAD.pack(_VERSION, source, target, len(apdu)) + apdu


def take_frame(octets: bytes | bytearray, *, max_apdu: int = MAX_APDU) -> tuple[Frame, int] | None:
    """Return the first APDU of a stream, and how many octets it takes; None if more octets are needed.

    Args:
        octets: what came so far.
        max_apdu: limit for an APDU.

    Raises:
        DecodeError: no wrapper starts here.
        LimitExceeded: the APDU is larger than the limit.
    """
    if octets[:2] not in (b"", b"\0", b"\0\1"):
        raise DecodeError("wrapper", 0, f"version {bytes(octets[:2]).hex()} is not 0001")
    if len(octets) < _HEAD.size:
        return None
    _, source, target, length = _HEAD.unpack_from(octets)
    if length > max_apdu:
        raise LimitExceeded("wrapper", 6, f"an APDU of {length} octets, where {max_apdu} are accepted")
    end = _HEAD.size + length
    if len(octets) < end:
        return None
    return Frame(source, target, bytes(octets[_HEAD.size : end])), end
