"""Wireshark's dissector and ours read the same in every message: titles, numbers, key, vector, verdict, services.

What is left out are defects of tshark 4.0.17, each with its condition and its name where it is left out:

- W1: a right MAC is called bad where the EPSEM string has 124 to 127 or 250 to 255 octets.
- W2: a message of a session, without an authentication value of its own, is called bad.
- W3: segments are malformed, and nothing is reassembled.
- W4: with an indirect reference in the user information, the services are not dissected.
- W5: parameters of some services and data of all responses are not dissected; their octets are, and are compared.
- W6: the base of relative titles is not known until a preference gives it, which every run here does.
- W7: responses are not read by their requests; only octets are compared.
- W8: a canonical header of more than 300 octets has no room.
- W9: how it compares the MAC; nothing is seen of that from outside.

One more is in no list of these: an arc of an object identifier above 2^32 - 1 is shown as a malformed one.
"""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from c1222 import Key, KeyStore, Message, encode
from c1222.capture.decoder import CaptureDecoder, CapturedMessage
from c1222.capture.files.writer import PcapWriter, udp_packet
from c1222.message.aptitle import ApTitle
from c1222.message.epsem import MAC_SIZE, SecurityMode
from c1222.message.segmentation import cut
from c1222.security.sealing import Verdict
from c1222.services import TableData, tables
from tests.traffic import KEY, frames, varied

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

pytestmark = pytest.mark.tshark

ROOT: Final = Path(__file__).parents[2]
SAMPLES: Final = ROOT / "specs" / "captures"
SHARED: Final = ROOT.parent / "shared" / "captures"
COUNT: Final = 3000
W1_SIZES: Final = {*range(124, 128), *range(250, 256)}
ENDS: Final = ("10.0.0.1:50000", "10.1.0.1:1153")
FIELDS: Final = (
    "frame.number",
    "c1222.crypto_good",
    "c1222.crypto_bad",
    "_ws.malformed",
    "_ws.expert.message",
    "c1222.called_ap_title_abs",
    "c1222.called_ap_title_rel",
    "c1222.calling_ap_title_abs",
    "c1222.calling_ap_title_rel",
    "c1222.called_AP_invocation_id",
    "c1222.calling_AP_invocation_id",
    "c1222.calling_AE_qualifier",
    "c1222.aSO_context",
    "c1222.mechanism_name",
    "c1222.key_id_element",
    "c1222.iv_element",
    "c1222.epsem.flags",
    "c1222.epsem.edclass",
    "c1222.epsem.mac",
    "c1222.epsem.data",
    "c1222.cmd",
    "c1222.err",
    "c1222.read.table",
    "c1222.read.offset",
    "c1222.read.count",
    "c1222.write.table",
    "c1222.write.size",
    "c1222.user_information_element",
)

Line = dict[str, str]
Dissect = Callable[[Path, dict[int, bytes]], dict[int, Line]]


@pytest.fixture
def dissect(tshark: str, tmp_path: Path) -> Dissect:
    """Run tshark with keys by id; give the lines with an APDU by number of frame."""

    def run(capture: Path, keys: dict[int, bytes]) -> dict[int, Line]:
        settings = tmp_path / ".config" / "wireshark"
        settings.mkdir(parents=True, exist_ok=True)
        table = "".join(f'"{number}",{octets.hex().upper()}\n' for number, octets in keys.items())
        (settings / "c1222_decryption_table").write_text(table)
        out = subprocess.run(
            [
                tshark,
                *("-r", str(capture), "-T", "fields", "-E", "separator=|", "-E", "occurrence=a"),
                *("-o", "c1222.decrypt:TRUE", "-o", "c1222.baseoid:2.16.124.113620.1.22.0"),  # W6
                *(word for field in FIELDS for word in ("-e", field)),
            ],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / ".config")},
        )
        lines = [dict(zip(FIELDS, line.split("|"), strict=True)) for line in out.stdout.splitlines()]
        return {int(line["frame.number"]): line for line in lines if line["c1222.user_information_element"]}

    return run


def write(path: Path, packets: Iterable[bytes]) -> Path:
    with PcapWriter(path) as writer:
        for number, packet in enumerate(packets):
            writer.write(1_700_000_000_000_000_000 + number * 1000, packet)
    return path


def string(message: CapturedMessage) -> bytes:
    """Return the EPSEM string as received."""
    assert message.acse is not None
    where = message.acse.user_information
    return message.octets[where.start : where.end]


