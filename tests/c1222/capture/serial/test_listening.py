"""What is heard on a line: sessions of others, damage, repetitions; the tables that they show."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from c1222 import CapturedDevices, CaptureSummary, MessageFilter, TableReader
from c1222.capture.serial.decoder import SerialLogDecoder, decode_serial_log
from c1222.capture.serial.packets import HeardLine
from c1222.serial.line import DamagedPacket
from c1222.serial.packet import SerialPacket, cut
from c1222.services.results import Err
from c1222.services.session import LogoffRequest
from tests.c1222.capture.serial.recording import LOGON, Recording
from tests.c1222.serial.test_session import KEY, TICKET
from tests.c1222.serial.vectors import EXCHANGES
from tests.c1222.serial.wire import Damage
from tests.traffic import KEY as TRAFFIC_KEY
from tests.traffic import exchange

REGISTERS = (0, 1, 11, 12, 13, 15, 16, 21, 22, 23)


def heard(name: str) -> tuple[list[Any], SerialLogDecoder]:
    decoder = decode_serial_log(io.BytesIO(b"".join(octets for _, octets in EXCHANGES[name])))
    return list(decoder), decoder


def codes(decoder: SerialLogDecoder) -> dict[str, str]:
    return {finding.code: finding.text for finding in decoder.findings()}


@pytest.mark.parametrize("name", EXCHANGES)
def test_exchanges_of_others(name: str) -> None:
    messages, decoder = heard(name)
    for message in messages:
        assert message.is_response == (message.src != "client")
        assert not [finding for finding in message.findings if finding.level == "error"]
        assert message.as_dict()["link"]["toggle"] in {0, 1}
    late = [message for message in messages if "late-answer" in {finding.code for finding in message.findings}]
    assert len(late) == (name == "stale-answer")
    assert decoder.counters.unpaired == len(late)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("nak-once", {"refused": 1, "repeated": 1}),
        ("ack-lost", {"repeated": 1}),
        ("bad-crc-response", {"damaged": 1, "refused": 1}),
        ("duplicate-response", {"repeated": 1}),
        ("lost-last-crc-octet", {"damaged": 1}),
        ("nak-prods", {"refused": 2, "repeated": 2}),
        ("series-gap", {"toggle-fault": 1, "series-broken": 1}),
    ],
)
def test_what_went_wrong_is_counted(name: str, found: dict[str, int]) -> None:
    _, decoder = heard(name)
    told = {code: int(text.partition(": ")[2].partition(",")[0]) for code, text in codes(decoder).items()}
    assert {code: count for code, count in told.items() if code != "password-tries"} == found


def test_a_message_of_several_packets() -> None:
    messages, _ = heard("series-gap")
    answer = messages[-1]
    assert len(answer.segments) == 3
    assert answer.services[0].data == bytes(number % 256 for number in range(2048))
    assert answer.as_dict()["segments"] == list(answer.segments)


def test_tables_of_a_meter_with_units() -> None:
    recording = Recording()
    recording.read(*REGISTERS)
    devices, reader, summary = CapturedDevices(), TableReader(), CaptureSummary()
    tables = []
    for message in decode_serial_log(io.BytesIO(recording.text.encode())):
        tables += [(service, known) for service, known in zip(message.services, reader.read(message)) if known]  # noqa: B905
        devices.add(message)
        summary.add(message)
    assert list(devices) == ["device:0"]
    ours = devices["device:0"].registers()
    assert {row.unit for row in ours} >= {"Wh", "W", "varh"}
    assert [(row.path, row.value, row.unit) for row in ours] == [
        (row.path, row.value, row.unit) for row in recording.device.registers() if row.path.startswith("ST23")
    ]
    readings = [row for _, known in tables for row in known.get("readings", ())]
    assert {row["unit"] for row in readings if row["path"].startswith("ST23")} >= {"Wh"}
    assert summary.as_dict()["totals"]["messages"] == 2 * 14
    assert [one.requests for one in summary.security.cleartext_passwords] == [1]


@pytest.mark.parametrize(("node", "count"), [("device:0", 28), ("client", 28), ("device:7", 0)])
def test_filters(node: str, count: int) -> None:
    recording = Recording()
    recording.read(*REGISTERS)
    wanted = MessageFilter(node=node) if ":" in node else MessageFilter(services=range(0x20, 0x80))
    messages = [message for message in decode_serial_log(io.BytesIO(recording.raw)) if wanted(message)]
    assert len(messages) == count


def test_passwords_are_counted_and_do_not_show() -> None:
    recording = Recording()
    for password in ("wrong1", "wrong2"):
        with pytest.raises(Err):
            recording.bench.open(LOGON._replace(password=password))
        recording.bench.ask(LogoffRequest())
        recording.bench.recover()
    recording.read(1)
    decoder = decode_serial_log(io.BytesIO(recording.text.encode()))
    messages = list(decoder)
    shown = "".join(f"{message.as_dict()} {message!r} {message.services!r}" for message in messages)
    for password in ("wrong1", "wrong2", "PASSWORD"):
        assert password not in shown
        assert password.encode().hex() not in shown
    assert codes(decoder)["password-tries"] == "passwords and proofs of keys presented: 3, refused: 2"


def test_proofs_of_keys_are_tries() -> None:
    recording = Recording(keys={2: KEY}, ticket=lambda size: TICKET[:size])
    with pytest.raises(Err):
        recording.bench.open(LOGON._replace(password=None, key=(2, b"12345678")))
    decoder = decode_serial_log(io.BytesIO(recording.raw))
    assert "message" not in {type(message).__name__ for message in decoder}
    assert codes(decoder)["password-tries"] == "passwords and proofs of keys presented: 1, refused: 1"


@pytest.mark.parametrize("labelled", [False, True])
def test_apdus_of_a_local_port(labelled: bool) -> None:
    log = []
    for number in (0, 1):
        way, other = ("> ", "< ")[:: 1 if number == 0 else -1] if labelled else ("", "")
        parts = cut(b"\x74\x02ab" + exchange(number), 0, packets=9, control=0x01)
        log += [f"{way}{part.hex()}\n{other}06\n" for part in parts]
        log.append(f"{other}{SerialPacket(bytes(1), control=0x01).encode().hex()}\n{way}06\n")
        log.append(f"{way}{SerialPacket(b'', control=0x21).encode().hex()}\n{other}06\n")
    decoder = decode_serial_log(io.BytesIO("".join(log).encode()), keys=TRAFFIC_KEY)
    messages = list(decoder)
    assert [message.octets for message in messages] == [exchange(0), exchange(1)]
    assert [message.transport for message in messages] == ["serial"] * 2
    assert messages[1].reply_to == messages[0].frame
    assert messages[0].src == "port:1"
    assert messages[1].src == ("port:2" if labelled else "port:1")
    assert decoder.counters.messages == 2
    assert codes(decoder)["empty"].startswith("empty packets")


def test_a_packet_that_was_cut_off_is_told_by_the_pause() -> None:
    log = b"1.0 > EE0000000001\n9.0 > EE0000000001201310\n9.1 < 06EE00000000050000010000C6B5\n"
    decoder = decode_serial_log(io.BytesIO(log))
    assert [message.octets[0] for message in decoder] == [0x20, 0x00]
    assert "nothing after 6 octets" in codes(decoder)["damaged"]


def test_data_that_look_like_a_packet_are_data() -> None:
    inside = SerialPacket(b"\x20").encode()
    packet = SerialPacket(b"\x40\0\x07\0\x0a" + inside + b"\0").encode()
    decoder = decode_serial_log(io.BytesIO(packet))
    assert [message.octets for message in decoder] == [packet[6:-2]]


def test_after_damage_the_next_packet_is_found_inside() -> None:
    whole = SerialPacket(bytes(200)).encode()
    line = HeardLine()
    items = [*line.feed(whole[:100] + SerialPacket(b"\x20").encode() * 20, 0.0), *line.finish()]
    assert isinstance(items[0], DamagedPacket)
    assert [item.data for item in items[1:]] == [b"\x20"] * 20  # type: ignore[union-attr]


def test_starts_without_end_are_passed_over() -> None:
    line = HeardLine()
    items = [*line.feed(b"\xee\x00\x00\x00\x1f\xf7" * 3000, 0.0), *line.finish()]
    assert 0 < len(items) < 40
    assert not line._held


@settings(max_examples=20, deadline=None)
@given(
    st.builds(
        Damage,
        seed=st.integers(0, 2**32),
        lost=st.sampled_from([0.0, 0.002]),
        flipped=st.sampled_from([0.0, 0.002]),
        doubled=st.sampled_from([0.0, 0.002]),
        noise=st.sampled_from([0.0, 0.3]),
    ),
    st.integers(1, 50),
)
def test_on_a_bad_line_nothing_heard_is_wrong(damage: Damage, step: int) -> None:
    octets = b"".join(
        part for number in range(30) for part in cut(bytes([0x40, number]) + bytes(60), number & 1, packets=2)
    )
    line = damage.apply(octets)
    sent = {bytes([0x40, number]) + bytes(60) for number in range(30)}
    pieces = "".join(f"> {line[at : at + step].hex()}\n" for at in range(0, len(line), step))
    decoder = decode_serial_log(io.BytesIO(pieces.encode()))
    assert {message.octets for message in decoder} <= sent
