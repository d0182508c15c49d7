"""Who may read and write what: ST42 to ST45, checked against the sets of ST0. Passwords and keys are never shown.

A password opens groups. A table may be read or written, a procedure's response read or the procedure executed, if the
entry of ST44 says so for anyone or for a group that the password opened; ST43 has the entry of all that ST44 does not
mention. That one group in common is enough is a reading of ours.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from c1219.errors import Finding
from c1219.rules import rights
from c1219.rules.offer import tables
from c1219.rules.rights import AccessRules
from c1219.tabular.schema import METER, RowColumn, RowSchema
from c1219.tabular.view import Tabular
from c1219.views.capabilities import capabilities
from c1219.views.origin import MeterOrigin, origin
from c1219.views.records import record

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

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
        anyone: every peer, with a password or without.
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
        read: who may read the table, or the response of the procedure; None if no table says.
        write: who may write the table, or execute the procedure; None if no table says.
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


ACCESS: Final = RowSchema(
    "c1219.access/1",
    "Who may do what with one table or procedure of one meter.",
    (
        *METER,
        RowColumn("label", "word", "`ST54`, `MT1`, `SP3` or `MP22`", null=False),
        RowColumn("name", "word", "name for people", null=False),
        RowColumn("kind", "word", "`table` or `procedure`", null=False),
        RowColumn("read", "word", "who may read it: `anyone`, `nobody`, groups; null if no table tells", "ST43, ST44"),
        RowColumn("write", "word", "who may write or execute it, likewise", "ST43, ST44"),
        RowColumn("writable", "bool", "it can be written; true for procedures", "ST0", null=False),
        RowColumn("rule", "string", "element that says so; null if none does"),
    ),
    key=("meter", "label"),
)


class _Access(NamedTuple):
    permissions: tuple[Permission, ...]
    passwords: tuple[Password, ...] | None
    keys: int | None
    findings: tuple[Finding, ...]
    origin: MeterOrigin = MeterOrigin()


class Access(_Access, Tabular):
    """Who may do what in a meter.

    Attributes:
        permissions: a row for each table and procedure that ST0 lists, procedures last.
        passwords: entries of ST42; None if it is not here.
        keys: entries of ST45; None if it is not here.
        findings: what is missing or does not fit.
        origin: which meter it is of.
    """

    __slots__ = ()

    schema = ACCESS

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

    def table_rows(self) -> Iterator[Sequence[Any]]:
        for row in self.permissions:
            who = (None if who is None else str(who) for who in (row.read, row.write))
            yield (self.origin.meter, self.origin.node, row.label, row.name, row.kind, *who, row.writable, row.rule)

    def to_json(self) -> str:
        """Return it as JSON."""
        return json.dumps(self.as_dict(), ensure_ascii=False)


def access(device: TableSet) -> Access:
    """Say who may read, write and execute what; no rows, and findings, without ST0.

    Args:
        device: the tables of the meter.
    """
    findings: list[Finding] = []
    config = record(device, 0, findings, level="error")
    if config is None:
        return Access((), None, None, tuple(findings), origin(device))
    listed = {42, 45} & tables(config)
    passwords = _passwords(device, findings) if 42 in listed or 42 in device else None
    keys = record(device, 45, findings) if 45 in listed or 45 in device else None
    rules = AccessRules(record(device, 43, findings), record(device, 44, findings))
    for number, label in rules.repeated:
        text = f"it has rights on {label} again: {rules.entries[label].path} counts"
        findings.append(Finding("warning", "twice", f"ST44.ACCESS_CONTROL[{number}]", None, text))
    rows = tuple(_rows(device, rules, passwords))
    known = {row.label for row in rows}
    for label, rule in rules.entries.items():
        if label not in known:
            text = f"it has rights on {label}, which ST0 does not list: filler"
            findings.append(Finding("note", "not-listed", rule.path, None, text))
    count = None if keys is None else len(keys.KEY_ENTRIES)
    return Access(rows, passwords, count, tuple(dict.fromkeys(findings)), origin(device))


def _passwords(device: TableSet, findings: list[Finding]) -> tuple[Password, ...] | None:
    table = record(device, 42, findings)
    if table is None:
        return None
    return tuple(
        Password(number, _numbers(entry.groups), entry.blank) for number, entry in enumerate(rights.passwords(table))
    )


def _numbers(groups: int) -> tuple[int, ...]:
    return tuple(number for number in range(8) if groups >> number & 1)


def _who(anyone: bool, groups: int, passwords: tuple[Password, ...] | None) -> Who:
    numbers = _numbers(groups)
    if passwords is None:
        return Who(anyone, numbers, None)
    opened = (p.entry for p in passwords if anyone or (not p.blank and set(p.groups).intersection(numbers)))
    return Who(anyone, numbers, tuple(opened))


def _rows(device: TableSet, rules: AccessRules, passwords: tuple[Password, ...] | None) -> Iterator[Permission]:
    has = capabilities(device)
    rows: list[tuple[str, str, Literal["table", "procedure"], bool]] = [
        *((table.label, table.title, "table", table.writable) for table in has.tables),
        *((procedure.label, procedure.name, "procedure", True) for procedure in has.procedures),
    ]
    for label, name, kind, writable in rows:
        secret = kind == "table" and rights.holds_secrets(device, label)
        rule, reads = rules.of(label), rules.opens_reading(label, secret=secret)
        read = None if reads is None else _who(reads.any_read, reads.read, passwords)
        write = None if rule is None else _who(rule.any_write, rule.write, passwords)
        if not writable:
            write = _who(False, 0, passwords)
        yield Permission(label, name, kind, read, write, writable, None if rule is None else rule.path)
