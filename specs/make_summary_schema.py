"""Write summary.schema.json from the values of a summary: ``python specs/make_summary_schema.py [FILE]``.

Nothing in that file is written by hand. A test runs this again and compares.
"""

from __future__ import annotations

import inspect
import json
import re
import sys
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from c1222.capture.summary import values  # noqa: E402
from c1222.capture.summary.capture_summary import SCHEMA, CaptureSummary  # noqa: E402
from c1222.errors import Level  # noqa: E402

PLAIN = {int: "integer", str: "string", bool: "boolean", type(None): "null"}
MEMBERS = ("totals", "conversations", "nodes", "services", "errors", "findings", "security", "evicted")


def described(cls: type) -> dict[str, str]:
    """Return what the docstring of a value says of each attribute."""
    _, _, attributes = inspect.getdoc(cls).partition("Attributes:\n")  # type: ignore[union-attr]
    found = re.findall(r"^    (\w+): (.*(?:\n        .*)*)", attributes, re.MULTILINE)
    return {name: " ".join(text.split()) for name, text in found}


def schema_of(kind: Any) -> dict[str, Any]:
    """Return the schema of a type."""
    origin, arguments = get_origin(kind), get_args(kind)
    if kind in PLAIN:
        return {"type": PLAIN[kind]}
    if origin is types.UnionType:
        parts = [schema_of(one) for one in arguments]
        if all(part.keys() == {"type"} for part in parts):
            return {"type": [part["type"] for part in parts]}
        return {"anyOf": parts}
    if origin is tuple:
        return {"type": "array", "items": schema_of(arguments[0])}
    if origin is Mapping:
        return {"type": "object", "additionalProperties": schema_of(arguments[1])}
    if origin is Literal:
        return {"enum": list(arguments)}
    return {"$ref": f"#/$defs/{kind.__name__}"}


def object_of(cls: type) -> dict[str, Any]:
    """Return the schema of a value."""
    hints = get_type_hints(cls, {**vars(values), "Mapping": Mapping, "Level": Level})
    texts = described(cls)
    properties = {name: {"description": texts[name], **schema_of(kind)} for name, kind in hints.items()}
    first = inspect.getdoc(cls).partition("\n\n")[0]  # type: ignore[union-attr]
    return {
        "description": " ".join(first.split()),
        "type": "object",
        "properties": properties,
        "required": list(properties),
    }


def whole() -> dict[str, Any]:
    """Return the schema of a summary."""
    properties: dict[str, Any] = {"schema": {"const": SCHEMA}}
    for name in MEMBERS:
        getter = inspect.getattr_static(CaptureSummary, name).fget
        kind = get_type_hints(getter, {**vars(values), **getter.__globals__})["return"]
        if get_origin(kind) is tuple:
            kind = tuple[get_args(kind)[0], ...]
        properties[name] = {"description": inspect.getdoc(getter), **schema_of(kind)}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Summary of traffic: what `c1222 decode --summary --format json` prints",
        "description": "Times are in nanoseconds, instants since 1970-01-01 UTC. The schema only ever grows.",
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "$defs": {
            name: object_of(getattr(values, name)) for name in values.__all__ if isinstance(getattr(values, name), type)
        },
    }


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "summary.schema.json"
    target.write_text(json.dumps(whole(), indent=2, ensure_ascii=False) + "\n", "utf-8")
