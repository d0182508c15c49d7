"""The plan of the house: which room may import which."""

import ast
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
RANK = {
    "amounts": 0,
    "errors": 0,
    "text": 0,
    "message": 1,
    "services": 2,
    "security": 2,
    "protocol": 3,
    "transport": 3,
    "serial": 3,
    "client": 4,
    "node": 4,
    "capture": 4,
    "vectors": 4,
    "bulk": 5,
    "collect": 5,
    "conformance": 5,
    "gateway": 5,
    "report": 5,
    "cli": 6,
}
MAY_IMPORT = {
    "cryptography": ("c1222/security/",),
    "pyasn1": ("c1222/message/acse",),
    "construct": ("c1219/datatypes", "c1219/schema", "c1219/engine/shapes", "c1219/tables/", "c1219/tablefile/"),
    "socket": ("c1222/transport/", "c1222/client/", "c1222/node/", "c1222/collect/", "c1222/gateway/", "c1222/cli/"),
    "asyncio": ("c1222/transport/", "c1222/client/", "c1222/node/", "c1222/collect/", "c1222/gateway/", "c1222/cli/"),
    "time": ("c1222/transport/", "c1222/client/", "c1222/node/", "c1222/collect/", "c1222/gateway/", "c1222/cli/"),
    "click": ("c1222/cli/",),
    "jinja2": ("c1222/report/",),
    "markupsafe": ("c1222/report/",),
    "rich": ("c1222/cli/",),
}
BELOW_TABLES = ("caches", "errors", "tableid")
"""What of `c1219` knows no table and imports nothing but what is here, or its errors: all rooms may use it."""
MODULES_OF_A_FOLDER = 14
LINES_OF_A_FILE = 500
NAMES_USED_TWICE = 8
MODULES = sorted(p for package in ("c1219", "c1222") for p in (ROOT / package).rglob("*.py"))


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def imports(path: Path) -> Iterator[str]:
    """Yield the absolute dotted names a module imports, at whatever depth in the file."""
    package = path.relative_to(ROOT).with_suffix("").parts[:-1]
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            stem = ".".join(filter(None, (base, node.module or "")))
            yield stem
            yield from (f"{stem}.{alias.name}" for alias in node.names)


def dotted(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


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
            module = target.partition(".")[2].partition(".")[0]
            assert RANK[own] >= 4 or module in BELOW_TABLES or (name, module) == ("c1222/services/tables.py", "secrecy")


@pytest.mark.parametrize("module", BELOW_TABLES)
def test_what_all_rooms_may_use_stands_on_nothing(module: str) -> None:
    arrows = arrows_between_files()[f"c1219.{module}"]
    assert arrows <= {"c1219.errors", *(f"c1219.{name}" for name in BELOW_TABLES)}


BITS_OF_TABLES = {0x7FF, 0x800, 0xFFF, 0x1000, 0x17FF, 0x1800}
ETHERTYPE = 0x800


def arithmetic_with(values: set[int], path: Path) -> Iterator[tuple[int, int]]:
    """Yield line and value of the constants that a module calculates or compares with, or writes in hex."""
    text = path.read_text("utf-8")
    lines = text.splitlines()
    for node in ast.walk(ast.parse(text)):
        parts = list(ast.iter_child_nodes(node)) if isinstance(node, (ast.BinOp, ast.Compare)) else []
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "range":
            parts = list(node.args)
        if isinstance(node, ast.Constant) and lines[node.lineno - 1][node.col_offset :].startswith("0x"):
            parts = [node]
        for part in parts:
            if isinstance(part, ast.Constant) and type(part.value) is int and part.value in values:
                yield part.lineno, part.value


def test_numbers_of_tables_are_taken_apart_in_one_place() -> None:
    found = {
        f"{path.relative_to(ROOT).as_posix()}:{line}"
        for path in MODULES
        for line, value in arithmetic_with(BITS_OF_TABLES, path)
        if path.name != "tableid.py"
        and not (value == ETHERTYPE and "capture" in path.parts)
        and not path.is_relative_to(ROOT / "c1222" / "capture" / "network")
    }
    assert found == set()


STATE = {
    "c1219/caches.py": "_KEPT",  # what is kept, which `drop_caches` drops
    "c1219/registry.py": "_DEFAULT",  # the registry of devices that are given none
    "c1219/values.py": "_MADE",  # classes of records and codes in use, weak
}
CONTAINERS = {"dict", "list", "set", "defaultdict", "deque", "Counter", "OrderedDict", "WeakValueDictionary"}


def name_of(node: ast.expr) -> str:
    return ast.unparse(node).rpartition(".")[2].partition("[")[0]


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_what_modules_keep_is_listed_in_one_place(path: Path) -> None:
    name = path.relative_to(ROOT).as_posix()
    tree = ast.parse(path.read_text("utf-8"))
    for node in tree.body:
        value = getattr(node, "value", None)
        empty = isinstance(value, (ast.Dict, ast.List)) and not ast.unparse(value).strip("{}[]")
        made = name_of(value.func) if isinstance(value, ast.Call) else ""
        if empty or made == "BoundedDict" or (made in CONTAINERS and not value.args):  # others are tables of facts
            target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]  # type: ignore[attr-defined]
            assert STATE.get(name) == ast.unparse(target), f"{name} keeps {ast.unparse(node)}"
    for node in ast.walk(tree):
        assert not isinstance(node, ast.Global), f"{name}, line {node.lineno}"
        if isinstance(node, ast.FunctionDef):
            for call in node.decorator_list:
                if isinstance(call, ast.Call) and name_of(call.func) == "remembered":
                    assert call.args or not ast.unparse(node.args), f"{name}: results of {node.name} have no limit"
    if path.name != "caches.py":
        assert not {"functools.cache", "functools.lru_cache"} & {*imports(path), *map(ast.unparse, attributes(tree))}


