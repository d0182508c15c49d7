"""The work of ``c1222 bulk``: files in, folders of Parquet out, one unit after the other, each at most once.

A capture is a unit, and so are some device files together. What a unit gives appears as a whole; a note in
``FOLDER/_done`` then says so, and who comes again does not do it again while the files are the same.
"""

from __future__ import annotations

import json
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import ExitStack, closing
from hashlib import sha256
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from c1219.device import Device
from c1219.errors import C1219Error
from c1219.tabular.arrow import arrow_schema
from c1219.tabular.readings import READINGS
from c1222.bulk.decoding import decode
from c1222.bulk.meters.elements import device_tables, table_batches
from c1222.bulk.meters.measured import device_readings, readings
from c1222.bulk.parquet.partitions import PartitionedFiles
from c1222.bulk.providers import key_store
from c1222.bulk.reading import frames
from c1222.bulk.schema import BULK_MESSAGES
from c1222.capture.files.writer import private_file
from c1222.errors import C1222Error, Finding, in_words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    import pyarrow as pa

    from c1222.bulk.meters.elements import TableKind

__all__ = ["DEVICES_OF_A_UNIT", "WHAT", "ChangedFile", "Unit", "UnitDone", "carried_out", "units_of"]

What = Literal["messages", "tables", "readings"]
WHAT: Final[tuple[What, ...]] = ("messages", "tables", "readings")
"""What can be made of captures; of device files, tables and readings."""
DEVICES_OF_A_UNIT: Final = 500
"""Device files that are treated together."""
_DONE: Final = "_done"
_KEY: Final = 12
_NOTE: Final = "c1222.bulk.done/1"
_NANOSECONDS: Final = 1_000_000_000


class Unit(NamedTuple):
    """What is done at once.

    Attributes:
        what: is made.
        paths: of a capture, or of device files.
        devices: whether they are device files.
        out: the folder.
        keys: name of a key provider, as `c1222.bulk.key_store` takes it.
        given: device files with tables that the capture may lack.
        ports: of C12.22.
        by_content: also take on other ports what is an APDU by its look.
    """

    what: What
    paths: tuple[str, ...]
    devices: bool
    out: str
    keys: str | None
    given: tuple[str, ...]
    ports: tuple[int, ...]
    by_content: bool

    @property
    def size(self) -> int:
        """Octets of the files."""
        return sum(Path(path).stat().st_size for path in self.paths)

    def key(self, path: str) -> str:
        """Return what tells a file, as it is now and with these options, from others."""
        seen = [(str(Path(name).resolve()), *_state(name)) for name in (path, *self.given)]
        return sha256(json.dumps([seen, self.ports, self.by_content]).encode()).hexdigest()[:_KEY]

    @property
    def name(self) -> str:
        """Name of the files that it gives: that of the first, and what tells it from others."""
        keys = "".join(map(self.key, self.paths))
        digest = keys if len(self.paths) == 1 else sha256(keys.encode()).hexdigest()[:_KEY]
        return f"{Path(self.paths[0]).name.partition('.')[0]}-{digest}"


class UnitDone(NamedTuple):
    """What came of a unit.

    Attributes:
        unit: the unit.
        rows: written.
        files: written, below the folder.
        findings: on the files, the messages and the meters.
        incomplete: messages that could not be opened, verified or decoded.
        error: why there is nothing, in words; None if there is.
    """

    unit: Unit
    rows: int
    files: tuple[str, ...]
    findings: tuple[Finding, ...]
    incomplete: int = 0
    error: str | None = None


def _state(path: str) -> tuple[int, int]:
    found = Path(path).stat()
    return found.st_size, found.st_mtime_ns


class ChangedFile(C1222Error, ValueError):
    """A file is not what it was when its rows were written, which are still there."""


def units_of(captures: Iterable[str], devices: Sequence[str], **options: Any) -> tuple[list[Unit], int]:
    """Return what is to be done, and how many files were done before.

    Args:
        captures: paths of captures.
        devices: paths of device files.
        options: the other fields of the units.

    Raises:
        OSError: a file is not there.
        ChangedFile: a file was done before, but has changed since, or the options have.
    """
    known = _known(Path(options["out"]) / _DONE / options["what"])
    left: dict[bool, list[str]] = {False: [], True: []}
    before = 0
    for are_devices, paths in ((False, captures), (True, devices)):
        for path in dict.fromkeys(paths):
            key = known.get(str(Path(path).resolve()))
            if key is None:
                left[are_devices].append(path)
            elif key == Unit(paths=(path,), devices=are_devices, **options).key(path):
                before += 1
            else:
                text = f"{path} was done into {options['out']} before, but it has changed since, or the options have"
                raise ChangedFile(f"{text}: use another folder")
    units = [Unit(paths=(path,), devices=False, **options) for path in left[False]]
    groups = range(0, len(left[True]), DEVICES_OF_A_UNIT)
    units += [Unit(paths=tuple(left[True][at : at + DEVICES_OF_A_UNIT]), devices=True, **options) for at in groups]
    return units, before


def _known(folder: Path) -> dict[str, str]:
    """Return the keys of the files that were done, by their path."""
    notes = [json.loads(path.read_bytes()) for path in sorted(folder.glob("*.json"))]
    return {source["path"]: source["key"] for note in notes for source in note["sources"]}


