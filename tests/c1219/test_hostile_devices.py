"""Whatever octets a device sends, nothing but C1219Error escapes, and nothing large is made of little."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from c1219 import C1219Error, DecodeError, Device, EncodeError, LimitExceeded
from c1219.registry import Registry
from tests.c1219.engines import DEMO, agree

REGISTRY = Registry(plugins=False)
NUMBERS = [table.number for table in REGISTRY.tables()]
PATHS = ("", ".X", "[0]", ".ENTRIES[0]", ".SELECTION[0:1]", ".LP_DATA_SETS1[0].LP_INT[3]", ".TOT_DATA_BLOCK.SUMMATIONS")


def octets(size: int) -> some.SearchStrategy[bytes]:
    return some.lists(some.integers(0, 255), max_size=size).map(bytes)


@some.composite
def devices(draw: some.DrawFn) -> Device:
    st0 = bytearray(DEMO[0])
    for place in draw(some.lists(some.integers(0, 18), max_size=3)):
        st0[place] = draw(some.integers(0, 255))
    st0 += bytes(draw(some.integers(0, 300)))
    tables: dict[int | str, bytes] = {}
    if draw(some.integers(0, 9)):
        tables[0] = bytes(st0)
    tables |= {number: draw(octets(16)) for number in draw(some.lists(some.sampled_from(NUMBERS), max_size=4))}
    for act in (11, 21, 31, 41, 51, 61, 62, 71, 91, 111):
        if draw(some.booleans()):
            tables[act] = draw(octets(40))
    return Device(tables, registry=REGISTRY, max_size=1 << 14, max_values=1 << 12)


def alone(device: Device, number: int) -> Device:
    """The device with one table and those that its layout depends on, whose values construct is given."""
    labels = {f"ST{number}"}
    while True:
        more = {name for label in labels for name in device.declaration(label).depends_on} - labels
        if not more:
            break
        labels |= more
    return Device({label: device[label].raw for label in labels if label in device}, registry=REGISTRY)


@settings(max_examples=120)
@given(device=devices(), number=some.sampled_from(NUMBERS), data=some.data())
def test_octets_of_any_kind_are_what_both_engines_say_or_a_typed_error(
    device: Device, number: int, data: some.DataObject
) -> None:
    device.put(number, data.draw(octets(80)))
    raw = device[number].raw
    assert not set(device.missing()) & set(device)
    assert Device.from_json(device.to_json()).to_json() == device.to_json()
    assert device.diff(device) == []
    try:
        layout = device.bind(number)
    except C1219Error as error:
        with pytest.raises(type(error)):
            device.decoded(number)
        return
    with suppress(LimitExceeded):
        agree(device.declaration(number), raw, alone(device, number))
    value, findings = layout.examine(raw)
    assert device[number].value == value or "nan" in repr(value)
    assert device[number].findings == findings
    json.dumps(layout.to_json(value), allow_nan=False)
    assert layout.encode(value) == raw
    try:
        layout.decode(raw)
    except DecodeError as error:
        assert error.path.startswith(layout.label)  # noqa: PT017  either outcome is right
        assert findings
    else:
        assert not [finding for finding in findings if finding.level == "error"]


@settings(max_examples=60)
@given(device=devices(), number=some.sampled_from(NUMBERS), data=some.data())
def test_elements_are_where_the_layout_says(device: Device, number: int, data: some.DataObject) -> None:
    try:
        layout = device.bind(number)
    except C1219Error:
        return
    lines = [line for line in layout.describe() if line.offset is not None]
    assert all(line.offset + line.size <= layout.size for line in lines)
    low = data.draw(some.integers(0, 100))
    piece = data.draw(octets(20))
    places = {element.path: element for element in layout.elements(low, low + len(piece))}
    values, findings = layout.partial(low, piece)
    assert list(values) == list(places)
    cut = {finding.path for finding in findings if finding.code == "cut"}
    for path, element in places.items():
        own = piece[max(0, element.offset - low) :][: element.size]
        whole = low <= element.offset and len(own) == element.size
        assert whole == (path not in cut)
        if whole:
            try:
                expected: object = element.decode(own)
            except DecodeError as error:
                assert (error.path, error.offset) == (path, element.offset)  # noqa: PT017  either outcome is right
                expected = own
            assert values[path] == expected or expected != expected
        assert layout.at_offset(element.offset).path == path
        assert device.layout(path).index_path == layout.at_index(element.index_path).index_path == element.index_path
    assert any(finding.code == "long" for finding in findings) == (low + len(piece) > layout.size)


@settings(max_examples=60)
@given(device=devices(), number=some.sampled_from(NUMBERS), data=some.data())
def test_names_and_numbers_find_an_element_or_say_that_there_is_none(
    device: Device, number: int, data: some.DataObject
) -> None:
    device.put(number, data.draw(octets(80)))
    raw = device[number].raw
    for path in PATHS:
        try:
            element = device.layout(f"ST{number}{path}")
        except C1219Error as error:
            for act in (device.value, device.variant):
                with pytest.raises(type(error)):
                    act(f"ST{number}{path}")
            continue
        assert element.path == f"ST{number}{path}"
        layout = device.bind(number)
        assert element.offset + element.size <= layout.size
        try:
            value = device.value(element.path)
        except DecodeError as error:
            assert error.path.startswith(f"ST{number}")  # noqa: PT017  either outcome is right
            continue
        if len(raw) == layout.size:
            again = element.encode(value)
            assert element.decode(again) == value or "nan" in repr(value).lower()
    index_path = tuple(data.draw(some.lists(some.integers(0, 12), max_size=4)))
    try:
        found = device.bind(number).at_index(index_path)
    except C1219Error:
        return
    assert found.index_path == index_path
    assert device.layout(found.path).offset == found.offset


@settings(max_examples=60)
@given(
    number=some.sampled_from(NUMBERS),
    value=some.recursive(
        some.none() | some.booleans() | some.integers() | some.text(max_size=3) | some.floats() | some.decimals(),
        lambda inner: (
            some.lists(inner, max_size=4).map(tuple) | some.dictionaries(some.text(max_size=2), inner, max_size=2)
        ),
        max_leaves=12,
    ),
)
def test_any_value_is_encoded_or_refused(number: int, value: object) -> None:
    device = Device({**DEMO, 61: bytes(7), 71: bytes(9)}, registry=REGISTRY)
    try:
        made = device.encode(number, value)
    except EncodeError as error:
        assert error.path.startswith(f"ST{number}")  # noqa: PT017  either outcome is right
        return
    except C1219Error:  # it has no layout in this device
        with pytest.raises(C1219Error):
            device.layout_of(number, value)
        return
    decoded, findings = device.decode(number, made)
    assert not [finding for finding in findings if finding.level == "error"]
    assert device.encode(number, tuple(decoded)) == made


@settings(max_examples=60)
@given(number=some.sampled_from(NUMBERS), data=some.data())
def test_any_item_of_a_good_value_is_encoded_or_refused(number: int, data: some.DataObject) -> None:
    """One item of a record replaced by something else: an EncodeError that names it, or octets that say it."""
    device = Device({**DEMO, 31: bytes(10), 41: bytes(6), 51: bytes(9), 91: bytes(14)}, registry=REGISTRY)
    try:
        layout = device.bind(number)
    except C1219Error:
        return
    value = layout.examine(bytes(layout.size)).value
    if not value:
        return
    name = data.draw(some.sampled_from(value._fields))
    wrong = data.draw(
        some.sampled_from(
            (None, -1, 1 << 70, 1.5, "x" * 300, b"", (), (1, 2), [None], {}, object(), float("nan"), 0, 1)
        )
    )
    changed = value._replace(**{name: wrong})
    try:
        made = layout.encode(changed)
    except EncodeError as error:
        assert error.path.startswith(f"ST{number}.{name}")  # noqa: PT017  either outcome is right
        return
    again = layout.decode(made)
    assert len(made) == layout.size or layout.open_end or len(made) in layout.cuts
    assert again == changed or wrong != wrong or set(getattr(again, name)) == set(wrong)
    assert layout.encode(again) == made  # what stands in other elements stays as it was, octet for octet
    assert again == layout.decode(layout.encode(tuple(again))) or wrong != wrong
