"""Tries doors with changed inputs, within limits of time and memory, and keeps what breaks one."""

from __future__ import annotations

import hashlib
import resource
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Final, NamedTuple

from tests.fuzz.mutation import mutate

if TYPE_CHECKING:
    from types import FrameType

__all__ = ["CRASHES", "MAX_MEMORY", "MAX_SECONDS", "Crash", "Door", "replay", "run", "save", "shrink"]

MAX_SECONDS: Final = 10.0
"""Processor time for one input; a machine under load is no reason to fail."""
MAX_MEMORY: Final = 128 << 20
"""Octets by which one input may make the process larger than it ever was."""
CRASHES: Final = Path(__file__).parent / "crashes"
_SHRINK_SECONDS: Final = 30.0


class Door(NamedTuple):
    """A place where octets come in.

    Attributes:
        one: tries an input. What is documented for it, it returns from; assertions are its own.
        errors: the documented errors.
        seeds: makes valid inputs.
        share: how much of the time it is given, 1 being usual.
    """

    one: Callable[[bytes], object]
    errors: tuple[type[Exception], ...]
    seeds: Callable[[], Sequence[bytes]]
    share: float = 1.0


class Crash(NamedTuple):
    """An input that broke a door.

    Attributes:
        octets: the input.
        kind: name of the error, and where it was raised: equal for two inputs that show one defect.
        text: traceback, for people.
    """

    octets: bytes
    kind: str
    text: str


class TooMuch(AssertionError):
    """An input took more time or memory than it may."""


def run(door: Door, *, seconds: float, seed: int = 1, most: int | None = None) -> tuple[int, Crash | None]:
    """Try a door with its seeds, then with changed ones.

    Args:
        door: which.
        seconds: how long, of processor time; each seed is tried in any case.
        seed: of chance: the same inputs come in the same order.
        most: inputs at most.

    Returns:
        How many inputs were tried, and the first one that broke it.
    """
    chance = Random(seed)
    seeds = list(door.seeds())
    end = time.process_time() + seconds
    tried = 0
    while tried < len(seeds) or (time.process_time() < end and (most is None or tried < most)):
        octets = seeds[tried] if tried < len(seeds) else mutate(seeds, chance)
        tried += 1
        crash = replay(door, octets)
        if crash is not None:
            return tried, crash
    return tried, None


def replay(door: Door, octets: bytes) -> Crash | None:
    """Try one input; return what broke, if anything did."""
    before, start = _memory(), time.process_time()
    try:
        door.one(octets)
    except door.errors:
        pass
    except Exception as error:  # noqa: BLE001 - any other is the defect that is looked for
        return Crash(octets, _kind(error), traceback.format_exc())
    seconds, more = time.process_time() - start, _memory() - before
    if seconds > MAX_SECONDS:
        return Crash(octets, "too slow", f"{seconds:.1f} s for {len(octets)} octets")
    if more > MAX_MEMORY:
        return Crash(octets, "too large", f"{more >> 20} MiB for {len(octets)} octets")
    return None


def _memory() -> int:
    """Return the most memory this process ever had, octets."""
    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return size if sys.platform == "darwin" else size << 10


def _kind(error: Exception) -> str:
    frame: FrameType | None = None
    line = 0
    trace = error.__traceback__
    while trace is not None:
        frame, line, trace = trace.tb_frame, trace.tb_lineno, trace.tb_next
    assert frame is not None
    return f"{type(error).__name__} at {Path(frame.f_code.co_filename).name}:{line}"


def shrink(door: Door, crash: Crash) -> Crash:
    """Return the same defect with as few octets as can be found in half a minute: parts left out, octets made zero."""
    best = crash
    end = time.monotonic() + _SHRINK_SECONDS
    size = len(best.octets) // 2
    while size and time.monotonic() < end:
        at = 0
        while at < len(best.octets) and time.monotonic() < end:
            smaller = best.octets[:at] + best.octets[at + size :]
            found = replay(door, smaller)
            if found is not None and found.kind == crash.kind:
                best = found
            else:
                at += size
        size //= 2
    for at in range(len(best.octets)):
        if time.monotonic() > end:
            break
        zeroed = best.octets[:at] + b"\0" + best.octets[at + 1 :]
        found = replay(door, zeroed) if zeroed != best.octets else None
        if found is not None and found.kind == crash.kind:
            best = found
    return best


def save(name: str, crash: Crash, folder: Path = CRASHES) -> Path:
    """Write an input to a file to replay, named after the door."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}-{hashlib.sha256(crash.octets).hexdigest()[:12]}.bin"
    path.write_bytes(crash.octets)
    return path
