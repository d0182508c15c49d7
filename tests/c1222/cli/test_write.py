"""``c1222 write``."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.c1222.cli.conftest import Talk


def owner(talk: Talk) -> str:
    return str(talk("read", "ST6.OWNER_NAME").stdout.split(maxsplit=1)[1].strip())


def test_an_element(talk: Talk) -> None:
    result = talk("write", "ST6.OWNER_NAME", "By the test", options=("--verify",))
    assert (result.exit_code, result.stdout) == (0, "ST6.OWNER_NAME is written and reads back the same\n")
    assert owner(talk) == "By the test"
    assert talk("write", "ST6.OWNER_NAME", '"quoted"').exit_code == 0
    assert owner(talk) == "quoted"
    assert talk("write", "ST6.OWNER_NAME", "-", input="from stdin\n").exit_code == 0
    assert owner(talk) == "from stdin"
    assert talk("write", "ST6.OWNER_NAME", "-", input=b"\xef\xbb\xbfmarked\r\n").exit_code == 0
    assert owner(talk) == "marked"
    unreadable = talk("write", "ST6.OWNER_NAME", "-", input=b"\xff")
    assert (unreadable.exit_code, owner(talk)) == (2, "marked")
    assert "not UTF-8" in unreadable.stderr


def test_a_text_that_looks_like_a_number(talk: Talk) -> None:
    assert talk("write", "ST6.OWNER_NAME", "12345", options=("--verify",)).exit_code == 0
    assert owner(talk) == "12345"


def test_a_whole_table(talk: Talk) -> None:
    assert talk("write", "ST5", '{"IDENTIFICATION": "METER-X"}', options=("--verify",)).exit_code == 0
    assert "METER-X" in talk("read", "5").stdout
    octets = b"METER-008437".ljust(20).hex()
    assert talk("write", "5", octets, options=("--hex", "--verify")).exit_code == 0
    assert "METER-008437" in talk("read", "5").stdout


def test_octets_at_an_offset(talk: Talk) -> None:
    talk("write", "ST6.OWNER_NAME", "abcdef")
    assert talk("write", "ST6", "5859", options=("--hex", "--offset", "2", "--verify")).exit_code == 0
    assert owner(talk) == "abXYef"


def test_what_is_refused(talk: Talk) -> None:
    refused = talk("write", "ST6.OWNER_NAME", "x", password="reader-demo")
    assert refused.exit_code == 3
    assert "isc" in refused.stderr
    assert talk("write", "ST6.OWNER_NAME", "x" * 30).exit_code == 2
    assert talk("write", "ST6", "zz", options=("--hex",)).exit_code == 2
    assert talk("write", "ST6", "00", options=("--offset", "2")).exit_code == 2
    assert talk("write", "ST6.NONE", "1").exit_code == 2


def test_a_meter_that_does_not_answer(talk: Talk) -> None:
    result = talk(
        "write", "ST6", "00", url="udp://127.0.0.1:9",
        options=("--hex", "--sessionless", "--timeout", "0.1", "--attempts", "2"), password=None,
    )  # fmt: skip
    assert result.exit_code == 3
    assert "unknown whether ST6 was written" in result.stderr
