"""The command line: one command a file, loaded when it is called.

Results go to standard output, everything else to standard error. Exit codes: 0 done; 1 done, with findings of level
error; 2 usage or unreadable input; 3 the peer refused or was silent; 130 interrupted; 141 the reader of a pipe left.
"""

from __future__ import annotations

import importlib
import os
import sys
from typing import TYPE_CHECKING, Any, Final, NoReturn

if TYPE_CHECKING:
    import click

__all__ = ["COMMANDS", "main"]

COMMANDS: Final = {
    "bulk": "make Parquet files of captures and device files: messages, tables, readings",
    "demo": "talk to a simulated meter on this machine and decode the traffic",
    "collect": "poll meters of a list into a store: what is new in each",
    "conformance": "check a node against numbered rules, or simulate one that misbehaves",
    "decode": "print the messages of capture files, verified and decrypted",
    "device": "print what a device's tables hold: registers, load profile, events, clock",
    "gateway": "serve a meter or a device file to COSEM clients, read-only",
    "identify": "ask a meter for its identity and capabilities",
    "keys": "list the keys of a key file, or print them as Wireshark reads them",
    "node": "simulate meters on the network, or a relay",
    "ports": "list the serial ports of this machine",
    "procedure": "run a procedure of a meter",
    "read": "read tables, elements, registers, load profile, events from a meter",
    "report": "make a page of captures, device files or a meter, to look at offline",
    "tables": "list and show the known tables: fields, layouts, offsets",
    "vectors": "make test vectors, and check this or another implementation against them",
    "write": "write a table or an element of a meter",
}
"""Each command with its one line of help; the module of the same name has the rest."""


def main() -> NoReturn:
    """Run the command line and exit."""
    try:
        import click
    except ImportError:
        sys.stderr.write("c1222: the command line needs click and rich; install c1222[cli]\n")
        sys.exit(2)
    from c1222.cli.printing import prepare_streams

    _stand_in_for_closed_streams()
    prepare_streams()
    code: object
    try:
        try:
            code = _group().main(prog_name="c1222", standalone_mode=False) or 0
        except SystemExit as end:
            code = end.code
        sys.stdout.flush()  # here, where a failure can still be reported
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        sys.stderr.write("interrupted\n")
        code = 130
    except BrokenPipeError:
        code = _give_up_output()
    except OSError as error:  # mostly a full disk: commands report failures of the files and sockets that they name
        from c1222.errors import in_words

        _give_up_output()
        sys.stderr.write(f"c1222: {error.filename or 'standard output'}: {in_words(error)}\n")
        code = 2
    sys.exit(code)


def _stand_in_for_closed_streams() -> None:
    """Open what the caller closed (``>&-``), which Python shows as None: nothing comes in, what goes out is lost."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115 - as long as we run


def _give_up_output() -> int:
    """Drop what is buffered, which the interpreter would try to write on its way out; return the exit code for it."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 141


def _group() -> click.Group:
    import click

    import c1222

    class Lazy(click.Group):
        def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
            return list(COMMANDS)

        def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
            if cmd_name not in COMMANDS:
                return None
            command = importlib.import_module(f"c1222.cli.{cmd_name}").command
            if not isinstance(command, click.Command):
                raise TypeError(f"c1222.cli.{cmd_name} has no command")
            return command

        # A reader that left is handled here: click would take the error, and exit with another code.

        def make_context(self, *arguments: Any, **options: Any) -> click.Context:
            try:
                return super().make_context(*arguments, **options)
            except BrokenPipeError:
                sys.exit(_give_up_output())

        def invoke(self, ctx: click.Context) -> object:
            try:
                result: object = super().invoke(ctx)
            except BrokenPipeError:
                sys.exit(_give_up_output())
            return result

        def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
            with formatter.section("Commands"):
                formatter.write_dl(list(COMMANDS.items()))

    @click.group(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
    @click.version_option(c1222.__version__, prog_name="c1222")
    def group() -> None:
        """ANSI C12.22 and C12.19: decode captured traffic, talk to meters, make and check test vectors."""

    return group
