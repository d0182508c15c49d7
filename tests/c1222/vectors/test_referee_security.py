"""EAX' and canonical headers of the vectors, computed a second time: another library's AES, another hand's header."""

from typing import Any

import pytest

from c1222.vectors.deviations import Deviating, find
from tests.c1222.security.reference import raw_decrypt, raw_encrypt, raw_mac, subkeys
from tests.c1222.vectors.committed import asked
from tests.c1222.vectors.second_reading import canonical, string_of


def octets(given: dict[str, Any], *names: str) -> list[bytes]:
    return [bytes.fromhex(given[name]) for name in names]


def test_sealing() -> None:
    for case, given in asked("eax-prime", "eax-prime.seal"):
        key, header, plaintext = octets(given, "key", "header", "plaintext")
        raw = raw_encrypt(key, header, plaintext)
        if case.result == "acceptable":
            assert len(header) <= 16
            continue
        assert case.output == {"ciphertext": raw.ciphertext.hex(), "mac": raw.mac.hex()}, case.comment
        steps = {name: value.hex() for name, value in raw._asdict().items() if name not in {"ciphertext", "mac"}}
        if not plaintext:
            del steps["counter"], steps["ciphertext_tag"]
        assert case.intermediate == steps


def test_what_the_groups_promise() -> None:
    carries, masks, counters = set(), set(), set()
    for case, given in asked("eax-prime", "eax-prime.seal"):
        key, header, plaintext = octets(given, "key", "header", "plaintext")
        if "SubkeyCarry" in case.flags:
            zero, d, _ = subkeys(key)
            carries.add((zero[15] >> 7, d[15] >> 7))
        raw = raw_encrypt(key, header, plaintext)
        if "CounterMask" in case.flags:
            masks.add((raw.header_tag[12] >> 7, raw.header_tag[14] >> 7))
        if "CounterCarry" in case.flags:
            counters.add(raw.counter[15])
            assert raw.counter[15] + len(plaintext) // 16 > 0x100
    assert carries == masks == {(0, 0), (0, 1), (1, 0), (1, 1)}
    assert counters == {0xFE, 0xFF}


def test_opening() -> None:
    forged = 0
    for case, given in asked("eax-prime", "eax-prime.open"):
        key, header, ciphertext, mac = octets(given, "key", "header", "ciphertext", "mac")
        plaintext = raw_decrypt(key, header, ciphertext, mac)
        if "Forgery" in case.flags:
            assert plaintext is not None, "where short headers are taken, it verifies: that is what makes it a forgery"
            assert len(header) <= 16
            forged += 1
        elif case.result == "valid":
            assert case.output == {"plaintext": (plaintext or b"").hex()}
        else:
            assert case.result == "invalid"
            assert plaintext is None, case.comment
    assert forged == 7


def test_mode_1() -> None:
    for case, given in asked("eax-prime", "eax-prime.mac"):
        key, header, body = octets(given, "key", "header", "body")
        assert case.output == {"mac": raw_mac(key, header + body).hex()}
    for case, given in asked("eax-prime", "eax-prime.verify"):
        key, header, body, mac = octets(given, "key", "header", "body", "mac")
        assert (raw_mac(key, header + body) == mac) == (case.result == "valid"), case.comment


def test_the_blockwise_way_without_deviations_is_eax_prime() -> None:
    key = bytes(range(16))
    for header in (b"", bytes(16), bytes(17), bytes(range(40))):
        for plaintext in (b"", b"a", bytes(16), bytes(range(50))):
            raw = raw_encrypt(key, header, plaintext)
            assert Deviating(key).seal(header, plaintext) == (raw.ciphertext, raw.mac)
            assert Deviating(key).mac(header) == raw_mac(key, header)
    with pytest.raises(LookupError):
        find(lambda: b"", lambda _: False, tries=3)


def test_canonical_headers() -> None:
    for case, given in asked("canonical-header", "canonical-header"):
        if case.result == "invalid":
            continue
        apdu, iv = octets(given, "apdu", "iv")
        header = canonical(apdu, given["key_id"], iv, given.get("base"))
        assert case.output == {"header": header.hex()}, case.comment
        parts = case.intermediate["pieces"]
        assert "".join(part["octets"] for part in parts) == header.hex()


def test_sealed_messages() -> None:
    for case, given in asked("messages", "message.seal"):
        key, iv = octets(given, "key", "iv")
        apdu = bytes.fromhex((case.output or {})["apdu"])
        header = canonical(apdu, given["key_id"], iv, given.get("base"))
        assert case.intermediate["header"] == header.hex()
        string, body = string_of(apdu), bytes.fromhex(case.intermediate["body"])
        if given["mode"] == 1:
            assert string[1:] == body + raw_mac(key, header + body)
            steps = {"header_tag": None}
        else:
            raw = raw_encrypt(key, header, body)
            assert string[1:] == raw.ciphertext + raw.mac
            steps = {name: value.hex() for name, value in raw._asdict().items()}
            assert {name: steps[name] for name in case.intermediate if name in steps} == {
                name: case.intermediate[name] for name in case.intermediate if name in steps
            }
        zero, d, q = subkeys(key)
        assert [case.intermediate[name] for name in "LDQ"] == [zero.hex(), d.hex(), q.hex()]
        assert services_of(body, bool(given.get("ed_class"))) == given["services"]


def services_of(body: bytes, ed_class: bool) -> list[str]:
    at, found = 4 * ed_class, []
    while at < len(body):
        size, at = body[at], at + 1
        if size >= 0x80:
            count = size & 0x7F
            size, at = int.from_bytes(body[at : at + count], "big"), at + count
        found.append(body[at : at + size].hex())
        at += size
    return found


def test_opened_messages() -> None:
    seen = {"valid": 0, "invalid": 0, "acceptable": 0}
    for case, given in asked("messages", "message.open"):
        apdu = bytes.fromhex(given["apdu"])
        seen[case.result] += 1
        if case.output is None or "body" not in case.intermediate or "header" not in case.intermediate:
            continue
        key = bytes.fromhex(given["keys"][str(case.output["key_id"])])
        iv = bytes.fromhex(case.output["iv"])
        header = canonical(apdu, case.output["key_id"], iv, given.get("base"))
        string = string_of(apdu)
        if case.output["security_mode"] == 2:
            body = raw_decrypt(key, header, string[1:-4], string[-4:])
        else:
            body = string[1:-4]
            assert raw_mac(key, header + body) == string[-4:]
        assert body is not None
        assert body.hex() == case.intermediate["body"]
        assert services_of(body, case.output["ed_class"] is not None) == case.output["services"]
    assert min(seen.values()) > 5


def test_refused_messages_have_a_wrong_mac_where_they_say_so() -> None:
    wrong = 0
    for case, given in asked("messages", "message.open"):
        if case.result != "invalid" or not {"WrongMac", "HeaderOnlyMac", "BigEndianDoubling", "Erratum2008"} & {
            *case.flags
        }:
            continue
        ((key_id, key),) = given["keys"].items()
        apdu = bytes.fromhex(given["apdu"])
        iv = apdu[apdu.index(bytes.fromhex("8104")) + 2 :][:4]
        if int(key_id) != 2:
            continue
        string = string_of(apdu)
        header = canonical(apdu, 2, iv)
        if string[0] & 0x0C == 4:
            assert raw_mac(bytes.fromhex(key), header + string[1:-4]) != string[-4:]
        else:
            assert raw_decrypt(bytes.fromhex(key), header, string[1:-4], string[-4:]) is None
        wrong += 1
    assert wrong > 15
