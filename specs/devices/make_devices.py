"""Write the device files of this folder: ``python specs/devices/make_devices.py [folder]``.

They are made, not measured: a load curve from a seed, and c1219's encoders. The same files come out every time.
"""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1])]

import big_endian  # noqa: E402
import polyphase_tou  # noqa: E402
import single_phase  # noqa: E402

PROFILES = {
    "single-phase": single_phase.build,
    "polyphase-tou": polyphase_tou.build,
    "big-endian": big_endian.build,
}


def main(folder: Path = HERE) -> None:
    """Write all device files into a folder."""
    for name, build in PROFILES.items():
        path = folder / f"{name}.json"
        path.write_text(build().to_json(), encoding="ascii", newline="\n")
        sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))
