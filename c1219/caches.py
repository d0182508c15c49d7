"""What both packages keep because it would be made the same again: bounded, listed, and dropped together.

What a module keeps for the whole process is kept through `remembered`, for functions, or `kept`, for maps. Besides,
modules hold the registry that devices use by default (`c1219.registry`), which has what programs registered, and the
classes of records in use (`c1219.values`). Everything else is held by objects, and goes with them.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["BoundedDict", "cache_sizes", "drop_caches", "kept", "remembered"]

_K = TypeVar("_K")
_V = TypeVar("_V")
_F = TypeVar("_F", bound="Callable[..., Any]")
_M = TypeVar("_M", bound="BoundedDict[Any, Any]")
_SHARE: Final = 8


class BoundedDict(dict[_K, _V]):
    """A dict that stays within a limit: the oldest eighth makes room for what is new. Set its entries one by one.

    Args:
        limit: entries held at most.
        make: makes what is not there when it is asked for; None for KeyError.

    Attributes:
        limit: as given.
        forgotten: how many entries made room for others.
    """

    __slots__ = ("_make", "forgotten", "limit")

    def __init__(self, limit: int, make: Callable[[_K], _V] | None = None) -> None:
        super().__init__()
        self.limit = limit
        self.forgotten = 0
        self._make = make

    def __setitem__(self, key: _K, value: _V) -> None:
        if len(self) >= self.limit and key not in self:
            oldest = list(islice(self, 1 + self.limit // _SHARE))
            for old in oldest:
                self.pop(old, None)  # another thread may have been faster
            self.forgotten += len(oldest)
        super().__setitem__(key, value)

    def __missing__(self, key: _K) -> _V:
        if self._make is None:
            raise KeyError(key)
        value = self[key] = self._make(key)
        return value

    update = setdefault = None  # type: ignore[assignment]  # they would go past the limit

    def __reduce__(self) -> Any:
        """Copy and pickle it empty: what it holds can be made again."""
        return BoundedDict, (self.limit, self._make)


class _Kept(NamedTuple):
    size: Callable[[], int]
    clear: Callable[[], None]


_KEPT: Final[dict[str, _Kept]] = {}


def remembered(limit: int | None = None) -> Callable[[_F], _F]:
    """Decorate a function that gives the same for the same arguments: its results are kept.

    Args:
        limit: results held at most, those used last; None is for functions without arguments alone.
    """

    def remember(function: _F) -> _F:
        remembering = lru_cache(maxsize=limit)(function)
        name = f"{function.__module__}.{function.__qualname__}"
        _KEPT[name] = _Kept(lambda: remembering.cache_info().currsize, remembering.cache_clear)
        return cast("_F", remembering)

    return remember


def kept(name: str, entries: _M) -> _M:
    """Return a map that a module keeps, listed by its name."""
    _KEPT[name] = _Kept(entries.__len__, entries.clear)
    return entries


def cache_sizes() -> dict[str, int]:
    """Return how many entries each cache holds, by name; caches of modules that are not loaded are not there."""
    return {name: one.size() for name, one in _KEPT.items()}


def drop_caches() -> None:
    """Forget all that is kept: layouts, generated code, titles, texts of services, and what was made of keys.

    What is asked for next is made anew. Objects in use keep what they hold.
    """
    for one in list(_KEPT.values()):
        one.clear()
