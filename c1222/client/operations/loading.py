"""Whole tables out of the meter into the device: those that the layout of others depends on, and those of a view."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from c1219.errors import C1219Error, Finding, MissingTables, UnknownTable
from c1219.tableid import table_id
from c1222.client.errors import ReadInterrupted
from c1222.client.operations.reading import PartialRead

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from c1219.device import Device
    from c1219.errors import Level
    from c1222.client.operations.read_so_far import ReadSoFar
    from c1222.client.operations.transfer import Transfer
    from c1222.client.steps import Operation
    from c1222.services import Refusal

__all__ = ["TableLoader"]

_DIMENSIONS: Final = frozenset({11, 21, 51, 61, 71})
"""Tables that tell how long others are: read before them."""


class TableLoader:
    """Loads whole tables into the device.

    Args:
        transfer: reads them.
        device: where they go.
    """

    __slots__ = ("_device", "_transfer")

    def __init__(self, transfer: Transfer, device: Device) -> None:
        self._transfer = transfer
        self._device = device

    def load(self, labels: Iterable[str]) -> Operation[None]:
        """Load tables, whether they are here or not.

        Raises:
            what `Transfer.fetch` raises; but the reason itself where it was interrupted.
        """
        tables = [table_id(label) for label in labels]
        try:
            octets = yield from self._transfer.fetch([PartialRead(table) for table in tables])
        except ReadInterrupted as error:  # it is not what the caller asked for
            raise error.reason from None
        self._transfer.keep(tables, octets)

    def prepare(self, labels: Iterable[str]) -> Operation[None]:
        """Load what the layouts of tables depend on, as far as it is not here.

        Raises:
            what `load` raises.
        """
        wanted = tuple(dict.fromkeys(labels))
        while missing := [name for label in wanted for name in self._missing(label)]:
            yield from self.load(dict.fromkeys(missing))

    def _missing(self, label: str) -> tuple[str, ...]:
        device = self._device
        if device.is_bound(label):
            return ()
        try:
            declared = device.declaration(label)
        except UnknownTable:
            # Whose table it is, only ST0 tells.
            return () if "ST0" in device or not label.startswith("MT") else ("ST0",)
        if declared.needs_own_octets:
            return tuple(name for name in declared.depends_on if name not in (label, *device))
        try:
            device.bind(label)
        except MissingTables as error:
            return error.names
        except C1219Error:
            return ()  # said again, and to the caller, when it is used
        return ()

    def load_view(
        self,
        live: Sequence[int],
        settled: Sequence[int],
        so_far: ReadSoFar | None = None,
        *,
        required: bool = False,
        clock: bool = False,
    ) -> Operation[list[Finding]]:
        """Load the tables of a view, as far as ST0 lists them.

        Args:
            live: read now, whatever is here.
            settled: read unless they are here; left out if the meter refuses them.
            so_far: where the live ones are kept, and looked for.
            required: read live ones even if ST0 does not list them, and raise if the meter refuses one. Otherwise
                it is raised if none can be read.
            clock: the clock's own table too, which tells what the times of the others are.

        Returns:
            What was refused, as findings.

        Raises:
            what `Transfer.fetch_some` raises; Refusal: see ``required``.
        """
        device, transfer = self._device, self._transfer
        if 0 not in device:
            yield from self.load(["ST0"])
        qualifier = (52 if self._may_be_there(52) else 55,) if clock else ()
        missing = [number for number in (*settled, *qualifier) if number not in device and self._may_be_there(number)]
        findings: list[Finding] = []
        dimensions = [number for number in missing if number in _DIMENSIONS]
        for batch in (dimensions, [number for number in missing if number not in _DIMENSIONS]):
            octets = yield from transfer.fetch_some([PartialRead(number) for number in batch])
            refused = transfer.keep(batch, octets)
            findings += [_left_out(number, refusal, "warning") for number, refusal in refused.items()]
        wanted = [number for number in live if required or self._may_be_there(number)]
        found = yield from transfer.fetch_some([PartialRead(number) for number in wanted], so_far)
        refused = transfer.keep(wanted, found)
        if refused and (required or len(refused) == len(wanted)):
            number, refusal = next(iter(refused.items()))
            raise transfer.refused(refusal, PartialRead(number))
        return findings + [_left_out(number, refusal, "error") for number, refusal in refused.items()]

    def _may_be_there(self, number: int) -> bool:
        return self._transfer.lists(number) is not False


def _left_out(number: int, refusal: Refusal, level: Level) -> Finding:
    return Finding(level, "refused", f"ST{number}", None, f"ST{number} is left out: {refusal}")