def attributes(tree: ast.Module) -> Iterator[ast.Attribute]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Attribute))


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_one_bounded_map(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.If) and ast.unparse(node.test).startswith("len("):
            done = ast.unparse(node.body[0])
            assert not done.endswith((".clear()", ".popitem(last=False)")), f"{path.name}, line {node.lineno}: {done}"


PARTS_OF_AN_APDU = {"spans", "span", "user_information"}
GIVES_ITEMS = {"get", "items", "values"}
PASSES_ON = {"enumerate", "iter", "list", "next", "reversed", "sorted", "tuple"}


def indexed_by_number(scope: ast.AST) -> Iterator[int]:
    """Yield the lines where a number is the index, or a bound of the slice, of what says where parts of an APDU are."""
    names: set[str] = set()

    def is_part(node: ast.AST | None) -> bool:
        match node:
            case ast.Name(id=name):
                return name in names
            case ast.Attribute(value=owner, attr=name):
                return name in PARTS_OF_AN_APDU or (name in GIVES_ITEMS and is_part(owner))
            case ast.Subscript(value=inner) | ast.NamedExpr(value=inner):
                return is_part(inner)
            case ast.Call(func=ast.Name(id=name), args=args) if name in PASSES_ON:
                return any(map(is_part, args))
            case ast.Call(func=called):
                return is_part(called)
        return False

    def bind(target: ast.AST, value: ast.AST | None) -> None:
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
            for one, other in zip(target.elts, value.elts, strict=False):
                bind(one, other)
        elif is_part(value):
            names.update(node.id for node in ast.walk(target) if isinstance(node, ast.Name))

    before = -1
    while len(names) > before:
        before = len(names)
        for node in ast.walk(scope):
            match node:
                case ast.Assign(targets=[target], value=value):
                    bind(target, value)
                case ast.AnnAssign(target=target, value=value) | ast.NamedExpr(target=target, value=value):
                    bind(target, value)
                case ast.For(target=target, iter=value) | ast.comprehension(target=target, iter=value):
                    bind(target, value)
    for node in ast.walk(scope):
        if isinstance(node, ast.Subscript) and is_part(node.value):
            index = node.slice
            bounds = [index.lower, index.upper] if isinstance(index, ast.Slice) else [index]
            if any(isinstance(one.operand if isinstance(one, ast.UnaryOp) else one, ast.Constant) for one in bounds):
                yield node.lineno


@pytest.mark.parametrize(
    "code",
    [
        "acse.spans[tag][1]",
        "acse.span('user-information')[-1]",
        "acse.user_information[1:]",
        "next(iter(acse.spans.values()))[0]",
        "octets, spans = acse.octets, acse.spans\nspan = spans.get(tag)\noctets[span[1] : span[2]]",
        "[octets[span[0] : span[2]] for tag, span in acse.spans.items()]",
        "if span := acse.span(name): span[0]",
    ],
)
def test_numeric_indexes_are_seen(code: str) -> None:
    assert list(indexed_by_number(ast.parse(code)))


