from __future__ import annotations

import re
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from c1222.capture.network.framing import Apdu, Framer, StreamRemark, is_apdu
from c1222.capture.network.layers import Flow
from c1222.message.ber import encode_length, tlv

FLOW = Flow(b"\x0a\0\0\1\x0a\0\0\2\4\x81\xc3\x50")
CALLED, CALLING = bytes.fromhex("a20580037bc175"), bytes.fromhex("a60480027b04")  # relative titles
# C12.22-2008, example 8, as captured: the request
EXAMPLE_8 = bytes.fromhex(
    "604fa20580037bc175a60480027b04a803020103ac0fa20da00ba109800102810448f3d061be2a28"
    "2881268841d10cda76206811b36f781489a11997773e117cb07aa3aa40374a7107c50da7f799c5d4e8"
)


def apdu(number: int = 3, size: int = 10) -> bytes:
    body = bytes([0x80]) + bytes(number + at & 0xFF for at in range(size))
    user = tlv(0xBE, tlv(0x28, tlv(0x81, body)))
    return tlv(0x60, CALLED + CALLING + tlv(0xA8, tlv(2, bytes([number & 0x7F]))) + user)


def feed(framer: Framer, *parts: bytes, finish: bool = True) -> tuple[list[bytes], list[str]]:
    items: list[Apdu | StreamRemark] = []
    for frame, part in enumerate(parts, 1):
        framer.frame = frame
        framer.append(part, (frame,), frame * 10)
        items += framer.take()
    if finish:
        items += framer.finish()
    apdus = [item.octets for item in items if isinstance(item, Apdu)]
    return apdus, [item.finding.code for item in items if isinstance(item, StreamRemark)]


ONE, TWO, LONG = apdu(1), apdu(2, 60), apdu(4, 3000)


# --- what an APDU looks like ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "octets",
    [ONE, TWO, LONG, EXAMPLE_8, b"\x60\x83\0\0" + ONE[1:]],
)
def test_an_apdu_is_known_by_its_look(octets):
    assert is_apdu(octets) is True
    assert is_apdu(octets + b"x") is False
    assert is_apdu(octets[:-1]) is False


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"\x60",
        b"\x60\0",
        b"\x60\x80" + bytes(128),
        tlv(0x60, b"\xa1"),
        tlv(0x60, CALLED),
        tlv(0x60, tlv(0xA4, b"\2\1\1") + tlv(0xBE, b"")),
        tlv(0x60, CALLED + b"\x02\0" + tlv(0xBE, b"")),
        tlv(0x60, CALLED + tlv(0xBE, b"") + b"\xa8\0"),
        tlv(0x60, CALLED + b"\xbe\x05"),
        tlv(0x60, CALLED + b"\xbe\x80"),
        tlv(0x60, CALLED + b"\xa8\0" * 30 + b"\xbe\0"),
        tlv(0x61, CALLED + tlv(0xBE, b"")),
        b"GET / HTTP/1.1\r\n\r\n",
        bytes.fromhex("6082000a3008020100040330"),
    ],
)
def test_other_octets_do_not_look_like_an_apdu(octets):
    assert is_apdu(octets) is False


@given(st.binary(max_size=200))
@example(b"\x60\x7f\xa2")
@example(b"\x60\x84\xff\xff\xff\xff\xa2\0")
def test_the_look_of_any_octets_is_told_without_an_error(octets):
    whole = b"\x60" + encode_length(len(octets)) + octets
    for each in (octets, whole):
        assert not is_apdu(each) or (each[0] == 0x60 and b"\xbe" in each)


# --- in step ----------------------------------------------------------------------------------------------------------


def test_apdus_are_cut_where_they_end():
    stream = ONE + TWO + LONG + ONE
    assert feed(Framer(FLOW), stream) == ([ONE, TWO, LONG, ONE], [])
    assert feed(Framer(FLOW), *(stream[at : at + 1] for at in range(len(stream)))) == ([ONE, TWO, LONG, ONE], [])


def test_an_apdu_names_the_frames_that_brought_it():
    framer = Framer(FLOW)
    framer.append(ONE + TWO[:5], (4,), 40)
    framer.append(TWO[5:9], (7,), 70)
    framer.append(TWO[9:], (5, 6), 60)
    framer.append(ONE, (9,), 90)
    assert [(item.frame, item.time_ns, item.frames) for item in framer.take()] == [
        (4, 40, (4,)),
        (7, 70, (4, 5, 6, 7)),
        (9, 90, (9,)),
    ]
    assert framer.held == 0


def test_the_time_of_an_apdu_is_that_of_its_largest_frame():
    framer = Framer(FLOW)
    framer.append(TWO[:5], (6,), 60)
    framer.append(TWO[5:9], (5, 9), 90)
    framer.append(TWO[9:12], (7,), 70)
    framer.append(TWO[12:], (8,), 80)
    assert [(item.frame, item.time_ns, item.frames) for item in framer.take()] == [(9, 90, (5, 6, 7, 8, 9))]


def test_an_apdu_tells_its_ends():
    framer = Framer(FLOW)
    framer.append(ONE, (4,), 40)
    assert framer.take() == [Apdu(4, 40, "10.0.0.1:1153", "10.0.0.2:50000", "tcp", ONE, (4,), ())]


@given(st.lists(st.sampled_from([ONE, TWO, LONG]), max_size=6), st.lists(st.integers(1, 4000), max_size=12))
def test_any_cutting_of_a_stream_gives_the_same_apdus(apdus, sizes):
    stream = b"".join(apdus)
    parts = []
    for size in sizes:
        parts.append(stream[:size])
        stream = stream[size:]
    parts = [part for part in [*parts, stream] if part]
    assert feed(Framer(FLOW), *parts) == (apdus, [])


