from itertools import chain

import pytest

from c1222.errors import StateError
from c1222.message.aptitle import ApTitle
from c1222.protocol.responder.execution import GATES
from c1222.protocol.state import (
    END_SERVICES,
    EXCHANGE,
    NODE,
    REPEATABLE,
    SESSION,
    ExchangeState,
    Exchanging,
    NodeState,
    SessionEvent,
    SessionState,
    follow,
)
from c1222.services import (
    SERVICE_NAMES,
    RawRequest,
    Request,
    Response,
    TableData,
    c1218,
    identify,
    network,
    session,
    tables,
)
from c1222.services.results import Isss, Refusal, Sns
from c1222.transport.memory import Wire
from tests.c1222.protocol.rig import METER, READER, Node, Peer


@pytest.mark.parametrize(
    ("table", "states", "events", "start"),
    [
        (EXCHANGE, ExchangeState, Exchanging, ExchangeState.QUEUED),
        (SESSION, SessionState, SessionEvent, SessionState.IDLE),
    ],
    ids=["exchange", "session"],
)
def test_tables_are_whole(table, states, events, start) -> None:  # type: ignore[no-untyped-def]
    assert set(table) == set(states)
    assert set(chain.from_iterable(row for row in table.values())) == set(events)
    reached, todo = {start}, [start]
    while todo:
        for state in table[todo.pop()].values():
            if state not in reached:
                reached.add(state)
                todo.append(state)
    assert reached == set(states)


def test_every_session_can_come_to_an_end() -> None:
    for state in SessionState:
        assert follow(SESSION, state, SessionEvent.LOST) is SessionState.IDLE


def test_an_exchange_that_is_over_stays_so() -> None:
    for state in (ExchangeState.DONE, ExchangeState.FAILED):
        for event in Exchanging:
            with pytest.raises(StateError, match=str(event)):
                follow(EXCHANGE, state, event)
    assert list(EXCHANGE[ExchangeState.SILENT]) == [Exchanging.REPEATED]


def test_the_node_table_has_every_service_of_the_library() -> None:
    assert set(NODE) == {*SERVICE_NAMES.values(), "unknown"}
    assert set(NODE) >= END_SERVICES | REPEATABLE | GATES
    for cell in chain.from_iterable(NODE.values()):
        assert isinstance(cell, NodeState) or issubclass(cell, Refusal)


TITLE = ApTitle(METER)
REQUEST_OF: dict[str, Request] = {
    "identify": identify.IdentifyRequest(),
    "logon": session.LogonRequest.of(2, "USER", 60),
    "security": session.SecurityRequest.of("secret", 2),
    "logoff": session.LogoffRequest(),
    "terminate": session.TerminateRequest(),
    "disconnect": session.DisconnectRequest(),
    "wait": session.WaitRequest(5),
    "read": tables.ReadRequest(1),
    "read-index": tables.ReadIndexRequest(1, (1,), 1),
    "read-default": tables.ReadDefaultRequest(),
    "read-offset": tables.ReadOffsetRequest(1, 0, 2),
    "write": tables.WriteRequest(5, TableData(b"x")),
    "write-index": tables.WriteIndexRequest(5, (1,), TableData(b"x")),
    "write-default": tables.WriteDefaultRequest(b"x"),
    "write-offset": tables.WriteOffsetRequest(5, 0, TableData(b"x")),
    "register": network.RegisterRequest(network.NodeType(0), network.ConnectionType(0), b"TEMP", TITLE, TITLE, b"", 60),
    "deregister": network.DeregisterRequest(TITLE),
    "resolve": network.ResolveRequest(TITLE),
    "trace": network.TraceRequest((TITLE,)),
    "authenticate": c1218.AuthenticateRequest(bytes(9)),
    "negotiate": c1218.NegotiateRequest(64, 2, bytes((6,))),
    "timing-setup": c1218.TimingSetupRequest(1, 1, 1, 1),
    "unknown": RawRequest(0x7E, b"x"),
}


def planned_answer(request: Request) -> Response | None:
    """Return an ok answer for services that the rig's store does not know; the machine does not look inside."""
    match request:
        case network.RegisterRequest():
            return network.RegisterResponse(TITLE, 0, 60, network.RegistrationInfo(0))
        case network.ResolveRequest():
            return network.ResolveResponse(b"")
        case network.TraceRequest():
            return network.TraceResponse(())
        case tables.ReadIndexRequest() | tables.ReadDefaultRequest():
            assert request.answer is not None
            return request.answer(TableData(b"x"))
    return None


CELLS = [(name, state) for name in sorted(NODE) for state in NodeState]


@pytest.mark.parametrize(("name", "state"), CELLS, ids=str)
def test_a_node_does_what_its_table_says(name: str, state: NodeState) -> None:
    wire = Wire()
    node, peer = Node(wire), Peer(wire)
    if state is NodeState.SESSION:
        peer.ask(session.LogonRequest.of(2, "USER", 60))
        assert len(node.responder.sessions) == 1
        peer = Peer(wire, "another process", title=READER)  # one that knows nothing of the session
    request = REQUEST_OF[name]
    planned = planned_answer(request)
    if planned is not None:
        node.store.next = [planned]
    calls = node.store.calls
    exchange = peer.start(request)
    wire.run(until=wire.now + 1)
    (response,) = exchange.responses
    rule = NODE[name][state is NodeState.SESSION]
    if isinstance(rule, NodeState):
        assert response.code == 0
        assert node.store.calls == calls + 1
        assert len(node.responder.sessions) == (rule is NodeState.SESSION)
    else:
        assert response.code == rule.code
        assert node.store.calls == calls
        assert len(node.responder.sessions) == (state is NodeState.SESSION)


def test_services_of_other_links_are_not_supported() -> None:
    assert {name for name, cells in NODE.items() if Sns in cells} == {
        "authenticate",
        "negotiate",
        "timing-setup",
        "unknown",
    }
    assert {name for name, cells in NODE.items() if Isss in cells} == {"logon", "logoff", "wait"}
