"""The handler of topic `records.received`: one batch after the other through its phases.

A claim is cut into batches of a size that memory holds. While one is stored and settled,
the next is decided.
"""

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Final

from django.db import DataError, transaction
from django.utils import timezone

from cdp.datasets.ingestion import Prepared, prepare
from cdp.datasets.records import Accepted, Rejection
from cdp.queue import Claim, Item
from cdp.tenancy.models import Sandbox
from cdp.tenancy.scope import scope
from profiles.ingest import months
from profiles.ingest.batches import ACTOR, finish_batch, open_batches
from profiles.ingest.behind import Behind
from profiles.ingest.decide import decide
from profiles.models import IngestBatch
from profiles.stitching.locks import try_graphs

RECORDS_AT_ONCE: Final = 10_000
RECORDS_A_CLAIM: Final = 3 * RECORDS_AT_ONCE
_PAUSE: Final = timedelta(milliseconds=200)


def ingest(claim: Claim) -> None:
    """Take the claimed requests in: first what a crash has left over, then the rest."""
    months.ensure(timezone.now().date())
    with _no_collector():
        decided_before = set()
        for batch in open_batches(claim.sandbox):
            _finish(claim, batch)
            decided_before.update(batch.items)
        rest = [item for item in _without_settled(claim) if item.id not in decided_before]
        *parts, last = in_parts(rest)
        with Behind(partial(_finish, claim)) as behind:
            for part in parts:
                if decided := _decide(claim, part):
                    behind.take(decided)
            decided = _decide(claim, last) if last else None
        if decided:
            _finish(claim, decided)


def in_parts(items: Sequence[Item]) -> list[list[Item]]:
    """Cut rows into batches of about `RECORDS_AT_ONCE` records; at least one, maybe empty."""
    parts: list[list[Item]] = [[]]
    records = 0
    for item in items:
        if parts[-1] and records + item.count > RECORDS_AT_ONCE:
            parts.append([])
            records = 0
        parts[-1].append(item)
        records += item.count
    return parts


def _finish(claim: Claim, batch: IngestBatch) -> None:
    finish_batch(claim.sandbox, batch, partial(_release, claim))


@contextmanager
def _no_collector() -> Iterator[None]:
    """Keep the garbage collector out: a batch makes a million objects and no cycles.

    It would look through all of them again and again, for a quarter of the time.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


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
