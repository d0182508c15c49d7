"""Tables against what ST0 says of them, and against their layouts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from c1219.errors import C1219Error
from c1219.rules import offer
from c1219.tableid import NUMBERS, TableId
from c1222.conformance.rules import Mark, NotApplicable, Remark, Rule, check, note, odd, wrong
from c1222.conformance.session import get
from c1222.conformance.survey import survey
from c1222.services import ErrorResponse
from c1222.services.malformed import MalformedService
from c1222.services.results import Bsy, Dlk, Dnr, Isc, Onp
from c1222.services.tables import ReadRequest, TableResponse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from c1222.conformance.probe import Probe

__all__ = ["absent", "checksums", "claimed", "consistent", "general", "lengths", "limits", "values"]

_MAY_BE: Final = frozenset({Onp.code, Dlk.code, Bsy.code, Dnr.code})
_WRITE_ONLY: Final = frozenset({"ST7"})
_OWN_SHAPE: Final = frozenset({"ST7", "ST8"})
_LIMITED: Final = (10, 20, 30, 40, 50, 60, 70, 90, 100, 110, 120, 130)
_SAMPLE: Final = 6


@check(
    "C-TABLE-01",
    "ST0 decodes, and is as long as it says itself",
    Rule("ST0 has 19 octets and its sets, whose sizes it tells.", "EPRI, NIST; real meters", Mark.VERIFIED),
)
def general(probe: Probe) -> Iterator[Remark]:
    """ST0 by its layout."""
    found = survey(probe)
    octets = found.octets("ST0")
    try:
        layout = found.device.layout_of("ST0", octets)
    except C1219Error as error:
        yield wrong(f"ST0, {len(octets)} octets: {error}")
        return
    if layout.fitting(len(octets)) is None:
        yield wrong(f"ST0 has {len(octets)} octets, by its own sizes {layout.size}")
    yield note(f"{len(found.used)} tables, {len(found.writable)} of them to be written")


@check(
    "C-TABLE-02",
    "Every table that ST0 claims can be read, or is protected",
    Rule("Bit n of STD_TBLS_USED and MFG_TBLS_USED: table n is there.", "Connexo, NIST, EPRI", Mark.VERIFIED),
    "C-TABLE-01",
)
def claimed(probe: Probe) -> Iterator[Remark]:
    """Read them all, first without the password; the checks after this one look at what came."""
    found = survey(probe)
    labels = [label for label in found.used if label not in _WRITE_ONLY]
    found.gather(labels)
    if "password refused" in probe.facts:
        yield wrong(f"the password is refused: {probe.facts['password refused']}")
    for label in labels:
        answer = found.answers.get(label)
        if answer is None:
            yield wrong(f"{label}: no response")
        elif isinstance(answer, MalformedService):
            yield wrong(f"{label}: a malformed response ({answer.fault})")
        elif isinstance(answer, ErrorResponse) and answer.code != Isc.code:
            yield (odd if answer.code in _MAY_BE else wrong)(f"{label} is claimed, and answered with {answer.result}")
    closed = [label for label in labels if getattr(found.answers.get(label), "code", 0) == Isc.code]
    if found.protected:
        yield note(f"take a password: {', '.join(found.protected)}")
    if closed:
        yield note(f"closed to this user: {', '.join(closed)}")


@check(
    "C-TABLE-03",
    "Tables that ST0 does not claim are not there",
    Rule("A table whose bit is not set is refused.", "Connexo, NIST, EPRI; Itron", Mark.VERIFIED),
    "C-TABLE-01",
)
def absent(probe: Probe) -> Iterator[Remark]:
    """Some that could be claimed, the first beyond, and a manufacturer's."""
    found = survey(probe)
    st0 = found.st0
    tables = [*found.absent(_SAMPLE), 8 * st0.DIM_STD_TBLS_USED]
    own = [TableId.of(number, manufacturer=True) for number in NUMBERS]
    tables.append(next((table for table in own if not offer.lists(st0, table)), own[-1]))
    for table in tables:
        reply = get(probe, ReadRequest(table))
        if isinstance(reply.first, TableResponse):
            yield wrong(f"table {table:04X} is not claimed, and {len(reply.first.data)} octets came")


