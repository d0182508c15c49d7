"""EAX', canonical headers, keys, freshness. The only room that imports cryptography.

What is named here is loaded when it is first asked for, so that `import c1222` stays light.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from c1222.security.eax_prime import EAXPrime
    from c1222.security.keys import Key, KeyStore

__all__ = ["EAXPrime", "Key", "KeyStore"]

_HOME = {"EAXPrime": "eax_prime", "Key": "keys", "KeyStore": "keys"}


def __getattr__(name: str) -> object:
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"{__name__}.{home}"), name)
    return value


def __dir__() -> list[str]:
    return __all__