def title_agrees(title: ApTitle | None, line: Line, which: str) -> bool:
    shown = line[f"c1222.{which}_ap_title_abs"], line[f"c1222.{which}_ap_title_rel"]
    if title is not None and max(title.arcs) >= 1 << 32:
        return shown == ("", "")  # the malformed object identifier
    return shown == (("", str(title or "")) if title is None or title.is_relative else (str(title), ""))


def number(value: int | None) -> str:
    return "" if value is None else str(value)


def agree_on_elements(ours: CapturedMessage, line: Line) -> None:
    """Hold all but security and services equal."""
    # services in cleartext are dissected even where the MAC tells that they are damaged
    assert line["_ws.malformed"] == "" or ours.authenticated is False, line
    assert title_agrees(ours.called, line, "called"), (ours, line)
    assert title_agrees(ours.calling, line, "calling"), (ours, line)
    assert line["c1222.called_AP_invocation_id"] == number(ours.called_invocation_id), (ours, line)
    assert line["c1222.calling_AP_invocation_id"] == number(ours.calling_invocation_id), (ours, line)
    assert line["c1222.calling_AE_qualifier"] == number(ours.calling_ae_qualifier), (ours, line)
    assert line["c1222.aSO_context"] == (ours.application_context or ""), (ours, line)
    assert line["c1222.mechanism_name"] == (ours.mechanism or ""), (ours, line)
    flags = int(line["c1222.epsem.flags"], 16)
    assert flags == string(ours)[0], (ours, line)
    assert (flags >> 2 & 3, flags & 3) == (ours.security_mode, ours.response_control), (ours, line)
    if ours.verdict is not Verdict.NO_SESSION and ours.acse is not None and ours.acse.authentication is not None:
        key_id = "" if ours.key_id is None else f"{ours.key_id:02x}"
        iv = "" if ours.iv is None else ours.iv.hex()
        assert (line["c1222.key_id_element"], line["c1222.iv_element"]) == (key_id, iv), (ours, line)


def agree_on_services(ours: CapturedMessage, line: Line) -> None:
    """Hold the services in cleartext equal, and what is shown of reads and writes."""
    assert line["c1222.epsem.data"].split(",") == [octets.hex() for octets in ours.service_octets], (ours, line)
    ed_class = "" if ours.ed_class is None else ours.ed_class.hex()
    assert line["c1222.epsem.edclass"] == ed_class, (ours, line)
    codes = [octets[0] for octets in ours.service_octets]
    # tshark shows 60 to 6B, which tell the number of baud codes, as 60
    shown = [0x60 if 0x60 <= code <= 0x6B else code for code in codes if code >= 0x20]
    assert codes_of(line, "cmd") == shown, (ours, line)
    assert codes_of(line, "err") == [code for code in codes if code < 0x20], (ours, line)
    services = ours.services
    reads = [each for each in services if isinstance(each, tables.ReadRequest | tables.ReadOffsetRequest)]
    offsets = [each for each in reads if isinstance(each, tables.ReadOffsetRequest)]
    writes = [each for each in services if isinstance(each, tables.WriteRequest)]
    # W5: what else there is of reads and writes, by index and default, is not dissected or not alike
    if not {0x31, 0x3E, 0x41, 0x4E, 0x4F}.intersection(codes):
        assert numbers(line["c1222.read.table"]) == [each.table for each in reads], (ours, line)
        assert numbers(line["c1222.read.offset"]) == [each.offset for each in offsets], (ours, line)
        assert numbers(line["c1222.read.count"]) == [each.count for each in offsets], (ours, line)
        assert numbers(line["c1222.write.table"]) == [each.table for each in writes], (ours, line)
        assert numbers(line["c1222.write.size"]) == [len(each.data) for each in writes], (ours, line)


def numbers(text: str) -> list[int]:
    return [int(part, 0) for part in text.split(",") if part]


def codes_of(line: Line, kind: str) -> list[int]:
    return [int(part, 16) for part in line[f"c1222.{kind}"].split(",") if part]


def verdict(line: Line) -> bool | None:
    """Return what tshark says of the MAC: good, bad, or nothing, as of cleartext."""
    said = line["c1222.crypto_good"], line["c1222.crypto_bad"]
    return {("1", "0"): True, ("0", "1"): False, ("", ""): None}[said]


