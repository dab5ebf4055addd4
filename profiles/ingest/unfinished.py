"""Which ingest batches were under way when a backup was taken."""

from collections.abc import Iterator

from cdp.tenancy.models import Sandbox
from profiles.ingest.batches import open_batches


def open_ids() -> Iterator[str]:
    """Yield the open batches of all sandboxes."""
    for sandbox in Sandbox.objects.select_related("organization").order_by("pk"):
        yield from (str(batch.pk) for batch in open_batches(sandbox))
