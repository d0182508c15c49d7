import contextlib
import itertools
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from c1222.errors import DecodeError, EncodeError, LimitExceeded
from c1222.message.acse import Acse, decode_acse
from c1222.message.aptitle import ApTitle
from c1222.message.segmentation import (
    CannotSegment,
    Reassembler,
    SegmentError,
    SegmentLimit,
    cut,
    slice_size,
)
from tests.c1222.message.known import OCTETS, SEGMENTED, mutated

WHOLE = bytes.fromhex(SEGMENTED["octets"])
PARTS = [bytes.fromhex(text) for text in SEGMENTED["segments"]]
LONG = Acse.build(
    called=ApTitle(".123.8437"),
    calling=ApTitle(".123.4"),
    calling_invocation_id=77,
    user_information=bytes(range(256)) * 4,
).octets


def segments(apdu: bytes, size: int) -> list[Acse]:
    return [decode_acse(part) for part in cut(apdu, size)]


def segment(octets: bytes, offset: int, total: int, **fields: Any) -> Acse:
    defaults: dict[str, Any] = {"called": ApTitle(".1"), "calling": ApTitle(".2"), "calling_invocation_id": 3}
    return Acse.build(
        user_information=octets, called_ae_qualifier=total, indirect_reference=offset, **(defaults | fields)
    )


def test_example_8_is_cut_octet_for_octet() -> None:
    assert cut(WHOLE, SEGMENTED["slice"]) == PARTS


def test_example_8_is_put_together() -> None:
    for order in itertools.permutations(PARTS):
        reassembler = Reassembler()
        assert reassembler.add(decode_acse(order[0]), 0.0, frame=7) is None
        assert len(reassembler) == 1
        done = reassembler.add(decode_acse(order[1]), 1.0, frame=9)
        assert done is not None
        assert done.acse.octets == WHOLE
        assert done.frames == (7, 9)
        assert len(reassembler) == 0


def test_a_slice_that_begins_before_one_held_and_ends_in_it() -> None:
    held, before = segments(LONG, 60)[1], segments(LONG, 100)[0]
    reassembler = Reassembler()
    assert reassembler.add(held, 0.0) is None
    assert reassembler.add(before, 0.0) is None
    for rest in segments(LONG, 60)[2:]:
        done = reassembler.add(rest, 0.0)
    assert done is not None
    assert done.acse.octets == LONG
    assert done.frames == (), "none were told"
    reassembler.add(held, 0.0)
    _, start, end = before.user_information
    changed = bytearray(before.octets[start:end])
    total, fields = len(LONG), {name: getattr(before, name) for name in ("called", "calling", "calling_invocation_id")}
    changed[60] ^= 1
    with pytest.raises(SegmentError, match="octets 60 to 100 came with another content"):
        reassembler.add(segment(bytes(changed), 0, total, **fields), 0.0)
    changed[60] ^= 1
    changed[59] ^= 1  # in front of the one held: nothing contradicts it
    assert reassembler.add(segment(bytes(changed), 0, total, **fields), 0.0) is None


