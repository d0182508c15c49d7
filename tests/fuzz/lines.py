"""Doors of serial lines: a meter that hears octets, a client that does, a modem, and addresses."""

from __future__ import annotations

import io
import json
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from c1222.capture.devices import CapturedDevices
from c1222.capture.files.source import CaptureError
from c1222.capture.jsonl import as_dict
from c1222.capture.serial.decoder import decode_serial_log
from c1222.capture.text import message_lines
from c1222.client.serial_initiator import SerialInitiator
from c1222.client.serial_line import line_at, line_of
from c1222.errors import InvalidUrl, Unreachable
from c1222.node.network.serial_station import SerialStation
from c1222.node.settings import Settings, make_fleet
from c1222.protocol.policy import TCP_TIMING
from c1222.serial.localport.conversation import PortConversation, grant
from c1222.serial.localport.port import KEEP_ALIVE, LocalPort
from c1222.serial.localport.services import PortConfigurationRequest
from c1222.serial.packet import cut
from c1222.services.identify import IdentifyRequest, IdentifyResponse
from c1222.services.session import LogonRequest, LogonResponse, SecurityRequest, TerminateRequest
from c1222.services.tables import ReadOffsetRequest, ReadRequest, ReadResponse, TableData, WriteRequest
from c1222.transport.lines.line_url import parse_line_url
from c1222.transport.lines.modem import Dialing
from tests.c1222.client.line_rig import UTC
from tests.c1222.node.rig import POLYPHASE, profile
from tests.fuzz.doors import SPECS, keys
from tests.fuzz.driver import Door

if TYPE_CHECKING:
    from collections.abc import Iterable

    from c1222.services import Request, Response

ACK: Final = b"\x06"


@cache
def _station() -> SerialStation:
    fleet = make_fleet(Settings(profile=profile(POLYPHASE), simulate=False), utc=UTC)
    return SerialStation(next(iter(fleet.stations.values())), fleet)


def line_meter(octets: bytes) -> None:
    """A meter hears them at once, then octet by octet; afterwards it takes a session as ever."""
    station, now = _station(), 0.0
    for piece in (octets, *(octets[at : at + 1] for at in range(min(len(octets), 200)))):
        station.receive(piece, now, UTC)
        now += 0.01
    for _ in range(1000):
        if station.deadline is None:
            break
        now = max(now, station.deadline)
        station.tick(now, UTC)
    assert station.deadline is None
    answered = station.receive(cut(IdentifyRequest().encode(), 0)[0], now, UTC)
    assert [event.octets for event in answered if getattr(event, "octets", b"")][1][6:7] == b"\0"  # ok, after the ACK
    for _ in range(1000):
        if station.deadline is None:
            break
        now = max(now, station.deadline)
        station.tick(now, UTC)


def line_client(octets: bytes) -> None:
    """A client hears them while it logs on and reads: what it asked ends once, whatever they are."""
    initiator, now = SerialInitiator(line_of({"echo": "off"}), TCP_TIMING), 0.0
    exchange = initiator.request(LogonRequest.of(2), ReadRequest(1), now=now, utc=UTC)
    for at in range(0, len(octets), 8):
        initiator.receive(octets[at : at + 8], now=now, utc=UTC)
        initiator.apdus_to_send()
        now += 0.05
        initiator.tick(now=now, utc=UTC)
    for _ in range(2000):
        deadline = initiator.next_deadline()
        if exchange.is_over or deadline is None:
            break
        now = max(now, deadline)
        initiator.tick(now=now, utc=UTC)
    assert exchange.is_over


def _line_of(*services: Request | Response) -> bytes:
    return b"".join(ACK + cut(service.encode(), number & 1)[0] for number, service in enumerate(services))


