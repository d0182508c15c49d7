"""From a capture file to APDUs, in order: all that a packet may bring, and what is said of it."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

from c1222.capture.files.reader import APDU_ALONE, CaptureReader
from c1222.capture.files.several import SeveralFiles
from c1222.capture.network.framing import make_apdu
from c1222.capture.network.layers import Layers
from c1222.capture.network.streams import C1222_PORT, Streams, apdu_ends, apdus_of
from c1222.message.ber import MAX_APDU_OCTETS

if TYPE_CHECKING:
    import os
    from collections.abc import Collection, Iterator, Sequence

    from c1222.capture.files.reader import Packet
    from c1222.capture.network.framing import Apdu, StreamRemark
    from c1222.errors import Finding

    Source = str | os.PathLike[str] | IO[bytes]

__all__ = ["CaptureApdus"]


class CaptureApdus:
    """Reads the APDUs of a capture; iterate it once.

    Args:
        source: as for `c1222.decode_capture`.
        ports: UDP and TCP ports of C12.22.
        by_content: also take on other ports what is an APDU by its look.
        max_apdu_size: octets of the largest APDU accepted.

    Attributes:
        reader: the file or files, for those who take the packets themselves.
        timed: whether it is known when the APDUs were sent; where it is not, their time is 0.

    Raises:
        CaptureError: the file is no capture.
        OSError: the file cannot be opened or read.
    """

    def __init__(
        self,
        source: Source | Sequence[Source],
        *,
        ports: Collection[int] = (C1222_PORT,),
        by_content: bool = True,
        max_apdu_size: int = MAX_APDU_OCTETS,
    ) -> None:
        self.layers = Layers()
        self.streams = Streams(ports=ports, by_content=by_content, max_apdu_size=max_apdu_size)
        self._max_apdu_size = max_apdu_size
        self.reader: CaptureReader | SeveralFiles
        if not isinstance(source, list | tuple):
            self.reader = CaptureReader(source)  # type: ignore[arg-type]  # or a sequence that is none of these
        else:
            self.reader = CaptureReader(source[0]) if len(source) == 1 else SeveralFiles(source)
        self.timed = self.reader.format != "hex"

    def __iter__(self) -> Iterator[Apdu | StreamRemark]:
        for packet in self.reader:
            yield from self.of_packet(packet)
        yield from self.finish()

    def of_packet(self, packet: Packet) -> Sequence[Apdu | StreamRemark]:
        """Return what a packet completes, nothing or more.

        Args:
            packet: the next packet of the reader.
        """
        if packet.link_type == APDU_ALONE:
            line, octets = packet.number, packet.data
            ends = apdu_ends(octets, self._max_apdu_size) or [len(octets)]
            return [
                make_apdu((line, 0, "", "", "udp", apdu, (line,), findings, 0))
                for apdu, findings in apdus_of(octets, ends, "hex", "line")
            ]
        segment = self.layers.segment(packet)
        return () if segment is None else self.streams.push(segment)

    def finish(self) -> list[Apdu | StreamRemark]:
        """Return what can still be made of the streams: no packet follows."""
        self.layers.finish()
        return self.streams.finish()

    def findings(self) -> list[Finding]:
        """Return what was not read and why; complete once all packets were taken."""
        return [*self.reader.findings(), *self.layers.findings(), *self.streams.findings()]
