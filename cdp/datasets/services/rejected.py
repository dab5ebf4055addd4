"""Sending rejected records through the pipeline again."""

from collections import defaultdict
from collections.abc import Sequence

from django.utils import timezone
from orjson import loads

from cdp.datasets.models import RejectedRecord
from cdp.datasets.services.writing import write_records
from cdp.errors import Conflict
from cdp.tenancy import audit
from cdp.tenancy.actors import Actor
from cdp.tenancy.models import Sandbox


def replay_rejected(
    *, actor: Actor, sandbox: Sandbox, records: Sequence[RejectedRecord]
) -> list[str]:
    """Send records again to their datasets; return the new receipts.

    For when the cause is gone: a field was added to the schema, a dataset was
    given back to an inlet. A record is replayed once. Raises `Conflict` for one
    that has no dataset or has been replayed.
    """
    groups: dict[tuple[str, str, str], list[RejectedRecord]] = defaultdict(list)
    for row in records:
        if row.dataset_id is None:
            raise Conflict(f"{row.pk} never had a dataset; send it anew through an inlet.")
        if row.replayed_at is not None:
            raise Conflict(f"{row.pk} has been replayed already; see its receipt.")
        groups[row.dataset_id, row.operation, row.dedup_scope].append(row)
    return [
        _replay(actor, sandbox, rows, operation, dedup_scope)
        for (_, operation, dedup_scope), rows in groups.items()
    ]


def _replay(
    actor: Actor, sandbox: Sandbox, rows: list[RejectedRecord], operation: str, dedup_scope: str
) -> str:
    dataset = rows[0].dataset
    assert dataset is not None  # noqa: S101  the caller has refused those without
    receipt_id = write_records(
        sandbox=sandbox,
        dataset=dataset,
        records=[loads(row.raw) for row in rows],
        operation=operation,
        dedup_scope=dedup_scope,
    )
    RejectedRecord.objects.for_sandbox(sandbox).filter(pk__in=[row.pk for row in rows]).update(
        replayed_at=timezone.now(), replay_receipt_id=receipt_id
    )
    audit.record(
        actor=actor,
        action="rejected_records.replayed",
        target=dataset,
        after={"records": len(rows), "receipt": receipt_id},
    )
    return receipt_id
