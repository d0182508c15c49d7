"""``c1222 decode --write-clear``: the capture as one that Wireshark reads without keys."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
from click.core import ParameterSource

from c1222.cli.options import fail, has_error
from c1222.cli.printing import say
from c1222.cli.progress import file_progress

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from c1222.security.keys import KeyStore

__all__ = ["refuse_others", "write_clear_file"]

_TOGETHER: Final = frozenset({"files", "keys", "ports", "only_ports", "show_secrets", "clear"})
"""Parameters of ``c1222 decode`` that have a meaning here."""


def refuse_others() -> None:
    """Exit if the command was given an option that has no meaning here."""
    context = click.get_current_context()
    others = [
        parameter.opts[0]
        for parameter in context.command.params
        if parameter.name not in _TOGETHER
        and context.get_parameter_source(parameter.name or "") is ParameterSource.COMMANDLINE
    ]
    if others:
        fail(f"--write-clear does not go with {', '.join(others)}")


def write_clear_file(
    paths: Sequence[str], out: str, keys: KeyStore, *, ports: Collection[int], by_content: bool, show_secrets: bool
) -> bool:
    """Write a capture in cleartext, and say on standard error what was done; exit if that cannot be.

    Args:
        paths: the files of the capture.
        out: the file to write.
        keys: what messages are verified and decrypted with.
        ports: ports of C12.22, besides its own.
        by_content: also take other ports.
        show_secrets: leave passwords and keys readable.

    Returns:
        Whether something could not be decoded or verified.
    """
    from c1222.capture.cleartext.rewriting import ClearCapture
    from c1222.capture.files.writer import private_file
    from c1222.capture.network.streams import C1222_PORT
    from c1222.capture.text import finding_line, summary
    from c1222.errors import C1222Error, in_words

    if Path(out).exists() and any(Path(path).exists() and Path(out).samefile(path) for path in paths):
        fail(f"{out} is the capture itself, which is not to be lost")
    try:
        with private_file(out) as file:
            capture = ClearCapture(
                list(paths),
                file,
                keys=keys,
                ports={C1222_PORT, *ports},
                by_content=by_content,
                show_secrets=show_secrets,
            )
            try:
                with file_progress(paths, lambda: capture.octets_read) as advance:
                    for _ in capture:
                        advance()
            finally:
                capture.close()
    except (C1222Error, OSError) as error:
        name = getattr(error, "filename", None) or ", ".join(paths)
        fail(str(error) if len(paths) > 1 and isinstance(error, C1222Error) else f"{name}: {in_words(error)}")
    found = capture.findings()
    for finding in found:
        say(finding_line(finding), err=True)
    counters = capture.counters
    say(summary(counters), err=True)
    say(f"{out}: {capture.packets} packets, {capture.rewritten} messages in cleartext that were not", err=True)
    secrets = (
        "passwords and keys are readable in it"
        if show_secrets
        else f"passwords and keys are filled with * (services: {capture.filled}; --show-secrets keeps them)"
    )
    say(f"warning: {out} holds what was encrypted, and proves nothing; {secrets}", err=True)
    return has_error(found) or bool(counters.undecodable or counters.refused or counters.unchecked)
