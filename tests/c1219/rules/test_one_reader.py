"""Each rule of the meter has one reader: nobody else looks at the elements that it is about."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
READERS = {
    "c1219/rules/recurring.py": r"\b(rule|\w*[Dd]ate)\.(PERIOD|DELTA|OFFSET)\b",
    "c1219/rules/calendar.py": r"\.(CALENDAR_CTRL|SWITCH_HOUR|SWITCH_MIN|DAY_SCH_NUM|DST_TIME_EFF|STD_TIME_EFF)\b",
    "c1219/rules/rights.py": r"\.(ACCESS_CONTROL\b|ACCESS_TABLE\b|TABLE_DEFAULT|PROCEDURE_DEFAULT|SECURITY_ENTRIES)\b",
    "c1219/rules/offer.py": r"\.((STD|MFG)_(TBLS_USED|TBLS_WRITE|PROC_USED)|DATA_ACCESS_METHOD)\b",
    "c1219/rules/timekeeping.py": r"\.(GMT_FLAG|TM_ZN_APPLIED_FLAG|DST_APPLIED_FLAG|DST_SUPPORTED_FLAG)\b",
}


@pytest.mark.parametrize("reader", READERS)
def test_a_rule_has_one_reader(reader: str) -> None:
    files = [path for package in ("c1219", "c1222") for path in (ROOT / package).rglob("*.py")]
    own = [path for path in files if "/tables/" not in path.as_posix() or "c1222" in path.parts]  # not declarations
    readers = [path.relative_to(ROOT).as_posix() for path in own if re.search(READERS[reader], _code(path))]
    assert readers == [reader]


def _code(path: Path) -> str:
    """The lines of a module without what stands between quotes: paths in messages read nothing."""
    return re.sub(r'"[^"\n]*"', "", re.sub(r'""".*?"""', "", path.read_text("utf-8"), flags=re.DOTALL))
