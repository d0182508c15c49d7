"""EPSEM services: every request code, every response code, table data; octets to values and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from c1219.tableid import IDS, NUMBERS
from c1222.message.aptitle import ApTitle
from c1222.services import Request, Response, TableData, c1218, identify, network, session, tables
from c1222.services.results import RESULT_NAMES
from c1222.services.table_data import checksum
from c1222.vectors.families.parts import absolute_title, relative_title
from c1222.vectors.operations import answer

if TYPE_CHECKING:
    from random import Random

    from c1222.vectors.author import Author

__all__ = ["NAME", "PURPOSE", "cases"]

NAME = "services"
PURPOSE = "EPSEM services without the length before them, requests and responses, as octets and as values"

_INDEXED: Final = "IndexRead"
_MAKERS, _PENDING, _USER_DEFINED = map(int, tables.TableBits)


def cases(author: Author) -> None:
    rng = author.rng
    requests, responses = _requests(rng), _responses(rng)
    author.group("request-encode", "request.encode", "Values to octets.")
    for request, flags in requests:
        _encode(author, request, flags)
    author.group("request-decode", "request.decode", "Octets to values.")
    for request, flags in requests:
        author.valid(_comment(request), *flags, octets=request.encode().hex())
    author.group("response-encode", "response.encode", "Values to octets; `service` names the request.")
    for response, _, flags in responses:
        _encode(author, response, flags)
    author.group("response-decode", "response.decode", "Octets to values; `request` are the octets of the request.")
    for response, request, flags in responses:
        author.valid(_comment(response), *flags, octets=response.encode().hex(), request=request.encode().hex())
    _errors(author)
    _table_data(author)
    _unusual(author)
    _malformed(author, requests, responses)


def _comment(service: Request | Response) -> str:
    name = f"{service.service}, code {service.code:02x}"
    return name if isinstance(service, Request) else f"ok to {service.service}"


def _encode(author: Author, service: Request | Response, flags: tuple[str, ...]) -> None:
    shown = service.as_dict(show_secrets=True)
    shown.pop("checksum_ok", None)
    author.valid(_comment(service), *flags, service=shown)


def _table(rng: Random) -> int:
    return rng.choice((0, 1, 5, 8, 23, 64, 127, _MAKERS, _MAKERS + 1, NUMBERS[-1], _PENDING + 5, _USER_DEFINED + 3))


def _data(rng: Random) -> TableData:
    return TableData(rng.randbytes(1 + rng.randrange(24)))


def _requests(rng: Random) -> list[tuple[Request, tuple[str, ...]]]:
    title, other = ApTitle(relative_title(rng)), ApTitle(absolute_title(rng))
    requests: list[tuple[Request, tuple[str, ...]]] = [
        (identify.IdentifyRequest(), ()),
        (session.TerminateRequest(), ()),
        (session.DisconnectRequest(), ()),
        *[(kind(name), ()) for kind in (network.DeregisterRequest, network.ResolveRequest) for name in (title, other)],
        (network.TraceRequest((title,)), ()),
        (network.TraceRequest((title, other, ApTitle(".1"))), ()),
        (_registration(rng, title), ()),
        (_registration(rng, other, b"beef"), ("OptionalParameter",)),
        (_registration(rng, ApTitle(".")), ("EmptyTitle",)),
    ]
    high = (NUMBERS[-1], _MAKERS, IDS[-1], _PENDING + 7, _USER_DEFINED + 1, 65535)
    requests += [(tables.ReadRequest(table), ()) for table in (0, 1, 23, *high)]
    for count in range(1, 10):
        indices = tuple(rng.randrange(65536) for _ in range(count))
        requests.append((tables.ReadIndexRequest(_table(rng), indices, rng.randrange(65536)), (_INDEXED,)))
        requests.append((tables.WriteIndexRequest(_table(rng), indices, _data(rng)), (_INDEXED,)))
    requests.append((tables.ReadDefaultRequest(), (_INDEXED,)))
    for offset, size in ((0, 0), (0, 1), (16, 16), (255, 256), (65535, 65535), (65536, 1), (16777215, 1)):
        requests.append((tables.ReadOffsetRequest(_table(rng), offset, size), ()))
    for size in (0, 1, 2, 127, 128, 255, 256, 300):
        requests.append((tables.WriteRequest(_table(rng), TableData(rng.randbytes(size))), ("TableChecksum",)))
    for offset in (0, 255, 65536, 16777215):
        requests.append((tables.WriteOffsetRequest(_table(rng), offset, _data(rng)), ("TableChecksum",)))
    requests += [
        (session.LogonRequest.of(user, name, timeout), ("OptionalParameter",) * (timeout is None))
        for user, name, timeout in ((2, "USER", 60), (0, "", 0), (65535, "TENLETTERS", 65535), (7, "C12.18", None))
    ]
    requests += [(session.SecurityRequest.of("PASSWORD", user), ("OptionalParameter",)) for user in (2, 0, 65535, None)]
    requests += [(session.LogoffRequest(), ()), *[(session.WaitRequest(seconds), ()) for seconds in (0, 10, 255)]]
    requests += [(c1218.AuthenticateRequest(rng.randbytes(size)), ()) for size in (0, 9, 17, 255)]
    for count in range(12):
        codes = bytes(1 + rng.randrange(14) for _ in range(count))
        requests.append((c1218.NegotiateRequest(rng.randrange(65536), rng.randrange(256), codes), ()))
    requests.append((c1218.TimingSetupRequest(30, 1, 4, 255), ()))
    return requests


def _registration(rng: Random, title: ApTitle, pattern: bytes | None = None) -> network.RegisterRequest:
    return network.RegisterRequest(
        node_type=network.NodeType(0x20 if pattern is None else 0xA1),
        connection_type=network.ConnectionType(rng.randrange(256)),
        device_class=rng.randbytes(4),
        ap_title=title,
        serial_number=ApTitle(absolute_title(rng)),
        native_address=rng.randbytes(6),
        period=rng.randrange(1 << 24),
        pattern=pattern,
    )


def _responses(rng: Random) -> list[tuple[Response, Request, tuple[str, ...]]]:
    title, other = ApTitle(relative_title(rng)), ApTitle(absolute_title(rng))
    features = (
        identify.AuthenticationFeature(1, 0),
        identify.AuthenticationTicket(1, 0xFF, rng.randbytes(16)),
        identify.SecurityMechanism(ApTitle("2.16.124.113620.1.22.2.1")),
        identify.SessionControl.of(5, sessionless=True),
        identify.DeviceClass.of(b"ITR1"),
        identify.DeviceIdentity.of("METER-0001"),
    )
    ask = identify.IdentifyRequest()
    responses: list[tuple[Response, Request, tuple[str, ...]]] = [
        (identify.IdentifyResponse(standard, version, 0), ask, ()) for standard, version in ((0, 1), (2, 1), (3, 1))
    ]
    responses += [(identify.IdentifyResponse(3, 1, 0, (feature,)), ask, ()) for feature in features]
    responses.append((identify.IdentifyResponse(3, 1, 0, features[2:]), ask, ()))
    responses += [
        (session.TerminateResponse(), session.TerminateRequest(), ()),
        (session.DisconnectResponse(), session.DisconnectRequest(), ()),
        (network.DeregisterResponse(title), network.DeregisterRequest(title), ("OptionalParameter",)),
        (network.DeregisterResponse(), network.DeregisterRequest(title), ("OptionalParameter",)),
        (network.ResolveResponse(rng.randbytes(6)), network.ResolveRequest(title), ()),
        (network.ResolveResponse(b""), network.ResolveRequest(other), ()),
        (network.TraceResponse((title, other)), network.TraceRequest((title,)), ()),
        (
            network.RegisterResponse(title, 60, 86400, network.RegistrationInfo(0x81)),
            _registration(rng, ApTitle(".")),
            (),
        ),
        (session.LogonResponse(60), session.LogonRequest.of(2, "USER"), ()),
        (session.LogonResponse(), session.LogonRequest.of(2, "USER", None), ("OptionalParameter",)),
        (session.SecurityResponse(), session.SecurityRequest.of("PASSWORD", 2), ()),
        (session.LogoffResponse(), session.LogoffRequest(), ()),
        (session.WaitResponse(), session.WaitRequest(10), ()),
        (c1218.AuthenticateResponse(rng.randbytes(9)), c1218.AuthenticateRequest(rng.randbytes(9)), ()),
        (c1218.NegotiateResponse(64, 2, 6), c1218.NegotiateRequest(64, 2, b"\6"), ()),
        (c1218.TimingSetupResponse(30, 1, 4, 3), c1218.TimingSetupRequest(30, 1, 4, 3), ()),
        (tables.WriteResponse(), tables.WriteRequest(5, _data(rng)), ()),
        (tables.WriteOffsetResponse(), tables.WriteOffsetRequest(5, 0, _data(rng)), ()),
        (tables.WriteIndexResponse(), tables.WriteIndexRequest(5, (0,), _data(rng)), (_INDEXED,)),
        (tables.ReadIndexResponse(_data(rng)), tables.ReadIndexRequest(1, (0,), 1), (_INDEXED,)),
        (tables.ReadDefaultResponse(_data(rng)), tables.ReadDefaultRequest(), (_INDEXED,)),
        (tables.ReadOffsetResponse(_data(rng)), tables.ReadOffsetRequest(1, 16, 16), ("TableChecksum",)),
    ]
    for size in (0, 1, 127, 255, 256, 257):
        responses.append(
            (tables.ReadResponse(TableData(rng.randbytes(size))), tables.ReadRequest(1), ("TableChecksum",))
        )
    return responses


def _errors(author: Author) -> None:
    read = tables.ReadRequest(1).encode().hex()
    author.group("results", "response.decode", "Every response code.", request=read)
    for code, name in RESULT_NAMES.items():
        if code:
            author.valid(f"{name}", octets=f"{code:02x}")
    for comment, octets in (
        ("rqtl with the largest size", "0f00000200"),
        ("rstl with the largest size", "1000000200"),
        ("rstl with a size of two octets", "100200"),
        ("sgerr with offset and size in one octet each", "123051"),
        ("sgerr in two octets each", "1200300151"),
        ("sgerr in three octets each", "12000030010051"),
    ):
        author.valid(comment, "ResponseParameters", octets=octets)
    author.group("results-encode", "response.encode", "Every response code.")
    for code, name in RESULT_NAMES.items():
        if code:
            author.valid(f"{name}", service={"code": code, "kind": "response", "result": name, "service": None})
    for code, details in (
        (0x0F, {"max_size": 512}),
        (0x10, {"max_size": 70000}),
        (0x12, {"offset": 48, "apdu_size": 300}),
    ):
        shown = {"code": code, "kind": "response", "result": RESULT_NAMES[code], "service": None, **details}
        author.valid(f"{RESULT_NAMES[code]} with parameters", "ResponseParameters", service=shown)
    author.group("unpaired", "response.decode", "Responses whose request is not known.")
    author.valid("ok, nothing more", "UnpairedResponse", octets="00")
    author.valid("ok and octets", "UnpairedResponse", octets="000102")
    for code in range(1, 0x20):
        author.valid(RESULT_NAMES[code], "UnpairedResponse", octets=f"{code:02x}")


def _table_data(author: Author) -> None:
    rng = author.rng
    read = tables.ReadRequest(1).encode().hex()
    author.group("checksums", "response.decode", "Table data with checksums that are right, or not.", request=read)
    for comment, data in (
        ("a sum of 0", b""),
        ("zeros", bytes(4)),
        ("a sum of 256", b"\x80\x80"),
        ("a sum of 255", b"\xff"),
        ("a sum of 1", b"\1"),
        ("example 8 of the standard", b"MANUFACTURER SN "),
    ):
        octets = b"\0" + len(data).to_bytes(2) + data + bytes((checksum(data),))
        author.valid(comment, "TableChecksum", octets=octets.hex())
    data = rng.randbytes(20)
    right = checksum(data)
    for comment, octet in (
        ("one too many", right + 1),
        ("the sum itself", sum(data)),
        ("one's complement of the sum", ~sum(data)),
        ("over count and data", -sum(data) - len(data)),
        ("top bit wrong", right ^ 0x80),
    ):
        octets = b"\0" + len(data).to_bytes(2) + data + bytes((octet & 0xFF,))
        author.acceptable(f"wrong: {comment}", "TableChecksum", octets=octets.hex())
    author.group("chunks", "response.encode", "As much data as one count can just not say.")
    shown = {"code": 0, "kind": "response", "result": "ok", "service": "read"}
    data = (bytes(range(256)) * 256)[:65535]
    author.valid("65535 octets", "Chunk65535", service={**shown, "data": data.hex()})


def _unusual(author: Author) -> None:
    author.group("request-unusual", "request.decode", "Odd but perhaps tolerable.")
    for code in (0x23, 0x28, 0x2F, 0x3A, 0x4A, 0x54, 0x6C, 0x7F, 0x80, 0xFF):
        author.acceptable(f"code {code:02x}, which has no meaning", "UnknownService", octets=f"{code:02x}0102")
    for octets in ("2000", "30000100", "3f0001000010001000", "700a00", "5200"):
        author.acceptable("an octet more than the parameters", "TrailingOctets", octets=octets)
    author.acceptable("a name with the tag 0D", "RelativeTag0D", octets="240d037bc175")
    author.acceptable("Security with one octet of user id", "TrailingOctets", octets="51" + "20" * 20 + "00")
    author.acceptable("default write", "UnknownService", octets="4e0102")
    author.group("response-unusual", "response.decode", "Odd but perhaps tolerable.")
    ask = identify.IdentifyRequest().encode().hex()
    author.acceptable(
        "Identify: a feature 08", "UnknownFeature", octets="00030100" + "0585" + "08010203" + "00", request=ask
    )
    read = tables.ReadIndexRequest(1, (0, 1), 1).encode().hex()
    block = TableData(b"AB").write().hex()
    author.acceptable("read by index: two table data", _INDEXED, octets=f"00{block}{block}", request=read)
    read = tables.ReadRequest(1).encode().hex()
    author.acceptable("read: an octet behind the checksum", "TrailingOctets", octets=f"00{block}00", request=read)
    author.acceptable("an error with octets", "TrailingOctets", octets="03ff", request=read)


def _malformed(author: Author, requests: list[Any], responses: list[Any]) -> None:
    author.group("request-malformed", "request.decode", "One defect each.")
    author.invalid("no octets", "Truncated", octets="")
    for code in (0x00, 0x01, 0x1F):
        author.invalid(f"{code:02x} is a response code", "BadTag", octets=f"{code:02x}")
    for octets, comment in _prefixes([(request.encode(), _comment(request)) for request, _ in requests]):
        if answer("request.decode", {"octets": octets}).output is None:
            author.invalid(comment, "Truncated", octets=octets)
    for comment, flag, octets in (
        ("deregister: tag 05", "BadTag", "2405037bc175"),
        ("resolve: an arc that does not end", "BadIdentifier", "258002ffff"),
        ("trace: the second title has the tag 04", "BadTag", "2680027b0404017b"),
        ("write: count larger than the data", "Truncated", "400001000541424300"),
        ("write: no checksum", "Truncated", "40000100034142 43".replace(" ", "")),
    ):
        author.invalid(comment, flag, octets=octets)
    author.group("response-malformed", "response.decode", "One defect each.")
    author.invalid("no octets", "Truncated", octets="", request="300001")
    for code in (0x20, 0x30, 0x7F, 0x80):
        author.invalid(f"{code:02x} is a request code", "BadTag", octets=f"{code:02x}", request="300001")
    asked = {_comment(response): request.encode().hex() for response, request, _ in responses}
    for octets, comment in _prefixes([(response.encode(), _comment(response)) for response, *_ in responses]):
        request = asked[comment.partition(":")[0]]
        if answer("response.decode", {"octets": octets, "request": request}).output is None:
            author.invalid(comment, "Truncated", octets=octets, request=request)
    author.invalid("identify: no end of the features", "Truncated", octets="000301000585", request="20")
    author.group("encode-bad", "request.encode", "Values that have no form.")
    shown = {"service": "read-offset", "kind": "request"}
    for comment, values in (
        ("table 65536", {"table": 65536, "offset": 0, "count": 1}),
        ("offset 16777216", {"table": 1, "offset": 16777216, "count": 1}),
        ("count 65536", {"table": 1, "offset": 0, "count": 65536}),
        ("table -1", {"table": -1, "offset": 0, "count": 1}),
    ):
        author.invalid(f"read by offset: {comment}", "BadInteger", service={"code": 0x3F, **shown, **values})


def _prefixes(services: list[tuple[bytes, str]]) -> list[tuple[str, str]]:
    """Return the services without their last octet, and with only two thirds of them, each kind once."""
    found: dict[str, tuple[str, str]] = {}
    for octets, comment in services:
        for size in (len(octets) - 1, 2 * len(octets) // 3):
            if 0 < size < len(octets) < 200:
                found.setdefault(f"{comment}/{len(octets) - size > 1}",
                                 (octets[:size].hex(), f"{comment}: {size} of {len(octets)} octets"))  # fmt: skip
    return list(found.values())
