"""Carrying an export out, as a job."""

import time
from collections.abc import Iterable
from datetime import timedelta
from typing import Any, BinaryIO, Final

from django.conf import settings
from django.utils import timezone

from cdp.datasets.files.storage import Folder
from cdp.datasets.selectors import get_dataset
from cdp.datasets.services.writing import write_records
from cdp.datasets.topics import RECORDS_RECEIVED
from cdp.errors import DomainError
from cdp.jobs import JobCancelled, JobHandle
from cdp.queue import backlog
from cdp.queue.failures import is_nobodys
from cdp.schemas.selectors import compiled_schema
from cdp.tenancy.models import Sandbox
from cdp.tenancy.scope import scope
from governance.errors import UseRefused
from governance.services.decisions import violations_of
from profiles.enums import ExportState, ExportTarget
from profiles.errors import ExportGone
from profiles.exporting.columns import Column
from profiles.exporting.rows import People, Row
from profiles.exporting.uses import labels_of, seen_columns, use_of
from profiles.exporting.writers import writing
from profiles.models import ProfileExport
from profiles.selectors.shown import choose_policy, only
from profiles.selectors.sight import IDENTITY_MAP, Sight, sight_of

KIND: Final = "profiles.export"
CONTENT: Final = "content"
AT_MOST_AGAIN: Final = 10
_MOST_WAITING: Final = 50_000  # records on their way into a dataset
_PAUSE: Final = timedelta(milliseconds=500)
_LONGEST: Final = 1_000


def run_export(job: JobHandle) -> dict[str, Any]:
    """Carry out one export. Run again after a crash, a file is begun anew, a dataset goes on."""
    with scope(job.sandbox, job.actor):
        export = _begin(job)
        sight = sight_of(job.sandbox, job.actor)
    try:
        _require_use(job, export, sight)
        work = _to_dataset if export.target == ExportTarget.DATASET else _to_file
        work(job, export, sight)
    except JobCancelled:
        _end(job, export, ExportState.CANCELLED)
        raise
    except Exception as error:
        if is_nobodys(error):
            raise  # tried again
        detail = error.detail if isinstance(error, DomainError) else type(error).__name__
        _end(job, export, ExportState.ERROR, detail=detail[:_LONGEST])
        raise
    return {"export": export.pk, "profiles": export.profiles}


def folder_of(sandbox: Sandbox, export: str) -> Folder:
    """Return where the file of an export lies."""
    return Folder(sandbox, "exports", export)


def _begin(job: JobHandle) -> ProfileExport:
    rows = ProfileExport.objects.for_sandbox(job.sandbox).filter(pk=job.params["export"])
    export = rows.first()
    if export is None:
        raise ExportGone("The export was deleted before it could begin.")
    export.sandbox = job.sandbox
    export.state, export.started_at = ExportState.PROCESSING, timezone.now()
    export.save(update_fields=["state", "started_at"])
    return export


def _require_use(job: JobHandle, export: ProfileExport, sight: Sight) -> None:
    """Ask once more whether this may be done: policies may have changed while it waited."""
    with scope(job.sandbox, job.actor):
        use = use_of(export, sight)
        violations = violations_of(job.sandbox, use)
        if violations:
            raise UseRefused(violations)
        export.labels = labels_of(use)
        export.save(update_fields=["labels"])


def _people(job: JobHandle, export: ProfileExport, sight: Sight) -> People:
    with scope(job.sandbox, job.actor):
        policy = choose_policy(job.sandbox, export.merge_policy_id or None)
    return People(export, job.actor, sight, policy)


def _to_file(job: JobHandle, export: ProfileExport, sight: Sight) -> None:
    """Write the file; anew, if somebody was erased meanwhile who may be in it."""
    folder = folder_of(job.sandbox, export.pk)
    for _ in range(AT_MOST_AGAIN):
        with scope(job.sandbox, job.actor):
            columns = seen_columns(job.sandbox, export.fields, sight)
            export.refresh_from_db(fields=["outdated"])
        with folder.writing(CONTENT) as target:
            count = _write(job, export, sight, target, columns)
        if _completed(job, export, count, folder.size(CONTENT)):
            return
    folder.remove()
    raise ExportGone("People were erased again and again while the file was written.")


