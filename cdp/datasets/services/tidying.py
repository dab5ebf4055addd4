"""What is thrown away when its time has come."""

from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.utils import timezone

from cdp.clickhouse import client
from cdp.datasets.enums import BatchState, Behavior
from cdp.datasets.models import Batch, Dataset, Receipt, RejectedRecord
from cdp.datasets.services.batch_states import move
from cdp.datasets.services.uploads import folder_of
from cdp.tenancy.actors import Actor
from cdp.tenancy.models import Sandbox
from cdp.tenancy.scope import scope

ACTOR: Final = Actor.system("datasets.tidying")
KEPT: Final = timedelta(days=30)
_SWEPT: Final = timedelta(days=2)
_AT_ONCE: Final = 10_000
_OVER: Final = (
    BatchState.SUCCESS, BatchState.FAILED, BatchState.ABANDONED, BatchState.INACTIVE,
)  # fmt: skip
_EXPIRE_EVENTS: Final = """
ALTER TABLE events DELETE
WHERE sandbox_id = {sandbox:UInt32} AND dataset_id = {dataset:String}
    AND ts < fromUnixTimestamp64Milli({before:Int64}, 'UTC')
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
        over = Batch.objects.for_sandbox(sandbox).filter(state__in=_OVER)
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
        before = now - timedelta(days=dataset.retention_days or 0)
        text = _EXPIRE_RECORDS if dataset.behavior == Behavior.RECORD else _EXPIRE_EVENTS
        client.execute(
            text,
            sandbox=sandbox,
            params={"dataset": dataset.pk, "before": int(before.timestamp() * 1000)},
            budget=client.MAINTENANCE,
        )
