"""Refusals and wrong answers: each its own error and message, by both pumps over a wire in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from c1222.client.errors import ChecksumWrong, CutShort, LogonRefused, PasswordRefused, TableAbsent
from c1222.errors import DecodeError, PeerSilent, SecurityRefused, StateError, UnknownKey
from c1222.protocol.policy import UDP_LINK, OnRefusal
from c1222.services import Request, Response, TableData, session, tables
from c1222.services.results import Bsy, Iar, Isc
from c1222.transport.memory import Mishaps
from tests.c1222.client.failures import OTHER, both, says
from tests.c1222.client.rig import PASSWORD, Bench

if TYPE_CHECKING:
    from collections.abc import Callable

# --- who may what


@both
def test_a_wrong_key_over_datagrams_is_silence(kind: str) -> None:
    bench = Bench(kind, key=OTHER)
    with pytest.raises(PeerSilent) as caught:
        bench.meter.read(1)
    says(caught.value, "key, key id and both clocks", "silently drops")


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
    says(caught.value, "Meters with keys silently drop cleartext")


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
    says(caught.value, "Also received, and ignored: ")


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
    says(caught.value, "ST6, 20 octets from 0 on", "19 octets came, 20 were expected")
    assert caught.value.octets == bytes(19)
    bench.store.tables[23] = bench.store.tables[23][:-4]
    with pytest.raises(CutShort) as caught:
        bench.meter.read(23)
    says(caught.value, "ST23", "337 octets came, 341 were expected", "read_octets")
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
