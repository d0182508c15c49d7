"""Meters by name: what a file says of them, what is wrong with one, and the way to a meter."""

from __future__ import annotations

import asyncio
import datetime as dt
import re
import sys
import types
from typing import TYPE_CHECKING, Any

import pytest

import c1222
from c1222.collect import Meters, MetersFileError, secret_sources
from c1222.collect.fields import FIELDS
from c1222.errors import InvalidKey, StateError
from c1222.security.keys import Key, KeyStore
from tests.c1222.collect.conftest import KEY, ROOT

if TYPE_CHECKING:
    from c1222.node import RunningNode
    from tests.c1222.collect.conftest import MetersFile

DEFAULTS = """\
[defaults]
keys = "keys.toml"
calling = ".123.4"
mode = 2
user_id = 2
password = { env = "METER_PASSWORD" }
zone = "America/New_York"
"""
ENVIRON = {"METER_PASSWORD": "reader-demo"}


def one(url: str, more: str = "") -> str:
    return f'{DEFAULTS}[[meter]]\nname = "north-7"\nurl = "{url}"\ncalled = ".123.8437"\ngroups = ["north"]\n{more}'


def test_a_name_is_a_way_to_the_meter(meters_file: MetersFile, simulated: RunningNode) -> None:
    meters = c1222.collect.Meters.load(meters_file(one(simulated.url)), environ=ENVIRON)
    with meters["north-7"].connect(session=True) as meter:
        assert meter.read("ST1.ED_MODEL").strip() == "POLY-TOU"

    async def over_asyncio() -> str:
        async with meters["north-7"].connect_async() as meter:
            return str(await meter.read("ST1.ED_MODEL"))

    assert asyncio.run(over_asyncio()).strip() == "POLY-TOU"


def test_options_go_before_the_file(meters_file: MetersFile) -> None:
    meters = Meters.load(meters_file(one("udp://127.0.0.1:9")), environ={})
    assert "password" not in meters["north-7"].arguments(without=("password",))
    with pytest.raises(StateError, match="north-7: there is no METER_PASSWORD in the environment"):
        meters["north-7"].arguments()


def test_meter_before_group_before_defaults(meters_file: MetersFile) -> None:
    text = one("udp://h:1") + (
        '[groups.north]\nuser_id = 7\ntimeout = 9\nmode = 1\n[[meter]]\nname = "a"\nurl = "tcp://h"\nmode = 0\n'
        'groups = ["south", "north"]\nlabels = { feeder = "12" }\n[groups.south]\nuser_id = 8\n'
    )
    meters = Meters.load(meters_file(text), environ=ENVIRON)
    assert meters["a"].arguments()["user_id"] == 8
    assert meters["a"].arguments()["timeout"] == 9
    assert meters["a"].arguments()["mode"] == 0
    assert meters["north-7"].arguments()["user_id"] == 7
    assert meters["a"].labels == {"feeder": "12"}
    assert meters["a"].zone == dt.datetime.now(meters["a"].zone).tzinfo
    assert str(meters["a"].zone) == "America/New_York"


def test_groups(meters_file: MetersFile) -> None:
    meters = Meters.load(meters_file(one("udp://h:1", '[[meter]]\nname = "b"\nurl = "udp://h:2"\n')), environ=ENVIRON)
    names = {name: [meter.name for meter in meters.group(name)] for name in ("all", "north", "b")}
    assert names == {"all": ["north-7", "b"], "north": ["north-7"], "b": ["b"]}
    with pytest.raises(MetersFileError, match="no group 'nroth'; did you mean 'north'"):
        meters.group("nroth")
    with pytest.raises(MetersFileError, match="no meter 'north-8'; did you mean 'north-7'"):
        meters.named("north-8")
    with pytest.raises(KeyError):
        meters["north-8"]


