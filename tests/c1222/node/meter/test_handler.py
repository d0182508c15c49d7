"""What a meter answers: reads, writes, and which refusal tells what."""

from __future__ import annotations

import datetime as dt

import pytest

from c1219.device import Device
from c1222.node.meter.profile import Profile
from c1222.protocol.policy import Link
from c1222.services import ErrorResponse, Request, identify, network, session, tables
from c1222.services.results import Dlk, Err, Iar, Isc, Isss, Onp, Rstl, Sns
from c1222.services.tables import TableData
from tests.c1222.node.rig import BIG, MASTER, POLYPHASE, READER, SINGLE, Rig, profile


def refused(response: object, *kinds: type) -> bool:
    return isinstance(response, ErrorResponse) and response.code in [kind.code for kind in kinds]


@pytest.mark.parametrize("name", [POLYPHASE, SINGLE, BIG])
def test_every_table_of_the_profile_is_served_as_it_stands(name: str) -> None:
    rig = Rig(name, simulate=False)
    caller = rig.caller(link=Link(max_size=1 << 20)).log_in()
    for label, octets in rig.profile.tables.items():
        number = int(label[2:]) + 0x800 * label.startswith("MT")
        response = caller.one(tables.ReadRequest(number))
        if label in ("ST42", "ST45"):
            assert refused(response, Isc)
        elif len(octets) < 1000:
            assert response.data == octets
            assert response.checksum_ok


def test_a_table_that_is_larger_than_the_link_takes_is_refused_with_the_limit() -> None:
    response = Rig().caller().log_in().one(tables.ReadRequest(64))
    assert refused(response, Rstl)
    assert response.details["max_size"] == 1400


def test_reads_by_offset_and_by_index() -> None:
    rig = Rig(simulate=False)
    whole = rig.profile.tables["ST6"]
    caller = rig.caller().log_in()
    assert caller.one(tables.ReadOffsetRequest(6, 20, 20)).data == whole[20:40]
    assert caller.one(tables.ReadIndexRequest(6, (1,), 1)).data == whole[20:40]
    assert caller.one(tables.ReadIndexRequest(6, (1,), 2)).data == whole[20:60], "the count is one of elements"
    st22 = rig.profile.tables["ST22"]
    assert caller.one(tables.ReadIndexRequest(22, (0, 1), 2)).data == st22[1:3], "entries of an array"


def test_the_count_of_an_index_read_can_be_one_of_octets() -> None:
    rig = Rig(simulate=False, node={"index_count": "octets"})
    caller = rig.caller().log_in()
    assert caller.one(tables.ReadIndexRequest(6, (1,), 3)).data == rig.profile.tables["ST6"][20:23]


@pytest.mark.parametrize(
    "request_",
    [
        tables.ReadRequest(99),
        tables.ReadRequest(0x2001),
        tables.ReadRequest(0x1036),
        tables.ReadRequest(0x0805),
        tables.ReadOffsetRequest(6, 229, 2),
        tables.ReadOffsetRequest(6, 0, 0),
        tables.ReadIndexRequest(6, (1,), 0),
        tables.ReadOffsetRequest(6, 0xFFFFFF, 0xFFFF),
        tables.ReadIndexRequest(6, (99,), 1),
        tables.ReadIndexRequest(6, (18,), 2),
        tables.ReadIndexRequest(6, (0, 0, 0), 1),
        tables.WriteRequest(99, TableData(b"")),
        tables.WriteRequest(1, TableData(bytes(32))),
        tables.WriteRequest(6, TableData(bytes(229))),
        tables.WriteOffsetRequest(6, 225, TableData(bytes(6))),
        tables.WriteIndexRequest(6, (99,), TableData(b"x")),
        tables.WriteRequest(7, TableData(b"\0")),
    ],
    ids=repr,
)
def test_what_does_not_exist_is_an_inappropriate_action(request_: Request) -> None:
    assert refused(Rig().caller().log_in().one(request_), Iar)


