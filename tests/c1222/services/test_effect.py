"""What each service does is said on its class, and whoever asks takes it from there."""

import subprocess
import sys
from pathlib import Path

import pytest

from c1222.client.operations.conversation import _CHANGING
from c1222.protocol.responder.execution import GATES
from c1222.protocol.state import END_SERVICES, REPEATABLE
from c1222.services import Effect, services_that

ROOT = Path(__file__).parents[3]
OF_EFFECT = {
    Effect.READS: {"identify", "read", "read-index", "read-default", "read-offset", "resolve", "trace"},
    Effect.CHANGES: {
        *("write", "write-index", "write-default", "write-offset"),
        *("register", "deregister", "unknown"),
    },
    Effect.PROVES: {"security", "authenticate"},
    Effect.OPENS: {"logon"},
    Effect.STRETCHES: {"wait"},
    Effect.ENDS: {"logoff", "terminate", "disconnect"},
    Effect.SETS_LINK: {"negotiate", "timing-setup"},
}


@pytest.mark.parametrize("effect", Effect)
def test_services_of_each_effect(effect: Effect) -> None:
    assert services_that(effect) == OF_EFFECT[effect]


def test_who_asks_takes_it_from_there() -> None:
    assert REPEATABLE == OF_EFFECT[Effect.READS]
    assert END_SERVICES == OF_EFFECT[Effect.ENDS]
    assert GATES == OF_EFFECT[Effect.OPENS] | OF_EFFECT[Effect.PROVES]
    assert _CHANGING == OF_EFFECT[Effect.CHANGES]


# What a newcomer writes for a new service: its class in a family, its line in the codec, its row in the table of
# states, and what the node answers. Four files; the rest follows.
NEW_SERVICE = """
from c1222.services import codec
from c1222.services.fields import U8
from c1222.services.service import Effect, Request, Response, wire


class EchoRequest(Request):
    code = 0x5E
    service = "echo"
    effect = Effect.{effect}

    octet: int = wire(U8)


class EchoResponse(Response):
    answers = EchoRequest

    octet: int = wire(U8)


assert codec._CLASSES and "c1222.protocol.state" not in sys.modules
codec.REQUESTS[EchoRequest.code] = EchoRequest

from c1222.protocol.state import END_SERVICES, NODE, REPEATABLE, NodeState

NODE["echo"] = (NodeState.IDLE, NodeState.{leads_to})

from c1222.client.operations.conversation import _CHANGING
from c1222.protocol.responder.execution import GATES

sets = {{"REPEATABLE": REPEATABLE, "END_SERVICES": END_SERVICES, "GATES": GATES, "CHANGING": _CHANGING}}
print(*[name for name, services in sets.items() if "echo" in services])

from c1222.services import session
from c1222.transport.memory import Wire
from tests.c1222.protocol.rig import Node, Peer

wire = Wire()
node, peer = Node(wire), Peer(wire)
peer.ask(session.LogonRequest.of(2, "USER", 60))
node.store.next = [EchoResponse(9)]
(response,) = peer.ask(EchoRequest(8)).responses
print(response.octet, len(node.responder.sessions))
"""


@pytest.mark.parametrize(
    ("effect", "leads_to", "said"),
    [
        ("READS", "SESSION", "REPEATABLE\n9 1\n"),
        ("CHANGES", "SESSION", "CHANGING\n9 1\n"),
        ("PROVES", "SESSION", "GATES\n9 1\n"),
        ("ENDS", "IDLE", "END_SERVICES\n9 0\n"),
    ],
)
def test_a_new_service_says_it_once(effect: str, leads_to: str, said: str) -> None:
    code = "import sys\n" + NEW_SERVICE.format(effect=effect, leads_to=leads_to)
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)
    assert (run.stdout, run.stderr) == (said, "")
