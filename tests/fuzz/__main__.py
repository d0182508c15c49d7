"""Try the doors for as long as wanted: ``python -m tests.fuzz --minutes 60``.

What breaks one is made small, printed, and kept in ``tests/fuzz/crashes``, from where the tests try it again.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path

ATHERIS = "--atheris" in sys.argv
if ATHERIS:
    try:
        import atheris
    except ImportError:
        sys.exit("atheris is not installed")

# What atheris has to see must be instrumented as it is imported: our packages, and nothing of the libraries.
with atheris.instrument_imports(include=["c1219", "c1222"]) if ATHERIS else nullcontext():
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
        return with_atheris(chosen.atheris, rest)
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


def with_atheris(name: str, arguments: list[str]) -> int:
    """Hand a door to atheris, with its seeds to begin with; the rest of the command line is atheris's own."""
    door: Door = DOORS[name]

    def one(octets: bytes) -> None:
        crash = replay(door, octets)
        if crash is not None:
            print(f"{crash.text}\n{name}: {crash.kind}; kept as {save(name, crash)}", flush=True)
            raise AssertionError(crash.kind)

    with tempfile.TemporaryDirectory() as corpus:
        for number, seed in enumerate(door.seeds()):
            Path(corpus, f"seed-{number}").write_bytes(seed)
        atheris.Setup([sys.argv[0], *arguments, corpus], one)
        atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
