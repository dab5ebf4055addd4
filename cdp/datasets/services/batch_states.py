"""The states of a batch: locked before they are changed, never skipped."""

from django.utils import timezone

from cdp import queue
from cdp.datasets.enums import BatchState
from cdp.datasets.errors import BatchStateWrong
from cdp.datasets.models import Batch
from cdp.datasets.topics import BATCHES_REVERTED


def lock_batch(batch: Batch, *states: BatchState) -> Batch:
    """Return the batch as it is now, locked. Raises `BatchStateWrong` in any other state."""
    locked = (
        Batch.objects.for_sandbox(batch.sandbox_id)
        .select_related("dataset", "sandbox__organization")
        .select_for_update(of=("self",))
        .get(pk=batch.pk)
    )
    if states and locked.state not in states:
        wanted = " or ".join(f"'{state}'" for state in states)
        raise BatchStateWrong(f"The batch is '{locked.state}'; this needs {wanted}.")
    return locked


def move(batch: Batch, state: BatchState, *, reason: str = "") -> None:
    """Put a locked batch into its next state."""
    batch.state, batch.reason = state, reason
    fields = ["state", "reason", "updated_at"]
    if state == BatchState.STAGING and batch.started_at is None:
        batch.started_at = timezone.now()
        fields.append("started_at")
    if state in (BatchState.SUCCESS, BatchState.FAILED, BatchState.ABORTED, BatchState.ABANDONED):
        batch.completed_at = timezone.now()
        fields.append("completed_at")
    batch.save(update_fields=fields)


def start_revert(batch: Batch) -> None:
    """Put a locked batch into reverting, and tell who has stored its rows."""
    move(batch, BatchState.REVERTING)
    queue.publish(
        BATCHES_REVERTED,
        {"batch": batch.pk, "dataset": batch.dataset_id},
        sandbox=batch.sandbox,
        key=batch.pk,
    )
