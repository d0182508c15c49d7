"""Implementations with one mistake each: all are found, in the family that the mistake is about."""

import sys
from pathlib import Path

import pytest

from c1222.vectors.generation import FAMILIES
from c1222.vectors.verify.program import Program
from c1222.vectors.verify.verification import verify
from tests.c1222.vectors.broken_responder import MISTAKES
from tests.c1222.vectors.committed import families, family, thinned

RESPONDER = Path(__file__).with_name("broken_responder.py")


def test_a_mistake_for_every_kind_of_family() -> None:
    shown = {where for _, where in MISTAKES.values()}
    # What remains builds on these: whole messages on EAX' and headers, tables on types.
    assert set(FAMILIES) - shown == {"messages", "tables"}
    assert len(MISTAKES) >= 10


@pytest.mark.parametrize("mistake", MISTAKES)
def test_every_mistake_is_found_where_it_is(mistake: str) -> None:
    where = MISTAKES[mistake][1]
    before = FAMILIES[: FAMILIES.index(where)]
    asked = [thinned(family(name), 1) for name in before] + [thinned(family(where), 40)]
    if where in {"eax-prime", "canonical-header"}:
        asked.append(thinned(family("messages"), 3))
    with Program(f"{sys.executable} -bb {RESPONDER} {mistake}") as program:
        report = verify(asked, program)
    assert report.first == where
    (outcome,) = (one for one in report.outcomes if one.family == where)
    assert outcome.differences or outcome.remarks
    # Segments are known from one source, so what contradicts them is a remark.
    assert len(outcome.remarks) > len(outcome.differences) or where != "segments"
    assert not any("the file disagrees" in str(found) for one in report.outcomes for found in one.differences)
    if where in {"eax-prime", "canonical-header"} and mistake not in {"lengths-made-minimal", "short-headers-taken"}:
        differing = {one.family for one in report.outcomes if one.differing}
        assert "messages" in differing or mistake in {"mac-over-the-header-only", "reversed-mac"}
    assert all(one.judged == one.cases for one in report.outcomes)


def test_the_committed_vectors_are_not_at_fault() -> None:
    assert verify([thinned(one, 3) for one in families()]).differing == 0
