"""Writing batches down, in the transaction that decides on them."""

from collections.abc import Sequence
from uuid import UUID, uuid4

from cdp import queue
from cdp.tenancy.models import Sandbox
from profiles.ingest.payload import Payload
from profiles.models import IngestBatch
from profiles.topics import BATCHES_DECIDED


def keep_batch(
    sandbox: Sandbox, batch: UUID, payload: Payload, items: Sequence[int] = ()
) -> IngestBatch:
    """Write down what a decision leaves to do, in the transaction that decides."""
    return IngestBatch.objects.create(
        id=batch, sandbox=sandbox, items=list(items), payload=payload.pack()
    )


def hand_over(sandbox: Sandbox, payload: Payload) -> None:
    """Keep a batch that came through no door, and ask a worker to finish it."""
    batch = keep_batch(sandbox, uuid4(), payload)
    queue.publish(BATCHES_DECIDED, {"batch": str(batch.pk)}, sandbox=sandbox)
