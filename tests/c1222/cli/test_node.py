"""``c1222 node``: what it prints, what it refuses, how it ends."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Self

import pytest

from c1222.cli.node import _tell
from c1222.node.settings import STORE_FILE
from c1222.node.store.sqlite import SQLiteStore
from c1222.protocol.events import Completed, VectorsAhead
from c1222.protocol.identity import Identity
from c1222.protocol.initiator.initiator import Initiator
from c1222.services import session, tables
from c1222.services.identify import IdentifyRequest
from c1222.transport.schemes import parse_url
from c1222.transport.udp import UdpClient
from tests.c1222.node.rig import SINGLE, Rig, profile

if TYPE_CHECKING:
    from pathlib import Path

KEY = bytes(range(16))
COMMAND = [sys.executable, "-c", "from c1222.cli import main; main()", "node"]


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    path = tmp_path / "keys.toml"
    path.write_text(f'[[key]]\nid = 2\nhex = "{KEY.hex()}"\n')
    return path


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *map(str, arguments)], capture_output=True, text=True, timeout=30, check=False)


class Started:
    """A node that runs until the end of the block, and is interrupted then."""

    def __init__(self, *arguments: str | Path, listen: int = 1) -> None:
        self.process = subprocess.Popen(
            [*COMMAND, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.listen = listen
        self.err = ""

    def __enter__(self) -> Self:
        assert self.process.stdout
        lines = [self.process.stdout.readline() for _ in range(self.listen)]
        self.urls = [line.removeprefix("listening on ").strip() for line in lines]
        return self

    def __exit__(self, *_: object) -> None:
        self.process.send_signal(signal.SIGINT)
        _, self.err = self.process.communicate(timeout=20)

    def ask(self, called: str, *services: object, secured: bool = False) -> object:
        url = parse_url(self.urls[0])
        options = {"mode": 2, "key_id": 2} if secured else {}
        initiator = Initiator(Identity(".9.1", {2: KEY}), called, **options)
        with UdpClient(url.host, url.port) as endpoint:
            initiator.request(*services, now=time.monotonic(), utc=time.time())
            for apdu in initiator.apdus_to_send():
                endpoint.send(apdu)
            octets = endpoint.receive(1.0)
            if octets is None:
                return None
            initiator.receive(octets, now=time.monotonic(), utc=time.time())
        return next(event.responses[-1] for event in initiator.events() if isinstance(event, Completed))


def test_a_sample_is_served_until_it_is_interrupted(keys: Path, tmp_path: Path) -> None:
    arguments = ("--profile", "sample:polyphase-tou", "--listen", "udp://127.0.0.1:0", "--listen", "tcp://127.0.0.1:0")
    with Started(*arguments, "--keys", keys, "--count", "3", "--store", tmp_path / "store", listen=2) as node:
        assert [url.partition(":")[0] for url in node.urls] == ["udp", "tcp"]
        response = node.ask(".123.8439", IdentifyRequest(), secured=True)
        assert response.features[-1].text == "METER-008439"
        assert node.ask(".123.8437", IdentifyRequest()) is None, "cleartext is refused"
    assert node.process.returncode == 0
    assert "3 meters, .123.8437 to .123.8439" in node.err
    assert "received 2" in node.err
    assert "cleartext 1" in node.err
    assert (tmp_path / "store" / "meters.sqlite").exists()


def test_cleartext_can_be_allowed_titles_given_and_meters_frozen(keys: Path) -> None:
    arguments = ("--profile", "sample:single-phase", "--listen", "udp://127.0.0.1:0", "--keys", keys)
    with Started(*arguments, "--allow-cleartext", "--title", ".7.7", "--frozen") as node:
        assert node.ask(".123.8401", tables.ReadRequest(1)) is None, "it has another title"
        clock = [node.ask(".7.7", session.SecurityRequest.of("reader-demo", 2), tables.ReadRequest(52)).data]
        time.sleep(1.1)
        clock.append(node.ask(".7.7", session.SecurityRequest.of("reader-demo", 2), tables.ReadRequest(52)).data)
        assert clock == [profile(SINGLE).tables["ST52"]] * 2, "as in the profile, and it stands still"


def test_faults_and_acceleration(tmp_path: Path) -> None:
    plan = tmp_path / "plan.toml"
    plan.write_text('[[fault]]\nkind = "wrong-checksum"\n')
    arguments = ("--profile", "sample:single-phase", "--listen", "udp://127.0.0.1:0", "--faults", plan)
    with Started(*arguments, "--accelerate", "3600", "--seed", "5") as node:
        assert not node.ask(".123.8401", tables.ReadRequest(1)).checksum_ok


def test_meters_register_with_a_relay() -> None:
    with Started("--as-relay", "--title", ".1", "--listen", "udp://127.0.0.1:0") as relay:
        arguments = ("--profile", "sample:single-phase", "--listen", "udp://127.0.0.1:0", "--register", relay.urls[0])
        with Started(*arguments, "--relay-title", ".1", "--notify", relay.urls[0], "--host-title", ".1"):
            for _ in range(50):
                response = relay.ask(".123.8401", tables.ReadRequest(0))
                if isinstance(response, tables.ReadResponse):
                    break
                time.sleep(0.1)
            assert isinstance(response, tables.ReadResponse), "the relay passes it on"
    assert relay.process.returncode == 0
    assert "registered 1" in relay.err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "--profile"),
        (["--profile", "sample:"], "samples: big-endian, polyphase-tou, single-phase"),
        (["--profile", "sample:none"], "there is no sample 'none'"),
        (["--profile", "no-such-file.json"], "no-such-file.json"),
        (["--profile", "sample:single-phase", "--listen", "ftp://x"], "not an address"),
        (
            ["--profile", "sample:single-phase", "--listen", "udp://192.0.2.1:1"],
            "192.0.2.1:1: Cannot assign requested address",
        ),
        (["--profile", "sample:single-phase", "--keys", "no-keys.toml"], "no-keys.toml"),
        (["--profile", "sample:single-phase", "--faults", "no-plan.toml"], "no-plan.toml"),
        (["--profile", "sample:single-phase", "--title", "x"], "x"),
        (["--profile", "sample:single-phase", "--notify", "udp://127.0.0.1"], "--host-title"),
        (["--profile", "sample:single-phase", "--count", "0"], "count"),
        (["--profile", "sample:single-phase", "--accelerate", "0"], "accelerate"),
        (["--profile", "sample:single-phase", "--count", "100001", "--listen", "udp://127.0.0.1:0"], "100000"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_what_cannot_be_done_is_said_in_a_line_and_ends_with_2(arguments: list[str], says: str) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_damaged_store_is_said_in_a_line_and_ends_with_2(tmp_path: Path) -> None:
    with SQLiteStore(tmp_path / STORE_FILE) as store:
        store.put(str(profile(SINGLE).title_of(0).absolute()), {"#state": b"{"})
    done = run("--profile", "sample:single-phase", "--store", str(tmp_path), "--listen", "udp://127.0.0.1:0")
    assert (done.returncode, done.stdout) == (2, "")
    assert "is damaged" in done.stderr
    assert "Traceback" not in done.stderr


def test_vectors_ahead_of_the_clock_are_said(capsys: pytest.CaptureFixture[str]) -> None:
    _tell(VectorsAhead(2, 86_400), Rig().meter)
    assert "the vectors under key 2 are 86400 s ahead of the clock" in capsys.readouterr().err


def test_help() -> None:
    done = run("--help")
    assert done.returncode == 0
    for option in (
        "--profile",
        "--listen",
        "--keys",
        "--store",
        "--faults",
        "--count",
        "--accelerate",
        "--allow-cleartext",
    ):
        assert option in done.stdout


def test_the_file_of_meters_of_a_fleet(tmp_path: Path) -> None:
    import tomllib

    from c1222.collect import Meters

    keys = tmp_path / "keys.toml"
    keys.write_text('[[key]]\nid = 2\nhex = "01020304050607080102030405060708"\n', "utf-8")
    listed = tmp_path / "meters.toml"
    options = [
        "--profile",
        "sample:polyphase-tou",
        "--listen",
        "udp://127.0.0.1:0",
        "--keys",
        str(keys),
        "--count",
        "12",
        "--frozen",
    ]
    with subprocess.Popen([*COMMAND, *options, "--write-meters", str(listed)], stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().decode().split()[-1]
            content = tomllib.loads(listed.read_text("utf-8"))
            assert content["defaults"]["url"] == url
            assert [one["name"] for one in content["meter"]] == [f"meter-{number:02}" for number in range(1, 13)]
            meters = Meters.load(listed, environ={"C1222_PASSWORD": "reader-demo"})
            with meters["meter-12"].connect() as meter:
                assert meter.read("ST1.MFG_SERIAL_NUMBER").strip().endswith("5689")
        finally:
            process.terminate()
