"""Filters let through what is asked for, and nothing else."""

from __future__ import annotations

import datetime as dt
import io
from typing import Any

import pytest

from c1219 import C1219Error
from c1222 import ApTitle, EncodeError, MessageFilter
from c1222.capture.filters import parse_time
from c1222.services import ErrorResponse, TableData, session, tables
from tests.c1222.capture.conversation import HEAD_END, KEY, METER, OTHER
from tests.c1222.capture.packets import datagrams, read, sealed
from tests.c1222.capture.summary.talk import START, Talk

MT5 = 0x0805


@pytest.fixture(scope="module")
def talk() -> Talk:
    """Number of each message: 1 and 2 a read of ST1; 3 and 4 of MT5 by offset; 5 and 6 a write of ST1 in cleartext that
    is refused; 7 and 8 another meter's; 9 a message in cleartext with a password and a read of a pending ST1."""
    talk = Talk()
    talk.send(1, 1)
    talk.send(2, 2, answers=1)
    talk.send(3, 3, services=[tables.ReadOffsetRequest(MT5, 0, 3)], called=METER.absolute())
    talk.send(4, 4, answers=3, services=[tables.ReadOffsetResponse(TableData(b"abc"))])
    talk.send(5, 5, mode=0, services=[tables.WriteRequest(1, TableData(b"ST1"))])
    talk.send(6, 6, answers=5, mode=0, services=[ErrorResponse(0x04)])
    talk.send(7, 7, called=OTHER, ends=("192.0.2.1:50000", "198.51.100.8:1153"))
    talk.send(8, 8, answers=7, calling=OTHER, ends=("192.0.2.1:50000", "198.51.100.8:1153"))
    pending = tables.ReadRequest(tables.TableBits.PENDING + 1)
    talk.send(9, 9, mode=0, services=[session.SecurityRequest.of("x", 2), pending])
    return talk


def shown(talk: Talk, keys: Any = KEY, **asked: Any) -> list[int]:
    wanted = MessageFilter(**asked)
    assert wanted
    return [message.calling_invocation_id for message in filter(wanted, talk.decoder(keys))]


@pytest.mark.parametrize("title", [str(METER), str(METER.absolute()), METER, METER.absolute()])
def test_by_node_called_or_calling_in_either_form(talk: Talk, title: Any) -> None:
    assert shown(talk, node=title) == [1, 2, 3, 4, 5, 6, 9]
    assert shown(talk, node=str(OTHER)) == [7, 8]
    assert shown(talk, node=".99") == []


def test_by_node_under_another_base(talk: Talk) -> None:
    base = ApTitle("2.16.124.113620.1.22.0.1")
    assert shown(talk, node=f"{base}.123.8437", base=base) == [1, 2, 4, 5, 6, 9]


def test_by_address(talk: Talk) -> None:
    assert shown(talk, node="198.51.100.8:1153") == [7, 8]
    assert shown(talk, node="198.51.100.7:1153") == [1, 2, 3, 4, 5, 6, 9]


@pytest.mark.parametrize(
    ("table", "numbers"),
    [("ST1", [1, 2, 5, 6, 7, 8, 9]), ("st1", [1, 2, 5, 6, 7, 8, 9]), (1, [1, 2, 5, 6, 7, 8, 9]), ("MT5", [3, 4]),
     (MT5, [3, 4]), ("ST5", [])],
)  # fmt: skip
def test_by_table_with_the_answer(talk: Talk, table: Any, numbers: list[int]) -> None:
    assert shown(talk, tables=[table]) == numbers


@pytest.mark.parametrize(
    ("service", "numbers"),
    [("read", [1, 2, 7, 8, 9]), ("read-offset", [3, 4]), (0x3F, [3, 4]), ("0x3F", [3, 4]), ("64", [5, 6]),
     ("security", [9]), ("logon", [])],
)  # fmt: skip
def test_by_service_with_the_answer(talk: Talk, service: Any, numbers: list[int]) -> None:
    assert shown(talk, services=[service]) == numbers


