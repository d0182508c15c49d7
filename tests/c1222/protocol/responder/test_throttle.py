from c1222.protocol.responder.throttle import Origin, Rate, Throttle


def of(peer: object, way: object = "datagram") -> Origin:
    return Origin(way, peer)


def test_strangers_share_so_many_failures_and_then_so_many_a_second() -> None:
    throttle = Throttle(strangers=Rate(3, 0.5), known=Rate(9, 9.0), max_known=10)
    for number in range(3):
        assert not throttle.is_blocked(of("x"), 0.0)
        assert throttle.failed(of(number), 0.0) == (number == 2)
    assert throttle.is_blocked(of("x"), 0.0)
    assert throttle.is_blocked(of("x"), 1.9)
    assert not throttle.is_blocked(of("x", "stream"), 1.9)
    assert not throttle.is_blocked(of("x"), 2.0)
    assert not throttle.failed(of("y"), 2.0)  # told lately
    assert throttle.is_blocked(of("x"), 3.9)
    assert not throttle.is_blocked(of("x"), 1000.0)
    assert [throttle.failed(of(number), 1000.0) for number in range(3)] == [False, False, True]
    assert len(throttle) == 0


def test_over_a_long_time_the_rate_holds_however_many_addresses() -> None:
    throttle = Throttle(strangers=Rate(10, 0.1), known=Rate(10, 0.1), max_known=10)
    tries = 0
    for tenth in range(100_000):
        if not throttle.is_blocked(of(tenth), tenth / 10):
            throttle.failed(of(tenth), tenth / 10)
            tries += 1
    assert 1000 <= tries <= 1010  # 10 at once, then one every 10 seconds


def test_a_known_address_has_a_budget_of_its_own_for_an_hour() -> None:
    throttle = Throttle(strangers=Rate(1, 0.0), known=Rate(2, 0.01), max_known=10, known_for=3600.0)
    throttle.succeeded(of("known"), 0.0)
    throttle.failed(of("stranger"), 1.0)
    assert throttle.is_blocked(of("stranger"), 1.0)
    assert not throttle.failed(of("known"), 1.0)
    assert not throttle.is_blocked(of("known"), 1.0)
    assert throttle.failed(of("known"), 1.0)
    assert throttle.is_blocked(of("known"), 1.0)
    throttle.succeeded(of("known"), 2.0)  # being right gives nothing back
    assert throttle.is_blocked(of("known"), 2.0)
    assert not throttle.is_blocked(of("known"), 101.1)
    assert not throttle.is_blocked(of("known"), 3602.0)
    assert throttle.is_blocked(of("known"), 3602.1)  # a stranger again
    throttle.succeeded(of("known"), 4000.0)
    assert not throttle.is_blocked(of("known"), 4000.0)


def test_only_being_right_takes_a_place_and_the_one_right_longest_ago_goes() -> None:
    throttle = Throttle(strangers=Rate(1000, 0.0), known=Rate(1, 0.0), max_known=3)
    for number in (0, 1, 2, 0, 3):
        throttle.succeeded(of(number), 0.0)
    for number in range(100, 200):
        throttle.failed(of(number), 0.0)
    assert len(throttle) == 3
    assert [number for number in range(5) if throttle.is_known(of(number), 0.0)] == [0, 2, 3]
