"""A property that is computed when it is first asked for.

Most of what a message says is never asked for: a listener counts messages, a client reads two of their parts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Lazy"]

_T = TypeVar("_T")


class Lazy(Generic[_T]):
    """A property computed on first access, then an attribute, which may also be set.

    Without the lock of functools.cached_property, which Python 3.11 still takes.

    Args:
        compute: returns the value for an instance; what it raises is raised by the access.
    """

    def __init__(self, compute: Callable[[Any], _T]) -> None:
        self._compute = compute
        self.__doc__ = compute.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> Lazy[_T]: ...
    @overload
    def __get__(self, instance: object, owner: type) -> _T: ...
    def __get__(self, instance: object | None, owner: type) -> Lazy[_T] | _T:
        if instance is None:
            return self
        value = self._compute(instance)
        setattr(instance, self._name, value)
        return value

    if TYPE_CHECKING:  # without it, the attribute of the instance is what is set

        def __set__(self, instance: object, value: _T) -> None: ...
