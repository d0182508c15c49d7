"""``c1222 read``."""

from __future__ import annotations

import datetime as dt
import json
from functools import partial
from typing import TYPE_CHECKING
from unittest.mock import Mock

import pytest

from c1219.device import Device
from c1219.errors import DecodeError
from c1222.cli.read import read_each, value_lines
from c1222.client.errors import ChecksumWrong, CutShort
from c1222.client.sync import Meter
from c1222.errors import ConnectionLost, PeerSilent
from c1222.node.meter.rights import Rights
from c1222.services.results import Iar
from c1222.transport.udp import UdpClient

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.c1222.cli.conftest import Talk


def test_tables_elements_and_meaning_as_text(talk: Talk) -> None:
    result = talk("read", "ST1", "ST6.OWNER_NAME", "registers", "identity", "clock")
    assert result.exit_code == 0, result.stderr
    lines = [line.split() for line in result.stdout.splitlines()]
    assert ["ST1.ED_MODEL", "POLY-TOU"] in lines
    assert any(line[:1] == ["ST6.OWNER_NAME"] for line in lines)
    assert ["registers"] in lines
    assert ["model", "POLY-TOU"] in lines
    assert any("Wh active energy delivered summation total" in " ".join(line) for line in lines)
    assert ["clock"] in lines


