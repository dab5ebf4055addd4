"""What the event store holds of a sandbox: emptied in a reset, and counted."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from cdp.clickhouse import client
from cdp.clickhouse.schema import tables

if TYPE_CHECKING:
    from cdp.tenancy.models import Sandbox

_DELETE: Final = "ALTER TABLE {table} DELETE WHERE sandbox_id = {{sandbox:UInt32}}"
_COUNT: Final = "SELECT count() FROM {table} WHERE sandbox_id = {{sandbox:UInt32}}"


def forget_rows(sandbox: "Sandbox") -> None:
    """Delete every row of a sandbox, from every table."""
    for table in sorted(tables()):
        client.execute(_DELETE.format(table=table), sandbox=sandbox, budget=client.MAINTENANCE)


def count_rows(sandbox: "Sandbox") -> Mapping[str, int]:
    """Return how many rows each table holds for a sandbox."""
    counts = {}
    for table in sorted(tables()):
        [(count,)] = client.fetch_text(
            _COUNT.format(table=table), sandbox=sandbox, budget=client.MAINTENANCE
        )
        counts[table] = int(count)
    return counts
