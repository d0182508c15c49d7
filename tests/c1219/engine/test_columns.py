"""Columns of many images equal what the codec gives, image by image."""

import datetime as dt
import math
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from c1219 import DecodeError, Table
from c1219.datatypes import (
    BCD,
    BFLD,
    BOOL,
    FLOAT32,
    HTIME_DATE,
    INT24,
    INT40,
    LTIME_DATE,
    NI_FMAT1,
    NI_FMAT2,
    STIME_DATE,
    STRING,
    TIME,
    UINT8,
    UINT24,
    UINT64,
)
from c1219.device import Device
from c1219.engine.layout import bind
from c1219.schema import Array, Record
from tests.c1219.engines import DEMO, formats

numpy = pytest.importorskip("numpy")
from c1219.engine import columns  # noqa: E402  it needs NumPy

EVERY_FORM = Table(
    number=1,
    manufacturer=True,
    name="EVERY_FORM",
    record=Record(
        "R",
        "A" / UINT8, "B" / INT24, "C" / UINT24, "D" / INT40, "E" / UINT64, "F" / FLOAT32, "G" / NI_FMAT1,
        "H" / BFLD("H_BFLD", UINT8, "X" / BOOL(0)), "I" / STRING(3), "J" / BCD(2), "K" / LTIME_DATE, "L" / STIME_DATE,
        "M" / HTIME_DATE, "N" / TIME,
        "O" / Array(3, Record("S", "P" / Array(2, NI_FMAT2), "Q" / STIME_DATE)),
    ),
)  # fmt: skip

moments = some.one_of(some.none(), some.datetimes(dt.datetime(1990, 1, 1), dt.datetime(2040, 1, 1)))


def bound(**kinds: int):
    return bind(EVERY_FORM, {"ST0": Device({0: formats(**kinds)})[0].value})


@settings(max_examples=30)
@given(
    order=some.integers(0, 1), ints=some.integers(0, 2), tm=some.integers(1, 4), ni1=some.sampled_from((4, 5, 8, 10)),
    ni2=some.sampled_from((6, 7, 9, 11)), data=some.data(),
)  # fmt: skip
def test_columns_equal_the_codec(order: int, ints: int, tm: int, ni1: int, ni2: int, data: some.DataObject) -> None:
    layout = bound(order=order, ints=ints, tm=tm, ni1=ni1, ni2=ni2)
    low = 0 if ni1 == 5 or ni2 == 6 else -1000

    def image() -> bytes:
        moment = data.draw(moments)
        second = moment and moment.replace(microsecond=0)
        minute = moment and moment.replace(microsecond=0, second=0)
        number = data.draw(some.integers(low, 1000))
        row = ((number, -number if low else 5), minute)
        values = (
            200, -number, number % 99, -(1 << 30), (1 << 63) + 5, 1.5, Decimal(number), (True,), "ab", "0012", second,
            minute, second, dt.time(1, 2, 3), (row, row, row),
        )  # fmt: skip
        return layout.encode(values)

    images = [image() for _ in range(3)]
    columns = layout.columns(images)
    assert set(columns) == {
        *"ABCDEFGHIJKLMN", "O[].P[][]".replace("[][]", "[]"), "O[].Q",
    }  # fmt: skip
    for number, octets in enumerate(images):
        value = layout.decode(octets)
        for name in "ABCDEFIJN":
            assert columns[name].values[number] == getattr(value, name), name
        column = columns["G"]
        assert (
            Decimal(int(column.values[number])).scaleb(column.exponent) if ni1 != 5 else column.values[number]
        ) == value.G
        assert columns["H"].values[number] == octets[layout.element("H").offset]
        for name in "KLM":
            moment = columns[name].values[number]
            assert (None if numpy.isnat(moment) else moment.astype(object)) == getattr(value, name)
        for entry in range(3):
            assert tuple(columns["O[].P[]"].values[number][entry].tolist()) == value.O[entry].P
            moment = columns["O[].Q"].values[number][entry]
            assert (None if numpy.isnat(moment) else moment.astype(object)) == value.O[entry].Q
    joined = layout.columns(b"".join(images), paths=("A",))
    assert list(joined) == ["A"]
    assert joined["A"].values.tolist() == [200] * 3


def test_dtype_has_the_places_of_the_layout() -> None:
    layout = Device(DEMO).bind(23)
    dtype = layout.dtype
    assert dtype.itemsize == layout.size
    assert dtype.names == ("NBR_DEMAND_RESETS", "TOT_DATA_BLOCK", "TIER_DATA_BLOCK")
    block = dtype["TOT_DATA_BLOCK"]
    assert block["DEMANDS"].base.names == ("EVENT_TIME", "CUM_DEMAND", "DEMAND")
    assert block["DEMANDS"].base["DEMAND"].base == numpy.dtype("<i4")
    assert block.fields["DEMANDS"][1] == 6


