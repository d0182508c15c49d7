"""One end of a serial line: messages in, packets out, and back; acknowledged, repeated, told from repetitions.

No input and no output is done here, and no clock is read: octets and instants are arguments, what is to be done comes
back as events, and ``deadline`` tells when to call ``tick`` at the latest. No input moves the deadline of a wait, but a
part of a series that was missing.

Origin: the rules that Elster MeteringSDK, Itron's stack, amsreader and termineter share [V]; where they differ,
those of ``specs/ambiguities.md``.
"""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from c1222.errors import DecodeError, Finding, LimitExceeded, PeerSilent, SessionLost
from c1222.serial.echo import EchoFilter
from c1222.serial.line import DamagedPacket, LineNoise, LineReader
from c1222.serial.link_events import (
    ChangeRate,
    LineQuiet,
    LinkDown,
    LinkEvent,
    MessageAcknowledged,
    MessageArrived,
    Transmit,
)
from c1222.serial.link_state import LinkChange, LinkState, next_link_state
from c1222.serial.packet import (
    DEFAULT_PACKET_SIZE,
    DEFAULT_PACKETS,
    MULTI_PACKET,
    CrcOrder,
    LinkOctet,
    SerialPacket,
    cut,
    data_room,
)
from c1222.serial.profile import C1218_TIMING, DEFAULT_RATE, PLAIN, LinkProfile, LinkTiming
from c1222.serial.series import Series
from c1222.services.identify import IdentifyRequest

if TYPE_CHECKING:
    from c1222.errors import RemoteError
    from c1222.serial.line import LineItem

__all__ = ["LinkRole", "SerialLink"]

_IDENTIFY: Final = IdentifyRequest().encode()
_RECEIVED, _DAMAGED = 1, 2
"""What a packet can say of the last one from the other end."""
_SAYS_RECEIVED: Final = _RECEIVED << 2


class LinkRole(StrEnum):
    """Which end of the line this is."""

    ASKS = "asks"
    ANSWERS = "answers"


