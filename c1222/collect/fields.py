"""What a list of meters may say of a meter: each field, how its value is checked, and how a cell of CSV is read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from c1222.collect.secret_sources import check_source, source_of_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["FIELDS", "SECRETS", "MeterField", "ed_class_octets"]

_URL: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S+")
_TITLE: Final = re.compile(r"\.?[0-9]+(\.[0-9]+)*")
_NAME: Final = re.compile(r"[^\s:/](?:[^:/\n]*[^\s:/])?")
_TRUTHS: Final[Mapping[str, bool]] = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


class MeterField(NamedTuple):
    """One thing that is said of a meter.

    Attributes:
        check: returns the value as it is kept; raises ValueError with what is needed.
        of_text: makes of a cell of CSV what `check` takes.
        is_argument: it is an argument of the same name of `c1222.connect`.
    """

    check: Callable[[Any], Any]
    of_text: Callable[[str], Any] = str
    is_argument: bool = True


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("text is needed")  # noqa: TRY004 - one error for all that is wrong in a file
    return value


def _like(pattern: re.Pattern[str], needed: str) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise ValueError(needed)
        return value

    return check


def _number(low: int, high: int) -> Callable[[Any], int]:
    def check(value: Any) -> int:
        if type(value) is not int or not low <= value <= high:
            raise ValueError(f"a number {low}..{high} is needed")
        return value

    return check


def _positive(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < float("inf"):
        raise ValueError("a number of seconds is needed")
    return float(value)


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("true or false is needed")  # noqa: TRY004 - likewise
    return value


def _bits(value: Any) -> int:
    if value not in {16, 32}:
        raise ValueError("16 or 32 is needed")
    return int(value)


def _names(value: Any) -> tuple[str, ...]:
    if not isinstance(value, (list, tuple)) or not all(isinstance(one, str) and one for one in value):
        raise ValueError("a list of names is needed")
    return tuple(value)


def _labels(value: Any) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(one, str) for one in value.values()):
        raise ValueError("a table of texts is needed")
    return value


def _integer(text: str) -> int | str:
    try:
        return int(text)
    except ValueError:
        return text


def _real(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def ed_class_octets(text: Any) -> bytes:
    """Return a device class: 4 characters, or 8 hexadecimal digits.

    Raises:
        ValueError: it is neither.
    """
    try:
        octets = bytes.fromhex(text) if len(text) == 8 else text.encode("latin-1")
    except (AttributeError, TypeError, ValueError):
        octets = b""
    if len(octets) != 4:
        raise ValueError("4 characters or 8 hexadecimal digits are needed")
    return bytes(octets)


FIELDS: Final[Mapping[str, MeterField]] = {
    "name": MeterField(_like(_NAME, "a name without : and / is needed"), is_argument=False),
    "url": MeterField(_like(_URL, "an address such as udp://host:1153 is needed"), is_argument=False),
    "called": MeterField(_like(_TITLE, "a title is needed: decimal arcs separated by dots")),
    "calling": MeterField(_like(_TITLE, "a title is needed: decimal arcs separated by dots")),
    "keys": MeterField(_text, is_argument=False),
    "key": MeterField(check_source, source_of_text, is_argument=False),
    "key_id": MeterField(_number(0, 255), _integer),
    "mode": MeterField(_number(0, 2), _integer),
    "session": MeterField(_truth, lambda text: _TRUTHS.get(text.lower(), text)),
    "user_id": MeterField(_number(0, 0xFFFF), _integer),
    "user": MeterField(_text),
    "password": MeterField(check_source, source_of_text, is_argument=False),
    "idle": MeterField(_number(0, 0xFFFF), _integer),
    "timeout": MeterField(_positive, _real),
    "attempts": MeterField(_number(1, 1000), _integer),
    "busy_tries": MeterField(_number(0, 1000), _integer),
    "busy_pause": MeterField(_positive, _real),
    "chunk": MeterField(_number(1, 0xFFFF), _integer),
    "ed_class": MeterField(ed_class_octets),
    "id_bits": MeterField(_bits, _integer),
    "zone": MeterField(_text, is_argument=False),
    "device": MeterField(_text, is_argument=False),
    "groups": MeterField(_names, lambda text: text.replace(",", " ").replace(";", " ").split(), is_argument=False),
    "labels": MeterField(_labels, is_argument=False),
}
"""The fields of a meter by name."""

SECRETS: Final = ("key", "password")
"""Fields that are a source of something secret, or the secret itself in a file that only its owner may read."""
