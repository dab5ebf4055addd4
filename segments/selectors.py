"""Reads of segments."""

from django.db.models import QuerySet

from cdp.errors import NotFound
from cdp.tenancy.models import Sandbox
from segments.enums import EvaluationState, SegmentState
from segments.models import Evaluation, Segment


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


def list_dependents(segment: Segment) -> QuerySet[Segment]:
    """Return the segments whose rules ask for this one."""
    return list_segments(segment.sandbox).filter(references__contains=[segment.pk])


def list_evaluations(sandbox: Sandbox) -> QuerySet[Evaluation]:
    """Return the sandbox's evaluations."""
    return Evaluation.objects.for_sandbox(sandbox)


def find_running(sandbox: Sandbox) -> Evaluation | None:
    """Return the evaluation of the whole sandbox that is under way, if there is one."""
    running = (EvaluationState.SCANNING, EvaluationState.COMPARING, EvaluationState.TELLING)
    return list_evaluations(sandbox).filter(state__in=running).first()