@check(
    "C-TABLE-04",
    "Tables are as long as their layouts",
    Rule("ST0 and the ACT table of the decade tell how long a table is.", "Connexo, NIST, EPRI", Mark.VERIFIED),
    "C-TABLE-01",
    follows=("C-TABLE-02",),
)
def lengths(probe: Probe) -> Iterator[Remark]:
    """All tables that were read and are declared; where the declaration is not sure, a warning."""
    found, compared = survey(probe), 0
    for label in found.device:
        if label in _OWN_SHAPE:
            continue
        size = len(found.device[label].raw)
        try:
            layout = found.layout(label)
        except NotApplicable as error:
            yield note(str(error))
            continue
        if layout.table is None or layout.table.confidence == "name only":
            continue
        compared += 1
        if layout.fitting(size) is None:
            found.recall(label)
            firm = layout.table.confidence == "V"
            yield (wrong if firm else odd)(f"{label} has {size} octets, its layout {layout.size}")
    yield note(f"{compared} tables compared")


@check(
    "C-TABLE-05",
    "Elements have values that their types allow",
    Rule("BCD has digits, times have days that exist, and so on.", "inference", Mark.UNSURE),
    "C-TABLE-01",
    follows=("C-TABLE-02",),
)
def values(probe: Probe) -> Iterator[Remark]:
    """Warnings only: unused elements of real meters hold anything."""
    found = survey(probe)
    for label in found.device:
        try:
            found.layout(label)
            remarks = found.device.decoded(label).findings
        except (NotApplicable, C1219Error):
            continue
        for finding in remarks[:3]:
            if finding.level != "note":
                found.recall(label)
                yield wrong(f"{finding.path}: {finding.text}")


@check(
    "C-TABLE-06",
    "The checksum of table data is right",
    Rule("It makes the sum of the data, without the count, 0 modulo 256.", "captures; example 8", Mark.VERIFIED),
    "C-TABLE-01",
    follows=("C-TABLE-02",),
)
def checksums(probe: Probe) -> Iterator[Remark]:
    """All full reads."""
    found = survey(probe)
    for label, answer in found.answers.items():
        if isinstance(answer, TableResponse) and not answer.checksum_ok:
            found.recall(label)
            yield wrong(f"{label}: the checksum of its {len(answer.data)} octets is wrong")


@check(
    "C-TABLE-07",
    "ST0 claims no table without those it depends on",
    Rule("Tables are sized by ST0 and ACT tables; what is written is there.", "Connexo, Yukon, NIST", Mark.VERIFIED),
    "C-TABLE-01",
)
def consistent(probe: Probe) -> Iterator[Remark]:
    """Sets of ST0 beside each other and beside the declarations."""
    found = survey(probe)
    st0, used = found.st0, set(found.used)
    found.recall("ST0")
    if unread := [label for label in found.writable if label not in used]:
        yield wrong(f"claimed as writable, not as used: {', '.join(unread)}")
    if offer.procedures(st0) and not {"ST7", "ST8"} <= used:
        yield odd("procedures are claimed, ST7 and ST8 are not")
    if len({"ST7", "ST8"} & used) == 1:
        yield odd("of ST7 and ST8 only one is claimed")
    for label in found.used:
        try:
            needs = found.device.declaration(label).depends_on
        except C1219Error:
            continue
        if missing := [name for name in needs if name not in used]:
            yield wrong(f"{label} is claimed, {', '.join(missing)}, which it is sized by, not")


@check(
    "C-TABLE-08",
    "No ACT table exceeds its DIM table",
    Rule("Elements of x1 tables are at most those of x0, flags only where x0 has them.", "inference", Mark.UNSURE),
    "C-TABLE-01",
    follows=("C-TABLE-02",),
)
def limits(probe: Probe) -> Iterator[Remark]:
    """Element by element."""
    found = survey(probe)
    for number in _LIMITED:
        dim, act = (found.find(label) if label in found.used else None for label in (f"ST{number}", f"ST{number + 1}"))
        if dim is None or act is None:
            continue
        for name, most, actual in _pairs(dim, act):
            if actual > most:
                found.recall(f"ST{number}")
                found.recall(f"ST{number + 1}")
                yield wrong(f"ST{number + 1}.{name} is {actual}, ST{number} allows {most}")


def _pairs(dim: object, act: object, path: str = "") -> Iterator[tuple[str, int, int]]:
    for name in getattr(act, "_fields", ()):
        most, actual = getattr(dim, name, None), getattr(act, name)
        if hasattr(actual, "_fields"):
            yield from _pairs(most, actual, f"{path}{name}.")
        elif isinstance(most, int) and isinstance(actual, int):
            yield f"{path}{name}", most, actual
