"""CPU time of `c1222.decode` with the services of one message, beside that of a message in `decode_capture`, in turn.

    python -m tests.bench.one_message [--count N] [--rounds N]

The messages are those of ``tests.traffic.exchange``, half of them encrypted; both sides have the same store of keys.
"""

from __future__ import annotations

import argparse
import io
import statistics
import time

import c1222
from c1222.capture.decoder import decode_capture
from tests.bench.make_capture import make
from tests.traffic import KEY, exchange


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=4000)
    parser.add_argument("--rounds", type=int, default=9)
    given = parser.parse_args()
    file = io.BytesIO()
    make(file, given.count, content=exchange)
    octets, keys = file.getvalue(), c1222.security.KeyStore.of(KEY)
    apdus = [message.octets for message in decode_capture(io.BytesIO(octets), keys=keys)]
    ratios, ours, whole = [], [], []
    for _ in range(given.rounds):
        started = time.process_time()
        for _message in decode_capture(io.BytesIO(octets), keys=keys):
            pass
        between = time.process_time()
        for apdu in apdus:
            _ = c1222.decode(apdu, keys=keys).services
        ended = time.process_time()
        whole.append(1e6 * (between - started) / len(apdus))
        ours.append(1e6 * (ended - between) / len(apdus))
        ratios.append(ours[-1] / whole[-1])
    print(
        f"decode and services {statistics.median(ours):.1f} us, decode_capture {statistics.median(whole):.1f} us, "
        f"ratio: median {statistics.median(ratios):.2f}, from {min(ratios):.2f} to {max(ratios):.2f}"
    )


if __name__ == "__main__":
    main()
