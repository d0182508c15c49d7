"""Decade 15: quality of service (ST150 to ST158). No public source has a layout.

Monitors of sags, swells, interruptions and harmonics; procedures 28 and 29 start and stop them.
"""

from __future__ import annotations

from functools import partial

from c1219.tables.name_only import name_only

__all__ = ["TABLES"]

_table = partial(name_only, source="termineter; InGuardians optiguard for the numbers")

TABLES = (
    _table(150, "Quality of Service Dimension Limits", "limiting", "Largest dimensions of this decade."),
    _table(151, "Actual Quality of Service Limiting", "actual", "Dimensions of this decade in force."),
    _table(152, "Quality of Service Control", "control", "Monitors and their thresholds."),
    _table(153, "Quality of Service Incidents", "data", "Incidents that monitors found."),
    _table(154, "Quality of Service Log", "data", "Log of incidents."),
    _table(155, "Asynchronous Time-domain Waveforms", "data", "Waveforms that an incident triggered."),
    _table(156, "Asynchronous Frequency-domain Spectrum", "data", "Spectra that an incident triggered."),
    _table(157, "Periodic Time-domain Waveforms", "data", "Waveforms captured at intervals."),
    _table(158, "Periodic Frequency-domain Spectrum", "data", "Spectra captured at intervals."),
)
