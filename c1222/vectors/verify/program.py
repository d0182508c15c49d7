"""Another implementation at the end of two pipes: one case a line to its standard input, one answer a line back.

Nothing it does stops the work: a program that is silent too long is ended and started again, one that has ended is
started again, and after some of that it is given up.
"""

from __future__ import annotations

import json
import shlex
import subprocess
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any, Final, Self

from c1222.errors import LocalError
from c1222.vectors.inputs import Answer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

__all__ = ["MAX_LINE_OCTETS", "MAX_RESTARTS", "TIME_OUT", "Program", "ProgramFailed", "Unsupported"]

TIME_OUT: Final = 10.0
"""Seconds that a program may take for a case."""
MAX_RESTARTS: Final = 5
"""How often a program that failed is started again."""
MAX_LINE_OCTETS: Final = 64 * 1024 * 1024
"""Octets of the longest line that is read from a program."""


class ProgramFailed(LocalError):
    """The program gave no answer: it ended, was silent, or said something else than the protocol has."""


class Unsupported(LocalError):
    """The program says that it does not have this operation."""


class Program:
    """A program that speaks the line protocol. A context manager, which ends it.

    Args:
        command: the program and its arguments, as a shell would split them; no shell runs it.
        time_out: seconds it may take for a case.
        max_restarts: how often it is started again.

    Attributes:
        restarts: how often it was started again.

    Raises:
        ProgramFailed: it cannot be started.
    """

    def __init__(self, command: str, *, time_out: float = TIME_OUT, max_restarts: int = MAX_RESTARTS) -> None:
        try:
            self._command = shlex.split(command)
        except ValueError as error:
            raise ProgramFailed(f"{command!r:.80}: {error}") from None
        if not self._command:
            raise ProgramFailed("there is no program to run")
        self._time_out = time_out
        self._max_restarts = max_restarts
        self.restarts = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._asked: SimpleQueue[bytes | None] = SimpleQueue()
        self._answers: SimpleQueue[bytes | Exception] = SimpleQueue()
        self._start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    @property
    def gave_up(self) -> bool:
        """Whether it failed so often that it is not asked any more."""
        return self._process is None

    def _start(self) -> None:
        try:
            process = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603  the user's own program
        except (OSError, ValueError) as error:
            raise ProgramFailed(f"{self._command[0]}: {getattr(error, 'strerror', None) or error}") from None
        self._process = process
        # Both pipes are served by a thread of their own: a program that neither reads nor writes must not hold us up.
        self._asked, self._answers = SimpleQueue(), SimpleQueue()
        Thread(target=_converse, args=(process, self._asked, self._answers), daemon=True).start()

    def _end(self) -> int | None:
        process, self._process = self._process, None
        if process is None:
            return None
        self._asked.put(None)
        code = process.poll()
        process.kill()
        process.wait()
        return code

    def close(self) -> None:
        """End the program: it is asked to, by the end of its input, and made to if it does not."""
        process = self._process
        if process is not None:
            self._asked.put(None)
            with suppress(subprocess.TimeoutExpired):
                process.wait(1.0)
        self._end()

    def _failed(self, what: str) -> ProgramFailed:
        code = self._end()
        if code is not None:
            what += f"; it had ended with {code}"
        if self.restarts < self._max_restarts:
            self.restarts += 1
            with suppress(ProgramFailed):
                self._start()
        return ProgramFailed(what)

    def answer(self, identifier: str, operation: str, parameters: Mapping[str, Any]) -> Answer:
        """Ask the program.

        Args:
            identifier: of the case; the answer must have the same.
            operation: what is asked for.
            parameters: the whole input.

        Raises:
            ProgramFailed: it gave no answer; it was started again, if that was not too often.
            Unsupported: it does not have the operation.
        """
        if self._process is None:
            raise ProgramFailed(f"given up after {self.restarts} restarts")
        self._asked.put(json.dumps({"id": identifier, "operation": operation, "input": parameters}).encode() + b"\n")
        try:
            line = self._answers.get(timeout=self._time_out)
        except Empty:
            raise self._failed(f"no answer within {self._time_out:g} s") from None
        if isinstance(line, Exception):
            raise self._failed(f"no answer: {line}")
        return self._understood(line, identifier)

    def _understood(self, line: bytes, identifier: str) -> Answer:
        try:
            answer = json.loads(line)
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, dict):
            raise self._failed(f"its answer is no JSON object: {line[:60]!r}")
        if answer.get("id") != identifier:
            raise self._failed(f"its answer is for {answer.get('id')!r:.60}")
        if "unsupported" in answer:
            raise Unsupported(str(answer["unsupported"])[:200])
        intermediate = answer.get("intermediate")
        if isinstance(answer.get("output"), dict):
            return Answer(answer["output"], intermediate if isinstance(intermediate, dict) else {})
        if "refused" in answer:
            return Answer(None, refusal=str(answer["refused"])[:200])
        if "error" in answer:
            raise ProgramFailed(f"it says: {str(answer['error'])[:200]}")
        raise self._failed("its answer has neither output, refused, unsupported nor error")


def _converse(
    process: subprocess.Popen[bytes], asked: SimpleQueue[bytes | None], answers: SimpleQueue[bytes | Exception]
) -> None:
    """Write the questions and read the answers, until there are no more of either."""
    source, target = process.stdout, process.stdin
    if source is None or target is None:
        return
    try:
        while (question := asked.get()) is not None:
            target.write(question)
            target.flush()
            line = source.readline(MAX_LINE_OCTETS)
            if not line.endswith(b"\n"):
                answers.put(EOFError("its output ended" if len(line) < MAX_LINE_OCTETS else "its line is too long"))
                break
            answers.put(line)
    except (OSError, ValueError) as error:
        answers.put(EOFError(f"it takes no input ({getattr(error, 'strerror', None) or error})"))
    finally:
        with suppress(OSError):
            target.close()
        source.close()
