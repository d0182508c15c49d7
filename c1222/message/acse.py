"""The ACSE APDU: addressing, authentication value and user information of one C12.22 message.

Decoding finds the spans of the top-level elements and leaves what is inside for later. Octets are never re-encoded:
the canonical header of EAX' is cut from what was received.
"""

from __future__ import annotations

from typing import NamedTuple, Unpack, final

from c1219.caches import remembered
from c1222.errors import DecodeError, EncodeError, Finding, Level
from c1222.message.acse_declaration import declaration, plan
from c1222.message.acse_elements import MAX_UNKNOWN_ELEMENTS, Span, Spans, find_elements
from c1222.message.acse_fields import SOURCES, Authentication, Fields, encode, invocation_ids
from c1222.message.aptitle import ABSOLUTE_TAG, RELATIVE_TAG, RELATIVE_TAG_OF_2006, ApTitle
from c1222.message.ber import MAX_APDU_OCTETS, Octets, check_oid, decode_oid
from c1222.message.epsem import Control
from c1222.message.lazy import Lazy
from c1222.message.tlv_plan import Walk, filled, non_minimal

__all__ = [
    "Acse",
    "Authentication",
    "Fields",
    "UserInformation",
    "declaration",
    "decode_acse",
    "invocation_ids",
    "plan",
    "title_of",
]


class UserInformation(NamedTuple):
    """Where the user information is.

    Attributes:
        indirect_reference: None in a whole message; the offset of the slice, in a segment.
        start: where the octet-aligned string starts in the APDU: the control octet of EPSEM, or the slice.
        end: where it ends, a MAC included.
    """

    indirect_reference: int | None
    start: int
    end: int


