"""The columns of decoded batches: those of ``c1222.message/1``, with the services as a list of structures.

Of a service the columns have what tables and readings are made of. Whatever else its object in JSON has is in ``more``,
so that nothing is lost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from c1219.tabular.arrow import arrow_schema
from c1219.tabular.schema import RowColumn, RowSchema
from c1222.capture.messages import MESSAGES, message_row
from c1222.services import REDACTED
from c1222.services.tables import Carrier, TableAccess

if TYPE_CHECKING:
    import pyarrow as pa

    from c1222.capture.message import CapturedMessage
    from c1222.services import Service

__all__ = ["BULK_MESSAGES", "SERVICE", "SERVICES_TYPE", "bulk_row", "service_row"]

SERVICE: Final = (
    RowColumn("code", "int16", "of the request or response", null=False),
    RowColumn("service", "word", "name of the service; null where none is known"),
    RowColumn("kind", "word", "`request` or `response`", null=False),
    RowColumn("result", "word", "of a response, `ok` or what else"),
    RowColumn("table", "int32", "read or written, with the manufacturer's bit; in a response that of its request"),
    RowColumn("offset", "int64", "first octet, likewise"),
    RowColumn("count", "int64", "octets or elements, likewise"),
    RowColumn("indices", "integers", "first element, likewise"),
    RowColumn("data", "binary", "octets of the table; null where they are concealed"),
    RowColumn("checksum_ok", "bool", "whether the checksum of the data is right"),
    RowColumn("more", "json", "all else that its object in JSON has"),
)
"""The members of a service."""

_WHERE: Final = ("table", "offset", "count", "indices")
_SERVICES: Final = MESSAGES.names.index("services")
_COLUMN: Final = RowColumn(
    "services",
    "structures",
    "the services",
    null=False,
    members=SERVICE,
)

BULK_MESSAGES: Final = RowSchema(
    "c1222.bulk.message/1",
    "One message of a capture; the columns of c1222.message/1, with services as structures.",
    tuple([_COLUMN if column.name == "services" else column for column in MESSAGES.columns]),
    key=MESSAGES.key,
)


SERVICES_TYPE: Final = cast("pa.ListType", arrow_schema(BULK_MESSAGES).field("services").type)
"""Of the column of services."""


def bulk_row(message: CapturedMessage) -> tuple[Any, ...]:
    """Return the row of a message."""
    row = message_row(message)
    services = tuple(map(service_row, message.services))
    return (*row[:_SERVICES], services, *row[_SERVICES + 1 :])


def service_row(service: Service) -> tuple[Any, ...]:
    """Return the members of a service; passwords and keys are concealed."""
    more = service.as_dict()
    request = service if isinstance(service, TableAccess) else getattr(service, "request", None)
    where = [getattr(request, name, None) if isinstance(request, TableAccess) else None for name in _WHERE]
    if request is service:
        for name in _WHERE:
            more.pop(name, None)
    data = None
    if isinstance(service, Carrier) and more["data"] != REDACTED:
        data = service.data
        del more["data"]
    head = [more.pop(name, None) for name in ("code", "service", "kind", "result")]
    checksum_ok = more.pop("checksum_ok", None)
    return (*head, *where, data, checksum_ok, more or None)
