"""Both clients over real sockets on the loopback interface, against a node in a thread of its own."""

from __future__ import annotations

import asyncio
import datetime as dt
import socket
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import c1222
from c1222.client.errors import PasswordRefused, ReadInterrupted, TableAbsent, WriteUnknown
from c1222.client.limiter import Limiter
from c1222.errors import ConnectionLost, InvalidUrl, PeerSilent, SecurityRefused, SessionLost, StateError, Unreachable
from c1222.node import RunningNode, running
from c1222.services.results import Isc
from c1222.transport.aioudp import UdpSocket
from tests.c1222.client.rig import KEY, METER, READER

if TYPE_CHECKING:
    from collections.abc import Iterator

PROFILE = Path(__file__).parents[3] / "specs" / "devices" / "polyphase-tou.json"
WRONG = c1222.Key(2, bytes(16))
PLACES = ("udp://127.0.0.1:0", "tcp://127.0.0.1:0", "udp://[::1]:0", "tcp://[::1]:0")


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as one:
            one.bind(("::1", 0))
    except OSError:
        return False
    return True


@pytest.fixture(scope="module")
def node() -> Iterator[RunningNode]:
    places = PLACES if has_ipv6() else PLACES[:2]
    with running(PROFILE, keys=KEY, listen=places, cleartext=True, history_days=1) as found:
        yield found


def url_of(node: RunningNode, number: int) -> str:
    if number >= len(node.urls):
        pytest.skip("no IPv6 here")
    return str(node.urls[number])


@pytest.mark.parametrize("place", range(4), ids=["udp4", "tcp4", "udp6", "tcp6"])
@pytest.mark.parametrize("mode", [0, 1, 2])
@pytest.mark.parametrize("in_session", [False, True])
def test_blocking(node: RunningNode, place: int, mode: int, in_session: bool) -> None:
    with c1222.connect(
        url_of(node, place), called=METER, calling=f".9.{place}.{mode}.{int(in_session)}", key=KEY, mode=mode,
        session=in_session, user_id=2, password="installer-demo",
    ) as meter:  # fmt: skip
        assert meter.identify().standard == 3
        assert meter.read(1).ED_MODEL == "POLY-TOU"
        meter.write("ST6.MISC_ID", f"{place} {mode} {in_session}")
        assert meter.read("ST6.MISC_ID") == f"{place} {mode} {in_session}"
        assert meter.read("ST23.TOT_DATA_BLOCK.SUMMATIONS[0]") > 0
        if mode == 2:
            assert len(meter.load_profile(1, since=dt.datetime.now(dt.UTC) - dt.timedelta(hours=4)).rows) >= 4 * 12
            assert meter.registers(23).rows


@pytest.mark.parametrize("place", range(4), ids=["udp4", "tcp4", "udp6", "tcp6"])
def test_asyncio(node: RunningNode, place: int) -> None:
    async def main() -> None:
        async with c1222.aio.connect(
            url_of(node, place), called=METER, calling=f".8.{place}", key=KEY, session=True, user_id=2,
            password="installer-demo",
        ) as meter:  # fmt: skip
            one, two = await asyncio.gather(meter.read(1), meter.read(5))
            assert (one.ED_MODEL, two.IDENTIFICATION) == ("POLY-TOU", "METER-008437")
            assert (await meter.procedure(4, 1)).is_done
            assert abs((await meter.clock()).drift) < dt.timedelta(seconds=5)
            assert len(await meter.read_octets(64)) == 17808

    asyncio.run(main())


@pytest.mark.parametrize(
    ("name", "password", "number"),
    [
        ("single-phase", "reader-demo", 1),
        ("polyphase-tou", "reader-demo", 2),
        ("big-endian", "lecteur-démo".encode(), 4),
    ],
)
@pytest.mark.parametrize("place", [0, 1], ids=["udp", "tcp"])
def test_every_profile(name: str, password: str | bytes, number: int, place: int) -> None:
    with (
        running(PROFILE.with_name(f"{name}.json"), keys=KEY, listen=PLACES[:2], history_days=3) as node,
        c1222.connect(str(node.urls[place]), called=node.title, calling=READER, key=KEY, password=password) as meter,
    ):
        assert meter.identity().serial
        registers = meter.registers()
        assert registers.rows
        assert not [finding for finding in registers.findings if finding.level == "error"]
        assert meter.load_profile(number, dt.datetime.now() - dt.timedelta(days=1)).rows
        assert meter.events().rows
        assert meter.clock().wall is not None


