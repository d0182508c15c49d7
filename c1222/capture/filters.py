"""Which messages of a capture are wanted: by node, table, service, outcome, time and security.

    wanted = MessageFilter(node=".123.8437", tables=["ST23"])
    for message in filter(wanted, decode_capture("trace.pcapng", keys=keys)): ...

A response passes by table and service if the request that it answers does, so that both are shown.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from c1219.rules.timekeeping import utc
from c1219.tableid import TableId, table_id
from c1222.capture.message import EPOCH, UNTIMED
from c1222.errors import EncodeError
from c1222.message.aptitle import DEFAULT_BASE, ApTitle
from c1222.services import REQUESTS, SERVICE_NAMES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from c1222.capture.message import CapturedMessage
    from c1222.services import Service

__all__ = ["MessageFilter", "parse_time"]

_CODES: Final = range(min(REQUESTS), 0x100)


def parse_time(text: str) -> datetime:
    """Return the instant that a text tells.

    Args:
        text: date, or date and time, in ISO 8601; UTC where it names no zone.

    Raises:
        EncodeError: it is none.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise EncodeError(f"{text!r} is no time: write 2024-05-31, or 2024-05-31T12:00:00+02:00") from None
    return utc(moment) if moment.tzinfo is None else moment


class MessageFilter:
    """True of the messages that are wanted: those that pass all that is asked for.

    Args:
        node: ApTitle, relative or absolute, of a node that called or was called; or an address, with or without port,
            for nodes without title.
        tables: numbers or names, such as 23, ``"ST23"`` or ``"MT5"``; one of them is read or written. Pending copies of
            a table are meant, too.
        services: names or codes, such as ``"read-offset"``, 0x3F or ``"0x3F"``; one of them is asked for, of one of the
            tables if there are any.
        errors: only messages with findings of level error, and responses with a code other than ok.
        since: time of the first message.
        until: time before which the last message was captured.
        verified: True: only messages whose MAC is right; False: only others, cleartext among them; None: all.
        base: what makes relative titles absolute.

    Raises:
        EncodeError: there is no such service, the title is none, or a time has no zone.
        UnknownTable: there is no such table.
    """

    def __init__(
        self,
        *,
        node: str | ApTitle | None = None,
        tables: Iterable[int | str] = (),
        services: Iterable[int | str] = (),
        errors: bool = False,
        since: datetime | None = None,
        until: datetime | None = None,
        verified: bool | None = None,
        base: ApTitle = DEFAULT_BASE,
    ) -> None:
        self._base = base
        self._address: str | None = None
        self._node: bytes | None = None
        if isinstance(node, str) and ":" in node:
            self._address = node
        elif node is not None:
            self._node = ApTitle(str(node)).absolute(base).content
        self._tables = frozenset(map(table_id, tables))
        self._services = frozenset([code for service in services for code in _codes(service)])
        self._errors = errors
        self._since = None if since is None else _nanoseconds(since)
        self._until = None if until is None else _nanoseconds(until)
        self._verified = verified

    def __bool__(self) -> bool:
        """Whether anything is asked for."""
        return bool(
            self._node is not None
            or self._address is not None
            or self._tables
            or self._services
            or self._errors
            or self._since is not None
            or self._until is not None
            or self._verified is not None
        )

    def __call__(self, message: CapturedMessage, tables: Sequence[dict[str, Any] | None] = ()) -> bool:
        """Tell whether a message is wanted.

        Args:
            message: the message.
            tables: what is known of its table data, as `TableReader.read` returns it; its findings count, too.
        """
        return (
            self._in_time(message)
            and (self._verified is None or self._verified is (message.authenticated is True))
            and (self._node is None or self._of_node(message))
            and (self._address is None or self._at_address(message))
            and (not (self._tables or self._services) or self._asks(message))
            and (not self._errors or _failed(message, tables))
        )

    def _in_time(self, message: CapturedMessage) -> bool:
        if self._since is None and self._until is None:
            return True
        time = message.time_ns
        return (
            time != UNTIMED
            and (self._since is None or self._since <= time)
            and (self._until is None or time < self._until)
        )

    def _of_node(self, message: CapturedMessage) -> bool:
        return any(
            title is not None and title.absolute(self._base).content == self._node
            for title in (message.calling, message.called)
        )

    def _at_address(self, message: CapturedMessage) -> bool:
        return any(self._address in {end, end.rpartition(":")[0]} for end in (message.src, message.dst))

    def _asks(self, message: CapturedMessage) -> bool:
        services: Sequence[Service] = message.services
        if message.is_response:
            services = message.asked or services
        return any(map(self._wants, services))

    def _wants(self, service: Any) -> bool:
        if service.kind != "request":
            return False
        if self._services and service.code not in self._services:
            return False
        if not self._tables:
            return True
        table = getattr(service, "table", None)
        if table is None or TableId(table).beyond:
            return False
        return TableId(table).plain in self._tables


def _failed(message: CapturedMessage, tables: Sequence[dict[str, Any] | None]) -> bool:
    if message.is_response and any(0 < octets[0] < _CODES[0] for octets in message.service_octets):
        return True
    if any(finding.level == "error" for finding in message.findings):
        return True
    return any(finding["level"] == "error" for one in tables if one for finding in one.get("findings", ()))


def _codes(service: int | str) -> list[int]:
    """Return the codes of a service."""
    codes = [code for code, name in SERVICE_NAMES.items() if name == service]
    if codes:
        return codes
    try:
        code = int(service, 0) if isinstance(service, str) else service
    except ValueError:
        names = ", ".join(dict.fromkeys(SERVICE_NAMES.values()))
        raise EncodeError(f"there is no service {service!r}; services: {names}") from None
    if code not in _CODES:
        raise EncodeError(f"{code} is no code of a request: these are {_CODES[0]} to {_CODES[-1]}")
    return [code]


def _nanoseconds(moment: datetime) -> int:
    if moment.tzinfo is None:
        raise EncodeError(f"the time {moment} has no zone")
    return (moment - EPOCH) // timedelta(microseconds=1) * 1000
