"""Messages of a capture as rows: what the JSON lines say, in columns of the same names."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import polars as pl
import pytest

import c1222
from c1219.tabular.arrow import arrow_table
from c1222.capture.jsonl import as_dict
from c1222.capture.messages import MESSAGES, Messages, message_row

CAPTURES = Path(__file__).parents[3] / "specs" / "captures"
NAMES = sorted(path.name for path in CAPTURES.glob("*.pcap*"))


def messages(name: str) -> Messages:
    keys = c1222.KeyStore.from_file(CAPTURES / "keys.toml")
    return Messages(c1222.decode_capture(CAPTURES / name, keys=keys))


@pytest.mark.parametrize("name", NAMES)
def test_columns_say_what_the_lines_say(name: str) -> None:
    found = messages(name)
    table = found.to_arrow()
    assert table.num_rows == len(found) > 0
    assert table.schema.metadata[b"schema"] == b"c1222.message/1"
    for message, row in zip(found, table.to_pylist(), strict=True):
        line = as_dict(message)
        for column in ("services", "findings"):
            row[column] = json.loads(row[column])
        assert {"schema": MESSAGES.name, **row} == line
        assert ["schema", *row] == list(line)
    assert [None if row is pd.NA else list(row) for row in found.to_pandas()["segments"]] == [
        None if one.segments is None else list(one.segments) for one in found
    ]


def test_a_list_of_messages_is_a_frame() -> None:
    found = messages(NAMES[0])
    frame = found.to_polars()
    assert frame["frame"].to_list() == [one.frame for one in found]
    assert frame.schema == Messages().to_polars().schema
    assert c1222.Messages is Messages
    assert pl.concat([frame, Messages(found[:2]).to_polars()]).height == len(found) + 2
    assert f"c1222.message/1: {len(found)} rows" in found._repr_html_()


def test_a_number_that_64_bits_do_not_hold_is_told() -> None:
    (message, *_) = messages(NAMES[0])
    message.time_ns, message.calling_invocation_id = 1 << 63, -(1 << 63)
    row = dict(zip(MESSAGES.names, message_row(message), strict=True))
    assert (row["time_ns"], row["calling_invocation_id"]) == (None, -(1 << 63))
    assert row["findings"][-1]["text"] == "time_ns is 0x8000000000000000, more than 64 bits"
    assert arrow_table(MESSAGES, [tuple(row.values())])["time_ns"].to_pylist() == [None]


def test_passwords_are_concealed() -> None:
    secret = b"reader-demo".hex()
    shown = [message_row(one, show_secrets=True) for name in NAMES for one in messages(name)]
    assert any("password" in json.dumps(row) for row in shown)
    for name in NAMES:
        assert secret not in messages(name).to_polars().write_json()
