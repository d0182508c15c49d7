"""A simulated meter for the commands that talk to one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from c1222.cli.connection import PASSWORD_VARIABLE
from c1222.node import RunningNode, running

ROOT = Path(__file__).parents[3]
KEY = bytes.fromhex("01020304050607080102030405060708")

Talk = Callable[..., Result]


@pytest.fixture(scope="session")
def simulated() -> Iterator[RunningNode]:
    """A node that runs, with keys and cleartext allowed."""
    profile = ROOT / "specs" / "devices" / "polyphase-tou.json"
    with running(profile, keys={2: KEY}, cleartext=True, history_days=1) as node:
        yield node


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A file of its key."""
    path = tmp_path_factory.mktemp("keys") / "keys.toml"
    path.write_text(f'[[key]]\nid = 2\nhex = "{KEY.hex()}"\n', "utf-8")
    return str(path)


@pytest.fixture
def talk(simulated: RunningNode, keys: str, request: pytest.FixtureRequest) -> Talk:
    """Run a command against the node; its options go before the arguments of the command."""
    calling = f".9.{abs(hash(request.node.name)) % 100000}"

    def run(
        name: str,
        *arguments: str,
        options: tuple[str, ...] = (),
        password: str | None = "master-demo",
        secured: bool = True,
        url: str | None = None,
        **more: object,
    ) -> Result:
        command = import_module(f"c1222.cli.{name}").command
        given = ["--called", simulated.title, "--calling", calling, *(("--keys", keys) if secured else ()), *options]
        environment = {PASSWORD_VARIABLE: password}
        return CliRunner().invoke(command, [*given, url or simulated.url, *arguments], env=environment, **more)  # type: ignore[arg-type]

    return run
