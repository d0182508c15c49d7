"""The head-end's work: meters by name, and polls of many into a store.

    meters = c1222.collect.Meters.load("meters.toml")
    with meters["north-7"].connect() as meter:
        meter.registers()
    c1222.collect.run(meters.group("north"), ["registers", "load-profile", "events"], "sqlite:///readings.db")

What is named here is loaded when it is first asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from c1222.collect.meters import Meters, NamedMeter
    from c1222.collect.meters_file import MetersFileError
    from c1222.collect.polling import RunReport, run, run_async
    from c1222.collect.stores.sink import Sink, StoreError

__all__ = ["Meters", "MetersFileError", "NamedMeter", "RunReport", "Sink", "StoreError", "run", "run_async"]

_HOMES = {
    "Meters": "meters",
    "MetersFileError": "meters_file",
    "NamedMeter": "meters",
    "RunReport": "polling",
    "Sink": "stores.sink",
    "StoreError": "stores.sink",
    "run": "polling",
    "run_async": "polling",
}

if not TYPE_CHECKING:  # a misspelt name is an error to a type checker

    def __getattr__(name: str) -> object:
        home = _HOMES.get(name)
        if home is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = globals()[name] = getattr(import_module(f"{__name__}.{home}"), name)
        return value


def __dir__() -> list[str]:
    return __all__
