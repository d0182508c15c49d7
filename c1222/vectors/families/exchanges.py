"""Whole exchanges: a request, and the response that answers it or does not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from c1222.message.acse import Acse
from c1222.message.aptitle import ApTitle
from c1222.message.epsem import Control, Epsem, ResponseControl, SecurityMode
from c1222.security.keys import Key
from c1222.security.sealing import seal
from c1222.services import ErrorResponse, Service, TableData, identify, session, tables
from c1222.vectors.families.parts import absolute_title, iv, keys, number, relative_title

if TYPE_CHECKING:
    from c1222.vectors.author import Author

__all__ = ["NAME", "PURPOSE", "cases"]

NAME = "exchanges"
PURPOSE = "Requests and their responses, in cleartext and secured: who asked what, and what came back"

_MODES: Final = ("in cleartext", "authenticated", "encrypted")


def cases(author: Author) -> None:
    author.group("answered", "exchange.open", "The response is verified, paired, and read as what was asked.")
    known = keys(author.rng)
    for mode in range(3):
        _conversations(author, known, mode)
    _sessions(author, known)
    _refused(author, known)


class _Nodes:
    """A client and a meter that share a key."""

    def __init__(self, author: Author, known: list[bytes], *, absolute: bool = False) -> None:
        rng = author.rng
        key_id = rng.randrange(256)
        title = absolute_title if absolute else relative_title
        self.client, self.meter = ApTitle(title(rng)), ApTitle(title(rng))
        self.key = Key(key_id, known[key_id])
        self.request_id, self.response_id = number(rng, 4), number(rng, 2)
        self.iv = iv(rng)

    def request(self, mode: int, *services: Service, **options: Any) -> bytes:
        """Return what the client sends."""
        fields = {"called": self.meter, "calling": self.client, "calling_invocation_id": self.request_id}
        return self._sent(mode, fields, services, **options)

    def response(self, mode: int, *services: Service, quoted: int | None = -1, **options: Any) -> bytes:
        """Return what the meter sends back; it quotes the number of the request unless another is given."""
        fields = {"called": self.client, "calling": self.meter, "calling_invocation_id": self.response_id}
        if quoted is not None:
            fields["called_invocation_id"] = self.request_id if quoted == -1 else quoted
        return self._sent(mode, fields, services, **options)

    def _sent(self, mode: int, fields: dict[str, Any], services: tuple[Service, ...], **options: Any) -> bytes:
        ed_class = options.pop("ed_class", None)
        response_control = ResponseControl(options.pop("response_control", 0))
        in_session, key = options.pop("in_session", False), options.pop("key", self.key)
        fields = {**fields, **options}
        control = Control(SecurityMode(mode), response_control, ed_class is not None)
        epsem = Epsem(tuple([service.encode() for service in services]), control.mode, response_control, ed_class)
        if not mode:
            return Acse.build(user_information=epsem.encode(), **fields).octets
        return seal(fields, key, iv=self.iv, control=control, body=epsem.body, in_session=in_session)  # type: ignore[arg-type]

    def case(self, request: bytes, response: bytes) -> dict[str, Any]:
        """Return the parameters of a case."""
        table = {str(self.key.id): self.key.octets.hex()}
        return {"keys": table, "request": request.hex(), "response": response.hex()}


def _conversations(author: Author, known: list[bytes], mode: int) -> None:
    rng = author.rng
    st1 = b"DEMOMODEL-X " + bytes((1, 0, 2, 1)) + b"0000000012345678"
    pieces = TableData(st1[16:])
    security = session.SecurityRequest.of("PASSWORD", 2)
    features = (identify.SessionControl.of(1, sessionless=True), identify.DeviceIdentity.of("METER"))
    table: list[tuple[str, tuple[str, ...], list[Service], list[Service]]] = [
        ("identify", (), [identify.IdentifyRequest()], [identify.IdentifyResponse(3, 1, 0, features)]),
        ("read ST1", (), [tables.ReadRequest(1)], [tables.ReadResponse(TableData(st1))]),
        ("read a part of ST1", (), [tables.ReadOffsetRequest(1, 16, 16)], [tables.ReadOffsetResponse(pieces)]),
        ("Security and a read, both answered", (), [security, tables.ReadRequest(1)],
         [session.SecurityResponse(), tables.ReadResponse(TableData(st1))]),
        ("Security has no response of its own", ("ResponseLeftOut",), [security, tables.ReadOffsetRequest(1, 16, 16)],
         [tables.ReadOffsetResponse(pieces)]),
        ("three reads, the second refused", (),
         [tables.ReadRequest(1), tables.ReadRequest(999), tables.ReadOffsetRequest(1, 16, 16)],
         [tables.ReadResponse(TableData(st1)), ErrorResponse(5), tables.ReadOffsetResponse(pieces)]),
        ("write a part of ST5", (), [tables.WriteOffsetRequest(5, 0, TableData(rng.randbytes(8)))],
         [tables.WriteOffsetResponse()]),
        ("logon", (), [session.LogonRequest.of(2, "USER", 60)], [session.LogonResponse(30)]),
        ("the response is too large", ("ResponseParameters",), [tables.ReadRequest(64)],
         [ErrorResponse(0x10, (512).to_bytes(4))]),
    ]  # fmt: skip
    for absolute in (False, True):
        for comment, flags, asked, answered in table:
            nodes = _Nodes(author, known, absolute=absolute)
            titles = "absolute" if absolute else "relative"
            given = nodes.case(
                nodes.request(mode, *asked), nodes.response(mode, *answered, response_control=2 * (not mode))
            )
            author.valid(f"{_MODES[mode]}, {titles} titles: {comment}", *flags, **given)
    nodes = _Nodes(author, known)
    given = nodes.case(
        nodes.request(mode, tables.ReadRequest(1), ed_class=b"TEMP"),
        nodes.response(mode, tables.ReadResponse(TableData(st1)), ed_class=b"TEMP"),
    )
    author.valid(f"{_MODES[mode]}: ED class", "EdClass", **given)
    nodes = _Nodes(author, known)
    given = nodes.case(
        nodes.request(mode, tables.ReadRequest(1), called=nodes.meter.absolute()),
        nodes.response(mode, ErrorResponse(3), called=nodes.client.absolute()),
    )
    author.valid(f"{_MODES[mode]}: a relay changed the form of titles", "RelativeTitle", **given)


def _sessions(author: Author, known: list[bytes]) -> None:
    for mode in (1, 2):
        nodes = _Nodes(author, known)
        given = nodes.case(
            nodes.request(mode, tables.ReadRequest(5), in_session=True),
            nodes.response(mode, tables.ReadResponse(TableData(b"ID" * 10)), in_session=True),
        )
        given["session"] = {"key_id": nodes.key.id, "iv": nodes.iv.hex()}
        author.valid(f"{_MODES[mode]}: inside a session", "SessionWithoutAuthentication", **given)


def _refused(author: Author, known: list[bytes]) -> None:
    author.group("refused", "exchange.open", "The response does not count.")
    read, answer = tables.ReadRequest(1), tables.ReadResponse(TableData(b"AB"))
    for mode in range(3):
        nodes = _Nodes(author, known)
        request, response = nodes.request(mode, read), nodes.response(mode, answer)

        def refused(comment: str, flag: str, response: bytes, request: bytes = request, nodes: _Nodes = nodes,
                    mode: int = mode) -> None:  # fmt: skip
            author.invalid(f"{_MODES[mode]}: {comment}", flag, **nodes.case(request, response))

        author.valid(f"{_MODES[mode]}: as it was sent", **nodes.case(request, response))
        refused("it quotes another number", "NotTheAnswer", nodes.response(mode, answer, quoted=nodes.request_id ^ 1))
        refused("it quotes no number", "NotTheAnswer", nodes.response(mode, answer, quoted=None))
        refused("from another node", "NotTheAnswer", nodes.response(mode, answer, calling=ApTitle(".9.9")))
        refused("to another node", "NotTheAnswer", nodes.response(mode, answer, called=ApTitle(".9.9")))
        refused("request and response change places", "NotTheAnswer", request, response)
        refused("it holds a request", "NotTheAnswer", nodes.response(mode, read))
        if mode:
            wrong = bytearray(response)
            wrong[-1] ^= 1
            refused("a bit of the MAC", "WrongMac", bytes(wrong))
            changed = bytearray(request)
            changed[-1] ^= 1
            refused("a bit of the request's MAC", "WrongMac", response, bytes(changed))
            refused("another key", "WrongMac", nodes.response(mode, answer, key=Key(nodes.key.id, bytes(16))))
        for weaker in range(mode):
            refused(f"the response is {_MODES[weaker]}", "Downgrade", nodes.response(weaker, answer))
