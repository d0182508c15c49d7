"""Views as Arrow tables, data frames and HTML: the same values whatever the form, the same types whatever the values."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from c1219 import Device
from c1219.tabular.arrow import arrow_schema
from c1219.tabular.view import SHOWN_ROWS
from c1219.views.calendar import calendar

DEVICES = Path(__file__).parents[3] / "specs" / "devices"
VIEWS = ("registers", "load_profile", "events", "identity", "clock", "capabilities", "access", "calendar")


def sample(name: str = "polyphase-tou") -> Device:
    return Device.from_json((DEVICES / f"{name}.json").read_text("utf-8"))


def view(device: Device, name: str):
    return calendar(device) if name == "calendar" else getattr(device, name)()


def instant(value):
    """A time as Arrow keeps it: naive ones are taken as UTC."""
    return value if value.tzinfo is not None else value.replace(tzinfo=dt.UTC)


def expected(column, value, decimals):
    if value is None:
        return None
    if column.type == "json":
        return json.dumps(value, ensure_ascii=False)
    if column.type == "time":
        return instant(value)
    if column.type in {"words", "integers"}:
        return list(value)
    return float(value) if column.type == "decimal" and decimals == "float64" else value


@pytest.mark.parametrize("decimals", ["decimal128", "float64"])
@pytest.mark.parametrize("name", VIEWS)
@pytest.mark.parametrize("device", ["polyphase-tou", "single-phase", "big-endian"])
def test_every_form_has_the_values_of_the_rows(device: str, name: str, decimals) -> None:
    found = view(sample(device), name)
    if found is None:
        pytest.skip("this meter has no calendar")
    columns = found.schema.columns
    rows = [tuple(expected(*pair, decimals) for pair in zip(columns, row, strict=True)) for row in found.table_rows()]
    table = found.to_arrow(decimals=decimals)
    assert table.schema.equals(arrow_schema(found.schema, decimals))
    assert [tuple(line.values()) for line in table.to_pylist()] == rows
    assert table.schema.metadata[b"schema"].decode() == found.schema.name
    assert len(json.loads(table.schema.metadata[b"findings"])) == len(getattr(found, "findings", ()))
    frame = found.to_polars(decimals=decimals)
    assert frame.columns == list(found.schema.names)
    assert frame.rows() == rows
    panda = found.to_pandas(decimals=decimals)
    assert list(panda.columns) == list(found.schema.names)
    for place, column in enumerate(columns):
        shown = [None if item is pd.NA else item for item in panda[column.name].astype(object).tolist()]
        shown = [None if isinstance(item, float) and item != item else item for item in shown]
        if column.type in {"words", "integers"}:
            shown = [None if item is None else list(item) for item in shown]
        if column.type in {"time", "wall"}:
            shown = [None if item is pd.NaT else item for item in shown]
        assert shown == [row[place] for row in rows], column.name


@pytest.mark.parametrize("name", VIEWS[:-1])
def test_types_do_not_depend_on_the_values(name: str) -> None:
    full, empty = view(sample(), name), view(Device(), name)
    assert empty.findings or name == "identity"
    assert empty.to_arrow().schema.equals(full.to_arrow().schema)
    assert empty.to_polars().schema == full.to_polars().schema
    kinds = [
        ["category" if isinstance(kind, pd.CategoricalDtype) else kind for kind in one.to_pandas().dtypes]
        for one in (full, empty)
    ]
    assert kinds[0] == kinds[1]
    assert pl.concat([empty.to_polars(), full.to_polars()]).height == len(list(full.table_rows())) + len(
        list(empty.table_rows())
    )
    both = pa.concat_tables([empty.to_arrow(), full.to_arrow()])
    assert both.num_rows == len(list(full.table_rows())) + len(list(empty.table_rows()))


def test_readings_are_of_both_registers_and_load_profiles() -> None:
    device = sample()
    both = pl.concat([device.registers().to_polars(), device.load_profile(1).to_polars()])
    total = both.filter(pl.col("path") == "ST23.TOT_DATA_BLOCK.SUMMATIONS[0]").to_dicts()
    assert [(row["meter"], row["node"], row["value"], row["unit"]) for row in total] == [
        ("0000000012345678", ".123.8437", Decimal(388381680), "Wh")
    ]
    assert total[0]["end"] == dt.datetime(2026, 11, 22, 19, 35, tzinfo=dt.UTC)  # what ST52 says
    assert (total[0]["local_offset"], total[0]["start"], total[0]["kind"]) == (-300, None, "summation")
    first = both.filter(pl.col("path") == "LP1.CH1").row(0, named=True)
    assert first["start"] == dt.datetime(2026, 11, 7, 5, tzinfo=dt.UTC)
    assert first["end"] - first["start"] == dt.timedelta(minutes=15)
    assert (first["value"], first["raw"], first["kind"], first["status"]) == (Decimal(8400), "70", "interval", [])


def test_other_decimals_are_refused() -> None:
    with pytest.raises(ValueError, match="decimal128 or float64"):
        sample().registers().to_arrow(decimals="int")  # type: ignore[arg-type]


def test_a_notebook_shows_some_rows_and_how_many_more() -> None:
    found = sample().registers()
    shown = found._repr_html_()
    assert shown.count("<tr>") == 1 + SHOWN_ROWS
    assert f"<p>and {len(found) - SHOWN_ROWS} more rows</p>" in shown
    assert "<th>value</th>" in shown
    assert "<th>start</th>" not in shown  # registers have none
    assert len(shown) < 10_000
    assert "more rows" not in sample().identity()._repr_html_()


def test_text_of_a_meter_is_no_html() -> None:
    wicked = "<script>alert(1)</script>"
    device = sample()
    device.node["ap_title"] = wicked
    for name in VIEWS:
        shown = view(device, name)._repr_html_()
        assert "<script" not in shown
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown, name


def test_text_that_is_not_unicode_is_escaped() -> None:
    device = sample()
    device.node["ap_title"] = "half \udc80 of a pair"
    assert set(device.identity().to_polars()["node"]) == {r"half \udc80 of a pair"}
    assert set(device.events().to_polars()["node"]) == {r"half \udc80 of a pair"}
    assert r"half \udc80 of a pair" in device.identity()._repr_html_()


@pytest.mark.parametrize(
    ("lacking", "method", "advice"),
    [
        ("pyarrow", "to_arrow", "pip install 'c1222[arrow]'"),
        ("pyarrow", "to_polars", "pip install 'c1222[arrow]'"),
        ("pandas", "to_pandas", "pip install pandas"),
        ("polars", "to_polars", "pip install polars"),
    ],
)
def test_a_missing_package_is_named_when_it_is_needed(lacking: str, method: str, advice: str) -> None:
    code = (
        "import sys\n"
        "class Lacking:\n"
        "    def find_spec(self, name, *more):\n"
        f"        if name.partition('.')[0] == {lacking!r}: raise ModuleNotFoundError(f'No module named {{name!r}}')\n"
        "sys.meta_path.insert(0, Lacking())\n"
        "from c1219 import Device\n"
        "found = Device().registers()\n"
        "assert found.to_csv() and found._repr_html_()\n"
        f"try: found.{method}()\n"
        f"except ImportError as error: print(error)"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert lacking in shown.stdout
    assert advice in shown.stdout


def test_views_load_no_data_library() -> None:
    code = (
        "import sys; from c1219 import Device; d = Device(); d.registers(); d.load_profile(); d.events(); d.access()\n"
        "print({'pyarrow', 'pandas', 'polars', 'numpy'} & set(sys.modules))"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout == "set()\n"
