"""What is said of a stored segment's rule."""

from dataclasses import asdict
from typing import Any

from segments.language.explain import explain
from segments.language.print import print_rule
from segments.language.tree_reading import read_condition
from segments.models import Segment
from segments.vocabulary import vocabulary


def explained(segment: Segment) -> dict[str, Any]:
    """Return the explanation of a segment's rule."""
    rule = read_condition(segment.rule)
    said = explain(rule, vocabulary(segment.sandbox))
    return {
        "text": print_rule(rule),
        "fields_used": [
            {"base": used.base, "path": used.path, "labels": sorted(used.labels)}
            for used in said.fields
        ],
        "segments": said.segments,
        "methods": [asdict(possibility) for possibility in said.methods],
        "cost": {**asdict(said.cost), "weight": said.cost.weight},
    }
