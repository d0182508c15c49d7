"""Writes pcap and pcapng files, and frames that go into them: Ethernet, IPv4, IPv6, UDP, TCP, with their checksums.

What it writes, Wireshark reads without complaint.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import struct
import tempfile
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, Literal, Self, cast

from c1222.errors import EncodeError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

__all__ = [
    "LATEST_NS", "MAX_LINK_TYPE", "PcapWriter", "PcapngWriter", "ethernet", "internet_checksum", "ipv4", "ipv6",
    "private_file", "tcp_packet", "udp_packet",
]  # fmt: skip

_MAC: Final = b"\x02\x00\x00\x00\x00"  # locally administered; the last octet tells the sides apart
_MAX_TIME: Final = 1 << 32
LATEST_NS: Final = (1 << 64) - 1
"""The latest time of a packet in pcapng, in nanoseconds since 1970-01-01 UTC."""
MAX_LINK_TYPE: Final = 0xFFFF
"""The largest LINKTYPE in pcapng."""


class PcapWriter:
    """Writes one pcap file. A context manager; a file that the writer opened is closed at the end.

    Args:
        target: path of the file, or a binary file object.
        link_type: LINKTYPE of all packets; 1 is Ethernet.
        nanoseconds: write times in nanoseconds, not in microseconds.
        byte_order: ``"little"`` or ``"big"``.
        snaplen: octets kept of a packet at most.

    Raises:
        OSError: the file cannot be opened or written.
    """

    def __init__(
        self,
        target: str | os.PathLike[str] | IO[bytes],
        *,
        link_type: int = 1,
        nanoseconds: bool = True,
        byte_order: Literal["little", "big"] = "little",
        snaplen: int = 262_144,
    ) -> None:
        self._owned: IO[bytes] | None = None
        if hasattr(target, "write"):
            self._file = cast("IO[bytes]", target)
        else:
            self._file = self._owned = Path(cast("str", target)).open("wb")  # noqa: SIM115
        order = "<" if byte_order == "little" else ">"
        self._unit = 1 if nanoseconds else 1000
        self._record = struct.Struct(order + "IIII")
        self._snaplen = snaplen
        magic = 0xA1B23C4D if nanoseconds else 0xA1B2C3D4
        self._file.write(struct.pack(order + "IHHIIII", magic, 2, 4, 0, 0, snaplen, link_type))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the file if the writer opened it."""
        if self._owned is not None:
            self._owned.close()

    def write(self, time_ns: int, frame: bytes) -> None:
        """Write one packet.

        Args:
            time_ns: nanoseconds since 1970-01-01 UTC, before 2106.
            frame: its octets, from the link layer on.

        Raises:
            EncodeError: the time has no form in a pcap file.
        """
        seconds, nanoseconds = divmod(time_ns, 1_000_000_000)
        if not 0 <= seconds < _MAX_TIME:
            raise EncodeError(f"{time_ns} ns is not a time that pcap can hold")
        data = frame[: self._snaplen]
        self._file.write(self._record.pack(seconds, nanoseconds // self._unit, len(data), len(frame)) + data)


class PcapngWriter:
    """Writes one pcapng file, with comments on packets. Times are in nanoseconds; each link type is an interface.

    Args:
        file: a binary file object.
        comment: on the whole file; empty for none.
        application: name of what writes it.

    Raises:
        OSError: the file cannot be written.
    """

    def __init__(self, file: IO[bytes], *, comment: str = "", application: str = "c1222") -> None:
        self._file = file
        self._interfaces: dict[int, int] = {}
        options = _option(_COMMENT, comment.encode()) + _option(_APPLICATION, application.encode())
        self._block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1) + options + _option(0, b""))

    def write(
        self, time_ns: int, frame: bytes, *, link_type: int = 1, length: int | None = None, comment: str = ""
    ) -> None:
        """Write one packet.

        Args:
            time_ns: nanoseconds since 1970-01-01 UTC.
            frame: its octets as far as they were captured, from the link layer on.
            link_type: LINKTYPE of the packet; 1 is Ethernet.
            length: octets it had on the wire; as many as there are when None.
            comment: on the packet; empty for none.

        Raises:
            EncodeError: time or link type have no form in such a file.
        """
        if not 0 <= time_ns <= LATEST_NS:
            raise EncodeError(f"{time_ns} ns is not a time that pcapng can hold")
        if not 0 <= link_type <= MAX_LINK_TYPE:
            raise EncodeError(f"{link_type} is not a link type that pcapng can hold")
        interface = self._interfaces.get(link_type)
        if interface is None:
            interface = self._interfaces[link_type] = len(self._interfaces)
            resolution = _option(_RESOLUTION, b"\x09") + _option(0, b"")
            self._block(1, struct.pack("<HHI", link_type, 0, 0) + resolution)
        on_wire = len(frame) if length is None else length
        head = struct.pack("<IIIII", interface, time_ns >> 32, time_ns & 0xFFFFFFFF, len(frame), on_wire)
        options = _option(_COMMENT, comment.encode()[:_LONGEST_OPTION]) + _option(0, b"") if comment else b""
        self._block(6, head + _padded(frame) + options)

    def _block(self, kind: int, body: bytes) -> None:
        size = struct.pack("<I", 12 + len(body))
        self._file.write(struct.pack("<I", kind) + size + body + size)


