"""Stores by address: a folder, ``sqlite:///file``, ``postgresql://…``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from c1222.collect.stores.sink import StoreError

if TYPE_CHECKING:
    from c1222.collect.stores.sink import Sink

__all__ = ["open_sink"]

_SQLITE: Final = "sqlite:///"
_POSTGRES: Final = ("postgresql://", "postgres://")


def open_sink(address: str) -> Sink:
    """Open a store.

    Args:
        address: a folder for Parquet files (extra ``arrow``), ``sqlite:///file`` (a fourth slash begins a path from
            the root), or ``postgresql://…`` (extra ``postgres``).

    Raises:
        StoreError: it cannot be opened, or the address is none.
    """
    if address.startswith(_SQLITE):
        from c1222.collect.stores.sqlite import SQLiteSink  # noqa: PLC0415 - the one that is asked for

        path = Path(address.removeprefix(_SQLITE))
        if not path.parent.is_dir():
            raise StoreError(f"{path.parent}: there is no such folder")
        return SQLiteSink(path)
    if address.startswith(_POSTGRES):
        try:
            from c1222.collect.stores.postgres import PostgresSink  # noqa: PLC0415 - likewise
        except ImportError:
            raise StoreError("PostgreSQL needs psycopg: install c1222[postgres]") from None
        return PostgresSink(address)
    if not address or "://" in address:
        raise StoreError(f"{address or 'nothing'}: a store is a folder, {_SQLITE}FILE or {_POSTGRES[0]}…")
    try:
        from c1222.collect.stores.parquet import ParquetSink  # noqa: PLC0415 - likewise
    except ModuleNotFoundError as error:
        raise StoreError(f"a folder of Parquet files needs {error.name}: install c1222[arrow]") from None
    return ParquetSink(Path(address))
