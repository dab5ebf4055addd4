"""What becomes of a flow's run when its batch is over."""

import hashlib

from django.utils import timezone

from cdp.datasets.enums import BatchState, RunState
from cdp.datasets.models import Batch, Flow, FlowRun, LandedFile

_AT_ONCE = 1_000


def file_key(path: str, version: str) -> str:
    """Return the short name of a version of a file."""
    return hashlib.sha256(f"{path}\0{version}".encode()).hexdigest()


def land(batch: Batch) -> None:
    """Close the run of a batch that is stored or has failed, in the same transaction.

    Only what is stored moves the mark up to which the flow has read; a run of a
    window moves nothing.
    """
    run = (
        FlowRun.objects.for_sandbox(batch.sandbox_id)
        .select_for_update()
        .filter(pk=batch.flow_run_id, state=RunState.STORING)
        .first()
    )
    if run is None:
        return
    if batch.state == BatchState.SUCCESS:
        run.state = RunState.PARTIAL if batch.failed_records else RunState.SUCCESS
        move_mark(run)
    else:
        run.state, run.reason = RunState.FAILED, batch.reason
    run.completed_at = timezone.now()
    run.save(update_fields=["state", "reason", "completed_at"])


def move_mark(run: FlowRun) -> None:
    """Note how far the flow has read and stored."""
    if run.window_start or run.window_end:
        return
    flows = Flow.objects.for_sandbox(run.sandbox_id).filter(pk=run.flow_id)
    flows.update(marker=run.marker_after)
    LandedFile.objects.for_sandbox(run.sandbox_id).bulk_create(
        [
            LandedFile(
                sandbox_id=run.sandbox_id,
                flow_id=run.flow_id,
                key=file_key(path, version),
                path=path,
            )
            for path, version in run.files
        ],
        batch_size=_AT_ONCE,
        ignore_conflicts=True,
    )
