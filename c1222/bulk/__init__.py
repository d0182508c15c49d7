"""Whole captures in columns: Arrow in, Arrow out. Needs the extra ``arrow``.

    from c1222 import bulk

    for batch in bulk.decode(bulk.frames(["monday.pcap", "tuesday.pcap"]), "keys.toml"): ...

    for batch in bulk.readings(bulk.decode(bulk.frames("monday.pcap"), "keys.toml")): ...

What the columns say is what `c1222.decode_capture` says, row by row; messages of one form are opened together. `seal`
makes many messages at once.
"""

from c1222.bulk.decoding import DecodedBatches, decode
from c1222.bulk.meters.elements import (
    DeviceTables,
    TableBatches,
    TableKind,
    TablesByKind,
    device_tables,
    table_batches,
    tables,
)
from c1222.bulk.meters.measured import DeviceReadings, ReadingBatches, device_readings, readings
from c1222.bulk.providers import key_store
from c1222.bulk.reading import CapturedFrames, frames
from c1222.bulk.sealing import seal

__all__ = [
    "CapturedFrames", "DecodedBatches", "DeviceReadings", "DeviceTables", "ReadingBatches", "TableBatches",
    "TableKind", "TablesByKind", "decode", "device_readings", "device_tables", "frames", "key_store", "readings",
    "seal", "table_batches", "tables",
]  # fmt: skip
