"""Who a meter is: ST0, ST1, ST2, ST5 and ST6 in plain words, and what of it is not known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from c1219.errors import Finding
from c1219.tabular.schema import METER, RowColumn, RowSchema
from c1219.tabular.view import Tabular
from c1219.views.origin import meter_name, plain_text
from c1219.views.records import record

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from c1219.tableset import TableSet

__all__ = ["Identity", "identity"]

_COMMODITIES = {0: "gas", 1: "water", 2: "electric"}
_EDITIONS = {0: "pre-release", 1: "1997", 2: "2008"}


IDENTITY: Final = RowSchema(
    "c1219.identity/1",
    "Who one meter is.",
    (
        *METER,
        RowColumn("manufacturer", "word", "registered code", "ST1"),
        RowColumn("model", "word", "the manufacturer's", "ST1"),
        RowColumn("hardware", "word", "version and revision", "ST1"),
        RowColumn("firmware", "word", "version and revision", "ST1"),
        RowColumn("serial", "string", "the manufacturer's serial number", "ST1"),
        RowColumn("device_class", "word", "as text if it is text, else in hex", "ST0"),
        RowColumn("commodity", "word", "`electric`, `gas` or `water`", "ST0"),
        RowColumn("edition", "word", "of the standard", "ST0"),
        RowColumn("identification", "string", "what the utility calls it", "ST5"),
        RowColumn("nameplate", "json", "elements by name", "ST2", null=False),
        RowColumn("utility", "json", "elements by name", "ST6", null=False),
    ),
    key=("meter",),
)


class _Identity(NamedTuple):
    manufacturer: str | None
    model: str | None
    hardware: str | None
    firmware: str | None
    serial: str | None
    device_class: str | None
    commodity: str | None
    edition: str | None
    identification: str | None
    nameplate: Mapping[str, Any]
    utility: Mapping[str, Any]
    ap_title: str | None
    findings: tuple[Finding, ...]


class Identity(_Identity, Tabular):
    """Who a meter is. None: not known; an empty text: the meter leaves it blank.

    Attributes:
        manufacturer: registered code (ST1).
        model: the manufacturer's.
        hardware: version and revision, for example ``2.0``.
        firmware: likewise.
        serial: the manufacturer's serial number.
        device_class: ST0.DEVICE_CLASS (1997: MANUFACTURER), as text if it is text, else in hex.
        commodity: ``electric``, ``gas`` or ``water``.
        edition: of the standard: ``1997`` or ``2008``; other codes as ``version 3``.
        identification: what the utility calls it (ST5).
        nameplate: elements of ST2 by name, as the meter has them; codes are not interpreted.
        utility: elements of ST6 by name.
        ap_title: its name in the network, if the device file has it.
        findings: what is missing or wrong.
    """

    __slots__ = ()

    schema = IDENTITY

    def table_rows(self) -> Iterator[Sequence[Any]]:
        name = meter_name(self.serial, self.identification, self.ap_title)
        yield self.schema.picked(self, name, self.ap_title)

    def as_dict(self) -> dict[str, Any]:
        """Return it in terms of JSON."""
        items = self._asdict()
        items["nameplate"], items["utility"] = dict(self.nameplate), dict(self.utility)
        items["findings"] = [finding._asdict() for finding in self.findings]
        return items


def identity(device: TableSet) -> Identity:
    """Say who a meter is, by the tables that are here.

    Args:
        device: the tables of the meter.
    """
    findings: list[Finding] = []
    st0, st1, st5 = (record(device, number, findings, cut=number != 0) for number in (0, 1, 5))
    nameplate = _elements(device, 2, findings)
    if set(nameplate) == {"DATA"}:
        text = "the form of ST2 for gas and water is not known: its octets are in DATA"
        findings.append(Finding("note", "nameplate", "ST2", None, text))
    title = device.node.get("ap_title")
    return Identity(
        plain_text(st1 and st1.MANUFACTURER),
        plain_text(st1 and st1.ED_MODEL),
        st1 and _version(st1.HW_VERSION_NUMBER, st1.HW_REVISION_NUMBER),
        st1 and _version(st1.FW_VERSION_NUMBER, st1.FW_REVISION_NUMBER),
        plain_text(st1 and st1.MFG_SERIAL_NUMBER),
        _class(device.device_class),
        st0 and _COMMODITIES.get(st0.NAMEPLATE_TYPE, f"nameplate type {st0.NAMEPLATE_TYPE}"),
        st0 and _EDITIONS.get(st0.STD_VERSION_NO, f"version {st0.STD_VERSION_NO}"),
        plain_text(st5 and st5.IDENTIFICATION),
        nameplate,
        _elements(device, 6, findings),
        title if isinstance(title, str) else None,
        tuple(dict.fromkeys(findings)),
    )


def _elements(device: TableSet, table: int, findings: list[Finding]) -> dict[str, Any]:
    value = record(device, table, findings, cut=True)
    return {} if value is None else device.bind(table).to_json(value)


def _version(version: int | None, revision: int | None) -> str | None:
    return None if version is None or revision is None else f"{version}.{revision}"


def _class(octets: bytes | None) -> str | None:
    if octets is None:
        return None
    text = octets.decode("latin-1").rstrip(" \0")
    return text if text.isascii() and text.isprintable() else octets.hex()
