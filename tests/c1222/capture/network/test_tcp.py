from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from c1222.capture.network.framing import Apdu, StreamRemark
from c1222.capture.network.layers import FIN, RST, SYN, Flow, Segment
from c1222.capture.network.streams import Streams
from c1222.capture.network.tcp import MAX_STREAM_OCTETS, WINDOW, StreamDirection
from c1222.capture.tally import Tally
from c1222.message.ber import tlv

FLOW = Flow(b"\x0a\0\0\1\x0a\0\0\2\4\x81\xc3\x50")
SECOND = 1_000_000_000
ACK = 0x10


def apdu(number: int, size: int = 40) -> bytes:
    user = tlv(0xBE, tlv(0x28, tlv(0x81, bytes([0x80]) + bytes([number & 0xFF]) * size)))
    return tlv(0x60, bytes.fromhex("a20580037bc175a60480027b04") + user)


def segment(
    frame: int, sequence: int, payload: bytes = b"", flags: int = ACK, *, time_ns: int | None = None, missing: int = 0
) -> Segment:
    time_ns = frame if time_ns is None else time_ns
    return Segment(frame, time_ns, "tcp", FLOW, payload, missing, sequence % 2**32, flags, None)


def read(
    *segments: Segment, **limits: int
) -> tuple[list[tuple[int, bytes]], list[tuple[str, int | None]], dict[str, int]]:
    streams = Streams(**limits)
    items = list(streams.items(segments))
    apdus = [(item.frame, item.octets) for item in items if isinstance(item, Apdu)]
    remarks = [(item.finding.code, item.finding.offset) for item in items if isinstance(item, StreamRemark)]
    return apdus, remarks, dict(streams.tally)


A, B, C = apdu(1), apdu(2, 70), apdu(3)
AB = len(A) + len(B)


# --- order ------------------------------------------------------------------------------------------------------------


@given(
    st.lists(st.integers(0, 400), min_size=1, max_size=5),
    st.lists(st.integers(1, 250), max_size=12),
    st.integers(0, 2**32 - 1),
    st.booleans(),
    st.randoms(use_true_random=False),
)
def test_any_cutting_order_and_repetition_gives_the_same_apdus(sizes, cuts, initial, syn, random):
    apdus = [apdu(n, size) for n, size in enumerate(sizes)]
    stream = b"".join(apdus)
    parts = []
    at = 0
    for cut in cuts:
        parts.append((at, stream[at : at + cut]))
        at += cut
    parts.append((at, stream[at:]))
    parts = [part for part in parts if part[1]]
    # some parts twice, some cut otherwise
    for _ in range(random.randrange(4)):
        start = random.randrange(len(stream))
        parts.append((start, stream[start : start + random.randrange(1, 300)]))
    random.shuffle(parts)
    if not syn:  # without the start of the connection, what is first seen must be its first octet
        parts.insert(0, (0, stream[:1]))
    segments = [segment(n, initial + 1 + start, data) for n, (start, data) in enumerate(parts, 2)]
    if syn:
        segments.insert(0, segment(1, initial, flags=SYN))
    segments.append(segment(99, initial + 1 + len(stream), flags=FIN | ACK))
    found, remarks, _ = read(*segments)
    assert [octets for _, octets in found] == apdus
    assert remarks == []


@given(st.lists(st.integers(1, 60), min_size=1, max_size=20), st.randoms(use_true_random=False))
def test_the_frame_that_completes_an_apdu_is_the_last_that_brought_some_of_it(cuts, random):
    stream = A + B + C
    at, parts = 0, []
    for cut in [*cuts, len(stream)]:
        parts.append((at, stream[at : at + cut]))
        at += cut
    parts = [part for part in parts if part[1]]
    random.shuffle(parts)
    frames = {start + offset: n for n, (start, data) in enumerate(parts, 2) for offset in range(len(data))}
    items = list(
        Streams().items([segment(1, 0, flags=SYN), *(segment(n, 1 + s, d) for n, (s, d) in enumerate(parts, 2))])
    )
    at = 0
    for item, octets in zip(items, (A, B, C), strict=True):
        assert item.octets == octets
        assert item.frames == tuple(sorted({frames[position] for position in range(at, at + len(octets))}))
        assert item.frame == item.time_ns == item.frames[-1]
        at += len(octets)


