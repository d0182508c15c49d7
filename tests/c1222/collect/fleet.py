"""Fleets of simulated meters with the file that names them, and stores that fail."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from c1222.collect import Meters, RunReport, run
from c1222.node import RunningNode, running
from tests.c1222.collect.conftest import KEY, ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

PROFILE = ROOT / "specs" / "devices" / "polyphase-tou.json"
WHAT = ("registers", "load-profile", "events")


class TriedFleet(NamedTuple):
    """A fleet, and the names of its meters."""

    node: RunningNode
    folder: Path

    @property
    def store(self) -> Path:
        return self.folder / "readings.db"

    def meters(self, *titles: str, more: str = "", timeout: float = 5.0, attempts: int = 3) -> Meters:
        """Return the meters of these titles, or all."""
        (self.folder / "keys.toml").write_text(f'[[key]]\nid = 2\nhex = "{KEY.hex()}"\n', "utf-8")
        defaults = (
            f'[defaults]\nkeys = "keys.toml"\ncalling = ".123.4"\nuser_id = 2\nurl = "{self.node.url}"\n'
            f'password = {{ env = "PW" }}\ntimeout = {timeout}\nattempts = {attempts}\n'
        )
        listed = "".join(
            f'[[meter]]\nname = "m{number}"\ncalled = "{title}"\n'
            for number, title in enumerate(titles or self.node.titles)
        )
        path = self.folder / "meters.toml"
        path.write_text(defaults + listed + more, "utf-8")
        return Meters.load(path, environ={"PW": "reader-demo"})

    def run(self, meters: Meters | None = None, *, what: Sequence[str] = WHAT, **options: Any) -> RunReport:
        """Poll into a file of SQLite."""
        meters = self.meters() if meters is None else meters
        given = {
            "store": f"sqlite:///{self.store}",
            "group": "all",
            "silent_seconds": 0.1,
            "busy_seconds": 0.1,
            **options,
        }
        return run(meters.group("all"), what, **given)

    def rows(self, query: str) -> list[Any]:
        """Ask the store."""
        connection = sqlite3.connect(self.store)
        try:
            return connection.execute(query).fetchall()
        finally:
            connection.close()

    def series(self) -> list[Any]:
        """Return the rows that an undisturbed run has, too: registers are as old as their run."""
        return self.rows(
            "SELECT meter, path, end, value, raw, status FROM readings WHERE path LIKE 'LP%' ORDER BY meter, path, end"
        )


@contextmanager
def fleet(folder: Path, count: int = 3, **settings: Any) -> Iterator[TriedFleet]:
    """Run one, frozen unless it is said otherwise."""
    with running(PROFILE, keys={2: KEY}, count=count, **{"simulate": False, **settings}) as node:
        yield TriedFleet(node, folder)
