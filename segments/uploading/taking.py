"""Keeping the rows of a batch: chunk by chunk, and all of them counting at one moment."""

from collections.abc import Iterable
from typing import Any, Final

from django.utils import timezone

from cdp.datasets.files.rows import FileUnreadable, Row
from cdp.datasets.models import Batch
from cdp.datasets.services.batch_work import Advance, advance
from cdp.datasets.services.uploads import folder_of
from cdp.datasets.staging.chunks import read_chunk
from cdp.datasets.staging.transforms import Transform
from cdp.errors import FieldError
from cdp.queue import Claim, Item, publish
from cdp.tenancy.actors import Actor
from cdp.tenancy.models import Sandbox
from cdp.tenancy.scope import scope
from profiles.erasing.suppression import erased_among
from profiles.identity.rules import Identity
from profiles.selectors.rules import namespace_catalogue
from profiles.sets import as_json, execute
from segments.enums import SegmentState, UploadMode
from segments.models import UploadPart
from segments.services.evaluations import request_evaluation
from segments.topics import UPLOAD_ENDS, UPLOAD_ROWS_OVER
from segments.uploading.ending import ends_at
from segments.uploading.reading import ByColumns

_ACTOR: Final = Actor.system("segments.upload")
_WRITE: Final = """
INSERT INTO segments_uploadrow (sandbox_id, batch_id, namespace, value, attributes)
SELECT %(sandbox)s, %(batch)s, given.namespace, given.value, given.attributes
FROM jsonb_to_recordset(%(rows)s::jsonb)
  AS given(namespace text, value text, attributes jsonb)
ON CONFLICT (batch_id, namespace, value) DO UPDATE SET attributes = excluded.attributes
"""
_COUNT: Final = """
UPDATE segments_uploadpart SET rows = (
  SELECT count(*) FROM segments_uploadrow WHERE batch_id = %(batch)s
) WHERE sandbox_id = %(sandbox)s AND batch_id = %(batch)s
"""


def transform_of(batch: Batch) -> Transform:
    """Return what reads the rows of a batch for an uploaded segment."""
    parts = UploadPart.objects.for_sandbox(batch.sandbox_id).select_related("upload")
    part = parts.filter(batch_id=batch.pk).first()
    if part is None:
        return _refuse
    upload = part.upload
    return ByColumns(upload.identities, upload.attributes, namespace_catalogue(batch.sandbox))


def _refuse(row: Row) -> tuple[dict[str, Any], list[FieldError]]:
    raise FileUnreadable("segment_deleted", "The segment that it was for has been deleted.")


def take_rows(claim: Claim) -> None:
    """Keep the chunks of batches, and have batches count that are whole."""
    for item in claim.items:
        with scope(claim.sandbox, _ACTOR):
            if "details" in item.payload:
                _keep_chunk(claim.sandbox, item)
            else:
                _have_count(claim.sandbox, item.payload["batch"])
            claim.finish([item])


def _keep_chunk(sandbox: Sandbox, item: Item) -> None:
    batch = Batch.objects.for_sandbox(sandbox).select_related("sandbox").get(
        pk=item.payload["batch"]
    )  # fmt: skip
    records = list(read_chunk(folder_of(batch), item.payload["details"]["chunk"]))
    rows = _rows(sandbox, records)
    if UploadPart.objects.for_sandbox(sandbox).filter(batch_id=batch.pk).exists():
        execute(_WRITE, sandbox, batch=batch.pk, rows=as_json(rows))
    advance(sandbox, {batch.pk: Advance(chunks=1, stored=len(records))})


def _rows(sandbox: Sandbox, records: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return a row for each identity, the last one said; nobody who has been erased comes back."""
    said = {
        Identity(namespace, value): record["attributes"]
        for record in records
        for namespace, value in record["identities"]
    }
    erased = erased_among(sandbox, said)
    return [
        {"namespace": identity.namespace, "value": identity.value, "attributes": attributes}
        for identity, attributes in said.items()
        if identity not in erased
    ]


def _have_count(sandbox: Sandbox, batch_id: str) -> None:
    """Have a batch count that is whole, in the place of earlier ones or beside them."""
    rows = UploadPart.objects.for_sandbox(sandbox).select_related("upload__segment")
    part = rows.filter(batch_id=batch_id).first()
    if part is None or part.stored_at is not None:
        return
    execute(_COUNT, sandbox, batch=batch_id)
    part.stored_at = timezone.now()
    part.save(update_fields=["stored_at"])
    upload = part.upload
    if part.mode == UploadMode.REPLACE:
        earlier = upload.parts.filter(stored_at__isnull=False, over=False).exclude(pk=batch_id)
        replaced = list(earlier.values_list("pk", flat=True))
        earlier.update(over=True)
        publish(UPLOAD_ROWS_OVER, {"batches": replaced}, sandbox=sandbox)
    publish(UPLOAD_ENDS, {"upload": upload.pk}, sandbox=sandbox, available_at=ends_at(part))
    if upload.segment.state == SegmentState.PUBLISHED:
        request_evaluation(actor=_ACTOR, sandbox=sandbox, segments=[upload.pk])
