"""Doors for octets and files: what is tried with an input, and which errors are documented for it."""

from __future__ import annotations

import io
import json
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import c1222
from c1219 import C1219Error, Device
from c1219.registry import Registry, table_id
from c1222.capture.captured_meter import MAX_PROCEDURES
from c1222.capture.cleartext.rewriting import write_clear
from c1222.capture.decoder import decode_capture
from c1222.capture.devices import CapturedDevices
from c1222.capture.files.reader import CaptureReader
from c1222.capture.files.source import CaptureError
from c1222.capture.files.writer import PcapWriter, tcp_packet, udp_packet
from c1222.capture.jsonl import as_dict, to_json
from c1222.capture.summary import CaptureSummary
from c1222.capture.text import message_lines
from c1222.errors import C1222Error, DecodeError, EncodeError, InvalidKey, InvalidUrl, StateError
from c1222.gateway.association import Association
from c1222.gateway.axdr import decode as decode_axdr
from c1222.gateway.axdr import encode as encode_axdr
from c1222.gateway.logical_device import LogicalDevice
from c1222.gateway.sources import file_source
from c1222.gateway.wrapper import take_frame
from c1222.message.acse import decode_acse
from c1222.message.aptitle import ApTitle
from c1222.message.epsem import Epsem
from c1222.message.segmentation import cut
from c1222.node.meter.profile import Profile
from c1222.node.network.faults import KINDS, FaultPlan
from c1222.protocol.message import Message
from c1222.protocol.opening import open_message
from c1222.security.keys import KeyStore
from c1222.services import decode_request, decode_response
from c1222.transport.schemes import parse_url
from c1222.vectors import published
from c1222.vectors.model import parse
from c1222.vectors.operations import answer_line
from tests.fuzz.driver import Door

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from c1222.services import Request, Response

SPECS: Final = Path(__file__).parents[2] / "specs"
ENDS: Final = ("192.0.2.1:50000", "198.51.100.7:1153")


@cache
def keys() -> KeyStore:
    return KeyStore.from_file(SPECS / "captures" / "keys.toml")


@cache
def apdus() -> tuple[bytes, ...]:
    """Messages that were published, and some of each family that is generated."""
    content = json.loads((SPECS / "vectors" / "messages.json").read_text("utf-8"))
    found = [bytes.fromhex(one["octets"]) for one in content["messages"]]
    for name, field in (("acse", "apdu"), ("messages", "apdu"), ("exchanges", "request"), ("exchanges", "response")):
        found += _inputs(name, field, 25)
    return tuple(found)


