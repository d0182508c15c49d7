"""Making a report: of captures message by message, of devices at hand, or of both.

maker = ReportMaker()
for message in decode_capture("trace.pcapng", keys=keys):
    maker.add(message)
page = maker.html(made=datetime.now(UTC))
"""

from __future__ import annotations

import os
from typing import IO, TYPE_CHECKING, Any, Final

from c1222.capture.decoder import CaptureDecoder
from c1222.capture.devices import CapturedDevices
from c1222.capture.network.streams import C1222_PORT
from c1222.capture.summary.capture_summary import CaptureSummary
from c1222.message.aptitle import DEFAULT_BASE, ApTitle
from c1222.report.meter import Detail, meter_report
from c1222.report.page import Listed, Page
from c1222.report.timeline import Timeline
from c1222.report.traffic import traffic_report
from c1222.security.keys import KeyStore

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Iterable, Iterator

    from c1219 import Device
    from c1222.capture.message import CapturedMessage
    from c1222.errors import Finding
    from c1222.security.keys import Keys

__all__ = ["MAX_CHARTED", "MAX_OCTETS", "ReportMaker", "capture_report", "device_report"]

MAX_CHARTED: Final = 200
"""Meters that have a section of their own; all are listed."""
MAX_OCTETS: Final = 5_700_000
"""Octets of the sections of meters together."""
_FULL: Final = Detail(points=20_000, periods=1000, events=5000, findings=1000)
"""What is shown of a meter where there is space for everything."""
_ENOUGH: Final = 400_000
"""Octets for a meter with which everything is shown."""
_POINT: Final = 90
"""Octets of one point of all charts of a meter, about."""


class ReportMaker:
    """What a report is made of.

    Args:
        base: what makes relative titles absolute.
        devices: tables that the captures may lack; see `CapturedDevices`.
        max_charted: meters with a section of their own: those of which most octets are known.
        max_octets: octets of these sections together.
        zone: time zone of the meters; goes before their own.
    """

    def __init__(
        self,
        *,
        base: ApTitle = DEFAULT_BASE,
        devices: Iterable[Device] = (),
        max_charted: int = MAX_CHARTED,
        max_octets: int = MAX_OCTETS,
        zone: dt.tzinfo | None = None,
    ) -> None:
        self._devices = CapturedDevices(devices, base=base)
        self._summary = CaptureSummary(base=base)
        self._timeline = Timeline()
        self._own: list[tuple[str, Device]] = []
        self._findings: list[Finding] = []
        self._max_charted, self._max_octets = max_charted, max_octets
        self._zone = zone
        self._messages = 0

    def add(self, message: CapturedMessage) -> None:
        """Take a message, the next one of the captures."""
        self._messages += 1
        self._devices.add(message)
        self._summary.add(message)
        self._timeline.add(message)

    def add_findings(self, findings: Iterable[Finding]) -> None:
        """Take what concerns the captures as a whole."""
        found = list(findings)
        self._findings += found
        self._summary.add_findings(found)

    def add_device(self, device: Device, name: str = "") -> None:
        """Take a device that is at hand.

        Args:
            device: its tables.
            name: what to call it if it has no ApTitle.
        """
        title = device.node.get("ap_title")
        self._own.append((title if isinstance(title, str) else name, device))

    def html(self, *, made: dt.datetime, sources: Iterable[str] = (), title: str = "Meter report") -> str:
        """Return the page. The same input gives the same text.

        Args:
            made: when the report is made, aware.
            sources: names of what it is made of.
            title: of the page.
        """
        page = Page()
        ranked = sorted(self._ranked(), key=lambda one: (-one[0], one[1]))
        detail = _detail(self._max_octets // max(1, min(len(ranked), self._max_charted)))
        left = self._max_octets
        charted: dict[str, str] = {}
        listed: list[Listed] = []
        for number, (octets, name, device) in enumerate(ranked):
            anchor = ""
            if number < self._max_charted and left > 0:
                section = meter_report(self._devices[name] if device is None else device, name, detail, zone=self._zone)
                anchor = f"meter-{number + 1}"
                text = page.meter(section, anchor, first=number == 0)
                if len(text) <= left or not charted:
                    charted[anchor] = text
                else:
                    anchor = ""
                left -= len(text)
            listed.append(Listed(name, anchor, octets))
        return page.whole(
            title=title,
            made=made,
            sources=tuple(sources),
            traffic=traffic_report(self._summary, self._timeline) if self._messages else None,
            findings=tuple(dict.fromkeys((*self._findings, *self._devices.findings()))),
            listed=tuple(listed),
            meters=tuple(charted.values()),
        )

    def _ranked(self) -> Iterator[tuple[int, str, Device | None]]:
        """Yield the octets that are known of each meter, its title, and the device if it is at hand."""
        for name, device in self._own:
            yield _octets(device), name, device
        for name in self._devices:
            yield self._devices.octets_known(name), name, None


def _octets(device: Device) -> int:
    images = [device[label] for label in device]
    return sum(sum(map(len, one.pieces.values())) if one.pieces is not None else len(one.raw) for one in images)


def _detail(octets: int) -> Detail:
    """Return how much is shown of a meter for which there are so many octets."""
    if octets >= _ENOUGH:
        return _FULL
    periods = max(1, octets // 20_000)
    return Detail(max(100, octets // 2 // _POINT), periods, events=10 * periods, findings=5 * periods, brief=True)


def capture_report(
    paths: str | os.PathLike[str] | IO[bytes] | Iterable[str | os.PathLike[str] | IO[bytes]],
    *,
    made: dt.datetime,
    keys: Keys = None,
    devices: Iterable[Device] = (),
    ports: Collection[int] = (C1222_PORT,),
    by_content: bool = True,
    **options: Any,
) -> str:
    """Return the report of captures: one page of HTML that needs nothing else.

    Args:
        paths: path of a pcap or pcapng file, compressed or not; a binary file object; or several: one capture by time.
        made: when the report is made, aware; with the same time the same captures give the same page.
        keys: a store, a single key, or octets by key id.
        devices: tables that the captures may lack; see `CapturedDevices`.
        ports: UDP and TCP ports of C12.22.
        by_content: also take on other ports what is an APDU by its look.
        options: as for `ReportMaker`.

    Raises:
        CaptureError: a file is no capture.
        OSError: a file cannot be opened or read.
        InvalidKey: the keys cannot be used.
    """
    store = KeyStore.of(keys)
    maker = ReportMaker(base=store.base_oid, devices=devices, **options)
    one = isinstance(paths, str | os.PathLike) or hasattr(paths, "read")
    source: Any = paths if one else list(paths)  # type: ignore[arg-type]  # a file object may be iterated, too
    decoder = CaptureDecoder(source, keys=store, ports=ports, by_content=by_content)
    try:
        for message in decoder:
            maker.add(message)
    finally:
        decoder.close()
    maker.add_findings(decoder.findings())
    names = [os.fspath(path) for path in ([source] if one else source) if isinstance(path, str | os.PathLike)]
    return maker.html(made=made, sources=map(os.path.basename, names))


def device_report(*devices: Device, made: dt.datetime, **options: Any) -> str:
    """Return the report of devices at hand: one page of HTML that needs nothing else.

    Args:
        devices: the tables of each.
        made: when the report is made, aware.
        options: as for `ReportMaker`.
    """
    maker = ReportMaker(**options)
    for number, device in enumerate(devices, 1):
        maker.add_device(device, f"meter {number}")
    return maker.html(made=made)
