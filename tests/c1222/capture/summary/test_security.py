"""What a summary says of security, each line with a capture that shows it."""

from __future__ import annotations

import json

from c1222 import ApTitle, Key
from c1222.capture.summary.values import CleartextPasswords, Downgrade, KeyUse, NeverVerified, RepeatedIv
from c1222.services import ErrorResponse, TableData, session, tables
from tests.c1222.capture.conversation import HEAD_END, METER, OTHER
from tests.c1222.capture.summary.talk import SECOND, START, Talk

HEAD, TITLE, THIRD = str(HEAD_END), str(METER), str(OTHER)
OTHER_KEY = Key(3, bytes(range(16)))
SENT = session.SecurityRequest.of("hunter2", 2)


def test_modes_and_keys_are_counted() -> None:
    talk = Talk()
    talk.send(0, 1)
    talk.send(1, 2, answers=1)
    talk.send(2, 3, mode=1)
    talk.send(3, 4, mode=0)
    talk.send(4, 5, key=OTHER_KEY, key_id=3)
    found = talk.summary().security
    assert found.modes == {"ciphertext-authentication": 3, "cleartext-authentication": 1, "cleartext": 1}
    assert (found.verified, found.refused, found.unchecked) == (3, 0, 1)
    assert found.keys == (KeyUse(2, 3, 3, 0, 0, 2), KeyUse(3, 1, 0, 0, 1, 1))


def test_a_wrong_key_is_a_wrong_mac() -> None:
    talk = Talk()
    talk.send(0, 1)
    talk.send(1, 2, answers=1)
    wrong = talk.summary(Key(2, bytes(16))).security
    assert wrong.keys == (KeyUse(2, 2, 0, 2, 0, 2),)
    assert {one.node: one.refused for one in wrong.never_verified} == {HEAD: 1, TITLE: 1}


def test_a_node_that_was_never_verified() -> None:
    talk = Talk()
    talk.send(0, 1)
    talk.send(1, 2, answers=1)
    talk.send(2, 3, called=HEAD_END, calling=OTHER, key=OTHER_KEY, key_id=3)
    talk.send(3, 4, called=HEAD_END, calling=ApTitle(".7"), mode=0)
    assert talk.summary().security.never_verified == (NeverVerified(THIRD, 0, 1),)


def test_a_node_that_was_secured_and_is_in_cleartext_now() -> None:
    talk = Talk()
    talk.send(0, 1, mode=0)  # before: no step back
    talk.send(1, 2)
    talk.send(2, 3, answers=2)
    talk.send(3, 4, mode=0)
    talk.send(4, 5, answers=4, mode=0)
    talk.send(5, 6, mode=0)
    talk.send(6, 7, called=OTHER, mode=0)  # to a meter that it was never secured with
    since = START * SECOND
    assert talk.summary().security.downgrades == (
        Downgrade(HEAD, TITLE, "ciphertext-authentication", True, 2, since + 3 * SECOND),
        Downgrade(TITLE, HEAD, "ciphertext-authentication", True, 1, since + 4 * SECOND),
    )
    unverified = talk.summary(keys=None).security.downgrades
    assert [one.verified for one in unverified] == [False, False]


def test_a_step_back_needs_a_message_that_is_not_refused() -> None:
    talk = Talk()
    talk.send(0, 1)
    talk.send(1, 2, mode=0)
    assert talk.summary(Key(2, bytes(16))).security.downgrades == ()


def test_a_refusal_in_cleartext_is_no_step_back() -> None:
    talk = Talk()
    talk.send(0, 1)
    talk.send(1, 2, answers=1)
    talk.send(2, 3)
    talk.send(3, 4, answers=3, mode=0, services=[ErrorResponse(0x05)])
    assert talk.summary().security.downgrades == ()


def test_passwords_in_cleartext_are_counted_and_not_shown() -> None:
    talk = Talk()
    for number, mode in enumerate((0, 1, 2)):
        talk.send(number, number + 1, mode=mode, services=[SENT, tables.ReadRequest(1)])
    found = talk.summary()
    assert found.security.cleartext_passwords == (CleartextPasswords(HEAD, TITLE, 2),)
    assert talk.summary(keys=None).security.cleartext_passwords == found.security.cleartext_passwords
    assert "hunter2" not in json.dumps(found.as_dict())
    assert b"hunter2".hex() not in json.dumps(found.as_dict())


def test_vectors_that_are_used_again() -> None:
    talk = Talk()
    iv = (START + 1).to_bytes(4)
    talk.send(1, 1, iv=iv)
    talk.send(1, 2, answers=1, iv=iv)  # another node
    talk.send(1.5, 3, iv=iv)
    talk.send(2, 3, iv=iv, services=[tables.ReadRequest(2)])  # and the same number
    talk.send(2, 4, iv=iv, key=OTHER_KEY, key_id=3)  # another key
    assert talk.summary({2: talk_key(), 3: OTHER_KEY.octets}).security.repeated_ivs == (RepeatedIv(HEAD, 2, 2, 1),)


def talk_key() -> bytes:
    return bytes.fromhex("01020304050607080102030405060708")


def test_a_retransmission_or_a_relayed_copy_repeats_no_vector() -> None:
    talk = Talk()
    octets = talk.send(0, 1)
    talk.octets(1, octets)
    talk.octets(1, octets, ends=("198.51.100.7:1153", "203.0.113.1:1153"))
    talk.send(1, 1, called=METER.absolute(), ends=("198.51.100.7:1153", "203.0.113.2:1153"), iv=START.to_bytes(4))
    found = talk.summary()
    assert found.security.verified == 4
    assert found.security.repeated_ivs == ()
    assert found.totals.retransmissions == 1


def test_clocks_by_vectors() -> None:
    talk = Talk()
    for number in range(0, 30, 2):
        talk.send(number, number)
        talk.send(number + 0.5, number + 1, answers=number, ahead=3600)
    talk.send(40, 40, called=OTHER, iv=(START + 40).to_bytes(4))
    talk.send(41, 41, called=HEAD_END, calling=OTHER, answers=40, iv=(START + 40).to_bytes(4))
    found = {one.node: one for one in talk.summary().security.clock_offsets}
    assert (found[HEAD].messages, found[HEAD].copied, found[HEAD].median_ns) == (16, 0, 0)
    meter = found[TITLE]
    assert (meter.messages, meter.copied) == (15, 0)
    assert meter.min_ns == meter.max_ns == meter.median_ns == round(3599.5 * SECOND)
    assert (found[THIRD].copied, found[THIRD].max_ns) == (1, -SECOND)


def test_a_refused_message_tells_nothing_of_clocks() -> None:
    talk = Talk()
    talk.send(0, 1, ahead=100_000)
    assert talk.summary(Key(2, bytes(16))).security.clock_offsets == ()
    assert len(talk.summary(keys=None).security.clock_offsets) == 1


def test_without_keys_headers_tell_modes_keys_and_times() -> None:
    talk = Talk()
    talk.send(0, 1)
    talk.send(0.25, 2, answers=1, services=[tables.ReadResponse(TableData(bytes(40)))])
    found, known = talk.summary(keys=None), talk.summary()
    assert found.conversations == known.conversations
    assert found.security.modes == known.security.modes
    assert [(key.key_id, key.messages, key.unchecked) for key in found.security.keys] == [(2, 2, 2)]
    assert found.totals.unreadable == 2
    [service] = found.services
    assert (service.service, service.requests, service.responses) == (None, 1, 1)
    assert service.response_times == found.conversations[0].response_times
    assert service.response_times is not None
    assert service.response_times.median_ns == SECOND // 4
