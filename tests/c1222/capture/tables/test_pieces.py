"""Tables in a capture that are read or written in pieces."""

from pathlib import Path

import pytest

from c1219 import Device
from c1219.registry import table_id
from c1219.secrecy import may_be_secret
from c1222.capture.tables.reader import TableReader
from c1222.message.aptitle import ApTitle
from c1222.services import TableData, tables
from tests.c1222.capture.conversation import Conversation
from tests.c1222.capture.tables.known_values import ROOT, ST0, ST21, ST23, known, values


def test_reads_by_offset_and_index_are_decoded_in_place() -> None:
    talk = Conversation()
    talk.read(0, ST0)
    talk.read(21, ST21)
    talk.read_offset(23, 7, ST23[7:22])
    talk.read_offset(23, 9, ST23[9:14])
    talk.read_index(23, (1, 1, 0), ST23[7:22])
    talk.read_index(23, (2, 0, 0, 0), ST23[26:32])
    talk.read_index(23, (1, 1, 0, 2), b"")
    talk.read_index(23, (7,), b"\0")
    _, _, demand, cut, indexed, tier, absent, beyond = known(talk)
    whole = {
        "TOT_DATA_BLOCK.DEMANDS[0].EVENT_TIME[0]": "2026-11-22T14:30:00",
        "TOT_DATA_BLOCK.DEMANDS[0].CUM_DEMAND": 54321,
        "TOT_DATA_BLOCK.DEMANDS[0].DEMAND[0]": 4200,
    }
    assert demand == {"value": whole}
    assert indexed == {"value": whole}
    assert tier == {"value": {"TIER_DATA_BLOCK[0].SUMMATIONS[0]": 23456}}
    assert list(cut["value"]) == list(whole)[:2]
    assert cut["value"]["TOT_DATA_BLOCK.DEMANDS[0].CUM_DEMAND"] == {"raw": "31d4"}
    assert [finding["code"] for finding in cut["findings"]] == ["cut", "cut"]
    assert absent["undecoded"].startswith("ST23.TOT_DATA_BLOCK.DEMANDS[0].CONT_CUM_DEMAND is absent")
    assert "has no element 7" in beyond["undecoded"]


def test_tables_read_in_pieces_are_learned_too() -> None:
    talk = Conversation()
    for start in range(0, len(ST0), 10):
        talk.read_offset(0, start, ST0[start : start + 10])
    talk.read_offset(21, 4, ST21[4:])  # its start was not seen: nothing to learn
    talk.read(23, ST23)
    talk.read_offset(21, 0, ST21[:4])
    talk.read_offset(21, 4, ST21[4:])
    talk.read(23, ST23)
    found = known(talk)
    assert found[5] == {"undecoded": "ST21 of this node was not seen"}
    assert found[8]["value"]["NBR_DEMAND_RESETS"] == 7


def test_a_piece_changes_a_table_that_is_known() -> None:
    talk = Conversation()
    talk.read(0, ST0)
    talk.read(21, ST21)
    talk.ask([tables.WriteOffsetRequest(21, 7, TableData(b"\0"))], [tables.WriteOffsetResponse()])
    talk.read(23, ST23[:26])
    talk.ask([tables.WriteIndexRequest(21, (7,), TableData(b"\x01"))], [tables.WriteIndexResponse()])
    talk.read(23, ST23)
    found = known(talk)
    assert found[2] == {"value": {"NBR_TIERS": 0}}
    assert found[3]["value"]["TIER_DATA_BLOCK"] == []
    assert len(found[5]["value"]["TIER_DATA_BLOCK"]) == 1


def test_pieces_of_the_fixed_heads_of_tables_that_lay_themselves_out() -> None:
    talk = Conversation()
    talk.read_offset(0, 3, ST0[3:7])
    talk.read_index(0, (3,), ST0[3:7])
    talk.read_offset(0, 18, ST0[18:19])
    talk.read_offset(0, 0, ST0[:10])
    talk.read_offset(0, 18, ST0[18:20])
    talk.read_index(0, (19,), ST0[19:24])
    *heads, first, beyond, by_index = known(talk)
    device_class = {"DEVICE_CLASS": b"DEMO".hex()}
    assert heads == [{"value": device_class}, {"value": device_class}, {"value": {"NBR_PENDING": ST0[18]}}]
    assert first["value"]["NAMEPLATE_TYPE"] == 2
    assert "own octets" in beyond["undecoded"]
    assert "own octets" in by_index["undecoded"]


def test_pieces_of_the_fixed_heads_of_procedure_tables() -> None:
    talk = Conversation()
    talk.read(0, ST0)
    talk.read_offset(8, 2, bytes.fromhex("2A00"))
    talk.read_index(8, (1,), bytes.fromhex("2A"))
    assert values(known(talk)[1:]) == [{"SEQ_NBR": 42, "RESULT_CODE": 0}, {"SEQ_NBR": 42}]


PROFILES = sorted((ROOT / "specs/devices").glob("*.json"))


@pytest.mark.parametrize("path", PROFILES, ids=lambda path: path.stem)
def test_all_tables_of_a_device_read_one_after_the_other(path: Path) -> None:
    meter = Device.from_json(path.read_bytes())
    title = ApTitle(str(meter.node["ap_title"]))
    labels = [label for label in meter if not may_be_secret(table_id(label), meter[label].raw)]
    talk = Conversation()
    for label in labels:
        talk.read(table_id(label), meter[label].raw, meter=title)
    found = dict(zip(labels, known(talk), strict=True))
    undecoded = {label: item["undecoded"] for label, item in found.items() if "undecoded" in item}
    assert not [label for label in undecoded if label.startswith("ST")]
    for label, item in found.items():
        if label not in undecoded:
            assert item["value"] == meter[label].to_json(), label
    assert {"ST0", "ST1", "ST12", "ST23"} <= set(found)


@pytest.mark.parametrize("path", PROFILES, ids=lambda path: path.stem)
def test_a_table_read_in_pieces_gives_the_values_of_the_whole(path: Path) -> None:
    meter = Device.from_json(path.read_bytes())
    reader = TableReader([meter])
    for label in ("ST23", "ST64", "ST12"):
        if label not in meter:
            continue
        raw = meter[label].raw[:2000]
        layout = meter.bind(label)
        whole = {element.path: element.to_json(element.get(raw)) for element in layout.elements(0, len(raw) - 16)}
        talk = Conversation()
        for start in range(0, len(raw), 97):
            talk.read_offset(
                table_id(label), start, raw[start : start + 97], meter=ApTitle(str(meter.node["ap_title"]))
            )
        pieces = known(talk, reader)
        inside = {
            f"{label}.{name}": value
            for item in pieces
            for name, value in item["value"].items()
            if f"{label}.{name}" not in {finding["path"] for finding in item.get("findings", ())}
        }
        cut = {finding["path"] for item in pieces for finding in item.get("findings", ())}
        assert {name: value for name, value in inside.items() if name in whole} == {
            name: value for name, value in whole.items() if name not in cut
        }
        assert inside