_COMMENT: Final = 1
_APPLICATION: Final = 4  # of a section
_RESOLUTION: Final = 9  # of the times of an interface
_LONGEST_OPTION: Final = 0xFFFF


def _option(code: int, value: bytes) -> bytes:
    return struct.pack("<HH", code, len(value)) + _padded(value) if value or not code else b""


def _padded(octets: bytes) -> bytes:
    return octets + bytes(-len(octets) % 4)


@contextlib.contextmanager
def private_file(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """Give a file to write, for its owner alone; at ``path`` it is there as a whole or, after an error, not at all.

    Raises:
        OSError: it cannot be made, written, or put in its place.
    """
    descriptor, name = tempfile.mkstemp(prefix=".", suffix=".new", dir=Path(path).parent)  # for the owner alone
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def ethernet(payload: bytes, kind: int, *, vlans: tuple[int, ...] = ()) -> bytes:
    """Return an Ethernet frame, without its frame check sequence.

    Args:
        payload: what it carries.
        kind: Ethernet type of the payload.
        vlans: VLAN numbers, 0..4095, outermost first; several make a QinQ frame.
    """
    tags = b""
    for index, vlan in enumerate(vlans):
        tags += struct.pack(">HH", 0x88A8 if index < len(vlans) - 1 else 0x8100, vlan)
    return _MAC + b"\x02" + _MAC + b"\x01" + tags + struct.pack(">H", kind) + payload


def ipv4(
    source: bytes,
    destination: bytes,
    protocol: int,
    payload: bytes,
    *,
    ident: int = 0,
    fragment: tuple[int, bool] | None = None,
    options: bytes = b"",
) -> bytes:
    """Return an IPv4 datagram.

    Args:
        source: 4 octets.
        destination: 4 octets.
        protocol: 17 is UDP, 6 is TCP.
        payload: what it carries.
        ident: identification, the same in all fragments of a datagram; 0..65535.
        fragment: offset in octets (a multiple of 8), and whether more fragments follow; None for a whole datagram.
        options: a multiple of 4 octets, at most 40.

    Raises:
        EncodeError: too long for one datagram.
    """
    size = 20 + len(options) + len(payload)
    if size > 0xFFFF:
        raise EncodeError(f"an IPv4 datagram of {size} octets")
    flags = 0x4000 if fragment is None else fragment[0] >> 3 | fragment[1] << 13
    first = 0x45 + len(options) // 4
    head = struct.pack(">BBHHHBBH", first, 0, size, ident, flags, 64, protocol, 0) + source + destination + options
    return head[:10] + struct.pack(">H", internet_checksum(head)) + head[12:] + payload


def ipv6(source: bytes, destination: bytes, header: int, payload: bytes) -> bytes:
    """Return an IPv6 datagram.

    Args:
        source: 16 octets.
        destination: 16 octets.
        header: next header: 17 is UDP, 6 is TCP, or that of an extension header at the start of the payload.
        payload: what it carries.

    Raises:
        EncodeError: too long for one datagram.
    """
    if len(payload) > 0xFFFF:
        raise EncodeError(f"an IPv6 payload of {len(payload)} octets")
    return struct.pack(">IHBB", 0x60000000, len(payload), header, 64) + source + destination + payload


def udp_packet(source: str, destination: str, payload: bytes, *, ident: int = 0) -> bytes:
    """Return an Ethernet frame with one UDP datagram.

    Args:
        source: ``address:port``, or ``[address]:port`` for IPv6.
        destination: the same, of the same family.
        payload: at most 65507 octets with IPv4, 65527 with IPv6.
        ident: IPv4 identification.

    Raises:
        EncodeError: an end is not understood, or the payload is too long.
    """
    head = struct.pack(">HHHH", _port(source), _port(destination), 8 + len(payload) & 0xFFFF, 0)
    return _carry(source, destination, 17, head, payload, checksum_at=6, ident=ident)


def tcp_packet(
    source: str,
    destination: str,
    payload: bytes = b"",
    *,
    sequence: int = 0,
    acknowledged: int = 0,
    flags: int = 0x18,
    ident: int = 0,
) -> bytes:
    """Return an Ethernet frame with one TCP segment.

    Args:
        source: ``address:port``, or ``[address]:port`` for IPv6.
        destination: the same, of the same family.
        payload: the octets at ``sequence``.
        sequence: number of the first octet of payload, modulo 2^32.
        acknowledged: acknowledgement number, modulo 2^32.
        flags: 01 FIN, 02 SYN, 04 RST, 08 PSH, 10 ACK.
        ident: IPv4 identification.

    Raises:
        EncodeError: an end is not understood, or the payload is too long.
    """
    head = struct.pack(
        ">HHIIBBHHH",
        _port(source),
        _port(destination),
        sequence & 0xFFFFFFFF,
        acknowledged & 0xFFFFFFFF,
        0x50,
        flags,
        8192,
        0,
        0,
    )
    return _carry(source, destination, 6, head, payload, checksum_at=16, ident=ident)


def _carry(
    source: str, destination: str, protocol: int, head: bytes, payload: bytes, *, checksum_at: int, ident: int
) -> bytes:
    """Put a transport header, its checksum filled in, and payload into IP and Ethernet."""
    ends = _address(source), _address(destination)
    if len(ends[0]) != len(ends[1]):
        raise EncodeError(f"{source} and {destination} are not of one family")
    pseudo = b"".join(ends) + struct.pack(">II", len(head) + len(payload), protocol)
    # 0 stands for "no checksum" in UDP, and FFFF is the same number in this arithmetic
    checksum = internet_checksum(pseudo + head + payload) or 0xFFFF
    datagram = head[:checksum_at] + struct.pack(">H", checksum) + head[checksum_at + 2 :] + payload
    if len(ends[0]) == 4:
        return ethernet(ipv4(*ends, protocol, datagram, ident=ident), 0x0800)
    return ethernet(ipv6(*ends, protocol, datagram), 0x86DD)


def _address(end: str) -> bytes:
    host = end.rpartition(":")[0]
    try:
        return ipaddress.ip_address(host.removeprefix("[").removesuffix("]")).packed
    except ValueError:
        raise EncodeError(f"{end} is not address:port") from None


def _port(end: str) -> int:
    port = end.rpartition(":")[2]
    if not (port.isascii() and port.isdigit() and int(port) <= 0xFFFF):
        raise EncodeError(f"{end} has no port 0..65535")
    return int(port)


def internet_checksum(octets: bytes) -> int:
    """Return the checksum of the internet (RFC 1071) over octets with zeros in its place."""
    # 2^16 is 1 modulo 65535, so the ones' complement sum of the words is the whole number modulo 65535
    total = int.from_bytes(octets + b"\0" * (len(octets) % 2), "big")
    return 0xFFFF - (total % 0xFFFF or (0xFFFF if total else 0))
