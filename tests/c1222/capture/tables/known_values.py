"""Tables of the example meter, and what a reader knows of those in a conversation."""

from pathlib import Path
from typing import Any

from c1222.capture.tables.reader import TableReader
from tests.c1219.views.example_meter import TABLES
from tests.c1222.capture.conversation import KEY, Conversation

ROOT = Path(__file__).parents[4]
ST0, ST1, ST2, ST21, ST23 = (TABLES[number] for number in (0, 1, 2, 21, 23))


def known(talk: Conversation, reader: TableReader | None = None, *, keys: Any = KEY) -> list[dict[str, Any]]:
    """What is known of each piece of table data, in order."""
    reader = reader or TableReader(readings=False)
    return [item for message in talk.decoder(keys) for item in reader.read(message) if item is not None]


def both_passes(talk: Conversation, **options: Any) -> list[dict[str, Any]]:
    reader = TableReader(readings=False, **options)
    for message in talk.decoder():
        reader.learn(message)
    return known(talk, reader)


def values(found: list[dict[str, Any]]) -> list[Any]:
    return [item.get("value") for item in found]
