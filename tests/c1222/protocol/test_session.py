"""What one remembers of its own session, and the sessions of a node: several, that end at different times."""

from typing import Any

import pytest

from c1222.protocol.session import Grants, OwnSession, Session, SessionTable
from c1222.protocol.state import SessionState
from c1222.services import ErrorResponse, session
from c1222.services.results import Err, Isss

LOGON = session.LogonRequest.of(2, "USER", 60)
LOGOFF = session.LogoffRequest()
WAIT = session.WaitRequest(100)


def opened(timeout: int = 60) -> OwnSession:
    own = OwnSession()
    own.sending([LOGON])
    assert own.answered([LOGON], [session.LogonResponse(timeout)], 0.0) == ["opened"]
    return own


def test_an_end_that_the_peer_refused_is_none() -> None:
    own = opened()
    own.sending([LOGOFF])
    assert own.answered([LOGOFF], [ErrorResponse(Err.code)], 1.0) == []
    assert own.state is SessionState.OPEN
    own.sending([LOGOFF])
    assert own.answered([LOGOFF], [ErrorResponse(Isss.code)], 2.0) == ["ended"]  # there is none any more
    assert own.state is SessionState.IDLE


def test_an_end_outside_of_a_session_ends_none() -> None:
    own = OwnSession()
    own.sending([session.TerminateRequest()])
    assert own.answered([session.TerminateRequest()], [session.TerminateResponse()], 1.0) == []


@pytest.mark.parametrize(
    ("answer", "idle_at"), [(session.WaitResponse(), 165.0), (ErrorResponse(Err.code), 65.0), (None, 65.0)]
)
def test_only_a_wait_that_was_granted_makes_the_idle_time_longer(answer: Any, idle_at: float) -> None:
    own = opened()
    own.answered([WAIT], [answer], 5.0)
    assert own.idle_at == idle_at


def table_of(*timeouts: int) -> SessionTable:
    table = SessionTable(10)
    for number, timeout in enumerate(timeouts):
        table.add(Session(number, calling=None, called=None, access=Grants(), timeout=timeout, now=0.0))
    return table


def test_sessions_end_at_their_own_times_and_those_without_never() -> None:
    table = table_of(100, 10, 0, 50)
    assert table.next_deadline() == 10.0
    assert table.expired(9.9) == []
    assert [one.key for one in table.expired(10.0)] == [1]
    assert table.next_deadline() == 50.0
    assert [one.key for one in table.expired(49.9)] == []
    assert [one.key for one in table.expired(60.0)] == [3]
    assert table.next_deadline() == 100.0
    assert [one.key for one in table.expired(1000.0)] == [0]
    assert table.next_deadline() is None
    assert [one.key for one in table] == [2]
    assert table.expired(1e9) == []


def test_what_was_used_meanwhile_ends_later() -> None:
    table = table_of(10, 20)
    first, second = table
    first.touch(9.0, stretch=100)
    assert table.expired(10.0) == []
    assert table.next_deadline() == 20.0
    assert table.expired(20.0) == [second]
    assert table.next_deadline() == 119.0


def test_one_without_an_end_alone() -> None:
    table = table_of(0)
    assert (table.next_deadline(), table.expired(1e9), len(table)) == (None, [], 1)
