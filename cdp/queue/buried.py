"""Rows that were put aside, and bringing them back."""

from collections.abc import Sequence
from functools import partial

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from cdp.errors import NotFound
from cdp.queue.models import QueueItem
from cdp.queue.waking import wake
from cdp.tenancy import audit
from cdp.tenancy.actors import Actor
from cdp.tenancy.models import Sandbox


def list_buried(sandbox: Sandbox) -> QuerySet[QueueItem]:
    """Return the rows put aside in a sandbox, without their bodies."""
    rows = QueueItem.objects.for_sandbox(sandbox).filter(buried_at__isnull=False)
    return rows.defer("body")


def replay(ids: Sequence[int], *, sandbox: Sandbox, actor: Actor) -> int:
    """Put buried rows back on the queue as if they were new; return how many.

    Raises `NotFound` if one of them is not buried (any more); then none is replayed.
    """
    rows = list_buried(sandbox).filter(pk__in=ids)
    topics = _topics(rows, ids)
    replayed = rows.update(buried_at=None, attempts=0, available_at=timezone.now())
    audit.record(actor=actor, action="queue.replayed", target=sandbox, after={"items": list(ids)})
    for topic in topics:
        transaction.on_commit(partial(wake, topic), robust=True)
    return replayed


def discard(ids: Sequence[int], *, sandbox: Sandbox, actor: Actor) -> int:
    """Delete buried rows for good; return how many. Raises as `replay`."""
    rows = list_buried(sandbox).filter(pk__in=ids)
    _topics(rows, ids)
    audit.record(actor=actor, action="queue.discarded", target=sandbox, after={"items": list(ids)})
    discarded, _ = rows.delete()
    return discarded


def _topics(rows: QuerySet[QueueItem], ids: Sequence[int]) -> set[str]:
    """Lock the rows and return their topics."""
    found = dict(rows.select_for_update().order_by("pk").values_list("pk", "topic"))
    missing = sorted(set(ids) - found.keys())
    if missing:
        raise NotFound(f"There is no buried item {missing[0]}; it may have been replayed already.")
    return set(found.values())
