"""The sample captures: made again octet by octet, and read as the published messages are."""

import subprocess
import sys
from pathlib import Path

import pytest

from c1222 import KeyStore
from c1222.capture.decoder import CaptureDecoder
from tests.c1222.message.known import ENTRIES

ROOT = Path(__file__).parents[3]
SAMPLES = ROOT / "specs" / "captures"
SHARED = ROOT.parent / "shared" / "captures"
REAL = ("c1222_std_example8.pcap", "c1222overIPv4.cap", "c1222_over_ipv6.pcap")


def test_they_are_made_again_octet_by_octet(tmp_path: Path) -> None:
    subprocess.run([sys.executable, str(SAMPLES / "make_captures.py"), str(tmp_path)], check=True, cwd=ROOT)
    made = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert made == {path.name: path.read_bytes() for path in SAMPLES.glob("*.pcap")}
    assert len(made) == 4


@pytest.mark.parametrize(
    ("name", "messages", "verified"),
    [("example8", 2, 2), ("meters", 4, 4), ("published", 19, 17), ("registers", 80, 80)],
)
def test_all_of_their_messages_are_verified(name: str, messages: int, verified: int) -> None:
    decoder = CaptureDecoder(SAMPLES / f"{name}.pcap", keys=KeyStore.from_file(SAMPLES / "keys.toml"))
    seen = list(decoder)
    # the request to one of the generated responses is not published
    assert {finding.code for message in seen for finding in message.findings} <= {"no-request"}
    assert len(seen) == messages
    assert (decoder.counters.messages, decoder.counters.verified) == (messages, verified)
    assert decoder.counters.cleartext == messages - verified
    assert decoder.findings() == []
    decoder.close()


def test_the_published_messages_say_what_is_published() -> None:
    decoder = CaptureDecoder(SAMPLES / "published.pcap", keys=KeyStore.from_file(SAMPLES / "keys.toml"))
    by_octets = {message.octets: message for message in decoder}
    entries = [entry for entry in ENTRIES if "segments" not in entry]
    assert len(entries) == 17
    for entry in entries:
        message = by_octets[bytes.fromhex(entry["octets"])]
        assert (str(message.called), str(message.calling)) == (entry["called"], entry["calling"])
        assert message.calling_invocation_id == entry["calling_invocation_id"]
        assert message.called_invocation_id == entry["called_invocation_id"]
        assert (message.security_mode, message.key_id) == (entry["mode"], entry["key_id"])
        assert (message.iv.hex() if message.iv else None) == entry["iv"]
        assert message.body.hex() == entry["plaintext"]
        assert [octets.hex() for octets in message.service_octets] == entry["services"]
        assert message.authenticated is (True if entry["mode"] else None)


@pytest.mark.parametrize("name", REAL)
def test_the_two_messages_of_each_real_capture(name: str) -> None:
    if not SHARED.is_dir():
        pytest.skip("the captures of others are not here")
    decoder = CaptureDecoder(SHARED / name, keys=KeyStore.from_file(SHARED / "keys.toml"))
    request, response = decoder
    assert (request.authenticated, response.authenticated) == (True, True)
    assert (request.findings, response.findings) == ((), ())
    assert (request.reply_to, response.reply_to) == (None, request.frame)
    assert not any(finding.level == "error" for finding in decoder.findings())
    assert response.services[-1].as_dict()["checksum_ok"] is True
