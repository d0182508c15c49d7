"""What only the asyncio client has: verbs at once, cancellation, many meters, wires of one's own."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

import c1222
from c1222.client.aio import AsyncMeter, Network
from c1222.client.aio_meter import HELD_UP
from c1222.client.operations.operations import Operations
from c1222.errors import PeerSilent, StateError
from c1222.protocol.policy import UDP_LINK
from c1222.services import TableData, tables
from c1222.transport.memory import Wire
from tests.c1222.client.rig import KEY, METER, PASSWORD, READER, Tiny, drive
from tests.c1222.protocol.rig import Node


def talking(wire: Wire, address: str = "reader", **settings: Any) -> AsyncMeter:
    given = {"called": METER, "calling": READER, "key": KEY, **settings}
    meter = AsyncMeter(Operations(UDP_LINK, **given), lambda apdu: wire.send(apdu, source=address, to="node"), wire)
    wire.attach(address, lambda apdu, _source: meter.receive(apdu))
    return meter


def test_verbs_at_once_go_one_after_the_other() -> None:
    async def main() -> None:
        wire, store = Wire(), Tiny()
        Node(wire, keys=KEY, store=store)  # type: ignore[arg-type]
        meter = talking(wire, session=True, password=PASSWORD)

        async def work() -> list[Any]:
            return await asyncio.gather(
                meter.read(1), meter.read("ST6.OWNER_NAME"), meter.procedure(4, 1), meter.read(5)
            )

        one, two, three, four = await drive(wire, work())
        assert (one.ED_MODEL, two, four.IDENTIFICATION) == ("POLY-TOU", "Demo Light and Power", "METER-008437")
        assert three.is_done
        assert sum(request.service == "logon" for request in store.requests) == 1

    asyncio.run(main())


def test_a_verb_that_is_cancelled_leaves_the_meter_usable() -> None:
    async def main() -> None:
        wire, store = Wire(), Tiny()
        node = Node(wire, keys=KEY, store=store)  # type: ignore[arg-type]
        meter = talking(wire)
        wire.detach("node")
        task = asyncio.create_task(meter.read(1))
        waiting = asyncio.create_task(meter.read(5))
        for _ in range(5):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        wire.attach("node", node.receive)

        async def wait() -> Any:
            return await waiting

        assert (await drive(wire, wait())).IDENTIFICATION == "METER-008437"
        late = wire.counters["sent"]
        await drive(wire, meter.read(1))
        assert wire.counters["sent"] == late + 2  # nothing of what was cancelled is sent again

    asyncio.run(main())


def test_a_pause_that_is_cancelled() -> None:
    async def main() -> None:
        wire, store = Wire(), Tiny()
        store.results = [1] * 50
        Node(wire, keys=KEY, store=store)  # type: ignore[arg-type]
        meter = talking(wire)

        async def impatient() -> None:
            async with asyncio.timeout(0.05):
                await meter.procedure(4, 1, pause=3600)

        task = asyncio.create_task(impatient())
        while wire.next_due() is not None and wire.next_due() < 10:  # type: ignore[operator]
            wire.step()
            await asyncio.sleep(0)
        with pytest.raises(TimeoutError):
            await task
        assert (await drive(wire, meter.read(1))).ED_MODEL == "POLY-TOU"

    asyncio.run(main())


def test_time_outs_need_no_traffic() -> None:
    async def main() -> None:
        wire = Wire()
        meter = talking(wire, timeout=2, attempts=3)
        with pytest.raises(PeerSilent):
            await drive(wire, meter.read(1))
        assert wire.counters["sent"] == 3
        assert 9 <= wire.now <= 10

    asyncio.run(main())


class Late:
    """A clock that is set by hand, and calls when it is told to: an event loop that was held up."""

    def __init__(self) -> None:
        self.now = 100.0
        self.utc = 1.8e9
        self.due: dict[object, tuple[float, Any]] = {}

    def call_at(self, when: float, action: Any, /) -> Any:
        name = object()
        self.due[name] = when, action
        return SimpleNamespace(cancel=lambda: self.due.pop(name, None))

    def passes(self, seconds: float) -> None:
        """Let time pass in which nobody is called, and call those that are due then."""
        self.now += seconds
        for name, (when, action) in tuple(self.due.items()):
            if when <= self.now and self.due.pop(name, None):
                action()


def held_up() -> tuple[Late, AsyncMeter, list[bytes]]:
    clock, sent = Late(), list[bytes]()
    operations = Operations(UDP_LINK, called=METER, calling=READER, timeout=2.0, attempts=1)
    return clock, AsyncMeter(operations, sent.append, clock), sent


@pytest.mark.parametrize("late", [0.0, 60.0])
def test_a_loop_that_was_held_up_takes_what_came_in_before_it_gives_up(late: float) -> None:
    async def main() -> None:
        clock, meter, sent = held_up()
        task = asyncio.create_task(meter.read_octets(1))
        await asyncio.sleep(0)
        clock.passes(2.0 + late)
        await asyncio.sleep(0)
        assert task.done() is (late == 0.0)
        if task.done():
            assert isinstance(task.exception(), PeerSilent)
            return
        for _ in range(5):  # what comes in and is no answer puts nothing off
            clock.passes(HELD_UP / 10)
            meter.receive(b"\x60\x00")
            await asyncio.sleep(0)
        assert not task.done()
        asked = c1222.decode(sent[0])
        answer = c1222.Message(
            called=asked.calling,
            calling=asked.called,
            called_invocation_id=asked.calling_invocation_id,
            calling_invocation_id=1,
            services=[tables.ReadResponse(TableData(b"here"))],
        )
        meter.receive(c1222.encode(answer))
        assert await task == b"here"

    asyncio.run(main())


def test_a_loop_that_was_held_up_gives_up_soon_after() -> None:
    async def main() -> None:
        clock, meter, sent = held_up()
        task = asyncio.create_task(meter.read_octets(1))
        await asyncio.sleep(0)
        clock.passes(30.0)
        for _ in range(12):
            clock.passes(HELD_UP / 10)
            meter.receive(b"\x60\x00")
            await asyncio.sleep(0)
        assert isinstance(task.exception(), PeerSilent)
        assert len(sent) == 1

    asyncio.run(main())


def test_a_closed_meter_takes_no_verbs() -> None:
    async def main() -> None:
        wire, store = Wire(), Tiny()
        Node(wire, keys=KEY, store=store)  # type: ignore[arg-type]
        released: list[int] = []
        operations = Operations(UDP_LINK, called=METER, calling=READER, key=KEY, session=True)
        async with AsyncMeter(
            operations, lambda apdu: wire.send(apdu, source=1, to="node"), wire, close=lambda: released.append(1)
        ) as meter:
            wire.attach(1, lambda apdu, _source: meter.receive(apdu))
            await drive(wire, meter.read(1))
            await drive(wire, meter.close())
        assert released == [1]
        assert isinstance(store.requests[-1], type(store.requests[-1]))
        assert store.requests[-1].service == "logoff"
        with pytest.raises(StateError):
            await meter.read(1)
        assert repr(meter) == "<Meter .123.8437>"

    asyncio.run(main())


def test_a_network_gives_answers_to_whom_they_are_for() -> None:
    """Titles tell meters behind one address apart; an answer from elsewhere still finds its meter."""

    async def main() -> None:
        async with Network(calling=READER, key=KEY) as network:
            heard: dict[str, list[bytes]] = {}
            for name, url, title in (
                ("a", "udp://127.0.0.1:4001", ".1.1"), ("b", "udp://127.0.0.1:4001", ".1.2"),
                ("c", "udp://127.0.0.1:4002", ".1.1"), ("d", "udp://127.0.0.1:4003", None),
            ):  # fmt: skip
                meter = await network.meter(url, called=title)
                heard[name] = []
                meter.receive = heard[name].append  # type: ignore[method-assign]

            def answer(title: str | None) -> bytes:
                from c1222.message.aptitle import ApTitle
                from c1222.protocol.composing import encode
                from c1222.protocol.message import Message

                calling = None if title is None else ApTitle(title)
                return encode(Message(called=None, calling=calling, calling_invocation_id=1, services=[]))

            def got() -> str:
                found = "".join(name for name, octets in heard.items() for _ in octets)
                for octets in heard.values():
                    octets.clear()
                return found

            for title, port, wanted in (
                (".1.2", 4001, "b"), (".1.2", 9999, "b"), (".1.1", 4001, "a"), (".1.1", 4002, "c"), (".1.1", 9999, "ac"),
                (".7.7", 4002, "c"), (None, 4003, "d"), (".7.7", 9999, ""),
            ):  # fmt: skip
                network._receive(answer(title), ("127.0.0.1", port))
                assert got() == wanted, (title, port)
            network._receive(b"\x60\x01", ("127.0.0.1", 4001))
            assert network.counters == {"nobody": 1, "malformed": 1}

    asyncio.run(main())


def test_settings_of_the_network_are_not_given_again() -> None:
    async def main() -> None:
        async with Network(calling=READER, key=KEY) as network:
            with pytest.raises(StateError, match="identity"):
                await network.meter("udp://127.0.0.1", called=METER, calling=".5")

    asyncio.run(main())


def test_one_identity_gives_every_request_a_number_of_its_own() -> None:
    async def main() -> None:
        wire, store = Wire(), Tiny()
        Node(wire, keys=KEY, store=store)  # type: ignore[arg-type]
        first = talking(wire)
        initiator = first._operations.conversation.initiator
        second = talking(wire, "other", calling=None, key=None, identity=initiator.identity)
        sent: list[bytes] = []
        wire.log = lambda _now, _source, _to, apdu: sent.append(apdu)
        await drive(wire, first.read_octets(1))
        await drive(wire, second.read_octets(1))
        assert sum(isinstance(request, tables.ReadRequest) for request in store.requests) == 2
        assert len(set(sent)) == 4

    asyncio.run(main())
