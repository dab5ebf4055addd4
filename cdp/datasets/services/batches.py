"""What people do with batches: make, complete, abort, revert, replay."""

from collections.abc import Sequence
from typing import Any

from cdp import queue
from cdp.datasets.enums import BatchState, FileFormat
from cdp.datasets.errors import BatchStateWrong
from cdp.datasets.files.formats import check_options
from cdp.datasets.models import Batch, BatchFile, Dataset
from cdp.datasets.services.batch_states import lock_batch, move, start_revert
from cdp.datasets.services.landing import land
from cdp.datasets.services.uploads import folder_of
from cdp.datasets.topics import BATCHES_LOADED
from cdp.errors import FieldError, Invalid
from cdp.tenancy import audit
from cdp.tenancy.actors import Actor
from cdp.tenancy.models import Sandbox

MOST_PREDECESSORS = 100
_ABORTABLE = (BatchState.LOADING, BatchState.STALLED)
_OVER = (BatchState.FAILED, BatchState.ABORTED, BatchState.ABANDONED, BatchState.INACTIVE)


def create_batch(
    *,
    actor: Actor,
    dataset: Dataset,
    replaces: Sequence[str] = (),
    **values: Any,
) -> Batch:
    """Open a batch for a dataset. Raises `Invalid` for options that the format does not have."""
    if dataset.system and actor.kind != "system":
        raise Invalid("A dataset of the platform itself takes nothing from outside.")
    batch = Batch(sandbox=dataset.sandbox, dataset=dataset, replaces=list(replaces))
    return _open(actor, batch, _check_predecessors(dataset, replaces), values)


def create_taken_batch(*, actor: Actor, sandbox: Sandbox, taker: str, **values: Any) -> Batch:
    """Open a batch whose rows another app takes. Raises as `create_batch`."""
    return _open(actor, Batch(sandbox=sandbox, taker=taker), [], values)


def _open(actor: Actor, batch: Batch, problems: list[FieldError], values: dict[str, Any]) -> Batch:
    for field, value in {"input_format": FileFormat.JSON_LINES, **values}.items():
        setattr(batch, field, value)
    batch.format_options = batch.format_options or {}
    errors = check_options(batch.input_format, batch.format_options) + problems
    if errors:
        raise Invalid("The batch cannot be made; see `errors`.", errors=errors)
    batch.save(force_insert=True)
    audit.record(
        actor=actor,
        action="batch.created",
        target=batch,
        after={
            "dataset": batch.dataset_id,
            "input_format": batch.input_format,
            "replaces": batch.replaces,
        },
    )
    return batch


def complete_batch(*, actor: Actor, batch: Batch) -> Batch:
    """Say that all files are there; the batch is worked on from now. Twice is as good as once."""
    batch = lock_batch(batch)
    if batch.state != BatchState.LOADING:
        if batch.state in (BatchState.ABORTED, BatchState.ABANDONED):
            raise BatchStateWrong(f"The batch is '{batch.state}'. Make another one.")
        return batch
    files = list(batch.files.all())
    if not files and not batch.files_of:
        raise BatchStateWrong("The batch holds no file.")
    unfinished = [file.name for file in files if not file.complete]
    if unfinished:
        raise BatchStateWrong(f"These files are not complete: {', '.join(unfinished[:10])}.")
    batch.input_files = len(files)
    batch.input_bytes = sum(file.size for file in files)
    batch.save(update_fields=["input_files", "input_bytes"])
    move(batch, BatchState.LOADED)
    queue.publish(BATCHES_LOADED, {"batch": batch.pk}, sandbox=batch.sandbox, key=batch.pk)
    audit.record(actor=actor, action="batch.completed", target=batch)
    return batch


def abort_batch(*, actor: Actor, batch: Batch) -> Batch:
    """Give up a batch that has not been completed, or was tried in vain; its files are deleted.

    The run of a flow that brought it has failed.
    """
    batch = lock_batch(batch, *_ABORTABLE)
    move(batch, BatchState.ABORTED, reason="It was given up.")
    land(batch)
    folder_of(batch).remove()
    audit.record(actor=actor, action="batch.aborted", target=batch)
    return batch


def revert_batch(*, actor: Actor, batch: Batch) -> Batch:
    """Take back what a stored batch has brought; it is inactive when that is done."""
    batch = lock_batch(batch, BatchState.SUCCESS)
    _refuse_taken(batch)
    start_revert(batch)
    audit.record(actor=actor, action="batch.reverted", target=batch)
    return batch


def replay_batch(*, actor: Actor, batch: Batch) -> Batch:
    """Read a batch's files once more, as a new batch that takes the place of the old one.

    For a batch that failed because of its schema, or that came before its dataset
    was enabled for Profile.
    """
    batch = lock_batch(batch, BatchState.SUCCESS, BatchState.FAILED, BatchState.INACTIVE)
    dataset = _refuse_taken(batch)
    source = batch.files_of or batch.pk
    if not BatchFile.objects.for_sandbox(batch.sandbox_id).filter(batch_id=source).exists():
        raise BatchStateWrong(
            "The batch's files are kept for 30 days and are gone. Send them anew."
        )
    again = create_batch(
        actor=actor,
        dataset=dataset,
        input_format=batch.input_format,
        format_options=batch.format_options,
        partial_percent=batch.partial_percent,
        error_diagnostics=batch.error_diagnostics,
        mapping_set_id=batch.mapping_set_id,
        mapping_version=batch.mapping_version,
        row_filter=batch.row_filter,
        tags=batch.tags,
        replaces=[batch.pk] if batch.state == BatchState.SUCCESS else [],
        files_of=source,
    )
    return complete_batch(actor=actor, batch=again)


def _refuse_taken(batch: Batch) -> Dataset:
    """Return a batch's dataset. Raises `BatchStateWrong` if its rows are elsewhere."""
    if batch.dataset is None:
        raise BatchStateWrong("The batch is for no dataset. Send a new one instead.")
    return batch.dataset


def _check_predecessors(dataset: Dataset, replaces: Sequence[str]) -> list[FieldError]:
    known = set(
        Batch.objects.for_sandbox(dataset.sandbox_id)
        .filter(dataset=dataset, pk__in=replaces)
        .values_list("pk", flat=True)
    )
    return [
        FieldError(
            path=f"replaces.{index}",
            code="unknown",
            detail=f"The dataset has no batch '{key}'.",
        )
        for index, key in enumerate(replaces)
        if key not in known
    ]
