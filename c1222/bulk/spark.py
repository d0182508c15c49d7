"""The same on Apache Spark, for captures that one machine is too small for. Needs the extra ``spark``.

    from c1222.bulk import spark as c1222_spark

    found = c1222_spark.readings(c1222_spark.decode(c1222_spark.frames(session, paths), keys="METER_KEYS"))

Keys are named by a provider (`c1222.bulk.key_store`), which each task asks itself: they are in no plan and no event.

Messages of two hosts are in one partition, by time, whatever files they are in: what a request, its answer and a
session tell is exact there. What is in no file is not known, nor what a host said of itself to a third one.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from c1219.tabular.arrow import arrow_schema
from c1219.tabular.readings import READINGS
from c1222.bulk.decoding import decode as decoded_batches
from c1222.bulk.meters.measured import readings as reading_batches
from c1222.bulk.reading import FRAMES
from c1222.bulk.reading import frames as captured_frames
from c1222.bulk.schema import BULK_MESSAGES
from c1222.capture.network.streams import C1222_PORT
from c1222.errors import Finding, InvalidKey

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from pyspark.sql import Column, DataFrame, SparkSession

    from c1219.device import Device
    from c1219.tabular.arrow import Decimals

__all__ = ["FILE_BITS", "FindingCounts", "decode", "frames", "readings"]

FILE_BITS: Final = 32
"""``frame`` holds the number of the file above so many bits, and below them the number of the frame in it."""


class FindingCounts:
    """Adds findings up by their code: ``session.sparkContext.accumulator({}, FindingCounts())``.

    A task that is tried again counts again.
    """

    __slots__ = ()

    def zero(self, value: dict[str, int]) -> dict[str, int]:  # noqa: ARG002 - as Spark calls it
        """Return no counts."""
        return {}

    def addInPlace(self, value1: dict[str, int], value2: dict[str, int]) -> dict[str, int]:  # noqa: N802 - likewise
        """Return the counts of both."""
        for code, count in value2.items():
            value1[code] = value1.get(code, 0) + count
        return value1


def frames(
    session: SparkSession,
    paths: Iterable[str | os.PathLike[str]],
    *,
    ports: Collection[int] = (C1222_PORT,),
    by_content: bool = True,
    findings: Any = None,
) -> DataFrame:
    """Read captures, one task a file, and put the APDUs of two hosts into one partition, by time.

    Args:
        session: of Spark.
        paths: files, as all workers find them.
        ports: UDP and TCP ports of C12.22.
        by_content: also take on other ports what is an APDU by its look.
        findings: an accumulator of `FindingCounts`.

    Returns:
        The columns of `c1222.bulk.reading.FRAMES`; for ``frame`` see `FILE_BITS`.
    """
    names = [os.fspath(path) for path in paths]

    def read(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for number in batch.column("id").to_pylist():
                found = captured_frames(names[number], ports=ports, by_content=by_content)
                for each in found:
                    own = pa.array([(number << FILE_BITS) + frame for frame in each.column("frame").to_pylist()])
                    yield each.set_column(each.schema.get_field_index("frame"), "frame", own).cast(_FRAMES)
                found.close()
                _count(findings, found.findings())

    return _by_conversation(
        session.range(0, len(names), 1, max(len(names), 1)).mapInArrow(read, _spark_schema(_FRAMES))
    )


def decode(df: DataFrame, keys: str | os.PathLike[str], *, findings: Any = None) -> DataFrame:
    """Decode what `frames` gives.

    Args:
        df: with the columns of `frames`, in any order.
        keys: name of a provider, as `c1222.bulk.key_store` takes it: a path, a variable, or ``module:function``.
        findings: an accumulator of `FindingCounts`.

    Returns:
        The columns of `c1222.bulk.decode`.

    Raises:
        InvalidKey: these are keys, which would be in the plan, and not the name of a provider.
    """
    if not isinstance(keys, str | os.PathLike):
        raise InvalidKey("Spark takes the name of a provider of keys: keys themselves would be in its plans and logs")
    provider = os.fspath(keys)

    def decoded(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        found = decoded_batches(batches, provider)
        for batch in found:
            yield batch.cast(_MESSAGES)
        _count(findings, found.findings())

    return _by_conversation(df).mapInArrow(decoded, _spark_schema(_MESSAGES))


def readings(
    df: DataFrame,
    devices: Mapping[str, Device] | Iterable[Device] = (),
    *,
    decimals: Decimals = "decimal128",
    findings: Any = None,
) -> DataFrame:
    """Tell the readings of what `decode` gives.

    Args:
        df: with the columns of `decode`, in any order.
        devices: as for `c1222.bulk.readings`; they go to all workers.
        decimals: as for `c1222.bulk.readings`.
        findings: an accumulator of `FindingCounts`: what could not be told.

    Returns:
        The columns of ``c1219.readings/1``.
    """
    given = list(devices.values() if isinstance(devices, Mapping) else devices)
    schema = _without_words(arrow_schema(READINGS, decimals))

    def told(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        found = reading_batches(batches, given, decimals=decimals)
        for batch in found:
            yield batch.cast(schema)
        _count(findings, found.findings())

    return _by_conversation(df).mapInArrow(told, _spark_schema(schema))


def _by_conversation(df: DataFrame) -> DataFrame:
    """Put the messages of two hosts into one partition, by time."""
    from pyspark.sql import functions  # noqa: PLC0415 - where it is used: who imports this may only look

    hosts: list[Column] = [functions.regexp_replace(end, r":\d+$", "") for end in ("src", "dst")]
    parts = df.repartition(functions.least(*hosts), functions.greatest(*hosts))
    return parts.sortWithinPartitions("time_ns", "frame")


def _count(accumulator: Any, findings: Iterable[Finding]) -> None:
    if accumulator is not None:
        for finding in findings:
            accumulator.add({finding.code: 1})


def _spark_schema(schema: pa.Schema) -> Any:
    from pyspark.sql.pandas.types import from_arrow_schema  # noqa: PLC0415 - likewise

    return from_arrow_schema(schema)


def _without_words(schema: pa.Schema) -> pa.Schema:
    """Return a schema without dictionaries, which Spark does not take."""
    return pa.schema([pa.field(field.name, _without_word(field.type), nullable=field.nullable) for field in schema])


def _without_word(kind: Any) -> Any:
    if pa.types.is_dictionary(kind):
        return _without_word(kind.value_type)
    if pa.types.is_list(kind):
        return pa.list_(_without_word(kind.value_type))
    if pa.types.is_struct(kind):
        return pa.struct([pa.field(field.name, _without_word(field.type), nullable=field.nullable) for field in kind])
    return kind


_FRAMES: Final = _without_words(arrow_schema(FRAMES))
_MESSAGES: Final = _without_words(arrow_schema(BULK_MESSAGES))
