"""PostgreSQL as a store, a real server: C1222_TEST_POSTGRES is its address, for a user who may make schemas."""

from __future__ import annotations

import datetime as dt
import os
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from c1222.collect import StoreError
from c1222.collect.harvest import Harvest, PollVerdict
from c1222.collect.state import MeterState
from c1222.collect.stores.opening import open_sink
from c1222.collect.stores.sink import PollPlan
from tests.c1222.collect.fleet import fleet
from tests.conftest import absent

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PLAN = PollPlan("all", ("registers",))


@pytest.fixture
def server() -> Iterator[str]:
    """The address of a schema of its own."""
    address = os.environ.get("C1222_TEST_POSTGRES") or absent("postgres")
    psycopg = pytest.importorskip("psycopg")
    name = f"c1222_{uuid.uuid4().hex}"
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {name}")
        yield f"{address}{'&' if '?' in address else '?'}options=-csearch_path%3D{name}"
        connection.execute(f"DROP SCHEMA {name} CASCADE")


def ask(server: str, query: str) -> list[Any]:
    import psycopg

    with psycopg.connect(server) as connection:
        return connection.execute(query).fetchall()


def test_the_same_rows_as_in_sqlite(server: str, tmp_path: Path) -> None:
    with fleet(tmp_path, 2) as tried:
        tried.run(keep_raw=True)
        for _ in range(2):
            assert tried.run(store=server, keep_raw=True).exit_code == 0
        known = tried.series()
        query = (
            "SELECT meter, path, \"end\", value, raw, status FROM readings WHERE path LIKE 'LP%' ORDER BY meter COLLATE"
            ' "C", path COLLATE "C", "end"'
        )
        found = ask(server, query)
        texts = [(m, p, end.astimezone(dt.UTC).replace(tzinfo=None).isoformat(" ")) for m, p, end, *_ in found]
        assert texts == [row[:3] for row in known]
        assert [value and float(value) for *_, value, _, _ in found] == [
            value and float(value) for *_, value, _, _ in known
        ]
        assert ask(server, "SELECT count(*) FROM events") == tried.rows("SELECT count(*) FROM events")
        assert ask(server, "SELECT count(*) FROM runs WHERE ended NOTNULL") == [(2,)]
        octets = ask(server, "SELECT octets FROM raw WHERE part = 'ST23'")
        assert octets[0][0] == tried.rows("SELECT octets FROM raw WHERE part = 'ST23'")[0][0]


def test_the_server_is_gone_for_a_moment(server: str, tmp_path: Path) -> None:
    sink = open_sink(server)
    begun = sink.begin(PLAN)
    ask(server, f"SELECT pg_terminate_backend({sink._open.info.backend_pid})")  # type: ignore[attr-defined]
    harvest = _harvest("a")
    with pytest.raises(StoreError) as gone:
        sink.put(begun.run, [harvest])
    assert gone.value.passing
    sink.put(begun.run, [harvest])
    sink.end(begun.run, None)
    again = open_sink(server)
    assert again.begin(PLAN).done == {"a"}
    again.end(begun.run, {})


def test_texts_of_strangers(server: str) -> None:
    sink = open_sink(server)
    begun = sink.begin(PLAN)
    sink.put(begun.run, [_harvest("a", meter="zero\0 and half \udc00")])
    sink.end(begun.run, {"x": "\0"})
    assert ask(server, "SELECT meter FROM meters") == [("zero\\x00 and half \\udc00",)]


def test_a_later_version_is_refused(server: str) -> None:
    open_sink(server).end(0, None)
    import psycopg

    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("INSERT INTO c1222_store VALUES (99)")
    with pytest.raises(StoreError, match="a later version of c1222"):
        open_sink(server)


def test_nobody_listens() -> None:
    pytest.importorskip("psycopg")
    with pytest.raises(StoreError, match="PostgreSQL: ") as nobody:
        open_sink("postgresql://127.0.0.1:9/x")
    assert nobody.value.passing


def _harvest(name: str, meter: str = "7") -> Harvest:
    verdict = PollVerdict(name, meter, "ok")
    return Harvest(name, MeterState(meter), dt.datetime.now(dt.UTC), verdict=verdict)
