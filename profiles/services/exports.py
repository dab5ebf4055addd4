"""Asking for exports of profiles, stopping and removing them."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from cdp import jobs
from cdp.datasets.models import Dataset
from cdp.datasets.selectors import get_dataset
from cdp.errors import FieldError, Invalid
from cdp.jobs import services as job_services
from cdp.jobs.selectors import find_job
from cdp.schemas.selectors import PROFILE_CLASS, compiled_schema, union_fields
from cdp.tenancy import audit
from cdp.tenancy.actors import Actor
from cdp.tenancy.models import Sandbox
from governance.selectors import require_marketing_actions
from governance.services.decisions import require_use
from profiles.attributes import unknown_attributes
from profiles.enums import (
    Compression,
    ExportFormat,
    ExportPart,
    ExportState,
    ExportTarget,
)
from profiles.errors import DatasetUnfit
from profiles.exporting import run
from profiles.exporting.uses import labels_of, use_of
from profiles.models import ProfileExport
from profiles.selectors.rules import get_merge_policy, list_merge_policies
from profiles.selectors.sight import IDENTITY_MAP, sight_of

# What a file is for, unless its maker says: it leaves the house.
LEAVES: Final = ("exportToThirdParty",)


def create_export(
    *,
    actor: Actor,
    sandbox: Sandbox,
    merge_policy: str | None = None,
    marketing_actions: Sequence[str] | None = None,
    **values: Any,
) -> ProfileExport:
    """Have profiles exported by a job.

    Fields that the actor may not see are left out; one that is chosen by name is refused.
    Raises `Invalid`, `DatasetUnfit`, `PolicyUnknown`, `FieldHidden` or `UseRefused`.
    """
    export = ProfileExport(sandbox=sandbox, **values)
    if marketing_actions is None:
        marketing_actions = LEAVES if export.target == ExportTarget.FILE else ()
    require_marketing_actions(sandbox, marketing_actions)
    export.marketing_actions = list(marketing_actions)
    export.merge_policy_id = _policy(sandbox, merge_policy)
    _check_form(export)
    errors = [
        FieldError(path=f"fields.{place}", code="field_unknown", detail=detail)
        for place, detail in unknown_attributes(union_fields(sandbox, PROFILE_CLASS), export.fields)
    ]
    if errors:
        raise Invalid("Some fields are unknown; see `errors`.", errors=errors)
    sight = sight_of(sandbox, actor)
    sight.require_attributes(export.fields)
    if export.target == ExportTarget.DATASET:
        _check_dataset(sandbox, get_dataset(sandbox, export.dataset_id))
    use = use_of(export, sight)
    require_use(sandbox=sandbox, actor=actor, use=use, target=export)
    export.labels = labels_of(use)
    export.save(force_insert=True)
    export.job_id = jobs.start(
        run.KIND, sandbox=sandbox, actor=actor, params={"export": export.pk}
    ).pk
    export.save(update_fields=["job_id"])
    audit.record(actor=actor, action="profile_export.started", target=export, after=_told(export))
    return export


def cancel_export(*, actor: Actor, export: ProfileExport) -> ProfileExport:
    """Stop an export; what a dataset has been given stays. Raises `JobFinished`."""
    job = find_job(export.sandbox, export.job_id)
    if job is not None:
        job_services.cancel(job, actor=actor)
        if job.state == job.State.CANCELLED:
            export.state = ExportState.CANCELLED
            export.save(update_fields=["state"])
    audit.record(actor=actor, action="profile_export.cancelled", target=export)
    return export


def delete_export(*, actor: Actor, export: ProfileExport) -> None:
    """Remove an export with its file; one that is under way is stopped first."""
    if export.state in (ExportState.SUBMITTED, ExportState.PROCESSING):
        cancel_export(actor=actor, export=export)
    run.folder_of(export.sandbox, export.pk).remove()
    audit.record(actor=actor, action="profile_export.deleted", target=export)
    export.delete()


def _policy(sandbox: Sandbox, asked: str | None) -> str:
    """Return the policy to merge by; empty for the default one, whose view is stored."""
    if asked is None:
        return ""
    row = get_merge_policy(sandbox, asked)
    default = list_merge_policies(sandbox).filter(is_default=True).first()
    return "" if default is not None and default.pk == row.pk else row.pk


def _check_form(export: ProfileExport) -> None:
    """Raise `Invalid` for choices that do not go together."""
    is_file, has_events = export.target == ExportTarget.FILE, ExportPart.EVENTS in export.parts
    wrong = {
        "format": (is_file and not export.format, "Say in which format the file is to be."),
        "dataset_id": (not is_file and not export.dataset_id, "Say which dataset to fill."),
        "parts": (
            has_events and export.format != ExportFormat.JSON_LINES,
            "Events come with the format json_lines alone.",
        ),
        "events_since": (
            has_events == (export.events_since is None),
            "Say since when with the part `events`, and only with it.",
        ),
        "compression": (
            not is_file and export.compression != Compression.NONE,
            "A dataset is not packed.",
        ),
    }
    errors = [
        FieldError(path=path, code="invalid", detail=detail)
        for path, (is_wrong, detail) in wrong.items()
        if is_wrong
    ]
    if errors:
        raise Invalid(" ".join(error["detail"] for error in errors), errors=errors)


def _check_dataset(sandbox: Sandbox, dataset: Dataset) -> None:
    """Raise `DatasetUnfit` unless people fit in, do not come back as news, and can be erased."""
    schema = compiled_schema(sandbox, dataset.schema_id)
    reasons: Mapping[str, bool] = {
        "its schema is not of the profile class": schema.class_uri != PROFILE_CLASS,
        "it is enabled for Profile, so the profiles would feed themselves": dataset.profile_enabled,
        "its schema has no identityMap, by which people are found again": IDENTITY_MAP
        not in schema.fields,
        "it is the platform's own": dataset.system,
    }
    found = [reason for reason, holds in reasons.items() if holds]
    if found:
        raise DatasetUnfit(f"Profiles cannot go into this dataset: {', and '.join(found)}.")


def _told(export: ProfileExport) -> dict[str, Any]:
    return {
        "target": export.target,
        "parts": export.parts,
        "fields": export.fields,
        "segments": export.segments,
        "marketing_actions": export.marketing_actions,
        "labels": export.labels,
        "job": export.job_id,
    }