# --- out of step ------------------------------------------------------------------------------------------------------


def test_octets_between_apdus_are_skipped_and_told():
    framer = Framer(FLOW)
    framer.frame, framer.time_ns = 2, 20
    framer.append(ONE + b"garbage \x60\x05 and" + TWO, (2,), 20)
    first, remark, second = framer.take()
    assert (first.octets, second.octets) == (ONE, TWO)
    assert remark[:5] == (2, 20, "10.0.0.1:1153", "10.0.0.2:50000", "tcp")
    assert (remark.finding.level, remark.finding.code, remark.finding.offset) == ("error", "not-an-apdu", len(ONE))
    assert "octets skipped: 14" in remark.finding.text


def test_an_apdu_above_the_limit_is_skipped():
    assert feed(Framer(FLOW, max_apdu_size=100), ONE + LONG + TWO) == ([ONE, TWO], ["not-an-apdu"])


def test_an_apdu_above_the_limit_is_not_where_the_reading_goes_on():
    framer = Framer(FLOW, max_apdu_size=100)
    framer.restart(0, in_step=False)
    assert feed(framer, LONG + ONE) == ([ONE], ["mid-stream"])


def test_a_length_that_swallows_apdus_is_found_out_at_the_end():
    assert feed(Framer(FLOW), ONE + b"\x60\x82\x40\0" + TWO + ONE) == ([ONE, TWO, ONE], ["incomplete-apdu"])


def test_an_incomplete_apdu_is_told_apart_from_what_was_skipped_before_it_but_not_from_itself():
    framer = Framer(FLOW)
    framer.restart(0, in_step=False)
    junk = b"the end of something"
    framer.append(junk + TWO[:20], (1,), 1)
    before, incomplete = [remark.finding for remark in framer.finish()]
    assert (before.code, before.offset) == ("mid-stream", 0)
    assert f"octets skipped: {len(junk)}" in before.text
    assert (incomplete.code, incomplete.offset) == ("incomplete-apdu", len(junk))
    assert f"20 of {len(TWO)} octets" in incomplete.text
    assert feed(Framer(FLOW), ONE + b"\x60\x82\x40\0" + TWO[:20]) == ([ONE], ["incomplete-apdu"])


def test_an_incomplete_apdu_at_the_end_is_told():
    framer = Framer(FLOW)
    framer.append(ONE + TWO[:20], (1,), 1)
    assert len(framer.take()) == 1
    (remark,) = framer.finish()
    assert remark.finding.code == "incomplete-apdu"
    assert f"20 of {len(TWO)} octets" in remark.finding.text
    assert remark.finding.offset == len(ONE)
    assert framer.held == 0


@pytest.mark.parametrize(
    "lead", [b"", b"\x60", b"\x60\x60\xa2", TWO[7:], b"\x60\x82\x30\0\xa2\5" + bytes(30), bytes(9000)]
)
@pytest.mark.parametrize("step", [1, 7, 100_000])
def test_the_middle_of_a_stream_is_skipped_to_the_next_apdu(lead, step):
    framer = Framer(FLOW)
    framer.restart(0, in_step=False)
    stream = lead + ONE + TWO
    parts = [stream[at : at + step] for at in range(0, len(stream), step)]
    apdus, remarks = feed(framer, *parts)
    assert apdus == [ONE, TWO]
    assert remarks == (["mid-stream"] if lead else [])


def test_skipped_octets_are_not_held():
    framer = Framer(FLOW)
    framer.restart(0, in_step=False)
    for frame in range(100):
        framer.append(b"\x60" * 1000, (frame,), 0)
        assert framer.take() == []
        assert framer.held < 1000
    (remark,) = framer.finish()
    assert "octets skipped: 100000" in remark.finding.text


@given(
    st.lists(
        st.one_of(st.sampled_from([ONE, TWO, TWO[:30], b"\x60\x82\x01\0\xa2"]), st.binary(min_size=1, max_size=40)),
        max_size=12,
    ),
    st.booleans(),
)
def test_every_octet_is_in_an_apdu_or_told_of(parts, in_step):
    framer = Framer(FLOW)
    framer.restart(0, in_step=in_step)
    items: list[Apdu | StreamRemark] = []
    for frame, part in enumerate(parts, 1):
        framer.append(part, (frame,), frame)
        items += framer.take()
    items += framer.finish()
    skipped = 0
    for item in items:
        if isinstance(item, Apdu):
            assert item.octets in b"".join(parts)
        else:
            skipped += int(re.search(r"octets skipped: (\d+)$", item.finding.text)[1])
    assert sum(len(item.octets) for item in items if isinstance(item, Apdu)) + skipped == sum(map(len, parts))
    assert framer.held == 0


def test_no_64_kb_take_long():
    begin = time.process_time()
    for unit in (b"\x60", b"\x60\x04\xa2", b"\x60\x7f\xa2\0", b"\x60\x82\x7f\xf0\xa2\0\xa2\0"):
        for in_step in (True, False):
            framer = Framer(FLOW)
            framer.restart(0, in_step=in_step)
            octets = (unit * 65536)[:65536]
            feed(framer, *(octets[at : at + 1400] for at in range(0, 65536, 1400)))
    assert time.process_time() - begin < 3  # 0.1 s here; minutes if every octet were looked at from every other
