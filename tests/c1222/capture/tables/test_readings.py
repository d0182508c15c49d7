"""What table data in messages measures: the rows of the views, with quantity, unit and time, beside the elements."""

from __future__ import annotations

import json
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from c1219 import Device
from c1222.capture.jsonl import to_json
from c1222.capture.tables import readings as module
from c1222.capture.tables.reader import TableReader
from tests.c1219.views.example_meter import TABLES, meter
from tests.c1222.capture.conversation import METER, OTHER, Conversation
from tests.c1222.capture.tables.known_values import ROOT

CONFIGURATION = (0, 11, 12, 13, 14, 15, 16, 21, 22, 27)
DEMO = Device.from_json((ROOT / "specs/devices/polyphase-tou.json").read_text())


def told(talk: Conversation, reader: TableReader | None = None) -> list[dict[str, Any]]:
    """What is known of each service of responses that carries table data."""
    reader = reader or TableReader()
    return [found for message in talk.decoder() for found in reader.read(message) if found and message.is_response]


def configured(*numbers: int, **ends: Any) -> Conversation:
    talk = Conversation()
    for number in numbers or CONFIGURATION:
        talk.read(number, TABLES[number], **ends)
    return talk


def demo(*numbers: int) -> Conversation:
    talk = Conversation()
    for number in numbers:
        talk.read(number, DEMO[number].raw)
    return talk


@pytest.mark.parametrize("number", [23, 25, 26, 28])
def test_registers_are_those_of_the_view(number: int) -> None:
    talk = configured()
    talk.read(number, TABLES[number])
    (found,) = [known for known in told(talk) if "readings" in known]
    own = [row for row in meter().registers() if row.table == f"ST{number}"]
    shown = [(row["path"], row["quantity"], row["unit"], Decimal(row["value"])) for row in found["readings"]]
    assert shown == [(row.path, row.quantity, row.unit, row.value) for row in own]
    assert "findings" not in found


def test_a_reading_stands_beside_the_raw_value() -> None:
    talk = configured()
    talk.read(23, TABLES[23])
    found = told(talk)[-1]
    assert found["value"]["TOT_DATA_BLOCK"]["SUMMATIONS"] == [123456]
    by_path = {row["path"]: row for row in found["readings"]}
    assert by_path["ST23.TOT_DATA_BLOCK.SUMMATIONS[0]"] == {
        "path": "ST23.TOT_DATA_BLOCK.SUMMATIONS[0]", "quantity": "active energy delivered", "unit": "Wh",
        "value": "123456", "raw": 123456, "kind": "summation", "source": 0,
    }  # fmt: skip
    demand = by_path["ST23.TIER_DATA_BLOCK[0].DEMANDS[0].DEMAND[0]"]
    assert (demand["tier"], demand["extreme"], demand["time"]) == (0, "maximum", "2026-11-20T09:15:00")


def test_json_lines_have_them_and_equal_the_object() -> None:
    talk = configured()
    talk.read(23, TABLES[23])
    reader = TableReader()
    shown = []
    for message in talk.decoder():
        known = reader.read(message)
        line = to_json(message, tables=known)
        assert json.loads(line) == message.as_dict(tables=known)
        shown += [service["readings"] for service in json.loads(line)["services"] if "readings" in service]
    assert [len(rows) for rows in shown] == [len([row for row in meter().registers() if row.table == "ST23"])]


def test_pieces_give_the_rows_that_they_hold() -> None:
    device = meter()
    demand = device.layout("ST23.TOT_DATA_BLOCK.DEMANDS[0]")
    talk = configured()
    talk.read_offset(23, demand.offset, TABLES[23][demand.offset : demand.offset + demand.size])
    talk.read_index(23, demand.index_path, TABLES[23][demand.offset : demand.offset + demand.size])
    by_offset, by_index = told(talk)[-2:]
    assert by_offset["readings"] == by_index["readings"]
    assert [(row["path"], row["value"]) for row in by_offset["readings"]] == [
        (row.path, f"{row.value:f}")
        for row in device.registers()
        if row.path.startswith("ST23.TOT_DATA_BLOCK.DEMANDS[0]")
    ]


@pytest.mark.parametrize(
    ("missing", "names", "rows"),
    [
        ({12, 16, 22}, "ST12, ST16, ST22 of this node were not seen, which tell what ST23 measures", False),
        ({22}, "ST22 of this node was not seen, which tell", False),
        ({15}, "ST15 of this node was not seen", True),
        (set(), None, True),
    ],
)
def test_what_was_not_seen_is_named_once(missing: set[int], names: str | None, rows: bool) -> None:
    talk = configured(*(number for number in CONFIGURATION if number not in missing))
    talk.read(23, TABLES[23])
    talk.read(23, TABLES[23])
    for found in told(talk)[-2:]:
        texts = [finding["text"] for finding in found.get("findings", ())]
        assert len(texts) == (names is not None)
        assert names is None or texts[0].startswith(names[:30])
        assert ("readings" in found) == rows
        assert found["value"]["TOT_DATA_BLOCK"]["SUMMATIONS"] == [123456]


