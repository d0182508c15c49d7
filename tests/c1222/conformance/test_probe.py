"""What the probe sends, and what it takes for an answer."""

from __future__ import annotations

from typing import Any

import pytest

import c1222
from c1222.conformance.checks.whole_run import unique
from c1222.conformance.craft import flipped, last_octet_of, segment, with_body
from c1222.conformance.misbehaviours import MISBEHAVIOURS
from c1222.conformance.reply import NoAnswer
from c1222.conformance.rules import NotApplicable
from c1222.conformance.session import get, logged_on
from c1222.conformance.survey import Survey, survey
from c1222.conformance.target import Target
from c1222.errors import ConnectionLost, StateError, UnknownKey, Unreachable
from c1222.message.acse import decode_acse
from c1222.message.aptitle import ApTitle
from c1222.message.epsem import SecurityMode
from c1222.services.identify import IdentifyRequest, IdentifyResponse
from c1222.services.session import LogonRequest
from c1222.services.tables import ReadRequest, TableResponse
from tests.c1222.conformance.rig import KEY, Bench


def test_an_answer_by_the_book_has_no_problems() -> None:
    reply = Bench().probe.ask(IdentifyRequest())
    assert reply.problems == ()
    assert isinstance(reply.first, IdentifyResponse)
    assert reply.is_ok
    assert reply.code() == 0
    assert reply.code(1) is None


@pytest.mark.parametrize(
    ("case", "kind"),
    [
        ("no-called-id", "id"),
        ("other-called-id", "id"),
        ("titles-exchanged", "titles"),
        ("in-clear", "security"),
        ("weaker", "security"),
        ("long-lengths", "findings"),
    ],
)
def test_an_answer_that_is_wrong_counts_and_says_so(case: str, kind: str) -> None:
    reply = Bench(wrong=MISBEHAVIOURS[case]).probe.ask(IdentifyRequest())
    assert {problem.kind for problem in reply.problems} == {kind}
    assert isinstance(reply.first, IdentifyResponse)


def test_what_cannot_be_verified_does_not_count_and_is_told() -> None:
    bench = Bench(wrong=MISBEHAVIOURS["wrong-mac"])
    with pytest.raises(NoAnswer, match=r"no answer to identify; what came does not count: .*MAC"):
        bench.probe.ask(IdentifyRequest())
    assert len(bench.heard) == bench.probe.target.attempts


def test_the_same_octets_go_out_again() -> None:
    bench = Bench(wrong=MISBEHAVIOURS["silent"], attempts=3)
    with pytest.raises(NoAnswer):
        bench.probe.ask(IdentifyRequest())
    assert len(bench.heard) == 3
    assert len(set(bench.heard)) == 1


def test_over_a_connection_nothing_is_sent_again() -> None:
    bench = Bench(wrong=MISBEHAVIOURS["silent"], reliable=True)
    with pytest.raises(NoAnswer):
        bench.probe.ask(IdentifyRequest())
    assert len(bench.heard) == 1


@pytest.mark.parametrize("failure", [Unreachable("nobody"), ConnectionLost("gone")])
def test_a_lost_way_is_opened_again(failure: Any) -> None:
    bench = Bench()
    assert bench.probe.ask(IdentifyRequest()).is_ok
    bench.probe._way().failure = failure  # type: ignore[attr-defined]
    assert bench.probe.ask(IdentifyRequest()).is_ok
    assert bench.ends == 2


def test_nobody_there() -> None:
    bench = Bench()

    def connect() -> Any:
        raise Unreachable("nobody there")

    bench.probe._connect = connect
    with pytest.raises(NoAnswer, match="nobody there"):
        bench.probe.ask(IdentifyRequest())
    report = bench.run()
    assert not report.contact


def test_late_answers_are_counted_and_left() -> None:
    bench = Bench(wrong=MISBEHAVIOURS["doubled"])
    for _ in range(5):
        assert bench.probe.ask(IdentifyRequest()).problems == ()
    assert bench.probe.counters["late"] >= 3


def test_anything_about_a_request_can_be_changed() -> None:
    probe = Bench().probe
    sent = probe.compose(
        IdentifyRequest(),
        called=ApTitle(".9.9"),
        calling_invocation_id=7,
        iv=b"\x01\x02\x03\x04",
        calling_ae_qualifier=1,
        security_mode=SecurityMode.CLEARTEXT_AUTHENTICATION,
    )
    message = c1222.decode(sent.octets, keys=KEY)
    assert message.authenticated is True
    assert (message.called, message.calling_invocation_id, message.iv) == (ApTitle(".9.9"), 7, b"\x01\x02\x03\x04")
    assert message.calling_ae_qualifier == 1
    assert message.security_mode is SecurityMode.CLEARTEXT_AUTHENTICATION


def test_no_pair_of_vector_and_id_is_used_twice() -> None:
    bench = Bench()
    bench.run()
    pairs = []
    for octets in set(bench.heard):
        try:
            message = c1222.decode(octets, keys=KEY)
        except c1222.C1222Error:
            continue
        if message.authenticated and message.carries_authentication and not message.acse.is_segment:  # type: ignore[union-attr]
            pairs.append((message.iv, message.calling_invocation_id, str(message.calling)))
    assert len(pairs) > 200
    # two forms of one title are one sender; the rewritten message of C-SEC-03 has the pair of the one it was made from
    assert len(pairs) - len(set(pairs)) <= 1