def test_the_environment_names_the_file(
    meters_file: MetersFile, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = meters_file(one("udp://h:1"))
    assert list(Meters.load(environ={"C1222_METERS": str(path)})) == ["north-7"]
    monkeypatch.chdir(path.parent)
    assert list(Meters.load(environ={})) == ["north-7"]
    monkeypatch.chdir(tmp_path_factory.mktemp("empty"))
    with pytest.raises(MetersFileError, match=r"meters\.toml: No such file"):
        Meters.load(environ={})


LIST = "Meter No,AP title,Where,Feeder,User\nM1,.123.1,udp://h:1,12,\nM2,.123.2,udp://h:1,13,3\n"
IMPORT = (
    '[[import]]\ncsv = "fleet.csv"\ngroups = ["long"]\n'
    'columns = { name = "Meter No", called = "AP title", url = "Where", user_id = "User", labels = { feeder = "Feeder" } }\n'
)


def test_a_list_is_imported(meters_file: MetersFile) -> None:
    meters = Meters.load(meters_file(one("udp://h:9") + IMPORT, fleet_csv=LIST), environ=ENVIRON)
    assert [meter.name for meter in meters.group("long")] == ["M1", "M2"]
    assert [meters[name].arguments()["user_id"] for name in ("M1", "M2")] == [2, 3]
    assert [meters[name].arguments()["called"] for name in ("M1", "M2")] == [".123.1", ".123.2"]
    assert meters["M2"].labels == {"feeder": "13"}
    assert meters["M2"].url == "udp://h:1"


def test_columns_named_as_the_keys_need_no_mapping(meters_file: MetersFile) -> None:
    fleet = "name;url;called;session;groups;timeout\na;udp://h;.1.2;yes;x y;2.5\n"
    meters = Meters.load(meters_file('[[import]]\ncsv = "fleet.csv"\ndelimiter = ";"\n', fleet_csv=fleet))
    assert meters["a"].arguments() == {"called": ".1.2", "session": True, "timeout": 2.5}
    assert meters["a"].groups == ("x", "y")


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("[defaults]\nmode = 3\n", r"meters\.toml, line 2: mode: a number 0\.\.2 is needed"),
        ("[defaults]\n\nmoed = 2\n", r"line 3: 'moed' is not known; did you mean 'mode'\?"),
        ("[default]\nmode = 2\n", r"line 1: 'default' is not known; did you mean 'defaults'\?"),
        ('[[meter]]\nname = "a"\nurl = "udp://h"\n[[meter]]\nname = "b"\nurl = 7\n', "line 6: url: an address"),
        ('[[meter]]\nname = "a"\nurl = "udp://h"\n\n[[meter]]\nname = "a"\nurl = "udp://h"\n', "line 5: .*line 1"),
        ('[[meter]]\nname = "a"\n', "line 1: a needs a url"),
        ('[[meter]]\nurl = "udp://h"\n', "line 1: a meter needs a name"),
        ('[[meter]]\nname = "udp://h"\nurl = "udp://h"\n', "line 2: name: a name without : and /"),
        ("[[meter]\n", r"not TOML \(at line 1, column 8\)"),
        ('[defaults]\npassword = { envv = "X" }\n', "line 2: password: one source is needed"),
        ('[defaults]\nkey = { env = "X", file = "y" }\n', "line 2: key: one source is needed"),
        ('[defaults]\npassword = { command = "pass show" }\n', "line 2: password: command: a list"),
        ('[groups.north]\nname = "x"\n', "line 2: 'name' is not known"),
        ('[[import]]\ncsv = "none.csv"\n', r"none\.csv: No such file"),
        ('[[import]]\ncsv = "fleet.csv"\n', r"fleet\.csv, line 1: 'Meter No' is not known; or map columns"),
        (
            '[[import]]\ncsv = "fleet.csv"\n[import.columns]\nnmae = "Meter No"\n',
            "line 4: 'nmae' .*did you mean 'name'",
        ),
        (
            IMPORT.replace("Meter No", "Meter Nr"),
            r"fleet\.csv, line 1: 'Meter Nr' is not known; did you mean 'Meter No'",
        ),
        (IMPORT.replace("user_id", "mode"), r"fleet\.csv, line 3: mode: a number 0\.\.2"),
        ("meter = 1\n", "an array of tables is needed"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(meters_file: MetersFile, text: str, error: str) -> None:
    with pytest.raises(MetersFileError, match=error):
        Meters.load(meters_file(text, fleet_csv=LIST))


# Keys and passwords


def test_a_secret_stands_in_a_private_file_only(meters_file: MetersFile) -> None:
    text = (
        f'[defaults]\npassword = "swordfish"\nkey = "{KEY.hex()}"\nkey_id = 2\n[[meter]]\nname = "a"\nurl = "udp://h"\n'
    )
    for mode in (0o644, 0o640, 0o604):
        with pytest.raises(
            MetersFileError, match="line 2: password: a secret stands here, and others may read"
        ) as error:
            Meters.load(meters_file(text, mode=mode))
        assert "swordfish" not in str(error.value)
    meters = Meters.load(meters_file(text, mode=0o600))
    arguments = meters["a"].arguments()
    assert arguments["password"] == b"swordfish"
    assert arguments["key"] == Key(2, KEY)
    shown = f"{meters!r} {meters['a']!r} {meters.sources!r}"
    assert "swordfish" not in shown
    assert KEY.hex() not in shown
    fleet = "name,url,password\na,udp://h,swordfish\n"
    with pytest.raises(MetersFileError, match="line 2: password: a secret stands here") as error:
        Meters.load(meters_file('[[import]]\ncsv = "fleet.csv"\n', fleet_csv=fleet))
    assert "swordfish" not in str(error.value)
    fleet = "name,url,password\na,udp://h,env:METER_PASSWORD\n"
    meters = Meters.load(meters_file('[[import]]\ncsv = "fleet.csv"\n', fleet_csv=fleet), environ=ENVIRON)
    assert meters["a"].arguments()["password"] == b"reader-demo"


def with_source(source: str, name: str = "password") -> str:
    return f'[[meter]]\nname = "a"\nurl = "udp://h"\nkey_id = 5\n{name} = {source}\n'


def test_a_password_from_file_and_command(meters_file: MetersFile) -> None:
    meters = Meters.load(meters_file(with_source('{ file = "pw.txt" }'), **{"pw.txt": "one\ntwo\n"}))
    assert meters["a"].arguments()["password"] == b"one"
    program = f'{{ command = ["{sys.executable}", "-c", "print(open(\'pw.txt\').read())"] }}'
    meters = Meters.load(meters_file(with_source(program)))
    assert meters["a"].arguments()["password"] == b"one"
    failing = f'{{ command = ["{sys.executable}", "-c", "import sys; print(\'swordfish\'); sys.exit(3)"] }}'
    with pytest.raises(StateError, match=r"a: .*exit code 3") as error:
        Meters.load(meters_file(with_source(failing)))["a"].arguments()
    assert "swordfish" not in str(error.value)
    with pytest.raises(StateError, match=r"a: .*none\.txt: No such file"):
        Meters.load(meters_file(with_source('{ file = "none.txt" }')))["a"].arguments()


def test_a_command_that_does_not_end(meters_file: MetersFile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secret_sources, "COMMAND_SECONDS", 0.2)
    slow = f'{{ command = ["{sys.executable}", "-c", "import time; time.sleep(60)"] }}'
    with pytest.raises(StateError, match="no end after"):
        Meters.load(meters_file(with_source(slow)))["a"].arguments()


def test_keys_from_the_environment_and_their_ids(meters_file: MetersFile) -> None:
    meters = Meters.load(meters_file(with_source('{ env = "K" }', "key")), environ={"K": KEY.hex()})
    assert meters["a"].keys() == Key(5, KEY)
    meters = Meters.load(meters_file(with_source('{ env = "K", id = 9 }', "key")), environ={"K": KEY.hex()})
    assert meters["a"].keys() == Key(9, KEY)
    meters = Meters.load(meters_file(with_source('{ env = "K" }', "key")), environ={"K": "no hex"})
    with pytest.raises(InvalidKey, match="a: key: pairs of hexadecimal digits"):
        meters["a"].arguments()


def test_the_keyring(meters_file: MetersFile, monkeypatch: pytest.MonkeyPatch) -> None:
    meters = Meters.load(meters_file(with_source('{ keyring = "meters/reader" }')))
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(StateError, match=r"install c1222\[keyring\]"):
        meters["a"].arguments()
    held = {("meters", "reader"): "from the keyring"}
    fake: Any = types.SimpleNamespace(get_password=lambda service, user: held.get((service, user)))
    monkeypatch.setitem(sys.modules, "keyring", fake)
    assert meters["a"].arguments()["password"] == b"from the keyring"
    held.clear()
    with pytest.raises(StateError, match="the keyring has nothing for meters/reader"):
        Meters.load(meters.path)["a"].arguments()


def test_a_provider_gives_keys(meters_file: MetersFile, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, dict[str, Any]]] = []

    def provide(meter: str, source: dict[str, Any]) -> bytes:
        asked.append((meter, source))
        return KEY

    meters = Meters.load(meters_file(with_source('{ provider = "kms", slot = 3 }', "key")))
    with pytest.raises(StateError, match="no package here gives keys as kms"):
        meters["a"].keys()
    found = [types.SimpleNamespace(load=lambda: provide)]
    monkeypatch.setattr(
        secret_sources, "entry_points", lambda group, name: found if (group, name) == ("c1222.keys", "kms") else []
    )
    assert meters["a"].keys() == Key(5, KEY)
    assert asked == [("a", {"provider": "kms", "slot": 3})]
    monkeypatch.setattr(
        secret_sources,
        "entry_points",
        lambda **_: [types.SimpleNamespace(load=lambda: lambda *_: KeyStore([Key(1, KEY)]))],
    )
    assert list(meters["a"].keys() or ()) == [Key(1, KEY)]


def test_known_tables(meters_file: MetersFile) -> None:
    meters = Meters.load(
        meters_file(
            with_source('"known.json"', "device"),
            **{"known.json": '{"schema": "c1219.device/1", "tables": {"0": "00"}}'},
        )
    )
    assert meters["a"].arguments()["device"]["ST0"].raw == b"\0"
    with pytest.raises(MetersFileError, match="a: device: "):
        Meters.load(meters_file(with_source('"none.json"', "device")))["a"].arguments()


def test_the_page_is_right(meters_file: MetersFile) -> None:
    page = (ROOT / "specs" / "meters.md").read_text("utf-8")
    (example,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    fleet = "Meter No,AP title,Address,Feeder\nM1,.123.1,udp://h:1,12\n"
    meters = Meters.load(meters_file(example, fleet_csv=fleet), environ=ENVIRON)
    assert meters["north-7"].arguments()["timeout"] == 20
    assert meters["north-7"].labels == meters["M1"].labels == {"feeder": "12"}
    fields = re.search(r"^Fields: `([^`]*)`", page, re.MULTILINE)
    assert fields is not None
    assert fields[1].split() == list(FIELDS)


def test_one_schema_for_networks_and_serial_lines(meters_file: MetersFile) -> None:
    text = DEFAULTS + '[[meter]]\nname = "probe"\nurl = "serial:///dev/ttyUSB0?baud=9600"\n'
    arguments = Meters.load(meters_file(text), environ=ENVIRON)["probe"].arguments()
    assert arguments == {"user_id": 2, "password": b"reader-demo"}
