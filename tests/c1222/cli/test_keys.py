"""What is shown of a key file, and whether Wireshark reads the table made of it."""

import os
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from c1222.cli.keys import command

SAMPLES = Path(__file__).parents[3] / "specs" / "captures"
EXAMPLE = "01020304050607080102030405060708"
KEYS = f"""
[[key]]
id = 2
hex = "{EXAMPLE}"
[[key]]
id = 2
hex = "{EXAMPLE}"
ap_title = ".7"
[[key]]
id = 200
hex = "000102030405060708090a0b0c0d0e0f"
"""


def run(tmp_path: Path, *options: str, keys: str = KEYS) -> Result:
    file = tmp_path / "keys.toml"
    file.write_text(keys)
    return CliRunner().invoke(command, [str(file), *options])


def test_ids_and_titles_without_keys(tmp_path: Path) -> None:
    result = run(tmp_path)
    assert (result.exit_code, result.stdout) == (0, "  2  .7\n  2  any node\n200  any node\n")
    assert EXAMPLE in run(tmp_path, "--show-secrets").stdout


def test_the_table_of_wireshark_is_shown_to_who_asks_for_secrets(tmp_path: Path) -> None:
    refused = run(tmp_path, "--wireshark")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "--show-secrets" in refused.stderr
    result = run(tmp_path, "--wireshark", "--show-secrets")
    assert result.stdout == f'"2",{EXAMPLE}\n"200",000102030405060708090A0B0C0D0E0F\n'
    assert result.stderr == "tshark -o c1222.decrypt:TRUE -o c1222.baseoid:2.16.124.113620.1.22.0\n"


def test_an_id_with_several_keys_is_told(tmp_path: Path) -> None:
    other = f'[[key]]\nid = 2\nhex = "{"0f" * 16}"\nap_title = ".8"\n'
    result = run(tmp_path, "--wireshark", "--show-secrets", keys=KEYS + other)
    assert result.stdout.count('"2",') == 2
    assert "key id 2 has 2 keys" in result.stderr


def test_a_file_that_is_none(tmp_path: Path) -> None:
    assert run(tmp_path, keys="[[key]]\nid = 2\n").exit_code == 2


@pytest.mark.tshark
def test_wireshark_reads_it(tmp_path: Path, tshark: str) -> None:
    result = run(tmp_path, "--wireshark", "--show-secrets")
    folder = tmp_path / "wireshark"
    folder.mkdir()
    (folder / "c1222_decryption_table").write_text(result.stdout)
    options = result.stderr.split()[1:]
    out = subprocess.run(
        [tshark, *options, "-r", SAMPLES / "example8.pcap", "-T", "fields", "-e", "c1222.crypto_good"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)},
    )
    assert out.stdout.split() == ["1", "1"]
