"""Tables in a capture in which the ST0 of their node is missing."""

import pytest

from tests.c1222.capture.conversation import Conversation
from tests.c1222.capture.tables.known_values import ST1, ST2, known


def test_without_st0_only_what_is_the_same_in_all_fitting_forms_is_shown() -> None:
    talk = Conversation()
    talk.read(1, ST1)
    talk.read(2, ST2)
    talk.read_offset(1, 16, ST1[16:])
    talk.read(5, b"METER-000123".ljust(20))
    talk.read(1, ST1[:16] + bytes.fromhex("0000000012345678"))
    st1, st2, serial, st5, bcd = known(talk)
    assert st1["value"] == {
        "MANUFACTURER": "DEMO", "ED_MODEL": "MODEL-X", "HW_VERSION_NUMBER": 1, "HW_REVISION_NUMBER": 0,
        "FW_VERSION_NUMBER": 3, "FW_REVISION_NUMBER": 2, "MFG_SERIAL_NUMBER": "0000000012345678",
    }  # fmt: skip
    (finding,) = st1["findings"]
    assert (finding["level"], finding["code"], finding["path"]) == ("note", "assumed", "ST1")
    assert "ST0 of this node was not seen" in finding["text"]
    assert "only ID_FORM 0 fits" in finding["text"]
    assert st2["value"]["E_AMPS"] == {"E_CLASS_MAX_AMPS": "200", "E_TA": "30"}
    assert st2["value"]["E_ELEMENTS"] == {"raw": "4c00"}, "it differs by DATA_ORDER"
    assert "ST2.E_ELEMENTS" in st2["findings"][0]["text"]
    assert "the meter is electric" in st2["findings"][0]["text"]
    assert serial["value"] == {"MFG_SERIAL_NUMBER": "0000000012345678"}
    assert st5["value"] == {"IDENTIFICATION": "METER-000123"}
    assert bcd["value"]["MFG_SERIAL_NUMBER"] == "0000000012345678"
    assert "only ID_FORM 1 fits" in bcd["findings"][0]["text"]


def test_a_number_is_the_same_in_both_orders_only_if_its_octets_are() -> None:
    talk = Conversation()
    talk.read(2, ST2[:18] + b"\x4c\x4c" + ST2[20:])
    assert known(talk)[0]["value"]["E_ELEMENTS"]["E_FREQ"] == 4


@pytest.mark.parametrize(
    ("table", "octets"),
    [(1, ST1[:31]), (1, b"\x01" + ST1[1:]), (2, ST2 + b"\0"), (3, b"\x01\0\0\0\0"), (5, b""), (52, bytes(7))],
)
def test_without_st0_nothing_else_is_guessed(table: int, octets: bytes) -> None:
    talk = Conversation()
    talk.read(table, octets)
    (found,) = known(talk)
    assert "value" not in found
    assert "not seen" in found["undecoded"]


def test_letters_outside_ascii_depend_on_the_character_set() -> None:
    talk = Conversation()
    talk.read(1, b"\xc4\xd6  " + ST1[4:])
    assert known(talk)[0]["value"]["MANUFACTURER"] == "ÄÖ", "which is no UTF-8 and no ASCII"
    talk = Conversation()
    talk.read(1, b"\xc3\x84  " + ST1[4:])
    assert known(talk)[0]["value"]["MANUFACTURER"] == "Ä", "of which nothing can be printed in ISO 8859-1"
    talk = Conversation()
    talk.read(1, b"\xc3\xa9  " + ST1[4:])
    assert known(talk)[0]["value"]["MANUFACTURER"] == {"raw": "c3a92020"}, "é in UTF-8, Ã© in ISO 8859-1"
