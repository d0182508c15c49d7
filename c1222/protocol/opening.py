"""From an APDU to a message: its MAC checked, decrypted, its services found.

That is what cannot wait; the message decodes the rest when it is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from c1222.errors import DecodeError
from c1222.message.ber import MAX_APDU_OCTETS
from c1222.message.envelope import read_apdu
from c1222.message.epsem import ED_CLASS_SIZE, split_services
from c1222.protocol.message import Message
from c1222.security.keys import KeyStore
from c1222.security.sealing import open_apdu

if TYPE_CHECKING:
    from collections.abc import Container, Sequence

    from c1222.message.envelope import Envelope
    from c1222.security.keys import Key, Keys
    from c1222.security.sealing import SessionSecurity

__all__ = ["decode", "open_message"]

_M = TypeVar("_M", bound=Message)


def decode(
    apdu: bytes | bytearray | memoryview,
    *,
    keys: Keys = None,
    session: Message | SessionSecurity | None = None,
    request: Message | None = None,
    max_size: int = MAX_APDU_OCTETS,
) -> Message:
    """Decode one APDU; open it if it is secured.

    A wrong MAC, or a key that is missing, is no exception: `authenticated` and the findings tell, and there are no
    services.

    Args:
        apdu: exactly one APDU, not a segment of one.
        keys: a store, a single key, or octets by key id.
        session: for a message without an authentication value: what an earlier message of its session said, or that
            message.
        request: the message this one answers; without it the parameters of responses stay unread.
        max_size: limit for the APDU in octets.

    Raises:
        DecodeError: the octets are no such message; path and offset tell where.
        InvalidKey: the keys cannot be used.
    """
    acse = read_apdu(apdu, max_size=max_size)
    if isinstance(session, Message):
        session = session.session_security
    sessions = () if session is None else (session,)
    asked = b"" if request is None else request.request_body
    store = keys if isinstance(keys, KeyStore) else KeyStore.of(keys)
    message = open_message(Message, acse, store, sessions=sessions, asked=asked, diagnose=True)
    message.check()
    return message


def open_message(
    kind: type[_M],
    acse: Envelope,
    keys: KeyStore,
    *,
    sessions: Sequence[SessionSecurity] = (),
    asked: bytes = b"",
    diagnose: bool = False,
    proven: Container[Key] = (),
    callers_keys: bool = True,
) -> _M:
    """Open a message whose elements are known. Never raises for its content: findings tell, and `check` raises.

    Args:
        kind: the class of the message.
        acse: the elements.
        keys: the keys known.
        sessions: what holds for a message without an authentication value, the likeliest first.
        asked: the services this one answers, with their lengths; must be splittable.
        diagnose: look further into a wrong MAC, at a hundred times the cost.
        proven: keys that have verified other messages, for the diagnosis.
        callers_keys: open it also with keys of the calling node.
    """
    opened = open_apdu(acse, keys, sessions=sessions, diagnose=diagnose, proven=proven, callers_keys=callers_keys)
    body = opened.body or b""
    spans: Sequence[tuple[int, int]] = ()
    start = 0
    fault = None
    if body:
        try:
            start = ED_CLASS_SIZE if acse.control.ed_class else 0
            if start > len(body):
                raise DecodeError("epsem.ed-class", 0, f"{len(body)} octets, it has {ED_CLASS_SIZE}")
            spans = split_services(body, start, len(body))
        except DecodeError as error:
            before = 0 if error.path == "epsem.control" else acse.user_information.start + 1
            fault = type(error)(error.path, before + error.offset, error.reason)
    return kind.received(acse, body, spans, start, opened=opened, fault=fault, asked=asked)
