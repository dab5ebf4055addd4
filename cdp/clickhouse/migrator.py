"""Bring the event store's tables up to date."""

from collections.abc import Callable

from django.conf import settings

from cdp.clickhouse.budgets import MAINTENANCE
from cdp.clickhouse.connection import connected
from cdp.clickhouse.schema import Migration, migrations

LEDGER = """CREATE TABLE IF NOT EXISTS event_migrations{where}
(number UInt32, name String, applied_at DateTime64(3, 'UTC') DEFAULT now64(3))
ENGINE = {engine} ORDER BY number"""
PLAIN = {"where": "", "engine": "MergeTree"}


def migrate(report: Callable[[Migration], None]) -> int:
    """Apply what has not been applied yet, in order, and return how many that were.

    Each statement may run twice, so a migration that was cut off is run again from
    its start, and two processes that migrate at once do no harm.
    """
    todo = pending()
    with connected(MAINTENANCE) as client:
        for migration in todo:
            for statement in migration.statements(settings.CLICKHOUSE_CLUSTER):
                client.command(statement)
            client.command(
                "INSERT INTO event_migrations (number, name) "
                f"SELECT {migration.number}, '{migration.name}'"
            )
            report(migration)
    return len(todo)


def pending() -> list[Migration]:
    """Return the migrations that this store has not seen."""
    with connected(MAINTENANCE) as client:
        client.command(LEDGER.format(**_ledger(settings.CLICKHOUSE_CLUSTER)))
        rows = client.query("SELECT DISTINCT number FROM event_migrations").result_rows
    applied = {number for (number,) in rows}
    return [migration for migration in migrations() if migration.number not in applied]


def _ledger(cluster: str) -> dict[str, str]:
    """Return how the list of applied migrations is kept: on a cluster, the same on every node."""
    if not cluster:
        return PLAIN
    path = "'/clickhouse/tables/{database}/event_migrations', '{shard}-{replica}'"
    return {"where": f" ON CLUSTER '{cluster}'", "engine": f"ReplicatedMergeTree({path})"}
