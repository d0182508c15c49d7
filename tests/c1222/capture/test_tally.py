from __future__ import annotations

import pytest

from c1222.capture.tally import Tally
from c1222.errors import Finding


def test_counts_and_reports_each_reason_once_with_its_first_frame():
    tally = Tally("here", {"late": ("note", "came late"), "odd": ("error", "looked odd"), "quiet": None})
    tally.note("odd", 7, "blue")
    tally.note("odd", 9, "green")
    tally.note("late", 3)
    tally.note("quiet", 1)
    assert (tally["odd"], tally["late"], tally["quiet"], tally["never"]) == (2, 1, 1, 0)
    assert tally.findings() == [
        Finding("note", "late", "here", None, "came late: 1, first at frame 3"),
        Finding("error", "odd", "here", None, "looked odd: 2, first at frame 7 (blue)"),
    ]


def test_a_reason_that_was_not_declared_is_a_mistake_of_ours():
    tally = Tally("here", {})
    tally.note("unheard-of", 1)
    with pytest.raises(KeyError):
        tally.findings()