def test_one_of_several_and_all_of_what_is_asked_for(talk: Talk) -> None:
    assert shown(talk, tables=["ST5", "MT5"], services=["read", "read-offset"]) == [3, 4]
    assert shown(talk, tables=["ST1"], services=["write"]) == [5, 6]
    assert shown(talk, tables=["MT5"], services=["write"]) == []
    assert shown(talk, node=str(OTHER), services=["read"]) == [7, 8]


def test_errors_are_codes_other_than_ok_and_findings(talk: Talk) -> None:
    assert shown(talk, errors=True) == [6]
    assert shown(talk, keys=None, errors=True) == [1, 2, 3, 4, 6, 7, 8]
    assert shown(talk, errors=True, node=str(OTHER), keys=None) == [7, 8]


def test_findings_of_tables_are_errors_too(talk: Talk) -> None:
    first = next(iter(talk.decoder()))
    wanted = MessageFilter(errors=True)
    assert not wanted(first)
    assert not wanted(first, (None,))
    assert wanted(first, ({"findings": [{"level": "error"}]},))
    assert not wanted(first, ({"findings": [{"level": "warning"}]},))


def test_by_time_from_the_first_to_before_the_last(talk: Talk) -> None:
    def at(seconds: int) -> dt.datetime:
        return dt.datetime.fromtimestamp(START + seconds, dt.timezone(dt.timedelta(hours=-7)))

    assert shown(talk, since=at(7)) == [7, 8, 9]
    assert shown(talk, until=at(3)) == [1, 2]
    assert shown(talk, since=at(2), until=at(4)) == [2, 3]


def test_what_has_no_time_is_in_none() -> None:
    messages, _ = read(io.BytesIO(sealed(1).hex().encode()))
    assert [message.calling_invocation_id for message in messages] == [1]
    assert not MessageFilter(until=parse_time("9999-01-01"))(messages[0])


def test_by_verdict(talk: Talk) -> None:
    assert shown(talk, verified=True) == [1, 2, 3, 4, 7, 8]
    assert shown(talk, verified=False) == [5, 6, 9]
    assert shown(talk, keys=None, verified=True) == []


def test_what_is_no_message_passes_as_an_error_alone() -> None:
    broken, _ = read(datagrams(bytes.fromhex("600aa2030201")))
    assert [message.is_message for message in broken] == [False]
    assert MessageFilter(errors=True)(broken[0])
    assert MessageFilter(verified=False)(broken[0])
    for asked in ({"node": str(HEAD_END)}, {"tables": [1]}, {"services": ["read"]}, {"verified": True}):
        assert not MessageFilter(**asked)(broken[0])  # type: ignore[arg-type]


def test_nothing_asked_for_is_all() -> None:
    assert not MessageFilter()
    assert not MessageFilter(tables=(), services=())
    assert MessageFilter(verified=False)


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ({"node": "meter 7"}, "meter 7"), ({"tables": ["23a"]}, "names no table"), ({"tables": [4096]}, "outside"),
        ({"services": ["reed"]}, "there is no service 'reed'; services: identify"),
        ({"services": [0x05]}, "no code of a request"), ({"services": ["999"]}, "no code of a request"),
        ({"since": dt.datetime(2024, 1, 1)}, "has no zone"),
    ],
)  # fmt: skip
def test_what_cannot_be_understood(asked: dict[str, Any], text: str) -> None:
    with pytest.raises((EncodeError, C1219Error), match=text):
        MessageFilter(**asked)


def test_times_are_utc_unless_they_name_a_zone() -> None:
    assert parse_time("2024-05-31") == dt.datetime(2024, 5, 31, tzinfo=dt.UTC)
    assert parse_time("2024-05-31T12:00:00+02:00") == dt.datetime(2024, 5, 31, 10, tzinfo=dt.UTC)
    assert parse_time("2024-05-31T12:00Z") == dt.datetime(2024, 5, 31, 12, tzinfo=dt.UTC)
    with pytest.raises(EncodeError, match="is no time"):
        parse_time("yesterday")