class SerialLink:
    """One end of a line.

    Args:
        role: whether it asks or answers.
        profile: of the line and the peer.
        timing: timers and retries.
        max_message: most octets of a message that is put together out of packets.
        rate: bits per second with which every session starts; another than 9600 where a modem sets it.

    Attributes:
        state: where the link is.
        timing: timers and retries; may be set (Timing setup).
        packet_size: octets of a whole packet, both ways.
        packets: packets of one message, both ways.
        rate: bits per second.
        counts: what was skipped or repeated, by name.
        echoed: octets that were the echo of what was sent.
    """

    def __init__(
        self,
        role: LinkRole,
        profile: LinkProfile = PLAIN,
        timing: LinkTiming = C1218_TIMING,
        *,
        max_message: int = 0x1000F,
        rate: int = DEFAULT_RATE,
    ) -> None:
        self.state = LinkState.IDLE
        self.packet_size, self.packets, self.rate = DEFAULT_PACKET_SIZE, DEFAULT_PACKETS, rate
        self.counts: Counter[str] = Counter()
        self._asks = role == LinkRole.ASKS
        self._profile = profile
        self._base_timing, self._base_rate = timing, rate
        self._reader = LineReader(timing.inter_character, profile.crc_order)
        self._series = Series(max_message)
        self._timing = timing
        self._toggle = 0
        self._last: SerialPacket | None = None
        self._parts: list[bytes] = []
        self._at = 0
        self._tries = 0
        self._answer_within = 0.0
        self._overdue: float | None = None
        self._silent: float | None = None
        self._never_quiet: float | None = None
        self._again_until = 0.0
        self._dropped = 0
        self._quiet_from = 0.0
        self._echo = EchoFilter(profile.echo)
        self._told: set[str] = set()

    @property
    def timing(self) -> LinkTiming:
        """Timers and retries in force."""
        return self._timing

    @timing.setter
    def timing(self, timing: LinkTiming) -> None:
        self._timing = timing
        self._reader.inter_character = timing.inter_character

    @property
    def echoed(self) -> int:
        """Octets that were the echo of what was sent."""
        return self._echo.count

    @property
    def deadline(self) -> float | None:
        """When ``tick`` has to be called at the latest; None while nothing is waited for."""
        silent = self._silent if self.state == LinkState.IDLE else None
        waits = (self._reader.deadline, self._overdue, silent, self._never_quiet)
        return min([at for at in waits if at is not None], default=None)

    @property
    def max_message(self) -> int:
        """Octets of the longest message that can be sent."""
        return data_room(self.packet_size) * (1 if self._profile.data_format == 1 else self.packets)

    def send(self, message: bytes, now: float, *, answer_within: float | None = None) -> list[LinkEvent]:
        """Send a message.

        Args:
            message: the octets of one service.
            now: seconds on any clock that only goes forward.
            answer_within: how long to wait for the answer once the message is acknowledged, seconds; the channel
                traffic time-out unless given. For who asks.

        Raises:
            EncodeError: it does not fit the packets agreed on.
            StateError: the link is doing something else, or is down.
        """
        state = next_link_state(self.state, LinkChange.SENT)
        single = self._profile.data_format == 1
        control = self._profile.data_format | (_SAYS_RECEIVED if single and not self._asks else 0)
        self._parts = cut(
            message,
            self._toggle,
            packet_size=self.packet_size,
            packets=1 if single else self.packets,
            identity=self._profile.identity,
            control=control,
            swapped_crc=self._profile.crc_order == CrcOrder.HIGH,
        )
        self._toggle = (self._toggle + len(self._parts)) & 1
        self._answer_within = self.timing.traffic if answer_within is None else answer_within
        self._at = self._tries = 0
        self.state = state
        sent: list[LinkEvent] = [self._transmit_part(now)]
        if single and not self._asks:  # the packet itself acknowledges the request, and nothing acknowledges it
            return [*sent, *self._acknowledged(now)]
        return sent

    def receive(self, octets: bytes, now: float) -> list[LinkEvent]:
        """Take octets from the line, however they are glued or split."""
        events = self.tick(now)
        octets = self._echo.take(octets)
        if not octets:
            return events
        if self.state in {LinkState.DRAINING, LinkState.DOWN}:
            self._drop(octets, now)
            return events
        for item in self._reader.feed(octets, now):
            self._take(item, now, events)
        return events

    def tick(self, now: float) -> list[LinkEvent]:
        """Do what is due."""
        events: list[LinkEvent] = []
        if (damaged := self._reader.expire(now)) is not None:
            self._take(damaged, now, events)
        if self._overdue is not None and now >= self._overdue:
            self._overdue = None
            if self.state == LinkState.SENDING:
                self._repeat(now, events, "no acknowledgement")
            elif self.state == LinkState.AWAITING:
                text = f"no answer within {self._answer_within:g} s, though the request was acknowledged"
                self._fail(LinkChange.OVERDUE, PeerSilent(text), events)
            else:
                self._follow(LinkChange.QUIET)
                self._never_quiet = None
                events.append(LineQuiet(self._dropped))
        if self._never_quiet is not None and now >= self._never_quiet:
            self._fail(LinkChange.NEVER_QUIET, PeerSilent("the line does not get quiet"), events)
        if self._silent is not None and now >= self._silent and self.state == LinkState.IDLE:
            self._fail(LinkChange.RESTARTED, SessionLost(f"nothing received for {self.timing.traffic:g} s"), events)
        return events

    def read_on(self, now: float) -> None:
        """Wait for the answer once more: what arrived answers an older question.

        Args:
            now: seconds on the caller's clock; the wait is as long as the one before.

        Raises:
            StateError: no answer has arrived.
        """
        self._follow(LinkChange.READ_ON)
        self._overdue = now + self._answer_within

    def agree(self, packet_size: int, packets: int, rate: int | None = None) -> list[LinkEvent]:
        """Use what Negotiate agreed on, in both directions, from the next packet on.

        Args:
            packet_size: octets of a whole packet, 9 to 8191.
            packets: of one message, 1 to 255.
            rate: bits per second; None leaves it.
        """
        self.packet_size, self.packets = packet_size, packets
        self._reader.max_size = packet_size
        if rate is None or rate == self.rate:
            return []
        self.rate = rate
        return [ChangeRate(rate)]

    def extend(self, seconds: float, now: float) -> None:
        """Let the peer be silent for so long, once: for who answers (Wait)."""
        self._silent = now + seconds

    def restart(self, *, toggle: int = 0) -> list[LinkEvent]:
        """Go back to where every session starts: rate, sizes and timers of before, toggles not known.

        Args:
            toggle: that of the next packet, 0 or 1.
        """
        self._follow(LinkChange.RESTARTED)
        self._toggle, self._last, self._parts = toggle, None, []
        self._overdue = self._silent = self._never_quiet = None
        self._echo.forget()
        self._told.clear()
        self._series.drop()
        self._reader.forget()
        self.timing = self._base_timing
        return self.agree(DEFAULT_PACKET_SIZE, DEFAULT_PACKETS, self._base_rate)

    def drain(self, now: float, *, at_least: float = 0.0) -> None:
        """Drop what comes in until the line is quiet: an event says when; then it can be asked again.

        Args:
            now: seconds on the caller's clock.
            at_least: for so many seconds in any case.

        Raises:
            StateError: it is being done.
        """
        self._follow(LinkChange.DRAIN)
        self._reader.forget()
        self._series.drop()
        self._silent, self._dropped = None, 0
        self._echo.forget()
        self._quiet_from = now + at_least
        self._overdue = max(self._quiet_from, now + self.timing.inter_character)
        self._never_quiet = self._quiet_from + self.timing.traffic

    def _follow(self, change: LinkChange) -> None:
        self.state = next_link_state(self.state, change)

    def _fail(self, change: LinkChange, error: RemoteError, events: list[LinkEvent]) -> None:
        acknowledged = self.state == LinkState.AWAITING
        self._follow(change)
        self._overdue = self._silent = self._never_quiet = None
        self._series.drop()
        self._reader.forget()
        events.append(LinkDown(error, acknowledged))
        if not self._asks:
            events += self.restart()

    def _transmit(self, octets: bytes, now: float) -> Transmit:
        self._echo.sent(octets)
        return Transmit(octets, now + self._profile.turn_around)

    def _transmit_part(self, now: float) -> Transmit:
        octets = self._parts[self._at]
        sent = self._transmit(octets, now)
        self._overdue = sent.at + len(octets) * 10 / self.rate + self.timing.response
        return sent

    def _drop(self, octets: bytes, now: float) -> None:
        self._dropped += len(octets)
        self.counts["dropped"] += len(octets)
        if self.state == LinkState.DRAINING:
            self._overdue = max(self._quiet_from, now + self.timing.inter_character)

    def _note(self, name: str, path: str, text: str, events: list[LinkEvent]) -> None:
        """Count, and tell the first one since the restart."""
        self.counts[name] += 1
        if name not in self._told:
            self._told.add(name)
            events.append(Finding("warning", name, path, 0, text))

    def _take(self, item: LineItem, now: float, events: list[LinkEvent]) -> None:
        if self.state == LinkState.DOWN:  # since an earlier item of the same octets
            self.counts["dropped"] += 1
        elif isinstance(item, LineNoise):
            self.counts["noise"] += item.count
        elif isinstance(item, DamagedPacket):
            self._refuse(item.error, now, events)
        elif isinstance(item, SerialPacket):
            self._take_packet(item, now, events)
        elif self.state != LinkState.SENDING:
            self.counts["stray"] += 1
        elif item == LinkOctet.ACK:
            events += self._acknowledged(now)
        else:
            self._repeat(now, events, "the packet was refused")

    def _refuse(self, error: DecodeError, now: float, events: list[LinkEvent]) -> None:
        self._note("swapped-crc" if getattr(error, "swapped", False) else "damaged", error.path, error.reason, events)
        # Who waits for an acknowledgement prods nobody: the answer that is damaged comes again by itself.
        if not self._asks or self.state == LinkState.AWAITING:
            events.append(self._transmit(bytes((LinkOctet.NAK,)), now))

    def _acknowledged(self, now: float, *, implied: bool = False) -> list[LinkEvent]:
        self._at += 1
        self._tries = 0
        if self._at < len(self._parts) and not implied:
            self._follow(LinkChange.PART_ACKNOWLEDGED)
            return [self._transmit_part(now)]
        self._overdue = None
        if self._asks:
            self._follow(LinkChange.ACKNOWLEDGED_ASKING)
            self._overdue = now + self._answer_within
            self._series.drop()
            return [MessageAcknowledged()]
        self._follow(LinkChange.PASSED_OVER if implied else LinkChange.ACKNOWLEDGED)
        self._again_until = now + self.timing.response * (self.timing.retries + 1)
        self._silent = now + self.timing.traffic
        return [MessageAcknowledged(implied)]

    def _repeat(self, now: float, events: list[LinkEvent], why: str) -> None:
        self._echo.forget()
        if self._tries >= self.timing.retries:
            text = f"{why} in {self._tries + 1} attempts"
            self._fail(LinkChange.GIVEN_UP, PeerSilent(text), events)
            return
        self._follow(LinkChange.REPEATED)
        self._tries += 1
        self.counts["repeated"] += 1
        events.append(self._transmit_part(now))

    def _take_packet(self, packet: SerialPacket, now: float, events: list[LinkEvent]) -> None:
        profile = self._profile
        if packet.swapped_crc and profile.crc_order == CrcOrder.EITHER:
            self._note("swapped-crc", "packet.crc", "the high octet of the CRC comes first", events)
        if packet.data_format != profile.data_format:
            text = f"data format {packet.data_format}, where {profile.data_format} is spoken"
            self._refuse(DecodeError("packet.control", 2, text), now, events)
            return
        if not self._is_for_us(packet.identity):
            self.counts["for others"] += 1
            return
        if self._parts and packet.encode() == self._parts[0]:  # an echo that noise has put out of step
            self.counts["echo"] += 1
            return
        if profile.data_format == 1 and self._asks and self.state == LinkState.SENDING and packet.acknowledgement:
            if packet.acknowledgement == _DAMAGED:
                self._repeat(now, events, "the packet was refused")
                return
            events += self._acknowledged(now)
        if not packet.data:  # supervision of a line of C12.22
            self.counts["empty"] += 1
            self._accept(packet, now, events)
            return
        if self.state == LinkState.SENDING:
            if self._asks:
                # Perhaps the answer, and its acknowledgement is lost; or one to an older question. Nobody can tell.
                self.counts["unexpected"] += 1
                self._accept(packet, now, events)
                return
            if packet != self._last or packet.data == _IDENTIFY:
                events += self._acknowledged(now, implied=True)
        identify = not self._asks and packet.data == _IDENTIFY
        if packet == self._last and not identify and (profile.check_toggle or self.state != LinkState.AWAITING):
            self._duplicate(packet, now, events)
            return
        again = packet == self._last
        self._check_toggle(packet, identify=identify, events=events)
        self._accept(packet, now, events)
        self._last = packet
        if not self._asks:
            self._parts = []  # the last answer is none to this request, should that come again
        if self._asks and self.state != LinkState.AWAITING:
            self.counts["unsolicited"] += 1
            return
        self._put_together(packet, again, now, events)

    def _is_for_us(self, identity: int) -> bool:
        own = self._profile.identity
        if self._asks:
            return self._profile.any_identity or own in {0, identity}
        return identity in {0, own}

    def _accept(self, packet: SerialPacket, now: float, events: list[LinkEvent]) -> None:
        """Acknowledge a packet, unless its sender says that the answer will do so."""
        if not self._asks:
            self._silent = now + self.timing.traffic
        if self._profile.data_format == 1 and (packet.acknowledgement or not self._asks):
            return
        events.append(self._transmit(bytes((LinkOctet.ACK,)), now))

    def _duplicate(self, packet: SerialPacket, now: float, events: list[LinkEvent]) -> None:
        self.counts["duplicate"] += 1
        self._accept(packet, now, events)
        if self._asks or self.state != LinkState.IDLE or not self._parts or now > self._again_until:
            return
        # It never saw the acknowledgement, so it has thrown the answer away too: the same octets, never a second deed.
        self._follow(LinkChange.ASKED_AGAIN)
        self._at = self._tries = 0
        self.counts["answered again"] += 1
        events.append(self._transmit_part(now))

    def _check_toggle(self, packet: SerialPacket, *, identify: bool, events: list[LinkEvent]) -> None:
        last = self._last
        if not self._profile.check_toggle or last is None or identify or packet.toggle != last.toggle:
            return
        # Repeating the service would do a write twice, or be refused: the packet is good, and taken.
        self._note("toggle-fault", "packet.control", "the toggle bit did not flip, the packet is taken as new", events)

    def _put_together(self, packet: SerialPacket, again: bool, now: float, events: list[LinkEvent]) -> None:
        try:
            message = self._series.take(packet, self.packets)
        except DecodeError as error:
            kind = "too-long" if isinstance(error, LimitExceeded) else "series-broken"
            self._note(kind, error.path, error.reason, events)
            if self._asks:
                self._fail(LinkChange.BROKEN, error, events)
            return
        if message is None:
            if self._asks and packet.control & MULTI_PACKET:
                self._overdue = now + self.timing.traffic
            return
        if self._asks:
            self._follow(LinkChange.ANSWERED)
            self._overdue = None
        events.append(MessageArrived(message, again))
