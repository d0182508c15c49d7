"""Keys, and which of them serves a message.

A message names its key by an id of one octet. The same id may mean another key at every node, so a key can carry the
ApTitle of the node it belongs to: it then serves messages to or from that node, and goes before one that carries none.
"""

from __future__ import annotations

import os
import re
from hmac import compare_digest
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

from c1222.errors import EncodeError, InvalidKey, UnknownKey
from c1222.message.aptitle import DEFAULT_BASE, ApTitle
from c1222.security.eax_prime import KEY_SIZE, EAXPrime, eax_prime
from c1222.text import read_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    Keys: TypeAlias = "KeyStore | Key | Mapping[int, bytes] | None"

__all__ = ["Key", "KeyStore"]


class Key:
    """One key of 16 octets with its id. Immutable; shows its octets in no repr, pickle or error.

    Args:
        id: the id on the wire, 0..255.
        key: 16 octets.
        ap_title: the node the key belongs to, or None for any node.

    Attributes:
        id: the id on the wire.
        ap_title: the node the key belongs to, or None.
        octets: the key itself.

    Raises:
        InvalidKey: the id is not 0..255, the key has not 16 octets, or the title is no title of a node.
    """

    __slots__ = ("ap_title", "id", "octets")

    id: int
    ap_title: ApTitle | None
    octets: bytes

    def __init__(self, id: int, key: bytes | bytearray | memoryview, ap_title: ApTitle | str | None = None) -> None:  # noqa: A002
        if not isinstance(id, int) or isinstance(id, bool):
            raise TypeError(f"a key id is an int, not {type(id).__name__}")
        if not 0 <= id <= 0xFF:
            raise InvalidKey("a key id is 0..255")
        if not isinstance(key, (bytes, bytearray, memoryview)):
            raise TypeError(f"a key is a bytes-like object, not {type(key).__name__}")
        octets = bytes(key)
        if len(octets) != KEY_SIZE:
            raise InvalidKey(f"a key has {KEY_SIZE} octets, not {len(octets)}")
        if isinstance(ap_title, str):
            try:
                ap_title = ApTitle(ap_title)
            except EncodeError:
                raise InvalidKey("ap_title: decimal arcs separated by dots are needed") from None
        if ap_title is not None and ap_title.is_empty:
            raise InvalidKey("the empty ApTitle names no node")
        # The slots are set past __setattr__, which keeps everybody else out.
        put = object.__setattr__
        put(self, "id", id)
        put(self, "octets", octets)
        put(self, "ap_title", ap_title)

    @property
    def eax(self) -> EAXPrime:
        """The primed state of this key, shared and kept while the key is in use."""
        return eax_prime(self.octets)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"a Key is immutable: {name} cannot be set")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"a Key is immutable: {name} cannot be deleted")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Key):
            return NotImplemented
        same = compare_digest(self.octets, other.octets)
        return same and (self.id, self.ap_title) == (other.id, other.ap_title)

    def __hash__(self) -> int:
        return hash((self.id, self.ap_title))

    def __repr__(self) -> str:
        return f"Key({self.id}, <{KEY_SIZE} octets>{f', {str(self.ap_title)!r}' if self.ap_title is not None else ''})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Key is neither copied nor pickled")


