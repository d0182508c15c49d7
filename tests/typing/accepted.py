"""What a user writes, and every type checker has to accept. It is checked, never run."""

from datetime import datetime
from decimal import Decimal

import c1219
import c1222
from c1222.aio import connect as connect_async
from c1222.node import Profile, Settings, make_fleet, running


def decoded(apdu: bytes, keys: c1222.KeyStore) -> list[str]:
    message: c1222.Message = c1222.decode(apdu, keys=keys)
    again: bytes = c1222.encode(message, keys=keys)
    verdict: bool | None = message.authenticated
    findings: list[str] = [finding.text for finding in message.findings]
    return [*findings, again.hex(), str(verdict), str(message.called)]


def captured(path: str) -> int:
    count = 0
    for message in c1222.decode_capture(path, keys=c1222.KeyStore.from_file("keys.toml")):
        count += len(message.services)
    return count


def met(key: c1222.Key) -> str:
    with c1222.connect("udp://127.0.0.1:1153", called=".123.8437", calling=".123.4", key=key, mode=2) as meter:
        one: c1222.Meter = meter
        one.logon(user_id=2, user="reader", password="…")
        value: object = one.read("ST23.TOT_DATA_BLOCK")
        try:
            one.write("ST6.OWNER_NAME", "north")
        except c1222.WriteUnknown as error:
            return f"{value} {error}"
        identity = one.identity()
        return f"{identity.serial}"


async def met_later(key: c1222.Key) -> list[str]:
    async with connect_async("tcp://127.0.0.1:1153", called=".123.8437", calling=".123.4", key=key) as meter:
        one: c1222.AsyncMeter = meter
        registers = await one.registers()
        return [f"{row.value} {row.unit}" for row in registers.rows]


def looked_at(text: str) -> list[tuple[datetime | None, Decimal | float | int | None]]:
    device: c1219.Device = c1219.Device.from_json(text)
    profile = device.load_profile(1)
    return [(row.end, row.value) for row in profile.rows]


def simulated(key: c1222.Key) -> str:
    profile = Profile.from_file("meter.json")
    fleet = make_fleet(Settings(profile=profile, keys=c1222.KeyStore.of(key)), utc=0.0)
    with running("meter.json", keys=key) as node:
        return f"{fleet} {node.url}"
