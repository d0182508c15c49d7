"""Access rights, against a plain reading of ST42 to ST44."""

from __future__ import annotations

import hmac

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from c1219.datatypes import BINARY, SECRET
from c1219.device import Device
from c1219.registry import Registry
from c1219.rules.rights import AccessRules, holds_secrets
from c1219.schema import Record, Table
from c1222.node.meter import rights as module
from c1222.node.meter.configuration import Shape
from c1222.node.meter.rights import EVERYONE, NOBODY, Grant, Rights, offer_of, rights_of
from tests.c1219.rules.counting import work
from tests.c1222.node.rig import BIG, POLYPHASE, SINGLE, Rig, profile

# ST41: three passwords of 8 octets, one key of 8, three entries of rights
ST41 = bytes.fromhex("03 08 01 08 03 00")
ST42 = b"READER01\x01" + b"MASTER99\x83" + b"MIDDLE02\x02"
ST43 = bytes.fromhex("00 20 00 80 00 10 00 80")
ST44 = bytes.fromhex("36 00 01 80 03 10 00 82 00 00 00 00")

PLACES = [0, 1, 6, 42, 42, 43, 54, 0x800, 0x1003, 0x1816]
"""ST0, ST1 .., MT0, SP3 and MP22, as ACCESS_TABLE has them."""
GROUPS = st.sampled_from([0, 1, 2, 0x80, 0xFF])


def made(**tables: bytes | None) -> Rights:
    octets: dict[int | str, bytes] = {"ST0": profile(SINGLE).tables["ST0"]}
    given_ = {"ST41": ST41, "ST42": ST42, "ST43": ST43, "ST44": ST44, **tables}
    octets.update({label: value for label, value in given_.items() if value is not None})
    return rights_of(Shape(octets))


@pytest.mark.parametrize(("device_class", "closed"), [(bytes.fromhex("84120307"), True), (b"ELSE", False)])
def test_a_table_that_a_manufacturer_declares_secret_needs_an_entry(device_class: bytes, closed: bool) -> None:
    registry = Registry()
    pin = Record("PIN_RCD", "PIN" / SECRET(4) * "Personal number.")
    registry.register(
        Table(number=0, manufacturer=True, device_class=device_class, name="PIN_TBL", record=pin),
        Table(number=0, manufacturer=True, name="OTHER_TBL", record=Record("N_RCD", "N" / BINARY(4) * "Number.")),
    )
    octets: dict[int | str, bytes] = {"ST0": profile(BIG).tables["ST0"], "ST41": ST41, "ST42": ST42}
    rights = rights_of(Shape(octets, registry))
    master = rights.check(b"MASTER99")
    assert master
    assert rights.may_read("MT0", master) is not closed
    assert rights.may_read("ST23", master)


def test_the_worked_example() -> None:
    """ST43: anyone reads, group 7 writes and executes. ST44: ST54 for groups 0 and 7, SP3 for groups 1 and 7."""
    rights = made()
    reader, master = rights.check(b"READER01".ljust(20)), rights.check(b"MASTER99".ljust(20, b"\0"))
    middle = rights.check(b"MIDDLE02".ljust(20))
    assert reader == Grant(0b1, known=True)
    assert master == Grant(0b10000011, known=True)
    assert middle == Grant(0b10, known=True)
    assert rights.initial == NOBODY
    everybody = (NOBODY, reader, middle, master)
    assert [rights.may_read("ST54", who) for who in everybody] == [False, True, False, True]
    assert [rights.may_write("ST54", who) for who in everybody] == [False, False, False, True]
    assert [rights.may_write("SP3", who) for who in everybody] == [False, False, True, True]
    assert [rights.may_read("ST23", who) for who in everybody] == [True, True, True, True], "any, by default"
    assert [rights.may_write("ST23", who) for who in everybody] == [False, False, False, True]
    assert [rights.may_write("SP9", who) for who in everybody] == [False, False, False, True], "by default"
    assert rights.may_read("ST0", NOBODY), "an entry of zeros is filler, and does not lock ST0"
    assert not rights.may_read("ST42", master), "nobody said so, and the default is not meant for passwords"


