"""Where keys and passwords come from: a file, the environment, a command, the keyring, or a provider.

The secret itself may stand in a file that only its owner may read.
"""

from __future__ import annotations

import os
import subprocess
from importlib import import_module
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, Final

from c1222.errors import InvalidKey, StateError, in_words
from c1222.security.keys import Key, KeyStore
from c1222.text import without_mark

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["COMMAND_SECONDS", "PROVIDERS", "SecretSources", "check_source", "source_of_text"]

PROVIDERS: Final = "c1222.keys"
"""Group of the entry points that give keys: callables of the meter's name and the source as a mapping, that return 16
octets, a `Key` or a `KeyStore`."""
COMMAND_SECONDS: Final = 30.0
"""How long a command may take."""
_KINDS: Final = ("file", "env", "command", "keyring", "provider", "text")


def check_source(value: Any) -> Mapping[str, Any]:
    """Return a source of a secret; a text alone is the secret itself.

    Raises:
        ValueError: it is no source. The text quotes nothing of it.
    """
    if isinstance(value, str):
        return {"text": value}
    kinds = [kind for kind in _KINDS if isinstance(value, dict) and kind in value]
    if len(kinds) != 1 or (kinds[0] != "provider" and value.keys() - {kinds[0], "id"}):
        raise ValueError(
            'one source is needed, such as { env = "NAME" }; there are file, env, command, keyring, provider'
        )
    content = value[kinds[0]]
    if kinds[0] == "command":
        if not isinstance(content, list) or not content or not all(isinstance(one, str) for one in content):
            raise ValueError("command: a list of the program and its arguments is needed")
    elif not isinstance(content, str) or not content:
        raise ValueError(f"{kinds[0]}: text is needed")
    if kinds[0] == "keyring" and "/" not in content:
        raise ValueError("keyring: SERVICE/USER is needed")
    number = value.get("id", 0)
    if type(number) is not int or not 0 <= number <= 0xFF:
        raise ValueError("id: a key id 0..255 is needed")
    return dict(value)


def source_of_text(text: str) -> Any:
    """Return the source that a cell of CSV says: ``env:NAME``, ``file:PATH``, ``keyring:SERVICE/USER``, else itself."""
    kind, colon, content = text.partition(":")
    return {kind: content} if colon and kind in {"env", "file", "keyring"} else text


class SecretSources:
    """Gets secrets from where they are; each source is asked once.

    Args:
        folder: relative names of files count from here.
        environ: the environment; that of the process when None.
    """

    def __init__(self, folder: Path, environ: Mapping[str, str] | None = None) -> None:
        self._folder = folder
        self._environ = os.environ if environ is None else environ
        self._found: dict[str, bytes] = {}
        self._stores: dict[Path, KeyStore] = {}

    def __repr__(self) -> str:
        return "<SecretSources>"

    def key_file(self, name: str) -> KeyStore:
        """Return the keys of a key file.

        Raises:
            InvalidKey: it cannot be read, or used.
        """
        path = self._folder / name
        if path not in self._stores:
            self._stores[path] = KeyStore.from_file(path, environ=self._environ)
        return self._stores[path]

    def key(self, source: Mapping[str, Any], meter: str, key_id: int | None) -> KeyStore | Key:
        """Return the key of a meter.

        Args:
            source: from `check_source`.
            meter: name of the meter.
            key_id: its id, where the source has none.

        Raises:
            InvalidKey, StateError: it cannot be had, or used.
        """
        number = source.get("id", key_id)
        if "provider" in source:
            given = _provider(source["provider"])(meter, source)
            if isinstance(given, (Key, KeyStore)):
                return given
        else:
            try:
                given = bytes.fromhex(self.secret(source).decode("ascii"))
            except ValueError:
                raise InvalidKey("key: pairs of hexadecimal digits are needed") from None
        if number is None:
            raise InvalidKey("key: key_id is needed beside it")
        return Key(number, given)

    def secret(self, source: Mapping[str, Any]) -> bytes:
        """Return a secret: the first line of what the source has.

        Raises:
            StateError: it cannot be had. The text quotes nothing of it.
        """
        if "text" in source:
            return _octets(source["text"])
        name = repr(source)
        if name not in self._found:
            self._found[name] = self._ask(source)
        return self._found[name]

    def _ask(self, source: Mapping[str, Any]) -> bytes:
        if "file" in source:
            path = self._folder / source["file"]
            try:
                return _first_line(without_mark(path.read_bytes()))
            except OSError as error:
                raise StateError(f"{path}: {in_words(error)}") from None
        if "env" in source:
            found = self._environ.get(source["env"])
            if found is None:
                raise StateError(f"there is no {source['env']} in the environment")
            return _octets(found)
        if "command" in source:
            return _run(source["command"], self._folder)
        if "keyring" in source:
            return _from_keyring(source["keyring"])
        raise StateError("a provider gives keys, not passwords")


def _octets(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _first_line(octets: bytes) -> bytes:
    return octets.splitlines()[0] if octets.strip(b"\r\n") else b""


def _run(command: list[str], folder: Path) -> bytes:
    try:
        end = subprocess.run(  # noqa: S603 - the program is the user's own choice
            command, capture_output=True, check=False, cwd=folder, stdin=subprocess.DEVNULL, timeout=COMMAND_SECONDS
        )
    except subprocess.TimeoutExpired:
        raise StateError(f"{command[0]}: no end after {COMMAND_SECONDS:g} seconds") from None
    except OSError as error:
        raise StateError(f"{command[0]}: {in_words(error)}") from None
    if end.returncode:
        raise StateError(f"{command[0]}: exit code {end.returncode}")
    return _first_line(end.stdout)


def _from_keyring(name: str) -> bytes:
    try:
        keyring = import_module("keyring")
    except ImportError:
        raise StateError("the keyring needs the extra keyring: install c1222[keyring]") from None
    service, _, user = name.rpartition("/")
    found = keyring.get_password(service, user)
    if found is None:
        raise StateError(f"the keyring has nothing for {name}")
    return _octets(found)


def _provider(name: str) -> Any:
    found = entry_points(group=PROVIDERS, name=name)
    if not found:
        raise StateError(f"no package here gives keys as {name}: it would have an entry point of the group {PROVIDERS}")
    return next(iter(found)).load()
