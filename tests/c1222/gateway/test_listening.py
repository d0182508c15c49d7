"""The gateway on TCP: several clients, strangers, a live meter, and the command."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from c1219.cosem.data import Data, DataType
from c1222 import connect
from c1222.cli.gateway import command
from c1222.errors import InvalidUrl, Unreachable
from c1222.gateway.listening import Gateway, listen_address
from c1222.gateway.sources import file_source, live_source
from c1222.node import running
from tests.c1219.cosem.cases import SPECS, sample
from tests.c1222.gateway.dlms_client import AARQ, TcpClient, get, value

POLY = file_source(sample("polyphase-tou"))


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with Gateway(POLY, port=0, max_clients=3, idle_timeout=5.0) as one:
        thread = threading.Thread(target=one.serve)
        thread.start()
        yield one
    thread.join(5)
    assert not thread.is_alive()


def test_clients_side_by_side(gateway: Gateway) -> None:
    with TcpClient(gateway.address) as one, TcpClient(gateway.address) as two:
        for client in (one, two):
            assert client.ask(AARQ)[0] == 0x61
        assert value(one.ask, get(3, "1.0.1.8.0.255", 2)) == Data(DataType.UINT64, 388381680)
        assert value(two.ask, get(3, "1.0.1.8.0.255", 2)) == Data(DataType.UINT64, 388381680)
        assert two.ask(bytes.fromhex("6200")) == bytes.fromhex("6303800100")
        assert value(one.ask, get(26, "0.0.65.0.64.255", 4)) == Data(
            DataType.OCTET_STRING, sample("polyphase-tou")[64].raw
        )


@pytest.mark.parametrize(
    "octets",
    [b"\0\2", b"GET / HTTP/1.1\r\n", bytes.fromhex("00010010000160ff"), bytes.fromhex("000100100001000360ffff")],
)
def test_strangers_are_closed(gateway: Gateway, octets: bytes) -> None:
    with socket.create_connection(gateway.address, 5) as client:
        client.sendall(octets)
        with contextlib.suppress(ConnectionResetError):
            assert client.recv(100) == b""


def test_who_is_silent_is_closed_and_too_many_are_not_taken() -> None:
    with Gateway(POLY, port=0, max_clients=1, idle_timeout=0.5) as gateway:
        threading.Thread(target=gateway.serve, daemon=True).start()
        with socket.create_connection(gateway.address, 5) as client:
            client.sendall(b"\0\1\0\x10")
            time.sleep(0.1)
            with socket.create_connection(gateway.address, 5) as other:
                assert other.recv(1) == b""
            began = time.monotonic()
            while time.monotonic() - began < 3:  # octets do not move the deadline
                client.sendall(b"\0") if time.monotonic() - began < 0.3 else None
                client.settimeout(0.1)
                try:
                    if client.recv(1) == b"":
                        break
                except TimeoutError:
                    continue
                except ConnectionResetError:
                    break
            assert time.monotonic() - began < 2


def test_addresses() -> None:
    assert listen_address("dlms+tcp://127.0.0.1:4059") == ("127.0.0.1", 4059)
    assert listen_address("DLMS+TCP://[::1]:1") == ("::1", 1)
    assert listen_address("dlms+tcp://localhost") == ("localhost", 4059)
    assert listen_address("dlms+tcp://0.0.0.0:1", anywhere=True) == ("0.0.0.0", 1)
    for text in ("dlms+tcp://0.0.0.0:1", "dlms+tcp://192.0.2.1", "tcp://127.0.0.1:1", "dlms+tcp://127.0.0.1:x", "dlms+tcp://",
                 "dlms+tcp://127.0.0.1:70000"):  # fmt: skip
        with pytest.raises(InvalidUrl):
            listen_address(text)


def test_a_port_that_is_taken(gateway: Gateway) -> None:
    with pytest.raises(Unreachable):
        Gateway(POLY, port=gateway.address[1])


def test_a_live_meter() -> None:
    with (
        running(SPECS / "devices/polyphase-tou.json", simulate=False) as node,
        connect(node.url, called=node.title, calling=".9.4059", user_id=2, password="master-demo") as meter,
    ):
        source = live_source(meter)
        with Gateway(source, port=0) as gateway:
            threading.Thread(target=gateway.serve, daemon=True).start()
            with TcpClient(gateway.address) as client:
                assert client.ask(AARQ)[0] == 0x61
                assert value(client.ask, get(3, "1.0.1.8.0.255", 2)) == Data(DataType.UINT64, 388381680)
                raw = value(client.ask, get(26, "0.0.65.0.1.255", 4))
                assert raw == Data(DataType.OCTET_STRING, sample("polyphase-tou")[1].raw)
                rows = value(client.ask, get(7, "1.0.99.1.0.255", 2))
                assert isinstance(rows, Data)
                assert len(rows.value) == len(sample("polyphase-tou").load_profile(1).rows) // 4
                assert value(client.ask, get(26, "0.0.65.0.42.255", 4)) == 4, "passwords are not for reading"


def test_the_list_of_objects() -> None:
    result = CliRunner().invoke(command, ["sample:single-phase", "--objects"])
    assert result.exit_code == 0
    shown = json.loads(result.stdout)
    schema = json.loads((SPECS / "cosem-objects.schema.json").read_text("utf-8"))
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(shown)
    assert "1.0.1.8.0.255" in {one["obis"] for one in shown["objects"]}


def test_the_command_serves_until_it_is_ended() -> None:
    program = [sys.executable, "-c", "from c1222.cli import main; main()"]
    with subprocess.Popen(
        [*program, "gateway", "sample:single-phase", "--listen", "dlms+tcp://127.0.0.1:0"],
        stdout=subprocess.PIPE,
        text=True,
        stderr=subprocess.DEVNULL,
    ) as server:
        try:
            assert server.stdout is not None
            line = server.stdout.readline()
            assert line.startswith("listening on dlms+tcp://127.0.0.1:")
            with TcpClient(("127.0.0.1", int(line.rpartition(":")[2]))) as client:
                client.ask(AARQ)
                assert value(client.ask, get(3, "1.0.1.8.0.255", 2)) == Data(DataType.FLOAT64, 1857983.5)
        finally:
            server.terminate()
        assert server.wait(10) == 0


def test_other_addresses_are_asked_for() -> None:
    result = CliRunner().invoke(command, ["sample:single-phase", "--listen", "dlms+tcp://0.0.0.0:0"])
    assert result.exit_code == 2
    assert "--anywhere" in result.stderr
