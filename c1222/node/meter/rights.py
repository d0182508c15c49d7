"""What can be done, by ST0, and who may do it: passwords of ST42, rights of ST44, and those of ST43 for all else.

What the tables say is `c1219.rules.rights`. Where they say nothing, a meter must still decide (ours): anyone may read,
but not tables of passwords and keys, and who gave a password may write and execute; without ST42 everything is
allowed.
"""

from __future__ import annotations

from hmac import compare_digest
from typing import TYPE_CHECKING, Final, NamedTuple

from c1219.rules import offer
from c1219.rules.rights import AccessRules, holds_secrets, passwords
from c1219.tableid import table_label

if TYPE_CHECKING:
    from collections.abc import Iterable

    from c1219.rules.rights import PasswordEntry
    from c1222.node.meter.configuration import Shape

__all__ = ["EVERYONE", "NOBODY", "Grant", "Offer", "Rights", "offer_of", "rights_of"]

_PASSWORD_SIZE: Final = 20
_ALL: Final = 0xFF
_TABLES: Final = ("ST0", "ST40", "ST41", "ST42", "ST43", "ST44")


class Grant(NamedTuple):
    """What a peer may do.

    Attributes:
        groups: the groups it belongs to, a bit each.
        known: whether it gave a password.
    """

    groups: int = 0
    known: bool = False


NOBODY: Final = Grant()
"""A peer that gave no password."""
EVERYONE: Final = Grant(_ALL, known=True)
"""The device itself, and any peer of a device without passwords."""


class Rights:
    """The rights of one configuration.

    Args:
        passwords: entries of ST42; None where the device has no passwords at all.
        secret: labels of the tables of passwords and keys.
        rules: what ST43 and ST44 say.
    """

    __slots__ = ("_passwords", "_rules", "_secret")

    def __init__(self, passwords: Iterable[PasswordEntry] | None, secret: frozenset[str], rules: AccessRules) -> None:
        # Unused entries of the table are blank, and no password at all must not open them.
        self._passwords = (
            None
            if passwords is None
            else [(_padded(entry.password), entry.groups) for entry in passwords if not entry.blank]
        )
        self._secret = secret
        self._rules = rules

    @property
    def initial(self) -> Grant:
        """What a peer may do before it gives a password."""
        return EVERYONE if self._passwords is None else NOBODY

    def check(self, password: bytes) -> Grant | None:
        """Return what a password grants, None if it is wrong. Takes as long for any password.

        Args:
            password: as the service carries it, 20 octets filled up with spaces or zeros.
        """
        if self._passwords is None:
            return EVERYONE
        given = _padded(password)
        groups = -1
        for known, opened in self._passwords:
            same = compare_digest(known, given)
            groups = opened if same and groups < 0 else groups
        return None if groups < 0 else Grant(groups, known=True)

    def may_read(self, label: str, grant: Grant) -> bool:
        """Return whether a table may be read."""
        secret = label in self._secret and self._passwords is not None
        entry = self._rules.opens_reading(label, secret=secret)
        if entry is None:
            return not secret
        return entry.any_read or bool(entry.read & grant.groups)

    def may_write(self, label: str, grant: Grant) -> bool:
        """Return whether a table may be written, or a procedure executed."""
        entry = self._rules.of(label)
        if entry is None:
            return grant.known
        return entry.any_write or bool(entry.write & grant.groups)

    def __repr__(self) -> str:
        return f"<Rights of {len(self._rules.entries)} tables and procedures>"


def _padded(password: bytes) -> bytes:
    # Some peers fill up with zeros and some with spaces, and so do tables.
    return bytes(password).rstrip(b" \0").ljust(_PASSWORD_SIZE, b" ")


def rights_of(shape: Shape) -> Rights:
    """Return the rights of a configuration. For `Shape.derived`.

    ST44 can have 65,535 entries: it is not read again when another table is written.
    """
    rights: Rights = shape.derived_from(_TABLES, _rights)
    return rights


def _rights(shape: Shape) -> Rights:
    security, default, control = (shape.value(label) for label in ("ST42", "ST43", "ST44"))
    secret = frozenset(label for label in shape.derived(offer_of).used if holds_secrets(shape.device, label))
    return Rights(None if security is None else passwords(security), secret, AccessRules(default, control))


class Offer(NamedTuple):
    """What ST0 offers.

    Attributes:
        used: labels of the tables that exist.
        writable: of those that can be written.
        procedures: numbers of the procedures; a manufacturer's have 2048 added.
        by_offset: whether tables can be read and written by offset.
        by_index: whether by index.
        big: whether numbers in tables have their most significant octet first.
    """

    used: frozenset[str]
    writable: frozenset[str]
    procedures: frozenset[int]
    by_offset: bool
    by_index: bool
    big: bool


def offer_of(shape: Shape) -> Offer:
    """Return what the ST0 of a configuration offers. For `Shape.derived`."""
    st0 = shape.value("ST0")
    return Offer(
        frozenset(map(table_label, offer.tables(st0))),
        frozenset(map(table_label, offer.writable(st0))),
        offer.procedures(st0),
        offer.by_offset(st0),
        offer.by_index(st0),
        bool(st0.FORMAT_CONTROL_1.DATA_ORDER),
    )
