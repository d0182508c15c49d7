"""The generated vectors: the same from the same seed, in their schema, and complete."""

import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from c1222.services import REQUESTS, SERVICE_ERRORS
from c1222.vectors.generation import FAMILIES, generate, write
from c1222.vectors.legend import LEGEND
from c1222.vectors.model import parse
from c1222.vectors.operations import OPERATIONS
from tests.c1222.vectors.committed import FOLDER, SEED, SPECS, asked, families, family, thinned

SCHEMA = json.loads((SPECS / "vectors.schema.json").read_text("utf-8"))


def test_the_committed_files_come_from_their_seed(tmp_path: Path) -> None:
    written = write(SEED, tmp_path / "new")
    assert [path.name for path, _ in written] == [f"{name}.json" for name in FAMILIES]
    assert sorted(path.name for path in FOLDER.iterdir()) == sorted(path.name for path, _ in written)
    for path, _ in written:
        assert path.read_bytes() == (FOLDER / path.name).read_bytes(), path.name
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 5_000_000


def test_neither_hash_seed_nor_order_of_imports_matters() -> None:
    code = (
        "import hashlib; from c1222.vectors.generation import FAMILIES, generate, module_of\n"
        "for name in reversed(FAMILIES): module_of(name)\n"
        f"for family in generate({SEED}): print(hashlib.sha256(family.encode()).hexdigest())"
    )
    out = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONHASHSEED": "4242"},
        cwd=SPECS.parent,
    ).stdout.split()
    assert out == [hashlib.sha256((FOLDER / f"{name}.json").read_bytes()).hexdigest() for name in FAMILIES]


def test_another_seed_makes_other_vectors() -> None:
    made = list(generate(-20_261_122))
    assert [one.name for one in made] == list(FAMILIES)
    fixed = {"epsem", "types-times"}  # nothing random but a few octets, or nothing at all
    for one in made:
        assert one.name in fixed or one.encode() != (FOLDER / f"{one.name}.json").read_bytes()


@pytest.mark.parametrize("name", FAMILIES)
def test_files_are_in_the_schema(name: str) -> None:
    octets = (FOLDER / f"{name}.json").read_bytes()
    assert parse(octets).encode() == octets
    few = thinned(parse(octets), 25)  # every group: a validator in Python takes its time
    jsonschema.Draft202012Validator(SCHEMA).validate(json.loads(few.encode()))


def test_the_schema_refuses_what_it_should() -> None:
    validator = jsonschema.Draft202012Validator(SCHEMA)
    validator.check_schema(SCHEMA)
    text = thinned(family("epsem"), 2).encode()
    validator.validate(json.loads(text))
    case = ("groups", 0, "cases", 0)
    for *path, name, value in (
        ("schema", "c1222.vectors/2"),
        ("groups", 0, "cases", 1, "result", "invalid"),
        (*case, "output", {}),
        ("groups", 0, "operation", "epsem.guess"),
        (*case, "input", "octets", "0"),
        (*case, "input", "shoe", 46),
        ("flags", "EdClass", "confidence", "sure"),
    ):
        content = place = json.loads(text)
        for step in path:
            place = place[step]
        place[name] = value
        assert list(validator.iter_errors(content)), (path, name)


def test_ids_are_unique_and_flags_explained() -> None:
    used = set()
    for one in families():
        ids = [case.id for _, case in one.cases()]
        assert len(ids) == len(set(ids)), one.name
        assert len({group.id for group in one.groups}) == len(one.groups)
        flags = {flag for _, case in one.cases() for flag in case.flags}
        assert flags == set(one.flags), one.name
        used |= flags
    assert used == set(LEGEND)


def test_every_operation_is_asked_for_and_documented() -> None:
    assert {group.operation for one in families() for group in one.groups} == set(OPERATIONS)
    assert set(SCHEMA["$defs"]["group"]["properties"]["operation"]["enum"]) == set(OPERATIONS)
    page = (SPECS / "vectors" / "README.md").read_text("utf-8")
    table = page.partition("## Operations")[2].partition("## Protocol")[0]
    assert set(re.findall(r"`([a-z-]+(?:\.[a-z]+)?)`", table.replace("`c1222 ", ""))) - {"base"} == set(OPERATIONS)
    listed = re.findall(r"`([a-z-]+)`", page.partition("| family | about |")[2].partition("Families come")[0])
    assert tuple(listed) == FAMILIES


def test_each_result_is_there_where_it_can_be() -> None:
    for one in families():
        results = {case.result for _, case in one.cases()}
        assert {"valid", "invalid"} <= results, one.name
    assert sum(case.result == "acceptable" for one in families() for _, case in one.cases()) > 100


def test_every_code_is_there() -> None:
    for operation in ("request.decode", "request.encode"):
        taken = [case for case, _ in asked("services", operation) if case.result == "valid"]
        codes = {
            (case.output or {}).get("service", case.input.get("service", {})).get("code")
            if operation == "request.decode"
            else case.input["service"]["code"]
            for case in taken
        }
        assert set(REQUESTS) - codes == {0x4E}, "of the default write nothing but the name is known"
    for operation in ("response.decode", "response.encode"):
        octets = {
            (given.get("octets") or (case.output or {}).get("octets", ""))[:2]
            for case, given in asked("services", operation)
            if case.result == "valid"
        }
        assert octets == {f"{code:02x}" for code in (0, *SERVICE_ERRORS)}


def test_every_format_is_there() -> None:
    forms = {
        (given["type"], given["formats"].get("DATA_ORDER", 0), code)
        for case, given in asked("types-numbers", "type.decode")
        if case.result == "valid" and given["type"].startswith("NI_FMAT")
        for name, code in given["formats"].items()
        if name.startswith("NI_FORMAT")
    }
    assert {code for name, _, code in forms if name == "NI_FMAT1"} == set(range(14))
    assert {code for name, _, code in forms if name == "NI_FMAT2"} == set(range(14))
    signs = {
        (given["type"], given["formats"].get("INT_FORMAT", 0), given["formats"]["DATA_ORDER"])
        for _, given in asked("types-numbers", "type.encode")
        if given["type"].startswith("INT") and "DATA_ORDER" in given["formats"]
    }
    assert len(signs) == 8 * 3 * 2
    times = {
        (given["type"], given["formats"]["TM_FORMAT"])
        for case, given in asked("types-times", "type.decode")
        if case.result == "valid" and "TM_FORMAT" in given["formats"]
    }
    assert len(times) == 6 * 5
    letters = {
        given["formats"]["CHAR_FORMAT"]
        for _, given in asked("types-text", "type.encode")
        if "formats" in given and "CHAR_FORMAT" in given["formats"]
    }
    assert letters >= {1, 2, 3, 4, 5}


def test_every_bit_of_one_mac_is_flipped() -> None:
    (group,) = [group for group in family("eax-prime").groups if group.id == "mac-flips"]
    good = int(group.cases[0].input["mac"], 16)
    flips = {good ^ int(case.input["mac"], 16) for case in group.cases if "MacBitFlip" in case.flags}
    assert flips == {1 << bit for bit in range(32)}
    assert all(case.result == "invalid" for case in group.cases if "MacBitFlip" in case.flags)


def test_lengths_of_the_user_information_are_all_there() -> None:
    sizes = set()
    for case, given in asked("canonical-header", "canonical-header"):
        if case.id.startswith("lengths"):
            sizes.add(int(re.fullmatch(r"a string of (\d+) octets", case.comment)[1]))  # type: ignore[index]
            assert given["apdu"].startswith("60")
    assert sizes >= {*range(124, 132), *range(250, 261)}
