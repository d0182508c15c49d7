"""What forms show in JSON is read back as the value, and nothing of another kind is taken for it."""

import datetime as dt
from decimal import Decimal

import pytest

from c1219.values import Secret
from c1219.wire import (
    BcdForm,
    BytesForm,
    DateForm,
    FixedBcdForm,
    FloatForm,
    Formats,
    IntForm,
    NumberTextForm,
    RecurringDateForm,
    SecretForm,
    SetForm,
    TextForm,
    time_form,
)  # fmt: skip

FORMATS = Formats(TM_FORMAT=2)
WHOLE = IntForm("UINT16", 2, signed=False, formats=FORMATS)
SCALED = IntForm("NI_FMAT1", 4, signed=True, formats=FORMATS, exponent=-2)


@pytest.mark.parametrize(
    ("form", "value", "shown"),
    [
        (WHOLE, 513, 513),
        (SCALED, Decimal("-12.34"), "-12.34"),
        (FloatForm("FLOAT32", 4, FORMATS), 1.5, 1.5),
        (FloatForm("FLOAT32", 4, FORMATS), float("-inf"), "-inf"),
        (NumberTextForm("FLOAT_CHAR6", 6, FORMATS), Decimal("1.50"), "1.50"),
        (FixedBcdForm("NI_FMAT1", 6), Decimal("-1.5"), "-1.5"),
        (BytesForm("BINARY(3)", 3), b"\x00\x01\xff", "0001ff"),
        (TextForm("STRING(4)", 4, FORMATS), "kWh", "kWh"),
        (SetForm("SET(2)", 2), {3, 9}, [3, 9]),
        (time_form("STIME_DATE", FORMATS), dt.datetime(2026, 11, 22, 14, 30), "2026-11-22T14:30:00"),
        (time_form("STIME", FORMATS), dt.time(14, 30), "14:30:00"),
        (time_form("STIME_DATE", FORMATS), None, None),
        (DateForm("DATE", FORMATS), dt.date(2026, 11, 22), "2026-11-22"),
        (RecurringDateForm("RDATE", FORMATS), None, None),
    ],
    ids=lambda part: repr(part),
)
def test_json_and_back(form, value: object, shown: object) -> None:
    decoded = form.decode(form.encode(value))
    assert decoded == value
    assert form.to_json(decoded) == shown
    assert type(form.to_json(decoded)) is type(shown)
    assert form.from_json(shown) == value
    assert form.encode(form.from_json(shown)) == form.encode(value)


@pytest.mark.parametrize(
    ("form", "shown", "said"),
    [
        (WHOLE, 1.5, "a whole number is needed, not 1.5"),
        (WHOLE, "1", "a whole number is needed, not str"),
        (SCALED, "a", "'a' is not a number"),
        (FloatForm("FLOAT32", 4, FORMATS), "1.5", "a number is needed, not '1.5'"),
        (BytesForm("BINARY(3)", 3), [0], r"hex is needed, not \[0\]"),
        (TextForm("STRING(4)", 4, FORMATS), 5, "text is needed, not 5"),
        (SetForm("SET(2)", 2), "3", "a list of members is needed, not '3'"),
        (time_form("STIME", FORMATS), 1430, "ISO 8601 is needed, not 1430"),
        (RecurringDateForm("RDATE", FORMATS), {"DAY": 1}, "a mapping with MONTH"),
        (RecurringDateForm("RDATE", FORMATS), {"MONTH": 1, "HOUR": 1}, "a mapping with MONTH"),
    ],
    ids=lambda part: repr(part),
)
def test_what_json_of_another_kind_is_told(form, shown: object, said: str) -> None:
    with pytest.raises((TypeError, ValueError), match=said):
        form.from_json(shown)


def test_a_secret_is_told_by_neither_json_nor_a_cut_value() -> None:
    form = SecretForm("BINARY(4)", 4)
    for value in (form.decode(b"pass"), form.raw(b"pas")):
        assert isinstance(value, Secret)
        assert "pas" not in repr(value)
        assert b"pas".hex() not in form.to_json(value)
    assert form.raw(b"pas") == b"pas"


@pytest.mark.parametrize(
    ("name", "tm"), [("STIME_DATE", 1), ("STIME_DATE", 2), ("STIME_DATE", 3), ("STIME", 1), ("STIME", 2)]
)
def test_seconds_that_have_no_place_are_refused(name: str, tm: int) -> None:
    moment = dt.datetime(2026, 11, 22, 14, 30, 1)
    with pytest.raises(ValueError, match="there is no place for seconds"):
        time_form(name, Formats(TM_FORMAT=tm)).encode(moment if name == "STIME_DATE" else moment.time())


def test_a_number_of_too_many_digits_for_a_scaled_integer() -> None:
    with pytest.raises(ValueError, match="at most 40 digits"):
        SCALED.encode(Decimal(10**45 + 1))


def test_formats_of_a_mapping_are_those_of_a_record() -> None:
    one, two = {"DATA_ORDER": 1, "CHAR_FORMAT": 2}, {"TM_FORMAT": 3, "ID_FORM": 1, "INT_FORMAT": 2}
    parsed = {"FORMAT_CONTROL_1": one, "FORMAT_CONTROL_2": two, "FORMAT_CONTROL_3": {"NI_FORMAT1": 6, "NI_FORMAT2": 8}}
    formats = Formats.of(parsed)
    assert formats == Formats(1, 2, 3, 1, 2, 6, 8)
    assert formats.byteorder == "big"


def test_a_form_shows_its_type_and_size() -> None:
    assert repr(BcdForm("BCD")) == "<BCD, 1 octets>"
