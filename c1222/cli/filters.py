"""The options that say which messages are wanted."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, Final

import click

from c1222.cli.options import fail

if TYPE_CHECKING:
    from collections.abc import Callable

    from c1222.capture.filters import MessageFilter
    from c1222.message.aptitle import ApTitle

__all__ = ["filter_options", "hidden_line", "message_filter"]

_OPTIONS: Final = (
    click.option("--node", metavar="TITLE", help="Only what concerns the node with this ApTitle."),
    click.option(
        "--table", "tables", metavar="TABLE", multiple=True,
        help="Only messages on this table, such as ST23 or MT5; may be repeated.",
    ),
    click.option(
        "--service", "services", metavar="NAME", multiple=True,
        help="Only messages with this service, by name or code, such as read-offset or 0x3F; may be repeated.",
    ),
    click.option("--errors", is_flag=True, help="Only messages with errors, and responses with a code other than ok."),
    click.option("--since", metavar="TIME", help="Only messages from this time on; UTC where it names no zone."),
    click.option("--until", metavar="TIME", help="Only messages before this time."),
    click.option(
        "--verified/--unverified", default=None,
        help="Only messages whose MAC is right; only others, those in cleartext among them.",
    ),
)  # fmt: skip
_NAMES: Final = ("tables", "services", "errors", "since", "until", "verified")


def filter_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that filter messages: ``node``, and in ``filters`` the others that are given."""

    @wraps(function)
    def command(**options: Any) -> Any:
        found = {name: options.pop(name) for name in _NAMES}
        errors = found.pop("errors")
        filters = {name: value for name, value in found.items() if value is not None and value != ()}
        return function(**options, filters=filters | ({"errors": True} if errors else {}))

    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def message_filter(node: str | None, filters: dict[str, Any], base: ApTitle) -> MessageFilter | None:
    """Return what the options ask for, None if all messages are wanted; exit if they cannot be understood.

    Args:
        node: title of a node.
        filters: the other options.
        base: what makes relative titles absolute.
    """
    if node is None and not filters:
        return None
    from c1219.errors import C1219Error
    from c1222.capture.filters import MessageFilter, parse_time
    from c1222.errors import C1222Error

    given = dict(filters)
    try:
        for name in ("since", "until"):
            if name in given:
                given[name] = parse_time(given[name])
        wanted = MessageFilter(node=node, **given, base=base)
    except (C1219Error, C1222Error) as error:
        fail(str(error))
    return wanted or None


def hidden_line(count: int) -> str:
    """Return what is said of messages that the filters hide."""
    return f"hidden by filters: {count} message{'' if count == 1 else 's'}"
