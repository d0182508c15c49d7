"""A simulated meter, and a file that names it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from c1222.node import RunningNode, running

ROOT = Path(__file__).parents[3]
KEY = bytes.fromhex("01020304050607080102030405060708")

MetersFile = Callable[..., Path]


@pytest.fixture(scope="session")
def simulated() -> Iterator[RunningNode]:
    """A node that runs, with keys."""
    profile = ROOT / "specs" / "devices" / "polyphase-tou.json"
    with running(profile, keys={2: KEY}, history_days=1) as node:
        yield node


@pytest.fixture
def meters_file(tmp_path: Path) -> MetersFile:
    """Write a file of meters, private or not, with the key beside it."""

    def write(text: str, *, mode: int = 0o644, **more: str) -> Path:
        for name, content in {"keys.toml": f'[[key]]\nid = 2\nhex = "{KEY.hex()}"\n', **more}.items():
            path = tmp_path / name.replace("_csv", ".csv")
            path.write_text(content, "utf-8")
            path.chmod(mode)
        path = tmp_path / "meters.toml"
        path.write_text(text, "utf-8")
        path.chmod(mode)
        return path

    return write
