"""Every operation a case can ask for, answered by this library; and the same as a program on two pipes.

``c1222 vectors respond`` serves the line protocol of specs/vectors/README.md: one JSON object a line comes in, one goes
out. It is also the example to write another one from.
"""

from __future__ import annotations

import json
from typing import IO, TYPE_CHECKING, Any, Final

from c1219.errors import C1219Error
from c1219.errors import DecodeError as C1219DecodeError
from c1222.errors import C1222Error, DecodeError
from c1222.vectors import meters, octets, secured, serial_line
from c1222.vectors.inputs import Answer, Input
from c1222.vectors.model import BadCase

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["OPERATIONS", "answer", "answer_line", "serve"]

OPERATIONS: Final[Mapping[str, Callable[[Input], Answer]]] = {
    **secured.OPERATIONS,
    **octets.OPERATIONS,
    **meters.OPERATIONS,
    **serial_line.OPERATIONS,
}
"""What a case can ask for, by name."""


def answer(operation: str, parameters: Mapping[str, Any]) -> Answer:
    """Answer a case.

    Args:
        operation: one of `OPERATIONS`.
        parameters: its input, what its group shares included.

    Returns:
        The output, or a refusal: whatever error the library has for this input.

    Raises:
        BadCase: there is no such operation, or the input is not what it takes.
    """
    if operation not in OPERATIONS:
        raise BadCase(f"{operation!r:.60} is no operation")
    try:
        return OPERATIONS[operation](Input(parameters))
    except BadCase:
        raise
    except (DecodeError, C1219DecodeError) as error:
        return Answer(None, refusal=str(error), at=(error.path, error.offset))
    except (C1222Error, C1219Error) as error:
        return Answer(None, refusal=str(error) or type(error).__name__)


def answer_line(line: bytes) -> dict[str, Any]:
    """Answer one line of the protocol.

    Returns:
        An object with the id of the case and either ``output`` (and ``intermediate``), ``refused``, ``unsupported``,
        or ``error`` where the line itself is not understood.
    """
    try:
        case = json.loads(line)
        identifier, operation, parameters = case["id"], case["operation"], case["input"]
    except (ValueError, RecursionError, KeyError, TypeError):
        return {"id": None, "error": "a JSON object with id, operation and input is needed"}
    if operation not in OPERATIONS:
        return {"id": identifier, "unsupported": f"{operation!r:.60}"}
    if not isinstance(parameters, dict):
        return {"id": identifier, "error": "the input is an object"}
    try:
        found = answer(operation, parameters)
    except BadCase as error:
        return {"id": identifier, "error": str(error)}
    if found.output is None:
        return {"id": identifier, "refused": found.refusal}
    return {"id": identifier, "output": found.output, "intermediate": found.intermediate}


def serve(source: IO[bytes], target: IO[bytes]) -> None:
    """Answer line after line until there are no more."""
    for line in source:
        target.write(json.dumps(answer_line(line)).encode("ascii") + b"\n")
        target.flush()