def compare(ours: CapturedMessage, line: Line) -> None:
    """Hold a message equal; no defect of tshark concerns it but those of titles and W5, W7."""
    agree_on_elements(ours, line)
    if ours.security_mode is SecurityMode.CLEARTEXT:
        assert verdict(line) is None, line
        agree_on_services(ours, line)
    elif ours.authenticated:
        assert verdict(line) is True, (ours, line)
        assert line["c1222.epsem.mac"] == string(ours)[-MAC_SIZE:].hex(), (ours, line)
        assert line["_ws.expert.message"] == "", (ours, line)
        agree_on_services(ours, line)
    else:
        # without a key what is in cleartext can still be read
        in_clear = ours.authenticated is None and ours.security_mode is SecurityMode.CLEARTEXT_AUTHENTICATION
        assert bool(ours.services) is in_clear, ours
        assert verdict(line) is False, (ours, line)


def defect(ours: CapturedMessage) -> str | None:
    """Return the defect of tshark that keeps it from opening a secured message."""
    if ours.security_mode is SecurityMode.CLEARTEXT:
        return None
    assert ours.acse is not None
    if ours.acse.authentication is None:
        return "W2"
    if len(string(ours)) in W1_SIZES:
        return "W1"
    return None


def test_thousands_of_messages(dissect: Dissect, tmp_path: Path) -> None:
    sequences: dict[tuple[str, str], int] = {}
    packets = [packet for at, sent in enumerate(varied(COUNT)) for packet in frames(sent, sequences, at)]
    capture = write(tmp_path / "varied.pcap", packets)
    lines = dissect(capture, {KEY.id: KEY.octets})
    left_out = checked = tcp = six = 0
    modes: set[int] = set()
    sizes: set[int] = set()
    codes: set[int] = set()
    for ours in CaptureDecoder(capture, keys=KEY):
        line = lines.pop(ours.frame)
        assert ours.authenticated is (True if ours.security_mode else None), ours
        if defect(ours) == "W1":
            agree_on_elements(ours, line)
            left_out += 1
            continue
        compare(ours, line)
        checked += 1
        tcp += ours.transport == "tcp"
        six += ours.src.startswith("[")
        modes.add(ours.security_mode)
        sizes.add(len(string(ours)))
        codes.update(octets[0] for octets in ours.service_octets)
    assert lines == {}
    assert (checked + left_out, left_out < COUNT // 10) == (COUNT, True)
    assert (tcp > COUNT // 10, six > COUNT // 10, len(modes), len(codes) > 20) == (True, True, 3, True)
    assert {120, 123, 128, 129, 131, 132, 249, 256, 257, 260} <= sizes


def test_damaged_messages_and_keys_that_are_not_known(dissect: Dissect, tmp_path: Path) -> None:
    rng = random.Random(1)
    packets = []
    for at, sent in enumerate(varied(1500, seed=5)):
        octets = sent.octets
        if at % 3 == 0 and sent.message.security_mode:  # an octet of the MAC, the body or the vector is changed
            flipped = bytearray(octets)
            place = rng.choice([-1, -2, -3, -4, -5, octets.index(sent.message.iv or b"") + rng.randrange(4)])
            flipped[place] ^= 1 << rng.randrange(8)
            octets = bytes(flipped)
        elif at % 7 == 0 and sent.message.security_mode:
            message = sent.message
            message.key_id = 9
            octets = encode(message, keys=Key(9, bytes(16)))
        packets.append(udp_packet(sent.source, sent.destination, octets))
    capture = write(tmp_path / "damaged.pcap", packets)
    lines = dissect(capture, {KEY.id: KEY.octets})
    counts = dict.fromkeys([True, False, None], 0)
    for ours in CaptureDecoder(capture, keys=KEY):
        line = lines.pop(ours.frame)
        if defect(ours) is None:
            compare(ours, line)
            counts[ours.authenticated] += 1
    assert lines == {}
    assert min(counts.values()) > 100, counts


@pytest.mark.parametrize("name", ["example8", "meters", "published"])
def test_the_samples(dissect: Dissect, name: str) -> None:
    seen = both_read(dissect, SAMPLES / f"{name}.pcap", SAMPLES / "keys.toml")
    assert (
        seen
        == {
            "example8": {"equal": 2},
            "meters": {"equal": 4},
            # gen-session-no-ac, gen-ws-boundary, gen-segments-ex8
            "published": {"equal": 16, "W1": 1, "W2": 1, "W3": 1},
        }[name]
    )


@pytest.mark.parametrize("name", ["c1222_std_example8.pcap", "c1222overIPv4.cap", "c1222_over_ipv6.pcap"])
def test_real_captures(dissect: Dissect, name: str) -> None:
    if not SHARED.is_dir():
        pytest.skip("the captures of others are not here")
    assert both_read(dissect, SHARED / name, SHARED / "keys.toml") == {"equal": 2}


def both_read(dissect: Dissect, capture: Path, keys: Path) -> dict[str, int]:
    """Compare all messages, each with what tshark says when it has the key; return how many were equal or left out."""
    seen: dict[str, int] = {}
    known: dict[bytes, dict[int, Line]] = {}
    for ours in CaptureDecoder(capture, keys=KeyStore.from_file(keys)):
        assert ours.authenticated is (True if ours.security_mode else None), ours
        # tshark knows one key for an id: it runs once for every key
        key = ours.key.octets if ours.key is not None else b""
        if key not in known:
            known[key] = dissect(capture, {ours.key.id: key} if ours.key is not None else {})
        if ours.segments:
            assert not set(ours.segments).intersection(known[key]) or known[key][ours.frame]["_ws.malformed"]
            left_out: str | None = "W3"
        else:
            left_out = defect(ours)
            (compare if left_out is None else agree_on_elements)(ours, known[key][ours.frame])
        seen[left_out or "equal"] = seen.get(left_out or "equal", 0) + 1
    return seen


def secured(calling: ApTitle, at: int, *, called: ApTitle | None = None, carries: bool = True, iv: int = 0) -> bytes:
    message = Message(
        called=called or ApTitle(".1.2"),
        calling=calling,
        calling_invocation_id=at,
        services=[tables.ReadRequest(at)],
        security_mode=SecurityMode.CIPHERTEXT_AUTHENTICATION,
        key_id=KEY.id,
        iv=(1_700_000_000 + (iv or at)).to_bytes(4, "big"),
        carries_authentication=carries,
    )
    return encode(message, keys=KEY)


def long_title(octets: int) -> ApTitle:
    return ApTitle("." + ".".join(["268435455"] * (octets // 4)))


def with_indirect_reference() -> bytes:
    octets = encode(
        Message(
            called=ApTitle(".1.2"), calling=ApTitle(".3"), calling_invocation_id=1, services=[tables.ReadRequest(1)]
        )
    )
    at = octets.index(b"\xbe")
    inside = octets[at + 4 :]
    assert inside[:1] == b"\x81"
    external = b"\x02\x01\x00" + inside
    head = octets[2:at] + bytes((0xBE, len(external) + 2, 0x28, len(external)))
    return bytes((0x60, len(head) + len(external))) + head + external


def odd() -> Iterator[tuple[str, list[bytes]]]:
    """Yield messages that tshark cannot read, with the name of the defect; the neighbours it can read have none."""
    yield "", [secured(ApTitle(".3"), 1)]
    message = Message(
        called=ApTitle(".1.2"),
        calling=ApTitle(".3"),
        calling_invocation_id=2,
        services=[tables.WriteRequest(7, TableData(bytes(124 - 5 - 7)))],
        security_mode=SecurityMode.CIPHERTEXT_AUTHENTICATION,
        key_id=KEY.id,
        iv=bytes(4),
    )
    yield "W1", [encode(message, keys=KEY)]
    yield "", [secured(ApTitle(".5"), 3)]
    yield "W2", [secured(ApTitle(".5"), 4, carries=False, iv=3)]
    yield "W3", cut(encode(message, keys=KEY), 90)
    yield "W4", [with_indirect_reference()]
    yield "", [secured(long_title(100), 5)]
    yield "W8", [secured(long_title(240), 6, called=long_title(236))]


def test_defects_of_tshark_are_none_of_ours(dissect: Dissect, tmp_path: Path) -> None:
    names: dict[int, str] = {}
    packets = []
    for name, parts in odd():
        for part in parts:
            packets.append(udp_packet(*ENDS, part))
            names[len(packets)] = name
    capture = write(tmp_path / "odd.pcap", packets)
    lines = dissect(capture, {KEY.id: KEY.octets})
    seen = []
    for ours in CaptureDecoder(capture, keys=KEY):
        name = names[ours.frame]
        assert len(ours.services) == 1, ours
        assert ours.authenticated is (True if ours.security_mode else None), ours
        assert not any(finding.level == "error" for finding in ours.findings), ours.findings
        seen.append(name)
        line = lines.get(ours.frame)
        if not name:
            assert line is not None
            compare(ours, line)
    assert seen == ["", "W1", "", "W2", "W3", "W4", "", "W8"]