def test_sequence_numbers_wrap():
    start = 2**32 - len(A) - 3
    found, remarks, _ = read(segment(1, start, A), segment(2, start + AB, C), segment(3, start + len(A), B))
    assert (found, remarks) == ([(1, A), (3, B), (2, C)], [])


def test_where_segments_overlap_the_first_octets_stay():
    other = bytes(len(A))
    found, remarks, tally = read(segment(1, 0, A[:30]), segment(2, 10, other[10:30] + A[30:]), segment(3, 0, other))
    assert (found, remarks, tally) == ([(2, A)], [], {"old-octets": 1})
    held = [segment(1, 0, A[:5]), segment(2, 20, A[20:]), segment(3, 5, A[5:20] + other[20:])]
    assert read(*held)[0] == [(3, A)]


def test_a_retransmission_is_counted_and_a_keep_alive_too():
    found, remarks, tally = read(
        segment(1, 5, A), segment(2, 5, A), segment(3, 4 + len(A), b"\0"), segment(4, 5, flags=ACK)
    )
    assert (found, remarks, tally) == ([(1, A)], [], {"old-octets": 2, "no-payload": 1})


# --- start and end ----------------------------------------------------------------------------------------------------


def test_a_syn_takes_a_number_and_may_carry_data_or_come_late():
    assert read(segment(1, 9, A, SYN), segment(2, 10 + len(A), B))[0] == [(1, A), (2, B)]
    found, remarks, tally = read(segment(1, 10, A), segment(2, 9, flags=SYN), segment(3, 10 + len(A), B))
    assert (found, remarks, tally) == ([(1, A), (3, B)], [], {"no-payload": 1})
    again = [segment(1, 9, flags=SYN), segment(2, 10, A[:9]), segment(3, 9, flags=SYN), segment(4, 19, A[9:])]
    assert read(*again)[:2] == ([(4, A)], [])


def test_a_syn_with_another_number_is_another_connection():
    found, remarks, _ = read(
        segment(1, 9, flags=SYN), segment(2, 10, A + B[:9]), segment(3, 500, flags=SYN), segment(4, 501, C)
    )
    assert (found, remarks) == ([(2, A), (4, C)], [("incomplete-apdu", len(A))])


def test_an_apdu_left_incomplete_by_fin_or_rst_is_told_there():
    for flags in (FIN, RST):
        streams = Streams()
        streams.push(segment(1, 9, flags=SYN))
        assert streams.push(segment(2, 10, A[:20])) == []
        (remark,) = streams.push(segment(3, 30, flags=flags))
        assert (remark.frame, remark.finding.code, remark.finding.offset) == (3, "incomplete-apdu", 0)
        assert streams.finish() == []


def test_fin_waits_for_what_is_missing():
    found, remarks, _ = read(segment(1, 0, A), segment(2, AB, C, FIN), segment(3, len(A), B))
    assert (found, remarks) == ([(1, A), (3, B), (2, C)], [])


def test_retransmission_after_the_end_gives_nothing_and_new_octets_are_read():
    ended = [segment(1, 0, A), segment(2, len(A), b"", FIN), segment(3, 0, A), segment(4, len(A), b"", FIN)]
    assert read(*ended)[:2] == ([(1, A)], [])
    assert read(*ended, segment(5, len(A), B))[:2] == ([(1, A), (5, B)], [])
    reset = [segment(1, 0, A), segment(2, len(A), b"", RST), segment(3, 0, A), segment(4, len(A), B)]
    assert read(*reset)[:2] == ([(1, A), (4, B)], [])


def test_a_capture_that_begins_within_an_apdu():
    rest = len(A) - 9
    found, remarks, _ = read(segment(1, 7, A[9:]), segment(2, 7 + rest, B[:30]), segment(3, 7 + rest + 30, B[30:]))
    assert found == [(3, B)]
    assert remarks == [("mid-stream", 0)]


def test_octets_before_the_first_ones_seen_are_counted():
    found, remarks, tally = read(segment(1, 500, B), segment(2, 500 - len(A), A), segment(3, 500 + len(B), C))
    assert (found, remarks, tally) == ([(1, B), (3, C)], [], {"before-start": 1})


