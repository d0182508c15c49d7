"""Which packets are nothing but one whole APDU in UDP, IPv4 and Ethernet: nearly all there are, told all at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import pyarrow as pa

from c1222.capture.files.pcap import walk as walk_on
from c1222.capture.files.reader import Packet
from c1222.capture.network.links import IPV4
from c1222.message.ber import APDU_TAG

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray

    from c1222.capture.files.pcap import PcapForm, PcapRun

__all__ = ["Packets", "walk"]

_ALL_HEADERS: Final = 42  # of Ethernet, IPv4 without options, and UDP
_LIMIT: Final = 1 << 63

_LINK: Final = 1
_HEAD: Final = _ALL_HEADERS + 4  # and the tag of an APDU, with the longest length that is looked at
_FLOW: Final = slice(26, 38)  # addresses and ports
_PORTS: Final = 4  # octets of both
_TYPE, _VERSION, _TOTAL, _FRAGMENT, _PROTOCOL, _SOURCE, _DESTINATION, _UDP = 12, 14, 16, 20, 23, 34, 36, 38


class Packets(NamedTuple):
    """Packets in columns.

    Attributes:
        octets: what they are parts of, and some more behind the last one.
        starts: where each begins.
        sizes: octets of each.
        frame: number of each.
        time_ns: nanoseconds since 1970-01-01 UTC.
        link_type: as for `Packet`.
        length: octets on the wire; empty where the packets are there.
        packets: the packets themselves, where they were read one by one.
    """

    octets: bytes
    starts: NDArray[np.int64]
    sizes: NDArray[np.int64]
    frame: NDArray[np.int64]
    time_ns: NDArray[np.int64]
    link_type: NDArray[np.int64]
    length: NDArray[np.int64]
    packets: Sequence[Packet] = ()

    @classmethod
    def of_run(cls, run: PcapRun) -> Packets:
        """Return the packets of a run."""
        order, unit, head_size, link_type = run.form
        octets = run.buffer + bytes(_HEAD)
        places = np.asarray(run.places, np.int64)
        numbers = _windows(octets, run.form.head.size)[places].view(f"{order}u4").T.astype(np.int64)
        seconds, fraction, captured, length = numbers
        frame = np.arange(run.first, run.first + len(places))
        time_ns = seconds * 1_000_000_000 + fraction * unit
        link_types = np.full(len(places), link_type)
        return cls(octets, places + head_size, captured, frame, time_ns, link_types, length)

    @classmethod
    def of(cls, packets: Sequence[Packet]) -> Packets:
        """Return packets in columns."""
        data = [packet.data for packet in packets]
        sizes = np.array([len(octets) for octets in data], np.int64)
        times = [packet.time_ns for packet in packets]
        fits = [-_LIMIT <= time_ns < _LIMIT for time_ns in times]
        return cls(
            b"".join([*data, bytes(_HEAD)]),
            np.cumsum(sizes) - sizes,
            sizes,
            np.array([packet.number for packet in packets], np.int64),
            np.array([time_ns if fit else 0 for time_ns, fit in zip(times, fits, strict=True)], np.int64),
            np.array([packet.link_type if fit else -1 for packet, fit in zip(packets, fits, strict=True)], np.int64),
            np.zeros(len(packets), np.int64),
            packets,
        )

    def taken(self, which: slice) -> Packets:
        """Return some of them."""
        starts, sizes, frame, time_ns, link_type, length = (column[which] for column in self[1:-1])
        return Packets(self.octets, starts, sizes, frame, time_ns, link_type, length, self.packets[which])

    def packet(self, place: int) -> Packet:
        """Return one of them."""
        if self.packets:
            return self.packets[place]
        start, size = int(self.starts[place]), int(self.sizes[place])
        frame, time_ns, link_type, length = (int(column[place]) for column in self[3:-1])
        return Packet(frame, time_ns, link_type, self.octets[start : start + size], length)

    def ends(self, which: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return senders and receivers of usual ones, each address and port as one number."""
        flows = np.ascontiguousarray(_windows(self.octets, _HEAD)[self.starts[which], _FLOW])
        source, destination = flows[:, :-_PORTS].copy().view(">u4").T.astype(np.int64)
        ports = flows[:, -_PORTS:].copy().view(">u2").T.astype(np.int64)
        return source << 16 | ports[0], destination << 16 | ports[1]

    def apdus(self, which: NDArray[np.bool_]) -> pa.Array:
        """Return the APDUs of usual ones."""
        starts = self.starts[which]
        bounds = np.stack((starts + _ALL_HEADERS, starts + self.sizes[which]), axis=1).ravel()  # APDU, rest, APDU, ...
        octets = pa.Array.from_buffers(
            pa.binary(),
            max(len(bounds) - 1, 0),
            [None, pa.py_buffer(bounds.astype(np.int32)), pa.py_buffer(self.octets)],
        )
        return octets.take(np.arange(0, len(bounds), 2))

    def usual(self, ports: Collection[int], max_size: int) -> NDArray[np.bool_]:
        """Return of each whether it is such a datagram, of a port of C12.22.

        Args:
            ports: UDP ports of C12.22.
            max_size: octets of the largest APDU accepted.
        """
        heads = _windows(self.octets, _HEAD)[self.starts].T.copy()

        def number(at: int) -> NDArray[np.int64]:
            result: NDArray[np.int64] = heads[at].astype(np.int64) << 8 | heads[at + 1]
            return result

        size = self.sizes
        first, more = heads[_ALL_HEADERS + 1], number(_ALL_HEADERS + 2)
        apdu = size - _ALL_HEADERS
        whole = (first < 0x80) & (apdu == first.astype(np.int64) + 2)
        whole |= (first == 0x81) & (more >> 8 >= 0x80) & (apdu == (more >> 8) + 3)
        whole |= (first == 0x82) & (more > 0xFF) & (apdu == more + 4)
        source, destination = number(_SOURCE), number(_DESTINATION)
        named = np.zeros(len(size), np.bool_)
        for port in ports:
            named |= (source == port) | (destination == port)
        result: NDArray[np.bool_] = (
            (self.link_type == _LINK)
            & (apdu > 1)
            & (number(_TYPE) == IPV4)
            & (heads[_VERSION] == 0x45)
            & (heads[_PROTOCOL] == 17)
            & (number(_FRAGMENT) & 0x3FFF == 0)
            & (number(_TOTAL) == size - 14)
            & (number(_UDP) == size - 34)
            & (heads[_ALL_HEADERS] == APDU_TAG)
            & whole
            & (apdu <= max_size)
            & named
        )
        return result


