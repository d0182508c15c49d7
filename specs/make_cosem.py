"""Write cosem.md from the declared rows of the mapping: ``python specs/make_cosem.py [FILE]``.

Nothing on that page is written by hand. A test runs this again and compares.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from c1219.codes.events import event  # noqa: E402
from c1219.cosem.classes import InterfaceClass  # noqa: E402
from c1219.cosem.element_rows import ELEMENT_ROWS  # noqa: E402
from c1219.cosem.event_codes import EVENTS_TO_COSEM  # noqa: E402
from c1219.cosem.quantity_rows import QUANTITY_ROWS  # noqa: E402
from c1219.cosem.units import UNITS  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from c1219.cosem.row import MappingRow

HEAD = """# C12.19 in COSEM, and back

Made from the declarations in `c1219/cosem` by `python specs/make_cosem.py`; not to be edited.

`c1219.Device.cosem()` and `c1222 device FILE --cosem` give the objects of a meter, and what has none, with the
reason; every whole table stands beside them as class 26 (utility tables), so that nothing is lost.
`c1219.cosem.quantities.meaning` goes back from a logical name to an entry of ST12, `path_of` to the element.

Nobody here has the coloured books of the DLMS UA or the text of C12.19: facts are from open implementations and
profiles. Facts: V two independent sources, 1 one, ? a reading of ours. Map: E exact, L with the loss that is
named, C by a convention of ours, N cannot be mapped.

- A direction is never guessed: power and energy without quadrants have no name unless the caller says what they
  count.
- The scaler of an object never changes: it comes from multiplier and constants, not from the value. What no
  power of ten fits is a float.
- Integers have the size of the type in the tables; they are unsigned where the quantity cannot be less than 0.
- Two sources with one name are numbered by value group B, in order of ST16.
- Rate 1 (value group E) is tier 0; 0 is the total.
- The deviation of a COSEM time runs from local time to UTC: the sign is opposite to that of ST53.
"""


def main(path: Path = HERE / "cosem.md") -> None:
    """Write the page."""
    path.write_text("\n".join(page()) + "\n", encoding="utf-8", newline="\n")
    sys.stdout.write(f"{path}\n")


def page() -> Iterator[str]:
    """Yield the lines of the page."""
    yield HEAD
    yield "## Quantities: entries of ST12"
    yield from _rows(sorted(QUANTITY_ROWS, key=lambda row: row.row))
    yield "## Registers, load profile, time, identity, status, control"
    yield from _rows(ELEMENT_ROWS)
    yield "## Events"
    yield ""
    yield "Codes of the standard event log that open profiles have in common; events that are not here have none."
    yield from _table(
        ("ST72", "event", "COSEM", "map", "facts"),
        ((row.code, event(row.code).text, row.cosem, row.fidelity, row.confidence) for row in EVENTS_TO_COSEM),
    )
    yield "## Interface classes"
    yield from _table(
        ("class", "version", "name", "attributes"),
        ((int(one), one.facts.version, one.facts.title, ", ".join(one.facts.attributes)) for one in InterfaceClass),
    )
    yield "## Units"
    yield ""
    yield ", ".join(f"{code} {unit or '(none)'}" for code, unit in UNITS.items()) + "."


def _rows(rows: Iterable[MappingRow]) -> Iterator[str]:
    cells = ((row.row, row.source, row.target, row.facts, row.fidelity, row.residue or "–") for row in rows)
    yield from _table(("row", "C12.19", "COSEM", "facts", "map", "what is lost, or why"), cells)


def _table(head: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> Iterator[str]:
    yield ""
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(map(str, row))} |"
    yield ""


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
