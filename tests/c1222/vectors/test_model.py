"""Files of vectors: what is read back, and what is refused."""

import json
from typing import Any

import pytest

from c1222.errors import DecodeError
from c1222.vectors import published
from c1222.vectors.model import Case, Family, Flag, Group, parse

GOOD = Family(
    "sample", "A sample.", "generated", 5, {"EdClass": Flag("V", "An ED class.")},
    (
        Group("one", "epsem.decode", "One.", {"shared": 1}, (
            Case("one-001", "first", "valid", ("EdClass",), {"octets": "80"}, {"mode": 0}, {"step": "00"}),
            Case("one-002", "second", "invalid", (), {"octets": ""}, None, {}, ("epsem.control", 0)),
        )),
        Group("two", "epsem.decode", "Two.", {}, (Case("two-001", "third", "acceptable", (), {}, None, {}),)),
    ),
)  # fmt: skip


def test_what_is_written_is_read_back() -> None:
    octets = GOOD.encode()
    assert parse(octets) == GOOD
    assert GOOD.size == 3
    assert octets.isascii()
    assert json.loads(octets)["groups"][0]["cases"][1]["at"] == {"path": "epsem.control", "offset": 0}
    assert sum(line.strip().startswith(b'{"id"') for line in octets.splitlines()) == 5, "a group or a case a line"


@pytest.mark.parametrize("octets", [b"", b"[]", b"{", b'"text"', b"\xff\xfe", b"[" * 100_000, b'{"schema": "x"}'])
def test_what_is_no_file_of_vectors_is_refused(octets: bytes) -> None:
    for read in (parse, published.read):
        with pytest.raises(DecodeError):
            read(octets)


def test_a_file_that_is_too_large_is_refused() -> None:
    with pytest.raises(DecodeError, match="limit"):
        parse(GOOD.encode(), max_size=100)


def changes() -> list[tuple[str, Any]]:
    def at(*path: Any, value: Any = ...) -> Any:
        def change(content: Any) -> None:
            for step in path[:-1]:
                content = content[step]
            if value is ...:
                del content[path[-1]]
            else:
                content[path[-1]] = value

        return change

    case = ("groups", 0, "cases", 0)
    return [
        ("vectors.schema", at("schema", value="c1222.vectors/9")),
        ("vectors.seed", at("seed", value="1")),
        ("vectors", at("family")),
        ("vectors.groups", at("groups", value={})),
        ("vectors.groups[0]", at("groups", 0, value=7)),
        ("vectors.groups[0].input", at("groups", 0, "input", value=[])),
        ("vectors.groups[0].cases", at("groups", 0, "cases", value=None)),
        ("vectors.groups[0].cases[0]", at(*case, value=None)),
        ("vectors.groups[0].cases[0]", at(*case, "id")),
        ("vectors.groups[0].cases[0].result", at(*case, "result", value="maybe")),
        ("vectors.groups[0].cases[0].output", at(*case, "output")),
        ("vectors.groups[0].cases[1].output", at("groups", 0, "cases", 1, "output", value={})),
        ("vectors.groups[0].cases[0].flags", at(*case, "flags", value=["Unheard"])),
        ("vectors.groups[0].cases[0].flags", at(*case, "flags", value=[["EdClass"]])),
        ("vectors.flags.EdClass.confidence", at("flags", "EdClass", "confidence", value="sure")),
        ("vectors.groups[0].cases[1].offset", at("groups", 0, "cases", 1, "at", "offset", value="0")),
    ]  # fmt: skip


@pytest.mark.parametrize(("path", "change"), changes())
def test_the_error_says_where(path: str, change: Any) -> None:
    content = json.loads(GOOD.encode())
    change(content)
    with pytest.raises(DecodeError) as caught:
        parse(json.dumps(content).encode())
    assert caught.value.path == path


@pytest.mark.parametrize("schema", ["c1222.vectors/eax-prime/1", "c1222.vectors/messages/1"])
@pytest.mark.parametrize("rest", [{}, {"vectors": 1, "messages": 1}, {"vectors": [{}], "messages": [{}]},
                                  {"vectors": ["x"], "messages": [None]}])  # fmt: skip
def test_published_files_that_are_none_are_refused(schema: str, rest: dict[str, Any]) -> None:
    with pytest.raises(DecodeError, match="not what"):
        published.read(json.dumps({"schema": schema, **rest}).encode())