@final
class Acse:
    """One APDU: its octets, the spans of its elements, and what they mean, decoded when asked for.

    Every property but ``octets``, ``spans`` and ``unknown`` may raise DecodeError when its element is malformed;
    :meth:`check` looks at all of them. None stands for an element that is absent.

    Attributes:
        octets: the whole APDU as received or built.
        spans: for each known element present, by tag octet and in the order received: where its tag, its content and
            the octet behind it are. :meth:`span` gives one of them by name.
        unknown: the same for elements the APDU is not declared to have.
    """

    octets: bytes
    spans: Spans
    unknown: tuple[Span, ...]

    def __init__(
        self,
        octets: bytes,
        spans: Spans,
        unknown: tuple[Span, ...] = (),
        findings: tuple[Finding, ...] = (),
    ) -> None:
        self.octets = octets
        self.spans = spans
        self.unknown = unknown
        self._found = findings

    @classmethod
    def build(cls, *, user_information: bytes, **fields: Unpack[Fields]) -> Acse:
        """Build an APDU in the order of the wire, with minimal lengths and unsigned minimal integers.

        To seal a message, build it with a string of the final size, cut the canonical header from the result, and put
        the sealed octets in place with :meth:`with_user_information`.

        Args:
            user_information: the octet-aligned string: EPSEM with its MAC, or a slice of a segmented APDU.
            **fields: the other elements, see :class:`Fields`; ``calling_invocation_id`` is mandatory.

        Raises:
            EncodeError: a value has no form on the wire, or the APDU is too large for a length.
        """
        octets = encode(fields, user_information)
        return decode_acse(octets, max_size=len(octets))

    def encode(self) -> bytes:
        """Return the octets of the APDU."""
        return self.octets

    def fields(self) -> Fields:
        """Return what :meth:`build` needs, besides the user information, to make these octets again.

        Raises:
            DecodeError: an element is malformed.
        """
        return {
            "application_context": self.application_context,
            "called": self.called,
            "called_ae_qualifier": self.called_ae_qualifier,
            "called_invocation_id": self.called_invocation_id,
            "calling": self.calling,
            "calling_ae_qualifier": self.calling_ae_qualifier,
            "calling_invocation_id": self.calling_invocation_id,
            "mechanism": self.mechanism,
            "authentication": self.authentication,
            "indirect_reference": self.user_information.indirect_reference,
        }

    def with_user_information(self, octets: bytes) -> Acse:
        """Return the same APDU with another octet-aligned string of the same size.

        Raises:
            EncodeError: the size differs.
            DecodeError: the user information of this APDU is malformed.
        """
        _, start, end = self.user_information
        if len(octets) != end - start:
            raise EncodeError(f"{len(octets)} octets of user information, {end - start} were announced")
        # The string is the last thing in the APDU: the plan has the user information last, and a walk leaves nothing.
        return Acse(self.octets[:start] + octets, self.spans, self.unknown, self._found)

    @property
    def payload(self) -> bytes:
        """The octet-aligned string of the user information: EPSEM and MAC, or a slice."""
        _, start, end = self.user_information
        return self.octets[start:end]

    @property
    def head(self) -> bytes:
        """The octets before the octet-aligned string: APDU = head + payload."""
        return self.octets[: self.user_information.start]

    @property
    def is_segment(self) -> bool:
        """Whether this is a segment of a larger APDU: it has a called-AE-qualifier."""
        return plan().tags["called-AE-qualifier"] in self.spans

    @property
    def is_response(self) -> bool:
        """Whether this quotes an invocation id of the called node, which responses do, and nothing else [1]."""
        return plan().tags["called-AP-invocation-id"] in self.spans

    @Lazy
    def application_context(self) -> str | None:
        """The application context, an object identifier; absent stands for that of C12.22."""
        return self._oid("application-context-name")

    @Lazy
    def called(self) -> ApTitle | None:
        """The title of the node this message is for; absent on a local port: the node attached."""
        return self._title("called-AP-title")

    @Lazy
    def called_ae_qualifier(self) -> int | None:
        """Size in octets of the APDU this is a segment of; absent unless it is one [1]."""
        return self._integer("called-AE-qualifier")

    @Lazy
    def called_invocation_id(self) -> int | None:
        """The calling invocation id of the request this responds to; absent in requests."""
        return self._integer("called-AP-invocation-id")

    @Lazy
    def calling(self) -> ApTitle | None:
        """The title of the sender."""
        return self._title("calling-AP-title")

    @property
    def request_number(self) -> bytes:
        """The octets of the invocation id of the request: the one quoted in a response, else its own."""
        spans, tags = self.spans, plan().tags
        _, start, end = spans.get(tags["called-AP-invocation-id"]) or spans[tags["calling-AP-invocation-id"]]
        return self.octets[start + 2 : end]

    @Lazy
    def calling_ae_qualifier(self) -> int | None:
        """Bits: 0 TEST (nothing shall change), 1 URGENT, 2 NOTIFICATION (a write tells of an event)."""
        return self._integer("calling-AE-qualifier")

    @Lazy
    def calling_invocation_id(self) -> int:
        """The message number the sender chose, 0..2^40-1; mandatory."""
        value = self._integer("calling-AP-invocation-id")
        if value is None:  # decode_acse lets no such APDU pass
            raise DecodeError("acse.calling-AP-invocation-id", 0, "the element is missing")
        return value

    @Lazy
    def mechanism(self) -> str | None:
        """The security mechanism, an object identifier; absent stands for that of C12.22."""
        return self._oid("mechanism-name")

    @Lazy
    def authentication(self) -> Authentication | None:
        """The calling-authentication-value; absent in cleartext and inside a session."""
        layout = plan()
        tag = layout.tags["calling-authentication-value"]
        span = self.spans.get(tag)
        if span is None:
            return None
        _, start, end = span
        content = self.octets[start:end]
        usual = layout.authentication
        key_id, iv = layout.key_id, layout.iv
        if (
            len(content) == iv.stop
            and content[: key_id.start] == usual[2 : key_id.start + 2]
            and content[key_id.stop : iv.start] == usual[key_id.stop + 2 : iv.start + 2]
        ):
            return Authentication("c12.22", content[key_id.start], content[iv], content)
        return self._unusual_authentication(content)

    @Lazy
    def user_information(self) -> UserInformation:
        """Where the octet-aligned string is; mandatory."""
        layout = plan()
        octets = self.octets
        _, start, end = self.spans[layout.tags["user-information"]]
        inside = filled(octets, start, end, layout.external)
        if inside and (first := filled(octets, inside, end, layout.octet_aligned)):
            return UserInformation(None, first, end)
        leaves = self._walk("user-information")
        self._remark_direct_reference("user-information", leaves)
        start, end = leaves["octet-aligned"]
        return UserInformation(self._unsigned(leaves.get("indirect-reference")), start, end)

    @Lazy
    def control(self) -> Control:
        """The control octet of EPSEM, with which the user information of a whole message starts."""
        _, start, end = self.user_information
        if start == end:
            raise DecodeError("epsem.control", start, "the control octet is missing")
        return Control.from_octet(self.octets[start], offset=start)

    @Lazy
    def findings(self) -> tuple[Finding, ...]:
        """Remarks on the whole APDU. Never raises: a malformed element is a finding of level error here."""
        malformed = []
        for tag in self.spans:
            try:
                getattr(self, _properties()[tag])
            except DecodeError as error:
                malformed.append(error.finding())
        return tuple(dict.fromkeys((*self._found, *malformed)))

    def check(self) -> None:
        """Decode every element.

        Raises:
            DecodeError: one is malformed.
        """
        properties = _properties()
        for tag in self.spans:
            getattr(self, properties[tag])

    def span(self, name: str) -> Span | None:
        """Return where an element is, None where it is absent.

        Args:
            name: the name in the declaration, for example ``calling-AP-title``.
        """
        span = self.spans.get(plan().tags[name])
        return None if span is None else Span(*span)

    def _walk(self, name: str) -> dict[str, tuple[int, int]]:
        tag = plan().tags[name]
        start, _, end = self.spans[tag]
        walk = Walk(self.octets, f"acse.{name}")
        walk.element(plan().elements[tag], start, end)
        if walk.findings:
            self._found += tuple(walk.findings)
        return walk.leaves

    def _unsigned(self, span: tuple[int, int] | None) -> int | None:
        return None if span is None else int.from_bytes(self.octets[slice(*span)], "big")

    def _remark(self, code: str, name: str, offset: int, text: str, level: Level = "note") -> None:
        self._found += (Finding(level, code, f"acse.{name}", offset, text),)

    def _remark_direct_reference(self, name: str, leaves: dict[str, tuple[int, int]]) -> None:
        if "direct-reference" in leaves:
            start, end = leaves["direct-reference"]
            check_oid(self.octets[start:end], offset=start, path=f"acse.{name}.direct-reference")
            self._remark("direct-reference", name, start, "a direct reference, which nobody uses, is there")

    def _integer(self, name: str) -> int | None:
        layout = plan()
        tag = layout.tags[name]
        span = self.spans.get(tag)
        if span is None:
            return None
        _, start, end = span
        node = layout.elements[tag]
        inside = filled(self.octets, start, end, node.tags[-1])
        if inside and node.smallest <= end - inside <= node.largest:
            return int.from_bytes(self.octets[inside:end], "big")
        return self._unsigned(self._walk(name)[name])

    def _title(self, name: str) -> ApTitle | None:
        span = self.spans.get(plan().tags[name])
        if span is None:
            return None
        _, start, end = span
        octets = self.octets
        if filled(octets, start, end, RELATIVE_TAG) or filled(octets, start, end, ABSOLUTE_TAG):
            try:
                return title_of(octets[start:end])
            except DecodeError:
                pass  # said again below, with the offset in this APDU
        path = f"acse.{name}"
        title, after = ApTitle.read(octets, start, end, path=path)
        if after != end:
            raise DecodeError(path, after, "octets are left over")
        if end - start != len(title.tlv()):
            self._found += (non_minimal(path, start + 1),)
        if octets[start] == RELATIVE_TAG_OF_2006:
            self._remark("relative-title-tag", name, start, "the tag 0D of the draft of 2006 stands for 80")
        return title

    def _oid(self, name: str) -> str | None:
        if self.span(name) is None:
            return None
        start, end = self._walk(name)[name]
        return ".".join(map(str, decode_oid(self.octets[start:end], offset=start, path=f"acse.{name}")))

    def _unusual_authentication(self, content: bytes) -> Authentication:
        name = "calling-authentication-value"
        leaves = self._walk(name)
        self._remark_direct_reference(name, leaves)
        if self._unsigned(leaves.get("indirect-reference")):
            path = f"acse.{name}.indirect-reference"
            raise DecodeError(path, leaves["indirect-reference"][0], "it must be 0 here")
        if "octet-aligned" in leaves:
            return Authentication("opaque", raw=content)
        if leaves.keys() & {"identification", "request", "response"}:
            return Authentication("c12.21", raw=content)
        key_id, iv = leaves.get("key-id"), leaves.get("iv")
        usual = iv is not None and iv[1] - iv[0] == 4 and not leaves.keys() & {"user-element", "authentication-token"}
        if not usual:
            self._remark("draft-authentication", name, self.spans[plan().tags[name]][0], "the form of a draft of 2008")
        return Authentication(
            "c12.22" if usual else "draft", self._unsigned(key_id), iv and self.octets[slice(*iv)], content
        )

    def __eq__(self, other: object) -> bool:
        return self.octets == other.octets if isinstance(other, Acse) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.octets)

    def __repr__(self) -> str:
        return f"Acse({self.octets.hex()})"


# A capture holds few titles many times over. Bounded: so many titles of at most MAX_TITLE_OCTETS.
title_of = remembered(32768)(ApTitle.from_tlv)


@remembered()
def _properties() -> dict[int, str]:
    # The property of Acse that decodes each element, by tag.
    names = {name: field for name, (field, _) in SOURCES.items()} | {"user-information": "user_information"}
    return {tag: names[name] for name, tag in plan().tags.items()}


def decode_acse(octets: Octets, *, max_size: int = MAX_APDU_OCTETS, max_unknown: int = MAX_UNKNOWN_ELEMENTS) -> Acse:
    """Find the elements of one APDU; what is inside them waits until it is asked for.

    Args:
        octets: exactly one APDU.
        max_size: limit for the whole APDU in octets.
        max_unknown: limit for the number of unknown elements.

    Raises:
        DecodeError: this is no APDU, or less or more than one, or an element is missing, repeated, runs past the end,
            or follows the user information.
        LimitExceeded: the APDU is larger than the limit, or has too many unknown elements.
    """
    if type(octets) is not bytes:
        octets = bytes(octets)
    return Acse(octets, *find_elements(octets, max_size, max_unknown))
