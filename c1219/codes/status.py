"""States that tables give as codes: load-profile intervals and blocks, telephone calls, network statistics."""

from __future__ import annotations

from enum import IntEnum, IntFlag

__all__ = ["CallStatus", "ChannelStatus", "ClosureStatus", "CommonStatus", "StatisticCode", "channel_nibble"]


class CommonStatus(IntFlag):
    """EXTENDED_INT_STATUS, high nibble of octet 0 of an interval: what holds for all its channels.

    V: NIST n0mcli, EnergyICT/Honeywell head-end. Bit 0 as the 1997 edition words it; the 2008 one calls it a status
    change.
    """

    DST = 1
    """Daylight saving time in effect during, or at the start of, the interval."""
    POWER_FAIL = 2
    """Power failed within the interval."""
    CLOCK_SET_FORWARD = 4
    """The clock was set forward during the interval."""
    CLOCK_SET_BACKWARD = 8
    """The clock was set backward during the interval."""


class ChannelStatus(IntEnum):
    """EXTENDED_INT_STATUS, the nibble of one channel. 8..15 are reserved.

    V for 0..5: NIST n0mcli, EnergyICT/Honeywell head-end. 1 for 6 and 7 (2008): NIST n0mcli.
    """

    NO_EXCEPTION = 0
    OVERFLOW = 1
    PARTIAL_INTERVAL = 2
    """Shorter than the interval; the cause is in the common status."""
    LONG_INTERVAL = 3
    """Longer than the interval; the cause is in the common status."""
    SKIPPED_INTERVAL = 4
    """No data (the value is 0); the cause is in the common status."""
    TEST_MODE_DATA = 5
    CONFIGURATION_CHANGED = 6
    RECORDING_STOPPED = 7


def channel_nibble(status: bytes, channel: int) -> int:
    """Return one nibble of an interval's EXTENDED_INT_STATUS.

    Args:
        status: the NBR_CHNS div 2 + 1 octets of one interval.
        channel: 1-based channel number, or 0 for the common status.

    Returns:
        0..15, a ``CommonStatus`` for channel 0 and a ``ChannelStatus`` code for the others.

    Raises:
        IndexError: if there are not that many channels.
    """
    octet = status[channel // 2]
    return octet & 0x0F if channel % 2 else octet >> 4


class ClosureStatus(IntEnum):
    """CLOSURE_STATUS of a load-profile block (1997 edition), bits 0..3. 6..15 are undefined. ?: recollection."""

    NONE = 0
    ENTRIES_ADJUSTED = 1
    CLOCK_RESET_FORWARD = 2
    """Across an interval boundary."""
    CLOCK_RESET_BACKWARD = 3
    """Across an interval boundary."""
    CLOCK_RESET_INHIBITED = 4
    """Clock reset; all data inhibited."""
    TEST_MODE_INHIBITED = 5
    """Test mode; all data inhibited."""


class CallStatus(IntEnum):
    """ST97 CALL_STATUS_ARRAY: the last call to one number.

    V for 0, 1, 3..8: termineter, Elster A3. 1 for 2 and 9..11: termineter.
    """

    NO_CALL = 0
    IN_PROGRESS = 1
    DIALING = 2
    WAITING_FOR_CONNECTION = 3
    COMMUNICATING = 4
    COMPLETED = 5
    NOT_COMPLETED = 6
    LINE_BUSY = 7
    NO_DIAL_TONE = 8
    LINE_CUT = 9
    NO_CONNECTION = 10
    NO_MODEM_RESPONSE = 11


class StatisticCode(IntEnum):
    """ST127 STATISTIC_CODE. 2048 and up are the manufacturer's. 1: Itron's C12.22 stack (draft of January 2008)."""

    NONE = 0
    OCTETS_SENT = 1
    OCTETS_RECEIVED = 2
    ACSE_PDUS_SENT = 3
    ACSE_PDUS_RECEIVED = 4
    ACSE_PDUS_FORWARDED = 5
    ACSE_PDUS_DROPPED = 6
    TRANSMISSION_ERRORS = 7
    RECEPTION_ERRORS = 8
    COLLISIONS = 9
    MESSAGE_OVERRUNS = 10
    FRAMING_ERRORS = 11
    CHECKSUM_ERRORS = 12
    ACTIVE_ASSOCIATIONS = 13
    ASSOCIATION_TIMEOUTS = 14
    CARRIER_LOSSES = 15
    SIGNAL_STRENGTH_PERCENT = 16
    """0..100."""
    SIGNAL_STRENGTH_DBM = 17
    REGISTRATIONS_SENT = 18
    REGISTRATIONS_RECEIVED = 19
    REGISTRATIONS_DENIED = 20
    """By this node."""
    REGISTRATIONS_FAILED = 21
    """Refused or lost."""
    DEREGISTRATIONS_REQUESTED = 22
