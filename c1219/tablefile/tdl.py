"""The Table Definition Language of C12.19-2008 is XML whose schema is not public: it is recognised, and not read.

What is known is the root element ``tdl``, one namespace, and ``decade`` elements with name, number and label: the
beginning of a contribution to the C12.19 task force, the only one that can be had [1].
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["MAX_CANDIDATES", "tdl_words"]

MAX_CANDIDATES: Final = 20
"""Elements told of."""
_ROOT: Final = re.compile(rb"<(?:[A-Za-z_][\w.-]*:)?(tdl|edl)(?=[\s/>])([^<>]*)>")
_START: Final = re.compile(
    rb"\s*(?:<\?xml[^<>]*\?>\s*)?(?:<!--.*?-->\s*|<!DOCTYPE[^<>\[]*(?:\[[^\]]*\])?[^<>]*>\s*)*", re.DOTALL
)
_NAMESPACE: Final = re.compile(rb"""\bxmlns\s*=\s*["']([^"'<>]*)["']""")
_NUMBERED: Final = re.compile(rb"<(?:[A-Za-z_][\w.-]*:)?([A-Za-z_][\w.-]*)\s([^<>]*)>")
_ATTRIBUTE: Final = re.compile(rb"""\b(name|number|label)\s*=\s*["']([^"'<>]*)["']""")


def tdl_words(octets: bytes) -> str | None:
    """Return what to say of a document in the Table Definition Language; None if this is none.

    The octets are searched, not parsed: no entity is resolved, nothing is included.

    Args:
        octets: the beginning of a file, or all of it.
    """
    text = octets.removeprefix(b"\xef\xbb\xbf")
    start = _START.match(text)
    root = _ROOT.match(text, start.end() if start else 0)
    if root is None:
        return None
    language = {b"tdl": "Table Definition Language", b"edl": "Exchange Data Language"}[root[1]]
    namespace = _NAMESPACE.search(root[2])
    named = f", namespace {_shown(namespace[1])}" if namespace else ""
    found: list[str] = []
    for element in _NUMBERED.finditer(text, root.end()):
        said = dict(_ATTRIBUTE.findall(element[2]))
        if {b"name", b"number"} <= said.keys() and len(found) < MAX_CANDIDATES:
            label = f" ({_shown(said[b'label'])})" if b"label" in said else ""
            found.append(f"{_shown(element[1])} {_shown(said[b'number'])} {_shown(said[b'name'])}{label}")
    candidates = f" It names: {'; '.join(found)}." if found else ""
    return (
        f"a document in the {language} of C12.19{named}, whose schema is not public, so it is not read.{candidates}"
        " Write the tables that you need into a table file."
    )


def _shown(octets: bytes) -> str:
    return octets.decode("utf-8", "replace")[:100]
