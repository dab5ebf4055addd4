"""Reads of segments."""

from django.db.models import QuerySet

from cdp.errors import NotFound
from cdp.tenancy.models import Sandbox
from segments.enums import EvaluationKind, EvaluationState, SegmentState
from segments.models import Evaluation, Segment, SegmentSchedule, SegmentSize, SegmentVersion


def list_segments(sandbox: Sandbox) -> QuerySet[Segment]:
    """Return the sandbox's segments."""
    return Segment.objects.for_sandbox(sandbox).select_related("sandbox__organization")


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
