"""The life of a request to see, erase or delete: made, carried out by a job, answered."""

from collections.abc import Mapping
from typing import Any, Final

from django.db import models
from django.utils import timezone

from cdp.clickhouse.errors import StoreUnavailable
from cdp.errors import DomainError
from cdp.jobs.handle import JobHandle
from cdp.tenancy.models import Sandbox
from cdp.tenancy.scope import scope
from profiles.enums import WorkState
from profiles.ingest.batches import finish_batch, open_batches

Receipts = Mapping[str, Mapping[str, int]]
_LONGEST: Final = 1_000


def begin(row: models.Model) -> None:
    """Note that somebody works on a request."""
    _set(row, state=WorkState.PROCESSING, detail="")


def complete(row: models.Model, receipts: Receipts, **values: Any) -> None:
    """Note that a request has been carried out, with a receipt for each store."""
    _set(
        row,
        state=WorkState.COMPLETE,
        receipts=receipts,
        completed_at=timezone.now(),
        **values,
    )


def fail(row: models.Model, job: JobHandle, error: Exception) -> None:
    """Note that a request was given up, unless the store is only away and it will be tried again."""
    if isinstance(error, StoreUnavailable):
        return
    detail = error.detail if isinstance(error, DomainError) else type(error).__name__
    with scope(job.sandbox, job.actor):
        _set(row, state=WorkState.ERROR, detail=detail[:_LONGEST])


def finish_open_batches(sandbox: Sandbox) -> None:
    """Bring what is decided into the event store, so that what follows finds all of it there.

    In the order of the decisions: what is deleted was inserted before.
    """
    for batch in open_batches(sandbox):
        finish_batch(sandbox, batch, lambda done: done.delete() if not done.items else None)


def _set(row: models.Model, **values: Any) -> None:
    for field, value in values.items():
        setattr(row, field, value)
    row.save(update_fields=list(values))
