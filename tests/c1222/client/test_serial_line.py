"""The verbs over a serial line: the same objects, the order of what is said, and what becomes of failures."""

from __future__ import annotations

from typing import Any

import pytest

from c1219.device import Device
from c1222.client.errors import LogonRefused, PasswordRefused, WriteUnknown
from c1222.client.operations.operations import Operations
from c1222.client.serial_line import SerialLine, line_of
from c1222.errors import ConnectionLost, InvalidTag, InvalidUrl, PeerSilent, StateError
from c1222.security.keys import Key
from c1222.serial.link import LinkRole, SerialLink
from c1222.serial.packet import read_packet
from c1222.serial.presets import PRESETS
from c1222.serial.profile import C1221_TIMING
from c1222.serial.responder import SerialResponder
from c1222.services import ErrorResponse, decode_request
from c1222.services.identify import IdentifyResponse
from c1222.services.results import Iar
from c1222.services.session import LogonResponse, SecurityResponse
from c1222.services.tables import ReadResponse, TableData, WriteResponse
from tests.c1222.client.line_rig import MemoryLine, line_meter
from tests.c1222.client.rig import DEVICES

READER = {"user_id": 2, "password": "reader-demo"}
MASTER = {"user_id": 4, "password": "master-demo"}


def said(line: MemoryLine) -> list[Any]:
    """Return the services that were asked for, in order; repetitions of a packet once."""
    services, last = [], b""
    for octets in line.sent:
        found = read_packet(octets, max_size=8191) if len(octets) > 1 else None
        if found is not None and octets != last:
            services.append(decode_request(found[0].data).service)
            last = octets
    return services


@pytest.mark.parametrize(
    ("name", "password"),
    [("polyphase-tou", "reader-demo"), ("single-phase", "reader-demo"), ("big-endian", "lecteur-démo")],
)
def test_what_is_read_is_what_the_device_file_says(name: str, password: str) -> None:
    meter, line = line_meter(name, user_id=2, password=password)
    known = Device.from_json((DEVICES / f"{name}.json").read_text("utf-8"))
    with meter:
        assert meter.read(1) == known[1].value
        values = {one.path: one.value for one in meter.registers()}
        expected = {one.path: one.value for one in known.registers()}
        assert len(values) >= 5
        assert values.items() <= expected.items()
        for number in (23, 64, 76):
            if number in known:
                assert meter.read_octets(number) == known[number].raw
    assert said(line)[:4] == ["identify", "negotiate", "logon", "security"]
    assert said(line)[-2:] == ["logoff", "terminate"]
    assert line.closed


def test_large_tables_come_in_pieces_where_one_packet_is_all_there_is() -> None:
    meter, line = line_meter(options={"packets": "0"}, **READER)
    with meter:
        octets = meter.read_octets(23)
    assert octets == Device.from_json((DEVICES / "polyphase-tou.json").read_text("utf-8"))[23].raw
    assert "negotiate" not in said(line)
    assert "read-offset" in said(line)
    assert max(map(len, line.sent + line.came)) <= 64


def test_services_of_one_message_are_asked_one_after_the_other() -> None:
    meter, line = line_meter(**MASTER)
    with meter:
        assert meter.procedure(3).code == 0
        assert [answer.service for answer in meter.ask(*map(_read, (1, 2)))] == ["read", "read"]
    assert [one for one in said(line)[4:-2] if one == "write"] == ["write"]


def _read(table: int) -> Any:
    from c1222.services.tables import ReadRequest

    return ReadRequest(table)


@pytest.mark.parametrize(
    "given", [{"called": ".123.1"}, {"calling": ".123.4"}, {"key": Key(2, bytes(16))}, {"mode": 2}, {"key_id": 1}]
)
def test_titles_and_keys_are_an_error_in_words(given: dict[str, Any]) -> None:
    with pytest.raises(StateError, match="no titles and no keys"):
        Operations(SerialLine(), **given)


def test_services_of_networks_are_an_error_in_words() -> None:
    meter, _ = line_meter(**READER)
    with meter:
        with pytest.raises(StateError, match="resolve is not possible"):
            meter.resolve(".123.4")
        with pytest.raises(StateError, match="NOTIFICATION"):
            meter.notify(7, b"\0")
        assert meter.read(1)