def test_dtype_of_what_numpy_has_no_number_for_is_octets() -> None:
    layout = bound(tm=2, order=1)
    kinds = {name: layout.dtype[name] for name in layout.dtype.names}
    assert kinds["A"] == numpy.dtype("u1")
    assert kinds["B"] == kinds["C"] == numpy.dtype("V3")
    assert kinds["D"] == numpy.dtype("V5")
    assert (kinds["E"], kinds["F"]) == (numpy.dtype(">u8"), numpy.dtype(">f4"))
    assert kinds["K"] == numpy.dtype("V6")
    assert kinds["O"].shape == (3,)
    assert [kinds["O"].base.fields[name][1] for name in "PQ"] == [0, 8]


EDGES = (
    0,
    1,
    9,
    10,
    12,
    13,
    23,
    24,
    0x24,
    28,
    29,
    30,
    31,
    32,
    0x32,
    59,
    0x59,
    60,
    0x60,
    89,
    90,
    99,
    0x99,
    0x9A,
    100,
    255,
)


@pytest.mark.parametrize("tm", [1, 2, 3, 4])
@pytest.mark.parametrize("order", [0, 1])
@pytest.mark.parametrize("kind", [LTIME_DATE, STIME_DATE, HTIME_DATE], ids=lambda kind: kind.type)
def test_times_have_the_limits_of_the_codec(kind: object, tm: int, order: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every octet at the edges of hours, days, months, years: one value in both, or none in both."""
    table = Table(number=2, manufacturer=True, name="T", record=Record("R", "T" / kind))
    layout = bind(table, {"ST0": Device({0: formats(tm=tm, order=order)})[0].value})
    plain = layout.encode((dt.datetime(2024, 2, 28, 23, 59, 0),))
    values = 0
    for place in range(layout.size):
        for number in EDGES:
            octets = plain[:place] + bytes([number]) + plain[place + 1 :]
            try:
                expected = layout.decode(octets).T
            except DecodeError:
                with pytest.raises(DecodeError, match="image 0"):
                    layout.columns(octets)
                continue
            with monkeypatch.context() as patched:
                patched.setattr(columns, "_one_by_one", None)
                moment = layout.columns(octets)["T"].values[0]
            assert (None if numpy.isnat(moment) else moment.astype(object)) == expected, octets.hex(" ")
            values += 1
    assert values >= len(EDGES)
    nothing = layout.columns(bytes(layout.size) + b"\xff" * layout.size + plain)["T"].values
    assert numpy.isnat(nothing).tolist() == [True, True, False]


def test_images_of_another_size_are_refused() -> None:
    layout = Device(DEMO).bind(23)
    for wrong in (bytes(52), [bytes(51), bytes(50)], [bytes(102), b""]):
        with pytest.raises(DecodeError, match="51 octets each"):
            layout.columns(wrong)
    assert layout.columns(b"")["NBR_DEMAND_RESETS"].values.shape == (0,)


@pytest.mark.parametrize(
    ("tm", "octets"),
    [(2, "1A 0D 16 0E 1E"), (2, "1A 0B 1F 0E 1E"), (1, "1A 11 22 14 30"), (2, "64 01 01 00 00"), (3, "FE FF FF FF 00")],
)
def test_an_element_without_a_value_names_its_image(tm: int, octets: str) -> None:
    layout = Device({**DEMO, 0: formats(tm=tm)}).bind(23)
    place = layout.element("TOT_DATA_BLOCK.DEMANDS[0].EVENT_TIME[0]")
    bad = bytearray(layout.size)
    bad[place.offset : place.offset + place.size] = bytes.fromhex(octets)[: place.size]
    with pytest.raises(DecodeError, match="image 1") as caught:
        layout.columns([bytes(layout.size), bytes(bad)])
    assert caught.value.path == "ST23.TOT_DATA_BLOCK.DEMANDS[].EVENT_TIME[]"


def test_reserved_sign_form_is_refused() -> None:
    with pytest.raises(DecodeError, match="INT_FORMAT 3"):
        Device({**DEMO, 0: formats(ints=3)}).bind(23).columns(bytes(51))


def test_nan_is_a_value() -> None:
    layout = Device({**DEMO, 0: formats(ni1=1)}).bind(23)
    octets = layout.element("TOT_DATA_BLOCK.SUMMATIONS[0]").put(bytes(layout.size), math.nan)
    assert math.isnan(layout.columns(octets)["TOT_DATA_BLOCK.SUMMATIONS[]"].values[0][0])
