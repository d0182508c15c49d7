"""Operations on what is secured: EAX' itself, the canonical header, sealed messages, exchanges.

An operation takes the parameters of a case and answers with what this library makes of them. What the library refuses
with an error of its own, `operations.answer` turns into a refusal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from c1222.errors import EncodeError, ShortHeader
from c1222.message.acse import decode_acse
from c1222.message.aptitle import ApTitle
from c1222.message.epsem import Control, Epsem, ResponseControl, SecurityMode
from c1222.protocol.initiator.matching import distrust
from c1222.protocol.opening import decode
from c1222.protocol.pairing import Associations
from c1222.security.canonical import canonical_header, pieces
from c1222.security.eax_prime import BLOCK_SIZE, MAC_SIZE, EAXPrime, trace
from c1222.security.keys import Key, KeyStore
from c1222.security.sealing import SessionSecurity, seal
from c1222.vectors.inputs import Answer, Input
from c1222.vectors.model import BadCase

if TYPE_CHECKING:
    from collections.abc import Callable

    from c1222.message.acse import Acse
    from c1222.message.acse_fields import Fields
    from c1222.protocol.message import Message

__all__ = ["OPERATIONS", "fields_of"]


def _traced(key: bytes, header: bytes, plaintext: bytes) -> dict[str, Any]:
    steps = trace(key, header, plaintext)._asdict()
    del steps["ciphertext"], steps["mac"]
    if not plaintext:
        del steps["ciphertext_tag"], steps["counter"]
    return {name: octets.hex() for name, octets in steps.items()}


def _seal_octets(case: Input) -> Answer:
    key, header, plaintext = case.octets("key"), case.octets("header"), case.octets("plaintext")
    sealed = EAXPrime(key).encrypt(header, plaintext)
    output = {"ciphertext": sealed[:-MAC_SIZE].hex(), "mac": sealed[-MAC_SIZE:].hex()}
    return Answer(output, _traced(key, header, plaintext))


def _open_octets(case: Input) -> Answer:
    key, header = case.octets("key"), case.octets("header")
    plaintext = EAXPrime(key).decrypt(header, case.octets("ciphertext") + _mac(case))
    return Answer({"plaintext": plaintext.hex()}, _traced(key, header, plaintext))


def _mac(case: Input) -> bytes:
    mac = case.octets("mac")
    if len(mac) != MAC_SIZE:  # what is too long or too short must not become part of the ciphertext
        raise EncodeError(f"a MAC has {MAC_SIZE} octets, not {len(mac)}")
    return mac


def _signed_data(case: Input) -> tuple[bytes, bytes]:
    header = case.octets("header")
    if len(header) <= BLOCK_SIZE:
        raise ShortHeader(f"a header of {len(header)} octets")
    return case.octets("key"), header + case.octets("body")


def _mac_octets(case: Input) -> Answer:
    key, data = _signed_data(case)
    return Answer({"mac": EAXPrime(key).mac(data).hex()}, _traced(key, data, b""))


def _verify_octets(case: Input) -> Answer:
    key, data = _signed_data(case)
    EAXPrime(key).verify(data, case.octets("mac"))
    return Answer({}, _traced(key, data, b""))


def _pieces(acse: Acse, key_id: int | None, iv: bytes, base: ApTitle) -> list[dict[str, str]]:
    found = pieces(acse, key_id=key_id, iv=iv, base=base)
    return [{"name": piece.name, "octets": piece.octets.hex()} for piece in found]


def _canonical(case: Input) -> Answer:
    acse = decode_acse(case.octets("apdu"))
    key_id = case.between("key_id", 0, 255) if "key_id" in case else None
    iv, base = case.octets("iv"), case.base()
    header = canonical_header(acse, key_id=key_id, iv=iv, base=base)
    return Answer({"header": header.hex()}, {"pieces": _pieces(acse, key_id, iv, base)})


_TITLES: Final = ("called", "calling")
_NUMBERS: Final = ("called_invocation_id", "calling_ae_qualifier", "calling_invocation_id")
_IDENTIFIERS: Final = ("application_context", "mechanism")


def fields_of(case: Input) -> Fields:
    """Return the elements of an APDU that a case gives, by the names of `c1222.message.acse_fields.Fields`."""
    fields: dict[str, Any] = {name: ApTitle(case.text(name)) for name in _TITLES if name in case}
    fields |= {name: case.integer(name) for name in _NUMBERS if name in case}
    fields |= {name: case.text(name) for name in _IDENTIFIERS if name in case}
    return fields  # type: ignore[return-value]


def _control(case: Input) -> Control:
    return Control(
        SecurityMode(case.between("mode", 0, 3)),
        ResponseControl(case.between("response_control", 0, 3, 0)),
        "ed_class" in case,
        case.flag("proxy"),
        case.flag("recovery"),
    )


def _seal_message(case: Input) -> Answer:
    key = Key(case.between("key_id", 0, 255), case.octets("key"))
    iv, base = case.octets("iv"), case.base()
    ed_class = case.octets("ed_class") if "ed_class" in case else None
    body = Epsem(tuple(case.octets_list("services")), ed_class=ed_class).body
    in_session = case.flag("in_session")
    apdu = seal(fields_of(case), key, iv=iv, control=_control(case), body=body, in_session=in_session, base=base)
    return Answer({"apdu": apdu.hex()}, _steps(decode_acse(apdu), key, key.id, iv, body, base))


def _steps(acse: Acse, key: Key, key_id: int | None, iv: bytes, body: bytes, base: ApTitle) -> dict[str, Any]:
    header = canonical_header(acse, key_id=key_id, iv=iv, base=base)
    encrypted = acse.payload[0] >> 2 & 3 == SecurityMode.CIPHERTEXT_AUTHENTICATION
    return {
        "header": header.hex(),
        "pieces": _pieces(acse, key_id, iv, base),
        "body": body.hex(),
        **(_traced(key.octets, header, body) if encrypted else _traced(key.octets, header + body, b"")),
        "mac": acse.payload[-MAC_SIZE:].hex(),
    }


def _steps_of(message: Message, base: ApTitle) -> dict[str, Any]:
    """Return the values on the way to a message that was opened."""
    acse, key, iv = message.acse, message.key, message.iv
    if acse is None or key is None or iv is None:
        return {"body": message.body.hex()}
    authentication = acse.authentication
    if authentication is not None and authentication.key_id is None:  # N has been met without the octet and with it
        return {"body": message.body.hex()}
    return _steps(acse, key, message.key_id, iv, message.body, base)


def _store(case: Input) -> KeyStore:
    keys = case.below("keys")
    try:
        return KeyStore([Key(int(name), keys.octets(name)) for name, _ in keys.items()], base_oid=case.base())
    except ValueError as error:
        raise BadCase(f"input.keys: {error}") from None


def _session(case: Input) -> SessionSecurity | None:
    if "session" not in case:
        return None
    session = case.below("session")
    return SessionSecurity(session.between("key_id", 0, 255), session.octets("iv"))


def _open_message(case: Input) -> Answer:
    store = _store(case)
    message = decode(case.octets("apdu"), keys=store, session=_session(case))
    if not message.authenticated or message.iv is None:
        return Answer(None, refusal=str(message.verdict))
    output = {
        "security_mode": int(message.security_mode),
        "key_id": message.key_id,
        "iv": message.iv.hex(),
        "ed_class": None if message.ed_class is None else message.ed_class.hex(),
        "services": [octets.hex() for octets in message.service_octets],
    }
    return Answer(output, _steps_of(message, store.base_oid))


def _shown(message: Message) -> dict[str, Any]:
    return {
        "called": None if message.called is None else str(message.called),
        "calling": None if message.calling is None else str(message.calling),
        "called_invocation_id": message.called_invocation_id,
        "calling_invocation_id": message.calling_invocation_id,
        "calling_ae_qualifier": message.calling_ae_qualifier,
        "security_mode": int(message.security_mode),
        "response_control": int(message.response_control),
        "ed_class": None if message.ed_class is None else message.ed_class.hex(),
        "services": [service.as_dict(show_secrets=True) for service in message.services],
    }


def _open_exchange(case: Input) -> Answer:
    store, session = _store(case), _session(case)
    request = decode(case.octets("request"), keys=store, session=session)
    if _untrusted(request):
        return Answer(None, refusal=f"the request: {request.verdict}")
    own = session or request.session_security
    response = decode(case.octets("response"), keys=store, session=own, request=request)
    asked: Associations[Message] = Associations(store.base_oid)
    if request.acse is None or response.acse is None or request.is_response:
        return Answer(None, refusal="the request is a response itself")
    asked.remember_request(request.acse, asked.ends(request.acse), request)
    if asked.request_of(response.acse, asked.ends(response.acse)) is not request:
        return Answer(None, refusal="the response answers another request, or is between other nodes")
    why = distrust(response, request.security_mode)
    if why is not None:
        return Answer(None, refusal=f"the response: {why.reason}")
    steps = {"request": _steps_of(request, store.base_oid), "response": _steps_of(response, store.base_oid)}
    return Answer({"request": _shown(request), "response": _shown(response)}, steps)


def _untrusted(message: Message) -> bool:
    return message.security_mode is not SecurityMode.CLEARTEXT and not message.authenticated


OPERATIONS: Final[dict[str, Callable[[Input], Answer]]] = {
    "eax-prime.seal": _seal_octets,
    "eax-prime.open": _open_octets,
    "eax-prime.mac": _mac_octets,
    "eax-prime.verify": _verify_octets,
    "canonical-header": _canonical,
    "message.seal": _seal_message,
    "message.open": _open_message,
    "exchange.open": _open_exchange,
}
