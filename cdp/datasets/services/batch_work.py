"""Working on completed batches: judge, decide, hand over to the ingest worker."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.db.models import F
from django.utils import timezone

from cdp import queue
from cdp.datasets import selectors
from cdp.datasets.enums import BatchState, Behavior
from cdp.datasets.files.storage import Folder
from cdp.datasets.models import Batch, BatchFile
from cdp.datasets.records import DatasetFacts
from cdp.datasets.registries import batch_takers
from cdp.datasets.services.batch_states import lock_batch, move, start_revert
from cdp.datasets.services.landing import land
from cdp.datasets.services.mappings import compiled, rules_of
from cdp.datasets.services.uploads import folder_of, piece_name
from cdp.datasets.staging.chunks import weights_of
from cdp.datasets.staging.stage import SourceFile, Staged, Work, stage
from cdp.datasets.staging.transforms import Transform, by_mapping
from cdp.datasets.topics import RECORDS_RECEIVED
from cdp.queue import Claim, Item, Message
from cdp.schemas.selectors import compiled_schema
from cdp.tenancy.actors import Actor
from cdp.tenancy.models import Sandbox
from cdp.tenancy.scope import scope

ACTOR: Final = Actor.system("datasets.batches")
CHUNKS_AT_ONCE: Final = 6  # so that a large batch never fills the queue that the doors use
_READY: Final = (
    BatchState.LOADED, BatchState.STAGING, BatchState.RETRYING, BatchState.STALLED,
)  # fmt: skip


@dataclass(slots=True)
class Advance:
    """What the ingest worker has done with chunks of one batch."""

    chunks: int = 0
    stored: int = 0
    duplicates: int = 0
    rejected: int = 0


def work_on_batches(claim: Claim) -> None:
    """Handle topic `batches.loaded`: stage each batch and publish its first chunks.

    A batch that has done away with several workers waits for a person, like one that
    was tried in vain.
    """
    for item in claim.items:
        if item.deaths >= settings.QUEUE_MAX_DEATHS - 1:  # then the queue no longer asks us
            _give_up(claim, item)
            continue
        with scope(claim.sandbox, ACTOR):
            work = _begin(claim.sandbox, item.payload["batch"])
        staged = _stage(claim, item, work) if work else None
        with scope(claim.sandbox, ACTOR):
            if work and staged:
                _decide(claim.sandbox, work.batch_id, staged)
            claim.finish([item])


def advance(sandbox: Sandbox, advances: Mapping[str, Advance]) -> None:
    """Note stored chunks of batches, publish the next ones, and close what is complete.

    Called by whoever settles chunks, in the same transaction and once for each chunk.
    """
    for batch_id, done in sorted(advances.items()):
        batch = _find(sandbox, batch_id)
        if batch is None:
            continue
        batch.chunks_stored += done.chunks
        batch.stored_records += done.stored
        batch.duplicate_records += done.duplicates
        batch.failed_records += done.rejected
        batch.save(
            update_fields=[
                "chunks_stored", "stored_records", "duplicate_records", "failed_records",
                "updated_at",
            ]
        )  # fmt: skip
        if batch.state != BatchState.PROCESSING:
            continue
        if batch.chunks_stored >= batch.chunks:
            _succeed(batch)
        else:
            _publish_chunks(batch)


def finish_revert(batch: Batch) -> Batch:
    """Note that nothing is left of a batch, and store those that have waited for its place.

    Called by whoever has taken its rows back.
    """
    locked = lock_batch(batch)
    if locked.state == BatchState.REVERTING:
        move(locked, BatchState.INACTIVE)
        waiting = Batch.objects.for_sandbox(batch.sandbox_id).filter(
            state=BatchState.PROCESSING, chunks_published=0, replaces__contains=[batch.pk]
        )
        for successor in waiting.select_related("dataset", "sandbox__organization"):
            if not _waits_for_its_place(successor):
                _publish_chunks(successor)
    return locked


def _begin(sandbox: Sandbox, batch_id: str) -> Work | None:
    """Move a batch into staging and say what there is to do; None if it is done already."""
    batch = _find(sandbox, batch_id)
    if batch is None or batch.state not in _READY:
        return None
    move(batch, BatchState.STAGING)
    dataset = None
    if batch.dataset_id is not None:
        dataset = selectors.dataset_facts(sandbox, [batch.dataset_id])[batch.dataset_id]
    files = BatchFile.objects.for_sandbox(sandbox).filter(batch_id=batch.files_of or batch.pk)
    return Work(
        batch_id=batch.pk,
        dataset=dataset,
        files=[_source(file) for file in files.order_by("created_at", "id")],
        input_format=batch.input_format,
        format_options=batch.format_options,
        keep_bad_rows=batch.error_diagnostics or batch.partial_percent is not None,
        source=Folder(sandbox, "batches", batch.files_of or batch.pk),
        target=folder_of(batch),
        now=batch.started_at or timezone.now(),
        transform=_transform(batch, dataset),
        row_filter=batch.row_filter,
    )


def _transform(batch: Batch, dataset: DatasetFacts | None) -> Transform | None:
    if dataset is None:
        return batch_takers.entries()[batch.taker](batch)
    if not batch.mapping_set_id or batch.mapping_version is None:
        return None
    rules = rules_of(batch.sandbox, batch.mapping_set_id, batch.mapping_version)
    return by_mapping(compiled(dataset.schema, rules), batch.started_at or timezone.now())


def _appended(batch: Batch) -> list[str]:
    """Return the arrays that the batch's mapping puts behind those that are there already."""
    if not batch.mapping_set_id or batch.mapping_version is None or batch.dataset is None:
        return []
    rules = rules_of(batch.sandbox, batch.mapping_set_id, batch.mapping_version)
    return compiled(compiled_schema(batch.sandbox, batch.dataset.schema_id), rules).appended


