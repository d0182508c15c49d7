"""What a client does with a meter, by both pumps over a wire in memory."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from c1219.errors import AbsentElement, EncodeError, UnknownElement, UnknownTable
from c1219.views.load_profile import load_profile
from c1219.views.registers import registers
from c1222.client.errors import ProcedureRefused, ProcedureUnanswered
from c1222.errors import StateError
from c1222.services import ErrorResponse, Request, Response, TableData, identify, session, tables
from c1222.services.network import NodeType, RegisterRequest
from c1222.services.results import Dnr, Iar, Isc, Isss, Onp, Rstl, Sns
from tests.c1222.client.rig import KEY, METER, PASSWORD, READER, Bench, Tiny, known, profile

pytestmark = pytest.mark.parametrize("kind", ["sync", "aio"])


def asked(bench: Bench, kind: type[Request] = tables.TableAccess) -> list[tuple[int, int | None, int | None]]:
    """Return table, offset and count of what was read."""
    return [
        (request.table, getattr(request, "offset", None), getattr(request, "count", None))
        for request in bench.store.requests
        if isinstance(request, kind) and isinstance(request, tables.TableAccess)
    ]


# --- the conversation


@pytest.mark.parametrize("mode", [0, 1, 2])
@pytest.mark.parametrize("in_session", [False, True])
def test_every_mode_in_and_out_of_a_session(kind: str, mode: int, in_session: bool) -> None:
    bench = Bench(kind, mode=mode, session=in_session, node_key=KEY if mode else None, user_id=7, password=PASSWORD)
    bench.store.needs_password = {5}
    seen: list[bytes] = []
    bench.wire.log = lambda *sent: seen.append(sent[3])
    assert bench.meter.read(1).ED_MODEL == "POLY-TOU"
    assert bench.meter.read(5).IDENTIFICATION == "METER-008437"
    bench.meter.close()
    logons = [request for request in bench.store.requests if isinstance(request, session.LogonRequest)]
    passwords = [request for request in bench.store.requests if isinstance(request, session.SecurityRequest)]
    logoffs = [request for request in bench.store.requests if isinstance(request, session.LogoffRequest)]
    if in_session:
        assert [request.user_id for request in logons] == [7]
        assert [request.user_id for request in passwords] == [None]
        assert len(logoffs) == 1
    else:
        assert not logons
        assert not logoffs
        assert {request.user_id for request in passwords} == {7}
        assert len(passwords) == len(seen) // 2 == 3  # ST0, on which others depend; ST1; ST5
    assert (b"POLY-TOU" in b"".join(seen)) == (mode != 2)


def test_identify_needs_nothing(kind: str) -> None:
    bench = Bench(kind, session=True, password="wrong")
    assert bench.meter.identify() == identify.IdentifyResponse(3, 1, 0)
    assert len(bench.store.requests) == 1


def test_logon_by_hand_and_what_follows(kind: str) -> None:
    bench = Bench(kind)
    assert bench.meter.logon(user_id=2, user="reader", password=PASSWORD, timeout=30) == 30
    logon = bench.store.requests[0]
    assert isinstance(logon, session.LogonRequest)
    assert (logon.user_id, logon.user, logon.timeout) == (2, b"reader    ", 30)
    bench.meter.wait(20)
    bench.meter.read(1)
    with pytest.raises(StateError):
        bench.meter.logon()
    bench.meter.logoff()
    assert bench.node.responder.sessions.is_full is False
    assert len(bench.node.responder.sessions) == 0
    before = len(bench.store.requests)
    bench.meter.read(1)  # sessionless again, the password first
    assert [type(request).__name__ for request in bench.store.requests[before:]] == ["SecurityRequest", "ReadRequest"]


def test_a_session_that_was_idle_is_opened_anew(kind: str) -> None:
    bench = Bench(kind, session=True, idle=10)
    bench.meter.read(1)
    bench.wire.run(until=bench.wire.now + 60)
    bench.meter.read(1)
    assert sum(isinstance(request, session.LogonRequest) for request in bench.store.requests) == 2


@pytest.mark.parametrize("verb", ["logoff", "terminate", "disconnect"])
def test_ends_of_a_session(kind: str, verb: str) -> None:
    bench = Bench(kind, session=True)
    bench.meter.read(1)
    getattr(bench.meter, verb)()
    assert len(bench.node.responder.sessions) == 0
    assert bench.store.requests[-1].service == verb
    bench.meter.close()
    assert bench.store.requests[-1].service == verb  # nothing to log off from


def test_security_by_hand(kind: str) -> None:
    bench = Bench(kind, user_id=3)
    bench.store.needs_password = {5}
    with pytest.raises(Isc):
        bench.meter.read(5)
    bench.meter.security(PASSWORD)
    assert bench.meter.read(5).IDENTIFICATION == "METER-008437"
    security = next(request for request in bench.store.requests if isinstance(request, session.SecurityRequest))
    assert (security.password, security.user_id) == (PASSWORD.encode().ljust(20), 3)


def test_padding_is_an_option(kind: str) -> None:
    bench = Bench(kind, password="abc", padding=b"\0")
    bench.store.plan.append(lambda request: session.SecurityResponse() if request.service == "security" else None)
    bench.meter.read(1)
    assert bench.store.requests[0].password == b"abc".ljust(20, b"\0")  # type: ignore[attr-defined]


def test_a_password_goes_with_the_user_it_was_given_for(kind: str) -> None:
    bench = Bench(kind, padding=b"\0")
    bench.store.plan.append(lambda request: session.SecurityResponse() if request.service == "security" else None)

    def presented() -> list[tuple[bytes, int | None]]:
        found = [request for request in bench.store.requests if isinstance(request, session.SecurityRequest)]
        bench.store.requests.clear()
        return [(request.password, request.user_id) for request in found]

    padded = b"abc".ljust(20, b"\0")
    bench.meter.security("abc", 7)
    bench.meter.read(1)
    assert set(presented()) == {(padded, 7)}
    bench.meter.logon(user_id=9)
    bench.meter.read(1)
    bench.meter.read(5)
    assert presented() == [(padded, None)]  # once, to the session, whose user the Logon told
    bench.meter.logoff()
    bench.meter.read(1)
    assert set(presented()) == {(padded, 9)}


def test_who_logs_on_unless_told(kind: str) -> None:
    bench = Bench(kind, session=True)
    bench.meter.read(1)
    assert bench.store.requests[0].user_id == 0  # type: ignore[attr-defined]


def test_a_wait_opens_no_session(kind: str) -> None:
    bench = Bench(kind, session=True)
    with pytest.raises(Isss):
        bench.meter.wait(5)
    assert bench.store.requests == []
    assert len(bench.node.responder.sessions) == 0


def test_closing_is_final_and_may_be_repeated(kind: str) -> None:
    bench = Bench(kind)
    bench.meter.close()
    bench.meter.close()
    with pytest.raises(StateError, match="closed"):
        bench.meter.read(1)


def test_anything_can_be_asked(kind: str) -> None:
    bench = Bench(kind)
    answers = bench.meter.ask(tables.ReadRequest(1), tables.ReadRequest(2000), tables.ReadIndexRequest(1, (0,), 1))
    assert answers[0].data == profile()[1]
    assert isinstance(answers[1], ErrorResponse)
    assert answers[1].code == Iar.code


# --- reading


def test_an_element_costs_its_own_octets_only(kind: str) -> None:
    bench = Bench(kind)
    value = bench.meter.read("ST23.TOT_DATA_BLOCK.SUMMATIONS[0]")
    device = known(bench.store)
    element = device.layout("ST23.TOT_DATA_BLOCK.SUMMATIONS[0]")
    assert value == device.value("ST23.TOT_DATA_BLOCK.SUMMATIONS[0]")
    assert asked(bench) == [(0, None, None), (21, None, None), (23, element.offset, element.size)]
    bench.store.requests.clear()
    bench.meter.read("ST23.TOT_DATA_BLOCK.SUMMATIONS[1]")
    assert len(bench.store.requests) == 1  # dimensions are known


def test_paths_slices_flags_and_tables_together(kind: str) -> None:
    bench = Bench(kind)
    device = known(bench.store)
    paths = ["ST6.OWNER_NAME", "ST26.SELF_READS_ENTRIES[0:2]", "ST52.TIME_DATE_QUAL.DST_FLAG", "ST3.ED_MODE"]
    bench.meter.read(0, 21)
    before = bench.wire.counters["sent"]
    values = bench.meter.read(*paths, 5, "ST1")
    assert values[:4] == [device.value(path) for path in paths]
    assert values[4:] == [device[5].value, device[1].value]
    assert bench.wire.counters["sent"] - before <= 4  # few messages, since few octets


def test_many_tables_go_in_few_messages(kind: str) -> None:
    bench = Bench(kind)
    wanted = sorted(number for number in bench.store.tables if number not in {7, 8} and number < 60)
    values = bench.meter.read(*wanted)
    device = known(bench.store)
    assert values == [device[number].value for number in wanted]
    requests = bench.wire.counters["sent"] // 2
    assert requests <= len(wanted) // 2
    assert bench.meter.device[23].raw == bench.store.tables[23]


def test_the_same_element_twice_is_asked_once(kind: str) -> None:
    bench = Bench(kind)
    one, two = bench.meter.read("ST6.OWNER_NAME", "ST6.OWNER_NAME")
    assert one == two == "Demo Light and Power"
    assert len(asked(bench, tables.ReadOffsetRequest)) == 1


def test_tables_that_nobody_declared_come_as_octets(kind: str) -> None:
    bench = Bench(kind)
    bench.store.tables[2048 + 900] = b"own"
    assert bench.meter.read("MT900") == b"own"
    assert bench.meter.read(2048 + 900) == b"own"


def test_octets_as_they_are(kind: str) -> None:
    bench = Bench(kind)
    assert bench.meter.read_octets(23) == bench.store.tables[23]
    assert bench.meter.read_octets("ST23", 5, 7) == bench.store.tables[23][5:12]
    assert bench.meter.read_octets(23, 300) == bench.store.tables[23][300:]
    assert bench.meter.read_octets(23, 3, 0) == b""


def test_elements_whose_place_depends_on_the_table_itself(kind: str) -> None:
    bench = Bench(kind)
    assert bench.meter.read("ST0.DEVICE_CLASS") == known(bench.store).value("ST0.DEVICE_CLASS")
    assert asked(bench) == [(0, None, None)]


def test_names_that_are_none(kind: str) -> None:
    bench = Bench(kind)
    for wrong, error in (
        ("ST5000", UnknownTable), ("bad", UnknownTable), (5000, UnknownTable), ("ST23.NONE", UnknownElement),
        ("ST23.TIER_DATA_BLOCK[99]", UnknownElement), ("ST900.X", UnknownTable),
    ):  # fmt: skip
        with pytest.raises(error):
            bench.meter.read(wrong)


def test_an_element_that_is_absent_is_not_asked_for(kind: str) -> None:
    bench = Bench(kind, store=Tiny(profile("single-phase")))
    absent = next(row.path for row in known(bench.store).bind(23).describe() if row.offset is None)
    with pytest.raises(AbsentElement):
        bench.meter.read(f"ST23.{absent.replace('[]', '[0]')}")
    assert (23, None, None) not in asked(bench)


def no_offsets(code: type[Exception]) -> Any:
    def fault(request: Request) -> Response | None:
        if isinstance(request, (tables.ReadOffsetRequest, tables.WriteOffsetRequest)):
            raise code
        return None

    return fault


@pytest.mark.parametrize("refusal", [Onp, Sns])
def test_meters_that_give_whole_tables_only(kind: str, refusal: type[Exception]) -> None:
    bench = Bench(kind)
    bench.store.plan.append(no_offsets(refusal))
    device = known(bench.store)
    paths = ["ST23.TOT_DATA_BLOCK.SUMMATIONS[0]", "ST6.OWNER_NAME", "ST23.TOT_DATA_BLOCK.SUMMATIONS[1]"]
    assert bench.meter.read(*paths) == [device.value(path) for path in paths]
    assert asked(bench).count((23, None, None)) == 1
    before = len(asked(bench, tables.ReadOffsetRequest))
    assert bench.meter.read(paths[0]) == device.value(paths[0])
    assert len(asked(bench, tables.ReadOffsetRequest)) == before  # it is known now
    bench.meter.write("ST6.OWNER_NAME", "other")
    assert known(bench.store).value("ST6.OWNER_NAME") == "other"
    assert known(bench.store).value("ST6.UTILITY_DIV") == device.value("ST6.UTILITY_DIV")


def test_st0_says_that_there_is_no_partial_access(kind: str) -> None:
    store = Tiny()
    st0 = bytearray(store.tables[0])
    st0[1] &= 0b11100111
    store.tables[0] = bytes(st0)
    bench = Bench(kind, store=store)
    bench.meter.read(0)
    assert bench.meter.read("ST6.OWNER_NAME") == "Demo Light and Power"
    assert not asked(bench, tables.ReadOffsetRequest)


def test_no_octets_are_not_asked_for(kind: str) -> None:
    bench = Bench(kind)
    assert bench.meter.read_octets("ST6", 3, 0) == bench.meter.read_octets("ST6", 0, 0) == b""
    assert not bench.store.requests


# --- large tables


@pytest.mark.parametrize("size", [3, 200, 1239, 1240, 1241, 5000, 70000])
def test_tables_of_any_size_whose_size_is_not_known(kind: str, size: int) -> None:
    bench = Bench(kind)
    octets = bytes(number % 251 for number in range(size))
    bench.store.tables[2048 + 700] = octets
    assert bench.meter.read_octets("MT700") == octets


@pytest.mark.parametrize("told", [True, False])
def test_pieces_fit_what_the_meter_can_send(kind: str, told: bool) -> None:
    bench = Bench(kind)
    octets = bench.store.tables[2048 + 700] = bytes(range(256)) * 5
    largest: list[int] = []

    def small(request: Request) -> Response | None:
        if isinstance(request, (tables.ReadRequest, tables.ReadOffsetRequest)) and request.table == 2048 + 700:
            count = getattr(request, "count", 1280)
            if count > 100:
                raise Rstl.of(260) if told else Rstl
            largest.append(count)
        return None

    bench.store.plan.append(small)
    assert bench.meter.read_octets("MT700") == octets
    assert max(largest) <= 100
    before = len(bench.store.requests)
    assert bench.meter.read_octets("MT700", 0, 1000) == octets[:1000]
    assert all(request.count <= 100 for request in bench.store.requests[before:])  # type: ignore[attr-defined]


def test_pieces_of_a_known_table_with_progress(kind: str) -> None:
    bench = Bench(kind)
    seen: list[tuple[int, int | None]] = []
    bench.meter.read(61)
    value = bench.meter.read(64, progress=lambda done, total: seen.append((done, total)))
    device = known(bench.store)
    assert value == device[64].value
    size = len(bench.store.tables[64])
    assert {total for _, total in seen} == {size}
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert seen[-1][0] == size
    assert len(seen) > 10


def test_a_chunk_size_of_ones_own(kind: str) -> None:
    bench = Bench(kind, chunk=50)
    bench.meter.read(61)
    bench.meter.read(64)
    assert max(count or 0 for _, _, count in asked(bench, tables.ReadOffsetRequest)) == 50


def test_a_meter_that_likes_no_company(kind: str) -> None:
    """Meters refuse messages of several services with onp; then each goes alone."""
    bench = Bench(kind)
    bench.meter.read(0)
    original = bench.node.responder.handler

    class Alone:
        def __call__(self, request: Request, context: Any) -> Response:
            if len(context.message.services) > 1:
                raise Onp
            return original(request, context)

    bench.node.responder.handler = Alone()
    one, two, three = bench.meter.read(1, 5, 6)
    assert (one.ED_MODEL, two.IDENTIFICATION) == ("POLY-TOU", "METER-008437")
    assert three.OWNER_NAME == "Demo Light and Power"


def test_a_meter_that_is_busy_is_asked_again(kind: str) -> None:
    bench = Bench(kind, busy_pause=1.5)
    answers = [Dnr, Dnr]

    def busy(request: Request) -> Response | None:
        if answers:
            raise answers.pop()
        return None

    bench.store.plan.append(busy)
    started = bench.wire.now
    assert bench.meter.read(1).ED_MODEL == "POLY-TOU"
    assert bench.wire.now - started >= 3.0


# --- writing


def test_write_whole_tables_and_elements(kind: str) -> None:
    bench = Bench(kind)
    table = bench.meter.read(6)
    bench.meter.write(6, table._replace(OWNER_NAME="new owner"))
    assert known(bench.store).value("ST6.OWNER_NAME") == "new owner"
    bench.meter.write("ST6.MISC_ID", "note")
    assert known(bench.store).value("ST6.MISC_ID") == "note"
    assert isinstance(bench.store.writes[-1], tables.WriteOffsetRequest)
    assert bench.meter.device.value("ST6.MISC_ID") == "note"  # what is known of the meter goes along
    bench.meter.write(5, bytes(20))
    assert bench.store.tables[5] == bytes(20)
    bench.meter.write_octets("ST6", b"XY", 3)
    assert bench.store.tables[6][3:5] == b"XY"
    bench.meter.write_octets("ST6", table_octets := bytes(230))
    assert bench.store.tables[6] == table_octets


def test_write_part_of_a_bit_field(kind: str) -> None:
    bench = Bench(kind)
    device = known(bench.store)
    element = device.layout("ST51.TIME_FUNC_FLAG1.SORT_DATES_FLAG")
    before = device.value("ST51.TIME_FUNC_FLAG1")
    filler = bytearray(bench.store.tables[51])
    filler[element.offset] |= 0xC0  # what no name covers stays as it is
    bench.store.tables[51] = bytes(filler)
    bench.meter.write("ST51.TIME_FUNC_FLAG1.SORT_DATES_FLAG", not before.SORT_DATES_FLAG)
    after = known(bench.store).value("ST51.TIME_FUNC_FLAG1")
    assert after == before._replace(SORT_DATES_FLAG=not before.SORT_DATES_FLAG)
    assert bench.store.tables[51][element.offset] & 0xC0 == 0xC0
    (write,) = bench.store.writes
    assert (write.offset, len(write.data)) == (element.offset, element.size)  # type: ignore[attr-defined]


def test_write_in_terms_of_json(kind: str) -> None:
    bench = Bench(kind)
    table = known(bench.store)[5].to_json()
    bench.meter.write(5, {**table, "IDENTIFICATION": "from json"}, as_json=True)
    bench.meter.write("ST6.OWNER_NAME", "from json too", as_json=True)
    assert known(bench.store)[5].value.IDENTIFICATION == "from json"
    assert known(bench.store).value("ST6.OWNER_NAME") == "from json too"


def test_a_value_without_a_form_is_not_sent(kind: str) -> None:
    bench = Bench(kind)
    with pytest.raises(EncodeError):
        bench.meter.write("ST6.OWNER_NAME", "x" * 21)
    assert not bench.store.writes


def test_large_tables_are_written_in_pieces(kind: str) -> None:
    bench = Bench(kind)
    octets = bytes(number % 251 for number in range(5000))
    bench.store.tables[2048 + 700] = bytes(5000)
    bench.meter.write_octets("MT700", octets)
    assert bench.store.tables[2048 + 700] == octets
    assert len(bench.store.writes) == 5


def test_written_pieces_shrink_to_what_the_meter_takes(kind: str) -> None:
    from c1222.services.results import Rqtl

    for refusal in (Rqtl.of(200), Rqtl()):
        bench = Bench(kind)
        octets = bytes(range(250)) * 2
        bench.store.tables[2048 + 700] = bytes(500)

        def small(request: Request, refusal: Rqtl = refusal) -> Response | None:
            if isinstance(request, (tables.WriteRequest, tables.WriteOffsetRequest)) and len(request.data) > 70:
                raise refusal
            return None

        bench.store.plan.append(small)
        bench.meter.write_octets("MT700", octets)
        assert bench.store.tables[2048 + 700] == octets
        assert max(len(write.data) for write in bench.store.writes) <= 70  # type: ignore[attr-defined]


# --- procedures


def test_procedures_by_number_label_and_name(kind: str) -> None:
    bench = Bench(kind)
    for which in (4, "4", "SP4", "reset list pointers"):
        result = bench.meter.procedure(which, 1)
        assert (result.procedure, result.name, result.code, result.text) == ("SP4", "Reset List Pointers", 0, "done")
        assert result.is_done
    assert {(number, octets) for number, _, octets in bench.store.procedures} == {(4, b"\x01")}
    sequence = [number for _, number, _ in bench.store.procedures]
    assert len(set(sequence)) == 4
    bench.meter.procedure("MP3", b"\x01\x02")
    assert bench.store.procedures[-1][0] == 0x803
    assert bench.store.procedures[-1][2] == b"\x01\x02"
    bench.meter.procedure(2048 + 3)
    assert bench.store.procedures[-1][2] == b""


def test_parameters_in_the_order_of_the_declaration_or_as_json(kind: str) -> None:
    bench = Bench(kind)
    bench.meter.procedure(5, 1, 300)
    assert bench.store.procedures[-1][2] == bytes([1, 0x2C, 0x01])
    bench.meter.procedure(
        9,
        {
            "ACTION_FLAG": {
                "DEMAND_RESET_FLAG": True,
                "SELF_READ_FLAG": True,
                "SEASON_CHANGE_FLAG": False,
                "NEW_SEASON": 0,
            }
        },
    )
    assert bench.store.procedures[-1][2] == b"\x03"
    for wrong in ((), (1, 2), ("x",)):
        with pytest.raises(EncodeError):
            bench.meter.procedure(4, *wrong)
    with pytest.raises(UnknownTable, match="no parameters"):
        bench.meter.procedure(0, 1)
    with pytest.raises(UnknownTable, match="no procedure is called"):
        bench.meter.procedure("No Such Thing")
    with pytest.raises(UnknownTable, match="outside"):
        bench.meter.procedure(4096)


def test_a_procedure_that_takes_its_time(kind: str) -> None:
    bench = Bench(kind)

    def unfinished(request: Request) -> Response | None:
        if isinstance(request, tables.ReadRequest) and request.table == 8 and bench.wire.now < 4:
            octets = bench.store.tables[8]
            return tables.ReadResponse(TableData(octets[:3] + b"\x01"))
        return None

    bench.store.plan.append(unfinished)
    result = bench.meter.procedure(4, 1)
    assert result.code == 0
    assert bench.wire.now >= 4
    bench.store.plan.clear()
    bench.store.results = [1] * 10
    assert bench.meter.procedure(4, 1, polls=3, pause=0.1).text == "accepted, not finished"


@pytest.mark.parametrize(("code", "words"), [(2, "parameter"), (3, "setup"), (4, "later"), (5, "rights"), (6, "ST0")])
def test_a_procedure_that_is_refused(kind: str, code: int, words: str) -> None:
    bench = Bench(kind)
    bench.store.results = [code]
    with pytest.raises(ProcedureRefused, match=words) as caught:
        bench.meter.procedure(4, 1)
    assert caught.value.result.code == code
    assert "Reset List Pointers" in str(caught.value)


def test_the_result_of_another_procedure_is_not_taken(kind: str) -> None:
    bench = Bench(kind)

    def foreign(request: Request) -> Response | None:
        if isinstance(request, tables.ReadRequest) and request.table == 8:
            return tables.ReadResponse(TableData(bytes([4, 0, bench.store.tables[8][2] ^ 1, 0])))
        return None

    bench.store.plan.append(foreign)
    with pytest.raises(ProcedureUnanswered):
        bench.meter.procedure(4, 1, polls=3)


def test_a_meter_that_wants_st8_in_a_message_of_its_own(kind: str) -> None:
    bench = Bench(kind)
    original = bench.node.responder.handler

    class Alone:
        def __call__(self, request: Request, context: Any) -> Response:
            if len(context.message.services) > 1 and isinstance(request, tables.ReadRequest):
                raise Onp
            return original(request, context)

    bench.node.responder.handler = Alone()
    assert bench.meter.procedure(4, 1).is_done
    assert len(bench.store.procedures) == 1


# --- meaning


def test_registers_are_those_of_the_tables(kind: str) -> None:
    bench = Bench(kind)
    found = bench.meter.registers()
    everything = registers(known(bench.store))
    expected = [row for row in everything.rows if row.path[:4] in {"ST23", "ST28"}]
    assert list(found.rows) == expected
    assert expected
    assert not [finding for finding in found.findings if finding.level == "error"]
    bench.store.requests.clear()
    assert list(bench.meter.registers(23).rows) == [row for row in expected if row.path[:4] == "ST23"]
    assert {table for table, _, _ in asked(bench)} == {23}
    row = bench.meter.registers(23).rows[1]
    assert (row.unit, type(row.value)) == ("Wh", Decimal)


def test_registers_of_earlier_periods(kind: str) -> None:
    bench = Bench(kind)
    rows = bench.meter.registers(24, 26).rows
    assert {row.path[:4] for row in rows} == {"ST24", "ST26"}
    rows = bench.meter.registers(25).rows
    assert {row.path[:4] for row in rows} == {"ST25"}


@pytest.mark.parametrize("name", ["polyphase-tou", "big-endian", "single-phase"])
def test_a_span_of_load_profile_costs_what_it_needs(kind: str, name: str) -> None:
    bench = Bench(kind, store=Tiny(profile(name)))
    device = known(bench.store)
    number = next(n for n in (1, 2, 3, 4) if 63 + n in bench.store.tables)
    whole = load_profile(device, number)
    ends = [row.end for row in whole.rows if row.end is not None]
    until = ends[-1] - dt.timedelta(hours=5)
    since = until - dt.timedelta(hours=6)
    found = bench.meter.load_profile(number, since, until)
    assert found.rows == load_profile(device, number, since=since, until=until).rows
    assert found.rows
    table = 63 + number
    octets = sum(count or 0 for read, _, count in asked(bench, tables.ReadOffsetRequest) if read == table)
    assert octets < len(bench.store.tables[table]) // 6
    assert bench.meter.load_profile(number).rows == whole.rows


def test_load_profile_of_a_meter_without_partial_access(kind: str) -> None:
    bench = Bench(kind, reliable=True)
    bench.store.plan.append(no_offsets(Onp))
    device = known(bench.store)
    whole = load_profile(device, 1)
    since = whole.rows[-1].end - dt.timedelta(hours=3)
    assert bench.meter.load_profile(1, since).rows == load_profile(device, 1, since=since).rows
    assert asked(bench).count((64, None, None)) <= 2


def test_a_meter_without_a_load_profile(kind: str) -> None:
    store = Tiny(profile("single-phase"))
    bench = Bench(kind, store=store)
    found = bench.meter.load_profile(3)
    assert not found.rows
    assert found.findings


def test_events_of_both_logs(kind: str) -> None:
    bench = Bench(kind)
    from c1219.views.event_log import events

    expected = events(known(bench.store))
    found = bench.meter.events()
    assert found.rows == expected.rows
    assert found.rows
    assert bench.meter.events("event").rows == events(known(bench.store), logs=("event",)).rows
    lone = Bench(kind, store=Tiny(profile("single-phase")))
    assert {row.log for row in lone.meter.events().rows} == {"history"}
    with pytest.raises(Iar):
        lone.meter.events("event")


def test_configuration_that_is_refused_is_left_out_with_a_finding(kind: str) -> None:
    bench = Bench(kind)

    def secret(request: Request) -> Response | None:
        if isinstance(request, tables.ReadRequest) and request.table in {12, 16}:
            raise Isc
        return None

    bench.store.plan.append(secret)
    found = bench.meter.registers(23)
    assert found.rows
    assert {finding.path for finding in found.findings if finding.code == "refused"} == {"ST12", "ST16"}


def test_registers_that_are_all_refused_are_an_error(kind: str) -> None:
    bench = Bench(kind)
    bench.store.needs_password = {23, 28}
    with pytest.raises(Isc, match="ST23"):
        bench.meter.registers()
    bench.store.needs_password = {28}
    found = bench.meter.registers()
    assert [finding.path for finding in found.findings if finding.level == "error"] == ["ST28"]
    with pytest.raises(Isc, match="ST28"):
        bench.meter.registers(28)


def test_who_the_meter_is(kind: str) -> None:
    bench = Bench(kind)
    found = bench.meter.identity()
    assert (found.manufacturer, found.model, found.identification) == ("DEMO", "POLY-TOU", "METER-008437")
    assert found.ap_title == METER


def test_the_clock_and_how_far_it_is(kind: str) -> None:
    bench = Bench(kind)
    now = dt.datetime.fromtimestamp(bench.wire.utc, dt.UTC)
    clock = bench.meter.clock()
    assert clock.wall == known(bench.store).value("ST52.CLOCK_CALENDAR")
    assert abs(clock.drift - (clock.time - now)) < dt.timedelta(seconds=1)


@pytest.mark.parametrize("name", ["polyphase-tou", "big-endian", "single-phase"])
def test_the_clock_is_set_in_the_form_that_it_has(kind: str, name: str) -> None:
    bench = Bench(kind, store=Tiny(profile(name)))
    device = known(bench.store)
    zone = ZoneInfo("America/Denver") if name == "single-phase" else None
    for moment in (
        dt.datetime(2026, 1, 15, 12, 30, 20, tzinfo=dt.UTC),
        dt.datetime(2026, 7, 15, 3, 0, 0, 700_000, tzinfo=dt.timezone(dt.timedelta(hours=2))),
    ):
        if name == "single-phase":
            with pytest.raises(StateError, match="zone"):
                bench.meter.set_clock(moment)
        bench.meter.set_clock(moment, zone=zone)
        layout = device.procedure_layout(10, "parameters")
        assert layout is not None
        mask, wall, qualifier = layout.decode(bench.store.procedures[-1][2])
        assert tuple(mask) == (True, True, False)
        assert wall.isoweekday() % 7 == qualifier.DAY_OF_WEEK
        from c1219.views.clock import timekeeping

        rounded = (moment + dt.timedelta(milliseconds=500)).replace(microsecond=0)
        assert timekeeping(device, zone=zone).instant(wall) == rounded
    bench.meter.set_clock(dt.datetime(2030, 5, 6, 7, 8, 9))
    assert layout.decode(bench.store.procedures[-1][2])[1] == dt.datetime(2030, 5, 6, 7, 8, 9)


def test_the_clock_is_set_to_now(kind: str) -> None:
    bench = Bench(kind)
    bench.meter.set_clock()
    layout = known(bench.store).procedure_layout(10, "parameters")
    assert layout is not None
    from c1219.views.clock import timekeeping

    wall = layout.decode(bench.store.procedures[-1][2])[1]
    time = timekeeping(known(bench.store)).instant(wall)
    assert time is not None
    assert abs(time.timestamp() - bench.wire.utc) <= 2


# --- relays and hosts


def test_register_resolve_trace_and_deregister(kind: str) -> None:
    bench = Bench(kind, key=None, mode=0, node_key=None)
    meter = bench.meter
    known_as = meter.register(serial_number="1.3.6.1.4.1.33507.7", device_class=b"ITR1", ap_title=".5.6", period=600)
    assert (str(known_as.ap_title), known_as.period) == (".5.6", 3600)
    request = bench.store.requests[0]
    assert isinstance(request, RegisterRequest)
    assert (request.node_type, request.period, request.device_class) == (NodeType.END_DEVICE, 600, b"ITR1")
    assert meter.resolve(".5.6") == bytes.fromhex("7f0000010481")
    assert [str(title) for title in meter.trace()] == [READER, READER]
    assert str(meter.deregister()) == READER
    assert str(meter.deregister(".5.6")) == ".5.6"


def test_notifications_are_not_answered(kind: str) -> None:
    bench = Bench(kind, ed_class=b"DEMO")
    bench.meter.notify(7, b"\x1a\0\0\x02\0")
    bench.wire.run()
    assert bench.wire.counters["sent"] == 1
    write = bench.store.writes[0]
    assert write.data == b"\x1a\0\0\x02\0"  # type: ignore[attr-defined]
    bench.meter.notify("ST6", b"XY", offset=4, urgent=True, confirmed=True)
    assert bench.store.tables[6][4:6] == b"XY"
    assert bench.wire.counters["sent"] == 1 + 4  # silence is success, so it takes all attempts
    with pytest.raises(Iar):
        bench.meter.notify(2000, b"", confirmed=True)
