"""Makes a capture of many UDP messages, for measurements.

    python -m tests.bench.make_capture FILE --count 100000

Ethernet, IPv4, UDP; many meters and one head end; half of the messages each way, half of them encrypted under the key of
``tests.traffic``. ``make`` takes the function that gives the content of each message.
"""

from __future__ import annotations

import argparse
import random
from typing import TYPE_CHECKING

from c1222.capture.files.writer import PcapWriter, udp_packet
from tests.traffic import exchange

if TYPE_CHECKING:
    import os
    from collections.abc import Callable
    from typing import IO

HEAD_END = "10.0.0.1:50000"
FIRST_NS = 1_700_000_000_000_000_000
STEP_NS = 250_000


def plain(number: int) -> bytes:
    """Return an APDU of 98 octets in cleartext: a write of 63 octets to table 64."""
    data = random.Random(number).randbytes(63)
    service = b"\x40\x00\x40\x00\x3f" + data + bytes([-sum(data) & 0xFF])
    user = b"\xbe\x4b\x28\x49\x81\x47\x80\x45" + service
    titles = bytes.fromhex("a20580037bc175a60480027b04")
    return b"\x60\x60" + titles + b"\xa8\x04\x02\x02" + (number & 0x7FFF).to_bytes(2, "big") + user


def make(
    target: str | os.PathLike[str] | IO[bytes],
    count: int = 100_000,
    *,
    content: Callable[[int], bytes] = plain,
    meters: int = 5000,
) -> None:
    """Write a capture.

    Args:
        target: path of the pcap file, or a binary file object.
        count: messages.
        content: gives the APDU of each message by its number, from 0.
        meters: different meters, each with an address of its own.
    """
    with PcapWriter(target) as writer:
        for number in range(count):
            meter = number // 2 % meters
            ends = f"10.1.{meter // 250}.{meter % 250 + 1}:1153", HEAD_END
            source, destination = ends if number % 2 else ends[::-1]
            frame = udp_packet(source, destination, content(number), ident=number & 0xFFFF)
            writer.write(FIRST_NS + number * STEP_NS, frame)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file")
    parser.add_argument("--count", type=int, default=100_000)
    arguments = parser.parse_args()
    make(arguments.file, arguments.count, content=exchange)


if __name__ == "__main__":
    main()
