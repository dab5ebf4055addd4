"""One object for each route of the queue."""

from django.utils import timezone

from cdp.queue import publish
from cdp.queue.models import QueueItem
from cdp.tenancy.models import Sandbox
from tests.walls import names


@names("/api/v1/buried-items/{pk}")
def buried_item(sandbox: Sandbox) -> dict[str, str]:
    publish("tests.walls", {}, sandbox=sandbox)
    row = QueueItem.objects.for_sandbox(sandbox).latest("id")
    row.buried_at = timezone.now()
    row.save(update_fields=["buried_at"])
    return {"pk": row.public_id}
