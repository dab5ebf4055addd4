"""Rows of the event store that go for good, by what they are found."""

from collections.abc import Iterable, Mapping
from typing import Final

from cdp.clickhouse import client
from cdp.tenancy.models import Sandbox
from profiles.ingest.payload import Deletion

EVENTS_OF_BATCHES: Final = "events of batches"
RECORDS_OF_BATCHES: Final = "records of batches"
EVENTS_OF_IDENTITIES: Final = "events of identities"
EVENTS_OF_DATASETS: Final = "events of datasets"
OVERRIDES_OF_IDENTITIES: Final = "overrides of identities"
SNAPSHOTS_OF_PROFILES: Final = "snapshots of profiles"

_STATEMENTS: Final[Mapping[str, str]] = {
    EVENTS_OF_BATCHES: """
        ALTER TABLE events DELETE
        WHERE sandbox_id = {sandbox:UInt32} AND batch_id IN {values:Array(String)}
    """,
    RECORDS_OF_BATCHES: """
        ALTER TABLE records DELETE
        WHERE sandbox_id = {sandbox:UInt32} AND batch_id IN {values:Array(String)}
    """,
    EVENTS_OF_IDENTITIES: """
        ALTER TABLE events DELETE
        WHERE sandbox_id = {sandbox:UInt32} AND identity_id IN {values:Array(UInt64)}
            AND ({dataset:String} = '' OR dataset_id = {dataset:String})
    """,
    EVENTS_OF_DATASETS: """
        ALTER TABLE events DELETE
        WHERE sandbox_id = {sandbox:UInt32} AND dataset_id IN {values:Array(String)}
            AND identity_id != 0
    """,
    OVERRIDES_OF_IDENTITIES: """
        ALTER TABLE profile_overrides DELETE
        WHERE sandbox_id = {sandbox:UInt32} AND identity_id IN {values:Array(UInt64)}
    """,
    SNAPSHOTS_OF_PROFILES: """
        ALTER TABLE profiles DELETE
        WHERE sandbox_id = {sandbox:UInt32} AND profile_id IN {values:Array(UInt64)}
            AND version < {before:UInt64}
    """,
}
_AT_ONCE: Final = 2_000


def delete(sandbox: Sandbox, deletions: Iterable[Deletion]) -> None:
    """Delete rows, and return when they are gone; what is gone already is no fault."""
    for deletion in deletions:
        values = list(deletion.values)
        for start in range(0, len(values), _AT_ONCE):
            client.execute(
                _STATEMENTS[deletion.what],
                sandbox=sandbox,
                params={
                    "values": values[start : start + _AT_ONCE],
                    "dataset": deletion.dataset,
                    "before": deletion.before,
                },
                budget=client.MAINTENANCE,
            )
