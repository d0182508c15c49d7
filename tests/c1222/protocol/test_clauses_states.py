"""What is sure about the states of a node: the cells of its table that two sources confirm, and sessions without an end."""

import pytest

from c1222.protocol.state import NODE, NodeState
from c1222.services import session, tables
from c1222.transport.memory import Wire
from tests.c1222.protocol.rig import Node, Peer

IDLE, SESSION = NodeState.IDLE, NodeState.SESSION
SERVED_ANYWHERE = ("identify", "security", "read", "read-index", "read-offset", "write", "write-index", "write-offset")


@pytest.mark.parametrize("name", SERVED_ANYWHERE)
def test_served_with_a_session_and_without_one(name: str) -> None:
    assert NODE[name] == (IDLE, SESSION)


def test_logon_opens_and_three_services_end() -> None:
    assert NODE["logon"][0] is SESSION
    assert [NODE[name][1] for name in ("logoff", "terminate", "disconnect")] == [IDLE] * 3


def test_an_idle_time_of_0_never_runs_out() -> None:
    wire = Wire()
    node, peer = Node(wire), Peer(wire)
    peer.ask(session.LogonRequest.of(2, "USER", 0))
    wire.run(until=1e6)
    node.tick()
    assert len(node.responder.sessions) == 1
    peer.ask(tables.ReadRequest(1), in_session=True)
    assert node.store.contexts[-1].session is not None
