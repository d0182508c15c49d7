"""``c1222 identify``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.c1222.cli.conftest import Talk


def test_what_it_speaks_and_can_do(talk: Talk) -> None:
    result = talk("identify", password=None)
    assert result.exit_code == 0, result.stderr
    lines = [line.split() for line in result.stdout.splitlines()]
    assert ["standard", "3"] in lines
    assert any(line[-1] == "METER-008437" for line in lines)
    assert [line[-1] for line in lines if line[0].endswith(".device_class")] == [b"DEMO".hex()]


def test_with_its_tables(talk: Talk) -> None:
    result = talk("identify", options=("--tables", "--format", "json"))
    shown = json.loads(result.stdout)
    assert shown["identify"]["standard"] == 3
    assert shown["identity"]["model"] == "POLY-TOU"
    assert set(json.loads(talk("identify", options=("--format", "json")).stdout)) == {"identify"}
    assert "POLY-TOU" in talk("identify", options=("--tables",)).stdout
