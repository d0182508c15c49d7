from __future__ import annotations

import json
from pathlib import Path

import pytest

from c1219 import Device
from c1219.views.security import Access, Password, Permission, Who, access

FOLDER = Path(__file__).resolve().parents[3] / "specs" / "devices"
X = bytes.fromhex
# ST0 with ST0, 1, 5, 6, 41..45 and 54, MT0, SP3 and SP10, MP1; ST5, 6, 42 and 54 can be written
SETS = X("63 00 00 00 00 3E 40 01 08 04 02 60 00 00 00 00 04 40 00")
ST0 = X("02 1A 8A 44 45 4D 4F 02 00 10 10 02 00 07 01 02 01 00 00") + SETS
WORKED = {
    0: ST0,
    41: X("02 08 01 08 02 00"),
    42: b"READER01\x01MASTER99\x83",
    43: X("00 20 00 80  00 10 00 80"),
    44: X("36 00 01 80  03 10 00 82"),
    45: bytes(range(8)),
}


def meter(**changes: bytes | None) -> Device:
    tables = WORKED | {int(name[2:]): octets for name, octets in changes.items()}
    return Device({number: octets for number, octets in tables.items() if octets is not None})


def profile(name: str) -> Access:
    return Device.from_json((FOLDER / f"{name}.json").read_text("ascii")).access()


def test_worked_example() -> None:
    found = meter().access()
    assert found.passwords == (Password(0, (0,), blank=False), Password(1, (0, 1, 7), blank=False))
    assert found.keys == 1
    assert found.findings == ()
    calendar = found.of("ST54")
    assert calendar == Permission(
        "ST54", "Calendar", "table", Who(False, (0,), (0, 1)), Who(False, (7,), (1,)), True, "ST44.ACCESS_CONTROL[0]"
    )
    identity = found.of("ST1")
    assert identity is not None
    assert identity.read == Who(True, (), (0, 1)), "the flag of ST43 opens all tables to anyone"
    assert identity.write == Who(False, (), ()), "ST0 does not say that it can be written"
    assert (identity.writable, identity.rule) == (False, "ST43.TABLE_DEFAULT")
    clear = found.of("SP3")
    assert clear == Permission(
        "SP3", "Clear Data", "procedure", Who(False, (), ()), Who(False, (1, 7), (1,)), True, "ST44.ACCESS_CONTROL[1]"
    )
    assert [row.label for row in found.permissions] == [
        "ST0", "ST1", "ST5", "ST6", "ST41", "ST42", "ST43", "ST44", "ST45", "ST54", "MT0", "SP3", "SP10", "MP1",
    ]  # fmt: skip
    assert {row.label for row in found.permissions if row.rule == "ST43.PROCEDURE_DEFAULT"} == {"SP10", "MP1"}
    assert found.of("ST99") is None


@pytest.mark.parametrize(
    ("who", "text"),
    [
        (Who(True, (1,), None), "anyone"),
        (Who(False, (0, 7), ()), "groups 0, 7"),
        (Who(False, (3,), ()), "group 3"),
        (Who(False, (), ()), "nobody"),
    ],
)
def test_in_words(who: Who, text: str) -> None:
    assert str(who) == text


def test_passwords_that_cannot_be_read() -> None:
    found = meter(ST42=None, ST45=None).access()
    assert (found.passwords, found.keys) == (None, None)
    row = found.of("ST54")
    assert row is not None
    assert row.read == Who(False, (0,), None), "groups are known, who is in them is not"
    assert [(finding.level, finding.path) for finding in found.findings] == [("note", "ST42"), ("note", "ST45")]


def test_without_the_tables_of_rights() -> None:
    found = meter(ST43=None, ST44=None).access()
    row = found.of("ST54")
    assert row is not None
    assert (row.read, row.write, row.rule) == (None, None, None)
    fixed = found.of("ST1")
    assert fixed is not None
    assert fixed.write == Who(False, (), ()), "what ST0 does not list as writable nobody writes"
    assert {finding.path for finding in found.findings} == {"ST43", "ST44"}


