"""Two foreign DLMS clients read everything through ``c1222 gateway``, and agree with each other and with `c1222 device`.

Their libraries are in an environment of its own, named by C1222_DLMS_PYTHON (`.ci/run` makes it); without it these tests
are skipped.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import threading
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from c1219.cosem.data import clock_moment
from c1219.cosem.names import LogicalName
from c1222.gateway.listening import Gateway
from c1222.gateway.sources import file_source
from tests.c1219.cosem.cases import sample
from tests.conftest import absent

HERE = Path(__file__).parent
PROFILE = LogicalName(1, 0, 99, 1, 0)
ZONE = dt.timezone(dt.timedelta(hours=-5))
SPAN = dt.datetime(2026, 11, 20, tzinfo=ZONE), dt.datetime(2026, 11, 21, tzinfo=ZONE)
CLIENTS = ("gurux", "dlms_cosem")


@cache
def read_by(client: str) -> dict[str, Any]:
    python = os.environ.get("C1222_DLMS_PYTHON") or absent("dlms")
    with Gateway(file_source(sample("polyphase-tou")), port=0) as gateway:
        threading.Thread(target=gateway.serve, daemon=True).start()
        host, port = gateway.address
        program = [python, str(HERE / f"{client}_client.py"), host, str(port), PROFILE.octets.hex()]
        run = subprocess.run(
            [*program, *(one.isoformat() for one in SPAN)], capture_output=True, text=True, timeout=120
        )
    assert run.returncode == 0, run.stderr
    found: dict[str, Any] = json.loads(run.stdout)
    return found


def key(interface: int, name: LogicalName, attribute: int) -> str:
    return f"{interface} {name.octets.hex()} {attribute}"


@pytest.mark.parametrize("client", CLIENTS)
def test_every_attribute_is_read(client: str) -> None:
    found, objects = read_by(client), sample("polyphase-tou").cosem()
    assert len(found["objects"]) == len(objects) + 2
    for one in objects:
        for attribute in one.attributes:
            value, got = one.attribute(attribute), found["read"][key(one.interface, one.name, attribute)]
            assert value is not None
            if not (client == "dlms_cosem" and isinstance(got, dict)):  # it decodes no floats of 64 bits
                assert got == value.plain(), one


@pytest.mark.parametrize("client", CLIENTS)
def test_registers_are_those_of_the_device(client: str) -> None:
    read, device = read_by(client)["read"], sample("polyphase-tou")
    names, seen = device.cosem().names, 0
    for row in device.registers():
        if row.period != "current" or row.path not in names:
            continue
        interface = next(one for one in (3, 4) if key(one, names[row.path], 2) in read)
        scaler, _ = read[key(interface, names[row.path], 3)]
        assert Decimal(read[key(interface, names[row.path], 2)]).scaleb(scaler) == row.value
        seen += 1
    assert seen > 30


@pytest.mark.parametrize("client", CLIENTS)
def test_profile_and_range_are_those_of_the_device(client: str) -> None:
    found = read_by(client)
    rows = [row for row in sample("polyphase-tou").load_profile(1) if row.channel == 1]
    for got, expected in (
        (found["read"][key(7, PROFILE, 2)], rows),
        (found["range"], [row for row in rows if row.end and SPAN[0] <= row.end <= SPAN[1]]),
    ):
        assert [clock_moment(bytes.fromhex(entry[0])) for entry in got] == [row.end for row in expected]
        for entry, row in zip(got, expected, strict=True):
            if entry[2] is not None:
                assert entry[2] * 10 == row.value


@pytest.mark.parametrize("client", CLIENTS)
def test_clock_is_that_of_the_device(client: str) -> None:
    octets = bytes.fromhex(read_by(client)["read"][key(8, LogicalName(0, 0, 1, 0, 0), 2)])
    assert clock_moment(octets) == sample("polyphase-tou").clock().time


def test_they_agree() -> None:
    one, other = (read_by(client) for client in CLIENTS)
    assert one["objects"] == other["objects"]
    assert one["range"] == other["range"]
    different = {name for name in one["read"] if one["read"][name] != other["read"][name]}
    assert all(isinstance(other["read"][name], dict) for name in different)
    assert len(different) < 5
