from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given, settings

from c1219.export.arrow import load_profile_table
from c1219.views.load_profile import load_profile, needed
from tests.c1219.views.meter import Truth, meter, zoned
from tests.c1219.views.profile_rows import at, simple
from tests.c1219.views.test_load_profile import EXAMPLE, full_days, truths


def as_rows(table):
    """Rows as the view has them: (start, end, channel, value, status, extended, block)."""
    channels = [name for name in table.schema.names if name.startswith("channel_") and not name.endswith("_status")]
    found = []
    for line in table.to_pylist():
        for number, name in enumerate(channels, 1):
            code = line.get(f"{name}_status")
            found.append((line["start"], line["end"], number, line[name], line["status"], code, line["block"]))
    return found


def same(device, **options):
    table = load_profile_table(device, 1, **options)
    view = load_profile(device, 1, **options)
    assert as_rows(table) == [
        (row.start, row.end, row.channel, row.value, int(row.status), row.extended, row.block) for row in view
    ]
    assert json.loads(table.schema.metadata[b"findings"]) == [
        finding._asdict() for finding in view.findings if "reading" not in finding.code and "pulse" not in finding.code
    ]
    table.validate(full=True)
    return table


def test_worked_example():
    table = same(meter(EXAMPLE))
    field = table.schema.field("channel_1")
    assert field.metadata == {
        b"source": b"0",
        b"quantity": b"active energy delivered",
        b"unit": b"Wh",
        b"scalar": b"1",
        b"divisor": b"10",
    }
    assert field.type == pa.decimal128(38, 0)
    assert (table.num_rows, table.schema.metadata[b"minutes"]) == (7, b"15")
    assert table.schema.field("start").type == pa.timestamp("s")


def test_aware_times_are_utc():
    table = same(meter(EXAMPLE | zoned()))
    assert table.schema.field("end").type == pa.timestamp("s", "UTC")
    assert table["end"][0].as_py() == at("2024-03-10 13:15", dt.UTC)


@settings(max_examples=80, deadline=None)
@given(truths())
def test_columns_equal_rows(truth):
    same(truth.device())


@pytest.mark.parametrize(
    ("code", "formats", "raws", "kind"),
    [
        (64, {"ni1": 1}, [0.5, float("nan")], pa.float64()),
        (128, {"ni2": 0}, [0.1, -2.5], pa.float64()),
        (64, {"ni1": 4}, [Decimal("12.3456"), Decimal(-1)], pa.decimal128(38, 4)),
        (64, {"ni1": 6}, [Decimal("1.5"), Decimal(-7)], pa.decimal128(38, 1)),
        (64, {"ni1": 10, "order": 1}, [2**46, -5], pa.decimal128(38, 0)),
        (64, {"ni1": 11}, [2**62, -(2**63)], pa.decimal128(38, 0)),
        (128, {"ni2": 3}, [Decimal("1.25"), Decimal(3)], pa.decimal128(38, 2)),
    ],
)
def test_forms_of_numbers(code, formats, raws, kind):
    truth = Truth([[[raw] for raw in raws]], [at("2024-06-01 00:30")], per_block=2, code=code, formats=formats)
    device = truth.device()
    table = load_profile_table(device, 1)
    assert table.schema.field("channel_1").type == kind
    values = [None if row.value is None else row.value for row in load_profile(device, 1)]
    shown = [
        value if not isinstance(value, float) else Decimal(repr(value)) for value in table["channel_1"].to_pylist()
    ]
    assert shown == values


def test_scalar_without_a_finite_quotient():
    truth = Truth([[[7, 7]]], [at("2024-06-01 00:15")], per_block=1, scalars=[3, 8], divisors=[1, 5])
    table = load_profile_table(truth.device(), 1)
    assert table["channel_1"].to_pylist() == [pytest.approx(7 / 3)]
    assert table["channel_2"].to_pylist() == [Decimal("4.375")]


def test_number_that_is_none():
    bcd = Truth([[[Decimal(1)], [Decimal(2)]]], [at("2024-06-01 00:30")], per_block=2, code=64, formats={"ni1": 6})
    device = bcd.device()
    octets = bytearray(device[64].raw)
    octets[5] = 0xCC
    device.put(64, octets)
    table = load_profile_table(device, 1)
    assert table["channel_1"].to_pylist() == [None, 2]


def test_closure_and_inhibited_blocks():
    inhibited = simple(closures=[[(5, 4)], [(0, 4)]], formats={"version": 1})
    same(inhibited.device())
    closures = [[(2, 3), (0, 2)], [(0, 4), (0, 4)]]
    blocks = [[[1, 11], [2, 12], [3, 13]], [[5, 15], [6, 16], [7, 17], [8, 18]]]
    truth = Truth(blocks, [at("2024-06-01 00:45"), at("2024-06-01 02:00")], closures=closures, formats={"version": 1})
    table = load_profile_table(truth.device(), 1)
    assert table["channel_2"].to_pylist() == [11, 12, None, 15, 16, 17, 18]


def test_running_interval_and_clock_set_back():
    truth = simple()
    truth.ends[1] = at("2024-06-01 01:52")
    same(truth.device())
    truth.ends[1] = at("2024-06-01 01:15")
    same(truth.device())
    truth.ends = [None, None]
    truth.formats = {"time": 0}
    same(truth.device())


def test_span_and_pieces():
    device = full_days(4).device()
    span = {"since": at("2024-06-02 03:00"), "until": at("2024-06-03 05:00")}
    assert same(device, **span).num_rows == 26 * 4
    octets = device[64].raw
    pieces = {p.offset: octets[p.offset : p.offset + p.count] for p in needed(device, 1, **span).pieces}
    assert same(device, **span, pieces=pieces).num_rows == 26 * 4
    device.put(64, octets[:1000])
    same(device)


def test_tables_that_are_not_here():
    for gone in (61, 62, 63):
        device = meter(EXAMPLE)
        device.drop(gone)
        table = load_profile_table(device, 1)
        assert (table.num_rows, table.schema.names) == (0, ["start", "end", "block", "status"])
        assert f"ST{gone}" in table.schema.metadata[b"findings"].decode()
    device = meter(EXAMPLE)
    device.drop(64)
    assert same(device).num_rows == 0
