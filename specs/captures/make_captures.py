"""Makes the sample captures: ``python specs/captures/make_captures.py [FOLDER]``.

The octets of messages are those of specs/vectors/messages.json, but in registers.pcap, where they carry the tables of
specs/devices; addresses, times and transport are invented here.
A test runs this again and compares.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from c1219 import Device
from c1222 import ApTitle, Key, Message, encode
from c1222.capture.files.writer import PcapWriter, tcp_packet, udp_packet
from c1222.message.epsem import SecurityMode
from c1222.services import TableData
from c1222.services.tables import ReadRequest, ReadResponse

HERE = Path(__file__).parent
DEVICES = HERE.parent / "devices"
READ = (0, 1, 11, 12, 13, 14, 15, 16, 21, 22, 23, 51, 52, 53, 54)
"""Tables that registers, their units and their times need."""
VECTORS = HERE.parent / "vectors" / "messages.json"
START_NS = 1_223_938_145_000_000_000  # 2008-10-13 22:49:05Z, the time in the vector of example 8
STEP_NS = 250_000_000
HOST, METER = "192.0.2.1:50000", "198.51.100.7:1153"
HOST6, METER6 = "[2001:db8::1]:50000", "[2001:db8:1::7]:1153"


def main(folder: Path) -> None:
    """Write all captures into a folder."""
    messages: dict[str, Any] = {entry["id"]: entry for entry in json.loads(VECTORS.read_text("utf-8"))["messages"]}

    def octets(name: str) -> bytes:
        return bytes.fromhex(messages[name]["octets"])

    with PcapWriter(folder / "example8.pcap", nanoseconds=False) as file:
        file.write(START_NS, udp_packet(HOST, METER, octets("std-ex8-req")))
        file.write(START_NS + STEP_NS, udp_packet(METER, HOST, octets("std-ex8-rsp")))

    with PcapWriter(folder / "meters.pcap") as file:
        time = START_NS
        for name, host, meter in (("ipv4", HOST, METER), ("ipv6", HOST6, METER6)):
            request, response = octets(f"{name}-req"), octets(f"{name}-rsp")
            open_sequence, answer_sequence = 1000, 9000
            file.write(time, tcp_packet(host, meter, sequence=open_sequence - 1, flags=0x02))
            file.write(
                time + 1, tcp_packet(meter, host, sequence=answer_sequence - 1, acknowledged=open_sequence, flags=0x12)
            )
            # The request in two pieces, as a stream may bring it.
            file.write(
                time + 2, tcp_packet(host, meter, request[:30], sequence=open_sequence, acknowledged=answer_sequence)
            )
            file.write(
                time + 3,
                tcp_packet(host, meter, request[30:], sequence=open_sequence + 30, acknowledged=answer_sequence),
            )
            file.write(
                time + STEP_NS,
                tcp_packet(meter, host, response, sequence=answer_sequence, acknowledged=open_sequence + len(request)),
            )
            time += 4 * STEP_NS

    with PcapWriter(folder / "published.pcap") as file:
        time = START_NS
        for name, entry in messages.items():
            parts = [bytes.fromhex(part) for part in entry.get("segments", ())] or [octets(name)]
            if name == "gen-session-no-ac":
                parts.insert(0, octets("std-ex8-req"))  # what opened the session: its key id and vector hold on
            for part in parts:
                ends = (METER, HOST) if entry.get("called_invocation_id") is not None else (HOST, METER)
                file.write(time, udp_packet(*ends, part))
                time += STEP_NS

    with PcapWriter(folder / "registers.pcap") as file:
        write_registers(file)


def write_registers(file: PcapWriter) -> None:
    """Write how a head end reads the registers of the sample devices, encrypted under the key of example 8."""
    key = Key(2, bytes.fromhex("01020304050607080102030405060708"))
    head_end, number, time = ApTitle(".123.4"), 0, START_NS

    def send(services: list[Any], ends: tuple[str, str], **parts: Any) -> None:
        nonlocal number, time
        number += 1
        time += STEP_NS
        message = Message(
            services=services, calling_invocation_id=number, security_mode=SecurityMode.CIPHERTEXT_AUTHENTICATION,
            key_id=key.id, iv=(time // 10**9 + number).to_bytes(4, "big"), **parts,
        )  # fmt: skip
        file.write(time, udp_packet(*ends, encode(message, keys=key)))

    for last, path in enumerate(sorted(DEVICES.glob("*.json")), 7):
        device = Device.from_json(path.read_text("utf-8"))
        title, meter = ApTitle(device.node["ap_title"]), f"198.51.100.{last}:1153"
        for table in READ:
            if table in device:
                send([ReadRequest(table)], (HOST, meter), called=title, calling=head_end)
                answer = ReadResponse(TableData(device[table].raw))
                send([answer], (meter, HOST), called=head_end, calling=title, called_invocation_id=number)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
