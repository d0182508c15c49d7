"""Write conformance.md from the checks and the misbehaviours: ``python specs/make_conformance.py [FILE]``.

Nothing on that page is written by hand. A test runs this again and compares.
"""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from c1222.conformance.catalogue import CHECKS  # noqa: E402
from c1222.conformance.line.catalogue import LINE_CHECKS  # noqa: E402
from c1222.conformance.line.misbehaviours import LINE_MISBEHAVIOURS  # noqa: E402
from c1222.conformance.misbehaviours import MISBEHAVIOURS  # noqa: E402
from c1222.conformance.rules import FAMILIES  # noqa: E402

HEAD = """# Checks of a node, and nodes that misbehave

Made from `c1222/conformance/` by `python specs/make_conformance.py`; not to be edited.

    c1222 conformance udp://192.0.2.7 --called .123.8437 --calling .123.4 --keys keys.toml --junit report.xml
    C1222_PASSWORD=… c1222 conformance serial:///dev/ttyUSB0 --user-id 2
    c1222 conformance --listen udp://127.0.0.1:1153 --profile sample:single-phase --misbehave wrong-checksum

The first checks a live node. It writes nothing without `--allow-writes`, and then puts back what was. Of what nodes
may resent it sends little, and late: one wrong password, and eight messages whose MAC or key is wrong. `--only C-SEC`
picks a family or a check, with those it rests on; `--timeout` and `--attempts` say how patient it is with a slow node,
`--quiet` how long it listens where no answer is due, `--patience` how long it may wait for such as an idle time-out.
The password comes from the environment, a file or a prompt. Exit code 0: no failure; 1: failures; 2: usage; 3: the
node does not answer.

The second checks a device at a serial line (also `c1218+tcp://`, `rfc2217://`, `c1221+tcp://`, `c1221+serial://`):
families PKT, ACK, NEG and STATE. It writes nothing, sends one wrong password, and takes a few minutes, most of it
silence.

The third is a simulated meter that does one thing wrong, for a head-end to be checked. Losses, delays and busy answers
by chance or count are a matter of `c1222 node --faults`.

**Verdicts**: pass; warning; fail; skipped, with a reason. A rule that only one source tells and another contradicts, or
that is inference, gives a warning at most. **Marks**: V two independent sources, or recomputed from captures and
published vectors; 1 one source; ? inference. Sources: as in [clauses.md](clauses.md).

**JSON**: schema `c1222.conformance/1`, in full in
[conformance-report.schema.json](conformance-report.schema.json). Each check has its rule, what was seen, and messages
as evidence, `xx` for octets that are secret. **JUnit**: a suite a family; warnings are passed and say so in
`system-out`.

## Checks

In the order in which they run. Flags: w needs `--allow-writes`, k is for secured requests, s opens a session.
"""

CASES = """
## Misbehaviours

For `--misbehave`. Flag k: takes `--keys`. The last column has the checks that notice it; where there is none, only a
head-end can.

| case | the node | a good head-end | checks |
| --- | --- | --- | --- |
"""


LINE_CASES = """
### At a serial line

What devices of the tests do wrong (`c1222/conformance/line/misbehaviours.py`), and the checks that notice it. A
simulated meter with noise, echo, lost octets, late acknowledgements or a stuck toggle is a matter of
`c1222 node --faults`.

| case | the device | checks |
| --- | --- | --- |
"""


def page() -> str:
    """Return the page."""
    parts = [HEAD]
    for family, title in FAMILIES.items():
        parts.append(f"\n### {family}: {title}\n\n| id | flags | what holds | rule | mark | source | otherwise |\n")
        parts.append("| --- | --- | --- | --- | --- | --- | --- |\n")
        for check in (one for one in (*CHECKS, *LINE_CHECKS) if one.family == family):
            flags = "".join(
                letter for letter, on in (("w", check.writes), ("k", check.secured), ("s", check.session)) if on
            )
            rule = check.rule
            cells = (check.id, flags, check.title, rule.text, rule.mark.value, rule.source, rule.disputed)
            parts.append(f"| {' | '.join(cells)} |\n".replace("|  |", "| |"))
    parts.append(CASES)
    for case in MISBEHAVIOURS.values():
        flag = " (k)" if case.secured else ""
        parts.append(f"| `{case.id}`{flag} | {case.title} | {case.good} | {', '.join(case.caught) or '-'} |\n")
    parts.append(LINE_CASES)
    parts += [f"| `{one.id}` | {one.title} | {', '.join(one.caught)} |\n" for one in LINE_MISBEHAVIOURS.values()]
    return "".join(parts)


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "conformance.md"
    target.write_text(page(), "utf-8")