def _heard_by_meters() -> list[bytes]:
    opening = (IdentifyRequest(), LogonRequest.of(4, timeout=None), SecurityRequest.of("master-demo"))
    return [
        _line_of(*opening, ReadRequest(1), ReadOffsetRequest(23, 0, 8), TerminateRequest()),
        _line_of(*opening, WriteRequest(6, TableData(bytes(8)))),
        b"".join(cut(ReadRequest(1).encode() * 60, 0, packets=255)),
    ]


def _heard_by_clients() -> list[bytes]:
    who = IdentifyResponse(0, 1, 0)
    return [
        _line_of(who, LogonResponse(), ReadResponse(TableData(bytes(32)))),
        _line_of(who) + b"\x15\x15\x15" + _line_of(LogonResponse()),
    ]


def modem(octets: bytes) -> None:
    dialing = Dialing("5551234")
    dialing.begin(0.0)
    for at in range(0, len(octets), 7):
        if dialing.is_connected:
            break
        dialing.take(octets[at : at + 7], 1.0)


def line_url(octets: bytes) -> None:
    url, _ = line_at(octets.decode("latin-1"))
    assert url.scheme in str(url)
    if not any(set(value) & set("&%") for value in url.options.values()):
        assert parse_line_url(str(url), url.options) == url


def _urls() -> Iterable[bytes]:
    yield b"serial:///dev/ttyUSB0?baud=9600&rates=19200,38400&rts=off&echo=auto"
    yield b"c1218+tcp://[::1]:4059?packet_size=128&packets=4&padding=nul"
    yield b"c1221+serial:///dev/ttyS0?dial=5551234&modem_init=ATZ&authenticate=2&timing=30,1,4,3"


def serial_log(octets: bytes) -> None:
    """A log of a serial line, in whatever form it takes it for."""
    decoder = decode_serial_log(io.BytesIO(octets), keys=keys())
    devices = CapturedDevices()
    for message in decoder:
        json.dumps(as_dict(message))
        "\n".join(message_lines(message))
        devices.add(message)
    decoder.findings()
    for device in devices.values():
        device.registers()


def local_port(octets: bytes) -> None:
    """What comes to an end of a local port that has asked something; it waits for no more than that in the end."""
    talk, now = PortConversation(LocalPort(keep_alive=KEEP_ALIVE), grant(512, 4)), 0.0
    talk.ask(PortConfigurationRequest(), now)
    for at in range(0, len(octets), 23):
        now += 0.2
        talk.receive(octets[at : at + 23], now)
    for _ in range(40):
        if talk.deadline is None:
            return
        now = max(now, talk.deadline)
        talk.tick(now)


def _serial_vectors() -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = json.loads((SPECS / "vectors/serial/packets.json").read_text("utf-8"))
    return found


def _logs() -> list[bytes]:
    page = (SPECS / "serial-logs.md").read_text("utf-8")
    raw = [b"".join(bytes.fromhex(step[2:]) for step in one["steps"]) for one in _serial_vectors()["exchanges"]]
    return [*raw, *(block.partition("```")[0].encode() for block in page.split("```hex\n")[1:])]


def _port_packets() -> list[bytes]:
    packets = {one["id"]: one for one in _serial_vectors()["packets"]}
    found = [bytes.fromhex(packets[name]["octets"]) for name in ("lp-getstatus", "lp-keepalive")]
    found.append(bytes.fromhex(packets["lp-stuffed-plain"]["stuffed"]))
    return [*found, ACK + ACK.join(found), bytes.fromhex("EE00010000086300570206080B0165B9") * 2]


DOORS: Final[dict[str, Door]] = {
    "serial-log": Door(serial_log, (CaptureError,), _logs),
    "local-port": Door(local_port, (), _port_packets, 0.5),
    "line-meter": Door(line_meter, (), _heard_by_meters),
    "line-client": Door(line_client, (), _heard_by_clients),
    "modem": Door(modem, (Unreachable,), lambda: [b"ATZ\r\r\nOK\r\n\r\nCONNECT 9600\r\n", b"\r\nNO CARRIER\r\n"], 0.3),
    "line-url": Door(line_url, (InvalidUrl,), _urls, 0.3),
}
