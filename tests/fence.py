"""The event store's walls, as seen from the tests.

A test without the mark `clickhouse` may not touch the store at all. And whatever
the others have asked it, the store itself has written down: the end of a session
reads that, and knows nothing of how our client makes its queries.
"""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn
from unittest.mock import patch

import pytest

from cdp.clickhouse.schema import tables

# Our migrations, the look for what can be changed in a table, and the driver's first words.
NOT_ABOUT_ROWS = re.compile(
    r"\s*(CREATE|DROP|RENAME|EXISTS|SHOW|DESCRIBE|OPTIMIZE|SYSTEM|INSERT INTO event_migrations)\b",
    re.I,
)
CHANGE_OF_FORM = re.compile(r"\s*ALTER\s+TABLE\s+\w+\s+(?!(DELETE|UPDATE)\b)", re.I)
WRITTEN = re.compile(
    r"\s*INSERT INTO (?P<table>\w+) \(sandbox_id\b[^)]*\)\s*SELECT \{sandbox:UInt32\}", re.I
)
COMPARED = re.compile(r"sandbox_id = \{(?P<parameter>\w+):UInt32\}")
PROBE = "0"  # no sandbox has this number; `migrate_events` tries the deduplication with it


@contextmanager
def blocked_event_store(test: str) -> Iterator[None]:
    """Fail whoever connects to the event store while the block runs, in the name of `test`."""

    def refuse(*_: Any) -> NoReturn:
        pytest.fail(f"{test} touches the event store: mark it with @pytest.mark.clickhouse.")

    with patch("cdp.clickhouse.connection._client", refuse):
        yield


def unfenced_queries(log: Path) -> list[str]:
    """Return the queries that the store was asked without both fences of one sandbox."""
    if not log.exists():
        return []
    with log.open(encoding="utf-8") as lines:
        asked = (json.loads(line) for line in lines)
        return [entry["query"] for entry in asked if not _is_fenced(entry)]


def _is_fenced(entry: dict[str, Any]) -> bool:
    query = entry["query"]
    named = [table for table in tables() for _ in re.findall(rf"\b{table}\b", query)]
    if not named or NOT_ABOUT_ROWS.match(query) or CHANGE_OF_FORM.match(query):
        return True
    if entry["insert_format"]:
        return True  # the rows say their sandbox themselves
    if written := WRITTEN.match(query):
        named.remove(written["table"])  # its rows begin with their sandbox
        if not named:
            return True
    compared = {entry["parameters"].get(name, "") for name in COMPARED.findall(query)}
    if compared == {PROBE} or re.search(r"DELETE WHERE sandbox_id = 0$", query):
        return True
    filters = entry["settings"].get("additional_table_filters", "")
    return len(compared) == 1 and all(
        f"'{table}':'sandbox_id = {number}'" in filters.replace(": ", ":").replace('"', "'")
        for table in named
        for number in compared
    )
