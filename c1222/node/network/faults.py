"""Faults on demand: what a node does wrong, when, and how often, so that clients can be tried.

A plan is a TOML (or JSON) file::

    seed = 7                      # what chance follows from; the same seed, the same faults

    [[fault]]
    kind = "drop"                 # what goes wrong, see below
    on = "answer"                 # where: "request" as it comes in, "answer" as it goes out (default)
    service = "read-offset"       # only where a service of this name was asked for
    table = 64                    # only where a service names this table (number, "ST64" or "MT1")
    title = ".123.8437"           # only at this node
    probability = 0.1             # when: by chance, 0..1 ...
    every = 5                     # ... or every fifth time ...
    nth = [3, 7]                  # ... or the third and the seventh time; with none of the three, always
    limit = 10                    # no more than ten times

Times are counted for each fault among the messages (for ``result`` and ``wrong-checksum``: the services) it applies to.

=================  ==========================================================================
drop               the message is lost
duplicate          it comes twice
delay              it comes ``seconds`` later (default 1.0)
wrong-mac          a bit of its last octet, which is the MAC's if it is secured, is changed
truncate           only its first ``octets`` come (default half)
wrong-titles       called and calling title are exchanged
no-called-id       it does not say which request it answers
cleartext          a secured answer goes out in cleartext
result             the service gets ``result`` ("bsy", "dnr", "dlk", "err" ...; default "bsy") and is not carried out
wrong-checksum     the checksum of the table data in the response is wrong
noise              ``octets`` of noise (default 5) go before a packet, on a serial line
lost-octets        ``octets`` (default 1) of a packet do not arrive, on a serial line
stuck-toggle       the toggle bit of a packet does not flip, on a serial line
late-ack           an acknowledgement comes ``seconds`` later, on a serial line
echo               what the meter hears comes back to who sent it, on a serial line
=================  ==========================================================================

Those of a serial line are counted among the packets that the meter sends, the acknowledgements, or what it hears. The
first three are possible for requests; a request may be encrypted still. So only ``title`` can choose among these.
"""

from __future__ import annotations

import json
import tomllib
from collections import Counter
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from c1219.errors import C1219Error
from c1219.tableid import table_id
from c1222.errors import C1222Error, EncodeError, StateError, in_words
from c1222.message.aptitle import ApTitle
from c1222.message.epsem import SecurityMode
from c1222.protocol.composing import encode
from c1222.protocol.message import Message
from c1222.protocol.opening import decode
from c1222.services.results import RESULT_NAMES
from c1222.text import read_text

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    from c1222.security.keys import KeyStore
    from c1222.services import Request

__all__ = ["KINDS", "Fault", "FaultPlan", "altered"]

_ANYWHERE: Final = frozenset({"drop", "duplicate", "delay"})
_OF_ANSWERS: Final = frozenset({"wrong-mac", "truncate", "wrong-titles", "no-called-id", "cleartext"})
_OF_SERVICES: Final = frozenset({"result", "wrong-checksum"})
_OF_LINES: Final = frozenset({"noise", "lost-octets", "stuck-toggle", "late-ack", "echo"})
_OF_MESSAGES: Final = _ANYWHERE | _OF_ANSWERS
KINDS: Final = _OF_MESSAGES | _OF_SERVICES | _OF_LINES
"""What can go wrong."""
_CODES: Final = {name: code for code, name in RESULT_NAMES.items() if code}
_NAMES: Final = frozenset(
    ("kind", "on", "service", "table", "title", "probability", "every", "nth", "limit", "seconds", "octets", "result")
)


