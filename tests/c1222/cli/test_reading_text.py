"""What ``c1222 decode`` shows of a secured session that reads registers, load profile, events and clock."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from c1222.cli.decode import command
from c1222.cli.reading_text import reading_lines
from tests.c1219.views.example_meter import TABLES
from tests.c1222.capture.conversation import Conversation
from tests.c1222.capture.tables.test_readings import DEMO, demo

REGISTERS = """\
              6             number of demand resets
        388,381.680  kWh    active energy delivered, total
          9,013.200  kWh    active energy received, total
        186,316.440  kvarh  reactive energy delivered, total
          1,243.200  kW     active power delivered, cumulative demand, total
          1,443.840  kW     active power delivered,
                              continuous cumulative demand, total
            200.640  kW     active power delivered, maximum demand, total,
                              2026-11-13 15:00:00-05:00
            525.600  kvar   reactive power delivered, cumulative demand, total
            600.000  kvar   reactive power delivered,
                              continuous cumulative demand, total
             74.400  kvar   reactive power delivered, maximum demand, total,
                              2026-11-19 11:00:00-05:00
             71.040  kvar   reactive power delivered, coincident with maximum,
                              total, 2026-11-13 15:00:00-05:00
             54.720  kW     active power delivered, coincident with maximum,
                              total, 2026-11-19 11:00:00-05:00
        164,449.320  kWh    active energy delivered, rate A / tier 1
"""
PROFILE = """\
        LP1.CH1 active energy delivered
        LP1.CH2 active energy received
        LP1.CH3 reactive energy delivered
        LP1.CH4 RMS voltage A-N
        START                      CH1 kWh  CH2 kWh  CH3 kvarh    CH4 V
        2026-11-12 00:00:00-05:00   14.280    0.000      3.240  277.61
        2026-11-12 00:15:00-05:00   13.320    0.000      3.120  277.63
        2026-11-12 00:30:00-05:00   12.120    0.000      3.120  277.67
"""
EVENTS = """\
        TIME                       SEQUENCE  USER  EVENT
        2026-05-01 09:08:12-04:00         1     3  end device unsealed
        2026-05-01 09:20:41-04:00         2     3  end device sealed
        2026-05-25 00:00:00-04:00         3     0  special schedule activated: 1
        2026-06-01 00:00:00-04:00         4     0  demand reset
