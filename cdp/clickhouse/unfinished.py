"""What was under way when a backup was taken.

A unit of work that PostgreSQL has open may have written into the event store
already. After a restore it runs again, and the store no longer knows the tokens it
has seen, so what the unit wrote must go first. Each app that writes in units
registers where, and how to find its open units.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from cdp.clickhouse.budgets import MAINTENANCE
from cdp.clickhouse.connection import connected


@dataclass(frozen=True)
class Unfinished:
    """Rows of a table that carry the id of their unit in a column."""

    table: str
    column: str
    open_ids: Callable[[], Iterable[str]]  # of all sandboxes, read from PostgreSQL


_registered: dict[str, Unfinished] = {}


def register(name: str, unfinished: Unfinished) -> None:
    """Add one kind of unit. Raises `ValueError` if the name is taken."""
    if name in _registered:
        raise ValueError(f"{name} has registered already")
    _registered[name] = unfinished


def remove_unfinished() -> dict[str, int]:
    """Delete what open units wrote, and return how many units of each kind are open."""
    counts = {}
    with connected(MAINTENANCE) as client:
        for name, unfinished in _registered.items():
            ids = [str(unit) for unit in unfinished.open_ids()]
            counts[name] = len(ids)
            if ids:
                client.command(
                    f"ALTER TABLE {unfinished.table} DELETE "
                    f"WHERE toString({unfinished.column}) IN {{ids:Array(String)}}",
                    parameters={"ids": ids},
                )
    return counts
