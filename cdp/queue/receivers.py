"""What the queue does when something happens to a sandbox."""

from cdp.queue.models import QueueItem
from cdp.tenancy.models import Sandbox


def forget_rows(sandbox: Sandbox) -> None:
    """Remove all of a sandbox's work; a worker that holds some of it rolls back."""
    QueueItem.objects.for_sandbox(sandbox).delete()


def count_rows(sandbox: Sandbox) -> dict[str, int]:
    """Return how many rows the queue holds for a sandbox."""
    return {"queue_items": QueueItem.objects.for_sandbox(sandbox).count()}
