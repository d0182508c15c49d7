"""What tests of load profile compare rows with."""

from __future__ import annotations

import datetime as dt

from tests.c1219.views.meter import Truth

MINUTE = dt.timedelta(minutes=1)


def at(text, zone=None):
    return dt.datetime.fromisoformat(text).replace(tzinfo=zone)


def codes(found):
    return [finding.code for finding in found.findings if finding.level != "note"]


def noted(found):
    return {finding.code for finding in found.findings if finding.level == "note"} - {"absent"}


def simple(**more):
    """Two blocks of four intervals, one channel."""
    blocks = [[[1], [2], [3], [4]], [[5], [6], [7], [8]]]
    return Truth(blocks, [at("2024-06-01 01:00"), at("2024-06-01 02:00")], **more)