@pytest.mark.parametrize(
    ("entry", "reads", "writes"),
    [
        ("00 00 01 00", [False, True, False], [False, False, False]),
        ("00 00 00 80", [False, False, False], [False, False, True]),
        ("00 20 00 00", [True, True, True], [False, False, False]),
        ("00 00 00 00", [True, True, True], [False, False, True]),
    ],
    ids=["a group reads", "a group writes", "anyone reads", "filler: as ST43 says"],
)
def test_an_entry_for_st0_is_one_although_its_number_is_zero(entry: str, reads: list[bool], writes: list[bool]) -> None:
    rights = made(ST44=bytes.fromhex(entry) + bytes(8))
    everybody = (NOBODY, Grant(0b1, known=True), Grant(0b10000000, known=True))
    assert [rights.may_read("ST0", who) for who in everybody] == reads
    assert [rights.may_write("ST0", who) for who in everybody] == writes


@pytest.mark.parametrize(
    ("place", "label"), [("05 00", "ST5"), ("05 08", "MT5"), ("05 10", "SP5"), ("05 18", "MP5"), ("ff 1f", "MP2047")]
)
def test_an_entry_is_for_one_table_or_procedure(place: str, label: str) -> None:
    rights = made(ST44=bytes.fromhex(place) + b"\x04\x04" + bytes(8))
    who = Grant(0b100, known=True)
    for other in ("ST5", "MT5", "SP5", "MP5", "MP2047"):
        assert rights.may_write(other, who) is (other == label)


def test_a_password_may_open_no_group() -> None:
    rights = made(ST42=b"READER01\x00" + b"MASTER99\x83" + b"MIDDLE02\x02")
    who = rights.check(b"READER01".ljust(20))
    assert who == Grant(0, known=True)
    assert rights.check(b"READER01".ljust(20, b"\0")) == who
    assert not rights.may_read("ST54", who)


@pytest.mark.parametrize(("method", "by_offset", "by_index"), [(0, 0, 0), (1, 1, 0), (2, 0, 1), (3, 1, 1)])
def test_st0_says_how_parts_of_tables_are_reached(method: int, by_offset: int, by_index: int) -> None:
    tables = Rig(SINGLE, simulate=False).meter.tables
    tables.set("ST0.FORMAT_CONTROL_2.DATA_ACCESS_METHOD", method)
    offer = offer_of(tables.shape)
    assert (offer.by_offset, offer.by_index) == (bool(by_offset), bool(by_index))


def test_st0_says_which_procedures_there_are_and_which_octet_is_first() -> None:
    for name, big in ((SINGLE, False), (BIG, True)):
        tables = Rig(name, simulate=False).meter.tables
        offer = offer_of(tables.shape)
        assert offer.big is big
        st0 = Device({"ST0": tables["ST0"]})[0].value
        of_manufacturer = {0x800 + number for number in st0.MFG_PROC_USED}
        assert offer.procedures == set(st0.STD_PROC_USED) | of_manufacturer
        assert bool(of_manufacturer) is big


@pytest.mark.parametrize(
    "password", [b"", b"READER0", b"READER011", b"reader01", b"READER01x", b" READER01", b"\xff" * 20]
)
def test_wrong_passwords(password: bytes) -> None:
    assert made().check(password[:20].ljust(20)) is None


def test_unused_entries_open_nothing() -> None:
    for blank in (bytes(8), b" " * 8, b"\xff" * 8):
        rights = made(ST42=b"READER01\x01" + 2 * (blank + b"\xff"))
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
        assert len(compared) == 3, "whichever is right, all are compared"
        assert {len(one) for pair in compared for one in pair} == {20}


def test_of_two_entries_with_one_password_the_first_counts() -> None:
    rights = made(ST42=b"READER01\x00" + b"READER01\x83" + b"READER01\x02")
    assert rights.check(b"READER01".ljust(20)) == Grant(0, known=True)


def test_devices_without_security_tables_are_open() -> None:
    rights = made(ST41=None, ST42=None, ST43=None, ST44=None)
    assert rights.initial == EVERYONE
    assert rights.check(b"anything") == EVERYONE
    assert rights.may_read("ST42", EVERYONE)
    assert rights.may_write("ST6", EVERYONE)


