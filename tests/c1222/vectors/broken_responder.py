"""A program that answers cases as this library does, but for one mistake: ``broken_responder.py MISTAKE``.

The mistakes are ones that implementations have made, or that the sources warn of. Each is put where it belongs in the
library; nothing else is changed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[3]))

from c1219 import datatypes
from c1219.views.profile import blocks as profile_blocks
from c1219.wire import numbers, text, times
from c1219.wire.form import Formats
from c1222.message import acse, aptitle, epsem
from c1222.message.ber import read_length, tlv
from c1222.security import canonical, eax_prime, sealing
from c1222.serial import link, packet
from c1222.services import table_data
from c1222.vectors import meters, octets, operations, secured


def big_endian_doubling() -> None:
    eax_prime.double_reversed = lambda block: eax_prime._double(block).to_bytes(16)


def counter_mask_on_other_octets() -> None:
    eax_prime.COUNTER_MASK = ~(0x80 << 8 * 14 | 0x80 << 8 * 12)  # octets 1 and 3, as printed in 2008


def reversed_mac() -> None:
    right = secured.EAXPrime.encrypt
    secured.EAXPrime.encrypt = lambda self, header, body: (sealed := right(self, header, body))[:-4] + sealed[:-5:-1]


def mac_over_the_header_only() -> None:
    secured._signed_data = lambda case: (case.octets("key"), case.octets("header"))


def short_headers_taken() -> None:
    eax_prime.BLOCK_SIZE = 0
    sealing.BLOCK_SIZE = 0
    secured.BLOCK_SIZE = 0


def relative_titles_left_relative() -> None:
    def forms(octets: bytes) -> tuple[bytes, bytes, bytes]:
        title, layout = canonical.ApTitle.from_tlv(octets), canonical._layout()
        called, calling = (tlv(tag, title.tlv()) for tag in (layout.called, layout.calling))
        return called, calling, title.content

    canonical._forms = lambda base: canonical.BoundedDict(canonical.REMEMBERED_TITLES, forms)


def _header(change: Callable[[list[Any]], list[Any]]) -> None:
    right = canonical.pieces

    def header(message: Any, *, key_id: int | None, iv: bytes, base: Any = canonical.DEFAULT_BASE) -> bytes:
        return b"".join(piece.octets for piece in change(right(message, key_id=key_id, iv=iv, base=base)))

    right_parts = canonical.unsealed

    def unsealed(fields: Any, user_information: bytes, **given: Any) -> tuple[bytes, bytes]:
        apdu, _ = right_parts(fields, user_information, **given)
        size, start = read_length(user_information + bytes(1 << 16), 1, 1 << 16)
        whole = tlv(0x60, apdu + bytes(start + size - len(user_information)))
        return apdu, header(acse.decode_acse(whole), **given)

    secured.canonical_header = header
    sealing.unsealed = unsealed


def calling_title_left_in_place() -> None:
    places = ["application-context-name", "called-AP-title", "called-AP-invocation-id", "calling-AP-title"]
    _header(lambda parts: sorted(parts, key=lambda part: places.index(part.name) if part.name in places else 9))


def key_id_and_vector_left_out() -> None:
    _header(lambda parts: [part for part in parts if part.name not in {"key-id", "iv"}])


def lengths_made_minimal() -> None:
    def change(parts: list[Any]) -> list[Any]:
        found = []
        for part in parts:
            content = part.octets
            if part.name == "user-information":
                for long in (b"\x82\x00", b"\x81"):
                    for tag in (b"\xbe", b"\x28", b"\x81"):
                        at = content.find(tag + long)
                        if at >= 0 and content[at + 1 + len(long)] < 0x80:
                            content = content[: at + 1] + content[at + 1 + len(long) :]
            found.append(part._replace(octets=content))
        return found

    _header(change)


def signed_invocation_ids() -> None:
    right = acse.Acse._integer

    def integer(self: Any, name: str) -> int | None:
        value = right(self, name)
        if value is None or "invocation" not in name:
            return value
        size = max(1, (value.bit_length() + 7) // 8)
        return value - (1 << 8 * size) if value >> 8 * size - 1 else value

    acse.Acse._integer = integer


def first_octet_by_forty() -> None:
    right = aptitle.decode_oid

    def decode(content: bytes, *, relative: bool = False, **options: Any) -> tuple[int, ...]:
        arcs = right(content, relative=relative, **options)
        first = content[0]
        return arcs if relative or first < 80 + 40 else (first // 40, first % 40, *arcs[2:])

    aptitle.decode_oid = decode


def list_goes_on_behind_zero() -> None:
    right = epsem.split_services

    def split(buf: bytes, start: int, end: int, **options: Any) -> list[tuple[int, int]]:
        found: list[tuple[int, int]] = []
        while start < end:
            found += right(buf, start, end, **options)
            start = (found[-1][1] if found else start) + 1
        return found

    epsem.split_services = split


def checksum_over_the_count() -> None:
    table_data.checksum = lambda data: -(sum(data) + sum(len(data).to_bytes(3))) & 0xFF


def segments_counted_from_the_body() -> None:
    right = octets.cut
    octets.cut = lambda apdu, size: right(apdu, size + 2)


def weaker_responses_taken() -> None:
    secured.distrust = lambda message, mode: None


def bit_fields_least_significant_first() -> None:
    right = datatypes.BFLD.form
    datatypes.BFLD.form = lambda self, formats, length=None: right(self, Formats(), length)


def ones_complement_as_twos() -> None:
    right = numbers.IntForm._value

    def value(self: Any, number: int) -> Any:
        found = right(self, number)
        return found - 1 if self.signs == 1 and number >> 8 * self.size - 1 and not self.exponent else found

    numbers.IntForm._value = value


def years_from_2000() -> None:
    times._YEARS = tuple(2000 + year for year in range(100))


def sets_from_the_top_bit() -> None:
    text._MEMBERS = tuple(tuple(bit for bit in range(8) if octet << bit & 0x80) for octet in range(256))


def identifiers_are_text() -> None:
    datatypes.IDENTIFIER.form = lambda self, formats, length=None: datatypes.STRING.form(
        self, formats._replace(ID_FORM=0), length
    )


def counts_are_entries() -> None:
    right = meters.ReadOffsetRequest
    meters.ReadOffsetRequest = lambda table, offset, size: right(table, offset, max(size - 1, 0))


def blocks_taken_as_they_stand() -> None:
    right = profile_blocks.newest_first
    profile_blocks.newest_first = lambda *given, **options: right(*given, **{**options, "descending": False})


def high_octet_of_the_crc_first() -> None:
    right = packet.crc16
    packet.crc16 = lambda octets: int.from_bytes(right(octets).to_bytes(2, "big"), "little")


def repetitions_taken_as_new() -> None:
    def taken(self: Any, found: Any, now: float, events: list[Any]) -> None:
        self._accept(found, now, events)
        events.append(link.MessageArrived(found.data))

    link.SerialLink._duplicate = taken  # type: ignore[method-assign]


def three_attempts() -> None:
    link.SerialLink.__init__.__defaults__ = (link.PLAIN, link.C1218_TIMING._replace(retries=2))  # type: ignore[misc]


MISTAKES: dict[str, tuple[Callable[[], None], str]] = {
    "big-endian-doubling": (big_endian_doubling, "eax-prime"),
    "counter-mask-on-other-octets": (counter_mask_on_other_octets, "eax-prime"),
    "reversed-mac": (reversed_mac, "eax-prime"),
    "mac-over-the-header-only": (mac_over_the_header_only, "eax-prime"),
    "short-headers-taken": (short_headers_taken, "eax-prime"),
    "relative-titles-left-relative": (relative_titles_left_relative, "canonical-header"),
    "calling-title-left-in-place": (calling_title_left_in_place, "canonical-header"),
    "key-id-and-vector-left-out": (key_id_and_vector_left_out, "canonical-header"),
    "lengths-made-minimal": (lengths_made_minimal, "canonical-header"),
    "signed-invocation-ids": (signed_invocation_ids, "acse"),
    "first-octet-by-forty": (first_octet_by_forty, "ap-titles"),
    "list-goes-on-behind-zero": (list_goes_on_behind_zero, "epsem"),
    "checksum-over-the-count": (checksum_over_the_count, "services"),
    "segments-counted-from-the-body": (segments_counted_from_the_body, "segments"),
    "weaker-responses-taken": (weaker_responses_taken, "exchanges"),
    "bit-fields-least-significant-first": (bit_fields_least_significant_first, "types-numbers"),
    "ones-complement-as-twos": (ones_complement_as_twos, "types-numbers"),
    "years-from-2000": (years_from_2000, "types-times"),
    "sets-from-the-top-bit": (sets_from_the_top_bit, "types-text"),
    "identifiers-are-text": (identifiers_are_text, "types-text"),
    "counts-are-entries": (counts_are_entries, "partial-reads"),
    "blocks-taken-as-they-stand": (blocks_taken_as_they_stand, "load-profiles"),
    "high-octet-of-the-crc-first": (high_octet_of_the_crc_first, "serial-packets"),
    "repetitions-taken-as-new": (repetitions_taken_as_new, "serial-streams"),
    "three-attempts": (three_attempts, "serial-exchanges"),
}
"""Mistake to what makes it, and the family that shows it first."""


if __name__ == "__main__":
    MISTAKES[sys.argv[1]][0]()
    operations.serve(sys.stdin.buffer, sys.stdout.buffer)
