"""Keeping the schemas of what rules look up."""

from segments.language.ast import Related
from segments.language.tree_reading import read_condition
from segments.language.walk import walk
from segments.models import LookUp, Segment
from segments.vocabulary import vocabulary


def note_look_ups(segment: Segment) -> None:
    """Write down which entities the segment's rule looks up, in place of what was there."""
    rule, words = read_condition(segment.rule), vocabulary(segment.sandbox)
    looked_up = {v.node.entity for v in walk(rule, words) if isinstance(v.node, Related)}
    rows = LookUp.objects.for_sandbox(segment.sandbox_id).filter(segment=segment)
    rows.exclude(schema__in=looked_up).delete()
    LookUp.objects.bulk_create(
        (
            LookUp(sandbox=segment.sandbox, segment=segment, schema_id=schema)
            for schema in sorted(looked_up)
        ),
        ignore_conflicts=True,
    )