class Fault(NamedTuple):
    """One fault of a plan; see the module for the meaning of each.

    Attributes:
        kind: one of `KINDS`.
        on: ``request`` or ``answer``.
        service: name of a service, or None.
        table: identifier of a table, or None.
        title: title of a node, or None.
        probability: 0..1, or None.
        every: 1 or more, or None.
        nth: places counted from 1; empty for none.
        limit: how often at most, or None.
        seconds: of ``delay``.
        octets: of ``truncate``, None for half; of ``noise`` and ``lost-octets``.
        result: response code of ``result``.
    """

    kind: str
    on: str = "answer"
    service: str | None = None
    table: int | None = None
    title: ApTitle | None = None
    probability: float | None = None
    every: int | None = None
    nth: tuple[int, ...] = ()
    limit: int | None = None
    seconds: float = 1.0
    octets: int | None = None
    result: int = _CODES["bsy"]

    def applies(self, title: ApTitle, services: Sequence[Request]) -> bool:
        """Return whether this is one of the messages, or services, it is for."""
        if self.title is not None and self.title != title:
            return False
        if self.service is None and self.table is None:
            return True
        return any(
            self.service in (None, service.service) and self.table in (None, getattr(service, "table", None))
            for service in services
        )


class FaultPlan:
    """What goes wrong, and what went wrong so far.

    Args:
        faults: the faults, in the order in which they are tried.
        seed: what chance follows from.

    Attributes:
        counters: how often each kind happened.
    """

    def __init__(self, faults: Sequence[Fault] = (), *, seed: int = 0) -> None:
        self.counters: Counter[str] = Counter()
        self._faults = tuple(faults)
        self._random = Random(seed)  # noqa: S311 - chance for tests
        self._seen = [0] * len(self._faults)
        self._done = [0] * len(self._faults)

    @classmethod
    def from_file(cls, path: str | os.PathLike[str]) -> FaultPlan:
        """Read a plan from a TOML file, or from a JSON file if its name ends so.

        Raises:
            StateError: it cannot be read, or is no plan.
        """
        file = Path(path)
        try:
            text = read_text(file)
            content = json.loads(text) if file.suffix == ".json" else tomllib.loads(text)
            return cls.from_dict(content)
        except (OSError, ValueError, RecursionError, StateError) as error:
            raise StateError(f"{path}: {in_words(error)}") from None

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> FaultPlan:
        """Make a plan from the content of a file.

        Raises:
            StateError: it is no plan.
        """
        entries = content.get("fault", []) if isinstance(content, dict) else None
        if not isinstance(entries, list) or content.keys() - {"fault", "seed"}:
            raise StateError("a plan has a seed and a list of faults")
        seed = content.get("seed", 0)
        if not _is_whole(seed, 0):
            raise StateError("the seed is a whole number")
        return cls([_fault(entry, f"fault {number}") for number, entry in enumerate(entries, 1)], seed=int(seed))

    def of_request(self, title: ApTitle) -> list[Fault]:
        """Return what happens to a message that comes in."""
        return self._pick(lambda fault: fault.on == "request", title, ())

    def of_answer(self, title: ApTitle, services: Sequence[Request]) -> list[Fault]:
        """Return what happens to an answer.

        Args:
            title: of the node.
            services: that were asked for.
        """
        return self._pick(lambda fault: fault.on == "answer" and fault.kind in _OF_MESSAGES, title, services)

    def of_service(self, title: ApTitle, service: Request) -> list[Fault]:
        """Return what happens to a service."""
        return self._pick(lambda fault: fault.kind in _OF_SERVICES, title, (service,))

    def of_line(self, title: ApTitle, kind: str) -> list[Fault]:
        """Return what happens to a packet, an acknowledgement, or what a meter hears on a serial line."""
        return self._pick(lambda fault: fault.kind == kind, title, ())

    def _pick(self, wanted: Any, title: ApTitle, services: Sequence[Request]) -> list[Fault]:
        found = []
        for number, fault in enumerate(self._faults):
            if not wanted(fault) or not fault.applies(title, services):
                continue
            self._seen[number] += 1
            if (fault.limit is None or self._done[number] < fault.limit) and self._strikes(fault, self._seen[number]):
                self._done[number] += 1
                self.counters[fault.kind] += 1
                found.append(fault)
        return found

    def _strikes(self, fault: Fault, time: int) -> bool:
        if fault.probability is not None:
            return self._random.random() < fault.probability
        if fault.every is not None:
            return time % fault.every == 0
        return not fault.nth or time in fault.nth

    def __bool__(self) -> bool:
        return bool(self._faults)