# --- failures


def test_nobody_listens(node: RunningNode) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with (
        c1222.connect(f"udp://127.0.0.1:{port}", called=METER, calling=READER, key=KEY) as meter,
        pytest.raises(Unreachable, match=r"refused.*node listens"),
    ):
        meter.read(1)
    with pytest.raises(Unreachable):
        c1222.connect(f"tcp://127.0.0.1:{port}", called=METER, calling=READER, key=KEY)

    async def main() -> None:
        async with c1222.aio.connect(f"udp://127.0.0.1:{port}", called=METER, calling=READER, key=KEY) as meter:
            with pytest.raises(Unreachable, match=r"refused.*node listens"):
                await meter.read(1)
        with pytest.raises(Unreachable):
            async with c1222.aio.connect(f"tcp://127.0.0.1:{port}", called=METER, calling=READER, key=KEY):
                pass

    asyncio.run(main())


@pytest.mark.parametrize("place", [0, 1], ids=["udp", "tcp"])
def test_a_wrong_key(place: int) -> None:
    with (
        running(PROFILE, keys=KEY, listen=PLACES[:2], simulate=False) as node,
        c1222.connect(str(node.urls[place]), called=METER, calling=READER, key=WRONG, timeout=0.2, attempts=2) as meter,
        pytest.raises(SecurityRefused if place else PeerSilent, match="key id"),
    ):
        meter.read(1)


def test_a_wrong_password_and_no_rights(node: RunningNode) -> None:
    with (
        c1222.connect(node.url, called=METER, calling=".7.1", key=KEY, user_id=2, password="guess") as meter,
        pytest.raises(PasswordRefused),
    ):
        meter.read(1)
    with c1222.connect(node.url, called=METER, calling=".7.2", key=KEY, user_id=2, password="reader-demo") as meter:
        with pytest.raises(Isc, match="ST42"):
            meter.read_octets(42)
        with pytest.raises(Isc, match="ST6"):
            meter.write("ST6.MISC_ID", "x")
        with pytest.raises(TableAbsent, match="ST99"):
            meter.read_octets(99)


def test_a_wrong_title_is_silence(node: RunningNode) -> None:
    with (
        c1222.connect(node.url, called=".1.1", calling=READER, key=KEY, timeout=0.2, attempts=2) as meter,
        pytest.raises(PeerSilent, match="called title"),
    ):
        meter.read(1)


def test_a_node_that_restarts_in_a_session() -> None:
    options: Any = {"keys": KEY, "simulate": False}
    with running(PROFILE, listen=("udp://127.0.0.1:0",), **options) as node:
        url = node.url
        meter = c1222.connect(
            url, called=METER, calling=READER, key=KEY, session=True, user_id=2, password="reader-demo", timeout=0.5
        )
        meter.read(1)
    with running(PROFILE, listen=(url,), **options), meter:
        with pytest.raises(SessionLost, match="Log on again"):
            meter.read(5)
        assert meter.read(5).IDENTIFICATION == "METER-008437"


def cutting_proxy(target: tuple[str, int], after: int) -> int:
    """Forward one connection, and close it after so many octets from the target; return the port."""
    listener = socket.create_server(("127.0.0.1", 0))
    port: int = listener.getsockname()[1]

    def forward() -> None:
        near, _ = listener.accept()
        far = socket.create_connection(target)
        left = after
        with listener, near, far:
            far.settimeout(0.02)
            near.settimeout(0.02)
            while left > 0:
                try:
                    if not (octets := near.recv(65536)):
                        return
                    far.sendall(octets)
                except TimeoutError:
                    pass
                try:
                    octets = far.recv(min(left, 65536))
                    left -= len(octets)
                    near.sendall(octets)
                except TimeoutError:
                    pass

    threading.Thread(target=forward, daemon=True).start()
    return port