# --- holes ------------------------------------------------------------------------------------------------------------


def test_a_hole_is_told_and_the_reading_goes_on_behind_it():
    found, remarks, _ = read(segment(1, 0, flags=SYN), segment(2, 1, A + B[:9]), segment(3, 1 + AB, C))
    assert found == [(2, A), (3, C)]
    assert remarks == [("incomplete-apdu", len(A)), ("gap", len(A) + 9)]


def test_behind_a_hole_the_next_apdu_is_found_within_a_segment():
    stream = A + B + C + A
    cut = len(A) + 30
    found, remarks, _ = read(
        segment(1, 0, A[:10]), segment(2, cut, stream[cut : AB + 5]), segment(3, AB + 5, stream[AB + 5 :])
    )
    assert found == [(3, C), (3, A)]
    assert remarks == [("incomplete-apdu", 0), ("gap", 10), ("mid-stream", cut)]


def test_a_hole_is_waited_for_by_packet_time():
    streams = Streams(max_wait_ns=10 * SECOND)
    assert len(streams.push(segment(1, 0, A, time_ns=0))) == 1
    assert streams.push(segment(2, AB, C, time_ns=SECOND)) == []
    assert streams.push(segment(3, AB + len(C), A, time_ns=11 * SECOND)) == []
    items = streams.push(segment(4, AB + len(C) + len(A), A, time_ns=11 * SECOND + 1))
    assert [type(item) for item in items] == [StreamRemark, Apdu, Apdu, Apdu]
    assert (items[0].frame, items[0].finding.level, items[0].finding.code) == (4, "error", "gap")
    assert f"octets missing: {len(B)}" in items[0].finding.text
    assert [item.frame for item in items[1:]] == [2, 3, 4]


def test_a_hole_is_waited_for_by_octets_held():
    segments = [segment(n, len(A) * n, A) for n in range(1, 60)]
    streams = Streams(max_stream_octets=2000)
    streams.push(segment(0, 0, A[:-1]))
    counts = [len(streams.push(each)) for each in segments]
    first = next(n for n, count in enumerate(counts) if count)
    assert 5 < first < 15
    assert counts[first + 1 :] == [1] * (58 - first)
    assert sum(counts) == 59 + 2  # an incomplete APDU and the gap


def test_a_jump_forward_is_a_gap_and_a_jump_back_another_connection():
    far = MAX_STREAM_OCTETS + 100
    found, remarks, _ = read(segment(1, 0, A), segment(2, len(A) + far, B), segment(3, AB + far, C))
    assert (found, remarks) == ([(1, A), (2, B), (3, C)], [("gap", len(A))])
    found, remarks, _ = read(segment(1, 0, A), segment(2, len(A) - WINDOW - 1, B), segment(3, AB - WINDOW - 1, C))
    assert (found, remarks) == ([(1, A), (2, B), (3, C)], [("gap", len(A))])


def test_half_of_all_sequence_numbers_lie_ahead():
    for distance, words in ((2**31 - 5, f"octets missing: {2**31 - 5}"), (2**31 + 5, "jump back")):
        items = list(Streams().items([segment(1, 0, A), segment(2, len(A) + distance, B)]))
        assert [item.octets for item in (items[0], items[2])] == [A, B]
        assert words in items[1].finding.text


def test_a_fin_that_was_none_gives_way_to_the_one_that_is():
    streams = Streams()
    streams.push(segment(1, 0, A, FIN))
    streams.push(segment(2, len(A), B[:20]))
    (remark,) = streams.push(segment(3, len(A) + 20, b"", FIN))
    assert remark.finding.code == "incomplete-apdu"


def test_after_a_reset_the_reading_begins_anew():
    streams = Streams()
    for each in (segment(1, -1, flags=SYN), segment(2, 0, A), segment(3, len(A), b"", RST)):
        streams.push(each)
    remark, item = streams.push(segment(4, len(A), b"late" + B))
    assert (remark.finding.level, remark.finding.code, item.octets) == ("warning", "mid-stream", B)


