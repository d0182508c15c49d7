from __future__ import annotations

import pytest

from c1219.codes.status import (
    CallStatus,
    ChannelStatus,
    ClosureStatus,
    CommonStatus,
    StatisticCode,
    channel_nibble,
)


def test_worked_interval_status():
    status = bytes.fromhex("2220")  # common 2, channel 1 = 2, channel 2 = 2
    assert CommonStatus(channel_nibble(status, 0)) is CommonStatus.POWER_FAIL
    assert [channel_nibble(status, channel) for channel in (1, 2)] == [ChannelStatus.PARTIAL_INTERVAL] * 2


@pytest.mark.parametrize("channels", [1, 2, 3, 8])
def test_nibbles_stand_in_wire_order(channels):
    status = bytes.fromhex("0123456789")[: channels // 2 + 1]
    assert [channel_nibble(status, channel) for channel in range(channels + 1)] == list(range(channels + 1))


def test_channel_beyond_the_status_is_an_error():
    with pytest.raises(IndexError):
        channel_nibble(b"\0\0", 4)


@pytest.mark.parametrize(
    ("codes", "count"), [(ChannelStatus, 8), (ClosureStatus, 6), (CallStatus, 12), (StatisticCode, 23)]
)
def test_lists_run_from_zero_without_gaps(codes, count):
    assert [member.value for member in codes] == list(range(count))


def test_common_status_has_four_flags():
    assert CommonStatus(15) == CommonStatus.DST | CommonStatus.POWER_FAIL | CommonStatus(12)
    assert CommonStatus(4) is CommonStatus.CLOCK_SET_FORWARD
