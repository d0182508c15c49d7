"""Write architecture.md from the code: ``python specs/make_architecture.py [FILE]``.

The rooms are drawn from the imports, the state machines from the tables that the code follows; the journeys are words
of `architecture-journeys.md`. A test runs this again and compares, and another finds every file that is named.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path.insert(0, str(ROOT))

from c1222.protocol import state  # noqa: E402
from c1222.serial.link_state import LINK  # noqa: E402
from c1222.serial.session_state import SERIAL_SESSION, SerialState  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from enum import StrEnum

HEAD = """# Architecture

Made from the code by `python specs/make_architecture.py`; not to be edited. The words of the journeys are in
[architecture-journeys.md](architecture-journeys.md).

Two packages: `c1219` knows what is in a meter, `c1222` knows how to talk to it. Imports point one way. There is no
circle of files, those for type checkers counted; `tests/test_architecture.py` holds the code to it.

## Rooms

An arrow goes from who imports to what is imported. Arrows that follow from others are left out.

"""


WHERE = {state.NodeState.IDLE: "while idle", state.NodeState.SESSION: "in a session"}
SERIAL_WHERE = {
    SerialState.BASE: "before Identify",
    SerialState.IDENTIFIED: "before Logon",
    SerialState.SESSION: "in a session",
}


def imported(path: Path) -> Iterator[str]:
    """Yield the dotted names that a module imports, at whatever depth, those for type checkers too."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room_of(dotted: str) -> str | None:
    """Return the room of a dotted name, such as ``c1222.node``; a file at the top of a package is its own."""
    parts = dotted.split(".")
    if parts[0] not in {"c1219", "c1222"} or len(parts) < 2:
        return None
    at = ROOT / parts[0] / parts[1]
    return ".".join(parts[:2]) if at.is_dir() or at.with_suffix(".py").is_file() else None


def rooms() -> dict[str, set[str]]:
    """Return each room with the rooms that it imports."""
    arrows: dict[str, set[str]] = {}
    for package in ("c1219", "c1222"):
        for path in sorted((ROOT / package).rglob("*.py")):
            own = room_of(".".join(path.relative_to(ROOT).with_suffix("").parts))
            if path.name == "__init__.py" and path.parent == ROOT / package:
                continue  # the front doors import everything, late
            if own is not None:
                arrows.setdefault(own, set()).update(
                    room for room in map(room_of, imported(path)) if room is not None and room != own
                )
    return arrows


def _reached(arrows: Mapping[str, set[str]], start: str) -> set[str]:
    reached: set[str] = set()
    todo = [start]
    while todo:
        for room in arrows.get(todo.pop(), ()):
            if room not in reached:
                reached.add(room)
                todo.append(room)
    return reached


def reduced(arrows: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """Return the arrows without those that follow from others."""
    return {
        room: {one for one in targets if not any(one in _reached(arrows, other) for other in targets - {one})}
        for room, targets in arrows.items()
    }


def _purpose(room: str) -> str:
    """Return the first sentence of what a room says of itself."""
    at = ROOT / room.replace(".", "/")
    text = ast.get_docstring(
        ast.parse((at / "__init__.py" if at.is_dir() else at.with_suffix(".py")).read_text("utf-8"))
    )
    return (text or "").split("\n\n")[0].replace("\n", " ")


def _drawing() -> Iterator[str]:
    arrows = rooms()
    yield "```mermaid\nflowchart TD\n"
    for package in ("c1222", "c1219"):
        yield f"  subgraph {package}\n"
        for room in sorted(arrows):
            if room.startswith(package):
                yield f"    {room}[{room.partition('.')[2]}]\n"
        yield "  end\n"
    for room, targets in sorted(reduced(arrows).items()):
        for target in sorted(targets):
            yield f"  {room} --> {target}\n"
    yield "```\n\n| room | what is in it |\n| --- | --- |\n"
    for room in sorted(arrows, reverse=True):
        yield f"| `{room.replace('.', '/')}` | {_purpose(room)} |\n"


def _machine(table: Mapping[Any, Mapping[Any, Any]]) -> str:
    """Draw a table of states, the first of them the beginning."""
    lines = ["```mermaid\nstateDiagram-v2\n", f"  [*] --> {next(iter(table)).name}\n"]
    for origin, ways in table.items():
        for event, goal in ways.items():
            words = event.replace(":", ",")  # a colon would end the label
            lines.append(f"  {origin.name} --> {goal.name}: {words}\n")
        if not ways:
            lines.append(f"  {origin.name} --> [*]\n")
    return "".join([*lines, "```\n"])


def _services(table: Mapping[str, Sequence[Any]], states: type[StrEnum], where: Mapping[Any, str]) -> str:
    """Draw a table of services: where an ok answer leads, or what refuses it, in each state."""
    arrows: dict[tuple[str, str], list[str]] = {}
    refused: dict[tuple[str, str], list[str]] = {}
    for service, ways in table.items():
        for origin, way in zip(states, ways, strict=True):
            if isinstance(way, states):
                arrows.setdefault((origin.name, way.name), []).append(service)
            else:
                refused.setdefault((where[origin], way.__name__.lower()), []).append(service)
    lines = [f"```mermaid\nstateDiagram-v2\n  [*] --> {next(iter(states)).name}\n"]
    lines += [f"  {origin} --> {goal}: {', '.join(services)}\n" for (origin, goal), services in arrows.items()]
    lines.append("```\n\nRefused: ")
    lines.append(
        "; ".join(f"{', '.join(services)} {place} ({result})" for (place, result), services in refused.items()) + ".\n"
    )
    return "".join(lines)


def page() -> str:
    """Return the page."""
    return "".join(
        [
            HEAD,
            *_drawing(),
            "\n## State machines\n\nThe tables are in `c1222/protocol/state.py`, with why they are as they are.\n",
            "\n### An exchange, seen from who asks\n\n" + _machine(state.EXCHANGE),
            "\n### A session, seen from who opens it\n\n" + _machine(state.SESSION),
            "\n### A session, seen from the node\n\nBy services that are answered ok.\n\n",
            _services(state.NODE, state.NodeState, WHERE),
            "\n### An end of a serial line\n\nThe table is in `c1222/serial/link_state.py`.\n\n" + _machine(LINK),
            "\n### A session over a serial line, both ends\n\n",
            "By services that are answered ok; silence leads back to BASE. Table: `c1222/serial/session_state.py`.\n\n",
            _services(SERIAL_SESSION, SerialState, SERIAL_WHERE),
            "\n" + (HERE / "architecture-journeys.md").read_text("utf-8").partition("\n")[2].lstrip(),
        ]
    )


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "architecture.md"
    target.write_text(page(), "utf-8")
