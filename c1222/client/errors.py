"""What can go wrong in a conversation with a meter, beside the errors of the core and the meter's own refusals.

    RemoteError
    ├── PasswordRefused       Security was refused; carries the refusal
    ├── LogonRefused          Logon was refused; carries the refusal
    ├── CutShort              an answer is shorter than what was asked for; carries the octets
    ├── ChecksumWrong         the checksum of table data is wrong
    ├── ReadInterrupted       a read of several pieces ended early; carries them, and can be resumed
    ├── WriteUnknown          nobody knows whether a write was carried out; can be repeated safely
    ├── HalfWritten           a write of several pieces ended early
    ├── ProcedureRefused      the procedure did not run, ST8 says why; carries the result
    ├── ProcedureUnanswered   ST8 holds the result of another procedure
    └── Refusal
        └── Iar
            └── TableAbsent   inappropriate action, and the meter's ST0 does not list the table

A meter's refusal is raised as the class of its response code (`c1222.services.results`), whose text says in words what
the meter answered, what usually causes it, and what to try.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from c1222.errors import ConnectionLost, PeerSilent, RemoteError, SecurityRefused, SessionLost, Unreachable
from c1222.protocol.state import ExchangeState
from c1222.services.results import Iar
from c1222.services.tables import table_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from c1222.client.operations.read_so_far import ReadSoFar
    from c1222.errors import C1222Error
    from c1222.protocol.initiator.exchange import Exchange
    from c1222.services.results import Refusal

__all__ = [
    "ChecksumWrong",
    "CutShort",
    "HalfWritten",
    "LogonRefused",
    "PasswordRefused",
    "ProcedureRefused",
    "ProcedureUnanswered",
    "ReadInterrupted",
    "TableAbsent",
    "WriteUnknown",
    "explained",
]


class PasswordRefused(RemoteError):
    """The meter refused the password, or the user it is for.

    Attributes:
        refusal: its answer.
    """

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(
            f"the meter refused the password ({refusal.name}, {refusal.title}). Check password, user id, and the"
            " padding to 20 octets; meters count failures and may lock."
        )
        self.refusal = refusal


class LogonRefused(RemoteError):
    """The meter opened no session.

    Attributes:
        refusal: its answer.
    """

    def __init__(self, refusal: Refusal, user_id: int) -> None:
        super().__init__(
            f"the meter refused the logon of user {user_id} ({refusal.name}, {refusal.title}). Check user id and name;"
            " a meter may also hold as many sessions as it can: wait until one has been idle for too long."
        )
        self.refusal = refusal


class TableAbsent(Iar):
    """The meter has no such table: it refuses it, and its ST0 does not list it."""

    cause = "Its ST0 does not list the table."
    remedy = "Read ST0.STD_TBLS_USED and ST0.MFG_TBLS_USED to see which tables it has."


class CutShort(RemoteError):
    """An answer is shorter than what was asked for.

    Attributes:
        octets: what came.
    """

    def __init__(self, what: str, octets: bytes, wanted: int) -> None:
        super().__init__(
            f"{what}: {len(octets)} octets came, {wanted} were expected. Read it again; if that does not help, the"
            " table is not what the meter's other tables say: read_octets gives it as it is."
        )
        self.octets = octets

    @classmethod
    def unanswered(cls, what: str) -> CutShort:
        """Return the error for a service whose response is missing from the answer."""
        error = cls(what, b"", 0)
        error.args = (f"{what}: the answer ends before its response. Ask for fewer things in one message.",)
        return error


class ChecksumWrong(RemoteError):
    """The checksum of table data is wrong.

    Attributes:
        octets: what came.
    """

    def __init__(self, what: str, octets: bytes) -> None:
        super().__init__(f"{what}: the checksum of its {len(octets)} octets is wrong. Read it again.")
        self.octets = octets


class ReadInterrupted(RemoteError):
    """A read of several pieces ended early. Pass it as ``resume`` to the same verb to go on where it ended.

    Attributes:
        gathered: what was read so far.
        reason: why it ended.
    """

    def __init__(self, gathered: ReadSoFar, reason: C1222Error) -> None:
        total = "" if gathered.total is None else f" of {gathered.total}"
        super().__init__(
            f"the read ended after {gathered.done}{total} octets: {reason} What was read is kept in this error: give it"
            " to the same verb as `resume` to go on from there."
        )
        self.gathered = gathered
        self.reason = reason

    @property
    def pieces(self) -> Mapping[int, Mapping[int, bytes]]:
        """What was read so far: table identifier, offset, octets."""
        return self.gathered.pieces


class WriteUnknown(RemoteError):
    """Nobody knows whether a write was carried out: it was sent, and no answer came.

    Attributes:
        table: identifier of the table; None if it is no write of a table.
        exchange: what was sent.
        reason: why there is no answer.
        finish: what the verb would have done with the answer.
    """

    def __init__(self, table: int | None, exchange: Exchange, reason: C1222Error) -> None:
        self.can_be_repeated = exchange.state is ExchangeState.SILENT
        what = "the request was carried out" if table is None else f"{table_name(table)} was written"
        remedy = (
            "Call `repeat` with this error soon: it sends the same octets again, which the meter does not carry out"
            " twice. Or read the table back."
            if self.can_be_repeated
            else "Connect again, and read the table back before writing it again."
        )
        super().__init__(f"it is unknown whether {what}: {reason} {remedy}")
        self.table = table
        self.exchange = exchange
        self.reason = reason
        self.finish: Callable[[Any], Any] | None = None


class HalfWritten(RemoteError):
    """A write of several pieces ended early: the table holds new octets, then old ones.

    Attributes:
        table: identifier of the table.
        written: octets that the meter said it has written.
        total: octets to write.
        reason: why it ended; a `WriteUnknown` if nobody knows whether the next piece is written.
    """

    def __init__(self, table: int, written: int, total: int, reason: C1222Error) -> None:
        super().__init__(
            f"{table_name(table)} is partly written: {written} of {total} octets are in the meter, then: {reason} Write"
            " it again from the start, which does no harm; until then it is a mixture of old and new."
        )
        self.table = table
        self.written = written
        self.total = total
        self.reason = reason


class ProcedureRefused(RemoteError):
    """The procedure did not run: ST8 says why.

    Attributes:
        result: what ST8 says.
    """

    def __init__(self, name: str, result: Any) -> None:
        super().__init__(
            f"{name}: the meter answers result {result.code}, {result.text}. {_REMEDIES.get(result.code, '')}"
        )
        self.result = result


class ProcedureUnanswered(RemoteError):
    """ST8 does not hold the result of the procedure. Whether it ran is unknown."""

    def __init__(self, name: str, polls: int) -> None:
        super().__init__(
            f"{name}: after {polls} reads ST8 still holds the result of another procedure. Somebody else may run"
            " procedures on this meter; look for what this one should have changed."
        )


_REMEDIES = {
    2: "Check the parameters: `c1222 tables show` and c1219.tables.procedures tell their form.",
    3: "Check the mode the meter is in, and its setup.",
    4: "Try again later.",
    5: "Use a user with more rights.",
    6: "See ST0.STD_PROC_USED and ST0.MFG_PROC_USED for the procedures that the meter has.",
}

_SILENT = "Check that it is on, and that address and called title are right"
_SECURED = "{}; if they are, that key, key id and both clocks fit: a meter silently drops what it cannot verify."
_SILENT_LINE = (
    "Check that the probe sits right, on the meter's optical port (some have to be turned by 180 degrees), has"
    " power (options rts and dtr), that the rate is right, and that this meter speaks C12.18 or C12.21 there"
)


def explained(error: C1222Error, *, secured: bool, serial: bool = False, dropped: str = "") -> C1222Error:
    """Return an error of the core with what to try.

    Args:
        error: the error.
        secured: whether requests are secured.
        serial: whether the meter is at a serial line.
        dropped: what else was received and ignored, in words.
    """
    if isinstance(error, PeerSilent) and serial:
        advice = f"{_SILENT_LINE}."
    elif isinstance(error, PeerSilent):
        advice = _SECURED.format(_SILENT) if secured else f"{_SILENT}. Meters with keys silently drop cleartext."
    elif isinstance(error, Unreachable):
        advice = "Check host and port, and that a node listens there."
    elif isinstance(error, ConnectionLost):
        advice = "Connect again."
    elif isinstance(error, SessionLost):
        advice = "The meter may have restarted. Log on again; what was read and answered before stays valid."
    elif isinstance(error, SecurityRefused):
        advice = "Check key, key id, security mode and the clocks of both sides."
    else:
        return error
    more = f" Also received, and ignored: {dropped}." if dropped else ""
    return type(error)(f"{str(error).rstrip('.')}. {advice}{more}")
