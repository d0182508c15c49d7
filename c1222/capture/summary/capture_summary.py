"""A summary of traffic, message by message, in bounded memory.

    summary = c1222.summarize("trace.pcapng", keys=keys)
    for conversation in summary.conversations:
        print(conversation.initiator, conversation.responder, conversation.requests)

or as messages come::

    summary = CaptureSummary()
    for message in decode_capture("-", keys=keys):
        summary.add(message)

Without keys the headers alone tell who talks to whom, sizes, response times, security modes and key ids.
"""

from __future__ import annotations

import os
from collections import Counter
from typing import IO, TYPE_CHECKING, Any, Final

from c1219.caches import BoundedDict
from c1222.capture.decoder import CaptureDecoder
from c1222.capture.jsonl import is_usual
from c1222.capture.message import UNTIMED
from c1222.capture.network.streams import C1222_PORT
from c1222.capture.summary.exchanges import Exchanges
from c1222.capture.summary.records import (
    ConversationRecord,
    NodeRecord,
    Records,
    RequestRecord,
    ServiceRecord,
    TimeSpan,
)
from c1222.capture.summary.security import SecurityRecords
from c1222.capture.summary.values import (
    ConversationTraffic,
    Evictions,
    FindingCount,
    NodeTraffic,
    ResultCount,
    SecuritySummary,
    ServiceTraffic,
    Totals,
    plain,
)
from c1222.message.acse import title_of
from c1222.message.aptitle import DEFAULT_BASE, ApTitle
from c1222.message.epsem import ResponseControl
from c1222.message.flat import FlatApdu
from c1222.security.keys import KeyStore
from c1222.security.sealing import Verdict
from c1222.services import RESULT_NAMES, SERVICE_NAMES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from c1222.capture.message import CapturedMessage
    from c1222.errors import Finding, Level
    from c1222.security.keys import Keys

__all__ = ["MAX_CONVERSATIONS", "MAX_EXCHANGES", "MAX_IVS", "MAX_NODES", "SCHEMA", "CaptureSummary", "summarize"]

SCHEMA: Final = "c1222.summary/1"
MAX_NODES: Final = 100_000
"""Nodes remembered."""
MAX_CONVERSATIONS: Final = 100_000
"""Conversations remembered, and pairs of sender and receiver."""
MAX_EXCHANGES: Final = 20_000
"""Messages of the last ten minutes remembered, to find those that are sent again or answered."""
MAX_IVS: Final = 200_000
"""Initialisation vectors remembered."""
_REQUEST: Final = min(SERVICE_NAMES)
"""The lowest code of a request; lower ones are of responses."""
_OPENED: Final = frozenset({Verdict.VERIFIED, Verdict.CLEARTEXT})

_Node = bytes | str  # content of the absolute title, or an address


