"""Tables of the vectors by construct's own codec; elements and load profiles put together again by hand."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from functools import lru_cache
from typing import Any

import pytest
from construct import ConstructError

from c1219.device import Device
from c1219.registry import Registry
from c1219.schema import parameters
from tests.c1219.engines import Wrong, by_construct, parameters_for
from tests.c1222.vectors.committed import asked

PLAIN = Registry(plugins=False)


@lru_cache(maxsize=4)
def held(items: tuple[tuple[str, str], ...]) -> Device:
    return Device({number: bytes.fromhex(octets) for number, octets in items}, registry=PLAIN)


def device_of(tables: dict[str, str]) -> Device:
    return held(tuple(tables.items()))


def same(one: Any, other: Any) -> bool:
    """Equal, True and 1 alike: JSON shows a flag as it likes."""
    if isinstance(one, dict):
        names = set(other) - {"_io"}
        return set(one) == names and all(same(one[name], other[name]) for name in names)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def test_octets_to_values_by_construct() -> None:
    seen = set()
    for case, given in asked("tables", "table.decode"):
        device, label, octets = device_of(given["tables"]), given["table"], bytes.fromhex(given["octets"])
        table = device.declaration(label)
        if case.result != "valid":
            if "DependentTable" not in case.flags:
                with pytest.raises((Wrong, ConstructError)):
                    by_construct(table, octets, device)
            continue
        slow = by_construct(table, octets, device)
        layout = device.layout_of(label, octets)
        record = layout.from_json((case.output or {})["value"])
        assert same(parameters(record), slow), (case.id, label)
        seen.add(label)
    assert len(seen) > 55


def test_values_to_octets_by_construct() -> None:
    seen = set()
    for case, given in asked("tables", "table.encode"):
        device, label = device_of(given["tables"]), given["table"]
        table, layout = device.declaration(label), device.bind(label)
        record = layout.from_json(given["value"])
        octets = table.record.build(parameters(record), **parameters_for(table, device))
        assert (case.output or {})["octets"] == octets.hex(), (case.id, label)
        seen.add(label)
    assert len(seen) > 40


def test_elements_lie_where_the_whole_table_says() -> None:
    """A value read by offset is the one at that path in the whole table, of which only these octets are not zero."""
    seen = 0
    for case, given in asked("partial-reads", "element.read"):
        if case.result != "valid":
            continue
        output = case.output or {}
        device = device_of(given["tables"])
        label, _, path = given["path"].partition(".")
        size = device.bind(label).size
        assert output["table"] == int(label[2:])
        start, count = output["offset"], output["count"]
        assert 0 <= start < start + count <= size
        octets = bytes.fromhex(given["octets"])
        assert len(octets) == count
        want = f"3f{output['table']:04x}{start:06x}{count:04x}"
        assert output["request"] == want
        image = bytes(start) + octets + bytes(size - start - count)
        slow = by_construct_leniently(device, label, image)
        if slow is not None:
            fast = device.bind(label).element(path)
            record = device.bind(label).examine(image).value
            assert same(parameters(record), slow)
            assert json_at(device.bind(label).to_json(record), path) == output["value"], case.comment
            assert list(fast.index_path) == case.intermediate["index_path"]
            seen += 1
    assert seen > 300


def by_construct_leniently(device: Device, label: str, image: bytes) -> Any:
    try:
        return by_construct(device.declaration(label), image, device)
    except Exception:  # noqa: BLE001  zeros are no value of some types, and then this way of asking does not work
        return None


def json_at(value: Any, path: str) -> Any:
    for step in path.replace("[", ".[").split("."):
        if not step:
            continue
        if step.startswith("["):
            low, colon, high = step[1:-1].partition(":")
            value = value[slice(int(low or 0), int(high) if high else None)] if colon else value[int(low)]
        else:
            value = value[step]
    return value


def test_writes_carry_the_octets_and_their_checksum() -> None:
    for case, given in asked("partial-reads", "element.write"):
        if case.result != "valid":
            continue
        output = case.output or {}
        octets = bytes.fromhex(output["octets"])
        checksum = -sum(octets) & 0xFF
        head = f"4f{output['table']:04x}{output['offset']:06x}{len(octets):04x}"
        assert output["request"] == f"{head}{octets.hex()}{checksum:02x}"
        element = device_of(given["tables"]).layout(given["path"])
        assert (element.offset, element.size) == (output["offset"], len(octets))


def test_load_profiles_by_hand() -> None:
    """Blocks and intervals put in order from the values of ST61 to ST64, by the words of ST63."""
    seen = 0
    for case, given in asked("load-profiles", "load-profile"):
        if case.result != "valid":
            continue
        device = device_of(given["tables"])
        tables = {number: device.bind(number).to_json(device[number].value) for number in (61, 62, 63, 64)}
        output = case.output or {}
        assert output["minutes"] == tables[61]["MAX_INT_TIME_SET1"]
        rows = expected_rows(tables)
        found = [[*row[:4], row[7]] for row in output["rows"]]
        assert found == [[*row[:4], row[5]] for row in rows], case.comment
        for row, (*_, value, _) in zip(output["rows"], rows, strict=True):
            if row[4] is None:
                assert row[6] == 4, "a skipped interval"
            else:
                assert abs(Decimal(row[4]) - value) <= abs(value) * Decimal("1e-25"), case.comment
            seen += 1
    assert seen > 1000


def expected_rows(tables: dict[int, Any]) -> list[list[Any]]:
    dimensions, control, status = tables[61], tables[62], tables[63]["LP_STATUS_SET1"]
    flags = status["LP_SET_STATUS_FLAGS"]
    blocks, used, newest = dimensions["NBR_BLKS_SET1"], status["NBR_VALID_BLOCKS"], status["LAST_BLOCK_ELEMENT"]
    minutes, full = dimensions["MAX_INT_TIME_SET1"], dimensions["NBR_BLK_INTS_SET1"]
    step = 1 if flags["BLOCK_ORDER"] else -1
    rows = []
    for age in range(used - 1, -1, -1):
        block = tables[64]["LP_DATA_SETS1"][(newest + step * age) % blocks]
        count = full if age else status["NBR_VALID_INT"]
        end = dt.datetime.fromisoformat(block["BLK_END_TIME"]) - dt.timedelta(minutes=minutes * (count - 1))
        order = range(count - 1, -1, -1) if flags["INTERVAL_ORDER"] else range(count)
        for place in order:
            for channel, raw in enumerate(block["LP_INT"][place]["INT_DATA"]):
                scalar = (control.get("SCALARS_SET1") or [1] * 9)[channel]
                divisor = (control.get("DIVISOR_SET1") or [1] * 9)[channel]
                shown = f"{Decimal(raw):f}" if isinstance(raw, str) else raw
                start = end - dt.timedelta(minutes=minutes)
                value = Decimal(str(raw)) * divisor / scalar
                number = status["LAST_BLOCK_SEQ_NBR"] - age
                rows.append([start.isoformat(), end.isoformat(), channel + 1, shown, value, number])
            end += dt.timedelta(minutes=minutes)
    return rows
