"""One command for every habit: ``nox -s quick`` while working, ``nox -s check`` before a change lands.

The sessions run in the environment that nox is in: ``python3 -m venv .venv && .venv/bin/pip install -e '.[dev]'``.
"""

from __future__ import annotations

import sys
from pathlib import Path

import nox

nox.options.default_venv_backend = "none"
nox.options.sessions = ["quick"]

COVERED = {
    "c1219/wire": 98,
    "c1219/rules": 97,
    "c1222/message": 98,
    "c1222/security": 98,
    "c1222/protocol": 97,
}
"""Per cent of lines and branches of a package that the tests in `COVERING` must reach.

It is what they reach, rounded down, less one: generated examples vary."""
COVERING = [*(f"tests/{room}" for room in COVERED), "tests/c1219/views", "tests/c1222/capture"]
"""Tests of the packages, and of those that live by them."""
QUICK = [
    "tests/test_architecture.py",
    "tests/test_exports.py",
    "tests/test_howto.py",
    "tests/test_contributing.py",
    *(f"tests/{room}" for room in COVERED),
]
"""What finds most mistakes soon."""


def _python(session: nox.Session, *arguments: str) -> None:
    session.run(sys.executable, *arguments)


def _pytest(session: nox.Session, *arguments: str) -> None:
    _python(session, "-bb", "-m", "pytest", "-q", *arguments)


@nox.session
def check(session: nox.Session) -> None:
    """Everything that has to hold before a change lands."""
    for name in ("lint", "types", "tests", "coverage"):
        session.notify(name)


@nox.session
def quick(session: nox.Session) -> None:
    """Lint, types and the quick tests, in less than a minute."""
    lint(session)
    _python(session, "-m", "mypy")
    _pytest(session, "-x", "-n", "auto", *QUICK)


@nox.session
def lint(session: nox.Session) -> None:
    """Style and format."""
    _python(session, "-m", "ruff", "check", ".")
    _python(session, "-m", "ruff", "format", "--check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Types of the packages, and of files as users write them."""
    _python(session, "-m", "mypy")
    _pytest(session, "tests/typing")


@nox.session
def tests(session: nox.Session) -> None:
    """All tests, or those that are named: ``nox -s tests -- tests/c1219/wire``."""
    _pytest(session, "-n", "auto", *session.posargs)


@nox.session
def coverage(session: nox.Session) -> None:
    """Whether the tests of the packages that must not err reach all of them, or nearly."""
    _pytest(
        session,
        "-n",
        "auto",
        "--cov-report=",
        *(f"--cov={room}" for room in COVERED),
        *COVERING,
    )
    for room, least in COVERED.items():
        _python(session, "-m", "coverage", "report", "--skip-covered", f"--include={room}/*", f"--fail-under={least}")


@nox.session
def bench(session: nox.Session) -> None:
    """Measure the speed of what is in ``tests/bench``, side by side with what it is compared with."""
    _pytest(session, "--benchmark-enable", "-s", *(session.posargs or ["tests/bench"]))


@nox.session
def docs(session: nox.Session) -> None:
    """Make the pages that are made from the code."""
    for script in sorted(Path("specs").glob("make_*.py")):
        _python(session, str(script))


@nox.session
def fuzz(session: nox.Session) -> None:
    """Try changed inputs at every door: ``nox -s fuzz -- --minutes 60``, or with atheris, ``-- --atheris DOOR``."""
    _python(session, "-m", "tests.fuzz", *session.posargs)