@pytest.mark.parametrize(("last", "served"), [(True, False), (False, True)])
def test_an_element_that_a_shorter_table_lacks_cannot_be_read_by_index(last: bool, served: bool) -> None:
    whole = profile(POLYPHASE).tables["ST22"]
    made = Profile(Device({**profile(POLYPHASE).tables, "ST22": whole[:-1]}))
    rig = Rig(made=made, simulate=False)
    caller = rig.caller().log_in(MASTER)
    response = caller.one(tables.ReadIndexRequest(22, (4, 1 if last else 0), 1))
    assert refused(response, Iar) is not served
    if served:
        assert response.data == whole[-2:-1]
    both = tables.ReadIndexRequest(22, (4, 0), 2)
    assert refused(caller.one(both), Iar)
    assert Rig(simulate=False).caller().log_in(MASTER).one(both).data == whole[-2:]


@pytest.mark.parametrize(
    ("offset", "count", "served"), [(0, 230, True), (229, 1, True), (230, 0, False), (229, 2, False)]
)
def test_reads_by_offset_reach_to_the_last_octet(offset: int, count: int, served: bool) -> None:
    response = Rig().caller().log_in().one(tables.ReadOffsetRequest(6, offset, count))
    assert refused(response, Iar) is not served
    if served:
        assert response.data == profile(POLYPHASE).tables["ST6"][offset : offset + count]


@pytest.mark.parametrize(
    ("offset", "size", "written"), [(0, 230, True), (210, 20, True), (229, 1, True), (211, 20, False)]
)
def test_writes_by_offset_reach_to_the_last_octet(offset: int, size: int, written: bool) -> None:
    rig = Rig()
    before = rig.profile.tables["ST6"]
    response = rig.caller().log_in().one(tables.WriteOffsetRequest(6, offset, TableData(b"X" * size)))
    assert refused(response, Iar) is not written
    expected = before[:offset] + b"X" * size + before[offset + size :] if written else before
    assert rig.meter.tables["ST6"] == expected
    assert rig.meter.counters["writes"] == written


def test_what_moves_is_read_as_it_is_now() -> None:
    rig = Rig()
    caller = rig.caller().log_in(MASTER)
    tables_ = (23, 28, 52, 55, 56)
    before = [caller.read(number) for number in tables_]
    rig.passes(4000)
    after = [caller.read(number) for number in tables_]
    assert [old != new for old, new in zip(before, after, strict=True)] == [True] * 5
    clock = [dt.datetime(2000 + octets[0], *octets[1:6]) for octets in (before[2], after[2])]
    assert abs(clock[1] - clock[0] - dt.timedelta(seconds=4000)) <= dt.timedelta(seconds=1)


def test_default_reads_are_of_the_table_that_the_profile_names() -> None:
    assert refused(Rig().caller().log_in().one(tables.ReadDefaultRequest()), Sns)
    rig = Rig(node={"default_table": 1})
    response = rig.caller().log_in().one(tables.ReadDefaultRequest())
    assert response.data == rig.profile.tables["ST1"]
    assert refused(rig.caller().log_in().one(tables.WriteDefaultRequest()), Sns)


def test_rights_decide_who_reads_and_who_writes() -> None:
    rig = Rig()
    nobody, reader, master = rig.caller(".9.1"), rig.caller(".9.2").log_in(READER), rig.caller(".9.3").log_in(MASTER)
    owner = TableData(b"SOMEBODY".ljust(20))
    assert isinstance(nobody.one(tables.ReadRequest(1)), tables.ReadResponse), "ST1 is for anyone"
    assert refused(nobody.one(tables.ReadRequest(23)), Isc)
    assert rig.meter.counters["refused-reads"] == 1
    assert isinstance(reader.one(tables.ReadRequest(23)), tables.ReadResponse)
    assert refused(reader.one(tables.WriteOffsetRequest(6, 0, owner)), Isc)
    assert isinstance(master.one(tables.WriteOffsetRequest(6, 0, owner)), tables.WriteOffsetResponse)
    assert master.one(tables.ReadOffsetRequest(6, 0, 20)).data == b"SOMEBODY".ljust(20)
    assert refused(master.one(tables.ReadRequest(42)), Isc), "passwords are not told"
    assert rig.meter.counters["refused-writes"] == 1


