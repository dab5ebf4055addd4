"""What is thrown away when its time has come."""

from datetime import datetime, timedelta
from itertools import islice
from typing import Final

from django.conf import settings
from django.utils import timezone

from cdp import queue
from cdp.clickhouse import client
from cdp.datasets.enums import OVER, BatchState, Behavior
from cdp.datasets.models import Batch, Dataset, Receipt, RejectedRecord
from cdp.datasets.services.batch_states import move
from cdp.datasets.services.uploads import folder_named, folder_of
from cdp.datasets.topics import EVENTS_EXPIRED
from cdp.queue import Claim
from cdp.tenancy.actors import Actor
from cdp.tenancy.models import Sandbox
from cdp.tenancy.scope import scope

ACTOR: Final = Actor.system("datasets.tidying")
KEPT: Final = timedelta(days=30)
_SWEPT: Final = timedelta(days=2)
_AT_ONCE: Final = 10_000
_EXPIRE_EVENTS: Final = """
ALTER TABLE events DELETE
WHERE sandbox_id = {sandbox:UInt32} AND dataset_id = {dataset:String}
    AND ts < fromUnixTimestamp64Milli({before:Int64}, 'UTC')
"""
_HAS_OLD: Final = """
SELECT 1 FROM events
WHERE sandbox_id = {sandbox:UInt32} AND dataset_id = {dataset:String}
    AND ts < fromUnixTimestamp64Milli({before:Int64}, 'UTC')
LIMIT 1
"""
_SENDERS: Final = """
SELECT DISTINCT identity_id FROM events
WHERE sandbox_id = {sandbox:UInt32} AND dataset_id = {dataset:String} AND identity_id != 0
    AND ts < fromUnixTimestamp64Milli({before:Int64}, 'UTC')
"""
_SENDERS_A_MESSAGE: Final = 2_000
_FORGET_ROWS: Final = """
ALTER TABLE {table} DELETE
WHERE sandbox_id = {{sandbox:UInt32}} AND dataset_id = {{dataset:String}}
"""
_EXPIRE_RECORDS: Final = """
ALTER TABLE records DELETE
WHERE sandbox_id = {sandbox:UInt32} AND dataset_id = {dataset:String}
    AND ingested_at < fromUnixTimestamp64Milli({before:Int64}, 'UTC')
"""


def tidy() -> None:
    """Tidy up every sandbox; run once an hour."""
    now = timezone.now()
    for sandbox in Sandbox.objects.select_related("organization").order_by("pk"):
        _forget_receipts(sandbox, now - KEPT)
        _abandon_batches(sandbox, now - settings.BATCH_KEPT_LOADING)
        _remove_files(sandbox, now)
        _expire_rows(sandbox, now)


def forget_deleted(claim: Claim) -> None:
    """Handle topic `datasets.deleted`: remove the rows and the files of what is no more."""
    for item in claim.items:
        for batch in item.payload["batches"]:
            folder_named(claim.sandbox, batch).remove()
        for table in ("events", "records"):
            client.execute(
                _FORGET_ROWS.format(table=table),
                sandbox=claim.sandbox,
                params={"dataset": item.payload["dataset"]},
                budget=client.MAINTENANCE,
            )
        with scope(claim.sandbox, ACTOR):
            claim.finish([item])


def _forget_receipts(sandbox: Sandbox, before: datetime) -> None:
    """Delete old receipts and rejected records, some at a time so that nobody waits long."""
    for model in (Receipt, RejectedRecord):
        removed = _AT_ONCE
        while removed:
            with scope(sandbox, ACTOR):
                rows = model.objects.for_sandbox(sandbox).filter(received_at__lt=before)
                oldest = rows.order_by("pk").values("pk")[:_AT_ONCE]
                removed, _ = model.objects.for_sandbox(sandbox).filter(pk__in=oldest).delete()


def _abandon_batches(sandbox: Sandbox, before: datetime) -> None:
    with scope(sandbox, ACTOR):
        forgotten = Batch.objects.for_sandbox(sandbox).filter(
            state=BatchState.LOADING, updated_at__lt=before
        )
        for batch in forgotten.select_for_update(skip_locked=True):
            move(batch, BatchState.ABANDONED, reason="It was never completed.")
            folder_of(batch).remove()


def _remove_files(sandbox: Sandbox, now: datetime) -> None:
    """Remove chunks of batches that are over, and all files of those that are long over."""
    with scope(sandbox, ACTOR):
        over = Batch.objects.for_sandbox(sandbox).filter(state__in=OVER)
        for batch in over.filter(completed_at__gte=now - _SWEPT):
            folder_of(batch).remove("chunks")
        old = over.filter(completed_at__lt=now - KEPT)
        for batch in old.filter(files__isnull=False).distinct():
            folder_of(batch).remove()
            batch.files.all().delete()
        for batch in old.filter(completed_at__gte=now - KEPT - _SWEPT):
            folder_of(batch).remove()  # its bad rows, if it had no files of its own


def _expire_rows(sandbox: Sandbox, now: datetime) -> None:
    """Delete stored rows that are older than their dataset keeps them."""
    with scope(sandbox, ACTOR):
        limited = list(Dataset.objects.for_sandbox(sandbox).filter(retention_days__isnull=False))
    for dataset in limited:
        until = now - timedelta(days=dataset.retention_days or 0)
        before = int(until.timestamp() * 1000)
        if dataset.behavior == Behavior.RECORD:
            client.execute(
                _EXPIRE_RECORDS,
                sandbox=sandbox,
                params={"dataset": dataset.pk, "before": before},
                budget=client.MAINTENANCE,
            )
        else:
            _tell_of_expiry(sandbox, dataset.pk, before)
            expire_events(sandbox, dataset.pk, before)


def expire_events(sandbox: Sandbox, dataset: str, before: int) -> None:
    """Delete a dataset's events from before a moment; nothing is written where there are none."""
    params = {"dataset": dataset, "before": before}
    if client.fetch_text(_HAS_OLD, sandbox=sandbox, params=params, budget=client.FULL):
        client.execute(_EXPIRE_EVENTS, sandbox=sandbox, params=params, budget=client.MAINTENANCE)


def _tell_of_expiry(sandbox: Sandbox, dataset: str, before: int) -> None:
    """Publish whose events are about to go, so that what rests on them can follow.

    Before they go, for afterwards nobody knows: whoever hears of it first sees to it that
    they are gone (`expire_events`).
    """
    params = {"dataset": dataset, "before": before}
    blocks = client.stream(_SENDERS, sandbox=sandbox, params=params)
    senders = (identity for block in blocks for (identity,) in block)
    while some := list(islice(senders, _SENDERS_A_MESSAGE)):
        with scope(sandbox, ACTOR):
            queue.publish(
                EVENTS_EXPIRED,
                {"dataset": dataset, "before": before, "identities": some},
                sandbox=sandbox,
                count=len(some),
            )
