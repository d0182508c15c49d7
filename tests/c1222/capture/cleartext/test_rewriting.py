"""The capture in cleartext, read again: the same services without keys, and all else as it was."""

from __future__ import annotations

import io
import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import c1222
from c1222.capture.cleartext.rewriting import ClearCapture
from c1222.capture.files.compression import CaptureError
from c1222.capture.files.reader import CaptureReader
from c1222.capture.files.writer import LATEST_NS, MAX_LINK_TYPE, PcapngWriter, PcapWriter, ethernet, udp_packet
from c1222.capture.network.layers import Layers
from c1222.message.epsem import SecurityMode
from c1222.message.segmentation import cut
from c1222.services import TableData, session, tables
from tests.c1222.capture.cleartext.clear_traffic import (
    HEAD,
    METER,
    Conversation,
    answer,
    ask,
    connection,
    fragmented,
    sealed,
)
from tests.c1222.capture.network.encapsulations import gre, mpls, vlan
from tests.c1222.capture.packets import capture, codes
from tests.traffic import KEY, frames, varied

if TYPE_CHECKING:
    from c1222.capture.decoder import CapturedMessage
    from c1222.capture.files.reader import Packet

SAMPLES = Path(__file__).parents[4] / "specs" / "captures"


def rewritten(source: Any, **options: Any) -> tuple[io.BytesIO, ClearCapture]:
    """Return what is written of a capture, and what that tells."""
    out = io.BytesIO()
    if isinstance(source, io.BytesIO):
        source.seek(0)
    options = {"keys": KEY, "show_secrets": True, **options}
    made = c1222.write_clear(source, out, **options)
    out.seek(0)
    return out, made


def packets(source: io.BytesIO) -> list[Packet]:
    source.seek(0)
    return list(CaptureReader(source))


def told(messages: list[CapturedMessage]) -> list[tuple[Any, ...]]:
    """Return what messages say: all but how they are secured."""
    return [
        (
            *(each.src, each.dst, each.called, each.calling, each.called_invocation_id, each.calling_invocation_id),
            *(each.application_context, each.calling_ae_qualifier, each.mechanism, each.response_control),
            *(each.ed_class, each.service_octets, each.acse and each.acse.authentication),
        )
        for each in messages
    ]


def both(source: io.BytesIO, **options: Any) -> tuple[list[CapturedMessage], list[CapturedMessage]]:
    """Return the messages of a capture with the key, and of what is written of it without."""
    out, made = rewritten(source, **options)
    source.seek(0)
    before = list(c1222.decode_capture(source, keys=KEY, early_ns=0))
    out.seek(0)
    after = list(c1222.decode_capture(out, early_ns=0))
    assert made.rewritten == sum(message.authenticated is True for message in before)
    assert [each.time_ns for each in packets(source)] == [each.time_ns for each in packets(out)]
    return before, after


@given(st.integers(0, 1 << 30), st.randoms(use_true_random=False))
@settings(max_examples=8)
def test_mixed_traffic(seed: int, rng: random.Random) -> None:
    sequences: dict[tuple[str, str], int] = {}
    made = [packet for at, sent in enumerate(varied(40, seed=seed)) for packet in frames(sent, sequences, at)]
    for at in rng.sample(range(len(made) - 1), 5):  # a little disorder, and some packets twice
        made[at : at + 2] = [made[at + 1], made[at], made[at]][: rng.choice([2, 3])]
    before, after = both(capture(made))
    assert len(before) == len(after)
    assert sorted(told(after), key=repr) == sorted(told(before), key=repr)
    assert not any(message.security_mode and message.authenticated is None for message in after)


def test_a_connection_with_everything_that_happens_to_one() -> None:
    before, after = both(capture(connection()))
    assert told(after) == told(before)
    assert [each.security_mode for each in after] == [
        each.security_mode if each.authenticated is None else SecurityMode.CLEARTEXT for each in before
    ]


@pytest.mark.parametrize("name", ["example8", "meters", "registers", "published"])
def test_the_samples(name: str) -> None:
    keys = c1222.KeyStore.from_file(SAMPLES / "keys.toml")
    out, made = rewritten(SAMPLES / f"{name}.pcap", keys=keys)
    before = list(c1222.decode_capture(SAMPLES / f"{name}.pcap", keys=keys))
    after = list(c1222.decode_capture(out))
    assert [message.service_octets for message in after] == [message.service_octets for message in before]
    assert [message.frame for message in after] == [message.frame for message in before]
    assert made.rewritten == made.counters.verified > 0
    assert all(message.authenticated is None and not message.security_mode for message in after)


