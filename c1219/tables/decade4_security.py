"""Decade 4: passwords, keys and who may do what (ST40 to ST47).

Passwords and keys decode to `c1219.values.Secret`, octets that do not show themselves when printed.
"""

from __future__ import annotations

from c1219.datatypes import BFLD, BOOL, OPAQUE_SECRET, SECRET, TABLE_IDC_BFLD, UINT8, UINT16
from c1219.schema import Array, Doc, Record, Table, device

__all__ = [
    "ACCESS_CONTROL_TBL", "ACCESS_PERMISSION_BFLD", "ACT_SECURITY_LIMITING_TBL", "DEFAULT_ACCESS_CONTROL_TBL",
    "DIM_SECURITY_LIMITING_TBL", "EXTENDED_KEY_TBL", "HOST_ACCESS_SECURITY_TBL", "KEY_TBL", "SECURITY_TBL", "TABLES",
]  # fmt: skip

ST41 = device.ST41


SECURITY_RCD = Record(
    "SECURITY_RCD",
    "NBR_PASSWORDS" / UINT8 * "Entries of ST42.",
    "PASSWORD_LEN" / UINT8 * Doc("Length of a password in ST42; the logon service carries 20.", unit="octet"),
    "NBR_KEYS" / UINT8 * "Entries of ST45.",
    "KEY_LEN" / UINT8 * Doc("Length of a key in ST45.", unit="octet"),
    "NBR_PERM_USED" / UINT16 * "Entries of ST44.",
)

ACCESS_PERMISSION_BFLD = BFLD(
    "ACCESS_PERMISSION_BFLD",
    UINT8,
    *(f"GROUP_PERM_{n}_FLAG" / BOOL(n) * f"Group {n}." for n in range(8)),
)

SECURITY_ENTRY_RCD = Record(
    "SECURITY_ENTRY_RCD",
    "PASSWORD" / SECRET(ST41.PASSWORD_LEN) * "Octets, compared as such.",
    "ACCESS_PERMISSIONS" / ACCESS_PERMISSION_BFLD * "Groups that a session with this password belongs to.",
)

ACCESS_CONTROL_DEFAULT_RCD = Record(
    "ACCESS_CONTROL_DEFAULT_RCD",
    "ACCESS_TABLE_DEFAULT" / TABLE_IDC_BFLD
    * "FLAG1: anyone may read; FLAG2: anyone may write or execute; the number is not used.",
    "READ" / ACCESS_PERMISSION_BFLD * "Groups that may read, or read the response of a procedure.",
    "WRITE" / ACCESS_PERMISSION_BFLD * "Groups that may write, or execute.",
)  # fmt: skip

ACCESS_CONTROL_ENTRY_RCD = Record(
    "ACCESS_CONTROL_ENTRY_RCD",
    "ACCESS_TABLE" / TABLE_IDC_BFLD
    * "Table or procedure. FLAG1: anyone may read; FLAG2: anyone may write or execute; FLAG3: not used.",
    "READ" / ACCESS_PERMISSION_BFLD * "Groups that may read.",
    "WRITE" / ACCESS_PERMISSION_BFLD * "Groups that may write, or execute.",
)  # fmt: skip

KEY_RCD = Record("KEY_RCD", "KEY" / SECRET(ST41.KEY_LEN) * "C12.21 authentication key: DES, 8 octets.")

DIM_SECURITY_LIMITING_TBL = Table(
    number=40,
    name="DIM_SECURITY_LIMITING_TBL",
    title="Dimension Security Limiting",
    role="limiting",
    since="1997",
    confidence="V",
    source="termineter; EPRI c12test; Hexing",
    record=SECURITY_RCD,
)

ACT_SECURITY_LIMITING_TBL = Table(
    number=41,
    name="ACT_SECURITY_LIMITING_TBL",
    title="Actual Security Limiting",
    role="actual",
    since="1997",
    confidence="V",
    source="termineter; EPRI c12test (which spells PASSWORDS_LEN); Hexing",
    record=SECURITY_RCD,
)

