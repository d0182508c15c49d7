"""Reports of captures and meters: one page of HTML that people look at, offline. Needs the extra ``report``."""

from c1222.report.making import MAX_CHARTED, MAX_OCTETS, ReportMaker, capture_report, device_report

__all__ = ["MAX_CHARTED", "MAX_OCTETS", "ReportMaker", "capture_report", "device_report"]
