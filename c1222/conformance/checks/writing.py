"""Writes and procedures, with leave only. What is written is put back."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, NamedTuple

from c1219.codes.results import ResultCode, result_text
from c1219.tableid import table_id
from c1222.conformance.reply import said
from c1222.conformance.rules import Mark, NotApplicable, Remark, Rule, check, note, odd, wrong
from c1222.conformance.session import get
from c1222.conformance.survey import survey
from c1222.message.epsem import ResponseControl
from c1222.services import TableData
from c1222.services.results import Err, Iar, Isc
from c1222.services.tables import (
    ReadRequest,
    TableResponse,
    WriteOffsetRequest,
    WriteRequest,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from c1222.conformance.probe import Probe

__all__ = [
    "beyond",
    "checksum",
    "not_writable",
    "once",
    "part",
    "procedure",
    "silent",
    "test_bit",
    "together",
    "unchanged",
    "whole",
]

_PLACES: Final = ("ST6", "ST5")
_ONE, _OTHER = 0x20, 0x21
_NO_PROCEDURE: Final = 0x07FE
_RESULT_AT: Final = 3


class _Place(NamedTuple):
    """A table to try writes on, as it was."""

    probe: Probe
    label: str
    before: bytes

    @property
    def table(self) -> int:
        return table_id(self.label)

    @property
    def changed(self) -> bytes:
        """The same with another last octet."""
        return self.before[:-1] + bytes((_OTHER if self.before[-1] == _ONE else _ONE,))

    def now(self) -> bytes:
        """Read the place that was written."""
        reply = get(self.probe, ReadRequest(self.table))
        if not isinstance(reply.first, TableResponse):
            raise NotApplicable(f"{self.label} cannot be read back: {said(reply)}")
        return reply.first.data

    def put(self, octets: bytes) -> None:
        """Write it.

        Raises:
            NotApplicable: that is not possible.
        """
        reply = get(self.probe, WriteRequest(self.table, TableData(octets)))
        if reply.code() == Isc.code:
            raise NotApplicable(f"this user may not write {self.label}")
        if not reply.is_ok:
            raise NotApplicable(f"{self.label} cannot be written: {said(reply)}")


@contextmanager
def _place(probe: Probe) -> Iterator[_Place]:
    """Find a table of texts that can be written, and put it back afterwards.

    Raises:
        NotApplicable: there is none.
    """
    writable = survey(probe).writable
    for label in _PLACES:
        if label in writable and survey(probe).find(label) is not None:
            place = _Place(probe, label, survey(probe).octets(label))
            try:
                yield place
            finally:
                if place.now() != place.before:
                    place.put(place.before)
            return
    raise NotApplicable(f"none of {', '.join(_PLACES)} can be read and written")


@check(
    "C-WRITE-01",
    "A table can be written as a whole, and reads as written",
    Rule("40: table, count, data, checksum; ok when it is done.", "Elster, Itron, Wireshark", Mark.VERIFIED),
    "C-TABLE-01",
    writes=True,
)
def whole(probe: Probe) -> Iterator[Remark]:
    """The last octet of ST6 or ST5 changed."""
    with _place(probe) as place:
        reply = get(probe, WriteRequest(place.table, TableData(place.changed)))
        if reply.code() == Isc.code:
            raise NotApplicable(f"this user may not write {place.label}")
        if not reply.is_ok:
            yield wrong(f"{place.label} is claimed as writable: {said(reply)}")
        elif place.now() != place.changed:
            yield wrong(f"{place.label} was written with ok, and reads otherwise")


@check(
    "C-WRITE-02",
    "Part of a table can be written by offset",
    Rule("4F: table, offset of 24 bits, count, data, checksum.", "Elster, Itron, Wireshark", Mark.VERIFIED),
    "C-WRITE-01",
    writes=True,
)
def part(probe: Probe) -> Iterator[Remark]:
    """The last octet alone."""
    if not survey(probe).by_offset:
        raise NotApplicable("ST0 offers no access by offset")
    with _place(probe) as place:
        at = len(place.before) - 1
        reply = get(probe, WriteOffsetRequest(place.table, at, TableData(place.changed[at:])))
        if not reply.is_ok:
            yield wrong(f"{place.label}, its last octet: {said(reply)}")
        elif place.now() != place.changed:
            yield wrong(f"{place.label}: its last octet was written with ok, and the table is not as it should be")


@check(
    "C-WRITE-03",
    "Data with a wrong checksum are not written",
    Rule("A wrong checksum: nothing is written.", "Itron", Mark.ONE_SOURCE),
    "C-WRITE-01",
    writes=True,
)
def checksum(probe: Probe) -> Iterator[Remark]:
    """The checksum of the changed table, with one bit changed."""
    with _place(probe) as place:
        data = TableData(place.changed)
        spoilt = TableData(data.data, bytes(octet ^ 1 for octet in data.checksums))
        reply = get(probe, WriteRequest(place.table, spoilt))
        if reply.is_ok:
            yield wrong("a write with a wrong checksum: ok")
        elif reply.code() not in {Err.code, Iar.code}:
            yield odd(f"a write with a wrong checksum: {said(reply)}, err is usual")
        if place.now() != place.before:
            yield wrong("data with a wrong checksum are written")


@check(
    "C-WRITE-04",
    "Octets beyond the end of a table are not written",
    Rule("iar: inappropriate action, such as an offset that does not exist.", "Elster, Itron", Mark.VERIFIED),
    "C-WRITE-02",
    writes=True,
)
def beyond(probe: Probe) -> Iterator[Remark]:
    """From the last octet on, two; and a whole table of one octet more."""
    with _place(probe) as place:
        at = len(place.before) - 1
        for request in (
            WriteOffsetRequest(place.table, at, TableData(b"  ")),
            WriteOffsetRequest(place.table, at + 1000, TableData(b" ")),
        ):
            reply = get(probe, request)
            if reply.code() != Iar.code:
                yield wrong(f"{place.label}, octets from {request.offset} of {at + 1}: {said(reply)}")
        reply = get(probe, WriteRequest(place.table, TableData(place.before + b" ")))
        if reply.is_ok:
            yield odd(f"{place.label} is written with one octet more: ok")
        if place.now() != place.before:
            yield wrong(f"{place.label} is changed by writes beyond its end")


@check(
    "C-WRITE-05",
    "A repeated write is not carried out again",
    Rule("The same octets within 120 s are not carried out again.", "Itron; Elster sends such", Mark.ONE_SOURCE),
    "C-WRITE-01",
    writes=True,
)
def once(probe: Probe) -> Iterator[Remark]:
    """A write, the write of something else, and the first once more."""
    if not probe.target.sessionless:
        raise NotApplicable("it takes messages outside of sessions")
    with _place(probe) as place:
        first = probe.compose(*probe.password(), WriteRequest(place.table, TableData(place.changed)))
        probe.exchange(first)
        place.put(place.before)
        probe.provoke(first, note="the first write again")
        if place.now() != place.before:
            yield wrong("a repeated write was carried out again")


@check(
    "C-WRITE-06",
    "A table that ST0 does not claim as writable is not written",
    Rule("Bit n of STD_TBLS_WRITE: table n can be written.", "Connexo, NIST, EPRI", Mark.VERIFIED),
    "C-TABLE-01",
    writes=True,
)
def not_writable(probe: Probe) -> Iterator[Remark]:
    """ST1, or ST0, with what is there already."""
    found = survey(probe)
    for label in ("ST1", "ST0"):
        if label in found.used and label not in found.writable:
            reply = get(probe, WriteRequest(table_id(label), TableData(found.octets(label))))
            if reply.is_ok:
                yield wrong(f"{label} is not claimed as writable, and written with ok")
            else:
                yield note(f"{label}: {said(reply)}")
            return
    raise NotApplicable("ST0 and ST1 are claimed as writable")


@check(
    "C-WRITE-07",
    "A test message changes nothing",
    Rule("A7 with TEST: the state of the device does not change.", "Itron", Mark.ONE_SOURCE),
    "C-WRITE-01",
    writes=True,
)
def test_bit(probe: Probe) -> Iterator[Remark]:
    """A write with TEST."""
    with _place(probe) as place:
        reply = get(probe, WriteRequest(place.table, TableData(place.changed)), calling_ae_qualifier=1)
        if place.now() != place.before:
            yield wrong("a write with TEST was carried out")
        elif not reply.is_ok:
            yield note(f"a write with TEST: {said(reply)}")


@check(
    "C-WRITE-08",
    "A write that wants no answer is carried out",
    Rule("Response control 2 says that no answer is wanted, nothing else.", "Elster, Itron", Mark.VERIFIED),
    "C-WRITE-01",
    writes=True,
)
def silent(probe: Probe) -> Iterator[Remark]:
    """A write with response control 2."""
    if not probe.target.sessionless:
        raise NotApplicable("it takes messages outside of sessions")
    with _place(probe) as place:
        request = WriteRequest(place.table, TableData(place.changed))
        for _ in range(probe.target.attempts):  # nobody would tell that one was lost
            sent = probe.compose(*probe.password(), request, response_control=ResponseControl.NEVER)
            if probe.provoke(sent) is not None:
                yield wrong("a write that wants no answer is answered")
            if place.now() == place.changed:
                return
        yield wrong("writes that want no answer are not carried out")


@check(
    "C-WRITE-09",
    "A refused write in a list leaves the table as it was",
    Rule("What is answered with an error is not done.", "Elster, Itron, Zeek", Mark.VERIFIED),
    "C-WRITE-01",
    writes=True,
)
def unchanged(probe: Probe) -> Iterator[Remark]:
    """A write of half of the table, then a read, in one message."""
    with _place(probe) as place:
        half = place.before[: len(place.before) // 2]
        reply = get(probe, WriteRequest(place.table, TableData(half)), ReadRequest(place.table))
        if not reply.code(0):
            raise NotApplicable(f"{place.label} can be written in part by a full write")
        answer = reply.responses[1]
        if isinstance(answer, TableResponse) and answer.data != place.before:
            yield wrong("a write was refused, and changed the table")


def _call(probe: Probe, number: int, sequence: int) -> WriteRequest:
    big = getattr(survey(probe).st0.FORMAT_CONTROL_1, "DATA_ORDER", 0) == 1
    return WriteRequest(7, TableData(number.to_bytes(2, "big" if big else "little") + bytes((sequence,))))


def _unclaimed(probe: Probe) -> int:
    found = survey(probe)
    if not {"ST7", "ST8"} <= set(found.used):
        raise NotApplicable("ST0 claims no procedures")
    return _NO_PROCEDURE


@check(
    "C-WRITE-10",
    "ST8 tells of the procedure that ST7 called",
    Rule("ST8 repeats procedure and sequence number; result 6: not known.", "termineter, Elster", Mark.VERIFIED),
    "C-TABLE-01",
    writes=True,
)
def procedure(probe: Probe) -> Iterator[Remark]:
    """A procedure that does not exist."""
    number = _unclaimed(probe)
    call = _call(probe, number, 0x5A)
    reply = get(probe, call)
    if reply.code() == Isc.code:
        raise NotApplicable("this user may not write ST7")
    if reply.code() == Iar.code:
        yield note("an unknown procedure is refused at once")
        return
    if not reply.is_ok:
        yield wrong(f"ST7: {said(reply)}")
        return
    answer = get(probe, ReadRequest(8)).first
    yield from _result(call, answer.data if isinstance(answer, TableResponse) else b"")


def _result(call: WriteRequest, st8: bytes) -> Iterator[Remark]:
    if len(st8) <= _RESULT_AT:
        yield wrong(f"ST8 has {len(st8)} octets")
    elif st8[:_RESULT_AT] != call.data[:_RESULT_AT]:
        yield wrong(f"ST7 was written with {call.data[:3].hex()}, ST8 begins with {st8[:3].hex()}")
    elif st8[_RESULT_AT] == ResultCode.COMPLETED:
        yield wrong("a procedure that does not exist is completed")
    elif st8[_RESULT_AT] != ResultCode.UNRECOGNIZED_PROCEDURE:
        yield odd(f"a procedure that does not exist: {result_text(st8[_RESULT_AT])}")


@check(
    "C-WRITE-11",
    "ST7 can be written and ST8 read in one message",
    Rule("Services are carried out in order; a result can follow at once.", "Elster", Mark.ONE_SOURCE),
    "C-WRITE-10",
    writes=True,
)
def together(probe: Probe) -> Iterator[Remark]:
    """A procedure that does not exist, and its result."""
    call = _call(probe, _unclaimed(probe), 0x5B)
    reply = get(probe, call, ReadRequest(8))
    if reply.code(0) in {Isc.code, Iar.code}:
        raise NotApplicable(f"ST7: {said(reply)}")
    answer = reply.responses[1]
    if not isinstance(answer, TableResponse):
        yield wrong(f"ST7 and ST8 in one message: {said(reply)}")
    else:
        yield from _result(call, answer.data)
