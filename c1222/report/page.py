"""The page: templates filled, with scripts, styles and data in one file that fetches nothing.

The policy of the page lets no script run but its own two, which it knows by their hashes, and lets nothing be fetched.
"""

from __future__ import annotations

import base64
import hashlib
import json
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from c1219.printable import printable

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from c1222.errors import Finding
    from c1222.report.meter import MeterReport
    from c1222.report.traffic import TrafficReport

__all__ = ["Listed", "Page"]

_TEMPLATES: Final = "templates"
_LIBRARY: Final = "uPlot.iife.min.js"
_SCRIPT_ESCAPES: Final = str.maketrans({char: f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"})


class Listed(NamedTuple):
    """A meter in the list.

    Attributes:
        title: what it is called.
        anchor: of its section; "" if it has none.
        octets: of its tables that are known.
    """

    title: str
    anchor: str
    octets: int


def _for_script(value: Any) -> Markup:
    """Return JSON that cannot end the script element that it stands in."""
    text = json.dumps(value, separators=(",", ":"))
    return Markup(text.translate(_SCRIPT_ESCAPES))  # noqa: S704  # escaped in the line before


def _shown(value: Any) -> Any:
    """Return what a template shows in place of a value: text of strangers without control characters."""
    return printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _own(name: str) -> Markup:
    """Return a file of ours that goes into the page as it is."""
    text = (files("c1222.report") / _TEMPLATES / name).read_text("utf-8").strip()
    return Markup(text)  # noqa: S704  # no text of strangers


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


class Page:
    """Fills the templates."""

    def __init__(self) -> None:
        self._environment = Environment(
            loader=PackageLoader("c1222.report", _TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            finalize=_shown,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters["script_json"] = _for_script
        self._environment.filters["grouped"] = "{:,}".format

    def meter(self, meter: MeterReport, anchor: str, *, first: bool) -> str:
        """Return the section of a meter.

        Args:
            meter: what it says.
            anchor: its place in the page.
            first: whether it is the first, which is open from the start.
        """
        return self._environment.get_template("meter.html").render(meter=meter, anchor=anchor, first=first)

    def whole(
        self,
        *,
        title: str,
        made: dt.datetime,
        sources: Sequence[str],
        traffic: TrafficReport | None,
        findings: Sequence[Finding],
        listed: Sequence[Listed],
        meters: Sequence[str],
    ) -> str:
        """Return the page.

        Args:
            title: its title.
            made: when.
            sources: names of what it was made of.
            traffic: what is said of the traffic, if there was any.
            findings: what concerns the captures as a whole.
            listed: all meters.
            meters: sections of meters, as `meter` gives them.
        """
        scripts = [_own(_LIBRARY), _own("report.js")]
        style = Markup("\n").join((_own("uPlot.min.css"), _own("report.css")))
        allowed = " ".join(f"'{_hash(script)}'" for script in scripts)
        policy = (
            f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data:;"
            " base-uri 'none'; form-action 'none'"
        )
        return self._environment.get_template("report.html").render(
            title=title,
            made=made.isoformat(" ", "seconds"),
            sources=sources,
            traffic=traffic,
            findings=findings,
            listed=listed,
            known={one.title: one for one in listed},
            meters=[Markup(text) for text in meters],  # noqa: S704  # made by a template that escapes
            scripts=scripts,
            style=style,
            policy=policy,
        )
