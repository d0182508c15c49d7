"""A specimen at one end of a wire in memory, a probe at the other."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from c1222.conformance.catalogue import chosen
from c1222.conformance.misbehaviours.misbehaviour import Misbehaviour
from c1222.conformance.misbehaviours.specimen import Specimen
from c1222.conformance.probe import Probe
from c1222.conformance.run import Report, Result, run
from c1222.conformance.target import Target
from c1222.message.aptitle import ApTitle
from c1222.message.epsem import SecurityMode
from c1222.node.meter.profile import Profile
from c1222.protocol.policy import TCP_LINK, UDP_LINK
from c1222.security.keys import Key, KeyStore
from c1222.transport.memory import Mishaps, Wire

KEY = Key(2, bytes.fromhex("01020304050607080102030405060708"))
DEVICES = Path(__file__).parents[3] / "specs" / "devices"
PASSWORDS: dict[str, str | bytes] = {
    "single-phase": "master-demo",
    "polyphase-tou": "master-demo",
    "big-endian": "maître-démo".encode(),
}
UTC = 1_795_320_000.0  # 2026-11-22, when the profiles stand


@cache
def profile(name: str) -> Profile:
    return Profile.from_file(DEVICES / f"{name}.json")


class Bench:
    """A node, a wire, and a probe.

    Args:
        name: of the profile.
        mode: security of requests; the node has keys unless it is 0.
        wrong: what the node does wrong.
        reliable: a wire like TCP.
        settings: of the target.
    """

    def __init__(
        self,
        name: str = "polyphase-tou",
        *,
        mode: int = 2,
        wrong: Misbehaviour | None = None,
        reliable: bool = False,
        **settings: Any,
    ) -> None:
        steady = Mishaps(delay=(0.005, 0.005))  # nothing overtakes anything
        self.wire = Wire(mishaps=steady, utc=UTC, reliable=reliable, max_size=32767 if reliable else 1400)
        keys = KeyStore([KEY]) if mode else KeyStore()
        self.node = Specimen(profile(name), keys=keys, misbehaviour=wrong, utc=self.wire.utc)
        self.link = TCP_LINK if reliable else UDP_LINK
        self.heard: list[bytes] = []
        self.ends = 0
        self.wire.attach("node", self._receive)
        given: dict[str, Any] = {
            "called": self.node.title,
            "calling": ApTitle(".123.4"),
            "keys": keys,
            "key_id": KEY.id if mode else None,
            "mode": SecurityMode(mode),
            "password": PASSWORDS[name],
            "user_id": 4,
            "writes": True,
        }
        self.probe = Probe(Target(**(given | settings)), self._connect, self.wire)

    def move_to(self, wire: Wire) -> None:
        """Put both ends on another wire."""
        self.wire = self.probe.clock = wire
        wire.attach("node", self._receive)

    def _connect(self) -> Any:
        self.ends += 1
        return self.wire.endpoint(f"probe {self.ends}", "node")

    def _receive(self, apdu: bytes, source: Any) -> None:
        wire = self.wire
        self.heard.append(apdu)
        self.node.receive(apdu, source=source, now=wire.now, utc=wire.utc, link=self.link)
        for delivery in self.node.apdus_to_send():
            wire.call_at(wire.now + delivery.delay, lambda d=delivery: wire.send(d.apdu, source="node", to=d.source))

    def run(self, *only: str) -> Report:
        return run(self.probe, chosen(only))


def by_id(report: Report) -> dict[str, Result]:
    return {result.check.id: result for result in report.results}


def told(result: Result) -> str:
    """What to show when a test fails."""
    return f"{result.check.id} {result.verdict}: {result.reason} {[remark.text for remark in result.remarks]}"
