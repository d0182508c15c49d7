"""What is done for many at once comes to what is done one by one."""

from __future__ import annotations

import random
import struct

from hypothesis import given, settings
from hypothesis import strategies as st

from c1222.bulk import datagrams
from c1222.capture.files import pcap
from c1222.capture.files.writer import udp_packet
from c1222.protocol.pairing import Generations

FORM = pcap.PcapForm("<", 1, 16, 1)


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 1 << 32), changes=st.integers(0, 8), limit=st.sampled_from([60, 90, 262_144]))
def test_packets_are_found_where_they_are(seed: int, changes: int, limit: int) -> None:
    rng = random.Random(seed)
    octets = bytearray()
    for _ in range(rng.randrange(12)):
        inner = udp_packet("10.0.0.1:1", "10.0.0.2:1153", rng.randbytes(rng.randrange(40)))
        data = rng.choice([inner, b"x" * 14 + inner, rng.randbytes(rng.randrange(30)), b""])
        octets += struct.pack("<IIII", 1, 2, len(data), len(data)) + data
    for _ in range(min(changes, len(octets))):
        octets[rng.randrange(len(octets))] = rng.choice([0, 8, 0x45, rng.randrange(256)])
    buffer = bytes(octets[: rng.randrange(len(octets) + 1)])
    start = rng.choice([0, 0, min(16, len(buffer))])
    places, pos, captured = pcap.walk(buffer, start, FORM, limit)
    found, after, announced = datagrams.walk(buffer, start, FORM, limit)
    assert (list(found), after) == (places, pos)
    if pos <= len(buffer) - FORM.head_size:
        assert announced == captured


@settings(max_examples=150, deadline=None)
@given(
    before=st.lists(st.integers(0, 40), max_size=40),
    numbers=st.lists(st.integers(0, 80), max_size=80, unique=True),
    limit=st.integers(1, 16),
)
def test_entries_are_put_at_once_as_one_by_one(before: list[int], numbers: list[int], limit: int) -> None:
    single, many, last = (Generations[int, int](limit) for _ in range(3))
    for generations in (single, many, last):
        for number in before:
            generations.put(number, 0)
    for number in numbers:
        single.put(number, number)
    many.put_all(len(numbers), lambda place: (numbers[place], numbers[place]))
    state = [(each.forgotten, list(each), [each.get(key) for key in range(81)]) for each in (single, many)]
    assert state[0] == state[1]
    if last.put_last({number: number for number in numbers}):
        assert (last.forgotten, [last.get(key) for key in range(81)]) == (state[0][0], state[0][2])