def test_what_is_not_verified_stays_octet_for_octet() -> None:
    source = capture(connection())
    out, made = rewritten(source, keys=None)
    assert [each[1:] for each in packets(out)] == [each[1:] for each in packets(source)]
    assert (made.rewritten, made.packets) == (0, len(connection()))
    damaged = bytearray(ask(1))
    damaged[-1] ^= 1
    source = capture([udp_packet(HEAD, METER, bytes(damaged)), udp_packet(HEAD, METER, ask(2)), b"no packet"])
    out, made = rewritten(source)
    old, new = packets(source), packets(out)
    assert [a.data == b.data for a, b in zip(old, new, strict=True)] == [True, False, True]
    assert out.getvalue().count(b"verified under key 2") == 1


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 0, 2, 1)])
def test_segments_of_a_message_are_whole_in_the_last(transport: str, order: tuple[int, ...]) -> None:
    parts = cut(answer(1, 300), 100)
    assert len(parts) == len(order)
    talk = Conversation()
    between = ask(9)
    for at in order:
        talk.send(METER, parts[at])
        talk.send(HEAD, between if at == 2 else b"")
    made = talk.packets
    if transport == "udp":
        made = [udp_packet(METER, HEAD, parts[at]) for at in order]
        made.insert(2, udp_packet(HEAD, METER, between))
    before, after = both(capture(made))
    assert told(after) == told(before)
    assert [message.segments for message in after] == [None, None]
    whole = max(after, key=lambda message: len(message.octets))
    out, _ = rewritten(capture(made))
    sizes = [len(each.data) for each in packets(out)]
    assert sizes[whole.frame - 1] == max(sizes)
    assert sum(size > 100 for size in sizes) == 2


def test_segments_of_which_one_is_missing_stay() -> None:
    parts = cut(answer(1, 300), 100)
    source = capture(udp_packet(METER, HEAD, part) for part in [*parts[:2], parts[3], ask(2)])
    out, made = rewritten(source)
    assert [a.data == b.data for a, b in zip(packets(out), packets(source), strict=True)] == [True, True, True, False]
    assert "incomplete-message" in codes(made.findings())


@pytest.mark.parametrize("kind", ["ipv4", "ipv6", "ipv6 with options"])
def test_fragments_are_whole_in_the_last(kind: str) -> None:
    made = fragmented(answer(1, 500), kind)
    before, after = both(capture(made))
    assert told(after) == told(before)
    out, _ = rewritten(capture(made))
    new = packets(out)
    assert [each.data for each in new[:-1]] == made[:-1]
    segment = Layers().segment(new[-1])  # which alone is all of it
    assert segment is not None
    assert segment.frames is None
    assert after[0].octets == segment.payload


def test_links_and_tunnels() -> None:
    inner = udp_packet(HEAD, METER, ask(1))[14:]
    kinds = {name: wrap(0x0800, inner) for name, wrap in {"vlan": vlan, "mpls": mpls, "gre": gre}.items()}
    for name, (kind, octets) in kinds.items():
        source = capture([ethernet(octets, kind)])
        out, made = rewritten(source)
        if name == "gre":  # its lengths and checksums are those of others
            assert packets(out)[0].data == packets(source)[0].data
            assert (made.rewritten, codes(made.findings())) == (0, ["not-rewritten"])
        else:
            assert made.rewritten == 1
            assert packets(out)[0].data[:18] == packets(source)[0].data[:18]
    for link_type, head in ((101, b""), (113, bytes(14) + b"\x08\x00"), (276, b"\x08\x00" + bytes(18))):
        before, after = both(capture([head + inner], link_type=link_type))
        assert told(after) == told(before)


def test_several_apdus_in_a_datagram_and_what_follows_them() -> None:
    source = capture([udp_packet(HEAD, METER, ask(1) + ask(2) + b"rest")])
    before, after = both(source)
    assert told(after) == told(before)
    out, _ = rewritten(source)
    assert packets(out)[0].data.endswith(b"rest")


def test_secrets_are_filled_unless_they_are_asked_for() -> None:
    services = [session.SecurityRequest.of("PASSWORD", 2), tables.WriteRequest(42, TableData(b"SECRETS!"))]
    unpaired = sealed(3, [tables.ReadResponse(TableData(b"WHO KNOWS"))], source=METER, answers=2)
    known = [ask(4, 42), answer(4, 30), ask(5, 1), answer(5, 30)]
    sent = [sealed(1, services), unpaired, *known]
    source = capture(
        [udp_packet(*((METER, HEAD) if at in {1, 3, 5} else (HEAD, METER)), apdu) for at, apdu in enumerate(sent)]
    )
    shown, _ = rewritten(source)
    source.seek(0)
    filled, made = rewritten(source, show_secrets=False)
    for word in (b"PASSWORD", b"SECRETS!", b"WHO KNOWS", bytes(range(30))):
        assert word in shown.getvalue()
    for word in (b"PASSWORD", b"SECRETS!", b"WHO KNOWS"):
        assert word not in filled.getvalue()
    assert made.filled == 6  # three passwords, two writes or answers of table 42, one answer to what nobody knows
    assert filled.getvalue().count(bytes(range(30))) == 1  # of table 1
    after = list(c1222.decode_capture(filled))
    found = [finding.code for message in after for finding in message.findings]
    assert found == ["no-request"]  # lengths and checksums of table data are right
    assert after[0].services[0] == session.SecurityRequest(b"*" * 20, 2)
    assert [len(a.octets) for a in after] == [len(a.octets) for a in c1222.decode_capture(shown)]


