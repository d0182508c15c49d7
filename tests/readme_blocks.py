"""The shell blocks of the README, run in order in one folder, as a newcomer pastes them: python tests/readme_blocks.py

Uses the c1222 on PATH and nothing but the standard library, so that it can run beside an installed wheel.
"""

from __future__ import annotations

import contextlib
import os
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

README = Path(__file__).parent.parent / "README.md"
DEADLINE = 120.0
"""Seconds for a block to end, or for a server to listen."""
_NOT_HERE = {
    "python3 -m venv": "makes an environment, of which this is part",
    "tcpdump": "needs traffic on the network, and the right to hear it",
}
"""How blocks begin that are not run here, and why."""
_SERVER = "c1222 node"
"""How blocks begin that run until they are interrupted."""


def blocks() -> list[str]:
    """Return the shell blocks in order."""
    return re.findall(r"^```sh\n(.*?)^```$", README.read_text("utf-8"), re.DOTALL | re.MULTILINE)


def why_not(block: str) -> str | None:
    """Return why a block is not run here; None if it is."""
    return next((reason for begin, reason in _NOT_HERE.items() if block.startswith(begin)), None)


def run(folder: Path, port: int = 1153) -> list[tuple[str, str]]:
    """Run the blocks after the demonstration that the first one ends with, and return each with what it printed.

    Args:
        folder: an empty one.
        port: free for a server, in place of the 1153 of the README.

    Raises:
        RuntimeError: a block failed; the text has what it printed.
    """
    first, *rest = blocks()
    done = []
    with contextlib.ExitStack() as servers:
        for block in [first.split("&&")[-1].strip(), *(block for block in rest if why_not(block) is None)]:
            given = block.replace(":1153", f":{port}")
            if block.startswith(_SERVER):
                servers.enter_context(_serving(given, folder))
                done.append((block, ""))
            else:
                done.append((block, _ended(given, folder)))
    return done


def _ended(block: str, folder: Path) -> str:
    end = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    if end.returncode or "Traceback" in end.stderr:
        raise RuntimeError(f"{block}\nexit code {end.returncode}\n{end.stdout}\n{end.stderr}")
    return end.stdout


@contextlib.contextmanager
def _serving(block: str, folder: Path):
    with subprocess.Popen(["bash", "-c", f"exec {block}"], cwd=folder, stdout=subprocess.PIPE, bufsize=0) as process:
        try:
            said = b""
            end = time.monotonic() + DEADLINE
            while b"listening on" not in said:
                ready, _, _ = select.select([process.stdout], [], [], max(end - time.monotonic(), 0.0))
                octets = os.read(process.stdout.fileno(), 4096) if ready else b""
                if not octets:
                    raise RuntimeError(f"{block}\ndoes not listen: {said.decode()}")
                said += octets
            yield
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(DEADLINE)


if __name__ == "__main__":
    for ran, shown in run(Path.cwd()):
        sys.stdout.write(f"{ran.strip()}\n{len(shown.splitlines())} lines\n")
