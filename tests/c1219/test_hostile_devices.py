"""Whatever octets a device sends, nothing but C1219Error escapes, and nothing large is made of little."""

from __future__ import annotations

import json
from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as some

from c1219 import C1219Error, Device
from c1219.registry import Registry
from tests.c1219.engines import DEMO

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


@settings(max_examples=120)
@given(device=devices(), number=some.sampled_from(NUMBERS), data=some.data())
def test_only_typed_errors_escape(device: Device, number: int, data: some.DataObject) -> None:
    device.put(number, data.draw(octets(80)))
    device.missing()
    assert Device.from_json(device.to_json()).to_json() == device.to_json()
    label = f"ST{number}"
    other = Device(registry=REGISTRY)
    for name in device:
        other.put(name, device[name].raw[:-1])
    device.diff(other)
    with suppress(C1219Error):
        layout = device.bind(number)
        value, _ = layout.examine(device[number].raw)
        json.dumps(layout.to_json(value), allow_nan=False)
        assert layout.encode(value) == device[number].raw
        layout.describe()
        list(layout.elements(0, 50))
        layout.partial(data.draw(some.integers(0, 100)), data.draw(octets(20)))
    for path in PATHS:
        for act in (device.layout, device.value, device.variant):
            with suppress(C1219Error):
                act(label + path)
    with suppress(C1219Error):
        device.bind(number).decode(device[number].raw)
    index_path = tuple(data.draw(some.lists(some.integers(0, 300), max_size=5)))
    with suppress(C1219Error):
        device.bind(number).at_index(index_path)


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
    except C1219Error:
        return
    assert isinstance(made, bytes)


@settings(max_examples=60)
@given(number=some.sampled_from(NUMBERS), data=some.data())
def test_any_item_of_a_good_value_is_encoded_or_refused(number: int, data: some.DataObject) -> None:
    """One item of a record replaced by something else: an EncodeError that names it, or octets."""
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
        some.sampled_from((None, -1, 1 << 70, 1.5, "x" * 300, b"", (), (1, 2), [None], {}, object(), float("nan")))
    )
    try:
        made = layout.encode(value._replace(**{name: wrong}))
    except C1219Error as error:
        path = getattr(error, "path", "")
    else:
        path = layout.label
        assert len(made) == layout.size or layout.open_end
    assert path.startswith(f"ST{number}")
