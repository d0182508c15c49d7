"""Sessions of the side that asks, and what is asked again."""

import pytest

from c1222.errors import (
    EncodeError,
    SessionLost,
    StateError,
)
from c1222.message.acse import decode_acse
from c1222.message.epsem import ResponseControl
from c1222.protocol.events import (
    Failed,
    SessionClosed,
    SessionOpened,
)
from c1222.protocol.identity import Identity
from c1222.protocol.policy import Link, Options, Timing
from c1222.protocol.state import ExchangeState, SessionState
from c1222.services import session, tables
from c1222.services.results import Iar
from c1222.transport.memory import Mishaps, Wire
from tests.c1222.protocol.initiator.answers import LOGOFF, LOGON, OK_READ, READ, SECURED, STEADY, WRITE, Silence
from tests.c1222.protocol.rig import KEY, READER, Node, Peer


class TestSession:
    def test_opens_serves_and_ends(self, wire: Wire) -> None:
        node, peer = Node(wire, keys=KEY), Peer(wire, **SECURED)
        peer.ask(LOGON)
        peer.ask(session.SecurityRequest.of("secret"), in_session=True)
        peer.ask(WRITE, in_session=True)
        peer.ask(LOGOFF, in_session=True)
        assert peer.of(SessionOpened) == [SessionOpened(60)]
        assert peer.of(SessionClosed) == [SessionClosed("ended")]
        carried = [decode_acse(apdu).authentication is not None for apdu in node.heard]
        assert carried == [True, False, False, False]
        assert [decode_acse(apdu).authentication is not None for apdu in node.said] == carried
        assert node.store.contexts[-2].access.rights == "all"
        peer.ask(READ)
        assert decode_acse(node.heard[-1]).authentication is not None

    def test_authentication_in_every_message_if_told_so(self, wire: Wire) -> None:
        options = Options(authentication_in_session=True)
        node, peer = Node(wire, keys=KEY), Peer(wire, options=options, **SECURED)
        peer.ask(LOGON)
        exchange = peer.ask(READ)
        assert exchange.responses == OK_READ
        assert all(decode_acse(apdu).authentication for apdu in (*node.heard, *node.said))

    def test_in_one_message(self, wire: Wire) -> None:
        node, peer = Node(wire, keys=KEY), Peer(wire, **SECURED)
        exchange = peer.ask(LOGON, session.SecurityRequest.of("secret"), READ, LOGOFF)
        assert [response.code for response in exchange.responses] == [0] * 4  # type: ignore[union-attr]
        assert peer.initiator.session.state is SessionState.IDLE
        assert len(node.responder.sessions) == 0

    def test_one_message_ends_a_session_and_opens_another(self, wire: Wire) -> None:
        node, peer = Node(wire, keys=KEY), Peer(wire, **SECURED)
        peer.ask(LOGON)
        exchange = peer.ask(LOGOFF, session.LogonRequest.of(3, "OTHER", 30))
        assert [response.code for response in exchange.responses] == [0, 0]  # type: ignore[union-attr]
        changes = [event for event in peer.events if isinstance(event, (SessionOpened, SessionClosed))]
        assert changes == [SessionOpened(60), SessionClosed("ended"), SessionOpened(30)]
        assert peer.ask(READ, in_session=True).responses == OK_READ
        assert peer.ask(READ, in_session=True).responses == OK_READ
        assert [one.access.user_id for one in node.responder.sessions] == [3]

    def test_a_logon_that_cannot_be_sent_opens_nothing(self, wire: Wire) -> None:
        node, peer = Node(wire), Peer(wire, link=Link(max_size=40))
        exchange = peer.start(LOGON, READ, READ, READ)
        assert isinstance(exchange.error, EncodeError)
        assert peer.initiator.session.state is SessionState.IDLE
        assert peer.ask(READ).state is ExchangeState.DONE
        assert len(node.heard) == 1

    def test_a_second_logon_fails_here(self, wire: Wire) -> None:
        node, peer = Node(wire), Peer(wire)
        peer.ask(LOGON)
        exchange = peer.ask(LOGON)
        assert isinstance(exchange.error, StateError)
        assert len(node.heard) == 1
        assert peer.initiator.session.state is SessionState.OPEN

    def test_a_refused_logon(self, wire: Wire) -> None:
        node, peer = Node(wire, keys=KEY), Peer(wire, **SECURED)
        exchange = peer.ask(session.LogonRequest.of(99, "NOBODY"))
        assert exchange.responses[0].code == 1  # type: ignore[union-attr]
        assert peer.initiator.session.state is SessionState.IDLE
        refused = peer.ask(READ, in_session=True)
        assert isinstance(refused.error, SessionLost)
        assert not peer.of(Failed)[-1].unknown
        assert len(node.heard) == 1

    def test_idle_for_too_long(self, wire: Wire) -> None:
        node, peer = Node(wire), Peer(wire)
        peer.ask(LOGON)
        wire.run(until=59)
        peer.ask(READ, in_session=True)
        wire.run(until=118)
        assert peer.initiator.session.is_active
        wire.run(until=120)
        assert peer.of(SessionClosed) == [SessionClosed("idle")]
        node.tick()
        assert len(node.responder.sessions) == 0
        assert isinstance(peer.ask(READ, in_session=True).error, SessionLost)
        assert peer.initiator.next_deadline() is None

    def test_wait_stretches_it_once(self, wire: Wire) -> None:
        node, peer = Node(wire), Peer(wire)
        peer.ask(LOGON)
        peer.ask(session.WaitRequest(100))
        wire.run(until=150)
        assert peer.ask(READ, in_session=True).state is ExchangeState.DONE
        assert len(node.responder.sessions) == 1
        wire.run(until=215)
        assert peer.of(SessionClosed) == [SessionClosed("idle")]
        node.tick()
        assert len(node.responder.sessions) == 0

    def test_no_limit(self, wire: Wire) -> None:
        _, peer = Node(wire), Peer(wire)
        peer.ask(session.LogonRequest.of(2, "USER", 0))
        assert peer.initiator.next_deadline() is None
        wire.run(until=1e6)
        assert peer.ask(READ, in_session=True).state is ExchangeState.DONE

    def test_a_logon_without_an_answer(self, wire: Wire) -> None:
        silence, peer = Silence(wire), Peer(wire, timing=Timing(1.0, attempts=1), **SECURED)
        exchange = peer.ask(LOGON)
        assert peer.initiator.session.state is SessionState.IDLE
        node = Node(wire, keys=KEY)
        peer.initiator.repeat(exchange, now=wire.now)
        peer.pump()
        wire.run(done=lambda: exchange.is_over)
        assert peer.initiator.session.state is SessionState.OPEN
        peer.ask(READ)
        assert decode_acse(node.heard[-1]).authentication is None
        assert len(silence.heard) == 1

    def test_an_end_without_an_answer_is_an_end_and_terminate_clears_up(self, wire: Wire) -> None:
        node, peer = Node(wire), Peer(wire, timing=Timing(1.0, attempts=1))
        peer.ask(LOGON)
        wire.mishaps = Mishaps(loss=1.0)
        peer.ask(LOGOFF)
        assert peer.initiator.session.state is SessionState.IDLE
        wire.mishaps = STEADY
        assert peer.ask(LOGON).responses[0].code == 0x0A  # type: ignore[union-attr]
        assert peer.ask(session.TerminateRequest()).responses[0].code == 0  # type: ignore[union-attr]
        assert peer.ask(LOGON).responses[0].code == 0  # type: ignore[union-attr]
        assert len(node.responder.sessions) == 1

    def test_a_refused_end_leaves_it_open(self, wire: Wire) -> None:
        node, peer = Node(wire), Peer(wire)
        peer.ask(LOGON)
        node.store.next = [Iar()]
        peer.ask(LOGOFF)
        assert peer.initiator.session.state is SessionState.OPEN
        node.responder.close_sessions()
        peer.ask(LOGOFF)  # out of sequence: there is none
        assert peer.initiator.session.state is SessionState.IDLE

    def test_the_node_was_restarted(self, wire: Wire) -> None:
        _, peer = Node(wire, keys=KEY), Peer(wire, **SECURED)
        peer.ask(LOGON)
        restarted = Node(wire, keys=KEY)
        exchange = peer.ask(WRITE, in_session=True)
        (failed,) = peer.of(Failed)
        assert isinstance(failed.error, SessionLost)
        assert failed.unknown
        assert "forgotten" in str(failed.error)
        assert wire.now < 2.5  # it took a second opinion, no more
        assert exchange.attempts == 2
        assert peer.of(SessionClosed) == [SessionClosed("lost")]
        assert restarted.store.writes == []
        peer.ask(LOGON)
        assert peer.ask(WRITE, in_session=True).state is ExchangeState.DONE
        assert len(restarted.store.writes) == 1

    def test_ids_that_begin_anew_bring_a_vector_of_their_own(self, wire: Wire) -> None:
        identity = Identity(READER, KEY, ids=iter([100, 101, 5, 6]))
        node, peer = Node(wire, keys=KEY), Peer(wire, identity=identity, mode=2, key_id=2)
        for request in (LOGON, READ, READ, READ):
            assert peer.ask(request).state is ExchangeState.DONE
        assert [decode_acse(apdu).authentication is not None for apdu in node.heard] == [True, False, True, False]