class CaptureSummary:
    """What messages amount to. Its values are made anew each time they are asked for.

    Args:
        base: what makes relative titles absolute.
        max_nodes: nodes remembered; those that were silent for longest are forgotten, and counted.
        max_conversations: conversations remembered, and pairs of sender and receiver, likewise.
        max_exchanges: messages of the last ten minutes remembered.
        max_ivs: initialisation vectors remembered.
    """

    def __init__(
        self,
        *,
        base: ApTitle = DEFAULT_BASE,
        max_nodes: int = MAX_NODES,
        max_conversations: int = MAX_CONVERSATIONS,
        max_exchanges: int = MAX_EXCHANGES,
        max_ivs: int = MAX_IVS,
    ) -> None:
        self._base = base
        self._nodes: Records[_Node, NodeRecord] = Records(max_nodes, NodeRecord)
        self._conversations: Records[tuple[_Node, _Node], ConversationRecord] = Records(
            max_conversations, ConversationRecord
        )
        self._security = SecurityRecords(max_conversations, max_ivs)
        self._exchanges = Exchanges(max_exchanges)
        self._titles: BoundedDict[bytes, ApTitle] = BoundedDict(2 * max_nodes, lambda octets: title_of(octets[1:]))
        self._absolute: BoundedDict[tuple[bool, bytes], bytes] = BoundedDict(2 * max_nodes)
        self._services: dict[str | None, ServiceRecord] = {}
        self._results: Counter[tuple[int, str | None]] = Counter()
        self._findings: Counter[tuple[Level, str]] = Counter()
        self._counts: Counter[str] = Counter()
        self._span = TimeSpan()

    # --- messages

    def add(self, message: CapturedMessage) -> None:
        """Take a message, the next one of the capture."""
        counts = self._counts
        usual = is_usual(message)
        if usual:
            message.findings = ()
        findings = message.findings
        for finding in findings:
            self._findings[finding.level, finding.code] += 1
        if not message.is_message:
            if any(finding.level == "error" for finding in findings):
                counts["messages"] += 1
                counts["undecodable"] += 1
                self._span.add(message.time_ns)
            return
        size = len(message.octets)
        counts["messages"] += 1
        counts["octets"] += size
        self._span.add(message.time_ns)
        envelope = message.envelope
        if isinstance(envelope, FlatApdu):  # the usual one: its titles are known by their octets
            by: ApTitle | None = self._titles[envelope.calling_title]
            to: ApTitle | None = self._titles[envelope.called_title]
            answers = envelope.quoted is not None
        else:
            by, to, answers = message.calling, message.called, message.is_response
        calling, sender = self._node(by, message.src)
        called, receiver = self._node(to, message.dst)
        sender.address, receiver.address = message.src, message.dst
        sender.sent += 1
        sender.sent_octets += size
        receiver.received += 1
        receiver.received_octets += size
        sender.add(message.time_ns)
        receiver.add(message.time_ns)
        if answers:
            conversation = self._conversations.of((called, calling), receiver.name, sender.name)
            again, request = self._response(message, (calling, called), sender, conversation, usual=usual)
            conversation.responses += 1
            conversation.response_octets += size
        else:
            conversation = self._conversations.of((calling, called), sender.name, receiver.name)
            again, request = self._request(message, (calling, called)), None
            if not again:
                conversation.ask(message.time_ns)
            conversation.requests += 1
            conversation.request_octets += size
        conversation.add(message.time_ns)
        conversation.largest = max(conversation.largest, size)
        conversation.retransmissions += again
        sender.retransmissions += again
        counts["retransmissions"] += again
        self._security.add(message, (calling, called), (sender, receiver), request)

    def add_findings(self, findings: Iterable[Finding]) -> None:
        """Take what concerns a capture as a whole."""
        for finding in findings:
            self._findings[finding.level, finding.code] += 1

    def _node(self, title: ApTitle | None, address: str) -> tuple[_Node, NodeRecord]:
        if title is None or title.is_empty:
            return address, self._nodes.of(address, address)
        form = (title.is_relative, title.content)
        key = self._absolute.get(form)
        if key is None:
            key = self._absolute[form] = title.absolute(self._base).content
        record = self._nodes.get(key)
        return key, self._nodes.of(key, str(title) if record is None else "")

    def _service(self, name: str | None) -> ServiceRecord:
        record = self._services.get(name)
        if record is None:
            record = self._services[name] = ServiceRecord()
        return record

    def _request(self, message: CapturedMessage, ends: tuple[_Node, _Node]) -> bool:
        parts = message.service_octets
        names: tuple[str | None, ...] = tuple([_name(octets[0]) for octets in parts if octets[0] >= _REQUEST])
        if not parts and message.verdict not in _OPENED:
            self._counts["unreadable"] += 1
            names = (None,)
        for name in names:
            self._service(name).requests += 1
        again = self._exchanges.request(message, ends, names)
        self._counts["requests"] += 1
        self._counts["waited"] += not again and message.response_control is ResponseControl.ALWAYS
        return again

    def _response(
        self,
        message: CapturedMessage,
        ends: tuple[_Node, _Node],
        sender: NodeRecord,
        conversation: ConversationRecord,
        *,
        usual: bool,
    ) -> tuple[bool, RequestRecord | None]:
        again, request = self._exchanges.response(message, ends)
        counts = self._counts
        counts["responses"] += 1
        counts["unpaired"] += message.reply_to is None
        if not message.service_octets and message.verdict not in _OPENED:
            counts["unreadable"] += 1
            self._service(None).responses += 1
        for code, name in _results(message, usual=usual):
            failed = 0 < code < _REQUEST
            if name is not None:
                record = self._service(name)
                record.responses += 1
                record.errors += failed
            if failed:
                self._results[code, name] += 1
                sender.errors += 1
                conversation.errors += 1
        if request is not None:
            again |= request.answered
            if not request.answered:
                request.answered = True
                counts["answered"] += 1
                took = message.time_ns - request.time_ns
                if message.time_ns != UNTIMED != request.time_ns and took >= 0:
                    sender.times.add(took)
                    conversation.times.add(took)
                    for name in dict.fromkeys(request.services):
                        self._service(name).times.add(took)
        elif message.reply_to is not None and not again:
            counts["answered"] += 1  # the request is not remembered here any more
        return again, request

    # --- what they amount to

    @property
    def totals(self) -> Totals:
        """The capture as a whole."""
        counts = self._counts
        return Totals(
            messages=counts["messages"],
            octets=counts["octets"],
            requests=counts["requests"],
            responses=counts["responses"],
            unpaired=counts["unpaired"],
            unanswered=max(counts["waited"] - counts["answered"], 0),
            retransmissions=counts["retransmissions"],
            unreadable=counts["unreadable"],
            undecodable=counts["undecodable"],
            first_ns=self._span.first_ns,
            last_ns=self._span.last_ns,
        )

    @property
    def conversations(self) -> tuple[ConversationTraffic, ...]:
        """Who talks to whom; those with most messages first."""
        return tuple(
            sorted([one.value for one in self._conversations.values()], key=lambda one: -one.requests - one.responses)
        )

    @property
    def nodes(self) -> tuple[NodeTraffic, ...]:
        """What each node sent and received; those with most messages first."""
        return tuple(sorted([one.value for one in self._nodes.values()], key=lambda one: -one.sent - one.received))

    @property
    def services(self) -> tuple[ServiceTraffic, ...]:
        """What was asked for; the most frequent first."""
        found = [record.value(name) for name, record in self._services.items()]
        return tuple(sorted(found, key=lambda one: -one.requests - one.responses))

    @property
    def errors(self) -> tuple[ResultCount, ...]:
        """Response codes other than ok; the most frequent first."""
        return tuple(
            ResultCount(code, RESULT_NAMES.get(code, f"{code:02X}"), service, count)
            for (code, service), count in self._results.most_common()
        )

    @property
    def findings(self) -> tuple[FindingCount, ...]:
        """Kinds of findings; the most frequent first."""
        return tuple(FindingCount(level, code, count) for (level, code), count in self._findings.most_common())

    @property
    def security(self) -> SecuritySummary:
        """How well the traffic is secured."""
        return self._security.value(self._nodes.values())

    @property
    def evicted(self) -> Evictions:
        """What was forgotten, since the memory is bounded."""
        return Evictions(
            self._nodes.forgotten,
            self._conversations.forgotten,
            self._security.links_evicted,
            self._exchanges.evicted,
            self._security.ivs_forgotten,
        )

    def as_dict(self) -> dict[str, Any]:
        """Return the summary in terms of JSON, as `specs/summary.schema.json` describes it."""
        return {
            "schema": SCHEMA,
            "totals": plain(self.totals),
            "conversations": plain(self.conversations),
            "nodes": plain(self.nodes),
            "services": plain(self.services),
            "errors": plain(self.errors),
            "findings": plain(self.findings),
            "security": plain(self.security),
            "evicted": plain(self.evicted),
        }

    def __repr__(self) -> str:
        totals = self.totals
        return f"<CaptureSummary of {totals.messages} messages, {len(self.conversations)} conversations>"


