"""The plan of the house: which room may import which."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
RANK = {
    "errors": 0,
    "text": 0,
    "message": 1,
    "services": 2,
    "security": 2,
    "protocol": 3,
    "transport": 3,
    "client": 4,
    "node": 4,
    "capture": 4,
    "vectors": 4,
    "conformance": 5,
    "cli": 6,
}
MAY_IMPORT = {
    "cryptography": ("c1222/security/",),
    "pyasn1": ("c1222/message/acse",),
    "construct": ("c1219/datatypes", "c1219/schema", "c1219/engine/shapes", "c1219/tables/"),
    "socket": ("c1222/transport/", "c1222/client/", "c1222/node/", "c1222/cli/"),
    "asyncio": ("c1222/transport/", "c1222/client/", "c1222/node/", "c1222/cli/"),
    "time": ("c1222/transport/", "c1222/client/", "c1222/node/", "c1222/cli/"),
    "click": ("c1222/cli/",),
    "rich": ("c1222/cli/",),
}
MODULES = sorted(p for package in ("c1219", "c1222") for p in (ROOT / package).rglob("*.py"))


def imports(path: Path) -> Iterator[str]:
    """Yield the absolute dotted names a module imports, at whatever depth in the file."""
    package = path.relative_to(ROOT).with_suffix("").parts[:-1]
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            stem = ".".join(filter(None, (base, node.module or "")))
            yield stem
            yield from (f"{stem}.{alias.name}" for alias in node.names)


def room(dotted: str) -> str | None:
    parts = dotted.split(".")
    return parts[1] if parts[0] == "c1222" and len(parts) > 1 and parts[1] in RANK else None


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_point_one_way(path: Path) -> None:
    name = path.relative_to(ROOT).as_posix()
    own = room(name.removesuffix(".py").replace("/", "."))
    for target in imports(path):
        top = target.split(".")[0]
        if top in MAY_IMPORT:
            assert name.startswith(MAY_IMPORT[top]), f"{name} imports {target}"
        if name.startswith("c1219/"):
            assert top != "c1222", f"{name} imports {target}"
        if own is None:
            continue
        assert target != "c1222" or RANK[own] >= 4, f"{name} imports the front door"
        other = room(target)
        if other is not None and other != own:
            allowed = RANK[other] < RANK[own]
            assert allowed, f"{name} imports {target}"
        if top == "c1219":
            # What a table holds is declared there, and so is which of it a service must not show.
            assert RANK[own] >= 4 or (name, target.split(".")[1]) == ("c1222/services/tables.py", "secrecy")


def test_no_circle_of_files() -> None:
    graph: dict[str, set[str]] = {}
    for path in MODULES:
        own = path.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".").removesuffix(".__init__")
        tree = ast.parse(path.read_text("utf-8"))
        top_level = [n for n in tree.body if isinstance(n, (ast.Import, ast.ImportFrom))]
        names = {
            name
            for node in top_level
            for name in (
                [a.name for a in node.names]
                if isinstance(node, ast.Import)
                else [f"{node.module}.{a.name}" for a in node.names] + [str(node.module)]
            )
        }
        graph[own] = {n for n in names if n.startswith(("c1219", "c1222"))}
    known = set(graph)
    edges = {k: {n for n in v if n in known and n != k} for k, v in graph.items()}
    done: set[str] = set()

    def walk(node: str, road: tuple[str, ...]) -> None:
        assert node not in road, " -> ".join((*road, node))
        if node not in done:
            for target in edges[node]:
                walk(target, (*road, node))
            done.add(node)

    for node in edges:
        walk(node, ())


def dotted(path: Path) -> str:
    return path.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".")


def test_no_circle_in_c1219_of_whatever_imports() -> None:
    """Imports within functions and those for types alone count too; the front doors do not."""
    files = {dotted(path): path for path in MODULES if path.parts[len(ROOT.parts)] == "c1219" and path.stem[0] != "_"}
    edges = {name: {other for other in imports(path) if other in files} for name, path in files.items()}
    while edges:
        leaves = {name for name, targets in edges.items() if not targets}
        assert leaves, f"these import each other: {sorted(edges)}"
        edges = {name: targets - leaves for name, targets in edges.items() if name not in leaves}


def test_folders_of_c1219_can_be_taken_in_at_a_glance() -> None:
    folders = [
        path for path in (ROOT / "c1219").rglob("*") if path.is_dir() and path.name not in ("tables", "__pycache__")
    ]
    for folder in [ROOT / "c1219", *folders]:
        assert len([path for path in folder.glob("*.py") if path.stem != "__init__"]) <= 14, folder


@pytest.mark.parametrize("package", ["c1222", "c1219"])
def test_front_door_is_light(package: str) -> None:
    heavy = {"construct", "click", "rich", "numpy", "asyncio", "cryptography", "pyasn1", "pyarrow", "lxml"}
    code = f"import sys, {package}; print(*sorted(set(sys.modules) & {heavy!r}))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert out.stdout.strip() == ""


def test_front_doors_are_small() -> None:
    for package in ("c1222", "c1219"):
        lines = (ROOT / package / "__init__.py").read_text("utf-8").splitlines()
        assert len(lines) <= 80, package
