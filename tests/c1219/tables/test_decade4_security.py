from __future__ import annotations

import json
import struct

import pytest
from construct import StreamError
from hypothesis import given, settings
from hypothesis import strategies as some

from c1219 import Device
from c1219.datatypes import OPAQUE_SECRET, SECRET
from c1219.registry import default_registry
from c1219.tables.decade4_security import (
    ACCESS_CONTROL_TBL,
    ACT_SECURITY_LIMITING_TBL,
    DEFAULT_ACCESS_CONTROL_TBL,
    DIM_SECURITY_LIMITING_TBL,
    EXTENDED_KEY_TBL,
    HOST_ACCESS_SECURITY_TBL,
    KEY_TBL,
    SECURITY_TBL,
    TABLES,
)
from c1219.values import Secret
from c1219.wire import Formats
from tests.c1219.tables.oracle import parse, round_trip, st0, undocumented


def groups(permissions):
    return {n for n in range(8) if permissions[f"GROUP_PERM_{n}_FLAG"]}


@pytest.fixture
def act():
    return round_trip(ACT_SECURITY_LIMITING_TBL, bytes.fromhex("02 08 01 08 02 00"), ST0=st0())


def test_worked_dimensions(act):
    assert (act.NBR_PASSWORDS, act.PASSWORD_LEN, act.NBR_KEYS, act.KEY_LEN, act.NBR_PERM_USED) == (2, 8, 1, 8, 2)


def test_worked_passwords(act):
    octets = bytes.fromhex("52 45 41 44 45 52 30 31 01 4D 41 53 54 45 52 39 39 83")
    first, second = round_trip(SECURITY_TBL, octets, ST0=st0(), ST41=act).SECURITY_ENTRIES
    assert (first.PASSWORD, groups(first.ACCESS_PERMISSIONS)) == (b"READER01", {0})
    assert (second.PASSWORD, groups(second.ACCESS_PERMISSIONS)) == (b"MASTER99", {0, 1, 7})


def test_worked_default_rights():
    value = round_trip(DEFAULT_ACCESS_CONTROL_TBL, bytes.fromhex("00 20 00 80 00 10 00 80"), ST0=st0())
    tables, procedures = value.TABLE_DEFAULT, value.PROCEDURE_DEFAULT
    assert (tables.ACCESS_TABLE_DEFAULT.FLAG1, tables.ACCESS_TABLE_DEFAULT.FLAG2) == (True, False)
    assert (groups(tables.READ), groups(tables.WRITE)) == (set(), {7})
    assert procedures.ACCESS_TABLE_DEFAULT.PROC_FLAG
    assert (groups(procedures.READ), groups(procedures.WRITE)) == (set(), {7})


def test_worked_rights(act):
    value = round_trip(ACCESS_CONTROL_TBL, bytes.fromhex("36 00 01 80 03 10 00 82"), ST0=st0(), ST41=act)
    table, procedure = value.ACCESS_CONTROL
    assert (table.ACCESS_TABLE.TBL_PROC_NBR, table.ACCESS_TABLE.PROC_FLAG) == (54, False)
    assert (groups(table.READ), groups(table.WRITE)) == ({0}, {7})
    assert (procedure.ACCESS_TABLE.TBL_PROC_NBR, procedure.ACCESS_TABLE.PROC_FLAG) == (3, True)
    assert (groups(procedure.READ), groups(procedure.WRITE)) == (set(), {1, 7})


def test_keys(act):
    value = round_trip(KEY_TBL, bytes(range(8)), ST0=st0(), ST41=act)
    assert [entry.KEY for entry in value.KEY_ENTRIES] == [bytes(range(8))]


@pytest.mark.parametrize("table", [EXTENDED_KEY_TBL, HOST_ACCESS_SECURITY_TBL])
def test_tables_known_by_name_only(table):
    assert table.confidence == "name only"
    assert round_trip(table, b"\x01\x02\x03").DATA == b"\x01\x02\x03"
    assert "OPEN" not in repr(parse(table, b"OPENDOOR").DATA)


