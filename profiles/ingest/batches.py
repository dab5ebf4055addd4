"""Batches between their decision and their end: finishing them, whoever decided."""

from collections.abc import Callable
from typing import Final
from uuid import uuid4

from django.conf import settings
from django.utils import timezone
from orjson import loads

from cdp import queue
from cdp.queue import Claim
from cdp.tenancy.actors import Actor
from cdp.tenancy.models import Sandbox
from cdp.tenancy.scope import scope
from profiles.ingest.keeping import keep_batch
from profiles.ingest.payload import EVENTS, Payload
from profiles.ingest.refining import work_out_changed
from profiles.ingest.settle import settle
from profiles.ingest.store import store
from profiles.models import IngestBatch
from profiles.topics import BATCHES_DECIDED

ACTOR: Final = Actor.system("profiles.ingest")


def open_batches(sandbox: Sandbox) -> list[IngestBatch]:
    """Return the batches that are not settled, the oldest first."""
    with scope(sandbox, ACTOR):
        batches = IngestBatch.objects.for_sandbox(sandbox).filter(published=False)
        return list(batches.order_by("created_at"))


def has_open_batches(sandbox: Sandbox) -> bool:
    """Tell whether the event store has something still to be told."""
    return IngestBatch.objects.for_sandbox(sandbox).filter(published=False).exists()


def senders_on_their_way(sandbox: Sandbox) -> set[int]:
    """Return the identities of events that have been decided and may not be stored yet.

    Who holds the sandbox's graphs knows by it of every event that the event store will have.
    """
    batches = IngestBatch.objects.for_sandbox(sandbox).filter(published=False)
    return {
        loads(line)["identity_id"]
        for batch in batches.iterator(chunk_size=1)
        for line in Payload.unpack(bytes(batch.payload)).lines.get(EVENTS, ())
    }


def finish_open(sandbox: Sandbox) -> None:
    """Finish what has been decided, whoever decided it.

    A batch with rows of the queue stays behind, settled: who has claimed the rows lets go of
    them by it.
    """
    for batch in open_batches(sandbox):
        finish_batch(sandbox, batch, _forget_unless_claimed)


def _forget_unless_claimed(batch: IngestBatch) -> None:
    if not batch.items:
        batch.delete()


def finish_batch(
    sandbox: Sandbox, batch: IngestBatch, release: Callable[[IngestBatch], object]
) -> None:
    """Run phases 2 and 3. Of two workers with one batch, the second finds nothing to say.

    `release` is called in the transaction that settles the batch, to let go of its rows.
    """
    payload = Payload.unpack(bytes(batch.payload))
    refused = store(sandbox, batch.pk, payload)
    with scope(sandbox, ACTOR):
        worked_out = work_out_changed(sandbox, payload)
    following = None
    with scope(sandbox, ACTOR):
        still_open = IngestBatch.objects.for_sandbox(sandbox).filter(pk=batch.pk, published=False)
        if still_open.update(published=True, payload=b""):
            if refined := settle(sandbox, payload, refused, worked_out):
                following = keep_batch(sandbox, uuid4(), refined)
                _remind(sandbox, following)
            release(batch)
    if following is not None:
        finish_batch(sandbox, following, lambda done: done.delete())


def _remind(sandbox: Sandbox, batch: IngestBatch) -> None:
    """Have somebody look after a batch that is finished at once, should this worker die."""
    later = timezone.now() + settings.QUEUE_LEASE
    queue.publish(
        BATCHES_DECIDED, {"batch": str(batch.pk)}, sandbox=sandbox, count=0, available_at=later
    )


def finish_decided(claim: Claim) -> None:
    """Handle topic `batches.decided`."""
    wanted = {item.payload["batch"] for item in claim.items}
    for batch in open_batches(claim.sandbox):
        if str(batch.pk) in wanted:
            finish_batch(claim.sandbox, batch, lambda done: done.delete())
    with scope(claim.sandbox, ACTOR):
        claim.finish()
