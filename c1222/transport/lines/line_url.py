"""Addresses of serial lines: ``serial:///dev/ttyUSB0?baud=9600``, ``c1218+tcp://host:port``, ``pty:``.

Options stand behind a question mark, with & between them. Those of ports are here; those of links and meters are the
client's, and the node's.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import unquote

from c1222.errors import InvalidUrl

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["LINE_SCHEMES", "PORT_OPTIONS", "LineScheme", "LineUrl", "is_line_url", "parse_line_url"]


class LineScheme(NamedTuple):
    """What a scheme stands for.

    Attributes:
        is_remote: whether a host and a port follow, or else a device.
        c1221: whether C12.21 is spoken, or else C12.18.
        can_listen: whether a node can listen there.
        has_rate: whether the rate can be changed.
    """

    is_remote: bool
    c1221: bool = False
    can_listen: bool = False
    has_rate: bool = True


LINE_SCHEMES: Final[Mapping[str, LineScheme]] = {
    "serial": LineScheme(is_remote=False),
    "c1218+tcp": LineScheme(is_remote=True, can_listen=True, has_rate=False),
    "rfc2217": LineScheme(is_remote=True),
    "c1221+tcp": LineScheme(is_remote=True, c1221=True, can_listen=True, has_rate=False),
    "c1221+serial": LineScheme(is_remote=False, c1221=True, has_rate=False),
    "pty": LineScheme(is_remote=False, can_listen=True),
}
"""Scheme of an address of a line, lower case, to what it stands for."""
_CONTROL_LINE: Final = ("on", "off", "leave")
PORT_OPTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "rts": _CONTROL_LINE,
    "dtr": _CONTROL_LINE,
    "dial": (),
    "modem_init": (),
}
"""Name of an option of ports -> its possible values, none for any: two control lines, which give many probes their
power, the number that a modem calls, and what it is told before."""
_REMOTE: Final = re.compile(
    r"(?:\[(?P<six>[0-9A-Fa-f:.]+(?:%[^\]\s/]+)?)\]|(?P<host>[^\s:/\[\]@]+)):(?P<port>[0-9]{1,5})/?", re.ASCII
)


class LineUrl(NamedTuple):
    """Where a line is.

    Attributes:
        scheme: a key of `LINE_SCHEMES`.
        host: name or address of the host; for a local port the name of the device, empty for a new pseudo terminal.
        port: of the host, 0..65535; 0 for a local port, and for any free one where a node listens.
        options: what stands behind the question mark.
    """

    scheme: str
    host: str
    port: int = 0
    options: Mapping[str, str] = {}

    @property
    def kind(self) -> LineScheme:
        """What the scheme stands for."""
        return LINE_SCHEMES[self.scheme]

    def __str__(self) -> str:
        options = "&".join(f"{name}={value}" for name, value in self.options.items())
        return f"{self.scheme}:{'//' * (self.scheme != 'pty')}{self.place}{'?' * bool(options)}{options}"

    @property
    def place(self) -> str:
        """Host and port, or the device."""
        if not self.kind.is_remote:
            return self.host
        return f"{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"


def is_line_url(text: str) -> bool:
    """Return whether a text begins as the address of a line does."""
    return text.partition(":")[0].lower() in LINE_SCHEMES


def parse_line_url(text: str, known: Iterable[str]) -> LineUrl:
    """Read the address of a line.

    Args:
        text: see the module.
        known: options that are possible.

    Raises:
        InvalidUrl: it is no such address.
    """
    scheme, _, rest = text.partition(":")
    scheme = scheme.lower()
    place, _, query = rest.partition("?")
    if scheme not in LINE_SCHEMES or place.startswith("//") == (scheme == "pty"):
        raise InvalidUrl(
            f"{text[:120]!r} is not an address of a line, such as serial:///dev/ttyUSB0 or c1218+tcp://host:4059"
        )
    place, options = place.removeprefix("//"), _options(query, known, text)
    if LINE_SCHEMES[scheme].is_remote:
        found = _REMOTE.fullmatch(place)
        if found is None or int(found["port"]) > 0xFFFF:
            raise InvalidUrl(f"{text[:120]!r}: a host and a port are needed, {scheme}://host:4059")
        return LineUrl(scheme, found["six"] or found["host"], int(found["port"]), options)
    if scheme != "pty" and not place:
        raise InvalidUrl(f"{text[:120]!r}: a device is needed, {scheme}:///dev/ttyUSB0 or {scheme}://COM3")
    return LineUrl(scheme, place, 0, options)


def _options(query: str, known: Iterable[str], text: str) -> Mapping[str, str]:
    options: dict[str, str] = {}
    for part in filter(None, query.split("&")):
        name, is_given, value = part.partition("=")
        if name not in known or not is_given or name in options:
            words = ", ".join(sorted(known))
            raise InvalidUrl(f"{text[:120]!r}: {part[:40]!r} is none of the options name=value there are: {words}")
        options[name] = value = unquote(value)
        possible = PORT_OPTIONS.get(name)
        if possible and value not in possible:
            raise InvalidUrl(f"{name}={value[:40]}: one of {', '.join(possible)}")
    return options
