"""Uploaded segments: made once, filled by batches of files."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Final

from django.utils import timezone

from cdp.datasets.enums import FileFormat
from cdp.datasets.models import Batch
from cdp.datasets.services.batches import create_taken_batch
from cdp.errors import FieldError, Invalid
from cdp.tenancy import audit
from cdp.tenancy.actors import Actor
from cdp.tenancy.checks import clean
from cdp.tenancy.models import Sandbox
from governance.selectors import require_labels
from profiles.selectors.rules import namespace_catalogue
from segments.enums import SegmentOrigin, SegmentState
from segments.language.ast import InSegment
from segments.language.tree import write_tree
from segments.models import Segment, Upload, UploadPart
from segments.services.lifecycle import save_segment
from segments.topics import ROWS_UPLOADED
from segments.uploading.ending import plan_ends

TTL_DAYS: Final = 30
_OF_SEGMENT: Final = ("name", "description", "labels", "tags")


def create_upload(
    *,
    actor: Actor,
    sandbox: Sandbox,
    identities: Sequence[Mapping[str, str]],
    attributes: Sequence[Mapping[str, Any]] = (),
    ttl_days: int = TTL_DAYS,
    **values: Any,
) -> Upload:
    """Make a segment whose members come from files; it is published from the start.

    Raises `Invalid` for a namespace that does not exist and for columns or names given
    twice, and `NameTaken`.
    """
    segment = Segment(
        sandbox=sandbox,
        origin=SegmentOrigin.UPLOAD,
        state=SegmentState.PUBLISHED,
        published_at=timezone.now(),
        **values,
    )
    segment.rule = write_tree(InSegment(segment.pk))  # whoever is in is in
    upload = Upload(
        sandbox=sandbox,
        segment=segment,
        identities=list(identities),
        attributes=_named(attributes),
        ttl_days=ttl_days,
    )
    _refuse_odd_columns(upload)
    save_segment(segment, force_insert=True)
    clean(upload)
    upload.save(force_insert=True)
    audit.record(actor=actor, action="upload.created", target=segment, after=_shown(upload))
    return upload


def change_upload(*, actor: Actor, upload: Upload, **changes: Any) -> Upload:
    """Change how long rows count, how columns are kept from now on, or what it is called.

    Raises as `create_upload`.
    """
    segment = upload.segment
    before = _shown(upload)
    for field, value in changes.items():
        if field in _OF_SEGMENT:
            setattr(segment, field, value)
        else:
            setattr(upload, field, _named(value) if field == "attributes" else value)
    _refuse_odd_columns(upload)
    save_segment(segment)
    clean(upload)
    upload.save()
    audit.record(actor=actor, action="upload.changed", target=segment, before=before, after=changes)
    if "ttl_days" in changes:
        plan_ends(upload)
    return upload


def open_upload_batch(
    *,
    actor: Actor,
    upload: Upload,
    mode: str,
    input_format: str = FileFormat.CSV,
    format_options: dict[str, Any] | None = None,
    partial_percent: float | None = None,
) -> UploadPart:
    """Open a batch for files with rows of the segment; they count when the batch is whole.

    Its files go where those of every batch go. Raises `Invalid` for odd options.
    """
    batch: Batch = create_taken_batch(
        actor=actor,
        sandbox=upload.sandbox,
        taker=ROWS_UPLOADED,
        input_format=input_format,
        format_options=format_options or {},
        partial_percent=partial_percent,
    )
    return UploadPart.objects.create(
        sandbox=upload.sandbox, batch_id=batch.pk, upload=upload, mode=mode
    )


def _named(attributes: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return attributes with a name and labels each; the name is the column's by default."""
    return [
        {"type": "string", "labels": [], **each, "name": each.get("name") or each["column"]}
        for each in attributes
    ]


def _refuse_odd_columns(upload: Upload) -> None:
    for number, each in enumerate(upload.attributes):
        require_labels(upload.sandbox, each["labels"], f"attributes.{number}.labels")
    known = {namespace.code for namespace in namespace_catalogue(upload.sandbox)}
    errors = []
    for number, each in enumerate(upload.identities):
        if each["namespace"] not in known:
            near = get_close_matches(each["namespace"], known, n=1)
            hint = f" Did you mean '{near[0]}'?" if near else ""
            detail = f"There is no identity namespace '{each['namespace']}' here.{hint}"
            path = f"identities.{number}.namespace"
            errors.append(FieldError(path=path, code="unknown_namespace", detail=detail))
    columns = [(f"identities.{n}.column", e["column"]) for n, e in enumerate(upload.identities)]
    names = [(f"attributes.{n}.name", e["name"]) for n, e in enumerate(upload.attributes)]
    for places in (columns, names):
        seen: set[str] = set()
        for path, name in places:
            if name in seen:
                errors.append(FieldError(path=path, code="twice", detail=f"'{name}' comes twice."))
            seen.add(name)
    if errors:
        raise Invalid("The columns cannot be read so; see `errors`.", errors=errors)


def _shown(upload: Upload) -> dict[str, Any]:
    return {
        "name": upload.segment.name,
        "identities": upload.identities,
        "attributes": upload.attributes,
        "ttl_days": upload.ttl_days,
    }
