"""``c1222 demo``: a simulated meter on loopback, read, written to and listened to."""

from __future__ import annotations

import datetime as dt
import secrets
import shlex
import time
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from c1222.cli.amounts import KILO, aligned, amount, unit_option
from c1222.cli.columns import columns
from c1222.cli.options import FOUND, fail, sample_folder
from c1222.cli.outputs import free_names, private_files
from c1222.cli.printing import say
from c1222.cli.reading_text import reading_lines
from c1222.cli.view_text import kind_text

if TYPE_CHECKING:
    from c1219.views.load_profile import LoadProfile
    from c1222.capture.files.writer import PcapWriter
    from c1222.client.sync import Endpoint

__all__ = ["command"]

_PROFILE: Final = "polyphase-tou.json"
_PASSWORD: Final = "master-demo"  # noqa: S105 - of the profile's made-up user
_STEM: Final = "c1222-demo"
_BARS: Final = " ▁▂▃▄▅▆▇█"
_HOURS: Final = 24


class _Recording:
    """An endpoint that also writes what passes to a capture file."""

    def __init__(self, endpoint: Endpoint, file: PcapWriter, own: str, peer: str) -> None:
        self._endpoint = endpoint
        self._file = file
        self._own = own
        self._peer = peer

    @property
    def reliable(self) -> bool:
        return self._endpoint.reliable

    @property
    def max_size(self) -> int:
        return self._endpoint.max_size

    def send(self, apdu: bytes, /) -> None:
        self._endpoint.send(apdu)
        self._note(self._own, self._peer, apdu)

    def receive(self, timeout: float | None, /) -> bytes | None:
        apdu = self._endpoint.receive(timeout)
        if apdu is not None:
            self._note(self._peer, self._own, apdu)
        return apdu

    def close(self) -> None:
        self._endpoint.close()

    def _note(self, source: str, destination: str, apdu: bytes) -> None:
        from c1222.capture.files.writer import udp_packet

        self._file.write(time.time_ns(), udp_packet(source, destination, apdu))


@click.command("demo", short_help="talk to a simulated meter on this machine, and decode what was said")
@click.option(
    "--pcap",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help=f"Where the traffic is written, a new file; {_STEM}.pcap, numbered where that is taken, if not given.",
)
@click.option("--messages", default=4, show_default=True, type=click.IntRange(0), help="Decoded messages to print.")
@unit_option
def command(pcap: str | None, messages: int, unit: str) -> None:
    """Start a simulated meter on a loopback port and run a secured session with it over UDP.

    Reads who the meter is, its registers, a day of load profile and its events, writes a table and reads it back;
    writes the traffic to a capture file, the key of the session to a TOML file beside it, and decodes the one with the
    other. Nothing leaves this machine.
    """
    from c1222.capture.files.writer import PcapWriter
    from c1222.node import running
    from c1222.security.keys import Key

    key = Key(2, secrets.token_bytes(16))
    started = time.monotonic()
    names = free_names(_STEM, ".pcap", ".toml") if pcap is None else [Path(pcap), Path(pcap).with_suffix(".toml")]
    capture, key_file = names
    if capture == key_file:
        fail(f"{capture}: .toml is for the key of the capture; name it otherwise")
    traffic, key_text = private_files(capture, key_file)
    with key_text:
        key_text.write(f'[[key]]\nid = {key.id}\nhex = "{key.octets.hex()}"\n'.encode())
    with running(sample_folder("devices") / _PROFILE, keys=key, listen=("udp://127.0.0.1:0",)) as node:
        say(f"A simulated meter, {node.title}, listens at {node.url}; its key was made just now.")
        say()
        with traffic:
            written = _talk(node.host, node.port, node.title, key, PcapWriter(traffic), unit)
    failed = _decode(str(capture), key, messages, unit)
    took = time.monotonic() - started
    say()
    say(f"Done in {took:.1f} s: a session in mode 2 (encrypted, authenticated), {written}.")
    say(f"The capture is {capture}, its key is in {key_file}; only you may read them. To decode all of it:")
    say()
    say(f"  c1222 decode {shlex.quote(str(capture))} --keys {shlex.quote(str(key_file))}")
    say()
    say("Without --keys that shows what an outsider sees; with --registers or --load-profile 1, what the meter read.")
    if failed:
        raise SystemExit(FOUND)


