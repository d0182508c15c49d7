"""The head-end's work: meters by name.

    meters = c1222.collect.Meters.load("meters.toml")
    with meters["north-7"].connect() as meter:
        meter.registers()

What is named here is loaded when it is first asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from c1222.collect.meters import Meters, NamedMeter
    from c1222.collect.meters_file import MetersFileError

__all__ = ["Meters", "MetersFileError", "NamedMeter"]

_HOMES = {"Meters": "meters", "MetersFileError": "meters_file", "NamedMeter": "meters"}

if not TYPE_CHECKING:  # a misspelt name is an error to a type checker

    def __getattr__(name: str) -> object:
        home = _HOMES.get(name)
        if home is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = globals()[name] = getattr(import_module(f"{__name__}.{home}"), name)
        return value


def __dir__() -> list[str]:
    return __all__