@pytest.mark.parametrize("group", range(8))
def test_without_passwords_everybody_is_in_all_groups(group: int) -> None:
    rights = made(ST42=None, ST44=bytes((0x36, 0, 1 << group, 1 << group, 3, 0x10, 0, 1 << group, 0, 0, 0, 0)))
    assert rights.may_read("ST54", rights.initial)
    assert rights.may_write("ST54", rights.initial)
    assert rights.may_write("SP3", rights.initial)
    assert not rights.may_read("ST54", NOBODY)


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


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from([b"READER01", b"MASTER99", bytes(8), b" " * 8]), st.integers(0, 255)), max_size=3
    ),
    st.none() | st.binary(min_size=8, max_size=8),
    st.none() | st.lists(st.tuples(st.sampled_from(PLACES), st.integers(0, 3), GROUPS, GROUPS), max_size=5),
)
def test_a_meter_and_a_reader_of_its_tables_know_one_set_of_rights(
    opened: list[tuple[bytes, int]], default: bytes | None, entries: list[tuple[int, int, int, int]] | None
) -> None:
    """What the view says of each password and of nobody is what the meter does; where it does not know, the meter decides."""
    st44 = None
    if entries is not None:
        st44 = b"".join((key | flags << 13).to_bytes(2, "little") + bytes(groups) for key, flags, *groups in entries)
    octets: dict[int | str, bytes] = {
        "ST0": profile(SINGLE).tables["ST0"],
        "ST41": bytes([len(opened), 8, 0, 0]) + len(entries or ()).to_bytes(2, "little"),
        "ST42": b"".join(password + bytes([groups]) for password, groups in opened),
    }
    octets |= {label: held for label, held in (("ST43", default), ("ST44", st44)) if held is not None}
    shape = Shape(octets)
    meter, view = rights_of(shape), shape.device.access()
    assert view.passwords is not None
    for row in view.permissions:
        for who, may in ((row.read, meter.may_read), (row.write, meter.may_write)):
            if who is None:
                secret = row.kind == "table" and holds_secrets(shape.device, row.label)
                assert row.rule is None or (secret and row.rule == "ST43.TABLE_DEFAULT")
                assert not secret or may != meter.may_read or not may(row.label, EVERYONE)
                continue
            if may == meter.may_write and not row.writable:
                continue  # refused by ST0, whoever asks
            assert may(row.label, NOBODY) is who.anyone
            for password in view.passwords:
                groups = Grant(0 if password.blank else sum(1 << group for group in password.groups), known=True)
                assert may(row.label, groups) is (password.entry in (who.passwords or ())), (row, password)


def test_rights_said_many_times_are_told_apart_in_few_steps() -> None:
    """Of entries for one table the first counts; the others are passed over before anything is made of them."""
    entry = bytes.fromhex("36 00 01 80")
    shape = Shape({"ST0": profile(SINGLE).tables["ST0"], "ST41": ST41[:4] + b"\x10\x27", "ST44": entry * 10_000})
    control, rules = shape.value("ST44"), []
    assert work(lambda: rules.append(AccessRules(None, control))) < 10_000 * 8
    assert (list(rules[0].entries), len(rules[0].repeated)) == (["ST54"], 9_999)


def test_rights_are_read_again_only_if_their_tables_are_written() -> None:
    made_ = profile()
    tables = dict(made_.tables)
    before = made_.shapes.get(tables)
    rights = before.derived(rights_of)
    tables["ST53"] = tables["ST53"][:-1] + bytes([tables["ST53"][-1] ^ 1])
    other = made_.shapes.get(tables)
    assert other is not before
    assert other.derived(rights_of) is rights
    for label in ("ST42", "ST43", "ST44"):
        changed = tables | {label: bytes(len(tables[label]))}
        shape = made_.shapes.get(changed)
        assert shape.derived(rights_of) is not rights, label
    for entries in range(40):  # more than are remembered
        shape = made_.shapes.get(tables | {"ST44": bytes([entries]) * len(tables["ST44"])})
        shape.derived(rights_of)
    who = rights.check(b"installer-demo".ljust(20))
    assert who is not None
    assert made_.shapes.get(tables).derived(rights_of).may_write("ST54", who)
