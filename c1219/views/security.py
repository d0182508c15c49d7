"""Who may read and write what: ST42 to ST45, held against the sets of ST0. Passwords and keys are never told.

A password opens groups. A table may be read or written, a procedure's response read or the procedure executed, if the
entry of ST44 says so for anyone or for a group that the password opened; ST43 has the entry of all that ST44 does not
mention. That one group in common is enough is a reading of ours.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from c1219.errors import Finding
from c1219.registry import table_label
from c1219.views.capabilities import capabilities
from c1219.views.records import record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from c1219.tableset import TableSet

__all__ = ["Access", "Password", "Permission", "Who", "access"]


class Password(NamedTuple):
    """One entry of ST42, without the password.

    Attributes:
        entry: index in ST42.
        groups: groups that it opens, 0..7.
        blank: it is all zeros, all blanks or all FF: filler, by custom.
    """

    entry: int
    groups: tuple[int, ...]
    blank: bool


class Who(NamedTuple):
    """Who may do one thing.

    Attributes:
        anyone: whoever asks, with a password or without.
        groups: members of these groups.
        passwords: entries of ST42 that open one of them; all of them if anyone may; None if ST42 is not here.
    """

    anyone: bool
    groups: tuple[int, ...]
    passwords: tuple[int, ...] | None

    def __str__(self) -> str:
        if self.anyone:
            return "anyone"
        return f"group{'s' * (len(self.groups) > 1)} {', '.join(map(str, self.groups))}" if self.groups else "nobody"


class Permission(NamedTuple):
    """Rights on one table or procedure of the device.

    Attributes:
        label: ``ST54``, ``MT1``, ``SP3`` or ``MP22``.
        name: name for people; "" if nobody declared it.
        kind: ``table`` or ``procedure``.
        read: who may read the table, or the response of the procedure; None if no table tells.
        write: who may write the table, or execute the procedure; None if no table tells.
        writable: ST0 says that the table can be written; True for procedures. If not, nobody may write.
        rule: where it is said: ``ST44.ACCESS_CONTROL[3]``, ``ST43.TABLE_DEFAULT``; None if nowhere.
    """

    label: str
    name: str
    kind: Literal["table", "procedure"]
    read: Who | None
    write: Who | None
    writable: bool
    rule: str | None

    def as_dict(self) -> dict[str, Any]:
        """Return it in terms of JSON."""
        return self._asdict() | {name: (who := getattr(self, name)) and who._asdict() for name in ("read", "write")}


class Access(NamedTuple):
    """Who may do what in a meter.

    Attributes:
        permissions: a row for each table and procedure that ST0 lists, procedures last.
        passwords: entries of ST42; None if it is not here.
        keys: entries of ST45; None if it is not here.
        findings: what is missing or does not fit.
    """

    permissions: tuple[Permission, ...]
    passwords: tuple[Password, ...] | None
    keys: int | None
    findings: tuple[Finding, ...]

    def of(self, label: str) -> Permission | None:
        """Return the rights on one table or procedure, None if the device has none of this name."""
        return next((row for row in self.permissions if row.label == label), None)

    def as_dict(self) -> dict[str, Any]:
        """Return it in terms of JSON."""
        return {
            "permissions": [row.as_dict() for row in self.permissions],
            "passwords": None if self.passwords is None else [password._asdict() for password in self.passwords],
            "keys": self.keys,
            "findings": [finding._asdict() for finding in self.findings],
        }

    def to_json(self) -> str:
        """Return it as JSON."""
        return json.dumps(self.as_dict(), ensure_ascii=False)


class _Rule(NamedTuple):
    """One entry of ST44 or ST43: where it is, and who may read and write by it."""

    path: str
    read: Who
    write: Who


def access(device: TableSet) -> Access:
    """Say who may read, write and execute what; no rows, and findings, without ST0.

    Args:
        device: the tables of the meter.
    """
    findings: list[Finding] = []
    config = record(device, 0, findings, level="error")
    if config is None:
        return Access((), None, None, tuple(findings))
    listed = {42, 45} & config.STD_TBLS_USED
    passwords = _passwords(device, findings) if 42 in listed or 42 in device else None
    keys = record(device, 45, findings) if 45 in listed or 45 in device else None
    rules = _Rules(device, passwords, findings)
    rows = tuple(_rows(device, rules))
    known = {row.label for row in rows}
    for label, rule in rules.entries.items():
        if label not in known:
            text = f"it has rights on {label}, which ST0 does not list: filler"
            findings.append(Finding("note", "not-listed", rule.path, None, text))
    return Access(rows, passwords, None if keys is None else len(keys.KEY_ENTRIES), tuple(dict.fromkeys(findings)))


def _passwords(device: TableSet, findings: list[Finding]) -> tuple[Password, ...] | None:
    table = record(device, 42, findings)
    if table is None:
        return None
    return tuple(
        Password(number, _groups(entry.ACCESS_PERMISSIONS), not bytes(entry.PASSWORD).strip(b" \0\xff"))
        for number, entry in enumerate(table.SECURITY_ENTRIES)
    )


def _groups(permissions: Any) -> tuple[int, ...]:
    return tuple(number for number, flag in enumerate(permissions) if flag)


class _Rules:
    """What ST43 and ST44 say.

    Attributes:
        entries: of ST44, by label.
        defaults: of ST43, for a table and for a procedure.
    """

    def __init__(self, device: TableSet, passwords: tuple[Password, ...] | None, findings: list[Finding]) -> None:
        self._passwords = passwords
        self.entries: dict[str, _Rule] = {}
        self.defaults: dict[str, _Rule] = {}
        default, control = record(device, 43, findings), record(device, 44, findings)
        for kind in ("table", "procedure") if default is not None else ():
            name = f"{kind.upper()}_DEFAULT"
            entry = getattr(default, name)
            self.defaults[kind] = self._rule(f"ST43.{name}", entry.ACCESS_TABLE_DEFAULT, entry)
        for number, entry in enumerate(() if control is None else control.ACCESS_CONTROL):
            place, path = entry.ACCESS_TABLE, f"ST44.ACCESS_CONTROL[{number}]"
            if not (any(place) or any(entry.READ) or any(entry.WRITE)):
                continue  # an entry of zeros is filler, and none for ST0
            label = _procedure_label(place) if place.PROC_FLAG else _table_label(place)
            if label in self.entries:
                text = f"it has rights on {label} again: {self.entries[label].path} counts"
                findings.append(Finding("warning", "twice", path, None, text))
            else:
                self.entries[label] = self._rule(path, place, entry)

    def _rule(self, path: str, flags: Any, entry: Any) -> _Rule:
        return _Rule(path, self._who(flags.FLAG1, entry.READ), self._who(flags.FLAG2, entry.WRITE))

    def _who(self, anyone: bool, permissions: Any) -> Who:
        groups = _groups(permissions)
        if self._passwords is None:
            return Who(anyone, groups, None)
        opened = (p.entry for p in self._passwords if anyone or (not p.blank and set(p.groups).intersection(groups)))
        return Who(anyone, groups, tuple(opened))

    def of(self, label: str, kind: Literal["table", "procedure"]) -> _Rule | None:
        return self.entries.get(label) or self.defaults.get(kind)

    @property
    def nobody(self) -> Who:
        return Who(anyone=False, groups=(), passwords=None if self._passwords is None else ())


def _table_label(place: Any) -> str:
    return table_label(place.TBL_PROC_NBR + 2048 * place.STD_VS_MFG_FLAG)


def _procedure_label(place: Any) -> str:
    return f"{'MP' if place.STD_VS_MFG_FLAG else 'SP'}{place.TBL_PROC_NBR}"


def _rows(device: TableSet, rules: _Rules) -> Iterator[Permission]:
    has = capabilities(device)
    for table in has.tables:
        rule = rules.of(table.label, "table")
        read, write, path = (rule.read, rule.write, rule.path) if rule is not None else (None, None, None)
        if not table.writable:
            write = rules.nobody
        yield Permission(table.label, table.title, "table", read, write, table.writable, path)
    for procedure in has.procedures:
        rule = rules.of(procedure.label, "procedure")
        read, write, path = (rule.read, rule.write, rule.path) if rule is not None else (None, None, None)
        yield Permission(procedure.label, procedure.name, "procedure", read, write, writable=True, rule=path)
