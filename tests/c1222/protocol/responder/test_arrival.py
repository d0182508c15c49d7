"""What arrives is one value: made once, at the door, and the same for all that take it."""

from c1222.protocol.policy import TCP_LINK, UDP_LINK
from c1222.protocol.responder.arrival import Arrival, Receiver


class Taker(Receiver):
    def __init__(self) -> None:
        self.taken: list[Arrival] = []

    def take(self, arrival: Arrival) -> bool:
        self.taken.append(arrival)
        return arrival.link.reliable


def test_the_failures_of_a_source_count_for_itself_unless_a_peer_is_given() -> None:
    taker = Taker()
    assert not taker.receive(b"\x60\x00", source=("192.0.2.1", 1153), now=1.0, utc=2.0)
    assert taker.receive(b"", source=7, peer="192.0.2.1", now=3.0, utc=4.0, link=TCP_LINK)
    assert taker.taken == [
        Arrival(b"\x60\x00", ("192.0.2.1", 1153), ("192.0.2.1", 1153), UDP_LINK, 1.0, 2.0),
        Arrival(b"", 7, "192.0.2.1", TCP_LINK, 3.0, 4.0),
    ]
