"""The fast path and the full decoder give the same messages, counts and findings, whatever the octets."""

import io
import json
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from c1222 import ApTitle, Key, KeyStore, Message
from c1222.capture.decoder import CaptureDecoder
from c1222.capture.fast import FastPath
from c1222.capture.files.writer import PcapWriter, ethernet, tcp_packet, udp_packet
from c1222.capture.jsonl import as_dict, to_json
from c1222.message.flat import FlatApdu
from c1222.security import canonical
from tests.c1222.message.known import OCTETS
from tests.traffic import KEY, Sent, exchange, frames, varied

KEYS = [KEY, Key(0, bytes.fromhex("6624c7e23034e4036fe5cb3a8b5dab44"), "1.3.6.1.4.1.33507.1919.12345678.0")]
SENT = list(varied(240))
EVEN = [exchange(number) for number in range(8)]
PARTS = sorted(Message.PARTS | {"octets", "verdict", "authenticated", "key", "body", "service_octets", "asked"})
MORE = ["request_body", "session_security", "is_response", "is_message", "noted", "services"]


def capture(packets: Iterable[bytes]) -> bytes:
    file = io.BytesIO()
    with PcapWriter(file) as writer:
        for number, packet in enumerate(packets):
            writer.write(1_700_000_000_000_000_000 + number * 1000, packet)
    return file.getvalue()


def decoded(octets: bytes, *, store: KeyStore, fast: bool, **options: Any) -> tuple[list[Any], Any, Any, int]:
    taken = 0

    def counting(way: Any) -> Any:
        def count(self: FastPath, item: Any) -> Any:
            nonlocal taken
            message = way(self, item) if fast else None
            taken += message is not None
            return message

        return count

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FastPath, "of_packet", counting(FastPath.of_packet))
        patch.setattr(FastPath, "of_apdu", counting(FastPath.of_apdu))
        decoder = CaptureDecoder(io.BytesIO(octets), keys=store, **options)
        seen = []
        for message in decoder:
            lines = [to_json(message, show_secrets=True), to_json(message)]
            shown = [as_dict(message, show_secrets=True), as_dict(message)]
            assert [json.loads(line) for line in lines] == shown
            attributes = {name: getattr(message, name) for name in (*PARTS, *MORE)}
            seen.append((lines, shown, attributes, repr(message), message.acse))
    return seen, decoder.counters.as_dict(), decoder.findings(), taken


def both(packets: Iterable[bytes], keys: Iterable[Key] = KEYS, **options: Any) -> int:
    octets = capture(packets)
    base = options.pop("base_oid", None)
    store = KeyStore(keys) if base is None else KeyStore(keys, base_oid=base)
    *quick, taken = decoded(octets, store=store, fast=True, **options)
    *general, none = decoded(octets, store=store, fast=False, **options)
    for one, other in zip(quick[0], general[0], strict=True):
        assert one == other
    assert quick == general
    assert none == 0
    return taken


def packets_of(sent: Iterable[Sent]) -> list[bytes]:
    sequences: dict[tuple[str, str], int] = {}
    return [frame for number, each in enumerate(sent) for frame in frames(each, sequences, number)]


def test_messages_of_every_kind() -> None:
    # what is rare goes to the full decoder: an application context, a mechanism
    usual = [s for s in SENT if s.message.application_context is s.message.mechanism is None]
    assert both(packets_of(SENT)) == len(usual) > len(SENT) // 3


def test_all_of_the_even_load_is_usual() -> None:
    packets = [udp_packet("10.0.0.1:50000", "10.1.0.1:1153", octets) for octets in EVEN]
    assert both(packets) == len(EVEN)


@pytest.mark.parametrize(
    "options",
    [
        {"keys": []},
        {"keys": [Key(2, bytes(16))]},
        {"keys": [Key(2, bytes(16), ".4"), Key(2, bytes(16), ".1.100.2"), KEY]},
        {"keys": [Key(2, KEY.octets, ".4")]},
        {"base_oid": "1.3.6.1.4.1.33507"},
        {"base_oid": ApTitle("2.999")},
        {"ports": {4}},
        {"ports": {4}, "by_content": False},
        {"max_apdu_size": 100},
    ],
    ids=str,
)
def test_with_other_keys_bases_and_ports(options: dict[str, Any]) -> None:
    packets = [udp_packet("10.0.0.1:50000", "10.1.0.1:1153", octets) for octets in [*EVEN, *OCTETS]]
    both([*packets, *packets_of(SENT[:40])], **options)


def test_published_messages_and_odd_ones() -> None:
    assert both(udp_packet("10.0.0.1:50000", "10.1.0.1:1153", octets) for octets in OCTETS) > 5


def test_repetitions_and_answers_out_of_order() -> None:
    packets = [udp_packet("10.0.0.1:50000", "10.1.0.1:1153", octets) for octets in EVEN]
    assert both([*packets, *packets, *reversed(packets)]) == 3 * len(EVEN)