def _talk(host: str, port: int, title: str, key: object, file: PcapWriter, unit: str) -> str:
    from c1222.client.sync import connect
    from c1222.transport.udp import UdpClient

    endpoint = UdpClient(host, port)
    own = "{}:{}".format(*endpoint.local_address)
    recording = _Recording(endpoint, file, own, f"{host}:{port}")
    with connect(
        recording,
        called=title,
        calling=".123.4",
        key=key,  # type: ignore[arg-type]  # a Key, whose room is loaded late
        mode=2,
        session=True,
        user_id=4,
        user="DEMO",
        password=_PASSWORD,
    ) as meter:
        who = meter.identity()
        say("Who is it?", bold=True)
        say(f"  {who.manufacturer} {who.model}, serial {who.serial}, firmware {who.firmware}")
        say()

        say("Registers", bold=True)
        rows = [row for row in meter.registers(23).rows if row.block == "total" and row.unit]
        amounts = [amount(row.value, row.unit, row.raw, unit) for row in rows]
        cells = [
            (value, own, f"{row.quantity}, {kind_text(row.kind, row.extreme)}")
            for row, value, (_, own) in zip(rows, aligned([text for text, _ in amounts]), amounts, strict=True)
        ]
        for line in list(columns(("VALUE", "UNIT", "QUANTITY"), cells, right=(0,)))[1:]:
            say(f"  {line}")

        clock = meter.clock()
        now = clock.time
        if now is None:
            raise click.ClickException("the meter has no time")
        say()
        say(f"The day before {now:%Y-%m-%d %H:%M}, by the hour", bold=True)
        profile = meter.load_profile(1, since=now - dt.timedelta(hours=_HOURS), until=now)
        for line in _chart(profile, unit):
            say(f"  {line}")

        say()
        say("Last events", bold=True)
        for event in meter.events("event").rows[-4:]:
            say(f"  {event.time:%Y-%m-%d %H:%M}  {event.text}")

        name = f"DEMO {secrets.token_hex(4).upper()}"
        meter.write("ST6.OWNER_NAME", name)
        back = meter.read("ST6.OWNER_NAME")
        say()
        say("A write", bold=True)
        say(f"  ST6.OWNER_NAME = {name!r}; read back: {back!r}")
        if back != name:
            raise SystemExit(FOUND)
        return "a write that was verified"


def _chart(profile: LoadProfile, unit: str) -> list[str]:
    """Return one line for each channel: a bar for each hour, and the sum, or what values there were."""
    from c1219.views.profile_totals import totals

    lines = []
    for total in totals(profile):
        hours: dict[dt.datetime, list[Decimal]] = {}
        for row in profile:
            if row.channel == total.channel.number and row.start is not None and row.value is not None:
                hours.setdefault(row.start.replace(minute=0), []).append(row.value)
        heights = [sum(own, Decimal(0)) / (1 if total.sum is not None else len(own)) for own in hours.values()]
        top = max(*heights, Decimal(1))
        bars = "".join(_BARS[round(max(height, Decimal(0)) / top * (len(_BARS) - 1))] for height in heights)
        source = total.channel.source
        wanted = KILO if unit == KILO else "base"  # of sums and means there is nothing that the meter stores
        levels = (round(total.mean, 2), total.minimum, total.maximum)
        numbers = [
            amount(value, source.unit, None, wanted) for value in (levels if total.sum is None else (total.sum,))
        ]
        value, *limits = [text for text, _ in numbers]
        between = f" ({' to '.join(limits)})" if limits else ""
        lines.append(f"{bars}  {value}{between} {numbers[0][1] or ''} {source.quantity}")
    return lines


def _decode(pcap: str, key: object, shown: int, unit: str) -> bool:
    from c1222.capture.decoder import decode_capture
    from c1222.capture.tables.reader import TableReader
    from c1222.capture.text import message_lines, summary
    from c1222.cli.options import has_error

    say()
    say("The same, as a listener with the key sees it", bold=True)
    decoder = decode_capture(pcap, keys=key, by_content=True)  # type: ignore[arg-type]  # a Key
    reader = TableReader()
    failed = False
    for number, message in enumerate(decoder):
        tables = reader.read(message)
        if number < shown:
            for line in message_lines(message, tables=tables, readings=partial(reading_lines, unit=unit)):
                say(f"  {line}")
        failed |= has_error(message.findings)
    decoder.close()
    counters = decoder.counters
    say(f"  {'... ' if counters.messages > shown else ''}{summary(counters)}; {Path(pcap).stat().st_size} octets")
    return failed or counters.verified != counters.messages
