"""Writes and procedures, message by message: what is asked, what a peer that lies is believed, what the device holds."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from c1222.client.errors import CutShort, HalfWritten, ProcedureUnanswered, ReadInterrupted
from c1222.client.operations.operations import Operations
from c1222.client.steps import Pause
from c1222.errors import DecodeError, PeerSilent
from c1222.protocol.events import Completed, Failed
from c1222.protocol.policy import UDP_LINK
from c1222.services import ErrorResponse, TableData, tables
from c1222.services.malformed import MalformedService
from c1222.services.results import Isc, Onp, Rqtl
from tests.c1222.client.rig import METER, READER, Tiny, known

if TYPE_CHECKING:
    from collections.abc import Callable

    from c1222.client.steps import Operation
    from c1222.services import Request

WROTE, WROTE_PART = tables.WriteResponse(), tables.WriteOffsetResponse()
TOO_LARGE = ErrorResponse.of(Rqtl())
UNUSABLE = [(), (None,), (MalformedService(b"\x00\x01", DecodeError("service", 1, "wrong")),)]
MANUFACTURER = 0x800


class Peer:
    """Runs verbs of a conversation, and answers as it is told.

    Args:
        answer: gives what each message is answered with: answers, or an error.

    Attributes:
        asked: the services of each message, and pauses between them in seconds.
    """

    def __init__(self, answer: Callable[[tuple[Request, ...]], Any], **settings: Any) -> None:
        self.answer = answer
        self.asked: list[Any] = []
        self.store = Tiny()
        self.client = Operations(UDP_LINK, called=METER, calling=READER, device=known(self.store), **settings)

    def run(self, verb: Operation[Any]) -> Any:
        outcome: Any = None
        try:
            while True:
                step = verb.send(outcome)
                assert len(self.asked) < 100
                if isinstance(step, Pause):
                    self.asked.append(step.seconds)
                    outcome = None
                    continue
                self.asked.append(step.services)  # type: ignore[union-attr]
                answers = self.answer(step.services)  # type: ignore[union-attr]
                failed = isinstance(answers, Exception)
                outcome = Failed(None, answers, False) if failed else Completed(None, tuple(answers), None)  # type: ignore[arg-type]
        except StopIteration as stop:
            return stop.value

    @property
    def written(self) -> list[tuple[int | None, int]]:
        """Offset and size of each write."""
        found = [service for services in self.asked for service in services if hasattr(service, "data")]
        return [(getattr(service, "offset", None), len(service.data)) for service in found]

    def held(self, table: int) -> bytes | None:
        image = self.client.device.get(table)
        return None if image is None else image.raw


def ok(services: tuple[Request, ...]) -> list[Any]:
    return [service.answer() for service in services]  # type: ignore[misc]


@pytest.mark.parametrize("offset", [None, 3])
@pytest.mark.parametrize("answers", UNUSABLE, ids=["none at all", "none", "malformed"])
def test_a_write_without_a_usable_answer_is_not_done(answers: tuple[Any, ...], offset: int | None) -> None:
    peer = Peer(lambda _: answers)
    before = peer.held(6)
    with pytest.raises((CutShort, DecodeError)):
        peer.run(peer.client.write_octets(6, bytes(230 if offset is None else 5), offset))
    assert peer.held(6) == before
    assert len(peer.asked) == 1


def test_a_meter_that_cannot_take_a_single_octet() -> None:
    peer = Peer(lambda _: [TOO_LARGE])
    with pytest.raises(Rqtl):
        peer.run(peer.client.write_octets(6, bytes(9)))
    assert peer.written == [(None, 9), (0, 4), (0, 2), (0, 1)]
    peer = Peer(lambda _: [TOO_LARGE])
    with pytest.raises(Rqtl):
        peer.run(peer.client.write_octets(6, b"x", 7))
    assert peer.written == [(7, 1)]


def test_pieces_shrink_only_while_the_meter_says_so() -> None:
    peer = Peer(lambda services: [TOO_LARGE if len(services[0].data) > 3 else services[0].answer()])  # type: ignore[attr-defined,misc]
    peer.run(peer.client.write_octets(6, bytes(12), 100))
    assert peer.written == [(100, 12), (100, 6), (100, 3), (103, 3), (106, 3), (109, 3)]


@pytest.mark.parametrize("answer", [ErrorResponse.of(Isc()), TOO_LARGE, *[one[0] for one in UNUSABLE if one]])
def test_a_table_whose_second_piece_is_not_taken(answer: Any) -> None:
    peer = Peer(lambda services: [answer if peer.asked[1:] else services[0].answer()], chunk=1)  # type: ignore[misc]
    with pytest.raises(HalfWritten) as caught:
        peer.run(peer.client.write_octets(6, b"ab", 4))
    assert (caught.value.written, caught.value.total) == (1, 2)
    assert peer.written == [(4, 1), (5, 1)]


def test_a_table_whose_first_piece_is_refused_is_as_it_was() -> None:
    peer = Peer(lambda _: [ErrorResponse.of(Isc())], chunk=1)
    with pytest.raises(Isc):
        peer.run(peer.client.write_octets(6, b"ab", 4))
    assert peer.written == [(4, 1)]


def test_the_device_after_a_write_of_a_whole_table() -> None:
    for table in (6, MANUFACTURER | 7, MANUFACTURER | 6):
        peer = Peer(ok)
        peer.run(peer.client.write_octets(table, bytes(230)))
        assert peer.held(table) == bytes(230)


@pytest.mark.parametrize(
    ("offset", "size", "kept"),
    [(0, 3, True), (100, 3, True), (229, 1, True), (227, 3, True), (228, 3, False), (230, 1, False)],
)
def test_the_device_after_a_write_of_part_of_a_table(offset: int, size: int, kept: bool) -> None:
    peer = Peer(ok)
    before = peer.held(6)
    assert before is not None
    assert len(before) == 230
    new = b"\xff" * size
    peer.run(peer.client.write_octets(6, new, offset))
    assert peer.held(6) == (before[:offset] + new + before[offset + size :] if kept else None)
    peer.client.device.drop(6)
    peer.run(peer.client.write_octets(6, new, offset))
    assert peer.held(6) is None


@pytest.mark.parametrize("offset", [None, 0])
def test_a_procedure_is_not_kept_as_a_table(offset: int | None) -> None:
    peer = Peer(ok)
    before = peer.client.device.to_json()
    peer.run(peer.client.write_octets(7, bytes(9), offset))
    assert len(peer.asked) == 1
    assert peer.client.device.to_json() == before


def test_a_procedure_is_not_written_in_pieces() -> None:
    peer = Peer(lambda _: [TOO_LARGE], chunk=4)
    with pytest.raises(Rqtl):
        peer.run(peer.client.write_octets(7, bytes(9)))
    assert peer.written == [(None, 9)]


def test_a_table_of_the_manufacturer_with_the_number_of_a_procedure_is() -> None:
    peer = Peer(ok, chunk=4)
    peer.run(peer.client.write_octets(MANUFACTURER | 7, bytes(9)))
    assert peer.written == [(0, 4), (4, 4), (8, 1)]


@pytest.mark.parametrize("refused", [True, False])
def test_a_stretch_of_a_table_of_a_meter_that_takes_whole_ones_only(refused: bool) -> None:
    def answer(services: tuple[Request, ...]) -> list[Any]:
        (service,) = services
        if isinstance(service, tables.WriteOffsetRequest):
            return [ErrorResponse.of(Onp())]
        if isinstance(service, tables.ReadRequest):
            return [tables.ReadResponse(TableData(b"0123456789"))]
        return [WROTE]

    peer = Peer(answer)
    peer.run(peer.client.write_octets(6, b"ab", 3))
    if not refused:
        peer.asked.clear()
        peer.run(peer.client.write_octets(6, b"ab", 3))
    first = [(3, 2)] if refused else []
    assert peer.written == [*first, (None, 10)]
    assert peer.held(6) == b"012ab56789"


# --- procedures


def result(code: int, *, number: int = 4, sequence: int) -> tables.ReadResponse:
    return tables.ReadResponse(TableData(bytes((number, 0, sequence, code))))


class Meter:
    """Answers the messages of a procedure call with one result after the other; None is a refusal."""

    def __init__(self, *codes: int | None, alone: bool = False) -> None:
        self.codes = list(codes)
        self.alone = alone

    def __call__(self, services: tuple[Request, ...]) -> list[Any]:
        answers: list[Any] = []
        for service in services:
            if isinstance(service, tables.WriteRequest):
                self.sequence = service.data[2]
                answers.append(WROTE)
                if self.alone:
                    break
                continue
            code = self.codes.pop(0)
            answers.append(ErrorResponse.of(Isc()) if code is None else result(code, sequence=self.sequence))
        return answers


def kinds(peer: Peer) -> list[Any]:
    return [one if isinstance(one, float) else "".join(str(service.table) for service in one) for one in peer.asked]


@pytest.mark.parametrize(
    ("meter", "messages", "code"),
    [
        (Meter(0), ["78"], 0),
        (Meter(1, 0), ["78", 0.25, "8"], 0),
        (Meter(1, 1, 0), ["78", 0.25, "8", 0.25, "8"], 0),
        (Meter(1, 1, 1), ["78", 0.25, "8", 0.25, "8"], 1),
        (Meter(None, 0), ["78", "8"], 0),
        (Meter(None, 1, 0), ["78", "8", 0.25, "8"], 0),
        (Meter(0, alone=True), ["78", "8"], 0),
        (Meter(1, 0, alone=True), ["78", "8", 0.25, "8"], 0),
    ],
    ids=range(8),
)
def test_messages_of_a_procedure(meter: Meter, messages: list[Any], code: int) -> None:
    peer = Peer(meter)
    assert peer.run(peer.client.procedure(4, b"\x01\x00", polls=3, pause=0.25)).code == code
    assert kinds(peer) == messages


def test_a_refusal_of_st8_is_asked_again_once_and_only_beside_st7() -> None:
    for meter, messages in ((Meter(None, None), ["78", "8"]), (Meter(1, None), ["78", 0.5, "8"])):
        peer = Peer(meter)
        with pytest.raises(Isc):
            peer.run(peer.client.procedure(4, b"\x01\x00"))
        assert kinds(peer) == messages


def test_st8_of_others_is_polled_as_often_as_told() -> None:
    for number, off in ((5, 0), (4, 1)):
        peer = Peer(lambda services: [])

        def answer(services: tuple[Request, ...], peer: Peer = peer, number: int = number, off: int = off) -> list[Any]:
            sequence = (peer.asked[0][0].data[2] + off) & 0xFF
            own = [WROTE] if len(services) > 1 else []
            return [*own, result(0, number=number, sequence=sequence)]

        peer.answer = answer
        with pytest.raises(ProcedureUnanswered):
            peer.run(peer.client.procedure(4, b"\x01\x00", polls=3))
        assert kinds(peer) == ["78", 0.5, "8", 0.5, "8"]


def test_what_st8_said_last_of_a_procedure_holds() -> None:
    def answer(services: tuple[Request, ...]) -> list[Any]:
        sequence = peer.asked[0][0].data[2]
        return [WROTE, result(1, sequence=sequence)] if len(services) > 1 else [result(0, number=5, sequence=sequence)]

    peer = Peer(answer)
    assert peer.run(peer.client.procedure(4, b"\x01\x00", polls=2)).code == 1


def test_numbers_from_2048_on_are_the_manufacturers() -> None:
    for number, octets in ((2047, b"\xff\x07"), (2048, b"\x00\x08"), (4095, b"\xff\x0f")):
        peer = Peer(lambda _: [ErrorResponse.of(Isc())] * 2)
        with pytest.raises(Isc):
            peer.run(peer.client.procedure(number))
        assert peer.asked[0][0].data[:2] == octets


def test_each_call_has_the_next_sequence_number() -> None:
    meter = Meter(*[0] * 300)
    peer = Peer(meter)
    seen = []
    for _ in range(300):
        peer.asked.clear()
        peer.run(peer.client.procedure(4, b"\x01\x00"))
        seen.append(meter.sequence)
    assert all(later == (earlier + 1) % 256 for earlier, later in pairwise(seen))


# --- reads that end early


def test_an_interrupted_read_tells_how_far_it_is() -> None:
    def answer(services: tuple[Request, ...]) -> Any:
        (service,) = services
        if len(peer.asked) > 2:
            return PeerSilent("no answer")
        return [tables.ReadOffsetResponse(TableData(bytes(service.count)))]  # type: ignore[attr-defined]

    peer = Peer(answer, chunk=50)
    with pytest.raises(ReadInterrupted, match="after 100 of 230 octets"):
        peer.run(peer.client.read(6))
    peer = Peer(answer, chunk=50)
    with pytest.raises(ReadInterrupted, match="after 100 of 120 octets"):
        peer.run(peer.client.read_octets(6, 5, 120))
    peer = Peer(answer, chunk=50)
    peer.client.device.drop(6)
    with pytest.raises(ReadInterrupted, match="after 100 octets"):
        peer.run(peer.client.read_octets("MT700", 5))
