"""Writing records from inside the platform, on the same way as those from a door."""

from collections.abc import Sequence
from typing import Any

from django.utils import timezone
from orjson import dumps

from cdp import queue
from cdp.datasets.models import Dataset
from cdp.datasets.topics import RECORDS_RECEIVED
from cdp.tenancy.ids import new_id
from cdp.tenancy.models import Sandbox


def write_records(
    *,
    sandbox: Sandbox,
    dataset: Dataset,
    records: Sequence[dict[str, Any]],
    operation: str = "create",
    dedup_scope: str = "",
    batch_id: str = "",
) -> str:
    """Publish records for a dataset in the caller's transaction; return the receipt's id.

    They are validated and deduplicated like everybody's, so give events an `_id`
    that is the same when the work is done again.
    """
    receipt_id = new_id("rcp")
    payload = {
        "receipt": receipt_id,
        "form": "plain",
        "dataset": dataset.pk,
        "batch": batch_id,
        "received_at": timezone.now().isoformat(timespec="milliseconds"),
        "details": {"operation": operation, "dedup_scope": dedup_scope},
    }
    queue.publish(
        RECORDS_RECEIVED,
        payload,
        sandbox=sandbox,
        key=receipt_id,
        body=dumps(list(records)),
        count=len(records),
    )
    return receipt_id