def test_a_wrong_password_is_one_try() -> None:
    meter, line = line_meter(user_id=2, password="wrong")
    with meter, pytest.raises(PasswordRefused):
        meter.read(1)
    assert said(line).count("security") == 1


def test_silence_says_what_to_look_at() -> None:
    meter, line = line_meter(**READER)
    line.to_meter = lambda _: b""
    with meter, pytest.raises(PeerSilent, match="180 degrees"):
        meter.read(1)
    assert len(line.sent) == 4
    assert set(line.sent) == {line.sent[0]}


def test_after_doubt_the_session_is_opened_anew_and_a_write_is_not_repeated() -> None:
    meter, line = line_meter(**MASTER)
    with meter:
        meter.read(1)
        line.to_client = lambda octets: octets if len(octets) == 1 else b""  # acknowledged, and no answer
        with pytest.raises(WriteUnknown) as caught:
            meter.write_octets(6, meter.device[6].raw if 6 in meter.device else bytes(10))
        line.to_client = lambda octets: octets
        assert caught.value.table == 6
        with pytest.raises(StateError):
            meter.repeat(caught.value)
        before = line.clock.now
        meter.read(1)
        assert line.clock.now - before >= 6  # the device has given its session up
    assert said(line).count("write") == 1
    assert said(line).count("logon") == 2


def test_a_session_is_kept_alive_while_nobody_asks() -> None:
    meter, line = line_meter(**READER)
    with meter:
        meter.read(1)
        meter._wait(None, line.clock.now + 20)
        meter.read(1)
    assert said(line).count("wait") >= 3
    assert said(line).count("logon") == 1


def test_a_rate_that_does_not_carry_is_given_up() -> None:
    meter, line = line_meter(options={"rates": "19200,38400"}, **READER)
    line.to_meter = lambda octets: octets if line.rate == 9600 else b""
    with meter:
        assert meter.read(1).MANUFACTURER == "DEMO"
        assert line.rate == 9600
    assert said(line).count("negotiate") == 2


def test_a_rate_is_agreed_on_and_left_at_the_end() -> None:
    meter, line = line_meter(options={"rates": "19200,38400"}, **READER)
    with meter:
        meter.read(1)
        assert line.rate == 38400
    assert line.rate == 9600


KEY = b"KEY12345"


def small_meter(**more: Any) -> tuple[Any, Any]:
    """Return a device with one table that is written, and a client."""
    tables = {1: b"\x01\x02"}

    def carry_out(request: Any) -> Any:
        if request.service == "read" and request.table in tables:
            return ReadResponse(TableData(tables[request.table]))
        if request.service == "write":
            tables[request.table] = request.data
            return WriteResponse()
        answers = {"logon": LogonResponse(), "security": SecurityResponse()}
        return answers.get(request.service) or ErrorResponse.of(Iar())

    class Station:
        def __init__(self) -> None:
            link = SerialLink(LinkRole.ANSWERS, timing=C1221_TIMING)
            self.responder = SerialResponder(link, IdentifyResponse(2, 1, 0), carry_out, **more)

        @property
        def deadline(self) -> float | None:
            return self.responder.deadline

        def receive(self, octets: bytes, now: float, utc: float) -> Any:
            return self.responder.receive(octets, now)

        def tick(self, now: float, utc: float) -> Any:
            return self.responder.tick(now)

    return Station(), tables


def test_a_key_of_des_takes_the_place_of_the_password() -> None:
    station, _ = small_meter(keys={2: KEY}, ticket=lambda count: bytes(range(count)))
    meter, line = line_meter(options={"authenticate": "2"}, c1221=True, station=station, password=KEY)
    with meter:
        assert meter.read_octets(1) == b"\x01\x02"
        assert station.responder.is_authenticated
    assert "authenticate" in said(line)
    assert "security" not in said(line)


def test_a_wrong_key_of_des_is_refused_and_one_of_another_length_is_not_sent() -> None:
    for key, error in ((b"KEY54321", PasswordRefused), (b"longer than eight", StateError)):
        station, _ = small_meter(keys={2: KEY}, ticket=lambda count: bytes(range(count)))
        meter, line = line_meter(options={"authenticate": "2"}, c1221=True, station=station, password=key)
        with meter, pytest.raises(error):
            meter.read_octets(1)
        assert said(line).count("authenticate") == (error is PasswordRefused)