@given(st.integers(1, 1200), st.randoms(use_true_random=False), st.sampled_from([*OCTETS[:18], LONG]))
@settings(max_examples=60)
def test_any_cut_in_any_order_with_duplicates(size: int, rng: random.Random, apdu: bytes) -> None:
    size = max(size, len(apdu) // 60)
    parts = segments(apdu, size)
    if len(apdu) <= size:
        assert [part.octets for part in parts] == [apdu]
        return
    assert b"".join(part.payload for part in parts) == apdu
    rng.shuffle(parts)
    reassembler = Reassembler()
    for number, part in enumerate(parts, 1):
        done = reassembler.add(part, 0.0, frame=number)
        if number < len(parts):
            assert done is None
            assert reassembler.add(part, 0.0, frame=-number) is None  # a duplicate changes nothing
    assert done is not None
    assert done.acse.octets == apdu
    assert done.frames == tuple(range(1, len(parts) + 1))
    assert reassembler.refused == 0


@pytest.mark.parametrize("apdu", [*OCTETS[:18], LONG], ids=lambda o: o.hex()[:30])
@pytest.mark.parametrize("limit", [60, 100, 160, 200, 300])
def test_slices_fill_the_room_there_is(apdu: bytes, limit: int) -> None:
    try:
        size = slice_size(apdu, limit)
    except CannotSegment:
        # Not even one octet fits: the titles fill the segment.
        assert len(cut(apdu, 1)[-1]) > limit
        return
    assert all(len(part) <= limit for part in cut(apdu, size))
    if len(apdu) > limit:
        assert any(len(part) > limit - 3 for part in cut(apdu, size))
        with pytest.raises(CannotSegment):
            slice_size(apdu, 20)
    else:
        assert size == len(apdu)


SHORT = Acse.build(
    called=ApTitle(".123.8437"), calling=ApTitle(".123.4"), calling_invocation_id=77, user_information=bytes(226)
).octets


@pytest.mark.parametrize(("apdu", "limits"), [(LONG, range(140, 330)), (SHORT, range(100, 250))])
def test_no_slice_could_be_larger(apdu: bytes, limits: range) -> None:
    for limit in limits:
        size = slice_size(apdu, limit)
        assert max(map(len, cut(apdu, size))) <= limit < max(map(len, cut(apdu, size + 1))), limit


def test_what_fits_is_its_only_slice() -> None:
    assert len(SHORT) == 256  # its last octet has the largest offset of one octet
    assert slice_size(SHORT, len(SHORT)) == len(SHORT)
    assert slice_size(SHORT, len(SHORT) - 1) < len(SHORT)


def test_segments_copy_what_the_receiver_needs_and_nothing_else() -> None:
    whole = next(o for o in OCTETS if 0xA1 in decode_acse(o).spans)
    for part in segments(whole, 30):
        assert set(part.spans) == {0xA1, 0xA2, 0xA3, 0xA6, 0xA8, 0xBE}
    whole = next(o for o in OCTETS if 0xA7 in decode_acse(o).spans)
    assert segments(whole, 30)[1].calling_ae_qualifier == 4
    response = next(o for o in OCTETS if 0xA4 in decode_acse(o).spans)
    assert 0xA4 not in segments(response, 30)[0].spans


def test_what_cannot_be_cut() -> None:
    with pytest.raises(CannotSegment):
        cut(WHOLE, 0)
    with pytest.raises(CannotSegment) as caught:
        cut(PARTS[0], 10)
    assert caught.value.code == 0x11
    assert isinstance(caught.value, EncodeError)
    with pytest.raises(CannotSegment):
        slice_size(bytes(1 << 24), 100)
    with pytest.raises(DecodeError):
        cut(b"\x60\x03abc", 2)


@pytest.mark.parametrize(
    ("bad", "path"),
    [
        (segment(b"abc", 10, 10), "acse.user-information"),
        (segment(b"abc", 8, 10), "acse.user-information"),
        (segment(b"", 8, 10), "acse.user-information"),
        (segment(b"abc", 0, 10, called_invocation_id=1), "acse.called-AP-invocation-id"),
        (segment(b"abc", 0, 10, mechanism="2.16.124.113620.1.22.2.1"), "acse.mechanism-name"),
        (segment(b"abc", 0, 10, authentication=decode_acse(WHOLE).authentication), "acse.calling-authentication-value"),
        (decode_acse(WHOLE), "acse.called-AE-qualifier"),
    ],
)
def test_impossible_segments(bad: Acse, path: str) -> None:
    reassembler = Reassembler()
    with pytest.raises(SegmentError) as caught:
        reassembler.add(bad, 0.0)
    assert caught.value.path == path
    assert caught.value.code == 0x12
    assert (caught.value.segment_offset, caught.value.total) == (
        bad.user_information.indirect_reference or 0,
        bad.called_ae_qualifier or 0,
    )
    assert len(reassembler) == 0
    assert reassembler.refused == 1


def test_segments_that_contradict_the_ones_before_are_refused_and_harm_nothing() -> None:
    first, second = segments(WHOLE, 48)
    base = {"called": first.called, "calling": first.calling, "calling_invocation_id": first.calling_invocation_id}
    reassembler = Reassembler()
    assert reassembler.add(first, 0.0) is None
    for bad, path in (
        (segment(b"abc", 50, 90, **base), "acse.called-AE-qualifier"),
        (segment(b"abc", 50, 81, **(base | {"called": ApTitle(".9")})), "acse.called-AP-title"),
        (segment(b"abc", 20, 81, **base), "acse.user-information"),
    ):
        with pytest.raises(SegmentError) as caught:
            reassembler.add(bad, 0.0)
        assert caught.value.path == path
    # Overlapping octets that agree are no contradiction.
    assert reassembler.add(segment(WHOLE[20:60], 20, 81, **base), 0.0) is None
    done = reassembler.add(second, 0.0)
    assert done is not None
    assert done.acse.octets == WHOLE
    assert reassembler.refused == 3


@pytest.mark.parametrize(
    ("whole", "path"),
    [
        (bytes(81), "acse"),
        (b"\x60\x4e" + WHOLE[2:], "acse"),
        (WHOLE.replace(bytes.fromhex("7bc175"), bytes.fromhex("7bc176")), "acse.called-AP-title"),
        (WHOLE.replace(bytes.fromhex("80027b04"), bytes.fromhex("80027b05")), "acse.calling-AP-title"),
        (WHOLE.replace(bytes.fromhex("a803020103"), bytes.fromhex("a803020104")), "acse.calling-AP-invocation-id"),
        (segment(bytes(40), 0, 81).octets, "acse.called-AE-qualifier"),
    ],
)
def test_the_whole_is_compared_with_its_segments(whole: bytes, path: str) -> None:
    acse = decode_acse(WHOLE)
    base = {"called": acse.called, "calling": acse.calling, "calling_invocation_id": acse.calling_invocation_id}
    reassembler = Reassembler()
    assert reassembler.add(segment(whole[:30], 0, len(whole), **base), 0.0) is None
    with pytest.raises(SegmentError, match=r".") as caught:
        reassembler.add(segment(whole[30:], 30, len(whole), **base), 0.0)
    assert caught.value.path == path
    assert caught.value.total == len(whole)
    assert (len(reassembler), reassembler.refused) == (0, 1)


def test_titles_of_segments_may_change_their_form_on_the_way() -> None:
    first, second = segments(WHOLE, 48)
    assert second.calling is not None
    other = segment(
        second.payload,
        48,
        81,
        called=first.called and first.called.absolute(),
        calling=second.calling.absolute(),
        calling_invocation_id=3,
    )
    reassembler = Reassembler()
    assert reassembler.add(first, 0.0) is None
    done = reassembler.add(other, 0.0)
    assert done is not None
    assert done.acse.octets == WHOLE


def test_one_segment_can_be_the_whole() -> None:
    acse = decode_acse(WHOLE)
    only = segment(
        WHOLE, 0, 81, called=acse.called, calling=acse.calling, calling_invocation_id=acse.calling_invocation_id
    )
    done = Reassembler().add(only, 0.0, frame=3)
    assert done is not None
    assert (done.acse.octets, done.frames) == (WHOLE, (3,))


def test_size_limit() -> None:
    with pytest.raises(SegmentLimit) as caught:
        Reassembler(max_octets=80).add(decode_acse(PARTS[0]), 0.0)
    assert isinstance(caught.value, LimitExceeded)
    assert caught.value.total == 81
    assert Reassembler(max_octets=81).add(decode_acse(PARTS[0]), 0.0) is None


def test_limit_of_separate_parts() -> None:
    reassembler = Reassembler(max_parts=3)
    for offset in (0, 4, 8):
        assert reassembler.add(segment(b"ab", offset, 100), 0.0) is None
    with pytest.raises(SegmentLimit):
        reassembler.add(segment(b"ab", 12, 100), 0.0)
    assert reassembler.add(segment(b"ab", 2, 100), 0.0) is None  # closes a gap
    assert reassembler.add(segment(b"ab", 12, 100), 0.0) is None


def test_oldest_message_goes_when_there_is_no_room() -> None:
    reassembler = Reassembler(max_messages=2)
    for number in (1, 2, 3):
        assert reassembler.add(segment(b"ab", 0, 10, calling_invocation_id=number), number, frame=number) is None
    assert (len(reassembler), reassembler.evicted, reassembler.expired) == (2, 1, 0)
    lost = reassembler.lost.popleft()
    assert (lost.invocation_id, lost.total, lost.received, lost.frames) == (1, 10, 2, (1,))
    assert lost.calling == ApTitle(".2")
    reassembler.close()
    assert [message.invocation_id for message in reassembler.lost] == [2, 3]
    assert len(reassembler) == 0


def test_when_there_is_no_room_who_holds_most_gives_way() -> None:
    reassembler = Reassembler(max_messages=4)

    def add(number: int, peer: str) -> None:
        assert reassembler.add(segment(b"ab", 0, 10, calling_invocation_id=number), 0.0, peer=peer) is None

    def given_up() -> list[int]:
        lost = [message.invocation_id for message in reassembler.lost]
        reassembler.lost.clear()
        return lost

    add(1, "other")
    for number in range(10, 16):
        add(number, "greedy")
    assert given_up() == [10, 11, 12]
    add(2, "third")
    assert given_up() == [13]
    add(3, "other")
    assert given_up() == [1]
    assert len(reassembler) == 4


def test_where_segments_may_be_spoofed_what_came_last_counts() -> None:
    reassembler = Reassembler(spoofable=True)
    first, second = segments(LONG, len(LONG) // 2 + 1)
    fields = {"called": first.called, "calling": first.calling, "calling_invocation_id": 77}
    for wrong in (
        segment(bytes(500), 0, len(LONG), **fields),
        segment(bytes(500), 100, len(LONG), **fields),
        segment(bytes(500), 0, len(LONG) + 1, **fields),
        segment(bytes(500), 0, len(LONG), **fields | {"called": ApTitle(".9")}),
    ):
        assert reassembler.add(wrong, 0.0) is None
    assert len(reassembler) == 3
    assert reassembler.add(first, 0.0) is None
    done = reassembler.add(second, 0.0)
    assert done is not None
    assert done.acse.octets == LONG


def test_messages_expire() -> None:
    reassembler = Reassembler(max_age=60)
    first, second = segments(WHOLE, 48)
    assert reassembler.add(first, 100.0) is None
    reassembler.expire(160.0)
    assert (len(reassembler), reassembler.expired) == (1, 0)
    assert reassembler.add(second, 160.1) is None  # too late: the first one is gone
    assert (len(reassembler), reassembler.expired, len(reassembler.lost)) == (1, 1, 1)
    assert reassembler.add(first, 161.0) is not None


def test_messages_are_kept_apart() -> None:
    first, second = segments(WHOLE, 48)
    reassembler = Reassembler()
    assert reassembler.add(first, 0.0, source="one") is None
    assert reassembler.add(second, 0.0, source="other") is None
    assert reassembler.add(segment(second.payload, 48, 81, calling=first.calling, calling_invocation_id=4), 0.0) is None
    assert len(reassembler) == 3
    assert reassembler.add(second, 0.0, source="one") is not None


def test_what_is_lost_is_bounded() -> None:
    reassembler = Reassembler(max_messages=5)
    for number in range(1000):
        reassembler.add(segment(b"ab", 0, 30000, calling_invocation_id=number), 0.0)
    assert (len(reassembler), reassembler.evicted, len(reassembler.lost)) == (5, 995, 5)


@given(st.lists(mutated(), max_size=6))
@settings(max_examples=60)
def test_anything_thrown_at_it(octets: list[bytes]) -> None:
    reassembler = Reassembler(max_messages=2, max_parts=2)
    for number, each in enumerate([*octets, *PARTS]):
        with contextlib.suppress(DecodeError):
            reassembler.add(decode_acse(each), float(number))
        assert len(reassembler) <= 2
