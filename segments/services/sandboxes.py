"""What becomes of a sandbox's segments when it is reset or counted, or a person is erased."""

from collections.abc import Mapping, Sequence
from typing import Final

from cdp.datasets.models import Batch, BatchFile
from cdp.datasets.services.uploads import folder_of
from cdp.tenancy.base import SandboxModel
from cdp.tenancy.models import Sandbox
from profiles.sets import as_json, select
from segments.evaluation import log
from segments.models import (
    Alarm,
    Composition,
    Evaluation,
    Meanwhile,
    Recheck,
    Segment,
    SegmentSchedule,
    SegmentSize,
    SegmentVersion,
    Upload,
    UploadPart,
    UploadRow,
)
from segments.topics import ROWS_UPLOADED

_REMOVE: Final = """
DELETE FROM segments_uploadrow AS named
USING jsonb_to_recordset(%(named)s::jsonb) AS given(namespace text, value text)
WHERE named.sandbox_id + 0 = %(sandbox)s
  AND named.value = given.value AND named.namespace = given.namespace
RETURNING named.batch_id
"""
_ALL: Final[tuple[type[SandboxModel], ...]] = (
    UploadRow, UploadPart, Upload, SegmentSchedule, SegmentSize, SegmentVersion, Segment,
    Composition, Meanwhile, Evaluation, Recheck, Alarm,
)  # fmt: skip


def forget_segments(sandbox: Sandbox) -> None:
    """Remove segments, compositions and uploads, and all that evaluations have left."""
    log.forget_everything(sandbox)
    for model in _ALL:
        model.objects.for_sandbox(sandbox).delete()


def count_segments(sandbox: Sandbox) -> Mapping[str, int]:
    """Return how many rows of each kind the sandbox has."""
    counted: dict[str, type[SandboxModel]] = {
        "segments": Segment,
        "compositions": Composition,
        "evaluations": Evaluation,
        "upload_rows": UploadRow,
    }
    return {name: model.objects.for_sandbox(sandbox).count() for name, model in counted.items()}


def erase_people(sandbox: Sandbox, identities: Sequence[tuple[str, str]]) -> Mapping[str, int]:
    """Remove the uploaded rows that name a person, and the files that brought them.

    Files go, too, whose rows have gone before: nothing tells any more whom they name.
    """
    named = as_json({"namespace": namespace, "value": value} for namespace, value in identities)
    removed = [batch for (batch,) in select(_REMOVE, sandbox, named=named)]
    parts = UploadPart.objects.for_sandbox(sandbox)
    counting = set(parts.filter(stored_at__isnull=False, over=False).values_list("pk", flat=True))
    over = (
        Batch.objects.for_sandbox(sandbox)
        .select_related("sandbox")
        .filter(taker=ROWS_UPLOADED, completed_at__isnull=False, files__isnull=False)
    )
    files = 0
    for batch in over.exclude(pk__in=counting.difference(removed)).distinct():
        files += BatchFile.objects.for_sandbox(sandbox).filter(batch=batch).delete()[0]
        folder_of(batch).remove()
    return {"uploaded rows": len(removed), "uploaded files": files}