class TestRepeat:
    def test_the_same_octets_once_more_are_safe(self, wire: Wire) -> None:
        node, peer = Node(wire, keys=KEY), Peer(wire, timing=Timing(1.0, attempts=2), **SECURED)
        wire.run(until=1)
        lost: list[bytes] = []
        wire.attach("reader", lambda apdu, _: lost.append(apdu))
        exchange = peer.ask(WRITE)
        assert exchange.state is ExchangeState.SILENT
        assert len(node.store.writes) == 1
        assert len(lost) == 2
        wire.attach("reader", peer.receive)
        peer.initiator.repeat(exchange, now=wire.now)
        peer.pump()
        wire.run(done=lambda: exchange.is_over)
        assert exchange.state is ExchangeState.DONE
        assert exchange.error is None
        assert exchange.responses == (tables.WriteResponse(),)
        assert len(node.store.writes) == 1
        assert len(set(node.heard)) == 1

    def test_not_when_it_might_be_forgotten_is_not_silent_or_lost_its_session(self, wire: Wire) -> None:
        peer = Peer(wire, timing=Timing(1.0, attempts=1))
        exchange = peer.ask(WRITE)
        with pytest.raises(StateError, match="remembers"):
            peer.initiator.repeat(exchange, now=wire.now + 200)
        done = peer.start(WRITE, response_control=ResponseControl.NEVER)
        with pytest.raises(StateError):
            peer.initiator.repeat(done, now=wire.now)
        wire.run(until=wire.now + 1)
        node = Node(wire)
        peer.ask(LOGON)
        wire.detach("node")
        exchange = peer.ask(WRITE, in_session=True)
        wire.run(until=wire.now + 70)
        assert peer.of(SessionClosed)
        with pytest.raises(StateError, match="session"):
            peer.initiator.repeat(exchange, now=exchange.started)
        assert node.store.writes == []
