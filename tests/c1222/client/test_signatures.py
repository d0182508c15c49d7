"""Both clients have every verb, with the same arguments and words, and `help` tells them."""

from __future__ import annotations

import inspect
import pydoc
from typing import Any

import pytest

import c1222
from c1222.client import aio, aio_meter, sync
from c1222.client.operations.operations import Operations

VERBS = sorted(name for name, value in inspect.getmembers(Operations, inspect.isfunction) if not name.startswith("_"))


def test_there_are_verbs() -> None:
    assert {"read", "write", "procedure", "registers", "load_profile", "set_clock", "register", "notify"} <= set(VERBS)
    for verb in VERBS:
        assert inspect.isgeneratorfunction(getattr(Operations, verb)), verb


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("client", [sync.Meter, aio_meter.AsyncMeter], ids=["sync", "aio"])
def test_every_verb_is_there_with_its_words(client: type, verb: str) -> None:
    method, original = getattr(client, verb), getattr(Operations, verb)
    assert method.__doc__ == original.__doc__
    assert "Raises:" in method.__doc__
    signature, wanted = inspect.signature(method), inspect.signature(original)
    assert signature.parameters == wanted.parameters
    assert f"Operation[{signature.return_annotation}]" == wanted.return_annotation
    assert inspect.iscoroutinefunction(method) == (client is aio_meter.AsyncMeter)
    for parameter in list(signature.parameters)[1:]:
        assert f"{parameter}: " in method.__doc__, f"{verb} says nothing of {parameter}"


def test_help_is_useful() -> None:
    text = pydoc.plain(pydoc.render_doc(sync.Meter))
    assert "read(self, *what: 'int | str', progress: 'Progress | None' = None" in text
    assert "Operation[" not in text
    for function in (c1222.connect, aio.connect, aio.Network.meter):
        words = pydoc.plain(pydoc.render_doc(function))
        for name, parameter in inspect.signature(Operations).parameters.items():
            if parameter.kind is parameter.KEYWORD_ONLY:
                assert f"        {name}: " in words, name
        assert "Raises:" in words
        assert "Attributes:" not in words
        assert words.index("Args:") < words.index("Raises:")


@pytest.mark.parametrize("argument", ["timeout", "attempts", "busy_tries", "busy_pause", "max_size", "idle"])
def test_time_outs_and_retries_have_stated_defaults(argument: str) -> None:
    words = inspect.getdoc(Operations) or ""
    entry = words.partition(f"    {argument}: ")[2].partition("\n    ")[0] + words.partition(f"    {argument}: ")[2]
    assert "efault" in entry[:400] or argument == "idle"


def test_defaults_are_as_stated() -> None:
    from c1222.protocol.policy import TCP_LINK, UDP_LINK

    udp, tcp = (Operations(link, called=".1").conversation.initiator for link in (UDP_LINK, TCP_LINK))
    assert (udp.timing.timeout, udp.timing.attempts, udp.timing.growth) == (5, 4, 1.5)
    assert (tcp.timing.timeout, tcp.timing.attempts) == (60, 1)
    assert (udp.timing.busy_tries, udp.timing.busy_pause) == (20, 2)
    assert (udp.mode, udp.link.max_size) == (0, 1400)
    given: Any = {"timeout": 1, "attempts": 2, "busy_tries": 3, "busy_pause": 4, "max_size": 500, "segments": True}
    other = Operations(UDP_LINK, called=".1", key=c1222.Key(3, bytes(16)), **given).conversation.initiator
    assert other.timing[:2] == (1, 1.5)
    assert (other.timing.attempts, other.timing.busy_tries, other.timing.busy_pause) == (2, 3, 4)
    assert (other.mode, other.key_id) == (2, 3)
    assert (other.link.max_size, other.link.segments) == (500, True)


def test_secrets_are_in_no_repr() -> None:
    from c1222.protocol.policy import UDP_LINK

    operations = Operations(UDP_LINK, called=".1", key=c1222.Key(3, b"k" * 16), password="pass-word")
    talk = operations.conversation
    for thing in (operations, vars(operations), talk, vars(talk), talk.login, talk.initiator, talk.initiator.identity):
        assert "pass-word" not in repr(thing)
        assert "kkkk" not in repr(thing)
