import json

from click.testing import CliRunner

from c1222.cli.device import command


def run(*arguments: str) -> str:
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_objects_and_what_has_none() -> None:
    lines = [line.split() for line in run("sample:polyphase-tou", "--cosem").splitlines()]
    assert ["3", "1.0.1.8.0.255", "388381680", "Wh", "E", "ST23.TOT_DATA_BLOCK.SUMMATIONS[0]"] in lines
    assert ["3", "1.0.14.7.0.255", "6001", "·", "10^-2", "Hz", "E", "ST28.PRESENT_VALUE[2]"] in lines
    reason = "no value group D; it is D 2 plus D 6"
    assert any(
        line[0] == "ST23.TOT_DATA_BLOCK.DEMANDS[0].CONT_CUM_DEMAND" and reason in " ".join(line)
        for line in lines
        if line
    )


def test_objects_as_json_and_rows() -> None:
    shown = json.loads(run("sample:single-phase", "--cosem", "--format", "json"))["cosem"]
    assert shown["objects"][0]["obis"] == "0.0.42.0.0.255"
    assert shown["residue"]
    rows = [json.loads(line) for line in run("sample:single-phase", "--cosem", "--format", "jsonl").splitlines()]
    assert [row["obis"] for row in rows] == [one["obis"] for one in shown["objects"]]


def test_names_beside_registers() -> None:
    text = run("sample:polyphase-tou", "--registers", "--obis")
    assert "OBIS" in text
    assert ["388,381.680", "kWh", "1.0.1.8.0.255", "active"] in [line.split()[:4] for line in text.splitlines()]
    assert "OBIS" not in run("sample:polyphase-tou", "--registers")
    rows = [
        json.loads(line)
        for line in run("sample:polyphase-tou", "--load-profile", "1", "--obis", "--format", "jsonl").splitlines()
    ]
    assert rows[0]["obis"] == "1.2.1.29.0.255"
