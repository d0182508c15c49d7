"""Methods of a meter made from the verbs of its operations: the same signature and docstring, run in another way."""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["described", "given_timeout", "opened"]

_M = TypeVar("_M", bound="Callable[..., Any]")


def described(method: _M, verb: Callable[..., Any]) -> _M:
    """Give a method the name, signature and docstring of a verb; it returns what the verb's generator returns."""
    functools.update_wrapper(method, verb)
    text = str(verb.__annotations__["return"]).removeprefix("Operation[").removesuffix("]")
    _set_signature(method, inspect.signature(verb).replace(return_annotation=text))
    method.__annotations__ = {**verb.__annotations__, "return": text}
    return method


def opened(function: _M, made_from: type, *, first: str, returns: str, method: bool = False) -> _M:
    """Give a function the keyword arguments of a class after its own first one, and their documentation.

    Args:
        function: opens a connection; its docstring is kept and extended.
        made_from: what it makes from the arguments.
        first: what the first argument may be, as an annotation.
        returns: what the function returns, likewise.
        method: whether ``self`` stands before it.
    """
    text, raises, errors = (inspect.getdoc(function) or "").partition("Raises:")
    function.__doc__ = f"{text}{_arguments_of(made_from)}\n\n{raises}{errors}".rstrip()
    signature = inspect.signature(made_from)
    own = [inspect.Parameter("url", inspect.Parameter.POSITIONAL_ONLY, annotation=first)]
    if method:
        own.insert(0, inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY))
    keywords = [one for one in signature.parameters.values() if one.kind is one.KEYWORD_ONLY]
    _set_signature(function, signature.replace(parameters=[*own, *keywords], return_annotation=returns))
    return function


def given_timeout(arguments: Mapping[str, object]) -> float | None:
    """Return the time-out among the arguments of a client, seconds; None when it is left out."""
    timeout = arguments.get("timeout")
    return timeout if isinstance(timeout, (int, float)) else None


def _arguments_of(made_from: type) -> str:
    """Return what the docstring of a class says of its arguments."""
    _, _, rest = (inspect.getdoc(made_from) or "").partition("Args:")
    lines = [line for line in rest.partition("\nAttributes:")[0].splitlines() if not line.startswith("    link:")]
    start = next((i for i, line in enumerate(lines) if line.startswith("    called:")), 0)
    return "\n".join(["Args:", *lines[start:]]).rstrip()


def _set_signature(function: Any, signature: inspect.Signature) -> None:
    function.__signature__ = signature
