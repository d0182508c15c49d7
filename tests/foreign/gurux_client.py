"""Reads a COSEM logical device over TCP with Gurux.DLMS, and prints what it reads as JSON.

    python gurux_client.py HOST PORT PROFILE FROM TO

A program of its own, in an environment of its own: it uses Gurux.DLMS, which is no dependency of this project.
"""

# Copyright the c1222 authors. SPDX-License-Identifier: GPL-2.0-only
#
# This program is free software; you can redistribute it and/or modify it under the terms of the GNU General Public
# License as published by the Free Software Foundation; version 2 of the License. It is distributed in the hope that it
# will be useful, but WITHOUT ANY WARRANTY; without even the implied warranty of MERCHANTABILITY or FITNESS FOR A
# PARTICULAR PURPOSE. See the GNU General Public License for more details.

import datetime as dt
import json
import sys

from gurux_common import ReceiveParameters
from gurux_dlms import GXByteBuffer, GXDateTime, GXDLMSClient, GXReplyData
from gurux_dlms.enums import Authentication, InterfaceType
from gurux_dlms.objects import GXDLMSCaptureObject, GXDLMSClock, GXDLMSProfileGeneric
from gurux_net import GXNet
from gurux_net.enums import NetworkType


class Reader:
    def __init__(self, host: str, port: int) -> None:
        self.client = GXDLMSClient(True, 16, 1, Authentication.NONE, None, InterfaceType.WRAPPER)
        self.media = GXNet(NetworkType.TCP, host, port)
        self.media.open()

    def packet(self, data: object, reply: GXReplyData) -> None:
        received, notify = GXByteBuffer(), GXReplyData()
        wanted = ReceiveParameters()
        wanted.eop, wanted.count, wanted.waitTime = None, 8, 10000
        reply.error = 0
        with self.media.getSynchronous():
            self.media.send(data)
            while not self.client.getData(received, reply, notify):
                wanted.reply = None
                wanted.count = max(1, self.client.getFrameSize(received))
                if not self.media.receive(wanted):
                    raise TimeoutError("no answer")
                received.set(wanted.reply)

    def ask(self, requests: object) -> GXReplyData:
        reply = GXReplyData()
        for request in requests if isinstance(requests, list) else [requests]:
            reply.clear()
            self.packet(request, reply)
            while not reply.error and reply.isMoreData():
                self.packet(self.client.receiverReady(reply), reply)
        return reply


def plain(value: object) -> object:
    if isinstance(value, (bytes, bytearray)):
        return bytes(value).hex()
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    return value if isinstance(value, (int, float, str, bool, type(None))) else str(value)


def main(host: str, port: str, profile: str, begin: str, end: str) -> None:
    reader = Reader(host, int(port))
    client = reader.client
    client.parseAareResponse(reader.ask(client.aarqRequest()).data)
    listed = reader.ask(client._read("0.0.40.0.0.255", 15, 2)).value
    objects = [[one[0], one[1], bytes(one[2]).hex(), [item[0] for item in one[3][0]]] for one in listed]
    read: dict[str, object] = {}
    for interface, _, name, attributes in objects:
        for number in attributes:
            reply = reader.ask(client._read(".".join(map(str, bytes.fromhex(name))), interface, number))
            read[f"{interface} {name} {number}"] = {"error": reply.error} if reply.error else plain(reply.value)
    generic = GXDLMSProfileGeneric(".".join(map(str, bytes.fromhex(profile))))
    clock = GXDLMSClock("0.0.1.0.0.255")
    generic.captureObjects.append((clock, GXDLMSCaptureObject(2, 0)))
    first, last = (GXDateTime(dt.datetime.fromisoformat(one)) for one in (begin, end))
    span = plain(reader.ask(client.readRowsByRange(generic, first, last)).value)
    json.dump({"objects": objects, "read": read, "range": span}, sys.stdout)
    reader.media.close()


main(*sys.argv[1:])