def _stage(claim: Claim, item: Item, work: Work) -> Staged:
    try:
        return stage(work, progress=claim.heartbeat)
    except Exception:
        _note_failure(claim.sandbox, item)
        raise


def _decide(sandbox: Sandbox, batch_id: str, staged: Staged) -> None:
    batch = _find(sandbox, batch_id)
    if batch is None or batch.state != BatchState.STAGING:
        return
    batch.input_records, batch.failed_records = staged.rows, staged.bad_rows
    batch.errors, batch.chunks = staged.errors, len(staged.chunk_sizes)
    batch.save(update_fields=["input_records", "failed_records", "errors", "chunks"])
    if not staged.is_good_enough(batch.partial_percent):
        folder_of(batch).remove("chunks")
        reason = staged.unreadable or f"{staged.bad_rows:,} of {staged.rows:,} rows are bad."
        move(batch, BatchState.FAILED, reason=reason)
        land(batch)
        return
    move(batch, BatchState.PROCESSING)
    if not batch.chunks:
        _succeed(batch)
    elif not _waits_for_its_place(batch):
        _publish_chunks(batch)


def _waits_for_its_place(batch: Batch) -> bool:
    """Have the events go whose place a batch takes; tell whether some of them are still there.

    Before its own come, or those would be found to have come already, and go with the others.
    """
    if not _is_of_events(batch):
        return False
    _revert_predecessors(batch)
    rows = Batch.objects.for_sandbox(batch.sandbox_id).filter(pk__in=batch.replaces)
    return rows.filter(state=BatchState.REVERTING).exists()


def _publish_chunks(batch: Batch) -> None:
    """Publish as many chunks as may wait at once beside those that are not stored yet."""
    last = min(batch.chunks, batch.chunks_stored + CHUNKS_AT_ONCE)
    numbers = range(batch.chunks_published, last)
    if not numbers:
        return
    weights = weights_of(folder_of(batch), batch.chunks)
    appended = _appended(batch)
    received_at = (batch.started_at or timezone.now()).isoformat(timespec="milliseconds")
    queue.publish_many(
        _topic(batch),
        [
            Message(
                payload={
                    "receipt": f"{batch.pk}_{number:06d}",
                    "form": "chunk",
                    "dataset": batch.dataset_id,
                    "batch": batch.pk,
                    "received_at": received_at,
                    "details": {"chunk": number, "appended": appended},
                },
                key=f"{batch.pk}_{number:06d}",
                count=weights[number],
            )
            for number in numbers
        ],
        sandbox=batch.sandbox,
    )
    Batch.objects.for_sandbox(batch.sandbox_id).filter(pk=batch.pk).update(
        chunks_published=F("chunks_published") + len(numbers)
    )


def _topic(batch: Batch) -> str:
    return batch.taker or RECORDS_RECEIVED


def _succeed(batch: Batch) -> None:
    move(batch, BatchState.SUCCESS)
    land(batch)
    if batch.taker:
        queue.publish(_topic(batch), {"batch": batch.pk}, sandbox=batch.sandbox, key=batch.pk)
    if not batch.chunks or not _is_of_events(batch):
        _revert_predecessors(batch)


def _is_of_events(batch: Batch) -> bool:
    return batch.dataset is not None and batch.dataset.behavior == Behavior.TIME_SERIES


def _revert_predecessors(batch: Batch) -> None:
    predecessors = Batch.objects.for_sandbox(batch.sandbox_id).filter(pk__in=batch.replaces)
    for predecessor in predecessors.select_for_update().order_by("pk"):
        if predecessor.state == BatchState.SUCCESS:
            start_revert(predecessor)


def _give_up(claim: Claim, item: Item) -> None:
    with scope(claim.sandbox, ACTOR):
        batch = _find(claim.sandbox, item.payload["batch"])
        if batch is not None and batch.state in _READY:
            move(batch, BatchState.STALLED)
        claim.bury([item], f"Its worker died {item.deaths} times.")


def _note_failure(sandbox: Sandbox, item: Item) -> None:
    """Say in the batch that its work has failed for now, or for good."""
    with scope(sandbox, ACTOR):
        batch = _find(sandbox, item.payload["batch"])
        if batch is not None and batch.state == BatchState.STAGING:
            last = item.attempts >= settings.QUEUE_MAX_ATTEMPTS
            move(batch, BatchState.STALLED if last else BatchState.RETRYING)


def _find(sandbox: Sandbox, batch_id: str) -> Batch | None:
    found = Batch.objects.for_sandbox(sandbox).filter(pk=batch_id).first()
    return lock_batch(found) if found else None


def _source(file: BatchFile) -> SourceFile:
    pieces = sorted((start, end) for start, end in file.pieces)
    return SourceFile(file.name, [(piece_name(file, start), end - start) for start, end in pieces])
