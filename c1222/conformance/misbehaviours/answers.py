"""Answers that do not come, come otherwise than they should, or name the wrong thing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from c1222.conformance.misbehaviours.misbehaviour import Misbehaviour, arriving, leaving, opened, remade
from c1222.message.acse import decode_acse
from c1222.message.ber import APDU_TAG, tlv
from c1222.message.epsem import ResponseControl, SecurityMode
from c1222.services import ErrorResponse
from c1222.services.identify import IdentifyResponse
from c1222.services.results import Bsy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from c1222.conformance.misbehaviours.misbehaviour import Subject
    from c1222.protocol.responder.execution import Context
    from c1222.services import Request, Response

__all__ = [
    "answers_answers",
    "context_dropped",
    "dies_of_noise",
    "dies_of_segments",
    "doubled",
    "elements_exchanged",
    "id_octets_lost",
    "in_clear",
    "late",
    "long_lengths",
    "no_called_id",
    "nonce_used_again",
    "octets_behind",
    "old_vector",
    "other_called_id",
    "other_form",
    "response_control_ignored",
    "same_own_id",
    "segments_dropped",
    "segments_in_order",
    "signed_ids",
    "silent",
    "stray",
    "titles_exchanged",
    "truncated",
    "weaker",
    "wrong_mac",
    "wrong_mac_often",
]

_LATE: Final = 4.0
_YEAR_2000: Final = 946_684_800


@leaving("silent", "It answers nothing", "Gives up after its attempts, and reports it.", "C-LINK-01")
def silent(_answer: bytes, _node: Subject) -> Iterator[tuple[bytes, float]]:
    """Nothing."""
    yield from ()


@leaving("late", "Answers take 4 s", "Waits, or asks again with the same octets; takes a late answer once.")
def late(answer: bytes, _node: Subject) -> Iterator[tuple[bytes, float]]:
    """Later."""
    yield answer, _LATE


@leaving("doubled", "Every answer comes twice", "Takes the first, and drops the second.")
def doubled(answer: bytes, _node: Subject) -> Iterator[tuple[bytes, float]]:
    """Twice."""
    yield answer, 0.0
    yield answer, 0.0


@leaving("truncated", "Answers are cut in half", "Drops them, and asks again.", "C-LINK-02")
def truncated(answer: bytes, _node: Subject) -> Iterator[tuple[bytes, float]]:
    """The first half."""
    yield answer[: len(answer) // 2], 0.0


@leaving("octets-behind", "Octets follow the APDU", "Drops such datagrams: one holds one APDU.", "C-LINK-02")
def octets_behind(answer: bytes, _node: Subject) -> Iterator[tuple[bytes, float]]:
    """Two zeros."""
    yield answer + bytes(2), 0.0


@leaving("stray", "An answer that nobody asked for goes before each", "Drops what it did not ask for.", "C-ECHO-01")
def stray(answer: bytes, node: Subject) -> Iterator[tuple[bytes, float]]:
    """An answer to an id that was never used."""
    quoted = opened(answer, node.keys).called_invocation_id or 0
    yield remade(answer, node.keys, lambda _: [ErrorResponse.of(Bsy())], called_invocation_id=quoted ^ 0x40000000), 0.0
    yield answer, 0.0


@leaving("wrong-mac", "The MAC of answers is wrong", "Drops them.", "C-LINK-02", secured=True)
def wrong_mac(answer: bytes, _node: Subject) -> Iterator[tuple[bytes, float]]:
    """The last bit changed."""
    yield answer[:-1] + bytes((answer[-1] ^ 1,)), 0.0


@leaving("in-clear", "Secured requests are answered in cleartext", "Drops such answers.", "C-SEC-01", secured=True)
def in_clear(answer: bytes, node: Subject) -> Iterator[tuple[bytes, float]]:
    """Opened, and sent so."""
    yield remade(answer, node.keys, security_mode=SecurityMode.CLEARTEXT, carries_authentication=False), 0.0


@leaving("weaker", "Encrypted requests are answered authenticated only", "Drops them.", "C-SEC-01", secured=True)
def weaker(answer: bytes, node: Subject) -> Iterator[tuple[bytes, float]]:
    """Mode 1."""
    if opened(answer, node.keys).security_mode is SecurityMode.CIPHERTEXT_AUTHENTICATION:
        answer = remade(answer, node.keys, security_mode=SecurityMode.CLEARTEXT_AUTHENTICATION)
    yield answer, 0.0


@leaving(
    "old-vector", "Vectors are of the year 2000", "Takes them, or not, by its own policy.", "C-SEC-02", secured=True
)
def old_vector(answer: bytes, node: Subject) -> Iterator[tuple[bytes, float]]:
    """A clock that was never set."""
    if opened(answer, node.keys).iv is not None:
        answer = remade(answer, node.keys, iv=_YEAR_2000.to_bytes(4))
    yield answer, 0.0


@leaving(
    "no-called-id", "Answers quote no id", "Drops them, or takes them in cleartext when it waits for one.", "C-ECHO-01"
)
def no_called_id(answer: bytes, node: Subject) -> Iterator[tuple[bytes, float]]:
    """Without A4."""
    yield remade(answer, node.keys, called_invocation_id=None), 0.0


@leaving("other-called-id", "Answers quote the id before the right one", "Drops them.", "C-ECHO-01")
def other_called_id(answer: bytes, node: Subject) -> Iterator[tuple[bytes, float]]:
    """A4 changed."""
    quoted = opened(answer, node.keys).called_invocation_id or 0
    yield remade(answer, node.keys, called_invocation_id=quoted ^ 0x40000000), 0.0


@leaving("titles-exchanged", "Answers have the titles of the request as they were", "Drops them.", "C-ECHO-02")
def titles_exchanged(answer: bytes, node: Subject) -> Iterator[tuple[bytes, float]]:
    """A2 and A6 exchanged."""
    message = opened(answer, node.keys)
    yield remade(answer, node.keys, called=message.calling, calling=message.called), 0.0


@leaving("other-form", "Answers have absolute titles always", "Takes them: the nodes are the same.", "C-ECHO-03")
def other_form(answer: bytes, node: Subject) -> Iterator[tuple[bytes, float]]:
    """Made absolute."""
    message = opened(answer, node.keys)
    titles = {name: title.absolute() for name in ("called", "calling") if (title := getattr(message, name)) is not None}
    yield remade(answer, node.keys, **titles), 0.0


@leaving("long-lengths", "Lengths have more octets than needed", "Takes such answers.", "C-ECHO-07")
def long_lengths(answer: bytes, _node: Subject) -> Iterator[tuple[bytes, float]]:
    """The outer length, which no MAC covers."""
    first, _, _ = next(iter(decode_acse(answer).spans.values()))
    content = answer[first:]
    yield bytes((APDU_TAG, 0x82)) + len(content).to_bytes(2) + content, 0.0


@leaving("elements-exchanged", "The calling title goes before the called one", "Takes such answers.", "C-ECHO-07")
def elements_exchanged(answer: bytes, _node: Subject) -> Iterator[tuple[bytes, float]]:
    """A6 first; N has its own order, so the MAC holds."""
    acse = decode_acse(answer)
    elements = [answer[start:end] for start, _, end in acse.spans.values()]
    calling = next((one for one in elements if one[0] == 0xA6), b"")
    yield tlv(APDU_TAG, calling + b"".join(one for one in elements if one[0] != 0xA6)), 0.0


@arriving(
    "response-control-ignored", "It answers always", "Drops answers it did not ask for.", "C-CTRL-01", "C-CTRL-02"
)
def response_control_ignored(apdu: bytes, node: Subject) -> Iterator[bytes]:
    """The request, made again to ask for an answer."""
    yield remade(apdu, node.keys, response_control=ResponseControl.ALWAYS)


@arriving("answers-answers", "It answers answers", "Never answers an answer itself: nobody would stop.", "C-CTRL-03")
def answers_answers(apdu: bytes, node: Subject) -> Iterator[bytes]:
    """Without A4 it is a request."""
    yield remade(apdu, node.keys, called_invocation_id=None)


@arriving("segments-dropped", "It knows no segments", "Sends what fits in one piece.", "C-SEG-01")
def segments_dropped(apdu: bytes, _node: Subject) -> Iterator[bytes]:
    """Dropped."""
    if not decode_acse(apdu).is_segment:
        yield apdu


@arriving(
    "dies-of-noise", "After octets that are no APDU it answers nothing more", "Gives up, and reports it.", "C-ERR-09"
)
def dies_of_noise(apdu: bytes, node: Subject) -> Iterator[bytes]:
    """Like a parser that runs into a trap."""
    try:
        decode_acse(apdu)
    except ValueError:
        node.scratch["dead"] = True
    if "dead" not in node.scratch:
        yield apdu


@arriving("context-dropped", "Requests with an application context are dropped", "Leaves it out.", "C-ECHO-08")
def context_dropped(apdu: bytes, _node: Subject) -> Iterator[bytes]:
    """With A1."""
    if decode_acse(apdu).application_context is None:
        yield apdu


@arriving("segments-in-order", "It takes segments in order only", "Sends them so.", "C-SEG-02")
def segments_in_order(apdu: bytes, node: Subject) -> Iterator[bytes]:
    """Each where the one before it ended."""
    acse = decode_acse(apdu)
    reference, start, end = acse.user_information
    if not acse.is_segment:
        yield apdu
    elif reference == (node.scratch.get("next", 0) if reference else 0):
        node.scratch["next"] = (reference or 0) + end - start
        yield apdu


@arriving("dies-of-segments", "After a segment past the end it is silent", "Gives up, and reports it.", "C-SEG-03")
def dies_of_segments(apdu: bytes, node: Subject) -> Iterator[bytes]:
    """Like a buffer that overflows."""
    acse = decode_acse(apdu)
    reference, start, end = acse.user_information
    if acse.is_segment and (reference or 0) + end - start > (acse.called_ae_qualifier or 0):
        node.scratch["dead"] = True
    if "dead" not in node.scratch:
        yield apdu


@leaving("id-octets-lost", "Ids of three octets are quoted without the first", "Drops such answers.", "C-ECHO-04")
def id_octets_lost(answer: bytes, node: Subject) -> Iterator[tuple[bytes, float]]:
    """A buffer of the wrong size."""
    quoted = opened(answer, node.keys).called_invocation_id or 0
    if quoted.bit_length() in range(17, 25):
        answer = remade(answer, node.keys, called_invocation_id=quoted & 0xFFFF)
    yield answer, 0.0


@leaving("signed-ids", "Ids are taken for signed numbers", "Uses ids that both read alike.", "C-ECHO-05")
def signed_ids(answer: bytes, node: Subject) -> Iterator[tuple[bytes, float]]:
    """Extended to 32 bits with their sign."""
    quoted = opened(answer, node.keys).called_invocation_id or 0
    octets = quoted.to_bytes(max(1, (quoted.bit_length() + 7) // 8))
    number = int.from_bytes(octets, signed=True) & 0xFFFFFFFF
    yield remade(answer, node.keys, called_invocation_id=number), 0.0


@leaving("same-own-id", "Every answer has the id 1 of its own", "Goes by the id that is quoted.", "C-ECHO-06")
def same_own_id(answer: bytes, node: Subject) -> Iterator[tuple[bytes, float]]:
    """A8."""
    yield remade(answer, node.keys, calling_invocation_id=1), 0.0


@leaving("wrong-mac-often", "The MAC of every second answer is wrong", "Asks again.", "C-RUN-01", secured=True)
def wrong_mac_often(answer: bytes, node: Subject) -> Iterator[tuple[bytes, float]]:
    """By counting."""
    node.scratch["count"] = node.scratch.get("count", 0) + 1
    yield answer[:-1] + bytes((answer[-1] ^ (node.scratch["count"] % 2 == 0),)), 0.0


def _counted(request: Request, context: Context, node: Subject) -> Response:
    response = node.serve(request, context)
    if isinstance(response, IdentifyResponse):
        node.scratch["count"] = node.scratch.get("count", 0) + 1
        response = response.replace(revision=node.scratch["count"] & 0xFF)
    return response


nonce_used_again = Misbehaviour(
    "nonce-used-again",
    "Repeated requests are answered again, under the same key and N: what is encrypted so can be read",
    "Cannot help it; repeats nothing.",
    ("C-SEC-09", "C-RUN-02"),
    secured=True,
    serve=_counted,
    leave=same_own_id.leave,
    policy={"answer_window": 0.0},
    forgets=True,
)