def test_too_many_packets_for_one_message() -> None:
    talk = Conversation()
    whole = answer(1, 400)
    for at in range(0, len(whole), 40):
        talk.send(METER, whole[at : at + 40])
    talk.send(METER, answer(2, 30))
    source = capture(talk.packets)
    out = io.BytesIO()
    made = ClearCapture(source, out, keys=KEY, max_packets=4)
    most = 0
    for _ in made:
        most = max(most, len(made._queue))
    assert most <= 5
    assert (made.rewritten, made.packets) == (1, len(talk.packets))
    assert codes(made.findings()) == ["held-too-long"]
    assert [a.data for a in packets(out)][:-1] == talk.packets[:-1]
    out.seek(0)
    after = list(c1222.decode_capture(out, keys=KEY))
    assert [message.authenticated for message in after] == [True, None]


def test_a_gap_holds_packets_no_longer_than_a_minute() -> None:
    talk = Conversation()
    talk.send(METER, answer(1, 30))
    talk.next[METER] += 7  # never captured
    talk.send(METER, answer(2, 30))
    out = io.BytesIO()
    source = io.BytesIO()
    with PcapWriter(source) as writer:
        for second, packet in enumerate([*talk.packets, *[udp_packet(HEAD, METER, ask(9))] * 3]):
            writer.write(second * 40_000_000_000, packet)
    source.seek(0)
    made = ClearCapture(source, out, keys=KEY)
    for _ in made:
        assert len(made._queue) <= 3
    assert (made.packets, made.rewritten) == (5, 4)
    assert codes(made.findings()) == ["gap", "held-too-long"][1:]


def test_a_time_that_pcapng_cannot_hold() -> None:
    source = io.BytesIO()
    writer = PcapngWriter(source)
    writer.write(1, udp_packet(HEAD, METER, ask(1)))
    octets = bytearray(source.getvalue())
    resolution = octets.index(bytes((9, 0, 1, 0, 9)))
    octets[resolution + 4] = 0  # whole seconds from now on
    packet = octets.index(b"\6\0\0\0", resolution)
    octets[packet + 12 : packet + 20] = bytes((0xFF,)) * 8
    out, made = rewritten(io.BytesIO(bytes(octets)))
    assert packets(out)[0].time_ns == LATEST_NS
    assert (made.rewritten, codes(made.findings())) == (1, ["no-form"])


def test_a_link_type_that_pcapng_cannot_hold() -> None:
    out, made = rewritten(capture([b"no packet"], link_type=0x10001))
    assert [(each.link_type, each.data) for each in packets(out)] == [(MAX_LINK_TYPE, b"no packet")]
    assert codes(made.findings()) == ["link-type", "no-form"]


def test_the_file_is_private_and_whole_or_not_there(tmp_path: Path) -> None:
    out = tmp_path / "clear.pcap"
    out.write_bytes(b"before")
    with pytest.raises(CaptureError):
        c1222.write_clear(io.BytesIO(b"60 01 02\n"), out, keys=KEY)
    assert out.read_bytes() == b"before"
    assert [path.name for path in tmp_path.iterdir()] == ["clear.pcap"]
    c1222.write_clear(capture([udp_packet(HEAD, METER, ask(1))]), out, keys=KEY)
    assert out.stat().st_mode & 0o777 == 0o600
    assert out.read_bytes()[:4] == b"\x0a\x0d\x0d\x0a"


@given(st.integers(0, 1 << 30))
@settings(max_examples=40)
def test_damaged_packets(seed: int) -> None:
    rng = random.Random(seed)
    made = connection()
    made += [udp_packet(METER, HEAD, part) for part in cut(answer(1, 300), 100)]
    made = rng.sample(made, rng.randrange(1, len(made) + 1)) if rng.random() < 0.5 else made
    for _ in range(rng.randrange(12)):
        at = rng.randrange(len(made))
        octets = bytearray(made[at])
        if octets and rng.random() < 0.3:
            del octets[rng.randrange(len(octets)) :]
        elif octets:
            octets[rng.randrange(min(len(octets), 90))] = rng.randrange(256)
        made[at] = bytes(octets)
    source = capture(made)
    out, written = rewritten(source)
    assert written.packets == len(made)
    assert len(packets(out)) == len(made)
    out.seek(0)
    list(c1222.decode_capture(out))
    left = sum(count for reason, count in written.tally.items() if reason != "not-renumbered")
    assert written.rewritten + left == written.counters.verified