def test_a_segment_captured_in_part_leaves_a_hole():
    found, remarks, tally = read(segment(1, 0, A[:20], missing=len(A) - 20), segment(2, len(A), B))
    assert found == [(2, B)]
    assert remarks == [("incomplete-apdu", 0), ("gap", 20)]
    assert tally == {"cut-segment": 1}
    fin = segment(1, 0, A[:20], FIN, missing=len(A) - 20)
    assert read(segment(0, -1, flags=SYN), fin, segment(2, 20, A[20:]))[:2] == ([(2, A)], [])
    assert read(segment(0, -1, flags=SYN), fin, segment(2, len(A), b""))[1] == [("incomplete-apdu", 0)]


def test_held_counts_what_waits():
    first = segment(1, 0, A[:20])
    direction = StreamDirection(first, Tally("x", {}), max_apdu_size=1000, max_octets=10_000, max_wait_ns=SECOND)
    direction.push(first)
    assert 20 <= direction.held < 200
    direction.push(segment(2, 30, A[30:]))
    assert direction.held > len(A) - 10
    assert [item.octets for item in direction.push(segment(3, 20, A[20:30]))] == [A]
    assert direction.held == 0


@given(
    st.lists(
        st.tuples(
            st.integers(0, 300), st.binary(max_size=60), st.sampled_from([0, ACK, SYN, FIN, RST, SYN | FIN, 0xFF])
        ),
        max_size=15,
    ),
    st.sampled_from([0, 2**32 - 100, 2**31]),
)
@pytest.mark.parametrize("scale", [1, 1 << 24])
def test_any_segments_give_apdus_remarks_or_counts(scale, parts, initial):
    streams = Streams(max_stream_octets=500)
    segments = [segment(n, initial + at * scale, data, flags) for n, (at, data, flags) in enumerate(parts)]
    for item in streams.items(segments):
        assert isinstance(item, Apdu | StreamRemark)
    assert streams._held == 0


@given(st.lists(st.sampled_from([A, B, C]), min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_after_loss_every_apdu_that_is_whole_in_one_segment_is_found(apdus, random):
    at, segments = 0, [segment(1, 0, flags=SYN)]
    kept = []
    for n, octets in enumerate(apdus, 2):
        if random.random() < 0.7:
            segments.append(segment(n, 1 + at, octets))
            kept.append((n, octets))
        at += len(octets)
    found, remarks, _ = read(*segments)
    assert found == kept
    assert all(code == "gap" for code, _ in remarks)


@pytest.mark.parametrize(("first", "other"), [(3_000_000_000, 1000), (5, 2**31), (5, 2**32 - 2_000_000_000)])
def test_a_connection_opened_after_one_that_began_in_the_middle(first, other):
    found, remarks, _ = read(segment(1, first, A), segment(2, other, flags=SYN), segment(3, other + 1, B))
    assert (found, remarks) == ([(1, A), (3, B)], [])


def test_a_syn_that_comes_late_over_the_wrap_opens_no_other_connection():
    found, remarks, _ = read(segment(1, 5, A), segment(2, 4, flags=SYN), segment(3, 5 + len(A), B))
    assert (found, remarks) == ([(1, A), (3, B)], [])
    segments = (segment(1, 2**32 - 1, A), segment(2, 2**32 - 2, flags=SYN), segment(3, 2**32 - 1 + len(A), B))
    assert read(*segments)[:2] == ([(1, A), (3, B)], [])


def test_the_end_is_behind_what_a_segment_lacks():
    """The FIN of a segment that was cut counts its missing octets: when they have come, the stream is over."""
    cut = segment(1, 0, A[:30], FIN | ACK, missing=5)
    items = list(Streams().items([cut, segment(2, 30, A[30:35]), segment(9, 35)]))
    assert [(item.frame, item.finding.code) for item in items] == [(2, "incomplete-apdu")]


def test_a_piece_that_waits_already_is_counted():
    found, remarks, tally = read(segment(1, 0, A), segment(2, AB, C), segment(3, AB, C), segment(4, len(A), B))
    assert (found, remarks) == ([(1, A), (4, B), (2, C)], [])
    assert tally == {"old-octets": 1}


def test_the_largest_apdu_accepted_holds_for_streams():
    assert read(segment(1, 0, A), max_apdu_size=len(A))[:2] == ([(1, A)], [])
    found, remarks, _ = read(segment(1, 0, A), max_apdu_size=len(A) - 1)
    assert (found, [code for code, _ in remarks]) == ([], ["not-an-apdu"])
