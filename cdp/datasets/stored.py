"""What is stored of a dataset: its rows, and how many there are."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import orjson
from django.utils import timezone

from cdp.clickhouse import client
from cdp.datasets.enums import Behavior
from cdp.datasets.models import Dataset
from cdp.tenancy.models import Sandbox

_PACKAGE: Final = "cdp.datasets"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_ALL_PER_KEY: Final = 1_000_000


Edge = tuple[str, int]  # a row's key and its time in milliseconds: where a page ends


_HAS_EVENTS: Final = """
SELECT 1 FROM events
WHERE sandbox_id = {sandbox:UInt32} AND dataset_id = {dataset:String} AND identity_id != 0 LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rows are wanted: of a time, a batch or a key, and where the page before ended."""

    since: datetime | None = None
    until: datetime | None = None
    batch_id: str = ""
    key: str = ""
    current: bool = False
    after: Edge | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class StoredRow:
    """A row as it is stored; `key` is an event's id, or what identifies a record."""

    key: str
    timestamp: datetime
    batch_id: str
    ingested_at: datetime
    record: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows, and where the page behind them starts; None on the last."""

    rows: list[StoredRow]
    edge: Edge | None


@dataclass(frozen=True, slots=True)
class Stats:
    """How much a dataset holds. `keys` are identities of events, or records."""

    rows: int
    keys: int
    first: datetime | None
    last: datetime | None
    last_ingested: datetime | None


def read_rows(dataset: Dataset, wanted: Wanted) -> Page:
    """Return one page of a dataset's rows: events newest first, records by their key."""
    after_id, after = wanted.after or ("", 0)
    until = wanted.until or timezone.now() + timedelta(days=2)
    params: dict[str, Any] = {
        "dataset": dataset.pk,
        "since": _milliseconds(wanted.since or _EPOCH),
        "until": _milliseconds(until),
        "batch": wanted.batch_id,
        "after": after,
        "after_id": after_id,
        "limit": wanted.limit + 1,
    }
    name = "event_rows"
    if dataset.behavior == Behavior.RECORD:
        name = "record_rows"
        params |= {"key": wanted.key, "per_key": 1 if wanted.current else _ALL_PER_KEY}
    found = client.fetch(_PACKAGE, name, sandbox=dataset.sandbox, params=params)
    rows = [_row(row) for row in found[: wanted.limit]]
    if len(found) <= wanted.limit:
        return Page(rows, None)
    return Page(rows, (rows[-1].key, _milliseconds(rows[-1].timestamp)))


def read_stats(dataset: Dataset) -> Stats:
    """Count a dataset's rows."""
    name = "record_stats" if dataset.behavior == Behavior.RECORD else "event_stats"
    (row,) = client.fetch(_PACKAGE, name, sandbox=dataset.sandbox, params={"dataset": dataset.pk})
    moments = (row["first"], row["last"], row["last_ingested"])
    first, last, ingested = (_moment(at) if row["rows"] else None for at in moments)
    return Stats(row["rows"], row["keys"], first, last, ingested)


def _row(row: dict[str, Any]) -> StoredRow:
    return StoredRow(
        key=row["id"],
        timestamp=_moment(row["at"]),
        batch_id=row["batch_id"],
        ingested_at=_moment(row["ingested_at"]),
        record=orjson.loads(row["body"]),
    )


def _milliseconds(moment: datetime) -> int:
    return int((moment - _EPOCH) / timedelta(milliseconds=1))


def _moment(milliseconds: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=milliseconds)


def has_events(sandbox: Sandbox, dataset_id: str) -> bool:
    """Tell whether any event of a dataset is somebody's."""
    params = {"dataset": dataset_id}
    found = client.fetch_text(_HAS_EVENTS, sandbox=sandbox, params=params, budget=client.FULL)
    return bool(found)
