"""How much memory sessions take: a node of 1,000 meters, before and after a session with each of them is opened.

    python tests/bench/node_sessions.py [METERS]

The node is a process of its own; what counts is the growth of its resident memory. Every meter is asked once before, so
that what a meter makes on first use does not count as the session's.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from c1222.node.meter.profile import Profile
from c1222.protocol.events import Completed
from c1222.protocol.identity import Identity
from c1222.protocol.initiator.initiator import Initiator
from c1222.services import Request, session
from c1222.services.identify import IdentifyRequest
from c1222.transport.udp import UdpClient

KEY = bytes(range(16))
PROFILE = Path(__file__).parents[2] / "specs" / "devices" / "polyphase-tou.json"


def resident(pid: int) -> float:
    """Resident memory of a process, MB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise ProcessLookupError(pid)


def ask_all(endpoint: UdpClient, initiators: list[Initiator], *services: Request) -> float:
    """Ask all meters, one after the other; return the seconds it took."""
    start = time.perf_counter()
    for initiator in initiators:
        initiator.request(*services, now=time.monotonic(), utc=time.time())
        for apdu in initiator.apdus_to_send():
            endpoint.send(apdu)
        octets = endpoint.receive(10.0)
        assert octets is not None, "no answer"
        initiator.receive(octets, now=time.monotonic(), utc=time.time())
        (event,) = [event for event in initiator.events() if isinstance(event, Completed)]
        assert not any(response.code for response in event.responses), event.responses
    return time.perf_counter() - start


def main(meters: int) -> None:
    with tempfile.TemporaryDirectory() as directory:
        keys = Path(directory) / "keys.toml"
        keys.write_text(f'[[key]]\nid = 2\nhex = "{KEY.hex()}"\n')
        arguments = [
            *("node", "--profile", str(PROFILE), "--keys", str(keys), "--store", directory, "--history", "0"),
            *("--listen", "udp://127.0.0.1:0", "--count", str(meters)),
        ]
        code = "from c1222.cli import main; main()"
        node = subprocess.Popen([sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, text=True)
        try:
            assert node.stdout is not None
            port = int(node.stdout.readline().rpartition(":")[2])
            print(f"{meters} meters, nobody asked yet          {resident(node.pid):7.1f} MB")
            profile = Profile.from_file(PROFILE)
            identity = Identity(".9.1", {2: KEY})
            initiators = [Initiator(identity, profile.title_of(n), mode=2, key_id=2) for n in range(meters)]
            with UdpClient("127.0.0.1", port) as endpoint:
                ask_all(endpoint, initiators, IdentifyRequest())
                idle = resident(node.pid)
                print(f"each asked once (idle)                   {idle:7.1f} MB")
                took = ask_all(endpoint, initiators, session.LogonRequest.of(2, "READER", 3600))
                open_ = resident(node.pid)
                print(f"{meters} sessions open                      {open_:7.1f} MB   {took:.2f} s")
                took = ask_all(endpoint, initiators, session.SecurityRequest.of("reader-demo"), IdentifyRequest())
                used = resident(node.pid)
                print(f"each used once                           {used:7.1f} MB   {took:.2f} s")
            print(
                f"added by {meters} idle sessions: {used - idle:.1f} MB ({(used - idle) * 1024 / meters:.1f} KB each)"
            )
        finally:
            node.terminate()
            node.wait()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
