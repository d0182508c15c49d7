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
    [
        (1, ST1[:31]),
        (1, b"\x01" + ST1[1:]),
        (2, ST2 + b"\0"),
        (3, b"\x01\0\0\0\0"),
        (5, b""),
        (7, b""),
        (8, b""),
        (52, bytes(7)),
    ],
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


@pytest.mark.parametrize(
    ("octets", "number", "parameters", "said"),
    [
        ("0300 01", 3, "", "the procedure is a declared one; only DATA_ORDER 0 fits"),
        ("0003 01", 3, "", "the procedure is a declared one; only DATA_ORDER 1 fits"),
        ("0400 01 7f", 4, {"LIST": 127}, "only DATA_ORDER 0 fits"),
        ("0005 01 01 0002", 5, {"LIST": 1, "ENTRIES_READ": 2}, "only DATA_ORDER 1 fits"),
        ("0000 01", 0, "", "ST0 of this node was not seen"),
    ],
)
def test_st7_is_decoded_in_the_order_in_which_its_procedure_is_declared(octets, number, parameters, said) -> None:
    talk = Conversation()
    talk.write(7, bytes.fromhex(octets))
    found = known(talk)[0]
    assert found["value"]["PROC"] == {"TBL_PROC_NBR": number, "STD_VS_MFG_FLAG": False, "SELECTOR": 0}
    assert (found["value"]["SEQ_NBR"], found["value"]["PARM"]) == (1, parameters)
    assert [finding["code"] for finding in found["findings"]] == ["assumed"]
    assert said in found["findings"][0]["text"]


@pytest.mark.parametrize(
    ("octets", "time", "said"),
    [
        ("0a00 05 07 170b0c0d0e0f 18", "2023-11-12T13:14:15", "only DATA_ORDER 0 fits, only TM_FORMAT 2 fits"),
        ("000a 05 07 01a0b0c00e 18", "2021-12-03T01:04:14", "only DATA_ORDER 1 fits, only TM_FORMAT 3 fits"),
        ("000a 05 07 5f0b0c0d 18", "2020-07-12T13:11:41", "only DATA_ORDER 1 fits, only TM_FORMAT 4 fits"),
        ("0a00 05 07 231112131415 18", "2023-11-12T13:14:15", "only DATA_ORDER 0 fits, only TM_FORMAT 1 fits"),
        ("0a00 05 07 230506070809 18", {"raw": "230506070809"}, "is left as octets: ST7.PARM.DATE_TIME"),
    ],
)
def test_times_in_parameters_have_the_form_of_their_size(octets, time, said) -> None:
    talk = Conversation()
    talk.write(7, bytes.fromhex(octets))
    found = known(talk)[0]
    assert found["value"]["PARM"]["DATE_TIME"] == time
    assert "there is a clock" in found["findings"][0]["text"]
    assert said in found["findings"][0]["text"]


def test_st8_and_pieces_of_it() -> None:
    talk = Conversation()
    talk.read(8, bytes.fromhex("0300 01 00"))
    talk.read(8, bytes.fromhex("000a 05 01"))
    talk.read_offset(8, 0, bytes.fromhex("0300 01"))
    whole, refused, piece = known(talk)
    assert whole["value"]["PROC"]["TBL_PROC_NBR"] == 3
    assert (whole["value"]["SEQ_NBR"], whole["value"]["RESULT_CODE"]) == (1, 0)
    assert (refused["value"]["PROC"]["TBL_PROC_NBR"], refused["value"]["RESULT_CODE"]) == (10, 1)
    assert piece["value"] == {"PROC": whole["value"]["PROC"], "SEQ_NBR": 1}


def test_of_procedures_that_are_not_declared_only_the_frame_is_shown() -> None:
    talk = Conversation()
    talk.write(7, bytes.fromhex("ff0f 01 0011"))
    found = known(talk)[0]
    assert found["value"] == {"PROC": {"raw": "ff0f"}, "SEQ_NBR": 1, "PARM": "0011"}
    assert "a declared one" not in found["findings"][0]["text"]


@pytest.mark.parametrize("octets", ["1500 01 00 00 00", "0a", "0a00 05 07 00 18"])
def test_of_procedures_that_depend_on_more_nothing_is_guessed(octets: str) -> None:
    talk = Conversation()
    talk.write(7, bytes.fromhex(octets))
    assert "not seen" in known(talk)[0]["undecoded"]


def test_a_password_in_parameters_stays_concealed() -> None:
    talk = Conversation()
    talk.write(7, bytes.fromhex("1200 05 0100") + b"0123456789abcdefghij")
    assert "0123" not in str(known(talk)[0])