def test_json_has_a_key_for_each(talk: Talk) -> None:
    now = dt.datetime.now(dt.UTC)
    result = talk(
        "read", "5", "ST23.TOT_DATA_BLOCK.SUMMATIONS", "load-profile", "1", "events",
        options=("--format", "json", "--since", (now - dt.timedelta(hours=2)).isoformat()),
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    shown = json.loads(result.stdout)
    assert list(shown) == ["5", "ST23.TOT_DATA_BLOCK.SUMMATIONS", "load-profile 1", "events"]
    assert shown["5"] == {"IDENTIFICATION": "METER-008437"}
    assert len(shown["ST23.TOT_DATA_BLOCK.SUMMATIONS"]) == 3
    assert 4 * 6 <= len(shown["load-profile 1"]["intervals"]) <= 4 * 9
    assert shown["events"]["events"]


def test_a_profile_without_a_number_is_the_first(talk: Talk) -> None:
    since = (dt.datetime.now(dt.UTC) - dt.timedelta(hours=1)).isoformat()
    shown = json.loads(talk("read", "load-profile", options=("--format", "json", "--since", since)).stdout)
    assert list(shown) == ["load-profile 1"]


def test_what_was_read_can_be_saved(talk: Talk, tmp_path: Path) -> None:
    path = tmp_path / "device.json"
    assert talk("read", "23", options=("--save", str(path))).exit_code == 0
    saved = Device.from_json(path.read_text("utf-8"))
    assert list(saved) == ["ST0", "ST21", "ST23"]
    assert talk("read", "0", options=("--save", str(tmp_path))).exit_code == 2


@pytest.mark.parametrize("path", ["ST42", "ST42.SECURITY_ENTRIES[0].PASSWORD", "ST42.SECURITY_ENTRIES"])
def test_passwords_are_concealed_in_what_is_shown_and_only_there(
    talk: Talk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr(Rights, "may_read", lambda *_: True)
    secret = b"reader-demo"
    for form in ("text", "json"):
        result = talk("read", path, options=("--format", form))
        assert result.exit_code == 0, result.stderr
        assert "<" in result.stdout
        for shown in (secret.decode(), secret.hex()):
            assert shown not in result.stdout + result.stderr
    saved = tmp_path / "device.json"
    assert talk("read", "ST42", options=("--save", str(saved))).exit_code == 0
    assert secret in Device.from_json(saved.read_text("utf-8"))["ST42"].raw


def test_refusals_and_names_that_are_none(talk: Talk) -> None:
    absent = talk("read", "99")
    assert (absent.exit_code, absent.stdout) == (3, "")
    assert "ST0 does not list the table" in absent.stderr
    assert talk("read", "42", password="reader-demo").exit_code == 3
    for wrong in ("ST23.NONE", "nonsense", "ST5000"):
        result = talk("read", wrong)
        assert result.exit_code == 2
        assert result.stderr.startswith("c1222: ")
    assert talk("read", "1", options=("--since", "yesterday")).exit_code == 2
    assert talk("read", "1", options=("--zone", "Mars/Olympus")).exit_code == 2


def test_what_is_refused_leaves_the_rest(talk: Talk) -> None:
    part = talk("read", "ST5", "ST99", "identity", "ST1.ED_MODEL")
    assert part.exit_code == 1
    assert "METER-008437" in part.stdout
    assert "ST1.ED_MODEL  POLY-TOU" in part.stdout
    assert "identity" in part.stdout
    assert "c1222: ST99: " in part.stderr
    assert "ST0 does not list the table" in part.stderr
    shown = talk("read", "99", "5", options=("--format", "json"))
    assert (shown.exit_code, json.loads(shown.stdout)) == (1, {"5": {"IDENTIFICATION": "METER-008437"}})
    nothing = talk("read", "99", "98")
    assert (nothing.exit_code, nothing.stdout) == (3, "")
    assert nothing.stderr.count("c1222: ") == 2
    assert talk("read", "5", "ST5.NONE").exit_code == 2


def test_a_meter_that_is_lost_leaves_what_was_read(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["5", "64", "identity", "clock"]
    send = UdpClient.send
    seen: dict[int, int] = {}
    for heard in (0, 2, 3, 10, *range(15, 23)):
        waiting = iter(range(heard))

        def sent(self: UdpClient, apdu: bytes, waiting: Iterator[int] = waiting) -> None:
            if next(waiting, None) is None:
                raise ConnectionLost("it is gone")
            send(self, apdu)

        monkeypatch.setattr(UdpClient, "send", sent)
        result = talk("read", *names, options=("--format", "json", "--sessionless"))
        read, left = list(json.loads(result.stdout or "{}")), result.stderr.count("it is gone")
        seen[len(read)] = result.exit_code
        assert read == names[: len(read)]
        assert left == (len(read) < 4)
        assert not read or not left or f"c1222: {', '.join(names[len(read) :])}: " in result.stderr
    assert seen == {0: 3, 1: 1, 2: 1, 3: 1, 4: 0}


def test_what_leaves_the_rest() -> None:
    errors = [Iar(), CutShort("ST5", b"", 20), ChecksumWrong("ST5", b""), DecodeError("ST5", 0, "wrong")]
    lost = PeerSilent("no answer")

    def fails(error: Exception) -> None:
        raise error

    calls = {str(number): partial(fails, error) for number, error in enumerate(errors)}
    found, refused = read_each({**calls, "a": lambda: 1}, {"b": Iar()})
    assert found == {"a": 1}
    assert list(refused) == ["b", *calls]
    assert read_each({"a": lambda: 1, "c": partial(fails, lost), "d": lambda: 2}, {}) == (
        {"a": 1},
        {"c": lost, "d": lost},
    )


def test_exit_codes_where_nothing_can_be_shown(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    assert talk("read", "99", "identity").exit_code == 1
    for error, code in ((DecodeError("ST5", 0, "wrong"), 1), (CutShort("ST5", b"", 20), 3)):
        monkeypatch.setattr(Meter, "read", Mock(side_effect=error))
        result = talk("read", "5", options=("--format", "json"))
        assert (result.exit_code, result.stdout) == (code, "")
        assert "c1222: 5: ST5" in result.stderr


def test_a_lack_of_rights_names_the_options_that_give_some(talk: Talk) -> None:
    for command, code in (
        (("read", "ST42", "ST1"), 1),
        (("read", "42"), 3),
        (("write", "ST6.MISC_ID", "x"), 3),
    ):
        result = talk(*command, password="reader-demo")
        assert result.exit_code == code
        for word in ("--user-id", "--ask-password", "C1222_PASSWORD"):
            assert word in result.stderr
    assert "--ask-password" not in talk("read", "99").stderr


def test_sets_of_a_load_profile(talk: Talk) -> None:
    for number in ("0", "5", "9", "23"):
        result = talk("read", "load-profile", number)
        assert result.exit_code == 2
        assert "1 to 4" in result.stderr


def test_a_zone_goes_before_the_meters_own(talk: Talk) -> None:
    shown = json.loads(talk("read", "clock", options=("--format", "json", "--zone", "UTC")).stdout)
    assert shown["clock"]["time"].endswith("+00:00")


def test_findings_go_to_standard_error(talk: Talk) -> None:
    result = talk("read", "load-profile", "4")
    assert result.stdout.split() == ["load-profile", "4", "none"]
    assert "ST67" in result.stderr
    assert result.exit_code == 1


def test_values_as_lines() -> None:
    value = {"A": 1, "B": [1, 2], "C": [{"D": "text"}, {"D": None}], "E": {}, "F": [], "G": True}
    assert list(value_lines("ST1", value)) == [
        "ST1.A       1",
        "ST1.B       1, 2",
        "ST1.C[0].D  text",
        "ST1.C[1].D  null",
        "ST1.E       {}",
        "ST1.F       ",
        "ST1.G       true",
    ]
