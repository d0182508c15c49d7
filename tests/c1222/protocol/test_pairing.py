import pytest

from c1222 import ApTitle
from c1222.message.acse import Acse, decode_acse
from c1222.message.epsem import SecurityMode
from c1222.protocol import pairing
from c1222.protocol.pairing import Associations, Generations
from c1222.security.sealing import Opened, SessionSecurity, Verdict


def apdu(called: str, calling: str, number: int, answers: int | None = None) -> Acse:
    return Acse.build(
        user_information=b"\x80",
        called=ApTitle(called),
        calling=ApTitle(calling),
        calling_invocation_id=number,
        called_invocation_id=answers,
    )


def test_a_response_finds_its_request_whatever_form_the_titles_have() -> None:
    memory: Associations[str] = Associations()
    request = apdu(".1.5", ".2", 200)
    memory.remember_request(request, memory.ends(request), "request")
    response = apdu("2.16.124.113620.1.22.0.2", "2.16.124.113620.1.22.0.1.5", 7, 200)
    assert memory.request_of(response, memory.ends(response)) == "request"


def test_other_nodes_and_other_numbers_do_not_match() -> None:
    memory: Associations[str] = Associations()
    request = apdu(".1.5", ".2", 200)
    memory.remember_request(request, memory.ends(request), "request")
    for called, calling, answers in ((".2", ".1.5", 201), (".2", ".1.6", 200), (".1.5", ".2", 200)):
        response = apdu(called, calling, 7, answers)
        assert memory.request_of(response, memory.ends(response)) is None
    assert memory.request_of(request, memory.ends(request)) is None


def test_a_number_sent_with_a_leading_zero_is_the_same() -> None:
    memory: Associations[str] = Associations()
    octets = apdu(".1", ".2", 200).octets
    signed = octets.replace(bytes.fromhex("a8030201c8"), bytes.fromhex("a804020200c8"))
    assert signed != octets
    signed = signed[:1] + bytes((signed[1] + 1,)) + signed[2:]
    whole = decode_acse(signed)
    memory.remember_request(whole, memory.ends(whole), "request")
    response = apdu(".2", ".1", 9, 200)
    assert memory.request_of(response, memory.ends(response)) == "request"


def test_the_base_makes_relative_titles_absolute() -> None:
    memory: Associations[str] = Associations(ApTitle("1.3.6.1.4.1.33507"))
    request = apdu(".7", ".8", 1)
    memory.remember_request(request, memory.ends(request), "request")
    response = apdu("1.3.6.1.4.1.33507.8", "1.3.6.1.4.1.33507.7", 2, 1)
    assert memory.request_of(response, memory.ends(response)) == "request"


def test_sessions_of_both_directions_the_senders_first() -> None:
    memory: Associations[str] = Associations()
    asks, answers = memory.ends(apdu(".1", ".2", 1)), memory.ends(apdu(".2", ".1", 1))

    def opened(key_id: int, iv: bytes) -> Opened:
        return Opened(Verdict.VERIFIED, SecurityMode.CIPHERTEXT_AUTHENTICATION, key_id=key_id, iv=iv)

    assert memory.sessions_of(asks) == ()
    memory.remember_session(asks, opened(1, b"AAAA"))
    assert memory.sessions_of(asks) == memory.sessions_of(answers) == (SessionSecurity(1, b"AAAA"),)
    memory.remember_session(answers, opened(2, b"BBBB"))
    assert memory.sessions_of(answers) == (SessionSecurity(2, b"BBBB"), SessionSecurity(1, b"AAAA"))


def test_addresses_tell_requests_of_one_title_and_id_apart() -> None:
    memory: Associations[str] = Associations()
    asked, answered = apdu(".1", ".2", 0), apdu(".2", ".1", 7, 0)
    ends, back = memory.ends(asked), memory.ends(answered)
    first, second, meter = "10.0.0.1:1", "10.0.0.1:2", "10.0.0.9:1153"
    memory.remember_request(asked, ends, "first", (first, meter))
    memory.remember_request(asked, ends, "second", (second, meter))
    assert memory.request_of(answered, back, (meter, first)) == "first"
    assert memory.request_of(answered, back, (meter, second)) == "second"
    assert memory.request_of(answered, back, (meter, first)) == "first", "a repetition"
    assert memory.request_of(answered, back, ("10.0.0.5:1153", "10.0.0.7:1153")) == "second", "a relay: the latest"
    memory.remember_request(asked, ends, "again", (first, meter))
    assert memory.request_of(answered, back, (meter, first)) == "again"
    assert memory.request_of(answered, back, (meter, second)) == "second"


def test_a_request_that_came_twice_shares_with_nobody() -> None:
    memory: Associations[str] = Associations()
    asked = apdu(".1", ".2", 0)
    for number in range(3):
        memory.remember_request(asked, memory.ends(asked), f"{number}", ("10.0.0.1:1", "10.0.0.9:1153"))
    assert not memory.shared
    answered = apdu(".2", ".1", 7, 0)
    assert memory.request_of(answered, memory.ends(answered), ("10.0.0.9:1153", "10.0.0.5:1")) == "2"


def test_requests_that_share_are_bounded() -> None:
    memory: Associations[int] = Associations(max_answered=10)
    asked = apdu(".1", ".2", 0)
    for number in range(100):
        memory.remember_request(asked, memory.ends(asked), number, (f"10.0.0.1:{number}", "10.0.0.9:1153"))
    assert memory.shared.forgotten >= 89


def test_generations_are_bounded_and_count_what_they_forget() -> None:
    memory: Generations[int, int] = Generations(10)
    for number in range(100):
        memory.put(number, number)
        kept = sum(memory.get(other) is not None for other in range(100))
        assert kept <= 10
        assert memory.forgotten == number + 1 - kept
    assert memory.get(99) == 99
    assert memory.get(95) == 95
    memory.put(99, 1)
    assert memory.get(99) == 1


def test_titles_that_are_remembered_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pairing, "_REMEMBERED_TITLES", 4)
    memory: Associations[int] = Associations()
    for number in range(30):
        request = apdu(f".1.{number}", ".2", number)
        memory.remember_request(request, memory.ends(request), number)
        response = apdu(".2", f".1.{number}", 7, number)
        assert memory.request_of(response, memory.ends(response)) == number
        assert len(memory._names) <= 4