def test_secrets_do_not_show(act):
    passwords = parse(SECURITY_TBL, b"OPENDOOR\x01" * 2, ST0=st0(), ST41=act)
    keys = parse(KEY_TBL, b"OPENDOOR", ST0=st0(), ST41=act)
    for secret in (passwords.SECURITY_ENTRIES[0].PASSWORD, keys.KEY_ENTRIES[0].KEY):
        assert isinstance(secret, Secret)
        for shown in (repr(secret), str(secret), f"{secret}", repr([secret]), "%s" % secret):  # noqa: UP031
            assert "OPEN" not in shown
            assert "8 octets" in shown
        assert secret == b"OPENDOOR"
    form = SECRET(8).form(Formats(), 8)
    assert "OPEN" not in json.dumps(form.to_json(form.decode(b"OPENDOOR")))
    assert isinstance(SECRET(0).form(Formats(), 0).decode(b""), Secret)
    with pytest.raises(ValueError):
        form.from_json(form.to_json(form.decode(b"OPENDOOR")))  # what does not tell the secret cannot restore it


def test_secrets_do_not_show_however_they_are_read():
    st0_octets = bytes.fromhex("02 1A 8A 44 45 4D 4F 02 00 10 10 02 00 00 00 00 00 00 00")
    device = Device({0: st0_octets, 41: bytes.fromhex("02 08 01 08 02 00"), 42: b"OPENDOOR\x01OPEN", 45: b"OPEN"})
    device.put(46, b"OPENDOOR")
    other = Device({0: st0_octets, 41: device[41].raw, 42: b"DOOROPEN\x01" * 2, 47: b"OPENDOOR"})
    shown = [
        *(f"{device[number].value} {device[number].findings} {device[number].to_json()}" for number in (42, 45, 46)),
        str(device.decode_partial(42, 0, b"OPEN")),
        str(device.decode_partial(46, 0, b"OPEN")),
        str(device.decode_partial(46, 1, b"OPEN")),
        str(device.diff(other)),
        str(other.diff(device)),
        repr(device),
    ]
    for text in shown:
        assert "OPEN" not in text
        assert b"OPEN".hex() not in text.replace(" ", "")
        assert "secret" in text or text == shown[-1]
    assert len(device.diff(other)) >= 4


def test_tables_say_that_they_hold_secrets():
    labels = [table.label for table in default_registry().tables() if table.secret]
    assert labels == ["ST42", "ST45", "ST46", "ST47"]
    assert (SECRET(8).secret, OPAQUE_SECRET.secret) == (True, True)


@given(
    order=some.sampled_from([0, 1]),
    dimensions=some.tuples(*[some.integers(0, 30)] * 4, some.integers(0, 300)),
    random=some.randoms(use_true_random=False),
)
@settings(max_examples=60, deadline=None)
def test_sizes(order, dimensions, random):
    passwords, password_len, keys, key_len, rights = dimensions
    octets = struct.pack(">BBBBH" if order else "<BBBBH", *dimensions)
    others = {"ST0": st0(order=order)}
    others["ST41"] = round_trip(ACT_SECURITY_LIMITING_TBL, octets, **others)
    assert round_trip(DIM_SECURITY_LIMITING_TBL, octets, **others) == others["ST41"]
    for table, size in (
        (SECURITY_TBL, passwords * (password_len + 1)),
        (DEFAULT_ACCESS_CONTROL_TBL, 8),
        (ACCESS_CONTROL_TBL, 4 * rights),
        (KEY_TBL, keys * key_len),
    ):
        content = random.randbytes(size)
        round_trip(table, content, **others)
        if size:
            with pytest.raises(StreamError):
                parse(table, content[:-1], **others)


def test_everything_is_documented():
    assert {table.label: undocumented(table) for table in TABLES} == {table.label: [] for table in TABLES}


def test_what_each_table_depends_on():
    assert {table.label: table.depends_on for table in TABLES} == {
        "ST40": ("ST0",),
        "ST41": ("ST0",),
        "ST42": ("ST41",),
        "ST43": ("ST0",),
        "ST44": ("ST0", "ST41"),
        "ST45": ("ST41",),
        "ST46": (),
        "ST47": (),
    }
