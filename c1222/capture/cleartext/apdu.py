"""A verified message as one in cleartext: the same services, without the MAC, passwords and keys filled.

The control octet says cleartext, the body stands as decrypted, the MAC is gone, and so is an indirect reference. All
other elements stay, the authentication value among them: it still tells which key and vector the message came with.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from c1222.errors import DecodeError, EncodeError
from c1222.message.acse_declaration import plan
from c1222.message.ber import APDU_TAG, read_length, tlv
from c1222.message.epsem import ED_CLASS_SIZE, Control, SecurityMode, split_services
from c1222.services.table_data import TableData

if TYPE_CHECKING:
    from c1222.protocol.message import Message
    from c1222.services import Service

__all__ = ["FILL", "ClearApdu", "clear_apdu"]

FILL: Final = b"*"
"""The octet that stands in place of each of a password, a key, or a table that may hold them."""


class ClearApdu(NamedTuple):
    """A message in cleartext.

    Attributes:
        octets: the APDU.
        filled: services with a password, a key, or a table that may hold them, whose octets were filled.
    """

    octets: bytes
    filled: int


def clear_apdu(message: Message, *, show_secrets: bool = False) -> ClearApdu | None:
    """Return a message as one in cleartext.

    Args:
        message: one that was decoded and verified.
        show_secrets: leave passwords and keys readable.

    Returns:
        The message; None where its services cannot be told apart, so that secrets cannot be filled.
    """
    acse = message.acse
    if acse is None:
        return None
    body, filled = message.body, 0
    if not show_secrets:
        end = ED_CLASS_SIZE if message.ed_class is not None else 0
        try:
            spans = split_services(body, end, len(body))
        except DecodeError:
            return None
        octets = bytearray(body)
        for (start, end), service in zip(spans, message.services, strict=True):
            if service.conceals and any(field.secret for field in service.fields):
                octets[start:end] = _filled(service, body[start:end])
                filled += 1
        octets[end:] = bytes(len(octets) - end)  # behind the list, where nothing has a meaning
        body = bytes(octets)
    control = Control.from_octet(acse.octets[acse.user_information.start])
    string = bytes((control._replace(mode=SecurityMode.CLEARTEXT).octet,)) + body
    layout = plan()
    for tag in (layout.octet_aligned, layout.external, layout.tags["user-information"]):
        string = tlv(tag, string)
    first = read_length(acse.octets, 1, len(acse.octets))[1]
    end, _, _ = acse.spans[layout.tags["user-information"]]
    before = acse.octets[first:end]
    return ClearApdu(tlv(APDU_TAG, before + string), filled)


def _filled(service: Service, octets: bytes) -> bytes:
    """Return the octets of a service with its secrets filled, as many as they were."""
    changes = {
        field.name: _fill(field.get(service)) for field in service.fields if field.secret or field.name == "trailing"
    }
    try:
        filled = service.replace(**changes).encode()
    except EncodeError:  # what was decoded may break rules that encoding keeps
        filled = b""
    if len(filled) != len(octets) or filled[:1] != octets[:1]:
        return octets[:1] + FILL * (len(octets) - 1)
    return filled


def _fill(value: Any) -> Any:
    if isinstance(value, TableData):
        filled = TableData(FILL * len(value.data))
        return TableData(filled.data, filled.checksums[: len(value.checksums)])
    if isinstance(value, tuple):
        return tuple(map(_fill, value))
    return None if value is None else FILL * len(value)
