"""The order of lists that a meter keeps: blocks of a load profile, entries of a log."""

from __future__ import annotations

from c1219.errors import Finding

__all__ = ["newest_first"]


def newest_first(
    last: int,
    valid: int,
    size: int,
    *,
    descending: bool,
    circular: bool,
    path: str,
    findings: list[Finding],
) -> list[int]:
    """Return the array indices of the entries in use, the newest first.

    Args:
        last: index of the newest entry.
        valid: entries in use.
        size: entries of the array.
        descending: entry n is newer than entry n + 1.
        circular: the list goes on at the other end of the array.
        path: element that says so, for findings.
        findings: where to say what does not fit.
    """
    if valid > size:
        text = f"{valid} entries are said to be in use, but there are {size}"
        findings.append(Finding("error", "too-many-valid", path, None, text))
        valid = size
    if not valid:
        return []
    if not 0 <= last < size:
        text = f"the newest entry is said to be number {last}, but there are {size}; it is taken as {last % size}"
        findings.append(Finding("error", "no-such-entry", path, None, text))
        last %= size
    step = 1 if descending else -1
    if not circular and not 0 <= last + step * (valid - 1) < size:
        text = f"a FIFO list of {valid} entries does not end at index {last}; it is read as circular"
        findings.append(Finding("warning", "list-wraps", path, None, text))
    return [(last + step * back) % size for back in range(valid)]
