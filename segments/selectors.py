"""Reads of segments."""

from django.db import models
from django.db.models import QuerySet

from cdp.datasets.models import Dataset
from cdp.errors import NotFound
from cdp.schemas.selectors import compiled_schema
from cdp.tenancy.models import Sandbox
from segments.enums import EvaluationKind, EvaluationState, SegmentState
from segments.models import (
    Composition,
    Evaluation,
    Segment,
    SegmentSchedule,
    SegmentSize,
    SegmentVersion,
    Upload,
    UploadPart,
)


def list_segments(sandbox: Sandbox) -> QuerySet[Segment]:
    """Return the sandbox's segments."""
    rows = Segment.objects.for_sandbox(sandbox)
    return rows.select_related("sandbox__organization", "composition", "upload")


def list_of_dataset(sandbox: Sandbox, dataset_id: str) -> QuerySet[Segment]:
    """Return the segments that name a field of a dataset, or whose members it enriches."""
    dataset = Dataset.objects.for_sandbox(sandbox).filter(pk=dataset_id).first()
    if dataset is None:
        return list_segments(sandbox).none()
    fields = list(compiled_schema(sandbox, dataset.schema_id).fields)
    enriched = models.Q(composition__definition__enrich__contains=[{"dataset_id": dataset_id}])
    return list_segments(sandbox).filter(models.Q(fields__overlap=fields) | enriched)


def get_segment(sandbox: Sandbox, segment_id: str) -> Segment:
    """Return one segment. Raises `NotFound`."""
    found = list_segments(sandbox).filter(pk=segment_id).first()
    if found is None:
        raise NotFound(f"There is no segment '{segment_id}' here.")
    return found


def list_published(sandbox: Sandbox) -> QuerySet[Segment]:
    """Return the segments that are evaluated."""
    return list_segments(sandbox).filter(state=SegmentState.PUBLISHED).order_by("pk")


def list_on_edge(sandbox: Sandbox) -> QuerySet[Segment]:
    """Return the segments that their members' own browsers and apps are told of."""
    return list_segments(sandbox).filter(on_edge=True).exclude(state=SegmentState.DRAFT)


def list_dependents(segment: Segment) -> QuerySet[Segment]:
    """Return the segments whose rules ask for this one."""
    return list_segments(segment.sandbox).filter(references__contains=[segment.pk])


def list_compositions(sandbox: Sandbox) -> QuerySet[Composition]:
    """Return the sandbox's compositions."""
    rows = Composition.objects.for_sandbox(sandbox).select_related("sandbox__organization")
    return rows.prefetch_related("results")


def list_results(composition: Composition) -> QuerySet[Segment]:
    """Return the segments that a composition results in."""
    return list_segments(composition.sandbox).filter(composition=composition).order_by("pk")


def list_uploads(sandbox: Sandbox) -> QuerySet[Upload]:
    """Return what the sandbox's uploaded segments are made of."""
    return Upload.objects.for_sandbox(sandbox).select_related("segment", "sandbox__organization")


def list_upload_parts(upload: Upload) -> QuerySet[UploadPart]:
    """Return the batches of an uploaded segment, newest first."""
    rows = UploadPart.objects.for_sandbox(upload.sandbox_id).filter(upload=upload)
    return rows.select_related("upload").order_by("-created_at", "-pk")


def list_evaluations(sandbox: Sandbox) -> QuerySet[Evaluation]:
    """Return the sandbox's evaluations."""
    return Evaluation.objects.for_sandbox(sandbox)


def list_whole_evaluations(sandbox: Sandbox) -> QuerySet[Evaluation]:
    """Return the evaluations of everybody."""
    return list_evaluations(sandbox).filter(kind=EvaluationKind.FULL)


def list_schedules(sandbox: Sandbox) -> QuerySet[SegmentSchedule]:
    """Return the sandbox's schedules of evaluation."""
    return SegmentSchedule.objects.for_sandbox(sandbox).select_related("sandbox")


def list_schedules_of(segment: Segment) -> QuerySet[SegmentSchedule]:
    """Return the schedules that name a segment."""
    return list_schedules(segment.sandbox).filter(segments__contains=[segment.pk])


def list_versions(segment: Segment) -> QuerySet[SegmentVersion]:
    """Return what a segment's rule has been, newest first."""
    rows = SegmentVersion.objects.for_sandbox(segment.sandbox_id).filter(segment=segment)
    return rows.order_by("-number")


def list_sizes(segment: Segment) -> QuerySet[SegmentSize]:
    """Return how large a segment was, newest first."""
    rows = SegmentSize.objects.for_sandbox(segment.sandbox_id).filter(segment=segment)
    return rows.order_by("-at")


def find_running(sandbox: Sandbox) -> Evaluation | None:
    """Return the evaluation of the whole sandbox that is under way, if there is one."""
    running = (EvaluationState.SCANNING, EvaluationState.COMPARING, EvaluationState.TELLING)
    return list_evaluations(sandbox).filter(state__in=running).first()
