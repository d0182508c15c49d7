"""The tables of the node under examination: what ST0 claims, and what was read of it, once each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from c1219.device import Device
from c1219.errors import C1219Error
from c1219.rules import offer
from c1219.tableid import table_id, table_label
from c1222.conformance.rules import NotApplicable
from c1222.conformance.session import get
from c1222.services import ErrorResponse, TableData
from c1222.services.results import Isc, Rstl
from c1222.services.tables import ReadOffsetRequest, ReadRequest, ReadResponse, TableResponse

if TYPE_CHECKING:
    from collections.abc import Iterable

    from c1219.engine.layout import Layout
    from c1222.conformance.evidence import Evidence
    from c1222.conformance.probe import Probe
    from c1222.services.malformed import Answer

__all__ = ["Survey", "survey"]

_HEADER_ROOM: Final = 160
_SMALLEST_CHUNK: Final = 16
_LARGEST_CHUNK: Final = 16_384
_LARGEST_TABLE: Final = 1 << 18


class Survey:
    """What is known of the tables of a node.

    Args:
        probe: how to ask.

    Attributes:
        device: the tables that were read.
        answers: what a full read of each table was answered with, by label.
        too_large: the refusals of those that do not fit an answer (rstl).
        protected: labels of those that were refused (isc) without the password.
    """

    def __init__(self, probe: Probe) -> None:
        self.device = Device()
        self.answers: dict[str, Answer] = {}
        self.too_large: dict[str, ErrorResponse] = {}
        self.protected: list[str] = []
        self._presented: set[str] = set()
        self._evidence: dict[str, list[Evidence]] = {}
        self._probe = probe

    # What ST0 says.

    @property
    def st0(self) -> Any:
        """ST0.

        Raises:
            NotApplicable: it cannot be read or decoded.
        """
        octets = self.octets("ST0")
        try:
            return self.device.decoded("ST0").value
        except C1219Error as error:
            raise NotApplicable(f"ST0, {len(octets)} octets, cannot be decoded: {error}") from None

    @property
    def used(self) -> list[str]:
        """Labels of the tables that it claims to have, in order."""
        return _labels(offer.tables(self.st0))

    @property
    def writable(self) -> list[str]:
        """Labels of the tables that it claims can be written, in order."""
        return _labels(offer.writable(self.st0))

    @property
    def by_offset(self) -> bool:
        """Whether it claims access by offset."""
        return offer.by_offset(self.st0)

    @property
    def by_index(self) -> bool:
        """Whether it claims access by index."""
        return offer.by_index(self.st0)

    def absent(self, count: int) -> list[int]:
        """Return identifiers of standard tables that it does not claim, among those that it could."""
        used = offer.tables(self.st0)
        free = [number for number in range(1, 8 * self.st0.DIM_STD_TBLS_USED) if number not in used]
        step = max(1, len(free) // count)
        return free[::step][:count]

    # What was read.

    def octets(self, label: str) -> bytes:
        """Return the octets of a table.

        Raises:
            NotApplicable: the node does not give them.
            NoAnswer: it does not answer.
        """
        if label not in self.device:
            answer = self.read(label)
            if not isinstance(answer, TableResponse):
                raise NotApplicable(f"{label} cannot be read: {getattr(answer, 'result', 'no response')}")
        return self.device[label].raw

    def find(self, label: str) -> Any:
        """Return the value of a table, None if it cannot be had."""
        try:
            self.octets(label)
            for name in self.device.declaration(label).depends_on:
                self.octets(name)
            return self.device.decoded(label).value
        except (NotApplicable, C1219Error):
            return None

    def layout(self, label: str) -> Layout:
        """Return the layout of a table, after reading what it depends on.

        Raises:
            NotApplicable: nobody declared it, or what it depends on cannot be had.
        """
        try:
            octets = self.octets(label)
            for name in self.device.declaration(label).depends_on:
                self.layout(name)
            return self.device.layout_of(label, octets)
        except C1219Error as error:
            raise NotApplicable(f"{label}: {error}") from None

    def gather(self, labels: list[str]) -> None:
        """Read tables: all without the password, and then those with it that are closed otherwise."""
        for label in labels:
            self._read(label, openly=True)
        for label in labels:
            self.read(label)

    def read(self, label: str) -> Answer:
        """Read a table as a whole, in pieces where it is too large for an answer; the second time from memory."""
        if label not in self.answers:
            self._read(label, openly=True)
        if label in self.protected and label not in self._presented:
            self._presented.add(label)
            self._read(label, openly=False)
        return self.answers[label]

    def recall(self, label: str) -> None:
        """Have the report show, with the check that runs now, how a table was read."""
        for evidence in self._evidence.get(label, ()):
            self._probe.log.add(evidence)

    def _read(self, label: str, *, openly: bool) -> None:
        with self._probe.log.beside() as seen:
            self._read_anew(label, openly=openly)
        self._evidence[label] = seen

    def _read_anew(self, label: str, *, openly: bool) -> None:
        probe, table = self._probe, table_id(label)
        openly = openly and probe.target.sessionless
        reply = probe.ask(ReadRequest(table)) if openly else get(probe, ReadRequest(table))
        answer = self.answers[label] = reply.first
        if isinstance(answer, TableResponse):
            self.device.put(label, answer.data)
        elif isinstance(answer, ErrorResponse) and answer.code == Rstl.code:
            self.too_large[label] = answer
            self._read_in_pieces(label, table, answer.details.get("max_size"))
        elif reply.code() == Isc.code and openly and probe.target.password is not None:
            self.protected.append(label)

    def _read_in_pieces(self, label: str, table: int, limit: int | None) -> None:
        """Read a table by offset: first as far as it should go, then on until an answer is short or refused."""
        largest = min(limit or self._probe.max_size, self._probe.max_size) - _HEADER_ROOM
        chunk = max(_SMALLEST_CHUNK, min(largest, _LARGEST_CHUNK))
        due = self._due(label)
        octets = b""
        most = due + 2 * chunk if due else _LARGEST_TABLE
        while len(octets) < most:
            wanted = min(chunk, due - len(octets)) if len(octets) < due else chunk if not due else 1
            answer = get(self._probe, ReadOffsetRequest(table, len(octets), wanted)).first
            if isinstance(answer, TableResponse) and answer.data:
                octets += answer.data
                due = due if len(octets) <= due else 0
                if len(answer.data) < wanted:
                    break
            elif wanted > 1 and isinstance(answer, ErrorResponse):
                chunk, due = wanted // 2, 0  # the end is near, or less fits an answer than was said
            else:
                break
        if octets:
            self.device.put(label, octets)
            self.answers[label] = ReadResponse(TableData(octets))

    def _due(self, label: str) -> int:
        """Return how many octets a table should have by its layout, 0 if that is not known."""
        try:
            for name in self.device.declaration(label).depends_on:
                self.layout(name)
            return self.device.bind(label).size
        except (NotApplicable, C1219Error):
            return 0

    def __repr__(self) -> str:
        return f"<Survey of {len(self.answers)} tables>"


def _labels(tables: Iterable[int]) -> list[str]:
    return [table_label(number) for number in sorted(tables)]


def survey(probe: Probe) -> Survey:
    """Return what is known of the tables of a node, the same object each time."""
    found = probe.facts.get("survey")
    if not isinstance(found, Survey):
        found = probe.facts["survey"] = Survey(probe)
    return found
