"""Sources and load-profile sets drawn by hypothesis: the tables of a meter, and what they are to say."""

from __future__ import annotations

from typing import NamedTuple

from hypothesis import strategies as some

from c1219.device import Device
from tests.c1219.views.meter import general

CODES = (1, 2, 4, 8, 16, 32, 64, 128)
ELECTRIC = 2


class DrawnChannel(NamedTuple):
    """A channel as it is drawn: sources as indices, `end` None for none; scalar and divisor as they are stored."""

    source: int
    end: int | None
    scalar: int
    divisor: int


class DrawnSet(NamedTuple):
    """A set as it is drawn."""

    blocks: int
    intervals: int
    minutes: int
    code: int
    channels: tuple[DrawnChannel, ...]


class Drawn(NamedTuple):
    """A meter, its sets by number, and the demand of ST13 that each source has: sub-intervals and their minutes."""

    device: Device
    sets: dict[int, DrawnSet]
    demands: list[tuple[int, int] | None]


@some.composite
def profiles(draw: some.DrawFn) -> Drawn:
    """Draw a meter with any ST11 to ST16 and any ST61 and ST62, the rest of its tables all zeros."""

    def octets(count: int) -> bytes:
        return draw(some.binary(min_size=count, max_size=count))

    numbers = draw(some.sets(some.integers(1, 4)))
    linked = draw(some.booleans())
    listed = (11, 12, 13, 14, 15, *([16] if linked else []), 21, 22, 23, 61, 62, 63, *(63 + n for n in numbers))
    ni1, ni2 = draw(some.sampled_from((0, 1, 8, 9, 10))), draw(some.sampled_from((0, 1, 8, 9, 10)))
    device = Device({0: general(listed, ni1=ni1, ni2=ni2, version=draw(some.sampled_from((1, 2))))})
    units, demands, controls, constants, sources = (draw(some.integers(0, 3)) for _ in range(5))
    flags = draw(some.integers(0, 127))
    device.put(11, bytes([flags, units, demands, 1, controls, constants, ELECTRIC, sources]))
    for number in (12, 13, 14, 15, *([16] if linked else [])):
        device.put(number, octets(device.bind(number).size))
    sliding = bool(flags & 8)
    lengths = [draw(some.tuples(some.integers(0, 3), some.sampled_from((0, 5, 15)))) for _ in range(demands)]
    st13 = device[13].raw
    tail = b"".join(bytes([m, n]) if sliding else (n * m).to_bytes(2, "little") for n, m in lengths)
    device.put(13, st13[: len(st13) - len(tail)] + tail)
    sets = {number: draw(_sets()) for number in sorted(numbers)}
    lp_flags = draw(some.integers(0, 0x1FFF))
    st61 = bytes(4) + lp_flags.to_bytes(2, "little") + b"\xff"
    st62 = b""
    for number, one in sets.items():
        st61 += one.blocks.to_bytes(2, "little") + one.intervals.to_bytes(2, "little")
        st61 += bytes([len(one.channels), one.minutes])
        for channel in one.channels:
            end = draw(some.integers(0, 4)) if channel.end is None else channel.end
            st62 += bytes([channel.end is not None, channel.source, end])
        st62 += bytes([one.code])
        if lp_flags & 1 << number + 5:
            st62 += b"".join(channel.scalar.to_bytes(2, "little") for channel in one.channels)
            st62 += b"".join(channel.divisor.to_bytes(2, "little") for channel in one.channels)
        else:
            channels = tuple(channel._replace(scalar=1, divisor=1) for channel in one.channels)
            sets[number] = one._replace(channels=channels)
    device.put(61, st61)
    device.put(62, st62)
    selected = list(range(5))
    device.put(21, bytes([0, 0, 0, 0, len(selected), 0, 1, 0, 0, 0]))
    device.put(22, bytes(selected) + b"\xff")
    for number in (23, 63, *(63 + n for n in numbers)):
        device.put(number, bytes(device.bind(number).size))
    return Drawn(device, sets, _demands(device, linked, lengths, sliding=sliding))


@some.composite
def _sets(draw: some.DrawFn) -> DrawnSet:
    index = some.one_of(some.integers(0, 4), some.just(255))
    factor = some.sampled_from((0, 1, 7, 65535))
    channels = draw(some.lists(some.builds(DrawnChannel, index, some.none() | index, factor, factor), max_size=3))
    return DrawnSet(
        draw(some.integers(0, 2)), draw(some.integers(0, 3)), draw(some.sampled_from((0, 5, 15, 60))),
        draw(some.sampled_from(CODES)), tuple(channels),
    )  # fmt: skip


def _demands(
    device: Device, linked: bool, lengths: list[tuple[int, int]], *, sliding: bool
) -> list[tuple[int, int] | None]:
    """Return the demand of sources 0 to 4, by a walk over the octets of ST16."""
    entries: list[int | None] = list(range(5))
    if linked:
        entries, taken = [None] * 5, 0
        for index, octet in enumerate(device[16].raw):
            if octet & 2:
                entries[index] = taken
                taken += 1
    found: list[tuple[int, int] | None] = []
    for entry in entries:
        if entry is None or entry >= len(lengths) or not lengths[entry][0] * lengths[entry][1]:
            found.append(None)
        else:
            steps, minutes = lengths[entry]
            found.append((steps, minutes) if sliding else (1, steps * minutes))
    return found
