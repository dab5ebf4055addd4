"""Phase 2: a batch's lines go into the event store, each once however often it is tried."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from cdp.clickhouse import client
from cdp.clickhouse.errors import BudgetExceeded, StoreRefused
from cdp.tenancy.models import Sandbox
from profiles.ingest.deleting import delete
from profiles.ingest.payload import IN_ORDER, Payload

# ClickHouse's codes for "this value cannot be stored", as against a table that is not there.
ABOUT_THE_DATA: Final = frozenset(
    {6, 25, 26, 27, 33, 38, 41, 53, 69, 70, 72, 117, 128, 131, 306, 321, 349, 467, 636}
)


@dataclass(frozen=True, slots=True)
class Refused:
    """A line that the store will not take, by its table and place, and why."""

    table: str
    place: int
    detail: str


def store(sandbox: Sandbox, batch: UUID, payload: Payload) -> list[Refused]:
    """Delete what goes, insert every line; return those refused, each found by halving.

    Halves have tokens of their own, made from their places: a batch that is tried
    again sends the same lines under the same tokens. Raises `StoreUnavailable`.
    """
    delete(sandbox, payload.deletions)
    return [
        refused
        for table in IN_ORDER
        if payload.lines.get(table)
        for refused in _insert(sandbox, f"{batch}:{table}", table, payload.lines[table], 0)
    ]


def _insert(
    sandbox: Sandbox, token: str, table: str, lines: Sequence[bytes], start: int
) -> Iterator[Refused]:
    try:
        client.insert(
            table,
            b"".join(lines),
            sandbox=sandbox,
            token=f"{token}:{start}-{start + len(lines)}",
        )
    except (StoreRefused, BudgetExceeded) as error:
        guilty = isinstance(error, StoreRefused) and error.store_code in ABOUT_THE_DATA
        if len(lines) == 1 and guilty:
            yield Refused(table, start, error.detail)
            return
        if len(lines) == 1 or (isinstance(error, StoreRefused) and not guilty):
            raise
        half = len(lines) // 2
        yield from _insert(sandbox, token, table, lines[:half], start)
        yield from _insert(sandbox, token, table, lines[half:], start + half)
