"""Makes the samples: ``python -m tests.c1222.bulk.samples.make``. Those that are kept stay as they were written."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from c1222 import bulk

CAPTURES = Path(__file__).parents[4] / "specs" / "captures"


def main() -> None:
    """Write a sample of each schema."""
    folder = Path(__file__).parent
    messages = list(bulk.decode(bulk.frames(CAPTURES / "registers.pcap"), CAPTURES / "keys.toml"))
    found = {"bulk.message-1": pa.Table.from_batches(messages)}
    found["readings-1"] = pa.Table.from_batches(list(bulk.readings(messages)))
    tables = bulk.tables(messages)
    found["table-st1"] = pa.Table.from_batches([next(batch for kind, batch in tables.items() if kind.table == "ST1")])
    for name, table in found.items():
        pq.write_table(table.slice(0, 40), folder / f"{name}.parquet", compression="zstd")


if __name__ == "__main__":
    main()
