"""Meters by name: where each is, as whom to talk to it, and a connection to it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from c1219.device import Device
from c1219.errors import C1219Error
from c1219.rules.timekeeping import zone_named
from c1222.collect.fields import FIELDS
from c1222.collect.meters_file import MetersFileError, did_you_mean, read_meters
from c1222.collect.secret_sources import SecretSources
from c1222.errors import InvalidKey, StateError, in_words
from c1222.text import read_text
from c1222.transport.lines.line_url import is_line_url

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Iterator, Sequence
    from contextlib import AbstractAsyncContextManager, AbstractContextManager

    from c1222.client.aio_meter import AsyncMeter
    from c1222.client.sync import Meter
    from c1222.collect.meters_file import ListedMeter
    from c1222.security.keys import Key, KeyStore

__all__ = ["ALL", "DEFAULT_FILE", "METERS_VARIABLE", "Meters", "NamedMeter"]

METERS_VARIABLE: Final = "C1222_METERS"
"""Variable of the environment that names the file."""
DEFAULT_FILE: Final = "meters.toml"
"""The file where nobody names one."""
ALL: Final = "all"
"""The group of every meter."""
_OF_MESSAGES: Final = ("called", "calling", "key", "key_id", "mode", "session", "ed_class", "id_bits")
"""What only messages of C12.22 have: at a serial line, what the list says of all meters leaves these out."""
_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


class NamedMeter:
    """One meter of a list. What is said of it goes before what its groups say, and that before the defaults.

    Attributes:
        name: its name.
        url: where it is.
    """

    __slots__ = ("_entry", "_meters", "name", "url")

    def __init__(self, entry: ListedMeter, meters: Meters) -> None:
        self._entry = entry
        self._meters = meters
        self.name = entry.name
        self.url: str = self.said("url")

    def __repr__(self) -> str:
        return f"<NamedMeter {self.name} at {self.url}>"

    def said(self, name: str, default: Any = None) -> Any:
        """Return what the list says of it.

        Args:
            name: one of `c1222.collect.fields.FIELDS`.
            default: where it says nothing.
        """
        own, layers = self._entry.own, self._entry.layers
        if name in own:
            return own[name]
        if name not in {"groups", "url"} and self._meters.groups:
            for group in self.groups:
                if name in (said := self._meters.groups.get(group, _NOTHING)):
                    return said[name]
        return next((layer[name] for layer in layers if name in layer), default)

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups it is in, beside `ALL`."""
        found: tuple[str, ...] = self.said("groups", ())
        return found

    @property
    def labels(self) -> Mapping[str, str]:
        """What else is said of it, as names and texts."""
        found: Mapping[str, str] = self.said("labels", _NOTHING)
        return found

    @property
    def zone(self) -> dt.tzinfo | None:
        """Where it is, if the list says so.

        Raises:
            MetersFileError: there is no such time zone.
        """
        name = self.said("zone")
        if name is None:
            return None
        try:
            return zone_named(name)
        except C1219Error as error:
            raise MetersFileError(f"{self.name}: zone: {error}") from None

    def keys(self) -> KeyStore | Key | None:
        """Return its key, or the keys that hold it; None without one.

        Raises:
            InvalidKey, StateError: they cannot be had, or used.
        """
        sources = self._meters.sources
        source = self.said("key")
        if source is not None:
            return sources.key(source, self.name, self.said("key_id"))
        path = self.said("keys")
        return None if path is None else sources.key_file(path)

    def arguments(self, without: Collection[str] = ()) -> dict[str, Any]:
        """Return the arguments of `c1222.connect` for it, secrets with them.

        Args:
            without: arguments that are not wanted: ``key``, ``password`` and ``device`` are not asked for then.

        Raises:
            InvalidKey, StateError, MetersFileError: a key, password or device file cannot be had, or used.
        """
        if is_line_url(self.url):
            without = (*without, *_OF_MESSAGES)
        found = {name: self.said(name) for name, field in FIELDS.items() if field.is_argument}
        arguments = {name: value for name, value in found.items() if value is not None}
        try:
            if "key" not in without and (keys := self.keys()) is not None:
                arguments["key"] = keys
            if "password" not in without and (password := self.said("password")) is not None:
                arguments["password"] = self._meters.sources.secret(password)
            if "device" not in without and (device := self.said("device")) is not None:
                arguments["device"] = Device.from_json(read_text(self._meters.path.parent / device))
        except (InvalidKey, StateError, MetersFileError) as error:
            raise type(error)(f"{self.name}: {error}") from None
        except (OSError, UnicodeDecodeError, C1219Error) as error:
            raise MetersFileError(f"{self.name}: device: {in_words(error)}") from None
        return {name: value for name, value in arguments.items() if name not in without}

    def connect(self, **options: Any) -> AbstractContextManager[Meter]:
        """Open a connection to it; see `c1222.connect`.

        Args:
            options: arguments of `c1222.connect` that go before what the list says.

        Raises:
            what `arguments` and `c1222.connect` raise.
        """
        from c1222.client.sync import connect  # noqa: PLC0415 - one of the two ways

        return connect(self.url, **self.arguments(without=options), **options)

    def connect_async(self, **options: Any) -> AbstractAsyncContextManager[AsyncMeter]:
        """Open a connection to it for asyncio; see `c1222.aio.connect`.

        Args:
            options: arguments of `c1222.aio.connect` that go before what the list says.

        Raises:
            what `arguments` and `c1222.aio.connect` raise.
        """
        from c1222.client.aio import connect  # noqa: PLC0415 - one of the two ways

        return connect(self.url, **self.arguments(without=options), **options)


