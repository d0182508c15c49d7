"""ANSI C12.22: talk to smart meters, and read what others said to them.

    message = c1222.decode(apdu, keys=keys)
    for message in c1222.decode_capture("trace.pcapng", keys=keys): ...
    octets = c1222.encode(message, keys=keys)

Everything is loaded when it is first asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from c1222.errors import (
    C1222Error,
    DecodeError,
    EncodeError,
    Finding,
    InvalidKey,
    InvalidTag,
    LimitExceeded,
    LocalError,
    PeerSilent,
    RemoteError,
    ServiceError,
    ShortHeader,
    StateError,
    UnknownKey,
)

if TYPE_CHECKING:
    from c1222.capture.decoder import decode_capture
    from c1222.message.aptitle import ApTitle
    from c1222.protocol.messages import Message, decode, encode
    from c1222.security.keys import Key, KeyStore

__version__ = "0.1.0"

_HOMES = {
    "ApTitle": "message.aptitle",
    "Key": "security.keys",
    "KeyStore": "security.keys",
    "Message": "protocol.messages",
    "decode": "protocol.messages",
    "decode_capture": "capture.decoder",
    "encode": "protocol.messages",
}

__all__ = [
    "ApTitle",
    "C1222Error",
    "DecodeError",
    "EncodeError",
    "Finding",
    "InvalidKey",
    "InvalidTag",
    "Key",
    "KeyStore",
    "LimitExceeded",
    "LocalError",
    "Message",
    "PeerSilent",
    "RemoteError",
    "ServiceError",
    "ShortHeader",
    "StateError",
    "UnknownKey",
    "decode",
    "decode_capture",
    "encode",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    return value