def altered(apdu: bytes, fault: Fault, keys: KeyStore) -> bytes:
    """Return an answer with a fault in it; as it is where the fault cannot be made.

    Args:
        apdu: the answer.
        fault: of a kind that changes octets.
        keys: to seal it again with.
    """
    if fault.kind == "wrong-mac":
        return apdu[:-1] + bytes((apdu[-1] ^ 1,))
    if fault.kind == "truncate":
        return apdu[: len(apdu) // 2 if fault.octets is None else fault.octets]
    try:
        message = decode(apdu, keys=keys)
        if message.authenticated is None and message.security_mode is not SecurityMode.CLEARTEXT:
            return apdu
        exchanged, clear = fault.kind == "wrong-titles", fault.kind == "cleartext"
        changed = Message(
            called=message.calling if exchanged else message.called,
            calling=message.called if exchanged else message.calling,
            calling_invocation_id=message.calling_invocation_id,
            services=message.services,
            called_invocation_id=None if fault.kind == "no-called-id" else message.called_invocation_id,
            security_mode=SecurityMode.CLEARTEXT if clear else message.security_mode,
            key_id=None if clear else message.key_id,
            iv=None if clear else message.iv,
            carries_authentication=message.carries_authentication and not clear,
            response_control=message.response_control,
            ed_class=message.ed_class,
            application_context=message.application_context,
            calling_ae_qualifier=message.calling_ae_qualifier,
        )
        return encode(changed, keys=keys, sealed_with=None if clear else message.key)
    except C1222Error:
        return apdu


def _is_whole(value: object, low: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= low


def _fault(entry: object, where: str) -> Fault:
    if not isinstance(entry, dict) or entry.keys() - _NAMES:
        raise StateError(f"{where}: a table with names among {', '.join(sorted(_NAMES))} is needed")
    kind = entry.get("kind")
    if kind not in KINDS:
        raise StateError(f"{where}: kind is one of {', '.join(sorted(KINDS))}")
    on = entry.get("on", "answer")
    if on not in ("request", "answer") or (on == "request" and kind not in _ANYWHERE):
        raise StateError(f'{where}: on is "answer", or "request" for {", ".join(sorted(_ANYWHERE))}')
    if on == "request" and entry.keys() & {"service", "table"}:
        raise StateError(f"{where}: requests are chosen by title alone")
    for name in ("probability", "seconds"):
        value = entry.get(name, 0)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0:
            raise StateError(f"{where}: {name} is a number, and not negative")
    for name in ("every", "limit"):
        if name in entry and not _is_whole(entry[name], 1):
            raise StateError(f"{where}: {name} is a whole number, 1 or more")
    nth = entry.get("nth", [])
    if not isinstance(nth, list) or not all(_is_whole(one, 1) for one in nth):
        raise StateError(f"{where}: nth is a list of whole numbers, 1 or more")
    if "octets" in entry and not _is_whole(entry["octets"], 0):
        raise StateError(f"{where}: octets is a whole number")
    result = entry.get("result", "bsy")
    if result not in _CODES:
        raise StateError(f"{where}: result is one of {', '.join(_CODES)}")
    values = {name: value for name, value in entry.items() if name not in ("table", "title", "nth", "result")}
    try:
        table = None if "table" not in entry else table_id(entry["table"])
        title = None if "title" not in entry else ApTitle(entry["title"])
    except (C1219Error, EncodeError, TypeError, AttributeError) as error:
        raise StateError(f"{where}: {error}") from None
    return Fault(**values, table=table, title=title, nth=tuple(nth), result=_CODES[result])
