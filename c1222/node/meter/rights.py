"""What can be done, by ST0, and who may do it: passwords of ST42, rights of ST44, and those of ST43 for all else.

A password opens up to eight groups. A table may be read, written, or a procedure executed, if its entry says so for
anyone, or for a group that the password opened. Origin: the flags of ST42 to ST44 from termineter [V]; that a shared
group is enough is inference [?]. Ours: without ST43 and ST44 anyone may read, and whoever gave a password may write and
execute; tables of passwords and keys can be read only where ST44 has an entry for them; without ST42 everything is
allowed.
"""

from __future__ import annotations

from hmac import compare_digest
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from c1219.errors import UnknownTable

if TYPE_CHECKING:
    from c1222.node.meter.configuration import Shape

__all__ = ["EVERYONE", "NOBODY", "Grant", "Offer", "Rights", "offer_of", "rights_of"]

_PASSWORD_SIZE: Final = 20
_ALL: Final = 0xFF


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


class _Entry(NamedTuple):
    any_read: bool
    any_write: bool
    read: int
    write: int


class Rights:
    """The rights of one configuration.

    Args:
        passwords: each with the groups it opens; None where the device has no passwords at all.
        secret: labels of the tables of passwords and keys.
        tables: entries by label.
        procedures: entries by label (``SP3``, ``MP1``).
        table_default: the entry for other tables, or None.
        procedure_default: that for other procedures.
    """

    __slots__ = ("_passwords", "_procedure_default", "_procedures", "_secret", "_table_default", "_tables")

    def __init__(
        self,
        passwords: list[tuple[bytes, int]] | None,
        secret: frozenset[str],
        tables: dict[str, _Entry],
        procedures: dict[str, _Entry],
        table_default: _Entry | None,
        procedure_default: _Entry | None,
    ) -> None:
        # Unused entries of the table are blank, and no password at all must not open them.
        self._passwords = None if passwords is None else [(_padded(p), groups) for p, groups in passwords if _used(p)]
        self._secret = secret
        self._tables = tables
        self._procedures = procedures
        self._table_default = table_default
        self._procedure_default = procedure_default

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
        entry = self._tables.get(label)
        if entry is None:
            if label in self._secret and self._passwords is not None:
                return False
            entry = self._table_default
        return entry is None or entry.any_read or bool(entry.read & grant.groups)

    def may_write(self, label: str, grant: Grant) -> bool:
        """Return whether a table may be written."""
        return _may(self._tables.get(label) or self._table_default, grant)

    def may_execute(self, label: str, grant: Grant) -> bool:
        """Return whether a procedure may be executed."""
        return _may(self._procedures.get(label) or self._procedure_default, grant)

    def __repr__(self) -> str:
        return f"<Rights of {len(self._tables)} tables and {len(self._procedures)} procedures>"


def _may(entry: _Entry | None, grant: Grant) -> bool:
    if entry is None:
        return grant.known
    return entry.any_write or bool(entry.write & grant.groups)


def _padded(password: bytes) -> bytes:
    # Some peers fill up with zeros and some with spaces, and so do tables.
    return bytes(password).rstrip(b" \0").ljust(_PASSWORD_SIZE, b" ")


def _used(password: bytes) -> bool:
    return bool(password.strip(b" \0\xff"))


def rights_of(shape: Shape) -> Rights:
    """Return the rights of a configuration. For `Shape.derived`."""
    security, default, control = (shape.value(label) for label in ("ST42", "ST43", "ST44"))
    passwords: list[tuple[bytes, int]] | None = None
    if security is not None:
        passwords = [(bytes(entry.PASSWORD), _groups(entry.ACCESS_PERMISSIONS)) for entry in security.SECURITY_ENTRIES]
    tables: dict[str, _Entry] = {}
    procedures: dict[str, _Entry] = {}
    for entry in () if control is None else control.ACCESS_CONTROL:
        place = entry.ACCESS_TABLE
        if not any(place) and not any(entry.READ) and not any(entry.WRITE):
            continue  # filler: taken as an entry for ST0 it would lock everybody out
        known = procedures if place.PROC_FLAG else tables
        name = ("MP" if place.STD_VS_MFG_FLAG else "SP") if place.PROC_FLAG else "MT" if place.STD_VS_MFG_FLAG else "ST"
        known.setdefault(f"{name}{place.TBL_PROC_NBR}", _entry(place, entry))
    of_tables = of_procedures = None
    if default is not None:
        of_tables = _entry(default.TABLE_DEFAULT.ACCESS_TABLE_DEFAULT, default.TABLE_DEFAULT)
        of_procedures = _entry(default.PROCEDURE_DEFAULT.ACCESS_TABLE_DEFAULT, default.PROCEDURE_DEFAULT)
    secret = frozenset(label for label in shape.derived(offer_of).used if _is_secret(shape, label))
    return Rights(passwords, secret, tables, procedures, of_tables, of_procedures)


def _is_secret(shape: Shape, label: str) -> bool:
    try:
        return shape.device.declaration(label).secret
    except UnknownTable:
        return False


def _entry(place: Any, entry: Any) -> _Entry:
    return _Entry(bool(place.FLAG1), bool(place.FLAG2), _groups(entry.READ), _groups(entry.WRITE))


def _groups(flags: Any) -> int:
    return sum(bool(flag) << number for number, flag in enumerate(flags))


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
    access = st0.FORMAT_CONTROL_2.DATA_ACCESS_METHOD

    def labels(standard: Any, manufacturer: Any) -> frozenset[str]:
        return frozenset([f"ST{n}" for n in standard] + [f"MT{n}" for n in manufacturer])

    return Offer(
        labels(st0.STD_TBLS_USED, st0.MFG_TBLS_USED),
        labels(st0.STD_TBLS_WRITE, st0.MFG_TBLS_WRITE),
        frozenset([*st0.STD_PROC_USED, *(0x800 + n for n in st0.MFG_PROC_USED)]),
        bool(access & 1),
        bool(access & 2),
        bool(st0.FORMAT_CONTROL_1.DATA_ORDER),
    )
