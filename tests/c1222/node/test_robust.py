"""Whatever comes in: nothing escapes, no handler fails, and what can be read can be read again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from c1219.device import Device
from c1222.node.meter.profile import Profile
from c1222.services import Request, session, tables
from c1222.services.tables import TableData
from tests.c1222.node.rig import BIG, KEY, MASTER, POLYPHASE, SINGLE, Rig, profile

if TYPE_CHECKING:
    from collections.abc import Callable

NAMES = [POLYPHASE, SINGLE, BIG]
TABLES = st.sampled_from(
    [*range(9), *range(10, 17), *range(20, 29), *range(40, 46), *range(50, 57), *range(60, 68), *range(70, 77)]
)
IDS = st.one_of(TABLES, TABLES.map(lambda number: number | 0x1000), st.integers(0, 0xFFFF))
OCTETS = st.binary(max_size=40)

REQUESTS: st.SearchStrategy[Request] = st.one_of(
    st.builds(tables.ReadRequest, IDS),
    st.builds(tables.ReadOffsetRequest, IDS, st.integers(0, 0xFFFFFF) | st.integers(0, 50), st.integers(0, 60)),
    st.builds(
        tables.ReadIndexRequest, IDS, st.lists(st.integers(0, 12), min_size=1, max_size=4).map(tuple), st.integers(0, 9)
    ),
    st.builds(tables.WriteRequest, IDS, OCTETS.map(TableData)),
    st.builds(tables.WriteOffsetRequest, IDS, st.integers(0, 60), OCTETS.map(TableData)),
    st.builds(
        tables.WriteIndexRequest,
        IDS,
        st.lists(st.integers(0, 12), min_size=1, max_size=4).map(tuple),
        OCTETS.map(TableData),
    ),
    st.builds(
        lambda number, octets: tables.WriteRequest(7, TableData(number.to_bytes(2, "little") + b"\1" + octets)),
        st.integers(0, 33),
        st.binary(max_size=12),
    ),
    st.builds(
        lambda number, octets: tables.WriteRequest(7, TableData(number.to_bytes(2, "big") + b"\1" + octets)),
        st.integers(0, 33),
        st.binary(max_size=12),
    ),
    st.just(session.LogoffRequest()),
)


SPOTS = st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), min_size=1, max_size=3)
CHANGES = st.tuples(TABLES, SPOTS)
"""Writes of a table as it stands but for a few octets."""


def changed(octets: bytes, spots: list[tuple[int, int]]) -> bytes:
    copy = bytearray(octets)
    for place, value in spots:
        if copy:
            copy[place % len(copy)] = value
    return bytes(copy)


@pytest.mark.parametrize("name", NAMES)
def test_no_request_makes_a_meter_fail(name: str) -> None:
    shared = Rig(name).profile

    @given(st.lists(REQUESTS | CHANGES, min_size=1, max_size=12), st.integers(0, 100_000))
    @settings(max_examples=80)
    def run(requests: list[Request | tuple[int, list[tuple[int, int]]]], seconds: int) -> None:
        rig = Rig(name, made=shared)
        failed = []
        rig.fleet.listener = lambda event, _meter: (
            failed.append(event) if type(event).__name__ == "HandlerFailed" else None
        )
        caller = rig.caller().log_in(MASTER)
        # All tables can be written here, also those that the profile says cannot: what follows from that must hold.
        every = type(rig.device()[0].value.STD_TBLS_WRITE)(rig.device()[0].value.STD_TBLS_USED)
        rig.meter.tables.set("ST0.STD_TBLS_WRITE", every)
        for request in requests:
            if isinstance(request, tuple):
                number, spots = request
                octets = rig.meter.tables.get(f"ST{number}") or b""
                request = tables.WriteRequest(number, TableData(changed(octets, spots)))
            caller.ask(request)
            rig.passes(seconds / len(requests))
        rig.device()
        assert not failed
        before = rig.meter.tables.all()
        rig.meter.save()
        again = Rig(name, made=shared, store=rig.store, utc=rig.utc)
        assert again.meter.tables.all() == before

    run()


CALLS = [
    (0, ""),
    (1, ""),
    (3, ""),
    (4, "ff"),
    (5, "ff0000"),
    (6, "01"),
    (7, ""),
    (8, ""),
    (9, "07"),
    (10, "031b0102030405e7"),
]


@pytest.mark.parametrize("cut", [True, False], ids=["cut", "missing"])
@pytest.mark.parametrize("label", ["ST3", "ST4", "ST23", "ST28", "ST52", "ST55", "ST56", "ST63", "ST74"])
def test_a_profile_of_which_a_table_lacks_octets_is_served(label: str, cut: bool) -> None:
    tables_ = dict(profile(POLYPHASE).tables)
    tables_[label] = tables_[label][: len(tables_[label]) // 2]
    if not cut:
        del tables_[label]
    rig = Rig(made=Profile(Device(dict(tables_))))
    rig.meter.tables.set("ST0.STD_PROC_USED", range(24))
    caller = rig.caller().log_in(MASTER)
    for number, parameters in CALLS:
        rig.passes(1000)
        octets = number.to_bytes(2, "little") + b"\1" + bytes.fromhex(parameters)
        assert isinstance(caller.write(7, octets), tables.WriteResponse)
    for _ in range(3):
        rig.caller(".9.7").ask(session.SecurityRequest.of("wrong", 2))
    for number in (3, 4, 23, 28, 52, 55, 56, 63, 74):
        response = caller.one(tables.ReadRequest(number))
        present = tables_.get(f"ST{number}")
        assert isinstance(response, tables.ReadResponse) is (present is not None)
        assert present is None or len(response.data) == len(present)
    assert not rig.fleet.counters["handler-failed"]


def test_a_title_as_long_as_titles_can_be() -> None:
    from c1222.message.aptitle import ApTitle

    long = ApTitle("." + ".".join(["300"] * 60))
    rig = Rig(keys={2: KEY})
    caller: Callable[..., object] = rig.caller(str(long), mode=2, key_id=2).log_in(MASTER).one
    assert caller(tables.WriteOffsetRequest(6, 0, TableData(b"X")))
    again = Rig(keys={2: KEY}, store=rig.store, utc=rig.utc + 1)
    assert again.fleet.stations