class Meters(Mapping[str, NamedMeter]):
    """Meters by name. Make it with `load`.

    Args:
        path: the file, from whose folder on relative names of files count.
        entries: the meters.
        groups: what is said of the meters of each group.
        environ: the environment; that of the process when None.

    Attributes:
        path: the file.
        groups: what is said of the meters of each group.
        sources: gets keys and passwords.
    """

    def __init__(
        self,
        path: Path,
        entries: Sequence[ListedMeter],
        groups: Mapping[str, Mapping[str, Any]],
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self.path = path
        self.groups = groups
        self.sources = SecretSources(path.parent, environ)
        self._entries = {entry.name: entry for entry in entries}

    @classmethod
    def load(cls, path: str | os.PathLike[str] | None = None, *, environ: Mapping[str, str] | None = None) -> Meters:
        """Read a file of meters; ``specs/meters.md`` has its form.

        Args:
            path: the file; when None, what C1222_METERS names, else ``meters.toml``.
            environ: the environment; that of the process when None.

        Raises:
            MetersFileError: it cannot be read, or used. The text names file and line, and says what may be meant.
        """
        if path is None:
            path = (os.environ if environ is None else environ).get(METERS_VARIABLE) or DEFAULT_FILE
        path = Path(path)
        entries, groups = read_meters(path)
        return cls(path, entries, groups, environ)

    def __getitem__(self, name: str) -> NamedMeter:
        entry = self._entries.get(name)
        if entry is None:
            raise KeyError(name)
        return NamedMeter(entry, self)

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __repr__(self) -> str:
        return f"<{len(self)} meters of {self.path}>"

    def named(self, name: str) -> NamedMeter:
        """Return the meter of a name.

        Raises:
            MetersFileError: there is none; the text says which may be meant.
        """
        if name not in self._entries:
            raise MetersFileError(f"{self.path}: there is no meter {name!r}{did_you_mean(name, self._entries)}")
        return self[name]

    def group(self, name: str) -> list[NamedMeter]:
        """Return the meters of a group, in order; ``all`` is every meter, and the name of a meter that one alone.

        Raises:
            MetersFileError: there is no such group; the text says which may be meant.
        """
        found = [meter for meter in self.values() if name == ALL or name in meter.groups]
        if not found and name in self._entries:
            return [self[name]]
        if not found and name != ALL:
            known = {group for meter in self.values() for group in meter.groups}
            raise MetersFileError(f"{self.path}: there is no group {name!r}{did_you_mean(name, [*known, ALL, *self])}")
        return found
