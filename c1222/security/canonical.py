"""The canonified cleartext N of a message: what EAX' authenticates besides the body, and what it takes for a nonce.

N is cut from the octets as they were received, in its own order: the calling title stands behind the user information,
next to the key id and the initialisation vector. Both titles are made absolute, so that a relay may turn one form into
the other. The user information ends with the control octet; its lengths are those sent, and count body and MAC.
Source: C12.22-2008 with errata as Elster MeteringSDK and Wireshark implement it; example 8 of the standard and two
captured exchanges with meters verify. [V] With an application context in the message, relative titles are below that
context and an arc 0, as Elster documents [1]; its code leaves the 0 out. A context that is 2.16.124.113620.1.22.0 has
that 0 already, as Elster and Wireshark read it; `other_prefix` has it twice.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

from c1219.caches import BoundedDict, remembered
from c1222.errors import DecodeError, EncodeError
from c1222.message.acse_declaration import plan
from c1222.message.acse_fields import encode_element, encode_elements
from c1222.message.aptitle import DEFAULT_BASE, ApTitle
from c1222.message.ber import tlv
from c1222.message.flat import FlatApdu

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from c1222.message.acse import Acse
    from c1222.message.acse_fields import Fields

__all__ = [
    "REMEMBERED_TITLES",
    "HeaderPiece",
    "UsualTitles",
    "canonical_header",
    "canonical_prefix",
    "other_prefix",
    "pieces",
    "unsealed",
]

REMEMBERED_TITLES = 32768
"""Titles whose absolute forms are remembered for each base; past it, they are forgotten and made again."""

_ORDER = (
    "application-context-name",
    "called-AP-title",
    "called-AP-invocation-id",
    "calling-AE-qualifier",
    "calling-AP-invocation-id",
    "mechanism-name",
    "calling-authentication-value",
    "user-information",
    "calling-AP-title",
)
_TITLES = ("called-AP-title", "calling-AP-title")


class HeaderPiece(NamedTuple):
    """One part of N.

    Attributes:
        name: of the element, as in the declaration of the APDU; or ``key-id``, ``iv``.
        octets: as they stand in N.
    """

    name: str
    octets: bytes


def canonical_header(acse: Acse, *, key_id: int | None, iv: bytes, base: ApTitle = DEFAULT_BASE) -> bytes:
    """Return N.

    Args:
        acse: the message.
        key_id: 0..255; None leaves the octet out, as some do when the message names no key id.
        iv: 4 octets, of this message or of its session.
        base: what makes titles absolute in a message without an application context; absolute.

    Raises:
        DecodeError: an element that N needs is malformed, or the message is a segment.
    """
    prefix, _, _ = canonical_prefix(acse, base.content)
    return prefix + (iv if key_id is None else bytes((key_id,)) + iv)


def unsealed(
    fields: Fields, user_information: bytes, *, key_id: int, iv: bytes, base: ApTitle = DEFAULT_BASE
) -> tuple[bytes, bytes]:
    """Return the content of an APDU up to what is to be sealed, and N.

    Args:
        fields: what its elements are built from.
        user_information: its octets up to the control octet, which is included.
        key_id: 0..255.
        iv: 4 octets, of this message or of its session.
        base: what makes titles absolute in a message without an application context; absolute.

    Raises:
        EncodeError: a value has no form on the wire.
    """
    if fields.get("calling_invocation_id") is None:
        raise EncodeError("an invocation id is mandatory")
    called, calling = fields.get("called"), fields.get("calling")
    wire, header = _frame(
        fields.get("application_context"),
        None if called is None else called.tlv(),
        None if calling is None else calling.tlv(),
        fields.get("calling_ae_qualifier"),
        fields.get("mechanism"),
        base.content,
    )
    quoted, number, said = [
        b"" if (value := fields.get(field)) is None else encode_element(name, value) for name, field in _VARIABLE
    ]
    own = bytes((key_id,)) + iv
    return (
        b"".join((wire[0], quoted, wire[1], number, wire[2], said, wire[3], user_information)),
        b"".join((header[0], quoted, header[1], number, header[2], said, header[3], user_information, header[4], own)),
    )


_VARIABLE = (
    ("called-AP-invocation-id", "called_invocation_id"),
    ("calling-AP-invocation-id", "calling_invocation_id"),
    ("calling-authentication-value", "authentication"),
)
"""What differs between messages of the same nodes besides the user information, in the order of the wire and of N."""


@remembered(8192)
def _frame(
    context: str | None,
    called: bytes | None,
    calling: bytes | None,
    qualifier: int | None,
    mechanism: str | None,
    base: bytes,
) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
    """Return the octets between the elements that differ: in the APDU, and in N."""
    titles = [None if title is None else ApTitle.from_tlv(title) for title in (called, calling)]
    elements = encode_elements(
        {
            "application_context": context,
            "called": titles[0],
            "calling": titles[1],
            "calling_ae_qualifier": qualifier,
            "calling_invocation_id": 0,
            "mechanism": mechanism,
        }
    )
    forms = _forms(base if context is None else _below(ApTitle(context).content))
    absolute = {}
    for place, title in enumerate((called, calling)):
        if title is not None:
            absolute[_TITLES[place]] = forms[title][place]
    order = [node.name for node in plan().elements.values()]
    return _between(order, elements), _between(_ORDER, {**elements, **absolute})


def _between(order: Iterable[str], elements: Mapping[str, bytes]) -> tuple[bytes, ...]:
    variable = {name for name, _ in _VARIABLE} | {"user-information"}
    found = [b""]
    for name in order:
        if name in variable:
            found.append(b"")
        else:
            found[-1] += elements.get(name, b"")
    return tuple(found)


def pieces(acse: Acse, *, key_id: int | None, iv: bytes, base: ApTitle = DEFAULT_BASE) -> list[HeaderPiece]:
    """Return N in named pieces, to see where two implementations differ. Takes and raises the same."""
    result = []
    for name in _ORDER:
        span = acse.span(name)
        if span is None:
            continue
        if name in _TITLES:
            octets_of_piece = _absolute(acse, name, base.content)[_TITLES.index(name)]
        else:
            end = _control(acse) + 1 if name == "user-information" else span.end
            octets_of_piece = acse.octets[span.start : end]
        result.append(HeaderPiece(name, octets_of_piece))
    if key_id is not None:
        result.append(HeaderPiece("key-id", bytes((key_id,))))
    result.append(HeaderPiece("iv", iv))
    return result


def canonical_prefix(acse: Acse | FlatApdu, base: bytes) -> tuple[bytes, bytes | None, bytes | None]:
    """Return N without key id and initialisation vector, and the titles that were made absolute on the way.

    Args:
        acse: the message.
        base: content octets of what makes titles absolute in a message without an application context.

    Returns:
        The octets; the content octets of the absolute called title and of the absolute calling title, if present.

    Raises:
        DecodeError: an element that N needs is malformed, or the message is a segment.
    """
    if isinstance(acse, FlatApdu):
        forms = _forms(base)
        to, by = forms[acse.called_title[1:]], forms[acse.calling_title[1:]]
        return b"".join((to[0], acse.quoted or b"", acse.middle, by[1])), to[2], by[2]
    layout = _layout()
    octets, spans = acse.octets, acse.spans
    if tuple(spans) not in layout.usual or acse.unknown:
        return _prefix_of_any(acse, base)
    # In the usual order N is the message itself, with the calling title moved to the end.
    called_start, called_content, called_end = spans[layout.called]
    calling_start, calling_content, calling_end = spans[layout.calling]
    start = called_start
    if layout.context in spans:
        start, _, _ = spans[layout.context]
        base = _base(acse, base)
    forms = _forms(base)
    try:
        called = forms[octets[called_content:called_end]]
        calling = forms[octets[calling_content:calling_end]]
    except DecodeError:
        return _prefix_of_any(acse, base)  # which says where
    prefix = b"".join(
        (
            octets[start:called_start],
            called[0],
            octets[called_end:calling_start],
            octets[calling_end : _control(acse) + 1],
            calling[1],
        )
    )
    return prefix, called[2], calling[2]


def _prefix_of_any(acse: Acse, base: bytes) -> tuple[bytes, bytes | None, bytes | None]:
    layout = _layout()
    if acse.is_segment:
        raise DecodeError("acse.called-AE-qualifier", 0, "a segment has no canonical header; the whole message has")
    prefix = b"".join(piece.octets for piece in pieces(acse, key_id=None, iv=b"", base=_base_title(base)))
    called = _absolute(acse, _TITLES[0], base)[2] if layout.called in acse.spans else None
    calling = _absolute(acse, _TITLES[1], base)[2] if layout.calling in acse.spans else None
    return prefix, called, calling


class _Layout(NamedTuple):
    """Tags by name, and the orders of elements, all usual, in which N is the message with one element moved."""

    tags: dict[str, int]
    context: int
    called: int
    calling: int
    usual: frozenset[tuple[int, ...]]


@remembered()
def _layout() -> _Layout:
    elements = plan().elements
    tags = plan().tags
    called, calling = (tags[name] for name in _TITLES)
    always = {called, calling, *(tag for tag, node in elements.items() if not node.optional)}
    maybe = [tags[name] for name in _ORDER if tags[name] not in always]
    usual = frozenset(
        tuple(tag for tag in elements if tag in always or tag in chosen)
        for size in range(len(maybe) + 1)
        for chosen in combinations(maybe, size)
    )
    return _Layout(tags, tags["application-context-name"], called, calling, usual)


_Forms = BoundedDict[bytes, tuple[bytes, bytes, bytes]]
"""Of each title as received: the called and the calling element with it made absolute, and its content octets."""


@remembered(16)
def _forms(base: bytes) -> _Forms:
    before, tags = _base_title(base), (_layout().called, _layout().calling)

    def forms(octets: bytes) -> tuple[bytes, bytes, bytes]:
        title = ApTitle.from_tlv(octets).absolute(before)
        called, calling = (tlv(tag, title.tlv()) for tag in tags)
        return called, calling, title.content

    return BoundedDict(REMEMBERED_TITLES, forms)


class UsualTitles(BoundedDict[bytes, tuple[bytes, bytes, bytes]]):
    """The same by the octets of the title's element without its tag, as the parts of a usual APDU have it.

    Args:
        base: content octets of what makes titles absolute; the APDUs carry no application context.

    Looking up a title that is malformed raises DecodeError.
    """

    __slots__ = ()

    def __init__(self, base: bytes) -> None:
        forms = _forms(base)
        super().__init__(REMEMBERED_TITLES, lambda octets: forms[octets[1:]])


def _absolute(acse: Acse, name: str, base: bytes) -> tuple[bytes, bytes, bytes]:
    _, start, end = acse.spans[_layout().tags[name]]
    try:
        return _forms(_base(acse, base))[acse.octets[start:end]]
    except DecodeError as error:
        raise type(error)(f"acse.{name}", start + error.offset, error.reason) from None


def other_prefix(acse: Acse) -> bytes | None:
    """Return N without key id and vector for who adds an arc 0 to a context that ends with it; None for any other.

    Args:
        acse: a message that has the N of the usual reading.
    """
    doubled = DEFAULT_BASE.content + b"\0"
    if acse.application_context != str(DEFAULT_BASE):
        return None
    parts = pieces(acse, key_id=None, iv=b"")
    titles = {name: acse.span(name) for name in _TITLES}
    header = b""
    for part in parts:
        span = titles.get(part.name)
        if span is None:
            header += part.octets
        else:
            header += _forms(doubled)[acse.octets[span.content : span.end]][_TITLES.index(part.name)]
    return header if header != b"".join(part.octets for part in parts) else None


def _base(acse: Acse, base: bytes) -> bytes:
    """Return the content octets of what goes before relative titles: the message's context and 0, or the default."""
    context = acse.span("application-context-name")
    if context is None:
        return base
    try:
        content = ApTitle.from_tlv(acse.octets[context.content : context.end]).absolute().content
        return _below(content)
    except DecodeError as error:
        raise type(error)("acse.application-context-name", context.content + error.offset, error.reason) from None


def _below(context: bytes) -> bytes:
    """Return what goes before relative titles under an application context."""
    return context if context == DEFAULT_BASE.content else context + b"\0"


def _base_title(base: bytes) -> ApTitle:
    return ApTitle.from_content(base, relative=False)


def _control(acse: Acse) -> int:
    """Return where the control octet is."""
    _, start, end = acse.user_information
    if start == end:
        raise DecodeError("acse.user-information", start, "the control octet is missing")
    return start
