"""Access rights, against a plain reading of ST42 to ST44."""

from __future__ import annotations

import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from c1222.node import rights as module
from c1222.node.rights import EVERYONE, NOBODY, Grant, Rights, rights_of
from c1222.node.shape import Shape
from tests.c1222.node.rig import BIG, POLYPHASE, SINGLE, profile

# ST41: two passwords of 8 octets, one key of 8, three entries of rights
ST41 = bytes.fromhex("02 08 01 08 03 00")
ST42 = b"READER01\x01" + b"MASTER99\x83"
ST43 = bytes.fromhex("00 20 00 80 00 10 00 80")
ST44 = bytes.fromhex("36 00 01 80 03 10 00 82 00 00 00 00")


def made(**tables: bytes | None) -> Rights:
    octets: dict[int | str, bytes] = {"ST0": profile(SINGLE).tables["ST0"]}
    given_ = {"ST41": ST41, "ST42": ST42, "ST43": ST43, "ST44": ST44, **tables}
    octets.update({label: value for label, value in given_.items() if value is not None})
    return rights_of(Shape(octets))


def test_the_worked_example() -> None:
    rights = made()
    reader, master = rights.check(b"READER01".ljust(20)), rights.check(b"MASTER99".ljust(20, b"\0"))
    assert reader == Grant(0b1, known=True)
    assert master == Grant(0b10000011, known=True)
    assert rights.initial == NOBODY
    assert [rights.may_read("ST54", who) for who in (NOBODY, reader, master)] == [False, True, True]
    assert [rights.may_write("ST54", who) for who in (NOBODY, reader, master)] == [False, False, True]
    assert [rights.may_execute("SP3", who) for who in (NOBODY, reader, master)] == [False, False, True]
    assert [rights.may_read("ST23", who) for who in (NOBODY, reader, master)] == [True, True, True], "any, by default"
    assert [rights.may_write("ST23", who) for who in (NOBODY, reader, master)] == [False, False, True]
    assert [rights.may_execute("SP9", who) for who in (NOBODY, reader, master)] == [False, False, True]
    assert rights.may_read("ST0", NOBODY), "an entry of zeros is filler, and does not lock ST0"
    assert not rights.may_read("ST42", master), "nobody said so, and the default is not meant for passwords"


@pytest.mark.parametrize(
    "password", [b"", b"READER0", b"READER011", b"reader01", b"READER01x", b" READER01", b"\xff" * 20]
)
def test_wrong_passwords(password: bytes) -> None:
    assert made().check(password[:20].ljust(20)) is None


def test_unused_entries_open_nothing() -> None:
    for blank in (bytes(8), b" " * 8, b"\xff" * 8):
        rights = made(ST42=b"READER01\x01" + blank + b"\xff")
        for password in (bytes(20), b" " * 20, b"\xff" * 20, blank.ljust(20)):
            assert rights.check(password) is None


def test_every_entry_is_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[bytes, bytes]] = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return hmac.compare_digest(one, other)

    monkeypatch.setattr(module, "compare_digest", compare)
    rights = made()
    for password in (b"READER01", b"MASTER99", b"NOBODY"):
        compared.clear()
        rights.check(password.ljust(20))
        assert len(compared) == 2, "whichever is right, all are compared"
        assert {len(one) for pair in compared for one in pair} == {20}


def test_devices_without_security_tables_are_open() -> None:
    rights = made(ST41=None, ST42=None, ST43=None, ST44=None)
    assert rights.initial == EVERYONE
    assert rights.check(b"anything") == EVERYONE
    assert rights.may_read("ST42", EVERYONE)
    assert rights.may_write("ST6", EVERYONE)


def test_without_rules_a_password_is_enough_to_write_and_none_to_read() -> None:
    rights = made(ST43=None, ST44=None)
    reader = rights.check(b"READER01".ljust(20))
    assert reader is not None
    assert rights.may_read("ST23", NOBODY)
    assert not rights.may_write("ST6", NOBODY)
    assert rights.may_write("ST6", reader)
    assert not rights.may_read("ST42", reader)


@given(
    groups=st.integers(0, 255),
    entry=st.tuples(st.booleans(), st.booleans(), st.integers(0, 255), st.integers(0, 255)),
)
def test_a_shared_group_or_anyone(groups: int, entry: tuple[bool, bool, int, int]) -> None:
    any_read, any_write, read, write = entry
    place = 6 | any_read << 13 | any_write << 14
    row = place.to_bytes(2, "little") + bytes((read, write))
    rights = made(ST44=row + bytes(8))
    who = Grant(groups, known=True)
    assert rights.may_read("ST6", who) is (any_read or bool(read & groups))
    assert rights.may_write("ST6", who) is (any_write or bool(write & groups))


@pytest.mark.parametrize(
    ("name", "password", "writes", "not_writes"),
    [
        (POLYPHASE, b"installer-demo", "ST54", "ST42"),
        (POLYPHASE, b"master-demo", "ST42", None),
        (SINGLE, b"master-demo", "ST6", None),
        (SINGLE, b"reader-demo", None, "ST6"),
        (BIG, "maître-démo".encode(), "ST62", None),
        (BIG, "lecteur-démo".encode(), None, "ST62"),
    ],
)
def test_the_sample_profiles(name: str, password: bytes, writes: str | None, not_writes: str | None) -> None:
    made_ = profile(name)
    rights = made_.shapes.get(made_.tables).derived(rights_of)
    who = rights.check(password.ljust(20))
    assert who is not None
    assert rights.may_read("ST23", who)
    assert writes is None or rights.may_write(writes, who)
    assert not_writes is None or not rights.may_write(not_writes, who)


def test_passwords_do_not_show() -> None:
    rights = made()
    assert "READER01" not in repr(rights)
    assert not hasattr(rights, "__dict__")
