"""COSEM interface classes that a meter's tables map to: numbers, versions and attributes, declared once.

Sources: Gurux.DLMS and the open profiles of the Open Smart Grid Platform [V].
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple, Self

__all__ = ["ClassFacts", "InterfaceClass"]


class ClassFacts(NamedTuple):
    """What is known of an interface class.

    Attributes:
        title: its name.
        version: the version that objects here have.
        attributes: names of attributes 1, 2 and so on.
    """

    title: str
    version: int
    attributes: tuple[str, ...]


def _facts(title: str, version: int, attributes: str) -> ClassFacts:
    return ClassFacts(title, version, ("logical_name", *attributes.split()))


class InterfaceClass(IntEnum):
    """Interface classes by number."""

    facts: ClassFacts

    def __new__(cls, code: int, title: str, version: int, attributes: str) -> Self:
        """Make a member; its value is the number alone."""
        member = int.__new__(cls, code)
        member._value_ = code
        member.facts = _facts(title, version, attributes)
        return member

    DATA = 1, "Data", 0, "value"
    REGISTER = 3, "Register", 0, "value scaler_unit"
    EXTENDED_REGISTER = 4, "Extended register", 0, "value scaler_unit status capture_time"
    DEMAND_REGISTER = (
        5, "Demand register", 0,
        ("current_average_value last_average_value scaler_unit status capture_time start_time_current period "
        "number_of_periods"),
    )  # fmt: skip
    PROFILE_GENERIC = (
        7, "Profile generic", 1,
        "buffer capture_objects capture_period sort_method sort_object entries_in_use profile_entries",
    )  # fmt: skip
    CLOCK = (
        8, "Clock", 0,
        ("time time_zone status daylight_savings_begin daylight_savings_end daylight_savings_deviation "
        "daylight_savings_enabled clock_base"),
    )  # fmt: skip
    SCRIPT_TABLE = 9, "Script table", 0, "scripts"
    SPECIAL_DAYS_TABLE = 11, "Special days table", 0, "entries"
    ASSOCIATION_LN = (
        15, "Association LN", 1,
        ("object_list associated_partners_id application_context_name xDLMS_context_info authentication_mechanism_name "
        "secret association_status security_setup_reference"),
    )  # fmt: skip
    SAP_ASSIGNMENT = 17, "SAP assignment", 0, "SAP_assignment_list"
    ACTIVITY_CALENDAR = (
        20, "Activity calendar", 0,
        ("calendar_name_active season_profile_active week_profile_table_active day_profile_table_active "
        "calendar_name_passive season_profile_passive week_profile_table_passive day_profile_table_passive "
        "activate_passive_calendar_time"),
    )  # fmt: skip
    SINGLE_ACTION_SCHEDULE = 22, "Single action schedule", 0, "executed_script type execution_time"
    UTILITY_TABLES = 26, "Utility tables", 0, "table_ID length buffer"
    DISCONNECT_CONTROL = 70, "Disconnect control", 0, "output_state control_state control_mode"

    def attribute(self, name: str) -> int:
        """Return the number of an attribute."""
        return self.facts.attributes.index(name) + 1
