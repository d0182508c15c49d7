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
    "c1219/rules/timekeeping.py": r"\.(GMT_FLAG|DST_FLAG|TM_ZN_APPLIED_FLAG|DST_APPLIED_FLAG|DST_SUPPORTED_FLAG)\b",
    "c1219/rules/sources.py": r"\.(SOURCES_LINK|PULSE_ENGR_FLAG|CONSTANT_TO_BE_APPLIED|SET_APPLIED_FLAG|INT_LENGTH|SUB_INT)\b",
    "c1219/rules/profile_set.py": r"\.(LP_SOURCE_SELECT|END_RDG_FLAG|END_BLK_RDG_SOURCE_SELECT)\b",
}


@pytest.mark.parametrize("reader", READERS)
def test_a_rule_has_one_reader(reader: str) -> None:
    readers = [path.relative_to(ROOT).as_posix() for path in _modules() if re.search(READERS[reader], _code(path))]
    assert readers == [reader]


def test_names_of_a_set_have_one_reader() -> None:
    """Elements that have the number of the set in their name."""
    names = re.compile(r"getattr\(\w+, f\"(LP_SEL|SCALARS|DIVISOR|INT_FMT_CDE|NBR_BLKS|NBR_BLK_INTS|MAX_INT_TIME)_?")
    readers = [path.relative_to(ROOT).as_posix() for path in _modules() if names.search(path.read_text("utf-8"))]
    assert readers == ["c1219/rules/profile_set.py"]


def _modules() -> list[Path]:
    """All modules but declarations of tables."""
    files = [path for package in ("c1219", "c1222") for path in (ROOT / package).rglob("*.py")]
    return [path for path in files if ROOT / "c1219" / "tables" not in path.parents]


def _code(path: Path) -> str:
    """The lines of a module without what stands between quotes: paths in messages read nothing."""
    return re.sub(r'"[^"\n]*"', "", re.sub(r'""".*?"""', "", path.read_text("utf-8"), flags=re.DOTALL))
