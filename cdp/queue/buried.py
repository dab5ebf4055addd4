"""Rows that were put aside, and bringing them back."""

from collections.abc import Sequence
from functools import partial

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from cdp.errors import NotFound
from cdp.queue.models import PREFIX, QueueItem
from cdp.queue.waking import wake
from cdp.tenancy import audit
from cdp.tenancy.actors import Actor
from cdp.tenancy.models import Sandbox


def list_buried(sandbox: Sandbox) -> QuerySet[QueueItem]:
    """Return the rows put aside in a sandbox, without their bodies."""
    rows = QueueItem.objects.for_sandbox(sandbox).filter(buried_at__isnull=False)
    return rows.defer("body")


def get_buried(sandbox: Sandbox, public_id: str) -> QueueItem:
    """Return one buried row. Raises `NotFound`."""
    row = list_buried(sandbox).filter(pk=_number(public_id)).first()
    if row is None:
        raise _not_found(public_id)
    return row


def replay(ids: Sequence[str], *, sandbox: Sandbox, actor: Actor) -> int:
    """Put buried rows back on the queue as if they were new; return how many.

    Raises `NotFound` if one of them is not buried (any more); then none is replayed.
    """
    rows = _held(ids, sandbox)
    list_buried(sandbox).filter(pk__in=[row.pk for row in rows]).update(
        buried_at=None, attempts=0, deaths=0, available_at=timezone.now()
    )
    audit.record(actor=actor, action="queue.replayed", target=sandbox, after={"items": list(ids)})
    for topic in {row.topic for row in rows}:
        transaction.on_commit(partial(wake, topic), robust=True)
    return len(rows)


def discard(ids: Sequence[str], *, sandbox: Sandbox, actor: Actor) -> int:
    """Delete buried rows for good; return how many. Raises as `replay`."""
    rows = _held(ids, sandbox)
    audit.record(actor=actor, action="queue.discarded", target=sandbox, after={"items": list(ids)})
    list_buried(sandbox).filter(pk__in=[row.pk for row in rows]).delete()
    return len(rows)


def _held(ids: Sequence[str], sandbox: Sandbox) -> list[QueueItem]:
    """Return the rows of these ids, locked."""
    numbers = {_number(public_id): public_id for public_id in ids}
    rows = list_buried(sandbox).filter(pk__in=numbers).select_for_update().order_by("pk")
    found = list(rows)
    missing = numbers.keys() - {row.pk for row in found}
    if missing:
        raise _not_found(numbers[min(missing)])
    return found


def _number(public_id: str) -> int:
    digits = public_id.removeprefix(PREFIX)
    if digits == public_id or not digits.isascii() or not digits.isdecimal() or len(digits) > 18:
        raise _not_found(public_id)
    return int(digits)


def _not_found(public_id: str) -> NotFound:
    return NotFound(f"There is no buried item '{public_id}'; it may have been replayed already.")
