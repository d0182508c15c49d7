"""What a capture amounts to: who talks to whom, how often, how large, how fast, with what errors, how well secured."""

from c1222.capture.summary.capture_summary import CaptureSummary, summarize

__all__ = ["CaptureSummary", "summarize"]
