"""What failures get: each its own error and message, by both pumps over a wire in memory."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from c1222.client.errors import (
    ChecksumWrong,
    CutShort,
    HalfWritten,
    LogonRefused,
    PasswordRefused,
    ReadInterrupted,
    TableAbsent,
    WriteUnknown,
)
from c1222.errors import (
    ConnectionLost,
    DecodeError,
    EncodeError,
    PeerSilent,
    SecurityRefused,
    SessionLost,
    StateError,
    UnknownKey,
    Unreachable,
)
from c1222.protocol.policy import UDP_LINK, OnRefusal
from c1222.security.keys import Key
from c1222.services import Request, Response, TableData, session, tables
from c1222.services.results import Bsy, Iar, Isc
from c1222.transport.memory import Mishaps
from tests.c1222.client.rig import KEY, METER, PASSWORD, READER, Bench, Tiny

if TYPE_CHECKING:
    from collections.abc import Callable

both = pytest.mark.parametrize("kind", ["sync", "aio"])
OTHER = Key(2, bytes(16))


def says(error: BaseException, *words: str) -> None:
    text = str(error)
    for word in words:
        assert re.search(word, text), f"{word!r} is not in {text!r}"
    assert "secret" not in text
    assert text.rstrip().endswith(".")


def cut(bench: Bench, after: Callable[[], bool]) -> None:
    """Lose everything on the wire once something is so."""
    bench.node.store.plan.append(lambda request: _lose(bench) if after() else None)


def _lose(bench: Bench) -> None:
    bench.wire.mishaps = Mishaps(loss=1.0)


def heal(bench: Bench) -> None:
    bench.wire.mishaps = Mishaps()


# --- nobody answers


@both
def test_silence(kind: str) -> None:
    bench = Bench(kind, mode=0)
    bench.wire.detach("node")
    with pytest.raises(PeerSilent) as caught:
        bench.meter.read(1)
    says(caught.value, METER, "within 41 s", "asked 4 times", "is on", "address and called title")
    assert bench.wire.counters["sent"] == 4
    bench = Bench(kind, timeout=1, attempts=2)
    bench.wire.detach("node")
    with pytest.raises(PeerSilent) as caught:
        bench.meter.read(1)
    says(caught.value, "within 2.5 s", "asked 2 times", "key, key id and both clocks")


@both
def test_a_port_that_is_closed(kind: str) -> None:
    bench = Bench(kind)
    if kind == "sync":
        send = bench.endpoint.send

        def refuse(apdu: bytes) -> None:
            send(apdu)
            raise Unreachable("no way to the peer: Connection refused")

        bench.endpoint.send = refuse  # type: ignore[method-assign]
        bench.wire.detach("node")
    else:
        bench.wire.attach("node", lambda *_: bench.inner.lost(Unreachable("no way to the peer: Connection refused")))
    with pytest.raises(Unreachable) as caught:
        bench.meter.read(1)
    says(caught.value, "Connection refused", "host and port", "node listens")
    assert bench.wire.now < 5  # sooner than silence
    assert bench.wire.counters["sent"] == 2  # one report may be forged or old


@both
def test_a_link_that_stays_dead_ends_the_wait(kind: str) -> None:
    bench = Bench(kind)
    bench.wire.detach("node")
    if kind == "sync":
        bench.endpoint.failure = Unreachable("no route")
        with pytest.raises(Unreachable, match="no route"):
            bench.meter.read(1)
    else:
        bench.wire.attach("node", lambda *_: bench.inner.lost(ConnectionLost("the socket is closed")))
        with pytest.raises(ConnectionLost, match="Connect again"):
            bench.meter.read(1)


# --- who may what


@both
def test_a_wrong_key_over_datagrams_is_silence(kind: str) -> None:
    bench = Bench(kind, key=OTHER)
    with pytest.raises(PeerSilent) as caught:
        bench.meter.read(1)
    says(caught.value, "key, key id and both clocks", "drops without a word")


@both
def test_a_wrong_key_where_the_meter_says_so(kind: str) -> None:
    for reliable in (False, True):
        bench = Bench(kind, key=OTHER, reliable=reliable, node_link=UDP_LINK._replace(on_refusal=OnRefusal.ANSWER))
        with pytest.raises(SecurityRefused) as caught:
            bench.meter.read(1)
        says(caught.value, "sme, security mechanism error", "key, key id, security mode and the clocks")
        assert not bench.store.requests


@both
def test_cleartext_to_a_meter_with_keys(kind: str) -> None:
    bench = Bench(kind, mode=0)
    with pytest.raises(PeerSilent) as caught:
        bench.meter.read(1)
    says(caught.value, "Meters with keys drop cleartext")


@both
def test_answers_that_do_not_count_are_mentioned(kind: str) -> None:
    bench = Bench(kind)
    answer = bench.node.receive

    def damaged(apdu: bytes, source: Any) -> None:
        bench.wire.mishaps = Mishaps(corruption=1.0)
        answer(apdu, source)
        bench.wire.mishaps = Mishaps()

    bench.wire.attach("node", damaged)
    with pytest.raises(PeerSilent) as caught:
        bench.meter.read(1)
    says(caught.value, "Meanwhile came, and did not count: ")


@both
def test_keys_that_are_missing_are_said_at_once(kind: str) -> None:
    with pytest.raises(StateError, match="needs a key"):
        Bench(kind, key=None, mode=2)
    with pytest.raises(StateError, match="key_id"):
        Bench(kind, key={1: bytes(16), 2: bytes(16)})
    with pytest.raises(UnknownKey):
        Bench(kind, key_id=9)


@both
@pytest.mark.parametrize("in_session", [False, True])
def test_a_wrong_password(kind: str, in_session: bool) -> None:
    bench = Bench(kind, session=in_session, user_id=7, password="secret2")
    with pytest.raises(PasswordRefused) as caught:
        bench.meter.read(1)
    says(caught.value, "password", r"err, error|err, ", "user id", "padding")
    assert caught.value.refusal.name == "err"
    assert len(bench.node.responder.sessions) == 0
    bench.meter.security(PASSWORD) if not in_session else bench.meter.logon(password=PASSWORD)
    assert bench.meter.read(1).ED_MODEL == "POLY-TOU"


@both
def test_a_wrong_password_by_hand_is_not_kept(kind: str) -> None:
    bench = Bench(kind)
    with pytest.raises(PasswordRefused):
        bench.meter.security("wrong")
    bench.meter.read(1)
    bench.meter.logon()
    with pytest.raises(PasswordRefused):
        bench.meter.security("wrong")
    bench.meter.read(1)


@both
def test_a_logon_that_is_refused(kind: str) -> None:
    bench = Bench(kind, session=True, user_id=99)
    with pytest.raises(LogonRefused) as caught:
        bench.meter.read(1)
    says(caught.value, "logon of user 99", "err", "as many sessions as it can")


@both
def test_no_rights(kind: str) -> None:
    bench = Bench(kind)
    bench.store.needs_password = {5}
    with pytest.raises(Isc) as caught:
        bench.meter.read(5)
    says(caught.value, "isc, insufficient security clearance", "ST5", "right password")
    with pytest.raises(Isc) as caught:
        bench.meter.write(5, bytes(20))
    says(caught.value, "ST5")


# --- tables and answers


@both
def test_a_table_that_is_absent(kind: str) -> None:
    for zero in (Isc, None):
        bench = Bench(kind)
        bench.store.needs_password = set() if zero is None else {0}
        with pytest.raises(Iar) as caught:
            bench.meter.read_octets(99)
        assert isinstance(caught.value, TableAbsent) == (zero is None)  # ST0 tells
        says(caught.value, "iar, inappropriate action requested", "ST99")
    for refused in (lambda: bench.meter.read_octets(99), lambda: bench.meter.write_octets(99, b"x")):
        with pytest.raises(TableAbsent) as absent:
            refused()
        says(absent.value, "ST99", "ST0 does not list", "STD_TBLS_USED")
    with pytest.raises(TableAbsent, match="MT99"):
        bench.meter.read("MT99")


@both
def test_one_refusal_among_many_reads(kind: str) -> None:
    bench = Bench(kind)
    with pytest.raises(Iar, match="ST99"):
        bench.meter.read(1, 99, 5)


@both
def test_a_meter_that_stays_busy(kind: str) -> None:
    bench = Bench(kind, busy_tries=3, busy_pause=0.5)

    def busy(request: Request) -> Response | None:
        raise Bsy

    bench.store.plan.append(busy)
    with pytest.raises(Bsy) as caught:
        bench.meter.read(1)
    says(caught.value, "bsy, device busy", "ST0|ST1", "Wait some seconds")
    assert len(bench.store.requests) == 4


def shorter(table: int, by: int = 1) -> Callable[[Request], Response | None]:
    def fault(request: Request) -> Response | None:
        if isinstance(request, tables.ReadOffsetRequest) and request.table == table:
            return tables.ReadOffsetResponse(TableData(bytes(request.count - by)))
        return None

    return fault


@both
def test_an_answer_that_is_cut_short(kind: str) -> None:
    bench = Bench(kind)
    bench.store.plan.append(shorter(6))
    with pytest.raises(CutShort) as caught:
        bench.meter.read("ST6.OWNER_NAME")
    says(caught.value, "ST6, 20 octets from 0 on", "19 octets came, 20 were due")
    assert caught.value.octets == bytes(19)
    bench.store.tables[23] = bench.store.tables[23][:-4]
    with pytest.raises(CutShort) as caught:
        bench.meter.read(23)
    says(caught.value, "ST23", "337 octets came, 341 were due", "read_octets")
    assert len(bench.meter.read_octets(23)) == 337


@both
def test_an_answer_without_the_response(kind: str) -> None:
    bench = Bench(kind)

    class Mute:
        def __call__(self, request: Request, context: Any) -> Response:
            return session.SecurityResponse()  # an ok without table data

    bench.node.responder.handler = Mute()
    with pytest.raises(DecodeError) as caught:
        bench.meter.read_octets(1)
    assert "read.table_data at octet 1" in str(caught.value)


@both
def test_a_wrong_checksum(kind: str) -> None:
    bench = Bench(kind)

    def wrong(request: Request) -> Response | None:
        if isinstance(request, tables.ReadRequest) and request.table == 5:
            return tables.ReadResponse(TableData(b"abc", b"\x01"))
        return None

    bench.store.plan.append(wrong)
    with pytest.raises(ChecksumWrong) as caught:
        bench.meter.read_octets(5)
    says(caught.value, "ST5", "checksum", "Read it again")
    assert caught.value.octets == b"abc"


# --- interrupted


@both
def test_a_connection_lost_in_the_middle_of_a_read_and_resumed(kind: str) -> None:
    bench = Bench(kind, reliable=True, chunk=500)
    bench.meter.read(61)
    pieces = 0

    def lose(request: Request) -> Response | None:
        nonlocal pieces
        if isinstance(request, tables.ReadOffsetRequest):
            pieces += 1
            if pieces == 12:
                bench.lose_connection(ConnectionLost("the connection is lost: closed by the peer"))
        return None

    bench.store.plan.append(lose)
    with pytest.raises(ReadInterrupted) as caught:
        bench.meter.read(64)
    error = caught.value
    says(error, "after 5500 of 17808 octets", "closed by the peer", "Connect again", "`resume`")
    assert isinstance(error.reason, ConnectionLost)
    assert error.__cause__ is error.reason
    assert b"".join(octets for _, octets in sorted(error.pieces[64].items())) == bench.store.tables[64][:5500]
    meter = bench.connect(device=bench.meter.device)
    seen: list[tuple[int, int | None]] = []
    value = meter.read(64, resume=error, progress=lambda done, total: seen.append((done, total)))
    assert value == known_value(bench, 64)
    assert pieces == 12 + (17808 - 5500 + 499) // 500
    assert seen[-1] == (17808, 17808)


def known_value(bench: Bench, table: int) -> Any:
    from c1219.device import Device

    return Device(bench.store.tables)[table].value


@both
def test_silence_in_the_middle_of_a_load_profile_and_resumed(kind: str) -> None:
    bench = Bench(kind, attempts=2)
    whole = bench.meter.load_profile(1)
    reads = 0

    def count(request: Request) -> Response | None:
        nonlocal reads
        reads += isinstance(request, tables.ReadOffsetRequest) and request.table == 64
        if reads == 5 and isinstance(request, tables.ReadOffsetRequest):
            _lose(bench)
        return None

    bench.store.plan.append(count)
    with pytest.raises(ReadInterrupted) as caught:
        bench.meter.load_profile(1)
    assert isinstance(caught.value.reason, PeerSilent)
    assert caught.value.gathered.done >= 4 * 1000
    heal(bench)
    assert bench.meter.load_profile(1, resume=caught.value).rows == whole.rows
    assert reads <= 17


@both
def test_a_refusal_in_the_middle_of_a_read_keeps_what_came(kind: str) -> None:
    bench = Bench(kind, busy_tries=0)
    bench.meter.read(61)
    reads = 0

    def busy(request: Request) -> Response | None:
        nonlocal reads
        reads += isinstance(request, tables.ReadOffsetRequest)
        if reads == 3:
            raise Bsy
        return None

    bench.store.plan.append(busy)
    with pytest.raises(ReadInterrupted) as caught:
        bench.meter.read(64)
    assert isinstance(caught.value.reason, Bsy)
    assert bench.meter.read(64, resume=caught.value) == known_value(bench, 64)


@both
def test_several_tables_interrupted_between_messages(kind: str) -> None:
    bench = Bench(kind, attempts=1)
    wanted = [23, 24, 25, 26, 28, 12, 16, 54]
    bench.meter.read(*wanted)
    bench.store.requests.clear()
    cut(bench, lambda: any(getattr(request, "table", 0) == 26 for request in bench.store.requests))
    with pytest.raises(ReadInterrupted) as caught:
        bench.meter.read(*wanted)
    got = set(caught.value.pieces)
    assert got
    assert 54 not in got
    bench.store.plan.clear()
    heal(bench)
    bench.store.requests.clear()
    values = bench.meter.read(*wanted, resume=caught.value)
    assert values == [known_value(bench, table) for table in wanted]
    assert not got & {getattr(request, "table", 0) for request in bench.store.requests}


@both
def test_dimension_tables_are_not_what_is_resumed(kind: str) -> None:
    bench = Bench(kind, attempts=1)
    cut(bench, lambda: any(getattr(request, "table", 0) == 21 for request in bench.store.requests))
    with pytest.raises(PeerSilent):
        bench.meter.read(23)


# --- writes


@both
def test_a_write_without_an_answer_is_unknown_and_repeated_safely(kind: str) -> None:
    bench = Bench(kind, attempts=2)
    bench.meter.read(6)
    cut(bench, lambda: isinstance(bench.store.requests[-1], tables.WriteOffsetRequest))
    with pytest.raises(WriteUnknown) as caught:
        bench.meter.write("ST6.OWNER_NAME", "new")
    error = caught.value
    says(error, "unknown whether ST6 was written", "no answer", "`repeat`", "not carry out twice")
    assert error.can_be_repeated
    assert error.table == 6
    with pytest.raises(WriteUnknown) as again:
        bench.meter.repeat(error)
    assert len(bench.store.writes) == 1
    heal(bench)
    bench.store.plan.clear()
    assert bench.meter.repeat(again.value) is None
    assert len(bench.store.writes) == 1  # it was carried out the first time, and only then
    assert bench.meter.device.value("ST6.OWNER_NAME") == "new"


@both
def test_repeating_too_late_is_refused(kind: str) -> None:
    bench = Bench(kind, attempts=1)
    cut(bench, lambda: isinstance(bench.store.requests[-1], tables.WriteRequest))
    with pytest.raises(WriteUnknown) as caught:
        bench.meter.write_octets(5, bytes(20))
    heal(bench)
    bench.wire.run(until=bench.wire.now + 200)
    with pytest.raises(StateError, match="longer than the peer remembers"):
        bench.meter.repeat(caught.value)


@both
def test_a_repeated_write_can_be_refused(kind: str) -> None:
    bench = Bench(kind, attempts=1)
    bench.wire.mishaps = Mishaps(loss=1.0)
    with pytest.raises(WriteUnknown) as caught:
        bench.meter.write_octets(5, bytes(20))
    heal(bench)
    bench.store.needs_password = {5}
    with pytest.raises(Isc):
        bench.meter.repeat(caught.value)


@both
def test_a_write_on_a_connection_that_is_lost(kind: str) -> None:
    bench = Bench(kind, reliable=True)

    def lose(request: Request) -> Response | None:
        bench.lose_connection(ConnectionLost("the connection is lost: closed by the peer"))
        return None

    bench.store.plan.append(lose)
    with pytest.raises(WriteUnknown) as caught:
        bench.meter.write_octets(5, bytes(20))
    says(caught.value, "unknown whether ST5 was written", "closed by the peer", "read the table back before")
    assert not caught.value.can_be_repeated
    with pytest.raises(StateError, match="read the table back"):
        bench.meter.repeat(caught.value)


@both
def test_a_write_that_was_never_sent_is_not_unknown(kind: str) -> None:
    bench = Bench(kind, session=True)
    bench.wire.detach("node")
    with pytest.raises(PeerSilent):
        bench.meter.write_octets(5, bytes(20))  # the logon was not answered


@both
def test_a_table_that_is_half_written(kind: str) -> None:
    bench = Bench(kind, attempts=1)
    bench.store.tables[2048 + 700] = bytes(5000)
    octets = b"\xff" * 5000
    cut(bench, lambda: len(bench.store.writes) == 2)
    with pytest.raises(HalfWritten) as caught:
        bench.meter.write_octets("MT700", octets)
    error = caught.value
    says(error, "MT700 is half written", "2480 of 5000 octets", "unknown whether MT700", "from the start")
    assert isinstance(error.reason, WriteUnknown)
    assert (error.written, error.total, error.table) == (2480, 5000, 2748)
    assert bench.store.tables[2748][: error.written] == octets[: error.written]
    heal(bench)
    bench.store.plan.clear()
    bench.meter.write_octets("MT700", octets)
    assert bench.store.tables[2748] == octets


@both
def test_a_table_that_is_half_written_for_a_refusal(kind: str) -> None:
    bench = Bench(kind)
    bench.store.tables[2048 + 700] = bytes(3000)

    def refuse(request: Request) -> Response | None:
        if isinstance(request, tables.WriteOffsetRequest) and request.offset:
            raise Isc
        return None

    bench.store.plan.append(refuse)
    with pytest.raises(HalfWritten, match="isc"):
        bench.meter.write_octets("MT700", bytes(3000))
    bench.store.plan.clear()
    bench.store.needs_password = {2748}
    with pytest.raises(Isc):  # nothing of it was written
        bench.meter.write_octets("MT700", bytes(3000))


@both
def test_a_table_too_large_for_a_message_where_it_cannot_be_divided(kind: str) -> None:
    bench = Bench(kind)
    with pytest.raises(EncodeError, match="the link takes 1400"):
        bench.meter.write_octets(7, bytes(3000))
    assert not bench.store.requests


@both
def test_a_procedure_without_an_answer_runs_once(kind: str) -> None:
    bench = Bench(kind, attempts=1)
    bench.meter.read(0)
    cut(bench, lambda: isinstance(bench.store.requests[-1], tables.WriteRequest))
    with pytest.raises(WriteUnknown) as caught:
        bench.meter.procedure(4, 1)
    says(caught.value, "unknown whether ST7 was written")
    heal(bench)
    bench.store.plan.clear()
    result = bench.meter.repeat(caught.value)
    assert (result.procedure, result.is_done) == ("SP4", True)
    assert len(bench.store.procedures) == 1


@both
def test_a_registration_without_an_answer_is_unknown(kind: str) -> None:
    bench = Bench(kind, attempts=1)
    bench.wire.mishaps = Mishaps(loss=1.0)
    with pytest.raises(WriteUnknown, match="unknown whether the request was carried out") as caught:
        bench.meter.deregister()
    heal(bench)
    answers = bench.meter.repeat(caught.value)
    assert str(answers[0].ap_title) == READER


# --- sessions


@both
@pytest.mark.parametrize("mode", [1, 2])
def test_a_node_that_restarts_in_a_session(kind: str, mode: int) -> None:
    bench = Bench(kind, session=True, user_id=7, password=PASSWORD, mode=mode)
    bench.meter.read(1)
    bench.restart_node()
    with pytest.raises(SessionLost) as caught:
        bench.meter.read(5)
    says(caught.value, "session", "restarted", "Log on again")
    assert bench.meter.read(5).IDENTIFICATION == "METER-008437"  # a new session is opened
    logons = [request for request in bench.store.requests if isinstance(request, session.LogonRequest)]
    assert len(logons) == 2


@both
def test_a_write_into_a_session_that_the_node_forgot(kind: str) -> None:
    bench = Bench(kind, session=True, user_id=7, password=PASSWORD)
    bench.meter.read(1)
    bench.restart_node()
    with pytest.raises(WriteUnknown) as caught:
        bench.meter.write_octets(5, bytes(20))
    says(caught.value, "session", "forgotten")
    assert not bench.store.writes


@both
def test_closing_does_not_wait_long_for_a_meter_that_is_gone(kind: str) -> None:
    bench = Bench(kind, session=True)
    bench.meter.read(1)
    bench.wire.detach("node")
    started = bench.wire.now
    bench.meter.close()
    assert bench.wire.now - started <= 3


@both
def test_rough_weather(kind: str) -> None:
    """Loss, duplication and reordering: every verb still gives what it should, and every write happens once."""
    rough = Mishaps(loss=0.15, duplication=0.1, reorder=0.2, delay=(0.01, 0.2), held=3.0)
    bench = Bench(kind, store=Tiny(), mishaps=rough, session=True, password=PASSWORD, timeout=1.0, attempts=20)
    expected = known_value(bench, 64)
    assert bench.meter.read(64) == expected
    for number in range(20):
        bench.meter.write("ST6.OWNER_NAME", f"owner {number}")
        assert bench.meter.read("ST6.OWNER_NAME") == f"owner {number}"
    assert len(bench.store.writes) == 20
    for _ in range(5):
        bench.meter.procedure(4, 1)
    assert len(bench.store.procedures) == 5
    assert KEY.octets.hex() not in repr(bench.inner)
