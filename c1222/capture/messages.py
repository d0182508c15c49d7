"""Messages of a capture as rows: the columns are the keys of ``c1222.message/1``, as `c1222.capture.jsonl` writes them.

messages = Messages(decode_capture("trace.pcapng", keys=keys))
messages.to_polars().group_by("called", "security_mode").len()
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from c1219.tabular.schema import RowColumn, RowSchema
from c1219.tabular.view import Tabular
from c1222.capture.jsonl import SCHEMA, as_dict, finding_as_dict
from c1222.capture.message import CapturedMessage
from c1222.errors import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["MESSAGES", "Messages", "message_row"]

MESSAGES: Final = RowSchema(
    SCHEMA,
    "One message of a capture.",
    (
        RowColumn("frame", "int64", "number of the frame that completed it, from 1", null=False),
        RowColumn("time_ns", "int64", "nanoseconds since 1970-01-01 UTC"),
        RowColumn("src", "word", "sender: `address:port`, `[address]:port`, `client`, `device:0`", null=False),
        RowColumn("dst", "word", "receiver, likewise", null=False),
        RowColumn("transport", "word", "`udp`, `tcp` or `serial`", null=False),
        RowColumn("called", "word", "called ApTitle; a leading dot for a relative one"),
        RowColumn("calling", "word", "calling ApTitle, likewise"),
        RowColumn("called_invocation_id", "int64", "in a response, the number of the request"),
        RowColumn("calling_invocation_id", "int64", "number that the sender gave it"),
        RowColumn("application_context", "word", "object identifier; null for that of C12.22"),
        RowColumn("calling_ae_qualifier", "int64", "bits 0 TEST, 1 URGENT, 2 NOTIFICATION"),
        RowColumn("mechanism", "word", "of authentication; null for that of C12.22"),
        RowColumn("key_id", "int64", "which key secures it"),
        RowColumn("iv", "string", "initialization vector in hex"),
        RowColumn("security_mode", "word", "`cleartext`, `cleartext-authentication`, `ciphertext-authentication`"),
        RowColumn("authenticated", "bool", "whether the MAC is right; null in cleartext, or without key"),
        RowColumn("response_control", "word", "`always`, `on-exception`, `never`, `reserved`"),
        RowColumn("ed_class", "word", "class of the end device in hex"),
        RowColumn("services", "json", "the services, as objects", null=False),
        RowColumn("reply_to", "int64", "frame of the request that it answers"),
        RowColumn("segments", "integers", "frames of its segments"),
        RowColumn("findings", "json", "what is wrong or unusual, also a number that is null as too large", null=False),
    ),
    key=("frame",),
)  # fmt: skip

_NUMBERS: Final = tuple(column.name for column in MESSAGES.columns if column.type == "int64")
_LIMIT: Final = 1 << 63


class Messages(list[CapturedMessage], Tabular):
    """Messages of a capture, in a list that becomes a table or data frame. Passwords and keys are concealed."""

    __slots__ = ()

    schema = MESSAGES

    def table_rows(self) -> Iterator[Sequence[Any]]:
        return map(message_row, self)


def message_row(
    message: CapturedMessage, *, tables: Sequence[dict[str, Any] | None] = (), show_secrets: bool = False
) -> tuple[Any, ...]:
    """Return the row of a message; arguments as for `c1222.capture.jsonl.as_dict`.

    A peer may send a number that 64 bits do not hold: the column is null then, and a finding has the number.
    """
    values = as_dict(message, tables=tables, show_secrets=show_secrets)
    for name in _NUMBERS:
        number = values[name]
        if number is not None and not -_LIMIT <= number < _LIMIT:
            values[name] = None
            text = f"{name} is {number:#x}, more than 64 bits"
            remark = Finding("warning", "too-large", "message", None, text)
            values["findings"] = [*values["findings"], finding_as_dict(remark)]
    return tuple([values[name] for name in MESSAGES.names])