SECURITY_TBL = Table(
    number=42,
    name="SECURITY_TBL",
    title="Security",
    role="control",
    since="1997",
    confidence="V",
    source="termineter; Hexing",
    doc="Passwords and the groups they open. Most devices refuse to have it read.",
    record=Record(
        "SECURITY_TBL_RCD",
        "SECURITY_ENTRIES" / Array(ST41.NBR_PASSWORDS, SECURITY_ENTRY_RCD) * "One entry a password.",
    ),
)

DEFAULT_ACCESS_CONTROL_TBL = Table(
    number=43,
    name="DEFAULT_ACCESS_CONTROL_TBL",
    title="Default Access Control",
    role="control",
    since="1997",
    confidence="1",
    source="Hexing for the names, the octets inferred",
    doc="Rights of every table and procedure that ST44 does not mention.",
    record=Record(
        "DEFAULT_ACCESS_CONTROL_RCD",
        "TABLE_DEFAULT" / ACCESS_CONTROL_DEFAULT_RCD * "Tables.",
        "PROCEDURE_DEFAULT" / ACCESS_CONTROL_DEFAULT_RCD
        * Doc("Procedures; READ = may read the response, WRITE = may execute.", confidence="?"),
    ),
)  # fmt: skip

ACCESS_CONTROL_TBL = Table(
    number=44,
    name="ACCESS_CONTROL_TBL",
    title="Access Control",
    role="control",
    since="1997",
    confidence="V",
    source="termineter for layout and flags",
    doc="Access is allowed if the flag for anyone is set, or if the session and the entry share a group (rule ?).",
    record=Record(
        "ACCESS_CONTROL_RCD",
        "ACCESS_CONTROL" / Array(ST41.NBR_PERM_USED, ACCESS_CONTROL_ENTRY_RCD)
        * "One entry a table or procedure; those of tables that the device lacks are filler.",
    ),
)  # fmt: skip

KEY_TBL = Table(
    number=45,
    name="KEY_TBL",
    title="Key",
    role="control",
    since="1997",
    confidence="V",
    source="termineter",
    doc="Keys; in practice it can only be written.",
    record=Record(
        "KEY_TBL_RCD",
        "KEY_ENTRIES" / Array(ST41.NBR_KEYS, KEY_RCD)
        * Doc("Keys; the key id of C12.22 is an index into them, or into ST46.", confidence="1"),
    ),
)  # fmt: skip

EXTENDED_KEY_TBL = Table(
    number=46,
    name="EXTENDED_KEY_TBL",
    title="Extended Key",
    role="control",
    since="C12.22-2008",
    confidence="name only",
    source="Elster C12Adapter; Itron's C12.22 stack",
    doc="Keys with a cipher code: 0 DES, 1 3DES, perhaps 2 EAX'. The octets are secret.",
    record=Record("EXTENDED_KEY_RCD", "DATA" / OPAQUE_SECRET * "Octets; the layout is not known."),
)

HOST_ACCESS_SECURITY_TBL = Table(
    number=47,
    name="HOST_ACCESS_SECURITY_TBL",
    title="Host Access Security",
    role="control",
    since="C12.22-2008",
    confidence="name only",
    source="recollection of C12.22-2008",
    record=Record("HOST_ACCESS_SECURITY_RCD", "DATA" / OPAQUE_SECRET * "Octets; the layout is not known."),
)

TABLES = (
    DIM_SECURITY_LIMITING_TBL, ACT_SECURITY_LIMITING_TBL, SECURITY_TBL, DEFAULT_ACCESS_CONTROL_TBL, ACCESS_CONTROL_TBL,
    KEY_TBL, EXTENDED_KEY_TBL, HOST_ACCESS_SECURITY_TBL,
)  # fmt: skip