def _write(
    job: JobHandle, export: ProfileExport, sight: Sight, target: BinaryIO, columns: list[Column]
) -> int:
    count = 0
    people = _people(job, export, sight)
    total = people.count()
    with writing(target, export.format, export.compression, columns, export.parts) as writer:
        for page in people.pages():
            writer.write(page)
            count += len(page)
            job.progress(count, max(count, total))
    return count


def _completed(job: JobHandle, export: ProfileExport, count: int, size: int) -> bool:
    """Say that the file may be fetched, unless it is outdated already."""
    with scope(job.sandbox, job.actor):
        rows = ProfileExport.objects.for_sandbox(job.sandbox).filter(pk=export.pk)
        fresh = rows.select_for_update(no_key=True).first()
        if fresh is None:
            folder_of(job.sandbox, export.pk).remove()
            raise ExportGone("The export was deleted while it was written.")
        if fresh.outdated != export.outdated:
            return False
        _complete(export, count, size=size, expires_at=timezone.now() + settings.EXPORTS_KEPT)
        return True


def _to_dataset(job: JobHandle, export: ProfileExport, sight: Sight) -> None:
    """Write rows into a dataset; each page is written in one transaction with its place."""
    with scope(job.sandbox, job.actor):
        dataset = get_dataset(job.sandbox, export.dataset_id)
        fields = compiled_schema(job.sandbox, dataset.schema_id).fields
        own = [
            path for path, one in fields.items() if one.is_leaf or one.array or one.type == "map"
        ]
        own = [path for path in own if "*" not in path]
    people = _people(job, export, sight)
    total = people.count()
    for page in people.pages():
        _wait_for_room(job)
        with scope(job.sandbox, job.actor):
            records = list(_records(page, own))
            write_records(sandbox=job.sandbox, dataset=dataset, records=records)
            export.position = page[-1].number
            export.profiles += len(page)
            export.save(update_fields=["position", "profiles"])
        job.progress(export.profiles, max(export.profiles, total))
    with scope(job.sandbox, job.actor):
        _complete(export, export.profiles)


def _records(page: Iterable[Row], own: list[str]) -> Iterable[dict[str, Any]]:
    """Make rows of people that fit the dataset: of attributes those that its schema has."""
    for row in page:
        identity_map: dict[str, list[dict[str, str]]] = {}
        for one in row.identities:
            identity_map.setdefault(one["namespace"], []).append({"id": one["value"]})
        yield {**only(dict(row.attributes), own), IDENTITY_MAP: identity_map}


def _wait_for_room(job: JobHandle) -> None:
    """Wait while the way in is crowded, rather than shut it for everybody else."""
    while True:
        with scope(job.sandbox, job.actor):
            if backlog(job.sandbox, RECORDS_RECEIVED) < _MOST_WAITING:
                return
        job.progress(job.done)
        time.sleep(_PAUSE.total_seconds())


def _complete(export: ProfileExport, count: int, **values: Any) -> None:
    export.profiles, export.detail = count, ""
    for name, value in values.items():
        setattr(export, name, value)
    export.state, export.completed_at = ExportState.COMPLETE, timezone.now()
    export.save(update_fields=["profiles", "detail", "state", "completed_at", *values])


def _end(job: JobHandle, export: ProfileExport, state: ExportState, detail: str = "") -> None:
    with scope(job.sandbox, job.actor):
        rows = ProfileExport.objects.for_sandbox(job.sandbox).filter(pk=export.pk)
        rows.update(state=state, detail=detail, completed_at=timezone.now())
    folder_of(job.sandbox, export.pk).remove()