def test_a_number_of_a_key_without_a_key_is_an_error() -> None:
    with pytest.raises(StateError, match="in the place of the password"):
        line_meter(options={"authenticate": "2"}, c1221=True)


def test_a_port_that_comes_back_is_set_up_anew() -> None:
    meter, line = line_meter(**READER)
    with meter:
        meter.read(1)
        meter._conversation.initiator.lost(ConnectionLost("gone"), now=line.clock.now)
        line.clock.now += 10  # the device has noticed it too
        line.receive(0.0)
        meter.read(1)
    assert said(line).count("negotiate") == 2


def test_a_device_that_does_not_show_the_key_is_not_trusted() -> None:
    station, _ = small_meter(keys={2: KEY}, ticket=lambda count: bytes(range(count)))
    meter, _ = line_meter(options={"authenticate": "2"}, c1221=True, station=station, password=KEY)
    meter.identify()
    station.responder._authenticated = lambda _: _zeros()
    with pytest.raises(InvalidTag), meter:
        meter.read_octets(1)


def _zeros() -> Any:
    from c1222.services.c1218 import AuthenticateResponse

    return AuthenticateResponse(bytes(9))


@pytest.mark.parametrize(
    "options",
    [{"baud": "9601"}, {"identity": "256"}, {"echo": "maybe"}, {"padding": "x"}, {"preset": "none"}, {"timing": "1,2"}],
)
def test_a_wrong_value_of_an_option_says_what_is_possible(options: dict[str, str]) -> None:
    with pytest.raises(InvalidUrl, match=f"{next(iter(options))}="):
        line_of(options)


def test_every_option_is_taken() -> None:
    line = line_of(
        {
            "baud": "19200",
            "rates": "9600,38400",
            "identity": "3",
            "echo": "on",
            "turn_around": "0.15",
            "crc": "either",
            "toggle": "ignore",
            "packet_size": "128",
            "packets": "4",
            "padding": "nul",
            "user_padding": "zero",
            "timing": "30,1,4,3",
            "authenticate": "2",
            "wake_up": "on",
        },
        c1221=True,
    )
    profile, logon = line.profile, line.logon
    assert (profile.identity, profile.any_identity, profile.turn_around) == (3, False, 0.15)
    assert (profile.echo, profile.crc_order, profile.check_toggle) == ("on", "either", False)
    assert (logon.packet_size, logon.packets, logon.rates, logon.timing) == (128, 4, (9600, 38400), (30, 1, 4, 3))
    assert (logon.password_padding, logon.user_padding) == (b"\0", b"0")
    assert (line.rate, line.authenticate, line.wake_up) == (19200, 2, b"\x55")


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_reads(preset: str) -> None:
    meter, line = line_meter(options={"preset": preset, "identity": "0"}, **READER)
    if line_of({"preset": preset}).logon.password_padding == b"0":
        with meter, pytest.raises(PasswordRefused):  # the simulated meter takes blanks, or 00
            meter.read(1)
        return
    with meter:
        assert meter.read(1).MANUFACTURER == "DEMO"
    assert not line.station.link.counts["for others"]


def test_a_wake_up_goes_before_identify() -> None:
    meter, line = line_meter(options={"wake_up": "on"}, **READER)
    with meter:
        meter.read(1)
    assert line.sent[0] == b"\x55"
    assert line.sent.count(b"\x55") == 1


def test_options_go_before_a_preset() -> None:
    assert line_of({"preset": "ge-kv"}).logon.packet_size == 80
    line = line_of({"preset": "ge-kv", "packet_size": "128"})
    assert (line.logon.packet_size, line.logon.packets, line.profile.identity) == (128, 3, 64)


def test_a_logon_that_is_refused_says_so() -> None:
    station, _ = small_meter()
    station.responder._carry_out = lambda _: ErrorResponse.of(Iar())
    meter, _ = line_meter(station=station, c1221=True, **READER)
    with meter, pytest.raises(LogonRefused):
        meter.read(1)