def test_rights_twice_filler_and_of_tables_that_are_not_there() -> None:
    found = meter(ST41=X("02 08 01 08 04 00"), ST44=X("36 00 01 80  36 00 FF FF  00 00 00 00  63 00 01 01")).access()
    row = found.of("ST54")
    assert row is not None
    assert row.rule == "ST44.ACCESS_CONTROL[0]"
    start = found.of("ST0")
    assert start is not None
    assert start.rule == "ST43.TABLE_DEFAULT", "an entry of zeros does not lock ST0"
    assert [(finding.code, finding.path) for finding in found.findings] == [
        ("twice", "ST44.ACCESS_CONTROL[1]"),
        ("not-listed", "ST44.ACCESS_CONTROL[3]"),
    ]
    assert "ST99" in found.findings[1].text


@pytest.mark.parametrize("filler", [b"\0", b" ", b"\xff"])
def test_a_blank_password_opens_nothing(filler: bytes) -> None:
    found = meter(ST42=b"READER01\x01" + filler * 8 + b"\xff").access()
    assert found.passwords == (Password(0, (0,), blank=False), Password(1, tuple(range(8)), blank=True))
    row = found.of("ST54")
    assert row is not None
    assert row.write == Who(False, (7,), ())


def test_a_cut_table_of_passwords() -> None:
    found = meter(ST42=b"READER01\x01MAST").access()
    assert found.passwords is None
    assert [finding.code for finding in found.findings] == ["short"]


def test_without_st0() -> None:
    found = access(Device())
    assert found[:3] == ((), None, None)
    assert [(finding.level, finding.path) for finding in found.findings] == [("error", "ST0")]


def test_the_profiles_are_as_their_page_says() -> None:
    def of(name: str, password: int) -> tuple[set[str], set[str]]:
        rows = profile(name).permissions
        read = {row.label for row in rows if row.read and password in (row.read.passwords or ())}
        write = {row.label for row in rows if row.write and password in (row.write.passwords or ())}
        return read, write

    for name in ("single-phase", "polyphase-tou", "big-endian"):
        assert profile(name).findings == ()
        read, write = of(name, 0)
        assert {"ST0", "ST23", "ST64" if name != "big-endian" else "ST65"} <= read
        assert "ST42" not in read
        assert write <= {"ST7", "SP5", "MP22"}
    assert of("single-phase", 1)[1] >= {"ST6", "ST42", "SP3", "SP10"}
    installer, master = of("polyphase-tou", 1)[1], of("polyphase-tou", 2)[1]
    assert {label for label in installer if label.startswith("ST")} == {"ST6", "ST7", "ST54"}
    assert "SP3" not in installer
    assert "SP10" in installer
    assert master > installer
    assert {"SP3", "ST42"} <= master
    assert of("big-endian", 0)[1] == {"ST7", "MP22"}
    assert "ST42" in of("big-endian", 1)[1]


@pytest.mark.parametrize("secret", [b"OPENDOOR", b"\x01\x02\x03\xfa\xfb\xfc\xfd\xfe", "clé-né".encode()])
def test_passwords_and_keys_are_never_told(secret: bytes) -> None:
    found = meter(ST42=secret + b"\x01" + secret + b"\x83", ST45=secret).access()
    for shown in (repr(found), str(found), found.to_json(), str(found.as_dict())):
        assert secret.decode("latin-1") not in shown
        assert repr(secret)[2:-1] not in shown
        assert secret.hex() not in shown


def test_json() -> None:
    shown = json.loads(meter().access().to_json())
    assert shown["keys"] == 1
    assert shown["passwords"][1] == {"entry": 1, "groups": [0, 1, 7], "blank": False}
    row = next(row for row in shown["permissions"] if row["label"] == "ST54")
    assert row["write"] == {"anyone": False, "groups": [7], "passwords": [1]}
    assert next(row for row in shown["permissions"] if row["label"] == "SP10")["name"] == "Set Date and/or Time"
    bare = json.loads(meter(ST43=None, ST44=None).access().to_json())
    assert next(row for row in bare["permissions"] if row["label"] == "ST54")["read"] is None


def test_capabilities_are_a_method_too() -> None:
    assert [use.label for use in meter().capabilities().procedures] == ["SP3", "SP10", "MP1"]
