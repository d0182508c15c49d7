"""Devices of one configuration share their layouts, and no others do."""

from __future__ import annotations

import pytest

from c1219.caches import BoundedDict
from c1219.datatypes import BINARY, UINT8
from c1219.device import Device
from c1219.engine import sharing
from c1219.errors import DecodeError, LayoutError
from c1219.registry import Registry
from c1219.schema import Record, Table, device


def make_registry() -> Registry:
    registry = Registry(plugins=False)
    registry.register(
        Table(number=1, manufacturer=True, name="A", record=Record("A", "N" / UINT8)),
        Table(number=2, manufacturer=True, name="B", record=Record("B", "X" / BINARY(device.MT1.N), "M" / UINT8)),
        Table(number=3, manufacturer=True, name="C", record=Record("C", "Y" / BINARY(device.MT2.M))),
    )
    return registry


def test_devices_that_are_alike_share_layouts() -> None:
    registry = make_registry()
    one, two, other = (
        Device({"MT1": b"\1", "MT2": octets, "MT3": b"ab"}, registry=registry) for octets in (b"\0\2", b"\0\2", b"\0\3")
    )
    assert one.bind("MT3") is two.bind("MT3")
    assert one.bind("MT3") is not other.bind("MT3")
    assert one.bind("MT2") is other.bind("MT2")
    assert Device({"MT1": b"\1", "MT2": b"\0\2"}, registry=make_registry()).bind("MT3") is not one.bind("MT3")
    assert Device({"MT1": b"\1", "MT2": b"\0\2"}, registry=registry, max_size=5).bind("MT3") is not one.bind("MT3")


def test_a_shared_layout_outlives_a_change_of_the_device_it_came_from() -> None:
    registry = make_registry()
    one = Device({"MT1": b"\1", "MT2": b"\0\2", "MT3": b"ab"}, registry=registry)
    layout = one.bind("MT3")
    one.put("MT2", b"\0\1")
    assert one.bind("MT3").size == 1
    two = Device({"MT1": b"\1", "MT2": b"\0\2", "MT3": b"abc"}, registry=registry)
    assert two.bind("MT3") is layout
    assert two["MT3"].value.Y == b"ab"
    assert [finding.code for finding in two["MT3"].findings] == ["long"]


def test_standard_tables_are_shared_too() -> None:
    st0 = bytes.fromhex("020a00 44454d4f 02 00 20 20 02 00 01 00 00 00 00 00 ff".replace(" ", "")) + bytes(20)
    one, two = Device({0: st0}), Device({0: st0})
    assert one.bind(0) is two.bind(0)
    assert one.bind(7) is not two.bind(7)  # what it holds depends on procedures, which are the device's own


def test_the_number_of_shared_layouts_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharing, "_SHARED", BoundedDict(3))
    registry = make_registry()
    for number in range(10):
        Device({"MT1": bytes([number])}, registry=registry).bind("MT2")
        assert len(sharing._SHARED) <= 3


def test_values_that_are_kept() -> None:
    asked: list[str] = []

    def decode(label: str) -> str:
        asked.append(label)
        if label == "ST2":
            raise DecodeError("ST2", 0, "cut")
        return f"value of {label}"

    values = sharing.TableValues(("ST1", "ST2", "ST3"), decode)
    assert values["ST3"] == "value of ST3"
    assert asked == ["ST3"]
    values.keep()
    assert (values["ST1"], values["ST3"]) == ("value of ST1", "value of ST3")
    assert asked == ["ST3", "ST1", "ST2"]
    with pytest.raises(LayoutError, match="ST2"):
        values["ST2"]
    assert list(values) == ["ST1", "ST2", "ST3"]
    assert len(values) == 3
    assert "ST9" not in values
