"""What `write_clear` writes, read by Wireshark without keys, and the original with keys: the same services."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

import c1222
from c1222.capture.files.writer import PcapWriter
from c1222.security.keys import KeyStore
from tests.c1222.capture.cleartext.clear_traffic import answer, connection, fragmented
from tests.traffic import KEY, frames, varied

if TYPE_CHECKING:
    from collections.abc import Iterable

pytestmark = pytest.mark.tshark

ROOT: Final = Path(__file__).parents[2]
SAMPLES: Final = ROOT / "specs" / "captures"
SHARED: Final = ROOT.parent / "shared" / "captures"
SERVICES: Final = (
    "c1222.epsem.edclass",
    "c1222.epsem.data",
    "c1222.cmd",
    "c1222.err",
    "c1222.read.table",
    "c1222.read.offset",
    "c1222.read.count",
    "c1222.write.table",
    "c1222.write.size",
    "c1222.calling_AP_invocation_id",
)
CHECKSUMS: Final = ("ip.checksum.status", "udp.checksum.status", "tcp.checksum.status")
FLAGS: Final = (
    # one sent again is a fast one behind acknowledgements that repeat, and segments that were emptied look like those
    ("tcp.analysis.retransmission", "tcp.analysis.fast_retransmission", "tcp.analysis.spurious_retransmission"),
    ("tcp.analysis.out_of_order",),
    ("tcp.analysis.ack_lost_segment",),
    ("tcp.analysis.lost_segment",),
    ("tcp.analysis.keep_alive",),
)
OTHERS: Final = ("_ws.malformed", "c1222.crypto_good", "frame.comment", "c1222.epsem.flags")
Rows = list[dict[str, str]]
Read = Callable[[Path, KeyStore | None], Rows]


@pytest.fixture
def read(tshark: str, tmp_path: Path) -> Read:
    """Run tshark, with keys or without; give a row a frame."""

    def run(capture: Path, keys: KeyStore | None) -> Rows:
        settings = tmp_path / ".config" / "wireshark"
        settings.mkdir(parents=True, exist_ok=True)
        table = "".join(f'"{key.id}",{key.octets.hex().upper()}\n' for key in keys or ())
        (settings / "c1222_decryption_table").write_text(table)
        names = ("frame.number", *SERVICES, *CHECKSUMS, *chain(*FLAGS), *OTHERS)
        checks = [word for name in ("ip", "udp", "tcp") for word in ("-o", f"{name}.check_checksum:TRUE")]
        out = subprocess.run(
            [
                tshark,
                *("-r", str(capture), "-T", "fields", "-E", "separator=|", "-E", "occurrence=a"),
                *("-o", "c1222.decrypt:TRUE", "-o", "c1222.baseoid:2.16.124.113620.1.22.0", *checks),
                *(word for name in names for word in ("-e", name)),
            ],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / ".config")},
        )
        return [dict(zip(names, line.split("|"), strict=True)) for line in out.stdout.splitlines()]

    return run


def write(path: Path, packets: Iterable[bytes]) -> Path:
    with PcapWriter(path) as writer:
        for number, packet in enumerate(packets):
            writer.write(1_700_000_000_000_000_000 + number * 1_000_000, packet)
    return path


def agree(before: Rows, after: Rows) -> dict[str, int]:
    """Hold the services equal where tshark could open the original; no checksum is wrong, no flag of TCP new."""
    assert len(before) == len(after)
    counts = {"opened": 0, "rewritten": 0, "messages": 0}
    for old, new in zip(before, after, strict=True):
        assert not new["_ws.malformed"] or old["_ws.malformed"], (old, new)
        assert "0" not in "".join(new[name] for name in CHECKSUMS), new  # 0 is bad, 1 good
        for flags in FLAGS:
            assert not any(new[name] for name in flags) or any(old[name] for name in flags), (flags, old, new)
        counts["rewritten"] += "verified" in new["frame.comment"]
        counts["messages"] += bool(new["c1222.epsem.flags"])
        if old["c1222.crypto_good"] == "1" or (old["c1222.epsem.flags"] and not old["c1222.crypto_good"]):
            counts["opened"] += 1
            assert [new[name] for name in SERVICES] == [old[name] for name in SERVICES], (old, new)
    return counts


def test_thousands_of_messages(read: Read, tmp_path: Path) -> None:
    sequences: dict[tuple[str, str], int] = {}
    packets = [packet for at, sent in enumerate(varied(1500)) for packet in frames(sent, sequences, at)]
    capture = write(tmp_path / "varied.pcap", packets)
    clear = tmp_path / "clear.pcap"
    written = c1222.write_clear(capture, clear, keys=KEY, show_secrets=True)
    counts = agree(read(capture, KeyStore([KEY])), read(clear, None))
    assert written.rewritten == written.counters.verified > 900
    assert counts["opened"] > 1200
    assert counts["messages"] > 1400  # several may end in one frame
    assert written.findings() == []


def test_a_connection_with_everything_that_happens_to_one(read: Read, tmp_path: Path) -> None:
    capture = write(tmp_path / "tcp.pcap", connection())
    clear = tmp_path / "clear.pcap"
    written = c1222.write_clear(capture, clear, keys=KEY, show_secrets=True)
    before, after = read(capture, KeyStore([KEY])), read(clear, None)
    agree(before, after)
    assert written.rewritten > 10
    assert any(row["tcp.analysis.retransmission"] or row["tcp.analysis.out_of_order"] for row in before)

    # of segments out of order tshark loses messages of the original; nothing that it shows of that is lost
    def told(rows: Rows) -> list[tuple[str, str]]:
        return [(row["c1222.calling_AP_invocation_id"], row["c1222.epsem.data"]) for row in rows if row["c1222.cmd"]]

    assert set(told(before)) < set(told(after))
    numbers = {number for row in after for number in row["c1222.calling_AP_invocation_id"].split(",") if number}
    assert numbers == {str(message.calling_invocation_id) for message in c1222.decode_capture(capture, keys=KEY)}


@pytest.mark.parametrize(
    ("capture", "keys"),
    [
        *(
            (SAMPLES / f"{name}.pcap", SAMPLES / "keys.toml")
            for name in ("example8", "meters", "registers", "published")
        ),
        *(
            (SHARED / name, SHARED / "keys.toml")
            for name in ("c1222_std_example8.pcap", "c1222overIPv4.cap", "c1222_over_ipv6.pcap")
        ),
    ],
    ids=lambda path: path.stem,
)
def test_captures(read: Read, tmp_path: Path, capture: Path, keys: Path) -> None:
    if not capture.exists():
        pytest.skip("the captures of others are not here")
    store = KeyStore.from_file(keys)
    clear = tmp_path / "clear.pcap"
    written = c1222.write_clear(capture, clear, keys=store, show_secrets=True)
    assert written.rewritten == written.counters.verified > 0
    after = read(clear, None)
    for key in store:  # tshark knows one key for an id: it runs once for every key
        agree(read(capture, KeyStore([key])), after)


@pytest.mark.parametrize("kind", ["ipv4", "ipv6", "ipv6 with options"])
def test_fragments(read: Read, tmp_path: Path, kind: str) -> None:
    capture = write(tmp_path / "fragments.pcap", fragmented(answer(1, 500), kind))
    clear = tmp_path / "clear.pcap"
    assert c1222.write_clear(capture, clear, keys=KEY, show_secrets=True).rewritten == 1
    before, after = read(capture, KeyStore([KEY])), read(clear, None)
    assert agree(before, after) == {"opened": 1, "rewritten": 1, "messages": 1}
