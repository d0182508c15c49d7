"""A job on Spark, in a process of its own: ``python -m tests.c1222.bulk.spark_job FOLDER PROVIDER CAPTURE…``.

What the session found goes to FOLDER, as Parquet; so do its events and its plans.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from c1222 import InvalidKey, Key, KeyStore
from c1222.bulk import spark

TRIED = "C1222_TEST_TRIED"
"""Variable with the path of a file that is made when the provider is asked for the first time."""


def failing_once() -> KeyStore:
    """The keys; but who asks first gets none."""
    first = Path(os.environ[TRIED])
    try:
        first.touch(exist_ok=False)
    except FileExistsError:
        return KeyStore.from_file(os.environ["C1222_TEST_KEYS"])
    raise OSError("the key server is not there")


def main(folder: str, provider: str, *captures: str) -> None:
    """Run the job."""
    from pyspark.sql import SparkSession, functions

    out = Path(folder)
    events = out / "events"
    events.mkdir(parents=True)
    session = (
        SparkSession.builder.master("local[2,3]")
        .appName("c1222")
        .config("spark.ui.enabled", "false")
        .config("spark.eventLog.enabled", "true")
        .config("spark.eventLog.dir", events.as_uri())
        .config("spark.eventLog.compress", "false")
        .config("spark.sql.shuffle.partitions", "3")
        .config("spark.driver.memory", "1g")
        .config("spark.sql.execution.arrow.maxRecordsPerBatch", "50")
        .config("spark.sql.session.timeZone", "America/Denver")
        .config("spark.sql.parquet.outputTimestampType", "TIMESTAMP_MICROS")
        .getOrCreate()
    )
    counts = session.sparkContext.accumulator({}, spark.FindingCounts())
    frames = spark.frames(session, captures, findings=counts)
    shuffled = frames.repartition(3, functions.rand(7))
    messages = spark.decode(shuffled, provider, findings=counts)
    readings = spark.readings(messages.repartition(3, functions.rand(8)), findings=counts)
    frames.write.parquet(str(out / "frames"))
    messages.write.parquet(str(out / "messages"))
    readings.write.parquet(str(out / "readings"))
    plans = [df._jdf.queryExecution().toString() for df in (frames, messages, readings)]
    (out / "plans.txt").write_text("\n".join(plans), "utf-8")
    (out / "counts.json").write_text(json.dumps(counts.value), "utf-8")
    try:
        spark.decode(frames, KeyStore([Key(1, bytes(range(16)))]))  # type: ignore[arg-type]
    except InvalidKey as error:
        (out / "refused.txt").write_text(str(error), "utf-8")
    session.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
