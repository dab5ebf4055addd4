"""The event store's numbered migrations: reading them, and writing them out in two forms.

A migration is written once, in plain SQL plus one clause of ours, `SHARD BY`, after
the sorting key. On one server it becomes a durable, deduplicating `MergeTree`. On a
cluster it becomes a `Replicated*MergeTree` on every node, named `<table>_local`, and a
`Distributed` table of the plain name in front, so that queries are the same.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

FILE = re.compile(r"(?P<number>\d{4})_(?P<name>\w+)\.sql")
CREATE = re.compile(
    r"CREATE TABLE (?P<table>\w+)\s*(?P<columns>\(.*\))\s*"
    r"ENGINE = (?P<engine>\w*MergeTree)(?:\((?P<arguments>[^)]*)\))?\s*"
    r"(?P<keys>.*?)\s*SHARD BY (?P<shard>[^\n]+?)\s*(?:SETTINGS (?P<settings>.*))?",
    re.DOTALL,
)
ALTER = re.compile(r"ALTER TABLE (?P<table>\w+)\s+(?P<change>.*)", re.DOTALL)
COLUMNS_ONLY = re.compile(r"(ADD|DROP|MODIFY|RENAME|COMMENT) COLUMN\b")

# What is inserted is on the disk before it is acknowledged: the queue forgets it then.
DURABLE = "fsync_after_insert = 1, fsync_part_directory = 1"
# Without a window the token of a repeated insert is silently ignored.
DEDUPLICATION = "non_replicated_deduplication_window = 10000"
REPLICATED_DEDUPLICATION = (
    "replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 604800"
)


@dataclass(frozen=True)
class Migration:
    """One numbered file."""

    number: int
    name: str
    text: str

    def statements(self, cluster: str = "") -> list[str]:
        """Return what to execute, in order; with a cluster's name, in the form for it."""
        return [form for statement in _statements(self.text) for form in _forms(statement, cluster)]


@cache
def migrations() -> tuple[Migration, ...]:
    """Return all migrations by number. Raises `ValueError` if two share one or one is missing."""
    found = []
    for file in files(__package__).joinpath("migrations").iterdir():
        if match := FILE.fullmatch(file.name):
            text = file.read_text(encoding="utf-8")
            found.append(Migration(int(match["number"]), match["name"], text))
    found.sort(key=lambda migration: migration.number)
    if [migration.number for migration in found] != list(range(1, len(found) + 1)):
        raise ValueError("Event store migrations are numbered 0001, 0002, ... without gaps.")
    return tuple(found)


@cache
def tables() -> frozenset[str]:
    """Return the names of all tables that hold tenants' rows."""
    texts = (statement for migration in migrations() for statement in _statements(migration.text))
    return frozenset(match["table"] for text in texts if (match := CREATE.fullmatch(text)))


def for_mutation(sql: str, cluster: str) -> str:
    """Return an ALTER or DELETE as this installation must be sent it.

    A `Distributed` table cannot change rows; each node changes its own.

    >>> for_mutation("ALTER TABLE events DELETE WHERE 1", "main")
    "ALTER TABLE events_local ON CLUSTER 'main' DELETE WHERE 1"
    >>> for_mutation("SELECT 1", "main")
    'SELECT 1'
    """
    match = re.match(r"(\s*(?:ALTER TABLE|DELETE FROM)\s+)(\w+)", sql)
    if not cluster or not match:
        return sql
    return f"{match[1]}{match[2]}_local ON CLUSTER '{cluster}'{sql[match.end() :]}"


def _statements(text: str) -> Iterator[str]:
    """Yield the statements of a migration, without comments."""
    bare = re.sub(r"--[^\n]*", "", text)
    yield from (part.strip() for part in bare.split(";") if part.strip())


def _forms(statement: str, cluster: str) -> list[str]:
    if created := CREATE.fullmatch(statement):
        return _create_on(cluster, created) if cluster else [_create(created)]
    if not cluster:
        return [statement]
    altered = ALTER.fullmatch(statement)
    if not altered:
        raise ValueError(f"There is no cluster form of: {statement[:80]}")
    table, change = altered["table"], altered["change"]
    local = f"ALTER TABLE {table}_local ON CLUSTER '{cluster}' {change}"
    if not COLUMNS_ONLY.match(change):
        return [local]
    return [local, f"ALTER TABLE {table} ON CLUSTER '{cluster}' {change}"]


def _create(table: re.Match[str]) -> str:
    arguments = f"({table['arguments']})" if table["arguments"] else ""
    settings = ", ".join(filter(None, (table["settings"], DEDUPLICATION, DURABLE)))
    return (
        f"CREATE TABLE IF NOT EXISTS {table['table']}\n{table['columns']}\n"
        f"ENGINE = {table['engine']}{arguments}\n{table['keys']}\nSETTINGS {settings}"
    )


def _create_on(cluster: str, table: re.Match[str]) -> list[str]:
    name, local = table["table"], f"{table['table']}_local"
    arguments = ", ".join(
        filter(
            None,
            (
                f"'/clickhouse/tables/{{shard}}/{{database}}/{local}'",
                "'{replica}'",
                table["arguments"],
            ),
        )
    )
    settings = ", ".join(filter(None, (table["settings"], REPLICATED_DEDUPLICATION, DURABLE)))
    return [
        f"CREATE TABLE IF NOT EXISTS {local} ON CLUSTER '{cluster}'\n{table['columns']}\n"
        f"ENGINE = Replicated{table['engine']}({arguments})\n{table['keys']}\nSETTINGS {settings}",
        f"CREATE TABLE IF NOT EXISTS {name} ON CLUSTER '{cluster}' AS {local}\n"
        f"ENGINE = Distributed('{cluster}', currentDatabase(), {local}, {table['shard']})",
    ]