def test_rights_without_a_session_end_with_the_message() -> None:
    rig = Rig()
    caller = rig.caller()
    assert len(caller.ask(session.SecurityRequest.of("reader-demo", 2), tables.ReadRequest(23))) == 2
    assert refused(caller.one(tables.ReadRequest(23)), Isc)


def test_rights_in_a_session_last_until_logoff() -> None:
    rig = Rig()
    caller = rig.caller()
    assert caller.one(session.LogonRequest.of(2, "READER", 60)).timeout == 60
    assert refused(caller.one(tables.ReadRequest(23)), Isc)
    assert isinstance(caller.one(session.SecurityRequest.of("reader-demo")), session.SecurityResponse)
    assert isinstance(caller.one(tables.ReadRequest(23)), tables.ReadResponse)
    assert isinstance(caller.one(session.WaitRequest(30)), session.WaitResponse)
    assert isinstance(caller.one(session.LogoffRequest()), session.LogoffResponse)
    assert refused(caller.one(tables.ReadRequest(23)), Isc)
    assert refused(caller.one(session.LogoffRequest()), Isss)


@pytest.mark.parametrize(("user", "logged"), [(3, 3), (None, 0)])
def test_the_end_of_a_session_is_logged_with_its_user(user: int | None, logged: int) -> None:
    rig = Rig()
    rig.meter.tables.set("ST75.STD_EVENTS_MONITORED_FLAGS", {12})
    caller = rig.caller()
    before = rig.device()[76].value.LAST_ENTRY_SEQ_NBR
    logon = session.LogonRequest.of(user, "R", 60) if user else session.LogonRequest.of(0, "", 60)
    caller.ask(logon, session.SecurityRequest.of("reader-demo"))
    assert rig.device()[76].value.LAST_ENTRY_SEQ_NBR == before
    caller.ask(session.LogoffRequest())
    log = rig.device()[76].value
    assert before + 1 == log.LAST_ENTRY_SEQ_NBR
    entry = log.ENTRIES[log.LAST_ENTRY_ELEMENT]
    assert (entry.EVENT_CODE.TBL_PROC_NBR, entry.USER_ID) == (12, logged)


def test_the_idle_time_granted_is_at_most_the_profiles() -> None:
    rig = Rig(node={"session_timeout": 120})
    assert rig.caller(".9.1").one(session.LogonRequest.of(2, "R", 3600)).timeout == 120
    assert rig.caller(".9.2").one(session.LogonRequest.of(2, "R", 0)).timeout == 120, "no session lasts for ever"


def test_a_wrong_password_is_an_error_and_the_rest_of_the_message_is_refused() -> None:
    rig = Rig()
    wrong = session.SecurityRequest.of("reader-dem0", 2)
    responses = rig.caller().ask(wrong, tables.ReadRequest(1))
    assert refused(responses[0], Err)
    assert refused(responses[1], Isc)
    assert rig.meter.counters["wrong-password"] == 1


def test_repeated_wrong_passwords_are_logged_as_tampering() -> None:
    rig = Rig()
    rig.meter.tables.set("ST75.STD_EVENTS_MONITORED_FLAGS", {47})
    for _ in range(2):
        rig.caller().ask(session.SecurityRequest.of("wrong", 9))
    before = rig.device()[76].value.LAST_ENTRY_SEQ_NBR
    rig.caller().ask(session.SecurityRequest.of("wrong", 9))
    log = rig.device()[76].value
    last = log.ENTRIES[log.LAST_ENTRY_ELEMENT]
    assert before + 1 == log.LAST_ENTRY_SEQ_NBR
    assert (last.EVENT_CODE.TBL_PROC_NBR, last.USER_ID) == (47, 9)


