"""What specs/vectors/serial holds, in the forms that tests want."""

from __future__ import annotations

import json
from pathlib import Path

CONTENT = json.loads((Path(__file__).parents[3] / "specs/vectors/serial/packets.json").read_text("utf-8"))
PACKETS = {entry["id"]: entry for entry in CONTENT["packets"]}
STREAMS = {entry["id"]: bytes.fromhex(entry["octets"]) for entry in CONTENT["streams"]}
EXCHANGES = {
    entry["id"]: [(step[0], bytes.fromhex(step[2:])) for step in entry["steps"]] for entry in CONTENT["exchanges"]
}


def data_of(entry: dict) -> bytes:
    if "octets" in entry:
        return bytes.fromhex(entry["data"])
    return bytes(number % 251 for number in range(entry["length"]))
