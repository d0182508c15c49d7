"""The asyncio client, at the address that programs import it from; `c1222.client.aio` documents it.

from c1222.aio import connect

async with connect("udp://127.0.0.1:1153", called=".123.8437", calling=".123.4", key=key) as meter:
    await meter.read("ST23.TOT_DATA_BLOCK")
"""

from c1222.client.aio import AsyncMeter, Network, connect

__all__ = ["AsyncMeter", "Network", "connect"]
