"""``[match]``: the devices that a table file is for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final

from c1219.errors import DeclarationError

if TYPE_CHECKING:
    from c1219.registry import Identity

__all__ = ["MATCH_KEYS", "Match"]

MATCH_KEYS: Final = ("manufacturer", "models", "firmware", "device_class")
_BOUND: Final = re.compile(r"(<=|>=|==|!=|<|>)\s*(\d{1,3})(?:\.(\d{1,3}))?")


@dataclass(frozen=True, slots=True)
class Match:
    """What has to hold for a device; what is not said holds.

    Attributes:
        manufacturer: ST1.MANUFACTURER without trailing blanks.
        models: shell patterns, of which ST1.ED_MODEL fits one.
        firmware: conditions such as (">=", 2, 0) on the pair (FW_VERSION_NUMBER, FW_REVISION_NUMBER) of ST1.
    """

    manufacturer: str | None = None
    models: tuple[str, ...] = ()
    firmware: tuple[tuple[str, int, int | None], ...] = ()

    @classmethod
    def of(cls, said: dict[str, Any]) -> Match | None:
        """Return what a ``[match]`` says, but for ``device_class``; None if it says nothing else.

        Raises:
            DeclarationError: it is not understood; the message begins with the key.
        """
        manufacturer, models, firmware = (said.get(key) for key in ("manufacturer", "models", "firmware"))
        if not isinstance(manufacturer, str | None):
            raise DeclarationError("manufacturer: is text")
        if models is not None and not (isinstance(models, list) and all(isinstance(model, str) for model in models)):
            raise DeclarationError("models: is a list of patterns")
        match = cls(manufacturer, tuple(models or ()), tuple(_bounds(firmware)) if firmware is not None else ())
        return None if match == cls() else match

    def __call__(self, identity: Identity | None) -> bool:
        """Tell whether a device fits; one whose identity is not known fits nothing."""
        if identity is None:
            return False
        return (
            self.manufacturer in (None, identity.manufacturer)
            and (not self.models or any(fnmatchcase(identity.model, model) for model in self.models))
            and all(_holds(identity.firmware, *bound) for bound in self.firmware)
        )


def _bounds(words: Any) -> list[tuple[str, int, int | None]]:
    bounds = []
    for part in words.split(",") if isinstance(words, str) else [""]:
        found = _BOUND.fullmatch(part.strip())
        if found is None:
            raise DeclarationError(f'firmware: {words!r} is no condition such as ">=2.0, <4"')
        sign, version, revision = found.groups()
        bounds.append((sign, int(version), None if revision is None else int(revision)))
    return bounds


def _holds(firmware: tuple[int, int], sign: str, version: int, revision: int | None) -> bool:
    """Compare; without a revision, == and != look at the version alone, and the others take it for 0."""
    if sign in ("==", "!="):
        equal = firmware[0] == version and revision in (None, firmware[1])
        return equal is (sign == "==")
    wanted = (version, revision or 0)
    if sign[0] == "<":
        return firmware < wanted or (sign == "<=" and firmware == wanted)
    return firmware > wanted or (sign == ">=" and firmware == wanted)
