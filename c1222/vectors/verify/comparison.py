"""Where an answer is not what a case asks for: by field, and by octet where a field is octets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from c1222.vectors.inputs import Answer
    from c1222.vectors.model import Case, Family, Flag, Group

__all__ = ["Difference", "Weight", "judge", "parts"]

Weight = Literal["difference", "remark"]
"""A difference contradicts what is sure; a remark contradicts what rests on one source, or on inference."""

_SHOWN = 4
"""Octets shown around the first one that differs."""
_MOST = 60
"""Characters of a value that are shown."""


class Difference(NamedTuple):
    """One case that came out otherwise.

    Attributes:
        family: its family.
        group: its group.
        case: its id.
        comment: what is particular about the case.
        weight: how much it weighs.
        field: the first field that differs: ``output.header``, or ``result`` where a case was taken or refused wrongly.
        text: how it differs.
        hint: the first value on the way that differs, or "".
    """

    family: str
    group: str
    case: str
    comment: str
    weight: Weight
    field: str
    text: str
    hint: str = ""

    def __str__(self) -> str:
        head = f"{self.family}: {self.group}: {self.case} ({self.comment}): {self.field}: {self.text}"
        return f"{head}; on the way, {self.hint}" if self.hint else head


def judge(
    family: Family, group: Group, case: Case, wanted: Answer, found: Answer, *, steps: bool = False
) -> Difference | None:
    """Compare an answer with what is wanted.

    Args:
        family: of the case.
        group: of the case.
        case: what was asked.
        wanted: output and values on the way as they should be; no output where any is right.
        found: what came.
        steps: whether the values on the way count, too, as far as both have them.

    Returns:
        None if it is right.
    """

    def differs(field: str, text: str, hint: str = "") -> Difference:
        weight = _weight(case, family.flags)
        return Difference(family.name, group.id, case.id, case.comment, weight, field, text, hint)

    if found.output is None:
        if case.result == "valid":
            return differs("result", f"refused, but valid ({found.refusal[:_MOST] or 'no reason given'})")
        return None
    if case.result == "invalid":
        flags = ", ".join(case.flags) or "no flag"
        return differs("result", f"taken, but invalid ({flags})")
    if wanted.output is None:
        return None
    first = next(parts(wanted.output, found.output, "output"), None)
    known = {name: value for name, value in wanted.intermediate.items() if name in found.intermediate}
    step = next(parts(known, {name: found.intermediate[name] for name in known}, "intermediate"), None)
    if first is None:
        return differs(*step) if steps and step is not None else None
    return differs(*first, f"{step[0]}: {step[1]}" if step else "")


def _weight(case: Case, legend: Mapping[str, Flag]) -> Weight:
    return "difference" if all(legend[flag].confidence == "V" for flag in case.flags) else "remark"


def parts(wanted: Any, found: Any, path: str) -> Iterator[tuple[str, str]]:
    """Yield path and text of what differs between two values in terms of JSON."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        for name, value in wanted.items():
            below = f"{path}.{name}" if path else name
            if name not in found:
                yield below, "is missing"
            else:
                yield from parts(value, found[name], below)
        for name in found:
            if name not in wanted:
                yield (f"{path}.{name}" if path else name), "is not wanted"
    elif isinstance(wanted, list) and isinstance(found, list):
        for number, (one, other) in enumerate(zip(wanted, found, strict=False)):
            yield from parts(one, other, f"{path}[{number}]")
        if len(wanted) != len(found):
            yield path, f"{len(found)} entries, {len(wanted)} wanted"
    elif not _same(wanted, found):
        yield path, _apart(wanted, found)


def _same(wanted: Any, found: Any) -> bool:
    if isinstance(wanted, bool) or isinstance(found, bool) or wanted is None or found is None:
        return wanted is found
    if isinstance(wanted, str) and isinstance(found, str):
        return wanted == found or (_octets(wanted) and wanted == found.lower())
    return bool(wanted == found) and isinstance(wanted, str) == isinstance(found, str)


def _octets(text: str) -> bool:
    return len(text) % 2 == 0 and not set(text) - set("0123456789abcdef")


def _apart(wanted: Any, found: Any) -> str:
    """Return how two values differ; of octets, the first one that does."""
    if isinstance(wanted, str) and isinstance(found, str) and _octets(wanted) and _octets(found.lower()):
        one, other = bytes.fromhex(wanted), bytes.fromhex(found)
        place = next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), None)
        if place is None:
            return f"{len(other)} octets, {len(one)} wanted; the first {min(len(one), len(other))} are equal"
        around = slice(max(0, place - _SHOWN), place + _SHOWN + 1)
        sizes = "" if len(one) == len(other) else f" ({len(other)} octets, {len(one)} wanted)"
        octets = f"{other[around].hex(' ')}, not {one[around].hex(' ')}"
        return f"octet {place}{sizes}: {other[place]:02x}, not {one[place]:02x}; {octets}"
    return f"{found!r:.{_MOST}}, not {wanted!r:.{_MOST}}"
