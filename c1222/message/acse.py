"""The ACSE APDU: addressing, authentication value and user information of one C12.22 message.

Decoding finds the spans of the top-level elements and leaves what is inside for later. Octets are never re-encoded:
the canonical header of EAX' is cut from what was received.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final, Generic, NamedTuple, TypeVar, Unpack, final, overload

from c1222.errors import DecodeError, EncodeError, Finding, LimitExceeded
from c1222.message.acse_declaration import plan
from c1222.message.acse_fields import SOURCES, Authentication, Fields, encode
from c1222.message.aptitle import ApTitle
from c1222.message.ber import APDU_TAG, MAX_APDU_OCTETS, decode_oid, length_size, read_length
from c1222.message.plan import Walk, non_minimal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["MAX_UNKNOWN_ELEMENTS", "Acse", "Authentication", "Fields", "UserInformation", "decode_acse"]

MAX_UNKNOWN_ELEMENTS: Final = 32
"""Limit for elements the APDU is not declared to have."""


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


_T = TypeVar("_T")


class _Lazy(Generic[_T]):
    """A property computed on first access, then an attribute. Without the lock of functools.cached_property."""

    def __init__(self, compute: Callable[[Any], _T]) -> None:
        self._compute = compute
        self.__doc__ = compute.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> _Lazy[_T]: ...
    @overload
    def __get__(self, instance: object, owner: type) -> _T: ...
    def __get__(self, instance: object | None, owner: type) -> _Lazy[_T] | _T:
        if instance is None:
            return self
        value = instance.__dict__[self._name] = self._compute(instance)
        return value


@final
class Acse:
    """One APDU: its octets, the spans of its elements, and what they mean, decoded when asked for.

    Every property but ``octets``, ``spans`` and ``unknown`` may raise DecodeError when its element is malformed;
    :meth:`check` looks at all of them. None stands for an element that is absent.

    Attributes:
        octets: the whole APDU as received or built.
        spans: for each known element present, by tag octet and in the order received: where its tag, its content and
            the octet behind it are.
        unknown: the same for elements the APDU is not declared to have.
    """

    octets: bytes
    spans: dict[int, tuple[int, int, int]]
    unknown: tuple[tuple[int, int, int], ...]

    def __init__(
        self,
        octets: bytes,
        spans: dict[int, tuple[int, int, int]],
        unknown: tuple[tuple[int, int, int], ...] = (),
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
    def is_segment(self) -> bool:
        """Whether this is a segment of a larger APDU: it has a called-AE-qualifier."""
        return plan().tags["called-AE-qualifier"] in self.spans

    @property
    def is_response(self) -> bool:
        """Whether this quotes an invocation id of the called node, which responses do, and nothing else [1]."""
        return plan().tags["called-AP-invocation-id"] in self.spans

    @_Lazy
    def application_context(self) -> str | None:
        """The application context, an object identifier; absent stands for that of C12.22."""
        return self._oid("application-context-name")

    @_Lazy
    def called(self) -> ApTitle | None:
        """The title of the node this message is for; absent on a local port: the node attached."""
        return self._title("called-AP-title")

    @_Lazy
    def called_ae_qualifier(self) -> int | None:
        """Size in octets of the APDU this is a segment of; absent unless it is one [1]."""
        return self._integer("called-AE-qualifier")

    @_Lazy
    def called_invocation_id(self) -> int | None:
        """The calling invocation id of the request this responds to; absent in requests."""
        return self._integer("called-AP-invocation-id")

    @_Lazy
    def calling(self) -> ApTitle | None:
        """The title of the sender."""
        return self._title("calling-AP-title")

    @_Lazy
    def calling_ae_qualifier(self) -> int | None:
        """Bits: 0 TEST (nothing shall change), 1 URGENT, 2 NOTIFICATION (a write tells of an event)."""
        return self._integer("calling-AE-qualifier")

    @_Lazy
    def calling_invocation_id(self) -> int:
        """The message number the sender chose, 0..2^40-1; mandatory."""
        value = self._integer("calling-AP-invocation-id")
        if value is None:  # decode_acse lets no such APDU pass
            raise DecodeError("acse.calling-AP-invocation-id", 0, "the element is missing")
        return value

    @_Lazy
    def mechanism(self) -> str | None:
        """The security mechanism, an object identifier; absent stands for that of C12.22."""
        return self._oid("mechanism-name")

    @_Lazy
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

    @_Lazy
    def user_information(self) -> UserInformation:
        """Where the octet-aligned string is; mandatory."""
        leaves = self._walk("user-information")
        start, end = leaves["octet-aligned"]
        return UserInformation(self._unsigned(leaves.get("indirect-reference")), start, end)

    @_Lazy
    def findings(self) -> tuple[Finding, ...]:
        """Remarks on the whole APDU. Never raises: a malformed element is a finding of level error here."""
        malformed = []
        for decode in self._decoders():
            try:
                decode()
            except DecodeError as error:
                malformed.append(error.finding())
        return tuple(dict.fromkeys((*self._found, *malformed)))

    def check(self) -> None:
        """Decode every element.

        Raises:
            DecodeError: one is malformed.
        """
        for decode in self._decoders():
            decode()

    def _decoders(self) -> Iterator[Callable[[], object]]:
        for name in ("user_information", *(field for field, _ in SOURCES.values())):
            yield partial(getattr, self, name)

    def span(self, name: str) -> tuple[int, int, int] | None:
        """Return where an element is: its tag, its content, the octet behind it.

        Args:
            name: the name in the declaration, for example ``calling-AP-title``.
        """
        return self.spans.get(plan().tags[name])

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

    def _integer(self, name: str) -> int | None:
        if self.span(name) is None:
            return None
        return self._unsigned(self._walk(name)[name])

    def _title(self, name: str) -> ApTitle | None:
        span = self.span(name)
        if span is None:
            return None
        path = f"acse.{name}"
        title, after = ApTitle.read(self.octets, span[1], span[2], path=path)
        if after != span[2]:
            raise DecodeError(path, after, "octets are left over")
        return title

    def _oid(self, name: str) -> str | None:
        if self.span(name) is None:
            return None
        start, end = self._walk(name)[name]
        return ".".join(map(str, decode_oid(self.octets[start:end], offset=start, path=f"acse.{name}")))

    def _unusual_authentication(self, content: bytes) -> Authentication:
        leaves = self._walk("calling-authentication-value")
        if "octet-aligned" in leaves:
            return Authentication("opaque", raw=content)
        if leaves.keys() & {"identification", "request", "response"}:
            return Authentication("c12.21", raw=content)
        key_id, iv = leaves.get("key-id"), leaves.get("iv")
        usual = iv is not None and iv[1] - iv[0] == 4 and not leaves.keys() & {"user-element", "authentication-token"}
        return Authentication(
            "c12.22" if usual else "draft", self._unsigned(key_id), iv and self.octets[slice(*iv)], content
        )

    def __repr__(self) -> str:
        return f"Acse({self.octets.hex()})"


def decode_acse(octets: bytes | bytearray | memoryview, *, max_size: int = MAX_APDU_OCTETS) -> Acse:
    """Find the elements of one APDU; what is inside them waits until it is asked for.

    Args:
        octets: exactly one APDU.
        max_size: limit for the whole APDU in octets.

    Raises:
        DecodeError: this is no APDU, or less or more than one, or an element is missing, repeated, runs past the end,
            or follows the user information.
        LimitExceeded: the APDU is larger than the limit, or has too many unknown elements.
    """
    if type(octets) is not bytes:
        octets = bytes(octets)
    layout = plan()
    ranks = layout.ranks
    size = len(octets)
    spans: dict[int, tuple[int, int, int]] = {}
    last = 0
    # What almost every APDU is: minimal lengths below 65536, known elements, in order. Anything else is for the careful
    # walk, which knows what to say.
    try:
        length = octets[1]
        pos = 2
        if length == 0x81:
            length = octets[2]
            pos = 3 if length >= 0x80 else -1
        elif length == 0x82:
            length = octets[2] << 8 | octets[3]
            pos = 4 if length >= 0x100 else -1
        if pos + length == size and octets[0] == APDU_TAG and size <= max_size and pos > 0:
            while pos < size:
                tag = octets[pos]
                rank = ranks[tag]
                if rank <= last:
                    break
                last = rank
                length = octets[pos + 1]
                start = pos + 2
                if length >= 0x80:
                    if length == 0x81 and octets[start] >= 0x80:
                        length = octets[start]
                        start += 1
                    elif length == 0x82 and octets[start]:
                        length = octets[start] << 8 | octets[start + 1]
                        start += 2
                    else:
                        break
                length += start
                spans[tag] = (pos, start, length)
                pos = length
            if pos == size and last == layout.last and all(tag in spans for tag in layout.required):
                return Acse(octets, spans)
    except IndexError:
        pass
    return _decode_carefully(octets, max_size)


def _decode_carefully(octets: bytes, max_size: int) -> Acse:
    layout = plan()
    size = len(octets)
    if size > max_size:
        raise LimitExceeded("acse", 0, f"an APDU of {size} octets, the limit is {max_size}")
    if not size or octets[0] != APDU_TAG:
        raise DecodeError("acse", 0, f"an APDU starts with 60, not {octets[0]:02X}" if size else "there is no APDU")
    length, pos = read_length(octets, 1, size, "acse")
    if pos + length != size:
        raise DecodeError("acse", pos + length, f"{size - pos - length} octets follow the APDU")
    findings = [] if pos - 1 == length_size(length) else [non_minimal("acse", 1)]
    spans: dict[int, tuple[int, int, int]] = {}
    unknown: list[tuple[int, int, int]] = []
    last = 0
    while pos < size:
        begin = pos
        tag = octets[pos]
        node = layout.elements.get(tag)
        path = f"acse.{node.name}" if node else f"acse.{tag:02X}"
        if last == layout.last:
            raise DecodeError(path, begin, "an element follows the user information")
        pos += 1
        if tag & 0x1F == 0x1F:  # further octets of the tag, the last with its top bit clear
            while pos < size and octets[pos] >= 0x80:
                pos += 1
            pos += 1
        length, start = read_length(octets, pos, size, path)
        if start - pos != length_size(length):
            findings.append(non_minimal(path, pos))
        pos = start + length
        if node is None:
            if len(unknown) == MAX_UNKNOWN_ELEMENTS:
                raise LimitExceeded(path, begin, f"more than {MAX_UNKNOWN_ELEMENTS} unknown elements")
            unknown.append((begin, start, pos))
            text = "the element is not known; it is outside of the authenticated header"
            findings.append(Finding("error", "unknown-element", path, begin, text))
            continue
        if tag in spans:
            raise DecodeError(path, begin, "the element is repeated")
        spans[tag] = (begin, start, pos)
        rank = layout.ranks[tag]
        if rank < last:
            findings.append(Finding("warning", "element-order", path, begin, "the element is out of the usual order"))
        last = max(last, rank)
    for tag, node in layout.elements.items():
        if not node.optional and tag not in spans:
            raise DecodeError(f"acse.{node.name}", size, "the element is missing")
    return Acse(octets, spans, tuple(unknown), tuple(findings))
