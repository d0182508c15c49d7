"""The generated codec equals construct's own parse and build, on valid, cut, mutated and random octets."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from c1219 import LayoutError
from c1219.device import Device
from c1219.registry import Registry
from tests.c1219.engines import DEMO, agree, formats

REGISTRY = Registry(plugins=False)
NUMBERS = (0, 1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 13, 14, 15, 16, 17, 21, 22, 23, 24, 25, 26, 27, 28)

small = some.integers(0, 3)
st0 = some.builds(
    formats,
    order=some.integers(0, 1),
    chars=some.integers(0, 7),
    tm=some.integers(0, 4),
    ids=some.integers(0, 1),
    ints=some.integers(0, 3),
    ni1=some.integers(0, 13),
    ni2=some.integers(0, 13),
)
st11 = some.tuples(some.integers(0, 255), small, small, small, small, small, some.integers(0, 2), small).map(bytes)
st21 = some.tuples(
    some.integers(0, 255), some.integers(0, 255), small, small, small, small, small, small, small, small
).map(bytes)


def any_octets(low: int, high: int) -> some.SearchStrategy[bytes]:
    """Random octets, drawn as one number: drawn as bytes, hypothesis compares bytes with ints when run with -bb."""
    sizes = some.integers(low, high)
    return sizes.flatmap(lambda size: some.integers(0, 256**size - 1).map(lambda number: number.to_bytes(size, "big")))


def mutated(octets: bytes, data: some.DataObject) -> bytes:
    """Cut, extend or change octets in a few places."""
    how = data.draw(some.sampled_from(("as is", "cut", "longer", "changed")))
    if how == "cut":
        return octets[: data.draw(some.integers(0, len(octets)))]
    if how == "longer":
        return octets + data.draw(any_octets(1, 4))
    changed = bytearray(octets)
    if how == "changed" and octets:
        for _ in range(data.draw(some.integers(1, 3))):
            changed[data.draw(some.integers(0, len(octets) - 1))] = data.draw(some.integers(0, 255))
    return bytes(changed)


@pytest.mark.parametrize("number", NUMBERS)
@settings(max_examples=25)
@given(st0=st0, st11=st11, st21=st21, data=some.data())
def test_both_engines_agree(number: int, st0: bytes, st11: bytes, st21: bytes, data: some.DataObject) -> None:
    device = Device({0: st0, 11: st11, 21: st21, 111: b"\3\0\x09"}, registry=REGISTRY)
    table = REGISTRY.table(number)
    if number in (0, 7, 8, 17):
        octets = data.draw(any_octets(0, 60)) if number else mutated(DEMO[0], data)
        if number in (7, 8):
            octets = bytes((data.draw(some.integers(0, 34)), data.draw(some.sampled_from((0, 16))))) + octets[:30]
        agree(table, octets, device)
        return
    size = device.bind(number).size
    kind = data.draw(some.sampled_from(("zeros", "ones", "digits", "random")))
    if kind == "random":
        octets = data.draw(any_octets(size, size))
    else:
        octets = {"zeros": b"\0", "ones": b"\xff", "digits": b"\x11"}[kind] * size
    agree(table, mutated(octets, data), device)


@settings(max_examples=40)
@given(st0=st0, st21=st21, data=some.data())
def test_loops_agree_with_what_is_written_out(st0: bytes, st21: bytes, data: some.DataObject) -> None:
    """Many tiers, demands and self reads: arrays too large to be written out in the generated code."""
    many = bytearray(st21)
    many[2], many[3], many[4], many[6], many[7] = 3, data.draw(some.integers(0, 30)), 4, 2, 5
    device = Device({0: st0, 21: bytes(many)}, registry=REGISTRY)
    for number in (23, 26):
        layout = device.bind(number)
        agree(REGISTRY.table(number), data.draw(some.sampled_from((b"\0", b"\x11"))) * layout.size, device)


@pytest.mark.parametrize("field", ["ni1", "ni2", "tm"])
def test_reserved_formats_have_no_layout(field: str) -> None:
    device = Device({**DEMO, 0: formats(**{field: 14 if field != "tm" else 5})}, registry=REGISTRY)
    with pytest.raises(LayoutError, match="reserved"):
        device.bind(23)
