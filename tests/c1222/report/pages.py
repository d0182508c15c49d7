"""Pages and meters that the tests of reports share."""

from __future__ import annotations

import datetime as dt
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

from c1219 import Device

ROOT = Path(__file__).parents[3]
MADE = dt.datetime(2026, 11, 30, 12, tzinfo=dt.UTC)
HOSTILE = "<script>stolen=1</script>"
"""What a meter calls itself."""


@cache
def _sample(name: str) -> str:
    return (ROOT / "specs" / "devices" / f"{name}.json").read_text("utf-8")


def sample(name: str = "polyphase-tou") -> Device:
    """Return a device that comes with the project."""
    return Device.from_json(_sample(name))


def hostile() -> Device:
    """Return a meter whose names would run as a script."""
    device = sample()
    device.node["ap_title"] = HOSTILE
    device.change("ST5.IDENTIFICATION", "</script><script>//")
    device.change("ST6.OWNER_NAME", '"><img src=x onerror')
    return device


class Elements(HTMLParser):
    """The elements of a page, and its text without scripts and styles."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._raw = False
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        self._raw = tag in {"script", "style"}

    def handle_endtag(self, tag: str) -> None:
        self._raw = False

    def handle_data(self, data: str) -> None:
        if not self._raw:
            self.text += data

    def count(self, tag: str, **wanted: str) -> int:
        return sum(one == tag and wanted.items() <= given.items() for one, given in self.found)
