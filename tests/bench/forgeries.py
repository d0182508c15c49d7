"""How fast a node checks forgeries, and how fast it drops them unchecked: what SECURITY.md counts with.

python -m tests.bench.forgeries
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from c1222.protocol.composing import encode
from c1222.protocol.message import Message
from c1222.protocol.policy import STRANGER_FAILURES, NodePolicy
from c1222.protocol.responder.throttle import Rate
from c1222.services import tables
from tests.c1222.node.rig import KEY, Rig

if TYPE_CHECKING:
    from collections.abc import Sequence

_TRIES: Final = 20_000
_MAC_TRIES: Final = 2**31


def _requests(rig: Rig, count: int) -> list[bytes]:
    caller = rig.caller(mode=2, key_id=2).initiator
    return [
        encode(
            Message(
                called=caller.called,
                calling=caller.identity.title,
                calling_invocation_id=number,
                services=(tables.ReadRequest(1),),
                security_mode=2,
                key_id=2,
                iv=int(rig.utc).to_bytes(4),
            ),
            keys=rig.keys,
        )
        for number in range(1, count + 1)
    ]


def _per_second(rig: Rig, apdus: Sequence[bytes]) -> float:
    begin = time.process_time()
    for number, apdu in enumerate(apdus):
        rig.fleet.receive(apdu, source=number, now=rig.now, utc=rig.utc, peer=number)
        if number % 64 == 0:
            rig.fleet.apdus_to_send()
    return len(apdus) / (time.process_time() - begin)


def _rig(budget: Rate) -> Rig:
    return Rig(keys={2: KEY}, simulate=False, policy=NodePolicy(stranger_failures=budget))


def main() -> None:
    """Measure and print."""
    rig = _rig(Rate(10**9, 0.0))
    (right,) = _requests(rig, 1)
    forged = [right[:-1] + bytes((right[-1] ^ 1,))] * _TRIES
    checked = _per_second(rig, forged)
    dropped = _per_second(_rig(Rate(1, 0.0)), forged)
    rig = _rig(STRANGER_FAILURES)
    carried_out = _per_second(rig, _requests(rig, _TRIES // 10))
    print(f"forgeries checked in a CPU second:            {checked:8.0f}")
    print(f"forgeries dropped unchecked in a CPU second:  {dropped:8.0f}")
    print(f"right reads answered in a CPU second:         {carried_out:8.0f}")
    print(f"2^31 tries, were all of them checked:         {_MAC_TRIES / checked / 3600:8.1f} hours")
    years = _MAC_TRIES / STRANGER_FAILURES.per_second / 86_400 / 365.25
    print(f"2^31 tries, {STRANGER_FAILURES.per_second:g} a second:                    {years:8.1f} years")


if __name__ == "__main__":
    main()
