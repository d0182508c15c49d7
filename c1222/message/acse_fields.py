"""What an ACSE APDU is built from, and the octets it is built into."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, Required, TypedDict

from c1219.caches import remembered
from c1222.errors import EncodeError
from c1222.message.acse_declaration import MAX_INTEGER_OCTETS, plan
from c1222.message.aptitle import ApTitle
from c1222.message.ber import APDU_TAG, tlv
from c1222.message.tlv_plan import emit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from c1222.message.tlv_plan import Node

__all__ = [
    "SOURCES",
    "Authentication",
    "Fields",
    "encode",
    "encode_element",
    "encode_elements",
    "invocation_ids",
    "string_head",
]


class Authentication(NamedTuple):
    """The calling-authentication-value.

    Attributes:
        form: ``c12.22``; ``draft`` (January 2008: vector of 8 octets or none, or further elements); ``c12.21`` (a
            tunnelled C12.21 authentication); ``opaque`` (octet-aligned). Only the first is read further.
        key_id: 0..255, None where the element leaves it out.
        iv: initialisation vector, 4 octets; the big-endian seconds since 1970 UTC.
        raw: content octets of the element as received; None to build the usual form.
    """

    form: Literal["c12.22", "c12.21", "opaque", "draft"]
    key_id: int | None = None
    iv: bytes | None = None
    raw: bytes | None = None


class Fields(TypedDict, total=False):
    """What an APDU is built from. Integers are unsigned; see the properties of :class:`Acse`."""

    application_context: str | None
    called: ApTitle | None
    called_ae_qualifier: int | None
    called_invocation_id: int | None
    calling: ApTitle | None
    calling_ae_qualifier: int | None
    calling_invocation_id: Required[int]
    mechanism: str | None
    authentication: Authentication | None
    indirect_reference: int | None


def _integer_leaf(name: str, value: int) -> dict[str, bytes]:
    if not 0 <= value < 1 << 8 * MAX_INTEGER_OCTETS:
        raise EncodeError(f"{name} = {value} has no form on the wire")
    return {name: value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big")}


def _title_leaf(_name: str, title: ApTitle) -> dict[str, bytes]:
    return {"relative" if title.is_relative else "absolute": title.content}


def _oid_leaf(name: str, text: str) -> dict[str, bytes]:
    title = ApTitle(text)
    if title.is_relative:
        raise EncodeError(f"{name} is an absolute object identifier")
    return {name: title.content}


def _authentication_leaves(name: str, value: Authentication) -> dict[str, bytes]:
    if value.form != "c12.22":
        raise EncodeError(f"{name}: the form {value.form} is built from its raw octets only")
    if value.iv is None or len(value.iv) != 4:
        raise EncodeError(f"{name}: an initialisation vector of 4 octets is needed")
    if value.key_id is None:
        return {"iv": value.iv}
    if not 0 <= value.key_id <= 0xFF:
        raise EncodeError(f"{name}: the key id {value.key_id} is not in 0..255")
    return {"key-id": bytes((value.key_id,)), "iv": value.iv}


# Every element but the user information: the field it is built from, and the leaves of the plan that field fills.
SOURCES: Final[dict[str, tuple[str, Callable[[str, Any], dict[str, bytes]]]]] = {
    "application-context-name": ("application_context", _oid_leaf),
    "called-AP-title": ("called", _title_leaf),
    "called-AE-qualifier": ("called_ae_qualifier", _integer_leaf),
    "called-AP-invocation-id": ("called_invocation_id", _integer_leaf),
    "calling-AP-title": ("calling", _title_leaf),
    "calling-AE-qualifier": ("calling_ae_qualifier", _integer_leaf),
    "calling-AP-invocation-id": ("calling_invocation_id", _integer_leaf),
    "mechanism-name": ("mechanism", _oid_leaf),
    "calling-authentication-value": ("authentication", _authentication_leaves),
}


def encode(fields: Fields, user_information: bytes) -> bytes:
    """Return the octets of an APDU: the order of the wire, minimal lengths, minimal unsigned integers.

    Args:
        fields: the elements but the last; ``calling_invocation_id`` is mandatory.
        user_information: the octet-aligned string of the last.

    Raises:
        EncodeError: a value has no form on the wire.
    """
    head = string_head(len(user_information), fields.get("indirect_reference"))
    return tlv(APDU_TAG, b"".join(encode_elements(fields).values()) + head + user_information)


def encode_elements(fields: Fields) -> dict[str, bytes]:
    """Return the octets of the elements but the last, by name and in the order of the wire.

    Args:
        fields: as for `encode`.

    Raises:
        EncodeError: a value has no form on the wire.
    """
    parts = {}
    for name, node in _nodes().items():
        value = fields.get(SOURCES[name][0]) if name in SOURCES else None
        if value is not None:
            parts[name] = encode_element(name, value)
        elif name in SOURCES and not node.optional:
            raise EncodeError(f"{name} is mandatory")
    return parts


def encode_element(name: str, value: Any) -> bytes:
    """Return the octets of one element.

    Args:
        name: as in the declaration.
        value: as in `Fields`, not None.

    Raises:
        EncodeError: it has no form on the wire.
    """
    if isinstance(value, ApTitle):
        return _title_element(name, value.content, relative=value.is_relative)
    node = _nodes()[name]
    if isinstance(value, Authentication):
        if value.raw is not None:
            return tlv(node.tags[0], value.raw)
        if isinstance(value.iv, bytes):
            return _authentication_element(name, value)
    _, leaves_of = SOURCES[name]
    return emit(node, leaves_of(name, value)) or b""


@remembered(8192)
def string_head(size: int, indirect_reference: int | None = None) -> bytes:
    """Return the octets of the user information before its octet-aligned string.

    Args:
        size: octets of the string.
        indirect_reference: offset of the slice in a segment, None in a whole message.

    Raises:
        EncodeError: the offset has no form on the wire.
    """
    leaves = {"octet-aligned": bytes(size)}
    if indirect_reference is not None:
        leaves |= _integer_leaf("indirect-reference", indirect_reference)
    element = emit(plan().elements[plan().tags["user-information"]], leaves) or b""
    return element[: len(element) - size]


@remembered()
def _nodes() -> dict[str, Node]:
    """Return the plan of every element by its name, in the order of the wire."""
    return {node.name: node for node in plan().elements.values()}


# A sender has few titles and many messages a second: these elements are the same again and again.
@remembered(8192)
def _title_element(name: str, content: bytes, *, relative: bool) -> bytes:
    title = ApTitle.from_content(content, relative=relative)
    return emit(plan().elements[plan().tags[name]], _title_leaf(name, title)) or b""


@remembered(1024)
def _authentication_element(name: str, value: Authentication) -> bytes:
    return emit(plan().elements[plan().tags[name]], _authentication_leaves(name, value)) or b""


def invocation_ids(start: int | None = None, *, bits: Literal[16, 32] = 32) -> Iterator[int]:
    """Yield invocation ids, increasing, whose first octet is below 80, so that signed and unsigned readers agree.

    Args:
        start: the first candidate; None draws one at random from the lower half of the range, so that the ids of a
            session go on increasing.
        bits: 32, or 16 for peers that store no more [1]. Past the end of the range the ids start again at 1.

    Yields:
        Ids in 1..2^(bits-1)-1, never 0.
    """
    import secrets  # noqa: PLC0415 - a listener numbers nothing

    top = 1 << (bits - 1)
    value = secrets.randbelow(top // 2) if start is None else start
    while True:
        size = max(1, (value.bit_length() + 7) // 8)
        if not 0 < value < top:
            value = 1
        elif value >> (8 * size - 1):
            value = 1 << 8 * size
        else:
            yield value
            value += 1