def test_a_body_of_ones_own_is_well_sealed() -> None:
    for mode in (0, 1, 2):
        probe = Bench(mode=mode, ed_class=b"ABCD").probe
        sent = with_body(probe, bytes.fromhex("01200020"), IdentifyRequest())
        message = c1222.decode(sent.octets, keys=KEY)
        assert message.authenticated in ({None} if not mode else {True})
        assert message.body == b"ABCD" + bytes.fromhex("01200020")
        assert message.ed_class == b"ABCD"


def test_the_length_of_invocation_ids() -> None:
    probe = Bench(id_bits=16).probe
    assert all(probe.compose(IdentifyRequest()).message.calling_invocation_id < 0x8000 for _ in range(20))


def test_bits_and_segments() -> None:
    probe = Bench().probe
    sent = probe.compose(IdentifyRequest())
    place = last_octet_of(sent, "calling-AP-invocation-id")
    other = decode_acse(flipped(sent, place))
    assert other.calling_invocation_id == sent.message.calling_invocation_id ^ 1
    assert sum(a != b for a, b in zip(sent.octets, flipped(sent, -1, 7), strict=True)) == 1
    part = decode_acse(segment(sent, b"abc", offset=5, total=99))
    assert (part.called_ae_qualifier, part.user_information.indirect_reference) == (99, 5)
    with pytest.raises(KeyError):
        last_octet_of(sent, "mechanism-name")


def test_the_password_goes_first_and_is_not_the_callers_response() -> None:
    probe = Bench().probe
    reply = get(probe, ReadRequest(1))
    assert len(reply.sent.requests) == 2
    assert isinstance(reply.first, TableResponse)
    assert [one.code for one in reply.before if one] == [0]


def test_a_refused_password_is_presented_no_more() -> None:
    bench = Bench(password="nonsense")
    get(bench.probe, ReadRequest(1))
    assert bench.probe.target.password is None
    assert get(bench.probe, ReadRequest(1)).before == ()
    assert bench.node.meter.counters["wrong-password"] == 1


def test_a_run_presents_few_wrong_passwords() -> None:
    for password in ("nonsense", "master-demo"):
        bench = Bench(password=password)
        bench.run()
        assert bench.node.meter.counters["wrong-password"] == 1


def test_a_run_makes_few_failures() -> None:
    bench = Bench()
    bench.run()
    counters = bench.node.responder.counters
    assert counters["wrong-mac"] + counters["no-key"] <= 8
    assert counters["throttled"] == 0


def test_sessions_open_and_end() -> None:
    bench = Bench()
    with logged_on(bench.probe) as session:
        assert session.timeout == 60
        assert session.ask(ReadRequest(1)).is_ok
        assert len(bench.node.responder.sessions) == 1
    assert len(bench.node.responder.sessions) == 0


def test_a_session_left_over_is_ended_first() -> None:
    bench = Bench()
    assert bench.probe.ask(LogonRequest.of(4, "", 60)).is_ok
    with logged_on(bench.probe):
        assert len(bench.node.responder.sessions) == 1


def test_where_messages_alone_are_refused_each_read_has_a_session() -> None:
    from dataclasses import replace

    bench = Bench()
    bench.probe.target = replace(bench.probe.target, sessionless=False)
    report = bench.run("C-TABLE", "C-WRITE-01", "C-SESS")
    assert report.failed == ()
    assert len(bench.node.responder.sessions) == 0


def test_a_large_table_is_read_in_pieces() -> None:
    bench = Bench()
    found = survey(bench.probe)
    assert found is survey(bench.probe)
    found.gather(["ST64", "ST23"])
    stored = bench.node.meter.tables.get("ST64")
    assert stored is not None
    assert len(found.octets("ST64")) == len(stored) > 10_000
    assert found.too_large["ST64"].details["max_size"] == 1400
    assert isinstance(found.answers["ST64"], TableResponse)
    assert "ST23" in found.protected


def test_a_table_that_cannot_be_had() -> None:
    found = Survey(Bench().probe)
    with pytest.raises(NotApplicable, match="ST99 cannot be read: iar"):
        found.octets("ST99")
    assert found.find("ST99") is None
    with pytest.raises(NotApplicable):
        found.layout("ST99")
    assert 99 not in found.absent(5)


def test_a_nonce_used_twice_is_noticed() -> None:
    bench = Bench()
    probe = bench.probe
    reply = probe.ask(IdentifyRequest())
    assert [remark.level for remark in unique.look(probe)] == ["note"]
    probe._taken(reply)
    assert [remark.level for remark in unique.look(probe)] == ["note"], "the same octets again are the same message"
    probe._seen.clear()
    probe._taken(reply)
    assert [remark.level for remark in unique.look(probe)] == ["note", "wrong"]


@pytest.mark.parametrize(
    "changes",
    [
        {"mode": SecurityMode.RESERVED},
        {"mode": SecurityMode.CLEARTEXT_AUTHENTICATION},
        {"timeout": 0},
        {"quiet": 0},
        {"patience": -1},
        {"attempts": 0},
    ],
)
def test_targets_that_make_no_sense(changes: dict[str, Any]) -> None:
    with pytest.raises(StateError):
        Target(**{"called": ApTitle(".1"), "calling": ApTitle(".2"), **changes})


def test_a_target_without_its_key() -> None:
    with pytest.raises(UnknownKey):
        Target(called=ApTitle(".1"), calling=ApTitle(".2"), mode=SecurityMode.CIPHERTEXT_AUTHENTICATION, key_id=1)
