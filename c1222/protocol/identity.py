"""Who sends: a title, the keys of its messages, and what keeps every one of them unique."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final, Literal

from c1222.errors import StateError
from c1222.message.acse_fields import invocation_ids
from c1222.message.aptitle import ApTitle
from c1222.security.keys import KeyStore
from c1222.security.sealing import SessionSecurity
from c1222.security.sending import SendGuard

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from c1222.security.keys import Key

__all__ = ["Identity", "first_id"]

_SHORT: Final = 0xFFFF
"""Largest invocation id of 2 octets."""


def first_id(utc: float, bits: Literal[16, 32] = 32) -> int:
    """Return an invocation id to start with: it grows with the time within the second, and ends at random.

    Programs that follow each other within a second may have one title, and so one vector, the time. Under it a header
    is new only if the id is, and a node takes only growing ids in sessions. It is never 0 or 1, with which others begin
    every session.

    Args:
        utc: true time, seconds since 1970 UTC, that the vector of the message is made of, too.
        bits: as the id may have.
    """
    chance = 10 if bits == 32 else 2
    first = 1 << bits - 3  # so long that no id above is skipped, and half of all ids are left to count on
    return first | int(utc % 1 * (first >> chance)) << chance | secrets.randbelow(1 << chance)


class Identity:
    """A node's own name. Everything that sends in this name shares one such object, and one thread uses it.

    Args:
        title: the calling title, in the form it is to have on the wire; None where the node has none yet.
        keys: a store, a single key, or octets by key id.
        guard: gives out vectors; one with a store keeps them unique over a restart. Names with the same keys may share
            one.
        ids: where invocation ids come from, increasing; from `first_id` on when None.
        id_bits: 32, or 16 for peers that store no more.

    Raises:
        EncodeError: the text is no title.
        InvalidKey: the keys cannot be used.
    """

    __slots__ = ("_id_bits", "_ids", "_scopes", "guard", "keys", "title")

    def __init__(
        self,
        title: ApTitle | str | None,
        keys: KeyStore | Key | Mapping[int, bytes] | None = None,
        *,
        guard: SendGuard | None = None,
        ids: Iterator[int] | None = None,
        id_bits: Literal[16, 32] = 32,
    ) -> None:
        self.title = ApTitle(title) if isinstance(title, str) else title
        self.keys = KeyStore.of(keys)
        self.guard = SendGuard() if guard is None else guard
        self._id_bits = id_bits
        self._ids: dict[int, Iterator[int]] = {} if ids is None else {16: ids, 32: ids}
        self._scopes: dict[int, str] = {}

    def next_id(self, utc: float, *, answers: int | None = None) -> int:
        """Return the invocation id of the next message.

        Args:
            utc: true time, seconds since 1970 UTC.
            answers: the id of the request that it answers; None if it answers none. Nodes of the c1222.net stack store
                no more than 2 octets [1], so the id of an answer is no longer than that of a request that fits them.
        """
        bits = self._id_bits if answers is None or answers > _SHORT else 16
        ids = self._ids.get(bits)
        if ids is None:
            ids = self._ids[bits] = invocation_ids(first_id(utc, bits), bits=bits)
        return next(ids)

    def secure(
        self,
        key_id: int,
        invocation_id: int,
        utc: float,
        *,
        called: ApTitle | None = None,
        session: SessionSecurity | None = None,
        opens_session: bool = False,
    ) -> tuple[SessionSecurity, bool]:
        """Return what a message is to be sealed with, and whether it has to carry that itself.

        Args:
            key_id: 0..255.
            invocation_id: of the message, from :meth:`next_id` and not used for another one.
            utc: true time, seconds since 1970 UTC.
            called: the node it is for.
            session: what our first message of the session carried; the message then does without, if that is safe.
            opens_session: it holds a Logon, which brings a vector of its own.

        Raises:
            EncodeError: the time has no form in 4 octets.
            StateError: no vector is left, or it cannot be saved.
        """
        scope = self._scope(key_id)
        to = b"" if called is None else called.absolute_content(self.keys.base_oid)
        if session is not None and session.key_id == key_id and not opens_session:
            try:
                self.guard.issue_in_session(scope, session.iv, invocation_id, called=to)
            except StateError:
                pass  # invocation ids began anew since: the message brings a vector of its own
            else:
                return session, False
        iv = self.guard.issue(scope, invocation_id, utc, called=to, opens_session=opens_session)
        return SessionSecurity(key_id, iv), True

    def can_secure(self, key_id: int, utc: float) -> bool:
        """Return whether another message can be sealed: there is a vector for it."""
        return self.guard.can_issue(self._scope(key_id), utc)

    def lead(self, key_id: int, utc: float) -> int:
        """Return by how many seconds the next vector is ahead of the true time."""
        return self.guard.lead(self._scope(key_id), utc)

    def _scope(self, key_id: int) -> str:
        scope = self._scopes.get(key_id)
        if scope is None:
            scope = self._scopes[key_id] = SendGuard.scope(self.title, key_id, self.keys.base_oid)
        return scope

    def same(self, one: ApTitle | None, other: ApTitle | None) -> bool:
        """Return whether two titles name the same node, whatever forms they are in."""
        if one == other:
            return True
        if one is None or other is None or one.is_empty or other.is_empty:
            return False
        base = self.keys.base_oid
        return one.absolute_content(base) == other.absolute_content(base)

    def __repr__(self) -> str:
        return f"<Identity {self.title}>"
