"""The ACSE APDU, declared once as pyasn1 types, and the plan that is computed from them.

Tags, order, presence, inner forms and sizes stand in :func:`declaration` and nowhere else; decoder and encoder follow
:func:`plan`. pyasn1 is loaded when the first message is decoded or built, not before.
Origin: C12.22-2008 with errata as implemented by Elster MeteringSDK, Itron's stack, Wireshark and icsnpp-c1222 [V];
segments and the drafts of 2006 and January 2008 as in Itron's stack, the C12.21 form as in Wireshark's module [1].
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeVar

from c1219.caches import remembered
from c1222.message.ber import MAX_APDU_OCTETS
from c1222.message.tlv_plan import Node, Walk, emit

if TYPE_CHECKING:
    from pyasn1.type import base, namedtype, univ

_T = TypeVar("_T", bound="base.Asn1Type")

__all__ = ["MAX_INTEGER_OCTETS", "Plan", "declaration", "plan"]

MAX_INTEGER_OCTETS: Final = 5
"""Four octets of an invocation id, and the zero that keeps it positive where the sender uses signed integers."""


@remembered()
def declaration() -> univ.Sequence:
    """Return the APDU as a pyasn1 type: the declaration everything here is computed from.

    Integers are declared signed, as BER has them; this package reads them unsigned, because real clients send
    invocation ids such as ``02 04 CF…`` without the leading zero.
    """
    from pyasn1.type import constraint, namedtype, tag, univ  # noqa: PLC0415 - only when a message is at hand

    named, optional, default = namedtype.NamedType, namedtype.OptionalNamedType, namedtype.DefaultedNamedType

    def explicit(number: int, spec: _T) -> _T:
        return spec.subtype(explicitTag=tag.Tag(tag.tagClassContext, tag.tagFormatConstructed, number))

    def implicit(number: int, spec: _T, tag_class: int = tag.tagClassContext) -> _T:
        return spec.subtype(implicitTag=tag.Tag(tag_class, tag.tagFormatSimple, number))

    def octets(number: int, smallest: int = 0, largest: int = MAX_APDU_OCTETS) -> univ.OctetString:
        size = constraint.ValueSizeConstraint(smallest, largest)
        return implicit(number, univ.OctetString().subtype(subtypeSpec=size))

    def choice(*alternatives: namedtype.NamedType) -> univ.Choice:
        return univ.Choice(componentType=namedtype.NamedTypes(*alternatives))

    def sequence(*members: namedtype.NamedType) -> univ.Sequence:
        return univ.Sequence(componentType=namedtype.NamedTypes(*members))

    def external(reference: namedtype.NamedType, *encodings: namedtype.NamedType) -> univ.Sequence:
        members = sequence(optional("direct-reference", oid), reference, named("encoding", choice(*encodings)))
        return implicit(8, members, tag.tagClassUniversal)

    oid = univ.ObjectIdentifier()
    bound = 1 << (8 * MAX_INTEGER_OCTETS - 1)
    integer = univ.Integer(subtypeSpec=constraint.ValueRangeConstraint(-bound, bound - 1))
    title = choice(
        named("absolute", oid),
        named("relative", implicit(0, univ.RelativeOID())),
        named("relative-of-2006", univ.RelativeOID()),
    )
    c1221 = choice(
        named("identification", octets(0, 3, 259)),
        named("request", octets(1, 1, 255)),
        named("response", octets(2, 0, 255)),
    )
    c1222 = sequence(  # the vector has 4 octets; 8 or none, and the elements after it, only in the draft of 2008
        optional("key-id", octets(0, 1, 1)),
        optional("iv", octets(1, 4, 8)),
        optional("user-element", octets(2, 4, 24)),
        optional("authentication-token", octets(3, 8, 8)),
    )
    single = choice(named("c12-21", explicit(0, c1221)), named("c12-22", implicit(1, c1222)))
    zero = univ.Integer(0, subtypeSpec=constraint.SingleValueConstraint(0))
    authentication = external(
        default("indirect-reference", zero),
        named("single-ASN1-type", explicit(0, single)),
        named("octet-aligned", octets(1)),
    )
    user_information = external(optional("indirect-reference", integer), named("octet-aligned", octets(1)))
    apdu = sequence(
        optional("application-context-name", explicit(1, oid)),
        optional("called-AP-title", explicit(2, title)),
        optional("called-AE-qualifier", explicit(3, integer)),
        optional("called-AP-invocation-id", explicit(4, integer)),
        optional("calling-AP-title", explicit(6, title)),
        optional("calling-AE-qualifier", explicit(7, integer)),
        named("calling-AP-invocation-id", explicit(8, integer)),
        optional("mechanism-name", implicit(11, oid)),
        optional("calling-authentication-value", explicit(12, implicit(2, authentication))),
        named("user-information", explicit(30, user_information)),
    )
    return implicit(0, apdu, tag.tagClassApplication)


def _node(name: str, spec: base.Asn1Type, *, optional: bool) -> Node:
    """Compute the plan of one declared component."""
    from pyasn1.type import constraint, univ  # noqa: PLC0415 - the declaration has loaded it

    tags = tuple(tag.tagClass | tag.tagFormat | tag.tagId for tag in reversed(spec.tagSet.superTags))
    smallest, largest = 0, MAX_APDU_OCTETS
    members: tuple[Node, ...] = ()
    kind: Literal["leaf", "sequence", "choice"] = "leaf"
    if isinstance(spec, univ.Choice | univ.Sequence):
        kind = "choice" if isinstance(spec, univ.Choice) else "sequence"
        members = tuple(
            _node(member.name, member.asn1Object, optional=member.isOptional or member.isDefaulted)
            for member in spec.componentType.namedTypes
        )
    elif isinstance(spec, univ.Integer):
        smallest, largest = 1, MAX_INTEGER_OCTETS
    else:
        for limit in spec.subtypeSpec:
            if isinstance(limit, constraint.ValueSizeConstraint):
                smallest, largest = limit.start, limit.stop
    starts = frozenset(tags[:1]) or frozenset[int]().union(*(member.starts for member in members))
    return Node(name, tags, kind, optional, smallest, largest, members, starts)


class Plan(NamedTuple):
    """What the top level needs to know.

    Attributes:
        elements: the plan of every element by its tag, in the order of the wire.
        tags: the tag of every element, by name.
        ranks: for each tag octet its place in the order of the wire, from 1; 0 for unknown elements.
        last: the rank of the last element, which is mandatory.
        required: the tags of the other mandatory elements.
        authentication: a calling-authentication-value of the usual form, whole, with zeros for key id and vector.
        key_id: where the key id stands in it, from the start of the content.
        iv: where the initialisation vector stands in it.
        external: the tag around the user information.
        octet_aligned: the tag of its string.
    """

    elements: dict[int, Node]
    tags: dict[str, int]
    ranks: bytes
    last: int
    required: tuple[int, ...]
    authentication: bytes
    key_id: slice
    iv: slice
    external: int
    octet_aligned: int


@remembered()
def plan() -> Plan:
    """Return the plan of the APDU, computed from its declaration on first use."""
    apdu = _node("acse", declaration(), optional=False)
    elements = {member.tags[0]: member for member in apdu.members}
    tags = {member.name: tag for tag, member in elements.items()}
    ranks = bytearray(256)
    for rank, tag in enumerate(elements, 1):
        ranks[tag] = rank
    node = elements[tags["calling-authentication-value"]]
    usual = emit(node, {"key-id": bytes(1), "iv": bytes(4)}) or b""
    envelope = emit(elements[tags["user-information"]], {"octet-aligned": b""}) or b""
    walk = Walk(usual, "")
    walk.element(node, 0, len(usual))
    return Plan(
        elements=elements,
        tags=tags,
        ranks=bytes(ranks),
        last=len(elements),
        required=tuple(tag for tag, member in elements.items() if not member.optional)[:-1],
        authentication=usual,
        key_id=slice(*(position - 2 for position in walk.leaves["key-id"])),
        iv=slice(*(position - 2 for position in walk.leaves["iv"])),
        external=envelope[2],
        octet_aligned=envelope[4],
    )
