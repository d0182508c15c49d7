"""From a capture file to messages: reassembled, verified, decrypted, each response next to its request.

One pass, in the order of capture, in bounded memory: what is remembered of the past (requests that wait for responses,
the security of sessions, segments) has a limit, and what falls out is counted.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final, NamedTuple

from c1222.capture.apdus import CaptureApdus
from c1222.capture.early import EARLY_NS, EarlyResponses
from c1222.capture.fast import FastPath
from c1222.capture.files.reader import packet_of
from c1222.capture.message import UNPAIRED, CapturedMessage, Counters
from c1222.capture.network.framing import StreamRemark
from c1222.capture.network.layers import ends as ends_of_flow
from c1222.capture.network.streams import C1222_PORT
from c1222.errors import DecodeError, Finding
from c1222.message.acse import Acse, decode_acse, plan
from c1222.message.ber import MAX_APDU_OCTETS
from c1222.message.segmentation import Reassembler
from c1222.protocol.opening import open_message
from c1222.protocol.pairing import Associations
from c1222.security.keys import KeyStore
from c1222.security.sealing import Verdict

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from c1222.capture.apdus import Source
    from c1222.capture.files.reader import Packet
    from c1222.capture.message import Remembered
    from c1222.capture.network.framing import Apdu
    from c1222.capture.network.layers import Datagram, Segment
    from c1222.capture.network.tcp import StreamDirection
    from c1222.security.keys import Key, Keys

__all__ = [
    "MAX_DIAGNOSES",
    "MAX_LOST_TOLD",
    "CaptureDecoder",
    "CapturedMessage",
    "Counters",
    "MessageDecoder",
    "Traced",
    "decode_capture",
]

MAX_DIAGNOSES: Final = 1000
"""Wrong MACs looked into further; each takes a hundred times as long as opening a message."""
MAX_LOST_TOLD: Final = 10
"""Incomplete segmented messages that findings tell of one by one."""


def addresses(where: bytes | tuple[str, str]) -> tuple[str, str]:
    """Return source and destination as texts, of the key of a flow or of themselves."""
    return ends_of_flow(where) if isinstance(where, bytes) else where


class Traced(NamedTuple):
    """A packet and what became of it.

    Attributes:
        packet: the packet.
        segment: what it carries or completes, if UDP or TCP.
        datagram: the IP datagram of that.
        direction: of the TCP connection, if that is followed.
        completed: APDUs and remarks that came of it, each with its message; None for a segment that completes none.
    """

    packet: Packet | None
    segment: Segment | None = None
    datagram: Datagram | None = None
    direction: StreamDirection | None = None
    completed: Sequence[tuple[Apdu | StreamRemark, CapturedMessage | None]] = ()


class MessageDecoder:
    """Decodes APDUs, whatever brought them, each next to what it answers.

    Args:
        keys: a store, a single key, or octets by key id.
        ports: UDP ports of C12.22.
        by_content: also take APDUs of other ports.
        max_apdu_size: octets of the largest APDU accepted.
        early_ns: as for `decode_capture`.

    Attributes:
        keys: the keys.
        counters: what was met so far.
        associations: the memory of the listener.
        early: messages held for a response whose request was not seen yet.
        proven: keys that have verified messages.

    Raises:
        InvalidKey: the keys cannot be used.
    """

    def __init__(
        self,
        *,
        keys: Keys = None,
        ports: Collection[int] = (C1222_PORT,),
        by_content: bool = True,
        max_apdu_size: int = MAX_APDU_OCTETS,
        early_ns: int = EARLY_NS,
    ) -> None:
        self.keys = KeyStore.of(keys)
        self._max_apdu_size = max_apdu_size
        self.counters = Counters()
        self.associations: Associations[Remembered] = Associations(self.keys.base_oid, addresses=addresses)
        self._reassembler = Reassembler(max_octets=max_apdu_size)
        self.proven: set[Key] = set()
        self._last_key: Key | None = None
        self._authentication = plan().tags["calling-authentication-value"]
        self._segmented = plan().tags["called-AE-qualifier"]
        self._diagnoses = MAX_DIAGNOSES
        self.early = EarlyResponses(self.associations, self.counters, wait_ns=early_ns)
        self._fast = FastPath(
            self.keys,
            self.associations,
            self.counters,
            self.proven,
            self.early,
            ports=ports,
            by_content=by_content,
            max_size=max_apdu_size,
        )

    def messages(self, items: Iterable[Apdu | StreamRemark]) -> Iterator[CapturedMessage]:
        """Yield the messages of APDUs and remarks in order."""
        early = self.early
        for item in items:
            message = self._of_item(item)
            if message is None:
                continue
            if early.waiting:
                yield from early.push(message)
            else:
                yield message

    def finish(self) -> list[CapturedMessage]:
        """Return the messages still held: no APDU follows."""
        self._reassembler.close()
        return self.early.finish()

    def findings(self) -> list[Finding]:
        """Return what concerns the messages as a whole; complete once all were taken."""
        findings = []
        associations = self.associations
        for count, what in (
            (associations.requests.forgotten, "requests were forgotten before a response came"),
            (associations.sessions.forgotten, "sessions were forgotten"),
            (self._reassembler.evicted, "segmented messages were given up"),
        ):
            if count:
                text = f"{count} {what}: the memory is bounded"
                findings.append(Finding("note", "evicted", "capture.decoder", None, text))
        lost = self._reassembler.lost
        texts = [
            f"{message.received} of {message.total} octets of a segmented message from {message.calling} came, "
            f"in frames {', '.join(map(str, message.frames))}"
            for message in islice(lost, MAX_LOST_TOLD)
        ]
        if len(lost) > MAX_LOST_TOLD:
            texts.append(f"{len(lost) - MAX_LOST_TOLD} more segmented messages are incomplete")
        findings += [Finding("error", "incomplete-message", "capture.segments", None, text) for text in texts]
        return findings

    def _of_item(self, item: Apdu | StreamRemark) -> CapturedMessage | None:
        """Return the message of an APDU or a remark, None for a segment that completes none."""
        if isinstance(item, StreamRemark):
            return self._unreadable(item, (item.finding,))
        message = self._fast.of_apdu(item)
        if message is not None:
            return message
        try:
            acse = decode_acse(item.octets, max_size=self._max_apdu_size)
            if self._segmented not in acse.spans:
                return self._message(item, acse, None)
            self.counters.segments += 1
            whole = self._reassembler.add(acse, item.time_ns / 1e9, frame=item.frame)
            return None if whole is None else self._message(item, whole.acse, whole.frames)
        except DecodeError as error:
            return self._unreadable(item, (*item.findings, error.finding()))

    def _message(self, item: Apdu, acse: Acse, segments: tuple[int, ...] | None) -> CapturedMessage:
        associations = self.associations
        counters = self.counters
        ends = associations.ends(acse)
        frame = item.frame
        where = (item.src, item.dst)
        reply_to, asked, request_verified = associations.request_of(acse, ends, where) or UNPAIRED
        carries = self._authentication in acse.spans
        message = open_message(
            CapturedMessage,
            acse,
            self.keys,
            sessions=() if carries else associations.sessions_of(ends),
            asked=asked,
            diagnose=self._diagnoses > 0,
            proven=self.proven,
        )
        message.frame = frame
        message.time_ns = item.time_ns
        message.src = item.src
        message.dst = item.dst
        message.transport = item.transport
        message.reply_to = reply_to
        message.request_verified = request_verified
        if segments is not None:
            message.segments = segments
        if item.findings:
            message.noted = item.findings
        opened = message.opened
        verdict = opened.verdict
        if verdict is Verdict.VERIFIED:
            counters.verified += 1
            key = opened.key
            if key is not None and key is not self._last_key:
                self._last_key = key
                self.proven.add(key)
            if carries:
                associations.remember_session(ends, opened)
        elif verdict is Verdict.CLEARTEXT:
            counters.cleartext += 1
        elif opened.authenticated is False:
            counters.refused += 1
            self._diagnoses -= 1
        else:
            counters.unchecked += 1
        if acse.is_response:
            counters.responses += 1
            if reply_to is None:
                counters.unpaired += 1
                self.early.expect(message, *ends, acse.request_number, where)
        elif verdict is Verdict.VERIFIED or opened.authenticated is None:
            verified = verdict is Verdict.VERIFIED
            associations.remember_request(acse, ends, (frame, message.request_body, verified), where)
        return message

    def _unreadable(self, item: Apdu | StreamRemark, findings: tuple[Finding, ...]) -> CapturedMessage:
        if any(finding.level == "error" for finding in findings):
            self.counters.undecodable += 1
        else:
            self.counters.skipped += 1
        return CapturedMessage.unreadable(item, findings)


class CaptureDecoder(MessageDecoder):
    """Decodes captures; iterate it once.

    Args:
        source: path of a pcap or pcapng file, compressed or not; ``-`` for standard input; or a binary file object. Or
            a list of these: one capture in several files, whose packets are taken by time. Frames are then numbered
            through all files in that order, and each message also has ``file`` and ``file_frame``.
        keys: a store, a single key, or octets by key id.
        ports: UDP and TCP ports of C12.22.
        by_content: also take on other ports what is an APDU by its look.
        max_apdu_size: octets of the largest APDU accepted.
        early_ns: nanoseconds of packet time that a response, and what follows it, is held if its request was not seen
            yet; 0 gives each message at once.

    Attributes:
        reader: the file or files: how much was read, and their own findings.

    Raises:
        CaptureError: the file is no capture.
        OSError: the file cannot be opened or read.
        InvalidKey: the keys cannot be used.
    """

    def __init__(
        self,
        source: Source | Sequence[Source],
        *,
        keys: Keys = None,
        ports: Collection[int] = (C1222_PORT,),
        by_content: bool = True,
        max_apdu_size: int = MAX_APDU_OCTETS,
        early_ns: int = EARLY_NS,
    ) -> None:
        super().__init__(keys=keys, ports=ports, by_content=by_content, max_apdu_size=max_apdu_size, early_ns=early_ns)
        self._apdus = CaptureApdus(source, ports=ports, by_content=by_content, max_apdu_size=max_apdu_size)
        self.reader = self._apdus.reader

    def __iter__(self) -> Iterator[CapturedMessage]:
        return self._of_packets() if self._apdus.timed else self._of_hex()

    def _of_hex(self) -> Iterator[CapturedMessage]:
        """Yield the messages of octets in hex: when they were sent is not known, nor by whom but for frames."""
        for message in self.messages(self._apdus):
            yield message.without_time()
        for message in self.finish():
            yield message.without_time()

    def _of_packets(self) -> Iterator[CapturedMessage]:
        fast, apdus, early = self._fast.of_packet, self._apdus, self.early
        waiting = early.waiting
        for packet in self.reader.bare():
            message = fast(packet)
            if message is not None:
                if waiting:
                    yield from early.push(message)
                else:
                    yield message
            else:
                yield from self.messages(apdus.of_packet(packet_of(packet)))
        yield from self.messages(apdus.finish())
        yield from self.finish()

    def traced(self) -> Iterator[Traced]:
        """Yield every packet with what became of it, in place of the messages alone; responses wait for no request.

        Call it once, and do not iterate then. The last item has no packet, but what was left in the end.
        """
        layers, streams, read = self._apdus.layers, self._apdus.streams, self._of_item
        for packet in self.reader:
            segment = layers.segment(packet)
            if segment is None:
                yield Traced(packet)
                continue
            completed = [(item, read(item)) for item in streams.push(segment)]
            yield Traced(packet, segment, layers.datagram, streams.following(segment), completed)
        yield Traced(None, completed=[(item, read(item)) for item in self._apdus.finish()])
        self._reassembler.close()

    def close(self) -> None:
        """Close the file."""
        self.reader.close()

    def findings(self) -> list[Finding]:
        """Return what concerns the capture as a whole; complete once all messages were taken."""
        return [*self._apdus.findings(), *super().findings()]


def decode_capture(
    source: Source | Sequence[Source],
    *,
    keys: Keys = None,
    ports: Collection[int] = (C1222_PORT,),
    by_content: bool = True,
    early_ns: int = EARLY_NS,
) -> CaptureDecoder:
    """Decode a capture lazily, in constant memory.

    ``for message in decode_capture("trace.pcapng", keys=keys): ...``

    Args:
        source: path of a pcap or pcapng file, compressed or not; ``-`` for standard input; or a binary file object. Or
            a list of these: one capture in several files, whose packets are taken by time. Frames are then numbered
            through all files in that order, and each message also has ``file`` and ``file_frame``.
        keys: a store, a single key, or octets by key id.
        ports: UDP and TCP ports of C12.22.
        by_content: also take on other ports what is an APDU by its look.
        early_ns: nanoseconds of packet time that a response, and what follows it, is held if its request was not seen
            yet; 0 gives each message at once.

    Raises:
        CaptureError: the file is no capture.
        OSError: the file cannot be opened or read.
        InvalidKey: the keys cannot be used.
    """
    return CaptureDecoder(source, keys=keys, ports=ports, by_content=by_content, early_ns=early_ns)