class KeyStore:
    """The keys of one network, found by the titles and the key id of a message.

    Args:
        keys: the keys to start with.
        base_oid: what makes relative titles absolute, in the keys and in messages that carry no application context.

    Raises:
        InvalidKey: two keys have the same id and title, or the base is no absolute object identifier.
    """

    __slots__ = ("_any_node", "_base", "_of_node")

    def __init__(self, keys: Iterable[Key] = (), *, base_oid: ApTitle | str = DEFAULT_BASE) -> None:
        try:
            self._base = ApTitle(base_oid) if isinstance(base_oid, str) else base_oid
        except EncodeError:
            raise InvalidKey(_BASE_NEEDED) from None
        if self._base.is_relative:
            raise InvalidKey(_BASE_NEEDED)
        self._any_node: dict[int, Key] = {}
        self._of_node: dict[tuple[int, bytes], Key] = {}
        for key in keys:
            self.add(key)

    @classmethod
    def of(cls, keys: Keys) -> KeyStore:
        """Take keys in any of the forms that the front door accepts; None is a store without keys.

        Raises:
            InvalidKey: an id or a key of the mapping cannot be used.
        """
        if isinstance(keys, KeyStore):
            return keys
        if keys is None:
            return cls()
        if isinstance(keys, Key):
            return cls((keys,))
        return cls(Key(key_id, key) for key_id, key in keys.items())

    @classmethod
    def from_file(cls, path: str | os.PathLike[str], *, environ: Mapping[str, str] | None = None) -> KeyStore:
        """Read a key file (TOML).

        Args:
            path: the file.
            environ: where the names given by ``env`` are looked up; the environment of the process when None.

        Raises:
            InvalidKey: the file cannot be read, or an entry cannot be used. The text names the file and the number of
                the entry, the first being 1, and quotes nothing of the file.
        """
        import tomllib  # noqa: PLC0415 - only when there is a file to read

        path = Path(path)
        try:
            content = tomllib.loads(read_text(path))
        except OSError as error:
            raise InvalidKey(f"{path}: cannot be read: {error.strerror}") from None
        except (ValueError, RecursionError) as error:
            # Of the parser's words only the position is kept: they may quote the line.
            place = re.search(r"at line \d+, column \d+|at end of document", str(error))
            raise InvalidKey(f"{path}: not TOML{f' ({place[0]})' if place else ''}") from None
        return cls._from_toml(content, str(path), os.environ if environ is None else environ)

    @classmethod
    def _from_toml(cls, content: dict[str, Any], path: str, environ: Mapping[str, str]) -> KeyStore:
        if content.keys() - {"base_oid", "key"}:
            raise InvalidKey(f"{path}: a name other than base_oid and [[key]]")
        base, entries = content.get("base_oid", DEFAULT_BASE), content.get("key", [])
        if not isinstance(base, (str, ApTitle)):
            raise InvalidKey(f"{path}: {_BASE_NEEDED}")
        if not isinstance(entries, list):
            raise InvalidKey(f"{path}: key: an array of tables is needed, [[key]]")
        try:
            store = cls(base_oid=base)
        except InvalidKey as error:
            raise InvalidKey(f"{path}: {error}") from None
        for number, entry in enumerate(entries, 1):
            try:
                store.add(_key_from_entry(entry, environ))
            except InvalidKey as error:
                raise InvalidKey(f"{path}: key entry {number}: {error}") from None
        return store

    @property
    def base_oid(self) -> ApTitle:
        """What makes relative titles absolute."""
        return self._base

    def add(self, key: Key) -> None:
        """Add a key.

        Raises:
            InvalidKey: there is a key with this id and title already.
        """
        if key.ap_title is None:
            if key.id in self._any_node:
                raise InvalidKey(f"there is a key with id {key.id} for any node already")
            self._any_node[key.id] = key
        else:
            place = (key.id, key.ap_title.absolute(self._base).content)
            if place in self._of_node:
                raise InvalidKey(f"there is a key with id {key.id} for {key.ap_title} already")
            self._of_node[place] = key

    def find(self, called: ApTitle | None, calling: ApTitle | None, key_id: int) -> tuple[Key, ...]:
        """Find the keys that may serve a message, the likeliest first.

        Args:
            called: title the message is for, if it has one.
            calling: title it is from, if it has one.
            key_id: 0..255.

        Returns:
            The key of the called node, of the calling node, and of any node, as far as there are such.
        """
        base = self._base
        return self.find_absolute(
            called and called.absolute_content(base), calling and calling.absolute_content(base), key_id
        )

    def find_absolute(self, called: bytes | None, calling: bytes | None, key_id: int) -> tuple[Key, ...]:
        """Find as `find` does, by the content octets of absolute titles."""
        of_node, shared = self._of_node, self._any_node.get(key_id)
        if not of_node:
            return () if shared is None else (shared,)
        nodes = (called,) if called == calling else (called, calling)
        candidates = [of_node.get((key_id, node)) for node in nodes if node is not None]
        return tuple([key for key in (*candidates, shared) if key is not None])

    def others(self, called: bytes | None, calling: bytes | None) -> Iterator[Key]:
        """Yield every key once, those of two nodes first, then those of any node: where a diagnosis looks.

        Args:
            called: content octets of an absolute title, or None.
            calling: likewise.
        """
        near = [self._of_node.get((key_id, node)) for node in (called, calling) if node for key_id in range(0x100)]
        yield from dict.fromkeys(key for key in (*near, *self._any_node.values(), *self._of_node.values()) if key)

    def get(self, called: ApTitle | None, calling: ApTitle | None, key_id: int) -> Key:
        """Return the first key that `find` finds.

        Raises:
            UnknownKey: there is none.
        """
        key = self.find(called, calling, key_id)
        if not key:
            raise UnknownKey(f"no key with id {key_id} for messages from {calling or 'nobody'} to {called or 'nobody'}")
        return key[0]

    def __iter__(self) -> Iterator[Key]:
        yield from self._of_node.values()
        yield from self._any_node.values()

    def __len__(self) -> int:
        return len(self._of_node) + len(self._any_node)

    def __repr__(self) -> str:
        return f"<KeyStore of {len(self)} keys>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a KeyStore holds keys and is neither copied nor pickled")


_BASE_NEEDED = "base_oid: an absolute object identifier is needed, decimal arcs separated by dots"


def _key_from_entry(entry: object, environ: Mapping[str, str]) -> Key:
    """Read one [[key]] of a key file. Its errors quote nothing of it: a key may stand where it does not belong."""
    if not isinstance(entry, dict):
        raise InvalidKey("a table is needed")
    if entry.keys() - {"id", "hex", "env", "ap_title"}:
        raise InvalidKey("a name other than id, hex, env and ap_title")
    key_id, title = entry.get("id"), entry.get("ap_title")
    if not isinstance(key_id, int) or isinstance(key_id, bool):
        raise InvalidKey("id: a number 0..255 is needed")
    if title is not None and not isinstance(title, str):
        raise InvalidKey("ap_title: text is needed")
    if ("hex" in entry) == ("env" in entry):
        raise InvalidKey("one of hex and env is needed")
    if "hex" in entry:
        what, digits = "hex", entry["hex"]
    else:
        what = "env"
        if not isinstance(entry["env"], str):
            raise InvalidKey("env: the name of a variable is needed")
        digits = environ.get(entry["env"])
        if digits is None:
            raise InvalidKey("env: there is no such variable in the environment")
    if not isinstance(digits, str):
        raise InvalidKey(f"{what}: text is needed")
    try:
        octets = bytes.fromhex(digits)
    except ValueError:
        raise InvalidKey(f"{what}: pairs of hexadecimal digits are needed") from None
    return Key(key_id, octets, title)
