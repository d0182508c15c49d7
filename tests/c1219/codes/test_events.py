from __future__ import annotations

import pytest

from c1219.codes.events import EventCode, event


def test_every_standard_code_is_named():
    assert [member.value for member in EventCode] == list(range(77))
    texts = [member.facts.text for member in EventCode]
    assert len(set(texts)) == 77
    assert all(texts)


def test_codes_37_to_48_mirror_the_status_flags():
    words = [
        *("configuration", "self-check", "RAM", "ROM", "nonvolatile", "clock", "measurement", "battery"),
        *("loss potential", "demand overload", "tamper", "reverse"),
    ]
    for code, word in enumerate(words, 37):
        assert word in event(code).text


@pytest.mark.parametrize(
    ("code", "types"),
    [
        *((5, ["STIME_DATE"]), (6, ["STIME_DATE"]), (9, ["TABLE_IDC_BFLD"]), (10, ["TABLE_IDA_BFLD"])),
        *((14, ["UINT8"]), (15, ["UINT8"]), (17, ["UINT16"]), (19, ["UINT16"]), (24, ["UINT8"])),
        *(
            (25, ["UINT8"]),
            (26, ["UINT8"]),
            (27, ["UINT8", "UINT8"]),
            (28, ["TABLE_IDA_BFLD"]),
            (29, ["TABLE_IDA_BFLD"]),
        ),
    ],
)
def test_argument(code, types):
    argument = event(code).argument
    assert argument is not None
    assert [element.type for element in argument] == types
    assert len({element.name for element in argument}) == len(argument)


def test_other_arguments_are_empty_up_to_48_and_unknown_after():
    with_argument = {5, 6, 9, 10, 14, 15, 17, 19, 24, 25, 26, 27, 28, 29}
    for code in range(49):
        assert bool(event(code).argument) == (code in with_argument)
        assert event(code).argument is not None
        assert (event(code).confidence, event(code).argument_confidence) == ("V", "1")
    for code in range(49, 77):
        assert event(code).argument is None
        assert (event(code).confidence, event(code).argument_confidence) == ("1", "?")


@pytest.mark.parametrize(
    ("code", "edition"), [(29, "C12.19-1997"), (30, "C12.21"), (48, "C12.21"), (49, "C12.19-2008"), (77, "")]
)
def test_edition(code, edition):
    assert event(code).edition == edition


def test_every_code_answers():
    for code in range(2048):
        assert event(code).text
        assert event(code, manufacturer=True).text == f"manufacturer event {code}"
    assert event(77).confidence == "?"
    assert event(3, manufacturer=True).argument is None


def test_code_is_a_plain_integer():
    assert EventCode(10) is EventCode.TABLE_WRITTEN
    assert EventCode.TABLE_WRITTEN == 10
    with pytest.raises(ValueError):
        EventCode(77)
