import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import c1219
import c1219.registry
from c1222.cli.tables import command
from tests.c1219.views.example_meter import TABLES, meter

OWN = """
from c1219.datatypes import UINT8, UINT16
from c1219.schema import Array, Doc, Record, Table, device

SAG_TBL = Table(
    number=5, manufacturer=True, name="SAG_TBL", confidence="V", source="us", device_class=CLASS,
    record=Record(
        "SAG_RCD",
        "NBR_SAGS" / UINT8 * Doc("Sags.", range="0..9"),
        "LENGTHS" / Array(device.ST21.NBR_TIERS, UINT16) * Doc("Of the last ones.", unit="ms"),
    ),
)
"""


@pytest.fixture(autouse=True)
def registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep declarations of a test from others."""
    monkeypatch.setattr(c1219.registry, "_DEFAULT", [])


@pytest.fixture
def device(tmp_path: Path) -> str:
    path = tmp_path / "device.json"
    path.write_text(meter().to_json())
    return str(path)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(command, arguments)


def own(folder: Path, kind: str = "None") -> str:
    path = folder / "own.py"
    path.write_text(OWN.replace("CLASS", kind))
    return str(path)


def cells(result: Result, start: str) -> list[str]:
    (line,) = [line for line in result.stdout.splitlines() if line.split()[:1] == [start] or line.startswith(start)]
    return line.split()


def test_the_list_has_what_is_known_of_each_table() -> None:
    result = run("list")
    assert result.exit_code == 0
    line = cells(result, "ST23 ")
    assert line[:4] == ["ST23", "data", "1997", "V"]
    assert "ST0, ST21" in result.stdout
    assert "CURRENT_REG_DATA_TBL" in line
    rows = json.loads(run("list", "--format", "json").stdout)
    assert [row["table"] for row in rows] == [line.split()[0] for line in result.stdout.splitlines()[1:]]
    (st23,) = [row for row in rows if row["number"] == 23]
    assert st23["depends_on"] == ["ST0", "ST21"]
    assert "ST21.NBR_TIERS" in st23["elements"]
    assert {"role", "since", "confidence", "source", "title", "name"} <= set(st23)


def test_the_list_says_what_a_device_has(device: str) -> None:
    result = run("list", "--device", device)
    assert "  51  CURRENT_REG_DATA_TBL" in result.stdout
    assert "  listed  UTIL_INFO_TBL" in result.stdout
    (st64,) = [line for line in result.stdout.splitlines() if line.startswith("ST64 ")]
    assert "listed" not in st64


def test_tables_that_nobody_declared_are_named(tmp_path: Path) -> None:
    path = tmp_path / "device.json"
    path.write_text(c1219.Device({0: TABLES[0], "MT7": b"\0"}).to_json())
    assert "declared nowhere: MT7" in run("list", "--device", str(path)).stderr


def test_a_declaration_is_shown_with_meaning_unit_range_and_condition() -> None:
    result = run("show", "13")
    assert result.exit_code == 0
    assert result.stdout.startswith("ST13  DEMAND_CONTROL_TBL: Demand Control\n")
    assert "depends on ST0 (DATA_ORDER), ST11 (NBR_DEMAND_CTRL_ENTRIES" in result.stdout
    (line,) = [line for line in result.stdout.splitlines() if "RESET_EXCLUSION " in line]
    assert line.split()[:4] == ["0", "RESET_EXCLUSION", "UINT8", "ST11.SOURCE_FLAGS.RESET_EXCLUDE_FLAG"]
    assert line.endswith("[min]")
    (line,) = [line for line in result.stdout.splitlines() if " INT_LENGTH " in line]
    assert line.startswith("4.i.2 ")
    bits = run("show", "ST12").stdout
    assert "[range 0..255]" in bits
    assert " 8..10 " in bits
    assert "[confidence ?; since 2012]" in bits


def test_a_layout_has_offsets_and_values(device: str) -> None:
    result = run("show", "23", "--device", device)
    assert result.exit_code == 0
    lines = [line.split() for line in result.stdout.splitlines()]
    assert ["12", "6", "1.1.0.1", "CUM_DEMAND", "NI_FMAT1", "(INT48)", "1", "every", "15"] in [
        line[:9] for line in lines
    ]
    assert ["1.1.0.2", "CONT_CUM_DEMAND", "1", "every", "15", "absent:"] in [line[:6] for line in lines]
    assert ["12", "6", "1.1.0.1", "TOT_DATA_BLOCK.DEMANDS[0].CUM_DEMAND", "54321"] in lines
    assert ["37", "6", "2.0.1.0.1", "TIER_DATA_BLOCK[0].DEMANDS[0].CUM_DEMAND", "4321"] in lines
    assert ["51", "octets", "in", "this", "device"] in lines


def test_another_configuration_prints_another_layout(tmp_path: Path, device: str) -> None:
    path = tmp_path / "other.json"
    st21 = bytearray(TABLES[21])
    st21[7] = 4
    path.write_text(meter({21: bytes(st21), 23: None, 25: None, 26: None}).to_json())
    result = run("show", "23", "--device", str(path))
    assert "126 octets in this device" in result.stdout
    assert "4 every 25" in result.stdout
    assert " VALUE\n" not in result.stdout
    assert result.stdout != run("show", "23", "--device", device).stdout


def test_json_has_the_same(device: str) -> None:
    plain = json.loads(run("show", "23", "--format", "json").stdout)
    assert plain["fields"][0]["path"] == "NBR_DEMAND_RESETS"
    bound = json.loads(run("show", "23", "--device", device, "--format", "json").stdout)
    (cumulative,) = [row for row in bound["fields"] if row["path"] == "TIER_DATA_BLOCK[].DEMANDS[].CUM_DEMAND"]
    assert (cumulative["offset"], cumulative["size"], cumulative["counts"], cumulative["strides"]) == (
        37, 6, [1, 1], [25, 15],
    )  # fmt: skip
    assert bound["value"]["NBR_DEMAND_RESETS"] == 7
    assert (bound["size"], bound["octets"]) == (51, TABLES[23].hex())


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("999",), "ST999 is declared nowhere"),
        (("MT3",), "MT3 is declared nowhere"),
        (("ST9x",), "names no table"),
        (("5000",), "outside 0..4095"),
        (("23", "--device", "{empty}"), "ST23: read ST0, ST21 first"),
        (("64", "--device", "{device}"), "ST64: read ST61, ST62 first"),
        (("23", "--device", "{missing}"), "No such file"),
        (("23", "--device", "{bad}"), "not JSON"),
        (("23", "--device", "sample:none-such"), "there is no sample 'none-such'"),
        (("23", "--class", "DE"), "no device class"),
    ],
)
def test_errors_say_what_is_wrong(arguments: tuple[str, ...], text: str, tmp_path: Path, device: str) -> None:
    (tmp_path / "empty.json").write_text(c1219.Device().to_json())
    (tmp_path / "bad.json").write_text("{")
    places = {name: str(tmp_path / f"{name}.json") for name in ("empty", "missing", "bad")} | {"device": device}
    result = run("show", *(argument.format(**places) for argument in arguments))
    assert result.exit_code == 2
    assert text in result.stderr
    assert result.stdout == ""


def test_a_manufacturer_s_table_from_a_file(tmp_path: Path, device: str) -> None:
    result = run("show", "MT5", "--declarations", own(tmp_path))
    assert "SAG_TBL" in result.stdout
    assert "Sags. [range 0..9]" in result.stdout
    assert "depends on ST0 (DATA_ORDER), ST21 (NBR_TIERS)" in result.stdout
    assert "MT5" in run("list", "--declarations", own(tmp_path)).stdout
    path = tmp_path / "with.json"
    path.write_text(c1219.Device(dict(TABLES) | {"MT5": bytes.fromhex("02 E803")}).to_json())  # type: ignore[operator]
    result = run("show", "MT5", "--device", str(path), "--declarations", own(tmp_path))
    assert ["1", "2", "1.0", "LENGTHS[0]", "1000"] in [line.split() for line in result.stdout.splitlines()]


def test_a_table_of_a_device_class(tmp_path: Path, device: str) -> None:
    file = own(tmp_path, 'b"DEMO"')
    assert run("show", "MT5", "--declarations", file).exit_code == 2
    assert "SAG_TBL" in run("show", "MT5", "--declarations", file, "--class", "DEMO").stdout
    assert "SAG_TBL" in run("show", "MT5", "--declarations", file, "--class", b"DEMO".hex()).stdout
    assert "3 octets in this device" in run("show", "MT5", "--declarations", file, "--device", device).stdout


@pytest.mark.parametrize(
    ("text", "reason"), [("1 / 0", "ZeroDivisionError"), ("x = 1", "declares neither"), ("TABLES = (1,)", "own.py")]
)
def test_files_that_declare_nothing_are_refused(text: str, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "own.py"
    path.write_text(text)
    result = run("list", "--declarations", str(path))
    assert result.exit_code == 2
    assert reason in result.stderr


def test_values_of_passwords_are_concealed(tmp_path: Path) -> None:
    path = tmp_path / "device.json"
    tables = {0: TABLES[0], 41: bytes((1, 6, 0, 0, 0, 0)), 42: b"sesame\x01"}
    path.write_text(c1219.Device(tables).to_json())  # type: ignore[arg-type]
    for form in ("text", "json"):
        shown = run("show", "42", "--device", str(path), "--format", form).output
        assert b"sesame".hex() not in shown
        secrets = run("show", "42", "--device", str(path), "--format", form, "--show-secrets").stdout
        assert b"sesame".hex() in secrets


def test_secrets_of_a_manufacturer_s_table_are_concealed_too(tmp_path: Path) -> None:
    file, path = tmp_path / "own.py", tmp_path / "device.json"
    file.write_text(
        "from c1219.datatypes import SECRET\nfrom c1219.schema import Record, Table\n"
        'T = Table(number=6, manufacturer=True, name="PIN_TBL", record=Record("PIN_RCD", "PIN" / SECRET(6) * "The PIN."))\n'
    )
    for number in ("46", "MT6"):
        path.write_text(c1219.Device({0: TABLES[0], number: b"sesame"}).to_json())
        for form in ("text", "json"):
            shown = run("show", number, "--device", str(path), "--declarations", str(file), "--format", form).output
            assert b"sesame".hex() not in shown
            assert "sesame" not in shown


def test_many_values_are_shown_on_demand(tmp_path: Path) -> None:
    st11 = bytearray(TABLES[11])
    st11[7] = 250
    st21 = bytearray(TABLES[21])
    st21[3], st21[7] = 200, 2
    device = meter({21: bytes(st21), 23: None, 25: None, 26: None})
    device.put(23, bytes(device.bind(23).size))
    path = tmp_path / "device.json"
    path.write_text(device.to_json())
    few = run("show", "23", "--device", str(path)).stdout
    assert "more values: see --all" in few
    every = run("show", "23", "--device", str(path), "--all").stdout
    assert "TIER_DATA_BLOCK[1].SUMMATIONS[199]" in every
    assert "TIER_DATA_BLOCK[1].SUMMATIONS[199]" not in few


def test_a_table_with_an_error_is_shown_and_makes_exit_code_1(tmp_path: Path) -> None:
    path = tmp_path / "device.json"
    path.write_text(meter({23: TABLES[23][:30]}).to_json())
    result = run("show", "23", "--device", str(path))
    assert result.exit_code == 1
    assert "30 of the 51 octets" in result.stderr
    assert "TIER_DATA_BLOCK[0].SUMMATIONS[0]" in result.stdout


def test_arguments_of_events_are_decoded() -> None:
    lines = run("show", "74", "--device", "sample:polyphase-tou").stdout.splitlines()
    written = next(line for line in lines if "0a10000000" in line)
    assert '= {"PROCEDURE": {"TBL_PROC_NBR": 10, "STD_VS_MFG_FLAG": false, "PROC_FLAG": true' in written
    assert sum(" = {" in line for line in lines) == 5
    shown = json.loads(run("show", "76", "--device", "sample:big-endian", "--format", "json").stdout)
    assert shown["variants"]["ST76.ENTRIES[12].EVENT_ARGUMENT"] == {"SEASON": 0}
    assert shown["variants"]["ST76.ENTRIES[0].EVENT_ARGUMENT"] == {"OLD_TIME": {"raw": "6ad7b1"}}, "it is cut"
    assert json.loads(run("show", "23", "--device", "sample:big-endian", "--format", "json").stdout)["variants"] == {}
