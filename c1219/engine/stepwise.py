"""Step by step: the slow way through what is bound, element by element, which knows at every moment where it is.

It says what is wrong and where when the generated codec has given up, goes on past it in lenient mode, and converts
values to and from JSON.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from c1219.engine.bound import Absent, BoundArray, BoundLeaf, BoundNode, BoundRecord
from c1219.errors import DecodeError, EncodeError, Finding
from c1219.values import Raw

if TYPE_CHECKING:
    from collections.abc import Mapping

    from c1219.stretches import Stretches

__all__ = ["decode", "encode", "from_json", "to_json"]


def decode(node: BoundNode, octets: bytes | Stretches, offset: int, path: str, findings: list[Finding] | None) -> Any:
    """Make the value of a node.

    Args:
        node: the element.
        octets: the whole table, or what is known of it.
        offset: where the element starts.
        path: what it is called.
        findings: where to report, in lenient mode; None is strict mode.

    Returns:
        The value. In lenient mode an element without a value is `Raw`, one whose octets are not here is None, and an
        array ends with the octets.

    Raises:
        DecodeError: in strict mode.
    """
    if isinstance(node, BoundLeaf):
        return _leaf(node, octets, offset, path, findings)
    if isinstance(node, BoundRecord):
        items = [
            decode(part.node, octets, offset + part.offset, f"{path}.{part.name}", findings) for part in node.parts
        ]
        return tuple.__new__(node.value_type, items)
    if isinstance(node, BoundArray):
        count = node.count
        if findings is not None and node.stride:
            count = min(count, -((offset - len(octets)) // node.stride) if offset < len(octets) else 0)
        return tuple(
            decode(node.item, octets, offset + number * node.stride, f"{path}[{number}]", findings)
            for number in range(count)
        )
    return None


def _leaf(node: BoundLeaf, octets: bytes | Stretches, offset: int, path: str, findings: list[Finding] | None) -> Any:
    own = octets[offset : offset + node.size]
    if len(own) < node.size:
        if findings is None:
            raise DecodeError(path, len(octets), f"the table ends here: {node.size - len(own)} octets are missing")
        return node.form.raw(own) if own else None
    try:
        return node.form.decode(own)
    except ValueError as error:
        if findings is None:
            raise DecodeError(path, offset, str(error)) from error
        findings.append(Finding("error", "no-value", path, offset, f"{own.hex(' ')} is no {node.form.type}: {error}"))
        return node.form.raw(own)


def encode(node: BoundNode, value: Any, path: str) -> bytes:
    """Make the octets of a value, in canonical form; `Raw` is written as it is.

    Raises:
        EncodeError: it has no form on the wire.
    """
    if isinstance(value, Raw):
        if len(value) != node.size:
            raise EncodeError(path, f"{len(value)} raw octets for an element of {node.size}")
        return bytes(value)
    if isinstance(node, BoundLeaf):
        try:
            return node.form.encode(value)
        except (ValueError, TypeError) as error:
            raise EncodeError(path, str(error)) from error
    if isinstance(node, Absent):
        if value is not None:
            raise EncodeError(path, f"it is absent in this device ({node.reason}): there is no place for a value")
        return b""
    count = len(node.parts) if isinstance(node, BoundRecord) else node.count
    if not isinstance(value, (tuple, list)):
        what = f"a {node.name}" if isinstance(node, BoundRecord) else "a tuple"
        raise EncodeError(path, f"{what} is needed, not {type(value).__name__}")
    if len(value) != count:
        raise EncodeError(path, f"{count} items are needed, not {len(value)}")
    if isinstance(node, BoundRecord):
        pairs = zip(node.parts, value, strict=True)
        return b"".join([encode(part.node, item, f"{path}.{part.name}") for part, item in pairs])
    return b"".join([encode(node.item, item, f"{path}[{number}]") for number, item in enumerate(value)])


def to_json(node: BoundNode, value: Any) -> Any:
    """Return a value in terms of JSON; `c1219.engine.layout.Layout.to_json` says how."""
    if isinstance(value, Raw):
        return {"raw": value.hex()}
    if value is None:
        return None
    if isinstance(node, BoundLeaf):
        return node.form.to_json(value)
    if isinstance(node, BoundRecord):
        pairs = zip(node.parts, value, strict=True)
        return {part.name: to_json(part.node, item) for part, item in pairs if not isinstance(part.node, Absent)}
    return [to_json(node.item, item) for item in value] if isinstance(node, BoundArray) else None


def from_json(node: BoundNode, value: Any, path: str) -> Any:
    """Return the value that `to_json` showed.

    Raises:
        EncodeError: it shows no value of this element.
    """
    if isinstance(value, dict) and set(value) == {"raw"} and isinstance(value["raw"], str):
        try:
            return Raw(bytes.fromhex(value["raw"]))
        except ValueError as error:
            raise EncodeError(path, str(error)) from error
    if isinstance(node, BoundLeaf):
        try:
            return node.form.from_json(value)
        except (ValueError, TypeError) as error:
            raise EncodeError(path, str(error)) from error
    if isinstance(node, BoundArray):
        if not isinstance(value, list):
            raise EncodeError(path, f"a list is needed, not {type(value).__name__}")
        return tuple(from_json(node.item, item, f"{path}[{number}]") for number, item in enumerate(value))
    if isinstance(node, BoundRecord):
        return _record_from_json(node, value, path)
    return None


def _record_from_json(node: BoundRecord, value: Any, path: str) -> Any:
    if not isinstance(value, dict):
        raise EncodeError(path, f"a mapping is needed, not {type(value).__name__}")
    given: Mapping[str, Any] = value
    present = [part.name for part in node.parts if not isinstance(part.node, Absent)]
    wrong = sorted(set(present) ^ set(given), key=str)
    if wrong:
        what = "missing" if wrong[0] in present else "not an element of it in this device"
        raise EncodeError(path, f"{wrong[0]} is {what}")
    items = {
        part.name: from_json(part.node, given[part.name], f"{path}.{part.name}")
        for part in node.parts
        if part.name in given
    }
    return node.value_type(**items)