"""


def test_registers_fit_a_terminal() -> None:
    assert max(map(len, REGISTERS.splitlines())) <= 80


@pytest.fixture
def keys(tmp_path: Path) -> str:
    path = tmp_path / "keys.toml"
    path.write_text('[[key]]\nid = 2\nhex = "01020304050607080102030405060708"\n')
    return str(path)


def decoded(talk: Conversation, folder: Path, keys: str, *options: str) -> str:
    path = folder / "talk.pcap"
    path.write_bytes(talk.octets)
    result = CliRunner().invoke(command, [str(path), "--keys", keys, *options])
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture
def session() -> Conversation:
    talk = demo(0, 11, 12, 13, 15, 16, 21, 22, 51, 53, 54, 52, 61, 62, 63, 71)
    talk.read(23, DEMO[23].raw)
    block = DEMO.layout("ST64.LP_DATA_SETS1[3]")
    talk.read_offset(64, block.offset, DEMO[64].raw[block.offset : block.offset + 120])
    talk.read(76, DEMO[76].raw)
    return talk


def test_a_session_in_kwh(session: Conversation, tmp_path: Path, keys: str) -> None:
    assert int.from_bytes(DEMO[23].raw[1:7], "little") == 388381680, "the register by hand"
    first = DEMO.layout("ST64.LP_DATA_SETS1[3].LP_INT[0].INT_DATA[0]")
    pulses = DEMO[64].raw[first.offset : first.offset + first.size]
    assert int.from_bytes(pulses, "little") * 3 * 40 == 14280, "pulses x 3 Wh x 40"
    text = decoded(session, tmp_path, keys)
    for part in (REGISTERS, PROFILE, EVENTS):
        assert part in text
        assert all(len(line) <= 80 for line in part.splitlines() if line[8:10] == "20")
    assert "        2026-11-22 14:35:00-05:00, Sunday, " in text
    assert " d " in text, "ahead of the capture by days"
    for hidden in ("        TOT_DATA_BLOCK", "        LP_DATA_SETS1", "        ENTRIES["):
        assert hidden not in text


def test_units_of_a_session(session: Conversation, tmp_path: Path, keys: str) -> None:
    assert "        388,381,680  Wh    active energy delivered, total" in decoded(
        session, tmp_path, keys, "--unit", "base"
    )
    raw = decoded(session, tmp_path, keys, "--unit", "raw")
    assert "        388381680  active energy delivered, total" in raw
    assert "        2026-11-12 00:00:00-05:00  119" in raw


def test_flags_of_a_record_are_on_one_line_and_with_verbose_each_on_its_own(
    session: Conversation, tmp_path: Path, keys: str
) -> None:
    line = "        flags of SOURCES_LINK[0] = UOM_ENTRY_FLAG, PULSE_ENGR_FLAG (2 of 6)"
    text, verbose = decoded(session, tmp_path, keys), decoded(session, tmp_path, keys, "--verbose")
    assert line in text
    assert "SOURCES_LINK[0].UOM_ENTRY_FLAG" not in text
    assert "flags of" not in verbose
    assert "        SOURCES_LINK[0].UOM_ENTRY_FLAG = True" in verbose
    assert "        TOT_DATA_BLOCK.SUMMATIONS = [388381680, 9013200, 186316440]" in verbose
    assert REGISTERS in verbose


def test_without_readings_there_are_the_elements(session: Conversation, tmp_path: Path, keys: str) -> None:
    text = decoded(session, tmp_path, keys, "--no-readings")
    assert "kWh" not in text
    assert "        TOT_DATA_BLOCK.SUMMATIONS = [388381680, 9013200, 186316440]" in text
    lines = decoded(session, tmp_path, keys, "--no-readings", "--format", "jsonl")
    assert '"readings"' not in lines


def test_what_tells_the_units_and_was_not_seen_is_one_line(tmp_path: Path, keys: str) -> None:
    talk = Conversation()
    for number in (0, 21, 23):
        talk.read(number, TABLES[number])
    text = decoded(talk, tmp_path, keys)
    assert "        TOT_DATA_BLOCK.SUMMATIONS = [123456]" in text
    assert text.count("of this node were not seen, which tell what ST23 measures [not-seen, ST23]") == 1


def test_json_has_base_units_whatever_text_has(session: Conversation, tmp_path: Path, keys: str) -> None:
    lines = decoded(session, tmp_path, keys, "--format", "jsonl")
    assert lines == decoded(session, tmp_path, keys, "--format", "jsonl", "--unit", "raw")
    rows = [
        row
        for line in lines.splitlines()
        for service in json.loads(line)["services"]
        for row in service.get("readings", ())
    ]
    assert {row["unit"] for row in rows if row.get("unit")} == {"Wh", "varh", "W", "var", "V"}
    first = next(row for row in rows if row["path"] == "ST23.TOT_DATA_BLOCK.SUMMATIONS[0]")
    assert (first["value"], first["raw"]) == ("388381680", 388381680)


def test_self_reads_and_values_that_are_not_known(tmp_path: Path, keys: str) -> None:
    talk = Conversation()
    for number in TABLES:
        talk.read(number, TABLES[number])
    assert "self read 9, to 2026-11-01 00:00:00" in decoded(talk, tmp_path, keys)
    rows = [
        {"path": "ST23.TOT_DATA_BLOCK.SUMMATIONS[0]", "kind": "summation", "raw": {"raw": "ffff"}, "quantity": "source 3",
         "remarks": ["ff ff is no number"]},
        {"path": "ST28.PRESENT_VALUE[0]", "kind": "present value", "raw": 5, "value": "5", "unit": "V", "quantity": "volts"},
    ]  # fmt: skip
    assert list(reading_lines(rows, "kilo")) == [
        "raw ff ff     source 3, total, ff ff is no number",
        "        5  V  volts",
    ]
