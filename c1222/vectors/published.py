"""The published vectors of specs/vectors, which have forms of their own, as families that can be verified.

``c1222.vectors/eax-prime/1`` holds EAX' as such, ``c1222.vectors/messages/1`` whole messages,
``c1222.vectors/serial/1`` packets, streams and exchanges of a serial line. Their octets come from a paper, from
captures, and from second implementations, and not from this library.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from c1222.errors import DecodeError
from c1222.vectors.legend import LEGEND
from c1222.vectors.model import SCHEMA, Case, Family, Group, Result, family_of, load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["read"]

_FLAGS: Final = {"erratum": ("Erratum2008",), "forgery": ("Forgery", "ShortHeader")}
_Cases = dict[str, list[Case]]


def read(octets: bytes) -> Family:
    """Read a file of vectors of any schema that is known.

    Raises:
        DecodeError: it is none.
    """
    content = load(octets)
    schema = content.get("schema")
    if schema == SCHEMA:
        return family_of(content)
    reader = _READERS.get(schema) if isinstance(schema, str) else None
    if reader is None:
        raise DecodeError("vectors.schema", 0, f'"schema" is {schema!r:.60}, and none that is known')
    try:
        return reader(content)
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise DecodeError("vectors", 0, f"not what {schema} says: {error!r:.80}") from None


def _case(cases: _Cases, operation: str, vector: dict[str, Any], given: dict[str, Any], output: dict[str, Any]) -> None:
    result: Result = "valid" if vector.get("valid", True) else "invalid"
    flags = _FLAGS.get(vector["origin"], ())
    comment = f"{vector['origin']}: {vector['source']}"
    found = cases.setdefault(operation, [])
    steps = vector.get("intermediate", {})
    wanted = output if result == "valid" else None
    found.append(Case(f"{operation}/{vector['id']}", comment, result, flags, given, wanted, steps))


def _primitive(content: dict[str, Any]) -> Family:
    cases: _Cases = {}
    for vector in content["vectors"]:
        common = {name: vector[name] for name in ("key", "header")}
        mac = {"mac": vector["mac"]}
        body, sealed = {"plaintext": vector["plaintext"]}, {"ciphertext": vector["ciphertext"], **mac}
        if vector["mode"] == 1:
            clear = {**common, "body": vector["plaintext"]}
            _case(cases, "eax-prime.mac", vector, clear, mac)
            _case(cases, "eax-prime.verify", vector, {**clear, **mac}, {})
            continue
        if vector["valid"]:
            _case(cases, "eax-prime.seal", vector, {**common, **body}, sealed)
        _case(cases, "eax-prime.open", vector, {**common, **sealed}, body)
    return _family("published-eax-prime", "EAX' as published and captured", cases)


def _messages(content: dict[str, Any]) -> Family:
    cases: _Cases = {}
    for message in content["messages"]:
        if "segments" in message:
            given = {"apdu": message["octets"], "size": message["slice"]}
            _case(cases, "segments.cut", message, given, {"segments": message["segments"]})
            _case(cases, "segments.join", message, {"segments": message["segments"]}, {"apdu": message["octets"]})
        elif message["header"]:
            _secured(cases, message)
        else:
            _case(cases, "acse.decode", message, {"apdu": message["octets"]}, dict(_elements(message)))
    return _family("published-messages", "Messages as captured, rebuilt from published vectors, and more", cases)


def _secured(cases: _Cases, message: dict[str, Any]) -> None:
    apdu, key_id, iv = ({name: message[key]} for name, key in (("apdu", "octets"), ("key_id", "key_id"), ("iv", "iv")))
    _case(cases, "canonical-header", message, {**apdu, **key_id, **iv}, {"header": message["header"]})
    given = {**apdu, "keys": {str(message["key_id"]): message["key"]}}
    if not message["authentication_value"]:
        given["session"] = {**key_id, **iv}
    opened = {name: message[name] for name in ("ed_class", "services")}
    _case(cases, "message.open", message, given, {"security_mode": message["mode"], **key_id, **iv, **opened})
    names = ("key", "key_id", "iv", "mode", "response_control", "ed_class", "services")
    values = {name: message[name] for name in names if message[name] is not None}
    values["in_session"] = not message["authentication_value"]
    _case(cases, "message.seal", message, {**values, **dict(_fields(message))}, apdu)


_NAMES: Final = ("application_context", "called", "called_invocation_id", "calling", "calling_ae_qualifier",
                 "calling_invocation_id", "mechanism")  # fmt: skip


def _fields(message: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    return ((name, message[name]) for name in _NAMES if message[name] is not None)


def _elements(message: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    yield from _fields(message)
    control = 0x80 | message["response_control"]
    yield "user_information", f"{control:02x}{message['plaintext']}"


def _serial(content: dict[str, Any]) -> Family:
    """Packets that are given whole, streams, and exchanges from the end that asks."""
    cases: _Cases = {"packet.decode": [], "link.play": []}
    for entry in content["packets"]:
        if "octets" not in entry or "data" not in entry:
            continue  # an acknowledgement, or a large packet of which the file has a digest
        output = {"identity": entry["identity"], "control": entry["ctrl"], "sequence": entry["seq"]}
        output["data"] = entry["data"].lower()
        result: Result = {"accept": "valid", "NAK": "invalid"}.get(entry["expect"], "acceptable")  # type: ignore[assignment]
        given = {"octets": entry["octets"].lower()}
        wanted = None if result == "invalid" else output
        cases["packet.decode"].append(Case(entry["id"], entry["meaning"], result, (), given, wanted, {}))
    for entry in [*content["streams"], *content["exchanges"]]:
        case = Case(entry["id"], entry["description"], "valid", (), entry["input"], entry["output"], {})
        cases["link.play"].append(case)
    return _family("published-serial", "Packets, streams and exchanges of a serial line", cases)


def _family(name: str, comment: str, cases: _Cases) -> Family:
    groups = tuple([Group(operation, operation, operation, {}, tuple(found)) for operation, found in cases.items()])
    used = {flag for group in groups for case in group.cases for flag in case.flags}
    return Family(name, comment, "published", None, {flag: LEGEND[flag] for flag in LEGEND if flag in used}, groups)


_READERS: Final[dict[str, Callable[[dict[str, Any]], Family]]] = {
    "c1222.vectors/eax-prime/1": _primitive,
    "c1222.vectors/messages/1": _messages,
    "c1222.vectors/serial/1": _serial,
}