def _results(message: CapturedMessage, *, usual: bool) -> list[tuple[int, str | None]]:
    """Return code and service of each answer; of usual messages they are known without decoding."""
    if usual:
        return [
            (octets[0], request.service) for octets, request in zip(message.service_octets, message.asked, strict=True)
        ]
    return [(service.code, service.service) for service in message.services]


def _name(code: int) -> str:
    return SERVICE_NAMES.get(code) or f"service {code:02X}"


def summarize(
    paths: str | os.PathLike[str] | IO[bytes] | Iterable[str | os.PathLike[str] | IO[bytes]],
    *,
    keys: Keys = None,
    ports: Collection[int] = (C1222_PORT,),
    by_content: bool = True,
) -> CaptureSummary:
    """Return what captures amount to.

    Args:
        paths: path of a pcap or pcapng file, compressed or not; a binary file object; or several: one capture by time.
        keys: a store, a single key, or octets by key id; without any the headers are summed up.
        ports: UDP and TCP ports of C12.22.
        by_content: also take on other ports what is an APDU by its look.

    Raises:
        CaptureError: a file is no capture.
        OSError: a file cannot be opened or read.
        InvalidKey: the keys cannot be used.
    """
    store = KeyStore.of(keys)
    summary = CaptureSummary(base=store.base_oid)
    one = isinstance(paths, str | os.PathLike) or hasattr(paths, "read")
    source = paths if one else list(paths)  # type: ignore[arg-type]  # a file object may be iterated, too
    decoder = CaptureDecoder(source, keys=store, ports=ports, by_content=by_content)  # type: ignore[arg-type]  # likewise
    try:
        for message in decoder:
            summary.add(message)
    finally:
        decoder.close()
    summary.add_findings(decoder.findings())
    return summary