def _inputs(family: str, field: str, most: int) -> list[bytes]:
    content = json.loads((SPECS / "vectors" / "generated" / f"{family}.json").read_text("utf-8"))
    cases = [
        {**group.get("input", {}), **case.get("input", {})} for group in content["groups"] for case in group["cases"]
    ]
    texts = [case[field] for case in cases if isinstance(case.get(field), str)]
    return [bytes.fromhex(text) for text in texts[:: max(1, len(texts) // most)]]


def _devices() -> list[bytes]:
    return [(SPECS / "devices" / f"{n}.json").read_bytes() for n in ("single-phase", "polyphase-tou", "big-endian")]


# Messages.


def _placed(error: DecodeError, octets: bytes) -> None:
    """An error says where it is."""
    assert error.path
    assert 0 <= error.offset <= len(octets)


def message(octets: bytes) -> None:
    """What is no message is told with its place, and what can be read of it is read all the same."""
    lenient = open_message(Message, decode_acse(octets), keys(), diagnose=True)
    assert isinstance(lenient.services, tuple)
    assert isinstance(lenient.findings, tuple)
    try:
        found = c1222.decode(octets, keys=keys())
    except DecodeError as error:
        _placed(error, octets)
        return
    assert isinstance(found.services, tuple)
    for finding in found.findings:
        assert finding.offset is None or 0 <= finding.offset <= len(octets)


def acse(octets: bytes) -> None:
    """Findings never raise, and what is found nothing wrong with can be made again."""
    found = decode_acse(octets)
    for finding in found.findings:
        assert finding.offset is None or 0 <= finding.offset <= len(octets)
    try:
        found.check()
        fields = found.fields()
    except DecodeError:
        assert any(finding.level == "error" for finding in found.findings)
        raise
    if not found.findings and fields["authentication"] is None:
        assert type(found).build(user_information=found.payload, **fields).fields() == fields


def epsem(octets: bytes) -> None:
    found = Epsem.decode(octets)
    again = Epsem.decode(found.encode())
    assert again == found


def services(octets: bytes) -> None:
    """The first octet says to which request the rest is an answer."""
    kinds = _requests()
    request = kinds[octets[0] % len(kinds)] if octets else None
    decoders: tuple[Callable[[bytes], Request | Response], ...] = (
        decode_request,
        lambda part: decode_response(part, request),
    )
    for decode in decoders:
        try:
            value = decode(octets[1:])
        except DecodeError as error:
            _placed(error, octets[1:])
            continue
        json.dumps(value.as_dict(show_secrets=True), allow_nan=False)
        assert all(0 <= one.offset < len(octets) for one in value.findings if one.offset is not None)
        assert type(value).decode(value.encode()) == value


@cache
def _requests() -> tuple[Request | None, ...]:
    return (None, *(decode_request(octets) for octets in _inputs("services", "request", 30)))


def _service_seeds() -> list[bytes]:
    octets = _inputs("services", "octets", 200)
    return [bytes((number % 256,)) + one for number, one in enumerate(octets)]


def titles(octets: bytes) -> None:
    with suppress(DecodeError):
        title = ApTitle.from_tlv(octets)
        assert ApTitle.from_tlv(title.tlv()) == title
        assert ApTitle(str(title)) == title
        assert title.absolute().absolute() == title.absolute()
    title = ApTitle(octets.decode("latin-1"))
    assert ApTitle(str(title)) == title
    assert ApTitle.from_tlv(title.tlv()) == title


def _title_seeds() -> list[bytes]:
    return [*_inputs("ap-titles", "octets", 40), b".123.8437", b"2.16.124.113620.1.22.0.1", b"2.999", b"."]


# Tables.

REGISTRY: Final = Registry(plugins=False)


def table(octets: bytes) -> None:
    """Tables one after the other, each behind its number and its size (an octet, two octets); the last one is read."""
    tables: dict[int | str, bytes] = {}
    at = number = 0
    while at + 3 <= len(octets):
        number, size = octets[at], int.from_bytes(octets[at + 1 : at + 3], "big")
        tables[number] = octets[at + 3 : at + 3 + size]
        at += 3 + size
    device = Device(tables, registry=REGISTRY, max_size=1 << 14, max_values=1 << 12)
    assert Device.from_json(device.to_json()).to_json() == device.to_json()
    device.missing()
    for view in (device.clock, device.identity, device.registers, device.events):
        with suppress(C1219Error):
            view()
    for profile in (1, 2, 3, 4):
        with suppress(C1219Error):
            device.load_profile(profile)
    layout = device.bind(number)
    value, _ = layout.examine(device[number].raw)
    json.dumps(layout.to_json(value), allow_nan=False)
    assert layout.encode(value) == device[number].raw


def _table_seeds() -> list[bytes]:
    """Each table of the sample devices, behind those that say how it is laid out, and some octets for all others."""
    found: list[bytes] = []
    declared = {one.number for one in REGISTRY.tables() if one.number < 256}
    for text in _devices():
        tables = {table_id(label): bytes.fromhex(octets) for label, octets in json.loads(text)["tables"].items()}
        standard = {number: octets for number, octets in tables.items() if number < 256}
        acts = [number for number in (0, 11, 21, 31, 41, 51, 61, 62, 71, 63, 12, 16, 22, 53) if number in standard]
        standard = {number: bytes(range(1, 41)) for number in declared} | standard
        for number in standard:
            order = [act for act in acts if act != number] + [number]
            found.append(b"".join(bytes((n,)) + len(standard[n]).to_bytes(2, "big") + standard[n] for n in order))
    return found


# Files.


def device_file(octets: bytes) -> None:
    Profile(Device.from_json(octets))


def _through_file(octets: bytes, suffix: str, read: Callable[[Path], object]) -> None:
    with tempfile.NamedTemporaryFile(suffix=suffix) as file:
        file.write(octets)
        file.flush()
        read(Path(file.name))


def key_file(octets: bytes) -> None:
    _through_file(octets, ".toml", lambda path: KeyStore.from_file(path, environ={"KEY": "00" * 16}))


def fault_plan(octets: bytes) -> None:
    """As TOML, then as JSON."""
    with suppress(StateError):
        _through_file(octets, ".toml", FaultPlan.from_file)
    _through_file(octets, ".json", FaultPlan.from_file)


def _plan_seeds() -> list[bytes]:
    entries = [{"kind": kind, "chance": 0.5, "limit": 3} for kind in sorted(KINDS)]
    entries += [{"kind": "delay", "on": "request", "seconds": 0.5, "title": ".1.2", "nth": [3, 7]}]
    entries += [{"kind": "result", "result": "dnr", "service": "read", "every": 5}]
    toml = "".join(
        "[[fault]]\n" + "".join(f"{name} = {json.dumps(value)}\n" for name, value in entry.items()) for entry in entries
    )
    return [("seed = 3\n" + toml).encode(), json.dumps({"seed": 1, "fault": entries}).encode()]


def url(octets: bytes) -> None:
    found = parse_url(octets.decode("latin-1"))
    assert parse_url(str(found)) == found


def vectors(octets: bytes) -> None:
    for read in (parse, published.read):
        with suppress(DecodeError):
            read(octets)
    told = answer_line(octets)
    json.dumps(told, allow_nan=False)


def _vector_seeds() -> list[bytes]:
    found = []
    for name in ("ap-titles", "services", "messages", "types-times", "partial-reads"):
        content = json.loads((SPECS / "vectors" / "generated" / f"{name}.json").read_text("utf-8"))
        for group in content["groups"]:
            group["cases"] = group["cases"][:2]
            case = {**group["cases"][0], "operation": group["operation"]}
            case["input"] = {**group.get("input", {}), **case.get("input", {})}
            found.append(json.dumps(case).encode())
        content["groups"] = content["groups"][:3]
        found.append(json.dumps(content).encode())
    return found


# COSEM.


@cache
def _logical_device() -> Callable[[], LogicalDevice]:
    return file_source(Device.from_json((SPECS / "devices" / "single-phase.json").read_text("utf-8")))


def cosem(octets: bytes) -> None:
    """A client that says anything after it has associated, or before; what is taken as data is written again."""
    for association in (Association(_logical_device()), Association(_logical_device(), b"secret")):
        with suppress(DecodeError):
            association.receive(COSEM_SEEDS[0])
        with suppress(DecodeError):
            answer = association.receive(octets)
            assert answer is None or len(answer) <= 65535
    with suppress(DecodeError):
        taken = take_frame(octets)
        assert taken is None or taken[1] <= len(octets)
    with suppress(DecodeError):
        assert decode_axdr(encode_axdr(decode_axdr(octets))) is not None


def _cosem_seeds() -> list[bytes]:
    cases = json.loads((SPECS / "vectors" / "cosem" / "cases.json").read_text("utf-8"))
    requests = [case["request"] for case in cases["exchanges"]] + [case["octets"] for case in cases["selective_access"]]
    data = [case["octets"] for case in cases["data"]] + [cases["object_list"]]
    return [bytes.fromhex(octets) for octets in (*requests, *data)]


COSEM_SEEDS: Final = _cosem_seeds()


# Captures.


def capture(octets: bytes) -> None:
    """What is no capture is refused; of all others each message is shown, as JSON and as text, and counted."""
    decoder = decode_capture(io.BytesIO(octets), keys=keys())
    told = 0
    devices = CapturedDevices()
    summary = CaptureSummary()
    for seen in decoder:
        told += 1
        devices.add(seen)
        summary.add(seen)
        shown = as_dict(seen)
        assert json.loads(to_json(seen)) == json.loads(json.dumps(shown, ensure_ascii=False))
        assert list(message_lines(seen))
        assert seen.is_message or seen.findings
        for finding in seen.findings:
            assert finding.level in {"note", "warning", "error"}
            assert finding.path
            assert finding.text
    counters = decoder.counters
    assert summary.totals.messages == counters.messages
    assert summary.as_dict()["totals"]["undecodable"] == counters.undecodable
    assert told == counters.messages + counters.skipped
    for title, device in devices.items():
        views = (device.registers(), device.events(), device.load_profile(1), device.clock(), device.identity())
        assert all(finding.text for view in views for finding in view.findings)
        assert len(device.procedures) <= MAX_PROCEDURES
        assert Device.from_json(device.to_json()).node == device.node
        assert devices.title(title) == title
    kinds = counters.verified + counters.cleartext + counters.refused + counters.unchecked
    assert kinds + counters.undecodable == counters.messages
    for finding in decoder.findings():
        assert finding.text
    if decoder.reader.format != "hex":
        _in_cleartext(octets)


def _in_cleartext(octets: bytes) -> None:
    """All packets are written, and what is written is read again."""
    out = io.BytesIO()
    written = write_clear(io.BytesIO(octets), out, keys=keys())
    assert written.rewritten <= written.counters.verified
    out.seek(0)
    reader = CaptureReader(out)
    assert sum(1 for _ in reader) == written.packets
    assert reader.findings() == []
    out.seek(0)
    assert all(seen.is_message or seen.findings for seen in decode_capture(out))


def packets(octets: bytes) -> None:
    """Packets, each behind its size (two octets): a well-formed capture of anything."""
    file = io.BytesIO()
    writer = PcapWriter(file)
    at = number = 0
    while at + 2 <= len(octets):
        size = int.from_bytes(octets[at : at + 2], "big")
        writer.write(number * 10**9, octets[at + 2 : at + 2 + size])
        at, number = at + 2 + size, number + 1
    capture(file.getvalue())


def _packet_seeds() -> list[bytes]:
    """UDP, segments of messages, fragments of datagrams, and TCP in pieces that come twice and out of order."""
    plain = [one for one in apdus() if len(one) < 2000]
    sets: list[Iterable[bytes]] = [[udp_packet(*ENDS, one) for one in plain[n : n + 3]] for n in range(0, 60, 3)]
    long = max(plain, key=len)
    with suppress(C1222Error):
        sets.append([udp_packet(*ENDS, part) for part in cut(long, 120)])
    whole = udp_packet(*ENDS, long)
    head, body = whole[:14], whole[14:]
    sets.append([head + part for part in _fragments(body)])
    stream = b"".join(plain[:6])
    pieces = [(at, stream[at : at + 50]) for at in range(0, len(stream), 50)]
    sets.append([tcp_packet(*ENDS, piece, sequence=1000 + at) for at, piece in pieces])
    sets.append(
        [tcp_packet(*ENDS, piece, sequence=1000 + at) for at, piece in [*pieces[3:6], *pieces[:4], *pieces[6:]]]
    )
    return [b"".join(len(one).to_bytes(2, "big") + one for one in each) for each in sets]


def _fragments(datagram: bytes) -> list[bytes]:
    """Cut an IPv4 datagram in three."""
    header, payload = bytearray(datagram[:20]), datagram[20:]
    size = len(payload) // 3 & ~7
    found = []
    for at in (0, size, 2 * size):
        part = payload[at : at + size] if at < 2 * size else payload[at:]
        header[2:4] = (20 + len(part)).to_bytes(2, "big")
        header[6:8] = (at // 8 | (0x2000 if at < 2 * size else 0)).to_bytes(2, "big")
        found.append(bytes(header) + part)
    return found


def _capture_seeds() -> list[bytes]:
    return [(SPECS / "captures" / f"{name}.pcap").read_bytes() for name in ("example8", "meters", "published")]


DOORS: Final[dict[str, Door]] = {
    "message": Door(message, (DecodeError,), apdus),
    "acse": Door(acse, (DecodeError,), apdus),
    "epsem": Door(epsem, (DecodeError, EncodeError), lambda: _inputs("epsem", "octets", 100)),
    "services": Door(services, (), _service_seeds),
    "titles": Door(titles, (EncodeError,), _title_seeds, 0.5),
    "table": Door(table, (C1219Error,), _table_seeds, 3.0),
    "device-file": Door(device_file, (C1219Error, StateError), _devices),
    "key-file": Door(key_file, (InvalidKey,), lambda: [(SPECS / "captures" / "keys.toml").read_bytes()], 0.5),
    "fault-plan": Door(fault_plan, (StateError,), _plan_seeds, 0.5),
    "url": Door(url, (InvalidUrl,), lambda: [b"udp://host:1153", b"tcp://192.0.2.1", b"udp://[2001:db8::1]:1"], 0.3),
    "vectors": Door(vectors, (), _vector_seeds),
    "cosem": Door(cosem, (), _cosem_seeds),
    "capture": Door(capture, (CaptureError,), _capture_seeds, 2.0),
    "packets": Door(packets, (), _packet_seeds, 2.0),
}
"""By name: what is tried, the errors that are documented for it, and where changes begin."""