def test_a_wrong_checksum_changes_nothing() -> None:
    rig = Rig()
    caller = rig.caller().log_in()
    bad = TableData(b"NOT THIS".ljust(20), b"\0")
    assert not bad.checksum_ok
    for request in (tables.WriteOffsetRequest(6, 0, bad), tables.WriteRequest(6, TableData(bytes(230), b"\1"))):
        assert refused(caller.one(request), Err)
    assert caller.read(6) == rig.profile.tables["ST6"]
    assert (rig.meter.counters["wrong-checksum"], rig.meter.counters["writes"]) == (2, 0)
    caller.write(6, b"RIGHT".ljust(230))
    assert (rig.meter.counters["wrong-checksum"], rig.meter.counters["writes"]) == (2, 1)


def test_a_message_with_the_test_bit_changes_nothing_but_says_whether_it_could() -> None:
    rig = Rig()
    caller = rig.caller().log_in()
    write = tables.WriteOffsetRequest(6, 0, TableData(b"TEST".ljust(20)))
    assert isinstance(caller.one(write, qualifier=1), tables.WriteOffsetResponse)
    assert isinstance(caller.one(tables.WriteRequest(7, TableData(b"\3\0\1")), qualifier=1), tables.WriteResponse)
    assert refused(caller.one(tables.WriteRequest(6, TableData(b"")), qualifier=1), Iar)
    assert caller.read(6) == rig.profile.tables["ST6"]
    assert caller.read(8) == rig.profile.tables["ST8"]


def test_locked_tables_are_open_in_shop_mode() -> None:
    rig = Rig(node={"locked_tables": [6]})
    caller = rig.caller().log_in()
    write = tables.WriteOffsetRequest(6, 0, TableData(b"X"))
    assert refused(caller.one(write), Dlk)
    assert caller.call(6, b"\x04")[0] == 0
    assert isinstance(caller.one(write), tables.WriteOffsetResponse)


def test_st7_is_written_as_a_whole() -> None:
    caller = Rig().caller().log_in()
    assert refused(caller.one(tables.WriteOffsetRequest(7, 0, TableData(b"\3\0\1"))), Onp)
    assert refused(caller.one(tables.WriteRequest(7, TableData(bytes(300)))), Iar)


def test_partial_access_only_where_st0_offers_it() -> None:
    rig = Rig()
    rig.meter.tables.set("ST0.FORMAT_CONTROL_2.DATA_ACCESS_METHOD", 0)
    caller = rig.caller().log_in()
    assert refused(caller.one(tables.ReadOffsetRequest(6, 0, 1)), Onp)
    assert refused(caller.one(tables.ReadIndexRequest(6, (0,), 1)), Onp)
    assert refused(caller.one(tables.WriteOffsetRequest(6, 0, TableData(b"X"))), Onp)
    assert refused(caller.one(tables.WriteIndexRequest(6, (0,), TableData(b"X"))), Onp)


def test_a_table_nobody_declared_is_read_and_written_as_octets() -> None:
    rig = Rig(BIG)
    rig.meter.tables.set("ST0.MFG_TBLS_WRITE", {0})
    octets = rig.meter.tables["MT0"]
    caller = rig.caller().log_in(MASTER)
    assert refused(caller.one(tables.ReadIndexRequest(0x800, (0,), 1)), Onp)
    assert caller.one(tables.ReadOffsetRequest(0x800, 1, 3)).data == octets[1:4]
    assert refused(caller.write(0x800, octets + b"\0"), Iar), "it has as many octets as it had"
    assert refused(caller.write(0x800, octets[:-1]), Iar)
    assert isinstance(caller.write(0x800, octets[::-1]), tables.WriteResponse)
    assert caller.read(0x800) == octets[::-1]


