"""The vectors of a serial line, held against a second reading of packets: a CRC bit by bit, and nothing of the library."""

from __future__ import annotations

from typing import Any

import pytest

from tests.c1222.vectors.committed import asked

ROUNDS = 8
POLYNOMIAL = 0x8408


def crc(octets: bytes) -> int:
    register = 0xFFFF
    for octet in octets:
        register ^= octet
        for _ in range(ROUNDS):
            register = register >> 1 ^ (POLYNOMIAL if register & 1 else 0)
    return register ^ 0xFFFF


def parts(octets: bytes) -> tuple[int, int, int, bytes]:
    """Return identity, control, sequence and data of what must be one packet."""
    assert octets[0] == 0xEE
    assert len(octets) == (octets[4] << 8) + octets[5] + 8
    assert octets[-2:] == crc(octets[:-2]).to_bytes(2, "little")
    return octets[1], octets[2], octets[3], octets[6:-2]


def packets_in(octets: bytes) -> list[bytes]:
    """Return the data of the packets that octets hold, by state, where nothing is damaged."""
    found = []
    while octets:
        if octets[0] != 0xEE:
            octets = octets[1:]
            continue
        end = (octets[4] << 8) + octets[5] + 8 if len(octets) >= 6 else len(octets)
        if len(octets) < end or octets[end - 2 : end] != crc(octets[: end - 2]).to_bytes(2, "little"):
            octets = octets[1:]
            continue
        found.append(octets[6 : end - 2])
        octets = octets[end:]
    return found


def test_the_crc_itself() -> None:
    assert crc(b"123456789") == 0x906E


def test_packets_that_were_built_and_read() -> None:
    for case, given in asked("serial-packets", "packet.encode"):
        if case.result == "valid":
            assert case.output is not None
            identity, control, sequence, data = parts(bytes.fromhex(case.output["octets"]))
            wanted = tuple(given.get(name, 0) for name in ("identity", "control", "sequence"))
            assert (identity, control, sequence, data.hex()) == (*wanted, given["data"])
    for case, given in asked("serial-packets", "packet.decode"):
        octets = bytes.fromhex(given["octets"])
        if case.result == "valid" and "crc_order" not in given:
            assert case.output is not None
            identity, control, sequence, data = parts(octets)
            assert case.output == {
                "identity": identity, "control": control, "sequence": sequence, "data": data.hex(),
            }  # fmt: skip
        elif "Crc16" in case.flags:
            with pytest.raises((AssertionError, IndexError)):
                parts(octets)


def test_messages_that_were_cut() -> None:
    for case, given in asked("serial-packets", "packet.cut"):
        room, message = given["packet_size"] - 8, bytes.fromhex(given["message"])
        count = -(-len(message) // room)
        assert (case.result == "valid") == (1 <= count <= given["packets"])
        if case.output is None:
            continue
        found = [parts(bytes.fromhex(octets)) for octets in case.output["parts"]]
        assert b"".join(data for *_, data in found) == message
        assert [sequence for _, _, sequence, _ in found] == list(range(count))[::-1]
        assert all(len(data) == room for *_, data in found[:-1])
        for number, (identity, control, _, _) in enumerate(found):
            series = 0 if count == 1 else 0x80 if number else 0xC0
            toggle = (given.get("toggle", 0) + number) % 2 * 0x20
            assert (identity, control) == (given.get("identity", 0), series | toggle)


@pytest.mark.parametrize("name", ["serial-streams", "serial-exchanges"])
def test_what_an_end_sends_and_takes(name: str) -> None:
    for case, given in asked(name, "link.play"):
        if case.output is None:
            continue
        heard: list[bytes] = []
        said: list[bytes] = []
        times: dict[str, int] = {}
        for step, events in zip(given["steps"], case.output["events"], strict=True):
            for data in packets_in(bytes.fromhex(step.get("hear", ""))):
                heard += [data] if data not in heard[-1:] else []
            said += [bytes.fromhex(step["say"])] if "say" in step else []
            for event in events:
                _check(case.id, event, heard, said, times)
        assert max(times.values(), default=0) <= 4


def _check(where: str, event: dict[str, Any], heard: list[bytes], said: list[bytes], times: dict[str, int]) -> None:
    if "message" in event:
        message = bytes.fromhex(event["message"])
        assert message in (b"".join(heard), *heard) or message in b"".join(heard), where
    elif "send" in event and event["send"] not in {"06", "15"}:
        times[event["send"]] = times.get(event["send"], 0) + 1
        *_, data = parts(bytes.fromhex(event["send"]))
        assert any(data in message for message in said), where
