"""Table files that are wrong in every way: an error with the line, never anything else."""

from __future__ import annotations

import json
import time
import tomllib
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from c1219.errors import TableFileError
from c1219.tablefile.loading import load_tables

if TYPE_CHECKING:
    from pathlib import Path

HEAD = 'format = "c1219-tables"\nversion = 1\n'
TABLE = '[[table]]\nnumber = 5\nmanufacturer = true\nname = "T"\nrecord = "R"\n'
FIELD = '[[record]]\nname = "R"\nfields = [\n  { name = "A", type = "UINT8" },\n  {FIELD},\n]\n'


def loaded(folder: Path, text: str, name: str = "x.toml") -> object:
    path = folder / name
    path.write_text(text, "utf-8")
    return load_tables(path)


def test_the_example(demo: Path) -> None:
    found = load_tables(demo)
    assert [table.label for table in found.tables] == ["MT5", "MT6"]
    assert found.tags == {"MT5": ("demo",), "MP3": ("disconnect",)}
    assert found.tables[1].secret
    assert found.tables[0].source == "made up"
    assert found.maps[0]["obis"] == "1.0.1.8.1.255"
    assert found.unused == ()


def test_json_says_the_same(demo: Path, tmp_path: Path) -> None:
    path = tmp_path / "demo.json"
    path.write_text(json.dumps(tomllib.loads(demo.read_text("utf-8"))), "utf-8")
    ours, theirs = load_tables(demo), load_tables(path)
    assert [table.describe() for table in ours.tables] == [table.describe() for table in theirs.tables]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("", 1, "format"),
        ('format = "c1219-tables"\nversion = 2\n', 2, "version 2"),
        (HEAD + "[about]\ntitel = 'x'\n", 4, "titel"),
        (HEAD + "tables = []\n", 3, "tables"),
        (HEAD + "[match]\nfirmware = '2'\n", 4, "firmware"),
        (HEAD + "[match]\nmodel = 'x'\n", 4, "model"),
        (HEAD + "record = 3\n", 3, "list"),
        (HEAD + TABLE + "recrod = 1\n", 8, "record[?]"),
        (HEAD + TABLE, 3, "no type 'R'"),
        (HEAD + "[[table]]\nnumber = 5\nname = 'T'\n", 3, "lacks record"),
        (HEAD + FIELD.replace("{FIELD}", '{ name = "B", type = "UINT7" }') + TABLE, 7, "UINT8[?]"),
        (HEAD + FIELD.replace("{FIELD}", '{ name = "B", typ = "UINT8" }') + TABLE, 7, "type[?]"),
        (HEAD + FIELD.replace("{FIELD}", '{ name = "B" }') + TABLE, 7, "type or switch"),
        (HEAD + FIELD.replace("{FIELD}", '{ name = "A", type = "UINT8" }') + TABLE, None, "name of its own"),
        (HEAD + FIELD.replace("{FIELD}", '{ name = "B", type = "SET(this.C)" }') + TABLE, None, "no earlier element"),
        (HEAD + FIELD.replace("{FIELD}", '{ name = "B", type = "UINT8", count = "x()" }') + TABLE, 7, "not allowed"),
        (HEAD + FIELD.replace("{FIELD}", '{ name = "B", type = "UINT8", tail = true }') + TABLE, 7, "tail"),
        (HEAD + FIELD.replace("{FIELD}", '{ name = "B", type = "UINT8", else = "UINT8" }') + TABLE, 7, "needs when"),
        (HEAD + FIELD.replace("{FIELD}", '{ name = "B", type = "UINT8", secret = true }') + TABLE, 7, "secret"),
        (HEAD + FIELD.replace("{FIELD}", '{ name = "B", type = "UINT8", variant = "this.A" }') + TABLE, 7, "BINARY"),
        (HEAD + FIELD.replace("{FIELD}", '{ name = "B", type = "UINT8", enum = "NONE" }') + TABLE, 7, "NONE"),
        (HEAD + FIELD.replace("{FIELD}", '{ name = "B", type = "UINT8", doc = 3 }') + TABLE, 7, "text"),
        (HEAD + FIELD.replace("{FIELD}", '{ name = "b c", type = "UINT8" }') + TABLE, 7, "no name"),
        (HEAD + FIELD.replace("{FIELD}", '{ name = "B", type = "R" }') + TABLE, 7, "itself"),
        (HEAD + "[[record]]\nname = 'UINT8'\nfields = []\n", 4, "of the library"),
        (HEAD + "[[enum]]\nname = 'E'\ncodes = { x = 'A' }\n", 3, "no number"),
        (HEAD + "[[enum]]\nname = 'E'\ncodes = { 1 = 'A', 01 = 'B' }\n", 5, "two codes"),
        (HEAD + "[[bitfield]]\nname = 'B'\nover = 'UINT9'\nbits = []\n", 5, "no UINT"),
        (HEAD + "[[bitfield]]\nname = 'B'\nover = 'UINT8'\nbits = [{ name = 'A', at = 9 }]\n", None, "bits 9..9"),
        (HEAD + "[[bitfield]]\nname = 'B'\nover = 'UINT8'\nbits = [{ name = 'A', at = 'x' }]\n", 6, "at is a bit"),
        (HEAD + "[[enum]]\nname = 'E'\ncodes = {}\n[[enum]]\nname = 'E'\ncodes = {}\n", None, "twice"),
        (HEAD + "extends = ['../other.toml']\n", 3, "same folder"),
        (HEAD + "extends = 'other.toml'\n", 3, "list"),
        ("format = 'c1219-tables'\nversion = = 1\n", 2, "not read"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(text: str, line: int | None, words: str, tmp_path: Path) -> None:
    with pytest.raises(TableFileError, match=words) as caught:
        loaded(tmp_path, text)
    if line is not None:
        assert caught.value.line == line, str(caught.value)
    assert str(tmp_path / "x.toml") in str(caught.value)


def test_the_same_number_twice(tmp_path: Path) -> None:
    record = '[[record]]\nname = "R"\nfields = [{ name = "A", type = "UINT8" }]\n'
    with pytest.raises(TableFileError, match="MT5 is declared already") as caught:
        loaded(tmp_path, HEAD + record + TABLE + TABLE)
    assert caught.value.line == 12
    assert loaded(tmp_path, HEAD + record + TABLE + TABLE + "replace = true\n")


def test_a_file_takes_over_what_it_extends(tmp_path: Path) -> None:
    record = '[[record]]\nname = "R"\nfields = [{ name = "A", type = "UINT8" }]\n'
    (tmp_path / "base.toml").write_text(HEAD + record + TABLE)
    more = '[[record]]\nname = "S"\nfields = [{ name = "B", type = "R", count = 2 }]\n'
    other = TABLE.replace("= 5", "= 6").replace('"R"', '"S"')
    found = load_tables(_written(tmp_path / "x.toml", HEAD + 'extends = ["base.toml"]\n' + more + other))
    assert [table.label for table in found.tables] == ["MT5", "MT6"]
    assert [line.path for line in found.tables[1].describe()] == ["B[]", "B[].A"]
    again = TABLE.replace('"R"', '"S"') + "replace = true\n"
    found = load_tables(_written(tmp_path / "y.toml", HEAD + 'extends = ["base.toml"]\n' + more + again))
    assert [line.path for line in found.tables[0].describe()] == ["B[]", "B[].A"]
    with pytest.raises(TableFileError, match="replace"):
        load_tables(_written(tmp_path / "z.toml", HEAD + 'extends = ["base.toml"]\n' + more + TABLE))
    with pytest.raises(OSError, match="absent"):
        load_tables(_written(tmp_path / "z.toml", HEAD + 'extends = ["absent.toml"]\n'))


def _written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_files_that_extend_each_other_end(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(HEAD + 'extends = ["b.toml"]\n')
    (tmp_path / "b.toml").write_text(HEAD + 'extends = ["a.toml"]\n')
    assert load_tables(tmp_path / "a.toml").tables == ()
    for number in range(60):
        (tmp_path / f"n{number}.toml").write_text(HEAD + f'extends = ["n{number + 1}.toml"]\n')
    with pytest.raises(TableFileError, match="files"):
        load_tables(tmp_path / "n0.toml")


def test_records_that_double_are_refused_at_once(tmp_path: Path) -> None:
    records = '[[record]]\nname = "R0"\nfields = [{ name = "A", type = "UINT8" }]\n'
    for level in range(1, 60):
        inner = f"R{level - 1}"
        fields = f'[{{ name = "A", type = "{inner}" }}, {{ name = "B", type = "{inner}" }}]'
        records += f'[[record]]\nname = "R{level}"\nfields = {fields}\n'
    start = time.process_time()
    with pytest.raises(TableFileError, match="elements"):
        loaded(tmp_path, HEAD + records + TABLE.replace('"R"', '"R59"'))
    assert time.process_time() - start < 5


def test_depth_is_limited(tmp_path: Path) -> None:
    records = '[[record]]\nname = "R0"\nfields = [{ name = "A", type = "UINT8" }]\n'
    for level in range(1, 3000):
        records += f'[[record]]\nname = "R{level}"\nfields = [{{ name = "A", type = "R{level - 1}" }}]\n'
    for order in (records, "[[record]]" + "[[record]]".join(records.split("[[record]]")[:0:-1])):
        with pytest.raises(TableFileError, match="inside each other"):
            loaded(tmp_path, HEAD + order + TABLE.replace('"R"', '"R2999"'))


@pytest.mark.parametrize("octets", [b"[" * 100_000, b"a = " + b"[" * 50_000, b"\xff", b"a = 1" + b"0" * 9000, b"{" * 9])
@pytest.mark.parametrize("name", ["x.toml", "x.json"])
def test_hostile_octets(octets: bytes, name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(octets)
    with pytest.raises(TableFileError):
        load_tables(tmp_path / name)


def test_the_size_is_limited(tmp_path: Path) -> None:
    with pytest.raises(TableFileError, match="more than 1000 octets"):
        load_tables(_written(tmp_path / "x.toml", HEAD + "# " + "x" * 1000), max_octets=1000)


WORDS = [
    "[[table]]",
    "[[record]]",
    "name",
    "type",
    "count",
    "this.A",
    "UINT8",
    "R",
    "5",
    "true",
    "{",
    "}",
    "[",
    '"',
    "=",
    "\n",
]


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_changed_file_is_read_or_refused(demo: Path, tmp_path: Path, data: st.DataObject) -> None:
    text = demo.read_text("utf-8")
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(text)))
        gone = data.draw(st.integers(0, 30))
        text = text[:at] + data.draw(st.sampled_from(WORDS) | st.text(max_size=3)) + text[at + gone :]
    with suppress(TableFileError):
        loaded(tmp_path, text)
