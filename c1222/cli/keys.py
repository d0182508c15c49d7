"""``c1222 keys``: which keys a file holds, and the table of them that Wireshark reads."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from c1222.cli.options import fail, key_store
from c1222.cli.printing import say, say_lines

if TYPE_CHECKING:
    from c1222.security.keys import KeyStore

__all__ = ["command"]


@click.command("keys", short_help="list the keys of a key file, or print them as Wireshark reads them")
@click.argument("file", type=click.Path(dir_okay=False))
@click.option(
    "--wireshark",
    is_flag=True,
    help="Print Wireshark's table of C12.22 keys, c1222_decryption_table; needs --show-secrets.",
)
@click.option("--show-secrets", is_flag=True, help="Print the keys themselves.")
def command(file: str, wireshark: bool, show_secrets: bool) -> None:
    """List the keys of FILE, a TOML file of keys: their ids, and the nodes that they belong to.

    With --wireshark --show-secrets it prints the file c1222_decryption_table of Wireshark's configuration folder.
    What Wireshark cannot tell in that table goes to standard error: its settings, and ids that have several keys.
    """
    store = key_store(file)
    if not wireshark:
        for key in store:
            octets = f"  {key.octets.hex()}" if show_secrets else ""
            say(f"{key.id:3}{octets}  {'any node' if key.ap_title is None else key.ap_title}")
        return
    if not show_secrets:
        fail("the table of Wireshark holds the keys: say --show-secrets too")
    say_lines(*_table(store))
    sys.stdout.flush()
    say(f"tshark -o c1222.decrypt:TRUE -o c1222.baseoid:{store.base_oid}", err=True)


def _table(store: KeyStore) -> list[str]:
    """Return the lines of the table, each key once, and say where an id has several: Wireshark knows no nodes."""
    lines: dict[int, dict[str, None]] = {}
    for key in store:
        lines.setdefault(key.id, {})[f'"{key.id}",{key.octets.hex().upper()}'] = None
    for key_id, several in lines.items():
        if len(several) > 1:
            text = f"key id {key_id} has {len(several)} keys of several nodes; Wireshark tries one key an id"
            say(f"warning: {text}", err=True)
    return [line for several in lines.values() for line in several]
