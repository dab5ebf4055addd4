"""The handler of topic `records.received`: one batch after the other through its phases."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

from django.db import DataError, transaction
from django.utils import timezone

from cdp.datasets.ingestion import Prepared, prepare
from cdp.datasets.records import Accepted, Rejection
from cdp.queue import Claim, Item
from cdp.tenancy.actors import Actor
from cdp.tenancy.models import Sandbox
from cdp.tenancy.scope import scope
from profiles.ingest import months
from profiles.ingest.decide import decide
from profiles.ingest.payload import Payload
from profiles.ingest.settle import settle
from profiles.ingest.store import store
from profiles.models import IngestBatch
from profiles.stitching.locks import try_graphs

ACTOR: Final = Actor.system("profiles.ingest")
RECORDS_AT_ONCE: Final = 10_000
_PAUSE: Final = timedelta(milliseconds=200)


def ingest(claim: Claim) -> None:
    """Take the claimed requests in: first what a crash has left over, then the rest as one batch."""
    months.ensure(timezone.now().date())
    for batch in _left_over(claim.sandbox):
        _finish(claim, batch)
    rest = _without_settled(claim)
    if rest and (decided := _decide(claim, rest)):
        _finish(claim, decided)


def _left_over(sandbox: Sandbox) -> list[IngestBatch]:
    with scope(sandbox, ACTOR):
        batches = IngestBatch.objects.for_sandbox(sandbox).filter(published=False)
        return list(batches.order_by("created_at"))


def _without_settled(claim: Claim) -> list[Item]:
    """Let go of rows whose batch is settled already; return the others."""
    with scope(claim.sandbox, ACTOR):
        settled = IngestBatch.objects.for_sandbox(claim.sandbox).filter(published=True)
        done = set()
        for batch in settled.defer("payload").select_for_update().order_by("id"):
            done.update(_release(claim, batch))
    return [item for item in claim.items if item.id not in done]


def _decide(claim: Claim, items: Sequence[Item]) -> IngestBatch | None:
    """Run phase 1. Without the sandbox's graphs the rows go back for a moment."""
    now = timezone.now()
    with scope(claim.sandbox, ACTOR):
        if not try_graphs(claim.sandbox):
            claim.retry(items, "The sandbox's identities are being changed.", _PAUSE)
            return None
        prepared = prepare(claim.sandbox, items, now=now)
        try:
            with transaction.atomic():
                return decide(claim.sandbox, items, prepared, now)
        except (DataError, ValueError) as error:
            guilty = _guilty(claim.sandbox, items, prepared, list(prepared.accepted))
            if not guilty:
                raise
            return decide(claim.sandbox, items, _aside(prepared, guilty, error), now)


def _guilty(
    sandbox: Sandbox, items: Sequence[Item], prepared: Prepared, suspects: list[Accepted]
) -> list[Accepted]:
    """Find by halving which records the database cannot hold; nothing of the tries remains."""
    try:
        with transaction.atomic():
            decide(
                sandbox, items, replace(prepared, accepted=suspects, rejected=[]), timezone.now()
            )
            transaction.set_rollback(True)
    except (DataError, ValueError):
        if len(suspects) == 1:
            return suspects
        half = len(suspects) // 2
        return _guilty(sandbox, items, prepared, suspects[:half]) + _guilty(
            sandbox, items, prepared, suspects[half:]
        )
    return []


def _aside(prepared: Prepared, guilty: Sequence[Accepted], error: Exception) -> Prepared:
    detail = str(error).partition("\n")[0]
    refused = {id(record) for record in guilty}
    return replace(
        prepared,
        accepted=[record for record in prepared.accepted if id(record) not in refused],
        rejected=[
            *prepared.rejected,
            *(
                Rejection.of(record, [{"path": "", "code": "unstorable", "detail": detail}])
                for record in guilty
            ),
        ],
    )


def _finish(claim: Claim, batch: IngestBatch) -> None:
    """Run phases 2 and 3. Of two workers with one batch, the second finds nothing to say."""
    payload = Payload.unpack(bytes(batch.payload))
    refused = store(claim.sandbox, batch.pk, payload)
    with scope(claim.sandbox, ACTOR):
        open_batch = IngestBatch.objects.for_sandbox(claim.sandbox).filter(
            pk=batch.pk, published=False
        )
        if open_batch.update(published=True, payload=b""):
            settle(claim.sandbox, payload, refused)
            _release(claim, batch)


def _release(claim: Claim, batch: IngestBatch) -> set[int]:
    """Remove the claimed rows of a settled batch; the batch goes with the last of its rows."""
    ours = [item for item in claim.items if item.id in set(batch.items)]
    claim.finish(ours)
    done = {item.id for item in ours}
    left = [item for item in batch.items if item not in done]
    if left:
        IngestBatch.objects.for_sandbox(claim.sandbox).filter(pk=batch.pk).update(items=left)
    else:
        IngestBatch.objects.for_sandbox(claim.sandbox).filter(pk=batch.pk).delete()
    return done
