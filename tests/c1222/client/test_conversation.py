"""Passwords, sessions and their ends, by both pumps over a wire in memory."""

from __future__ import annotations

import pytest

from c1222.errors import StateError
from c1222.services import ErrorResponse, identify, session, tables
from c1222.services.results import Iar, Isc, Isss
from tests.c1222.client.rig import KEY, PASSWORD, Bench, profile

pytestmark = pytest.mark.parametrize("kind", ["sync", "aio"])


@pytest.mark.parametrize("mode", [0, 1, 2])
@pytest.mark.parametrize("in_session", [False, True])
def test_every_mode_in_and_out_of_a_session(kind: str, mode: int, in_session: bool) -> None:
    bench = Bench(kind, mode=mode, session=in_session, node_key=KEY if mode else None, user_id=7, password=PASSWORD)
    bench.store.needs_password = {5}
    seen: list[bytes] = []
    bench.wire.log = lambda *sent: seen.append(sent[3])
    assert bench.meter.read(1).ED_MODEL == "POLY-TOU"
    assert bench.meter.read(5).IDENTIFICATION == "METER-008437"
    bench.meter.close()
    logons = [request for request in bench.store.requests if isinstance(request, session.LogonRequest)]
    passwords = [request for request in bench.store.requests if isinstance(request, session.SecurityRequest)]
    logoffs = [request for request in bench.store.requests if isinstance(request, session.LogoffRequest)]
    if in_session:
        assert [request.user_id for request in logons] == [7]
        assert [request.user_id for request in passwords] == [None]
        assert len(logoffs) == 1
    else:
        assert not logons
        assert not logoffs
        assert {request.user_id for request in passwords} == {7}
        assert len(passwords) == len(seen) // 2 == 3  # ST0, on which others depend; ST1; ST5
    assert (b"POLY-TOU" in b"".join(seen)) == (mode != 2)


def test_identify_needs_nothing(kind: str) -> None:
    bench = Bench(kind, session=True, password="wrong")
    assert bench.meter.identify() == identify.IdentifyResponse(3, 1, 0)
    assert len(bench.store.requests) == 1


def test_logon_by_hand_and_what_follows(kind: str) -> None:
    bench = Bench(kind)
    assert bench.meter.logon(user_id=2, user="reader", password=PASSWORD, timeout=30) == 30
    logon = bench.store.requests[0]
    assert isinstance(logon, session.LogonRequest)
    assert (logon.user_id, logon.user, logon.timeout) == (2, b"reader    ", 30)
    bench.meter.wait(20)
    bench.meter.read(1)
    with pytest.raises(StateError):
        bench.meter.logon()
    bench.meter.logoff()
    assert bench.node.responder.sessions.is_full is False
    assert len(bench.node.responder.sessions) == 0
    before = len(bench.store.requests)
    bench.meter.read(1)  # sessionless again, the password first
    assert [type(request).__name__ for request in bench.store.requests[before:]] == ["SecurityRequest", "ReadRequest"]


def test_a_session_that_was_idle_is_opened_anew(kind: str) -> None:
    bench = Bench(kind, session=True, idle=10)
    bench.meter.read(1)
    bench.wire.run(until=bench.wire.now + 60)
    bench.meter.read(1)
    assert sum(isinstance(request, session.LogonRequest) for request in bench.store.requests) == 2


@pytest.mark.parametrize("verb", ["logoff", "terminate", "disconnect"])
def test_ends_of_a_session(kind: str, verb: str) -> None:
    bench = Bench(kind, session=True)
    bench.meter.read(1)
    getattr(bench.meter, verb)()
    assert len(bench.node.responder.sessions) == 0
    assert bench.store.requests[-1].service == verb
    bench.meter.close()
    assert bench.store.requests[-1].service == verb  # nothing to log off from


def test_security_by_hand(kind: str) -> None:
    bench = Bench(kind, user_id=3)
    bench.store.needs_password = {5}
    with pytest.raises(Isc):
        bench.meter.read(5)
    bench.meter.security(PASSWORD)
    assert bench.meter.read(5).IDENTIFICATION == "METER-008437"
    security = next(request for request in bench.store.requests if isinstance(request, session.SecurityRequest))
    assert (security.password, security.user_id) == (PASSWORD.encode().ljust(20), 3)


def test_padding_is_an_option(kind: str) -> None:
    bench = Bench(kind, password="abc", padding=b"\0")
    bench.store.plan.append(lambda request: session.SecurityResponse() if request.service == "security" else None)
    bench.meter.read(1)
    assert bench.store.requests[0].password == b"abc".ljust(20, b"\0")  # type: ignore[attr-defined]


def test_a_password_goes_with_the_user_it_was_given_for(kind: str) -> None:
    bench = Bench(kind, padding=b"\0")
    bench.store.plan.append(lambda request: session.SecurityResponse() if request.service == "security" else None)

    def presented() -> list[tuple[bytes, int | None]]:
        found = [request for request in bench.store.requests if isinstance(request, session.SecurityRequest)]
        bench.store.requests.clear()
        return [(request.password, request.user_id) for request in found]

    padded = b"abc".ljust(20, b"\0")
    bench.meter.security("abc", 7)
    bench.meter.read(1)
    assert set(presented()) == {(padded, 7)}
    bench.meter.logon(user_id=9)
    bench.meter.read(1)
    bench.meter.read(5)
    assert presented() == [(padded, None)]  # once, to the session, whose user the Logon told
    bench.meter.logoff()
    bench.meter.read(1)
    assert set(presented()) == {(padded, 9)}


def test_who_logs_on_unless_told(kind: str) -> None:
    bench = Bench(kind, session=True)
    bench.meter.read(1)
    assert bench.store.requests[0].user_id == 0  # type: ignore[attr-defined]


def test_a_wait_opens_no_session(kind: str) -> None:
    bench = Bench(kind, session=True)
    with pytest.raises(Isss):
        bench.meter.wait(5)
    assert bench.store.requests == []
    assert len(bench.node.responder.sessions) == 0


def test_closing_is_final_and_may_be_repeated(kind: str) -> None:
    bench = Bench(kind)
    bench.meter.close()
    bench.meter.close()
    with pytest.raises(StateError, match="closed"):
        bench.meter.read(1)


def test_anything_can_be_asked(kind: str) -> None:
    bench = Bench(kind)
    answers = bench.meter.ask(tables.ReadRequest(1), tables.ReadRequest(2000), tables.ReadIndexRequest(1, (0,), 1))
    assert answers[0].data == profile()[1]
    assert isinstance(answers[1], ErrorResponse)
    assert answers[1].code == Iar.code