def test_what_comes_later_counts_from_then_on() -> None:
    talk = configured(0, 21)
    talk.read(23, TABLES[23])
    for number in (11, 12, 13, 14, 15, 16, 22):
        talk.read(number, TABLES[number])
    talk.read(23, TABLES[23])
    found = [known for known in told(talk) if "SUMMATIONS" in str(known.get("value")) and "findings" in known]
    assert len(found) == 1
    assert "readings" in told(talk)[-1]


def test_each_node_has_its_own_configuration() -> None:
    talk = configured()
    for number in CONFIGURATION:
        octets = TABLES[number] if number != 12 else bytes.fromhex("01 40 02 00") + TABLES[12][4:]
        talk.read(number, octets, meter=OTHER)
    for _ in range(2):
        talk.read(23, TABLES[23], meter=METER)
        talk.read(23, TABLES[23], meter=OTHER)
    quantities = [row["quantity"] for known in told(talk) for row in known.get("readings", ()) if "SUMM" in row["path"]]
    assert quantities == (["active energy delivered"] * 2 + [quantities[2]] * 2) * 2
    assert quantities[2].startswith("reactive energy")


def test_none_where_they_are_not_wanted_nor_where_octets_are_wrong() -> None:
    talk = configured()
    talk.read(23, TABLES[23])
    assert not any("readings" in known for known in told(talk, TableReader(readings=False)))
    talk = configured()
    talk.read(23, TABLES[23], checksum=b"\0")
    talk.read(23, b"")
    assert not any("readings" in known for known in told(talk))


def test_device_files_tell_what_a_capture_lacks() -> None:
    talk = Conversation()
    talk.read(23, TABLES[23])
    (found,) = told(talk, TableReader([meter({23: None})]))
    assert found["readings"][1]["value"] == "123456"


LOAD_PROFILE = (0, 11, 12, 13, 15, 16, 51, 52, 53, 54, 61, 62, 63)


def test_a_load_profile_in_pieces() -> None:
    raw = DEMO[64].raw
    size = 1000
    talk = demo(*LOAD_PROFILE)
    for offset in range(0, len(raw), size):
        talk.read_offset(64, offset, raw[offset : offset + size])
    rows = [row for known in told(talk) for row in known.get("readings", ()) if row["path"].startswith("LP1.")]
    whole = demo(*LOAD_PROFILE)
    whole.read(64, raw)
    expected = told(whole)[-1]["readings"]
    assert len(expected) == len(DEMO.load_profile(1).rows)
    assert sorted(rows, key=lambda row: (row["start"], row["path"])) == expected, (
        "blocks come in the order of the table"
    )
    first, view = expected[0], DEMO.load_profile(1).rows[0]
    assert view.start is not None
    assert (first["start"], first["value"], first["unit"], first["raw"]) == (
        view.start.isoformat(), f"{view.value:f}", view.unit, view.raw
    )  # fmt: skip


def test_a_load_profile_without_its_state() -> None:
    talk = demo(*(number for number in LOAD_PROFILE if number != 63))
    talk.read_offset(64, 0, DEMO[64].raw[: DEMO.layout("ST64.LP_DATA_SETS1[1]").offset])
    found = told(talk)[-1]
    assert "readings" not in found
    assert [finding["text"] for finding in found["findings"]] == [
        "ST63 of this node was not seen, which tells what ST64 measures"
    ]


def test_a_log_in_pieces() -> None:
    raw = DEMO[76].raw
    layout = DEMO.bind(76)
    edges = [0, layout.element("ENTRIES[2]").offset, layout.element("ENTRIES[9]").offset + 3, len(raw)]
    talk = demo(0, 51, 52, 53, 54, 71, 72)
    for start, end in pairwise(edges):
        talk.read_offset(76, start, raw[start:end])
    rows = [row for known in told(talk) for row in known.get("readings", ()) if row["path"].startswith("ST76.")]
    expected = [(event.sequence, event.text) for event in DEMO.events(logs=("event",))]
    assert sorted((row["sequence"], row["text"]) for row in rows) == expected


def test_a_clock_and_how_far_it_is_off() -> None:
    talk = demo(0, 51, 53, 54)
    talk.read(52, DEMO[52].raw)
    (row,) = told(talk)[-1]["readings"]
    assert (row["time"], row["weekday"]) == ("2026-11-22T14:35:00-05:00", 0)
    assert row["drift"] > 0, "the capture is of 2023"


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_PARTLY_READ", 2)
    reader = TableReader()
    for number in range(module.MAX_CONFIGURED + 3):
        talk = configured(0, 21, 22)
        talk.read(12, bytes([number, *TABLES[12][1:]]))
        for table in (23, 25, 26):
            talk.read_offset(table, 0, TABLES[table][:10])
        told(talk, reader)
    assert reader._readings is not None
    assert len(reader._readings._configured) <= module.MAX_CONFIGURED
    assert len(reader._readings._partly) <= 2