@pytest.mark.parametrize("kind", ["sync", "aio"])
def test_a_connection_lost_in_the_middle_of_a_read(kind: str) -> None:
    with running(PROFILE, keys=KEY, listen=PLACES[1:2], simulate=False) as node:
        lose_and_resume(node, kind)


def lose_and_resume(node: RunningNode, kind: str) -> None:
    port = cutting_proxy((node.host, node.port), 9000)
    options: Any = {
        "called": METER, "calling": READER, "key": KEY, "chunk": 1000, "user_id": 2, "password": "reader-demo",
    }  # fmt: skip
    if kind == "sync":
        with c1222.connect(f"tcp://127.0.0.1:{port}", **options) as meter:
            meter.read(0)
            with pytest.raises(ReadInterrupted, match="connection is lost") as caught:
                meter.read(64)
            known = meter.device
            with pytest.raises(ConnectionLost):
                meter.read(1)
        with c1222.connect(node.tcp_url, device=known, **options) as meter:
            octets = meter.read_octets(64, resume=caught.value)
            assert octets == meter.read_octets(64)
        assert caught.value.gathered.done >= 5000
    else:

        async def main() -> tuple[ReadInterrupted, bytes]:
            async with c1222.aio.connect(f"tcp://127.0.0.1:{port}", **options) as meter:
                await meter.read(0)
                with pytest.raises(ReadInterrupted, match="connection is lost") as caught:
                    await meter.read(64)
                with pytest.raises(ConnectionLost):
                    await meter.read(1)
                known = meter.device
            async with c1222.aio.connect(node.tcp_url, device=known, **options) as meter:
                return caught.value, await meter.read_octets(64, resume=caught.value)

        error, octets = asyncio.run(main())
        assert error.gathered.done >= 5000
        with c1222.connect(node.url, **options) as meter:
            assert octets == meter.read_octets(64)
    assert len(octets) == 17808


def test_a_write_that_nobody_answers_is_unknown() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf:
        deaf.bind(("127.0.0.1", 0))
        url = f"udp://127.0.0.1:{deaf.getsockname()[1]}"
        with c1222.connect(url, called=METER, calling=READER, key=KEY, timeout=0.1, attempts=2) as meter:
            with pytest.raises(WriteUnknown) as caught:
                meter.write_octets(5, bytes(20))
            with pytest.raises(WriteUnknown):
                meter.repeat(caught.value)
        sent = [deaf.recv(2000) for _ in range(4)]
        assert len(set(sent)) == 1  # always the same octets


def test_addresses_that_are_none() -> None:
    for url in ("", "http://x", "udp://"):
        with pytest.raises(InvalidUrl):
            c1222.connect(url, called=METER)
    with pytest.raises(Unreachable):
        c1222.connect("udp://no.such.host.invalid", called=METER)

    async def main() -> None:
        with pytest.raises(InvalidUrl):
            async with c1222.aio.connect("nonsense", called=METER):
                pass

    asyncio.run(main())


# --- many meters over one socket