def test_octets_of_a_pending_table_are_written_where_there_is_one() -> None:
    rig = Rig()
    caller = rig.caller().log_in(MASTER)
    part = tables.WriteOffsetRequest(0x1036, 6, TableData(b"\x55"))
    assert refused(caller.one(part), Iar), "none is pending"
    octets = rig.profile.tables["ST54"]
    assert isinstance(caller.write(0x1036, b"\x02DEMO\x01" + octets), tables.WriteResponse)
    assert isinstance(caller.one(part), tables.WriteOffsetResponse)
    assert caller.read(0x1036) == b"\x02DEMO\x01\x55" + octets[1:]
    assert caller.read(54) == octets
    assert refused(caller.one(tables.ReadIndexRequest(0x1036, (0,), 1)), Onp)
    beyond = tables.WriteOffsetRequest(0x1036, 6 + len(octets), TableData(b"\x55"))
    assert refused(caller.one(beyond), Iar)


def test_writes_by_index_reach_the_element() -> None:
    rig = Rig()
    caller = rig.caller().log_in()
    written = caller.one(tables.WriteIndexRequest(6, (3,), TableData(b"LINE 7".ljust(20))))
    assert isinstance(written, tables.WriteIndexResponse)
    assert rig.device().value("ST6.ELEC_ADDR") == "LINE 7"


def test_identify_tells_class_sessions_and_identity() -> None:
    response = Rig().caller().one(identify.IdentifyRequest())
    kinds = {type(feature): feature for feature in response.features}
    assert response.standard == 3
    assert kinds[identify.SessionControl].sessions == 16
    assert kinds[identify.SessionControl].sessionless
    assert kinds[identify.DeviceClass].content == b"DEMO"
    assert kinds[identify.DeviceIdentity].text == "METER-008437"
    assert identify.SecurityMechanism not in kinds, "it has no keys"
    st5 = Rig()
    st5.meter.tables.put("ST5", b" " * 20)
    without = Rig(made=Profile(Device({k: v for k, v in profile(POLYPHASE).tables.items() if k != "ST5"})))
    for rig in (st5, without):
        features = {type(feature) for feature in rig.caller().one(identify.IdentifyRequest()).features}
        assert features == {identify.SessionControl, identify.DeviceClass}, "without ST5, or with a blank one"
    secured = Rig(keys={2: bytes(16)}, cleartext=True)
    features = secured.caller().one(identify.IdentifyRequest()).features
    assert identify.SecurityMechanism in map(type, features)


def test_other_services() -> None:
    caller = Rig().caller()
    assert isinstance(caller.one(session.TerminateRequest()), session.TerminateResponse)
    titles = caller.one(network.TraceRequest((caller.initiator.identity.title,))).ap_titles
    assert [str(title) for title in titles] == [".9.1", ".123.8437"]
    assert refused(caller.one(network.ResolveRequest(titles[0])), Sns)


def test_disconnect_releases_the_connection() -> None:
    rig = Rig()
    caller = rig.caller(source="the line")
    assert isinstance(caller.one(session.DisconnectRequest()), session.DisconnectResponse)
    assert rig.released == ["the line"]


def test_a_change_of_configuration_takes_effect_and_empties_what_has_another_size() -> None:
    rig = Rig()
    caller = rig.caller().log_in()
    before = len(rig.meter.tables["ST64"])
    st62 = bytearray(rig.meter.tables["ST62"])
    layout = rig.device().layout("ST62.INT_FMT_CDE1")
    assert st62[layout.offset] == 2
    st62[layout.offset] = 4  # UINT32 instead of UINT16
    assert isinstance(caller.write(62, bytes(st62)), tables.WriteResponse)
    assert len(rig.meter.tables["ST64"]) > before
    assert rig.device().load_profile(1) is not None
    st62[layout.offset] = 3  # no such form: ST64 could not be laid out
    assert refused(caller.write(62, bytes(st62)), Iar)
    assert rig.meter.tables["ST62"][layout.offset] == 4