def carried_out(
    units: Sequence[Unit], *, jobs: int = 1, tell: Callable[[int], None] = lambda _: None
) -> Iterator[UnitDone]:
    """Carry units out, and yield what came of each as it ends.

    Args:
        units: the units.
        jobs: processes; 1 for this one alone.
        tell: called with the octets of files that were read since the last time.
    """
    if jobs <= 1 or len(units) <= 1:
        for unit in units:
            yield _carry_out(unit, tell)
        return
    with ProcessPoolExecutor(min(jobs, len(units)), mp_context=get_context("spawn")) as pool:
        ahead = iter(units)
        running = {pool.submit(_carry_out, unit): unit for unit, _ in zip(ahead, range(2 * jobs), strict=False)}
        while running:
            future = next(as_completed(running))
            unit = running.pop(future)
            tell(unit.size)
            yield future.result()
            for other in ahead:
                running[pool.submit(_carry_out, other)] = other
                break


def _carry_out(unit: Unit, tell: Callable[[int], None] = lambda _: None) -> UnitDone:
    try:
        return _of_devices(unit, tell) if unit.devices else _of_capture(unit, tell)
    except (C1222Error, C1219Error, OSError) as error:
        return UnitDone(unit, 0, (), (), error=in_words(error))


def _of_capture(unit: Unit, tell: Callable[[int], None]) -> UnitDone:
    keys = key_store(unit.keys)
    given = [Device.from_json(Path(path).read_bytes()) for path in unit.given]
    read = frames(unit.paths[0], ports=unit.ports, by_content=unit.by_content)
    with closing(read):
        decoded = decode(_told(read, tell), keys)
        found: Any = None
        if unit.what == "readings":
            found = readings(decoded, given, base=keys.base_oid)
        elif unit.what == "tables":
            found = table_batches(decoded, given, base=keys.base_oid)
        rows, files = _written(unit, decoded if found is None else found)
    counters = decoded.counters
    findings = (*read.findings(), *decoded.findings(), *(() if found is None else found.findings()))
    return _noted(UnitDone(unit, rows, files, findings, counters.undecodable + counters.refused + counters.unchecked))


def _told(read: Any, tell: Callable[[int], None]) -> Iterator[pa.RecordBatch]:
    before = 0
    for batch in read:
        yield batch
        tell(read.octets_read - before)
        before = read.octets_read


def _of_devices(unit: Unit, tell: Callable[[int], None]) -> UnitDone:
    unreadable: list[Finding] = []
    devices = _devices(unit.paths, unreadable, tell)
    found: Any = device_tables(devices) if unit.what == "tables" else device_readings(devices)
    rows, files = _written(unit, found)
    return _noted(UnitDone(unit, rows, files, (*unreadable, *found.findings())))


def _devices(paths: Iterable[str], findings: list[Finding], tell: Callable[[int], None]) -> Iterator[Device]:
    for path in paths:
        octets = Path(path).read_bytes()
        try:
            yield Device.from_json(octets)
        except C1219Error as error:
            findings.append(Finding("error", "unreadable", path, None, str(error)))
        tell(len(octets))


def _written(unit: Unit, batches: Iterable[Any]) -> tuple[int, tuple[str, ...]]:
    folder = Path(unit.out) / unit.what
    if unit.what == "tables":
        return _tables_written(unit, folder, batches)
    if unit.what == "readings":
        made = PartitionedFiles(folder, unit.name, arrow_schema(READINGS), time="end", meter="meter")
    else:
        made = PartitionedFiles(folder, unit.name, arrow_schema(BULK_MESSAGES), time="time_ns", unit=_NANOSECONDS)
    with made as files:
        for batch in batches:
            files.write(batch)
    return files.rows, tuple(files.files)


def _tables_written(
    unit: Unit, folder: Path, batches: Iterable[tuple[TableKind, pa.RecordBatch]]
) -> tuple[int, tuple[str, ...]]:
    """Write tables, each kind into a folder of its own, since the columns of each are others."""
    made: dict[TableKind, PartitionedFiles] = {}
    with ExitStack() as stack:
        for kind, batch in batches:
            files = made.get(kind)
            if files is None:
                below = folder / f"table={kind.table}" / f"kind={kind.kind}"
                files = made[kind] = stack.enter_context(
                    PartitionedFiles(below, unit.name, batch.schema, time="read_at")
                )
            files.write(batch)
    names = [f"table={kind.table}/kind={kind.kind}/{name}" for kind, files in made.items() for name in files.files]
    return sum(files.rows for files in made.values()), tuple(names)


def _noted(done: UnitDone) -> UnitDone:
    unit = done.unit
    sources = [{"path": str(Path(path).resolve()), "key": unit.key(path)} for path in unit.paths]
    note = {
        "schema": _NOTE,
        "what": unit.what,
        "sources": sources,
        "rows": done.rows,
        "files": sorted(done.files),
        "findings": [finding._asdict() for finding in done.findings],
    }
    path = Path(unit.out) / _DONE / unit.what / f"{unit.name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    with private_file(path) as file:
        file.write(json.dumps(note, ensure_ascii=False, indent=1).encode())
    return done