def test_many_meters_over_one_socket() -> None:
    count = 30
    with running(PROFILE, keys=KEY, count=count, listen=PLACES[:1], simulate=False) as node:

        async def main() -> None:
            async with c1222.aio.Network(calling=READER, key=KEY, outstanding=8) as network:
                meters = [
                    await network.meter(
                        node.url, called=title, user_id=2, password="reader-demo", session=number % 2 == 0
                    )
                    for number, title in enumerate(node.titles)
                ]
                tables = await asyncio.gather(*[meter.read(1) for meter in meters])
                assert len(tables) == count
                assert {table.ED_MODEL for table in tables} == {"POLY-TOU"}
                serials = await asyncio.gather(*[meter.read("ST1.MFG_SERIAL_NUMBER") for meter in meters])
                assert serials == [table.MFG_SERIAL_NUMBER for table in tables]
                await meters[3].close()
                with pytest.raises(StateError):
                    await meters[3].read(1)
                assert (await meters[4].read(1)).ED_MODEL == "POLY-TOU"
                with pytest.raises(InvalidUrl, match="TCP"):
                    await network.meter("tcp://127.0.0.1", called=METER)
                with pytest.raises(StateError):
                    await network.meter(node.url, called=METER, mode=2, identity=None, key=None)
                assert not network.counters
            with pytest.raises(StateError, match="closed"):
                await network.meter(node.url, called=METER)
            assert not node.call(lambda fleet: sum(len(s.responder.sessions) for s in fleet.stations.values()))

        asyncio.run(main())


def test_a_network_with_meters_that_are_silent() -> None:
    """Silent meters keep nobody else waiting: their slots are free again after a while."""

    async def main() -> None:
        heard: list[bytes] = []
        deaf = await UdpSocket.open(lambda apdu, _address: heard.append(apdu), local=("127.0.0.1", 0))
        url = f"udp://127.0.0.1:{deaf.local_address[1]}"
        with running(PROFILE, keys=KEY, listen=PLACES[:1], simulate=False) as node:
            async with c1222.aio.Network(calling=READER, key=KEY, outstanding=4) as network:
                silent = [
                    await network.meter(url, called=f".1.{number}", timeout=0.4, attempts=3) for number in range(4)
                ]
                tasks = [asyncio.create_task(meter.read_octets(1)) for meter in silent]
                await asyncio.sleep(0.05)
                good = await network.meter(node.url, called=METER)
                started = time.monotonic()
                assert len(await good.read_octets(1)) == 32
                assert time.monotonic() - started > 0.5, "all slots were taken"
                assert not any(task.done() for task in tasks), "the silent ones are still being asked"
                for task in tasks[:2]:
                    task.cancel()
                results = await asyncio.gather(*tasks, return_exceptions=True)
                assert [type(result) for result in results] == [asyncio.CancelledError] * 2 + [PeerSilent] * 2
        deaf.close()
        assert heard

    asyncio.run(main())


def test_datagrams_of_nobody_are_counted() -> None:
    async def main() -> None:
        async with c1222.aio.Network(calling=READER, local=("127.0.0.1", 0)) as network:
            with running(PROFILE, listen=PLACES[:1], simulate=False) as node:
                meter = await network.meter(node.url, called=METER)
                assert len(await meter.read_octets(1)) == 32
                where = next(iter(network._sockets.values())).local_address
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
                    other.sendto(b"nonsense", where)
                    other.sendto(
                        c1222.encode(
                            c1222.Message(
                                called=None, calling=c1222.ApTitle(".9.9"), calling_invocation_id=1, services=[]
                            )
                        ),
                        where,
                    )
                await asyncio.sleep(0.1)
                assert network.counters == {"malformed": 1, "nobody": 1}
                assert len(await meter.read_octets(1)) == 32

    asyncio.run(main())


def test_slots_are_handed_out_in_turn() -> None:
    async def main() -> None:
        slots = Limiter(2, timeout=0.2)
        one, _two = await slots.take(), await slots.take()
        three, four = asyncio.create_task(slots.take()), asyncio.create_task(slots.take())
        await asyncio.sleep(0)
        assert not three.done()
        slots.give_back(one)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert three.done()
        assert not four.done()
        slots.give_back(one)  # again: nothing happens
        four.cancel()
        five = asyncio.create_task(slots.take())
        await asyncio.sleep(0.35)
        assert five.done()  # those that were not given back are free again
        six = asyncio.create_task(slots.take())
        await asyncio.sleep(0)
        slots.give_back(five.result())
        six.cancel()  # it has a slot already, and has not seen it
        await asyncio.sleep(0)
        assert await asyncio.wait_for(slots.take(), 0.1) >= 0

    asyncio.run(main())
