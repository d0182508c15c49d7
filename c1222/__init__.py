"""ANSI C12.22: talk to smart meters, and read what others said to them.

    with c1222.connect("udp://127.0.0.1:1153", called=".123.8437", calling=".123.4", key=key) as meter:
        meter.read("ST23.TOT_DATA_BLOCK")      # or, async with c1222.aio.connect(...): await meter.read(...)
    message = c1222.decode(apdu, keys=keys); octets = c1222.encode(message, keys=keys)
    for message in c1222.decode_capture("trace.pcapng", keys=keys): ...
    devices = c1222.capture_devices("trace.pcapng", keys=keys)      # title -> Device, out of traffic
    summary = c1222.summarize("trace.pcapng", keys=keys)            # who talks to whom, how fast, how well secured
    for message in c1222.decode_serial_log("probe.log"): ...        # what a sniffer of an optical port recorded

Everything is loaded when it is first asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

# isort: off
from c1222.errors import (
    C1222Error, ConnectionLost, DecodeError, EncodeError, Finding, InvalidKey, InvalidTag, LimitExceeded, LocalError,
    PeerSilent, RemoteError, ServiceError, SessionLost, ShortHeader, StateError, UnknownKey, Unreachable,
)  # fmt: skip
# isort: on

if TYPE_CHECKING:
    from c1222 import aio, bulk, collect
    from c1222.capture.cleartext.rewriting import write_clear
    from c1222.capture.decoder import decode_capture
    from c1222.capture.devices import CapturedDevices, capture_devices
    from c1222.capture.filters import MessageFilter
    from c1222.capture.messages import Messages
    from c1222.capture.serial.decoder import decode_serial_log
    from c1222.capture.summary import CaptureSummary, summarize
    from c1222.capture.tables.reader import TableReader
    from c1222.client.aio_meter import AsyncMeter
    from c1222.client.errors import PasswordRefused, ReadInterrupted, WriteUnknown
    from c1222.client.sync import Meter, connect
    from c1222.message.aptitle import ApTitle
    from c1222.protocol.composing import encode
    from c1222.protocol.message import Message
    from c1222.protocol.opening import decode
    from c1222.security.keys import Key, KeyStore

__version__ = "0.1.0"

_MODULES = {
    "aio": "aio", "bulk": "bulk", "capture.cleartext.rewriting": "write_clear", "capture.decoder": "decode_capture",
    "collect": "collect", "capture.devices": "CapturedDevices capture_devices", "capture.filters": "MessageFilter",
    "capture.messages": "Messages", "capture.serial.decoder": "decode_serial_log",
    "capture.summary": "CaptureSummary summarize", "capture.tables.reader": "TableReader",
    "client.aio_meter": "AsyncMeter", "client.errors": "PasswordRefused ReadInterrupted WriteUnknown",
    "client.sync": "Meter connect", "message.aptitle": "ApTitle", "protocol.composing": "encode",
    "protocol.message": "Message", "protocol.opening": "decode", "security.keys": "Key KeyStore",
}  # fmt: skip
_HOMES = {name: module for module, names in _MODULES.items() for name in names.split()}

__all__ = [
    "ApTitle", "AsyncMeter", "C1222Error", "CaptureSummary", "CapturedDevices", "ConnectionLost", "DecodeError",
    "EncodeError", "Finding", "InvalidKey", "InvalidTag", "Key", "KeyStore", "LimitExceeded", "LocalError", "Message",
    "MessageFilter", "Messages", "Meter", "PasswordRefused", "PeerSilent", "ReadInterrupted", "RemoteError",
    "ServiceError", "SessionLost", "ShortHeader", "StateError", "TableReader", "UnknownKey", "Unreachable",
    "WriteUnknown", "aio", "bulk", "capture_devices", "collect", "connect", "decode", "decode_capture",
    "decode_serial_log", "encode", "summarize", "write_clear",
]  # fmt: skip

if not TYPE_CHECKING:  # a misspelt name is an error to a type checker

    def __getattr__(name: str) -> Any:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        home = import_module(f"{__name__}.{_HOMES[name]}")
        return globals().setdefault(name, home if _HOMES[name] == name else getattr(home, name))


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
