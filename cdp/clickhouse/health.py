"""Whether the event store answers."""

from cdp.clickhouse.budgets import LOOKUP
from cdp.clickhouse.connection import connected


def ask_store() -> None:
    """Return if the store answers a query. Raises `StoreUnavailable`."""
    with connected(LOOKUP) as client:
        client.command("SELECT 1")
