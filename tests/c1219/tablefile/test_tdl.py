"""Documents of the Table Definition Language are recognised, and nothing in them is resolved."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from c1219.errors import TableFileError
from c1219.tablefile.loading import load_tables
from c1219.tablefile.tdl import MAX_CANDIDATES, tdl_words

if TYPE_CHECKING:
    from pathlib import Path

OPENING = b"""<?xml version="1.0"?>
<!-- a remark -->
<tdl xmlns="http://www.nema.org/1997/C1219TDLSchema" xmlns:xi="http://www.w3.org/2001/XInclude">
  <decade name="EXT_UDT_DEC" number="14" label="Extended User Defined Tables">
    <description>words</description>
"""


def test_what_is_certain_is_told() -> None:
    words = tdl_words(OPENING)
    assert words is not None
    assert "namespace http://www.nema.org/1997/C1219TDLSchema" in words
    assert "decade 14 EXT_UDT_DEC (Extended User Defined Tables)" in words
    assert "not read" in words


def test_the_loader_says_so(tmp_path: Path) -> None:
    path = tmp_path / "meter.toml"
    path.write_bytes(OPENING)
    with pytest.raises(TableFileError, match="Table Definition Language"):
        load_tables(path)


@pytest.mark.parametrize(
    "octets",
    [
        b"", b"format = 1", b"<feed/>", b"<tdlx/>", b"<!-- <tdl> -->", b"\xff\xfe<", b"x<tdl>",
        (b'<!DOCTYPE tdl [<!ENTITY a "b">]>' + b"<other/>"),
    ],
)  # fmt: skip
def test_others_are_none(octets: bytes) -> None:
    assert tdl_words(octets) is None


def test_entities_stay_as_they_are() -> None:
    laughs = b'<!DOCTYPE tdl [<!ENTITY a "boo"><!ENTITY b "&a;&a;">]><tdl><decade name="&b;" number="1"/></tdl>'
    words = tdl_words(laughs)
    assert words is not None
    assert "&b;" in words


def test_what_is_told_is_limited() -> None:
    words = tdl_words(b"<edl>" + b'<table name="A" number="1"/>' * 50_000)
    assert words is not None
    assert words.startswith("a document in the Exchange Data Language")
    assert words.count("table 1 A") == MAX_CANDIDATES
    assert tdl_words(b"<!-- " * 200_000) is None