def _windows(octets: bytes, size: int) -> NDArray[np.uint8]:
    return np.lib.stride_tricks.sliding_window_view(np.frombuffer(octets, np.uint8), size)


def walk(buffer: bytes, pos: int, form: PcapForm, limit: int) -> tuple[Sequence[int], int, int]:
    """Do what `c1222.capture.files.pcap.walk` does: nearly all packets hold IPv4, which gives their places away.

    What looks like one is one only where a packet ends that was found to be one; between them it goes step by step.
    """
    if len(buffer) < form.head_size:
        return (), pos, 0
    octets = np.frombuffer(buffer, np.uint8)
    before = form.head_size + _TYPE
    looks = (octets[before:-2] == IPV4 >> 8) & (octets[before + 1 : -1] == IPV4 & 0xFF) & (octets[before + 2 :] == 0x45)
    places = np.flatnonzero(looks)
    sizes = _windows(buffer, 4)[places + 8].view(f"{form.order}u4").ravel().astype(np.int64)
    after = places + form.head_size + sizes
    good = (sizes <= limit) & (after <= len(buffer))
    follows = np.append(good[:-1] & (after[:-1] == places[1:]), False)
    breaks = np.flatnonzero(~follows)  # after each of these the next place is not that of the next packet
    found: list[NDArray[np.int64]] = []
    while True:
        first = int(np.searchsorted(places, pos))
        if first < len(places) and places[first] == pos and good[first]:
            last = int(breaks[np.searchsorted(breaks, first)])
            if not good[last]:
                last -= 1
            found.append(places[first : last + 1])
            pos = int(after[last])
            continue
        step, pos, captured = walk_on(buffer, pos, form, limit, 1)
        if not step:
            return (np.concatenate(found) if found else ()), pos, captured  # type: ignore[return-value]  # as good
        found.append(np.array(step, np.int64))
