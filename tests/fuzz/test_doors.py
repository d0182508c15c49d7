"""Every door, for a few seconds together; ``C1222_FUZZ_MINUTES`` makes it longer. And what once broke one."""

from __future__ import annotations

import os
from random import Random
from typing import TYPE_CHECKING

import pytest

from tests.fuzz import driver
from tests.fuzz.__main__ import main
from tests.fuzz.driver import CRASHES, Crash, Door, replay, run, save, shrink
from tests.fuzz.mutation import MAX_OCTETS, mutate
from tests.fuzz.table import DOORS, shares

if TYPE_CHECKING:
    from pathlib import Path

MINUTES = float(os.environ.get("C1222_FUZZ_MINUTES", "0.1"))
MOST = None if "C1222_FUZZ_MINUTES" in os.environ else 400
"""Inputs in the plain suite, where the same ones are tried on any machine that is quick enough."""
SECONDS = shares(60 * MINUTES)


@pytest.mark.parametrize("name", DOORS)
def test_nothing_but_documented_errors(name: str) -> None:
    tried, crash = run(DOORS[name], seconds=SECONDS[name], most=MOST)
    assert tried
    if crash is not None:
        smallest = shrink(DOORS[name], crash)
        pytest.fail(f"{smallest.kind}, kept as {save(name, smallest)}: {smallest.octets.hex()}\n{smallest.text}")


@pytest.mark.parametrize("path", sorted(CRASHES.glob("*.bin")), ids=lambda path: path.stem)
def test_what_broke_a_door_breaks_it_no_more(path: Path) -> None:
    crash = replay(DOORS[path.name.rpartition("-")[0]], path.read_bytes())
    assert crash is None, crash.text


@pytest.mark.parametrize("name", ["message", "acse", "epsem", "services", "vectors", "packets", "capture", "node"])
def test_seeds_are_valid_at_least_in_part(name: str) -> None:
    """Without its documented errors a door takes most of its seeds."""
    door = DOORS[name]._replace(errors=())
    seeds = list(door.seeds())
    assert len(seeds) >= 3
    refused = [octets for octets in seeds if replay(door, octets) is not None]
    assert len(refused) < len(seeds) / 2


def test_tables_of_every_decade_are_tried() -> None:
    decades = {last_table(octets) // 10 for octets in DOORS["table"].seeds()}
    assert decades == set(range(17))


def last_table(octets: bytes) -> int:
    at = number = 0
    while at + 3 <= len(octets):
        number = octets[at]
        at += 3 + int.from_bytes(octets[at + 1 : at + 3], "big")
    return number


def broken(octets: bytes) -> None:
    if b"\x80" in octets and b"\xff" in octets[octets.index(b"\x80") :]:
        raise IndexError
    if octets.startswith(b"refused"):
        raise ValueError


WEAK = Door(broken, (ValueError,), lambda: [b"refused", b"some octets to begin with\x80\x7f"])


def test_a_defect_is_found_made_small_and_kept(tmp_path: Path) -> None:
    tried, crash = run(WEAK, seconds=20.0)
    assert crash is not None
    assert 2 < tried < 10_000
    assert run(WEAK, seconds=20.0) == (tried, crash), "the same inputs in the same order"
    smallest = shrink(WEAK, crash)
    assert smallest.octets == b"\x80\xff"
    assert smallest.kind.startswith("IndexError at test_doors.py:")
    assert save("weak", smallest, tmp_path / "kept").read_bytes() == b"\x80\xff"


def test_documented_errors_break_nothing() -> None:
    assert replay(WEAK, b"refused") is None
    assert replay(Door(broken, (), list), b"refused") is not None


def test_time_and_memory_have_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    used = iter([0.0, driver.MAX_SECONDS + 1, 0.0, 0.0])
    memory = iter([0, 0, 0, driver.MAX_MEMORY + 1])
    monkeypatch.setattr(driver.time, "process_time", lambda: next(used))
    monkeypatch.setattr(driver, "_memory", lambda: next(memory))
    door = Door(lambda _octets: None, (), list)
    kinds = [crash.kind for crash in (replay(door, b""), replay(door, b"")) if isinstance(crash, Crash)]
    assert kinds == ["too slow", "too large"]


def test_changes_are_many_and_never_too_long() -> None:
    chance = Random(1)
    seeds = [bytes(range(100)), b"", bytes(MAX_OCTETS)]
    made = [mutate(seeds, chance) for _ in range(500)]
    assert max(map(len, made)) <= MAX_OCTETS
    assert len(set(made)) > 300
    assert mutate(seeds, Random(7)) == mutate(seeds, Random(7))


def test_the_time_is_shared() -> None:
    assert sum(shares(60.0).values()) == pytest.approx(60.0)
    assert shares(60.0, ["url"]) == {"url": pytest.approx(60.0)}


def test_the_command_tries_replays_and_keeps(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def command(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr("sys.argv", ["fuzz", *arguments])
        code = main()
        return code, capsys.readouterr().out

    monkeypatch.setitem(DOORS, "weak", WEAK)
    monkeypatch.setattr("tests.fuzz.__main__.save", lambda name, crash: save(name, crash, tmp_path))
    code, told = command("--door", "url", "--minutes", "0.001", "--seed", "5")
    assert (code, "seed 5" in told, "url" in told) == (0, True, True)
    code, told = command("--door", "weak", "--minutes", "1", "--seed", "5")
    assert code == 1
    (kept,) = tmp_path.iterdir()
    assert f"kept as {kept}" in told
    assert command("--replay", str(kept))[0] == 1
    held = tmp_path / "weak-held.bin"
    held.write_bytes(b"nothing")
    assert command("--replay", str(held)) == (0, "holds\n")