def test_a_packet_longer_or_shorter_than_it_says() -> None:
    packet = udp_packet("10.0.0.1:50000", "10.1.0.1:1153", EVEN[3])
    both([packet + b"\0" * 4, packet[:-1], packet[:60], packet[:41], packet[:10], packet])
    both([ethernet(packet[14:], 0x0800, vlans=(7,)), ethernet(packet[14:], 0x0801)])


@settings(max_examples=150)
@given(data=st.data())
def test_mutated_packets(data: st.DataObject) -> None:
    packets = []
    for octets in data.draw(st.lists(st.sampled_from([*EVEN, *(s.octets for s in SENT)]), min_size=1, max_size=4)):
        packet = bytearray(udp_packet("10.0.0.1:50000", "10.1.0.1:1153", octets))
        for _ in range(data.draw(st.integers(0, 3))):
            place = data.draw(st.integers(0, len(packet) - 1))
            match data.draw(st.integers(0, 3)):
                case 0:
                    packet[place] = data.draw(st.integers(0, 255))
                case 1:
                    packet[place] = (packet[place] + data.draw(st.sampled_from([-1, 1]))) % 256
                case 2:
                    del packet[place : place + data.draw(st.integers(1, 3))]
                case _:
                    packet[place:place] = data.draw(st.binary(min_size=1, max_size=3))
        packets.append(bytes(packet))
    both(packets)


@settings(max_examples=150)
@given(data=st.data())
def test_mutated_messages_whose_packets_are_whole(data: st.DataObject) -> None:
    packets = []
    for octets in data.draw(st.lists(st.sampled_from([*EVEN, *(s.octets for s in SENT)]), min_size=1, max_size=4)):
        changed = bytearray(octets)
        for _ in range(data.draw(st.integers(1, 3))):
            place = data.draw(st.integers(0, len(changed) - 1))
            changed[place] = data.draw(st.one_of(st.integers(0, 255), st.just(changed[place] ^ 1)))
        packets.append(udp_packet("10.0.0.1:50000", "10.1.0.1:1153", bytes(changed)))
    both(packets)


def refuse(*_: object) -> None:
    raise AssertionError("this path is not to be taken")


def test_datagrams_take_the_fast_path_of_packets_and_streams_that_of_apdus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FastPath, "of_apdu", refuse)
    octets = capture(udp_packet("10.0.0.1:50000", "10.1.0.1:1153", each) for each in EVEN)
    seen = list(CaptureDecoder(io.BytesIO(octets), keys=KEY))
    assert [isinstance(message.envelope, FlatApdu) for message in seen] == [True] * len(EVEN)
    monkeypatch.undo()
    monkeypatch.setattr(FastPath, "of_packet", lambda *_: None)
    sequence, packets = 1, []
    for each in EVEN[::2]:
        packets.append(tcp_packet("10.0.0.1:50000", "10.1.0.1:1153", each, sequence=sequence))
        sequence += len(each)
    seen = list(CaptureDecoder(io.BytesIO(capture(packets)), keys=KEY))
    assert [isinstance(message.envelope, FlatApdu) for message in seen] == [True] * len(packets)


def test_what_the_fast_path_refused_it_is_not_given_again(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[bytes] = []

    def refused(_: FastPath, octets: bytes, *_where: object) -> None:
        tried.append(octets)

    monkeypatch.setattr(FastPath, "_message", refused)
    packets = [udp_packet("10.0.0.1:50000", "10.1.0.1:1153", each) for each in EVEN]
    packets.append(ethernet(packets[0][14:], 0x0800, vlans=(7,)))  # an APDU, but in no packet that the fast path takes
    seen = list(CaptureDecoder(io.BytesIO(capture(packets)), keys=KEY))
    assert [message.octets for message in seen] == [*EVEN, EVEN[0]] == tried


@pytest.mark.parametrize("change", [-1, 1])
@pytest.mark.parametrize("places", [(16,), (38,), (16, 38)], ids=["ip", "udp", "both"])
def test_a_length_that_is_not_that_of_the_packet_goes_to_the_full_decoder(change: int, places: tuple[int, ...]) -> None:
    packet = bytearray(udp_packet("10.0.0.1:50000", "10.1.0.1:1153", EVEN[0]))
    for place in places:
        packet[place : place + 2] = (int.from_bytes(packet[place : place + 2]) + change).to_bytes(2)
    whole = places == (16,) and change > 0  # the datagram is there, and the packet might have had more behind it
    assert both([bytes(packet)]) == whole


def test_titles_that_are_remembered_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(canonical, "REMEMBERED_TITLES", 3)
    known = canonical.UsualTitles(KeyStore().base_oid.content)
    for number in range(20):
        title = b"\xa2" + ApTitle(f".1.{number}").tlv()
        assert known[title] == known[title]
        assert len(known) <= 3
