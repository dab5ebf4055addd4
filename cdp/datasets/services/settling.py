"""Settling: what the ingest worker writes about the records that it took or put aside."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

from django.db import connection
from orjson import OPT_NON_STR_KEYS, dumps

from cdp.datasets.ingestion import DUPLICATE, REJECTED, STORED, Outcome
from cdp.datasets.models import Dataset, RejectedRecord
from cdp.datasets.records import Rejection
from cdp.datasets.services.batch_work import Advance, advance
from cdp.tenancy import usage
from cdp.tenancy.models import Sandbox

_AT_ONCE: Final = 500
_LONGEST_DETAIL: Final = 1_000
_COUNTED_AS: Final = {
    STORED: "records.stored",
    DUPLICATE: "records.duplicate",
    REJECTED: "records.rejected",
}
_WRITE_RECEIPTS: Final = """
INSERT INTO datasets_receipt (id, sandbox_id, inlet_id, batch_id, received_at, finished_at,
    records, stored, duplicates, rejected, ids_assigned, fates)
SELECT receipt, %s, inlet, batch, received_at, now(), length(fates),
    length(replace(replace(fates, 'd', ''), 'r', '')),
    length(replace(replace(fates, 's', ''), 'r', '')),
    length(replace(replace(fates, 's', ''), 'd', '')),
    ids_assigned, fates
FROM jsonb_to_recordset(%s::jsonb) AS given(
    receipt text, inlet text, batch text, received_at timestamptz, ids_assigned int, fates text)
ON CONFLICT (id) DO NOTHING
RETURNING id
"""


def reject(sandbox: Sandbox, rejections: Iterable[Rejection]) -> None:
    """Put records aside, each with its reasons. Doing it twice changes nothing."""
    given = list(rejections)
    known = set(
        Dataset.objects.for_sandbox(sandbox)
        .filter(pk__in={rejection.dataset_id for rejection in given})
        .values_list("pk", flat=True)
    )
    RejectedRecord.objects.for_sandbox(sandbox).bulk_create(
        [_row(sandbox, rejection, known) for rejection in given],
        batch_size=_AT_ONCE,
        ignore_conflicts=True,
    )


def write_receipts(sandbox: Sandbox, outcomes: Sequence[Outcome]) -> None:
    """Write each request's receipt, count its records and move its batch on.

    Doing it twice changes nothing.
    """
    if not outcomes:
        return
    with connection.cursor() as cursor:
        cursor.execute(_WRITE_RECEIPTS, [sandbox.pk, dumps(outcomes).decode()])
        new = {row[0] for row in cursor.fetchall()}
    amounts: Counter[tuple[str, str]] = Counter()
    advances: dict[str, Advance] = defaultdict(Advance)
    for outcome in outcomes:
        if outcome["receipt"] not in new:
            continue
        for dataset, counts in outcome["counts"].items():
            for fate, number in counts.items():
                amounts[_COUNTED_AS[fate], dataset] += number
        if outcome["batch"]:
            _add(advances[outcome["batch"]], outcome["fates"])
    usage.count(sandbox, amounts)
    advance(sandbox, advances)


def _add(done: Advance, fates: str) -> None:
    done.chunks += 1
    done.stored += fates.count(STORED)
    done.duplicates += fates.count(DUPLICATE)
    done.rejected += fates.count(REJECTED)


def _row(sandbox: Sandbox, rejection: Rejection, known: set[str]) -> RejectedRecord:
    return RejectedRecord(
        sandbox=sandbox,
        receipt_id=rejection.receipt_id,
        position=rejection.position,
        batch_id=rejection.batch_id,
        dataset_id=rejection.dataset_id if rejection.dataset_id in known else None,
        operation=rejection.operation,
        dedup_scope=rejection.dedup_scope,
        raw=dumps(rejection.record, option=OPT_NON_STR_KEYS).decode(),
        errors=[
            {
                "path": _storable(error["path"]),
                "code": error["code"],
                "detail": _storable(error["detail"])[:_LONGEST_DETAIL],
            }
            for error in rejection.errors
        ],
        received_at=rejection.received_at,
    )


def _storable(text: str) -> str:
    """Write out the one character that jsonb refuses; a reason may quote it."""
    return text.replace("\0", "\\u0000")
