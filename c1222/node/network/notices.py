"""Notices: entries of a meter's event log, sent to a host as they are made, one way.

A notice writes the entry to ST76 of the host, at the offset it has in the meter's own; the NOTIFICATION bit says that
it is news and no order, and no answer is wanted. Origin: a one-way write with that bit and with the ED class is what
the published EAX' vectors show [V]; that the event log is what is written is ours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from c1222.message.epsem import ResponseControl, SecurityMode
from c1222.protocol.initiator.initiator import Initiator
from c1222.protocol.policy import UDP_LINK, Options
from c1222.services.table_data import TableData
from c1222.services.tables import WriteOffsetRequest

if TYPE_CHECKING:
    from collections.abc import Container

    from c1219.codes.events import EventCode
    from c1222.message.aptitle import ApTitle
    from c1222.node.meter.logs import Entry
    from c1222.node.meter.meter import SimulatedMeter
    from c1222.protocol.identity import Identity

__all__ = ["Notices"]

_NOTIFICATION: Final = 0b100
_EVENT_LOG: Final = 76
_MAX_WAITING: Final = 100


class Notices:
    """Tells a host of the events of one meter. Without a socket, a thread or a clock.

    Args:
        meter: the meter that notifies; its event log is listened to from now on.
        identity: the meter's, which its responder uses, too.
        host: title of the host.
        mode: how notices are secured.
        key_id: which key, in modes 1 and 2.
        events: those to tell of; all that are logged when None.

    Attributes:
        lost: entries that were not sent because too many were waiting.
    """

    def __init__(
        self,
        meter: SimulatedMeter,
        identity: Identity,
        host: ApTitle | str,
        *,
        mode: SecurityMode | int = SecurityMode.CLEARTEXT,
        key_id: int | None = None,
        events: Container[EventCode] | None = None,
    ) -> None:
        options = Options(ed_class=meter.device_class)
        self._initiator = Initiator(identity, host, mode=mode, key_id=key_id, link=UDP_LINK, options=options)
        self._events = events
        self._waiting: list[Entry] = []
        self.lost = 0
        meter.listener = self._note

    def _note(self, entry: Entry) -> None:
        if self._events is None or entry.event in self._events:
            if len(self._waiting) < _MAX_WAITING:
                self._waiting.append(entry)
            else:
                self.lost += 1

    def tick(self, *, now: float, utc: float) -> None:
        """Do nothing: notices are sent when they are asked for."""

    def apdus_to_send(self, *, now: float, utc: float) -> list[bytes]:
        """Return the APDUs to send to the host, once."""
        waiting, self._waiting = self._waiting, []
        for entry in waiting:
            request = WriteOffsetRequest(_EVENT_LOG, entry.offset, TableData(entry.octets))
            self._initiator.request(
                request, now=now, utc=utc, response_control=ResponseControl.NEVER, qualifier=_NOTIFICATION
            )
        self._initiator.events()
        return self._initiator.apdus_to_send()
