"""Where keys come from, in words that may be sent to other processes and written to logs, as keys may not."""

from __future__ import annotations

import os
import re
from importlib import import_module
from typing import TYPE_CHECKING, Final

from c1222.errors import InvalidKey
from c1222.security.keys import KeyStore

if TYPE_CHECKING:
    from c1222.security.keys import Keys

__all__ = ["key_store"]

_CALLABLE: Final = re.compile(r"([A-Za-z_]\w*(?:\.\w+)*):([A-Za-z_]\w*)")
_VARIABLE: Final = re.compile(r"[A-Za-z_]\w*")


def key_store(keys: Keys | str | os.PathLike[str]) -> KeyStore:
    """Return the keys that a provider names.

    Args:
        keys: a store, a single key, or octets by key id, in this process; or a provider: the path of a key file, the
            name of a variable of the environment that has such a path, or ``module:function``, a function without
            arguments that returns keys or the path of a key file.

    Raises:
        InvalidKey: there are no keys to be had there, or they cannot be used. The text names the provider, and quotes
            nothing that it gave or said.
    """
    if not isinstance(keys, str | os.PathLike):
        return KeyStore.of(keys)
    name = os.fspath(keys)
    if found := _CALLABLE.fullmatch(name):
        return _called(name, *found.groups())
    if _VARIABLE.fullmatch(name) and name in os.environ:
        return KeyStore.from_file(os.environ[name])
    return KeyStore.from_file(name)


def _called(name: str, module: str, function: str) -> KeyStore:
    try:
        given = getattr(import_module(module), function)()
        return KeyStore.from_file(given) if isinstance(given, str | os.PathLike) else KeyStore.of(given)
    except Exception as error:  # noqa: BLE001 - whatever a stranger's function raises; its text may quote a key
        problem = type(error).__name__
    raise InvalidKey(f"{name}: no keys came from there: {problem}")
