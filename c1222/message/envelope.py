"""The envelope of a message: the APDU that it came in, taken apart as far as can be told without a key."""

from __future__ import annotations

from typing import Final, TypeAlias

from c1219.caches import remembered
from c1222.errors import DecodeError
from c1222.message.acse import Acse, decode_acse, title_of
from c1222.message.ber import MAX_APDU_OCTETS, Octets
from c1222.message.flat import FlatApdu, FlatReader

__all__ = ["Envelope", "elements_of", "is_secured", "read_apdu"]

_MODE_BITS: Final = 0b1100

Envelope: TypeAlias = Acse | FlatApdu
"""An APDU in its elements. Both kinds are read alike."""

_reader = remembered(16)(FlatReader)


def read_apdu(octets: Octets, *, max_size: int = MAX_APDU_OCTETS) -> Envelope:
    """Take an APDU apart: in one step if it is of the usual form, else by its elements.

    Args:
        octets: exactly one APDU.
        max_size: limit for the whole APDU in octets.

    Raises:
        DecodeError, LimitExceeded: see `decode_acse`.
    """
    if type(octets) is not bytes:
        octets = bytes(octets)
    usual = _reader(max_size).read(octets)
    if usual is not None:
        try:
            title_of(usual.called_title[1:])  # the reader does not look into titles
            title_of(usual.calling_title[1:])
        except DecodeError:
            pass  # said again by the element's own decoder, when it is asked
        else:
            return usual
    return decode_acse(octets, max_size=max_size)


def elements_of(envelope: Envelope) -> Acse:
    """Return an APDU by its elements, with the place of each."""
    if isinstance(envelope, Acse):
        return envelope
    return decode_acse(envelope.octets, max_size=len(envelope.octets))


def is_secured(envelope: Envelope) -> bool:
    """Return whether a message says that it is sealed.

    Raises:
        DecodeError: an element is malformed.
    """
    if isinstance(envelope, FlatApdu):
        return bool(envelope.control_octet & _MODE_BITS)
    _, start, end = envelope.user_information
    return start < end and bool(envelope.octets[start] & _MODE_BITS)
