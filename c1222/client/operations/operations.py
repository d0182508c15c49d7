"""Every verb once: what a client can do with one meter, as generators over the core.

A verb yields steps (`c1222.client.steps`) and returns its result. `c1222.client.sync` and `c1222.client.aio` run them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from c1219.device import Device
from c1222.client.clock import SystemClock
from c1222.client.operations.conversation import Conversation, Login
from c1222.client.operations.loading import TableLoader
from c1222.client.operations.meaning import MeaningVerbs
from c1222.client.operations.network import NetworkVerbs
from c1222.client.operations.procedures import ProcedureRunner, ProcedureVerbs
from c1222.client.operations.sessions import IDLE_TIMEOUT, SessionVerbs
from c1222.client.operations.tables import TableVerbs
from c1222.client.operations.transfer import Transfer
from c1222.client.serial_initiator import SerialInitiator
from c1222.client.serial_line import SerialLine
from c1222.errors import StateError
from c1222.message.epsem import SecurityMode
from c1222.protocol.identity import Identity
from c1222.protocol.initiator.initiator import Initiator
from c1222.protocol.policy import TCP_TIMING, UDP_TIMING, Link, Options, Timing
from c1222.services.session import LogonRequest, SecurityRequest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from c1222.client.clock import TimeSource
    from c1222.client.steps import Asker
    from c1222.message.aptitle import ApTitle
    from c1222.security.keys import Key, KeyStore
    from c1222.security.sending import SendGuard

__all__ = ["Operations"]


class Operations(SessionVerbs, TableVerbs, ProcedureVerbs, MeaningVerbs, NetworkVerbs):
    """What one can do with one meter: all verbs, and what they work with.

    Args:
        link: what the transport is like; or a serial line, where there are neither titles nor keys, and always a
            session.
        called: the meter's title, in the form it shall have on the wire; None for the node directly attached.
        calling: our own title.
        key: the key or keys: a `Key`, a `KeyStore`, or octets by key id.
        key_id: which of them secures requests; may be left out with a single `Key`.
        mode: security: 0 cleartext, 1 authenticated, 2 encrypted. None is 2 with a key and 0 without.
        session: talk in a session, opened before the first request; otherwise every message stands alone.
        user_id: number of the user, for Logon and Security.
        user: name of the user, for Logon, up to 10 characters.
        password: up to 20 octets, or a text, which is encoded as UTF-8. In a session it is presented once, otherwise
            first in every message.
        padding: octet that fills the password up; some C12.18 devices want 00.
        idle: idle time-out to ask for in a Logon, seconds, 0 for never.
        timeout: how long the first answer may take, seconds. Default: 5 over UDP, where each further wait is 1.5 times
            as long, and 60 over TCP.
        attempts: how often the same octets are sent. Default: 4 over UDP, 1 over TCP.
        busy_tries: how often a request is made again when the meter is busy. Default: 20.
        busy_pause: seconds before that. Default: 2.
        ed_class: 4 octets to put into requests, or None.
        max_size: largest APDU to send in one piece, octets. Default: 1400 over UDP.
        segments: cut what is larger into segments.
        chunk: most octets of table data to ask for or send in one message; what fits the link and what the meter tells
            when None.
        options: more that differs from peer to peer.
        device: tables of the meter that are known already, for example from an earlier conversation; they are not read
            again where others depend on them.
        guard: keeps vectors unique over a restart, if it has a store.
        identity: who asks, instead of ``calling``, ``key`` and ``guard``: for many conversations of one asker.
        id_bits: length of invocation ids, 32, or 16 for peers that store no more, such as those of the c1222.net stack.
            An identity has its own.
        clock: what time it is; the machine's when None.

    Attributes:
        conversation: exchanges services with the meter.
        device: the tables read so far; what others depend on is read once. ``device.drop(n)`` forgets one.
        transfer: octets of tables out of the meter and into it.
        loader: whole tables into the device.
        procedures: runs procedures.

    Raises:
        StateError: a secured mode without a key, or without knowing which.
        UnknownKey: there is no such key for these titles.
        EncodeError: a title, password or name has no form on the wire.
    """

    def __init__(
        self,
        link: Link | SerialLine,
        *,
        called: ApTitle | str | None = None,
        calling: ApTitle | str | None = None,
        key: KeyStore | Key | Mapping[int, bytes] | None = None,
        key_id: int | None = None,
        mode: SecurityMode | int | None = None,
        session: bool = False,
        user_id: int = 0,
        user: str | bytes = "",
        password: str | bytes | None = None,
        padding: bytes = b" ",
        idle: int = IDLE_TIMEOUT,
        timeout: float | None = None,
        attempts: int | None = None,
        busy_tries: int | None = None,
        busy_pause: float | None = None,
        ed_class: bytes | None = None,
        max_size: int | None = None,
        segments: bool = False,
        chunk: int | None = None,
        options: Options | None = None,
        device: Device | None = None,
        guard: SendGuard | None = None,
        identity: Identity | None = None,
        id_bits: Literal[16, 32] = 32,
        clock: TimeSource | None = None,
    ) -> None:
        if chunk is not None and chunk < 1:
            raise StateError("a chunk has at least one octet")
        given = {"timeout": timeout, "attempts": attempts, "busy_tries": busy_tries, "busy_pause": busy_pause}
        asker: Asker
        if isinstance(link, SerialLine):
            _check_none(called=called, calling=calling, key=key, key_id=key_id, mode=mode or None)
            _check_none(identity=identity, guard=guard, ed_class=ed_class)
            if link.authenticate is not None and password is None:
                raise StateError("authenticate: the key goes in the place of the password, and there is none")
            asker = SerialInitiator(link.with_attempts(attempts), _timing(TCP_TIMING, given), answer_within=timeout)
            session, padding = True, padding if padding != b" " else link.logon.password_padding
        else:
            if identity is None:
                identity = Identity(calling, key, guard=guard, id_bits=id_bits)
            elif (calling, key, guard) != (None, None, None):
                raise StateError("calling, key and guard are those of the identity")
            mode, key_id = _security(identity, mode, key_id)
            options = Options() if options is None else options
            asker = Initiator(
                identity,
                called,
                mode=mode,
                key_id=key_id,
                link=link._replace(max_size=max_size or link.max_size, segments=segments or link.segments),
                timing=_timing(TCP_TIMING if link.reliable else UDP_TIMING, given),
                options=options if ed_class is None else options._replace(ed_class=ed_class),
            )
        login = Login(
            LogonRequest.of(user_id, user, idle),
            None if password is None else SecurityRequest.of(password, user_id, padding=padding),
            padding,
            session,
        )
        self.conversation = Conversation(asker, login, SystemClock() if clock is None else clock)
        self.device = Device() if device is None else device
        self.transfer = Transfer(self.conversation, self.device, chunk=chunk)
        self.loader = TableLoader(self.transfer, self.device)
        self.procedures = ProcedureRunner(self.conversation, self.loader, self.device)


def _security(
    identity: Identity, mode: SecurityMode | int | None, key_id: int | None
) -> tuple[SecurityMode | int, int | None]:
    """Return how requests are secured, and by which key; what is not said follows from the keys."""
    keys = tuple(identity.keys)
    if mode is None:
        mode = SecurityMode.CIPHERTEXT_AUTHENTICATION if keys else SecurityMode.CLEARTEXT
    if not mode:
        return mode, None
    if not keys:
        raise StateError("a secured mode needs a key")
    if key_id is None and len(keys) == 1:
        key_id = keys[0].id
    if key_id is None:
        raise StateError("there are several keys: say with key_id which one secures requests")
    return mode, key_id


def _timing(timing: Timing, given: Mapping[str, Any]) -> Timing:
    """Return a timing, changed as far as given."""
    return timing._replace(**{name: value for name, value in given.items() if value is not None})


def _check_none(**given: object) -> None:
    """Check that nothing is given that only messages of C12.22 have."""
    named = [name for name, value in given.items() if value is not None]
    if named:
        raise StateError(
            f"{', '.join(named)}: C12.18 and C12.21 have no titles and no keys of C12.22; who connects is known by user"
            " id and password"
        )
