"""The page as text: what is in it, what is not, and that it is the same every time."""

from __future__ import annotations

import base64
import hashlib
import io
import re

import pytest

from c1219 import Device
from c1222.capture.decoder import decode_capture
from c1222.capture.files.writer import PcapWriter, udp_packet
from c1222.report import ReportMaker, capture_report, device_report
from c1222.report.page import _for_script
from c1222.security.keys import KeyStore
from c1222.services import ErrorResponse, session, tables
from tests.c1222.capture.conversation import HEAD_END, KEY, METER, Conversation
from tests.c1222.report.pages import HOSTILE, MADE, ROOT, Elements, hostile, sample

CAPTURES = ROOT / "specs" / "captures"
KEYS = KeyStore.from_file(CAPTURES / "keys.toml")


def test_the_same_input_gives_the_same_page() -> None:
    path = CAPTURES / "registers.pcap"
    assert capture_report(path, made=MADE, keys=KEYS) == capture_report(path, made=MADE, keys=KEYS)
    assert device_report(sample(), made=MADE) == device_report(sample(), made=MADE)


def test_a_capture_and_its_meters() -> None:
    page = Elements(capture_report(CAPTURES / "registers.pcap", made=MADE, keys=KEYS))
    assert "registers.pcap · made 2026-11-30 12:00:00+00:00" in page.text
    assert "Who talks to whom" in page.text
    assert page.count("details", id="meter-1") == 1
    assert "active energy delivered" in page.text


def test_text_of_meters_is_escaped() -> None:
    page = device_report(hostile(), made=MADE)
    elements = Elements(page)
    assert HOSTILE in elements.text
    assert "stolen=1</script>" not in page
    assert elements.count("img") == 0
    scripts = [given for tag, given in elements.found if tag == "script"]
    assert [given for given in scripts if given != {"type": "application/json"}] == [{}, {}]


def test_json_cannot_end_its_element() -> None:
    text = _for_script(["</script><!--", "a&b\u2028"])
    assert not set(text) & set("<>&\u2028")


def test_the_policy_names_the_two_scripts_by_their_hashes() -> None:
    page = device_report(sample(), made=MADE)
    policy = next(given["content"] for tag, given in Elements(page).found if given.get("http-equiv"))
    assert policy is not None
    assert policy.startswith("default-src 'none';")
    hashes = {
        f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
        for script in re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    }
    assert set(re.findall(r"'sha256-\S+'", policy)) == hashes
    assert len(hashes) == 2


def test_nothing_is_fetched() -> None:
    elements = Elements(capture_report(CAPTURES / "meters.pcap", made=MADE, keys=KEYS))
    addresses = [given[name] for _, given in elements.found for name in ("src", "href", "action") if given.get(name)]
    assert addresses
    assert all(str(address).startswith(("#", "data:,")) for address in addresses)


def secret_traffic() -> tuple[bytes, bytes]:
    """Return a capture with a password in a logon and passwords and keys in tables, and the password."""
    device, talk = sample(), Conversation()
    for label in ("ST0", "ST1", "ST40", "ST41", "ST42", "ST45"):
        if label in device:
            talk.read(int(label[2:]), device[label].raw)
    password = device[42].raw[:8]
    talk.send([session.SecurityRequest(password.ljust(20), 2)], called=METER, calling=HEAD_END)
    return talk.octets, password


def test_secrets_are_left_out() -> None:
    octets, password = secret_traffic()
    assert password.strip(b"\0 ")
    page = capture_report(io.BytesIO(octets), made=MADE, keys=KEY)
    device_page = device_report(sample(), made=MADE)
    for secret in (KEY.octets, password):
        for form in (secret.hex(), secret.hex(" "), secret.hex().upper(), secret.decode("latin-1").strip("\0 ")):
            assert form not in page
            assert form not in device_page
    assert "password 0 opens" in page


def test_all_meters_are_listed_and_those_that_tell_most_have_a_section() -> None:
    maker = ReportMaker(max_charted=2)
    for number in range(5):
        device = Device({0: sample()[0].raw, 1: sample()[1].raw}) if number != 3 else sample()
        device.node["ap_title"] = f".1.{number}"
        maker.add_device(device)
    elements = Elements(maker.html(made=MADE))
    assert "2 of 5 meters, those of which most is known" in elements.text
    assert [given["id"] for tag, given in elements.found if tag == "details" and given.get("class") == "meter"] == [
        "meter-1",
        "meter-2",
    ]
    assert elements.text.index(".1.3") < elements.text.index(".1.0")
    assert all(f".1.{number} " in elements.text for number in range(5))


def test_sections_keep_within_their_octets() -> None:
    def page(octets: int) -> str:
        maker = ReportMaker(max_octets=octets)
        for number in range(20):
            device = sample()
            device.node["ap_title"] = f".1.{number}"
            maker.add_device(device)
        return maker.html(made=MADE)

    empty = len(device_report(made=MADE))
    small, large = page(300_000), page(3_000_000)
    assert len(small) - empty < 310_000
    assert len(small) < len(large) - 500_000
    assert "more periods are left out" in small
    assert "each point is made from up to" in small
    assert all(f".1.{number} " in Elements(small).text for number in range(20))


def test_what_cannot_be_opened_is_told() -> None:
    octets, _ = secret_traffic()
    page = Elements(capture_report(io.BytesIO(octets), made=MADE))
    assert "could not be opened" in page.text
    assert "not checked" in page.text
    assert "The tables of no meter were seen." in page.text


def test_refusals_are_errors_on_the_page() -> None:
    page = Elements(capture_report(io.BytesIO(refusals()), made=MADE, keys=KEY))
    assert page.text.index("Errors") < page.text.index("iar: inappropriate action requested")


def refusals() -> bytes:
    """Return a capture in which a meter refuses a table."""
    talk = Conversation()
    talk.ask([tables.ReadRequest(23)], [ErrorResponse(0x05)])
    return talk.octets


def test_a_page_without_anything() -> None:
    empty = io.BytesIO()
    with PcapWriter(empty) as writer:
        writer.write(1_700_000_000 * 10**9, udp_packet("10.0.0.1:5", "10.0.0.2:6", b"nothing"))
    page = capture_report(io.BytesIO(empty.getvalue()), made=MADE)
    assert "The tables of no meter were seen." in Elements(page).text


def test_the_library_is_as_its_makers_ship_it() -> None:
    """The files of `npm pack uplot@1.6.32`, octet for octet."""
    folder = ROOT / "c1222" / "report" / "templates"
    shipped = {
        "uPlot.iife.min.js": "19c8d4c6ad88929a79f4ae49d6f7161566dfd0ba3d15cc495e974f787eb78f1f",
        "uPlot.min.css": "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04",
    }
    assert shipped == {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in shipped}
    assert "MIT License" in (folder / "uPlot.LICENSE").read_text()


@pytest.mark.parametrize("name", ["meters", "published", "example8"])
def test_samples(name: str) -> None:
    maker = ReportMaker()
    for message in decode_capture(CAPTURES / f"{name}.pcap", keys=KEYS):
        maker.add(message)
    assert "Who talks to whom" in Elements(maker.html(made=MADE)).text
