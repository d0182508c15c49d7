"""``c1222 node``: simulated meters on the network, or a relay for them to register with."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from c1222.cli.connection import PASSWORD_VARIABLE
from c1222.cli.device_files import DEVICE_HELP, declarations_option, declare, read_device
from c1222.cli.options import fail, key_store, keys_option
from c1222.cli.outputs import Output
from c1222.cli.printing import say
from c1222.cli.progress import progress

if TYPE_CHECKING:
    from collections.abc import Sequence

    from c1222.node.meter.meter import SimulatedMeter
    from c1222.node.network.fleet import Fleet
    from c1222.node.network.relay import Relay
    from c1222.node.network.server import NodeServer
    from c1222.node.settings import Settings
    from c1222.protocol.events import ResponderEvent
    from c1222.security.keys import KeyStore
    from c1222.transport.lines.line_url import LineUrl
    from c1222.transport.url import Url

__all__ = ["command"]

_READER: Final = ".123.4"
"""Title that the file of meters has them asked as."""


@click.command("node", short_help="simulate meters on the network, or a relay")
@click.option("--profile", metavar="FILE", help=f"Device the meters are made from: {DEVICE_HELP}")
@click.option(
    "--listen",
    multiple=True,
    metavar="URL",
    default=("udp://127.0.0.1:1153",),
    show_default=True,
    help="Where to listen; may be repeated. udp:// or tcp://, port 0 takes a free one; as an optical port pty:,"
    " c1218+tcp:// or c1221+tcp://, with ?meter=N for another meter than the first.",
)
@keys_option
@declarations_option
@click.option("--title", metavar="TITLE", help="ApTitle of the first meter, or of the relay.")
@click.option("--count", type=click.IntRange(1), default=1, show_default=True, help="Meters, with titles counted up.")
@click.option(
    "--store", metavar="DIR", help="Keep the meters here; without it they forget everything when the process ends."
)
@click.option("--sync", is_flag=True, help="Wait for the disk at every change, so that it survives a power failure.")
@click.option("--allow-cleartext", is_flag=True, help="Accept cleartext requests although there are keys.")
@click.option(
    "--accelerate",
    type=click.FloatRange(0, 1e6, min_open=True),
    default=1.0,
    show_default=True,
    help="How many seconds the meters' clocks advance in a second.",
)
@click.option(
    "--history", type=click.FloatRange(0, 366), metavar="DAYS", help="Days of load to simulate before the start."
)
@click.option("--frozen", is_flag=True, help="Serve the tables as they are; nothing moves.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Seed of the random numbers.")
@click.option("--faults", metavar="FILE", type=click.Path(dir_okay=False), help="Plan of faults, TOML or JSON.")
@click.option("--register", "relay", metavar="URL", help="Register with the relay at this address.")
@click.option("--relay-title", metavar="TITLE", help="Its ApTitle.")
@click.option("--notify", "host", metavar="URL", help="Send entries of the event logs to the host at this address.")
@click.option("--host-title", metavar="TITLE", help="Its ApTitle.")
@click.option("--key-id", type=click.IntRange(0, 255), help="Key for registrations and notices; cleartext without it.")
@click.option(
    "--write-meters",
    "meters_file",
    metavar="FILE",
    type=click.Path(dir_okay=False),
    help=f"Write a file of meters that names them, for c1222 read and collect; the password is in {PASSWORD_VARIABLE}.",
)
@click.option("--as-relay", is_flag=True, help="Be a relay that meters register with, instead of a meter.")
def command(
    profile: str | None,
    listen: tuple[str, ...],
    keys: str | None,
    declarations: tuple[str, ...],
    title: str | None,
    count: int,
    store: str | None,
    sync: bool,
    allow_cleartext: bool,
    accelerate: float,
    history: float | None,
    frozen: bool,
    seed: int,
    faults: str | None,
    relay: str | None,
    relay_title: str | None,
    host: str | None,
    host_title: str | None,
    key_id: int | None,
    meters_file: str | None,
    as_relay: bool,
) -> None:
    """Simulate meters: tables, access rights, procedures, logs, and a load that moves.

    Prints one line for each address it listens on, for pty: that of the device which a client opens, and serves until
    it is interrupted. With keys, only secured requests
    are taken, unless cleartext is allowed. The profile says what the meters are; sample: alone lists those that come
    with the program.
    """
    import asyncio

    from c1222.errors import C1222Error
    from c1222.node.meter.profile import Profile
    from c1222.node.network.faults import FaultPlan
    from c1222.node.settings import Settings

    if host is not None and host_title is None:
        fail("--notify needs --host-title")
    if not as_relay and profile is None:
        fail("a meter needs a --profile")
    if as_relay and meters_file is not None:
        fail("--write-meters is for meters, not for a relay")
    declare(declarations)
    own_keys = key_store(keys)
    list_of_meters = _ListOfMeters(meters_file, keys, own_keys)
    try:
        if as_relay:
            from c1222.node.network.relay import Relay

            served: Relay | Settings = Relay(title or ".1", own_keys)
        else:
            served = Settings(
                profile=Profile(read_device(profile or ""), title=title),
                keys=own_keys,
                count=count,
                store=store,
                sync=sync,
                cleartext=True if allow_cleartext else None,
                rate=accelerate,
                simulate=not frozen,
                history_days=history,
                seed=seed,
                faults=None if faults is None else FaultPlan.from_file(faults),
            )
        uplinks = _Uplinks(relay, relay_title, host, host_title, key_id, seed)
        asyncio.run(_serve(served, listen, uplinks, list_of_meters))
    except C1222Error as error:
        fail(str(error))


class _Uplinks:
    """Where the meters register, and where they send notices."""

    def __init__(
        self,
        relay: str | None,
        relay_title: str | None,
        host: str | None,
        host_title: str | None,
        key_id: int | None,
        seed: int,
    ) -> None:
        self.relay = relay
        self.relay_title = relay_title
        self.host = host
        self.host_title = host_title
        self.key_id = key_id
        self.seed = seed

    async def start(self, server: NodeServer, fleet: Fleet) -> None:
        """Have them register and send notices."""
        from c1222.node.network.uplinks import notify, register

        if self.relay is not None:
            await register(server, fleet, self.relay, self.relay_title, key_id=self.key_id, seed=self.seed)
        if self.host is not None and self.host_title is not None:
            await notify(server, fleet, self.host, self.host_title, key_id=self.key_id)


class _ListOfMeters:
    """The file that names the meters, if one is wanted."""

    def __init__(self, path: str | None, key_file: str | None, keys: KeyStore) -> None:
        self._output = Output(path)
        self._key_file, self._keys = key_file, keys

    def write(self, fleet: Fleet, urls: Sequence[Url | LineUrl]) -> None:
        """Write it: where the node listens first on a network, and the title of each meter."""
        url = next((str(url) for url in urls if url.scheme in {"udp", "tcp"}), None)
        if url is None:
            return
        defaults = [
            f"url = {json.dumps(url)}",
            f'calling = "{_READER}"',
            f'password = {{ env = "{PASSWORD_VARIABLE}" }}',
        ]
        if self._key_file is not None:
            defaults.append(f"keys = {json.dumps(str(Path(self._key_file).resolve()))}")
            defaults.append(f"key_id = {min(key.id for key in self._keys)}")
        digits = len(str(len(fleet)))
        meters = [
            f'[[meter]]\nname = "meter-{number:0{digits}}"\ncalled = "{title}"\n'
            for number, title in enumerate(fleet.stations, 1)
        ]
        self._output.write("\n".join(["[defaults]", *defaults, "", *meters]))


async def _serve(
    served: Relay | Settings, listen: tuple[str, ...], uplinks: _Uplinks, list_of_meters: _ListOfMeters
) -> None:
    import asyncio
    import contextlib
    import signal
    import time

    from c1222.node.network.relay import Relay
    from c1222.node.network.server import NodeServer
    from c1222.node.settings import make_fleet

    if isinstance(served, Relay):
        fleet: Fleet | Relay = served
    else:
        with progress("making meters") as tell:
            fleet = make_fleet(served, utc=time.time(), made=lambda count: tell(count, served.count))
    server = NodeServer(fleet)
    if not isinstance(fleet, Relay):
        fleet.listener = _tell
    try:
        urls = [await server.listen(url) for url in listen]
        if not isinstance(fleet, Relay):
            list_of_meters.write(fleet, urls)
        for url in urls:
            say(f"listening on {url}")
        sys.stdout.flush()
        if not isinstance(fleet, Relay):
            await uplinks.start(server, fleet)
    except BaseException:
        await server.close()
        raise
    say(f"c1222: {_who(fleet)}; interrupt to end", err=True)
    loop = asyncio.get_running_loop()
    with contextlib.suppress(NotImplementedError):  # Windows: an interrupt is an exception there
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, server.stop)
    await server.serve()
    counted = ", ".join(f"{name} {count}" for name, count in sorted((fleet.counters + server.counters).items()))
    say(f"c1222: {counted or 'nothing came in'}", err=True)


def _tell(event: ResponderEvent, meter: SimulatedMeter) -> None:
    from c1222.protocol.events import BudgetUsedUp, VectorsAhead

    if isinstance(event, VectorsAhead):
        say(
            f"c1222: {meter.title}: the vectors under key {event.key_id} are {event.lead} s ahead of the clock;"
            " peers may not take them. A key with another id helps, see SECURITY.md",
            err=True,
        )
    if isinstance(event, BudgetUsedUp):
        whose = "one known address" if event.known else "all unknown addresses together"
        say(f"c1222: {meter.title}: too many failures ({event.what}); {whose} must wait for each further try", err=True)


def _who(fleet: Fleet | Relay) -> str:
    from c1222.node.network.relay import Relay

    if isinstance(fleet, Relay):
        return f"relay {fleet.title}"
    titles = list(fleet.stations)
    if len(titles) == 1:
        return f"meter {titles[0]}"
    return f"{len(titles)} meters, {titles[0]} to {titles[-1]}"
