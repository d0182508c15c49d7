from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from c1219.codes.status import StatisticCode
from c1219.engine.layout import bind
from c1219.schema import parameters
from c1219.tables.decade12_network import (
    ACT_NETWORK,
    DIM_NETWORK,
    EXCEPTION_REPORT,
    INTERFACE_CONTROL,
    INTERFACE_STATUS,
    NETWORK_STATISTICS,
    REGISTRATION_STATUS,
    TABLES,
)
from tests.c1219.tables.generated import holds, values
from tests.c1219.tables.oracle import parse, round_trip, st0, undocumented

DIMENSIONS = "1B 01 01 00 00 01 00 02 00 03 00 01 04 10"  # no static relay, no response control
TITLE = bytes.fromhex("0D 05 7B 83 C2 75 01").ljust(20, b"\0")
ADDRESS = bytes.fromhex("0A 01 01 01")


@pytest.fixture
def device():
    return {"ST0": st0(), "ST121": round_trip(ACT_NETWORK, bytes.fromhex(DIMENSIONS), ST0=st0())}


def test_dimensions(device):
    network = device["ST121"]
    control = network.NETWORK_CONTROL
    assert [name for name, flag in control.items() if flag] == [
        "PROG_NATIVE_ADDRESS_FLAG",
        "PROG_BROADCAST_ADDRESS_FLAG",
        "STATIC_APTITLE_FLAG",
        "STATIC_MASTER_RELAY_FLAG",
    ]
    assert (network.NBR_INTERFACES, network.NBR_REGISTRATIONS, network.NBR_FILTERING_RULES) == (1, 1, 0)
    assert (network.NBR_EXCEPTION_HOSTS, network.NBR_EXCEPTION_EVENTS, network.NBR_STATISTICS) == (1, 2, 3)
    assert (network.NBR_MULTICAST_ADDRESSES, network.NATIVE_ADDRESS_LEN, network.FILTERING_EXP_LEN) == (1, 4, 16)
    assert parse(DIM_NETWORK, bytes.fromhex(DIMENSIONS), ST0=st0()) == network


def test_interface_control(device):
    octets = ADDRESS + b"\x0a\xff\xff\xff" + TITLE + TITLE[::-1] + TITLE
    value = round_trip(INTERFACE_CONTROL, octets, **device)
    (interface,) = value.INTERFACES
    assert (interface.NATIVE_ADDRESS, interface.BROADCAST_ADDRESS) == (ADDRESS, b"\x0a\xff\xff\xff")
    assert (interface.NODE_APTITLE, interface.MASTER_RELAY_APTITLE) == (TITLE, TITLE[::-1])
    assert (interface.RELAY_NATIVE_ADDRESS, interface.NBR_RETRIES, interface.RESPONSE_TIMEOUT) == (None, None, None)
    assert list(value.MULTICAST_ADDRESSES) == [TITLE]


def test_exception_report(device):
    octets = TITLE + bytes.fromhex("03 3C 00 10 0E 2F 00 03 08")
    (host,) = round_trip(EXCEPTION_REPORT, octets, **device).REPORT
    assert (host.MAX_NUMBER_OF_RETRIES, host.RETRY_DELAY, host.EXCLUSION_PERIOD) == (3, 60, 3600)
    assert [(event.TBL_PROC_NBR, event.STD_VS_MFG_FLAG) for event in host.EVENT_REPORTED] == [(47, False), (3, True)]


def test_interface_status(device):
    (interface,) = round_trip(INTERFACE_STATUS, b"RF LAN".ljust(20) + b"\x05", **device).INTERFACES
    assert interface.INTERFACE_NAME == "RF LAN"
    assert [flag for name, flag in interface.INTERFACE_STATUS.items()] == [True, False, True]


def test_registration_status(device):
    octets = ADDRESS + TITLE[::-1] + TITLE + bytes.fromhex("1E 00 3C 00 11 00")
    (entry,) = round_trip(REGISTRATION_STATUS, octets, **device).REGISTRATIONS
    assert (entry.RELAY_NATIVE_ADDRESS, entry.MASTER_RELAY_APTITLE, entry.NODE_APTITLE) == (ADDRESS, TITLE[::-1], TITLE)
    assert (entry.REGISTRATION_DELAY, entry.REGISTRATION_PERIOD, entry.REGISTRATION_COUNT_DOWN) == (30, 60, 17)


def test_statistics(device):
    octets = bytes.fromhex("01 00 15 CD 5B 07 00 00  11 00 AB FF FF FF FF FF  01 08 02 00 00 00 00 00")
    entries = round_trip(NETWORK_STATISTICS, octets, **device).STATISTICS
    assert [(entry.STATISTIC_CODE, entry.STATISTIC_VALUE) for entry in entries] == [
        (StatisticCode.OCTETS_SENT, 123456789),
        (StatisticCode.SIGNAL_STRENGTH_DBM, -85),
        (2049, 2),
    ]


@settings(max_examples=40, deadline=None)
@given(some.data())
def test_sizes_and_round_trips_of_any_dimensions(data):
    flags = data.draw(some.integers(0, 63))
    dims = [data.draw(some.integers(0, 3)) for _ in range(8)]
    interfaces, registrations, rules, hosts, events, statistics, multicast, native = dims
    words = b"".join(number.to_bytes(2, "big") for number in (rules, hosts, events, statistics))
    octets = bytes([flags, interfaces, registrations]) + words + bytes([multicast, native, 7])
    zero = st0(order=1)
    tables = {"ST0": zero, "ST121": ACT_NETWORK.record.parse(octets, ST0=zero)}
    addresses = (flags & 7).bit_count() * native + (flags >> 3 & 3).bit_count() * 20 + 3 * (flags >> 5)
    sizes = {
        INTERFACE_CONTROL: interfaces * addresses + 20 * multicast,
        EXCEPTION_REPORT: hosts * (25 + 2 * events),
        INTERFACE_STATUS: 21 * interfaces,
        REGISTRATION_STATUS: registrations * (native + 46),
        NETWORK_STATISTICS: 8 * statistics,
    }
    for table, size in sizes.items():
        layout = bind(table, tables)
        assert layout.size == size
        value = data.draw(values(layout))
        holds(table, tables, value, data.draw(some.integers(0, size)))
        assert parameters(layout.decode(layout.encode(value))) == parameters(value)


def test_nothing_is_claimed_beyond_recollection():
    assert [table.number for table in TABLES] == list(range(120, 128))
    assert {table.confidence for table in TABLES} == {"?", "name only"}
    assert [undocumented(table) for table in TABLES] == [[]] * 8
