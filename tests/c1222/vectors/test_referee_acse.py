"""APDUs of the vectors by a second encoder and decoder: pyasn1's, on the same declaration. Segments by hand."""

from __future__ import annotations

from typing import Any

from pyasn1.codec.ber import encoder

from c1222.message.acse import declaration, decode_acse
from c1222.message.aptitle import ApTitle
from tests.c1222.message.oracle import our_values, pyasn1_values, same
from tests.c1222.vectors.committed import asked
from tests.c1222.vectors.second_reading import canonical, element, elements, string_of

NAMES = {
    "application_context": "application-context-name",
    "called": "called-AP-title",
    "called_ae_qualifier": "called-AE-qualifier",
    "called_invocation_id": "called-AP-invocation-id",
    "calling": "calling-AP-title",
    "calling_ae_qualifier": "calling-AE-qualifier",
    "calling_invocation_id": "calling-AP-invocation-id",
    "mechanism": "mechanism-name",
}


def built(given: dict[str, Any]) -> bytes:
    """Return the APDU that pyasn1 makes of these elements."""
    apdu = declaration().clone()
    for name, element_name in NAMES.items():
        if name not in given:
            continue
        if name in {"called", "calling"}:
            title = ApTitle(given[name])
            apdu[element_name]["relative" if title.is_relative else "absolute"] = title.arcs
        else:
            value = given[name]
            apdu[element_name] = tuple(map(int, value.split("."))) if isinstance(value, str) else value
    if "authentication" in given:
        single = apdu["calling-authentication-value"]["encoding"]["single-ASN1-type"]["c12-22"]
        single["key-id"] = bytes([given["authentication"]["key_id"]])
        single["iv"] = bytes.fromhex(given["authentication"]["iv"])
    information = apdu["user-information"]
    if "indirect_reference" in given:
        information["indirect-reference"] = given["indirect_reference"]
    information["encoding"]["octet-aligned"] = bytes.fromhex(given["user_information"])
    return bytes(encoder.encode(apdu))


def signs_agree(value: int) -> bool:
    """Whether the shortest unsigned form has its top bit clear, so that pyasn1, which is signed, writes it alike."""
    return value == 0 or value.bit_length() % 8 != 0


def test_a_second_encoder_makes_the_same_octets() -> None:
    equal = 0
    for case, given in asked("acse", "acse.encode"):
        octets = built(given)
        ours = bytes.fromhex((case.output or {})["apdu"])
        numbers = [given[name] for name in (*NAMES, "indirect_reference") if isinstance(given.get(name), int)]
        if all(map(signs_agree, numbers)):
            assert octets == ours, case.comment
            equal += 1
        else:  # a zero goes before the number: the same message otherwise
            assert our_values(decode_acse(octets)) == our_values(decode_acse(ours)), case.comment
    assert equal > 60


def test_what_is_valid_is_taken_by_a_second_decoder_with_equal_values() -> None:
    seen = 0
    for case, given in asked("acse", "acse.decode"):
        octets = bytes.fromhex(given["apdu"])
        theirs = pyasn1_values(octets)
        if case.result == "valid":
            assert theirs is not None, case.comment
            assert same(our_values(decode_acse(octets)), theirs)
            seen += 1
    assert seen > 70


PYASN1_TAKES = {
    *("the indefinite length", "BE: the indefinite length"),
    *(f"{tag}: an integer of no octets" for tag in ("A4", "A7", "A8")),
    *("BE: an indirect reference of no octets", "BE: an indirect reference of six octets"),
}
"""Malformed by X.690 or by C12.22, and yet taken by pyasn1, which is lenient there."""


def test_what_is_malformed_is_refused_by_a_second_decoder() -> None:
    taken = {
        case.comment
        for case, given in asked("acse", "acse.decode")
        if case.result == "invalid" and pyasn1_values(bytes.fromhex(given["apdu"])) is not None
    }
    assert taken == PYASN1_TAKES


def test_sealed_messages_are_taken_by_a_second_decoder() -> None:
    for case, _ in asked("messages", "message.seal"):
        octets = bytes.fromhex((case.output or {})["apdu"])
        theirs = pyasn1_values(octets)
        assert theirs is not None
        assert same(our_values(decode_acse(octets)), theirs)
        assert theirs["user-information"]["octet-aligned"] == string_of(octets)


def slice_of(segment: bytes) -> tuple[int, int, bytes]:
    """Return size of the whole, offset and slice of a segment."""
    _, start, end = element(segment, 0)
    found = elements(segment, start, end)
    _, start, end = found[0xA3]
    _, first, last = element(segment, start)
    _, inner, _ = found[0xBE]
    _, inner, stop = element(segment, inner)
    parts = elements(segment, inner, stop)
    _, low, high = parts[2]
    return int.from_bytes(segment[first:last], "big"), int.from_bytes(segment[low:high], "big"), string_of(segment)


def test_segments_cut() -> None:
    for case, given in asked("segments", "segments.cut"):
        if case.result != "valid":
            continue
        whole = bytes.fromhex(given["apdu"])
        segments = [bytes.fromhex(segment) for segment in (case.output or {})["segments"]]
        if len(whole) <= given["size"]:
            assert segments == [whole]
            continue
        found = [slice_of(segment) for segment in segments]
        assert {size for size, _, _ in found} == {len(whole)}
        assert [offset for _, offset, _ in found] == [*range(0, len(whole), given["size"])]
        assert b"".join(part for _, _, part in found) == whole
        tags = {tag for segment in segments for tag in elements(segment, element(segment, 0)[1], len(segment))}
        assert tags <= {0xA1, 0xA2, 0xA3, 0xA6, 0xA7, 0xA8, 0xBE}


def test_segments_joined() -> None:
    seen = {True: 0, False: 0}
    for case, given in asked("segments", "segments.join"):
        if case.result != "valid":
            continue
        numbers = {canonical(bytes.fromhex(part), None, b"").partition(b"\xa8")[2][:4] for part in given["segments"]}
        found: dict[int, bytes] = {}
        size = 0
        for part in given["segments"]:
            size, offset, octets = slice_of(bytes.fromhex(part))
            found[offset] = octets
        whole = b"".join(octets for _, octets in sorted(found.items()))
        complete = len(whole) == size and len(numbers) == 1
        seen[complete] += 1
        assert (case.output or {})["apdu"] == (whole.hex() if complete else None), case.comment
    assert min(seen.values()) > 5
