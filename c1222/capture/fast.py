"""The short road from a packet to a message, for nearly all there are.

It takes UDP datagrams in Ethernet and IPv4, and APDUs however they came, if the APDU is of the usual form, is in clear
or verified by the authentication value it carries, and has a list of services that holds together. It gives the message
that the general road in ``decoder`` gives, at a third of the cost, and leaves all else to that road before anything was
counted or remembered. Tests hold the two equal.
"""
# ruff: noqa: SLF001 - messages are made here past their constructor, slot by slot

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, Final, cast

from c1222.capture.message import CapturedMessage
from c1222.errors import DecodeError, InvalidTag, ShortHeader
from c1222.message.epsem import ED_CLASS_SIZE, MAC_SIZE, SecurityMode, split_services
from c1222.message.flat import UsualEnvelopes, UsualLengths, usual_pattern
from c1222.security.canonical import UsualTitles
from c1222.security.eax_prime import BLOCK_SIZE

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from c1222.capture.early import EarlyResponses
    from c1222.capture.files.reader import Packet
    from c1222.capture.message import Counters, Remembered
    from c1222.capture.network.framing import Apdu
    from c1222.message.flat import Usual
    from c1222.protocol.pairing import Associations
    from c1222.security.keys import Key, KeyStore

__all__ = ["ShortRoad"]

# Ethernet type; IPv4 version and header length, total length, fragmentation, protocol; addresses and ports; UDP length
_headers: Final = struct.Struct(">12xHBxH2xHxB2x12sH2x").unpack_from
_UDP_AND_IPV4: Final = 28  # octets of both headers
_ETHERNET: Final = 14
_ENCRYPTED: Final = SecurityMode.CIPHERTEXT_AUTHENTICATION << 2
_AUTHENTICATED: Final = SecurityMode.CLEARTEXT_AUTHENTICATION << 2


class ShortRoad:
    """Makes messages of what is usual; both of its methods return None for what is not.

    Args:
        keys: the keys known.
        associations: the memory of the listener.
        counters: what is counted.
        proven: keys that have verified messages.
        early: the responses whose request was not seen yet.
        ports: UDP ports of C12.22.
        by_content: also take other ports.
        max_size: octets of the largest APDU accepted.
    """

    __slots__ = (
        "_answer",
        "_ask",
        "_by_content",
        "_counters",
        "_envelopes",
        "_expect",
        "_find",
        "_last",
        "_last_eax",
        "_lengths",
        "_match",
        "_max_size",
        "_ports",
        "_proven",
        "_remember",
        "_titles",
    )

    def __init__(
        self,
        keys: KeyStore,
        associations: Associations[Remembered],
        counters: Counters,
        proven: set[Key],
        early: EarlyResponses,
        *,
        ports: Collection[int],
        by_content: bool,
        max_size: int,
    ) -> None:
        self._match = usual_pattern().match
        self._lengths = UsualLengths()
        self._envelopes = UsualEnvelopes()
        self._titles = UsualTitles(keys.base_oid.content)
        self._find = keys.find_absolute
        self._ask = associations.ask
        self._answer = associations.answer
        self._remember = associations.sessions.put
        self._expect = early.expect
        self._counters = counters
        self._proven = proven
        self._last: Key | None = None
        self._last_eax: Any = None
        self._ports = frozenset([port.to_bytes(2) for port in ports if 0 <= port <= 0xFFFF])
        self._by_content = by_content
        self._max_size = max_size

    def of_packet(self, packet: Packet) -> CapturedMessage | None:
        """Return the message in a packet.

        Args:
            packet: any packet.
        """
        frame, time_ns, link_type, data, _ = packet
        size = len(data) - _ETHERNET
        if link_type != 1 or size < _UDP_AND_IPV4:
            return None
        kind, version, total, fragmentation, protocol, key, udp_size = _headers(data)
        if (
            protocol != 17
            or version != 0x45
            or kind != 0x0800
            or total != size
            or udp_size != size - 20
            or fragmentation & 0x3FFF
        ):
            return None
        if not (self._by_content or key[8:10] in self._ports or key[10:] in self._ports):
            return None
        message = self._message(data[_ETHERNET + _UDP_AND_IPV4 :], frame, key)
        if message is not None:
            message.time_ns = time_ns
            message.transport = "udp"
            message._flow = key
        return message

    def of_apdu(self, item: Apdu) -> CapturedMessage | None:
        """Return the message that an APDU is.

        Args:
            item: a whole APDU.
        """
        frame, time_ns, src, dst, transport, octets, _, findings = item
        message = None if findings else self._message(octets, frame, (src, dst))
        if message is not None:
            message.time_ns = time_ns
            message.src = src
            message.dst = dst
            message.transport = transport
        return message

    def _message(self, octets: bytes, frame: int, where: bytes | tuple[str, str]) -> CapturedMessage | None:
        found = self._match(octets)
        if found is None:
            return None
        parts = cast("Usual", found.groups())
        length, called, quoted, calling, middle, _, number, key_id, iv, envelope, rest = parts
        size = len(octets)
        if self._envelopes[len(rest)] != envelope or self._lengths[size] != length or size > self._max_size:
            return None
        try:
            to, _, to_content = self._titles[called]
            by, by_form, by_content = self._titles[calling]
        except DecodeError:
            return None

        control = middle[-1]
        mode = control & 0x0C
        key = None
        body = rest
        if mode:
            if key_id is None or iv is None:
                return None
            header = b"".join((to, quoted or b"", middle, by_form, key_id, iv))
            for key in self._find(to_content, by_content, key_id[0]):
                eax = self._last_eax if key is self._last else key.eax
                try:
                    if mode == _ENCRYPTED:
                        body = eax.decrypt(header, rest)
                        break
                    if mode == _AUTHENTICATED and len(header) > BLOCK_SIZE:
                        body = rest[:-MAC_SIZE]
                        eax.verify(header + body, rest[-MAC_SIZE:])
                        break
                except (InvalidTag, ShortHeader):
                    continue
            else:
                return None

        size = len(body)
        start = ED_CLASS_SIZE if control & 0x10 else 0
        if not start and 1 < size <= 0x80 and body[0] == size - 1:
            spans: Sequence[tuple[int, int]] = ((1, size),)
        elif size <= start:
            return None
        else:
            try:
                spans = split_services(body, start, size)
            except DecodeError:
                return None

        message = CapturedMessage.__new__(CapturedMessage)
        message.octets = octets
        message.frame = frame
        message.usual = parts
        message._key = key
        message._body = body
        message._spans = spans
        message._start = start
        counters = self._counters
        counters.messages += 1
        if key is None:
            counters.cleartext += 1
        else:
            counters.verified += 1
            if key is not self._last:
                self._last, self._last_eax = key, key.eax
                self._proven.add(key)
            self._remember(to + by, key_id + iv)  # type: ignore[operator]  # a message that was opened has both
        if quoted is None:
            self._ask(to, by, number[4:], (frame, body[start:] if start else body, key is not None), where)
            message.reply_to = None
            message._asked = b""
        else:
            counters.responses += 1
            request = self._answer(to, by, quoted[4:], where)
            if request is None:
                counters.unpaired += 1
                message.reply_to = None
                message._asked = b""
                self._expect(message, to, by, quoted[4:], where)
            else:
                message.reply_to, message._asked, message.request_verified = request
        return message
