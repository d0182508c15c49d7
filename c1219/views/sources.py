"""The sources of a meter out of its tables; what they mean is in `c1219.rules.sources`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from c1219.rules.sources import Source, Sources
from c1219.views.records import record

if TYPE_CHECKING:
    from c1219.errors import Finding
    from c1219.tableset import TableSet

__all__ = ["describe_source", "describe_sources", "sources_of"]


def sources_of(device: TableSet, findings: list[Finding] | None = None) -> Sources:
    """Return the sources of a device.

    Args:
        device: the tables of the meter.
        findings: where to report what is missing or wrong with the tables.
    """
    findings = [] if findings is None else findings
    return Sources(lambda number: record(device, number, findings if number else []))


def describe_sources(device: TableSet, findings: list[Finding] | None = None) -> tuple[Source, ...]:
    """Describe all sources of a device, in order of their index.

    Args:
        device: the tables of the meter.
        findings: where to report what is missing or wrong with the tables.
    """
    sources = sources_of(device, findings)
    return tuple(sources.describe(index) for index in range(sources.count))


def describe_source(device: TableSet, index: int) -> Source:
    """Describe one source; what is not known is in its `unresolved`.

    Args:
        device: the tables of the meter.
        index: index into ST16, 0..254; 255 is taken as none.
    """
    return sources_of(device).describe(index)
