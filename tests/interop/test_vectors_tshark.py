"""Every generated message that Wireshark can judge, judged by it: MAC, decryption, elements, services.

What it cannot judge is left out by name. W1 to W8 are the defects listed in `test_tshark`; besides, it wants the elements
in their order and a called title in a secured message, reads no arc above 32 bits, and gives a relative title whose absolute
form has 128 octets or more a length of one octet.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from c1222 import KeyStore
from c1222.capture.decoder import CaptureDecoder
from c1222.capture.files.writer import udp_packet
from c1222.message.acse import Acse, decode_acse
from c1222.message.aptitle import ApTitle
from c1222.security.keys import Key
from tests.c1222.security.reference import raw_encrypt, raw_mac
from tests.c1222.vectors.committed import asked
from tests.interop.test_tshark import (
    ENDS,
    W1_SIZES,
    Dissect,
    Line,
    agree_on_elements,
    compare,
    dissect,  # noqa: F401  a fixture
    verdict,
    write,
)

if TYPE_CHECKING:
    from c1222.vectors.model import Case

pytestmark = pytest.mark.tshark

_FLAGS = {
    "SessionWithoutAuthentication": "W2",
    "IndirectReference": "W4",
    "OtherBase": "W6",
    "ContextBase": "W6: it has one base for all",
    "ElementOrder": "elements out of order",
    "RelativeTag0D": "tag 0D",
    "NonMinimalLength": "W1: lengths of one size are taken for granted",
    "NoKeyId": "key id left out",
    "NoCalledTitle": "no called title",
    "UnknownElement": "an unknown element",
    "DraftAuthentication": "an authentication value of another form",
}


def left_out(case: Case, apdu: bytes) -> str:
    """Return why a secured message cannot be judged, "" if it can."""
    for flag, why in _FLAGS.items():
        if flag in case.flags:
            return why
    acse = decode_acse(apdu)
    if len(acse.payload) in W1_SIZES:
        return "W1"
    titles = [title for title in (acse.called, acse.calling) if title is not None]
    if any(max(title.arcs, default=0) >= 1 << 32 for title in titles):
        return "an arc of more than 32 bits"
    # made absolute, such a title gets a length of one octet; sent absolute, it verifies
    if any(title.is_relative and len(title.absolute().content) > 127 for title in titles):
        return "a long relative title"
    return ""


def lines_of(run: Dissect, folder: Path, messages: list[bytes], keys: dict[int, bytes]) -> dict[int, Line]:
    capture = write(folder / "vectors.pcap", [udp_packet(*ENDS, octets, ident=n) for n, octets in enumerate(messages)])
    # tshark reads the ids of its table of keys as hexadecimal
    return run(capture, {f"{number:x}": key for number, key in keys.items()})  # type: ignore[misc]


def keys_of(name: str) -> dict[int, bytes]:
    """Return the keys of a family by id: one for each."""
    found: dict[int, bytes] = {}
    operation = "message.seal" if name == "messages" else "exchange.open"
    for case, given in asked(name, operation):
        pairs = {given["key_id"]: given["key"]} if "key" in given else given["keys"]
        for key_id, key in pairs.items():
            if case.comment != "no key with this id":
                assert found.setdefault(int(key_id), bytes.fromhex(key)).hex() == key
    return found


def test_secured_messages(dissect: Dissect, tmp_path: Path) -> None:  # noqa: F811
    keys = keys_of("messages")
    cases: list[tuple[Case, bytes, bool]] = []
    for case, _ in asked("messages", "message.seal"):
        cases.append((case, bytes.fromhex((case.output or {})["apdu"]), True))
    keys[2] = keys_for_refused()
    for case, given in asked("messages", "message.open"):
        if case.result == "valid" or keys[2].hex() in given["keys"].values():
            cases.append((case, bytes.fromhex(given["apdu"]), case.output is not None))
    messages = [apdu for _, apdu, _ in cases]
    lines = lines_of(dissect, tmp_path, messages, keys)
    seen: Counter[str] = Counter()
    for number, (case, apdu, good) in enumerate(cases, 1):
        why = left_out(case, apdu)
        secured = apdu[decode_acse(apdu).user_information.start] & 0x0C in (4, 8)
        if not why and (not secured or "Truncated" in case.flags or case.comment == "no key with this id"):
            why = "not to be verified"
        if why:
            seen[why] += 1
            continue
        assert verdict(lines[number]) is good, (case.id, case.comment)
        seen["good" if good else "bad"] += 1
        if good and case.id.startswith("seal"):
            assert lines[number]["c1222.epsem.mac"] == case.intermediate["mac"]
            services = [octets for octets in lines[number]["c1222.epsem.data"].split(",") if octets]
            assert services == given_services(case)
    assert seen["good"] > 60
    assert seen["bad"] > 15
    assert seen["W1"] > 20


def given_services(case: Case) -> list[str]:
    services: list[str] = case.input["services"]
    return services


def keys_for_refused() -> bytes:
    """Return the key of the sample that the refused messages are made of: key id 2."""
    (key,) = {given["keys"]["2"] for case, given in asked("messages", "message.open") if case.id == "refused-001"}
    return bytes.fromhex(key)


def test_canonical_headers(dissect: Dissect, tmp_path: Path) -> None:  # noqa: F811
    """Each message is sealed here, by another AES, under the header that the vector gives: then the MAC is good."""
    key = bytes(range(16))
    judged: list[tuple[Case, bytes]] = []
    seen: Counter[str] = Counter()
    for case, given in asked("canonical-header", "canonical-header"):
        if case.output is None:
            seen["no header"] += 1
            continue
        apdu, header = bytes.fromhex(given["apdu"]), bytes.fromhex(case.output["header"])
        why = left_out(case, apdu)
        if not why and len(header) > 300:
            why = "W8"
        acse = decode_acse(apdu)
        mode = acse.payload[0] >> 2 & 3
        if not why and mode not in (1, 2):
            why = "in cleartext"
        if why:
            seen[why] += 1
            continue
        body = acse.payload[1:-4]
        if mode == 1:
            sealed = body + raw_mac(key, header + body)
        else:
            raw = raw_encrypt(key, header, body)
            sealed = raw.ciphertext + raw.mac
        judged.append((case, acse.with_user_information(acse.payload[:1] + sealed).octets))
    lines = lines_of(dissect, tmp_path, [apdu for _, apdu in judged], dict.fromkeys(range(256), key))
    for number, (case, _) in enumerate(judged, 1):
        assert verdict(lines[number]) is True, (case.id, case.comment)
    assert len(judged) > 80
    assert seen["W1"] == 10


def test_exchanges(dissect: Dissect, tmp_path: Path) -> None:  # noqa: F811
    keys = keys_of("exchanges")
    cases = [(case, given) for case, given in asked("exchanges", "exchange.open") if case.result == "valid"]
    messages = [bytes.fromhex(given[side]) for _, given in cases for side in ("request", "response")]
    lines = lines_of(dissect, tmp_path, messages, keys)
    decoded = {
        message.frame: message
        for message in CaptureDecoder(tmp_path / "vectors.pcap", keys=KeyStore(Key(n, key) for n, key in keys.items()))
    }
    seen: Counter[str] = Counter()
    for number, apdu in enumerate(messages, 1):
        case, _ = cases[(number - 1) // 2]
        if why := left_out(case, apdu):
            seen[why] += 1
            continue
        compare(decoded[number], lines[number])
        seen["equal"] += 1
    assert set(seen) == {"equal", "W2"}
    assert seen["equal"] > 100


def wrapped(string: bytes) -> bytes:
    return Acse.build(
        user_information=string, called=ApTitle(".123.8437"), calling=ApTitle(".123.4"), calling_invocation_id=6
    ).octets


def in_epsem(service: str) -> bytes:
    octets = bytes.fromhex(service)
    size = len(octets)
    length = (
        bytes([size]) if size < 0x80 else bytes([0x81, size]) if size < 0x100 else b"\x82" + size.to_bytes(2, "big")
    )
    return wrapped(b"\x80" + length + octets)


def clear_messages() -> list[tuple[Case, bytes]]:
    """Return messages in cleartext: the services, the lists of services, and the APDUs around a plain read."""
    found = [
        (case, in_epsem(given["octets"]))
        for operation in ("request.decode", "response.decode")
        for case, given in asked("services", operation)
        if case.result == "valid" and len(given["octets"]) < 2000
    ]
    found += [
        (case, wrapped(bytes.fromhex(given["octets"])))
        for case, given in asked("epsem", "epsem.decode")
        if case.result == "valid" and int(given["octets"][:2], 16) & 0x0C == 0 and plain(case, given)
    ]
    found += [
        (case, bytes.fromhex(given["apdu"]))
        for case, given in asked("acse", "acse.decode")
        if case.result == "valid" and (case.output or {})["user_information"] == "8003300001"
    ]
    return found


def plain(case: Case, given: dict[str, Any]) -> bool:
    """Whether the services of an EPSEM string are such, not octets at random."""
    return "LengthBoundary" not in case.flags and not ({"EndOfList"} & {*case.flags} and given["octets"] != "80012000")


def test_messages_in_clear(dissect: Dissect, tmp_path: Path) -> None:  # noqa: F811
    cases = clear_messages()
    lines = lines_of(dissect, tmp_path, [apdu for _, apdu in cases], {})
    decoded = {message.frame: message for message in CaptureDecoder(tmp_path / "vectors.pcap")}
    seen: Counter[str] = Counter()
    for number, (case, apdu) in enumerate(cases, 1):
        if why := unread(case, apdu):
            seen[why] += 1
            continue
        ours, line = decoded[number], lines[number]
        given = (case.output or {}).get("authentication")
        if given is not None:  # ours does not say whose key a message in cleartext might be under
            shown = line["c1222.key_id_element"], line["c1222.iv_element"]
            assert shown == (f"{given['key_id']:02x}", given["iv"])
            line = {**line, "c1222.key_id_element": "", "c1222.iv_element": ""}
        if ours.service_octets:
            compare(ours, line)
        else:
            agree_on_elements(ours, line)
            assert line["c1222.epsem.data"] == ""
        seen["equal"] += 1
    assert seen.pop("equal") > 250
    assert seen == {"W3": 2, "an arc of more than 32 bits": 1, "a string of no octets": 1}


def unread(case: Case, apdu: bytes) -> str:
    """Return why a message in cleartext cannot be judged, "" if it can."""
    if "Segment" in case.flags:
        return "W3"
    acse = decode_acse(apdu)
    if any(title is not None and max(title.arcs, default=0) >= 1 << 32 for title in (acse.called, acse.calling)):
        return "an arc of more than 32 bits"
    return "a string of no octets" if case.comment.startswith("authenticate") and apdu.endswith(b"\x53\0") else ""
