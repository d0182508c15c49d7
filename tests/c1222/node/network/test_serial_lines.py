"""A node on serial lines: pseudo terminals and TCP, every profile, both clients, and faults of the line."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from pathlib import Path
from typing import Any

import pytest
import serial

import c1222
from c1219.device import Device
from c1222 import node
from c1222.client import aio
from c1222.errors import InvalidUrl, PeerSilent, StateError
from c1222.node.network.faults import FaultPlan
from c1222.node.network.relay import Relay
from c1222.node.network.server import NodeServer
from c1222.serial.link import LinkRole, SerialLink
from c1222.serial.link_events import Transmit
from c1222.serial.opening import SerialLogon, open_session
from c1222.serial.session import SerialSession, ServiceAnswered
from c1222.services.tables import ReadRequest
from c1222.transport.tcpserver import TcpServer

DEVICES = Path(__file__).parents[4] / "specs" / "devices"
PASSWORDS = {"polyphase-tou": "reader-demo", "single-phase": "reader-demo", "big-endian": "lecteur-démo"}
LINES = ("pty:", "c1218+tcp://127.0.0.1:0", "c1221+tcp://127.0.0.1:0?identity=7")


@pytest.mark.parametrize("name", PASSWORDS)
def test_every_profile_on_every_line(name: str) -> None:
    known = Device.from_json((DEVICES / f"{name}.json").read_text("utf-8"))
    with node.running(DEVICES / f"{name}.json", listen=LINES, simulate=False) as running:
        assert [str(url).partition(":")[0] for url in running.urls] == ["serial", "c1218+tcp", "c1221+tcp"]
        for url in running.urls:
            with c1222.connect(str(url), user_id=2, password=PASSWORDS[name]) as meter:
                assert meter.read(1) == known[1].value
                assert meter.read_octets(23) == known[23].raw


def test_lines_from_asyncio_and_each_its_meter() -> None:
    listen = [f"c1218+tcp://127.0.0.1:0?meter={number}" for number in (1, 2, 3)]
    with node.running(DEVICES / "polyphase-tou.json", listen=listen, count=3, simulate=False) as running:

        async def written(number: int, url: str) -> None:
            async with aio.connect(url, user_id=4, password="master-demo") as meter:
                await meter.write("ST6.OWNER_NAME", f"meter {number}")

        async def read(url: str) -> Any:
            async with aio.connect(url, user_id=2, password="reader-demo") as meter:
                return await meter.read("ST6.OWNER_NAME")

        async def run() -> list[Any]:
            urls = [str(url) for url in running.urls]
            await asyncio.gather(*[written(number, url) for number, url in enumerate(urls)])
            return await asyncio.gather(*map(read, urls))

        names = asyncio.run(run())
    assert [str(name).strip() for name in names] == ["meter 0", "meter 1", "meter 2"]


def test_one_event_loop_serves_64_ports() -> None:
    known = Device.from_json((DEVICES / "single-phase.json").read_text("utf-8"))

    async def read(url: str) -> Any:
        async with aio.connect(url, user_id=2, password="reader-demo") as meter:
            return [await meter.read_octets(number) for number in (1, 23, 1)]

    async def run(urls: list[str]) -> list[Any]:
        return await asyncio.gather(*map(read, urls))

    with node.running(DEVICES / "single-phase.json", listen=("pty:",) * 64, simulate=False) as running:
        found = asyncio.run(run([str(url) for url in running.urls]))
    assert found == [[known[1].raw, known[23].raw, known[1].raw]] * 64


def test_a_verb_that_is_cancelled_leaves_the_line_in_order() -> None:
    known = Device.from_json((DEVICES / "polyphase-tou.json").read_text("utf-8"))

    async def run(url: str) -> None:
        async with aio.connect(url, user_id=2, password="reader-demo") as meter:
            await meter.read(1)
            for delay in (0.0, 0.005, 0.02, 0.05):
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(delay):
                        await meter.read_octets(64)
                assert await meter.read_octets(5) == known[5].raw

    with node.running(DEVICES / "polyphase-tou.json", listen=("pty:",), simulate=False) as running:
        asyncio.run(run(running.url))


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "noise", "probability": 0.3},
        {"kind": "lost-octets", "nth": [2]},
        {"kind": "stuck-toggle"},
        {"kind": "late-ack", "seconds": 0.3, "every": 2},
        {"kind": "echo"},
    ],
    ids=lambda fault: str(fault["kind"]),
)
def test_what_goes_wrong_on_the_line_is_got_over(fault: dict[str, Any]) -> None:
    plan = FaultPlan.from_dict({"seed": 5, "fault": [fault]})
    known = Device.from_json((DEVICES / "polyphase-tou.json").read_text("utf-8"))
    with node.running(DEVICES / "polyphase-tou.json", listen=("pty:",), faults=plan, simulate=False) as running:
        toggle = "?toggle=ignore" * (fault["kind"] == "stuck-toggle")
        with c1222.connect(running.url + toggle, user_id=2, password="reader-demo") as meter:
            for number in (1, 23, 5):
                assert meter.read_octets(number) == known[number].raw
        assert running.call(lambda fleet: fleet.faults.counters[fault["kind"]])


def test_a_toggle_that_never_flips_is_named() -> None:
    plan = FaultPlan.from_dict({"fault": [{"kind": "stuck-toggle"}]})
    with (
        node.running(DEVICES / "polyphase-tou.json", listen=("pty:",), faults=plan, simulate=False) as running,
        c1222.connect(running.url, user_id=2, password="reader-demo") as meter,
        pytest.raises(PeerSilent, match="toggle=ignore"),
    ):
        meter.read(1)


def test_a_session_is_kept_alive_between_verbs() -> None:
    with node.running(DEVICES / "single-phase.json", listen=("pty:", LINES[1]), simulate=False) as running:

        async def idle() -> None:
            async with aio.connect(str(running.urls[1]), user_id=2, password="reader-demo") as meter:
                await meter.read(1)
                await asyncio.sleep(7.0)
                await meter.read(1)

        with c1222.connect(running.url, user_id=2, password="reader-demo") as meter:
            meter.read(1)
            asyncio.run(idle())  # longer than a device waits
            meter.read(1)
        assert running.call(lambda fleet: fleet.counters["line-given-up"]) == 0


def test_a_line_that_loses_all_is_an_error() -> None:
    plan = FaultPlan.from_dict({"fault": [{"kind": "lost-octets"}]})
    with (
        node.running(DEVICES / "polyphase-tou.json", listen=("pty:",), faults=plan, simulate=False) as running,
        c1222.connect(running.url, user_id=2, password="reader-demo") as meter,
        pytest.raises(PeerSilent),
    ):
        meter.identify()


def test_pyserial_at_the_other_end() -> None:
    """A program of another making holds the port: the octets of a session, asked by the sans-I/O session alone."""
    with node.running(DEVICES / "single-phase.json", listen=("pty:",), simulate=False) as running:
        known = Device.from_json((DEVICES / "single-phase.json").read_text("utf-8"))
        port = serial.Serial(running.host, 9600, timeout=0.05)
        session = SerialSession(SerialLink(LinkRole.ASKS))

        def asked(request: Any) -> Any:
            events = session.ask(request, time.monotonic())
            while True:
                for event in events:
                    if isinstance(event, Transmit):
                        time.sleep(max(0.0, event.at - time.monotonic()))
                        port.write(event.octets)
                answers = [event.response for event in events if isinstance(event, ServiceAnswered)]
                if answers:
                    return answers[0]
                events = session.receive(port.read(1) + port.read(port.in_waiting), time.monotonic())

        opening = open_session(SerialLogon(2, "", "reader-demo"))
        request = next(opening)
        try:
            while True:
                request = opening.send(asked(request))
        except StopIteration as stop:
            who = stop.value
        assert who.standard == 0
        assert asked(ReadRequest(1)).table_data.data == known[1].raw
        port.close()


def test_passwords_are_not_tried_without_end() -> None:
    with node.running(DEVICES / "polyphase-tou.json", listen=("c1218+tcp://127.0.0.1:0",), simulate=False) as running:
        refused = 0
        with c1222.connect(running.url, user_id=2, busy_tries=0) as meter:
            meter.read(1)
            for number in range(30):
                try:
                    meter.security(f"wrong {number}")
                except c1222.C1222Error as error:
                    refused += "bsy" in str(error)
        assert refused >= 15


def test_octets_that_are_no_packets_do_no_harm() -> None:
    with (
        node.running(DEVICES / "single-phase.json", listen=("c1218+tcp://127.0.0.1:0",), simulate=False) as running,
        socket.create_connection((running.host, running.port)) as stranger,
        c1222.connect(running.url, user_id=2, password="reader-demo") as meter,
    ):
        stranger.sendall(bytes(range(256)) * 400)
        assert meter.read("ST1.MANUFACTURER")


@pytest.mark.parametrize(
    "listen", ["pty:?meter=2", "pty:?meter=x", "pty:/dev/x", "serial:///dev/x", "c1218+tcp://127.0.0.1:0?identity=256"]
)
def test_where_a_node_cannot_listen(listen: str) -> None:
    with pytest.raises(InvalidUrl), node.running(DEVICES / "single-phase.json", listen=(listen,)):
        pass


def test_a_relay_has_no_lines() -> None:
    async def run() -> None:
        server = NodeServer(Relay(".1"))
        try:
            await server.listen("pty:")
        finally:
            await server.close()

    with pytest.raises(StateError, match="a relay has no serial lines"):
        asyncio.run(run())


def test_small_answers_are_not_held_back() -> None:
    async def run() -> None:
        came: list[Any] = []
        server = await TcpServer.open(lambda octets, source: came.append(source), local=("127.0.0.1", 0), raw=True)
        _, writer = await asyncio.open_connection(*server.local_address)
        writer.write(b"x")
        while not came:
            await asyncio.sleep(0.01)
        accepted = came[0]._transport.get_extra_info("socket")
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        writer.close()
        await server.close()

    asyncio.run(run())


def test_a_port_is_free_when_the_meter_is_closed() -> None:
    with node.running(DEVICES / "single-phase.json", listen=("pty:",), simulate=False) as running:

        async def identify() -> None:
            async with aio.connect(running.url) as meter:
                await meter.identify()

        for _ in range(3):
            asyncio.run(identify())
        with c1222.connect(running.url) as meter:
            meter.identify()


def test_a_node_whose_store_fails_ends_and_answers_nothing_more() -> None:
    def fail() -> None:
        raise StateError("no room left")

    def run() -> None:
        listen = ("c1218+tcp://127.0.0.1:0",)
        with (
            node.running(DEVICES / "single-phase.json", listen=listen, simulate=False) as running,
            c1222.connect(running.url, user_id=2, password="reader-demo") as meter,
        ):
            meter.read(1)
            running.call(lambda fleet: setattr(fleet.store, "flush", fail))
            with pytest.raises(c1222.C1222Error):
                meter.read(1)

    with pytest.raises(StateError, match="no room left"):
        run()
