"""Make sure that a deduplication token deduplicates.

Ingestion relies on it: a batch that is inserted again after a crash must not
count twice. A server can be set up so that tokens are ignored without a word,
so the store is tried before it is trusted.
"""

from uuid import uuid4

from django.conf import settings

from cdp.clickhouse.budgets import MAINTENANCE
from cdp.clickhouse.connection import connected
from cdp.clickhouse.errors import StoreRefused

PROBE = 0  # the number of no sandbox


def verify_deduplication() -> None:
    """Insert a row twice under one token and count it; raise `StoreRefused` unless it is one."""
    key = uuid4().hex
    row = f'{{"sandbox_id": {PROBE}, "dataset_id": "probe", "key": "{key}"}}\n'.encode()
    local = "records_local" if settings.CLICKHOUSE_CLUSTER else "records"
    where = f" ON CLUSTER '{settings.CLICKHOUSE_CLUSTER}'" if settings.CLICKHOUSE_CLUSTER else ""
    with connected(MAINTENANCE) as client:
        for _ in range(2):
            client.raw_insert(
                "records",
                insert_block=row,
                fmt="JSONEachRow",
                settings={"insert_deduplication_token": key},
            )
        count = client.command(
            "SELECT count() FROM records WHERE sandbox_id = {probe:UInt32} AND key = {key:String}",
            parameters={"probe": PROBE, "key": key},
        )
        client.command(f"ALTER TABLE {local}{where} DELETE WHERE sandbox_id = {PROBE}")
    if count != 1:
        raise StoreRefused(
            f"The event store kept {count} rows of an insert that was repeated under one token. "
            "Check (non_)replicated_deduplication_window of its tables and insert_deduplicate."
        )
