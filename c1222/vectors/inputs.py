"""The parameters of a case, checked as they are asked for, and the answer to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from c1222.errors import EncodeError
from c1222.message.aptitle import DEFAULT_BASE, ApTitle
from c1222.vectors.model import BadCase

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Answer", "Input"]


class Answer(NamedTuple):
    """What came of a case.

    Attributes:
        output: by name; None if the case was refused.
        intermediate: values on the way, by name.
        refusal: why it was refused, for people.
        at: where the defect is, path and octet offset, if that is known.
    """

    output: dict[str, Any] | None
    intermediate: dict[str, Any] = {}  # noqa: RUF012  nobody writes into it
    refusal: str = ""
    at: tuple[str, int] | None = None


class Input:
    """Parameters by name. Each method raises BadCase where the parameter is missing or of another kind.

    Args:
        values: the parameters as they stand in JSON.
        where: path for errors.
    """

    def __init__(self, values: Mapping[str, Any], where: str = "input") -> None:
        self._values = values
        self._where = where

    def __contains__(self, name: str) -> bool:
        return self._values.get(name) is not None

    def get(self, name: str) -> Any:
        """Return a parameter of any kind.

        Raises:
            BadCase: it is missing.
        """
        if name not in self._values:
            raise BadCase(f"{self._where}.{name} is missing")
        return self._values[name]

    def _typed(self, name: str, kind: type, what: str) -> Any:
        value = self.get(name)
        if type(value) is not kind:
            raise BadCase(f"{self._where}.{name}: {what} is needed, not {type(value).__name__}")
        return value

    def text(self, name: str) -> str:
        """Return a text."""
        value: str = self._typed(name, str, "text")
        return value

    def integer(self, name: str, default: int | None = None) -> int:
        """Return a number, or the default if there is one and the parameter is absent."""
        if default is not None and name not in self:
            return default
        value: int = self._typed(name, int, "a whole number")
        return value

    def between(self, name: str, low: int, high: int, default: int | None = None) -> int:
        """Return a number from low to high, or the default if there is one and the parameter is absent."""
        value = self.integer(name, default)
        if not low <= value <= high:
            raise BadCase(f"{self._where}.{name}: {value} is not in {low}..{high}")
        return value

    def flag(self, name: str) -> bool:
        """Return true or false, false if the parameter is absent."""
        return bool(name in self and self._typed(name, bool, "true or false"))

    def octets(self, name: str) -> bytes:
        """Return octets, which stand in JSON as hexadecimal digits."""
        return self._octets(self.get(name), name)

    def octets_list(self, name: str) -> list[bytes]:
        """Return a list of octets."""
        values: list[Any] = self._typed(name, list, "a list of octets")
        return [self._octets(value, f"{name}[{number}]") for number, value in enumerate(values)]

    def _octets(self, value: Any, name: str) -> bytes:
        try:
            return bytes.fromhex(value)
        except (TypeError, ValueError):
            raise BadCase(f"{self._where}.{name}: octets in hexadecimal digits are needed") from None

    def below(self, name: str) -> Input:
        """Return a parameter that has parameters itself."""
        return Input(self._typed(name, dict, "an object"), f"{self._where}.{name}")

    def objects(self, name: str) -> list[Input]:
        """Return a list of parameters that have parameters themselves."""
        values: list[Any] = self._typed(name, list, "a list of objects")
        wrong = [value for value in values if type(value) is not dict]
        if wrong:
            raise BadCase(f"{self._where}.{name}: an object is needed, not {type(wrong[0]).__name__}")
        return [Input(value, f"{self._where}.{name}[{number}]") for number, value in enumerate(values)]

    def items(self) -> list[tuple[str, Any]]:
        """Return names and values as they stand in JSON, in their order."""
        return list(self._values.items())

    def title(self, name: str) -> ApTitle:
        """Return an ApTitle."""
        try:
            return ApTitle(self.text(name))
        except EncodeError as error:
            raise BadCase(f"{self._where}.{name}: {error}") from None

    def base(self) -> ApTitle:
        """Return what makes relative titles absolute: the parameter ``base``, or the default."""
        base = self.title("base") if "base" in self else DEFAULT_BASE
        if base.is_relative:
            raise BadCase(f"{self._where}.base: an absolute object identifier is needed")
        return base
