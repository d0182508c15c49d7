"""Try the doors for as long as wanted: ``python -m tests.fuzz --minutes 60``.

What breaks one is made small, printed, and kept in ``tests/fuzz/crashes``, from where the tests try it again.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from tests.fuzz.driver import Door, replay, run, save, shrink
from tests.fuzz.table import DOORS, shares


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Try every door with changed inputs.")
    parser.add_argument("--minutes", type=float, default=3.0, help="all doors together (default 3)")
    parser.add_argument("--door", action="append", choices=sorted(DOORS), help="only this one; may be given again")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="of chance; that of the clock by default")
    parser.add_argument("--replay", type=Path, metavar="FILE", help="try a kept input again: DOOR-….bin")
    parser.add_argument("--atheris", choices=sorted(DOORS), metavar="DOOR", help="let atheris choose the changes")
    chosen, rest = parser.parse_known_args()
    if rest and not chosen.atheris:
        parser.error(f"unknown: {' '.join(rest)}")
    if chosen.replay:
        return again(chosen.replay)
    if chosen.atheris:
        return with_atheris(DOORS[chosen.atheris], rest)
    print(f"seed {chosen.seed}")
    broken = 0
    for name, seconds in shares(60 * chosen.minutes, chosen.door).items():
        tried, crash = run(DOORS[name], seconds=seconds, seed=chosen.seed)
        print(f"{name:12} {tried:9,} inputs in {seconds:.0f} s", flush=True)
        if crash is not None:
            broken += 1
            smallest = shrink(DOORS[name], crash)
            print(f"{smallest.text}\n{name}: {smallest.kind}; kept as {save(name, smallest)}", flush=True)
    return 1 if broken else 0


def again(path: Path) -> int:
    """Try a kept input again."""
    crash = replay(DOORS[path.name.rpartition("-")[0]], path.read_bytes())
    print("holds" if crash is None else crash.text)
    return 0 if crash is None else 1


def with_atheris(door: Door, arguments: list[str]) -> int:
    """Hand a door to atheris, which must be installed; the rest of the command line is its own."""
    try:
        import atheris  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        print("atheris is not installed", file=sys.stderr)
        return 2

    def one(octets: bytes) -> None:
        crash = replay(door, octets)
        if crash is not None:
            raise AssertionError(crash.text)

    atheris.instrument_all()
    atheris.Setup([sys.argv[0], *arguments], one)
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
