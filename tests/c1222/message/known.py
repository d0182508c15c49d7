"""The published and generated messages, and what hypothesis makes of them."""

import json
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from c1222.message.acse import Acse, Authentication
from c1222.message.aptitle import ApTitle

ENTRIES: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[3] / "specs/vectors/messages.json").read_text("utf-8")
)["messages"]
MESSAGES = [entry for entry in ENTRIES if "segments" not in entry]
SEGMENTED = next(entry for entry in ENTRIES if "segments" in entry)
OCTETS = [bytes.fromhex(entry["octets"]) for entry in ENTRIES] + [bytes.fromhex(s) for s in SEGMENTED["segments"]]

# Forms of the calling-authentication-value that no published message shows, whole elements.
AUTHENTICATIONS = {
    "no key id": "ac0ca20aa008a106810448f3d061",
    "indirect reference 0": "ac12a210020100a00ba109800102810448f3d061",
    "direct reference": "ac13a21106022a03a00ba109800102810448f3d061",
    "octet-aligned": "ac07a2058103010203",
    "C12.21 identification": "ac0ba209a007a0058003aabbcc",
    "C12.21 empty response": "ac08a206a004a0028200",
    "draft, vector of 8": "ac13a211a00fa10d800102810848f3d06148f3d061",
    "draft, no vector": "ac0fa20da00ba109800102820448f3d061",  # as long as the usual form
    "draft, token": "ac19a217a015a113800102810448f3d06183080102030405060708",
}


def around(authentication: str) -> bytes:
    """Return a message with this authentication value."""
    inside = bytes.fromhex("a20580037bc175a60480027b04a803020103" + authentication + "be0728058103800120")
    return bytes((0x60, len(inside))) + inside


OCTETS += [around(text) for text in AUTHENTICATIONS.values()]

arcs = st.one_of(st.integers(0, 300), st.integers(0, 2**70))
titles = st.one_of(
    st.lists(arcs, max_size=8).map(lambda a: ApTitle("." + ".".join(map(str, a)))),
    st.tuples(st.integers(0, 1), st.integers(0, 39), st.lists(arcs, max_size=8)).map(
        lambda t: ApTitle(".".join(map(str, (t[0], t[1], *t[2]))))
    ),
    st.tuples(arcs, st.lists(arcs, max_size=8)).map(lambda t: ApTitle(".".join(map(str, (2, t[0], *t[1]))))),
)
ids = st.one_of(st.integers(0, 300), st.integers(0, 2**32 - 1))
authentications = st.builds(
    Authentication,
    form=st.just("c12.22"),
    key_id=st.one_of(st.none(), st.integers(0, 255)),
    iv=st.binary(min_size=4, max_size=4),
    raw=st.none(),
)
apdus = st.builds(
    Acse.build,
    application_context=st.sampled_from([None, "2.16.124.113620.1.22", "1.2.840.10066"]),
    called=st.none() | titles,
    called_ae_qualifier=st.none() | st.integers(0, 70000),
    called_invocation_id=st.none() | ids,
    calling=st.none() | titles,
    calling_ae_qualifier=st.none() | st.integers(0, 7),
    calling_invocation_id=ids,
    mechanism=st.sampled_from([None, "2.16.124.113620.1.22.2.1"]),
    authentication=st.none() | authentications,
    indirect_reference=st.none() | st.integers(0, 70000),
    user_information=st.binary(max_size=40) | st.binary(min_size=120, max_size=260),
)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """Draw a known or built message with a few octets changed, put in, taken out, moved or repeated."""
    octets = bytearray(draw(st.one_of(st.sampled_from(OCTETS), apdus.map(Acse.encode))))
    for _ in range(draw(st.integers(1, 4))):
        pos = draw(st.integers(0, max(0, len(octets) - 1)))
        size = draw(st.integers(1, 6))
        match draw(st.integers(0, 5)):
            case 0 if octets:
                octets[pos] = draw(st.integers(0, 255))
            case 1:
                octets[pos:pos] = draw(st.binary(min_size=1, max_size=4))
            case 2:
                del octets[pos : pos + size]
            case 3:
                octets[pos:pos] = octets[pos : pos + size]
            case 4:
                del octets[pos:]
            case _ if octets:
                octets[pos] = (octets[pos] + draw(st.sampled_from([-2, -1, 1, 2, 0x80]))) % 256
    if draw(st.booleans()) and 2 < len(octets) < 130:
        octets[0:2] = bytes((0x60, len(octets) - 2))
    return bytes(octets)
