"""Parts of tables, by offset and by index, against the whole; and tables that do not fit an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from c1219.errors import C1219Error
from c1219.tableid import table_id
from c1222.conformance.reply import said
from c1222.conformance.rules import Mark, NotApplicable, Remark, Rule, check, note, odd, wrong
from c1222.conformance.session import get
from c1222.conformance.survey import survey
from c1222.services.results import Onp, Sns
from c1222.services.tables import (
    ReadDefaultRequest,
    ReadIndexRequest,
    ReadOffsetRequest,
    TableResponse,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from c1222.conformance.probe import Probe

__all__ = ["by_index", "by_offset", "default", "largest", "offered"]

_STEADY: Final = ("ST0", "ST1", "ST2", "ST5", "ST6", "ST11", "ST21")
_ROOM: Final = 300
_IMPOSSIBLE: Final = frozenset({Onp.code, Sns.code})


def _steady(probe: Probe) -> dict[str, bytes]:
    """Return tables that do not change by themselves, as they were read as a whole."""
    found = survey(probe)
    tables: dict[str, bytes] = {}
    for label in _STEADY:
        if label in found.used:
            try:
                tables[label] = found.octets(label)
            except NotApplicable:
                continue
    return tables


@check(
    "C-READ-01",
    "A read by offset gives the octets of the full read",
    Rule("3F: offset of 24 bits from the first octet, count of octets.", "Elster, Itron, Wireshark", Mark.VERIFIED),
    "C-TABLE-01",
)
def by_offset(probe: Probe) -> Iterator[Remark]:
    """The first octet, the last, a middle part, and all, of tables that stand still."""
    if not survey(probe).by_offset:
        raise NotApplicable("ST0 offers no access by offset")
    for label, whole in _steady(probe).items():
        size = min(len(whole), _ROOM)
        for offset, count in dict.fromkeys(((0, 1), (len(whole) - 1, 1), (len(whole) // 3, size // 2), (0, size))):
            if not count or offset < 0:
                continue
            reply = get(probe, ReadOffsetRequest(table_id(label), offset, count))
            if not isinstance(reply.first, TableResponse):
                yield wrong(f"{label}, {count} octets from {offset}: {said(reply)}")
            elif reply.first.data != whole[offset : offset + count]:
                yield wrong(f"{label}, {count} octets from {offset}: not those of the full read")
            elif not reply.first.checksum_ok:
                yield wrong(f"{label}, {count} octets from {offset}: the checksum is wrong")


@check(
    "C-READ-02",
    "A read by index gives the element of the full read",
    Rule(
        "31..39: an index path, and a count of elements, or of octets.",
        "Zeek (elements), NIST (octets)",
        Mark.ONE_SOURCE,
        disputed="the unit of the count: either is taken",
    ),
    "C-TABLE-01",
)
def by_index(probe: Probe) -> Iterator[Remark]:
    """The first two elements, of more than one octet, of tables that stand still."""
    found = survey(probe)
    if not found.by_index:
        raise NotApplicable("ST0 offers no access by index")
    units = set()
    for label, whole in _steady(probe).items():
        for index in range(2):
            try:
                element = found.layout(label).at_index((index,))
            except (NotApplicable, C1219Error):
                continue
            reply = get(probe, ReadIndexRequest(table_id(label), (index,), 1))
            if not isinstance(reply.first, TableResponse):
                yield wrong(f"{label} at {index}: {said(reply)}")
                continue
            data, start = reply.first.data, element.offset
            if data not in {whole[start : start + element.size], whole[start : start + 1]}:
                yield wrong(f"{label} at {index}: {len(data)} octets that are not {element.path}")
            elif element.size > 1:
                units.add("elements" if len(data) > 1 else "octets")
    if len(units) > 1:
        yield wrong("the count counts elements in some tables, octets in others")
    elif units:
        yield note(f"the count counts {units.pop()}")


@check(
    "C-READ-03",
    "The ways of access are those that ST0 offers",
    Rule(
        "DATA_ACCESS_METHOD: 0 whole tables, 1 also by offset, 2 by index, 3 both.",
        "Connexo, NIST, EPRI",
        Mark.VERIFIED,
    ),
    "C-TABLE-01",
)
def offered(probe: Probe) -> Iterator[Remark]:
    """Both ways, at ST0."""
    found = survey(probe)
    for offer, way, request in (
        (found.by_offset, "by offset", ReadOffsetRequest(0, 0, 1)),
        (found.by_index, "by index", ReadIndexRequest(0, (0,), 1)),
    ):
        reply = get(probe, request)
        if offer and reply.code() in _IMPOSSIBLE:
            yield wrong(f"access {way} is offered, and answered with {said(reply)}")
        elif not offer and reply.is_ok:
            yield odd(f"access {way} is not offered, and served")


@check(
    "C-READ-04",
    "A default read is served, or not supported",
    Rule("3E: the node chooses the table.", "Zeek, Wireshark", Mark.UNSURE, disputed="Itron: sns"),
)
def default(probe: Probe) -> Iterator[Remark]:
    """3E."""
    reply = get(probe, ReadDefaultRequest())
    if not isinstance(reply.first, TableResponse) and reply.code() != Sns.code:
        yield wrong(f"3E: {said(reply)}")


@check(
    "C-READ-05",
    "An answer that would be too large is refused with its limit",
    Rule("rstl carries the largest size in 32 bits; what is smaller is answered.", "Itron, Zeek", Mark.VERIFIED),
    "C-TABLE-01",
    follows=("C-TABLE-02",),
)
def largest(probe: Probe) -> Iterator[Remark]:
    """The refusals of full reads, and the reads in pieces that followed them."""
    found = survey(probe)
    if not found.too_large:
        raise NotApplicable("every table fits an answer")
    for label, refusal in found.too_large.items():
        found.recall(label)
        if "max_size" not in refusal.details:
            yield wrong(f"{label}: rstl without the largest size")
        if label not in found.device:
            yield wrong(f"{label}: rstl, and no part of it can be read")
    yield note(f"too large for an answer: {', '.join(found.too_large)}")
