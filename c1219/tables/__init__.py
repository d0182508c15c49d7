"""The tables of the standard, one decade a file. Each module names its tables in ``TABLES``."""

from typing import Final

__all__ = ["LAYOUTS_DEPEND_ON"]

LAYOUTS_DEPEND_ON: Final = frozenset(
    {"ST0", "ST11", "ST21", "ST31", "ST41", "ST51", "ST61", "ST62", "ST71", "ST91", "ST111", "ST121"}
)
"""Tables that the layouts of tables and procedures of the standard depend on: what the declarations say, for those who
need not load them all. A test compares the two."""