@pytest.mark.parametrize(
    "code",
    [
        "acse.spans[tag]",
        "span = acse.span(name)\nocts = octets[span.start : span.end][0]",
        "elements = [octets[start:end] for start, _, end in acse.spans.values()]\nelements[0][0]",
    ],
)
def test_names_are_no_numeric_indexes(code: str) -> None:
    assert not list(indexed_by_number(ast.parse(code)))


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_parts_of_an_apdu_have_names(path: Path) -> None:
    if path.is_relative_to(ROOT / "c1222") and not path.is_relative_to(ROOT / "c1222" / "message"):
        scopes = [node for node in ast.walk(tree(path)) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
        assert [line for scope in scopes for line in indexed_by_number(scope)] == []


def loaded_by_name(path: Path) -> Iterator[str]:
    """Yield the dotted names that a module gives to `import_module` as a constant."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            if name in {"import_module", "__import__"}:
                yield str(node.args[0].value)


@cache
def arrows_between_files() -> dict[str, set[str]]:
    """Return which file imports which: at any depth, for type checkers too, and by name; the front doors aside."""
    known = {dotted(path): path for path in MODULES if path.name != "__init__.py"}
    return {
        own: {name for name in (*imports(path), *loaded_by_name(path)) if name in known and name != own}
        for own, path in known.items()
    }


def circles(arrows: dict[str, set[str]]) -> list[list[str]]:
    """Return the sets of files that import each other, each once, by Tarjan's algorithm."""
    order: dict[str, int] = {}
    lowest: dict[str, int] = {}
    open_files: list[str] = []
    found: list[list[str]] = []

    def visit(file: str) -> None:
        order[file] = lowest[file] = len(order)
        open_files.append(file)
        for target in arrows[file]:
            if target not in order:
                visit(target)
                lowest[file] = min(lowest[file], lowest[target])
            elif target in open_files:
                lowest[file] = min(lowest[file], order[target])
        if lowest[file] == order[file]:
            at = open_files.index(file)
            if len(open_files) - at > 1:
                found.append(sorted(open_files[at:]))
            del open_files[at:]

    for file in arrows:
        if file not in order:
            visit(file)
    return found


def test_circles_are_seen() -> None:
    arrows = {"a": {"b"}, "b": {"c"}, "c": {"a", "d"}, "d": {"e"}, "e": set(), "f": {"g"}, "g": {"f"}}
    assert circles(arrows) == [["a", "b", "c"], ["f", "g"]]


def test_imports_for_type_checkers_are_seen() -> None:
    assert "c1222.protocol.identity" in arrows_between_files()["c1222.protocol.composing"]


def test_no_circle_of_files() -> None:
    assert circles(arrows_between_files()) == []


def levels_of_contributing() -> Iterator[dict[str, int]]:
    """Yield the level of each room that CONTRIBUTING's lines of arrows name, the top first."""
    for line in (ROOT / "CONTRIBUTING.md").read_text("utf-8").splitlines():
        if line.startswith("`") and " → " in line:
            steps = line.strip("`").split(" → ")
            yield {name: level for level, step in enumerate(steps) for name in step.split(", ")}


def test_contributing_draws_imports_as_they_are() -> None:
    for package, levels in zip(("c1219", "c1222"), levels_of_contributing(), strict=True):
        assert [name for name in levels if not any((ROOT / package).glob(f"{name}*"))] == []
        against = {
            (own, target)
            for own, targets in arrows_between_files().items()
            for target in targets
            if own.startswith(package) and target.startswith(package)
            for upper, lower in [(own.split(".")[1], target.split(".")[1])]
            if upper != lower and {upper, lower} <= levels.keys() and levels[upper] >= levels[lower]
        }
        assert against == set()


def test_no_folder_is_crowded() -> None:
    folders = Counter(path.parent for path in MODULES if path.name != "__init__.py")
    crowded = {
        folder.relative_to(ROOT).as_posix(): count
        for folder, count in folders.items()
        if count > MODULES_OF_A_FOLDER and folder.name not in {"tables", "cli"}
    }
    assert crowded == {}


def test_nothing_callable_has_the_name_of_a_room() -> None:
    found = {
        f"{path.relative_to(ROOT).as_posix()}: {node.name}"
        for path in MODULES
        for node in tree(path).body
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
        and node.name in RANK
        and path.is_relative_to(ROOT / "c1222")
    }
    assert found == set()


def test_few_class_names_are_used_twice() -> None:
    homes: dict[str, list[str]] = {}
    for path in MODULES:
        for node in tree(path).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                homes.setdefault(node.name, []).append(path.relative_to(ROOT).as_posix())
    twice = {name: files for name, files in homes.items() if len(files) > 1}
    assert len(twice) <= NAMES_USED_TWICE, twice


@pytest.mark.parametrize("package", ["c1222", "c1219"])
def test_front_door_is_light(package: str) -> None:
    heavy = {"construct", "click", "rich", "numpy", "asyncio", "cryptography", "pyasn1", "pyarrow", "lxml", "jinja2"}
    code = f"import sys, {package}; print(*sorted(set(sys.modules) & {heavy!r}))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert out.stdout.strip() == ""


def test_front_doors_are_small() -> None:
    for package in ("c1222", "c1219"):
        lines = (ROOT / package / "__init__.py").read_text("utf-8").splitlines()
        assert len(lines) <= 80, package


def test_no_file_is_long() -> None:
    files = [*MODULES, *(ROOT / "tests").rglob("*.py")]
    lines = {path: len(path.read_text("utf-8").splitlines()) for path in files}
    long = {path.relative_to(ROOT).as_posix(): count for path, count in lines.items() if count > LINES_OF_A_FILE}
    assert long == {}
