"""What holds whatever comes in and whenever: nothing escapes, nothing spins, nothing is done twice."""

from hypothesis import given
from hypothesis import strategies as st

from c1222.message.ber import tlv
from c1222.message.epsem import ResponseControl
from c1222.message.segmentation import cut
from c1222.protocol.events import Completed, Failed
from c1222.protocol.identity import Identity
from c1222.protocol.initiator.initiator import Initiator
from c1222.protocol.policy import TCP_LINK, Link, NodePolicy, Options, Timing
from c1222.protocol.responder.responder import Responder
from c1222.services import TableData, session, tables
from c1222.services.results import Bsy
from c1222.transport.memory import EPOCH, Mishaps, Wire
from tests.c1222.protocol.rig import KEY, MANY, METER, READER, Node, Peer, Store

SERVICES = st.sampled_from(
    [
        (tables.ReadRequest(1),),
        (tables.ReadRequest(1), tables.WriteRequest(5, TableData(b"x"))),
        (session.LogonRequest.of(2, "USER", 20),),
        (session.LogoffRequest(),),
        (session.TerminateRequest(),),
        (session.WaitRequest(30),),
        (session.SecurityRequest.of("secret", 2), tables.ReadRequest(1)),
        (session.LogonRequest.of(2, "USER", 5), tables.ReadRequest(1), session.LogoffRequest()),
    ]
)


def talk() -> list[bytes]:
    """Return what both sides said in a session, whole and in segments."""
    wire = Wire()
    said: list[bytes] = []
    wire.log = lambda _now, _source, _to, apdu: said.append(apdu)
    _, peer = Node(wire, keys=KEY, policy=NodePolicy(cleartext=True)), Peer(wire, keys=KEY, mode=2, key_id=2)
    for services in ((session.LogonRequest.of(2, "USER", 60),), (tables.ReadRequest(1),), (session.LogoffRequest(),)):
        peer.ask(*services)
    peer.initiator.mode, peer.initiator.key_id = type(peer.initiator.mode)(0), None
    peer.ask(tables.WriteRequest(5, TableData(b"hello")))
    return said + [piece for apdu in said for piece in cut(apdu, 30)]


SAID = talk()


ANY = st.binary(min_size=1, max_size=80)  # an empty one has the hash of 0, and hypothesis compares the two: -bb objects


@st.composite
def octets(draw: st.DrawFn) -> bytes:
    """Return octets near what is said, or any at all."""
    chosen = bytearray(draw(st.sampled_from(SAID)))
    kind = draw(st.integers(0, 4))
    if kind == 0:
        return draw(ANY)
    if kind == 1:
        return tlv(0x60, draw(ANY))
    for _ in range(draw(st.integers(0, 3))):
        chosen[draw(st.integers(0, len(chosen) - 1))] = draw(st.integers(0, 255))
    if kind == 2:
        del chosen[draw(st.integers(0, len(chosen))) :]
    return bytes(chosen)


@given(st.lists(octets(), max_size=8), st.sampled_from([Link(), TCP_LINK, Link(max_size=50, segments=True)]))
def test_nothing_escapes_a_responder(heard: list[bytes], link: Link) -> None:
    for keys in (None, KEY):
        node = Responder(Identity(METER, keys), Store(), policy=NodePolicy(cleartext=True, stranger_failures=MANY))
        for step, apdu in enumerate(heard):
            node.receive(apdu, source="x", now=float(step), utc=EPOCH + step, link=link)
            for out in node.apdus_to_send():
                assert len(out.apdu) <= link.max_size
        node.events()


@given(st.lists(octets(), max_size=8))
def test_nothing_escapes_an_initiator(heard: list[bytes]) -> None:
    for mode in range(3):
        asked = Initiator(Identity(READER, KEY), METER, mode=mode, key_id=2, options=Options(lenient=True))
        asked.request(tables.ReadRequest(1), tables.ReadRequest(2), now=0, utc=EPOCH)
        for apdu in heard:
            asked.receive(apdu, now=0, utc=EPOCH)
        assert not [event for event in asked.events() if mode and isinstance(event, (Completed, Failed))]


@given(
    st.lists(
        st.tuples(SERVICES, st.sampled_from(list(ResponseControl)[:3]), st.floats(0, 30), st.booleans()), max_size=12
    ),
    st.integers(0, 2),
    st.integers(0, 2**32),
)
def test_every_exchange_ends_once_whatever_the_wire_does(plan: list, mode: int, seed: int) -> None:  # type: ignore[type-arg]
    wire = Wire(seed=seed, mishaps=Mishaps(0.3, 0.2, 0.3, 0.0, (0.0, 2.0), 20.0))
    keys = KEY if mode else None
    node = Node(wire, keys=keys)
    timing = Timing(3.0, attempts=3, busy_tries=2)
    peer = Peer(wire, keys=keys, mode=mode, key_id=2 if mode else None, timing=timing, options=Options(outstanding=3))
    started = []
    for services, control, pause, busy in plan:
        if busy:
            node.store.next.append(Bsy())
        started.append(peer.start(*services, response_control=control))
        wire.run(until=wire.now + pause)
    wire.run()
    ends = [event.exchange for event in peer.events if isinstance(event, (Completed, Failed))]
    assert len(ends) == len(started)
    assert {id(exchange) for exchange in ends} == {id(exchange) for exchange in started}
    assert all(exchange.is_over for exchange in started)
    assert peer.initiator.is_idle
    assert peer.initiator.next_deadline() is None
    assert not peer.initiator.session.is_active
    writes = sum(any(s.service == "write" for s in services) for services, *_ in plan)
    assert len(node.store.writes) <= writes
    done = sum(
        any(r is not None and r.service == "write" and r.code == 0 for r in exchange.responses) for exchange in started
    )
    assert len(node.store.writes) >= done
