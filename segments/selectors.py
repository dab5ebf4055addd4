"""Reads of segments."""

from dataclasses import dataclass

from django.db.models import QuerySet

from cdp.errors import NotFound
from cdp.tenancy.models import Sandbox
from segments.enums import EvaluationState, SegmentState
from segments.language.ast import Field
from segments.language.scopes import bind
from segments.language.tree import read_tree
from segments.language.vocabulary import Base
from segments.language.walk import walk
from segments.models import Evaluation, Segment
from segments.rules import references
from segments.vocabulary import vocabulary


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


@dataclass(frozen=True, slots=True)
class RuleField:
    """A field that a rule looks at: of people (`profile`) or of their events (`event`)."""

    of: Base
    path: str


def rule_fields(segment: Segment) -> frozenset[RuleField]:
    """Return every field that decides who is in the segment, also over segments it asks for."""
    rules = dict(list_segments(segment.sandbox).values_list("pk", "rule"))
    words = vocabulary(segment.sandbox)
    found: set[RuleField] = set()
    seen: set[str] = set()
    waiting = [(segment.pk, segment.rule)]
    while waiting:
        key, tree = waiting.pop()
        if key in seen:
            continue
        seen.add(key)
        rule = read_tree(tree)
        waiting += [(other, rules[other]) for other in references(rule, words) if other in rules]
        for visit in walk(rule, words):
            if isinstance(visit.node, Field) and (bound := bind(visit.node, visit.scope, words)):
                found.add(RuleField(bound.base, bound.path))
    return frozenset(found)
