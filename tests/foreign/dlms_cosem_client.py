"""Reads a COSEM logical device over TCP with dlms-cosem, and prints what it reads as JSON.

    python dlms_cosem_client.py HOST PORT PROFILE FROM TO

A program of its own, in an environment of its own: dlms-cosem is under the Business Source License 1.1 (its metadata of
release 25.1.0 says MIT) and no dependency of this project.
"""

# Copyright the c1222 authors. SPDX-License-Identifier: Apache-2.0

import datetime as dt
import json
import logging
import sys

import structlog
from dlms_cosem import cosem, enumerations, utils
from dlms_cosem.client import DataResultError, DlmsClient
from dlms_cosem.cosem import selective_access
from dlms_cosem.io import BlockingTcpIO, TcpTransport
from dlms_cosem.security import NoSecurityAuthentication

structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))


def plain(value: object) -> object:
    if isinstance(value, (bytes, bytearray)):
        return bytes(value).hex()
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    return value


def attribute(interface: int, name: bytes, number: int) -> cosem.CosemAttribute:
    return cosem.CosemAttribute(enumerations.CosemInterface(interface), cosem.Obis(*name), number)


def main(host: str, port: str, profile: str, begin: str, end: str) -> None:
    transport = TcpTransport(client_logical_address=16, server_logical_address=1, io=BlockingTcpIO(host, int(port)))
    client = DlmsClient(transport=transport, authentication=NoSecurityAuthentication(), block_transfer=True)
    read: dict[str, object] = {}
    with client.session():
        listed = utils.parse_as_dlms_data(client.get(attribute(15, bytes((0, 0, 40, 0, 0, 255)), 2)))
        objects = [[one[0], one[1], bytes(one[2]).hex(), [item[0] for item in one[3][0]]] for one in listed]
        for interface, _, name, attributes in objects:
            for number in attributes:
                key = f"{interface} {name} {number}"
                try:
                    octets = client.get(attribute(interface, bytes.fromhex(name), number))
                    read[key] = plain(utils.parse_as_dlms_data(octets))
                except NotImplementedError:  # it cannot decode bit strings
                    read[key] = {"octets": octets.hex()}
                except DataResultError as error:
                    read[key] = {"error": str(error)}
        clock = cosem.capture_object.CaptureObject(attribute(8, bytes((0, 0, 1, 0, 0, 255)), 2), 0)
        chosen = selective_access.RangeDescriptor(
            clock, dt.datetime.fromisoformat(begin), dt.datetime.fromisoformat(end)
        )
        octets = client.get(attribute(7, bytes.fromhex(profile), 2), chosen)
        span = plain(utils.parse_as_dlms_data(octets))
    json.dump({"objects": objects, "read": read, "range": span}, sys.stdout)


main(*sys.argv[1:])
